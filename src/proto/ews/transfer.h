/*
 * Items as Exchange itself moves them ([MS-OXWSBTRF], from 2010 SP1 on): ExportItems gives each as
 * one stream with all that it has, UploadItems makes an item of such a stream. What is in it is the
 * servers' business: it is never looked into, and never altered.
 */
#ifndef PF_PROTO_EWS_TRANSFER_H
#define PF_PROTO_EWS_TRANSFER_H

#include "proto/ews/answer.h"
#include "proto/ews/request.h"

/* All functions write behind `out`. PF_FAIL: no memory, or past its ceiling. */

PF_MUST_CHECK int pf_ews_export(const struct pf_ews_as *as, const struct pf_span *ids, size_t n,
	struct pf_buf *out, struct pf_err *err);

struct pf_ews_upload {
	struct pf_span folder;
	struct pf_span item, version; /* that becomes what the stream says; absent: another one */
	struct pf_span stream;
};

/* UploadItems: begin, one after the other, end. An item that is made anew is made once more each
 * time that it is uploaded. */
PF_MUST_CHECK int pf_ews_upload_begin(
	const struct pf_ews_as *as, struct pf_buf *out, struct pf_err *err);
PF_MUST_CHECK int pf_ews_upload_item(
	const struct pf_ews_upload *upload, struct pf_buf *out, struct pf_err *err);
PF_MUST_CHECK int pf_ews_upload_end(struct pf_buf *out, struct pf_err *err);

/* What a message of either says: the item, and of ExportItems its stream, in base64. */
struct pf_ews_moved {
	struct pf_span id, version;
	struct pf_span stream; /* absent: none is given */
};
void pf_ews_moved(
	struct pf_ews_answer *a, const struct pf_ews_message *m, struct pf_ews_moved *out);

#endif
