/*
 * A ledger as files: what is on disk after a commit, after damage, after a full disk, and of
 * another version.
 */
#include "ledger/sqlite/sq_private.h"
#include "ledger/test_world.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>

/* What was fsync'd since the last look: SQLite's calls come here, as the linker puts ours before
 * libc's. */
static char synced[2000];

static int note_sync(int fd, long number)
{
	char link[40], name[300];
	size_t used = strlen(synced);
	ssize_t n;

	(void)snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	n = readlink(link, name, sizeof(name) - 1);
	(void)snprintf(synced + used, sizeof(synced) - used, "%.*s\n", n > 0 ? (int)n : 0, name);
	return (int)syscall(number, fd);
}

int fsync(int fd)
{
	return note_sync(fd, SYS_fsync);
}

int fdatasync(int fd)
{
	return note_sync(fd, SYS_fdatasync);
}

static bool was_synced(struct world *w, const char *suffix)
{
	char line[128];

	(void)snprintf(line, sizeof(line), "%s%s\n", w->dir, suffix);
	return strstr(synced, line) != NULL;
}

static struct pf_ledger *open_it(struct world *w)
{
	struct pf_ledger *led;

	must(w, pf_ledger_open(w->where, PF_LEDGER_WRITE, &led, &w->err));
	return led;
}

static int64_t add_folder(struct world *w, struct pf_ledger *led)
{
	struct pf_ledger_folder row = {.src_path = pf_span("INBOX", 6),
		.src_id = pf_span_str("INBOX"),
		.kind = PF_KIND_MAIL};
	int64_t account;

	must(w, pf_ledger_account(led, "mem:a", "mem:b", &account, &w->err));
	must(w, pf_ledger_folder_put(led, account, &row, &w->err));
	return row.id;
}

static int put(struct pf_ledger *led, int64_t folder, uint32_t seq, struct pf_err *err)
{
	char id[16], note[64];
	struct pf_ledger_item row = {.folder = folder, .seq = seq, .size = seq, .has_digest = true};

	(void)snprintf(id, sizeof(id), "%u", seq);
	(void)snprintf(note, sizeof(note), "a note about %u that takes some room", seq);
	memset(row.digest.b, (int)seq & 0xff, sizeof(row.digest.b));
	row.src_id = pf_span_str(id);
	row.note = pf_span_str(note);
	return pf_ledger_item_put(led, &row, err);
}

/* A ledger with `items` rows, closed. */
static void make(struct world *w, uint32_t items)
{
	struct pf_ledger *led = open_it(w);
	int64_t folder = add_folder(w, led);

	for (uint32_t seq = 1; seq <= items; seq++) {
		must(w, put(led, folder, seq, &w->err));
	}
	must(w, pf_ledger_commit(led, &w->err));
	pf_ledger_close(&led);
}

static uint64_t mix(uint64_t h, struct pf_span s)
{
	for (size_t i = 0; i < s.n; i++) {
		h = (h ^ s.p[i]) * 0x100000001b3u;
	}
	return (h ^ s.n) * 0x100000001b3u;
}

/* Read all folders and rows; `*seen` tells two contents apart. PF_FAIL: the ledger says it is
 * damaged. */
static int read_all(const char *path, uint64_t *seen, int *rows, struct pf_err *err)
{
	struct pf_ledger *led = NULL;
	struct pf_ledger_cursor *c = NULL;
	struct pf_ledger_folder f;
	struct pf_ledger_item i;
	int rc = PF_FAIL;

	*seen = 1;
	*rows = 0;
	if (pf_ledger_open(path, PF_LEDGER_READ, &led, err) != PF_OK) {
		return PF_FAIL;
	}
	if (pf_ledger_folders(led, 1, &c, err) == PF_OK) {
		while ((rc = pf_ledger_folders_next(c, &f, err)) == PF_OK) {
			*seen = mix(mix(*seen, f.src_path), f.src_id) + f.kind;
		}
	}
	pf_ledger_cursor_close(&c);
	if (rc == PF_END && (rc = pf_ledger_items(led, 1, 0, PF_ITEMS_ALL, &c, err)) == PF_OK) {
		while ((rc = pf_ledger_items_next(c, &i, err)) == PF_OK) {
			*seen = mix(mix(*seen, i.src_id), i.note) ^ i.seq ^ i.size ^ i.state;
			*seen = mix(*seen, pf_span(i.digest.b, sizeof(i.digest.b)));
			++*rows;
		}
	}
	pf_ledger_cursor_close(&c);
	pf_ledger_close(&led);
	return rc == PF_END ? PF_OK : PF_FAIL;
}

