/* What becomes of properties, and addresses of people whatever their form. */
#include "convert/mapi_names.h"
#include "convert/mapi_ways.h"

#include "model/mapi_tags.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static void assert_text(struct pf_span got, const char *want)
{
	if (!want) {
		assert_null(got.p);
		return;
	}
	if (!pf_span_eq(got, pf_span_str(want))) {
		fail_msg("%.*s, not %s", (int)got.n, (const char *)got.p, want);
	}
}

static void each_property_has_one_fate(void **state)
{
	struct pf_arena arena;
	struct pf_mapi_losses l;
	struct pf_mapi_name location = {pf_set_appointment, 0x8208, {0}};
	struct pf_mapi_name words = {pf_set_strings, 0, pf_span_str("Key\nwords")};
	struct pf_mapi_item *item;
	char name[64];
	struct pf_err err;
	/* id, number, fate at the end */
	static const struct {
		uint16_t id;
		int64_t number;
	} PROPS[] = {{PF_TAG_IMPORTANCE, 2}, {PF_TAG_SENSITIVITY, 1}, {0x0E08, 4711}, {0x6001, 0},
		{0x6001, 5}};

	(void)state;
	pf_arena_init(&arena);
	item = pf_mapi_new(&arena);
	for (size_t i = 0; i < PF_COUNT(PROPS); i++) {
		*pf_mapi_add(item, &item->props) = (struct pf_mapi_prop){.id = PROPS[i].id,
			.value = {.type = PF_MAPI_I32, .number = PROPS[i].number}};
	}
	pf_mapi_losses_init(&l, &arena);
	assert_non_null(
		pf_mapi_use(&l, PF_MAPI_MAPPED, pf_mapi_tag(&item->props, PF_TAG_IMPORTANCE)));
	(void)pf_mapi_use(&l, PF_MAPI_KEPT, pf_mapi_tag(&item->props, PF_TAG_IMPORTANCE));
	(void)pf_mapi_use(&l, PF_MAPI_MAPPED, pf_mapi_tag(&item->props, PF_TAG_SENSITIVITY));
	assert_null(pf_mapi_use(&l, PF_MAPI_KEPT, pf_mapi_tag(&item->props, PF_TAG_SUBJECT)));
	for (int i = 0; i < 200; i++) {
		pf_mapi_odd(&l, "odd %d \x01", i);
	}
	assert_int_equal(pf_mapi_losses_end(&l, &item->props, &err), PF_OK);
	assert_int_equal(l.n, PF_COUNT(PROPS));
	assert_int_equal(pf_mapi_losses_count(&l, PF_MAPI_KEPT), 1);
	assert_int_equal(pf_mapi_losses_count(&l, PF_MAPI_MAPPED), 1);
	assert_int_equal(pf_mapi_losses_count(&l, PF_MAPI_IDLE), 2); /* a size, and a zero */
	assert_int_equal(pf_mapi_losses_count(&l, PF_MAPI_LOST), 1);
	assert_int_equal(l.odd_n, 200);
	assert_text(l.odd[199], "odd 199 \\x01");

	assert_string_equal(
		pf_mapi_prop_name(&item->props.v[0], name, sizeof(name)), "PidTag 0x0017");
	item->props.v[0].name = &location;
	assert_string_equal(
		pf_mapi_prop_name(&item->props.v[0], name, sizeof(name)), "Appointment 0x8208");
	item->props.v[0].name = &words;
	assert_string_equal(pf_mapi_prop_name(&item->props.v[0], name, sizeof(name)),
		"PublicStrings Key\\x0awords");
	pf_arena_deinit(&arena);
}

static bool resolve(void *ctx, struct pf_span type, struct pf_span address, struct pf_span *smtp)
{
	if (!pf_span_is(type, "EX") || !pf_span_is(address, "/o=Org/ou=S 1/cn=Ann")) {
		return false;
	}
	*smtp = pf_span_str(ctx);
	return true;
}

#define ANN "/O=ORG/OU=S 1/CN=ANN"
#define BOB "/o=Org/cn=Bob_x"

