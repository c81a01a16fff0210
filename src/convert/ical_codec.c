#include "convert/ical_codec.h"

#include "base/utf8.h"
#include "proto/ical/ical.h"
#include "proto/line/text.h"

#include <stdio.h>
#include <stdlib.h>

enum {
	OUT_MAX = 256 << 20,
	PARTS_MAX = 1 << 20,
	PROBED_MAX = 20000, /* instants looked at for one override */
};

struct pf_doc {
	struct pf_ical *c;
	struct pf_span bytes; /* a copy, for those that are not changed */
	struct pf_component *part;
	int *comp; /* of each part */
	size_t n;
};

static const struct {
	const char *name;
	enum pf_kind kind;
} KINDS[] = {
	{"VEVENT", PF_KIND_CALENDAR},
	{"VTODO", PF_KIND_TASKS},
	{"VJOURNAL", PF_KIND_NOTES},
	{"VFREEBUSY", PF_KIND_CALENDAR},
};

/* ---- reading ---- */

static int64_t time_line(struct pf_ical *c, int comp, const char *name)
{
	const struct pf_line *l = pf_ical_find(c, comp, name);
	struct pf_ical_time t;

	return l && pf_ical_line_time(c, l, &t) ? t.utc_s : PF_DATE_NONE;
}

static uint32_t number_line(const struct pf_ical *c, int comp, const char *name)
{
	const struct pf_line *l = pf_ical_find(c, comp, name);
	uint32_t n = 0;

	for (size_t i = 0; l && i < l->value.n && l->value.p[i] >= '0' && l->value.p[i] <= '9' &&
			   n < 100000000;
		i++) {
		n = n * 10 + (uint32_t)(l->value.p[i] - '0');
	}
	return n;
}

static struct pf_span text_line(
	struct pf_ical *c, int comp, const char *name, bool lower, struct pf_err *err)
{
	const struct pf_line *l = pf_ical_find(c, comp, name);
	struct pf_span out = pf_span(NULL, 0);
	struct pf_buf b;

	if (!l || l->value.n == 0) {
		return out;
	}
	pf_buf_init(&b, OUT_MAX);
	if (pf_text_unescape(l->value, &b, err) == PF_OK) {
		for (size_t i = 0; lower && i < b.n; i++) {
			b.p[i] = pf_ascii_lower(b.p[i]);
		}
		out = pf_arena_span(&c->arena, pf_buf_span(&b));
	}
	pf_buf_deinit(&b);
	return out;
}

static uint32_t count_lines(const struct pf_ical *c, int comp, const char *name)
{
	uint32_t n = 0;

	for (size_t i = pf_ical_next_line(c, comp, c->comp[comp].begin); i != SIZE_MAX;
		i = pf_ical_next_line(c, comp, i)) {
		n += pf_span_is(c->line[i].name, name);
	}
	return n;
}

static void read_instance(struct pf_ical *c, int comp, struct pf_component *p)
{
	const struct pf_line *l = pf_ical_find(c, comp, "RECURRENCE-ID");
	struct pf_ical_time t;

	p->is_override = l != NULL;
	if (l && pf_ical_line_time(c, l, &t)) {
		struct pf_span range = pf_params_find(l->params, "RANGE");

		p->rid_utc_s = t.utc_s;
		p->rid_is_date = t.form == PF_ICAL_DATE;
		p->and_future = range.p && pf_span_is(range, "THISANDFUTURE");
	}
}

static int digest_text(const struct pf_buf *text, struct pf_digest *out, struct pf_err *err)
{
	struct pf_hash *h = pf_hash_new();

	if (!h) {
		return pf_fail_memory(err, "the meaning of an item");
	}
	pf_hash_add(h, pf_buf_span(text));
	pf_hash_take(h, out);
	pf_hash_free(&h);
	return PF_OK;
}

