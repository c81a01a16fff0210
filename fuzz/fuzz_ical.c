/*
 * Calendars: whatever is read has the same parts when it is written anew, the last of them means
 * what it meant, and nothing takes more memory than its size allows.
 */
#include "base/defs.h"
#include "convert/ical_codec.h"
#include "sum.h"

static void look_at(const struct pf_doc *d, size_t i)
{
	const struct pf_piece piece = {d, i};
	const struct pf_compose how = {.uid = pf_span_str("new"),
		.schedule = PF_SCHEDULE_NONE,
		.repair = true,
		.alone = i % 2 == 0};
	const struct pf_component *p = pf_ical_codec.part(d, i);
	struct pf_instance some[16];
	struct pf_window w = {0, 4000000000, some, 16, 0};
	struct pf_composed out = {0};
	struct pf_doc *again = NULL;
	struct pf_err err;
	uint64_t sum = 0;

	sum_span(&sum, p->uid);
	sum_span(&sum, p->summary);
	sum_span(&sum, p->organizer);
	(void)pf_ical_codec.recurs_at(&piece, p->begin_utc_s, false);
	pf_assert(pf_ical_codec.expand(&piece, 1, &w, &err) == PF_OK);
	pf_assert(pf_ical_codec.compose(&piece, 1, &how, &out, &err) == PF_OK);
	pf_assert(pf_ical_codec.read(pf_blob_span(out.body), &again, &err) == PF_OK);
	pf_assert(pf_span_eq(pf_ical_codec.part(again, 0)->uid, pf_span_str("new")));
	pf_ical_codec.free(&again);
	pf_blob_unref(&out.body);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct pf_doc *d = NULL;
	struct pf_err err;

	if (pf_ical_codec.read(pf_span(data, size), &d, &err) != PF_OK) {
		return 0;
	}
	for (size_t i = 0; i < pf_ical_codec.parts(d) && i < 8; i++) {
		look_at(d, i);
	}
	pf_ical_codec.free(&d);
	return 0;
}
