/*
 * From a framed response to a typed one (RFC 3501 and 9051 section 9, 7162, 4731, 5819, 6154, 5258,
 * 2342, 4315, 2971, 9208, Gmail's X-GM-EXT-1). Lenient where servers are known to err and the
 * meaning is plain.
 */
#ifndef PF_PROTO_IMAP_RESP_H
#define PF_PROTO_IMAP_RESP_H

#include "base/arena.h"
#include "base/err.h"
#include "proto/imap/frame.h"
#include "proto/imap/imap_types.h"

/*
 * `arena` takes what must be unescaped. PF_FAIL (scope ITEM, number 14001): can't be interpreted;
 * the text says where (offset within the response) and why. `out` then still has kind, seq and uid
 * when these could be read.
 */
PF_MUST_CHECK int pf_imap_resp_parse(const struct pf_imap_piece *piece, struct pf_arena *arena,
	struct pf_imap_resp *out, struct pf_err *err);

/*
 * What is known of a FETCH row at the start of a long literal, a piece of kind HEAD: seq, uid (0:
 * not said yet), and which section the literal is for. false: it is no FETCH row of a kind that we
 * know.
 */
bool pf_imap_fetch_peek(
	const struct pf_imap_piece *head, uint32_t *seq, uint32_t *uid, struct pf_span *section);

/* Take the next number or range off a sequence-set ("1:3,7", also "3:1", also with blanks for
 * commas); false at the end (then `set` is empty) or at nonsense. */
bool pf_imap_set_next(struct pf_span *set, uint64_t *first, uint64_t *last);
/* Whether all of a set, perhaps empty, can be read so. */
bool pf_imap_set_valid(struct pf_span set);
/* Take the next element off a blank-separated list of words as they were sent (atoms, or quoted
 * strings without their quotes). A doubled backslash in front counts as one. */
bool pf_imap_words_next(struct pf_span *list, struct pf_span *word);

#endif
