/*
 * Time zones: what is read is written as the same; its moments go both ways, and its VTIMEZONE has
 * whole lines.
 */
#include "base/defs.h"
#include "convert/mapi_zone.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(struct pf_arena *arena, const struct pf_zone *z)
{
	struct pf_span id;
	struct pf_buf b;
	struct pf_err err;

	pf_buf_init(&b, 1 << 20);
	for (int64_t at = -3000000000; at < 5000000000; at += 400000001) {
		int64_t local = pf_zone_to_local(z, at);

		pf_assert(local - at > -3 * 86400 && local - at < 3 * 86400);
		local -= pf_zone_to_utc(z, local);
		pf_assert(local > -3 * 86400 && local < 3 * 86400);
	}
	pf_assert(pf_zone_id(arena, z, 1700000000, &id, &err) == PF_OK && id.n > 0);
	pf_assert(pf_zone_to_ical(z, id, 2024, &b, &err) == PF_OK);
	pf_assert(b.n > 2 && memcmp(b.p + b.n - 2, "\r\n", 2) == 0);
	pf_buf_deinit(&b);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct pf_span blob = pf_span(data, size);
	struct pf_zone z, again;
	struct pf_arena arena;
	struct pf_buf b;
	struct pf_err err;

	pf_arena_init(&arena);
	pf_buf_init(&b, 1 << 20);
	if (pf_zone_read_struct(blob, &z, &err) == PF_OK) {
		check(&arena, &z);
		pf_assert(pf_zone_write_struct(&z, &b, &err) == PF_OK);
		pf_assert(pf_zone_read_struct(pf_buf_span(&b), &again, &err) == PF_OK);
		pf_assert(pf_zone_rule_eq(&z.rule[0], &again.rule[0]));
	}
	pf_buf_clear(&b);
	if (pf_zone_read_definition(&arena, blob, &z, &err) == PF_OK) {
		check(&arena, &z);
		pf_assert(pf_zone_write_definition(&z, &b, &err) == PF_OK);
		pf_assert(pf_zone_read_definition(&arena, pf_buf_span(&b), &again, &err) == PF_OK);
		pf_assert(again.n == z.n);
	}
	pf_arena_deinit(&arena);
	pf_buf_deinit(&b);
	return 0;
}
