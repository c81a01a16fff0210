/*
 * Around a store of mail: items of Exchange that are in it in mail's disguise.
 *
 * Exchange 5.5 to 2003 show appointments, contacts, tasks and notes over IMAP as messages; all that
 * they are is in a part application/ms-tnef. Such a message is known by its header (found by the
 * server, PF_OP_LIST with `find`) and by the beginning of that part, which is all that is read to
 * tell its class. An account with targets for several kinds has such a store for each way:
 *
 *   - for mail, messages whose kind goes another way are listed with that kind, and left out; a
 *     folder that holds nothing else says so;
 *   - for other kinds, these are all that there is: folders that hold some, as folders of that
 *     kind, and items in the open form of their kind;
 *   - where one target takes mail and other kinds, both, as of a store that holds several.
 *
 * A message whose kind goes nowhere else stays mail, and is given with a note that says so. With
 * `unwrap_tnef` a message whose TNEF holds a message is given as what it was made of.
 */
#ifndef PF_STORES_DISGUISE_H
#define PF_STORES_DISGUISE_H

#include "stores/store.h"

/*
 * Take `inner`, whose place the new store is in from now on (both are closed by closing it). `cfg`
 * tells `disguised` and `unwrap_tnef`, and must outlive it. PF_FAIL: no memory; `inner` is closed.
 */
PF_MUST_CHECK int pf_disguise_open(struct pf_store *inner, const struct pf_store_cfg *cfg,
	struct pf_store **out, struct pf_err *err);

#endif
