/*
 * Files that are written together. The calls that make them durable are watched here, and fail when
 * a test says so: what is told as stored is on disk by then, whatever store tells it.
 */
#include "stores/files.h"
#include "stores/registry.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <cmocka.h>

enum { LOG_MAX = 4096, ITEMS = 5, TEXT_MAX = 256 };

enum what { WRITTEN, SYNCED, SYNCED_ALL, PLACED, DIR_SYNCED, WHATS };

/* What happened, and what is to fail: the n-th of a kind, from 1; 0: none. */
static struct {
	struct {
		enum what what;
		ino_t ino;
	} log[LOG_MAX];
	size_t n, count[WHATS], fails[WHATS];
	bool known_fs;
	unsigned int dirty_kb;
} disk;

static bool note(enum what what, ino_t ino)
{
	bool fails = ++disk.count[what] == disk.fails[what];

	if (!fails && disk.n < LOG_MAX) {
		disk.log[disk.n].what = what;
		disk.log[disk.n++].ino = ino;
	}
	errno = fails ? ENOSPC : errno;
	return !fails;
}

static ino_t ino_of(int fd)
{
	struct stat st;

	return fstat(fd, &st) == 0 ? st.st_ino : 0;
}

/* ---- in the place of libc's ---- */

ssize_t write(int fd, const void *bytes, size_t n)
{
	struct stat st;

	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && !note(WRITTEN, st.st_ino)) {
		return -1;
	}
	return syscall(SYS_write, fd, bytes, n);
}

int fsync(int fd)
{
	struct stat st;
	bool dir = fstat(fd, &st) == 0 && S_ISDIR(st.st_mode);

	return note(dir ? DIR_SYNCED : SYNCED, st.st_ino) ? 0 : -1;
}

int sync_file_range(int fd, off_t from, off_t n, unsigned int how)
{
	(void)fd;
	(void)from;
	(void)n;
	(void)how;
	return 0;
}

int syncfs(int fd)
{
	return note(SYNCED_ALL, ino_of(fd)) ? 0 : -1;
}

int fstatfs(int fd, struct statfs *out)
{
	int rc = (int)syscall(SYS_fstatfs, fd, out);

	out->f_type = disk.known_fs ? EXT4_SUPER_MAGIC : TMPFS_MAGIC;
	return rc;
}

static bool placed(const char *from)
{
	struct stat st;

	return stat(from, &st) != 0 || note(PLACED, st.st_ino);
}

int rename(const char *from, const char *to)
{
	return placed(from) ? (int)syscall(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, 0) : -1;
}

int link(const char *from, const char *to)
{
	return placed(from) ? (int)syscall(SYS_linkat, AT_FDCWD, from, AT_FDCWD, to, 0) : -1;
}

FILE *fopen(const char *path, const char *mode)
{
	static char text[64];
	FILE *(*next)(const char *, const char *);
	void *found = dlsym(RTLD_NEXT, "fopen");

	if (strcmp(path, "/proc/meminfo") == 0) {
		(void)snprintf(
			text, sizeof(text), "MemFree: 1 kB\nDirty: %10u kB\n", disk.dirty_kb);
		return fmemopen(text, strlen(text), "r");
	}
	memcpy(&next, &found, sizeof(next));
	return next(path, mode);
}

/* ---- a target ---- */

struct target {
	char top[64], url_text[96];
	const char *suffix; /* of a calendar's files; NULL: it is a Maildir */
	struct pf_url url;
	struct pf_store_cfg cfg;
	struct pf_store *store;
	char folder[64];
	size_t done, failed, in_doubt, full;
	uint64_t last;
};

