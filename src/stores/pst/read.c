#include "model/mapi_tags.h"
#include "stores/pst/pst_private.h"

#include <stdio.h>

/* More than this in one item is not taken into memory. */
#define ITEM_MAX ((size_t)1 << 30)
enum { VALUES_MAX = 1 << 20, PARTS_MAX = 1 << 16 };

struct reader {
	struct pf_arena *arena;
	unsigned int depth;
	bool partly;      /* what can't be read is left out, and told of */
	char missing[80]; /* the first such part */
	struct pf_err *err;
};

int ps_fail(struct pf_err *err, enum pf_scope scope, libpff_error_t **why, const char *text)
{
	char said[300] = "";
	char *end;

	if (*why) {
		(void)libpff_error_sprint(*why, said, sizeof(said) - 1); /* as much as there is */
		libpff_error_free(why);
	}
	end = strpbrk(said, "\r\n");
	if (end) {
		*end = '\0';
	}
	return pf_fail(err, scope, PF_RETRY_NO, "%s%s%s", text, *said ? ": " : "", said);
}

static int no_memory(const struct reader *r)
{
	return pf_fail_memory(r->err, "an item of a PST file");
}

static int fail_large(const struct reader *r)
{
	return pf_fail(r->err, PF_SCOPE_ITEM, PF_RETRY_NO,
		"the item is larger than 1 GiB, more than can be converted");
}

/*
 * A part of it is there, and can't be had. The item fails, and does not come without it (PF_FAIL);
 * PF_OK: it is one that may lack it. `why` is what libpff says, or NULL; it is freed.
 */
static int lacks(struct reader *r, const char *what, libpff_error_t **why)
{
	if (!r->partly) {
		libpff_error_t *none = NULL;
		char text[160];

		(void)snprintf(
			text, sizeof(text), "%s can't be read: the file is damaged there", what);
		return ps_fail(r->err, PF_SCOPE_ITEM, why ? why : &none, text);
	}
	if (why && *why) {
		libpff_error_free(why);
	}
	if (!*r->missing) {
		(void)snprintf(r->missing, sizeof(r->missing), "%s", what);
	}
	return PF_OK;
}

static uint64_t little(struct pf_span s)
{
	uint64_t v = 0;

	for (size_t i = s.n < 8 ? s.n : 8; i > 0; i--) {
		v = v << 8 | s.p[i - 1];
	}
	return v;
}

static double real_of(struct pf_span s)
{
	uint64_t bits = little(s);
	double d = 0;
	float f = 0;

	if (s.n == sizeof(f)) {
		uint32_t low = (uint32_t)bits;

		memcpy(&f, &low, sizeof(f));
		return (double)f;
	}
	memcpy(&d, &bits, sizeof(d));
	return d;
}

/* The value that the octets are, of a type without MANY. */
static int value_of(
	const struct reader *r, uint32_t type, struct pf_span raw, struct pf_mapi_value *out)
{
	*out = (struct pf_mapi_value){.type = (enum pf_mapi_type)type};
	switch (type) {
	case PF_MAPI_I16:
		out->number = (int16_t)little(raw);
		return PF_OK;
	case PF_MAPI_I32:
	case PF_MAPI_ERROR:
		out->number = (int32_t)little(raw);
		return PF_OK;
	case PF_MAPI_BOOL:
		out->number = raw.n > 0 && (little(raw) & 0xFFFF) != 0;
		return PF_OK;
	case PF_MAPI_I64:
	case PF_MAPI_CURRENCY:
		out->number = (int64_t)little(raw);
		return PF_OK;
	case PF_MAPI_FLOAT:
	case PF_MAPI_DOUBLE:
	case PF_MAPI_APPTIME:
		out->real = real_of(raw);
		return PF_OK;
	case PF_MAPI_TIME:
		out->filetime = little(raw);
		return PF_OK;
	case PF_MAPI_STRING:
		return pf_mapi_utf16(r->arena, raw, &out->bytes, r->err);
	default:
		out->bytes = pf_arena_span(r->arena, raw.p ? raw : pf_span("", 0));
		return out->bytes.p ? PF_OK : no_memory(r);
	}
}

