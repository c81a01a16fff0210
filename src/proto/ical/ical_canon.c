/*
 * What an item means, as text: lines of which each says one thing in one way, in order. Two items
 * with equal texts are the same for everybody who looks at a calendar. The rules are those of
 * docs/internals/calendars.md; a change of them is a new PF_ICAL_MEANING_VERSION.
 */
#include "proto/ical/ical_private.h"
#include "proto/line/said.h"
#include "proto/line/text.h"

#include "base/civil.h"
#include "base/digest.h"
#include "base/utf8.h"

#include <stdio.h>
#include <stdlib.h>

enum {
	INFINITE_TOLD = 500, /* instants of a series without end */
	FINITE_MAX = 10000,
	OFFSETS_TOLD = 60, /* of the zone, a month apart */
	MONTH_S = 30 * 86400,
};

/* ---- values ---- */

static void put_time(struct said *k, const struct pf_ical_time *t)
{
	said_text(k, t->form == PF_ICAL_DATE ? "D" : t->form == PF_ICAL_FLOATING ? "F" : "U");
	said_number(k, t->utc_s);
}

/* ---- names ---- */

static const char *const DROPPED[] = {"UID", "DTSTAMP", "CREATED", "LAST-MODIFIED", "SEQUENCE",
	"PRODID", "VERSION", "METHOD", "REQUEST-STATUS", "BEGIN", "END", "DTSTART", "DTEND", "DUE",
	"DURATION", "RRULE", "RDATE", "EXDATE", "EXRULE", "RECURRENCE-ID", "TRANSP", "X-ALT-DESC",
	"STYLED-DESCRIPTION", "X-MOZ-GENERATION", "X-MOZ-LASTACK", "X-MOZ-SNOOZE-TIME",
	"X-MOZ-FAKED-MASTER", "X-MICROSOFT-CDO-OWNERAPPTID", "X-MICROSOFT-CDO-APPT-SEQUENCE",
	"X-MICROSOFT-CDO-OWNER-CRITICAL-CHANGE", "X-MICROSOFT-CDO-ATTENDEE-CRITICAL-CHANGE",
	"X-MICROSOFT-CDO-REPLYTIME", "X-MICROSOFT-CDO-INSTTYPE", "X-MICROSOFT-CDO-IMPORTANCE",
	"X-MICROSOFT-CDO-BUSYSTATUS", "X-MICROSOFT-CDO-ALLDAYEVENT", "X-MICROSOFT-LOCDISPLAYNAME"};
static const char *const DROPPED_PREFIXES[] = {"X-WR-", "X-LIC-", "X-POSTFERRY-", "X-MS-OLK-",
	"X-APPLE-DEFAULT-ALARM", "X-APPLE-CREATOR", "X-APPLE-TRAVEL-ADVISORY", "X-EVOLUTION-",
	"X-NC-", "X-SOGO-", "X-MICROSOFT-DISALLOW-COUNTER", "X-MICROSOFT-DONOTFORWARD"};
static const char *const DROPPED_PARAMS[] = {"LANGUAGE", "ALTREP", "CN", "RSVP", "SCHEDULE-AGENT",
	"SCHEDULE-STATUS", "SCHEDULE-FORCE-SEND", "X-NUM-GUESTS", "EMAIL", "X-FILENAME", "FILENAME",
	"TZID", "VALUE", "ENCODING", "CHARSET"};
static const struct {
	const char *name, *value;
} DEFAULTS[] = {{"CLASS", "PUBLIC"}, {"STATUS", "CONFIRMED"}, {"PRIORITY", "0"}, {"PRIORITY", "5"},
	{"CALSCALE", "GREGORIAN"}, {"ROLE", "REQ-PARTICIPANT"}, {"PARTSTAT", "NEEDS-ACTION"},
	{"CUTYPE", "INDIVIDUAL"}, {"RELTYPE", "PARENT"}, {"FMTTYPE", "application/octet-stream"}};
static const char *const LISTS[] = {"CATEGORIES", "RESOURCES"};
static const char *const TIMES[] = {"COMPLETED", "X-MOZ-SNOOZE-TIME"};

