/*
 * What a migration shows while it runs and when it ends: progress, events, sums, what did not
 * arrive.
 *
 *   screen.c      events, and the end of an account
 *   progress.c    bars and lines
 *   screen_end.c  the last lines
 */
#ifndef PF_CLI_SCREEN_H
#define PF_CLI_SCREEN_H

#include "base/buf.h"
#include "cli/settings.h"
#include "cli/wire.h"

/* How fast an account goes, and when and at how many bytes that was measured. */
struct pf_meter {
	const struct pf_wire_row *row; /* NULL: all of them */
	double rate;
	int64_t measured_ms;
	uint64_t measured_bytes;
};

struct pf_screen {
	struct pf_evlog_listener listener;
	struct pf_watch watch;
	const struct pf_settings *settings;
	const struct pf_wire *wire; /* NULL: not built yet */
	enum pf_job_mode mode;
	bool batch; /* many accounts: each line says which */
	bool plan;  /* it is only looked what would be done */
	bool tty;
	size_t bar_lines; /* on the terminal now */
	int64_t begun_ms, last_ms, looked_ms;
	struct pf_meter *meters; /* of accounts at work */
	size_t meter_n, meter_cap;
	struct pf_meter all;
	struct pf_err failed; /* text set: a line could not be made */
};

void pf_screen_init(
	struct pf_screen *s, const struct pf_settings *settings, bool batch, enum pf_job_mode mode);
void pf_screen_deinit(struct pf_screen *s);
/* One line on standard output, at once: `line` is a whole JSON object. */
void pf_screen_json_line(struct pf_buf *line);

/* ---- progress.c ---- */
/* Between two rounds: a bar or a line when it is time for one. */
void pf_progress_look(struct pf_screen *s, int64_t now_ms);
void pf_progress_wipe(struct pf_screen *s);
/* "1.5 MB" */
const char *pf_show_bytes(uint64_t n, char *out, size_t size);

/* ---- screen_end.c ---- */
/* Of an account that is over. `o`: NULL when it was never begun. */
PF_MUST_CHECK int pf_screen_end_account(const struct pf_screen *s, const struct pf_wire_row *row,
	const struct pf_outcome *o, struct pf_err *err);
/* Accounts by how they stand, as a member of the object in `b`. */
PF_MUST_CHECK int pf_screen_put_accounts(
	struct pf_buf *b, const struct pf_wire *w, struct pf_err *err);
/* Sums, what did not arrive (the first hundred), where things are. PF_FAIL: the ledger can't be
 * read. */
PF_MUST_CHECK int pf_screen_end(struct pf_screen *s, int status, struct pf_err *err);

#endif
