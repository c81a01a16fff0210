/*
 * What the engine relies on in any ledger. Knows nothing of SQLite but that a ledger's place is a
 * file of its own (test_world.h).
 */
#include "ledger/test_world.h"

#include <sys/stat.h>

static void add_item(struct world *w, int64_t folder, uint32_t seq)
{
	char id[16];
	struct pf_ledger_item row = {.folder = folder, .seq = seq, .size = 100, .date_utc_s = seq};

	(void)snprintf(id, sizeof(id), "%u", seq);
	row.src_id = pf_span_str(id);
	must(w, pf_ledger_item_put(w->led, &row, &w->err));
}

static void finish_item(struct world *w, int64_t folder, uint32_t seq)
{
	struct pf_digest digest = {.b = {(uint8_t)seq, 2, 3}};
	struct pf_ledger_done done = {
		folder, seq, PF_VERDICT_COPIED, pf_span_str("77"), 120, &digest};

	must(w, pf_ledger_item_done(w->led, &done, &w->err));
}

/* One letter per row that the filter lets through: its state, e.g. "PPSDR". */
static const char *states(struct world *w, int64_t folder, enum pf_item_filter filter)
{
	static char out[64];
	struct pf_ledger_cursor *c;
	struct pf_ledger_item row;
	size_t n = 0;
	int rc;

	must(w, pf_ledger_items(w->led, w->account, folder, filter, &c, &w->err));
	while ((rc = pf_ledger_items_next(c, &row, &w->err)) == PF_OK && n < sizeof(out) - 1) {
		out[n++] = "PSDRL"[row.state];
	}
	assert_int_equal(rc, PF_END);
	assert_int_equal(pf_ledger_items_next(c, &row, &w->err), PF_END);
	pf_ledger_cursor_close(&c);
	out[n] = '\0';
	return out;
}

static void assert_span(struct pf_span got, const char *want)
{
	if (!want) {
		assert_null(got.p);
		return;
	}
	assert_non_null(got.p);
	assert_true(pf_span_eq(got, pf_span_str(want)));
}

static void account_is_one_for_a_pair(void **state)
{
	struct world *w = *state;
	struct pf_ledger_cursor *c;
	struct pf_ledger_account row;
	int64_t other, again;

	must(w, pf_ledger_account(w->led, "imap://ann@old/", "imap://bob@new/", &other, &w->err));
	must(w, pf_ledger_account(w->led, "imap://ann@old/", "imap://ann@new/", &again, &w->err));
	assert_int_equal(again, w->account);
	assert_int_not_equal(other, w->account);
	must(w, pf_ledger_commit(w->led, &w->err));
	assert_false(pf_ledger_dirty(w->led));
	must(w, pf_ledger_account(w->led, "imap://ann@old/", "imap://bob@new/", &again, &w->err));
	assert_int_equal(again, other);
	assert_false(pf_ledger_dirty(w->led)); /* asking writes nothing */
	must(w, pf_ledger_accounts(w->led, &c, &w->err));
	must(w, pf_ledger_accounts_next(c, &row, &w->err));
	assert_int_equal(row.id, w->account);
	assert_span(row.from, "imap://ann@old/");
	assert_span(row.to, "imap://ann@new/");
	must(w, pf_ledger_accounts_next(c, &row, &w->err));
	assert_span(row.to, "imap://bob@new/");
	assert_int_equal(pf_ledger_accounts_next(c, &row, &w->err), PF_END);
	pf_ledger_cursor_close(&c);
}

static void passes_come_latest_first(void **state)
{
	struct world *w = *state;
	struct pf_ledger_cursor *c;
	struct pf_ledger_pass row;
	int64_t one, two;

	must(w, pf_ledger_pass_begin(w->led, w->account, 1000, &one, &w->err));
	must(w, pf_ledger_pass_end(w->led, one, 1060, 1, pf_span_str("{\"copied\":3}"), &w->err));
	must(w, pf_ledger_pass_begin(w->led, w->account, 2000, &two, &w->err));
	must(w, pf_ledger_commit(w->led, &w->err));
	must(w, pf_ledger_passes(w->led, w->account, &c, &w->err));
	must(w, pf_ledger_passes_next(c, &row, &w->err));
	assert_int_equal(row.id, two);
	assert_int_equal(row.begun_utc_s, 2000);
	assert_int_equal(row.ended_utc_s, 0);
	assert_span(row.summary, NULL);
	must(w, pf_ledger_passes_next(c, &row, &w->err));
	assert_int_equal(row.id, one);
	assert_int_equal(row.account, w->account);
	assert_int_equal(row.ended_utc_s, 1060);
	assert_int_equal(row.exit_status, 1);
	assert_span(row.summary, "{\"copied\":3}");
	assert_int_equal(pf_ledger_passes_next(c, &row, &w->err), PF_END);
	pf_ledger_cursor_close(&c);
	assert_int_equal(pf_ledger_pass_end(w->led, 99, 1, 0, pf_span(NULL, 0), &w->err), PF_FAIL);
}

