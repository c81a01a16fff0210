/* Open items as MAPI items, and back: what comes out means what went in, or is told as lost. */
#include "convert/ical_codec.h"
#include "convert/mapi_make.h"
#include "convert/mapi_open.h"
#include "convert/mapi_recur.h"
#include "convert/test_item_private.h"
#include "convert/vcard_codec.h"

#include <stdio.h>
#include <stdlib.h>

#define CALENDAR(body)                                                                             \
	"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//x//x//EN\r\n" body "END:VCALENDAR\r\n"
#define EVENT(body)                                                                                \
	CALENDAR("BEGIN:VEVENT\r\nUID:a-1\r\nDTSTAMP:20240101T000000Z\r\n" body "END:VEVENT\r\n")
#define TASK(body)                                                                                 \
	CALENDAR("BEGIN:VTODO\r\nUID:a-1\r\nDTSTAMP:20240101T000000Z\r\n" body "END:VTODO\r\n")
#define JOURNAL(body)                                                                              \
	CALENDAR("BEGIN:VJOURNAL\r\nUID:a-1\r\nDTSTAMP:20240101T000000Z\r\n" body                  \
		 "END:VJOURNAL\r\n")
#define CARD(version, body)                                                                        \
	"BEGIN:VCARD\r\nVERSION:" version "\r\nUID:urn:uuid:a-1\r\n" body "END:VCARD\r\n"

struct world {
	struct pf_arena arena;
	struct pf_mapi_ways ways;
	struct pf_mapi_made made;
	struct pf_buf out;
	struct pf_err err;
};

static void begin(struct world *w)
{
	*w = (struct world){.ways = TEST_WAYS};
	pf_arena_init(&w->arena);
	pf_buf_init(&w->out, 16 << 20);
}

static void end(struct world *w)
{
	pf_arena_deinit(&w->arena);
	pf_buf_deinit(&w->out);
}

static int make(struct world *w, enum pf_kind kind, const char *text)
{
	return pf_mapi_make(kind, pf_span_str(text), &w->ways, &w->arena, &w->made, &w->err);
}

static void open(struct world *w)
{
	struct pf_mapi_losses losses;
	struct pf_mapi_opened opened;

	pf_mapi_losses_init(&losses, &w->arena);
	pf_buf_clear(&w->out);
	if (pf_mapi_open(w->made.item, &w->ways, &losses, &opened, &w->out, &w->err) != PF_OK) {
		fail_msg("%s", w->err.text);
	}
}

/* The meaning in words; a fresh C string. */
static char *meaning(enum pf_kind kind, struct pf_span text)
{
	const struct pf_codec *codec = kind == PF_KIND_CONTACTS ? &pf_vcard_codec : &pf_ical_codec;
	struct pf_piece pieces[16];
	struct pf_doc *doc = NULL;
	struct pf_buf b;
	struct pf_err err;
	const char *s;
	char *copy;
	size_t n = 0;

	if (codec->read(text, &doc, &err) != PF_OK) {
		fail_msg("%s", err.text);
	}
	for (int overrides = 0; overrides < 2; overrides++) {
		for (size_t i = 0; i < codec->parts(doc); i++) {
			if (codec->part(doc, i)->is_override == (overrides == 1)) {
				assert_true(n < PF_COUNT(pieces));
				pieces[n++] = (struct pf_piece){doc, i};
			}
		}
	}
	pf_buf_init(&b, 16 << 20);
	assert_int_equal(codec->tell(pieces, n, &b, &err), PF_OK);
	assert_int_equal(pf_buf_cstr(&b, &s, &err), PF_OK);
	copy = strdup(s);
	assert_non_null(copy);
	pf_buf_deinit(&b);
	codec->free(&doc);
	return copy;
}

static void assert_same(enum pf_kind kind, struct pf_span a, struct pf_span b)
{
	char *x = meaning(kind, a), *y = meaning(kind, b);
	bool same = strcmp(x, y) == 0;

	if (!same) {
		print_message("-- was\n%s-- is\n%s-- of\n%.*s", x, y, (int)b.n, (const char *)b.p);
	}
	free(x);
	free(y);
	assert_true(same);
}

