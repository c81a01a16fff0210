/*
 * Finds where a response ends, whatever the grammar will think of it (RFC 9051 section 4, 2.2):
 * lines, literals and literal8. So a response that can't be interpreted costs one response, never
 * the stream.
 *
 * Text of status responses (OK NO BAD BYE PREAUTH, tagged or not) and of continuations is free: a
 * "{5}" at its end announces no literal. Bare LF and CR CR LF end a line as CRLF does.
 *
 * Short literals (up to `inline_max`) stay in the response's text. A longer one comes as HEAD, then
 * BODY pieces as its bytes arrive; in the response that follows it is left out, and `cuts` says
 * where.
 */
#ifndef PF_PROTO_IMAP_FRAME_H
#define PF_PROTO_IMAP_FRAME_H

#include "base/buf.h"

struct pf_imap_frame;

struct pf_imap_frame_cfg {
	size_t inline_max; /* literals up to here are kept in the text */
	size_t text_max;   /* ceiling of one response's text with its short literals */
};

enum pf_imap_piece_kind {
	PF_IMAP_PIECE_HEAD,     /* a long literal begins: `text` is the response so far, `cuts` the
				   long ones before, `size` this one's */
	PF_IMAP_PIECE_BODY,     /* `bytes` of it at `offset` */
	PF_IMAP_PIECE_RESPONSE, /* complete: `text` without the final line end, `cuts` */
};

/* A literal of `size` bytes is left out of the text at `at` (right behind its "{n}" and line end).
 */
struct pf_imap_cut {
	size_t at;
	uint64_t size;
};

enum { PF_IMAP_CUTS_MAX = 8 };

struct pf_imap_piece {
	enum pf_imap_piece_kind kind;
	struct pf_span text, bytes;
	uint64_t offset, size;
	const struct pf_imap_cut *cuts;
	size_t cut_count;
	uint64_t stream_at; /* offset of the response's first byte in the session's input */
};

/* NULL when there is no memory. */
struct pf_imap_frame *pf_imap_frame_new(const struct pf_imap_frame_cfg *cfg);
void pf_imap_frame_free(struct pf_imap_frame **f);

/*
 * Room to read into: at least 1 byte, up to 256 KiB; then say how many came. Saves a copy over
 * push. PF_FAIL (scope RUN): no memory.
 */
PF_MUST_CHECK int pf_imap_frame_space(
	struct pf_imap_frame *f, uint8_t **p, size_t *n, struct pf_err *err);
void pf_imap_frame_filled(struct pf_imap_frame *f, size_t n);
/* Take all of `in`: space and filled in one, for tests and tools. */
PF_MUST_CHECK int pf_imap_frame_push(
	struct pf_imap_frame *f, struct pf_span in, struct pf_err *err);

/*
 * PF_OK: `out`, valid until the next call of any of these. PF_AGAIN: more bytes are needed. PF_FAIL
 * (scope SESSION): a response past text_max, or more than PF_IMAP_CUTS_MAX long literals in one;
 * the stream is lost, and every further call says so.
 */
PF_MUST_CHECK int pf_imap_frame_next(
	struct pf_imap_frame *f, struct pf_imap_piece *out, struct pf_err *err);

/*
 * So many bytes of the long literal that is going by are still to come, with none of them at hand:
 * they may be read to where they belong. took() then says how many were, as if they had been given
 * out. 0: there is no such literal.
 */
uint64_t pf_imap_frame_awaits(const struct pf_imap_frame *f);
void pf_imap_frame_took(struct pf_imap_frame *f, size_t n);

/* The bytes that were not given out; borrowed until the next call. */
struct pf_span pf_imap_frame_rest(const struct pf_imap_frame *f);
/* Drop all bytes that were not given out, and what is known of a response that is not complete. */
void pf_imap_frame_forget(struct pf_imap_frame *f);

/* Whether the peer may close here without having cut a response short. */
bool pf_imap_frame_at_rest(const struct pf_imap_frame *f);

#endif
