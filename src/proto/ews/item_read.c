/*
 * Items as the answers tell them: extended properties, and how all of it becomes one MAPI item.
 */
#include "proto/ews/item_private.h"

#include "base/base64.h"
#include "base/civil.h"
#include "model/mapi_tags.h"

#include <stdlib.h>

enum {
	DEPTH_MAX = 16, /* items within items */
	LACKS_MAX = 1 << 16,
	ONE_OFFS = 0x8054, /* of a distribution list ([MS-OXOCNTC] 2.2.2.2) */
	MEMBERS = 0x8055,
	STREAM = 0x8064,       /* of a large list ([MS-OXOCNTC] 2.2.2.2.4): all of both, ... */
	STREAM_COUNT_AT = 12,  /* ... and how many there are */
	RECUR = 0x8216,        /* PidLidAppointmentRecur */
	REPLACE_TIME = 0x8228, /* PidLidExceptionReplaceTime */
};

/* 1601-01-01 to 1970-01-01 */
#define EPOCH_S INT64_C(11644473600)

int ews_no_memory(struct ews_reading *r)
{
	return pf_fail_memory(r->err, "an item of Exchange");
}

static int bad(struct ews_reading *r, const char *what)
{
	return pf_fail(r->err, PF_SCOPE_ITEM, PF_RETRY_NO, "%s", what);
}

struct pf_span ews_attribute(struct pf_arena *arena, const xmlNode *n, const char *name)
{
	xmlChar *value = n ? xmlGetProp(n, (const xmlChar *)name) : NULL;
	struct pf_span out = pf_span(NULL, 0);

	if (value) {
		out = pf_arena_span(arena, pf_span_str((const char *)value));
		xmlFree(value);
	}
	return out;
}

/* ---- moments ---- */

/* `n` digits from `at` on; -1: they are none. */
static int digits(struct pf_span s, size_t at, size_t n)
{
	int value = 0;

	for (size_t i = at; i < at + n; i++) {
		if (i >= s.n || s.p[i] < '0' || s.p[i] > '9') {
			return -1;
		}
		value = value * 10 + (s.p[i] - '0');
	}
	return value;
}

/* "Z", "+01:00", or nothing, which then is UTC. */
static bool offset_of(struct pf_span s, int *seconds)
{
	int hours = digits(s, 1, 2), minutes = digits(s, 4, 2);

	*seconds = 0;
	if (s.n == 0 || pf_span_is(s, "Z")) {
		return true;
	}
	if (s.n != 6 || (s.p[0] != '+' && s.p[0] != '-') || s.p[3] != ':' || hours < 0 ||
		minutes < 0) {
		return false;
	}
	*seconds = (hours * 60 + minutes) * (s.p[0] == '-' ? -60 : 60);
	return true;
}

bool pf_ews_moment(struct pf_span s, int64_t *unix_s)
{
	const struct pf_civil c = {digits(s, 0, 4), digits(s, 5, 2), digits(s, 8, 2),
		digits(s, 11, 2), digits(s, 14, 2), digits(s, 17, 2)};
	size_t at = 19;
	int offset;

	if (c.year < 0 || c.hour < 0 || c.minute < 0 || c.second < 0 || !pf_civil_valid(&c)) {
		return false;
	}
	if (at < s.n && s.p[at] == '.') {
		at++;
		while (digits(s, at, 1) >= 0) {
			at++;
		}
	}
	if (!offset_of(pf_span_from(s, at), &offset)) {
		return false;
	}
	*unix_s = pf_civil_to_unix(&c) - offset;
	return true;
}

/* ---- values ---- */

int ews_add_text(struct ews_reading *r, struct pf_mapi_item *item, struct pf_mapi_props *to,
	uint16_t tag, struct pf_span text)
{
	struct pf_mapi_prop *p;

	if (text.n == 0) {
		return PF_OK;
	}
	p = pf_mapi_add(item, to);
	if (!p) {
		return ews_no_memory(r);
	}
	p->id = tag;
	p->value.type = PF_MAPI_STRING;
	p->value.bytes = text;
	return PF_OK;
}

int ews_add_number(struct ews_reading *r, struct pf_mapi_item *item, struct pf_mapi_props *to,
	uint16_t tag, int type, int64_t value)
{
	struct pf_mapi_prop *p = pf_mapi_add(item, to);

	if (!p) {
		return ews_no_memory(r);
	}
	p->id = tag;
	p->value.type = (enum pf_mapi_type)type;
	p->value.number = value;
	return PF_OK;
}

