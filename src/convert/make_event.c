/*
 * An event as IPM.Appointment: what it says, and when a single one is. [MS-OXCICAL] 2.1.3.1.1.20,
 * from the other side of mapi_event.c.
 */
#include "convert/make_private.h"

#include "convert/mapi_goid.h"

#include <stdio.h>

/* Of what Exchange has: 1601 to 4500 ([MS-OXOCAL] 2.2.1.44.1). */
static const int64_t OLDEST_S = -11644473600, NEWEST_S = 79839302400;

enum {
	BLOB_MAX = 1 << 20,
	DAY_S = 86400,
	BUSY_TENTATIVE = 1,
	BUSY = 2,
	MINUTES_MAX = 60 * 24 * 366,
};

#define APPT(e, lid, v) make_lid(&(e)->i.m, &pf_set_appointment, lid, v)
#define COMMON(e, lid, v) make_lid(&(e)->i.m, &pf_set_common, lid, v)

/* ---- identity ---- */

static void put_id(
	struct make_event *e, uint32_t lid, struct pf_span uid, const struct pf_goid_day *day)
{
	struct pf_buf b;

	pf_buf_init(&b, BLOB_MAX);
	if (e->i.m.rc == PF_OK) {
		e->i.m.rc = pf_goid_from_uid(uid, day, &b, e->i.m.err);
	}
	if (e->i.m.rc == PF_OK) {
		make_lid(&e->i.m, &pf_set_meeting, lid,
			make_bytes(make_keep(&e->i.m, pf_buf_span(&b))));
	}
	pf_buf_deinit(&b);
}

/* An instance that came without its series has the day that it had there in its id. */
static void put_ids(struct make_event *e)
{
	struct pf_span uid = make_line_text(&e->i, "UID");
	const struct pf_line *l = pf_ical_find(e->i.c, e->i.comp, "RECURRENCE-ID");
	struct pf_goid_day day = {0};
	struct pf_ical_time t;
	struct pf_civil c;

	if (uid.n == 0) {
		return;
	}
	if (l && pf_ical_line_time(e->i.c, l, &t)) {
		pf_civil_from_unix(t.local_s, &c);
		day = (struct pf_goid_day){c.year, c.month, c.day};
		APPT(e, 0x8228, make_time(t.utc_s));
	}
	put_id(e, 0x0003, uid, &day);
	put_id(e, 0x0023, uid, NULL);
}

/* ---- lines of its own ---- */

typedef void take_line(struct make_event *e, const struct pf_line *l);

static void take_location(struct make_event *e, const struct pf_line *l)
{
	struct pf_span url = make_param(&e->i.m, l, "ALTREP");

	APPT(e, 0x8208, make_text(make_unescaped(&e->i.m, l->value)));
	if (url.n > 0) {
		make_named(&e->i.m, "urn:schemas:calendar:locationurl", make_text(url));
	}
}

static void take_sequence(struct make_event *e, const struct pf_line *l)
{
	APPT(e, 0x8201, make_number(make_line_number(l, 0)));
}

static void take_counter(struct make_event *e, const struct pf_line *l)
{
	APPT(e, 0x825A, make_truth(pf_span_is(l->value, "TRUE")));
}

static void take_owner_id(struct make_event *e, const struct pf_line *l)
{
	make_tag(
		&e->i.m, PF_TAG_OWNER_APPOINTMENT_ID, make_number((int32_t)make_line_number(l, 0)));
}

static void take_stamp(struct make_event *e, const struct pf_line *l)
{
	struct pf_ical_time t;

	if (pf_ical_line_time(e->i.c, l, &t)) {
		make_lid(&e->i.m, &pf_set_meeting, 0x001A, make_time(t.utc_s));
	}
}

static int busy_word(const struct pf_line *l)
{
	static const char *const WORDS[] = {"FREE", "TENTATIVE", "BUSY", "OOF", "WORKINGELSEWHERE"};

	for (size_t i = 0; l && i < PF_COUNT(WORDS); i++) {
		if (pf_span_is(l->value, WORDS[i])) {
			return (int)i;
		}
	}
	return -1;
}

static void take_intended(struct make_event *e, const struct pf_line *l)
{
	if (busy_word(l) >= 0) {
		APPT(e, 0x8224, make_number(busy_word(l)));
	}
}

/* What is said by its time, its people or its state; here it is only known. */
static void take_elsewhere(struct make_event *e, const struct pf_line *l)
{
	(void)e;
	(void)l;
}

