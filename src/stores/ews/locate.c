/*
 * Where the service is, when it is not at the URL's host: Autodiscover ([MS-OXDISCO] section 3.1.5)
 * at that host, at the address's domain, at "autodiscover." before it, and where the domain's SRV
 * record says. Begun only when nothing was found at the usual path, and the URL names no other.
 *
 * The password goes to another origin than the URL's only when the administrator named that one
 * (--trust-host); else the error says what to name. Nothing is asked without TLS of a server that
 * was to be asked with it, so the step that [MS-OXDISCO] has for that is left out.
 */
#include "stores/ews/ews_private.h"

#include "base/utf8.h"
#include "proto/ews/discover.h"

#include <stdio.h>

enum { MOVES_MAX = 10 };

/* The candidates, in the order in which they are asked. */
enum { AT_HOST, AT_DOMAIN, AT_AUTODISCOVER, AT_SRV };

/* ---- moving ---- */

static void say_once(struct ewhere *w, const char *fmt, ...) PF_PRINTF(2, 3);

/* For the error, when nothing else is found. */
static void say_once(struct ewhere *w, const char *fmt, ...)
{
	va_list ap;

	if (w->says[0]) {
		return;
	}
	va_start(ap, fmt);
	(void)vsnprintf(w->says, sizeof(w->says), fmt, ap);
	va_end(ap);
}

static void host_port(const struct pf_origin *o, char *out, size_t size)
{
	bool usual = o->port == (o->https ? 443 : 80);

	(void)snprintf(out, size, usual ? "%.250s" : "%.250s:%d", o->host, o->port);
}

/* Begin anew at `to`, with Autodiscover or the service itself; false: we may not go there. */
static bool go(struct estore *s, const struct pf_origin *to, bool discover, const char *path)
{
	struct ewhere *w = &s->where;
	bool here = pf_origin_same(to, &w->origin);

	if ((!here && !pf_hs_may_go(&s->h, w->origin.https, to)) || w->moves == MOVES_MAX ||
		strlen(path) >= sizeof(s->target) || strpbrk(path, " \r\n")) {
		return false;
	}
	w->moves++;
	w->discovers = discover;
	(void)snprintf(s->target, sizeof(s->target), "%s", path);
	if (!here) {
		w->moving = true;
		(void)snprintf(w->host, sizeof(w->host), "%s", to->host);
		w->origin = (struct pf_origin){w->host, to->port, to->https};
		(void)snprintf(s->about, sizeof(s->about), "%.150s port %d", w->host, to->port);
	}
	s->asking = false;
	s->h.losses = 0;
	s->h.quiet_until_ms = 0;
	return true;
}

/* `url` of an answer. PF_OK: it is gone to. PF_END: we may not, or it is none; it was said. */
static int follow(struct estore *s, struct pf_span url, bool discover)
{
	struct pf_origin to = {.host = NULL};
	char host[256], named[300], shown[200], path[300] = "/";
	struct pf_span rest = url;
	const char *who = s->where.discovers ? "Autodiscover" : "the server";

	pf_print_safe(shown, sizeof(shown), url);
	if (!pf_origin_of(url, s->where.origin.https, host, sizeof(host), &to)) {
		say_once(&s->where, "; %s says that it is at %s", who, shown);
		return PF_END;
	}
	while (rest.n > 1 && !(rest.p[0] == '/' && rest.p[1] == '/')) {
		rest = pf_span_from(rest, 1);
	}
	rest = rest.n > 1 ? pf_span_from(rest, 2) : rest;
	rest = pf_span_from(rest, pf_origin_length(rest));
	if (rest.n > 0 && rest.p[0] == '/') {
		(void)snprintf(path, sizeof(path), "%.*s", (int)(rest.n < 299 ? rest.n : 299),
			(const char *)rest.p);
	}
	if (go(s, &to, discover, path)) {
		return PF_OK;
	}
	host_port(&to, named, sizeof(named));
	s->where.says[0] = '\0'; /* what was guessed before counts no more */
	say_once(&s->where,
		"; %s says that it is at %s. The password does not go there unasked: if "
		"that is right, say --trust-host %s, or give that server in the URL",
		who, shown, named);
	return PF_END;
}

bool ews_sent_on(struct estore *s, struct pf_span location)
{
	const struct pf_origin here = s->where.origin;
	char path[300];

	if (location.n > 1 && location.p[0] == '/' && location.p[1] != '/') {
		(void)snprintf(path, sizeof(path), "%.*s",
			(int)(location.n < 299 ? location.n : 299), (const char *)location.p);
		return go(s, &here, false, path);
	}
	return !s->h.ready && location.n > 0 && follow(s, location, false) == PF_OK;
}

