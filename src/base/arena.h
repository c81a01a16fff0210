/*
 * Memory for things that live and die together: taken piece by piece, freed at once.
 */
#ifndef PF_BASE_ARENA_H
#define PF_BASE_ARENA_H

#include "base/span.h"

struct pf_arena_block;

struct pf_arena {
	struct pf_arena_block *blocks;
	size_t total; /* bytes handed out, for budgets */
};

void pf_arena_init(struct pf_arena *a);
void pf_arena_deinit(struct pf_arena *a);

/* `n` bytes aligned for any type, zeroed; NULL when there is no memory. */
void *pf_arena_alloc(struct pf_arena *a, size_t n);
/* A copy with a NUL behind it (not counted); absent stays absent. p == NULL for a span that was not
 * absent means no memory. */
struct pf_span pf_arena_span(struct pf_arena *a, struct pf_span bytes);
/* A copy as C string; NULL when there is no memory. */
char *pf_arena_str(struct pf_arena *a, const char *s);

#endif
