#include "convert/mapi_lines.h"

#include "model/mime.h"
#include "proto/line/line.h"

#include <stdarg.h>
#include <stdio.h>

enum { HEAD_MAX = 1 << 16 };

void pf_mapi_lines_init(struct pf_mapi_lines *o, struct pf_buf *out, struct pf_err *err)
{
	*o = (struct pf_mapi_lines){.out = out, .err = err, .rc = PF_OK};
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

/* Takes control characters out of what is behind `from`. */
static void clean(struct pf_buf *b, size_t from)
{
	size_t w = from;

	for (size_t r = from; r < b->n; r++) {
		if ((b->p[r] >= ' ' || b->p[r] == '\t') && b->p[r] != 0x7F) {
			b->p[w++] = b->p[r];
		}
	}
	b->n = w;
}

void pf_mapi_line_begin(struct pf_mapi_lines *o, const char *name)
{
	pf_buf_clear(&o->head);
	pf_buf_clear(&o->value);
	add(o, &o->head, pf_span_str(name));
}

void pf_mapi_line_param(struct pf_mapi_lines *o, const char *name, struct pf_span value)
{
	bool quoted = false;
	size_t from;

	for (size_t i = 0; i < value.n; i++) {
		quoted = quoted || value.p[i] == ',' || value.p[i] == ';' || value.p[i] == ':';
	}
	if (value.n == 0) {
		return;
	}
	add(o, &o->head, pf_span(";", 1));
	add(o, &o->head, pf_span_str(name));
	add(o, &o->head, pf_span_str(quoted ? "=\"" : "="));
	from = o->head.n;
	add(o, &o->head, value);
	for (size_t i = from; i < o->head.n; i++) {
		o->head.p[i] = o->head.p[i] == '"' ? '\'' : o->head.p[i]; /* has no escape there */
	}
	clean(&o->head, from);
	add(o, &o->head, pf_span("\"", quoted));
}

static void add_text(struct pf_mapi_lines *o, struct pf_span text)
{
	size_t from = o->value.n;

	if (o->rc == PF_OK && text.n > 0) {
		o->rc = pf_text_escape(text, &o->value, o->err);
		clean(&o->value, from);
	}
}

void pf_mapi_line_item(struct pf_mapi_lines *o, struct pf_span text)
{
	if (o->value.n > 0) {
		add(o, &o->value, pf_span(",", 1));
	}
	add_text(o, text);
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
	if (text.n > 0) {
		pf_mapi_line_begin(o, head);
		add_text(o, text);
		pf_mapi_line_end(o);
	}
}
