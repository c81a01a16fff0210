#include "convert/mapi_event_private.h"

#include <stdio.h>

enum { UID_MAX = 1 << 18, REMINDER_DEFAULT = 0x5AE980E1, MINUTES_MAX = 60 * 24 * 366 };

/* ---- asking ---- */

static const struct pf_mapi_value *noted(
	struct ev *e, enum pf_mapi_fate fate, const struct pf_mapi_value *v)
{
	return pf_mapi_use(e->l, fate, v);
}

const struct pf_mapi_value *ev_tag(struct ev *e, enum pf_mapi_fate fate, uint16_t id)
{
	const struct pf_mapi_value *v = e->item ? pf_mapi_tag(&e->item->props, id) : NULL;

	return noted(e, fate, !v && e->base ? pf_mapi_tag(&e->base->props, id) : v);
}

const struct pf_mapi_value *ev_lid(
	struct ev *e, enum pf_mapi_fate fate, const struct pf_guid *set, uint32_t number)
{
	const struct pf_mapi_value *v = e->item ? pf_mapi_lid(&e->item->props, set, number) : NULL;

	return noted(e, fate, !v && e->base ? pf_mapi_lid(&e->base->props, set, number) : v);
}

static const struct pf_mapi_value *named(struct ev *e, enum pf_mapi_fate fate, const char *text)
{
	const struct pf_mapi_value *v =
		e->item ? pf_mapi_named(&e->item->props, &pf_set_strings, text) : NULL;

	return noted(
		e, fate, !v && e->base ? pf_mapi_named(&e->base->props, &pf_set_strings, text) : v);
}

int64_t ev_number(const struct pf_mapi_value *v, int64_t none)
{
	int64_t n = none;

	return pf_mapi_number(v, &n) ? n : none;
}

/* ---- identity ---- */

static int find_uid(struct ev *e)
{
	const struct pf_mapi_value *full = ev_lid(e, PF_MAPI_KEPT, &pf_set_meeting, LID_GOID);
	const struct pf_mapi_value *clean =
		ev_lid(e, PF_MAPI_KEPT, &pf_set_meeting, LID_CLEAN_GOID);
	struct pf_goid_day ignored_day;
	char made[PF_UUID_TEXT];
	struct pf_err ignored; /* such an id counts as none */
	struct pf_buf b;

	pf_buf_init(&b, UID_MAX);
	if (pf_goid_to_uid(pf_mapi_bytes(full), &b, &e->day, &ignored) != PF_OK) {
		pf_buf_clear(&b);
	}
	if (pf_mapi_bytes(clean).n > 0) {
		pf_buf_clear(&b);
		if (pf_goid_to_uid(pf_mapi_bytes(clean), &b, &ignored_day, &ignored) != PF_OK) {
			pf_buf_clear(&b);
		}
	}
	if (b.n == 0) {
		pf_mapi_made_uid(e->ways, made);
	}
	e->uid = pf_arena_span(e->l->arena, b.n > 0 ? pf_buf_span(&b) : pf_span_str(made));
	pf_buf_deinit(&b);
	return e->uid.p ? PF_OK : pf_fail_memory(e->err, "a UID");
}

static void put_stamps(struct ev *e)
{
	int64_t changed = 0, made = 0, stamp = 0;
	bool has_changed =
		pf_mapi_unix(ev_tag(e, PF_MAPI_KEPT, PF_TAG_LAST_MODIFICATION_TIME), &changed);
	bool has_made = pf_mapi_unix(ev_tag(e, PF_MAPI_KEPT, PF_TAG_CREATION_TIME), &made);

	if (!pf_mapi_unix(ev_lid(e, PF_MAPI_KEPT, &pf_set_meeting, LID_CRITICAL_CHANGE), &stamp) &&
		!pf_mapi_unix(
			ev_lid(e, PF_MAPI_MAPPED, &pf_set_meeting, LID_ATTENDEE_CHANGE), &stamp)) {
		stamp = has_changed ? changed : made;
	}
	ev_put_utc(e, "DTSTAMP", stamp);
	if (has_made) {
		ev_put_utc(e, "CREATED", made);
	}
	if (has_changed) {
		ev_put_utc(e, "LAST-MODIFIED", changed);
	}
}

/* ---- what it says ---- */

static struct pf_span subject(struct ev *e)
{
	struct pf_span s = pf_mapi_text(ev_tag(e, PF_MAPI_KEPT, PF_TAG_SUBJECT));

	if (s.n == 0) {
		s = pf_mapi_text(ev_tag(e, PF_MAPI_KEPT, PF_TAG_NORMALIZED_SUBJECT));
	}
	/* In a PST a prefix ("RE: ") is marked by 1 and its length. */
	return s.n >= 2 && s.p[0] == 1 ? pf_span_from(s, 2) : s;
}

static bool has(const struct ev *e, enum pf_recur_override flag)
{
	return e->x && (e->x->flags & flag);
}

