#include "base/utf8.h"
#include "proto/sasl/sasl_private.h"

#include <stdlib.h>

struct pf_oauth {
	const struct pf_sasl_cfg *cfg;
	bool xoauth2, sent, refused;
	char error[300];
};

struct pf_oauth *pf_oauth_new(bool xoauth2, const struct pf_sasl_cfg *cfg)
{
	struct pf_oauth *o = calloc(1, sizeof(*o));

	if (o) {
		o->cfg = cfg;
		o->xoauth2 = xoauth2;
	}
	return o;
}

void pf_oauth_free(struct pf_oauth **o)
{
	free(*o);
	*o = NULL;
}

/* A user name within a GS2 header (RFC 5801 section 4): ',' and '=' are encoded. */
static int add_saslname(struct pf_buf *out, const char *name, struct pf_err *err)
{
	for (; *name; name++) {
		const char *as = *name == ',' ? "=2C" : *name == '=' ? "=3D" : NULL;

		if ((as ? pf_buf_add_str(out, as, err) : pf_buf_add(out, pf_span(name, 1), err)) !=
			PF_OK) {
			return PF_FAIL;
		}
	}
	return PF_OK;
}

static int first(struct pf_oauth *o, struct pf_buf *out, struct pf_err *err)
{
	const struct pf_sasl_cfg *cfg = o->cfg;

	if (o->xoauth2) {
		return pf_buf_addf(
			out, err, "user=%s\001auth=Bearer %s\001\001", cfg->user, cfg->secret->p);
	}
	if (pf_buf_add_str(out, "n,a=", err) != PF_OK ||
		add_saslname(out, cfg->user, err) != PF_OK) {
		return PF_FAIL;
	}
	return pf_buf_addf(
		out, err, ",\001host=%s\001auth=Bearer %s\001\001", cfg->host, cfg->secret->p);
}

int pf_oauth_step(
	struct pf_oauth *o, struct pf_span challenge, struct pf_buf *out, struct pf_err *err)
{
	if (!o->sent && challenge.n == 0) {
		o->sent = true;
		return first(o, out, err) == PF_OK ? PF_END : PF_FAIL;
	}
	/* The server's reason; RFC 7628 section 3.2.3 wants one ^A back, XOAUTH2 an empty line.
	 * Then comes its NO. */
	(void)pf_print_safe(o->error, sizeof(o->error), challenge);
	if (o->refused) {
		return pf_fail(err, PF_SCOPE_STORE, PF_RETRY_NO, "the token was not accepted: %s",
			o->error);
	}
	o->refused = true;
	if (o->xoauth2) {
		return PF_END;
	}
	return pf_buf_add(out, pf_span("\001", 1), err) == PF_OK ? PF_END : PF_FAIL;
}

const char *pf_oauth_error(const struct pf_oauth *o)
{
	return o->refused ? o->error : NULL;
}
