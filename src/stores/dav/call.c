/*
 * Requests in flight, and what all answers have in common: redirects, sign-in that is refused,
 * links that are lost.
 */
#include "stores/dav/dav_private.h"

#include "base/utf8.h"

#include <stdio.h>
#include <stdlib.h>

/* ---- calls ---- */

bool dcall_room(const struct pf_hs *h)
{
	const struct dstore *s = dstore_const(h);

	if (pf_http_room(s->h.http) == 0) {
		return false;
	}
	for (size_t i = 0; i < DAV_CALLS; i++) {
		if (!s->call[i].busy) {
			return true;
		}
	}
	return false;
}

struct dcall *dcall_new(struct dstore *s, enum dcall_kind kind, struct dop *o)
{
	struct dcall *c = s->call;

	while (c->busy) {
		c++;
		pf_assert(c < s->call + DAV_CALLS); /* dcall_room was asked */
	}
	*c = (struct dcall){.kind = kind};
	pf_buf_init(&c->target, DAV_PATH_MAX);
	if (o) {
		c->ops[c->n++] = o;
	}
	return c;
}

int dcall_field(struct dcall *c, struct pf_err *err, const char *fmt, ...)
{
	char *to = c->fields[c->field_n];
	va_list ap;
	int n;

	pf_assert(c->field_n < PF_COUNT(c->fields));
	va_start(ap, fmt);
	n = vsnprintf(to, sizeof(c->fields[0]), fmt, ap);
	va_end(ap);
	if (n < 0 || (size_t)n >= sizeof(c->fields[0]) || strpbrk(to, "\r\n")) {
		return pf_fail(
			err, PF_SCOPE_ITEM, PF_RETRY_NO, "a field is too long for a request");
	}
	c->field_list[c->field_n++] = to;
	return PF_OK;
}

static void call_end(struct dcall *c)
{
	pf_blob_unref(&c->body);
	pf_buf_deinit(&c->target);
	c->busy = false;
}

static int submit(struct dstore *s, struct dcall *c, struct pf_err *err)
{
	bool item = c->kind == DCALL_GET || c->kind == DCALL_PUT || c->kind == DCALL_ATTACH;
	struct pf_http_req req = {
		.id = (uint64_t)(c - s->call) + 1,
		.method = c->method,
		.target = pf_buf_span(&c->target),
		.fields = c->field_list,
		.body = c->body,
		.answer_max = item ? (size_t)DAV_ITEM_MAX : (size_t)DAV_ANSWER_MAX,
	};
	int rc = pf_http_submit(s->h.http, &req, err);

	if (rc != PF_OK) {
		pf_assert(rc == PF_FAIL); /* there was room */
		call_end(c);
	}
	return rc;
}

int dcall_send(struct dstore *s, struct dcall *c, const char *method, struct pf_span target,
	struct pf_blob *body, struct pf_err *err)
{
	c->method = method;
	c->body = body;
	c->busy = true;
	if (pf_buf_add(&c->target, target, err) != PF_OK) {
		call_end(c);
		return PF_FAIL;
	}
	for (size_t i = 0; i < c->n; i++) {
		pf_hs_op_runs(&c->ops[i]->h);
	}
	return submit(s, c, err);
}

/* NOLINTNEXTLINE(readability-function-size): its parameters are the request itself */
int dcall_send_xml(struct dstore *s, struct dcall *c, const char *method, struct pf_span target,
	struct pf_buf *text, const char *depth, struct pf_err *err)
{
	struct pf_blob *body = pf_blob_new(text->n);

	if (!body) {
		return pf_fail_memory(err, "a request");
	}
	if (text->n > 0) {
		memcpy(body->bytes, text->p, text->n);
	}
	pf_buf_deinit(text);
	if (dcall_field(c, err, "Content-Type: application/xml; charset=utf-8") != PF_OK ||
		(depth && dcall_field(c, err, "Depth: %s", depth) != PF_OK)) {
		pf_blob_unref(&body);
		return PF_FAIL;
	}
	return dcall_send(s, c, method, target, body, err);
}