bool ews_unprotected(struct estore *s)
{
	struct ewhere *w = &s->where;

	if (s->h.ready || w->begun || w->moves > 0 || !w->origin.https ||
		!s->h.cfg->allow_plaintext || strcmp(s->h.cfg->url->scheme, "ews") != 0) {
		return false;
	}
	w->origin.https = false;
	w->moving = true;
	s->asking = false;
	return true;
}

/* ---- candidates ---- */

/* The mail address whose mailbox is meant; false: the URL tells none. */
static bool set_address(struct estore *s, struct pf_span address)
{
	struct ewhere *w = &s->where;
	const char *at;

	if (address.n == 0 || address.n >= sizeof(w->address) ||
		memchr(address.p, '\0', address.n)) {
		return false;
	}
	(void)snprintf(
		w->address, sizeof(w->address), "%.*s", (int)address.n, (const char *)address.p);
	at = strrchr(w->address, '@');
	if (!at || strlen(at + 1) >= sizeof(w->domain) || strpbrk(at, "/: \r\n")) {
		return false;
	}
	(void)snprintf(w->domain, sizeof(w->domain), "%s", at + 1);
	return w->domain[0] != '\0';
}

static bool begin(struct estore *s)
{
	const struct pf_url *url = s->h.cfg->url;
	char address[320];

	if (strspn(url->path, "/") != strlen(url->path) || !url->user) {
		return false;
	}
	(void)snprintf(address, sizeof(address), strchr(url->user, '@') ? "%.300s" : "%.60s@%.250s",
		url->user, url->host);
	return set_address(s, pf_span_str(address));
}

/* At the host itself: other than there, only a name can be asked for. */
static bool is_name(const char *domain)
{
	return strchr(domain, '.') && strspn(domain, "0123456789.") != strlen(domain);
}

static bool ask_at(struct estore *s, const char *prefix)
{
	struct ewhere *w = &s->where;
	struct pf_origin to = {.port = w->origin.https ? 443 : 80, .https = w->origin.https};
	char host[256], named[300];

	(void)snprintf(host, sizeof(host), "%s%.240s", prefix, w->domain);
	for (char *c = host; *c; c++) {
		*c = (char)pf_ascii_lower((uint8_t)*c);
	}
	to.host = host;
	if (!is_name(w->domain) || (pf_origin_same(&to, &w->origin) && w->next == AT_DOMAIN)) {
		return false;
	}
	if (go(s, &to, true, PF_EWS_DISCOVER_PATH)) {
		return true;
	}
	if (prefix[0]) {
		host_port(&to, named, sizeof(named));
		say_once(w,
			"; Autodiscover of a domain mostly is at %s. The password does not go "
			"there unasked: if that is right, say --trust-host %s",
			named, named);
	}
	return false;
}

static bool next_server(struct estore *s)
{
	struct ewhere *w = &s->where;

	while (w->dns_at < w->dns_found.n) {
		const struct pf_dns_server *r = &w->dns_found.at[w->dns_at++];
		const struct pf_origin to = {r->host, r->port, true};
		char named[300];

		if (go(s, &to, true, PF_EWS_DISCOVER_PATH)) {
			return true;
		}
		host_port(&to, named, sizeof(named));
		w->says[0] = '\0'; /* this is the domain's own word */
		say_once(w,
			"; the name service says that Autodiscover is at %s. The password does not "
			"go there unasked: if that is right, say --trust-host %s",
			named, named);
	}
	return false;
}

/* PF_OK: under way. PF_AGAIN: the name service is asked. PF_END: there is none left. */
static int next_place(struct estore *s)
{
	struct ewhere *w = &s->where;
	struct pf_err ignored; /* no memory, or no thread: then it is not found there */
	char name[300];

	for (; w->next < AT_SRV; w->next++) {
		const struct pf_origin here = w->origin;
		bool done = w->next == AT_HOST
				    ? w->reached && go(s, &here, true, PF_EWS_DISCOVER_PATH)
			    : w->next == AT_DOMAIN ? ask_at(s, "")
						   : ask_at(s, "autodiscover.");

		if (done) {
			w->next++;
			return PF_OK;
		}
	}
	if (!is_name(w->domain)) {
		return PF_END;
	}
	if (!w->dns_asked) {
		w->dns_asked = true;
		(void)snprintf(name, sizeof(name), "_autodiscover._tcp.%.250s", w->domain);
		if (pf_dns_ask(s->h.loop, name, s->h.cfg->dns_server, &w->dns, &ignored) == PF_OK) {
			return PF_AGAIN;
		}
	}
	return next_server(s) ? PF_OK : PF_END;
}

