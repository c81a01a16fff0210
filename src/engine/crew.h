/*
 * The jobs at work in one process: steps those that have something to do, each in its turn, commits
 * the ledger once for all of them, and shares the bytes in flight out among them.
 */
#ifndef PF_ENGINE_CREW_H
#define PF_ENGINE_CREW_H

#include "engine/engine.h"

struct pf_crew;

struct pf_crew_cfg {
	struct pf_ledger *ledger; /* of all jobs, whose cfg says commits_shared; may be NULL */
	size_t window_bytes;      /* in flight for all jobs together; 0 = no limit but each one's */
};

PF_MUST_CHECK int pf_crew_new(
	const struct pf_crew_cfg *cfg, struct pf_crew **out, struct pf_err *err);
/* The jobs are the caller's. */
void pf_crew_free(struct pf_crew **crew);

/*
 * From now on the job is stepped, until it has ended. `stirred` is looked at before each step and
 * cleared: the job's stores set it (struct pf_store_cfg).
 */
PF_MUST_CHECK int pf_crew_add(
	struct pf_crew *crew, struct pf_job *job, bool *stirred, struct pf_err *err);
size_t pf_crew_count(const struct pf_crew *crew);
struct pf_job *pf_crew_job(const struct pf_crew *crew, size_t i);

/*
 * One round. *wake_ms is lowered to the moment at which another is due even if nothing stirs.
 * PF_FAIL: the ledger could not be committed, so none can go on.
 */
PF_MUST_CHECK int pf_crew_step(
	struct pf_crew *crew, struct pf_now now, int64_t *wake_ms, struct pf_err *err);

/* A job that has ended; it has left the crew. NULL: none. *rc: of its last step, PF_END or PF_FAIL.
 */
struct pf_job *pf_crew_take_ended(struct pf_crew *crew, int *rc);

/* All stop in good order, as pf_job_stop says. */
void pf_crew_stop(struct pf_crew *crew, struct pf_now now, int64_t grace_ms);

#endif
