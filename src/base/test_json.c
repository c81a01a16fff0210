/* What is written can be read by any JSON reader, whatever the bytes were. */
#include "base/json.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>
#include <jansson.h>

static void members_are_read_back(void **state)
{
	static const struct {
		struct pf_span in;
		const char *out;
	} CASES[] = {
		{{(const uint8_t *)"plain", 5}, "plain"},
		{{(const uint8_t *)"", 0}, ""},
		{{(const uint8_t *)"q\"b\\s/\n\r\t\x01\x7f", 11}, "q\"b\\s/\n\r\t\x01\x7f"},
		{{(const uint8_t *)"\xc3\xbc\xf0\x9f\x98\x80", 6}, "\xc3\xbc\xf0\x9f\x98\x80"},
		{{(const uint8_t *)"a\xff\xed\xa0\x80z", 6},
			"a\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbdz"},
		{{NULL, 0}, NULL},
	};
	struct pf_err err;

	(void)state;
	for (size_t i = 0; i < PF_COUNT(CASES); i++) {
		struct pf_buf b;
		json_t *got;

		pf_buf_init(&b, 1000);
		assert_int_equal(pf_buf_add_str(&b, "{", &err), PF_OK);
		assert_int_equal(pf_json_put(&b, "s", CASES[i].in, &err), PF_OK);
		assert_int_equal(pf_json_put_int(&b, "n", INT64_MIN, &err), PF_OK);
		assert_int_equal(pf_buf_add_str(&b, "}", &err), PF_OK);
		got = json_loadb((const char *)b.p, b.n, JSON_ALLOW_NUL, NULL);
		assert_non_null(got);
		assert_true(json_integer_value(json_object_get(got, "n")) == INT64_MIN);
		if (CASES[i].out) {
			assert_string_equal(
				json_string_value(json_object_get(got, "s")), CASES[i].out);
		} else {
			assert_true(json_is_null(json_object_get(got, "s")));
		}
		json_decref(got);
		pf_buf_deinit(&b);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(members_are_read_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
