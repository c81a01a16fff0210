/*
 * Sources where one item is in several folders (PF_CAP_LABELS) say which ones are the same. Such an
 * item is asked for once: the folder that comes to it first puts it, and the others have the target
 * make another of it (PF_CAP_COPY), in their own order. For the ledger that is a PUT like any
 * other: the row is SENT before, and when its end is not known it is looked for by its content.
 *
 * A target should keep flags and date of what it copies (RFC 3501 section 6.4.7). The first one of
 * a pass is read back at once; where it was not kept, each folder asks for its own.
 *
 *   AWAITED  the folder that owns it has not put it yet: those whose listing ended later wait
 *   THERE    it is at the target: `dst_id` in the owner's folder
 *
 * A folder waits only for those whose listings ended before its own, so none waits for ever.
 */
#include "engine/fold_private.h"

#include <stdlib.h>

enum {
	LINKS_FIRST = 1024,
	FAILURES_MAX = 3,    /* in a pass */
	LINKS_MAX = 1 << 18, /* known at once, some 25 MB: what is beyond is asked for again */
};

struct pf_link {
	uint64_t same; /* 0: free */
	struct pf_fold *owner;
	bool there;
	struct pf_span dst_id;
	struct pf_digest digest;
	uint64_t size, flags, validity; /* the last: of its id */
	int64_t date_utc_s;
};

static bool are_used(const struct pf_fold *f)
{
	const struct pf_job *job = f->job;

	return job->links.keeps != LINKS_ALTER && job_writes(job) && !f->fleeting &&
	       job_has_cap(job, DST, PF_CAP_COPY) && job_has_cap(job, DST, PF_CAP_PUT_RETURNS_ID);
}

/* Its place, or the free one where it would be. */
static struct pf_link *place_of(struct pf_link *v, size_t cap, uint64_t same)
{
	size_t at = (size_t)((same * 0x9e3779b97f4a7c15u) >> 32) & (cap - 1);

	while (v[at].same != 0 && v[at].same != same) {
		at = (at + 1) & (cap - 1);
	}
	return &v[at];
}

static struct pf_link *find(const struct pf_job *job, uint64_t same)
{
	struct pf_link *l =
		job->links.cap > 0 ? place_of(job->links.v, job->links.cap, same) : NULL;

	return l && l->same ? l : NULL;
}

static int grow(struct pf_links *k, struct pf_err *err)
{
	size_t cap = k->cap ? k->cap * 2 : LINKS_FIRST;
	struct pf_link *v;

	if (k->n < k->cap / 4 * 3) {
		return PF_OK;
	}
	v = calloc(cap, sizeof(*v));
	if (!v) {
		return pf_fail_memory(err, "the items of several folders");
	}
	for (size_t i = 0; i < k->cap; i++) {
		if (k->v[i].same) {
			*place_of(v, cap, k->v[i].same) = k->v[i];
		}
	}
	free(k->v);
	k->v = v;
	k->cap = cap;
	return PF_OK;
}

void links_free(struct pf_job *job)
{
	free(job->links.v);
	pf_arena_deinit(&job->links.arena);
	job->links = (struct pf_links){.v = NULL};
}

/* It is at the target, as the folder's own row tells. */
static void settle(struct pf_link *l, struct pf_fold *f, const struct pf_entry *e)
{
	l->dst_id = pf_arena_span(&f->job->links.arena, e->dst_id);
	l->owner = f;
	l->there = l->dst_id.p != NULL; /* no memory: then it is asked for again */
	l->digest = *e->digest;
	l->validity = f->dst_validity;
	l->size = e->size;
	l->flags = flags_key(f, e);
	l->date_utc_s = e->date_utc_s;
}

static bool is_there(const struct pf_entry *e)
{
	return e->verdict == PF_VERDICT_COPIED && !(e->bits & PF_ENTRY_GONE) && e->dst_id.p &&
	       e->digest && !e->note.p;
}

int links_note(struct pf_fold *f, struct pf_err *err)
{
	struct pf_links *k = &f->job->links;

	if (f->link_turn == 0) {
		f->link_turn = ++k->turns;
	}
	if (!are_used(f)) {
		return PF_OK;
	}
	for (size_t i = 0; i < f->rows.n && k->n < LINKS_MAX; i++) {
		const struct pf_entry *e = &f->rows.v[i];
		struct pf_link *l;

		if (e->same == 0 || (e->verdict != PF_VERDICT_NONE && !is_there(e))) {
			continue;
		}
		if (grow(k, err) != PF_OK) {
			return PF_FAIL;
		}
		l = place_of(k->v, k->cap, e->same);
		if (!l->same) {
			*l = (struct pf_link){.same = e->same, .owner = f};
			k->n++;
		}
		if (!l->there && is_there(e)) {
			settle(l, f, e);
		}
	}
	return PF_OK;
}

void links_arrived(struct pf_fold *f, const struct pf_entry *e)
{
	struct pf_link *l = e->same && are_used(f) ? find(f->job, e->same) : NULL;

	if (l && !l->there && is_there(e)) {
		settle(l, f, e);
	}
}

