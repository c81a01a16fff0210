/* Property lists ([MS-OXTNEF] 2.1.3.4). Values and names are padded to four bytes. */
#include "proto/tnef/tnef_private.h"

static void skip_padding(struct pf_span *in, size_t length)
{
	size_t padding = (4 - length % 4) % 4;

	*in = pf_span_from(*in, padding);
}

static int cut_off(struct tnef *t, struct pf_span in, const char *what)
{
	pf_mapi_broken(t->notes, tnef_at(t, in.p), "%s is cut off", what);
	return PF_END;
}

/* Length, bytes, padding. Of bytes that are cut off what there is. */
static bool take_counted(struct tnef *t, struct pf_span *in, struct pf_span *out)
{
	uint32_t length;

	if (!pf_take_le32(in, &length)) {
		return false;
	}
	if (length > in->n) {
		pf_mapi_broken(t->notes, tnef_at(t, in->p), "a value of %u bytes has only %zu",
			(unsigned)length, in->n);
		length = (uint32_t)in->n;
	}
	(void)pf_take(in, length, out);
	skip_padding(in, length);
	return true;
}

static int take_value(struct tnef *t, struct pf_span *in, unsigned type,
	struct pf_mapi_value *value, struct pf_err *err)
{
	size_t size = pf_mapi_fixed_size(type);
	struct pf_span bytes;

	if (size > 0) {
		if (!pf_take(in, size, &bytes)) {
			return cut_off(t, *in, "a value");
		}
		skip_padding(in, size);
		pf_mapi_fixed(type, bytes.p, value);
		return PF_OK;
	}
	return take_counted(t, in, &bytes)
		       ? pf_mapi_variable(t->item->arena, type, bytes, value, err)
		       : cut_off(t, *in, "a value");
}

/* Any number of values; each has at least four bytes on the wire. */
static int take_many(struct tnef *t, struct pf_span *in, unsigned type, struct pf_mapi_value *value,
	struct pf_err *err)
{
	uint32_t count;
	size_t fit;
	int rc = PF_OK;

	value->type = (enum pf_mapi_type)(type | PF_MAPI_MANY);
	if (!pf_take_le32(in, &count)) {
		return cut_off(t, *in, "a value");
	}
	fit = count < in->n / 4 ? count : in->n / 4;
	value->many.v = pf_arena_alloc(t->item->arena, (fit + 1) * sizeof(*value->many.v));
	if (!value->many.v) {
		return tnef_no_memory(err);
	}
	while (rc == PF_OK && value->many.n < fit) {
		rc = take_value(t, in, type, &value->many.v[value->many.n], err);
		value->many.n += rc == PF_OK;
	}
	return rc == PF_OK && fit < count ? cut_off(t, *in, "a value") : rc;
}

/* A variable value has a count before it that is always 1; the first one counts. */
static int take_single(struct tnef *t, struct pf_span *in, unsigned type,
	struct pf_mapi_value *value, struct pf_err *err)
{
	struct pf_span more;
	uint32_t count;
	int rc;

	if (pf_mapi_fixed_size(type) > 0) {
		return take_value(t, in, type, value, err);
	}
	if (!pf_take_le32(in, &count)) {
		return cut_off(t, *in, "a value");
	}
	if (count == 0) {
		return pf_mapi_variable(t->item->arena, type, pf_span("", 0), value, err);
	}
	rc = take_value(t, in, type, value, err);
	if (rc == PF_OK && count > 1) {
		pf_mapi_note(
			t->notes, tnef_at(t, in->p), "one value is %u of them", (unsigned)count);
	}
	while (rc == PF_OK && --count > 0) {
		rc = take_counted(t, in, &more) ? PF_OK : cut_off(t, *in, "a value");
	}
	return rc;
}

static int take_name(
	struct tnef *t, struct pf_span *in, struct pf_mapi_name **out, struct pf_err *err)
{
	struct pf_mapi_name *name = pf_arena_alloc(t->item->arena, sizeof(*name));
	struct pf_span set, text;
	uint32_t kind;

	if (!name) {
		return tnef_no_memory(err);
	}
	if (!pf_take(in, sizeof(name->set), &set) || !pf_take_le32(in, &kind)) {
		return cut_off(t, *in, "a name");
	}
	memcpy(name->set.b, set.p, sizeof(name->set));
	*out = name;
	if (kind == 0) {
		return pf_take_le32(in, &name->number) ? PF_OK : cut_off(t, *in, "a name");
	}
	if (kind != 1) {
		pf_mapi_note(
			t->notes, tnef_at(t, in->p), "a name of unknown kind %u", (unsigned)kind);
		return PF_END;
	}
	return take_counted(t, in, &text) ? pf_mapi_utf16(t->item->arena, text, &name->text, err)
					  : cut_off(t, *in, "a name");
}

static int take_prop(
	struct tnef *t, struct pf_span *in, struct pf_mapi_props *to, struct pf_err *err)
{
	struct pf_mapi_prop prop = {0}, *added;
	struct pf_span tag;
	unsigned type;
	int rc;

	if (!pf_take(in, 4, &tag)) {
		return cut_off(t, *in, "a property list");
	}
	type = pf_le16(tag.p);
	prop.id = pf_le16(tag.p + 2);
	if (prop.id >= 0x8000) {
		prop.id = 0;
		rc = take_name(t, in, &prop.name, err);
		if (rc != PF_OK) {
			return rc;
		}
	}
	if (!pf_mapi_type_known(type & ~(unsigned)PF_MAPI_MANY)) {
		pf_mapi_note(t->notes, tnef_at(t, tag.p),
			"a property 0x%04X of unknown type 0x%04X", (unsigned)pf_le16(tag.p + 2),
			type);
		return PF_END;
	}
	rc = type & PF_MAPI_MANY
		     ? take_many(t, in, type & ~(unsigned)PF_MAPI_MANY, &prop.value, err)
		     : take_single(t, in, type, &prop.value, err);
	if (rc == PF_FAIL || !prop.value.type) {
		return rc;
	}
	added = pf_mapi_add(t->item, to);
	if (!added) {
		return tnef_no_memory(err);
	}
	*added = prop;
	return rc;
}

int tnef_list(struct tnef *t, struct pf_span *in, struct pf_mapi_props *to, struct pf_err *err)
{
	uint32_t count;
	int rc = PF_OK;

	if (!pf_take_le32(in, &count)) {
		return cut_off(t, *in, "a property list");
	}
	while (rc == PF_OK && count-- > 0) {
		rc = take_prop(t, in, to, err);
	}
	return rc;
}

int tnef_recipients(struct tnef *t, struct pf_span in, struct pf_err *err)
{
	uint32_t count;
	int rc = PF_OK;

	if (!pf_take_le32(&in, &count)) {
		return cut_off(t, in, "the table of recipients") == PF_FAIL ? PF_FAIL : PF_OK;
	}
	while (rc == PF_OK && count-- > 0) {
		struct pf_mapi_props *row = pf_mapi_add_recipient(t->item);

		rc = row ? tnef_list(t, &in, row, err) : tnef_no_memory(err);
	}
	return rc == PF_FAIL ? PF_FAIL : PF_OK;
}
