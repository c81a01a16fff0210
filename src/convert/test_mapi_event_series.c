/* Series of appointments as iCalendar: exceptions, zones, and when the instances are. */
#include "convert/mapi_recur.h"
#include "convert/test_event_private.h"

/* The instances that a calendar reader finds: "20070326T1400 title" a line, UTC. */
static void assert_instances(const struct world *w, const char *const *want, size_t n)
{
	struct pf_doc *doc = NULL;
	struct pf_piece pieces[32];
	struct pf_instance found[64];
	struct pf_window window = {
		.from_utc_s = 0, .to_utc_s = 4102444800, .out = found, .max = PF_COUNT(found)};
	size_t parts;
	struct pf_err err;

	assert_int_equal(pf_ical_codec.read(pf_buf_span(&w->out), &doc, &err), PF_OK);
	parts = pf_ical_codec.parts(doc);
	assert_true(parts <= PF_COUNT(pieces));
	for (size_t i = 0; i < parts; i++) {
		pieces[i] = (struct pf_piece){doc, i};
	}
	assert_int_equal(pf_ical_codec.expand(pieces, parts, &window, &err), PF_OK);
	for (size_t i = 0; i < n; i++) {
		if (i >= window.n || found[i].begin_utc_s != unix_of(want[i])) {
			char at[32] = "none";

			if (i < window.n) {
				pf_date_iso(found[i].begin_utc_s, at);
			}
			fail_msg("instance %zu is at %s, not %s", i, at, want[i]);
		}
	}
	assert_int_equal(window.n, n);
	pf_ical_codec.free(&doc);
}

/* ---- series ---- */

/* Vector of [MS-OXOCAL] 4.1.1.2, as test_mapi_recur.c has it: 10:00 to 10:30, Mon, Thu, Fri. */
static const char WEEKLY[] =
	"043004300B2001000000C0210000010000000000000032000000222000000C0000000000000001000000A096BC"
	"0C01000000A096BC0C8020BC0C20ADBC0C0630000009300000580200007602000001003499BC0C5299BC0CF898"
	"BC0C11002200210053696D706C6520526563757272656E6365207769746820657863657074696F6E7308000700"
	"33342F34313431000000000400000000000000000000003499BC0C5299BC0CF898BC0C2100530069006D007000"
	"6C006500200052006500630075007200720065006E006300650020007700690074006800200065007800630065"
	"007000740069006F006E0073000700330034002F0034003100340031000000000000000000";

static void put_weekly(struct world *w)
{
	struct pf_zone pacific = zone_of("Pacific Standard Time", 480, 3, 11);
	uint8_t raw[262];

	for (size_t i = 0; i < sizeof(raw); i++) {
		char two[3] = {WEEKLY[2 * i], WEEKLY[2 * i + 1], 0};

		raw[i] = (uint8_t)strtoul(two, NULL, 16);
	}
	TAG(w, PF_TAG_SUBJECT, text("Series"));
	TAG(w, PF_TAG_BODY, text("Of the series"));
	APPT(w, 0x820D, moment("20070326T1700"));
	APPT(w, 0x820E, moment("20070326T1730"));
	APPT(w, 0x8205, number(1));
	APPT(w, 0x8216, bytes(w->item, pf_span(raw, sizeof(raw))));
	put_zone(w, 0x8233, &pacific);
	put_zone(w, 0x8260, &pacific);
}

static const char *const DAYS[] = {"20070326T1700", "20070329T1700", "20070330T1700",
	"20070402T1700", "20070405T1700", "20070406T1700", "20070409T1700", "20070412T1700",
	"20070413T1700", "20070416T1800", "20070419T1700", "20070420T1700"};

