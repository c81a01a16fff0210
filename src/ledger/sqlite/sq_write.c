/*
 * What goes into a ledger. The first write after a commit opens a transaction, the commit ends it;
 * a write that fails spoils all that was gathered with it, so from then on every write says so
 * again.
 */
#include "base/buf.h"
#include "base/kill_point.h"
#include "ledger/sqlite/sq_private.h"

#include <errno.h>

/* N: right before commit (N + 1) / 2 when N is odd, right after it when N is even. */
static const char KILL_AT_WRITE[] = "POSTFERRY_TEST_KILL_AT_WRITE";

const char *const PF_SQ_WRITE_SQL[PF_SQ_WRITE_COUNT] = {
	[PF_SQ_BEGIN] = "BEGIN IMMEDIATE",
	[PF_SQ_COMMIT] = "COMMIT",
	[PF_SQ_ACCOUNT_FIND] = "SELECT id FROM account WHERE src = ? AND dst = ?",
	[PF_SQ_ACCOUNT_ADD] = "INSERT INTO account(src, dst) VALUES(?, ?)",
	[PF_SQ_PASS_BEGIN] =
		"INSERT INTO pass(account, begun, ended, exit_status) VALUES(?, ?, 0, 0)",
	[PF_SQ_PASS_END] =
		"UPDATE pass SET ended = ?2, exit_status = ?3, summary = ?4 WHERE id = ?1",
	[PF_SQ_FOLDER_ADD] =
		"INSERT INTO folder(account, src_path, dst_path, src_id, dst_id, kind, role,"
		" src_validity, dst_validity, dst_mark, src_cursor, verdict, note, a)"
		" VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
	[PF_SQ_FOLDER_SET] =
		"UPDATE folder SET account = ?1, src_path = ?2, dst_path = ?3, src_id = ?4,"
		" dst_id = ?5, kind = ?6, role = ?7, src_validity = ?8, dst_validity = ?9,"
		" dst_mark = ?10, src_cursor = ?11, verdict = ?12, note = ?13,"
		" a = ?14 WHERE id = ?15",
	[PF_SQ_ITEM_PUT] =
		"REPLACE INTO item(k, state, verdict, size, date, zone, sys, attempts, a, b, "
		"src_id,"
		" dst_id, digest, kw, note) VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
	[PF_SQ_ITEMS_SENT] = "UPDATE item SET state = ? WHERE k BETWEEN ? AND ? AND state = ?",
	[PF_SQ_ITEM_DONE] = "UPDATE item SET state = ?, verdict = ?, dst_id = ?, size = ?,"
			    " digest = ?, b = ? WHERE k = ?",
	[PF_SQ_ITEM_ABOUT] =
		"REPLACE INTO about(k, message_id, sender, subject) VALUES(?, ?, ?, ?)",
	[PF_SQ_ABOUT_DROP] = "DELETE FROM about WHERE k BETWEEN ? AND ?",
	[PF_SQ_ITEMS_DROP] = "DELETE FROM item WHERE k BETWEEN ? AND ?",
	[PF_SQ_KEYED_PUT] =
		"REPLACE INTO keyed(k, src_version, dst_version, src_uid, dst_uid, codec, raw, a)"
		" VALUES(?, ?, ?, ?, ?, ?, ?, ?)",
	[PF_SQ_KEYED_DROP] = "DELETE FROM keyed WHERE k BETWEEN ? AND ?",
	[PF_SQ_TRAFFIC_ADD] =
		"INSERT INTO traffic(store, up, hour, bytes) VALUES(?, ?, ?, ?)"
		" ON CONFLICT(store, up, hour) DO UPDATE SET bytes = bytes + excluded.bytes",
	[PF_SQ_TRAFFIC_READ] = "SELECT hour, bytes FROM traffic WHERE store = ? AND up = ?"
			       " AND hour BETWEEN ? AND ?",
	[PF_SQ_TERM_ADD] = "INSERT OR IGNORE INTO term(text) VALUES(?)",
	[PF_SQ_TERM_FIND] = "SELECT id FROM term WHERE text = ?",
	[PF_SQ_FATE_PUT] = "REPLACE INTO fate(folder, item, terms, odd) VALUES(?, ?, ?, ?)",
	[PF_SQ_FATE_DROP] = "DELETE FROM fate WHERE folder = ?",
	[PF_SQ_EVENT_ADD] = "INSERT INTO event(account, at, number, folder, item, text, raw)"
			    " VALUES(?, ?, ?, ?, ?, ?, ?)",
};

