/*
 * The insides of a job, for the files of the engine that share it.
 *
 *   job.c          phases, events in and out, stop and end
 *   job_folders.c  both folder lists, the mapping, making what is missing
 *   job_known.c    what the ledger knows of the folders
 *   job_make.c     making what is missing at the target
 *   job_day.c      what a server lets an account move in a day
 *   job_end.c      sums, the ledger in order, both stores signed out
 *   job_log.c      events with their context
 *   job_patience.c a target that takes nothing just now
 *   job_room.c     a target that is full
 *
 * Its folders are in fold_private.h.
 */
#ifndef PF_ENGINE_JOB_PRIVATE_H
#define PF_ENGINE_JOB_PRIVATE_H

#include "engine/engine.h"
#include "engine/fingerprint.h"
#include "engine/names.h"
#include "engine/pair.h"
#include "engine/quarantine.h"
#include "engine/rows.h"

enum {
	SLOTS = 4096,             /* items in flight at the most */
	WINDOW_DEFAULT = 9 << 19, /* bytes in flight */
	WHOLE_MAX = 6 << 20,      /* larger items stream through, with a window that is not small */
	WINDOW_MIN = 256 << 10,
	FOLDERS_LISTED_AHEAD = 24, /* folders whose listings are under way or at hand */
	ROWS_AHEAD = 100000, /* no further folder is listed while so many rows are in memory */
	NAMED_MAX = 500,     /* items whose header is asked for to name them, in one pass */
};

enum pf_side_no { SRC = 0, DST = 1 };

/* What an operation is for: the top byte of its id. */
enum op_use {
	USE_FOLDERS = 1,
	USE_MKFOLDER,
	USE_SUBSCRIBE,
	USE_LIST_SRC,
	USE_LIST_DST,
	USE_GET,  /* index: slot */
	USE_PUT,  /* index: slot */
	USE_PAIR, /* index: item of the pairing on that side */
	USE_FLAGS,
	USE_NAME,       /* index: entry */
	USE_DEEP,       /* index: entry; both sides */
	USE_KEEP,       /* index: item of the folder that left the source */
	USE_REMOVE,     /* the same */
	USE_KEYED_SRC,  /* index: document */
	USE_KEYED_DST,  /* index: item of the target */
	USE_KEYED_PUT,  /* index: task */
	USE_KEYED_MEET, /* index: task */
	USE_KEYED_LOOK, /* index: row */
	USE_LINK,       /* the folder that the first copy within the target was made in */
	USE_CLOSE,
};

static inline uint64_t op_id(enum op_use use, size_t fold, size_t index)
{
	return (uint64_t)use << 56 | (uint64_t)(fold & 0xffffff) << 32 |
	       (uint64_t)(index & 0xffffffff);
}

static inline enum op_use op_use(uint64_t id)
{
	return (enum op_use)(id >> 56);
}

static inline size_t op_fold(uint64_t id)
{
	return (size_t)(id >> 32 & 0xffffff);
}

static inline size_t op_index(uint64_t id)
{
	return (size_t)(id & 0xffffffff);
}

/* A copy of a folder that a store listed. */
struct pf_known_folder {
	struct pf_path path;
	struct pf_buf id, cursor;
	enum pf_kind kind;
	uint32_t kinds;
	struct pf_folder_looks looks; /* in `words` */
	struct pf_buf words;
	enum pf_role role;
	bool role_by_name, selectable, subscribed, doubtful, others_only, has_state;
	uint64_t validity, next, count;
};

struct pf_side {
	struct pf_store *store;
	struct pf_known_folder *folders;
	size_t n, cap;
	bool ready, listed, lost, ended;
	struct pf_err lost_why;
	int64_t pause_until_ms; /* the server asked for patience */
	unsigned int laters;    /* items in a row that it said "later" to */
	unsigned int pauses;    /* since it took one: see job_patience.c */
	unsigned int asked;     /* times that its list of folders did not come */
	int64_t ask_at_ms;      /* when it is asked for again; 0 = not at all */
};

struct pf_fold;
struct pf_slot;

