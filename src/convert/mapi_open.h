/*
 * MAPI items in the open form of their kind, for stores that read them.
 */
#ifndef PF_CONVERT_MAPI_OPEN_H
#define PF_CONVERT_MAPI_OPEN_H

#include "base/buf.h"
#include "convert/mapi_ways.h"
#include "model/item.h"

/*
 * What kind of item it is, by its class ([MS-OXOMSG] 2.2.2.1 and its neighbours). What is not known
 * is mail, as are meeting messages (IPM.Schedule...) and task requests: they are letters.
 */
enum pf_kind pf_mapi_kind(struct pf_span item_class);

/* The `i`th of the classes by which a kind is told; NULL: there are no more. Of mail none is: it is
 * all that is nothing else. */
const char *pf_mapi_class_of(enum pf_kind kind, size_t i);

struct pf_mapi_opened {
	enum pf_kind kind;
	const char *type; /* of the bytes: "message/rfc822", "text/calendar", "text/vcard" */
};

/*
 * Append the item to `bytes`, in the form of its kind: a message, an iCalendar object or a vCard
 * 4.0. Its strings must have been decoded; `losses` has been initialised, and says afterwards what
 * became of each property. PF_FAIL: no memory, past the ceiling of `bytes`, or (item scope) an item
 * that the form can't hold; `bytes` is then as long as it was.
 */
PF_MUST_CHECK int pf_mapi_open(const struct pf_mapi_item *item, const struct pf_mapi_ways *ways,
	struct pf_mapi_losses *losses, struct pf_mapi_opened *out, struct pf_buf *bytes,
	struct pf_err *err);

#endif
