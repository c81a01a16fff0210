#include "base/memo.h"

#include "base/digest.h"

#include <stdlib.h>

enum { KEY = 16, FIRST = 1 << 10 };

struct entry {
	uint8_t key[KEY]; /* of a digest, so all of them are as good a place to begin; 0: none */
	uint8_t value[PF_MEMO_VALUE];
};

/* Open addressing; at most three quarters are taken. */
struct pf_memo {
	struct pf_hash *hash;
	struct entry *v;
	size_t n, cap; /* a power of two */
	size_t most;
};

struct pf_memo *pf_memo_new(size_t most)
{
	struct pf_memo *m = calloc(1, sizeof(*m));

	if (!m) {
		return NULL;
	}
	m->most = most;
	m->hash = pf_hash_new();
	if (!m->hash) {
		pf_memo_free(&m);
	}
	return m;
}

void pf_memo_free(struct pf_memo **memo)
{
	struct pf_memo *m = *memo;

	if (m) {
		pf_hash_free(&m->hash);
		free(m->v);
		free(m);
		*memo = NULL;
	}
}

static bool is_taken(const struct entry *e)
{
	static const uint8_t NONE[KEY] = {0};

	return memcmp(e->key, NONE, KEY) != 0;
}

/* That of the key, or the free one where it belongs; `cap` is not 0. */
static struct entry *find(struct entry *v, size_t cap, const uint8_t key[KEY])
{
	size_t at = 0;

	memcpy(&at, key, sizeof(at));
	for (at &= cap - 1; is_taken(&v[at]) && memcmp(v[at].key, key, KEY) != 0;) {
		at = (at + 1) & (cap - 1);
	}
	return &v[at];
}

static void digest(struct pf_memo *m, struct pf_span key, uint8_t out[KEY])
{
	struct pf_digest d;

	pf_hash_add(m->hash, key);
	pf_hash_take(m->hash, &d);
	memcpy(out, d.b, KEY);
}

static bool grow(struct pf_memo *m)
{
	size_t cap = m->cap ? 2 * m->cap : FIRST;
	struct entry *v = calloc(cap, sizeof(*v));

	if (!v) {
		return false;
	}
	for (size_t i = 0; i < m->cap; i++) {
		if (is_taken(&m->v[i])) {
			*find(v, cap, m->v[i].key) = m->v[i];
		}
	}
	free(m->v);
	m->v = v;
	m->cap = cap;
	return true;
}

bool pf_memo_get(struct pf_memo *memo, struct pf_span key, void *value, size_t n)
{
	uint8_t hashed[KEY];
	const struct entry *e;

	pf_assert(n <= PF_MEMO_VALUE);
	if (!memo || memo->n == 0) {
		return false;
	}
	digest(memo, key, hashed);
	e = find(memo->v, memo->cap, hashed);
	if (is_taken(e)) {
		memcpy(value, e->value, n);
	}
	return is_taken(e);
}

void pf_memo_put(struct pf_memo *memo, struct pf_span key, const void *value, size_t n)
{
	uint8_t hashed[KEY];
	struct entry *e;

	pf_assert(n <= PF_MEMO_VALUE);
	if (!memo || memo->n == memo->most || (4 * (memo->n + 1) > 3 * memo->cap && !grow(memo))) {
		return;
	}
	digest(memo, key, hashed);
	e = find(memo->v, memo->cap, hashed);
	memo->n += !is_taken(e);
	memcpy(e->key, hashed, KEY);
	memcpy(e->value, value, n);
}
