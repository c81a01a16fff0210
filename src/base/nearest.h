/*
 * What was perhaps meant by a word that nobody knows.
 */
#ifndef PF_BASE_NEAREST_H
#define PF_BASE_NEAREST_H

#include <stddef.h>

/* The known word that `word` is most like; NULL: none is near. */
const char *pf_nearest(const char *word, const char *const *known, size_t count);

#endif
