/*
 * Dates as people and servers write them in mail.
 */
#ifndef PF_BASE_DATE_TEXT_H
#define PF_BASE_DATE_TEXT_H

#include "base/span.h"

/*
 * Read " 7-Aug-1996 12:00:00 +0530" (INTERNALDATE), also with one digit for the day, two or three
 * for the year, no seconds, a zone's name (UT, GMT, EST, ...; an unknown one is taken for UTC) or
 * none, and as RFC 5322 writes it ("Wed, 7 Aug 1996 12:00:00 +0530 (IST)"). false, and nothing is
 * set: there is no such moment ("00-Jan-0000 ...").
 */
bool pf_date_parse(struct pf_span text, int64_t *utc_s, int *zone_min);

#endif
