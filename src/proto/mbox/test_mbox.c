#include "proto/mbox/mbox.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

enum { ROOM = 4 << 20 };

/* Octets in memory, read and written. */
struct memory {
	struct pf_mbox_src src;
	struct pf_mbox_sink sink;
	struct pf_buf bytes;
};

static int read_at(struct pf_mbox_src *src, uint64_t at, uint8_t *into, size_t n, size_t *got,
	struct pf_err *err)
{
	const struct memory *m = pf_container_of(src, struct memory, src);

	(void)err;
	*got = at >= m->bytes.n ? 0 : m->bytes.n - (size_t)at;
	*got = *got > n ? n : *got;
	if (*got > 0) {
		memcpy(into, m->bytes.p + at, *got);
	}
	return PF_OK;
}

static int write_bytes(struct pf_mbox_sink *sink, struct pf_span bytes, struct pf_err *err)
{
	return pf_buf_add(&pf_container_of(sink, struct memory, sink)->bytes, bytes, err);
}

static void init(struct memory *m, struct pf_span bytes)
{
	struct pf_err err;

	*m = (struct memory){.src = {read_at}, .sink = {write_bytes}};
	pf_buf_init(&m->bytes, ROOM);
	assert_int_equal(pf_buf_add(&m->bytes, bytes, &err), PF_OK);
}

static void body_of(
	struct memory *m, const struct pf_mbox_msg *msg, bool header, struct pf_buf *out)
{
	struct pf_mbox_body *b = malloc(sizeof(*b));
	uint8_t *part = malloc(PF_MBOX_OUT);
	struct pf_err err;
	size_t n = 1;

	assert_true(b && part);
	pf_buf_init(out, ROOM);
	for (pf_mbox_open(b, &m->src, msg, header); n > 0;) {
		assert_int_equal(pf_mbox_read(b, part, &n, &err), PF_OK);
		assert_true(n <= PF_MBOX_OUT);
		assert_int_equal(pf_buf_add(out, pf_span(part, n), &err), PF_OK);
	}
	free(part);
	free(b);
}

/* What stands in a case for a message: its body as it comes out, with its marks in front. */
struct scan_case {
	const char *name, *file, *want;
};

#define FROM "From ann@example.org Sat Nov 14 10:00:00 2026\n"