/* CANCELLED is a state; the others are no more than how busy one is. */
static void take_status(struct make_event *e, const struct pf_line *l)
{
	if (!pf_span_is(l->value, "CANCELLED") && !pf_span_is(l->value, "CONFIRMED")) {
		make_lost(&e->i.m, "STATUS:%.40s", (const char *)make_keep(&e->i.m, l->value).p);
	}
}

static bool take_own_line(struct make_event *e, const struct pf_line *l)
{
	static const struct {
		const char *name;
		take_line *take;
	} LINES[] = {
		{"LOCATION", take_location},
		{"SEQUENCE", take_sequence},
		{"X-MICROSOFT-DISALLOW-COUNTER", take_counter},
		{"X-MICROSOFT-CDO-OWNERAPPTID", take_owner_id},
		{"X-MICROSOFT-CDO-INTENDEDSTATUS", take_intended},
		{"DTSTAMP", take_stamp},
		{"STATUS", take_status},
		{"UID", take_elsewhere},
		{"DTSTART", take_elsewhere},
		{"DTEND", take_elsewhere},
		{"DURATION", take_elsewhere},
		{"RECURRENCE-ID", take_elsewhere},
		{"RRULE", take_elsewhere},
		{"EXDATE", take_elsewhere},
		{"RDATE", take_elsewhere},
		{"EXRULE", take_elsewhere},
		{"TRANSP", take_elsewhere},
		{"ORGANIZER", take_elsewhere},
		{"ATTENDEE", take_elsewhere},
		{"CREATED", take_elsewhere},
		{"LAST-MODIFIED", take_elsewhere},
		{"X-MICROSOFT-CDO-BUSYSTATUS", take_elsewhere},
		{"X-MICROSOFT-CDO-IMPORTANCE", take_elsewhere},
		{"X-MICROSOFT-CDO-ALLDAYEVENT", take_elsewhere},
		{"X-MICROSOFT-CDO-APPT-SEQUENCE", take_elsewhere},
		{"BEGIN", take_elsewhere},
		{"END", take_elsewhere},
	};

	for (size_t k = 0; k < PF_COUNT(LINES); k++) {
		if (pf_span_is(l->name, LINES[k].name)) {
			LINES[k].take(e, l);
			return true;
		}
	}
	return false;
}

static void put_busy(struct make_event *e)
{
	const struct pf_line *said = pf_ical_find(e->i.c, e->i.comp, "X-MICROSOFT-CDO-BUSYSTATUS");
	const struct pf_line *transp = pf_ical_find(e->i.c, e->i.comp, "TRANSP");
	const struct pf_line *status = pf_ical_find(e->i.c, e->i.comp, "STATUS");
	int busy = busy_word(said);

	if (transp && (busy < 0 || busy == BUSY)) {
		busy = pf_span_is(transp->value, "TRANSPARENT") ? 0 : BUSY;
	}
	if (!said && status && pf_span_is(status->value, "TENTATIVE") && busy != 0) {
		busy = BUSY_TENTATIVE;
	}
	APPT(e, 0x8205, make_number(busy < 0 ? BUSY : busy));
}

/* ---- the reminder ---- */

/* Minutes before the begin; false: Exchange has no such reminder. */
static bool minutes_of(struct make_event *e, int alarm, int64_t *minutes)
{
	const struct pf_line *l = pf_ical_find(e->i.c, alarm, "TRIGGER");
	struct pf_span related = l ? pf_params_find(l->params, "RELATED") : pf_span(NULL, 0);
	int64_t seconds = 0;
	struct pf_ical_time t;

	if (!l) {
		return false;
	}
	if (pf_ical_duration(l->value, &seconds)) {
		if (related.p && pf_span_is(related, "END")) {
			seconds += e->end_utc_s - e->start_utc_s;
		}
	} else if (pf_ical_line_time(e->i.c, l, &t)) {
		seconds = t.utc_s - e->start_utc_s;
	} else {
		return false;
	}
	*minutes = -seconds / 60;
	return seconds <= 0 && *minutes <= MINUTES_MAX;
}

