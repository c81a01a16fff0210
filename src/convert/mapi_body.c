#include "convert/mapi_body.h"

#include "base/utf8.h"
#include "convert/html_text.h"
#include "convert/rtf_lz.h"
#include "convert/rtf_text.h"
#include "model/mapi_tags.h"

enum { CP_UTF8 = 65001, CP_UTF16 = 1200, LOOK_FOR_CHARSET = 2048 };

static bool is_blank(struct pf_span s)
{
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] != 0 && !pf_ascii_space(s.p[i])) {
			return false;
		}
	}
	return true;
}

static uint32_t page_of(const struct pf_mapi_item *item, uint16_t tag)
{
	int64_t page;

	return pf_mapi_number(pf_mapi_tag(&item->props, tag), &page) && page > 0 &&
			       page <= UINT16_MAX
		       ? (uint32_t)page
		       : 0;
}

/* Whether the HTML itself says that it is UTF-8. */
static bool says_utf8(struct pf_span html)
{
	size_t most = html.n < LOOK_FOR_CHARSET ? html.n : LOOK_FOR_CHARSET;

	for (size_t i = 0; i < most; i++) {
		struct pf_span at = pf_span_from(html, i);

		if (pf_span_starts(at, "charset=utf-8") || pf_span_starts(at, "charset=\"utf-8")) {
			return true;
		}
	}
	return false;
}

/* The page of bytes that are HTML: the item's, if it tells; what can be seen; the strings'. */
static uint32_t html_page(const struct pf_mapi_item *item, struct pf_span html)
{
	uint32_t told = page_of(item, PF_TAG_INTERNET_CODEPAGE);

	if (html.n >= 2 && html.p[0] == 0xFF && html.p[1] == 0xFE) {
		return CP_UTF16;
	}
	if (told == CP_UTF16) { /* of the strings: HTML in it would begin with its mark */
		told = html.n >= 2 && html.p[1] == 0 ? CP_UTF16 : 0;
	}
	if (told == 0 && (says_utf8(html) || pf_utf8_valid(html))) {
		told = CP_UTF8;
	}
	told = told ? told : page_of(item, PF_TAG_MESSAGE_CODEPAGE);
	return told ? told : item->code_page;
}

static int take_html(const struct pf_mapi_item *item, struct pf_arena *arena,
	struct pf_mapi_bodies *out, struct pf_err *err)
{
	const struct pf_mapi_value *v = pf_mapi_tag(&item->props, PF_TAG_HTML);
	struct pf_span html = v && v->type == PF_MAPI_STRING ? pf_mapi_text(v) : pf_mapi_bytes(v);

	if (!v || is_blank(html)) {
		return PF_OK;
	}
	if (pf_span_starts(html, "\xEF\xBB\xBF")) {
		html = pf_span_from(html, 3);
	} else if (v->type != PF_MAPI_STRING) {
		uint32_t page = html_page(item, html);

		if (html.p[0] == 0xFF && page == CP_UTF16) {
			html = pf_span_from(html, 2);
		}
		if (pf_mapi_decode(arena, page, html, &html, err) != PF_OK) {
			return PF_FAIL;
		}
	}
	out->html = html;
	return PF_OK;
}

/* What the RTF has that is still missing. */
static int take_rtf(const struct pf_mapi_item *item, struct pf_arena *arena,
	struct pf_mapi_bodies *out, struct pf_err *err)
{
	struct pf_span packed = pf_mapi_bytes(pf_mapi_tag(&item->props, PF_TAG_RTF_COMPRESSED));
	struct pf_span rtf, said;
	enum pf_rtf_kind kind;
	struct pf_err why;
	bool whole;
	int rc;

	if (packed.n == 0) {
		return PF_OK;
	}
	rc = pf_rtf_unpack(packed, arena, &rtf, &whole, &why);
	out->damaged = rc != PF_OK || !whole;
	rc = rc == PF_OK ? pf_rtf_text(rtf, arena, &kind, &said, &why) : rc;
	if (rc != PF_OK) {
		if (err && why.scope != PF_SCOPE_ITEM) {
			*err = why;
		}
		out->damaged = true;
		return why.scope == PF_SCOPE_ITEM ? PF_OK : PF_FAIL;
	}
	if (is_blank(said)) {
		return PF_OK;
	}
	if (kind == PF_RTF_FROM_HTML && !out->html.p) {
		out->html = said;
		out->from_rtf = true;
	} else if (kind != PF_RTF_FROM_HTML && !out->text.p) {
		out->text = said;
		out->from_rtf = true;
	}
	return PF_OK;
}

int pf_mapi_body(const struct pf_mapi_item *item, struct pf_arena *arena,
	struct pf_mapi_bodies *out, struct pf_err *err)
{
	struct pf_span text = pf_mapi_text(pf_mapi_tag(&item->props, PF_TAG_BODY));

	*out = (struct pf_mapi_bodies){.text = is_blank(text) ? pf_span(NULL, 0) : text};
	if (take_html(item, arena, out, err) != PF_OK) {
		return PF_FAIL;
	}
	if ((!out->html.p || !out->text.p) && take_rtf(item, arena, out, err) != PF_OK) {
		return PF_FAIL;
	}
	if (out->html.p && !out->text.p) {
		if (pf_html_text(out->html, arena, &text, err) != PF_OK) {
			return PF_FAIL;
		}
		if (!is_blank(text)) {
			out->text = text;
			out->from_html = true;
		}
	}
	return PF_OK;
}
