/*
 * Base64 in one run, as XML and JSON carry it (RFC 4648 section 4). Mail's, which is broken into
 * lines and mended as well as it can be, is in model/mime.h.
 */
#ifndef PF_BASE_BASE64_H
#define PF_BASE_BASE64_H

#include "base/buf.h"

/* Behind `out`, padded. PF_FAIL: no memory, or past the ceiling. */
PF_MUST_CHECK int pf_base64_encode(struct pf_span bytes, struct pf_buf *out, struct pf_err *err);
/* Behind `out`; blanks and line ends in it do not count. PF_FAIL (item scope): it is none, or was
 * cut. */
PF_MUST_CHECK int pf_base64_decode(struct pf_span text, struct pf_buf *out, struct pf_err *err);

#endif
