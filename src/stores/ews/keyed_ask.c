/*
 * The requests that put an item other than mail, one for each step.
 */
#include "stores/ews/keyed_private.h"

#include "proto/ews/item.h"

enum { CHANGES = 20, TAKEN_OUT = 100 };

uint32_t ews_keyed_form(enum pf_kind kind)
{
	return kind == PF_KIND_CALENDAR   ? PF_EWS_FORM_EVENT
	       : kind == PF_KIND_CONTACTS ? PF_EWS_FORM_CONTACT
	       : kind == PF_KIND_TASKS    ? PF_EWS_FORM_TASK
					  : PF_EWS_FORM_NOTE;
}

static int send_one(struct estore *s, struct eop *o, const char *operation, struct pf_buf *text,
	int rc, struct pf_err *err)
{
	if (rc != PF_OK) {
		pf_buf_deinit(text);
		return PF_FAIL;
	}
	return ecall_send(s, ecall_new(s, ECALL_KEYED, o), operation, text, err);
}

static void init_text(struct pf_buf *text)
{
	pf_buf_init(text, (size_t)EWS_ITEM_MAX / 3 * 4 + EWS_BATCH_BYTES + EWS_TEXT_MAX);
}

bool eput_needs_zone(const struct estore *s, const struct eop *o)
{
	return !s->zone_asked && eput_op_of(o)->put.kind == PF_KIND_CALENDAR &&
	       s->as.version >= PF_EWS_2010;
}

int eput_ask_zone(struct estore *s, struct eop *o, struct pf_err *err)
{
	struct pf_buf text;
	int rc;

	init_text(&text);
	rc = pf_ews_get_options(&s->as, &text, err);
	o->asked = 1;
	s->zone_asked = true;
	return send_one(s, o, "GetUserConfiguration", &text, rc, err);
}

/* The folder beside the one that it was to go to. */
int eput_make_place(struct estore *s, struct eop *o, struct pf_err *err)
{
	struct pf_buf text;
	int rc = ews_beside_name(s, eput_op_of(o)->folder, eput_op_of(o)->put.kind, &o->key, err);

	init_text(&text);
	rc = rc == PF_OK ? pf_ews_create_folder(&s->as, ews_beside_parent(s, eput_op_of(o)->folder),
				   ews_class_of(eput_op_of(o)->put.kind), pf_buf_span(&o->key),
				   &text, err)
			 : rc;
	o->asked = 1;
	return send_one(s, o, "CreateFolder", &text, rc, err);
}

int eput_take_place(struct estore *s, struct eop *o, struct pf_ews_answer *a,
	const struct pf_ews_message *m, struct pf_err *err)
{
	const struct pf_ews_node *at = NULL;
	struct pf_ews_folder made;

	if (!pf_ews_folder_next(a, m, &at, &made) || made.id.n == 0) {
		return PF_OK;
	}
	made.parent = ews_beside_parent(s, eput_op_of(o)->folder);
	made.name = pf_buf_span(&o->key);
	made.folder_class = pf_span_str(ews_class_of(eput_op_of(o)->put.kind));
	return ews_folder_add(s, &made, err);
}

/* It is to be made with the others that wait for the same. PF_END: it is not, or not now. */
static int goes_along(struct estore *s, const struct eop *o, struct eop *p, struct pf_err *err)
{
	if (eput_op_of(p)->kind != PF_OP_PUT || p->h.state != PF_HS_WAITING || p->alone ||
		!eput_op_of(p)->put.kind || eput_op_of(p)->put.kind == PF_KIND_MAIL ||
		!eput_op_of(p)->put.body ||
		!pf_span_eq(eput_op_of(p)->folder, eput_op_of(o)->folder) ||
		!eop_may_start(&s->h, &p->h)) {
		return PF_END;
	}
	if (p->step <= EPUT_NAMES) {
		int rc = eput_find_place(s, p, err);

		if (rc != PF_OK || p->h.state == PF_HS_GIVING) {
			return rc == PF_FAIL ? PF_FAIL : PF_END;
		}
		if (!pf_span_eq(eput_place_of(p), eput_place_of(o))) {
			return PF_END;
		}
		if (eput_prepare(s, p, err) != PF_OK) {
			return PF_FAIL;
		}
	}
	return p->h.state == PF_HS_WAITING && p->step == o->step ? PF_OK : PF_END;
}

