/*
 * Items of the target that no row of the folder accounts for: somebody else's, or what came of
 * items in doubt; and ids that rows of other folders in the same place account for.
 */
#include "engine/fold_private.h"

#include <stdlib.h>

/* Ids at the target that rows of other folders with the same place account for. */
static int read_claims(struct pf_fold *f, struct pf_fold *other, struct pf_err *err)
{
	struct pf_ledger_cursor *c = NULL;
	struct pf_ledger_item row;
	int rc = pf_ledger_items(
		f->job->cfg->ledger, f->job->cfg->account, other->row_id, PF_ITEMS_ALL, &c, err);

	while (rc == PF_OK && (rc = pf_ledger_items_next(c, &row, err)) == PF_OK) {
		struct pf_span *grown;

		if (!row.dst_id.p) {
			continue;
		}
		if ((f->claimed_n & (f->claimed_n - 1)) == 0) { /* full at powers of two */
			size_t cap = f->claimed_n ? f->claimed_n * 2 : 1;

			grown = realloc(f->claimed, cap * sizeof(*grown));
			if (!grown) {
				rc = pf_fail_memory(err, "the items of a folder");
				break;
			}
			f->claimed = grown;
		}
		f->claimed[f->claimed_n++] = pf_arena_span(&f->rows.arena, row.dst_id);
	}
	pf_ledger_cursor_close(&c);
	return rc == PF_END ? PF_OK : rc;
}

static int cmp_span(const void *a, const void *b)
{
	return pf_span_cmp(*(const struct pf_span *)a, *(const struct pf_span *)b);
}

int fold_read_claims(struct pf_fold *f, struct pf_err *err)
{
	struct pf_job *job = f->job;

	for (size_t i = 0; f->shares_place && i < job->fold_count; i++) {
		struct pf_fold *o = &job->folds[i];

		if (o != f && o->row_id != 0 && pf_path_eq(&o->dst, &f->dst) &&
			read_claims(f, o, err) != PF_OK) {
			return PF_FAIL;
		}
	}
	if (f->claimed_n > 1) {
		qsort(f->claimed, f->claimed_n, sizeof(*f->claimed), cmp_span);
	}
	return PF_OK;
}

static bool is_claimed(const struct pf_fold *f, struct pf_span id)
{
	return f->claimed_n > 0 &&
	       bsearch(&id, f->claimed, f->claimed_n, sizeof(*f->claimed), cmp_span) != NULL;
}

/* Room for one more; NULL: no memory. */
static struct pf_foreign *new_foreign(struct pf_fold *f, struct pf_err *err)
{
	if (f->foreign_n == f->foreign_cap) {
		size_t cap = f->foreign_cap ? f->foreign_cap * 2 : 64;
		struct pf_foreign *grown = realloc(f->foreign, cap * sizeof(*grown));

		if (!grown) {
			(void)pf_fail_memory(err, "the items of a folder");
			return NULL;
		}
		f->foreign = grown;
		f->foreign_cap = cap;
	}
	return &f->foreign[f->foreign_n++];
}

int fold_add_foreign(struct pf_fold *f, const struct pf_item *item, struct pf_err *err)
{
	struct pf_entry *old = pf_rows_find_dst(&f->rows, item->id);
	struct pf_foreign *n;

	if (old) {
		f->dst_moved =
			f->dst_moved || (f->dst_unsure && fold_is_another(f, DST, old, item));
		return PF_OK;
	}
	if (is_claimed(f, item->id)) {
		return PF_OK;
	}
	n = new_foreign(f, err);
	if (!n) {
		return PF_FAIL;
	}
	old = f->void_rows.n > 0 ? pf_rows_find_dst(&f->void_rows, item->id) : NULL;
	*n = (struct pf_foreign){
		.id = pf_arena_span(&f->rows.arena, item->id),
		.size = item->size,
		.date_utc_s = item->date_utc_s,
		.flags.sys = item->flags.sys,
		.digest = old ? old->digest : NULL,
	};
	if (!n->id.p) {
		return pf_fail_memory(err, "the items of a folder");
	}
	return pf_rows_keywords(&f->rows, item->flags.kw, &n->flags.kw, err);
}

static bool is_new(const struct pf_entry *e)
{
	return e->verdict == PF_VERDICT_NONE && e->state == PF_ROW_PLANNED;
}

static int by_id(const void *a, const void *b)
{
	const struct pf_foreign *x = a, *y = b;

	return pf_span_cmp(x->id, y->id);
}

void fold_order_foreign(struct pf_fold *f)
{
	if (f->foreign_n > 1) {
		qsort(f->foreign, f->foreign_n, sizeof(*f->foreign), by_id);
	}
}

int fold_add_left(struct pf_fold *f, struct pf_err *err)
{
	bool any = false;

	for (size_t i = 0; i < f->rows.n && !any; i++) {
		any = is_new(&f->rows.v[i]);
	}
	for (size_t i = 0; i < f->rows.n && any; i++) {
		const struct pf_entry *e = &f->rows.v[i];
		struct pf_foreign *n;

		if (!(e->bits & PF_ENTRY_GONE) || !e->dst_id.p ||
			(e->verdict != PF_VERDICT_COPIED && e->verdict != PF_VERDICT_PRESENT)) {
			continue;
		}
		n = new_foreign(f, err);
		if (!n) {
			return PF_FAIL;
		}
		/* Whether it is still there, and what it is, is known when it was read. */
		*n = (struct pf_foreign){
			.id = e->dst_id,
			.size = e->size,
			.date_utc_s = e->date_utc_s,
			.left = true,
			.left_row = i,
		};
	}
	return PF_OK;
}

void fold_keep_left(struct pf_fold *f, const struct pf_entry *e)
{
	for (size_t i = 0; i < f->gone_n; i++) {
		if (f->gone[i].seq == e->seq) {
			f->gone[i] = f->gone[--f->gone_n];
			return;
		}
	}
}
