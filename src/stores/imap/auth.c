/*
 * From the greeting to a session that can work: CAPABILITY, STARTTLS, sign-in, and what is asked
 * once for the store.
 */
#include "base/utf8.h"
#include "stores/imap/imap_private.h"

#include <gsasl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int advance(struct iconn *c, struct pf_err *err);

static int simple(
	struct iconn *c, enum pf_imap_cmd_kind kind, enum auth_step next, struct pf_err *err)
{
	struct pf_imap_cmd *cmd;

	if (pf_imap_cmd_new(c->session, kind, NULL, &cmd, err) != PF_OK) {
		return PF_FAIL;
	}
	c->step = next;
	return pf_imap_cmd_send(cmd, false, err);
}

static uint32_t caps(const struct iconn *c)
{
	return pf_imap_session_caps(c->session)->bits & ~c->store->caps_off;
}

/* ---- names ---- */

static bool by_authzid(const struct pf_store_cfg *cfg)
{
	return cfg->admin && !cfg->admin_form;
}

static bool by_proxyauth(const struct pf_store_cfg *cfg)
{
	return cfg->admin && cfg->admin_form && strcmp(cfg->admin_form, "proxyauth") == 0;
}

static int expand(struct pf_buf *out, const struct pf_store_cfg *cfg, struct pf_err *err)
{
	static const char USER[] = "{user}", ADMIN[] = "{admin}";
	int rc = PF_OK;

	for (const char *f = cfg->admin_form; *f && rc == PF_OK;) {
		if (strncmp(f, USER, sizeof(USER) - 1) == 0) {
			rc = pf_buf_add_str(out, cfg->url->user, err);
			f += sizeof(USER) - 1;
		} else if (strncmp(f, ADMIN, sizeof(ADMIN) - 1) == 0) {
			rc = pf_buf_add_str(out, cfg->admin, err);
			f += sizeof(ADMIN) - 1;
		} else {
			rc = pf_buf_add(out, pf_span(f++, 1), err);
		}
	}
	return rc;
}

int auth_name(struct istore *s, struct pf_err *err)
{
	const struct pf_store_cfg *cfg = s->cfg;
	int rc;

	if (cfg->admin && cfg->admin_form && !by_proxyauth(cfg)) {
		rc = expand(&s->sign_in_name, cfg, err);
	} else {
		rc = pf_buf_add_str(
			&s->sign_in_name, by_proxyauth(cfg) ? cfg->admin : cfg->url->user, err);
	}
	return rc == PF_OK ? pf_buf_add(&s->sign_in_name, pf_span("", 1), err) : PF_FAIL;
}

static const char *name_of(const struct istore *s)
{
	return (const char *)s->sign_in_name.p;
}

/* ---- SASL ---- */

static void fill_cfg(struct iconn *c)
{
	const struct pf_store_cfg *cfg = c->store->cfg;
	struct pf_err ignored; /* no binding: then a mechanism without one is chosen */

	c->sasl_cfg = (struct pf_sasl_cfg){
		.service = "imap",
		.host = cfg->url->host,
		.user = name_of(c->store),
		.admin = by_authzid(cfg) ? cfg->admin : NULL,
		.secret = pf_secret_is_set(&c->secret) ? &c->secret : NULL,
		.oauth = cfg->secret && cfg->secret->oauth,
		.encrypted = pf_conn_is_tls(c->net),
		.allow_plaintext = cfg->allow_plaintext,
	};
	pf_buf_clear(&c->binding);
	if (pf_conn_is_tls(c->net) &&
		pf_conn_channel_binding(c->net, "tls-exporter", &c->binding, &ignored) == PF_OK) {
		c->sasl_cfg.binding_exporter = pf_buf_span(&c->binding);
	}
}

/* One step of the mechanism, in base64, into `out` (freed with gsasl_free after wiping). */
static int answer(
	struct iconn *c, struct pf_span challenge, char **out, size_t *n, struct pf_err *err)
{
	struct pf_buf raw;
	int rc;

