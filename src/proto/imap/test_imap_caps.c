/* What a server says it can do, and what its revision says with it. */
#include "proto/imap/session.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static uint32_t bits(const char *words)
{
	struct pf_imap_caps caps;

	pf_imap_caps_parse(&caps, pf_span_str(words));
	return caps.bits;
}

static void names_in_any_case(void **state)
{
	struct pf_imap_caps caps;

	(void)state;
	assert_int_equal(bits("imap4REV1 literal+ X-ODD=1 UidPlus"),
		PF_IMAP_CAP_REV1 | PF_IMAP_CAP_LITERAL_PLUS | PF_IMAP_CAP_UIDPLUS);
	pf_imap_caps_parse(
		&caps, pf_span_str("IMAP4rev1 AUTH=PLAIN appendlimit=25 auth=SCRAM-SHA-1"));
	assert_string_equal(caps.auth, "PLAIN SCRAM-SHA-1");
	assert_int_equal(caps.append_limit, 25);
	assert_true(bits("IMAP4rev1 QRESYNC") & PF_IMAP_CAP_CONDSTORE);
}

static void rev2_has_more_built_in_but_not_the_options_of_special_use(void **state)
{
	uint32_t b = bits("IMAP4rev2");

	(void)state;
	assert_true(b & PF_IMAP_CAP_LIST_STATUS);
	assert_true(b & PF_IMAP_CAP_LITERAL_MINUS);
	assert_true(b & PF_IMAP_CAP_UIDPLUS);
	assert_false(b & PF_IMAP_CAP_SPECIAL_USE);
	assert_false(b & PF_IMAP_CAP_MULTIAPPEND);
}

static void both_revisions_are_rev1_until_rev2_is_enabled(void **state)
{
	(void)state;
	assert_int_equal(
		bits("IMAP4rev2 IMAP4rev1"), (uint32_t)PF_IMAP_CAP_REV1 | PF_IMAP_CAP_REV2);
	assert_int_equal(bits("IMAP4rev2 IMAP4rev1 UIDPLUS"),
		(uint32_t)PF_IMAP_CAP_REV1 | PF_IMAP_CAP_REV2 | PF_IMAP_CAP_UIDPLUS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_in_any_case),
		cmocka_unit_test(rev2_has_more_built_in_but_not_the_options_of_special_use),
		cmocka_unit_test(both_revisions_are_rev1_until_rev2_is_enabled),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
