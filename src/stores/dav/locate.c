/*
 * Which server it is: the one of the URL, or one that the domain's SRV records name (RFC 6764
 * section 3), or that the server sends us to. The password goes to another origin than the URL's
 * only when the administrator named that one (--trust-host); else the error says what to name.
 */
#include "stores/dav/dav_private.h"

#include "base/utf8.h"

#include <stdio.h>
#include <stdlib.h>

static void set_origin(struct dstore *s, const struct pf_origin *to)
{
	(void)snprintf(s->host, sizeof(s->host), "%s", to->host);
	s->origin = (struct pf_origin){s->host, to->port, to->https};
	(void)snprintf(s->about, sizeof(s->about), "%.150s port %d", s->host, to->port);
}

/* Begin anew there; its answer is still being read, so the old client goes later. */
static void move(struct dstore *s, const struct pf_origin *to)
{
	set_origin(s, to);
	s->moving = true;
	s->stage = DSTAGE_PLACES;
	s->given = false;
	s->insisted = false;
	s->sent_away = false;
	for (size_t i = 0; i < s->places; i++) {
		pf_buf_clear(&s->place_path[i]);
	}
	for (size_t i = 0; i < s->homes; i++) {
		pf_buf_clear(&s->home[i]);
	}
	s->place = s->places = s->homes = 0;
}

bool dav_locate_follow(struct dstore *s, struct pf_span href, bool home)
{
	struct pf_origin to = {.host = NULL};
	struct pf_buf *start = &s->place_path[0];
	enum pf_dav_where where = PF_DAV_NOWHERE;
	struct pf_err ignored; /* a path longer than any: then we stay */
	char host[256];

	if (s->stage == DSTAGE_READY || s->moves == DAV_REDIRECTS ||
		!pf_origin_of(href, s->origin.https, host, sizeof(host), &to) ||
		!pf_hs_may_go(&s->h, s->origin.https, &to)) {
		return false;
	}
	s->moves++;
	move(s, &to);
	if (pf_dav_href(href, pf_span_str("/"), &s->origin, true, start, &where, &ignored) ==
			PF_OK &&
		where == PF_DAV_HERE) {
		s->places = 1;
		s->given = home;
	}
	return true;
}

/* ---- the domain's own word ---- */

/* A domain, and nothing that says more of where the account is. */
static bool is_domain(const struct pf_url *url)
{
	const char *dot = strchr(url->host, '.');
	size_t n = strlen(url->host);

	return url->port == 0 && strspn(url->path, "/") == strlen(url->path) && dot &&
	       !strchr(url->host, ':') && strspn(url->host, "0123456789.") != n;
}

static int ask(struct dstore *s, struct pf_err *err)
{
	char name[300];

	(void)snprintf(name, sizeof(name), "_%s%s._tcp.%.255s", s->contacts ? "carddav" : "caldav",
		s->dns_plain ? "" : "s", s->h.cfg->url->host);
	return pf_dns_ask(s->h.loop, name, s->h.cfg->dns_server, &s->dns, err);
}

/* For the error, when nothing else is found. */
static void say_found(struct dstore *s, const struct pf_origin *to)
{
	(void)snprintf(s->dns_says, sizeof(s->dns_says),
		"; the name service says that it is at %.200s:%d. The password does not go there "
		"unasked: if that is right, say --trust-host %.200s:%d",
		to->host, to->port, to->host, to->port);
}

/* The context that the TXT record names is the first place to ask. */
static void take_path(struct dstore *s)
{
	enum pf_dav_where where = PF_DAV_NOWHERE;
	struct pf_err ignored; /* longer than any path: then it is not asked */

	if (s->dns_found.path[0] &&
		pf_dav_href(pf_span_str(s->dns_found.path), pf_span_str("/"), &s->origin, true,
			&s->place_path[0], &where, &ignored) == PF_OK &&
		where == PF_DAV_HERE) {
		s->places = 1;
	}
}

bool dav_locate_next(struct dstore *s)
{
	while (s->dns_at < s->dns_found.n) {
		const struct pf_dns_server *r = &s->dns_found.at[s->dns_at++];
		const struct pf_origin to = {r->host, r->port, !s->dns_plain};

		if (pf_origin_same(&to, &s->origin) && !s->begun) {
			take_path(s);
			return true;
		}
		if (pf_hs_may_go(&s->h, s->origin.https, &to)) {
			move(s, &to);
			take_path(s);
			return true;
		}
		if (!s->dns_says[0]) {
			say_found(s, &to);
		}
	}
	return false;
}

int dav_locate_step(struct dstore *s, struct pf_err *err)
{
	bool plain_too = !s->origin.https && s->h.cfg->allow_plaintext;

	if (s->located || !is_domain(s->h.cfg->url)) {
		s->located = true;
		return PF_OK;
	}
	if (!s->dns) {
		return ask(s, err) == PF_OK ? PF_AGAIN : PF_FAIL;
	}
	if (!pf_dns_take(s->dns, &s->dns_found)) {
		return PF_AGAIN;
	}
	pf_dns_free(&s->dns);
	if (s->dns_found.n == 0 && plain_too && !s->dns_plain) {
		s->dns_plain = true;
		return ask(s, err) == PF_OK ? PF_AGAIN : PF_FAIL;
	}
	s->located = true;
	if (s->dns_found.none && s->dns_found.n == 0) {
		(void)snprintf(s->dns_says, sizeof(s->dns_says),
			"; the name service says that %.200s has no such service",
			s->h.cfg->url->host);
	}
	(void)dav_locate_next(s); /* none: it may be at the domain itself */
	return PF_OK;
}
