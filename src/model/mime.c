#include "model/mime.h"

#include "base/defs.h"
#include "base/utf8.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

enum { VALUE_MAX = 2048, LINE_MAX_QP = 76, LINE_BYTES_BASE64 = 57 };

/* ---- lines and fields ---- */

/* The line at the front of `*rest` without its end (CRLF, LF or CR); false: there is none. */
static bool next_line(struct pf_span *rest, struct pf_span *line)
{
	size_t n = 0;

	if (rest->n == 0) {
		return false;
	}
	while (n < rest->n && rest->p[n] != '\n' && rest->p[n] != '\r') {
		n++;
	}
	*line = pf_span(rest->p, n);
	if (n < rest->n) {
		n += n + 1 < rest->n && rest->p[n] == '\r' && rest->p[n + 1] == '\n' ? 2 : 1;
	}
	*rest = pf_span_from(*rest, n);
	return true;
}

static bool is_blank(uint8_t c)
{
	return c == ' ' || c == '\t';
}

static void add_value(char *out, size_t size, size_t *n, struct pf_span text)
{
	size_t room = size - 1 - *n;

	text.n = text.n < room ? text.n : room;
	if (text.n > 0) {
		memcpy(out + *n, text.p, text.n);
		*n += text.n;
	}
	out[*n] = '\0';
}

bool pf_mime_field(struct pf_span header, const char *name, char *out, size_t size)
{
	size_t len = strlen(name), n = 0;
	struct pf_span line;
	bool found = false;

	out[0] = '\0';
	while (next_line(&header, &line) && line.n > 0) {
		size_t at = len;

		if (found && is_blank(line.p[0])) {
			add_value(out, size, &n, line);
			continue;
		}
		if (found) {
			return true;
		}
		if (line.n <= len || strncasecmp((const char *)line.p, name, len) != 0) {
			continue;
		}
		while (at < line.n && is_blank(line.p[at])) {
			at++;
		}
		if (at < line.n && line.p[at] == ':') {
			found = true;
			add_value(out, size, &n, pf_span_from(line, at + 1));
		}
	}
	return found;
}

static const char *skip_blanks(const char *s)
{
	while (is_blank((uint8_t)*s)) {
		s++;
	}
	return s;
}

/* The boundary parameter of a Content-Type value; false: there is none that can be used. */
static bool get_boundary(const char *type, struct pf_mime_level *out)
{
	const char *s = type;
	bool quoted;

	out->n = 0;
	while ((s = strchr(s, ';')) != NULL) {
		s = skip_blanks(s + 1);
		if (strncasecmp(s, "boundary", 8) != 0) {
			continue;
		}
		s = skip_blanks(s + 8);
		if (*s != '=') {
			continue;
		}
		s = skip_blanks(s + 1);
		quoted = *s == '"';
		s += quoted;
		while (*s && out->n < sizeof(out->boundary) &&
			(quoted ? *s != '"' : *s != ';' && !is_blank((uint8_t)*s))) {
			s += quoted && *s == '\\' && s[1];
			out->boundary[out->n++] = *s++;
		}
		return out->n > 0 && out->n < sizeof(out->boundary);
	}
	return false;
}

static enum pf_mime_encoding encoding_of(struct pf_span header)
{
	static const struct {
		const char *name;
		enum pf_mime_encoding encoding;
	} NAMES[] = {
		{"7bit", PF_MIME_PLAIN},
		{"8bit", PF_MIME_PLAIN},
		{"", PF_MIME_PLAIN},
		{"binary", PF_MIME_BINARY},
		{"quoted-printable", PF_MIME_QP},
		{"base64", PF_MIME_BASE64},
	};
	char value[100];
	const char *word;
	size_t n;

	if (!pf_mime_field(header, "Content-Transfer-Encoding", value, sizeof(value))) {
		return PF_MIME_PLAIN;
	}
	word = skip_blanks(value);
	n = strcspn(word, " \t;(");
	for (size_t i = 0; i < PF_COUNT(NAMES); i++) {
		if (strlen(NAMES[i].name) == n && strncasecmp(word, NAMES[i].name, n) == 0) {
			return NAMES[i].encoding;
		}
	}
	return PF_MIME_OTHER;
}

