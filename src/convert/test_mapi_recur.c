/* Recurrences: the vectors of [MS-OXOCAL] 4.1.1 byte for byte, hostile ones, rules and their days.
 */
#include "convert/mapi_recur.h"

#include "base/civil.h"
#include "proto/ical/ical.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

static const char WEEKLY[] =
	"043004300B2001000000C0210000010000000000000032000000222000000C0000000000000001000000A096BC"
	"0C01000000A096BC0C8020BC0C20ADBC0C0630000009300000580200007602000001003499BC0C5299BC0CF898"
	"BC0C11002200210053696D706C6520526563757272656E6365207769746820657863657074696F6E7308000700"
	"33342F34313431000000000400000000000000000000003499BC0C5299BC0CF898BC0C2100530069006D007000"
	"6C006500200052006500630075007200720065006E006300650020007700690074006800200065007800630065"
	"007000740069006F006E0073000700330034002F0034003100340031000000000000000000";
static const char DAILY[] =
	"043004300A2000000000A0050000E010000000000000212000000A0000000000000002000000A0C1DC0C80D2DC"
	"0C00000000207EDC0C0016DD0C0630000009300000E0010000FE01000000000000000000000000";

static struct pf_span bytes_of(const char *hex, uint8_t *out)
{
	size_t n = strlen(hex) / 2;

	for (size_t i = 0; i < n; i++) {
		char two[3] = {hex[2 * i], hex[2 * i + 1], 0};

		out[i] = (uint8_t)strtoul(two, NULL, 16);
	}
	return pf_span(out, n);
}

static void assert_moment(uint32_t minutes, const char *want)
{
	char text[32];

	pf_date_iso(pf_recur_to_unix(minutes), text);
	assert_string_equal(text, want);
}

static void assert_text(struct pf_span got, const char *want)
{
	if (!pf_span_eq(got, pf_span_str(want))) {
		fail_msg("%.*s, not %s", (int)got.n, (const char *)got.p, want);
	}
}

static void assert_rule(const struct pf_recur *r, const char *until, const char *want)
{
	struct pf_buf b;
	struct pf_err err;

	pf_buf_init(&b, 1024);
	if (pf_recur_to_rule(r, until, &b, &err) != PF_OK) {
		fail_msg("%s: %s", want, err.text);
	}
	assert_text(pf_buf_span(&b), want);
	pf_buf_deinit(&b);
}

static void assert_same_bytes(const struct pf_recur *r, struct pf_span blob)
{
	struct pf_buf b;
	struct pf_err err;

	pf_buf_init(&b, 4096);
	assert_int_equal(pf_recur_write(r, &b, &err), PF_OK);
	assert_int_equal(b.n, blob.n);
	assert_memory_equal(b.p, blob.p, blob.n);
	pf_buf_deinit(&b);
}

static void weekly_with_an_exception(void **state)
{
	uint8_t raw[512];
	struct pf_span blob = bytes_of(WEEKLY, raw);
	struct pf_arena arena;
	struct pf_recur r;
	struct pf_err err;

	(void)state;
	pf_arena_init(&arena);
	assert_int_equal(blob.n, 262);
	assert_int_equal(pf_recur_read(&arena, blob, 1252, &r, &err), PF_OK);
	assert_int_equal(r.days, 0x32);
	assert_int_equal(r.count, 12);
	assert_moment(r.start, "2007-03-26T00:00:00Z");
	assert_moment(r.end, "2007-04-20T00:00:00Z");
	assert_int_equal(r.start_offset, 600);
	assert_int_equal(r.end_offset, 630);
	assert_int_equal(r.exception_n, 1);
	assert_false(r.cut);
	assert_moment(r.exception[0].original, "2007-04-16T10:00:00Z");
	assert_moment(r.exception[0].start, "2007-04-16T11:00:00Z");
	assert_moment(r.exception[0].end, "2007-04-16T11:30:00Z");
	assert_text(r.exception[0].subject, "Simple Recurrence with exceptions");
	assert_text(r.exception[0].location, "34/4141");
	assert_true(pf_recur_moved(&r, r.deleted[0]));
	assert_rule(&r, NULL, "FREQ=WEEKLY;BYDAY=MO,TH,FR;COUNT=12;WKST=SU");
	assert_same_bytes(&r, blob);
	pf_arena_deinit(&arena);
}

