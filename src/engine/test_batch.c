/* Who may begin: limits hold, nobody is forgotten, nobody is tried for ever. Time is a number here.
 */
#include "engine/batch.h"

#include "model/event.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

enum { MOST = 10000 };

struct scene {
	struct pf_batch *b;
	struct pf_err err;
	int64_t now;
	size_t servers, logins, accounts;
};

static struct scene begin(size_t alive, unsigned int tries)
{
	const struct pf_batch_cfg cfg = {alive, tries};
	struct scene s = {.now = 1000};

	assert_int_equal(pf_batch_new(&cfg, &s.b, &s.err), PF_OK);
	return s;
}

static size_t server(struct scene *s, size_t limit)
{
	assert_int_equal(pf_batch_add_server(s->b, limit, &s->err), PF_OK);
	return s->servers++;
}

static size_t login(struct scene *s)
{
	assert_int_equal(pf_batch_add_login(s->b, &s->err), PF_OK);
	return s->logins++;
}

static size_t account(struct scene *s, size_t from, size_t to, size_t connections)
{
	const struct pf_batch_account a = {
		{from, to}, {PF_BATCH_NONE, PF_BATCH_NONE}, {connections, connections}};

	assert_int_equal(pf_batch_add(s->b, &a, &s->err), PF_OK);
	return s->accounts++;
}

/* The number of the account that begins; -1: none now; -2: all are over; -3: given up. */
static long next(struct scene *s, int64_t *wake_ms)
{
	struct pf_batch_turn t;

	*wake_ms = INT64_MAX;
	switch (pf_batch_next(s->b, s->now, &t, wake_ms)) {
	case PF_OK:
		return t.give_up ? -3 : (long)t.account;
	case PF_AGAIN:
		return -1;
	default:
		return -2;
	}
}

static long go(struct scene *s)
{
	int64_t ignored;

	return next(s, &ignored);
}

static void complete(struct scene *s, long account_no)
{
	const struct pf_batch_end end = {.opened = {true, true}, .complete = true};
	int64_t pause;

	assert_true(pf_batch_ended(s->b, (size_t)account_no, &end, s->now, &pause));
}

/* Whether it is over. */
static bool failed(struct scene *s, long account_no, bool opened, enum pf_retry retry, int number,
	int64_t *pause)
{
	struct pf_err why = {.scope = PF_SCOPE_SESSION, .retry = retry, .number = number};
	const struct pf_batch_end end = {.opened = {true, opened}, .at_target = true, .why = &why};

	(void)snprintf(why.text, sizeof(why.text), "no way in");
	return pf_batch_ended(s->b, (size_t)account_no, &end, s->now, pause);
}

static void test_order_and_limit(void **state)
{
	struct scene s = begin(100, 3);
	size_t a = server(&s, 2), b = server(&s, 3);

	(void)state;
	for (int i = 0; i < 5; i++) {
		(void)account(&s, a, b, 1);
	}
	assert_int_equal(go(&s), 0);
	assert_int_equal(go(&s), 1);
	assert_int_equal(go(&s), -1); /* the source bears no third */
	complete(&s, 1);
	assert_int_equal(go(&s), 2);
	complete(&s, 0);
	complete(&s, 2);
	assert_int_equal(go(&s), 3);
	assert_int_equal(go(&s), 4);
	complete(&s, 3);
	assert_int_equal(go(&s), -1);
	complete(&s, 4);
	assert_int_equal(go(&s), -2);
	pf_batch_free(&s.b);
}

static void test_one_too_big_for_the_limit_goes_alone(void **state)
{
	struct scene s = begin(100, 3);
	size_t a = server(&s, 2);

	(void)state;
	(void)account(&s, a, PF_BATCH_NONE, 5);
	(void)account(&s, a, PF_BATCH_NONE, 5);
	assert_int_equal(go(&s), 0);
	assert_int_equal(go(&s), -1);
	complete(&s, 0);
	assert_int_equal(go(&s), 1);
	pf_batch_free(&s.b);
}

static void test_both_sides_on_one_server(void **state)
{
	struct scene s = begin(100, 3);
	size_t a = server(&s, 3);

	(void)state;
	(void)account(&s, a, a, 1);
	(void)account(&s, a, a, 1);
	assert_int_equal(go(&s), 0);
	assert_int_equal(go(&s), -1); /* two and two are more than three */
	complete(&s, 0);
	assert_int_equal(go(&s), 1);
	pf_batch_free(&s.b);
}

