/*
 * UploadItems: items in the form in which another Exchange gave them (stream.c), several in one
 * request, as long as they are small together. They have all that they had there, their dates and
 * marks with it, and a name of ours only where they had one: nothing is added, as that would change
 * them. So one that is in doubt is found by what it means and not by its name (keys.c); the engine
 * sees to that. In another one's place (keyed.c) the stream is put into that item, which stays what
 * it is: it is marked before, and twice is as good as once.
 *
 * What is refused goes the ordinary road.
 */
#include "stores/ews/keyed_private.h"

#include <stdio.h>

bool ews_upload_wanted(const struct estore *s, const struct eop *o)
{
	const struct pf_op *op = eop_op(o);

	return op->kind == PF_OP_PUT && op->put.native && !o->stream_over &&
	       s->as.version >= PF_EWS_2010_SP1;
}

static bool is_mail(const struct eop *o)
{
	enum pf_kind kind = eop_op(o)->put.kind;

	return kind == 0 || kind == PF_KIND_MAIL;
}

static int add_one(const struct eop *o, struct pf_buf *text, struct pf_err *err)
{
	struct pf_ews_upload upload = {
		.folder = is_mail(o) ? eop_op(o)->folder : eput_place_of(o),
		.stream = pf_blob_span(eop_op(o)->put.native),
	};

	if (!is_mail(o) && eput_in_place(o)) {
		upload.item = eput_old_of(o);
		upload.version = pf_buf_span(&o->marked);
	}
	return pf_ews_upload_item(&upload, text, err);
}

int ews_upload_send(struct estore *s, struct ecall *c, struct pf_err *err)
{
	struct pf_buf text;
	int rc;

	pf_buf_init(
		&text, (size_t)EWS_ITEM_MAX / 3 * 4 + (size_t)EWS_STREAM_BYTES * 2 + EWS_TEXT_MAX);
	rc = pf_ews_upload_begin(&s->as, &text, err);
	for (size_t i = 0; i < c->n && rc == PF_OK; i++) {
		rc = add_one(c->ops[i], &text, err);
	}
	rc = rc == PF_OK ? pf_ews_upload_end(&text, err) : rc;
	if (rc != PF_OK) {
		pf_buf_deinit(&text);
		return PF_FAIL;
	}
	return ecall_send(s, c, "UploadItems", &text, err);
}

int ews_upload_answer(struct estore *s, struct eop *o, struct pf_ews_answer *a,
	const struct pf_ews_message *m, struct pf_err *err)
{
	struct pf_ews_moved moved;

	pf_ews_moved(a, m, &moved);
	if (!is_mail(o)) {
		return ews_keyed_uploaded(s, o, moved.id, err);
	}
	if (pf_buf_add(&o->h.end.id, moved.id, err) != PF_OK) {
		return PF_FAIL;
	}
	eop_give(s, o);
	return PF_OK;
}

/* By its text, from the beginning. */
static void go_by_text(struct estore *s, struct eop *o, const char *text)
{
	o->stream_over = true;
	o->h.tries = 0;
	o->h.state = PF_HS_WAITING;
	(void)snprintf(o->h.end.native_refused, sizeof(o->h.end.native_refused),
		"UploadItems: %.180s", text);
	if (!is_mail(o)) {
		ews_keys_doubt(s, eput_place_of(o)); /* it may have marked another one */
		o->step = EPUT_BEGIN;
	}
}

bool ews_upload_said(
	struct estore *s, const struct ecall *c, struct eop *o, const struct pf_ews_said *said)
{
	bool over = !is_mail(o) && eput_in_place(o);
	struct pf_err why;

	if (c->kind != ECALL_UPLOAD) {
		return false;
	}
	if (said->does == PF_EWS_GONE || said->does == PF_EWS_RACE) {
		if (over) {
			(void)pf_fail(
				&why, PF_SCOPE_ITEM, PF_RETRY_NO, "UploadItems: %s", said->text);
			o->h.end.conflict = PF_CONFLICT_CHANGED;
			eop_refused(s, o, &why);
		}
		return over;
	}
	if (!ews_stream_is_refused(c, said)) {
		return false;
	}
	go_by_text(s, o, said->text);
	return true;
}
