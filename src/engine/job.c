/*
 * One pass over one account: its phases, and the events of both stores.
 *
 *   OPENING  until both stores are signed in and have listed their folders
 *   FOLDERS  the mapping is made, and what is missing at the target
 *   ITEMS    each folder goes through the states of fold.c, several at a time
 *   MIRROR   what left the source is removed, when that was asked for
 *   CLOSING  both stores sign out
 *   OVER
 */
#include "engine/keyed_private.h"

#include <stdlib.h>

enum {
	TURNS_MAX = 256, /* of the loop within one step, so that other jobs get their share */
	PAUSE_FIRST_MS = 500,
	PAUSE_MAX_MS = 60000,
	PATIENCE_MAX_S = 3600, /* a longer wish of a server is taken for a mistake */
};

bool job_writes(const struct pf_job *job)
{
	return (job->cfg->mode == PF_JOB_COPY || job->cfg->mode == PF_JOB_RETRY) &&
	       !job->cfg->dry_run;
}

bool job_keeps(const struct pf_job *job)
{
	return job->cfg->ledger && job_writes(job);
}

const struct pf_store_facts *job_facts(const struct pf_job *job, enum pf_side_no side)
{
	return pf_store_facts(job->side[side].store);
}

bool job_has_cap(const struct pf_job *job, enum pf_side_no side, uint32_t cap)
{
	return (job_facts(job, side)->caps & cap) != 0;
}

bool job_moves_native(const struct pf_job *job)
{
	const struct pf_native *given = &job_facts(job, SRC)->gives;
	const struct pf_native *taken = &job_facts(job, DST)->takes;

	return given->name && taken->name && strcmp(given->name, taken->name) == 0 &&
	       given->version <= taken->version;
}

int job_submit(struct pf_job *job, enum pf_side_no side, const struct pf_op *op, struct pf_err *err)
{
	return pf_store_submit(job->side[side].store, op, err);
}

int64_t job_pause_ms(const struct pf_job *job, unsigned int tries, const struct pf_err *why)
{
	int64_t pause = PAUSE_FIRST_MS;
	int64_t asked = why->retry_after_s > PATIENCE_MAX_S ? PATIENCE_MAX_S : why->retry_after_s;

	for (unsigned int i = 1; i < tries && pause < PAUSE_MAX_MS; i++) {
		pause *= 2;
	}
	pause = pause > PAUSE_MAX_MS ? PAUSE_MAX_MS : pause;
	pause += (job->now.ms * 7919 + (int64_t)tries * 104729) % (pause / 4 + 1); /* jitter */
	return asked * 1000 > pause ? asked * 1000 : pause;
}

int pf_job_new(const struct pf_job_cfg *cfg, struct pf_job **out, struct pf_err *err)
{
	struct pf_job *job = calloc(1, sizeof(*job));

	if (!job) {
		return pf_fail_memory(err, "a job");
	}
	job->cfg = cfg;
	job->side[SRC].store = cfg->from;
	job->side[DST].store = cfg->to;
	job->sharers = 1;
	pf_arena_init(&job->links.arena);
	pf_job_set_window(job, cfg->window_bytes ? cfg->window_bytes : WINDOW_DEFAULT);
	job->whole_max = job->window / 2 < WHOLE_MAX ? job->window / 2 : WHOLE_MAX;
	job->slots = calloc(SLOTS, sizeof(*job->slots));
	job->printer = pf_fingerprinter_new(false);
	if (!job->slots || !job->printer) {
		pf_job_free(&job);
		return pf_fail_memory(err, "a job");
	}
	job->progress.folder = "";
	*out = job;
	return PF_OK;
}

void pf_job_free(struct pf_job **job)
{
	struct pf_job *j = *job;

	if (!j) {
		return;
	}
	for (size_t i = 0; j->slots && i < j->slots_touched; i++) {
		if (j->slots[i].state != SLOT_FREE) {
			slot_release(&j->slots[i]);
		}
	}
	job_folders_free(j);
	pf_fingerprinter_free(&j->printer);
	pf_quarantine_free(&j->quarantine);
	pf_quarantine_free(&j->removed);
	pf_quarantine_free(&j->raw);
	free(j->slots);
	links_free(j);
	free(j);
	*job = NULL;
}

