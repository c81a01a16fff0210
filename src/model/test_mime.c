/* Parts are told apart wherever they are, and what is encoded says the same as before. */
#include "model/mime.h"

#include "base/defs.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

/* Each part as "[body]", with marks for what is known of it. */
static void show(const char *message, char *out, size_t size)
{
	struct pf_mime m;
	struct pf_mime_part p;
	size_t n = 0;

	out[0] = '\0';
	pf_mime_begin(&m, pf_span_str(message));
	while (n < size && pf_mime_next(&m, &p)) {
		n += (size_t)snprintf(out + n, size - n, "%s%s%s%s[%.*s]", p.top ? "" : "-",
			p.text ? "t" : "", p.sealed ? "s" : "", p.fixed ? "f" : "", (int)p.body.n,
			(const char *)p.body.p);
	}
}

#define MULTI(kind, inner)                                                                         \
	"Subject: x\r\nContent-Type: multipart/" kind "; boundary=\"a b\"\r\n\r\npreamble\r\n"     \
	"--a b\r\n" inner "\r\n--a b--\r\nepilogue\r\n"

static void parts_are_found(void **state)
{
	static const struct {
		const char *message, *parts;
	} CASES[] = {
		{"", ""},
		{"Subject: x\r\n\r\nbody\r\n", "t[body\r\n]"},
		{"Subject: x\r\n", "t[]"},
		{"Content-Type: image/png\n\nbytes", "[bytes]"},
		{MULTI("mixed", "\r\none\r\n--a b\r\nContent-Type: image/png\r\n\r\ntwo"),
			"-t[one]-[two]"},
		{MULTI("mixed", "Content-Type: text/plain\r\n--a b  \r\n\r\n"), "-t[]-t[]"},
		{MULTI("signed",
			 "\r\none\r\n--a b\r\nContent-Type: application/pgp-signature\r\n\r\n."),
			"-ts[one]-s[.]"},
		{MULTI("mixed",
			 "Content-Type: multipart/alternative; charset=x;\r\n boundary=in\r\n\r\n"
			 "--in\r\n\r\none\r\n--in\r\nContent-Type: text/html\r\n\r\ntwo\r\n--in--"
			 "\r\n--a b\r\n\r\nthree"),
			"-t[one]-t[two]-t[three]"},
		{MULTI("mixed",
			 "Content-Type: multipart/mixed; boundary=in\r\n\r\n--in\r\n\r\nopen"),
			"-t[open]"}, /* the inner one is not closed */
		{MULTI("digest", "Content-Type: message/rfc822\r\n\r\nSubject: y\r\n\r\nhello"),
			"-t[hello]"},
		{MULTI("mixed", "Content-Type: message/external-body\r\n\r\nx"), "-f[x]"},
		{"Content-Type: multipart/mixed; boundary=none\r\n\r\nno part at all\r\n", ""},
		{"Content-Type: multipart/mixed\r\n\r\nno boundary\r\n", "f[no boundary\r\n]"},
	};
	char got[400];

	(void)state;
	for (size_t i = 0; i < PF_COUNT(CASES); i++) {
		show(CASES[i].message, got, sizeof(got));
		assert_string_equal(got, CASES[i].parts);
	}
}

static void decode(enum pf_mime_encoding encoding, struct pf_span body, struct pf_buf *out)
{
	struct pf_mime_part part = {.body = body, .encoding = encoding, .text = true};
	struct pf_err err;

	pf_buf_clear(out);
	assert_int_equal(pf_mime_decode(&part, out, &err), PF_OK);
}

static void contents_are_decoded(void **state)
{
	static const struct {
		enum pf_mime_encoding encoding;
		const char *in, *out;
	} CASES[] = {
		{PF_MIME_PLAIN, "a\nb\r\nc\rd", "a\r\nb\r\nc\r\nd"},
		{PF_MIME_BINARY, "a\nb\rc", "a\nb\rc"},
		{PF_MIME_OTHER, "a\nb", "a\nb"},
		{PF_MIME_QP, "a=\r\nb=3D =\nc \t\r\n=g=", "ab= c\r\n=g"},
		{PF_MIME_BASE64, "aGVs\r\nb*G8=", "hello"},
	};
	struct pf_buf out;

	(void)state;
	pf_buf_init(&out, 1000);
	for (size_t i = 0; i < PF_COUNT(CASES); i++) {
		decode(CASES[i].encoding, pf_span_str(CASES[i].in), &out);
		assert_int_equal(out.n, strlen(CASES[i].out));
		assert_memory_equal(out.p, CASES[i].out, out.n);
	}
	pf_buf_deinit(&out);
}

/* Any octets come back from both encodings, in lines that everybody takes. */
static void encoded_is_decoded_again(void **state)
{
	uint32_t random = 1;
	struct pf_buf coded, back;
	struct pf_err err;
	uint8_t content[400];

	(void)state;
	pf_buf_init(&coded, 4000);
	pf_buf_init(&back, 4000);
	for (size_t round = 0; round < 4000; round++) {
		size_t n = round % sizeof(content), width = 0;

		for (size_t i = 0; i < n; i++) {
			random = random * 1664525 + 1013904223;
			content[i] = round & 1 ? (uint8_t)(random >> 24)
					       : (uint8_t) "ab =\r\n\t."[random >> 29];
		}
		for (int qp = 0; qp < 2; qp++) {
			pf_buf_clear(&coded);
			assert_int_equal((qp ? pf_mime_qp : pf_mime_base64)(
						 pf_span(content, n), &coded, &err),
				PF_OK);
			for (size_t i = 0; i < coded.n; i++) {
				width = coded.p[i] == '\n' ? 0 : width + 1;
				assert_true(width <= 77 && coded.p[i] < 127);
			}
			width = 0;
			decode(qp ? PF_MIME_QP : PF_MIME_BASE64, pf_buf_span(&coded), &back);
			assert_int_equal(back.n, n);
			assert_true(n == 0 || memcmp(back.p, content, n) == 0);
		}
	}
	pf_buf_deinit(&coded);
	pf_buf_deinit(&back);
}

static void a_message_says_the_same_in_any_encoding(void **state)
{
	static const char *const SAME[] = {
		MULTI("mixed", "\r\none = two\r\n--a b\r\nContent-Type: image/png\r\n\r\nxyz"),
		"Content-Type: multipart/mixed; boundary=other\r\n\r\n--other\r\n"
		"Content-Transfer-Encoding: quoted-printable\r\n\r\none =3D "
		"=\r\ntwo\r\n\r\n--other\r\n"
		"Content-Type: image/png\r\nContent-Transfer-Encoding: "
		"base64\r\n\r\neHl6\r\n--other--",
	};
	struct pf_digest a, b;
	struct pf_err err;

	(void)state;
	assert_int_equal(pf_mime_digest(pf_span_str(SAME[0]), &a, &err), PF_OK);
	assert_int_equal(pf_mime_digest(pf_span_str(SAME[1]), &b, &err), PF_OK);
	assert_true(pf_digest_eq(&a, &b));
	assert_int_equal(
		pf_mime_digest(pf_span_str(MULTI("mixed", "\r\none = two\r\n--a b\r\nContent-Type: "
							  "image/png\r\n\r\nxyz\r\n")),
			&b, &err),
		PF_OK);
	assert_false(pf_digest_eq(&a, &b));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(parts_are_found),
		cmocka_unit_test(contents_are_decoded),
		cmocka_unit_test(encoded_is_decoded_again),
		cmocka_unit_test(a_message_says_the_same_in_any_encoding),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
