#include "base/origin.h"

#include "base/utf8.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static int default_port(bool https)
{
	return https ? 443 : 80;
}

/* "host:port" or "[::1]:port"; port 0: not said. */
static bool split(struct pf_span authority, struct pf_span *host, int *port)
{
	const uint8_t *at = authority.n > 0 ? memchr(authority.p, '@', authority.n) : NULL;
	const uint8_t *colon;
	char digits[8] = "";
	struct pf_span rest;

	if (at) {
		authority = pf_span_from(authority, (size_t)(at - authority.p) + 1);
	}
	if (authority.n > 0 && authority.p[0] == '[') {
		const uint8_t *end = memchr(authority.p, ']', authority.n);

		if (!end) {
			return false;
		}
		*host = pf_span(authority.p + 1, (size_t)(end - authority.p) - 1);
		rest = pf_span_from(authority, host->n + 2);
	} else {
		colon = authority.n > 0 ? memchr(authority.p, ':', authority.n) : NULL;
		*host = pf_span(authority.p, colon ? (size_t)(colon - authority.p) : authority.n);
		rest = pf_span_from(authority, host->n);
	}
	*port = 0;
	if (rest.n > 1 && rest.n < sizeof(digits)) {
		memcpy(digits, rest.p + 1, rest.n - 1);
		*port = (int)strtol(digits, NULL, 10);
	}
	return host->n > 0;
}

bool pf_origin_authority(
	struct pf_span authority, bool https, char *host, size_t size, struct pf_origin *out)
{
	struct pf_span name;
	int port;

	if (!split(authority, &name, &port) || name.n >= size || memchr(name.p, '\0', name.n)) {
		return false;
	}
	for (size_t i = 0; i < name.n; i++) {
		host[i] = (char)pf_ascii_lower(name.p[i]);
	}
	host[name.n] = '\0';
	*out = (struct pf_origin){host, port ? port : default_port(https), https};
	return true;
}

bool pf_origin_of(struct pf_span href, bool https, char *host, size_t size, struct pf_origin *out)
{
	while (href.n > 0 && isspace(href.p[0])) {
		href = pf_span_from(href, 1);
	}
	if (pf_span_starts(href, "https://") || pf_span_starts(href, "http://")) {
		https = pf_span_starts(href, "https://");
		href = pf_span_from(href, https ? 8 : 7);
	} else if (pf_span_starts(href, "//")) {
		href = pf_span_from(href, 2);
	} else {
		return false;
	}
	return pf_origin_authority(pf_span(href.p, pf_origin_length(href)), https, host, size, out);
}

size_t pf_origin_length(struct pf_span href)
{
	size_t n = 0;

	while (n < href.n && href.p[n] != '/' && href.p[n] != '?' && href.p[n] != '#') {
		n++;
	}
	return n;
}

bool pf_origin_same(const struct pf_origin *a, const struct pf_origin *b)
{
	return strcasecmp(a->host, b->host) == 0 && a->port == b->port && a->https == b->https;
}

bool pf_origin_named(const char *const *list, const struct pf_origin *o)
{
	for (; list && *list; list++) {
		struct pf_origin named = {.host = NULL};
		char host[256];

		if (pf_origin_authority(pf_span_str(*list), o->https, host, sizeof(host), &named) &&
			pf_origin_same(&named, o)) {
			return true;
		}
	}
	return false;
}
