#include "proto/dav/href.h"

#include "base/utf8.h"

#include <ctype.h>
#include <stdlib.h>

enum { HREF_MAX = 65536 };

/* One byte off the front of `s`, decoded. */
static uint8_t take(struct pf_span *s)
{
	uint8_t c = s->p[0];

	if (c == '%' && s->n >= 3 && pf_ascii_hex(s->p[1]) >= 0 && pf_ascii_hex(s->p[2]) >= 0) {
		c = (uint8_t)(pf_ascii_hex(s->p[1]) * 16 + pf_ascii_hex(s->p[2]));
		*s = pf_span_from(*s, 3);
		return c;
	}
	*s = pf_span_from(*s, 1);
	return c;
}

static int add_byte(uint8_t c, struct pf_buf *out, struct pf_err *err)
{
	bool plain = isascii(c) && (isalnum(c) || c == '-' || c == '.' || c == '_' || c == '~');

	return plain ? pf_buf_add(out, pf_span(&c, 1), err) : pf_buf_addf(out, err, "%%%02X", c);
}

int pf_dav_segment(struct pf_span bytes, struct pf_buf *out, struct pf_err *err)
{
	for (size_t i = 0; i < bytes.n; i++) {
		if (add_byte(bytes.p[i], out, err) != PF_OK) {
			return PF_FAIL;
		}
	}
	return PF_OK;
}

static struct pf_span without_slash(struct pf_span path)
{
	if (path.n > 0 && path.p[path.n - 1] == '/') {
		path.n--;
	}
	return path;
}

struct pf_span pf_dav_parent(struct pf_span path)
{
	struct pf_span p = without_slash(path);

	while (p.n > 0 && p.p[p.n - 1] != '/') {
		p.n--;
	}
	return p.n > 0 ? p : pf_span_str("/");
}

int pf_dav_leaf(struct pf_span path, struct pf_buf *out, struct pf_err *err)
{
	struct pf_span whole = without_slash(path), up = pf_dav_parent(path);
	struct pf_span leaf = pf_span_from(whole, up.n);

	while (leaf.n > 0) {
		uint8_t c = take(&leaf);

		if (pf_buf_add(out, pf_span(&c, 1), err) != PF_OK) {
			return PF_FAIL;
		}
	}
	return PF_OK;
}

/* ---- origin ---- */

/*
 * A server behind a proxy that ends TLS calls itself http://, and may not know its outer port: the
 * same host is here, and is asked at the origin that we know. Only https: where we have no TLS is
 * another place.
 */
static bool is_here(bool https, struct pf_span authority, const struct pf_origin *o)
{
	struct pf_origin is;
	char host[256];

	if (!pf_origin_authority(authority, https, host, sizeof(host), &is) ||
		!pf_span_is(pf_span_str(host), o->host) || (https && !o->https)) {
		return false;
	}
	return is.port == o->port || (!https && o->https && is.port == 80);
}

/* What is behind "http://host" of an absolute reference; the whole of another one. `o` as in
 * pf_dav_href. */
static enum pf_dav_where locate(struct pf_span *href, const struct pf_origin *o)
{
	bool https = pf_span_starts(*href, "https://");
	struct pf_span rest;
	size_t n;

	if (https || pf_span_starts(*href, "http://")) {
		rest = pf_span_from(*href, https ? 8 : 7);
	} else if (pf_span_starts(*href, "//")) {
		https = o && o->https;
		rest = pf_span_from(*href, 2);
	} else {
		size_t colon = 0;

		while (colon < href->n &&
			(isalnum(href->p[colon]) || strchr("+-.", href->p[colon]))) {
			colon++;
		}
		return colon > 0 && colon + 1 < href->n && href->p[colon] == ':' &&
				       href->p[colon + 1] == '/'
			       ? PF_DAV_NOWHERE
			       : PF_DAV_HERE;
	}
	n = pf_origin_length(rest);
	*href = n < rest.n && rest.p[n] == '/' ? pf_span_from(rest, n) : pf_span_str("/");
	return !o || is_here(https, pf_span(rest.p, n), o) ? PF_DAV_HERE : PF_DAV_ELSEWHERE;
}

/* ---- path ---- */

static bool is_dots(struct pf_span segment, size_t dots)
{
	size_t n = 0;

	while (segment.n > 0) {
		if (take(&segment) != '.') {
			return false;
		}
		n++;
	}
	return n == dots;
}

/* Add the segments of `path`, below what `out` has from `floor` on (a path that ends in '/'). */
/* NOLINTNEXTLINE(readability-function-size): one case for each kind of segment */
static int add_path(struct pf_span path, size_t floor, struct pf_buf *out, struct pf_err *err)
{
	while (path.n > 0) {
		const uint8_t *slash = memchr(path.p, '/', path.n);
		struct pf_span s = pf_span(path.p, slash ? (size_t)(slash - path.p) : path.n);
		bool up = is_dots(s, 2);

		path = pf_span_from(path, s.n + (slash != NULL));
		if (up) {
			struct pf_span so_far = pf_span_from(pf_buf_span(out), floor);

			out->n = floor + pf_dav_parent(so_far).n;
		} else if (s.n > 0 && !is_dots(s, 1)) {
			while (s.n > 0) {
				if (add_byte(take(&s), out, err) != PF_OK) {
					return PF_FAIL;
				}
			}
			if (slash && pf_buf_add_str(out, "/", err) != PF_OK) {
				return PF_FAIL;
			}
		}
	}
	return PF_OK;
}

/* NOLINTNEXTLINE(readability-function-size): its parameters are the request itself */
int pf_dav_href(struct pf_span href, struct pf_span base, const struct pf_origin *origin,
	bool folder, struct pf_buf *out, enum pf_dav_where *where, struct pf_err *err)
{
	size_t floor = out->n, n = 0;
	bool relative;

	while (href.n > 0 && isspace(href.p[0])) {
		href = pf_span_from(href, 1);
	}
	while (href.n > 0 && isspace(href.p[href.n - 1])) {
		href.n--;
	}
	*where = href.n > 0 && href.n < HREF_MAX ? locate(&href, origin) : PF_DAV_NOWHERE;
	if (*where != PF_DAV_HERE) {
		return PF_OK;
	}
	while (n < href.n && href.p[n] != '?' && href.p[n] != '#') {
		n++;
	}
	href.n = n;
	relative = href.n == 0 || href.p[0] != '/';
	if (pf_buf_add_str(out, "/", err) != PF_OK) {
		return PF_FAIL;
	}
	if (relative) {
		bool whole = base.n > 0 && base.p[base.n - 1] == '/';

		if (add_path(whole ? base : pf_dav_parent(base), floor, out, err) != PF_OK) {
			return PF_FAIL;
		}
	}
	if (add_path(href, floor, out, err) != PF_OK) {
		return PF_FAIL;
	}
	if (folder) {
		return out->p[out->n - 1] == '/' ? PF_OK : pf_buf_add_str(out, "/", err);
	}
	if (out->n - floor > 1 && out->p[out->n - 1] == '/') {
		out->n--;
	}
	return PF_OK;
}
