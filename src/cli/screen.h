/*
 * What a migration shows while it runs and when it ends: progress, events, sums, what did not
 * arrive.
 */
#ifndef PF_CLI_SCREEN_H
#define PF_CLI_SCREEN_H

#include "cli/settings.h"
#include "cli/wire.h"

struct pf_screen {
	struct pf_evlog_listener listener;
	struct pf_watch watch;
	const struct pf_settings *settings;
	bool tty, bar_shown, line_shown;
	int64_t begun_ms, last_ms;
};

void pf_screen_init(struct pf_screen *s, const struct pf_settings *settings);
/* Sums, what did not arrive (the first hundred), where things are. PF_FAIL: the ledger can't be
 * read. */
PF_MUST_CHECK int pf_screen_end(struct pf_screen *s, struct pf_wire *w, enum pf_job_mode mode,
	int status, struct pf_err *err);

/* "1.5 MB" */
const char *pf_show_bytes(uint64_t n, char *out, size_t size);

#endif
