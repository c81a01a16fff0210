#ifndef PF_BASE_DIRS_H
#define PF_BASE_DIRS_H

#include "base/err.h"

/* The directories above `path` that are not there yet, for their owner alone. PF_FAIL: scope ITEM,
 * with errno. */
PF_MUST_CHECK int pf_make_parents(const char *path, struct pf_err *err);

#endif
