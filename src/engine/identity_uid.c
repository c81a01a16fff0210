/*
 * Which of the items that share a UID keeps it, and what the others get.
 */
#include "engine/identity_private.h"

#include <stdlib.h>

static int no_memory(struct pf_err *err)
{
	return pf_fail_memory(err, "the items of a folder");
}

struct pf_span identity_make_uid(struct pf_identity *id, const struct pf_span *names, size_t n)
{
	struct pf_span all[16];
	char text[PF_UUID_TEXT];
	size_t k = 0;

	pf_assert(2 * n <= PF_COUNT(all));
	for (size_t i = 0; i < n; i++) {
		if (i > 0) {
			all[k++] = pf_span("", 1); /* a NUL: no two lists of names become one */
		}
		all[k++] = names[i];
	}
	pf_uuid5(all, k, text);
	return pf_arena_span(&id->arena, pf_span_str(text));
}

/* ---- what is known by name ---- */

static int cmp_row(const void *a, const void *b, void *arg)
{
	const struct pf_id_row *rows = arg;

	return pf_span_cmp(rows[*(const size_t *)a].key, rows[*(const size_t *)b].key);
}

static int cmp_foreign(const void *a, const void *b, void *arg)
{
	const struct pf_id_foreign *f = arg;
	size_t x = *(const size_t *)a, y = *(const size_t *)b;
	int d = pf_span_cmp(f[x].uid, f[y].uid);

	return d != 0 ? d : x < y ? -1 : x > y;
}

static size_t *indexes(size_t n)
{
	size_t *v = calloc(n + 1, sizeof(*v));

	for (size_t i = 0; v && i < n; i++) {
		v[i] = i;
	}
	return v;
}

int identity_index(struct pf_identity *id, struct pf_err *err)
{
	const struct pf_identity_in *in = id->in;

	id->rows = indexes(in->row_count);
	id->foreign = indexes(in->foreign_count);
	id->taken = calloc(in->foreign_count + 1, sizeof(*id->taken));
	if (!id->rows || !id->foreign || !id->taken) {
		return no_memory(err);
	}
	if (in->row_count > 1) {
		qsort_r(id->rows, in->row_count, sizeof(*id->rows), cmp_row,
			(void *)(uintptr_t)in->rows);
	}
	if (in->foreign_count > 1) {
		qsort_r(id->foreign, in->foreign_count, sizeof(*id->foreign), cmp_foreign,
			(void *)(uintptr_t)in->foreign);
	}
	return PF_OK;
}

static size_t find_row(const struct pf_identity *id, struct pf_span key)
{
	size_t lo = 0, hi = id->in->row_count;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;
		int d = pf_span_cmp(id->in->rows[id->rows[mid]].key, key);

		if (d == 0) {
			return id->rows[mid];
		}
		*(d < 0 ? &lo : &hi) = d < 0 ? mid + 1 : mid;
	}
	return SIZE_MAX;
}

/* The place in `foreign` of the first that has this UID. */
static size_t first_foreign(const struct pf_identity *id, struct pf_span uid)
{
	size_t lo = 0, hi = id->in->foreign_count;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (pf_span_cmp(id->in->foreign[id->foreign[mid]].uid, uid) < 0) {
			lo = mid + 1;
		} else {
			hi = mid;
		}
	}
	return lo;
}

/* One that has this UID and is not adopted; `x` given: and is what the item means. SIZE_MAX: none.
 */
static size_t find_foreign(
	const struct pf_identity *id, struct pf_span uid, const struct pf_id_item *x)
{
	const struct pf_id_foreign *f = id->in->foreign;

	for (size_t k = first_foreign(id, uid);
		k < id->in->foreign_count && pf_span_eq(f[id->foreign[k]].uid, uid); k++) {
		size_t at = id->foreign[k];

		if (!id->taken[at] && (!x || pf_id_means(x, &f[at].whole))) {
			return at;
		}
	}
	return SIZE_MAX;
}

/* Whether the target's holder of the UID is the item, as it is or as the target altered it. */
static bool is_held_by(const struct pf_identity *id, struct pf_span uid, const struct pf_id_item *x)
{
	const struct pf_id_foreign *f = id->in->foreign;

	for (size_t k = first_foreign(id, uid); x->whole_known && k < id->in->foreign_count &&
						pf_span_eq(f[id->foreign[k]].uid, uid);
		k++) {
		size_t at = id->foreign[k];

		if (!id->taken[at] && f[at].meant && pf_digest_eq(f[at].meant, &x->whole)) {
			return true;
		}
	}
	return find_foreign(id, uid, x) != SIZE_MAX;
}

/* ---- keys ---- */

