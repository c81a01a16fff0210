/*
 * Autodiscover ([MS-OXDSCLI], "plain old XML"): where a mailbox's Exchange Web Services are.
 */
#ifndef PF_PROTO_EWS_DISCOVER_H
#define PF_PROTO_EWS_DISCOVER_H

#include "base/arena.h"
#include "base/buf.h"

#define PF_EWS_DISCOVER_PATH "/autodiscover/autodiscover.xml"

enum pf_ews_found {
	PF_EWS_FOUND_NOTHING, /* `text` says why */
	PF_EWS_FOUND_SERVICE, /* `value` is its URL */
	PF_EWS_FOUND_ADDRESS, /* ask again, for the address `value` */
	PF_EWS_FOUND_PLACE,   /* ask again, at the URL `value` */
};

struct pf_ews_place {
	enum pf_ews_found found;
	struct pf_span value; /* in the arena */
	char text[300];
};

/* The request for a mail address, behind `out` ([MS-OXDSCLI] section 2.2.3). */
PF_MUST_CHECK int pf_ews_discover_request(
	struct pf_span address, struct pf_buf *out, struct pf_err *err);
/*
 * What such a request was answered ([MS-OXDSCLI] section 2.2.4), whatever came: of several
 * protocols the one for clients outside of the network goes first. PF_FAIL: no memory.
 */
PF_MUST_CHECK int pf_ews_discover_read(struct pf_span answer, struct pf_arena *arena,
	struct pf_ews_place *out, struct pf_err *err);

#endif