enum { RAW_KEPT = 4096 };

/* A statement being filled: parameters from left to right, the first failure is kept. */
struct fill {
	sqlite3_stmt *st;
	int at, code;
};

static void put_int(struct fill *f, int64_t v)
{
	int code = sqlite3_bind_int64(f->st, ++f->at, v);

	f->code = f->code == SQLITE_OK ? code : f->code;
}

/* Absent becomes NULL. Nothing is copied: the statement runs before the caller's bytes go away. */
static void put_span(struct fill *f, struct pf_span s)
{
	int code = sqlite3_bind_blob64(f->st, ++f->at, s.p, s.n, SQLITE_STATIC);

	f->code = f->code == SQLITE_OK ? code : f->code;
}

static void put_digest(struct fill *f, const struct pf_digest *d)
{
	put_span(f, d ? pf_span(d->b, sizeof(d->b)) : pf_span(NULL, 0));
}

static void put_text(struct fill *f, const char *s)
{
	int code = sqlite3_bind_text(f->st, ++f->at, s, -1, SQLITE_STATIC);

	f->code = f->code == SQLITE_OK ? code : f->code;
}

static int fail_write(struct pf_ledger *led, int code, const char *doing, struct pf_err *err)
{
	(void)pf_sq_fail(&led->why, led->path, code == SQLITE_OK ? led->db : NULL, code, doing);
	led->failed = true;
	if (err) {
		*err = led->why;
	}
	return PF_FAIL;
}

/* Run the filled statement to its end; `changes`: the rows it must have touched, -1 for any number.
 */
static int run(
	struct pf_ledger *led, struct fill *f, int changes, const char *doing, struct pf_err *err)
{
	if (f->code != SQLITE_OK) {
		return fail_write(led, f->code, doing, err);
	}
	errno = 0;
	if (sqlite3_step(f->st) != SQLITE_DONE) {
		(void)fail_write(led, SQLITE_OK, doing, err);
		(void)sqlite3_reset(f->st); /* tells the same failure again */
		return PF_FAIL;
	}
	(void)sqlite3_reset(f->st);
	if (changes >= 0 && sqlite3_changes(led->db) != changes) {
		return pf_fail(err, PF_SCOPE_RUN, PF_RETRY_NO, "ledger %s: %s: it is not there",
			led->path, doing);
	}
	return PF_OK;
}

static int may_write(const struct pf_ledger *led, struct pf_err *err)
{
	if (led->mode != PF_LEDGER_WRITE) {
		return pf_fail(err, PF_SCOPE_RUN, PF_RETRY_NO,
			"ledger %s: was opened for reading only", led->path);
	}
	if (led->failed && err) {
		*err = led->why;
	}
	return led->failed ? PF_FAIL : PF_OK;
}

/* Open the transaction if there is none and make `which` ready to be filled. */
static int begin(struct pf_ledger *led, enum pf_sq_write which, struct fill *f, struct pf_err *err)
{
	struct fill open = {.st = led->write[PF_SQ_BEGIN]};

	if (may_write(led, err) != PF_OK) {
		return PF_FAIL;
	}
	if (!led->dirty && run(led, &open, -1, "beginning to write", err) != PF_OK) {
		return PF_FAIL;
	}
	led->dirty = true;
	*f = (struct fill){.st = led->write[which]};
	return PF_OK;
}

