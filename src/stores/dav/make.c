/*
 * Making collections: MKCALENDAR (RFC 4791 section 5.3.1), else extended MKCOL (RFC 5689). What a
 * server does not take at once is said again with less in it, the rest by PROPPATCH; each request
 * is made once, and what came of a refused one is looked at, as some servers refuse and make all
 * the same (Xandikos 0.2.8: 500 for a '%' in the name).
 *
 *   NEW -> CHECK (whether it has its name), or LOOK -> NEW (another name, another method, less at
 * once)
 *                        -> PATCH (one property after the other) -> the end
 */
#include "stores/dav/dav_private.h"

#include "base/utf8.h"

#include <ctype.h>
#include <stdio.h>

enum { SLUG_MAX = 40, VARIANTS = 4, PLAINEST = 2, COLOUR_MAX = 64 };
/* What is said by itself, in this order. */
enum { PATCH_NAME, PATCH_COLOUR, PATCH_DESCRIPTION, PATCH_TIMEZONE, PATCH_ORDER, PATCHES };

/* A name that everybody can have in a URL; one that had to be changed ends in a digest of it. */
static int slug(const struct dop *o, struct pf_buf *out, struct pf_err *err)
{
	struct pf_span bytes = pf_path_bytes(dop_op(o)->mkfolder.path);
	const char *leaf = pf_path_leaf(dop_op(o)->mkfolder.path);
	uint32_t hash = 2166136261u;
	char text[SLUG_MAX + 1];
	size_t n = 0;
	bool changed = pf_path_depth(dop_op(o)->mkfolder.path) > 1;

	for (size_t i = 0; i < bytes.n; i++) {
		hash = (hash ^ bytes.p[i]) * 16777619u;
	}
	for (; *leaf && n < SLUG_MAX; leaf++) {
		bool plain = isascii(*leaf) &&
			     (isalnum((unsigned char)*leaf) || *leaf == '-' || *leaf == '_');

		changed = changed || !plain;
		if (plain || (n > 0 && text[n - 1] != '-')) {
			text[n++] = plain ? *leaf : '-';
		}
	}
	text[n] = '\0';
	if (pf_buf_addf(out, err, "%s", n > 0 ? text : "c") != PF_OK ||
		((changed || *leaf) && pf_buf_addf(out, err, "-%08x", hash) != PF_OK)) {
		return PF_FAIL;
	}
	return o->variant > 0 ? pf_buf_addf(out, err, "-%u", o->variant + 1) : PF_OK;
}

/* Into o->h.end.id. */
static int make_url(struct dstore *s, struct dop *o, struct pf_err *err)
{
	pf_buf_clear(&o->h.end.id);
	if (pf_buf_add(&o->h.end.id, pf_buf_span(&s->home[0]), err) != PF_OK ||
		slug(o, &o->h.end.id, err) != PF_OK) {
		return PF_FAIL;
	}
	return pf_buf_add_str(&o->h.end.id, "/", err);
}

static void take_components(const struct dop *o, struct pf_dav_looks *l)
{
	static const struct {
		uint32_t kind;
		const char *component;
	} ALL[] = {{PF_KIND_CALENDAR, "VEVENT"}, {PF_KIND_TASKS, "VTODO"},
		{PF_KIND_NOTES, "VJOURNAL"}};
	size_t n = 0;

	for (size_t i = 0; i < PF_COUNT(ALL); i++) {
		if (dop_op(o)->mkfolder.kinds & ALL[i].kind) {
			l->components[n++] = ALL[i].component;
		}
	}
}

static struct pf_span name_of(const struct dop *o)
{
	return pf_span_str(pf_path_leaf(dop_op(o)->mkfolder.path));
}

static const struct pf_folder_looks *looks_of(const struct dop *o)
{
	static const struct pf_folder_looks NONE = {0};

	return dop_op(o)->mkfolder.looks ? dop_op(o)->mkfolder.looks : &NONE;
}

/* All at once, or the name alone, or nothing. */
static struct pf_dav_looks looks_at_once(const struct dstore *s, const struct dop *o)
{
	struct pf_dav_looks l = {.contacts = s->contacts};

	take_components(o, &l);
	l.name = o->plainer < PLAINEST ? name_of(o) : l.name;
	if (o->plainer == 0) {
		l.colour = looks_of(o)->colour;
		l.description = looks_of(o)->description;
		l.timezone = looks_of(o)->timezone;
		l.has_order = looks_of(o)->has_order;
		l.order = looks_of(o)->order;
	}
	return l;
}

