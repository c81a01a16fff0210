#include "convert/mapi_lines.h"

#include "base/utf8.h"
#include "model/mime.h"
#include "proto/line/line.h"

#include <stdarg.h>
#include <stdio.h>

enum { HEAD_MAX = 1 << 16, PARAM_MAX = 1024 };

void pf_mapi_lines_init(
	struct pf_mapi_lines *o, struct pf_buf *out, struct pf_arena *arena, struct pf_err *err)
{
	*o = (struct pf_mapi_lines){.out = out, .arena = arena, .err = err, .rc = PF_OK};
	pf_buf_init(&o->head, HEAD_MAX);
	pf_buf_init(&o->value, out->max);
}

int pf_mapi_lines_deinit(struct pf_mapi_lines *o)
{
	pf_buf_deinit(&o->head);
	pf_buf_deinit(&o->value);
	return o->rc;
}

static void add(struct pf_mapi_lines *o, struct pf_buf *to, struct pf_span bytes)
{
	if (o->rc == PF_OK && bytes.n > 0) {
		o->rc = pf_buf_add(to, bytes, o->err);
	}
}

static bool is_control(uint8_t c)
{
	return (c < ' ' && c != '\t') || c == 0x7F;
}

/* Takes control characters out of what is behind `from`. */
static void clean(struct pf_buf *b, size_t from)
{
	size_t w = from;

	for (size_t r = from; r < b->n; r++) {
		if (!is_control(b->p[r])) {
			b->p[w++] = b->p[r];
		}
	}
	b->n = w;
}

bool pf_mapi_says(struct pf_span text)
{
	size_t i = 0;

	while (i < text.n && (pf_ascii_space(text.p[i]) || is_control(text.p[i]))) {
		i++;
	}
	return i < text.n;
}

void pf_mapi_line_begin(struct pf_mapi_lines *o, const char *name)
{
	pf_buf_clear(&o->head);
	pf_buf_clear(&o->value);
	add(o, &o->head, pf_span_str(name));
}

/* As RFC 6868 has it, where the sign has no other form. */
static void add_sign(struct pf_mapi_lines *o, uint8_t c)
{
	if (c == '\n') {
		add(o, &o->head, pf_span("^n", 2));
	} else if (c == '"') {
		add(o, &o->head, pf_span("^'", 2));
	} else if (c == '^') {
		add(o, &o->head, pf_span("^^", 2));
	} else if (!is_control(c)) {
		add(o, &o->head, pf_span(&c, 1));
	}
}

void pf_mapi_line_param(struct pf_mapi_lines *o, const char *name, struct pf_span value)
{
	bool quoted = false;

	if (!pf_mapi_says(value)) {
		return;
	}
	if (value.n > PARAM_MAX) {
		o->cut++;
		value = pf_utf8_prefix(value, PARAM_MAX);
	}
	for (size_t i = 0; i < value.n; i++) {
		quoted = quoted || value.p[i] == ',' || value.p[i] == ';' || value.p[i] == ':';
	}
	add(o, &o->head, pf_span(";", 1));
	add(o, &o->head, pf_span_str(name));
	add(o, &o->head, pf_span_str(quoted ? "=\"" : "="));
	for (size_t i = 0; i < value.n; i++) {
		add_sign(o, value.p[i]);
	}
	add(o, &o->head, pf_span("\"", quoted));
}

static void add_text(struct pf_mapi_lines *o, struct pf_span text)
{
	size_t from = o->value.n;

	if (o->rc == PF_OK && text.n > 0 && !pf_utf8_valid(text)) {
		o->rc = pf_mapi_decode(o->arena, 0, text, &text, o->err);
	}
	if (o->rc == PF_OK && text.n > 0) {
		o->rc = pf_text_escape(text, &o->value, o->err);
		clean(&o->value, from);
	}
}

bool pf_mapi_line_parts(
	struct pf_mapi_lines *o, const struct pf_span *texts, size_t n, char between)
{
	bool any = false;

	for (size_t i = 0; i < n; i++) {
		any = any || pf_mapi_says(texts[i]);
		if (i > 0) {
			add(o, &o->value, pf_span(&between, 1));
		}
		add_text(o, texts[i]);
	}
	return any;
}

void pf_mapi_line_value(struct pf_mapi_lines *o, const char *before, struct pf_span value)
{
	size_t from = o->value.n;

	add(o, &o->value, pf_span_str(before));
	add(o, &o->value, value);
	clean(&o->value, from);
}

void pf_mapi_line_base64(struct pf_mapi_lines *o, struct pf_span bytes)
{
	size_t from = o->value.n;

	if (o->rc == PF_OK) {
		o->rc = pf_mime_base64(bytes, &o->value, o->err);
		clean(&o->value, from); /* line ends */
	}
}

void pf_mapi_line_end(struct pf_mapi_lines *o)
{
	if (o->rc == PF_OK) {
		o->rc = pf_line_write(
			o->out, pf_buf_span(&o->head), pf_buf_span(&o->value), o->err);
	}
}

void pf_mapi_linef(struct pf_mapi_lines *o, const char *head, const char *fmt, ...)
{
	char text[512];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	pf_mapi_line_begin(o, head);
	pf_mapi_line_value(o, "", pf_span_str(text));
	pf_mapi_line_end(o);
}

void pf_mapi_line_text(struct pf_mapi_lines *o, const char *head, struct pf_span text)
{
	if (pf_mapi_says(text)) {
		pf_mapi_line_begin(o, head);
		add_text(o, text);
		pf_mapi_line_end(o);
	}
}

void pf_mapi_line_words(struct pf_mapi_lines *o, const char *head, const struct pf_mapi_value *v)
{
	size_t n = v && (v->type & PF_MAPI_MANY) ? v->many.n : 0;

	if (n == 0) {
		pf_mapi_line_text(o, head,
			v && (v->type & PF_MAPI_MANY) ? pf_span(NULL, 0) : pf_mapi_text(v));
		return;
	}
	pf_mapi_line_begin(o, head);
	for (size_t i = 0; i < n; i++) {
		struct pf_span word = pf_mapi_text(&v->many.v[i]);

		if (pf_mapi_says(word)) {
			add(o, &o->value, pf_span(",", o->value.n > 0));
			add_text(o, word);
		}
	}
	if (o->value.n > 0) {
		pf_mapi_line_end(o);
	}
}
