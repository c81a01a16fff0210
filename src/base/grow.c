#include "base/grow.h"

#include <stdint.h>
#include <stdlib.h>

enum { FIRST = 16 };

void *pf_grown(void *v, size_t n, size_t *cap, size_t size)
{
	size_t more = *cap ? 2 * *cap : FIRST;

	if (n < *cap) {
		return v;
	}
	if (more > SIZE_MAX / size) {
		return NULL;
	}
	v = realloc(v, more * size);
	*cap = v ? more : *cap;
	return v;
}
