/*
 * One folder from its listing to its end.
 *
 *   WAITING -> MAKING -> LISTING -> PAIRING -> COPYING -> CONFIRMING -> CARRYING -> NAMING -> OVER
 *                                      ^          |
 *                                      +-SETTLING-+  (items whose end is in doubt)
 *                                      +-CHECKING-+  (items that did not come)
 *                                      +-CONFIRMING  (ids that the target did not tell)
 *
 * From any state behind LISTING it goes back there when a side gives its items new ids under way.
 *
 * Folders whose items carry identifiers go their own way (keyed.c): WAITING -> KEYED -> OVER; so do
 * those that no target takes: WAITING -> NOWHERE -> OVER.
 */
#include "base/utf8.h"
#include "engine/keyed_private.h"

#include <stdlib.h>

enum { LOOKS = 3 }; /* at a folder whose ids do not hold, for one at another */

bool fold_is_active(const struct pf_fold *f)
{
	return f->state != FOLD_WAITING && f->state != FOLD_OVER;
}

unsigned int fold_stage(const struct pf_fold *f)
{
	return f->keyed ? FOLD_OVER + 1 + (unsigned int)f->keyed->state : (unsigned int)f->state;
}

bool fold_has_place(const struct pf_fold *f)
{
	return f->dst_exists;
}

void fold_free_work(struct pf_fold *f)
{
	f->job->rows_in_memory -=
		f->rows.n < f->job->rows_in_memory ? f->rows.n : f->job->rows_in_memory;
	keyed_free(f);
	fold_nowhere_free(f);
	fold_pair_free(f);
	fold_deep_free(f);
	pf_rows_deinit(&f->rows);
	pf_rows_deinit(&f->void_rows);
	free(f->foreign);
	free(f->claimed);
	f->foreign = NULL;
	f->claimed = NULL;
	f->foreign_n = 0;
	f->foreign_cap = 0;
	f->claimed_n = 0;
	pf_buf_deinit(&f->permitted_kw);
	pf_buf_deinit(&f->denied);
	pf_buf_deinit(&f->single_lost);
}

/* The slots that wait for nothing at the target any more are given back. */
static void drop_slots(struct pf_fold *f)
{
	for (size_t i = 0; i < f->job->slots_touched && f->slots > 0; i++) {
		if (f->job->slots[i].state != SLOT_FREE && f->job->slots[i].fold == f) {
			slot_release(&f->job->slots[i]);
		}
	}
}

static int over(struct pf_fold *f, struct pf_err *err)
{
	int rc = PF_OK;

	f->job->alone = f->job->alone == f ? NULL : f->job->alone;
	if (job_keeps(f->job) && f->row_id != 0) {
		rc = fold_copy_unsend(f, err);
		if (rc == PF_OK) {
			rc = fold_save(f, err);
		}
	}
	drop_slots(f);
	fold_free_work(f);
	f->state = FOLD_OVER;
	return rc;
}

void fold_fail(struct pf_fold *f, const struct pf_err *why)
{
	struct pf_err ignored; /* what can't be noted now is found out by the next pass */

	if (f->state == FOLD_OVER) {
		return;
	}
	f->failed = true;
	(void)pf_print_safe(f->note, sizeof(f->note), pf_span_str(why->text));
	job_event(f->job, PF_EV_FOLDER_FAILED, f, NULL, "%s", why->text);
	(void)over(f, &ignored);
	f->job->progress.folders_done++;
}

bool fold_is_stale(struct pf_fold *f, const struct pf_err *why)
{
	bool stale = why->number == PF_EV_VALIDITY_CHANGED;

	f->restart = f->restart || stale;
	return stale;
}

/* What the source had and was not copied yet is not asked for any more. */
static void lose_source(struct pf_fold *f)
{
	for (size_t i = 0; i < f->rows.n; i++) {
		f->rows.v[i].bits |= PF_ENTRY_GONE;
	}
	f->unfinished = true;
	f->src_lost = true;
}

