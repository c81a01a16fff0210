#include "engine/rows.h"

#include <stdlib.h>

void pf_rows_init(struct pf_rows *r)
{
	*r = (struct pf_rows){0};
	pf_arena_init(&r->arena);
}

void pf_rows_deinit(struct pf_rows *r)
{
	free(r->by_src);
	free(r->by_dst);
	free(r->v);
	pf_arena_deinit(&r->arena);
	*r = (struct pf_rows){0};
}

static int copy_span(struct pf_rows *r, struct pf_span from, struct pf_span *to, struct pf_err *err)
{
	*to = pf_arena_span(&r->arena, from);
	if (from.p && !to->p) {
		return pf_fail_memory(err, "the items of a folder");
	}
	return PF_OK;
}

int pf_rows_keywords(struct pf_rows *r, struct pf_span kw, struct pf_span *out, struct pf_err *err)
{
	if (kw.n == 0) {
		*out = pf_span(NULL, 0);
		return PF_OK;
	}
	if (!pf_span_eq(kw, r->last_kw) && copy_span(r, kw, &r->last_kw, err) != PF_OK) {
		return PF_FAIL;
	}
	*out = r->last_kw;
	return PF_OK;
}

/* A zeroed entry at the end. */
static int grow(struct pf_rows *r, struct pf_entry **out, struct pf_err *err)
{
	if (r->n == r->cap) {
		size_t cap = r->cap ? r->cap + r->cap / 2 : 64;
		struct pf_entry *v = realloc(r->v, cap * sizeof(*v));

		if (!v) {
			return pf_fail_memory(err, "the items of a folder");
		}
		r->v = v;
		r->cap = cap;
	}
	*out = &r->v[r->n++];
	memset(*out, 0, sizeof(**out));
	return PF_OK;
}

static int load_one(struct pf_rows *r, const struct pf_ledger_item *row, struct pf_err *err)
{
	struct pf_entry *e = NULL;

	if (grow(r, &e, err) != PF_OK || copy_span(r, row->src_id, &e->src_id, err) != PF_OK ||
		copy_span(r, row->dst_id, &e->dst_id, err) != PF_OK ||
		pf_rows_keywords(r, row->flags.kw, &e->kw, err) != PF_OK ||
		(row->note.n > 0 && copy_span(r, row->note, &e->note, err) != PF_OK)) {
		return PF_FAIL;
	}
	e->size = row->size;
	e->date_utc_s = row->date_utc_s;
	e->zone_min = (int16_t)row->zone_min;
	e->sys = (uint8_t)row->flags.sys;
	e->state = (uint8_t)row->state;
	e->verdict = (uint8_t)row->verdict;
	e->attempts = (uint8_t)(row->attempts > UINT8_MAX ? UINT8_MAX : row->attempts);
	e->seq = row->seq;
	e->bits = row->state == PF_ROW_LEFT ? PF_ENTRY_GONE : 0;
	r->max_seq = row->seq > r->max_seq ? row->seq : r->max_seq;
	return row->has_digest ? pf_rows_set_digest(r, e, &row->digest, err) : PF_OK;
}

int pf_rows_load(struct pf_rows *r, struct pf_ledger *led, int64_t account, int64_t folder,
	struct pf_err *err)
{
	struct pf_ledger_cursor *c = NULL;
	struct pf_ledger_item row;
	int rc = pf_ledger_items(led, account, folder, PF_ITEMS_ALL, &c, err);

	while (rc == PF_OK) {
		rc = pf_ledger_items_next(c, &row, err);
		if (rc == PF_OK) {
			rc = load_one(r, &row, err);
		}
	}
	pf_ledger_cursor_close(&c);
	return rc == PF_END ? PF_OK : rc;
}

int pf_rows_add(
	struct pf_rows *r, const struct pf_item *item, struct pf_entry **out, struct pf_err *err)
{
	struct pf_entry *e = NULL;

	if (r->max_seq == UINT32_MAX) {
		return pf_fail(err, PF_SCOPE_FOLDER, PF_RETRY_NO,
			"more items than a folder can have (%u)", UINT32_MAX);
	}
	if (grow(r, &e, err) != PF_OK || copy_span(r, item->id, &e->src_id, err) != PF_OK ||
		pf_rows_keywords(r, item->flags.kw, &e->kw, err) != PF_OK) {
		return PF_FAIL;
	}
	e->size = item->size;
	e->date_utc_s = item->date_utc_s;
	e->zone_min = (int16_t)item->zone_min;
	e->sys = (uint8_t)(item->flags.sys & PF_FLAGS_ALL);
	e->seq = ++r->max_seq;
	e->bits = PF_ENTRY_LISTED | PF_ENTRY_UNSAVED;
	*out = e;
	return PF_OK;
}

static struct pf_span id_of(const struct pf_entry *e, bool dst)
{
	return dst ? e->dst_id : e->src_id;
}

static int cmp(const void *a, const void *b, void *rows, bool dst)
{
	const struct pf_rows *r = rows;

	return pf_span_cmp(
		id_of(&r->v[*(const size_t *)a], dst), id_of(&r->v[*(const size_t *)b], dst));
}

static int cmp_src(const void *a, const void *b, void *rows)
{
	return cmp(a, b, rows, false);
}

static int cmp_dst(const void *a, const void *b, void *rows)
{
	return cmp(a, b, rows, true);
}

