/*
 * The target read back (promise P10): what was written is looked for in a new listing, by id, size,
 * date and flags.
 */
#include "engine/fold_private.h"

bool fold_is_awaited(const struct pf_fold *f, const struct pf_entry *e)
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
		any = fold_is_awaited(f, &f->rows.v[i]);
	}
	f->confirm_rounds++;
	if (!any) {
		return PF_END;
	}
	return fold_list_dst(f, f->dst_mark, err) == PF_FAIL ? PF_FAIL : PF_OK;
}

static int compare_flags(
	struct pf_fold *f, struct pf_entry *e, const struct pf_item *item, struct pf_err *err)
{
	char names[200];

	if (!flags_lack(f, e, &item->flags, names, sizeof(names))) {
		return PF_OK;
	}
	if (f->job->cfg->mode == PF_JOB_VERIFY) {
		f->job->outcome.differing++;
		job_event(f->job, PF_EV_FLAG_DROPPED, f, e, "the target lacks some of its flags:%s",
			names);
		return PF_OK;
	}
	e->bits |= PF_ENTRY_FLAGS_LATER;
	return job_keeps(f->job) ? pf_rows_save(e, f->job->cfg->ledger, f->row_id, NULL, err)
				 : PF_OK;
}

int fold_compare(
	struct pf_fold *f, struct pf_entry *e, const struct pf_item *item, struct pf_err *err)
{
	bool verify = f->job->cfg->mode == PF_JOB_VERIFY;

	e->bits |= PF_ENTRY_CONFIRMED;
	f->job->outcome.compared++;
	if ((job_has_cap(f->job, DST, PF_CAP_EXACT_SIZE) && item->size != e->size) ||
		(verify && f->job->cfg->deep) || (e->bits & PF_ENTRY_FRAGILE)) {
		e->bits |= PF_ENTRY_DEEP;
	}
	if (e->date_utc_s != PF_DATE_NONE && !pf_date_is_odd(e->date_utc_s) &&
		item->date_utc_s != e->date_utc_s && job_has_cap(f->job, DST, PF_CAP_KEEPS_DATE)) {
		char want[32], got[32];

		pf_date_iso(e->date_utc_s, want);
		pf_date_iso(item->date_utc_s, got);
		f->job->outcome.differing += verify;
		job_event(f->job, PF_EV_DATE_NOT_KEPT, f, e, "the target shows %s for it, not %s",
			got, want);
	}
	return compare_flags(f, e, item, err);
}

/* Neither size nor date are those of what was put: a target that rewrites keeps one of them. What a
 * row does not tell is no sign. */
static bool is_no_counterpart(
	const struct pf_fold *f, const struct pf_entry *e, const struct pf_item *item)
{
	return job_has_cap(f->job, DST, PF_CAP_EXACT_SIZE) &&
	       job_has_cap(f->job, DST, PF_CAP_KEEPS_DATE) && item->size > 0 &&
	       item->size != e->size && item->date_utc_s != PF_DATE_NONE &&
	       item->date_utc_s != e->date_utc_s && e->date_utc_s != PF_DATE_NONE &&
	       !pf_date_is_odd(e->date_utc_s);
}

int fold_confirm_item(struct pf_fold *f, const struct pf_item *item, struct pf_err *err)
{
	struct pf_entry *e = pf_rows_find_dst(&f->rows, item->id);

	if (!e) {
		return fold_add_foreign(f, item, err);
	}
	if (!fold_is_awaited(f, e)) {
		return PF_OK;
	}
	if (job_writes(f->job) && !f->ids_forgotten && is_no_counterpart(f, e, item)) {
		f->ids_wrong = true;
		return PF_OK;
	}
	return fold_compare(f, e, item, err);
}

/* ---- ids that are not what they were told to be ---- */

static bool were_told_wrong(const struct pf_fold *f)
{
	bool wrong = f->ids_wrong;

	/* One that is not there is lost, unless there is something that nobody knows. */
	for (size_t i = 0; i < f->rows.n && f->foreign_n > 0 && !wrong; i++) {
		const struct pf_entry *e = &f->rows.v[i];

		wrong = fold_is_awaited(f, e) && e->dst_id.p;
	}
	return wrong && job_writes(f->job) && !f->ids_forgotten;
}

bool fold_confirm_forgets(struct pf_fold *f)
{
	if (!were_told_wrong(f)) {
		return false;
	}
	f->ids_forgotten = true;
	f->confirm_rounds--;
	f->foreign_n = 0;
	for (size_t i = 0; i < f->rows.n; i++) {
		struct pf_entry *e = &f->rows.v[i];

		if ((e->bits & PF_ENTRY_CONFIRM) && e->dst_id.p) {
			f->job->outcome.compared -= (e->bits & PF_ENTRY_CONFIRMED) != 0;
			e->bits &= (uint16_t) ~(PF_ENTRY_CONFIRMED | PF_ENTRY_DEEP);
			e->dst_id = pf_span(NULL, 0);
		}
	}
	job_event(f->job, PF_EV_PROTOCOL_ODDITY, f, NULL,
		"the target told ids of what it stored under which it has something else, or "
		"nothing: they are looked for by what they are");
	return true;
}

/* ---- what is not there ---- */

int fold_not_there(struct pf_fold *f, struct pf_entry *e, struct pf_err *err)
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
	e->note = pf_span(NULL, 0);
	e->bits &= (uint16_t)~PF_ENTRY_CONFIRM;
	f->again++;
	f->again_ms = 0;
	return pf_rows_save(e, f->job->cfg->ledger, f->row_id, NULL, err);
}

int fold_confirm_end(struct pf_fold *f, struct pf_err *err)
{
	for (size_t i = 0; i < f->rows.n; i++) {
		struct pf_entry *e = &f->rows.v[i];

		if (fold_is_awaited(f, e) && !(e->bits & PF_ENTRY_CONFIRMED) &&
			fold_not_there(f, e, err) != PF_OK) {
			return PF_FAIL;
		}
	}
	f->foreign_n = 0;
	f->deep_next = 0;
	return PF_OK;
}