static void make_and_open(struct world *w, enum pf_kind kind, const char *text)
{
	begin(w);
	assert_int_equal(make(w, kind, text), PF_OK);
	open(w);
}

static void assert_round(enum pf_kind kind, const char *text)
{
	struct world w;

	begin(&w);
	if (make(&w, kind, text) != PF_OK) {
		fail_msg("%s: %s", w.err.text, text);
	}
	for (size_t i = 0; i < w.made.lost_n; i++) {
		fail_msg("%s of %s", (const char *)w.made.lost[i].p, text);
	}
	open(&w);
	assert_same(kind, pf_span_str(text), pf_buf_span(&w.out));
	end(&w);
}

/* ---- events ---- */

#define BERLIN                                                                                     \
	"BEGIN:VTIMEZONE\r\nTZID:Europe/Berlin\r\nBEGIN:DAYLIGHT\r\nTZOFFSETFROM:+0100\r\n"        \
	"TZOFFSETTO:+0200\r\nDTSTART:19700329T020000\r\nRRULE:FREQ=YEARLY;BYDAY=-1SU;BYMONTH="     \
	"3\r\n"                                                                                    \
	"END:DAYLIGHT\r\nBEGIN:STANDARD\r\nTZOFFSETFROM:+0200\r\nTZOFFSETTO:+0100\r\n"             \
	"DTSTART:19701025T030000\r\nRRULE:FREQ=YEARLY;BYDAY=-1SU;BYMONTH=10\r\nEND:STANDARD\r\n"   \
	"END:VTIMEZONE\r\n"
#define NINE                                                                                       \
	"DTSTART;TZID=Europe/Berlin:20240304T090000\r\nDTEND;TZID=Europe/"                         \
	"Berlin:20240304T100000\r\n"

static void events_come_back(void **state)
{
	static const char *const TEXTS[] = {
		EVENT("DTSTART:20240304T090000Z\r\nDTEND:20240304T100000Z\r\nSUMMARY:One\\, "
		      "two\r\n"),
		EVENT("DTSTART:20240304T090000Z\r\nDURATION:PT90M\r\nSUMMARY:Long\r\n"
		      "LOCATION;ALTREP=\"https://x.example/\":Room 1\r\nDESCRIPTION:a\\nb\\;c\r\n"
		      "CATEGORIES:Red,a\\,b\r\nCATEGORIES:Blue\r\nCLASS:PRIVATE\r\nPRIORITY:1\r\n"
		      "SEQUENCE:3\r\nTRANSP:TRANSPARENT\r\nSTATUS:CANCELLED\r\n"),
		EVENT("DTSTART;VALUE=DATE:20240304\r\nDTEND;VALUE=DATE:20240306\r\nSUMMARY:Days\r\n"
		      "X-MICROSOFT-CDO-BUSYSTATUS:OOF\r\n"),
		EVENT("DTSTART;VALUE=DATE:20240304\r\nSUMMARY:Day\r\nCLASS:CONFIDENTIAL\r\n"),
		EVENT("DTSTART;TZID=Europe/Berlin:20240701T090000\r\n"
		      "DTEND;TZID=America/New_York:20240701T100000\r\nSUMMARY:Flight\r\n"),
		EVENT("DTSTART:20240304T090000Z\r\nDTEND:20240304T100000Z\r\nSUMMARY:Alarm\r\n"
		      "BEGIN:VALARM\r\nACTION:DISPLAY\r\nTRIGGER:-PT25M\r\nDESCRIPTION:x\r\n"
		      "END:VALARM\r\n"),
		EVENT("DTSTART:20240304T090000Z\r\nDTEND:20240304T100000Z\r\nSUMMARY:File\r\n"
		      "ATTACH;ENCODING=BASE64;VALUE=BINARY;FMTTYPE=text/plain;X-FILENAME=a.txt:"
		      "aGVsbG8=\r\n"),
		EVENT("DTSTART:20240304T090000Z\r\nDTEND:20240304T100000Z\r\nSUMMARY:Mine\r\n"
		      "ORGANIZER;CN=Me:mailto:me@example.com\r\n"
		      "ATTENDEE;CN=Ann;PARTSTAT=ACCEPTED:mailto:ann@example.com\r\n"
		      "ATTENDEE;ROLE=OPT-PARTICIPANT;PARTSTAT=DECLINED:mailto:bob@example.com\r\n"
		      "ATTENDEE;CUTYPE=RESOURCE;ROLE=NON-PARTICIPANT:mailto:room@example.com\r\n"),
		EVENT("DTSTART:20240304T090000Z\r\nDTEND:20240304T100000Z\r\nSUMMARY:Theirs\r\n"
		      "ORGANIZER;CN=Ann:mailto:ann@example.com\r\n"
		      "ATTENDEE;PARTSTAT=TENTATIVE:mailto:me@example.com\r\n"
		      "ATTENDEE;PARTSTAT=ACCEPTED:mailto:bob@example.com\r\n"),
		EVENT("RECURRENCE-ID:20240304T090000Z\r\nDTSTART:20240304T110000Z\r\n"
		      "DTEND:20240304T120000Z\r\nSUMMARY:An instance without its series\r\n"),
	};

	(void)state;
	for (size_t i = 0; i < PF_COUNT(TEXTS); i++) {
		assert_round(PF_KIND_CALENDAR, TEXTS[i]);
	}
}