/* What is known of the room at the target; all 0: it has not said that it is full. */
struct pf_room {
	uint64_t putting;      /* bytes of PUTs without answer */
	uint64_t below;        /* only items below this are put; 0 = all */
	size_t most;           /* PUTs at once; 0 = any number */
	size_t taken;          /* since there was one more at once */
	unsigned int refusals; /* apart from those of what was in flight with another one */
	unsigned int turn;     /* grows with each */
	bool told;             /* items are left open for it */
};

/* Bytes of the last 24 hours that the ledger knows, and of those that the store counts how many. */
struct pf_day {
	uint64_t used, noted;
};

/* How the target treats what it copies within the account. */
enum links_keeps {
	LINKS_UNKNOWN,
	LINKS_ASKED, /* the first one is under way, or being looked at */
	LINKS_KEEP,
	LINKS_ALTER, /* or does not copy at all */
};

/* Items that are in several folders, by their number: links.c. */
struct pf_links {
	struct pf_link *v;
	size_t n, cap, turns;
	size_t failed; /* COPYs */
	struct pf_arena arena;
	enum links_keeps keeps;
	struct pf_span first_id; /* of the first one, and what it must look like */
	int64_t first_date_utc_s;
	uint64_t first_size;
	bool seen; /* it does */
};

struct pf_job {
	const struct pf_job_cfg *cfg;
	struct pf_now now;
	enum pf_job_phase phase;
	struct pf_side side[2];
	struct pf_fold *folds;
	size_t fold_count;
	struct pf_fold **by_id;      /* by the source's id, where that is asked for; else NULL */
	size_t first_active;         /* folders before it are over */
	struct pf_names_taken taken; /* filled when a folder needs another name */
	struct pf_fold *alone;       /* while this one is active, no other begins */
	size_t active_end;           /* those from here on were not begun */
	size_t making;               /* MKFOLDERs and SUBSCRIBEs without answer */
	size_t make_next;            /* folder that is to be made or subscribed to next */
	bool make_again;             /* some folder needs another try */
	size_t rows_in_memory;
	struct pf_slot *slots; /* SLOTS of them */
	struct pf_slot *slots_free;
	size_t slots_used, slots_touched; /* those behind were never in use */
	size_t slots_paused;              /* have a not_before_ms */
	size_t sharers;                   /* of the window: folders that have more to ask for */
	uint64_t window, bytes_in_flight;
	size_t putting; /* PUTs without answer, of all folders */
	struct pf_room room;
	struct pf_links links;
	struct pf_day day[2];
	uint64_t whole_max;         /* larger items stream through */
	bool sums_known;            /* `sums` is filled */
	bool large_busy;            /* one large item at a time, or two could wait for each other */
	struct pf_store_event held; /* a chunk that the target has no room for */
	bool holding;
	bool wants_commit, stopping, target_full, mirror_ready;
	int64_t begun_ms, stop_by_ms;
	int64_t pass;
	size_t mirror_next, mirror_open;
	size_t named;                     /* headers asked for to name an item */
	bool room_told;                   /* that the target has less room than is needed */
	struct pf_fingerprinter *printer; /* of whole items */
	struct pf_quarantine *quarantine;
	struct pf_quarantine *raw; /* items as the source has them, beside what was made of them */
	struct pf_quarantine *removed; /* what --mirror removed, so that it can be put back */
	struct pf_progress progress;
	struct pf_outcome outcome;
	struct pf_ledger_sums sums; /* of all folders, when the pass began, ... */
	uint64_t sums_at;           /* with so many writes of items */
	char progress_folder[256];
};

/* ---- job.c ---- */
bool job_writes(const struct pf_job *job); /* whether the target may be changed */
bool job_keeps(const struct pf_job *job);  /* whether the ledger is written */
int job_submit(
	struct pf_job *job, enum pf_side_no side, const struct pf_op *op, struct pf_err *err);
const struct pf_store_facts *job_facts(const struct pf_job *job, enum pf_side_no side);
bool job_has_cap(const struct pf_job *job, enum pf_side_no side, uint32_t cap);
/* Whether the target takes items in the form that the source has them in. */
bool job_moves_native(const struct pf_job *job);
/* The pause before try number `tries` of something, with jitter, at least what the server asked
 * for. */
