/*
 * What a migration shows while it runs and when it ends: progress, events, sums, what did not
 * arrive.
 */
#ifndef PF_CLI_SCREEN_H
#define PF_CLI_SCREEN_H

#include "base/buf.h"
#include "cli/settings.h"
#include "cli/wire.h"

struct pf_screen {
	struct pf_evlog_listener listener;
	struct pf_watch watch;
	const struct pf_settings *settings;
	bool tty, bar_shown;
	int64_t last_ms;
	/* how fast it goes, and when and at how many bytes that was measured */
	double rate;
	int64_t measured_ms;
	uint64_t measured_bytes;
};

void pf_screen_init(struct pf_screen *s, const struct pf_settings *settings);
void pf_screen_wipe_bar(struct pf_screen *s);
/* One line on standard output, at once: `line` is a whole JSON object. */
void pf_screen_json_line(struct pf_buf *line);
/* screen_end.c: sums, what did not arrive (the first hundred), where things are. PF_FAIL: the
 * ledger can't be read. */
PF_MUST_CHECK int pf_screen_end(struct pf_screen *s, struct pf_wire *w, enum pf_job_mode mode,
	int status, struct pf_err *err);

/* "1.5 MB" */
const char *pf_show_bytes(uint64_t n, char *out, size_t size);

#endif
