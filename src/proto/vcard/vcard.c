#include "proto/vcard/vcard.h"

#include "base/utf8.h"
#include "proto/line/text.h"

#include <errno.h>
#include <iconv.h>
#include <stdio.h>
#include <stdlib.h>

enum { INPUT_MAX = 64 << 20 };

/* ---- character sets ---- */

/* All of `in` from a named character set. false: it is not known, or the bytes are not of it. */
static bool convert(const char *charset, struct pf_span in, struct pf_buf *out, struct pf_err *err)
{
	iconv_t cd = iconv_open("UTF-8", charset);
	char *from = (char *)(uintptr_t)in.p, *to;
	size_t from_n = in.n, room;
	bool good;

	if (cd == (iconv_t)-1) {
		return false;
	}
	good = pf_buf_reserve(out, 4 * in.n + 16, err) == PF_OK;
	if (good) {
		to = (char *)out->p + out->n;
		room = 4 * in.n + 16;
		good = iconv(cd, &from, &from_n, &to, &room) != (size_t)-1 && from_n == 0;
		if (good) {
			out->n = (size_t)((uint8_t *)to - out->p);
		}
	}
	(void)iconv_close(cd); /* closes what was opened */
	return good;
}

static bool names_a_charset(struct pf_span bytes)
{
	for (size_t i = 0; i + 8 < bytes.n; i++) {
		if (bytes.p[i] == ';' && pf_span_starts(pf_span_from(bytes, i + 1), "CHARSET=")) {
			return true;
		}
	}
	return false;
}

/* The whole input as text: UTF-16 by its mark, else octets, whose lines may name a set each. */
static int take_text(struct pf_vcards *v, struct pf_span bytes, struct pf_err *err)
{
	bool big = pf_span_starts(bytes, "\xFE\xFF"), little = pf_span_starts(bytes, "\xFF\xFE");

	v->wide = (big || little) &&
		  convert(big ? "UTF-16BE" : "UTF-16LE", pf_span_from(bytes, 2), &v->text, err);
	if (v->wide) {
		return PF_OK;
	}
	v->text.n = 0;
	v->latin = !pf_utf8_valid(bytes) && !names_a_charset(bytes);
	return v->latin ? pf_text_from_latin(bytes, &v->text, err)
			: pf_buf_add(&v->text, bytes, err);
}

/* ---- reading ---- */

static int add_line(struct pf_vcards *v, const struct pf_line *l, size_t *cap, struct pf_err *err)
{
	if (v->line_count == *cap) {
		size_t more = *cap ? *cap * 2 : 32;
		struct pf_line *grown = realloc(v->line, more * sizeof(*grown));

		if (!grown) {
			return pf_fail_memory(err, "a contact");
		}
		v->line = grown;
		*cap = more;
	}
	v->line[v->line_count++] = *l;
	return PF_OK;
}

static bool is_vcard(const struct pf_line *l)
{
	return pf_span_starts(l->value, "VCARD");
}

static int begin_card(struct pf_vcards *v, size_t at, size_t *cap, struct pf_err *err)
{
	if (v->card_count == *cap) {
		size_t more = *cap ? *cap * 2 : 4;
		struct pf_vcard *grown = realloc(v->card, more * sizeof(*grown));

		if (!grown) {
			return pf_fail_memory(err, "a contact");
		}
		v->card = grown;
		*cap = more;
	}
	v->card[v->card_count++] = (struct pf_vcard){.begin = at, .end = SIZE_MAX};
	return PF_OK;
}

static int version_of(const struct pf_line *l)
{
	return pf_span_starts(l->value, "2.1")   ? 21
	       : pf_span_starts(l->value, "3.0") ? 30
	       : pf_span_starts(l->value, "4.0") ? 40
						 : 0;
}

/* A card within another one (AGENT of 2.1) belongs to that one. */
static int read_cards(struct pf_vcards *v, struct pf_err *err)
{
	size_t depth = 0, cap = 0;

	for (size_t i = 0; i < v->line_count; i++) {
		const struct pf_line *l = &v->line[i];

		if (pf_span_is(l->name, "BEGIN") && is_vcard(l)) {
			if (depth++ == 0 && begin_card(v, i, &cap, err) != PF_OK) {
				return PF_FAIL;
			}
		} else if (pf_span_is(l->name, "END") && is_vcard(l) && depth > 0) {
			if (--depth == 0) {
				v->card[v->card_count - 1].end = i;
			}
		} else if (depth == 1 && pf_span_is(l->name, "VERSION")) {
			v->card[v->card_count - 1].version = version_of(l);
		}
	}
	if (depth > 0) {
		v->card[v->card_count - 1].end = v->line_count;
		v->untidy = true;
	}
	return PF_OK;
}

