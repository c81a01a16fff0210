/* The framer: any bytes, cut anywhere, give the same pieces, and never more than came in. */
#include "proto/imap/frame.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct pf_imap_frame_cfg CFG = {.inline_max = 16, .text_max = 4096};

/* A number that depends on all pieces, but not on how long literals were cut. */
static uint64_t run(const uint8_t *data, size_t size, size_t step)
{
	struct pf_imap_frame *f = pf_imap_frame_new(&CFG);
	struct pf_imap_piece p;
	struct pf_err err;
	uint64_t sum = 1469598103934665603u;
	size_t given = 0;
	int rc = PF_AGAIN;

	for (size_t at = 0; at < size && rc != PF_FAIL; at += step) {
		size_t n = size - at < step ? size - at : step;

		if (pf_imap_frame_push(f, pf_span(data + at, n), &err) != PF_OK) {
			abort();
		}
		while ((rc = pf_imap_frame_next(f, &p, &err)) == PF_OK) {
			struct pf_span s = p.kind == PF_IMAP_PIECE_BODY ? p.bytes : p.text;

			for (size_t i = 0; i < s.n && p.kind != PF_IMAP_PIECE_HEAD; i++) {
				sum = (sum ^ s.p[i]) * 1099511628211u;
			}
			sum += p.kind == PF_IMAP_PIECE_RESPONSE ? 7 * (p.stream_at + 1) : 0;
			given += p.kind == PF_IMAP_PIECE_BODY ? p.bytes.n : 0;
		}
	}
	if (given > size) {
		abort();
	}
	pf_imap_frame_free(&f);
	return rc == PF_FAIL ? 0 : sum;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint64_t whole = run(data, size, size + 1);
	uint64_t step = size > 0 ? 1 + data[0] % 7 : 1;
	uint64_t cut = run(data, size, step);

	if (whole != cut && whole != 0 && cut != 0) {
		abort();
	}
	return 0;
}
