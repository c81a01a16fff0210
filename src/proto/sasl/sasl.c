#include "proto/sasl/sasl.h"

#include "base/utf8.h"
#include "proto/sasl/sasl_private.h"

#include <gsasl.h>
#include <stdio.h>
#include <stdlib.h>

enum { RESPONSE_MAX = 1 << 20 };

/* From the strongest to the weakest. LOGIN is no SASL mechanism of ours: the session has a command
 * for it. */
enum need {
	NEED_PASSWORD = 1,
	NEED_TOKEN = 2,
	NEED_NOTHING = 4, /* no secret must be given: it would not be used */
	NEED_BINDING = 8,
	SHOWS_SECRET = 16, /* whoever listens has the secret */
	TAKES_ADMIN = 32,  /* carries an authorization identity */
};

static const struct {
	const char *name;
	unsigned int needs;
} MECHANISMS[] = {
	{"EXTERNAL", NEED_NOTHING | TAKES_ADMIN},
	{"OAUTHBEARER", NEED_TOKEN | SHOWS_SECRET | TAKES_ADMIN},
	{"XOAUTH2", NEED_TOKEN | SHOWS_SECRET | TAKES_ADMIN},
	{"SCRAM-SHA-256-PLUS", NEED_PASSWORD | NEED_BINDING | TAKES_ADMIN},
	{"SCRAM-SHA-256", NEED_PASSWORD | TAKES_ADMIN},
	{"SCRAM-SHA-1-PLUS", NEED_PASSWORD | NEED_BINDING | TAKES_ADMIN},
	{"SCRAM-SHA-1", NEED_PASSWORD | TAKES_ADMIN},
	{"GSSAPI", NEED_NOTHING | TAKES_ADMIN},
	{"CRAM-MD5", NEED_PASSWORD},
	{"PLAIN", NEED_PASSWORD | SHOWS_SECRET | TAKES_ADMIN},
	{"LOGIN", NEED_PASSWORD | SHOWS_SECRET},
};

static bool in_list(struct pf_span list, const char *name)
{
	while (list.n > 0) {
		const uint8_t *blank = memchr(list.p, ' ', list.n);
		size_t n = blank ? (size_t)(blank - list.p) : list.n;

		if (pf_span_is(pf_span(list.p, n), name)) {
			return true;
		}
		list = pf_span_from(list, n + 1);
	}
	return false;
}

static bool can_serve(unsigned int needs, const struct pf_sasl_cfg *cfg)
{
	bool has = cfg->secret && pf_secret_is_set(cfg->secret);

	if ((needs & NEED_NOTHING) && has) {
		return false;
	}
	if ((needs & NEED_PASSWORD) && (!has || cfg->oauth)) {
		return false;
	}
	if ((needs & NEED_TOKEN) && (!has || !cfg->oauth)) {
		return false;
	}
	if ((needs & NEED_BINDING) && !cfg->binding_exporter.p) {
		return false;
	}
	if ((needs & SHOWS_SECRET) && !cfg->encrypted && !cfg->allow_plaintext) {
		return false;
	}
	return !cfg->admin || (needs & TAKES_ADMIN);
}

const char *pf_sasl_choose(
	struct pf_span offered, struct pf_span tried, const struct pf_sasl_cfg *cfg)
{
	for (size_t i = 0; i < PF_COUNT(MECHANISMS); i++) {
		if (in_list(offered, MECHANISMS[i].name) && !in_list(tried, MECHANISMS[i].name) &&
			can_serve(MECHANISMS[i].needs, cfg)) {
			return MECHANISMS[i].name;
		}
	}
	return NULL;
}

struct pf_sasl {
	const struct pf_sasl_cfg *cfg;
	const char *mechanism;
	struct pf_oauth *oauth; /* or: */
	Gsasl *ctx;
	Gsasl_session *session;
	bool client_first, complete;
};

/*
 * gsasl takes channel bindings in base64; and only for the -PLUS mechanisms: given to another, its
 * version 2.2 fails instead of saying "y" (that the client could).
 */
static int set_binding(struct pf_sasl *s, struct pf_err *err)
{
	char *text = NULL;
	size_t n = 0;

	if (!s->cfg->binding_exporter.p || !strstr(s->mechanism, "-PLUS")) {
		return PF_OK;
	}
	if (gsasl_base64_to((const char *)s->cfg->binding_exporter.p, s->cfg->binding_exporter.n,
		    &text, &n) != GSASL_OK ||
		gsasl_property_set(s->session, GSASL_CB_TLS_EXPORTER, text) != GSASL_OK) {
		gsasl_free(text);
		return pf_fail_memory(err, "signing in");
	}
	gsasl_free(text);
	return PF_OK;
}

