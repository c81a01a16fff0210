/*
 * The listing of a folder: by SyncFolderItems from the beginning, or from the state that an earlier
 * listing ended with. That state comes with the last page, and belongs before the items: they are
 * kept until then.
 */
#include "stores/ews/ews_private.h"

#include "convert/mapi_open.h"
#include "proto/ews/item.h"

#include <stdlib.h>

static struct pf_span folder_of(const struct eop *o)
{
	return eop_op(o)->folder;
}

/* ---- asking ---- */

/* What was only read or unread since the last time: all that is marked on it. */
static int start_look(struct estore *s, struct eop *o, struct pf_err *err)
{
	size_t n = o->look_n - o->looked;
	struct pf_buf text;

	n = n > EWS_ROWS ? EWS_ROWS : n;
	pf_buf_init(&text, EWS_TEXT_MAX);
	if (pf_ews_get_items(&s->as, PF_EWS_WANT_ROW, &o->look[o->looked], n, &text, err) !=
		PF_OK) {
		pf_buf_deinit(&text);
		return PF_FAIL;
	}
	return ecall_send(s, ecall_new(s, ECALL_ROWS, o), "GetItem", &text, err);
}

int ews_list_start(struct estore *s, struct eop *o, struct pf_err *err)
{
	struct pf_span cursor = eop_op(o)->list.cursor;
	struct pf_span folder = folder_of(o);
	enum pf_ews_want want;
	struct pf_buf text;

	if (o->beside == 0) {
		folder = ews_folder_meant(s, folder, &o->kind);
	} else {
		folder = ews_beside(s, folder, o->kind);
	}
	want = o->kind == PF_KIND_MAIL ? PF_EWS_WANT_ROW : PF_EWS_WANT_CLASS;

	if (o->synced) {
		return start_look(s, o, err);
	}
	if (o->pages == 0 && cursor.n > 0 && o->cursor.n == 0 && o->looks == 0) {
		o->delta = true;
		if (pf_buf_add(&o->cursor, cursor, err) != PF_OK) {
			return PF_FAIL;
		}
	}
	pf_buf_init(&text, EWS_STATE_MAX + EWS_TEXT_MAX);
	if (pf_ews_sync(&s->as, want, folder, pf_buf_span(&o->cursor), &text, err) != PF_OK) {
		pf_buf_deinit(&text);
		return PF_FAIL;
	}
	return ecall_send(s, ecall_new(s, ECALL_SYNC, o), "SyncFolderItems", &text, err);
}

/* ---- rows ---- */

/* Room for one more in a list of `size` bytes each. */
static int grow(void **list, size_t n, size_t *cap, size_t size, struct pf_err *err)
{
	if (n == *cap) {
		size_t more = *cap ? *cap * 2 : 256;
		void *grown = realloc(*list, more * size);

		if (!grown) {
			return pf_fail_memory(err, "a listing");
		}
		*list = grown;
		*cap = more;
	}
	return PF_OK;
}

static int64_t date_of(struct pf_span s)
{
	int64_t unix_s;

	return pf_ews_moment(s, &unix_s) ? unix_s : PF_DATE_NONE;
}

/* In the arena; of a folder beside the one that is listed with the kind behind it. */
static struct pf_span row_id(struct eop *o, struct pf_span id)
{
	struct pf_span kind = pf_span_str(pf_kind_name(o->kind));
	size_t n = id.n + 1 + kind.n;
	uint8_t *to = o->beside > 0 ? pf_arena_alloc(&o->arena, n + 1) : NULL;

	if (o->beside == 0) {
		return pf_arena_span(&o->arena, id);
	}
	if (to) {
		memcpy(to, id.p, id.n);
		to[id.n] = ' ';
		memcpy(to + id.n + 1, kind.p, kind.n);
	}
	return pf_span(to, to ? n : 0);
}

