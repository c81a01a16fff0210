/* What is kept of what was found out: by key, within bounds. */
#include "base/memo.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

static struct pf_span key_of(char out[32], int i)
{
	(void)snprintf(out, 32, "key %d", i);
	return pf_span_str(out);
}

static void what_is_kept_comes_back(void **state)
{
	enum { MANY = 5000 };
	struct pf_memo *m = pf_memo_new(MANY);
	char key[32];
	int v;

	(void)state;
	assert_non_null(m);
	assert_false(pf_memo_get(m, pf_span_str("key 0"), &v, sizeof(v)));
	for (int i = 0; i < MANY; i++) {
		pf_memo_put(m, key_of(key, i), &i, sizeof(i));
	}
	for (int i = 0; i < MANY; i++) {
		assert_true(pf_memo_get(m, key_of(key, i), &v, sizeof(v)));
		assert_int_equal(v, i);
	}
	assert_false(pf_memo_get(m, pf_span_str("another"), &v, sizeof(v)));
	pf_memo_free(&m);
	assert_null(m);
}

static void what_has_no_room_is_forgotten(void **state)
{
	struct pf_memo *m = pf_memo_new(2);
	char key[32];
	int v = 7;

	(void)state;
	for (int i = 0; i < 3; i++) {
		pf_memo_put(m, key_of(key, i), &v, sizeof(v));
	}
	assert_true(pf_memo_get(m, key_of(key, 1), &v, sizeof(v)));
	assert_false(pf_memo_get(m, key_of(key, 2), &v, sizeof(v)));
	pf_memo_free(&m);
}

static void none_keeps_nothing(void **state)
{
	int v = 7;

	(void)state;
	pf_memo_put(NULL, pf_span_str("key"), &v, sizeof(v));
	assert_false(pf_memo_get(NULL, pf_span_str("key"), &v, sizeof(v)));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_kept_comes_back),
		cmocka_unit_test(what_has_no_room_is_forgotten),
		cmocka_unit_test(none_keeps_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