static void series_come_back(void **state)
{
	static const char *const RULES[] = {"FREQ=DAILY", "FREQ=DAILY;INTERVAL=3;COUNT=10",
		"FREQ=DAILY;BYDAY=MO,TU,WE,TH,FR;COUNT=7", "FREQ=WEEKLY;BYDAY=MO,TH;COUNT=9",
		"FREQ=WEEKLY;INTERVAL=2;WKST=SU;BYDAY=MO,SU;UNTIL=20240601T070000Z",
		"FREQ=MONTHLY;BYMONTHDAY=4;COUNT=5", "FREQ=MONTHLY;BYDAY=1MO",
		"FREQ=MONTHLY;INTERVAL=2;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=2;COUNT=4", "FREQ=YEARLY",
		"FREQ=YEARLY;BYMONTH=3;BYDAY=1MO;COUNT=3", "FREQ=YEARLY;INTERVAL=2;COUNT=3"};
	char text[4096];

	(void)state;
	for (size_t i = 0; i < PF_COUNT(RULES); i++) {
		(void)snprintf(text, sizeof(text),
			CALENDAR(BERLIN "BEGIN:VEVENT\r\nUID:s\r\n" NINE
					"SUMMARY:Series\r\nRRULE:%s\r\nEND:VEVENT\r\n"),
			RULES[i]);
		assert_round(PF_KIND_CALENDAR, text);
		(void)snprintf(text, sizeof(text),
			EVENT("DTSTART;VALUE=DATE:20240304\r\nSUMMARY:Days\r\nRRULE:%s\r\n"),
			RULES[i]);
		if (!strstr(RULES[i], "UNTIL")) {
			assert_round(PF_KIND_CALENDAR, text);
		}
	}
}

