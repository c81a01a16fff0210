/*
 * An item written anew, with the least change: lines that are not concerned are copied octet for
 * octet (only their line ends become CRLF). Of each calendar that a piece is from come its own
 * lines and the VTIMEZONEs; each zone once.
 */
#include "proto/ical/ical_private.h"

#include "base/civil.h"

#include <stdio.h>
#include <stdlib.h>

struct writer {
	const struct pf_ical_edit *edit;
	const struct pf_ical_piece *pieces;
	size_t n;
	struct pf_buf *out, *changes;
	struct pf_err *err;
	int rc; /* the first failure is kept */
};

static void put(struct writer *w, struct pf_span s)
{
	if (w->rc == PF_OK) {
		w->rc = pf_buf_add(w->out, s, w->err);
	}
}

static void put_line(struct writer *w, const char *head, struct pf_span value)
{
	if (w->rc == PF_OK) {
		w->rc = pf_line_write(w->out, pf_span_str(head), value, w->err);
	}
}

/* A repair, told once however often it was made. */
static void changed(struct writer *w, const char *what)
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
static void put_raw(struct writer *w, const struct pf_line *l)
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

static void put_changed(
	struct writer *w, const struct pf_line *l, struct pf_span params, struct pf_span value)
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

static void put_uid(struct writer *w, const struct pf_line *l, bool had_original)
{
	put_line(w, "UID", w->edit->uid);
	if (!had_original && l && l->value.n > 0) {
		put_line(w, "X-POSTFERRY-ORIGINAL-UID", l->value);
	}
}

static void put_person(struct writer *w, const struct pf_line *l)
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
	put_changed(w, l, pf_buf_span(&params), l->value);
	pf_buf_deinit(&params);
}

static bool is_wanted(const struct writer *w, int64_t at)
{
	for (size_t i = 0; i < w->edit->wanted_n; i++) {
		if (w->edit->wanted[i] == at) {
			return true;
		}
	}
	return false;
}

/* EXDATE without the instants for which an override was found. */
static void put_exdate(struct writer *w, struct pf_ical *c, const struct pf_line *l)
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
		put_changed(w, l, l->params, pf_buf_span(&kept));
	}
	pf_buf_deinit(&kept);
}

/* ---- repairs ---- */

static const char *const TEXTS[] = {"SUMMARY", "LOCATION", "DESCRIPTION", "COMMENT", "CONTACT"};

static void put_tight(struct writer *w, const struct pf_line *l)
{
	struct pf_buf v;

	pf_buf_init(&v, 1 << 28);
	if (w->rc == PF_OK) {
		w->rc = pf_text_tighten(l->value, &v, w->err);
	}
	put_changed(w, l, l->params, pf_buf_span(&v));
	pf_buf_deinit(&v);
	changed(w, "text escaped");
}

/* RRULE with COUNT and UNTIL (RFC 5545 section 3.3.10 wants one): COUNT stays. */
static bool put_rule(struct writer *w, const struct pf_line *l)
{
	struct pf_span rest = l->value, part;
	struct pf_buf v;
	bool count = false, until = false;

	pf_buf_init(&v, 1 << 20);
	while (w->rc == PF_OK && pf_value_next(&rest, ';', &part)) {
		count = count || pf_span_starts(part, "COUNT=");
		if (pf_span_starts(part, "UNTIL=")) {
			until = true;
			continue;
		}
		w->rc = v.n > 0 ? pf_buf_add(&v, pf_span(";", 1), w->err) : PF_OK;
		w->rc = w->rc == PF_OK ? pf_buf_add(&v, part, w->err) : w->rc;
	}
	if (count && until) {
		put_changed(w, l, l->params, pf_buf_span(&v));
		changed(w, "UNTIL beside COUNT dropped");
	}
	pf_buf_deinit(&v);
	return count && until;
}

/* What may be there once (RFC 5545 sections 3.6.1 to 3.6.3). */
static const char *const ONCE[] = {"SUMMARY", "DESCRIPTION", "LOCATION", "DTSTART", "DTEND", "DUE",
	"DURATION", "DTSTAMP", "CLASS", "CREATED", "GEO", "LAST-MODIFIED", "ORGANIZER", "PRIORITY",
	"SEQUENCE", "STATUS", "TRANSP", "URL", "RECURRENCE-ID", "COMPLETED", "PERCENT-COMPLETE"};

/* A second one, or a DURATION beside an end, is kept under another name. */
static bool is_too_many(struct pf_ical *c, int comp, const struct pf_line *l)
{
	if (pf_span_is(l->name, "DURATION") &&
		(pf_ical_find(c, comp, "DTEND") || pf_ical_find(c, comp, "DUE"))) {
		return true;
	}
	for (size_t i = 0; i < PF_COUNT(ONCE); i++) {
		if (pf_span_is(l->name, ONCE[i])) {
			return l != pf_ical_find(c, comp, ONCE[i]);
		}
	}
	return false;
}

