/* Compressed RTF, and what RTF says. */
#include "convert/rtf_lz.h"
#include "convert/rtf_text.h"

#include "base/utf8.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static void assert_text(struct pf_span got, const char *want)
{
	if (!pf_span_eq(got, pf_span_str(want))) {
		fail_msg("got \"%.*s\", want \"%s\"", (int)got.n, (const char *)got.p, want);
	}
}

/* [MS-OXRTFCP] 4.1.1 */
static const uint8_t SIMPLE[] = {0x2d, 0, 0, 0, 0x2b, 0, 0, 0, 0x4c, 0x5a, 0x46, 0x75, 0xf1, 0xc5,
	0xc7, 0xa7, 0x03, 0x00, 0x0a, 0x00, 0x72, 0x63, 0x70, 0x67, 0x31, 0x32, 0x35, 0x42, 0x32,
	0x0a, 0xf3, 0x20, 0x68, 0x65, 0x6c, 0x09, 0x00, 0x20, 0x62, 0x77, 0x05, 0xb0, 0x6c, 0x64,
	0x7d, 0x0a, 0x80, 0x0f, 0xa0};
/* [MS-OXRTFCP] 4.1.2: a reference reads what it writes. */
static const uint8_t CROSSING[] = {0x1a, 0, 0, 0, 0x1c, 0, 0, 0, 0x4c, 0x5a, 0x46, 0x75, 0xe2, 0xd4,
	0x4b, 0x51, 0x41, 0x00, 0x04, 0x20, 0x57, 0x58, 0x59, 0x5a, 0x0d, 0x6e, 0x7d, 0x01, 0x0e,
	0xb0};

static void the_vectors_of_the_specification(void **state)
{
	struct pf_arena arena;
	struct pf_span out;
	struct pf_err err;
	bool whole;

	(void)state;
	pf_arena_init(&arena);
	assert_int_equal(
		pf_rtf_unpack(pf_span(SIMPLE, sizeof(SIMPLE)), &arena, &out, &whole, &err), PF_OK);
	assert_text(out, "{\\rtf1\\ansi\\ansicpg1252\\pard hello world}\r\n");
	assert_true(whole);
	assert_int_equal(
		pf_rtf_unpack(pf_span(CROSSING, sizeof(CROSSING)), &arena, &out, &whole, &err),
		PF_OK);
	assert_text(out, "{\\rtf1 WXYZWXYZWXYZWXYZWXYZ}");
	assert_true(whole);
	assert_int_equal(pf_rtf_unpack(pf_span("\x11\0\0\0\5\0\0\0MELA\0\0\0\0{\\rtf", 21), &arena,
				 &out, &whole, &err),
		PF_OK);
	assert_text(out, "{\\rtf");
	assert_true(whole);
	/* as Aspose.Email writes it: the size is that of the fields as well */
	assert_int_equal(pf_rtf_unpack(pf_span("\x11\0\0\0\x11\0\0\0MELA\0\0\0\0{\\rtf", 21),
				 &arena, &out, &whole, &err),
		PF_OK);
	assert_text(out, "{\\rtf");
	assert_true(whole);
	pf_arena_deinit(&arena);
}

static void what_is_damaged_says_so(void **state)
{
	uint8_t bytes[sizeof(SIMPLE)];
	struct pf_arena arena;
	struct pf_span out;
	struct pf_err err;
	bool whole;

	(void)state;
	pf_arena_init(&arena);
	for (size_t n = 0; n < sizeof(SIMPLE); n++) { /* cut anywhere */
		int rc = pf_rtf_unpack(pf_span(SIMPLE, n), &arena, &out, &whole, &err);

		assert_int_equal(rc, n < 16 ? PF_FAIL : PF_OK);
		assert_true(rc == PF_FAIL ? err.scope == PF_SCOPE_ITEM : !whole);
	}
	memcpy(bytes, SIMPLE, sizeof(bytes));
	bytes[34] ^= 1; /* a letter: only the checksum tells */
	assert_int_equal(
		pf_rtf_unpack(pf_span(bytes, sizeof(bytes)), &arena, &out, &whole, &err), PF_OK);
	assert_false(whole);
	bytes[8] = 'X';
	assert_int_equal(
		pf_rtf_unpack(pf_span(bytes, sizeof(bytes)), &arena, &out, &whole, &err), PF_FAIL);
	pf_arena_deinit(&arena);
}