/* One property of those that were not said at once; false: there is nothing to say. */
static bool looks_one(const struct dstore *s, const struct dop *o, size_t i, struct pf_dav_looks *l)
{
	*l = (struct pf_dav_looks){.contacts = s->contacts};
	switch (i) {
	case PATCH_NAME:
		l->name = name_of(o);
		return o->plainer == PLAINEST;
	case PATCH_COLOUR:
		l->colour = looks_of(o)->colour;
		return l->colour.p != NULL;
	case PATCH_DESCRIPTION:
		l->description = looks_of(o)->description;
		return l->description.p != NULL;
	case PATCH_TIMEZONE:
		l->timezone = looks_of(o)->timezone;
		return l->timezone.p != NULL && !s->contacts;
	default:
		l->has_order = looks_of(o)->has_order;
		l->order = looks_of(o)->order;
		return l->has_order && !s->contacts;
	}
}

static int start_new(struct dstore *s, struct dop *o, struct pf_err *err)
{
	bool mkcol = s->contacts || o->by_mkcol;
	struct pf_dav_looks l = looks_at_once(s, o);
	struct pf_buf text;

	pf_buf_init(&text, (size_t)4 * DAV_TEXT_MAX);
	if (make_url(s, o, err) != PF_OK ||
		pf_dav_make(mkcol ? PF_DAV_MKCOL : PF_DAV_MKCALENDAR, &l, &text, err) != PF_OK) {
		pf_buf_deinit(&text);
		return PF_FAIL;
	}
	return dcall_send_xml(s, dcall_new(s, DCALL_MAKE, o), mkcol ? "MKCOL" : "MKCALENDAR",
		pf_buf_span(&o->h.end.id), &text, NULL, err);
}

static int start_look(struct dstore *s, struct dop *o, struct pf_err *err)
{
	return dcall_propfind(s, dcall_new(s, DCALL_LOOK, o), PF_DAV_ASK_FOLDERS,
		pf_buf_span(&o->h.end.id), "0", err);
}

static int start_patch(struct dstore *s, struct dop *o, struct pf_err *err)
{
	struct pf_dav_looks l;
	struct pf_buf text;
	char opaque[COLOUR_MAX];

	while (o->at < PATCHES && !looks_one(s, o, o->at, &l)) {
		o->at++;
	}
	if (o->at == PATCHES) {
		dop_give(s, o);
		return PF_OK;
	}
	if (o->at == PATCH_COLOUR && o->opaque) {
		(void)snprintf(opaque, sizeof(opaque), "%.*sFF", (int)l.colour.n,
			(const char *)l.colour.p);
		l.colour = pf_span_str(opaque);
	}
	pf_buf_init(&text, (size_t)4 * DAV_TEXT_MAX);
	if (pf_dav_make(PF_DAV_PROPPATCH, &l, &text, err) != PF_OK) {
		pf_buf_deinit(&text);
		return PF_FAIL;
	}
	return dcall_send_xml(s, dcall_new(s, DCALL_PATCH, o), "PROPPATCH",
		pf_buf_span(&o->h.end.id), &text, NULL, err);
}

int dav_make_start(struct dstore *s, struct dop *o, struct pf_err *err)
{
	switch (o->making) {
	case DMAKE_LOOK:
	case DMAKE_CHECK:
		return start_look(s, o, err);
	case DMAKE_PATCH:
		return start_patch(s, o, err);
	default:
		return start_new(s, o, err);
	}
}

/* ---- answers ---- */

static void not_made(struct dstore *s, struct dop *o, enum pf_retry retry)
{
	pf_buf_clear(&o->h.end.id);
	(void)pf_fail(&o->h.end.why, PF_SCOPE_FOLDER, retry, "making the collection: %.400s",
		o->said.n > 0 ? (const char *)o->said.p : "refused");
	o->h.end.failed = true;
	dop_give(s, o);
}

/* The server's words, for the end. */
static int keep_words(struct dop *o, const struct pf_dav_said *said, struct pf_err *err)
{
	pf_buf_clear(&o->said);
	return pf_buf_add(&o->said, pf_span(said->text, strlen(said->text) + 1), err);
}

/* A collection without a name of its own goes by that of its URL. */
static bool is_in_url(const struct dop *o)
{
	struct pf_span id = pf_buf_span(&o->h.end.id), name = name_of(o);

	return id.n > name.n + 2 && id.p[id.n - 1] == '/' && id.p[id.n - name.n - 2] == '/' &&
	       memcmp(id.p + id.n - name.n - 1, name.p, name.n) == 0;
}

