#include "stores/wrap/singles.h"

#include "base/buf.h"
#include "base/grow.h"
#include "proto/ical/ical.h"
#include "stores/wrap/wrapper.h"

#include <stdio.h>
#include <stdlib.h>

enum { OUT_MAX = 64 << 20, ID_MAX = 65536, LEFT_MAX = 280, WHY_MAX = 100 };

struct sg_store {
	struct pf_wrapper base;
	struct pf_singles_cfg cfg;
	struct pf_buf *folder; /* ids of those that hold events */
	size_t folder_n, folder_cap;
	uint64_t *get; /* GETs of their items, until they end */
	size_t get_n, get_cap;
	char left[LEFT_MAX];
};

static struct sg_store *store_of(struct pf_wrapper *base)
{
	return pf_container_of(base, struct sg_store, base);
}

/* ---- a document ---- */

struct document {
	struct sg_store *s;
	struct pf_ical *c;
	struct pf_ical_piece *group; /* of one series */
	bool *taken;                 /* of each component: it is single events now */
	struct pf_buf out;
	struct pf_buf note; /* what is to be told */
	struct pf_err *err;
};

static bool is_top(const struct pf_ical *c, int comp)
{
	int up = c->comp[comp].parent;

	return up == PF_ICAL_NONE || pf_ical_comp_is(c, up, "VCALENDAR");
}

static struct pf_span uid_of(const struct pf_ical *c, int comp)
{
	const struct pf_line *l = pf_ical_find(c, comp, "UID");

	return l ? l->value : pf_span(NULL, 0);
}

/* A series and its overrides, in d->group. 0: it is none, or another item has its UID, and nobody
 * can say whose the overrides are. */
static size_t group_of(struct document *d, int master)
{
	struct pf_ical *c = d->c;
	struct pf_span uid = uid_of(c, master);
	bool shared = false;
	size_t n = 1;

	if (!pf_ical_comp_is(c, master, "VEVENT") || !is_top(c, master) || uid.n == 0 ||
		!pf_ical_recurs(c, master) || pf_ical_find(c, master, "RECURRENCE-ID")) {
		return 0;
	}
	d->group[0] = (struct pf_ical_piece){c, master};
	for (size_t i = 0; i < c->comp_count; i++) {
		if ((int)i == master || !is_top(c, (int)i) || !pf_span_eq(uid_of(c, (int)i), uid) ||
			!pf_ical_comp_is(c, (int)i, "VEVENT")) {
			continue;
		}
		if (pf_ical_find(c, (int)i, "RECURRENCE-ID")) {
			d->group[n++] = (struct pf_ical_piece){c, (int)i};
		} else {
			shared = true;
		}
	}
	return shared && n > 1 ? 0 : n;
}

/* Whether the target says it. PF_OK: yes. PF_END: no, `why` says what is the matter. */
static int is_said(struct document *d, const struct pf_ical_piece *v, size_t n, struct pf_err *why)
{
	const struct pf_ical_edit edit = {.uid = {NULL, 0}};
	struct pf_buf text, changes;
	int rc;

	pf_buf_init(&text, OUT_MAX);
	pf_buf_init(&changes, OUT_MAX);
	rc = pf_ical_write(v, n, &edit, &text, &changes, why);
	rc = rc == PF_OK ? d->s->cfg.says(PF_KIND_CALENDAR, pf_buf_span(&text), why) : rc;
	pf_buf_deinit(&text);
	pf_buf_deinit(&changes);
	return rc == PF_OK ? PF_OK : why->scope > PF_SCOPE_ITEM ? PF_FAIL : PF_END;
}

static int tell(struct document *d, const struct pf_ical_singles *told, const struct pf_err *why)
{
	char from[32], to[32];

	pf_date_iso(told->first_utc_s, from);
	pf_date_iso(d->s->cfg.until_utc_s - 1, to);
	return pf_buf_addf(&d->note, d->err,
		"%sa series that the target has no words for (%.*s): single events in its place, "
		"from %.10s to %.10s%s",
		d->note.n > 0 ? "; " : "", WHY_MAX, why->text, from, to,
		told->endless ? "; it has no end, and what comes later is not there"
		: told->more  ? "; what of it comes later is not there"
			      : "");
}

