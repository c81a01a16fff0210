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

/* The caller reads the next bytes to where they belong, when the framer would let them go by; how
 * many. */
static size_t read_past(struct pf_imap_frame *f, struct pf_span in, struct pf_buf *log)
{
	uint64_t awaits = pf_imap_frame_awaits(f);
	size_t n = awaits < in.n ? (size_t)awaits : in.n;
	struct pf_err err;

	if (n > 0) {
		assert_int_equal(pf_buf_add(log, pf_span(in.p, n), &err), PF_OK);
		assert_int_equal(n == awaits ? pf_buf_add_str(log, "}", &err) : PF_OK, PF_OK);
		pf_imap_frame_took(f, n);
	}
	return n;
}

static void run(const struct pf_imap_frame_cfg *cfg, struct pf_span in, size_t step, bool past,
	struct pf_buf *log)
{
	struct pf_imap_frame *f = pf_imap_frame_new(cfg);
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
		if (past && rc == PF_AGAIN) {
			n = in.n < step ? in.n : step;
			in = pf_span_from(in, read_past(f, pf_span(in.p, n), log));
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

/* Fed in pieces of one octet, of two, up to all at once, and read past the framer where it lets
 * that be: always `out`. */
static void check(
	const struct pf_imap_frame_cfg *cfg, const char *name, const char *in, const char *out)
{
	struct pf_buf log;

	pf_buf_init(&log, 100000);
	for (size_t i = 0; i < 2 * strlen(in); i++) {
		size_t step = i / 2 + 1;
		const char *got;
		struct pf_err err;

		pf_buf_clear(&log);
		run(cfg, pf_span_str(in), step, i % 2 == 1, &log);
		assert_int_equal(pf_buf_cstr(&log, &got, &err), PF_OK);
		if (strcmp(got, out) != 0) {
			fail_msg("%s, %zu at a time: %s", name, step, got);
		}
	}
	pf_buf_deinit(&log);
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
	{"2^63 is no literal", "* X {9223372036854775808}\r\n* OK\r\n",
		"[@0 * X {9223372036854775808}|0][@27 * OK|0]REST"},
	{"2^63 - 1 is announced, nothing is set aside", "* X {9223372036854775807}\r\nab",
		"<9223372036854775807>{ab"},
	{"zeros in front", "* X {0000000000000000000000003}\r\na\nb y\r\n",
		"[@0 * X {0000000000000000000000003}\r\na\nb y|0]REST"},
	{"four gigabytes are announced, nothing is set aside", "* X {4294967296}\r\nab",
		"<4294967296>{ab"},
	{"empty literal", "* LIST () \"/\" {0}\r\n\r\n", "[@0 * LIST () \"/\" {0}\r\n|0]REST"},
	{"free text after a missing blank",
		"*OK[ALERT] x {3}\r\na OK[READ-ONLY] {3}\r\n*no {3}\r\n",
		"[@0 *OK[ALERT] x {3}|0][@18 a OK[READ-ONLY] {3}|0][@39 *no {3}|0]REST"},
	{"free text between tabs and blanks", "*\tOK\tx {3}\r\n  a  bad  {3}\r\n",
		"[@0 *\tOK\tx {3}|0][@12   a  bad  {3}|0]REST"},
	{"a quote within a keyword opens no string",
		"* 1 FETCH (FLAGS (5\"disk) BODY[] {3}\r\na\nb)\r\n",
		"[@0 * 1 FETCH (FLAGS (5\"disk) BODY[] {3}\r\na\nb)|0]REST"},
	{"a string right behind a section is one", "* 1 FETCH (BODY[]\"x {3}\r\n* OK\r\n",
		"[@0 * 1 FETCH (BODY[]\"x {3}|0][@25 * OK|0]REST"},
	{"an escaped quote ends no string", "* LIST () \"/\" \"a\\\" {3}\r\n* OK\r\n",
		"[@0 * LIST () \"/\" \"a\\\" {3}|0][@24 * OK|0]REST"},
	{"text mode makes CR CR LF", "* OK hi\r\r\n* X {3}\r\r\na\nb y\r\r\n",
		"[@0 * OK hi|0][@10 * X {3}\r\r\na\nb y|0]REST"},
	{"braces elsewhere", "* X {3} y\r\n* X {}\r\n* X {x3}\r\n* X 3}\r\n{1}\r\na\r\n",
		"[@0 * X {3} y|0][@11 * X {}|0][@19 * X {x3}|0][@29 * X 3}|0][@37 {1}\r\na|0]REST"},
	{"unfinished line", "* 1 EXI", ""},
	{"empty lines", "\r\n\n* OK\r\n", "[@0 |0][@2 |0][@3 * OK|0]REST"},
	{"CR within a line stays", "* X a\rb\r\n", "[@0 * X a\rb|0]REST"},
};

static void same_pieces_however_it_is_cut(void **state)
{
	(void)state;
	for (size_t i = 0; i < PF_COUNT(CASES); i++) {
		check(&CFG, CASES[i].name, CASES[i].in, CASES[i].out);
	}
}

static void a_nul_is_a_byte_like_others(void **state)
{
	static const char IN[] = "* 1 FETCH (X a\0b \"\0 {9}\r\n* X \0{3}\r\na\0b\r\n";
	struct pf_imap_frame *f = pf_imap_frame_new(&CFG);
	struct pf_imap_piece piece;
	struct pf_err err;

	(void)state;
	assert_int_equal(pf_imap_frame_push(f, pf_span(IN, sizeof(IN) - 1), &err), PF_OK);
	assert_int_equal(pf_imap_frame_next(f, &piece, &err), PF_OK);
	assert_int_equal(piece.text.n, 23);
	assert_int_equal(pf_imap_frame_next(f, &piece, &err), PF_OK);
	assert_int_equal(piece.text.n, 13);
	assert_int_equal(pf_imap_frame_next(f, &piece, &err), PF_AGAIN);
	pf_imap_frame_free(&f);
}

/* Each against limits of 40 octets of text and 8 of a literal in it. */
static const struct {
	const char *name, *in, *out;
} LIMITS[] = {
	{"as long as may be", "* X 890123456789012345678901234567890123\r\n* OK\r\n",
		"[@0 * X 890123456789012345678901234567890123|0][@42 * OK|0]REST"},
	{"one more", "* OK\r\n* X 8901234567890123456789012345678901234\r\n* OK\r\n",
		"[@0 * OK|0]FAIL"},
	{"literals count", "* X {8}\r\n01234567 {8}\r\n01234567 {8}\r\n01234567\r\n", "FAIL"},
	{"what comes behind a long literal counts",
		"* X {9}\r\n012345678 0123456789012345678901234567890\r\n", "<9>{012345678}FAIL"},
	{"and may be so long", "* X {9}\r\n012345678 012345678901234567890123456789\r\n",
		"<9>{012345678}[@0 * X {9}\r\n 012345678901234567890123456789|1]REST"},
	{"nine long literals",
		"* "
		"{9}\r\n012345678{9}\r\n012345678{9}\r\n012345678{9}\r\n012345678{9}\r\n012345678{"
		"9}"
		"\r\n012345678{9}\r\n012345678{9}\r\n012345678{9}\r\n012345678\r\n",
		"<9>{012345678}<9>{012345678}<9>{012345678}<9>{012345678}<9>{012345678}<9>{"
		"012345678}<9>{012345678}FAIL"},
};

static void a_limit_ends_the_session_at_one_place(void **state)
{
	static const struct pf_imap_frame_cfg small = {.inline_max = 8, .text_max = 40};

	(void)state;
	for (size_t i = 0; i < PF_COUNT(LIMITS); i++) {
		check(&small, LIMITS[i].name, LIMITS[i].in, LIMITS[i].out);
	}
}

static void a_lost_stream_stays_lost(void **state)
{
	static const struct pf_imap_frame_cfg small = {.inline_max = 8, .text_max = 4};
	struct pf_imap_frame *f = pf_imap_frame_new(&small);
	struct pf_imap_piece piece;
	struct pf_err err;

	(void)state;
	assert_int_equal(pf_imap_frame_push(f, pf_span_str("* 123456\r\n* OK\r\n"), &err), PF_OK);
	for (int i = 0; i < 3; i++) {
		pf_err_clear(&err);
		assert_int_equal(pf_imap_frame_next(f, &piece, &err), PF_FAIL);
		assert_int_equal(err.scope, PF_SCOPE_SESSION);
		assert_non_null(strstr(err.text, "4 bytes"));
		pf_imap_frame_forget(f);
	}
	assert_false(pf_imap_frame_at_rest(f));
	pf_imap_frame_free(&f);
}

static void what_came_before_tls_is_forgotten(void **state)
{
	struct pf_imap_frame *f = pf_imap_frame_new(&CFG);
	static const char *const LEFT[] = {"* BYE injected\r\n", "* OK half", "* X {5}\r\nab",
		"* X {9}\r\nabc", "* X {9}\r\n012345678 z"};
	struct pf_imap_piece piece;
	struct pf_err err;

	(void)state;
	for (size_t i = 0; i < PF_COUNT(LEFT); i++) {
		assert_int_equal(pf_imap_frame_push(f, pf_span_str("a OK begin\r\n"), &err), PF_OK);
		assert_int_equal(pf_imap_frame_push(f, pf_span_str(LEFT[i]), &err), PF_OK);
		assert_int_equal(pf_imap_frame_next(f, &piece, &err), PF_OK);
		while (i > 0 && pf_imap_frame_next(f, &piece, &err) == PF_OK) {
		}
		pf_imap_frame_forget(f);
		assert_true(pf_imap_frame_at_rest(f));
		assert_int_equal(pf_imap_frame_push(f, pf_span_str("* 1 EXISTS\r\n"), &err), PF_OK);
		assert_int_equal(pf_imap_frame_next(f, &piece, &err), PF_OK);
		assert_int_equal(piece.kind, PF_IMAP_PIECE_RESPONSE);
		assert_true(pf_span_eq(piece.text, pf_span_str("* 1 EXISTS")));
		assert_int_equal(piece.cut_count, 0);
		assert_int_equal(pf_imap_frame_next(f, &piece, &err), PF_AGAIN);
	}
	pf_imap_frame_free(&f);
}

/* One small response is taken between two reads of many: what waits is not moved each time. */
static void a_slow_taker_costs_no_more(void **state)
{
	struct pf_imap_frame *f = pf_imap_frame_new(&CFG);
	struct pf_imap_piece piece;
	struct pf_err err;
	uint64_t moves = 0, at = 0;
	const uint8_t *last = NULL;

	(void)state;
	for (int i = 0; i < 20000; i++) {
		static const char LINES[] = "* 1 EXISTS\r\n* 2 EXISTS\r\n";

		assert_int_equal(
			pf_imap_frame_push(f, pf_span(LINES, sizeof(LINES) - 1), &err), PF_OK);
		assert_int_equal(pf_imap_frame_next(f, &piece, &err), PF_OK);
		assert_int_equal(piece.stream_at, at);
		moves += last && piece.text.p != last + 12;
		last = piece.text.p;
		at += 12;
	}
	assert_true(moves < 100);
	pf_imap_frame_free(&f);
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
		assert_true(n <= 262144);
	}
	assert_int_equal(got, 50000000);
	pf_imap_frame_free(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(same_pieces_however_it_is_cut),
		cmocka_unit_test(a_nul_is_a_byte_like_others),
		cmocka_unit_test(a_limit_ends_the_session_at_one_place),
		cmocka_unit_test(a_lost_stream_stays_lost),
		cmocka_unit_test(what_came_before_tls_is_forgotten),
		cmocka_unit_test(a_slow_taker_costs_no_more),
		cmocka_unit_test(long_bodies_are_not_held),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