	pf_buf_init(&raw, 1 << 20);
	rc = pf_sasl_step(c->sasl, challenge, &raw, err);
	if (rc != PF_FAIL && gsasl_base64_to((const char *)(raw.p ? raw.p : (const uint8_t *)""),
				     raw.n, out, n) != GSASL_OK) {
		rc = pf_fail_memory(err, "signing in");
	}
	pf_wipe(raw.p, raw.cap);
	pf_buf_deinit(&raw);
	return rc;
}

static int begin_sasl(struct iconn *c, const char *mechanism, struct pf_err *err)
{
	struct pf_imap_cmd *cmd;
	char *text = NULL;
	size_t n = 0;
	bool first;
	int rc;

	if (pf_sasl_begin(mechanism, &c->sasl_cfg, &c->sasl, err) != PF_OK) {
		return PF_FAIL;
	}
	first = pf_sasl_client_first(c->sasl) && (caps(c) & PF_IMAP_CAP_SASL_IR);
	if (first && answer(c, pf_span(NULL, 0), &text, &n, err) == PF_FAIL) {
		return PF_FAIL;
	}
	rc = pf_imap_cmd_new(c->session, PF_IMAP_CMD_AUTHENTICATE, NULL, &cmd, err);
	if (rc == PF_OK) {
		pf_imap_cmd_text(cmd, " ");
		pf_imap_cmd_text(cmd, mechanism);
		if (first) {
			pf_imap_cmd_text(cmd, " ");
			pf_imap_cmd_secret_text(cmd, n > 0 ? pf_span(text, n) : pf_span("=", 1));
		}
		rc = pf_imap_cmd_send(cmd, false, err);
	}
	pf_wipe(text, n);
	gsasl_free(text);
	return rc;
}

static int login(struct iconn *c, struct pf_err *err)
{
	struct pf_imap_cmd *cmd;

	if (pf_imap_cmd_new(c->session, PF_IMAP_CMD_LOGIN, NULL, &cmd, err) != PF_OK) {
		return PF_FAIL;
	}
	pf_imap_cmd_astring(cmd, pf_span_str(name_of(c->store)));
	pf_imap_cmd_secret(cmd, pf_span(c->secret.p, c->secret.n));
	return pf_imap_cmd_send(cmd, false, err);
}

static int sign_in(struct iconn *c, struct pf_err *err)
{
	const struct pf_store_cfg *cfg = c->store->cfg;
	const char *offered = pf_imap_session_caps(c->session)->auth;
	const char *mechanism;
	bool clear = !pf_conn_is_tls(c->net) && !cfg->allow_plaintext;

	c->step = AUTH_SIGN_IN;
	c->store->append_limit = pf_imap_session_caps(c->session)->append_limit;
	if (c->store->sign_in_refused) {
		return pf_fail(
			err, PF_SCOPE_STORE, PF_RETRY_NO, "the server refused the sign-in before");
	}
	if (!pf_secret_is_set(&c->secret) && cfg->secret &&
		cfg->secret->get(cfg->secret, &c->secret, err) != PF_OK) {
		return PF_FAIL;
	}
	fill_cfg(c);
	mechanism = pf_sasl_choose(pf_span_str(offered), pf_span_str(c->tried), &c->sasl_cfg);
	if (mechanism) {
		size_t n = strlen(c->tried);

		(void)snprintf(
			c->tried + n, sizeof(c->tried) - n, "%s%s", n > 0 ? " " : "", mechanism);
		return begin_sasl(c, mechanism, err);
	}
	if (!pf_secret_is_set(&c->secret) || by_authzid(cfg) || c->sasl_cfg.oauth || clear ||
		(caps(c) & PF_IMAP_CAP_LOGINDISABLED) || strstr(c->tried, "*LOGIN")) {
		return pf_fail(err, PF_SCOPE_STORE, PF_RETRY_NO,
			"no way to sign in that the server offers can be used%s (offered: %s)%s",
			by_authzid(cfg) ? " for an administrator (see --from-admin-form)" : "",
			offered[0] ? offered : "none",
			clear ? ": the link is not encrypted; see --allow-plaintext" : "");
	}
	(void)snprintf(c->tried + strlen(c->tried), sizeof(c->tried) - strlen(c->tried), " *LOGIN");
	return login(c, err);
}

