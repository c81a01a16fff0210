/*
 * A folder's path: a list of UTF-8 segments, never a string with a delimiter in it. INBOX is the
 * one segment "INBOX", whatever case or language a server gives it.
 *
 * In memory and in the ledger a path is its segments, each ended by a NUL (no segment has one
 * inside).
 */
#ifndef PF_MODEL_PATH_H
#define PF_MODEL_PATH_H

#include "base/buf.h"

struct pf_path {
	char *p; /* owned; NULL when there are no segments */
	size_t n;
};

void pf_path_deinit(struct pf_path *p);
/* Add a segment at the end. PF_FAIL (item scope): empty, has a NUL, or is not UTF-8. */
PF_MUST_CHECK int pf_path_add(struct pf_path *p, struct pf_span segment, struct pf_err *err);
/* Make `p` a copy of `from`; what `p` held is freed. */
PF_MUST_CHECK int pf_path_copy(struct pf_path *p, const struct pf_path *from, struct pf_err *err);
/* The form of the ledger and back. PF_FAIL: the bytes are none. */
PF_MUST_CHECK int pf_path_from_bytes(struct pf_path *p, struct pf_span bytes, struct pf_err *err);
static inline struct pf_span pf_path_bytes(const struct pf_path *p)
{
	return pf_span(p->p, p->n);
}

size_t pf_path_depth(const struct pf_path *p);
/* Segment `i` from 0 as C string, borrowed; NULL past the last. */
const char *pf_path_segment(const struct pf_path *p, size_t i);
const char *pf_path_leaf(const struct pf_path *p);
bool pf_path_eq(const struct pf_path *a, const struct pf_path *b);
/* Order for lists: parents before children. */
int pf_path_cmp(const struct pf_path *a, const struct pf_path *b);
/* Whether `p` is below `top` (or is it). */
bool pf_path_is_under(const struct pf_path *p, const struct pf_path *top);
/* Cut to the first `depth` segments. */
void pf_path_cut(struct pf_path *p, size_t depth);

/*
 * The form of screen, options and reports: segments joined by '/', a '/' or '\' within a segment
 * has a
 * '\' before it. `show` writes at most `size` bytes with the NUL, made safe for printing; `parse`
 * is its inverse and fails on an empty segment.
 */
char *pf_path_show(const struct pf_path *p, char *out, size_t size);
PF_MUST_CHECK int pf_path_parse(struct pf_path *p, const char *text, struct pf_err *err);

#endif
