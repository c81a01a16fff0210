/*
 * Calendars: whatever is read has the same parts when it is written anew, the last of them means
 * what it meant, and nothing takes more memory than its size allows. A series that can be made
 * single events is as many as are told.
 */
#include "base/defs.h"
#include "convert/ical_codec.h"
#include "proto/ical/ical.h"
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

static size_t count_singles(struct pf_span text)
{
	struct pf_ical *c = NULL;
	struct pf_err err;
	size_t n = 0;

	pf_assert(pf_ical_read(text, &c, &err) == PF_OK);
	for (size_t i = 0; i < c->comp_count; i++) {
		const struct pf_line *uid = pf_ical_comp_is(c, (int)i, "VEVENT")
						    ? pf_ical_find(c, (int)i, "UID")
						    : NULL;

		n += uid && pf_ical_is_single(uid->value) && !pf_ical_recurs(c, (int)i);
	}
	pf_ical_free(&c);
	return n;
}

/* The first series, by itself, up to 2030. */
static void make_singles(struct pf_span bytes)
{
	struct pf_ical_singles told = {.n = 0};
	struct pf_ical_piece piece = {NULL, 0};
	struct pf_buf out;
	struct pf_err err;

	pf_buf_init(&out, 4 << 20);
	if (pf_ical_read(bytes, &piece.c, &err) == PF_OK) {
		for (size_t i = 0; i < piece.c->comp_count && !told.n; i++) {
			piece.comp = (int)i;
			if (pf_ical_comp_is(piece.c, piece.comp, "VEVENT") &&
				pf_ical_recurs(piece.c, piece.comp) &&
				pf_ical_singles(&piece, 1, 1893456000, &out, &told, &err) ==
					PF_OK) {
				pf_assert(count_singles(pf_buf_span(&out)) == told.n);
				break;
			}
			pf_buf_clear(&out);
		}
	}
	pf_buf_deinit(&out);
	pf_ical_free(&piece.c);
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
	make_singles(pf_span(data, size));
	return 0;
}