static const struct scan_case SCANS[] = {
	{"empty", "", ""},
	{"one", FROM "A: b\n\nbody\n\n", "[A: b\r\n\r\nbody\r\n]"},
	{"two", FROM "A: b\n\nbody\n\n" FROM "C: d\n\nmore\n",
		"[A: b\r\n\r\nbody\r\n][C: d\r\n\r\nmore\r\n]"},
	{"blank lines before the first", "\n\n" FROM "A: b\n\nx\n\n", "[A: b\r\n\r\nx\r\n]"},
	{"no blank line between", FROM "A: b\n\nx\n" FROM "C: d\n\ny\n",
		"[A: b\r\n\r\nx\r\n][C: d\r\n\r\ny\r\n]"},
	{"one of two blank lines is the message's", FROM "A: b\n\nx\n\n\n" FROM "C: d\n\n",
		"[A: b\r\n\r\nx\r\n\r\n][C: d\r\n\r\n]"},
	{"header only", FROM "A: b\n\n\n" FROM "C: d\n\n", "[A: b\r\n\r\n][C: d\r\n\r\n]"},
	{"header without its blank line", FROM "A: b\n" FROM "C: d\n\n",
		"[A: b\r\n][C: d\r\n\r\n]"},
	{"no line end at the end", FROM "A: b\n\nx", "[A: b\r\n\r\nx]"},
	{"From in a text", FROM "A: b\n\nFrom here on\n\nFrom there\n\n",
		"[A: b\r\n\r\nFrom here on\r\n\r\nFrom there\r\n]"},
	{"mboxo and mboxrd", FROM "A: b\n\n>From x\n>>From y\n> From z\n>from\n\n",
		"[A: b\r\n\r\nFrom x\r\n>From y\r\n> From z\r\n>from\r\n]"},
	{"a quoted line of a header stays", FROM ">From joe Mon\nA: b\n\nx\n",
		"[>From joe Mon\r\nA: b\r\n\r\nx\r\n]"},
	{"mboxcl2", FROM "A: b\nContent-Length: 54\n\n" FROM ">From x\n\n" FROM "C: d\n\n",
		"[A: b\r\n\r\nFrom ann@example.org Sat Nov 14 10:00:00 2026\r\n>From x\r\n][C: "
		"d\r\n\r\n]"},
	{"mboxcl", FROM "Content-Length: 8\nA: b\n\n>From x\n\n" FROM "C: d\n\n",
		"[A: b\r\n\r\nFrom x\r\n][C: d\r\n\r\n]"},
	{"a length that is wrong", FROM "A: b\nContent-Length: 3\n\nbody\n\n" FROM "C: d\n\n",
		"[A: b\r\n\r\nbody\r\n][C: d\r\n\r\n]"},
	{"a length that is none", FROM "A: b\nContent-Length: 99999999999999999999\n\nbody\n\n",
		"[A: b\r\n\r\nbody\r\n]"},
	{"a length past the end", FROM "A: b\nContent-Length: 500\n\nbody\n\n" FROM "C: d\n\n",
		"[A: b\r\n\r\nbody\r\n][C: d\r\n\r\n]"},
	{"CRLF",
		"From a Sat Nov 14 10:00:00 2026\r\nA: b\r\n\r\n>From x\r\n\r\nFrom b Sat Nov 14 "
		"10:00:00 2026\r\nC: d\r\n\r\n",
		"[A: b\r\n\r\nFrom x\r\n][C: d\r\n\r\n]"},
	{"flags of mutt", FROM "Status: RO\nA: b\nX-Status: AF\nX-Keywords: Work $Later\n\nx\n",
		"{7 Work $Later}[A: b\r\n\r\nx\r\n]"},
	{"flags of a mail server",
		FROM "X-IMAPbase: 1 2\nA: b\nX-UID: 1\nX-Status: DT\nStatus: O\n\nx\n",
		"{24 }[A: b\r\n\r\nx\r\n]"},
	{"flags of Thunderbird",
		FROM "X-Mozilla-Status: 0007\nX-Mozilla-Status2: 00000000\nX-Mozilla-Keys: $label1 "
		     "               \nA: b\n\nx\n",
		"{7 $label1}[A: b\r\n\r\nx\r\n]"},
	{"folded lines", FROM "A: b\nX-Keywords: one\n two\nC: d\n e\n\nx\n",
		"{0 one}[A: b\r\nC: d\r\n e\r\n\r\nx\r\n]"},
	{"no dates at all", "From ann\nA: b\n\nx\n\nFrom bob\nC: d\n\n",
		"[A: b\r\n\r\nx\r\n][C: d\r\n\r\n]"},
	{"dates of other forms",
		"From a Nov 14 10:00:00 +0100 2026\nA: b\n\nx\n\nFrom - Sat Nov 14 10:00 UTC "
		"2026\nC: d\n\nFrom c Sat, 14 Nov 2026 10:00:00 +0100\nE: f\n\n",
		"[A: b\r\n\r\nx\r\n][C: d\r\n\r\n][E: f\r\n\r\n]"},
	{"ours",
		"From MAILER-DAEMON Sat Nov 14 10:00:00 2026\nStatus: RO\nX-Status: F   "
		"\nX-Keywords: k   \nX-Postferry-Octets: 18\nStatus: RO\n\n>From\n\n\n" FROM
		"C: d\n\n",
		"{5 k}[Status: RO\r\n\r\n>From\r\n][C: d\r\n\r\n]"},
	{"ours, and torn",
		"From MAILER-DAEMON Sat Nov 14 10:00:00 2026\nStatus: RO\nX-Status: F   "
		"\nX-Keywords: k   \nX-Postferry-Octets: 100\nStatus: RO\n\n",
		""},
	{"ours, and edited since",
		"From MAILER-DAEMON Sat Nov 14 10:00:00 2026\nStatus: RO\nX-Status: F   "
		"\nX-Keywords: k   \nX-Postferry-Octets: 100\nA: b\n\nx\n\n" FROM "C: d\n\n",
		"{5 k}[A: b\r\n\r\nx\r\n][C: d\r\n\r\n]"},
};

