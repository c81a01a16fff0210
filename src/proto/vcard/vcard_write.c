/*
 * A card written anew, with the least change: lines that are not concerned are copied octet for
 * octet (only their line ends become CRLF), unless another version is asked for.
 */
#include "proto/vcard/vcard.h"

#include <stdio.h>
#include <stdlib.h>

struct writer {
	struct pf_vcards *v;
	size_t card;
	const struct pf_vcard_edit *edit;
	int from, to; /* versions; equal: lines stay as they are */
	struct pf_buf *out, *changes;
	struct pf_err *err;
	int rc; /* the first failure is kept */
};

static void put(struct writer *w, struct pf_buf *to, struct pf_span s)
{
	if (w->rc == PF_OK) {
		w->rc = pf_buf_add(to, s, w->err);
	}
}

static void put_line(struct writer *w, const char *head, struct pf_span value)
{
	if (w->rc == PF_OK) {
		w->rc = pf_line_write(w->out, pf_span_str(head), value, w->err);
	}
}

/* A repair, told once however often it was made. */
static void changed(struct writer *w, const char *what)
{
	bool told = w->changes->n > 0 && memmem(w->changes->p, w->changes->n, what, strlen(what));

	if (w->rc == PF_OK && !told) {
		w->rc = pf_buf_addf(
			w->changes, w->err, "%s%s", w->changes->n > 0 ? ", " : "", what);
	}
}

/* As it stands; every line end within becomes CRLF. */
static void put_raw(struct writer *w, const struct pf_line *l)
{
	struct pf_span rest = l->raw;

	while (rest.n > 0) {
		size_t n = 0;

		while (n < rest.n && rest.p[n] != '\r' && rest.p[n] != '\n') {
			n++;
		}
		/* An empty line within may end a soft break: it stays. */
		put(w, w->out, pf_span(rest.p, n));
		put(w, w->out, pf_span("\r\n", 2));
		n += n + 1 < rest.n && rest.p[n] == '\r' && rest.p[n + 1] == '\n' ? 2 : 1;
		rest = pf_span_from(rest, n);
	}
}

/* ---- another version ---- */

static const char *const STRUCTURED[] = {"N", "ADR", "ORG", "GENDER"};
static const char *const NO_TEXT[] = {"TEL", "EMAIL", "URL", "UID", "REV", "GEO", "BDAY", "TZ",
	"PHOTO", "LOGO", "SOUND", "KEY", "CATEGORIES", "NICKNAME", "ANNIVERSARY", "LABEL"};
static const char *const TEXTS[] = {"FN", "NOTE", "TITLE", "ROLE"};
static const char *const ENCODINGS[] = {"QUOTED-PRINTABLE", "8BIT", "7BIT", "BASE64", "B"};
static const char *const MEDIA[] = {"JPEG", "PNG", "GIF", "WAVE", "BMP", "TIFF"};

static bool is_one_of(struct pf_span s, const char *const *names, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (pf_span_is(s, names[i])) {
			return true;
		}
	}
	return false;
}

/* What the parameters of a line say, apart from types. */
struct said {
	bool base64;
	struct pf_span media; /* "JPEG" */
};

static void put_param_value(
	struct writer *w, struct pf_buf *head, struct pf_span name, struct pf_span value)
{
	bool quote = false;

	for (size_t i = 0; i < value.n; i++) { /* a list of types may stand as it is */
		quote = quote || value.p[i] == ':' || value.p[i] == ';' ||
			(value.p[i] == ',' && !pf_span_is(name, "TYPE"));
	}
	quote = quote && !memchr(value.p, '"', value.n);
	put(w, head, pf_span("\"", quote ? 1 : 0));
	put(w, head, value);
	put(w, head, pf_span("\"", quote ? 1 : 0));
}

/* 2.1 has bare words, encodings and character sets; later ones TYPE=, and UTF-8 only. */
static struct said put_params(struct writer *w, const struct pf_line *l, struct pf_buf *head)
{
	struct pf_span rest = l->params, name, value;
	struct said s = {0};

	while (pf_params_next(&rest, &name, &value)) {
		bool word = name.n == 0 || pf_span_is(name, "ENCODING");

		if (word && is_one_of(value, ENCODINGS, PF_COUNT(ENCODINGS))) {
			s.base64 = s.base64 || pf_span_starts(value, "B");
			continue;
		}
		if ((name.n == 0 || pf_span_is(name, "TYPE")) &&
			is_one_of(value, MEDIA, PF_COUNT(MEDIA))) {
			s.media = value;
			continue;
		}
		if (pf_span_is(name, "CHARSET") || pf_span_is(name, "VALUE")) {
			continue;
		}
		put(w, head, pf_span(";", 1));
		put(w, head, name.n > 0 ? name : pf_span_str("TYPE"));
		put(w, head, pf_span("=", 1));
		put_param_value(w, head, name, value);
	}
	return s;
}