static void folder_keeps_every_field(void **state)
{
	struct world *w = *state;
	struct pf_ledger_cursor *c;
	struct pf_ledger_folder got, row = {
					     .src_path = pf_span("a\0b\0", 4),
					     .dst_path = pf_span("", 0),
					     .src_id = pf_span("\xff\0x", 3),
					     .kind = PF_KIND_CALENDAR,
					     .role = PF_ROLE_JUNK,
					     .src_validity = UINT64_MAX,
					     .dst_validity = UINT64_C(1) << 63,
					     .dst_mark = 4711,
					     .src_cursor = pf_span_str("12 34"),
					     .verdict = PF_VERDICT_SKIPPED,
					     .note = pf_span_str("why"),
				     };
	int64_t id;

	must(w, pf_ledger_folder_put(w->led, w->account, &row, &w->err));
	id = row.id;
	row.dst_id = pf_span_str("INBOX.b");
	row.note = pf_span(NULL, 0);
	must(w, pf_ledger_folder_put(w->led, w->account, &row, &w->err));
	assert_int_equal(row.id, id);
	must(w, pf_ledger_commit(w->led, &w->err));
	reopen(w);
	must(w, pf_ledger_folders(w->led, w->account, &c, &w->err));
	must(w, pf_ledger_folders_next(c, &got, &w->err));
	assert_int_equal(got.id, id);
	assert_true(pf_span_eq(got.src_path, pf_span("a\0b\0", 4)));
	assert_span(got.dst_path, "");
	assert_true(pf_span_eq(got.src_id, pf_span("\xff\0x", 3)));
	assert_span(got.dst_id, "INBOX.b");
	assert_int_equal(got.kind, PF_KIND_CALENDAR);
	assert_int_equal(got.role, PF_ROLE_JUNK);
	assert_true(got.src_validity == UINT64_MAX);
	assert_true(got.dst_validity == UINT64_C(1) << 63);
	assert_int_equal(got.dst_mark, 4711);
	assert_span(got.src_cursor, "12 34");
	assert_int_equal(got.verdict, PF_VERDICT_SKIPPED);
	assert_span(got.note, NULL);
	assert_int_equal(pf_ledger_folders_next(c, &got, &w->err), PF_END);
	pf_ledger_cursor_close(&c);
}

static void item_keeps_every_field(void **state)
{
	struct world *w = *state;
	struct pf_ledger_cursor *c;
	struct pf_ledger_item got,
		row = {
			.folder = new_folder(w, "INBOX"),
			.seq = UINT32_MAX,
			.src_id = pf_span("4294967295", 10),
			.dst_id = pf_span("", 0),
			.state = PF_ROW_REFUSED,
			.verdict = PF_VERDICT_QUARANTINED,
			.size = UINT64_MAX,
			.date_utc_s = PF_DATE_NONE,
			.zone_min = -720,
			.flags = {PF_FLAG_SEEN | PF_FLAG_DRAFT, pf_span_str("$Forwarded x")},
			.has_digest = true,
			.digest = {.b = {1, 2, 3}},
			.attempts = 3,
			.note = pf_span_str("NO [LIMIT] too large"),
		};

	must(w, pf_ledger_item_put(w->led, &row, &w->err));
	must(w, pf_ledger_commit(w->led, &w->err));
	reopen(w);
	must(w, pf_ledger_items(w->led, w->account, row.folder, PF_ITEMS_ALL, &c, &w->err));
	must(w, pf_ledger_items_next(c, &got, &w->err));
	assert_int_equal(got.folder, row.folder);
	assert_int_equal(got.seq, UINT32_MAX);
	assert_span(got.src_id, "4294967295");
	assert_span(got.dst_id, "");
	assert_int_equal(got.state, PF_ROW_REFUSED);
	assert_int_equal(got.verdict, PF_VERDICT_QUARANTINED);
	assert_true(got.size == UINT64_MAX);
	assert_true(got.date_utc_s == PF_DATE_NONE);
	assert_int_equal(got.zone_min, -720);
	assert_int_equal(got.flags.sys, PF_FLAG_SEEN | PF_FLAG_DRAFT);
	assert_span(got.flags.kw, "$Forwarded x");
	assert_true(got.has_digest && pf_digest_eq(&got.digest, &row.digest));
	assert_int_equal(got.attempts, 3);
	assert_span(got.note, "NO [LIMIT] too large");
	pf_ledger_cursor_close(&c);
}

