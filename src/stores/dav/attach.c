/*
 * Attachments that an item only refers to (ATTACH with a URI, RFC 5545 section 3.8.1.1; managed
 * ones, RFC 8607): what lies on the very server that the item is from would be out of reach at the
 * target, so its bytes are fetched and put into the item. Nothing is asked of any other origin.
 * What can't be had, or would make the item too large, stays a reference, and the body says so.
 */
#include "stores/dav/dav_private.h"

#include "base/utf8.h"
#include "model/mime.h"
#include "proto/line/line.h"

#include <stdio.h>

enum { LINKS_MAX = 1000 };

/* Path and query of a reference to this very server; absent: it is none. */
static struct pf_span target_of(struct dstore *s, struct pf_span uri)
{
	enum pf_dav_where where = PF_DAV_NOWHERE;
	struct pf_err ignored; /* longer than any path: then it stays */
	size_t n = pf_span_starts(uri, "https://") ? 8 : 7;

	pf_buf_clear(&s->id_out);
	if (!(pf_span_starts(uri, "https://") || pf_span_starts(uri, "http://")) ||
		pf_dav_href(uri, pf_span_str("/"), &s->origin, false, &s->id_out, &where,
			&ignored) != PF_OK ||
		where != PF_DAV_HERE) {
		return pf_span(NULL, 0);
	}
	while (n < uri.n && uri.p[n] != '/') {
		n++;
	}
	uri = pf_span_from(uri, n);
	for (n = 0; n < uri.n && uri.p[n] != '#'; n++) {
		if (uri.p[n] <= ' ' || uri.p[n] > '~') {
			return pf_span(NULL, 0); /* no URI */
		}
	}
	return n > 0 ? pf_span(uri.p, n) : pf_span(NULL, 0);
}

/* The next reference to be followed; those before it stay. false: there is none. */
static bool find_link(struct dstore *s, const struct dop *o, struct pf_arena *arena,
	struct pf_line *out, struct pf_span *target)
{
	struct pf_lines lines;
	struct pf_err ignored; /* no memory: then the references stay */
	size_t passed = 0;

	pf_lines_init(&lines, pf_blob_span(o->body), arena);
	while (pf_lines_next(&lines, out, &ignored) == PF_OK) {
		if (!pf_span_is(out->name, "ATTACH") || pf_params_find(out->params, "ENCODING").p) {
			continue;
		}
		*target = target_of(s, out->value);
		if (target->p && passed++ == o->links_left) {
			return true;
		}
	}
	return false;
}

static bool has_links(struct dstore *s, const struct dop *o)
{
	struct pf_arena arena;
	struct pf_line line;
	struct pf_span target;
	bool has;

	if (s->contacts || !memmem(o->body->bytes, o->body->n, "ATTACH", 6)) {
		return false;
	}
	pf_arena_init(&arena);
	has = find_link(s, o, &arena, &line, &target);
	pf_arena_deinit(&arena);
	return has;
}

void dav_attach_next(struct dstore *s, struct dop *o)
{
	o->linking = o->links_left < LINKS_MAX && has_links(s, o);
	o->alone = true;
	if (o->linking) {
		o->h.state = PF_HS_WAITING;
	} else {
		dop_give(s, o);
	}
}

int dav_attach_start(struct dstore *s, struct dop *o, struct pf_err *err)
{
	struct dcall *c = dcall_new(s, DCALL_ATTACH, o);
	struct pf_arena arena;
	struct pf_line line;
	struct pf_span target;
	int rc = PF_OK;

	pf_arena_init(&arena);
	if (find_link(s, o, &arena, &line, &target)) {
		rc = dcall_send(s, c, "GET", target, NULL, err);
	}
	pf_arena_deinit(&arena);
	return rc;
}

void dav_attach_left(struct dstore *s, struct dop *o, const char *why)
{
	if (!o->left[0]) {
		(void)snprintf(o->left, sizeof(o->left),
			"an attachment on the server stays a reference to it: %.200s", why);
	}
	o->links_left++;
	dav_attach_next(s, o);
}

