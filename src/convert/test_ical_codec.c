/* What an event means, and how little is changed when something must be. */
#include "convert/ical_codec.h"

#include "base/buf.h"

#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#define HEAD "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:x\r\n"
#define TAIL "END:VCALENDAR\r\n"
#define EVENT(lines)                                                                               \
	HEAD "BEGIN:VEVENT\r\nUID:u\r\nDTSTAMP:20240101T000000Z\r\n" lines "END:VEVENT\r\n" TAIL
#define BERLIN                                                                                     \
	"BEGIN:VTIMEZONE\r\nTZID:%s\r\nBEGIN:DAYLIGHT\r\nDTSTART:19810329T020000\r\n"              \
	"RRULE:FREQ=YEARLY;BYMONTH=3;BYDAY=-1SU\r\nTZOFFSETFROM:+0100\r\nTZOFFSETTO:+0200\r\n"     \
	"END:DAYLIGHT\r\nBEGIN:STANDARD\r\nDTSTART:19961027T030000\r\n"                            \
	"RRULE:FREQ=YEARLY;BYMONTH=10;BYDAY=-1SU\r\nTZOFFSETFROM:+0200\r\nTZOFFSETTO:+0100\r\n"    \
	"END:STANDARD\r\nEND:VTIMEZONE\r\n"

static struct pf_doc *open_doc(const char *text)
{
	struct pf_doc *d = NULL;
	struct pf_err err;

	if (pf_ical_codec.read(pf_span_str(text), &d, &err) != PF_OK) {
		fail_msg("%s in %s", err.text, text);
	}
	return d;
}

static struct pf_digest meaning(const char *text)
{
	struct pf_doc *d = open_doc(text);
	struct pf_piece pieces[16];
	struct pf_digest out;
	struct pf_err err;
	size_t n = pf_ical_codec.parts(d);

	assert_true(n <= PF_COUNT(pieces));
	for (size_t i = 0; i < n; i++) {
		pieces[i] = (struct pf_piece){d, i};
	}
	assert_int_equal(pf_ical_codec.fingerprint(pieces, n, &out, &err), PF_OK);
	pf_ical_codec.free(&d);
	return out;
}

