/*
 * The account's collections: each home listed, each collection one folder named by its displayname.
 */
#include "stores/dav/dav_private.h"

#include <stdio.h>
#include <stdlib.h>

/* ---- what is known of them ---- */

static void free_folder(struct dfolder *f)
{
	pf_buf_deinit(&f->id);
	pf_buf_deinit(&f->name);
	pf_buf_deinit(&f->colour);
	pf_buf_deinit(&f->description);
	pf_buf_deinit(&f->timezone);
	pf_buf_deinit(&f->cursor);
	pf_path_deinit(&f->path);
}

static void forget(struct dstore *s)
{
	for (size_t i = 0; i < s->within_n; i++) {
		pf_buf_deinit(&s->within[i]);
	}
	s->within_n = 0;
	for (size_t i = 0; i < s->folder_n; i++) {
		free_folder(&s->folder[i]);
	}
	s->folder_n = 0;
}

void dav_folders_free(struct dstore *s)
{
	forget(s);
	free(s->folder);
	s->folder = NULL;
	s->folder_cap = 0;
}

struct dfolder *dav_folder_find(const struct dstore *s, struct pf_span id)
{
	for (size_t i = 0; i < s->folder_n; i++) {
		if (pf_span_eq(pf_buf_span(&s->folder[i].id), id)) {
			return &s->folder[i];
		}
	}
	return NULL;
}

static int add_folder(struct dstore *s, struct dfolder **out, struct pf_err *err)
{
	struct dfolder *f;

	if (s->folder_n == s->folder_cap) {
		size_t cap = s->folder_cap ? s->folder_cap * 2 : 16;
		struct dfolder *grown = realloc(s->folder, cap * sizeof(*grown));

		if (!grown) {
			return pf_fail_memory(err, "a list of collections");
		}
		s->folder = grown;
		s->folder_cap = cap;
	}
	f = &s->folder[s->folder_n++];
	*f = (struct dfolder){0};
	pf_buf_init(&f->id, DAV_PATH_MAX);
	pf_buf_init(&f->name, DAV_TEXT_MAX);
	pf_buf_init(&f->colour, DAV_TEXT_MAX);
	pf_buf_init(&f->description, DAV_TEXT_MAX);
	pf_buf_init(&f->timezone, DAV_TEXT_MAX);
	pf_buf_init(&f->cursor, DAV_TEXT_MAX);
	*out = f;
	return PF_OK;
}

static uint32_t kinds_of(const struct dstore *s, const struct pf_dav_response *r)
{
	uint32_t all = PF_DAV_VEVENT | PF_DAV_VTODO | PF_DAV_VJOURNAL;
	uint32_t c = r->has_components ? r->components : all; /* RFC 4791 section 5.2.3 */

	if (s->contacts) {
		return PF_KIND_CONTACTS;
	}
	return (c & PF_DAV_VEVENT ? PF_KIND_CALENDAR : 0u) |
	       (c & PF_DAV_VTODO ? PF_KIND_TASKS : 0u) | (c & PF_DAV_VJOURNAL ? PF_KIND_NOTES : 0u);
}

static bool is_wanted(const struct dstore *s, const struct pf_dav_response *r, struct pf_span id)
{
	uint32_t wanted = s->contacts ? PF_DAV_ADDRESSBOOK : PF_DAV_CALENDAR;

	return (r->type & wanted) && !(r->type & PF_DAV_UNWANTED) && kinds_of(s, r) != 0 &&
	       !dav_folder_find(s, id) && (!s->only.n || pf_span_eq(pf_buf_span(&s->only), id));
}

/* Of another user, as far as the server says who owns what. */
static bool is_shared(struct dstore *s, const struct pf_dav_response *r)
{
	struct pf_buf owner;
	bool other;

	pf_buf_init(&owner, DAV_PATH_MAX);
	other = r->owner.n > 0 && s->principal.n > 0 &&
		dstore_href(s, r->owner, r->href, true, &owner) &&
		!pf_span_eq(pf_buf_span(&owner), pf_buf_span(&s->principal));
	pf_buf_deinit(&owner);
	return other;
}

static void take_limits(struct dstore *s, const struct pf_dav_response *r)
{
	struct pf_store_facts *f = &s->h.facts;

	f->max_item_bytes = r->max_bytes > f->max_item_bytes ? r->max_bytes : f->max_item_bytes;
	if (r->quota_bytes < f->quota_free_bytes) {
		f->quota_free_bytes = r->quota_bytes;
	}
}

static int take_folder(
	struct dstore *s, const struct pf_dav_response *r, struct pf_span id, struct pf_err *err)
{
	struct pf_span cursor = r->sync_token.n > 0 ? r->sync_token : r->ctag;
	char order[16] = "";
	char *end = order;
	struct dfolder *f;

