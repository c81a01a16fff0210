/* Items as requests have them: in the order of the schema, as each version knows it. */
#include "model/mapi_tags.h"
#include "proto/ews/item.h"
#include "proto/ews/item_make.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

static const struct pf_ews_as NEW = {.version = PF_EWS_2013_SP1},
			      OLD = {.version = PF_EWS_2007_SP1};

struct world {
	struct pf_arena arena;
	struct pf_mapi_item *item;
	struct pf_ews_make make;
	struct pf_buf out;
	struct pf_err err;
};

static void begin(struct world *w, const char *item_class)
{
	struct pf_mapi_prop *p;

	*w = (struct world){0};
	pf_arena_init(&w->arena);
	pf_buf_init(&w->out, 1 << 20);
	w->item = pf_mapi_new(&w->arena);
	p = pf_mapi_add(w->item, &w->item->props);
	p->id = PF_TAG_MESSAGE_CLASS;
	p->value.type = PF_MAPI_STRING;
	p->value.bytes = pf_span_str(item_class);
	w->make.item = w->item;
}

static void end(struct world *w)
{
	pf_arena_deinit(&w->arena);
	pf_buf_deinit(&w->out);
}

static void put(struct world *w, const struct pf_guid *set, uint32_t id, struct pf_mapi_value v)
{
	struct pf_mapi_prop *p = pf_mapi_add(w->item, &w->item->props);

	p->value = v;
	p->id = set ? 0 : (uint16_t)id;
	if (set) {
		p->name = pf_arena_alloc(&w->arena, sizeof(*p->name));
		*p->name = (struct pf_mapi_name){.set = *set, .number = id};
	}
}

static struct pf_mapi_value text(const char *s)
{
	return (struct pf_mapi_value){.type = PF_MAPI_STRING, .bytes = pf_span_str(s)};
}

static struct pf_mapi_value number(int64_t n)
{
	return (struct pf_mapi_value){.type = PF_MAPI_I32, .number = n};
}

static struct pf_mapi_value truth(bool b)
{
	return (struct pf_mapi_value){.type = PF_MAPI_BOOL, .number = b};
}

static struct pf_mapi_value when(int64_t unix_s)
{
	return (struct pf_mapi_value){
		.type = PF_MAPI_TIME, .filetime = (uint64_t)(unix_s + 11644473600) * 10000000};
}

/* Each of the words occurs, in this order, and `not` nowhere. */
static void assert_order(struct world *w, const char *const *words, size_t n, const char * not )
{
	const char *at, *all = NULL;

	if (pf_buf_cstr(&w->out, &all, &w->err) != PF_OK || !all) {
		fail();
		return;
	}
	at = all;
	for (size_t i = 0; i < n; i++) {
		const char *found = strstr(at, words[i]);

		if (!found) {
			fail_msg("no %s behind the others in %s", words[i], all);
			return;
		}
		at = found + strlen(words[i]);
	}
	assert_null(not ? strstr(all, not ) : NULL);
}

static void create(struct world *w, const struct pf_ews_as *as)
{
	pf_buf_clear(&w->out);
	assert_int_equal(pf_ews_create_item(as, &w->make, &w->out, &w->err), PF_OK);
}

/* ---- events ---- */

static void put_event(struct world *w)
{
	put(w, NULL, PF_TAG_SUBJECT, text("a<b"));
	put(w, NULL, PF_TAG_BODY, text("body"));
	put(w, NULL, PF_TAG_IMPORTANCE, number(2));
	put(w, &pf_set_common, 0x8503, truth(true));
	put(w, &pf_set_common, 0x8501, number(10));
	put(w, &pf_set_appointment, 0x820D, when(1704448800));
	put(w, &pf_set_appointment, 0x820E, when(1704452400));
	put(w, &pf_set_appointment, 0x8215, truth(false));
	put(w, &pf_set_appointment, 0x8205, number(4));
	put(w, &pf_set_appointment, 0x8208, text("Room"));
	put(w, &pf_set_appointment, 0x8217, number(3));
}

