#include "model/describe.h"

#include "base/date_text.h"
#include "base/defs.h"
#include "base/utf8.h"

#include <ctype.h>
#include <iconv.h>
#include <stdio.h>

/* Longer values say no more to a person; what is behind is not looked at. */
enum { VALUE_MAX = 2048, CHARSET_MAX = 40 };

/* Text in the making: bytes as far as there is room. */
struct text {
	size_t n;
	uint8_t p[VALUE_MAX];
};

static void add(struct text *t, const void *p, size_t n)
{
	size_t room = sizeof(t->p) - t->n;

	memcpy(t->p + t->n, p, n < room ? n : room);
	t->n += n < room ? n : room;
}

/* ---- encoded words (RFC 2047) ---- */

struct word {
	struct pf_span charset, text;
	bool base64;
};

/*
 * Charsets that mail is written in. Others stay as they came: a name from outside must not choose
 * freely which of the C library's converters is loaded and run.
 */
static bool known_charset(struct pf_span name)
{
	static const char *const BEGINNINGS[] = {"utf-8", "utf-16", "us-ascii", "iso-8859-",
		"windows-", "cp125", "koi8-", "iso-2022-jp", "iso-2022-kr", "shift", "euc-", "gb",
		"big5", "ks_c", "tis-620", "mac"};

	if (name.n >= CHARSET_MAX) {
		return false;
	}
	for (size_t i = 0; i < name.n; i++) {
		if (!isalnum(name.p[i]) && !strchr("-_.", name.p[i])) {
			return false;
		}
	}
	for (size_t i = 0; i < PF_COUNT(BEGINNINGS); i++) {
		if (pf_span_starts(name, BEGINNINGS[i])) {
			return true;
		}
	}
	return false;
}

/* The offset of `c` in `s` from `from`; s.n when it is not there. */
static size_t find(struct pf_span s, size_t from, int c)
{
	const uint8_t *p = from < s.n ? memchr(s.p + from, c, s.n - from) : NULL;

	return p ? (size_t)(p - s.p) : s.n;
}

/* Whether `s` begins with "=?charset?B?text?="; `*len` is its length. */
static bool take_word(struct pf_span s, struct word *out, size_t *len)
{
	size_t charset_end, text_end;
	const uint8_t *star;

	if (s.n < 6 || s.p[0] != '=' || s.p[1] != '?') {
		return false;
	}
	charset_end = find(s, 2, '?');
	if (charset_end + 3 >= s.n || s.p[charset_end + 2] != '?' ||
		!strchr("bBqQ", s.p[charset_end + 1]) || s.p[charset_end + 1] == '\0') {
		return false;
	}
	text_end = find(s, charset_end + 3, '?');
	if (text_end + 1 >= s.n || s.p[text_end + 1] != '=') {
		return false;
	}
	out->charset = pf_span(s.p + 2, charset_end - 2);
	star = memchr(
		out->charset.p, '*', out->charset.n); /* a language follows: RFC 2231 section 5 */
	out->charset.n = star ? (size_t)(star - out->charset.p) : out->charset.n;
	out->text = pf_span(s.p + charset_end + 3, text_end - charset_end - 3);
	out->base64 = (s.p[charset_end + 1] | 0x20) == 'b';
	*len = text_end + 2;
	return true;
}

static void decode_q(struct pf_span s, struct text *out)
{
	for (size_t i = 0; i < s.n; i++) {
		uint8_t c = s.p[i] == '_' ? ' ' : s.p[i];

		if (c == '=' && i + 2 < s.n && pf_ascii_hex(s.p[i + 1]) >= 0 &&
			pf_ascii_hex(s.p[i + 2]) >= 0) {
			c = (uint8_t)(pf_ascii_hex(s.p[i + 1]) * 16 + pf_ascii_hex(s.p[i + 2]));
			i += 2;
		}
		add(out, &c, 1);
	}
}

