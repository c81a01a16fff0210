/* INTERNALDATE, both ways: the instant is kept, whatever form it came in. */
#include "proto/imap/date.h"

#include "base/date_text.h"

#include "base/defs.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static const struct {
	const char *name, *text;
	int64_t utc_s;
	int zone;
	const char *format;
} DATES[] = {
	{"two digits", "17-Jul-1996 02:44:25 -0700", 837596665, -420, "17-Jul-1996 02:44:25 -0700"},
	{"a blank and one digit", " 7-Aug-1996 12:00:00 +0530", 839399400, 330,
		" 7-Aug-1996 12:00:00 +0530"},
	{"one digit", "7-Aug-1996 06:30:00 +0000", 839399400, 0, " 7-Aug-1996 06:30:00 +0000"},
	{"a zero and one digit", "07-Aug-1996 06:30:00 -0000", 839399400, 0,
		" 7-Aug-1996 06:30:00 +0000"},
	{"year of two digits, GMT, lower case", "07-aug-96 06:30:00 gmt", 839399400, 0,
		" 7-Aug-1996 06:30:00 +0000"},
	{"year of two digits, of this century", "01-Jan-26 00:00:00 UT", 1767225600, 0,
		" 1-Jan-2026 00:00:00 +0000"},
	{"year of three digits", "01-Jan-126 00:00:00 Z", 1767225600, 0,
		" 1-Jan-2026 00:00:00 +0000"},
	{"no zone", "07-Aug-1996 06:30:00", 839399400, 0, " 7-Aug-1996 06:30:00 +0000"},
	{"zone by name", "07-Aug-1996 01:30:00 EST", 839399400, -300, " 7-Aug-1996 01:30:00 -0500"},
	{"zone that nobody knows", "07-Aug-1996 06:30:00 XYZT", 839399400, 0,
		" 7-Aug-1996 06:30:00 +0000"},
	{"zone of two digits", "07-Aug-1996 01:30:00 -05", 839399400, -300,
		" 7-Aug-1996 01:30:00 -0500"},
	{"zone of one digit", "07-Aug-1996 01:30:00 -5", 839399400, -300,
		" 7-Aug-1996 01:30:00 -0500"},
	{"zone of three digits", "07-Aug-1996 12:00:00 +530", 839399400, 330,
		" 7-Aug-1996 12:00:00 +0530"},
	{"zone with a colon", "07-Aug-1996 12:00:00 +05:30", 839399400, 330,
		" 7-Aug-1996 12:00:00 +0530"},
	{"zone without a blank", "07-Aug-1996 12:00:00+0530", 839399400, 330,
		" 7-Aug-1996 12:00:00 +0530"},
	{"zone west by half an hour", "31-Dec-1999 20:30:00 -0330", 946684800, -210,
		"31-Dec-1999 20:30:00 -0330"},
	{"as in a header", "Wed, 7 Aug 1996 12:00:00 +0530 (IST)", 839399400, 330,
		" 7-Aug-1996 12:00:00 +0530"},
	{"a comment for a zone", "7 August 1996 06:30:00 (no zone)", 839399400, 0,
		" 7-Aug-1996 06:30:00 +0000"},
	{"no seconds", "7-Aug-1996 06:30 +0000", 839399400, 0, " 7-Aug-1996 06:30:00 +0000"},
	{"parts of a second", "7-Aug-1996 06:30:00.250 +0000", 839399400, 0,
		" 7-Aug-1996 06:30:00 +0000"},
	{"tabs", "\t7-Aug-1996\t06:30:00\t+0000 ", 839399400, 0, " 7-Aug-1996 06:30:00 +0000"},
	{"a leap second", "31-Dec-1998 23:59:60 +0000", 915148800, 0, " 1-Jan-1999 00:00:00 +0000"},
	{"a leap day", "29-Feb-2000 12:00:00 +0000", 951825600, 0, "29-Feb-2000 12:00:00 +0000"},
	{"before 1970", "30-Dec-1899 00:00:00 +0000", -2209161600, 0, "30-Dec-1899 00:00:00 +0000"},
	{"after 2038", "19-Jan-2038 03:14:08 +0000", 2147483648, 0, "19-Jan-2038 03:14:08 +0000"},
};

