#include "engine/merkle.h"

#include <stdlib.h>

static int by_bytes(const void *a, const void *b)
{
	return memcmp(a, b, sizeof(struct pf_digest));
}

int pf_merkle_root(struct pf_digest *prints, size_t n, struct pf_digest *out, struct pf_err *err)
{
	struct pf_hash *h = pf_hash_new();

	if (!h) {
		return pf_fail_memory(err, "a Merkle tree");
	}
	memset(out, 0, sizeof(*out));
	for (size_t i = 0; i < n; i++) {
		pf_hash_add(h, pf_span("\0", 1));
		pf_hash_add(h, pf_span(prints[i].b, sizeof(prints[i].b)));
		pf_hash_take(h, &prints[i]);
	}
	if (n > 1) {
		qsort(prints, n, sizeof(*prints), by_bytes);
	}
	while (n > 1) {
		for (size_t i = 0; i < n; i += 2) {
			if (i + 1 < n) {
				pf_hash_add(h, pf_span("\1", 1));
				pf_hash_add(h, pf_span(prints[i].b, sizeof(prints[i].b)));
				pf_hash_add(h, pf_span(prints[i + 1].b, sizeof(prints[i].b)));
				pf_hash_take(h, &prints[i / 2]);
			} else {
				prints[i / 2] = prints[i];
			}
		}
		n = (n + 1) / 2;
	}
	if (n == 1) {
		*out = prints[0];
	}
	pf_hash_free(&h);
	return PF_OK;
}
