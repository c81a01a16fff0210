/*
 * FETCH rows (RFC 9051 section 7.5.2): items in any order, unknown ones of any shape passed over.
 */
#include "base/date_text.h"
#include "proto/imap/resp_private.h"

static const char ITEM_END[] = " \t()[\r\n"; /* of the name of an item */

/* A row whose UID can't be one is not taken: there is no message that it could be for. */
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
	if (pf_lex_peek(l) == '"') { /* one, without a list */
		size_t from = l->at;

		if (!pf_lex_skip(l)) {
			return false;
		}
		f->flags = pf_span(l->text.p + from, l->at - from);
		return true;
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
	bool found = false;

	if (!pf_lex_maybe_number(l, &f->size, &found)) {
		return false;
	}
	f->has |= PF_IMAP_SAID_SIZE | (found ? PF_IMAP_HAS_SIZE : 0);
	return true;
}

static bool item_date(struct pf_lex *l, struct pf_imap_fetch *f)
{
	struct pf_lex_string s;

	if (!pf_lex_optional(l, &s)) {
		return false;
	}
	f->date_raw = s.bytes;
	f->has |= PF_IMAP_SAID_DATE;
	if (s.bytes.p && pf_date_parse(s.bytes, &f->date_utc_s, &f->zone_min)) {
		f->has |= PF_IMAP_HAS_DATE;
	} else {
		f->date_utc_s = PF_DATE_NONE;
	}
	return true;
}

static bool item_modseq(struct pf_lex *l, struct pf_imap_fetch *f)
{
	bool found = false;

	if (!pf_lex_maybe_number(l, &f->modseq, &found)) {
		return false;
	}
	f->has |= found ? PF_IMAP_HAS_MODSEQ : 0;
	return true;
}

static bool item_gm_msgid(struct pf_lex *l, struct pf_imap_fetch *f)
{
	bool found = false;

	if (!pf_lex_maybe_number(l, &f->gm_msgid, &found)) {
		return false;
	}
	f->has |= found ? PF_IMAP_HAS_GM : 0;
	return true;
}

static bool item_gm_thrid(struct pf_lex *l, struct pf_imap_fetch *f)
{
	bool found;

	return pf_lex_maybe_number(l, &f->gm_thrid, &found);
}

/* A list that is taken apart by who asked for it; anything else in its place is passed over. */
static bool list_or_other(struct pf_lex *l, struct pf_span *inside)
{
	struct pf_lex_string s;

	return pf_lex_peek(l) == '(' ? pf_lex_list(l, inside) : pf_lex_optional(l, &s);
}

static bool item_gm_labels(struct pf_lex *l, struct pf_imap_fetch *f)
{
	return list_or_other(l, &f->gm_labels);
}

static bool item_envelope(struct pf_lex *l, struct pf_imap_fetch *f)
{
	return list_or_other(l, &f->envelope);
}

static bool item_structure(struct pf_lex *l, struct pf_imap_fetch *f)
{
	return list_or_other(l, &f->structure);
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
	{"ENVELOPE", item_envelope},
	{"BODYSTRUCTURE", item_structure},
};

