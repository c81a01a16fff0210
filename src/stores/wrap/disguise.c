#include "stores/wrap/disguise_private.h"

#include <stdio.h>
#include <stdlib.h>

static const enum pf_kind KINDS[] = {
	PF_KIND_CALENDAR, PF_KIND_CONTACTS, PF_KIND_TASKS, PF_KIND_NOTES};
/* Of a message that may have to be taken apart. */
enum { UNWRAP_MAX = 64 << 20 };

static const struct pf_store_ops OPS;

static struct dg_store *store_of(struct pf_store *base)
{
	return pf_container_of(base, struct dg_store, base);
}

/* Whether it is for another kind than mail. */
static bool is_apart(const struct dg_store *s)
{
	return s->cfg->disguised.here != 0;
}

/* ---- requests of another kind than mail ---- */

static int add_request(struct dg_store *s, const struct dg_request *new, struct pf_err *err)
{
	if (s->request_n == s->request_cap) {
		size_t cap = s->request_cap ? 2 * s->request_cap : 64;
		struct dg_request *grown = realloc(s->requests, cap * sizeof(*grown));

		if (!grown) {
			return pf_fail_memory(err, "a request");
		}
		s->requests = grown;
		s->request_cap = cap;
	}
	s->requests[s->request_n++] = *new;
	return PF_OK;
}

static size_t find_request(const struct dg_store *s, uint64_t op)
{
	size_t i = 0;

	while (i < s->request_n && s->requests[i].op != op) {
		i++;
	}
	return i;
}

static void drop_request(struct dg_store *s, size_t i)
{
	pf_blob_unref(&s->requests[i].form);
	s->request_n--;
	memmove(&s->requests[i], &s->requests[i + 1], (s->request_n - i) * sizeof(*s->requests));
}

/* "calendar/" and the inner store's id. */
static bool folder_of(
	const struct dg_store *s, struct pf_span id, size_t *folder, enum pf_kind *kind)
{
	const uint8_t *slash = id.n > 0 ? memchr(id.p, '/', id.n) : NULL;
	size_t n = slash ? (size_t)(slash - id.p) : id.n;

	*kind = pf_kind_by_name(pf_span(id.p, n));
	*folder = slash ? dg_find_folder(s, pf_span_from(id, n + 1)) : SIZE_MAX;
	return *kind != 0 && *folder != SIZE_MAX;
}

/* What an item's id is in the inner store: behind the validity of its folder. */
static struct pf_span inner_id(struct pf_span id)
{
	const uint8_t *dot = id.n > 0 ? memchr(id.p, '.', id.n) : NULL;

	return dot ? pf_span_from(id, (size_t)(dot - id.p) + 1) : id;
}

static int submit_apart(struct dg_store *s, const struct pf_op *op, struct pf_err *err)
{
	struct dg_request r = {.op = op->id, .get = op->kind == PF_OP_GET};
	struct pf_op inner = *op;
	int rc;

	if (op->kind == PF_OP_FOLDERS) {
		rc = pf_store_submit(s->inner, op, err);
		s->folders_op = rc == PF_OK ? op->id : 0;
		s->folders_listed = false;
		for (size_t i = 0; i < s->folder_n; i++) {
			dg_look_again(s, &s->folders[i]);
		}
		return rc;
	}
	if (op->kind != PF_OP_LIST && op->kind != PF_OP_GET) {
		return pf_store_submit(s->inner, op, err);
	}
	if (!folder_of(s, op->folder, &r.folder, &r.kind)) {
		return pf_fail(err, PF_SCOPE_RUN, PF_RETRY_NO, "there is no such folder");
	}
	if (!r.get && s->folders[r.folder].look == DG_UNKNOWN) {
		dg_look_again(s, &s->folders[r.folder]);
		s->folders[r.folder].wanted = true;
	}
	if (r.get) {
		const struct dg_folder *f = &s->folders[r.folder];
		const struct dg_item *item =
			f->look == DG_LOOKED ? dg_find_item(f, inner_id(op->item)) : NULL;

		r.at = item ? (size_t)(item - f->v) + 1 : 0;
		r.form = item && item->form ? pf_blob_ref(item->form) : NULL;
	}
	if (r.get && !r.form) {
		inner.folder = pf_buf_span(&s->folders[r.folder].id);
		inner.item = inner_id(op->item);
		inner.get.part = PF_PART_WHOLE; /* its header is no item's */
		rc = pf_store_submit(s->inner, &inner, err);
		if (rc != PF_OK) {
			return rc;
		}
	}
	if (add_request(s, &r, err) != PF_OK) {
		pf_blob_unref(&r.form);
		return PF_FAIL;
	}
	return PF_OK;
}

