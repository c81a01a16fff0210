/*
 * The tables of a ledger and how an older one becomes like a new one.
 *
 * The version is in user_version of the file's head; that it is one of ours at all, in
 * application_id. A change of the tables is a new step at the end of the list; a step never changes
 * once it was in a release.
 */
#include "ledger/sqlite/sq_private.h"

#include <errno.h>
#include <stdio.h>

static const int APPLICATION_ID = 0x7066656c; /* "pfel" */

static const char *const STEPS[] = {
	/* 0 to 1. The item table has no second index: it is what every message costs. */
	"CREATE TABLE account(id INTEGER PRIMARY KEY, src TEXT NOT NULL, dst TEXT NOT NULL,"
	" UNIQUE(src, dst));"
	"CREATE TABLE pass(id INTEGER PRIMARY KEY, account INTEGER NOT NULL, begun INTEGER NOT "
	"NULL,"
	" ended INTEGER NOT NULL, exit_status INTEGER NOT NULL, summary BLOB);"
	"CREATE INDEX pass_account ON pass(account);"
	"CREATE TABLE folder(id INTEGER PRIMARY KEY, account INTEGER NOT NULL, src_path BLOB,"
	" dst_path BLOB, src_id BLOB, dst_id BLOB, kind INTEGER NOT NULL, role INTEGER NOT NULL,"
	" src_validity INTEGER NOT NULL, dst_validity INTEGER NOT NULL, dst_mark INTEGER NOT NULL,"
	" src_cursor BLOB, verdict INTEGER NOT NULL, note BLOB, a INTEGER NOT NULL);"
	"CREATE INDEX folder_account ON folder(account);"
	"CREATE TABLE item(k INTEGER PRIMARY KEY, state INTEGER NOT NULL, verdict INTEGER NOT NULL,"
	" size INTEGER NOT NULL, date INTEGER NOT NULL, zone INTEGER NOT NULL, sys INTEGER NOT "
	"NULL,"
	" attempts INTEGER NOT NULL, a INTEGER NOT NULL, b INTEGER NOT NULL, src_id BLOB, dst_id "
	"BLOB, digest BLOB, kw BLOB, note BLOB);"
	"CREATE TABLE event(id INTEGER PRIMARY KEY, account INTEGER NOT NULL, at INTEGER NOT NULL,"
	" number INTEGER NOT NULL, folder BLOB, item BLOB, text BLOB, raw BLOB);"
	"CREATE INDEX event_account ON event(account);",
	/* 1 to 2. What items with identifiers of their own have beside the rest. */
	("CREATE TABLE keyed(k INTEGER PRIMARY KEY, src_version BLOB, dst_version BLOB, src_uid "
	 "BLOB, dst_uid BLOB, codec INTEGER NOT NULL, raw BLOB, a INTEGER NOT NULL);"),
	/* 2 to 3. How items that did not arrive are named: few, so they cost the others nothing. */
	"CREATE TABLE about(k INTEGER PRIMARY KEY, message_id BLOB, sender BLOB, subject BLOB);",
	/* 3 to 4. What was moved in an hour: a row an hour, a store and a way. */
	("CREATE TABLE traffic(store TEXT NOT NULL, up INTEGER NOT NULL, hour INTEGER NOT NULL,"
	 " bytes INTEGER NOT NULL, PRIMARY KEY(store, up, hour)) WITHOUT ROWID;"),
	/* 4 to 5. What became of the properties of items that were given in another form. Names
	 * repeat from item to item: each is there once, and an item has their numbers. */
	("CREATE TABLE term(id INTEGER PRIMARY KEY, text BLOB NOT NULL UNIQUE);"
	 "CREATE TABLE fate(folder INTEGER NOT NULL, item BLOB NOT NULL, terms BLOB NOT NULL,"
	 " odd BLOB, PRIMARY KEY(folder, item)) WITHOUT ROWID;"),
};

const struct pf_sq_steps PF_SQ_STEPS = {STEPS, PF_COUNT(STEPS)};

static int get_number(
	sqlite3 *db, const char *path, const char *pragma, int *out, struct pf_err *err)
{
	sqlite3_stmt *st = NULL;
	int rc = PF_OK;

	errno = 0;
	if (sqlite3_prepare_v2(db, pragma, -1, &st, NULL) == SQLITE_OK &&
		sqlite3_step(st) == SQLITE_ROW) {
		*out = sqlite3_column_int(st, 0);
	} else {
		rc = pf_sq_fail(err, path, db, 0, "reading its head");
	}
	(void)sqlite3_finalize(st);
	return rc;
}

static int exec(sqlite3 *db, const char *path, const char *sql, struct pf_err *err)
{
	errno = 0;
	if (sqlite3_exec(db, sql, NULL, NULL, NULL) != SQLITE_OK) {
		return pf_sq_fail(err, path, db, 0, "making its tables");
	}
	return PF_OK;
}

static int run_steps(sqlite3 *db, const char *path, const struct pf_sq_steps *steps, int from,
	struct pf_err *err)
{
	char mark[80];

	(void)snprintf(mark, sizeof(mark), "PRAGMA application_id=%d; PRAGMA user_version=%d;",
		APPLICATION_ID, steps->count);
	for (int i = from; i < steps->count; i++) {
		if (exec(db, path, steps->sql[i], err) != PF_OK) {
			return pf_wrap(err, "from version %d to %d", i, i + 1);
		}
	}
	return exec(db, path, mark, err);
}

