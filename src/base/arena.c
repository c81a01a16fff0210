#include "base/arena.h"

#include <stdalign.h>
#include <stdlib.h>

enum { BLOCK_BYTES = 16384 };

struct pf_arena_block {
	struct pf_arena_block *next;
	size_t used, size;
	alignas(max_align_t) uint8_t bytes[];
};

void pf_arena_init(struct pf_arena *a)
{
	*a = (struct pf_arena){0};
}

void pf_arena_deinit(struct pf_arena *a)
{
	while (a->blocks) {
		struct pf_arena_block *next = a->blocks->next;

		free(a->blocks);
		a->blocks = next;
	}
	a->total = 0;
}

static void *take(struct pf_arena *a, size_t n, size_t align)
{
	struct pf_arena_block *b = a->blocks;
	size_t at = b ? (b->used + align - 1) & ~(align - 1) : 0;

	if (!b || at > b->size || n > b->size - at) {
		size_t size = n > BLOCK_BYTES / 4 ? n : BLOCK_BYTES;

		if (n > SIZE_MAX / 2 || !(b = malloc(sizeof(*b) + size))) {
			return NULL;
		}
		b->used = 0;
		b->size = size;
		if (size != BLOCK_BYTES && a->blocks) { /* keep filling the block that has room */
			b->next = a->blocks->next;
			a->blocks->next = b;
		} else {
			b->next = a->blocks;
			a->blocks = b;
		}
		at = 0;
	}
	b->used = at + n;
	a->total += n;
	return b->bytes + at;
}

void *pf_arena_alloc(struct pf_arena *a, size_t n)
{
	void *p = take(a, n, alignof(max_align_t));

	if (p) {
		memset(p, 0, n);
	}
	return p;
}

struct pf_span pf_arena_span(struct pf_arena *a, struct pf_span bytes)
{
	uint8_t *p;

	if (!bytes.p) {
		return bytes;
	}
	p = take(a, bytes.n + 1, 1);
	if (!p) {
		return pf_span(NULL, 0);
	}
	memcpy(p, bytes.p, bytes.n);
	p[bytes.n] = '\0';
	return pf_span(p, bytes.n);
}

char *pf_arena_str(struct pf_arena *a, const char *s)
{
	char *p = take(a, strlen(s) + 1, 1);

	if (p) {
		memcpy(p, s, strlen(s) + 1);
	}
	return p;
}