static void addresses(void **state)
{
	static const struct {
		const char *smtp, *type, *address, *want;
		uint32_t unresolved;
	} CASES[] = {
		{NULL, "SMTP", "ann@x.example", "ann@x.example", 0},
		{NULL, NULL, " <ann@x.example>\r\n", "ann@x.example", 0},
		{"ann@x.example", "EX", BOB, "ann@x.example", 0},
		{NULL, "EX", ANN, "ann@y.example", 0},
		{"no address", "EX", ANN, "ann@y.example", 0},
		{NULL, NULL, ANN, "ann@y.example", 0},
		{NULL, "EX", BOB, "IMCEAEX-_o=Org_cn=Bob+5Fx@own.example", 1},
		{NULL, "SMTP", "IMCEAEX-_O=ORG_OU=S+201_CN=ANN@z.example", "ann@y.example", 0},
		{"imceaex-_O=ORG_CN=ZOE@z.example", "EX", BOB, "imceaex-_O=ORG_CN=ZOE@z.example",
			1},
		{NULL, "FAX", "+49 30", "IMCEAFAX-+2B49+2030@own.example", 1},
		{NULL, "SMTP", "a@b\r\nATTENDEE:x", "IMCEASMTP-a+40b+0D+0AATTENDEE+3Ax@own.example",
			1},
		{NULL, "SMTP", "", NULL, 0},
		{NULL, "EX", NULL, NULL, 0},
	};
	char ann[] = "ann@y.example";
	const struct pf_mapi_ways ways = {
		.owner = pf_span_str("owner@own.example"), .resolve = resolve, .ctx = ann};
	struct pf_mapi_losses l;
	struct pf_arena arena;
	struct pf_span out;
	struct pf_err err;

	(void)state;
	pf_arena_init(&arena);
	for (size_t i = 0; i < PF_COUNT(CASES); i++) {
		const struct pf_mapi_person who = {.smtp = pf_span_str(CASES[i].smtp),
			.type = pf_span_str(CASES[i].type),
			.address = pf_span_str(CASES[i].address)};

		pf_mapi_losses_init(&l, &arena);
		assert_int_equal(pf_mapi_address(&ways, &l, &who, &out, &err), PF_OK);
		assert_text(out, CASES[i].want);
		assert_int_equal(l.unresolved, CASES[i].unresolved);
	}
	pf_arena_deinit(&arena);
}

static void an_address_without_end_is_left_out(void **state)
{
	struct pf_mapi_person who = {.type = pf_span_str("EX")};
	const struct pf_mapi_ways ways = {0};
	struct pf_mapi_losses l;
	struct pf_arena arena;
	struct pf_span out;
	struct pf_err err;
	char text[5000];

	(void)state;
	pf_arena_init(&arena);
	pf_mapi_losses_init(&l, &arena);
	memset(text, '/', sizeof(text));
	who.address = pf_span(text, sizeof(text));
	assert_int_equal(pf_mapi_address(&ways, &l, &who, &out, &err), PF_OK);
	assert_text(out, NULL);
	assert_int_equal(l.odd_n, 1);
	who.address.n = 2; /* and nobody's domain is known */
	assert_int_equal(pf_mapi_address(&ways, &l, &who, &out, &err), PF_OK);
	assert_text(out, "IMCEAEX-__@unresolved.invalid");
	assert_int_equal(l.unresolved, 2);
	pf_arena_deinit(&arena);
}

static enum pf_fate fate_in(const struct pf_fates *fates, const char *what)
{
	for (size_t i = 0; i < fates->n; i++) {
		if (pf_span_is(fates->v[i].what, what)) {
			return fates->v[i].fate;
		}
	}
	fail_msg("%s is not told", what);
	return PF_FATE_KEPT;
}

