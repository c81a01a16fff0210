/*
 * What a MAPI item says: its body as text and as HTML, from whichever of the forms it is kept in
 * ([MS-OXCMSG] 2.2.1.56, [MS-OXBBODY]).
 */
#ifndef PF_CONVERT_MAPI_BODY_H
#define PF_CONVERT_MAPI_BODY_H

#include "model/mapi.h"

/* UTF-8, lines end as they did; absent where there is none. */
struct pf_mapi_bodies {
	struct pf_span text, html;
	bool from_rtf;  /* text or HTML was taken out of PidTagRtfCompressed */
	bool from_html; /* the text was made of the HTML */
	bool damaged;   /* the RTF can't be read, or not all of it */
};

/*
 * HTML is PidTagHtml, or what is encapsulated in the RTF; text is PidTagBody, or that of the RTF,
 * or made from the HTML. One that is blank counts as none. What is borrowed is the item's, the rest
 * is in `arena`. The item's strings must have been decoded. PF_FAIL: no memory; a damaged form is
 * no failure.
 */
PF_MUST_CHECK int pf_mapi_body(const struct pf_mapi_item *item, struct pf_arena *arena,
	struct pf_mapi_bodies *out, struct pf_err *err);

#endif
