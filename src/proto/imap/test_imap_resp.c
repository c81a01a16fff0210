/* Every legal form of what servers say, and the forms that real ones are known to get wrong. */
#include "proto/imap/resp.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

struct one {
	struct pf_arena arena;
	struct pf_imap_resp r;
	struct pf_err err;
	int rc;
};

static void parse(struct one *o, const char *text)
{
	struct pf_imap_piece piece = {.kind = PF_IMAP_PIECE_RESPONSE, .text = pf_span_str(text)};

	pf_arena_init(&o->arena);
	o->rc = pf_imap_resp_parse(&piece, &o->arena, &o->r, &o->err);
}

#define assert_span(s, text)                                                                       \
	do {                                                                                       \
		struct pf_span got_ = (s);                                                         \
		if (!pf_span_eq(got_, pf_span_str(text))) {                                        \
			fail_msg("%.*s is not %s", (int)got_.n, (const char *)got_.p, text);       \
		}                                                                                  \
	} while (0)

static void conditions(void **state)
{
	static const struct {
		const char *text, *tag;
		enum pf_imap_cond cond;
		enum pf_imap_code code;
		uint64_t num;
		const char *args, *says;
	} CASES[] = {
		{"* OK hello", NULL, PF_IMAP_OK, PF_IMAP_CODE_NONE, 0, "", "hello"},
		{"a1 OK", "a1", PF_IMAP_OK, PF_IMAP_CODE_NONE, 0, "", ""},
		{"a1 no [OVERQUOTA] full", "a1", PF_IMAP_NO, PF_IMAP_CODE_OVERQUOTA, 0, "", "full"},
		{"* BYE Connection closed. 14", NULL, PF_IMAP_BYE, PF_IMAP_CODE_NONE, 0, "",
			"Connection closed. 14"},
		{"* OK [UIDVALIDITY 3857529045] UIDs valid", NULL, PF_IMAP_OK,
			PF_IMAP_CODE_UIDVALIDITY, 3857529045, "3857529045", "UIDs valid"},
		{"* OK [PERMANENTFLAGS (\\Seen \\*)] ok", NULL, PF_IMAP_OK,
			PF_IMAP_CODE_PERMANENTFLAGS, 0, "\\Seen \\*", "ok"},
		{"a OK [APPENDUID 38505 3955:3957] done", "a", PF_IMAP_OK, PF_IMAP_CODE_APPENDUID,
			38505, "3955:3957", "done"},
		{"a NO [X-NEW arg] w", "a", PF_IMAP_NO, PF_IMAP_CODE_OTHER, 0, "arg", "w"},
		{"a NO [UIDNEXT x] broken code", "a", PF_IMAP_NO, PF_IMAP_CODE_OTHER, 0, "x",
			"broken code"},
		{"a NO [no end of it", "a", PF_IMAP_NO, PF_IMAP_CODE_NONE, 0, "", "[no end of it"},
		{"* PREAUTH [CAPABILITY IMAP4rev1] hi", NULL, PF_IMAP_PREAUTH,
			PF_IMAP_CODE_CAPABILITY, 0, "IMAP4rev1", "hi"},
	};

	(void)state;
	for (size_t i = 0; i < PF_COUNT(CASES); i++) {
		struct one o;

		parse(&o, CASES[i].text);
		assert_int_equal(o.rc, PF_OK);
		assert_int_equal(o.r.kind, PF_IMAP_COND);
		assert_int_equal(o.r.cond, CASES[i].cond);
		assert_int_equal(o.r.code, CASES[i].code);
		assert_int_equal(o.r.code_num[0], CASES[i].num);
		assert_span(o.r.code_args, CASES[i].args);
		assert_span(o.r.text, CASES[i].says);
		if (CASES[i].tag) {
			assert_span(o.r.tag, CASES[i].tag);
		} else {
			assert_null(o.r.tag.p);
		}
		pf_arena_deinit(&o.arena);
	}
}

static void stray_lines_are_passed_over(void **state)
{
	static const char *const CASES[] = {
		"CAPABILITY completed.", "", "garbage", "* 12 FROBNICATE", "* X-NEW (a b)", "*"};

	(void)state;
	for (size_t i = 0; i < PF_COUNT(CASES); i++) {
		struct one o;

		parse(&o, CASES[i]);
		assert_int_equal(o.rc, PF_OK);
		assert_int_equal(o.r.kind, PF_IMAP_UNKNOWN);
		pf_arena_deinit(&o.arena);
	}
}

