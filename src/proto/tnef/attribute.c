/*
 * Attributes that are older than properties, and the properties that they stand for
 * ([MS-OXTNEF] 2.1.3.3). Strings are in the OEM code page.
 */
#include "base/civil.h"
#include "base/utf8.h"
#include "model/mapi_tags.h"
#include "proto/tnef/tnef_private.h"

#define EPOCH_S INT64_C(11644473600) /* 1601 to 1970 */

/* How the data of an attribute are read. */
enum way {
	STRING,
	CLASS,
	DATE,
	IMPORTANCE,
	STATUS,
	NUMBER,
	TRUTH,
	HEX,
	BYTES,
	SENDER,
	OWNER,
	SENT_FOR,
	IGNORED,
};

static const struct {
	uint32_t id;
	uint8_t level;
	uint8_t way;
	uint16_t tag;
} ATTRIBUTES[] = {
	{0x00078008, 1, CLASS, PF_TAG_MESSAGE_CLASS},
	{0x00070006, 1, CLASS, PF_TAG_ORIGINAL_MESSAGE_CLASS},
	{0x00070600, 1, CLASS, PF_TAG_ORIGINAL_MESSAGE_CLASS}, /* as tnef.h of old had it */
	{0x00018004, 1, STRING, PF_TAG_SUBJECT},
	{0x0002800C, 1, STRING, PF_TAG_BODY},
	{0x00038005, 1, DATE, PF_TAG_CLIENT_SUBMIT_TIME},
	{0x00038006, 1, DATE, PF_TAG_MESSAGE_DELIVERY_TIME},
	{0x00038020, 1, DATE, PF_TAG_LAST_MODIFICATION_TIME},
	{0x0004800D, 1, IMPORTANCE, PF_TAG_IMPORTANCE},
	{0x00068007, 1, STATUS, PF_TAG_MESSAGE_FLAGS},
	{0x00018009, 1, HEX, PF_TAG_SEARCH_KEY},
	{0x0001800A, 1, HEX, PF_TAG_PARENT_KEY},
	{0x0001800B, 1, HEX, PF_TAG_CONVERSATION_KEY},
	{0x00008000, 1, SENDER, 0},
	{0x00030006, 1, DATE, PF_TAG_START_DATE},
	{0x00030007, 1, DATE, PF_TAG_END_DATE},
	{0x00050008, 1, NUMBER, PF_TAG_OWNER_APPOINTMENT_ID},
	{0x00040009, 1, TRUTH, PF_TAG_RESPONSE_REQUESTED},
	{0x00060000, 1, OWNER, 0},
	{0x00060001, 1, SENT_FOR, 0},
	{0x00060002, 1, BYTES, PF_TAG_RECEIVED_REPRESENTING_ENTRY_ID},
	{0x00089006, 1, IGNORED, 0}, /* attTnefVersion, always 1.0 */
	{0x00018010, 2, STRING, PF_TAG_ATTACH_FILENAME},
	{0x00069001, 2, STRING, PF_TAG_ATTACH_TRANSPORT_NAME},
	{0x00068011, 2, BYTES, PF_TAG_ATTACH_RENDERING},
	{0x00038012, 2, DATE, PF_TAG_CREATION_TIME},
	{0x00038013, 2, DATE, PF_TAG_LAST_MODIFICATION_TIME},
};

/* Classes had other names on the wire ([MS-OXTNEF] 2.1.3.3.2). */
static const struct {
	const char *old, *name;
} CLASSES[] = {
	{"IPM.Microsoft Mail.Note", "IPM.Note"},
	{"IPM.Microsoft Mail.Read Receipt", "REPORT.IPM.Note.IPNRN"},
	{"IPM.Microsoft Mail.Non-Delivery", "REPORT.IPM.Note.NDR"},
	{"IPM.Microsoft Schedule.MtgReq", "IPM.Schedule.Meeting.Request"},
	{"IPM.Microsoft Schedule.MtgRespP", "IPM.Schedule.Meeting.Resp.Pos"},
	{"IPM.Microsoft Schedule.MtgRespN", "IPM.Schedule.Meeting.Resp.Neg"},
	{"IPM.Microsoft Schedule.MtgRespA", "IPM.Schedule.Meeting.Resp.Tent"},
	{"IPM.Microsoft Schedule.MtgCncl", "IPM.Schedule.Meeting.Canceled"},
};

