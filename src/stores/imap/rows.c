/*
 * The rows of a listing. A server may answer for a message in several responses, in any order and
 * with something said twice (RFC 9051 section 7: a client takes any response at any time); each
 * message is given out once, when all that was asked for is there.
 */
#include "stores/imap/imap_private.h"

#include <stdlib.h>

enum {
	ASKED = PF_IMAP_HAS_FLAGS | PF_IMAP_SAID_SIZE | PF_IMAP_SAID_DATE,
	NAMED = 1 << 30, /* in none of its rows: SEARCH has it */
	/* flags alone may be somebody's change */
	LISTED = PF_IMAP_SAID_SIZE | PF_IMAP_SAID_DATE | NAMED,
	SLOTS_FIRST = 64,
	FLAGS_MAX = 1 << 20,
};

/* A message that has been named. */
struct slot {
	uint32_t uid;  /* 0: free */
	uint32_t part; /* 0: given out; else its place in `parts`, from 1 on */
};

struct irows {
	struct slot *slots;
	size_t cap, n;
	struct pf_imap_fetch *parts; /* flags are in `flags` of the same place */
	struct pf_buf *flags;
	size_t part_n, part_cap;
	size_t left_at; /* rows_left() has come so far */
};

static size_t place_of(const struct irows *r, uint32_t uid)
{
	uint64_t mixed = ((uint64_t)uid ^ (uint64_t)(uintptr_t)r->slots) * 0x9e3779b97f4a7c15u;
	size_t at = (size_t)(mixed >> 32) & (r->cap - 1);

	while (r->slots[at].uid != 0 && r->slots[at].uid != uid) {
		at = (at + 1) & (r->cap - 1);
	}
	return at;
}

static int grow_slots(struct irows *r, struct pf_err *err)
{
	struct irows grown = *r;

	if (r->n < r->cap / 4 * 3) {
		return PF_OK;
	}
	grown.cap = r->cap ? r->cap * 2 : SLOTS_FIRST;
	grown.slots = calloc(grown.cap, sizeof(struct slot));
	if (!grown.slots) {
		return pf_fail_memory(err, "a listing");
	}
	for (size_t i = 0; i < r->cap; i++) {
		if (r->slots[i].uid != 0) {
			grown.slots[place_of(&grown, r->slots[i].uid)] = r->slots[i];
		}
	}
	free(r->slots);
	*r = grown;
	return PF_OK;
}

static int grow_parts(struct irows *r, struct pf_err *err)
{
	size_t cap = r->part_cap ? r->part_cap * 2 : 16;
	struct pf_imap_fetch *parts;
	struct pf_buf *flags;

	if (r->part_n < r->part_cap) {
		return PF_OK;
	}
	parts = realloc(r->parts, cap * sizeof(*parts));
	if (!parts) {
		return pf_fail_memory(err, "a listing");
	}
	r->parts = parts;
	flags = realloc(r->flags, cap * sizeof(*flags));
	if (!flags) {
		return pf_fail_memory(err, "a listing");
	}
	r->flags = flags;
	r->part_cap = cap;
	return PF_OK;
}

/* What `row` says goes to the message's other parts. */
static int merge(struct irows *r, size_t at, const struct pf_imap_fetch *row, struct pf_err *err)
{
	struct pf_imap_fetch *p;

	pf_assert(r->parts && at < r->part_n);
	p = &r->parts[at];
	if (row->has & PF_IMAP_HAS_FLAGS) {
		pf_buf_clear(&r->flags[at]);
		if (pf_buf_add(&r->flags[at], row->flags, err) != PF_OK) {
			return PF_FAIL;
		}
	}
	if (row->has & PF_IMAP_SAID_SIZE) {
		p->size = row->size;
	}
	if (row->has & PF_IMAP_SAID_DATE) {
		p->date_utc_s = row->date_utc_s;
		p->zone_min = row->zone_min;
	}
	p->gm_msgid = row->gm_msgid ? row->gm_msgid : p->gm_msgid;
	p->has |= row->has;
	return PF_OK;
}

static int take_part(
	struct irows *r, struct slot *s, const struct pf_imap_fetch *row, struct pf_err *err)
{
	if (s->part == 0) {
		if (grow_parts(r, err) != PF_OK) {
			return PF_FAIL;
		}
		r->parts[r->part_n] =
			(struct pf_imap_fetch){.uid = row->uid, .date_utc_s = PF_DATE_NONE};
		pf_buf_init(&r->flags[r->part_n], FLAGS_MAX);
		s->part = (uint32_t)++r->part_n;
	}
	return merge(r, s->part - 1, row, err);
}

int rows_take(struct irows **rows, const struct pf_imap_fetch *row, struct pf_imap_fetch *whole,
	bool *given, struct pf_err *err)
{
	struct irows *r = *rows;
	struct slot *s;
	bool is_new;

	*given = false;
	if (!r) {
		r = calloc(1, sizeof(*r));
		if (!r) {
			return pf_fail_memory(err, "a listing");
		}
		*rows = r;
	}
	if (grow_slots(r, err) != PF_OK) {
		return PF_FAIL;
	}
	s = &r->slots[place_of(r, row->uid)];
	is_new = s->uid == 0;
	if (!is_new && s->part == 0) {
		return PF_OK; /* it has been given out */
	}
	r->n += is_new;
	s->uid = row->uid;
	*whole = *row;
	if ((row->has & ASKED) != ASKED) {
		if (take_part(r, s, row, err) != PF_OK) {
			return PF_FAIL;
		}
		*whole = r->parts[s->part - 1];
		whole->flags = pf_buf_span(&r->flags[s->part - 1]);
	}
	*given = (whole->has & ASKED) == ASKED;
	if (*given && s->part > 0) {
		r->parts[s->part - 1].uid = 0;
		s->part = 0;
	}
	return PF_OK;
}

int rows_name(struct irows **rows, uint32_t uid, struct pf_err *err)
{
	const struct pf_imap_fetch row = {.uid = uid, .has = PF_IMAP_HAS_UID | NAMED};
	struct pf_imap_fetch whole;
	bool given;

	return rows_take(rows, &row, &whole, &given, err);
}

bool rows_left(struct irows *r, struct pf_imap_fetch *out)
{
	while (r && r->left_at < r->part_n) {
		size_t at = r->left_at++;

		if (r->parts[at].uid != 0 && (r->parts[at].has & LISTED)) {
			*out = r->parts[at];
			out->flags = pf_buf_span(&r->flags[at]);
			return true;
		}
	}
	return false;
}

size_t rows_left_count(const struct irows *r, uint64_t from)
{
	size_t n = 0;

	for (size_t i = 0; r && i < r->part_n; i++) {
		n += r->parts[i].uid != 0 && r->parts[i].uid >= from && (r->parts[i].has & LISTED);
	}
	return n;
}

void rows_free(struct irows **rows)
{
	struct irows *r = *rows;

	for (size_t i = 0; r && i < r->part_n; i++) {
		pf_buf_deinit(&r->flags[i]);
	}
	if (r) {
		free(r->slots);
		free(r->parts);
		free(r->flags);
		free(r);
		*rows = NULL;
	}
}