static int digest_of(
	const struct pf_ical_piece *pieces, size_t n, struct pf_digest *out, struct pf_err *err)
{
	struct pf_buf text;
	int rc;

	pf_buf_init(&text, OUT_MAX);
	rc = pf_ical_canonical(pieces, n, &text, err);
	rc = rc == PF_OK ? digest_text(&text, out, err) : rc;
	pf_buf_deinit(&text);
	return rc;
}

/* Exchange 2000 and 2003 give each instance of a series that somebody looked at as an object of its
 * own as well, with the UID of the series and type 2. */
static int read_expanded(struct pf_ical *c, int comp, struct pf_component *p, struct pf_err *err)
{
	const struct pf_line *type = pf_ical_find(c, comp, "X-MICROSOFT-CDO-INSTTYPE");
	struct pf_buf text;
	int rc;

	p->expanded = type && pf_span_is(type->value, "2") && !p->is_override && !p->recurs &&
		      p->begin_utc_s != PF_DATE_NONE;
	if (p->expanded) {
		p->rid_utc_s = p->begin_utc_s;
	} else if (!p->recurs) {
		return PF_OK;
	}
	pf_buf_init(&text, OUT_MAX);
	rc = pf_ical_says(&(struct pf_ical_piece){c, comp}, &text, err);
	rc = rc == PF_OK ? digest_text(&text, &p->says, err) : rc;
	pf_buf_deinit(&text);
	return rc;
}

static int read_part(struct pf_doc *d, int comp, enum pf_kind kind, struct pf_err *err)
{
	struct pf_ical *c = d->c;
	struct pf_component *p = &d->part[d->n];
	const struct pf_ical_piece piece = {c, comp};
	struct pf_ical_time begin;

	*p = (struct pf_component){.kind = kind, .begin_utc_s = PF_DATE_NONE, .day_s = -1};
	pf_err_clear(err);
	p->uid = text_line(c, comp, "UID", false, err);
	p->summary = text_line(c, comp, "SUMMARY", false, err);
	p->organizer = text_line(c, comp, "ORGANIZER", true, err);
	p->meant = text_line(c, comp, "X-POSTFERRY-MEANT", false, err);
	if (err->text[0]) {
		return PF_FAIL;
	}
	if (p->organizer.p && pf_span_starts(p->organizer, "mailto:")) {
		p->organizer = pf_span_from(p->organizer, 7);
	}
	p->has_organizer = p->organizer.p != NULL;
	p->attendees = count_lines(c, comp, "ATTENDEE");
	p->recurs = pf_ical_recurs(c, comp);
	p->rekeyed = pf_ical_find(c, comp, "X-POSTFERRY-ORIGINAL-UID") != NULL;
	p->sequence = number_line(c, comp, "SEQUENCE");
	p->created_utc_s = time_line(c, comp, "CREATED");
	p->modified_utc_s = time_line(c, comp, "LAST-MODIFIED");
	p->stamp_utc_s = time_line(c, comp, "DTSTAMP");
	read_instance(c, comp, p);
	if (pf_ical_begin(c, comp, &begin)) {
		p->begin_utc_s = begin.utc_s;
		p->day_s = begin.form == PF_ICAL_DATE
				   ? -1
				   : (int32_t)((begin.local_s % 86400 + 86400) % 86400);
	}
	d->comp[d->n++] = comp;
	return read_expanded(c, comp, p, err) == PF_OK ? digest_of(&piece, 1, &p->meaning, err)
						       : PF_FAIL;
}

static int read_parts(struct pf_doc *d, struct pf_err *err)
{
	struct pf_ical *c = d->c;

	d->part = calloc(c->comp_count + 1, sizeof(*d->part));
	d->comp = calloc(c->comp_count + 1, sizeof(*d->comp));
	if (!d->part || !d->comp) {
		return pf_fail_memory(err, "a calendar");
	}
	for (size_t i = 0; i < c->comp_count; i++) {
		int up = c->comp[i].parent;

		if (up != PF_ICAL_NONE && !pf_ical_comp_is(c, up, "VCALENDAR")) {
			continue; /* one without a calendar around it is one all the same */
		}
		for (size_t k = 0; k < PF_COUNT(KINDS); k++) {
			if (pf_ical_comp_is(c, (int)i, KINDS[k].name) &&
				read_part(d, (int)i, KINDS[k].kind, err) != PF_OK) {
				return PF_FAIL;
			}
		}
	}
	return d->n > 0 ? PF_OK
			: pf_fail(err, PF_SCOPE_ITEM, PF_RETRY_NO,
				  "a calendar without any event, task or note in it");
}

