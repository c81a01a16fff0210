/* Appointments as iCalendar: what each property becomes. */
#include "convert/mapi_goid.h"
#include "convert/test_event_private.h"

/* ---- a single one ---- */

static void put_plain(struct world *w)
{
	struct pf_zone berlin = zone_of("W. Europe Standard Time", -60, 3, 10);

	TAG(w, PF_TAG_SUBJECT, text("Lunch, with \"Ann\"; and\nBob"));
	APPT(w, 0x820D, moment("20240702T1000"));
	APPT(w, 0x820E, moment("20240702T1130"));
	put_zone(w, 0x825E, &berlin);
	APPT(w, 0x8208, text("Room 1"));
	APPT(w, 0x8205, number(3));
	APPT(w, 0x8201, number(7));
	APPT(w, 0x825A, truth(true));
	TAG(w, PF_TAG_SENSITIVITY, number(2));
	TAG(w, PF_TAG_IMPORTANCE, number(2));
	TAG(w, PF_TAG_LAST_MODIFICATION_TIME, moment("20240601T0800"));
	TAG(w, PF_TAG_CREATION_TIME, moment("20240501T0800"));
	TAG(w, PF_TAG_BODY, text("Line 1\r\nLine 2"));
	TAG(w, PF_TAG_OWNER_APPOINTMENT_ID, number(-5));
	COMMON(w, 0x8503, truth(true));
	COMMON(w, 0x8501, number(0x5AE980E1));
}

static void each_property_has_its_line(void **state)
{
	static const char *const LINES[] = {
		"SUMMARY:Lunch\\, with \"Ann\"\\; and\\nBob",
		"DTSTART;TZID=Europe/Berlin:20240702T120000",
		"DTEND;TZID=Europe/Berlin:20240702T133000",
		"TZID:Europe/Berlin",
		"X-MICROSOFT-CDO-ALLDAYEVENT:FALSE",
		"LOCATION:Room 1",
		"DESCRIPTION:Line 1\\nLine 2",
		"TRANSP:OPAQUE",
		"X-MICROSOFT-CDO-BUSYSTATUS:OOF",
		"CLASS:PRIVATE",
		"PRIORITY:1",
		"X-MICROSOFT-CDO-IMPORTANCE:2",
		"SEQUENCE:7",
		"X-MICROSOFT-DISALLOW-COUNTER:TRUE",
		"X-MICROSOFT-CDO-OWNERAPPTID:-5",
		"DTSTAMP:20240601T080000Z",
		"LAST-MODIFIED:20240601T080000Z",
		"CREATED:20240501T080000Z",
		"TRIGGER;RELATED=START:-PT15M",
		"CATEGORIES:Red,a\\,b",
	};
	struct pf_mapi_value words[2] = {text("Red"), text("a,b")};
	struct world w;

	(void)state;
	begin(&w);
	put_plain(&w);
	put(w.item, &w.item->props, &pf_set_strings, 0, number(0));
	w.item->props.v[w.item->props.n - 1].name->text = pf_span_str("Keywords");
	w.item->props.v[w.item->props.n - 1].value =
		(struct pf_mapi_value){.type = PF_MAPI_STRING | PF_MAPI_MANY};
	w.item->props.v[w.item->props.n - 1].value.many.v = words;
	w.item->props.v[w.item->props.n - 1].value.many.n = 2;
	convert(&w);
	assert_lines(&w, LINES, PF_COUNT(LINES));
	assert_null(strstr((const char *)w.flat.p, "METHOD"));
	assert_null(strstr((const char *)w.flat.p, "ORGANIZER"));
	assert_int_equal(pf_mapi_losses_count(&w.losses, PF_MAPI_LOST), 0);
	assert_int_equal(pf_mapi_losses_count(&w.losses, PF_MAPI_KEPT), 15);
	assert_int_equal(pf_mapi_losses_count(&w.losses, PF_MAPI_MAPPED), 1); /* the zone */
	assert_int_equal(w.losses.odd_n, 0);
	end(&w);
}