static struct pf_span without_nul(struct pf_span s)
{
	const uint8_t *end = s.n > 0 ? memchr(s.p, 0, s.n) : NULL;

	return end ? pf_span(s.p, (size_t)(end - s.p)) : s;
}

/* Where the value of `tag` is kept; NULL: no memory. */
static struct pf_mapi_value *keep(struct tnef *t, uint8_t level, uint16_t tag)
{
	struct pf_mapi_props *to = level == 2 ? &t->attach_legacy : &t->legacy;
	struct pf_mapi_prop *p;

	for (size_t i = 0; i < to->n; i++) {
		if (to->v[i].id == tag) { /* told again: the last counts, so they stay few */
			return &to->v[i].value;
		}
	}
	p = pf_mapi_add(t->item, to);
	if (!p) {
		return NULL;
	}
	p->id = tag;
	return &p->value;
}

static int keep_value(struct tnef *t, uint8_t level, uint16_t tag,
	const struct pf_mapi_value *value, struct pf_err *err)
{
	struct pf_mapi_value *kept = keep(t, level, tag);

	if (!kept) {
		return tnef_no_memory(err);
	}
	*kept = *value;
	return PF_OK;
}

static int keep_bytes(struct tnef *t, uint8_t level, uint16_t tag, enum pf_mapi_type type,
	struct pf_span bytes, struct pf_err *err)
{
	const struct pf_mapi_value value = {
		.type = type, .bytes = bytes.p ? bytes : pf_span("", 0)};

	return keep_value(t, level, tag, &value, err);
}

static int keep_number(
	struct tnef *t, uint16_t tag, enum pf_mapi_type type, int64_t number, struct pf_err *err)
{
	const struct pf_mapi_value value = {.type = type, .number = number};

	return keep_value(t, 1, tag, &value, err);
}

static int short_data(struct tnef *t, struct pf_span data)
{
	pf_mapi_broken(t->notes, tnef_at(t, data.p), "an attribute has only %zu bytes", data.n);
	return PF_OK;
}

static int keep_class(struct tnef *t, uint16_t tag, struct pf_span data, struct pf_err *err)
{
	struct pf_span name = without_nul(data);

	for (size_t i = 0; i < PF_COUNT(CLASSES); i++) {
		if (pf_span_is(name, CLASSES[i].old)) {
			name = pf_span_str(CLASSES[i].name);
		}
	}
	return keep_bytes(t, 1, tag, PF_MAPI_STRING8, name, err);
}

/* Year, month, day, hour, minute, second, day of the week, in a zone that is not told. */
static int keep_date(
	struct tnef *t, uint8_t level, uint16_t tag, struct pf_span data, struct pf_err *err)
{
	struct pf_civil c;
	struct pf_mapi_value value = {.type = PF_MAPI_TIME};

	if (data.n < 12) {
		return short_data(t, data);
	}
	c = (struct pf_civil){pf_le16(data.p), pf_le16(data.p + 2), pf_le16(data.p + 4),
		pf_le16(data.p + 6), pf_le16(data.p + 8), pf_le16(data.p + 10)};
	if (!pf_civil_valid(&c) || pf_civil_to_unix(&c) <= -EPOCH_S) {
		pf_mapi_note(t->notes, tnef_at(t, data.p), "a date that there is not");
		return PF_OK;
	}
	value.filetime = (uint64_t)(pf_civil_to_unix(&c) + EPOCH_S) * 10000000;
	return keep_value(t, level, tag, &value, err);
}

/* 1 is high, 3 low; a property has it the other way round. */
static int keep_importance(struct tnef *t, uint16_t tag, struct pf_span data, struct pf_err *err)
{
	unsigned priority;

	if (data.n < 2) {
		return short_data(t, data);
	}
	priority = pf_le16(data.p);
	return keep_number(t, tag, PF_MAPI_I32, priority == 1 ? 2 : priority == 3 ? 0 : 1, err);
}

