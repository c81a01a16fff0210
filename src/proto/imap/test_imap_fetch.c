/* FETCH rows: what a listing is made of, and messages. */
#include "proto/imap/test_cases_private.h"

static const struct one_case ROWS[] = {
	{"all",
		"* 1 FETCH (UID 7 FLAGS (\\Seen $x) INTERNALDATE \"17-Jul-1996 02:44:25 -0700\" "
		"RFC822.SIZE 44 MODSEQ (12))",
		"FETCH 1 uid=7 flags (\\Seen,$x) size=44 date=837596665-420 modseq=12"},
	{"another order, lower case", "* 1 fetch (rfc822.size 44 flags () uid 7)",
		"FETCH 1 uid=7 flags () size=44"},
	{"empty", "* 1 FETCH ()", "FETCH 1"},
	{"no blanks", "* 1 FETCH(FLAGS(\\Seen)UID 7)", "FETCH 1 uid=7 flags (\\Seen)"},
	{"many blanks and a tab", "* 1 FETCH  ( UID\t7  FLAGS  ( \\Seen  \\Draft ) )",
		"FETCH 1 uid=7 flags (\\Seen,\\Draft)"},
	{"size negative (MailKit 1838)", "* 1 FETCH (RFC822.SIZE -3 UID 7)", "FETCH 1 uid=7"},
	{"size with a point", "* 1 FETCH (RFC822.SIZE 9.3736e+06 UID 7)", "FETCH 1 uid=7"},
	{"size NIL", "* 1 FETCH (RFC822.SIZE NIL UID 7)", "FETCH 1 uid=7"},
	{"size left out", "* 1 FETCH (RFC822.SIZE UID 7)", "FETCH 1 uid=7"},
	{"size left out at the end", "* 1 FETCH (UID 7 RFC822.SIZE)", "FETCH 1 uid=7"},
	{"size quoted", "* 1 FETCH (RFC822.SIZE \"44\" UID 7)", "FETCH 1 uid=7 size=44"},
	{"size past 2^32", "* 1 FETCH (UID 7 RFC822.SIZE 5000000000)",
		"FETCH 1 uid=7 size=5000000000"},
	{"size past 2^64", "* 1 FETCH (UID 7 RFC822.SIZE 99999999999999999999)", "FETCH 1 uid=7"},
	{"flags NIL", "* 1 FETCH (FLAGS NIL UID 7)", "FETCH 1 uid=7 flags ()"},
	{"flags quoted", "* 1 FETCH (FLAGS (\"\\\\Seen\" \"a b\") UID 7)",
		"FETCH 1 uid=7 flags (\\Seen,a b)"},
	{"one flag quoted, no list", "* 1 FETCH (FLAGS \"\\\\Seen\" UID 7)",
		"FETCH 1 uid=7 flags (\\Seen)"},
	{"flags escaped", "* 1 FETCH (FLAGS (\\Seen \\\\Foo) UID 7)",
		"FETCH 1 uid=7 flags (\\Seen,\\Foo)"},
	{"Zimbra, Gmail: odd flags", "* 1 FETCH (FLAGS (TEST:FLAG211 [a] 5\"d {x} a=%*\xfc) UID 7)",
		"FETCH 1 uid=7 flags (TEST:FLAG211,[a],5\"d,{x},a=%*\xfc)"},
	{"parentheses in a flag", "* 1 FETCH (FLAGS (a(b) \\Seen) UID 7)",
		"FETCH 1 uid=7 flags (a(b),\\Seen)"},
	{"a smile as flag", "* 1 FETCH (FLAGS (:) \\Seen) UID 7)", "FETCH 1 uid=7 flags (:)"},
	{"date NIL", "* 1 FETCH (INTERNALDATE NIL UID 7)", "FETCH 1 uid=7"},
	{"date left out", "* 1 FETCH (UID 7 INTERNALDATE )", "FETCH 1 uid=7"},
	{"Domino: no such date", "* 1 FETCH (INTERNALDATE \"00-Jan-0000 00:00:00 +0000\" UID 7)",
		"FETCH 1 uid=7 odd date=00-Jan-0000 00:00:00 +0000"},
	{"date empty", "* 1 FETCH (INTERNALDATE \"\" UID 7)", "FETCH 1 uid=7 odd date="},
	{"date of one digit", "* 1 FETCH (INTERNALDATE \"7-Aug-1996 12:00:00 +0530\" UID 7)",
		"FETCH 1 uid=7 date=839399400+330"},
	{"MODSEQ without its list", "* 1 FETCH (MODSEQ 12 UID 7)", "FETCH 1 uid=7 modseq=12"},
	{"MODSEQ with blanks", "* 1 FETCH (MODSEQ ( 12 ) UID 7)", "FETCH 1 uid=7 modseq=12"},
	{"Zoho: MODSEQ negative", "* 1 FETCH (MODSEQ (-5) UID 7)", "FETCH 1 uid=7"},
	{"MODSEQ NIL", "* 1 FETCH (MODSEQ NIL UID 7)", "FETCH 1 uid=7"},
	{"Gmail",
		"* 1 FETCH (X-GM-THRID 12 X-GM-MSGID 1278455344230334865 X-GM-LABELS (\\Inbox \"a "
		"b\" "
		"{1}\r\nc) UID 7)",
		"FETCH 1 uid=7 msgid=1278455344230334865 thrid=12 labels (\\Inbox,a b,{1}\r\nc)"},
	{"Domino: parentheses about an item",
		"* 2 FETCH (UID 14935 (ENVELOPE (NIL NIL)) FLAGS (\\Seen))",
		"FETCH 2 uid=14935 flags (\\Seen)"},
	{"too many closing ones behind a structure",
		"* 2 FETCH (BODYSTRUCTURE (\"a\" (NIL))) UID 7)", "FETCH 2 uid=7"},
	{"ENVELOPE of all shapes",
		"* 1 FETCH (ENVELOPE (\"a)\" NIL ((NIL NIL \"x\" {1}\r\n))) \"\\\"(\" a\"b) X 5 "
		"UID "
		"7)",
		"FETCH 1 uid=7"},
	{"BODYSTRUCTURE",
		"* 1 FETCH (BODYSTRUCTURE ((\"text\" \"plain\" NIL NIL NIL \"7bit\" 3 1)) UID 7)",
		"FETCH 1 uid=7"},
	{"BODY without a section is a structure", "* 1 FETCH (BODY (\"text\" NIL) UID 7)",
		"FETCH 1 uid=7"},
	{"BINARY.SIZE", "* 1 FETCH (BINARY.SIZE[1.2] 5 UID 7)", "FETCH 1 uid=7"},
	{"EMAILID (RFC 8474)", "* 1 FETCH (EMAILID (M6d99) THREADID NIL UID 7)", "FETCH 1 uid=7"},
	{"ANNOTATION", "* 1 FETCH (ANNOTATION (/c (value.priv \"x)\" size.priv \"1\")) UID 7)",
		"FETCH 1 uid=7"},
	{"unknown without a value", "* 1 FETCH (X-FLAG UID 7 X-MORE)", "FETCH 1 uid=7"},
	{"unknown literal", "* 1 FETCH (X-NEW {3}\r\na)b Y ~{2}\r\n)) UID 7)", "FETCH 1 uid=7"},
	{"unknown long literal", "* 1 FETCH (X-NEW {11}\r\n01234567890 UID 7)",
		"{?} FETCH 1 uid=7"},
	{"no sequence number fits", "* 5000000000 FETCH (UID 7)", "FETCH 0 uid=7"},
	{"UID of nonsense", "* 1 FETCH (UID x)",
		"14001 at octet 15, a number was expected; FETCH 1 0"},
	{"UID 0", "* 1 FETCH (UID 0 FLAGS ())",
		"14001 at octet 16, a UID from 1 to 4294967295 was expected; FETCH 1 0"},
	{"UID past 2^32", "* 1 FETCH (UID 4294967296)",
		"14001 at octet 25, a UID from 1 to 4294967295 was expected; FETCH 1 0"},
	{"no list", "* 1 FETCH UID 7", "14001 at octet 10, \"(\" was expected; FETCH 1 0"},
	{"a list without its end", "* 1 FETCH (UID 7 FLAGS (\\Seen",
		"14001 at octet 29, \")\" was expected; FETCH 1 7"},
	{"a row without its end", "* 1 FETCH (UID 7 FLAGS (\\Seen)",
		"14001 at octet 30, \")\" was expected; FETCH 1 7"},
	{"a string without its end", "* 1 FETCH (UID 7 ENVELOPE (\"a)",
		"14001 at octet 30, \"\"\" was expected; FETCH 1 7"},
	{"flags of nonsense", "* 1 FETCH (UID 7 FLAGS \\Seen)",
		"14001 at octet 28, a list of flags was expected; FETCH 1 7"},
};

