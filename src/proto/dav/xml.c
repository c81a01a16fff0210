#include "proto/dav/xml.h"

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