static void free_doc(struct pf_doc **doc)
{
	struct pf_doc *d = *doc;

	if (!d) {
		return;
	}
	pf_ical_free(&d->c);
	free(d->part);
	free(d->comp);
	free(d);
	*doc = NULL;
}

static int read(struct pf_span bytes, struct pf_doc **out, struct pf_err *err)
{
	struct pf_doc *d = calloc(1, sizeof(*d));
	int rc;

	if (!d) {
		return pf_fail_memory(err, "a calendar");
	}
	rc = pf_ical_read(bytes, &d->c, err);
	if (rc == PF_OK) {
		d->bytes = pf_arena_span(&d->c->arena, bytes);
		rc = d->bytes.p ? read_parts(d, err) : pf_fail_memory(err, "a calendar");
	}
	if (rc != PF_OK) {
		free_doc(&d);
		return rc;
	}
	*out = d;
	return PF_OK;
}

static size_t parts(const struct pf_doc *doc)
{
	return doc->n;
}

static const struct pf_component *part(const struct pf_doc *doc, size_t i)
{
	return &doc->part[i];
}

/* ---- meaning ---- */

static struct pf_ical_piece *native(const struct pf_piece *pieces, size_t n, struct pf_err *err)
{
	struct pf_ical_piece *v = calloc(n + 1, sizeof(*v));

	if (!v) {
		(void)pf_fail_memory(err, "an item");
		return NULL;
	}
	for (size_t i = 0; i < n; i++) {
		v[i] = (struct pf_ical_piece){
			pieces[i].doc->c, pieces[i].doc->comp[pieces[i].part]};
	}
	return v;
}

static int fingerprint(
	const struct pf_piece *pieces, size_t n, struct pf_digest *out, struct pf_err *err)
{
	struct pf_ical_piece *v;
	int rc;

	if (n == 1) { /* was found when it was read */
		*out = pieces[0].doc->part[pieces[0].part].meaning;
		return PF_OK;
	}
	v = native(pieces, n, err);
	rc = v ? digest_of(v, n, out, err) : PF_FAIL;

	free(v);
	return rc;
}

static int tell(const struct pf_piece *pieces, size_t n, struct pf_buf *out, struct pf_err *err)
{
	struct pf_ical_piece *v = native(pieces, n, err);
	int rc = v ? pf_ical_canonical(v, n, out, err) : PF_FAIL;

	free(v);
	return rc;
}

static bool recurs_at(const struct pf_piece *master, int64_t rid_utc_s, bool rid_is_date)
{
	struct pf_ical *c = master->doc->c;
	struct pf_ical_set set;
	struct pf_err ignored; /* no memory: then it does not fit, and stands alone */
	bool has = false;

	if (pf_ical_instants(c, master->doc->comp[master->part], rid_utc_s + 86400, PROBED_MAX,
		    &set, &ignored) == PF_OK) {
		has = pf_ical_set_has(&set, rid_utc_s);
		for (size_t i = 0; rid_is_date && !has && i < set.n; i++) {
			has = set.at[i] >= rid_utc_s && set.at[i] < rid_utc_s + 86400;
		}
	}
	pf_ical_set_deinit(&set);
	return has;
}