static const struct {
	const char *name, *a, *b;
	bool same;
} CASES[] = {
	{"stamps, order, folding", EVENT("SUMMARY:Lunch\r\nDTSTART:20240101T120000Z\r\n"),
		HEAD "BEGIN:VEVENT\r\nDTSTART:20240101T120000Z\r\nSUMM\r\n "
		     "ARY:Lunch\r\nSEQUENCE:7\r\n"
		     "DTSTAMP:20250101T000000Z\r\nUID:other\r\nTRANSP:OPAQUE\r\nEND:"
		     "VEVENT\r\n" TAIL,
		true},
	{"another date", EVENT("SUMMARY:L\r\nDTSTART:20240101T120000Z\r\n"),
		EVENT("SUMMARY:L\r\nDTSTART:20240102T120000Z\r\n"), false},
	{"another title", EVENT("SUMMARY:L\r\nDTSTART:20240101T120000Z\r\n"),
		EVENT("SUMMARY:M\r\nDTSTART:20240101T120000Z\r\n"), false},
	{"end and duration", EVENT("DTSTART:20240101T120000Z\r\nDTEND:20240101T130000Z\r\n"),
		EVENT("DTSTART:20240101T120000Z\r\nDURATION:PT1H\r\n"), true},
	{"the instant in another zone", EVENT("DTSTART;TZID=Europe/Berlin:20240101T130000\r\n"),
		EVENT("DTSTART:20240101T120000Z\r\n"), true},
	{"floating is not UTC", EVENT("DTSTART:20240101T120000\r\n"),
		EVENT("DTSTART:20240101T120000Z\r\n"), false},
	{"all day is not midnight", EVENT("DTSTART;VALUE=DATE:20240101\r\n"),
		EVENT("DTSTART:20240101T000000Z\r\nDTEND:20240102T000000Z\r\n"), false},
	{"Outlook's all day", EVENT("DTSTART;VALUE=DATE:20240101\r\nDTEND;VALUE=DATE:20240102\r\n"),
		EVENT("DTSTART;TZID=Europe/Berlin:20240101T000000\r\n"
		      "DTEND;TZID=Europe/"
		      "Berlin:20240102T000000\r\nX-MICROSOFT-CDO-ALLDAYEVENT:TRUE\r\n"),
		true},
	{"a rule told otherwise",
		EVENT("DTSTART:20240101T120000Z\r\nRRULE:FREQ=WEEKLY;COUNT=3\r\n"),
		EVENT("DTSTART:20240101T120000Z\r\nRRULE:COUNT=3;INTERVAL=1;BYDAY=MO;WKST="
		      "MO;FREQ=WEEKLY\r\n"),
		true},
	{"until and count", EVENT("DTSTART:20240101T120000Z\r\nRRULE:FREQ=WEEKLY;COUNT=3\r\n"),
		EVENT("DTSTART:20240101T120000Z\r\nRRULE:FREQ=WEEKLY;UNTIL="
		      "20240116T000000Z\r\n"),
		true},
	{"a rule without end, told otherwise",
		EVENT("DTSTART:20240101T120000Z\r\nRRULE:FREQ=WEEKLY\r\n"),
		EVENT("DTSTART:20240101T120000Z\r\nRRULE:FREQ=WEEKLY;BYDAY=MO\r\n"), true},
	{"an interval of one goes without saying",
		EVENT("DTSTART:20240101T120000Z\r\nRRULE:FREQ=WEEKLY;INTERVAL=1\r\n"),
		EVENT("DTSTART:20240101T120000Z\r\nRRULE:FREQ=WEEKLY\r\n"), true},
	{"an interval of two does not",
		EVENT("DTSTART:20240101T120000Z\r\nRRULE:FREQ=WEEKLY;INTERVAL=2\r\n"),
		EVENT("DTSTART:20240101T120000Z\r\nRRULE:FREQ=WEEKLY\r\n"), false},
	{"a rule that comes to one instance, told otherwise",
		EVENT("DTSTART:20240101T120000Z\r\nRRULE:FREQ=WEEKLY;COUNT=1;INTERVAL=1;BYDAY="
		      "MO\r\n"),
		EVENT("DTSTART:20240101T120000Z\r\nRRULE:FREQ=WEEKLY;BYDAY=MO;COUNT=1\r\n"), true},
	{"quotation marks escaped", EVENT("SUMMARY:a \\\"b\\\" \\\\\"c\r\n"),
		EVENT("SUMMARY:a \"b\" \\\\\"c\r\n"), true},
	{"a backslash before a quotation mark", EVENT("SUMMARY:a \\\\\"b\r\n"),
		EVENT("SUMMARY:a \"b\r\n"), false},
	{"a point on earth", EVENT("GEO:-37.8373;144.9666\r\n"),
		EVENT("GEO:-37.837300;144.96660004\r\n"), true},
	{"another one", EVENT("GEO:-37.8373;144.9666\r\n"), EVENT("GEO:-37.8373;144.966601\r\n"),
		false},
	{"no point at all", EVENT("GEO:here\r\n"), EVENT("GEO:there\r\n"), false},
	{"with and without end", EVENT("DTSTART:20240101T120000Z\r\nRRULE:FREQ=WEEKLY\r\n"),
		EVENT("DTSTART:20240101T120000Z\r\nRRULE:FREQ=WEEKLY;COUNT=500\r\n"), false},
	{"one instance less", EVENT("DTSTART:20240101T120000Z\r\nRRULE:FREQ=WEEKLY;COUNT=3\r\n"),
		EVENT("DTSTART:20240101T120000Z\r\nRRULE:FREQ=WEEKLY;COUNT=3\r\nEXDATE:"
		      "20240108T120000Z\r\n"),
		false},
	{"an exception outside of the series",
		EVENT("DTSTART:20240101T120000Z\r\nRRULE:FREQ=WEEKLY;COUNT=3\r\n"),
		EVENT("DTSTART:20240101T120000Z\r\nRRULE:FREQ=WEEKLY;COUNT=3\r\nEXDATE:"
		      "20240109T120000Z\r\n"),
		true},
	{"attendees in another order and form",
		EVENT("ATTENDEE;CN=Jo;PARTSTAT=ACCEPTED:MAILTO:Jo@X.org\r\nATTENDEE:mailto:"
		      "al@x.org\r\n"),
		EVENT("ATTENDEE;RSVP=TRUE;PARTSTAT=NEEDS-ACTION:mailto:al@x.org\r\n"
		      "ATTENDEE;PARTSTAT=ACCEPTED;SCHEDULE-AGENT=NONE:mailto:jo@x.org\r\n"),
		true},
	{"another answer", EVENT("ATTENDEE;PARTSTAT=ACCEPTED:mailto:jo@x.org\r\n"),
		EVENT("ATTENDEE;PARTSTAT=DECLINED:mailto:jo@x.org\r\n"), false},
	{"free", EVENT("TRANSP:TRANSPARENT\r\n"), EVENT("X-MICROSOFT-CDO-BUSYSTATUS:FREE\r\n"),
		true},
	{"away", EVENT("X-MICROSOFT-CDO-BUSYSTATUS:OOF\r\n"), EVENT(""), false},
	{"categories", EVENT("CATEGORIES:a,b\r\n"), EVENT("CATEGORIES:b\r\nCATEGORIES:a\r\n"),
		true},
	{"an escaped comma is none", EVENT("CATEGORIES:a\\,b\r\n"), EVENT("CATEGORIES:a,b\r\n"),
		false},
	{"an empty property", EVENT("LOCATION:\r\nDESCRIPTION: \\n\r\n"), EVENT(""), true},
	{"composed and decomposed", EVENT("SUMMARY:u\xCC\x88\r\n"), EVENT("SUMMARY:\xC3\xBC\r\n"),
		true},
	{"an alarm", EVENT("BEGIN:VALARM\r\nACTION:DISPLAY\r\nTRIGGER:-PT15M\r\nEND:VALARM\r\n"),
		EVENT(""), false},
	{"an alarm told otherwise",
		EVENT("BEGIN:VALARM\r\nACTION:DISPLAY\r\nTRIGGER:-PT15M\r\nDESCRIPTION:"
		      "x\r\nEND:VALARM\r\n"),
		EVENT("BEGIN:VALARM\r\nUID:9\r\nTRIGGER;RELATED=START:-PT900S\r\nACTION:"
		      "DISPLAY\r\nEND:VALARM\r\n"),
		true},
	{"an unknown property", EVENT("X-ROOM:7\r\n"), EVENT("X-ROOM:8\r\n"), false},
	{"an override that says nothing new",
		HEAD "BEGIN:VEVENT\r\nUID:u\r\nSUMMARY:s\r\nDTSTART:"
		     "20240101T120000Z\r\nRRULE:FREQ=WEEKLY;COUNT=3\r\n"
		     "END:VEVENT\r\nBEGIN:VEVENT\r\nUID:u\r\nSUMMARY:s\r\nDTSTART:"
		     "20240108T120000Z\r\n"
		     "RECURRENCE-ID:20240108T120000Z\r\nEND:VEVENT\r\n" TAIL,
		EVENT("SUMMARY:s\r\nDTSTART:20240101T120000Z\r\nRRULE:FREQ=WEEKLY;COUNT="
		      "3\r\n"),
		true},
	{"a moved instance",
		HEAD "BEGIN:VEVENT\r\nUID:u\r\nSUMMARY:s\r\nDTSTART:"
		     "20240101T120000Z\r\nRRULE:FREQ=WEEKLY;COUNT=3\r\n"
		     "END:VEVENT\r\nBEGIN:VEVENT\r\nUID:u\r\nSUMMARY:s\r\nDTSTART:"
		     "20240108T130000Z\r\n"
		     "RECURRENCE-ID:20240108T120000Z\r\nEND:VEVENT\r\n" TAIL,
		EVENT("SUMMARY:s\r\nDTSTART:20240101T120000Z\r\nRRULE:FREQ=WEEKLY;COUNT="
		      "3\r\n"),
		false},
};

