/* What a message is made of, and what its envelope says. */
#include "proto/imap/structure.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

/* One line a structure: path, "*boundary" or octets, separated by blanks. */
static void describe(const struct pf_imap_structure *t, char *out, size_t size)
{
	size_t at = 0;

	out[0] = '\0';
	for (size_t i = 0; i < t->n && at < size; i++) {
		const struct pf_imap_part *p = &t->part[i];
		int n = p->multipart ? snprintf(out + at, size - at, "%s*%.*s ", p->path,
					       (int)p->boundary.n,
					       p->boundary.p ? (const char *)p->boundary.p : "")
				     : snprintf(out + at, size - at, "%s=%llu ", p->path,
					       (unsigned long long)p->octets);

		at += (size_t)n;
	}
}

static const struct {
	const char *sent, *made; /* NULL: not understood */
} CASES[] = {
	{"\"TEXT\" \"PLAIN\" (\"CHARSET\" \"utf-8\") NIL NIL \"7BIT\" 2279 48", "1=2279 "},
	{"text plain NIL NIL NIL 7bit 5 1 NIL NIL NIL", "1=5 "},
	{"(\"text\" \"plain\" NIL NIL NIL \"7bit\" 10 1)(\"image\" \"png\" (\"name\" \"a) b\") "
	 "\"<i>\" NIL \"base64\" 99) \"mixed\" (\"x\" \"y\" \"boundary\" \"=_b(1\") NIL NIL",
		"*=_b(1 1=10 2=99 "},
	{"((\"a\" \"b\" NIL NIL NIL \"7bit\" 1)(\"c\" \"d\" NIL NIL NIL \"7bit\" 2) "
	 "\"alternative\" "
	 "(\"BOUNDARY\" {2}\r\nin)) (\"e\" \"f\" NIL NIL NIL \"8bit\" 3) \"mixed\" (\"boundary\" "
	 "out)",
		"*out 1*in 1.1=1 1.2=2 2=3 "},
	{"\"message\" \"rfc822\" NIL NIL NIL \"7bit\" 300 (NIL \"s\" NIL NIL NIL NIL NIL NIL NIL "
	 "NIL) "
	 "(\"text\" \"plain\" NIL NIL NIL \"7bit\" 9 1) 12",
		"1=300 "},
	{"(\"a\" \"b\" NIL NIL NIL \"7bit\" 1) \"mixed\"", "* 1=1 "},
	{"(\"a\" \"b\" NIL NIL NIL \"7bit\" NIL) \"mixed\"", NULL},
	{"(\"a\" \"b\" NIL NIL NIL \"7bit\" 1)", NULL},
	{"", NULL},
	{"((((((((((\"a\" \"b\" NIL NIL NIL \"7bit\" 1) \"m\") \"m\") \"m\") \"m\") \"m\") \"m\") "
	 "\"m\") \"m\") \"m\") \"m\"",
		NULL},
};

static void structures(void **state)
{
	(void)state;
	for (size_t i = 0; i < PF_COUNT(CASES); i++) {
		struct pf_imap_structure t;
		struct pf_arena arena;
		char made[400];

		pf_arena_init(&arena);
		if (!pf_imap_structure_parse(pf_span_str(CASES[i].sent), &arena, &t)) {
			assert_null(CASES[i].made);
		} else {
			assert_non_null(CASES[i].made);
			describe(&t, made, sizeof(made));
			assert_string_equal(made, CASES[i].made);
		}
		pf_arena_deinit(&arena);
	}
}

static void envelopes(void **state)
{
	static const char SENT[] = "\"Wed, 17 Jul 1996\" {7}\r\na\r\nBcc: ((\"Terry\" NIL \"gray\" "
				   "\"cac.x\")) NIL NIL "
				   "((NIL NIL \"a\" \"b\")) NIL NIL NIL \"<B2@x>\"";
	struct pf_buf out;
	struct pf_err err;

	(void)state;
	pf_buf_init(&out, 1000);
	pf_err_clear(&err);
	assert_int_equal(pf_imap_envelope_header(pf_span_str(SENT), &out, &err), PF_OK);
	assert_true(pf_span_eq(pf_buf_span(&out),
		pf_span_str("Date: Wed, 17 Jul 1996\r\nSubject: a\r\nFrom: Terry <gray@cac.x>\r\n"
			    "Message-ID: <B2@x>\r\n\r\n")));
	pf_buf_clear(&out);
	assert_int_equal(
		pf_imap_envelope_header(pf_span_str("NIL (\"no string\")"), &out, &err), PF_FAIL);
	pf_buf_deinit(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(structures),
		cmocka_unit_test(envelopes),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
