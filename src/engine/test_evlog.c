/* An event reaches every place it should, and a flood drowns none of them. */
#include "engine/evlog.h"
#include "engine/journal.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>
#include <jansson.h>

struct world {
	char dir[48], where[80], jsonl[80], socket[80];
	struct pf_ledger *led;
	struct pf_evlog *log;
	struct pf_evlog_listener listener;
	int heard;
	int last_number;
	char last_text[700];
	struct pf_err err;
};

static void must(struct world *w, int rc)
{
	if (rc != PF_OK) {
		print_error("%s\n", w->err.text);
	}
	assert_int_equal(rc, PF_OK);
}

static void hear(struct pf_evlog_listener *l, const struct pf_evlog_event *ev)
{
	struct world *w = pf_container_of(l, struct world, listener);

	w->heard++;
	w->last_number = ev->number;
	(void)snprintf(w->last_text, sizeof(w->last_text), "%s", ev->text);
}

static int setup(void **state)
{
	struct world *w = calloc(1, sizeof(*w));

	if (!w) {
		return -1;
	}
	(void)snprintf(w->dir, sizeof(w->dir), "/tmp/test_evlog.XXXXXX");
	if (!mkdtemp(w->dir)) {
		free(w);
		return -1;
	}
	(void)snprintf(w->where, sizeof(w->where), "%s/a.ledger", w->dir);
	(void)snprintf(w->jsonl, sizeof(w->jsonl), "%s/a.ledger.events.jsonl", w->dir);
	(void)snprintf(w->socket, sizeof(w->socket), "%s/journal", w->dir);
	w->listener.event = hear;
	*state = w;
	return 0;
}

static int teardown(void **state)
{
	struct world *w = *state;
	char command[80];

	pf_evlog_free(&w->log);
	pf_ledger_close(&w->led);
	(void)snprintf(command, sizeof(command), "rm -rf '%s'", w->dir);
	(void)!system(command); /* NOLINT(cert-env33-c): our own directory */
	free(w);
	return 0;
}

static void start(struct world *w, bool ledger, bool journal)
{
	struct pf_evlog_cfg cfg = {
		.jsonl_path = w->jsonl,
		.journal = journal,
		.journal_socket = w->socket,
		.listener = &w->listener,
	};

	if (ledger) {
		must(w, pf_ledger_open(w->where, PF_LEDGER_WRITE, &w->led, &w->err));
		cfg.ledger = w->led;
	}
	must(w, pf_evlog_new(&cfg, &w->log, &w->err));
}

static void add(struct world *w, int number, const char *folder, const char *text)
{
	struct pf_evlog_event ev = {
		.account = 7,
		.at_utc_s = 839399400,
		.number = number,
		.folder = folder,
		.item = pf_span_str("4711"),
		.text = text,
		.raw = pf_span("* 7 FETCH (\xff\n", 13),
	};

	pf_evlog_add(w->log, &ev);
}

/* The events in the ledger; the last one's text goes to `text`. */
static int ledger_count(struct world *w, char *text, size_t size)
{
	struct pf_ledger_cursor *c;
	struct pf_ledger_event row;
	int n = 0;

	must(w, pf_ledger_events(w->led, 0, 0, &c, &w->err));
	while (pf_ledger_events_next(c, &row, &w->err) == PF_OK) {
		(void)snprintf(text, size, "%.*s", (int)row.text.n, (const char *)row.text.p);
		n++;
	}
	pf_ledger_cursor_close(&c);
	return n;
}