int pf_ledger_commit(struct pf_ledger *led, struct pf_err *err)
{
	struct fill f = {.st = led->write[PF_SQ_COMMIT]};

	if (!led->dirty && !led->failed) {
		return PF_OK;
	}
	if (may_write(led, err) != PF_OK) {
		return PF_FAIL;
	}
	pf_kill_point(KILL_AT_WRITE, 2 * led->commits + 1);
	if (run(led, &f, -1, "making writes durable", err) != PF_OK) {
		return PF_FAIL;
	}
	led->dirty = false;
	led->commits++;
	pf_kill_point(KILL_AT_WRITE, 2 * led->commits);
	return PF_OK;
}

bool pf_ledger_dirty(const struct pf_ledger *led)
{
	return led->dirty;
}

uint64_t pf_ledger_commits(const struct pf_ledger *led)
{
	return led->commits;
}

uint64_t pf_ledger_item_writes(const struct pf_ledger *led)
{
	return led->item_writes;
}

/* ---- accounts and passes ---- */

/* `*id` 0: there is none. */
static int find_account(
	struct pf_ledger *led, const char *from, const char *to, int64_t *id, struct pf_err *err)
{
	struct fill f = {.st = led->write[PF_SQ_ACCOUNT_FIND]};
	int code;

	*id = 0;
	put_text(&f, from);
	put_text(&f, to);
	if (f.code != SQLITE_OK) {
		return pf_sq_fail(err, led->path, NULL, f.code, "finding the account");
	}
	errno = 0;
	code = sqlite3_step(f.st);
	if (code == SQLITE_ROW) {
		*id = sqlite3_column_int64(f.st, 0);
	} else if (code != SQLITE_DONE) {
		(void)pf_sq_fail(err, led->path, led->db, 0, "finding the account");
	}
	(void)sqlite3_reset(f.st);
	return code == SQLITE_ROW || code == SQLITE_DONE ? PF_OK : PF_FAIL;
}

int pf_ledger_account(
	struct pf_ledger *led, const char *from, const char *to, int64_t *id, struct pf_err *err)
{
	struct fill f;

	if (may_write(led, err) != PF_OK || find_account(led, from, to, id, err) != PF_OK) {
		return PF_FAIL;
	}
	if (*id != 0) {
		return PF_OK;
	}
	if (begin(led, PF_SQ_ACCOUNT_ADD, &f, err) != PF_OK) {
		return PF_FAIL;
	}
	put_text(&f, from);
	put_text(&f, to);
	if (run(led, &f, 1, "noting the account", err) != PF_OK) {
		return PF_FAIL;
	}
	*id = sqlite3_last_insert_rowid(led->db);
	return PF_OK;
}

int pf_ledger_pass_begin(struct pf_ledger *led, int64_t account, int64_t now_utc_s, int64_t *pass,
	struct pf_err *err)
{
	struct fill f;

	if (begin(led, PF_SQ_PASS_BEGIN, &f, err) != PF_OK) {
		return PF_FAIL;
	}
	put_int(&f, account);
	put_int(&f, now_utc_s);
	if (run(led, &f, 1, "noting a pass", err) != PF_OK) {
		return PF_FAIL;
	}
	*pass = sqlite3_last_insert_rowid(led->db);
	return PF_OK;
}

int pf_ledger_pass_end(struct pf_ledger *led, int64_t pass, int64_t now_utc_s, int exit_status,
	struct pf_span summary, struct pf_err *err)
{
	struct fill f;

	if (begin(led, PF_SQ_PASS_END, &f, err) != PF_OK) {
		return PF_FAIL;
	}
	put_int(&f, pass);
	put_int(&f, now_utc_s);
	put_int(&f, exit_status);
	put_span(&f, summary);
	return run(led, &f, 1, "noting a pass's end", err);
}

/* ---- folders ---- */

int pf_ledger_folder_put(
	struct pf_ledger *led, int64_t account, struct pf_ledger_folder *row, struct pf_err *err)
{
	bool fresh = row->id == 0;
	struct fill f;

