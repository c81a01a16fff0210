#include "model/mapi.h"

#include "base/utf8.h"
#include "model/mapi_tags.h"

/* {XXXXXXXX-0000-0000-C000-000000000046} */
#define OLE_SET(a, b, c, d)                                                                        \
	{                                                                                          \
		{                                                                                  \
			d, c, b, a, 0, 0, 0, 0, 0xC0, 0, 0, 0, 0, 0, 0, 0x46                       \
		}                                                                                  \
	}

const struct pf_guid pf_set_appointment = OLE_SET(0x00, 0x06, 0x20, 0x02);
const struct pf_guid pf_set_task = OLE_SET(0x00, 0x06, 0x20, 0x03);
const struct pf_guid pf_set_address = OLE_SET(0x00, 0x06, 0x20, 0x04);
const struct pf_guid pf_set_common = OLE_SET(0x00, 0x06, 0x20, 0x08);
const struct pf_guid pf_set_log = OLE_SET(0x00, 0x06, 0x20, 0x0A);
const struct pf_guid pf_set_note = OLE_SET(0x00, 0x06, 0x20, 0x0E);
const struct pf_guid pf_set_mapi = OLE_SET(0x00, 0x02, 0x03, 0x28);
const struct pf_guid pf_set_strings = OLE_SET(0x00, 0x02, 0x03, 0x29);
const struct pf_guid pf_set_headers = OLE_SET(0x00, 0x02, 0x03, 0x86);
const struct pf_guid pf_set_meeting = {{0x90, 0xDA, 0xD8, 0x6E, 0x0B, 0x45, 0x1B, 0x10, 0x98, 0xDA,
	0x00, 0xAA, 0x00, 0x3F, 0x13, 0x05}};

/* 1601-01-01 to 1970-01-01, and to the end of the year 9999. */
#define EPOCH_S INT64_C(11644473600)
#define END_S INT64_C(253402300800)

bool pf_guid_eq(const struct pf_guid *a, const struct pf_guid *b)
{
	return memcmp(a->b, b->b, sizeof(a->b)) == 0;
}

/* ---- making ---- */

struct pf_mapi_item *pf_mapi_new(struct pf_arena *arena)
{
	struct pf_mapi_item *item = pf_arena_alloc(arena, sizeof(*item));

	if (item) {
		item->arena = arena;
	}
	return item;
}

/* `v` with room for one more of `size` bytes, `n` of `*cap` are used; NULL: no memory. What was
 * there before stays in the arena until its end, which at most doubles it. */
static void *room(struct pf_arena *arena, void *v, size_t size, size_t n, size_t *cap)
{
	size_t more = *cap ? *cap * 2 : 8;
	void *grown;

	if (n < *cap) {
		return v;
	}
	grown = more < SIZE_MAX / size ? pf_arena_alloc(arena, more * size) : NULL;
	if (grown) {
		if (n > 0) {
			memcpy(grown, v, n * size);
		}
		*cap = more;
	}
	return grown;
}

struct pf_mapi_prop *pf_mapi_add(struct pf_mapi_item *item, struct pf_mapi_props *to)
{
	struct pf_mapi_prop *v = room(item->arena, to->v, sizeof(*v), to->n, &to->cap);

	if (!v) {
		return NULL;
	}
	to->v = v;
	return &v[to->n++];
}

struct pf_mapi_props *pf_mapi_add_recipient(struct pf_mapi_item *item)
{
	struct pf_mapi_props *v = room(item->arena, item->recipients, sizeof(*v),
		item->recipients_n, &item->recipients_cap);

	if (!v) {
		return NULL;
	}
	item->recipients = v;
	return &v[item->recipients_n++];
}

struct pf_mapi_attachment *pf_mapi_add_attachment(struct pf_mapi_item *item)
{
	struct pf_mapi_attachment *v = room(item->arena, item->attachments, sizeof(*v),
		item->attachments_n, &item->attachments_cap);

	if (!v) {
		return NULL;
	}
	item->attachments = v;
	return &v[item->attachments_n++];
}

/* ---- asking ---- */

const struct pf_mapi_value *pf_mapi_tag(const struct pf_mapi_props *in, uint16_t id)
{
	for (size_t i = 0; i < in->n; i++) {
		if (!in->v[i].name && in->v[i].id == id) {
			return &in->v[i].value;
		}
	}
	return NULL;
}

const struct pf_mapi_value *pf_mapi_lid(
	const struct pf_mapi_props *in, const struct pf_guid *set, uint32_t number)
{
	for (size_t i = 0; i < in->n; i++) {
		const struct pf_mapi_name *name = in->v[i].name;

		if (name && !name->text.p && name->number == number &&
			pf_guid_eq(&name->set, set)) {
			return &in->v[i].value;
		}
	}
	return NULL;
}

const struct pf_mapi_value *pf_mapi_named(
	const struct pf_mapi_props *in, const struct pf_guid *set, const char *text)
{
	for (size_t i = 0; i < in->n; i++) {
		const struct pf_mapi_name *name = in->v[i].name;

		if (name && name->text.p && pf_span_is(name->text, text) &&
			pf_guid_eq(&name->set, set)) {
			return &in->v[i].value;
		}
	}
	return NULL;
}

bool pf_mapi_number(const struct pf_mapi_value *v, int64_t *out)
{
	if (!v) {
		return false;
	}
	switch (v->type) {
	case PF_MAPI_I16:
	case PF_MAPI_I32:
	case PF_MAPI_I64:
	case PF_MAPI_BOOL:
	case PF_MAPI_ERROR:
	case PF_MAPI_CURRENCY:
		*out = v->number;
		return true;
	case PF_MAPI_FLOAT:
	case PF_MAPI_DOUBLE:
	case PF_MAPI_APPTIME:
		if (!(v->real > -9e15 && v->real < 9e15)) { /* nor NaN */
			return false;
		}
		*out = (int64_t)v->real;
		return true;
	default:
		return false;
	}
}

bool pf_mapi_true(const struct pf_mapi_value *v)
{
	int64_t number;

	return v && v->type != PF_MAPI_ERROR && pf_mapi_number(v, &number) && number != 0;
}

bool pf_mapi_unix(const struct pf_mapi_value *v, int64_t *out)
{
	int64_t s;

	if (!v || v->type != PF_MAPI_TIME || v->filetime == 0 || v->filetime > INT64_MAX) {
		return false;
	}
	s = (int64_t)(v->filetime / 10000000) - EPOCH_S;
	if (s >= END_S) {
		return false;
	}
	*out = s;
	return true;
}

struct pf_span pf_mapi_text(const struct pf_mapi_value *v)
{
	struct pf_span s = {0};

	if (v && (v->type == PF_MAPI_STRING || v->type == PF_MAPI_STRING8)) {
		s = v->bytes;
		while (s.n > 0 && s.p[s.n - 1] == 0) {
			s.n--;
		}
	}
	return s;
}

struct pf_span pf_mapi_bytes(const struct pf_mapi_value *v)
{
	return v && (v->type == PF_MAPI_BINARY || v->type == PF_MAPI_OBJECT ||
			    v->type == PF_MAPI_GUID)
		       ? v->bytes
		       : pf_span(NULL, 0);
}

struct pf_span pf_mapi_class(const struct pf_mapi_item *item)
{
	return pf_mapi_text(pf_mapi_tag(&item->props, PF_TAG_MESSAGE_CLASS));
}

bool pf_mapi_is_a(struct pf_span item_class, const char *name)
{
	size_t n = strlen(name);

	return pf_span_starts(item_class, name) && (item_class.n == n || item_class.p[n] == '.');
}