int pf_vcards_read(struct pf_span bytes, struct pf_vcards **out, struct pf_err *err)
{
	struct pf_vcards *v = calloc(1, sizeof(*v));
	struct pf_lines lines;
	struct pf_line l;
	size_t cap = 0;
	int rc;

	*out = v;
	if (!v) {
		return pf_fail_memory(err, "a contact");
	}
	pf_arena_init(&v->arena);
	pf_buf_init(&v->text, 4 * (size_t)INPUT_MAX + 64);
	if (bytes.n > INPUT_MAX) {
		return pf_fail(err, PF_SCOPE_ITEM, PF_RETRY_NO,
			"%zu bytes are more than a contact may have", bytes.n);
	}
	if (take_text(v, bytes, err) != PF_OK) {
		return PF_FAIL;
	}
	pf_lines_init(&lines, pf_buf_span(&v->text), &v->arena);
	while ((rc = pf_lines_next(&lines, &l, err)) == PF_OK) {
		v->untidy = v->untidy || l.bad;
		if (add_line(v, &l, &cap, err) != PF_OK) {
			return PF_FAIL;
		}
	}
	if (rc != PF_END || read_cards(v, err) != PF_OK) {
		return PF_FAIL;
	}
	return v->card_count > 0
		       ? PF_OK
		       : pf_fail(err, PF_SCOPE_ITEM, PF_RETRY_NO,
				 "it is no contact: no BEGIN:VCARD in %zu lines", v->line_count);
}

void pf_vcards_free(struct pf_vcards **cards)
{
	struct pf_vcards *v = *cards;

	if (!v) {
		return;
	}
	free(v->line);
	free(v->card);
	pf_buf_deinit(&v->text);
	pf_arena_deinit(&v->arena);
	free(v);
	*cards = NULL;
}

const struct pf_line *pf_vcard_find(const struct pf_vcards *v, size_t card, const char *name)
{
	for (size_t i = v->card[card].begin + 1; i < v->card[card].end && i < v->line_count; i++) {
		if (pf_span_is(v->line[i].name, name)) {
			return &v->line[i];
		}
	}
	return NULL;
}

/* ---- values ---- */

static bool has_param(const struct pf_line *l, const char *word)
{
	struct pf_span rest = l->params, name, value;

	while (pf_params_next(&rest, &name, &value)) {
		if (pf_span_is(value, word) && (name.n == 0 || pf_span_is(name, "ENCODING"))) {
			return true;
		}
	}
	return false;
}

/* What quoted-printable brought in line ends and backslashes is escaped as 3.0 does; the ';' of
 * structured values stays one. */
static int escape_lines(struct pf_span in, struct pf_buf *out, struct pf_err *err)
{
	if (pf_buf_reserve(out, 2 * in.n, err) != PF_OK) {
		return PF_FAIL;
	}
	for (size_t i = 0; i < in.n; i++) {
		if (in.p[i] == '\r' && i + 1 < in.n && in.p[i + 1] == '\n') {
			continue;
		}
		if (in.p[i] == '\n' || in.p[i] == '\r') {
			out->p[out->n++] = '\\';
			out->p[out->n++] = 'n';
		} else {
			out->p[out->n++] = in.p[i];
		}
	}
	return PF_OK;
}

static int to_utf8(
	struct pf_vcards *v, const struct pf_line *l, struct pf_buf *b, struct pf_err *err)
{
	struct pf_span charset = pf_params_find(l->params, "CHARSET");
	struct pf_buf made;
	char name[40];
	int rc = PF_OK;

	if (v->wide || v->latin || pf_utf8_valid(pf_buf_span(b))) {
		return PF_OK;
	}
	pf_buf_init(&made, 4 * (size_t)INPUT_MAX + 64);
	(void)snprintf(name, sizeof(name), "%.*s", (int)(charset.n > 39 ? 39 : charset.n),
		charset.p ? (const char *)charset.p : "");
	if (!name[0] || !convert(name, pf_buf_span(b), &made, err)) {
		made.n = 0;
		rc = pf_text_from_latin(pf_buf_span(b), &made, err);
	}
	if (rc == PF_OK) {
		pf_buf_clear(b);
		rc = pf_buf_add(b, pf_buf_span(&made), err);
	}
	pf_buf_deinit(&made);
	return rc;
}

struct pf_span pf_vcard_value(struct pf_vcards *v, const struct pf_line *l)
{
	bool quoted = has_param(l, "QUOTED-PRINTABLE");
	struct pf_span out = pf_span(NULL, 0);
	struct pf_buf raw, b;
	struct pf_err ignored; /* no memory: said by an absent span */
	int rc;

	if (!quoted && pf_utf8_valid(l->value)) {
		return l->value.p ? l->value : pf_span("", 0);
	}
	pf_buf_init(&raw, 4 * (size_t)INPUT_MAX + 64);
	pf_buf_init(&b, 8 * (size_t)INPUT_MAX + 64);
	rc = quoted ? pf_quoted_printable(l->value, &raw, &ignored)
		    : pf_buf_add(&raw, l->value, &ignored);
	rc = rc == PF_OK ? to_utf8(v, l, &raw, &ignored) : rc;
	rc = rc == PF_OK ? escape_lines(pf_buf_span(&raw), &b, &ignored) : rc;
	if (rc == PF_OK) {
		out = pf_arena_span(&v->arena, b.n > 0 ? pf_buf_span(&b) : pf_span("", 0));
	}
	pf_buf_deinit(&raw);
	pf_buf_deinit(&b);
	return out;
}
