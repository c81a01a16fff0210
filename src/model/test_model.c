/* Paths, flags and URLs: what is put in comes out, and what is wrong is said. */
#include "model/flags.h"
#include "model/item.h"
#include "model/path.h"
#include "model/url.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static void path_round_trips(void **state)
{
	static const char *const TEXTS[] = {
		"INBOX", "a/b/c", "Dr. Jones\\/Smith/x", "back\\\\slash"};
	struct pf_err err;
	char shown[128];

	(void)state;
	for (size_t i = 0; i < PF_COUNT(TEXTS); i++) {
		struct pf_path p = {0}, q = {0};

		assert_int_equal(pf_path_parse(&p, TEXTS[i], &err), PF_OK);
		assert_string_equal(pf_path_show(&p, shown, sizeof(shown)), TEXTS[i]);
		assert_int_equal(pf_path_from_bytes(&q, pf_path_bytes(&p), &err), PF_OK);
		assert_true(pf_path_eq(&p, &q));
		pf_path_deinit(&p);
		pf_path_deinit(&q);
	}
}

static void path_knows_its_parts(void **state)
{
	struct pf_path p = {0}, top = {0}, other = {0};
	struct pf_err err;

	(void)state;
	assert_int_equal(pf_path_parse(&p, "a/b\\/b/c", &err), PF_OK);
	assert_int_equal(pf_path_parse(&top, "a", &err), PF_OK);
	assert_int_equal(pf_path_parse(&other, "ab", &err), PF_OK);
	assert_int_equal(pf_path_depth(&p), 3);
	assert_string_equal(pf_path_segment(&p, 1), "b/b");
	assert_string_equal(pf_path_leaf(&p), "c");
	assert_null(pf_path_segment(&p, 3));
	assert_true(pf_path_is_under(&p, &top));
	assert_false(pf_path_is_under(&other, &top));
	assert_true(pf_path_cmp(&top, &p) < 0);
	pf_path_cut(&p, 1);
	assert_true(pf_path_eq(&p, &top));
	pf_path_deinit(&p);
	pf_path_deinit(&top);
	pf_path_deinit(&other);
}

static void path_refuses_what_is_none(void **state)
{
	struct pf_path p = {0};
	struct pf_err err;

	(void)state;
	assert_int_equal(pf_path_add(&p, pf_span("a\0b", 3), &err), PF_FAIL);
	assert_int_equal(pf_path_add(&p, pf_span("\xff", 1), &err), PF_FAIL);
	assert_int_equal(pf_path_add(&p, pf_span("", 0), &err), PF_FAIL);
	assert_int_equal(pf_path_parse(&p, "a//b", &err), PF_FAIL);
	assert_int_equal(pf_path_from_bytes(&p, pf_span("a\0\0", 3), &err), PF_FAIL);
	assert_int_equal(pf_path_from_bytes(&p, pf_span("a", 1), &err), PF_FAIL);
	assert_null(p.p);
}

static void keywords_are_sorted_and_unique(void **state)
{
	struct pf_buf kw;
	struct pf_err err;

	(void)state;
	pf_buf_init(&kw, 1000);
	assert_int_equal(pf_keywords_add(&kw, pf_span_str("$MDNSent"), &err), PF_OK);
	assert_int_equal(pf_keywords_add(&kw, pf_span_str("zeta"), &err), PF_OK);
	assert_int_equal(pf_keywords_add(&kw, pf_span_str("Beta"), &err), PF_OK);
	assert_int_equal(pf_keywords_add(&kw, pf_span_str("$mdnsent"), &err), PF_OK);
	assert_int_equal(pf_keywords_add(&kw, pf_span_str("$Forwarded"), &err), PF_OK);
	assert_int_equal(kw.n, strlen("$Forwarded $MDNSent Beta zeta"));
	assert_memory_equal(kw.p, "$Forwarded $MDNSent Beta zeta", kw.n);
	assert_true(pf_keywords_has(pf_buf_span(&kw), pf_span_str("beta")));
	assert_false(pf_keywords_has(pf_buf_span(&kw), pf_span_str("eta")));
	pf_buf_deinit(&kw);
	assert_int_equal(pf_flag_bit(pf_span_str("\\SEEN")), PF_FLAG_SEEN);
	assert_int_equal(pf_flag_bit(pf_span_str("\\Recent")), 0);
}

