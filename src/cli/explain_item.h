/*
 * explain of an item: what became of it, and of each of its properties where the source has it in
 * another form.
 */
#ifndef PF_CLI_EXPLAIN_ITEM_H
#define PF_CLI_EXPLAIN_ITEM_H

#include "cli/command.h"

/* `id` is the source's, as reports show it. Returns as a command does. */
int pf_explain_item(const struct pf_args *args, const char *id, struct pf_err *err);

#endif
