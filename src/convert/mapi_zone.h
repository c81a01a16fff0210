/*
 * Time zones as Exchange keeps them with an item: PidLidTimeZoneStruct (0x8233, one rule) and
 * PidLidAppointmentTimeZoneDefinition... (0x825E, 0x825F, 0x8260: a name and a rule a period),
 * [MS-OXOCAL] 2.2.1.39 and 2.2.1.41; and VTIMEZONE of iCalendar.
 */
#ifndef PF_CONVERT_MAPI_ZONE_H
#define PF_CONVERT_MAPI_ZONE_H

#include "base/arena.h"
#include "base/buf.h"

/* SYSTEMTIME as a rule: with year 0 `day` is the n-th such weekday, 5 the last. Month 0: never. */
struct pf_zone_change {
	uint16_t year, month, weekday, day, hour, minute, second, ms;
};

enum pf_zone_flag {
	PF_ZONE_RECURRING = 1, /* the same as the item's PidLidTimeZoneStruct */
	PF_ZONE_EFFECTIVE = 2,
};

/* UTC is the wall's time and `bias` and that of its half of the year, in minutes. */
struct pf_zone_rule {
	uint16_t flags, year; /* from which on it holds */
	int32_t bias, standard_bias, daylight_bias;
	struct pf_zone_change standard, daylight; /* when each begins, on the wall before it */
};

enum { PF_ZONE_RULES = 64 };

struct pf_zone {
	struct pf_span name; /* of Windows, UTF-8; absent: it has none */
	struct pf_zone_rule rule[PF_ZONE_RULES];
	size_t n; /* at least 1, by year */
};

/* PF_FAIL (item scope): too short, or a rule that can't be; no memory. The name is in `arena`. */
PF_MUST_CHECK int pf_zone_read_struct(struct pf_span blob, struct pf_zone *out, struct pf_err *err);
PF_MUST_CHECK int pf_zone_read_definition(
	struct pf_arena *arena, struct pf_span blob, struct pf_zone *out, struct pf_err *err);
/* Append the blob; of several rules the effective one goes into the first. */
PF_MUST_CHECK int pf_zone_write_struct(
	const struct pf_zone *z, struct pf_buf *out, struct pf_err *err);
PF_MUST_CHECK int pf_zone_write_definition(
	const struct pf_zone *z, struct pf_buf *out, struct pf_err *err);

/* The rule that Exchange counts a series by: the effective one, else the last. */
const struct pf_zone_rule *pf_zone_effective(const struct pf_zone *z);
/* The rule of a year. */
const struct pf_zone_rule *pf_zone_of_year(const struct pf_zone *z, int year);
/* Whether both have the same offsets at the same times. */
bool pf_zone_rule_eq(const struct pf_zone_rule *a, const struct pf_zone_rule *b);
/* Leaves one rule alone in the zone, for all years. `keep` may be of the zone itself. */
void pf_zone_only(struct pf_zone *z, const struct pf_zone_rule *keep);

/* Seconds that the wall is ahead of UTC at an instant. */
int32_t pf_zone_offset(const struct pf_zone *z, int64_t utc_s);
int64_t pf_zone_to_local(const struct pf_zone *z, int64_t utc_s);
/*
 * The whole day that begins with this moment, as the moment of its midnight in UTC. A day is kept
 * as a midnight of some wall; `on_wall`: the moment is of that wall already, and may be off by what
 * a zone's rule has wrong. Else the wall is not known: the nearest midnight of UTC, and at eleven
 * o'clock the next one, as New Zealand is 13 hours ahead in summer.
 */
int64_t pf_zone_day(int64_t moment_s, bool on_wall);
/* The first of two instants, and for a time that the wall leaves out, by the offset before it (RFC
 * 5545 section 3.3.5). */
int64_t pf_zone_to_utc(const struct pf_zone *z, int64_t local_s);

/*
 * The TZID for the zone's name, in `arena`: that of the IANA where it has the same offsets in the
 * years around `utc_s`, else the name as Windows has it; without one, one made of the rule.
 */
PF_MUST_CHECK int pf_zone_id(struct pf_arena *arena, const struct pf_zone *z, int64_t utc_s,
	struct pf_span *out, struct pf_err *err);
/* Append a VTIMEZONE: of each rule its halves with an RRULE, from `from_year` (or 1970) on. */
PF_MUST_CHECK int pf_zone_to_ical(const struct pf_zone *z, struct pf_span tzid, int from_year,
	struct pf_buf *out, struct pf_err *err);

#endif