static bool is_one_of(struct pf_span name, const char *const *names, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (pf_span_is(name, names[i])) {
			return true;
		}
	}
	return false;
}

static bool is_default(struct pf_span name, struct pf_span value)
{
	for (size_t i = 0; i < PF_COUNT(DEFAULTS); i++) {
		if (pf_span_is(name, DEFAULTS[i].name) && pf_span_is(value, DEFAULTS[i].value)) {
			return true;
		}
	}
	return false;
}

static bool is_dropped(const struct pf_line *l)
{
	if (l->bad || is_one_of(l->name, DROPPED, PF_COUNT(DROPPED)) ||
		is_default(l->name, l->value)) {
		return true;
	}
	for (size_t i = 0; i < PF_COUNT(DROPPED_PREFIXES); i++) {
		if (pf_span_starts(l->name, DROPPED_PREFIXES[i])) {
			/* FALSE is what everybody takes for granted; TRUE is meant */
			return !pf_span_starts(l->name, "X-MICROSOFT-D") ||
			       pf_span_is(l->value, "FALSE");
		}
	}
	return false;
}

/* ";NAME=value" of those that count, in the order of their names. */
static void put_params(struct said *k, const struct pf_line *l)
{
	struct pf_span last = pf_span("", 0);

	for (;;) { /* few: the next in order is looked for each time */
		struct pf_span rest = l->params, name, value, best = pf_span(NULL, 0),
			       best_value = pf_span(NULL, 0);

		while (pf_params_next(&rest, &name, &value)) {
			if (name.n == 0 ||
				is_one_of(name, DROPPED_PARAMS, PF_COUNT(DROPPED_PARAMS)) ||
				is_default(name, value) || said_cmp(name, last) <= 0 ||
				(best.p && said_cmp(name, best) >= 0)) {
				continue;
			}
			best = name;
			best_value = value;
		}
		if (!best.p) {
			return;
		}
		said_put(k, pf_span(";", 1));
		said_upper(k, best);
		said_put(k, pf_span("=", 1));
		said_put(k, best_value);
		last = best;
	}
}

/* ---- properties ---- */

static void put_address(struct said *k, struct pf_span v)
{
	v = pf_span_starts(v, "mailto:") ? pf_span_from(v, 7) : v;
	for (size_t i = 0; i < v.n; i++) {
		char c = (char)pf_ascii_lower(v.p[i]);

		if (!pf_ascii_space((uint8_t)c)) {
			said_put(k, pf_span(&c, 1));
		}
	}
}

static void put_attach(struct said *k, const struct pf_line *l)
{
	struct pf_span encoding = pf_params_find(l->params, "ENCODING");

	if (encoding.p && pf_span_starts(encoding, "B")) {
		said_base64(k, l->value);
	} else {
		said_put(k, l->value);
	}
}

static void put_list(struct said *k, const struct pf_line *l)
{
	struct pf_span rest = l->value, part;

	while (pf_value_next(&rest, ',', &part)) {
		said_begin(k);
		said_upper(k, l->name);
		said_put(k, pf_span(":", 1));
		if (!said_plain(k, part)) {
			said_drop(k);
		}
		said_end(k);
	}
}

/* 144.9666 is 144.966600; a point is told to six places (RFC 5545 section 3.8.1.6). */
static bool put_geo(struct said *k, struct pf_span value)
{
	char text[100], number[400], *end;
	size_t n = 0;

	for (size_t i = 0; i < value.n && n < sizeof(text) - 1; i++) {
		if (value.p[i] != '\\') { /* some escape the semicolon */
			text[n++] = (char)value.p[i];
		}
	}
	text[n] = '\0';
	end = text;
	for (int i = 0; i < 2; i++) {
		char *begin = end + (i > 0);
		double d = strtod(begin, &end);

		if (end == begin || *end != (i == 0 ? ';' : '\0') || !(d >= -1000 && d <= 1000)) {
			return false;
		}
		(void)snprintf(number, sizeof(number), "%s%.6f", i > 0 ? ";" : "", d);
		said_text(k, number);
	}
	return true;
}

