#include "engine/header_words.h"

#include "base/defs.h"
#include "base/utf8.h"
#include "model/mime.h"

#include <string.h>

enum { WORD_BYTES = 39 }; /* of content: at most 75 characters with the longest charset name */

enum pf_field_form pf_field_form(struct pf_span line)
{
	static const struct {
		const char *name;
		enum pf_field_form form;
	} NAMES[] = {
		{"Subject", PF_FIELD_TEXT},
		{"Comments", PF_FIELD_TEXT},
		{"Content-Description", PF_FIELD_TEXT},
		{"Organization", PF_FIELD_TEXT},
		{"Thread-Topic", PF_FIELD_TEXT},
		{"X-", PF_FIELD_TEXT},
		{"From", PF_FIELD_ADDRESSES},
		{"To", PF_FIELD_ADDRESSES},
		{"Cc", PF_FIELD_ADDRESSES},
		{"Bcc", PF_FIELD_ADDRESSES},
		{"Reply-To", PF_FIELD_ADDRESSES},
		{"Sender", PF_FIELD_ADDRESSES},
		{"Resent-From", PF_FIELD_ADDRESSES},
		{"Resent-To", PF_FIELD_ADDRESSES},
		{"Resent-Cc", PF_FIELD_ADDRESSES},
	};
	const uint8_t *colon = line.n > 0 ? memchr(line.p, ':', line.n) : NULL;
	struct pf_span name = pf_span(line.p, colon ? (size_t)(colon - line.p) : 0);

	while (name.n > 0 && (name.p[name.n - 1] == ' ' || name.p[name.n - 1] == '\t')) {
		name.n--;
	}
	for (size_t i = 0; i < PF_COUNT(NAMES); i++) {
		bool beginning = NAMES[i].name[strlen(NAMES[i].name) - 1] == '-';

		if (beginning ? pf_span_starts(name, NAMES[i].name)
			      : pf_span_is(name, NAMES[i].name)) {
			return NAMES[i].form;
		}
	}
	return PF_FIELD_FIXED;
}

/* How much of `s` goes into one word: no character is cut. */
static size_t word_length(struct pf_span s, bool utf8)
{
	size_t n = s.n < WORD_BYTES ? s.n : WORD_BYTES;

	while (utf8 && n < s.n && n > 1 && (s.p[n] & 0xc0) == 0x80) {
		n--;
	}
	return n;
}

static int add_words(struct pf_span s, struct pf_buf *out, struct pf_err *err)
{
	bool utf8 = pf_utf8_valid(s);
	const char *before = "";

	while (s.n > 0) {
		size_t n = word_length(s, utf8);

		if (pf_buf_addf(out, err, "%s=?%s?B?", before, utf8 ? "utf-8" : "unknown-8bit") !=
				PF_OK ||
			pf_mime_base64(pf_span(s.p, n), out, err) != PF_OK ||
			pf_buf_add_str(out, "?=", err) != PF_OK) {
			return PF_FAIL;
		}
		before = "\r\n ";
		s = pf_span_from(s, n);
	}
	return PF_OK;
}

static bool has_8bit(struct pf_span s)
{
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] > 127) {
			return true;
		}
	}
	return false;
}

/* A run of words: from the first to the last that needs it, blanks between them included. */
static int add_run(struct pf_span s, struct pf_buf *out, bool *changed, struct pf_err *err)
{
	size_t first = 0, last = s.n;

	if (!has_8bit(s)) {
		return pf_buf_add(out, s, err);
	}
	while (s.p[first] <= 127) {
		first++;
	}
	while (first > 0 && s.p[first - 1] != ' ' && s.p[first - 1] != '\t') {
		first--;
	}
	while (s.p[last - 1] <= 127) {
		last--;
	}
	while (last < s.n && s.p[last] != ' ' && s.p[last] != '\t') {
		last++;
	}
	*changed = true;
	if (pf_buf_add(out, pf_span(s.p, first), err) != PF_OK ||
		add_words(pf_span(s.p + first, last - first), out, err) != PF_OK) {
		return PF_FAIL;
	}
	return pf_buf_add(out, pf_span_from(s, last), err);
}

/* A quoted string: encoded words may not be in one, so they take its place. */
static int add_quoted(struct pf_span s, struct pf_buf *out, bool *changed, struct pf_err *err)
{
	struct pf_buf plain;
	int rc = PF_OK;

	if (!has_8bit(s) || s.n < 2 || s.p[s.n - 1] != '"') {
		return pf_buf_add(out, s, err);
	}
	pf_buf_init(&plain, s.n);
	for (size_t i = 1; i + 1 < s.n && rc == PF_OK; i++) {
		i += s.p[i] == '\\' && i + 2 < s.n;
		rc = pf_buf_add(&plain, pf_span(s.p + i, 1), err);
	}
	*changed = true;
	rc = rc == PF_OK ? add_words(pf_buf_span(&plain), out, err) : rc;
	pf_buf_deinit(&plain);
	return rc;
}

/* The length of the token at the front: a quoted string, <...>, one special, or a run of words. */
static size_t token(struct pf_span s)
{
	size_t n = 1;

	if (s.p[0] == '"') {
		while (n < s.n && s.p[n] != '"') {
			n += s.p[n] == '\\' && n + 1 < s.n ? 2 : 1;
		}
		return n < s.n ? n + 1 : s.n;
	}
	if (s.p[0] == '<') {
		const uint8_t *end = memchr(s.p, '>', s.n);

		return end ? (size_t)(end - s.p) + 1 : s.n;
	}
	if (strchr(",;:()@", s.p[0]) && s.p[0]) {
		return 1;
	}
	while (n < s.n && !(strchr("\"<,;:()@", s.p[n]) && s.p[n])) {
		n++;
	}
	return n;
}

int pf_header_words(struct pf_span line, enum pf_field_form form, struct pf_buf *out, bool *changed,
	struct pf_err *err)
{
	const uint8_t *colon;
	size_t name = 0;
	int rc;

	*changed = false;
	if (form == PF_FIELD_FIXED || !has_8bit(line)) {
		return PF_OK;
	}
	colon = memchr(line.p, ':', line.n);
	if (colon && line.p[0] != ' ' && line.p[0] != '\t') {
		name = (size_t)(colon - line.p) + 1;
	}
	rc = pf_buf_add(out, pf_span(line.p, name), err);
	line = pf_span_from(line, name);
	if (form == PF_FIELD_TEXT) {
		return rc == PF_OK ? add_run(line, out, changed, err) : rc;
	}
	while (line.n > 0 && rc == PF_OK) {
		size_t n = token(line);
		struct pf_span t = pf_span(line.p, n);

		if (t.p[0] == '"') {
			rc = add_quoted(t, out, changed, err);
		} else if (t.p[0] == '<' || n == 1 || (n < line.n && line.p[n] == '@')) {
			rc = pf_buf_add(out, t, err);
		} else {
			rc = add_run(t, out, changed, err);
		}
		line = pf_span_from(line, n);
	}
	return rc;
}
