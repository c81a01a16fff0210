/*
 * Appointments: CalendarItem, its recurrence and its zones ([MS-OXWSMTGS] 2.2.4).
 */
#include "model/mapi_tags.h"
#include "proto/ews/make_private.h"

#include <stdio.h>

enum { REQUIRED = 1, OPTIONAL = 2, RESOURCE = 3 };

/* What elements say, or what the server makes of these. */
static const struct ews_said SAID[] = {
	{NULL, PF_TAG_IMPORTANCE},
	{NULL, PF_TAG_SENSITIVITY},
	{NULL, PF_TAG_CREATION_TIME},
	{NULL, PF_TAG_LAST_MODIFICATION_TIME},
	{NULL, PF_TAG_BODY},
	{NULL, PF_TAG_START_DATE},
	{NULL, PF_TAG_END_DATE},
	{&pf_set_appointment, 0x8201}, /* counts what is sent */
	{&pf_set_appointment, 0x8205},
	{&pf_set_appointment, 0x8208},
	{&pf_set_appointment, 0x820D},
	{&pf_set_appointment, 0x820E},
	{&pf_set_appointment, 0x8213},
	{&pf_set_appointment, 0x8215},
	{&pf_set_appointment, 0x8216},
	{&pf_set_appointment, 0x8228},
	{&pf_set_appointment, 0x8233},
	{&pf_set_appointment, 0x8234},
	{&pf_set_appointment, 0x825E},
	{&pf_set_appointment, 0x825F},
	{&pf_set_appointment, 0x8260},
	{&pf_set_common, 0x8501},
	{&pf_set_common, 0x8503},
	{&pf_set_common, 0x8506},
	{&pf_set_common, 0x8516},
	{&pf_set_common, 0x8517},
	{&pf_set_meeting, 0x0001},
	{&pf_set_meeting, 0x0003},
	{&pf_set_meeting, 0x001A},
	{&pf_set_meeting, 0x0023},
};

/* ---- recurrence ---- */

static const char *const WEEKDAYS[] = {
	"Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"};
static const char *const MONTHS[] = {"January", "February", "March", "April", "May", "June", "July",
	"August", "September", "October", "November", "December"};
static const char *const NTH[] = {"First", "Second", "Third", "Fourth", "Last"};

/* Lists that have a name of their own ([MS-OXWSCDATA], DayOfWeekType) where one day is wanted. */
static const char *set_of_days(unsigned int mask)
{
	return mask == 0x7F ? "Day" : mask == 0x3E ? "Weekday" : mask == 0x41 ? "WeekendDay" : NULL;
}

static void put_days(struct ews_writer *w, unsigned int mask, bool named)
{
	const char *name = named ? set_of_days(mask) : NULL, *between = "";

	ews_say(w, "<t:DaysOfWeek>");
	if (name) {
		ews_say(w, name);
	}
	for (size_t i = 0; i < PF_COUNT(WEEKDAYS) && !name; i++) {
		if (mask & 1u << i) {
			ews_sayf(w, "%s%s", between, WEEKDAYS[i]);
			between = " ";
		}
	}
	ews_say(w, "</t:DaysOfWeek>");
}

static const char *nth(unsigned int n)
{
	return NTH[n >= 1 && n <= PF_COUNT(NTH) ? n - 1 : PF_COUNT(NTH) - 1];
}

static const char *month(unsigned int n)
{
	return MONTHS[n >= 1 && n <= PF_COUNT(MONTHS) ? n - 1 : 0];
}

static void put_interval(struct ews_writer *w, const struct pf_ews_series *r)
{
	ews_sayf(w, "<t:Interval>%u</t:Interval>", r->interval);
}

static void put_nth(struct ews_writer *w, const struct pf_ews_series *r)
{
	put_days(w, r->weekdays, true);
	ews_sayf(w, "<t:DayOfWeekIndex>%s</t:DayOfWeekIndex>", nth(r->nth));
}

static void put_pattern(
	struct ews_writer *w, const struct pf_ews_as *as, const struct pf_ews_series *r)
{
	static const char *const NAMES[] = {"DailyRecurrence", "WeeklyRecurrence",
		"AbsoluteMonthlyRecurrence", "RelativeMonthlyRecurrence",
		"AbsoluteYearlyRecurrence", "RelativeYearlyRecurrence"};

