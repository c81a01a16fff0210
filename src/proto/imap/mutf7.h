/*
 * Mailbox names: modified UTF-7 (RFC 3501 section 5.1.3) and UTF-8 (RFC 9051, UTF8=ACCEPT).
 */
#ifndef PF_PROTO_IMAP_MUTF7_H
#define PF_PROTO_IMAP_MUTF7_H

#include "base/buf.h"

/*
 * Decode a name as a server sent it. Valid modified UTF-7 is decoded; a name with raw bytes over
 * 127 is taken as UTF-8 when it is valid, else as Latin-1; "&" that starts no valid sequence stays
 * as it is. *doubtful tells that something had to be guessed (the raw bytes are what SELECT must be
 * given).
 */
PF_MUST_CHECK int pf_mutf7_decode(
	struct pf_span raw, struct pf_buf *out, bool *doubtful, struct pf_err *err);
/* Encode valid UTF-8; the canonical form, with no superfluous shifts. PF_FAIL (scope ITEM): not
 * UTF-8. */
PF_MUST_CHECK int pf_mutf7_encode(struct pf_span utf8, struct pf_buf *out, struct pf_err *err);

#endif