static void every_third_day_without_two(void **state)
{
	uint8_t raw[512];
	struct pf_span blob = bytes_of(DAILY, raw);
	struct pf_arena arena;
	struct pf_recur r;
	struct pf_err err;

	(void)state;
	pf_arena_init(&arena);
	assert_int_equal(pf_recur_read(&arena, blob, 1252, &r, &err), PF_OK);
	assert_int_equal(r.deleted_n, 2);
	assert_moment(r.deleted[0], "2011-04-19T00:00:00Z");
	assert_moment(r.deleted[1], "2011-04-22T00:00:00Z");
	assert_false(pf_recur_moved(&r, r.deleted[0]));
	assert_moment(r.start, "2011-04-07T00:00:00Z");
	assert_moment(r.end, "2011-05-04T00:00:00Z");
	assert_rule(&r, "20110504T080000Z", "FREQ=DAILY;INTERVAL=3;UNTIL=20110504T080000Z");
	assert_same_bytes(&r, blob);
	pf_arena_deinit(&arena);
}

/* Each is an end, or a number, that a writer may get wrong: an error or a reading, never more. */
static void cut_and_twisted(void **state)
{
	static const char *const BLOBS[] = {WEEKLY, DAILY};
	uint8_t raw[512];
	struct pf_arena arena;
	struct pf_recur r;
	struct pf_err err;

	(void)state;
	for (size_t k = 0; k < PF_COUNT(BLOBS); k++) {
		struct pf_span blob = bytes_of(BLOBS[k], raw);

		for (size_t n = 0; n < blob.n; n++) {
			uint8_t *exact = malloc(n + 1); /* so that a byte too far is seen */
			int rc;

			pf_arena_init(&arena);
			memcpy(exact, raw, n);
			rc = pf_recur_read(&arena, pf_span(exact, n), 1252, &r, &err);
			assert_true(rc == PF_OK || err.scope == PF_SCOPE_ITEM);
			pf_arena_deinit(&arena);
			free(exact);
		}
		for (size_t i = 0; i < blob.n; i++) {
			uint8_t was = raw[i];

			raw[i] = 0xFF;
			pf_arena_init(&arena);
			if (pf_recur_read(&arena, blob, 1252, &r, &err) == PF_OK) {
				(void)pf_recur_next(&r, pf_recur_first(&r));
			}
			pf_arena_deinit(&arena);
			raw[i] = was;
		}
	}
}

static void texts_of_the_code_page_serve_where_others_are_cut(void **state)
{
	uint8_t raw[512];
	struct pf_span blob = bytes_of(WEEKLY, raw);
	struct pf_arena arena;
	struct pf_recur r;
	struct pf_err err;

	(void)state;
	pf_arena_init(&arena);
	blob.n = 180;    /* within the subject in UTF-16 */
	raw[104] = 0x8A; /* of the one in the code page */
	assert_int_equal(pf_recur_read(&arena, blob, 1252, &r, &err), PF_OK);
	assert_true(r.cut);
	assert_int_equal(r.exception[0].subject.n, 34); /* one letter of two bytes */
	assert_text(r.exception[0].location, "34/4141");
	pf_arena_deinit(&arena);
}

/* ---- rules ---- */

#define YEARS(n) (12 * (n))

