/*
 * Mailbox names: whatever is decoded is UTF-8 and comes back when it is encoded and decoded again;
 * whatever is UTF-8 can be encoded in printable ASCII and comes back.
 */
#include "base/utf8.h"
#include "proto/imap/mutf7.h"
#include "sum.h"

/* `name` to modified UTF-7 and back. */
static void round_trip(struct pf_span name)
{
	struct pf_buf raw, again;
	struct pf_err err;
	bool doubtful = false;

	pf_buf_init(&raw, 1 << 24);
	pf_buf_init(&again, 1 << 24);
	pf_assert(pf_mutf7_encode(name, &raw, &err) == PF_OK);
	for (size_t i = 0; i < raw.n; i++) {
		pf_assert(raw.p[i] >= 0x20 && raw.p[i] < 0x7f);
	}
	pf_assert(pf_mutf7_decode(pf_buf_span(&raw), &again, &doubtful, &err) == PF_OK);
	pf_assert(!doubtful && pf_span_eq(name, pf_buf_span(&again)));
	pf_buf_deinit(&raw);
	pf_buf_deinit(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct pf_span in = pf_span(data, size);
	struct pf_buf name;
	struct pf_err err;
	bool doubtful;

	pf_buf_init(&name, 1 << 24);
	pf_assert(pf_mutf7_decode(in, &name, &doubtful, &err) == PF_OK);
	pf_assert(pf_utf8_valid(pf_buf_span(&name)));
	pf_assert(name.n <= 3 * size && (size == 0 || name.n > 0));
	round_trip(pf_buf_span(&name));
	if (pf_utf8_valid(in) && (size == 0 || !memchr(data, '\0', size))) {
		round_trip(in);
	}
	pf_buf_deinit(&name);
	return 0;
}
