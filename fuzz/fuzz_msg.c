/* .msg files: what mapi_reading.h holds, and only compound files are read. */
#include "mapi_reading.h"
#include "proto/msg/msg.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct pf_span in = pf_span(data, size);

	pf_assert(!read_twice(pf_msg_read, in, PF_MSG_DEPTH_MAX) || pf_msg_is(in));
	return 0;
}
