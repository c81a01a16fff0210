/*
 * What a folder is for, guessed from its name, where the server does not say.
 */
#ifndef PF_MODEL_ROLE_H
#define PF_MODEL_ROLE_H

#include "model/item.h"

/* By the names that mail programs and servers give, in the common languages; case does not count.
 * NONE: no guess. */
enum pf_role pf_role_by_name(const char *leaf);

#endif