static void put_location(struct ev *e)
{
	struct pf_span place =
		pf_mapi_text(ev_lid(e, PF_MAPI_KEPT, &pf_set_appointment, LID_LOCATION));
	struct pf_span url =
		pf_mapi_text(named(e, PF_MAPI_KEPT, "urn:schemas:calendar:locationurl"));

	place = has(e, PF_RECUR_HAS_LOCATION) && e->x->location.n > 0 ? e->x->location : place;
	pf_mapi_line_begin(&e->o, "LOCATION");
	pf_mapi_line_param(&e->o, "ALTREP", url);
	if (pf_mapi_line_parts(&e->o, &place, 1, ',')) {
		pf_mapi_line_end(&e->o);
	}
}

static void put_body(struct ev *e)
{
	struct pf_mapi_bodies b = {0};

	if (e->o.rc == PF_OK && e->item) {
		e->o.rc = pf_mapi_body(e->item, e->l->arena, &b, e->err);
	}
	if (e->o.rc == PF_OK && e->base && !b.text.p && !b.html.p) {
		e->o.rc = pf_mapi_body(e->base, e->l->arena, &b, e->err);
	}
	pf_mapi_line_text(&e->o, "DESCRIPTION", b.text);
	pf_mapi_line_text(&e->o, "X-ALT-DESC;FMTTYPE=text/html", b.html);
}

static void put_texts(struct ev *e)
{
	struct pf_span title = subject(e);

	title = has(e, PF_RECUR_HAS_SUBJECT) && e->x->subject.n > 0 ? e->x->subject : title;
	pf_mapi_line_text(&e->o, "SUMMARY", title);
	put_location(e);
	put_body(e);
}

static void put_categories(struct ev *e)
{
	pf_mapi_line_words(&e->o, "CATEGORIES", named(e, PF_MAPI_KEPT, "Keywords"));
}

/* ---- what it is ---- */

static const char *said(int64_t n, const char *const *words, size_t count)
{
	return n >= 0 && n < (int64_t)count ? words[n] : NULL;
}

static void put_busy(struct ev *e)
{
	static const char *const BUSY[] = {"FREE", "TENTATIVE", "BUSY", "OOF", "WORKINGELSEWHERE"};
	int64_t busy = ev_number(ev_lid(e, PF_MAPI_KEPT, &pf_set_appointment, LID_BUSY), 2);
	int64_t meant =
		ev_number(ev_lid(e, PF_MAPI_KEPT, &pf_set_appointment, LID_INTENDED_BUSY), -1);
	const char *word, *intended = said(meant, BUSY, PF_COUNT(BUSY));

	busy = has(e, PF_RECUR_HAS_BUSY) ? (int64_t)e->x->busy : busy;
	word = said(busy, BUSY, PF_COUNT(BUSY));
	pf_mapi_linef(&e->o, "TRANSP", "%s", busy == 0 || busy == 4 ? "TRANSPARENT" : "OPAQUE");
	if (word) {
		pf_mapi_linef(&e->o, "X-MICROSOFT-CDO-BUSYSTATUS", "%s", word);
	}
	if (intended) {
		pf_mapi_linef(&e->o, "X-MICROSOFT-CDO-INTENDEDSTATUS", "%s", intended);
	}
}

static void put_class(struct ev *e)
{
	static const char *const CLASSES[] = {"PUBLIC", "X-PERSONAL", "PRIVATE", "CONFIDENTIAL"};
	int64_t n = ev_number(ev_tag(e, PF_MAPI_KEPT, PF_TAG_SENSITIVITY), 0);
	bool hidden = pf_mapi_true(ev_lid(e, PF_MAPI_KEPT, &pf_set_common, LID_PRIVATE));
	const char *word = said(n == 0 && hidden ? 2 : n, CLASSES, PF_COUNT(CLASSES));

	pf_mapi_linef(&e->o, "CLASS", "%s", word ? word : "PRIVATE");
}

static void put_importance(struct ev *e)
{
	static const char *const PRIORITY[] = {"9", "5", "1"};
	int64_t n = ev_number(ev_tag(e, PF_MAPI_KEPT, PF_TAG_IMPORTANCE), -1);
	const char *word = said(n, PRIORITY, PF_COUNT(PRIORITY));

	if (word) {
		pf_mapi_linef(&e->o, "PRIORITY", "%s", word);
		pf_mapi_linef(&e->o, "X-MICROSOFT-CDO-IMPORTANCE", "%d", (int)n);
	}
}