	if (begin(led, fresh ? PF_SQ_FOLDER_ADD : PF_SQ_FOLDER_SET, &f, err) != PF_OK) {
		return PF_FAIL;
	}
	put_int(&f, account);
	put_span(&f, row->src_path);
	put_span(&f, row->dst_path);
	put_span(&f, row->src_id);
	put_span(&f, row->dst_id);
	put_int(&f, row->kind);
	put_int(&f, row->role);
	put_int(&f, (int64_t)row->src_validity);
	put_int(&f, (int64_t)row->dst_validity);
	put_int(&f, (int64_t)row->dst_mark);
	put_span(&f, row->src_cursor);
	put_int(&f, row->verdict);
	put_span(&f, row->note);
	put_int(&f, pf_sq_sum_folder(account, row));
	if (!fresh) {
		put_int(&f, row->id);
	}
	if (run(led, &f, 1, "noting a folder", err) != PF_OK) {
		return PF_FAIL;
	}
	if (fresh) {
		row->id = sqlite3_last_insert_rowid(led->db);
	}
	return PF_OK;
}

/* ---- items ---- */

static int check_folder(struct pf_ledger *led, int64_t folder, struct pf_err *err)
{
	if (folder < 1 || folder > PF_SQ_FOLDER_MAX) {
		return pf_fail(err, PF_SCOPE_RUN, PF_RETRY_NO,
			"ledger %s: no folder has the number %lld", led->path, (long long)folder);
	}
	return PF_OK;
}

int pf_ledger_item_put(struct pf_ledger *led, const struct pf_ledger_item *row, struct pf_err *err)
{
	static const int STATES[] = {
		[PF_ROW_PLANNED] = PF_SQ_PLANNED,
		[PF_ROW_SENT] = PF_SQ_SENT,
		[PF_ROW_DONE] = PF_SQ_DONE,
		[PF_ROW_REFUSED] = PF_SQ_REFUSED,
		[PF_ROW_LEFT] = PF_SQ_LEFT,
	};
	struct pf_ledger_done end = pf_sq_end_of(row);
	struct fill f;

	if (check_folder(led, row->folder, err) != PF_OK ||
		begin(led, PF_SQ_ITEM_PUT, &f, err) != PF_OK) {
		return PF_FAIL;
	}
	led->item_writes++;
	put_int(&f, pf_sq_key(row->folder, row->seq));
	put_int(&f, STATES[row->state]);
	put_int(&f, row->verdict);
	put_int(&f, (int64_t)row->size);
	put_int(&f, row->date_utc_s);
	put_int(&f, row->zone_min);
	put_int(&f, row->flags.sys);
	put_int(&f, row->attempts);
	put_int(&f, pf_sq_sum_source(row));
	put_int(&f, pf_sq_sum_end(&end));
	put_span(&f, row->src_id);
	put_span(&f, row->dst_id);
	put_digest(&f, end.digest);
	put_span(&f, row->flags.kw);
	put_span(&f, row->note);
	return run(led, &f, -1, "noting an item", err);
}

int pf_ledger_items_sent(
	struct pf_ledger *led, int64_t folder, uint32_t first, uint32_t last, struct pf_err *err)
{
	struct fill f;

	if (check_folder(led, folder, err) != PF_OK ||
		begin(led, PF_SQ_ITEMS_SENT, &f, err) != PF_OK) {
		return PF_FAIL;
	}
	led->item_writes++;
	put_int(&f, PF_SQ_SENT);
	put_int(&f, pf_sq_key(folder, first));
	put_int(&f, pf_sq_key(folder, last));
	put_int(&f, PF_SQ_PLANNED);
	return run(led, &f, -1, "noting items as sent", err);
}

int pf_ledger_item_done(
	struct pf_ledger *led, const struct pf_ledger_done *done, struct pf_err *err)
{
	struct fill f;