static void put_aside(struct writer *w, const struct pf_line *l)
{
	struct pf_line renamed = *l;
	char name[64];

	(void)snprintf(name, sizeof(name), "X-POSTFERRY-OTHER-%.*s", (int)l->name.n,
		(const char *)l->name.p);
	renamed.name = pf_span_str(name);
	put_changed(w, &renamed, l->params, l->value);
	changed(w, "what may be there once kept once, the rest under another name");
}

static bool has_periods(const struct pf_line *l)
{
	struct pf_span value = pf_params_find(l->params, "VALUE");

	return pf_span_is(l->name, "RDATE") && value.p && pf_span_is(value, "PERIOD");
}

/* The parameters of a line without one of them, behind `name`. */
static void put_name(struct writer *w, const struct pf_line *l, const char *name,
	const char *without, struct pf_buf *out)
{
	struct pf_span rest = l->params, param, value;
	const uint8_t *at = rest.p;

	w->rc = w->rc == PF_OK ? pf_buf_add_str(out, name, w->err) : w->rc;
	while (w->rc == PF_OK && pf_params_next(&rest, &param, &value)) {
		if (!pf_span_is(param, without)) {
			w->rc = pf_buf_add(out, pf_span(at, (size_t)(rest.p - at)), w->err);
		}
		at = rest.p;
	}
}

/* A value with the parameters of another line, but for one of them. */
static void put_as(struct writer *w, const struct pf_line *l, const char *name, const char *without,
	struct pf_span value)
{
	struct pf_buf head;

	pf_buf_init(&head, 1 << 24);
	put_name(w, l, name, without, &head);
	if (w->rc == PF_OK) {
		w->rc = pf_line_write(w->out, pf_buf_span(&head), value, w->err);
	}
	pf_buf_deinit(&head);
}

/* "begin/end" or "begin/duration" (RFC 5545 section 3.3.9). */
static bool split_period(struct pf_span period, struct pf_span *begin, struct pf_span *end)
{
	const uint8_t *slash = period.n > 0 ? memchr(period.p, '/', period.n) : NULL;

	if (!slash) {
		return false;
	}
	*begin = pf_span(period.p, (size_t)(slash - period.p));
	*end = pf_span_from(period, begin->n + 1);
	return begin->n > 0 && end->n > 0;
}

/* RDATE of periods as one of their begins: how long each lasts is said by put_period. */
static void put_begins(struct writer *w, const struct pf_line *l)
{
	struct pf_span rest = l->value, part, begin, end;
	struct pf_buf v;

	pf_buf_init(&v, 1 << 24);
	while (w->rc == PF_OK && pf_value_next(&rest, ',', &part)) {
		w->rc = v.n > 0 ? pf_buf_add(&v, pf_span(",", 1), w->err) : PF_OK;
		if (w->rc == PF_OK) {
			w->rc = pf_buf_add(
				&v, split_period(part, &begin, &end) ? begin : part, w->err);
		}
	}
	put_as(w, l, "RDATE", "VALUE", pf_buf_span(&v));
	pf_buf_deinit(&v);
	changed(w, "periods made instances");
}

/* true: the line was dealt with. */
static bool repair_line(struct writer *w, struct pf_ical *c, int comp, const struct pf_line *l)
{
	if (l->bad) {
		changed(w, "a line without a name dropped");
		return true;
	}
	if (l->value.n == 0) {
		changed(w, "empty properties dropped");
		return true;
	}
	if (is_too_many(c, comp, l)) {
		put_aside(w, l);
		return true;
	}
	if (pf_span_is(l->name, "RRULE")) {
		return put_rule(w, l);
	}
	if (has_periods(l)) {
		put_begins(w, l);
		return true;
	}
	for (size_t i = 0; i < PF_COUNT(TEXTS); i++) {
		if (pf_span_is(l->name, TEXTS[i]) && pf_text_is_loose(l->value)) {
			put_tight(w, l);
			return true;
		}
	}
	return false;
}

/* What lasts no time at all gets a second: some servers take nothing shorter. */
static bool is_empty_span(struct pf_ical *c, int comp)
{
	struct pf_ical_time begin;

	return pf_ical_comp_is(c, comp, "VEVENT") && pf_ical_begin(c, comp, &begin) &&
	       pf_ical_end(c, comp, &begin) <= begin.utc_s;
}