static void scans(void **state)
{
	(void)state;
	for (size_t i = 0; i < PF_COUNT(SCANS); i++) {
		struct memory m;
		struct pf_mbox *box;
		struct pf_mbox_msg msg;
		struct pf_buf got, body;
		struct pf_err err;
		int rc;

		init(&m, pf_span_str(SCANS[i].file));
		box = pf_mbox_new(&m.src);
		assert_non_null(box);
		pf_buf_init(&got, ROOM);
		while ((rc = pf_mbox_next(box, &msg, &err)) == PF_OK) {
			if (msg.marks || msg.keywords[0]) {
				assert_int_equal(
					pf_buf_addf(&got, &err, "{%u %s}", msg.marks, msg.keywords),
					PF_OK);
			}
			body_of(&m, &msg, false, &body);
			assert_int_equal(pf_buf_addf(&got, &err, "[%.*s]", (int)body.n,
						 (const char *)body.p),
				PF_OK);
			pf_buf_deinit(&body);
		}
		if (rc != PF_END || !pf_span_eq(pf_buf_span(&got), pf_span_str(SCANS[i].want))) {
			fail_msg("%s: %.*s", SCANS[i].name, (int)got.n, (const char *)got.p);
		}
		pf_buf_deinit(&got);
		pf_mbox_free(&box);
		pf_buf_deinit(&m.bytes);
	}
}

static void no_mailbox_is_said(void **state)
{
	struct memory m;
	struct pf_mbox *box;
	struct pf_mbox_msg msg;
	struct pf_err err;

	(void)state;
	init(&m, pf_span_str("Dear Sir,\n"));
	box = pf_mbox_new(&m.src);
	assert_int_equal(pf_mbox_next(box, &msg, &err), PF_FAIL);
	assert_int_equal(err.scope, PF_SCOPE_FOLDER);
	pf_mbox_free(&box);
	pf_buf_deinit(&m.bytes);
	assert_true(pf_mbox_is(pf_span_str("")));
	assert_true(pf_mbox_is(pf_span_str("\n\nFrom a")));
	assert_false(pf_mbox_is(pf_span_str("// <!-- mdb:mork")));
}

static void dates(void **state)
{
	static const struct {
		const char *line;
		int64_t utc_s; /* -1: there is none */
	} CASES[] = {
		{"From a Sat Nov 14 10:00:00 2026", 1794650400},
		{"From - Sat Nov 14 10:00:00 2026", 1794650400},
		{"From a b c Sat Nov 14 10:00:00 2026", 1794650400},
		{"From a Sat Nov 14 10:00:00 +0100 2026", 1794646800},
		{"From a Sat Nov 14 10:00:00 2026 +0100", 1794646800},
		{"From a Sat Nov 14 10:00:00 GMT 2026", 1794650400},
		{"From a Sat Nov 14 10:00 2026", 1794650400},
		{"From a Sat Nov  4 10:00:00 2026", 1793786400},
		{"From a Sat, 14 Nov 2026 10:00:00 +0100", 1794646800},
		{"From a Sat Nov 14 10:00:00 2026 remote from b", 1794650400},
		{"From here on Nov 14", -1},
		{"From a Sat Nov 99 10:00:00 2026", -1},
		{"From a Sat Nov 14 10:00:00", -1},
	};

	(void)state;
	for (size_t i = 0; i < PF_COUNT(CASES); i++) {
		struct memory m;
		struct pf_mbox *box;
		struct pf_mbox_msg msg;
		struct pf_err err;

		init(&m, pf_span_str(CASES[i].line));
		box = pf_mbox_new(&m.src);
		assert_int_equal(pf_mbox_next(box, &msg, &err), PF_OK);
		if (msg.has_date != (CASES[i].utc_s >= 0) ||
			(msg.has_date && msg.date_utc_s != CASES[i].utc_s)) {
			fail_msg("%s: %lld", CASES[i].line, (long long)msg.date_utc_s);
		}
		pf_mbox_free(&box);
		pf_buf_deinit(&m.bytes);
	}
}

