/* .msg files made by hand: what becomes what, and that what is odd is no more than a note. */
#include "model/mapi_tags.h"
#include "proto/mapi/test_reading_private.h"
#include "proto/msg/msg.h"
#include "proto/msg/test_compound_private.h"

static void read_all(struct read *r, struct maker *m)
{
	read_with(r, pf_msg_read, make(m));
}

static void done(struct read *r, struct maker *m)
{
	pf_arena_deinit(&r->arena);
	maker_deinit(m);
}

static void assert_noted(const struct read *r, const char *part)
{
	for (size_t i = 0; i < r->notes.n && i < PF_MAPI_NOTES_KEPT; i++) {
		if (strstr(r->notes.v[i].text, part)) {
			return;
		}
	}
	fail_msg("no note says \"%s\"", part);
}

#define HEADER_8 "\0\0\0\0\0\0\0\0"
#define HEADER_24 HEADER_8 HEADER_8 HEADER_8
#define HEADER_32 HEADER_24 HEADER_8
#define PROPERTIES "__properties_version1.0"

static void values_of_all_kinds_are_read(void **state)
{
	struct maker m;
	struct read r;

	(void)state;
	maker_init(&m);
	(void)stream(&m, 0, PROPERTIES,
		BYTES(HEADER_32 "\2\0\1\x66\6\0\0\0\xFE\xFF\xCC\xCC\xCC\xCC\xCC\xCC"
				"\x0B\0\2\x66\6\0\0\0\1\0\xCC\xCC\xCC\xCC\xCC\xCC"
				"\x40\0\x39\0\6\0\0\0\0\0\xC0\x8D\xE9\x9F\xC8\1"
				"\x1E\0\x37\0\6\0\0\0\5\0\0\0\0\0\0\0"));
	(void)stream(&m, 0, "__substg1.0_0037001E", BYTES("Caf\xE9"));
	(void)stream(&m, 0, "__substg1.0_1000001F", BYTES("H\0\xFC\0\xAC\x20"));
	(void)stream(&m, 0, "__substg1.0_10130102", BYTES("<p>"));
	(void)stream(&m, 0, "__substg1.0_66030048", BYTES("0123456789abcdef"));
	(void)stream(&m, 0, "__substg1.0_66041003", BYTES("\1\0\0\0\2\0\0\0"));
	(void)stream(&m, 0, "__substg1.0_6605101E", BYTES("\4\0\0\0\2\0\0\0"));
	(void)stream(&m, 0, "__substg1.0_6605101E-00000000", BYTES("Red\0"));
	(void)stream(&m, 0, "__substg1.0_6605101E-00000001", BYTES("\xFC\0"));
	(void)stream(&m, 0, "__substg1.0_66061102", BYTES("\1\0\0\0\0\0\0\0"));
	(void)stream(&m, 0, "__substg1.0_66061102-00000000", BYTES("!"));
	read_all(&r, &m);
	assert_int_equal(r.rc, PF_OK);
	assert_int_equal(r.notes.n, 0);
	assert_number(pf_mapi_tag(&r.item->props, 0x6601), -2);
	assert_true(pf_mapi_true(pf_mapi_tag(&r.item->props, 0x6602)));
	assert_int_equal(pf_mapi_tag(&r.item->props, PF_TAG_CLIENT_SUBMIT_TIME)->filetime,
		UINT64_C(0x01C89FE98DC00000));
	assert_text(pf_mapi_tag(&r.item->props, PF_TAG_SUBJECT), "Caf\xC3\xA9");
	assert_text(pf_mapi_tag(&r.item->props, PF_TAG_BODY), "H\xC3\xBC\xE2\x82\xAC");
	assert_true(
		pf_span_eq(pf_mapi_bytes(pf_mapi_tag(&r.item->props, PF_TAG_HTML)), BYTES("<p>")));
	assert_true(pf_span_eq(
		pf_mapi_bytes(pf_mapi_tag(&r.item->props, 0x6603)), BYTES("0123456789abcdef")));
	assert_int_equal(pf_mapi_tag(&r.item->props, 0x6604)->many.n, 2);
	assert_number(&pf_mapi_tag(&r.item->props, 0x6604)->many.v[1], 2);
	assert_text(&pf_mapi_tag(&r.item->props, 0x6605)->many.v[0], "Red");
	assert_text(&pf_mapi_tag(&r.item->props, 0x6605)->many.v[1], "\xC3\xBC");
	assert_true(pf_span_eq(
		pf_mapi_bytes(&pf_mapi_tag(&r.item->props, 0x6606)->many.v[0]), BYTES("!")));
	assert_int_equal(r.item->props.n, 10);
	done(&r, &m);
}

