/*
 * What requests have in common.
 */
#ifndef PF_PROTO_EWS_REQUEST_PRIVATE_H
#define PF_PROTO_EWS_REQUEST_PRIVATE_H

#include "proto/ews/request.h"

/* Writes until something fails, and nothing after it. */
struct ews_writer {
	struct pf_buf *out;
	struct pf_err *err;
	int rc;
};

void ews_say(struct ews_writer *w, const char *text);
void ews_sayf(struct ews_writer *w, const char *fmt, ...) PF_PRINTF(2, 3);
/* Character data, escaped. */
void ews_text(struct ews_writer *w, struct pf_span text);
/* An element with nothing but text in it; nothing for an absent span. */
void ews_element(struct ews_writer *w, const char *name, struct pf_span text);
/* <t:NAME Id="..."/> */
void ews_id(struct ews_writer *w, const char *name, struct pf_span id);
/* The same of one version of it; an empty one: whichever. */
void ews_id_version(
	struct ews_writer *w, const char *name, struct pf_span id, struct pf_span version);

/* An attribute of UpdateItem and DeleteItem that keeps receipts from going out, where the version
 * has it. */
const char *ews_no_receipts(const struct pf_ews_as *as);

/* The path of the name that items are put under (item_make.h). */
void ews_key_path(struct ews_writer *w);

/* Up to <s:Body>. */
void ews_begin(struct ews_writer *w, const struct pf_ews_as *as);
/* From </s:Body> on; how it went. */
int ews_end(struct ews_writer *w);

#endif
