/*
 * Lines for the systemd journal, by its native protocol
 * (https://systemd.io/JOURNAL_NATIVE_PROTOCOL/): one datagram a line, so there is no library to
 * load and nothing to wait for.
 */
#ifndef PF_ENGINE_JOURNAL_H
#define PF_ENGINE_JOURNAL_H

#include "base/buf.h"

#define PF_JOURNAL_SOCKET "/run/systemd/journal/socket"

/* A descriptor to send to; -1: there is no journal at `path`. */
int pf_journal_open(const char *path);

/* Put a field into the line that is gathered in `line`: any bytes, `name` of A-Z, 0-9 and '_'. */
PF_MUST_CHECK int pf_journal_field(
	struct pf_buf *line, const char *name, struct pf_span value, struct pf_err *err);

/* false: the journal did not take it. */
bool pf_journal_send(int fd, const struct pf_buf *line);

#endif
