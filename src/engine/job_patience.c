/*
 * A target that says "later" to one item after the other means none of them: it is then left alone
 * for a while and asked with one item, instead of refusing thousands, each of them several times.
 */
#include "engine/fold_private.h"

enum { LATERS_MAX = 8 }; /* in a row: then it is not the items */

void job_target_takes(struct pf_job *job)
{
	job->side[DST].laters = 0;
	job->side[DST].pauses = 0;
}

bool job_target_may_be_asked(const struct pf_job *job)
{
	const struct pf_side *s = &job->side[DST];

	return s->pause_until_ms <= job->now.ms && (s->pauses == 0 || job->putting == 0);
}

static void end_puts(struct pf_job *job, const struct pf_err *why)
{
	job->target_full = true; /* nothing more is put in this pass */
	job->outcome.interrupted = true;
	job->outcome.why = *why;
	(void)pf_wrap(&job->outcome.why, "the target takes nothing");
}

bool job_target_takes_nothing(struct pf_job *job, const struct pf_err *why)
{
	struct pf_side *s = &job->side[DST];

	if (why->retry != PF_RETRY_LATER || ++s->laters < LATERS_MAX) {
		return false;
	}
	if (s->pause_until_ms > job->now.ms ||
		job->target_full) { /* the others that were in flight */
		return true;
	}
	if (++s->pauses > TRIES_MAX) {
		end_puts(job, why);
		return true;
	}
	s->pause_until_ms = job->now.ms + job_pause_ms(job, s->pauses, why);
	job->progress.paused_until_ms = s->pause_until_ms;
	job_event(job, PF_EV_THROTTLED, NULL, NULL, "target takes nothing just now: %s", why->text);
	return true;
}
