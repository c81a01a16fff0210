/* Every form of a CSV file that administrators have gives the same cells; what is none says where.
 */
#include "plan/csv.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

enum { SHOWN_MAX = 4096 };

/* All cells: [a|b] a row; or the error. */
static const char *read_all(struct pf_span raw, char *out)
{
	struct pf_buf text;
	struct pf_csv csv;
	struct pf_csv_row row;
	struct pf_err err;
	size_t n = 0;
	char *copy;
	int rc;

	out[0] = '\0';
	pf_buf_init(&text, 1 << 20);
	if (pf_csv_decode(raw, &text, &err) != PF_OK) {
		(void)snprintf(out, SHOWN_MAX, "%s", err.text);
		pf_buf_deinit(&text);
		return out;
	}
	copy = malloc(text.n + 1); /* so that a byte too far is noticed */
	assert_non_null(copy);
	if (text.n > 0) {
		memcpy(copy, text.p, text.n);
	}
	copy[text.n] = '\0';
	pf_csv_begin(&csv, copy, text.n);
	while ((rc = pf_csv_next(&csv, &row, &err)) == PF_OK) {
		for (size_t i = 0; i < row.n; i++) {
			n += (size_t)snprintf(
				out + n, SHOWN_MAX - n, "%s%s", i == 0 ? "[" : "|", row.cell[i]);
		}
		n += (size_t)snprintf(out + n, SHOWN_MAX - n, "]");
	}
	if (rc == PF_FAIL) {
		(void)snprintf(out, SHOWN_MAX, "%s", err.text);
	}
	free(copy);
	pf_buf_deinit(&text);
	return out;
}

static const struct {
	const char *name, *text, *cells;
} FORMS[] = {
	{"plain", "a,b\n1,2\n", "[a|b][1|2]"},
	{"no line end at the end", "a,b\n1,2", "[a|b][1|2]"},
	{"CRLF", "a,b\r\n1,2\r\n", "[a|b][1|2]"},
	{"CR", "a,b\r1,2\r", "[a|b][1|2]"},
	{"mixed line ends", "a,b\r\n1,2\r3,4\n", "[a|b][1|2][3|4]"},
	{"semicolons", "a;b\n1;2,5\n", "[a|b][1|2,5]"},
	{"tabs", "a\tb\n1\t2\n", "[a|b][1|2]"},
	{"the separator that a line names", "sep=;\r\na;b,c\r\n1;2\r\n", "[a|b,c][1|2]"},
	{"the separator within quotes does not count", "\"a;b;c\",d\n1,2\n", "[a;b;c|d][1|2]"},
	{"a mark",
		"\xef\xbb\xbf"
		"a,b\n1,2\n",
		"[a|b][1|2]"},
	{"one column", "a\n1\n", "[a][1]"},
	{"empty cells", "a,b,c\n,,\n1,,\n,,3\n", "[a|b|c][1||][||3]"},
	{"blank rows", "\n\na,b\n\n  \n1,2\n\n", "[a|b][1|2]"},
	{"quotes", "\"a\",\"b\"\n\"1\",\"2\"\n", "[a|b][1|2]"},
	{"doubled quotes", "a\n\"say \"\"no\"\"\"\n\"\"\"\"\n", "[a][say \"no\"][\"]"},
	{"separator and line end in quotes", "a,b\n\"1,\r\n2\",3\n", "[a|b][1,\r\n2|3]"},
	{"an empty cell in quotes", "a,b\n\"\",1\n", "[a|b][|1]"},
	{"a quote within", "a,b\npa\"ss,w\"\n", "[a|b][pa\"ss|w\"]"},
	{"blanks stay", "a , b\n 1, 2 \n", "[a | b][ 1| 2 ]"},
	{"other alphabets", "n\xc3\xa4me\n\xf0\x9f\x93\xac\n", "[n\xc3\xa4me][\xf0\x9f\x93\xac]"},
	{"nothing", "", ""},
	{"only line ends", "\r\n\n\r", ""},
	{"a quote that is never closed", "a,b\n1,\"2\n3,4\n",
		"row 2, column 2 begins with a quote that is never closed: close it, or double it "
		"if "
		"it belongs to the text"},
	{"something behind a quote", "a,b\n\"1\"x,2\n",
		"row 2, column 1 goes on behind its closing quote: a quote within a cell is "
		"doubled"},
	{"Latin 1", "a,b\n1,\xe4\n",
		"row 2 has the byte E4, which is not UTF-8: save the file as \"CSV UTF-8\""},
};