static void put_property(struct said *k, struct pf_ical *c, const struct pf_line *l)
{
	bool person = pf_span_is(l->name, "ATTENDEE") || pf_span_is(l->name, "ORGANIZER");
	struct pf_ical_time t;
	bool said = true;

	if (is_one_of(l->name, LISTS, PF_COUNT(LISTS))) {
		put_list(k, l);
		return;
	}
	said_begin(k);
	said_upper(k, l->name);
	said_put(k, pf_span(":", 1));
	if (person) {
		put_address(k, l->value);
	} else if (pf_span_is(l->name, "ATTACH")) {
		put_attach(k, l);
	} else if (is_one_of(l->name, TIMES, PF_COUNT(TIMES)) && pf_ical_line_time(c, l, &t)) {
		put_time(k, &t);
	} else if (!pf_span_is(l->name, "GEO") || !put_geo(k, l->value)) {
		said = said_plain(k, l->value);
	}
	if (!pf_span_is(l->name, "ORGANIZER")) {
		put_params(k, l);
	}
	if (!said) {
		said_drop(k);
	}
	said_end(k);
}

/* Free, tentative, busy, away: TRANSP and Outlook's word in one. */
static void put_busy(struct said *k, struct pf_ical *c, int comp)
{
	const struct pf_line *outlook = pf_ical_find(c, comp, "X-MICROSOFT-CDO-BUSYSTATUS");
	const struct pf_line *transp = pf_ical_find(c, comp, "TRANSP");
	struct pf_span word = outlook ? outlook->value : pf_span_str("BUSY");

	if (transp && (!outlook || pf_span_is(word, "BUSY"))) {
		word = pf_span_str(pf_span_is(transp->value, "TRANSPARENT") ? "FREE" : "BUSY");
	}
	if (!pf_span_is(word, "BUSY")) {
		said_begin(k);
		said_text(k, "BUSY:");
		said_upper(k, word);
		said_end(k);
	}
}

/* Formatted text counts only where there is no plain one; its tags don't. */
static void put_styled(struct said *k, struct pf_ical *c, int comp)
{
	const struct pf_line *l = pf_ical_find(c, comp, "X-ALT-DESC");
	const struct pf_line *plain = pf_ical_find(c, comp, "DESCRIPTION");
	struct pf_buf text;
	bool tag = false;

	l = l ? l : pf_ical_find(c, comp, "STYLED-DESCRIPTION");
	if (!l || (plain && plain->value.n > 0) || k->rc != PF_OK) {
		return;
	}
	pf_buf_init(&text, SAID_MAX);
	for (size_t i = 0; i < l->value.n && k->rc == PF_OK; i++) {
		uint8_t ch = l->value.p[i];

		if (!tag && ch != '<') {
			k->rc = pf_buf_add(&text, pf_span(&ch, 1), k->err);
		}
		tag = ch == '<' || (tag && ch != '>');
	}
	said_begin(k);
	said_text(k, "STYLED:");
	if (!said_plain(k, pf_buf_span(&text))) {
		said_drop(k);
	}
	said_end(k);
	pf_buf_deinit(&text);
}

static void put_alarm(struct said *k, struct pf_ical *c, int alarm)
{
	const struct pf_line *action = pf_ical_find(c, alarm, "ACTION");
	const struct pf_line *trigger = pf_ical_find(c, alarm, "TRIGGER");
	const struct pf_line *attach = pf_ical_find(c, alarm, "ATTACH");
	struct pf_span related =
		trigger ? pf_params_find(trigger->params, "RELATED") : pf_span("", 0);
	struct pf_ical_time at;
	int64_t seconds;

	said_begin(k);
	said_text(k, "ALARM:");
	said_upper(k, action ? action->value : pf_span("", 0));
	said_text(k, related.p && pf_span_is(related, "END") ? ":E" : ":S");
	if (trigger && pf_ical_duration(trigger->value, &seconds)) {
		said_number(k, seconds);
	} else if (trigger && pf_ical_line_time(c, trigger, &at)) {
		put_time(k, &at);
	}
	said_text(k, ":");
	if (attach) {
		put_attach(k, attach);
	}
	said_end(k);
}

/* ---- components ---- */