static const struct {
	const char *name;
	uint16_t pattern;
	uint32_t period, days, nth;
	const char *start; /* of the first one */
	const char *rule;
	const char *days_are[5];
} RULES[] = {
	{"every other day", PF_RECUR_DAY, 2880, 0, 0, "20240227", "FREQ=DAILY;INTERVAL=2",
		{"20240227", "20240229", "20240302"}},
	{"every weekday", PF_RECUR_WEEK, 1, 0x3E, 0, "20240104",
		"FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR;WKST=SU", {"20240104", "20240105", "20240108"}},
	{"every other week", PF_RECUR_WEEK, 2, 0x05, 0, "20240102",
		"FREQ=WEEKLY;INTERVAL=2;BYDAY=SU,TU;WKST=SU", {"20240102", "20240114", "20240116"}},
	{"a day of the month", PF_RECUR_MONTH, 1, 15, 0, "20240115", "FREQ=MONTHLY;BYMONTHDAY=15",
		{"20240115", "20240215", "20240315"}},
	{"the 30th, or the last", PF_RECUR_MONTH, 1, 30, 0, "20240130",
		"FREQ=MONTHLY;BYMONTHDAY=28,29,30;BYSETPOS=-1",
		{"20240130", "20240229", "20240330"}},
	{"the 29th, or the last", PF_RECUR_MONTH, 1, 29, 0, "20250129",
		"FREQ=MONTHLY;BYMONTHDAY=28,29;BYSETPOS=-1", {"20250129", "20250228", "20250329"}},
	{"the 31st, or the last", PF_RECUR_MONTH, 1, 31, 0, "20240131",
		"FREQ=MONTHLY;BYMONTHDAY=-1", {"20240131", "20240229", "20240331"}},
	{"the last of every other month", PF_RECUR_MONTH_END, 2, 31, 0, "20240131",
		"FREQ=MONTHLY;INTERVAL=2;BYMONTHDAY=-1", {"20240131", "20240331", "20240531"}},
	{"a birthday", PF_RECUR_MONTH, YEARS(1), 29, 0, "20240729",
		"FREQ=YEARLY;BYMONTH=7;BYMONTHDAY=29", {"20240729", "20250729"}},
	{"a birthday in leap years", PF_RECUR_MONTH, YEARS(1), 29, 0, "20240229",
		"FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=28,29;BYSETPOS=-1",
		{"20240229", "20250228", "20260228"}},
	{"the 31st of a month of 30", PF_RECUR_MONTH, YEARS(1), 31, 0, "20240430",
		"FREQ=YEARLY;BYMONTH=4;BYMONTHDAY=-1", {"20240430", "20250430"}},
	{"the second Tuesday", PF_RECUR_MONTH_NTH, 1, 0x04, 2, "20240109", "FREQ=MONTHLY;BYDAY=2TU",
		{"20240109", "20240213", "20240312"}},
	{"the last weekday", PF_RECUR_MONTH_NTH, 1, 0x3E, 5, "20240131",
		"FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1",
		{"20240131", "20240229", "20240329"}},
	{"the first day", PF_RECUR_MONTH_NTH, 3, 0x7F, 1, "20240101",
		"FREQ=MONTHLY;INTERVAL=3;BYDAY=SU,MO,TU,WE,TH,FR,SA;BYSETPOS=1",
		{"20240101", "20240401"}},
	{"Thanksgiving every other year", PF_RECUR_MONTH_NTH, YEARS(2), 0x10, 4, "20241128",
		"FREQ=YEARLY;INTERVAL=2;BYMONTH=11;BYDAY=4TH", {"20241128", "20261126"}},
	{"the start is no day of it", PF_RECUR_WEEK, 1, 0x20, 0, "20240101",
		"FREQ=WEEKLY;BYDAY=FR;WKST=SU", {"20240105", "20240112"}},
};

static int digits(const char *s, size_t n)
{
	int v = 0;

	for (size_t i = 0; i < n; i++) {
		assert_true(s[i] >= '0' && s[i] <= '9');
		v = v * 10 + (s[i] - '0');
	}
	return v;
}

static uint32_t minutes_of(const char *date)
{
	const struct pf_civil c = {
		.year = digits(date, 4), .month = digits(date + 4, 2), .day = digits(date + 6, 2)};

	return pf_recur_from_unix(pf_civil_to_unix(&c));
}

/* Our days, and those that libical finds in the rule. */
static void assert_days(const struct pf_recur *r, const char *rule)
{
	struct pf_ical_set set;
	struct pf_ical *c = NULL;
	uint32_t day = pf_recur_first(r);
	struct pf_civil first;
	char text[600];
	struct pf_err err;

	pf_civil_from_unix(pf_recur_to_unix(day), &first);
	(void)snprintf(text, sizeof(text),
		"BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nDTSTART;VALUE=DATE:%04d%02d%02d\r\nRRULE:%s\r\n"
		"END:VEVENT\r\nEND:VCALENDAR\r\n",
		first.year, first.month, first.day, rule);
	assert_int_equal(pf_ical_read(pf_span_str(text), &c, &err), PF_OK);
	assert_int_equal(pf_ical_instants(c, 1, INT64_MAX, 60, &set, &err), PF_OK);
	assert_int_equal(set.n, 60);
	for (size_t i = 0; i < set.n; i++) {
		if (set.at[i] != pf_recur_to_unix(day)) {
			fail_msg("%s: occurrence %zu is another", rule, i);
		}
		day = pf_recur_next(r, day);
	}
	pf_ical_set_deinit(&set);
	pf_ical_free(&c);
}

static void assert_begins(const struct pf_recur *r, const char *name, const char *const *days)
{
	uint32_t day = pf_recur_first(r);

	for (size_t k = 0; days[k]; k++) {
		if (day != minutes_of(days[k])) {
			fail_msg("%s: day %zu is another", name, k);
		}
		day = pf_recur_next(r, day);
	}
}

