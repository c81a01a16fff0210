/* Series that are written as single events: which, when, and under which UIDs. */
#include "base/civil.h"
#include "proto/ical/ical.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#define HEAD "BEGIN:VCALENDAR\r\nVERSION:2.0\r\n"
#define ZONE                                                                                       \
	"BEGIN:VTIMEZONE\r\nTZID:Europe/Berlin\r\nBEGIN:DAYLIGHT\r\nTZOFFSETFROM:+0100\r\n"        \
	"TZOFFSETTO:+0200\r\nDTSTART:19700329T020000\r\nRRULE:FREQ=YEARLY;BYDAY=-1SU;BYMONTH="     \
	"3\r\n"                                                                                    \
	"END:DAYLIGHT\r\nBEGIN:STANDARD\r\nTZOFFSETFROM:+0200\r\nTZOFFSETTO:+0100\r\n"             \
	"DTSTART:19701025T030000\r\nRRULE:FREQ=YEARLY;BYDAY=-1SU;BYMONTH=10\r\nEND:STANDARD\r\n"   \
	"END:VTIMEZONE\r\n"
#define EVENT(more) "BEGIN:VEVENT\r\nUID:u\r\nSUMMARY:Round\r\n" more "END:VEVENT\r\n"
#define TAIL "END:VCALENDAR\r\n"

static const int64_t UNTIL = 1735689600; /* 2025-01-01 */

struct made {
	struct pf_buf text;
	struct pf_ical *c; /* of it */
	struct pf_ical_singles told;
	struct pf_err err;
	int rc;
};

static void make(struct made *m, const char *text)
{
	struct pf_ical_piece pieces[4];
	struct pf_ical *c = NULL;
	size_t n = 0;

	*m = (struct made){.c = NULL};
	pf_buf_init(&m->text, 1 << 20);
	assert_int_equal(pf_ical_read(pf_span_str(text), &c, &m->err), PF_OK);
	for (size_t i = 0; i < c->comp_count && n < PF_COUNT(pieces); i++) {
		if (pf_ical_comp_is(c, (int)i, "VEVENT")) {
			pieces[n++] = (struct pf_ical_piece){c, (int)i};
		}
	}
	m->rc = pf_ical_singles(pieces, n, UNTIL, &m->text, &m->told, &m->err);
	if (m->rc == PF_OK) {
		assert_int_equal(pf_ical_read(pf_buf_span(&m->text), &m->c, &m->err), PF_OK);
	}
	pf_ical_free(&c);
}

static void done(struct made *m)
{
	pf_ical_free(&m->c);
	pf_buf_deinit(&m->text);
}

/* What a line of the i-th event says. */
static struct pf_span said(const struct made *m, size_t i, const char *name)
{
	const struct pf_line *l = NULL;

	for (size_t k = 0; k < m->c->comp_count; k++) {
		if (pf_ical_comp_is(m->c, (int)k, "VEVENT") && i-- == 0) {
			l = pf_ical_find(m->c, (int)k, name);
		}
	}
	return l ? l->value : pf_span_str("-");
}

#define says(m, i, name, text) assert_true(pf_span_is(said(m, i, name), text))

static void dates_and_rules_become_events(void **state)
{
	struct made m;

	(void)state;
	make(&m, HEAD ZONE EVENT("DTSTART;TZID=Europe/Berlin:20240325T090000\r\n"
				 "DTEND;TZID=Europe/Berlin:20240325T100000\r\n"
				 "RRULE:FREQ=WEEKLY;COUNT=3\r\nRRULE:FREQ=MONTHLY;COUNT=2\r\n"
				 "RDATE;TZID=Europe/Berlin:20240401T150000\r\n"
				 "EXDATE;TZID=Europe/Berlin:20240408T090000\r\n") TAIL);
	assert_int_equal(m.rc, PF_OK);
	assert_int_equal(m.told.n, 4);
	assert_false(m.told.more || m.told.endless);
	says(&m, 0, "DTSTART", "20240325T090000");
	says(&m, 1, "DTSTART", "20240401T090000"); /* the clock has changed */
	says(&m, 1, "DTEND", "20240401T100000");
	says(&m, 2, "DTSTART", "20240401T150000");
	says(&m, 3, "DTSTART", "20240425T090000");
	for (size_t i = 0; i < 4; i++) {
		says(&m, i, "RRULE", "-");
		says(&m, i, "RDATE", "-");
		says(&m, i, "EXDATE", "-");
		says(&m, i, "SUMMARY", "Round");
		says(&m, i, "X-POSTFERRY-ORIGINAL-UID", "u");
		assert_true(pf_ical_is_single(said(&m, i, "UID")));
		for (size_t k = 0; k < i; k++) {
			assert_false(pf_span_eq(said(&m, i, "UID"), said(&m, k, "UID")));
		}
	}
	done(&m);
}