	take_limits(s, r);
	if (add_folder(s, &f, err) != PF_OK) {
		return PF_FAIL;
	}
	f->kinds = kinds_of(s, r);
	f->can_sync = r->can_sync && r->sync_token.n > 0;
	f->shared = is_shared(s, r);
	(void)snprintf(order, sizeof(order), "%.*s", (int)(r->order.n < 15 ? r->order.n : 15),
		r->order.n > 0 ? (const char *)r->order.p : "");
	f->order = (int)strtol(order, &end, 10);
	f->has_order = end != order;
	if (pf_buf_add(&f->id, id, err) != PF_OK || pf_buf_add(&f->name, r->name, err) != PF_OK ||
		pf_buf_add(&f->colour, r->colour, err) != PF_OK ||
		pf_buf_add(&f->description, r->description, err) != PF_OK ||
		pf_buf_add(&f->timezone, r->timezone, err) != PF_OK) {
		return PF_FAIL;
	}
	return pf_buf_add(&f->cursor, cursor, err);
}

/* ---- names ---- */

/* By its displayname; one that has none, or one that cannot be, by the end of its URL. */
static int name_it(struct dfolder *f, const char *more, struct pf_err *err)
{
	struct pf_buf leaf, name;
	struct pf_err why;
	int rc;

	pf_path_deinit(&f->path);
	pf_buf_init(&leaf, DAV_PATH_MAX);
	pf_buf_init(&name, DAV_TEXT_MAX);
	rc = pf_dav_leaf(pf_buf_span(&f->id), &leaf, err);
	if (rc == PF_OK) {
		rc = pf_buf_add(&name, pf_buf_span(f->name.n > 0 ? &f->name : &leaf), err);
	}
	if (rc == PF_OK && more) { /* two of one name: the URLs' ends tell them apart */
		rc = pf_buf_addf(&name, err, " (%.*s%s)", (int)leaf.n, (const char *)leaf.p, more);
	}
	if (rc == PF_OK && pf_path_add(&f->path, pf_buf_span(&name), &why) != PF_OK) {
		*err = why;
		rc = why.scope > PF_SCOPE_ITEM
			     ? PF_FAIL
			     : pf_path_add(&f->path, pf_span(f->id.p, f->id.n), err);
	}
	pf_buf_deinit(&leaf);
	pf_buf_deinit(&name);
	return rc;
}

static bool is_taken(const struct dstore *s, size_t i)
{
	for (size_t k = 0; k < i; k++) {
		if (pf_path_eq(&s->folder[k].path, &s->folder[i].path)) {
			return true;
		}
	}
	return false;
}

static int by_id(const void *a, const void *b)
{
	return pf_span_cmp(pf_buf_span(&((const struct dfolder *)a)->id),
		pf_buf_span(&((const struct dfolder *)b)->id));
}

static int name_all(struct dstore *s, struct pf_err *err)
{
	if (s->folder_n > 1) {
		qsort(s->folder, s->folder_n, sizeof(*s->folder), by_id);
	}
	for (size_t i = 0; i < s->folder_n; i++) {
		char more[16] = "";
		int rc = name_it(&s->folder[i], NULL, err);

		for (int n = 2; rc == PF_OK && is_taken(s, i); n++) {
			rc = name_it(&s->folder[i], more, err);
			(void)snprintf(more, sizeof(more), " %d", n);
		}
		if (rc != PF_OK) {
			return PF_FAIL;
		}
	}
	return PF_OK;
}

/* ---- the operation ---- */

/* The given collection; else a home; else a plain collection in one of them. */
static struct pf_span place_at(const struct dstore *s, size_t at)
{
	return pf_buf_span(s->only.n       ? &s->only
			   : at < s->homes ? &s->home[at]
					   : &s->within[at - s->homes]);
}

static size_t places(const struct dstore *s)
{
	return s->only.n ? 1 : s->homes + s->within_n;
}

/*
 * Calendars may lie in plain collections of the home (RFC 4791 section 5.2), which are listed after
 * it. Not those of the server's root: it may hold anything, other users' homes as well.
 */
static int take_within(struct dstore *s, const struct pf_dav_response *r, struct pf_span id,
	struct pf_span place, struct pf_err *err)
{
	struct pf_buf *to;

	if (s->only.n || r->type != PF_DAV_COLLECTION || place.n <= 1 || id.n <= place.n ||
		!pf_span_eq(pf_span(id.p, place.n), place)) {
		return PF_OK;
	}
	for (size_t i = 0; i < places(s); i++) {
		if (pf_span_eq(place_at(s, i), id)) {
			return PF_OK;
		}
	}
	if (s->within_n == DAV_WITHIN) {
		pf_hs_note(&s->h, PF_EV_PROTOCOL_ODDITY,
			"there are more than %d collections that are no folders and may hold some; "
			"%.*s is "
			"not looked into",
			DAV_WITHIN, (int)(id.n < 200 ? id.n : 200), (const char *)id.p);
		return PF_OK;
	}
	to = &s->within[s->within_n++];
	pf_buf_init(to, DAV_PATH_MAX);
	return pf_buf_add(to, id, err);
}

