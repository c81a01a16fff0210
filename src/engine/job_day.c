/*
 * What a server lets an account move in a day: known servers lock an account for hours that moved
 * more. Only bodies that are to be copied are held back; what is read to list and to compare
 * counts, as it is in the sum that the ledger keeps for each store, by the hour.
 *
 * When a day's bytes are used up what is in flight is waited for, and the pass ends as one that is
 * to come again when half of them are free once more.
 */
#include "base/civil.h"
#include "base/date_text.h"
#include "engine/job_private.h"

#include <stdio.h>

enum {
	HOUR_S = 3600,
	HOURS = 25,            /* the oldest of them lies in the last day in part */
	NOTE_BYTES = 256 << 10 /* are moved before they are written down */
};

static uint64_t limit_of(const struct pf_job *job, enum pf_side_no side)
{
	uint64_t asked = job->cfg->daily[side].bytes;

	asked = asked ? asked : job_facts(job, side)->daily_bytes[side];
	return asked == UINT64_MAX ? 0 : asked;
}

static bool is_counted(const struct pf_job *job, enum pf_side_no side)
{
	return job->cfg->ledger && job->cfg->daily[side].store && job->cfg->mode != PF_JOB_CHECK &&
	       !job->cfg->dry_run;
}

static int64_t first_hour(const struct pf_job *job)
{
	return job->now.utc_s / HOUR_S - (HOURS - 1);
}

static int read_hours(
	struct pf_job *job, enum pf_side_no side, uint64_t out[HOURS], struct pf_err *err)
{
	struct pf_ledger_traffic t = {
		.store = job->cfg->daily[side].store, .up = side == DST, .hour = first_hour(job)};

	return pf_ledger_traffic(job->cfg->ledger, &t, out, HOURS, err);
}

int job_day_note(struct pf_job *job, bool all, struct pf_err *err)
{
	for (size_t side = 0; side < 2; side++) {
		struct pf_day *d = &job->day[side];
		uint64_t moved = job_facts(job, (enum pf_side_no)side)->moved[side] - d->noted;
		uint64_t hours[HOURS];

		if (!is_counted(job, (enum pf_side_no)side) || moved < (all ? 1 : NOTE_BYTES)) {
			continue;
		}
		struct pf_ledger_traffic t = {.store = job->cfg->daily[side].store,
			.up = side == DST,
			.hour = job->now.utc_s / HOUR_S,
			.bytes = moved};

		if (pf_ledger_traffic_add(job->cfg->ledger, &t, err) != PF_OK ||
			read_hours(job, (enum pf_side_no)side, hours, err) != PF_OK) {
			return PF_FAIL;
		}
		d->noted += moved;
		d->used = 0;
		for (size_t i = 0; i < HOURS; i++) {
			d->used += hours[i];
		}
	}
	return PF_OK;
}

int job_day_begin(struct pf_job *job, struct pf_err *err)
{
	for (size_t side = 0; side < 2; side++) {
		uint64_t hours[HOURS];

		if (!is_counted(job, (enum pf_side_no)side)) {
			continue;
		}
		if (read_hours(job, (enum pf_side_no)side, hours, err) != PF_OK) {
			return PF_FAIL;
		}
		for (size_t i = 0; i < HOURS; i++) {
			job->day[side].used += hours[i];
		}
		if (limit_of(job, (enum pf_side_no)side) > 0 &&
			job->day[side].used >= limit_of(job, (enum pf_side_no)side) &&
			job_day_end(job, (enum pf_side_no)side, err) != PF_OK) {
			return PF_FAIL;
		}
	}
	return PF_OK;
}

/* When no more than half of the day's bytes are used: hours leave the last day one by one. */
static int64_t goes_on_utc_s(const struct pf_job *job, const uint64_t hours[HOURS], uint64_t limit)
{
	uint64_t used = 0;
	size_t i;

	for (i = 0; i < HOURS; i++) {
		used += hours[i];
	}
	for (i = 0; i < HOURS && used > limit / 2; i++) {
		used -= hours[i];
	}
	return (first_hour(job) + (int64_t)i + HOURS - 1) * HOUR_S;
}

int job_day_end(struct pf_job *job, enum pf_side_no side, struct pf_err *err)
{
	uint64_t hours[HOURS], limit = limit_of(job, side);
	struct pf_err *why = &job->outcome.why;
	char iso[32];
	int64_t at;

	if (job->target_full) {
		return PF_OK;
	}
	if (job_day_note(job, true, err) != PF_OK || read_hours(job, side, hours, err) != PF_OK) {
		return PF_FAIL;
	}
	at = goes_on_utc_s(job, hours, limit);
	pf_date_iso(at, iso);
	(void)pf_fail(why, PF_SCOPE_SESSION, PF_RETRY_LATER,
		"%s: %llu bytes %s in the last 24 hours, of the %llu that an account may move in a "
		"day: it goes on at %s",
		side == SRC ? "source" : "target", (unsigned long long)job->day[side].used,
		side == SRC ? "came" : "went", (unsigned long long)limit, iso);
	why->number = PF_EV_DAY_USED;
	why->retry_after_s = at > job->now.utc_s ? (int)(at - job->now.utc_s) : 1;
	job_event(job, PF_EV_DAY_USED, NULL, NULL, "%s", why->text);
	job->target_full = true;
	job->outcome.interrupted = true;
	job->outcome.at_target = side == DST;
	return PF_OK;
}

int job_day_permits(struct pf_job *job, uint64_t size, struct pf_err *err)
{
	for (size_t side = 0; side < 2; side++) {
		const struct pf_day *d = &job->day[side];
		uint64_t limit = limit_of(job, (enum pf_side_no)side), used, need;

		if (limit == 0 || !is_counted(job, (enum pf_side_no)side)) {
			continue;
		}
		used = d->used + job_facts(job, (enum pf_side_no)side)->moved[side] - d->noted;
		need = size < limit / 2 ? size : limit / 2; /* or a larger one would never go */
		if (used + job->bytes_in_flight + need <= limit) {
			continue;
		}
		if (job->slots_used > 0) {
			return PF_AGAIN; /* what is in flight may turn out to be less */
		}
		return job_day_end(job, (enum pf_side_no)side, err) == PF_OK ? PF_AGAIN : PF_FAIL;
	}
	return PF_OK;
}
