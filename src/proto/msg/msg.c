/*
 * Storages of a message and what is in them ([MS-OXMSG] 2.2, 2.4).
 *
 * Entries of a storage come sorted by name, so that all properties of a storage are met in one
 * pass, and each value of many behind the stream that tells how many there are.
 */
#include "proto/msg/msg.h"

#include "proto/mapi/attach.h"
#include "proto/msg/msg_private.h"

enum { FALLBACK_PAGE = 1252, PROPERTY = 16, VALUES_MAX = 65536 };

static const char PROPERTIES[] = "__properties_version1.0";
static const char VALUE[] = "__substg1.0_";
static const char RECIPIENT[] = "__recip_version1.0_#";
static const char ATTACHMENT[] = "__attach_version1.0_#";

struct msg {
	struct pf_cfb *c;
	struct pf_mapi_notes *notes;
	struct pf_arena *arena;
	struct msg_names names;
	unsigned depth;
};

static int no_memory(struct pf_err *err)
{
	return pf_fail_memory(err, "a .msg file");
}

static bool begins(const struct pf_cfb_entry *e, const char *prefix)
{
	return strncasecmp(e->name, prefix, strlen(prefix)) == 0;
}

/* ---- properties ---- */

/* A new one of that id, named where it is in that range. */
static struct pf_mapi_prop *add(
	struct msg *m, struct pf_mapi_item *item, struct pf_mapi_props *to, uint16_t id)
{
	struct pf_mapi_prop *p = pf_mapi_add(item, to);

	if (!p) {
		return NULL;
	}
	p->id = id;
	if (id >= 0x8000) {
		size_t index = id - 0x8000u;

		p->name = index < m->names.n ? m->names.v[index] : NULL;
		if (p->name) {
			p->id = 0;
		} else {
			pf_mapi_note(m->notes, 0, "property 0x%04X has no name", (unsigned)id);
		}
	}
	return p;
}

/* The values of a fixed length: a header, then entries of tag, flags and value. */
static int read_fixed(struct msg *m, struct pf_mapi_item *item, const struct pf_cfb_entry *stream,
	size_t header, struct pf_mapi_props *to, struct pf_err *err)
{
	struct pf_span in, entry;

	if (pf_cfb_read(m->c, stream, &in, err) != PF_OK) {
		return PF_FAIL;
	}
	if (in.n < header || (in.n - header) % PROPERTY != 0) {
		pf_mapi_broken(m->notes, 0, "a table of properties of %zu bytes", in.n);
	}
	in = pf_span_from(in, header);
	while (pf_take(&in, PROPERTY, &entry)) {
		unsigned type = pf_le16(entry.p);
		size_t size = pf_mapi_fixed_size(type);
		struct pf_mapi_prop *p;

		if (size == 0 || size > 8) {
			continue; /* its value is a stream */
		}
		p = add(m, item, to, pf_le16(entry.p + 2));
		if (!p) {
			return no_memory(err);
		}
		pf_mapi_fixed(type, entry.p + 8, &p->value);
	}
	return PF_OK;
}

static bool hex32(const char *s, uint32_t *out)
{
	*out = 0;
	for (int i = 0; i < 8; i++) {
		const char *digits = "0123456789abcdef", *d;
		char c = s[i] >= 'A' && s[i] <= 'F' ? (char)(s[i] + 32) : s[i];

		d = c ? strchr(digits, c) : NULL;
		if (!d) {
			return false;
		}
		*out = *out << 4 | (uint32_t)(d - digits);
	}
	return true;
}

/* Many values of a fixed length, one behind the other. */
static int fixed_values(struct msg *m, unsigned type, struct pf_span in,
	struct pf_mapi_value *value, struct pf_err *err)
{
	size_t size = pf_mapi_fixed_size(type), n = in.n / size;

	value->many.v = pf_arena_alloc(m->arena, (n + 1) * sizeof(*value->many.v));
	if (!value->many.v) {
		return no_memory(err);
	}
	for (size_t i = 0; i < n; i++) {
		pf_mapi_fixed(type, in.p + i * size, &value->many.v[i]);
	}
	value->many.n = n;
	return PF_OK;
}

/* Many values of a variable length: `in` has their lengths, the streams behind it the values. */
static int stream_values(struct msg *m, unsigned type, struct pf_span in,
	struct pf_mapi_value *value, struct pf_err *err)
{
	size_t n = in.n / (type == PF_MAPI_BINARY ? 8 : 4);

