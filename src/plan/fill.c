#include "plan/plan_private.h"

#include "base/nearest.h"
#include "model/url.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>

/* ---- templates ---- */

/* The next {name}: its beginning, its name; NULL: none is left. */
static const char *next_field(const char *s, struct pf_span *name, size_t *length)
{
	for (; (s = strchr(s, '{')) != NULL; s++) {
		size_t n = strcspn(s + 1, "{}");

		if (s[1 + n] == '}') {
			*name = pf_span(s + 1, n);
			*length = n + 2;
			return s;
		}
	}
	return NULL;
}

static const char *value_of(const struct reader *r, struct pf_span name)
{
	for (size_t i = 0; i < r->fields.n; i++) {
		if (pf_span_is(name, r->fields.name[i])) {
			return r->fields.value[i];
		}
	}
	return NULL;
}

bool plan_template_ok(struct reader *r, const char *template, const char *what)
{
	struct pf_span name;
	size_t length;
	bool ok = true;

	for (const char *s = template; (s = next_field(s, &name, &length)) != NULL; s += length) {
		char word[64];
		const char *near;

		if (value_of(r, name)) {
			continue;
		}
		(void)snprintf(word, sizeof(word), "%.*s", (int)name.n, (const char *)name.p);
		near = pf_nearest(word, r->fields.name, r->fields.n);
		plan_problem_at(r->plan, 0, 0, what,
			"the accounts have no field {%s}%s%s%s; fields are the columns of %s, and "
			"{user}, {address}, {local}, {domain} where these tell them",
			word, near ? "; did you mean {" : "", near ? near : "", near ? "}?" : "",
			r->plan->accounts);
		ok = false;
	}
	return ok;
}

static int put(struct pf_buf *b, const char *s, bool encode, struct pf_err *err)
{
	int rc = PF_OK;

	for (; *s && rc == PF_OK; s++) {
		bool plain = !encode || isalnum((unsigned char)*s) || strchr("-._~", *s);

		rc = pf_buf_addf(b, err, plain ? "%c" : "%%%02X", (unsigned char)*s);
	}
	return rc;
}

char *plan_fill(struct reader *r, const char *template, bool encode, struct pf_err *err)
{
	const char *from = template, *s;
	struct pf_span name;
	struct pf_buf b;
	char *out = NULL;
	size_t length;
	int rc = PF_OK;

	pf_buf_init(&b, 65536);
	while (rc == PF_OK && (s = next_field(from, &name, &length)) != NULL) {
		const char *value = value_of(r, name);

		rc = pf_buf_add(&b, pf_span(from, (size_t)(s - from)), err);
		rc = rc == PF_OK ? put(&b, value ? value : "", encode, err) : rc;
		from = s + length;
	}
	if (rc == PF_OK && pf_buf_add_str(&b, from, err) == PF_OK) {
		out = plan_str(r->plan, pf_buf_span(&b), err);
	}
	pf_buf_deinit(&b);
	return out;
}

/* ---- servers ---- */

static size_t find_server(const struct pf_plan *p, const struct pf_url *url)
{
	for (size_t i = 0; url->host && i < p->server_n; i++) {
		const struct pf_plan_server *s = &p->servers[i];

		if (strcasecmp(url->host, s->name) == 0 ||
			(s->host && strcasecmp(url->host, s->host) == 0 &&
				(s->port == 0 || url->port == 0 || (size_t)url->port == s->port))) {
			return i;
		}
	}
	return PF_PLAN_NO_SERVER;
}

/* The URL with the server's own host, port and kind of TLS. */
static const char *with_server(struct reader *r, const struct pf_plan_server *s,
	const struct pf_url *url, const char *text, struct pf_err *err)
{
	const char *authority = strstr(text, "://") + 3;
	size_t n = strcspn(authority, "/"), user = 0;
	const char *host = s->host ? s->host : url->host;
	struct pf_buf b;
	char *out = NULL;
	size_t port = url->port ? (size_t)url->port : s->port;
	bool add_s = s->tls == PF_PLAN_TLS_IMPLICIT && url->scheme[strlen(url->scheme) - 1] != 's';

	for (size_t i = 0; i < n; i++) {
		user = authority[i] == '@' ? i + 1 : user;
	}
	pf_buf_init(&b, 65536);
	if (pf_buf_addf(&b, err, "%s%s://%.*s", url->scheme, add_s ? "s" : "", (int)user,
		    authority) == PF_OK &&
		pf_buf_addf(&b, err, strchr(host, ':') ? "[%s]" : "%s", host) == PF_OK &&
		(port == 0 || pf_buf_addf(&b, err, ":%zu", port) == PF_OK) &&
		pf_buf_add_str(&b, authority + n, err) == PF_OK) {
		out = plan_str(r->plan, pf_buf_span(&b), err);
	}
	pf_buf_deinit(&b);
	return out;
}

/* ---- a side ---- */