static int add_row(struct eop *o, const struct pf_ews_item *i, struct pf_err *err)
{
	void *rows = o->rows;
	struct pf_item *r;

	if (grow(&rows, o->row_n, &o->row_cap, sizeof(*o->rows), err) != PF_OK) {
		return PF_FAIL;
	}
	o->rows = rows;
	r = &o->rows[o->row_n].item;
	o->rows[o->row_n++].gone = i->change == PF_EWS_IS_GONE;
	*r = (struct pf_item){
		.id = row_id(o, i->id),
		.size = i->size,
		.date_utc_s = date_of(i->received),
	};
	if (!r->id.p) {
		return pf_fail_memory(err, "a listing");
	}
	if (i->change == PF_EWS_IS_GONE) {
		return PF_OK;
	}
	if (o->kind != PF_KIND_MAIL) {
		struct pf_span before = ews_key_version(i->key); /* of one that is to be replaced */

		r->version = pf_arena_span(&o->arena, before.p ? before : i->change_key);
		return PF_OK;
	}
	return ews_flags_of(i, &o->arena, &r->flags, err);
}

static int look_again(struct eop *o, struct pf_span id, struct pf_err *err)
{
	void *look = o->look;

	if (grow(&look, o->look_n, &o->look_cap, sizeof(*o->look), err) != PF_OK) {
		return PF_FAIL;
	}
	o->look = look;
	o->look[o->look_n] = pf_arena_span(&o->arena, id);
	return o->look[o->look_n++].p ? PF_OK : pf_fail_memory(err, "a listing");
}

/* One of another kind is in the folder's listing of that kind; where a source has none, it is in
 * this one, and fails by name when it is read. */
static bool is_elsewhere(const struct estore *s, const struct eop *o, const struct pf_ews_item *i)
{
	enum pf_kind kind = pf_mapi_kind(i->item_class);

	return i->change == PF_EWS_IS_THERE && kind != o->kind &&
	       (!s->h.cfg->source || ews_kinds_has(s, folder_of(o), kind));
}

static int take_change(
	struct estore *s, struct eop *o, const struct pf_ews_item *i, struct pf_err *err)
{
	if (i->id.n == 0 || is_elsewhere(s, o, i) || ews_key_is(i->key, 'u')) {
		return PF_OK;
	}
	return i->change == PF_EWS_WAS_READ ? look_again(o, i->id, err) : add_row(o, i, err);
}

/* A row and where it is. */
struct place {
	struct pf_span id;
	size_t at;
};

/* By id, the later one of two first. */
static int by_id(const void *a, const void *b)
{
	const struct place *x = a, *y = b;
	int order = pf_span_cmp(x->id, y->id);

	return order != 0 ? order : x->at > y->at ? -1 : 1;
}

/* What changed between two pages was told twice: the last word counts. What is gone is told only to
 * those that may know it. Rows without an id are not given. */
static int settle_rows(struct eop *o, struct pf_err *err)
{
	struct place *sorted = calloc(o->row_n + 1, sizeof(*sorted));

	if (!sorted) {
		return pf_fail_memory(err, "a listing");
	}
	for (size_t i = 0; i < o->row_n; i++) {
		sorted[i] = (struct place){o->rows[i].item.id, i};
	}
	qsort(sorted, o->row_n, sizeof(*sorted), by_id);
	o->given_n = 0;
	for (size_t i = 0; i < o->row_n; i++) {
		struct erow *r = &o->rows[sorted[i].at];

		if ((i > 0 && pf_span_eq(sorted[i].id, sorted[i - 1].id)) ||
			(r->gone && !o->delta)) {
			r->item.id = pf_span(NULL, 0);
		} else {
			o->given_n++;
		}
	}
	free(sorted);
	return PF_OK;
}

/* ---- answers ---- */

/* The state is not good any more: all of it, from the beginning. */
static void begin_anew(struct estore *s, struct eop *o, const char *text)
{
	struct pf_err why;

	if (o->looks++ > 0) {
		(void)pf_fail(&why, PF_SCOPE_FOLDER, PF_RETRY_LATER, "SyncFolderItems: %s", text);
		eop_failed(s, o, &why);
		return;
	}
	pf_hs_note(&s->h, PF_EV_FEATURE_OFF, "a folder is listed anew, not only what changed: %s",
		text);
	o->delta = false;
	o->pages = 0;
	o->beside = 0;
	o->row_n = o->look_n = 0;
	pf_buf_clear(&o->cursor);
	o->h.state = PF_HS_WAITING;
}

