/*
 * An item as a stream ([MS-OXTNEF] 2.1): what it is kept as where it has no file of its own. All is
 * in property lists; of the attributes that stand for properties only the class is written, by
 * which a stream is told without reading it.
 */
#include "proto/tnef/tnef_private.h"

#include "base/buf.h"
#include "base/utf8.h"
#include "model/mapi_tags.h"

enum {
	SIGNATURE = 0x223E9F78,
	VERSION = 0x00010000,
	CODE_PAGE = 1252,
	ATT_VERSION = 0x00089006,
	ATT_OEM_CODE_PAGE = 0x00069007,
	ATT_CLASS = 0x00078008,
	ATT_PROPS = 0x00069003,
	ATT_RECIPIENTS = 0x00069004,
	ATT_REND_DATA = 0x00069002,
	ATT_ATTACHMENT = 0x00069005,
	ATTACH_DATA = 0x3701, /* PidTagAttachDataBinary, PidTagAttachDataObject */
	NAMED = 0x8000,
};

static const struct pf_guid MESSAGE = {
	{0x07, 0x03, 0x02, 0, 0, 0, 0, 0, 0xC0, 0, 0, 0, 0, 0, 0, 0x46}};
static const struct pf_guid STORAGE = {{0x0B, 0, 0, 0, 0, 0, 0, 0, 0xC0, 0, 0, 0, 0, 0, 0, 0x46}};

/* The first failure is kept in `rc`; nothing is written after it. */
struct writer {
	struct pf_buf *out;
	struct pf_err *err;
	size_t depth;
	int rc;
};

static void put(struct writer *w, struct pf_span bytes)
{
	if (w->rc == PF_OK && bytes.n > 0) {
		w->rc = pf_buf_add(w->out, bytes, w->err);
	}
}

static void put_le(struct writer *w, uint64_t v, size_t n)
{
	uint8_t p[8];

	for (size_t i = 0; i < n; i++) {
		p[i] = (uint8_t)(v >> (8 * i));
	}
	put(w, pf_span(p, n));
}

static void pad(struct writer *w, size_t length)
{
	put(w, pf_span("\0\0\0", (4 - length % 4) % 4));
}

/* ---- lengths, known when what they are of is written ---- */

static size_t begin_counted(struct writer *w)
{
	put_le(w, 0, 4);
	return w->out->n;
}

static size_t end_counted(struct writer *w, size_t from)
{
	size_t n = w->out->n - from;

	if (w->rc == PF_OK && n > UINT32_MAX) {
		w->rc = pf_fail(w->err, PF_SCOPE_ITEM, PF_RETRY_NO, "an item of more than 4 GiB");
	}
	for (size_t i = 0; w->rc == PF_OK && i < 4; i++) {
		w->out->p[from - 4 + i] = (uint8_t)(n >> (8 * i));
	}
	return n;
}

static size_t begin_attribute(struct writer *w, unsigned level, uint32_t id)
{
	put_le(w, level, 1);
	put_le(w, id, 4);
	return begin_counted(w);
}

static void end_attribute(struct writer *w, size_t from)
{
	unsigned sum = 0;

	(void)end_counted(w, from);
	for (size_t i = from; w->rc == PF_OK && i < w->out->n; i++) {
		sum += w->out->p[i];
	}
	put_le(w, sum & 0xFFFF, 2);
}

/* ---- values ---- */

static void put_utf16(struct writer *w, struct pf_span text)
{
	while (text.n > 0) {
		uint32_t cp = pf_utf8_next(&text);

		if (cp > 0xFFFF) {
			put_le(w, 0xD800 + ((cp - 0x10000) >> 10), 2);
			cp = 0xDC00 + ((cp - 0x10000) & 0x3FF);
		}
		put_le(w, cp, 2);
	}
	put_le(w, 0, 2);
}

static uint64_t bits_of(unsigned type, const struct pf_mapi_value *v)
{
	uint64_t wide = 0;
	uint32_t narrow;
	float single;

	switch (type) {
	case PF_MAPI_FLOAT:
		single = (float)v->real;
		memcpy(&narrow, &single, sizeof(narrow));
		return narrow;
	case PF_MAPI_DOUBLE:
	case PF_MAPI_APPTIME:
		memcpy(&wide, &v->real, sizeof(wide));
		return wide;
	case PF_MAPI_TIME:
		return v->filetime;
	default:
		return (uint64_t)v->number;
	}
}

/* A value of a type without MANY; a string becomes UTF-16, whatever it was. */
static void put_value(struct writer *w, unsigned type, const struct pf_mapi_value *v)
{
	size_t size = pf_mapi_fixed_size(type), from, n;

	if (type == PF_MAPI_GUID) {
		put(w, v->bytes.n == size ? v->bytes
					  : pf_span("\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", size));
		return;
	}
	if (size > 0) {
		put_le(w, bits_of(type, v), size);
		pad(w, size);
		return;
	}
	from = begin_counted(w);
	if (type == PF_MAPI_STRING) {
		put_utf16(w, v->bytes);
	} else {
		put(w, v->bytes);
	}
	n = end_counted(w, from);
	pad(w, n);
}

static unsigned wire_type(unsigned type)
{
	return type == PF_MAPI_STRING8 ? PF_MAPI_STRING : type;
}

