/*
 * What the schema has elements of its own for: bodies, people, categories, files, members of lists
 * and changed occurrences, as the properties, recipients and attachments that they are made of.
 */
#include "proto/ews/item_private.h"

#include "base/utf8.h"
#include "model/mapi_tags.h"

#include <stdlib.h>

enum {
	TO = 1, /* PidTagRecipientType ([MS-OXCMSG] 2.2.3.1.1) */
	CC = 2,
	BCC = 3,
	SENDABLE = 1, /* PidTagRecipientFlags ([MS-OXOCAL] 2.2.4.10.1) */
	ORGANIZER = 2,
	BY_VALUE = 1, /* PidTagAttachMethod ([MS-OXCMSG] 2.2.2.9) */
	BY_REFERENCE = 4,
	EMBEDDED = 5,
	OF_EXCEPTION = 2, /* PidTagAttachmentFlags ([MS-OXOCAL] 2.2.10.1.2) */
	ONE_OFF_HEAD = 24,
	ONE_OFF_MEMBERS = 0x8054, /* PidLidDistributionListOneOffMembers */
};

static struct pf_span word(struct ews_reading *r, const xmlNode *n, const char *name)
{
	const xmlNode *c = xml_child(n, name);

	return c ? xml_word(c, r->w->arena) : pf_span(NULL, 0);
}

static struct pf_span text(struct ews_reading *r, const xmlNode *n, const char *name)
{
	return xml_text(xml_child(n, name), r->w->arena);
}

static bool is_true(struct pf_span s)
{
	return pf_span_is(s, "true") || pf_span_is(s, "1");
}

/* ---- people ---- */

struct person {
	struct pf_span name, address, type;
};

/* Of a t:Mailbox; NULL is nobody. */
static struct person person_of(struct ews_reading *r, const xmlNode *mailbox)
{
	struct person p = {0};

	if (mailbox) {
		p.name = text(r, mailbox, "Name");
		p.address = word(r, mailbox, "EmailAddress");
		p.type = word(r, mailbox, "RoutingType");
		p.type = p.type.n > 0 ? p.type : pf_span("SMTP", 4);
	}
	return p;
}

struct person_tags {
	uint16_t name, type, address, smtp;
};

static int add_person(struct ews_reading *r, struct pf_mapi_item *item, struct pf_mapi_props *to,
	const xmlNode *mailbox, const struct person_tags *tags)
{
	struct person p = person_of(r, mailbox);
	bool smtp = pf_span_is(p.type, "SMTP");

	if (p.name.n == 0 && p.address.n == 0) {
		return PF_OK;
	}
	if (ews_add_text(r, item, to, tags->name, p.name) != PF_OK ||
		ews_add_text(r, item, to, tags->type, p.type) != PF_OK ||
		ews_add_text(r, item, to, tags->address, p.address) != PF_OK) {
		return PF_FAIL;
	}
	return smtp ? ews_add_text(r, item, to, tags->smtp, p.address) : PF_OK;
}

static int add_recipient(struct ews_reading *r, struct pf_mapi_item *item, const xmlNode *mailbox,
	int type, struct pf_mapi_props **out)
{
	static const struct person_tags TAGS = {PF_TAG_DISPLAY_NAME, PF_TAG_ADDRESS_TYPE,
		PF_TAG_EMAIL_ADDRESS, PF_TAG_SMTP_ADDRESS};
	struct pf_mapi_props *to = pf_mapi_add_recipient(item);

	*out = to;
	if (!to) {
		return ews_no_memory(r);
	}
	if (ews_add_number(r, item, to, PF_TAG_RECIPIENT_TYPE, PF_MAPI_I32, type) != PF_OK) {
		return PF_FAIL;
	}
	return add_person(r, item, to, mailbox, &TAGS);
}

/* <t:ToRecipients><t:Mailbox>... */
static int add_recipients(
	struct ews_reading *r, struct pf_mapi_item *item, const xmlNode *n, int type)
{
	int rc = PF_OK;

	for (const xmlNode *c = ews_first(n); c && rc == PF_OK; c = ews_next(c)) {
		struct pf_mapi_props *to;

		rc = add_recipient(r, item, c, type, &to);
	}
	return rc;
}

/* t:ResponseType as PidTagRecipientTrackStatus ([MS-OXOCAL] 2.2.4.10.2). */
static int answer_of(struct pf_span said)
{
	static const char *const SAID[] = {
		"Unknown", "Organizer", "Tentative", "Accept", "Decline", "NoResponseReceived"};

	for (size_t i = 0; i < PF_COUNT(SAID); i++) {
		if (pf_span_is(said, SAID[i])) {
			return (int)i;
		}
	}
	return 0;
}

