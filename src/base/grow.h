/*
 * Arrays that grow by doubling.
 */
#ifndef PF_BASE_GROW_H
#define PF_BASE_GROW_H

#include <stddef.h>

/*
 * The array `v` (NULL: none yet) of `n` elements of `size` octets each, with room for one more;
 * *cap is how many it has room for. NULL: no memory, and `v` is as it was.
 */
void *pf_grown(void *v, size_t n, size_t *cap, size_t size);

#endif
