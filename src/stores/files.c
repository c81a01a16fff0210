#include "stores/files.h"

#include "base/kill_point.h"
#include "model/event.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <time.h>
#include <unistd.h>

enum { PATH_SIZE = 4096, FEW = 4 };

#ifndef XFS_SUPER_MAGIC
#define XFS_SUPER_MAGIC 0x58465342
#endif

int pf_file_fail(const char *path, struct pf_err *err)
{
	int rc = pf_fail_sys(err, PF_SCOPE_ITEM, PF_RETRY_NO, "writing %s", path);

	if (err->sys == ENOENT) { /* the directory, not the item, is what is missing */
		err->scope = PF_SCOPE_FOLDER;
	}
	if (err->sys == ENOSPC || err->sys == EDQUOT) {
		err->number = PF_EV_TARGET_FULL;
		err->retry = PF_RETRY_LATER;
	}
	if (err->sys == EMFILE || err->sys == ENFILE) { /* others have too many open just now */
		err->retry = PF_RETRY_LATER;
	}
	return rc;
}

/* ---- one file ---- */

void pf_file_name(unsigned int serial, char out[128])
{
	struct timespec now;
	char host[64] = "localhost";

	(void)clock_gettime(CLOCK_REALTIME, &now); /* never fails for this clock */
	if (gethostname(host, sizeof(host) - 1) != 0 || strpbrk(host, "/:")) {
		(void)snprintf(host, sizeof(host), "localhost");
	}
	(void)snprintf(out, 128, "%lld.M%06ldP%dQ%u.%.60s", (long long)now.tv_sec,
		now.tv_nsec / 1000, (int)getpid(), serial, host);
}

int pf_file_begin(struct pf_file *f, const char *tmp, struct pf_err *err)
{
	*f = (struct pf_file){.fd = open(tmp, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600)};
	if (f->fd < 0) {
		return pf_file_fail(tmp, err);
	}
	f->tmp = strdup(tmp);
	if (!f->tmp) {
		(void)close(f->fd);
		(void)unlink(tmp);
		return pf_fail_memory(err, "a file");
	}
	return PF_OK;
}

int pf_file_add(struct pf_file *f, struct pf_span bytes, struct pf_err *err)
{
	while (bytes.n > 0) {
		ssize_t n = write(f->fd, bytes.p, bytes.n);

		if (n < 0 && errno == EINTR) {
			continue;
		}
		if (n < 0) {
			return pf_file_fail(f->tmp, err);
		}
		bytes = pf_span_from(bytes, (size_t)n);
	}
	return PF_OK;
}

int pf_file_date(struct pf_file *f, int64_t date_utc_s, struct pf_err *err)
{
	struct timespec times[2] = {{.tv_nsec = UTIME_OMIT}, {.tv_sec = date_utc_s}};

	return futimens(f->fd, times) == 0 ? PF_OK : pf_file_fail(f->tmp, err);
}

void pf_file_drop(struct pf_file *f)
{
	if (f->tmp) {
		(void)close(f->fd);
		(void)unlink(f->tmp);
	}
	free(f->tmp);
	free(f->to);
	*f = (struct pf_file){.tmp = NULL};
}

/* ---- a group ---- */

int pf_files_take(
	struct pf_files *g, struct pf_file *f, const char *to, bool fresh, struct pf_err *err)
{
	pf_assert(g->n < PF_FILES_MOST);
	f->to = strdup(to);
	if (!f->to) {
		return pf_fail_memory(err, "a file");
	}
	f->fresh = fresh;
	g->v[g->n++] = *f;
	*f = (struct pf_file){.tmp = NULL};
	return PF_OK;
}

void pf_files_clear(struct pf_files *g)
{
	for (size_t i = 0; i < g->n; i++) {
		pf_file_drop(&g->v[i]);
	}
	g->n = 0;
}

static void step(struct pf_files *g)
{
	pf_kill_point("POSTFERRY_TEST_KILL_AT_FILE", ++g->steps);
}

static void failed(struct pf_file *f, const char *path)
{
	f->rc = pf_file_fail(path, &f->why);
}

/* Whether little is to be written to any disk; false where that is not told. */
static bool little_waits(void)
{
	enum { LITTLE_KB = 128 << 10 };
	static const char KEY[] = "Dirty:";
	unsigned long long dirty_kb = LITTLE_KB;
	FILE *f = fopen("/proc/meminfo", "re");
	char line[128];

	while (f && fgets(line, sizeof(line), f)) {
		if (strncmp(line, KEY, sizeof(KEY) - 1) == 0) {
			dirty_kb = strtoull(line + sizeof(KEY) - 1, NULL, 10);
		}
	}
	if (f) {
		(void)fclose(f);
	}
	return dirty_kb < LITTLE_KB;
}

/*
 * Whether syncfs() does for all of them what fsync() does for each, as on these file systems. It
 * waits for what others have written as well, so only where that is little.
 */