/* ---- events ---- */

static int dispatch(struct pf_job *job, enum pf_side_no side, const struct pf_store_event *ev,
	struct pf_err *err)
{
	struct pf_fold *f = op_fold(ev->op) < job->fold_count ? &job->folds[op_fold(ev->op)] : NULL;
	int rc;

	switch (op_use(ev->op)) {
	case USE_FOLDERS:
	case USE_MKFOLDER:
	case USE_SUBSCRIBE:
		return job_folders_event(job, side, ev, err);
	case USE_KEEP:
	case USE_REMOVE:
		return job_mirror_event(job, ev, err);
	case USE_CLOSE:
		return PF_OK;
	default:
		break;
	}
	if (!f) {
		return PF_OK;
	}
	rc = side == SRC && (ev->fates || ev->left || ev->raw.p) ? fates_note(f, ev, err) : PF_OK;
	rc = rc == PF_OK ? fold_event(f, side, ev, err) : rc;
	if (rc == PF_FAIL && err->scope <= PF_SCOPE_FOLDER) {
		fold_fail(f, err);
		return PF_OK;
	}
	return rc;
}

static int take_event(
	struct pf_job *job, enum pf_side_no side, struct pf_store_event *ev, struct pf_err *err)
{
	if (ev->kind == PF_STORE_READY) {
		job->side[side].ready = true;
		job->outcome.opened[side] = true;
		job_event(job, PF_EV_SIGNED_IN, NULL, NULL, "%s: %s",
			side == SRC ? "source" : "target", job_facts(job, side)->server);
		if (side == SRC && job_has_cap(job, SRC, PF_CAP_RIGHTS)) {
			job_event(job, PF_EV_RIGHTS_LEFT, NULL, NULL,
				"source: rights that others have on folders are not carried over");
		}
		return PF_OK;
	}
	if (ev->kind == PF_STORE_NOTE) {
		job_note(job, side, ev);
		return PF_OK;
	}
	if (job->phase >= PF_PHASE_CLOSING) {
		if (ev->kind == PF_STORE_BODY) {
			pf_blob_unref(&ev->body);
		}
		return PF_OK;
	}
	return dispatch(job, side, ev, err);
}

/* The chunk that had no room: until it is taken, the source is left alone. */
static int retry_held(struct pf_job *job, bool *moved, struct pf_err *err)
{
	int rc;

	if (!job->holding) {
		return PF_OK;
	}
	rc = take_event(job, SRC, &job->held, err);
	if (rc == PF_AGAIN) {
		return PF_AGAIN;
	}
	job->holding = false;
	*moved = true;
	return rc;
}

static int take_events(
	struct pf_job *job, enum pf_side_no side, bool *moved, int64_t *wake_ms, struct pf_err *err)
{
	struct pf_side *s = &job->side[side];
	int rc = side == SRC ? retry_held(job, moved, err) : PF_OK;

	while (rc == PF_OK && !s->lost && !s->ended) {
		struct pf_store_event ev = {0};
		struct pf_err why;

		rc = pf_store_next(s->store, &ev, wake_ms, &why);
		if (rc == PF_FAIL) {
			*moved = true;
			return job_lose(job, side, &why, err);
		}
		if (rc == PF_END) {
			s->ended = true;
			*moved = true;
			return PF_OK;
		}
		if (rc != PF_OK) {
			break;
		}
		*moved = true;
		rc = take_event(job, side, &ev, err);
		if (rc == PF_AGAIN) {
			job->held = ev;
			job->holding = true;
		}
	}
	return rc == PF_AGAIN ? PF_OK : rc;
}

/* ---- phases ---- */

static size_t folders_at_once(const struct pf_job *job)
{
	size_t a = job_facts(job, SRC)->connections, b = job_facts(job, DST)->connections;
	size_t most = a > b ? a : b;

	return job->cfg->folders_at_once ? job->cfg->folders_at_once : most < 2 ? 2 : 2 * most;
}