static void a_series_with_an_exception_of_the_blob(void **state)
{
	static const char *const LINES[] = {
		"DTSTART;TZID=America/Los_Angeles:20070326T100000",
		"DTEND;TZID=America/Los_Angeles:20070326T103000",
		"RRULE:FREQ=WEEKLY;BYDAY=MO,TH,FR;COUNT=12;WKST=SU",
		"RECURRENCE-ID;TZID=America/Los_Angeles:20070416T100000",
		"DTSTART;TZID=America/Los_Angeles:20070416T110000",
		"SUMMARY:Series",
		"SUMMARY:Simple Recurrence with exceptions",
		"LOCATION:34/4141",
	};
	struct world w;

	(void)state;
	begin(&w);
	put_weekly(&w);
	convert(&w);
	assert_lines(&w, LINES, PF_COUNT(LINES));
	assert_int_equal(count(&w, "DESCRIPTION:Of the series"), 2); /* inherited */
	assert_int_equal(count(&w, "X-MICROSOFT-CDO-BUSYSTATUS:TENTATIVE"), 2);
	assert_null(strstr((const char *)w.flat.p, "EXDATE"));
	assert_instances(&w, DAYS, PF_COUNT(DAYS));
	assert_int_equal(w.losses.odd_n, 0);
	end(&w);
}

static struct pf_mapi_item *attach(struct world *w, const char *replaces, const char *changed)
{
	struct pf_mapi_attachment *a = pf_mapi_add_attachment(w->item);

	a->kind = PF_MAPI_ATTACH_ITEM;
	a->item = pf_mapi_new(&w->arena);
	put(w->item, &a->props, NULL, PF_TAG_ATTACHMENT_FLAGS, number(2));
	put(a->item, &a->item->props, &pf_set_appointment, 0x8228, moment(replaces));
	put(a->item, &a->item->props, NULL, PF_TAG_LAST_MODIFICATION_TIME, moment(changed));
	return a->item;
}

static void an_exception_with_an_item(void **state)
{
	struct pf_mapi_item *x;
	struct world w;

	(void)state;
	begin(&w);
	put_weekly(&w);
	x = attach(&w, "20070416T1700", "20070402T0000");
	put(x, &x->props, NULL, PF_TAG_BODY, text("Of the exception"));
	put(x, &x->props, &pf_set_appointment, 0x8205, number(0));
	(void)attach(&w, "20070416T1700", "20070401T0000"); /* an older one of the same day */
	(void)attach(&w, "20070417T1700", "20070403T0000"); /* no day of the series */
	convert(&w);
	assert_int_equal(count(&w, "DESCRIPTION:Of the exception"), 1);
	assert_int_equal(count(&w, "DESCRIPTION:Of the series"), 1);
	assert_int_equal(count(&w, "X-MICROSOFT-CDO-BUSYSTATUS:FREE"), 1);
	assert_int_equal(count(&w, "LAST-MODIFIED:20070402T000000Z"), 1);
	assert_int_equal(count(&w, "BEGIN:VEVENT"), 2);
	assert_int_equal(w.losses.odd_n, 1); /* two of which the series does not know */
	assert_instances(&w, DAYS, PF_COUNT(DAYS));
	end(&w);
}

static void put_file(struct pf_mapi_item *item, const char *name, struct pf_span data)
{
	struct pf_mapi_attachment *a = pf_mapi_add_attachment(item);

	a->kind = PF_MAPI_ATTACH_DATA;
	a->data = data;
	put(item, &a->props, NULL, PF_TAG_ATTACH_LONG_FILENAME, text(name));
}

/* Says in the blob that the files of the exception differ: it has some, or none. */
static void put_files_differ(struct world *w, uint32_t has)
{
	struct pf_mapi_value *v = (struct pf_mapi_value *)(uintptr_t)pf_mapi_lid(
		&w->item->props, &pf_set_appointment, 0x8216);
	struct pf_recur r;
	struct pf_buf b;
	struct pf_err err;

	assert_int_equal(pf_recur_read(&w->arena, v->bytes, 0, &r, &err), PF_OK);
	r.exception[0].flags |= PF_RECUR_HAS_ATTACHMENT;
	r.exception[0].attachment = has;
	pf_buf_init(&b, 4096);
	assert_int_equal(pf_recur_write(&r, &b, &err), PF_OK);
	*v = bytes(w->item, pf_buf_span(&b));
	pf_buf_deinit(&b);
}

