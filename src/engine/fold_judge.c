/*
 * Both listings are there: what is new, what changed, what left the source, and whether they can be
 * believed.
 */
#include "base/utf8.h"
#include "engine/fold_private.h"

#include <stdlib.h>

void fold_mark_gone(struct pf_fold *f)
{
	for (size_t i = 0; !f->delta && !f->incomplete && i < f->rows.n; i++) {
		if (!(f->rows.v[i].bits & PF_ENTRY_LISTED)) {
			f->rows.v[i].bits |= PF_ENTRY_GONE;
		}
	}
}

static int note_gone(struct pf_fold *f, struct pf_entry *e, struct pf_err *err)
{
	struct pf_gone *grown;

	if (!f->job->cfg->mirror || f->incomplete || f->src_lost || !e->dst_id.p ||
		e->verdict != PF_VERDICT_COPIED) {
		return PF_OK; /* what this ledger did not write is never removed */
	}
	if (f->gone_n == f->gone_cap) {
		f->gone_cap = f->gone_cap ? f->gone_cap * 2 : 16;
		grown = realloc(f->gone, f->gone_cap * sizeof(*grown));
		if (!grown) {
			return pf_fail_memory(err, "the items of a folder");
		}
		f->gone = grown;
	}
	f->gone[f->gone_n++] = (struct pf_gone){
		.dst_id = pf_arena_span(&f->gone_arena, e->dst_id),
		.kw = pf_arena_span(&f->gone_arena, e->kw),
		.seq = e->seq,
		.size = e->size,
		.date_utc_s = e->date_utc_s,
		.sys = e->sys,
		.has_digest = e->digest != NULL,
		.digest = e->digest ? *e->digest : (struct pf_digest){{0}},
	};
	return PF_OK;
}

/* It left the source before it was copied. What was in quarantine for it stays there. */
int fold_vanished(struct pf_fold *f, struct pf_entry *e, struct pf_err *err)
{
	const char *why = e->verdict == PF_VERDICT_QUARANTINED
				  ? "the source removed it while it was in quarantine"
				  : "the source removed it before it was copied";

	e->state = PF_ROW_DONE;
	e->verdict = PF_VERDICT_VANISHED;
	job_event(f->job, PF_EV_ITEM_VANISHED, f, e, "%s", why);
	return job_keeps(f->job) ? pf_rows_save(e, f->job->cfg->ledger, f->row_id, why, err)
				 : PF_OK;
}

/* What the state of a row from an earlier pass means for this one. */
static int review(struct pf_fold *f, struct pf_entry *e, struct pf_err *err)
{
	bool again = f->job->cfg->mode == PF_JOB_RETRY && e->verdict == PF_VERDICT_QUARANTINED;
	bool back; /* a listing before this one did not show it */

	if (e->bits & PF_ENTRY_GONE) {
		if ((e->verdict == PF_VERDICT_NONE && e->state != PF_ROW_SENT) ||
			e->verdict == PF_VERDICT_QUARANTINED) {
			return fold_vanished(f, e, err);
		}
		if (e->verdict == PF_VERDICT_COPIED || e->verdict == PF_VERDICT_PRESENT) {
			f->job->outcome.gone_from_source++;
			if (e->state != PF_ROW_LEFT) { /* a list of changes tells it only once */
				e->state = PF_ROW_LEFT;
				e->bits |= PF_ENTRY_UNSAVED;
			}
			return note_gone(f, e, err);
		}
		return PF_OK;
	}
	back = e->verdict == PF_VERDICT_VANISHED && (e->bits & PF_ENTRY_LISTED);
	if (again || back || (e->state == PF_ROW_REFUSED && e->verdict == PF_VERDICT_NONE)) {
		e->state = PF_ROW_PLANNED;
		e->verdict = PF_VERDICT_NONE;
		e->note = pf_span(NULL, 0);
		e->attempts = 0;
		e->bits |= PF_ENTRY_UNSAVED;
	}
	return PF_OK;
}

int fold_save_new(struct pf_fold *f, struct pf_err *err)
{
	for (size_t i = 0; i < f->rows.n; i++) {
		struct pf_entry *e = &f->rows.v[i];

		if ((e->bits & PF_ENTRY_UNSAVED) &&
			pf_rows_save(e, f->job->cfg->ledger, f->row_id, NULL, err) != PF_OK) {
			return PF_FAIL;
		}
	}
	return PF_OK;
}

/* Before the first write of a folder, and so mostly of the account. */
static void compare_room(struct pf_job *job)
{
	uint64_t room = job_facts(job, DST)->quota_free_bytes;

	if (job->room_told || room == UINT64_MAX || job->cfg->mode == PF_JOB_VERIFY ||
		job->outcome.estimate_bytes <= room) {
		return;
	}
	job->room_told = true;
	job_event(job, PF_EV_ROOM_SHORT, NULL, NULL,
		"the quota of the target leaves %llu bytes free, and %llu or more are to be copied",
		(unsigned long long)room, (unsigned long long)job->outcome.estimate_bytes);
}

static void count(struct pf_fold *f)
{
	struct pf_progress *p = &f->job->progress;
	uint64_t max = job_facts(f->job, DST)->max_item_bytes;

	f->to_copy_items = 0;
	f->to_copy_bytes = 0;
	f->too_large = 0;
	for (size_t i = 0; i < f->rows.n; i++) {
		const struct pf_entry *e = &f->rows.v[i];

		p->items++;
		if (e->verdict != PF_VERDICT_NONE) {
			p->items_done++;
			continue;
		}
		f->to_copy_items++;
		f->to_copy_bytes += e->size;
		f->too_large += max > 0 && e->size > max;
	}
	p->bytes += f->to_copy_bytes;
	f->job->outcome.estimate_bytes += f->to_copy_bytes;
	f->job->outcome.too_large += f->too_large;
	compare_room(f->job);
}

/* As many items as servers with a limit on what they show give at most. */
static bool is_round(uint64_t n)
{
	static const uint64_t LIMITS[] = {1000, 5000, 10000, 50000, 100000, 500000};

	for (size_t i = 0; i < PF_COUNT(LIMITS); i++) {
		if (n == LIMITS[i]) {
			return true;
		}
	}
	return false;
}

int fold_list_end(struct pf_fold *f, struct pf_err *err)
{
	size_t gone = 0;

	if (f->state == FOLD_SETTLING) {
		return PF_OK;
	}
	fold_mark_gone(f);
	f->gone_n = 0; /* of a listing before this one */
	f->gone_of = 0;
	for (size_t i = 0; i < f->rows.n; i++) {
		f->gone_of += f->rows.v[i].verdict == PF_VERDICT_COPIED ||
			      f->rows.v[i].verdict == PF_VERDICT_PRESENT;
		gone += (f->rows.v[i].bits & PF_ENTRY_GONE) != 0;
		if (review(f, &f->rows.v[i], err) != PF_OK) {
			return PF_FAIL;
		}
	}
	if (gone > 0) {
		job_event(f->job, PF_EV_GONE_FROM_SOURCE, f, NULL,
			"%zu known items are no longer at the source", gone);
	}
	if (is_round(f->rows.n - gone)) {
		job_event(f->job, PF_EV_LISTING_ROUND, f, NULL, "the source lists %zu items",
			f->rows.n - gone);
	}
	count(f);
	if (links_note(f, err) != PF_OK) {
		return PF_FAIL;
	}
	return job_keeps(f->job) ? fold_save_new(f, err) : PF_OK;
}
