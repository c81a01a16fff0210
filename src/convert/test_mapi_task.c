/* Tasks, notes and journal entries. */
#include "convert/mapi_task.h"
#include "convert/test_item_private.h"

#define T &pf_set_task
#define C &pf_set_common

typedef int convert_fn(const struct pf_mapi_item *item, const struct pf_mapi_ways *ways,
	struct pf_mapi_losses *losses, struct pf_buf *out, struct pf_err *err);

static void converts(
	convert_fn *fn, const struct given *given, size_t n, size_t lost, const char *want)
{
	struct pf_mapi_losses losses;
	struct pf_mapi_item *item;
	struct pf_arena arena;
	struct pf_buf out, tight;
	struct pf_err err;

	pf_arena_init(&arena);
	pf_buf_init(&out, 1 << 20);
	pf_buf_init(&tight, 50);
	item = make_item(&arena, given, n);
	pf_mapi_losses_init(&losses, &arena);
	assert_int_equal(fn(item, &TEST_WAYS, &losses, &out, &err), PF_OK);
	assert_lines(&out, want);
	assert_int_equal(pf_mapi_losses_count(&losses, PF_MAPI_LOST), lost);
	assert_int_equal(fn(item, &TEST_WAYS, &losses, &tight, &err), PF_FAIL); /* no room */
	assert_int_equal(tight.n, 0);
	pf_buf_deinit(&tight);
	pf_buf_deinit(&out);
	pf_arena_deinit(&arena);
}

#define HEAD(name)                                                                                 \
	"BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:-//postferry//postferry//EN\nBEGIN:" name            \
	"\nUID:2b2baaad-e650-5e2c-8843-50016cfa6ddb\n"
#define TAIL(name) "END:" name "\nEND:VCALENDAR\n"

static void tasks(void **state)
{
	static const struct given FULL[] = {
		{PF_TAG_MESSAGE_CLASS, NULL, TEXT("IPM.Task")},
		{PF_TAG_SUBJECT, NULL, TEXT("Pay; now")}, {PF_TAG_IMPORTANCE, NULL, NUMBER(2)},
		{PF_TAG_SENSITIVITY, NULL, NUMBER(2)}, {PF_TAG_BODY, NULL, TEXT("all of it")},
		{PF_TAG_CREATION_TIME, NULL, WHEN(1600000000)},
		{PF_TAG_LAST_MODIFICATION_TIME, NULL, WHEN(1700000000)}, {0x8101, T, NUMBER(3)},
		{0x8102, T, REAL(0.25)}, {0x8104, T, WHEN(1699920000)},
		{0x8105, T, WHEN(1700085600)}, /* two hours west of midnight */
		{0x811F, T, TEXT("Ann")}, {0x8110, T, NUMBER(90)}, {0x8503, C, FLAG(1)},
		{0x8502, C, WHEN(1700000000)}, {0x8534, C, TEXT("12 km")},
		{PF_TAG_SENDER_NAME, NULL, TEXT("Ann")}, /* who wrote it is not what it says */
		{0x8121, T, NUMBER(7)},                  /* nothing says this */
	};
	static const struct given DONE[] = {{0x811C, T, FLAG(1)}, {0x8102, T, REAL(1)},
		{0x810F, T, WHEN(1700006400)}, {0x8502, C, WHEN(1700000000)}};

	(void)state;
	converts(pf_mapi_task, FULL, PF_COUNT(FULL), 1,
		HEAD("VTODO") "DTSTAMP:20231114T221320Z\nLAST-MODIFIED:20231114T221320Z\n"
			      "CREATED:20200913T122640Z\nSUMMARY:Pay\\; now\nPRIORITY:1\n"
			      "CLASS:PRIVATE\nSTATUS:NEEDS-ACTION\nX-MICROSOFT-TASK-STATUS:3\n"
			      "PERCENT-COMPLETE:25\nDTSTART;VALUE=DATE:20231114\n"
			      "DUE;VALUE=DATE:20231116\nX-MICROSOFT-TASK-ACTUAL-EFFORT:90\n"
			      "X-MICROSOFT-TASK-OWNER:Ann\nX-MICROSOFT-TASK-MILEAGE:12 km\n"
			      "DESCRIPTION:all of it\nBEGIN:VALARM\nACTION:DISPLAY\n"
			      "DESCRIPTION:Reminder\nTRIGGER;VALUE=DATE-TIME:20231114T221320Z\n"
			      "END:VALARM\n" TAIL("VTODO"));
	converts(pf_mapi_task, DONE, PF_COUNT(DONE), 0,
		HEAD("VTODO") "DTSTAMP:19700101T000000Z\nSTATUS:COMPLETED\n"
			      "X-MICROSOFT-TASK-STATUS:2\nPERCENT-COMPLETE:100\n"
			      "COMPLETED:20231115T000000Z\n" TAIL("VTODO"));
}