static void named_properties_get_their_names(void **state)
{
	struct maker m;
	struct read r;
	int names;

	(void)state;
	maker_init(&m);
	(void)stream(&m, 0, PROPERTIES,
		BYTES(HEADER_32 "\3\0\0\x80\6\0\0\0\7\0\0\0\0\0\0\0"
				"\3\0\1\x80\6\0\0\0\x08\0\0\0\0\0\0\0"
				"\3\0\5\x80\6\0\0\0\x09\0\0\0\0\0\0\0"));
	names = storage(&m, 0, "__nameid_version1.0");
	(void)stream(&m, names, "__substg1.0_00020102", pf_span(pf_set_appointment.b, 16));
	(void)stream(&m, names, "__substg1.0_00030102",
		BYTES("\x05\x82\0\0\6\0\0\0" /* number 0x8205, set 3, property 0 */
		      "\0\0\0\0\5\0\1\0"     /* text at 0, PublicStrings, property 1 */
		      "\0\0\0\0\x20\0\2\0"   /* a set that there is not */
		      "\xF0\xFF\xFF\xFF\5\0\3\0" /* a text that there is not */));
	(void)stream(&m, names, "__substg1.0_00040102", BYTES("\4\0\0\0K\0y\0"));
	read_all(&r, &m);
	assert_int_equal(r.rc, PF_OK);
	assert_number(pf_mapi_lid(&r.item->props, &pf_set_appointment, 0x8205), 7);
	assert_number(pf_mapi_named(&r.item->props, &pf_set_strings, "Ky"), 8);
	assert_number(pf_mapi_tag(&r.item->props, 0x8005), 9); /* without a name, but not lost */
	assert_int_equal(r.notes.n, 2);
	assert_noted(&r, "2 names");
	assert_noted(&r, "0x8005");
	done(&r, &m);
}

static void put_recipient(struct maker *m, int at, const char *name, struct pf_span who)
{
	int row = storage(m, at, name);

	(void)stream(m, row, PROPERTIES, BYTES(HEADER_8 "\3\0\x15\x0C\6\0\0\0\1\0\0\0\0\0\0\0"));
	(void)stream(m, row, "__substg1.0_3001001E", who);
}

static void parts_come_in_their_order(void **state)
{
	const struct pf_mapi_attachment *a;
	struct maker m;
	struct read r;
	int file, item, object, within, elsewhere;

	(void)state;
	maker_init(&m);
	(void)stream(&m, 0, PROPERTIES, BYTES(HEADER_32));
	put_recipient(&m, 0, "__recip_version1.0_#00000001", BYTES("Bob"));
	put_recipient(&m, 0, "__recip_version1.0_#00000000", BYTES("Ann"));
	elsewhere = storage(&m, 0, "__attach_version1.0_#00000003");
	(void)stream(
		&m, elsewhere, PROPERTIES, BYTES(HEADER_8 "\3\0\5\x37\6\0\0\0\4\0\0\0\0\0\0\0"));
	object = storage(&m, 0, "__attach_version1.0_#00000002");
	(void)stream(&m, object, PROPERTIES, BYTES(HEADER_8 "\3\0\5\x37\6\0\0\0\6\0\0\0\0\0\0\0"));
	(void)stream(&m, storage(&m, object, "__substg1.0_3701000D"), "CONTENTS", BYTES("ole"));
	item = storage(&m, 0, "__attach_version1.0_#00000001");
	(void)stream(&m, item, PROPERTIES, BYTES(HEADER_8 "\3\0\5\x37\6\0\0\0\5\0\0\0\0\0\0\0"));
	within = storage(&m, item, "__substg1.0_3701000D");
	(void)stream(&m, within, PROPERTIES, BYTES(HEADER_24 "\3\0\1\x66\6\0\0\0\5\0\0\0\0\0\0\0"));
	(void)stream(&m, within, "__substg1.0_0037001E", BYTES("inner"));
	put_recipient(&m, within, "__recip_version1.0_#00000000", BYTES("Eve"));
	file = storage(&m, 0, "__attach_version1.0_#00000000");
	(void)stream(&m, file, PROPERTIES, BYTES(HEADER_8));
	(void)stream(&m, file, "__substg1.0_37010102", BYTES("content"));
	(void)stream(&m, file, "__substg1.0_3707001F", BYTES("a\0"));
	read_all(&r, &m);
	assert_int_equal(r.rc, PF_OK);
	assert_int_equal(r.item->recipients_n, 2);
	assert_text(pf_mapi_tag(&r.item->recipients[0], PF_TAG_DISPLAY_NAME), "Ann");
	assert_number(pf_mapi_tag(&r.item->recipients[1], PF_TAG_RECIPIENT_TYPE), 1);
	assert_int_equal(r.item->attachments_n, 4);
	a = r.item->attachments;
	assert_int_equal(a[0].kind, PF_MAPI_ATTACH_DATA);
	assert_true(pf_span_eq(a[0].data, BYTES("content")));
	assert_null(pf_mapi_tag(&a[0].props, PF_TAG_ATTACH_DATA));
	assert_text(pf_mapi_tag(&a[0].props, PF_TAG_ATTACH_LONG_FILENAME), "a");
	assert_int_equal(a[1].kind, PF_MAPI_ATTACH_ITEM);
	assert_text(pf_mapi_tag(&a[1].item->props, PF_TAG_SUBJECT), "inner");
	assert_number(pf_mapi_tag(&a[1].item->props, 0x6601), 5);
	assert_int_equal(a[1].item->recipients_n, 1);
	assert_int_equal(a[2].kind, PF_MAPI_ATTACH_OLE);
	assert_true(pf_msg_is(a[2].data)); /* a compound file of its own: test_cfb.c */
	assert_int_equal(a[3].kind, PF_MAPI_ATTACH_REFERENCE);
	assert_int_equal(r.notes.n, 0);
	done(&r, &m);
}