/* ---- mail ---- */

/* A LIST waits until it is known which of the folder's messages go another way. */
static int submit_list(struct dg_store *s, const struct pf_op *op, struct pf_err *err)
{
	size_t i = dg_find_folder(s, op->folder);
	struct dg_folder *f;

	if (i == SIZE_MAX && dg_add_folder(s, op->folder, &i, err) != PF_OK) {
		return PF_FAIL;
	}
	f = &s->folders[i];
	if (f->has_list) {
		return PF_AGAIN;
	}
	if (pf_op_keep(&f->list, op, err) != PF_OK) {
		return PF_FAIL;
	}
	f->has_list = true;
	f->list_op = op->id;
	f->selectable = true;
	dg_look_again(s, f);
	return PF_OK;
}

static int submit(struct pf_store *base, const struct pf_op *op, struct pf_err *err)
{
	struct dg_store *s = store_of(base);
	struct pf_op whole = *op;

	if (is_apart(s)) {
		return submit_apart(s, op, err);
	}
	if (op->kind == PF_OP_LIST && s->cfg->disguised.elsewhere != 0) {
		return submit_list(s, op, err);
	}
	if (op->kind == PF_OP_GET && op->get.part == PF_PART_WHOLE && s->cfg->unwrap_tnef &&
		op->get.whole_max < UNWRAP_MAX) {
		whole.get.whole_max = UNWRAP_MAX;
	}
	return pf_store_submit(s->inner, &whole, err);
}

/* It may be looked at another time: then its LIST fails, and comes again. */
static bool is_put_off(const struct dg_folder *f)
{
	return f->look == DG_UNKNOWN && f->why.retry != PF_RETRY_NO;
}

/* PF_AGAIN: none has. */
static int fail_lists(struct dg_store *s, struct pf_store_event *out)
{
	for (size_t i = 0; i < s->folder_n; i++) {
		struct dg_folder *f = &s->folders[i];

		if (f->has_list && is_put_off(f)) {
			*out = (struct pf_store_event){.kind = PF_STORE_FAILED, .op = f->list_op};
			out->failed.why = f->why;
			pf_op_let_go(&f->list);
			f->has_list = false;
			return PF_OK;
		}
	}
	return PF_AGAIN;
}

/* LISTs whose folders were looked at go on. */
static int hand_on_lists(struct dg_store *s, struct pf_err *err)
{
	for (size_t i = 0; i < s->folder_n; i++) {
		struct dg_folder *f = &s->folders[i];
		int rc;

		if (!f->has_list || !dg_looked(f) || is_put_off(f)) {
			continue;
		}
		rc = pf_store_submit(s->inner, &f->list.op, err);
		if (rc == PF_AGAIN) {
			return PF_OK;
		}
		if (rc != PF_OK) {
			return rc;
		}
		pf_op_let_go(&f->list);
		f->has_list = false;
	}
	return PF_OK;
}

static void mark_item(struct dg_store *s, struct pf_store_event *ev)
{
	for (size_t i = 0; i < s->folder_n; i++) {
		const struct dg_folder *f = &s->folders[i];

		if (f->list_op == ev->op && f->look == DG_LOOKED) {
			const struct dg_item *item = dg_find_item(f, ev->item.id);
			enum pf_kind kind = item ? item->kind : PF_KIND_MAIL;

			ev->item.apart = s->cfg->disguised.elsewhere & (uint32_t)kind ? kind : 0;
			return;
		}
	}
}

/* What was converted in the place of what came. PF_END: it stays as it is. */
static int replace(
	struct dg_store *s, struct pf_store_event *ev, uint32_t kinds, struct pf_err *err)
{
	int rc = dg_convert(s, pf_blob_span(ev->body), kinds, err);
	struct pf_blob *blob;

	if (rc != PF_OK) {
		return rc;
	}
	blob = pf_blob_new(s->form.bytes.n);
	if (!blob) {
		return pf_fail_memory(err, "an item");
	}
	memcpy(blob->bytes, s->form.bytes.p, s->form.bytes.n);
	pf_blob_unref(&ev->body);
	ev->body = blob;
	pf_mapi_form_tell(&s->form, ev);
	return PF_OK;
}