/* <t:RequiredAttendees><t:Attendee><t:Mailbox/><t:ResponseType/>...: the organizer is among them.
 */
static int add_attendees(
	struct ews_reading *r, struct pf_mapi_item *item, const xmlNode *n, int type)
{
	int rc = PF_OK;

	for (const xmlNode *c = ews_first(n); c && rc == PF_OK; c = ews_next(c)) {
		int said = answer_of(word(r, c, "ResponseType"));
		struct pf_mapi_props *to;

		rc = add_recipient(r, item, xml_child(c, "Mailbox"), type, &to);
		if (rc == PF_OK) {
			rc = ews_add_number(r, item, to, PF_TAG_RECIPIENT_FLAGS, PF_MAPI_I32,
				said == 1 ? SENDABLE | ORGANIZER : SENDABLE);
		}
		if (rc == PF_OK) {
			rc = ews_add_number(
				r, item, to, PF_TAG_RECIPIENT_TRACK_STATUS, PF_MAPI_I32, said);
		}
	}
	return rc;
}

static int read_people(struct ews_reading *r, struct pf_mapi_item *item, const xmlNode *n)
{
	static const struct {
		const char *name;
		int (*add)(struct ews_reading *, struct pf_mapi_item *, const xmlNode *, int);
		int type;
		bool of_event;
	} LISTS[] = {
		{"ToRecipients", add_recipients, TO, false},
		{"CcRecipients", add_recipients, CC, false},
		{"BccRecipients", add_recipients, BCC, false},
		{"RequiredAttendees", add_attendees, TO, true},
		{"OptionalAttendees", add_attendees, CC, true},
		{"Resources", add_attendees, BCC, true},
	};
	static const struct {
		const char *name;
		struct person_tags tags;
	} SINGLE[] = {
		{"Organizer",
			{PF_TAG_SENT_REPRESENTING_NAME, PF_TAG_SENT_REPRESENTING_ADDRESS_TYPE,
				PF_TAG_SENT_REPRESENTING_EMAIL, PF_TAG_SENT_REPRESENTING_SMTP}},
		{"From", {PF_TAG_SENT_REPRESENTING_NAME, PF_TAG_SENT_REPRESENTING_ADDRESS_TYPE,
				 PF_TAG_SENT_REPRESENTING_EMAIL, PF_TAG_SENT_REPRESENTING_SMTP}},
		{"Sender", {PF_TAG_SENDER_NAME, PF_TAG_SENDER_ADDRESS_TYPE, PF_TAG_SENDER_EMAIL,
				   PF_TAG_SENDER_SMTP}},
	};

	for (size_t i = 0; i < PF_COUNT(LISTS); i++) {
		/* A meeting message has its attendees as recipients as well. */
		if (xml_is(n, LISTS[i].name)) {
			return LISTS[i].of_event == xml_is(n->parent, "CalendarItem")
				       ? LISTS[i].add(r, item, n, LISTS[i].type)
				       : PF_OK;
		}
	}
	for (size_t i = 0; i < PF_COUNT(SINGLE); i++) {
		if (xml_is(n, SINGLE[i].name)) {
			return add_person(
				r, item, &item->props, xml_child(n, "Mailbox"), &SINGLE[i].tags);
		}
	}
	return PF_END;
}

/* ---- members of a list ---- */

static uint8_t *put_unit(uint8_t *at, uint32_t unit)
{
	at[0] = (uint8_t)unit;
	at[1] = (uint8_t)(unit >> 8);
	return at + 2;
}

/* UTF-16LE and a NUL. */
static uint8_t *put_text(uint8_t *at, struct pf_span s)
{
	while (s.n > 0) {
		uint32_t c = pf_utf8_next(&s);

		c = c == UINT32_MAX || c == 0 ? 0xFFFD : c;
		if (c >= 0x10000) {
			at = put_unit(at, 0xD800 + ((c - 0x10000) >> 10));
			c = 0xDC00 + ((c - 0x10000) & 0x3FF);
		}
		at = put_unit(at, c);
	}
	return put_unit(at, 0);
}