static void same_and_not_the_same(void **state)
{
	(void)state;
	for (size_t i = 0; i < PF_COUNT(CASES); i++) {
		struct pf_digest a = meaning(CASES[i].a), b = meaning(CASES[i].b);

		if (pf_digest_eq(&a, &b) != CASES[i].same) {
			fail_msg("%s", CASES[i].name);
		}
	}
}

static void zones_count_by_their_rules(void **state)
{
	static const char SERIES[] =
		"DTSTART;TZID=%s:20240101T120000\r\nRRULE:FREQ=WEEKLY\r\nEND:VEVENT\r\n" TAIL;
	char with[2000], olson[1000], other[1000];
	struct pf_digest a, b, c;

	(void)state;
	(void)snprintf(with, sizeof(with),
		HEAD BERLIN "BEGIN:VEVENT\r\nUID:u\r\nDTSTART;TZID=%s:20240101T120000\r\n"
			    "RRULE:FREQ=WEEKLY\r\nEND:VEVENT\r\n" TAIL,
		"Custom", "Custom");
	(void)snprintf(olson, sizeof(olson), "%s", HEAD "BEGIN:VEVENT\r\nUID:u\r\n");
	(void)snprintf(other, sizeof(other), "%s", HEAD "BEGIN:VEVENT\r\nUID:u\r\n");
	(void)snprintf(
		olson + strlen(olson), sizeof(olson) - strlen(olson), SERIES, "Europe/Berlin");
	(void)snprintf(
		other + strlen(other), sizeof(other) - strlen(other), SERIES, "Africa/Lagos");
	a = meaning(with);
	b = meaning(olson);
	c = meaning(other); /* the same hour in winter only */
	assert_true(pf_digest_eq(&a, &b));
	assert_false(pf_digest_eq(&a, &c));
}