/* ---- the walk ---- */

/* Whether `line` is a delimiter of a level: the innermost that fits. */
static bool is_delimiter(const struct pf_mime *m, struct pf_span line, size_t *level, bool *last)
{
	if (line.n < 3 || line.p[0] != '-' || line.p[1] != '-') {
		return false;
	}
	for (size_t i = m->depth; i > 0; i--) {
		const struct pf_mime_level *l = &m->level[i - 1];
		struct pf_span rest = pf_span_from(line, 2);

		if (rest.n < l->n || memcmp(rest.p, l->boundary, l->n) != 0) {
			continue;
		}
		rest = pf_span_from(rest, l->n);
		*last = rest.n >= 2 && rest.p[0] == '-' && rest.p[1] == '-';
		rest = pf_span_from(rest, *last ? 2 : 0);
		while (rest.n > 0 && is_blank(rest.p[0])) {
			rest = pf_span_from(rest, 1);
		}
		if (rest.n == 0) {
			*level = i - 1;
			return true;
		}
	}
	return false;
}

/*
 * Go to the next delimiter and into the entity behind it. Returns what lies before, without the
 * line end that belongs to the delimiter.
 */
static struct pf_span to_delimiter(struct pf_mime *m)
{
	const uint8_t *start = m->rest.p, *end;
	struct pf_span line;
	size_t level;
	bool last;

	end = start;
	while (next_line(&m->rest, &line)) {
		if (is_delimiter(m, line, &level, &last)) {
			m->depth = last ? level : level + 1;
			return pf_span(start, (size_t)(end - start));
		}
		end = line.p + line.n;
	}
	m->ended = true;
	return pf_span(start, (size_t)(m->rest.p - start));
}

/* Past what lies behind a last delimiter, to the next part. false: there is none. */
static bool to_entity(struct pf_mime *m, size_t depth)
{
	while (!m->ended && m->depth < depth) { /* a level was closed: its epilogue follows */
		depth = m->depth;
		if (depth == 0) {
			m->ended = true;
			return false;
		}
		(void)to_delimiter(m);
		if (m->depth == depth) {
			return !m->ended;
		}
	}
	return !m->ended;
}

/* The header at the front of `m->rest`, up to its empty line or the next delimiter. */
static struct pf_span take_header(struct pf_mime *m)
{
	const uint8_t *start = m->rest.p;
	struct pf_span line, before = m->rest;
	size_t level;
	bool last;

	while (next_line(&m->rest, &line)) {
		if (line.n == 0) {
			return pf_span(start, (size_t)(m->rest.p - start));
		}
		if (is_delimiter(m, line, &level, &last)) {
			m->rest = before; /* a part without an empty line */
			break;
		}
		before = m->rest;
	}
	return pf_span(start, (size_t)(m->rest.p - start));
}

static bool has_type(const char *type, const char *beginning)
{
	return strncasecmp(type, beginning, strlen(beginning)) == 0;
}

void pf_mime_begin(struct pf_mime *m, struct pf_span message)
{
	m->rest = message;
	m->depth = 0;
	m->ended = message.n == 0;
}