/* PF_END: this value can't be read, and is left out. */
static int values_of(
	const struct reader *r, libpff_record_entry_t *e, uint32_t type, struct pf_mapi_value *out)
{
	libpff_multi_value_t *many = NULL;
	int n = 0, rc = PF_OK;

	if (libpff_record_entry_get_multi_value(e, &many, NULL) != 1) {
		return PF_END;
	}
	if (libpff_multi_value_get_number_of_values(many, &n, NULL) != 1 || n < 0 ||
		n > VALUES_MAX) {
		n = 0;
	}
	out->type = (enum pf_mapi_type)type;
	out->many.v = pf_arena_alloc(r->arena, ((size_t)n + 1) * sizeof(*out->many.v));
	rc = out->many.v ? PF_OK : no_memory(r);
	for (int i = 0; i < n && rc == PF_OK; i++) {
		uint32_t one = 0;
		uint8_t *p = NULL;
		size_t size = 0;

		if (libpff_multi_value_get_value(many, i, &one, &p, &size, NULL) == 1) {
			rc = value_of(r, type & ~(uint32_t)PF_MAPI_MANY, pf_span(p, size),
				&out->many.v[out->many.n++]);
		}
	}
	(void)libpff_multi_value_free(&many, NULL);
	return rc;
}

/* The name that this file has for a property; PF_END: it goes by its id. */
static int name_of(const struct reader *r, libpff_record_entry_t *e, struct pf_mapi_name **out)
{
	libpff_name_to_id_map_entry_t *map = NULL; /* belongs to the file */
	uint8_t kind = 0;
	size_t n = 0;
	uint8_t *text;

	if (libpff_record_entry_get_name_to_id_map_entry(e, &map, NULL) != 1 || !map) {
		return PF_END;
	}
	*out = pf_arena_alloc(r->arena, sizeof(**out));
	if (!*out) {
		return no_memory(r);
	}
	if (libpff_name_to_id_map_entry_get_guid(map, (*out)->set.b, sizeof((*out)->set.b), NULL) !=
			1 ||
		libpff_name_to_id_map_entry_get_type(map, &kind, NULL) != 1) {
		return PF_END;
	}
	if (kind == LIBPFF_NAME_TO_ID_MAP_ENTRY_TYPE_NUMERIC) {
		return libpff_name_to_id_map_entry_get_number(map, &(*out)->number, NULL) == 1
			       ? PF_OK
			       : PF_END;
	}
	if (libpff_name_to_id_map_entry_get_utf8_string_size(map, &n, NULL) != 1 || n < 2 ||
		n > 4096) {
		return PF_END;
	}
	text = pf_arena_alloc(r->arena, n);
	if (!text) {
		return no_memory(r);
	}
	if (libpff_name_to_id_map_entry_get_utf8_string(map, text, n, NULL) != 1) {
		return PF_END;
	}
	(*out)->text = pf_span(text, strnlen((const char *)text, n));
	return PF_OK;
}

/* Without them the item would not be what it was, however well the rest of it reads. */
static bool is_content(uint16_t id)
{
	static const uint16_t TAGS[] = {PF_TAG_SUBJECT, PF_TAG_TRANSPORT_HEADERS, PF_TAG_BODY,
		PF_TAG_HTML, PF_TAG_RTF_COMPRESSED};

	for (size_t i = 0; i < PF_COUNT(TAGS); i++) {
		if (id == TAGS[i]) {
			return true;
		}
	}
	return false;
}

/* One value in raw octets. PF_END: it can't be read. */
static int single_of(
	const struct reader *r, libpff_record_entry_t *e, uint32_t type, struct pf_mapi_value *out)
{
	size_t n = 0;
	uint8_t *p;

	if (libpff_record_entry_get_data_size(e, &n, NULL) != 1) {
		return PF_END;
	}
	if (n > ITEM_MAX || r->arena->total > ITEM_MAX) {
		return fail_large(r);
	}
	p = pf_arena_alloc(r->arena, n + 1);
	if (!p) {
		return no_memory(r);
	}
	if (n > 0 && libpff_record_entry_get_data(e, p, n, NULL) != 1) {
		return PF_END;
	}
	if (type != PF_MAPI_STRING8 && type != PF_MAPI_BINARY) {
		return value_of(r, type, pf_span(p, n), out);
	}
	*out = (struct pf_mapi_value){.type = (enum pf_mapi_type)type, .bytes = pf_span(p, n)};
	return PF_OK;
}

static int read_entry(struct reader *r, libpff_record_entry_t *e, struct pf_mapi_item *item,
	struct pf_mapi_props *to)
{
	uint32_t id = 0, type = 0;
	struct pf_mapi_prop one = {0}, *p;
	int rc;