static int challenge(struct iconn *c, struct pf_span base64, struct pf_err *err)
{
	char *raw = NULL, *text = NULL;
	size_t raw_n = 0, n = 0;
	int rc;

	if (!c->sasl) {
		return PF_OK;
	}
	/* An empty challenge asks for the first message (no SASL-IR) or for nothing more. */
	if (base64.n > 0 &&
		gsasl_base64_from((const char *)base64.p, base64.n, &raw, &raw_n) != GSASL_OK) {
		return pf_fail(
			err, PF_SCOPE_STORE, PF_RETRY_NO, "sign-in: a challenge is not base64");
	}
	rc = answer(c, raw ? pf_span(raw, raw_n) : pf_span(NULL, 0), &text, &n, err);
	gsasl_free(raw);
	if (rc == PF_FAIL) {
		store_note(c->store, PF_EV_NOT_OPENED, pf_span(NULL, 0), pf_span(NULL, 0), 0, "%s",
			err->text);
		return PF_FAIL; /* the connection goes: the server did not prove itself */
	}
	rc = pf_imap_session_respond(c->session, pf_span(text, n), err);
	pf_wipe(text, n);
	gsasl_free(text);
	return rc;
}

/* Tokens are short-lived: the one that was refused may have ended just now. Only another one is
 * tried. */
static bool renew_token(struct iconn *c)
{
	struct pf_secret_source *src = c->store->cfg->secret;
	struct pf_secret old = c->secret;
	struct pf_err ignored; /* then there is none */
	bool another;

	if (!src || !src->oauth || c->token_renewed) {
		return false;
	}
	c->token_renewed = true;
	c->secret = (struct pf_secret){0};
	another = src->get(src, &c->secret, &ignored) == PF_OK &&
		  (c->secret.n != old.n || memcmp(c->secret.p, old.p, old.n) != 0);
	pf_secret_clear(&old);
	return another;
}

/* A NO to a sign-in: the password was wrong, or only this mechanism is. */
static int refused(struct iconn *c, const struct pf_imap_session_event *ev, struct pf_err *err)
{
	const char *server = c->sasl ? pf_sasl_server_error(c->sasl) : NULL;
	struct pf_err why;
	bool other_way = ev->resp->cond == PF_IMAP_BAD && ev->cmd == PF_IMAP_CMD_AUTHENTICATE;

	(void)pf_imap_refusal(&why, PF_SCOPE_SESSION, ev->cmd, ev->resp);
	if (other_way) { /* a mechanism that is announced but does not work; no password was judged
			  */
		pf_sasl_free(&c->sasl);
		return sign_in(c, err);
	}
	if (why.retry == PF_RETRY_NO && renew_token(c)) {
		pf_sasl_free(&c->sasl);
		c->tried[0] = '\0';
		return sign_in(c, err);
	}
	if (why.retry == PF_RETRY_NO) {
		c->store->sign_in_refused = true;
		why.scope = PF_SCOPE_STORE;
	}
	*err = why;
	if (server) {
		(void)pf_wrap(err, "%s", server);
	}
	if (c->sasl_cfg.oauth) {
		(void)pf_wrap(err, "the token was refused; get a new token, and look whether "
				   "consent was withdrawn");
	}
	return pf_wrap(err, "sign-in as %s%s%s", name_of(c->store),
		by_authzid(c->store->cfg) ? " by " : "",
		by_authzid(c->store->cfg) ? c->store->cfg->admin : "");
}

static int signed_in(struct iconn *c, struct pf_err *err)
{
	if (c->sasl && !pf_sasl_complete(c->sasl)) {
		return pf_fail(err, PF_SCOPE_STORE, PF_RETRY_NO,
			"sign-in: the server said OK before it proved that it knows the password");
	}
	pf_sasl_free(&c->sasl);
	pf_secret_clear(&c->secret);
	c->step = AUTH_AFTER;
	return PF_OK;
}

/* ---- once for the store ---- */

/* Only a source lists by changes, and only who enabled it is told of what vanished. */
static bool enables_qresync(const struct iconn *c)
{
	return c->store->cfg->source && (caps(c) & PF_IMAP_CAP_QRESYNC) &&
	       (caps(c) & PF_IMAP_CAP_ENABLE);
}