static void overrides_are_what_they_say(void **state)
{
	struct made m;

	(void)state;
	make(&m, HEAD EVENT("DTSTART:20240101T090000Z\r\nDURATION:PT1H\r\n"
			    "RRULE:FREQ=DAILY;COUNT=3\r\nRDATE:20240601T090000Z\r\n")
			 EVENT("RECURRENCE-ID:20240102T090000Z\r\n"
			       "DTSTART:20240109T120000Z\r\nDURATION:PT2H\r\n") TAIL);
	assert_int_equal(m.rc, PF_OK);
	assert_int_equal(m.told.n, 4);
	says(&m, 1, "DTSTART", "20240109T120000Z");
	says(&m, 1, "DURATION", "PT2H");
	says(&m, 1, "RECURRENCE-ID", "-");
	says(&m, 3, "DTSTART", "20240601T090000Z");
	done(&m);
}

/* An edit of the hour, or a day more, leaves the UIDs of the other days. */
static void uids_stay_with_their_days(void **state)
{
	struct made a, b;

	(void)state;
	make(&a, HEAD EVENT("DTSTART:20240101T090000Z\r\nRRULE:FREQ=WEEKLY;COUNT=3\r\n"
			    "RDATE:20240601T090000Z\r\n") TAIL);
	make(&b, HEAD EVENT("DTSTART:20240101T110000Z\r\nRRULE:FREQ=WEEKLY;COUNT=3\r\n"
			    "RDATE:20240102T110000Z,20240601T110000Z\r\n") TAIL);
	assert_int_equal(a.told.n, 4);
	assert_int_equal(b.told.n, 5);
	assert_true(pf_span_eq(said(&a, 0, "UID"), said(&b, 0, "UID")));
	assert_true(pf_span_eq(said(&a, 1, "UID"), said(&b, 2, "UID")));
	assert_true(pf_span_eq(said(&a, 3, "UID"), said(&b, 4, "UID")));
	done(&a);
	done(&b);
}

static void whole_days_and_series_without_end(void **state)
{
	struct made m;

	(void)state;
	make(&m, HEAD EVENT("DTSTART;VALUE=DATE:20240131\r\nDTEND;VALUE=DATE:20240202\r\n"
			    "RRULE:FREQ=MONTHLY;BYMONTHDAY=31\r\n") TAIL);
	assert_int_equal(m.rc, PF_OK);
	assert_true(m.told.more && m.told.endless);
	assert_int_equal(m.told.n, 7);
	says(&m, 1, "DTSTART", "20240331");
	says(&m, 1, "DTEND", "20240402");
	done(&m);
	make(&m, HEAD EVENT("DTSTART:20240101T090000Z\r\nRRULE:FREQ=YEARLY;COUNT=3\r\n"
			    "RDATE:20240601T090000Z\r\n") TAIL);
	assert_true(m.told.more && !m.told.endless);
	assert_int_equal(m.told.n, 2);
	done(&m);
}

static void what_can_not_be_followed_is_refused(void **state)
{
	static const char *const CASES[] = {
		"RRULE:FREQ=DAILY;COUNT=9\r\nEXRULE:FREQ=WEEKLY\r\n",
		"RDATE;VALUE=PERIOD:20240105T090000Z/PT3H\r\n",
		"RRULE:FREQ=SOMETIMES\r\nRDATE:20240105T090000Z\r\n",
		"RRULE:FREQ=HOURLY;COUNT=3\r\n",
		"RRULE:FREQ=DAILY;BYHOUR=1,2,3,4,5,6,7,8,9,10,11,12,13,14,15\r\n", /* too many */
		"RRULE:FREQ=DAILY;COUNT=2\r\nEXDATE:20240101T090000Z,20240102T090000Z\r\n",
	};
	char text[1000];
	struct made m;

	(void)state;
	for (size_t i = 0; i < PF_COUNT(CASES); i++) {
		(void)snprintf(text, sizeof(text),
			HEAD EVENT("DTSTART:20240101T090000Z\r\n%s") TAIL, CASES[i]);
		make(&m, text);
		assert_int_equal(m.rc, PF_FAIL);
		assert_int_equal(m.err.scope, PF_SCOPE_ITEM);
		done(&m);
	}
	make(&m, HEAD EVENT("DTSTART:20240101T090000Z\r\nRRULE:FREQ=DAILY;COUNT=9\r\n")
			 EVENT("RECURRENCE-ID;RANGE=THISANDFUTURE:20240102T090000Z\r\n"
			       "DTSTART:20240102T100000Z\r\n") TAIL);
	assert_int_equal(m.rc, PF_FAIL);
	done(&m);
	make(&m, HEAD EVENT("DTSTART:20240101T090000Z\r\nRRULE:FREQ=DAILY;COUNT=9\r\n")
			 EVENT("RECURRENCE-ID:20240102T113000Z\r\n"
			       "DTSTART:20240102T100000Z\r\n") TAIL);
	assert_int_equal(m.rc, PF_FAIL); /* of no instance */
	done(&m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(dates_and_rules_become_events),
		cmocka_unit_test(overrides_are_what_they_say),
		cmocka_unit_test(uids_stay_with_their_days),
		cmocka_unit_test(whole_days_and_series_without_end),
		cmocka_unit_test(what_can_not_be_followed_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
