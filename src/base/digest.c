#include "base/digest.h"

#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>

struct pf_hash {
	EVP_MD_CTX *ctx;
};

/* libcrypto's SHA-256 can only fail on misuse or on lack of memory at start, which new() reports.
 */
static void must(int ok)
{
	pf_assert(ok == 1);
}

struct pf_hash *pf_hash_new(void)
{
	struct pf_hash *h = calloc(1, sizeof(*h));

	if (!h) {
		return NULL;
	}
	h->ctx = EVP_MD_CTX_new();
	if (!h->ctx || EVP_DigestInit_ex(h->ctx, EVP_sha256(), NULL) != 1) {
		pf_hash_free(&h);
	}
	return h;
}

void pf_hash_free(struct pf_hash **h)
{
	if (*h) {
		EVP_MD_CTX_free((*h)->ctx);
		free(*h);
		*h = NULL;
	}
}

void pf_hash_add(struct pf_hash *h, struct pf_span bytes)
{
	must(EVP_DigestUpdate(h->ctx, bytes.p, bytes.n));
}

void pf_hash_take(struct pf_hash *h, struct pf_digest *out)
{
	must(EVP_DigestFinal_ex(h->ctx, out->b, NULL));
	must(EVP_DigestInit_ex(h->ctx, NULL, NULL)); /* the same digest again: nothing is fetched */
}

void pf_digest_hex(const struct pf_digest *d, char out[2 * PF_DIGEST_BYTES + 1])
{
	static const char HEX[] = "0123456789abcdef";

	for (size_t i = 0; i < sizeof(d->b); i++) {
		out[2 * i] = HEX[d->b[i] >> 4];
		out[2 * i + 1] = HEX[d->b[i] & 15];
	}
	out[2 * sizeof(d->b)] = '\0';
}
