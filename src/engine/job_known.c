/*
 * The ledger's rows of folders, and which of the source's folders each belongs to.
 *
 * A path is no name for one folder alone: a store may hold things of several kinds under it, and
 * some permit twins (two calendars that are shown alike, say). So each row goes to the folder that
 * has its path, its kind and its id; and what is left over, as ids may be given anew, to one of the
 * same path and kind that has none yet, else to one that may hold the kind.
 */
#include "engine/fold_private.h"

/* The open and refused rows of a folder decide whether an unchanged one may be passed over. */
static int read_sums(struct pf_job *job, struct pf_err *err)
{
	struct pf_ledger_cursor *c = NULL;
	struct pf_ledger_sums sums;
	int rc = pf_ledger_sums(job->cfg->ledger, job->cfg->account, &c, err);

	job->sums = (struct pf_ledger_sums){0};
	job->sums_at = pf_ledger_item_writes(job->cfg->ledger);
	while (rc == PF_OK && (rc = pf_ledger_sums_next(c, &sums, err)) == PF_OK) {
		job_add_sums(job->sums.items, job->sums.bytes, &sums);
		for (size_t i = 0; i < job->fold_count; i++) {
			struct pf_fold *f = &job->folds[i];

			if (f->row_id == sums.folder) {
				f->open_before = sums.items[PF_VERDICT_NONE];
				f->refused_before = sums.items[PF_VERDICT_QUARANTINED];
				memcpy(f->sums_items, sums.items, sizeof(f->sums_items));
			}
		}
	}
	job->sums_known = rc == PF_END;
	pf_ledger_cursor_close(&c);
	return rc == PF_END ? PF_OK : rc;
}

/* The first fold of a path, which are in its order; fold_count: there is none. */
static size_t first_of(const struct pf_job *job, struct pf_span bytes)
{
	const struct pf_path key = {.p = (char *)(uintptr_t)bytes.p, .n = bytes.n};
	size_t lo = 0, hi = job->fold_count;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (pf_path_cmp(&key, &job->folds[mid].src) > 0) {
			lo = mid + 1;
		} else {
			hi = mid;
		}
	}
	return lo < job->fold_count && pf_path_eq(&key, &job->folds[lo].src) ? lo : job->fold_count;
}

static bool is_of(const struct pf_fold *f, const struct pf_ledger_folder *row)
{
	return f->kind == row->kind && pf_span_eq(pf_buf_span(&f->src_id), row->src_id);
}

/* NULL: none is left for it. */
static struct pf_fold *fold_of(struct pf_job *job, const struct pf_ledger_folder *row, bool exact)
{
	struct pf_fold *best = NULL, *other = NULL;
	size_t first = first_of(job, row->src_path);

	for (size_t i = first; i < job->fold_count; i++) {
		struct pf_fold *f = &job->folds[i];

		if (!pf_path_eq(&job->folds[first].src, &f->src)) {
			break;
		}
		if (f->row_id != 0) {
			continue;
		}
		if (is_of(f, row)) {
			return f;
		}
		best = !best && f->kind == row->kind ? f : best;
		if (!other && (job->side[SRC].folders[i].kinds & (uint32_t)row->kind)) {
			other = f;
		}
	}
	return exact ? NULL : best ? best : other;
}

static bool has_row(const struct pf_job *job, const struct pf_ledger_folder *row)
{
	size_t first = first_of(job, row->src_path), i = first;

	while (i < job->fold_count && pf_path_eq(&job->folds[first].src, &job->folds[i].src) &&
		job->folds[i].row_id != row->id) {
		i++;
	}
	return i < job->fold_count && job->folds[i].row_id == row->id;
}

static int tell_gone(struct pf_job *job, const struct pf_ledger_folder *row, struct pf_err *err)
{
	struct pf_path gone = {0};
	char shown[256];

	if (pf_path_from_bytes(&gone, row->src_path, err) != PF_OK) {
		return PF_FAIL;
	}
	job_event(job, PF_EV_FOLDER_GONE, NULL, NULL, "%s is no longer at the source",
		pf_path_show(&gone, shown, sizeof(shown)));
	pf_path_deinit(&gone);
	return PF_OK;
}

static int take_row(struct pf_fold *f, const struct pf_ledger_folder *row, struct pf_err *err)
{
	f->row_id = row->id;
	f->src_validity = row->src_validity;
	f->dst_validity = row->dst_validity;
	f->dst_mark = row->dst_mark;
	f->settled = row->dst_path.p != NULL;
	pf_buf_clear(&f->old_cursor);
	if (row->dst_path.p && pf_path_from_bytes(&f->dst, row->dst_path, err) != PF_OK) {
		return PF_FAIL;
	}
	return row->src_cursor.p ? pf_buf_add(&f->old_cursor, row->src_cursor, err) : PF_OK;
}

/* First those that are told by their ids, then the others. */
static int read_rows(struct pf_job *job, bool exact, struct pf_err *err)
{
	struct pf_ledger_cursor *c = NULL;
	struct pf_ledger_folder row;
	int rc = pf_ledger_folders(job->cfg->ledger, job->cfg->account, &c, err);

	while (rc == PF_OK && (rc = pf_ledger_folders_next(c, &row, err)) == PF_OK) {
		struct pf_fold *f = has_row(job, &row) ? NULL : fold_of(job, &row, exact);

		if (f) {
			rc = take_row(f, &row, err);
		} else if (!exact && !has_row(job, &row)) {
			rc = tell_gone(job, &row, err);
		}
	}
	pf_ledger_cursor_close(&c);
	return rc == PF_END ? PF_OK : rc;
}

int job_known_read(struct pf_job *job, struct pf_err *err)
{
	return read_rows(job, true, err) == PF_OK && read_rows(job, false, err) == PF_OK
		       ? read_sums(job, err)
		       : PF_FAIL;
}