/* Outlook's all-day events are midnights on the wall. */
static bool is_all_day(struct pf_ical *c, int comp, const struct pf_ical_time *t)
{
	const struct pf_line *l = pf_ical_find(c, comp, "X-MICROSOFT-CDO-ALLDAYEVENT");

	return l && pf_span_is(l->value, "TRUE") && t->local_s % 86400 == 0;
}

static void put_times(struct said *k, struct pf_ical *c, int comp)
{
	struct pf_ical_time t;
	int64_t end;

	said_begin(k);
	said_text(k, "TIME:");
	if (pf_ical_begin(c, comp, &t)) {
		end = pf_ical_end(c, comp, &t);
		if (is_all_day(c, comp, &t)) {
			end = t.local_s + (end - t.utc_s + 43200) / 86400 * 86400;
			t = (struct pf_ical_time){
				.form = PF_ICAL_DATE, .local_s = t.local_s, .utc_s = t.local_s};
		}
		put_time(k, &t);
		said_text(k, "-");
		said_number(k, end - t.utc_s);
		said_text(k, pf_ical_find(c, comp, "DTSTART") ? "" : ":DUE");
	}
	said_end(k);
}

static bool has_line(struct pf_ical *c, int comp, struct pf_span name)
{
	for (size_t i = pf_ical_next_line(c, comp, c->comp[comp].begin); i != SIZE_MAX;
		i = pf_ical_next_line(c, comp, i)) {
		if (c->line[i].name.n == name.n && strncasecmp((const char *)c->line[i].name.p,
							   (const char *)name.p, name.n) == 0) {
			return true;
		}
	}
	return false;
}

/* All but time and recurrence. What an override does not say it has from its master. */
static void put_rest(
	struct said *k, const struct pf_ical_piece *p, const struct pf_ical_piece *master)
{
	said_begin(k);
	said_text(k, "KIND:");
	said_upper(k, p->c->comp[p->comp].name);
	said_end(k);
	for (size_t i = pf_ical_next_line(p->c, p->comp, p->c->comp[p->comp].begin); i != SIZE_MAX;
		i = pf_ical_next_line(p->c, p->comp, i)) {
		if (!is_dropped(&p->c->line[i])) {
			put_property(k, p->c, &p->c->line[i]);
		}
	}
	for (size_t i = master ? pf_ical_next_line(master->c, master->comp,
					 master->c->comp[master->comp].begin)
			       : SIZE_MAX;
		i != SIZE_MAX; i = pf_ical_next_line(master->c, master->comp, i)) {
		const struct pf_line *l = &master->c->line[i];

		if (!is_dropped(l) && !has_line(p->c, p->comp, l->name)) {
			put_property(k, master->c, l);
		}
	}
	put_busy(k, p->c, p->comp);
	put_styled(k, p->c, p->comp);
	for (int a = p->c->comp[p->comp].child; a != PF_ICAL_NONE; a = p->c->comp[a].next) {
		if (pf_ical_comp_is(p->c, a, "VALARM")) {
			put_alarm(k, p->c, a);
		}
	}
}

/* ---- recurrences ---- */

/* What a rule need not say. */
static bool is_understood(struct pf_span part)
{
	return part.n == 0 || pf_span_is(part, "INTERVAL=1") || pf_span_is(part, "WKST=MO");
}

static void put_word(struct said *k, const struct pf_line *rule, const char *word)
{
	struct pf_span rest = rule->value, part;

	while (pf_value_next(&rest, ';', &part)) {
		if (pf_span_starts(part, word) && !is_understood(part)) {
			said_put(k, pf_span(":", 1));
			said_upper(k, part);
		}
	}
}

static bool has_end(struct pf_ical *c, int comp)
{
	const struct pf_line *l = pf_ical_find(c, comp, "RRULE");
	struct pf_span rest, part;

	if (!l) {
		return true;
	}
	rest = l->value;
	while (pf_value_next(&rest, ';', &part)) {
		if (pf_span_starts(part, "COUNT=") || pf_span_starts(part, "UNTIL=")) {
			return true;
		}
	}
	return false;
}

static bool is_override_of(const struct pf_ical_piece *o, int64_t at)
{
	const struct pf_line *l = pf_ical_find(o->c, o->comp, "RECURRENCE-ID");
	struct pf_ical_time t;

	return l && pf_ical_line_time(o->c, l, &t) && t.utc_s == at;
}