bool fold_is_lost(struct pf_fold *f, enum pf_side_no side, const struct pf_err *why)
{
	bool again = side == SRC ? f->src_lost : f->dst_lost;

	if (why->number != PF_EV_FOLDER_LOST || (side == DST && !job_writes(f->job))) {
		return false;
	}
	if (!again) {
		job_event(f->job, PF_EV_FOLDER_LOST, f, NULL, "%s: %s",
			side == SRC ? "source" : "target", why->text);
	}
	if (side == SRC) {
		lose_source(f);
	} else {
		f->dst_lost = true;
		f->restart = true;
	}
	return true;
}

/* What did not come before the source's folder was gone. */
static int end_lost(struct pf_fold *f, struct pf_err *err)
{
	for (size_t i = 0; f->src_lost && i < f->rows.n; i++) {
		struct pf_entry *e = &f->rows.v[i];

		if (e->verdict == PF_VERDICT_NONE && fold_vanished(f, e, err) != PF_OK) {
			return PF_FAIL;
		}
	}
	return PF_OK;
}

/* Its folder at the target is made again: the job moves it on. */
static int make_again(struct pf_fold *f, struct pf_err *err)
{
	f->dst_lost = false;
	f->dst_exists = false;
	f->needs_making = true;
	f->job->make_again = true;
	f->dst_mark = 0;
	fold_forget_ids(f);
	f->state = FOLD_MAKING;
	return job_keeps(f->job) ? fold_save(f, err) : PF_OK;
}

/*
 * Its ids do not hold while other folders are looked at: from the start, when these are over. The
 * rows stay, as they tell what this pass has put and must read back.
 */
static void begin_alone(struct pf_fold *f)
{
	fold_pair_free(f);
	fold_deep_free(f);
	for (size_t i = 0; i < f->rows.n; i++) {
		f->rows.v[i].bits &= (uint16_t) ~(PF_ENTRY_BUSY | PF_ENTRY_MISSING | PF_ENTRY_DEEP);
	}
	f->fleeting = true;
	f->restart = false;
	f->restarts = 0;
	f->doubts = 0;
	f->missing = 0;
	f->again = 0;
	f->settle_rounds = 0;
	f->confirm_rounds = 0;
	f->names_sought = false;
	f->flag_next = 0;
	f->state = FOLD_WAITING;
}

/* Nothing is under way any more: list both sides in full, and pair by content. */
static int begin_anew(struct pf_fold *f, struct pf_err *err)
{
	if (f->restarts++ >= RESTARTS_MAX * (f->fleeting ? LOOKS : 1)) {
		if (!f->fleeting && job_writes(f->job)) {
			begin_alone(f);
			return PF_OK;
		}
		return pf_fail(err, PF_SCOPE_FOLDER, PF_RETRY_LATER,
			"its items get new ids again and again");
	}
	f->restart = false;
	f->state = FOLD_LISTING;
	f->doubts = 0;
	f->missing = 0;
	f->again = 0;
	f->settle_rounds = 0;
	f->confirm_rounds = 0;
	f->names_sought = false;
	f->foreign_n = 0;
	f->flag_next = 0;
	f->single_next = 0;
	f->single_word = 0;
	f->name_next = 0;
	fold_pair_free(f);
	fold_deep_free(f);
	for (size_t i = 0; i < f->rows.n; i++) {
		f->rows.v[i].bits &= (uint16_t) ~(
			PF_ENTRY_BUSY | PF_ENTRY_MISSING | PF_ENTRY_DEEP | PF_ENTRY_SINGLY);
	}
	if (f->dst_lost) {
		return make_again(f, err);
	}
	if (fold_list_src(f, false, err) == PF_FAIL) {
		return PF_FAIL;
	}
	return fold_list_dst(f, 0, err) == PF_FAIL ? PF_FAIL : PF_OK;
}

int fold_begin_listing(struct pf_fold *f, struct pf_err *err)
{
	bool mail = f->kind == PF_KIND_MAIL;

	f->state = mail ? FOLD_LISTING : FOLD_KEYED;
	return mail ? fold_list_begin(f, err) : keyed_begin(f, err);
}

