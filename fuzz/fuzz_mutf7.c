/* Mailbox names: whatever is decoded is UTF-8, and comes back when it is encoded and decoded again.
 */
#include "base/utf8.h"
#include "proto/imap/mutf7.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct pf_buf name, raw, again;
	struct pf_err err;
	bool doubtful;

	pf_buf_init(&name, 1 << 20);
	pf_buf_init(&raw, 1 << 20);
	pf_buf_init(&again, 1 << 20);
	if (pf_mutf7_decode(pf_span(data, size), &name, &doubtful, &err) == PF_OK) {
		if (!pf_utf8_valid(pf_buf_span(&name)) ||
			pf_mutf7_encode(pf_buf_span(&name), &raw, &err) != PF_OK ||
			pf_mutf7_decode(pf_buf_span(&raw), &again, &doubtful, &err) != PF_OK ||
			doubtful || !pf_span_eq(pf_buf_span(&name), pf_buf_span(&again))) {
			abort();
		}
	}
	pf_buf_deinit(&name);
	pf_buf_deinit(&raw);
	pf_buf_deinit(&again);
	return 0;
}