static void dates_keep_their_instant(void **state)
{
	(void)state;
	for (size_t i = 0; i < PF_COUNT(DATES); i++) {
		int64_t utc_s = 0;
		int zone = 0;
		char text[32];

		if (!pf_date_parse(pf_span_str(DATES[i].text), &utc_s, &zone) ||
			utc_s != DATES[i].utc_s || zone != DATES[i].zone) {
			fail_msg("%s: %lld, %d", DATES[i].name, (long long)utc_s, zone);
		}
		pf_imap_date_format(utc_s, zone, text);
		assert_string_equal(text, DATES[i].format);
	}
}

static const struct {
	const char *name, *text;
} NO_DATES[] = {
	{"Domino", "00-Jan-0000 00:00:00 +0000"},
	{"no such day", "30-Feb-2000 00:00:00 +0000"},
	{"no leap year", "29-Feb-1900 00:00:00 +0000"},
	{"no such month", "12-Foo-2000 00:00:00 +0000"},
	{"no such hour", "12-Jan-2000 24:00:00 +0000"},
	{"no such minute", "12-Jan-2000 10:60:00 +0000"},
	{"no such zone", "12-Jan-2000 10:00:00 +2500"},
	{"no such minutes of a zone", "12-Jan-2000 10:00:00 +0060"},
	{"a year of five digits", "12-Jan-20000 10:00:00 +0000"},
	{"a year of one digit", "12-Jan-2 10:00:00 +0000"},
	{"a day of three digits", "112-Jan-2000 10:00:00 +0000"},
	{"nothing", ""},
	{"blanks", "   "},
	{"a word", "NIL"},
	{"a sign that is none", "17-Jul-1996 02:44:25 *0700"},
	{"something behind it", "17-Jul-1996 02:44:25 +0700x"},
	{"no time", "17-Jul-1996"},
	{"half a time", "17-Jul-1996 02:"},
	{"half a zone", "17-Jul-1996 02:44:25 +"},
};

static void what_is_no_date_is_none(void **state)
{
	(void)state;
	for (size_t i = 0; i < PF_COUNT(NO_DATES); i++) {
		int64_t utc_s = 77;
		int zone = 77;

		if (pf_date_parse(pf_span_str(NO_DATES[i].text), &utc_s, &zone) || utc_s != 77 ||
			zone != 77) {
			fail_msg("%s: %lld", NO_DATES[i].name, (long long)utc_s);
		}
	}
}

static void any_instant_can_be_written(void **state)
{
	static const int64_t ODD[] = {INT64_MIN, -62167219201, 253402300800, INT64_MAX};
	static const int ZONES[] = {0, 1440, -1440, 1441, 100000, -100000};
	char text[32];

	(void)state;
	for (size_t i = 0; i < PF_COUNT(ODD); i++) {
		for (size_t z = 0; z < PF_COUNT(ZONES); z++) {
			int64_t back;
			int zone;

			pf_imap_date_format(ODD[i], ZONES[z], text);
			assert_int_equal(strlen(text), 26);
			assert_true(pf_date_parse(pf_span_str(text), &back, &zone));
		}
	}
}

/* Every day and every quarter of an hour of a zone, both ways. */
static void what_is_written_is_read_again(void **state)
{
	char text[32];

	(void)state;
	for (int64_t day = -30000; day < 40000; day++) {
		int zone = (int)(day % 96) * 15, zone_back;
		int64_t utc_s = day * 86400 + (day * 7919) % 86400, back;

		pf_imap_date_format(utc_s, zone, text);
		assert_true(pf_date_parse(pf_span_str(text), &back, &zone_back));
		assert_true(back == utc_s && zone_back == zone);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(dates_keep_their_instant),
		cmocka_unit_test(what_is_no_date_is_none),
		cmocka_unit_test(any_instant_can_be_written),
		cmocka_unit_test(what_is_written_is_read_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