static void open_target(struct target *t, const char *scheme)
{
	static const char *const NAME[] = {"box", NULL};
	struct pf_path path = {0};
	struct pf_store_event ev;
	int64_t wake_ms = INT64_MAX;
	struct pf_err err;
	struct pf_op op = {.kind = PF_OP_MKFOLDER, .id = 1000};

	*t = (struct target){.suffix = strcmp(scheme, "ics") == 0 ? ".ics" : NULL};
	(void)snprintf(t->top, sizeof(t->top), "/tmp/test_files.XXXXXX");
	assert_non_null(mkdtemp(t->top));
	(void)snprintf(t->url_text, sizeof(t->url_text), "%s:%s/a", scheme, t->top);
	assert_int_equal(pf_url_parse(&t->url, t->url_text, &err), PF_OK);
	t->cfg.url = &t->url;
	assert_int_equal(pf_store_for(scheme)->open(NULL, &t->cfg, &t->store, &err), PF_OK);
	assert_int_equal(pf_path_add(&path, pf_span_str(NAME[0]), &err), PF_OK);
	op.mkfolder.path = &path;
	assert_int_equal(pf_store_submit(t->store, &op, &err), PF_OK);
	do {
		assert_int_equal(pf_store_next(t->store, &ev, &wake_ms, &err), PF_OK);
	} while (ev.op != op.id);
	assert_int_equal(ev.kind, PF_STORE_DONE);
	(void)snprintf(t->folder, sizeof(t->folder), "%.*s", (int)ev.id.n, (const char *)ev.id.p);
	pf_path_deinit(&path);
	memset(&disk, 0, sizeof(disk));
}

static void close_target(struct target *t)
{
	char command[128];

	pf_store_close(&t->store);
	pf_url_deinit(&t->url);
	(void)snprintf(command, sizeof(command), "rm -r %s", t->top);
	assert_int_equal(system(command), 0); /* NOLINT(cert-env33-c): our own directory */
}

static void put(struct target *t, unsigned int i)
{
	struct pf_blob *body;
	struct pf_err err;
	char text[TEXT_MAX], name[32];
	struct pf_op op = {.kind = PF_OP_PUT, .id = i + 1, .folder = pf_span_str(t->folder)};

	(void)snprintf(text, sizeof(text), "Subject: %u\r\n\r\n%u\r\n", i, i);
	(void)snprintf(name, sizeof(name), "item-%u", i);
	body = pf_blob_new(strlen(text));
	assert_non_null(body);
	memcpy(body->bytes, text, strlen(text));
	op.put.body = body;
	op.put.size = body->n;
	op.put.more = true;
	op.put.date_utc_s = PF_DATE_NONE;
	op.put.guard = t->suffix ? PF_GUARD_NEW : PF_GUARD_NONE;
	op.put.name = pf_span_str(name);
	assert_int_equal(pf_store_submit(t->store, &op, &err), PF_OK);
	pf_blob_unref(&body);
}

/* The last time that it happened to this one (0: to any), behind `after`; 0: it never did. */
static size_t when(enum what what, ino_t ino, size_t after)
{
	for (size_t i = disk.n; i > after; i--) {
		if (disk.log[i - 1].what == what && (ino == 0 || disk.log[i - 1].ino == ino)) {
			return i;
		}
	}
	return 0;
}

/* By now: written, then on disk, then named, then its directory is on disk. */
static void is_durable(const struct target *t, struct pf_span id)
{
	char dir[160], path[256];
	struct stat st;
	size_t written, named, synced = 0;

	(void)snprintf(dir, sizeof(dir), "%s/a/%s%s", t->top, t->folder, t->suffix ? "" : "/cur");
	(void)snprintf(path, sizeof(path), "%s/%.*s%s", dir, (int)id.n, (const char *)id.p,
		t->suffix ? "" : ":2,");
	assert_int_equal(stat(path, &st), 0);
	written = when(WRITTEN, st.st_ino, 0);
	named = when(PLACED, st.st_ino, 0);
	for (size_t i = written; i < named; i++) {
		synced += disk.log[i].what == SYNCED_ALL ||
			  (disk.log[i].what == SYNCED && disk.log[i].ino == st.st_ino);
	}
	assert_true(written > 0 && named > written && synced > 0);
	assert_int_equal(stat(dir, &st), 0);
	assert_true(when(DIR_SYNCED, st.st_ino, named) > 0);
}

