/*
 * What an attachment is, by its properties ([MS-OXCMSG] 2.2.2).
 */
#ifndef PF_PROTO_MAPI_ATTACH_H
#define PF_PROTO_MAPI_ATTACH_H

#include "model/mapi.h"

/*
 * Take the content out of the properties, so that it is in one place; `*type` is that of the
 * property. Absent where there is none.
 */
struct pf_span pf_mapi_take_content(struct pf_mapi_props *props, enum pf_mapi_type *type);

/* REFERENCE, OLE (`ole`, or as its method says), DATA or NONE; an item is told by its content. */
enum pf_mapi_attach pf_mapi_attach_kind(const struct pf_mapi_attachment *a, bool ole);

#endif
