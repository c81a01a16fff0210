/*
 * SHA-256, by OpenSSL's libcrypto: the one digest of fingerprints and Merkle trees.
 */
#ifndef PF_BASE_DIGEST_H
#define PF_BASE_DIGEST_H

#include "base/err.h"
#include "base/span.h"

enum { PF_DIGEST_BYTES = 32 };

struct pf_digest {
	uint8_t b[PF_DIGEST_BYTES];
};

struct pf_hash; /* a digest in the making */

/* NULL when there is no memory. Ready to be fed. */
struct pf_hash *pf_hash_new(void);
void pf_hash_free(struct pf_hash **h);
void pf_hash_add(struct pf_hash *h, struct pf_span bytes);
/* The digest of all that was added; `h` is ready for the next one. */
void pf_hash_take(struct pf_hash *h, struct pf_digest *out);

static inline bool pf_digest_eq(const struct pf_digest *a, const struct pf_digest *b)
{
	return memcmp(a->b, b->b, sizeof(a->b)) == 0;
}

/* 64 lower-case hexadecimal digits and a NUL. */
void pf_digest_hex(const struct pf_digest *d, char out[2 * PF_DIGEST_BYTES + 1]);

#endif