static const char *const MESSAGES[] = {
	"",
	"x",
	"\r\n",
	"\n",
	"\r",
	"A: b\r\n",
	"A: b\r\n\r\n",
	"A: b\r\n\r\nbody\r\n",
	"A: b\r\n\r\nbody",
	"A: b\r\n\r\nbody\r\n\r\n\r\n",
	"A: b\n\nbody\n",
	"A: b\r\n\r\none\nodd\r\n",
	"A: b\r\n\r\nx\r\r\n",
	"A: b\r\n\r\nx\r",
	"A: b\r\n\r\nbo\rdy\r\n",
	"\r\nno header\r\n",
	"From a@x Sat Nov 14 10:00:00 2026\r\nA: b\r\n\r\n",
	">From a\r\n>>From b\r\n> From\r\n>>>>>Fro",
	"A: b\r\n\r\nFrom me\r\nFrom",
	"Status: RO\r\nX-Status: A\r\nX-Keywords: \r\nX-Postferry-Octets: 3\r\n\r\nx",
	"Content-Length: 3\r\n\r\n12345\r\n",
	"A: b\r\n\r\nFrom ann@x Sat Nov 14 10:00:00 2026\r\n\r\n",
};

static void write_one(struct memory *file, struct pf_span message, const struct pf_mbox_note *note)
{
	struct memory m;
	struct pf_err err;

	init(&m, message);
	assert_int_equal(pf_mbox_write(&m.src, note, &file->sink, &err), PF_OK);
	pf_buf_deinit(&m.bytes);
}

/* Whatever was written comes back octet for octet, wherever in the file it is. */
static void messages_come_back(void **state)
{
	const struct pf_mbox_note note = {.date_utc_s = 1794650400,
		.marks = PF_MBOX_SEEN | PF_MBOX_DRAFT,
		.keywords = pf_span_str("$Forwarded Work")};
	struct memory file;
	struct pf_mbox *box;
	struct pf_mbox_msg msg;
	struct pf_buf body;
	struct pf_err err;

	(void)state;
	init(&file, pf_span_str(FROM "A: b\n\nfrom somebody else\n\n"));
	for (size_t i = 0; i < PF_COUNT(MESSAGES); i++) {
		write_one(&file, pf_span_str(MESSAGES[i]), &note);
	}
	box = pf_mbox_new(&file.src);
	assert_int_equal(pf_mbox_next(box, &msg, &err), PF_OK);
	for (size_t i = 0; i < PF_COUNT(MESSAGES); i++) {
		assert_int_equal(pf_mbox_next(box, &msg, &err), PF_OK);
		assert_true(msg.ours && msg.has_date);
		assert_int_equal(msg.date_utc_s, note.date_utc_s);
		assert_int_equal(msg.marks, note.marks);
		assert_string_equal(msg.keywords, "$Forwarded Work");
		body_of(&file, &msg, false, &body);
		if (!pf_span_eq(pf_buf_span(&body), pf_span_str(MESSAGES[i]))) {
			fail_msg("message %zu: \"%.*s\"", i, (int)body.n, (const char *)body.p);
		}
		pf_buf_deinit(&body);
	}
	assert_int_equal(pf_mbox_next(box, &msg, &err), PF_END);
	assert_int_equal(pf_mbox_whole(box), file.bytes.n);
	pf_mbox_free(&box);
	pf_buf_deinit(&file.bytes);
}