static void an_event(void **state)
{
	static const char *const WORDS[] = {"<t:CalendarItem><t:Subject>a&#60;b</t:Subject>",
		"<t:Body BodyType=\"Text\">body</t:Body>", "<t:Importance>High</t:Importance>",
		"<t:ReminderIsSet>true</t:ReminderIsSet>",
		"<t:ReminderMinutesBeforeStart>10</t:ReminderMinutesBeforeStart>",
		"DistinguishedPropertySetId=\"Appointment\" PropertyId=\"33303\"",
		"<t:Value>3</t:Value>", PF_EWS_KEY, "n:key", "<t:UID>uid</t:UID>",
		"<t:Start>2024-01-05T10:00:00Z</t:Start>", "<t:End>2024-01-05T11:00:00Z</t:End>",
		"<t:IsAllDayEvent>false</t:IsAllDayEvent>",
		"<t:LegacyFreeBusyStatus>WorkingElsewhere</t:LegacyFreeBusyStatus>",
		"<t:Location>Room</t:Location>",
		"<t:StartTimeZone Id=\"UTC\"/><t:EndTimeZone Id=\"UTC\"/></t:CalendarItem>"};
	const char *words[PF_COUNT(WORDS)];
	const struct pf_ews_zone zone = {.name = pf_span_str("UTC")};
	struct world w;

	(void)state;
	memcpy(words, WORDS, sizeof(words));
	begin(&w, "IPM.Appointment");
	put_event(&w);
	w.make.uid = pf_span_str("uid");
	w.make.key = pf_span_str("n:key");
	w.make.start = &zone;
	create(&w, &NEW);
	assert_order(&w, words, PF_COUNT(words), "MeetingTimeZone");
	words[13] = "<t:LegacyFreeBusyStatus>Free</t:LegacyFreeBusyStatus>"; /* not known before */
	words[15] = "<t:MeetingTimeZone TimeZoneName=\"UTC\"/></t:CalendarItem>";
	create(&w, &OLD);
	assert_order(&w, words, PF_COUNT(words), "StartTimeZone");
	end(&w);
}

static void every_pattern(void **state)
{
	static const struct {
		struct pf_ews_series series;
		const char *says;
	} CASES[] = {
		{{.pattern = PF_EWS_DAILY, .interval = 3, .start = "2024-03-04"},
			"<t:DailyRecurrence><t:Interval>3</t:Interval></t:DailyRecurrence>"
			"<t:NoEndRecurrence><t:StartDate>2024-03-04</t:StartDate>"
			"</t:NoEndRecurrence>"},
		{{.pattern = PF_EWS_WEEKLY,
			 .interval = 2,
			 .weekdays = 0x22,
			 .first_weekday = 1,
			 .start = "2024-03-04",
			 .count = 9},
			"<t:WeeklyRecurrence><t:Interval>2</t:Interval><t:DaysOfWeek>Monday Friday"
			"</t:DaysOfWeek><t:FirstDayOfWeek>Monday</t:FirstDayOfWeek>"
			"</t:WeeklyRecurrence><t:NumberedRecurrence><t:StartDate>2024-03-04"
			"</t:StartDate><t:NumberOfOccurrences>9</t:NumberOfOccurrences>"},
		{{.pattern = PF_EWS_MONTHLY,
			 .interval = 1,
			 .day = 31,
			 .start = "2024-03-31",
			 .end = "2024-12-31"},
			"<t:AbsoluteMonthlyRecurrence><t:Interval>1</t:Interval><t:DayOfMonth>31"
			"</t:DayOfMonth></t:AbsoluteMonthlyRecurrence><t:EndDateRecurrence>"
			"<t:StartDate>2024-03-31</t:StartDate><t:EndDate>2024-12-31</t:EndDate>"},
		{{.pattern = PF_EWS_MONTHLY_NTH,
			 .interval = 1,
			 .weekdays = 0x3E,
			 .nth = 5,
			 .start = "2024-03-29"},
			"<t:RelativeMonthlyRecurrence><t:Interval>1</t:Interval><t:DaysOfWeek>"
			"Weekday</t:DaysOfWeek><t:DayOfWeekIndex>Last</t:DayOfWeekIndex>"},
		{{.pattern = PF_EWS_YEARLY, .day = 4, .month = 3, .start = "2024-03-04"},
			"<t:AbsoluteYearlyRecurrence><t:DayOfMonth>4</t:DayOfMonth><t:Month>March"
			"</t:Month></t:AbsoluteYearlyRecurrence>"},
		{{.pattern = PF_EWS_YEARLY_NTH,
			 .weekdays = 2,
			 .nth = 1,
			 .month = 3,
			 .start = "2024-03-04"},
			"<t:RelativeYearlyRecurrence><t:DaysOfWeek>Monday</t:DaysOfWeek>"
			"<t:DayOfWeekIndex>First</t:DayOfWeekIndex><t:Month>March</t:Month>"},
	};

	(void)state;
	for (size_t i = 0; i < PF_COUNT(CASES); i++) {
		struct world w;

		begin(&w, "IPM.Appointment");
		w.make.series = &CASES[i].series;
		create(&w, &NEW);
		assert_order(&w, &CASES[i].says, 1, NULL);
		create(&w, &OLD);
		assert_order(&w, NULL, 0, "FirstDayOfWeek");
		end(&w);
	}
}

