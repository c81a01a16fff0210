/*
 * Tasks, sticky notes and journal entries as iCalendar ([MS-OXOTASK], [MS-OXONOTE], [MS-OXOJRNL]).
 */
#ifndef PF_CONVERT_MAPI_TASK_H
#define PF_CONVERT_MAPI_TASK_H

#include "base/buf.h"
#include "convert/mapi_ways.h"

/*
 * Append an IPM.Task as a VCALENDAR with one VTODO. Its dates are dates, whatever the hour that
 * they are kept with. The item's strings must have been decoded. PF_FAIL: no memory, or past the
 * ceiling of `out` (which is then as long as it was).
 */
PF_MUST_CHECK int pf_mapi_task(const struct pf_mapi_item *item, const struct pf_mapi_ways *ways,
	struct pf_mapi_losses *losses, struct pf_buf *out, struct pf_err *err);

/* The same of an IPM.StickyNote or IPM.Activity, as a VJOURNAL. */
PF_MUST_CHECK int pf_mapi_journal(const struct pf_mapi_item *item, const struct pf_mapi_ways *ways,
	struct pf_mapi_losses *losses, struct pf_buf *out, struct pf_err *err);

#endif
