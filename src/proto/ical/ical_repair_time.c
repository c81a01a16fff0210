/*
 * Times, lengths and rules that are not written as the standard wants, or are none: put right where
 * it is known what they mean, else kept under another name.
 */
#include "proto/ical/ical_writer.h"

#include "base/civil.h"

#include <stdio.h>

/* ---- rules ---- */

/* UNTIL is a date where DTSTART is one, and UTC where DTSTART has a zone (RFC 5545 section 3.3.10);
 * else as it stands. */
static bool write_until(struct pf_ical *c, const struct pf_ical_time *begin, struct pf_span value,
	char *out, size_t size)
{
	struct pf_line bare = {.params = pf_span("", 0)};
	struct pf_ical_time t;
	struct pf_civil at;
	bool date = begin->form == PF_ICAL_DATE;

	if (!pf_ical_time_of(c, &bare, value, &t) || begin->form == PF_ICAL_FLOATING ||
		(date ? t.form == PF_ICAL_DATE : t.form == PF_ICAL_UTC)) {
		return false;
	}
	pf_civil_from_unix(date ? t.local_s
				: ical_local_to_utc(begin,
					  t.form == PF_ICAL_DATE ? t.local_s + 86399 : t.local_s),
		&at);
	(void)snprintf(out, size, date ? "UNTIL=%04d%02d%02d" : "UNTIL=%04d%02d%02dT%02d%02d%02dZ",
		at.year, at.month, at.day, at.hour, at.minute, at.second);
	return true;
}

static bool has_word(struct pf_span rule, const char *word)
{
	struct pf_span part;

	while (pf_value_next(&rule, ';', &part)) {
		if (pf_span_starts(part, word)) {
			return true;
		}
	}
	return false;
}

/* The rule with an UNTIL that can stand there; beside COUNT it can't, and COUNT stays. false: it
 * may stay as it is. */
static bool put_until(struct ical_writer *w, struct pf_ical *c, int comp, const struct pf_line *l)
{
	struct pf_span rest = l->value, part;
	bool count = has_word(l->value, "COUNT="), changed = false;
	struct pf_ical_time begin = {.form = PF_ICAL_FLOATING};
	char until[80];
	struct pf_buf v;

	if (!pf_ical_begin(c, comp, &begin)) {
		begin.form = PF_ICAL_FLOATING;
	}
	pf_buf_init(&v, 1 << 20);
	while (w->rc == PF_OK && pf_value_next(&rest, ';', &part)) {
		bool is_until = pf_span_starts(part, "UNTIL=");

		if (is_until && count) {
			changed = true;
			continue;
		}
		if (is_until &&
			write_until(c, &begin, pf_span_from(part, 6), until, sizeof(until))) {
			changed = true;
			part = pf_span_str(until);
		}
		w->rc = v.n > 0 ? pf_buf_add(&v, pf_span(";", 1), w->err) : PF_OK;
		w->rc = w->rc == PF_OK ? pf_buf_add(&v, part, w->err) : w->rc;
	}
	if (changed) {
		ical_put_changed(w, l, l->params, pf_buf_span(&v));
		ical_changed(w, count ? "UNTIL beside COUNT dropped"
				      : "UNTIL in the form that DTSTART wants");
	}
	pf_buf_deinit(&v);
	return changed;
}

/* What nobody can expand is kept under another name. A rule of another calendar system is one, for
 * those who know it. */
static bool put_rule(struct ical_writer *w, struct pf_ical *c, int comp, const struct pf_line *l)
{
	if (!ical_is_rule(c, l) && !has_word(l->value, "RSCALE=")) {
		ical_put_aside(w, l, "a rule that is none kept under another name");
		return true;
	}
	return put_until(w, c, comp, l);
}

/* ---- times ---- */

static const char *const MOMENTS[] = {"DTSTAMP", "CREATED", "LAST-MODIFIED", "DTSTART", "DTEND",
	"DUE", "COMPLETED", "RECURRENCE-ID"};
enum { STAMPS = 3 }; /* of which these tell of the item's past only */
static const char *const DATES[] = {"DTSTART", "DTEND", "DUE", "RECURRENCE-ID", "RDATE", "EXDATE"};

static bool has_digits(struct pf_span s, size_t at, size_t n)
{
	for (size_t i = at; i < at + n; i++) {
		if (i >= s.n || s.p[i] < '0' || s.p[i] > '9') {
			return false;
		}
	}
	return true;
}

/* A date, or a time with seconds (RFC 5545 sections 3.3.4, 3.3.5). */
static bool is_strict(struct pf_span v)
{
	bool time = v.n > 8 && v.p[8] == 'T' && has_digits(v, 9, 6) &&
		    (v.n == 15 || (v.n == 16 && v.p[15] == 'Z'));

	return has_digits(v, 0, 8) && (v.n == 8 || time);
}

static bool is_dates(struct pf_span values)
{
	struct pf_span part;
	bool any = false;

	while (pf_value_next(&values, ',', &part)) {
		if (part.n != 8 || !has_digits(part, 0, 8)) {
			return false;
		}
		any = true;
	}
	return any;
}

