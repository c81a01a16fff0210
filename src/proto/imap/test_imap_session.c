/* What goes out when an answer comes at an odd moment. */
#include "proto/imap/session.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static struct pf_imap_session *S;

static int begin(void **state)
{
	const struct pf_imap_session_cfg cfg = {0};

	(void)state;
	S = pf_imap_session_new(&cfg, 0);
	return S ? 0 : -1;
}

static int end(void **state)
{
	(void)state;
	pf_imap_session_free(&S);
	return 0;
}

/* The server says it; how many of the commands are over by it. */
static size_t say(const char *text)
{
	struct pf_imap_session_event ev;
	struct pf_err err;
	const size_t n = strlen(text);
	size_t room, done = 0;
	uint8_t *p;
	int rc;

	assert_int_equal(pf_imap_session_space(S, &p, &room, &err), PF_OK);
	assert_true(room >= n);
	for (size_t i = 0; i < n; i++) {
		p[i] = (uint8_t)text[i];
	}
	pf_imap_session_filled(S, n);
	while ((rc = pf_imap_session_next(S, &ev, &err)) == PF_OK) {
		done += ev.kind == PF_IMAP_EV_DONE;
	}
	assert_int_equal(rc, PF_AGAIN);
	return done;
}

/* Write up to `most` bytes of what may go out, behind what is in `out`. */
static void write_some(char *out, size_t size, size_t most)
{
	struct pf_span spans[8];
	bool secret;

	while (most > 0) {
		size_t n = pf_imap_session_pending(S, spans, PF_COUNT(spans), &secret);
		size_t take = n > 0 && spans[0].n < most ? spans[0].n : most;

		if (n == 0) {
			return;
		}
		assert_true(strlen(out) + take < size);
		memcpy(out + strlen(out), spans[0].p, take); /* zeros follow */
		pf_imap_session_sent(S, take);
		most -= take;
	}
}

static struct pf_imap_cmd *command(enum pf_imap_cmd_kind kind)
{
	struct pf_imap_cmd *c = NULL;
	struct pf_err err;

	assert_int_equal(pf_imap_cmd_new(S, kind, NULL, &c, &err), PF_OK);
	return c;
}

static void append(size_t bodies, bool open)
{
	struct pf_imap_cmd *c = command(PF_IMAP_CMD_APPEND);
	struct pf_err err;

	pf_imap_cmd_text(c, " X");
	for (size_t i = 0; i < bodies; i++) {
		struct pf_blob *body = pf_blob_new(4);

		assert_non_null(body);
		memcpy(body->bytes, "body", 4);
		pf_imap_cmd_blob(c, body, false);
		pf_blob_unref(&body);
	}
	assert_int_equal(pf_imap_cmd_send(c, open, &err), PF_OK);
}

static void noop(void)
{
	struct pf_err err;

	assert_int_equal(pf_imap_cmd_send(command(PF_IMAP_CMD_CAPABILITY), false, &err), PF_OK);
}

/* The answer comes `written` bytes into the command; what went out in all. */
static void refused_after(
	const char *greeting, size_t bodies, bool open, size_t written, const char *expected)
{
	char out[200] = "";

	assert_int_equal(say(greeting), 0);
	append(bodies, open);
	noop();
	write_some(out, sizeof(out), written);
	assert_int_equal(say("p1 NO not now\r\n"), 1);
	write_some(out, sizeof(out), sizeof(out));
	assert_string_equal(out, expected);
	assert_int_equal(say("p2 OK done\r\n"), 1);
	assert_int_equal(pf_imap_session_busy(S), 0);
}

static void no_within_the_line_of_a_literal_that_waits(void **state)
{
	(void)state;
	refused_after("* OK hello\r\n", 1, false, 5, "p1 APPEND X {4}\r\np2 CAPABILITY\r\n");
}

static void no_in_place_of_the_plus(void **state)
{
	(void)state;
	refused_after("* OK hello\r\n", 2, false, 100, "p1 APPEND X {4}\r\np2 CAPABILITY\r\n");
}

static void no_within_the_line_of_an_open_group(void **state)
{
	(void)state;
	refused_after("* OK hello\r\n", 1, true, 5, "p1 APPEND X {4}\r\np2 CAPABILITY\r\n");
}

static void no_within_what_goes_unasked(void **state)
{
	(void)state;
	refused_after("* OK [CAPABILITY IMAP4rev1 LITERAL+] hello\r\n", 2, false, 21,
		"p1 APPEND X {4+}\r\nbody {4+}\r\nbody\r\np2 CAPABILITY\r\n");
}

static void no_within_an_open_group_that_goes_unasked(void **state)
{
	(void)state;
	refused_after("* OK [CAPABILITY IMAP4rev1 LITERAL+] hello\r\n", 1, true, 20,
		"p1 APPEND X {4+}\r\nbody\r\np2 CAPABILITY\r\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			no_within_the_line_of_a_literal_that_waits, begin, end),
		cmocka_unit_test_setup_teardown(no_in_place_of_the_plus, begin, end),
		cmocka_unit_test_setup_teardown(no_within_the_line_of_an_open_group, begin, end),
		cmocka_unit_test_setup_teardown(no_within_what_goes_unasked, begin, end),
		cmocka_unit_test_setup_teardown(
			no_within_an_open_group_that_goes_unasked, begin, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
