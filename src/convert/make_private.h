/*
 * Shared by the files that make MAPI items of open formats: convert/mapi_make and convert/make_*.
 */
#ifndef PF_CONVERT_MAKE_PRIVATE_H
#define PF_CONVERT_MAKE_PRIVATE_H

#include "convert/mapi_make.h"
#include "convert/mapi_recur.h"
#include "convert/mapi_zone.h"
#include "model/mapi_tags.h"
#include "proto/ical/ical.h"
#include "proto/vcard/vcard.h"

/* The first failure is kept in `rc`; nothing is added after it. */
struct make {
	const struct pf_mapi_ways *ways;
	struct pf_mapi_made *made;
	struct pf_arena *arena;
	struct pf_mapi_item *item; /* that is being filled: the item, or that of an exception */
	struct pf_err *err;
	int rc;
};

/* ---- mapi_make.c ---- */

void make_tag(struct make *m, uint16_t id, struct pf_mapi_value v);
void make_lid(struct make *m, const struct pf_guid *set, uint32_t lid, struct pf_mapi_value v);
/* Of PublicStrings. */
void make_named(struct make *m, const char *name, struct pf_mapi_value v);
/* To properties of their own: a recipient's, an attachment's. */
void make_to(struct make *m, struct pf_mapi_props *to, uint16_t id, struct pf_mapi_value v);
/* What can't be said, by the name that a person would look for. */
void make_lost(struct make *m, const char *fmt, ...) PF_PRINTF(2, 3);
void make_failed(struct make *m, const char *what);
void make_no_memory(struct make *m);
/* The same bytes in the arena, with a NUL behind them. */
struct pf_span make_keep(struct make *m, struct pf_span s);
/* TEXT without its escapes, and without control characters, which it may not have; in the arena. */
struct pf_span make_unescaped(struct make *m, struct pf_span text);
/* A parameter without the signs of RFC 6868, in the arena; absent where the line has none. */
struct pf_span make_param(struct make *m, const struct pf_line *l, const char *name);

static inline struct pf_mapi_value make_text(struct pf_span s)
{
	return (struct pf_mapi_value){.type = PF_MAPI_STRING, .bytes = s};
}

static inline struct pf_mapi_value make_number(int64_t n)
{
	return (struct pf_mapi_value){.type = PF_MAPI_I32, .number = n};
}

static inline struct pf_mapi_value make_truth(bool b)
{
	return (struct pf_mapi_value){.type = PF_MAPI_BOOL, .number = b};
}

static inline struct pf_mapi_value make_bytes(struct pf_span s)
{
	return (struct pf_mapi_value){.type = PF_MAPI_BINARY, .bytes = s};
}

/* Seconds since 1970. */
struct pf_mapi_value make_time(int64_t utc_s);
/* The texts that a list has between commas, those of an earlier one before them. */
void make_categories(struct make *m, struct pf_span list);
/* A file of the item; the name may be absent. NULL: there is no memory. */
struct pf_mapi_attachment *make_file(struct make *m, struct pf_span name, struct pf_span type);
/* Base64 of a value, in the arena; false: it is none. */
bool make_decoded(struct make *m, struct pf_span base64, struct pf_span *out);

/* ---- make_ical.c: what events, tasks and notes have in common ---- */

struct make_ical {
	struct make m;
	struct pf_ical *c;
	int comp; /* that is being read */
};

/* A line that is the same in each of them. false: it is none. */
bool make_common_line(struct make_ical *i, const struct pf_line *l);
/* What a line of the component says, unescaped; absent: there is no such line. */
struct pf_span make_line_text(struct make_ical *i, const char *name);
/* Its moment, UTC; false: there is none. */
bool make_line_time(struct make_ical *i, const char *name, int64_t *utc_s);
/* The whole number at the front of a value; `none` where there is none. */
int64_t make_line_number(const struct pf_line *l, int64_t none);
/* Its lines, one after the other; NULL: that was all. `at` is its BEGIN to start with. */
const struct pf_line *make_next_line(const struct make_ical *i, size_t *at);
/* UID, dates of its history. */
void make_stamps(struct make_ical *i);
/* PRIORITY as importance: 0 low, 1 normal, 2 high; -1: it says none. */
int make_importance(int64_t priority);
/* CLASS, of a calendar's item or a contact. */
void make_class(struct make *m, struct pf_span value);

/* ---- make_zone.c ---- */

/*
 * The zone of a moment as Exchange has it: the rule of the moment's year, and a name of Windows
 * where the zone of this name has the same offsets in the five years from then on. false: its
 * offsets follow no such rule (then there is one offset, that of the moment), or change in those
 * years.
 */
bool make_zone(
	struct make *m, const struct pf_ical_time *t, struct pf_span tzid, struct pf_zone *out);

/* ---- make_event*.c ---- */

struct make_event {
	struct make_ical i;
	int *override; /* components, by the moment of their instance */
	size_t override_n;
	struct pf_ical_time begin; /* of the master */
	struct pf_span tzid;
	struct pf_zone zone; /* that the series is counted in */
	struct pf_span days; /* the IANA's name of the zone of whole days; absent: UTC */
	bool all_day, is_exception;
	int64_t start_utc_s, end_utc_s; /* of the component that is being read */
};

void make_event_item(struct make_event *e);
/* What a component says, but for its times. */
void make_event_words(struct make_event *e);
/* DTSTART and DTEND of the component into start_utc_s and end_utc_s. */
void make_event_span(struct make_event *e);
/* The moment of a wall's time: of whole days that of the account's zone; else it is UTC already. */
int64_t make_event_utc(struct make_event *e, int64_t local_s);
/* On the wall of the series; of a date its midnight. */
int64_t make_event_local(const struct make_event *e, const struct pf_ical_time *t);
void make_event_series(struct make_event *e);
void make_event_people(struct make_event *e);
/* The reminder, or that there is none. */
void make_event_alarm(struct make_event *e);

/* ---- the others ---- */

void make_task_item(struct make_ical *i);
void make_note_item(struct make_ical *i);
void make_card_item(struct make *m, struct pf_vcards *v);
void make_group_item(struct make *m, struct pf_vcards *v);

#endif
