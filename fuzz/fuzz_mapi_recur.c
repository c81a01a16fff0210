/*
 * Recurrence blobs: what is read can be written, and read again as the same; the days of the rule
 * come in order and end.
 */
#include "base/defs.h"
#include "convert/mapi_recur.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_days(const struct pf_recur *r)
{
	uint32_t day = pf_recur_first(r), next;

	for (int i = 0; i < 20 && (next = pf_recur_next(r, day)) != 0; i++) {
		pf_assert(next > day && next % 1440 == 0);
		day = next;
	}
}

/* A rule as text goes through the other road. */
static void check_rule(const uint8_t *data, size_t size)
{
	const struct pf_recur_begin begin = {212000000, 212000060, 0};
	struct pf_recur r;
	struct pf_buf b;
	struct pf_err err;

	pf_buf_init(&b, 4096);
	if (pf_recur_from_rule(pf_span(data, size), &begin, &r, &err) == PF_OK) {
		check_days(&r);
		pf_assert(pf_recur_to_rule(&r, NULL, &b, &err) == PF_OK);
	}
	pf_buf_deinit(&b);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct pf_arena arena;
	struct pf_recur r, again;
	struct pf_buf once, twice;
	struct pf_err err;

	pf_arena_init(&arena);
	pf_buf_init(&once, 16 << 20);
	pf_buf_init(&twice, 16 << 20);
	check_rule(data, size);
	if (pf_recur_read(&arena, pf_span(data, size), 1252, &r, &err) == PF_OK) {
		check_days(&r);
		pf_assert(pf_recur_write(&r, &once, &err) == PF_OK);
		pf_assert(pf_recur_read(&arena, pf_buf_span(&once), 1252, &again, &err) == PF_OK);
		pf_assert(again.exception_n == r.exception_n && again.deleted_n == r.deleted_n);
		pf_assert(!again.cut && again.end == r.end);
		pf_assert(pf_recur_write(&again, &twice, &err) == PF_OK);
		pf_assert(pf_span_eq(pf_buf_span(&once), pf_buf_span(&twice)));
	}
	pf_arena_deinit(&arena);
	pf_buf_deinit(&once);
	pf_buf_deinit(&twice);
	return 0;
}