/* The parameters that stay true: those of managed attachments are the server's own. */
static int put_head(const struct pf_line *l, struct pf_buf *out, struct pf_err *err)
{
	struct pf_span rest = l->params, name, value;
	const uint8_t *at = rest.p;
	int rc = pf_buf_add(out, l->name, err);

	while (rc == PF_OK && pf_params_next(&rest, &name, &value)) {
		if (!pf_span_is(name, "MANAGED-ID") && !pf_span_is(name, "SIZE") &&
			!pf_span_is(name, "VALUE")) {
			rc = pf_buf_add(out, pf_span(at, (size_t)(rest.p - at)), err);
		}
		at = rest.p;
	}
	return rc == PF_OK ? pf_buf_add_str(out, ";ENCODING=BASE64;VALUE=BINARY", err) : rc;
}

/* One line, as the item is to have it. */
static int put_line(
	const struct pf_line *l, struct pf_span content, struct pf_buf *out, struct pf_err *err)
{
	struct pf_buf head, coded;
	size_t n = 0;
	int rc;

	pf_buf_init(&head, DAV_TEXT_MAX);
	pf_buf_init(&coded, 2 * (size_t)DAV_ITEM_MAX);
	rc = put_head(l, &head, err);
	rc = rc == PF_OK ? pf_mime_base64(content, &coded, err) : rc;
	for (size_t i = 0; i < coded.n; i++) { /* folding is the line's own */
		if (coded.p[i] > ' ') {
			coded.p[n++] = coded.p[i];
		}
	}
	coded.n = n;
	if (rc == PF_OK) {
		rc = pf_line_write(out, pf_buf_span(&head), pf_buf_span(&coded), err);
	}
	pf_buf_deinit(&head);
	pf_buf_deinit(&coded);
	return rc;
}

/* PF_END: it does not fit. */
static int put_in(
	struct dop *o, const struct pf_line *l, struct pf_span content, struct pf_err *err)
{
	struct pf_span body = pf_blob_span(o->body);
	size_t at = (size_t)(l->raw.p - body.p);
	struct pf_blob *grown;
	struct pf_buf b;
	int rc;

	if (content.n / 3 * 4 + content.n / 32 + body.n + 4096 > dop_op(o)->get.whole_max) {
		return PF_END;
	}
	pf_buf_init(&b, 3 * (size_t)DAV_ITEM_MAX);
	rc = pf_buf_add(&b, pf_span(body.p, at), err);
	rc = rc == PF_OK ? put_line(l, content, &b, err) : rc;
	rc = rc == PF_OK ? pf_buf_add(&b, pf_span_from(body, at + l->raw.n), err) : rc;
	grown = rc == PF_OK ? pf_blob_new(b.n) : NULL;
	if (rc == PF_OK && !grown) {
		rc = pf_fail_memory(err, "an item");
	}
	if (rc == PF_OK) {
		memcpy(grown->bytes, b.p, b.n);
		pf_blob_unref(&o->body);
		o->body = grown;
	}
	pf_buf_deinit(&b);
	return rc;
}

int dav_attach_answer(struct dstore *s, struct dcall *c, const struct pf_http_answer *a,
	const struct pf_dav_said *said, struct pf_err *err)
{
	struct dop *o = c->ops[0];
	struct pf_arena arena;
	struct pf_line line;
	struct pf_span target;
	int rc = PF_END;

	if (a->status != 200) {
		dav_attach_left(s, o, said->text[0] ? said->text : "it is not given");
		return PF_OK;
	}
	pf_arena_init(&arena);
	if (find_link(s, o, &arena, &line, &target)) {
		rc = put_in(o, &line, a->body, err);
	}
	pf_arena_deinit(&arena);
	if (rc == PF_END) {
		dav_attach_left(s, o, "the item would be too large with it");
		return PF_OK;
	}
	if (rc == PF_OK) {
		dav_attach_next(s, o);
	}
	return rc;
}
