/*
 * When an event is: its moments, all-day form and time zones ([MS-OXOCAL] 2.2.1.5, 2.2.1.39 to
 * 2.2.1.43). A series is counted on the wall of one zone; a single event may end in another one
 * than it begins in.
 */
#include "convert/mapi_event_private.h"

#include "base/civil.h"

#include <stdio.h>

enum { DAY_S = 86400, BIAS_MAX = 24 * 60 };

static bool moment(struct ev *e, const struct pf_guid *set, uint32_t number, int64_t *out)
{
	return pf_mapi_unix(ev_lid(e, PF_MAPI_KEPT, set, number), out);
}

static bool moment_tag(struct ev *e, uint16_t id, int64_t *out)
{
	return pf_mapi_unix(ev_tag(e, PF_MAPI_MAPPED, id), out);
}

static bool find_begin(struct ev *e)
{
	bool common = moment(e, &pf_set_common, LID_COMMON_START, &e->start_utc_s);

	return moment(e, &pf_set_appointment, LID_START, &e->start_utc_s) || common ||
	       moment_tag(e, TAG_START_DATE, &e->start_utc_s);
}

static void find_end(struct ev *e)
{
	int64_t minutes =
		ev_number(ev_lid(e, PF_MAPI_MAPPED, &pf_set_appointment, LID_DURATION), -1);
	bool common = moment(e, &pf_set_common, LID_COMMON_END, &e->end_utc_s);

	if (!moment(e, &pf_set_appointment, LID_END, &e->end_utc_s) && !common &&
		!moment_tag(e, TAG_END_DATE, &e->end_utc_s)) {
		e->end_utc_s =
			e->start_utc_s + (minutes >= 0 && minutes < INT32_MAX ? minutes * 60 : 0);
	}
	if (e->end_utc_s < e->start_utc_s) {
		pf_mapi_odd(e->l, "it ends before it begins");
		e->end_utc_s = e->start_utc_s;
	}
}

/* ---- zones ---- */

static bool read_struct(struct ev *e, struct pf_zone *z)
{
	struct pf_span blob =
		pf_mapi_bytes(ev_lid(e, PF_MAPI_MAPPED, &pf_set_appointment, LID_ZONE_STRUCT));
	struct pf_err why;

	if (blob.n == 0) {
		return false;
	}
	if (pf_zone_read_struct(blob, z, &why) != PF_OK) {
		pf_mapi_odd(e->l, "%s", why.text);
		return false;
	}
	z->name = pf_mapi_text(ev_lid(e, PF_MAPI_MAPPED, &pf_set_appointment, LID_ZONE_TEXT));
	return true;
}

static bool read_definition(struct ev *e, uint32_t lid, struct pf_zone *z)
{
	struct pf_span blob = pf_mapi_bytes(ev_lid(e, PF_MAPI_MAPPED, &pf_set_appointment, lid));
	struct pf_err why;

	if (blob.n == 0) {
		return false;
	}
	if (pf_zone_read_definition(e->l->arena, blob, z, &why) != PF_OK) {
		pf_mapi_odd(e->l, "%s", why.text);
		return false;
	}
	return true;
}

/* Of a series: what 0x8233 says holds, where the two differ ([MS-OXOCAL] 2.2.1.41). */
static bool zone_of_series(struct ev *e, struct pf_zone *z)
{
	struct pf_zone plain;
	bool has_plain = read_struct(e, &plain), has_full = read_definition(e, LID_ZONE_RECUR, z);

	if (has_full) {
		pf_zone_only(z, pf_zone_effective(z));
	}
	if (has_plain && (!has_full || !pf_zone_rule_eq(&plain.rule[0], &z->rule[0]))) {
		*z = plain;
	}
	return has_plain || has_full;
}

