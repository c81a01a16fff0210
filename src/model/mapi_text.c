/*
 * The strings of a MAPI item, from whatever its writer had to UTF-8.
 */
#include "base/utf8.h"
#include "model/mapi.h"
#include "model/mapi_tags.h"

#include <errno.h>
#include <iconv.h>
#include <stdio.h>

enum { CP_LATIN = 1252, CP_UTF16 = 1200, CP_UTF8 = 65001, CP_ASCII = 20127 };

/* Windows code pages whose names are not made of "CP" and the number ([MS-UCODEREF] 2.2.1). */
static const struct {
	uint32_t page;
	const char *name;
} NAMES[] = {
	{708, "ISO-8859-6"},
	{10000, "MACINTOSH"},
	{20866, "KOI8-R"},
	{20932, "EUC-JP"},
	{20936, "GB2312"},
	{20949, "EUC-KR"},
	{21866, "KOI8-U"},
	{28591, "ISO-8859-1"},
	{28592, "ISO-8859-2"},
	{28593, "ISO-8859-3"},
	{28594, "ISO-8859-4"},
	{28595, "ISO-8859-5"},
	{28596, "ISO-8859-6"},
	{28597, "ISO-8859-7"},
	{28598, "ISO-8859-8"},
	{28599, "ISO-8859-9"},
	{28603, "ISO-8859-13"},
	{28605, "ISO-8859-15"},
	{38598, "ISO-8859-8"},
	{50220, "ISO-2022-JP"},
	{50221, "ISO-2022-JP"},
	{50222, "ISO-2022-JP"},
	{50225, "ISO-2022-KR"},
	{51932, "EUC-JP"},
	{51936, "GB2312"},
	{51949, "EUC-KR"},
	{52936, "HZ"},
	{54936, "GB18030"},
	{65000, "UTF-7"},
};

/* What windows-1252 has from 0x80 to 0x9F; the five bytes that it leaves out are as in Latin 1. */
static const uint16_t LATIN[32] = {0x20AC, 0x81, 0x201A, 0x0192, 0x201E, 0x2026, 0x2020, 0x2021,
	0x02C6, 0x2030, 0x0160, 0x2039, 0x0152, 0x8D, 0x017D, 0x8F, 0x90, 0x2018, 0x2019, 0x201C,
	0x201D, 0x2022, 0x2013, 0x2014, 0x02DC, 0x2122, 0x0161, 0x203A, 0x0153, 0x9D, 0x017E,
	0x0178};

static int no_memory(struct pf_err *err)
{
	return pf_fail_memory(err, "the text of an item");
}

static bool is_ascii(struct pf_span s)
{
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] >= 0x80) {
			return false;
		}
	}
	return true;
}

int pf_mapi_utf16(
	struct pf_arena *arena, struct pf_span utf16, struct pf_span *out, struct pf_err *err)
{
	size_t n = 0, units = utf16.n / 2;
	uint8_t *p;

	while (n < units && (utf16.p[2 * n] | utf16.p[2 * n + 1])) {
		n++;
	}
	units = n;
	p = units < SIZE_MAX / 4 ? pf_arena_alloc(arena, units * 3 + 1) : NULL;
	if (!p) {
		return no_memory(err);
	}
	n = 0;
	for (size_t i = 0; i < units; i++) {
		uint32_t cp = utf16.p[2 * i] | (uint32_t)utf16.p[2 * i + 1] << 8;

		if (cp >= 0xD800 && cp < 0xDC00 && i + 1 < units &&
			(utf16.p[2 * i + 3] & 0xFC) == 0xDC) {
			uint32_t low = utf16.p[2 * i + 2] | (uint32_t)utf16.p[2 * i + 3] << 8;

			cp = 0x10000 + ((cp - 0xD800) << 10) + (low - 0xDC00);
			i++;
		}
		n += pf_utf8_put(cp >= 0xD800 && cp < 0xE000 ? 0xFFFD : cp, p + n);
	}
	*out = pf_span(p, n);
	return PF_OK;
}

static int decode_latin(
	struct pf_arena *arena, struct pf_span text, struct pf_span *out, struct pf_err *err)
{
	uint8_t *p = text.n < SIZE_MAX / 4 ? pf_arena_alloc(arena, text.n * 3 + 1) : NULL;
	size_t n = 0;

	if (!p) {
		return no_memory(err);
	}
	for (size_t i = 0; i < text.n; i++) {
		uint8_t c = text.p[i];

		n += pf_utf8_put(c >= 0x80 && c < 0xA0 ? LATIN[c - 0x80] : c, p + n);
	}
	*out = pf_span(p, n);
	return PF_OK;
}

static iconv_t open_page(uint32_t code_page)
{
	char name[16];
	iconv_t cd;

	for (size_t i = 0; i < PF_COUNT(NAMES); i++) {
		if (NAMES[i].page == code_page) {
			return iconv_open("UTF-8", NAMES[i].name);
		}
	}
	(void)snprintf(name, sizeof(name), "CP%u", (unsigned)code_page);
	cd = iconv_open("UTF-8", name);
	if (cd == (iconv_t)-1) {
		(void)snprintf(name, sizeof(name), "IBM%03u", (unsigned)code_page);
		cd = iconv_open("UTF-8", name);
	}
	return cd;
}

