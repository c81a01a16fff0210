/* When a link counts as slow: no clock is asked, so each case says what time it is. */
#include "stores/imap/imap_private.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

enum { STEP = 64 << 10, MIB = 1 << 20 };

/* A MiB in 16 steps, and before each of them so long a wait; whether it was slow. */
static bool move_one(struct ipace *p, int64_t wait_ms, int64_t *now)
{
	bool slow = false;

	for (size_t n = 0; n < MIB; n += STEP) {
		assert_false(pace_is_slow(p, 0, *now));
		*now += wait_ms / 2;
		assert_false(pace_is_slow(p, 0, *now)); /* looked again, and still nothing */
		*now += wait_ms - wait_ms / 2;
		slow = pace_is_slow(p, STEP, *now) || slow;
	}
	return slow;
}

static void slow_is_what_is_waited_for(void **state)
{
	struct ipace p = {0};
	int64_t now = 0;

	(void)state;
	assert_true(move_one(&p, 40, &now)); /* 640 ms a MiB */
	assert_true(move_one(&p, 40, &now));
	assert_false(move_one(&p, 30, &now)); /* 480 ms */
	assert_false(move_one(&p, 0, &now));
	now += 100000; /* nobody looked: that was not the link */
	assert_false(pace_is_slow(&p, MIB, now));
}

static void idle_time_does_not_count(void **state)
{
	struct ipace p = {0};

	(void)state;
	assert_false(pace_is_slow(&p, 0, 1000));
	assert_false(pace_is_slow(&p, 100, 900000)); /* a command, after a long time without any */
	assert_false(pace_is_slow(&p, 0, 900000));
	assert_false(pace_is_slow(&p, MIB, 900400));
	assert_false(pace_is_slow(&p, 0, 900400));
	p.block = 0; /* all was answered */
	assert_false(pace_is_slow(&p, MIB, 999999));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(slow_is_what_is_waited_for),
		cmocka_unit_test(idle_time_does_not_count),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
