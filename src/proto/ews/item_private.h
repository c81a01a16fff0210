/*
 * What the files about items share: the table of properties, and elements of an answer.
 */
#ifndef PF_PROTO_EWS_ITEM_PRIVATE_H
#define PF_PROTO_EWS_ITEM_PRIVATE_H

#include "proto/ews/item.h"
#include "proto/xml/xml.h"

/* A property that is asked for: by its tag, or by its number or name in a set. */
struct ews_prop {
	const struct pf_guid *set; /* NULL: `id` is a tag */
	const char *text;          /* its name; NULL: it has a number */
	uint32_t forms;            /* in which it means something */
	int type;                  /* of enum pf_mapi_type, with MANY */
	uint16_t id;
	bool stored; /* only where bodies are asked for as they are stored */
};

extern const struct ews_prop ews_props[];
extern const size_t ews_props_n;

/* A type's name in the schema ("SystemTimeArray"), and back; 0: there is none such. */
const char *ews_type_name(int type, char out[32]);
int ews_type_of(struct pf_span name);
/* The set that a path names ("Meeting", or a GUID as text); false: it is none. */
bool ews_set_of(struct pf_span distinguished, struct pf_span guid, struct pf_guid *out);
/* "00062002-0000-0000-c000-000000000046" in the order of its bytes on the wire. */
bool ews_guid_of(struct pf_span text, struct pf_guid *out);
/* Writes the path of a property. */
struct ews_writer;
void ews_path(struct ews_writer *w, const struct ews_prop *p);

/* ---- elements ---- */

/* The first element from `n` on; NULL. */
static inline const xmlNode *ews_element_at(const xmlNode *n)
{
	while (n && n->type != XML_ELEMENT_NODE) {
		n = n->next;
	}
	return n;
}

/* The element's first child element; NULL, also for NULL. */
static inline const xmlNode *ews_first(const xmlNode *n)
{
	return ews_element_at(n ? n->children : NULL);
}

static inline const xmlNode *ews_next(const xmlNode *n)
{
	return ews_element_at(n->next);
}

/* In the arena; absent: there is none such, or no memory. */
struct pf_span ews_attribute(struct pf_arena *arena, const xmlNode *n, const char *name);

/* A node of ours is one of libxml2's: the interface shows none of that library. */
static inline const struct pf_ews_node *ews_ours(const xmlNode *n)
{
	return (const struct pf_ews_node *)(const void *)n;
}

static inline const xmlNode *ews_theirs(const struct pf_ews_node *n)
{
	return (const xmlNode *)(const void *)n;
}

/* ---- item_typed.c ---- */

struct ews_reading {
	struct pf_ews_whole *w;
	struct pf_err *err;
	unsigned int depth;
	bool members;     /* the members of a list were told by elements: ... */
	size_t members_n; /* ... so many */
};

/* PF_FAIL: no memory. */
int ews_add_text(struct ews_reading *r, struct pf_mapi_item *item, struct pf_mapi_props *to,
	uint16_t tag, struct pf_span text);
int ews_add_number(struct ews_reading *r, struct pf_mapi_item *item, struct pf_mapi_props *to,
	uint16_t tag, int type, int64_t value);
/* A property of an item itself, named, without its value. NULL: no memory. */
struct pf_mapi_prop *ews_add_named(struct ews_reading *r, struct pf_mapi_item *item,
	const struct pf_guid *set, uint32_t number, struct pf_span text);
/* What an element of the schema's own says, into the item. PF_END: it is none of those. */
int ews_read_typed(struct ews_reading *r, struct pf_mapi_item *item, const xmlNode *n);
/* More is lacking. */
int ews_add_lack(struct ews_reading *r, const struct pf_ews_lack *lack);
int ews_no_memory(struct ews_reading *r);

#endif
