#include "plan/ldif.h"

#include "base/base64.h"
#include "base/utf8.h"

enum {
	LINE_MAX_BYTES = 16 << 20, /* with its value decoded */
	DECODED_MORE = 4,          /* than what is decoded has */
};

#define bad(err, ...) pf_fail(err, PF_SCOPE_ITEM, PF_RETRY_NO, __VA_ARGS__)

void pf_ldif_init(struct pf_ldif *l, struct pf_span text)
{
	*l = (struct pf_ldif){.rest = text};
	pf_buf_init(&l->text, LINE_MAX_BYTES);
}

void pf_ldif_deinit(struct pf_ldif *l)
{
	pf_buf_deinit(&l->text);
}

/* One line of the file without its end, which may be CRLF, LF or CR. */
static struct pf_span take_line(struct pf_ldif *l)
{
	struct pf_span line = l->rest;
	size_t n = 0;

	while (n < line.n && line.p[n] != '\n' && line.p[n] != '\r') {
		n++;
	}
	line.n = n;
	if (n < l->rest.n) {
		n += l->rest.p[n] == '\r' && n + 1 < l->rest.n && l->rest.p[n + 1] == '\n' ? 2 : 1;
	}
	l->rest = pf_span_from(l->rest, n);
	l->line++;
	return line;
}

/* With those that go on with it. PF_FAIL: longer than any line may be, or no memory. */
static int unfold(struct pf_ldif *l, struct pf_span first, struct pf_err *err)
{
	int rc;

	pf_buf_clear(&l->text);
	rc = pf_buf_add(&l->text, first, err);
	while (l->rest.n > 0 && l->rest.p[0] == ' ') {
		struct pf_span more = pf_span_from(take_line(l), 1);

		rc = rc == PF_OK ? pf_buf_add(&l->text, more, err) : rc;
	}
	return rc;
}

static struct pf_span trimmed(struct pf_span s)
{
	while (s.n > 0 && (s.p[0] == ' ' || s.p[0] == '\t')) {
		s = pf_span_from(s, 1);
	}
	while (s.n > 0 && (s.p[s.n - 1] == ' ' || s.p[s.n - 1] == '\t')) {
		s.n--;
	}
	return s;
}

/* The value, decoded behind `text`, where there is room for it. */
static int decode(struct pf_ldif *l, struct pf_span coded, struct pf_span *out, struct pf_err *err)
{
	size_t from = l->text.n;
	struct pf_err why;

	if (pf_base64_decode(coded, &l->text, &why) != PF_OK) {
		return bad(err, "its value is no base64: export the file anew");
	}
	*out = pf_span(l->text.p + from, l->text.n - from);
	return PF_OK;
}

static int split(struct pf_ldif *l, struct pf_ldif_line *out, struct pf_err *err)
{
	const uint8_t *colon, *option;
	struct pf_span line, name, value;

	/* Room for what may be decoded comes first: spans move with the buffer. */
	if (pf_buf_reserve(&l->text, l->text.n + DECODED_MORE, err) != PF_OK) {
		return PF_FAIL;
	}
	line = pf_buf_span(&l->text);
	colon = line.n > 0 ? memchr(line.p, ':', line.n) : NULL;
	if (!colon || colon == line.p || line.p[0] == ';') {
		return bad(err,
			"it is no \"name: value\": a line that goes on with the one before begins "
			"with a blank");
	}
	name = pf_span(line.p, (size_t)(colon - line.p));
	value = pf_span_from(line, name.n + 1);
	option = memchr(name.p, ';', name.n);
	out->name = option ? pf_span(name.p, (size_t)(option - name.p)) : name;
	if (value.n > 0 && value.p[0] == '<') {
		return bad(err, "its value is in a file elsewhere: export it with its values");
	}
	if (value.n > 0 && value.p[0] == ':') {
		return decode(l, trimmed(pf_span_from(value, 1)), &out->value, err);
	}
	out->value = trimmed(value);
	return PF_OK;
}

/* "-" alone separates changes of a record that is no entry. */
static bool is_separator(struct pf_span line)
{
	return line.n == 1 && line.p[0] == '-';
}

int pf_ldif_next(struct pf_ldif *l, struct pf_ldif_line *out, struct pf_err *err)
{
	while (l->rest.n > 0) {
		struct pf_span line = take_line(l);

		*out = (struct pf_ldif_line){.line = l->line};
		if (line.n == 0) {
			if (l->in_record) {
				l->in_record = false;
				out->ends_record = true;
				return PF_OK;
			}
			continue;
		}
		if (unfold(l, line, err) != PF_OK) {
			return PF_FAIL;
		}
		if (line.p[0] == '#' || is_separator(line)) {
			continue;
		}
		l->in_record = true;
		return split(l, out, err);
	}
	*out = (struct pf_ldif_line){.line = l->line, .ends_record = true};
	if (l->in_record) {
		l->in_record = false;
		return PF_OK;
	}
	return PF_END;
}
