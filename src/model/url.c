#include "model/url.h"

#include "base/buf.h"
#include "base/utf8.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>

/* Schemes of servers and the port that each means when none is given. */
static const struct {
	const char *scheme;
	int port;
	const char *plain; /* the scheme that names the same server in identities */
} SERVERS[] = {
	{"imap", 143, "imap"},
	{"imaps", 993, "imap"},
	{"caldav", 80, "caldav"},
	{"caldavs", 443, "caldav"},
	{"carddav", 80, "carddav"},
	{"carddavs", 443, "carddav"},
	{"ews", 443, "ews"},
	{"ewss", 443, "ews"},
	{"ews+http", 80, "ews"},
};

static bool is_server(const char *scheme)
{
	for (size_t i = 0; i < PF_COUNT(SERVERS); i++) {
		if (strcmp(scheme, SERVERS[i].scheme) == 0) {
			return true;
		}
	}
	return false;
}

#define bad(err, ...) pf_fail(err, PF_SCOPE_RUN, PF_RETRY_NO, __VA_ARGS__)

static char lower(char c)
{
	return (char)tolower((unsigned char)c);
}

/* A fresh C string of `s` with %XX decoded. */
static int decode(struct pf_span s, char **out, struct pf_err *err)
{
	char *p = calloc(1, s.n + 1);
	size_t n = 0;

	if (!p) {
		return pf_fail_memory(err, "a URL");
	}
	for (size_t i = 0; i < s.n; i++) {
		int hi = s.p[i] == '%' && i + 2 < s.n ? pf_ascii_hex(s.p[i + 1]) : -1;
		int lo = hi >= 0 ? pf_ascii_hex(s.p[i + 2]) : -1;

		if (s.p[i] != '%') {
			p[n++] = (char)s.p[i];
			continue;
		}
		if (lo < 0 || (hi == 0 && lo == 0)) {
			free(p);
			return bad(err,
				"\"%%\" is not followed by two hexadecimal digits (a per cent "
				"sign itself is written %%25)");
		}
		p[n++] = (char)(hi * 16 + lo);
		i += 2;
	}
	free(*out);
	*out = p;
	return PF_OK;
}

static int parse_user(struct pf_url *url, struct pf_span user, struct pf_err *err)
{
	const uint8_t *semi =
		memchr(user.p, ';', user.n); /* ;AUTH=... of RFC 5092: ours to choose */

	if (memchr(user.p, ':', user.n)) {
		return bad(err,
			"a password does not belong into a URL, where others can see it: give it "
			"by --from-secret or --to-secret (env:NAME, file:PATH, command:CMD, "
			"prompt)");
	}
	if (memchr(user.p, '@', user.n)) {
		return bad(err, "an \"@\" within the user name is written %%40");
	}
	if (semi) {
		user.n = (size_t)(semi - user.p);
	}
	return user.n == 0 ? bad(err, "the user name before \"@\" is empty")
			   : decode(user, &url->user, err);
}

static int parse_port(struct pf_url *url, struct pf_span port, struct pf_err *err)
{
	char text[16] = "";
	char *end = NULL;
	long n;

	if (port.n == 0) {
		return PF_OK; /* "host:" is the default port (RFC 3986 3.2.3) */
	}
	if (port.n < sizeof(text)) {
		memcpy(text, port.p, port.n);
	}
	n = strtol(text, &end, 10);
	if (!isdigit((unsigned char)text[0]) || *end != '\0' || n < 1 || n > 65535) {
		return bad(err, "the port must be a number from 1 to 65535");
	}
	url->port = (int)n;
	return PF_OK;
}

/* "[::1]:993" or "host:993" into the name without brackets and the port without colon. */
static int split_host(
	struct pf_span host, struct pf_span *name, struct pf_span *port, struct pf_err *err)
{
	bool literal = host.n > 0 && host.p[0] == '[';
	const uint8_t *end = host.n > 0 ? memchr(host.p, literal ? ']' : ':', host.n) : NULL;
	size_t n = end ? (size_t)(end - host.p) : host.n;

	if (!literal) {
		*name = pf_span(host.p, n);
		*port = pf_span_from(host, n + 1);
		return PF_OK;
	}
	if (!end) {
		return bad(err, "the IPv6 address has no \"]\"");
	}
	*name = pf_span(host.p + 1, n - 1);
	*port = pf_span_from(host, n + 1);
	if (port->n > 0 && port->p[0] != ':') {
		return bad(err, "only \":PORT\" may follow the \"]\"");
	}
	*port = pf_span_from(*port, 1);
	return PF_OK;
}

static int parse_host(struct pf_url *url, struct pf_span host, struct pf_err *err)
{
	struct pf_span name, port;

	if (split_host(host, &name, &port, err) != PF_OK) {
		return PF_FAIL;
	}
	if (name.n == 0) {
		return bad(err, "the host is missing");
	}
	if (decode(name, &url->host, err) != PF_OK) {
		return PF_FAIL;
	}
	for (char *c = url->host; *c; c++) {
		if (isspace((unsigned char)*c) || iscntrl((unsigned char)*c)) {
			return bad(err, "the host name has a blank in it");
		}
		*c = lower(*c);
	}
	return parse_port(url, port, err);
}