int dav_folders_start(struct dstore *s, struct dop *o, struct pf_err *err)
{
	struct dcall *c = dcall_new(s, DCALL_FOLDERS, o);

	if (o->at == 0) {
		forget(s);
		s->h.facts.quota_free_bytes = UINT64_MAX;
	}
	return dcall_propfind(
		s, c, PF_DAV_ASK_FOLDERS, place_at(s, o->at), s->only.n ? "0" : "1", err);
}

static int read_folders(
	struct dstore *s, const struct pf_http_answer *a, struct pf_span home, struct pf_err *err)
{
	struct pf_dav_multi *m = NULL;
	struct pf_dav_response r;
	struct pf_buf id;
	int rc = pf_dav_multi_new(a->body, &m, err);

	pf_buf_init(&id, DAV_PATH_MAX);
	while (rc == PF_OK && (rc = pf_dav_multi_next(m, &r, err)) == PF_OK) {
		if (!dstore_answered(s, r.href, home, true, &id)) {
			continue;
		}
		rc = is_wanted(s, &r, pf_buf_span(&id))
			     ? take_folder(s, &r, pf_buf_span(&id), err)
			     : take_within(s, &r, pf_buf_span(&id), home, err);
	}
	pf_buf_deinit(&id);
	pf_dav_multi_free(&m);
	return rc == PF_END ? PF_OK : rc;
}

int dav_folders_answer(struct dstore *s, struct dop *o, const struct pf_http_answer *a,
	const struct pf_dav_said *said, struct pf_err *err)
{
	struct pf_span home = place_at(s, o->at);
	bool within = o->at >= s->homes;

	if (a->status != 207 && within) {
		pf_hs_note(&s->h, PF_EV_PROTOCOL_ODDITY,
			"the collection %.*s can't be looked into: %s",
			(int)(home.n < 200 ? home.n : 200), (const char *)home.p, said->text);
	} else if (a->status != 207 && said->answer != PF_DAV_GONE) {
		/* Xandikos names homes that are not there before the first collection is made. */
		dop_said(s, o, said, PF_SCOPE_STORE, "listing the collections");
		return PF_OK;
	}
	if (a->status == 207 && read_folders(s, a, home, err) != PF_OK) {
		struct pf_err why = *err;

		if (why.scope > PF_SCOPE_ITEM) {
			return PF_FAIL;
		}
		why.scope = PF_SCOPE_STORE;
		(void)pf_wrap(&why, "listing the collections");
		dop_failed(s, o, &why);
		return PF_OK;
	}
	if (++o->at < places(s)) {
		o->h.state = PF_HS_WAITING;
		return PF_OK;
	}
	if (name_all(s, err) != PF_OK) {
		return PF_FAIL;
	}
	o->at = 0;
	dop_give(s, o);
	return PF_OK;
}

static struct pf_span said_or_absent(const struct pf_buf *b)
{
	return b->n > 0 ? pf_buf_span(b) : pf_span(NULL, 0);
}

int dav_folders_give(
	struct dstore *s, struct dop *o, struct pf_store_event *out, struct pf_err *err)
{
	struct pf_folder *to = &s->folder_out;
	const struct dfolder *f;

	(void)err;
	while (o->at < s->folder_n && s->folder[o->at].shared && !dop_op(o)->folders.shared) {
		o->at++;
	}
	if (o->h.end.failed || o->at == s->folder_n) {
		return PF_END;
	}
	f = &s->folder[o->at++];
	*to = (struct pf_folder){
		.id = pf_buf_span(&f->id),
		.path = f->path,
		.kinds = f->kinds,
		.selectable = true,
		.shared = f->shared,
		.has_state = f->cursor.n > 0,
	};
	to->kind = f->kinds & PF_KIND_CONTACTS   ? PF_KIND_CONTACTS
		   : f->kinds & PF_KIND_CALENDAR ? PF_KIND_CALENDAR
		   : f->kinds & PF_KIND_TASKS    ? PF_KIND_TASKS
						 : PF_KIND_NOTES;
	to->looks = (struct pf_folder_looks){
		.colour = said_or_absent(&f->colour),
		.description = said_or_absent(&f->description),
		.timezone = said_or_absent(&f->timezone),
		.has_order = f->has_order,
		.order = f->order,
	};
	to->state.cursor = said_or_absent(&f->cursor);
	*out = (struct pf_store_event){.kind = PF_STORE_FOLDER, .op = dop_op(o)->id, .folder = to};
	return PF_OK;
}
