/*
 * What the standards demand and is missing or wrong is put right, with the least change: nothing is
 * dropped that says something, what can't stand where it is stays under another name.
 */
#include "proto/ical/ical_writer.h"

#include "base/civil.h"

#include <stdio.h>

static const char *const TEXTS[] = {"SUMMARY", "LOCATION", "DESCRIPTION", "COMMENT", "CONTACT"};

static void put_tight(struct ical_writer *w, const struct pf_line *l)
{
	struct pf_buf v;

	pf_buf_init(&v, 1 << 28);
	if (w->rc == PF_OK) {
		w->rc = pf_text_tighten(l->value, &v, w->err);
	}
	ical_put_changed(w, l, l->params, pf_buf_span(&v));
	pf_buf_deinit(&v);
	ical_changed(w, "text escaped");
}

/* RRULE with COUNT and UNTIL (RFC 5545 section 3.3.10 wants one): COUNT stays. */
static bool put_rule(struct ical_writer *w, const struct pf_line *l)
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
		ical_put_changed(w, l, l->params, pf_buf_span(&v));
		ical_changed(w, "UNTIL beside COUNT dropped");
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

static void put_aside(struct ical_writer *w, const struct pf_line *l, const char *why)
{
	struct pf_line renamed = *l;
	char name[64];

	(void)snprintf(name, sizeof(name), "X-POSTFERRY-OTHER-%.*s", (int)l->name.n,
		(const char *)l->name.p);
	renamed.name = pf_span_str(name);
	ical_put_changed(w, &renamed, l->params, l->value);
	ical_changed(w, why);
}

static bool has_digits(struct pf_span s, size_t at, size_t n)
{
	for (size_t i = at; i < at + n; i++) {
		if (i >= s.n || s.p[i] < '0' || s.p[i] > '9') {
			return false;
		}
	}
	return true;
}

static const char *const MOMENTS[] = {"DTSTAMP", "CREATED", "LAST-MODIFIED", "DTSTART", "DTEND",
	"DUE", "COMPLETED", "RECURRENCE-ID"};
enum { STAMPS = 3 }; /* of which these tell of the item's past only */

/* 19970324T1200Z (RFC 5545 section 3.3.5 wants seconds). */
static bool put_seconds(struct ical_writer *w, const struct pf_line *l)
{
	struct pf_span v = l->value;
	char text[20];

	if (v.n < 13 || v.n > 14 || !has_digits(v, 0, 8) || v.p[8] != 'T' || !has_digits(v, 9, 4) ||
		(v.n == 14 && v.p[13] != 'Z')) {
		return false;
	}
	(void)snprintf(text, sizeof(text), "%.13s00%s", (const char *)v.p, v.n == 14 ? "Z" : "");
	ical_put_changed(w, l, l->params, pf_span_str(text));
	ical_changed(w, "seconds added to a time");
	return true;
}

static bool is_one_of(struct pf_span name, const char *const *names, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (pf_span_is(name, names[i])) {
			return true;
		}
	}
	return false;
}

/* A time that can't be read stays under another name, where it is no more than a stamp. */
static bool put_moment(struct ical_writer *w, struct pf_ical *c, const struct pf_line *l)
{
	struct pf_ical_time t;

	if (put_seconds(w, l)) {
		return true;
	}
	if (!is_one_of(l->name, MOMENTS, STAMPS) || pf_ical_line_time(c, l, &t)) {
		return false;
	}
	put_aside(w, l, "a stamp that is no time kept under another name");
	return true;
}

/* Everything but the parameter VALUE. */
static void put_without_value(struct ical_writer *w, const struct pf_line *l)
{
	struct pf_span rest = l->params, name, value;
	struct pf_buf params, tight;
	const uint8_t *at = rest.p;

	pf_buf_init(&params, 1 << 24);
	pf_buf_init(&tight, 1 << 28);
	while (w->rc == PF_OK && pf_params_next(&rest, &name, &value)) {
		if (!pf_span_is(name, "VALUE")) {
			w->rc = pf_buf_add(&params, pf_span(at, (size_t)(rest.p - at)), w->err);
		}
		at = rest.p;
	}
	if (w->rc == PF_OK) {
		w->rc = pf_text_tighten(l->value, &tight, w->err);
	}
	ical_put_changed(w, l, pf_buf_span(&params), pf_buf_span(&tight));
	pf_buf_deinit(&params);
	pf_buf_deinit(&tight);
	ical_changed(w, "VALUE of a text dropped");
}

static void put_point(struct ical_writer *w, const struct pf_line *l)
{
	struct pf_buf v;

	pf_buf_init(&v, 1 << 20);
	if (w->rc == PF_OK) {
		w->rc = pf_text_unescape(l->value, &v, w->err);
	}
	ical_put_changed(w, l, l->params, pf_buf_span(&v));
	pf_buf_deinit(&v);
	ical_changed(w, "GEO without a backslash");
}