static void notes(void **state)
{
	static const struct given NOTE[] = {{PF_TAG_BODY, NULL, TEXT("Milk\r\nBread")},
		{PF_TAG_CREATION_TIME, NULL, WHEN(1600000000)}, {0x8B00, &pf_set_note, NUMBER(3)}};
	static const struct given CALL[] = {{PF_TAG_SUBJECT, NULL, TEXT("Call")},
		{PF_TAG_CREATION_TIME, NULL, WHEN(1600000000)},
		{0x8706, &pf_set_log, WHEN(1700000000)}, {0x8707, &pf_set_log, NUMBER(15)},
		{0x8700, &pf_set_log, TEXT("Phone call")}};

	(void)state;
	converts(pf_mapi_journal, NOTE, PF_COUNT(NOTE), 0,
		HEAD("VJOURNAL") "DTSTAMP:19700101T000000Z\nCREATED:20200913T122640Z\n"
				 "DTSTART:20200913T122640Z\nSUMMARY:Milk\nCOLOR:yellow\n"
				 "X-MICROSOFT-NOTE-COLOR:3\nDESCRIPTION:Milk\\nBread\n" TAIL(
					 "VJOURNAL"));
	converts(pf_mapi_journal, CALL, PF_COUNT(CALL), 0,
		HEAD("VJOURNAL") "DTSTAMP:19700101T000000Z\nCREATED:20200913T122640Z\n"
				 "SUMMARY:Call\nDTSTART:20231114T221320Z\n"
				 "X-MICROSOFT-JOURNAL-TYPE:Phone call\n"
				 "X-MICROSOFT-JOURNAL-DURATION:PT15M\n" TAIL("VJOURNAL"));
}

static void series(void **state)
{
	/* [MS-OXOCAL] 4.1.1.3 without its times: every three days from 2011-04-07 to 05-04, two of
	 * them deleted; and the same of a task that is made anew when it is done. */
#define EVERY_THIRD(sliding)                                                                       \
	"\x04\x30\x04\x30\x0A\x20\0\0\0\0\xA0\x05\0\0\xE0\x10\0\0" sliding "\0\0\0\x21\x20\0\0"    \
	"\x0A\0\0\0\0\0\0\0\x02\0\0\0\xA0\xC1\xDC\x0C\x80\xD2\xDC\x0C\0\0\0\0\x20\x7E\xDC\x0C\0"   \
	"\x16\xDD\x0C"
	static const struct given FIXED[] = {{0x8126, T, FLAG(1)},
		{0x8116, T, BYTES(EVERY_THIRD("\0"))}, {0x8104, T, WHEN(1302134400)}};
	static const struct given SLIDING[] = {{0x8126, T, FLAG(1)},
		{0x8116, T, BYTES(EVERY_THIRD("\1"))}, {0x8104, T, WHEN(1302134400)}};

	(void)state;
	converts(pf_mapi_task, FIXED, PF_COUNT(FIXED), 0,
		HEAD("VTODO") "DTSTAMP:19700101T000000Z\nSTATUS:NEEDS-ACTION\n"
			      "X-MICROSOFT-TASK-STATUS:0\nDTSTART;VALUE=DATE:20110407\n"
			      "RRULE:FREQ=DAILY;INTERVAL=3;UNTIL=20110504\n"
			      "EXDATE;VALUE=DATE:20110419\nEXDATE;VALUE=DATE:20110422\n" TAIL(
				      "VTODO"));
	converts(pf_mapi_task, SLIDING, PF_COUNT(SLIDING), 0,
		HEAD("VTODO") "DTSTAMP:19700101T000000Z\nSTATUS:NEEDS-ACTION\n"
			      "X-MICROSOFT-TASK-STATUS:0\n"
			      "X-MICROSOFT-TASK-RECURRENCE:"
			      "BDAEMAogAAAAAKAFAADgEAAAAQAAACEgAAAKAAAAAAAAAA"
			      "IAAACgwdwMgNLcDAAAAAAgftwMABbdDA==\n"
			      "DTSTART;VALUE=DATE:20110407\n" TAIL("VTODO"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tasks),
		cmocka_unit_test(series),
		cmocka_unit_test(notes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
