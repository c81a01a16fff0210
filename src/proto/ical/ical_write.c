/*
 * An item written anew, with the least change: lines that are not concerned are copied octet for
 * octet (only their line ends become CRLF). Of each calendar that a piece is from come its own
 * lines and the VTIMEZONEs; each zone once.
 */
#include "proto/ical/ical_writer.h"

#include <stdio.h>
#include <stdlib.h>

static const char PRODID[] = "-//postferry//postferry//EN";

static void put(struct ical_writer *w, struct pf_span s)
{
	if (w->rc == PF_OK) {
		w->rc = pf_buf_add(w->out, s, w->err);
	}
}

void ical_put_line(struct ical_writer *w, const char *head, struct pf_span value)
{
	if (w->rc == PF_OK) {
		w->rc = pf_line_write(w->out, pf_span_str(head), value, w->err);
	}
}

/* A repair, told once however often it was made. */
void ical_changed(struct ical_writer *w, const char *what)
{
	size_t n = strlen(what);

	for (size_t i = 0; i + n <= w->changes->n; i++) {
		if (memcmp(w->changes->p + i, what, n) == 0) {
			return;
		}
	}
	if (w->rc == PF_OK) {
		w->rc = pf_buf_addf(
			w->changes, w->err, "%s%s", w->changes->n > 0 ? ", " : "", what);
	}
}

/* As it stands; every line end within becomes CRLF. */
static void put_raw(struct ical_writer *w, const struct pf_line *l)
{
	struct pf_span rest = l->raw;

	while (rest.n > 0) {
		size_t n = 0;

		while (n < rest.n && rest.p[n] != '\r' && rest.p[n] != '\n') {
			n++;
		}
		if (n > 0) {
			put(w, pf_span(rest.p, n));
			put(w, pf_span("\r\n", 2));
		}
		n += n + 1 < rest.n && rest.p[n] == '\r' && rest.p[n + 1] == '\n' ? 2 : 1;
		rest = pf_span_from(rest, n);
	}
}

void ical_put_changed(
	struct ical_writer *w, const struct pf_line *l, struct pf_span params, struct pf_span value)
{
	struct pf_buf head;

	if (w->rc != PF_OK) {
		return;
	}
	pf_buf_init(&head, 1 << 24);
	w->rc = pf_buf_add(&head, l->name, w->err);
	w->rc = w->rc == PF_OK ? pf_buf_add(&head, params, w->err) : w->rc;
	w->rc = w->rc == PF_OK ? pf_line_write(w->out, pf_buf_span(&head), value, w->err) : w->rc;
	pf_buf_deinit(&head);
}

/* ---- single lines ---- */

static void put_uid(struct ical_writer *w, const struct pf_line *l, bool had_original)
{
	ical_put_line(w, "UID", w->edit->uid);
	if (!had_original && l && l->value.n > 0) {
		ical_put_line(w, "X-POSTFERRY-ORIGINAL-UID", l->value);
	}
}

static void put_person(struct ical_writer *w, const struct pf_line *l)
{
	struct pf_span rest = l->params, name, value;
	struct pf_buf params;
	const uint8_t *at = rest.p;

	pf_buf_init(&params, 1 << 24);
	while (w->rc == PF_OK && pf_params_next(&rest, &name, &value)) {
		if (!pf_span_is(name, "SCHEDULE-AGENT")) {
			w->rc = pf_buf_add(&params, pf_span(at, (size_t)(rest.p - at)), w->err);
		}
		at = rest.p;
	}
	if (w->rc == PF_OK) {
		w->rc = pf_buf_addf(&params, w->err, ";SCHEDULE-AGENT=%s", w->edit->agent);
	}
	ical_put_changed(w, l, pf_buf_span(&params), l->value);
	pf_buf_deinit(&params);
}

static bool is_wanted(const struct ical_writer *w, int64_t at)
{
	for (size_t i = 0; i < w->edit->wanted_n; i++) {
		if (w->edit->wanted[i] == at) {
			return true;
		}
	}
	return false;
}

/* EXDATE without the instants for which an override was found. */
static void put_exdate(struct ical_writer *w, struct pf_ical *c, const struct pf_line *l)
{
	struct pf_span rest = l->value, part;
	struct pf_buf kept;
	bool cut = false;

	pf_buf_init(&kept, 1 << 24);
	while (w->rc == PF_OK && pf_value_next(&rest, ',', &part)) {
		struct pf_ical_time t;

		if (pf_ical_time_of(c, l, part, &t) && is_wanted(w, t.utc_s)) {
			cut = true;
			continue;
		}
		w->rc = kept.n > 0 ? pf_buf_add(&kept, pf_span(",", 1), w->err) : PF_OK;
		w->rc = w->rc == PF_OK ? pf_buf_add(&kept, part, w->err) : w->rc;
	}
	if (!cut) {
		put_raw(w, l);
	} else if (kept.n > 0) {
		ical_put_changed(w, l, l->params, pf_buf_span(&kept));
	}
	pf_buf_deinit(&kept);
}

