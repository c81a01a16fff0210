/*
 * iCalendar (RFC 5545) as it stands: components and lines with their places in the input, so that
 * what is not to be changed can be written as it was. vCalendar 1.0 is read as well. No I/O; any
 * bytes; what is merely odd is kept.
 */
#ifndef PF_PROTO_ICAL_ICAL_H
#define PF_PROTO_ICAL_ICAL_H

#include "proto/line/line.h"

enum { PF_ICAL_NONE = -1 };

/* BEGIN to END; lines of nested components are within. */
struct pf_ical_comp {
	struct pf_span name; /* as written: "VEVENT" */
	size_t begin, end;   /* its BEGIN and END lines; end: of the input when END is missing */
	int parent, next, child; /* indexes of components, PF_ICAL_NONE */
};

struct pf_ical {
	struct pf_arena arena;
	struct pf_buf text; /* the input, converted to UTF-8 when it was not */
	struct pf_line *line;
	size_t line_count;
	struct pf_ical_comp *comp;
	size_t comp_count;
	bool latin;  /* it was not UTF-8: taken for Windows-1252 */
	bool bom;    /* began with a byte order mark */
	bool untidy; /* lines that are none, or ends that are missing */
	void *zones; /* ical_zone.c: VTIMEZONEs that were looked at */
};

/*
 * `bytes` is copied. PF_FAIL (item scope): no VCALENDAR in it and no event, task or note without
 * one, or past 64 MiB; the text names the line. Freed with pf_ical_free in any case.
 */
PF_MUST_CHECK int pf_ical_read(struct pf_span bytes, struct pf_ical **out, struct pf_err *err);
void pf_ical_free(struct pf_ical **c);

bool pf_ical_comp_is(const struct pf_ical *c, int comp, const char *name);
/*
 * The next line of the component itself, not of those within, behind line `after` (begin: its BEGIN
 * to start with). SIZE_MAX: no more.
 */
size_t pf_ical_next_line(const struct pf_ical *c, int comp, size_t after);
/* The first line of this name; NULL: none. */
const struct pf_line *pf_ical_find(const struct pf_ical *c, int comp, const char *name);

/* ---- times ---- */

enum pf_ical_form { PF_ICAL_DATE, PF_ICAL_UTC, PF_ICAL_ZONED, PF_ICAL_FLOATING };

struct pf_ical_time {
	enum pf_ical_form form;
	int64_t local_s; /* the wall clock's, as if it were UTC */
	int64_t utc_s;   /* the instant; of a date midnight UTC, of a floating time local_s */
	void *zone;      /* ZONED: for ical_recur.c */
};

/* A DATE or DATE-TIME with the line's TZID and VALUE. false: it is none. */
bool pf_ical_time_of(
	struct pf_ical *c, const struct pf_line *l, struct pf_span value, struct pf_ical_time *out);
/* The first time of the line. */
bool pf_ical_line_time(struct pf_ical *c, const struct pf_line *l, struct pf_ical_time *out);
/* Seconds of a DURATION; false: it is none. */
bool pf_ical_duration(struct pf_span value, int64_t *seconds);
/* When the component ends: DTEND, DUE, DURATION, else what RFC 5545 section 3.6.1 says. `begin` is
 * its begin. */
int64_t pf_ical_end(struct pf_ical *c, int comp, const struct pf_ical_time *begin);
/* Its begin: DTSTART, of a task without one DUE. false: none. */
bool pf_ical_begin(struct pf_ical *c, int comp, struct pf_ical_time *out);
/* UTC offset of the zone at an instant, in seconds; 0 for any other form. */
int32_t pf_ical_offset_at(const struct pf_ical_time *t, int64_t utc_s);
void pf_ical_zones_free(struct pf_ical *c);
/* The same of a zone that the system knows by its TZID; false: it knows none. */
bool pf_ical_zone_offset(const char *tzid, int64_t utc_s, int32_t *offset_s);
/* The IANA's name of a zone that Windows has ("W. Europe Standard Time" is "Europe/Berlin"), and
 * the other way round; C strings. false: there is none. */
