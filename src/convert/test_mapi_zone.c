/* Time zones of Exchange: blobs both ways, moments, and VTIMEZONEs as libical reads them. */
#include "convert/mapi_zone.h"

#include "base/civil.h"
#include "proto/ical/ical.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

static const struct pf_zone_change OCTOBER = {0, 10, 0, 5, 3, 0, 0, 0};
static const struct pf_zone_change MARCH = {0, 3, 0, 5, 2, 0, 0, 0};

static struct pf_zone berlin(void)
{
	struct pf_zone z = {.name = pf_span_str("W. Europe Standard Time"), .n = 1};

	z.rule[0] = (struct pf_zone_rule){.flags = PF_ZONE_EFFECTIVE | PF_ZONE_RECURRING,
		.year = 1601,
		.bias = -60,
		.daylight_bias = -60,
		.standard = OCTOBER,
		.daylight = MARCH};
	return z;
}

/* Of the southern half, and 2007 in the north of America: two rules, the first till 2006. */
static struct pf_zone sydney(void)
{
	struct pf_zone z = {.name = pf_span_str("AUS Eastern Standard Time"), .n = 1};

	z.rule[0] = (struct pf_zone_rule){.bias = -600,
		.daylight_bias = -60,
		.standard = {0, 4, 0, 1, 3, 0, 0, 0},
		.daylight = {0, 10, 0, 1, 2, 0, 0, 0}};
	return z;
}

static struct pf_zone new_york(void)
{
	struct pf_zone z = {.name = pf_span_str("Eastern Standard Time"), .n = 2};

	z.rule[0] = (struct pf_zone_rule){.year = 1601,
		.bias = 300,
		.daylight_bias = -60,
		.standard = {0, 10, 0, 5, 2, 0, 0, 0},
		.daylight = {0, 4, 0, 1, 2, 0, 0, 0}};
	z.rule[1] = (struct pf_zone_rule){.flags = PF_ZONE_EFFECTIVE,
		.year = 2007,
		.bias = 300,
		.daylight_bias = -60,
		.standard = {0, 11, 0, 1, 2, 0, 0, 0},
		.daylight = {0, 3, 0, 2, 2, 0, 0, 0}};
	return z;
}

static struct pf_zone kolkata(void)
{
	struct pf_zone z = {.name = pf_span_str("India Standard Time"), .n = 1};

	z.rule[0] = (struct pf_zone_rule){.bias = -330, .daylight_bias = -60};
	return z;
}

/* The offsets of a VTIMEZONE that was made, as libical has them, are ours through the years. */
static void assert_same_offsets(const struct pf_zone *z, int64_t from, int64_t to)
{
	static const char HEAD[] = "BEGIN:VCALENDAR\r\n";
	static const char EVENT[] =
		"BEGIN:VEVENT\r\nDTSTART;TZID=X:20200101T000000\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n";
	struct pf_ical *c = NULL;
	struct pf_ical_time t = {0};
	struct pf_buf b;
	struct pf_err err;

	pf_buf_init(&b, 65536);
	assert_int_equal(pf_buf_add_str(&b, HEAD, &err), PF_OK);
	assert_int_equal(pf_zone_to_ical(z, pf_span_str("X"), 2026, &b, &err), PF_OK);
	assert_int_equal(pf_buf_add_str(&b, EVENT, &err), PF_OK);
	assert_int_equal(pf_ical_read(pf_buf_span(&b), &c, &err), PF_OK);
	for (size_t i = 0; i < c->comp_count; i++) {
		if (pf_ical_comp_is(c, (int)i, "VEVENT")) {
			assert_true(pf_ical_begin(c, (int)i, &t));
		}
	}
	assert_int_equal(t.form, PF_ICAL_ZONED);
	for (int64_t at = from; at < to; at += 86400 * 3 + 1800) {
		if (pf_ical_offset_at(&t, at) != pf_zone_offset(z, at)) {
			char text[32];

			pf_date_iso(at, text);
			fail_msg("at %s: %d, not %d: %.*s", text, pf_ical_offset_at(&t, at),
				pf_zone_offset(z, at), (int)b.n, (const char *)b.p);
		}
	}
	pf_ical_free(&c);
	pf_buf_deinit(&b);
}

static void vtimezones_have_the_offsets_of_the_blob(void **state)
{
	const struct pf_zone zones[] = {berlin(), sydney(), new_york(), kolkata()};
	static const int64_t FROM = 473385600, TO = 1893456000; /* 1985 to 2030 */

	(void)state;
	for (size_t i = 0; i < PF_COUNT(zones); i++) {
		assert_same_offsets(&zones[i], FROM, TO);
	}
}

