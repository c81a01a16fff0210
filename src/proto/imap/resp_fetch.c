/*
 * FETCH rows (RFC 9051 section 7.5.2): items in any order, unknown ones of any shape passed over.
 */
#include "proto/imap/date.h"
#include "proto/imap/resp_private.h"

/* A number in parentheses or without (MODSEQ). */
static bool paren_number(struct pf_lex *l, uint64_t *n)
{
	bool paren = pf_lex_take(l, '(');

	pf_lex_blanks(l);
	if (!pf_lex_number(l, n)) {
		return false;
	}
	pf_lex_blanks(l);
	return !paren || pf_lex_expect(l, ')');
}

static bool item_uid(struct pf_lex *l, struct pf_imap_fetch *f)
{
	uint64_t n = 0;

	if (!pf_lex_number(l, &n)) {
		return false;
	}
	if (n == 0 || n > UINT32_MAX) {
		return pf_lex_fail(l, "a UID from 1 to 4294967295");
	}
	f->uid = (uint32_t)n;
	f->has |= PF_IMAP_HAS_UID;
	return true;
}

static bool item_flags(struct pf_lex *l, struct pf_imap_fetch *f)
{
	f->has |= PF_IMAP_HAS_FLAGS;
	if (pf_lex_peek(l) == '(') {
		return pf_lex_list(l, &f->flags);
	}
	if (pf_span_is(pf_lex_atom(l), "NIL")) {
		f->flags = pf_span("", 0);
		return true;
	}
	return pf_lex_fail(l, "a list of flags");
}

/* Sizes that make no sense (negative, with a point, none) are as good as not said: they are never
 * relied on. */
static bool item_size(struct pf_lex *l, struct pf_imap_fetch *f)
{
	struct pf_lex_string s;

	if (!pf_lex_string(l, " \t()", &s)) {
		return false;
	}
	if (!s.nil && pf_lex_parse_number(s.bytes, &f->size)) {
		f->has |= PF_IMAP_HAS_SIZE;
	}
	return true;
}

static bool item_date(struct pf_lex *l, struct pf_imap_fetch *f)
{
	struct pf_lex_string s;

	if (!pf_lex_string(l, " \t()", &s)) {
		return false;
	}
	f->date_raw = s.bytes;
	if (s.bytes.p && pf_imap_date_parse(s.bytes, &f->date_utc_s, &f->zone_min)) {
		f->has |= PF_IMAP_HAS_DATE;
	} else {
		f->date_utc_s = PF_DATE_NONE;
	}
	return true;
}

static bool item_modseq(struct pf_lex *l, struct pf_imap_fetch *f)
{
	f->has |= PF_IMAP_HAS_MODSEQ;
	return paren_number(l, &f->modseq);
}

static bool item_gm_msgid(struct pf_lex *l, struct pf_imap_fetch *f)
{
	f->has |= PF_IMAP_HAS_GM;
	return pf_lex_number(l, &f->gm_msgid);
}

static bool item_gm_thrid(struct pf_lex *l, struct pf_imap_fetch *f)
{
	return pf_lex_number(l, &f->gm_thrid);
}

static bool item_gm_labels(struct pf_lex *l, struct pf_imap_fetch *f)
{
	return pf_lex_peek(l) == '(' ? pf_lex_list(l, &f->gm_labels) : pf_lex_skip(l);
}

static const struct {
	const char *name;
	bool (*take)(struct pf_lex *l, struct pf_imap_fetch *f);
} ITEMS[] = {
	{"UID", item_uid},
	{"FLAGS", item_flags},
	{"RFC822.SIZE", item_size},
	{"INTERNALDATE", item_date},
	{"MODSEQ", item_modseq},
	{"X-GM-MSGID", item_gm_msgid},
	{"X-GM-THRID", item_gm_thrid},
	{"X-GM-LABELS", item_gm_labels},
};

/* "[" section "]" with lists, strings and literals in it, and "<origin>". */
static bool section(struct pf_lex *l, struct pf_imap_body *b)
{
	size_t from = ++l->at;

	while (!pf_lex_end(l) && pf_lex_peek(l) != ']') {
		struct pf_lex_string s;

		if (pf_lex_peek(l) == '"' || pf_lex_peek(l) == '{') {
			if (!pf_lex_string(l, " ()]", &s)) {
				return false;
			}
		} else {
			l->at++;
		}
	}
	b->section = pf_span(l->text.p + from, l->at - from);
	if (!pf_lex_expect(l, ']')) {
		return false;
	}
	if (pf_lex_take(l, '<')) {
		return pf_lex_number(l, &b->origin) && pf_lex_expect(l, '>');
	}
	return true;
}

