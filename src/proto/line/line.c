#include "proto/line/line.h"

enum { FOLD_AT = 75 };

/* ---- reading ---- */

void pf_lines_init(struct pf_lines *l, struct pf_span input, struct pf_arena *arena)
{
	*l = (struct pf_lines){.rest = input, .arena = arena};
	if (pf_span_starts(input, "\xEF\xBB\xBF")) {
		l->rest = pf_span_from(input, 3);
	}
}

/* One line of the input without its end (CRLF, LF or CR), and how long it is with it. */
static struct pf_span physical(struct pf_span in, size_t *whole)
{
	size_t n = 0;

	while (n < in.n && in.p[n] != '\n' && in.p[n] != '\r') {
		n++;
	}
	*whole = n < in.n ? n + 1 : n;
	if (n + 1 < in.n && in.p[n] == '\r' && in.p[n + 1] == '\n') {
		*whole = n + 2;
	}
	return pf_span(in.p, n);
}

static bool is_blank(uint8_t c)
{
	return c == ' ' || c == '\t';
}

/* vCard 2.1 and vCalendar 1.0 break quoted-printable values by '=' at a line's end. */
static bool is_soft_break(struct pf_span line)
{
	const uint8_t *colon;

	if (line.n == 0 || line.p[line.n - 1] != '=') {
		return false;
	}
	colon = memchr(line.p, ':', line.n);
	if (!colon) {
		return false;
	}
	for (const uint8_t *p = line.p; p < colon;
		p++) { /* as a parameter, with its name or without */
		if ((*p == ';' || *p == '=') &&
			pf_span_starts(
				pf_span(p + 1, (size_t)(colon - p - 1)), "QUOTED-PRINTABLE")) {
			return true;
		}
	}
	return false;
}

/* The lines that belong to the one at the front: how many bytes, how many lines, whether any. */
static size_t extent(struct pf_span in, uint32_t *lines)
{
	size_t whole = 0, more = 0;
	struct pf_span line = physical(in, &whole);
	bool soft = is_soft_break(line);

	*lines = 1;
	while (whole < in.n) {
		struct pf_span rest = pf_span_from(in, whole);
		struct pf_span next = physical(rest, &more);

		if (next.n == 0 && !soft) { /* old Mozillas fold with an empty line between */
			size_t behind = 0;
			struct pf_span after = physical(pf_span_from(rest, more), &behind);

			if (after.n > 0 && is_blank(after.p[0])) {
				whole += more;
				(*lines)++;
				continue;
			}
		}
		/* A value may end in '=' by mistake: it does not swallow the end of its component.
		 */
		soft = soft && !pf_span_starts(next, "END:");
		if (!(next.n > 0 && is_blank(next.p[0])) && !soft) {
			break;
		}
		soft = soft && next.n > 0 && next.p[next.n - 1] == '=';
		whole += more;
		(*lines)++;
	}
	return whole;
}

/* All of its lines in one: line ends and the blank behind each go, soft breaks lose their '='. */
static struct pf_span unfold(struct pf_span raw, struct pf_arena *arena)
{
	size_t whole = 0, n = 0;
	struct pf_span line = physical(raw, &whole);
	bool soft = is_soft_break(line);
	uint8_t *out;

	if (whole == raw.n) {
		return line;
	}
	out = pf_arena_alloc(arena, raw.n + 1);
	if (!out) {
		return pf_span(NULL, 0);
	}
	for (bool first = true; raw.n > 0; first = false) {
		size_t skip;

		line = physical(raw, &whole);
		skip = !first && line.n > 0 && is_blank(line.p[0]) ? 1 : 0;
		memcpy(out + n, line.p + skip, line.n - skip);
		n += line.n - skip;
		raw = pf_span_from(raw, whole);
		if (soft && raw.n > 0 && n > 0 && out[n - 1] == '=') {
			n--;
		}
	}
	return pf_span(out, n);
}

static bool is_name(uint8_t c)
{
	return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
	       c == '-' || c == '_' || c == '.' || c == '/';
}

/* The ':' that ends the parameters: not one within quotes. A quote that never ends is no quote. */
static size_t find_colon(struct pf_span text, size_t from)
{
	bool quoted = false;
	size_t plain = text.n;

	for (size_t i = from; i < text.n; i++) {
		if (text.p[i] == '"') {
			quoted = !quoted;
		} else if (text.p[i] == ':') {
			if (!quoted) {
				return i;
			}
			plain = plain == text.n ? i : plain;
		}
	}
	return plain;
}

