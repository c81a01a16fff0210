/*
 * A message as a strict target will take it, when it refused the original: line ends become
 * CRLF, the last one included, NULs blanks; a leading mbox "From " line and blank continuation
 * lines of the header go; header lines without a name get one, and a message without header gets
 * one. The original is kept by the caller.
 */
#ifndef PF_ENGINE_REPAIR_H
#define PF_ENGINE_REPAIR_H

#include "base/blob.h"
#include "base/err.h"

/*
 * *out is the repaired message and `what` says what was changed; *out NULL: there is nothing to
 * repair. PF_FAIL: no memory.
 */
PF_MUST_CHECK int pf_repair(
	struct pf_span message, struct pf_blob **out, char *what, size_t size, struct pf_err *err);

#endif