static void row_goes_planned_sent_done(void **state)
{
	struct world *w = *state;
	struct pf_ledger_cursor *c;
	struct pf_ledger_item row;
	int64_t one = new_folder(w, "one"), two = new_folder(w, "two");

	for (uint32_t seq = 1; seq <= 6; seq++) {
		add_item(w, one, seq);
		add_item(w, two, seq);
	}
	must(w, pf_ledger_items_sent(w->led, one, 2, 4, &w->err));
	assert_string_equal(states(w, one, PF_ITEMS_ALL), "PSSSPP");
	finish_item(w, one, 3);
	must(w, pf_ledger_items_sent(w->led, one, 1, 4, &w->err));
	assert_string_equal(states(w, one, PF_ITEMS_ALL), "SSDSPP"); /* DONE is never sent again */
	assert_string_equal(states(w, two, PF_ITEMS_ALL), "PPPPPP");
	must(w, pf_ledger_items(w->led, w->account, one, PF_ITEMS_ALL, &c, &w->err));
	for (int i = 0; i < 3; i++) {
		must(w, pf_ledger_items_next(c, &row, &w->err));
	}
	assert_int_equal(row.seq, 3);
	assert_int_equal(row.verdict, PF_VERDICT_COPIED);
	assert_span(row.src_id, "3");
	assert_span(row.dst_id, "77");
	assert_int_equal(row.size, 120);
	assert_int_equal(row.date_utc_s, 3);
	assert_true(row.has_digest && row.digest.b[0] == 3);
	pf_ledger_cursor_close(&c);
	must(w, pf_ledger_items_drop(w->led, one, &w->err));
	assert_string_equal(states(w, one, PF_ITEMS_ALL), "");
	assert_string_equal(states(w, two, PF_ITEMS_ALL), "PPPPPP");
}

static void what_is_not_there_is_said(void **state)
{
	struct world *w = *state;
	struct pf_digest digest = {{0}};
	struct pf_ledger_done done = {
		new_folder(w, "f"), 9, PF_VERDICT_COPIED, pf_span(NULL, 0), 1, &digest};
	struct pf_ledger_folder folder = {.id = 99, .kind = PF_KIND_MAIL};

	assert_int_equal(pf_ledger_item_done(w->led, &done, &w->err), PF_FAIL);
	assert_non_null(strstr(w->err.text, "not there"));
	done.folder = -1;
	assert_int_equal(pf_ledger_item_done(w->led, &done, &w->err), PF_FAIL);
	assert_int_equal(pf_ledger_folder_put(w->led, w->account, &folder, &w->err), PF_FAIL);
	add_item(w, new_folder(w, "g"), 1); /* the ledger goes on */
	must(w, pf_ledger_commit(w->led, &w->err));
}

