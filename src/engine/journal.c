#include "engine/journal.h"

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

int pf_journal_open(const char *path)
{
	struct sockaddr_un to = {.sun_family = AF_UNIX};
	size_t n = strlen(path);
	int fd;

	if (n >= sizeof(to.sun_path)) {
		return -1;
	}
	memcpy(to.sun_path, path, n);
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd >= 0 && connect(fd, (const struct sockaddr *)&to, sizeof(to)) != 0) {
		(void)close(fd);
		fd = -1;
	}
	return fd;
}

int pf_journal_field(
	struct pf_buf *line, const char *name, struct pf_span value, struct pf_err *err)
{
	uint8_t length[8];
	uint64_t n = value.n;
	bool plain = value.n == 0 || !memchr(value.p, '\n', value.n);

	for (size_t i = 0; i < sizeof(length); i++) {
		length[i] = (uint8_t)(n >> (8 * i));
	}
	if (pf_buf_add_str(line, name, err) != PF_OK ||
		pf_buf_add_str(line, plain ? "=" : "\n", err) != PF_OK ||
		(!plain && pf_buf_add(line, pf_span(length, sizeof(length)), err) != PF_OK) ||
		pf_buf_add(line, value, err) != PF_OK) {
		return PF_FAIL;
	}
	return pf_buf_add_str(line, "\n", err);
}

bool pf_journal_send(int fd, const struct pf_buf *line)
{
	/* Without waiting: a journal that is stuck must not hold a migration up. */
	return send(fd, line->p, line->n, MSG_NOSIGNAL | MSG_DONTWAIT) == (ssize_t)line->n;
}
