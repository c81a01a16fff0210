#include "base/origin.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static void origins(void **state)
{
	static const struct {
		const char *href, *host; /* NULL: none */
		int port;
		bool https;
	} CASES[] = {
		{"https://Host.Example/a", "host.example", 443, true},
		{" http://host.example:8080?x", "host.example", 8080, false},
		{"//[2001:db8::1]:1/", "2001:db8::1", 1, true},
		{"https://u:p@evil.example/", "evil.example", 443, true},
		{"https://host.example@evil.example", "evil.example", 443, true},
		{"/a", NULL, 0, false},
		{"ftp://host.example/", NULL, 0, false},
		{"https:///a", NULL, 0, false},
		{"https://a-host-that-is-too-long.example/", NULL, 0, false},
	};

	(void)state;
	for (size_t i = 0; i < PF_COUNT(CASES); i++) {
		struct pf_origin o = {.host = NULL};
		char host[20];
		bool is = pf_origin_of(pf_span_str(CASES[i].href), true, host, sizeof(host), &o);

		assert_int_equal(is, CASES[i].host != NULL);
		if (is) {
			assert_string_equal(o.host, CASES[i].host);
			assert_int_equal(o.port, CASES[i].port);
			assert_int_equal(o.https, CASES[i].https);
		}
	}
}

static void what_is_named(void **state)
{
	static const char *const LIST[] = {
		"Mail.example", "other.example:8443", "[2001:db8::1]", NULL};
	static const struct {
		struct pf_origin o;
		bool named;
	} CASES[] = {
		{{"mail.example", 443, true}, true},
		{{"mail.example", 80, false}, true},
		{{"mail.example", 8443, true}, false},
		{{"mail.example", 443, false}, false},
		{{"other.example", 8443, true}, true},
		{{"other.example", 443, true}, false},
		{{"2001:db8::1", 443, true}, true},
		{{"mail.example.org", 443, true}, false},
	};

	(void)state;
	for (size_t i = 0; i < PF_COUNT(CASES); i++) {
		assert_int_equal(pf_origin_named(LIST, &CASES[i].o), CASES[i].named);
	}
	assert_false(pf_origin_named(NULL, &CASES[0].o));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(origins),
		cmocka_unit_test(what_is_named),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