	ews_sayf(w, "<t:%s>", NAMES[r->pattern]);
	switch (r->pattern) {
	case PF_EWS_DAILY:
		put_interval(w, r);
		break;
	case PF_EWS_WEEKLY:
		put_interval(w, r);
		put_days(w, r->weekdays, false);
		if (as->version >= PF_EWS_2010_SP1) {
			ews_sayf(w, "<t:FirstDayOfWeek>%s</t:FirstDayOfWeek>",
				WEEKDAYS[r->first_weekday % PF_COUNT(WEEKDAYS)]);
		}
		break;
	case PF_EWS_MONTHLY:
		put_interval(w, r);
		ews_sayf(w, "<t:DayOfMonth>%u</t:DayOfMonth>", r->day);
		break;
	case PF_EWS_MONTHLY_NTH:
		put_interval(w, r);
		put_nth(w, r);
		break;
	case PF_EWS_YEARLY:
		ews_sayf(w, "<t:DayOfMonth>%u</t:DayOfMonth><t:Month>%s</t:Month>", r->day,
			month(r->month));
		break;
	case PF_EWS_YEARLY_NTH:
		put_nth(w, r);
		ews_sayf(w, "<t:Month>%s</t:Month>", month(r->month));
		break;
	}
	ews_sayf(w, "</t:%s>", NAMES[r->pattern]);
}

void ews_put_series(struct ews_writer *w, const struct pf_ews_as *as, const struct pf_ews_series *r)
{
	const char *range = r->count    ? "NumberedRecurrence"
			    : r->end[0] ? "EndDateRecurrence"
					: "NoEndRecurrence";

	ews_say(w, "<t:Recurrence>");
	put_pattern(w, as, r);
	ews_sayf(w, "<t:%s><t:StartDate>%s</t:StartDate>", range, r->start);
	if (r->count) {
		ews_sayf(w, "<t:NumberOfOccurrences>%u</t:NumberOfOccurrences>", r->count);
	} else if (r->end[0]) {
		ews_sayf(w, "<t:EndDate>%s</t:EndDate>", r->end);
	}
	ews_sayf(w, "</t:%s></t:Recurrence>", range);
}

/* ---- zones ---- */

static void put_offset(struct ews_writer *w, const char *name, int minutes)
{
	ews_sayf(w, "<t:%s>%sPT%dM</t:%s>", name, minutes < 0 ? "-" : "",
		minutes < 0 ? -minutes : minutes, name);
}

static void put_period(struct ews_writer *w, const char *name, int minutes)
{
	ews_sayf(w, "<t:Period Bias=\"%sPT%dM\" Name=\"%s\" Id=\"%s\"/>", minutes < 0 ? "-" : "",
		minutes < 0 ? -minutes : minutes, name, name);
}

static void put_day_transition(struct ews_writer *w, const char *to, const struct pf_ews_turn *c)
{
	ews_sayf(w, "<t:RecurringDayTransition><t:To Kind=\"Period\">%s</t:To>", to);
	put_offset(w, "TimeOffset", (int)(c->hour * 60 + c->minute));
	ews_sayf(w,
		"<t:Month>%u</t:Month><t:DayOfWeek>%s</t:DayOfWeek><t:Occurrence>%d</t:Occurrence>"
		"</t:RecurringDayTransition>",
		c->month, WEEKDAYS[c->weekday % PF_COUNT(WEEKDAYS)],
		c->nth == PF_COUNT(NTH) ? -1 : (int)c->nth);
}

static bool has_summer(const struct pf_ews_zone *z)
{
	return z->to_standard.month > 0 && z->to_daylight.month > 0;
}

/* By its name, which the server knows; else by its rule. */
static void put_zone(struct ews_writer *w, const char *name, const struct pf_ews_zone *z)
{
	if (z->name.n > 0) {
		ews_sayf(w, "<t:%s Id=\"", name);
		ews_text(w, z->name);
		ews_say(w, "\"/>");
		return;
	}
	ews_sayf(w, "<t:%s Id=\"Custom\" Name=\"Custom\"><t:Periods>", name);
	put_period(w, "Standard", z->bias + z->standard);
	if (has_summer(z)) {
		put_period(w, "Daylight", z->bias + z->daylight);
	}
	ews_say(w, "</t:Periods><t:TransitionsGroups><t:TransitionsGroup Id=\"0\">");
	if (has_summer(z)) {
		put_day_transition(w, "Daylight", &z->to_daylight);
		put_day_transition(w, "Standard", &z->to_standard);
	} else {
		ews_say(w, "<t:Transition><t:To Kind=\"Period\">Standard</t:To></t:Transition>");
	}
	ews_sayf(w,
		"</t:TransitionsGroup></t:TransitionsGroups><t:Transitions><t:Transition>"
		"<t:To Kind=\"Group\">0</t:To></t:Transition></t:Transitions></t:%s>",
		name);
}