/* A TZID is a text in its VTIMEZONE, and none where it is a parameter. */
static void zones_with_commas_are_found(void **state)
{
	static const char *const IDS[] = {"A, B; C", "A\\, B\\; C"};
	struct pf_digest of[2], other;
	char text[1000];

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		(void)snprintf(text, sizeof(text),
			HEAD
			"BEGIN:VTIMEZONE\r\nTZID:%s\r\nBEGIN:STANDARD\r\n"
			"DTSTART:19700101T000000\r\nTZOFFSETFROM:+0100\r\n"
			"TZOFFSETTO:+0100\r\nEND:STANDARD\r\nEND:VTIMEZONE\r\n"
			"BEGIN:VEVENT\r\nUID:u\r\nDTSTART;TZID=\"A, B; %c\":20240101T120000\r\n"
			"RRULE:FREQ=DAILY\r\nEND:VEVENT\r\n" TAIL,
			IDS[i % 2], i < 2 ? 'C' : 'D');
		*(i < 2 ? &of[i] : &other) = meaning(text);
	}
	assert_true(pf_digest_eq(&of[0], &of[1]));
	assert_false(pf_digest_eq(&of[0], &other)); /* unknown */
}

static void composed(
	const char *text, const struct pf_compose *how, char *out, size_t size, char *what)
{
	struct pf_doc *d = open_doc(text);
	struct pf_piece pieces[16];
	struct pf_composed made = {0};
	struct pf_err err;
	size_t n = pf_ical_codec.parts(d);

	for (size_t i = 0; i < n; i++) {
		pieces[i] = (struct pf_piece){d, i};
	}
	assert_int_equal(pf_ical_codec.compose(pieces, n, how, &made, &err), PF_OK);
	(void)snprintf(out, size, "%.*s", (int)made.body->n, (const char *)made.body->bytes);
	(void)snprintf(what, 200, "%s", made.changes);
	pf_blob_unref(&made.body);
	pf_ical_codec.free(&d);
}

static void nothing_to_change_is_octet_for_octet(void **state)
{
	static const char ODD[] = "BEGIN:VCALENDAR\nX:  "
				  "y\nBEGIN:VEVENT\nUID:1\nsummary:a,b\nEND:VEVENT\nEND:VCALENDAR";
	char out[1000], what[200];

	(void)state;
	composed(ODD, &(struct pf_compose){0}, out, sizeof(out), what);
	assert_string_equal(out, ODD);
	assert_string_equal(what, "");
}

static void only_the_lines_concerned_change(void **state)
{
	static const char TEXT[] =
		HEAD "BEGIN:VEVENT\r\nUID:old\r\nSUMMARY:a\r\n  b\r\nDTSTART:20240101T120000Z\r\n"
		     "RRULE:FREQ=DAILY\r\nEXDATE:20240102T120000Z,20240103T120000Z\r\n"
		     "ATTENDEE;SCHEDULE-AGENT=SERVER;CN=\"J, o\":mailto:j@x\r\nEND:VEVENT\r\n" TAIL;
	const int64_t wanted[] = {1704196800};
	char out[2000], what[200];

	(void)state;
	composed(TEXT,
		&(struct pf_compose){.uid = pf_span_str("new"),
			.schedule = PF_SCHEDULE_NONE,
			.wanted = wanted,
			.wanted_n = 1},
		out, sizeof(out), what);
	assert_string_equal(out, HEAD
		"BEGIN:VEVENT\r\nUID:new\r\nX-POSTFERRY-ORIGINAL-UID:old\r\nSUMMARY:a\r\n  b\r\n"
		"DTSTART:20240101T120000Z\r\nRRULE:FREQ=DAILY\r\nEXDATE:20240103T120000Z\r\n"
		"ATTENDEE;CN=\"J, o\";SCHEDULE-AGENT=NONE:mailto:j@x\r\nEND:VEVENT\r\n" TAIL);
}