static void filters_let_the_right_rows_through(void **state)
{
	struct world *w = *state;
	int64_t folder = new_folder(w, "f"), other = new_folder(w, "g");
	struct pf_ledger_item row = {.folder = folder, .src_id = pf_span_str("1")};

	add_item(w, folder, 1);
	add_item(w, folder, 2);
	must(w, pf_ledger_items_sent(w->led, folder, 2, 2, &w->err));
	add_item(w, folder, 3);
	finish_item(w, folder, 3);
	row.seq = 4;
	row.state = PF_ROW_REFUSED;
	row.verdict = PF_VERDICT_QUARANTINED;
	row.note = pf_span_str("NO");
	must(w, pf_ledger_item_put(w->led, &row, &w->err));
	row.seq = 5;
	row.state = PF_ROW_DONE;
	row.verdict = PF_VERDICT_SKIPPED;
	row.note = pf_span_str("--max-size");
	must(w, pf_ledger_item_put(w->led, &row, &w->err));
	row.seq = 6;
	row.state = PF_ROW_LEFT;
	row.verdict = PF_VERDICT_COPIED;
	row.note = pf_span(NULL, 0);
	must(w, pf_ledger_item_put(w->led, &row, &w->err));
	add_item(w, other, 1);
	assert_string_equal(states(w, folder, PF_ITEMS_ALL), "PSDRDL");
	assert_string_equal(states(w, folder, PF_ITEMS_OPEN), "PS");
	assert_string_equal(states(w, folder, PF_ITEMS_SENT), "S");
	assert_string_equal(states(w, folder, PF_ITEMS_MISSED), "PSR");
	assert_string_equal(states(w, folder, PF_ITEMS_WITH_NOTE), "RD");
	assert_string_equal(states(w, 0, PF_ITEMS_ALL), "PSDRDLP");
	assert_string_equal(states(w, 0, PF_ITEMS_OPEN), "PSP");
	assert_string_equal(states(w, 0, PF_ITEMS_SENT), "S");
	assert_string_equal(states(w, 0, PF_ITEMS_MISSED), "PSRP");
	assert_string_equal(states(w, 0, PF_ITEMS_WITH_NOTE), "RD");
}

static void an_item_is_named_where_it_is_reported(void **state)
{
	struct world *w = *state;
	int64_t folder = new_folder(w, "f");
	struct pf_ledger_about about = {.subject = pf_span_str("old")};
	struct pf_ledger_cursor *c;
	struct pf_ledger_item row;

	add_item(w, folder, 1);
	add_item(w, folder, 2);
	must(w, pf_ledger_item_about(w->led, folder, 1, &about, &w->err));
	about = (struct pf_ledger_about){pf_span_str("<1@x>"), pf_span_str("Ann"), pf_span("", 0)};
	must(w, pf_ledger_item_about(w->led, folder, 1, &about, &w->err));
	for (int of_all = 0; of_all < 2; of_all++) {
		must(w, pf_ledger_items(w->led, w->account, of_all ? 0 : folder, PF_ITEMS_MISSED,
				&c, &w->err));
		must(w, pf_ledger_items_next(c, &row, &w->err));
		assert_true(pf_span_eq(row.about.message_id, pf_span_str("<1@x>")));
		assert_true(pf_span_eq(row.about.from, pf_span_str("Ann")));
		assert_true(row.about.subject.p && row.about.subject.n == 0);
		must(w, pf_ledger_items_next(c, &row, &w->err));
		assert_true(!row.about.message_id.p && !row.about.from.p && !row.about.subject.p);
		pf_ledger_cursor_close(&c);
	}
	must(w, pf_ledger_items_drop(w->led, folder, &w->err));
	add_item(w, folder, 1);
	must(w, pf_ledger_items(w->led, w->account, folder, PF_ITEMS_MISSED, &c, &w->err));
	must(w, pf_ledger_items_next(c, &row, &w->err));
	assert_null(row.about.message_id.p); /* of the item that was there before */
	pf_ledger_cursor_close(&c);
}

/* Whatever may change the sums is counted, and what can't is not. */
static void writes_of_items_are_counted(void **state)
{
	struct world *w = *state;
	int64_t folder = new_folder(w, "one");
	struct pf_ledger_event ev = {.account = w->account, .number = 1};
	uint64_t n = pf_ledger_item_writes(w->led);

	add_item(w, folder, 1);
	assert_int_equal(pf_ledger_item_writes(w->led), n + 1);
	must(w, pf_ledger_items_sent(w->led, folder, 1, 1, &w->err));
	assert_int_equal(pf_ledger_item_writes(w->led), n + 2);
	finish_item(w, folder, 1);
	assert_int_equal(pf_ledger_item_writes(w->led), n + 3);
	must(w, pf_ledger_event_add(w->led, &ev, &w->err));
	new_folder(w, "two");
	must(w, pf_ledger_commit(w->led, &w->err));
	assert_int_equal(pf_ledger_item_writes(w->led), n + 3);
	must(w, pf_ledger_items_drop(w->led, folder, &w->err));
	assert_int_equal(pf_ledger_item_writes(w->led), n + 4);
}

