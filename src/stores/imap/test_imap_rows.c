/* The rows of a listing, put together: each message once, with all that was said of it. */
#include "stores/imap/imap_private.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

enum {
	FLAGS = PF_IMAP_HAS_UID | PF_IMAP_HAS_FLAGS,
	SIZE = PF_IMAP_HAS_UID | PF_IMAP_HAS_SIZE | PF_IMAP_SAID_SIZE,
	DATE = PF_IMAP_HAS_UID | PF_IMAP_HAS_DATE | PF_IMAP_SAID_DATE,
};

/* One row; returns whether a message was given out by it. */
static bool take(struct irows **rows, uint32_t uid, uint32_t has, const char *flags,
	struct pf_imap_fetch *whole)
{
	struct pf_imap_fetch row = {.uid = uid, .has = has, .date_utc_s = PF_DATE_NONE};
	struct pf_err err;
	bool given = false;

	row.flags = pf_span_str(flags);
	row.size = has & PF_IMAP_SAID_SIZE ? uid * 10 : 0;
	if (has & PF_IMAP_SAID_DATE) {
		row.date_utc_s = (int64_t)uid * 1000;
		row.zone_min = 60;
	}
	assert_int_equal(rows_take(rows, &row, whole, &given, &err), PF_OK);
	return given;
}

static void expect_whole(const struct pf_imap_fetch *f, uint32_t uid, const char *flags)
{
	assert_int_equal(f->uid, uid);
	assert_true(pf_span_eq(f->flags, pf_span_str(flags)));
	assert_int_equal(f->size, uid * 10);
	assert_int_equal(f->date_utc_s, (int64_t)uid * 1000);
	assert_int_equal(f->zone_min, 60);
}

static void whole_rows_go_by_once(void **state)
{
	struct irows *rows = NULL;
	struct pf_imap_fetch f;

	(void)state;
	for (uint32_t uid = 1; uid < 5000; uid++) {
		assert_true(take(&rows, uid * 7919, FLAGS | SIZE | DATE, "\\Seen", &f));
		expect_whole(&f, uid * 7919, "\\Seen");
	}
	for (uint32_t uid = 1; uid < 5000; uid++) {
		assert_false(take(&rows, uid * 7919, FLAGS | SIZE | DATE, "", &f));
		assert_false(take(&rows, uid * 7919, FLAGS, "\\Deleted", &f));
	}
	assert_int_equal(rows_left_count(rows, 1), 0);
	assert_false(rows_left(rows, &f));
	rows_free(&rows);
	assert_null(rows);
}

static void parts_in_any_order_make_one(void **state)
{
	static const uint32_t ORDERS[][3] = {
		{FLAGS, SIZE, DATE}, {SIZE, DATE, FLAGS}, {DATE, FLAGS, SIZE}};
	struct irows *rows = NULL;
	struct pf_imap_fetch f;

	(void)state;
	for (uint32_t k = 0; k < 3; k++) { /* all first parts, then all second ones, ... */
		for (uint32_t uid = 1; uid <= 300; uid++) {
			bool given = take(&rows, uid, ORDERS[uid % 3][k], "\\Seen key", &f);

			assert_int_equal(given, k == 2);
			if (given) {
				expect_whole(&f, uid, "\\Seen key");
			}
		}
	}
	assert_int_equal(rows_left_count(rows, 1), 0);
	rows_free(&rows);
}

static void the_last_word_counts(void **state)
{
	struct irows *rows = NULL;
	struct pf_imap_fetch f;

	(void)state;
	assert_false(take(&rows, 5, FLAGS, "\\Seen", &f));
	assert_false(take(&rows, 5, FLAGS | SIZE, "\\Seen \\Flagged", &f));
	assert_true(take(&rows, 5, DATE, "", &f));
	expect_whole(&f, 5, "\\Seen \\Flagged");
	assert_false(take(&rows, 6, FLAGS, "\\Seen", &f));
	assert_true(take(&rows, 6, FLAGS | SIZE | DATE, "", &f));
	expect_whole(&f, 6, "");
	rows_free(&rows);
}

static void what_never_is_whole_is_left(void **state)
{
	struct irows *rows = NULL;
	struct pf_imap_fetch f;

	(void)state;
	assert_false(take(&rows, 1, FLAGS, "\\Seen", &f)); /* only somebody's change */
	assert_false(take(&rows, 2, FLAGS | SIZE, "\\Seen", &f));
	assert_false(take(&rows, 3, DATE, "", &f));
	assert_true(take(&rows, 4, FLAGS | SIZE | DATE, "", &f));
	assert_int_equal(rows_left_count(rows, 1), 2);
	assert_int_equal(rows_left_count(rows, 3), 1);
	assert_true(rows_left(rows, &f));
	assert_int_equal(f.uid, 2);
	assert_int_equal(f.date_utc_s, PF_DATE_NONE);
	assert_true(pf_span_is(f.flags, "\\Seen"));
	assert_true(rows_left(rows, &f));
	assert_int_equal(f.uid, 3);
	assert_false(rows_left(rows, &f));
	rows_free(&rows);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(whole_rows_go_by_once),
		cmocka_unit_test(parts_in_any_order_make_one),
		cmocka_unit_test(the_last_word_counts),
		cmocka_unit_test(what_never_is_whole_is_left),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
