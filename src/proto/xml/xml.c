#include "proto/xml/xml.h"

#include "base/utf8.h"

#include <ctype.h>
#include <stdlib.h>

bool xml_is(const xmlNode *n, const char *name)
{
	return n->type == XML_ELEMENT_NODE && strcmp((const char *)n->name, name) == 0;
}

bool xml_is_dav(const xmlNode *n, const char *name)
{
	return xml_is(n, name) && n->ns && strcmp((const char *)n->ns->href, NS_DAV) == 0;
}

xmlNode *xml_child(const xmlNode *n, const char *name)
{
	for (xmlNode *c = n ? n->children : NULL; c; c = c->next) {
		if (xml_is(c, name)) {
			return c;
		}
	}
	return NULL;
}

xmlNode *xml_find(const xmlNode *n, const char *name)
{
	for (xmlNode *c = n ? n->children : NULL; c; c = c->next) {
		xmlNode *deeper;

		if (xml_is(c, name)) {
			return c;
		}
		deeper = c->type == XML_ELEMENT_NODE ? xml_find(c, name) : NULL;
		if (deeper) {
			return deeper;
		}
	}
	return NULL;
}

struct pf_span xml_text(const xmlNode *n, struct pf_arena *arena)
{
	xmlChar *text = n ? xmlNodeGetContent(n) : NULL;
	struct pf_span out = pf_span(NULL, 0);

	if (text) {
		out = pf_arena_span(arena, pf_span_str((const char *)text));
		xmlFree(text);
	}
	return out;
}

struct pf_span xml_word(const xmlNode *n, struct pf_arena *arena)
{
	struct pf_span s = xml_text(n, arena);

	while (s.n > 0 && isspace(s.p[0])) {
		s = pf_span_from(s, 1);
	}
	while (s.n > 0 && isspace(s.p[s.n - 1])) {
		s.n--;
	}
	return s;
}

int xml_status(const xmlNode *status, struct pf_arena *arena)
{
	struct pf_span s = xml_word(status, arena);
	const uint8_t *blank = s.n > 0 ? memchr(s.p, ' ', s.n) : NULL;
	long n = blank ? strtol((const char *)blank, NULL, 10) : 0; /* the arena's has a NUL */

	return n >= 100 && n <= 999 ? (int)n : 0;
}

int xml_add_text(struct pf_buf *out, struct pf_span text, struct pf_err *err)
{
	while (text.n > 0) {
		struct pf_span at = text;
		uint32_t c = pf_utf8_next(&text);
		bool legal = c == '\t' || c == '\n' || c == '\r' || (c >= 0x20 && c < 0xFFFE) ||
			     (c >= 0x10000 && c <= 0x10FFFF);
		int rc = PF_OK;

		at.n -= text.n;
		if (c == '&' || c == '<' || c == '>' || c == '"' || c == '\r') {
			rc = pf_buf_addf(out, err, "&#%u;", c);
		} else if (legal) {
			rc = pf_buf_add(out, at, err);
		}
		if (rc != PF_OK) {
			return PF_FAIL;
		}
	}
	return PF_OK;
}

int xml_add_element(struct pf_buf *out, const char *name, struct pf_span text, struct pf_err *err)
{
	if (!text.p) {
		return PF_OK;
	}
	if (pf_buf_addf(out, err, "<%s>", name) != PF_OK || xml_add_text(out, text, err) != PF_OK) {
		return PF_FAIL;
	}
	return pf_buf_addf(out, err, "</%s>", name);
}
