/*
 * Bodies: several at once by multiget (RFC 4791 section 7.9, RFC 6352 section 8.7), one by one by
 * GET where that is better: what an answer did not bring, and what XML can't carry.
 */
#include "stores/dav/dav_private.h"

struct pf_blob *dav_get_crlf(struct pf_span text)
{
	struct pf_blob *b;
	size_t n = 0;

	for (size_t i = 0; i < text.n; i++) {
		n += text.p[i] == '\n' && (i == 0 || text.p[i - 1] != '\r');
	}
	b = pf_blob_new(text.n + n);
	if (!b) {
		return NULL;
	}
	n = 0;
	for (size_t i = 0; i < text.n; i++) {
		if (text.p[i] == '\n' && (i == 0 || text.p[i - 1] != '\r')) {
			b->bytes[n++] = '\r';
		}
		b->bytes[n++] = text.p[i];
	}
	return b;
}

/* ---- asking ---- */

static bool goes_together(const struct dstore *s, const struct dop *o)
{
	return dop_op(o)->kind == PF_OP_GET && o->h.state == PF_HS_WAITING && !o->alone &&
	       !s->no_multiget && dop_op(o)->item.n > dop_op(o)->folder.n &&
	       dop_op(o)->folder.n > 0 &&
	       memcmp(dop_op(o)->item.p, dop_op(o)->folder.p, dop_op(o)->folder.n) == 0;
}

static int start_one(struct dstore *s, struct dop *o, struct pf_err *err)
{
	return dcall_send(s, dcall_new(s, DCALL_GET, o), "GET", dop_op(o)->item, NULL, err);
}

int dav_get_start(struct dstore *s, struct dop *o, struct pf_err *err)
{
	struct pf_span href[DAV_BATCH];
	struct dcall *c;
	struct pf_buf text;

	if (o->linking) {
		return dav_attach_start(s, o, err);
	}
	if (!goes_together(s, o)) {
		return start_one(s, o, err);
	}
	if (s->batches >= DAV_BATCHES) {
		return PF_AGAIN;
	}
	c = dcall_new(s, DCALL_MULTIGET, NULL);
	for (struct dop *p = o; p && c->n < DAV_BATCH; p = dop_next(p)) {
		if (goes_together(s, p) && pf_span_eq(dop_op(p)->folder, dop_op(o)->folder) &&
			dop_may_start(&s->h, &p->h)) {
			href[c->n] = dop_op(p)->item;
			c->ops[c->n++] = p;
		}
	}
	if (c->n == 1) {
		return start_one(s, o, err);
	}
	pf_buf_init(&text, (size_t)DAV_BATCH * DAV_PATH_MAX);
	if (pf_dav_multiget(s->contacts, href, c->n, &text, err) != PF_OK) {
		pf_buf_deinit(&text);
		return PF_FAIL;
	}
	s->batches++;
	return dcall_send_xml(s, c, "REPORT", dop_op(o)->folder, &text, "0", err);
}

/* ---- answers ---- */

static struct dop *asked_for(struct dcall *c, struct pf_span id)
{
	for (size_t i = 0; i < c->n; i++) {
		if (!c->ops[i]->got && pf_span_eq(dop_op(c->ops[i])->item, id)) {
			return c->ops[i];
		}
	}
	return NULL;
}

static int take_body(struct dstore *s, struct dop *o, struct pf_span text, struct pf_err *err)
{
	o->body = dav_get_crlf(text);
	if (!o->body) {
		return pf_fail_memory(err, "an item");
	}
	o->got = true;
	dav_attach_next(s, o);
	return PF_OK;
}

static int read_multi(
	struct dstore *s, struct dcall *c, const struct pf_http_answer *a, struct pf_err *err)
{
	struct pf_dav_multi *m = NULL;
	struct pf_dav_response r;
	int rc = pf_dav_multi_new(a->body, &m, err);

	while (rc == PF_OK && (rc = pf_dav_multi_next(m, &r, err)) == PF_OK) {
		struct dop *o = NULL;

		if (r.data.n > 0 &&
			dstore_answered(s, r.href, pf_buf_span(&c->target), false, &s->id_out)) {
			o = asked_for(c, pf_buf_span(&s->id_out));
		}
		rc = o ? take_body(s, o, r.data, err) : PF_OK;
	}
	pf_dav_multi_free(&m);
	return rc == PF_END || err->scope <= PF_SCOPE_ITEM ? PF_OK : PF_FAIL;
}

static int answer_multi(struct dstore *s, struct dcall *c, const struct pf_http_answer *a,
	const struct pf_dav_said *said, struct pf_err *err)
{
	if (a->status == 207 && read_multi(s, c, a, err) != PF_OK) {
		return PF_FAIL;
	}
	if (said->answer == PF_DAV_UNKNOWN || said->answer == PF_DAV_REFUSED) {
		s->no_multiget = true;
		pf_hs_note(&s->h, PF_EV_FEATURE_OFF,
			"items are asked for one by one from now on: multiget: %s", said->text);
	}
	for (size_t i = 0; i < c->n; i++) {
		if (!c->ops[i]->got) { /* what was not in the answer is asked for by itself */
			c->ops[i]->alone = true;
			c->ops[i]->h.state = PF_HS_WAITING;
		}
	}
	return PF_OK;
}

int dav_get_answer(struct dstore *s, struct dcall *c, const struct pf_http_answer *a,
	const struct pf_dav_said *said, struct pf_err *err)
{
	struct dop *o = c->ops[0];

	if (c->kind == DCALL_MULTIGET) {
		return answer_multi(s, c, a, said, err);
	}
	if (a->status == 200) {
		o->body = pf_blob_new(a->body.n);
		if (!o->body) {
			return pf_fail_memory(err, "an item");
		}
		if (a->body.n > 0) {
			memcpy(o->body->bytes, a->body.p, a->body.n);
		}
		o->got = true;
		dav_attach_next(s, o);
		return PF_OK;
	}
	if (said->answer == PF_DAV_BROKEN && ++o->h.tries < DAV_TRIES) {
		o->h.state = PF_HS_WAITING;
		return PF_OK;
	}
	o->h.end.missing = said->answer == PF_DAV_GONE;
	dop_said(s, o, said, PF_SCOPE_ITEM, "GET");
	return PF_OK;
}

/* ---- giving ---- */

int dav_get_give(struct dstore *s, struct dop *o, struct pf_store_event *out, struct pf_err *err)
{
	int rc = o->h.end.failed ? PF_END : pf_op_give(dop_op(o), &o->body, &o->given, out);

	(void)s;
	(void)err;
	if (rc == PF_OK && out->kind == PF_STORE_BODY && o->left[0]) {
		out->left = o->left;
	}
	return rc;
}