	if (libpff_record_entry_get_entry_type(e, &id, NULL) != 1 ||
		libpff_record_entry_get_value_type(e, &type, NULL) != 1 ||
		type == PF_MAPI_OBJECT) { /* attachments come by themselves */
		return PF_OK;
	}
	rc = name_of(r, e, &one.name);
	if (rc == PF_END) {
		one.name = NULL;
		one.id = (uint16_t)id;
		rc = id > 0 && id < 0x10000 ? PF_OK : PF_END;
	}
	if (rc == PF_OK) {
		rc = type & PF_MAPI_MANY ? values_of(r, e, type, &one.value)
					 : single_of(r, e, type, &one.value);
	}
	if (rc == PF_END && !one.name && is_content(one.id)) {
		return lacks(r, "its text", NULL);
	}
	if (rc != PF_OK) {
		return rc == PF_END ? PF_OK : rc;
	}
	p = pf_mapi_add(item, to);
	if (!p) {
		return no_memory(r);
	}
	*p = one;
	return PF_OK;
}

/* All of one record set into `to`, which is of `item`. */
static int read_set(struct reader *r, libpff_item_t *from, int set, struct pf_mapi_item *item,
	struct pf_mapi_props *to)
{
	libpff_record_set_t *records = NULL;
	int n = 0, rc = PF_OK;

	if (libpff_item_get_record_set_by_index(from, set, &records, NULL) != 1) {
		return lacks(r, "the list of its properties", NULL);
	}
	if (libpff_record_set_get_number_of_entries(records, &n, NULL) != 1) {
		n = 0;
		rc = lacks(r, "the list of its properties", NULL);
	}
	for (int i = 0; i < n && rc == PF_OK; i++) {
		libpff_record_entry_t *e = NULL;

		if (libpff_record_set_get_entry_by_index(records, i, &e, NULL) == 1) {
			rc = read_entry(r, e, item, to);
			(void)libpff_record_entry_free(&e, NULL);
		}
	}
	(void)libpff_record_set_free(&records, NULL);
	return rc;
}

/* Each recipient is a record set of its own. */
static int read_recipients(struct reader *r, libpff_item_t *from, struct pf_mapi_item *item)
{
	libpff_item_t *list = NULL;
	int n = 0, rc = libpff_message_get_recipients(from, &list, NULL);

	if (rc != 1) {
		return rc == 0 ? PF_OK : lacks(r, "the list of its recipients", NULL);
	}
	rc = PF_OK;
	if (libpff_item_get_number_of_record_sets(list, &n, NULL) != 1 || n > PARTS_MAX) {
		n = 0;
		rc = lacks(r, "the list of its recipients", NULL);
	}
	for (int i = 0; i < n && rc == PF_OK; i++) {
		struct pf_mapi_props *to = pf_mapi_add_recipient(item);

		rc = to ? read_set(r, list, i, item, to) : no_memory(r);
	}
	(void)libpff_item_free(&list, NULL);
	return rc;
}

static int read_data(struct reader *r, libpff_item_t *from, struct pf_mapi_attachment *a)
{
	libpff_error_t *why = NULL;
	size64_t size = 0;
	size_t at = 0;
	uint8_t *p;

	if (libpff_attachment_get_data_size(from, &size, &why) != 1) {
		return lacks(r, "the size of an attachment", &why);
	}
	if (size > ITEM_MAX || r->arena->total > ITEM_MAX) {
		return fail_large(r);
	}
	p = pf_arena_alloc(r->arena, (size_t)size + 1);
	if (!p) {
		return no_memory(r);
	}
	while (at < size) {
		ssize_t n =
			libpff_attachment_data_read_buffer(from, p + at, (size_t)size - at, &why);

		if (n <= 0) {
			if (lacks(r, "the rest of an attachment", &why) != PF_OK) {
				return PF_FAIL;
			}
			break;
		}
		at += (size_t)n;
	}
	a->data = pf_span(p, at);
	return PF_OK;
}

static int read_item(struct reader *r, libpff_item_t *from, struct pf_mapi_item **out);