	n = n < VALUES_MAX ? n : VALUES_MAX;
	value->many.v = pf_arena_alloc(m->arena, (n + 1) * sizeof(*value->many.v));
	if (!value->many.v) {
		return no_memory(err);
	}
	for (size_t i = 0; i < n; i++) {
		value->many.v[i].type = (enum pf_mapi_type)type;
		value->many.v[i].bytes = pf_span("", 0);
	}
	value->many.n = n;
	return PF_OK;
}

/* "__substg1.0_IIIITTTT-NNNNNNNN": value N of the property that was added last. */
static int one_of_many(struct msg *m, const struct pf_cfb_entry *stream, uint32_t tag,
	struct pf_mapi_props *to, struct pf_err *err)
{
	unsigned type = tag & 0xFFFFu & ~(unsigned)PF_MAPI_MANY;
	struct pf_mapi_value *value = to->n > 0 ? &to->v[to->n - 1].value : NULL;
	struct pf_span bytes;
	uint32_t index;

	if (!value || !value->type || value->type != (tag & 0xFFFF) ||
		!hex32(stream->name + sizeof(VALUE) - 1 + 9, &index) || index >= value->many.n) {
		pf_mapi_note(m->notes, 0, "a value %s that belongs to none", stream->name);
		return PF_OK;
	}
	if (pf_cfb_read(m->c, stream, &bytes, err) != PF_OK) {
		return PF_FAIL;
	}
	return pf_mapi_variable(m->arena, type, bytes, &value->many.v[index], err);
}

static int read_value(struct msg *m, struct pf_mapi_item *item, const struct pf_cfb_entry *stream,
	struct pf_mapi_props *to, struct pf_err *err)
{
	const char *after = stream->name + sizeof(VALUE) - 1;
	unsigned type;
	struct pf_mapi_prop *p;
	struct pf_span bytes;
	uint32_t tag;

	if (!hex32(after, &tag)) {
		pf_mapi_note(m->notes, 0, "a stream %s", stream->name);
		return PF_OK;
	}
	if (after[8] == '-') {
		return one_of_many(m, stream, tag, to, err);
	}
	type = tag & 0xFFFFu & ~(unsigned)PF_MAPI_MANY;
	if (!pf_mapi_type_known(type)) {
		pf_mapi_note(m->notes, 0, "a property of unknown type: %s", stream->name);
		return PF_OK;
	}
	if (pf_cfb_read(m->c, stream, &bytes, err) != PF_OK) {
		return PF_FAIL;
	}
	p = add(m, item, to, (uint16_t)(tag >> 16));
	if (!p) {
		return no_memory(err);
	}
	p->value.type = (enum pf_mapi_type)(tag & 0xFFFF);
	if (tag & PF_MAPI_MANY) {
		return pf_mapi_fixed_size(type) > 0 ? fixed_values(m, type, bytes, &p->value, err)
						    : stream_values(m, type, bytes, &p->value, err);
	}
	if (pf_mapi_fixed_size(type) == 0) {
		return pf_mapi_variable(m->arena, type, bytes, &p->value, err);
	}
	if (bytes.n < pf_mapi_fixed_size(type)) {
		pf_mapi_broken(m->notes, 0, "stream %s has only %zu bytes", stream->name, bytes.n);
		to->n--;
		return PF_OK;
	}
	pf_mapi_fixed(type, bytes.p, &p->value);
	return PF_OK;
}

/* All properties of a storage into `to`, a part of `item`. */
static int read_props(struct msg *m, struct pf_mapi_item *item, const struct pf_cfb_entry *storage,
	size_t header, struct pf_mapi_props *to, struct pf_err *err)
{
	for (size_t i = 0; i < storage->n; i++) {
		const struct pf_cfb_entry *e = &storage->first[i];
		int rc = PF_OK;

		if (!e->storage && begins(e, VALUE)) {
			rc = read_value(m, item, e, to, err);
		} else if (!e->storage && strcasecmp(e->name, PROPERTIES) == 0) {
			rc = read_fixed(m, item, e, header, to, err);
		}
		if (rc != PF_OK) {
			return PF_FAIL;
		}
	}
	return PF_OK;
}