/* An override of iCalendar has nothing from its series by itself, an exception of Exchange has its
 * files unless it says that they differ. */
static void files_of_an_exception(void **state)
{
	static const struct {
		bool own, tells;
		uint32_t has;
		size_t of_series, of_exception, odd;
	} CASES[] = {
		{false, false, 0, 2, 0, 0}, /* those of the series */
		{false, true, 0, 1, 0, 0},  /* none */
		{false, true, 1, 1, 0, 1},  /* some that are lost */
		{true, true, 1, 1, 1, 0},
		{true, false, 0, 1, 1, 0}, /* it has some, whatever the blob says */
	};

	(void)state;
	for (size_t i = 0; i < PF_COUNT(CASES); i++) {
		struct pf_mapi_item *x;
		struct world w;

		begin(&w);
		put_weekly(&w);
		put_file(w.item, "series.txt", pf_span_str("hello"));
		x = attach(&w, "20070416T1700", "20070402T0000");
		if (CASES[i].own) {
			put_file(x, "own.txt", pf_span_str("hello"));
		}
		if (CASES[i].tells) {
			put_files_differ(&w, CASES[i].has);
		}
		convert(&w);
		assert_int_equal(count(&w, "ATTACH;ENCODING=BASE64;VALUE=BINARY;X-FILENAME="
					   "series.txt:aGVsbG8="),
			CASES[i].of_series);
		assert_int_equal(count(&w, "ATTACH;ENCODING=BASE64;VALUE=BINARY;X-FILENAME=own.txt:"
					   "aGVsbG8="),
			CASES[i].of_exception);
		assert_int_equal(w.losses.odd_n, CASES[i].odd);
		end(&w);
	}
}

/* They are with the series alone, and that is told. */
static void large_files_are_not_said_again(void **state)
{
	struct pf_span large = {.n = 2 << 20};
	struct world w;

	(void)state;
	begin(&w);
	pf_buf_deinit(&w.out);
	pf_buf_deinit(&w.flat);
	pf_buf_init(&w.out, 16 << 20);
	pf_buf_init(&w.flat, 16 << 20);
	large.p = pf_arena_alloc(&w.arena, large.n);
	put_weekly(&w);
	put_file(w.item, "large", large);
	convert(&w);
	assert_true(w.out.n > 2 * large.n && w.losses.odd_n == 0);
	put_file(w.item, "larger", large);
	convert(&w);
	assert_true(w.out.n < 4 * large.n && w.losses.odd_n == 1);
	end(&w);
}

static void put_series(struct world *w, const char *rule, const char *start, const char *without)
{
	const struct pf_recur_begin begin_at = {pf_recur_from_unix(unix_of(start)),
		pf_recur_from_unix(unix_of(start)) + 60,
		pf_recur_from_unix(unix_of("20240709T0000"))};
	uint32_t gone = pf_recur_from_unix(unix_of(without));
	struct pf_recur r;
	struct pf_buf b;
	struct pf_err err;

	pf_buf_init(&b, 4096);
	assert_int_equal(pf_recur_from_rule(pf_span_str(rule), &begin_at, &r, &err), PF_OK);
	r.deleted = &gone;
	r.deleted_n = 1;
	assert_int_equal(pf_recur_write(&r, &b, &err), PF_OK);
	APPT(w, 0x8216, bytes(w->item, pf_buf_span(&b)));
	pf_buf_deinit(&b);
}

static void deleted_ones_and_an_end(void **state)
{
	static const char *const HERE[] = {"20240701T2330", "20240705T2330", "20240707T2330"};
	struct pf_zone berlin = zone_of("W. Europe Standard Time", -60, 3, 10);
	struct world w;

	(void)state;
	begin(&w);
	APPT(&w, 0x820D, moment("20240701T2330"));
	APPT(&w, 0x820E, moment("20240702T0030"));
	put_series(&w, "FREQ=DAILY;INTERVAL=2;UNTIL=20240709T000000", "20240702T0130",
		"20240704T0000");
	put_zone(&w, 0x8233, &berlin);
	convert(&w);
	/* on the wall it is the 2nd, 4th, ... of July */
	assert_int_equal(count(&w, "EXDATE;TZID=UTC+0100 with daylight saving:20240704T013000"), 1);
	assert_instances(&w, HERE, PF_COUNT(HERE));
	end(&w);
}