struct pf_mapi_prop *ews_add_named(struct ews_reading *r, struct pf_mapi_item *item,
	const struct pf_guid *set, uint32_t number, struct pf_span text)
{
	struct pf_mapi_name *name = pf_arena_alloc(r->w->arena, sizeof(*name));
	struct pf_mapi_prop *p = name ? pf_mapi_add(item, &item->props) : NULL;

	if (!p) {
		(void)ews_no_memory(r);
		return NULL;
	}
	*name = (struct pf_mapi_name){.set = *set, .number = number, .text = text};
	p->name = name;
	return p;
}

/* A text as it stands, without a copy where there is one piece of it. */
static struct pf_span plain_text(struct ews_reading *r, const xmlNode *n)
{
	const xmlNode *c = n->children;

	return c && !c->next && c->type == XML_TEXT_NODE ? pf_span_str((const char *)c->content)
							 : xml_text(n, r->w->arena);
}

/* Base64 into the arena. */
static int bytes_of(struct ews_reading *r, const xmlNode *n, struct pf_span *out)
{
	struct pf_span text = plain_text(r, n);
	struct pf_buf b;
	int rc;

	pf_buf_init(&b, text.n + 3);
	rc = pf_base64_decode(text, &b, r->err);
	if (rc == PF_OK) {
		*out = b.n > 0 ? pf_arena_span(r->w->arena, pf_buf_span(&b)) : pf_span("", 0);
		rc = out->p ? PF_OK : ews_no_memory(r);
	}
	pf_buf_deinit(&b);
	return rc;
}

static int moment_of(struct ews_reading *r, struct pf_span text, struct pf_mapi_value *out)
{
	int64_t unix_s;

	if (!pf_ews_moment(text, &unix_s)) {
		return bad(r, "a property that is to be a moment is none");
	}
	out->filetime = unix_s < -EPOCH_S ? 0 : (uint64_t)(unix_s + EPOCH_S) * 10000000;
	return PF_OK;
}

static int guid_value(struct ews_reading *r, struct pf_span text, struct pf_mapi_value *out)
{
	struct pf_guid guid;

	if (!ews_guid_of(text, &guid)) {
		return bad(r, "a property that is to be a GUID is none");
	}
	out->bytes = pf_arena_span(r->w->arena, pf_span(guid.b, sizeof(guid.b)));
	return out->bytes.p ? PF_OK : ews_no_memory(r);
}

/* What an element t:Value says; a type without MANY. */
static int value_of(struct ews_reading *r, int type, const xmlNode *n, struct pf_mapi_value *out)
{
	bool plain = type != PF_MAPI_STRING && type != PF_MAPI_BINARY;
	struct pf_span word = plain ? xml_word(n, r->w->arena) : pf_span(NULL, 0);
	const char *text = word.n > 0 ? (const char *)word.p : "";

	*out = (struct pf_mapi_value){.type = (enum pf_mapi_type)type};
	switch (type) {
	case PF_MAPI_STRING:
		out->bytes = xml_text(n, r->w->arena);
		return PF_OK;
	case PF_MAPI_BINARY:
		return bytes_of(r, n, &out->bytes);
	case PF_MAPI_TIME:
		return moment_of(r, word, out);
	case PF_MAPI_GUID:
		return guid_value(r, word, out);
	case PF_MAPI_BOOL:
		out->number = pf_span_is(word, "true") || pf_span_is(word, "1");
		return PF_OK;
	case PF_MAPI_FLOAT:
	case PF_MAPI_DOUBLE:
	case PF_MAPI_APPTIME:
		out->real = strtod(text, NULL);
		return PF_OK;
	default:
		out->number = strtoll(text, NULL, 10);
		return PF_OK;
	}
}

static int values_of(
	struct ews_reading *r, int type, const xmlNode *values, struct pf_mapi_value *out)
{
	size_t n = 0;
	int rc = PF_OK;

	for (const xmlNode *c = ews_first(values); c; c = ews_next(c)) {
		n++;
	}
	out->type = (enum pf_mapi_type)type;
	out->many.v = pf_arena_alloc(r->w->arena, (n + 1) * sizeof(*out->many.v));
	if (!out->many.v) {
		return ews_no_memory(r);
	}
	for (const xmlNode *c = ews_first(values); c && rc == PF_OK; c = ews_next(c)) {
		rc = value_of(r, type & ~PF_MAPI_MANY, c, &out->many.v[out->many.n++]);
	}
	return rc;
}