static void repairs_are_made_and_told(void **state)
{
	static const char TEXT[] =
		"BEGIN:VCALENDAR\nMETHOD:REQUEST\nBEGIN:VEVENT\nUID:u\nX-EMPTY:\n"
		"SUMMARY:Lunch, then "
		"coffee\nDTSTART:20240101T120000Z\nDTEND:20240101T120000Z\nEND:VEVENT\nEND:"
		"VCALENDAR\n";
	char out[2000], what[200];

	(void)state;
	composed(TEXT, &(struct pf_compose){.repair = true}, out, sizeof(out), what);
	assert_string_equal(out,
		"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//postferry//postferry//"
		"EN\r\nBEGIN:VEVENT\r\n"
		"DTSTAMP:20240101T120000Z\r\nUID:u\r\nSUMMARY:Lunch\\, then coffee\r\n"
		"DTSTART:20240101T120000Z\r\nDURATION:PT1S\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n");
	assert_string_equal(what,
		"VERSION added, PRODID added, METHOD dropped, DTSTAMP added, "
		"empty properties dropped, text escaped, zero length made one second");
}

/* One line that servers refuse, or make something else of, and what becomes of it. */
static void lines_are_repaired(void **state)
{
	static const struct {
		const char *was, *is, *what;
	} LINES[] = {
		{"DTSTAMP:19970324T1200Z\r\n", "DTSTAMP:19970324T120000Z\r\n",
			"a time written as it has to be"},
		{"COMPLETED:20031114T18300\r\n", "COMPLETED:20031114T183000\r\n",
			"a time written as it has to be"},
		{"COMPLETED:yesterday\r\n", "X-POSTFERRY-OTHER-COMPLETED:yesterday\r\n",
			"a time that is none kept under another name"},
		{"EXDATE;TZID=A/B;X-A=b:20240102,20240103\r\n",
			"EXDATE;VALUE=DATE;X-A=b:20240102,20240103\r\n", "a date declared as one"},
		{"EXDATE;VALUE=DATE:20240102T120000Z\r\n", "EXDATE:20240102T120000Z\r\n",
			"a time no longer declared as a date"},
		{"EXDATE;VALUE=DATE:20240102\r\n", "EXDATE;VALUE=DATE:20240102\r\n", ""},
		{"RDATE;VALUE=TIME:1200,1300\r\n",
			"X-POSTFERRY-OTHER-RDATE;VALUE=TIME:1200,1300\r\n",
			"a time that is none kept under another name"},
		{"RRULE:FREQ=SOMETIMES\r\n", "X-POSTFERRY-OTHER-RRULE:FREQ=SOMETIMES\r\n",
			"a rule that is none kept under another name"},
		{"RRULE:FREQ=DAILY;COUNT=3\r\n", "RRULE:FREQ=DAILY;COUNT=3\r\n", ""},
		{"RRULE:FREQ=DAILY;UNTIL=20240105\r\n",
			"RRULE:FREQ=DAILY;UNTIL=20240105T235959Z\r\n",
			"UNTIL in the form that DTSTART wants"},
		{"RRULE:FREQ=DAILY;UNTIL=20240105T120000Z\r\n",
			"RRULE:FREQ=DAILY;UNTIL=20240105T120000Z\r\n", ""},
		{"RRULE:FREQ=DAILY;UNTIL=20240105;COUNT=3\r\n", "RRULE:FREQ=DAILY;COUNT=3\r\n",
			"UNTIL beside COUNT dropped"},
		{"FREEBUSY;X-A=b:20240101T120000Z/PT1H,20240102T120000Z/PT1H\r\n",
			"FREEBUSY;X-A=b:20240101T120000Z/PT1H\r\n"
			"FREEBUSY;X-A=b:20240102T120000Z/PT1H\r\n",
			"periods one a line"},
		{"CLASS: \r\n", "", "empty properties dropped"},
		{"CREATED:51222T205954Z\r\n", "X-POSTFERRY-OTHER-CREATED:51222T205954Z\r\n",
			"a stamp that is no time kept under another name"},
		{"LOCATION;VALUE=URI;X-A=b:http://x.org/a,b\r\n",
			"LOCATION;X-A=b:http://x.org/a\\,b\r\n", "VALUE of a text dropped"},
		{"RELATED-TO;VALUE=UID:other\r\n", "RELATED-TO:other\r\n",
			"VALUE of a text dropped"},
		{"LOCATION:\\\"here\\\", or \\\\there\r\n", "LOCATION:\"here\"\\, or \\\\there\r\n",
			"text escaped"},
		{"LOCATION;VALUE=TEXT:here\r\n", "LOCATION;VALUE=TEXT:here\r\n", ""},
		{"GEO:1.5\\;2.5\r\n", "GEO:1.5;2.5\r\n", "GEO without a backslash"},
		{"BEGIN:VALARM\r\nTRIGGER:19980403T120000\r\nEND:VALARM\r\n",
			"BEGIN:VALARM\r\nTRIGGER;VALUE=DATE-TIME:19980403T120000\r\nEND:VALARM\r\n",
			"an alarm's time declared"},
		{"BEGIN:VALARM\r\nTRIGGER:-PT5M\r\nEND:VALARM\r\n",
			"BEGIN:VALARM\r\nTRIGGER:-PT5M\r\nEND:VALARM\r\n", ""},
	};

	(void)state;
	for (size_t i = 0; i < PF_COUNT(LINES); i++) {
		bool stamp = strncmp(LINES[i].was, "DTSTAMP", 7) == 0;
		char text[1000], want[1000], out[1000], what[200];
		const char *head = HEAD "BEGIN:VEVENT\r\nUID:u\r\nDTSTART:20240101T120000Z\r\n"
					"DURATION:PT1H\r\n";
		const char *end = stamp ? "END:VEVENT\r\n" TAIL
					: "DTSTAMP:20240101T000000Z\r\nEND:VEVENT\r\n" TAIL;
		bool within = strncmp(LINES[i].was, "BEGIN", 5) == 0;

		(void)snprintf(text, sizeof(text), "%s%s%s", head, within ? "" : LINES[i].was, end);
		(void)snprintf(want, sizeof(want), "%s%s%s", head, within ? "" : LINES[i].is, end);
		if (within) { /* behind all lines */
			static const char LAST[] = "END:VEVENT\r\n" TAIL;

			(void)snprintf(text + strlen(text) - strlen(LAST), 500, "%s%s",
				LINES[i].was, LAST);
			(void)snprintf(
				want + strlen(want) - strlen(LAST), 500, "%s%s", LINES[i].is, LAST);
		}
		composed(text, &(struct pf_compose){.repair = true}, out, sizeof(out), what);
		assert_string_equal(out, want);
		assert_string_equal(what, LINES[i].what);
	}
}

