/*
 * A source that breaks off at one item of a folder after the other means none of them. The folder
 * is then left alone for a while and asked for one item at a time; when that does not help, what is
 * left of it is for the next run. Else each of its items would cost many connections, and as many
 * sign-ins.
 */
#include "engine/fold_private.h"

enum { BREAKS_MAX = 8 }; /* items in a row: then it is not the items */

void fold_source_gives(struct pf_fold *f)
{
	f->breaks = 0;
	f->ask_pauses = 0;
	f->probing = false;
}

bool fold_source_may_be_asked(const struct pf_fold *f)
{
	return f->ask_pauses == 0 || (f->not_before_ms <= f->job->now.ms && f->slots == 0);
}

bool fold_source_gave_up(const struct pf_fold *f)
{
	return f->ask_pauses > TRIES_MAX;
}

bool fold_source_gives_nothing(struct pf_fold *f, const struct pf_err *why)
{
	if (why->retry != PF_RETRY_LATER || ++f->breaks < BREAKS_MAX) {
		return false;
	}
	if (f->ask_pauses > 0 && !f->probing) {
		return true; /* the others that were in flight */
	}
	f->probing = false;
	if (++f->ask_pauses > TRIES_MAX) {
		job_event(f->job, PF_EV_THROTTLED, f, NULL,
			"source gives nothing of this folder, it is left to the next run: %s",
			why->text);
		return true;
	}
	/* Now here, now there: perhaps they are not all of one kind. */
	f->next_entry = f->rows.n * f->ask_pauses / (TRIES_MAX + 1);
	f->not_before_ms = f->job->now.ms + job_pause_ms(f->job, f->ask_pauses, why);
	job_event(f->job, PF_EV_THROTTLED, f, NULL,
		"source gives nothing of this folder just now: %s", why->text);
	return true;
}