static void fates_are_told_once_and_bounded(void **state)
{
	enum { MANY = 3000, FIRST = 0x6800 };
	struct pf_mapi_person who = {.type = pf_span_str("EX"), .address = pf_span_str("/o=X")};
	const struct pf_mapi_ways ways = {0};
	struct pf_mapi_losses l;
	struct pf_mapi_item *item;
	struct pf_arena arena;
	struct pf_fates fates;
	struct pf_span out;
	struct pf_err err;

	(void)state;
	pf_arena_init(&arena);
	item = pf_mapi_new(&arena);
	for (int twice = 0; twice < 2; twice++) { /* as exceptions repeat what their series has */
		*pf_mapi_add(item, &item->props) = (struct pf_mapi_prop){
			.id = PF_TAG_IMPORTANCE, .value = {.type = PF_MAPI_I32, .number = 2}};
	}
	pf_mapi_losses_init(&l, &arena);
	(void)pf_mapi_use(&l, PF_MAPI_KEPT, &item->props.v[0].value);
	(void)pf_mapi_use(&l, PF_MAPI_KEPT, &item->props.v[1].value);
	assert_int_equal(pf_mapi_fates(&l, &arena, &fates, &err), PF_OK);
	assert_int_equal(fates.n, 1);
	assert_int_equal(fate_in(&fates, "PidTag 0x0017 Importance"), PF_FATE_KEPT);
	assert_null(fates.odd.p);

	for (int i = 0; i < MANY; i++) {
		*pf_mapi_add(item, &item->props) = (struct pf_mapi_prop){
			.id = (uint16_t)(FIRST + i), .value = {.type = PF_MAPI_I32, .number = 1}};
	}
	pf_mapi_losses_init(&l, &arena);
	for (int i = 0; i < 100; i++) {
		pf_mapi_odd(&l, "an attached item was left out");
		assert_int_equal(pf_mapi_address(&ways, &l, &who, &out, &err), PF_OK);
	}
	assert_int_equal(pf_mapi_losses_end(&l, &item->props, &err), PF_OK);
	assert_int_equal(pf_mapi_fates(&l, &arena, &fates, &err), PF_OK);
	assert_int_equal(fates.n, PF_MAPI_FATES_MAX + 2);
	assert_int_equal(fate_in(&fates, "(further properties)"), PF_FATE_LOST);
	assert_int_equal(fate_in(&fates, "/o=X"), PF_FATE_UNRESOLVED);
	assert_int_equal(fate_in(&fates, "(further addresses)"), PF_FATE_UNRESOLVED);
	assert_text(fates.odd, "an attached item was left out");
	pf_arena_deinit(&arena);
}

static void made_uids_stay(void **state)
{
	struct pf_mapi_ways ways = {.key = pf_span_str("store/folder/1")};
	char a[PF_UUID_TEXT], b[PF_UUID_TEXT];

	(void)state;
	pf_mapi_made_uid(&ways, a);
	pf_mapi_made_uid(&ways, b);
	assert_string_equal(a, b);
	ways.key = pf_span_str("store/folder/2");
	pf_mapi_made_uid(&ways, b);
	assert_string_not_equal(a, b);
}

static void properties_have_their_names(void **state)
{
	static const struct {
		const struct pf_guid *set;
		uint16_t number;
		const char *name;
	} CASES[] = {
		{NULL, 0x0002, "AlternateRecipientAllowed"},
		{NULL, 0x3008, "LastModificationTime"},
		{NULL, 0x7FFF, "AttachmentContactPhoto"},
		{NULL, 0x0001, NULL},
		{NULL, 0x85BF, NULL},
		{&pf_set_common, 0x85BF, "ValidFlagStringProof"},
		{&pf_set_common, 0x8501, "ReminderDelta"},
		{&pf_set_appointment, 0x8260, "AppointmentTimeZoneDefinitionRecur"},
		{&pf_set_appointment, 0x8501, NULL},
		{&pf_set_task, 0x8129, "TaskOwnership"},
		{&pf_set_address, 0x8083, "Email1EmailAddress"},
		{&pf_set_meeting, 0x0023, "CleanGlobalObjectId"},
		{&pf_set_note, 0x8B00, "NoteColor"},
		{&pf_set_log, 0x8700, "LogType"},
		{&pf_set_strings, 0x8700, NULL},
	};

	(void)state;
	for (size_t i = 0; i < PF_COUNT(CASES); i++) {
		struct pf_mapi_name name = {.number = CASES[i].number};
		struct pf_mapi_prop p = {.id = CASES[i].set ? 0x8000 : CASES[i].number};
		const char *known;

		if (CASES[i].set) {
			name.set = *CASES[i].set;
			p.name = &name;
		}
		known = pf_mapi_known_name(&p);
		if (!CASES[i].name) {
			assert_null(known);
			continue;
		}
		assert_non_null(known);
		assert_string_equal(known, CASES[i].name);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_property_has_one_fate),
		cmocka_unit_test(addresses),
		cmocka_unit_test(an_address_without_end_is_left_out),
		cmocka_unit_test(fates_are_told_once_and_bounded),
		cmocka_unit_test(made_uids_stay),
		cmocka_unit_test(properties_have_their_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