static void lists(void **state)
{
	static const struct {
		const char *text, *name;
		char delimiter;
		uint32_t attrs;
	} CASES[] = {
		{"* LIST (\\HasNoChildren) \"/\" INBOX", "INBOX", '/', PF_IMAP_ATTR_HASNOCHILDREN},
		{"* list () nil Flat", "Flat", 0, 0},
		{"* LIST () \"\" x", "x", 0, 0},
		{"* LIST () \"\\\\\" \"a\\\\b\\\"c\"", "a\\b\"c", '\\', 0},
		{"* LIST (\\Noselect \\X-Odd) \".\" {5}\r\na\r\n\"b", "a\r\n\"b", '.',
			PF_IMAP_ATTR_NOSELECT},
		{"* LIST () \"/\" 2023", "2023", '/', 0},
		{"* LIST () \"/\" NIL", "NIL", '/', 0},
		{"* LIST () \"/\" \"\"", "", '/', 0},
		{"* LIST (\\HasNoChildren) \"/\" INBOX/Da\tOggetto", "INBOX/Da\tOggetto", '/',
			PF_IMAP_ATTR_HASNOCHILDREN},
		{"* LIST () \"/\" Two Words [x] (y)", "Two Words [x] (y)", '/', 0},
		{"* LIST () \"/\" raw\xfc", "raw\xfc", '/', 0},
		{"* XLIST (\\HasChildren \\Spam) \"/\" Junk", "Junk", '/',
			PF_IMAP_ATTR_HASCHILDREN | PF_IMAP_ATTR_JUNK},
		{"* LIST (\\Subscribed) \"/\" \"a\" (\"CHILDINFO\" (\"SUBSCRIBED\"))", "a", '/',
			PF_IMAP_ATTR_SUBSCRIBED},
		{"*  LIST  ()  \"/\" a", "a", '/', 0},
	};

	(void)state;
	for (size_t i = 0; i < PF_COUNT(CASES); i++) {
		struct one o;

		parse(&o, CASES[i].text);
		if (o.rc != PF_OK) {
			fail_msg("%s: %s", CASES[i].text, o.err.text);
		}
		assert_int_equal(o.r.kind, PF_IMAP_LIST);
		assert_span(o.r.list.name, CASES[i].name);
		assert_int_equal(o.r.list.delimiter, CASES[i].delimiter);
		assert_int_equal(o.r.list.attrs, CASES[i].attrs);
		pf_arena_deinit(&o.arena);
	}
}

static void fetch_rows(void **state)
{
	static const struct {
		const char *text;
		uint32_t has, uid;
		uint64_t size;
		const char *flags;
	} CASES[] = {
		{"* 1 FETCH (UID 7 FLAGS (\\Seen $x) RFC822.SIZE 44)",
			PF_IMAP_HAS_UID | PF_IMAP_HAS_FLAGS | PF_IMAP_HAS_SIZE, 7, 44, "\\Seen $x"},
		{"* 1 fetch (rfc822.size 44 flags () uid 7)",
			PF_IMAP_HAS_UID | PF_IMAP_HAS_FLAGS | PF_IMAP_HAS_SIZE, 7, 44, ""},
		{"* 1 FETCH (UID 7 RFC822.SIZE -3)", PF_IMAP_HAS_UID, 7, 0, NULL},
		{"* 1 FETCH (UID 7 RFC822.SIZE 9.3736e+06)", PF_IMAP_HAS_UID, 7, 0, NULL},
		{"* 1 FETCH (UID 7 RFC822.SIZE 5000000000)", PF_IMAP_HAS_UID | PF_IMAP_HAS_SIZE, 7,
			5000000000, NULL},
		{"* 1 FETCH (UID 7 FLAGS NIL)", PF_IMAP_HAS_UID | PF_IMAP_HAS_FLAGS, 7, 0, ""},
		{"* 1 FETCH (UID 7 INTERNALDATE NIL)", PF_IMAP_HAS_UID, 7, 0, NULL},
		{"* 1 FETCH (UID 7 MODSEQ (12))", PF_IMAP_HAS_UID | PF_IMAP_HAS_MODSEQ, 7, 0, NULL},
		{"* 1 FETCH (UID 7 MODSEQ 12)", PF_IMAP_HAS_UID | PF_IMAP_HAS_MODSEQ, 7, 0, NULL},
		{"* 1 FETCH (ENVELOPE (\"a)\" NIL ((NIL NIL \"x\" {1}\r\n)))) X-NEW 5 UID 7)",
			PF_IMAP_HAS_UID, 7, 0, NULL},
		{"* 1 FETCH ( UID 7  FLAGS (\\Seen) )", PF_IMAP_HAS_UID | PF_IMAP_HAS_FLAGS, 7, 0,
			"\\Seen"},
		{"* 1 FETCH (BODYSTRUCTURE ((\"text\" \"plain\" NIL NIL NIL \"7bit\" 3 1)) UID 7)",
			PF_IMAP_HAS_UID, 7, 0, NULL},
		{"* 1 FETCH (BINARY.SIZE[1] 5 UID 7)", PF_IMAP_HAS_UID, 7, 0, NULL},
	};

	(void)state;
	for (size_t i = 0; i < PF_COUNT(CASES); i++) {
		struct one o;

		parse(&o, CASES[i].text);
		if (o.rc != PF_OK) {
			fail_msg("%s: %s", CASES[i].text, o.err.text);
		}
		assert_int_equal(o.r.kind, PF_IMAP_FETCH);
		assert_int_equal(o.r.fetch.has, CASES[i].has);
		assert_int_equal(o.r.fetch.uid, CASES[i].uid);
		assert_int_equal(o.r.fetch.size, CASES[i].size);
		if (CASES[i].flags) {
			assert_span(o.r.fetch.flags, CASES[i].flags);
		}
		pf_arena_deinit(&o.arena);
	}
}

