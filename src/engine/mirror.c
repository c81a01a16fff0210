/*
 * What is taken from the target. Without --mirror only events that were made of a series'
 * instances, when an edit of the series took these away (keyed_plan.c). --mirror: what left the
 * source is removed from the target, and only what this ledger wrote there. Nothing is removed when
 * more than a tenth would go, or most of a folder, unless the administrator says so: a source that
 * lists too little is more likely than one that was cleared. The bytes of what is removed are kept
 * first, so that it can be put back.
 */
#include "engine/fold_private.h"

#include <stdio.h>

enum {
	REMOVALS_AT_ONCE = 64,
	TENTH = 10,
	FEW = 5, /* so many may go from a folder, be it all of it */
};

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

/* Folders that would lose most of what they have, other than those that users empty, keep it all.
 */
static void hold_back(struct pf_job *job)
{
	for (size_t i = 0; i < job->fold_count; i++) {
		struct pf_fold *f = &job->folds[i];
		bool emptied = f->role == PF_ROLE_TRASH || f->role == PF_ROLE_JUNK;

		if (f->failed || emptied || f->gone_n <= FEW || 2 * f->gone_n <= f->gone_of) {
			continue;
		}
		job->outcome.mirror_stopped = true;
		job_event(job, PF_EV_REMOVED, f, NULL,
			"nothing removed: %zu of the folder's %zu items would go", f->gone_n,
			f->gone_of);
		f->gone_n = 0;
	}
}