static int add_item(struct estore *s, struct eop *o, struct pf_buf *text, struct pf_err *err)
{
	int rc = eput_add_key(o, &o->key, eput_has_more(o) ? "u:" : "n:", err);

	o->made->make.key = pf_buf_span(&o->key);
	return rc == PF_OK ? pf_ews_create_item(&s->as, &o->made->make, text, err) : rc;
}

static uint64_t bytes_of(const struct eop *o, bool upload)
{
	return upload ? eput_op_of(o)->put.native->n : eput_op_of(o)->put.size;
}

int eput_create(struct estore *s, struct eop *o, struct pf_err *err)
{
	bool upload = o->step == EPUT_UPLOAD;
	struct ecall *c = ecall_new(s, upload ? ECALL_UPLOAD : ECALL_CREATE, o);
	uint64_t bytes = bytes_of(o, upload), most = upload ? EWS_STREAM_BYTES : EWS_BATCH_BYTES;
	struct pf_buf text;
	int rc = PF_OK;

	for (struct eop *p = eop_next(o); p && c->n < EWS_KEYED && !o->alone && rc != PF_FAIL;
		p = eop_next(p)) {
		if (ews_upload_wanted(s, p) == upload && bytes + bytes_of(p, upload) <= most &&
			(rc = goes_along(s, o, p, err)) == PF_OK) {
			bytes += bytes_of(p, upload);
			c->ops[c->n++] = p;
		}
	}
	if (rc == PF_FAIL || upload) {
		return rc == PF_FAIL ? PF_FAIL : ews_upload_send(s, c, err);
	}
	init_text(&text);
	rc = pf_ews_create_begin(&s->as, eput_place_of(o), &text, err);
	for (size_t i = 0; i < c->n && rc == PF_OK; i++) {
		rc = add_item(s, c->ops[i], &text, err);
	}
	rc = rc == PF_OK ? pf_ews_create_end(&text, err) : rc;
	if (rc != PF_OK) {
		pf_buf_deinit(&text);
		return PF_FAIL;
	}
	return ecall_send(s, c, "CreateItem", &text, err);
}

int eput_attach(struct estore *s, struct eop *o, struct pf_span id, const struct pf_mapi_item *item,
	struct pf_err *err)
{
	struct pf_buf text;
	uint64_t bytes = 0;
	int rc;

	o->asked = 0;
	init_text(&text);
	rc = pf_ews_attach_begin(&s->as, id, &text, err);
	for (size_t i = o->put_file; i < item->attachments_n && rc == PF_OK; i++) {
		const struct pf_mapi_attachment *a = &item->attachments[i];

		if (a->kind == PF_MAPI_ATTACH_DATA) {
			if (o->asked > 0 && bytes + a->data.n > EWS_BATCH_BYTES) {
				break;
			}
			bytes += a->data.n;
			o->asked++;
			rc = pf_ews_attach_file(&s->as, a, &text, err);
		}
		o->put_file = i + 1;
	}
	rc = rc == PF_OK ? pf_ews_attach_end(&text, err) : rc;
	return send_one(s, o, "CreateAttachment", &text, rc, err);
}

int eput_change(struct estore *s, struct eop *o, struct pf_err *err)
{
	const struct emade *m = o->made;
	struct pf_buf text;
	int rc;

	init_text(&text);
	rc = pf_ews_change_begin(&s->as, &text, err);
	for (o->asked = 0; o->put_at + o->asked < m->change_n && o->asked < CHANGES && rc == PF_OK;
		o->asked++) {
		const struct emoved *x = &m->change[o->put_at + o->asked];

		rc = pf_ews_change_occurrence(
			&s->as, pf_buf_span(&o->new_id), x->number, x->item, &text, err);
	}
	rc = rc == PF_OK ? pf_ews_change_end(&text, err) : rc;
	return send_one(s, o, "UpdateItem", &text, rc, err);
}

