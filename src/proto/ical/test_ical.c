/* Calendars as they are found: their structure, their times, what recurs and when. */
#include "base/civil.h"
#include "proto/ical/ical.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

static struct pf_ical *calendar(const char *inside)
{
	struct pf_ical *c = NULL;
	struct pf_buf b;
	struct pf_err err;

	pf_buf_init(&b, 1 << 20);
	assert_int_equal(
		pf_buf_addf(&b, &err, "BEGIN:VCALENDAR\r\n%sEND:VCALENDAR\r\n", inside), PF_OK);
	assert_int_equal(pf_ical_read(pf_buf_span(&b), &c, &err), PF_OK);
	pf_buf_deinit(&b);
	return c;
}

static int first(const struct pf_ical *c, const char *name)
{
	for (size_t i = 0; i < c->comp_count; i++) {
		if (pf_ical_comp_is(c, (int)i, name)) {
			return (int)i;
		}
	}
	fail_msg("no %s", name);
	return PF_ICAL_NONE;
}

static void lines_belong_to_their_component(void **state)
{
	struct pf_ical *c =
		calendar("BEGIN:VEVENT\r\nA:1\r\nBEGIN:VALARM\r\nA:2\r\nEND:VALARM\r\nB:3\r\n"
			 "BEGIN:VALARM\r\nEND:VALARM\r\nC:4\r\nEND:VEVENT\r\n");
	int e = first(c, "VEVENT");
	char seen[8] = "";
	size_t n = 0;

	(void)state;
	for (size_t i = pf_ical_next_line(c, e, c->comp[e].begin); i != SIZE_MAX;
		i = pf_ical_next_line(c, e, i)) {
		seen[n++] = (char)c->line[i].value.p[0];
	}
	assert_string_equal(seen, "134");
	assert_false(c->untidy);
	pf_ical_free(&c);
}

static void what_is_broken_is_read_as_far_as_it_goes(void **state)
{
	static const char *const CASES[] = {
		"BEGIN:VEVENT\r\nUID:1\r\n",                                    /* no END */
		"BEGIN:VEVENT\r\nBEGIN:VALARM\r\nEND:VEVENT\r\nEND:VALARM\r\n", /* crossed */
		"END:VEVENT\r\nBEGIN:VEVENT\r\nUID:1\r\nEND:VEVENT\r\n",
	};
	struct pf_ical *c = NULL;
	struct pf_err err;

	(void)state;
	for (size_t i = 0; i < PF_COUNT(CASES); i++) {
		c = calendar(CASES[i]);
		assert_true(c->untidy);
		(void)first(c, "VEVENT");
		pf_ical_free(&c);
	}
	assert_int_equal(pf_ical_read(pf_span_str("BEGIN:VCARD\nEND:VCARD\n"), &c, &err), PF_FAIL);
	pf_ical_free(&c);
}

/* 32 with VCALENDAR are read, one more is an error and nothing else. */
static void components_in_components_have_a_limit(void **state)
{
	struct pf_ical *c = NULL;
	struct pf_buf b;
	struct pf_err err;

	(void)state;
	pf_buf_init(&b, 1 << 20);
	for (size_t depth = 1; depth <= 1000; depth++) {
		bool ok;

		assert_int_equal(pf_buf_add_str(&b,
					 depth == 1 ? "BEGIN:VCALENDAR\r\n" : "BEGIN:X\r\n", &err),
			PF_OK);
		ok = pf_ical_read(pf_buf_span(&b), &c, &err) == PF_OK;
		assert_int_equal(ok, depth <= 32);
		assert_true(ok || strstr(err.text, "nested more than 32 deep"));
		pf_ical_free(&c);
	}
	pf_buf_deinit(&b);
}

