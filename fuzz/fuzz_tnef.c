/* TNEF: what mapi_reading.h holds, and only what has no signature is refused. */
#include "mapi_reading.h"
#include "proto/tnef/tnef.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct pf_span in = pf_span(data, size);

	pf_assert(read_twice(pf_tnef_read, in, PF_TNEF_DEPTH_MAX) == pf_tnef_is(in));
	return 0;
}