/* A series without any: the wall is as far from UTC as its begin tells. */
static void zone_of_begin(struct ev *e, struct pf_zone *z)
{
	int64_t local_s = pf_recur_to_unix(e->recur.start) + (int64_t)e->recur.start_offset * 60;
	int64_t bias = (e->start_utc_s - local_s) / 60;

	*z = (struct pf_zone){.n = 1};
	if (bias > -BIAS_MAX && bias < BIAS_MAX) {
		z->rule[0].bias = (int32_t)bias;
	}
}

static int name_zone(struct ev *e, struct ev_zone *z)
{
	return pf_zone_id(e->l->arena, &z->zone, e->start_utc_s, &z->tzid, e->err);
}

static int find_zones(struct ev *e)
{
	struct pf_zone *start = &e->start.zone, *end = &e->end.zone;
	bool known;

	if (e->recurs) {
		known = zone_of_series(e, start);
		if (!known) {
			zone_of_begin(e, start);
			known = start->rule[0].bias != 0;
		}
	} else {
		known = read_definition(e, LID_ZONE_START, start) || read_struct(e, start) ||
			read_definition(e, LID_ZONE_RECUR, start);
	}
	if (!known) {
		*start = (struct pf_zone){.n = 1}; /* UTC */
		e->end = e->start;
		return PF_OK;
	}
	if (name_zone(e, &e->start) != PF_OK) {
		return PF_FAIL;
	}
	if (e->recurs || !read_definition(e, LID_ZONE_END, end)) {
		e->end = e->start;
		return PF_OK;
	}
	return name_zone(e, &e->end);
}

/* ---- recurrence ---- */

static void find_recurrence(struct ev *e)
{
	struct pf_span blob =
		pf_mapi_bytes(ev_lid(e, PF_MAPI_MAPPED, &pf_set_appointment, LID_RECUR));
	struct pf_err why;

	if (blob.n == 0) {
		return;
	}
	if (pf_recur_read(e->l->arena, blob, e->item->code_page, &e->recur, &why) != PF_OK) {
		pf_mapi_odd(e->l, "%s", why.text);
	} else if (!e->recur.has_times || !pf_recur_can_say(&e->recur)) {
		pf_mapi_odd(e->l,
			"a recurrence without words in iCalendar (pattern %u, calendar %u)",
			e->recur.pattern, e->recur.calendar);
	} else {
		e->recurs = true;
		if (e->recur.cut) {
			pf_mapi_odd(e->l, "a recurrence that is cut behind its exceptions");
		}
		return;
	}
	e->broken = blob;
}

int ev_find_times(struct ev *e)
{
	bool begins = find_begin(e);

	find_recurrence(e);
	if (!begins && !e->recurs) {
		return pf_fail(e->err, PF_SCOPE_ITEM, PF_RETRY_NO,
			"an appointment that does not say when it begins");
	}
	if (!begins) {
		e->start_utc_s =
			pf_recur_to_unix(e->recur.start) + (int64_t)e->recur.start_offset * 60;
	}
	find_end(e);
	e->all_day = pf_mapi_true(ev_lid(e, PF_MAPI_KEPT, &pf_set_appointment, LID_ALL_DAY));
	return find_zones(e);
}

/* ---- lines ---- */

void ev_put_zones(struct ev *e)
{
	struct pf_civil c;

	pf_civil_from_unix(e->start_utc_s, &c);
	if (e->all_day || !e->start.tzid.p || e->o.rc != PF_OK) {
		return;
	}
	e->o.rc = pf_zone_to_ical(&e->start.zone, e->start.tzid, c.year, e->o.out, e->err);
	if (e->o.rc == PF_OK && !pf_span_eq(e->start.tzid, e->end.tzid)) {
		e->o.rc = pf_zone_to_ical(&e->end.zone, e->end.tzid, c.year, e->o.out, e->err);
	}
}

