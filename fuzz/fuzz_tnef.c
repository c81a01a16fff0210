/*
 * TNEF: only what has no signature is refused; an item is no deeper than it may be, all its text is
 * UTF-8, it takes no more memory than its stream is worth, and reads the same twice.
 */
#include "mapi_sum.h"
#include "proto/tnef/tnef.h"

static uint64_t read_once(struct pf_span in)
{
	struct pf_arena arena;
	struct pf_mapi_item *item;
	struct pf_mapi_notes notes = {0};
	struct pf_err err;
	uint64_t sum = 0;

	pf_arena_init(&arena);
	item = pf_mapi_new(&arena);
	pf_assert(item != NULL);
	if (pf_tnef_read(in, item, &notes, &err) == PF_OK) {
		pf_assert(sum_item(&sum, item) <= PF_TNEF_DEPTH_MAX);
		for (size_t i = 0; i < notes.n && i < PF_MAPI_NOTES_KEPT; i++) {
			pf_assert(notes.v[i].at <= in.n);
		}
		pf_assert(arena.total <= 4096 + in.n * 64);
	} else {
		pf_assert(!pf_tnef_is(in));
	}
	pf_arena_deinit(&arena);
	return sum + notes.n;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	pf_assert(read_once(pf_span(data, size)) == read_once(pf_span(data, size)));
	return 0;
}