static void test_a_full_server_stops_no_other(void **state)
{
	struct scene s = begin(100, 3);
	size_t full = server(&s, 1), idle = server(&s, 5);

	(void)state;
	(void)account(&s, full, PF_BATCH_NONE, 1);
	(void)account(&s, full, PF_BATCH_NONE, 1);
	(void)account(&s, idle, PF_BATCH_NONE, 1);
	(void)account(&s, PF_BATCH_NONE, PF_BATCH_NONE, 1);
	assert_int_equal(go(&s), 0);
	assert_int_equal(go(&s), 2);
	assert_int_equal(go(&s), 3);
	assert_int_equal(go(&s), -1);
	pf_batch_free(&s.b);
}

static void test_alive_max(void **state)
{
	struct scene s = begin(2, 3);

	(void)state;
	for (int i = 0; i < 3; i++) {
		(void)account(&s, PF_BATCH_NONE, PF_BATCH_NONE, 1);
	}
	assert_int_equal(go(&s), 0);
	assert_int_equal(go(&s), 1);
	assert_int_equal(go(&s), -1);
	complete(&s, 1);
	assert_int_equal(go(&s), 2);
	pf_batch_free(&s.b);
}

static void test_cut_off_comes_again_with_growing_pauses_and_not_for_ever(void **state)
{
	struct scene s = begin(9, 4);
	size_t a = server(&s, 9);
	int64_t last = 0, pause = 0, wake;
	int tries = 0;

	(void)state;
	(void)account(&s, a, a, 1);
	for (;;) {
		assert_int_equal(go(&s), 0);
		tries++;
		if (failed(&s, 0, true, PF_RETRY_LATER, 0, &pause)) {
			break;
		}
		assert_true(pause > last);
		last = pause;
		assert_int_equal(next(&s, &wake), -1);
		assert_int_equal(wake, s.now + pause);
		s.now += pause;
	}
	assert_int_equal(tries, 4);
	assert_int_equal(go(&s), -2);
	pf_batch_free(&s.b);
}

static void test_one_that_gets_somewhere_may_go_on(void **state)
{
	struct scene s = begin(9, 2);
	struct pf_err why = {.scope = PF_SCOPE_SESSION, .retry = PF_RETRY_LATER};
	const struct pf_batch_end end = {.opened = {true, true}, .progressed = true, .why = &why};
	int64_t pause;

	(void)state;
	(void)account(&s, PF_BATCH_NONE, PF_BATCH_NONE, 1);
	for (int i = 0; i < 20; i++) {
		assert_int_equal(go(&s), 0);
		assert_false(pf_batch_ended(s.b, 0, &end, s.now, &pause));
		s.now += pause;
	}
	pf_batch_free(&s.b);
}

static void test_refused_sign_in_is_tried_once(void **state)
{
	struct scene s = begin(9, 5);
	size_t a = server(&s, 9);
	int64_t pause;

	(void)state;
	(void)account(&s, a, a, 1);
	(void)account(&s, a, a, 1);
	assert_int_equal(go(&s), 0);
	assert_true(failed(&s, 0, false, PF_RETRY_NO, 0, &pause));
	assert_int_equal(go(&s), 1); /* it is his password alone */
	complete(&s, 1);
	assert_int_equal(go(&s), -2);
	pf_batch_free(&s.b);
}

static void test_servers_wish_is_heard(void **state)
{
	struct scene s = begin(9, 5);
	struct pf_err why = {
		.scope = PF_SCOPE_SESSION, .retry = PF_RETRY_LATER, .retry_after_s = 300};
	const struct pf_batch_end end = {.opened = {true, true}, .why = &why};
	int64_t pause;

	(void)state;
	(void)account(&s, PF_BATCH_NONE, PF_BATCH_NONE, 1);
	assert_int_equal(go(&s), 0);
	assert_false(pf_batch_ended(s.b, 0, &end, s.now, &pause));
	assert_int_equal(pause, 300000);
	pf_batch_free(&s.b);
}

