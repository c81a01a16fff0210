/*
 * A whole item in memory, shared by those that still need it (the slot that may have to send it
 * again, the connection that is sending it). Never changed once it is full.
 */
#ifndef PF_BASE_BLOB_H
#define PF_BASE_BLOB_H

#include "base/span.h"

struct pf_blob {
	size_t refs;
	size_t n;
	uint8_t bytes[];
};

/* `n` bytes to be filled by the maker, who holds the one reference; NULL when there is no memory.
 */
struct pf_blob *pf_blob_new(size_t n);
/* The same with a copy of these bytes in it. */
struct pf_blob *pf_blob_of(struct pf_span bytes);
struct pf_blob *pf_blob_ref(struct pf_blob *b);
/* Let go; freed with the last one. NULL is fine. */
void pf_blob_unref(struct pf_blob **b);

/* NULL: absent. */
static inline struct pf_span pf_blob_span(const struct pf_blob *b)
{
	return b ? pf_span(b->bytes, b->n) : pf_span(NULL, 0);
}

#endif