static bool yields(const struct pf_piece *master, int64_t begin_utc_s, const struct pf_digest *says)
{
	const struct pf_component *p = &master->doc->part[master->part];
	struct pf_ical_set ex = {0};
	struct pf_err ignored; /* no memory: then it stays an item */
	bool yes = p->recurs && pf_digest_eq(&p->says, says) &&
		   recurs_at(master, begin_utc_s, false) &&
		   pf_ical_exdates(master->doc->c, master->doc->comp[master->part], &ex,
			   &ignored) == PF_OK &&
		   !pf_ical_set_has(&ex, begin_utc_s);

	pf_ical_set_deinit(&ex);
	return yes;
}

/* ---- composing ---- */

/* The pieces are all that their document has: it can go as it is. */
static bool is_whole(const struct pf_piece *pieces, size_t n)
{
	for (size_t i = 1; i < n; i++) {
		if (pieces[i].doc != pieces[0].doc) {
			return false;
		}
	}
	return n == pieces[0].doc->n;
}

static bool changes_nothing(const struct pf_compose *how)
{
	return !how->uid.p && how->schedule == PF_SCHEDULE_KEEP && !how->alone && !how->repair &&
	       !how->meant.p && how->wanted_n == 0;
}

static int compose(const struct pf_piece *pieces, size_t n, const struct pf_compose *how,
	struct pf_composed *out, struct pf_err *err)
{
	static const char *const AGENTS[] = {NULL, "NONE", "CLIENT"};
	const struct pf_ical_edit edit = {
		.uid = how->uid,
		.agent = AGENTS[how->schedule],
		.alone = how->alone,
		.repair = how->repair,
		.meant = how->meant,
		.wanted = how->wanted,
		.wanted_n = how->wanted_n,
	};
	struct pf_span bytes = pieces[0].doc->bytes;
	struct pf_ical_piece *v = NULL;
	struct pf_buf b, what;
	int rc = PF_OK;

	pf_buf_init(&b, OUT_MAX);
	pf_buf_init(&what, OUT_MAX); /* cut below: it is for people */
	if (!is_whole(pieces, n) || !changes_nothing(how)) {
		v = native(pieces, n, err);
		rc = v ? pf_ical_write(v, n, &edit, &b, &what, err) : PF_FAIL;
		bytes = pf_buf_span(&b);
	}
	out->body = rc == PF_OK ? pf_blob_new(bytes.n) : NULL;
	if (rc == PF_OK && !out->body) {
		rc = pf_fail_memory(err, "an item");
	}
	if (rc == PF_OK) {
		memcpy(out->body->bytes, bytes.p, bytes.n);
	}
	(void)snprintf(out->changes, sizeof(out->changes), "%.*s", (int)what.n,
		what.n > 0 ? (const char *)what.p : "");
	free(v);
	pf_buf_deinit(&b);
	pf_buf_deinit(&what);
	return rc;
}

/* ---- occurrences ---- */

/* Title and status as the meaning of an item has them, however they are written. */
static int say_what(struct pf_ical *c, int comp, struct pf_digest *out, struct pf_err *err)
{
	const struct pf_line *title = pf_ical_find(c, comp, "SUMMARY");
	const struct pf_line *status = pf_ical_find(c, comp, "STATUS");
	struct pf_hash *h = pf_hash_new();
	struct said k;
	int rc;

	if (!h) {
		return pf_fail_memory(err, "an occurrence");
	}
	said_init(&k, err);
	said_begin(&k);
	if (status) {
		said_upper(&k, status->value);
	}
	said_text(&k, ":");
	if (title) {
		(void)said_plain(&k, title->value);
	}
	rc = k.rc;
	if (rc == PF_OK) {
		pf_hash_add(h, pf_buf_span(&k.text));
		pf_hash_take(h, out);
	}
	said_deinit(&k);
	pf_hash_free(&h);
	return rc;
}

static bool is_overridden(const struct pf_piece *pieces, size_t n, int64_t at)
{
	for (size_t i = 0; i < n; i++) {
		const struct pf_component *p = part(pieces[i].doc, pieces[i].part);

		if (p->is_override && p->rid_utc_s == at) {
			return true;
		}
	}
	return false;
}