static void url_parts(void **state)
{
	static const struct {
		const char *text, *scheme, *user, *host;
		int port;
		const char *identity;
	} CASES[] = {
		{"imap://ann@Mail.Example/", "imap", "ann", "mail.example", 0,
			"imap://ann@mail.example/"},
		{"IMAPS://ann%40x.org@h:993", "imaps", "ann@x.org", "h", 993,
			"imap://ann%40x.org@h/"},
		{"imap://a%2Fb@[::1]:1143/", "imap", "a/b", "::1", 1143,
			"imap://a%2Fb@[::1]:1143/"},
		{"imap://ann;AUTH=PLAIN@h/", "imap", "ann", "h", 0, "imap://ann@h/"},
		{"imap://h/", "imap", NULL, "h", 0, "imap://h/"},
	};
	struct pf_err err;

	(void)state;
	for (size_t i = 0; i < PF_COUNT(CASES); i++) {
		struct pf_url u;
		char *identity;

		assert_int_equal(pf_url_parse(&u, CASES[i].text, &err), PF_OK);
		assert_string_equal(u.scheme, CASES[i].scheme);
		assert_string_equal(u.host, CASES[i].host);
		assert_int_equal(u.port, CASES[i].port);
		if (CASES[i].user) {
			assert_string_equal(u.user, CASES[i].user);
		} else {
			assert_null(u.user);
		}
		assert_int_equal(pf_url_identity(&u, &identity, &err), PF_OK);
		assert_string_equal(identity, CASES[i].identity);
		free(identity);
		pf_url_deinit(&u);
	}
}

static void url_errors_say_what_is_wrong(void **state)
{
	static const struct {
		const char *text, *says;
	} CASES[] = {
		{"mail.example", "scheme"},
		{"imap:mail.example", "\"//\" is missing"},
		{"imap://ann:s3cret@h/", "password does not belong"},
		{"imap://ann@x.org@h/", "%40"},
		{"imap://ann@h:0/", "port"},
		{"imap://ann@h:99999/", "port"},
		{"imap://ann@/", "host is missing"},
		{"imap://a%zz@h/", "%25"},
		{"maildir:", "path is missing"},
		{"imap://[::1/", "\"]\""},
	};
	struct pf_err err;
	struct pf_url u;

	(void)state;
	for (size_t i = 0; i < PF_COUNT(CASES); i++) {
		assert_int_equal(pf_url_parse(&u, CASES[i].text, &err), PF_FAIL);
		assert_non_null(strstr(err.text, CASES[i].says));
		assert_null(strstr(err.text, "s3cret"));
	}
}

static void kinds_are_found_by_their_names(void **state)
{
	(void)state;
	for (unsigned int k = PF_KIND_MAIL; k <= PF_KIND_NOTES; k <<= 1) {
		struct pf_span name = pf_span_str(pf_kind_name((enum pf_kind)k));

		assert_int_equal(pf_kind_by_name(name), k);
	}
	assert_int_equal(pf_kind_by_name(pf_span_str("")), 0);
	assert_int_equal(pf_kind_by_name(pf_span_str("music")), 0);
	assert_int_equal(pf_kind_by_name(pf_span_str("mails")), 0);
	assert_int_equal(pf_kind_by_name(pf_span(NULL, 0)), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(kinds_are_found_by_their_names),
		cmocka_unit_test(path_round_trips),
		cmocka_unit_test(path_knows_its_parts),
		cmocka_unit_test(path_refuses_what_is_none),
		cmocka_unit_test(keywords_are_sorted_and_unique),
		cmocka_unit_test(url_parts),
		cmocka_unit_test(url_errors_say_what_is_wrong),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