static int parse_authority(struct pf_url *url, const char *rest, struct pf_err *err)
{
	size_t n = strcspn(rest, "/");
	const char *at = NULL;
	const char *host = rest;

	for (const char *c = rest; c < rest + n; c++) {
		at = *c == '@' ? c : at;
	}
	if (at) {
		host = at + 1;
		if (parse_user(url, pf_span(rest, (size_t)(at - rest)), err) != PF_OK) {
			return PF_FAIL;
		}
	}
	if (parse_host(url, pf_span(host, n - (size_t)(host - rest)), err) != PF_OK) {
		return PF_FAIL;
	}
	return decode(pf_span_str(rest + n), &url->path, err);
}

static int parse(struct pf_url *url, const char *text, struct pf_err *err)
{
	const char *colon = strchr(text, ':');
	size_t n = colon ? (size_t)(colon - text) : 0;

	if (n == 0 || n >= sizeof(url->scheme)) {
		return bad(err,
			"it does not begin with a scheme; the form is imaps://USER@HOST/ or "
			"maildir:PATH");
	}
	for (size_t i = 0; i < n; i++) {
		url->scheme[i] = lower(text[i]);
	}
	if (colon[1] == '/' && colon[2] == '/') {
		return parse_authority(url, colon + 3, err);
	}
	if (is_server(url->scheme)) {
		return bad(err, "\"//\" is missing: the form is %s://USER@HOST/", url->scheme);
	}
	if (colon[1] == '\0') {
		return bad(err, "the path is missing: the form is %s:PATH", url->scheme);
	}
	url->path = strdup(colon + 1);
	return url->path ? PF_OK : pf_fail_memory(err, "a URL");
}

/* The text with what may be a password left out. */
static void show(const char *text, char *out, size_t size)
{
	const char *slashes = strstr(text, "://");
	const char *at = slashes ? strrchr(slashes, '@') : NULL;
	const char *colon = at ? memchr(slashes + 3, ':', (size_t)(at - slashes) - 3) : NULL;
	char shown[512];

	if (colon) {
		(void)snprintf(shown, sizeof(shown), "%.*s:***%s", (int)(colon - text), text, at);
	} else {
		(void)snprintf(shown, sizeof(shown), "%s", text);
	}
	pf_print_safe(out, size, pf_span_str(shown));
}

int pf_url_parse(struct pf_url *url, const char *text, struct pf_err *err)
{
	char shown[256];

	*url = (struct pf_url){0};
	if (parse(url, text, err) == PF_OK) {
		return PF_OK;
	}
	pf_url_deinit(url);
	show(text, shown, sizeof(shown));
	return pf_wrap(err, "URL \"%s\"", shown);
}

void pf_url_deinit(struct pf_url *url)
{
	free(url->user);
	free(url->host);
	free(url->path);
	*url = (struct pf_url){0};
}

static int add_encoded(struct pf_buf *out, const char *s, struct pf_err *err)
{
	for (; *s; s++) {
		bool plain = isalnum((unsigned char)*s) || strchr("-._~", *s);

		if (pf_buf_addf(out, err, plain ? "%c" : "%%%02X", (unsigned char)*s) != PF_OK) {
			return PF_FAIL;
		}
	}
	return PF_OK;
}

static int add_server(const struct pf_url *url, struct pf_buf *out, struct pf_err *err)
{
	const char *scheme = url->scheme;
	bool default_port = url->port == 0;

	for (size_t i = 0; i < PF_COUNT(SERVERS); i++) {
		if (strcmp(url->scheme, SERVERS[i].scheme) == 0) {
			scheme = SERVERS[i].plain;
			default_port = default_port || url->port == SERVERS[i].port;
		}
	}
	if (pf_buf_addf(out, err, "%s://", scheme) != PF_OK ||
		(url->user && (add_encoded(out, url->user, err) != PF_OK ||
				      pf_buf_add_str(out, "@", err) != PF_OK)) ||
		pf_buf_addf(out, err, strchr(url->host, ':') ? "[%s]" : "%s", url->host) != PF_OK ||
		(!default_port && pf_buf_addf(out, err, ":%d", url->port) != PF_OK)) {
		return PF_FAIL;
	}
	return pf_buf_add_str(out, url->path[0] ? url->path : "/", err);
}

int pf_url_identity(const struct pf_url *url, char **out, struct pf_err *err)
{
	struct pf_buf b;
	const char *s = NULL;
	char *real = NULL;
	int rc;

	pf_buf_init(&b, 65536);
	if (url->host) {
		rc = add_server(url, &b, err);
	} else { /* one directory has many names */
		real = realpath(url->path, NULL);
		rc = pf_buf_addf(&b, err, "%s:%s", url->scheme, real ? real : url->path);
		free(real);
	}
	if (rc == PF_OK) {
		rc = pf_buf_cstr(&b, &s, err);
	}
	*out = rc == PF_OK ? strdup(s) : NULL;
	pf_buf_deinit(&b);
	if (rc == PF_OK && !*out) {
		return pf_fail_memory(err, "a URL");
	}
	return rc;
}
