/* What an attachment is: a file, an item, an object, or elsewhere ([MS-OXTNEF] 2.1.3.4.1). */
#include "model/mapi_tags.h"
#include "proto/tnef/tnef_private.h"

/* IID_IStorage: an OLE object in its own storage ([MS-OXTNEF] 2.1.3.4). */
static const struct pf_guid STORAGE = {{0x0B, 0, 0, 0, 0, 0, 0, 0, 0xC0, 0, 0, 0, 0, 0, 0, 0x46}};

/* An interface of OLE, "{000203XX-...}" (IMessage) or "{0000000X-...}" (IStorage, IStream). */
static bool is_interface(struct pf_span s)
{
	static const uint8_t TAIL[] = {0, 0, 0, 0, 0xC0, 0, 0, 0, 0, 0, 0, 0x46};

	return s.n >= sizeof(STORAGE.b) && memcmp(s.p + 4, TAIL, sizeof(TAIL)) == 0;
}

/* Take the content out of the properties, so that it is in one place. Absent where it is not. */
static struct pf_span take_content(struct pf_mapi_props *props, bool *ole)
{
	struct pf_span content = {0};
	size_t kept = 0;

	for (size_t i = 0; i < props->n; i++) {
		const struct pf_mapi_prop *p = &props->v[i];

		if (p->name || p->id != PF_TAG_ATTACH_DATA) {
			props->v[kept++] = *p;
			continue;
		}
		if (!content.p) {
			content = pf_mapi_bytes(&p->value);
		}
		if (p->value.type == PF_MAPI_OBJECT && is_interface(content)) {
			*ole = memcmp(content.p, STORAGE.b, sizeof(STORAGE.b)) == 0;
			content = pf_span_from(content, sizeof(STORAGE.b));
		}
	}
	props->n = kept;
	return content;
}

static int read_item(
	struct tnef *t, struct pf_mapi_attachment *a, struct pf_span in, struct pf_err *err)
{
	struct tnef within = {.origin = t->origin, .notes = t->notes, .depth = t->depth + 1};

	if (within.depth > PF_TNEF_DEPTH_MAX) {
		pf_mapi_note(t->notes, tnef_at(t, in.p), "an item deeper than %d",
			(int)PF_TNEF_DEPTH_MAX);
		return PF_END;
	}
	within.item = pf_mapi_new(t->item->arena);
	if (!within.item) {
		return tnef_no_memory(err);
	}
	a->kind = PF_MAPI_ATTACH_ITEM;
	a->item = within.item;
	return tnef_stream(&within, in, err);
}

static enum pf_mapi_attach kind_of(const struct tnef *t, const struct pf_mapi_attachment *a)
{
	enum {
		BY_REFERENCE = 2,
		BY_REFERENCE_RESOLVE = 3,
		BY_REFERENCE_ONLY = 4,
		OLE = 6,
		WEB = 7
	};
	int64_t method = 0;

	(void)pf_mapi_number(pf_mapi_tag(&a->props, PF_TAG_ATTACH_METHOD), &method);
	if (method == BY_REFERENCE || method == BY_REFERENCE_RESOLVE ||
		method == BY_REFERENCE_ONLY || method == WEB) {
		return PF_MAPI_ATTACH_REFERENCE;
	}
	if (!a->data.p) {
		return PF_MAPI_ATTACH_NONE;
	}
	return method == OLE || t->ole ? PF_MAPI_ATTACH_OLE : PF_MAPI_ATTACH_DATA;
}

int tnef_attach_begin(struct tnef *t, struct pf_err *err)
{
	if (!pf_mapi_add_attachment(t->item)) {
		return tnef_no_memory(err);
	}
	t->in_attachment = true;
	t->ole = false;
	t->data = pf_span(NULL, 0);
	t->attach_legacy.n = 0;
	return PF_OK;
}

int tnef_attach_end(struct tnef *t, struct pf_err *err)
{
	struct pf_mapi_attachment *a;
	struct pf_span content;
	int rc;

	if (!t->in_attachment) {
		return PF_OK;
	}
	t->in_attachment = false;
	a = &t->item->attachments[t->item->attachments_n - 1];
	if (tnef_settle(t, &a->props, &t->attach_legacy, err) != PF_OK) {
		return PF_FAIL;
	}
	content = take_content(&a->props, &t->ole);
	if (content.n == 0 && t->data.p) {
		content = t->data;
		if (is_interface(content) && pf_tnef_is(pf_span_from(content, sizeof(STORAGE.b)))) {
			content = pf_span_from(content, sizeof(STORAGE.b));
		}
	}
	a->data = content;
	a->kind = kind_of(t, a);
	if (!t->ole && pf_tnef_is(content) && a->kind == PF_MAPI_ATTACH_DATA) {
		rc = read_item(t, a, content, err);
		a->data = a->item ? pf_span(NULL, 0) : content;
		return rc == PF_FAIL ? PF_FAIL : PF_OK;
	}
	return PF_OK;
}
