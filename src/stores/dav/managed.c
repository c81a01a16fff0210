/*
 * An item that is too large with its attachments in it, where the server keeps attachments by
 * themselves (RFC 8607, "calendar-managed-attachments"): it is put without them, then they are
 * added one by one. What does not get all of them is taken away again.
 */
#include "stores/dav/dav_private.h"

#include "base/civil.h"
#include "base/utf8.h"
#include "model/mime.h"
#include "proto/ical/ical.h"

#include <stdio.h>

static bool is_inline(const struct pf_line *l)
{
	struct pf_span encoding = pf_params_find(l->params, "ENCODING");

	return pf_span_is(l->name, "ATTACH") && encoding.p && pf_span_is(encoding, "BASE64");
}

static bool is_part(struct pf_span name)
{
	return pf_span_is(name, "VEVENT") || pf_span_is(name, "VTODO") ||
	       pf_span_is(name, "VJOURNAL");
}

/* The item without what is in it, into `out`; how many there are, and of how many parts it is. */
static int strip(
	struct pf_span bytes, struct pf_buf *out, size_t *count, size_t *parts, struct pf_err *err)
{
	struct pf_arena arena;
	struct pf_lines lines;
	struct pf_line l;
	int rc, depth = 0;

	*count = 0;
	*parts = 0;
	pf_arena_init(&arena);
	pf_lines_init(&lines, bytes, &arena);
	while ((rc = pf_lines_next(&lines, &l, err)) == PF_OK) {
		bool begin = pf_span_is(l.name, "BEGIN");

		depth += begin;
		depth -= pf_span_is(l.name, "END");
		*parts += begin && depth == 2 && is_part(l.value);
		if (depth == 2 && is_inline(&l)) {
			++*count;
		} else if ((rc = pf_buf_add(out, l.raw, err)) != PF_OK) {
			break;
		}
	}
	pf_arena_deinit(&arena);
	return rc == PF_END ? PF_OK : rc;
}

/* The server adds them to single parts as well. */
static bool takes_parts(const struct dstore *s)
{
	return !strstr(s->dav, "calendar-managed-attachments-no-recurrence");
}

int dav_managed_begin(struct dstore *s, struct dop *o, bool *yes, struct pf_err *err)
{
	struct pf_buf b;
	size_t parts = 0;
	int rc;

	*yes = false;
	if (s->contacts || o->bare || !strstr(s->dav, "calendar-managed-attachments") ||
		dop_op(o)->put.guard != PF_GUARD_NEW) {
		return PF_OK;
	}
	pf_buf_init(&b, DAV_ITEM_MAX);
	rc = strip(pf_blob_span(dop_op(o)->put.body), &b, &o->to_add, &parts, err);
	o->several = parts > 1;
	o->to_add = o->several && !takes_parts(s) ? 0 : o->to_add;
	if (rc == PF_OK && o->to_add > 0) {
		o->bare = pf_blob_new(b.n);
		rc = o->bare ? PF_OK : pf_fail_memory(err, "an item");
	}
	if (rc == PF_OK && o->bare) {
		memcpy(o->bare->bytes, b.p, b.n);
		*yes = true;
	}
	pf_buf_deinit(&b);
	return rc;
}

/* ---- adding ---- */

static int decode(struct pf_span value, struct pf_blob **out, struct pf_err *err)
{
	const struct pf_mime_part part = {.encoding = PF_MIME_BASE64, .body = value};
	struct pf_buf b;
	int rc;

	pf_buf_init(&b, DAV_ITEM_MAX);
	rc = pf_mime_decode(&part, &b, err);
	*out = rc == PF_OK ? pf_blob_new(b.n) : NULL;
	if (rc == PF_OK && !*out) {
		rc = pf_fail_memory(err, "an attachment");
	}
	if (rc == PF_OK && b.n > 0) {
		memcpy((*out)->bytes, b.p, b.n);
	}
	pf_buf_deinit(&b);
	return rc;
}

/* A value that may stand in a field; anything else is left out. */
static bool is_plain(struct pf_span v)
{
	for (size_t i = 0; i < v.n; i++) {
		if (v.p[i] < ' ' || v.p[i] > '~' || v.p[i] == '"' || v.p[i] == '\\') {
			return false;
		}
	}
	return v.n > 0 && v.n < 200;
}

static int add_fields(struct dcall *c, const struct pf_line *l, struct pf_err *err)
{
	struct pf_span type = pf_params_find(l->params, "FMTTYPE");
	struct pf_span name = pf_params_find(l->params, "FILENAME");
	bool typed = is_plain(type), named;

	name = name.p ? name : pf_params_find(l->params, "X-FILENAME");
	named = is_plain(name);
	if (dcall_field(c, err, "Content-Type: %.*s", typed ? (int)type.n : 24,
		    typed ? (const char *)type.p : "application/octet-stream") != PF_OK) {
		return PF_FAIL;
	}
	return named ? dcall_field(c, err, "Content-Disposition: attachment;filename=\"%.*s\"",
			       (int)name.n, (const char *)name.p)
		     : PF_OK;
}

/* The part at a place among its like: PF_ICAL_NONE: there is none. */
static int part_at(const struct pf_ical *c, size_t place)
{
	size_t passed = 0;

	for (size_t i = 0; i < c->comp_count; i++) {
		int up = c->comp[i].parent;

		if (up != PF_ICAL_NONE && c->comp[up].parent == PF_ICAL_NONE &&
			is_part(c->comp[i].name) && passed++ == place) {
			return (int)i;
		}
	}
	return PF_ICAL_NONE;
}

