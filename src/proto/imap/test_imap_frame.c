/* The framer never loses the stream: any bytes, cut anywhere, give the same pieces. */
#include "proto/imap/frame.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

static const struct pf_imap_frame_cfg CFG = {.inline_max = 8, .text_max = 200};

/* What came out, as one text: responses in brackets, long literals in braces. */
static void add_piece(struct pf_buf *log, const struct pf_imap_piece *p)
{
	struct pf_err err;
	int rc;

	switch (p->kind) {
	case PF_IMAP_PIECE_HEAD:
		rc = pf_buf_addf(log, &err, "<%zu>{", (size_t)p->size);
		rc |= p->size == 0 ? pf_buf_add_str(log, "}", &err) : PF_OK;
		break;
	case PF_IMAP_PIECE_BODY:
		rc = pf_buf_add(log, p->bytes, &err);
		rc |= p->offset + p->bytes.n == p->size ? pf_buf_add_str(log, "}", &err) : PF_OK;
		break;
	default:
		rc = pf_buf_addf(log, &err, "[@%zu ", (size_t)p->stream_at);
		rc |= pf_buf_add(log, p->text, &err);
		rc |= pf_buf_addf(log, &err, "|%zu]", p->cut_count);
	}
	assert_int_equal(rc, PF_OK);
}

static void run(struct pf_span in, size_t step, struct pf_buf *log)
{
	struct pf_imap_frame *f = pf_imap_frame_new(&CFG);
	struct pf_imap_piece piece;
	struct pf_err err;
	int rc = PF_AGAIN;

	while (in.n > 0 && rc != PF_FAIL) {
		size_t n = in.n < step ? in.n : step;

		assert_int_equal(pf_imap_frame_push(f, pf_span(in.p, n), &err), PF_OK);
		in = pf_span_from(in, n);
		while ((rc = pf_imap_frame_next(f, &piece, &err)) == PF_OK) {
			add_piece(log, &piece);
		}
	}
	if (rc == PF_FAIL) {
		assert_int_equal(err.scope, PF_SCOPE_SESSION);
		assert_int_equal(pf_buf_add_str(log, "FAIL", &err), PF_OK);
	} else if (pf_imap_frame_at_rest(f)) {
		assert_int_equal(pf_buf_add_str(log, "REST", &err), PF_OK);
	}
	pf_imap_frame_free(&f);
}

static const struct {
	const char *name, *in, *out;
} CASES[] = {
	{"two lines", "* OK hi\r\n* 1 EXISTS\r\n", "[@0 * OK hi|0][@9 * 1 EXISTS|0]REST"},
	{"bare LF", "* OK hi\n* 2 EXISTS\n", "[@0 * OK hi|0][@8 * 2 EXISTS|0]REST"},
	{"short literal stays", "* LIST () \"/\" {5}\r\na\r\nb)\r\n",
		"[@0 * LIST () \"/\" {5}\r\na\r\nb)|0]REST"},
	{"long literal is cut out", "* 1 FETCH (BODY[] {10}\r\n0123\r\n6789 UID 7)\r\n",
		"<10>{0123\r\n6789}[@0 * 1 FETCH (BODY[] {10}\r\n UID 7)|1]REST"},
	{"two long literals", "* 1 FETCH (A {9}\r\n012345678 B ~{9}\r\nabcdefghi)\r\n",
		"<9>{012345678}<9>{abcdefghi}[@0 * 1 FETCH (A {9}\r\n B ~{9}\r\n)|2]REST"},
	{"literal ends the line", "* X {9}\r\n012345678\r\n* OK\r\n",
		"<9>{012345678}[@0 * X {9}\r\n|1][@20 * OK|0]REST"},
	{"free text has no literal", "* OK all done {10}\r\na1 NO sorry {3}\r\n+ go {9}\r\n",
		"[@0 * OK all done {10}|0][@20 a1 NO sorry {3}|0][@37 + go {9}|0]REST"},
	{"quoted braces are no literal", "* LIST () \"/\" \"x {9}\r\n* LIST () \"/\" \"{9}\"\r\n",
		"[@0 * LIST () \"/\" \"x {9}|0][@22 * LIST () \"/\" \"{9}\"|0]REST"},
	{"quote within a literal opens nothing", "* LIST () \"/\" {2}\r\na\" {3}\r\nxyz\r\n",
		"[@0 * LIST () \"/\" {2}\r\na\" {3}\r\nxyz|0]REST"},
	{"server sends {n+}", "* X {3+}\r\nabc y\r\n", "[@0 * X {3+}\r\nabc y|0]REST"},
	{"huge number is no literal", "* X {99999999999999999999999}\r\n* OK\r\n",
		"[@0 * X {99999999999999999999999}|0][@31 * OK|0]REST"},
	{"four gigabytes are announced, nothing is set aside", "* X {4294967296}\r\nab",
		"<4294967296>{ab"},
	{"empty literal", "* LIST () \"/\" {0}\r\n\r\n", "[@0 * LIST () \"/\" {0}\r\n|0]REST"},
	{"unfinished line", "* 1 EXI", ""},
	{"empty lines", "\r\n\n* OK\r\n", "[@0 |0][@2 |0][@3 * OK|0]REST"},
	{"CR within a line stays", "* X a\rb\r\n", "[@0 * X a\rb|0]REST"},
};

