#include "proto/line/text.h"

#include "base/digest.h"
#include "base/utf8.h"
#include "proto/line/line.h"

#include <stdlib.h>

/* Windows-1252 where it differs from Latin-1 (0x80 to 0x9F). */
static const uint16_t CP1252[32] = {0x20AC, 0xFFFD, 0x201A, 0x0192, 0x201E, 0x2026, 0x2020, 0x2021,
	0x02C6, 0x2030, 0x0160, 0x2039, 0x0152, 0xFFFD, 0x017D, 0xFFFD, 0xFFFD, 0x2018, 0x2019,
	0x201C, 0x201D, 0x2022, 0x2013, 0x2014, 0x02DC, 0x2122, 0x0161, 0x203A, 0x0153, 0xFFFD,
	0x017E, 0x0178};

int pf_text_from_latin(struct pf_span in, struct pf_buf *out, struct pf_err *err)
{
	if (pf_buf_reserve(out, 3 * in.n, err) != PF_OK) {
		return PF_FAIL;
	}
	for (size_t i = 0; i < in.n; i++) {
		uint32_t cp = in.p[i] >= 0x80 && in.p[i] < 0xA0 ? CP1252[in.p[i] - 0x80] : in.p[i];

		out->n += pf_utf8_put(cp, out->p + out->n);
	}
	return PF_OK;
}

/* White space at the ends of lines, CRs, and empty lines at both ends go; what is left begins at
 * the span that is given back. */
static struct pf_span trim(struct pf_buf *b)
{
	size_t w = 0, r;

	for (r = 0; r < b->n; r++) {
		if (b->p[r] == '\n') {
			while (w > 0 && (b->p[w - 1] == ' ' || b->p[w - 1] == '\t')) {
				w--;
			}
		}
		b->p[w] = b->p[r];
		w += b->p[r] != '\r';
	}
	while (w > 0 && pf_ascii_space(b->p[w - 1])) {
		w--;
	}
	for (r = 0; r < w && pf_ascii_space(b->p[r]); r++) {
	}
	return pf_span(b->p + r, w - r);
}

/* A quotation mark needs no escape (RFC 5545 section 3.3.11), but gets one by some, and loses it on
 * the way through others. */
static int unescape(struct pf_span raw, struct pf_buf *out, struct pf_err *err)
{
	struct pf_span rest = raw;
	int rc = PF_OK;

	for (size_t i = 0; i + 1 < raw.n && rc == PF_OK; i++) {
		if (raw.p[i] != '\\') {
			continue;
		}
		if (raw.p[i + 1] == '"') {
			rc = pf_text_unescape(
				pf_span(rest.p, (size_t)(raw.p + i - rest.p)), out, err);
			rest = pf_span_from(raw, i + 1);
		}
		i++; /* what is escaped begins nothing */
	}
	return rc == PF_OK ? pf_text_unescape(rest, out, err) : rc;
}

/* Trimmed and composed (NFC). *n 0: nothing is said. */
static uint8_t *plain_text(struct pf_span raw, size_t *n, struct pf_err *err)
{
	struct pf_buf b;
	uint8_t *out = NULL;

	pf_buf_init(&b, SAID_MAX);
	*n = 0;
	if (unescape(raw, &b, err) == PF_OK) {
		struct pf_span text = b.n > 0 ? trim(&b) : pf_span("", 0);

		out = text.n > 0 ? pf_utf8_nfc(text, n) : calloc(1, 1);
		if (!out) {
			(void)pf_fail_memory(err, "the meaning of an item");
		}
	}
	pf_buf_deinit(&b);
	return out;
}

bool said_plain(struct said *k, struct pf_span raw)
{
	size_t n = 0;
	uint8_t *text;

	if (k->rc != PF_OK) {
		return false;
	}
	text = plain_text(raw, &n, k->err);
	if (!text) {
		k->rc = PF_FAIL;
		return false;
	}
	for (size_t i = 0; i < n; i++) {
		said_put(k, pf_span(text + i, 1));
		if (text[i] == '\n') {
			said_put(k, pf_span(" ", 1));
		}
	}
	free(text);
	return n > 0;
}

void said_base64(struct said *k, struct pf_span text)
{
	struct pf_hash *h = pf_hash_new();
	struct pf_digest d;
	char hex[2 * PF_DIGEST_BYTES + 1];

	if (!h) {
		k->rc = pf_fail_memory(k->err, "the meaning of an item");
		return;
	}
	for (size_t i = 0; i < text.n; i++) {
		if (!pf_ascii_space(text.p[i]) && text.p[i] != '=') {
			pf_hash_add(h, pf_span(text.p + i, 1));
		}
	}
	pf_hash_take(h, &d);
	pf_hash_free(&h);
	pf_digest_hex(&d, hex);
	said_text(k, hex);
}