static void times_of_all_forms(void **state)
{
	static const struct {
		const char *line;
		enum pf_ical_form form;
		const char *utc;
	} CASES[] = {
		{"DTSTART:20240102T030405Z", PF_ICAL_UTC, "2024-01-02T03:04:05Z"},
		{"DTSTART:20240102T030405", PF_ICAL_FLOATING, "2024-01-02T03:04:05Z"},
		{"DTSTART;VALUE=DATE:20240102", PF_ICAL_DATE, "2024-01-02T00:00:00Z"},
		{"DTSTART;TZID=Europe/Berlin:20240702T120000", PF_ICAL_ZONED,
			"2024-07-02T10:00:00Z"},
		{"DTSTART;TZID=\"W. Europe Standard Time\":20240102T120000", PF_ICAL_ZONED,
			"2024-01-02T11:00:00Z"},
		{"DTSTART;TZID=/x.org/America/New_York:20240102T120000", PF_ICAL_ZONED,
			"2024-01-02T17:00:00Z"},
		{"DTSTART;TZID=Nowhere:20240102T120000", PF_ICAL_FLOATING, "2024-01-02T12:00:00Z"},
		{"DTSTART;TZID=Mine:20240102T120000", PF_ICAL_ZONED, "2024-01-02T09:30:00Z"},
		{"DTSTART:16010101T000000Z", PF_ICAL_UTC, "1601-01-01T00:00:00Z"},
		{"DTSTART;TZID=Europe/Berlin:40480608T120000", PF_ICAL_ZONED,
			"4048-06-08T10:00:00Z"}, /* past what libical works out by itself */
		{"DTSTART;TZID=Europe/Berlin:40481208T120000", PF_ICAL_ZONED,
			"4048-12-08T11:00:00Z"},
	};

	(void)state;
	for (size_t i = 0; i < PF_COUNT(CASES); i++) {
		char text[1000], shown[32];
		struct pf_ical *c;
		struct pf_ical_time t;

		(void)snprintf(text, sizeof(text),
			"BEGIN:VTIMEZONE\r\nTZID:Mine\r\nBEGIN:STANDARD\r\nDTSTART:"
			"19700101T000000\r\n"
			"TZOFFSETFROM:+0230\r\nTZOFFSETTO:+0230\r\nEND:STANDARD\r\nEND:"
			"VTIMEZONE\r\n"
			"BEGIN:VEVENT\r\n%s\r\nEND:VEVENT\r\n",
			CASES[i].line);
		c = calendar(text);
		assert_true(pf_ical_begin(c, first(c, "VEVENT"), &t));
		pf_date_iso(t.utc_s, shown);
		if (t.form != CASES[i].form || strcmp(shown, CASES[i].utc) != 0) {
			fail_msg("%s: %d %s", CASES[i].line, (int)t.form, shown);
		}
		pf_ical_free(&c);
	}
}

static void durations(void **state)
{
	static const struct {
		const char *text;
		int64_t s;
		bool good;
	} CASES[] = {{"PT1H30M", 5400, true}, {"-P1D", -86400, true}, {"P2W", 1209600, true},
		{"P1DT1S", 86401, true}, {"1H", 0, false}, {"PT", 0, false}, {"", 0, false}};

	(void)state;
	for (size_t i = 0; i < PF_COUNT(CASES); i++) {
		int64_t s = 0;

		if (pf_ical_duration(pf_span_str(CASES[i].text), &s) != CASES[i].good ||
			(CASES[i].good && s != CASES[i].s)) {
			fail_msg("%s", CASES[i].text);
		}
	}
}

