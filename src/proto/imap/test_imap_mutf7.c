/* Mailbox names, both ways. */
#include "base/utf8.h"
#include "proto/imap/mutf7.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static const struct {
	const char *name, *raw, *utf8;
	bool doubtful, back; /* back: encodes to `raw` again */
} NAMES[] = {
	{"ASCII", "INBOX", "INBOX", false, true},
	{"German", "Entw&APw-rfe", "Entw\xc3\xbcrfe", false, true},
	{"RFC 3501's example", "~peter/mail/&U,BTFw-/&ZeVnLIqe-",
		"~peter/mail/\xe5\x8f\xb0\xe5\x8c\x97/\xe6\x97\xa5\xe6\x9c\xac\xe8\xaa\x9e", false,
		true},
	{"an ampersand", "&-", "&", false, true},
	{"an ampersand between blanks", "Tom &- Jerry", "Tom & Jerry", false, true},
	{"an ampersand behind a shift", "&APw-&-", "\xc3\xbc&", false, true},
	{"two ampersands", "&-&-", "&&", false, true},
	{"past the BMP", "&2D3eCg-", "\xf0\x9f\x98\x8a", false, true},
	{"a comma in base64", "&,,8-", "\xef\xbf\xbf", false, true},
	{"a control character", "a&AAk-b", "a\tb", false, true},
	{"DEL", "&AH8-", "\x7f", false, true},
	{"a quote and a backslash", "a\"b\\c", "a\"b\\c", false, true},
	{"a plus is no shift", "+AGE-", "+AGE-", false, true},
	{"a number", "2023", "2023", false, true},
	{"NIL", "NIL", "NIL", false, true},
	{"nothing", "", "", false, true},
	{"not encoded: UTF-8 (no ENABLE)", "raw \xc3\xbc", "raw \xc3\xbc", false, false},
	{"not encoded: UTF-8 with an ampersand", "R&D \xc3\xbc", "R&D \xc3\xbc", false, false},
	{"not encoded: Latin-1", "latin \xfc", "latin \xc3\xbc", true, false},
	{"not encoded: Latin-1 and a shift", "\xfc&APw-", "\xc3\xbc&APw-", true, false},
	{"not encoded: an ampersand", "R&D", "R&D", true, false},
	{"not encoded: an ampersand at the end", "R&", "R&", true, false},
	{"not encoded: an ampersand before a minus", "R&D - x", "R&D - x", true, false},
	{"a lone first surrogate", "&2D0-", "&2D0-", true, false},
	{"a lone second surrogate", "&3Go-", "&3Go-", true, false},
	{"surrogates the wrong way", "&3grYPQ-", "&3grYPQ-", true, false},
	{"a shift without its end", "&APw", "&APw", true, false},
	{"a shift within a shift", "&AP&-", "&AP&", true, false},
	{"bits left over", "&AGF-", "&AGF-", true, false},
	{"half a unit", "&AA-", "&AA-", true, false},
	{"UTF-7's slash", "&AP/-", "&AP/-", true, false},
	{"NUL in a shift", "&AAA-", "&AAA-", true, false},
	{"superfluous, but readable", "&AGEAYg-", "ab", false, false},
	{"two shifts where one would do", "&APw-&APw-", "\xc3\xbc\xc3\xbc", false, false},
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
		if (!pf_span_eq(pf_buf_span(&out), pf_span_str(NAMES[i].utf8)) ||
			doubtful != NAMES[i].doubtful) {
			fail_msg("%s became %.*s", NAMES[i].name, (int)out.n, (const char *)out.p);
		}
		assert_int_equal(pf_mutf7_encode(pf_buf_span(&out), &back, &err), PF_OK);
		if (pf_span_eq(pf_buf_span(&back), pf_span_str(NAMES[i].raw)) != NAMES[i].back) {
			fail_msg("%s came back as %.*s", NAMES[i].name, (int)back.n,
				(const char *)back.p);
		}
	}
	pf_buf_deinit(&out);
	pf_buf_deinit(&back);
}

static void a_nul_can_not_be_in_a_name(void **state)
{
	struct pf_buf out;
	struct pf_err err;
	bool doubtful = false;

	(void)state;
	pf_buf_init(&out, 100);
	assert_int_equal(pf_mutf7_decode(pf_span("a\0b", 3), &out, &doubtful, &err), PF_OK);
	assert_true(pf_span_eq(pf_buf_span(&out), pf_span_str("a\xef\xbf\xbd"
							      "b")));
	assert_true(doubtful);
	pf_buf_deinit(&out);
}

static void only_utf8_can_be_encoded(void **state)
{
	static const char *const NOT[] = {
		"\xff", "a\xc3", "\xed\xa0\x80", "\xc0\x80", "\xf4\x90\x80\x80"};
	struct pf_buf out;
	struct pf_err err;

	(void)state;
	pf_buf_init(&out, 100);
	for (size_t i = 0; i < PF_COUNT(NOT); i++) {
		assert_int_equal(pf_mutf7_encode(pf_span_str(NOT[i]), &out, &err), PF_FAIL);
		assert_int_equal(err.scope, PF_SCOPE_ITEM);
		assert_int_equal(out.n, 0);
	}
	pf_buf_deinit(&out);
}

/* Alone, between letters, and behind another one of its kind. */
static void every_character_comes_back(void **state)
{
	struct pf_buf name, raw, back;
	struct pf_err err;
	bool doubtful = false;

	(void)state;
	pf_buf_init(&name, 100);
	pf_buf_init(&raw, 100);
	pf_buf_init(&back, 100);
	for (uint32_t cp = 1; cp < 0x110000; cp += cp < 0x300 ? 1 : 41) {
		uint8_t utf8[4];
		size_t n;

		if (cp >= 0xd800 && cp < 0xe000) {
			continue;
		}
		n = pf_utf8_put(cp, utf8);
		pf_buf_clear(&name);
		pf_buf_clear(&raw);
		pf_buf_clear(&back);
		for (int i = 0; i < 3; i++) {
			assert_int_equal(pf_buf_add(&name, pf_span(utf8, n), &err), PF_OK);
			assert_int_equal(pf_buf_add(&name, pf_span("x", i == 1), &err), PF_OK);
		}
		assert_int_equal(pf_mutf7_encode(pf_buf_span(&name), &raw, &err), PF_OK);
		for (size_t i = 0; i < raw.n; i++) {
			assert_true(raw.p[i] >= 0x20 && raw.p[i] < 0x7f);
		}
		assert_int_equal(pf_mutf7_decode(pf_buf_span(&raw), &back, &doubtful, &err), PF_OK);
		assert_true(pf_span_eq(pf_buf_span(&name), pf_buf_span(&back)) && !doubtful);
	}
	pf_buf_deinit(&name);
	pf_buf_deinit(&raw);
	pf_buf_deinit(&back);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_decode_and_encode),
		cmocka_unit_test(a_nul_can_not_be_in_a_name),
		cmocka_unit_test(only_utf8_can_be_encoded),
		cmocka_unit_test(every_character_comes_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