static void exceptions_come_back(void **state)
{
	(void)state;
	assert_round(PF_KIND_CALENDAR,
		CALENDAR(BERLIN "BEGIN:VEVENT\r\nUID:s\r\n" NINE
				"SUMMARY:Series\r\nLOCATION:Here\r\nRRULE:FREQ=WEEKLY;COUNT=10\r\n"
				"EXDATE;TZID=Europe/Berlin:20240318T090000,20240401T090000\r\n"
				"BEGIN:VALARM\r\nACTION:DISPLAY\r\nTRIGGER:-PT15M\r\nEND:VALARM\r\n"
				"END:VEVENT\r\n"
				"BEGIN:VEVENT\r\nUID:s\r\nRECURRENCE-ID;TZID=Europe/"
				"Berlin:20240325T090000\r\n"
				"DTSTART;TZID=Europe/Berlin:20240326T140000\r\n"
				"DTEND;TZID=Europe/Berlin:20240326T143000\r\nSUMMARY:Größer\r\n"
				"LOCATION:There\r\nTRANSP:TRANSPARENT\r\nDESCRIPTION:of its own\r\n"
				"ATTACH;ENCODING=BASE64;VALUE=BINARY:aGVsbG8=\r\nEND:VEVENT\r\n"
				"BEGIN:VEVENT\r\nUID:s\r\nRECURRENCE-ID:20240311T080000Z\r\n"
				"DTSTART;VALUE=DATE:20240311\r\nDTEND;VALUE=DATE:20240312\r\n"
				"SUMMARY:All of the day\r\nLOCATION:Here\r\n"
				"BEGIN:VALARM\r\nACTION:DISPLAY\r\nTRIGGER:-PT5M\r\nEND:VALARM\r\n"
				"END:VEVENT\r\n"));
	assert_round(PF_KIND_CALENDAR, EVENT("DTSTART;VALUE=DATE:20240304\r\nSUMMARY:Until\r\n"
					     "RRULE:FREQ=WEEKLY;UNTIL=20240401\r\n"));
	assert_round(PF_KIND_CALENDAR,
		CALENDAR("BEGIN:VEVENT\r\nUID:s\r\nDTSTART;VALUE=DATE:20240304\r\nSUMMARY:D\r\n"
			 "RRULE:FREQ=DAILY;COUNT=9\r\nEXDATE;VALUE=DATE:20240306\r\nEND:VEVENT\r\n"
			 "BEGIN:VEVENT\r\nUID:s\r\nRECURRENCE-ID;VALUE=DATE:20240308\r\n"
			 "DTSTART;VALUE=DATE:20240308\r\nSUMMARY:E\r\nEND:VEVENT\r\n"));
}

#define FILE(octets) "ATTACH;ENCODING=BASE64;VALUE=BINARY;X-FILENAME=a:" octets "\r\n"
#define INSTANCE(day, files)                                                                       \
	"BEGIN:VEVENT\r\nUID:s\r\nRECURRENCE-ID:202403" day "T090000Z\r\n"                         \
	"DTSTART:202403" day "T100000Z\r\nDTEND:202403" day "T110000Z\r\nSUMMARY:E\r\n" files      \
	"END:VEVENT\r\n"

/* The same as those of the series, none, others. */
static void files_of_exceptions_come_back(void **state)
{
	static const char TEXT[] = CALENDAR(
		"BEGIN:VEVENT\r\nUID:s\r\nDTSTART:20240304T090000Z\r\nDTEND:20240304T100000Z\r\n"
		"SUMMARY:D\r\nRRULE:FREQ=DAILY;COUNT=9\r\n" FILE(
			"aGVsbG8=") "END:VEVENT\r\n" INSTANCE("05", FILE("aGVsbG8="))
			INSTANCE("06", "") INSTANCE("07", FILE("aGVsbG8=") FILE("d29ybGQ=")));
	static const size_t OWN[] = {0, 0, 2};
	static const bool TELLS[] = {false, true, true};
	const struct pf_mapi_value *blob;
	struct pf_recur r = {0};
	struct world w;
	size_t n = 0;

	(void)state;
	assert_round(PF_KIND_CALENDAR, TEXT);
	begin(&w);
	assert_int_equal(make(&w, PF_KIND_CALENDAR, TEXT), PF_OK);
	for (size_t i = 0; i < w.made.item->attachments_n && n < PF_COUNT(OWN); i++) {
		if (w.made.item->attachments[i].item) {
			assert_int_equal(w.made.item->attachments[i].item->attachments_n, OWN[n]);
			n++;
		}
	}
	assert_int_equal(n, PF_COUNT(OWN));
	blob = pf_mapi_lid(&w.made.item->props, &pf_set_appointment, 0x8216);
	assert_int_equal(pf_recur_read(&w.arena, blob->bytes, 0, &r, &w.err), PF_OK);
	for (size_t i = 0; i < n; i++) {
		assert_int_equal((r.exception[i].flags & PF_RECUR_HAS_ATTACHMENT) != 0, TELLS[i]);
		assert_int_equal(r.exception[i].attachment, OWN[i] > 0);
	}
	end(&w);
}