/* Nothing of ours is anywhere. */
static void nowhere(struct estore *s)
{
	struct pf_err why = s->where.why;
	size_t n = strlen(why.text);

	(void)snprintf(why.text + n, sizeof(why.text) - n, "%s", s->where.says);
	pf_hs_lost(&s->h, &why);
}

bool ews_locate(struct estore *s, const struct pf_err *why, bool reached)
{
	struct ewhere *w = &s->where;

	if (s->h.ready || (!w->begun && !begin(s))) {
		return false;
	}
	if (!w->begun) {
		w->begun = true;
		w->why = *why;
		w->reached = reached;
	} else if (!w->discovers) {
		return false; /* it was found, and is not there */
	} else {
		say_once(w, "; Autodiscover at %s: %.300s", s->about, why->text);
	}
	s->asking = false;
	if (next_place(s) == PF_END) {
		nowhere(s);
	}
	return true;
}

int ews_locate_step(struct estore *s, struct pf_err *err)
{
	struct ewhere *w = &s->where;

	if (w->dns) {
		if (!pf_dns_take(w->dns, &w->dns_found)) {
			return PF_AGAIN;
		}
		pf_dns_free(&w->dns);
		if (!next_server(s)) {
			nowhere(s);
			return PF_OK;
		}
	}
	if (w->moving) { /* what it answered was read */
		w->moving = false;
		s->begun = false;
		return pf_hs_connect(
			&s->h, w->origin.host, w->origin.port, w->origin.https, "ews", err);
	}
	return PF_OK;
}

/* ---- asking ---- */

int ews_locate_ask(struct estore *s, struct pf_err *err)
{
	struct pf_buf text;

	pf_buf_init(&text, EWS_TEXT_MAX);
	if (pf_ews_discover_request(pf_span_str(s->where.address), &text, err) != PF_OK) {
		pf_buf_deinit(&text);
		return PF_FAIL;
	}
	s->asking = true;
	return ecall_send(s, ecall_new(s, ECALL_WHERE, NULL), NULL, &text, err);
}

static int take_answer(struct estore *s, const struct pf_http_answer *a, struct pf_err *why)
{
	struct pf_ews_place place;
	struct pf_arena arena;
	struct pf_err err;
	int rc;

	pf_arena_init(&arena);
	rc = pf_ews_discover_read(a->body, &arena, &place, &err);
	if (rc != PF_OK) {
		*why = err;
	} else if (place.found == PF_EWS_FOUND_NOTHING) {
		(void)pf_fail(why, PF_SCOPE_STORE, PF_RETRY_NO, "%s", place.text);
		rc = PF_END;
	} else if (place.found == PF_EWS_FOUND_ADDRESS) {
		rc = PF_END;
		if (++s->where.moves < MOVES_MAX && set_address(s, place.value)) {
			s->where.next = AT_HOST; /* it may know that one as well */
			s->where.dns_asked = false;
			s->where.dns_at = s->where.dns_found.n = 0;
		}
		(void)pf_fail(why, PF_SCOPE_STORE, PF_RETRY_NO, "it sends us on to %.200s",
			s->where.address);
	} else {
		rc = follow(s, place.value, place.found == PF_EWS_FOUND_PLACE);
		(void)pf_fail(why, PF_SCOPE_STORE, PF_RETRY_NO, "it is elsewhere");
	}
	pf_arena_deinit(&arena);
	return rc;
}

int ews_locate_answer(struct estore *s, const struct pf_http_answer *a, struct pf_err *err)
{
	struct pf_err why;
	int rc = PF_END;

	s->asking = false;
	if (a->status == 429 || a->status == 503) {
		pf_hs_be_patient(&s->h, (int64_t)a->retry_after_s * 1000, "Autodiscover");
		return PF_OK;
	}
	if (a->status == 200) {
		rc = take_answer(s, a, &why);
	} else if (a->status >= 300 && a->status < 400 && a->location.p) {
		rc = follow(s, a->location, true);
		(void)pf_fail(&why, PF_SCOPE_STORE, PF_RETRY_NO, "HTTP %d", a->status);
	} else {
		(void)pf_fail(&why, PF_SCOPE_STORE, PF_RETRY_NO,
			a->status == 401 ? "HTTP %d: sign-in is refused" : "HTTP %d", a->status);
	}
	if (rc == PF_FAIL) {
		*err = why;
		return PF_FAIL;
	}
	if (rc == PF_END) {
		(void)ews_locate(s, &why, true);
	}
	return PF_OK;
}
