/*
 * What a folder is for, guessed from its name, where the server does not say.
 */
#ifndef PF_MODEL_ROLE_H
#define PF_MODEL_ROLE_H

#include "model/item.h"

/* By the names that mail programs and servers give, in the common languages; case does not count.
 * NONE: no guess. */
enum pf_role pf_role_by_name(const char *leaf);

/* The same of a folder of calendars, contacts, tasks or notes: the one of its kind that Exchange
 * has by itself. */
enum pf_role pf_role_of_kind(enum pf_kind kind, const char *leaf);

/* Whether it is a name that Exchange gives the folder of a calendar, contacts, tasks, notes or
 * journal by itself. */
bool pf_is_name_of_others(const char *leaf);

#endif