/* ---- components ---- */

static void put_within(struct ical_writer *w, struct pf_ical *c, int comp)
{
	for (size_t i = c->comp[comp].begin; i <= c->comp[comp].end && i < c->line_count; i++) {
		const struct pf_line *l = &c->line[i];

		if (!(w->edit->repair &&
			    (l->bad || ical_is_blank(l) || ical_put_trigger(w, c, l)))) {
			put_raw(w, l);
		}
	}
}

static void put_one(struct ical_writer *w, struct pf_ical *c, int comp, size_t i, bool short_)
{
	const struct pf_ical_edit *e = w->edit;
	const struct pf_line *l = &c->line[i];
	bool original = pf_ical_find(c, comp, "X-POSTFERRY-ORIGINAL-UID") != NULL;

	if (e->uid.p && pf_span_is(l->name, "UID")) {
		if (l == pf_ical_find(c, comp, "UID")) { /* a second one goes */
			put_uid(w, l, original);
		}
	} else if ((e->single_utc_s && ical_put_single(w, c, comp, l)) ||
		   (e->meant.p && pf_span_is(l->name, "X-POSTFERRY-MEANT"))) {
		return; /* of these it has others now */
	} else if (e->agent &&
		   (pf_span_is(l->name, "ATTENDEE") || pf_span_is(l->name, "ORGANIZER"))) {
		put_person(w, l);
	} else if (e->alone && w->n == 1 && pf_span_is(l->name, "RECURRENCE-ID")) {
		struct pf_line renamed = *l;

		renamed.name = pf_span_str("X-POSTFERRY-ORIGINAL-RECURRENCE-ID");
		ical_put_changed(w, &renamed, l->params, l->value);
	} else if (e->wanted_n > 0 && pf_span_is(l->name, "EXDATE")) {
		put_exdate(w, c, l);
	} else if (short_ && (pf_span_is(l->name, "DTEND") || pf_span_is(l->name, "DURATION"))) {
		ical_put_short(w, c, comp, l);
	} else if (!(e->repair && ical_repair_line(w, c, comp, l))) {
		put_raw(w, l);
	}
}

static void put_comp(struct ical_writer *w, struct pf_ical *c, int comp)
{
	const struct pf_ical_comp *k = &c->comp[comp];
	bool short_ = w->edit->repair && ical_is_empty_span(c, comp);
	char name[32];

	(void)snprintf(name, sizeof(name), "%.*s", (int)(k->name.n > 31 ? 31 : k->name.n),
		(const char *)k->name.p);
	ical_put_line(w, "BEGIN", pf_span_str(name));
	if (w->edit->uid.p && !pf_ical_find(c, comp, "UID")) {
		put_uid(w, NULL, true);
	}
	if (w->edit->repair && !ical_has_stamp(c, comp)) {
		ical_put_stamp(w, c, comp);
	}
	for (size_t i = pf_ical_next_line(c, comp, k->begin); i != SIZE_MAX;
		i = pf_ical_next_line(c, comp, i)) {
		put_one(w, c, comp, i, short_);
	}
	if (w->edit->meant.p && c == w->pieces[0].c && comp == w->pieces[0].comp) {
		ical_put_line(w, "X-POSTFERRY-MEANT", w->edit->meant);
	}
	if (short_) {
		ical_put_least(w, c, comp);
	}
	for (int a = k->child; a != PF_ICAL_NONE; a = c->comp[a].next) {
		put_within(w, c, a);
	}
	ical_put_line(w, "END", pf_span_str(name));
}

/* ---- instances ---- */

static void put_length(struct ical_writer *w, int64_t seconds, bool days)
{
	char text[40];

	(void)snprintf(text, sizeof(text), days ? "P%lldD" : "PT%lldS",
		(long long)(days ? seconds / 86400 : seconds));
	ical_put_line(w, "DURATION", pf_span_str(text));
}

