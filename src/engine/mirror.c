/*
 * --mirror: what left the source is removed from the target, and only what this ledger wrote there.
 * Nothing is removed when more than a tenth would go, unless the administrator says so: a source
 * that lists too little is more likely than one that was cleared.
 */
#include "engine/job_private.h"

enum { REMOVALS_AT_ONCE = 64, TENTH = 10 };

static size_t removals(const struct pf_job *job)
{
	size_t n = 0;

	for (size_t i = 0; i < job->fold_count; i++) {
		n += job->folds[i].failed ? 0 : job->folds[i].gone_n;
	}
	return n;
}

/* Items of this account that the ledger holds for copied. */
static int copied(struct pf_job *job, uint64_t *out, struct pf_err *err)
{
	struct pf_ledger_cursor *c = NULL;
	struct pf_ledger_sums sums;
	int rc = pf_ledger_sums(job->cfg->ledger, job->cfg->account, &c, err);

	*out = 0;
	while (rc == PF_OK && (rc = pf_ledger_sums_next(c, &sums, err)) == PF_OK) {
		*out += sums.items[PF_VERDICT_COPIED] + sums.items[PF_VERDICT_PRESENT];
	}
	pf_ledger_cursor_close(&c);
	return rc == PF_END ? PF_OK : rc;
}

/* PF_END: nothing is to be removed, or not without being asked for. */
static int consider(struct pf_job *job, struct pf_err *err)
{
	size_t n = removals(job);
	uint64_t all = 0;

	job->mirror_ready = true;
	if (n == 0) {
		return PF_END;
	}
	if (copied(job, &all, err) != PF_OK) {
		return PF_FAIL;
	}
	if ((uint64_t)n * TENTH > all && !job->cfg->mirror_all) {
		job->outcome.mirror_stopped = true;
		job_event(job, PF_EV_REMOVED, NULL, NULL,
			"nothing removed: %zu of %llu items would go, more than a tenth", n,
			(unsigned long long)all);
		return PF_END;
	}
	if (!job_has_cap(job, DST, PF_CAP_REMOVE_ONE)) {
		job->outcome.mirror_stopped = true;
		job_event(job, PF_EV_REMOVED, NULL, NULL,
			"nothing removed: the target can't remove single items (no UIDPLUS)");
		return PF_END;
	}
	return PF_OK;
}

static int remove_next(struct pf_fold *f, struct pf_err *err)
{
	struct pf_op op = {
		.kind = PF_OP_REMOVE,
		.id = op_id(USE_REMOVE, f->index, f->gone_next),
		.folder = pf_buf_span(&f->dst_id),
		.item = f->gone[f->gone_next].dst_id,
	};
	int rc = job_submit(f->job, DST, &op, err);

	if (rc == PF_OK) {
		f->gone_next++;
		f->job->mirror_open++;
	}
	return rc;
}

int job_mirror_step(struct pf_job *job, struct pf_err *err)
{
	if (!job->cfg->mirror || !job_writes(job)) {
		return PF_OK;
	}
	if (!job->mirror_ready) {
		int rc = consider(job, err);

		if (rc != PF_OK) {
			job->mirror_next = job->fold_count;
			return rc == PF_END ? PF_OK : rc;
		}
	}
	while (job->mirror_next < job->fold_count && job->mirror_open < REMOVALS_AT_ONCE) {
		struct pf_fold *f = &job->folds[job->mirror_next];
		int rc;

		if (f->failed || f->gone_next == f->gone_n) {
			job->mirror_next++;
			continue;
		}
		rc = remove_next(f, err);
		if (rc != PF_OK) {
			return rc;
		}
	}
	return job->mirror_open == 0 && job->mirror_next == job->fold_count ? PF_OK : PF_AGAIN;
}

int job_mirror_event(struct pf_job *job, const struct pf_store_event *ev, struct pf_err *err)
{
	struct pf_fold *f = &job->folds[op_fold(ev->op)];
	const struct pf_gone *g;
	struct pf_ledger_done done;

	if (op_fold(ev->op) >= job->fold_count || op_index(ev->op) >= f->gone_n ||
		(ev->kind != PF_STORE_DONE && ev->kind != PF_STORE_FAILED)) {
		return PF_OK;
	}
	g = &f->gone[op_index(ev->op)];
	job->mirror_open--;
	if (ev->kind == PF_STORE_FAILED) {
		job_event(job, PF_EV_REMOVED, f, NULL, "not removed from the target: %s",
			ev->failed.why.text);
		return PF_OK;
	}
	job->outcome.removed++;
	job_event(job, PF_EV_REMOVED, f, NULL, "removed from the target, as it left the source");
	done = (struct pf_ledger_done){
		.folder = f->row_id,
		.seq = g->seq,
		.verdict = PF_VERDICT_VANISHED,
		.size = g->size,
		.digest = g->has_digest ? &g->digest : NULL,
	};
	return pf_ledger_item_done(job->cfg->ledger, &done, err);
}