static void a_uid_is_kept_or_made(void **state)
{
	struct world w;
	struct pf_buf blob;
	struct pf_err err;
	char first[4096];

	(void)state;
	begin(&w);
	put_plain(&w);
	convert(&w);
	assert_non_null(strstr((const char *)w.flat.p, "\r\nUID:"));
	(void)snprintf(first, sizeof(first), "%s", (const char *)w.flat.p);
	convert(&w);
	assert_string_equal(first, w.flat.p);
	w.ways.key = pf_span_str("store/calendar/2");
	convert(&w);
	assert_string_not_equal(first, w.flat.p);

	pf_buf_init(&blob, 4096);
	assert_int_equal(pf_goid_from_uid(pf_span_str("abc@example"), NULL, &blob, &err), PF_OK);
	put(w.item, &w.item->props, &pf_set_meeting, 0x0003, bytes(w.item, pf_buf_span(&blob)));
	convert(&w);
	assert_int_equal(count(&w, "UID:abc@example"), 1);
	pf_buf_deinit(&blob);
	end(&w);
}

static void an_instance_without_its_series(void **state)
{
	const struct pf_goid_day day = {2024, 7, 1};
	struct world w;
	struct pf_buf blob;
	struct pf_err err;

	(void)state;
	begin(&w);
	put_plain(&w);
	pf_buf_init(&blob, 4096);
	assert_int_equal(pf_goid_from_uid(pf_span_str("abc"), &day, &blob, &err), PF_OK);
	put(w.item, &w.item->props, &pf_set_meeting, 0x0003, bytes(w.item, pf_buf_span(&blob)));
	convert(&w);
	assert_int_equal(count(&w, "RECURRENCE-ID;TZID=Europe/Berlin:20240701T120000"), 1);
	APPT(&w, 0x8228, moment("20240701T0700"));
	convert(&w);
	assert_int_equal(count(&w, "RECURRENCE-ID;TZID=Europe/Berlin:20240701T090000"), 1);
	pf_buf_deinit(&blob);
	end(&w);
}

static void whole_days_are_dates(void **state)
{
	struct pf_zone berlin = zone_of("W. Europe Standard Time", -60, 3, 10);
	struct world w;

	(void)state;
	begin(&w);
	APPT(&w, 0x820D, moment("20240701T2200"));
	APPT(&w, 0x820E, moment("20240703T2200"));
	APPT(&w, 0x8215, truth(true));
	put_zone(&w, 0x8233, &berlin);
	convert(&w);
	assert_int_equal(count(&w, "DTSTART;VALUE=DATE:20240702"), 1);
	assert_int_equal(count(&w, "DTEND;VALUE=DATE:20240704"), 1);
	assert_int_equal(count(&w, "X-MICROSOFT-CDO-ALLDAYEVENT:TRUE"), 1);
	assert_null(strstr((const char *)w.flat.p, "VTIMEZONE"));
	end(&w);
	/* without a zone: the next midnight of UTC; and it has a day, whatever its end says */
	begin(&w);
	APPT(&w, 0x820D, moment("20240701T2200"));
	APPT(&w, 0x820E, moment("20240701T2200"));
	APPT(&w, 0x8215, truth(true));
	convert(&w);
	assert_int_equal(count(&w, "DTSTART;VALUE=DATE:20240702"), 1);
	assert_int_equal(count(&w, "DTEND;VALUE=DATE:20240703"), 1);
	end(&w);
}

/* Outlook before 2007 wrote no zone for a single event: the day is the one where its owner lives.
 */
static void whole_days_of_the_far_east(void **state)
{
	struct world w;

	(void)state;
	begin(&w);
	APPT(&w, 0x820D, moment("20240109T1100"));
	APPT(&w, 0x820E, moment("20240110T1100"));
	APPT(&w, 0x8215, truth(true));
	convert(&w);
	assert_int_equal(count(&w, "DTSTART;VALUE=DATE:20240110"), 1);
	assert_int_equal(count(&w, "DTEND;VALUE=DATE:20240111"), 1);
	end(&w);
}

