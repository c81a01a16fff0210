/* Answers of DAV servers: multistatus, refusals, references. Whatever comes, the same comes again,
 * and a reference that was brought into its form stays as it is. */
#include "proto/dav/href.h"
#include "proto/dav/multi.h"
#include "proto/dav/said.h"
#include "sum.h"

static const struct pf_origin ORIGIN = {"host.example", 443, true};

static void look_at_href(struct pf_span href, bool folder)
{
	struct pf_buf once, twice;
	struct pf_err err;
	enum pf_dav_where where;

	pf_buf_init(&once, 1 << 20);
	pf_buf_init(&twice, 1 << 20);
	if (pf_dav_href(href, pf_span_str("/base/"), &ORIGIN, folder, &once, &where, &err) ==
			PF_OK &&
		where == PF_DAV_HERE) {
		pf_assert(once.n > 0 && once.p[0] == '/');
		if (once.n < 60000 && pf_dav_href(pf_buf_span(&once), pf_span_str("/base/"),
					      &ORIGIN, folder, &twice, &where, &err) == PF_OK) {
			pf_assert(where == PF_DAV_HERE);
			pf_assert(pf_span_eq(pf_buf_span(&once), pf_buf_span(&twice)));
		}
	}
	pf_buf_deinit(&once);
	pf_buf_deinit(&twice);
}

static uint64_t look_at_multi(struct pf_span body)
{
	struct pf_dav_multi *m = NULL;
	struct pf_dav_response r;
	struct pf_err err;
	uint64_t sum = 0;

	if (pf_dav_multi_new(body, &m, &err) != PF_OK) {
		return 0;
	}
	while (pf_dav_multi_next(m, &r, &err) == PF_OK) {
		sum_span(&sum, r.href);
		sum_span(&sum, r.etag);
		sum_span(&sum, r.data);
		sum_span(&sum, r.name);
		look_at_href(r.href, (r.type & PF_DAV_COLLECTION) != 0);
	}
	sum_span(&sum, pf_dav_multi_token(m));
	pf_dav_multi_free(&m);
	return sum;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const int STATUS[] = {201, 207, 400, 403, 409, 412, 500};
	struct pf_span body = pf_span(data, size);
	struct pf_dav_said said;
	struct pf_arena arena;

	pf_assert(look_at_multi(body) == look_at_multi(body));
	look_at_href(body, false);
	pf_arena_init(&arena);
	for (size_t i = 0; i < PF_COUNT(STATUS); i++) {
		pf_dav_said(STATUS[i], PF_DAV_IF_NONE, pf_span_str("application/xml"), body, &arena,
			&said);
		pf_assert(said.text[0]);
	}
	pf_arena_deinit(&arena);
	return 0;
}
