/* Framer and grammar together: no response, however odd, is more than an error. */
#include "proto/imap/resp.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void walk_sets(struct pf_span set)
{
	uint64_t first, last;

	while (pf_imap_set_next(&set, &first, &last)) {
		if (first > last) {
			abort();
		}
	}
}

static void one(const struct pf_imap_piece *piece)
{
	struct pf_arena arena;
	struct pf_imap_resp r;
	struct pf_err err;
	struct pf_span section, words, word;
	uint32_t seq, uid;

	if (piece->kind == PF_IMAP_PIECE_HEAD) {
		(void)pf_imap_fetch_peek(piece, &seq, &uid, &section);
		return;
	}
	if (piece->kind != PF_IMAP_PIECE_RESPONSE) {
		return;
	}
	pf_arena_init(&arena);
	if (pf_imap_resp_parse(piece, &arena, &r, &err) == PF_OK) {
		if (r.kind == PF_IMAP_SEARCH || r.kind == PF_IMAP_ESEARCH ||
			r.kind == PF_IMAP_VANISHED) {
			walk_sets(r.search.numbers);
		}
		if (r.kind == PF_IMAP_FETCH) {
			words = r.fetch.flags;
			while (pf_imap_words_next(&words, &word)) {
			}
		}
	} else if (err.number != 14001) {
		abort();
	}
	pf_arena_deinit(&arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct pf_imap_frame_cfg cfg = {.inline_max = 32, .text_max = 65536};
	struct pf_imap_frame *f = pf_imap_frame_new(&cfg);
	struct pf_imap_piece piece;
	struct pf_err err;

	if (pf_imap_frame_push(f, pf_span(data, size), &err) == PF_OK) {
		while (pf_imap_frame_next(f, &piece, &err) == PF_OK) {
			one(&piece);
		}
	}
	pf_imap_frame_free(&f);
	return 0;
}