int dcall_propfind(struct dstore *s, struct dcall *c, enum pf_dav_ask what, struct pf_span target,
	const char *depth, struct pf_err *err)
{
	struct pf_buf text;

	pf_buf_init(&text, DAV_TEXT_MAX);
	if (pf_dav_propfind(what, &text, err) != PF_OK) {
		pf_buf_deinit(&text);
		return PF_FAIL;
	}
	return dcall_send_xml(s, c, "PROPFIND", target, &text, depth, err);
}

void dstore_lost(struct dstore *s, const struct pf_err *why)
{
	struct pf_err more = *why;
	size_t n = strlen(more.text);

	if (s->stage == DSTAGE_PLACES) { /* perhaps it is where the domain says */
		(void)snprintf(more.text + n, sizeof(more.text) - n, "%s", s->dns_says);
	}
	pf_hs_lost(&s->h, &more);
}

bool dstore_href(
	struct dstore *s, struct pf_span href, struct pf_span base, bool folder, struct pf_buf *out)
{
	enum pf_dav_where where;
	struct pf_err ignored; /* longer than any path: then it is not of ours */

	pf_buf_clear(out);
	return pf_dav_href(href, base, &s->origin, folder, out, &where, &ignored) == PF_OK &&
	       where == PF_DAV_HERE;
}

bool dstore_answered(struct dstore *s, struct pf_span href, struct pf_span asked, bool folder,
	struct pf_buf *out)
{
	enum pf_dav_where where;
	struct pf_err ignored;
	size_t n = asked.n > 0 && asked.p[asked.n - 1] == '/' ? asked.n - 1 : asked.n;

	if (dstore_href(s, href, asked, folder, out)) {
		return true;
	}
	pf_buf_clear(out);
	return pf_dav_href(href, asked, NULL, folder, out, &where, &ignored) == PF_OK &&
	       where == PF_DAV_HERE && out->n >= n &&
	       pf_span_eq(pf_span(out->p, n), pf_span(asked.p, n)) &&
	       (out->n == n || out->p[n] == '/');
}

int dav_fail_elsewhere(
	const struct dstore *s, enum pf_scope scope, struct pf_span href, struct pf_err *err)
{
	struct pf_origin at = {.host = NULL};
	char to[200], host[256];

	pf_print_safe(to, sizeof(to), href);
	(void)pf_fail(err, scope, PF_RETRY_NO,
		"the server sends us to another one: %s. The password does not go there unasked: "
		"if that place is right, give it as URL (%s://USER@HOST/PATH)",
		to, s->contacts ? "carddavs" : "caldavs");
	if (s->stage != DSTAGE_READY &&
		pf_origin_of(href, s->origin.https, host, sizeof(host), &at)) {
		size_t n = strlen(err->text);

		(void)snprintf(err->text + n, sizeof(err->text) - n, ", or --trust-host %.80s:%d",
			host, at.port);
	}
	return PF_FAIL;
}

/* ---- answers ---- */

static void put_back(struct dcall *c)
{
	for (size_t i = 0; i < c->n; i++) {
		c->ops[i]->h.state = PF_HS_WAITING;
	}
}

/* A PUT that may have been carried out is for the engine to find out; all else is asked again. */
static void lost_link(struct dstore *s, struct dcall *c, const struct pf_http_answer *a)
{
	if (!pf_hs_link_lost(&s->h, &a->why)) {
		dstore_lost(s, &a->why);
		return;
	}
	for (size_t i = 0; i < c->n; i++) {
		struct dop *o = c->ops[i];

		pf_hs_op_lost(
			&s->h, &o->h, c->kind == DCALL_PUT || c->kind == DCALL_ADD, DAV_TRIES, a);
		o->making = c->kind == DCALL_MAKE ? DMAKE_LOOK : o->making;
	}
	if (c->n == 0) {
		s->asking = false;
	}
}