static void event_goes_to_ledger_file_and_screen(void **state)
{
	struct world *w = *state;
	char line[2000], text[100];
	struct stat st;
	json_t *got;
	FILE *f;

	start(w, true, true); /* there is no journal, so to the file */
	add(w, 14001, "INBOX", "source: not understood");
	assert_int_equal(w->heard, 1);
	assert_int_equal(w->last_number, 14001);
	assert_int_equal(pf_evlog_count(w->log, 14001), 1);
	assert_int_equal(pf_evlog_count(w->log, 14002), 0);
	assert_int_equal(ledger_count(w, text, sizeof(text)), 1);
	assert_string_equal(text, "source: not understood");
	f = fopen(w->jsonl, "r");
	assert_non_null(f);
	assert_non_null(fgets(line, sizeof(line), f));
	assert_int_equal(fclose(f), 0);
	assert_int_equal(stat(w->jsonl, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	got = json_loads(line, 0, NULL);
	assert_non_null(got);
	assert_string_equal(json_string_value(json_object_get(got, "at")), "1996-08-07T06:30:00Z");
	assert_int_equal(json_integer_value(json_object_get(got, "number")), 14001);
	assert_string_equal(json_string_value(json_object_get(got, "severity")), "warning");
	assert_string_equal(json_string_value(json_object_get(got, "folder")), "INBOX");
	assert_string_equal(json_string_value(json_object_get(got, "item")), "4711");
	assert_string_equal(
		json_string_value(json_object_get(got, "raw")), "* 7 FETCH (\\xff\\x0a");
	json_decref(got);
}

static void journal_is_used_when_it_is_there(void **state)
{
	struct world *w = *state;
	struct sockaddr_un at = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_DGRAM, 0);
	char got[4096];
	ssize_t n;

	(void)snprintf(at.sun_path, sizeof(at.sun_path), "%s", w->socket);
	assert_int_equal(bind(fd, (const struct sockaddr *)&at, sizeof(at)), 0);
	start(w, false, true);
	add(w, 12003, "Sent", "NO too large");
	n = recv(fd, got, sizeof(got) - 1, MSG_DONTWAIT);
	assert_in_range(n, 100, sizeof(got));
	got[n] = '\0';
	assert_non_null(strstr(got, "MESSAGE=Sent: NO too large\n"));
	assert_non_null(strstr(got, "PRIORITY=3\n"));
	assert_non_null(strstr(got, "MESSAGE_ID=5f0c1c3e9a7d4b0e8d2f6b1700012003\n"));
	assert_non_null(strstr(got, "POSTFERRY_EVENT=12003\n"));
	/* A value with a line feed goes with its length, eight bytes, the lowest first. */
	assert_memory_equal(
		got + n - 36, "POSTFERRY_RAW\n\x0d\0\0\0\0\0\0\0* 7 FETCH (\xff\n\n", 36);
	assert_int_equal(access(w->jsonl, F_OK), -1);
	assert_int_equal(close(fd), 0);
}

static void flood_is_cut_on_the_screen_only(void **state)
{
	struct world *w = *state;
	char text[100];

	start(w, true, false);
	for (int i = 0; i < 500; i++) {
		add(w, PF_EV_FLAG_DROPPED, "INBOX", "x");
	}
	assert_int_equal(w->heard, PF_EVLOG_SCREEN_MAX + 1);
	assert_non_null(strstr(w->last_text, "more of these"));
	add(w, PF_EV_FLAG_DROPPED, "Sent", "other folder");
	assert_string_equal(w->last_text, "other folder");
	add(w, PF_EV_ITEM_REFUSED, "INBOX", "other number");
	assert_string_equal(w->last_text, "other number");
	assert_int_equal(ledger_count(w, text, sizeof(text)), 502);
	assert_int_equal(pf_evlog_count(w->log, PF_EV_FLAG_DROPPED), 501);
	w->heard = 0;
	for (int i = 0; i < 50; i++) {
		add(w, PF_EV_ALERT, NULL, "shutdown at noon");
	}
	assert_int_equal(w->heard, 50);
}

static void records_have_a_ceiling(void **state)
{
	struct world *w = *state;
	char text[100], old[100];
	struct stat st;

	start(w, true, false);
	for (int i = 0; i < PF_EVLOG_KEPT_MAX + 10; i++) {
		add(w, PF_EV_PROTOCOL_ODDITY, "INBOX",
			"a long enough text that the file has to be turned over within these "
			"events");
	}
	assert_int_equal(ledger_count(w, text, sizeof(text)), PF_EVLOG_KEPT_MAX + 1);
	assert_non_null(strstr(text, "no more are kept"));
	assert_int_equal(pf_evlog_count(w->log, PF_EV_PROTOCOL_ODDITY), PF_EVLOG_KEPT_MAX + 10);
	assert_int_equal(stat(w->jsonl, &st), 0);
	assert_in_range(st.st_size, 1, PF_EVLOG_FILE_MAX);
	(void)snprintf(old, sizeof(old), "%s.1", w->jsonl);
	assert_int_equal(stat(old, &st), 0);
	assert_in_range(st.st_size, PF_EVLOG_FILE_MAX - 1000, PF_EVLOG_FILE_MAX);
}

static void nowhere_to_write_is_told_once(void **state)
{
	struct world *w = *state;

	(void)snprintf(w->jsonl, sizeof(w->jsonl), "%s/no/such", w->dir);
	start(w, false, false);
	add(w, 12003, "a", "first");
	assert_int_equal(w->heard, 2);
	add(w, 12003, "a", "second");
	assert_int_equal(w->heard, 3);
	assert_string_equal(w->last_text, "second");
	add(w, 31337, "a", "of no known number");
	assert_string_equal(w->last_text, "of no known number");
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(event_goes_to_ledger_file_and_screen),
		CASE(journal_is_used_when_it_is_there),
		CASE(flood_is_cut_on_the_screen_only),
		CASE(records_have_a_ceiling),
		CASE(nowhere_to_write_is_told_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
