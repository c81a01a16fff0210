#include "engine/safe_name.h"

#include "base/defs.h"
#include "base/utf8.h"

#include <stdio.h>

enum { MARK_BYTES = 9 }; /* '~' and eight digits */

/* FNV-1a: nobody but the owner of two names can make them clash. */
static uint32_t digest(struct pf_span raw)
{
	uint32_t h = 2166136261u;

	for (size_t i = 0; i < raw.n; i++) {
		h = (h ^ raw.p[i]) * 16777619u;
	}
	return h;
}

static bool is_allowed(uint32_t c)
{
	if (c < 0x80) {
		return c >= 0x20 && c != 0x7f && !strchr("/\\:*?\"<>|~", (int)c);
	}
	return c != UINT32_MAX &&
	       c >= 0xa0 && /* C1 controls, and marks that turn the text around */
	       !(c >= 0x200b && c <= 0x200f) && !(c >= 0x2028 && c <= 0x202e) &&
	       !(c >= 0x2060 && c <= 0x206f) && c != 0xfeff;
}

static bool is_device(struct pf_span name)
{
	static const char *const NAMES[] = {"CON", "PRN", "AUX", "NUL"};
	const uint8_t *dot;

	if (!name.p) {
		return false;
	}
	dot = memchr(name.p, '.', name.n);
	name.n = dot ? (size_t)(dot - name.p) : name.n;
	for (size_t i = 0; i < PF_COUNT(NAMES); i++) {
		if (pf_span_is(name, NAMES[i])) {
			return true;
		}
	}
	return name.n == 4 && name.p[3] >= '0' && name.p[3] <= '9' &&
	       (pf_span_starts(name, "COM") || pf_span_starts(name, "LPT"));
}

static bool has_our_end(struct pf_span name)
{
	static const char *const ENDS[] = {".eml", ".json", ".part"};

	for (size_t i = 0; i < PF_COUNT(ENDS); i++) {
		size_t n = strlen(ENDS[i]);

		if (name.p && name.n >= n && pf_span_is(pf_span_from(name, name.n - n), ENDS[i])) {
			return true;
		}
	}
	return false;
}

static bool is_dot_or_blank(char c)
{
	return c == '.' || c == ' ';
}

/* What of `raw` may stay, at the most `max` bytes; others become '_'. Returns its length. */
static size_t keep(struct pf_span raw, char *out, size_t max)
{
	size_t n = 0;
	uint8_t utf8[4];

	if (is_device(raw) && max > 0) {
		out[n++] = '_';
	}
	while (raw.n > 0) {
		uint32_t c = pf_utf8_next(&raw);
		size_t len = pf_utf8_put(is_allowed(c) ? c : '_', utf8);

		if (n + len > max) {
			break;
		}
		memcpy(out + n, utf8, len);
		n += len;
	}
	if (n > 0 && is_dot_or_blank(out[0])) {
		out[0] = '_';
	}
	if (n > 0 && is_dot_or_blank(out[n - 1])) {
		out[n - 1] = '_';
	}
	return n;
}

void pf_safe_name(struct pf_span raw, char out[PF_SAFE_NAME_MAX + 1])
{
	size_t n = keep(raw, out, PF_SAFE_NAME_MAX);

	if (n == 0 || !pf_span_eq(raw, pf_span(out, n)) || has_our_end(raw)) {
		n = keep(raw, out, PF_SAFE_NAME_MAX - MARK_BYTES);
		(void)snprintf(out + n, MARK_BYTES + 1, "~%08x", digest(raw));
		return;
	}
	out[n] = '\0';
}