static void put(struct ev *e, const char *form, int64_t s)
{
	struct pf_civil c;
	char text[64];

	pf_civil_from_unix(s, &c);
	(void)snprintf(text, sizeof(text), "%04d%02d%02d", c.year, c.month, c.day);
	pf_mapi_line_value(&e->o, text, pf_span(NULL, 0));
	if (form) {
		(void)snprintf(
			text, sizeof(text), "T%02d%02d%02d%s", c.hour, c.minute, c.second, form);
		pf_mapi_line_value(&e->o, text, pf_span(NULL, 0));
	}
	pf_mapi_line_end(&e->o);
}

void ev_put_utc(struct ev *e, const char *name, int64_t utc_s)
{
	pf_mapi_line_begin(&e->o, name);
	put(e, "Z", utc_s);
}

void ev_put_moment(
	struct ev *e, const char *name, const struct ev_zone *zone, bool all_day, int64_t local_s)
{
	pf_mapi_line_begin(&e->o, name);
	if (all_day) {
		pf_mapi_line_param(&e->o, "VALUE", pf_span("DATE", 4));
		put(e, NULL, local_s);
	} else if (zone->tzid.p) {
		pf_mapi_line_param(&e->o, "TZID", zone->tzid);
		put(e, "", local_s);
	} else {
		put(e, "Z", local_s);
	}
}

static int64_t midnight(const struct ev *e, int64_t local_s)
{
	return pf_zone_day(local_s, e->start.tzid.p != NULL);
}

static void put_span(struct ev *e, bool all_day, int64_t start, int64_t end)
{
	if (all_day) {
		start = midnight(e, start);
		end = midnight(e, end);
		end = end > start ? end : start + DAY_S;
	}
	ev_put_moment(e, "DTSTART", &e->start, all_day, start);
	ev_put_moment(e, "DTEND", e->x ? &e->start : &e->end, all_day, end);
	pf_mapi_linef(&e->o, "X-MICROSOFT-CDO-ALLDAYEVENT", "%s", all_day ? "TRUE" : "FALSE");
}

static void put_exception(struct ev *e)
{
	const struct pf_mapi_value *v = ev_lid(e, PF_MAPI_KEPT, &pf_set_appointment, LID_ALL_DAY);
	bool all_day = v ? pf_mapi_true(v) : e->all_day;

	if (e->x->flags & PF_RECUR_HAS_ALL_DAY) {
		all_day = e->x->all_day != 0;
	}
	ev_put_moment(
		e, "RECURRENCE-ID", &e->start, e->all_day, ev_original_local(e, e->x->original));
	put_span(e, all_day, pf_recur_to_unix(e->x->start), pf_recur_to_unix(e->x->end));
}

/* An instance whose series is not here: the day that it had is in its id. */
static void put_orphan(struct ev *e)
{
	const struct pf_civil day = {.year = e->day.year, .month = e->day.month, .day = e->day.day};
	int64_t start = pf_zone_to_local(&e->start.zone, e->start_utc_s), utc_s;

	if (pf_mapi_unix(ev_lid(e, PF_MAPI_KEPT, &pf_set_appointment, LID_REPLACE_TIME), &utc_s)) {
		start = pf_zone_to_local(&e->start.zone, utc_s);
	} else {
		start = pf_civil_to_unix(&day) + (start % DAY_S + DAY_S) % DAY_S;
	}
	ev_put_moment(
		e, "RECURRENCE-ID", &e->start, e->all_day, e->all_day ? midnight(e, start) : start);
}

void ev_put_times(struct ev *e)
{
	int64_t start, minutes;

	if (e->x) {
		put_exception(e);
	} else if (e->recurs) {
		start = ev_original_local(e, pf_recur_first(&e->recur));
		minutes = (int64_t)e->recur.end_offset - e->recur.start_offset;
		put_span(e, e->all_day, start, start + (minutes > 0 ? minutes * 60 : 0));
	} else {
		if (e->day.year) {
			put_orphan(e);
		}
		put_span(e, e->all_day, pf_zone_to_local(&e->start.zone, e->start_utc_s),
			pf_zone_to_local(&e->end.zone, e->end_utc_s));
	}
}
