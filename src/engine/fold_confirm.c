/*
 * The target read back (promise P10): what was written is looked for in a new listing, by id, size,
 * date and flags. Ids that the target did not tell are found by size and date among what came
 * since, or else by their content.
 */
#include "engine/job_private.h"

#include <stdlib.h>

static bool is_awaited(const struct pf_fold *f, const struct pf_entry *e)
{
	if (f->job->cfg->mode == PF_JOB_VERIFY) {
		return e->verdict == PF_VERDICT_COPIED || e->verdict == PF_VERDICT_PRESENT;
	}
	return (e->bits & PF_ENTRY_CONFIRM) && !(e->bits & PF_ENTRY_CONFIRMED);
}

int fold_confirm_begin(struct pf_fold *f, struct pf_err *err)
{
	bool any = false;

	if (f->job->cfg->mode == PF_JOB_VERIFY) {
		any = f->dst_exists;
		f->confirm_rounds = 1;
		for (size_t i = 0; i < f->rows.n; i++) {
			f->rows.v[i].bits &= (uint16_t)~PF_ENTRY_CONFIRMED;
		}
		if (!any) {
			return fold_confirm_end(f, err) == PF_OK ? PF_END : PF_FAIL;
		}
		return fold_list_dst(f, 0, err) == PF_FAIL ? PF_FAIL : PF_OK;
	}
	for (size_t i = 0; i < f->rows.n && !any; i++) {
		any = is_awaited(f, &f->rows.v[i]);
	}
	f->confirm_rounds++;
	if (!any) {
		return PF_END;
	}
	return fold_list_dst(f, f->dst_mark, err) == PF_FAIL ? PF_FAIL : PF_OK;
}

static void compare_flags(struct pf_fold *f, struct pf_entry *e, const struct pf_item *item)
{
	struct pf_buf kw;
	struct pf_flags want, wish = {e->sys, e->kw};
	struct pf_err ignored; /* no memory: the flags are compared again by the next verify */
	struct pf_span rest, word;
	bool lost = false;

	pf_buf_init(&kw, 65536);
	if (flags_permitted(f, wish, &kw, &want, &ignored) == PF_OK) {
		rest = want.kw;
		lost = (want.sys & ~item->flags.sys) != 0;
		while (!lost && pf_keywords_next(&rest, &word)) {
			lost = !pf_keywords_has(item->flags.kw, word);
		}
	}
	pf_buf_deinit(&kw);
	if (!lost) {
		return;
	}
	if (f->job->cfg->mode == PF_JOB_VERIFY) {
		f->job->outcome.differing++;
		job_event(f->job, PF_EV_FLAG_DROPPED, f, e, "the target lacks some of its flags");
	} else {
		e->bits |= PF_ENTRY_FLAGS_LATER;
	}
}

static void compare(struct pf_fold *f, struct pf_entry *e, const struct pf_item *item)
{
	bool verify = f->job->cfg->mode == PF_JOB_VERIFY;

	e->bits |= PF_ENTRY_CONFIRMED;
	f->job->outcome.compared++;
	if ((job_has_cap(f->job, DST, PF_CAP_EXACT_SIZE) && item->size != e->size) ||
		(verify && f->job->cfg->deep) || (e->bits & PF_ENTRY_FRAGILE)) {
		e->bits |= PF_ENTRY_DEEP;
	}
	if (e->date_utc_s != PF_DATE_NONE && item->date_utc_s != e->date_utc_s &&
		job_has_cap(f->job, DST, PF_CAP_KEEPS_DATE)) {
		f->job->outcome.differing += verify;
		job_event(
			f->job, PF_EV_DATE_NOT_KEPT, f, e, "the target shows another date for it");
	}
	compare_flags(f, e, item);
}

int fold_confirm_item(struct pf_fold *f, const struct pf_item *item, struct pf_err *err)
{
	struct pf_entry *e = pf_rows_find_dst(&f->rows, item->id);

	if (!e) {
		return fold_add_foreign(f, item, err);
	}
	if (is_awaited(f, e)) {
		compare(f, e, item);
	}
	return PF_OK;
}

/* ---- ids that the target did not tell ---- */

struct nameless {
	struct pf_pair_item *mine, *theirs;
	size_t n, m;
};

static int by_size_date(const void *a, const void *b)
{
	const struct pf_pair_item *x = a, *y = b;

	if (x->size != y->size) {
		return x->size < y->size ? -1 : 1;
	}
	if (x->date_utc_s != y->date_utc_s) {
		return x->date_utc_s < y->date_utc_s ? -1 : 1;
	}
	return x->index < y->index ? -1 : x->index > y->index;
}

static int by_date_only(const void *a, const void *b)
{
	const struct pf_pair_item *x = a, *y = b;

	if (x->date_utc_s != y->date_utc_s) {
		return x->date_utc_s < y->date_utc_s ? -1 : 1;
	}
	return x->index < y->index ? -1 : x->index > y->index;
}

