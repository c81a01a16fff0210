/*
 * Dates: whatever is read can be written, and read again as the same instant in the same zone; what
 * was written once is written alike ever after.
 */
#include "proto/imap/date.h"

#include "base/date_text.h"
#include "sum.h"

/* Years 0 and 9999 are cut at their ends, a day of which may lie within another zone. */
static const int64_t FIRST = -62167219200 + 86400, LAST = 253402300799 - 86400;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	int64_t utc_s = 77, again_s;
	int zone = 77, again_zone;
	char text[32], again[32];

	if (!pf_date_parse(pf_span(data, size), &utc_s, &zone)) {
		pf_assert(utc_s == 77 && zone == 77);
		return 0;
	}
	pf_imap_date_format(utc_s, zone, text);
	pf_assert(strlen(text) == 26);
	pf_assert(pf_date_parse(pf_span_str(text), &again_s, &again_zone));
	pf_assert(again_zone == zone);
	pf_assert(again_s == utc_s || utc_s < FIRST || utc_s > LAST);
	pf_imap_date_format(again_s, again_zone, again);
	pf_assert(strcmp(text, again) == 0);
	return 0;
}
