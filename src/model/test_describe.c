/* A message is named as a person would read it, whatever its header is like. */
#include "model/describe.h"

#include "base/defs.h"
#include "base/utf8.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

static const char *subject_of(const char *value)
{
	static struct pf_description d;
	char message[4096];

	(void)snprintf(message, sizeof(message), "Received: x\r\nSubject: %s\r\n\r\nbody", value);
	pf_describe(pf_span_str(message), &d);
	return d.subject;
}

static void subjects_are_decoded(void **state)
{
	static const struct {
		const char *in, *out;
	} CASES[] = {
		{"plain", "plain"},
		{"", ""},
		{"folded\r\n\tinto\r\n  three", "folded into  three"},
		{"=?iso-8859-1?Q?Entw=FCrfe_f=fcr?= 2019", "Entw\xc3\xbcrfe f\xc3\xbcr 2019"},
		{"=?UTF-8?B?R3LDvMOfZQ==?=", "Gr\xc3\xbc\xc3\x9f"
					     "e"},
		{"=?utf-8?q?a?= =?utf-8?q?b?=", "ab"},
		{"=?utf-8?q?a?=\r\n =?iso-8859-1?q?=E4?= c", "a\xc3\xa4 c"},
		{"=?utf-8?q?=C3?= =?utf-8?q?=BC?=", "\xc3\xbc"},
		{"=?utf-8?b?4pyT?= =?utf-8?b?4pyT?=", "\xe2\x9c\x93\xe2\x9c\x93"},
		{"=?shift_jis?q?=93?= =?shift_jis?q?=FA?=", "\xe6\x97\xa5"},
		{"=?utf-8*en?q?lang?=", "lang"},
		{"=?ISO-2022-JP?B?GyRCRnxLXBsoQg==?=", "\xe6\x97\xa5\xe6\x9c\xac"},
		{"=?x-unknown?q?=41=ff?=", "A\\xff"},
		{"=?../../etc?q?x?=", "x"},
		{"=?utf-8?q?open", "=?utf-8?q?open"},
		{"=?utf-8?x?abc?=", "=?utf-8?x?abc?="},
		{"=?", "=?"},
		{"=?utf-8?q?=?=", "="},
		{"=?utf-8?q?=4?=", "=4"},
		{"=?utf-8?q?"
		 "?=",
			""},
		{"=?utf-8?b?****?=", ""},
		{"raw \xc3\xbc and \xfc", "raw \xc3\xbc and \\xfc"},
		{"=?utf-8?q?=1b[2J?=", "\\x1b[2J"},
	};

	(void)state;
	for (size_t i = 0; i < PF_COUNT(CASES); i++) {
		if (strcmp(subject_of(CASES[i].in), CASES[i].out) != 0) {
			fail_msg("%s: %s", CASES[i].in, subject_of(CASES[i].in));
		}
	}
}

static void fields_are_found_in_the_header_only(void **state)
{
	static const char MESSAGE[] = "message-id : <1@x>\n"
				      "FROM: =?utf-8?q?J=C3=B6rg?= <j@x>\n"
				      "no colon here\n"
				      " continued\n"
				      ": no name\n"
				      "Subject-Line: not this\n"
				      "Subject: first\n"
				      "Subject: second\n"
				      "\n"
				      "Date: not a header\n";
	struct pf_description d;

	(void)state;
	pf_describe(pf_span_str(MESSAGE), &d);
	assert_string_equal(d.message_id, "<1@x>");
	assert_string_equal(d.from, "J\xc3\xb6rg <j@x>");
	assert_string_equal(d.subject, "first");
	assert_string_equal(d.date, "");
	pf_describe(pf_span(NULL, 0), &d);
	assert_string_equal(d.subject, "");
}

static void long_values_are_cut_at_a_character(void **state)
{
	struct pf_description d;
	char message[20000];
	size_t n;

	(void)state;
	n = (size_t)snprintf(message, sizeof(message), "Subject: ");
	while (n < sizeof(message) - 3) {
		message[n++] = '\xc3';
		message[n++] = '\xbc';
	}
	pf_describe(pf_span(message, n), &d);
	assert_in_range(strlen(d.subject), 200, sizeof(d.subject) - 1);
	assert_true(pf_utf8_valid(pf_span_str(d.subject)));
	assert_string_equal(d.subject + strlen(d.subject) - 3, "...");
}

/* Any cut and any byte: the result is printable text within its bounds. */
static void any_bytes_are_taken(void **state)
{
	static const char SEED[] = "Subject: =?utf-8?q?=C3=BC?= =?iso-2022-jp?b?GyRCRnw?=\r\n x\r\n"
				   "From: =?gb18030?b?gTCBMIEw?=\r\nDate: \r\n\t\r\n:\r\n";
	struct pf_description d;
	uint32_t random = 7;

	(void)state;
	for (int round = 0; round < 20000; round++) {
		size_t n = sizeof(SEED) - 1;
		uint8_t *copy;

		random = random * 1664525 + 1013904223;
		n -= (random >> 8) % n;
		copy = malloc(n); /* exactly its size, so that a sanitizer sees one byte too many */
		assert_non_null(copy);
		memcpy(copy, SEED, n);
		copy[(random >> 16) % n] = (uint8_t)random;
		pf_describe(pf_span(copy, n), &d);
		assert_true(pf_utf8_valid(pf_span_str(d.subject)));
		assert_true(pf_utf8_valid(pf_span_str(d.from)));
		free(copy);
	}
}

static void the_arrival_is_that_of_the_last_server(void **state)
{
	static const struct {
		const char *header;
		int64_t utc_s; /* 0: not known */
		int zone_min;
	} CASES[] = {
		{"Received: from a by b;\r\n\tWed, 7 Aug 1996 12:00:00 +0530\r\n"
		 "Received: from c by a; Wed, 7 Aug 1996 01:00:00 +0000\r\n"
		 "Date: Tue, 6 Aug 1996 00:00:00 +0000\r\n",
			839399400, 330},
		{"Date: Wed, 7 Aug 1996 06:30:00 +0000\r\nReceived: by b; soon\r\n"
		 "Received: by a; Wed, 7 Aug 1996 01:00:00 +0000\r\n",
			839399400, 0},
		{"Received: (semicolon; in a comment) by b; Wed, 7 Aug 1996 06:30:00 +0000\r\n",
			839399400, 0},
		{"Received: Wed, 7 Aug 1996 06:30:00 +0000\r\n", 0, 0},
		{"Date : Wed, 7 Aug 1996 06:30:00 GMT\r\n", 839399400, 0},
		{"Date: never\r\nDate: 7 Aug 96 06:30 GMT\r\n", 839399400, 0},
		{"Subject: x\r\n\r\nDate: Wed, 7 Aug 1996 06:30:00 +0000\r\n", 0, 0},
		{"", 0, 0},
	};

	(void)state;
	for (size_t i = 0; i < PF_COUNT(CASES); i++) {
		int64_t utc_s = 0;
		int zone_min = 0;

		assert_int_equal(pf_arrival(pf_span_str(CASES[i].header), &utc_s, &zone_min),
			CASES[i].utc_s != 0);
		assert_int_equal(utc_s, CASES[i].utc_s);
		assert_int_equal(zone_min, CASES[i].zone_min);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(subjects_are_decoded),
		cmocka_unit_test(fields_are_found_in_the_header_only),
		cmocka_unit_test(long_values_are_cut_at_a_character),
		cmocka_unit_test(any_bytes_are_taken),
		cmocka_unit_test(the_arrival_is_that_of_the_last_server),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