	if (check_folder(led, done->folder, err) != PF_OK ||
		begin(led, PF_SQ_ITEM_DONE, &f, err) != PF_OK) {
		return PF_FAIL;
	}
	led->item_writes++;
	put_int(&f, PF_SQ_DONE);
	put_int(&f, done->verdict);
	put_span(&f, done->dst_id);
	put_int(&f, (int64_t)done->size);
	put_digest(&f, done->digest);
	put_int(&f, pf_sq_sum_end(done));
	put_int(&f, pf_sq_key(done->folder, done->seq));
	return run(led, &f, 1, "noting an item's end", err);
}

int pf_ledger_item_about(struct pf_ledger *led, int64_t folder, uint32_t seq,
	const struct pf_ledger_about *about, struct pf_err *err)
{
	struct fill f;

	if (check_folder(led, folder, err) != PF_OK ||
		begin(led, PF_SQ_ITEM_ABOUT, &f, err) != PF_OK) {
		return PF_FAIL;
	}
	put_int(&f, pf_sq_key(folder, seq));
	put_span(&f, about->message_id);
	put_span(&f, about->from);
	put_span(&f, about->subject);
	return run(led, &f, -1, "noting how an item is named", err);
}

static int drop(struct pf_ledger *led, enum pf_sq_write which, int64_t folder, struct pf_err *err)
{
	struct fill f;

	if (begin(led, which, &f, err) != PF_OK) {
		return PF_FAIL;
	}
	put_int(&f, pf_sq_key(folder, 0));
	put_int(&f, pf_sq_key(folder, UINT32_MAX));
	return run(led, &f, -1, "forgetting a folder's items", err);
}

int pf_ledger_keyed_put(
	struct pf_ledger *led, const struct pf_ledger_keyed *row, struct pf_err *err)
{
	struct fill f;

	if (check_folder(led, row->folder, err) != PF_OK ||
		begin(led, PF_SQ_KEYED_PUT, &f, err) != PF_OK) {
		return PF_FAIL;
	}
	put_int(&f, pf_sq_key(row->folder, row->seq));
	put_span(&f, row->src_version);
	put_span(&f, row->dst_version);
	put_span(&f, row->src_uid);
	put_span(&f, row->dst_uid);
	put_int(&f, row->codec_version);
	put_digest(&f, row->has_raw ? &row->raw : NULL);
	put_int(&f, pf_sq_sum_keyed(row));
	return run(led, &f, -1, "noting an item", err);
}

static int drop_fates(struct pf_ledger *led, int64_t folder, struct pf_err *err)
{
	struct fill f;

	if (begin(led, PF_SQ_FATE_DROP, &f, err) != PF_OK) {
		return PF_FAIL;
	}
	put_int(&f, folder);
	return run(led, &f, -1, "forgetting a folder's items", err);
}

int pf_ledger_items_drop(struct pf_ledger *led, int64_t folder, struct pf_err *err)
{
	if (check_folder(led, folder, err) != PF_OK ||
		drop(led, PF_SQ_ABOUT_DROP, folder, err) != PF_OK ||
		drop(led, PF_SQ_KEYED_DROP, folder, err) != PF_OK ||
		drop_fates(led, folder, err) != PF_OK) {
		return PF_FAIL;
	}
	led->item_writes++;
	return drop(led, PF_SQ_ITEMS_DROP, folder, err);
}

/* ---- what became of properties ---- */

/* The number of a term, which is made when it is new. */
static int term_of(struct pf_ledger *led, struct pf_span text, uint64_t *id, struct pf_err *err)
{
	struct fill find = {.st = led->write[PF_SQ_TERM_FIND]}, add;

	for (int tries = 0; tries < 2; tries++) {
		int code;

		find.at = 0;
		put_span(&find, text);
		errno = 0;
		code = find.code == SQLITE_OK ? sqlite3_step(find.st) : find.code;
		if (code == SQLITE_ROW) {
			*id = (uint64_t)sqlite3_column_int64(find.st, 0);
		}
		(void)sqlite3_reset(find.st);
		if (code == SQLITE_ROW) {
			return PF_OK;
		}
		if (code != SQLITE_DONE || begin(led, PF_SQ_TERM_ADD, &add, err) != PF_OK) {
			return fail_write(led, code, "noting a property", err);
		}
		put_span(&add, text);
		if (run(led, &add, -1, "noting a property", err) != PF_OK) {
			return PF_FAIL;
		}
	}
	return fail_write(led, SQLITE_CORRUPT, "noting a property", err);
}