static bool has_override(const struct ical_writer *w, int64_t at)
{
	for (size_t i = 0; i < w->n; i++) {
		struct pf_ical *c = w->pieces[i].c;
		const struct pf_line *l = pf_ical_find(c, w->pieces[i].comp, "RECURRENCE-ID");
		struct pf_ical_time t;

		if (l && pf_ical_line_time(c, l, &t) && t.utc_s == at) {
			return true;
		}
	}
	return false;
}

/* An override that says all that the event says, and lasts as long as the period. */
static void put_period(struct ical_writer *w, struct pf_ical *c, int comp, const struct pf_line *l,
	struct pf_span begin)
{
	static const char *const OWN[] = {
		"DTSTART", "DTEND", "DURATION", "RRULE", "RDATE", "EXDATE", "EXRULE"};

	ical_put_line(w, "BEGIN", c->comp[comp].name);
	ical_put_as(w, l, "RECURRENCE-ID", "VALUE", begin);
	ical_put_as(w, l, "DTSTART", "VALUE", begin);
	if (w->edit->uid.p && !pf_ical_find(c, comp, "UID")) {
		put_uid(w, NULL, true);
	}
	if (!ical_has_stamp(c, comp)) {
		ical_put_stamp(w, c, comp);
	}
	for (size_t i = pf_ical_next_line(c, comp, c->comp[comp].begin); i != SIZE_MAX;
		i = pf_ical_next_line(c, comp, i)) {
		bool own = false;

		for (size_t k = 0; k < PF_COUNT(OWN); k++) {
			own = own || pf_span_is(c->line[i].name, OWN[k]);
		}
		if (!own) {
			put_one(w, c, comp, i, false);
		}
	}
}

/* Of periods that do not last as long as the event. */
static void put_periods(struct ical_writer *w, struct pf_ical *c, int comp, const struct pf_line *l)
{
	struct pf_span rest = l->value, part, begin, end;
	struct pf_ical_time first, from, to;
	int64_t lasts, seconds;

	if (!pf_ical_begin(c, comp, &first)) {
		return;
	}
	lasts = pf_ical_end(c, comp, &first) - first.utc_s;
	while (w->rc == PF_OK && pf_value_next(&rest, ',', &part)) {
		if (!ical_split_period(part, &begin, &end) ||
			!pf_ical_time_of(c, l, begin, &from) || has_override(w, from.utc_s)) {
			continue;
		}
		if (!pf_ical_duration(end, &seconds)) {
			seconds = pf_ical_time_of(c, l, end, &to) ? to.utc_s - from.utc_s : lasts;
		}
		if (seconds != lasts && seconds > 0) {
			put_period(w, c, comp, l, begin);
			put_length(w, seconds, false);
			for (int a = c->comp[comp].child; a != PF_ICAL_NONE; a = c->comp[a].next) {
				put_within(w, c, a);
			}
			ical_put_line(w, "END", c->comp[comp].name);
		}
	}
}

static void put_all_periods(struct ical_writer *w, struct pf_ical *c, int comp)
{
	for (size_t i = pf_ical_next_line(c, comp, c->comp[comp].begin); i != SIZE_MAX;
		i = pf_ical_next_line(c, comp, i)) {
		if (ical_has_periods(&c->line[i])) {
			put_periods(w, c, comp, &c->line[i]);
		}
	}
}

/* The place of the piece whose instance is the earliest. */
static size_t earliest(const struct pf_ical_piece *pieces, size_t n)
{
	int64_t best = INT64_MAX;
	size_t at = 0;

	for (size_t i = 0; i < n; i++) {
		const struct pf_line *l =
			pf_ical_find(pieces[i].c, pieces[i].comp, "RECURRENCE-ID");
		struct pf_ical_time t;

		if (l && pf_ical_line_time(pieces[i].c, l, &t) && t.utc_s < best) {
			best = t.utc_s;
			at = i;
		}
	}
	return at;
}

/* A series for overrides that have none: it takes place when their instances do, and nothing of it
 * is seen, as each is overridden. */
