/*
 * What RTF says: the HTML or text that Outlook and Exchange wrapped in it ([MS-OXRTFEX]), or, of
 * any other RTF, its plain text.
 */
#ifndef PF_CONVERT_RTF_TEXT_H
#define PF_CONVERT_RTF_TEXT_H

#include "base/arena.h"
#include "base/err.h"

enum pf_rtf_kind {
	PF_RTF_OTHER,     /* real RTF; its plain text came out */
	PF_RTF_FROM_TEXT, /* \fromtext */
	PF_RTF_FROM_HTML, /* \fromhtml: HTML came out */
};

/*
 * UTF-8 in `arena`, with CRLF at the ends of lines; any bytes are read. Every \'xx is in the code
 * page of its font, or that of \ansicpg. A charset that the HTML itself names is no longer true.
 * PF_FAIL: not RTF at all (item scope), no memory.
 */
PF_MUST_CHECK int pf_rtf_text(struct pf_span rtf, struct pf_arena *arena, enum pf_rtf_kind *kind,
	struct pf_span *out, struct pf_err *err);

#endif
