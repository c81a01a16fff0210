/*
 * From the URL to the home sets (RFC 6764 section 6, RFC 5397, RFC 4791 section 6.2.1, RFC 6352
 * section 7.1.1):
 *
 *   PLACES     the path that was given, the well-known one, "/": who says who we are?
 *   PRINCIPAL  it says where the collections are
 *   OPTIONS    what the server can do
 *   READY
 *
 * A path that is given and has collections in it, or is one, is taken as it is.
 */
#include "stores/dav/dav_private.h"

#include "base/utf8.h"

#include <stdio.h>
#include <stdlib.h>

/* ---- sign-in ---- */

/* The name to sign in with: {admin} and {user} in the form are replaced. */
static int login_name(const struct dstore *s, struct pf_buf *out, struct pf_err *err)
{
	const struct pf_store_cfg *cfg = s->h.cfg;
	const char *user = cfg->url->user ? cfg->url->user : "", *form = cfg->admin_form;

	if (!cfg->admin) {
		return pf_buf_add_str(out, user, err);
	}
	if (!form || strcmp(form, "proxyauth") == 0) {
		return pf_buf_add_str(out, cfg->admin, err);
	}
	while (*form) {
		bool admin = strncmp(form, "{admin}", 7) == 0,
		     who = strncmp(form, "{user}", 6) == 0;

		if ((admin && pf_buf_add_str(out, cfg->admin, err) != PF_OK) ||
			(who && pf_buf_add_str(out, user, err) != PF_OK) ||
			(!admin && !who && pf_buf_add(out, pf_span(form, 1), err) != PF_OK)) {
			return PF_FAIL;
		}
		form += admin ? 7 : who ? 6 : 1;
	}
	return PF_OK;
}

static int sign_in(struct dstore *s, struct pf_err *err)
{
	const char *name = "";
	struct pf_buf user;
	int rc;

	pf_buf_init(&user, 4096);
	rc = login_name(s, &user, err);
	rc = rc == PF_OK ? pf_buf_cstr(&user, &name, err) : rc;
	rc = rc == PF_OK ? pf_hs_sign_in(&s->h, name, &s->has_given, err) : rc;
	pf_buf_deinit(&user);
	return rc;
}

static int add_place(struct dstore *s, const char *path, struct pf_err *err)
{
	struct pf_buf *to = &s->place_path[s->places];
	struct pf_span segment;

	if (pf_buf_add_str(to, "/", err) != PF_OK) {
		return PF_FAIL;
	}
	while (*path) { /* of the URL, decoded already: encoded in our form */
		size_t n = strcspn(path, "/");

		segment = pf_span(path, n);
		if (n > 0 && (pf_dav_segment(segment, to, err) != PF_OK ||
				     pf_buf_add_str(to, "/", err) != PF_OK)) {
			return PF_FAIL;
		}
		path += n + (path[n] == '/');
	}
	s->places++;
	return PF_OK;
}

int dav_discover_begin(struct dstore *s, struct pf_err *err)
{
	bool given = strspn(s->h.cfg->url->path, "/") != strlen(s->h.cfg->url->path);
	int rc = sign_in(s, err);

	s->begun = true;
	if (rc == PF_OK && given && s->moves == 0) {
		s->given = true;
		rc = add_place(s, s->h.cfg->url->path, err);
	}
	if (rc == PF_OK) { /* it has no '/' at its end (RFC 6764 section 5) */
		rc = add_place(
			s, s->contacts ? "/.well-known/carddav" : "/.well-known/caldav", err);
		s->place_path[s->places - 1].n -= rc == PF_OK;
	}
	return rc == PF_OK ? add_place(s, "/", err) : rc;
}

/* ---- asking ---- */

static bool is_given(const struct dstore *s)
{
	return s->given && s->place == 0;
}

static int ask_who(struct dstore *s, struct pf_span path, struct pf_err *err)
{
	struct dcall *c = dcall_new(s, DCALL_WHO, NULL);
	bool within = s->stage == DSTAGE_PLACES && is_given(s);

	s->asking = true;
	return dcall_propfind(s, c, PF_DAV_ASK_WHO, path, within ? "1" : "0", err);
}

static int nowhere(struct dstore *s, struct pf_err *err)
{
	struct pf_err why;

	(void)err;
	(void)pf_fail(&why, PF_SCOPE_STORE, PF_RETRY_NO,
		"%s: no %s service is found there (%s): give the URL of the account as its server "
		"shows it",
		s->about, s->contacts ? "CardDAV" : "CalDAV",
		s->why_not[0] ? s->why_not : "no answer names its collections");
	dstore_lost(s, &why);
	return PF_OK;
}

