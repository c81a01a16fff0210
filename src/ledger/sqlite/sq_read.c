/*
 * What comes out of a ledger. A cursor is one running statement; each query's statement is kept for
 * the next cursor, and a second cursor of the same query gets one of its own.
 */
#include "ledger/sqlite/sq_private.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

/* What sums are made of comes first, in the same columns for both queries. */
#define END_COLUMNS "i.k, i.state, i.verdict, i.size, i.dst_id, i.digest, i.b"
#define ITEM_COLUMNS                                                                               \
	"SELECT " END_COLUMNS ", i.date, i.zone, i.sys, i.attempts, i.a, i.src_id, i.kw, i.note "
#define MISSED_COLUMNS ITEM_COLUMNS ", b.message_id, b.sender, b.subject "
#define ABOUT " LEFT JOIN about b ON b.k = i.k "
/* The joins are CROSS so that folders are always the outer loop: rows come in order without a sort.
 */
#define ROWS_OF_FOLDER_F " CROSS JOIN item i ON i.k BETWEEN f.id << 32 AND f.id << 32 | 4294967295 "
#define OF_FOLDER(filter)                                                                          \
	ITEM_COLUMNS "FROM item i WHERE i.k BETWEEN ? AND ? " filter " ORDER BY i.k"
#define OF_ACCOUNT(filter)                                                                         \
	ITEM_COLUMNS "FROM folder f" ROWS_OF_FOLDER_F "WHERE f.account = ? " filter                \
		     " ORDER BY f.id, i.k"
#define EVENT_COLUMNS "SELECT id, account, at, number, folder, item, text, raw FROM event "

#define OPEN_ONLY "AND i.verdict = 0"
#define SENT_ONLY "AND i.state = 5" /* PF_SQ_SENT */
#define MISSED_ONLY "AND i.verdict IN (0, 4)"
#define NOTED_ONLY "AND length(i.note) > 0"

const char *const PF_SQ_READ_SQL[PF_SQ_READ_COUNT] = {
	[PF_SQ_ACCOUNTS] =
		"SELECT id, CAST(src AS BLOB), CAST(dst AS BLOB) FROM account ORDER BY id",
	[PF_SQ_PASSES] = "SELECT id, account, begun, ended, exit_status, summary FROM pass"
			 " WHERE account = ? ORDER BY id DESC",
	[PF_SQ_FOLDERS] =
		"SELECT id, src_path, dst_path, src_id, dst_id, kind, role, src_validity,"
		" dst_validity, dst_mark, src_cursor, verdict, note, account, a FROM folder"
		" WHERE account = ? ORDER BY id",
	[PF_SQ_SUMS] = "SELECT " END_COLUMNS ", f.id FROM folder f LEFT JOIN item i"
		       " ON i.k BETWEEN f.id << 32 AND f.id << 32 | 4294967295"
		       " WHERE f.account = ? ORDER BY f.id",
	[PF_SQ_EVENTS] = EVENT_COLUMNS "WHERE id > ? ORDER BY id",
	[PF_SQ_EVENTS_OF_ACCOUNT] = EVENT_COLUMNS "WHERE account = ? AND id > ? ORDER BY id",
	[PF_SQ_KEYED] = "SELECT k, src_version, dst_version, src_uid, dst_uid, codec, raw, a FROM "
			"keyed WHERE k BETWEEN ? AND ? ORDER BY k",
	[PF_SQ_ITEMS_OF_FOLDER + PF_ITEMS_ALL] = OF_FOLDER(""),
	[PF_SQ_ITEMS_OF_FOLDER + PF_ITEMS_OPEN] = OF_FOLDER(OPEN_ONLY),
	[PF_SQ_ITEMS_OF_FOLDER + PF_ITEMS_SENT] = OF_FOLDER(SENT_ONLY),
	[PF_SQ_ITEMS_OF_FOLDER + PF_ITEMS_MISSED] = MISSED_COLUMNS
	"FROM item i" ABOUT "WHERE i.k BETWEEN ? AND ? " MISSED_ONLY " ORDER BY i.k",
	[PF_SQ_ITEMS_OF_FOLDER + PF_ITEMS_WITH_NOTE] = OF_FOLDER(NOTED_ONLY),
	[PF_SQ_ITEMS_OF_ACCOUNT + PF_ITEMS_ALL] = OF_ACCOUNT(""),
	[PF_SQ_ITEMS_OF_ACCOUNT + PF_ITEMS_OPEN] = OF_ACCOUNT(OPEN_ONLY),
	[PF_SQ_ITEMS_OF_ACCOUNT + PF_ITEMS_SENT] = OF_ACCOUNT(SENT_ONLY),
	[PF_SQ_ITEMS_OF_ACCOUNT + PF_ITEMS_MISSED] =
		MISSED_COLUMNS "FROM folder f" ROWS_OF_FOLDER_F ABOUT
			       "WHERE f.account = ? " MISSED_ONLY " ORDER BY f.id, i.k",
	[PF_SQ_ITEMS_OF_ACCOUNT + PF_ITEMS_WITH_NOTE] = OF_ACCOUNT(NOTED_ONLY),
};

