/* Dates: whatever is read can be written, and read again as the same instant. */
#include "proto/imap/date.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	int64_t utc_s, again_s;
	int zone, again_zone;
	char text[32];

	if (!pf_imap_date_parse(pf_span(data, size), &utc_s, &zone)) {
		return 0;
	}
	pf_imap_date_format(utc_s, zone, text);
	if (!pf_imap_date_parse(pf_span_str(text), &again_s, &again_zone)) {
		abort();
	}
	/* A second 60 becomes the next minute; years 0 and 9999 are cut at their ends. */
	if (again_s != utc_s && utc_s > -62100000000 && utc_s < 253402200000) {
		abort();
	}
	return 0;
}
