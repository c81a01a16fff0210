/*
 * The listing of a collection: by sync-collection with an empty token (RFC 6578), page by page
 * where the server cuts it, else by PROPFIND. Rows are read from the answer as they are taken.
 */
#include "stores/dav/dav_private.h"

#include <stdio.h>

static struct pf_span folder_of(const struct dop *o)
{
	return dop_op(o)->folder;
}

int dav_list_start(struct dstore *s, struct dop *o, struct pf_err *err)
{
	const struct dfolder *f = dav_folder_find(s, folder_of(o));
	struct dcall *c = dcall_new(s, DCALL_LIST, o);
	struct pf_buf text;
	int rc;

	pf_buf_init(&text, DAV_TEXT_MAX);
	if (o->pages == 0) {
		o->synced = f && f->can_sync;
	}
	rc = o->synced ? pf_dav_sync(pf_buf_span(&o->token), &text, err)
		       : pf_dav_propfind(PF_DAV_ASK_ITEMS, &text, err);
	if (rc != PF_OK) {
		pf_buf_deinit(&text);
		return PF_FAIL;
	}
	/* RFC 6578 section 3.2: Depth is 0, how deep it goes stands in the body. */
	return dcall_send_xml(s, c, o->synced ? "REPORT" : "PROPFIND", folder_of(o), &text,
		o->synced ? "0" : "1", err);
}

static void fail_list(struct dstore *s, struct dop *o, const char *text, enum pf_retry retry)
{
	struct pf_err why;

	(void)pf_fail(&why, PF_SCOPE_FOLDER, retry, "listing the collection: %s", text);
	dop_failed(s, o, &why);
}

/* Without sync-collection from now on. */
static void no_sync(struct dstore *s, struct dop *o, const char *why)
{
	struct dfolder *f = dav_folder_find(s, folder_of(o));

	if (f && f->can_sync) {
		f->can_sync = false;
		pf_hs_note(&s->h, PF_EV_FEATURE_OFF, "sync-collection is not used for %.*s: %s",
			(int)(dop_op(o)->folder.n < 100 ? dop_op(o)->folder.n : 100),
			(const char *)dop_op(o)->folder.p, why);
	}
}

static int keep_answer(struct dop *o, struct pf_span body, struct pf_err *err)
{
	pf_dav_multi_free(&o->multi);
	pf_blob_unref(&o->answer);
	o->answer = pf_blob_new(body.n);
	if (!o->answer) {
		return pf_fail_memory(err, "a listing");
	}
	if (body.n > 0) {
		memcpy(o->answer->bytes, body.p, body.n);
	}
	return pf_dav_multi_new(pf_blob_span(o->answer), &o->multi, err);
}

static int note_place(struct dcall *c, struct dop *o, struct pf_err *err)
{
	pf_buf_clear(&o->sent_on);
	return pf_span_eq(pf_buf_span(&c->target), folder_of(o))
		       ? PF_OK
		       : pf_buf_add(&o->sent_on, pf_buf_span(&c->target), err);
}

int dav_list_answer(struct dstore *s, struct dcall *c, const struct pf_http_answer *a,
	const struct pf_dav_said *said, struct pf_err *err)
{
	struct dop *o = c->ops[0];

	if (a->status == 207) {
		if (note_place(c, o, err) == PF_OK && keep_answer(o, a->body, err) == PF_OK) {
			o->truncated = false;
			o->pages++;
			dop_give(s, o);
			return PF_OK;
		}
		if (err->scope > PF_SCOPE_ITEM) {
			return PF_FAIL;
		}
	}
	if (o->synced) {
		no_sync(s, o, a->status == 207 ? err->text : said->text);
		if (o->pages == 0) { /* nothing was given out: by PROPFIND, at once */
			o->h.state = PF_HS_WAITING;
			return PF_OK;
		}
		fail_list(s, o, a->status == 207 ? err->text : said->text, PF_RETRY_NOW);
		return PF_OK;
	}
	fail_list(s, o, a->status == 207 ? err->text : said->text,
		a->status == 207 || said->answer == PF_DAV_BROKEN ? PF_RETRY_LATER : PF_RETRY_NO);
	return PF_OK;
}

/* ---- rows ---- */

static void give_state(struct dstore *s, struct dop *o, struct pf_store_event *out)
{
	const struct dfolder *f = dav_folder_find(s, folder_of(o));

	o->stated = true;
	s->folder_out = (struct pf_folder){.id = folder_of(o)};
	if (f && f->cursor.n > 0) { /* of before the listing: never newer than what it shows */
		s->folder_out.state.cursor = pf_buf_span(&f->cursor);
	}
	*out = (struct pf_store_event){
		.kind = PF_STORE_STATE, .op = dop_op(o)->id, .folder = &s->folder_out};
}

static bool is_item(const struct dop *o, const struct pf_dav_response *r, struct pf_span id)
{
	struct pf_span folder = folder_of(o);

	if (r->status == 404 || (r->type & PF_DAV_COLLECTION) || id.n <= folder.n) {
		return false;
	}
	/* In it, and not in a folder within. */
	return pf_span_eq(pf_span(id.p, folder.n), folder) &&
	       !memchr(id.p + folder.n, '/', id.n - folder.n);
}

