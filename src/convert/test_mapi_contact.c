/* Contacts and distribution lists as vCards. */
#include "convert/mapi_contact.h"
#include "convert/test_item_private.h"

typedef int convert_fn(const struct pf_mapi_item *item, int version,
	const struct pf_mapi_ways *ways, struct pf_mapi_losses *losses, struct pf_buf *out,
	struct pf_err *err);

static struct pf_mapi_value children[] = {TEXT("Tom"), TEXT("Tim")};
static struct pf_mapi_value keywords[] = {TEXT("Friend"), TEXT("a,b")};

#define A &pf_set_address

static const struct given FULL[] = {
	{PF_TAG_MESSAGE_CLASS, NULL, TEXT("IPM.Contact")},
	{PF_TAG_DISPLAY_NAME, NULL, TEXT("Dr. Ann Lee")},
	{0x8005, A, TEXT("Lee, \"Ann\"")},
	{0x3A11, NULL, TEXT("Lee")},
	{0x3A06, NULL, TEXT("Ann")},
	{0x3A45, NULL, TEXT("Dr.")},
	{0x3A4F, NULL, TEXT("Annie")},
	{0x3A16, NULL, TEXT("Acme; Ltd")},
	{0x3A18, NULL, TEXT("R&D")},
	{0x8082, A, TEXT("EX")},
	{0x8083, A, TEXT("/o=Org/cn=Recipients/cn=ann")},
	{0x8092, A, TEXT("SMTP")},
	{0x8093, A, TEXT("lee@example.org")},
	{0x80A2, A, TEXT("EX")},
	{0x80A3, A, TEXT("/o=Org/cn=x")},
	{0x80A4, A, TEXT("third@example.org")},
	{0x3A08, NULL, TEXT("+1 1")},
	{0x3A25, NULL, TEXT("+1 2")},
	{0x3A1C, NULL, TEXT("+1 3")},
	{0x3A1A, NULL, TEXT("+1 4")},
	{0x3A2E, NULL, TEXT("+1 5")},
	{0x8045, A, TEXT("Main St 1")},
	{0x8046, A, TEXT("Town")},
	{0x8049, A, TEXT("UK")},
	{0x801B, A, TEXT("Main St 1\r\nTown")},
	{0x3A59, NULL, TEXT("Home Town")},
	{0x8022, A, NUMBER(2)},
	{0x3A29, NULL, TEXT("Main St 1")},
	{0x3A42, NULL,
		WHEN(346975200)}, /* 1980-12-29T22:00Z: midnight of the 30th, two hours east */
	{0x3A41, NULL, WHEN(961977600)},
	{0x3A51, NULL, TEXT("http://w.example/")},
	{0x8062, A, TEXT("ann@im")},
	{0x3A48, NULL, TEXT("Bob")},
	{0x3A58, NULL, MANY(PF_MAPI_STRING, children)},
	{0x3A4E, NULL, TEXT("Max")},
	{0x804F, A, TEXT("u1")},
	{0x3A19, NULL, TEXT("B 12")},
	{0x3A4D, NULL, NUMBER(1)},
	{PF_TAG_SENSITIVITY, NULL, NUMBER(2)},
	{0x802D, A, TEXT("Li")},
	{PF_TAG_BODY, NULL, TEXT("two\r\nlines")},
	{0x3A70, NULL, BYTES("\3\0\6\0OK")},
	{PF_TAG_LAST_MODIFICATION_TIME, NULL, WHEN(1700000000)},
	{0x8015, A, FLAG(1)},
	{0x6700, NULL, NUMBER(1)},
	{0x3A99, NULL, TEXT("nobody's")},
};

static void convert(convert_fn *fn, const struct pf_mapi_item *item, int version, const char *want,
	struct pf_mapi_losses *losses)
{
	struct pf_err err;
	struct pf_buf out;

	pf_buf_init(&out, 1 << 20);
	pf_mapi_losses_init(losses, item->arena);
	assert_int_equal(fn(item, version, &TEST_WAYS, losses, &out, &err), PF_OK);
	assert_lines(&out, want);
	pf_buf_deinit(&out);
}