static int begin(struct pf_fold *f, struct pf_err *err)
{
	if (f->skipped || f->unchanged || !f->selectable) {
		return over(f, err);
	}
	if (f->nowhere) {
		return f->job->cfg->mode == PF_JOB_VERIFY ? over(f, err)
							  : fold_nowhere_begin(f, err);
	}
	f->job->alone = f->fleeting ? f : f->job->alone;
	if (job_writes(f->job) && !f->dst_exists) {
		f->state = FOLD_MAKING; /* job_folders moves it on */
		return PF_OK;
	}
	return fold_begin_listing(f, err);
}

static int begin_confirm(struct pf_fold *f, struct pf_err *err)
{
	int rc;

	if (f->fleeting && job_writes(f->job)) {
		if (fold_awaits_some(f)) {
			return begin_anew(f, err);
		}
		f->state = FOLD_CARRYING;
		return PF_OK;
	}
	f->confirmed = false;
	f->state = FOLD_CONFIRMING;
	rc = fold_confirm_begin(f, err);
	f->state = rc == PF_END ? FOLD_CARRYING : FOLD_CONFIRMING;
	return rc == PF_FAIL ? PF_FAIL : PF_OK;
}

static int begin_copy(struct pf_fold *f, struct pf_err *err)
{
	if (!job_writes(f->job)) {
		return f->job->cfg->mode == PF_JOB_VERIFY ? begin_confirm(f, err) : over(f, err);
	}
	if (f->late) {
		return fold_late_begin(f, err);
	}
	f->state = FOLD_COPYING;
	fold_copy_begin(f);
	return PF_OK;
}

static int begin_pair(struct pf_fold *f, struct pf_err *err)
{
	int rc;

	f->pair_anew = f->state == FOLD_LISTING;
	f->pair_names = f->state == FOLD_CONFIRMING;
	f->state = FOLD_PAIRING;
	rc = fold_pair_begin(f, err);
	if (rc == PF_END) {
		return begin_copy(f, err);
	}
	return rc;
}

/* All slots are empty: what is left to find out? */
static int after_copy(struct pf_fold *f, struct pf_err *err)
{
	if (f->restart || (f->fleeting && f->doubts > 0)) {
		return begin_anew(f, err);
	}
	if (f->doubts > 0 && f->settle_rounds < SETTLE_ROUNDS_MAX) {
		f->settle_rounds = f->put_some ? 1 : f->settle_rounds + 1;
		f->put_some = false;
		f->state = FOLD_SETTLING;
		return fold_list_dst(f, f->dst_mark, err);
	}
	if (f->missing > 0) {
		f->state = FOLD_CHECKING;
		return fold_list_src(f, false, err);
	}
	return end_lost(f, err) == PF_OK ? begin_confirm(f, err) : PF_FAIL;
}

static int step_listing(struct pf_fold *f, struct pf_err *err)
{
	if (!f->src_done || !f->dst_done) {
		return fold_list_step(f, err);
	}
	if (f->restart) {
		return begin_anew(f, err);
	}
	switch (f->state) {
	case FOLD_LISTING:
	case FOLD_SETTLING:
		if (fold_list_end(f, err) != PF_OK) {
			return PF_FAIL;
		}
		return begin_pair(f, err);
	case FOLD_CHECKING:
		if (missing_settle(f, err) != PF_OK) {
			return PF_FAIL;
		}
		f->state = FOLD_COPYING; /* what came meanwhile */
		f->again = 1;
		f->again_ms = 0;
		return PF_OK;
	default:
		return PF_OK;
	}
}

static int step_confirming(struct pf_fold *f, struct pf_err *err)
{
	int rc;

	if (!f->dst_done) {
		return fold_list_step(f, err);
	}
	if (f->restart) {
		return f->deep_open == 0 ? begin_anew(f, err) : PF_AGAIN;
	}
	if (!f->confirmed) {
		bool more = false;

		if (fold_confirm_forgets(f)) {
			return begin_confirm(f, err);
		}
		f->confirmed = true;
		if (fold_confirm_names(f, &more, err) != PF_OK) {
			return PF_FAIL;
		}
		if (more && !f->names_sought &&
			job_writes(f->job)) { /* and then it is read back once more */
			f->names_sought = true;
			f->confirm_rounds--;
			return begin_pair(f, err);
		}
		if (fold_confirm_end(f, err) != PF_OK) {
			return PF_FAIL;
		}
	}
	rc = fold_deep_step(f, err);
	if (rc != PF_OK) {
		return rc;
	}
	if (fold_confirm_forgets(f)) {
		return begin_confirm(f, err);
	}
	if (f->again > 0 && f->confirm_rounds <= 1) { /* the target lost some: once more */
		f->state = FOLD_COPYING;
		f->names_sought = false;
		return PF_OK;
	}
	f->state = FOLD_CARRYING;
	return PF_OK;
}

