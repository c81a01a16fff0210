/*
 * What was found out of something that does not change: small values by keys that name it and its
 * state, so that others who read the same need not find it out again. It has so much room, and what
 * comes after that is forgotten: whoever asks has to be able to look anew.
 */
#ifndef PF_BASE_MEMO_H
#define PF_BASE_MEMO_H

#include "base/err.h"
#include "base/span.h"

enum { PF_MEMO_VALUE = 48 }; /* the longest value, in octets */

struct pf_memo;

/* Room for `most` values, none of which is taken yet; NULL when there is no memory. */
struct pf_memo *pf_memo_new(size_t most);
void pf_memo_free(struct pf_memo **memo);
/* The `n` octets that were kept under `key`; false: there are none. `memo` may be NULL. */
bool pf_memo_get(struct pf_memo *memo, struct pf_span key, void *value, size_t n);
/* Keeps `n` octets, at most PF_MEMO_VALUE, if there is room and memory. `memo` may be NULL. */
void pf_memo_put(struct pf_memo *memo, struct pf_span key, const void *value, size_t n);

#endif
