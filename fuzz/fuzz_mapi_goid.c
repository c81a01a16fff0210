/*
 * Global object ids: a UID made of any blob goes back into one that has the same UID and day.
 */
#include "base/defs.h"
#include "convert/mapi_goid.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct pf_goid_day day, again_day;
	struct pf_buf uid, blob, again;
	struct pf_err err;

	if (size > 8192) {
		return 0;
	}
	pf_buf_init(&uid, 4 << 20);
	pf_buf_init(&blob, 4 << 20);
	pf_buf_init(&again, 4 << 20);
	if (pf_goid_to_uid(pf_span(data, size), &uid, &day, &err) == PF_OK) {
		pf_assert(uid.n > 0 && uid.n <= 2 * size);
		pf_assert(pf_goid_from_uid(pf_buf_span(&uid), &day, &blob, &err) == PF_OK);
		pf_assert(pf_goid_to_uid(pf_buf_span(&blob), &again, &again_day, &err) == PF_OK);
		pf_assert(pf_span_eq(pf_buf_span(&uid), pf_buf_span(&again)));
		pf_assert(day.year == again_day.year && day.day == again_day.day);
	}
	pf_buf_clear(&blob);
	if (pf_goid_from_uid(pf_span(data, size), NULL, &blob, &err) == PF_OK) {
		pf_buf_clear(&again);
		pf_assert(pf_goid_to_uid(pf_buf_span(&blob), &again, &day, &err) == PF_OK);
		pf_assert(day.year == 0);
	}
	pf_buf_deinit(&uid);
	pf_buf_deinit(&blob);
	pf_buf_deinit(&again);
	return 0;
}