/* The beginning of what is told of a message that was taken apart. */
static void mail_body(struct dg_store *s, struct pf_store_event *ev)
{
	struct pf_err why;
	int rc = s->cfg->unwrap_tnef ? replace(s, ev, PF_KIND_MAIL, &why) : PF_END;

	if (rc == PF_OK) {
		ev->left =
			"unwrapped: the message that its TNEF part (winmail.dat) holds, not octet "
			"for octet the one that was stored";
	} else if (rc == PF_FAIL) {
		(void)snprintf(s->left_out, sizeof(s->left_out), "not unwrapped: %.250s", why.text);
		ev->left = s->left_out;
	} else {
		ev->left = dg_stays(s, pf_blob_span(ev->body));
	}
}

/* ---- events of another kind than mail ---- */

static int note_folder(struct dg_store *s, const struct pf_folder *from, struct pf_err *err)
{
	size_t i = dg_find_folder(s, from->id);

	if (i == SIZE_MAX && dg_add_folder(s, from->id, &i, err) != PF_OK) {
		return PF_FAIL;
	}
	s->folders[i].selectable = from->selectable;
	s->folders[i].doubtful = from->doubtful;
	return pf_path_copy(&s->folders[i].path, &from->path, err);
}

static bool all_looked(const struct dg_store *s)
{
	for (size_t i = 0; i < s->folder_n; i++) {
		if (s->folders[i].selectable && !dg_looked(&s->folders[i])) {
			return false;
		}
	}
	return true;
}

/* The kinds of a folder's items that go this way; of one that can be looked at another time the
 * first, so that its LIST fails and comes again. Where a server never tells, all stay mail. */
static uint32_t kinds_of(const struct dg_store *s, const struct dg_folder *f)
{
	uint32_t kinds = 0;

	for (size_t i = 0; i < f->n; i++) {
		kinds |= (uint32_t)f->v[i].kind;
	}
	for (size_t i = 0; is_put_off(f) && i < PF_COUNT(KINDS) && kinds == 0; i++) {
		kinds = s->cfg->disguised.here & (uint32_t)KINDS[i];
	}
	return kinds & s->cfg->disguised.here;
}

static int give_folder(
	struct dg_store *s, enum pf_kind kind, struct pf_store_event *out, struct pf_err *err)
{
	const struct dg_folder *f = &s->folders[s->give_at - 1];

	pf_buf_clear(&s->folder_id);
	if (pf_buf_addf(&s->folder_id, err, "%s/", pf_kind_name(kind)) != PF_OK ||
		pf_buf_add(&s->folder_id, pf_buf_span(&f->id), err) != PF_OK) {
		return PF_FAIL;
	}
	s->folder_out = (struct pf_folder){.id = pf_buf_span(&s->folder_id),
		.path = f->path,
		.kind = kind,
		.selectable = true,
		.may_have_children = true,
		.doubtful = f->doubtful};
	*out = (struct pf_store_event){
		.kind = PF_STORE_FOLDER, .op = s->folders_op, .folder = &s->folder_out};
	return PF_OK;
}

/* PF_AGAIN: nothing to give. */
static int give_folders(struct dg_store *s, struct pf_store_event *out, struct pf_err *err)
{
	if (s->folders_op == 0 || !s->folders_listed || !all_looked(s)) {
		return PF_AGAIN;
	}
	if (s->cant_find.text[0] && !s->cant_find_told) {
		s->cant_find_told = true;
		(void)snprintf(s->left_out, sizeof(s->left_out),
			"items of Exchange among its mail are not told apart: %.200s",
			s->cant_find.text);
		*out = (struct pf_store_event){.kind = PF_STORE_NOTE, .op = s->folders_op};
		out->note.number = PF_EV_FEATURE_OFF;
		out->note.text = s->left_out;
		return PF_OK;
	}
	while (s->give_kinds == 0 && s->give_at < s->folder_n) {
		s->give_kinds = kinds_of(s, &s->folders[s->give_at++]);
	}
	for (size_t i = 0; i < PF_COUNT(KINDS); i++) {
		if (s->give_kinds & (uint32_t)KINDS[i]) {
			s->give_kinds &= ~(uint32_t)KINDS[i];
			return give_folder(s, KINDS[i], out, err);
		}
	}
	*out = (struct pf_store_event){.kind = PF_STORE_DONE, .op = s->folders_op};
	s->folders_op = 0;
	s->give_at = 0;
	return PF_OK;
}