int dav_discover_step(struct dstore *s, struct pf_err *err)
{
	if (s->asking || s->stage == DSTAGE_READY || s->h.lost || !dcall_room(&s->h)) {
		return PF_AGAIN;
	}
	switch (s->stage) {
	case DSTAGE_PLACES:
		return s->place < s->places ? ask_who(s, pf_buf_span(&s->place_path[s->place]), err)
					    : nowhere(s, err);
	case DSTAGE_PRINCIPAL:
		return ask_who(s, pf_buf_span(&s->principal), err);
	case DSTAGE_OPTIONS:
		s->asking = true;
		return dcall_send(s, dcall_new(s, DCALL_OPTIONS, NULL), "OPTIONS",
			pf_buf_span(&s->home[0]), NULL, err);
	case DSTAGE_READY:
		break;
	}
	return PF_AGAIN;
}

/* ---- answers ---- */

/* What the answer to one PROPFIND told. */
struct who {
	bool read, has_principal, has_within, is_one, is_folder;
	struct pf_buf principal, elsewhere;
};

static int take_homes(
	struct dstore *s, const struct pf_dav_response *r, struct who *w, struct pf_err *err)
{
	const struct pf_span *homes = s->contacts ? r->card_home : r->calendar_home;
	size_t n = s->contacts ? r->card_homes : r->calendar_homes;

	for (size_t i = 0; i < n && s->homes < PF_DAV_HOMES; i++) {
		if (dstore_href(s, homes[i], r->href, true, &s->home[s->homes])) {
			s->homes++;
		} else if (homes[i].n > 0) {
			pf_buf_clear(&w->elsewhere);
			if (pf_buf_add(&w->elsewhere, homes[i], err) != PF_OK) {
				return PF_FAIL;
			}
		}
	}
	return PF_OK;
}

static int take_who(struct dstore *s, const struct pf_dav_response *r, struct pf_span asked,
	struct who *w, struct pf_err *err)
{
	uint32_t wanted = s->contacts ? PF_DAV_ADDRESSBOOK : PF_DAV_CALENDAR;
	struct pf_buf href;
	bool self;

	pf_buf_init(&href, DAV_PATH_MAX);
	self = dstore_answered(s, r->href, asked, true, &href) &&
	       pf_span_eq(pf_buf_span(&href), asked);
	pf_buf_deinit(&href);
	if (!self && is_given(s) && s->stage == DSTAGE_PLACES && w->read) {
		w->has_within =
			w->has_within || ((r->type & wanted) && !(r->type & PF_DAV_UNWANTED));
		return PF_OK;
	}
	w->read = true;
	w->is_one = (r->type & wanted) && !(r->type & PF_DAV_UNWANTED);
	w->is_folder = (r->type & PF_DAV_COLLECTION) != 0;
	if (r->principal.p && dstore_href(s, r->principal, asked, true, &w->principal)) {
		w->has_principal = true;
	}
	return take_homes(s, r, w, err);
}

static int read_who(struct dstore *s, const struct dcall *c, const struct pf_http_answer *a,
	struct who *w, struct pf_err *err)
{
	struct pf_dav_multi *m = NULL;
	struct pf_dav_response r;
	struct pf_err why;
	int rc = pf_dav_multi_new(a->body, &m, &why);

	while (rc == PF_OK && (rc = pf_dav_multi_next(m, &r, &why)) == PF_OK) {
		rc = take_who(s, &r, pf_buf_span(&c->target), w, err);
		if (rc != PF_OK) {
			why = *err;
		}
	}
	pf_dav_multi_free(&m);
	if (rc == PF_FAIL && why.scope > PF_SCOPE_ITEM) {
		*err = why;
		return PF_FAIL;
	}
	if (rc == PF_FAIL) {
		(void)snprintf(s->why_not, sizeof(s->why_not), "%.390s", why.text);
	}
	return PF_OK;
}

static int take_path(struct pf_buf *to, struct pf_span path, struct pf_err *err)
{
	pf_buf_clear(to);
	return pf_buf_add(to, path, err);
}

/* The collection itself was given, or a folder with collections in it. */
static int take_given(
	struct dstore *s, const struct who *w, struct pf_span path, struct pf_err *err)
{
	s->stage = DSTAGE_OPTIONS;
	for (size_t i = 0; i < s->homes; i++) {
		pf_buf_clear(&s->home[i]);
	}
	s->homes = 1;
	if (w->is_one && take_path(&s->only, path, err) != PF_OK) {
		return PF_FAIL;
	}
	return take_path(&s->home[0], w->is_one ? pf_dav_parent(path) : path, err);
}