static void put_half(
	struct ews_writer *w, const char *name, int offset, const struct pf_ews_turn *c)
{
	ews_sayf(w, "<t:%s>", name);
	put_offset(w, "Offset", offset);
	ews_sayf(w,
		"<t:RelativeYearlyRecurrence><t:DaysOfWeek>%s</t:DaysOfWeek>"
		"<t:DayOfWeekIndex>%s</t:DayOfWeekIndex><t:Month>%s</t:Month>"
		"</t:RelativeYearlyRecurrence><t:Time>%02u:%02u:00</t:Time></t:%s>",
		WEEKDAYS[c->weekday % PF_COUNT(WEEKDAYS)], nth(c->nth), month(c->month), c->hour,
		c->minute, name);
}

/* Exchange 2007 has one zone, of the meeting. */
static void put_meeting_zone(struct ews_writer *w, const struct pf_ews_zone *z)
{
	if (z->name.n > 0) {
		ews_say(w, "<t:MeetingTimeZone TimeZoneName=\"");
		ews_text(w, z->name);
		ews_say(w, "\"/>");
		return;
	}
	ews_say(w, "<t:MeetingTimeZone TimeZoneName=\"Custom\">");
	put_offset(w, "BaseOffset", z->bias);
	if (has_summer(z)) {
		put_half(w, "Standard", z->standard, &z->to_standard);
		put_half(w, "Daylight", z->daylight, &z->to_daylight);
	}
	ews_say(w, "</t:MeetingTimeZone>");
}

static void put_zones(struct ews_put *p, const struct pf_ews_make *make)
{
	if (!make->start) {
		return;
	}
	if (p->as->version < PF_EWS_2010) {
		put_meeting_zone(p->w, make->start);
		return;
	}
	ews_field(p, "calendar:StartTimeZone");
	put_zone(p->w, "StartTimeZone", make->start);
	ews_field_end(p);
	ews_field(p, "calendar:EndTimeZone");
	put_zone(p->w, "EndTimeZone", make->end ? make->end : make->start);
	ews_field_end(p);
}

/* ---- people ---- */

static int64_t number_of(const struct pf_mapi_props *in, uint16_t id, int64_t none)
{
	int64_t n = none;

	(void)pf_mapi_number(pf_mapi_tag(in, id), &n);
	return n;
}

static void put_attendees(struct ews_put *p, const char *uri, const char *name, int type)
{
	bool any = false;

	for (size_t i = 0; i < p->item->recipients_n; i++) {
		const struct pf_mapi_props *r = &p->item->recipients[i];

		if (number_of(r, PF_TAG_RECIPIENT_TYPE, REQUIRED) != type) {
			continue;
		}
		if (!any) {
			ews_field(p, uri);
			ews_sayf(p->w, "<t:%s>", name);
			any = true;
		}
		ews_say(p->w, "<t:Attendee><t:Mailbox>");
		ews_element(p->w, "t:Name", pf_mapi_text(pf_mapi_tag(r, PF_TAG_DISPLAY_NAME)));
		ews_element(
			p->w, "t:EmailAddress", pf_mapi_text(pf_mapi_tag(r, PF_TAG_EMAIL_ADDRESS)));
		ews_say(p->w, "<t:RoutingType>SMTP</t:RoutingType></t:Mailbox></t:Attendee>");
	}
	if (any) {
		ews_sayf(p->w, "</t:%s>", name);
		ews_field_end(p);
	}
}

/* ---- the item ---- */