void make_event_alarm(struct make_event *e)
{
	int64_t minutes = 0, one;
	bool set = false;

	for (int a = e->i.c->comp[e->i.comp].child; a != PF_ICAL_NONE; a = e->i.c->comp[a].next) {
		const struct pf_line *action = pf_ical_find(e->i.c, a, "ACTION");

		if (!pf_ical_comp_is(e->i.c, a, "VALARM")) {
			continue;
		}
		if (set || !minutes_of(e, a, &one)) {
			make_lost(&e->i.m, set ? "a second VALARM" : "a VALARM after the begin");
			continue;
		}
		set = true;
		minutes = one;
		if (action && !pf_span_is(action->value, "DISPLAY")) {
			make_lost(&e->i.m, "VALARM;ACTION=%.40s",
				(const char *)make_keep(&e->i.m, action->value).p);
		}
	}
	COMMON(e, 0x8503, make_truth(set));
	if (set) {
		COMMON(e, 0x8501, make_number(minutes));
	}
}

/* ---- what it says ---- */

void make_event_words(struct make_event *e)
{
	size_t at = e->i.c->comp[e->i.comp].begin;
	const struct pf_line *l;

	while ((l = make_next_line(&e->i, &at)) != NULL) {
		if (!l->bad && !make_common_line(&e->i, l) && !take_own_line(e, l)) {
			make_lost(&e->i.m, "%.60s", (const char *)make_keep(&e->i.m, l->name).p);
		}
	}
	make_stamps(&e->i);
	put_busy(e);
	make_event_people(e);
}

/* ---- when it is ---- */

int64_t make_event_local(const struct make_event *e, const struct pf_ical_time *t)
{
	return t->form == PF_ICAL_DATE ? t->local_s
				       : t->utc_s + pf_ical_offset_at(&e->begin, t->utc_s);
}

void make_event_span(struct make_event *e)
{
	const struct pf_line *mark = pf_ical_find(e->i.c, e->i.comp, "X-MICROSOFT-CDO-ALLDAYEVENT");
	struct pf_ical_time t;

	if (!pf_ical_begin(e->i.c, e->i.comp, &t)) {
		make_failed(&e->i.m, "an event that does not say when it begins");
		return;
	}
	e->start_utc_s = t.utc_s;
	e->end_utc_s = pf_ical_end(e->i.c, e->i.comp, &t);
	e->end_utc_s = e->end_utc_s < e->start_utc_s ? e->start_utc_s : e->end_utc_s;
	if (e->start_utc_s < OLDEST_S || e->end_utc_s > NEWEST_S) {
		make_failed(&e->i.m, "Exchange has no such year");
	}
	e->all_day = t.form == PF_ICAL_DATE;
	if (!e->all_day && mark && pf_span_is(mark->value, "TRUE") && t.local_s % DAY_S == 0) {
		/* midnights on some wall: their dates are meant */
		e->end_utc_s = t.local_s + (e->end_utc_s - t.utc_s + DAY_S / 2) / DAY_S * DAY_S;
		e->start_utc_s = t.local_s;
		e->all_day = true;
	}
	if (e->all_day && e->end_utc_s <= e->start_utc_s) {
		e->end_utc_s = e->start_utc_s + DAY_S;
	}
	if (t.form == PF_ICAL_FLOATING && !e->all_day) {
		make_lost(&e->i.m, "a time without a zone: taken for UTC");
	}
	if (!e->is_exception) {
		e->begin = t;
	}
}

static void put_blob(struct make_event *e, uint32_t lid, const struct pf_zone *z)
{
	struct pf_buf b;

	pf_buf_init(&b, BLOB_MAX);
	if (e->i.m.rc == PF_OK) {
		e->i.m.rc = lid == 0x8233 ? pf_zone_write_struct(z, &b, e->i.m.err)
					  : pf_zone_write_definition(z, &b, e->i.m.err);
	}
	if (e->i.m.rc == PF_OK) {
		APPT(e, lid, make_bytes(make_keep(&e->i.m, pf_buf_span(&b))));
	}
	pf_buf_deinit(&b);
}

static struct pf_span tzid_of(struct make_event *e, const char *name)
{
	const struct pf_line *l = pf_ical_find(e->i.c, e->i.comp, name);
	struct pf_span tzid = l ? pf_params_find(l->params, "TZID") : pf_span(NULL, 0);

	return tzid.p ? tzid : pf_span("", 0);
}

