/*
 * New messages: several in one request, as long as they are small together. Never as drafts, unless
 * they are; never sent.
 */
#include "stores/ews/ews_private.h"

#include "base/date_text.h"
#include "model/mime.h"

#include <stdio.h>

enum { DATE_BYTES = 32 };

/* 1601-01-01: Exchange counts from there. */
static const int64_t OLDEST_S = -11644473600;
/* As XML has years of four digits. */
static const int64_t NEWEST_S = 253402300799;

/* ---- asking ---- */

/* false: there is none that Exchange could keep. */
static bool to_text(int64_t date_utc_s, char out[DATE_BYTES])
{
	if (date_utc_s == PF_DATE_NONE || date_utc_s < OLDEST_S || date_utc_s > NEWEST_S) {
		return false;
	}
	pf_date_iso(date_utc_s, out);
	return true;
}

static int add_one(const struct pf_op *op, struct pf_buf *text, struct pf_err *err)
{
	struct pf_span mime = pf_blob_span(op->put.body);
	struct pf_ews_mail mail = {.mime = mime};
	char sent[DATE_BYTES], received[DATE_BYTES], field[200];
	struct pf_mime_part first;
	struct pf_mime walk;
	struct pf_buf words;
	int64_t date = PF_DATE_NONE;
	int zone, rc;

	pf_mime_begin(&walk, mime);
	if (pf_mime_next(&walk, &first) && first.top &&
		pf_mime_field(first.header, "Date", field, sizeof(field))) {
		(void)pf_date_parse(pf_span_str(field), &date, &zone);
	}
	pf_buf_init(&words, EWS_TEXT_MAX);
	mail.sent = to_text(date, sent) ? sent : NULL;
	mail.received = to_text(op->put.date_utc_s, received) ? received : NULL;
	rc = ews_marks_of(&op->put.flags, &words, &mail.marks, err);
	rc = rc == PF_OK ? pf_ews_create_mail(&mail, text, err) : rc;
	pf_buf_deinit(&words);
	return rc;
}

static uint64_t bytes_of(const struct pf_op *op, bool upload)
{
	return upload ? op->put.native->n : op->put.size;
}

/* Those of the same folder that wait behind it. */
static void gather(const struct estore *s, struct ecall *c)
{
	const struct eop *o = c->ops[0];
	bool upload = ews_upload_wanted(s, o);
	uint64_t bytes = bytes_of(eop_op(o), upload);
	uint64_t most = upload ? EWS_STREAM_BYTES : EWS_BATCH_BYTES;

	for (struct eop *p = eop_next(o); p && c->n < EWS_PUTS && !o->alone; p = eop_next(p)) {
		const struct pf_op *op = eop_op(p);

		if (op->kind == PF_OP_LIST && pf_span_eq(op->folder, eop_op(o)->folder)) {
			return; /* it is to show what came before it, and nothing else */
		}
		if (op->kind != PF_OP_PUT || (op->put.kind && op->put.kind != PF_KIND_MAIL) ||
			p->h.state != PF_HS_WAITING || p->alone ||
			!pf_span_eq(op->folder, eop_op(o)->folder)) {
			continue;
		}
		if (!op->put.body || ews_upload_wanted(s, p) != upload ||
			bytes + bytes_of(op, upload) > most || !eop_may_start(&s->h, &p->h)) {
			return; /* none overtakes another */
		}
		bytes += bytes_of(op, upload);
		c->ops[c->n++] = p;
	}
}

int ews_put_start(struct estore *s, struct eop *o, struct pf_err *err)
{
	struct ecall *c;
	struct pf_buf text;
	int rc;

	if (eop_op(o)->put.size > EWS_ITEM_MAX) {
		return pf_fail(err, PF_SCOPE_ITEM, PF_RETRY_NO,
			"it is larger than any Exchange takes (%d MiB)", EWS_ITEM_MAX >> 20);
	}
	rc = pf_hs_whole(&s->h, &o->h, err);
	if (rc != PF_OK) {
		return rc;
	}
	if (eop_op(o)->put.kind && eop_op(o)->put.kind != PF_KIND_MAIL) {
		return ews_keyed_start(s, o, err);
	}
	c = ecall_new(s, ews_upload_wanted(s, o) ? ECALL_UPLOAD : ECALL_CREATE, o);
	gather(s, c);
	if (c->kind == ECALL_UPLOAD) {
		return ews_upload_send(s, c, err);
	}
	pf_buf_init(&text, (size_t)EWS_ITEM_MAX / 3 * 4 + EWS_BATCH_BYTES + EWS_TEXT_MAX);
	rc = pf_ews_create_begin(&s->as, eop_op(o)->folder, &text, err);
	for (size_t i = 0; i < c->n && rc == PF_OK; i++) {
		rc = add_one(eop_op(c->ops[i]), &text, err);
	}
	rc = rc == PF_OK ? pf_ews_create_end(&text, err) : rc;
	if (rc != PF_OK) {
		pf_buf_deinit(&text);
		return PF_FAIL;
	}
	return ecall_send(s, c, "CreateItem", &text, err);
}

/* ---- answers ---- */

int ews_put_answer(struct estore *s, struct eop *o, struct pf_ews_answer *a,
	const struct pf_ews_message *m, struct pf_err *err)
{
	const struct pf_ews_node *at = NULL;
	struct pf_ews_item i;

	if (pf_ews_item_next(a, m, &at, &i) && pf_buf_add(&o->h.end.id, i.id, err) != PF_OK) {
		return PF_FAIL;
	}
	eop_give(s, o);
	return PF_OK;
}