static bool is_excepted(
	const struct pf_ical_set *ex, int64_t at, const struct pf_ical_piece *over, size_t n)
{
	if (!pf_ical_set_has(ex, at)) {
		return false;
	}
	for (size_t i = 0; i < n; i++) {
		if (is_override_of(&over[i], at)) {
			return false; /* it takes place, in another form */
		}
	}
	return true;
}

/* A series without end: how it goes on behind what is told one by one. */
static void put_endless(
	struct said *k, const struct pf_ical_piece *m, const struct pf_ical_set *ex, int64_t last)
{
	const struct pf_line *rule = pf_ical_find(m->c, m->comp, "RRULE");
	struct pf_ical_time t;

	said_begin(k);
	said_text(k, "ENDLESS");
	put_word(k, rule, "FREQ=");
	put_word(k, rule, "INTERVAL=");
	said_end(k);
	said_begin(k);
	said_text(k, "ZONE");
	for (int i = 0; i < OFFSETS_TOLD && pf_ical_begin(m->c, m->comp, &t); i++) {
		said_text(k, ":");
		said_number(k, pf_ical_offset_at(&t, t.utc_s + (int64_t)i * MONTH_S));
	}
	said_end(k);
	for (size_t i = 0; i < ex->n; i++) {
		if (ex->at[i] > last) {
			said_begin(k);
			said_text(k, "NOT:");
			said_number(k, ex->at[i]);
			said_end(k);
		}
	}
}

/* One that can't be read, or comes to nothing, by its words. */
static void put_rule(struct said *k, struct pf_span rule)
{
	struct pf_span part;

	while (pf_value_next(&rule, ';', &part)) {
		if (!is_understood(part)) {
			said_begin(k);
			said_text(k, "RULE:");
			said_upper(k, part);
			said_end(k);
		}
	}
}

static void put_series(
	struct said *k, const struct pf_ical_piece *m, const struct pf_ical_piece *over, size_t n)
{
	bool ends = has_end(m->c, m->comp);
	const struct pf_line *rule = pf_ical_find(m->c, m->comp, "RRULE");
	struct pf_ical_set set = {0}, ex = {0};

	if (k->rc != PF_OK || !pf_ical_recurs(m->c, m->comp)) {
		return;
	}
	k->rc = pf_ical_instants(
		m->c, m->comp, INT64_MAX, ends ? FINITE_MAX : INFINITE_TOLD, &set, k->err);
	if (k->rc == PF_OK) {
		k->rc = pf_ical_exdates(m->c, m->comp, &ex, k->err);
	}
	said_begin(k);
	said_text(k, "AT");
	for (size_t i = 0; i < set.n; i++) {
		if (!is_excepted(&ex, set.at[i], over, n)) {
			said_text(k, ":");
			said_number(k, set.at[i]);
		}
	}
	said_end(k);
	if (!set.whole && rule && set.n > 0) {
		put_endless(k, m, &ex, set.at[set.n - 1]);
	}
	if (set.n <= 1 && rule) {
		put_rule(k, rule->value);
	}
	pf_ical_set_deinit(&set);
	pf_ical_set_deinit(&ex);
}

/* ---- items ---- */

/* Whether the override says nothing that the master would not say at that instance. */
static bool says_nothing(const struct pf_ical_piece *o, const struct pf_ical_piece *m,
	const struct pf_ical_time *rid, struct pf_err *err)
{
	struct said a, b;
	struct pf_buf x, y;
	struct pf_ical_time t, u;
	bool same = pf_ical_begin(o->c, o->comp, &t) && pf_ical_begin(m->c, m->comp, &u) &&
		    t.utc_s == rid->utc_s && (t.form == PF_ICAL_DATE) == (u.form == PF_ICAL_DATE) &&
		    pf_ical_end(o->c, o->comp, &t) - t.utc_s ==
			    pf_ical_end(m->c, m->comp, &u) - u.utc_s;

	if (!same) {
		return false;
	}
	said_init(&a, err);
	said_init(&b, err);
	pf_buf_init(&x, SAID_MAX);
	pf_buf_init(&y, SAID_MAX);
	put_rest(&a, o, m);
	put_rest(&b, m, NULL);
	same = said_write(&a, &x) == PF_OK && said_write(&b, &y) == PF_OK &&
	       pf_span_eq(pf_buf_span(&x), pf_buf_span(&y));
	pf_buf_deinit(&x);
	pf_buf_deinit(&y);
	said_deinit(&a);
	said_deinit(&b);
	return same;
}

