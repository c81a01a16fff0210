#include "proto/ews/answer.h"

#include "base/utf8.h"
#include "proto/ews/item_make.h"
#include "proto/ews/item_private.h"
#include "proto/ews/transfer.h"

#include <stdio.h>
#include <stdlib.h>

#include <libxml/parser.h>

/* Texts may be as large as messages are; there is no document type that could make more of them. */
enum { EWS_XML = XML_SAFE | XML_PARSE_HUGE | XML_PARSE_COMPACT, BACK_OFF_MAX_MS = 3600 * 1000 };

struct pf_ews_answer {
	struct pf_buf text;
	xmlDoc *doc;
	struct pf_arena arena;
	struct pf_ews_head head;
	const xmlNode *next; /* message */
};

static int bad(struct pf_err *err, const char *what)
{
	return pf_fail(err, PF_SCOPE_ITEM, PF_RETRY_NO, "the answer %s", what);
}

/* ---- what XML forbids ---- */

static bool is_legal(uint64_t c)
{
	return c == '\t' || c == '\n' || c == '\r' || (c >= 0x20 && c < 0xD800) ||
	       (c >= 0xE000 && c < 0xFFFE) || (c >= 0x10000 && c <= 0x10FFFF);
}

/* Bytes of a numeric reference at the front ("&#x1;"), and what it stands for; 0: there is none. */
static size_t reference(struct pf_span s, uint64_t *c)
{
	bool hex = s.n > 3 && s.p[2] == 'x';
	size_t i = hex ? 3 : 2, from = i;

	*c = 0;
	if (s.n < 4 || s.p[0] != '&' || s.p[1] != '#') {
		return 0;
	}
	for (; i < s.n && s.p[i] != ';'; i++) {
		uint8_t d = pf_ascii_lower(s.p[i]);
		bool digit = d >= '0' && d <= '9', letter = hex && d >= 'a' && d <= 'f';

		if (!digit && !letter) {
			return 0;
		}
		*c = *c * (hex ? 16 : 10) + (uint64_t)(digit ? d - '0' : d - 'a' + 10);
		*c = *c > 0x110000 ? 0x110000 : *c;
	}
	return i < s.n && i > from ? i + 1 : 0;
}

/* The bytes in a form that XML can have, behind `out`: never longer than they were. */
static int mend(struct pf_span s, struct pf_buf *out, size_t *mended, struct pf_err *err)
{
	if (pf_buf_reserve(out, s.n + 1, err) != PF_OK) {
		return PF_FAIL;
	}
	while (s.n > 0) {
		uint64_t c = s.p[0];
		size_t n = reference(s, &c);

		if (n > 0) {
			bool legal = is_legal(c);

			memcpy(out->p + out->n, legal ? s.p : (const uint8_t *)"\xEF\xBF\xBD",
				legal ? n : 3);
			out->n += legal ? n : 3;
			*mended += !legal;
			s = pf_span_from(s, n);
			continue;
		}
		if (s.p[0] >= 0x20 && s.p[0] < 0x80) {
			out->p[out->n++] = s.p[0];
			s = pf_span_from(s, 1);
			continue;
		}
		struct pf_span at = s;

		c = pf_utf8_next(&s);
		n = at.n - s.n;
		if (c != UINT32_MAX && is_legal(c)) {
			memcpy(out->p + out->n, at.p, n);
			out->n += n;
		} else {
			out->p[out->n++] = '?';
			*mended += 1;
		}
	}
	return PF_OK;
}

static bool has_document_type(struct pf_span s)
{
	static const char TYPE[] = "<!DOCTYPE";
	const uint8_t *at;

	while (s.n >= sizeof(TYPE) - 1 && (at = memchr(s.p, '<', s.n)) != NULL) {
		s = pf_span_from(s, (size_t)(at - s.p));
		if (s.n >= sizeof(TYPE) - 1 && memcmp(s.p, TYPE, sizeof(TYPE) - 1) == 0) {
			return true;
		}
		s = pf_span_from(s, 1);
	}
	return false;
}

/* ---- elements ---- */

static struct pf_span word(struct pf_ews_answer *a, const xmlNode *n, const char *name)
{
	const xmlNode *c = xml_child(n, name);

	return c ? xml_word(c, &a->arena) : pf_span(NULL, 0);
}

/* A text as it stands, without a copy where there is one piece of it. */
static struct pf_span text_of(struct pf_ews_answer *a, const xmlNode *n)
{
	if (n && n->children && !n->children->next && n->children->type == XML_TEXT_NODE) {
		return pf_span_str((const char *)n->children->content);
	}
	return xml_text(n, &a->arena);
}