/* Of the folders that have more to ask for so many share the window. */
static size_t sharers_most(const struct pf_job *job)
{
	size_t most = job_facts(job, DST)->connections;

	return most > 0 ? most : 1;
}

/* Whether another folder into the same place is being worked on: then their items could be mixed
 * up. */
static bool place_is_busy(const struct pf_job *job, const struct pf_fold *f)
{
	for (size_t i = job->first_active; f->shares_place && i < job->active_end; i++) {
		const struct pf_fold *o = &job->folds[i];

		if (o != f && fold_is_active(o) && pf_path_eq(&o->dst, &f->dst)) {
			return true;
		}
	}
	return false;
}

/* Whether a folder whose ids do not hold beside others has to wait, or others for it. */
static bool must_wait_alone(const struct pf_job *job, const struct pf_fold *f)
{
	if (!f->fleeting) {
		return job->alone != NULL;
	}
	for (size_t i = job->first_active; i < job->active_end; i++) {
		if (&job->folds[i] != f && fold_is_active(&job->folds[i])) {
			return true;
		}
	}
	return false;
}

static int step_fold(struct pf_job *job, struct pf_fold *f, bool *moved, struct pf_err *err)
{
	unsigned int before = fold_stage(f);
	int rc = fold_step(f, err);

	if (rc == PF_FAIL && err->scope <= PF_SCOPE_FOLDER) {
		fold_fail(f, err);
		rc = PF_OK;
	} else if (f->state == FOLD_OVER && rc != PF_FAIL) {
		job->progress.folders_done++;
	}
	/* Another folder may have waited for that. */
	*moved = *moved || fold_stage(f) != before;
	return rc == PF_FAIL ? PF_FAIL : PF_OK;
}

/* Which folders may go on: so many are listed, of these so many are copied. */
static int step_folds(struct pf_job *job, bool *moved, struct pf_err *err)
{
	size_t listed = 0, copying = 0, sharers = 0;

	while (job->first_active < job->fold_count &&
		job->folds[job->first_active].state == FOLD_OVER) {
		job->first_active++;
	}
	for (size_t i = job->first_active; i < job->fold_count; i++) {
		struct pf_fold *f = &job->folds[i];

		if (f->state == FOLD_OVER) {
			continue;
		}
		if (f->state == FOLD_WAITING &&
			(job->stopping || job->target_full || listed >= FOLDERS_LISTED_AHEAD ||
				(listed > 0 && job->rows_in_memory > ROWS_AHEAD) ||
				place_is_busy(job, f) || must_wait_alone(job, f))) {
			if (listed >= FOLDERS_LISTED_AHEAD || job->stopping) {
				break;
			}
			continue;
		}
		listed++;
		if (f->state >= FOLD_COPYING) {
			copying += !f->link_waits; /* it may be for one that pairs */
		} else if (f->state == FOLD_PAIRING && copying >= folders_at_once(job)) {
			continue;
		}
		job->active_end = i < job->active_end ? job->active_end : i + 1;
		f->may_ask = sharers < sharers_most(job);
		if (step_fold(job, f, moved, err) != PF_OK) {
			return PF_FAIL;
		}
		sharers += f->may_ask && f->state == FOLD_COPYING && f->next_entry < f->rows.n &&
			   !f->link_waits;
	}
	job->sharers = sharers > 0 ? sharers : 1;
	return PF_OK;
}

static bool folds_are_over(const struct pf_job *job)
{
	if (job->stopping || job->target_full) { /* what is in flight is waited for, nothing else */
		for (size_t i = job->first_active; i < job->fold_count; i++) {
			if (job->folds[i].slots > 0 || job->folds[i].flag_ops > 0) {
				return false;
			}
		}
		return true;
	}
	return job->first_active == job->fold_count;
}