int pf_ical_says(const struct pf_ical_piece *piece, struct pf_buf *out, struct pf_err *err)
{
	struct pf_ical_time begin;
	struct said k;
	int rc;

	said_init(&k, err);
	said_begin(&k);
	if (pf_ical_begin(piece->c, piece->comp, &begin)) {
		said_text(&k, begin.form == PF_ICAL_DATE ? "DAYS:" : "LASTS:");
		said_number(&k, pf_ical_end(piece->c, piece->comp, &begin) - begin.utc_s);
	}
	said_end(&k);
	put_rest(&k, piece, NULL);
	rc = said_write(&k, out);
	said_deinit(&k);
	return rc;
}

static int write_override(const struct pf_ical_piece *o, const struct pf_ical_piece *master,
	struct pf_buf *out, struct pf_err *err)
{
	const struct pf_line *l = pf_ical_find(o->c, o->comp, "RECURRENCE-ID");
	struct pf_span range = l ? pf_params_find(l->params, "RANGE") : pf_span(NULL, 0);
	struct pf_ical_time rid = {.form = PF_ICAL_DATE};
	struct said k;
	int rc;

	if (!l || !pf_ical_line_time(o->c, l, &rid)) {
		rid.utc_s = 0;
	}
	if (master && !range.p && says_nothing(o, master, &rid, err)) {
		return PF_OK;
	}
	said_init(&k, err);
	said_begin(&k);
	said_text(&k, range.p ? "INSTANCE-AND-FUTURE:" : "INSTANCE:");
	put_time(&k, &rid);
	said_end(&k);
	put_times(&k, o->c, o->comp);
	put_rest(&k, o, master);
	rc = said_write(&k, out);
	said_deinit(&k);
	return rc == PF_OK ? pf_buf_add(out, pf_span("\n", 1), err) : rc;
}

static int by_rid(const void *a, const void *b)
{
	const struct pf_ical_piece *x = a, *y = b;
	const struct pf_line *l = pf_ical_find(x->c, x->comp, "RECURRENCE-ID");
	const struct pf_line *r = pf_ical_find(y->c, y->comp, "RECURRENCE-ID");
	struct pf_ical_time t = {0}, u = {0};

	if (l && !pf_ical_line_time(x->c, l, &t)) {
		t.utc_s = 0;
	}
	if (r && !pf_ical_line_time(y->c, r, &u)) {
		u.utc_s = 0;
	}
	return t.utc_s < u.utc_s ? -1 : t.utc_s > u.utc_s;
}

int pf_ical_canonical(
	const struct pf_ical_piece *pieces, size_t n, struct pf_buf *out, struct pf_err *err)
{
	bool bare = n > 0 && pf_ical_find(pieces[0].c, pieces[0].comp, "RECURRENCE-ID");
	const struct pf_ical_piece *master = bare ? NULL : &pieces[0];
	size_t over_n = bare ? n : n - 1;
	struct pf_ical_piece *over = calloc(n + 1, sizeof(*over));
	struct said k;
	int rc = PF_OK;

	if (!over) {
		return pf_fail_memory(err, "the meaning of an item");
	}
	memcpy(over, bare ? pieces : pieces + 1, over_n * sizeof(*over));
	if (over_n > 1) {
		qsort(over, over_n, sizeof(*over), by_rid);
	}
	if (master) {
		said_init(&k, err);
		put_times(&k, master->c, master->comp);
		put_rest(&k, master, NULL);
		put_series(&k, master, over, over_n);
		rc = said_write(&k, out);
		said_deinit(&k);
		rc = rc == PF_OK ? pf_buf_add(out, pf_span("\n", 1), err) : rc;
	}
	for (size_t i = 0; i < over_n && rc == PF_OK; i++) {
		rc = write_override(&over[i], master, out, err);
	}
	free(over);
	return rc;
}
