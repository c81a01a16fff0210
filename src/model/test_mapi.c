/* Items of properties: finding them by id and by name, and their strings. */
#include "model/mapi.h"
#include "model/mapi_tags.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static struct pf_mapi_value *put(struct pf_mapi_item *item, struct pf_mapi_props *to, uint16_t id)
{
	struct pf_mapi_prop *p = pf_mapi_add(item, to);

	assert_non_null(p);
	p->id = id;
	return &p->value;
}

static void put_string8(
	struct pf_mapi_item *item, struct pf_mapi_props *to, uint16_t id, const char *bytes)
{
	*put(item, to, id) =
		(struct pf_mapi_value){.type = PF_MAPI_STRING8, .bytes = pf_span_str(bytes)};
}

static void assert_text(struct pf_span got, const char *want)
{
	assert_int_equal(got.n, strlen(want));
	assert_memory_equal(got.p, want, got.n);
}

static void named_ones_are_found_by_name_alone(void **state)
{
	struct pf_arena arena;
	struct pf_mapi_item *item;
	struct pf_mapi_name location = {pf_set_appointment, 0x8208, {0}};
	struct pf_mapi_name keywords = {pf_set_strings, 0, pf_span_str("Keywords")};
	struct pf_mapi_prop *p;

	(void)state;
	pf_arena_init(&arena);
	item = pf_mapi_new(&arena);
	for (uint16_t i = 0; i < 100; i++) { /* more than fit at first */
		put_string8(item, &item->props, (uint16_t)(0x6600 + i), "other");
	}
	p = pf_mapi_add(item, &item->props);
	*p = (struct pf_mapi_prop){.name = &location,
		.value = {.type = PF_MAPI_STRING, .bytes = pf_span("Room 1\0", 7)}};
	p = pf_mapi_add(item, &item->props);
	*p = (struct pf_mapi_prop){
		.name = &keywords, .value = {.type = PF_MAPI_STRING, .bytes = pf_span_str("Red")}};

	assert_text(pf_mapi_text(pf_mapi_lid(&item->props, &pf_set_appointment, 0x8208)), "Room 1");
	assert_null(pf_mapi_lid(&item->props, &pf_set_common, 0x8208));
	assert_null(pf_mapi_tag(&item->props, 0x8208));
	assert_null(pf_mapi_tag(&item->props, 0));
	assert_text(pf_mapi_text(pf_mapi_named(&item->props, &pf_set_strings, "keywords")), "Red");
	assert_text(pf_mapi_text(pf_mapi_tag(&item->props, 0x6600 + 99)), "other");
	pf_arena_deinit(&arena);
}

static void numbers_and_moments(void **state)
{
	struct pf_mapi_value v = {.type = PF_MAPI_I16, .number = -3};
	int64_t n = 0;

	(void)state;
	assert_true(pf_mapi_number(&v, &n));
	assert_int_equal(n, -3);
	v = (struct pf_mapi_value){.type = PF_MAPI_DOUBLE, .real = 0.5};
	assert_true(pf_mapi_number(&v, &n));
	assert_int_equal(n, 0);
	v.real = 1e300;
	assert_false(pf_mapi_number(&v, &n));
	assert_false(pf_mapi_number(NULL, &n));
	v = (struct pf_mapi_value){.type = PF_MAPI_TIME, .filetime = 116444736000000000u};
	assert_true(pf_mapi_unix(&v, &n));
	assert_int_equal(n, 0);
	v.filetime = 1;
	assert_true(pf_mapi_unix(&v, &n)); /* 1601 is a date, and birthdays are kept in it */
	v.filetime = 0;
	assert_false(pf_mapi_unix(&v, &n));
	v.filetime = INT64_MAX;
	assert_false(pf_mapi_unix(&v, &n));
	v.filetime = UINT64_MAX;
	assert_false(pf_mapi_unix(&v, &n));
	v = (struct pf_mapi_value){.type = PF_MAPI_ERROR, .number = (int64_t)0x8004010F};
	assert_false(pf_mapi_true(&v));
}

static void a_class_is_that_of_its_children(void **state)
{
	(void)state;
	assert_true(pf_mapi_is_a(pf_span_str("IPM.Contact"), "IPM.Contact"));
	assert_true(pf_mapi_is_a(pf_span_str("ipm.contact.Acme"), "IPM.Contact"));
	assert_false(pf_mapi_is_a(pf_span_str("IPM.ContactList"), "IPM.Contact"));
	assert_false(pf_mapi_is_a(pf_span_str("IPM"), "IPM.Contact"));
	assert_false(pf_mapi_is_a(pf_span(NULL, 0), "IPM.Contact"));
}