static struct pf_span load(const char *path)
{
	FILE *f = fopen(path, "rb");
	uint8_t *p = malloc(1 << 22);
	size_t n;

	assert_non_null(f);
	assert_non_null(p);
	n = fread(p, 1, 1 << 22, f);
	(void)fclose(f);
	return pf_span(p, n);
}

static void save(const char *path, struct pf_span bytes)
{
	FILE *f = fopen(path, "wb");

	assert_non_null(f);
	assert_int_equal(fwrite(bytes.p, 1, bytes.n, f), bytes.n);
	assert_int_equal(fclose(f), 0);
}

static void drop(struct pf_span s)
{
	free((void *)(uintptr_t)s.p);
}

static unsigned mode_of(const char *path, const char *suffix)
{
	char name[128];
	struct stat st;

	(void)snprintf(name, sizeof(name), "%s%s", path, suffix);
	assert_int_equal(stat(name, &st), 0);
	return st.st_mode & 0777;
}

static void files_are_the_owners_alone(void **state)
{
	struct world *w = *state;
	struct pf_ledger *led;
	mode_t before = umask(0);

	(void)snprintf(w->where, sizeof(w->where), "%s/x/y/a", w->dir);
	led = open_it(w);
	(void)add_folder(w, led);
	must(w, pf_ledger_commit(led, &w->err));
	assert_int_equal(mode_of(w->where, ""), 0600);
	assert_int_equal(mode_of(w->where, "-wal"), 0600);
	assert_int_equal(mode_of(w->where, "-shm"), 0600);
	assert_int_equal(mode_of(w->where, ".lock"), 0600);
	assert_int_equal(mode_of(w->dir, "/x"), 0700);
	assert_int_equal(mode_of(w->dir, "/x/y"), 0700);
	pf_ledger_close(&led);
	(void)umask(before);
}

/* What power loss would leave: the files as they are, without the process. */
static int rows_of_copy(struct world *w)
{
	char from[128], to[128];
	struct pf_span bytes;
	uint64_t seen;
	int rows;

	for (int i = 0; i < 2; i++) {
		(void)snprintf(from, sizeof(from), "%s%s", w->where, i ? "-wal" : "");
		(void)snprintf(to, sizeof(to), "%s/copy%s", w->dir, i ? "-wal" : "");
		bytes = load(from);
		save(to, bytes);
		drop(bytes);
	}
	(void)snprintf(to, sizeof(to), "%s/copy", w->dir);
	must(w, read_all(to, &seen, &rows, &w->err));
	(void)snprintf(to, sizeof(to), "%s/copy-shm", w->dir);
	(void)unlink(to);
	return rows;
}

static void commit_is_in_the_files_when_it_returns(void **state)
{
	struct world *w = *state;
	struct pf_ledger *led = open_it(w);
	int64_t folder = add_folder(w, led);

	for (uint32_t seq = 1; seq <= 3000; seq++) {
		must(w, put(led, folder, seq, &w->err));
		if (seq % 500 == 0) {
			assert_int_equal(rows_of_copy(w), seq - 500);
			must(w, pf_ledger_commit(led, &w->err));
			assert_int_equal(rows_of_copy(w), seq);
		}
	}
	pf_ledger_close(&led);
}

static void commit_waits_for_the_disk(void **state)
{
	struct world *w = *state;
	struct pf_ledger *led;
	int64_t folder;
	char last[64];

	synced[0] = '\0';
	led = open_it(w);
	assert_true(was_synced(w, "/a.ledger.new"));
	(void)snprintf(last, sizeof(last), "%s\n", w->dir); /* its new name, at the very end */
	assert_string_equal(synced + strlen(synced) - strlen(last), last);
	folder = add_folder(w, led);
	synced[0] = '\0';
	must(w, pf_ledger_commit(led, &w->err));
	assert_true(was_synced(w, "/a.ledger-wal"));
	assert_true(was_synced(w, "")); /* the log's name */
	must(w, put(led, folder, 1, &w->err));
	synced[0] = '\0';
	must(w, pf_ledger_commit(led, &w->err));
	assert_true(was_synced(w, "/a.ledger-wal"));
	synced[0] = '\0';
	must(w, pf_ledger_commit(led, &w->err));
	assert_string_equal(synced, ""); /* nothing to write costs nothing */
	pf_ledger_close(&led);
}

