/*
 * Puts a migration together: loop, TLS, ledger and event log for the process, stores and a job for
 * each account whose turn it is. The one place of the command line that knows them all. One account
 * is a batch of one.
 *
 *   wire.c          what is shared by all accounts, and its life
 *   wire_account.c  one account at work
 *   wire_run.c      the batch: who begins, who ended, what became of it
 *   wire_ledger.c   where the ledger is
 */
#ifndef PF_CLI_WIRE_H
#define PF_CLI_WIRE_H

#include "cli/settings.h"
#include "engine/engine.h"
#include "engine/evlog.h"
#include "plan/plan.h"

struct pf_wire;

/* What became of a row of the plan. */
struct pf_wire_row {
	const char *from, *to; /* identities */
	int64_t account;       /* of the ledger; without one the number of the row */
	enum { PF_ROW_WAITING, PF_ROW_ALIVE, PF_ROW_OVER } state;
	int status;         /* of pf_exit, when it is over */
	bool skipped;       /* there was nothing to do: it was not opened */
	char *why;          /* NULL: all is well, or the sums tell */
	struct pf_job *job; /* while it is alive; and what is known of both sides then */
	const struct pf_store_facts *facts[2];
};

struct pf_watch {
	/* Called between the rounds, with the time (milliseconds). */
	void (*look)(struct pf_watch *w, const struct pf_wire *wire, int64_t now_ms);
	/* A row is over, or will be tried again in `pause_ms`; `outcome` is NULL when it was never
	 * begun. */
	void (*ended)(struct pf_watch *w, const struct pf_wire_row *row,
		const struct pf_outcome *outcome, int64_t pause_ms);
};

/*
 * PF_FAIL: scope RUN for wrong usage (ledger, trace, a certificate's file). `listener` hears every
 * event. What is handed in must outlive it.
 */
PF_MUST_CHECK int pf_wire_new(const struct pf_settings *s, const struct pf_plan *plan,
	enum pf_job_mode mode, struct pf_evlog_listener *listener, struct pf_wire **out,
	struct pf_err *err);
void pf_wire_free(struct pf_wire **w);

/* Run all accounts to their ends. PF_FAIL: none can go on (a full disk, say); what was done is in
 * the ledger. */
PF_MUST_CHECK int pf_wire_run(struct pf_wire *w, struct pf_watch *watch, struct pf_err *err);

const struct pf_wire_row *pf_wire_rows(const struct pf_wire *w, size_t *count);
/* Those that are at work. */
size_t pf_wire_alive(const struct pf_wire *w);
const struct pf_wire_row *pf_wire_alive_row(const struct pf_wire *w, size_t i);
/* The sums of all rows that are over; `why` is that of the last one not complete. */
const struct pf_outcome *pf_wire_sums(const struct pf_wire *w);
/* The highest exit status that a row earned. */
int pf_wire_status(const struct pf_wire *w);
/* The row of an account that is at work; NULL: none. */
const struct pf_wire_row *pf_wire_find(const struct pf_wire *w, int64_t account);

struct pf_ledger *pf_wire_ledger(const struct pf_wire *w); /* NULL: there is none (check) */
const char *pf_wire_ledger_path(const struct pf_wire *w);
const char *pf_wire_quarantine(const struct pf_wire *w);

/* The schemes that can be opened, ended by a NULL name. */
enum { PF_SCHEMES_MAX = 64 };
void pf_wire_schemes(struct pf_scheme out[PF_SCHEMES_MAX]);

/* Where the ledger of these settings is: --ledger, or by the plan or the pair of accounts, or the
 * only one there is. A fresh string. */
PF_MUST_CHECK int pf_wire_find_ledger(const struct pf_settings *s, char **path, struct pf_err *err);

#endif
