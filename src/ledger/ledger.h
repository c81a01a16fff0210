/*
 * The durable record of what was listed, planned, sent, confirmed and refused.
 *
 * A row goes PLANNED, SENT, then DONE or REFUSED. Writes are gathered and become durable together
 * with the next pf_ledger_commit: an item may leave for the target only when the commit that
 * follows its SENT has returned. After a crash only SENT rows are in doubt.
 *
 * One process holds a ledger at a time. Not for use from several threads. Strings and spans handed
 * in are copied; those handed out are good until the next call on the same cursor.
 */
#ifndef PF_LEDGER_LEDGER_H
#define PF_LEDGER_LEDGER_H

#include "base/digest.h"
#include "model/event.h"
#include "model/fates.h"
#include "model/item.h"

struct pf_arena;
struct pf_ledger;

enum pf_ledger_mode {
	PF_LEDGER_WRITE, /* made when it is not there; held against other writers */
	PF_LEDGER_READ,  /* status, report, events: never waits for a writer, never makes a file */
};

/*
 * Where the ledger of this pair of identities is when the user names none: a file under
 * $XDG_STATE_HOME/postferry/ (else ~/.local/state/postferry/). A fresh C string (free); nothing is
 * made on disk. PF_FAIL (scope RUN): there is no home directory.
 */
PF_MUST_CHECK int pf_ledger_default_path(
	const char *from, const char *to, char **path, struct pf_err *err);

/*
 * `where` is a file; missing directories above it are made (WRITE). PF_FAIL (scope RUN): can't be
 * opened, damaged, of a newer version, no ledger at all, or held by another process, whose number,
 * host and start are in the text. Older versions are upgraded (WRITE).
 */
PF_MUST_CHECK int pf_ledger_open(
	const char *where, enum pf_ledger_mode mode, struct pf_ledger **out, struct pf_err *err);
/* What was not committed is lost. NULL is fine. */
void pf_ledger_close(struct pf_ledger **led);
/* Make all writes since the last call durable (fsync'd). Nothing to write costs nothing. */
PF_MUST_CHECK int pf_ledger_commit(struct pf_ledger *led, struct pf_err *err);
/* Whether there are writes that a commit would make durable. */
bool pf_ledger_dirty(const struct pf_ledger *led);
/* Counts commits, so that several jobs can share one: durable when it is above the value at the
 * write. */
uint64_t pf_ledger_commits(const struct pf_ledger *led);

/* ---- accounts and passes ---- */

struct pf_ledger_account {
	int64_t id;
	struct pf_span from, to; /* identities of the stores, several separated by a blank */
};

/* The account of this pair of identities; made when it is new. */
PF_MUST_CHECK int pf_ledger_account(
	struct pf_ledger *led, const char *from, const char *to, int64_t *id, struct pf_err *err);

/* A pass over an account. Ended ones have a result; one without was cut off. */
struct pf_ledger_pass {
	int64_t id, account;
	int64_t begun_utc_s, ended_utc_s; /* ended: 0 = not */
	int exit_status;
	struct pf_span summary; /* JSON, the engine's: sums, rates, round trips */
};

PF_MUST_CHECK int pf_ledger_pass_begin(struct pf_ledger *led, int64_t account, int64_t now_utc_s,
	int64_t *pass, struct pf_err *err);
PF_MUST_CHECK int pf_ledger_pass_end(struct pf_ledger *led, int64_t pass, int64_t now_utc_s,
	int exit_status, struct pf_span summary, struct pf_err *err);

/* ---- folders ---- */

/* A folder of the source and where it goes. The folder's own story (why it was left out, renamed or
 * failed) is in `note`. */
struct pf_ledger_folder {
	int64_t id;                        /* 0: a new row */
	struct pf_span src_path, dst_path; /* pf_path_bytes; dst absent: no place yet */
	struct pf_span src_id, dst_id;     /* the stores' ids */
	enum pf_kind kind;
	enum pf_role role;
	uint64_t src_validity, dst_validity;
	uint64_t dst_mark; /* target ids from here on may be ours though not in the ledger; 0 = any
			    */
	struct pf_span
		src_cursor; /* the source as of the last completed pass over it; absent: none */
	enum pf_verdict verdict; /* of the folder itself: COPIED, SKIPPED, QUARANTINED (could not be
				    made or read), VANISHED (gone from the source); NONE: open */
	struct pf_span note;
};

/* Insert (id 0, which is then set) or replace the whole row. */
PF_MUST_CHECK int pf_ledger_folder_put(
	struct pf_ledger *led, int64_t account, struct pf_ledger_folder *row, struct pf_err *err);

/* ---- items ---- */

enum pf_row_state {
	PF_ROW_PLANNED = 0,
	PF_ROW_SENT = 1,
	PF_ROW_DONE = 2,
	PF_ROW_REFUSED = 3,
	PF_ROW_LEFT = 4, /* it was done, and then left the source */
};