/* Lines and messages across the borders of what is read at once. */
static void large_messages_come_back(void **state)
{
	static const size_t SIZES[] = {PF_MBOX_CHUNK - 300, PF_MBOX_CHUNK - 1, PF_MBOX_CHUNK,
		PF_MBOX_CHUNK + 1, (size_t)3 * PF_MBOX_CHUNK};
	const struct pf_mbox_note note = {.date_utc_s = 0};

	(void)state;
	for (size_t i = 0; i < 3 * PF_COUNT(SIZES); i++) {
		size_t n = SIZES[i / 3];
		char *text = malloc(n);
		struct memory file;
		struct pf_mbox *box;
		struct pf_mbox_msg msg;
		struct pf_buf body;
		struct pf_err err;

		assert_non_null(text);
		for (size_t k = 0; k < n; k++) { /* quoted lines; one line; one of '>' alone */
			text[k] = i % 3 == 0 ? "\r\n>>From x"[k % 10] : i % 3 == 1 ? 'y' : '>';
		}
		init(&file, pf_span(NULL, 0));
		write_one(&file, pf_span(text, n), &note);
		write_one(&file, pf_span_str("A: b\r\n\r\n"), &note);
		box = pf_mbox_new(&file.src);
		assert_int_equal(pf_mbox_next(box, &msg, &err), PF_OK);
		body_of(&file, &msg, false, &body);
		assert_true(pf_span_eq(pf_buf_span(&body), pf_span(text, n)));
		pf_buf_deinit(&body);
		assert_int_equal(pf_mbox_next(box, &msg, &err), PF_OK);
		assert_int_equal(pf_mbox_next(box, &msg, &err), PF_END);
		pf_mbox_free(&box);
		pf_buf_deinit(&file.bytes);
		free(text);
	}
}

/* A message that was cut anywhere is none, and those before it are all there. */
static void torn_messages_are_known(void **state)
{
	const struct pf_mbox_note note = {.date_utc_s = 1794650400};
	struct memory file;
	size_t first;

	(void)state;
	init(&file, pf_span(NULL, 0));
	write_one(&file, pf_span_str("A: b\r\n\r\nfirst\r\n"), &note);
	first = file.bytes.n;
	write_one(&file, pf_span_str("A: b\r\n\r\nsecond\r\n"), &note);
	for (size_t n = file.bytes.n - 1; n > first; n--) {
		struct pf_mbox *box = pf_mbox_new(&file.src);
		struct pf_mbox_msg msg;
		struct pf_err err;

		file.bytes.n = n;
		pf_mbox_seek(box, first);
		if (pf_mbox_next(box, &msg, &err) != PF_END || pf_mbox_whole(box) != first) {
			fail_msg("cut to %zu octets of %zu", n - first, file.bytes.n - first);
		}
		pf_mbox_free(&box);
	}
	pf_buf_deinit(&file.bytes);
}

static void notes_keep_their_length(void **state)
{
	const struct pf_mbox_note note = {.date_utc_s = 0, .keywords = pf_span_str("Work")};
	struct memory file;
	struct pf_mbox *box;
	struct pf_mbox_msg msg;
	struct pf_buf notes;
	struct pf_err err;
	uint64_t at = sizeof(FROM);

	(void)state;
	init(&file, pf_span(NULL, 0));
	write_one(&file, pf_span_str("A: b\r\n\r\nfirst\r\n"), &note);
	at = (uint64_t)((const uint8_t *)memchr(file.bytes.p, '\n', file.bytes.n) - file.bytes.p) +
	     1;
	box = pf_mbox_new(&file.src);
	assert_int_equal(pf_mbox_next(box, &msg, &err), PF_OK);
	pf_buf_init(&notes, 4096);
	assert_int_equal(pf_mbox_notes(&msg, PF_MBOX_SEEN | PF_MBOX_DELETED,
				 pf_span_str("Work $Later"), &notes, &err),
		PF_OK);
	assert_int_equal(notes.n, msg.begin - at);
	memcpy(file.bytes.p + at, notes.p, notes.n);
	pf_mbox_seek(box, 0);
	assert_int_equal(pf_mbox_next(box, &msg, &err), PF_OK);
	assert_int_equal(msg.marks, PF_MBOX_SEEN | PF_MBOX_DELETED);
	assert_string_equal(msg.keywords, "Work $Later");
	pf_buf_deinit(&notes);
	pf_mbox_free(&box);
	pf_buf_deinit(&file.bytes);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(scans),
		cmocka_unit_test(no_mailbox_is_said),
		cmocka_unit_test(dates),
		cmocka_unit_test(messages_come_back),
		cmocka_unit_test(large_messages_come_back),
		cmocka_unit_test(torn_messages_are_known),
		cmocka_unit_test(notes_keep_their_length),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