static void decode_b(struct pf_span s, struct text *out)
{
	static const char DIGITS[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	uint32_t bits = 0;
	int have = 0;

	for (size_t i = 0; i < s.n && s.p[i] != '='; i++) {
		const char *digit = s.p[i] ? strchr(DIGITS, s.p[i]) : NULL;
		uint8_t byte;

		if (!digit) {
			continue; /* RFC 2045 section 6.8: not of the alphabet, not there */
		}
		bits = (bits << 6 | (uint32_t)(digit - DIGITS)) & 0xffff;
		have += 6;
		if (have >= 8) {
			have -= 8;
			byte = (uint8_t)(bits >> have);
			add(out, &byte, 1);
		}
	}
}

/* `in`, which is in `charset`, as UTF-8 behind `out`; what can't be converted as it is. */
static void convert(struct pf_span charset, const struct text *in, struct text *out)
{
	char name[CHARSET_MAX];
	char utf8[VALUE_MAX];
	char *from = (char *)(uintptr_t)in->p, *to = utf8; /* it only reads `from` */
	size_t from_left = in->n, to_left = sizeof(utf8);
	iconv_t cd;

	if (!known_charset(charset) || pf_span_is(charset, "utf-8")) {
		add(out, in->p, in->n);
		return;
	}
	(void)snprintf(name, sizeof(name), "%.*s", (int)charset.n, (const char *)charset.p);
	cd = iconv_open("UTF-8", name);
	if (cd == (iconv_t)-1) {
		add(out, in->p, in->n);
		return;
	}
	(void)iconv(cd, &from, &from_left, &to, &to_left); /* as far as it goes: the rest stays */
	(void)iconv_close(cd);
	add(out, utf8, sizeof(utf8) - to_left);
	add(out, from, from_left);
}

/*
 * Decode the encoded words of `s`. Blanks between two of them are not part of the text
 * (section 6.2), and a character may be cut between two of one charset, which the standard forbids
 * and mailers do: so their bytes are put together first.
 */
static void decode_words(struct pf_span s, struct text *out)
{
	struct text run = {0};
	struct word word, next;
	struct pf_span charset = {0};
	size_t at = 0, len, blanks;

	while (at < s.n) {
		if (!take_word(pf_span_from(s, at), &word, &len)) {
			add(out, s.p + at++, 1);
			continue;
		}
		charset = word.charset;
		(word.base64 ? decode_b : decode_q)(word.text, &run);
		at += len;
		blanks = at;
		while (blanks < s.n && (s.p[blanks] == ' ' || s.p[blanks] == '\t')) {
			blanks++;
		}
		if (take_word(pf_span_from(s, blanks), &next, &len)) {
			at = blanks;
			if (pf_span_eq(next.charset, charset)) {
				continue;
			}
		}
		convert(charset, &run, out);
		run.n = 0;
	}
}

/* ---- the header ---- */

/* Take the next line off the front of `*rest`, without its end; false: there is none. */
static bool next_line(struct pf_span *rest, struct pf_span *line)
{
	size_t end;

	if (rest->n == 0) {
		return false;
	}
	end = find(*rest, 0, '\n');
	*line = pf_span(rest->p, end);
	*rest = pf_span_from(*rest, end + 1);
	if (line->n > 0 && line->p[line->n - 1] == '\r') {
		line->n--;
	}
	return true;
}

static bool is_blank(uint8_t c)
{
	return c == ' ' || c == '\t';
}

/* The value of a field whose first line ends in `first`, unfolded (RFC 5322 section 2.2.3). */
static void unfold(struct pf_span first, struct pf_span rest, struct text *out)
{
	struct pf_span line = first;

	while (line.n > 0 && is_blank(line.p[0])) {
		line = pf_span_from(line, 1);
	}
	add(out, line.p, line.n);
	while (rest.n > 0 && is_blank(rest.p[0]) && next_line(&rest, &line)) {
		add(out, line.p, line.n);
	}
	for (size_t i = 0; i < out->n; i++) {
		out->p[i] = out->p[i] == '\t' ? ' ' : out->p[i];
	}
	while (out->n > 0 && out->p[out->n - 1] == ' ') {
		out->n--;
	}
}

static void show(struct pf_span first, struct pf_span rest, bool words, struct pf_span out)
{
	struct text raw = {0}, decoded = {0};

	unfold(first, rest, &raw);
	if (words) {
		decode_words(pf_span(raw.p, raw.n), &decoded);
	}
	(void)pf_print_safe((char *)(uintptr_t)out.p, out.n,
		words ? pf_span(decoded.p, decoded.n) : pf_span(raw.p, raw.n));
}

/* The name that a line of the header begins with, before the colon at *colon; of old blanks were
 * allowed behind it (RFC 5322 section 4.5). */
static struct pf_span field_name(struct pf_span line, size_t *colon)
{
	struct pf_span name;

	*colon = find(line, 0, ':');
	name = pf_span(line.p, *colon < line.n ? *colon : 0);
	while (name.n > 0 && is_blank(name.p[name.n - 1])) {
		name.n--;
	}
	return name;
}

void pf_describe(struct pf_span message, struct pf_description *out)
{
	const struct {
		const char *name;
		bool words;
		struct pf_span room;
	} fields[] = {
		{"Message-ID", false, {(uint8_t *)out->message_id, sizeof(out->message_id)}},
		{"Date", false, {(uint8_t *)out->date, sizeof(out->date)}},
		{"From", true, {(uint8_t *)out->from, sizeof(out->from)}},
		{"Subject", true, {(uint8_t *)out->subject, sizeof(out->subject)}},
	};
	struct pf_span line, rest = message;

	memset(out, 0, sizeof(*out));
	while (next_line(&rest, &line) && line.n > 0) {
		size_t colon = 0;
		struct pf_span name = field_name(line, &colon);

		for (size_t i = 0; name.n > 0 && i < PF_COUNT(fields); i++) {
			if (pf_span_is(name, fields[i].name) && fields[i].room.p[0] == '\0') {
				show(pf_span_from(line, colon + 1), rest, fields[i].words,
					fields[i].room);
			}
		}
	}
}

/* Of a Received field the date is what follows its last semicolon. */
static bool date_of_field(
	struct pf_span first, struct pf_span rest, bool received, int64_t *utc_s, int *zone_min)
{
	struct text value = {0};
	struct pf_span date;
	size_t from = 0;

	unfold(first, rest, &value);
	for (size_t i = 0; received && i < value.n; i++) {
		from = value.p[i] == ';' ? i + 1 : from;
	}
	date = pf_span_from(pf_span(value.p, value.n), from);
	return (!received || from > 0) && pf_date_parse(date, utc_s, zone_min);
}

bool pf_arrival(struct pf_span message, int64_t *utc_s, int *zone_min)
{
	struct pf_span line, rest = message;
	bool any = false, top = true;

	while (next_line(&rest, &line) && line.n > 0) {
		size_t colon = 0;
		struct pf_span name = field_name(line, &colon);
		struct pf_span first = pf_span_from(line, colon + 1);

		if (pf_span_is(name, "Received") && top) {
			top = false;
			if (date_of_field(first, rest, true, utc_s, zone_min)) {
				return true;
			}
		} else if (pf_span_is(name, "Date") && !any) {
			any = date_of_field(first, rest, false, utc_s, zone_min);
		}
	}
	return any;
}
