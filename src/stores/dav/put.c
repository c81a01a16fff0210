/*
 * Writing items, each under its guard; and what servers say against it. No answer is taken for
 * success before its body was looked at: one server says 207 with the refusal inside.
 */
#include "stores/dav/dav_private.h"

#include "proto/line/line.h"

#include <stdio.h>

int dav_put_etag(struct pf_span etag, struct pf_buf *out, struct pf_err *err)
{
	bool weak = etag.n > 2 && etag.p[0] == 'W' && etag.p[1] == '/';
	bool quoted = etag.n > 0 && (etag.p[0] == '"' || weak);

	if (etag.n == 0) {
		return PF_OK;
	}
	if (!quoted && pf_buf_add_str(out, "\"", err) != PF_OK) {
		return PF_FAIL;
	}
	if (pf_buf_add(out, etag, err) != PF_OK) {
		return PF_FAIL;
	}
	return quoted ? PF_OK : pf_buf_add_str(out, "\"", err);
}

/* If-Match compares strongly (RFC 9110 section 13.1.1): a "W/" that a proxy put before an ETag on
 * its way to us goes off again. */
static struct pf_span strong(struct pf_span version)
{
	return pf_span_starts(version, "W/") ? pf_span_from(version, 2) : version;
}

/* ---- asking ---- */

static int add_guard(struct dcall *c, const struct dop *o, struct pf_err *err)
{
	struct pf_span v = strong(dop_op(o)->version);

	if (dop_op(o)->kind == PF_OP_PUT && dop_op(o)->put.guard == PF_GUARD_NEW) {
		return dcall_field(c, err, "If-None-Match: *");
	}
	return v.n > 0 && v.n < INT16_MAX
		       ? dcall_field(c, err, "If-Match: %.*s", (int)v.n, (const char *)v.p)
		       : PF_OK;
}

/* Nobody is invited: what each server understands of it (calendars.md). */
static int add_silence(const struct dstore *s, struct dcall *c, struct pf_err *err)
{
	if (s->contacts) {
		return PF_OK;
	}
	return dcall_field(c, err, "Schedule-Reply: F") == PF_OK
		       ? dcall_field(c, err, "Scheduling-Enabled: F")
		       : PF_FAIL;
}

/* Into o->h.end.id. */
static int put_target(const struct dstore *s, struct dop *o, struct pf_err *err)
{
	pf_buf_clear(&o->h.end.id);
	if (dop_op(o)->put.guard == PF_GUARD_SAME) {
		return pf_buf_add(&o->h.end.id, dop_op(o)->item, err);
	}
	if (pf_buf_add(&o->h.end.id, dop_op(o)->folder, err) != PF_OK ||
		pf_dav_segment(dop_op(o)->put.name, &o->h.end.id, err) != PF_OK) {
		return PF_FAIL;
	}
	return pf_buf_add_str(&o->h.end.id, s->contacts ? ".vcf" : ".ics", err);
}

/* The item's UID: the first one of a component that is right within the outermost. */
static int uid_of(struct pf_span bytes, bool contacts, struct pf_buf *out, struct pf_err *err)
{
	struct pf_arena arena;
	struct pf_lines lines;
	struct pf_line l;
	int depth = 0, rc;

	pf_arena_init(&arena);
	pf_lines_init(&lines, bytes, &arena);
	while ((rc = pf_lines_next(&lines, &l, err)) == PF_OK) {
		depth += pf_span_is(l.name, "BEGIN");
		depth -= pf_span_is(l.name, "END");
		if (depth == (contacts ? 1 : 2) && pf_span_is(l.name, "UID")) {
			rc = pf_text_unescape(l.value, out, err);
			break;
		}
	}
	pf_arena_deinit(&arena);
	return rc == PF_END ? PF_OK : rc;
}