/* The listing is whole, or goes on with another page, or with another look. */
static int go_on(struct estore *s, struct eop *o, bool last, struct pf_err *err)
{
	o->synced = last;
	if (!last || o->looked < o->look_n) {
		o->h.state = PF_HS_WAITING;
		return PF_OK;
	}
	if (ews_beside_next(s, o)) {
		o->synced = false;
		o->pages = 0;
		pf_buf_clear(&o->cursor);
		o->h.state = PF_HS_WAITING;
		return PF_OK;
	}
	if (settle_rows(o, err) != PF_OK) {
		return PF_FAIL;
	}
	eop_give(s, o);
	return PF_OK;
}

int ews_list_answer(struct estore *s, struct eop *o, struct pf_ews_answer *a,
	const struct pf_ews_message *m, struct pf_err *err)
{
	const struct pf_ews_node *at = NULL;
	struct pf_ews_item i;
	bool moved = m->state.n > 0 && !pf_span_eq(m->state, pf_buf_span(&o->cursor));

	if (m->said.does == PF_EWS_SYNC) {
		begin_anew(s, o, m->said.text);
		return PF_OK;
	}
	if (!m->last && (!moved || ++o->pages > EWS_PAGES)) {
		struct pf_err why;

		(void)pf_fail(&why, PF_SCOPE_FOLDER, PF_RETRY_NOW,
			"the server cut its listing and does not tell how to go on");
		eop_failed(s, o, &why);
		return PF_OK;
	}
	while (pf_ews_item_next(a, m, &at, &i)) {
		if (take_change(s, o, &i, err) != PF_OK) {
			return PF_FAIL;
		}
	}
	pf_buf_clear(&o->cursor);
	if (pf_buf_add(&o->cursor, m->state, err) != PF_OK) {
		return PF_FAIL;
	}
	return go_on(s, o, m->last, err);
}

int ews_rows_answer(struct estore *s, struct eop *o, struct pf_ews_answer *a,
	struct pf_ews_message *m, struct pf_err *err)
{
	struct pf_ews_item i;

	do {
		const struct pf_ews_node *at = NULL;

		if (m->said.does == PF_EWS_BUSY) {
			pf_hs_be_patient(&s->h, m->said.back_off_ms, m->said.text);
			break;
		}
		if (m->said.does != PF_EWS_DONE && m->said.does != PF_EWS_GONE) {
			struct pf_err why;

			(void)pf_fail(
				&why, PF_SCOPE_FOLDER, PF_RETRY_LATER, "GetItem: %s", m->said.text);
			eop_failed(s, o, &why);
			return PF_OK;
		}
		o->looked++;
		if (m->said.does == PF_EWS_DONE && pf_ews_item_next(a, m, &at, &i) &&
			take_change(s, o, &i, err) != PF_OK) {
			return PF_FAIL;
		}
	} while (o->looked < o->look_n && pf_ews_answer_next(a, m));
	return go_on(s, o, true, err);
}

/* ---- giving ---- */

/* Ids mean the same as long as the folder is the same one. */
static uint64_t validity_of(struct pf_span id)
{
	uint32_t hash = 2166136261u;

	for (size_t i = 0; i < id.n; i++) {
		hash = (hash ^ id.p[i]) * 16777619u;
	}
	return hash ? hash : 1;
}

int ews_list_give(struct estore *s, struct eop *o, struct pf_store_event *out)
{
	const struct erow *r;

	if (o->h.end.failed) {
		return PF_END;
	}
	if (!o->stated) {
		o->stated = true;
		s->folder_out = (struct pf_folder){.id = folder_of(o)};
		s->folder_out.state.validity = validity_of(folder_of(o));
		s->folder_out.state.cursor = pf_buf_span(&o->cursor);
		s->folder_out.state.count = o->delta ? 0 : o->given_n;
		*out = (struct pf_store_event){
			.kind = PF_STORE_STATE, .op = eop_op(o)->id, .folder = &s->folder_out};
		out->delta = o->delta;
		out->permitted_sys =
			PF_FLAG_SEEN | PF_FLAG_ANSWERED | PF_FLAG_FLAGGED | PF_FLAG_DRAFT;
		out->permitted_any = true;
		return PF_OK;
	}
	while (o->at < o->row_n && !o->rows[o->at].item.id.p) {
		o->at++;
	}
	if (o->at == o->row_n) {
		return PF_END;
	}
	r = &o->rows[o->at++];
	*out = (struct pf_store_event){
		.kind = r->gone ? PF_STORE_GONE : PF_STORE_ITEM, .op = eop_op(o)->id};
	out->item = r->item;
	return PF_OK;
}
