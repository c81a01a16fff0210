/*
 * PidLidGlobalObjectId and PidLidCleanGlobalObjectId, by which Exchange knows a meeting, and the
 * UID of iCalendar ([MS-OXOCAL] 2.2.1.27, [MS-OXCICAL] 2.1.3.1.1.20.26).
 *
 *  0  16  04 00 00 00 82 00 E0 00 74 C5 B7 10 1A 82 E0 08
 * 16   4  original date of the instance: year (most significant byte first), month, day; 0: series
 * 20   8  when it was made
 * 28   8  0
 * 36   4  bytes of data, least significant first
 * 40      data: any; or "vCal-Uid" 01 00 00 00 and a UID that is not Outlook's
 */
#ifndef PF_CONVERT_MAPI_GOID_H
#define PF_CONVERT_MAPI_GOID_H

#include "base/buf.h"

/* The day that an instance had in its series; year 0: none. */
struct pf_goid_day {
	int year, month, day;
};

/*
 * Append the UID. A blob of another form is a UID as well: its bytes as hex. PF_FAIL (item scope):
 * it is empty, or has more than 64 KiB.
 */
PF_MUST_CHECK int pf_goid_to_uid(
	struct pf_span blob, struct pf_buf *uid, struct pf_goid_day *day, struct pf_err *err);
/*
 * Append the blob of a UID, for the instance of `day` (PidLidGlobalObjectId), or for the series
 * (PidLidCleanGlobalObjectId) when it is NULL or year 0. PF_FAIL (item scope): an empty UID.
 */
PF_MUST_CHECK int pf_goid_from_uid(
	struct pf_span uid, const struct pf_goid_day *day, struct pf_buf *blob, struct pf_err *err);

#endif