static void sums_add_up_per_folder(void **state)
{
	struct world *w = *state;
	int64_t one = new_folder(w, "one"), empty = new_folder(w, "empty"),
		two = new_folder(w, "two");
	struct pf_ledger_item huge = {
		.folder = two, .src_id = pf_span_str("x"), .size = UINT64_MAX - 1};
	struct pf_ledger_cursor *c;
	struct pf_ledger_sums s;

	for (uint32_t seq = 1; seq <= 4; seq++) {
		add_item(w, one, seq);
	}
	must(w, pf_ledger_items_sent(w->led, one, 1, 2, &w->err));
	finish_item(w, one, 1);
	for (huge.seq = 1; huge.seq <= 3; huge.seq++) {
		must(w, pf_ledger_item_put(w->led, &huge, &w->err));
	}
	must(w, pf_ledger_sums(w->led, w->account, &c, &w->err));
	must(w, pf_ledger_sums_next(c, &s, &w->err));
	assert_int_equal(s.folder, one);
	assert_int_equal(s.items[PF_VERDICT_NONE], 3);
	assert_int_equal(s.bytes[PF_VERDICT_NONE], 300);
	assert_int_equal(s.items[PF_VERDICT_COPIED], 1);
	assert_int_equal(s.bytes[PF_VERDICT_COPIED], 120);
	assert_int_equal(s.in_doubt, 1);
	must(w, pf_ledger_sums_next(c, &s, &w->err));
	assert_int_equal(s.folder, empty);
	assert_int_equal(s.items[PF_VERDICT_NONE], 0);
	must(w, pf_ledger_sums_next(c, &s, &w->err));
	assert_int_equal(s.folder, two);
	assert_int_equal(s.items[PF_VERDICT_NONE], 3);
	assert_true(s.bytes[PF_VERDICT_NONE] == UINT64_MAX); /* a server's lies don't overflow */
	assert_int_equal(pf_ledger_sums_next(c, &s, &w->err), PF_END);
	pf_ledger_cursor_close(&c);
}

static void keyed_rows_come_back_as_they_were(void **state)
{
	struct world *w = *state;
	int64_t folder = new_folder(w, "calendar"), other = new_folder(w, "other");
	struct pf_ledger_keyed row = {.folder = folder,
		.src_version = pf_span_str("\"e1\""),
		.src_uid = pf_span_str("u"),
		.dst_uid = pf_span("", 0),
		.codec_version = 7,
		.has_raw = true,
		.raw = {{1, 2, 3}}};
	struct pf_ledger_keyed got;
	struct pf_ledger_cursor *c;

	for (row.seq = 1; row.seq <= 3; row.seq++) {
		must(w, pf_ledger_keyed_put(w->led, &row, &w->err));
	}
	row.seq = 2;
	row.src_version = pf_span_str("\"e2\""); /* the later one counts */
	must(w, pf_ledger_keyed_put(w->led, &row, &w->err));
	row.folder = other;
	must(w, pf_ledger_keyed_put(w->led, &row, &w->err));
	must(w, pf_ledger_keyed(w->led, folder, &c, &w->err));
	for (uint32_t seq = 1; seq <= 3; seq++) {
		must(w, pf_ledger_keyed_next(c, &got, &w->err));
		assert_int_equal(got.seq, seq);
		assert_true(
			pf_span_eq(got.src_version, pf_span_str(seq == 2 ? "\"e2\"" : "\"e1\"")));
		assert_null(got.dst_version.p);
		assert_true(got.dst_uid.p && got.dst_uid.n == 0);
		assert_int_equal(got.codec_version, 7);
		assert_true(got.has_raw && got.raw.b[1] == 2);
	}
	assert_int_equal(pf_ledger_keyed_next(c, &got, &w->err), PF_END);
	pf_ledger_cursor_close(&c);
	must(w, pf_ledger_items_drop(w->led, folder, &w->err));
	must(w, pf_ledger_keyed(w->led, folder, &c, &w->err));
	assert_int_equal(pf_ledger_keyed_next(c, &got, &w->err), PF_END);
	pf_ledger_cursor_close(&c);
}