static void all_day_events_last_days(void **state)
{
	static const struct {
		const char *was, *is, *what;
	} EVENTS[] = {
		{"DTSTART:20240101\r\nDURATION:PT86400S\r\n",
			"DTSTART;VALUE=DATE:20240101\r\nDURATION:P1D\r\n",
			"a date declared as one, the length of an all-day event made days"},
		{"DTSTART;VALUE=DATE:20240101\r\nDURATION:PT25H\r\n",
			"DTSTART;VALUE=DATE:20240101\r\nX-POSTFERRY-OTHER-DURATION:PT25H\r\n"
			"DURATION:P2D\r\n",
			"a length kept under another name, the length of an all-day event made "
			"days"},
		{"DTSTART;VALUE=DATE:20240101\r\nDTEND;VALUE=DATE:20240101\r\n",
			"DTSTART;VALUE=DATE:20240101\r\nDURATION:P1D\r\n",
			"zero length made one day"},
		{"DTSTART;VALUE=DATE:20240101\r\nDURATION:P1W\r\n",
			"DTSTART;VALUE=DATE:20240101\r\nDURATION:P1W\r\n", ""},
		{"DTSTART:20240101T120000Z\r\n", "DTSTART:20240101T120000Z\r\nDURATION:PT1S\r\n",
			"zero length made one second"},
	};
	static const char BEGIN[] = HEAD "BEGIN:VEVENT\r\nUID:u\r\nDTSTAMP:20240101T000000Z\r\n";

	(void)state;
	for (size_t i = 0; i < PF_COUNT(EVENTS); i++) {
		char text[500], want[500], out[1000], what[200];

		(void)snprintf(text, sizeof(text), "%s%sEND:VEVENT\r\n" TAIL, BEGIN, EVENTS[i].was);
		(void)snprintf(want, sizeof(want), "%s%sEND:VEVENT\r\n" TAIL, BEGIN, EVENTS[i].is);
		composed(text, &(struct pf_compose){.repair = true}, out, sizeof(out), what);
		assert_string_equal(out, want);
		assert_string_equal(what, EVENTS[i].what);
	}
}