bool pf_mime_next(struct pf_mime *m, struct pf_mime_part *out)
{
	bool top = m->depth == 0;

	while (!m->ended) {
		struct pf_span header = take_header(m);
		size_t depth = m->depth;
		char value[VALUE_MAX];
		const char *type;
		bool told = pf_mime_field(header, "Content-Type", value, sizeof(value));
		bool sealed = depth > 0 && m->level[depth - 1].sealed;

		type = skip_blanks(value);
		if (has_type(type, "multipart/") && depth < PF_MIME_DEPTH &&
			get_boundary(type, &m->level[depth])) {
			m->level[depth].sealed = sealed || has_type(type, "multipart/signed") ||
						 has_type(type, "multipart/encrypted");
			m->depth = depth + 1;
			top = false;
			(void)to_delimiter(m); /* the preamble */
			if (m->depth == depth + 1 || to_entity(m, depth + 1)) {
				continue;
			}
			return false;
		}
		if (has_type(type, "message/rfc822") && encoding_of(header) == PF_MIME_PLAIN) {
			top = false;
			continue; /* what it holds is an entity */
		}
		*out = (struct pf_mime_part){.header = header,
			.encoding = encoding_of(header),
			.text = !told || has_type(type, "text/") || type[0] == '\0',
			.sealed = sealed,
			.fixed = has_type(type, "message/") || has_type(type, "multipart/"),
			.top = top};
		out->body = to_delimiter(m);
		m->ended = !to_entity(m, depth);
		return true;
	}
	return false;
}

/* ---- decoding ---- */

/* What "=XY" stands for; -1: it is no such thing. */
static int coded_octet(struct pf_span s)
{
	int high = s.n >= 3 && s.p[0] == '=' ? pf_ascii_hex(s.p[1]) : -1;
	int low = high >= 0 ? pf_ascii_hex(s.p[2]) : -1;

	return low >= 0 ? high * 16 + low : -1;
}