static void give_state(struct dg_store *s, const struct dg_request *r, struct pf_store_event *out)
{
	s->folder_out = (struct pf_folder){.has_state = true};
	*out = (struct pf_store_event){
		.kind = PF_STORE_STATE, .op = r->op, .folder = &s->folder_out};
}

/* An item that was asked for before. */
static void give_kept(struct dg_store *s, size_t i, struct pf_store_event *out)
{
	struct dg_request *r = &s->requests[i];

	*out = (struct pf_store_event){
		.kind = r->begun ? PF_STORE_DONE : PF_STORE_BODY, .op = r->op};
	if (r->begun) {
		drop_request(s, i);
		return;
	}
	out->body = pf_blob_ref(r->form);
	r->begun = true;
}

/* What is read once more soon: identity decides by all items, and then they are written. */
static void keep_form(struct dg_store *s, const struct dg_request *r, struct pf_blob *form)
{
	struct dg_folder *f = &s->folders[r->folder];
	struct dg_item *item =
		f->look == DG_LOOKED && r->at > 0 && r->at <= f->n ? &f->v[r->at - 1] : NULL;

	if (item && !item->form && form->n <= DG_KEPT_BYTES - s->kept_bytes) {
		item->form = pf_blob_ref(form);
		s->kept_bytes += form->n;
	}
}

/* The next event of the first LIST, or of what is in memory. PF_AGAIN: there is none. */
static int give_listed(struct dg_store *s, struct pf_store_event *out)
{
	const struct dg_folder *f;
	struct dg_request *r;
	size_t i = 0;

	while (i < s->request_n && s->requests[i].get && !s->requests[i].form) {
		i++;
	}
	if (i == s->request_n) {
		return PF_AGAIN;
	}
	r = &s->requests[i];
	f = &s->folders[r->folder];
	if (r->form) {
		give_kept(s, i, out);
		return PF_OK;
	}
	if (!dg_looked(f)) {
		return PF_AGAIN;
	}
	if (f->look == DG_UNKNOWN) {
		*out = (struct pf_store_event){.kind = PF_STORE_FAILED, .op = r->op};
		out->failed.why = f->why;
		drop_request(s, i);
		return PF_OK;
	}
	if (!r->begun) {
		r->begun = true;
		give_state(s, r, out);
		return PF_OK;
	}
	while (r->at < f->n && f->v[r->at].kind != r->kind) {
		r->at++;
	}
	if (r->at == f->n) {
		*out = (struct pf_store_event){.kind = PF_STORE_DONE, .op = r->op};
		drop_request(s, i);
		return PF_OK;
	}
	*out = (struct pf_store_event){.kind = PF_STORE_ITEM, .op = r->op};
	(void)snprintf(s->id_out, sizeof(s->id_out), "%llu.%.*s", (unsigned long long)f->validity,
		(int)f->v[r->at].id.n, (const char *)f->v[r->at].id.p);
	out->item.id = pf_span_str(s->id_out);
	out->item.version = pf_span_str("1"); /* no message ever changes */
	out->item.date_utc_s = PF_DATE_NONE;
	r->at++;
	return PF_OK;
}

/* An answer to a GET: the item in its form, or why there is none. */
static void got(struct dg_store *s, size_t i, struct pf_store_event *ev)
{
	struct pf_err why;
	int rc;

	if (ev->kind == PF_STORE_BODY) {
		rc = replace(s, ev, (uint32_t)s->requests[i].kind, &why);
		if (rc == PF_OK) {
			keep_form(s, &s->requests[i], ev->body);
			return;
		}
		if (rc == PF_END) {
			(void)pf_fail(&why, PF_SCOPE_ITEM, PF_RETRY_NO,
				"the message has no TNEF part of that kind");
		}
		pf_blob_unref(&ev->body);
		*ev = (struct pf_store_event){.kind = PF_STORE_FAILED, .op = ev->op};
		ev->failed.why = why;
		ev->failed.refused = why.scope == PF_SCOPE_ITEM;
		s->requests[i].begun = true; /* the inner store's end of it is not told any more */
	}
}

