/*
 * Bodies: several in one request, as long as they are small together. Mail comes as it was sent;
 * where the server can't give it so, and for all other kinds, by its properties (whole.c).
 */
#include "stores/ews/ews_private.h"

#include "base/base64.h"
#include "convert/mapi_open.h"
#include "proto/ews/item.h"

#include <stdio.h>

static void find_road(const struct estore *s, struct eop *o)
{
	if (o->road == EROAD_UNKNOWN) {
		(void)ews_folder_meant(s, eop_op(o)->folder, &o->kind);
		(void)ews_item_meant(eop_op(o)->item, &o->kind);
		o->road = o->kind == PF_KIND_MAIL ? EROAD_MIME : EROAD_WHOLE;
	}
}

static bool goes_along(const struct estore *s, const struct eop *o, struct eop *p)
{
	if (eop_op(p)->kind != PF_OP_GET || p->h.state != PF_HS_WAITING || p->alone || p->whole) {
		return false;
	}
	find_road(s, p);
	return p->road == o->road && p->kind == o->kind &&
	       ews_stream_wanted(s, p) == ews_stream_wanted(s, o);
}

static int ask(struct estore *s, struct ecall *c, const struct pf_span *id, struct pf_buf *text,
	struct pf_err *err)
{
	const struct eop *o = c->ops[0];
	const struct pf_ews_ask ask = {
		.forms = ews_whole_forms(o->kind), .stored = o->road == EROAD_STORED};

	return o->road == EROAD_MIME
		       ? pf_ews_get_items(&s->as, PF_EWS_WANT_MIME, id, c->n, text, err)
		       : pf_ews_get_whole(&s->as, &ask, id, c->n, text, err);
}

int ews_get_start(struct estore *s, struct eop *o, struct pf_err *err)
{
	struct ecall *c;
	struct pf_span id[EWS_GETS];
	uint64_t bytes = eop_op(o)->get.size, most;
	struct pf_buf text;
	bool stream;

	if (s->reads >= EWS_READS) {
		return PF_AGAIN;
	}
	if (o->whole) {
		return ews_whole_start(s, o, err);
	}
	find_road(s, o);
	stream = ews_stream_wanted(s, o);
	most = stream ? EWS_STREAM_BYTES : EWS_BATCH_BYTES;
	c = ecall_new(s,
		stream                  ? ECALL_EXPORT
		: o->road == EROAD_MIME ? ECALL_MIME
					: ECALL_WHOLE,
		o);
	id[0] = ews_item_meant(eop_op(o)->item, &o->kind);
	for (struct eop *p = eop_next(o); p && c->n < EWS_GETS && !o->alone; p = eop_next(p)) {
		if (goes_along(s, o, p) && bytes + eop_op(p)->get.size <= most &&
			eop_may_start(&s->h, &p->h)) {
			bytes += eop_op(p)->get.size;
			id[c->n] = ews_item_meant(eop_op(p)->item, &p->kind);
			c->ops[c->n++] = p;
		}
	}
	if (stream) {
		return ews_stream_ask(s, c, id, err);
	}
	pf_buf_init(&text, EWS_TEXT_MAX);
	if (ask(s, c, id, &text, err) != PF_OK) {
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

int ews_get_give_bytes(struct estore *s, struct eop *o, struct pf_span bytes, struct pf_err *err)
{
	size_t n = eop_op(o)->get.part == PF_PART_HEADER && o->kind == PF_KIND_MAIL
			   ? header_bytes(bytes)
			   : bytes.n;

	o->body = pf_blob_of(pf_span(bytes.p, n));
	if (!o->body) {
		return pf_fail_memory(err, "an item");
	}
	eop_give(s, o);
	return PF_OK;
}

bool ews_get_otherwise(const struct ecall *c, struct eop *o, const struct pf_ews_said *said)
{
	if (!ecall_is_read(c) || c->kind == ECALL_EXPORT || o->road == EROAD_STORED ||
		(said->does != PF_EWS_CONTENT && said->does != PF_EWS_DAMAGED)) {
		return false;
	}
	o->road = o->road == EROAD_MIME ? EROAD_WHOLE : EROAD_STORED;
	o->alone = true;
	o->h.tries = 0;
	(void)snprintf(o->said, sizeof(o->said), "%.199s", said->text);
	ews_whole_free(&o->whole);
	o->h.state = PF_HS_WAITING;
	return true;
}

/* A message is there without all that only its stream has. */
static int tell_no_stream(struct eop *o, struct pf_err *err)
{
	struct pf_mapi_losses losses;

	pf_mapi_losses_init(&losses, &o->arena);
	pf_mapi_odd(&losses, "it comes without its stream, as %s", o->no_stream);
	return pf_mapi_fates(&losses, &o->arena, &o->fates, err);
}

static int take_body(struct estore *s, struct eop *o, struct pf_span mime, struct pf_err *err)
{
	struct pf_buf out;
	struct pf_err why;
	int rc;

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
	rc = ews_get_give_bytes(s, o, pf_buf_span(&out), err);
	pf_buf_deinit(&out);
	return rc == PF_OK && o->no_stream[0] ? tell_no_stream(o, err) : rc;
}

int ews_get_answer(struct estore *s, struct eop *o, struct pf_ews_answer *a,
	const struct pf_ews_message *m, struct pf_err *err)
{
	const struct pf_ews_node *at = NULL;
	struct pf_ews_item i;
	struct pf_err why;

	if (pf_ews_item_next(a, m, &at, &i) && pf_mapi_kind(i.item_class) != PF_KIND_MAIL) {
		(void)pf_fail(&why, PF_SCOPE_ITEM, PF_RETRY_NO,
			"it is no mail (%.100s), and was not there yet when its folder was asked "
			"for what else it holds",
			(const char *)i.item_class.p);
		eop_refused(s, o, &why);
		return PF_OK;
	}
	if (!at || i.mime.n == 0) {
		(void)pf_fail(&why, PF_SCOPE_ITEM, PF_RETRY_NO,
			"GetItem: the server says that it is done, and gives nothing");
		eop_refused(s, o, &why);
		return PF_OK;
	}
	return take_body(s, o, i.mime, err);
}

int ews_get_give(const struct estore *s, struct eop *o, struct pf_store_event *out)
{
	bool begin = o->given == 0;
	int rc = o->h.end.failed ? PF_END : pf_op_give(eop_op(o), &o->body, &o->given, out);

	if (rc != PF_OK || !begin || eop_op(o)->get.part != PF_PART_WHOLE) {
		return rc;
	}
	if (o->road != EROAD_MIME || o->fates.odd.p) {
		out->fates = &o->fates;
	}
	if (s->h.cfg->keep_raw) {
		out->raw = pf_blob_span(o->stream);
		out->raw_ending = o->stream_ending;
	}
	if (eop_op(o)->get.native && o->stream && !o->half &&
		strcmp(o->stream_ending, ".fts") == 0) {
		out->native = o->stream;
	}
	out->uid_made = o->uid_made;
	return rc;
}