static void cut(struct pf_span text, struct pf_line *out)
{
	size_t n = 0, colon;
	const uint8_t *dot;

	while (n < text.n && is_name(text.p[n])) {
		n++;
	}
	colon = find_colon(text, n);
	out->bad = n == 0 || colon == text.n || (text.p[n] != ':' && text.p[n] != ';');
	if (out->bad) {
		out->name = pf_span(text.p, 0);
		out->params = pf_span(text.p, 0);
		out->value = text;
		return;
	}
	dot = memchr(text.p, '.', n);
	out->name = pf_span(text.p, n);
	if (dot && dot > text.p) {
		out->group = pf_span(text.p, (size_t)(dot - text.p));
		out->name = pf_span(dot + 1, n - out->group.n - 1);
	}
	out->params = pf_span(text.p + n, colon - n);
	out->value = pf_span_from(text, colon + 1);
}

int pf_lines_next(struct pf_lines *l, struct pf_line *out, struct pf_err *err)
{
	while (l->rest.n > 0) {
		uint32_t lines = 1;
		size_t whole = extent(l->rest, &lines);
		struct pf_span raw = pf_span(l->rest.p, whole), text;

		*out = (struct pf_line){.raw = raw, .number = l->number + 1};
		l->rest = pf_span_from(l->rest, whole);
		l->number += lines;
		text = unfold(raw, l->arena);
		if (!text.p) {
			return pf_fail_memory(err, "a line");
		}
		if (text.n > 0) {
			cut(text, out);
			return PF_OK;
		}
	}
	return PF_END;
}

/* ---- parameters ---- */

static struct pf_span unquote(struct pf_span v)
{
	if (v.n >= 2 && v.p[0] == '"' && v.p[v.n - 1] == '"' && !memchr(v.p + 1, '"', v.n - 2)) {
		return pf_span(v.p + 1, v.n - 2);
	}
	return v;
}

/* Up to `end` outside of quotes. */
static size_t until(struct pf_span s, char end)
{
	bool quoted = false;
	size_t i = 0;

	for (; i < s.n && (quoted || s.p[i] != (uint8_t)end); i++) {
		quoted = s.p[i] == '"' ? !quoted : quoted;
	}
	return i;
}

bool pf_params_next(struct pf_span *rest, struct pf_span *name, struct pf_span *value)
{
	struct pf_span one;
	const uint8_t *eq;

	if (rest->n == 0) {
		return false;
	}
	if (rest->p[0] == ';') {
		*rest = pf_span_from(*rest, 1);
	}
	one = pf_span(rest->p, until(*rest, ';'));
	*rest = pf_span_from(*rest, one.n);
	eq = one.n > 0 ? memchr(one.p, '=', one.n) : NULL;
	*name = pf_span(one.p, eq ? (size_t)(eq - one.p) : 0);
	*value = unquote(eq ? pf_span_from(one, name->n + 1) : one);
	return true;
}

struct pf_span pf_params_find(struct pf_span params, const char *name)
{
	struct pf_span n, v;

	while (pf_params_next(&params, &n, &v)) {
		if (pf_span_is(n, name)) {
			return v;
		}
	}
	return pf_span(NULL, 0);
}

bool pf_list_next(struct pf_span *rest, struct pf_span *value)
{
	size_t n;

	if (!rest->p) {
		return false;
	}
	n = until(*rest, ',');
	*value = unquote(pf_span(rest->p, n));
	*rest = n < rest->n ? pf_span_from(*rest, n + 1) : pf_span(NULL, 0);
	return true;
}

/* ---- values ---- */

bool pf_value_next(struct pf_span *rest, char at, struct pf_span *part)
{
	size_t i = 0;

	if (!rest->p) {
		return false;
	}
	while (i < rest->n && rest->p[i] != (uint8_t)at) {
		i += rest->p[i] == '\\' && i + 1 < rest->n ? 2 : 1;
	}
	*part = pf_span(rest->p, i);
	*rest = i < rest->n ? pf_span_from(*rest, i + 1) : pf_span(NULL, 0);
	return true;
}

int pf_text_unescape(struct pf_span text, struct pf_buf *out, struct pf_err *err)
{
	if (pf_buf_reserve(out, text.n, err) != PF_OK) {
		return PF_FAIL;
	}
	for (size_t i = 0; i < text.n; i++) {
		uint8_t c = text.p[i];

		if (c == '\\' && i + 1 < text.n) {
			uint8_t next = text.p[i + 1];
			bool known = next == '\\' || next == ',' || next == ';' || next == ':';

			if (next == 'n' || next == 'N') {
				c = '\n';
				i++;
			} else if (known) {
				c = next;
				i++;
			}
		}
		out->p[out->n++] = c;
	}
	return PF_OK;
}

