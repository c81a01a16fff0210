/*
 * Bytes that somebody else owns. Wire data are spans, never NUL-terminated strings.
 */
#ifndef PF_BASE_SPAN_H
#define PF_BASE_SPAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <strings.h>

/* Borrowed. p == NULL means absent (IMAP's NIL), which is not the same as empty. */
struct pf_span {
	const uint8_t *p;
	size_t n;
};

static inline struct pf_span pf_span(const void *p, size_t n)
{
	return (struct pf_span){.p = p, .n = n};
}

/* The bytes of a C string; absent for NULL. */
static inline struct pf_span pf_span_str(const char *s)
{
	return (struct pf_span){.p = (const uint8_t *)s, .n = s ? strlen(s) : 0};
}

static inline bool pf_span_eq(struct pf_span a, struct pf_span b)
{
	return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

/* Equal to a C string, ASCII case aside. */
static inline bool pf_span_is(struct pf_span a, const char *s)
{
	return a.n == strlen(s) && (a.n == 0 || strncasecmp((const char *)a.p, s, a.n) == 0);
}

static inline bool pf_span_starts(struct pf_span a, const char *s)
{
	size_t n = strlen(s);

	return a.n >= n && (n == 0 || strncasecmp((const char *)a.p, s, n) == 0);
}

/*
 * Shorter first, then by bytes: decimal numbers without leading zeros sort by value, and any other
 * ids sort in one fixed order.
 */
static inline int pf_span_cmp(struct pf_span a, struct pf_span b)
{
	if (a.n != b.n) {
		return a.n < b.n ? -1 : 1;
	}
	return a.n == 0 ? 0 : memcmp(a.p, b.p, a.n);
}

/* The rest of `a` from offset `from`; empty when past the end. */
static inline struct pf_span pf_span_from(struct pf_span a, size_t from)
{
	return from >= a.n ? pf_span(a.p ? a.p + a.n : NULL, 0) : pf_span(a.p + from, a.n - from);
}

#endif