/* "M" for the master; of an instance its date, or its time in UTC (RFC 8607 section 3.3.2). */
static int write_rid(const struct dstore *s, struct pf_ical *c, size_t place, struct pf_buf *out,
	struct pf_err *err)
{
	int comp = part_at(c, place);
	const struct pf_line *l =
		comp != PF_ICAL_NONE ? pf_ical_find(c, comp, "RECURRENCE-ID") : NULL;
	struct pf_ical_time t;
	struct pf_civil at;
	bool utc;

	if (!l || !pf_ical_line_time(c, l, &t)) {
		return pf_buf_add_str(out, "&rid=M", err);
	}
	utc = t.form == PF_ICAL_UTC || (t.form == PF_ICAL_ZONED && !s->local_rids);
	pf_civil_from_unix(utc ? t.utc_s : t.local_s, &at);
	return t.form == PF_ICAL_DATE
		       ? pf_buf_addf(out, err, "&rid=%04d%02d%02d", at.year, at.month, at.day)
		       : pf_buf_addf(out, err, "&rid=%04d%02d%02dT%02d%02d%02d%s", at.year,
				 at.month, at.day, at.hour, at.minute, at.second, utc ? "Z" : "");
}

static int put_rid(const struct dstore *s, const struct dop *o, size_t place, struct pf_buf *out,
	struct pf_err *err)
{
	struct pf_ical *c = NULL;
	int rc = PF_OK;

	if (o->several) {
		rc = pf_ical_read(pf_blob_span(dop_op(o)->put.body), &c, err);
		rc = rc == PF_OK ? write_rid(s, c, place, out, err) : rc;
		pf_ical_free(&c);
	}
	return rc;
}

/* `place`: of the part that the line is in. */
static int send(
	struct dstore *s, struct dop *o, const struct pf_line *l, size_t place, struct pf_err *err)
{
	struct dcall *c = dcall_new(s, DCALL_ADD, o);
	struct pf_blob *content = NULL;
	struct pf_buf target;
	int rc;

	pf_buf_init(&target, DAV_PATH_MAX);
	rc = pf_buf_add(&target, pf_buf_span(&o->h.end.id), err);
	rc = rc == PF_OK ? pf_buf_add_str(&target, "?action=attachment-add", err) : rc;
	rc = rc == PF_OK ? put_rid(s, o, place, &target, err) : rc;
	rc = rc == PF_OK ? add_fields(c, l, err) : rc;
	rc = rc == PF_OK ? decode(l->value, &content, err) : rc;
	rc = rc == PF_OK ? dcall_send(s, c, "POST", pf_buf_span(&target), content, err) : rc;
	pf_buf_deinit(&target);
	return rc;
}

int dav_managed_start(struct dstore *s, struct dop *o, struct pf_err *err)
{
	struct pf_arena arena;
	struct pf_lines lines;
	struct pf_line l;
	size_t passed = 0, parts = 0;
	int rc, depth = 0;

	pf_arena_init(&arena);
	pf_lines_init(&lines, pf_blob_span(dop_op(o)->put.body), &arena);
	while ((rc = pf_lines_next(&lines, &l, err)) == PF_OK) {
		bool begin = pf_span_is(l.name, "BEGIN");

		depth += begin;
		parts += begin && depth == 2 && is_part(l.value);
		depth -= pf_span_is(l.name, "END");
		if (depth == 2 && is_inline(&l) && passed++ == o->added) {
			rc = send(s, o, &l, parts > 0 ? parts - 1 : 0, err);
			break;
		}
	}
	pf_arena_deinit(&arena);
	return rc == PF_END ? PF_OK : rc;
}

void dav_managed_stored(struct dop *o)
{
	o->adding = true;
	o->h.state = PF_HS_WAITING;
}

/* Its version says whose it is: what somebody else touched meanwhile stays. */
int dav_managed_undo(struct dstore *s, struct dop *o, struct pf_err *err)
{
	struct pf_span v = pf_buf_span(&o->h.end.version);
	struct dcall *c = dcall_new(s, DCALL_UNDO, o);

	if (dcall_field(c, err, "If-Match: %.*s", (int)v.n, (const char *)v.p) != PF_OK ||
		dcall_field(c, err, "Schedule-Reply: F") != PF_OK ||
		dcall_field(c, err, "Scheduling-Enabled: F") != PF_OK) {
		return PF_FAIL;
	}
	return dcall_send(s, c, "DELETE", pf_buf_span(&o->h.end.id), NULL, err);
}

int dav_managed_answer(struct dstore *s, struct dcall *c, const struct pf_http_answer *a,
	const struct pf_dav_said *said, struct pf_err *err)
{
	struct dop *o = c->ops[0];

	if (c->kind == DCALL_UNDO) {
		dop_give(s, o); /* with the reason of the refusal, whatever came of it */
		return PF_OK;
	}
	if (a->status < 200 || a->status > 299) {
		(void)pf_fail(&o->h.end.why, PF_SCOPE_ITEM, PF_RETRY_NO,
			"it is too large with its attachment, and that is not taken by itself: %s",
			said->text);
		o->h.end.failed = true;
		o->h.end.refused = true;
		o->undoing = o->h.end.version.n > 0 && o->h.end.version.n < 300;
		if (o->undoing) {
			o->h.state = PF_HS_WAITING;
		} else {
			dop_give(s, o);
		}
		return PF_OK;
	}
	pf_buf_clear(&o->h.end.version);
	if (++o->added < o->to_add) {
		o->h.state = PF_HS_WAITING;
		return dav_put_etag(a->etag, &o->h.end.version, err);
	}
	dop_give(s, o); /* without a version: the server wrote the references, so it is read back */
	return PF_OK;
}