/* The part that a name stands for; false: it is no part of the message. */
static bool body_name(struct pf_span name, struct pf_imap_body *b, bool *bracket)
{
	*bracket = false;
	if (pf_span_is(name, "RFC822")) {
		b->section = pf_span("", 0);
	} else if (pf_span_is(name, "RFC822.HEADER")) {
		b->section = pf_span("HEADER", 6);
	} else if (pf_span_is(name, "RFC822.TEXT")) {
		b->section = pf_span("TEXT", 4);
	} else if (pf_span_is(name, "BODY") || pf_span_is(name, "BODY.PEEK")) {
		*bracket = true;
	} else if (pf_span_is(name, "BINARY") || pf_span_is(name, "BINARY.PEEK")) {
		*bracket = true;
		b->binary = true;
	} else {
		return false;
	}
	return true;
}

static bool value(struct pf_lex *l, struct pf_imap_fetch *f, struct pf_imap_body *b)
{
	struct pf_lex_string s;

	pf_lex_blanks(l);
	if (!pf_lex_string(l, " \t()", &s)) {
		return false;
	}
	b->nil = s.nil;
	b->streamed = s.streamed;
	b->size = s.size;
	b->bytes = s.bytes;
	f->has |= PF_IMAP_HAS_BODY;
	if (f->bodies < PF_IMAP_BODIES_MAX) {
		f->body[f->bodies++] = *b;
	}
	return true;
}

static bool item(struct pf_lex *l, struct pf_imap_fetch *f)
{
	struct pf_span name = pf_lex_until(l, " \t()[\r\n");
	struct pf_imap_body b = {.section = {NULL, 0}};
	bool bracket = false;

	if (name.n == 0) {
		return pf_lex_fail(l, "the name of a data item");
	}
	if (body_name(name, &b, &bracket)) {
		if (bracket && pf_lex_peek(l) == '[') {
			return section(l, &b) && value(l, f, &b);
		}
		if (!bracket) {
			return value(l, f, &b);
		}
	}
	if (pf_lex_peek(l) == '[') { /* BINARY.SIZE[1] and what else may come */
		if (!section(l, &b)) {
			return false;
		}
	}
	pf_lex_blanks(l);
	for (size_t i = 0; i < PF_COUNT(ITEMS); i++) {
		if (pf_span_is(name, ITEMS[i].name)) {
			return ITEMS[i].take(l, f);
		}
	}
	return pf_lex_skip(l);
}

bool pf_resp_fetch(struct pf_lex *l, struct pf_imap_fetch *f)
{
	if (!pf_lex_expect(l, '(')) {
		return false;
	}
	for (;;) {
		pf_lex_blanks(l);
		if (pf_lex_take(l, ')')) {
			return true;
		}
		if (!item(l, f)) {
			return false;
		}
	}
}

bool pf_imap_fetch_peek(struct pf_span text, uint32_t *seq, uint32_t *uid, struct pf_span *part)
{
	/* The text ends within the row: the items before the literal are whole, the last one has a
	 * name only. */
	struct pf_imap_piece piece = {.text = text};
	struct pf_imap_fetch f = {.uid = 0};
	struct pf_imap_body b = {.section = {NULL, 0}};
	struct pf_lex l;
	uint64_t n = 0;
	bool bracket;

	pf_lex_init(&l, &piece, NULL, NULL);
	if (!pf_lex_take(&l, '*')) {
		return false;
	}
	pf_lex_blanks(&l);
	if (!pf_lex_number(&l, &n)) {
		return false;
	}
	pf_lex_blanks(&l);
	if (!pf_span_is(pf_lex_atom(&l), "FETCH")) {
		return false;
	}
	pf_lex_blanks(&l);
	if (!pf_lex_take(&l, '(')) {
		return false;
	}
	for (;;) {
		struct pf_lex mark;
		struct pf_span name;

		pf_lex_blanks(&l);
		mark = l;
		name = pf_lex_until(&l, " \t()[\r\n");
		if (name.n == 0) {
			return false;
		}
		if (body_name(name, &b, &bracket) &&
			(!bracket || (pf_lex_peek(&l) == '[' && section(&l, &b)))) {
			pf_lex_blanks(&l);
			if (pf_lex_peek(&l) == '{' || pf_lex_peek(&l) == '~') {
				struct pf_span rest = pf_lex_rest(&l);
				const uint8_t *lf = memchr(rest.p, '\n', rest.n);

				if (lf && (size_t)(lf - rest.p) + 1 == rest.n) {
					break; /* this is the literal that begins */
				}
			}
		}
		l = mark;
		if (!item(&l, &f)) {
			return false;
		}
	}
	*seq = n > UINT32_MAX ? 0 : (uint32_t)n;
	*uid = f.uid;
	*part = b.section;
	return true;
}
