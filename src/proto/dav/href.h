/*
 * References to resources (RFC 3986), as DAV servers write them: absolute URLs, absolute paths and
 * relative ones, each percent-encoded in its own way. In one form they can be compared by their
 * bytes, and sent: dot segments gone, every byte outside of A-Z a-z 0-9 - . _ ~ encoded, upper-case
 * digits.
 */
#ifndef PF_PROTO_DAV_HREF_H
#define PF_PROTO_DAV_HREF_H

#include "base/buf.h"
#include "base/origin.h"

enum pf_dav_where {
	PF_DAV_HERE, /* this origin, or the same host and port as a proxy before it knows them */
	PF_DAV_ELSEWHERE, /* another origin: nothing of ours may go there */
	PF_DAV_NOWHERE,   /* no http(s) reference */
};

/*
 * The path of `href` in its one form, appended to `out`; a relative one is taken from `base`
 * (a path in that form). `origin` is where we are signed in; NULL: whatever host it names is taken
 * for ours. Query and fragment are dropped.
 * `folder`: it ends in '/', else in none. Nothing is appended unless it is HERE. PF_FAIL: longer
 * than `out` may be.
 */
PF_MUST_CHECK int pf_dav_href(struct pf_span href, struct pf_span base,
	const struct pf_origin *origin, bool folder, struct pf_buf *out, enum pf_dav_where *where,
	struct pf_err *err);

/* One segment of bytes as it stands in such a path; appended. */
PF_MUST_CHECK int pf_dav_segment(struct pf_span bytes, struct pf_buf *out, struct pf_err *err);
/* The last segment's bytes, decoded; appended. */
PF_MUST_CHECK int pf_dav_leaf(struct pf_span path, struct pf_buf *out, struct pf_err *err);
/* The path up to the '/' before its last segment, with it. "/" of "/". */
struct pf_span pf_dav_parent(struct pf_span path);

#endif