/* What would become another series is refused, in words. */
static void what_has_no_words_is_told(void **state)
{
	static const struct {
		const char *text, *why;
	} CASES[] = {
		{EVENT("DTSTART:20240304T090000Z\r\nRRULE:FREQ=HOURLY\r\n"), "FREQ=HOURLY"},
		{EVENT("DTSTART:20240304T090000Z\r\nRRULE:FREQ=MONTHLY;BYMONTHDAY=1,15\r\n"),
			"days of the month"},
		{EVENT("DTSTART:20240304T090000Z\r\nRDATE:20240305T090000Z\r\n"), "RDATE"},
		{EVENT("DTSTART:20240304T090000Z\r\nRRULE:FREQ=DAILY\r\nRRULE:FREQ=WEEKLY\r\n"),
			"several rules"},
		{EVENT("DTSTART:20240304T090000Z\r\nRRULE:FREQ=WEEKLY;BYDAY=TU\r\n"),
			"no day of it"},
		{EVENT("SUMMARY:When?\r\n"), "when it begins"},
		{CALENDAR("BEGIN:VEVENT\r\nUID:s\r\nDTSTART:20240304T090000Z\r\n"
			  "RRULE:FREQ=DAILY;COUNT=5\r\nEND:VEVENT\r\n"
			  "BEGIN:VEVENT\r\nUID:s\r\nRECURRENCE-ID:20240305T090000Z\r\n"
			  "DTSTART:20240306T070000Z\r\nEND:VEVENT\r\n"),
			"neighbour"},
		{CALENDAR("BEGIN:VEVENT\r\nUID:s\r\nDTSTART:20240304T090000Z\r\n"
			  "RRULE:FREQ=DAILY;COUNT=5\r\nEND:VEVENT\r\n"
			  "BEGIN:VEVENT\r\nUID:s\r\nRECURRENCE-ID:20240305T100000Z\r\n"
			  "DTSTART:20240305T110000Z\r\nEND:VEVENT\r\n"),
			"does not have"},
		{CALENDAR("BEGIN:VEVENT\r\nUID:a\r\nDTSTART:20240304T090000Z\r\nEND:VEVENT\r\n"
			  "BEGIN:VEVENT\r\nUID:b\r\nDTSTART:20240304T090000Z\r\nEND:VEVENT\r\n"),
			"several items"},
	};

	(void)state;
	for (size_t i = 0; i < PF_COUNT(CASES); i++) {
		struct world w;

		begin(&w);
		assert_int_equal(make(&w, PF_KIND_CALENDAR, CASES[i].text), PF_FAIL);
		assert_int_equal(w.err.scope, PF_SCOPE_ITEM);
		if (!strstr(w.err.text, CASES[i].why)) {
			fail_msg("%s: %s", CASES[i].why, w.err.text);
		}
		end(&w);
	}
}

static void assert_lost(enum pf_kind kind, const char *text, const char *const *lost, size_t n)
{
	struct world w;

	begin(&w);
	assert_int_equal(make(&w, kind, text), PF_OK);
	for (size_t i = 0; i < w.made.lost_n && i < n; i++) {
		assert_string_equal((const char *)w.made.lost[i].p, lost[i]);
	}
	assert_int_equal(w.made.lost_n, n);
	open(&w);
	end(&w);
}

static void what_is_lost_is_named(void **state)
{
	static const char *const OF_EVENT[] = {"GEO", "X-FOO", "PRIORITY:3", "ATTACH of a URI",
		"STATUS:TENTATIVE", "ATTENDEE;DELEGATED-TO", "a second VALARM"};
	static const char *const OF_TASK[] = {"the time of DUE", "RELATED-TO"};
	static const char *const OF_CARD[] = {
		"LOGO", "TEL, one more than there is room for", "BDAY that is no whole date"};

	(void)state;
	assert_lost(PF_KIND_CALENDAR,
		EVENT("DTSTART:20240304T090000Z\r\nGEO:1;2\r\nX-FOO:a\r\nX-FOO:b\r\nPRIORITY:3\r\n"
		      "ATTACH:https://x.example/\r\nSTATUS:TENTATIVE\r\n"
		      "ATTENDEE;DELEGATED-TO=\"mailto:c@x.example\":mailto:b@x.example\r\n"
		      "BEGIN:VALARM\r\nACTION:DISPLAY\r\nTRIGGER:-PT5M\r\nEND:VALARM\r\n"
		      "BEGIN:VALARM\r\nACTION:DISPLAY\r\nTRIGGER:-PT9M\r\nEND:VALARM\r\n"),
		OF_EVENT, PF_COUNT(OF_EVENT));
	assert_lost(PF_KIND_TASKS, TASK("DUE:20240304T090000Z\r\nRELATED-TO:b\r\n"), OF_TASK,
		PF_COUNT(OF_TASK));
	assert_lost(PF_KIND_CONTACTS,
		CARD("4.0", "FN:A\r\nLOGO:https://x.example/\r\nTEL;TYPE=cell:1\r\n"
			    "TEL;TYPE=cell:2\r\nBDAY:--0412\r\n"),
		OF_CARD, PF_COUNT(OF_CARD));
}

