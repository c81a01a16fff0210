/* What is refused is repaired, and nothing else of the message is touched. */
#include "engine/repair.h"

#include "base/defs.h"
#include "model/mime.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#define X100                                                                                       \
	"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx" \
	"xxxxxxxxxxxx"
#define X1000 X100 X100 X100 X100 X100 X100 X100 X100 X100 X100

#define SPAN(literal)                                                                              \
	{                                                                                          \
		(const uint8_t *)("" literal), sizeof(literal) - 1                                 \
	}

static struct pf_blob *repaired(struct pf_span message, char *what)
{
	struct pf_blob *out = NULL;
	struct pf_err err;

	assert_int_equal(pf_repair(message, &out, what, 300, &err), PF_OK);
	return out;
}

static void lines_and_headers(void **state)
{
	static const struct {
		struct pf_span in;
		const char *out, *what; /* out NULL: nothing to repair */
	} CASES[] = {
		{SPAN("Subject: x\r\n\r\nbody\r\n"), NULL, ""},
		{SPAN("Subject: x\n\nbody"), "Subject: x\r\n\r\nbody\r\n", "line ends"},
		{SPAN("From a Thu\r\nSubject: x\r\n\r\n"), "Subject: x\r\n\r\n", "\"From \" line"},
		{SPAN("Subject: x\r\ngarbage\r\n\r\n"),
			"Subject: x\r\nX-Unnamed-Header: garbage\r\n\r\n", "without a name"},
		{SPAN("Subject: x\r\n \r\nTo: a\r\n\r\n"), "Subject: x\r\nTo: a\r\n\r\n", "blank"},
		{SPAN("Subject: gr\xc3\xbc\xc3\x9f"
		      "e an alle\r\n\r\n"),
			"Subject: =?utf-8?B?Z3LDvMOfZQ==?= an alle\r\n\r\n", "encoded words"},
		{SPAN("Subject: gr\xfc\xdf"
		      "e\r\n\r\n"),
			"Subject: =?unknown-8bit?B?Z3L832U=?=\r\n\r\n", "encoded words"},
		{SPAN("From: J\xc3\xb6rg M\xc3\xbcller <j@x>, \"\xc3\x84, B\" <b@x> "
		      "(\xc3\xa4)\r\n\r\n"),
			"From: =?utf-8?B?SsO2cmcgTcO8bGxlcg==?= <j@x>, =?utf-8?B?w4QsIEI=?= <b@x> "
			"(=?utf-8?B?w6Q=?=)\r\n\r\n",
			"encoded words"},
		{SPAN("To: <\xc3\xbc@x>, \xc3\xbc@y\r\nMessage-ID: <\xc3\xbc>\r\n\r\n"), NULL, ""},
	};
	char what[300];

	(void)state;
	for (size_t i = 0; i < PF_COUNT(CASES); i++) {
		struct pf_blob *out = repaired(CASES[i].in, what);

		if (!CASES[i].out) {
			assert_null(out);
			continue;
		}
		assert_non_null(out);
		assert_int_equal(out->n, strlen(CASES[i].out));
		assert_memory_equal(out->bytes, CASES[i].out, out->n);
		assert_non_null(strstr(what, CASES[i].what));
		pf_blob_unref(&out);
	}
}

