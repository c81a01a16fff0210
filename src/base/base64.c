#include "base/base64.h"

#include "base/utf8.h"

static const uint8_t DIGITS[64] =
	"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/* What a digit stands for; -1: it is none. */
static int value_of(uint8_t c)
{
	if (c >= 'A' && c <= 'Z') {
		return c - 'A';
	}
	if (c >= 'a' && c <= 'z') {
		return c - 'a' + 26;
	}
	if (c >= '0' && c <= '9') {
		return c - '0' + 52;
	}
	return c == '+' ? 62 : c == '/' ? 63 : -1;
}

int pf_base64_encode(struct pf_span bytes, struct pf_buf *out, struct pf_err *err)
{
	uint8_t *to;

	if (pf_buf_reserve(out, (bytes.n + 2) / 3 * 4 + 1, err) != PF_OK) {
		return PF_FAIL;
	}
	to = out->p + out->n;
	for (; bytes.n >= 3; bytes = pf_span_from(bytes, 3)) {
		*to++ = DIGITS[bytes.p[0] >> 2];
		*to++ = DIGITS[(bytes.p[0] & 3) << 4 | bytes.p[1] >> 4];
		*to++ = DIGITS[(bytes.p[1] & 15) << 2 | bytes.p[2] >> 6];
		*to++ = DIGITS[bytes.p[2] & 63];
	}
	if (bytes.n > 0) {
		uint8_t second = bytes.n > 1 ? bytes.p[1] : 0;

		*to++ = DIGITS[bytes.p[0] >> 2];
		*to++ = DIGITS[(bytes.p[0] & 3) << 4 | second >> 4];
		*to++ = bytes.n > 1 ? DIGITS[(second & 15) << 2] : '=';
		*to++ = '=';
	}
	out->n = (size_t)(to - out->p);
	return PF_OK;
}

int pf_base64_decode(struct pf_span text, struct pf_buf *out, struct pf_err *err)
{
	size_t digits = 0, pads = 0;
	uint32_t bits = 0;

	if (pf_buf_reserve(out, text.n / 4 * 3 + 3, err) != PF_OK) {
		return PF_FAIL;
	}
	for (size_t i = 0; i < text.n; i++) {
		uint8_t c = text.p[i];
		int v = value_of(c);

		if (pf_ascii_space(c)) {
			continue;
		}
		pads += c == '=';
		if ((v < 0 && c != '=') || (v >= 0 && pads > 0)) {
			return pf_fail(err, PF_SCOPE_ITEM, PF_RETRY_NO,
				"base64 has a character that is none of its own");
		}
		if (v >= 0) {
			bits = bits << 6 | (uint32_t)v;
			digits++;
		}
		if (v >= 0 && digits % 4 != 1) {
			out->p[out->n++] = (uint8_t)(bits >> (6 - 2 * ((digits - 1) % 4)));
		}
	}
	if (digits % 4 == 1 || pads > 2 || (pads > 0 && (digits + pads) % 4 != 0)) {
		return pf_fail(err, PF_SCOPE_ITEM, PF_RETRY_NO, "base64 was cut off");
	}
	return PF_OK;
}