/* ---- extended properties ---- */

/* Whose path it is. PF_END: of none that is known here, or that was told already. */
static int path_of(struct ews_reading *r, const xmlNode *path, struct pf_mapi_prop *out)
{
	struct pf_arena *arena = r->w->arena;
	struct pf_span tag = ews_attribute(arena, path, "PropertyTag");
	struct pf_span number = ews_attribute(arena, path, "PropertyId");
	struct pf_mapi_name *name;
	long value = tag.n > 0      ? strtol((const char *)tag.p, NULL, 0)
		     : number.n > 0 ? strtol((const char *)number.p, NULL, 10)
				    : 0;

	if (value < 0 || value > UINT16_MAX) {
		return PF_END;
	}
	if (tag.n > 0) {
		out->id = (uint16_t)value;
		return value > 0 ? PF_OK : PF_END;
	}
	name = pf_arena_alloc(arena, sizeof(*name));
	if (!name) {
		return ews_no_memory(r);
	}
	name->number = (uint32_t)value;
	name->text = ews_attribute(arena, path, "PropertyName");
	out->name = name;
	if (!ews_set_of(ews_attribute(arena, path, "DistinguishedPropertySetId"),
		    ews_attribute(arena, path, "PropertySetId"), &name->set) ||
		(value == 0 && name->text.n == 0)) {
		return PF_END;
	}
	/* elements told them, with addresses that mean something outside of the server */
	return r->members && pf_guid_eq(&name->set, &pf_set_address) &&
			       (value == ONE_OFFS || value == MEMBERS)
		       ? PF_END
		       : PF_OK;
}

/* A large list's members as its owner's program keeps them, where elements told no fewer: with
 * addresses that mean something outside of the server. */
static bool is_told(const struct ews_reading *r, const struct pf_mapi_prop *p)
{
	struct pf_span stream = p->value.bytes;
	size_t n = 0;

	if (!r->members || !p->name || !pf_guid_eq(&p->name->set, &pf_set_address) ||
		p->name->number != STREAM || p->value.type != PF_MAPI_BINARY) {
		return false;
	}
	for (size_t i = 4; i-- > 0 && stream.n >= STREAM_COUNT_AT + 4;) {
		n = n << 8 | stream.p[STREAM_COUNT_AT + i];
	}
	return r->members_n >= n;
}

static int read_property(struct ews_reading *r, struct pf_mapi_item *item, const xmlNode *n)
{
	const xmlNode *path = xml_child(n, "ExtendedFieldURI"), *value = xml_child(n, "Value");
	const xmlNode *values = xml_child(n, "Values");
	int type = ews_type_of(ews_attribute(r->w->arena, path, "PropertyType"));
	struct pf_mapi_prop one = {0}, *p;
	int rc = type != 0 && (type & PF_MAPI_MANY ? values : value) ? path_of(r, path, &one)
								     : PF_END;

	if (rc == PF_OK) {
		rc = type & PF_MAPI_MANY ? values_of(r, type, values, &one.value)
					 : value_of(r, type, value, &one.value);
	}
	if (rc != PF_OK || is_told(r, &one)) {
		return rc == PF_FAIL ? PF_FAIL : PF_OK;
	}
	p = pf_mapi_add(item, &item->props);
	if (!p) {
		return ews_no_memory(r);
	}
	*p = one;
	return PF_OK;
}

/* ---- the whole ---- */

int ews_add_lack(struct ews_reading *r, const struct pf_ews_lack *lack)
{
	struct pf_ews_whole *w = r->w;

	if (lack->id.n == 0 || w->lack_n >= LACKS_MAX) {
		return bad(r, "it has an attachment that can't be asked for");
	}
	if (w->lack_n == w->lack_cap) {
		size_t cap = w->lack_cap ? 2 * w->lack_cap : 8;
		struct pf_ews_lack *v = pf_arena_alloc(w->arena, cap * sizeof(*v));

		if (!v) {
			return ews_no_memory(r);
		}
		if (w->lack_n > 0) {
			memcpy(v, w->lack, w->lack_n * sizeof(*v));
		}
		w->lack = v;
		w->lack_cap = cap;
	}
	w->lack[w->lack_n++] = *lack;
	return PF_OK;
}

