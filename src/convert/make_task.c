/*
 * Tasks and notes, from the other side of mapi_task.c and mapi_note.c.
 */
#include "convert/make_private.h"

#include <stdio.h>

enum {
	DAY_S = 86400,
	BLOB_MAX = 1 << 20,
	DONE = 2,
	SPOKEN_STATUS = 4, /* PidLidTaskStatus: the last one */
};

static const char UID[] = "urn:schemas:calendar:uid";

#define TASK(i, lid, v) make_lid(&(i)->m, &pf_set_task, lid, v)
#define COMMON(i, lid, v) make_lid(&(i)->m, &pf_set_common, lid, v)

static void begin_item(struct make_ical *i, const char *item_class)
{
	struct pf_span uid = make_line_text(i, "UID");

	make_tag(&i->m, PF_TAG_MESSAGE_CLASS, make_text(pf_span_str(item_class)));
	if (uid.n > 0) {
		make_named(&i->m, UID, make_text(uid));
	}
	make_stamps(i);
}

/* ---- lines of a task ---- */

static void put_day(struct make_ical *i, uint32_t lid, const struct pf_line *l)
{
	struct pf_ical_time t;

	if (!pf_ical_line_time(i->c, l, &t)) {
		make_lost(&i->m, "%.60s", (const char *)make_keep(&i->m, l->name).p);
		return;
	}
	if (t.form != PF_ICAL_DATE) {
		make_lost(&i->m, "the time of %.60s", (const char *)make_keep(&i->m, l->name).p);
	}
	TASK(i, lid, make_time(t.local_s - (t.local_s % DAY_S + DAY_S) % DAY_S));
}

static void take_start(struct make_ical *i, const struct pf_line *l)
{
	put_day(i, 0x8104, l);
}

static void take_due(struct make_ical *i, const struct pf_line *l)
{
	put_day(i, 0x8105, l);
}

static void take_done(struct make_ical *i, const struct pf_line *l)
{
	struct pf_ical_time t;

	if (pf_ical_line_time(i->c, l, &t)) {
		TASK(i, 0x810F, make_time(t.utc_s));
	}
}

static void take_percent(struct make_ical *i, const struct pf_line *l)
{
	int64_t n = make_line_number(l, -1);

	if (n >= 0 && n <= 100) {
		TASK(i, 0x8102,
			((struct pf_mapi_value){.type = PF_MAPI_DOUBLE, .real = (double)n / 100}));
	}
}

static void take_actual(struct make_ical *i, const struct pf_line *l)
{
	TASK(i, 0x8110, make_number(make_line_number(l, 0)));
}

static void take_estimated(struct make_ical *i, const struct pf_line *l)
{
	TASK(i, 0x8111, make_number(make_line_number(l, 0)));
}

static void take_owner(struct make_ical *i, const struct pf_line *l)
{
	TASK(i, 0x811F, make_text(make_unescaped(&i->m, l->value)));
}

static void take_mileage(struct make_ical *i, const struct pf_line *l)
{
	COMMON(i, 0x8534, make_text(make_unescaped(&i->m, l->value)));
}

static void take_billing(struct make_ical *i, const struct pf_line *l)
{
	COMMON(i, 0x8535, make_text(make_unescaped(&i->m, l->value)));
}

/* One line each: all of them at the first. */
static void take_companies(struct make_ical *i, const struct pf_line *l)
{
	struct pf_mapi_value all = {.type = PF_MAPI_STRING | PF_MAPI_MANY};
	size_t at = i->c->comp[i->comp].begin, n = 0;
	const struct pf_line *o;

	if (l != pf_ical_find(i->c, i->comp, "X-MICROSOFT-TASK-COMPANY")) {
		return;
	}
	while ((o = make_next_line(i, &at)) != NULL) {
		n += pf_span_is(o->name, "X-MICROSOFT-TASK-COMPANY");
	}
	all.many.v = pf_arena_alloc(i->m.arena, (n + 1) * sizeof(*all.many.v));
	if (!all.many.v) {
		make_no_memory(&i->m);
		return;
	}
	at = i->c->comp[i->comp].begin;
	while ((o = make_next_line(i, &at)) != NULL) {
		if (pf_span_is(o->name, "X-MICROSOFT-TASK-COMPANY")) {
			all.many.v[all.many.n++] = make_text(make_unescaped(&i->m, o->value));
		}
	}
	COMMON(i, 0x8539, all);
}

/* Dealt with as a whole. */
static void take_elsewhere(struct make_ical *i, const struct pf_line *l)
{
	(void)i;
	(void)l;
}

struct line {
	const char *name;
	void (*take)(struct make_ical *i, const struct pf_line *l);
};