static bool url_ok(struct reader *r, const struct pf_url *url, const struct pf_plan_server *server,
	const struct plan_place *at)
{
	char all[200] = "";
	size_t n = 0;

	if (!plan_scheme(r, url->scheme)) {
		for (const struct pf_scheme *s = r->cfg->schemes; s->name && n < sizeof(all); s++) {
			n += (size_t)snprintf(
				all + n, sizeof(all) - n, "%s%s", n > 0 ? ", " : "", s->name);
		}
		plan_problem_at(r->plan, at->row, at->column, at->name,
			"this version knows no scheme \"%s\"; it knows %s", url->scheme, all);
		return false;
	}
	if (url->host && !url->user) {
		plan_problem_at(r->plan, at->row, at->column, at->name,
			"the URL names no user: the form is %s://USER@HOST/", url->scheme);
		return false;
	}
	if (server && server->tls == PF_PLAN_TLS_STARTTLS &&
		url->scheme[strlen(url->scheme) - 1] == 's') {
		plan_problem_at(r->plan, at->row, at->column, at->name,
			"the URL asks for TLS at once (%s), and the plan's server %s for starttls: "
			"make them agree",
			url->scheme, server->name);
		return false;
	}
	return true;
}

/* What a row leaves open comes from the plan's server, then from what is said for all. */
static int inherit(struct reader *r, struct pf_plan_side *s, const struct pf_plan_server *server,
	size_t side, struct pf_err *err)
{
	const char *secret = server && server->secret ? server->secret : r->secret[side];

	if (!s->admin && server) {
		s->admin = server->admin;
	}
	if (!s->secret && !s->password.p && secret) {
		s->secret = plan_fill(r, secret, false, err);
		return s->secret ? PF_OK : PF_FAIL;
	}
	return PF_OK;
}

static bool secret_ok(
	struct reader *r, const struct pf_plan_side *s, const struct pf_url *url, size_t side)
{
	return !url->host || !r->cfg->path || s->secret || s->password.p ||
	       (side == 0 ? r->cfg->source_has_secret : r->cfg->target_has_secret);
}

static void tell_no_secret(
	struct reader *r, const struct pf_plan_side *s, size_t side, const struct plan_place *at)
{
	bool from = side == 0;

	plan_problem_at(r->plan, at->row, at->column, at->name,
		"no password for %s: give %s_secret in the file or the plan, --%s-secret, or the "
		"environment variable POSTFERRY_%s_PASSWORD",
		s->identity, from ? "from" : "to", from ? "from" : "to", from ? "FROM" : "TO");
}

static int put_identity(
	struct reader *r, struct pf_plan_side *s, const struct pf_url *url, struct pf_err *err)
{
	char *identity = NULL;

	if (pf_url_identity(url, &identity, err) != PF_OK) {
		return PF_FAIL;
	}
	s->identity = plan_str(r->plan, pf_span_str(identity), err);
	free(identity);
	return s->identity ? PF_OK : PF_FAIL;
}

/* All of a store that is not its scheme's business. */
static int fill_side(struct reader *r, struct pf_plan_side *s, struct pf_url *url, size_t side,
	const struct plan_place *at, struct pf_err *err)
{
	const struct pf_plan_server *server;

	s->server = find_server(r->plan, url);
	server = s->server == PF_PLAN_NO_SERVER ? NULL : &r->plan->servers[s->server];
	if (!url_ok(r, url, server, at)) {
		return PF_END;
	}
	if (server) {
		s->url = with_server(r, server, url, s->url, err);
		pf_url_deinit(url);
		if (!s->url || pf_url_parse(url, s->url, err) != PF_OK) {
			return PF_FAIL;
		}
	}
	if (inherit(r, s, server, side, err) != PF_OK || put_identity(r, s, url, err) != PF_OK) {
		return PF_FAIL;
	}
	if (!secret_ok(r, s, url, side)) {
		tell_no_secret(r, s, side, at);
	}
	return PF_OK;
}

const char *plan_next_url(const char *text)
{
	static const char SCHEME[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";

	for (const char *s = strpbrk(text, " \t"); s; s = strpbrk(s, " \t")) {
		size_t n;

		s += strspn(s, " \t");
		n = strspn(s, SCHEME);
		if (n > 1 && s[n] == ':') {
			return s;
		}
	}
	return NULL;
}

int plan_finish_side(struct reader *r, const struct pf_plan_side *given, size_t side,
	const struct plan_place *at, struct plan_stores *stores, struct pf_err *err)
{
	struct pf_plan_side s = *given;
	struct pf_url url;
	struct pf_err why;
	int rc;

	if (pf_url_parse(&url, s.url, &why) != PF_OK) {
		plan_problem_at(r->plan, at->row, at->column, at->name, "%s", why.text);
		return PF_OK;
	}
	rc = fill_side(r, &s, &url, side, at, err);
	if (rc == PF_OK) {
		const struct plan_store in = {&s, plan_scheme(r, url.scheme), url.path, side, at};

		rc = plan_add_store(r, &in, stores, err);
	}
	pf_url_deinit(&url);
	return rc == PF_END ? PF_OK : rc; /* the problem was told */
}