/* "[" section "]" with lists, strings and literals in it, and "<origin>". */
static bool section(struct pf_lex *l, struct pf_imap_body *b)
{
	size_t from = ++l->at;

	while (!pf_lex_end(l) && pf_lex_peek(l) != ']') {
		struct pf_lex_string s;

		if (pf_lex_at_string(l)) {
			if (!pf_lex_string(l, "", &s)) {
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
		if (!pf_lex_number(l, &b->origin)) {
			return false;
		}
		(void)pf_lex_until(l, "> \t()"); /* "<0.2048>", as it was asked */
		return pf_lex_expect(l, '>');
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

/* The bytes of a part. An atom is no part: it is the name of the next item, the value having been
 * left out (Yandex does so for a part that is empty). */
static bool value(struct pf_lex *l, struct pf_imap_fetch *f, struct pf_imap_body *b)
{
	struct pf_lex_string s;
	size_t from;

	pf_lex_blanks(l);
	from = l->at;
	if (pf_lex_at_string(l)) {
		if (!pf_lex_string(l, "", &s)) {
			return false;
		}
	} else if (!pf_lex_optional(l, &s)) {
		return false;
	} else if (!s.nil) {
		l->at = from;
		s = (struct pf_lex_string){.nil = true};
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

static bool is_item(struct pf_span name)
{
	struct pf_imap_body b;
	bool bracket;

	for (size_t i = 0; i < PF_COUNT(ITEMS); i++) {
		if (pf_span_is(name, ITEMS[i].name)) {
			return true;
		}
	}
	return body_name(name, &b, &bracket);
}

/* The value of an item that we don't know, whatever it is; perhaps it has none. */
static bool pass_value(struct pf_lex *l)
{
	struct pf_lex after = *l;

	if (pf_lex_end(l) || pf_lex_peek(l) == ')') {
		return true;
	}
	if (is_item(pf_lex_until(&after, ITEM_END))) {
		return true;
	}
	return pf_lex_skip(l);
}

static bool item(struct pf_lex *l, struct pf_imap_fetch *f)
{
	struct pf_span name = pf_lex_until(l, ITEM_END);
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
	return pass_value(l);
}

/*
 * Items up to the end. Parentheses about an item (Domino puts ENVELOPE in some) or too many closing
 * ones (behind a broken BODYSTRUCTURE) hide nothing of what follows.
 */
bool pf_resp_fetch(struct pf_lex *l, struct pf_imap_fetch *f)
{
	int open = 1;

	if (!pf_lex_expect(l, '(')) {
		return false;
	}
	for (;;) {
		pf_lex_blanks(l);
		if (pf_lex_end(l)) {
			return open <= 0 || pf_lex_fail(l, "\")\"");
		}
		if (pf_lex_take(l, ')')) {
			open--;
		} else if (pf_lex_take(l, '(')) {
			open++;
		} else if (!item(l, f)) {
			return false;
		}
	}
}

/* "* 12 FETCH (" */
static bool begin_row(struct pf_lex *l, uint64_t *seq)
{
	pf_lex_blanks(l);
	if (!pf_lex_take(l, '*')) {
		return false;
	}
	pf_lex_blanks(l);
	if (!pf_lex_number(l, seq)) {
		return false;
	}
	pf_lex_blanks(l);
	if (!pf_span_is(pf_lex_atom(l), "FETCH")) {
		return false;
	}
	pf_lex_blanks(l);
	return pf_lex_take(l, '(');
}

/* Whether the part `name` is what is left of the text, up to the literal's "{n}" at its end. */
static bool is_last(struct pf_lex *l, struct pf_span name, struct pf_imap_body *b)
{
	bool bracket;
	struct pf_span rest;
	const uint8_t *lf;

	if (!body_name(name, b, &bracket) ||
		(bracket && (pf_lex_peek(l) != '[' || !section(l, b)))) {
		return false;
	}
	pf_lex_blanks(l);
	rest = pf_lex_rest(l);
	lf = rest.n > 0 ? memchr(rest.p, '\n', rest.n) : NULL;
	return pf_lex_at_string(l) && pf_lex_peek(l) != '"' && lf == rest.p + rest.n - 1;
}

bool pf_imap_fetch_peek(
	const struct pf_imap_piece *head, uint32_t *seq, uint32_t *uid, struct pf_span *part)
{
	/* The text ends within the row: the items before the literal are whole, the last one has a
	 * name only. */
	struct pf_imap_fetch f = {.uid = 0};
	struct pf_imap_body b = {.section = {NULL, 0}};
	struct pf_lex l;
	uint64_t n = 0;

	pf_lex_init(&l, head, NULL, NULL);
	if (!begin_row(&l, &n)) {
		return false;
	}
	for (;;) {
		struct pf_lex before;

		pf_lex_blanks(&l);
		if (pf_lex_take(&l, '(') || pf_lex_take(&l, ')')) {
			continue;
		}
		before = l;
		if (is_last(&l, pf_lex_until(&l, ITEM_END), &b)) {
			break;
		}
		l = before;
		if (!item(&l, &f)) {
			return false;
		}
	}
	*seq = n > UINT32_MAX ? 0 : (uint32_t)n;
	*uid = f.uid;
	*part = b.section;
	return true;
}
