/*
 * Where something is asked over HTTP (RFC 6454), and what leads there.
 */
#ifndef PF_BASE_ORIGIN_H
#define PF_BASE_ORIGIN_H

#include "base/defs.h"
#include "base/span.h"

struct pf_origin {
	const char *host; /* lower case, without brackets */
	int port;
	bool https;
};

/*
 * Where an absolute reference ("https://HOST[:PORT]/...", or "//HOST..." with the scheme of
 * `https`) leads: out->host is `host`, lower case; its port is filled in. false: it is none, or the
 * host does not fit.
 */
bool pf_origin_of(struct pf_span href, bool https, char *host, size_t size, struct pf_origin *out);
/* The same of "HOST[:PORT]" alone, an IPv6 address in brackets. */
bool pf_origin_authority(
	struct pf_span authority, bool https, char *host, size_t size, struct pf_origin *out);
/* How much of what stands behind "https://" is the authority. */
size_t pf_origin_length(struct pf_span href);
bool pf_origin_same(const struct pf_origin *a, const struct pf_origin *b);
/* Whether a list of "HOST[:PORT]" that ends with NULL names it; the list may be NULL. */
bool pf_origin_named(const char *const *list, const struct pf_origin *o);

#endif