int pf_text_escape(struct pf_span text, struct pf_buf *out, struct pf_err *err)
{
	if (pf_buf_reserve(out, 2 * text.n, err) != PF_OK) {
		return PF_FAIL;
	}
	for (size_t i = 0; i < text.n; i++) {
		uint8_t c = text.p[i];

		if (c == '\r' && i + 1 < text.n && text.p[i + 1] == '\n') {
			continue;
		}
		if (c == '\n' || c == '\r') {
			out->p[out->n++] = '\\';
			c = 'n';
		} else if (c == '\\' || c == ',' || c == ';') {
			out->p[out->n++] = '\\';
		}
		out->p[out->n++] = c;
	}
	return PF_OK;
}

static int hex(uint8_t c)
{
	return c >= '0' && c <= '9'   ? c - '0'
	       : c >= 'A' && c <= 'F' ? c - 'A' + 10
	       : c >= 'a' && c <= 'f' ? c - 'a' + 10
				      : -1;
}

int pf_quoted_printable(struct pf_span text, struct pf_buf *out, struct pf_err *err)
{
	if (pf_buf_reserve(out, text.n, err) != PF_OK) {
		return PF_FAIL;
	}
	for (size_t i = 0; i < text.n; i++) {
		uint8_t c = text.p[i];
		size_t end = 0;

		if (c == '=' && i + 2 < text.n && hex(text.p[i + 1]) >= 0 &&
			hex(text.p[i + 2]) >= 0) {
			c = (uint8_t)(hex(text.p[i + 1]) * 16 + hex(text.p[i + 2]));
			i += 2;
		} else if (c == '=' && i + 1 < text.n) {
			(void)physical(pf_span_from(text, i + 1), &end);
			if (end <= 2 && (text.p[i + 1] == '\r' || text.p[i + 1] == '\n')) {
				i += end;
				continue;
			}
		}
		out->p[out->n++] = c;
	}
	return PF_OK;
}

/* ---- writing ---- */

int pf_line_write(struct pf_buf *out, struct pf_span head, struct pf_span value, struct pf_err *err)
{
	size_t total = head.n + 1 + value.n;
	size_t column = 0;

	/* A break costs three octets, and comes every 71 at the soonest. */
	if (pf_buf_reserve(out, total + total / (FOLD_AT - 4) * 3 + 8, err) != PF_OK) {
		return PF_FAIL;
	}
	for (size_t i = 0; i < total; i++) {
		uint8_t c = i < head.n ? head.p[i] : i == head.n ? ':' : value.p[i - head.n - 1];
		size_t need = c >= 0xF0 ? 4 : c >= 0xE0 ? 3 : c >= 0xC0 ? 2 : 1;
		bool inside = (c & 0xC0) == 0x80 && column < FOLD_AT; /* of a character */

		if (!inside && column + need > FOLD_AT) {
			memcpy(out->p + out->n, "\r\n ", 3);
			out->n += 3;
			column = 1;
		}
		out->p[out->n++] = c;
		column++;
	}
	memcpy(out->p + out->n, "\r\n", 2);
	out->n += 2;
	return PF_OK;
}

bool pf_text_is_loose(struct pf_span v)
{
	for (size_t i = 0; i < v.n; i++) {
		if (v.p[i] == '\\') {
			if (++i < v.n && v.p[i] == '"') {
				return true;
			}
		} else if (v.p[i] == ',' || v.p[i] == ';' || (v.p[i] < 0x20 && v.p[i] != '\t')) {
			return true;
		}
	}
	return false;
}

int pf_text_tighten(struct pf_span v, struct pf_buf *out, struct pf_err *err)
{
	int rc = PF_OK;

	for (size_t i = 0; i < v.n && rc == PF_OK; i++) {
		uint8_t ch = v.p[i];

		if (ch == '\\' && i + 1 < v.n && v.p[i + 1] == '"') {
			continue; /* some escape it: it is no such character */
		}
		if (ch == '\\' && i + 1 < v.n) {
			rc = pf_buf_add(out, pf_span(v.p + i++, 2), err);
		} else if (ch == ',' || ch == ';') {
			rc = pf_buf_addf(out, err, "\\%c", ch);
		} else if (ch >= 0x20 || ch == '\t') {
			rc = pf_buf_add(out, pf_span(&ch, 1), err);
		}
	}
	return rc;
}