static int set_properties(struct pf_sasl *s, struct pf_err *err)
{
	const struct pf_sasl_cfg *cfg = s->cfg;
	const struct {
		Gsasl_property property;
		const char *value;
	} set[] = {
		{GSASL_AUTHID, cfg->admin ? cfg->admin : cfg->user},
		{GSASL_AUTHZID,
			cfg->admin || strcmp(s->mechanism, "EXTERNAL") == 0 ? cfg->user : NULL},
		{GSASL_PASSWORD, cfg->secret ? cfg->secret->p : NULL},
		{GSASL_SERVICE, cfg->service},
		{GSASL_HOSTNAME, cfg->host},
	};

	for (size_t i = 0; i < PF_COUNT(set); i++) {
		if (set[i].value &&
			gsasl_property_set(s->session, set[i].property, set[i].value) != GSASL_OK) {
			return pf_fail_memory(err, "signing in");
		}
	}
	return set_binding(s, err);
}

static int begin_gsasl(struct pf_sasl *s, struct pf_err *err)
{
	int rc = gsasl_init(&s->ctx);

	if (rc == GSASL_OK) {
		rc = gsasl_client_start(s->ctx, s->mechanism, &s->session);
	}
	if (rc != GSASL_OK) {
		return pf_fail(err, PF_SCOPE_STORE, PF_RETRY_NO, "sign-in by %s can't be had: %s",
			s->mechanism, gsasl_strerror(rc));
	}
	s->client_first =
		strcmp(s->mechanism, "CRAM-MD5") != 0 && strcmp(s->mechanism, "LOGIN") != 0;
	return set_properties(s, err);
}

int pf_sasl_begin(const char *mechanism, const struct pf_sasl_cfg *cfg, struct pf_sasl **out,
	struct pf_err *err)
{
	struct pf_sasl *s = calloc(1, sizeof(*s));
	int rc;

	if (!s) {
		return pf_fail_memory(err, "signing in");
	}
	s->cfg = cfg;
	s->mechanism = mechanism;
	if (strcmp(mechanism, "XOAUTH2") == 0 || strcmp(mechanism, "OAUTHBEARER") == 0) {
		s->client_first = true;
		s->oauth = pf_oauth_new(mechanism[0] == 'X', cfg);
		rc = s->oauth ? PF_OK : pf_fail_memory(err, "signing in");
	} else {
		rc = begin_gsasl(s, err);
	}
	if (rc != PF_OK) {
		pf_sasl_free(&s);
		return PF_FAIL;
	}
	*out = s;
	return PF_OK;
}

void pf_sasl_free(struct pf_sasl **s)
{
	if (!*s) {
		return;
	}
	pf_oauth_free(&(*s)->oauth);
	if ((*s)->session) {
		gsasl_finish((*s)->session);
	}
	if ((*s)->ctx) {
		gsasl_done((*s)->ctx);
	}
	free(*s);
	*s = NULL;
}

bool pf_sasl_client_first(const struct pf_sasl *s)
{
	return s->client_first;
}

static int step_gsasl(
	struct pf_sasl *s, struct pf_span challenge, struct pf_buf *out, struct pf_err *err)
{
	char *response = NULL;
	size_t n = 0;
	int rc = gsasl_step(s->session, (const char *)challenge.p, challenge.n, &response, &n);
	int added;

	if (rc != GSASL_OK && rc != GSASL_NEEDS_MORE) {
		return pf_fail(err, PF_SCOPE_STORE, PF_RETRY_NO, "sign-in by %s: %s", s->mechanism,
			gsasl_strerror(rc));
	}
	added = pf_buf_add(out, pf_span(response, n), err);
	pf_wipe(response, n);
	gsasl_free(response);
	s->complete = rc == GSASL_OK;
	return added != PF_OK ? PF_FAIL : rc == GSASL_OK ? PF_END : PF_OK;
}

int pf_sasl_step(
	struct pf_sasl *s, struct pf_span challenge, struct pf_buf *out, struct pf_err *err)
{
	int rc;

	if (challenge.n > RESPONSE_MAX) {
		return pf_fail(err, PF_SCOPE_STORE, PF_RETRY_NO,
			"sign-in by %s: the challenge is too long", s->mechanism);
	}
	if (s->complete && !s->oauth) {
		/* SCRAM's last message may come as a challenge that wants an empty answer. */
		return challenge.n == 0 ? PF_END
					: pf_fail(err, PF_SCOPE_STORE, PF_RETRY_NO,
						  "sign-in by %s: the server goes on after its end",
						  s->mechanism);
	}
	if (!s->oauth) {
		return step_gsasl(s, challenge, out, err);
	}
	rc = pf_oauth_step(s->oauth, challenge, out, err);
	s->complete = true;
	return rc;
}

const char *pf_sasl_server_error(const struct pf_sasl *s)
{
	return s->oauth ? pf_oauth_error(s->oauth) : NULL;
}

bool pf_sasl_complete(const struct pf_sasl *s)
{
	return s->complete;
}
