/*
 * Content lines, the lexical layer that iCalendar (RFC 5545 section 3.1), vCard (RFC 6350 section
 * 3.3, RFC 2426) and their first versions (vCalendar 1.0, vCard 2.1) share: NAME;PARAM=VALUE:value,
 * folded. Any bytes are read; every line keeps the place where it stands in the input, so that what
 * is not to be changed can be written as it was.
 */
#ifndef PF_PROTO_LINE_LINE_H
#define PF_PROTO_LINE_LINE_H

#include "base/arena.h"
#include "base/buf.h"

struct pf_line {
	struct pf_span raw;    /* as it stands, with its line ends; borrows from the input */
	struct pf_span group;  /* "item1" of "item1.TEL"; absent: none */
	struct pf_span name;   /* as written */
	struct pf_span params; /* from the first ';' to the ':', unfolded; empty: none */
	struct pf_span value;  /* unfolded, escapes as they are */
	uint32_t number;       /* of its first line in the input, from 1 */
	bool bad;              /* no name, or no ':': `value` is all of it */
};

struct pf_lines {
	struct pf_span rest;
	struct pf_arena *arena; /* for lines that are folded */
	uint32_t number;
};

/* A byte order mark at the start is passed over. */
void pf_lines_init(struct pf_lines *l, struct pf_span input, struct pf_arena *arena);
/* PF_OK: the next line that is not empty. PF_END. PF_FAIL: no memory. */
PF_MUST_CHECK int pf_lines_next(struct pf_lines *l, struct pf_line *out, struct pf_err *err);

/*
 * Parameters in their order: name, and value with its quotes off (a list keeps its commas and the
 * quotes within). A parameter of vCard 2.1 without a name ("TEL;HOME") has an empty name.
 */
bool pf_params_next(struct pf_span *rest, struct pf_span *name, struct pf_span *value);
/* The first of this name, ASCII case aside; absent: none. */
struct pf_span pf_params_find(struct pf_span params, const char *name);
/* The values of a list ("a,\"b,c\",d") in their order, quotes off. */
bool pf_list_next(struct pf_span *rest, struct pf_span *value);

/* The next part of a value that is cut at `at` (',' or ';') where no backslash is before it. */
bool pf_value_next(struct pf_span *rest, char at, struct pf_span *part);
/* TEXT (RFC 5545 section 3.3.11): \n, \N, \, \; \\ become what they mean; appended. */
PF_MUST_CHECK int pf_text_unescape(struct pf_span text, struct pf_buf *out, struct pf_err *err);
PF_MUST_CHECK int pf_text_escape(struct pf_span text, struct pf_buf *out, struct pf_err *err);
/* QUOTED-PRINTABLE (RFC 2045 section 6.7), with soft line breaks still in it or not; appended. */
PF_MUST_CHECK int pf_quoted_printable(struct pf_span text, struct pf_buf *out, struct pf_err *err);

/*
 * Append a line, folded at 75 octets and never within a UTF-8 character, with CRLF. `head` is all
 * before the ':'.
 */
PF_MUST_CHECK int pf_line_write(
	struct pf_buf *out, struct pf_span head, struct pf_span value, struct pf_err *err);

/* Whether a TEXT (RFC 5545 section 3.3.11, RFC 6350 section 3.4) has commas or semicolons that no
 * backslash is before, a quotation mark that one is before, or a stray control character. */
bool pf_text_is_loose(struct pf_span v);
/* The same without such: they get a backslash, or lose it; control characters go. */
PF_MUST_CHECK int pf_text_tighten(struct pf_span v, struct pf_buf *out, struct pf_err *err);

#endif
