/*
 * What commands ask of the engine: one job is one pass over one account.
 *
 * A job does all it can without waiting and says when to come back; time is an argument and the
 * stores are opened by the caller, so that a test can run a whole migration without loop, sockets
 * or clock:
 *
 *     while ((rc = pf_job_step(job, now, &wake_ms, &err)) == PF_AGAIN) {
 *         pf_loop_wait(loop, wake_ms, ...);
 *     }
 *
 * PF_END: the pass is over, look at the outcome. PF_FAIL: it can't go on; the outcome is still
 * true.
 */
#ifndef PF_ENGINE_ENGINE_H
#define PF_ENGINE_ENGINE_H

#include "engine/rules.h"
#include "ledger/ledger.h"
#include "stores/store.h"

struct pf_job;
struct pf_evlog;
struct pf_codec;

enum pf_job_mode {
	PF_JOB_COPY,   /* first and later passes */
	PF_JOB_CHECK,  /* connect, list, map, estimate; nothing is changed anywhere */
	PF_JOB_VERIFY, /* list both sides again and compare; nothing is changed at either */
	PF_JOB_RETRY,  /* only what is in quarantine or was left open */
};

struct pf_job_cfg {
	enum pf_job_mode mode;
	struct pf_store *from, *to; /* borrowed; closed by the caller when the job is over */
	struct pf_ledger *ledger;   /* CHECK: may be NULL */
	int64_t account;            /* of this pair in the ledger */
	uint32_t kinds; /* of enum pf_kind, that go between these two; 0 = all. Folders of others
			   are another job's, and no part of this one */
	const char *account_name; /* for messages and the quarantine's folder */
	struct pf_evlog *log;     /* may be NULL */
	const struct pf_rules *rules;
	const struct pf_codec *const *codecs; /* for what is no mail; ended by NULL; NULL: none */
	const char *quarantine;               /* directory; made when first needed */
	const char *keep_raw; /* directory for items that the source converts, as it has them; NULL:
				 they are not kept */
	bool dry_run;         /* COPY: plan and say, write nothing */
	bool deep;            /* VERIFY: compare every byte */
	bool mirror;          /* COPY: remove from the target what left the source */
	bool mirror_all;      /* even when more than a tenth would go */
	bool no_receipts;     /* $MDNSent for what asks for a receipt, whatever the target is */
	size_t folders_at_once; /* copied side by side; 0 = by what the stores can do */
	size_t window_bytes;    /* in flight for this account; 0 = default */
	/* That may be moved in 24 hours, from the source and to the target: 0 = what is known of
	 * the server, UINT64_MAX = any; and by which name the ledger counts it, NULL = not. */
	struct {
		uint64_t bytes;
		const char *store;
	} daily[2];
	bool commits_shared; /* the caller commits the ledger, for several jobs at once */
};

struct pf_now {
	int64_t ms;    /* of a clock that only goes forward */
	int64_t utc_s; /* for records */
};

enum pf_job_phase {
	PF_PHASE_OPENING,
	PF_PHASE_FOLDERS, /* listing folders, making them */
	PF_PHASE_ITEMS,   /* listing, copying, confirming */
	PF_PHASE_MIRROR,
	PF_PHASE_CLOSING,
	PF_PHASE_OVER,
};

/* Where the job stands; cheap to read at any time. */
struct pf_progress {
	enum pf_job_phase phase;
	size_t folders, folders_done;
	uint64_t items, items_done; /* listed so far; with a verdict */
	uint64_t bytes, bytes_done; /* of items to copy in this pass; copied */
	uint64_t bytes_read;        /* of them, from the source; again when one is read again */
	const char *folder;         /* shown path of one being copied; "" = none */
	int64_t paused_until_ms;    /* a server asked for patience; 0 = no pause */
};

/* What became of a pass. The sums are over all that the source lists now and the ledger knows. */
struct pf_outcome {
	uint64_t items[PF_VERDICT_COUNT], bytes[PF_VERDICT_COUNT];
	uint64_t copied_now, bytes_now; /* in this pass */
	uint64_t present_now;           /* found at the target in this pass */
	uint64_t flags_carried, gone_from_source, removed;
	uint64_t not_at_target;  /* confirmed earlier, gone from the target: VERIFY only */
	uint64_t differing;      /* VERIFY: size, date, flags or bytes differ */
	uint64_t equivalent;     /* other bytes that say the same; not part of differing */
	uint64_t compared;       /* VERIFY: items that were */
	uint64_t estimate_items; /* CHECK: to be copied */
	uint64_t estimate_bytes; /* the same; 0 where a server tells no sizes */
	uint64_t too_large;      /* CHECK: items over the target's limit */
	size_t folders, folders_failed, folders_skipped;
	size_t renamed;        /* folders that got another name */
	bool mirror_stopped;   /* more than a tenth would have gone */
	bool interrupted;      /* stopped by request or cut off: run again to go on */
	bool not_opened;       /* one side could not be opened: `why` */
	bool at_target;        /* `why` is of the target, else of the source */
	bool opened[2];        /* source, target: signed in */
	size_t connections[2]; /* that each side turned out to permit */
	struct pf_err why;     /* of PF_FAIL, not_opened, or a cut-off */
};

/* DESIGN's exit status of an outcome: 0, 1, 3, 4. */
int pf_outcome_exit_status(const struct pf_outcome *o);

/* `cfg` and what it points to must outlive the job. */
PF_MUST_CHECK int pf_job_new(const struct pf_job_cfg *cfg, struct pf_job **out, struct pf_err *err);
/* *wake_ms is lowered to the moment at which to step again even if nothing stirs. */
PF_MUST_CHECK int pf_job_step(
	struct pf_job *job, struct pf_now now, int64_t *wake_ms, struct pf_err *err);
/*
 * Stop in good order: nothing new is begun, what is in flight is settled or stays noted as in
 * doubt. The steps go on until PF_END, which comes at the latest `grace_ms` after this call.
 */
void pf_job_stop(struct pf_job *job, struct pf_now now, int64_t grace_ms);
void pf_job_free(struct pf_job **job);

/*
 * With commits_shared: after a step the job may need a commit of the ledger before it can go on.
 * Commit, say so to each that wants it, and step those again.
 */
bool pf_job_wants_commit(const struct pf_job *job);
void pf_job_committed(struct pf_job *job);
/* The bytes in flight from now on; what is in flight already stays. */
void pf_job_set_window(struct pf_job *job, size_t bytes);

/* The account's name and number in the ledger, as they were given. */
int64_t pf_job_account(const struct pf_job *job);
const char *pf_job_name(const struct pf_job *job);
const struct pf_progress *pf_job_progress(const struct pf_job *job);
/* Complete only after PF_END or PF_FAIL. */
const struct pf_outcome *pf_job_outcome(const struct pf_job *job);

/*
 * What a CHECK or a dry run found, one line a folder: where it goes and what would be done. Rows
 * are ready after the end; index from 0, false past the last. Strings are borrowed from the job.
 */
struct pf_plan_line {
	const char *from, *to; /* shown paths; to "": nowhere */
	const char *note;      /* why it has another name, or is left out; "" = nothing to say */
	uint64_t items, bytes; /* to be copied */
	uint64_t too_large;
	bool exists; /* at the target */
};
bool pf_job_plan_line(const struct pf_job *job, size_t i, struct pf_plan_line *out);

#endif
