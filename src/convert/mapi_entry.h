/*
 * Entry ids that say by themselves who is meant ([MS-OXCDATA] 2.2.5, [MS-OXOCNTC] 2.2.2.4.1).
 */
#ifndef PF_CONVERT_MAPI_ENTRY_H
#define PF_CONVERT_MAPI_ENTRY_H

#include "convert/mapi_ways.h"

enum pf_mapi_entry_kind {
	PF_MAPI_ENTRY_OTHER,    /* of no kind that is known here */
	PF_MAPI_ENTRY_PERSON,   /* name and address are in it, or a directory's name */
	PF_MAPI_ENTRY_OF_STORE, /* a contact or distribution list of the store: `id` */
};

struct pf_mapi_entry {
	enum pf_mapi_entry_kind kind;
	struct pf_mapi_person who; /* UTF-8 */
	struct pf_span id;         /* the entry id itself, without a wrapping; borrowed */
	bool is_list;              /* of addresses */
};

/* Read one, wrapped or not; texts are in `arena`. PF_FAIL: no memory. */
PF_MUST_CHECK int pf_mapi_entry(
	struct pf_span id, struct pf_arena *arena, struct pf_mapi_entry *out, struct pf_err *err);
/* The next of a FLATENTRYLIST behind its head ([MS-OXCDATA] 2.3.3); false: there is no other. */
bool pf_mapi_entry_next(struct pf_span *list, struct pf_span *one);

#endif
