/*
 * Shared by the files of the SQLite driver.
 *
 * On disk a ledger is PATH (the database, in write-ahead mode), PATH-wal and PATH-shm (SQLite's,
 * for as long as somebody has it open) and PATH.lock (who holds it, sq_hold.c). A new one is made
 * as PATH.new and renamed, so PATH is whole from its first moment (sq_open.c).
 */
#ifndef PF_LEDGER_SQLITE_SQ_PRIVATE_H
#define PF_LEDGER_SQLITE_SQ_PRIVATE_H

#include "ledger/ledger.h"

#include <sqlite3.h>

enum pf_sq_write {
	PF_SQ_BEGIN,
	PF_SQ_COMMIT,
	PF_SQ_ACCOUNT_FIND,
	PF_SQ_ACCOUNT_ADD,
	PF_SQ_PASS_BEGIN,
	PF_SQ_PASS_END,
	PF_SQ_FOLDER_ADD,
	PF_SQ_FOLDER_SET,
	PF_SQ_ITEM_PUT,
	PF_SQ_ITEMS_SENT,
	PF_SQ_ITEM_DONE,
	PF_SQ_ITEM_ABOUT,
	PF_SQ_ITEMS_DROP,
	PF_SQ_ABOUT_DROP,
	PF_SQ_EVENT_ADD,
	PF_SQ_KEYED_PUT,
	PF_SQ_KEYED_DROP,
	PF_SQ_TRAFFIC_ADD,
	PF_SQ_TRAFFIC_READ,
	PF_SQ_TERM_ADD,
	PF_SQ_TERM_FIND,
	PF_SQ_FATE_PUT,
	PF_SQ_FATE_DROP,
	PF_SQ_WRITE_COUNT,
};

enum { PF_SQ_FILTERS = PF_ITEMS_WITH_NOTE + 1 };

enum pf_sq_read {
	PF_SQ_ACCOUNTS,
	PF_SQ_PASSES,
	PF_SQ_FOLDERS,
	PF_SQ_SUMS,
	PF_SQ_EVENTS,
	PF_SQ_EVENTS_OF_ACCOUNT,
	PF_SQ_KEYED,
	PF_SQ_ITEMS_OF_FOLDER, /* from here on one for each filter */
	PF_SQ_ITEMS_OF_ACCOUNT = PF_SQ_ITEMS_OF_FOLDER + PF_SQ_FILTERS,
	PF_SQ_READ_COUNT = PF_SQ_ITEMS_OF_ACCOUNT + PF_SQ_FILTERS,
};

struct pf_ledger {
	sqlite3 *db;
	char *path; /* absolute, links followed */
	enum pf_ledger_mode mode;
	int lock_fd; /* WRITE: PATH.lock, held; else -1 */
	bool dirty;  /* a transaction is open */
	bool failed; /* a write failed, `why`: what was gathered is lost, only reading goes on */
	struct pf_err why;
	uint64_t commits;
	uint64_t item_writes;
	size_t cursors; /* open ones */
	sqlite3_stmt *write[PF_SQ_WRITE_COUNT];
	sqlite3_stmt *read[PF_SQ_READ_COUNT]; /* ready for the next cursor; NULL: in use */
};

/*
 * An item's key: its folder in the upper half, its place in the lower. One integer is the fastest
 * key that SQLite has (measured: rows go in and change in half the time that a key of two columns
 * takes), and a folder's rows still lie together in order.
 */
static inline int64_t pf_sq_key(int64_t folder, uint32_t seq)
{
	return (int64_t)((uint64_t)folder << 32 | seq);
}
enum { PF_SQ_FOLDER_MAX = INT32_MAX }; /* so that keys stay positive */

/* ---- sq_error.c ---- */

/*
 * Fill `err` (scope RUN) from what SQLite says went wrong in `db` (or, where that is NULL, from
 * `code`): path, what was being done, reason, remedy.
 */
int pf_sq_fail(struct pf_err *err, const char *path, sqlite3 *db, int code, const char *doing);
/* "ledger PATH: reason; remedy" for what was found before SQLite was asked. */
int pf_sq_refuse(struct pf_err *err, const char *path, const char *reason, const char *remedy);
/* The same with errno's meaning behind the reason. */
int pf_sq_refuse_sys(struct pf_err *err, const char *path, const char *reason, const char *remedy);
/* It is damaged, and how that shows. */
int pf_sq_damaged(struct pf_err *err, const char *path, const char *found);
/* What to do about a file that is no ledger (any more). */
extern const char PF_SQ_REMEDY_DAMAGED[];

/* ---- sq_hold.c ---- */

/*
 * Take the lock of the ledger at `path` for this process and write down who holds it. The kernel
 * lets go of it when the process ends in whatever way, so that a holder that died is no obstacle.
 * PF_FAIL: another process has it (named in the text), or there can be no lock.
 */
PF_MUST_CHECK int pf_sq_hold(const char *path, int *fd, struct pf_err *err);
void pf_sq_release(int *fd);

/* ---- sq_schema.c ---- */

/* Step i brings a database from version i to i + 1. */
struct pf_sq_steps {
	const char *const *sql;
	int count;
};
extern const struct pf_sq_steps PF_SQ_STEPS;
/*
 * See whether `db` is a ledger of a version that `steps` ends in, and with `upgrade` make it one,
 * in a transaction. PF_FAIL: it is none, damaged, of a newer version, or older without `upgrade`.
 */
PF_MUST_CHECK int pf_sq_schema_check(sqlite3 *db, const char *path, const struct pf_sq_steps *steps,
	bool upgrade, struct pf_err *err);
/* Make an empty database a ledger. */
PF_MUST_CHECK int pf_sq_schema_make(sqlite3 *db, const char *path, struct pf_err *err);

/* ---- sq_sum.c ---- */

int64_t pf_sq_sum_source(const struct pf_ledger_item *row);
/* `digest` NULL: there is none yet. */
int64_t pf_sq_sum_end(const struct pf_ledger_done *done);
/* What of a whole row its end is. */
static inline struct pf_ledger_done pf_sq_end_of(const struct pf_ledger_item *row)
{
	return (struct pf_ledger_done){row->folder, row->seq, row->verdict, row->dst_id, row->size,
		row->has_digest ? &row->digest : NULL};
}
int64_t pf_sq_sum_keyed(const struct pf_ledger_keyed *row);
/* All but its number, which SQLite gives it afterwards. */
int64_t pf_sq_sum_folder(int64_t account, const struct pf_ledger_folder *row);

/* ---- sq_fate.c ---- */

/* A list of terms by number, as it is in a row: each number with what became of it. */
enum { PF_SQ_TERM_BYTES = 10 }; /* that one takes at the most */
size_t pf_sq_term_put(uint64_t id, enum pf_fate fate, uint8_t out[PF_SQ_TERM_BYTES]);

/* ---- sq_write.c, sq_read.c ---- */

/* States as they are on disk, by enum pf_row_state: no flipped bit makes one of another. */
enum {
	PF_SQ_PLANNED = 3,
	PF_SQ_SENT = 5,
	PF_SQ_DONE = 6,
	PF_SQ_REFUSED = 9,
	PF_SQ_LEFT = 10,
};

extern const char *const PF_SQ_WRITE_SQL[PF_SQ_WRITE_COUNT];
extern const char *const PF_SQ_READ_SQL[PF_SQ_READ_COUNT];

#endif