/* VALUE says whether it is a date; a date has no zone (RFC 5545 section 3.2.19). */
static bool put_declared(struct ical_writer *w, const struct pf_line *l)
{
	struct pf_span value = pf_params_find(l->params, "VALUE");
	bool declared = value.p && pf_span_is(value, "DATE"), dates = is_dates(l->value);
	char head[64];

	if (!ical_is_one_of(l->name, DATES, PF_COUNT(DATES)) || declared == dates ||
		(declared && !is_strict(l->value))) {
		return false;
	}
	(void)snprintf(head, sizeof(head), "%.*s%s", (int)l->name.n, (const char *)l->name.p,
		dates ? ";VALUE=DATE" : "");
	ical_put_as(w, l, head, dates ? "VALUE TZID" : "VALUE", l->value);
	ical_changed(w, dates ? "a date declared as one" : "a time no longer declared as a date");
	return true;
}

/* 19970324T1200Z, 20031114T18300: one that can be read is written as all read it. */
static bool put_strict(struct ical_writer *w, struct pf_ical *c, const struct pf_line *l)
{
	struct pf_ical_time t;
	struct pf_civil at;
	char text[80];

	if (is_strict(l->value) || !pf_ical_line_time(c, l, &t)) {
		return false;
	}
	pf_civil_from_unix(t.local_s, &at);
	(void)snprintf(text, sizeof(text),
		t.form == PF_ICAL_DATE ? "%04d%02d%02d" : "%04d%02d%02dT%02d%02d%02d%s", at.year,
		at.month, at.day, at.hour, at.minute, at.second, t.form == PF_ICAL_UTC ? "Z" : "");
	ical_put_changed(w, l, l->params, pf_span_str(text));
	ical_changed(w, "a time written as it has to be");
	return true;
}

/* One that can't be read stays under another name, where what is left is an item still. */
static bool put_moment(struct ical_writer *w, struct pf_ical *c, const struct pf_line *l)
{
	bool stamp = ical_is_one_of(l->name, MOMENTS, STAMPS);
	struct pf_ical_time t;

	if (put_strict(w, c, l)) {
		return true;
	}
	if (pf_ical_line_time(c, l, &t) || pf_span_is(l->name, "RECURRENCE-ID")) {
		return false;
	}
	ical_put_aside(w, l,
		stamp ? "a stamp that is no time kept under another name"
		      : "a time that is none kept under another name");
	return true;
}

/* RDATE or EXDATE of which no value is a time. */
static bool put_no_dates(struct ical_writer *w, struct pf_ical *c, const struct pf_line *l)
{
	struct pf_span rest = l->value, part;
	struct pf_ical_time t;

	while (pf_value_next(&rest, ',', &part)) {
		if (pf_ical_time_of(c, l, part, &t)) {
			return false;
		}
	}
	ical_put_aside(w, l, "a time that is none kept under another name");
	return true;
}

/* ---- lengths ---- */

/* What begins on a date lasts whole days (RFC 5545 section 3.6.1). */
static bool put_days(struct ical_writer *w, struct pf_ical *c, int comp, const struct pf_line *l)
{
	struct pf_ical_time begin;
	int64_t seconds;
	char text[40];

	if (!pf_ical_begin(c, comp, &begin) || begin.form != PF_ICAL_DATE ||
		!pf_ical_duration(l->value, &seconds) || seconds <= 0 ||
		!(memchr(l->value.p, 'T', l->value.n) || memchr(l->value.p, 't', l->value.n))) {
		return false;
	}
	if (seconds % 86400 != 0) {
		ical_put_aside(w, l, "a length kept under another name");
	}
	(void)snprintf(text, sizeof(text), "P%lldD", (long long)(seconds + 86399) / 86400);
	ical_put_changed(w, l, l->params, pf_span_str(text));
	ical_changed(w, "the length of an all-day event made days");
	return true;
}

bool ical_repair_time(struct ical_writer *w, struct pf_ical *c, int comp, const struct pf_line *l)
{
	if (pf_span_is(l->name, "RRULE")) {
		return put_rule(w, c, comp, l);
	}
	if (pf_span_is(l->name, "DURATION")) {
		return put_days(w, c, comp, l);
	}
	if (put_declared(w, l)) {
		return true;
	}
	if (pf_span_is(l->name, "RDATE") || pf_span_is(l->name, "EXDATE")) {
		return put_no_dates(w, c, l);
	}
	return ical_is_one_of(l->name, MOMENTS, PF_COUNT(MOMENTS)) && put_moment(w, c, l);
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

/* What lasts no time at all gets a second, or the day: some servers take nothing shorter. */
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
		ical_put_aside(w, l, "an end that is none kept under another name");
	}
}

void ical_put_least(struct ical_writer *w, struct pf_ical *c, int comp)
{
	struct pf_ical_time begin = {.form = PF_ICAL_UTC};
	bool days = pf_ical_begin(c, comp, &begin) && begin.form == PF_ICAL_DATE;

	ical_put_line(w, "DURATION", pf_span_str(days ? "P1D" : "PT1S"));
	ical_changed(w, days ? "zero length made one day" : "zero length made one second");
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
