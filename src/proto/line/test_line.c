/* Content lines as they come: folded by any rule, with any line end, broken in every way. */
#include "proto/line/line.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

/* All lines, a blank between: [group.]name|params|value, "!" before a bad one. */
static void read_all(const char *text, struct pf_buf *out)
{
	struct pf_arena arena;
	struct pf_lines lines;
	struct pf_line l;
	struct pf_err err;
	int rc;

	pf_arena_init(&arena);
	pf_buf_init(out, 1 << 20);
	pf_lines_init(&lines, pf_span_str(text), &arena);
	while ((rc = pf_lines_next(&lines, &l, &err)) == PF_OK) {
		assert_int_equal(
			pf_buf_addf(out, &err, "%s%s%.*s%s%.*s|%.*s|%.*s", out->n ? " " : "",
				l.bad ? "!" : "", (int)l.group.n, (const char *)l.group.p,
				l.group.n ? "." : "", (int)l.name.n, (const char *)l.name.p,
				(int)l.params.n, (const char *)l.params.p, (int)l.value.n,
				(const char *)l.value.p),
			PF_OK);
	}
	assert_int_equal(rc, PF_END);
	pf_arena_deinit(&arena);
}

static void lines_of_all_forms(void **state)
{
	static const struct {
		const char *name, *text, *want;
	} CASES[] = {
		{"plain", "SUMMARY:Lunch\r\n", "SUMMARY||Lunch"},
		{"no end", "SUMMARY:Lunch", "SUMMARY||Lunch"},
		{"folded", "SUMMARY:Lu\r\n nch\r\n\tat\r\n", "SUMMARY||Lunchat"},
		{"folded by LF", "SUMMARY:Lu\n nch\nA:b\n", "SUMMARY||Lunch A||b"},
		{"CR only", "A:b\rC:d\r e\r", "A||b C||de"},
		{"folded within the name and within a character", "SUMM\r\n ARY:\xC3\r\n \xBC\r\n",
			"SUMMARY||\xC3\xBC"},
		{"parameters", "DTSTART;TZID=\"a:b;c\";X=1:2020\r\n",
			"DTSTART|;TZID=\"a:b;c\";X=1|2020"},
		{"colon in the value", "URL:http://x/\r\n", "URL||http://x/"},
		{"a quote that never ends", "ATTENDEE;CN=\"Jo:mailto:j@x\r\nA:b\r\n",
			"ATTENDEE|;CN=\"Jo|mailto:j@x A||b"},
		{"group", "item1.TEL;HOME:1\r\n", "item1.TEL|;HOME|1"},
		{"no colon", "Lunch with Jo\r\nA:b\r\n", "!||Lunch with Jo A||b"},
		{"empty lines", "\r\n\r\nA:b\r\n\r\nC:d\r\n\r\n", "A||b C||d"},
		{"a byte order mark",
			"\xEF\xBB\xBF"
			"BEGIN:VCARD\r\n",
			"BEGIN||VCARD"},
		{"soft breaks", "NOTE;ENCODING=QUOTED-PRINTABLE:a=\r\nb=\r\nc\r\nA:b\r\n",
			"NOTE|;ENCODING=QUOTED-PRINTABLE|abc A||b"},
		{"a soft break at the end", "NOTE;QUOTED-PRINTABLE:a=\r\nEND:VCARD\r\n",
			"NOTE|;QUOTED-PRINTABLE|a= END||VCARD"},
		{"'=' that is no soft break", "NOTE:a=\r\nA:b\r\n", "NOTE||a= A||b"},
		{"folded with an empty line between", "VERSION\n\n :2.0\nA:b\n\nC:d\n",
			"VERSION||2.0 A||b C||d"},
		{"empty value", "X-EMPTY:\r\n", "X-EMPTY||"},
	};

	(void)state;
	for (size_t i = 0; i < PF_COUNT(CASES); i++) {
		struct pf_buf got;

		read_all(CASES[i].text, &got);
		if (!pf_span_eq(pf_buf_span(&got), pf_span_str(CASES[i].want))) {
			fail_msg("%s: %.*s", CASES[i].name, (int)got.n, (const char *)got.p);
		}
		pf_buf_deinit(&got);
	}
}

