/*
 * Multistatus bodies (RFC 4918 section 13), response by response. Any bytes; no network, no
 * entities; what is not known is passed over.
 */
#ifndef PF_PROTO_DAV_MULTI_H
#define PF_PROTO_DAV_MULTI_H

#include "base/arena.h"
#include "base/err.h"

enum pf_dav_type {
	PF_DAV_COLLECTION = 1u << 0,
	PF_DAV_CALENDAR = 1u << 1,
	PF_DAV_ADDRESSBOOK = 1u << 2,
	PF_DAV_UNWANTED = 1u << 3, /* schedule-inbox, -outbox, subscriptions, proxies, trash */
	PF_DAV_PRINCIPAL = 1u << 4,
};

enum pf_dav_component {
	PF_DAV_VEVENT = 1u << 0,
	PF_DAV_VTODO = 1u << 1,
	PF_DAV_VJOURNAL = 1u << 2,
};

enum { PF_DAV_HOMES = 8 };

/* One response. Spans are absent where nothing is said, and good until the next call. */
struct pf_dav_response {
	struct pf_span href;
	int status;        /* of the whole response; 0 = each property has its own */
	int worst;         /* the highest status of any property; 0 = none */
	const char *error; /* name of a precondition that is in it, as of said.h; NULL */
	uint32_t type;     /* of enum pf_dav_type */
	bool has_type;
	uint32_t components; /* of enum pf_dav_component */
	bool has_components;
	bool can_sync;                   /* sync-collection is among its reports */
	uint64_t max_bytes, quota_bytes; /* max: 0 = not said; quota: UINT64_MAX = not said */
	struct pf_span name, etag, ctag, sync_token, colour, order, description, timezone, owner;
	struct pf_span principal, media;
	struct pf_span data; /* calendar-data or address-data, its line ends as XML leaves them */
	struct pf_span calendar_home[PF_DAV_HOMES], card_home[PF_DAV_HOMES];
	size_t calendar_homes, card_homes;
};

struct pf_dav_multi;

/* `body` is borrowed until it is freed. PF_FAIL (item scope): this is no multistatus. */
PF_MUST_CHECK int pf_dav_multi_new(
	struct pf_span body, struct pf_dav_multi **out, struct pf_err *err);
/* PF_OK, PF_END. PF_FAIL (item scope): from here on it can't be read; what came before is good. */
PF_MUST_CHECK int pf_dav_multi_next(
	struct pf_dav_multi *m, struct pf_dav_response *out, struct pf_err *err);
/* After PF_END: the sync-token of the whole; absent: none. */
struct pf_span pf_dav_multi_token(const struct pf_dav_multi *m);
void pf_dav_multi_free(struct pf_dav_multi **m); /* NULL is fine */

#endif