static void the_text_of_one(void **state)
{
	struct pf_zone z = berlin();
	struct pf_buf b;
	struct pf_err err;

	(void)state;
	pf_buf_init(&b, 4096);
	assert_int_equal(pf_zone_to_ical(&z, pf_span_str("Europe/Berlin"), 2026, &b, &err), PF_OK);
	assert_true(pf_span_eq(pf_buf_span(&b),
		pf_span_str("BEGIN:VTIMEZONE\r\nTZID:Europe/Berlin\r\nBEGIN:STANDARD\r\n"
			    "DTSTART:19701025T030000\r\nTZOFFSETFROM:+0200\r\nTZOFFSETTO:+0100\r\n"
			    "RRULE:FREQ=YEARLY;BYMONTH=10;BYDAY=-1SU\r\nEND:STANDARD\r\n"
			    "BEGIN:DAYLIGHT\r\nDTSTART:19700329T020000\r\nTZOFFSETFROM:+0100\r\n"
			    "TZOFFSETTO:+0200\r\nRRULE:FREQ=YEARLY;BYMONTH=3;BYDAY=-1SU\r\n"
			    "END:DAYLIGHT\r\nEND:VTIMEZONE\r\n")));
	pf_buf_deinit(&b);
}

static void blobs_come_back(void **state)
{
	const struct pf_zone zones[] = {berlin(), sydney(), new_york(), kolkata()};
	struct pf_arena arena;
	struct pf_err err;

	(void)state;
	pf_arena_init(&arena);
	for (size_t i = 0; i < PF_COUNT(zones); i++) {
		struct pf_zone got;
		struct pf_buf b;

		pf_buf_init(&b, 4096);
		assert_int_equal(pf_zone_write_definition(&zones[i], &b, &err), PF_OK);
		assert_int_equal(b.n, 10 + 2 * zones[i].name.n + 66 * zones[i].n);
		for (size_t n = 0; n < b.n; n++) { /* no shorter one is a zone */
			uint8_t *exact = malloc(n + 1);

			memcpy(exact, b.p, n);
			assert_int_equal(
				pf_zone_read_definition(&arena, pf_span(exact, n), &got, &err),
				PF_FAIL);
			free(exact);
		}
		assert_int_equal(
			pf_zone_read_definition(&arena, pf_buf_span(&b), &got, &err), PF_OK);
		assert_true(pf_span_eq(got.name, zones[i].name));
		assert_int_equal(got.n, zones[i].n);
		assert_memory_equal(got.rule, zones[i].rule, sizeof(got.rule[0]) * got.n);

		pf_buf_clear(&b);
		assert_int_equal(pf_zone_write_struct(&zones[i], &b, &err), PF_OK);
		assert_int_equal(b.n, 48);
		assert_int_equal(pf_zone_read_struct(pf_buf_span(&b), &got, &err), PF_OK);
		assert_true(pf_zone_rule_eq(&got.rule[0], pf_zone_effective(&zones[i])));
		assert_int_equal(pf_zone_read_struct(pf_span(b.p, 47), &got, &err), PF_FAIL);
		b.p[16] = 13; /* a month */
		assert_int_equal(pf_zone_read_struct(pf_buf_span(&b), &got, &err), PF_FAIL);
		pf_buf_deinit(&b);
	}
	pf_arena_deinit(&arena);
}

static int64_t at(int year, int month, int day, int hour, int minute)
{
	const struct pf_civil c = {year, month, day, hour, minute, 0};

	return pf_civil_to_unix(&c);
}

static void walls(void **state)
{
	struct pf_zone z = berlin(), us = new_york(), au = sydney();

	(void)state;
	assert_int_equal(pf_zone_to_utc(&z, at(2024, 7, 1, 12, 0)), at(2024, 7, 1, 10, 0));
	assert_int_equal(pf_zone_to_utc(&z, at(2024, 1, 1, 0, 30)), at(2023, 12, 31, 23, 30));
	/* twice there: the first; not there: as if the hour had not been left out */
	assert_int_equal(pf_zone_to_utc(&z, at(2024, 10, 27, 2, 30)), at(2024, 10, 27, 0, 30));
	assert_int_equal(pf_zone_to_utc(&z, at(2024, 3, 31, 2, 30)), at(2024, 3, 31, 1, 30));
	assert_int_equal(pf_zone_to_local(&z, at(2024, 3, 31, 1, 30)), at(2024, 3, 31, 3, 30));
	/* before and after the change of the law */
	assert_int_equal(pf_zone_to_utc(&us, at(2006, 3, 20, 12, 0)), at(2006, 3, 20, 17, 0));
	assert_int_equal(pf_zone_to_utc(&us, at(2007, 3, 20, 12, 0)), at(2007, 3, 20, 16, 0));
	assert_int_equal(pf_zone_to_utc(&au, at(2024, 1, 1, 12, 0)), at(2024, 1, 1, 1, 0));
	assert_int_equal(pf_zone_to_utc(&au, at(2024, 7, 1, 12, 0)), at(2024, 7, 1, 2, 0));
}