static void take_facts(struct iconn *c)
{
	struct istore *s = c->store;
	const struct pf_imap_caps *k = pf_imap_session_caps(c->session);
	struct pf_store_facts *f = &s->facts;

	s->caps = k->bits & ~s->caps_off;
	f->caps = PF_CAP_SUBSCRIBE | PF_CAP_INBOX_CHILDREN | PF_CAP_MIXED | PF_CAP_KEEPS_DATE |
		  PF_CAP_EXACT_SIZE | PF_CAP_EXACT_BYTES | PF_CAP_CURSOR | PF_CAP_STORES_LATE;
	f->caps |= k->bits & PF_IMAP_CAP_UIDPLUS
			   ? PF_CAP_PUT_RETURNS_ID | PF_CAP_REMOVE_ONE | PF_CAP_COPY
			   : 0;
	f->caps |= k->bits & PF_IMAP_CAP_CONDSTORE ? PF_CAP_CURSOR_FLAGS : 0;
	f->caps |= enables_qresync(c) ? PF_CAP_LIST_DELTA : 0;
	f->caps |= k->bits & PF_IMAP_CAP_ACL ? PF_CAP_RIGHTS : 0;
	f->caps |= k->bits & PF_IMAP_CAP_MULTIAPPEND ? PF_CAP_PUT_GROUPS : 0;
	quirks_apply(s);
	f->max_item_bytes = k->append_limit ? k->append_limit : s->append_limit;
}

static int become_ready(struct iconn *c)
{
	struct istore *s = c->store;

	c->state = ICONN_READY;
	c->step = AUTH_DONE;
	if (!s->ready) {
		take_facts(c);
		s->ready = true;
	}
	return PF_OK;
}

/* QRESYNC must be enabled before the first SELECT (RFC 7162 section 3.2.3), and a server that has
 * names and headers in UTF-8 only does nothing before it is told so (RFC 6855 section 6). Nobody
 * waits for the answers. */
static int enable(struct iconn *c, struct pf_err *err)
{
	bool utf8 = (caps(c) & PF_IMAP_CAP_UTF8_ONLY) != 0;
	struct pf_imap_cmd *cmd;

	if (enables_qresync(c) || utf8) {
		if (pf_imap_cmd_new(c->session, PF_IMAP_CMD_ENABLE, NULL, &cmd, err) != PF_OK) {
			return PF_FAIL;
		}
		pf_imap_cmd_text(cmd, utf8 ? " UTF8=ACCEPT" : "");
		pf_imap_cmd_text(cmd, enables_qresync(c) ? " QRESYNC" : "");
		if (pf_imap_cmd_send(cmd, false, err) != PF_OK) {
			return PF_FAIL;
		}
	}
	return become_ready(c);
}

/* ---- the way there ---- */

/* Signed in as the administrator: become the user (of Sun's and Netscape's servers). */
static int become_user(struct iconn *c, struct pf_err *err)
{
	struct pf_imap_cmd *cmd;

	if (pf_imap_cmd_new(c->session, PF_IMAP_CMD_PROXYAUTH, NULL, &cmd, err) != PF_OK) {
		return PF_FAIL;
	}
	pf_imap_cmd_astring(cmd, pf_span_str(c->store->cfg->url->user));
	return pf_imap_cmd_send(cmd, false, err);
}

static int after_sign_in(struct iconn *c, struct pf_err *err)
{
	return pf_imap_session_caps_known(c->session)
		       ? enable(c, err)
		       : simple(c, PF_IMAP_CMD_CAPABILITY, AUTH_AFTER, err);
}

static int advance(struct iconn *c, struct pf_err *err)
{
	const struct pf_store_cfg *cfg = c->store->cfg;

	if (c->step <= AUTH_SIGN_IN && !pf_imap_session_caps_known(c->session)) {
		return simple(c, PF_IMAP_CMD_CAPABILITY, AUTH_CAPABILITY, err);
	}
	if (c->step <= AUTH_STARTTLS) {
		if (!pf_conn_is_tls(c->net) && (caps(c) & PF_IMAP_CAP_STARTTLS) && cfg->tls &&
			!(cfg->allow_plaintext && c->step == AUTH_STARTTLS)) {
			return simple(c, PF_IMAP_CMD_STARTTLS, AUTH_STARTTLS, err);
		}
		if (!pf_conn_is_tls(c->net) && !cfg->allow_plaintext) {
			return pf_fail(err, PF_SCOPE_STORE, PF_RETRY_NO,
				"the server offers no encryption (no STARTTLS); nothing is sent in "
				"the clear "
				"without --allow-plaintext");
		}
		return sign_in(c, err);
	}
	return PF_OK;
}

