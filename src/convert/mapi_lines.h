/*
 * Content lines of iCalendar and vCard, as conversions make them of what others wrote: escaped,
 * quoted and folded, and no line end or control character of theirs gets through.
 */
#ifndef PF_CONVERT_MAPI_LINES_H
#define PF_CONVERT_MAPI_LINES_H

#include "base/buf.h"
#include "model/mapi.h"

struct pf_mapi_lines {
	struct pf_buf *out;
	struct pf_arena *arena; /* borrowed: for texts that have to be decoded */
	struct pf_err *err;
	int rc;     /* after the first failure all calls do nothing */
	size_t cut; /* parameters that were too long, and were cut */
	struct pf_buf head, value;
};

/* Lines go behind what `out` has; its ceiling is theirs. */
void pf_mapi_lines_init(
	struct pf_mapi_lines *o, struct pf_buf *out, struct pf_arena *arena, struct pf_err *err);
/* Ends in any case with this; what went wrong on the way. */
PF_MUST_CHECK int pf_mapi_lines_deinit(struct pf_mapi_lines *o);

/* Whether there is anything in a text but blanks, and control characters, which no TEXT may have.
 */
bool pf_mapi_says(struct pf_span text);

/* A line whose value is ours: "BEGIN", "VEVENT". `head` has its parameters, if any. */
void pf_mapi_linef(struct pf_mapi_lines *o, const char *head, const char *fmt, ...) PF_PRINTF(3, 4);
/* A TEXT; one that says nothing makes no line. */
void pf_mapi_line_text(struct pf_mapi_lines *o, const char *head, struct pf_span text);

/* A line in parts: its name (and parameters that are ours), parameters, and a value: TEXT, as it
 * is, or base64. */
void pf_mapi_line_begin(struct pf_mapi_lines *o, const char *name);
/* Quoted where it has to be, with the signs of RFC 6868; none where it says nothing. */
void pf_mapi_line_param(struct pf_mapi_lines *o, const char *name, struct pf_span value);
/* Adds TEXTs with `between` them to the value; false: none of them says anything. */
bool pf_mapi_line_parts(
	struct pf_mapi_lines *o, const struct pf_span *texts, size_t n, char between);
void pf_mapi_line_value(struct pf_mapi_lines *o, const char *before, struct pf_span value);
void pf_mapi_line_base64(struct pf_mapi_lines *o, struct pf_span bytes);
void pf_mapi_line_end(struct pf_mapi_lines *o);
/* The texts of a value with one or many, as a list; none where none of them says anything. */
void pf_mapi_line_words(struct pf_mapi_lines *o, const char *head, const struct pf_mapi_value *v);

#endif
