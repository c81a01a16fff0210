/*
 * A target that is full (RFC 5530 OVERQUOTA, and whatever else a store tells as PF_EV_TARGET_FULL).
 *
 * A quota is not the fault of an item: after the first refusal what has not left yet is recalled,
 * and what is in flight is waited for. A group that was refused as one may have been too much only
 * as one, and a large item may have been so where smaller ones still fit: so one item is tried
 * after a pause, alone, and of the large ones only such as are half as large; when it is taken,
 * others follow, few at a time. When a small one is refused, or when that happened a few times,
 * nothing more is put in this pass. What was left stays open, and the next pass goes on with it.
 */
#include "engine/fold_private.h"

#include <stdio.h>

enum {
	SMALL = 64 << 10, /* when such an item does not fit, the rest is not worth asking for */
	REFUSALS_MAX = 4, /* in one pass */
	MOST_REFUSED = 8, /* in flight at once, since there was a refusal */
	MOST_TOLD =
		SLOTS, /* the same where only the quota told before says that there is no room */
};

static bool is_narrow(const struct pf_job *job, uint64_t size)
{
	uint64_t room = job_facts(job, DST)->quota_free_bytes;

	return room != UINT64_MAX && job->outcome.bytes_now + job->room.putting + size > room;
}

bool job_room_beyond(const struct pf_job *job, uint64_t size)
{
	return job->room.below > 0 && size >= job->room.below;
}

bool job_room_permits(const struct pf_job *job, uint64_t size)
{
	size_t most = job->room.most ? job->room.most : is_narrow(job, size) ? 1 : SLOTS;

	return job->putting < most && !job_room_beyond(job, size);
}

void job_room_put(struct pf_job *job, struct pf_slot *s, uint64_t size)
{
	if (job->room.most == 0 && is_narrow(job, size)) {
		job->room.most = 1;
	}
	s->room_turn = job->room.turn;
	s->room = size;
	job->room.putting += size;
}

void job_room_ended(struct pf_job *job, struct pf_slot *s)
{
	job->room.putting -= s->room;
	s->room = 0;
}

void job_room_taken(struct pf_job *job)
{
	size_t most = job->room.refusals > 0 ? MOST_REFUSED : MOST_TOLD;

	if (job->room.most > 0 && job->room.most < most && ++job->room.taken >= job->room.most) {
		job->room.most++;
		job->room.taken = 0;
	}
}

int job_recall(struct pf_job *job, struct pf_err *err)
{
	struct pf_op op = {.kind = PF_OP_RECALL, .id = op_id(USE_PUT, 0, 0xffffffff)};

	return job_submit(job, DST, &op, err) == PF_FAIL ? PF_FAIL : PF_OK;
}

/* Items are left open for it. */
static void tell(
	struct pf_job *job, struct pf_fold *f, const struct pf_entry *e, const struct pf_err *why)
{
	uint64_t room = job_facts(job, DST)->quota_free_bytes;
	struct pf_err *out = &job->outcome.why;
	char quota[80] = "";

	if (job->room.told) {
		return;
	}
	job->room.told = true;
	if (room != UINT64_MAX) {
		(void)snprintf(quota, sizeof(quota),
			", whose quota left %llu bytes when the pass began",
			(unsigned long long)room);
	}
	*out = *why;
	(void)pf_fail(out, why->scope, why->retry,
		"target is full%s: %s; raise its quota or free space there", quota, why->text);
	out->number = why->number;
	job->outcome.interrupted = true;
	job->outcome.at_target = true;
	job_event(job, PF_EV_TARGET_FULL, f, e, "%s%s", why->text, quota);
}

int job_room_over(struct pf_job *job, struct pf_fold *f, const struct pf_entry *e,
	const struct pf_err *why, struct pf_err *err)
{
	bool first = !job->target_full;

	tell(job, f, e, why);
	job->target_full = true;
	return first ? job_recall(job, err) : PF_OK;
}

int job_room_refused(struct pf_slot *s, bool grouped, const struct pf_err *why, struct pf_err *err)
{
	struct pf_job *job = s->fold->job;
	struct pf_room *r = &job->room;
	bool anew = s->room_turn == r->turn; /* not one that was in flight with the last one */
	uint64_t size = s->total > 0 ? s->total : slot_entry(s)->size;
	int64_t until;

	r->refusals += anew;
	if (!grouped) {
		r->below = r->below == 0 || size / 2 < r->below ? size / 2 + 1 : r->below;
		tell(job, s->fold, slot_entry(s), why);
	}
	if ((!grouped && size < SMALL) || r->refusals >= REFUSALS_MAX) {
		return job_room_over(job, s->fold, slot_entry(s), why, err);
	}
	if (!anew) {
		return PF_OK;
	}
	r->turn++;
	r->most = 1;
	r->taken = 0;
	until = job->now.ms + job_pause_ms(job, r->refusals, why);
	if (until > job->side[DST].pause_until_ms) {
		job->side[DST].pause_until_ms = until;
		job->progress.paused_until_ms = until;
	}
	return job_recall(job, err);
}