static struct pf_span attribute(struct pf_ews_answer *a, const xmlNode *n, const char *name)
{
	return ews_attribute(&a->arena, n, name);
}

/* The arena's spans have a NUL behind them. */
static long long number(struct pf_span s, int base)
{
	return s.n > 0 ? strtoll((const char *)s.p, NULL, base) : 0;
}

static size_t count(struct pf_span s)
{
	long long n = number(s, 10);

	return n > 0 ? (size_t)n : 0;
}

/* ---- what was said ---- */

static void say(struct pf_ews_said *out, struct pf_span code, struct pf_span words)
{
	char shown[100], said[200];

	out->code = code;
	out->does = pf_ews_does(code);
	pf_print_safe(shown, sizeof(shown), code.n > 0 ? code : pf_span_str("no code"));
	pf_print_safe(said, sizeof(said), words);
	(void)snprintf(out->text, sizeof(out->text), words.n > 0 ? "%s: %s" : "%s%s", shown, said);
}

/* <t:MessageXml><t:Value Name="BackOffMilliseconds">297749</t:Value> */
static int back_off(struct pf_ews_answer *a, const xmlNode *n)
{
	const xmlNode *xml = xml_find(n, "MessageXml");

	for (const xmlNode *c = ews_element_at(xml ? xml->children : NULL); c;
		c = ews_element_at(c->next)) {
		if (xml_is(c, "Value") &&
			pf_span_is(attribute(a, c, "Name"), "BackOffMilliseconds")) {
			long long ms = number(xml_word(c, &a->arena), 10);

			return ms < 0 ? 0 : ms > BACK_OFF_MAX_MS ? BACK_OFF_MAX_MS : (int)ms;
		}
	}
	return 0;
}

static void take_fault(struct pf_ews_answer *a, const xmlNode *fault)
{
	struct pf_ews_said *said = &a->head.said;
	const xmlNode *code = xml_find(fault, "ResponseCode");
	struct pf_span name = code ? xml_word(code, &a->arena) : word(a, fault, "faultcode");
	const uint8_t *colon = name.n > 0 ? memchr(name.p, ':', name.n) : NULL;

	a->head.fault = true;
	name = colon ? pf_span_from(name, (size_t)(colon - name.p) + 1) : name;
	say(said, name, word(a, fault, "faultstring"));
	said->back_off_ms = back_off(a, fault);
}

static void take_version(struct pf_ews_answer *a, const xmlNode *header)
{
	const xmlNode *v = header ? xml_find(header, "ServerVersionInfo") : NULL;
	struct pf_span major = attribute(a, v, "MajorVersion");

	if (major.n > 0) {
		a->head.has_version = true;
		a->head.major = (int)number(major, 10);
		a->head.minor = (int)number(attribute(a, v, "MinorVersion"), 10);
		a->head.build = (int)number(attribute(a, v, "MajorBuildNumber"), 10);
	}
}

/* ---- the whole ---- */

static int take_body(struct pf_ews_answer *a, const xmlNode *root, struct pf_err *err)
{
	const xmlNode *body = xml_child(root, "Body");
	const xmlNode *first = ews_element_at(body ? body->children : NULL), *messages;

	take_version(a, xml_child(root, "Header"));
	if (!first) {
		return bad(err, "has nothing in it");
	}
	if (xml_is(first, "Fault")) {
		take_version(a, first);
		take_fault(a, first);
		return PF_OK;
	}
	messages = xml_child(first, "ResponseMessages");
	if (!messages) {
		return bad(err, "is none of Exchange Web Services");
	}
	a->next = ews_element_at(messages->children);
	return PF_OK;
}

int pf_ews_answer_new(struct pf_span body, struct pf_ews_answer **out, struct pf_err *err)
{
	struct pf_ews_answer *a;
	const xmlNode *root;
	int rc;

	if (body.n == 0 || body.n > INT32_MAX) {
		return bad(err, body.n == 0 ? "is empty" : "is too large");
	}
	a = calloc(1, sizeof(*a));
	if (!a) {
		return pf_fail_memory(err, "an answer");
	}
	pf_arena_init(&a->arena);
	pf_buf_init(&a->text, body.n + 1);
	rc = mend(body, &a->text, &a->head.mended, err);
	if (rc == PF_OK && has_document_type(pf_buf_span(&a->text))) {
		rc = bad(err, "has a document type, which no honest one has");
	}
	if (rc == PF_OK) {
		a->doc = xmlReadMemory(
			(const char *)a->text.p, (int)a->text.n, NULL, "UTF-8", EWS_XML);
		root = a->doc ? xmlDocGetRootElement(a->doc) : NULL;
		rc = root && xml_is(root, "Envelope") ? take_body(a, root, err)
						      : bad(err, "is no SOAP envelope");
	}
	pf_buf_deinit(&a->text);
	if (rc != PF_OK) {
		pf_ews_answer_free(&a);
		return PF_FAIL;
	}
	*out = a;
	return PF_OK;
}

