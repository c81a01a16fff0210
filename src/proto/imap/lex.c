#include "proto/imap/lex.h"

enum {
	DEPTH_MAX = 100,
	UNREADABLE = 14001, /* the event number that administrators know (KB902237) */
};

void pf_lex_init(struct pf_lex *l, const struct pf_imap_piece *piece, struct pf_arena *arena,
	struct pf_err *err)
{
	*l = (struct pf_lex){.text = piece->text,
		.cuts = piece->cuts,
		.cut_count = piece->cut_count,
		.arena = arena,
		.err = err};
}

bool pf_lex_fail(struct pf_lex *l, const char *expected)
{
	if (!l->failed && l->err) {
		(void)pf_fail(l->err, PF_SCOPE_ITEM, PF_RETRY_NO,
			"Error interpreting response from IMAP server: at octet %zu, %s was "
			"expected",
			l->at, expected);
		l->err->number = UNREADABLE;
	}
	l->failed = true;
	return false;
}

void pf_lex_blanks(struct pf_lex *l)
{
	while (pf_lex_is_blank(pf_lex_peek(l))) {
		l->at++;
	}
}

bool pf_lex_take(struct pf_lex *l, char c)
{
	if (pf_lex_end(l) || l->text.p[l->at] != (uint8_t)c) {
		return false;
	}
	l->at++;
	return true;
}

bool pf_lex_expect(struct pf_lex *l, char c)
{
	char what[] = "\" \"";

	what[1] = c;
	return pf_lex_take(l, c) || pf_lex_fail(l, what);
}

struct pf_span pf_lex_until(struct pf_lex *l, const char *stops)
{
	uint64_t set[4] = {0}; /* a bit for each octet */
	size_t from = l->at;

	for (const char *s = stops; *s; s++) {
		set[(uint8_t)*s >> 6] |= (uint64_t)1 << ((uint8_t)*s & 63);
	}
	while (!pf_lex_end(l) && !(set[l->text.p[l->at] >> 6] >> (l->text.p[l->at] & 63) & 1)) {
		l->at++;
	}
	return pf_span(l->text.p + from, l->at - from);
}

struct pf_span pf_lex_atom(struct pf_lex *l)
{
	return pf_lex_until(l, " \t()\r\n");
}

bool pf_lex_parse_number(struct pf_span s, uint64_t *n)
{
	uint64_t sum = 0;

	*n = 0;
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] < '0' || s.p[i] > '9' || sum > (UINT64_MAX - 9) / 10) {
			return false;
		}
		sum = sum * 10 + (uint64_t)(s.p[i] - '0');
	}
	*n = sum;
	return s.n > 0;
}

bool pf_lex_number(struct pf_lex *l, uint64_t *n)
{
	size_t from = l->at;

	while (pf_lex_peek(l) >= '0' && pf_lex_peek(l) <= '9') {
		l->at++;
	}
	return pf_lex_parse_number(pf_span(l->text.p + from, l->at - from), n) ||
	       pf_lex_fail(l, "a number");
}

bool pf_lex_unescape(struct pf_lex *l, struct pf_span inside, struct pf_span *out)
{
	uint8_t *copy;
	size_t n = 0;

	*out = inside;
	if (inside.n == 0 || !memchr(inside.p, '\\', inside.n) || !l->arena) {
		return true; /* no arena: only its end is looked for */
	}
	copy = pf_arena_alloc(l->arena, inside.n);
	if (!copy) {
		return pf_lex_fail(l, "memory for a string");
	}
	for (size_t i = 0; i < inside.n; i++) {
		i += inside.p[i] == '\\' && i + 1 < inside.n &&
		     (inside.p[i + 1] == '"' || inside.p[i + 1] == '\\');
		copy[n++] = inside.p[i];
	}
	*out = pf_span(copy, n);
	return true;
}

static bool quoted(struct pf_lex *l, struct pf_span *out)
{
	size_t from = ++l->at;
	struct pf_span inside;

	while (!pf_lex_end(l) && l->text.p[l->at] != '"') {
		l->at += l->text.p[l->at] == '\\' && l->at + 1 < l->text.n;
		l->at++;
	}
	inside = pf_span(l->text.p + from, l->at - from);
	return pf_lex_expect(l, '"') && pf_lex_unescape(l, inside, out);
}

/* "{12}", line end, and the bytes, unless they went by as pieces. */
static bool literal(struct pf_lex *l, struct pf_lex_string *out)
{
	uint64_t n = 0;

	(void)pf_lex_take(l, '~');
	if (!pf_lex_expect(l, '{') || !pf_lex_number(l, &n)) {
		return false;
	}
	(void)pf_lex_take(l, '+');
	if (!pf_lex_expect(l, '}')) {
		return false;
	}
	while (pf_lex_take(l, '\r')) {
	}
	if (!pf_lex_expect(l, '\n')) {
		return false;
	}
	out->size = n;
	for (size_t i = 0; i < l->cut_count; i++) {
		if (l->cuts[i].at == l->at) {
			out->streamed = true;
			return true;
		}
	}
	if (n > l->text.n - l->at) {
		return pf_lex_fail(l, "all of a literal");
	}
	out->bytes = pf_span(l->text.p + l->at, (size_t)n);
	l->at += (size_t)n;
	return true;
}

