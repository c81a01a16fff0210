#include "engine/inspect.h"

#include "model/describe.h"

#include <stdio.h>

bool pf_skip_subject(const struct pf_rules *r, struct pf_span message, char *why, size_t size)
{
	struct pf_description d;

	if (r->skip_subject_count == 0) {
		return false;
	}
	pf_describe(message, &d);
	for (size_t i = 0; i < r->skip_subject_count; i++) {
		if (strcmp(d.subject, r->skip_subjects[i]) == 0) {
			(void)snprintf(why, size, "--skip-subjects: %s", d.subject);
			return true;
		}
	}
	return false;
}

/* Any octet over 127; eight at a time, as every message is looked at. */
static bool is_ascii(const uint8_t *p, size_t n)
{
	uint64_t eight, any = 0;

	for (; n >= sizeof(eight); p += sizeof(eight), n -= sizeof(eight)) {
		memcpy(&eight, p, sizeof(eight));
		any |= eight;
	}
	for (; n > 0; p++, n--) {
		any |= *p;
	}
	return (any & 0x8080808080808080u) == 0;
}

/* Where the line that begins at `p` ends; *empty: it has nothing but CRs. */
static size_t line_end(const uint8_t *p, size_t n, bool *empty)
{
	const uint8_t *lf = memchr(p, '\n', n);
	size_t end = lf ? (size_t)(lf - p) + 1 : n, at = 0;

	while (at < end && p[at] == '\r') {
		at++;
	}
	*empty = lf && p + at == lf;
	return end;
}

bool pf_is_fragile(struct pf_span message)
{
	bool header_over = false;

	if (message.n > 0 && memchr(message.p, '\0', message.n)) {
		return true;
	}
	while (message.n > 0 && !header_over) {
		size_t n = line_end(message.p, message.n, &header_over);

		if (!is_ascii(message.p, n)) {
			return true;
		}
		message = pf_span_from(message, n);
	}
	return false;
}
