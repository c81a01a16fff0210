/*
 * What a target stores behind the end of the link: a server may hold bytes that it has yet to work
 * off when its client is gone, killed or cut off. A listing that comes too soon does not show them,
 * and what is then put again is there twice. So no item in doubt is sent again before a listing
 * that began a while after the doubt: longer than a server is likely to be busy with what it holds,
 * and renewed as long as such items still come in.
 */
#include "engine/fold_private.h"

enum {
	LATE_MS = 3000,      /* from the break to the listing that decides */
	LATE_LOOKS_MAX = 20, /* of a target that always shows one more */
};

bool fold_late_is_early(const struct pf_fold *f)
{
	return job_writes(f->job) && job_has_cap(f->job, DST, PF_CAP_STORES_LATE) &&
	       f->late_looks < LATE_LOOKS_MAX && f->dst_listed_ms < f->doubt_ms + LATE_MS;
}

void fold_late_arrived(struct pf_fold *f)
{
	if (f->late_looks > 0) {
		f->doubt_ms = f->dst_listed_ms;
	}
}

int fold_late_begin(struct pf_fold *f, struct pf_err *err)
{
	f->late_looks++;
	f->not_before_ms = f->doubt_ms + LATE_MS;
	job_event(f->job, PF_EV_DOUBT_WAITS, f, NULL,
		"items in doubt are not at the target: it is given time to store what it has");
	if (f->fleeting) {
		f->restarts -= f->restarts > 0; /* it is not for new ids */
		f->restart = true;
		return PF_OK;
	}
	f->state = FOLD_SETTLING;
	return fold_list_dst(f, f->dst_mark, err) == PF_FAIL ? PF_FAIL : PF_OK;
}