/* All events that there are. */
static void take(struct target *t)
{
	struct pf_store_event ev;
	int64_t wake_ms = INT64_MAX;
	struct pf_err err;
	int rc;

	while ((rc = pf_store_next(t->store, &ev, &wake_ms, &err)) == PF_OK) {
		assert_true(ev.op > t->last);
		t->last = ev.op;
		if (ev.kind == PF_STORE_DONE) {
			t->done++;
			is_durable(t, ev.id);
			continue;
		}
		assert_int_equal(ev.kind, PF_STORE_FAILED);
		t->failed++;
		t->in_doubt += ev.failed.in_doubt;
		t->full += ev.failed.why.number == PF_EV_TARGET_FULL && !ev.failed.refused;
	}
	assert_int_equal(rc, PF_AGAIN);
}

static void put_all(struct target *t)
{
	const struct pf_op flush = {.kind = PF_OP_FLUSH, .folder = pf_span_str(t->folder)};
	struct pf_err err;

	for (unsigned int i = 0; i < ITEMS; i++) {
		put(t, i);
	}
	if (disk.fails[WRITTEN] == 0) { /* else the one that fails ends the group */
		take(t);
		assert_int_equal(t->done + t->failed, 0);
	}
	assert_int_equal(pf_store_submit(t->store, &flush, &err), PF_OK);
	take(t);
	assert_int_equal(t->done + t->failed, ITEMS);
}

/* Files below a directory of the target. */
static size_t count(const struct target *t, const char *below)
{
	char command[256];
	unsigned int n = 0;
	FILE *f;

	(void)snprintf(command, sizeof(command),
		"find %s/a/%s%s -type f ! -name displayname | wc -l", t->top, t->folder, below);
	f = popen(command, "re"); /* NOLINT(cert-env33-c): our own directory */
	assert_non_null(f);
	assert_int_equal(fscanf(f, "%u", &n), 1); /* NOLINT(cert-err34-c): wc wrote it */
	(void)pclose(f);
	return n;
}

/* ---- cases ---- */

static const char *const SCHEMES[] = {"maildir", "ics"};

static const struct {
	const char *name;
	bool known_fs;
	unsigned int dirty_kb;
	enum what fails;
	size_t at;
	size_t done, in_doubt;     /* the others are told that the disk is full */
	size_t synced, synced_all; /* calls */
} CASES[] = {
	{"each by itself", false, 0, WRITTEN, 0, ITEMS, 0, ITEMS, 0},
	{"all at once", true, 10, WRITTEN, 0, ITEMS, 0, 0, 1},
	{"others have much to write", true, 1 << 20, WRITTEN, 0, ITEMS, 0, ITEMS, 0},
	{"all at once fails", true, 10, SYNCED_ALL, 1, ITEMS, 0, ITEMS, 1},
	{"no room to write the third", true, 10, WRITTEN, 3, ITEMS - 1, 0, ITEMS - 1, 0},
	{"no room for the second, as the disk finds", false, 0, SYNCED, 2, ITEMS - 1, 0, ITEMS, 0},
	{"no room for a name", true, 10, PLACED, 4, ITEMS - 1, 0, 0, 1},
	{"nobody knows whether the names are on disk", true, 10, DIR_SYNCED, 1, 0, ITEMS, 0, 1},
};