/* One that Windows has no name for. */
static void a_zone_by_its_rule(void **state)
{
	static const struct pf_ews_zone ZONE = {.bias = -60,
		.daylight = -60,
		.to_standard = {10, 0, 5, 3, 0},
		.to_daylight = {3, 0, 2, 2, 0}};
	static const char *const WORDS[] = {"<t:StartTimeZone Id=\"Custom\" Name=\"Custom\">",
		"<t:Period Bias=\"-PT60M\" Name=\"Standard\" Id=\"Standard\"/>"
		"<t:Period Bias=\"-PT120M\" Name=\"Daylight\" Id=\"Daylight\"/>",
		"<t:To Kind=\"Period\">Daylight</t:To><t:TimeOffset>PT120M</t:TimeOffset>"
		"<t:Month>3</t:Month><t:DayOfWeek>Sunday</t:DayOfWeek>"
		"<t:Occurrence>2</t:Occurrence>",
		"<t:Month>10</t:Month><t:DayOfWeek>Sunday</t:DayOfWeek>"
		"<t:Occurrence>-1</t:Occurrence>",
		"<t:Transitions><t:Transition><t:To Kind=\"Group\">0</t:To>"};
	static const char *const OF_2007[] = {
		"<t:MeetingTimeZone TimeZoneName=\"Custom\"><t:BaseOffset>-PT60M</t:BaseOffset>"
		"<t:Standard><t:Offset>PT0M</t:Offset>",
		"<t:DayOfWeekIndex>Last</t:DayOfWeekIndex><t:Month>October</t:Month>",
		"<t:Time>03:00:00</t:Time></t:Standard><t:Daylight><t:Offset>-PT60M</t:Offset>"};
	struct world w;

	(void)state;
	begin(&w, "IPM.Appointment");
	w.make.start = &ZONE;
	create(&w, &NEW);
	assert_order(&w, WORDS, PF_COUNT(WORDS), NULL);
	create(&w, &OLD);
	assert_order(&w, OF_2007, PF_COUNT(OF_2007), NULL);
	end(&w);
}

static void an_occurrence_is_changed_field_by_field(void **state)
{
	static const char *const WORDS[] = {
		"<t:ItemChange><t:OccurrenceItemId RecurringMasterId=\"id\" "
		"InstanceIndex=\"3\"/><t:Updates>",
		"<t:SetItemField><t:FieldURI FieldURI=\"item:Subject\"/><t:CalendarItem><t:Subject>"
		"a&#60;b</t:Subject></t:CalendarItem></t:SetItemField>",
		"PropertyId=\"33303\"",
		"<t:SetItemField><t:FieldURI FieldURI=\"calendar:Start\"/><t:CalendarItem><t:Start>"
		"2024-01-05T10:00:00Z</t:Start></t:CalendarItem></t:SetItemField>",
		"</t:Updates></t:ItemChange></m:ItemChanges></m:UpdateItem>"};
	struct world w;

	(void)state;
	begin(&w, "IPM.Appointment");
	put_event(&w);
	assert_int_equal(pf_ews_change_begin(&NEW, &w.out, &w.err), PF_OK);
	assert_int_equal(
		pf_ews_change_occurrence(&NEW, pf_span_str("id"), 3, w.item, &w.out, &w.err),
		PF_OK);
	assert_int_equal(pf_ews_change_end(&w.out, &w.err), PF_OK);
	assert_order(&w, WORDS, PF_COUNT(WORDS), "UID");
	end(&w);
}

