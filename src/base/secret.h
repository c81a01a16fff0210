/*
 * A password or token: never printed, wiped when it is let go.
 */
#ifndef PF_BASE_SECRET_H
#define PF_BASE_SECRET_H

#include "base/span.h"

struct pf_secret {
	char *p; /* with a NUL behind it, for libraries that want one */
	size_t n;
};

/* A copy in memory that is kept out of core dumps and swap where the system lets us. false: no
 * memory. */
bool pf_secret_set(struct pf_secret *s, struct pf_span bytes);
/* Wipe and free; ready for another set. */
void pf_secret_clear(struct pf_secret *s);
/* Wipe any memory that held a part of a secret; the compiler may not leave it out. */
void pf_wipe(void *p, size_t n);

static inline bool pf_secret_is_set(const struct pf_secret *s)
{
	return s->p != NULL;
}

#endif
