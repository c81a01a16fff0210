/* What every layer relies on: errors that keep their context, buffers with a ceiling, text made
 * safe. */
#include "base/arena.h"
#include "base/buf.h"
#include "base/civil.h"
#include "base/decimal.h"
#include "base/digest.h"
#include "base/err.h"
#include "base/grow.h"
#include "base/secret.h"
#include "base/utf8.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

static void error_keeps_context_on_the_way_up(void **state)
{
	struct pf_err err;

	(void)state;
	assert_int_equal(
		pf_fail(&err, PF_SCOPE_ITEM, PF_RETRY_LATER, "APPEND: %s", "NO full"), PF_FAIL);
	assert_int_equal(pf_wrap(&err, "folder %s", "Sent"), PF_FAIL);
	assert_string_equal(err.text, "folder Sent: APPEND: NO full");
	assert_int_equal(err.scope, PF_SCOPE_ITEM);
	assert_int_equal(err.retry, PF_RETRY_LATER);
	errno = ENOENT;
	assert_int_equal(pf_fail_sys(&err, PF_SCOPE_RUN, PF_RETRY_NO, "open x"), PF_FAIL);
	assert_int_equal(err.sys, ENOENT);
	assert_string_equal(err.text, "open x: No such file or directory");
	assert_int_equal(pf_wrap(NULL, "nothing"), PF_FAIL);
}

static void error_text_is_cut_at_a_character(void **state)
{
	struct pf_err err;
	char umlauts[2001];

	(void)state;
	for (size_t i = 0; i < 1000; i++) {
		umlauts[2 * i] = '\xc3';
		umlauts[2 * i + 1] = '\xbc';
	}
	umlauts[2000] = '\0';
	(void)pf_fail(&err, PF_SCOPE_ITEM, PF_RETRY_NO, "%s", umlauts);
	assert_int_equal(strlen(err.text), 510);
	assert_true(pf_utf8_valid(pf_span_str(err.text)));
}

static void buffer_never_passes_its_ceiling(void **state)
{
	struct pf_err err;
	struct pf_buf b;

	(void)state;
	pf_buf_init(&b, 100);
	for (int i = 0; i < 10; i++) {
		assert_int_equal(pf_buf_addf(&b, &err, "%08d", i), PF_OK);
	}
	assert_int_equal(pf_buf_add(&b, pf_span("0123456789012345678901", 21), &err), PF_FAIL);
	assert_int_equal(b.n, 80);
	pf_buf_consume(&b, 72);
	assert_memory_equal(b.p, "00000009", 8);
	pf_buf_deinit(&b);
}

static void safe_text_shows_every_byte(void **state)
{
	static const struct {
		const char *in;
		size_t n;
		const char *out;
	} CASES[] = {
		{"plain", 5, "plain"},
		{"a\r\nb\x1b[0m", 8, "a\\x0d\\x0ab\\x1b[0m"},
		{"\xff\xc3", 2, "\\xff\\xc3"},
		{"Entw\xc3\xbcrfe", 9, "Entw\xc3\xbcrfe"},
		{"\xc2\x9b", 2, "\\x9b"},
		{"a\0b", 3, "a\\x00b"},
	};
	char out[64];

	(void)state;
	for (size_t i = 0; i < PF_COUNT(CASES); i++) {
		assert_string_equal(
			pf_print_safe(out, sizeof(out), pf_span(CASES[i].in, CASES[i].n)),
			CASES[i].out);
	}
	assert_string_equal(pf_print_safe(out, 9, pf_span_str("0123456789")), "01234...");
	assert_string_equal(pf_print_safe(out, 11, pf_span_str("0123456789")), "0123456789");
}

/* Also where that is below what is taken at first. */
static void buffer_with_a_low_ceiling(void **state)
{
	struct pf_err err;
	struct pf_buf b;

	(void)state;
	for (size_t max = 0; max < 70; max++) {
		pf_buf_init(&b, max);
		for (size_t i = 0; i < max; i++) {
			assert_int_equal(pf_buf_add_str(&b, "x", &err), PF_OK);
		}
		assert_int_equal(pf_buf_add_str(&b, "x", &err), PF_FAIL);
		assert_int_equal(b.n, max);
		assert_true(b.cap <= max);
		pf_buf_deinit(&b);
	}
}

static void civil_round_trips(void **state)
{
	static const struct {
		struct pf_civil c;
		int64_t s;
	} CASES[] = {
		{{1970, 1, 1, 0, 0, 0}, 0},
		{{2000, 2, 29, 12, 0, 0}, 951825600},
		{{1899, 12, 30, 0, 0, 0}, -2209161600},
		{{2038, 1, 19, 3, 14, 8}, 2147483648},
		{{1996, 8, 7, 6, 30, 0}, 839399400},
	};
	struct pf_civil back;
	char iso[32];

	(void)state;
	for (size_t i = 0; i < PF_COUNT(CASES); i++) {
		assert_true(pf_civil_valid(&CASES[i].c));
		assert_int_equal(pf_civil_to_unix(&CASES[i].c), CASES[i].s);
		pf_civil_from_unix(CASES[i].s, &back);
		assert_memory_equal(&back, &CASES[i].c, sizeof(back));
	}
	for (int64_t s = -62000000000; s < 250000000000; s += INT64_C(86399) * 1009) {
		pf_civil_from_unix(s, &back);
		assert_int_equal(pf_civil_to_unix(&back), s);
	}
	assert_false(pf_civil_valid(&(struct pf_civil){1900, 2, 29, 0, 0, 0}));
	assert_false(pf_civil_valid(&(struct pf_civil){2000, 0, 1, 0, 0, 0}));
	pf_date_iso(839399400, iso);
	assert_string_equal(iso, "1996-08-07T06:30:00Z");
}