enum { ABOUT_AT = 15 }; /* the first of MISSED_COLUMNS behind those of all queries */

struct pf_ledger_cursor {
	struct pf_ledger *led;
	sqlite3_stmt *st;
	size_t query;
	bool waiting; /* a row was stepped to and not yet taken (sums look one ahead) */
	bool ended;
};

static int open_cursor(struct pf_ledger *led, size_t query, const int64_t *args, int count,
	struct pf_ledger_cursor **out, struct pf_err *err)
{
	struct pf_ledger_cursor *c = calloc(1, sizeof(*c));
	int code = SQLITE_OK;

	*out = NULL;
	if (!c) {
		return pf_fail_memory(err, "reading the ledger");
	}
	c->led = led;
	c->query = query;
	c->st = led->read[query];
	led->read[query] = NULL;
	led->cursors++;
	if (!c->st) {
		code = sqlite3_prepare_v2(led->db, PF_SQ_READ_SQL[query], -1, &c->st, NULL);
	}
	for (int i = 0; i < count && code == SQLITE_OK; i++) {
		code = sqlite3_bind_int64(c->st, i + 1, args[i]);
	}
	if (code != SQLITE_OK) {
		pf_ledger_cursor_close(&c);
		return pf_sq_fail(err, led->path, NULL, code, "reading");
	}
	*out = c;
	return PF_OK;
}

void pf_ledger_cursor_close(struct pf_ledger_cursor **cursor)
{
	struct pf_ledger_cursor *c = *cursor;

	if (!c) {
		return;
	}
	if (c->led->read[c->query]) {
		(void)sqlite3_finalize(c->st);
	} else if (c->st) {
		(void)sqlite3_reset(c->st); /* repeats an error that next() told */
		c->led->read[c->query] = c->st;
	}
	c->led->cursors--;
	free(c);
	*cursor = NULL;
}

static int step(struct pf_ledger_cursor *c, struct pf_err *err)
{
	int code;

	if (c->ended) {
		return PF_END;
	}
	errno = 0;
	code = sqlite3_step(c->st);
	if (code == SQLITE_ROW) {
		return PF_OK;
	}
	c->ended = true;
	if (code == SQLITE_DONE) {
		return PF_END;
	}
	return pf_sq_fail(err, c->led->path, c->led->db, 0, "reading");
}

static int64_t get_int(struct pf_ledger_cursor *c, int column)
{
	return sqlite3_column_int64(c->st, column);
}

/* NULL is absent; SQLite gives no address for an empty value, which is not the same. */
static struct pf_span get_span(struct pf_ledger_cursor *c, int column)
{
	const void *p;

	if (sqlite3_column_type(c->st, column) == SQLITE_NULL) {
		return pf_span(NULL, 0);
	}
	p = sqlite3_column_blob(c->st, column);
	return p ? pf_span(p, (size_t)sqlite3_column_bytes(c->st, column)) : pf_span("", 0);
}

static int fail_row(
	struct pf_ledger_cursor *c, const char *what, int64_t number, struct pf_err *err)
{
	char text[100];

	c->ended = true;
	(void)snprintf(
		text, sizeof(text), "%s %lld is not as it was written", what, (long long)number);
	return pf_sq_damaged(err, c->led->path, text);
}

int pf_ledger_accounts(struct pf_ledger *led, struct pf_ledger_cursor **out, struct pf_err *err)
{
	return open_cursor(led, PF_SQ_ACCOUNTS, NULL, 0, out, err);
}

int pf_ledger_accounts_next(
	struct pf_ledger_cursor *c, struct pf_ledger_account *out, struct pf_err *err)
{
	int rc = step(c, err);

	if (rc == PF_OK) {
		*out = (struct pf_ledger_account){
			.id = get_int(c, 0),
			.from = get_span(c, 1),
			.to = get_span(c, 2),
		};
	}
	return rc;
}

int pf_ledger_passes(
	struct pf_ledger *led, int64_t account, struct pf_ledger_cursor **out, struct pf_err *err)
{
	return open_cursor(led, PF_SQ_PASSES, &account, 1, out, err);
}

int pf_ledger_passes_next(
	struct pf_ledger_cursor *c, struct pf_ledger_pass *out, struct pf_err *err)
{
	int rc = step(c, err);

