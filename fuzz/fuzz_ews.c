/* Answers of Exchange Web Services and of Autodiscover. Whatever comes, the same comes again, and
 * nothing grows. */
#include "base/base64.h"
#include "proto/ews/answer.h"
#include "proto/ews/discover.h"
#include "proto/ews/transfer.h"
#include "sum.h"

static void look_at_folders(struct pf_ews_answer *a, const struct pf_ews_message *m, uint64_t *sum)
{
	const struct pf_ews_node *at = NULL;
	struct pf_ews_folder f;

	while (pf_ews_folder_next(a, m, &at, &f)) {
		sum_span(sum, f.id);
		sum_span(sum, f.parent);
		sum_span(sum, f.name);
		sum_span(sum, f.folder_class);
	}
}

static void look_at_items(struct pf_ews_answer *a, const struct pf_ews_message *m, uint64_t *sum)
{
	const struct pf_ews_node *at = NULL;
	struct pf_ews_item i;
	struct pf_err err;
	struct pf_buf out;

	while (pf_ews_item_next(a, m, &at, &i)) {
		sum_span(sum, i.id);
		sum_span(sum, i.received);
		sum_span(sum, i.words);
		pf_buf_init(&out, i.mime.n + 3);
		if (pf_base64_decode(i.mime, &out, &err) == PF_OK) {
			pf_assert(out.n <= i.mime.n);
			sum_span(sum, pf_buf_span(&out));
		}
		pf_buf_deinit(&out);
	}
}

static void look_at_moved(struct pf_ews_answer *a, const struct pf_ews_message *m, uint64_t *sum)
{
	struct pf_ews_moved moved;

	pf_ews_moved(a, m, &moved);
	sum_span(sum, moved.id);
	sum_span(sum, moved.version);
	sum_span(sum, moved.stream);
}

static uint64_t look_at(struct pf_span body)
{
	struct pf_ews_answer *a = NULL;
	struct pf_ews_message m;
	struct pf_err err;
	uint64_t sum = 0;

	if (pf_ews_answer_new(body, &a, &err) != PF_OK) {
		pf_assert(err.scope == PF_SCOPE_ITEM);
		return 0;
	}
	if (pf_ews_answer_head(a)->fault) {
		pf_assert(pf_ews_answer_head(a)->said.text[0]);
	}
	while (pf_ews_answer_next(a, &m)) {
		pf_assert(m.said.text[0]);
		sum_span(&sum, m.state);
		look_at_folders(a, &m, &sum);
		look_at_items(a, &m, &sum);
		look_at_moved(a, &m, &sum);
	}
	pf_ews_answer_free(&a);
	return sum;
}

/* The same bytes as an answer of Autodiscover. */
static uint64_t look_at_place(struct pf_span body)
{
	struct pf_ews_place place;
	struct pf_arena arena;
	struct pf_err err;
	uint64_t sum = 0;

	pf_arena_init(&arena);
	if (pf_ews_discover_read(body, &arena, &place, &err) == PF_OK) {
		pf_assert((place.found == PF_EWS_FOUND_NOTHING) == (place.text[0] != '\0'));
		sum_span(&sum, place.value);
	}
	pf_arena_deinit(&arena);
	return sum;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct pf_span body = pf_span(data, size);

	pf_assert(look_at(body) == look_at(body));
	pf_assert(look_at_place(body) == look_at_place(body));
	return 0;
}