/* ---- messages ---- */

enum { HEADER_TOP = 32, HEADER_WITHIN = 24, HEADER_PART = 8 };

static int read_message(struct msg *m, const struct pf_cfb_entry *storage, size_t header,
	struct pf_mapi_item *item, struct pf_err *err);

static int read_item(struct msg *m, struct pf_mapi_attachment *a,
	const struct pf_cfb_entry *storage, struct pf_err *err)
{
	struct pf_mapi_item *item;
	int rc;

	if (m->depth >= PF_MSG_DEPTH_MAX) {
		pf_mapi_broken(m->notes, 0, "an item deeper than %d", (int)PF_MSG_DEPTH_MAX);
		return PF_OK;
	}
	item = pf_mapi_new(m->arena);
	if (!item) {
		return no_memory(err);
	}
	a->kind = PF_MAPI_ATTACH_ITEM;
	a->item = item;
	m->depth++;
	rc = read_message(m, storage, HEADER_WITHIN, item, err);
	m->depth--;
	return rc;
}

static int read_object(struct msg *m, struct pf_mapi_attachment *a,
	const struct pf_cfb_entry *storage, struct pf_err *err)
{
	int rc = pf_cfb_pack(m->c, storage, m->arena, &a->data, err);

	if (rc == PF_END) {
		pf_mapi_broken(m->notes, 0, "an object that is too large");
	}
	return rc == PF_FAIL ? PF_FAIL : PF_OK;
}

static int read_attachment(struct msg *m, struct pf_mapi_item *item,
	const struct pf_cfb_entry *storage, struct pf_err *err)
{
	const struct pf_cfb_entry *within = pf_cfb_find(storage, "__substg1.0_3701000D");
	struct pf_mapi_attachment *a = pf_mapi_add_attachment(item);
	enum pf_mapi_type type;
	bool object = within && within->storage && !pf_cfb_find(within, PROPERTIES);

	if (!a) {
		return no_memory(err);
	}
	if (read_props(m, item, storage, HEADER_PART, &a->props, err) != PF_OK) {
		return PF_FAIL;
	}
	a->data = pf_mapi_take_content(&a->props, &type);
	a->kind = pf_mapi_attach_kind(a, object);
	if (a->kind == PF_MAPI_ATTACH_REFERENCE || !within || !within->storage) {
		return PF_OK;
	}
	return object ? read_object(m, a, within, err) : read_item(m, a, within, err);
}

static int read_message(struct msg *m, const struct pf_cfb_entry *storage, size_t header,
	struct pf_mapi_item *item, struct pf_err *err)
{
	if (read_props(m, item, storage, header, &item->props, err) != PF_OK) {
		return PF_FAIL;
	}
	for (size_t i = 0; i < storage->n; i++) {
		const struct pf_cfb_entry *e = &storage->first[i];
		int rc = PF_OK;

		if (e->storage && begins(e, RECIPIENT)) {
			struct pf_mapi_props *to = pf_mapi_add_recipient(item);

			rc = to ? read_props(m, item, e, HEADER_PART, to, err) : no_memory(err);
		} else if (e->storage && begins(e, ATTACHMENT)) {
			rc = read_attachment(m, item, e, err);
		}
		if (rc != PF_OK) {
			return PF_FAIL;
		}
	}
	return PF_OK;
}

bool pf_msg_is(struct pf_span start)
{
	return pf_cfb_is(start);
}

int pf_msg_read(struct pf_span in, struct pf_mapi_item *item, struct pf_mapi_notes *notes,
	struct pf_err *err)
{
	struct msg m = {.notes = notes, .arena = item->arena, .depth = 1};

	if (pf_cfb_open(in, item->arena, notes, &m.c, err) != PF_OK) {
		return PF_FAIL;
	}
	if (!pf_cfb_find(pf_cfb_root(m.c), PROPERTIES)) {
		return pf_fail(
			err, PF_SCOPE_ITEM, PF_RETRY_NO, "a compound file without a message");
	}
	if (msg_names_read(m.c, item->arena, notes, &m.names, err) != PF_OK ||
		read_message(&m, pf_cfb_root(m.c), HEADER_TOP, item, err) != PF_OK) {
		return PF_FAIL;
	}
	return pf_mapi_decode_all(item, FALLBACK_PAGE, err);
}