static struct pf_mapi_item *full(struct pf_arena *arena)
{
	struct pf_mapi_item *item = make_item(arena, FULL, PF_COUNT(FULL));
	struct pf_mapi_attachment *a;
	static const struct given PHOTO[] = {{PF_TAG_ATTACHMENT_CONTACT_PHOTO, NULL, FLAG(1)}};

	give_named(item, &pf_set_strings, "Keywords",
		(struct pf_mapi_value)MANY(PF_MAPI_STRING, keywords));
	a = pf_mapi_add_attachment(item);
	a->kind = PF_MAPI_ATTACH_DATA;
	a->data = pf_span("\xFF\xD8\xFF", 3);
	give_to(item, &a->props, PHOTO, 1);
	return item;
}

static void a_whole_contact(void **state)
{
	struct pf_mapi_losses losses;
	struct pf_arena arena;
	struct pf_mapi_item *item;

	(void)state;
	pf_arena_init(&arena);
	item = full(&arena);
	convert(pf_mapi_contact, item, 40,
		"BEGIN:VCARD\nVERSION:4.0\nPRODID:-//postferry//postferry//EN\n"
		"UID:urn:uuid:2b2baaad-e650-5e2c-8843-50016cfa6ddb\nREV:20231114T221320Z\nFN:Dr. "
		"Ann Lee\n"
		"N;SORT-AS=\"Lee, ^'Ann^'\":Lee;Ann;;Dr.;\nORG:Acme\\; Ltd;R&D\n"
		"EMAIL;PREF=1:ann@example.com\nEMAIL:lee@example.org\nEMAIL:third@example.org\n"
		"ADR;TYPE=HOME:;;;Home Town;;;\n"
		"ADR;TYPE=WORK;PREF=1;LABEL=Main St 1^nTown:;;Main St 1;Town;;;UK\n"
		"NICKNAME:Annie\nTEL;TYPE=\"work,voice\":+1 1\nTEL;TYPE=cell:+1 3\n"
		"TEL;TYPE=\"home,fax\":+1 2\nTEL;PREF=1:+1 4\nX-MS-TEL;TYPE=ASSISTANT:+1 5\n"
		"URL;TYPE=WORK:http://w.example/\nRELATED;TYPE=spouse;VALUE=text:Bob\n"
		"RELATED;TYPE=child;VALUE=text:Tom\nRELATED;TYPE=child;VALUE=text:Tim\n"
		"X-MS-MANAGER:Max\nX-MS-OFFICE:B 12\nX-MS-IMADDRESS:ann@im\nX-MS-TEXT:u1\n"
		"X-PHONETIC-LAST-NAME:Li\nBDAY:19801230\nANNIVERSARY:20000626\nGENDER:F\n"
		"X-CLASS:PRIVATE\nCATEGORIES:Friend,a\\,b\nNOTE:two\\nlines\n"
		"KEY:data:application/pkix-cert;base64,T0s=\n"
		"PHOTO:data:image/jpeg;base64,/9j/\nEND:VCARD\n",
		&losses);
	assert_int_equal(losses.unresolved, 0);
	assert_int_equal(losses.odd_n, 0);
	assert_int_equal(pf_mapi_losses_count(&losses, PF_MAPI_LOST), 1); /* nobody's */
	convert(pf_mapi_contact, item, 30,
		"BEGIN:VCARD\nVERSION:3.0\nPRODID:-//postferry//postferry//"
		"EN\nUID:2b2baaad-e650-5e2c-8843-50016cfa6ddb\n"
		"REV:20231114T221320Z\nFN:Dr. Ann Lee\nN:Lee;Ann;;Dr.;\n"
		"X-MS-FILEAS:Lee\\, \"Ann\"\nORG:Acme\\; Ltd;R&D\n"
		"EMAIL;TYPE=INTERNET,PREF:ann@example.com\nEMAIL;TYPE=INTERNET:lee@example.org\n"
		"EMAIL;TYPE=INTERNET:third@example.org\nADR;TYPE=HOME:;;;Home Town;;;\n"
		"ADR;TYPE=WORK,PREF:;;Main St 1;Town;;;UK\nLABEL;TYPE=WORK:Main St 1\\nTown\n"
		"NICKNAME:Annie\nTEL;TYPE=WORK,VOICE:+1 1\nTEL;TYPE=CELL:+1 3\n"
		"TEL;TYPE=HOME,FAX:+1 2\nTEL;TYPE=PREF:+1 4\nX-MS-TEL;TYPE=ASSISTANT:+1 5\n"
		"URL;TYPE=WORK:http://w.example/\nX-MS-SPOUSE:Bob\nX-MS-CHILD:Tom\n"
		"X-MS-CHILD:Tim\nX-MS-MANAGER:Max\nX-MS-OFFICE:B 12\nX-MS-IMADDRESS:ann@im\n"
		"X-MS-TEXT:u1\nX-PHONETIC-LAST-NAME:Li\nBDAY:1980-12-30\n"
		"X-MS-ANNIVERSARY:2000-06-26\nX-GENDER:F\nCLASS:PRIVATE\n"
		"CATEGORIES:Friend,a\\,b\nNOTE:two\\nlines\nKEY;ENCODING=b;TYPE=X509:T0s=\n"
		"PHOTO;ENCODING=b;TYPE=JPEG:/9j/\nEND:VCARD\n",
		&losses);
	pf_arena_deinit(&arena);
}