static void series(void **state)
{
	static const struct {
		const char *lines;
		size_t n;
		bool whole;
		const char *last;
	} CASES[] = {
		{"DTSTART:20240101T080000Z\r\nRRULE:FREQ=DAILY;COUNT=3\r\n", 3, true,
			"2024-01-03T08:00:00Z"},
		{"DTSTART;TZID=Europe/Berlin:20240329T080000\r\nRRULE:FREQ=DAILY;COUNT=4\r\n", 4,
			true, "2024-04-01T06:00:00Z"},
		{"DTSTART;TZID=Europe/"
		 "Berlin:20240101T080000\r\nRRULE:FREQ=DAILY;UNTIL=20240103T070000Z\r\n",
			3, true, "2024-01-03T07:00:00Z"},
		{"DTSTART;TZID=Europe/"
		 "Berlin:20240101T080000\r\nRRULE:FREQ=DAILY;UNTIL=20240103\r\n",
			3, true, "2024-01-03T07:00:00Z"},
		{"DTSTART;VALUE=DATE:20240101\r\nRRULE:FREQ=WEEKLY\r\n", 10, false,
			"2024-03-04T00:00:00Z"},
		{"DTSTART:20240101T080000Z\r\nRDATE:20240105T080000Z,20240103T080000Z\r\n", 3, true,
			"2024-01-05T08:00:00Z"},
		{"DTSTART:20240101T080000Z\r\nRRULE:FREQ=NONSENSE\r\n", 1, true,
			"2024-01-01T08:00:00Z"},
		{"DTSTART:20240101T080000Z\r\nRRULE:FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30\r\n", 1,
			true, "2024-01-01T08:00:00Z"},
		{"DTSTART:20240101T080000Z\r\nRRULE:FREQ=SECONDLY;BYMONTH=2;BYMONTHDAY=30\r\n", 1,
			false, "2024-01-01T08:00:00Z"},
		{"DTSTART:20240101T080000Z\r\nRRULE:FREQ=MINUTELY;BYMONTH=2;UNTIL="
		 "20240131T000000Z\r\n",
			1, true, "2024-01-01T08:00:00Z"},
		{"DTSTART:20240101T080000Z\r\nRRULE:FREQ=MINUTELY;INTERVAL=1440;COUNT=3\r\n", 3,
			true, "2024-01-03T08:00:00Z"},
		{"DTSTART:20240101T080000Z\r\nRRULE:FREQ=HOURLY;BYHOUR=8;BYMONTH=3;COUNT=2\r\n", 3,
			true, "2024-03-02T08:00:00Z"},
	};

	(void)state;
	for (size_t i = 0; i < PF_COUNT(CASES); i++) {
		char text[1000], shown[32];
		struct pf_ical *c;
		struct pf_ical_set set;
		struct pf_err err;

		(void)snprintf(
			text, sizeof(text), "BEGIN:VEVENT\r\n%sEND:VEVENT\r\n", CASES[i].lines);
		c = calendar(text);
		assert_int_equal(
			pf_ical_instants(c, first(c, "VEVENT"), INT64_MAX, 10, &set, &err), PF_OK);
		pf_date_iso(set.at[set.n - 1], shown);
		if (set.n != CASES[i].n || set.whole != CASES[i].whole ||
			strcmp(shown, CASES[i].last) != 0) {
			fail_msg("%s: %zu %d %s", CASES[i].lines, set.n, set.whole, shown);
		}
		pf_ical_set_deinit(&set);
		pf_ical_free(&c);
	}
}

static void a_zone_is_known_in_far_years(void **state)
{
	static const struct pf_civil JULY = {4048, 7, 1, 12, 0, 0};
	static const struct pf_civil WINTER = {4048, 1, 1, 12, 0, 0};
	int32_t summer = 0, winter = 0;

	(void)state;
	for (int i = 0; i < 1000; i++) { /* a minute and more, if each were worked out anew */
		assert_true(pf_ical_zone_offset("Europe/Berlin", pf_civil_to_unix(&JULY), &summer));
		assert_true(
			pf_ical_zone_offset("Europe/Berlin", pf_civil_to_unix(&WINTER), &winter));
	}
	assert_int_equal(summer, 7200);
	assert_int_equal(winter, 3600);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lines_belong_to_their_component),
		cmocka_unit_test(what_is_broken_is_read_as_far_as_it_goes),
		cmocka_unit_test(components_in_components_have_a_limit),
		cmocka_unit_test(times_of_all_forms),
		cmocka_unit_test(durations),
		cmocka_unit_test(series),
		cmocka_unit_test(a_zone_is_known_in_far_years),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
