#include "proto/dav/said.h"

#include "base/buf.h"
#include "base/utf8.h"
#include "proto/xml/xml.h"

#include <ctype.h>
#include <stdio.h>

enum { SAID_MAX = 1 << 20, WORDS_MAX = 240 };

static const struct {
	const char *name;
	enum pf_dav_answer answer;
} CONDITIONS[] = {
	/* The first of these that a body has counts. */
	{"no-uid-conflict", PF_DAV_UID},
	{"unique-scheduling-object-resource", PF_DAV_UID},
	{"max-resource-size", PF_DAV_TOO_LARGE},
	{"quota-not-exceeded", PF_DAV_FULL},
	{"sufficient-disk-space", PF_DAV_FULL},
	{"valid-sync-token", PF_DAV_TOKEN},
	{"valid-calendar-data", PF_DAV_CONTENT},
	{"valid-calendar-object-resource", PF_DAV_CONTENT},
	{"supported-calendar-data", PF_DAV_CONTENT},
	{"supported-calendar-component", PF_DAV_CONTENT},
	{"supported-rscale", PF_DAV_CONTENT},
	{"valid-address-data", PF_DAV_CONTENT},
	{"supported-address-data", PF_DAV_CONTENT},
	{"same-organizer-in-all-components", PF_DAV_CONTENT},
	{"allowed-organizer-scheduling-object-change", PF_DAV_CONTENT},
	{"allowed-attendee-scheduling-object-change", PF_DAV_CONTENT},
	{"min-date-time", PF_DAV_CONTENT},
	{"max-date-time", PF_DAV_CONTENT},
	{"max-instances", PF_DAV_CONTENT},
	{"max-attendees-per-instance", PF_DAV_CONTENT},
	{"max-attachment-size", PF_DAV_TOO_LARGE},
	{"max-attachments-per-resource", PF_DAV_TOO_LARGE},
	{"resource-must-be-null", PF_DAV_UNKNOWN},
	{"calendar-collection-location-ok", PF_DAV_REFUSED},
	{"addressbook-collection-location-ok", PF_DAV_REFUSED},
	{"number-of-matches-within-limits", PF_DAV_REFUSED},
	{"need-privileges", PF_DAV_REFUSED},
};

/* Servers that say it in words only; in lower case. */
static const struct {
	const char *words;
	const char *condition;
	int status;
	enum pf_dav_answer answer;
} WORDS[] = {
	/* Nextcloud, also for one in its trash; no element (server #7042, #61640) */
	{"object with uid already exists", "no-uid-conflict", 400, PF_DAV_UID},
	{"event uid already in use", "no-uid-conflict", 409, PF_DAV_UID}, /* SOGo */
	{"uid already exists", "no-uid-conflict", 0, PF_DAV_UID},
	/* sabre/dav */
	{"must have identical uids", "valid-calendar-object-resource", 0, PF_DAV_CONTENT},
	{"more than one main event", "valid-calendar-object-resource", 0, PF_DAV_CONTENT},
	{"more than one master", "valid-calendar-object-resource", 0, PF_DAV_CONTENT},
};

const char *pf_dav_condition(const char *name)
{
	for (size_t i = 0; i < PF_COUNT(CONDITIONS); i++) {
		if (strcmp(CONDITIONS[i].name, name) == 0) {
			return CONDITIONS[i].name;
		}
	}
	return NULL;
}

/* ---- by its status alone ---- */

static enum pf_dav_answer by_status(int status, enum pf_dav_guard guard)
{
	static const struct {
		int status;
		enum pf_dav_answer answer;
	} STATUS[] = {
		{304, PF_DAV_NAME}, /* If-None-Match, of a server that takes a PUT for a GET */
		{400, PF_DAV_CONTENT},
		{401, PF_DAV_SIGN_IN},
		{404, PF_DAV_GONE},
		{405, PF_DAV_UNKNOWN},
		{407, PF_DAV_SIGN_IN},
		{408, PF_DAV_BUSY},
		{410, PF_DAV_GONE},
		{413, PF_DAV_TOO_LARGE},
		{415, PF_DAV_CONTENT},
		{422, PF_DAV_CONTENT},
		{423, PF_DAV_BUSY},
		{425, PF_DAV_BUSY},
		{429, PF_DAV_PATIENCE},
		{501, PF_DAV_UNKNOWN},
		{502, PF_DAV_BUSY},
		{503, PF_DAV_PATIENCE},
		{504, PF_DAV_BUSY},
		{507, PF_DAV_FULL},
		{509, PF_DAV_PATIENCE},
	};

	if (status == 412) {
		return guard == PF_DAV_IF_NONE    ? PF_DAV_NAME
		       : guard == PF_DAV_IF_MATCH ? PF_DAV_CHANGED
						  : PF_DAV_CONTENT; /* DAViCal's can't parse */
	}
	for (size_t i = 0; i < PF_COUNT(STATUS); i++) {
		if (STATUS[i].status == status && (status != 304 || guard == PF_DAV_IF_NONE)) {
			return STATUS[i].answer;
		}
	}
	return status >= 200 && status < 300   ? PF_DAV_DONE
	       : status >= 300 && status < 400 ? PF_DAV_REDIRECT
	       : status >= 500                 ? PF_DAV_BROKEN
					       : PF_DAV_REFUSED;
}

/* ---- by its body ---- */

