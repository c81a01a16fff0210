/* What goes out while a large message is fed. */
#include "proto/imap/session.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static void server_says(struct pf_imap_session *s, const char *text)
{
	struct pf_imap_session_event ev;
	struct pf_err err;
	uint8_t *room = NULL;
	size_t n = 0;

	assert_int_equal(pf_imap_session_space(s, &room, &n, &err), PF_OK);
	assert_true(n >= strlen(text));
	memcpy(room, text, strlen(text)); /* NOLINT(bugprone-not-null-terminated-result) */
	pf_imap_session_filled(s, strlen(text));
	while (pf_imap_session_next(s, &ev, &err) == PF_OK) {
	}
}

/* As much as there is, at most `most`. */
static size_t write_out(struct pf_imap_session *s, size_t most)
{
	struct pf_span spans[8];
	bool secret;
	size_t n = 0, count = pf_imap_session_pending(s, spans, PF_COUNT(spans), &secret);

	for (size_t i = 0; i < count; i++) {
		n += spans[i].n;
	}
	n = n < most ? n : most;
	pf_imap_session_sent(s, n);
	return n;
}

static struct pf_imap_cmd *append(struct pf_imap_session *s, uint64_t size)
{
	struct pf_imap_cmd *c = NULL;
	struct pf_err err;

	assert_int_equal(pf_imap_cmd_new(s, PF_IMAP_CMD_APPEND, NULL, &c, &err), PF_OK);
	pf_imap_cmd_astring(c, pf_span_str("INBOX"));
	pf_imap_cmd_fed(c, size);
	assert_int_equal(pf_imap_cmd_send(c, false, &err), PF_OK);
	return c;
}

/* Else a feeder that is told of room and turned away asks again and again. */
/* NOLINTNEXTLINE(readability-function-cognitive-complexity,readability-function-size) */
static void who_is_hungry_takes_a_part_of_any_size(void **state)
{
	static const size_t PARTS[] = {1, 1000, 40000, 128 << 10, (128 << 10) + 1, 256 << 10};
	static uint8_t bytes[256 << 10];
	const uint64_t size = 4 << 20;

	(void)state;
	for (size_t i = 0; i < PF_COUNT(PARTS); i++) {
		struct pf_imap_session *s =
			pf_imap_session_new(&(struct pf_imap_session_cfg){0}, 0);
		struct pf_imap_cmd *c;
		uint64_t fed = 0, written = 0;
		size_t refused = 0;
		struct pf_err err;

		assert_non_null(s);
		server_says(s, "* PREAUTH [CAPABILITY IMAP4rev1 LITERAL+] ready\r\n");
		c = append(s, size);
		while (written < pf_imap_cmd_length(c)) {
			size_t part = fed + PARTS[i] > size ? (size_t)(size - fed) : PARTS[i];
			bool hungry = pf_imap_cmd_hungry(c);
			int rc = fed < size ? pf_imap_cmd_feed(c, pf_span(bytes, part), &err)
					    : PF_AGAIN;

			assert_int_equal(rc, hungry ? PF_OK : PF_AGAIN);
			fed += rc == PF_OK ? part : 0;
			if (rc != PF_OK || PARTS[i] < 1000) {
				refused++;
				written += write_out(s, 30000);
				if (written == pf_imap_cmd_length(c)) {
					break;
				}
			}
			assert_true(fed <= written + (384 << 10)); /* what lies here is bounded */
			if (PARTS[i] == 1 && fed > 4096) {
				break;
			}
		}
		assert_true(refused > 0);
		pf_imap_session_free(&s);
	}
}

static void nothing_is_taken_before_the_server_asks(void **state)
{
	struct pf_imap_session *s = pf_imap_session_new(&(struct pf_imap_session_cfg){0}, 0);
	struct pf_imap_cmd *c;
	struct pf_err err;

	(void)state;
	assert_non_null(s);
	server_says(s, "* PREAUTH [CAPABILITY IMAP4rev1] ready\r\n");
	c = append(s, 3);
	assert_false(pf_imap_cmd_hungry(c));
	assert_int_equal(pf_imap_cmd_feed(c, pf_span_str("abc"), &err), PF_AGAIN);
	assert_true(write_out(s, SIZE_MAX) > 0);
	server_says(s, "+ go\r\n");
	assert_true(pf_imap_cmd_hungry(c));
	assert_int_equal(pf_imap_cmd_feed(c, pf_span_str("abc"), &err), PF_OK);
	assert_false(pf_imap_cmd_hungry(c));
	assert_int_equal(write_out(s, SIZE_MAX), 5); /* with the line end */
	assert_int_equal(pf_imap_cmd_feed(c, pf_span_str("d"), &err), PF_FAIL);
	pf_imap_session_free(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(who_is_hungry_takes_a_part_of_any_size),
		cmocka_unit_test(nothing_is_taken_before_the_server_asks),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
