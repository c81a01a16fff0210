/*
 * Around a source of calendars, for a target that has no words for some series: these are given as
 * single events (proto/ical, pf_ical_singles), from their first instance to the end of a window.
 * The rest is given as it is, and so is such a series where that can't be done: the target refuses
 * it then.
 */
#ifndef PF_STORES_SINGLES_H
#define PF_STORES_SINGLES_H

#include "stores/store.h"

struct pf_singles_cfg {
	/* pf_store_facts.says of the target. */
	int (*says)(enum pf_kind kind, struct pf_span item, struct pf_err *why);
	int64_t until_utc_s; /* the end of the window */
};

/* Take `inner`, as pf_disguise_open does. */
PF_MUST_CHECK int pf_singles_open(struct pf_store *inner, const struct pf_singles_cfg *cfg,
	struct pf_store **out, struct pf_err *err);

#endif