/* The zones of a single event; one may end in another than it begins in. */
static void put_zones(struct make_event *e)
{
	const struct pf_line *l = pf_ical_find(e->i.c, e->i.comp, "DTEND");
	struct pf_ical_time t;
	struct pf_zone z;

	if (e->begin.form != PF_ICAL_ZONED || e->all_day) {
		return;
	}
	(void)make_zone(&e->i.m, &e->begin, tzid_of(e, "DTSTART"), &z);
	put_blob(e, 0x825E, &z);
	if (l && pf_ical_line_time(e->i.c, l, &t) && t.form == PF_ICAL_ZONED) {
		(void)make_zone(&e->i.m, &t, tzid_of(e, "DTEND"), &z);
	}
	put_blob(e, 0x825F, &z);
}

static void put_series_zone(struct make_event *e)
{
	if (!make_zone(&e->i.m, &e->begin, tzid_of(e, "DTSTART"), &e->zone)) {
		make_lost(&e->i.m, "the later rules of its time zone");
	}
	if (e->all_day) {
		return;
	}
	put_blob(e, 0x8233, &e->zone);
	if (e->zone.name.n > 0) {
		APPT(e, 0x8234, make_text(e->zone.name));
	}
	put_blob(e, 0x8260, &e->zone);
}

/* A moment on the wall of the zone of whole days; false: there is no such zone. */
static bool day_time(struct make_event *e, int64_t local_s, struct pf_ical_time *out)
{
	struct pf_line line = {.params = pf_span("", 0)};
	struct pf_civil c;
	char params[160], text[40];

	if (!e->all_day || !e->days.p) {
		return false;
	}
	pf_civil_from_unix(local_s, &c);
	(void)snprintf(params, sizeof(params), ";TZID=%.120s", (const char *)e->days.p);
	(void)snprintf(text, sizeof(text), "%04d%02d%02dT%02d%02d%02d", c.year, c.month, c.day,
		c.hour, c.minute, c.second);
	line.params = make_keep(&e->i.m, pf_span_str(params));
	return pf_ical_time_of(e->i.c, &line, make_keep(&e->i.m, pf_span_str(text)), out) &&
	       out->form == PF_ICAL_ZONED;
}

int64_t make_event_utc(struct make_event *e, int64_t local_s)
{
	struct pf_ical_time t;

	return day_time(e, local_s, &t) ? t.utc_s : local_s;
}

/* Outlook shows a whole day as one where it is one in the zone that the item is in. */
static void find_days(struct make_event *e)
{
	struct pf_span zone = e->i.m.ways->zone;
	char windows[128], iana[128];

	if (zone.n == 0 || zone.n >= sizeof(windows) || memchr(zone.p, 0, zone.n)) {
		return;
	}
	memcpy(windows, zone.p, zone.n);
	windows[zone.n] = '\0';
	if (pf_ical_zone_of_windows(windows, iana, sizeof(iana))) {
		e->days = make_keep(&e->i.m, pf_span_str(iana));
	}
}

static void put_day_zones(struct make_event *e, bool series)
{
	struct pf_ical_time t;
	struct pf_zone z;

	if (!day_time(e, e->start_utc_s, &t)) {
		return;
	}
	(void)make_zone(&e->i.m, &t, e->days, &z);
	z.name = e->i.m.ways->zone;
	if (series) {
		put_blob(e, 0x8233, &z);
		APPT(e, 0x8234, make_text(make_keep(&e->i.m, z.name)));
		put_blob(e, 0x8260, &z);
	} else {
		put_blob(e, 0x825E, &z);
		put_blob(e, 0x825F, &z);
	}
}

void make_event_item(struct make_event *e)
{
	find_days(e);
	make_tag(&e->i.m, PF_TAG_MESSAGE_CLASS, make_text(pf_span_str("IPM.Appointment")));
	make_event_span(e);
	put_ids(e);
	make_event_words(e);
	APPT(e, 0x820D, make_time(make_event_utc(e, e->start_utc_s)));
	APPT(e, 0x820E, make_time(make_event_utc(e, e->end_utc_s)));
	APPT(e, 0x8215, make_truth(e->all_day));
	make_event_alarm(e);
	if (e->i.m.rc != PF_OK) {
		return;
	}
	put_day_zones(e, pf_ical_recurs(e->i.c, e->i.comp));
	if (pf_ical_recurs(e->i.c, e->i.comp)) {
		put_series_zone(e);
		make_event_series(e);
	} else if (e->override_n > 0) {
		make_failed(&e->i.m, "instances of a series that does not recur");
	} else {
		put_zones(e);
	}
}