int64_t job_pause_ms(const struct pf_job *job, unsigned int tries, const struct pf_err *why);

/* ---- job_end.c ---- */
/* Add to counts by verdict. */
void job_add_sums(uint64_t *items, uint64_t *bytes, const struct pf_ledger_sums *sums);
/* A store is lost, or good for nothing: the pass ends with what the ledger knows. */
int job_lose(
	struct pf_job *job, enum pf_side_no side, const struct pf_err *why, struct pf_err *err);
/* No more is done: the ledger is brought in order, and both stores sign out. */
int job_begin_closing(struct pf_job *job, struct pf_err *err);

/* ---- job_patience.c ---- */
/* It took an item. */
void job_target_takes(struct pf_job *job);
bool job_target_may_be_asked(const struct pf_job *job);
/* An item was put off. Whether that says nothing of the item, as it is so with all of them. */
bool job_target_takes_nothing(struct pf_job *job, const struct pf_err *why);

/* ---- job_room.c ---- */
/* Whether so large an item is left to the next pass. */
bool job_room_beyond(const struct pf_job *job, uint64_t size);
/* Whether one may be put now. */
bool job_room_permits(const struct pf_job *job, uint64_t size);
/* It is put; that has ended, somehow; the target took it. */
void job_room_put(struct pf_job *job, struct pf_slot *s, uint64_t size);
void job_room_ended(struct pf_job *job, struct pf_slot *s);
void job_room_taken(struct pf_job *job);
/* The target has no room for it; grouped: for it and others together. */
int job_room_refused(struct pf_slot *s, bool grouped, const struct pf_err *why, struct pf_err *err);
/* PUTs that have not left yet come back as recalled. */
int job_recall(struct pf_job *job, struct pf_err *err);
/* Nothing more is put in this pass. `e` may be NULL. */
int job_room_over(struct pf_job *job, struct pf_fold *f, const struct pf_entry *e,
	const struct pf_err *why, struct pf_err *err);

/* ---- job_day.c ---- */
/* What is left of the day by the ledger; nothing: the pass ends before it began. */
int job_day_begin(struct pf_job *job, struct pf_err *err);
/* Write down what was moved, `all` of it or when it is worth a write. */
int job_day_note(struct pf_job *job, bool all, struct pf_err *err);
/* Whether so large a body may be asked for. PF_AGAIN: not now, or not in this pass any more. */
int job_day_permits(struct pf_job *job, uint64_t size, struct pf_err *err);
/* Nothing more is put in this pass, which is to come again. */
int job_day_end(struct pf_job *job, enum pf_side_no side, struct pf_err *err);

/* ---- job_log.c ---- */
void job_event(struct pf_job *job, int number, const struct pf_fold *f, const struct pf_entry *e,
	const char *fmt, ...) PF_PRINTF(5, 6);
void job_note(struct pf_job *job, enum pf_side_no side, const struct pf_store_event *ev);

/* ---- job_known.c ---- */

/* What the ledger has of the account's folders goes to each of `folds`; one that is no longer at
 * the source is told as an event. */
int job_known_read(struct pf_job *job, struct pf_err *err);

/* ---- job_folders.c ---- */
int job_folders_begin(struct pf_job *job, struct pf_err *err);
int job_folders_event(struct pf_job *job, enum pf_side_no side, const struct pf_store_event *ev,
	struct pf_err *err);
/* PF_OK when both lists are there and all is mapped; PF_AGAIN: not yet. */
int job_folders_step(struct pf_job *job, struct pf_err *err);
void job_folders_free(struct pf_job *job);

/* ---- job_make.c ---- */
/* Make what is missing at the target, as far as it takes requests. PF_OK: all has been asked for.
 */
int job_make_step(struct pf_job *job, struct pf_err *err);
int job_make_event(struct pf_fold *f, const struct pf_store_event *ev, struct pf_err *err);
int fold_save(struct pf_fold *f, struct pf_err *err);
/* Flags are to be carried that the source does not list as changed: if this pass does not come to
 * it, the next one must list all. */
int fold_list_all_next(struct pf_fold *f, struct pf_err *err);

#endif
