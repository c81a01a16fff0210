/*
 * Opening, making and closing a ledger.
 *
 * Looking comes first, by name and without a descriptor: closing one would drop the locks that
 * SQLite has on the same file elsewhere in this process.
 */
#include "ledger/sqlite/sq_private.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

/* How long to wait for SQLite's short locks: a reader of a writer's recovery, a writer of a tool.
 */
enum { BUSY_MS = 5000 };

static const char REMEDY_RIGHTS[] =
	"see to its rights and owner, or name another one with --ledger";

/* Make what is missing of the directory `dir`, each new one on disk before the next. */
static int make_dirs(const char *path, const char *dir, struct pf_err *err)
{
	char *copy, *above;
	int rc = PF_OK;
	int fd;

	if (access(dir, F_OK) == 0) {
		return PF_OK;
	}
	copy = strdup(dir);
	if (!copy) {
		return pf_fail_memory(err, "a path");
	}
	above = dirname(copy);
	if (make_dirs(path, above, err) != PF_OK) {
		rc = PF_FAIL;
	} else if (mkdir(dir, 0700) != 0 && errno != EEXIST) {
		rc = pf_sq_refuse_sys(err, path, "its directory can't be made", REMEDY_RIGHTS);
	} else {
		fd = open(above, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (fd >= 0) { /* a directory that can't be read can't be synced, and is none the
				  worse */
			(void)fsync(fd);
			(void)close(fd);
		}
	}
	free(copy);
	return rc;
}

/* The absolute path that a file made as `where` will have, whose directory is made; NULL: failed.
 */
static char *resolve_new(const char *where, struct pf_err *err)
{
	const char *slash = strrchr(where, '/');
	const char *leaf = slash ? slash + 1 : where;
	char *dir, *whole, *path = NULL;

	if (*leaf == '\0') {
		(void)pf_sq_refuse(err, where, "is a directory", "name a file in it with --ledger");
		return NULL;
	}
	dir = slash ? strndup(where, (size_t)(leaf - where)) : strdup(".");
	if (!dir) {
		(void)pf_fail_memory(err, "a path");
		return NULL;
	}
	if (make_dirs(where, dir, err) == PF_OK) {
		whole = realpath(dir, NULL);
		if (!whole) {
			(void)pf_sq_refuse_sys(
				err, where, "its directory can't be reached", REMEDY_RIGHTS);
		} else if (asprintf(&path, "%s/%s", whole, leaf) < 0) {
			path = NULL;
			(void)pf_fail_memory(err, "a path");
		}
		free(whole);
	}
	free(dir);
	return path;
}

/* The absolute path with links followed, so that one ledger has one name and one lock. */
static char *resolve(const char *where, enum pf_ledger_mode mode, struct pf_err *err)
{
	char *path = realpath(where, NULL);

	if (path || (errno == ENOENT && mode == PF_LEDGER_WRITE)) {
		return path ? path : resolve_new(where, err);
	}
	if (errno == ENOENT) {
		(void)pf_sq_refuse(
			err, where, "is not there", "check --ledger; it is made by the first copy");
	} else {
		(void)pf_sq_refuse_sys(err, where, "can't be reached", REMEDY_RIGHTS);
	}
	return NULL;
}

/* What can be told without reading it. `*there`: the file exists. */
static int look(const char *path, enum pf_ledger_mode mode, bool *there, struct pf_err *err)
{
	int want = mode == PF_LEDGER_WRITE ? R_OK | W_OK : R_OK;
	struct stat st;

	*there = stat(path, &st) == 0;
	if (!*there) {
		return errno == ENOENT
			       ? PF_OK
			       : pf_sq_refuse_sys(err, path, "can't be reached", REMEDY_RIGHTS);
	}
	if (!S_ISREG(st.st_mode)) {
		return pf_sq_refuse(err, path,
			S_ISDIR(st.st_mode) ? "is a directory" : "is no file",
			"name a file with --ledger");
	}
	if (st.st_size == 0) {
		return pf_sq_refuse(
			err, path, "is empty, so no ledger (any more)", PF_SQ_REMEDY_DAMAGED);
	}
	if (faccessat(AT_FDCWD, path, want, AT_EACCESS) != 0) {
		return pf_sq_refuse_sys(err, path,
			mode == PF_LEDGER_WRITE ? "can't be written" : "can't be read",
			REMEDY_RIGHTS);
	}
	return PF_OK;
}

static int sync_dir_of(const char *path, struct pf_err *err)
{
	char *copy = strdup(path);
	int fd, rc = PF_OK;

	if (!copy) {
		return pf_fail_memory(err, "a path");
	}
	fd = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 || fsync(fd) != 0) {
		rc = pf_sq_refuse_sys(err, path, "its directory can't be synced", REMEDY_RIGHTS);
	}
	if (fd >= 0) {
		(void)close(fd);
	}
	free(copy);
	return rc;
}

