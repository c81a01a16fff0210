/*
 * UTF-8 (RFC 3629): checking, cutting, showing. Nothing here fails on any bytes.
 */
#ifndef PF_BASE_UTF8_H
#define PF_BASE_UTF8_H

#include "base/span.h"

/* ASCII letters in one case, whatever the locale; all else as it is. */
static inline uint8_t pf_ascii_lower(uint8_t c)
{
	return c >= 'A' && c <= 'Z' ? (uint8_t)(c + 32) : c;
}
/* What a hexadecimal digit stands for; -1: it is none. */
static inline int pf_ascii_hex(uint8_t c)
{
	c = pf_ascii_lower(c);
	return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}
static inline uint8_t pf_ascii_upper(uint8_t c)
{
	return c >= 'a' && c <= 'z' ? (uint8_t)(c - 32) : c;
}
static inline bool pf_ascii_space(uint8_t c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

/* Whether all of `s` is valid UTF-8 (no surrogates, no overlong forms). */
bool pf_utf8_valid(struct pf_span s);

/* The longest prefix of at most `max` bytes that does not end within a character. */
struct pf_span pf_utf8_prefix(struct pf_span s, size_t max);

/*
 * Take one character off the front of `*s`. Returns its code point, or UINT32_MAX for a byte that
 * starts none, which is then taken alone. `s` must not be empty.
 */
uint32_t pf_utf8_next(struct pf_span *s);

/* Write `cp` (a Unicode scalar value) to `out`; returns the bytes written, 1 to 4. */
size_t pf_utf8_put(uint32_t cp, uint8_t out[4]);

/*
 * Make `s` fit for a terminal, a log line or JSON: control characters and bytes that are not UTF-8
 * become \xNN, a backslash stays. Writes at most `size` - 1 bytes and a NUL, cut at a character
 * with
 * "..." when it was too long. Returns `out`.
 */
char *pf_print_safe(char *out, size_t size, struct pf_span s);

/*
 * Case-folded, NFC-normalised copy of valid UTF-8, for finding names that a case-insensitive or
 * normalising server takes for one. A fresh C string (free), NULL when there is no memory.
 */
char *pf_utf8_fold(const char *s);

/*
 * Valid UTF-8 in Unicode's composed form (NFC): a fresh block (free) of *n bytes, NULL when there
 * is no memory. What is not valid is to be left alone.
 */
uint8_t *pf_utf8_nfc(struct pf_span s, size_t *n);

#endif
