/*
 * Recurrences as Exchange stores them: RecurrencePattern of a task (PidLidTaskRecurrence) and
 * AppointmentRecurrencePattern of an event (PidLidAppointmentRecur), [MS-OXOCAL] 2.2.1.44; and
 * rules of iCalendar. Times are minutes since 1601-01-01 on the wall of the series.
 */
#ifndef PF_CONVERT_MAPI_RECUR_H
#define PF_CONVERT_MAPI_RECUR_H

#include "base/arena.h"
#include "base/buf.h"

enum pf_recur_frequency {
	PF_RECUR_DAILY = 0x200A,
	PF_RECUR_WEEKLY = 0x200B,
	PF_RECUR_MONTHLY = 0x200C,
	PF_RECUR_YEARLY = 0x200D,
};

enum pf_recur_pattern {
	PF_RECUR_DAY = 0,
	PF_RECUR_WEEK = 1,
	PF_RECUR_MONTH = 2,     /* a day of the month */
	PF_RECUR_MONTH_NTH = 3, /* "the second Tuesday" */
	PF_RECUR_MONTH_END = 4,
	PF_RECUR_HIJRI_MONTH = 0xA,
	PF_RECUR_HIJRI_NTH = 0xB,
	PF_RECUR_HIJRI_END = 0xC,
};

enum pf_recur_end {
	PF_RECUR_UNTIL = 0x2021,
	PF_RECUR_COUNT = 0x2022,
	PF_RECUR_NEVER = 0x2023,
	PF_RECUR_NEVER_TOO = -1, /* 0xFFFFFFFF, of some writers */
};

enum { PF_RECUR_NO_END = 0x5AE980DF }; /* end date of a series without one */

/* ExceptionInfo.OverrideFlags: what an exception does not have from its series. */
enum pf_recur_override {
	PF_RECUR_HAS_SUBJECT = 0x0001,
	PF_RECUR_HAS_MEETING = 0x0002,
	PF_RECUR_HAS_REMINDER_DELTA = 0x0004,
	PF_RECUR_HAS_REMINDER = 0x0008,
	PF_RECUR_HAS_LOCATION = 0x0010,
	PF_RECUR_HAS_BUSY = 0x0020,
	PF_RECUR_HAS_ATTACHMENT = 0x0040,
	PF_RECUR_HAS_ALL_DAY = 0x0080,
	PF_RECUR_HAS_COLOUR = 0x0100,
	PF_RECUR_HAS_BODY = 0x0200,
};

struct pf_recur_exception {
	uint32_t start, end, original;
	uint16_t flags; /* of enum pf_recur_override; the values below count where theirs is set */
	struct pf_span subject, location;           /* UTF-8 */
	struct pf_span subject_ansi, location_ansi; /* the same in the code page of the writer */
	uint32_t meeting, reminder_delta, reminder, busy, attachment, all_day, colour;
	/* of the extended form, as they are: ChangeHighlight and reserved blocks */
	struct pf_span highlight, reserved1, reserved2;
};

struct pf_recur {
	uint16_t reader, writer;
	uint16_t frequency, pattern; /* of the enums above */
	uint16_t calendar;           /* CalendarType: 0 default, 1 Gregorian, ... */
	uint32_t first;              /* FirstDateTime: the phase of what has a period */
	uint32_t period;             /* minutes, weeks or months, by the pattern */
	uint32_t sliding;            /* tasks: counted from when the last was done */
	uint32_t days;               /* WEEK, NTH: bit 0 is Sunday; MONTH, END: the day, 1 to 31 */
	uint32_t nth;                /* NTH: 1 to 4, 5 is the last */
	int32_t end_type;            /* of enum pf_recur_end */
	uint32_t count;
	uint32_t first_weekday; /* 0 Sunday */
	uint32_t *deleted;      /* midnights of days whose occurrence is gone, or was moved */
	size_t deleted_n;
	uint32_t *modified; /* midnights of days that exceptions are on now */
	size_t modified_n;
	uint32_t start, end; /* midnights of the first and the last day */

	bool has_times; /* the rest is there: it is an event's */
	uint32_t reader2, writer2;
	uint32_t start_offset, end_offset; /* minutes after midnight; the end may be past 1440 */
	struct pf_recur_exception *exception;
	size_t exception_n;
	struct pf_span reserved1, reserved2;
	bool cut; /* what is behind the exceptions could not be read, and was left out */
};

/*
 * Read a blob; all that `out` points to is in `arena`. `code_page` is that of the writer, for texts
 * that are there in no other form. PF_FAIL: it ends too early, or is no such thing (item scope; the
 * text says where); no memory.
 */
PF_MUST_CHECK int pf_recur_read(struct pf_arena *arena, struct pf_span blob, uint32_t code_page,
	struct pf_recur *out, struct pf_err *err);
/* Append the blob; what was read comes out byte for byte. PF_FAIL: past the ceiling of `out`. */
PF_MUST_CHECK int pf_recur_write(const struct pf_recur *r, struct pf_buf *out, struct pf_err *err);

/* ---- what it means ---- */

/* Whether iCalendar has words for it: a Gregorian rule whose numbers are possible. */
bool pf_recur_can_say(const struct pf_recur *r);
/* Midnight of the first day that the rule has: that of the start date, or the next one. */
uint32_t pf_recur_first(const struct pf_recur *r);
/* Midnight of the next day of the rule behind `after`, itself one; 0: none until its end by date.
 */
uint32_t pf_recur_next(const struct pf_recur *r, uint32_t after);
/* Whether the exception's occurrence was on that day. */
bool pf_recur_moved(const struct pf_recur *r, uint32_t midnight);
/*
 * Append the value of RRULE, for one that iCalendar has words for. `until` is its last moment as
 * UNTIL has it ("20240101T090000Z", "20240101"), for rules that end by date.
 */
PF_MUST_CHECK int pf_recur_to_rule(
	const struct pf_recur *r, const char *until, struct pf_buf *out, struct pf_err *err);

/* What a rule of iCalendar does not say by itself. */
struct pf_recur_begin {
	uint32_t start, end; /* of the first occurrence, local minutes since 1601 */
	uint32_t until;      /* UNTIL as local minutes; 0: the rule has none */
};
/*
 * Make the pattern of an RRULE value, with times, and without exceptions. PF_FAIL (item scope): it
 * says what Exchange has no words for; the text tells which part.
 */
PF_MUST_CHECK int pf_recur_from_rule(struct pf_span rule, const struct pf_recur_begin *begin,
	struct pf_recur *out, struct pf_err *err);

/* Minutes since 1601 and seconds since 1970, both on the same wall. */
int64_t pf_recur_to_unix(uint32_t minutes);
/* Clamped to what the blob can hold. */
uint32_t pf_recur_from_unix(int64_t local_s);

#endif
