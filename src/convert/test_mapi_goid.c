/* Global object ids and UIDs: the vectors of [MS-OXOCAL] 4 and [MS-ASEMAIL] 4.3, and both ways. */
#include "convert/mapi_goid.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#define ID "040000008200E00074C5B7101A82E008"
#define REST                                                                                       \
	"5025D461E473C801000000000000000010000000"                                                 \
	"2A5844B3A444F74A9C246C60886F116B"
#define ZEROS                                                                                      \
	"00000000"                                                                                 \
	"00000000000000000000000000000000"
/* "vCal-Uid" 01 00 00 00 "{81412D3C-2A24-4E9D-B20E-11F7BBE92799}" NUL */
#define FOREIGN                                                                                    \
	ID ZEROS "33000000"                                                                        \
		 "7643616C2D55696401000000"                                                        \
		 "7B38313431324433432D324132342D344539442D"                                        \
		 "423230452D3131463742424539323739397D"

static const struct {
	const char *name, *blob, *uid;
	struct pf_goid_day day;
	const char *back; /* NULL: the blob itself */
} CASES[] = {
	{"an exception", ID "07D80319" REST, ID "00000000" REST, {2008, 3, 25}, NULL},
	{"a series", ID "00000000" REST, ID "00000000" REST, {0, 0, 0}, NULL},
	{"a day that is none", ID "07D80D19" REST, ID "00000000" REST, {0, 0, 0},
		ID "00000000" REST},
	{"another's UID, with NUL", FOREIGN "00", "{81412D3C-2A24-4E9D-B20E-11F7BBE92799}",
		{0, 0, 0},
		ID ZEROS "32000000"
			 "7643616C2D55696401000000"
			 "7B38313431324433432D324132342D344539442D"
			 "423230452D3131463742424539323739397D"},
	{"another's UID of an instance",
		ID "07D80319"
		   "00000000000000000000000000000000"
		   "0F000000"
		   "7643616C2D55696401000000"
		   "612C62",
		"a,b", {2008, 3, 25}, NULL},
	{"a size past the end",
		ID ZEROS "FFFFFFFF"
			 "7643616C2D55696401000000"
			 "6162",
		"ab", {0, 0, 0},
		ID ZEROS "0E000000"
			 "7643616C2D55696401000000"
			 "6162"},
	{"another's UID with a line end in it",
		ID ZEROS "0F000000"
			 "7643616C2D55696401000000"
			 "610A62",
		ID ZEROS "0F000000"
			 "7643616C2D55696401000000"
			 "610A62",
		{0, 0, 0}, NULL},
	{"another's UID that is empty",
		ID ZEROS "0C000000"
			 "7643616C2D55696401000000",
		ID ZEROS "0C000000"
			 "7643616C2D55696401000000",
		{0, 0, 0}, NULL},
	{"another's UID that is Outlook's, too",
		ID ZEROS "5C000000"
			 "7643616C2D55696401000000"
			 "3034303030303030383230304530303037344335423731303141383245303038"
			 "3030303030303030303030303030303030303030303030303030303030303030"
			 "30303030303030303030303030303030",
		ID ZEROS "5C000000"
			 "7643616C2D55696401000000"
			 "3034303030303030383230304530303037344335423731303141383245303038"
			 "3030303030303030303030303030303030303030303030303030303030303030"
			 "30303030303030303030303030303030",
		{0, 0, 0}, NULL},
	{"one that is cut", ID "07D80319", ID "07D80319", {0, 0, 0},
		ID ZEROS "34000000"
			 "7643616C2D55696401000000"
			 "3034303030303030383230304530303037344335423731303141383245303038"
			 "3037443830333139"},
	{"no such id at all", "DEADBEEF", "DEADBEEF", {0, 0, 0},
		ID ZEROS "14000000"
			 "7643616C2D55696401000000"
			 "4445414442454546"},
};

static struct pf_span bytes_of(const char *hex, uint8_t *out)
{
	size_t n = strlen(hex) / 2;

	for (size_t i = 0; i < n; i++) {
		char two[3] = {hex[2 * i], hex[2 * i + 1], 0};

		out[i] = (uint8_t)strtoul(two, NULL, 16);
	}
	return pf_span(out, n);
}

static void both_ways(void **state)
{
	(void)state;
	for (size_t i = 0; i < PF_COUNT(CASES); i++) {
		struct pf_goid_day day;
		struct pf_buf uid, blob;
		uint8_t raw[256];
		struct pf_err err;

		pf_buf_init(&uid, 4096);
		pf_buf_init(&blob, 4096);
		assert_int_equal(
			pf_goid_to_uid(bytes_of(CASES[i].blob, raw), &uid, &day, &err), PF_OK);
		if (!pf_span_eq(pf_buf_span(&uid), pf_span_str(CASES[i].uid)) ||
			day.year != CASES[i].day.year || day.month != CASES[i].day.month ||
			day.day != CASES[i].day.day) {
			fail_msg("%s: %.*s, %d-%d-%d", CASES[i].name, (int)uid.n,
				(const char *)uid.p, day.year, day.month, day.day);
		}
		assert_int_equal(pf_goid_from_uid(pf_buf_span(&uid), &day, &blob, &err), PF_OK);
		if (!pf_span_eq(pf_buf_span(&blob),
			    bytes_of(CASES[i].back ? CASES[i].back : CASES[i].blob, raw))) {
			fail_msg("%s: another blob", CASES[i].name);
		}
		pf_buf_deinit(&uid);
		pf_buf_deinit(&blob);
	}
}

static void a_uid_in_small_letters_is_an_id_too(void **state)
{
	struct pf_goid_day day = {0};
	struct pf_buf blob;
	uint8_t raw[256];
	struct pf_err err;

	(void)state;
	pf_buf_init(&blob, 4096);
	/* with a day in it, as some write it: it goes */
	assert_int_equal(
		pf_goid_from_uid(pf_span_str("040000008200e00074c5b7101a82e00807d80319" REST), NULL,
			&blob, &err),
		PF_OK);
	assert_true(pf_span_eq(pf_buf_span(&blob), bytes_of(ID "00000000" REST, raw)));
	pf_buf_clear(&blob);
	assert_int_equal(pf_goid_from_uid(pf_span_str(""), &day, &blob, &err), PF_FAIL);
	assert_int_equal(err.scope, PF_SCOPE_ITEM);
	assert_int_equal(pf_goid_to_uid(pf_span("", 0), &blob, &day, &err), PF_FAIL);
	pf_buf_deinit(&blob);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(both_ways),
		cmocka_unit_test(a_uid_in_small_letters_is_an_id_too),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
