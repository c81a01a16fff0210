/*
 * Calendar dates and seconds since 1970, for any year from 0 to 9999, without the system's time
 * zone.
 */
#ifndef PF_BASE_CIVIL_H
#define PF_BASE_CIVIL_H

#include <stdbool.h>
#include <stdint.h>

/* The date that a server gave, or that an item has none. */
#define PF_DATE_NONE INT64_MIN

struct pf_civil {
	int year, month, day; /* month and day from 1 */
	int hour, minute, second;
};

/* Whether such a moment exists in the proleptic Gregorian calendar (second 60 is taken). */
bool pf_civil_valid(const struct pf_civil *c);
/* Seconds since 1970-01-01T00:00:00Z of a valid civil time that is UTC. */
int64_t pf_civil_to_unix(const struct pf_civil *c);
void pf_civil_from_unix(int64_t unix_s, struct pf_civil *out);

/* Whether it is a moment that not every server can hold: before 1970, or past 32 bits (2038). Not
 * so PF_DATE_NONE. */
bool pf_date_is_odd(int64_t unix_s);
/* The nearest moment that every server can. */
int64_t pf_date_nearest(int64_t unix_s);

/* "2026-11-24T10:03:12Z" and a NUL; "-" for PF_DATE_NONE. */
void pf_date_iso(int64_t unix_s, char out[32]);

#endif