static void not_had(struct dstore *s, struct dcall *c, const struct pf_http_answer *a)
{
	if (c->kind == DCALL_WHO && s->stage == DSTAGE_PLACES && a->why.scope >= PF_SCOPE_SESSION &&
		dav_locate_next(s)) {
		s->asking = false; /* the domain has another server for it */
	} else if (c->kind == DCALL_ATTACH &&
		   (a->why.scope <= PF_SCOPE_ITEM ||
			   (a->why.scope == PF_SCOPE_SESSION && c->ops[0]->h.tries >= DAV_TRIES))) {
		dav_attach_left(s, c->ops[0], a->why.text);
	} else if (a->why.scope >= PF_SCOPE_STORE) {
		dstore_lost(s, &a->why);
	} else if (a->why.scope == PF_SCOPE_SESSION) {
		lost_link(s, c, a);
	} else if (c->kind == DCALL_MULTIGET) { /* all together are too large */
		for (size_t i = 0; i < c->n; i++) {
			c->ops[i]->alone = true;
			c->ops[i]->h.state = PF_HS_WAITING;
		}
	} else {
		if (c->n == 0) { /* the sign-in itself */
			dstore_lost(s, &a->why);
		}
		for (size_t i = 0; i < c->n; i++) {
			dop_refused(s, c->ops[i], &a->why);
		}
	}
}

/* What the server asked for, when that is not what it was shown. */
static const char *what_is_wanted(const struct dstore *s)
{
	bool ticket = pf_http_wants_ticket(s->h.http), password = pf_http_was_asked(s->h.http);

	if (!s->has_given && ticket) {
		return "; it asks for a Kerberos ticket (Negotiate), and there is none that it "
		       "takes: run kinit, or give a password";
	}
	if (!s->has_given && password) {
		return "; it asks for a password, and none is given";
	}
	return ticket && !password ? "; it takes Kerberos tickets only (Negotiate): run kinit, and "
				     "say none in place of the password (--from-secret, "
				     "--to-secret)"
				   : "";
}

static void sign_in_again(struct dstore *s, struct dcall *c, const struct pf_http_answer *a,
	const struct pf_dav_said *said)
{
	struct pf_err why;
	int rc = pf_hs_sign_in_again(&s->h, s->h.cfg->url->user, a, &why);

	if (rc == PF_OK) {
		put_back(c);
		s->asking = s->asking && c->n > 0;
		return;
	}
	if (rc == PF_FAIL) {
		(void)pf_wrap(&why, "%s: sign-in is refused, and nothing else is had", s->about);
	} else {
		(void)pf_fail(&why, PF_SCOPE_STORE, PF_RETRY_NO, "%s: sign-in is refused: %s%s",
			s->about, said->text, what_is_wanted(s));
	}
	dstore_lost(s, &why);
}

/* PF_OK: it is under way again. PF_END: it is not to be followed; `err` says why. */
static int follow(
	struct dstore *s, struct dcall *c, const struct pf_http_answer *a, struct pf_err *err)
{
	bool folder = c->target.n > 0 && c->target.p[c->target.n - 1] == '/';
	enum pf_dav_where where = PF_DAV_NOWHERE;
	struct pf_buf to;
	int rc;

	pf_buf_init(&to, DAV_PATH_MAX);
	rc = pf_dav_href(a->location, pf_buf_span(&c->target), &s->origin,
		folder || c->kind == DCALL_WHO, &to, &where, err);
	if (rc == PF_OK && where == PF_DAV_ELSEWHERE) {
		(void)dav_fail_elsewhere(s, PF_SCOPE_FOLDER, a->location, err);
		rc = PF_END;
	} else if (rc == PF_OK && (where != PF_DAV_HERE || ++c->redirects > DAV_REDIRECTS)) {
		(void)pf_fail(err, PF_SCOPE_FOLDER, PF_RETRY_NO, "%d to nowhere", a->status);
		rc = PF_END;
	}
	if (rc == PF_OK) {
		pf_buf_clear(&c->target);
		rc = pf_buf_add(&c->target, pf_buf_span(&to), err);
	}
	pf_buf_deinit(&to);
	return rc == PF_OK ? submit(s, c, err) : rc;
}