static void little_is_enough(void **state)
{
	static const struct given BARE[] = {{PF_TAG_MESSAGE_CLASS, NULL, TEXT("IPM.Contact")},
		{0x8083, A, TEXT("/o=Org/cn=nobody")}, {0x3A29, NULL, TEXT("Main St 1")},
		{0x801C, A, TEXT("a\001 label")}};
	struct pf_mapi_losses losses;
	struct pf_arena arena;
	struct pf_mapi_item *item;

	(void)state;
	pf_arena_init(&arena);
	item = make_item(&arena, BARE, PF_COUNT(BARE));
	give_named(item, &pf_set_strings, "vCardUID", (struct pf_mapi_value)TEXT("my-uid"));
	convert(pf_mapi_contact, item, 40,
		"BEGIN:VCARD\nVERSION:4.0\nPRODID:-//postferry//postferry//EN\nUID:my-uid\n"
		"FN:/o=Org/cn=nobody\nN:;;;;\n"
		"EMAIL;PREF=1:IMCEAEX-_o=Org_cn=nobody@example.com\n"
		"ADR;LABEL=a label:;;;;;;\nEND:VCARD\n",
		&losses);
	assert_int_equal(losses.unresolved, 1);
	pf_arena_deinit(&arena);
}

#define ONE_OFF "\0\0\0\0\x81\x2B\x1F\xA4\xBE\xA3\x10\x19\x9D\x6E\0\xDD\1\x0F\x54\2\0\0"
#define WRAP "\0\0\0\0\xC0\x91\xAD\xD3\x51\x9D\xCF\x11\xA4\xA9\0\xAA\0\x47\xFA\xA4"
#define DIRECTORY                                                                                  \
	"\0\0\0\0\xDC\xA7\x40\xC8\xC0\x42\x10\x1A\xB4\xB9\x08\0\x2B\x2F\xE1\x82\1\0\0\0\0\0\0\0"

static void a_distribution_list(void **state)
{
	static struct pf_mapi_value members[] = {
		BYTES(WRAP "\0" ONE_OFF "\0\0"
			   "Zoe\0SMTP\0zoe@example.org\0"),
		BYTES(WRAP "\xC3"
			   "an entry id of the store"),
		BYTES(WRAP "\xB5" DIRECTORY "/o=Org/cn=Recipients/cn=ann\0"),
		BYTES(WRAP "\xC4"
			   "another"),
		BYTES("x"),
	};
	static struct pf_mapi_value offs[] = {
		BYTES(""),
		BYTES(ONE_OFF "\0\x80"
			      "B\0o\0b\0\0\0S\0M\0T\0P\0\0\0b\0@\0x\0.\0y\0\0\0"),
		BYTES(""),
		BYTES(ONE_OFF "\0\0"
			      "Inner list\0MAPIPDL\0\0"),
	};
	const struct given LIST[] = {{0x8053, A, TEXT("The team")},
		{0x8055, A, MANY(PF_MAPI_BINARY, members)},
		{0x8054, A, MANY(PF_MAPI_BINARY, offs)}};
	struct pf_mapi_losses losses;
	struct pf_arena arena;
	struct pf_mapi_item *item;

	(void)state;
	pf_arena_init(&arena);
	item = make_item(&arena, LIST, PF_COUNT(LIST));
	convert(pf_mapi_group, item, 40,
		"BEGIN:VCARD\nVERSION:4.0\nPRODID:-//postferry//postferry//EN\n"
		"UID:urn:uuid:2b2baaad-e650-5e2c-8843-50016cfa6ddb\nKIND:group\nFN:The team\nN:The "
		"team;;;;\n"
		"MEMBER;X-CN=Zoe:mailto:zoe@example.org\n"
		"MEMBER;X-CN=Bob:mailto:b@x.y\nMEMBER:mailto:ann@example.com\n"
		"X-POSTFERRY-MEMBER:Inner list\nEND:VCARD\n",
		&losses);
	assert_int_equal(losses.odd_n, 2);
	pf_arena_deinit(&arena);
}

