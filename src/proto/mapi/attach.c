#include "proto/mapi/attach.h"

#include "model/mapi_tags.h"

struct pf_span pf_mapi_take_content(struct pf_mapi_props *props, enum pf_mapi_type *type)
{
	struct pf_span content = {0};
	size_t kept = 0;

	*type = PF_MAPI_BINARY;
	for (size_t i = 0; i < props->n; i++) {
		const struct pf_mapi_prop *p = &props->v[i];

		if (p->name || p->id != PF_TAG_ATTACH_DATA) {
			props->v[kept++] = *p;
		} else if (!content.p) {
			content = pf_mapi_bytes(&p->value);
			*type = p->value.type;
		}
	}
	props->n = kept;
	return content;
}

enum pf_mapi_attach pf_mapi_attach_kind(const struct pf_mapi_attachment *a, bool ole)
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
	if (ole) {
		return PF_MAPI_ATTACH_OLE;
	}
	if (!a->data.p) {
		return PF_MAPI_ATTACH_NONE;
	}
	return method == OLE ? PF_MAPI_ATTACH_OLE : PF_MAPI_ATTACH_DATA;
}