int eput_take_out(struct estore *s, struct eop *o, struct pf_err *err)
{
	const struct emade *m = o->made;
	size_t n = m->gone_n - o->put_at;
	struct pf_buf text;
	int rc;

	o->asked = n > TAKEN_OUT ? TAKEN_OUT : n;
	init_text(&text);
	rc = pf_ews_delete_occurrences(
		&s->as, pf_buf_span(&o->new_id), m->gone + o->put_at, o->asked, &text, err);
	return send_one(s, o, "DeleteItem", &text, rc, err);
}

int eput_set_key(struct estore *s, struct eop *o, bool lock, struct pf_err *err)
{
	struct pf_span version = eput_op_of(o)->version;
	struct pf_ews_named named = {
		.id = lock ? eput_old_of(o) : pf_buf_span(&o->new_id),
		.version = lock ? version : pf_span(NULL, 0),
		.form = ews_keyed_form(eput_kind_of(s, o)),
	};
	struct pf_buf text;
	int rc = eput_add_key(o, &o->key, lock ? "r:" : "n:", err);

	if (rc == PF_OK && lock) {
		rc = pf_buf_addf(&o->key, err, " %.*s", (int)version.n, (const char *)version.p);
	}
	named.key = pf_buf_span(&o->key);
	init_text(&text);
	rc = rc == PF_OK ? pf_ews_set_key(&s->as, &named, &text, err) : rc;
	o->asked = 1;
	return send_one(s, o, "UpdateItem", &text, rc, err);
}

int eput_read_old(struct estore *s, struct eop *o, struct pf_err *err)
{
	const struct pf_ews_ask ask = {.forms = ews_keyed_form(eput_kind_of(s, o))};
	struct pf_span id = eput_old_of(o);
	struct pf_buf text;
	int rc;

	init_text(&text);
	rc = pf_ews_get_whole(&s->as, &ask, &id, 1, &text, err);
	o->asked = 1;
	return send_one(s, o, "GetItem", &text, rc, err);
}

int eput_take_old(
	struct estore *s, struct eop *o, const struct pf_ews_message *m, struct pf_err *err)
{
	struct pf_ews_whole old = {.arena = &o->made->arena};
	struct pf_err why;

	if (pf_ews_read_whole(m, &old, &why) != PF_OK) {
		if (why.scope > PF_SCOPE_ITEM) {
			*err = why;
			return PF_FAIL;
		}
		o->anew = true;
		return PF_OK;
	}
	o->made->old = old.item;
	o->anew = !pf_ews_can_update(&s->as, &old, &o->made->make);
	return PF_OK;
}

int eput_renew(struct estore *s, struct eop *o, struct pf_err *err)
{
	const struct pf_ews_renewed renewed = {
		.id = eput_old_of(o), .version = eput_op_of(o)->version, .old = o->made->old};
	struct pf_buf text;
	int rc = eput_add_key(o, &o->key, "n:", err);

	o->made->make.key = pf_buf_span(&o->key);
	init_text(&text);
	rc = rc == PF_OK ? pf_ews_update_item(&s->as, &renewed, &o->made->make, &text, err) : rc;
	o->asked = 1;
	return send_one(s, o, "UpdateItem", &text, rc, err);
}

int eput_remove_one(struct estore *s, struct eop *o, struct pf_span id, struct pf_err *err)
{
	struct pf_buf text;
	int rc;

	init_text(&text);
	rc = pf_ews_delete(&s->as, id, &text, err);
	o->asked = 1;
	return send_one(s, o, "DeleteItem", &text, rc, err);
}