static void fetch_rows(void **state)
{
	(void)state;
	check(ROWS, PF_COUNT(ROWS));
}

static const struct one_case BODIES[] = {
	{"literal", "* 1 FETCH (BODY[] {3}\r\na\n) UID 7)", "FETCH 1 uid=7 body= bytes=a\n)"},
	{"no blank before it", "* 1 FETCH (UID 7 BODY[]{3}\r\nabc)",
		"FETCH 1 uid=7 body= bytes=abc"},
	{"literal8", "* 1 FETCH (UID 7 BODY[] ~{3}\r\na)c)", "FETCH 1 uid=7 body= bytes=a)c"},
	{"non-synchronising", "* 1 FETCH (UID 7 BODY[] {3+}\r\na)c)",
		"FETCH 1 uid=7 body= bytes=a)c"},
	{"quoted", "* 1 FETCH (UID 7 BODY[] \"a\\\"b)\")", "FETCH 1 uid=7 body= bytes=a\"b)"},
	{"quoted and empty", "* 1 FETCH (UID 7 BODY[] \"\")", "FETCH 1 uid=7 body= bytes="},
	{"NIL", "* 1 FETCH (UID 7 BODY[] nil)", "FETCH 1 uid=7 body= bytes=NIL"},
	{"empty literal", "* 1 FETCH (UID 7 BODY[HEADER] {0}\r\n)",
		"FETCH 1 uid=7 body=HEADER bytes="},
	{"Yandex: left out", "* 1 FETCH (UID 7 BODY[2.MIME] {2}\r\n\r\n BODY[2] )",
		"FETCH 1 uid=7 body=2.MIME bytes=\r\n body=2 bytes=NIL"},
	{"left out before another item", "* 1 FETCH (BODY[] UID 7)",
		"FETCH 1 uid=7 body= bytes=NIL"},
	{"partial", "* 1 FETCH (UID 7 BODY[]<0> {1}\r\nx BODY[TEXT]<5.9> \"y\")",
		"FETCH 1 uid=7 body= bytes=x body=TEXT origin=5 bytes=y"},
	{"names of fields",
		"* 1 FETCH (UID 7 BODY[HEADER.FIELDS (\"]\" {4}\r\nFROM Date)] {2}\r\n\r\n)",
		"FETCH 1 uid=7 body=HEADER.FIELDS (\"]\" {4}\r\nFROM Date) bytes=\r\n"},
	{"RFC822", "* 1 FETCH (UID 7 RFC822 {1}\r\nx rfc822.header {1}\r\ny RFC822.TEXT \"z\")",
		"FETCH 1 uid=7 body= bytes=x body=HEADER bytes=y body=TEXT bytes=z"},
	{"BINARY", "* 1 FETCH (UID 7 BINARY[] ~{1}\r\nx BINARY[1]<3> NIL)",
		"FETCH 1 uid=7 binary= bytes=x binary=1 origin=3 bytes=NIL"},
	{"as it was asked", "* 1 FETCH (UID 7 BODY.PEEK[] {1}\r\nx)",
		"FETCH 1 uid=7 body= bytes=x"},
	{"long, UID before", "* 5 FETCH (UID 9 X \"a\\\"b\" BODY[TEXT] {11}\r\n01234567890)",
		"{5 9 part=TEXT} FETCH 5 uid=9 body=TEXT streamed=11"},
	{"long, UID behind", "* 5 FETCH (FLAGS (\\Seen) BODY[] {11}\r\n01234567890 UID 12)",
		"{5 0 part=} FETCH 5 uid=12 flags (\\Seen) body= streamed=11"},
	{"long, in odd blanks", "*  5 FETCH( UID 9 (FLAGS ()) BODY[]{11}\r\n01234567890)",
		"{5 9 part=} FETCH 5 uid=9 flags () body= streamed=11"},
	{"two long ones",
		"* 5 FETCH (BODY[HEADER] {11}\r\n01234567890 UID 9 BODY[TEXT] "
		"{12}\r\n(12345678901)",
		"{5 0 part=HEADER} {5 9 part=TEXT} FETCH 5 uid=9 body=HEADER streamed=11 body=TEXT "
		"streamed=12"},
	{"a short and a long one",
		"* 5 FETCH (BODY[1] {2}\r\n{1 BODY[HEADER.FIELDS ({1}\r\nx)] {11}\r\n01234567890)",
		"{5 0 part=HEADER.FIELDS ({1}\r\nx)} FETCH 5 body=1 bytes={1 body=HEADER.FIELDS "
		"({1}\r\nx) streamed=11"},
	{"more parts than are held",
		"* 1 FETCH (BODY[1] a BODY[1] \"\" BODY[2] \"\" BODY[3] \"\" BODY[4] \"\" "
		"BODY[5] \"\" BODY[6] \"\" BODY[7] \"\" BODY[8] \"\" UID 7)",
		"FETCH 1 uid=7 body=1 bytes=NIL body=1 bytes= body=2 bytes= body=3 bytes= body=4 "
		"bytes= "
		"body=5 bytes= body=6 bytes= body=7 bytes="},
	{"a section without its end", "* 1 FETCH (UID 7 BODY[HEADER {1}\r\nx)",
		"14001 at octet 36, \"]\" was expected; FETCH 1 7"},
	{"a long literal of a section",
		"* 1 FETCH (UID 7 BODY[HEADER.FIELDS ({11}\r\n01234567890)] \"x\")",
		"{?} FETCH 1 uid=7 body=HEADER.FIELDS ({11}\r\n) bytes=x"},
};

static void bodies(void **state)
{
	(void)state;
	check(BODIES, PF_COUNT(BODIES));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(fetch_rows),
		cmocka_unit_test(bodies),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
