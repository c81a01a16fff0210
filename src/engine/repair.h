/*
 * A message as a strict target will take it, when it refused the original: line ends become
 * CRLF, the last one included, NULs blanks; a leading mbox "From " line and blank continuation
 * lines of the header go; header lines without a name get one, and a message without header gets
 * one. The original is kept by the caller.
 */
#ifndef PF_ENGINE_REPAIR_H
#define PF_ENGINE_REPAIR_H

#include "base/blob.h"
#include "base/digest.h"
#include "base/err.h"

/*
 * *out is the repaired message and `what` says what was changed; *out NULL: there is nothing to
 * repair. PF_FAIL: no memory.
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
