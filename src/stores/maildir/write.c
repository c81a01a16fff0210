#include "stores/maildir/maildir_private.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static int fail(struct pf_err *err, const char *path)
{
	int rc = pf_fail_sys(err, PF_SCOPE_ITEM, PF_RETRY_NO, "writing %s", path);

	if (err->sys == ENOENT) { /* the directory, not the message, is what is missing */
		err->scope = PF_SCOPE_FOLDER;
	}
	if (err->sys == ENOSPC || err->sys == EDQUOT) {
		err->number = PF_EV_TARGET_FULL;
		err->retry = PF_RETRY_LATER;
	}
	return rc;
}

int md_make(const char *folder, struct pf_err *err)
{
	static const char *const SUBS[] = {"", "/cur", "/new", "/tmp"};
	char path[MD_PATH_MAX];

	for (size_t i = 0; i < PF_COUNT(SUBS); i++) {
		(void)snprintf(path, sizeof(path), "%s%s", folder, SUBS[i]);
		if (mkdir(path, 0700) != 0 && errno != EEXIST) {
			return fail(err, path);
		}
	}
	return PF_OK;
}

/* Unique by time, process and serial number, as Maildir wants it. */
int md_begin(const char *folder, unsigned int serial, struct md_writer *w, struct pf_err *err)
{
	struct timespec now;
	char host[64] = "localhost";

	(void)clock_gettime(CLOCK_REALTIME, &now); /* never fails for this clock */
	if (gethostname(host, sizeof(host) - 1) != 0 || strpbrk(host, "/:")) {
		(void)snprintf(host, sizeof(host), "localhost");
	}
	(void)snprintf(w->name, sizeof(w->name), "%lld.M%06ldP%dQ%u.%.60s", (long long)now.tv_sec,
		now.tv_nsec / 1000, (int)getpid(), serial, host);
	(void)snprintf(w->tmp, sizeof(w->tmp), "%.3800s/tmp/%s", folder, w->name);
	w->fd = open(w->tmp, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	return w->fd >= 0 ? PF_OK : fail(err, w->tmp);
}

int md_add(struct md_writer *w, struct pf_span bytes, struct pf_err *err)
{
	while (bytes.n > 0) {
		ssize_t n = write(w->fd, bytes.p, bytes.n);

		if (n < 0 && errno == EINTR) {
			continue;
		}
		if (n < 0) {
			return fail(err, w->tmp);
		}
		bytes = pf_span_from(bytes, (size_t)n);
	}
	return PF_OK;
}

static int sync_dir(const char *path, struct pf_err *err)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int rc = fd >= 0 && fsync(fd) == 0 ? PF_OK : fail(err, path);

	if (fd >= 0) {
		(void)close(fd);
	}
	return rc;
}

int md_commit(struct md_writer *w, const char *folder, const char *info, int64_t date_utc_s,
	struct pf_err *err)
{
	struct timespec times[2] = {{.tv_nsec = UTIME_OMIT}, {.tv_sec = date_utc_s}};
	char to[MD_PATH_MAX], cur[MD_PATH_MAX];
	int rc = PF_OK;

	(void)snprintf(cur, sizeof(cur), "%s/cur", folder);
	(void)snprintf(to, sizeof(to), "%.3800s/%s%s", cur, w->name, info);
	if (date_utc_s != PF_DATE_NONE && futimens(w->fd, times) != 0) {
		rc = fail(err, w->tmp);
	}
	if (rc == PF_OK && fsync(w->fd) != 0) {
		rc = fail(err, w->tmp);
	}
	if (close(w->fd) != 0 && rc == PF_OK) {
		rc = fail(err, w->tmp);
	}
	w->fd = -1;
	if (rc == PF_OK && rename(w->tmp, to) != 0) {
		rc = fail(err, to);
	}
	if (rc != PF_OK) {
		(void)unlink(w->tmp);
		return rc;
	}
	return sync_dir(cur, err);
}

void md_abort(struct md_writer *w)
{
	if (w->fd >= 0) {
		(void)close(w->fd);
		(void)unlink(w->tmp); /* left-overs in tmp are nobody's message */
		w->fd = -1;
	}
}
