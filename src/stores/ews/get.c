/*
 * Bodies: several in one request, as long as they are small together.
 */
#include "stores/ews/ews_private.h"

#include "base/base64.h"

static bool goes_along(const struct eop *o)
{
	return eop_op(o)->kind == PF_OP_GET && o->h.state == PF_HS_WAITING && !o->alone;
}

int ews_get_start(struct estore *s, struct eop *o, struct pf_err *err)
{
	struct ecall *c;
	struct pf_span id[EWS_GETS];
	uint64_t bytes = eop_op(o)->get.size;
	struct pf_buf text;

	if (s->reads >= EWS_READS) {
		return PF_AGAIN;
	}
	c = ecall_new(s, ECALL_MIME, o);
	id[0] = eop_op(o)->item;
	for (struct eop *p = eop_next(o); p && c->n < EWS_GETS && !o->alone; p = eop_next(p)) {
		if (goes_along(p) && bytes + eop_op(p)->get.size <= EWS_BATCH_BYTES &&
			eop_may_start(&s->h, &p->h)) {
			bytes += eop_op(p)->get.size;
			id[c->n] = eop_op(p)->item;
			c->ops[c->n++] = p;
		}
	}
	pf_buf_init(&text, EWS_TEXT_MAX);
	if (pf_ews_get_items(&s->as, PF_EWS_WANT_MIME, id, c->n, &text, err) != PF_OK) {
		pf_buf_deinit(&text);
		return PF_FAIL;
	}
	return ecall_send(s, c, "GetItem", &text, err);
}

/* The header section and the empty line behind it. */
static size_t header_bytes(struct pf_span s)
{
	for (size_t i = 0; i + 1 < s.n; i++) {
		if (s.p[i] == '\n' && s.p[i + 1] == '\n') {
			return i + 2;
		}
		if (i + 3 < s.n && memcmp(s.p + i, "\r\n\r\n", 4) == 0) {
			return i + 4;
		}
	}
	return s.n;
}

static int take_body(struct estore *s, struct eop *o, struct pf_span mime, struct pf_err *err)
{
	struct pf_buf out;
	struct pf_err why;
	size_t n;

	pf_buf_init(&out, mime.n + 3);
	if (pf_base64_decode(mime, &out, &why) != PF_OK) {
		pf_buf_deinit(&out);
		if (why.scope > PF_SCOPE_ITEM) {
			*err = why;
			return PF_FAIL;
		}
		(void)pf_wrap(&why, "GetItem: MimeContent");
		eop_refused(s, o, &why);
		return PF_OK;
	}
	n = eop_op(o)->get.part == PF_PART_HEADER ? header_bytes(pf_buf_span(&out)) : out.n;
	o->body = pf_blob_new(n);
	if (!o->body) {
		pf_buf_deinit(&out);
		return pf_fail_memory(err, "an item");
	}
	if (n > 0) {
		memcpy(o->body->bytes, out.p, n);
	}
	pf_buf_deinit(&out);
	o->got = true;
	eop_give(s, o);
	return PF_OK;
}

int ews_get_answer(struct estore *s, struct eop *o, struct pf_ews_answer *a,
	const struct pf_ews_message *m, struct pf_err *err)
{
	const struct pf_ews_node *at = NULL;
	struct pf_ews_item i;
	struct pf_err why;

	if (!pf_ews_item_next(a, m, &at, &i) || i.mime.n == 0) {
		(void)pf_fail(&why, PF_SCOPE_ITEM, PF_RETRY_NO,
			"GetItem: the server says that it is done, and gives nothing");
		eop_refused(s, o, &why);
		return PF_OK;
	}
	return take_body(s, o, i.mime, err);
}

int ews_get_give(struct eop *o, struct pf_store_event *out)
{
	return o->h.end.failed ? PF_END : pf_op_give(eop_op(o), &o->body, &o->given, out);
}