static void put_tag(struct writer *w, unsigned type, const struct pf_mapi_prop *p)
{
	size_t from, n;

	put_le(w, type, 2);
	put_le(w, p->name ? NAMED : p->id, 2);
	if (!p->name) {
		return;
	}
	put(w, pf_span(p->name->set.b, sizeof(p->name->set.b)));
	put_le(w, p->name->text.p ? 1 : 0, 4);
	if (!p->name->text.p) {
		put_le(w, p->name->number, 4);
		return;
	}
	from = begin_counted(w);
	put_utf16(w, p->name->text);
	n = end_counted(w, from);
	pad(w, n);
}

static void put_prop(struct writer *w, const struct pf_mapi_prop *p)
{
	unsigned many = p->value.type & PF_MAPI_MANY;
	unsigned type = wire_type((unsigned)p->value.type & ~(unsigned)PF_MAPI_MANY);

	put_tag(w, type | many, p);
	if (!many) {
		if (pf_mapi_fixed_size(type) == 0) {
			put_le(w, 1, 4);
		}
		put_value(w, type, &p->value);
		return;
	}
	put_le(w, p->value.many.n, 4);
	for (size_t i = 0; i < p->value.many.n; i++) {
		put_value(w, type, &p->value.many.v[i]);
	}
}

static bool is_content(const struct pf_mapi_prop *p)
{
	return !p->name && p->id == ATTACH_DATA;
}

/* `content`: that of an attachment comes behind them, in the place of what some readers leave. */
static void put_list(struct writer *w, const struct pf_mapi_props *props, bool content)
{
	size_t n = content;

	for (size_t i = 0; i < props->n; i++) {
		n += !content || !is_content(&props->v[i]);
	}
	put_le(w, n, 4);
	for (size_t i = 0; i < props->n && w->rc == PF_OK; i++) {
		if (!content || !is_content(&props->v[i])) {
			put_prop(w, &props->v[i]);
		}
	}
}

/* ---- an item ---- */

static void put_item(struct writer *w, const struct pf_mapi_item *item);

/* What an attachment holds, as a property of it. */
static void put_content(struct writer *w, const struct pf_mapi_attachment *a)
{
	bool file = a->kind == PF_MAPI_ATTACH_DATA;
	size_t from, n;

	put_le(w, file ? PF_MAPI_BINARY : PF_MAPI_OBJECT, 2);
	put_le(w, ATTACH_DATA, 2);
	put_le(w, 1, 4);
	from = begin_counted(w);
	if (a->kind == PF_MAPI_ATTACH_ITEM && a->item) {
		put(w, pf_span(MESSAGE.b, sizeof(MESSAGE.b)));
		put_item(w, a->item);
	} else {
		put(w, file ? pf_span(NULL, 0) : pf_span(STORAGE.b, sizeof(STORAGE.b)));
		put(w, a->data);
	}
	n = end_counted(w, from);
	pad(w, n);
}

static void put_attachment(struct writer *w, const struct pf_mapi_attachment *a)
{
	bool content = a->kind != PF_MAPI_ATTACH_NONE && a->kind != PF_MAPI_ATTACH_REFERENCE;
	size_t from = begin_attribute(w, 2, ATT_REND_DATA);

	put_le(w, a->kind == PF_MAPI_ATTACH_OLE ? 2 : 1, 2);
	put_le(w, UINT32_MAX, 4); /* nowhere in the text */
	put_le(w, 0, 8);
	end_attribute(w, from);
	from = begin_attribute(w, 2, ATT_ATTACHMENT);
	put_list(w, &a->props, content);
	if (content) {
		put_content(w, a);
	}
	end_attribute(w, from);
}

static void put_recipients(struct writer *w, const struct pf_mapi_item *item)
{
	size_t from = begin_attribute(w, 1, ATT_RECIPIENTS);

	put_le(w, item->recipients_n, 4);
	for (size_t i = 0; i < item->recipients_n; i++) {
		put_list(w, &item->recipients[i], false);
	}
	end_attribute(w, from);
}

static void put_number(struct writer *w, uint32_t id, uint32_t a, size_t zeroes)
{
	size_t from = begin_attribute(w, 1, id);

	put_le(w, a, 4);
	put_le(w, 0, zeroes);
	end_attribute(w, from);
}

static void put_item(struct writer *w, const struct pf_mapi_item *item)
{
	struct pf_span class = pf_mapi_class(item);
	size_t from;

	if (w->rc != PF_OK || ++w->depth > PF_TNEF_DEPTH_MAX + 1) {
		w->rc = w->rc == PF_OK ? pf_fail(w->err, PF_SCOPE_ITEM, PF_RETRY_NO,
						 "items within items, deeper than %d",
						 (int)PF_TNEF_DEPTH_MAX)
				       : w->rc;
		return;
	}
	put_le(w, SIGNATURE, 4);
	put_le(w, 1, 2); /* a key, of no meaning */
	put_number(w, ATT_VERSION, VERSION, 0);
	put_number(w, ATT_OEM_CODE_PAGE, CODE_PAGE, 4);
	from = begin_attribute(w, 1, ATT_CLASS);
	put(w, class);
	put_le(w, 0, 1);
	end_attribute(w, from);
	from = begin_attribute(w, 1, ATT_PROPS);
	put_list(w, &item->props, false);
	end_attribute(w, from);
	if (item->recipients_n > 0) {
		put_recipients(w, item);
	}
	for (size_t i = 0; i < item->attachments_n && w->rc == PF_OK; i++) {
		put_attachment(w, &item->attachments[i]);
	}
	w->depth--;
}

int pf_tnef_write(const struct pf_mapi_item *item, struct pf_buf *out, struct pf_err *err)
{
	struct writer w = {.out = out, .err = err};
	size_t was = out->n;

	put_item(&w, item);
	if (w.rc != PF_OK) {
		out->n = was;
	}
	return w.rc;
}
