/*
 * libxml2, held on a short leash, for protocols whose messages are XML; and text to write into it.
 */
#ifndef PF_PROTO_XML_XML_H
#define PF_PROTO_XML_XML_H

#include "base/arena.h"
#include "base/buf.h"

#include <libxml/xmlreader.h>

/* No network, no DTD, no entities but XML's own five; its limits on depth and size stay on. */
enum { XML_SAFE = XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING | XML_PARSE_NOCDATA };

#define NS_DAV "DAV:"

/* An element of this local name, whatever its namespace is. */
bool xml_is(const xmlNode *n, const char *name);
bool xml_is_dav(const xmlNode *n, const char *name);
/* The first child element of this local name; NULL. */
xmlNode *xml_child(const xmlNode *n, const char *name);
/* The first descendant of this local name; NULL. Depth is bounded by the parser. */
xmlNode *xml_find(const xmlNode *n, const char *name);
/* All text within, as it stands, in the arena; absent for NULL, or without memory. */
struct pf_span xml_text(const xmlNode *n, struct pf_arena *arena);
/* The same without blanks at both ends. */
struct pf_span xml_word(const xmlNode *n, struct pf_arena *arena);
/* "HTTP/1.1 404 Not Found" -> 404; 0: there is none. */
int xml_status(const xmlNode *status, struct pf_arena *arena);

/* Character data, behind `out`: what XML can't have is left out, what means something to it is
 * escaped. */
PF_MUST_CHECK int xml_add_text(struct pf_buf *out, struct pf_span text, struct pf_err *err);
/* An element with nothing but text in it; nothing for an absent span. */
PF_MUST_CHECK int xml_add_element(
	struct pf_buf *out, const char *name, struct pf_span text, struct pf_err *err);

#endif