/* Whether a literal begins here; a name like "{x" as an atom does not. */
static bool at_literal(const struct pf_lex *l)
{
	size_t i = l->at + (pf_lex_peek(l) == '~');

	if (i >= l->text.n || l->text.p[i] != '{') {
		return false;
	}
	for (i++; i < l->text.n && l->text.p[i] >= '0' && l->text.p[i] <= '9'; i++) {
	}
	i += i < l->text.n && l->text.p[i] == '+';
	return i + 1 < l->text.n && l->text.p[i] == '}' &&
	       (l->text.p[i + 1] == '\r' || l->text.p[i + 1] == '\n');
}

bool pf_lex_string(struct pf_lex *l, const char *stops, struct pf_lex_string *out)
{
	*out = (struct pf_lex_string){.bytes = {NULL, 0}};
	if (pf_lex_peek(l) == '"') {
		if (!quoted(l, &out->bytes)) {
			return false;
		}
		out->size = out->bytes.n;
		return true;
	}
	if (at_literal(l)) {
		return literal(l, out);
	}
	out->bytes = pf_lex_until(l, stops);
	out->size = out->bytes.n;
	if (pf_span_is(out->bytes, "NIL")) {
		out->nil = true;
		out->bytes = pf_span(NULL, 0);
		out->size = 0;
		return true;
	}
	return out->bytes.n > 0 || pf_lex_fail(l, "a string");
}

bool pf_lex_at_string(const struct pf_lex *l)
{
	return pf_lex_peek(l) == '"' || at_literal(l);
}

bool pf_lex_optional(struct pf_lex *l, struct pf_lex_string *out)
{
	*out = (struct pf_lex_string){.nil = true};
	return pf_lex_end(l) || pf_lex_peek(l) == ')' || pf_lex_string(l, " \t()", out);
}

/* A word that begins with a letter is no attempt at a number. */
static bool is_name(struct pf_span s)
{
	return s.n > 0 && (s.p[0] | 0x20) >= 'a' && (s.p[0] | 0x20) <= 'z';
}

bool pf_lex_maybe_number(struct pf_lex *l, uint64_t *n, bool *found)
{
	struct pf_lex before = *l;
	struct pf_lex_string s;
	struct pf_span inside;

	if (pf_lex_take(&before, '(')) {
		if (!pf_lex_list(l, &inside)) {
			return false;
		}
		pf_lex_blanks(&before);
		*found = pf_lex_parse_number(pf_lex_atom(&before), n);
		return true;
	}
	if (!pf_lex_optional(l, &s)) {
		return false;
	}
	*found = !s.nil && pf_lex_parse_number(s.bytes, n);
	if (!s.nil && !pf_lex_at_string(&before) && is_name(s.bytes)) {
		l->at = before.at;
	}
	return true;
}

/* One atom, whatever it is made of; a quote within it begins no string. */
static void pass_atom(struct pf_lex *l)
{
	do {
		l->at++;
	} while (!pf_lex_end(l) && !pf_lex_is(l->text.p[l->at], " \t()") && !at_literal(l));
}

bool pf_lex_list(struct pf_lex *l, struct pf_span *inside)
{
	size_t from = l->at + 1;
	int depth = 0;

	if (pf_lex_peek(l) != '(') {
		return pf_lex_fail(l, "\"(\"");
	}
	do {
		struct pf_lex_string s;
		uint8_t c;

		pf_lex_blanks(l);
		c = pf_lex_peek(l);
		if (pf_lex_end(l) || depth > DEPTH_MAX) {
			return pf_lex_fail(l, "\")\"");
		}
		if (c == '(' || c == ')') {
			depth += c == '(' ? 1 : -1;
			l->at++;
		} else if (pf_lex_at_string(l)) {
			if (!pf_lex_string(l, "", &s)) {
				return false;
			}
		} else {
			pass_atom(l);
		}
	} while (depth > 0);
	*inside = pf_span(l->text.p + from, l->at - 1 - from);
	return true;
}

bool pf_lex_skip(struct pf_lex *l)
{
	struct pf_lex_string s;
	struct pf_span inside;

	return pf_lex_peek(l) == '(' ? pf_lex_list(l, &inside) : pf_lex_string(l, " \t()", &s);
}

struct pf_span pf_lex_rest(const struct pf_lex *l)
{
	return pf_span_from(l->text, l->at);
}