/* A file from elsewhere may not bring code with it, and odd pages are refused early. */
static int distrust(sqlite3 *db, const char *path, struct pf_err *err)
{
	if (sqlite3_extended_result_codes(db, 1) != SQLITE_OK ||
		sqlite3_busy_timeout(db, BUSY_MS) != SQLITE_OK ||
		sqlite3_db_config(db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL) != SQLITE_OK ||
		sqlite3_db_config(db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL) != SQLITE_OK ||
		sqlite3_exec(db, "PRAGMA cell_size_check=1", NULL, NULL, NULL) != SQLITE_OK) {
		return pf_sq_fail(err, path, db, 0, "opening it");
	}
	return PF_OK;
}

/*
 * FULL: in write-ahead mode a commit is then fsync'd before it returns, and with the first one the
 * directory. The log goes into the database every 1,000 pages (SQLite's default), and what a long
 * reader has made it grow to is given back.
 */
static int make_durable(sqlite3 *db, const char *path, struct pf_err *err)
{
	if (sqlite3_exec(db,
		    "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;"
		    " PRAGMA journal_size_limit=8388608",
		    NULL, NULL, NULL) != SQLITE_OK) {
		return pf_sq_fail(err, path, db, 0, "opening it");
	}
	return PF_OK;
}

static int open_db(const char *path, int flags, sqlite3 **out, struct pf_err *err)
{
	int code;

	errno = 0;
	code = sqlite3_open_v2(path, out, flags | SQLITE_OPEN_NOMUTEX, NULL);
	if (code != SQLITE_OK) {
		(void)pf_sq_fail(err, path, *out, code, "opening it");
	} else if (distrust(*out, path, err) == PF_OK) {
		return PF_OK;
	}
	(void)sqlite3_close(*out);
	*out = NULL;
	return PF_FAIL;
}

/*
 * Fill the fresh file `name` and close it, all on disk. The log begins when nothing is to go
 * through it any more: what is in one when a database is closed stays there if the disk is full,
 * and would be left behind under the old name.
 */
static int fill_new(const char *name, const char *path, struct pf_err *err)
{
	sqlite3 *db = NULL;
	int rc;

	if (open_db(name, SQLITE_OPEN_READWRITE, &db, err) != PF_OK) {
		return PF_FAIL;
	}
	rc = PF_OK;
	if (sqlite3_exec(db, "PRAGMA journal_mode=MEMORY; PRAGMA synchronous=FULL", NULL, NULL,
		    NULL) != SQLITE_OK) {
		rc = pf_sq_fail(err, path, db, 0, "opening it");
	}
	rc = rc == PF_OK ? pf_sq_schema_make(db, path, err) : rc;
	rc = rc == PF_OK ? make_durable(db, path, err) : rc;
	if (sqlite3_close(db) != SQLITE_OK && rc == PF_OK) {
		rc = pf_sq_refuse(err, path, "can't be closed", "run again");
	}
	return rc;
}

/* Its own file first, so that nobody ever sees half a ledger; we hold the lock. */
static int make_new(const char *path, struct pf_err *err)
{
	char *name;
	int fd, rc = PF_FAIL;

	if (asprintf(&name, "%s.new", path) < 0) {
		return pf_fail_memory(err, "a path");
	}
	(void)unlink(name); /* of a run that was killed right here */
	fd = open(name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0) {
		rc = pf_sq_refuse_sys(err, path, "can't be made", REMEDY_RIGHTS);
	} else {
		(void)close(fd);
		if (fill_new(name, path, err) != PF_OK) {
			(void)unlink(name);
		} else if (rename(name, path) != 0) {
			rc = pf_sq_refuse_sys(err, path, "can't be put in place", REMEDY_RIGHTS);
		} else {
			rc = sync_dir_of(path, err);
		}
	}
	free(name);
	return rc;
}

static int prepare(struct pf_ledger *led, const char *sql, sqlite3_stmt **out, struct pf_err *err)
{
	if (sqlite3_prepare_v3(led->db, sql, -1, SQLITE_PREPARE_PERSISTENT, out, NULL) !=
		SQLITE_OK) {
		return pf_sq_fail(err, led->path, led->db, 0, "reading its tables");
	}
	return PF_OK;
}

/* All at once: that each fits is also the proof that tables and columns are as they should be. */
static int prepare_all(struct pf_ledger *led, struct pf_err *err)
{
	for (size_t i = 0; i < PF_SQ_READ_COUNT; i++) {
		if (prepare(led, PF_SQ_READ_SQL[i], &led->read[i], err) != PF_OK) {
			return PF_FAIL;
		}
	}
	for (size_t i = 0; i < PF_SQ_WRITE_COUNT && led->mode == PF_LEDGER_WRITE; i++) {
		if (prepare(led, PF_SQ_WRITE_SQL[i], &led->write[i], err) != PF_OK) {
			return PF_FAIL;
		}
	}
	return PF_OK;
}

