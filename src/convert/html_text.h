/*
 * The text of HTML, for those who show no HTML: bodies of items that have no other.
 */
#ifndef PF_CONVERT_HTML_TEXT_H
#define PF_CONVERT_HTML_TEXT_H

#include "base/arena.h"
#include "base/err.h"

/*
 * The words in their order, in `arena`: UTF-8 with CRLF. Blocks stand on lines of their own, what
 * style and script hold is left out, a link's address is put behind its words where they do not say
 * it. Nothing is fetched. PF_FAIL: no memory.
 */
PF_MUST_CHECK int pf_html_text(
	struct pf_span html, struct pf_arena *arena, struct pf_span *out, struct pf_err *err);

#endif