static void traffic_adds_up_by_the_hour(void **state)
{
	static const struct pf_ledger_traffic MOVED[] = {{"imap://a@x/", false, 100, 5},
		{"imap://a@x/", false, 100, 7}, {"imap://a@x/", true, 100, 50},
		{"imap://b@x/", false, 100, 500}, {"imap://a@x/", false, 102, 1ull << 40},
		{"imap://a@x/", false, 103, 9000}, {"imap://a@x/", false, 98, 90000}};
	static const uint64_t DOWN[] = {0, 12, 0, 1ull << 40}, UP[] = {0, 50, 0, 0};
	struct world *w = *state;
	struct pf_ledger_traffic of = {.store = "imap://a@x/", .hour = 99};
	uint64_t got[4];

	for (size_t i = 0; i < PF_COUNT(MOVED); i++) {
		must(w, pf_ledger_traffic_add(w->led, &MOVED[i], &w->err));
	}
	must(w, pf_ledger_commit(w->led, &w->err));
	reopen(w);
	must(w, pf_ledger_traffic(w->led, &of, got, 4, &w->err));
	assert_memory_equal(got, DOWN, sizeof(got));
	of.up = true;
	must(w, pf_ledger_traffic(w->led, &of, got, 4, &w->err));
	assert_memory_equal(got, UP, sizeof(got));
}

static void events_are_kept_in_order(void **state)
{
	struct world *w = *state;
	static uint8_t raw[10000];
	struct pf_ledger_event got, ev = {
					    .account = w->account,
					    .at_utc_s = 5,
					    .number = PF_EV_UNREADABLE_RESPONSE,
					    .folder = pf_span_str("INBOX"),
					    .text = pf_span_str("first"),
					    .raw = pf_span(raw, sizeof(raw)),
				    };
	struct pf_ledger_cursor *c;

	must(w, pf_ledger_event_add(w->led, &ev, &w->err));
	ev = (struct pf_ledger_event){.number = PF_EV_INTERRUPTED, .text = pf_span_str("run")};
	must(w, pf_ledger_event_add(w->led, &ev, &w->err));
	ev = (struct pf_ledger_event){
		.account = w->account, .number = 12001, .item = pf_span_str("7")};
	must(w, pf_ledger_event_add(w->led, &ev, &w->err));
	must(w, pf_ledger_events(w->led, 0, 0, &c, &w->err));
	must(w, pf_ledger_events_next(c, &got, &w->err));
	assert_int_equal(got.number, PF_EV_UNREADABLE_RESPONSE);
	assert_int_equal(got.at_utc_s, 5);
	assert_span(got.folder, "INBOX");
	assert_span(got.item, NULL);
	assert_span(got.text, "first");
	assert_int_equal(got.raw.n, 4096);
	must(w, pf_ledger_events_next(c, &got, &w->err));
	assert_int_equal(got.account, 0);
	ev.id = got.id;
	must(w, pf_ledger_events_next(c, &got, &w->err));
	assert_int_equal(pf_ledger_events_next(c, &got, &w->err), PF_END);
	pf_ledger_cursor_close(&c);
	must(w, pf_ledger_events(w->led, w->account, ev.id, &c, &w->err));
	must(w, pf_ledger_events_next(c, &got, &w->err));
	assert_span(got.item, "7");
	assert_int_equal(pf_ledger_events_next(c, &got, &w->err), PF_END);
	pf_ledger_cursor_close(&c);
}

static void only_commits_are_durable(void **state)
{
	struct world *w = *state;
	int64_t folder = new_folder(w, "f");
	uint64_t before;

	add_item(w, folder, 1);
	assert_true(pf_ledger_dirty(w->led));
	before = pf_ledger_commits(w->led);
	must(w, pf_ledger_commit(w->led, &w->err));
	assert_int_equal(pf_ledger_commits(w->led), before + 1);
	assert_false(pf_ledger_dirty(w->led));
	must(w, pf_ledger_commit(w->led, &w->err));
	assert_int_equal(pf_ledger_commits(w->led), before + 1); /* nothing to write */
	add_item(w, folder, 2);
	must(w, pf_ledger_items_sent(w->led, folder, 1, 1, &w->err));
	reopen(w);
	assert_string_equal(states(w, folder, PF_ITEMS_ALL), "P");
}