/* One byte of flags of old ([MS-OXTNEF] 2.1.3.3.9) as PidTagMessageFlags. */
static int keep_status(struct tnef *t, uint16_t tag, struct pf_span data, struct pf_err *err)
{
	enum { MODIFIED = 0x01, LOCAL = 0x02, SUBMITTED = 0x04, READ = 0x20, HAS_ATTACH = 0x80 };
	enum { IS_READ = 1, UNMODIFIED = 2, SUBMIT = 4, UNSENT = 8, ATTACH = 16 };
	unsigned old;

	if (data.n < 1) {
		return short_data(t, data);
	}
	old = data.p[0];
	return keep_number(t, tag, PF_MAPI_I32,
		(old & READ ? IS_READ : 0) | (old & MODIFIED ? 0 : UNMODIFIED) |
			(old & SUBMITTED ? SUBMIT : 0) | (old & LOCAL ? UNSENT : 0) |
			(old & HAS_ATTACH ? ATTACH : 0),
		err);
}

static int keep_wire_number(
	struct tnef *t, uint16_t tag, struct pf_span data, bool truth, struct pf_err *err)
{
	if (data.n < (truth ? 2 : 4)) {
		return short_data(t, data);
	}
	return truth ? keep_number(t, tag, PF_MAPI_BOOL, pf_le16(data.p) != 0, err)
		     : keep_number(t, tag, PF_MAPI_I32, (int32_t)pf_le32(data.p), err);
}

/* A key in hexadecimal digits. */
static int keep_hex(struct tnef *t, uint16_t tag, struct pf_span data, struct pf_err *err)
{
	struct pf_span text = without_nul(data);
	uint8_t *key = pf_arena_alloc(t->item->arena, text.n / 2 + 1);

	if (!key) {
		return tnef_no_memory(err);
	}
	for (size_t i = 0; i + 1 < text.n; i += 2) {
		int high = pf_ascii_hex(text.p[i]), low = pf_ascii_hex(text.p[i + 1]);

		if (high < 0 || low < 0) {
			pf_mapi_note(t->notes, tnef_at(t, data.p), "a key that is not hexadecimal");
			return PF_OK;
		}
		key[i / 2] = (uint8_t)(high << 4 | low);
	}
	return keep_bytes(t, 1, tag, PF_MAPI_BINARY, pf_span(key, text.n / 2), err);
}

/* A name, and "TYPE:address", as the three properties of a role. */
static int keep_person(struct tnef *t, const uint16_t tags[3], struct pf_span name,
	struct pf_span address, struct pf_err *err)
{
	const uint8_t *colon;
	size_t n;

	name = without_nul(name);
	address = without_nul(address);
	if (keep_bytes(t, 1, tags[0], PF_MAPI_STRING8, name, err) != PF_OK) {
		return PF_FAIL;
	}
	colon = address.n > 0 ? memchr(address.p, ':', address.n) : NULL;
	if (!colon) {
		return PF_OK;
	}
	n = (size_t)(colon - address.p);
	if (keep_bytes(t, 1, tags[1], PF_MAPI_STRING8, pf_span(address.p, n), err) != PF_OK) {
		return PF_FAIL;
	}
	return keep_bytes(t, 1, tags[2], PF_MAPI_STRING8, pf_span_from(address, n + 1), err);
}

/* A triple ([MS-OXTNEF] 2.1.3.3.5): kind, length in all, lengths of name and address, then both. */
static int keep_sender(struct tnef *t, struct pf_span data, struct pf_err *err)
{
	static const uint16_t TAGS[] = {
		PF_TAG_SENDER_NAME, PF_TAG_SENDER_ADDRESS_TYPE, PF_TAG_SENDER_EMAIL};
	enum { ONE_OFF = 4 };
	struct pf_span head, name, address, rest = data;

	if (!pf_take(&rest, 8, &head)) {
		return short_data(t, data);
	}
	if (pf_le16(head.p) != ONE_OFF) {
		return PF_OK;
	}
	if (!pf_take(&rest, pf_le16(head.p + 4), &name) ||
		!pf_take(&rest, pf_le16(head.p + 6), &address)) {
		return short_data(t, data);
	}
	return keep_person(t, TAGS, name, address, err);
}