/* One series of the document, if it is one that the target does not say. */
static int take_series(struct document *d, int master)
{
	size_t n = group_of(d, master), before = d->out.n;
	struct pf_ical_singles told = {.n = 0};
	struct pf_err why, ignored;
	struct pf_span first;
	int rc;

	if (n == 0) {
		return PF_OK;
	}
	rc = is_said(d, d->group, n, &why);
	if (rc != PF_END) {
		*d->err = why;
		return rc;
	}
	rc = pf_ical_singles(d->group, n, d->s->cfg.until_utc_s, &d->out, &told, &ignored);
	first = pf_span(d->out.p ? d->out.p + before : NULL, told.first_bytes - before);
	if (rc == PF_OK) { /* what stands against it is not that it is a series */
		rc = d->s->cfg.says(PF_KIND_CALENDAR, first, &ignored);
	}
	if (rc != PF_OK) {
		d->out.n = before;
		*d->err = ignored;
		return ignored.scope > PF_SCOPE_ITEM ? PF_FAIL : PF_OK;
	}
	for (size_t i = 0; i < n; i++) {
		d->taken[d->group[i].comp] = true;
	}
	return tell(d, &told, &why);
}

/* What is not in single events, as it was. */
static int write_rest(struct document *d)
{
	const struct pf_ical_edit edit = {.uid = {NULL, 0}};
	struct pf_ical_piece *rest = calloc(d->c->comp_count + 1, sizeof(*rest));
	struct pf_buf changes;
	size_t n = 0;
	int rc = PF_OK;

	if (!rest) {
		return pf_fail_memory(d->err, "a calendar");
	}
	for (size_t i = 0; i < d->c->comp_count; i++) {
		if (is_top(d->c, (int)i) && !d->taken[i] &&
			!pf_ical_comp_is(d->c, (int)i, "VCALENDAR") &&
			!pf_ical_comp_is(d->c, (int)i, "VTIMEZONE")) {
			rest[n++] = (struct pf_ical_piece){d->c, (int)i};
		}
	}
	pf_buf_init(&changes, OUT_MAX);
	if (n > 0) {
		rc = pf_ical_write(rest, n, &edit, &d->out, &changes, d->err);
	}
	pf_buf_deinit(&changes);
	free(rest);
	return rc;
}

/* PF_END: it stays as it is. */
static int split(struct document *d)
{
	for (size_t i = 0; i < d->c->comp_count; i++) {
		if (take_series(d, (int)i) != PF_OK) {
			return PF_FAIL;
		}
	}
	return d->note.n == 0 ? PF_END : write_rest(d);
}

static int replace(struct document *d, struct pf_store_event *ev)
{
	if (pf_wrapper_replace(ev, pf_buf_span(&d->out), d->err) != PF_OK) {
		return PF_FAIL;
	}
	(void)snprintf(d->s->left, sizeof(d->s->left), "%s%s%.*s", ev->left ? ev->left : "",
		ev->left ? "; " : "", (int)d->note.n, (const char *)d->note.p);
	ev->left = d->s->left;
	ev->left_number = PF_EV_SERIES_SINGLES;
	return PF_OK;
}

