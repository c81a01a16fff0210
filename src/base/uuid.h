/*
 * Name-based UUIDs (RFC 9562 section 5.5, version 5): the same name gives the same UUID on every
 * machine and in every run.
 */
#ifndef PF_BASE_UUID_H
#define PF_BASE_UUID_H

#include "base/span.h"

enum { PF_UUID_TEXT = 37 }; /* 36 characters and a NUL */

/* Of the names one after the other, within the project's own name space. Lower case. */
void pf_uuid5(const struct pf_span *names, size_t count, char out[PF_UUID_TEXT]);

#endif