static void names(void **state)
{
	struct pf_zone old = new_york(), odd = berlin(), bare = kolkata();
	struct pf_zone evil = berlin();
	const struct {
		const struct pf_zone *z;
		int year;
		const char *want;
	} CASES[] = {
		{&odd, 2024, "Europe/Berlin"},
		{&old, 2024, "America/New_York"},
		{&bare, 2024, "UTC+0530"},
		{&evil, 2024, "MyZone X"},
	};
	struct pf_arena arena;
	struct pf_span id;
	struct pf_err err;

	(void)state;
	bare.name = pf_span(NULL, 0);
	evil.name = pf_span_str("My\"Zo,ne\r\n X;");
	pf_arena_init(&arena);
	for (size_t i = 0; i < PF_COUNT(CASES); i++) {
		assert_int_equal(
			pf_zone_id(&arena, CASES[i].z, at(CASES[i].year, 1, 1, 0, 0), &id, &err),
			PF_OK);
		assert_string_equal(id.p, CASES[i].want);
	}
	/* the rule of 2006, kept for a series of 2024: no longer that of the IANA */
	pf_zone_only(&old, &old.rule[0]);
	assert_int_equal(pf_zone_id(&arena, &old, at(2024, 1, 1, 0, 0), &id, &err), PF_OK);
	assert_string_equal(id.p, "Eastern Standard Time");
	assert_int_equal(pf_zone_id(&arena, &old, at(2000, 1, 1, 0, 0), &id, &err), PF_OK);
	assert_string_equal(id.p, "America/New_York");
	pf_arena_deinit(&arena);
}

static void names_of_windows_and_of_the_iana(void **state)
{
	char name[64];

	(void)state;
	assert_true(pf_ical_windows_of_zone("Europe/Berlin", name, sizeof(name)));
	assert_string_equal(name, "W. Europe Standard Time");
	assert_true(pf_ical_windows_of_zone("Europe/Stockholm", name, sizeof(name)));
	assert_string_equal(name, "W. Europe Standard Time");
	assert_true(pf_ical_zone_of_windows("Altai Standard Time", name, sizeof(name)));
	assert_string_equal(name, "Asia/Barnaul");
	assert_false(pf_ical_zone_of_windows("Middle-earth Standard Time", name, sizeof(name)));
	assert_false(pf_ical_zone_of_windows("Altai Standard Time", name, 5));
	assert_false(pf_ical_zone_of_windows("", name, sizeof(name)));
}

static void days(void **state)
{
	static const struct {
		int of_day_s, known, unknown; /* days to go on */
	} CASES[] = {
		{0, 0, 0},
		{36000, 0, 0}, /* ten: Hawaii */
		{39600, 0, 1}, /* eleven: New Zealand in summer */
		{43140, 0, 0}, /* 11:59: what Exchange makes of a birthday that has no zone */
		{43200, 1, 1}, /* twelve: New Zealand in winter */
		{82800, 1, 1},
	};
	static const int64_t FIRST[] = {0, INT64_C(1641600000), INT64_C(-34560000)};
	const int64_t day = 86400;

	(void)state;
	for (size_t i = 0; i < PF_COUNT(CASES) * PF_COUNT(FIRST); i++) {
		int64_t first = FIRST[i / PF_COUNT(CASES)];
		int64_t at = first + CASES[i % PF_COUNT(CASES)].of_day_s;

		assert_int_equal(
			pf_zone_day(at, true), first + CASES[i % PF_COUNT(CASES)].known * day);
		assert_int_equal(
			pf_zone_day(at, false), first + CASES[i % PF_COUNT(CASES)].unknown * day);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(vtimezones_have_the_offsets_of_the_blob),
		cmocka_unit_test(the_text_of_one),
		cmocka_unit_test(blobs_come_back),
		cmocka_unit_test(walls),
		cmocka_unit_test(days),
		cmocka_unit_test(names),
		cmocka_unit_test(names_of_windows_and_of_the_iana),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
