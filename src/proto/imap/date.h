/*
 * INTERNALDATE: date-time of RFC 9051 section 9, as it is written. base/date_text.h reads it, and
 * the forms that servers send in its place.
 */
#ifndef PF_PROTO_IMAP_DATE_H
#define PF_PROTO_IMAP_DATE_H

#include <stdint.h>

/* Write for APPEND, two characters for the day, without quotes; needs 27 bytes with the NUL. A year
 * before 0 or past 9999 is brought into that range. */
void pf_imap_date_format(int64_t utc_s, int zone_min, char out[32]);

#endif
