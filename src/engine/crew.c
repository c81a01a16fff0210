#include "engine/crew.h"

#include <stdlib.h>

enum {
	COMMITS_A_ROUND = 8,
	LOOK_EVERY_MS = 5000, /* a moment that a store forgot to name costs this, not the account */
};

struct member {
	struct pf_job *job;
	bool *stirred;
	int64_t wake_ms;
	int rc; /* PF_AGAIN: at work */
};

struct pf_crew {
	struct pf_crew_cfg cfg;
	struct member *v;
	size_t n, cap;
};

int pf_crew_new(const struct pf_crew_cfg *cfg, struct pf_crew **out, struct pf_err *err)
{
	*out = calloc(1, sizeof(**out));
	if (!*out) {
		return pf_fail_memory(err, "a crew");
	}
	(*out)->cfg = *cfg;
	return PF_OK;
}

void pf_crew_free(struct pf_crew **crew)
{
	if (*crew) {
		free((*crew)->v);
		free(*crew);
		*crew = NULL;
	}
}

static void share_out(struct pf_crew *crew)
{
	for (size_t i = 0; crew->cfg.window_bytes > 0 && i < crew->n; i++) {
		pf_job_set_window(crew->v[i].job, crew->cfg.window_bytes / crew->n);
	}
}

int pf_crew_add(struct pf_crew *crew, struct pf_job *job, bool *stirred, struct pf_err *err)
{
	if (crew->n == crew->cap) {
		size_t cap = crew->cap ? crew->cap * 2 : 16;
		struct member *grown = realloc(crew->v, cap * sizeof(*grown));

		if (!grown) {
			return pf_fail_memory(err, "a crew");
		}
		crew->v = grown;
		crew->cap = cap;
	}
	*stirred = true; /* it has everything to do */
	crew->v[crew->n++] = (struct member){job, stirred, 0, PF_AGAIN};
	share_out(crew);
	return PF_OK;
}

size_t pf_crew_count(const struct pf_crew *crew)
{
	return crew->n;
}

struct pf_job *pf_crew_job(const struct pf_crew *crew, size_t i)
{
	return crew->v[i].job;
}

/* Step all that have something to do. Whether any needs a commit. */
static bool step_all(struct pf_crew *crew, struct pf_now now)
{
	bool wanted = false;

	for (size_t i = 0; i < crew->n; i++) {
		struct member *m = &crew->v[i];
		struct pf_err ignored; /* the outcome has it */

		if (m->rc == PF_AGAIN && (*m->stirred || m->wake_ms <= now.ms)) {
			*m->stirred = false;
			m->wake_ms = now.ms + LOOK_EVERY_MS;
			m->rc = pf_job_step(m->job, now, &m->wake_ms, &ignored);
		}
		wanted = wanted || pf_job_wants_commit(m->job);
	}
	return wanted;
}

/* What was written by all of them becomes durable by one commit. */
static int commit(struct pf_crew *crew, struct pf_err *err)
{
	if (crew->cfg.ledger && pf_ledger_commit(crew->cfg.ledger, err) != PF_OK) {
		return PF_FAIL;
	}
	for (size_t i = 0; i < crew->n; i++) {
		if (pf_job_wants_commit(crew->v[i].job)) {
			pf_job_committed(crew->v[i].job);
			*crew->v[i].stirred = true;
		}
	}
	return PF_OK;
}

int pf_crew_step(struct pf_crew *crew, struct pf_now now, int64_t *wake_ms, struct pf_err *err)
{
	bool wanted = true;

	for (int k = 0; k < COMMITS_A_ROUND && wanted; k++) {
		wanted = step_all(crew, now);
		if (wanted && commit(crew, err) != PF_OK) {
			return PF_FAIL;
		}
	}
	for (size_t i = 0; i < crew->n; i++) {
		const struct member *m = &crew->v[i];
		int64_t at = *m->stirred || m->rc != PF_AGAIN ? now.ms : m->wake_ms;

		*wake_ms = at < *wake_ms ? at : *wake_ms;
	}
	return PF_OK;
}

struct pf_job *pf_crew_take_ended(struct pf_crew *crew, int *rc)
{
	for (size_t i = 0; i < crew->n; i++) {
		struct pf_job *job = crew->v[i].job;

		if (crew->v[i].rc == PF_AGAIN) {
			continue;
		}
		*rc = crew->v[i].rc;
		crew->v[i] = crew->v[--crew->n];
		share_out(crew);
		return job;
	}
	return NULL;
}

void pf_crew_stop(struct pf_crew *crew, struct pf_now now, int64_t grace_ms)
{
	for (size_t i = 0; i < crew->n; i++) {
		pf_job_stop(crew->v[i].job, now, grace_ms);
		*crew->v[i].stirred = true;
	}
}