void pf_ews_answer_free(struct pf_ews_answer **out)
{
	struct pf_ews_answer *a = *out;

	if (!a) {
		return;
	}
	xmlFreeDoc(a->doc);
	pf_arena_deinit(&a->arena);
	pf_buf_deinit(&a->text);
	free(a);
	*out = NULL;
}

const struct pf_ews_head *pf_ews_answer_head(const struct pf_ews_answer *a)
{
	return &a->head;
}

/* What a message has in it: it depends on what was asked for. */
static const xmlNode *content_of(const xmlNode *m)
{
	static const char *const NAMES[] = {
		"Folders", "Items", "Changes", "UserConfiguration", "Attachments"};
	const xmlNode *root = xml_child(m, "RootFolder"), *found;

	for (size_t i = 0; i < PF_COUNT(NAMES); i++) {
		found = xml_child(root ? root : m, NAMES[i]);
		if (found) {
			return found;
		}
	}
	return xml_child(m, "ItemId") ? m : NULL; /* ExportItems, UploadItems: it is the item */
}

bool pf_ews_answer_next(struct pf_ews_answer *a, struct pf_ews_message *out)
{
	const xmlNode *m = a->next, *root;
	struct pf_span last;

	if (!m) {
		return false;
	}
	a->next = ews_element_at(m->next);
	*out = (struct pf_ews_message){.within = ews_ours(content_of(m))};
	say(&out->said, word(a, m, "ResponseCode"), word(a, m, "MessageText"));
	out->said.back_off_ms = back_off(a, m);
	root = xml_child(m, "RootFolder");
	last = root ? attribute(a, root, "IncludesLastItemInRange")
		    : word(a, m, "IncludesLastItemInRange");
	out->last = pf_span_is(last, "true") || pf_span_is(last, "1");
	out->next_offset = count(attribute(a, root, "IndexedPagingOffset"));
	out->state = word(a, m, "SyncState");
	return true;
}

/* ---- folders ---- */

static bool is_true(struct pf_span s)
{
	return pf_span_is(s, "true") || pf_span_is(s, "1");
}

/* The tag of an extended property, which servers write as "0xe07"; 0: it has none. */
static long long tag_of(struct pf_ews_answer *a, const xmlNode *property)
{
	return number(attribute(a, xml_child(property, "ExtendedFieldURI"), "PropertyTag"), 16);
}

static const xmlNode *step(const struct pf_ews_message *m, const struct pf_ews_node *at)
{
	const xmlNode *within = ews_theirs(m->within);

	if (at) {
		return ews_element_at(ews_theirs(at)->next);
	}
	return ews_element_at(within ? within->children : NULL);
}

bool pf_ews_folder_next(struct pf_ews_answer *a, const struct pf_ews_message *m,
	const struct pf_ews_node **at, struct pf_ews_folder *out)
{
	const xmlNode *f = step(m, *at);

	if (!f) {
		return false;
	}
	*at = ews_ours(f);
	*out = (struct pf_ews_folder){
		.kind = xml_is(f, "SearchFolder") ? PF_EWS_IS_SEARCH : PF_EWS_IS_FOLDER,
		.id = attribute(a, xml_child(f, "FolderId"), "Id"),
		.parent = attribute(a, xml_child(f, "ParentFolderId"), "Id"),
		.name = xml_text(xml_child(f, "DisplayName"), &a->arena),
		.folder_class = word(a, f, "FolderClass"),
		.count = count(word(a, f, "TotalCount")),
	};
	for (const xmlNode *c = ews_element_at(f->children); c; c = ews_element_at(c->next)) {
		if (xml_is(c, "ExtendedProperty") && tag_of(a, c) == 0x10F4) {
			out->hidden = is_true(word(a, c, "Value"));
		}
	}
	return true;
}

/* ---- items ---- */