/* All went through: the next pass may start from what the source shows now. */
static int complete(struct pf_fold *f, struct pf_err *err)
{
	pf_buf_clear(&f->old_cursor);
	if (!f->unfinished &&
		pf_buf_add(&f->old_cursor, pf_buf_span(&f->new_cursor), err) != PF_OK) {
		return PF_FAIL;
	}
	f->dst_mark = f->dst_next > f->dst_mark ? f->dst_next : f->dst_mark;
	if (f->fleeting && fold_fleeting_end(f, err) != PF_OK) {
		return PF_FAIL;
	}
	return over(f, err);
}

int fold_step(struct pf_fold *f, struct pf_err *err)
{
	int rc = PF_OK;

	switch (f->state) {
	case FOLD_WAITING:
		return begin(f, err);
	case FOLD_MAKING:
	case FOLD_OVER:
		return PF_OK;
	case FOLD_LISTING:
	case FOLD_SETTLING:
	case FOLD_CHECKING:
		return step_listing(f, err);
	case FOLD_PAIRING:
		rc = fold_pair_step(f, err);
		if (rc == PF_OK) {
			return f->restart ? begin_anew(f, err) : begin_copy(f, err);
		}
		return rc;
	case FOLD_COPYING:
		rc = fold_copy_step(f, err);
		f->copied_through = f->copied_through || rc == PF_OK;
		return rc == PF_OK ? after_copy(f, err) : rc;
	case FOLD_CONFIRMING:
		return step_confirming(f, err);
	case FOLD_CARRYING:
		rc = fold_flags_step(f, err);
		if (rc == PF_OK && f->restart) {
			return begin_anew(f, err);
		}
		f->state = rc == PF_OK ? FOLD_NAMING : FOLD_CARRYING;
		return rc;
	case FOLD_NOWHERE:
		rc = fold_nowhere_step(f, err);
		return rc == PF_OK ? over(f, err) : rc;
	case FOLD_KEYED:
		rc = keyed_step(f, err);
		return rc == PF_OK ? over(f, err) : rc;
	case FOLD_NAMING:
		rc = fold_name_step(f, err);
		return rc == PF_OK ? complete(f, err) : rc;
	}
	return PF_OK;
}

int fold_event(struct pf_fold *f, enum pf_side_no side, const struct pf_store_event *ev,
	struct pf_err *err)
{
	if (op_use(ev->op) == USE_LINK) {
		links_event(f, ev);
		return PF_OK;
	}
	if (f->nowhere) {
		struct pf_blob *body = ev->kind == PF_STORE_BODY ? ev->body : NULL;

		if (f->state == FOLD_NOWHERE) {
			return fold_nowhere_event(f, ev, err);
		}
		pf_blob_unref(&body);
		return PF_OK;
	}
	if (f->keyed || op_use(ev->op) >= USE_KEYED_SRC) {
		return keyed_event(f, side, ev, err);
	}
	switch (op_use(ev->op)) {
	case USE_LIST_SRC:
	case USE_LIST_DST:
		return f->state == FOLD_OVER ? PF_OK : fold_list_event(f, side, ev, err);
	case USE_PAIR:
		return fold_pair_event(f, side, ev, err);
	case USE_GET:
	case USE_PUT:
		return fold_copy_event(f, side, ev, err);
	case USE_FLAGS:
		return fold_flags_event(f, ev, err);
	case USE_NAME:
		return fold_name_event(f, ev, err);
	case USE_DEEP:
		return fold_deep_event(f, side, ev, err);
	default:
		return PF_OK;
	}
}