/* "skey NUL uid", and a rank or an instance behind it for those that this does not tell apart. */
static int make_key(
	struct pf_identity *id, struct pf_id_item *item, size_t rank, struct pf_err *err)
{
	const struct pf_id_part *p = &id->in->parts[item->parts[0]];
	struct pf_span uid = id->uid[item->parts[0]];
	struct pf_buf b;
	int rc;

	pf_buf_init(&b, 1 << 20);
	rc = pf_buf_add(&b, p->skey, err);
	rc = rc == PF_OK ? pf_buf_add(&b, pf_span("", 1), err) : rc;
	rc = rc == PF_OK ? pf_buf_add(&b, uid, err) : rc;
	if (rc == PF_OK && (item->notes & PF_ID_ALONE)) {
		rc = pf_buf_add(&b, pf_span("", 1), err);
		rc = rc == PF_OK ? pf_buf_addf(&b, err, "r%lld", (long long)p->rid_utc_s) : rc;
	}
	if (rc == PF_OK && rank > 0) {
		rc = pf_buf_add(&b, pf_span("", 1), err);
		rc = rc == PF_OK ? pf_buf_addf(&b, err, "%zu", rank) : rc;
	}
	item->key = rc == PF_OK ? pf_arena_span(&id->arena, pf_buf_span(&b)) : item->key;
	pf_buf_deinit(&b);
	return rc != PF_OK ? rc : item->key.p ? PF_OK : no_memory(err);
}

/* How many items of the group before this one a key could not tell from it. */
static size_t rank_of(const struct pf_identity *id, const struct group *g, size_t item)
{
	const struct pf_id_item *x = &id->items[item];
	const struct pf_id_part *p = &id->in->parts[x->parts[0]];
	size_t rank = 0;

	for (size_t i = item; i > g->items_first; i--) {
		const struct pf_id_item *y = &id->items[i - 1];
		const struct pf_id_part *q = &id->in->parts[y->parts[0]];
		bool both_alone = (x->notes & PF_ID_ALONE) && (y->notes & PF_ID_ALONE);

		if (!pf_span_eq(p->skey, q->skey)) {
			if (!((x->notes | y->notes) & PF_ID_ALONE)) {
				break; /* masters come by document */
			}
			continue;
		}
		rank += both_alone ? p->rid_utc_s == q->rid_utc_s
				   : (x->notes & PF_ID_ALONE) == (y->notes & PF_ID_ALONE);
	}
	return rank;
}

/* The UID for an item that can't keep its own: it follows from its place (its key), or from its
 * meaning and its rank among its equals where places don't last. */
static int make_spare(
	struct pf_identity *id, const struct group *g, size_t item, struct pf_err *err)
{
	struct pf_id_item *x = &id->items[item];
	const struct pf_id_part *p = &id->in->parts[x->parts[0]];
	struct pf_span names[5] = {id->in->store, id->in->folder, x->key};
	uint32_t rank = 0;
	uint8_t number[4];

	if (!id->in->stable_keys) {
		for (size_t i = g->items_first; i < item; i++) {
			const struct pf_id_part *q = &id->in->parts[id->items[i].parts[0]];

			rank += pf_digest_eq(&p->meaning, &q->meaning);
		}
		for (size_t k = 0; k < sizeof(number); k++) { /* the same on every machine */
			number[k] = (uint8_t)(rank >> (8 * k));
		}
		names[2] = pf_span(p->meaning.b, sizeof(p->meaning.b));
		names[3] = pf_span(number, sizeof(number));
		names[4] = id->uid[x->parts[0]];
	}
	x->spare_uid = identity_make_uid(id, names, id->in->stable_keys ? 3 : 5);
	return x->spare_uid.p ? PF_OK : no_memory(err);
}

/* ---- the holder ---- */

static bool may_hold(const struct pf_id_item *x)
{
	return !(x->notes & PF_ID_ALONE) && x->same_as == SIZE_MAX;
}

/* Whether x has the better claim to the UID: live scheduling, recurring, older, lesser key. */
static bool claims_before(
	const struct pf_identity *id, const struct pf_id_item *x, const struct pf_id_item *y)
{
	const struct pf_id_part *p = &id->in->parts[x->parts[0]];
	const struct pf_id_part *q = &id->in->parts[y->parts[0]];
	bool live_p = p->has_organizer && !p->rekeyed, live_q = q->has_organizer && !q->rekeyed;

	if (live_p != live_q) {
		return live_p;
	}
	if (live_p && p->attendees != q->attendees) {
		return p->attendees > q->attendees;
	}
	if (p->recurs != q->recurs) {
		return p->recurs;
	}
	if (p->created_utc_s != q->created_utc_s) {
		return q->created_utc_s == PF_DATE_NONE ||
		       (p->created_utc_s != PF_DATE_NONE && p->created_utc_s < q->created_utc_s);
	}
	return pf_span_cmp(x->key, y->key) < 0;
}

