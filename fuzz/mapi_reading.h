/*
 * Reading a MAPI item from any bytes: it is no deeper than it may be, all its text is UTF-8, it
 * takes no more memory than its bytes are worth, and reads the same twice. Every byte that it has
 * or borrows is looked at, so that a sanitizer sees what lies outside.
 */
#ifndef PF_FUZZ_MAPI_READING_H
#define PF_FUZZ_MAPI_READING_H

#include "base/utf8.h"
#include "model/mapi.h"
#include "proto/mapi/notes.h"
#include "sum.h"

static inline void sum_value(uint64_t *sum, const struct pf_mapi_value *v)
{
	sum_number(sum, v->type);
	if (v->type & PF_MAPI_MANY) {
		for (size_t i = 0; i < v->many.n; i++) {
			sum_value(sum, &v->many.v[i]);
		}
		return;
	}
	switch (v->type) {
	case PF_MAPI_STRING:
		pf_assert(pf_utf8_valid(v->bytes));
		sum_span(sum, v->bytes);
		break;
	case PF_MAPI_BINARY:
	case PF_MAPI_OBJECT:
	case PF_MAPI_GUID:
		sum_span(sum, v->bytes);
		break;
	default:
		pf_assert(v->type != PF_MAPI_STRING8);
		sum_number(sum, v->filetime);
		break;
	}
}

static inline void sum_props(uint64_t *sum, const struct pf_mapi_props *props)
{
	for (size_t i = 0; i < props->n; i++) {
		sum_number(sum, props->v[i].id);
		if (props->v[i].name) {
			sum_span(sum, pf_span(props->v[i].name->set.b, 16));
			sum_number(sum, props->v[i].name->number);
			sum_span(sum, props->v[i].name->text);
		}
		sum_value(sum, &props->v[i].value);
	}
}

/* Returns how deep items nest. */
static inline unsigned sum_item(uint64_t *sum, const struct pf_mapi_item *item)
{
	unsigned deepest = 0;

	sum_props(sum, &item->props);
	for (size_t i = 0; i < item->recipients_n; i++) {
		sum_props(sum, &item->recipients[i]);
	}
	for (size_t i = 0; i < item->attachments_n; i++) {
		const struct pf_mapi_attachment *a = &item->attachments[i];
		unsigned depth;

		sum_props(sum, &a->props);
		sum_span(sum, a->data);
		sum_number(sum, a->kind);
		pf_assert((a->kind == PF_MAPI_ATTACH_ITEM) == (a->item != NULL));
		depth = a->item ? sum_item(sum, a->item) : 0;
		deepest = depth > deepest ? depth : deepest;
	}
	return deepest + 1;
}

typedef int (*mapi_reader)(struct pf_span in, struct pf_mapi_item *item,
	struct pf_mapi_notes *notes, struct pf_err *err);

/* Whether there is an item; its sum is in `*sum`. */
static inline bool read_once(mapi_reader read, struct pf_span in, unsigned depth_max, uint64_t *sum)
{
	struct pf_arena arena;
	struct pf_mapi_item *item;
	struct pf_mapi_notes notes = {0};
	struct pf_err err;
	bool good;

	pf_arena_init(&arena);
	item = pf_mapi_new(&arena);
	pf_assert(item != NULL);
	good = read(in, item, &notes, &err) == PF_OK;
	if (good) {
		pf_assert(sum_item(sum, item) <= depth_max);
		pf_assert(arena.total <= 16384 + in.n * 64);
	} else {
		pf_assert(err.scope == PF_SCOPE_ITEM);
	}
	for (size_t i = 0; i < notes.n && i < PF_MAPI_NOTES_KEPT; i++) {
		pf_assert(notes.v[i].at <= in.n);
	}
	sum_number(sum, notes.n);
	pf_arena_deinit(&arena);
	return good;
}

static inline bool read_twice(mapi_reader read, struct pf_span in, unsigned depth_max)
{
	uint64_t first = 0, second = 0;
	bool good = read_once(read, in, depth_max, &first);

	pf_assert(read_once(read, in, depth_max, &second) == good && first == second);
	return good;
}

#endif
