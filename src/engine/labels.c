/*
 * Sources whose folders are labels (PF_CAP_LABELS): one item is in several folders at once, and
 * some folders are only views of what is in others. It is taken from where its labels are, once for
 * each; from the view of all that there is only when it is nowhere else.
 */
#include "engine/fold_private.h"

#include <stdlib.h>

#define ELSEWHERE "it is in another folder as well (--labels)"

static bool are_ruled(const struct pf_job *job)
{
	return job_has_cap(job, SRC, PF_CAP_LABELS) && job->cfg->rules->labels != PF_LABELS_VIEWS;
}

const char *labels_skip_folder(const struct pf_job *job, enum pf_role role)
{
	return are_ruled(job) && role == PF_ROLE_FLAGGED
		       ? "a view of what is in other folders (--labels views takes it)"
		       : NULL;
}

bool labels_may_change(const struct pf_fold *f)
{
	return are_ruled(f->job) &&
	       (f->role == PF_ROLE_ALL || f->job->cfg->rules->labels == PF_LABELS_FIRST);
}

static int by_id(const void *a, const void *b)
{
	const struct pf_fold *const *x = a, *const *y = b;

	return pf_span_cmp(pf_buf_span(&(*x)->src_id), pf_buf_span(&(*y)->src_id));
}

int labels_begin(struct pf_job *job, struct pf_err *err)
{
	if (!are_ruled(job)) {
		return PF_OK;
	}
	job->by_id = malloc((job->fold_count + 1) * sizeof(struct pf_fold *));
	if (!job->by_id) {
		return pf_fail_memory(err, "the folders of an account");
	}
	for (size_t i = 0; i < job->fold_count; i++) {
		job->by_id[i] = &job->folds[i];
	}
	qsort(job->by_id, job->fold_count, sizeof(struct pf_fold *), by_id);
	return PF_OK;
}

static const struct pf_fold *fold_of(const struct pf_job *job, struct pf_span id)
{
	size_t lo = 0, hi = job->fold_count;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;
		int d = pf_span_cmp(id, pf_buf_span(&job->by_id[mid]->src_id));

		if (d == 0) {
			return job->by_id[mid];
		}
		if (d < 0) {
			hi = mid;
		} else {
			lo = mid + 1;
		}
	}
	return NULL;
}

/* Whether what `f` and `other` have in common comes from `other`. */
static bool is_before(const struct pf_fold *other, const struct pf_fold *f)
{
	if (!other || other == f || other->skipped || !other->selectable ||
		other->role == PF_ROLE_ALL) {
		return false;
	}
	return f->role == PF_ROLE_ALL ||
	       (f->job->cfg->rules->labels == PF_LABELS_FIRST && other->index < f->index);
}

const char *labels_skip_item(const struct pf_fold *f, const struct pf_item *item)
{
	struct pf_span rest = item->elsewhere;

	while (f->job->by_id && rest.n > 0) {
		const uint8_t *end = memchr(rest.p, '\0', rest.n);
		size_t n = end ? (size_t)(end - rest.p) : rest.n;

		if (is_before(fold_of(f->job, pf_span(rest.p, n)), f)) {
			return ELSEWHERE;
		}
		rest = pf_span_from(rest, end ? n + 1 : n);
	}
	return NULL;
}

bool labels_are_several(const struct pf_fold *f, const struct pf_item *item)
{
	return item->elsewhere.n > 0 || f->job->cfg->rules->labels == PF_LABELS_VIEWS;
}

bool labels_had_skipped(const struct pf_entry *e)
{
	return e->verdict == PF_VERDICT_SKIPPED && pf_span_eq(e->note, pf_span_str(ELSEWHERE));
}