/* Whether the owner may yet put it. */
static bool is_awaited(const struct pf_fold *f, const struct pf_link *l)
{
	const struct pf_fold *o = l->owner;

	return !l->there && o != f && o->link_turn < f->link_turn && fold_is_active(o) &&
	       !o->copied_through && !o->fleeting;
}

enum links_way links_way(const struct pf_fold *f, const struct pf_entry *e)
{
	const struct pf_link *l = e->same && are_used(f) ? find(f->job, e->same) : NULL;

	if (!l || e->attempts > 0 || e->date_utc_s == PF_DATE_NONE ||
		pf_date_is_odd(e->date_utc_s)) {
		return LINKS_FETCH;
	}
	if (is_awaited(f, l)) {
		return LINKS_WAIT;
	}
	if (!l->there || l->owner == f || l->owner->fleeting || l->owner->restart ||
		l->validity == 0 || l->validity != l->owner->dst_validity ||
		l->date_utc_s != e->date_utc_s || l->flags != flags_key(f, e)) {
		return LINKS_FETCH;
	}
	return f->job->links.keeps == LINKS_ASKED ? LINKS_WAIT : LINKS_COPY;
}

void links_begin(struct pf_slot *s)
{
	const struct pf_link *l = find(s->fold->job, slot_entry(s)->same);

	s->link = true;
	s->got = true;
	s->state = SLOT_READY;
	s->total = l->size;
	s->digest = l->digest;
	if (s->fold->job->links.keeps == LINKS_UNKNOWN) {
		s->fold->job->links.keeps = LINKS_ASKED;
		s->link_first = true;
	}
}

bool links_block(const struct pf_slot *s)
{
	const struct pf_fold *f = s->fold;

	if (!s->link) {
		return f->linking > 0;
	}
	return f->putting > f->linking ||
	       (f->linking > 0 && f->link_owner != find(f->job, slot_entry(s)->same)->owner);
}

int links_copy(struct pf_slot *s, struct pf_err *err)
{
	struct pf_fold *f = s->fold;
	const struct pf_link *l = find(f->job, slot_entry(s)->same);
	struct pf_op op = {
		.kind = PF_OP_COPY,
		.id = op_id(USE_PUT, f->index, slot_index(s)),
		.folder = pf_buf_span(&l->owner->dst_id),
		.item = l->dst_id,
		.copy = {.to = pf_buf_span(&f->dst_id)},
	};
	int rc = job_submit(f->job, DST, &op, err);

	if (rc == PF_OK) {
		f->linking++;
		f->link_owner = l->owner;
	}
	return rc;
}

/* ---- the first one is read back ---- */

static void give_up(struct pf_job *job, const char *why)
{
	job->links.keeps = LINKS_ALTER;
	job_event(job, PF_EV_FEATURE_OFF, NULL, NULL,
		"target: %s, so items that are in several folders are sent for each of them", why);
}

void links_failed(struct pf_slot *s)
{
	struct pf_job *job = s->fold->job;

	slot_entry(s)->same = 0; /* from now on it is one like any other */
	if (++job->links.failed == FAILURES_MAX && job->links.keeps != LINKS_ALTER) {
		give_up(job, "what it was to copy within the account failed or was left in doubt");
	}
}

void links_ended(struct pf_slot *s)
{
	struct pf_links *k = &s->fold->job->links;

	if (s->link_first && k->keeps == LINKS_ASKED) {
		k->keeps = LINKS_UNKNOWN; /* nothing came of it: another one is the first */
	}
	s->link_first = false;
}

int links_first_done(struct pf_slot *s, struct pf_span id, struct pf_err *err)
{
	struct pf_fold *f = s->fold;
	struct pf_links *k = &f->job->links;
	struct pf_op op = {
		.kind = PF_OP_LIST,
		.id = op_id(USE_LINK, f->index, 0),
		.folder = pf_buf_span(&f->dst_id),
		.list = {.from = f->dst_next},
	};
	int rc;

	if (!s->link_first) {
		return PF_OK;
	}
	s->link_first = false;
	k->first_id = pf_arena_span(&k->arena, id);
	k->first_date_utc_s = slot_entry(s)->date_utc_s;
	k->first_size = s->total;
	k->seen = false;
	rc = job_submit(f->job, DST, &op, err);
	k->keeps = rc == PF_AGAIN ? LINKS_UNKNOWN : k->keeps; /* then the next one is */
	return rc == PF_FAIL ? PF_FAIL : PF_OK;
}

void links_event(struct pf_fold *f, const struct pf_store_event *ev)
{
	struct pf_job *job = f->job;
	struct pf_links *k = &job->links;

	if (ev->kind == PF_STORE_ITEM && pf_span_eq(ev->item.id, k->first_id)) {
		k->seen = ev->item.date_utc_s == k->first_date_utc_s &&
			  (ev->item.size == k->first_size ||
				  !job_has_cap(job, DST, PF_CAP_EXACT_SIZE));
	}
	if (ev->kind == PF_STORE_DONE || ev->kind == PF_STORE_FAILED) {
		if (ev->kind == PF_STORE_DONE && k->seen) {
			k->keeps = k->keeps == LINKS_ASKED ? LINKS_KEEP : k->keeps;
		} else if (k->keeps != LINKS_ALTER) {
			give_up(job,
				"what it copies within the account does not keep date and size");
		}
	}
}
