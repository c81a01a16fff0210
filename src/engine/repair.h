/*
 * A message as a strict target will take it, when it refused the original. A part with NULs, with
 * lines of more than 998 octets, or of binary lines is encoded anew: text as quoted-printable, the
 * rest, and text with NULs, as base64; what it says stays the same. Elsewhere line ends become
 * CRLF, the last one included, and NULs blanks. A leading mbox "From " line and blank continuation
 * lines of the header go, header lines without a name get one, and a message without header gets
 * one; its 8-bit words become encoded words, and long lines are folded, where they may be. All
 * other octets stay. The original is kept by the caller.
 *
 * No MIME library does this: they write a message anew, and with it what nobody refused.
 */
#ifndef PF_ENGINE_REPAIR_H
#define PF_ENGINE_REPAIR_H

#include "base/blob.h"
#include "base/digest.h"
#include "base/err.h"

/*
 * *out is the repaired message and `what` (some 300 bytes) says what was changed, and of a signed
 * message that it was signed; the same message gives the same repair. *out NULL: there is nothing
 * to repair. PF_FAIL: no memory.
 */
PF_MUST_CHECK int pf_repair(
	struct pf_span message, struct pf_blob **out, char *what, size_t size, struct pf_err *err);

/*
 * The exact fingerprint and the size of what pf_repair makes of it: a target that had refused the
 * message was given that. PF_END: there is nothing to repair. PF_FAIL: no memory.
 */
PF_MUST_CHECK int pf_repair_print(
	struct pf_span message, struct pf_digest *print, uint64_t *size, struct pf_err *err);

#endif
