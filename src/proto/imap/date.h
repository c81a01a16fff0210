/*
 * INTERNALDATE: date-time of RFC 9051 section 9, and the forms that servers send in its place.
 */
#ifndef PF_PROTO_IMAP_DATE_H
#define PF_PROTO_IMAP_DATE_H

#include "base/civil.h"
#include "base/span.h"

/*
 * Read " 7-Aug-1996 12:00:00 +0530", also with one digit for the day, two or three for the year, no
 * seconds, a zone's name (UT, GMT, EST, ...; an unknown one is taken for UTC) or none, and as RFC
 * 5322 writes it ("Wed, 7 Aug 1996 12:00:00 +0530 (IST)"). false, and nothing is set: there is no
 * such moment ("00-Jan-0000 ...").
 */
bool pf_imap_date_parse(struct pf_span text, int64_t *utc_s, int *zone_min);
/* Write for APPEND, two characters for the day, without quotes; needs 27 bytes with the NUL. A year
 * before 0 or past 9999 is brought into that range. */
void pf_imap_date_format(int64_t utc_s, int zone_min, char out[32]);

#endif
