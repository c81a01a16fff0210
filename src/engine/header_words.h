/*
 * 8-bit octets of a header line made encoded words (RFC 2047), where a field may have them: in
 * unstructured fields, and in the phrases and comments of fields with addresses.
 */
#ifndef PF_ENGINE_HEADER_WORDS_H
#define PF_ENGINE_HEADER_WORDS_H

#include "base/buf.h"

enum pf_field_form {
	PF_FIELD_FIXED, /* encoded words mean nothing there */
	PF_FIELD_TEXT,
	PF_FIELD_ADDRESSES,
};

/* By the name of the field that `line` begins. */
enum pf_field_form pf_field_form(struct pf_span line);

/*
 * The line, or one that continues it, behind `out`; what has to go into further lines is folded
 * with CRLF. *changed false: there was nothing to do, whatever is in `out`. Octets that are not
 * UTF-8 are said to be of an unknown charset (RFC 1428). PF_FAIL: no memory, or past the ceiling.
 */
PF_MUST_CHECK int pf_header_words(struct pf_span line, enum pf_field_form form, struct pf_buf *out,
	bool *changed, struct pf_err *err);

#endif