bool pf_ical_zone_of_windows(const char *windows, char *out, size_t size);
bool pf_ical_windows_of_zone(const char *iana, char *out, size_t size);

/* ---- recurrences ---- */

struct pf_ical_set {
	int64_t *at; /* instants in order, no two equal; in the form that pf_ical_time.utc_s has */
	size_t n, cap;
	bool whole; /* the set has no more */
};

void pf_ical_set_deinit(struct pf_ical_set *s);
bool pf_ical_recurs(const struct pf_ical *c, int comp);
/*
 * DTSTART, RRULE and RDATE of the component, without regard to EXDATE: at most `max` instants from
 * the first, none past `until_utc_s`. PF_FAIL: no memory. A rule that can't be read has no
 * instants.
 */
PF_MUST_CHECK int pf_ical_instants(struct pf_ical *c, int comp, int64_t until_utc_s, size_t max,
	struct pf_ical_set *out, struct pf_err *err);
/* The instants of its EXDATEs, in order. */
PF_MUST_CHECK int pf_ical_exdates(
	struct pf_ical *c, int comp, struct pf_ical_set *out, struct pf_err *err);
bool pf_ical_set_has(const struct pf_ical_set *s, int64_t at);

/* ---- meaning ---- */

enum { PF_ICAL_MEANING_VERSION = 3 };

/*
 * The canonical text of an item (calendar identity, section 4): the first component is the master,
 * the others its overrides; or all are overrides. Lines in one order, equal for items that mean the
 * same. For a digest.
 */
struct pf_ical_piece {
	struct pf_ical *c;
	int comp;
};
PF_MUST_CHECK int pf_ical_canonical(
	const struct pf_ical_piece *pieces, size_t n, struct pf_buf *out, struct pf_err *err);
/* The same of a single component, without when it begins and how it recurs: how long it lasts, and
 * all the rest. */
PF_MUST_CHECK int pf_ical_says(
	const struct pf_ical_piece *piece, struct pf_buf *out, struct pf_err *err);

/* ---- writing ---- */

struct pf_ical_edit {
	struct pf_span uid; /* new UID; absent: as it is */
	const char *agent;  /* SCHEDULE-AGENT on ATTENDEE and ORGANIZER; NULL: as it is */
	bool alone;  /* an override loses its RECURRENCE-ID; several get a series to belong to */
	bool repair; /* see ical_repair.c */
	struct pf_span meant;  /* X-POSTFERRY-MEANT of the first component; absent: as it is */
	const int64_t *wanted; /* taken out of the EXDATEs */
	size_t wanted_n;
	const int64_t *single_utc_s; /* of a series the instance that begins then, as a single
					event; NULL: as it is */
};
/* `changes` gets repairs in words. */
PF_MUST_CHECK int pf_ical_write(const struct pf_ical_piece *pieces, size_t n,
	const struct pf_ical_edit *edit, struct pf_buf *out, struct pf_buf *changes,
	struct pf_err *err);

/* ---- a series as single events (ical_singles.c) ---- */

struct pf_ical_singles {
	size_t n;            /* that were written */
	size_t first_bytes;  /* of the first */
	int64_t first_utc_s; /* when it was to begin */
	bool more, endless;  /* some come later than `until`; the series has no end at all */
};

/*
 * Append a VCALENDAR for each instance of a series that was to begin before `until`: `pieces` are
 * the master and all its overrides. An instance that is overridden is what the override says. UIDs
 * are made of the master's and of the day; they are known by pf_ical_is_single. PF_FAIL (item
 * scope): some of it can't be followed so (EXRULE, periods, RANGE, a rule that can't be read, more
 * than 5,000), `out` is to be thrown away then; or no memory.
 */
PF_MUST_CHECK int pf_ical_singles(const struct pf_ical_piece *pieces, size_t n, int64_t until_utc_s,
	struct pf_buf *out, struct pf_ical_singles *told, struct pf_err *err);
bool pf_ical_is_single(struct pf_span uid);

#endif
