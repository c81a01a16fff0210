/*
 * The stream ([MS-OXTNEF] 2.1.1): signature and key, then attributes, each a level, an id, a
 * length, data, and the sum of their bytes.
 */
#include "proto/tnef/tnef.h"

#include "model/mapi_tags.h"
#include "proto/tnef/tnef_private.h"

enum {
	SIGNATURE = 0x223E9F78,
	STREAM_HEAD = 6,
	ATTRIBUTE_HEAD = 9,
	FALLBACK_PAGE = 1252,
};

enum {
	ATT_MESSAGE_CLASS = 0x00078008,
	ATT_PROPS = 0x00069003,
	ATT_RECIPIENTS = 0x00069004,
	ATT_OEM_CODE_PAGE = 0x00069007,
	ATT_ATTACH_REND_DATA = 0x00069002,
	ATT_ATTACH_DATA = 0x0006800F,
	ATT_ATTACHMENT = 0x00069005,
};

bool pf_tnef_is(struct pf_span start)
{
	return start.n >= STREAM_HEAD && pf_le32(start.p) == SIGNATURE;
}

bool pf_tnef_class(struct pf_span start, struct pf_span *out)
{
	struct pf_span in = pf_span_from(start, STREAM_HEAD), head, data, sum;

	while (pf_tnef_is(start) && pf_take(&in, ATTRIBUTE_HEAD, &head) && head.p[0] == 1) {
		if (!pf_take(&in, pf_le32(head.p + 5), &data)) {
			return false;
		}
		if (pf_le32(head.p + 1) == ATT_MESSAGE_CLASS) {
			*out = pf_span(data.p, strnlen((const char *)data.p, data.n));
			return true;
		}
		if (!pf_take(&in, 2, &sum)) {
			return false;
		}
	}
	return false;
}

/* PF_END: the stream is at its end, or what follows is none of it, which is noted. */
static int take_attribute(struct tnef *t, struct pf_span *in, struct tnef_attribute *out)
{
	struct pf_span head, sum;
	uint32_t length;
	unsigned bytes = 0;
	size_t at = tnef_at(t, in->p);

	if (in->n == 0) {
		return PF_END;
	}
	if (!pf_take(in, ATTRIBUTE_HEAD, &head) || (head.p[0] != 1 && head.p[0] != 2)) {
		pf_mapi_broken(t->notes, at, "what follows is no attribute");
		return PF_END;
	}
	*out = (struct tnef_attribute){.level = head.p[0], .id = pf_le32(head.p + 1)};
	length = pf_le32(head.p + 5);
	if (!pf_take(in, length, &out->data)) {
		pf_mapi_broken(t->notes, at, "attribute 0x%08X of %u bytes has only %zu",
			(unsigned)out->id, (unsigned)length, in->n);
		out->data = *in;
		*in = pf_span_from(*in, in->n);
		return PF_OK;
	}
	if (!pf_take(in, 2, &sum)) {
		pf_mapi_note(t->notes, tnef_at(t, in->p), "a checksum is cut off");
		*in = pf_span_from(*in, in->n);
		return PF_OK;
	}
	for (size_t i = 0; i < out->data.n; i++) {
		bytes += out->data.p[i];
	}
	if ((bytes & 0xFFFF) != pf_le16(sum.p)) {
		pf_mapi_note(
			t->notes, at, "attribute 0x%08X has a wrong checksum", (unsigned)out->id);
	}
	return PF_OK;
}

static int message_attribute(struct tnef *t, const struct tnef_attribute *a, struct pf_err *err)
{
	struct pf_span in = a->data;

	switch (a->id) {
	case ATT_PROPS:
		return tnef_list(t, &in, &t->item->props, err) == PF_FAIL ? PF_FAIL : PF_OK;
	case ATT_RECIPIENTS:
		return tnef_recipients(t, in, err);
	case ATT_OEM_CODE_PAGE:
		if (in.n >= 4) {
			t->item->code_page = pf_le32(in.p);
		}
		return PF_OK;
	default:
		return tnef_legacy(t, a, err);
	}
}

/* Kind (1 file, 2 object), position in the text, two sizes of an icon, flags. */
static int rendering(struct tnef *t, struct pf_span data, struct pf_err *err)
{
	struct pf_mapi_prop *p;

	if (tnef_attach_end(t, err) != PF_OK || tnef_attach_begin(t, err) != PF_OK) {
		return PF_FAIL;
	}
	if (data.n < 6) {
		return PF_OK;
	}
	t->ole = pf_le16(data.p) == 2;
	p = pf_mapi_add(t->item, &t->attach_legacy);
	if (!p) {
		return tnef_no_memory(err);
	}
	*p = (struct pf_mapi_prop){.id = PF_TAG_RENDERING_POSITION};
	pf_mapi_fixed(PF_MAPI_I32, data.p + 2, &p->value);
	return PF_OK;
}

static int attachment_attribute(struct tnef *t, const struct tnef_attribute *a, struct pf_err *err)
{
	struct pf_span in = a->data;

	if (a->id == ATT_ATTACH_REND_DATA) {
		return rendering(t, in, err);
	}
	if (!t->in_attachment) {
		pf_mapi_note(t->notes, tnef_at(t, in.p), "an attachment without its beginning");
		if (tnef_attach_begin(t, err) != PF_OK) {
			return PF_FAIL;
		}
	}
	if (a->id == ATT_ATTACH_DATA) {
		t->data = in.p ? in : pf_span("", 0);
		return PF_OK;
	}
	if (a->id == ATT_ATTACHMENT) {
		struct pf_mapi_attachment *last = &t->item->attachments[t->item->attachments_n - 1];

		return tnef_list(t, &in, &last->props, err) == PF_FAIL ? PF_FAIL : PF_OK;
	}
	return tnef_legacy(t, a, err);
}

int tnef_stream(struct tnef *t, struct pf_span in, struct pf_err *err)
{
	struct tnef_attribute a = {0};

	in = pf_span_from(in, STREAM_HEAD);
	while (take_attribute(t, &in, &a) == PF_OK) {
		int rc = a.level == 1 ? message_attribute(t, &a, err)
				      : attachment_attribute(t, &a, err);

		if (rc == PF_FAIL) {
			return PF_FAIL;
		}
		if (rc == PF_END) {
			pf_mapi_note(t->notes, tnef_at(t, a.data.p),
				"an unknown attribute 0x%08X of %zu bytes", (unsigned)a.id,
				a.data.n);
		}
	}
	if (tnef_attach_end(t, err) != PF_OK) {
		return PF_FAIL;
	}
	return tnef_settle(t, &t->item->props, &t->legacy, err);
}

int pf_tnef_read(struct pf_span in, struct pf_mapi_item *item, struct pf_mapi_notes *notes,
	struct pf_err *err)
{
	struct tnef t = {.origin = in.p, .notes = notes, .item = item, .depth = 1};

	if (!pf_tnef_is(in)) {
		return pf_fail(err, PF_SCOPE_ITEM, PF_RETRY_NO, "no TNEF stream: no signature");
	}
	if (tnef_stream(&t, in, err) != PF_OK) {
		return PF_FAIL;
	}
	return pf_mapi_decode_all(item, FALLBACK_PAGE, err);
}