/* ---- tasks and notes ---- */

static void tasks_and_notes_come_back(void **state)
{
	static const char *const TASKS[] = {
		TASK("SUMMARY:Plain\r\nSTATUS:NEEDS-ACTION\r\nX-MICROSOFT-TASK-STATUS:0\r\n"),
		TASK("SUMMARY:All\r\nSTATUS:IN-PROCESS\r\nX-MICROSOFT-TASK-STATUS:1\r\n"
		     "PERCENT-COMPLETE:35\r\nDTSTART;VALUE=DATE:20240304\r\nDUE;VALUE=DATE:"
		     "20240310\r\n"
		     "DESCRIPTION:what\r\nCATEGORIES:a,b\r\nPRIORITY:9\r\nCLASS:PRIVATE\r\n"
		     "X-MICROSOFT-TASK-ACTUAL-EFFORT:30\r\nX-MICROSOFT-TASK-ESTIMATED-EFFORT:60\r\n"
		     "X-MICROSOFT-TASK-OWNER:Me\r\nX-MICROSOFT-TASK-MILEAGE:7\r\n"
		     "X-MICROSOFT-TASK-BILLING:b\r\nX-MICROSOFT-TASK-COMPANY:A\r\n"
		     "X-MICROSOFT-TASK-COMPANY:B\r\n"
		     "BEGIN:VALARM\r\nACTION:DISPLAY\r\nTRIGGER;VALUE=DATE-TIME:"
		     "20240305T080000Z\r\n"
		     "END:VALARM\r\n"),
		TASK("SUMMARY:Done\r\nSTATUS:COMPLETED\r\nX-MICROSOFT-TASK-STATUS:2\r\n"
		     "PERCENT-COMPLETE:100\r\nCOMPLETED:20240309T120000Z\r\n"),
		TASK("SUMMARY:Weekly\r\nSTATUS:NEEDS-ACTION\r\nX-MICROSOFT-TASK-STATUS:4\r\n"
		     "DTSTART;VALUE=DATE:20240304\r\nRRULE:FREQ=WEEKLY;BYDAY=MO;COUNT=5\r\n"),
	};
	static const char *const NOTES[] = {
		JOURNAL("DTSTART:20240304T090000Z\r\nSUMMARY:Note\r\nDESCRIPTION:a\\nb\r\n"
			"COLOR:pink\r\nX-MICROSOFT-NOTE-COLOR:2\r\nCATEGORIES:x\r\n"),
		JOURNAL("DTSTART:20240304T090000Z\r\nSUMMARY:Call\r\n"
			"X-MICROSOFT-JOURNAL-TYPE:Phone "
			"call\r\nX-MICROSOFT-JOURNAL-DURATION:PT5M\r\n"
			"X-MICROSOFT-JOURNAL-END:20240304T090500Z\r\n"),
	};

	(void)state;
	for (size_t i = 0; i < PF_COUNT(TASKS); i++) {
		assert_round(PF_KIND_TASKS, TASKS[i]);
	}
	for (size_t i = 0; i < PF_COUNT(NOTES); i++) {
		assert_round(PF_KIND_NOTES, NOTES[i]);
	}
}

/* ---- contacts ---- */