static void items_nest_so_deep_and_no_deeper(void **state)
{
	const struct pf_mapi_item *item;
	struct maker m;
	struct read r;
	int at = 0, depth = 1;

	(void)state;
	maker_init(&m);
	(void)stream(&m, 0, PROPERTIES, BYTES(HEADER_32));
	for (int i = 0; i < PF_MSG_DEPTH_MAX + 2; i++) {
		at = storage(&m, at, "__attach_version1.0_#00000000");
		at = storage(&m, at, "__substg1.0_3701000D");
		(void)stream(&m, at, PROPERTIES, BYTES(HEADER_24));
	}
	read_all(&r, &m);
	assert_int_equal(r.rc, PF_OK);
	for (item = r.item; item->attachments[0].item; item = item->attachments[0].item) {
		depth++;
	}
	assert_int_equal(depth, PF_MSG_DEPTH_MAX);
	assert_int_equal(r.notes.n, 1);
	assert_noted(&r, "deeper");
	done(&r, &m);
}

static void what_is_odd_is_a_note(void **state)
{
	static const struct {
		const char *stream, *note;
		struct pf_span bytes;
	} CASES[] = {
		{"__substg1.0_66010099", "unknown type", {(const uint8_t *)"", 0}},
		{"__substg1.0_xyz", "a stream", {(const uint8_t *)"", 0}},
		{"__substg1.0_", "a stream", {(const uint8_t *)"", 0}},
		{"__substg1.0_66030048", "only 3 bytes", {(const uint8_t *)"123", 3}},
		{"__substg1.0_6605101E-00000000", "belongs to none", {(const uint8_t *)"1", 1}},
		{"__substg1.0_6605101E-", "belongs to none", {(const uint8_t *)"1", 1}},
	};

	(void)state;
	for (size_t i = 0; i < PF_COUNT(CASES); i++) {
		struct maker m;
		struct read r;

		maker_init(&m);
		(void)stream(&m, 0, PROPERTIES, BYTES(HEADER_32));
		(void)stream(&m, 0, CASES[i].stream, CASES[i].bytes);
		(void)stream(&m, 0, "__substg1.0_0037001E", BYTES("subject"));
		read_all(&r, &m);
		assert_int_equal(r.rc, PF_OK);
		assert_int_equal(r.notes.n, 1);
		assert_noted(&r, CASES[i].note);
		assert_text(pf_mapi_tag(&r.item->props, PF_TAG_SUBJECT), "subject");
		assert_int_equal(r.item->props.n, 1);
		done(&r, &m);
	}
}

static void a_table_of_odd_length_is_read_as_far_as_it_goes(void **state)
{
	struct maker m;
	struct read r;

	(void)state;
	maker_init(&m);
	(void)stream(&m, 0, PROPERTIES,
		BYTES(HEADER_32 "\3\0\1\x66\6\0\0\0\5\0\0\0\0\0\0\0"
				"\3\0\2\x66\6"));
	read_all(&r, &m);
	assert_int_equal(r.rc, PF_OK);
	assert_int_equal(r.notes.n, 1);
	assert_number(pf_mapi_tag(&r.item->props, 0x6601), 5);
	assert_int_equal(r.item->props.n, 1);
	done(&r, &m);
}

static void a_compound_file_of_another_kind_is_none(void **state)
{
	struct maker m;
	struct read r;

	(void)state;
	maker_init(&m);
	(void)stream(&m, 0, "WordDocument", BYTES("x"));
	read_all(&r, &m);
	assert_int_equal(r.rc, PF_FAIL);
	assert_int_equal(r.err.scope, PF_SCOPE_ITEM);
	done(&r, &m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(values_of_all_kinds_are_read),
		cmocka_unit_test(named_properties_get_their_names),
		cmocka_unit_test(parts_come_in_their_order),
		cmocka_unit_test(items_nest_so_deep_and_no_deeper),
		cmocka_unit_test(what_is_odd_is_a_note),
		cmocka_unit_test(a_table_of_odd_length_is_read_as_far_as_it_goes),
		cmocka_unit_test(a_compound_file_of_another_kind_is_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