static void same_pieces_however_it_is_cut(void **state)
{
	struct pf_buf log;

	(void)state;
	pf_buf_init(&log, 100000);
	for (size_t i = 0; i < PF_COUNT(CASES); i++) {
		struct pf_span in = pf_span_str(CASES[i].in);

		for (size_t step = 1; step <= in.n; step++) {
			const char *got;
			struct pf_err err;

			pf_buf_clear(&log);
			run(in, step, &log);
			assert_int_equal(pf_buf_cstr(&log, &got, &err), PF_OK);
			if (strcmp(got, CASES[i].out) != 0) {
				fail_msg("%s, %zu at a time: %s", CASES[i].name, step, got);
			}
		}
	}
	pf_buf_deinit(&log);
}

static void too_long_a_response_ends_the_session(void **state)
{
	char line[300];
	struct pf_buf log;

	(void)state;
	pf_buf_init(&log, 1000);
	memset(line, 'x', sizeof(line));
	run(pf_span(line, sizeof(line)), 7, &log);
	assert_int_equal(log.n, 4);
	assert_memory_equal(log.p, "FAIL", 4);
	pf_buf_deinit(&log);
}

static void long_bodies_are_not_held(void **state)
{
	struct pf_imap_frame *f = pf_imap_frame_new(&CFG);
	static const char HEAD[] = "* 1 FETCH (BODY[] {50000000}\r\n";
	struct pf_imap_piece piece;
	struct pf_err err;
	char chunk[5000];
	uint64_t got = 0;

	(void)state;
	memset(chunk, 'x', sizeof(chunk));
	assert_int_equal(pf_imap_frame_push(f, pf_span(HEAD, sizeof(HEAD) - 1), &err), PF_OK);
	assert_int_equal(pf_imap_frame_next(f, &piece, &err), PF_OK);
	for (int i = 0; i < 10000; i++) {
		uint8_t *p;
		size_t n;

		assert_int_equal(pf_imap_frame_push(f, pf_span(chunk, sizeof(chunk)), &err), PF_OK);
		while (pf_imap_frame_next(f, &piece, &err) == PF_OK) {
			got += piece.bytes.n;
		}
		assert_int_equal(pf_imap_frame_space(f, &p, &n, &err), PF_OK);
		assert_true(n <= 256 * 1024);
	}
	assert_int_equal(got, 50000000);
	pf_imap_frame_free(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(same_pieces_however_it_is_cut),
		cmocka_unit_test(too_long_a_response_ends_the_session),
		cmocka_unit_test(long_bodies_are_not_held),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
