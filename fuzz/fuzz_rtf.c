/*
 * RTF, packed or not: whatever it is, what comes out is UTF-8 without NUL, bounded by what went in;
 * the HTML that was in it gives some text.
 */
#include "base/defs.h"
#include "base/utf8.h"
#include "convert/html_text.h"
#include "convert/rtf_lz.h"
#include "convert/rtf_text.h"
#include "sum.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct pf_span rtf = pf_span(data, size), out;
	struct pf_arena arena;
	enum pf_rtf_kind kind;
	struct pf_err err;
	bool whole;

	pf_arena_init(&arena);
	if (pf_rtf_unpack(rtf, &arena, &out, &whole, &err) == PF_OK) {
		pf_assert(out.n <= 9 * size);
		rtf = out;
	}
	if (pf_rtf_text(rtf, &arena, &kind, &out, &err) == PF_OK) {
		pf_assert(pf_utf8_valid(out) && out.n <= 16 * rtf.n + 16);
		pf_assert(out.n == 0 || !memchr(out.p, 0, out.n));
		if (kind == PF_RTF_FROM_HTML) {
			pf_assert(pf_html_text(out, &arena, &out, &err) == PF_OK);
		}
	} else {
		pf_assert(err.scope == PF_SCOPE_ITEM);
	}
	pf_arena_deinit(&arena);
	return 0;
}