static int open_write(struct pf_ledger *led, struct pf_err *err)
{
	bool there;

	if (pf_sq_hold(led->path, &led->lock_fd, err) != PF_OK ||
		look(led->path, led->mode, &there, err) != PF_OK ||
		(!there && make_new(led->path, err) != PF_OK)) {
		return PF_FAIL;
	}
	return open_db(led->path, SQLITE_OPEN_READWRITE, &led->db, err);
}

/* "file:PATH?immutable=1" with every odd character of the path encoded. */
static int immutable_uri(const char *path, struct pf_buf *out, struct pf_err *err)
{
	int rc = pf_buf_add_str(out, "file:", err);

	for (const char *p = path; *p && rc == PF_OK; p++) {
		rc = strchr("?#%", *p) ? pf_buf_addf(out, err, "%%%02x", (unsigned)*p)
				       : pf_buf_add(out, pf_span(p, 1), err);
	}
	return rc == PF_OK ? pf_buf_add(out, pf_span("?immutable=1", 13), err) : PF_FAIL;
}

/*
 * A reader needs SQLite's -shm file, and makes it where it must. In a directory where it may not (a
 * read-only disk, another user's) a ledger that nobody has open is read as a file that never
 * changes.
 */
static int open_read(struct pf_ledger *led, struct pf_err *err)
{
	bool there;
	struct pf_buf uri, wal;
	char *dir;
	int rc = PF_FAIL;

	if (look(led->path, led->mode, &there, err) != PF_OK) {
		return PF_FAIL;
	}
	dir = strdup(led->path);
	if (!dir) {
		return pf_fail_memory(err, "a path");
	}
	pf_buf_init(&uri, (size_t)3 * PATH_MAX);
	pf_buf_init(&wal, PATH_MAX + 8);
	if (pf_buf_addf(&wal, err, "%s-wal", led->path) != PF_OK ||
		immutable_uri(led->path, &uri, err) != PF_OK) {
		rc = PF_FAIL;
	} else if (faccessat(AT_FDCWD, dirname(dir), W_OK, AT_EACCESS) == 0 ||
		   faccessat(AT_FDCWD, (const char *)wal.p, F_OK, AT_EACCESS) == 0) {
		rc = open_db(led->path, SQLITE_OPEN_READONLY, &led->db, err);
	} else {
		rc = open_db(
			(const char *)uri.p, SQLITE_OPEN_READONLY | SQLITE_OPEN_URI, &led->db, err);
	}
	pf_buf_deinit(&uri);
	pf_buf_deinit(&wal);
	free(dir);
	return rc;
}

static int open_checked(struct pf_ledger *led, struct pf_err *err)
{
	bool write = led->mode == PF_LEDGER_WRITE;

	if ((write ? open_write(led, err) : open_read(led, err)) != PF_OK ||
		pf_sq_schema_check(led->db, led->path, &PF_SQ_STEPS, write, err) != PF_OK ||
		(write && make_durable(led->db, led->path, err) != PF_OK)) {
		return PF_FAIL;
	}
	return prepare_all(led, err);
}

int pf_ledger_open(
	const char *where, enum pf_ledger_mode mode, struct pf_ledger **out, struct pf_err *err)
{
	struct pf_ledger *led;

	*out = NULL;
	if (strstr(where, "://")) {
		return pf_sq_refuse(err, where, "this build keeps ledgers in files only",
			"name a file with --ledger");
	}
	led = calloc(1, sizeof(*led));
	if (!led) {
		return pf_fail_memory(err, "a ledger");
	}
	led->mode = mode;
	led->lock_fd = -1;
	led->path = resolve(where, mode, err);
	if (!led->path || open_checked(led, err) != PF_OK) {
		pf_ledger_close(&led);
		return PF_FAIL;
	}
	*out = led;
	return PF_OK;
}

void pf_ledger_close(struct pf_ledger **led)
{
	struct pf_ledger *l = *led;

	if (!l) {
		return;
	}
	pf_assert(l->cursors == 0);
	for (size_t i = 0; i < PF_SQ_WRITE_COUNT; i++) {
		(void)sqlite3_finalize(l->write[i]); /* repeats an error that was told already */
	}
	for (size_t i = 0; i < PF_SQ_READ_COUNT; i++) {
		(void)sqlite3_finalize(l->read[i]);
	}
	(void)sqlite3_close(l->db); /* rolls back; what was committed is on disk already */
	pf_sq_release(&l->lock_fd);
	free(l->path);
	free(l);
	*led = NULL;
}
