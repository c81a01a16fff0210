/*
 * Shared by the files of convert/mapi_event.
 */
#ifndef PF_CONVERT_MAPI_EVENT_PRIVATE_H
#define PF_CONVERT_MAPI_EVENT_PRIVATE_H

#include "convert/mapi_body.h"
#include "convert/mapi_event.h"
#include "convert/mapi_goid.h"
#include "convert/mapi_lines.h"
#include "convert/mapi_recur.h"
#include "convert/mapi_zone.h"
#include "model/mapi_tags.h"

/* PidLid... of the set Appointment, unless told otherwise. */
enum ev_lid {
	LID_SEQUENCE = 0x8201,
	LID_BUSY = 0x8205,
	LID_LOCATION = 0x8208,
	LID_START = 0x820D,
	LID_END = 0x820E,
	LID_DURATION = 0x8213,
	LID_ALL_DAY = 0x8215,
	LID_RECUR = 0x8216,
	LID_STATE = 0x8217,
	LID_RESPONSE = 0x8218,
	LID_INTENDED_BUSY = 0x8224,
	LID_REPLACE_TIME = 0x8228,
	LID_ZONE_STRUCT = 0x8233,
	LID_ZONE_TEXT = 0x8234,
	LID_NO_COUNTER = 0x825A,
	LID_ZONE_START = 0x825E,
	LID_ZONE_END = 0x825F,
	LID_ZONE_RECUR = 0x8260,
	LID_REMINDER_MINUTES = 0x8501, /* Common */
	LID_REMINDER_SET = 0x8503,
	LID_PRIVATE = 0x8506,
	LID_COMMON_START = 0x8516,
	LID_COMMON_END = 0x8517,
	LID_GOID = 0x0003, /* Meeting */
	LID_CLEAN_GOID = 0x0023,
	LID_CRITICAL_CHANGE = 0x001A,
	LID_ATTENDEE_CHANGE = 0x0001,
};

enum ev_tag_id {
	TAG_START_DATE = 0x0060, /* PidTagStartDate, of the oldest items */
	TAG_END_DATE = 0x0061,
	TAG_RESPONSE_REQUESTED = 0x0063,
};

enum ev_state { STATE_MEETING = 1, STATE_RECEIVED = 2, STATE_CANCELLED = 4 };

/* A moment as a line has it: on the wall of a zone, in UTC, or a date. */
struct ev_zone {
	struct pf_zone zone;
	struct pf_span tzid; /* absent: times are UTC */
};

struct ev_found {
	const struct pf_mapi_item *item; /* NULL: the exception has none */
};

struct ev {
	const struct pf_mapi_ways *ways;
	struct pf_mapi_losses *l;
	struct pf_mapi_lines o;
	struct pf_err *err;
	struct pf_span uid;
	struct pf_goid_day day; /* of a single instance that came without its series */

	/* the component that is being written: of `x`, or the first one */
	const struct pf_mapi_item *item; /* NULL: of an exception without one */
	const struct pf_mapi_item *base; /* the series of an exception; else NULL */
	const struct pf_recur_exception *x;

	/* of the series, or of the single event */
	bool all_day, recurs;
	int64_t start_utc_s, end_utc_s;
	struct ev_zone start, end;
	struct pf_recur recur;
	struct ev_found *of_exception; /* by exception */
	/* octets that its files are in the text, for itself, and again for exceptions */
	size_t files_once, files_again;
	bool files_left;       /* some exceptions lack them, as they are too many */
	struct pf_span broken; /* a recurrence that could not be said */
};

/* The value in the component's item, else in its series'; noted as `fate` where it is found. */
const struct pf_mapi_value *ev_tag(struct ev *e, enum pf_mapi_fate fate, uint16_t id);
const struct pf_mapi_value *ev_lid(
	struct ev *e, enum pf_mapi_fate fate, const struct pf_guid *set, uint32_t number);
/* The number of a value; `none` where it has none. */
int64_t ev_number(const struct pf_mapi_value *v, int64_t none);

/* mapi_event_time.c */
/* Finds begin, end, zones and recurrence of the item; PF_FAIL: it has no begin (item scope). */
int ev_find_times(struct ev *e);
void ev_put_zones(struct ev *e);
/* A line of a moment on the wall of a zone, or of its day. */
void ev_put_moment(
	struct ev *e, const char *name, const struct ev_zone *zone, bool all_day, int64_t local_s);
void ev_put_utc(struct ev *e, const char *name, int64_t utc_s);
/* DTSTART, DTEND, RECURRENCE-ID, and whether it is a whole day. */
void ev_put_times(struct ev *e);

/* mapi_event_series.c */
/* Finds the items of the exceptions; PF_FAIL: no memory. */
int ev_find_exceptions(struct ev *e);
void ev_put_rule(struct ev *e);
/* The moment that an occurrence of the series had by its rule, on the wall. */
int64_t ev_original_local(const struct ev *e, uint32_t midnight);
bool ev_is_exception(const struct pf_mapi_attachment *a);

/* mapi_event_people.c */
void ev_put_people(struct ev *e);

/* mapi_event_rest.c */
/* The files of the item; of an exception its own, or those of its series where the blob does not
 * say that they differ (ARO_ATTACHMENT, [MS-OXOCAL] 2.2.1.44.2). */
void ev_put_attachments(struct ev *e);
/* Notes what follows from the rest, then puts what is lost into X- lines if that is asked for. */
void ev_put_rest(struct ev *e);

#endif