static void add_instance(
	struct pf_window *w, int64_t begin, int64_t end, const struct pf_digest *what)
{
	bool inside = end > w->from_utc_s || (begin == end && begin >= w->from_utc_s);

	if (begin < w->to_utc_s && inside) {
		if (w->n < w->max) {
			w->out[w->n] = (struct pf_instance){begin, end, *what};
		}
		w->n++;
	}
}

/* An override that is there twice is one instance: only the first of them is kept in a copy. */
static bool is_again(const struct pf_piece *pieces, size_t i)
{
	const struct pf_component *o = part(pieces[i].doc, pieces[i].part);

	for (size_t k = 0; o->is_override && k < i; k++) {
		const struct pf_component *p = part(pieces[k].doc, pieces[k].part);

		if (p->is_override && p->rid_utc_s == o->rid_utc_s &&
			p->rid_is_date == o->rid_is_date &&
			pf_digest_eq(&p->meaning, &o->meaning)) {
			return true;
		}
	}
	return false;
}

static int expand_one(
	const struct pf_piece *pieces, size_t n, size_t i, struct pf_window *s, struct pf_err *err)
{
	struct pf_ical *c = pieces[i].doc->c;
	int comp = pieces[i].doc->comp[pieces[i].part];
	bool override = part(pieces[i].doc, pieces[i].part)->is_override;
	struct pf_ical_time begin;
	struct pf_ical_set set = {0}, ex = {0};
	struct pf_digest what;
	int64_t lasts;
	int rc = say_what(c, comp, &what, err);

	if (rc != PF_OK || !pf_ical_begin(c, comp, &begin)) {
		return rc;
	}
	lasts = pf_ical_end(c, comp, &begin) - begin.utc_s;
	if (override || !pf_ical_recurs(c, comp)) {
		add_instance(s, begin.utc_s, begin.utc_s + lasts, &what);
		return PF_OK;
	}
	rc = pf_ical_instants(c, comp, s->to_utc_s, PROBED_MAX, &set, err);
	rc = rc == PF_OK ? pf_ical_exdates(c, comp, &ex, err) : rc;
	for (size_t k = 0; rc == PF_OK && k < set.n; k++) {
		if (!pf_ical_set_has(&ex, set.at[k]) && !is_overridden(pieces, n, set.at[k])) {
			add_instance(s, set.at[k], set.at[k] + lasts, &what);
		}
	}
	pf_ical_set_deinit(&set);
	pf_ical_set_deinit(&ex);
	return rc;
}

static int by_begin(const void *a, const void *b)
{
	const struct pf_instance *x = a, *y = b;

	if (x->begin_utc_s != y->begin_utc_s) {
		return x->begin_utc_s < y->begin_utc_s ? -1 : 1;
	}
	return memcmp(&x->what, &y->what, sizeof(x->what));
}

static int expand(
	const struct pf_piece *pieces, size_t n, struct pf_window *window, struct pf_err *err)
{
	int rc = PF_OK;

	window->n = 0;
	for (size_t i = 0; i < n && rc == PF_OK; i++) {
		rc = is_again(pieces, i) ? PF_OK : expand_one(pieces, n, i, window, err);
	}
	if (rc == PF_OK && window->n > 1) {
		qsort(window->out, window->n < window->max ? window->n : window->max,
			sizeof(*window->out), by_begin);
	}
	return rc;
}

const struct pf_codec pf_ical_codec = {
	.name = "iCalendar",
	.kinds = PF_KIND_CALENDAR | PF_KIND_TASKS | PF_KIND_NOTES,
	.media = "text/calendar",
	.version = PF_ICAL_MEANING_VERSION,
	.read = read,
	.free = free_doc,
	.parts = parts,
	.part = part,
	.fingerprint = fingerprint,
	.tell = tell,
	.recurs_at = recurs_at,
	.yields = yields,
	.compose = compose,
	.single = pf_ical_is_single,
	.expand = expand,
};
