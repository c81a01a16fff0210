/* Folders by name, however many there are. */
#include "stores/imap/found.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

enum { MANY = 20000 };

static struct found *get(struct founds *l, const char *name)
{
	struct pf_err err;
	struct found *f = founds_get(l, pf_span_str(name), &err);

	assert_non_null(f);
	return f;
}

static void each_name_is_one_folder(void **state)
{
	struct founds l = {0};

	(void)state;
	get(&l, "INBOX")->attrs = 1;
	get(&l, "")->attrs = 3;
	get(&l, "INBOX/a")->attrs = 4;
	assert_int_equal(get(&l, "INBOX")->attrs, 1);
	assert_int_equal(get(&l, "Inbox")->attrs, 1);
	assert_int_equal(get(&l, "")->attrs, 3);
	assert_int_equal(get(&l, "INBOX/a")->attrs, 4);
	assert_int_equal(l.n, 3);
	founds_free(&l);
	assert_int_equal(l.n, 0);
}

static void many_keep_their_order(void **state)
{
	struct founds l = {0};
	char name[32];

	(void)state;
	for (int round = 0; round < 2; round++) {
		for (unsigned int i = 0; i < MANY; i++) {
			(void)snprintf(name, sizeof(name), "folder %u", i);
			assert_int_equal(get(&l, name) - l.v, i);
		}
	}
	assert_int_equal(l.n, MANY);
	founds_free(&l);
}

static void a_name_that_is_too_long_costs_itself(void **state)
{
	static const char LONG[70000];
	struct founds l = {0};
	struct pf_err err;

	(void)state;
	(void)get(&l, "a");
	assert_null(founds_get(&l, pf_span(LONG, sizeof(LONG)), &err));
	(void)get(&l, "b");
	assert_int_equal(l.n, 2);
	founds_free(&l);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_name_is_one_folder),
		cmocka_unit_test(many_keep_their_order),
		cmocka_unit_test(a_name_that_is_too_long_costs_itself),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