	if (rc == PF_OK) {
		*out = (struct pf_ledger_pass){
			.id = get_int(c, 0),
			.account = get_int(c, 1),
			.begun_utc_s = get_int(c, 2),
			.ended_utc_s = get_int(c, 3),
			.exit_status = (int)get_int(c, 4),
			.summary = get_span(c, 5),
		};
	}
	return rc;
}

int pf_ledger_folders(
	struct pf_ledger *led, int64_t account, struct pf_ledger_cursor **out, struct pf_err *err)
{
	return open_cursor(led, PF_SQ_FOLDERS, &account, 1, out, err);
}

int pf_ledger_folders_next(
	struct pf_ledger_cursor *c, struct pf_ledger_folder *out, struct pf_err *err)
{
	int rc = step(c, err);

	if (rc != PF_OK) {
		return rc;
	}
	*out = (struct pf_ledger_folder){
		.id = get_int(c, 0),
		.src_path = get_span(c, 1),
		.dst_path = get_span(c, 2),
		.src_id = get_span(c, 3),
		.dst_id = get_span(c, 4),
		.kind = (enum pf_kind)get_int(c, 5),
		.role = (enum pf_role)get_int(c, 6),
		.src_validity = (uint64_t)get_int(c, 7),
		.dst_validity = (uint64_t)get_int(c, 8),
		.dst_mark = (uint64_t)get_int(c, 9),
		.src_cursor = get_span(c, 10),
		.verdict = (enum pf_verdict)get_int(c, 11),
		.note = get_span(c, 12),
	};
	if (out->verdict > PF_VERDICT_VANISHED || out->role >= PF_ROLE_COUNT ||
		get_int(c, 14) != pf_sq_sum_folder(get_int(c, 13), out)) {
		return fail_row(c, "folder", out->id, err);
	}
	return PF_OK;
}

int pf_ledger_items(struct pf_ledger *led, int64_t account, int64_t folder,
	enum pf_item_filter filter, struct pf_ledger_cursor **out, struct pf_err *err)
{
	int64_t keys[2] = {pf_sq_key(folder, 0), pf_sq_key(folder, UINT32_MAX)};

	if (folder == 0) {
		return open_cursor(led, PF_SQ_ITEMS_OF_ACCOUNT + filter, &account, 1, out, err);
	}
	return open_cursor(led, PF_SQ_ITEMS_OF_FOLDER + filter, keys, 2, out, err);
}

/* The columns of END_COLUMNS, checked: what callers take as an index is in its range. */
static int get_end(struct pf_ledger_cursor *c, struct pf_ledger_item *out, struct pf_err *err)
{
	struct pf_span digest = get_span(c, 5);
	struct pf_ledger_done end;

	*out = (struct pf_ledger_item){
		.folder = get_int(c, 0) >> 32,
		.seq = (uint32_t)get_int(c, 0),
		.verdict = (enum pf_verdict)get_int(c, 2),
		.size = (uint64_t)get_int(c, 3),
		.dst_id = get_span(c, 4),
		.has_digest = digest.n == sizeof(out->digest.b),
	};
	if (out->has_digest && digest.p) {
		memcpy(out->digest.b, digest.p, digest.n);
	}
	end = pf_sq_end_of(out);
	if (out->verdict > PF_VERDICT_VANISHED || get_int(c, 6) != pf_sq_sum_end(&end)) {
		return fail_row(c, "the row of item", out->seq, err);
	}
	switch (get_int(c, 1)) {
	case PF_SQ_PLANNED:
		out->state = PF_ROW_PLANNED;
		return PF_OK;
	case PF_SQ_SENT:
		out->state = PF_ROW_SENT;
		return PF_OK;
	case PF_SQ_DONE:
		out->state = PF_ROW_DONE;
		return PF_OK;
	case PF_SQ_REFUSED:
		out->state = PF_ROW_REFUSED;
		return PF_OK;
	case PF_SQ_LEFT:
		out->state = PF_ROW_LEFT;
		return PF_OK;
	default:
		return fail_row(c, "the state of item", out->seq, err);
	}
}

int pf_ledger_items_next(struct pf_ledger_cursor *c, struct pf_ledger_item *out, struct pf_err *err)
{
	int rc = step(c, err);

	if (rc != PF_OK) {
		return rc;
	}
	if (get_end(c, out, err) != PF_OK) {
		return PF_FAIL;
	}
	out->date_utc_s = get_int(c, 7);
	out->zone_min = (int)get_int(c, 8);
	out->flags = (struct pf_flags){(uint32_t)get_int(c, 9), get_span(c, 13)};
	out->attempts = (uint32_t)get_int(c, 10);
	out->src_id = get_span(c, 12);
	out->note = get_span(c, 14);
	if (sqlite3_column_count(c->st) > ABOUT_AT) {
		out->about = (struct pf_ledger_about){get_span(c, ABOUT_AT),
			get_span(c, ABOUT_AT + 1), get_span(c, ABOUT_AT + 2)};
	}
	if (get_int(c, 11) != pf_sq_sum_source(out)) {
		return fail_row(c, "the row of item", out->seq, err);
	}
	return PF_OK;
}

