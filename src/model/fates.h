/*
 * What became of an item's properties, where a store gives it in another form than it has it: told
 * with the item, kept in the ledger, shown by report and explain.
 */
#ifndef PF_MODEL_FATES_H
#define PF_MODEL_FATES_H

#include "base/span.h"

/* The numbers are in the ledger and never change. */
enum pf_fate {
	PF_FATE_KEPT = 0,       /* the form has a place for just this */
	PF_FATE_MAPPED = 1,     /* said in other words, or less exactly */
	PF_FATE_LOST = 2,       /* the form has no place for it */
	PF_FATE_UNRESOLVED = 3, /* an address of a directory that nobody could resolve */
};
enum { PF_FATE_COUNT = 4 };

struct pf_fate_of {
	struct pf_span what; /* a property's name, or an address; fit to print, borrowed */
	enum pf_fate fate;
};

struct pf_fates {
	const struct pf_fate_of *v; /* each `what` and fate once; borrowed */
	size_t n;
	struct pf_span odd; /* what of its content was left out or read otherwise, in words; absent:
			       nothing */
};

#endif