/* An alarm at a time, not so long before: it must be said (RFC 5545 section 3.8.6.3). */
bool ical_put_trigger(struct ical_writer *w, struct pf_ical *c, const struct pf_line *l)
{
	struct pf_ical_time t;
	struct pf_buf params;

	if (!pf_span_is(l->name, "TRIGGER") || pf_params_find(l->params, "VALUE").p ||
		!pf_ical_line_time(c, l, &t) || t.form == PF_ICAL_DATE) {
		return false;
	}
	pf_buf_init(&params, 1 << 24);
	w->rc = w->rc == PF_OK ? pf_buf_add(&params, l->params, w->err) : w->rc;
	w->rc = w->rc == PF_OK ? pf_buf_add_str(&params, ";VALUE=DATE-TIME", w->err) : w->rc;
	ical_put_changed(w, l, pf_buf_span(&params), l->value);
	pf_buf_deinit(&params);
	ical_changed(w, "an alarm's time declared");
	return true;
}

bool ical_has_periods(const struct pf_line *l)
{
	struct pf_span value = pf_params_find(l->params, "VALUE");

	return pf_span_is(l->name, "RDATE") && value.p && pf_span_is(value, "PERIOD");
}

/* The parameters of a line without one of them, behind `name`. */
static void put_name(struct ical_writer *w, const struct pf_line *l, const char *name,
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
void ical_put_as(struct ical_writer *w, const struct pf_line *l, const char *name,
	const char *without, struct pf_span value)
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
bool ical_split_period(struct pf_span period, struct pf_span *begin, struct pf_span *end)
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
static void put_begins(struct ical_writer *w, const struct pf_line *l)
{
	struct pf_span rest = l->value, part, begin, end;
	struct pf_buf v;

	pf_buf_init(&v, 1 << 24);
	while (w->rc == PF_OK && pf_value_next(&rest, ',', &part)) {
		w->rc = v.n > 0 ? pf_buf_add(&v, pf_span(",", 1), w->err) : PF_OK;
		if (w->rc == PF_OK) {
			w->rc = pf_buf_add(
				&v, ical_split_period(part, &begin, &end) ? begin : part, w->err);
		}
	}
	ical_put_as(w, l, "RDATE", "VALUE", pf_buf_span(&v));
	pf_buf_deinit(&v);
	ical_changed(w, "periods made instances");
}

/* These are texts whatever they claim to be. */
static bool repair_text(struct ical_writer *w, const struct pf_line *l)
{
	struct pf_span value = pf_params_find(l->params, "VALUE");

	if (value.p && !pf_span_is(value, "TEXT")) {
		put_without_value(w, l);
		return true;
	}
	if (!pf_span_is(l->name, "RELATED-TO") && pf_text_is_loose(l->value)) {
		put_tight(w, l);
		return true;
	}
	return false;
}

/* true: the line was dealt with. */
bool ical_repair_line(struct ical_writer *w, struct pf_ical *c, int comp, const struct pf_line *l)
{
	if (l->bad) {
		ical_changed(w, "a line without a name dropped");
		return true;
	}
	if (l->value.n == 0) {
		ical_changed(w, "empty properties dropped");
		return true;
	}
	if (is_too_many(c, comp, l)) {
		put_aside(w, l, "what may be there once kept once, the rest under another name");
		return true;
	}
	if (pf_span_is(l->name, "RRULE")) {
		return put_rule(w, l);
	}
	if (ical_has_periods(l)) {
		put_begins(w, l);
		return true;
	}
	if (is_one_of(l->name, MOMENTS, PF_COUNT(MOMENTS))) {
		return put_moment(w, c, l);
	}
	if (pf_span_is(l->name, "GEO") && memchr(l->value.p, '\\', l->value.n)) {
		put_point(w, l);
		return true;
	}
	if (is_one_of(l->name, TEXTS, PF_COUNT(TEXTS)) || pf_span_is(l->name, "RELATED-TO")) {
		return repair_text(w, l);
	}
	return false;
}

/* What lasts no time at all gets a second: some servers take nothing shorter. */
bool ical_is_empty_span(struct pf_ical *c, int comp)
{
	struct pf_ical_time begin;

	return pf_ical_comp_is(c, comp, "VEVENT") && pf_ical_begin(c, comp, &begin) &&
	       pf_ical_end(c, comp, &begin) <= begin.utc_s;
}

/* An end before the beginning, or that can't be read, is kept under another name. */
void ical_put_short(struct ical_writer *w, struct pf_ical *c, int comp, const struct pf_line *l)
{
	struct pf_ical_time begin, end;
	int64_t seconds;
	bool zero = pf_ical_begin(c, comp, &begin) &&
		    (pf_span_is(l->name, "DURATION")
				    ? pf_ical_duration(l->value, &seconds) && seconds == 0
				    : pf_ical_line_time(c, l, &end) && end.utc_s == begin.utc_s);

	if (!zero) {
		put_aside(w, l, "an end that is none kept under another name");
	}
	ical_changed(w, "zero length made one second");
}

void ical_put_stamp(struct ical_writer *w, struct pf_ical *c, int comp)
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
	ical_put_line(w, "DTSTAMP", pf_span_str(text));
	ical_changed(w, "DTSTAMP added");
}

bool ical_has_stamp(struct pf_ical *c, int comp)
{
	const struct pf_line *l = pf_ical_find(c, comp, "DTSTAMP");
	struct pf_ical_time t;

	return l && pf_ical_line_time(c, l, &t);
}