static void zones_that_are_missing_are_added(void **state)
{
	static const char TEXT[] =
		HEAD "BEGIN:VEVENT\r\nUID:u\r\nDTSTAMP:20240101T000000Z\r\n"
		     "DTSTART;TZID=Europe/Berlin:20240701T120000\r\n"
		     "DTEND;TZID=Europe/Berlin:20240701T130000\r\n"
		     "RDATE;TZID=Nowhere/At All:20240801T120000\r\nEND:VEVENT\r\n" TAIL;
	char out[9000], what[200];
	struct pf_digest a = meaning(TEXT), b;
	const char *zone;

	(void)state;
	composed(TEXT, &(struct pf_compose){.repair = true}, out, sizeof(out), what);
	assert_string_equal(what, "VTIMEZONE added");
	zone = strstr(out, "BEGIN:VTIMEZONE\r\nTZID:Europe/Berlin\r\n");
	assert_non_null(zone);
	assert_null(strstr(zone + 1, "BEGIN:VTIMEZONE"));
	assert_non_null(strstr(zone, "TZOFFSETTO:+0200\r\n"));
	assert_null(strstr(zone, "TZOFFSETFROM:+005328")); /* of local mean time */
	b = meaning(out);
	assert_true(pf_digest_eq(&a, &b));
}

/* Files of one event, with no calendar around it. */
static void what_has_no_calendar_gets_one(void **state)
{
	static const char TEXT[] = "BEGIN:VEVENT\r\nUID:u\r\nDTSTAMP:20240101T000000Z\r\n"
				   "DTSTART:20240101T120000Z\r\nDURATION:PT1H\r\nEND:VEVENT\r\n";
	char out[2000], want[1000], what[200];

	(void)state;
	composed(TEXT, &(struct pf_compose){.repair = false}, out, sizeof(out), what);
	assert_string_equal(out, TEXT); /* files may have it as it is */
	composed(TEXT, &(struct pf_compose){.repair = true}, out, sizeof(out), what);
	(void)snprintf(want, sizeof(want),
		"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//postferry//postferry//EN\r\n%s"
		"END:VCALENDAR\r\n",
		TEXT);
	assert_string_equal(out, want);
	assert_string_equal(what, "VCALENDAR added");
}

static void ends_that_are_none_are_kept(void **state)
{
	static const char *const ENDS[] = {
		"DTEND:20231231T120000Z", "DTEND:20240101T12X", "DURATION:-PT1H"};

	(void)state;
	for (size_t i = 0; i < PF_COUNT(ENDS); i++) {
		char text[500], line[100], out[1000], what[200];

		(void)snprintf(text, sizeof(text),
			HEAD "BEGIN:VEVENT\r\nUID:u\r\nDTSTAMP:20240101T000000Z\r\n"
			     "DTSTART:20240101T120000Z\r\n%s\r\nEND:VEVENT\r\n" TAIL,
			ENDS[i]);
		(void)snprintf(line, sizeof(line), "\r\nX-POSTFERRY-OTHER-%s\r\n", ENDS[i]);
		composed(text, &(struct pf_compose){.repair = true}, out, sizeof(out), what);
		assert_non_null(strstr(out, line));
		assert_non_null(strstr(out, "\r\nDURATION:PT1S\r\n"));
		assert_string_equal(what,
			"an end that is none kept under another name, zero length "
			"made one second");
	}
}

static void instances(void **state)
{
	struct pf_doc *d = open_doc(
		HEAD "BEGIN:VEVENT\r\nUID:u\r\nSUMMARY:s\r\nDTSTART;TZID=Europe/"
		     "Berlin:20240101T120000\r\nDURATION:PT1H\r\n"
		     "RRULE:FREQ=WEEKLY;COUNT=4\r\nEXDATE;TZID=Europe/"
		     "Berlin:20240108T120000\r\nEND:VEVENT\r\n"
		     "BEGIN:VEVENT\r\nUID:u\r\nSUMMARY:moved\r\nDTSTART:20240116T080000Z\r\n"
		     "RECURRENCE-ID;TZID=Europe/Berlin:20240115T120000\r\nEND:VEVENT\r\n" TAIL);
	const struct pf_piece pieces[] = {{d, 0}, {d, 1}};
	struct pf_instance out[8];
	struct pf_window w = {0, INT64_MAX / 2, out, 8, 0};
	struct pf_err err;

	(void)state;
	assert_int_equal(pf_ical_codec.expand(pieces, 2, &w, &err), PF_OK);
	assert_int_equal(w.n, 3);
	assert_int_equal(out[0].begin_utc_s, 1704106800);
	assert_int_equal(out[1].begin_utc_s, 1705392000);
	assert_int_equal(out[2].end_utc_s - out[2].begin_utc_s, 3600);
	assert_true(
		pf_ical_codec.recurs_at(&pieces[0], 1704711600, false)); /* excepted, and yet its */
	assert_false(pf_ical_codec.recurs_at(&pieces[0], 1704711601, false));
	assert_true(pf_ical_codec.part(d, 1)->is_override);
	pf_ical_codec.free(&d);
}