/* A server that asks nobody for a password takes everybody for a stranger. */
static int insist(struct dstore *s)
{
	s->insisted = true;
	s->place = 0;
	s->stage = DSTAGE_PLACES;
	pf_http_insist(s->h.http);
	return PF_OK;
}

static int next_place(struct dstore *s, const struct who *w)
{
	struct pf_err why;

	if (w->elsewhere.n > 0 && dav_locate_follow(s, pf_buf_span(&w->elsewhere), true)) {
		return PF_OK;
	}
	if (w->elsewhere.n > 0) {
		(void)dav_fail_elsewhere(s, PF_SCOPE_STORE, pf_buf_span(&w->elsewhere), &why);
		dstore_lost(s, &why);
		return PF_OK;
	}
	s->stage = DSTAGE_PLACES;
	if (++s->place == s->places && !s->insisted && s->has_given && !s->h.cfg->secret->oauth &&
		!pf_http_was_asked(s->h.http)) {
		return insist(s);
	}
	return PF_OK;
}

static int answer_who(
	struct dstore *s, const struct dcall *c, const struct who *w, struct pf_err *err)
{
	struct pf_span path = pf_buf_span(&c->target);

	if (s->stage == DSTAGE_PLACES && is_given(s) && (w->is_one || w->has_within)) {
		return take_given(s, w, path, err);
	}
	if (s->h.cfg->admin && !(s->stage == DSTAGE_PLACES && is_given(s) && s->homes > 0)) {
		struct pf_err why;

		(void)pf_fail(&why, PF_SCOPE_STORE, PF_RETRY_NO,
			"%s: to sign in as %s on behalf of another, give the path of that one's "
			"collections in the URL",
			s->about, s->h.cfg->admin);
		dstore_lost(s, &why);
		return PF_OK;
	}
	if (s->homes > 0) {
		s->stage = DSTAGE_OPTIONS;
		return PF_OK;
	}
	if (s->stage == DSTAGE_PLACES && w->has_principal) {
		s->stage = DSTAGE_PRINCIPAL;
		return take_path(&s->principal, pf_buf_span(&w->principal), err);
	}
	if (s->stage == DSTAGE_PLACES && is_given(s) && w->is_folder && !w->has_principal) {
		return take_given(s, w, path, err);
	}
	return next_place(s, w);
}

/* What servers call themselves and can do, from any answer. */
static void keep_words(struct dstore *s, const struct pf_http_answer *a)
{
	if (a->dav.n > 0) {
		(void)snprintf(s->dav, sizeof(s->dav), "%.*s",
			(int)(a->dav.n < 511 ? a->dav.n : 511), (const char *)a->dav.p);
	}
	if (a->server.n > 0) {
		pf_print_safe(s->server, sizeof(s->server), a->server);
	}
}

/* That it sent us elsewhere tells more than what came of the next place. */
static void say_why_not(struct dstore *s, const struct dcall *c, const struct pf_dav_said *said)
{
	char path[120];

	if (s->sent_away) {
		return;
	}
	pf_print_safe(path, sizeof(path), pf_buf_span(&c->target));
	(void)snprintf(s->why_not, sizeof(s->why_not), "%s: %.250s", path,
		said->text[0] ? said->text : "no multistatus");
}

int dav_discover_answer(struct dstore *s, struct dcall *c, const struct pf_http_answer *a,
	const struct pf_dav_said *said, struct pf_err *err)
{
	struct who w = {0};
	int rc = PF_OK;

	s->asking = false;
	keep_words(s, a);
	if (c->kind == DCALL_OPTIONS) {
		dav_quirks_learn(s);
		s->stage = DSTAGE_READY;
		s->h.ready = true;
		return PF_OK;
	}
	pf_buf_init(&w.principal, DAV_PATH_MAX);
	pf_buf_init(&w.elsewhere, DAV_PATH_MAX);
	if (said->answer == PF_DAV_REDIRECT && a->location.p &&
		dav_locate_follow(s, a->location, false)) {
		rc = PF_OK;
	} else if (said->answer == PF_DAV_REDIRECT) {
		s->sent_away = true;
		(void)snprintf(s->why_not, sizeof(s->why_not), "%.390s", said->text);
		rc = next_place(s, &w);
	} else if (a->status != 207) {
		say_why_not(s, c, said);
		rc = next_place(s, &w);
	} else {
		rc = read_who(s, c, a, &w, err);
		rc = rc == PF_OK ? answer_who(s, c, &w, err) : rc;
	}
	pf_buf_deinit(&w.principal);
	pf_buf_deinit(&w.elsewhere);
	return rc;
}
