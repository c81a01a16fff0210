/*
 * Items whose ids the target did not tell, found among what came to it since: by size and date
 * where these leave no doubt, else by content (fold_pair.c). Somebody else's message of the same
 * size and date must never be taken for ours.
 */
#include "engine/fold_private.h"

#include <stdlib.h>

enum { NEAR = 64 }; /* so far is looked for equal flags: more copies are as good as one */

struct nameless {
	struct pf_fold *fold;
	struct pf_pair_item *mine, *theirs;
	size_t n, m;
};

static int by_date_only(const void *a, const void *b)
{
	const struct pf_pair_item *x = a, *y = b;

	return x->date_utc_s < y->date_utc_s ? -1 : x->date_utc_s > y->date_utc_s;
}

static int by_size_date(const void *a, const void *b)
{
	const struct pf_pair_item *x = a, *y = b;

	if (x->size != y->size) {
		return x->size < y->size ? -1 : 1;
	}
	return by_date_only(a, b);
}

static int size_date_index(const void *a, const void *b)
{
	const struct pf_pair_item *x = a, *y = b;
	int d = by_size_date(a, b);

	return d != 0 ? d : (x->index < y->index ? -1 : x->index > y->index);
}

static int date_index(const void *a, const void *b)
{
	const struct pf_pair_item *x = a, *y = b;
	int d = by_date_only(a, b);

	return d != 0 ? d : (x->index < y->index ? -1 : x->index > y->index);
}

/* Drop those that have a counterpart; mates are in terms of `index`, which does not change. */
static size_t unpaired(struct pf_pair_item *v, size_t n)
{
	size_t kept = 0;

	for (size_t i = 0; i < n; i++) {
		if (v[i].mate == SIZE_MAX) {
			v[kept++] = v[i];
		}
	}
	return kept;
}

static int take(struct nameless *w, struct pf_pair_item *mine, struct pf_pair_item *theirs,
	struct pf_err *err)
{
	struct pf_fold *f = w->fold;
	struct pf_entry *e = &f->rows.v[mine->index];
	struct pf_foreign *o = &f->foreign[theirs->index];
	struct pf_item item = {
		.id = o->id, .size = o->size, .date_utc_s = o->date_utc_s, .flags = o->flags};

	mine->mate = theirs->index;
	theirs->mate = mine->index;
	e->dst_id = o->id;
	o->id = pf_span(NULL, 0); /* it is foreign no more */
	if (fold_compare(f, e, &item, err) != PF_OK) {
		return PF_FAIL;
	}
	return job_keeps(f->job) ? pf_rows_save(e, f->job->cfg->ledger, f->row_id, NULL, err)
				 : PF_OK;
}

/* One message, or several that are the same octet for octet, and as many as there are. */
static bool is_sure(const struct nameless *w, const struct pf_pair_item *mine, size_t n, size_t m)
{
	const struct pf_digest *first = w->fold->rows.v[mine->index].digest;

	for (size_t i = 1; i < n; i++) {
		const struct pf_digest *other = w->fold->rows.v[mine[i].index].digest;

		if (!first || !other || !pf_digest_eq(first, other)) {
			return false;
		}
	}
	return n == m;
}

static size_t run(const struct pf_pair_item *v, size_t n, int (*cmp)(const void *, const void *))
{
	size_t end = 1;

	while (end < n && cmp(&v[0], &v[end]) == 0) {
		end++;
	}
	return end;
}

static void swap(struct pf_pair_item *a, struct pf_pair_item *b)
{
	struct pf_pair_item kept = *a;

	*a = *b;
	*b = kept;
}

/* Of copies that are identical, those with equal flags go to the front of both lists. */
static void equal_flags_first(struct pf_pair_item *mine, struct pf_pair_item *theirs, size_t n)
{
	size_t done = 0;

	for (size_t i = 0; i < n; i++) {
		size_t k = done;

		while (k < n && k < done + NEAR && mine[i].flags_key != theirs[k].flags_key) {
			k++;
		}
		if (k < n && k < done + NEAR) {
			swap(&mine[i], &mine[done]);
			swap(&theirs[k], &theirs[done]);
			done++;
		}
	}
}