static void put_state(struct ev *e)
{
	int64_t state = ev_number(ev_lid(e, PF_MAPI_MAPPED, &pf_set_appointment, LID_STATE), 0);
	int64_t sequence = ev_number(ev_lid(e, PF_MAPI_KEPT, &pf_set_appointment, LID_SEQUENCE), 0);
	const struct pf_mapi_value *owner = ev_tag(e, PF_MAPI_KEPT, PF_TAG_OWNER_APPOINTMENT_ID);
	const struct pf_mapi_value *counter =
		ev_lid(e, PF_MAPI_KEPT, &pf_set_appointment, LID_NO_COUNTER);

	state = has(e, PF_RECUR_HAS_MEETING) ? (int64_t)e->x->meeting : state;
	if (state & STATE_CANCELLED) {
		pf_mapi_linef(&e->o, "STATUS", "CANCELLED");
	}
	sequence = sequence > 0 && sequence < INT32_MAX ? sequence : 0;
	pf_mapi_linef(&e->o, "SEQUENCE", "%d", (int)sequence);
	pf_mapi_linef(&e->o, "X-MICROSOFT-CDO-APPT-SEQUENCE", "%d", (int)sequence);
	if (owner) {
		pf_mapi_linef(&e->o, "X-MICROSOFT-CDO-OWNERAPPTID", "%d",
			(int)(int32_t)ev_number(owner, 0));
	}
	if (counter) {
		pf_mapi_linef(&e->o, "X-MICROSOFT-DISALLOW-COUNTER", "%s",
			pf_mapi_true(counter) ? "TRUE" : "FALSE");
	}
}

static void put_alarm(struct ev *e)
{
	bool set = pf_mapi_true(ev_lid(e, PF_MAPI_KEPT, &pf_set_common, LID_REMINDER_SET));
	int64_t minutes = ev_number(
		ev_lid(e, PF_MAPI_KEPT, &pf_set_common, LID_REMINDER_MINUTES), REMINDER_DEFAULT);

	set = has(e, PF_RECUR_HAS_REMINDER) ? e->x->reminder != 0 : set;
	minutes = has(e, PF_RECUR_HAS_REMINDER_DELTA) ? (int32_t)e->x->reminder_delta : minutes;
	minutes = minutes == REMINDER_DEFAULT ? 15 : minutes;
	if (!set) {
		return;
	}
	if (minutes < 0 || minutes > MINUTES_MAX) {
		pf_mapi_odd(e->l, "a reminder of %lld minutes", (long long)minutes);
		minutes = 15;
	}
	pf_mapi_linef(&e->o, "BEGIN", "VALARM");
	pf_mapi_linef(&e->o, "ACTION", "DISPLAY");
	pf_mapi_linef(&e->o, "DESCRIPTION", "Reminder");
	pf_mapi_linef(&e->o, "TRIGGER;RELATED=START", "-PT%dM", (int)minutes);
	pf_mapi_linef(&e->o, "END", "VALARM");
}

static void put_broken(struct ev *e)
{
	if (!e->x && e->broken.p) {
		pf_mapi_line_begin(&e->o, "X-POSTFERRY-RECURRENCE");
		pf_mapi_line_param(&e->o, "ENCODING", pf_span("BASE64", 6));
		pf_mapi_line_param(&e->o, "VALUE", pf_span("BINARY", 6));
		pf_mapi_line_base64(&e->o, e->broken);
		pf_mapi_line_end(&e->o);
	}
}

/* ---- all of it ---- */

static void put_event(struct ev *e)
{
	pf_mapi_linef(&e->o, "BEGIN", "VEVENT");
	pf_mapi_line_text(&e->o, "UID", e->uid);
	put_stamps(e);
	ev_put_times(e);
	if (e->recurs && !e->x) {
		ev_put_rule(e);
	}
	put_texts(e);
	put_categories(e);
	put_busy(e);
	put_class(e);
	put_importance(e);
	put_state(e);
	ev_put_people(e);
	ev_put_attachments(e);
	put_broken(e);
	ev_put_rest(e);
	put_alarm(e);
	pf_mapi_linef(&e->o, "END", "VEVENT");
}

static void put_exceptions(struct ev *e)
{
	e->base = e->item;
	for (size_t i = 0; i < e->recur.exception_n && e->o.rc == PF_OK; i++) {
		e->x = &e->recur.exception[i];
		e->item = e->of_exception[i].item;
		put_event(e);
	}
}

int pf_mapi_event_to_ical(const struct pf_mapi_item *item, const struct pf_mapi_ways *ways,
	struct pf_buf *out, struct pf_mapi_losses *losses, struct pf_err *err)
{
	struct ev e = {.ways = ways, .l = losses, .item = item, .err = err};
	size_t was = out->n;

	if (find_uid(&e) != PF_OK || ev_find_times(&e) != PF_OK ||
		ev_find_exceptions(&e) != PF_OK) {
		return PF_FAIL;
	}
	pf_mapi_lines_init(&e.o, out, losses->arena, err);
	pf_mapi_linef(&e.o, "BEGIN", "VCALENDAR");
	pf_mapi_linef(&e.o, "VERSION", "2.0");
	pf_mapi_linef(&e.o, "PRODID", "-//postferry//MAPI//EN");
	ev_put_zones(&e);
	put_event(&e);
	if (e.recurs) {
		put_exceptions(&e);
	}
	pf_mapi_linef(&e.o, "END", "VCALENDAR");
	if (e.o.cut > 0) {
		pf_mapi_odd(losses, "%zu parameters were too long, and were cut", e.o.cut);
	}
	if (pf_mapi_lines_deinit(&e.o) != PF_OK) {
		out->n = was;
		return PF_FAIL;
	}
	return PF_OK;
}
