/*
 * Names of properties, for people.
 */
#ifndef PF_CONVERT_MAPI_NAMES_H
#define PF_CONVERT_MAPI_NAMES_H

#include "model/mapi.h"

/* As [MS-OXPROPS] has it, without PidTag or PidLid: "LastModificationTime"; NULL: it is not known
 * here. */
const char *pf_mapi_known_name(const struct pf_mapi_prop *p);

#endif