static void take_lines(struct make_ical *i, const struct line *lines, size_t n)
{
	size_t at = i->c->comp[i->comp].begin, k;
	const struct pf_line *l;

	while ((l = make_next_line(i, &at)) != NULL) {
		if (l->bad || make_common_line(i, l)) {
			continue;
		}
		for (k = 0; k < n && !pf_span_is(l->name, lines[k].name); k++) {
		}
		if (k < n) {
			lines[k].take(i, l);
		} else {
			make_lost(&i->m, "%.60s", (const char *)make_keep(&i->m, l->name).p);
		}
	}
}

/* ---- tasks ---- */

static void put_status(struct make_ical *i)
{
	static const char *const NAMES[] = {"NEEDS-ACTION", "IN-PROCESS", "COMPLETED"};
	const struct pf_line *l = pf_ical_find(i->c, i->comp, "STATUS");
	int64_t n = make_line_number(pf_ical_find(i->c, i->comp, "X-MICROSOFT-TASK-STATUS"), -1);
	bool done;

	for (size_t k = 0; n < 0 && l && k < PF_COUNT(NAMES); k++) {
		n = pf_span_is(l->value, NAMES[k]) ? (int64_t)k : n;
	}
	if (l && n < 0) {
		make_lost(&i->m, "STATUS:%.40s", (const char *)make_keep(&i->m, l->value).p);
	}
	if (n < 0 && pf_ical_find(i->c, i->comp, "COMPLETED")) {
		n = DONE;
	}
	n = n < 0 || n > SPOKEN_STATUS ? 0 : n;
	done = n == DONE;
	TASK(i, 0x8101, make_number(n));
	TASK(i, 0x811C, make_truth(done));
}

/* When it rings; a duration counts from the due day, else from the first one. */
static bool ring_of(struct make_ical *i, int alarm, int64_t *utc_s)
{
	const struct pf_line *l = pf_ical_find(i->c, alarm, "TRIGGER");
	struct pf_ical_time t;
	int64_t seconds, from;

	if (!l) {
		return false;
	}
	if (!pf_ical_duration(l->value, &seconds)) {
		*utc_s = pf_ical_line_time(i->c, l, &t) ? t.utc_s : PF_DATE_NONE;
		return *utc_s != PF_DATE_NONE;
	}
	if (!make_line_time(i, "DTSTART", &from) && !make_line_time(i, "DUE", &from)) {
		return false;
	}
	*utc_s = from + seconds;
	return true;
}

static void put_alarm(struct make_ical *i)
{
	bool set = false;
	int64_t utc_s;

	for (int a = i->c->comp[i->comp].child; a != PF_ICAL_NONE; a = i->c->comp[a].next) {
		if (!pf_ical_comp_is(i->c, a, "VALARM")) {
			continue;
		}
		if (set || !ring_of(i, a, &utc_s)) {
			make_lost(&i->m, set ? "a second VALARM" : "a VALARM without a time");
			continue;
		}
		set = true;
		COMMON(i, 0x8502, make_time(utc_s));
	}
	COMMON(i, 0x8503, make_truth(set));
}

static uint32_t until_of(struct make_ical *i, const struct pf_line *rule)
{
	const struct pf_line plain = {.params = pf_span("", 0)};
	struct pf_span rest = rule->value, part;
	struct pf_ical_time t;

	while (pf_value_next(&rest, ';', &part)) {
		if (pf_span_starts(part, "UNTIL=") &&
			pf_ical_time_of(i->c, &plain, pf_span_from(part, 6), &t)) {
			return pf_recur_from_unix(t.local_s - t.local_s % DAY_S + DAY_S - 60);
		}
	}
	return 0;
}

static void put_rule(struct make_ical *i)
{
	const struct pf_line *rule = pf_ical_find(i->c, i->comp, "RRULE");
	struct pf_recur_begin begin = {0};
	struct pf_ical_time t;
	struct pf_recur r;
	struct pf_buf b;

	if (!pf_ical_recurs(i->c, i->comp) || i->m.rc != PF_OK) {
		return;
	}
	if (!rule || pf_ical_find(i->c, i->comp, "RDATE") ||
		pf_ical_find(i->c, i->comp, "EXDATE") || !pf_ical_begin(i->c, i->comp, &t)) {
		make_failed(&i->m, "Exchange has no words for RDATE, EXDATE or a rule without a "
				   "begin in a task");
		return;
	}
	begin.start = begin.end = pf_recur_from_unix(t.local_s - t.local_s % DAY_S);
	begin.until = until_of(i, rule);
	i->m.rc = pf_recur_from_rule(rule->value, &begin, &r, i->m.err);
	r.has_times = false;
	pf_buf_init(&b, BLOB_MAX);
	i->m.rc = i->m.rc == PF_OK ? pf_recur_write(&r, &b, i->m.err) : i->m.rc;
	if (i->m.rc == PF_OK) {
		TASK(i, 0x8116, make_bytes(make_keep(&i->m, pf_buf_span(&b))));
		TASK(i, 0x8126, make_truth(true));
	}
	pf_buf_deinit(&b);
}