/* Who has this UID? The server did not say. */
static int start_holder(struct dstore *s, struct dop *o, struct pf_err *err)
{
	const char *component = dop_op(o)->put.kind == PF_KIND_TASKS   ? "VTODO"
				: dop_op(o)->put.kind == PF_KIND_NOTES ? "VJOURNAL"
								       : "VEVENT";
	struct pf_buf text;

	pf_buf_init(&text, DAV_TEXT_MAX);
	if (pf_dav_query_uid(s->contacts, component, pf_buf_span(&o->token), &text, err) != PF_OK) {
		pf_buf_deinit(&text);
		return PF_FAIL;
	}
	return dcall_send_xml(
		s, dcall_new(s, DCALL_HOLDER, o), "REPORT", dop_op(o)->folder, &text, "1", err);
}

static int start_home(struct dstore *s, struct dop *o, struct pf_err *err)
{
	return dcall_propfind(
		s, dcall_new(s, DCALL_HOME, o), PF_DAV_ASK_ITEMS, dop_op(o)->folder, "0", err);
}

int dav_put_start(struct dstore *s, struct dop *o, struct pf_err *err)
{
	struct dcall *c;
	int rc;

	if (o->undoing) {
		return dav_managed_undo(s, o, err);
	}
	if (o->adding) {
		return dav_managed_start(s, o, err);
	}
	if (o->h.end.conflict == PF_CONFLICT_UID) {
		return start_holder(s, o, err);
	}
	if (o->nowhere) {
		return start_home(s, o, err);
	}
	rc = pf_hs_whole(&s->h, &o->h, err);
	if (rc != PF_OK) {
		return rc;
	}
	c = dcall_new(s, DCALL_PUT, o);
	if (put_target(s, o, err) != PF_OK || add_guard(c, o, err) != PF_OK ||
		add_silence(s, c, err) != PF_OK ||
		dcall_field(c, err, "Content-Type: %s; charset=utf-8",
			s->contacts ? "text/vcard" : "text/calendar") != PF_OK) {
		return PF_FAIL;
	}
	return dcall_send(s, c, "PUT", pf_buf_span(&o->h.end.id),
		pf_blob_ref(o->bare ? o->bare : dop_op(o)->put.body), err);
}

int dav_remove_start(struct dstore *s, struct dop *o, struct pf_err *err)
{
	struct dcall *c = dcall_new(s, DCALL_REMOVE, o);

	if (add_guard(c, o, err) != PF_OK || add_silence(s, c, err) != PF_OK) {
		return PF_FAIL;
	}
	return dcall_send(s, c, "DELETE", dop_op(o)->item, NULL, err);
}

/* ---- answers ---- */

static int stored(
	struct dstore *s, struct dop *o, const struct pf_http_answer *a, struct pf_err *err)
{
	bool weak = a->etag.n > 2 && a->etag.p[0] == 'W' && a->etag.p[1] == '/';

	if (!weak && dav_put_etag(a->etag, &o->h.end.version, err) != PF_OK) {
		return PF_FAIL;
	}
	/* Servers that choose the name themselves tell it (RFC 9110 section 10.2.2). */
	if (a->status == 201 && a->location.n > 0 &&
		dstore_href(s, a->location, pf_buf_span(&o->h.end.id), false, &s->id_out) &&
		s->id_out.n > dop_op(o)->folder.n &&
		memcmp(s->id_out.p, dop_op(o)->folder.p, dop_op(o)->folder.n) == 0) {
		pf_buf_clear(&o->h.end.id);
		if (pf_buf_add(&o->h.end.id, pf_buf_span(&s->id_out), err) != PF_OK) {
			return PF_FAIL;
		}
	}
	if (o->bare) {
		dav_managed_stored(o);
	} else {
		dop_give(s, o);
	}
	return PF_OK;
}

static void conflict(
	struct dstore *s, struct dop *o, enum pf_conflict what, const struct pf_dav_said *said)
{
	o->h.end.conflict = what;
	dop_said(s, o, said, PF_SCOPE_ITEM, "PUT");
}

