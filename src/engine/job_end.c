/*
 * The end of a pass, whatever it is: sums, the ledger in order, both stores signed out.
 */
#include "base/json.h"
#include "engine/fold_private.h"

#include <stdio.h>

enum { CLOSE_PATIENCE_MS = 2000 };

void job_add_sums(uint64_t *items, uint64_t *bytes, const struct pf_ledger_sums *sums)
{
	for (size_t v = 0; v < PF_VERDICT_COUNT; v++) {
		items[v] += sums->items[v];
		bytes[v] += sums->bytes[v];
	}
}

/* What was read when the pass began holds as long as no item was written since. */
static int sum_up(struct pf_job *job, struct pf_err *err)
{
	struct pf_outcome *o = &job->outcome;
	struct pf_ledger_cursor *c = NULL;
	struct pf_ledger_sums sums;
	int rc;

	if (job->sums_known && pf_ledger_item_writes(job->cfg->ledger) == job->sums_at) {
		job_add_sums(o->items, o->bytes, &job->sums);
		return PF_OK;
	}
	rc = pf_ledger_sums(job->cfg->ledger, job->cfg->account, &c, err);
	while (rc == PF_OK && (rc = pf_ledger_sums_next(c, &sums, err)) == PF_OK) {
		job_add_sums(o->items, o->bytes, &sums);
	}
	pf_ledger_cursor_close(&c);
	return rc == PF_END ? PF_OK : rc;
}

static void count_folders(struct pf_job *job)
{
	struct pf_outcome *o = &job->outcome;

	o->connections[SRC] = job_facts(job, SRC)->connections;
	o->connections[DST] = job_facts(job, DST)->connections;
	o->folders = job->fold_count;
	for (size_t i = 0; i < job->fold_count; i++) {
		o->folders_failed += job->folds[i].failed || job->folds[i].incomplete;
		o->folders_skipped += job->folds[i].skipped;
		o->renamed += job->folds[i].renamed && !job->folds[i].skipped;
		o->estimate_items +=
			job->cfg->mode == PF_JOB_CHECK ? job->folds[i].to_copy_items : 0;
	}
}

/* So that the ledger tells an account that could not be opened from one that is complete. */
static int note_unopened(struct pf_job *job, struct pf_err *err)
{
	const struct pf_outcome *o = &job->outcome;
	struct pf_buf summary;
	int64_t pass;
	int rc;

	pf_buf_init(&summary, sizeof(o->why.text) * 8);
	rc = pf_buf_add_str(&summary, "{", err);
	rc = rc == PF_OK ? pf_json_put(&summary, "why", pf_span_str(o->why.text), err) : rc;
	rc = rc == PF_OK ? pf_buf_add_str(&summary, "}", err) : rc;
	if (rc == PF_OK && pf_ledger_pass_begin(job->cfg->ledger, job->cfg->account, job->now.utc_s,
				   &pass, err) == PF_OK) {
		rc = pf_ledger_pass_end(job->cfg->ledger, pass, job->now.utc_s,
			pf_outcome_exit_status(o), pf_buf_span(&summary), err);
	} else {
		rc = PF_FAIL;
	}
	pf_buf_deinit(&summary);
	return rc;
}

static int end_pass(struct pf_job *job, struct pf_err *err)
{
	const struct pf_outcome *o = &job->outcome;
	char summary[512];
	int n;

	if (job->pass == 0) {
		return o->not_opened ? note_unopened(job, err) : PF_OK;
	}
	n = snprintf(summary, sizeof(summary),
		"{\"copied_now\":%llu,\"bytes_now\":%llu,\"present_now\":%llu,\"flags_carried\":%"
		"llu,"
		"\"gone_from_source\":%llu,\"removed\":%llu,\"folders\":%zu,\"folders_failed\":%"
		"zu}",
		(unsigned long long)o->copied_now, (unsigned long long)o->bytes_now,
		(unsigned long long)o->present_now, (unsigned long long)o->flags_carried,
		(unsigned long long)o->gone_from_source, (unsigned long long)o->removed, o->folders,
		o->folders_failed);
	job_event(job, PF_EV_PASS_ENDED, NULL, NULL, "%llu copied, %llu found at the target",
		(unsigned long long)o->copied_now, (unsigned long long)o->present_now);
	return pf_ledger_pass_end(job->cfg->ledger, job->pass, job->now.utc_s,
		pf_outcome_exit_status(o), pf_span(summary, (size_t)n), err);
}

/* Bring the ledger in order and count; after this no more operations are begun. */
static int wind_up(struct pf_job *job, struct pf_err *err)
{
	int rc = PF_OK;

	for (size_t i = 0; i < job->fold_count; i++) {
		if (job_keeps(job) && fold_is_active(&job->folds[i]) && rc == PF_OK) {
			rc = fold_copy_unsend(&job->folds[i], err);
		}
	}
	count_folders(job);
	rc = rc == PF_OK ? job_day_note(job, true, err) : rc;
	if (rc == PF_OK && job->cfg->ledger && job->cfg->mode != PF_JOB_CHECK) {
		rc = sum_up(job, err);
	}
	if (rc == PF_OK && job_keeps(job)) {
		rc = end_pass(job, err);
	}
	job->wants_commit = job->cfg->ledger != NULL;
	job->holding = false;
	job->phase = PF_PHASE_CLOSING;
	job->stop_by_ms = job->now.ms + CLOSE_PATIENCE_MS;
	return rc;
}

int job_begin_closing(struct pf_job *job, struct pf_err *err)
{
	int rc = wind_up(job, err);

	for (int s = 0; s < 2 && rc == PF_OK; s++) {
		struct pf_op op = {.kind = PF_OP_CLOSE, .id = op_id(USE_CLOSE, 0, 0)};

		if (!job->side[s].lost && job_submit(job, (enum pf_side_no)s, &op, err) != PF_OK) {
			job->side[s].lost =
				true; /* it can't even sign out: nothing depends on it */
		}
	}
	return rc;
}

/* A store is lost: the pass ends here, with what the ledger knows. */
int job_lose(struct pf_job *job, enum pf_side_no side, const struct pf_err *why, struct pf_err *err)
{
	struct pf_side *s = &job->side[side];
	int number;

	if (why->scope == PF_SCOPE_RUN) {
		*err = *why;
		return PF_FAIL;
	}
	s->lost = true;
	s->lost_why = *why;
	if (job->phase >= PF_PHASE_CLOSING) {
		return PF_OK;
	}
	job->outcome.why = *why;
	(void)pf_wrap(&job->outcome.why, side == SRC ? "source" : "target");
	job->outcome.at_target = side == DST;
	/* Signed in, but not let any further, is not opened either. */
	job->outcome.not_opened =
		!s->ready || (job->phase <= PF_PHASE_FOLDERS && why->retry == PF_RETRY_NO);
	job->outcome.interrupted = !job->outcome.not_opened;
	number = job->outcome.not_opened ? PF_EV_NOT_OPENED : PF_EV_CONNECTION_LOST;
	job_event(job, why->number ? why->number : number, NULL, NULL, "%s", job->outcome.why.text);
	return job_begin_closing(job, err);
}