static int make_index(struct pf_rows *r, bool dst, size_t **out, size_t *n, struct pf_err *err)
{
	size_t *v = malloc((r->n + 1) * sizeof(*v));

	if (!v) {
		return pf_fail_memory(err, "the items of a folder");
	}
	free(*out);
	*out = v;
	*n = 0;
	for (size_t i = 0; i < r->n; i++) {
		if (id_of(&r->v[i], dst).p) {
			v[(*n)++] = i;
		}
	}
	qsort_r(v, *n, sizeof(*v), dst ? cmp_dst : cmp_src, r);
	return PF_OK;
}

static struct pf_entry *search(struct pf_rows *r, bool dst, struct pf_span id)
{
	const size_t *v = dst ? r->by_dst : r->by_src;
	size_t lo = 0, hi = dst ? r->by_dst_n : r->by_src_n;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;
		int d = pf_span_cmp(id, id_of(&r->v[v[mid]], dst));

		if (d == 0) {
			return &r->v[v[mid]];
		}
		if (d < 0) {
			hi = mid;
		} else {
			lo = mid + 1;
		}
	}
	return NULL;
}

int pf_rows_begin_listing(struct pf_rows *r, struct pf_err *err)
{
	r->scan = 0;
	return make_index(r, false, &r->by_src, &r->by_src_n, err);
}

/* The next row first: a listing has the order that the rows were made in. */
struct pf_entry *pf_rows_find(struct pf_rows *r, struct pf_span src_id)
{
	struct pf_entry *found;

	if (r->by_src_n == 0) {
		return NULL;
	}
	if (r->scan < r->n && pf_span_eq(r->v[r->scan].src_id, src_id)) {
		return &r->v[r->scan++];
	}
	found = search(r, false, src_id);
	if (found) {
		r->scan = (size_t)(found - r->v) + 1;
	}
	return found;
}

int pf_rows_index_dst(struct pf_rows *r, struct pf_err *err)
{
	return make_index(r, true, &r->by_dst, &r->by_dst_n, err);
}

struct pf_entry *pf_rows_find_dst(struct pf_rows *r, struct pf_span dst_id)
{
	return search(r, true, dst_id);
}

int pf_rows_set_dst(
	struct pf_rows *r, struct pf_entry *e, struct pf_span dst_id, struct pf_err *err)
{
	return copy_span(r, dst_id, &e->dst_id, err);
}

int pf_rows_set_digest(
	struct pf_rows *r, struct pf_entry *e, const struct pf_digest *digest, struct pf_err *err)
{
	struct pf_span copy;

	if (copy_span(r, pf_span(digest->b, sizeof(digest->b)), &copy, err) != PF_OK) {
		return PF_FAIL;
	}
	e->digest = (const struct pf_digest *)(const void *)copy.p;
	return PF_OK;
}

void pf_rows_stored_with(struct pf_entry *e, uint8_t sys, struct pf_span kw)
{
	if (!(e->bits & PF_ENTRY_CARRY)) {
		e->new_sys = e->sys;
		e->new_kw = e->kw;
	}
	e->sys = sys;
	e->kw = kw;
	e->bits |= PF_ENTRY_CARRY | PF_ENTRY_UNSAVED;
}

int pf_rows_set_note(struct pf_rows *r, struct pf_entry *e, const char *note, struct pf_err *err)
{
	return copy_span(r, pf_span_str(note), &e->note, err);
}

int pf_rows_save(struct pf_entry *e, struct pf_ledger *led, int64_t folder, const char *note,
	struct pf_err *err)
{
	struct pf_ledger_item row = {
		.folder = folder,
		.seq = e->seq,
		.src_id = e->src_id,
		.dst_id = e->dst_id,
		.state = (enum pf_row_state)e->state,
		.verdict = (enum pf_verdict)e->verdict,
		.size = e->size,
		.date_utc_s = e->date_utc_s,
		.zone_min = e->zone_min,
		.has_digest = e->digest != NULL,
		.attempts = e->attempts,
		.note = note ? pf_span_str(note) : e->note,
	};

	if (!(e->bits & PF_ENTRY_FLAGS_LATER)) {
		row.flags = (struct pf_flags){.sys = e->sys, .kw = e->kw};
	}

	if (e->digest) {
		row.digest = *e->digest;
	}
	e->bits &= (uint16_t)~PF_ENTRY_UNSAVED;
	return pf_ledger_item_put(led, &row, err);
}

int pf_rows_listed(
	struct pf_rows *r, const struct pf_item *item, struct pf_entry **out, struct pf_err *err)
{
	struct pf_entry *e = pf_rows_find(r, item->id);
	struct pf_flags old;

	if (!e) {
		return pf_rows_add(r, item, out, err);
	}
	*out = e;
	e->bits |= PF_ENTRY_LISTED;
	if (e->state == PF_ROW_LEFT) { /* a listing before this one did not show it */
		e->state = PF_ROW_DONE;
		e->bits &= (uint16_t)~PF_ENTRY_GONE;
		e->bits |= PF_ENTRY_UNSAVED;
	}
	old = (struct pf_flags){.sys = e->sys, .kw = e->kw};
	if (pf_flags_eq(&old, &item->flags)) {
		return PF_OK;
	}
	e->bits |= PF_ENTRY_CARRY;
	e->new_sys = (uint8_t)(item->flags.sys & PF_FLAGS_ALL);
	return pf_rows_keywords(r, item->flags.kw, &e->new_kw, err);
}
