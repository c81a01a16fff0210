/*
 * Folders whose items have other ids with each look at them (RFC 4315: UIDNOTSTICKY). Where the ids
 * changed again and again, the folder is done when all others are, and with no other beside it:
 * then the ids of a listing hold for the items that are read behind it. No id is kept. What is new
 * is told from what is there by pairing the whole folder by content, and what was put is read back
 * in the same way.
 */
#include "engine/fold_private.h"

static bool is_stored(const struct pf_entry *e)
{
	return e->verdict == PF_VERDICT_COPIED || e->verdict == PF_VERDICT_PRESENT;
}

bool fold_is_nameless(const struct pf_fold *f)
{
	bool any = false;

	if (f->row_id == 0 || f->dst_validity != 0 || f->dst_mark != 0) {
		return false;
	}
	for (size_t i = 0; i < f->rows.n; i++) {
		if (f->rows.v[i].dst_id.p) {
			return false;
		}
		any = any || is_stored(&f->rows.v[i]);
	}
	return any;
}

void fold_forget_ids(struct pf_fold *f)
{
	for (size_t i = 0; i < f->rows.n; i++) {
		f->rows.v[i].dst_id = pf_span(NULL, 0);
	}
}

bool fold_awaits_some(const struct pf_fold *f)
{
	for (size_t i = 0; i < f->rows.n; i++) {
		if (fold_is_awaited(f, &f->rows.v[i])) {
			return true;
		}
	}
	return false;
}

bool fold_must_look(const struct pf_fold *f)
{
	for (size_t i = 0; i < f->rows.n; i++) {
		const struct pf_entry *e = &f->rows.v[i];

		if ((e->verdict == PF_VERDICT_NONE && e->state != PF_ROW_REFUSED) ||
			(e->bits & (PF_ENTRY_CARRY | PF_ENTRY_FLAGS_LATER))) {
			return true;
		}
	}
	return fold_awaits_some(f);
}

int fold_not_found(struct pf_fold *f, struct pf_entry *e, struct pf_err *err)
{
	/* Who may have taken it away is not known, nor whether the target rewrote it. */
	return (e->bits & PF_ENTRY_CONFIRM) ? fold_not_there(f, e, err) : PF_OK;
}

int fold_fleeting_end(struct pf_fold *f, struct pf_err *err)
{
	f->dst_validity = 0;
	f->dst_mark = 0;
	for (size_t i = 0; i < f->rows.n; i++) {
		struct pf_entry *e = &f->rows.v[i];

		if (!e->dst_id.p) {
			continue;
		}
		e->dst_id = pf_span(NULL, 0);
		if (job_keeps(f->job) &&
			pf_rows_save(e, f->job->cfg->ledger, f->row_id, NULL, err) != PF_OK) {
			return PF_FAIL;
		}
	}
	return PF_OK;
}