static int run_all(sqlite3 *db, const char *path, const struct pf_sq_steps *steps, int from,
	struct pf_err *err)
{
	if (exec(db, path, "BEGIN EXCLUSIVE", err) != PF_OK) {
		return PF_FAIL;
	}
	if (run_steps(db, path, steps, from, err) != PF_OK ||
		exec(db, path, "COMMIT", err) != PF_OK) {
		/* The first failure is the one to tell; closing rolls back as well. */
		(void)sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL);
		return PF_FAIL;
	}
	return PF_OK;
}

int pf_sq_schema_make(sqlite3 *db, const char *path, struct pf_err *err)
{
	return run_all(db, path, &PF_SQ_STEPS, 0, err);
}

/*
 * A whole check reads the whole file, 1.5 ms for each MiB. A ledger of 300,000 messages still gets
 * it at every opening; of a larger one only what is read is checked (the sums of its rows, the
 * pages they are on).
 */
static int check_pages(sqlite3 *db, const char *path, struct pf_err *err)
{
	static const int PAGES_MAX = 8192;
	sqlite3_stmt *st = NULL;
	const unsigned char *line;
	int pages = 0;
	int rc = get_number(db, path, "PRAGMA page_count", &pages, err);

	if (rc != PF_OK || pages > PAGES_MAX) {
		return rc;
	}
	errno = 0;
	if (sqlite3_prepare_v2(db, "PRAGMA integrity_check(1)", -1, &st, NULL) != SQLITE_OK ||
		sqlite3_step(st) != SQLITE_ROW) {
		rc = pf_sq_fail(err, path, db, 0, "checking it");
	} else {
		line = sqlite3_column_text(st, 0);
		if (!line || strcmp((const char *)line, "ok") != 0) {
			rc = pf_sq_damaged(err, path, line ? (const char *)line : "?");
		}
	}
	(void)sqlite3_finalize(st);
	return rc;
}

/*
 * Keys are the rows' numbers only by the words that made their table: one letter of them wrong, and
 * they are columns of their own, without a value. Nothing else tells of that.
 */
static int check_keys(sqlite3 *db, const char *path, int version, struct pf_err *err)
{
	static const struct {
		const char *sql;
		int since; /* version */
	} KEYS[] = {
		{"SELECT count(*) FROM (SELECT id, rowid r FROM account LIMIT 1) WHERE id IS NOT r",
			1},
		{"SELECT count(*) FROM (SELECT id, rowid r FROM pass LIMIT 1) WHERE id IS NOT r",
			1},
		{"SELECT count(*) FROM (SELECT id, rowid r FROM folder LIMIT 1) WHERE id IS NOT r",
			1},
		{"SELECT count(*) FROM (SELECT id, rowid r FROM event LIMIT 1) WHERE id IS NOT r",
			1},
		{"SELECT count(*) FROM (SELECT k, rowid r FROM item LIMIT 1) WHERE k IS NOT r", 1},
		{"SELECT count(*) FROM (SELECT k, rowid r FROM keyed LIMIT 1) WHERE k IS NOT r", 2},
		{"SELECT count(*) FROM (SELECT k, rowid r FROM about LIMIT 1) WHERE k IS NOT r", 3},
		{"SELECT count(*) FROM (SELECT id, rowid r FROM term LIMIT 1) WHERE id IS NOT r",
			5},
	};
	int wrong = 0;

	for (size_t i = 0; i < PF_COUNT(KEYS) && KEYS[i].since <= version; i++) {
		if (get_number(db, path, KEYS[i].sql, &wrong, err) != PF_OK) {
			return PF_FAIL;
		}
		if (wrong) {
			return pf_sq_damaged(err, path, "a table is not as it was made");
		}
	}
	return PF_OK;
}

int pf_sq_schema_check(sqlite3 *db, const char *path, const struct pf_sq_steps *steps, bool upgrade,
	struct pf_err *err)
{
	int application = 0, version = 0;
	char text[160];

	if (get_number(db, path, "PRAGMA application_id", &application, err) != PF_OK ||
		get_number(db, path, "PRAGMA user_version", &version, err) != PF_OK) {
		return PF_FAIL;
	}
	if (application != APPLICATION_ID || version < 1) {
		return pf_sq_refuse(err, path, "is a database of another program, or damaged",
			PF_SQ_REMEDY_DAMAGED);
	}
	if (version > steps->count) {
		(void)snprintf(text, sizeof(text),
			"is of version %d, made by a newer postferry; this one knows up to %d",
			version, steps->count);
		return pf_sq_refuse(
			err, path, text, "use the newer postferry, nothing was changed");
	}
	if (check_pages(db, path, err) != PF_OK || check_keys(db, path, version, err) != PF_OK) {
		return PF_FAIL;
	}
	if (version == steps->count) {
		return PF_OK;
	}
	if (!upgrade) {
		(void)snprintf(text, sizeof(text), "is of version %d, made by an older postferry",
			version);
		return pf_sq_refuse(
			err, path, text, "the next copy, verify or retry with it upgrades it");
	}
	return run_all(db, path, steps, version, err);
}
