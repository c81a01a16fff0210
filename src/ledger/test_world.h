/*
 * For tests of ledgers: a directory of the test's own, a ledger's place in it, and an error to look
 * at.
 */
#ifndef PF_LEDGER_TEST_WORLD_H
#define PF_LEDGER_TEST_WORLD_H

#include "ledger/ledger.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

struct world {
	char dir[48];
	char where[96];
	struct pf_ledger *led;
	int64_t account;
	struct pf_err err;
};

static inline void must(struct world *w, int rc)
{
	if (rc != PF_OK) {
		print_error("%s\n", w->err.text);
	}
	assert_int_equal(rc, PF_OK);
}

static inline int setup(void **state)
{
	struct world *w = calloc(1, sizeof(*w));

	if (!w) {
		return -1;
	}
	(void)snprintf(w->dir, sizeof(w->dir), "/tmp/test_ledger.XXXXXX");
	if (!mkdtemp(w->dir)) {
		free(w);
		return -1;
	}
	(void)snprintf(w->where, sizeof(w->where), "%s/a.ledger", w->dir);
	*state = w;
	return 0;
}

static inline int teardown(void **state)
{
	struct world *w = *state;
	char command[64];

	pf_ledger_close(&w->led);
	(void)snprintf(command, sizeof(command), "rm -rf '%s'", w->dir);
	(void)!system(command); /* NOLINT(cert-env33-c): our own directory */
	free(w);
	return 0;
}

/* Run `what` in another process: its exit status, or 1000 and the signal it died of. */
static inline int in_child(int (*what)(struct world *), struct world *w)
{
	int status = -1;
	pid_t pid = fork();

	if (pid == 0) {
		_exit(what(w));
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + WTERMSIG(status);
}

/* ---- with a ledger that is open ---- */

static inline void open_world(struct world *w)
{
	must(w, pf_ledger_open(w->where, PF_LEDGER_WRITE, &w->led, &w->err));
	must(w, pf_ledger_account(
			w->led, "imap://ann@old/", "imap://ann@new/", &w->account, &w->err));
}

/* What a crash leaves: nothing that was not committed. */
static inline void reopen(struct world *w)
{
	pf_ledger_close(&w->led);
	open_world(w);
}

static inline int setup_open(void **state)
{
	if (setup(state) != 0) {
		return -1;
	}
	open_world(*state);
	return 0;
}

static inline int64_t new_folder(struct world *w, const char *name)
{
	struct pf_ledger_folder row = {
		.src_path = pf_span(name, strlen(name) + 1),
		.src_id = pf_span_str(name),
		.kind = PF_KIND_MAIL,
	};

	must(w, pf_ledger_folder_put(w->led, w->account, &row, &w->err));
	assert_int_not_equal(row.id, 0);
	return row.id;
}

#define OPEN_CASE(f) cmocka_unit_test_setup_teardown(f, setup_open, teardown)
#define CASE(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

#endif