static int read_attachment(struct reader *r, libpff_item_t *from, struct pf_mapi_item *item)
{
	struct pf_mapi_attachment *a = pf_mapi_add_attachment(item);
	libpff_item_t *within = NULL;
	int kind = 0, rc;

	if (!a) {
		return no_memory(r);
	}
	rc = read_set(r, from, 0, item, &a->props);
	if (rc != PF_OK) {
		return rc;
	}
	if (libpff_attachment_get_type(from, &kind, NULL) != 1) {
		return lacks(r, "an attachment", NULL);
	}
	switch (kind) {
	case LIBPFF_ATTACHMENT_TYPE_DATA: {
		int64_t method = 0;
		bool ole = pf_mapi_number(pf_mapi_tag(&a->props, PF_TAG_ATTACH_METHOD), &method) &&
			   method == 6; /* ATTACH_OLE, [MS-OXCMSG] 2.2.2.9 */

		a->kind = ole ? PF_MAPI_ATTACH_OLE : PF_MAPI_ATTACH_DATA;
		return read_data(r, from, a);
	}
	case LIBPFF_ATTACHMENT_TYPE_ITEM:
		a->kind = PF_MAPI_ATTACH_ITEM;
		if (libpff_attachment_get_item(from, &within, NULL) != 1) {
			return PF_OK; /* an empty one; it is still told that there was something */
		}
		r->depth++;
		rc = r->depth < PS_DEPTH ? read_item(r, within, &a->item)
					 : pf_fail(r->err, PF_SCOPE_ITEM, PF_RETRY_NO,
						   "items within items, deeper than %d", PS_DEPTH);
		r->depth--;
		(void)libpff_item_free(&within, NULL);
		return rc;
	case LIBPFF_ATTACHMENT_TYPE_REFERENCE:
		a->kind = PF_MAPI_ATTACH_REFERENCE;
		return PF_OK;
	default:
		return PF_OK;
	}
}

static int read_attachments(struct reader *r, libpff_item_t *from, struct pf_mapi_item *item)
{
	int n = 0, rc = libpff_message_get_number_of_attachments(from, &n, NULL);

	if (rc == 0) {
		return PF_OK; /* it has no table of them */
	}
	if (rc != 1 || n > PARTS_MAX) {
		return lacks(r, "the list of its attachments", NULL);
	}
	rc = PF_OK;
	for (int i = 0; i < n && rc == PF_OK; i++) {
		libpff_error_t *why = NULL;
		libpff_item_t *one = NULL;

		if (libpff_message_get_attachment(from, i, &one, &why) != 1) {
			rc = lacks(r, "an attachment", &why);
			continue;
		}
		rc = read_attachment(r, one, item);
		(void)libpff_item_free(&one, NULL);
	}
	return rc;
}

static int read_item(struct reader *r, libpff_item_t *from, struct pf_mapi_item **out)
{
	struct pf_mapi_item *item = pf_mapi_new(r->arena);

	if (!item) {
		return no_memory(r);
	}
	*out = item;
	if (read_set(r, from, 0, item, &item->props) != PF_OK ||
		read_recipients(r, from, item) != PF_OK) {
		return PF_FAIL;
	}
	return read_attachments(r, from, item);
}

/* PidTagSubject begins with a mark and the length of its prefix ([MS-PST] 2.5.3.1.1.1). */
static void unmark_subject(struct pf_mapi_item *item)
{
	for (size_t i = 0; i < item->props.n; i++) {
		struct pf_mapi_prop *p = &item->props.v[i];

		if (!p->name && p->id == PF_TAG_SUBJECT && p->value.type == PF_MAPI_STRING &&
			p->value.bytes.n >= 2 && p->value.bytes.p[0] == 1) {
			p->value.bytes = pf_span_from(p->value.bytes, 2);
		}
	}
	for (size_t i = 0; i < item->attachments_n; i++) {
		if (item->attachments[i].item) {
			unmark_subject(item->attachments[i].item);
		}
	}
}

static int note_missing(struct reader *r, struct pf_mapi_item *item)
{
	static const char WHAT[] = "deleted, and in part overwritten since then: %s can't be read";
	char text[sizeof(WHAT) + sizeof(r->missing)];

	if (item->props.n == 0) {
		return pf_fail(r->err, PF_SCOPE_ITEM, PF_RETRY_NO,
			"deleted, and overwritten since then: nothing of it can be read");
	}
	if (!*r->missing) {
		return PF_OK;
	}
	(void)snprintf(text, sizeof(text), WHAT, r->missing);
	item->missing = pf_arena_span(r->arena, pf_span_str(text));
	return item->missing.p ? PF_OK : no_memory(r);
}

int ps_read(struct ps_store *s, libpff_item_t *from, bool partly, struct pf_arena *arena,
	struct pf_mapi_item **out, struct pf_err *err)
{
	struct reader r = {.arena = arena, .partly = partly, .err = err};

	if (read_item(&r, from, out) != PF_OK || (partly && note_missing(&r, *out) != PF_OK) ||
		pf_mapi_decode_all(*out, s->code_page, err) != PF_OK) {
		return PF_FAIL;
	}
	unmark_subject(*out);
	return PF_OK;
}
