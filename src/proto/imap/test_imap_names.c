/* Mailbox names and dates, both ways. */
#include "proto/imap/date.h"
#include "proto/imap/mutf7.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static const struct {
	const char *raw, *name;
	bool doubtful, back; /* back: encodes to `raw` again */
} NAMES[] = {
	{"INBOX", "INBOX", false, true},
	{"Entw&APw-rfe", "Entw\xc3\xbcrfe", false, true},
	{"&U,BTFw-/&ZeVnLIqe-", "\xe5\x8f\xb0\xe5\x8c\x97/\xe6\x97\xa5\xe6\x9c\xac\xe8\xaa\x9e",
		false, true},
	{"&-", "&", false, true},
	{"Tom &- Jerry", "Tom & Jerry", false, true},
	{"&2D3eCg-", "\xf0\x9f\x98\x8a", false, true},
	{"raw \xc3\xbc", "raw \xc3\xbc", false, false},
	{"latin \xfc", "latin \xc3\xbc", true, false},
	{"&2D0-", "&2D0-", true, false}, /* a lone surrogate */
	{"&APw", "&APw", true, false},   /* no end */
	{"a&b", "a&b", true, false},
	{"&AGEAYg-", "ab", false, false}, /* superfluous, but readable */
	{"&AGF-", "&AGF-", true, false},  /* bits left over */
	{"&", "&", true, false},
	{"2023", "2023", false, true},
	{"NIL", "NIL", false, true},
};

static void names_decode_and_encode(void **state)
{
	struct pf_buf out, back;
	struct pf_err err;

	(void)state;
	pf_buf_init(&out, 1000);
	pf_buf_init(&back, 1000);
	for (size_t i = 0; i < PF_COUNT(NAMES); i++) {
		bool doubtful = false;

		pf_buf_clear(&out);
		pf_buf_clear(&back);
		assert_int_equal(
			pf_mutf7_decode(pf_span_str(NAMES[i].raw), &out, &doubtful, &err), PF_OK);
		if (!pf_span_eq(pf_buf_span(&out), pf_span_str(NAMES[i].name)) ||
			doubtful != NAMES[i].doubtful) {
			fail_msg("%s became %.*s", NAMES[i].raw, (int)out.n, (const char *)out.p);
		}
		assert_int_equal(pf_mutf7_encode(pf_buf_span(&out), &back, &err), PF_OK);
		assert_int_equal(
			pf_span_eq(pf_buf_span(&back), pf_span_str(NAMES[i].raw)), NAMES[i].back);
	}
	assert_int_equal(pf_mutf7_encode(pf_span_str("\xff"), &back, &err), PF_FAIL);
	pf_buf_deinit(&out);
	pf_buf_deinit(&back);
}

static const struct {
	const char *text;
	bool ok;
	int64_t utc_s;
	int zone;
	const char *format;
} DATES[] = {
	{" 7-Aug-1996 12:00:00 +0530", true, 839399400, 330, " 7-Aug-1996 12:00:00 +0530"},
	{"17-Jul-1996 02:44:25 -0700", true, 837596665, -420, "17-Jul-1996 02:44:25 -0700"},
	{"7-Aug-1996 06:30:00 +0000", true, 839399400, 0, " 7-Aug-1996 06:30:00 +0000"},
	{"07-aug-96 06:30:00 GMT", true, 839399400, 0, " 7-Aug-1996 06:30:00 +0000"},
	{"07-Aug-1996 06:30:00", true, 839399400, 0, " 7-Aug-1996 06:30:00 +0000"},
	{"07-Aug-1996 01:30:00 EST", true, 839399400, -300, " 7-Aug-1996 01:30:00 -0500"},
	{"30-Dec-1899 00:00:00 +0000", true, -2209161600, 0, "30-Dec-1899 00:00:00 +0000"},
	{"19-Jan-2038 03:14:08 +0000", true, 2147483648, 0, "19-Jan-2038 03:14:08 +0000"},
	{"00-Jan-0000 00:00:00 +0000", false, 0, 0, NULL},
	{"30-Feb-2000 00:00:00 +0000", false, 0, 0, NULL},
	{"12-Foo-2000 00:00:00 +0000", false, 0, 0, NULL},
	{"", false, 0, 0, NULL},
	{"17-Jul-1996 02:44:25 *0700", false, 0, 0, NULL},
};

static void dates_keep_their_instant(void **state)
{
	(void)state;
	for (size_t i = 0; i < PF_COUNT(DATES); i++) {
		int64_t utc_s = 0;
		int zone = 0;
		char text[32];

		if (pf_imap_date_parse(pf_span_str(DATES[i].text), &utc_s, &zone) != DATES[i].ok) {
			fail_msg("%s", DATES[i].text);
		}
		if (DATES[i].ok) {
			assert_int_equal(utc_s, DATES[i].utc_s);
			assert_int_equal(zone, DATES[i].zone);
			pf_imap_date_format(utc_s, zone, text);
			assert_string_equal(text, DATES[i].format);
		}
	}
}

static void any_instant_can_be_written(void **state)
{
	static const int64_t ODD[] = {INT64_MIN, -62167219201, 253402300800, INT64_MAX};
	char text[32];

	(void)state;
	for (size_t i = 0; i < PF_COUNT(ODD); i++) {
		int64_t back;
		int zone;

		pf_imap_date_format(ODD[i], i % 2 ? 1440 : -1440, text);
		assert_int_equal(strlen(text), 26);
		assert_true(pf_imap_date_parse(pf_span_str(text), &back, &zone));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_decode_and_encode),
		cmocka_unit_test(dates_keep_their_instant),
		cmocka_unit_test(any_instant_can_be_written),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
