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

bool pf_is_fragile(struct pf_span message)
{
	uint8_t last = '\n';

	if (message.n > 0 && memchr(message.p, '\0', message.n)) {
		return true;
	}
	for (size_t i = 0; i < message.n; i++) {
		uint8_t c = message.p[i];

		if (c > 127) {
			return true;
		}
		if (c == '\r') {
			continue;
		}
		if (c == '\n' && last == '\n') {
			return false; /* the header is over */
		}
		last = c;
	}
	return false;
}
