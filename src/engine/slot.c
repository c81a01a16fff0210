/*
 * Slots: items in flight, of all folders of a job. An operation's id names its slot and how often
 * that was taken, so that an answer which comes too late finds none.
 */
#include "engine/fold_private.h"

enum { SLOT_BITS = 12 };

size_t slot_index(const struct pf_slot *s)
{
	size_t number = (size_t)(s - s->fold->job->slots);

	return number | (size_t)(s->generation & 0xfffff) << SLOT_BITS;
}

struct pf_slot *slot_of(struct pf_fold *f, uint64_t op)
{
	size_t index = op_index(op);
	struct pf_slot *s = &f->job->slots[index & ((1u << SLOT_BITS) - 1)];

	return s->state != SLOT_FREE && s->fold == f && slot_index(s) == index ? s : NULL;
}

struct pf_entry *slot_entry(const struct pf_slot *s)
{
	return &s->fold->rows.v[s->entry];
}

void slot_unlink(struct pf_slot *s)
{
	struct pf_fold *f = s->fold;
	struct pf_slot *before = NULL;

	for (struct pf_slot *i = f->first; i; before = i, i = i->next) {
		if (i != s) {
			continue;
		}
		*(before ? &before->next : &f->first) = i->next;
		f->last = f->last == s ? before : f->last;
		break;
	}
	s->next = NULL;
}

void slot_put_ended(struct pf_slot *s)
{
	struct pf_fold *f = s->fold;

	job_room_ended(f->job, s);
	if (s->put) {
		s->put = false;
		f->putting--;
		f->linking -= s->link;
		f->job->putting--;
		f->solo = false;
	}
}

void slot_release(struct pf_slot *s)
{
	struct pf_fold *f = s->fold;
	struct pf_job *job = f->job;
	unsigned int generation = s->generation;

	slot_unlink(s);
	slot_put_ended(s);
	links_ended(s);
	pf_blob_unref(&s->body);
	pf_blob_unref(&s->original);
	pf_blob_unref(&s->native);
	pf_fingerprinter_free(&s->printer);
	pf_quarantine_abort(&s->entry_file);
	job->bytes_in_flight -= s->budget;
	f->bytes_open -= s->budget;
	f->slots--;
	job->slots_used--;
	if (s->large) {
		job->large_busy = false;
	}
	job->slots_paused -= s->not_before_ms > 0;
	*s = (struct pf_slot){.generation = generation + 1, .next = job->slots_free};
	job->slots_free = s;
}

struct pf_slot *slot_take(struct pf_fold *f, size_t entry)
{
	struct pf_job *job = f->job;
	struct pf_slot *s = job->slots_free;

	if (s) {
		job->slots_free = s->next;
	} else if (job->slots_touched < SLOTS) {
		s = &job->slots[job->slots_touched++];
	} else {
		return NULL;
	}
	s->next = NULL;
	s->state = SLOT_GETTING;
	s->fold = f;
	s->entry = entry;
	f->slots++;
	job->slots_used++;
	return s;
}

void slot_set_budget(struct pf_slot *s, uint64_t bytes)
{
	s->fold->job->bytes_in_flight += bytes - s->budget;
	s->fold->bytes_open += bytes - s->budget;
	s->budget = bytes;
}