static void strings_are_read_in_the_page_of_their_item(void **state)
{
	struct pf_arena arena;
	struct pf_mapi_item *item, *inner;
	struct pf_mapi_attachment *a;
	struct pf_err err;

	(void)state;
	pf_arena_init(&arena);
	item = pf_mapi_new(&arena);
	put_string8(item, &item->props, PF_TAG_SUBJECT, "\xCF\xF0\xE8\xE2\xE5\xF2");
	*put(item, &item->props, PF_TAG_MESSAGE_CODEPAGE) =
		(struct pf_mapi_value){.type = PF_MAPI_I32, .number = 1251};
	*put(item, &item->props, PF_TAG_INTERNET_CODEPAGE) =
		(struct pf_mapi_value){.type = PF_MAPI_I32, .number = 65001};
	put_string8(item, pf_mapi_add_recipient(item), PF_TAG_DISPLAY_NAME, "\xDF");
	a = pf_mapi_add_attachment(item);
	put_string8(item, &a->props, PF_TAG_ATTACH_FILENAME, "\xDF.txt");
	a->item = inner = pf_mapi_new(&arena);
	put_string8(inner, &inner->props, PF_TAG_SUBJECT, "\xDF\0");
	assert_int_equal(pf_mapi_decode_all(item, 0, &err), PF_OK);
	assert_text(pf_mapi_text(pf_mapi_tag(&item->props, PF_TAG_SUBJECT)), "Привет");
	assert_text(pf_mapi_text(pf_mapi_tag(&item->recipients[0], PF_TAG_DISPLAY_NAME)), "Я");
	assert_text(pf_mapi_text(pf_mapi_tag(&a->props, PF_TAG_ATTACH_FILENAME)), "Я.txt");
	assert_text(pf_mapi_text(pf_mapi_tag(&inner->props, PF_TAG_SUBJECT)), "Я");
	pf_arena_deinit(&arena);
}

static void every_byte_is_some_text(void **state)
{
	static const struct {
		uint32_t page;
		const char *bytes, *text;
	} CASES[] = {
		{0, "\x80 caf\xE9 \x81", "€ café \xC2\x81"},
		{932, "\x93\xFA\x96{", "日本"},
		{65001, "caf\xC3\xA9", "café"},
		{65001, "caf\xE9", "café"}, /* not what it says */
		{54321, "caf\xE9", "café"}, /* nobody knows this page */
		{28605, "\xA4", "€"},
		{50220, "\x1B$BF|\x1B(B", "日"},
		{20127, "caf\xE9", "café"},
		{437, "\x81", "ü"},
		{850, "\x81", "ü"},
	};
	struct pf_arena arena;
	struct pf_span out;
	struct pf_err err;

	(void)state;
	pf_arena_init(&arena);
	for (size_t i = 0; i < PF_COUNT(CASES); i++) {
		assert_int_equal(pf_mapi_decode(&arena, CASES[i].page, pf_span_str(CASES[i].bytes),
					 &out, &err),
			PF_OK);
		assert_text(out, CASES[i].text);
	}
	assert_int_equal(pf_mapi_decode(&arena, 1252, pf_span(NULL, 0), &out, &err), PF_OK);
	assert_int_equal(out.n, 0);
	pf_arena_deinit(&arena);
}

static void utf16_with_halves_of_pairs(void **state)
{
	static const uint8_t BYTES[] = {
		'a', 0, 0x3D, 0xD8, 0x00, 0xDE, 0x3D, 0xD8, 'b', 0, 0x00, 0xDC, 0, 0, 'c', 0};
	struct pf_arena arena;
	struct pf_span out;
	struct pf_err err;

	(void)state;
	pf_arena_init(&arena);
	assert_int_equal(pf_mapi_utf16(&arena, pf_span(BYTES, sizeof(BYTES)), &out, &err), PF_OK);
	assert_text(out, "a\xF0\x9F\x98\x80\xEF\xBF\xBD"
			 "b\xEF\xBF\xBD");
	assert_int_equal(pf_mapi_utf16(&arena, pf_span("x", 1), &out, &err), PF_OK);
	assert_int_equal(out.n, 0);
	pf_arena_deinit(&arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(named_ones_are_found_by_name_alone),
		cmocka_unit_test(numbers_and_moments),
		cmocka_unit_test(a_class_is_that_of_its_children),
		cmocka_unit_test(strings_are_read_in_the_page_of_their_item),
		cmocka_unit_test(every_byte_is_some_text),
		cmocka_unit_test(utf16_with_halves_of_pairs),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
