#include "proto/dav/multi.h"

#include "proto/dav/said.h"
#include "proto/xml/xml.h"

#include <stdlib.h>

struct pf_dav_multi {
	xmlTextReader *reader;
	struct pf_arena arena, kept; /* of one response; of the whole */
	struct pf_span token;
	bool skip; /* the element at hand was looked at: on to what follows it */
};

static int bad(struct pf_err *err, const char *what)
{
	return pf_fail(err, PF_SCOPE_ITEM, PF_RETRY_NO, "the answer %s", what);
}

/* ---- properties ---- */

static void take_types(const xmlNode *prop, struct pf_dav_response *r)
{
	static const struct {
		const char *name;
		uint32_t type;
	} TYPES[] = {
		{"collection", PF_DAV_COLLECTION},
		{"calendar", PF_DAV_CALENDAR},
		{"addressbook", PF_DAV_ADDRESSBOOK},
		{"principal", PF_DAV_PRINCIPAL},
		{"schedule-inbox", PF_DAV_UNWANTED},
		{"schedule-outbox", PF_DAV_UNWANTED},
		{"subscribed", PF_DAV_UNWANTED},
		{"calendar-proxy-read", PF_DAV_UNWANTED},
		{"calendar-proxy-write", PF_DAV_UNWANTED},
		{"notification", PF_DAV_UNWANTED},
		{"dropbox-home", PF_DAV_UNWANTED},
		{"trash-bin", PF_DAV_UNWANTED},
		{"deleted-calendar", PF_DAV_UNWANTED},
	};

	r->has_type = true;
	for (const xmlNode *c = prop->children; c; c = c->next) {
		for (size_t i = 0; i < PF_COUNT(TYPES); i++) {
			r->type |= xml_is(c, TYPES[i].name) ? TYPES[i].type : 0;
		}
	}
}

static void take_components(const xmlNode *prop, struct pf_dav_response *r)
{
	static const struct {
		const char *name;
		uint32_t bit;
	} COMPONENTS[] = {
		{"VEVENT", PF_DAV_VEVENT}, {"VTODO", PF_DAV_VTODO}, {"VJOURNAL", PF_DAV_VJOURNAL}};

	for (const xmlNode *c = prop->children; c; c = c->next) {
		xmlChar *name = xml_is(c, "comp") ? xmlGetProp(c, (const xmlChar *)"name") : NULL;

		for (size_t i = 0; name && i < PF_COUNT(COMPONENTS); i++) {
			if (strcasecmp((const char *)name, COMPONENTS[i].name) == 0) {
				r->components |= COMPONENTS[i].bit;
			}
		}
		r->has_components = r->has_components || name;
		xmlFree(name);
	}
}

static void take_homes(
	struct pf_dav_multi *m, const xmlNode *prop, struct pf_span *homes, size_t *n)
{
	for (const xmlNode *c = prop->children; c && *n < PF_DAV_HOMES; c = c->next) {
		if (xml_is(c, "href")) {
			homes[(*n)++] = xml_word(c, &m->arena);
		}
	}
}

static uint64_t number(struct pf_span s, uint64_t otherwise)
{
	char *end = NULL;
	unsigned long long n = s.n > 0 && s.p[0] >= '0' && s.p[0] <= '9'
				       ? strtoull((const char *)s.p, &end, 10)
				       : 0;

	return end ? n : otherwise;
}

static void take_words(struct pf_dav_multi *m, const xmlNode *prop, struct pf_dav_response *r)
{
	const struct {
		const char *name;
		struct pf_span *to;
		bool as_is;
	} WORDS[] = {
		{"displayname", &r->name, true},
		{"getetag", &r->etag, false},
		{"getctag", &r->ctag, false},
		{"sync-token", &r->sync_token, false},
		{"calendar-color", &r->colour, false},
		{"addressbook-color", &r->colour, false},
		{"calendar-order", &r->order, false},
		{"calendar-description", &r->description, true},
		{"addressbook-description", &r->description, true},
		{"calendar-timezone", &r->timezone, true},
		{"getcontenttype", &r->media, false},
		{"calendar-data", &r->data, true},
		{"address-data", &r->data, true},
	};

	for (size_t i = 0; i < PF_COUNT(WORDS); i++) {
		if (xml_is(prop, WORDS[i].name)) {
			struct pf_span s = WORDS[i].as_is ? xml_text(prop, &m->arena)
							  : xml_word(prop, &m->arena);

			*WORDS[i].to = s.n > 0 ? s : *WORDS[i].to;
		}
	}
}

static void take_prop(struct pf_dav_multi *m, const xmlNode *prop, struct pf_dav_response *r)
{
	if (xml_is(prop, "resourcetype")) {
		take_types(prop, r);
	} else if (xml_is(prop, "supported-calendar-component-set")) {
		take_components(prop, r);
	} else if (xml_is(prop, "calendar-home-set")) {
		take_homes(m, prop, r->calendar_home, &r->calendar_homes);
	} else if (xml_is(prop, "addressbook-home-set")) {
		take_homes(m, prop, r->card_home, &r->card_homes);
	} else if (xml_is(prop, "current-user-principal")) {
		r->principal = xml_word(xml_child(prop, "href"), &m->arena);
	} else if (xml_is(prop, "owner")) {
		r->owner = xml_word(xml_child(prop, "href"), &m->arena);
	} else if (xml_is(prop, "supported-report-set")) {
		r->can_sync = xml_find(prop, "sync-collection") != NULL;
	} else if (xml_is(prop, "max-resource-size")) {
		r->max_bytes = number(xml_word(prop, &m->arena), 0);
	} else if (xml_is(prop, "quota-available-bytes")) {
		r->quota_bytes = number(xml_word(prop, &m->arena), UINT64_MAX);
	} else if (prop->type == XML_ELEMENT_NODE) {
		take_words(m, prop, r);
	}
}