/* An entry id that has the member in it ([MS-OXCDATA] 2.2.5.1). */
static int one_off(struct ews_reading *r, const struct person *p, struct pf_mapi_value *out)
{
	static const uint8_t HEAD[ONE_OFF_HEAD] = {0, 0, 0, 0, 0x81, 0x2B, 0x1F, 0xA4, 0xBE, 0xA3,
		0x10, 0x19, 0x9D, 0x6E, 0x00, 0xDD, 0x01, 0x0F, 0x54, 0x02, 0, 0, 0x01, 0x80};
	size_t most = ONE_OFF_HEAD + 2 * (p->name.n + p->type.n + p->address.n + 3);
	uint8_t *id = pf_arena_alloc(r->w->arena, most), *end;

	if (!id) {
		return ews_no_memory(r);
	}
	memcpy(id, HEAD, sizeof(HEAD));
	end = put_text(put_text(put_text(id + ONE_OFF_HEAD, p->name), p->type), p->address);
	*out = (struct pf_mapi_value){
		.type = PF_MAPI_BINARY, .bytes = pf_span(id, (size_t)(end - id))};
	return PF_OK;
}

static size_t count(const xmlNode *n)
{
	size_t found = 0;

	for (const xmlNode *c = ews_first(n); c; c = ews_next(c)) {
		found++;
	}
	return found;
}

static int add_members(struct ews_reading *r, struct pf_mapi_item *item, const xmlNode *n)
{
	struct pf_mapi_value *v =
		pf_arena_alloc(r->w->arena, (count(n) + 1) * sizeof(struct pf_mapi_value));
	struct pf_mapi_prop *prop;
	size_t found = 0;

	if (!v) {
		return ews_no_memory(r);
	}
	for (const xmlNode *c = ews_first(n); c; c = ews_next(c)) {
		struct person p = person_of(r, xml_child(c, "Mailbox"));

		if (one_off(r, &p, &v[found++]) != PF_OK) {
			return PF_FAIL;
		}
	}
	prop = ews_add_named(r, item, &pf_set_address, ONE_OFF_MEMBERS, pf_span(NULL, 0));
	if (!prop) {
		return PF_FAIL;
	}
	prop->value.type = (enum pf_mapi_type)(PF_MAPI_BINARY | PF_MAPI_MANY);
	prop->value.many.v = v;
	prop->value.many.n = found;
	r->members_n = found;
	return PF_OK;
}

/* ---- files, items within, occurrences ---- */

static struct pf_span id_of(struct ews_reading *r, const xmlNode *n, const char *name)
{
	return ews_attribute(r->w->arena, xml_child(n, name), "Id");
}

static int attachment_props(
	struct ews_reading *r, struct pf_mapi_item *item, size_t at, const xmlNode *n)
{
	static const struct {
		const char *name;
		uint16_t tag;
	} TEXTS[] = {
		{"Name", PF_TAG_ATTACH_LONG_FILENAME},
		{"ContentType", PF_TAG_ATTACH_MIME},
		{"ContentId", PF_TAG_ATTACH_CONTENT_ID},
		{"ContentLocation", PF_TAG_ATTACH_CONTENT_LOCATION},
		{"AttachLongPathName", PF_TAG_ATTACH_LONG_PATHNAME},
	};
	static const struct {
		const char *name;
		uint16_t tag;
	} MARKS[] = {
		{"IsInline", PF_TAG_ATTACHMENT_HIDDEN},
		{"IsContactPhoto", PF_TAG_ATTACHMENT_CONTACT_PHOTO},
	};
	struct pf_mapi_props *to = &item->attachments[at].props;
	int rc = PF_OK;

	for (size_t i = 0; i < PF_COUNT(TEXTS) && rc == PF_OK; i++) {
		rc = ews_add_text(r, item, to, TEXTS[i].tag, text(r, n, TEXTS[i].name));
	}
	for (size_t i = 0; i < PF_COUNT(MARKS) && rc == PF_OK; i++) {
		if (is_true(word(r, n, MARKS[i].name))) {
			rc = ews_add_number(r, item, to, MARKS[i].tag, PF_MAPI_BOOL, 1);
		}
	}
	return rc;
}

static int add_attachment(struct ews_reading *r, struct pf_mapi_item *item, const xmlNode *n)
{
	struct pf_mapi_attachment *a = pf_mapi_add_attachment(item);
	struct pf_span size = word(r, n, "Size");
	struct pf_ews_lack lack = {.of = item,
		.at = item->attachments_n - 1,
		.id = id_of(r, n, "AttachmentId"),
		.size = size.n > 0 ? strtoull((const char *)size.p, NULL, 10) : 0,
		.depth = r->depth};
	int method = BY_VALUE;

	if (!a) {
		return ews_no_memory(r);
	}
	if (xml_is(n, "ItemAttachment")) {
		method = EMBEDDED;
	} else if (xml_is(n, "ReferenceAttachment")) {
		a->kind = PF_MAPI_ATTACH_REFERENCE;
		method = BY_REFERENCE;
	}
	if (ews_add_number(r, item, &a->props, PF_TAG_ATTACH_METHOD, PF_MAPI_I32, method) !=
			PF_OK ||
		attachment_props(r, item, lack.at, n) != PF_OK) {
		return PF_FAIL;
	}
	return a->kind == PF_MAPI_ATTACH_REFERENCE ? PF_OK : ews_add_lack(r, &lack);
}

