/*
 * A folder whose kind the target does not take: its items are listed, so that the report can name
 * each, and stay where they are.
 */
#include "engine/job_private.h"

#include <stdio.h>

const char *fold_nowhere_why(const struct pf_fold *f, char *out, size_t size)
{
	(void)snprintf(out, size, "in no place: no target takes %s", pf_kind_name(f->kind));
	return out;
}

static int ask_list(struct pf_fold *f, struct pf_err *err)
{
	const struct pf_op op = {
		.kind = PF_OP_LIST,
		.id = op_id(USE_LIST_SRC, f->index, 0),
		.folder = pf_buf_span(&f->src_id),
	};
	int rc = job_submit(f->job, SRC, &op, err);

	f->src_asked = rc == PF_OK;
	return rc;
}

int fold_nowhere_begin(struct pf_fold *f, struct pf_err *err)
{
	char why[100];

	f->state = FOLD_NOWHERE;
	f->src_done = false;
	f->src_asked = false;
	job_event(
		f->job, PF_EV_FOLDER_NOWHERE, f, NULL, "%s", fold_nowhere_why(f, why, sizeof(why)));
	return fold_nowhere_step(f, err) == PF_FAIL ? PF_FAIL : PF_OK;
}

int fold_nowhere_step(struct pf_fold *f, struct pf_err *err)
{
	if (!f->src_done && !f->src_asked && f->not_before_ms <= f->job->now.ms) {
		f->nowhere_items = 0;
		/* What was noted in an earlier pass is listed again, or is gone. */
		if (job_keeps(f->job) &&
			pf_ledger_items_drop(f->job->cfg->ledger, f->row_id, err) != PF_OK) {
			return PF_FAIL;
		}
		return ask_list(f, err) == PF_FAIL ? PF_FAIL : PF_AGAIN;
	}
	return f->src_done ? PF_OK : PF_AGAIN;
}

static int note_item(struct pf_fold *f, const struct pf_item *item, struct pf_err *err)
{
	char why[100];
	const struct pf_ledger_item row = {
		.folder = f->row_id,
		.seq = ++f->nowhere_items,
		.src_id = item->id,
		.state = PF_ROW_REFUSED,
		.verdict = PF_VERDICT_QUARANTINED,
		.size = item->size,
		.date_utc_s = item->date_utc_s,
		.zone_min = item->zone_min,
		.flags = item->flags,
		.note = pf_span_str(fold_nowhere_why(f, why, sizeof(why))),
	};

	f->job->progress.items++;
	f->job->progress.items_done++;
	return job_keeps(f->job) ? pf_ledger_item_put(f->job->cfg->ledger, &row, err) : PF_OK;
}

int fold_nowhere_event(struct pf_fold *f, const struct pf_store_event *ev, struct pf_err *err)
{
	if (op_use(ev->op) != USE_LIST_SRC) {
		return PF_OK;
	}
	switch (ev->kind) {
	case PF_STORE_ITEM:
		return note_item(f, &ev->item, err);
	case PF_STORE_DONE:
		f->src_done = true;
		return PF_OK;
	case PF_STORE_FAILED:
		f->src_asked = false;
		if (ev->failed.why.retry == PF_RETRY_NO || f->list_tries++ >= LIST_TRIES_MAX) {
			*err = ev->failed.why;
			err->scope = err->scope < PF_SCOPE_FOLDER ? PF_SCOPE_FOLDER : err->scope;
			return pf_wrap(err, "listing it at the source");
		}
		f->not_before_ms =
			f->job->now.ms + job_pause_ms(f->job, f->list_tries, &ev->failed.why);
		return PF_OK;
	default:
		return PF_OK;
	}
}
