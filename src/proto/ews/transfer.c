#include "proto/ews/transfer.h"

#include "base/base64.h"
#include "proto/ews/request_private.h"

int pf_ews_export(const struct pf_ews_as *as, const struct pf_span *ids, size_t n,
	struct pf_buf *out, struct pf_err *err)
{
	struct ews_writer writer = {out, err, PF_OK}, *w = &writer;

	ews_begin(w, as);
	ews_say(w, "<m:ExportItems><m:ItemIds>");
	for (size_t i = 0; i < n; i++) {
		ews_id(w, "ItemId", ids[i]);
	}
	ews_say(w, "</m:ItemIds></m:ExportItems>");
	return ews_end(w);
}

int pf_ews_upload_begin(const struct pf_ews_as *as, struct pf_buf *out, struct pf_err *err)
{
	struct ews_writer writer = {out, err, PF_OK}, *w = &writer;

	ews_begin(w, as);
	ews_say(w, "<m:UploadItems><m:Items>");
	return w->rc;
}

int pf_ews_upload_item(const struct pf_ews_upload *upload, struct pf_buf *out, struct pf_err *err)
{
	struct ews_writer writer = {out, err, PF_OK}, *w = &writer;

	ews_sayf(w, "<t:Item CreateAction=\"%s\" IsAssociated=\"false\">",
		upload->item.n > 0 ? "Update" : "CreateNew");
	ews_id(w, "ParentFolderId", upload->folder);
	if (upload->item.n > 0) {
		ews_id_version(w, "ItemId", upload->item, upload->version);
	}
	ews_say(w, "<t:Data>");
	w->rc = w->rc == PF_OK ? pf_base64_encode(upload->stream, out, err) : w->rc;
	ews_say(w, "</t:Data></t:Item>");
	return w->rc;
}

int pf_ews_upload_end(struct pf_buf *out, struct pf_err *err)
{
	struct ews_writer writer = {out, err, PF_OK}, *w = &writer;

	ews_say(w, "</m:Items></m:UploadItems>");
	return ews_end(w);
}