/* Of each: it is repaired to what strict targets take, says the same, and once is enough. */
static void parts_say_the_same(void **state)
{
	static const struct {
		struct pf_span in;
		const char *has, *what;
	} CASES[] = {
		{SPAN("Subject: x\r\n\r\na\0b\r\n"),
			"MIME-Version: 1.0\r\nContent-Transfer-Encoding: "
			"base64\r\n\r\nYQBiDQo=\r\n",
			"parts encoded anew (1)"},
		{SPAN("Subject: x\r\nMIME-Version: 1.0\r\nContent-Transfer-Encoding: 8bit\r\n"
		      "Content-Type: text/plain; charset=utf-8\r\n\r\n" X1000
		      "\xc3\xbc\r\nshort\r\n"),
			"Content-Type: text/plain; charset=utf-8\r\n"
			"Content-Transfer-Encoding: quoted-printable\r\n\r\nxxx",
			"parts encoded anew (1)"},
		{SPAN("Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nas it = is "
		      "\t\r\n"
		      "--b\r\nContent-Type: image/png\r\nContent-Transfer-Encoding:\r\n "
		      "binary\r\n\r\n"
		      "\n\r\0\r\n--b--\r\n"),
			"\r\n--b\r\n\r\nas it = is \t\r\n--b\r\nContent-Type: image/png\r\n"
			"Content-Transfer-Encoding: base64\r\n\r\nCg0A\r\n--b--\r\n",
			"parts encoded anew (1)"},
		{SPAN("Content-Type: text/plain\r\nContent-Transfer-Encoding: "
		      "quoted-printable\r\n\r\n"
		      "=3D" X1000 "=\r\n=0D=0A.\r\n"),
			"quoted-printable\r\n\r\n=3Dxxxx", "parts encoded anew (1)"},
		{SPAN("Content-Type: image/png\r\nContent-Transfer-Encoding: base64\r\n\r\n" X1000
		      "\r\n"),
			"base64\r\n\r\nxxxx", "parts encoded anew (1)"},
		{SPAN("Content-Type: multipart/signed; boundary=b\r\n\r\n--b\r\n\r\n" X1000
		      "\r\n--b--\r\n"),
			"quoted-printable", "; signed, changed"},
		{SPAN("DKIM-Signature: v=1\r\n\r\n" X1000 "\r\n"), "quoted-printable",
			"signed (DKIM), changed"},
	};
	struct pf_digest before, after;
	struct pf_err err;
	char what[300];

	(void)state;
	for (size_t i = 0; i < PF_COUNT(CASES); i++) {
		struct pf_blob *out = repaired(CASES[i].in, what);

		assert_non_null(out);
		assert_non_null(memmem(out->bytes, out->n, CASES[i].has, strlen(CASES[i].has)));
		if (!strstr(what, CASES[i].what)) {
			fail_msg("%zu: %s", i, what);
		}
		assert_null(memchr(out->bytes, '\0', out->n));
		assert_int_equal(pf_mime_digest(CASES[i].in, &before, &err), PF_OK);
		assert_int_equal(pf_mime_digest(pf_blob_span(out), &after, &err), PF_OK);
		if (!pf_digest_eq(&before, &after)) {
			fail_msg("%zu says something else: %.*s", i, (int)out->n,
				(const char *)out->bytes);
		}
		assert_null(repaired(pf_blob_span(out), what));
		pf_blob_unref(&out);
	}
}

static void what_can_not_be_encoded_is_made_blank(void **state)
{
	char what[300];
	struct pf_blob *out = repaired(
		(struct pf_span)SPAN("Content-Type: message/partial\r\n\r\na\0b\r\n"), what);

	(void)state;
	assert_non_null(out);
	assert_non_null(memmem(out->bytes, out->n, "a b\r\n", 5));
	assert_non_null(strstr(what, "NULs made blanks"));
	pf_blob_unref(&out);
}

static void a_long_header_line_is_folded_at_a_blank(void **state)
{
	char what[300];
	struct pf_blob *out =
		repaired((struct pf_span)SPAN("References: " X100 " " X1000 "\r\n\r\n"), what);

	(void)state;
	assert_non_null(out);
	assert_non_null(memmem(out->bytes, out->n, "x\r\n x", 5));
	assert_non_null(strstr(what, "long header lines folded"));
	pf_blob_unref(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lines_and_headers),
		cmocka_unit_test(parts_say_the_same),
		cmocka_unit_test(what_can_not_be_encoded_is_made_blank),
		cmocka_unit_test(a_long_header_line_is_folded_at_a_blank),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