static bool all_at_once(const struct pf_files *g)
{
	static const unsigned long KNOWN[] = {EXT4_SUPER_MAGIC, XFS_SUPER_MAGIC, BTRFS_SUPER_MAGIC};
	struct stat first, st;
	struct statfs fs;
	bool known = false;

	if (g->n < FEW || fstatfs(g->v[0].fd, &fs) != 0 || fstat(g->v[0].fd, &first) != 0) {
		return false;
	}
	for (size_t i = 0; i < PF_COUNT(KNOWN); i++) {
		known = known || (unsigned long)fs.f_type == KNOWN[i];
	}
	for (size_t i = 1; known && i < g->n; i++) {
		known = fstat(g->v[i].fd, &st) == 0 && st.st_dev == first.st_dev;
	}
	return known && little_waits();
}

/* Errors of the files' own octets are told by their waits, others by syncfs. */
static bool sync_at_once(const struct pf_files *g)
{
	const unsigned int all =
		SYNC_FILE_RANGE_WAIT_BEFORE | SYNC_FILE_RANGE_WRITE | SYNC_FILE_RANGE_WAIT_AFTER;

	for (size_t i = 0; i < g->n; i++) {
		if (sync_file_range(g->v[i].fd, 0, 0, all) != 0) {
			return false;
		}
	}
	return syncfs(g->v[0].fd) == 0;
}

static void sync_octets(struct pf_files *g)
{
	bool synced;

	for (size_t i = 0; i < g->n && g->n > 1; i++) { /* that the disk has all to do at once */
		(void)sync_file_range(g->v[i].fd, 0, 0, SYNC_FILE_RANGE_WRITE);
	}
	synced = all_at_once(g) && sync_at_once(g);
	for (size_t i = 0; i < g->n; i++) {
		struct pf_file *f = &g->v[i];

		if (!synced && fsync(f->fd) != 0) {
			failed(f, f->tmp);
		}
	}
}

static void place(struct pf_file *f)
{
	int rc = f->fresh ? link(f->tmp, f->to) : rename(f->tmp, f->to);

	if (rc != 0 && f->fresh && errno == EEXIST) {
		f->rc = PF_END;
	} else if (rc != 0) {
		failed(f, f->to);
	}
}

/* The first name is not needed any more, whatever became of it. */
static void let_go(struct pf_file *f)
{
	(void)close(f->fd); /* it was synced, so that there is nothing left to fail */
	if (f->fresh || f->rc != PF_OK) {
		(void)unlink(f->tmp);
	}
	free(f->tmp);
	f->tmp = NULL;
}

static void dir_of(const char *path, char out[PATH_SIZE])
{
	const char *slash = strrchr(path, '/');

	size_t n = slash == path ? 1 : slash ? (size_t)(slash - path) : 1;

	(void)snprintf(out, PATH_SIZE, "%.*s", (int)n, slash ? path : ".");
}

static void sync_dirs(struct pf_files *g)
{
	char done[PATH_SIZE] = "", dir[PATH_SIZE];
	bool wanted[PF_FILES_MOST];
	struct pf_err why;
	int rc;

	for (size_t i = 0; i < g->n; i++) {
		wanted[i] = g->v[i].rc == PF_OK;
	}
	for (size_t i = 0; i < g->n; i++) {
		if (!wanted[i]) {
			continue;
		}
		step(g);
		dir_of(g->v[i].to, done);
		rc = pf_dir_sync(done, &why);
		for (size_t j = i; j < g->n; j++) {
			dir_of(g->v[j].to, dir);
			if (!wanted[j] || strcmp(dir, done) != 0) {
				continue;
			}
			wanted[j] = false;
			if (rc != PF_OK) {
				g->v[j].rc = PF_FAIL;
				g->v[j].why = why;
				g->v[j].in_doubt = true;
			}
		}
	}
}

void pf_files_settle(struct pf_files *g, bool (*may)(void *of, size_t i), void *of)
{
	step(g);
	sync_octets(g);
	for (size_t i = 0; i < g->n; i++) {
		struct pf_file *f = &g->v[i];

		step(g);
		if (f->rc == PF_OK && may && !may(of, i)) {
			f->rc = PF_END;
		}
		if (f->rc == PF_OK) {
			place(f);
		}
		let_go(f);
	}
	sync_dirs(g);
	step(g);
}

int pf_file_write(
	const char *tmp, const char *to, struct pf_span bytes, bool fresh, struct pf_err *err)
{
	struct pf_files g = {.n = 0};
	struct pf_file f;
	int rc;

	if (pf_file_begin(&f, tmp, err) != PF_OK) {
		return PF_FAIL;
	}
	if (pf_file_add(&f, bytes, err) != PF_OK ||
		pf_files_take(&g, &f, to, fresh, err) != PF_OK) {
		pf_file_drop(&f);
		return PF_FAIL;
	}
	pf_files_settle(&g, NULL, NULL);
	rc = g.v[0].rc;
	if (rc == PF_FAIL) {
		*err = g.v[0].why;
	}
	pf_files_clear(&g);
	return rc;
}

int pf_dir_sync(const char *dir, struct pf_err *err)
{
	int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int rc = fd >= 0 && fsync(fd) == 0 ? PF_OK : pf_file_fail(dir, err);

	if (fd >= 0) {
		(void)close(fd);
	}
	return rc;
}

int pf_dir_sync_above(const char *path, struct pf_err *err)
{
	char dir[PATH_SIZE];

	dir_of(path, dir);
	return pf_dir_sync(dir, err);
}
