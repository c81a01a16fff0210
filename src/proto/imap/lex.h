/*
 * Taking a response apart: atoms, numbers, strings, lists (RFC 9051 section 9). Works on the text
 * of one framed response; long literals are not in it and are known by their place.
 */
#ifndef PF_PROTO_IMAP_LEX_H
#define PF_PROTO_IMAP_LEX_H

#include "base/arena.h"
#include "base/err.h"
#include "proto/imap/frame.h"

struct pf_lex {
	struct pf_span text;
	size_t at;
	const struct pf_imap_cut *cuts;
	size_t cut_count;
	struct pf_arena *arena;
	struct pf_err *err; /* of the first failure */
	bool failed;
};

/* A string of any form: atom, quoted, literal, literal8, or NIL. */
struct pf_lex_string {
	struct pf_span bytes; /* p == NULL for NIL; absent for a streamed literal */
	bool nil, streamed;
	uint64_t size; /* of a streamed one, else bytes.n */
};

void pf_lex_init(struct pf_lex *l, const struct pf_imap_piece *piece, struct pf_arena *arena,
	struct pf_err *err);

/* 14001: what was expected is not there. Returns false, always. */
bool pf_lex_fail(struct pf_lex *l, const char *expected);

/* Whether `c` is one of `chars`; a NUL never is. */
static inline bool pf_lex_is(uint8_t c, const char *chars)
{
	return c != '\0' && strchr(chars, c) != NULL;
}

static inline bool pf_lex_is_blank(uint8_t c)
{
	return c == ' ' || c == '\t';
}

static inline bool pf_lex_end(const struct pf_lex *l)
{
	return l->at >= l->text.n;
}

/* 0 at the end. */
static inline uint8_t pf_lex_peek(const struct pf_lex *l)
{
	return pf_lex_end(l) ? 0 : l->text.p[l->at];
}

/* Blanks and tabs, any number of them. */
void pf_lex_blanks(struct pf_lex *l);
/* Take `c` if it is there. */
bool pf_lex_take(struct pf_lex *l, char c);
bool pf_lex_expect(struct pf_lex *l, char c);
/* What lies before the next byte of `stops` (or the end); may be empty. */
struct pf_span pf_lex_until(struct pf_lex *l, const char *stops);
/* An atom: up to a blank, a parenthesis or the end. */
struct pf_span pf_lex_atom(struct pf_lex *l);
bool pf_lex_number(struct pf_lex *l, uint64_t *n);
/* Quoted, literal, or else an atom up to one of `stops`; NIL is nil only as an atom. */
bool pf_lex_string(struct pf_lex *l, const char *stops, struct pf_lex_string *out);
/* The same, where a server may have left the string out: nil when the list or the text ends here.
 */
bool pf_lex_optional(struct pf_lex *l, struct pf_lex_string *out);
/* Whether a quoted string or a literal begins here: what needs no guess where it ends. */
bool pf_lex_at_string(const struct pf_lex *l);
/* `inside` of a quoted string without its escapes: \" and \\ only, as others don't exist and stand
 * for themselves. In the arena if there were any; false: no memory. */
bool pf_lex_unescape(struct pf_lex *l, struct pf_span inside, struct pf_span *out);
/* Take "(...)" with all that is nested in it; `inside` is what lies between. */
bool pf_lex_list(struct pf_lex *l, struct pf_span *inside);
/* Pass over one value of any shape. */
bool pf_lex_skip(struct pf_lex *l);
/* The rest of the text. */
struct pf_span pf_lex_rest(const struct pf_lex *l);

/* A number where a server may have sent anything else (nothing, NIL, a negative one, one with a
 * point), in parentheses or not: what is there is passed over, unless it is the name of the next
 * item. *found: it is a number. */
bool pf_lex_maybe_number(struct pf_lex *l, uint64_t *n, bool *found);

/* A decimal number that is all of `s`. */
bool pf_lex_parse_number(struct pf_span s, uint64_t *n);

#endif