/* How an item is named to a person, from its header; each absent when that is not known. */
struct pf_ledger_about {
	struct pf_span message_id, from, subject;
};

struct pf_ledger_item {
	int64_t folder;
	uint32_t seq; /* from 1 in order of the first listing; the row's key in its folder */
	struct pf_span src_id, dst_id; /* dst absent: not there or not known */
	enum pf_row_state state;
	enum pf_verdict verdict;
	uint64_t size; /* of the bytes that were copied, else as listed */
	int64_t date_utc_s;
	int zone_min;
	struct pf_flags flags; /* the source's, as last carried over */
	bool has_digest;
	struct pf_digest digest; /* fingerprint of the source's bytes */
	uint32_t attempts;
	struct pf_span note;          /* reason, repair or rule, in words; server's reply last */
	struct pf_ledger_about about; /* read by PF_ITEMS_MISSED only; written by item_about */
};

/* The source's id for people: of items that share a document, that document's. */
static inline struct pf_span pf_ledger_item_id(const struct pf_ledger_item *row)
{
	const uint8_t *nul = row->src_id.n > 0 ? memchr(row->src_id.p, 0, row->src_id.n) : NULL;

	return nul ? pf_span(row->src_id.p, (size_t)(nul - row->src_id.p)) : row->src_id;
}

/* Insert or replace the whole row of (folder, seq). */
PF_MUST_CHECK int pf_ledger_item_put(
	struct pf_ledger *led, const struct pf_ledger_item *row, struct pf_err *err);
/* PLANNED rows from seq `first` to `last` become SENT, in one statement. */
PF_MUST_CHECK int pf_ledger_items_sent(
	struct pf_ledger *led, int64_t folder, uint32_t first, uint32_t last, struct pf_err *err);
/* What is new in a row that has come to its usual end. */
struct pf_ledger_done {
	int64_t folder;
	uint32_t seq;
	enum pf_verdict verdict;
	struct pf_span dst_id; /* or absent */
	uint64_t size;         /* of what was copied */
	const struct pf_digest *digest;
};
/* The usual end: the row becomes DONE; what is not in `done` stays as it is. */
PF_MUST_CHECK int pf_ledger_item_done(
	struct pf_ledger *led, const struct pf_ledger_done *done, struct pf_err *err);
/*
 * What a row of an item with an identifier of its own (a calendar item, a contact) has beside the
 * rest: written after the row, in the same commit. `seq` and `folder` as in the row.
 */
struct pf_ledger_keyed {
	int64_t folder;
	uint32_t seq;
	struct pf_span src_version, dst_version; /* of the last pass; absent: not told */
	struct pf_span src_uid, dst_uid;         /* absent: none */
	uint32_t codec_version; /* of the row's digest, which is that of its meaning */
	bool has_raw;
	struct pf_digest raw; /* of the bytes that were written to the target */
};
PF_MUST_CHECK int pf_ledger_keyed_put(
	struct pf_ledger *led, const struct pf_ledger_keyed *row, struct pf_err *err);
/* How the item of (folder, seq) is named; replaces what was known. */
PF_MUST_CHECK int pf_ledger_item_about(struct pf_ledger *led, int64_t folder, uint32_t seq,
	const struct pf_ledger_about *about, struct pf_err *err);
/* Forget a row (the engine dropped the folder's rows because ids lost their meaning). */
PF_MUST_CHECK int pf_ledger_items_drop(struct pf_ledger *led, int64_t folder, struct pf_err *err);

/* ---- what became of properties ---- */

/*
 * Of the item that the source has under `src_id` (without what pf_ledger_item_id takes off): in the
 * place of what was known. Forgotten with the folder's rows.
 */
PF_MUST_CHECK int pf_ledger_fates_put(struct pf_ledger *led, int64_t folder, struct pf_span src_id,
	const struct pf_fates *fates, struct pf_err *err);
/* What is known of it, in `arena`. PF_END: nothing, it came as it was. */
PF_MUST_CHECK int pf_ledger_fates(struct pf_ledger *led, int64_t folder, struct pf_span src_id,
	struct pf_arena *arena, struct pf_fates *out, struct pf_err *err);

/* Of how many items of an account something is said, by what became of it. */
struct pf_ledger_fate_sum {
	struct pf_span what;
	uint64_t items[PF_FATE_COUNT];
};
struct pf_ledger_fate_sums {
	struct pf_ledger_fate_sum *v; /* in no order; in the arena */
	size_t n;
	uint64_t items; /* that were given in another form */
};
PF_MUST_CHECK int pf_ledger_fate_sums(struct pf_ledger *led, int64_t account,
	struct pf_arena *arena, struct pf_ledger_fate_sums *out, struct pf_err *err);

/* ---- traffic ---- */