static void rules_have_the_days_of_the_blob(void **state)
{
	(void)state;
	for (size_t i = 0; i < PF_COUNT(RULES); i++) {
		struct pf_recur r = {.pattern = RULES[i].pattern,
			.period = RULES[i].period,
			.days = RULES[i].days,
			.nth = RULES[i].nth,
			.end_type = PF_RECUR_NEVER,
			.start = minutes_of(RULES[i].start),
			.end = PF_RECUR_NO_END};

		assert_rule(&r, NULL, RULES[i].rule);
		assert_begins(&r, RULES[i].name, RULES[i].days_are);
		assert_days(&r, RULES[i].rule);
	}
}

static void what_has_no_words_is_told(void **state)
{
	static const struct {
		const char *name;
		struct pf_recur r;
	} CASES[] = {
		{"no period", {.pattern = PF_RECUR_DAY, .end_type = PF_RECUR_NEVER}},
		{"half a day",
			{.pattern = PF_RECUR_DAY, .period = 720, .end_type = PF_RECUR_NEVER}},
		{"no weekday", {.pattern = PF_RECUR_WEEK, .period = 1, .end_type = PF_RECUR_NEVER}},
		{"day 0", {.pattern = PF_RECUR_MONTH, .period = 1, .end_type = PF_RECUR_NEVER}},
		{"the sixth", {.pattern = PF_RECUR_MONTH_NTH,
				      .period = 1,
				      .days = 1,
				      .nth = 6,
				      .end_type = PF_RECUR_NEVER}},
		{"Hijri", {.pattern = PF_RECUR_HIJRI_MONTH,
				  .period = 1,
				  .days = 1,
				  .end_type = PF_RECUR_NEVER}},
		{"a month of the Hebrew calendar", {.pattern = PF_RECUR_MONTH,
							   .calendar = 8,
							   .period = 1,
							   .days = 1,
							   .end_type = PF_RECUR_NEVER}},
		{"an end of no kind",
			{.pattern = PF_RECUR_DAY, .period = 1440, .end_type = 0x2024}},
		{"after none",
			{.pattern = PF_RECUR_DAY, .period = 1440, .end_type = PF_RECUR_COUNT}},
	};
	struct pf_buf b;
	struct pf_err err;

	(void)state;
	pf_buf_init(&b, 1024);
	for (size_t i = 0; i < PF_COUNT(CASES); i++) {
		if (pf_recur_to_rule(&CASES[i].r, NULL, &b, &err) != PF_FAIL) {
			fail_msg("%s: was said", CASES[i].name);
		}
		assert_int_equal(pf_recur_next(&CASES[i].r, 1440), 0);
	}
	pf_buf_deinit(&b);
}

static void the_phase_finds_the_first(void **state)
{
	/* every third month the 15th, in March, June, ...; begun at a 20th of January */
	struct pf_recur r = {.pattern = PF_RECUR_MONTH,
		.period = 3,
		.days = 15,
		.first = minutes_of("16010301"),
		.end_type = PF_RECUR_UNTIL,
		.start = minutes_of("20240120"),
		.end = minutes_of("20240701")};

	(void)state;
	assert_int_equal(pf_recur_first(&r), minutes_of("20240315"));
	assert_int_equal(pf_recur_next(&r, minutes_of("20240315")), minutes_of("20240615"));
	assert_int_equal(pf_recur_next(&r, minutes_of("20240615")), 0);
}

/* ---- and back ---- */

static void rules_come_back(void **state)
{
	(void)state;
	for (size_t i = 0; i < PF_COUNT(RULES); i++) {
		struct pf_recur_begin begin = {.start = minutes_of(RULES[i].start) + 600};
		struct pf_recur r;
		struct pf_err err;
		int rc;

		begin.end = begin.start + 1500;
		rc = pf_recur_from_rule(pf_span_str(RULES[i].rule), &begin, &r, &err);
		if (i == PF_COUNT(RULES) - 1) { /* the start is no day of it */
			assert_int_equal(rc, PF_FAIL);
			continue;
		}
		if (rc != PF_OK) {
			fail_msg("%s: %s", RULES[i].name, err.text);
		}
		assert_int_equal(r.start_offset, 600);
		assert_int_equal(r.end_offset, 2100);
		assert_int_equal(r.end_type, PF_RECUR_NEVER);
		assert_rule(&r, NULL, RULES[i].rule);
		assert_days(&r, RULES[i].rule);
	}
}

