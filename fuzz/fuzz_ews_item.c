/*
 * Items of Exchange Web Services. The first message is the item, the others are what it lacks, one
 * after the other: it is no deeper than it may be, its text is UTF-8, and it reads the same twice.
 */
#include "mapi_reading.h"
#include "proto/ews/item.h"

enum { DEPTH_MAX = 16 };

static uint64_t look_at(struct pf_span body)
{
	struct pf_arena arena;
	struct pf_ews_whole w = {.arena = &arena};
	struct pf_ews_answer *a = NULL;
	struct pf_ews_message m;
	struct pf_err err;
	uint64_t sum = 0;

	if (pf_ews_answer_new(body, &a, &err) != PF_OK) {
		return 0;
	}
	pf_arena_init(&arena);
	if (pf_ews_answer_next(a, &m) && pf_ews_read_whole(&m, &w, &err) == PF_OK) {
		for (size_t i = 0; i < w.lack_n && pf_ews_answer_next(a, &m); i++) {
			pf_assert(w.lack[i].id.n > 0 && w.lack[i].at < w.lack[i].of->attachments_n);
			if (pf_ews_read_lack(&m, &w, i, &err) != PF_OK) {
				pf_assert(err.scope == PF_SCOPE_ITEM);
			}
		}
		pf_assert(sum_item(&sum, w.item) <= DEPTH_MAX);
		sum_span(&sum, w.uid);
		sum_number(&sum, w.lack_n);
	}
	pf_arena_deinit(&arena);
	pf_ews_answer_free(&a);
	return sum;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct pf_span body = pf_span(data, size);

	pf_assert(look_at(body) == look_at(body));
	return 0;
}