/* Bytes that went to a store (`up`), or came from it, within an hour: Unix time over 3,600. */
struct pf_ledger_traffic {
	const char *store; /* its identity */
	bool up;
	int64_t hour;
	uint64_t bytes;
};

/* So many more. */
PF_MUST_CHECK int pf_ledger_traffic_add(
	struct pf_ledger *led, const struct pf_ledger_traffic *more, struct pf_err *err);
/* Of `n` hours, the first of which is `of->hour`. */
PF_MUST_CHECK int pf_ledger_traffic(struct pf_ledger *led, const struct pf_ledger_traffic *of,
	uint64_t *out, size_t n, struct pf_err *err);

/* ---- events ---- */

struct pf_ledger_event {
	int64_t id, account; /* account 0: the run's */
	int64_t at_utc_s;
	int number;
	struct pf_span folder; /* shown path, or absent */
	struct pf_span item;   /* source id, or absent */
	struct pf_span text;
	struct pf_span raw; /* or absent; at most 4 KiB are kept */
};

PF_MUST_CHECK int pf_ledger_event_add(
	struct pf_ledger *led, const struct pf_ledger_event *ev, struct pf_err *err);

/* ---- reading ---- */

/*
 * Cursors: open with a query, call next until PF_END, close (NULL is fine). A cursor sees the
 * writes that came before its opening; writing while it is open is allowed, and a row that is
 * written meanwhile is given once at most, as it was or as it is now. All must be closed before the
 * ledger.
 */
struct pf_ledger_cursor;
void pf_ledger_cursor_close(struct pf_ledger_cursor **c);

PF_MUST_CHECK int pf_ledger_accounts(
	struct pf_ledger *led, struct pf_ledger_cursor **out, struct pf_err *err);
PF_MUST_CHECK int pf_ledger_accounts_next(
	struct pf_ledger_cursor *c, struct pf_ledger_account *out, struct pf_err *err);
/* Latest first. */
PF_MUST_CHECK int pf_ledger_passes(
	struct pf_ledger *led, int64_t account, struct pf_ledger_cursor **out, struct pf_err *err);
PF_MUST_CHECK int pf_ledger_passes_next(
	struct pf_ledger_cursor *c, struct pf_ledger_pass *out, struct pf_err *err);
/* In order of id. */
PF_MUST_CHECK int pf_ledger_folders(
	struct pf_ledger *led, int64_t account, struct pf_ledger_cursor **out, struct pf_err *err);
PF_MUST_CHECK int pf_ledger_folders_next(
	struct pf_ledger_cursor *c, struct pf_ledger_folder *out, struct pf_err *err);

enum pf_item_filter {
	PF_ITEMS_ALL,
	PF_ITEMS_OPEN,   /* no verdict yet */
	PF_ITEMS_SENT,   /* in doubt */
	PF_ITEMS_MISSED, /* quarantined, or without verdict */
	PF_ITEMS_WITH_NOTE,
};
/* Rows of one folder in order of seq; `folder` 0: of all folders of the account. */
PF_MUST_CHECK int pf_ledger_items(struct pf_ledger *led, int64_t account, int64_t folder,
	enum pf_item_filter filter, struct pf_ledger_cursor **out, struct pf_err *err);
PF_MUST_CHECK int pf_ledger_items_next(
	struct pf_ledger_cursor *c, struct pf_ledger_item *out, struct pf_err *err);

/* The same rows' other halves, in the same order; only of one folder. */
PF_MUST_CHECK int pf_ledger_keyed(
	struct pf_ledger *led, int64_t folder, struct pf_ledger_cursor **out, struct pf_err *err);
PF_MUST_CHECK int pf_ledger_keyed_next(
	struct pf_ledger_cursor *c, struct pf_ledger_keyed *out, struct pf_err *err);

/* Items and bytes by verdict, one row a folder. */
struct pf_ledger_sums {
	int64_t folder;
	uint64_t items[PF_VERDICT_COUNT], bytes[PF_VERDICT_COUNT];
	uint64_t in_doubt; /* SENT, part of items[NONE] */
};
/* Counts what was done to items: as long as it is what it was, so are the sums. */
uint64_t pf_ledger_item_writes(const struct pf_ledger *led);
PF_MUST_CHECK int pf_ledger_sums(
	struct pf_ledger *led, int64_t account, struct pf_ledger_cursor **out, struct pf_err *err);
PF_MUST_CHECK int pf_ledger_sums_next(
	struct pf_ledger_cursor *c, struct pf_ledger_sums *out, struct pf_err *err);

/* Events after `after` (0: all), oldest first; `account` 0: of all. */
PF_MUST_CHECK int pf_ledger_events(struct pf_ledger *led, int64_t account, int64_t after,
	struct pf_ledger_cursor **out, struct pf_err *err);
PF_MUST_CHECK int pf_ledger_events_next(
	struct pf_ledger_cursor *c, struct pf_ledger_event *out, struct pf_err *err);

#endif