static void put_series(struct ical_writer *w)
{
	size_t first = earliest(w->pieces, w->n);
	struct pf_ical *c = w->pieces[first].c;
	int comp = w->pieces[first].comp;
	const struct pf_line *title = pf_ical_find(c, comp, "SUMMARY"), *l;
	const struct pf_line *uid = pf_ical_find(c, comp, "UID");
	struct pf_ical_time begin;

	ical_put_line(w, "BEGIN", c->comp[comp].name);
	if (w->edit->uid.p) {
		put_uid(w, uid, false);
	} else if (uid) {
		put_raw(w, uid);
	}
	ical_put_stamp(w, c, comp);
	for (size_t i = 0; i < w->n; i++) {
		size_t at = i == 0 ? first : i == first ? 0 : i;

		l = pf_ical_find(w->pieces[at].c, w->pieces[at].comp, "RECURRENCE-ID");
		if (l) {
			ical_put_as(w, l, i == 0 ? "DTSTART" : "RDATE", "RANGE", l->value);
		}
	}
	if (pf_ical_begin(c, comp, &begin) && pf_ical_end(c, comp, &begin) > begin.utc_s &&
		!pf_ical_comp_is(c, comp, "VJOURNAL")) {
		put_length(
			w, pf_ical_end(c, comp, &begin) - begin.utc_s, begin.form == PF_ICAL_DATE);
	}
	if (title) {
		put_raw(w, title);
	}
	ical_put_line(w, "END", c->comp[comp].name);
	ical_changed(w, "a series made for instances that had none");
}

/* ---- the calendar ---- */

/* PF_ICAL_NONE: it has none around it. */
static int calendar_of(const struct pf_ical_piece *p)
{
	int k = p->comp;

	while (p->c->comp[k].parent != PF_ICAL_NONE) {
		k = p->c->comp[k].parent;
	}
	return k == p->comp ? PF_ICAL_NONE : k;
}

static void put_new_head(struct ical_writer *w)
{
	ical_put_line(w, "BEGIN", pf_span_str("VCALENDAR"));
	ical_put_line(w, "VERSION", pf_span_str("2.0"));
	ical_put_line(w, "PRODID", pf_span_str(PRODID));
	ical_changed(w, "VCALENDAR added");
}

static void put_head(struct ical_writer *w, struct pf_ical *c, int calendar)
{
	bool repair = w->edit->repair;

	ical_put_line(w, "BEGIN", pf_span_str("VCALENDAR"));
	if (repair && !pf_ical_find(c, calendar, "VERSION")) {
		ical_put_line(w, "VERSION", pf_span_str("2.0"));
		ical_changed(w, "VERSION added");
	}
	if (repair && !pf_ical_find(c, calendar, "PRODID")) {
		ical_put_line(w, "PRODID", pf_span_str(PRODID));
		ical_changed(w, "PRODID added");
	}
	for (size_t i = pf_ical_next_line(c, calendar, c->comp[calendar].begin); i != SIZE_MAX;
		i = pf_ical_next_line(c, calendar, i)) {
		if (repair && pf_span_is(c->line[i].name, "METHOD")) {
			ical_changed(w, "METHOD dropped");
		} else if (!(repair && ical_repair_line(w, c, calendar, &c->line[i]))) {
			put_raw(w, &c->line[i]);
		}
	}
}

static bool was_written(const struct pf_ical_piece *pieces, size_t n, struct pf_span tzid)
{
	for (size_t i = 0; i < n; i++) {
		for (size_t k = 0; k < pieces[i].c->comp_count; k++) {
			const struct pf_line *l =
				pf_ical_comp_is(pieces[i].c, (int)k, "VTIMEZONE")
					? pf_ical_find(pieces[i].c, (int)k, "TZID")
					: NULL;

			if (l && ical_zone_is(l->value, tzid)) {
				return true;
			}
		}
	}
	return false;
}

/* Whether a time of the piece, or of an alarm in it, is in this zone. */
static bool refers_to(const struct pf_ical_piece *p, struct pf_span tzid)
{
	const struct pf_ical_comp *k = &p->c->comp[p->comp];

	for (size_t i = k->begin; i <= k->end && i < p->c->line_count; i++) {
		struct pf_span params = p->c->line[i].params;
		struct pf_span id = params.n > 0 ? pf_params_find(params, "TZID") : params;

		if (id.p && ical_zone_is(tzid, id)) {
			return true;
		}
	}
	return false;
}

static bool is_needed(const struct pf_ical_piece *pieces, size_t n, struct pf_span tzid)
{
	for (size_t i = 0; i < n; i++) {
		if (refers_to(&pieces[i], tzid)) {
			return true;
		}
	}
	return false;
}

/* The zones of one piece's calendar that are needed and that no piece before it brought. */
static void put_zones(struct ical_writer *w, const struct pf_ical_piece *pieces, size_t n, size_t i)
{
	struct pf_ical *c = pieces[i].c;

	for (size_t k = 0; k < i; k++) {
		if (pieces[k].c == c) {
			return; /* they were written with the first piece of it */
		}
	}
	for (size_t k = 0; k < c->comp_count; k++) {
		const struct pf_line *l = pf_ical_comp_is(c, (int)k, "VTIMEZONE")
						  ? pf_ical_find(c, (int)k, "TZID")
						  : NULL;

		if (l && is_needed(pieces, n, l->value) && !was_written(pieces, i, l->value)) {
			put_within(w, c, (int)k);
		}
	}
}

