/* The body of an item, from each form it may be in, and text of HTML. */
#include "convert/html_text.h"
#include "convert/mapi_body.h"
#include "model/mapi_tags.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static void assert_text(struct pf_span got, const char *want)
{
	if ((got.p != NULL) != (want != NULL) || (want && !pf_span_eq(got, pf_span_str(want)))) {
		fail_msg("got \"%.*s\", want \"%s\"", (int)got.n, got.p ? (const char *)got.p : "",
			want ? want : "(absent)");
	}
}

static void put(struct pf_mapi_item *item, uint16_t id, struct pf_mapi_value v)
{
	struct pf_mapi_prop *p = pf_mapi_add(item, &item->props);

	assert_non_null(p);
	*p = (struct pf_mapi_prop){.id = id, .value = v};
}

/* clang-format off */
#define BYTES(s) {.type = PF_MAPI_BINARY, .bytes = {(const uint8_t *)(s), sizeof(s) - 1}}
#define STRING(s) {.type = PF_MAPI_STRING, .bytes = {(const uint8_t *)(s), sizeof(s) - 1}}
#define NUMBER(i) {.type = PF_MAPI_I32, .number = (i)}
#define RTF(size, s) BYTES(size "\0\0\0" size "\0\0\0MELA\0\0\0\0" s)
/* clang-format on */

static void each_form(void **state)
{
	static const struct {
		struct pf_mapi_prop props[4];
		const char *text, *html;
		bool from_rtf, from_html, damaged;
	} CASES[] = {
		{.text = NULL},
		{{{PF_TAG_BODY, NULL, STRING("Hi\r\n")}}, .text = "Hi\r\n"},
		{{{PF_TAG_HTML, NULL, BYTES("<p>\xCF</p>")},
			 {PF_TAG_INTERNET_CODEPAGE, NULL, NUMBER(1251)}},
			.text = "П\r\n", .html = "<p>П</p>", .from_html = true},
		{{{PF_TAG_HTML, NULL, BYTES("<p>\xC3\xA9</p>")},
			 {PF_TAG_MESSAGE_CODEPAGE, NULL, NUMBER(1251)}},
			.text = "é\r\n", .html = "<p>é</p>", .from_html = true},
		{{{PF_TAG_HTML, NULL, BYTES("<p>\xE9</p>")}}, .text = "é\r\n", .html = "<p>é</p>",
			.from_html = true},
		{{{PF_TAG_HTML, NULL, BYTES("\xFF\xFE<\0b\0>\0\x1F\x04")}}, .text = "П\r\n",
			.html = "<b>П", .from_html = true},
		{{{PF_TAG_HTML, NULL, STRING("<b>П</b>")}, {PF_TAG_BODY, NULL, STRING("own")}},
			.text = "own", .html = "<b>П</b>"},
		{{{PF_TAG_BODY, NULL, STRING(" \r\n")},
			 {PF_TAG_RTF_COMPRESSED, NULL, RTF("\x0F", "{\\rtf1\\b Room}")}},
			.text = "Room", .from_rtf = true, .damaged = true},
		{{{PF_TAG_RTF_COMPRESSED, NULL,
			 RTF("\x29", "{\\rtf1\\fromhtml1{\\*\\htmltag64 <b>}Room}}}")}},
			.text = "Room\r\n", .html = "<b>Room", .from_rtf = true, .from_html = true},
		{{{PF_TAG_BODY, NULL, STRING("own")},
			 {PF_TAG_RTF_COMPRESSED, NULL, RTF("\x0E", "{\\rtf1\\b Room}")}},
			.text = "own"},
		{{{PF_TAG_RTF_COMPRESSED, NULL, BYTES("nonsense")}}, .damaged = true},
	};

	(void)state;
	for (size_t i = 0; i < PF_COUNT(CASES); i++) {
		struct pf_mapi_bodies b;
		struct pf_arena arena;
		struct pf_mapi_item *item;
		struct pf_err err;

		pf_arena_init(&arena);
		item = pf_mapi_new(&arena);
		for (size_t k = 0; k < PF_COUNT(CASES[i].props) && CASES[i].props[k].id; k++) {
			put(item, CASES[i].props[k].id, CASES[i].props[k].value);
		}
		assert_int_equal(pf_mapi_body(item, &arena, &b, &err), PF_OK);
		assert_text(b.text, CASES[i].text);
		assert_text(b.html, CASES[i].html);
		assert_int_equal(b.from_rtf, CASES[i].from_rtf);
		assert_int_equal(b.from_html, CASES[i].from_html);
		assert_int_equal(b.damaged, CASES[i].damaged);
		pf_arena_deinit(&arena);
	}
}

static void text_of_html(void **state)
{
	static const struct {
		const char *html, *text;
	} CASES[] = {
		{"", ""},
		{"just  words &amp; \n &euro;", "just words & €\r\n"},
		{"<html><head><title>T</title><style>p {}</style></head><body><p>One</p><p>Two<br>"
		 "Three</p><script>x()</script></body></html>",
			"One\r\n\r\nTwo\r\nThree\r\n"},
		{"<div>a</div><div><b>b</b>c <i>d</i></div>", "a\r\nbc d\r\n"},
		{"<ul><li>a</li><li>b</li></ul>c", "* a\r\n* b\r\nc\r\n"},
		{"<table><tr><td>1</td><td>2</td></tr><tr><td>3</td></tr></table>",
			"1\t2\r\n3\r\n"},
		{"<a href=\"http://a.example/\">here</a> <a "
		 "href='mailto:x@a.example'>x@a.example</a>",
			"here <http://a.example/> x@a.example\r\n"},
		{"<pre>a\n  b</pre>", "a\r\n  b\r\n"},
		{"<p>cut off <b", "cut off\r\n"},
	};
	struct pf_arena arena;
	struct pf_span out;
	struct pf_err err;

	(void)state;
	pf_arena_init(&arena);
	for (size_t i = 0; i < PF_COUNT(CASES); i++) {
		assert_int_equal(
			pf_html_text(pf_span_str(CASES[i].html), &arena, &out, &err), PF_OK);
		assert_text(out, CASES[i].text);
	}
	pf_arena_deinit(&arena);
}

static void deep_html(void **state)
{
	static char html[100001];
	struct pf_arena arena;
	struct pf_span out;
	struct pf_err err;

	(void)state;
	for (size_t i = 0; i < sizeof(html) - 1; i++) {
		html[i] = "<div>"[i % 5];
	}
	pf_arena_init(&arena);
	assert_int_equal(pf_html_text(pf_span_str(html), &arena, &out, &err), PF_OK);
	pf_arena_deinit(&arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_form),
		cmocka_unit_test(text_of_html),
		cmocka_unit_test(deep_html),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
