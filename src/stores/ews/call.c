/*
 * Requests in flight, and links that are lost.
 */
#include "stores/ews/ews_private.h"

#include <stdio.h>

/* ---- calls ---- */

bool ecall_room(const struct pf_hs *h)
{
	const struct estore *s = estore_const(h);

	if (pf_http_room(h->http) == 0) {
		return false;
	}
	for (size_t i = 0; i < EWS_CALLS; i++) {
		if (!s->call[i].busy) {
			return true;
		}
	}
	return false;
}

struct ecall *ecall_new(struct estore *s, enum ecall_kind kind, struct eop *o)
{
	struct ecall *c = s->call;

	while (c->busy) {
		c++;
		pf_assert(c < s->call + EWS_CALLS); /* ecall_room was asked */
	}
	*c = (struct ecall){.kind = kind};
	if (o) {
		c->ops[c->n++] = o;
	}
	return c;
}

static int submit(struct estore *s, struct ecall *c, const char *operation, struct pf_blob *body,
	struct pf_err *err)
{
	char action[160];
	const char *fields[4] = {"Content-Type: text/xml; charset=utf-8"};
	size_t n = 1;
	struct pf_http_req req = {
		.id = (uint64_t)(c - s->call) + 1,
		.method = "POST",
		.target = pf_span_str(s->target),
		.fields = fields,
		.body = body,
		.answer_max = EWS_ANSWER_MAX,
		.once = ecall_makes(c) || c->kind == ECALL_KEYED,
	};

	if (operation) {
		(void)snprintf(action, sizeof(action),
			"SOAPAction: "
			"\"http://schemas.microsoft.com/exchange/services/2006/messages/%s\"",
			operation);
		fields[n++] = action;
	}
	if (s->anchor[0]) {
		fields[n++] = s->anchor;
	}
	return pf_http_submit(s->h.http, &req, err);
}

bool ecall_is_read(const struct ecall *c)
{
	return c->kind == ECALL_MIME || c->kind == ECALL_WHOLE || c->kind == ECALL_OCCURRENCES ||
	       c->kind == ECALL_ATTACHMENTS || c->kind == ECALL_EXPORT;
}

int ecall_send(struct estore *s, struct ecall *c, const char *operation, struct pf_buf *text,
	struct pf_err *err)
{
	struct pf_blob *body = pf_blob_of(pf_buf_span(text));
	int rc;

	pf_buf_deinit(text);
	if (!body) {
		return pf_fail_memory(err, "a request");
	}
	rc = submit(s, c, operation, body, err);
	pf_blob_unref(&body);
	if (rc != PF_OK) {
		pf_assert(rc == PF_FAIL); /* there was room */
		return PF_FAIL;
	}
	c->busy = true;
	s->reads += ecall_is_read(c);
	for (size_t i = 0; i < c->n; i++) {
		pf_hs_op_runs(&c->ops[i]->h);
	}
	return PF_OK;
}

void ecall_put_back(struct estore *s, struct ecall *c)
{
	for (size_t i = 0; i < c->n; i++) {
		c->ops[i]->h.state =
			c->ops[i]->h.state == PF_HS_RUNNING ? PF_HS_WAITING : c->ops[i]->h.state;
	}
	s->asking = s->asking && c->n > 0;
}

/* ---- answers ---- */

/* For good. */
static void not_there(struct estore *s, const struct ecall *c, const struct pf_http_answer *a)
{
	if (a->not_tls && ews_unprotected(s)) {
		return;
	}
	if (c->n > 0 || a->why.scope > PF_SCOPE_STORE || !ews_locate(s, &a->why, false)) {
		pf_hs_lost(&s->h, &a->why);
	}
}

/* New items may have been stored: whether they were is for the engine to find out. All else is
 * asked again, as doing it twice is doing it once. */
static void lost_link(struct estore *s, struct ecall *c, const struct pf_http_answer *a)
{
	if (!pf_hs_link_lost(&s->h, &a->why)) {
		not_there(s, c, a);
		return;
	}
	for (size_t i = 0; i < c->n; i++) {
		bool writes = ecall_makes(c) || c->kind == ECALL_KEYED;

		if (writes && a->in_doubt) {
			ews_keys_doubt(s, pf_buf_span(&c->ops[i]->place));
		}
		pf_hs_op_lost(&s->h, &c->ops[i]->h, writes, EWS_TRIES, a);
	}
	ecall_put_back(s, c);
}

static void not_had(struct estore *s, struct ecall *c, const struct pf_http_answer *a)
{
	if (a->why.scope >= PF_SCOPE_STORE || (a->why.scope == PF_SCOPE_ITEM && c->n == 0)) {
		not_there(s, c, a);
	} else if (a->why.scope == PF_SCOPE_SESSION) {
		lost_link(s, c, a);
	} else if (c->n > 1) { /* all together are too large */
		for (size_t i = 0; i < c->n; i++) {
			c->ops[i]->alone = true;
		}
		ecall_put_back(s, c);
	} else if (c->kind == ECALL_EXPORT) {
		ews_stream_give_up(c->ops[0], a->why.text);
	} else {
		eop_refused(s, c->ops[0], &a->why);
	}
}

int ecall_take(struct pf_hs *h, int64_t *wake_ms, struct pf_err *err)
{
	struct estore *s = estore_of(h);
	struct pf_http_answer a;
	struct ecall *c;
	int rc = pf_http_next(s->h.http, &a, wake_ms, err);

	if (rc != PF_OK) {
		return rc;
	}
	c = &s->call[a.id - 1];
	s->reads -= ecall_is_read(c);
	if (a.failed) {
		not_had(s, c, &a);
	} else {
		s->h.losses = 0;
		rc = ews_answer(s, c, &a, err);
	}
	c->busy = false;
	return rc;
}
