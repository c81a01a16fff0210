/*
 * Bodies of requests of WebDAV (RFC 4918), CalDAV (RFC 4791), CardDAV (RFC 6352), sync-collection
 * (RFC 6578) and extended MKCOL (RFC 5689). All prefixes are declared at the root: Cyrus overlooks
 * some properties when they are declared where they are used.
 */
#ifndef PF_PROTO_DAV_REQUEST_H
#define PF_PROTO_DAV_REQUEST_H

#include "base/buf.h"

/* What a PROPFIND asks for. */
enum pf_dav_ask {
	PF_DAV_ASK_WHO,     /* principal, home sets, resource type */
	PF_DAV_ASK_FOLDERS, /* all that is said of collections */
	PF_DAV_ASK_ITEMS,   /* ETags */
};

PF_MUST_CHECK int pf_dav_propfind(enum pf_dav_ask what, struct pf_buf *out, struct pf_err *err);
/* ETags of all, or of what changed since `token` (absent: all). */
PF_MUST_CHECK int pf_dav_sync(struct pf_span token, struct pf_buf *out, struct pf_err *err);
PF_MUST_CHECK int pf_dav_multiget(bool contacts, const struct pf_span *hrefs, size_t n,
	struct pf_buf *out, struct pf_err *err);
/* Items of one component ("VEVENT") whose UID contains `uid`, byte by byte; contacts: no component.
 */
PF_MUST_CHECK int pf_dav_query_uid(bool contacts, const char *component, struct pf_span uid,
	struct pf_buf *out, struct pf_err *err);

/* A collection that is to be made, or to look like this. Spans that are absent are not said. */
struct pf_dav_looks {
	bool contacts;
	struct pf_span name, colour, description, timezone;
	bool has_order;
	int order;
	const char *components[4]; /* "VEVENT", ...; NULL ends. Calendars only */
};

/* Root element MKCALENDAR, mkcol or propertyupdate. */
enum pf_dav_make { PF_DAV_MKCALENDAR, PF_DAV_MKCOL, PF_DAV_PROPPATCH };
PF_MUST_CHECK int pf_dav_make(enum pf_dav_make how, const struct pf_dav_looks *looks,
	struct pf_buf *out, struct pf_err *err);

#endif