static int look_at(struct sg_store *s, struct pf_store_event *ev, struct pf_err *err)
{
	struct document d = {.s = s, .err = err};
	struct pf_ical_piece *group;
	bool *taken;
	struct pf_err ignored; /* what can't be read is for the engine to say */
	int rc = PF_OK;

	if (pf_ical_read(pf_blob_span(ev->body), &d.c, &ignored) != PF_OK) {
		pf_ical_free(&d.c);
		return PF_OK;
	}
	pf_buf_init(&d.out, OUT_MAX);
	pf_buf_init(&d.note, 1 << 20);
	group = calloc(d.c->comp_count + 1, sizeof(*group));
	taken = calloc(d.c->comp_count + 1, sizeof(*taken));
	d.group = group;
	d.taken = taken;
	rc = group && taken ? split(&d) : pf_fail_memory(err, "a calendar");
	rc = rc == PF_OK ? replace(&d, ev) : rc == PF_END ? PF_OK : rc;
	if (rc == PF_FAIL && err->scope <= PF_SCOPE_ITEM) {
		rc = PF_OK; /* it stays as it is */
	}
	free(group);
	free(taken);
	pf_buf_deinit(&d.out);
	pf_buf_deinit(&d.note);
	pf_ical_free(&d.c);
	return rc;
}

/* ---- the store ---- */

static bool holds_events(const struct sg_store *s, struct pf_span id)
{
	for (size_t i = 0; i < s->folder_n; i++) {
		if (pf_span_eq(pf_buf_span(&s->folder[i]), id)) {
			return true;
		}
	}
	return false;
}

static int note_folder(struct sg_store *s, const struct pf_folder *f, struct pf_err *err)
{
	uint32_t kinds = f->kinds ? f->kinds : (uint32_t)f->kind;
	struct pf_buf *grown;

	if (!(kinds & PF_KIND_CALENDAR) || holds_events(s, f->id)) {
		return PF_OK;
	}
	grown = pf_grown(s->folder, s->folder_n, &s->folder_cap, sizeof(*grown));
	if (!grown) {
		return pf_fail_memory(err, "a list of folders");
	}
	s->folder = grown;
	pf_buf_init(&s->folder[s->folder_n], ID_MAX);
	return pf_buf_add(&s->folder[s->folder_n++], f->id, err);
}

static int room_for_get(struct sg_store *s, struct pf_err *err)
{
	uint64_t *grown = pf_grown(s->get, s->get_n, &s->get_cap, sizeof(*grown));

	if (!grown) {
		return pf_fail_memory(err, "a request");
	}
	s->get = grown;
	return PF_OK;
}

static int submit(struct pf_wrapper *base, const struct pf_op *op, struct pf_err *err)
{
	struct sg_store *s = store_of(base);
	bool event = op->kind == PF_OP_GET && op->get.part == PF_PART_WHOLE &&
		     holds_events(s, op->folder);
	int rc = event ? room_for_get(s, err) : PF_OK;

	rc = rc == PF_OK ? pf_store_submit(base->inner, op, err) : rc;
	if (rc == PF_OK && event) {
		s->get[s->get_n++] = op->id;
	}
	return rc;
}

static int take(struct pf_wrapper *base, struct pf_store_event *ev, struct pf_err *err)
{
	struct sg_store *s = store_of(base);
	size_t i = 0;

	if (ev->kind == PF_STORE_FOLDER) {
		return note_folder(s, ev->folder, err);
	}
	while (i < s->get_n && s->get[i] != ev->op) {
		i++;
	}
	if (i == s->get_n) {
		return PF_OK;
	}
	if (ev->kind == PF_STORE_DONE || ev->kind == PF_STORE_FAILED) {
		s->get[i] = s->get[--s->get_n];
	}
	return ev->kind == PF_STORE_BODY ? look_at(s, ev, err) : PF_OK;
}

static void deinit(struct pf_wrapper *base)
{
	struct sg_store *s = store_of(base);

	for (size_t i = 0; i < s->folder_n; i++) {
		pf_buf_deinit(&s->folder[i]);
	}
	free(s->folder);
	free(s->get);
}

static const struct pf_wrapper_does DOES = {submit, NULL, take, NULL, deinit};

int pf_singles_open(struct pf_store *inner, const struct pf_singles_cfg *cfg, struct pf_store **out,
	struct pf_err *err)
{
	struct sg_store *s = pf_wrapper_new(sizeof(*s), inner, &DOES, err);

	if (!s) {
		return PF_FAIL;
	}
	s->cfg = *cfg;
	*out = &s->base.base;
	return PF_OK;
}