/* Whether rows of this listing are about the folder at all, or about other places. */
static void judge(struct dop *o, bool known, struct pf_span id)
{
	struct pf_span folder = folder_of(o);
	size_t n = folder.n > 0 ? folder.n - 1 : 0; /* without its last slash */

	if (!known || id.n < n || !pf_span_eq(pf_span(id.p, n), pf_span(folder.p, n))) {
		o->strange = true;
	} else if (id.n > folder.n) {
		o->ours = true;
	}
}

static bool is_cut(struct dop *o, const struct pf_dav_response *r, struct pf_span id)
{
	return r->status == 507 && id.n + 1 >= dop_op(o)->folder.n && id.n <= dop_op(o)->folder.n;
}

/*
 * Whose row it is, in `id_out`. Where the server sent us on to another place, what lies there is
 * named as if it were where we know it: there it is asked for, and put, and sent on each time.
 */
static bool take_href(struct dstore *s, struct dop *o, struct pf_span href)
{
	struct pf_span folder = folder_of(o), there = pf_buf_span(&o->sent_on);
	struct pf_buf name;
	struct pf_err ignored; /* longer than any path */
	bool ok;

	if (there.n == 0) {
		return dstore_answered(s, href, folder, false, &s->id_out);
	}
	pf_buf_init(&name, DAV_PATH_MAX);
	ok = dstore_answered(s, href, there, false, &name);
	if (ok && name.n >= there.n && pf_span_eq(pf_span(name.p, there.n), there)) {
		pf_buf_clear(&s->id_out);
		ok = pf_buf_add(&s->id_out, folder, &ignored) == PF_OK &&
		     pf_buf_add(&s->id_out, pf_span_from(pf_buf_span(&name), there.n), &ignored) ==
			     PF_OK;
	} else if (ok) {
		ok = dstore_href(s, href, folder, false, &s->id_out);
	}
	pf_buf_deinit(&name);
	return ok;
}

/* PF_OK: an item. PF_END: the page is over. */
static int next_row(struct dstore *s, struct dop *o, struct pf_store_event *out, struct pf_err *err)
{
	struct pf_dav_response r;
	int rc;

	while ((rc = pf_dav_multi_next(o->multi, &r, err)) == PF_OK) {
		bool known = take_href(s, o, r.href);

		judge(o, known, pf_buf_span(&s->id_out));
		if (!known) {
			continue;
		}
		if (is_cut(o, &r, pf_buf_span(&s->id_out))) {
			o->truncated = true;
			continue;
		}
		if (!is_item(o, &r, pf_buf_span(&s->id_out))) {
			continue;
		}
		pf_buf_clear(&s->version_out);
		if (dav_put_etag(r.etag, &s->version_out, err) != PF_OK) {
			return PF_FAIL;
		}
		*out = (struct pf_store_event){.kind = PF_STORE_ITEM, .op = dop_op(o)->id};
		out->item.id = pf_buf_span(&s->id_out);
		out->item.date_utc_s = PF_DATE_NONE;
		if (s->version_out.n > 0) {
			out->item.version = pf_buf_span(&s->version_out);
		}
		return PF_OK;
	}
	return rc;
}

/* A page is over: is there another one? PF_AGAIN: it is asked for. PF_END: that was all. */
static int end_page(struct dstore *s, struct dop *o, struct pf_err *err)
{
	struct pf_span token = pf_dav_multi_token(o->multi);
	bool moved = token.n > 0 && !pf_span_eq(token, pf_buf_span(&o->token));

	if (!o->truncated && o->strange && !o->ours) { /* no empty folder, but none that is known */
		o->h.end.failed = true;
		(void)pf_fail(&o->h.end.why, PF_SCOPE_FOLDER, PF_RETRY_NO,
			"listing the collection: the answer is about other places only; what "
			"stands "
			"before the server may give its paths other names");
		return PF_END;
	}
	if (!o->truncated) {
		return PF_END;
	}
	if (!o->synced || !moved || o->pages >= DAV_PAGES) {
		o->h.end.failed = true;
		(void)pf_fail(&o->h.end.why, PF_SCOPE_FOLDER, PF_RETRY_NOW,
			"the server cut its listing and does not tell how to go on");
		no_sync(s, o, o->h.end.why.text);
		return PF_END;
	}
	pf_buf_clear(&o->token);
	if (pf_buf_add(&o->token, token, err) != PF_OK) {
		return PF_FAIL;
	}
	return PF_AGAIN;
}

int dav_list_give(struct dstore *s, struct dop *o, struct pf_store_event *out, struct pf_err *err)
{
	struct pf_err why;
	int rc;

	if (o->h.end.failed) {
		return PF_END;
	}
	if (!o->stated) {
		give_state(s, o, out);
		return PF_OK;
	}
	rc = next_row(s, o, out, &why);
	if (rc == PF_END) {
		return end_page(s, o, err);
	}
	if (rc == PF_FAIL && why.scope > PF_SCOPE_ITEM) {
		*err = why;
		return PF_FAIL;
	}
	if (rc == PF_FAIL) {
		o->h.end.failed = true;
		(void)pf_fail(&o->h.end.why, PF_SCOPE_FOLDER, PF_RETRY_LATER,
			"listing the collection: %s", why.text);
		if (o->synced) {
			no_sync(s, o, why.text);
		}
		return PF_END;
	}
	return PF_OK;
}