static int answer_make(
	struct dstore *s, struct dop *o, const struct pf_dav_said *said, struct pf_err *err)
{
	if (said->answer == PF_DAV_DONE) {
		/* Some say so, and keep its name only: all else is said once more. Or not even its
		 * name (SOGo, of address books): where the URL does not show it that is looked at.
		 */
		o->making = is_in_url(o) ? DMAKE_PATCH : DMAKE_CHECK;
		o->h.state = PF_HS_WAITING;
		return PF_OK;
	}
	if (said->answer == PF_DAV_FULL) {
		pf_buf_clear(&o->h.end.id);
		dop_said(s, o, said, PF_SCOPE_FOLDER, "making the collection");
		return PF_OK;
	}
	o->making = DMAKE_LOOK;
	o->h.state = PF_HS_WAITING;
	/* By MKCOL next, where it turns out not to be there. */
	o->got = said->answer == PF_DAV_UNKNOWN;
	return keep_words(o, said, err);
}

/* It is not there: the next way to make it, or the end. */
static void make_otherwise(struct dstore *s, struct dop *o)
{
	if (!s->contacts && !o->by_mkcol && (o->got || o->plainer == PLAINEST)) {
		o->by_mkcol = true;
		o->plainer = 0;
	} else if (!o->got && o->plainer < PLAINEST) {
		o->plainer++;
	} else {
		not_made(s, o, PF_RETRY_NO);
		return;
	}
	o->making = DMAKE_NEW;
	o->h.state = PF_HS_WAITING;
}

static int answer_look(struct dstore *s, struct dop *o, const struct pf_http_answer *a,
	const struct pf_dav_said *said, struct pf_err *err)
{
	uint32_t wanted = s->contacts ? PF_DAV_ADDRESSBOOK : PF_DAV_CALENDAR;
	struct pf_dav_multi *m = NULL;
	struct pf_dav_response r = {0};
	int rc = a->status == 207 ? pf_dav_multi_new(a->body, &m, err) : PF_END;
	bool there, ours;

	rc = rc == PF_OK ? pf_dav_multi_next(m, &r, err) : rc;
	if (rc == PF_FAIL && err->scope > PF_SCOPE_ITEM) {
		pf_dav_multi_free(&m);
		return PF_FAIL;
	}
	there = rc == PF_OK && r.status < 400 && r.has_type;
	if (o->making == DMAKE_CHECK) {
		o->plainer = there && !pf_span_eq(r.name, name_of(o)) ? PLAINEST : o->plainer;
		o->making = DMAKE_PATCH;
		o->h.state = PF_HS_WAITING;
		pf_dav_multi_free(&m);
		return PF_OK;
	}
	ours = there && (r.type & wanted) && (r.name.n == 0 || pf_span_eq(r.name, name_of(o)));
	if (ours && r.name.n > 0) {
		/* Refused at once as being there; else it may be our own. */
		o->h.end.existed = o->got && o->h.tries == 0 && o->plainer == 0 && !o->by_mkcol;
		dop_give(s, o);
	} else if (ours) {
		o->plainer = PLAINEST;
		o->making = DMAKE_PATCH;
		o->h.state = PF_HS_WAITING;
	} else if (there && o->variant < VARIANTS) { /* another one lives there */
		o->variant++;
		o->making = DMAKE_NEW;
		o->h.state = PF_HS_WAITING;
	} else if (there || said->answer == PF_DAV_BUSY) {
		not_made(s, o, there ? PF_RETRY_NO : PF_RETRY_LATER);
	} else {
		make_otherwise(s, o);
	}
	pf_dav_multi_free(&m);
	return PF_OK;
}

int dav_make_answer(struct dstore *s, struct dcall *c, const struct pf_http_answer *a,
	const struct pf_dav_said *said, struct pf_err *err)
{
	struct dop *o = c->ops[0];
	static const char *const WHAT[PATCHES] = {
		"its name", "its colour", "its description", "its time zone", "its order"};

	if (c->kind == DCALL_MAKE) {
		return answer_make(s, o, said, err);
	}
	if (c->kind == DCALL_LOOK) {
		return answer_look(s, o, a, said, err);
	}
	if (said->answer != PF_DAV_DONE && o->at == PATCH_COLOUR && !o->opaque &&
		looks_of(o)->colour.n == sizeof("#rrggbb") - 1) {
		o->opaque = true; /* SOGo takes it with its opacity only */
		o->h.state = PF_HS_WAITING;
		return PF_OK;
	}
	if (said->answer != PF_DAV_DONE) {
		char shown[120];

		pf_hs_note(&s->h, PF_EV_FEATURE_OFF, "collection %s: %s is not kept: %s",
			pf_path_show(dop_op(o)->mkfolder.path, shown, sizeof(shown)), WHAT[o->at],
			said->text);
	}
	o->at++;
	o->h.state = PF_HS_WAITING;
	return PF_OK;
}
