/*
 * Appointments and meetings of Exchange as iCalendar ([MS-OXOCAL], [MS-OXCICAL]).
 */
#ifndef PF_CONVERT_MAPI_EVENT_H
#define PF_CONVERT_MAPI_EVENT_H

#include "base/buf.h"
#include "convert/mapi_ways.h"

/*
 * Append a whole VCALENDAR: VTIMEZONEs, the event, and a component for each exception of a series,
 * from the item within its attachment or else from the recurrence alone. It has no METHOD. The
 * strings of the item must have been decoded.
 *
 * `losses`, begun by the caller, gets the fate of each property of the item and of those within. A
 * recurrence that can't be read leaves a single event, with the blob in X-POSTFERRY-RECURRENCE.
 * PF_FAIL: no begin is to be found in it (item scope), past the ceiling of `out`, no memory; `out`
 * is then as long as it was.
 */
PF_MUST_CHECK int pf_mapi_event_to_ical(const struct pf_mapi_item *item,
	const struct pf_mapi_ways *ways, struct pf_buf *out, struct pf_mapi_losses *losses,
	struct pf_err *err);

#endif