/* Administrators are locked out by what is no harm to a single user. */
/* Neither is it held against the account, nor is the wait cut short; who will not wait is told. */
static void test_a_day_that_is_used_up_is_waited_for(void **state)
{
	struct pf_err why = {.scope = PF_SCOPE_SESSION,
		.retry = PF_RETRY_LATER,
		.retry_after_s = 80000,
		.number = PF_EV_DAY_USED};
	const struct pf_batch_end end = {.opened = {false, false}, .why = &why};

	(void)state;
	for (int no_wait = 0; no_wait < 2; no_wait++) {
		struct scene s = begin(10, 1);
		struct pf_batch_cfg cfg = {.alive_max = 10, .tries = 1, .no_wait = no_wait};
		size_t a;
		int64_t pause = 0;

		pf_batch_free(&s.b);
		assert_int_equal(pf_batch_new(&cfg, &s.b, &s.err), PF_OK);
		a = server(&s, 5);
		(void)account(&s, a, a, 1);
		for (int i = 0; i < 5; i++) {
			assert_int_equal(go(&s), 0);
			assert_int_equal(pf_batch_ended(s.b, 0, &end, s.now, &pause), no_wait);
			if (no_wait) {
				break;
			}
			assert_int_equal(pause, 80000000);
			assert_int_equal(go(&s), -1);
			s.now += pause;
		}
		pf_batch_free(&s.b);
	}
}

static void test_refused_administrator_is_spared(void **state)
{
	struct scene s = begin(1, 5);
	size_t a = server(&s, 9), admin = login(&s);
	int64_t pause;
	long no;

	(void)state;
	for (int i = 0; i < 6; i++) {
		const struct pf_batch_account acc = {
			{PF_BATCH_NONE, a}, {PF_BATCH_NONE, admin}, {1, 1}};

		assert_int_equal(pf_batch_add(s.b, &acc, &s.err), PF_OK);
	}
	for (int i = 0; i < 2; i++) { /* two users whom the server does not know */
		no = go(&s);
		assert_true(failed(&s, no, false, PF_RETRY_NO, 0, &pause));
	}
	no = go(&s); /* one whom it knows: it is not the administrator */
	complete(&s, no);
	for (int i = 0; i < 3; i++) {
		no = go(&s);
		assert_true(no >= 0);
		assert_true(failed(&s, no, false, PF_RETRY_NO, 0, &pause));
	}
	assert_int_equal(go(&s), -2);
	for (int i = 0; i < 2; i++) {
		const struct pf_batch_account acc = {
			{PF_BATCH_NONE, a}, {PF_BATCH_NONE, admin}, {1, 1}};

		assert_int_equal(pf_batch_add(s.b, &acc, &s.err), PF_OK);
		assert_int_equal(go(&s), -3); /* three in a row were enough */
	}
	assert_int_equal(go(&s), -2);
	pf_batch_free(&s.b);
}

static void test_cap_lowers_the_limit_and_time_raises_it(void **state)
{
	struct scene s = begin(100, 5);
	size_t a = server(&s, 10);
	int64_t pause, wake;

	(void)state;
	for (int i = 0; i < 12; i++) {
		(void)account(&s, PF_BATCH_NONE, a, 1);
	}
	for (int i = 0; i < 6; i++) {
		assert_int_equal(go(&s), i);
		pf_batch_opened(s.b, (size_t)i, 1);
	}
	assert_int_equal(go(&s), 6);
	assert_false(failed(&s, 6, false, PF_RETRY_LATER, PF_EV_CONNECTION_CAP, &pause));
	assert_int_equal(pf_batch_limit(s.b, a), 6);
	assert_int_equal(next(&s, &wake), -1);
	assert_true(wake <= s.now + 60000);
	complete(&s, 0);
	assert_int_equal(go(&s), 7); /* one for one */
	assert_int_equal(go(&s), -1);
	s.now += 60001;
	assert_int_equal(go(&s), 6); /* the first that waits: it was in front */
	assert_int_equal(pf_batch_limit(s.b, a), 7);
	pf_batch_free(&s.b);
}