static int step_items(struct pf_job *job, bool *moved, struct pf_err *err)
{
	if ((job_writes(job) && job_make_step(job, err) == PF_FAIL) ||
		step_folds(job, moved, err) != PF_OK) {
		return PF_FAIL;
	}
	while (job->first_active < job->fold_count &&
		job->folds[job->first_active].state == FOLD_OVER) {
		job->first_active++;
	}
	if (!folds_are_over(job) || job->making > 0) {
		return PF_OK;
	}
	if (job->stopping || job->target_full || job->room.told) {
		return job_begin_closing(job, err);
	}
	job->phase = PF_PHASE_MIRROR;
	return PF_OK;
}

static int step_phase(struct pf_job *job, bool *moved, struct pf_err *err)
{
	int rc = PF_OK;

	if (job->stopping && job->phase < PF_PHASE_CLOSING &&
		(job->phase != PF_PHASE_ITEMS || job->now.ms >= job->stop_by_ms)) {
		return job_begin_closing(job, err);
	}
	switch (job->phase) {
	case PF_PHASE_OPENING:
		rc = job_day_begin(job, err);
		if (rc == PF_OK && job->target_full) {
			rc = job_begin_closing(job, err);
			break;
		}
		rc = rc == PF_OK ? job_folders_begin(job, err) : rc;
		job->phase = PF_PHASE_FOLDERS;
		break;
	case PF_PHASE_FOLDERS:
		rc = job_folders_step(job, err);
		if (rc == PF_OK) {
			job->phase = PF_PHASE_ITEMS;
		}
		break;
	case PF_PHASE_ITEMS:
		rc = job_day_note(job, false, err);
		rc = rc == PF_OK ? step_items(job, moved, err) : rc;
		break;
	case PF_PHASE_MIRROR:
		rc = job_mirror_step(job, err);
		if (rc == PF_OK) {
			rc = job_begin_closing(job, err);
		}
		break;
	case PF_PHASE_CLOSING:
		if ((job->side[SRC].lost || job->side[SRC].ended) &&
			(job->side[DST].lost || job->side[DST].ended)) {
			job->phase = PF_PHASE_OVER;
		}
		if (job->now.ms >= job->stop_by_ms) {
			job->phase = PF_PHASE_OVER;
		}
		break;
	case PF_PHASE_OVER:
		break;
	}
	return rc == PF_FAIL ? PF_FAIL : PF_OK;
}

/* Something is due at `at_ms`; 0: nothing is. */
static void wake_by(const struct pf_job *job, int64_t at_ms, int64_t *wake_ms)
{
	if (at_ms > job->now.ms && at_ms < *wake_ms) {
		*wake_ms = at_ms;
	}
}

/* The earliest moment at which something of ours is due. */
static void lower_wake(const struct pf_job *job, int64_t *wake_ms)
{
	bool making = job_writes(job) && job->make_next < job->fold_count; /* one may be paused */
	size_t end = making ? job->fold_count : job->active_end;

	if ((job->stopping || job->phase == PF_PHASE_CLOSING) && job->stop_by_ms < *wake_ms) {
		*wake_ms = job->stop_by_ms;
	}
	for (size_t s = 0; s < 2; s++) {
		wake_by(job, job->side[s].pause_until_ms, wake_ms);
		wake_by(job, job->side[s].ask_at_ms, wake_ms);
	}
	for (size_t i = job->first_active; i < end; i++) {
		const struct pf_fold *f = &job->folds[i];

		wake_by(job, f->not_before_ms, wake_ms);
		wake_by(job, f->again > 0 ? f->again_ms : 0, wake_ms);
		wake_by(job, f->keyed ? keyed_wake_ms(f) : 0, wake_ms);
	}
	for (size_t i = 0; job->slots_paused > 0 && i < job->slots_touched; i++) {
		const struct pf_slot *s = &job->slots[i];

		wake_by(job, s->state == SLOT_READY ? s->not_before_ms : 0, wake_ms);
	}
}

