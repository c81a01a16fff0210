/*
 * JSON (RFC 8259), written piece by piece: begin an object with '{', put its members, end it with
 * '}'.
 */
#ifndef PF_BASE_JSON_H
#define PF_BASE_JSON_H

#include "base/buf.h"

/* `s` with its quotes; null when absent. A byte that is not UTF-8 becomes U+FFFD. */
PF_MUST_CHECK int pf_json_string(struct pf_buf *out, struct pf_span s, struct pf_err *err);

/* A member, with a comma before it unless it is the first; `key` needs no escapes. */
PF_MUST_CHECK int pf_json_put(
	struct pf_buf *out, const char *key, struct pf_span s, struct pf_err *err);
PF_MUST_CHECK int pf_json_put_int(
	struct pf_buf *out, const char *key, int64_t n, struct pf_err *err);
/* The key alone, for a member whose value the caller writes. */
PF_MUST_CHECK int pf_json_key(struct pf_buf *out, const char *key, struct pf_err *err);

#endif