static void test_cap_is_no_fault_of_the_account(void **state)
{
	struct scene s = begin(100, 2);
	size_t a = server(&s, 10);
	int64_t pause;

	(void)state;
	(void)account(&s, PF_BATCH_NONE, a, 1);
	(void)account(&s, PF_BATCH_NONE, a, 1);
	assert_int_equal(go(&s), 0);
	pf_batch_opened(s.b, 0, 1);
	for (int i = 0; i < 10; i++) { /* far more than two tries */
		s.now += 80000;
		assert_int_equal(go(&s), 1);
		assert_false(failed(&s, 1, false, PF_RETRY_LATER, PF_EV_CONNECTION_CAP, &pause));
	}
	complete(&s, 0);
	s.now += pause;
	assert_int_equal(go(&s), 1);
	complete(&s, 1);
	assert_int_equal(go(&s), -2);
	pf_batch_free(&s.b);
}

/* A server that is down is asked by one account at a time, less and less often, then given up. */
static void test_server_that_is_down(void **state)
{
	struct scene s = begin(100, 50);
	size_t a = server(&s, 20);
	int64_t pause, wake;
	long no, asked = 0, given_up = 0;

	(void)state;
	for (int i = 0; i < 200; i++) {
		(void)account(&s, PF_BATCH_NONE, a, 1);
	}
	for (int i = 0; i < 20; i++) {
		assert_int_equal(go(&s), i);
	}
	for (int i = 0; i < 20; i++) { /* all at once: it counts as one */
		assert_false(failed(&s, i, false, PF_RETRY_LATER, 0, &pause));
	}
	for (int turn = 0; turn < 1000 && given_up == 0; turn++) {
		no = next(&s, &wake);
		if (no == -1) {
			assert_true(wake > s.now && wake < INT64_MAX);
			s.now = wake;
		} else if (no == -3) {
			given_up++;
		} else {
			asked++;
			assert_int_equal(go(&s), -1); /* one asks */
			assert_false(failed(&s, no, false, PF_RETRY_LATER, 0, &pause));
		}
	}
	assert_true(asked >= 5 && asked <= 10);
	while ((no = next(&s, &wake)) != -2) {
		assert_true(no == -3 || no == -1);
		given_up += no == -3;
		s.now = no == -1 ? wake : s.now;
	}
	assert_int_equal(given_up, 200);
	pf_batch_free(&s.b);
}

static void test_server_that_comes_back(void **state)
{
	struct scene s = begin(100, 50);
	size_t a = server(&s, 20);
	int64_t pause;

	(void)state;
	for (int i = 0; i < 30; i++) {
		(void)account(&s, PF_BATCH_NONE, a, 1);
	}
	assert_int_equal(go(&s), 0);
	assert_false(failed(&s, 0, false, PF_RETRY_LATER, 0, &pause));
	assert_int_equal(go(&s), -1);
	s.now += 1000;
	assert_int_equal(go(&s), 1);
	assert_int_equal(go(&s), -1);
	pf_batch_opened(s.b, 1, 1);
	for (int i = 2; i < 21; i++) {
		assert_int_equal(go(&s), i);
	}
	assert_int_equal(go(&s), -1); /* twenty */
	pf_batch_free(&s.b);
}

/* One user whose mailbox is away must not make the others wait. */
static void test_one_user_alone_is_refused_while_others_work(void **state)
{
	struct scene s = begin(100, 50);
	size_t a = server(&s, 20);
	int64_t pause;

	(void)state;
	for (int i = 0; i < 3; i++) {
		(void)account(&s, PF_BATCH_NONE, a, 1);
	}
	assert_int_equal(go(&s), 0);
	pf_batch_opened(s.b, 0, 1);
	assert_int_equal(go(&s), 1);
	assert_false(failed(&s, 1, false, PF_RETRY_LATER, 0, &pause));
	assert_int_equal(go(&s), 2);
	pf_batch_free(&s.b);
}