static void cursor_stays_right_while_rows_change(void **state)
{
	struct world *w = *state;
	int64_t folder = new_folder(w, "f");
	struct pf_ledger_cursor *c, *second;
	struct pf_ledger_item row, other;
	uint32_t seen = 0;

	for (uint32_t seq = 1; seq <= 500; seq++) {
		add_item(w, folder, seq);
	}
	must(w, pf_ledger_items(w->led, w->account, folder, PF_ITEMS_OPEN, &c, &w->err));
	while (pf_ledger_items_next(c, &row, &w->err) == PF_OK) {
		assert_int_equal(row.seq, ++seen);
		assert_int_equal(row.state, PF_ROW_PLANNED);
		finish_item(w, folder, row.seq);
		if (seen % 100 == 0) {
			must(w, pf_ledger_commit(w->led, &w->err));
			must(w, pf_ledger_items(w->led, w->account, folder, PF_ITEMS_OPEN, &second,
					&w->err));
			if (seen < 500) {
				must(w, pf_ledger_items_next(second, &other, &w->err));
				assert_int_equal(other.seq, seen + 1);
			} else {
				assert_int_equal(
					pf_ledger_items_next(second, &other, &w->err), PF_END);
			}
			pf_ledger_cursor_close(&second);
		}
	}
	assert_int_equal(seen, 500);
	pf_ledger_cursor_close(&c);
	assert_string_equal(states(w, folder, PF_ITEMS_OPEN), "");
}

static int try_to_write(struct world *w)
{
	struct pf_ledger *led = NULL;
	char pid[32];

	(void)snprintf(pid, sizeof(pid), "process %ld on host ", (long)getppid());
	if (pf_ledger_open(w->where, PF_LEDGER_WRITE, &led, &w->err) != PF_FAIL) {
		return 1;
	}
	return strstr(w->err.text, pid) && strstr(w->err.text, "since 20") ? 0 : 2;
}

static void second_writer_is_told_who_holds_it(void **state)
{
	struct world *w = *state;

	assert_int_equal(in_child(try_to_write, w), 0);
	add_item(w, new_folder(w, "f"), 1);
	must(w, pf_ledger_commit(w->led, &w->err)); /* the refused one did no harm */
}

static void one_ledger_has_one_holder_under_any_name(void **state)
{
	struct world *w = *state;
	struct pf_ledger *led;
	char link[160];

	(void)snprintf(link, sizeof(link), "%s/link", w->dir);
	assert_int_equal(symlink(w->where, link), 0);
	assert_int_equal(pf_ledger_open(link, PF_LEDGER_WRITE, &led, &w->err), PF_FAIL);
	assert_non_null(strstr(w->err.text, "held"));
	assert_int_equal(chdir(w->dir), 0);
	must(w, pf_ledger_open("here", PF_LEDGER_WRITE, &led, &w->err));
	pf_ledger_close(&led);
	must(w, pf_ledger_open("here", PF_LEDGER_READ, &led, &w->err));
	pf_ledger_close(&led);
	assert_int_equal(chdir("/"), 0);
}

static int die_holding_it(struct world *w)
{
	return pf_ledger_open(w->where, PF_LEDGER_WRITE, &w->led, &w->err) == PF_OK ? 0 : 1;
}

static void holder_that_died_is_no_obstacle(void **state)
{
	struct world *w = *state;

	pf_ledger_close(&w->led);
	assert_int_equal(in_child(die_holding_it, w), 0);
	open_world(w);
}

/* Its item rows as another process counts them. */
static int count_items(struct world *w)
{
	struct pf_ledger *led = NULL;
	struct pf_ledger_cursor *c = NULL;
	struct pf_ledger_item row;
	int n = 0;

	if (pf_ledger_open(w->where, PF_LEDGER_READ, &led, &w->err) != PF_OK ||
		pf_ledger_items(led, w->account, 0, PF_ITEMS_ALL, &c, &w->err) != PF_OK) {
		return 99;
	}
	while (pf_ledger_items_next(c, &row, &w->err) == PF_OK) {
		n++;
	}
	pf_ledger_cursor_close(&c);
	if (pf_ledger_items_drop(led, row.folder, &w->err) != PF_FAIL) {
		return 98;
	}
	pf_ledger_close(&led);
	return n;
}

static void readers_see_the_last_commit(void **state)
{
	struct world *w = *state;
	int64_t folder = new_folder(w, "f");

	add_item(w, folder, 1);
	must(w, pf_ledger_commit(w->led, &w->err));
	add_item(w, folder, 2);
	assert_int_equal(in_child(count_items, w), 1);
	must(w, pf_ledger_commit(w->led, &w->err));
	assert_int_equal(in_child(count_items, w), 2);
	pf_ledger_close(&w->led);
	assert_int_equal(in_child(count_items, w), 2); /* nobody else has it open */
}