static void texts(void **state)
{
	static const struct {
		const char *rtf;
		enum pf_rtf_kind kind;
		const char *text;
	} CASES[] = {
		{"{\\rtf1\\ansi\\ansicpg1252\\pard hello world}\r\n junk", PF_RTF_OTHER,
			"hello world"},
		{"{\\rtf1\\ansi{\\fonttbl{\\f0\\fswiss Arial;}}{\\colortbl;\\red0;}"
		 "{\\*\\generator x;}a\\par b\\tab c{\\b d}\\~\\'e9\\\\\\{\\}\\endash}",
			PF_RTF_OTHER, "a\r\nb\tcd\xC2\xA0é\\{}–"},
		{"{\\rtf1\\ansi\\ansicpg1251\\'cf\\'f0}", PF_RTF_OTHER, "Пр"},
		/* The font tells the page, and \plain goes back to the first font. */
		{"{\\rtf1\\ansi\\deff0{\\fonttbl{\\f0\\fcharset204 A;}{\\f1\\fcharset128 B;}}"
		 "\\'cf{\\f1\\'93\\'fa\\'96\\'7b}m\\'cf\\f1\\'83\\'5c\\plain\\'cf}",
			PF_RTF_OTHER, "П日本mП\xE3\x82\xBDП"},
		/* \u with what is in its place for others, of one or more characters. */
		{"{\\rtf1\\ansi x\\u8364?y\\uc2\\u8364\\'80x z{\\uc0\\u-10179\\u-8704}!}",
			PF_RTF_OTHER, "x€y€ z\xF0\x9F\x98\x80!"},
		{"{\\rtf1\\ansi\\u-10179?x}", PF_RTF_OTHER, "\xEF\xBF\xBDx"},
		{"{\\rtf1\\ansi a\\bin3 }}}b{\\pict 00ff}{\\field{\\*\\fldinst HYPERLINK x}"
		 "{\\fldrslt here}}}",
			PF_RTF_OTHER, "abhere"},
		/* [MS-OXRTFEX] 4.1 and 4.2 in short */
		{"{\\rtf1\\ansi\\ansicpg1252\\fromtext \\fbidi \\deff0{\\fonttbl{\\f0 Courier "
		 "New;}}\r\n\\uc1\\pard\\plain\\deftab360 \\f0\\fs20 one\\par\r\ntwo\\par\r\n}",
			PF_RTF_FROM_TEXT, "one\r\ntwo\r\n"},
		{"{\\rtf1\\ANSI\\ansicpg1251\\fromhtml1 \\deff0 {\\fonttbl {\\f0\\fmodern Courier "
		 "New;}}{\\colortbl\\red0;}{\\*\\htmltag64}\r\n"
		 "\\uc1\\pard\\plain\\deftab360 \\f0\\fs24"
		 "{\\*\\htmltag19 <HTML>}{\\*\\htmltag50 <P "
		 "CLASS=\"A\">}\\htmlrtf {\\htmlrtf0 \\'cf\\htmlrtf\\par}\\htmlrtf0 "
		 "{\\*\\htmltag84 &nbsp;}\\htmlrtf \\'a0\\htmlrtf0 a\\lquote b\\~"
		 "{\\*\\mhtmltag84 no}{\\*\\htmltag58 </P>\\par }{\\*\\htmltag27 </HTML>}}",
			PF_RTF_FROM_HTML,
			"<HTML><P CLASS=\"A\">П&nbsp;a&lsquo;b&nbsp;</P>\r\n</HTML>"},
		{"{\\rtf1 {{{", PF_RTF_OTHER, ""},
		{"{\\rtf1 }}} x", PF_RTF_OTHER, ""},
		{"{\\rtf", PF_RTF_OTHER, ""},
	};
	struct pf_arena arena;
	struct pf_span out;
	struct pf_err err;
	enum pf_rtf_kind kind;

	(void)state;
	pf_arena_init(&arena);
	for (size_t i = 0; i < PF_COUNT(CASES); i++) {
		assert_int_equal(
			pf_rtf_text(pf_span_str(CASES[i].rtf), &arena, &kind, &out, &err), PF_OK);
		assert_text(out, CASES[i].text);
		assert_int_equal(kind, CASES[i].kind);
	}
	assert_int_equal(pf_rtf_text(pf_span_str("<html>"), &arena, &kind, &out, &err), PF_FAIL);
	pf_arena_deinit(&arena);
}

static void groups_as_deep_as_they_like(void **state)
{
	static const size_t DEEP = 100000;
	static char rtf[200040];
	struct pf_arena arena;
	struct pf_span out;
	struct pf_err err;
	enum pf_rtf_kind kind;
	size_t n = (size_t)snprintf(rtf, sizeof(rtf), "{\\rtf1 ");

	(void)state;
	memset(rtf + n, '{', DEEP);
	rtf[n + DEEP] = 'x';
	memset(rtf + n + DEEP + 1, '}', DEEP);
	(void)snprintf(rtf + n + 2 * DEEP + 1, 8, "y}z");
	pf_arena_init(&arena);
	assert_int_equal(pf_rtf_text(pf_span_str(rtf), &arena, &kind, &out, &err), PF_OK);
	assert_text(out, "xy");
	pf_arena_deinit(&arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_vectors_of_the_specification),
		cmocka_unit_test(what_is_damaged_says_so),
		cmocka_unit_test(texts),
		cmocka_unit_test(groups_as_deep_as_they_like),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