static void test_what_a_server_permits_one_account_is_learned(void **state)
{
	struct scene s = begin(100, 5);
	size_t a = server(&s, 4);
	struct pf_batch_end end = {.opened = {true, true}, .complete = true, .connections = {0, 1}};
	struct pf_batch_turn t;
	int64_t pause, wake = INT64_MAX;

	(void)state;
	for (int i = 0; i < 4; i++) {
		(void)account(&s, PF_BATCH_NONE, a, 4);
	}
	assert_int_equal(go(&s), 0);
	assert_int_equal(go(&s), -1);
	assert_true(pf_batch_ended(s.b, 0, &end, s.now, &pause));
	assert_int_equal(pf_batch_next(s.b, s.now, &t, &wake), PF_OK);
	assert_int_equal(t.connections[1], 1);
	assert_int_equal(go(&s), 2); /* so there is room for more of them */
	assert_int_equal(go(&s), 3);
	pf_batch_free(&s.b);
}

static void test_stop(void **state)
{
	struct scene s = begin(100, 5);
	int64_t pause;

	(void)state;
	(void)account(&s, PF_BATCH_NONE, PF_BATCH_NONE, 1);
	(void)account(&s, PF_BATCH_NONE, PF_BATCH_NONE, 1);
	assert_int_equal(go(&s), 0);
	pf_batch_stop(s.b);
	assert_int_equal(go(&s), -1);
	assert_true(failed(&s, 0, true, PF_RETRY_LATER, 0, &pause));
	assert_int_equal(go(&s), -2);
	assert_int_equal(pf_batch_waiting(s.b), 1);
	pf_batch_free(&s.b);
}

/* Whatever happens, every account begins, none while its server is full, and it comes to an end. */
static void test_thousands_at_random(void **state)
{
	struct scene s = begin(64, 3);
	size_t servers[8], used[8] = {0}, of[MOST][2], over = 0, begun = 0;
	long alive[64], no;
	size_t alive_n = 0;
	unsigned int seed = 7;
	int64_t wake, pause;

	(void)state;
	for (size_t i = 0; i < 8; i++) {
		servers[i] = server(&s, 5 + i);
	}
	for (size_t i = 0; i < MOST; i++) {
		of[i][0] = (size_t)rand_r(&seed) % 4;
		of[i][1] = 4 + (size_t)rand_r(&seed) % 4;
		(void)account(&s, servers[of[i][0]], servers[of[i][1]], 1);
	}
	while ((no = next(&s, &wake)) != -2) {
		if (no >= 0) {
			begun++;
			alive[alive_n++] = no;
			for (size_t k = 0; k < 2; k++) {
				used[of[no][k]]++;
				assert_true(used[of[no][k]] <= 5 + of[no][k]);
			}
			continue;
		}
		assert_int_equal(no, -1);
		assert_true(alive_n > 0 || wake < INT64_MAX); /* something must come */
		if (alive_n == 0) {
			s.now = wake;
			continue;
		}
		no = alive[--alive_n];
		used[of[no][0]]--;
		used[of[no][1]]--;
		s.now += rand_r(&seed) % 50;
		if (rand_r(&seed) % 10 != 0) {
			complete(&s, no);
			over++;
		} else {
			over += failed(&s, no, true, PF_RETRY_LATER, 0, &pause);
		}
	}
	assert_int_equal(over, MOST);
	assert_true(begun > MOST);
	pf_batch_free(&s.b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_order_and_limit),
		cmocka_unit_test(test_one_too_big_for_the_limit_goes_alone),
		cmocka_unit_test(test_both_sides_on_one_server),
		cmocka_unit_test(test_a_full_server_stops_no_other),
		cmocka_unit_test(test_alive_max),
		cmocka_unit_test(test_cut_off_comes_again_with_growing_pauses_and_not_for_ever),
		cmocka_unit_test(test_one_that_gets_somewhere_may_go_on),
		cmocka_unit_test(test_refused_sign_in_is_tried_once),
		cmocka_unit_test(test_a_day_that_is_used_up_is_waited_for),
		cmocka_unit_test(test_servers_wish_is_heard),
		cmocka_unit_test(test_refused_administrator_is_spared),
		cmocka_unit_test(test_cap_lowers_the_limit_and_time_raises_it),
		cmocka_unit_test(test_cap_is_no_fault_of_the_account),
		cmocka_unit_test(test_server_that_is_down),
		cmocka_unit_test(test_server_that_comes_back),
		cmocka_unit_test(test_one_user_alone_is_refused_while_others_work),
		cmocka_unit_test(test_what_a_server_permits_one_account_is_learned),
		cmocka_unit_test(test_stop),
		cmocka_unit_test(test_thousands_at_random),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