static void log_stays_small(void **state)
{
	struct world *w = *state;
	struct pf_ledger *led = open_it(w);
	int64_t folder = add_folder(w, led);
	char wal[128];
	struct stat st;

	for (uint32_t seq = 1; seq <= 40000; seq++) {
		must(w, put(led, folder, seq, &w->err));
		if (seq % 500 == 0) {
			must(w, pf_ledger_commit(led, &w->err));
		}
	}
	(void)snprintf(wal, sizeof(wal), "%s-wal", w->where);
	assert_int_equal(stat(wal, &st), 0);
	assert_in_range(st.st_size, 0, 6 << 20); /* without checkpoints it would be twice that */
	pf_ledger_close(&led);
	assert_int_equal(stat(wal, &st), -1);
}

static void listing_takes_bounded_memory(void **state)
{
	struct world *w = *state;
	uint64_t seen;
	int rows;

	make(w, 50000); /* some 6 MB */
	(void)sqlite3_memory_highwater(1);
	must(w, read_all(w->where, &seen, &rows, &w->err));
	assert_int_equal(rows, 50000);
	assert_in_range(sqlite3_memory_highwater(0), 0, 4 << 20);
}

/* ---- damage ---- */

enum damage { TEXT, EMPTY, ZEROS, OTHER, NEWER, CUT, HEAD, TABLE_GONE };