int pf_ledger_fates_put(struct pf_ledger *led, int64_t folder, struct pf_span src_id,
	const struct pf_fates *fates, struct pf_err *err)
{
	struct pf_buf terms;
	struct fill f;
	int rc = check_folder(led, folder, err);

	pf_buf_init(&terms, (fates->n + 1) * PF_SQ_TERM_BYTES);
	rc = rc == PF_OK ? pf_buf_reserve(&terms, 1, err) : rc;
	for (size_t i = 0; i < fates->n && rc == PF_OK; i++) {
		uint8_t number[PF_SQ_TERM_BYTES];
		uint64_t id = 0;

		rc = term_of(led, fates->v[i].what, &id, err);
		if (rc == PF_OK) {
			size_t n = pf_sq_term_put(id, fates->v[i].fate, number);

			rc = pf_buf_add(&terms, pf_span(number, n), err);
		}
	}
	rc = rc == PF_OK ? begin(led, PF_SQ_FATE_PUT, &f, err) : rc;
	if (rc == PF_OK) {
		put_int(&f, folder);
		put_span(&f, src_id);
		put_span(&f, pf_buf_span(&terms));
		put_span(&f, fates->odd);
		rc = run(led, &f, -1, "noting what became of an item's properties", err);
	}
	pf_buf_deinit(&terms);
	return rc;
}

/* ---- traffic ---- */

int pf_ledger_traffic_add(
	struct pf_ledger *led, const struct pf_ledger_traffic *more, struct pf_err *err)
{
	struct fill f;

	if (begin(led, PF_SQ_TRAFFIC_ADD, &f, err) != PF_OK) {
		return PF_FAIL;
	}
	put_text(&f, more->store);
	put_int(&f, more->up);
	put_int(&f, more->hour);
	put_int(&f, (int64_t)more->bytes);
	return run(led, &f, -1, "noting what was moved", err);
}

int pf_ledger_traffic(struct pf_ledger *led, const struct pf_ledger_traffic *of, uint64_t *out,
	size_t n, struct pf_err *err)
{
	struct fill f = {.st = led->write[PF_SQ_TRAFFIC_READ]};
	int code;

	if (may_write(led, err) != PF_OK) {
		return PF_FAIL;
	}
	memset(out, 0, n * sizeof(*out));
	put_text(&f, of->store);
	put_int(&f, of->up);
	put_int(&f, of->hour);
	put_int(&f, of->hour + (int64_t)n - 1);
	errno = 0;
	code = f.code == SQLITE_OK ? sqlite3_step(f.st) : f.code;
	for (; code == SQLITE_ROW; code = sqlite3_step(f.st)) {
		out[sqlite3_column_int64(f.st, 0) - of->hour] =
			(uint64_t)sqlite3_column_int64(f.st, 1);
	}
	if (code != SQLITE_DONE) {
		(void)pf_sq_fail(err, led->path, led->db, 0, "reading what was moved");
	}
	(void)sqlite3_reset(f.st);
	return code == SQLITE_DONE ? PF_OK : PF_FAIL;
}

/* ---- events ---- */

int pf_ledger_event_add(struct pf_ledger *led, const struct pf_ledger_event *ev, struct pf_err *err)
{
	struct fill f;

	if (begin(led, PF_SQ_EVENT_ADD, &f, err) != PF_OK) {
		return PF_FAIL;
	}
	put_int(&f, ev->account);
	put_int(&f, ev->at_utc_s);
	put_int(&f, ev->number);
	put_span(&f, ev->folder);
	put_span(&f, ev->item);
	put_span(&f, ev->text);
	put_span(&f, pf_span(ev->raw.p, ev->raw.n < RAW_KEPT ? ev->raw.n : RAW_KEPT));
	return run(led, &f, 1, "noting an event", err);
}
