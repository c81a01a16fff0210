#include "base/blob.h"

#include <stdlib.h>

struct pf_blob *pf_blob_new(size_t n)
{
	struct pf_blob *b = n > SIZE_MAX / 2 ? NULL : malloc(sizeof(*b) + n);

	if (b) {
		b->refs = 1;
		b->n = n;
	}
	return b;
}

struct pf_blob *pf_blob_of(struct pf_span bytes)
{
	struct pf_blob *b = pf_blob_new(bytes.n);

	if (b && bytes.n > 0) {
		memcpy(b->bytes, bytes.p, bytes.n);
	}
	return b;
}

struct pf_blob *pf_blob_ref(struct pf_blob *b)
{
	b->refs++;
	return b;
}

void pf_blob_unref(struct pf_blob **b)
{
	if (*b && --(*b)->refs == 0) {
		free(*b);
	}
	*b = NULL;
}