int pf_ledger_keyed(
	struct pf_ledger *led, int64_t folder, struct pf_ledger_cursor **out, struct pf_err *err)
{
	int64_t keys[2] = {pf_sq_key(folder, 0), pf_sq_key(folder, UINT32_MAX)};

	return open_cursor(led, PF_SQ_KEYED, keys, 2, out, err);
}

int pf_ledger_keyed_next(
	struct pf_ledger_cursor *c, struct pf_ledger_keyed *out, struct pf_err *err)
{
	struct pf_span raw;
	int rc = step(c, err);

	if (rc != PF_OK) {
		return rc;
	}
	raw = get_span(c, 6);
	*out = (struct pf_ledger_keyed){
		.folder = get_int(c, 0) >> 32,
		.seq = (uint32_t)get_int(c, 0),
		.src_version = get_span(c, 1),
		.dst_version = get_span(c, 2),
		.src_uid = get_span(c, 3),
		.dst_uid = get_span(c, 4),
		.codec_version = (uint32_t)get_int(c, 5),
		.has_raw = raw.n == sizeof(out->raw.b),
	};
	if (out->has_raw && raw.p) {
		memcpy(out->raw.b, raw.p, raw.n);
	}
	if (get_int(c, 7) != pf_sq_sum_keyed(out)) {
		return fail_row(c, "the row of item", out->seq, err);
	}
	return PF_OK;
}

int pf_ledger_sums(
	struct pf_ledger *led, int64_t account, struct pf_ledger_cursor **out, struct pf_err *err)
{
	return open_cursor(led, PF_SQ_SUMS, &account, 1, out, err);
}

enum { SUMS_FOLDER = 7 };

/* Sizes are what a server said, so a sum may not fit: then it stays at the largest number. */
static int add_row(struct pf_ledger_cursor *c, struct pf_ledger_sums *out, struct pf_err *err)
{
	struct pf_ledger_item row;
	uint64_t *bytes;

	if (sqlite3_column_type(c->st, 0) == SQLITE_NULL) {
		return PF_OK; /* a folder without items */
	}
	if (get_end(c, &row, err) != PF_OK) {
		return PF_FAIL;
	}
	bytes = &out->bytes[row.verdict];
	*bytes = row.size > UINT64_MAX - *bytes ? UINT64_MAX : *bytes + row.size;
	out->items[row.verdict]++;
	out->in_doubt += row.state == PF_ROW_SENT;
	return PF_OK;
}

int pf_ledger_sums_next(struct pf_ledger_cursor *c, struct pf_ledger_sums *out, struct pf_err *err)
{
	int rc = c->waiting ? PF_OK : step(c, err);

	c->waiting = false;
	if (rc != PF_OK) {
		return rc;
	}
	*out = (struct pf_ledger_sums){.folder = get_int(c, SUMS_FOLDER)};
	do {
		if (add_row(c, out, err) != PF_OK) {
			return PF_FAIL;
		}
		rc = step(c, err);
	} while (rc == PF_OK && get_int(c, SUMS_FOLDER) == out->folder);
	c->waiting = rc == PF_OK;
	return rc == PF_FAIL ? PF_FAIL : PF_OK;
}

int pf_ledger_events(struct pf_ledger *led, int64_t account, int64_t after,
	struct pf_ledger_cursor **out, struct pf_err *err)
{
	int64_t args[2] = {account, after};

	return account == 0 ? open_cursor(led, PF_SQ_EVENTS, &after, 1, out, err)
			    : open_cursor(led, PF_SQ_EVENTS_OF_ACCOUNT, args, 2, out, err);
}

int pf_ledger_events_next(
	struct pf_ledger_cursor *c, struct pf_ledger_event *out, struct pf_err *err)
{
	int rc = step(c, err);

	if (rc == PF_OK) {
		*out = (struct pf_ledger_event){
			.id = get_int(c, 0),
			.account = get_int(c, 1),
			.at_utc_s = get_int(c, 2),
			.number = (int)get_int(c, 3),
			.folder = get_span(c, 4),
			.item = get_span(c, 5),
			.text = get_span(c, 6),
			.raw = get_span(c, 7),
		};
	}
	return rc;
}