/* PF_END: the page is not known, or the text is none in it. */
static int decode_page(struct pf_arena *arena, uint32_t code_page, struct pf_span text,
	struct pf_span *out, struct pf_err *err)
{
	iconv_t cd = open_page(code_page);
	size_t room = text.n * 4 + 16, from_n = text.n;
	char *from = (char *)(uintptr_t)text.p, *to; /* it only reads `from` */
	uint8_t *p;
	bool good;

	if (cd == (iconv_t)-1) {
		return PF_END;
	}
	p = text.n < SIZE_MAX / 8 ? pf_arena_alloc(arena, room) : NULL;
	if (!p) {
		(void)iconv_close(cd);
		return no_memory(err);
	}
	to = (char *)p;
	good = iconv(cd, &from, &from_n, &to, &room) != (size_t)-1 && from_n == 0 &&
	       iconv(cd, NULL, NULL, &to, &room) != (size_t)-1;
	(void)iconv_close(cd);
	*out = pf_span(p, (size_t)(to - (char *)p));
	return good ? PF_OK : PF_END;
}

int pf_mapi_decode(struct pf_arena *arena, uint32_t code_page, struct pf_span text,
	struct pf_span *out, struct pf_err *err)
{
	int rc = PF_END;

	while (text.n > 0 && text.p[text.n - 1] == 0 && code_page != CP_UTF16) {
		text.n--;
	}
	if (code_page == CP_UTF16) {
		return pf_mapi_utf16(arena, text, out, err);
	}
	if (is_ascii(text) ? !memchr(text.p ? text.p : (const uint8_t *)"", 0x1B, text.n)
			   : code_page == CP_UTF8 && pf_utf8_valid(text)) {
		*out = text.p ? text : pf_span("", 0);
		return PF_OK;
	}
	if (code_page != 0 && code_page != CP_LATIN && code_page != CP_ASCII) {
		rc = decode_page(arena, code_page, text, out, err);
	}
	return rc == PF_END ? decode_latin(arena, text, out, err) : rc;
}

static int decode_value(
	struct pf_arena *arena, uint32_t page, struct pf_mapi_value *v, struct pf_err *err)
{
	if (v->type & PF_MAPI_MANY) {
		if (v->type != (PF_MAPI_STRING8 | PF_MAPI_MANY)) {
			return PF_OK;
		}
		for (size_t i = 0; i < v->many.n; i++) {
			if (decode_value(arena, page, &v->many.v[i], err) != PF_OK) {
				return PF_FAIL;
			}
		}
		v->type = PF_MAPI_STRING | PF_MAPI_MANY;
		return PF_OK;
	}
	if (v->type != PF_MAPI_STRING8) {
		return PF_OK;
	}
	v->type = PF_MAPI_STRING;
	return pf_mapi_decode(arena, page, v->bytes, &v->bytes, err);
}

static int decode_props(
	struct pf_arena *arena, uint32_t page, struct pf_mapi_props *props, struct pf_err *err)
{
	for (size_t i = 0; i < props->n; i++) {
		if (decode_value(arena, page, &props->v[i].value, err) != PF_OK) {
			return PF_FAIL;
		}
	}
	return PF_OK;
}

/* A page that a property names, or 0. Unicode ones say nothing of the bytes of a STRING8. */
static uint32_t page_of(const struct pf_mapi_item *item, uint16_t tag)
{
	int64_t page;

	return pf_mapi_number(pf_mapi_tag(&item->props, tag), &page) && page > 0 &&
			       page <= UINT16_MAX && page != CP_UTF16
		       ? (uint32_t)page
		       : 0;
}

int pf_mapi_decode_all(struct pf_mapi_item *item, uint32_t fallback, struct pf_err *err)
{
	/* The Internet page is that of the body's HTML; strings are in the message's, where both
	 * are told ([MS-OXCMSG] 2.2.1.4, [MS-OXCMAIL] 2.2.3.3.3). */
	uint32_t page = page_of(item, PF_TAG_MESSAGE_CODEPAGE);

	page = page ? page : item->code_page;
	page = page ? page : page_of(item, PF_TAG_INTERNET_CODEPAGE);
	page = page ? page : fallback;
	if (decode_props(item->arena, page, &item->props, err) != PF_OK) {
		return PF_FAIL;
	}
	for (size_t i = 0; i < item->recipients_n; i++) {
		if (decode_props(item->arena, page, &item->recipients[i], err) != PF_OK) {
			return PF_FAIL;
		}
	}
	for (size_t i = 0; i < item->attachments_n; i++) {
		struct pf_mapi_attachment *a = &item->attachments[i];

		if (decode_props(item->arena, page, &a->props, err) != PF_OK ||
			(a->item && pf_mapi_decode_all(a->item, page, err) != PF_OK)) {
			return PF_FAIL;
		}
	}
	return PF_OK;
}