/*
 * Who keeps the UID: the one that has it at the target by the ledger; else, of those that the
 * target's holder means, the one with the best claim, as a run whose ledger was lost chose it; else
 * the best claim, unless somebody else's item has the UID there.
 */
static size_t choose_holder(struct pf_identity *id, const struct group *g)
{
	struct pf_span uid = id->uid[id->order[g->first]];
	bool held = find_foreign(id, uid, NULL) != SIZE_MAX;
	size_t best = SIZE_MAX;

	for (size_t i = g->items_first; i < g->items_end; i++) {
		const struct pf_id_item *x = &id->items[i];

		if (x->row != SIZE_MAX && pf_span_eq(id->in->rows[x->row].dst_uid, uid)) {
			return i;
		}
	}
	for (size_t i = g->items_first; i < g->items_end && held; i++) {
		const struct pf_id_item *x = &id->items[i];

		if (may_hold(x) && x->row == SIZE_MAX && is_held_by(id, uid, x) &&
			(best == SIZE_MAX || claims_before(id, x, &id->items[best]))) {
			best = i;
		}
	}
	if (best != SIZE_MAX) {
		return best;
	}
	for (size_t i = g->items_first; i < g->items_end; i++) {
		struct pf_id_item *x = &id->items[i];

		if (may_hold(x) && x->row == SIZE_MAX && (!held || !x->whole_known) &&
			(best == SIZE_MAX || claims_before(id, x, &id->items[best]))) {
			best = i;
		}
	}
	return best;
}

/* Take the UID, and see whether the target has an item that holds it, unless it is known there. */
static void settle(struct pf_identity *id, struct pf_id_item *x, struct pf_span uid)
{
	x->uid = uid;
	if (x->row != SIZE_MAX && id->in->rows[x->row].placed) {
		return;
	}
	x->foreign = find_foreign(id, uid, x);
	if (x->foreign == SIZE_MAX && id->in->parts[x->parts[0]].uid_made) {
		x->foreign = find_foreign(id, pf_span(NULL, 0), x); /* as it is without one, too */
	}
	if (x->foreign != SIZE_MAX) {
		id->taken[x->foreign] = true;
	} else if (x->row == SIZE_MAX) {
		x->holder = find_foreign(id, uid, NULL);
	}
}

/* --duplicates merge: equal items are one; the latest revision stands for them. */
static void merge(struct pf_identity *id, const struct group *g)
{
	for (size_t i = g->items_first; i < g->items_end; i++) {
		struct pf_id_item *x = &id->items[i];

		for (size_t k = g->items_first; k < i && x->whole_known; k++) {
			struct pf_id_item *y = &id->items[k];

			if (y->same_as == SIZE_MAX && y->whole_known &&
				pf_digest_eq(&x->whole, &y->whole)) {
				x->same_as = k;
				break;
			}
		}
	}
}

static void give_uids(struct pf_identity *id, const struct group *g)
{
	struct pf_span uid = id->uid[id->order[g->first]];
	bool made = !id->in->parts[id->order[g->first]].uid.p;
	size_t holder = choose_holder(id, g);

	for (size_t i = g->items_first; i < g->items_end; i++) {
		struct pf_id_item *x = &id->items[i];
		struct pf_span own =
			x->row != SIZE_MAX ? id->in->rows[x->row].dst_uid : pf_span(NULL, 0);

		x->notes |= made ? PF_ID_MADE : 0u;
		if (x->same_as != SIZE_MAX) {
			continue; /* goes where the other one goes */
		}
		if (own.p) {
			settle(id, x, own);
		} else if (i == holder || (!id->in->unique && may_hold(x))) {
			settle(id, x, uid);
		} else {
			settle(id, x, x->spare_uid);
		}
		x->notes |= pf_span_eq(x->uid, uid) ? 0u : PF_ID_REKEYED;
	}
}

int identity_name_group(struct pf_identity *id, struct group *g, struct pf_err *err)
{
	for (size_t i = g->items_first; i < g->items_end; i++) {
		struct pf_id_item *x = &id->items[i];

		if (make_key(id, x, rank_of(id, g, i), err) != PF_OK ||
			make_spare(id, g, i, err) != PF_OK) {
			return PF_FAIL;
		}
		x->row = find_row(id, x->key);
	}
	if (id->in->merge) {
		merge(id, g);
	}
	give_uids(id, g);
	return PF_OK;
}