/* Go through both in order and pair what is equal but for its index. */
static void walk(struct nameless *w, bool sizes)
{
	int (*cmp)(const void *, const void *) = sizes ? by_size_date : by_date_only;
	size_t i = 0, k = 0;

	qsort(w->mine, w->n, sizeof(*w->mine), cmp);
	qsort(w->theirs, w->m, sizeof(*w->theirs), cmp);
	while (i < w->n && k < w->m) {
		struct pf_pair_item x = w->mine[i], y = w->theirs[k];
		int d;

		if (x.mate != SIZE_MAX || y.mate != SIZE_MAX) {
			i += x.mate != SIZE_MAX;
			k += y.mate != SIZE_MAX;
			continue;
		}
		x.index = 0;
		y.index = 0;
		d = cmp(&x, &y);
		if (d == 0) {
			w->mine[i].mate = w->theirs[k].index;
			w->theirs[k].mate = w->mine[i].index;
		}
		i += d <= 0;
		k += d >= 0;
	}
}

static int take_ids(struct pf_fold *f, struct nameless *w, struct pf_err *err)
{
	for (size_t i = 0; i < w->n; i++) {
		struct pf_entry *e = &f->rows.v[w->mine[i].index];
		struct pf_foreign *o;

		if (w->mine[i].mate == SIZE_MAX) {
			continue;
		}
		o = &f->foreign[w->mine[i].mate];
		e->dst_id = o->id;
		o->id = pf_span(NULL, 0); /* it is foreign no more */
		e->bits |= PF_ENTRY_CONFIRMED;
		f->job->outcome.compared++;
		if (o->size != e->size && job_has_cap(f->job, DST, PF_CAP_EXACT_SIZE)) {
			e->bits |= PF_ENTRY_DEEP;
		}
		if (job_keeps(f->job) &&
			pf_rows_save(e, f->job->cfg->ledger, f->row_id, NULL, err) != PF_OK) {
			return PF_FAIL;
		}
	}
	return PF_OK;
}

static int name_by_date(struct pf_fold *f, struct pf_err *err)
{
	struct nameless w = {
		.mine = calloc(f->rows.n + 1, sizeof(*w.mine)),
		.theirs = calloc(f->foreign_n + 1, sizeof(*w.theirs)),
	};
	int rc = PF_FAIL;

	if (!w.mine || !w.theirs) {
		(void)pf_fail_memory(err, "confirming a folder");
		goto out;
	}
	for (size_t i = 0; i < f->rows.n; i++) {
		const struct pf_entry *e = &f->rows.v[i];

		if (is_awaited(f, e) && !e->dst_id.p) {
			w.mine[w.n++] = (struct pf_pair_item){.size = e->size,
				.date_utc_s = e->date_utc_s,
				.index = i,
				.mate = SIZE_MAX};
		}
	}
	for (size_t i = 0; i < f->foreign_n; i++) {
		w.theirs[w.m++] = (struct pf_pair_item){.size = f->foreign[i].size,
			.date_utc_s = f->foreign[i].date_utc_s,
			.index = i,
			.mate = SIZE_MAX};
	}
	if (w.n > 0 && w.m > 0) {
		walk(&w, true);
		walk(&w, false); /* a target that rewrites shows another size */
	}
	rc = take_ids(f, &w, err);
out:
	free(w.mine);
	free(w.theirs);
	return rc;
}

int fold_confirm_names(struct pf_fold *f, bool *more, struct pf_err *err)
{
	if (job_has_cap(f->job, DST, PF_CAP_KEEPS_DATE) && name_by_date(f, err) != PF_OK) {
		return PF_FAIL;
	}
	*more = false;
	for (size_t i = 0; i < f->rows.n && f->foreign_n > 0 && !*more; i++) {
		*more = is_awaited(f, &f->rows.v[i]) && !f->rows.v[i].dst_id.p;
	}
	return PF_OK;
}

/* ---- what is not there ---- */

static int not_there(struct pf_fold *f, struct pf_entry *e, struct pf_err *err)
{
	job_event(f->job, PF_EV_NOT_AT_TARGET, f, e,
		"the target took it, but does not show it any more");
	if (f->job->cfg->mode == PF_JOB_VERIFY) {
		f->job->outcome.not_at_target++;
		return PF_OK;
	}
	if (e->remade++ > 0) {
		return quarantine_entry(f, e, NULL,
			"the target took it twice, but does not show it; the source still has it",
			err);
	}
	f->job->outcome.copied_now--;
	f->job->outcome.bytes_now -= e->size;
	e->state = PF_ROW_PLANNED;
	e->verdict = PF_VERDICT_NONE;
	e->dst_id = pf_span(NULL, 0);
	e->bits &= (uint16_t)~PF_ENTRY_CONFIRM;
	f->again++;
	f->again_ms = 0;
	return pf_rows_save(e, f->job->cfg->ledger, f->row_id, NULL, err);
}

int fold_confirm_end(struct pf_fold *f, struct pf_err *err)
{
	for (size_t i = 0; i < f->rows.n; i++) {
		struct pf_entry *e = &f->rows.v[i];

		if (is_awaited(f, e) && !(e->bits & PF_ENTRY_CONFIRMED) &&
			not_there(f, e, err) != PF_OK) {
			return PF_FAIL;
		}
	}
	f->foreign_n = 0;
	f->deep_next = 0;
	return PF_OK;
}
