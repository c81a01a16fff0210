#include "stores/vdir/vdir_private.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int fail(struct pf_err *err, const char *doing, const char *path)
{
	return pf_fail_sys(err, PF_SCOPE_ITEM, PF_RETRY_NO, "%s %s", doing, path);
}

static int read_all(int fd, const char *path, struct pf_blob *into, struct pf_err *err)
{
	size_t n = 0;

	while (n < into->n) {
		ssize_t got = read(fd, into->bytes + n, into->n - n);

		if (got < 0 && errno == EINTR) {
			continue;
		}
		if (got < 0) {
			return fail(err, "reading", path);
		}
		if (got == 0) {
			return pf_fail(err, PF_SCOPE_ITEM, PF_RETRY_LATER,
				"reading %s: it became shorter meanwhile", path);
		}
		n += (size_t)got;
	}
	return PF_OK;
}

int vd_read(const char *path, struct pf_blob **out, struct pf_err *err)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOATIME);
	struct stat st;
	int rc;

	if (fd < 0 && errno == EPERM) { /* only its owner may leave the time of reading alone */
		fd = open(path, O_RDONLY | O_CLOEXEC);
	}
	if (fd < 0 || fstat(fd, &st) != 0) {
		rc = fail(err, "opening", path);
	} else if (!S_ISREG(st.st_mode) || st.st_size > VD_FILE_MAX) {
		rc = pf_fail(err, PF_SCOPE_ITEM, PF_RETRY_NO, "%s: no file, or larger than %d MiB",
			path, VD_FILE_MAX >> 20);
	} else {
		*out = pf_blob_new((size_t)st.st_size);
		rc = *out ? read_all(fd, path, *out, err) : pf_fail_memory(err, "a file");
		if (rc != PF_OK) {
			pf_blob_unref(out);
		}
	}
	if (fd >= 0) {
		(void)close(fd);
	}
	return rc;
}

int vd_word(const char *dir, const char *name, struct pf_buf *into, struct pf_span *out,
	struct pf_err *err)
{
	char path[VD_PATH_MAX];
	struct pf_blob *text = NULL;
	struct pf_err ignored; /* not there: nothing is said */
	struct pf_span s;
	int rc;

	*out = pf_span(NULL, 0);
	(void)snprintf(path, sizeof(path), "%.3900s/%s", dir, name);
	if (access(path, R_OK) != 0 || vd_read(path, &text, &ignored) != PF_OK) {
		return PF_OK;
	}
	s = pf_blob_span(text);
	while (s.n > 0 && isspace(s.p[s.n - 1])) {
		s.n--;
	}
	pf_buf_clear(into);
	rc = pf_buf_add(into, s, err);
	*out = rc == PF_OK && into->n > 0 ? pf_buf_span(into) : pf_span(NULL, 0);
	pf_blob_unref(&text);
	return rc;
}

bool vd_version(const char *path, char out[VD_VERSION])
{
	struct stat st;

	if (stat(path, &st) != 0) {
		return false;
	}
	(void)snprintf(out, VD_VERSION, "%llu-%lld-%lld.%09ld", (unsigned long long)st.st_ino,
		(long long)st.st_size, (long long)st.st_mtim.tv_sec, st.st_mtim.tv_nsec);
	return true;
}