/* ---- the others ---- */

static void a_contact_a_group_a_task_a_note(void **state)
{
	static const char *const CONTACT[] = {"<t:Contact>", "PropertyTag=\"0x3A1C\"",
		"<t:FileAs>Ann</t:FileAs><t:DisplayName>Ann</t:DisplayName><t:EmailAddresses>"
		"<t:Entry Key=\"EmailAddress2\">b@x.example</t:Entry></t:EmailAddresses>"
		"<t:Surname>Cee</t:Surname></t:Contact>"};
	static const char *const GROUP[] = {"<t:DistributionList>",
		"<t:DisplayName>Team</t:DisplayName><t:FileAs>Team</t:FileAs>"
		"<t:Members><t:Member><t:Mailbox><t:Name>Ann</t:Name>"
		"<t:EmailAddress>a@x.example</t:EmailAddress>"};
	static const char *const TASK[] = {"<t:Task>", "<t:ReminderDueBy>2024-01-05T10:00:00Z",
		"<t:ReminderIsSet>true",
		"<t:DueDate>2024-01-05T10:00:00Z</t:DueDate>"
		"<t:PercentComplete>50</t:PercentComplete>"
		"<t:Status>InProgress</t:Status></t:Task>"};
	static const char *const NOTE[] = {"<t:Message><t:ItemClass>IPM.StickyNote</t:ItemClass>",
		"PropertyTag=\"0x0E07\" PropertyType=\"Integer\"/><t:Value>1</t:Value>",
		"PropertySetId=\"0006200e-0000-0000-c000-000000000046\" PropertyId=\"35584\""};
	static const struct pf_ews_member ANN = {
		{(const uint8_t *)"Ann", 3}, {(const uint8_t *)"a@x.example", 11}};
	struct world w;

	(void)state;
	begin(&w, "IPM.Contact");
	put(&w, NULL, PF_TAG_DISPLAY_NAME, text("Ann"));
	put(&w, NULL, 0x3A1C, text("+1"));
	put(&w, NULL, 0x3A11, text("Cee"));
	put(&w, &pf_set_address, 0x8093, text("b@x.example"));
	create(&w, &NEW);
	assert_order(&w, CONTACT, PF_COUNT(CONTACT), "32915"); /* said by an element */
	end(&w);
	begin(&w, "IPM.DistList");
	put(&w, &pf_set_address, 0x8053, text("Team"));
	w.make.members = &ANN;
	w.make.member_n = 1;
	create(&w, &NEW);
	assert_order(&w, GROUP, PF_COUNT(GROUP), NULL);
	end(&w);
	begin(&w, "IPM.Task");
	put(&w, &pf_set_common, 0x8502, when(1704448800));
	put(&w, &pf_set_common, 0x8503, truth(true));
	put(&w, &pf_set_task, 0x8101, number(1));
	put(&w, &pf_set_task, 0x8102, (struct pf_mapi_value){.type = PF_MAPI_DOUBLE, .real = 0.5});
	put(&w, &pf_set_task, 0x8105, when(1704448800));
	create(&w, &NEW);
	assert_order(&w, TASK, PF_COUNT(TASK), "IsComplete");
	end(&w);
	begin(&w, "IPM.StickyNote");
	put(&w, &pf_set_note, 0x8B00, number(2));
	create(&w, &NEW);
	assert_order(&w, NOTE, PF_COUNT(NOTE), NULL);
	end(&w);
}

/* ---- the steps around ---- */