/* PF_AGAIN: it is not the engine's to hear. */
static int apart_event(struct dg_store *s, struct pf_store_event *ev, struct pf_err *err)
{
	size_t i;

	if (s->folders_op != 0 && ev->op == s->folders_op) {
		if (ev->kind == PF_STORE_FOLDER) {
			return note_folder(s, ev->folder, err) == PF_OK ? PF_AGAIN : PF_FAIL;
		}
		if (ev->kind == PF_STORE_DONE) {
			s->folders_listed = true;
			return PF_AGAIN;
		}
		s->folders_op = ev->kind == PF_STORE_FAILED ? 0 : s->folders_op;
		return PF_OK;
	}
	i = find_request(s, ev->op);
	if (i == s->request_n) {
		return PF_OK;
	}
	if (s->requests[i].begun) { /* it was told to have failed */
		if (ev->kind == PF_STORE_DONE || ev->kind == PF_STORE_FAILED) {
			drop_request(s, i);
		}
		return PF_AGAIN;
	}
	if (ev->kind == PF_STORE_DONE || ev->kind == PF_STORE_FAILED) {
		drop_request(s, i);
		return PF_OK;
	}
	got(s, i, ev);
	return PF_OK;
}

/* ---- the table ---- */

static int take_event(struct dg_store *s, struct pf_store_event *ev, struct pf_err *err)
{
	if (dg_look_owns(ev->op)) {
		return dg_look_event(s, ev, err) == PF_OK ? PF_AGAIN : PF_FAIL;
	}
	if (ev->kind == PF_STORE_READY || ev->kind == PF_STORE_NOTE) {
		return PF_OK;
	}
	if (is_apart(s)) {
		return apart_event(s, ev, err);
	}
	if (ev->kind == PF_STORE_ITEM && s->cfg->disguised.elsewhere != 0) {
		mark_item(s, ev);
	} else if (ev->kind == PF_STORE_BODY) {
		mail_body(s, ev);
	}
	return PF_OK;
}

static int next(
	struct pf_store *base, struct pf_store_event *out, int64_t *wake_ms, struct pf_err *err)
{
	struct dg_store *s = store_of(base);

	int rc;

	do {
		rc = give_folders(s, out, err);
		rc = rc == PF_AGAIN ? give_listed(s, out) : rc;
		rc = rc == PF_AGAIN ? fail_lists(s, out) : rc;
		if (rc != PF_AGAIN) {
			return rc;
		}
		if (dg_look_step(s, err) != PF_OK || hand_on_lists(s, err) != PF_OK) {
			return PF_FAIL;
		}
		rc = pf_store_next(s->inner, out, wake_ms, err);
		if (rc != PF_OK) {
			return rc;
		}
		rc = take_event(s, out, err);
	} while (rc == PF_AGAIN);
	return rc;
}

static int feed(struct pf_store *base, uint64_t op, struct pf_span part, struct pf_err *err)
{
	return pf_store_feed(store_of(base)->inner, op, part, err);
}

/* Those of another kind than mail are items that never change under their ids. */
static const struct pf_store_facts *facts(const struct pf_store *base)
{
	struct dg_store *s = store_of((struct pf_store *)(uintptr_t)base);
	const struct pf_store_facts *inner = pf_store_facts(s->inner);

	if (!is_apart(s)) {
		return inner;
	}
	s->facts = pf_mapi_form_facts(inner->server);
	s->facts.kinds = s->cfg->disguised.here;
	s->facts.connections = inner->connections;
	memcpy(s->facts.moved, inner->moved, sizeof(s->facts.moved));
	memcpy(s->facts.daily_bytes, inner->daily_bytes, sizeof(s->facts.daily_bytes));
	return &s->facts;
}

static void close_store(struct pf_store *base)
{
	struct dg_store *s = base ? store_of(base) : NULL;

	if (!s) {
		return;
	}
	pf_store_close(&s->inner);
	for (size_t i = 0; i < s->folder_n; i++) {
		dg_folder_free(s, &s->folders[i]);
	}
	free(s->folders);
	while (s->request_n > 0) {
		drop_request(s, s->request_n - 1);
	}
	free(s->requests);
	pf_mapi_form_deinit(&s->form);
	pf_buf_deinit(&s->folder_id);
	free(s);
}

static const struct pf_store_ops OPS = {
	.submit = submit,
	.feed = feed,
	.next = next,
	.facts = facts,
	.close = close_store,
};

int pf_disguise_open(struct pf_store *inner, const struct pf_store_cfg *cfg, struct pf_store **out,
	struct pf_err *err)
{
	struct dg_store *s = calloc(1, sizeof(*s));

	if (!s) {
		pf_store_close(&inner);
		return pf_fail_memory(err, "a store");
	}
	s->base.ops = &OPS;
	s->inner = inner;
	s->cfg = cfg;
	pf_mapi_form_init(&s->form);
	pf_buf_init(&s->folder_id, 1 << 20);
	*out = &s->base;
	return PF_OK;
}