int auth_after_tls(struct iconn *c, struct pf_err *err)
{
	c->state = ICONN_AUTH;
	c->step = AUTH_CAPABILITY;
	pf_imap_session_forget_caps(c->session); /* what was said in the clear does not count */
	return advance(c, err);
}

static int greeted(struct iconn *c, const struct pf_imap_session_event *ev, struct pf_err *err)
{
	struct istore *s = c->store;

	if (ev->resp->cond == PF_IMAP_BYE) {
		return pf_imap_refusal(err, PF_SCOPE_SESSION, PF_IMAP_CMD_LOGIN, ev->resp);
	}
	if (!s->ready) {
		s->quirks |= quirks_of(ev->resp->text);
		(void)pf_print_safe(s->server, sizeof(s->server), ev->resp->text);
	}
	c->state = ICONN_AUTH;
	c->step = AUTH_CAPABILITY;
	if (ev->resp->cond == PF_IMAP_PREAUTH) {
		if (!pf_conn_is_tls(c->net) && !s->cfg->allow_plaintext) {
			return pf_fail(err, PF_SCOPE_STORE, PF_RETRY_NO,
				"the server signed us in unasked on a link that is not encrypted: "
				"STARTTLS is no "
				"longer possible; see --allow-plaintext");
		}
		c->step = AUTH_AFTER;
		return simple(c, PF_IMAP_CMD_CAPABILITY, AUTH_AFTER, err);
	}
	return advance(c, err);
}

static int auth_done(struct iconn *c, const struct pf_imap_session_event *ev, struct pf_err *err)
{
	bool ok = ev->resp->cond == PF_IMAP_OK;

	switch (ev->cmd) {
	case PF_IMAP_CMD_CAPABILITY:
		if (!pf_imap_session_caps_known(c->session)) {
			pf_imap_session_assume_caps(c->session);
			store_note(c->store, PF_EV_FEATURE_OFF, pf_span(NULL, 0), pf_span(NULL, 0),
				0,
				"the server does not say what it can do (CAPABILITY): it is taken "
				"for "
				"one that can what all can");
		}
		return c->step == AUTH_AFTER ? enable(c, err) : advance(c, err);
	case PF_IMAP_CMD_STARTTLS:
		if (!ok) {
			if (!c->store->cfg->allow_plaintext) {
				(void)pf_imap_refusal(err, PF_SCOPE_STORE, ev->cmd, ev->resp);
				return pf_wrap(err, "encryption");
			}
			return advance(c, err);
		}
		c->state = ICONN_TLS;
		pf_imap_session_forget_input(c->session);
		return pf_conn_start_tls(c->net, err);
	case PF_IMAP_CMD_AUTHENTICATE:
	case PF_IMAP_CMD_LOGIN:
		if (!ok) {
			return refused(c, ev, err);
		}
		if (ev->resp->code != PF_IMAP_CODE_CAPABILITY) {
			pf_imap_session_forget_caps(c->session);
		}
		if (signed_in(c, err) != PF_OK) {
			return PF_FAIL;
		}
		return by_proxyauth(c->store->cfg) ? become_user(c, err) : after_sign_in(c, err);
	case PF_IMAP_CMD_PROXYAUTH:
		if (!ok) {
			c->store->sign_in_refused = true;
			return pf_imap_refusal(err, PF_SCOPE_STORE, ev->cmd, ev->resp);
		}
		return after_sign_in(c, err);
	default:
		return PF_OK;
	}
}

int auth_event(struct iconn *c, const struct pf_imap_session_event *ev, struct pf_err *err)
{
	switch (ev->kind) {
	case PF_IMAP_EV_GREETING:
		return greeted(c, ev, err);
	case PF_IMAP_EV_CHALLENGE:
		return challenge(c, ev->resp->text, err);
	case PF_IMAP_EV_DONE:
		return auth_done(c, ev, err);
	default:
		return PF_OK;
	}
}