static void put_stamp(struct writer *w, struct pf_ical *c, int comp)
{
	static const char *const FROM[] = {"LAST-MODIFIED", "CREATED", "DTSTART"};
	struct pf_ical_time t = {0};
	struct pf_civil civil;
	char text[24];

	for (size_t i = 0; i < PF_COUNT(FROM); i++) { /* the same in every run: no clock */
		const struct pf_line *l = pf_ical_find(c, comp, FROM[i]);

		if (l && pf_ical_line_time(c, l, &t)) {
			break;
		}
	}
	pf_civil_from_unix(t.utc_s, &civil);
	(void)snprintf(text, sizeof(text), "%04d%02d%02dT%02d%02d%02dZ", civil.year % 10000,
		civil.month, civil.day, civil.hour, civil.minute, civil.second);
	put_line(w, "DTSTAMP", pf_span_str(text));
	changed(w, "DTSTAMP added");
}

/* ---- components ---- */

static void put_within(struct writer *w, struct pf_ical *c, int comp)
{
	for (size_t i = c->comp[comp].begin; i <= c->comp[comp].end && i < c->line_count; i++) {
		const struct pf_line *l = &c->line[i];

		if (!(w->edit->repair && (l->bad || l->value.n == 0))) {
			put_raw(w, l);
		}
	}
}

static void put_one(struct writer *w, struct pf_ical *c, int comp, size_t i, bool short_)
{
	const struct pf_ical_edit *e = w->edit;
	const struct pf_line *l = &c->line[i];
	bool original = pf_ical_find(c, comp, "X-POSTFERRY-ORIGINAL-UID") != NULL;

	if (e->uid.p && pf_span_is(l->name, "UID")) {
		if (l == pf_ical_find(c, comp, "UID")) { /* a second one goes */
			put_uid(w, l, original);
		}
	} else if (e->agent &&
		   (pf_span_is(l->name, "ATTENDEE") || pf_span_is(l->name, "ORGANIZER"))) {
		put_person(w, l);
	} else if (e->alone && w->n == 1 && pf_span_is(l->name, "RECURRENCE-ID")) {
		struct pf_line renamed = *l;

		renamed.name = pf_span_str("X-POSTFERRY-ORIGINAL-RECURRENCE-ID");
		put_changed(w, &renamed, l->params, l->value);
	} else if (e->wanted_n > 0 && pf_span_is(l->name, "EXDATE")) {
		put_exdate(w, c, l);
	} else if (short_ && (pf_span_is(l->name, "DTEND") || pf_span_is(l->name, "DURATION"))) {
		changed(w, "zero length made one second");
	} else if (!(e->repair && repair_line(w, c, comp, l))) {
		put_raw(w, l);
	}
}

static void put_comp(struct writer *w, struct pf_ical *c, int comp)
{
	const struct pf_ical_comp *k = &c->comp[comp];
	bool short_ = w->edit->repair && is_empty_span(c, comp);
	char name[32];

	(void)snprintf(name, sizeof(name), "%.*s", (int)(k->name.n > 31 ? 31 : k->name.n),
		(const char *)k->name.p);
	put_line(w, "BEGIN", pf_span_str(name));
	if (w->edit->uid.p && !pf_ical_find(c, comp, "UID")) {
		put_uid(w, NULL, true);
	}
	if (w->edit->repair && !pf_ical_find(c, comp, "DTSTAMP")) {
		put_stamp(w, c, comp);
	}
	for (size_t i = pf_ical_next_line(c, comp, k->begin); i != SIZE_MAX;
		i = pf_ical_next_line(c, comp, i)) {
		put_one(w, c, comp, i, short_);
	}
	if (short_) {
		put_line(w, "DURATION", pf_span_str("PT1S"));
	}
	for (int a = k->child; a != PF_ICAL_NONE; a = c->comp[a].next) {
		put_within(w, c, a);
	}
	put_line(w, "END", pf_span_str(name));
}

/* ---- instances ---- */

static void put_length(struct writer *w, int64_t seconds, bool days)
{
	char text[40];

	(void)snprintf(text, sizeof(text), days ? "P%lldD" : "PT%lldS",
		(long long)(days ? seconds / 86400 : seconds));
	put_line(w, "DURATION", pf_span_str(text));
}

static bool has_override(const struct writer *w, int64_t at)
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
static void put_period(struct writer *w, struct pf_ical *c, int comp, const struct pf_line *l,
	struct pf_span begin)
{
	static const char *const OWN[] = {
		"DTSTART", "DTEND", "DURATION", "RRULE", "RDATE", "EXDATE", "EXRULE"};