static int read_item(struct ews_reading *r, const xmlNode *n, struct pf_mapi_item **out)
{
	struct pf_mapi_item *item = pf_mapi_new(r->w->arena);
	const xmlNode *members = xml_child(n, "Members");
	int rc;

	if (!item) {
		return ews_no_memory(r);
	}
	*out = item;
	r->members = members != NULL;
	r->members_n = 0;
	rc = members ? ews_read_typed(r, item, members) : PF_OK;
	for (const xmlNode *c = ews_first(n); c && rc == PF_OK; c = ews_next(c)) {
		if (xml_is(c, "ExtendedProperty")) {
			rc = read_property(r, item, c);
		} else if (!xml_is(c, "Members")) {
			rc = ews_read_typed(r, item, c);
			rc = rc == PF_END ? PF_OK : rc;
		}
	}
	return rc;
}

static const xmlNode *first_within(const struct pf_ews_message *m)
{
	return m->within ? ews_first(ews_theirs(m->within)) : NULL;
}

int pf_ews_read_whole(const struct pf_ews_message *m, struct pf_ews_whole *w, struct pf_err *err)
{
	struct ews_reading r = {.w = w, .err = err};
	const xmlNode *n = first_within(m), *uid;

	if (!n) {
		return bad(&r, "the server says that it is done, and gives nothing");
	}
	uid = xml_child(n, "UID");
	w->uid = uid ? xml_word(uid, w->arena) : pf_span(NULL, 0);
	w->series =
		xml_child(n, "CalendarItemType") &&
		pf_span_is(xml_word(xml_child(n, "CalendarItemType"), w->arena), "RecurringMaster");
	return read_item(&r, n, &w->item);
}

/* The properties of a changed occurrence; its series has the rule. */
static int read_occurrence(struct ews_reading *r, const struct pf_ews_lack *lack, const xmlNode *n)
{
	struct pf_mapi_item *item = NULL;
	struct pf_mapi_prop *p;
	size_t kept = 0;

	if (read_item(r, n, &item) != PF_OK) {
		return PF_FAIL;
	}
	for (size_t i = 0; i < item->props.n; i++) {
		const struct pf_mapi_prop *one = &item->props.v[i];

		if (!one->name || !pf_guid_eq(&one->name->set, &pf_set_appointment) ||
			(one->name->number != RECUR && one->name->number != REPLACE_TIME)) {
			item->props.v[kept++] = *one;
		}
	}
	item->props.n = kept;
	p = ews_add_named(r, item, &pf_set_appointment, REPLACE_TIME, pf_span(NULL, 0));
	if (!p) {
		return PF_FAIL;
	}
	p->value.type = PF_MAPI_TIME;
	p->value.filetime = lack->original_utc_s < -EPOCH_S
				    ? 0
				    : (uint64_t)(lack->original_utc_s + EPOCH_S) * 10000000;
	lack->of->attachments[lack->at].item = item;
	lack->of->attachments[lack->at].kind = PF_MAPI_ATTACH_ITEM;
	return PF_OK;
}

static int read_attachment(struct ews_reading *r, const struct pf_ews_lack *lack, const xmlNode *n)
{
	struct pf_mapi_attachment *a = &lack->of->attachments[lack->at];
	const xmlNode *content = xml_child(n, "Content"), *inner = NULL;

	if (!xml_is(n, "ItemAttachment")) {
		a->kind = PF_MAPI_ATTACH_DATA;
		a->data = pf_span("", 0);
		return content ? bytes_of(r, content, &a->data) : PF_OK;
	}
	for (const xmlNode *c = ews_first(n); c; c = ews_next(c)) {
		inner = c; /* the item is the last of its elements */
	}
	if (!inner || !ews_first(inner)) {
		return bad(r, "an item within it is not given");
	}
	if (lack->depth + 1 >= DEPTH_MAX) {
		return pf_fail(r->err, PF_SCOPE_ITEM, PF_RETRY_NO,
			"items within items, deeper than %d", DEPTH_MAX);
	}
	a->kind = PF_MAPI_ATTACH_ITEM;
	return read_item(r, inner, &a->item);
}

int pf_ews_read_lack(
	const struct pf_ews_message *m, struct pf_ews_whole *w, size_t lack, struct pf_err *err)
{
	const struct pf_ews_lack one = w->lack[lack]; /* the list may move */
	struct ews_reading r = {.w = w, .err = err, .depth = one.depth + !one.occurrence};
	const xmlNode *n = first_within(m);

	if (!n) {
		return bad(&r, "the server says that it is done, and gives nothing");
	}
	return one.occurrence ? read_occurrence(&r, &one, n) : read_attachment(&r, &one, n);
}