static void reader_and_writer_do_not_wait_for_each_other(void **state)
{
	struct world *w = *state;
	int64_t folder = new_folder(w, "f");
	struct pf_ledger *reader;
	struct pf_ledger_cursor *c;
	struct pf_ledger_item row;

	for (uint32_t seq = 1; seq <= 3; seq++) {
		add_item(w, folder, seq);
	}
	must(w, pf_ledger_commit(w->led, &w->err));
	must(w, pf_ledger_open(w->where, PF_LEDGER_READ, &reader, &w->err));
	must(w, pf_ledger_items(reader, w->account, 0, PF_ITEMS_ALL, &c, &w->err));
	must(w, pf_ledger_items_next(c, &row, &w->err));
	for (uint32_t seq = 4; seq <= 200; seq++) {
		add_item(w, folder, seq);
		must(w, pf_ledger_commit(w->led, &w->err));
	}
	must(w, pf_ledger_items_next(c, &row, &w->err));
	must(w, pf_ledger_items_next(c, &row, &w->err));
	assert_int_equal(row.seq, 3);
	assert_int_equal(pf_ledger_items_next(c, &row, &w->err), PF_END); /* its moment, whole */
	pf_ledger_cursor_close(&c);
	pf_ledger_close(&reader);
}

static void reading_makes_no_ledger(void **state)
{
	struct world *w = *state;
	struct pf_ledger *led;
	struct stat st;
	char where[160];

	(void)snprintf(where, sizeof(where), "%s/not/there", w->dir);
	assert_int_equal(pf_ledger_open(where, PF_LEDGER_READ, &led, &w->err), PF_FAIL);
	assert_int_equal(w->err.scope, PF_SCOPE_RUN);
	assert_non_null(strstr(w->err.text, where));
	assert_null(led);
	(void)snprintf(where, sizeof(where), "%s/not", w->dir);
	assert_int_equal(stat(where, &st), -1);
}

static void default_path_is_readable_and_unique(void **state)
{
	struct world *w = *state;
	char *a, *b, *c;

	assert_int_equal(setenv("XDG_STATE_HOME", "/x/state", 1), 0);
	must(w, pf_ledger_default_path(
			"imap://ann%40x.org@old:1143/", "imap://ann@new/", &a, &w->err));
	must(w, pf_ledger_default_path(
			"imap://ann%40x.org@old:1144/", "imap://ann@new/", &b, &w->err));
	assert_non_null(strstr(a, "/x/state/postferry/ann@x.org@old-1143-to-ann@new-"));
	assert_string_not_equal(a, b);
	must(w, pf_ledger_default_path(
			"maildir:/home/../.x y\n\xff", "imap://a%2f..%2fb@h/", &c, &w->err));
	assert_null(strchr(c + strlen("/x/state/postferry/"), '/'));
	assert_null(strstr(c, "\n"));
	free(a);
	free(b);
	free(c);
	assert_int_equal(setenv("XDG_STATE_HOME", "relative", 1), 0);
	assert_int_equal(setenv("HOME", "/home/ann", 1), 0);
	must(w, pf_ledger_default_path("mem:a", "mem:b", &a, &w->err));
	assert_int_equal(strncmp(a, "/home/ann/.local/state/postferry/mem-a-to-mem-b-", 48), 0);
	free(a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		OPEN_CASE(account_is_one_for_a_pair),
		OPEN_CASE(passes_come_latest_first),
		OPEN_CASE(folder_keeps_every_field),
		OPEN_CASE(item_keeps_every_field),
		OPEN_CASE(row_goes_planned_sent_done),
		OPEN_CASE(what_is_not_there_is_said),
		OPEN_CASE(filters_let_the_right_rows_through),
		OPEN_CASE(an_item_is_named_where_it_is_reported),
		OPEN_CASE(writes_of_items_are_counted),
		OPEN_CASE(sums_add_up_per_folder),
		OPEN_CASE(keyed_rows_come_back_as_they_were),
		OPEN_CASE(traffic_adds_up_by_the_hour),
		OPEN_CASE(events_are_kept_in_order),
		OPEN_CASE(only_commits_are_durable),
		OPEN_CASE(cursor_stays_right_while_rows_change),
		OPEN_CASE(second_writer_is_told_who_holds_it),
		OPEN_CASE(one_ledger_has_one_holder_under_any_name),
		OPEN_CASE(holder_that_died_is_no_obstacle),
		OPEN_CASE(readers_see_the_last_commit),
		OPEN_CASE(reader_and_writer_do_not_wait_for_each_other),
		OPEN_CASE(reading_makes_no_ledger),
		OPEN_CASE(default_path_is_readable_and_unique),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