/* As many of either, in order. */
static int take_run(struct nameless *w, struct pf_pair_item *mine, struct pf_pair_item *theirs,
	size_t n, struct pf_err *err)
{
	equal_flags_first(mine, theirs, n);
	for (size_t i = 0; i < n; i++) {
		if (take(w, &mine[i], &theirs[i], err) != PF_OK) {
			return PF_FAIL;
		}
	}
	return PF_OK;
}

/* Pair what is equal by `cmp`, wherever that is sure. Both lists are sorted by it. */
static int pair_equal(
	struct nameless *w, int (*cmp)(const void *, const void *), struct pf_err *err)
{
	size_t i = 0, k = 0;

	while (i < w->n && k < w->m) {
		int d = cmp(&w->mine[i], &w->theirs[k]);
		size_t n, m;

		if (d != 0) {
			i += d < 0;
			k += d > 0;
			continue;
		}
		n = run(&w->mine[i], w->n - i, cmp);
		m = run(&w->theirs[k], w->m - k, cmp);
		if (is_sure(w, &w->mine[i], n, m) &&
			take_run(w, &w->mine[i], &w->theirs[k], n, err) != PF_OK) {
			return PF_FAIL;
		}
		i += n;
		k += m;
	}
	w->n = unpaired(w->mine, w->n);
	w->m = unpaired(w->theirs, w->m);
	return PF_OK;
}

static int pair(struct nameless *w, struct pf_err *err)
{
	qsort(w->mine, w->n, sizeof(*w->mine), size_date_index);
	qsort(w->theirs, w->m, sizeof(*w->theirs), size_date_index);
	if (pair_equal(w, by_size_date, err) != PF_OK) {
		return PF_FAIL;
	}
	/* What a target rewrites has another size there, and the same date. */
	qsort(w->mine, w->n, sizeof(*w->mine), date_index);
	qsort(w->theirs, w->m, sizeof(*w->theirs), date_index);
	return pair_equal(w, by_date_only, err);
}

static void fill(struct nameless *w)
{
	struct pf_fold *f = w->fold;

	for (size_t i = 0; i < f->rows.n; i++) {
		const struct pf_entry *e = &f->rows.v[i];

		if (fold_is_awaited(f, e) && !e->dst_id.p) {
			w->mine[w->n++] = (struct pf_pair_item){.size = e->size,
				.date_utc_s = e->date_utc_s,
				.flags_key = flags_key(f, e),
				.index = i,
				.mate = SIZE_MAX};
		}
	}
	for (size_t i = 0; i < f->foreign_n; i++) {
		w->theirs[w->m++] = (struct pf_pair_item){.size = f->foreign[i].size,
			.date_utc_s = f->foreign[i].date_utc_s,
			.flags_key = pf_flags_key(&f->foreign[i].flags),
			.index = i,
			.mate = SIZE_MAX};
	}
}

static int name_by_date(struct pf_fold *f, struct pf_err *err)
{
	struct nameless w = {
		.fold = f,
		.mine = calloc(f->rows.n + 1, sizeof(*w.mine)),
		.theirs = calloc(f->foreign_n + 1, sizeof(*w.theirs)),
	};
	int rc = PF_FAIL;

	if (!w.mine || !w.theirs) {
		(void)pf_fail_memory(err, "confirming a folder");
	} else {
		fold_order_foreign(f);
		fill(&w);
		rc = w.n > 0 && w.m > 0 ? pair(&w, err) : PF_OK;
	}
	free(w.mine);
	free(w.theirs);
	return rc;
}

int fold_confirm_names(struct pf_fold *f, bool *more, struct pf_err *err)
{
	*more = false;
	if (!job_writes(f->job)) {
		return PF_OK; /* what can be found by content has been, behind the first listings */
	}
	/* Once contents have been compared, what is left over is not ours, whatever its size. */
	if (!f->names_sought && job_has_cap(f->job, DST, PF_CAP_KEEPS_DATE) &&
		name_by_date(f, err) != PF_OK) {
		return PF_FAIL;
	}
	for (size_t i = 0; i < f->rows.n && f->foreign_n > 0 && !*more; i++) {
		*more = fold_is_awaited(f, &f->rows.v[i]) && !f->rows.v[i].dst_id.p;
	}
	return PF_OK;
}
