/*
 * Puts a migration together: loop, TLS, stores, ledger, event log, job. The one place of the
 * command line that knows them all; torn down in order.
 */
#ifndef PF_CLI_WIRE_H
#define PF_CLI_WIRE_H

#include "cli/settings.h"
#include "engine/engine.h"
#include "engine/evlog.h"

struct pf_wire;

/* Called between the steps of the job, with the time (milliseconds). */
struct pf_watch {
	void (*look)(struct pf_watch *w, struct pf_job *job, int64_t now_ms);
};

/*
 * PF_FAIL: scope RUN for wrong usage (URL, scheme, target is the source, ledger), scope STORE for
 * what can't be opened. `listener` hears every event.
 */
PF_MUST_CHECK int pf_wire_new(const struct pf_settings *s, enum pf_job_mode mode,
	struct pf_evlog_listener *listener, struct pf_wire **out, struct pf_err *err);
void pf_wire_free(struct pf_wire **w);

/* Run the job to its end. PF_FAIL: it could not go on; the outcome is still true. */
PF_MUST_CHECK int pf_wire_run(struct pf_wire *w, struct pf_watch *watch, struct pf_err *err);

struct pf_job *pf_wire_job(const struct pf_wire *w);
/* What is known of a side. */
const struct pf_store_facts *pf_wire_facts(const struct pf_wire *w, bool target);
struct pf_ledger *pf_wire_ledger(struct pf_wire *w); /* NULL: there is none (check) */
int64_t pf_wire_account(const struct pf_wire *w);
const char *pf_wire_ledger_path(const struct pf_wire *w);
const char *pf_wire_quarantine(const struct pf_wire *w);

/* Where the ledger of these settings is: --ledger, or by the pair of accounts, or the only one
 * there is. A fresh string. */
PF_MUST_CHECK int pf_wire_find_ledger(const struct pf_settings *s, char **path, struct pf_err *err);

#endif