/* A changed occurrence is what Outlook keeps as a hidden attachment of its series ([MS-OXOCAL]
 * 2.2.10). */
static int add_occurrence(struct ews_reading *r, struct pf_mapi_item *item, const xmlNode *n)
{
	struct pf_ews_lack lack = {
		.of = item, .occurrence = true, .id = id_of(r, n, "ItemId"), .depth = r->depth};
	struct pf_mapi_attachment *a;

	if (!pf_ews_moment(word(r, n, "OriginalStart"), &lack.original_utc_s)) {
		return pf_fail(r->err, PF_SCOPE_ITEM, PF_RETRY_NO,
			"a changed occurrence of which the server does not say when it would be");
	}
	a = pf_mapi_add_attachment(item);
	if (!a) {
		return ews_no_memory(r);
	}
	lack.at = item->attachments_n - 1;
	if (ews_add_number(r, item, &a->props, PF_TAG_ATTACH_METHOD, PF_MAPI_I32, EMBEDDED) !=
			PF_OK ||
		ews_add_number(r, item, &a->props, PF_TAG_ATTACHMENT_FLAGS, PF_MAPI_I32,
			OF_EXCEPTION) != PF_OK ||
		ews_add_number(r, item, &a->props, PF_TAG_ATTACHMENT_HIDDEN, PF_MAPI_BOOL, 1) !=
			PF_OK) {
		return PF_FAIL;
	}
	return ews_add_lack(r, &lack);
}

static int each(struct ews_reading *r, struct pf_mapi_item *item, const xmlNode *n,
	int (*add)(struct ews_reading *, struct pf_mapi_item *, const xmlNode *))
{
	int rc = PF_OK;

	for (const xmlNode *c = ews_first(n); c && rc == PF_OK; c = ews_next(c)) {
		rc = add(r, item, c);
	}
	return rc;
}

/* ---- texts ---- */

static int add_body(struct ews_reading *r, struct pf_mapi_item *item, const xmlNode *n)
{
	bool html = pf_span_is(ews_attribute(r->w->arena, n, "BodyType"), "HTML");

	return ews_add_text(
		r, item, &item->props, html ? PF_TAG_HTML : PF_TAG_BODY, xml_text(n, r->w->arena));
}

static int add_categories(struct ews_reading *r, struct pf_mapi_item *item, const xmlNode *n)
{
	struct pf_mapi_value *v =
		pf_arena_alloc(r->w->arena, (count(n) + 1) * sizeof(struct pf_mapi_value));
	struct pf_mapi_prop *p =
		ews_add_named(r, item, &pf_set_strings, 0, pf_span_str("Keywords"));

	if (!v || !p) {
		return ews_no_memory(r);
	}
	p->value.type = (enum pf_mapi_type)(PF_MAPI_STRING | PF_MAPI_MANY);
	p->value.many.v = v;
	for (const xmlNode *c = ews_first(n); c; c = ews_next(c)) {
		v[p->value.many.n++] = (struct pf_mapi_value){
			.type = PF_MAPI_STRING, .bytes = xml_word(c, r->w->arena)};
	}
	return PF_OK;
}

int ews_read_typed(struct ews_reading *r, struct pf_mapi_item *item, const xmlNode *n)
{
	if (xml_is(n, "ItemClass")) {
		return ews_add_text(
			r, item, &item->props, PF_TAG_MESSAGE_CLASS, xml_word(n, r->w->arena));
	}
	if (xml_is(n, "Subject")) {
		return ews_add_text(
			r, item, &item->props, PF_TAG_SUBJECT, xml_text(n, r->w->arena));
	}
	if (xml_is(n, "Body")) {
		return add_body(r, item, n);
	}
	if (xml_is(n, "Categories")) {
		return add_categories(r, item, n);
	}
	if (xml_is(n, "Attachments")) {
		return each(r, item, n, add_attachment);
	}
	if (xml_is(n, "ModifiedOccurrences")) {
		return each(r, item, n, add_occurrence);
	}
	if (xml_is(n, "Members")) {
		return add_members(r, item, n);
	}
	return read_people(r, item, n);
}