static void one(const char *scheme, size_t i)
{
	struct target t;
	size_t there;

	open_target(&t, scheme);
	disk.known_fs = CASES[i].known_fs;
	disk.dirty_kb = CASES[i].dirty_kb;
	disk.fails[CASES[i].fails] = CASES[i].at;
	put_all(&t);
	there = CASES[i].done + CASES[i].in_doubt;
	if (t.done != CASES[i].done || t.in_doubt != CASES[i].in_doubt ||
		t.full != ITEMS - CASES[i].done || count(&t, "") != there ||
		(!t.suffix && count(&t, "/cur") != there) ||
		disk.count[SYNCED] != CASES[i].synced ||
		disk.count[SYNCED_ALL] != CASES[i].synced_all) {
		fail_msg("%s, %s: %zu done, %zu in doubt, %zu full, %zu files, %zu and %zu synced",
			scheme, CASES[i].name, t.done, t.in_doubt, t.full, count(&t, ""),
			disk.count[SYNCED], disk.count[SYNCED_ALL]);
	}
	close_target(&t);
}

static void what_is_told_is_on_disk(void **state)
{
	(void)state;
	for (size_t i = 0; i < PF_COUNT(CASES); i++) {
		for (size_t k = 0; k < PF_COUNT(SCHEMES); k++) {
			one(SCHEMES[k], i);
		}
	}
}

static void what_is_held_when_all_ends_is_no_message(void **state)
{
	struct target t;

	(void)state;
	for (size_t k = 0; k < PF_COUNT(SCHEMES); k++) {
		open_target(&t, SCHEMES[k]);
		put(&t, 1);
		put(&t, 2);
		take(&t);
		assert_int_equal(t.done, 0);
		assert_int_equal(count(&t, ""), 2);
		pf_store_close(&t.store);
		assert_int_equal(count(&t, ""), 0);
		close_target(&t);
	}
}

/* Two of one name: the second finds the first, though neither was there when they came. */
static void a_name_that_another_of_the_group_has(void **state)
{
	struct target t;
	const struct pf_op flush = {.kind = PF_OP_FLUSH};
	struct pf_store_event ev;
	int64_t wake_ms = INT64_MAX;
	struct pf_err err;

	(void)state;
	open_target(&t, "ics");
	put(&t, 1);
	put(&t, 1);
	assert_int_equal(pf_store_submit(t.store, &flush, &err), PF_OK);
	assert_int_equal(pf_store_next(t.store, &ev, &wake_ms, &err), PF_OK);
	assert_int_equal(ev.kind, PF_STORE_DONE);
	assert_int_equal(pf_store_next(t.store, &ev, &wake_ms, &err), PF_OK);
	assert_int_equal(ev.kind, PF_STORE_FAILED);
	assert_int_equal(ev.failed.conflict, PF_CONFLICT_NAME);
	assert_true(pf_span_is(ev.failed.holder, "item-1.ics"));
	assert_int_equal(count(&t, ""), 1);
	close_target(&t);
}

/* The one that can't be opened is for later; those before it are stored, which makes room. */
static void as_many_files_as_the_system_permits(void **state)
{
	struct target t;
	struct rlimit was, limit;
	struct pf_store_event ev;
	int64_t wake_ms = INT64_MAX;
	struct pf_err err;
	int fd = dup(0);

	(void)state;
	assert_true(fd >= 0);
	(void)close(fd);
	open_target(&t, "ics");
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &was), 0);
	limit = was;
	limit.rlim_cur = (rlim_t)fd + 2;
	put(&t, 1);
	put(&t, 2);
	put(&t, 3);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
	for (unsigned int i = 1; i <= 3; i++) {
		assert_int_equal(pf_store_next(t.store, &ev, &wake_ms, &err), PF_OK);
		assert_int_equal(ev.kind, i < 3 ? PF_STORE_DONE : PF_STORE_FAILED);
	}
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &was), 0);
	assert_int_equal(ev.failed.why.retry, PF_RETRY_LATER);
	assert_false(ev.failed.refused || ev.failed.in_doubt);
	assert_int_equal(count(&t, ""), 2);
	close_target(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_told_is_on_disk),
		cmocka_unit_test(what_is_held_when_all_ends_is_no_message),
		cmocka_unit_test(a_name_that_another_of_the_group_has),
		cmocka_unit_test(as_many_files_as_the_system_permits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
