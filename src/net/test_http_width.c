/* Servers that are made of a formula: how many requests at once are found to be right for them. */
#include "base/err.h"
#include "net/http_width.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

/*
 * A server that answers `per_s` requests at the most, each after `ms` at the earliest: `answers` of
 * them, with as many in flight as may be. Returns what that came to.
 */
static size_t serve(struct http_width *w, double per_s, double ms, int answers, double *clock_ms)
{
	for (int i = 0; i < answers; i++) {
		double by_wait = ms / (double)w->now, by_work = 1000 / per_s;

		*clock_ms += by_wait > by_work ? by_wait : by_work;
		http_width_answer(w, "PUT", w->now, (int64_t)*clock_ms);
	}
	return w->now;
}

static void comes_up_while_it_pays(void **state)
{
	static const struct {
		const char *what;
		double per_s, ms;
		size_t most, want;
	} CASES[] = {
		{"far away", 10000, 100, 16, 16},
		{"far away, and no more than six are to be had", 10000, 100, 6, 6},
		{"one lock around it all", 800, 2.4, 16, 2},
		{"four at a time", 400, 10, 16, 4},
		{"seven at a time", 700, 10, 16, 8},
	};

	(void)state;
	for (size_t i = 0; i < PF_COUNT(CASES); i++) {
		struct http_width w;
		double clock_ms = 5000;

		http_width_init(&w, 2, CASES[i].most);
		assert_int_equal(w.now, 2);
		if (serve(&w, CASES[i].per_s, CASES[i].ms, 5000, &clock_ms) != CASES[i].want) {
			fail_msg("%s: %zu", CASES[i].what, w.now);
		}
	}
}

static void learns_anew_when_the_server_changes(void **state)
{
	struct http_width w;
	double clock_ms = 0;

	(void)state;
	http_width_init(&w, 2, 16);
	assert_int_equal(serve(&w, 800, 2.4, 2000, &clock_ms), 2);
	assert_int_equal(serve(&w, 10000, 100, 2000, &clock_ms), 16);
}

/* With fewer in flight than might be it is we who are slow: more of them would not show anything.
 */
static void our_own_pace_tells_nothing(void **state)
{
	struct http_width w;

	(void)state;
	http_width_init(&w, 2, 16);
	for (int ms = 0; ms < 100000; ms += 10) {
		http_width_answer(&w, "PUT", 1, ms);
	}
	assert_int_equal(w.now, 2);
}

/* They take as long as they take: a listing among the PUTs, or the read-back behind them. */
static void methods_are_not_compared(void **state)
{
	struct http_width w;
	int64_t ms = 0;

	(void)state;
	http_width_init(&w, 2, 16);
	for (int i = 0; i < 15; i++) {
		http_width_answer(&w, "PUT", 2, ms += 100);
	}
	http_width_answer(&w, "REPORT", 2, ms += 100);
	for (int i = 0; i < 15; i++) {
		http_width_answer(&w, "PUT", 2, ms += 100);
	}
	assert_int_equal(w.now, 2);
	http_width_answer(&w, "PUT", 2, ms + 100);
	http_width_answer(&w, "PUT", 2, ms + 200);
	assert_int_equal(w.now, 4);
}

static void narrows_for_good(void **state)
{
	struct http_width w;
	double clock_ms = 0;

	(void)state;
	http_width_init(&w, 2, 16);
	assert_int_equal(serve(&w, 10000, 100, 3000, &clock_ms), 16);
	http_width_narrow(&w);
	assert_int_equal(serve(&w, 10000, 100, 3000, &clock_ms), 8);
	for (int i = 0; i < 9; i++) {
		http_width_narrow(&w);
	}
	assert_int_equal(serve(&w, 10000, 100, 3000, &clock_ms), 1);
}

static void what_was_named_stays(void **state)
{
	struct http_width w;
	double clock_ms = 0;

	(void)state;
	http_width_init(&w, 5, 5);
	assert_int_equal(serve(&w, 10000, 100, 3000, &clock_ms), 5);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(comes_up_while_it_pays),
		cmocka_unit_test(learns_anew_when_the_server_changes),
		cmocka_unit_test(our_own_pace_tells_nothing),
		cmocka_unit_test(methods_are_not_compared),
		cmocka_unit_test(narrows_for_good),
		cmocka_unit_test(what_was_named_stays),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
