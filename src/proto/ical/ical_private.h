/*
 * Shared by the files of proto/ical; libical's types stay within.
 */
#ifndef PF_PROTO_ICAL_ICAL_PRIVATE_H
#define PF_PROTO_ICAL_ICAL_PRIVATE_H

#include "proto/ical/ical.h"

#include <libical/ical.h>

struct icaltimetype ical_to_libical(int64_t local_s, bool is_date);
/* PF_DATE_NONE: none, or past what a calendar has. */
int64_t ical_from_libical(const struct icaltimetype *t);
/* The instant at which the time's zone shows local_s; of a form without zone local_s itself. */
int64_t ical_local_to_utc(const struct pf_ical_time *t, int64_t local_s);
/* Whether the value of a TZID line, a text in which commas are escaped or are not, is this TZID. */
bool ical_zone_is(struct pf_span text, struct pf_span tzid);
/* What the system knows of a zone by its TZID, as the text of a VTIMEZONE; the caller's, to be
 * freed with free(). NULL: nothing. */
char *ical_known_vtimezone(struct pf_span tzid);
/* Whether the line's rule can be expanded at all. */
bool ical_is_rule(struct pf_ical *c, const struct pf_line *l);

#endif
