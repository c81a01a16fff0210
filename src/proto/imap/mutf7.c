#include "proto/imap/mutf7.h"

#include "base/utf8.h"

static const char ALPHABET[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+,";

static int value_of(uint8_t c)
{
	const char *at = c ? strchr(ALPHABET, c) : NULL;

	return at ? (int)(at - ALPHABET) : -1;
}

static int put(struct pf_buf *out, uint32_t cp, struct pf_err *err)
{
	uint8_t utf8[4];

	return pf_buf_add(out, pf_span(utf8, pf_utf8_put(cp, utf8)), err);
}

/* UTF-16 units of one shifted sequence become characters. */
struct shift {
	uint32_t high; /* a first surrogate that waits for its second; 0 = none */
	bool bad;
};

static int put_unit(struct shift *s, uint32_t unit, struct pf_buf *out, struct pf_err *err)
{
	bool low = unit >= 0xdc00 && unit <= 0xdfff;
	uint32_t cp = unit;

	if ((s->high != 0) != low || unit == 0) {
		s->bad = true;
		return PF_OK;
	}
	if (unit >= 0xd800 && unit <= 0xdbff) {
		s->high = unit;
		return PF_OK;
	}
	if (low) {
		cp = 0x10000 + ((s->high - 0xd800) << 10) + (unit - 0xdc00);
		s->high = 0;
	}
	return put(out, cp, err);
}

/* "&...-" at the front of `*raw`. *bad: it is no valid sequence, and nothing was taken. */
static int decode_shift(struct pf_span *raw, struct pf_buf *out, bool *bad, struct pf_err *err)
{
	const uint8_t *end = memchr(raw->p, '-', raw->n);
	size_t n = end ? (size_t)(end - raw->p) : raw->n;
	size_t before = out->n;
	struct shift s = {0};
	uint32_t bits = 0;
	int count = 0;

	*bad = !end;
	if (end && n == 1) {
		*raw = pf_span_from(*raw, 2);
		return pf_buf_add(out, pf_span("&", 1), err);
	}
	for (size_t i = 1; i < n && !*bad; i++) {
		int v = value_of(raw->p[i]);

		if (v < 0) {
			*bad = true;
			break;
		}
		bits = (bits << 6 | (uint32_t)v) & 0xffffff;
		count += 6;
		if (count >= 16) {
			count -= 16;
			if (put_unit(&s, bits >> count & 0xffff, out, err) != PF_OK) {
				return PF_FAIL;
			}
		}
		*bad = s.bad;
	}
	*bad = *bad || s.high != 0 || count >= 6 || (bits & ((1u << count) - 1)) != 0;
	if (*bad) {
		out->n = before;
		return PF_OK;
	}
	*raw = pf_span_from(*raw, n + 1);
	return PF_OK;
}

/* UTF-8 as it is, or else Latin-1; a NUL can't be part of a name. */
static int decode_8bit(struct pf_span raw, struct pf_buf *out, bool *doubtful, struct pf_err *err)
{
	bool utf8 = pf_utf8_valid(raw);

	*doubtful = !utf8;
	while (raw.n > 0) {
		uint32_t cp = raw.p[0];

		if (utf8) {
			cp = pf_utf8_next(&raw);
		} else {
			raw = pf_span_from(raw, 1);
		}
		*doubtful = *doubtful || cp == 0;
		if (put(out, cp ? cp : 0xfffd, err) != PF_OK) {
			return PF_FAIL;
		}
	}
	return PF_OK;
}

int pf_mutf7_decode(struct pf_span raw, struct pf_buf *out, bool *doubtful, struct pf_err *err)
{
	*doubtful = false;
	for (size_t i = 0; i < raw.n; i++) {
		if (raw.p[i] > 127) {
			return decode_8bit(raw, out, doubtful, err);
		}
	}
	while (raw.n > 0) {
		bool bad = raw.p[0] != '&';

		if (!bad && decode_shift(&raw, out, &bad, err) != PF_OK) {
			return PF_FAIL;
		}
		if (bad) {
			*doubtful = *doubtful || raw.p[0] == '&' || raw.p[0] == '\0';
			if (put(out, raw.p[0] ? raw.p[0] : 0xfffd, err) != PF_OK) {
				return PF_FAIL;
			}
			raw = pf_span_from(raw, 1);
		}
	}
	return PF_OK;
}

struct encoder {
	struct pf_buf *out;
	uint32_t bits;
	int count;
	bool shifted;
};

static int add_char(struct encoder *e, uint32_t six, struct pf_err *err)
{
	return pf_buf_add(e->out, pf_span(&ALPHABET[six & 63], 1), err);
}

static int add_unit(struct encoder *e, uint32_t unit, struct pf_err *err)
{
	e->bits = e->bits << 16 | unit;
	e->count += 16;
	while (e->count >= 6) {
		e->count -= 6;
		if (add_char(e, e->bits >> e->count, err) != PF_OK) {
			return PF_FAIL;
		}
	}
	e->bits &= 63;
	return PF_OK;
}

static int unshift(struct encoder *e, struct pf_err *err)
{
	if (!e->shifted) {
		return PF_OK;
	}
	if (e->count > 0 && add_char(e, e->bits << (6 - e->count), err) != PF_OK) {
		return PF_FAIL;
	}
	e->shifted = false;
	e->count = 0;
	e->bits = 0;
	return pf_buf_add(e->out, pf_span("-", 1), err);
}

static int encode_one(struct encoder *e, uint32_t cp, struct pf_err *err)
{
	char c = (char)cp;

	if (cp >= 0x20 && cp < 0x7f) {
		if (unshift(e, err) != PF_OK) {
			return PF_FAIL;
		}
		return cp == '&' ? pf_buf_add(e->out, pf_span("&-", 2), err)
				 : pf_buf_add(e->out, pf_span(&c, 1), err);
	}
	if (!e->shifted) {
		e->shifted = true;
		if (pf_buf_add(e->out, pf_span("&", 1), err) != PF_OK) {
			return PF_FAIL;
		}
	}
	if (cp < 0x10000) {
		return add_unit(e, cp, err);
	}
	cp -= 0x10000;
	if (add_unit(e, 0xd800 + (cp >> 10), err) != PF_OK) {
		return PF_FAIL;
	}
	return add_unit(e, 0xdc00 + (cp & 0x3ff), err);
}

int pf_mutf7_encode(struct pf_span utf8, struct pf_buf *out, struct pf_err *err)
{
	struct encoder e = {.out = out};

	if (!pf_utf8_valid(utf8)) {
		return pf_fail(err, PF_SCOPE_ITEM, PF_RETRY_NO, "a mailbox name is not UTF-8");
	}
	while (utf8.n > 0) {
		if (encode_one(&e, pf_utf8_next(&utf8), err) != PF_OK) {
			return PF_FAIL;
		}
	}
	return unshift(&e, err);
}
