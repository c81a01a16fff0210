/*
 * All stores of this build. The list is generated from src/stores/meson.build.
 */
#ifndef PF_STORES_REGISTRY_H
#define PF_STORES_REGISTRY_H

#include "stores/store.h"

/* NULL-terminated, in the order of the build file. */
const struct pf_store_ops *const *pf_stores(void);
/* The store for a scheme; NULL when there is none. */
const struct pf_store_ops *pf_store_for(const char *scheme);

#endif