void make_task_item(struct make_ical *i)
{
	static const struct line LINES[] = {
		{"DTSTART", take_start},
		{"DUE", take_due},
		{"COMPLETED", take_done},
		{"PERCENT-COMPLETE", take_percent},
		{"X-MICROSOFT-TASK-ACTUAL-EFFORT", take_actual},
		{"X-MICROSOFT-TASK-ESTIMATED-EFFORT", take_estimated},
		{"X-MICROSOFT-TASK-OWNER", take_owner},
		{"X-MICROSOFT-TASK-MILEAGE", take_mileage},
		{"X-MICROSOFT-TASK-BILLING", take_billing},
		{"X-MICROSOFT-TASK-COMPANY", take_companies},
		{"X-MICROSOFT-TASK-STATUS", take_elsewhere},
		{"STATUS", take_elsewhere},
		{"UID", take_elsewhere},
		{"DTSTAMP", take_elsewhere},
		{"CREATED", take_elsewhere},
		{"LAST-MODIFIED", take_elsewhere},
		{"SEQUENCE", take_elsewhere},
		{"RRULE", take_elsewhere},
		{"BEGIN", take_elsewhere},
		{"END", take_elsewhere},
	};

	begin_item(i, "IPM.Task");
	take_lines(i, LINES, PF_COUNT(LINES));
	put_status(i);
	put_rule(i);
	put_alarm(i);
}

/* ---- notes ---- */

static void take_colour(struct make_ical *i, const struct pf_line *l)
{
	static const char *const NAMES[] = {"blue", "green", "pink", "yellow", "white"};

	for (size_t k = 0; k < PF_COUNT(NAMES); k++) {
		if (pf_span_is(l->value, NAMES[k])) {
			make_lid(&i->m, &pf_set_note, 0x8B00, make_number((int64_t)k));
			return;
		}
	}
	make_lost(&i->m, "COLOR:%.40s", (const char *)make_keep(&i->m, l->value).p);
}

static void take_log_end(struct make_ical *i, const struct pf_line *l)
{
	struct pf_ical_time t;

	if (pf_ical_line_time(i->c, l, &t)) {
		make_lid(&i->m, &pf_set_log, 0x8708, make_time(t.utc_s));
	}
}

static void take_log_type(struct make_ical *i, const struct pf_line *l)
{
	make_lid(&i->m, &pf_set_log, 0x8700, make_text(make_unescaped(&i->m, l->value)));
}

static void take_log_minutes(struct make_ical *i, const struct pf_line *l)
{
	int64_t seconds;

	if (pf_ical_duration(l->value, &seconds)) {
		make_lid(&i->m, &pf_set_log, 0x8707, make_number(seconds / 60));
	}
}

/* Of a note that has no day the day that it was written: an item of Exchange is always of one. */
static void put_begin(struct make_ical *i)
{
	static const char *const NAMES[] = {"DTSTART", "CREATED", "LAST-MODIFIED", "DTSTAMP"};
	const struct pf_line *l = pf_ical_find(i->c, i->comp, "DTSTART");
	int64_t utc_s = DAY_S;
	struct pf_ical_time t;

	for (size_t k = 0; k < PF_COUNT(NAMES); k++) {
		if (make_line_time(i, NAMES[k], &utc_s)) {
			break;
		}
	}
	make_lid(&i->m, &pf_set_log, 0x8706, make_time(utc_s));
	if (l && pf_ical_line_time(i->c, l, &t) && t.form != PF_ICAL_UTC) {
		make_lost(&i->m, "the zone of DTSTART");
	}
}

void make_note_item(struct make_ical *i)
{
	static const struct line LINES[] = {
		{"COLOR", take_colour},
		{"X-MICROSOFT-NOTE-COLOR", take_elsewhere},
		{"X-MICROSOFT-JOURNAL-END", take_log_end},
		{"X-MICROSOFT-JOURNAL-TYPE", take_log_type},
		{"X-MICROSOFT-JOURNAL-DURATION", take_log_minutes},
		{"UID", take_elsewhere},
		{"DTSTART", take_elsewhere},
		{"DTSTAMP", take_elsewhere},
		{"CREATED", take_elsewhere},
		{"LAST-MODIFIED", take_elsewhere},
		{"SEQUENCE", take_elsewhere},
		{"BEGIN", take_elsewhere},
		{"END", take_elsewhere},
	};
	bool is_log = pf_ical_find(i->c, i->comp, "X-MICROSOFT-JOURNAL-TYPE") != NULL;

	if (pf_ical_recurs(i->c, i->comp)) {
		make_failed(&i->m, "Exchange has no words for a note that recurs");
	}
	begin_item(i, is_log ? "IPM.Activity" : "IPM.StickyNote");
	put_begin(i);
	take_lines(i, LINES, PF_COUNT(LINES));
}