static void bodies(void **state)
{
	static const struct {
		const char *text, *section, *bytes;
		bool nil;
	} CASES[] = {
		{"* 1 FETCH (BODY[] {3}\r\nabc UID 7)", "", "abc", false},
		{"* 1 FETCH (UID 7 BODY[] ~{3}\r\na)c)", "", "a)c", false},
		{"* 1 FETCH (UID 7 BODY[] \"a\\\"b\")", "", "a\"b", false},
		{"* 1 FETCH (UID 7 BODY[] \"\")", "", "", false},
		{"* 1 FETCH (UID 7 BODY[] NIL)", "", NULL, true},
		{"* 1 FETCH (UID 7 BODY[]<0> {1}\r\nx)", "", "x", false},
		{"* 1 FETCH (UID 7 BODY[HEADER.FIELDS (\"DATE\" {4}\r\nFROM)] {2}\r\n\r\n)",
			"HEADER.FIELDS (\"DATE\" {4}\r\nFROM)", "\r\n", false},
		{"* 1 FETCH (UID 7 RFC822 {1}\r\nx)", "", "x", false},
		{"* 1 FETCH (UID 7 RFC822.HEADER {1}\r\nx)", "HEADER", "x", false},
		{"* 1 FETCH (UID 7 BINARY[] ~{1}\r\nx)", "", "x", false},
	};

	(void)state;
	for (size_t i = 0; i < PF_COUNT(CASES); i++) {
		struct one o;

		parse(&o, CASES[i].text);
		if (o.rc != PF_OK) {
			fail_msg("%s: %s", CASES[i].text, o.err.text);
		}
		assert_int_equal(o.r.fetch.uid, 7);
		assert_int_equal(o.r.fetch.bodies, 1);
		assert_span(o.r.fetch.body[0].section, CASES[i].section);
		assert_int_equal(o.r.fetch.body[0].nil, CASES[i].nil);
		if (CASES[i].bytes) {
			assert_span(o.r.fetch.body[0].bytes, CASES[i].bytes);
		}
		pf_arena_deinit(&o.arena);
	}
}

static void long_literals_are_known_by_their_place(void **state)
{
	static const char TEXT[] = "* 5 FETCH (FLAGS (\\Seen) BODY[] {900000}\r\n UID 12)";
	struct pf_imap_cut cut = {.at = 42, .size = 900000};
	struct pf_imap_piece piece = {.text = pf_span_str(TEXT), .cuts = &cut, .cut_count = 1};
	struct pf_arena arena;
	struct pf_imap_resp r;
	struct pf_err err;
	struct pf_span section;
	uint32_t seq, uid;

	(void)state;
	pf_arena_init(&arena);
	assert_int_equal(pf_imap_resp_parse(&piece, &arena, &r, &err), PF_OK);
	assert_int_equal(r.fetch.uid, 12);
	assert_true(r.fetch.body[0].streamed);
	assert_int_equal(r.fetch.body[0].size, 900000);
	pf_arena_deinit(&arena);
	assert_true(pf_imap_fetch_peek(pf_span(TEXT, 42), &seq, &uid, &section));
	assert_int_equal(seq, 5);
	assert_int_equal(uid, 0);
	assert_true(
		pf_imap_fetch_peek(pf_span_str("* 5 FETCH (UID 9 X \"a\\\"b\" BODY[TEXT] {9}\r\n"),
			&seq, &uid, &section));
	assert_int_equal(uid, 9);
	assert_span(section, "TEXT");
	assert_false(
		pf_imap_fetch_peek(pf_span_str("* LIST () \"/\" {9}\r\n"), &seq, &uid, &section));
}