/* The highest status within a multistatus; 0: it has none. */
static int worst_status(const xmlNode *n, struct pf_arena *arena)
{
	int worst = 0;

	for (const xmlNode *c = n ? n->children : NULL; c; c = c->next) {
		int status = 0;

		if (xml_is(c, "status")) {
			status = xml_status(c, arena);
		} else if (c->type == XML_ELEMENT_NODE) {
			status = worst_status(c, arena);
		}
		worst = status > worst ? status : worst;
	}
	return worst;
}

static bool take_condition(const xmlNode *root, struct pf_arena *arena, struct pf_dav_said *out)
{
	for (size_t i = 0; i < PF_COUNT(CONDITIONS); i++) {
		const xmlNode *n = xml_is(root, CONDITIONS[i].name)
					   ? root
					   : xml_find(root, CONDITIONS[i].name);

		if (n) {
			struct pf_span holder = xml_word(xml_child(n, "href"), arena);

			out->condition = CONDITIONS[i].name;
			out->answer = CONDITIONS[i].answer;
			out->holder = holder.n > 0 ? holder : out->holder;
			return true;
		}
	}
	return false;
}

static const xmlNode *words_of(const xmlNode *root)
{
	static const char *const NAMES[] = {
		"responsedescription", "message", "error-description", "description"};

	for (size_t i = 0; i < PF_COUNT(NAMES); i++) {
		const xmlNode *n = xml_find(root, NAMES[i]);

		if (n) {
			return n;
		}
	}
	return NULL;
}

/* The text of an XML or HTML page, or the page itself. */
static struct pf_span plain(struct pf_span type, struct pf_span body, struct pf_arena *arena)
{
	char *out;
	size_t n = 0;
	bool tag = false, html = pf_span_starts(type, "text/html") || pf_span_starts(body, "<");

	body.n = body.n > 4096 ? 4096 : body.n;
	out = pf_arena_alloc(arena, body.n + 1);
	for (size_t i = 0; out && i < body.n; i++) {
		uint8_t c = body.p[i];

		tag = html && c == '<' ? true : tag;
		if (!tag && !(isspace(c) && (n == 0 || out[n - 1] == ' '))) {
			out[n++] = isspace(c) ? ' ' : (char)c;
		}
		if (html && c == '>') {
			tag = false;
			if (n > 0 && out[n - 1] != ' ') {
				out[n++] = ' ';
			}
		}
	}
	while (n > 0 && out[n - 1] == ' ') {
		n--;
	}
	return out ? pf_span(out, n) : pf_span(NULL, 0);
}

/* NOLINTNEXTLINE(readability-function-size): one loop over the table */
static void by_words(int status, struct pf_span words, struct pf_dav_said *out)
{
	char lower[WORDS_MAX + 1];
	size_t n = words.n < WORDS_MAX ? words.n : WORDS_MAX;

	for (size_t i = 0; i < n; i++) {
		lower[i] = (char)tolower(words.p[i]);
	}
	lower[n] = '\0';
	for (size_t i = 0; i < PF_COUNT(WORDS) && status >= 400; i++) {
		if ((WORDS[i].status == 0 || WORDS[i].status == status) &&
			strstr(lower, WORDS[i].words)) {
			out->answer = WORDS[i].answer;
			out->condition = WORDS[i].condition;
			return;
		}
	}
}

static void tell(struct pf_dav_said *out, struct pf_span words)
{
	char safe[WORDS_MAX + 8];

	pf_print_safe(safe, sizeof(safe), pf_utf8_prefix(words, WORDS_MAX));
	(void)snprintf(out->text, sizeof(out->text), "%d%s%s%s%s", out->status,
		out->condition ? " " : "", out->condition ? out->condition : "",
		safe[0] ? ": " : "", safe);
}

static xmlDoc *read_xml(struct pf_span body)
{
	xmlDoc *doc = body.n > 0 && body.n < SAID_MAX ? xmlReadMemory((const char *)body.p,
								(int)body.n, NULL, NULL, XML_SAFE)
						      : NULL;

	if (doc && doc->intSubset) { /* nothing honest has one */
		xmlFreeDoc(doc);
		doc = NULL;
	}
	return doc;
}

void pf_dav_said(int status, enum pf_dav_guard guard, struct pf_span type, struct pf_span body,
	struct pf_arena *arena, struct pf_dav_said *out)
{
	bool is_xml = pf_span_starts(type, "application/xml") || pf_span_starts(type, "text/xml") ||
		      pf_span_starts(body, "<?xml") || status == 207;
	xmlDoc *doc = is_xml ? read_xml(body) : NULL;
	const xmlNode *root = doc ? xmlDocGetRootElement(doc) : NULL;
	struct pf_span words = pf_span(NULL, 0);
	int within = 0;

	*out = (struct pf_dav_said){.status = status};
	if (root && status == 207) {
		within = worst_status(root, arena);
		out->status = within > 0 ? within : status;
	}
	out->answer = by_status(out->status, guard);
	if (root && out->status >= 300) {
		const xmlNode *n = words_of(root);

		(void)take_condition(root, arena, out);
		words = n ? xml_word(n, arena) : words;
	}
	if (out->status >= 400 && words.n == 0) {
		words = plain(type, body, arena);
	}
	if (!out->condition) {
		by_words(out->status, words, out);
	}
	tell(out, words);
	xmlFreeDoc(doc);
}