/* The rules and times of the vectors become their bytes, but for exceptions and deleted ones. */
static void the_vectors_are_made(void **state)
{
	static const struct {
		const char *hex, *rule, *start, *until;
		uint32_t minute;
	} CASES[] = {
		{WEEKLY, "FREQ=WEEKLY;BYDAY=MO,TH,FR;COUNT=12;WKST=SU", "20070326", NULL, 600},
		{DAILY, "FREQ=DAILY;INTERVAL=3;UNTIL=20110504T080000Z;WKST=SU", "20110407",
			"20110504", 480},
	};
	struct pf_arena arena;
	struct pf_err err;

	(void)state;
	pf_arena_init(&arena);
	for (size_t i = 0; i < PF_COUNT(CASES); i++) {
		struct pf_recur_begin begin = {
			.start = minutes_of(CASES[i].start) + CASES[i].minute};
		struct pf_recur want, got;
		struct pf_buf a, b;
		uint8_t raw[512];

		pf_buf_init(&a, 1024);
		pf_buf_init(&b, 1024);
		begin.end = begin.start + 30;
		begin.until = CASES[i].until ? minutes_of(CASES[i].until) + CASES[i].minute : 0;
		assert_int_equal(
			pf_recur_read(&arena, bytes_of(CASES[i].hex, raw), 1252, &want, &err),
			PF_OK);
		want.deleted_n = want.modified_n = want.exception_n = 0;
		assert_int_equal(
			pf_recur_from_rule(pf_span_str(CASES[i].rule), &begin, &got, &err), PF_OK);
		assert_int_equal(pf_recur_write(&want, &a, &err), PF_OK);
		assert_int_equal(pf_recur_write(&got, &b, &err), PF_OK);
		assert_int_equal(a.n, b.n);
		assert_memory_equal(a.p, b.p, a.n);
		pf_buf_deinit(&a);
		pf_buf_deinit(&b);
	}
	pf_arena_deinit(&arena);
}

static void what_exchange_has_no_words_for(void **state)
{
	static const char *const CASES[] = {
		"FREQ=HOURLY",
		"FREQ=SECONDLY;INTERVAL=2",
		"COUNT=3",
		"FREQ=DAILY;INTERVAL=2;BYDAY=MO",
		"FREQ=DAILY;BYMONTH=1",
		"FREQ=WEEKLY;BYDAY=MO;BYSETPOS=1",
		"FREQ=MONTHLY;BYDAY=MO",
		"FREQ=MONTHLY;BYDAY=1MO,2MO",
		"FREQ=MONTHLY;BYDAY=1MO,1TU",
		"FREQ=MONTHLY;BYMONTHDAY=1,15",
		"FREQ=MONTHLY;BYMONTHDAY=31",
		"FREQ=MONTHLY;BYMONTHDAY=-2",
		"FREQ=MONTHLY;BYMONTHDAY=28,30;BYSETPOS=-1",
		"FREQ=MONTHLY;BYMONTH=1,2",
		"FREQ=YEARLY;BYDAY=20MO",
		"FREQ=YEARLY;BYWEEKNO=1",
		"FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=1",
		"FREQ=DAILY;COUNT=0",
		"FREQ=DAILY;INTERVAL=0",
		"FREQ=DAILY;X",
		"",
	};
	const struct pf_recur_begin begin = {
		minutes_of("20240101"), minutes_of("20240101") + 60, 0};
	struct pf_recur r;
	struct pf_err err;

	(void)state;
	for (size_t i = 0; i < PF_COUNT(CASES); i++) {
		if (pf_recur_from_rule(pf_span_str(CASES[i]), &begin, &r, &err) != PF_FAIL) {
			fail_msg("%s was taken", CASES[i]);
		}
		assert_int_equal(err.scope, PF_SCOPE_ITEM);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(weekly_with_an_exception),
		cmocka_unit_test(every_third_day_without_two),
		cmocka_unit_test(cut_and_twisted),
		cmocka_unit_test(texts_of_the_code_page_serve_where_others_are_cut),
		cmocka_unit_test(rules_have_the_days_of_the_blob),
		cmocka_unit_test(what_has_no_words_is_told),
		cmocka_unit_test(the_phase_finds_the_first),
		cmocka_unit_test(rules_come_back),
		cmocka_unit_test(the_vectors_are_made),
		cmocka_unit_test(what_exchange_has_no_words_for),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