/* Of the holder only what is in the same folder: an item elsewhere can't stand for one here. */
static int keep_holder(struct dstore *s, struct dop *o, struct pf_span href, struct pf_err *err)
{
	pf_buf_clear(&o->h.end.holder);
	if (href.n == 0 || !dstore_href(s, href, dop_op(o)->folder, false, &s->id_out) ||
		!pf_span_eq(pf_dav_parent(pf_buf_span(&s->id_out)), dop_op(o)->folder)) {
		return PF_OK;
	}
	return pf_buf_add(&o->h.end.holder, pf_buf_span(&s->id_out), err);
}

static int uid_conflict(
	struct dstore *s, struct dop *o, const struct pf_dav_said *said, struct pf_err *err)
{
	bool new = dop_op(o)->put.guard == PF_GUARD_NEW;

	if (keep_holder(s, o, said->holder, err) != PF_OK) {
		return PF_FAIL;
	}
	if (new && o->h.end.holder.n > 0 &&
		pf_span_eq(pf_buf_span(&o->h.end.holder), pf_buf_span(&o->h.end.id))) {
		conflict(s, o, PF_CONFLICT_NAME, said);
		return PF_OK;
	}
	if (said->holder.n > 0) {
		conflict(s, o, PF_CONFLICT_UID, said);
		return PF_OK;
	}
	pf_buf_clear(&o->token);
	if (uid_of(pf_blob_span(dop_op(o)->put.body), s->contacts, &o->token, err) != PF_OK) {
		return PF_FAIL;
	}
	(void)pf_fail(&o->h.end.why, PF_SCOPE_ITEM, PF_RETRY_NO, "PUT: %s", said->text);
	o->h.end.conflict = PF_CONFLICT_UID;
	o->h.end.refused = true;
	o->h.end.failed = true;
	if (o->token.n == 0) {
		dop_give(s, o);
	} else {
		o->h.state = PF_HS_WAITING; /* who is it? */
	}
	return PF_OK;
}

static int name_conflict(
	struct dstore *s, struct dop *o, const struct pf_dav_said *said, struct pf_err *err)
{
	pf_buf_clear(&o->h.end.holder);
	if (pf_buf_add(&o->h.end.holder, pf_buf_span(&o->h.end.id), err) != PF_OK) {
		return PF_FAIL;
	}
	conflict(s, o, PF_CONFLICT_NAME, said);
	return PF_OK;
}

static void broken(struct dstore *s, struct dop *o, const struct pf_dav_said *said)
{
	if (o->h.tries++ == 0) { /* once may be chance */
		o->h.state = PF_HS_WAITING;
		return;
	}
	conflict(s, o, PF_CONFLICT_CONTENT, said);
}

static int answer_put(struct dstore *s, struct dop *o, const struct pf_http_answer *a,
	const struct pf_dav_said *said, struct pf_err *err)
{
	bool same = dop_op(o)->put.guard == PF_GUARD_SAME, without = false;

	switch (said->answer) {
	case PF_DAV_DONE:
		return stored(s, o, a, err);
	case PF_DAV_UID:
		return uid_conflict(s, o, said, err);
	case PF_DAV_NAME:
		return name_conflict(s, o, said, err);
	case PF_DAV_CHANGED:
		conflict(s, o, PF_CONFLICT_CHANGED, said);
		break;
	case PF_DAV_CONTENT:
		conflict(s, o, PF_CONFLICT_CONTENT, said);
		break;
	case PF_DAV_TOO_LARGE:
		if (dav_managed_begin(s, o, &without, err) != PF_OK) {
			return PF_FAIL;
		}
		if (without) {
			o->h.state = PF_HS_WAITING;
		} else {
			dop_said(s, o, said, PF_SCOPE_ITEM, "PUT");
		}
		break;
	case PF_DAV_GONE:
		if (same) {
			conflict(s, o, PF_CONFLICT_CHANGED, said);
		} else { /* SOGo says so of cards that it can't read */
			(void)pf_fail(
				&o->h.end.why, PF_SCOPE_ITEM, PF_RETRY_NO, "PUT: %s", said->text);
			o->nowhere = true;
			o->h.state = PF_HS_WAITING;
		}
		break;
	case PF_DAV_UNKNOWN:
	case PF_DAV_REDIRECT:
		if (said->status == 501) { /* SOGo says so where it has failed */
			broken(s, o, said);
		} else {
			dop_said(s, o, said, PF_SCOPE_FOLDER, "PUT");
		}
		break;
	case PF_DAV_BROKEN:
		broken(s, o, said);
		break;
	case PF_DAV_BUSY:
		o->h.end.in_doubt = said->status != 423; /* a proxy in between gave up */
		dop_said(s, o, said, PF_SCOPE_ITEM, "PUT");
		break;
	default:
		dop_said(s, o, said, PF_SCOPE_ITEM, "PUT");
		break;
	}
	return PF_OK;
}

