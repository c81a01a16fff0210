/*
 * Items that are attached to an item whose form has files only (iCalendar): each as a file in the
 * open form of its own kind.
 */
#ifndef PF_CONVERT_MAPI_WITHIN_H
#define PF_CONVERT_MAPI_WITHIN_H

#include "convert/mapi_ways.h"

struct pf_mapi_within {
	struct pf_span bytes; /* in the arena of the losses, as all of it */
	const char *type;     /* "message/rfc822" */
	struct pf_span name;  /* its title and an ending */
};

/*
 * The item of `a`, which is the i-th attachment; what becomes of its properties is noted with those
 * of the others. PF_END: it can't be put into its form, which is noted as odd. PF_FAIL: no memory.
 */
PF_MUST_CHECK int pf_mapi_within(const struct pf_mapi_attachment *a, size_t i,
	const struct pf_mapi_ways *ways, struct pf_mapi_losses *l, struct pf_mapi_within *out,
	struct pf_err *err);

#endif