static void test_forms(void **state)
{
	char out[SHOWN_MAX];

	(void)state;
	for (size_t i = 0; i < PF_COUNT(FORMS); i++) {
		(void)read_all(pf_span_str(FORMS[i].text), out);
		if (strcmp(out, FORMS[i].cells) != 0) {
			fail_msg("%s: %s", FORMS[i].name, out);
		}
	}
}

static size_t as_utf16(const char *text, bool big, uint8_t *out)
{
	size_t n = 0;

	out[n++] = big ? 0xfe : 0xff;
	out[n++] = big ? 0xff : 0xfe;
	for (; *text; text++) { /* ASCII is enough, the rest comes by hand */
		out[n++] = big ? 0 : (uint8_t)*text;
		out[n++] = big ? (uint8_t)*text : 0;
	}
	return n;
}

static void test_utf16(void **state)
{
	static const uint8_t PAIR[] = {0xff, 0xfe, 'a', 0, '\n', 0, 0x3d, 0xd8, 0xec, 0xdc};
	static const uint8_t HALF[] = {0xff, 0xfe, 'a', 0, '\n', 0, 0x3d, 0xd8, 'x', 0};
	static const uint8_t ODD[] = {0xfe, 0xff, 0, 'a', 0};
	char out[SHOWN_MAX];
	uint8_t raw[200];
	size_t n;

	(void)state;
	n = as_utf16("a,b\r\n1,\"2,3\"\r\n", false, raw);
	assert_string_equal(read_all(pf_span(raw, n), out), "[a|b][1|2,3]");
	n = as_utf16("a;b\r\n1;2\r\n", true, raw);
	assert_string_equal(read_all(pf_span(raw, n), out), "[a|b][1|2]");
	assert_string_equal(read_all(pf_span(PAIR, sizeof(PAIR)), out), "[a][\xf0\x9f\x93\xac]");
	assert_non_null(strstr(read_all(pf_span(HALF, sizeof(HALF)), out), "row 2 has half"));
	assert_non_null(strstr(read_all(pf_span(ODD, sizeof(ODD)), out), "within a character"));
	n = as_utf16("a,b\n", false, raw); /* its mark was lost */
	assert_non_null(strstr(read_all(pf_span(raw + 2, n - 2), out), "UTF-16 without its mark"));
}

/* Cut at every byte: the rows before the cut stay what they are, and nothing is read behind it. */
static void test_cut_at_every_byte(void **state)
{
	char out[SHOWN_MAX];

	(void)state;
	for (size_t i = 0; i < PF_COUNT(FORMS); i++) {
		size_t whole = strlen(FORMS[i].text);

		for (size_t n = 0; n <= whole; n++) {
			(void)read_all(pf_span(FORMS[i].text, n), out);
		}
	}
	for (size_t n = strlen("a,b\n1,2\n"); n <= strlen("a,b\n1,2\n3,\"4\"\n"); n++) {
		(void)read_all(pf_span("a,b\n1,2\n3,\"4\"\n", n), out);
		assert_true(strncmp(out, "[a|b][1|2]", 10) == 0 || strncmp(out, "row 3", 5) == 0);
	}
}

/* Any one byte replaced by any other: an answer comes, whatever it is. */
static void test_every_byte_replaced(void **state)
{
	static const char TEXT[] = "sep=,\r\na,\"b\"\"c\"\r\n1,\xc3\xa4\n";
	char out[SHOWN_MAX], text[sizeof(TEXT)];

	(void)state;
	for (size_t at = 0; at + 1 < sizeof(TEXT); at++) {
		for (int c = 0; c < 256; c++) {
			memcpy(text, TEXT, sizeof(TEXT));
			text[at] = (char)c;
			(void)read_all(pf_span(text, sizeof(TEXT) - 1), out);
		}
	}
}

static void test_too_many_columns(void **state)
{
	char text[2 * PF_CSV_COLUMNS_MAX + 3], out[SHOWN_MAX];

	(void)state;
	memset(text, ',', sizeof(text));
	assert_non_null(strstr(read_all(pf_span(text, sizeof(text)), out), "more than 64 columns"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_forms),
		cmocka_unit_test(test_utf16),
		cmocka_unit_test(test_cut_at_every_byte),
		cmocka_unit_test(test_every_byte_replaced),
		cmocka_unit_test(test_too_many_columns),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