/* Commas, and semicolons where they part nothing, get a backslash; what has one keeps it. */
static void put_escaped(
	struct writer *w, const struct pf_line *l, struct pf_span v, struct pf_buf *out)
{
	bool structured = is_one_of(l->name, STRUCTURED, PF_COUNT(STRUCTURED));

	if (is_one_of(l->name, NO_TEXT, PF_COUNT(NO_TEXT))) {
		put(w, out, v);
		return;
	}
	for (size_t i = 0; i < v.n; i++) {
		if (v.p[i] == '\\' && i + 1 < v.n) {
			put(w, out, pf_span(v.p + i++, 2));
			continue;
		}
		if (v.p[i] == ',' || (v.p[i] == ';' && !structured)) {
			put(w, out, pf_span("\\", 1));
		}
		put(w, out, pf_span(v.p + i, 1));
	}
}

static void put_binary(struct writer *w, struct pf_span media, struct pf_span v,
	struct pf_buf *head, struct pf_buf *value)
{
	char text[80] = "";

	if (w->to == 40) {
		(void)snprintf(text, sizeof(text), "data:image/%.*s;base64,", (int)media.n,
			media.p ? (const char *)media.p : "");
		for (char *c = text + 11; *c && media.n > 0 && c < text + 11 + media.n; c++) {
			*c = (char)(*c >= 'A' && *c <= 'Z' ? *c + 32 : *c);
		}
		put(w, value, pf_span_str(media.p ? text : "data:;base64,"));
	} else {
		put(w, head, pf_span_str(";ENCODING=b"));
		if (media.p) {
			put(w, head, pf_span_str(";TYPE="));
			put(w, head, media);
		}
	}
	for (size_t i = 0; i < v.n; i++) {
		if (v.p[i] > ' ') {
			put(w, value, pf_span(v.p + i, 1));
		}
	}
}

/* What 4.0 has as data:image/jpeg;base64,... (RFC 2397); false: it is nothing of that kind. */
static bool split_data(struct pf_span *v, struct said *s)
{
	static const char BEFORE[] = "data:", BETWEEN[] = ";base64,";
	const uint8_t *end = memmem(v->p, v->n, BETWEEN, sizeof(BETWEEN) - 1);
	const uint8_t *slash;

	if (!pf_span_starts(*v, BEFORE) || !end) {
		return false;
	}
	slash = memchr(v->p, '/', (size_t)(end - v->p));
	s->base64 = true;
	s->media = slash ? pf_span(slash + 1, (size_t)(end - slash - 1)) : s->media;
	*v = pf_span_from(*v, (size_t)(end - v->p) + sizeof(BETWEEN) - 1);
	return true;
}

static void put_converted(struct writer *w, const struct pf_line *l)
{
	struct pf_span v = pf_vcard_value(w->v, l);
	struct pf_buf head, value;
	struct said s;

	if (!v.p) {
		w->rc = pf_fail_memory(w->err, "a contact");
		return;
	}
	pf_buf_init(&head, 1 << 24);
	pf_buf_init(&value, 1 << 29);
	if (l->group.n > 0) {
		put(w, &head, l->group);
		put(w, &head, pf_span(".", 1));
	}
	put(w, &head, l->name);
	s = put_params(w, l, &head);
	if (s.base64 || (w->from == 40 && split_data(&v, &s))) {
		put_binary(w, s.media, v, &head, &value);
	} else if (w->from == 21) {
		put_escaped(w, l, v, &value);
	} else {
		put(w, &value, v);
	}
	if (w->rc == PF_OK) {
		w->rc = pf_line_write(w->out, pf_buf_span(&head), pf_buf_span(&value), w->err);
	}
	pf_buf_deinit(&head);
	pf_buf_deinit(&value);
}

/* ---- repairs ---- */

/* A name to show (FN is a must): from the parts of N, else from what there is. */
static void put_fn(struct writer *w)
{
	static const char *const FROM[] = {"ORG", "NICKNAME", "EMAIL", "TEL"};
	const struct pf_line *n = pf_vcard_find(w->v, w->card, "N");
	struct pf_span rest = n ? pf_vcard_value(w->v, n) : pf_span(NULL, 0), part[2] = {0};
	struct pf_buf b;

	for (size_t i = 0; i < PF_COUNT(part) && pf_value_next(&rest, ';', &part[i]); i++) {
	}
	pf_buf_init(&b, 1 << 24);
	put(w, &b, part[1]);
	if (part[0].n > 0 && part[1].n > 0) {
		put(w, &b, pf_span(" ", 1));
	}
	put(w, &b, part[0]);
	for (size_t i = 0; i < PF_COUNT(FROM) && b.n == 0; i++) {
		const struct pf_line *l = pf_vcard_find(w->v, w->card, FROM[i]);

		rest = l ? pf_vcard_value(w->v, l) : pf_span(NULL, 0);
		if (pf_value_next(&rest, ';', &part[0])) {
			put(w, &b, part[0]);
		}
	}
	put_line(w, "FN", b.n > 0 ? pf_buf_span(&b) : pf_span("?", 1));
	changed(w, "FN added");
	pf_buf_deinit(&b);
}