static void take_propstat(struct pf_dav_multi *m, const xmlNode *ps, struct pf_dav_response *r)
{
	int status = xml_status(xml_child(ps, "status"), &m->arena);
	const xmlNode *props = xml_child(ps, "prop");

	r->worst = status > r->worst ? status : r->worst;
	if (status >= 300 || !props) {
		return;
	}
	for (const xmlNode *p = props->children; p; p = p->next) {
		take_prop(m, p, r);
	}
}

static void take_error(const xmlNode *error, struct pf_dav_response *r)
{
	for (const xmlNode *c = error->children; c && !r->error; c = c->next) {
		r->error = c->type == XML_ELEMENT_NODE ? pf_dav_condition((const char *)c->name)
						       : NULL;
	}
}

static void take_response(struct pf_dav_multi *m, const xmlNode *n, struct pf_dav_response *r)
{
	pf_arena_deinit(&m->arena);
	pf_arena_init(&m->arena);
	*r = (struct pf_dav_response){.quota_bytes = UINT64_MAX};
	for (const xmlNode *c = n->children; c; c = c->next) {
		if (xml_is_dav(c, "href") && !r->href.p) {
			r->href = xml_word(c, &m->arena);
		} else if (xml_is_dav(c, "status")) {
			r->status = xml_status(c, &m->arena);
		} else if (xml_is_dav(c, "propstat")) {
			take_propstat(m, c, r);
		} else if (xml_is_dav(c, "error")) {
			take_error(c, r);
		}
	}
}

/* ---- the whole ---- */

/* On to the next element of the root's children. PF_OK, PF_END. */
static int advance(struct pf_dav_multi *m, struct pf_err *err)
{
	int rc = m->skip ? xmlTextReaderNext(m->reader) : xmlTextReaderRead(m->reader);

	m->skip = false;
	for (; rc == 1; rc = xmlTextReaderRead(m->reader)) {
		int type = xmlTextReaderNodeType(m->reader);

		if (type == XML_READER_TYPE_DOCUMENT_TYPE) {
			return bad(err, "has a document type, which no honest one has");
		}
		if (type == XML_READER_TYPE_ELEMENT) {
			return PF_OK;
		}
	}
	return rc == 0 ? PF_END : bad(err, "is not well-formed XML");
}

int pf_dav_multi_new(struct pf_span body, struct pf_dav_multi **out, struct pf_err *err)
{
	struct pf_dav_multi *m = calloc(1, sizeof(*m));
	int rc;

	if (!m) {
		return pf_fail_memory(err, "a multistatus");
	}
	pf_arena_init(&m->arena);
	pf_arena_init(&m->kept);
	if (body.n == 0 || body.n > INT32_MAX) {
		pf_dav_multi_free(&m);
		return bad(err, body.n == 0 ? "is empty" : "is too large");
	}
	m->reader = xmlReaderForMemory((const char *)body.p, (int)body.n, NULL, NULL, XML_SAFE);
	if (!m->reader) {
		pf_dav_multi_free(&m);
		return pf_fail_memory(err, "a multistatus");
	}
	rc = advance(m, err);
	if (rc == PF_OK && !xmlStrEqual(xmlTextReaderConstLocalName(m->reader),
				   (const xmlChar *)"multistatus")) {
		rc = PF_END;
	}
	if (rc != PF_OK) {
		pf_dav_multi_free(&m);
		return rc == PF_END ? bad(err, "is no multistatus") : PF_FAIL;
	}
	*out = m;
	return PF_OK;
}

int pf_dav_multi_next(struct pf_dav_multi *m, struct pf_dav_response *out, struct pf_err *err)
{
	int rc;

	while ((rc = advance(m, err)) == PF_OK) {
		xmlNode *n = xmlTextReaderExpand(m->reader);

		if (!n) {
			return bad(err, "is not well-formed XML");
		}
		m->skip = true;
		if (xml_is_dav(n, "sync-token")) {
			m->token = xml_word(n, &m->kept);
		} else if (xml_is_dav(n, "response")) {
			take_response(m, n, out);
			return PF_OK;
		}
	}
	return rc;
}

struct pf_span pf_dav_multi_token(const struct pf_dav_multi *m)
{
	return m->token;
}

void pf_dav_multi_free(struct pf_dav_multi **out)
{
	struct pf_dav_multi *m = *out;

	if (!m) {
		return;
	}
	xmlFreeTextReader(m->reader);
	pf_arena_deinit(&m->arena);
	pf_arena_deinit(&m->kept);
	free(m);
	*out = NULL;
}
