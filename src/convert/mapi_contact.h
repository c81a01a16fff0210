/*
 * Contacts and distribution lists as vCards ([MS-OXVCARD], [MS-OXOCNTC]; RFC 2426, RFC 6350).
 */
#ifndef PF_CONVERT_MAPI_CONTACT_H
#define PF_CONVERT_MAPI_CONTACT_H

#include "base/buf.h"
#include "convert/mapi_ways.h"

/*
 * Append an IPM.Contact as a vCard of `version` 30 or 40: what the version has no place for is in
 * X- properties. Addresses of a directory are resolved by `ways`. The item's strings must have been
 * decoded. PF_FAIL: no memory, or past the ceiling of `out` (which is then as long as it was).
 */
PF_MUST_CHECK int pf_mapi_contact(const struct pf_mapi_item *item, int version,
	const struct pf_mapi_ways *ways, struct pf_mapi_losses *losses, struct pf_buf *out,
	struct pf_err *err);

/* The same of an IPM.DistList: a group whose members are mail addresses (RFC 6350 6.6.5; in 3.0
 * X-ADDRESSBOOKSERVER-MEMBER). A member without an address keeps its name. */
PF_MUST_CHECK int pf_mapi_group(const struct pf_mapi_item *item, int version,
	const struct pf_mapi_ways *ways, struct pf_mapi_losses *losses, struct pf_buf *out,
	struct pf_err *err);

#endif