static void files_names_and_removals(void **state)
{
	static const char *const FILES[] = {"<m:CreateAttachment><m:ParentItemId Id=\"id\"/>",
		"<t:FileAttachment><t:Name>p.jpg</t:Name><t:IsContactPhoto>true</t:IsContactPhoto>"
		"<t:Content>aGVsbG8=</t:Content></t:FileAttachment></m:Attachments>"};
	static const char *const LOCK[] = {"ConflictResolution=\"NeverOverwrite\"",
		"SendMeetingInvitationsOrCancellations=\"SendToNone\"",
		"<t:ItemId Id=\"id\" ChangeKey=\"v\"/>", "<t:CalendarItem>", "r:key"};
	static const char *const NAME[] = {"ConflictResolution=\"AlwaysOverwrite\"", "n:key"};
	static const char *const GONE[] = {"<m:DeleteItem DeleteType=\"HardDelete\" "
					   "SendMeetingCancellations=\"SendToNone\"",
		"InstanceIndex=\"2\"/>", "InstanceIndex=\"5\"/>"};
	static const char *const FIND[] = {"<m:FindItem Traversal=\"Shallow\">", PF_EWS_KEY,
		"Offset=\"500\"", "<t:FolderId Id=\"f\"/>"};
	static const size_t INDEX[] = {2, 5};
	struct pf_ews_named named = {.id = pf_span_str("id"),
		.version = pf_span_str("v"),
		.key = pf_span_str("r:key"),
		.form = PF_EWS_FORM_EVENT};
	struct pf_mapi_attachment *a;
	struct pf_mapi_prop *p;
	struct world w;

	(void)state;
	begin(&w, "IPM.Contact");
	a = pf_mapi_add_attachment(w.item);
	a->data = pf_span_str("hello");
	p = pf_mapi_add(w.item, &a->props);
	*p = (struct pf_mapi_prop){.id = PF_TAG_ATTACH_LONG_FILENAME, .value = text("p.jpg")};
	p = pf_mapi_add(w.item, &a->props);
	*p = (struct pf_mapi_prop){.id = PF_TAG_ATTACHMENT_CONTACT_PHOTO, .value = truth(true)};
	assert_int_equal(pf_ews_attach_begin(&NEW, named.id, &w.out, &w.err), PF_OK);
	assert_int_equal(pf_ews_attach_file(&NEW, a, &w.out, &w.err), PF_OK);
	assert_int_equal(pf_ews_attach_end(&w.out, &w.err), PF_OK);
	assert_order(&w, FILES, PF_COUNT(FILES), NULL);
	pf_buf_clear(&w.out);
	assert_int_equal(pf_ews_attach_file(&OLD, a, &w.out, &w.err), PF_OK);
	assert_order(&w, NULL, 0, "IsContactPhoto");
	pf_buf_clear(&w.out);
	assert_int_equal(pf_ews_set_key(&NEW, &named, &w.out, &w.err), PF_OK);
	assert_order(&w, LOCK, PF_COUNT(LOCK), NULL);
	named.version = pf_span(NULL, 0);
	named.key = pf_span_str("n:key");
	pf_buf_clear(&w.out);
	assert_int_equal(pf_ews_set_key(&NEW, &named, &w.out, &w.err), PF_OK);
	assert_order(&w, NAME, PF_COUNT(NAME), "ChangeKey");
	pf_buf_clear(&w.out);
	assert_int_equal(
		pf_ews_delete_occurrences(&NEW, named.id, INDEX, 2, &w.out, &w.err), PF_OK);
	assert_order(&w, GONE, PF_COUNT(GONE), NULL);
	pf_buf_clear(&w.out);
	assert_int_equal(pf_ews_find_keys(&NEW, pf_span_str("f"), 500, &w.out, &w.err), PF_OK);
	assert_order(&w, FIND, PF_COUNT(FIND), NULL);
	end(&w);
}

/* ---- all of an item ---- */