/* ---- zones that are missing ---- */

/* Offsets of seconds (of local mean time) can't be read by some. */
static bool has_seconds(const struct pf_line *l)
{
	return pf_span_starts(l->name, "TZOFFSET") && l->value.n > 5;
}

static bool is_observance(const struct pf_line *l)
{
	return pf_span_is(l->value, "STANDARD") || pf_span_is(l->value, "DAYLIGHT");
}

/* Lines of a VTIMEZONE that the system has, under the item's own TZID. `held`: of an observance,
 * until it is known to have no offset of seconds. */
static void put_known_lines(struct ical_writer *w, struct pf_lines *lines, struct pf_span tzid)
{
	size_t held = SIZE_MAX;
	bool bad = false;
	struct pf_line l;
	int rc = PF_OK;

	while (w->rc == PF_OK && (rc = pf_lines_next(lines, &l, w->err)) == PF_OK) {
		if (pf_span_is(l.name, "BEGIN") && is_observance(&l)) {
			held = w->out->n;
			bad = false;
		}
		bad = bad || has_seconds(&l);
		if (pf_span_is(l.name, "TZID")) {
			ical_put_line(w, "TZID", tzid);
		} else if (!pf_span_starts(l.name, "X-LIC-")) {
			put_raw(w, &l);
		}
		if (pf_span_is(l.name, "END") && is_observance(&l) && bad) {
			w->out->n = held;
		}
	}
	w->rc = w->rc == PF_OK && rc == PF_FAIL ? PF_FAIL : w->rc;
}

static void put_known_zone(struct ical_writer *w, struct pf_span tzid)
{
	char *text = ical_known_vtimezone(tzid);
	struct pf_arena arena;
	struct pf_lines lines;

	if (text) {
		pf_arena_init(&arena);
		pf_lines_init(&lines, pf_span_str(text), &arena);
		put_known_lines(w, &lines, tzid);
		pf_arena_deinit(&arena);
		ical_changed(w, "VTIMEZONE added");
	}
	free(text);
}

/* Each TZID needs its VTIMEZONE (RFC 5545 section 3.2.19); some servers drop one that has none. */
static void put_missing_zones(struct ical_writer *w, const struct pf_ical_piece *p)
{
	const struct pf_ical_comp *k = &p->c->comp[p->comp];

	for (size_t i = k->begin; i <= k->end && i < p->c->line_count; i++) {
		struct pf_span params = p->c->line[i].params;
		struct pf_span id = params.n > 0 ? pf_params_find(params, "TZID") : params;
		bool there = id.n == 0 || was_written(w->pieces, w->n, id);

		for (size_t z = 0; z < w->added_n && !there; z++) {
			there = pf_span_eq(w->added[z], id);
		}
		if (!there && w->added_n < PF_COUNT(w->added)) {
			w->added[w->added_n++] = id;
			put_known_zone(w, id);
		}
	}
}

int pf_ical_write(const struct pf_ical_piece *pieces, size_t n, const struct pf_ical_edit *edit,
	struct pf_buf *out, struct pf_buf *changes, struct pf_err *err)
{
	struct ical_writer w = {
		.edit = edit, .pieces = pieces, .n = n, .out = out, .changes = changes, .err = err};
	int calendar = calendar_of(&pieces[0]);

	if (calendar == PF_ICAL_NONE) {
		put_new_head(&w);
	} else {
		put_head(&w, pieces[0].c, calendar);
	}
	for (size_t i = 0; i < n; i++) {
		put_zones(&w, pieces, n, i);
	}
	for (size_t i = 0; i < n && edit->repair; i++) {
		put_missing_zones(&w, &pieces[i]);
	}
	if (edit->alone && n > 1) {
		put_series(&w);
	}
	for (size_t i = 0; i < n; i++) {
		put_comp(&w, pieces[i].c, pieces[i].comp);
		if (edit->repair) {
			put_all_periods(&w, pieces[i].c, pieces[i].comp);
		}
	}
	ical_put_line(&w, "END", pf_span_str("VCALENDAR"));
	if (edit->repair && pieces[0].c->latin) {
		ical_changed(&w, "taken for Windows-1252 and made UTF-8");
	}
	if (edit->repair && pieces[0].c->bom) {
		ical_changed(&w, "byte order mark dropped");
	}
	return w.rc;
}