static void put_tight(struct writer *w, const struct pf_line *l)
{
	struct pf_buf head, value;

	pf_buf_init(&head, 1 << 24);
	pf_buf_init(&value, 1 << 28);
	put(w, &head, l->group);
	put(w, &head, pf_span(".", l->group.n > 0 ? 1 : 0));
	put(w, &head, l->name);
	put(w, &head, l->params);
	w->rc = w->rc == PF_OK ? pf_text_tighten(l->value, &value, w->err) : w->rc;
	if (w->rc == PF_OK) {
		w->rc = pf_line_write(w->out, pf_buf_span(&head), pf_buf_span(&value), w->err);
	}
	pf_buf_deinit(&head);
	pf_buf_deinit(&value);
	changed(w, "text escaped");
}

static void put_missing(struct writer *w)
{
	if (w->edit->uid.p && !pf_vcard_find(w->v, w->card, "UID")) {
		put_line(w, "UID", w->edit->uid);
	}
	if (w->edit->meant.p) {
		put_line(w, "X-POSTFERRY-MEANT", w->edit->meant);
	}
	if (!w->edit->repair) {
		return;
	}
	if (!pf_vcard_find(w->v, w->card, "FN")) {
		put_fn(w);
	}
	if (!pf_vcard_find(w->v, w->card, "N") && w->to < 40) {
		put_line(w, "N", pf_span_str(";;;;"));
		changed(w, "N added");
	}
}

static void put_version(struct writer *w)
{
	put_line(w, "VERSION", pf_span_str(w->to == 40 ? "4.0" : w->to == 21 ? "2.1" : "3.0"));
}

static void put_one(struct writer *w, const struct pf_line *l)
{
	if (pf_span_is(l->name, "VERSION")) {
		return; /* written first, as 4.0 wants it */
	}
	if (w->edit->uid.p && pf_span_is(l->name, "UID")) {
		if (l == pf_vcard_find(w->v, w->card, "UID")) {
			put_line(w, "UID", w->edit->uid);
			if (l->value.n > 0 &&
				!pf_vcard_find(w->v, w->card, "X-POSTFERRY-ORIGINAL-UID")) {
				put_line(w, "X-POSTFERRY-ORIGINAL-UID", l->value);
			}
		}
		return;
	}
	if (w->edit->meant.p && pf_span_is(l->name, "X-POSTFERRY-MEANT")) {
		return; /* it has another one now */
	}
	if (l->bad && w->edit->repair) {
		changed(w, "a line without a name dropped");
	} else if (w->edit->repair && w->from == w->to && w->from != 21 &&
		   is_one_of(l->name, TEXTS, PF_COUNT(TEXTS)) && pf_text_is_loose(l->value)) {
		put_tight(w, l);
	} else if (w->from != w->to && !l->bad) {
		put_converted(w, l);
	} else {
		put_raw(w, l);
	}
}

int pf_vcard_write(struct pf_vcards *v, size_t card, const struct pf_vcard_edit *edit,
	struct pf_buf *out, struct pf_buf *changes, struct pf_err *err)
{
	const struct pf_vcard *c = &v->card[card];
	struct writer w = {.v = v,
		.card = card,
		.edit = edit,
		.from = c->version ? c->version : 30,
		.to = c->version ? c->version : 30,
		.out = out,
		.changes = changes,
		.err = err};

	if (edit->version > 0 || (edit->repair && w.from == 21)) { /* few take 2.1 */
		w.to = edit->version > 0 ? edit->version : 30;
	}
	put_line(&w, "BEGIN", pf_span_str("VCARD"));
	put_version(&w);
	if (w.from != w.to) {
		changed(&w, w.to == 40 ? "made version 4.0" : "made version 3.0");
	} else if (c->version == 0) {
		changed(&w, "VERSION added");
	}
	put_missing(&w);
	for (size_t i = c->begin + 1; i < c->end && i < v->line_count; i++) {
		put_one(&w, &v->line[i]);
	}
	put_line(&w, "END", pf_span_str("VCARD"));
	return w.rc;
}