static int decode_base64(struct pf_span in, struct pf_buf *out, struct pf_err *err)
{
	static const char DIGITS[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	uint32_t bits = 0;
	int have = 0;

	if (pf_buf_reserve(out, in.n / 4 * 3 + 3, err) != PF_OK) {
		return PF_FAIL;
	}
	for (size_t i = 0; i < in.n && in.p[i] != '='; i++) {
		const char *digit = in.p[i] ? strchr(DIGITS, in.p[i]) : NULL;

		if (!digit) {
			continue; /* RFC 2045 section 6.8: not of the alphabet, not there */
		}
		bits = (bits << 6 | (uint32_t)(digit - DIGITS)) & 0xffffff;
		have += 6;
		if (have >= 8) {
			have -= 8;
			out->p[out->n++] = (uint8_t)(bits >> have);
		}
	}
	return PF_OK;
}

static int decode_qp(struct pf_span in, struct pf_buf *out, struct pf_err *err)
{
	struct pf_span line;

	if (pf_buf_reserve(out, 2 * in.n + 2, err) != PF_OK) { /* a LF becomes CRLF */
		return PF_FAIL;
	}
	while (next_line(&in, &line)) {
		bool ended = in.p > line.p + line.n;
		bool soft = false;

		while (line.n > 0 && is_blank(line.p[line.n - 1])) {
			line.n--; /* RFC 2045 section 6.7 (3): added on the way */
		}
		for (size_t i = 0; i < line.n; i++) {
			int octet = coded_octet(pf_span_from(line, i));

			soft = line.p[i] == '=' && i + 1 == line.n;
			if (octet >= 0) {
				out->p[out->n++] = (uint8_t)octet;
				i += 2;
			} else if (!soft) {
				out->p[out->n++] = line.p[i];
			}
		}
		if (ended && !soft) {
			out->p[out->n++] = '\r';
			out->p[out->n++] = '\n';
		}
	}
	return PF_OK;
}

static int decode_lines(struct pf_span in, struct pf_buf *out, struct pf_err *err)
{
	struct pf_span line;

	while (next_line(&in, &line)) {
		if (pf_buf_add(out, line, err) != PF_OK ||
			(in.p > line.p + line.n &&
				pf_buf_add(out, pf_span("\r\n", 2), err) != PF_OK)) {
			return PF_FAIL;
		}
	}
	return PF_OK;
}

int pf_mime_decode(const struct pf_mime_part *part, struct pf_buf *out, struct pf_err *err)
{
	switch (part->encoding) {
	case PF_MIME_BASE64:
		return decode_base64(part->body, out, err);
	case PF_MIME_QP:
		return decode_qp(part->body, out, err);
	case PF_MIME_PLAIN:
		return decode_lines(part->body, out, err);
	default:
		return pf_buf_add(out, part->body, err);
	}
}

/* ---- encoding ---- */

int pf_mime_base64(struct pf_span content, struct pf_buf *out, struct pf_err *err)
{
	static const char DIGITS[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

	if (pf_buf_reserve(out, (content.n + 2) / 3 * 4 + (content.n / LINE_BYTES_BASE64 + 1) * 2,
		    err) != PF_OK) {
		return PF_FAIL;
	}
	for (size_t i = 0; i < content.n; i += 3) {
		size_t n = content.n - i < 3 ? content.n - i : 3;
		uint32_t bits = (uint32_t)content.p[i] << 16 |
				(n > 1 ? (uint32_t)content.p[i + 1] << 8 : 0) |
				(n > 2 ? content.p[i + 2] : 0);

		if (i > 0 && i % LINE_BYTES_BASE64 == 0) {
			out->p[out->n++] = '\r';
			out->p[out->n++] = '\n';
		}
		for (size_t k = 0; k < 4; k++) {
			out->p[out->n++] =
				k <= n ? (uint8_t)DIGITS[bits >> (18 - 6 * k) & 63] : '=';
		}
	}
	return PF_OK;
}

int pf_mime_qp(struct pf_span content, struct pf_buf *out, struct pf_err *err)
{
	static const char HEX[] = "0123456789ABCDEF";
	size_t width = 0;

	for (size_t i = 0; i < content.n; i++) {
		uint8_t c = content.p[i];
		bool end_of_line = i + 1 < content.n && c == '\r' && content.p[i + 1] == '\n';
		bool before_end = i + 1 == content.n || content.p[i + 1] == '\r';
		bool plain = c > ' ' ? c < 127 && c != '=' : is_blank(c) && !before_end;
		size_t n = end_of_line ? 0 : plain ? 1 : 3;

		if (pf_buf_reserve(out, 6, err) != PF_OK) {
			return PF_FAIL;
		}
		if (width + n >= LINE_MAX_QP) { /* room for the "=" of a soft break */
			memcpy(out->p + out->n, "=\r\n", 3);
			out->n += 3;
			width = 0;
		}
		if (end_of_line) {
			memcpy(out->p + out->n, "\r\n", 2);
			out->n += 2;
			width = 0;
			i++;
			continue;
		}
		if (plain) {
			out->p[out->n++] = c;
		} else {
			out->p[out->n++] = '=';
			out->p[out->n++] = (uint8_t)HEX[c >> 4];
			out->p[out->n++] = (uint8_t)HEX[c & 15];
		}
		width += n;
	}
	return PF_OK;
}

/* ---- what it says ---- */

int pf_mime_digest(struct pf_span message, struct pf_digest *out, struct pf_err *err)
{
	struct pf_mime *m = malloc(sizeof(*m));
	struct pf_hash *whole = pf_hash_new();
	struct pf_mime_part part;
	struct pf_buf content;
	int rc = m && whole ? PF_OK : pf_fail_memory(err, "comparing a message");

	pf_buf_init(&content, 2 * message.n + 4096);
	if (rc == PF_OK) {
		pf_mime_begin(m, message);
	}
	while (rc == PF_OK && pf_mime_next(m, &part)) {
		uint64_t length;

		pf_buf_clear(&content);
		rc = pf_mime_decode(&part, &content, err);
		while (part.text && content.n > 0 &&
			(content.p[content.n - 1] == '\n' || content.p[content.n - 1] == '\r')) {
			content.n--;
		}
		length = content.n;
		pf_hash_add(whole, pf_span(&length, sizeof(length)));
		pf_hash_add(whole, pf_buf_span(&content));
	}
	if (rc == PF_OK) {
		pf_hash_take(whole, out);
	}
	pf_buf_deinit(&content);
	pf_hash_free(&whole);
	free(m);
	return rc;
}