static void decimals_are_those_of_printf(void **state)
{
	static const uint64_t NUMBERS[] = {0, 1, 9, 10, 99, 100, 4294967295, 10000000000, INT64_MAX,
		UINT64_MAX - 1, UINT64_MAX};

	(void)state;
	for (size_t i = 0; i < PF_COUNT(NUMBERS); i++) {
		char got[PF_DECIMAL_MAX], want[32];
		size_t n = pf_decimal(NUMBERS[i], got);

		assert_int_equal(
			n, snprintf(want, sizeof(want), "%llu", (unsigned long long)NUMBERS[i]));
		assert_memory_equal(got, want, n);
	}
}

static void digest_is_sha256(void **state)
{
	struct pf_hash *h = pf_hash_new();
	struct pf_digest d;
	char hex[65];

	(void)state;
	assert_non_null(h);
	for (int i = 0; i < 2; i++) { /* the second round shows that take() starts over */
		pf_hash_add(h, pf_span("a", 1));
		pf_hash_add(h, pf_span("bc", 2));
		pf_hash_take(h, &d);
		pf_digest_hex(&d, hex);
		assert_string_equal(
			hex, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
	}
	pf_hash_free(&h);
}

static void arena_keeps_what_it_gave(void **state)
{
	struct pf_arena a;
	struct pf_span kept[1000];

	(void)state;
	pf_arena_init(&a);
	for (uint32_t i = 0; i < 1000; i++) {
		kept[i] = pf_arena_span(&a, pf_span(&i, sizeof(i)));
		assert_non_null(pf_arena_alloc(&a, (size_t)i * 7));
	}
	for (uint32_t i = 0; i < 1000; i++) {
		assert_memory_equal(kept[i].p, &i, sizeof(i));
	}
	assert_null(pf_arena_span(&a, pf_span(NULL, 0)).p);
	assert_non_null(pf_arena_span(&a, pf_span("", 0)).p);
	pf_arena_deinit(&a);
}

static void ids_sort_by_value(void **state)
{
	(void)state;
	assert_true(pf_span_cmp(pf_span_str("9"), pf_span_str("10")) < 0);
	assert_true(pf_span_cmp(pf_span_str("4711"), pf_span_str("4710")) > 0);
	assert_int_equal(pf_span_cmp(pf_span_str("7"), pf_span_str("7")), 0);
}

static void folding_finds_equal_names(void **state)
{
	char *a = pf_utf8_fold("Entw\xc3\x9cRFE");
	char *b = pf_utf8_fold("entwu\xcc\x88rfe");

	(void)state;
	assert_string_equal(a, b);
	free(a);
	free(b);
}

static void secret_is_kept_and_cleared(void **state)
{
	struct pf_secret s = {0};

	(void)state;
	assert_true(pf_secret_set(&s, pf_span_str("one")));
	assert_true(pf_secret_set(&s, pf_span_str("two")));
	assert_string_equal(s.p, "two");
	pf_secret_clear(&s);
	assert_false(pf_secret_is_set(&s));
	assert_true(pf_secret_set(&s, pf_span("", 0)));
	assert_true(pf_secret_is_set(&s));
	pf_secret_clear(&s);
}

static void hexadecimal_digits(void **state)
{
	static const char DIGITS[] = "0123456789abcdef";

	(void)state;
	for (int c = 0; c < 256; c++) {
		const char *at = c ? strchr(DIGITS, pf_ascii_lower((uint8_t)c)) : NULL;

		assert_int_equal(pf_ascii_hex((uint8_t)c), at ? (int)(at - DIGITS) : -1);
	}
}

static void arrays_grow_and_keep_what_they_have(void **state)
{
	size_t cap = 0, was = 0, grown = 0;
	int *v = NULL;

	(void)state;
	for (size_t i = 0; i < 1000; i++) {
		v = pf_grown(v, i, &cap, sizeof(*v));
		assert_non_null(v);
		assert_true(cap > i);
		grown += cap != was;
		was = cap;
		v[i] = (int)i;
	}
	for (size_t i = 0; i < 1000; i++) {
		assert_int_equal(v[i], i);
	}
	assert_true(grown < 10);
	cap = was = SIZE_MAX / 16;
	assert_null(pf_grown(v, cap, &cap, sizeof(*v) * 16));
	assert_int_equal(cap, was);
	free(v);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(error_keeps_context_on_the_way_up),
		cmocka_unit_test(error_text_is_cut_at_a_character),
		cmocka_unit_test(buffer_never_passes_its_ceiling),
		cmocka_unit_test(buffer_with_a_low_ceiling),
		cmocka_unit_test(safe_text_shows_every_byte),
		cmocka_unit_test(civil_round_trips),
		cmocka_unit_test(decimals_are_those_of_printf),
		cmocka_unit_test(digest_is_sha256),
		cmocka_unit_test(arena_keeps_what_it_gave),
		cmocka_unit_test(ids_sort_by_value),
		cmocka_unit_test(folding_finds_equal_names),
		cmocka_unit_test(hexadecimal_digits),
		cmocka_unit_test(arrays_grow_and_keep_what_they_have),
		cmocka_unit_test(secret_is_kept_and_cleared),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