static void exec(struct world *w, const char *sql)
{
	sqlite3 *db;

	assert_int_equal(sqlite3_open(w->where, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_close(db), SQLITE_OK);
}

static void do_damage(struct world *w, enum damage what)
{
	static const uint8_t ZERO[8192];
	struct pf_span bytes;

	(void)unlink(w->where);
	switch (what) {
	case TEXT:
		save(w->where, pf_span_str("from,to\nimap://ann@old/,imap://ann@new/\n"));
		return;
	case EMPTY:
		save(w->where, pf_span("", 0));
		return;
	case ZEROS:
		save(w->where, pf_span(ZERO, sizeof(ZERO)));
		return;
	case OTHER:
		exec(w, "CREATE TABLE item(k INTEGER PRIMARY KEY); PRAGMA user_version=1");
		return;
	default:
		make(w, 100);
		break;
	}
	if (what == NEWER) {
		exec(w, "PRAGMA user_version=99");
	} else if (what == TABLE_GONE) {
		exec(w, "DROP TABLE event");
	} else {
		bytes = load(w->where);
		if (what == CUT) {
			bytes.n -= 5000;
		} else {
			memcpy((void *)(uintptr_t)(bytes.p + 16), "\xff\xff\xff\xff", 4);
		}
		save(w->where, bytes);
		drop(bytes);
	}
}

static void refused_with(
	struct world *w, enum pf_ledger_mode mode, const char *says, const char *remedy)
{
	struct pf_ledger *led;

	assert_int_equal(pf_ledger_open(w->where, mode, &led, &w->err), PF_FAIL);
	assert_null(led);
	assert_int_equal(w->err.scope, PF_SCOPE_RUN);
	if (!strstr(w->err.text, says) || !strstr(w->err.text, w->where) ||
		!strstr(w->err.text, remedy)) {
		fail_msg("%s", w->err.text);
	}
}

static void damage_is_told_and_not_made_worse(void **state)
{
	static const struct {
		enum damage what;
		const char *says, *remedy;
	} CASES[] = {
		{TEXT, "is no ledger", "move it away"},
		{EMPTY, "is empty", "move it away"},
		{ZEROS, "is no ledger", "move it away"},
		{OTHER, "another program", "move it away"},
		{NEWER, "of version 99, made by a newer postferry", "use the newer postferry"},
		{CUT, "is damaged", "move it away"},
		{HEAD, "is no ledger", "move it away"},
		{TABLE_GONE, "is damaged (no such table", "move it away"},
	};
	struct world *w = *state;

	for (size_t i = 0; i < PF_COUNT(CASES); i++) {
		struct pf_span before, after;

		do_damage(w, CASES[i].what);
		before = load(w->where);
		refused_with(w, PF_LEDGER_WRITE, CASES[i].says, CASES[i].remedy);
		refused_with(w, PF_LEDGER_READ, CASES[i].says, CASES[i].remedy);
		after = load(w->where);
		if (!pf_span_eq(before, after)) {
			fail_msg("%zu: the file has changed", i);
		}
		drop(before);
		drop(after);
	}
}

/* Whatever bit flips: the content is as it was, or the ledger says that it is damaged. */
static void no_flipped_bit_goes_unseen(void **state)
{
	struct world *w = *state;
	uint64_t want, seen;
	uint32_t random = 1;
	int rows, found = 0;
	struct pf_span bytes;
	uint8_t *p;

	make(w, 400);
	must(w, read_all(w->where, &want, &rows, &w->err));
	bytes = load(w->where);
	p = (uint8_t *)(uintptr_t)bytes.p;
	for (int i = 0; i < 1500; i++) {
		size_t at;
		uint8_t bit;

		random = random * 1664525 + 1013904223;
		at = (random >> 3) % bytes.n;
		bit = (uint8_t)(1u << (random & 7));
		p[at] ^= bit;
		save(w->where, bytes);
		if (read_all(w->where, &seen, &rows, &w->err) != PF_OK) {
			found++;
		} else if (seen != want || rows != 400) {
			fail_msg("bit %u of byte %zu went unseen, %d rows", bit, at, rows);
		}
		p[at] ^= bit;
	}
	assert_in_range(found, 300, 1500);
	drop(bytes);
}

/* ---- a full disk ---- */

static int fill_up(struct world *w)
{
	struct rlimit limit = {300000, 300000};
	struct pf_ledger *led = NULL;
	struct pf_err first, again;
	uint32_t seq = 0;
	uint64_t seen;
	int rows, rc = PF_OK;

	if (signal(SIGXFSZ, SIG_IGN) == SIG_ERR || setrlimit(RLIMIT_FSIZE, &limit) != 0 ||
		pf_ledger_open(w->where, PF_LEDGER_WRITE, &led, &first) != PF_OK) {
		return 1;
	}
	while (rc == PF_OK && ++seq < 100000) {
		rc = put(led, 1, seq, &first);
		if (rc == PF_OK && seq % 100 == 0) {
			rc = pf_ledger_commit(led, &first);
		}
	}
	if (rc != PF_FAIL || first.scope != PF_SCOPE_RUN || !strstr(first.text, w->where) ||
		!strstr(first.text, "can't grow") || !strstr(first.text, "free space")) {
		print_error("%s\n", first.text);
		return 2;
	}
	/* What was gathered is gone, so nothing may be written as if it were not. */
	if (put(led, 1, seq + 1, &again) != PF_FAIL || pf_ledger_commit(led, &again) != PF_FAIL ||
		strcmp(first.text, again.text) != 0) {
		return 3;
	}
	pf_ledger_close(&led);
	if (read_all(w->where, &seen, &rows, &first) != PF_OK || rows < 100 || rows % 100 != 0 ||
		(uint32_t)rows + 100 < seq - 1) {
		return 4;
	}
	return 0;
}

static void full_disk_stops_writing_and_keeps_the_commits(void **state)
{
	struct world *w = *state;
	struct pf_ledger *led;
	uint64_t seen;
	int rows;

	make(w, 0);
	assert_int_equal(in_child(fill_up, w), 0);
	led = open_it(w); /* there is room again */
	must(w, put(led, 1, 99999, &w->err));
	must(w, pf_ledger_commit(led, &w->err));
	pf_ledger_close(&led);
	must(w, read_all(w->where, &seen, &rows, &w->err));
	assert_int_equal(rows % 100, 1);
}

/* Bytes that still fit on the disk; SQLite's writes come here while it is full. */
static size_t disk_room;

static ssize_t write_while_room(int fd, const void *bytes, size_t n, off_t at)
{
	if (n > disk_room) {
		errno = ENOSPC;
		return -1;
	}
	disk_room -= n;
	return pwrite(fd, bytes, n, at);
}

static void make_disk_full(bool full)
{
	static const char *const CALLS[] = {"pwrite", "pwrite64"};
	sqlite3_vfs *vfs = sqlite3_vfs_find(NULL);

	for (size_t i = 0; i < PF_COUNT(CALLS); i++) {
		assert_int_equal(vfs->xSetSystemCall(vfs, CALLS[i],
					 full ? (sqlite3_syscall_ptr)write_while_room : NULL),
			SQLITE_OK);
	}
}

/* Whatever did not fit, the next run finds either no ledger or a whole one. */
static void full_disk_in_the_making_damages_nothing(void **state)
{
	static const char *const PARTS[] = {"", "-wal", "-shm"};
	struct world *w = *state;
	struct pf_ledger *led = NULL;
	int tries = 0;

	for (size_t room = 0; !led; room += 4096, tries++) {
		int rc;

		disk_room = room;
		make_disk_full(true);
		rc = pf_ledger_open(w->where, PF_LEDGER_WRITE, &led, &w->err);
		make_disk_full(false);
		if (rc != PF_OK) {
			assert_non_null(strstr(w->err.text, "No space left on device"));
			led = open_it(w);
			pf_ledger_close(&led);
		}
		for (size_t i = 0; i < PF_COUNT(PARTS); i++) {
			char name[128];

			(void)snprintf(name, sizeof(name), "%s%s", w->where, PARTS[i]);
			(void)unlink(name);
		}
	}
	assert_true(tries > 5);
	pf_ledger_close(&led);
}

/* ---- rights ---- */

static int as_nobody(struct world *w)
{
	struct pf_ledger *led;

	if (geteuid() == 0 && seteuid(65534) != 0) {
		return 1;
	}
	if (pf_ledger_open(w->where, PF_LEDGER_READ, &led, &w->err) == PF_OK) {
		uint64_t seen;
		int rows;

		pf_ledger_close(&led);
		return read_all(w->where, &seen, &rows, &w->err) == PF_OK && rows == 10 ? 10 : 2;
	}
	if (!strstr(w->err.text, w->where) || !strstr(w->err.text, "Permission denied")) {
		return 3;
	}
	if (pf_ledger_open(w->where, PF_LEDGER_WRITE, &led, &w->err) == PF_OK) {
		return 4;
	}
	return strstr(w->err.text, "Permission denied") && strstr(w->err.text, "--ledger") ? 0 : 5;
}

static void missing_rights_are_told(void **state)
{
	struct world *w = *state;

	make(w, 10);
	assert_int_equal(chmod(w->dir, 0555), 0);
	assert_int_equal(chmod(w->where, 0), 0);
	assert_int_equal(in_child(as_nobody, w), 0);
	/* A directory that can't be written is enough for reading. */
	assert_int_equal(chmod(w->where, 0444), 0);
	assert_int_equal(in_child(as_nobody, w), 10);
	assert_int_equal(chmod(w->dir, 0700), 0);
}

/* ---- versions and the making of a new one ---- */

static void older_version_is_upgraded_step_by_step(void **state)
{
	static const char *const STEPS[] = {"nonsense, for these are passed", "nonsense",
		"nonsense", "nonsense", "nonsense",
		"ALTER TABLE account ADD COLUMN colour TEXT NOT NULL DEFAULT 'red'",
		"UPDATE account SET colour = 'blue'"};
	static const char *const WRONG[] = {"", "", "", "", "", "CREATE TABLE t(x)", "nonsense"};
	static const struct pf_sq_steps UP = {STEPS, 7}, FAILING = {WRONG, 7};
	struct world *w = *state;
	sqlite3 *db;

	make(w, 10);
	assert_int_equal(sqlite3_open(w->where, &db), SQLITE_OK);
	assert_int_equal(pf_sq_schema_check(db, w->where, &UP, false, &w->err), PF_FAIL);
	assert_non_null(strstr(w->err.text, "older postferry"));
	assert_int_equal(pf_sq_schema_check(db, w->where, &FAILING, true, &w->err), PF_FAIL);
	must(w, pf_sq_schema_check(
			db, w->where, &PF_SQ_STEPS, false, &w->err)); /* undone as a whole */
	assert_int_not_equal(sqlite3_exec(db, "SELECT * FROM t", NULL, NULL, NULL), SQLITE_OK);
	must(w, pf_sq_schema_check(db, w->where, &UP, true, &w->err));
	assert_int_equal(sqlite3_exec(db,
				 "INSERT INTO pass(account, begun, ended, exit_status)"
				 " SELECT colour = 'blue', 1, 1, 1 FROM account",
				 NULL, NULL, NULL),
		SQLITE_OK);
	assert_int_equal(pf_sq_schema_check(db, w->where, &PF_SQ_STEPS, true, &w->err), PF_FAIL);
	assert_non_null(strstr(w->err.text, "of version 7"));
	assert_int_equal(sqlite3_close(db), SQLITE_OK);
}

/* What a ledger of version 1 was, and what a migration that began with it needs after the upgrade.
 */
static void version_1_goes_on(void **state)
{
	struct world *w = *state;
	struct pf_ledger_keyed row = {.folder = 1, .seq = 3, .src_uid = pf_span_str("u")};
	struct pf_ledger_cursor *c;
	struct pf_ledger_item item;
	struct pf_ledger *led;
	uint32_t n = 0;

	make(w, 10);
	exec(w, "DROP TABLE keyed; DROP TABLE about; DROP TABLE traffic; DROP TABLE term;"
		"DROP TABLE fate; PRAGMA user_version=1");
	led = open_it(w);
	must(w, pf_ledger_keyed_put(led, &row, &w->err));
	must(w, pf_ledger_commit(led, &w->err));
	must(w, pf_ledger_items(led, 1, 1, PF_ITEMS_ALL, &c, &w->err));
	while (pf_ledger_items_next(c, &item, &w->err) == PF_OK) {
		assert_int_equal(item.seq, ++n);
	}
	assert_int_equal(n, 10);
	pf_ledger_cursor_close(&c);
	pf_ledger_close(&led);
}

static void version_1_knows_no_names_and_learns_them(void **state)
{
	struct world *w = *state;
	struct pf_ledger *led;

	exec(w, PF_SQ_STEPS.sql[0]);
	exec(w, "INSERT INTO account(src, dst) VALUES('imap://ann@old/', 'imap://ann@new/');"
		"PRAGMA application_id=1885758828; PRAGMA user_version=1");
	led = open_it(w);
	must(w, pf_ledger_item_about(led, 1, 1,
			&(struct pf_ledger_about){.subject = pf_span_str("hello")}, &w->err));
	must(w, pf_ledger_commit(led, &w->err));
	pf_ledger_close(&led);
}

static void killed_in_the_making_leaves_none(void **state)
{
	struct world *w = *state;
	struct pf_ledger *led;
	char name[128];
	struct stat st;

	(void)snprintf(name, sizeof(name), "%s.new", w->where);
	save(name, pf_span_str("half a ledger"));
	led = open_it(w);
	pf_ledger_close(&led);
	assert_int_equal(stat(name, &st), -1);
}

#ifdef PF_TEST_HOOKS
static int two_commits(struct world *w)
{
	struct pf_ledger *led = NULL;

	for (uint32_t seq = 1; seq <= 2; seq++) {
		if ((!led && pf_ledger_open(w->where, PF_LEDGER_WRITE, &led, &w->err) != PF_OK) ||
			put(led, 1, seq, &w->err) != PF_OK ||
			pf_ledger_commit(led, &w->err) != PF_OK) {
			return 1;
		}
	}
	pf_ledger_close(&led);
	return 0;
}

static void death_comes_at_the_chosen_write(void **state)
{
	static const int ROWS[] = {2, 0, 1, 1, 2, 2};
	struct world *w = *state;
	struct pf_ledger *led;
	char number[8];
	uint64_t seen;
	int rows;

	make(w, 0);
	for (int n = 0; n < 6; n++) {
		(void)snprintf(number, sizeof(number), "%d", n);
		assert_int_equal(setenv("POSTFERRY_TEST_KILL_AT_WRITE", number, 1), 0);
		assert_int_equal(in_child(two_commits, w), n >= 1 && n <= 4 ? 1000 + SIGKILL : 0);
		assert_int_equal(unsetenv("POSTFERRY_TEST_KILL_AT_WRITE"), 0);
		must(w, read_all(w->where, &seen, &rows, &w->err));
		assert_int_equal(rows, ROWS[n]);
		led = open_it(w);
		must(w, pf_ledger_items_drop(led, 1, &w->err));
		must(w, pf_ledger_commit(led, &w->err));
		pf_ledger_close(&led);
	}
}
#endif

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(files_are_the_owners_alone),
		CASE(commit_is_in_the_files_when_it_returns),
		CASE(commit_waits_for_the_disk),
		CASE(log_stays_small),
		CASE(listing_takes_bounded_memory),
		CASE(damage_is_told_and_not_made_worse),
		CASE(no_flipped_bit_goes_unseen),
		CASE(full_disk_stops_writing_and_keeps_the_commits),
		CASE(full_disk_in_the_making_damages_nothing),
		CASE(missing_rights_are_told),
		CASE(older_version_is_upgraded_step_by_step),
		CASE(version_1_goes_on),
		CASE(version_1_knows_no_names_and_learns_them),
		CASE(killed_in_the_making_leaves_none),
#ifdef PF_TEST_HOOKS
		CASE(death_comes_at_the_chosen_write),
#endif
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