/* The lines of members, and no others. */
static void assert_members(const char *text, const char *want)
{
	char got[400] = "";
	size_t n = 0;

	for (const char *line = text; *line; line = strstr(line, "\r\n") + 2) {
		if (strncmp(line, "MEMBER", 6) == 0) {
			n += (size_t)snprintf(
				got + n, sizeof(got) - n, "%.*s\n", (int)strcspn(line, "\r"), line);
		}
	}
	assert_string_equal(got, want);
}

#define COUNTED(n, s) n "\0\0\0" s

/* Members beyond 15,000 bytes are in a stream, and only there. */
static void a_large_distribution_list(void **state)
{
#define ANN                                                                                        \
	ONE_OFF "\0\0"                                                                             \
		"Ann\0SMTP\0a@x.y\0"
#define STREAM(n) "\1\0\0\0\0\0\0\0\0\0\0\0" n "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"
	static struct pf_mapi_value stale[] = {BYTES(ONE_OFF "\0\0"
							     "Old\0SMTP\0old@x.y\0")};
	static const struct {
		struct pf_mapi_value stream;
		const char *members;
		size_t odd;
	} CASES[] = {
		{BYTES(STREAM("\2") COUNTED("\x27", ANN) COUNTED("\0", "") COUNTED("\0", "")
				 COUNTED("\2", "??") COUNTED("\x27", ANN)
					 COUNTED("\0", "") "\0\0\0\0\0\0\0\0"),
			"MEMBER;X-CN=Ann:mailto:a@x.y\nMEMBER;X-CN=Ann:mailto:a@x.y\n", 0},
		{BYTES(STREAM("\3") COUNTED("\x27", ANN) COUNTED("\0", "") COUNTED("\0", "")
				 COUNTED("\x27", "cut")),
			"MEMBER;X-CN=Ann:mailto:a@x.y\n", 1},
		{BYTES(STREAM("\1")), "MEMBER;X-CN=Old:mailto:old@x.y\n", 1},
		{BYTES("\2"), "MEMBER;X-CN=Old:mailto:old@x.y\n", 0},
	};

	(void)state;
	for (size_t i = 0; i < PF_COUNT(CASES); i++) {
		const struct given LIST[] = {{0x8053, A, TEXT("All")},
			{0x8055, A, MANY(PF_MAPI_BINARY, stale)}, {0x8064, A, CASES[i].stream}};
		struct pf_mapi_losses losses;
		struct pf_arena arena;
		struct pf_err err;
		struct pf_buf out;
		const char *text;

		pf_arena_init(&arena);
		pf_buf_init(&out, 1 << 16);
		pf_mapi_losses_init(&losses, &arena);
		assert_int_equal(pf_mapi_group(make_item(&arena, LIST, PF_COUNT(LIST)), 40,
					 &TEST_WAYS, &losses, &out, &err),
			PF_OK);
		assert_int_equal(pf_buf_cstr(&out, &text, &err), PF_OK);
		assert_int_equal(losses.odd_n, CASES[i].odd);
		assert_members(text, CASES[i].members);
		pf_buf_deinit(&out);
		pf_arena_deinit(&arena);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_whole_contact),
		cmocka_unit_test(little_is_enough),
		cmocka_unit_test(a_distribution_list),
		cmocka_unit_test(a_large_distribution_list),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