/* [MS-OXOCAL] 2.2.1.41: where the two differ, the older form holds. */
static void the_zone_of_a_series(void **state)
{
	struct pf_zone berlin = zone_of("W. Europe Standard Time", -60, 3, 10);
	struct pf_zone london = zone_of("GMT Standard Time", 0, 3, 10);
	struct world w;

	(void)state;
	begin(&w);
	APPT(&w, 0x820D, moment("20240701T0800"));
	put_series(&w, "FREQ=DAILY;UNTIL=20240709", "20240701T1000", "20240703T0000");
	put_zone(&w, 0x8260, &london);
	convert(&w);
	assert_int_equal(count(&w, "DTSTART;TZID=Europe/London:20240701T100000"), 1);
	put_zone(&w, 0x8233, &berlin);
	APPT(&w, 0x8234, text("(UTC+01:00) Berlin"));
	convert(&w);
	assert_int_equal(count(&w, "DTSTART;TZID=(UTC+0100) Berlin:20240701T100000"), 1);
	assert_int_equal(count(&w, "TZOFFSETTO:+0200"), 1);
	end(&w);
}

static void whole_days_that_recur(void **state)
{
	static const char *const HERE[] = {"20240701T0000", "20240702T0000", "20240704T0000",
		"20240705T0000", "20240706T0000", "20240707T0000", "20240708T0000",
		"20240709T0000"};
	struct pf_zone berlin = zone_of("W. Europe Standard Time", -60, 3, 10);
	struct world w;

	(void)state;
	begin(&w);
	APPT(&w, 0x820D, moment("20240630T2200"));
	APPT(&w, 0x8215, truth(true));
	put_series(&w, "FREQ=DAILY;UNTIL=20240709", "20240701T0000", "20240703T0000");
	put_zone(&w, 0x8233, &berlin);
	convert(&w);
	assert_int_equal(count(&w, "RRULE:FREQ=DAILY;UNTIL=20240709"), 1);
	assert_int_equal(count(&w, "EXDATE;VALUE=DATE:20240703"), 1);
	assert_instances(&w, HERE, PF_COUNT(HERE));
	end(&w);
}

static void a_series_that_knows_no_zone(void **state)
{
	struct world w;

	(void)state;
	begin(&w);
	APPT(&w, 0x820D, moment("20240701T0430"));
	put_series(&w, "FREQ=DAILY;UNTIL=20240709", "20240701T1000", "20240703T0000");
	convert(&w);
	assert_int_equal(count(&w, "DTSTART;TZID=UTC+0530:20240701T100000"), 1);
	end(&w);
}

static void what_does_not_fit_leaves_nothing(void **state)
{
	struct world w;
	struct pf_buf small;
	struct pf_err err;

	(void)state;
	begin(&w);
	put_weekly(&w);
	convert(&w);
	for (size_t max = 0; max < w.out.n; max += 37) {
		pf_buf_init(&small, max);
		pf_mapi_losses_init(&w.losses, &w.arena);
		assert_int_equal(
			pf_mapi_event_to_ical(w.item, &w.ways, &small, &w.losses, &err), PF_FAIL);
		assert_int_equal(small.n, 0);
		pf_buf_deinit(&small);
	}
	end(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_series_with_an_exception_of_the_blob),
		cmocka_unit_test(an_exception_with_an_item),
		cmocka_unit_test(files_of_an_exception),
		cmocka_unit_test(large_files_are_not_said_again),
		cmocka_unit_test(deleted_ones_and_an_end),
		cmocka_unit_test(the_zone_of_a_series),
		cmocka_unit_test(whole_days_that_recur),
		cmocka_unit_test(a_series_that_knows_no_zone),
		cmocka_unit_test(what_does_not_fit_leaves_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
