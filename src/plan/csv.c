#include "plan/csv.h"

#include "base/utf8.h"

#define bad(err, ...) pf_fail(err, PF_SCOPE_RUN, PF_RETRY_NO, __VA_ARGS__)

/* ---- encodings ---- */

static const char SAVE[] = "save the file as \"CSV UTF-8\"";

/* The row that the byte at `at` lies in, for messages; quotes do not matter to somebody who looks.
 */
static size_t row_at(struct pf_span text, size_t at)
{
	size_t row = 1;

	for (size_t i = 0; i < at && i < text.n; i++) {
		row += text.p[i] == '\n' ||
		       (text.p[i] == '\r' && (i + 1 == text.n || text.p[i + 1] != '\n'));
	}
	return row;
}

static int check_utf8(struct pf_span text, struct pf_err *err)
{
	struct pf_span rest = text;

	while (rest.n > 0) {
		size_t at = text.n - rest.n;
		uint32_t c = pf_utf8_next(&rest);

		if (c == 0) {
			return bad(err,
				"row %zu has a NUL: this is no text, or UTF-16 without its mark; "
				"%s",
				row_at(text, at), SAVE);
		}
		if (c == UINT32_MAX) {
			return bad(err, "row %zu has the byte %02X, which is not UTF-8: %s",
				row_at(text, at), text.p[at], SAVE);
		}
	}
	return PF_OK;
}

static uint32_t unit_at(struct pf_span s, size_t at, bool big)
{
	return big ? (uint32_t)(s.p[at] << 8 | s.p[at + 1])
		   : (uint32_t)(s.p[at + 1] << 8 | s.p[at]);
}

static int from_utf16(struct pf_span s, bool big, struct pf_buf *out, struct pf_err *err)
{
	for (size_t at = 0; at < s.n; at += 2) {
		uint8_t utf8[4];
		uint32_t c, low;

		if (at + 1 == s.n) {
			return bad(err, "row %zu ends within a character of UTF-16: %s",
				row_at(pf_buf_span(out), out->n), SAVE);
		}
		c = unit_at(s, at, big);
		if (c >= 0xd800 && c < 0xdc00 && at + 3 < s.n) {
			low = unit_at(s, at + 2, big);
			if (low >= 0xdc00 && low < 0xe000) {
				c = 0x10000 + ((c - 0xd800) << 10) + (low - 0xdc00);
				at += 2;
			}
		}
		if (c >= 0xd800 && c < 0xe000) {
			return bad(err, "row %zu has half a character of UTF-16: %s",
				row_at(pf_buf_span(out), out->n), SAVE);
		}
		if (pf_buf_add(out, pf_span(utf8, pf_utf8_put(c, utf8)), err) != PF_OK) {
			return PF_FAIL;
		}
	}
	return PF_OK;
}

int pf_csv_decode(struct pf_span raw, struct pf_buf *out, struct pf_err *err)
{
	int rc;

	pf_buf_clear(out);
	if (raw.n >= 2 && ((raw.p[0] == 0xff && raw.p[1] == 0xfe) ||
				  (raw.p[0] == 0xfe && raw.p[1] == 0xff))) {
		rc = from_utf16(pf_span(raw.p + 2, raw.n - 2), raw.p[0] == 0xfe, out, err);
	} else if (raw.n >= 3 && memcmp(raw.p, "\xef\xbb\xbf", 3) == 0) {
		rc = pf_buf_add(out, pf_span(raw.p + 3, raw.n - 3), err);
	} else {
		rc = pf_buf_add(out, raw, err);
	}
	return rc == PF_OK ? check_utf8(pf_buf_span(out), err) : rc;
}

/* ---- records ---- */

static bool ends_line(char c)
{
	return c == '\r' || c == '\n';
}

/* Behind the end of the line at `at`: CRLF is one. */
static size_t next_line(const struct pf_csv *c, size_t at)
{
	if (at + 1 < c->n && c->text[at] == '\r' && c->text[at + 1] == '\n') {
		return at + 2;
	}
	return at < c->n ? at + 1 : at;
}

static bool take_sep_line(struct pf_csv *c)
{
	if (c->n < 5 || strncasecmp(c->text, "sep=", 4) != 0 || ends_line(c->text[4]) ||
		(c->n > 5 && !ends_line(c->text[5]))) {
		return false;
	}
	c->separator = c->text[4];
	c->at = next_line(c, 5);
	c->row = 1;
	return true;
}