static void take_property(struct pf_ews_answer *a, const xmlNode *p, struct pf_ews_item *out)
{
	long long value = number(word(a, p, "Value"), 10);
	struct pf_span name = attribute(a, xml_child(p, "ExtendedFieldURI"), "PropertyName");

	if (pf_span_is(name, PF_EWS_KEY)) {
		out->key = word(a, p, "Value");
		return;
	}
	switch (tag_of(a, p)) {
	case 0x0E07:
		out->flags = value;
		break;
	case 0x1090:
		out->flag = (int)(value & 0xffff);
		break;
	case 0x1081:
		out->verb = (int)(value & 0xffff);
		break;
	default:
		break;
	}
}

static struct pf_span take_words(struct pf_ews_answer *a, const xmlNode *categories)
{
	struct pf_buf all;
	struct pf_err ignored; /* without memory there are none: they are marks, no content */
	struct pf_span out = pf_span("", 0);

	pf_buf_init(&all, 1 << 20);
	for (const xmlNode *c = ews_element_at(categories->children); c;
		c = ews_element_at(c->next)) {
		struct pf_span one = xml_word(c, &a->arena);

		if (one.n > 0 && (pf_buf_add(&all, one, &ignored) != PF_OK ||
					 pf_buf_add(&all, pf_span("", 1), &ignored) != PF_OK)) {
			break;
		}
	}
	if (all.n > 0) {
		out = pf_arena_span(&a->arena, pf_buf_span(&all));
	}
	pf_buf_deinit(&all);
	return out;
}

static void take_item(struct pf_ews_answer *a, const xmlNode *item, struct pf_ews_item *out)
{
	const xmlNode *id = xml_child(item, "ItemId");

	out->id = attribute(a, id, "Id");
	out->change_key = attribute(a, id, "ChangeKey");
	for (const xmlNode *c = ews_element_at(item->children); c; c = ews_element_at(c->next)) {
		if (xml_is(c, "MimeContent")) {
			out->mime = text_of(a, c);
		} else if (xml_is(c, "ItemClass")) {
			out->item_class = xml_word(c, &a->arena);
		} else if (xml_is(c, "DateTimeReceived")) {
			out->received = xml_word(c, &a->arena);
		} else if (xml_is(c, "Size")) {
			out->size = count(xml_word(c, &a->arena));
		} else if (xml_is(c, "IsRead")) {
			out->read = is_true(xml_word(c, &a->arena));
		} else if (xml_is(c, "Categories")) {
			out->words = take_words(a, c);
		} else if (xml_is(c, "ExtendedProperty")) {
			take_property(a, c, out);
		}
	}
}

bool pf_ews_item_next(struct pf_ews_answer *a, const struct pf_ews_message *m,
	const struct pf_ews_node **at, struct pf_ews_item *out)
{
	const xmlNode *n = step(m, *at);

	if (!n) {
		return false;
	}
	*at = ews_ours(n);
	*out = (struct pf_ews_item){.change = PF_EWS_IS_THERE};
	if (xml_is(n, "Delete") || xml_is(n, "ReadFlagChange")) {
		out->change = xml_is(n, "Delete") ? PF_EWS_IS_GONE : PF_EWS_WAS_READ;
		take_item(a, n, out);
	} else if (xml_is(n, "Create") || xml_is(n, "Update")) {
		const xmlNode *item = ews_element_at(n->children);

		if (item) {
			take_item(a, item, out);
		}
	} else {
		take_item(a, n, out);
	}
	return true;
}

void pf_ews_moved(struct pf_ews_answer *a, const struct pf_ews_message *m, struct pf_ews_moved *out)
{
	const xmlNode *within = m->within ? ews_theirs(m->within) : NULL;
	const xmlNode *id = within ? xml_child(within, "ItemId") : NULL;
	const xmlNode *data = within ? xml_child(within, "Data") : NULL;

	*out = (struct pf_ews_moved){
		.id = attribute(a, id, "Id"),
		.version = attribute(a, id, "ChangeKey"),
		.stream = data ? text_of(a, data) : pf_span(NULL, 0),
	};
}

struct pf_span pf_ews_option(
	struct pf_ews_answer *a, const struct pf_ews_message *m, const char *key)
{
	const xmlNode *within = m->within ? ews_theirs(m->within) : NULL;
	const xmlNode *all = within ? xml_child(within, "Dictionary") : NULL;

	for (const xmlNode *e = ews_first(all); e; e = ews_next(e)) {
		const xmlNode *name = xml_child(e, "DictionaryKey");
		const xmlNode *value = xml_child(e, "DictionaryValue");

		if (name && value && pf_span_is(word(a, name, "Value"), key)) {
			return word(a, value, "Value");
		}
	}
	return pf_span(NULL, 0);
}