static void parameters_by_name(void **state)
{
	struct pf_span p = pf_span_str(";HOME;TYPE=a,\"b,c\",d;tzid=\"x:y\";Z=");
	struct pf_span list = pf_params_find(p, "type"), v;
	static const char *const WANT[] = {"a", "b,c", "d"};

	(void)state;
	assert_true(pf_span_eq(pf_params_find(p, "TZID"), pf_span_str("x:y")));
	assert_true(pf_span_eq(pf_params_find(p, "Z"), pf_span_str("")));
	assert_null(pf_params_find(p, "NONE").p);
	for (size_t i = 0; i < PF_COUNT(WANT); i++) {
		assert_true(pf_list_next(&list, &v) && pf_span_eq(v, pf_span_str(WANT[i])));
	}
	assert_false(pf_list_next(&list, &v));
}

static void values_are_cut_and_unescaped(void **state)
{
	struct pf_span rest = pf_span_str("a\\,b,c\\;d,"), part;
	static const char *const WANT[] = {"a\\,b", "c\\;d", ""};
	struct pf_buf b;
	struct pf_err err;

	(void)state;
	for (size_t i = 0; i < PF_COUNT(WANT); i++) {
		assert_true(pf_value_next(&rest, ',', &part));
		assert_true(pf_span_eq(part, pf_span_str(WANT[i])));
	}
	assert_false(pf_value_next(&rest, ',', &part));
	pf_buf_init(&b, 1000);
	assert_int_equal(
		pf_text_unescape(pf_span_str("a\\, b\\; c\\\\ d\\n\\Ne\\x\\"), &b, &err), PF_OK);
	assert_true(pf_span_eq(pf_buf_span(&b), pf_span_str("a, b; c\\ d\n\ne\\x\\")));
	pf_buf_clear(&b);
	assert_int_equal(pf_text_escape(pf_span_str("a, b; c\\ d\r\ne"), &b, &err), PF_OK);
	assert_true(pf_span_eq(pf_buf_span(&b), pf_span_str("a\\, b\\; c\\\\ d\\ne")));
	pf_buf_clear(&b);
	assert_int_equal(pf_quoted_printable(pf_span_str("=C3=BC=\r\nx=3D=zz="), &b, &err), PF_OK);
	assert_true(pf_span_eq(pf_buf_span(&b), pf_span_str("\xC3\xBCx==zz=")));
	pf_buf_deinit(&b);
}

static void what_is_written_is_read_again(void **state)
{
	(void)state;
	for (size_t n = 0; n < 400; n++) {
		char value[1300] = "";
		struct pf_buf out, got;
		struct pf_err err;

		for (size_t i = 0; i < n; i++) {
			memcpy(value + strlen(value), i % 3 ? "\xE2\x82\xAC" : "x", i % 3 ? 4 : 2);
		}
		pf_buf_init(&out, 1 << 16);
		assert_int_equal(
			pf_line_write(&out, pf_span_str("N"), pf_span_str(value), &err), PF_OK);
		for (size_t i = 0, column = 0; i < out.n; i++) {
			column = out.p[i] == '\n' ? 0 : column + 1;
			assert_true(column <= 76); /* 75 and the CR */
			assert_false(i > 2 && (out.p[i] & 0xC0) == 0x80 && out.p[i - 1] == ' ');
		}
		assert_int_equal(pf_buf_addf(&out, &err, "%c", 0), PF_OK);
		read_all((const char *)out.p, &got);
		assert_int_equal(got.n, strlen(value) + 3);
		assert_memory_equal(got.p + 3, value, strlen(value));
		pf_buf_deinit(&out);
		pf_buf_deinit(&got);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lines_of_all_forms),
		cmocka_unit_test(parameters_by_name),
		cmocka_unit_test(values_are_cut_and_unescaped),
		cmocka_unit_test(what_is_written_is_read_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
