#include "stores/maildir/maildir_private.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

/* A bare LF ends the first line: the file has Unix line ends. Counts what CRLF adds. */
static int measure(struct md_reader *r, uint64_t size, struct pf_err *err)
{
	uint8_t part[MD_CHUNK];
	bool first = true, cr = false, as_it_is = false;
	ssize_t n = 0;

	r->total = size;
	while (!as_it_is && (n = read(r->fd, part, sizeof(part))) > 0) {
		for (ssize_t i = 0; i < n; i++) {
			bool lf = part[i] == '\n';

			as_it_is = lf && first && cr;
			if (as_it_is) {
				break;
			}
			r->to_crlf = r->to_crlf || lf;
			r->total += lf && !cr;
			first = first && !lf;
			cr = part[i] == '\r';
		}
	}
	if (n < 0 || lseek(r->fd, 0, SEEK_SET) != 0) {
		return pf_fail_sys(err, PF_SCOPE_ITEM, PF_RETRY_NO, "reading a message");
	}
	return PF_OK;
}

int md_open(const char *path, struct md_reader *r, struct pf_err *err)
{
	struct stat st;

	/* Its access time is the owner's business (promise P1); only root and the owner may ask for
	 * that. */
	*r = (struct md_reader){.fd = open(path, O_RDONLY | O_CLOEXEC | O_NOATIME)};
	if (r->fd < 0 && errno == EPERM) {
		r->fd = open(path, O_RDONLY | O_CLOEXEC);
	}
	if (r->fd < 0 || fstat(r->fd, &st) != 0) {
		(void)pf_fail_sys(err, PF_SCOPE_ITEM, PF_RETRY_NO, "%s", path);
		md_close(r);
		return PF_FAIL;
	}
	if (measure(r, (uint64_t)st.st_size, err) != PF_OK) {
		md_close(r);
		return pf_wrap(err, "%s", path);
	}
	return PF_OK;
}

int md_read(struct md_reader *r, uint8_t *out, size_t *n, struct pf_err *err)
{
	uint8_t part[MD_CHUNK];
	ssize_t got = read(r->fd, part, sizeof(part));

	*n = 0;
	if (got < 0) {
		return pf_fail_sys(err, PF_SCOPE_ITEM, PF_RETRY_NO, "reading a message");
	}
	for (ssize_t i = 0; i < got; i++) {
		if (r->to_crlf && part[i] == '\n' && !r->last_cr) {
			out[(*n)++] = '\r';
		}
		out[(*n)++] = part[i];
		r->last_cr = part[i] == '\r';
	}
	return PF_OK;
}

void md_close(struct md_reader *r)
{
	if (r->fd >= 0) {
		(void)close(r->fd);
	}
	r->fd = -1;
}
