#include "base/secret.h"

#include <sys/mman.h>
#include <unistd.h>

/*
 * Secrets live on pages of their own: only whole pages can be kept out of a core dump. A page
 * apiece is nothing beside a connection.
 */
static size_t pages(size_t n)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);

	return (n + 1 + page - 1) / page * page;
}

void pf_wipe(void *p, size_t n)
{
	if (p) {
		explicit_bzero(p, n);
	}
}

bool pf_secret_set(struct pf_secret *s, struct pf_span bytes)
{
	size_t size = pages(bytes.n);
	void *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED) {
		return false;
	}
	(void)madvise(p, size, MADV_DONTDUMP); /* best effort: main also turns core dumps off */
	(void)mlock(p, size);                  /* best effort: the limit may be small */
	if (bytes.n > 0) {
		memcpy(p, bytes.p, bytes.n);
	}
	pf_secret_clear(s);
	s->p = p;
	s->n = bytes.n;
	return true;
}

void pf_secret_clear(struct pf_secret *s)
{
	if (s->p) {
		pf_wipe(s->p, s->n);
		(void)munmap(s->p, pages(s->n)); /* fails only for a wrong address */
	}
	*s = (struct pf_secret){0};
}
