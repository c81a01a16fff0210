#include "engine/repair.h"

#include <stdio.h>

struct found {
	size_t bare, nuls, from_line; /* from_line: its length with the line end */
};

/* The length of a leading mbox line. "From  : ann" is none, but a field of old times (RFC 5322
 * section 4.5.2). */
static size_t from_line(struct pf_span m)
{
	const uint8_t *end = memchr(m.p, '\n', m.n);
	size_t n = end ? (size_t)(end - m.p) + 1 : m.n, i = 4;

	if (n < 5 || memcmp(m.p, "From ", 5) != 0) {
		return 0;
	}
	while (i < n && (m.p[i] == ' ' || m.p[i] == '\t')) {
		i++;
	}
	return i < n && m.p[i] == ':' ? 0 : n;
}

static struct found look(struct pf_span m)
{
	struct found f = {.from_line = m.n > 0 ? from_line(m) : 0};

	for (size_t i = f.from_line; i < m.n; i++) {
		bool after_cr = i > f.from_line && m.p[i - 1] == '\r';
		bool before_lf = i + 1 < m.n && m.p[i + 1] == '\n';

		f.nuls += m.p[i] == '\0';
		f.bare += (m.p[i] == '\n' && !after_cr) || (m.p[i] == '\r' && !before_lf);
	}
	return f;
}

static void rewrite(struct pf_span m, uint8_t *to)
{
	for (size_t i = 0; i < m.n; i++) {
		bool lf = m.p[i] == '\n';
		bool cr = m.p[i] == '\r';
		bool pair = cr && i + 1 < m.n && m.p[i + 1] == '\n';

		if (lf || cr) {
			*to++ = '\r';
			*to++ = '\n';
			i += pair;
		} else {
			*to++ = m.p[i] == '\0' ? ' ' : m.p[i];
		}
	}
}

int pf_repair(
	struct pf_span message, struct pf_blob **out, char *what, size_t size, struct pf_err *err)
{
	struct found f = look(message);

	*out = NULL;
	if (f.bare == 0 && f.nuls == 0 && f.from_line == 0) {
		return PF_OK;
	}
	*out = pf_blob_new(message.n - f.from_line + f.bare);
	if (!*out) {
		return pf_fail_memory(err, "a repaired message");
	}
	rewrite(pf_span_from(message, f.from_line), (*out)->bytes);
	(void)snprintf(what, size, "%s%zu bare line ends made CRLF, %zu NULs made blanks",
		f.from_line > 0 ? "mbox \"From \" line cut, " : "", f.bare, f.nuls);
	return PF_OK;
}