static void other_data(void **state)
{
	struct one o;
	uint64_t a, b;

	(void)state;
	parse(&o, "* STATUS blurdy bloop (UIDNEXT 44292 X-NEW (a) MESSAGES 231 APPENDLIMIT NIL)");
	assert_int_equal(o.rc, PF_OK);
	assert_span(o.r.status.name, "blurdy bloop");
	assert_int_equal(o.r.status.uidnext, 44292);
	assert_int_equal(o.r.status.messages, 231);
	assert_true(o.r.status.appendlimit == UINT64_MAX);
	pf_arena_deinit(&o.arena);
	parse(&o, "* NAMESPACE ((\"INBOX.\" \".\" \"X-PARAM\" (\"a\" \"b\"))) NIL ((\"#a/\" "
		  "\"/\")(\"b\" NIL))");
	assert_int_equal(o.rc, PF_OK);
	assert_int_equal(o.r.ns.personals, 1);
	assert_span(o.r.ns.personal[0].prefix, "INBOX.");
	assert_int_equal(o.r.ns.others, 0);
	assert_int_equal(o.r.ns.shareds, 2);
	pf_arena_deinit(&o.arena);
	parse(&o, "* SEARCH 2 3 6 (MODSEQ 917162500)");
	assert_span(o.r.search.numbers, "2 3 6");
	assert_int_equal(o.r.search.modseq, 917162500);
	pf_arena_deinit(&o.arena);
	parse(&o, "* SEARCH");
	assert_int_equal(o.rc, PF_OK);
	pf_arena_deinit(&o.arena);
	parse(&o, "* ESEARCH (TAG \"A285\") UID COUNT 17 ALL 4:18,21 X-NEW (1 2)");
	assert_int_equal(o.rc, PF_OK);
	assert_span(o.r.search.numbers, "4:18,21");
	assert_int_equal(o.r.search.count, 17);
	pf_arena_deinit(&o.arena);
	parse(&o, "* VANISHED (EARLIER) 300:310,405");
	assert_true(o.r.search.earlier);
	assert_true(pf_imap_set_next(&o.r.search.numbers, &a, &b));
	assert_int_equal(a, 300);
	assert_int_equal(b, 310);
	assert_true(pf_imap_set_next(&o.r.search.numbers, &a, &b));
	assert_int_equal(b, 405);
	assert_false(pf_imap_set_next(&o.r.search.numbers, &a, &b));
	pf_arena_deinit(&o.arena);
	parse(&o, "* QUOTA \"\" (STORAGE 10 512 MESSAGE 1 9)");
	assert_int_equal(o.r.quota.limit_kib, 512);
	pf_arena_deinit(&o.arena);
}

static void unreadable_ones_are_14001(void **state)
{
	static const char *const CASES[] = {
		"* 1 FETCH (UID x)",
		"* 1 FETCH (UID 0)",
		"* 1 FETCH UID 7",
		"* 1 FETCH (FLAGS (\\Seen",
		"* LIST \"/\" x",
		"* LIST () \"/\"",
		"* STATUS x",
		"* 99999999999999999999 EXISTS",
		"* 1 FETCH (BODY[] {5}\r\nabc",
		"* NAMESPACE",
		"* ESEARCH COUNT x",
	};

	(void)state;
	for (size_t i = 0; i < PF_COUNT(CASES); i++) {
		struct one o;

		parse(&o, CASES[i]);
		if (o.rc != PF_FAIL) {
			fail_msg("%s was taken", CASES[i]);
		}
		assert_int_equal(o.err.number, 14001);
		assert_int_equal(o.err.scope, PF_SCOPE_ITEM);
		assert_non_null(strstr(o.err.text, "octet"));
		pf_arena_deinit(&o.arena);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(conditions),
		cmocka_unit_test(stray_lines_are_passed_over),
		cmocka_unit_test(lists),
		cmocka_unit_test(fetch_rows),
		cmocka_unit_test(bodies),
		cmocka_unit_test(long_literals_are_known_by_their_place),
		cmocka_unit_test(other_data),
		cmocka_unit_test(unreadable_ones_are_14001),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
