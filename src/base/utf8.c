#include "base/utf8.h"

#include <stdio.h>
#include <stdlib.h>
#include <unicase.h>
#include <uninorm.h>
#include <unistr.h>

bool pf_utf8_valid(struct pf_span s)
{
	return s.n == 0 || u8_check(s.p, s.n) == NULL;
}

struct pf_span pf_utf8_prefix(struct pf_span s, size_t max)
{
	size_t n = s.n;

	if (n <= max) {
		return s;
	}
	n = max;
	while (n > 0 && (s.p[n] & 0xc0) == 0x80) {
		n--;
	}
	return pf_span(s.p, n);
}

uint32_t pf_utf8_next(struct pf_span *s)
{
	ucs4_t cp = 0;
	int n = u8_mbtoucr(&cp, s->p, s->n);

	if (n <= 0) {
		*s = pf_span_from(*s, 1);
		return UINT32_MAX;
	}
	*s = pf_span_from(*s, (size_t)n);
	return cp;
}

size_t pf_utf8_put(uint32_t cp, uint8_t out[4])
{
	int n = u8_uctomb(out, cp, 4);

	if (n <= 0) { /* not a scalar value: U+FFFD in its place */
		n = u8_uctomb(out, 0xfffd, 4);
	}
	return (size_t)n;
}

char *pf_print_safe(char *out, size_t size, struct pf_span s)
{
	size_t n = 0;
	size_t cut = 0; /* where "..." and the NUL still fit */

	while (s.n > 0) {
		struct pf_span rest = s;
		uint32_t cp = pf_utf8_next(&rest);
		size_t len = s.n - rest.n;
		bool plain = cp != UINT32_MAX && cp >= 0x20 && (cp < 0x7f || cp > 0x9f);
		char hex[8];

		if (!plain) { /* C1 controls are two bytes: show the code point's low byte */
			unsigned int low = cp == UINT32_MAX ? s.p[0] : cp & 0xffu;

			len = (size_t)snprintf(hex, sizeof(hex), "\\x%02x", low);
		}
		if (n + 4 <= size) {
			cut = n;
		}
		if (n + len + 1 > size) {
			(void)snprintf(out + cut, size - cut, "...");
			return out;
		}
		memcpy(out + n, plain ? (const char *)s.p : hex, len);
		n += len;
		s = rest;
	}
	if (size > 0) {
		out[n] = '\0';
	}
	return out;
}

char *pf_utf8_fold(const char *s)
{
	size_t n = 0;
	uint8_t *folded =
		u8_casefold((const uint8_t *)s, strlen(s) + 1, NULL, UNINORM_NFC, NULL, &n);

	return (char *)folded;
}

uint8_t *pf_utf8_nfc(struct pf_span s, size_t *n)
{
	*n = 0;
	return u8_normalize(UNINORM_NFC, s.p, s.n, NULL, n);
}