static void contacts_come_back(void **state)
{
	static const char *const CARDS[] = {
		CARD("3.0",
			"FN:Ann B. Cee\r\nN:Cee;Ann;B.;Dr.;Jr.\r\nNICKNAME:A\r\nORG:Acme;Sales\r\n"
			"TITLE:Boss\r\nROLE:R\r\nEMAIL;TYPE=INTERNET:second@x.example\r\n"
			"EMAIL;TYPE=INTERNET,PREF:first@x.example\r\n"
			"TEL;TYPE=WORK,VOICE:+1\r\nTEL;TYPE=WORK,VOICE:+2\r\nTEL;TYPE=HOME:+3\r\n"
			"TEL;TYPE=CELL:+4\r\nTEL;TYPE=WORK,FAX:+5\r\nTEL;TYPE=PAGER:+6\r\n"
			"ADR;TYPE=WORK,PREF:PO;;Street 1;City;Region;1234;Land\r\n"
			"ADR;TYPE=HOME:;;Lane\\, "
			"2;Town;;99;\r\nURL;TYPE=WORK:https://x.example/\r\n"
			"BDAY:1985-04-12\r\nNOTE:Line\\nline\r\nCATEGORIES:a,b\r\n"
			"PHOTO;ENCODING=b;TYPE=PNG:iVBORw0KGgo=\r\n"),
		CARD("4.0", "FN:Bob\r\nN:;Bob;;;\r\nEMAIL;PREF=1:bob@x.example\r\nGENDER:M\r\n"
			    "ANNIVERSARY:20100605\r\nRELATED;TYPE=spouse;VALUE=text:Eve\r\n"
			    "TEL;TYPE=\"home,fax\":+7\r\nX-MS-MANAGER:Ann\r\nX-MS-IMADDRESS:bob\r\n"
			    "PHOTO:data:image/gif;base64,R0lGODlh\r\n"),
		CARD("2.1", "FN:Zo\r\nN:Zo\r\nTEL;CELL:+8\r\nTEL;HOME;FAX:+9\r\n"
			    "NOTE;ENCODING=QUOTED-PRINTABLE;CHARSET=UTF-8:Gr=C3=BC=C3=9Fe\r\n"),
		CARD("4.0", "KIND:group\r\nFN:Team\r\nN:Team;;;;\r\nNOTE:n\r\nCATEGORIES:c\r\n"
			    "MEMBER;X-CN=\"Ann\":mailto:ann@x.example\r\n"
			    "MEMBER:mailto:b%25c@x.example\r\n"),
		CARD("3.0", "X-ADDRESSBOOKSERVER-KIND:group\r\nFN:Team\r\nN:Team;;;;\r\n"
			    "X-ADDRESSBOOKSERVER-MEMBER:mailto:z%C3%BC@x.example\r\n"),
	};

	(void)state;
	for (size_t i = 0; i < PF_COUNT(CARDS); i++) {
		assert_round(PF_KIND_CONTACTS, CARDS[i]);
	}
}

/* No TEXT may have control characters: what is nothing else says nothing, in whatever form it
 * comes.
 */
static void what_says_nothing_is_nothing(void **state)
{
	static const char *const CARDS[] = {
		CARD("3.0", "N:\x01;;;;\r\n"),
		CARD("2.1", "N;ENCODING=QUOTED-PRINTABLE:=01;=7F\r\nORG:\x02\r\n"),
		CARD("4.0", "FN:\x1f\r\nN;SORT-AS=\"\x03\":\x01\r\nADR;LABEL=\x04:;;;;;;\r\n"),
		CARD("4.0", "KIND:group\r\nFN: \x01\r\n"),
	};

	(void)state;
	for (size_t i = 0; i < PF_COUNT(CARDS); i++) {
		struct world w;
		struct pf_span first;

		make_and_open(&w, PF_KIND_CONTACTS, CARDS[i]);
		assert_non_null(memmem(w.out.p, w.out.n, "\r\nFN:?\r\nN:;;;;\r\n", 16));
		assert_null(memmem(w.out.p, w.out.n, "LABEL", 5));
		first = pf_arena_span(&w.arena, pf_buf_span(&w.out));
		assert_int_equal(
			pf_mapi_make(PF_KIND_CONTACTS, first, &w.ways, &w.arena, &w.made, &w.err),
			PF_OK);
		open(&w);
		assert_same(PF_KIND_CONTACTS, first, pf_buf_span(&w.out));
		end(&w);
	}
}