static int dispatch(struct dstore *s, struct dcall *c, const struct pf_http_answer *a,
	const struct pf_dav_said *said, struct pf_err *err)
{
	switch (c->kind) {
	case DCALL_WHO:
	case DCALL_OPTIONS:
		return dav_discover_answer(s, c, a, said, err);
	case DCALL_FOLDERS:
		return dav_folders_answer(s, c->ops[0], a, said, err);
	case DCALL_LIST:
		return dav_list_answer(s, c, a, said, err);
	case DCALL_MULTIGET:
	case DCALL_GET:
		return dav_get_answer(s, c, a, said, err);
	case DCALL_ATTACH:
		return dav_attach_answer(s, c, a, said, err);
	case DCALL_ADD:
	case DCALL_UNDO:
		return dav_managed_answer(s, c, a, said, err);
	case DCALL_PUT:
	case DCALL_HOLDER:
	case DCALL_HOME:
		return dav_put_answer(s, c, a, said, err);
	case DCALL_REMOVE:
		return dav_remove_answer(s, c->ops[0], said, err);
	case DCALL_MAKE:
	case DCALL_LOOK:
	case DCALL_PATCH:
		return dav_make_answer(s, c, a, said, err);
	}
	return PF_OK;
}

static enum pf_dav_guard guard_of(const struct dcall *c)
{
	if (c->kind == DCALL_PUT) {
		return dop_op(c->ops[0])->put.guard == PF_GUARD_SAME ? PF_DAV_IF_MATCH
								     : PF_DAV_IF_NONE;
	}
	return c->kind == DCALL_REMOVE ? PF_DAV_IF_MATCH : PF_DAV_NO_GUARD;
}

/* Reading is as good later as now; a write that the server could not do is the engine's. */
static bool is_patience(const struct dcall *c, const struct pf_dav_said *said)
{
	return said->answer == PF_DAV_PATIENCE ||
	       (said->answer == PF_DAV_BUSY && c->kind != DCALL_PUT && c->kind != DCALL_ADD &&
		       c->kind != DCALL_REMOVE);
}

static int take(struct dstore *s, struct dcall *c, const struct pf_http_answer *a,
	struct pf_arena *arena, struct pf_err *err)
{
	struct pf_dav_said said;
	int rc = PF_END;

	if (a->failed) {
		not_had(s, c, a);
		return PF_OK;
	}
	s->h.losses = 0;
	if (a->status >= 300 || c->kind == DCALL_PUT || c->kind == DCALL_REMOVE ||
		c->kind == DCALL_MAKE || c->kind == DCALL_PATCH) {
		pf_dav_said(a->status, guard_of(c), a->type, a->body, arena, &said);
	} else { /* a multistatus of other requests is read as such */
		said = (struct pf_dav_said){.answer = PF_DAV_DONE, .status = a->status};
	}
	if (said.answer == PF_DAV_REDIRECT && a->location.p && c->kind != DCALL_OPTIONS) {
		struct pf_err why;

		rc = follow(s, c, a, &why);
		if (rc == PF_OK) {
			return PF_AGAIN;
		}
		*err = why;
		if (rc == PF_FAIL) {
			return PF_FAIL;
		}
		(void)snprintf(said.text, sizeof(said.text), "%.310s", why.text);
	}
	if (is_patience(c, &said)) {
		put_back(c);
		s->asking = s->asking && c->n > 0;
		pf_hs_be_patient(&s->h, (int64_t)a->retry_after_s * 1000, said.text);
		return PF_OK;
	}
	if (said.answer == PF_DAV_SIGN_IN && c->kind != DCALL_ATTACH) {
		sign_in_again(s, c, a, &said);
		return PF_OK;
	}
	s->h.pauses = 0;
	s->h.signed_again = false;
	return dispatch(s, c, a, &said, err);
}

int dcall_take(struct pf_hs *h, int64_t *wake_ms, struct pf_err *err)
{
	struct dstore *s = dstore_of(h);
	struct pf_http_answer a;
	struct pf_arena arena;
	struct dcall *c;
	int rc = pf_http_next(s->h.http, &a, wake_ms, err);

	if (rc != PF_OK) {
		return rc;
	}
	pf_arena_init(&arena);
	c = &s->call[a.id - 1];
	s->batches -= c->kind == DCALL_MULTIGET;
	rc = take(s, c, &a, &arena, err);
	pf_arena_deinit(&arena);
	if (rc == PF_AGAIN) { /* sent on to another place */
		s->batches += c->kind == DCALL_MULTIGET;
		return PF_OK;
	}
	call_end(c);
	return rc;
}
