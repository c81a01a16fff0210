/*
 * Who holds a ledger: an flock on PATH.lock, and in that file one line for those who come second:
 *
 *	process 4711 on host mig1.example since 2026-11-24T10:03:12Z
 *
 * The lock is the truth, the line only says its name: a line without a lock is of a holder that
 *died. The database itself can't carry the lock, since closing any descriptor of it drops SQLite's
 *own.
 */
#include "base/civil.h"
#include "base/utf8.h"
#include "ledger/sqlite/sq_private.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <time.h>
#include <unistd.h>

enum { LINE_MAX_BYTES = 240 };

static int open_lock(const char *path, int *fd, struct pf_err *err)
{
	char *name;
	int rc = PF_OK;

	if (asprintf(&name, "%s.lock", path) < 0) {
		return pf_fail_memory(err, "a path");
	}
	*fd = open(name, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (*fd < 0) {
		rc = pf_sq_refuse_sys(err, path, "its lock file (.lock) can't be opened",
			"make the directory and that file writable, or name another ledger with "
			"--ledger");
	}
	free(name);
	return rc;
}

static int fail_held(const char *path, int fd, struct pf_err *err)
{
	char line[LINE_MAX_BYTES], text[LINE_MAX_BYTES + 32];
	ssize_t n = pread(fd, line, sizeof(line), 0);
	const char *end = n > 0 ? memchr(line, '\n', (size_t)n) : NULL;

	if (end) {
		(void)snprintf(text, sizeof(text), "is held by %.*s", (int)(end - line), line);
	} else {
		(void)snprintf(text, sizeof(text), "is held by another process");
	}
	return pf_sq_refuse(err, path, pf_print_safe(line, sizeof(line), pf_span_str(text)),
		"wait for it to end or stop it, or name another ledger with --ledger");
}

/* For show only: a line that can't be written costs the next one a name, not the lock. */
static void write_holder(int fd)
{
	char line[LINE_MAX_BYTES], host[128], since[32];
	int n;

	if (gethostname(host, sizeof(host)) != 0) {
		(void)snprintf(host, sizeof(host), "?");
	}
	host[sizeof(host) - 1] = '\0';
	pf_date_iso((int64_t)time(NULL), since);
	n = snprintf(line, sizeof(line), "process %ld on host %s since %s\n", (long)getpid(), host,
		since);
	if (ftruncate(fd, 0) == 0 && n > 0) {
		(void)!pwrite(fd, line, (size_t)n, 0);
	}
}

int pf_sq_hold(const char *path, int *fd, struct pf_err *err)
{
	int rc = PF_OK;

	if (open_lock(path, fd, err) != PF_OK) {
		return PF_FAIL;
	}
	if (flock(*fd, LOCK_EX | LOCK_NB) == 0) {
		write_holder(*fd);
		return PF_OK;
	}
	if (errno == EWOULDBLOCK) {
		rc = fail_held(path, *fd, err);
	} else {
		rc = pf_sq_refuse_sys(err, path, "can't be locked",
			"put it on a local disk (--ledger): this file system has no locks");
	}
	(void)close(*fd);
	*fd = -1;
	return rc;
}

void pf_sq_release(int *fd)
{
	if (*fd >= 0) {
		(void)!ftruncate(*fd, 0); /* the name only; the lock goes with the descriptor */
		(void)close(*fd);
		*fd = -1;
	}
}