void pf_csv_begin(struct pf_csv *c, char *text, size_t n)
{
	static const char SEPARATORS[] = {',', ';', '\t'};
	size_t counts[PF_COUNT(SEPARATORS)] = {0}, best = 0, at = 0;
	bool quoted = false;

	*c = (struct pf_csv){.text = text, .n = n, .separator = ','};
	if (take_sep_line(c)) {
		return;
	}
	while (at < n && ends_line(text[at])) {
		at++;
	}
	for (; at < n && (quoted || !ends_line(text[at])); at++) {
		quoted = quoted != (text[at] == '"');
		for (size_t i = 0; i < PF_COUNT(SEPARATORS) && !quoted; i++) {
			counts[i] += text[at] == SEPARATORS[i];
		}
	}
	for (size_t i = 1; i < PF_COUNT(SEPARATORS); i++) {
		best = counts[i] > counts[best] ? i : best;
	}
	c->separator = SEPARATORS[best];
}

/* A cell in quotes, from the first of them: moved to the front, `*end` is behind the last. */
static int unquote(
	struct pf_csv *c, size_t column, size_t *cell_end, size_t *end, struct pf_err *err)
{
	size_t to = c->at + 1, from = c->at + 1;

	for (; from < c->n; from++) {
		if (c->text[from] == '"') {
			if (from + 1 < c->n && c->text[from + 1] == '"') {
				from++;
			} else {
				break;
			}
		}
		c->text[to++] = c->text[from];
	}
	if (from >= c->n) {
		return bad(err,
			"row %zu, column %zu begins with a quote that is never closed: close it, "
			"or "
			"double it if it belongs to the text",
			c->row, column);
	}
	*cell_end = to;
	*end = from + 1;
	if (*end < c->n && c->text[*end] != c->separator && !ends_line(c->text[*end])) {
		return bad(err,
			"row %zu, column %zu goes on behind its closing quote: a quote within a "
			"cell "
			"is doubled",
			c->row, column);
	}
	return PF_OK;
}

/* One cell from c->at; *end is at what ends it. */
static int take_cell(struct pf_csv *c, struct pf_csv_row *out, size_t *end, struct pf_err *err)
{
	size_t cell_end;

	if (out->n == PF_CSV_COLUMNS_MAX) {
		return bad(err, "row %zu has more than %d columns", c->row, PF_CSV_COLUMNS_MAX);
	}
	if (c->at < c->n && c->text[c->at] == '"') {
		if (unquote(c, out->n + 1, &cell_end, end, err) != PF_OK) {
			return PF_FAIL;
		}
		out->cell[out->n++] = &c->text[c->at + 1];
	} else {
		for (*end = c->at; *end < c->n && c->text[*end] != c->separator &&
				   !ends_line(c->text[*end]);) {
			++*end;
		}
		cell_end = *end;
		out->cell[out->n++] = &c->text[c->at];
	}
	if (cell_end < *end) { /* else the NUL comes when it was seen what ended the cell */
		c->text[cell_end] = '\0';
	}
	return PF_OK;
}

static int take_record(struct pf_csv *c, struct pf_csv_row *out, struct pf_err *err)
{
	size_t end;
	bool more = true;

	*out = (struct pf_csv_row){.row = ++c->row};
	while (more) {
		char ended_by;

		if (take_cell(c, out, &end, err) != PF_OK) {
			return PF_FAIL;
		}
		ended_by = end < c->n ? c->text[end] : '\n';
		more = end < c->n && ended_by == c->separator;
		c->at = more ? end + 1 : next_line(c, end);
		c->text[end] = '\0'; /* behind the last cell there is room for it */
	}
	return PF_OK;
}

static bool is_blank(const struct pf_csv_row *r)
{
	for (size_t i = 0; i < r->n; i++) {
		if (r->cell[i][strspn(r->cell[i], " \t")] != '\0') {
			return false;
		}
	}
	return true;
}

int pf_csv_next(struct pf_csv *c, struct pf_csv_row *out, struct pf_err *err)
{
	while (c->at < c->n) {
		if (take_record(c, out, err) != PF_OK) {
			return PF_FAIL;
		}
		if (!is_blank(out)) {
			return PF_OK;
		}
	}
	return PF_END;
}