static int one_turn(struct pf_job *job, bool *moved, int64_t *wake_ms, struct pf_err *err)
{
	enum pf_job_phase before = job->phase;

	if (take_events(job, DST, moved, wake_ms, err) != PF_OK ||
		take_events(job, SRC, moved, wake_ms, err) != PF_OK ||
		step_phase(job, moved, err) != PF_OK) {
		return PF_FAIL;
	}
	*moved = *moved || job->phase != before;
	if (!job->wants_commit) {
		return PF_OK;
	}
	/* What the last steps submitted goes out first, so that the disk works while the servers
	 * do. */
	if (take_events(job, SRC, moved, wake_ms, err) != PF_OK) {
		return PF_FAIL;
	}
	*moved = true;
	if (job->cfg->commits_shared) {
		return PF_OK;
	}
	job->wants_commit = false;
	return pf_ledger_commit(job->cfg->ledger, err);
}

int pf_job_step(struct pf_job *job, struct pf_now now, int64_t *wake_ms, struct pf_err *err)
{
	job->now = now;
	job->begun_ms = job->begun_ms ? job->begun_ms : now.ms;
	for (int turn = 0; turn < TURNS_MAX; turn++) {
		bool moved = false;

		if (job->phase == PF_PHASE_OVER) {
			job->progress.phase = job->phase;
			return PF_END;
		}
		if (one_turn(job, &moved, wake_ms, err) != PF_OK) {
			job->outcome.why = *err;
			return PF_FAIL;
		}
		job->progress.phase = job->phase;
		if (job->wants_commit) {
			*wake_ms = now.ms;
			return PF_AGAIN;
		}
		if (!moved) {
			/* What the steps submitted last goes out before we sleep. */
			if (take_events(job, DST, &moved, wake_ms, err) != PF_OK ||
				take_events(job, SRC, &moved, wake_ms, err) != PF_OK) {
				return PF_FAIL;
			}
		}
		if (!moved) {
			lower_wake(job, wake_ms);
			return PF_AGAIN;
		}
	}
	*wake_ms = now.ms;
	return PF_AGAIN;
}

void pf_job_stop(struct pf_job *job, struct pf_now now, int64_t grace_ms)
{
	if (job->stopping || job->phase >= PF_PHASE_CLOSING) {
		return;
	}
	job->stopping = true;
	job->stop_by_ms = now.ms + grace_ms;
	job->outcome.interrupted = true;
	(void)pf_fail(&job->outcome.why, PF_SCOPE_RUN, PF_RETRY_LATER, "stopped by request");
	job_event(job, PF_EV_INTERRUPTED, NULL, NULL, "stopped by request");
}

bool pf_job_wants_commit(const struct pf_job *job)
{
	return job->wants_commit;
}

void pf_job_committed(struct pf_job *job)
{
	job->wants_commit = false;
}

void pf_job_set_window(struct pf_job *job, size_t bytes)
{
	job->window = bytes < WINDOW_MIN       ? WINDOW_MIN
		      : bytes > WINDOW_DEFAULT ? WINDOW_DEFAULT
					       : bytes;
}

int64_t pf_job_account(const struct pf_job *job)
{
	return job->cfg->account;
}

const char *pf_job_name(const struct pf_job *job)
{
	return job->cfg->account_name;
}

const struct pf_progress *pf_job_progress(const struct pf_job *job)
{
	return &job->progress;
}

const struct pf_outcome *pf_job_outcome(const struct pf_job *job)
{
	return &job->outcome;
}

int pf_outcome_exit_status(const struct pf_outcome *o)
{
	if (o->not_opened) {
		return 3;
	}
	if (o->interrupted) {
		return 4;
	}
	if (o->items[PF_VERDICT_QUARANTINED] > 0 || o->items[PF_VERDICT_NONE] > 0 ||
		o->folders_failed > 0 || o->not_at_target > 0 || o->differing > 0 ||
		o->mirror_stopped) {
		return 1;
	}
	return 0;
}

bool pf_job_plan_line(const struct pf_job *job, size_t i, struct pf_plan_line *out)
{
	const struct pf_fold *f;

	if (i >= job->fold_count) {
		return false;
	}
	f = &job->folds[i];
	*out = (struct pf_plan_line){
		.from = f->shown,
		.to = f->shown_dst,
		.note = f->note,
		.items = f->to_copy_items,
		.bytes = f->to_copy_bytes,
		.too_large = f->too_large,
		.exists = f->dst_exists,
	};
	return true;
}