/* PF_END: nothing is to be removed, or not without being asked for. */
static int consider(struct pf_job *job, struct pf_err *err)
{
	size_t n;
	uint64_t all = 0;

	job->mirror_ready = true;
	if (job->cfg->mirror && !job->cfg->mirror_all) {
		hold_back(job);
	}
	n = removals(job);
	if (n == 0) {
		return PF_END;
	}
	if (copied(job, &all, err) != PF_OK) {
		return PF_FAIL;
	}
	if (job->cfg->mirror && (uint64_t)n * TENTH > all && !job->cfg->mirror_all) {
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

static int submit(struct pf_fold *f, enum op_use use, size_t i, struct pf_err *err)
{
	const struct pf_gone *g = &f->gone[i];
	struct pf_op op = {
		.kind = use == USE_KEEP ? PF_OP_GET : PF_OP_REMOVE,
		.id = op_id(use, f->index, i),
		.folder = pf_buf_span(&f->dst_id),
		.item = g->dst_id,
	};
	int rc;

	if (use == USE_KEEP) {
		op.get.size = g->size;
		op.get.whole_max = f->job->whole_max;
	} else {
		op.version = g->version;
	}
	rc = job_submit(f->job, DST, &op, err);
	f->job->mirror_open += rc == PF_OK;
	return rc;
}

/* Ask for the next items' bytes, and remove those whose bytes are kept. PF_OK: none is left. */
static int step_folder(struct pf_fold *f, struct pf_err *err)
{
	struct pf_job *job = f->job;
	int rc = PF_OK;

	while (rc == PF_OK && f->gone_next < f->keep_next && f->gone[f->gone_next].ended) {
		if (f->gone[f->gone_next].kept) {
			rc = submit(f, USE_REMOVE, f->gone_next, err);
		}
		f->gone_next += rc == PF_OK;
	}
	while (rc == PF_OK && f->keep_next < f->gone_n && job->mirror_open < REMOVALS_AT_ONCE) {
		rc = submit(f, USE_KEEP, f->keep_next, err);
		f->keep_next += rc == PF_OK;
	}
	if (rc == PF_FAIL) {
		return PF_FAIL;
	}
	return f->gone_next == f->gone_n ? PF_OK : PF_AGAIN;
}

int job_mirror_step(struct pf_job *job, struct pf_err *err)
{
	if (!job_writes(job)) {
		return PF_OK;
	}
	if (!job->mirror_ready) {
		int rc = consider(job, err);

		if (rc != PF_OK) {
			job->mirror_next = job->fold_count;
			return rc == PF_END ? PF_OK : rc;
		}
	}
	while (job->mirror_next < job->fold_count) {
		struct pf_fold *f = &job->folds[job->mirror_next];
		int rc = f->failed ? PF_OK : step_folder(f, err);

		if (rc != PF_OK) {
			return rc;
		}
		job->mirror_next++;
	}
	return job->mirror_open == 0 ? PF_OK : PF_AGAIN;
}

/* ---- what is removed is kept ---- */

static int open_removed(struct pf_job *job, struct pf_err *err)
{
	char name[400];

	if (job->removed) {
		return PF_OK;
	}
	(void)snprintf(name, sizeof(name), "%.300s.removed", job->cfg->account_name);
	return pf_quarantine_open(job->cfg->quarantine, name, &job->removed, err);
}

static int keep(
	struct pf_fold *f, struct pf_gone *g, const struct pf_store_event *ev, struct pf_err *err)
{
	const struct pf_quarantine_about about = {
		.folder = &f->dst,
		.item = g->dst_id,
		.size = g->size,
		.date_utc_s = g->date_utc_s,
		.flags = {.sys = g->sys, .kw = g->kw},
		.reason = "removed from the target, as it left the source",
		.at_utc_s = f->job->now.utc_s,
	};
	int rc = open_removed(f->job, err);

	if (rc == PF_OK && ev->kind == PF_STORE_BODY) {
		rc = pf_quarantine_put(f->job->removed, &about, pf_blob_span(ev->body), err);
		g->kept = rc == PF_OK;
	} else if (rc == PF_OK && ev->kind == PF_STORE_CHUNK) {
		if (!g->file) {
			rc = pf_quarantine_begin(f->job->removed, &about, &g->file, err);
		}
		if (rc == PF_OK) {
			rc = pf_quarantine_add(g->file, ev->chunk.bytes, err);
		}
	} else if (rc == PF_OK && g->file) {
		rc = pf_quarantine_commit(&g->file, &about, err);
		g->kept = rc == PF_OK;
	}
	return rc;
}

static int kept(
	struct pf_fold *f, struct pf_gone *g, const struct pf_store_event *ev, struct pf_err *err)
{
	struct pf_blob *body = ev->kind == PF_STORE_BODY ? ev->body : NULL;
	int rc = PF_OK;

	if (ev->kind != PF_STORE_FAILED) {
		rc = keep(f, g, ev, err);
	}
	pf_blob_unref(&body);
	if (ev->kind != PF_STORE_DONE && ev->kind != PF_STORE_FAILED) {
		return rc;
	}
	f->job->mirror_open--;
	g->ended = true;
	if (!g->kept) {
		pf_quarantine_abort(&g->file);
		job_event(f->job, PF_EV_REMOVED, f, NULL,
			"not removed from the target, as it can't be read there to be kept: %s",
			ev->kind == PF_STORE_FAILED ? ev->failed.why.text : "it did not come");
	}
	return rc;
}

static int removed(
	struct pf_fold *f, struct pf_gone *g, const struct pf_store_event *ev, struct pf_err *err)
{
	const struct pf_ledger_done done = {
		.folder = f->row_id,
		.seq = g->seq,
		.verdict = PF_VERDICT_VANISHED,
		.size = g->size,
		.digest = g->has_digest ? &g->digest : NULL,
	};

	f->job->mirror_open--;
	if (ev->kind == PF_STORE_FAILED) {
		job_event(f->job, PF_EV_REMOVED, f, NULL, "not removed from the target: %s",
			ev->failed.why.text);
		return PF_OK;
	}
	f->job->outcome.removed++;
	job_event(f->job, PF_EV_REMOVED, f, NULL,
		"%.*s at the target removed, as it left the source; its bytes are kept in the "
		"quarantine",
		(int)(g->dst_id.n > 100 ? 100 : g->dst_id.n), (const char *)g->dst_id.p);
	return pf_ledger_item_done(f->job->cfg->ledger, &done, err);
}

int job_mirror_event(struct pf_job *job, const struct pf_store_event *ev, struct pf_err *err)
{
	struct pf_fold *f = &job->folds[op_fold(ev->op)];
	bool ours = op_fold(ev->op) < job->fold_count && op_index(ev->op) < f->gone_n;

	if (!ours) {
		struct pf_blob *body = ev->kind == PF_STORE_BODY ? ev->body : NULL;

		pf_blob_unref(&body);
		return PF_OK;
	}
	if (op_use(ev->op) == USE_KEEP) {
		return kept(f, &f->gone[op_index(ev->op)], ev, err);
	}
	if (ev->kind == PF_STORE_DONE || ev->kind == PF_STORE_FAILED) {
		return removed(f, &f->gone[op_index(ev->op)], ev, err);
	}
	return PF_OK;
}