static void an_item_is_renewed(void **state)
{
	static const char *const WORDS[] = {"ConflictResolution=\"NeverOverwrite\"",
		"SendMeetingInvitationsOrCancellations=\"SendToNone\"",
		"<t:ItemId Id=\"id\" ChangeKey=\"v\"/><t:Updates>",
		"<t:SetItemField><t:FieldURI FieldURI=\"item:Subject\"/><t:Contact><t:Subject>new<",
		"<t:Sensitivity>Normal</t:Sensitivity>", "<t:Body BodyType=\"Text\"></t:Body>",
		"<t:DeleteItemField><t:FieldURI FieldURI=\"item:Categories\"/></t:DeleteItemField>",
		"PropertyName=\"X-POSTFERRY-KEY\"", "<t:Value>n:key</t:Value>",
		"<t:SetItemField><t:FieldURI FieldURI=\"contacts:FileAs\"/>",
		"<t:DeleteItemField><t:FieldURI FieldURI=\"contacts:GivenName\"/>",
		"<t:SetItemField><t:IndexedFieldURI FieldURI=\"contacts:EmailAddress\" "
		"FieldIndex=\"EmailAddress1\"/><t:Contact><t:EmailAddresses><t:Entry "
		"Key=\"EmailAddress1\">a@x</t:Entry>",
		"<t:DeleteItemField><t:IndexedFieldURI FieldURI=\"contacts:EmailAddress\" "
		"FieldIndex=\"EmailAddress2\"/></t:DeleteItemField>",
		"<t:DeleteItemField><t:ExtendedFieldURI PropertyTag=\"0x3A1C\" "
		"PropertyType=\"String\"/></t:DeleteItemField>"};
	struct pf_ews_renewed renewed = {.id = pf_span_str("id"), .version = pf_span_str("v")};
	struct world w, old;

	(void)state;
	begin(&old, "IPM.Contact");
	put(&old, NULL, PF_TAG_SUBJECT, text("old"));
	put(&old, NULL, 0x3A1C, text("+1"));
	put(&old, NULL, 0x3A19, text("stays"));
	put(&old, &pf_set_address, 0x8015, truth(false));
	renewed.old = old.item;
	begin(&w, "IPM.Contact");
	put(&w, NULL, PF_TAG_SUBJECT, text("new"));
	put(&w, NULL, PF_TAG_DISPLAY_NAME, text("new"));
	put(&w, NULL, 0x3A19, text("stays"));
	put(&w, &pf_set_address, 0x8083, text("a@x"));
	w.make.key = pf_span_str("n:key");
	assert_int_equal(pf_ews_update_item(&NEW, &renewed, &w.make, &w.out, &w.err), PF_OK);
	assert_order(&w, WORDS, PF_COUNT(WORDS), "32789"); /* 0x8015, which says nothing */
	end(&w);
	end(&old);
}

static void what_can_be_renewed(void **state)
{
	static const struct {
		const char *was, *is;
		bool series, files, meeting, instance, recurs, older, yes;
	} CASES[] = {
		{"IPM.Appointment", "IPM.Appointment", .yes = true},
		{"IPM.Contact", "IPM.Contact", .yes = true},
		{"IPM.StickyNote", "IPM.StickyNote", .yes = true},
		{"IPM.Contact", "IPM.DistList", .yes = false},
		{"IPM.DistList", "IPM.DistList", .yes = false},
		{"IPM.Task", "IPM.Task", .yes = true},
		{"IPM.Task", "IPM.Task", .recurs = true},
		{"IPM.Appointment", "IPM.Appointment", .series = true},
		{"IPM.Appointment", "IPM.Appointment", .files = true},
		{"IPM.Appointment", "IPM.Appointment", .meeting = true},
		{"IPM.Appointment", "IPM.Appointment", .instance = true},
		{"IPM.Contact", "IPM.Contact", .older = true},
	};

	(void)state;
	for (size_t i = 0; i < PF_COUNT(CASES); i++) {
		struct world w, old;
		struct pf_ews_whole whole = {.series = CASES[i].series, .lack_n = CASES[i].files};

		begin(&w, CASES[i].is);
		begin(&old, CASES[i].was);
		whole.item = old.item;
		put(&old, &pf_set_appointment, 0x8217, number(CASES[i].meeting));
		if (CASES[i].recurs) {
			put(&old, &pf_set_task, 0x8116, text("x"));
		}
		if (CASES[i].instance) {
			put(&w, &pf_set_appointment, 0x8228, when(0));
		}
		assert_int_equal(pf_ews_can_update(CASES[i].older ? &OLD : &NEW, &whole, &w.make),
			CASES[i].yes);
		end(&w);
		end(&old);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_event),
		cmocka_unit_test(every_pattern),
		cmocka_unit_test(a_zone_by_its_rule),
		cmocka_unit_test(an_occurrence_is_changed_field_by_field),
		cmocka_unit_test(a_contact_a_group_a_task_a_note),
		cmocka_unit_test(files_names_and_removals),
		cmocka_unit_test(an_item_is_renewed),
		cmocka_unit_test(what_can_be_renewed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