/* The signs of RFC 6868 stand for what a parameter may not have; they are none of the text. */
static void parameters_come_back(void **state)
{
	static const struct {
		enum pf_kind kind;
		const char *text, *line;
	} CASES[] = {
		{PF_KIND_CONTACTS,
			CARD("4.0", "FN:x\r\nN;SORT-AS=\"a,^'b^' ^^n^x\":x;;;;\r\n"
				    "ADR;TYPE=HOME;LABEL=1 ^'^nTown:;;1;Town;;;\r\n"),
			"\r\nN;SORT-AS=\"a,^'b^' ^^n^^x\":x;;;;\r\n"},
		{PF_KIND_CONTACTS,
			CARD("4.0", "FN:x\r\nN:x;;;;\r\nADR;TYPE=HOME;LABEL=1 "
				    "^'^nTown:;;1;Town;;;\r\n"),
			"\r\nADR;TYPE=HOME;LABEL=1 ^'^nTown:;;1;Town;;;\r\n"},
		{PF_KIND_CALENDAR,
			EVENT("DTSTART:20240304T090000Z\r\nORGANIZER;CN=^'Ann^':mailto:ann@x."
			      "example\r\n"
			      "ATTENDEE;CN=\"B^^, C\":mailto:b@x.example\r\n"
			      "ATTACH;ENCODING=BASE64;VALUE=BINARY;X-FILENAME=^'a^':aGVsbG8=\r\n"),
			"\r\nORGANIZER;CN=^'Ann^':mailto:ann@x.example\r\n"},
		{PF_KIND_CONTACTS,
			CARD("4.0",
				"KIND:group\r\nFN:T\r\nMEMBER;X-CN=^'Z^':mailto:z@x.example\r\n"),
			"\r\nMEMBER;X-CN=^'Z^':mailto:z@x.example\r\n"},
	};

	(void)state;
	for (size_t i = 0; i < PF_COUNT(CASES); i++) {
		struct world w;

		make_and_open(&w, CASES[i].kind, CASES[i].text);
		if (!memmem(w.out.p, w.out.n, CASES[i].line, strlen(CASES[i].line))) {
			fail_msg("%.*s", (int)w.out.n, (const char *)w.out.p);
		}
		end(&w);
	}
}

/* ---- identity ---- */

static void a_uid_is_kept(void **state)
{
	static const struct {
		enum pf_kind kind;
		const char *text, *line;
	} CASES[] = {
		{PF_KIND_CALENDAR, EVENT("DTSTART:20240304T090000Z\r\n"), "UID:a-1\r\n"},
		{PF_KIND_TASKS, TASK("SUMMARY:x\r\n"), "UID:a-1\r\n"},
		{PF_KIND_NOTES, JOURNAL("SUMMARY:x\r\n"), "UID:a-1\r\n"},
		{PF_KIND_CONTACTS, CARD("4.0", "FN:x\r\n"), "UID:urn:uuid:a-1\r\n"},
		{PF_KIND_CONTACTS, CARD("4.0", "KIND:group\r\nFN:x\r\n"), "UID:urn:uuid:a-1\r\n"},
	};

	(void)state;
	for (size_t i = 0; i < PF_COUNT(CASES); i++) {
		struct world w;

		make_and_open(&w, CASES[i].kind, CASES[i].text);
		assert_non_null(memmem(w.out.p, w.out.n, CASES[i].line, strlen(CASES[i].line)));
		end(&w);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(events_come_back),
		cmocka_unit_test(series_come_back),
		cmocka_unit_test(exceptions_come_back),
		cmocka_unit_test(files_of_exceptions_come_back),
		cmocka_unit_test(what_has_no_words_is_told),
		cmocka_unit_test(what_is_lost_is_named),
		cmocka_unit_test(tasks_and_notes_come_back),
		cmocka_unit_test(contacts_come_back),
		cmocka_unit_test(what_says_nothing_is_nothing),
		cmocka_unit_test(parameters_come_back),
		cmocka_unit_test(a_uid_is_kept),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