/* Servers write what they were given in their own way: it is the same instance still. */
static void an_instance_in_other_words(void **state)
{
	static const char *const SAME[] = {"SUMMARY:a \"b\"\r\nSTATUS:CONFIRMED\r\n",
		"SUMMARY:a \\\"b\\\"\r\nSTATUS:Confirmed\r\n",
		"STATUS:confirmed\r\nSUMMARY:a \r\n \"b\" \r\n"};
	struct pf_instance out[PF_COUNT(SAME)];
	struct pf_err err;

	(void)state;
	for (size_t i = 0; i < PF_COUNT(SAME); i++) {
		struct pf_window w = {0, INT64_MAX / 2, &out[i], 1, 0};
		char text[400];
		struct pf_doc *d;

		(void)snprintf(text, sizeof(text),
			HEAD "BEGIN:VEVENT\r\nUID:u\r\nDTSTART:20240116T080000Z\r\n%sEND:"
			     "VEVENT\r\n" TAIL,
			SAME[i]);
		d = open_doc(text);
		assert_int_equal(
			pf_ical_codec.expand(&(struct pf_piece){d, 0}, 1, &w, &err), PF_OK);
		assert_int_equal(w.n, 1);
		assert_true(pf_digest_eq(&out[i].what, &out[0].what));
		pf_ical_codec.free(&d);
	}
}

static size_t seen, unread, altered;

/* Whatever is read can be written anew, and means the same then. */
static int each(const char *path, const struct stat *st, int kind, struct FTW *at)
{
	struct pf_doc *d = NULL, *e = NULL;
	struct pf_composed out = {0};
	struct pf_blob *raw;
	struct pf_err err;
	FILE *f;

	(void)at;
	if (kind != FTW_F || st->st_size > 4 << 20) {
		return 0;
	}
	seen++;
	raw = pf_blob_new((size_t)st->st_size);
	f = fopen(path, "rb");
	assert_true(raw && f && fread(raw->bytes, 1, raw->n, f) == raw->n);
	(void)fclose(f);
	if (memchr(raw->bytes, '\0', raw->n)) { /* a fuzzer's: no text at all */
		pf_blob_unref(&raw);
		return 0;
	}
	if (pf_ical_codec.read(pf_blob_span(raw), &d, &err) != PF_OK) {
		unread++;
		pf_blob_unref(&raw);
		return 0;
	}
	for (size_t i = 0; i < pf_ical_codec.parts(d); i++) {
		const struct pf_piece piece = {d, i};
		const struct pf_compose how = {.uid = pf_span_str("new")};

		assert_int_equal(pf_ical_codec.compose(&piece, 1, &how, &out, &err), PF_OK);
		if (pf_ical_codec.read(pf_blob_span(out.body), &e, &err) != PF_OK) {
			fail_msg("%s: %s", path, err.text);
		}
		if (!pf_digest_eq(&pf_ical_codec.part(d, i)->meaning,
			    &pf_ical_codec.part(e, 0)->meaning)) {
			print_message(
				"# %s: part %zu means something else when written anew\n", path, i);
			altered++;
		}
		pf_blob_unref(&out.body);
		pf_ical_codec.free(&e);
	}
	pf_blob_unref(&raw);
	pf_ical_codec.free(&d);
	return 0;
}

static void the_corpus_survives(void **state)
{
	const char *corpus = getenv("PF_CORPUS");
	char path[4096];

	(void)state;
	(void)snprintf(path, sizeof(path), "%s/ics", corpus ? corpus : "");
	if (!corpus || nftw(path, each, 16, FTW_PHYS) != 0) {
		skip();
	}
	print_message("# %zu calendars, %zu of them without any item\n", seen, unread);
	assert_true(unread * 4 < seen);
	assert_int_equal(altered, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(same_and_not_the_same),
		cmocka_unit_test(zones_count_by_their_rules),
		cmocka_unit_test(zones_with_commas_are_found),
		cmocka_unit_test(nothing_to_change_is_octet_for_octet),
		cmocka_unit_test(only_the_lines_concerned_change),
		cmocka_unit_test(repairs_are_made_and_told),
		cmocka_unit_test(lines_are_repaired),
		cmocka_unit_test(ends_that_are_none_are_kept),
		cmocka_unit_test(all_day_events_last_days),
		cmocka_unit_test(what_has_no_calendar_gets_one),
		cmocka_unit_test(zones_that_are_missing_are_added),
		cmocka_unit_test(instances),
		cmocka_unit_test(an_instance_in_other_words),
		cmocka_unit_test(the_corpus_survives),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
