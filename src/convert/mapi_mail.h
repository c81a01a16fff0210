/*
 * A MAPI mail item as the message it was or would have been (RFC 5322, MIME), by [MS-OXCMAIL] 2.1.
 */
#ifndef PF_CONVERT_MAPI_MAIL_H
#define PF_CONVERT_MAPI_MAIL_H

#include "base/buf.h"
#include "convert/mapi_ways.h"

/*
 * Append the message to `out`. The same item and `ways->key` give the same bytes each time.
 *
 * The header is `header` (of the message that a TNEF was in) or else the one that the item came
 * with (PidTagTransportMessageHeaders), fields about MIME aside; what is missing in it, or all of
 * it, is made from the properties, with addresses by `ways`. Text and HTML are alternatives, images
 * that the HTML shows are related to it, an item within is a message, calendar item or card of its
 * own. A clear-signed message is put out just as it was signed. The item's strings must have been
 * decoded.
 *
 * PF_FAIL: no memory, or past the ceiling of `out` (which is then as long as it was).
 */
PF_MUST_CHECK int pf_mapi_mail(const struct pf_mapi_item *item, struct pf_span header,
	const struct pf_mapi_ways *ways, struct pf_mapi_losses *losses, struct pf_buf *out,
	struct pf_err *err);

#endif
