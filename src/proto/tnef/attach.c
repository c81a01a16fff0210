/* What an attachment is: a file, an item, an object, or elsewhere ([MS-OXTNEF] 2.1.3.4.1). */
#include "proto/mapi/attach.h"
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

/* An object begins with the interface that it has, which is no part of it. */
static struct pf_span behind_interface(struct tnef *t, struct pf_span content)
{
	if (!is_interface(content)) {
		return content;
	}
	t->ole = memcmp(content.p, STORAGE.b, sizeof(STORAGE.b)) == 0;
	return pf_span_from(content, sizeof(STORAGE.b));
}

static bool is_item(const struct pf_mapi_attachment *a)
{
	enum { EMBEDDED = 5 };
	int64_t method;

	return pf_mapi_number(pf_mapi_tag(&a->props, PF_TAG_ATTACH_METHOD), &method) &&
	       method == EMBEDDED;
}

static int read_item(
	struct tnef *t, struct pf_mapi_attachment *a, struct pf_span in, struct pf_err *err)
{
	struct tnef within = {.origin = t->origin, .notes = t->notes, .depth = t->depth + 1};

	if (within.depth > PF_TNEF_DEPTH_MAX) {
		pf_mapi_broken(t->notes, tnef_at(t, in.p), "an item deeper than %d",
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
	enum pf_mapi_type type;
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
	content = pf_mapi_take_content(&a->props, &type);
	content = content.n == 0 && t->data.p ? t->data : content;
	if (type == PF_MAPI_OBJECT || is_item(a)) {
		content = behind_interface(t, content);
	}
	a->data = content;
	a->kind = pf_mapi_attach_kind(a, t->ole);
	/* A file may be a stream as well, and stays a file. */
	if (a->kind == PF_MAPI_ATTACH_DATA && pf_tnef_is(content) &&
		(type == PF_MAPI_OBJECT || is_item(a))) {
		rc = read_item(t, a, content, err);
		a->data = a->item ? pf_span(NULL, 0) : content;
		return rc == PF_FAIL ? PF_FAIL : PF_OK;
	}
	return PF_OK;
}