static void times_come_from_where_they_are(void **state)
{
	struct pf_zone berlin = zone_of("W. Europe Standard Time", -60, 3, 10);
	struct pf_zone new_york = zone_of("Eastern Standard Time", 300, 3, 11);
	struct world w;
	struct pf_err err;

	(void)state;
	begin(&w);
	COMMON(&w, 0x8516, moment("20240702T1000"));
	APPT(&w, 0x8213, number(45));
	convert(&w);
	assert_int_equal(count(&w, "DTSTART:20240702T100000Z"), 1);
	assert_int_equal(count(&w, "DTEND:20240702T104500Z"), 1);
	put_zone(&w, 0x825E, &berlin); /* a flight */
	put_zone(&w, 0x825F, &new_york);
	convert(&w);
	assert_int_equal(count(&w, "DTSTART;TZID=Europe/Berlin:20240702T120000"), 1);
	assert_int_equal(count(&w, "DTEND;TZID=America/New_York:20240702T064500"), 1);
	assert_int_equal(count(&w, "BEGIN:VTIMEZONE"), 2);
	end(&w);
	begin(&w);
	TAG(&w, PF_TAG_SUBJECT, text("at no time"));
	pf_mapi_losses_init(&w.losses, &w.arena);
	assert_int_equal(pf_mapi_event_to_ical(w.item, &w.ways, &w.out, &w.losses, &err), PF_FAIL);
	assert_int_equal(err.scope, PF_SCOPE_ITEM);
	end(&w);
}

/* ---- people ---- */

static void add_person(struct world *w, const char *address, int type, int flags, int status)
{
	struct pf_mapi_props *r = pf_mapi_add_recipient(w->item);
	bool ex = address[0] == '/';

	put(w->item, r, NULL, PF_TAG_ADDRESS_TYPE, text(ex ? "EX" : "SMTP"));
	put(w->item, r, NULL, PF_TAG_EMAIL_ADDRESS, text(address));
	put(w->item, r, NULL, PF_TAG_DISPLAY_NAME, text("Name, of \"one\""));
	put(w->item, r, NULL, PF_TAG_RECIPIENT_TYPE, number(type));
	put(w->item, r, NULL, PF_TAG_RECIPIENT_FLAGS, number(flags));
	put(w->item, r, NULL, PF_TAG_RECIPIENT_TRACK_STATUS, number(status));
}

#define CN ";CN=\"Name, of ^'one^'\""

static void attendees_and_their_answers(void **state)
{
	static const char *const LINES[] = {
		"ORGANIZER;CN=Olga:mailto:owner@x.example",
		"ATTENDEE" CN
		";ROLE=REQ-PARTICIPANT;PARTSTAT=ACCEPTED;RSVP=TRUE:mailto:ann@x.example",
		"ATTENDEE" CN
		";ROLE=OPT-PARTICIPANT;PARTSTAT=DECLINED;RSVP=TRUE:mailto:bob@x.example",
		"ATTENDEE" CN ";CUTYPE=RESOURCE;ROLE=NON-PARTICIPANT;PARTSTAT=TENTATIVE;RSVP=TRUE"
		":mailto:IMCEAEX-_o=Org_cn=Room@x.example",
	};
	struct world w;

	(void)state;
	begin(&w);
	put_plain(&w);
	APPT(&w, 0x8217, number(1));
	TAG(&w, 0x0063, truth(true));
	add_person(&w, "owner@x.example", 1, 3, 1);
	add_person(&w, "ann@x.example", 1, 1, 3);
	add_person(&w, "bob@x.example", 2, 1, 4);
	add_person(&w, "/o=Org/cn=Room", 3, 1, 2);
	add_person(&w, "gone@x.example", 1, 0x21, 3);
	convert(&w);
	assert_lines(&w, LINES, PF_COUNT(LINES));
	assert_null(strstr((const char *)w.flat.p, "gone"));
	assert_int_equal(w.losses.unresolved, 1);
	end(&w);
}

/* Outlook makes such a row in an appointment that was never a meeting. */
static void an_organizer_without_a_meeting(void **state)
{
	struct world w;

	(void)state;
	begin(&w);
	put_plain(&w);
	add_person(&w, "Unknown", 1, 3, 0);
	convert(&w);
	assert_null(strstr((const char *)w.flat.p, "ORGANIZER"));
	assert_int_equal(w.losses.unresolved, 0);
	end(&w);
}

static void a_meeting_that_was_received(void **state)
{
	struct world w;

	(void)state;
	begin(&w);
	put_plain(&w);
	APPT(&w, 0x8217, number(7));
	APPT(&w, 0x8218, number(2));
	TAG(&w, PF_TAG_SENT_REPRESENTING_SMTP, text("boss@x.example"));
	TAG(&w, PF_TAG_SENT_REPRESENTING_NAME, text("Boss"));
	convert(&w);
	assert_int_equal(count(&w, "ORGANIZER;CN=Boss:mailto:boss@x.example"), 1);
	assert_int_equal(count(&w, "STATUS:CANCELLED"), 1);
	assert_int_equal(
		count(&w, "ATTENDEE;CN=Olga;ROLE=REQ-PARTICIPANT;PARTSTAT=TENTATIVE:mailto:"
			  "owner@x.example"),
		1);
	add_person(&w, "OWNER@x.example", 2, 1, 0);
	convert(&w);
	assert_int_equal(count(&w, "ATTENDEE" CN ";ROLE=OPT-PARTICIPANT;PARTSTAT=TENTATIVE:mailto:"
				   "OWNER@x.example"),
		1);
	assert_null(strstr((const char *)w.flat.p, "REQ-PARTICIPANT"));
	end(&w);
}