	put_line(w, "BEGIN", c->comp[comp].name);
	put_as(w, l, "RECURRENCE-ID", "VALUE", begin);
	put_as(w, l, "DTSTART", "VALUE", begin);
	if (w->edit->uid.p && !pf_ical_find(c, comp, "UID")) {
		put_uid(w, NULL, true);
	}
	if (!pf_ical_find(c, comp, "DTSTAMP")) {
		put_stamp(w, c, comp);
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
static void put_periods(struct writer *w, struct pf_ical *c, int comp, const struct pf_line *l)
{
	struct pf_span rest = l->value, part, begin, end;
	struct pf_ical_time first, from, to;
	int64_t lasts, seconds;

	if (!pf_ical_begin(c, comp, &first)) {
		return;
	}
	lasts = pf_ical_end(c, comp, &first) - first.utc_s;
	while (w->rc == PF_OK && pf_value_next(&rest, ',', &part)) {
		if (!split_period(part, &begin, &end) || !pf_ical_time_of(c, l, begin, &from) ||
			has_override(w, from.utc_s)) {
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
			put_line(w, "END", c->comp[comp].name);
		}
	}
}

static void put_all_periods(struct writer *w, struct pf_ical *c, int comp)
{
	for (size_t i = pf_ical_next_line(c, comp, c->comp[comp].begin); i != SIZE_MAX;
		i = pf_ical_next_line(c, comp, i)) {
		if (has_periods(&c->line[i])) {
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
static void put_series(struct writer *w)
{
	size_t first = earliest(w->pieces, w->n);
	struct pf_ical *c = w->pieces[first].c;
	int comp = w->pieces[first].comp;
	const struct pf_line *title = pf_ical_find(c, comp, "SUMMARY"), *l;
	const struct pf_line *uid = pf_ical_find(c, comp, "UID");
	struct pf_ical_time begin;

	put_line(w, "BEGIN", c->comp[comp].name);
	if (w->edit->uid.p) {
		put_uid(w, uid, false);
	} else if (uid) {
		put_raw(w, uid);
	}
	put_stamp(w, c, comp);
	for (size_t i = 0; i < w->n; i++) {
		size_t at = i == 0 ? first : i == first ? 0 : i;

		l = pf_ical_find(w->pieces[at].c, w->pieces[at].comp, "RECURRENCE-ID");
		if (l) {
			put_as(w, l, i == 0 ? "DTSTART" : "RDATE", "RANGE", l->value);
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
	put_line(w, "END", c->comp[comp].name);
	changed(w, "a series made for instances that had none");
}

/* ---- the calendar ---- */

static int calendar_of(const struct pf_ical_piece *p)
{
	int k = p->comp;

	while (p->c->comp[k].parent != PF_ICAL_NONE) {
		k = p->c->comp[k].parent;
	}
	return k;
}

static void put_head(struct writer *w, struct pf_ical *c, int calendar)
{
	bool repair = w->edit->repair;

	put_line(w, "BEGIN", pf_span_str("VCALENDAR"));
	if (repair && !pf_ical_find(c, calendar, "VERSION")) {
		put_line(w, "VERSION", pf_span_str("2.0"));
		changed(w, "VERSION added");
	}
	if (repair && !pf_ical_find(c, calendar, "PRODID")) {
		put_line(w, "PRODID", pf_span_str("-//postferry//postferry//EN"));
		changed(w, "PRODID added");
	}
	for (size_t i = pf_ical_next_line(c, calendar, c->comp[calendar].begin); i != SIZE_MAX;
		i = pf_ical_next_line(c, calendar, i)) {
		if (repair && pf_span_is(c->line[i].name, "METHOD")) {
			changed(w, "METHOD dropped");
		} else if (!(repair && repair_line(w, c, calendar, &c->line[i]))) {
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

			if (l && pf_span_eq(l->value, tzid)) {
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

		if (id.p && pf_span_eq(id, tzid)) {
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
static void put_zones(struct writer *w, const struct pf_ical_piece *pieces, size_t n, size_t i)
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

int pf_ical_write(const struct pf_ical_piece *pieces, size_t n, const struct pf_ical_edit *edit,
	struct pf_buf *out, struct pf_buf *changes, struct pf_err *err)
{
	struct writer w = {
		.edit = edit, .pieces = pieces, .n = n, .out = out, .changes = changes, .err = err};

	put_head(&w, pieces[0].c, calendar_of(&pieces[0]));
	for (size_t i = 0; i < n; i++) {
		put_zones(&w, pieces, n, i);
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
	put_line(&w, "END", pf_span_str("VCALENDAR"));
	if (edit->repair && pieces[0].c->latin) {
		changed(&w, "taken for Windows-1252 and made UTF-8");
	}
	if (edit->repair && pieces[0].c->bom) {
		changed(&w, "byte order mark dropped");
	}
	return w.rc;
}