/* Lengths of two bytes each: a name, an address. */
static int keep_role(
	struct tnef *t, const uint16_t tags[3], struct pf_span data, struct pf_err *err)
{
	struct pf_span part[2], length, rest = data;

	for (int i = 0; i < 2; i++) {
		if (!pf_take(&rest, 2, &length) || !pf_take(&rest, pf_le16(length.p), &part[i])) {
			return short_data(t, data);
		}
	}
	return keep_person(t, tags, part[0], part[1], err);
}

/* Whose meeting it is: of a response the one who got it, else the one who sends it. */
static int keep_owner(struct tnef *t, struct pf_span data, bool sent_for, struct pf_err *err)
{
	static const uint16_t SENT[] = {PF_TAG_SENT_REPRESENTING_NAME,
		PF_TAG_SENT_REPRESENTING_ADDRESS_TYPE, PF_TAG_SENT_REPRESENTING_EMAIL};
	static const uint16_t RECEIVED[] = {PF_TAG_RECEIVED_REPRESENTING_NAME,
		PF_TAG_RECEIVED_REPRESENTING_ADDRESS_TYPE, PF_TAG_RECEIVED_REPRESENTING_EMAIL};
	const struct pf_mapi_value *name = pf_mapi_tag(&t->legacy, PF_TAG_MESSAGE_CLASS);
	bool response = pf_mapi_is_a(pf_mapi_text(name), "IPM.Schedule.Meeting.Resp");

	return keep_role(t, response && !sent_for ? RECEIVED : SENT, data, err);
}

int tnef_legacy(struct tnef *t, const struct tnef_attribute *a, struct pf_err *err)
{
	size_t i = 0;

	while (i < PF_COUNT(ATTRIBUTES) &&
		(ATTRIBUTES[i].id != a->id || ATTRIBUTES[i].level != a->level)) {
		i++;
	}
	if (i == PF_COUNT(ATTRIBUTES)) {
		return PF_END;
	}
	switch ((enum way)ATTRIBUTES[i].way) {
	case STRING:
		return keep_bytes(
			t, a->level, ATTRIBUTES[i].tag, PF_MAPI_STRING8, without_nul(a->data), err);
	case CLASS:
		return keep_class(t, ATTRIBUTES[i].tag, a->data, err);
	case DATE:
		return keep_date(t, a->level, ATTRIBUTES[i].tag, a->data, err);
	case IMPORTANCE:
		return keep_importance(t, ATTRIBUTES[i].tag, a->data, err);
	case STATUS:
		return keep_status(t, ATTRIBUTES[i].tag, a->data, err);
	case NUMBER:
	case TRUTH:
		return keep_wire_number(
			t, ATTRIBUTES[i].tag, a->data, ATTRIBUTES[i].way == TRUTH, err);
	case HEX:
		return keep_hex(t, ATTRIBUTES[i].tag, a->data, err);
	case BYTES:
		return keep_bytes(t, a->level, ATTRIBUTES[i].tag, PF_MAPI_BINARY, a->data, err);
	case SENDER:
		return keep_sender(t, a->data, err);
	case OWNER:
	case SENT_FOR:
		return keep_owner(t, a->data, ATTRIBUTES[i].way == SENT_FOR, err);
	case IGNORED:
		break;
	}
	return PF_OK;
}

int tnef_settle(struct tnef *t, struct pf_mapi_props *to, const struct pf_mapi_props *legacy,
	struct pf_err *err)
{
	for (size_t i = 0; i < legacy->n; i++) {
		struct pf_mapi_prop *p;

		if (pf_mapi_tag(to, legacy->v[i].id)) {
			continue;
		}
		p = pf_mapi_add(t->item, to);
		if (!p) {
			return tnef_no_memory(err);
		}
		*p = legacy->v[i];
	}
	return PF_OK;
}