static int answer_holder(
	struct dstore *s, struct dop *o, const struct pf_http_answer *a, struct pf_err *err)
{
	struct pf_dav_multi *m = NULL;
	struct pf_dav_response r;
	struct pf_buf uid;
	int rc = a->status == 207 ? pf_dav_multi_new(a->body, &m, err) : PF_END;

	pf_buf_init(&uid, DAV_TEXT_MAX);
	while (rc == PF_OK && (rc = pf_dav_multi_next(m, &r, err)) == PF_OK) {
		pf_buf_clear(&uid); /* the server looked for a part of it, and may fold case */
		rc = uid_of(r.data, s->contacts, &uid, err);
		if (rc == PF_OK && pf_span_eq(pf_buf_span(&uid), pf_buf_span(&o->token))) {
			rc = keep_holder(s, o, r.href, err);
			break;
		}
	}
	pf_buf_deinit(&uid);
	pf_dav_multi_free(&m);
	if (rc == PF_FAIL && err->scope > PF_SCOPE_ITEM) {
		return PF_FAIL;
	}
	dop_give(s, o); /* with or without it */
	return PF_OK;
}

/* Where the collection is there it was the item that was refused. */
static int answer_home(struct dstore *s, struct dop *o, const struct pf_dav_said *said)
{
	struct pf_err why = o->h.end.why;

	if (said->answer != PF_DAV_DONE && said->answer != PF_DAV_GONE) {
		dop_said(s, o, said, PF_SCOPE_ITEM, "PROPFIND");
		return PF_OK;
	}
	if (said->answer == PF_DAV_GONE) {
		why.scope = PF_SCOPE_FOLDER;
	} else {
		o->h.end.conflict = PF_CONFLICT_CONTENT;
		o->h.end.refused = true;
	}
	dop_failed(s, o, &why);
	return PF_OK;
}

int dav_put_answer(struct dstore *s, struct dcall *c, const struct pf_http_answer *a,
	const struct pf_dav_said *said, struct pf_err *err)
{
	if (c->kind == DCALL_HOME) {
		return answer_home(s, c->ops[0], said);
	}
	return c->kind == DCALL_HOLDER ? answer_holder(s, c->ops[0], a, err)
				       : answer_put(s, c->ops[0], a, said, err);
}

int dav_remove_answer(
	struct dstore *s, struct dop *o, const struct pf_dav_said *said, struct pf_err *err)
{
	(void)err;
	if (said->answer == PF_DAV_DONE || said->answer == PF_DAV_GONE) { /* gone is gone */
		dop_give(s, o);
		return PF_OK;
	}
	o->h.end.conflict = said->answer == PF_DAV_CHANGED ? PF_CONFLICT_CHANGED : PF_CONFLICT_NONE;
	dop_said(s, o, said, PF_SCOPE_ITEM, "DELETE");
	return PF_OK;
}