/* ---- the rest ---- */

static void files_and_links(void **state)
{
	struct pf_mapi_attachment *a;
	struct world w;

	(void)state;
	begin(&w);
	put_plain(&w);
	a = pf_mapi_add_attachment(w.item);
	a->kind = PF_MAPI_ATTACH_DATA;
	a->data = pf_span_str("hello");
	put(w.item, &a->props, NULL, PF_TAG_ATTACH_LONG_FILENAME, text("a b;c.txt"));
	put(w.item, &a->props, NULL, PF_TAG_ATTACH_MIME, text("text/plain"));
	a = pf_mapi_add_attachment(w.item);
	a->kind = PF_MAPI_ATTACH_REFERENCE;
	put(w.item, &a->props, NULL, PF_TAG_ATTACH_LONG_PATHNAME, text("\\\\server\\a b.doc"));
	a = pf_mapi_add_attachment(w.item);
	a->kind = PF_MAPI_ATTACH_OLE;
	convert(&w);
	assert_int_equal(
		count(&w, "ATTACH;ENCODING=BASE64;VALUE=BINARY;FMTTYPE=text/plain;X-FILENAME="
			  "\"a b;c.txt\":aGVsbG8="),
		1);
	assert_int_equal(count(&w, "ATTACH:file://server/a%20b.doc"), 1);
	assert_int_equal(w.losses.odd_n, 1);
	end(&w);
}

static void what_has_no_place_is_told_or_kept(void **state)
{
	struct world w;

	(void)state;
	begin(&w);
	put_plain(&w);
	APPT(&w, 0x8250, moment("20240601T0800"));
	TAG(&w, 0x6001, text("of a program"));
	COMMON(&w, 0x8560, moment("20240601T0800")); /* follows from the rest */
	convert(&w);
	assert_int_equal(pf_mapi_losses_count(&w.losses, PF_MAPI_LOST), 2);
	assert_null(strstr((const char *)w.flat.p, "X-POSTFERRY-MAPI"));
	w.ways.keep_raw = true;
	convert(&w);
	assert_int_equal(pf_mapi_losses_count(&w.losses, PF_MAPI_LOST), 0);
	assert_int_equal(count(&w, "X-POSTFERRY-MAPI;X-NAME=PidTag 0x6001;X-TYPE=001F:"
				   "b2YgYSBwcm9ncmFt"),
		1);
	end(&w);
}

static void a_recurrence_that_cannot_be_read(void **state)
{
	struct world w;

	(void)state;
	begin(&w);
	put_plain(&w);
	APPT(&w, 0x8216, bytes(w.item, pf_span("\x04\x30\x04\x30", 4)));
	convert(&w);
	assert_int_equal(
		count(&w, "X-POSTFERRY-RECURRENCE;ENCODING=BASE64;VALUE=BINARY:BDAEMA=="), 1);
	assert_int_equal(count(&w, "BEGIN:VEVENT"), 1);
	assert_null(strstr(strstr((const char *)w.flat.p, "BEGIN:VEVENT"), "RRULE"));
	assert_int_equal(w.losses.odd_n, 1);
	end(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_property_has_its_line),
		cmocka_unit_test(a_uid_is_kept_or_made),
		cmocka_unit_test(an_instance_without_its_series),
		cmocka_unit_test(whole_days_are_dates),
		cmocka_unit_test(whole_days_of_the_far_east),
		cmocka_unit_test(times_come_from_where_they_are),
		cmocka_unit_test(attendees_and_their_answers),
		cmocka_unit_test(an_organizer_without_a_meeting),
		cmocka_unit_test(a_meeting_that_was_received),
		cmocka_unit_test(files_and_links),
		cmocka_unit_test(what_has_no_place_is_told_or_kept),
		cmocka_unit_test(a_recurrence_that_cannot_be_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