/* Of an instance without its series: what it is of is in no element. */
static void put_instance(struct ews_put *p)
{
	static const struct ews_prop IDS[] = {
		{.set = &pf_set_appointment, .id = 0x8228, .type = PF_MAPI_TIME},
		{.set = &pf_set_meeting, .id = 0x0003, .type = PF_MAPI_BINARY},
		{.set = &pf_set_meeting, .id = 0x0023, .type = PF_MAPI_BINARY}};

	if (ews_lid(p, &pf_set_appointment, 0x8228)) {
		for (size_t i = 0; i < PF_COUNT(IDS); i++) {
			ews_put_property(p, &IDS[i]);
		}
	}
}

/* Who called the meeting: the server says that it was the owner, unless these say otherwise. */
static void put_organizer(struct ews_put *p)
{
	static const struct ews_prop WHO[] = {
		{.id = PF_TAG_SENT_REPRESENTING_NAME, .type = PF_MAPI_STRING},
		{.id = PF_TAG_SENT_REPRESENTING_ADDRESS_TYPE, .type = PF_MAPI_STRING},
		{.id = PF_TAG_SENT_REPRESENTING_EMAIL, .type = PF_MAPI_STRING},
		{.id = PF_TAG_SENT_REPRESENTING_SMTP, .type = PF_MAPI_STRING}};

	for (size_t i = 0; i < PF_COUNT(WHO); i++) {
		ews_put_property(p, &WHO[i]);
	}
}

static void put_when(struct ews_put *p)
{
	static const char *const BUSY[] = {"Free", "Tentative", "Busy", "OOF", "WorkingElsewhere"};
	int64_t busy = 2;

	ews_put_moment(p, "calendar:Start", "t:Start", ews_lid(p, &pf_set_appointment, 0x820D));
	ews_put_moment(p, "calendar:End", "t:End", ews_lid(p, &pf_set_appointment, 0x820E));
	ews_put_word(p, "calendar:IsAllDayEvent", "t:IsAllDayEvent",
		pf_mapi_true(ews_lid(p, &pf_set_appointment, 0x8215)) ? "true" : "false");
	(void)pf_mapi_number(ews_lid(p, &pf_set_appointment, 0x8205), &busy);
	busy = busy < 0 || busy > 4 ? 2 : busy;
	/* What is older than 2013 has no word for elsewhere: one is free there as well. */
	busy = busy == 4 && p->as->version < PF_EWS_2013 ? 0 : busy;
	ews_put_word(p, "calendar:LegacyFreeBusyStatus", "t:LegacyFreeBusyStatus", BUSY[busy]);
	ews_put_text(p, "calendar:Location", "t:Location",
		pf_mapi_text(ews_lid(p, &pf_set_appointment, 0x8208)));
}

static void put_people(struct ews_put *p)
{
	put_attendees(p, "calendar:RequiredAttendees", "RequiredAttendees", REQUIRED);
	put_attendees(p, "calendar:OptionalAttendees", "OptionalAttendees", OPTIONAL);
	put_attendees(p, "calendar:Resources", "Resources", RESOURCE);
}

/* What has nothing to do with when and with whom. */
static void put_itself(struct ews_put *p)
{
	p->said = SAID;
	p->said_n = PF_COUNT(SAID);
	ews_put_head(p);
	ews_put_body(p);
	ews_put_categories(p);
	ews_put_reminder(p);
	ews_put_properties(p, PF_EWS_FORM_EVENT);
}

static void put_all(struct ews_put *p, const struct pf_ews_make *make)
{
	put_itself(p);
	if (make) {
		put_instance(p);
		put_organizer(p);
		ews_put_marks(p, make);
		ews_put_text(p, "calendar:UID", "t:UID",
			ews_lid(p, &pf_set_appointment, 0x8228) ? pf_span("", 0) : make->uid);
	}
	put_when(p);
	put_people(p);
}

void ews_put_event(struct ews_put *p, const struct pf_ews_make *make)
{
	p->element = "CalendarItem";
	ews_say(p->w, "<t:CalendarItem>");
	put_all(p, make);
	if (make->series) {
		ews_put_series(p->w, p->as, make->series);
	}
	put_zones(p, make);
	ews_say(p->w, "</t:CalendarItem>");
}

void ews_renew_event(struct ews_put *p, const struct pf_ews_make *make)
{
	p->element = "CalendarItem";
	put_itself(p);
	ews_put_marks(p, make);
	put_zones(p, make); /* in which a whole day is one */
	put_when(p);
}

void ews_put_exception(struct ews_put *p)
{
	put_all(p, NULL);
}
