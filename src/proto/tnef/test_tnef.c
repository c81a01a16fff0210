/* TNEF streams made by hand: what becomes what, and that nothing broken is more than a note. */
#include "base/buf.h"
#include "model/mapi_tags.h"
#include "proto/mapi/test_reading_private.h"
#include "proto/tnef/tnef.h"

#define BYTES(s) pf_span((s), sizeof(s) - 1)

static void put(struct pf_buf *b, struct pf_span bytes)
{
	struct pf_err err;

	assert_int_equal(pf_buf_add(b, bytes, &err), PF_OK);
}

static void put_le(struct pf_buf *b, uint64_t number, size_t n)
{
	uint8_t p[8];

	for (size_t i = 0; i < n; i++) {
		p[i] = (uint8_t)(number >> 8 * i);
	}
	put(b, pf_span(p, n));
}

static void put_padded(struct pf_buf *b, struct pf_span bytes)
{
	put_le(b, bytes.n, 4);
	put(b, bytes);
	put(b, pf_span("\0\0\0", (4 - bytes.n % 4) % 4));
}

static void begin(struct pf_buf *b)
{
	pf_buf_init(b, 1 << 20);
	put_le(b, 0x223E9F78, 4);
	put_le(b, 1, 2);
}

static void attribute(struct pf_buf *b, unsigned level, uint32_t id, struct pf_span data)
{
	unsigned sum = 0;

	put_le(b, level, 1);
	put_le(b, id, 4);
	put_le(b, data.n, 4);
	put(b, data);
	for (size_t i = 0; i < data.n; i++) {
		sum += data.p[i];
	}
	put_le(b, sum, 2);
}

static void attribute_of(struct pf_buf *b, unsigned level, uint32_t id, struct pf_buf *data)
{
	attribute(b, level, id, pf_buf_span(data));
	pf_buf_deinit(data);
}

/* The head of a property; the value is put by the caller. */
static void tag(struct pf_buf *b, unsigned type, unsigned id)
{
	put_le(b, type, 2);
	put_le(b, id, 2);
}

static void list(struct pf_buf *b, uint32_t count)
{
	pf_buf_init(b, 1 << 20);
	put_le(b, count, 4);
}

static void read_all(struct read *r, struct pf_span in)
{
	read_with(r, pf_tnef_read, in);
}

static void assert_note(const struct read *r, size_t at, const char *part)
{
	for (size_t i = 0; i < r->notes.n && i < PF_MAPI_NOTES_KEPT; i++) {
		if (strstr(r->notes.v[i].text, part)) {
			assert_int_equal(r->notes.v[i].at, at);
			return;
		}
	}
	fail_msg("no note says \"%s\"", part);
}

static void attributes_of_old_stand_for_properties(void **state)
{
	static const struct {
		uint32_t id;
		uint16_t tag;
		struct pf_span data;
		const char *text; /* or else a number */
		int64_t number;
	} CASES[] = {
		{0x00018004, PF_TAG_SUBJECT, {(const uint8_t *)"Caf\xC3\xA9\0", 6}, "Caf\xC3\xA9",
			0},
		{0x0002800C, PF_TAG_BODY, {(const uint8_t *)"Hello", 5}, "Hello", 0},
		{0x00070006, PF_TAG_ORIGINAL_MESSAGE_CLASS, {(const uint8_t *)"IPM.Task\0", 9},
			"IPM.Task", 0},
		{0x0004800D, PF_TAG_IMPORTANCE, {(const uint8_t *)"\1\0", 2}, NULL, 2},
		{0x0004800D, PF_TAG_IMPORTANCE, {(const uint8_t *)"\2\0", 2}, NULL, 1},
		{0x0004800D, PF_TAG_IMPORTANCE, {(const uint8_t *)"\3\0", 2}, NULL, 0},
		{0x00068007, PF_TAG_MESSAGE_FLAGS, {(const uint8_t *)"\xA1", 1}, NULL, 1 + 16},
		{0x00068007, PF_TAG_MESSAGE_FLAGS, {(const uint8_t *)"\x06", 1}, NULL, 2 + 4 + 8},
		{0x00050008, PF_TAG_OWNER_APPOINTMENT_ID, {(const uint8_t *)"\xFF\xFF\xFF\xFF", 4},
			NULL, -1},
		{0x00040009, PF_TAG_RESPONSE_REQUESTED, {(const uint8_t *)"\1\0", 2}, NULL, 1},
	};

	(void)state;
	for (size_t i = 0; i < PF_COUNT(CASES); i++) {
		const struct pf_mapi_value *v;
		struct pf_buf b;
		struct read r;

		begin(&b);
		attribute(&b, 1, 0x00069007, BYTES("\xE9\xFD\0\0\0\0\0\0")); /* UTF-8 */
		attribute(&b, 1, CASES[i].id, CASES[i].data);
		read_all(&r, pf_buf_span(&b));
		assert_int_equal(r.rc, PF_OK);
		assert_int_equal(r.notes.n, 0);
		v = pf_mapi_tag(&r.item->props, CASES[i].tag);
		if (CASES[i].text) {
			assert_text(v, CASES[i].text);
		} else {
			assert_number(v, CASES[i].number);
		}
		pf_arena_deinit(&r.arena);
		pf_buf_deinit(&b);
	}
}

static void classes_have_names_of_today(void **state)
{
	static const char *const CASES[][2] = {
		{"IPM.Microsoft Mail.Note", "IPM.Note"},
		{"IPM.Microsoft Schedule.MtgReq", "IPM.Schedule.Meeting.Request"},
		{"IPM.Microsoft Schedule.MtgRespP", "IPM.Schedule.Meeting.Resp.Pos"},
		{"IPM.Microsoft Schedule.MtgCncl", "IPM.Schedule.Meeting.Canceled"},
		{"IPM.Appointment", "IPM.Appointment"},
	};

	(void)state;
	for (size_t i = 0; i < PF_COUNT(CASES); i++) {
		struct pf_buf b;
		struct read r;

		begin(&b);
		attribute(&b, 1, 0x00078008, pf_span(CASES[i][0], strlen(CASES[i][0]) + 1));
		read_all(&r, pf_buf_span(&b));
		assert_true(pf_span_is(pf_mapi_class(r.item), CASES[i][1]));
		pf_arena_deinit(&r.arena);
		pf_buf_deinit(&b);
	}
}

static void keys_and_people_of_old_are_taken_apart(void **state)
{
	struct pf_buf b;
	struct pf_span key;
	struct read r;

	(void)state;
	begin(&b);
	attribute(&b, 1, 0x00018009, BYTES("0aFf10\0"));
	attribute(&b, 1, 0x00008000, BYTES("\4\0\x14\0\4\0\x09\0Ann\0SMTP:a@b\0"));
	attribute(&b, 1, 0x00060000, BYTES("\4\0Bob\0\5\0EX:/x"));
	read_all(&r, pf_buf_span(&b));
	assert_int_equal(r.notes.n, 0);
	key = pf_mapi_bytes(pf_mapi_tag(&r.item->props, PF_TAG_SEARCH_KEY));
	assert_true(pf_span_eq(key, BYTES("\x0A\xFF\x10")));
	assert_text(pf_mapi_tag(&r.item->props, PF_TAG_SENDER_NAME), "Ann");
	assert_text(pf_mapi_tag(&r.item->props, PF_TAG_SENDER_ADDRESS_TYPE), "SMTP");
	assert_text(pf_mapi_tag(&r.item->props, PF_TAG_SENDER_EMAIL), "a@b");
	assert_text(pf_mapi_tag(&r.item->props, PF_TAG_SENT_REPRESENTING_NAME), "Bob");
	assert_text(pf_mapi_tag(&r.item->props, PF_TAG_SENT_REPRESENTING_EMAIL), "/x");
	pf_arena_deinit(&r.arena);
	pf_buf_deinit(&b);
}

static void of_a_response_the_owner_is_who_got_it(void **state)
{
	struct pf_buf b;
	struct read r;

	(void)state;
	begin(&b);
	attribute(&b, 1, 0x00078008, BYTES("IPM.Microsoft Schedule.MtgRespP\0"));
	attribute(&b, 1, 0x00060000, BYTES("\4\0Bob\0\5\0EX:/x"));
	attribute(&b, 1, 0x00060001, BYTES("\4\0Ann\0\5\0EX:/y"));
	read_all(&r, pf_buf_span(&b));
	assert_text(pf_mapi_tag(&r.item->props, PF_TAG_RECEIVED_REPRESENTING_NAME), "Bob");
	assert_text(pf_mapi_tag(&r.item->props, PF_TAG_SENT_REPRESENTING_NAME), "Ann");
	pf_arena_deinit(&r.arena);
	pf_buf_deinit(&b);
}

/* 2008-03-25 10:00, a Tuesday; as FILETIME in UTC an hour earlier. */
static const uint8_t LOCAL[] = {0xD8, 7, 3, 0, 25, 0, 10, 0, 0, 0, 0, 0, 2, 0};
enum { LOCAL_UNIX = 1206439200 };
#define FILETIME(unix_s) (((uint64_t)(unix_s) + 11644473600u) * 10000000u)

static void the_property_list_wins(void **state)
{
	struct pf_buf b, props;
	struct read r;
	int64_t start = 0, end = 0;

	(void)state;
	begin(&b);
	list(&props, 2);
	tag(&props, PF_MAPI_STRING, PF_TAG_SUBJECT);
	put_le(&props, 1, 4);
	put_padded(&props, BYTES("B\0\0\0"));
	tag(&props, PF_MAPI_TIME, PF_TAG_START_DATE);
	put_le(&props, FILETIME(LOCAL_UNIX - 3600), 8);
	attribute(&b, 1, 0x00018004, BYTES("A\0"));
	attribute(&b, 1, 0x00030006, pf_span(LOCAL, sizeof(LOCAL)));
	attribute(&b, 1, 0x00030007, pf_span(LOCAL, sizeof(LOCAL)));
	attribute_of(&b, 1, 0x00069003, &props);
	attribute(&b, 1, 0x0002800C, BYTES("body\0"));
	read_all(&r, pf_buf_span(&b));
	assert_int_equal(r.notes.n, 0);
	assert_text(pf_mapi_tag(&r.item->props, PF_TAG_SUBJECT), "B");
	assert_text(pf_mapi_tag(&r.item->props, PF_TAG_BODY), "body");
	assert_true(pf_mapi_unix(pf_mapi_tag(&r.item->props, PF_TAG_START_DATE), &start));
	assert_int_equal(start, LOCAL_UNIX - 3600);
	assert_true(pf_mapi_unix(pf_mapi_tag(&r.item->props, PF_TAG_END_DATE), &end));
	assert_int_equal(end, LOCAL_UNIX);
	assert_int_equal(r.item->props.n, 4);
	pf_arena_deinit(&r.arena);
	pf_buf_deinit(&b);
}

static void all_types_of_values_are_read(void **state)
{
	const struct pf_mapi_value *v;
	struct pf_buf b, props;
	struct read r;

	(void)state;
	begin(&b);
	list(&props, 8);
	tag(&props, PF_MAPI_I16, 0x6601);
	put_le(&props, 0x1234FFFE, 4); /* padded, with whatever */
	tag(&props, PF_MAPI_DOUBLE, 0x6602);
	put(&props, BYTES("\0\0\0\0\0\0\xF8\x3F"));
	tag(&props, PF_MAPI_GUID, 0x6603);
	put(&props, BYTES("0123456789abcdef"));
	tag(&props, PF_MAPI_BINARY, 0x6604);
	put_le(&props, 1, 4);
	put_padded(&props, BYTES("12345"));
	tag(&props, PF_MAPI_STRING8 | PF_MAPI_MANY, 0x6605);
	put_le(&props, 2, 4);
	put_padded(&props, BYTES("Red\0"));
	put_padded(&props, BYTES("\xFC\0"));
	tag(&props, PF_MAPI_I32 | PF_MAPI_MANY, 0x6606);
	put_le(&props, 3, 4);
	put(&props, BYTES("\1\0\0\0\2\0\0\0\3\0\0\0"));
	tag(&props, PF_MAPI_BOOL, 0x8001);
	put(&props, pf_span(pf_set_appointment.b, 16));
	put_le(&props, 0, 4);
	put_le(&props, 0x8215, 4);
	put_le(&props, 1, 4);
	tag(&props, PF_MAPI_I64, 0x8002);
	put(&props, pf_span(pf_set_strings.b, 16));
	put_le(&props, 1, 4);
	put_padded(&props, BYTES("\xE4\0b\0\0\0"));
	put_le(&props, UINT64_C(0x8000000000000001), 8);
	attribute_of(&b, 1, 0x00069003, &props);
	read_all(&r, pf_buf_span(&b));
	assert_int_equal(r.notes.n, 0);
	assert_int_equal(r.item->props.n, 8);
	assert_number(pf_mapi_tag(&r.item->props, 0x6601), -2);
	assert_true(pf_mapi_tag(&r.item->props, 0x6602)->real == 1.5);
	assert_true(pf_span_eq(
		pf_mapi_bytes(pf_mapi_tag(&r.item->props, 0x6603)), BYTES("0123456789abcdef")));
	assert_true(pf_span_eq(pf_mapi_bytes(pf_mapi_tag(&r.item->props, 0x6604)), BYTES("12345")));
	v = pf_mapi_tag(&r.item->props, 0x6605);
	assert_int_equal(v->type, PF_MAPI_STRING | PF_MAPI_MANY);
	assert_int_equal(v->many.n, 2);
	assert_text(&v->many.v[0], "Red");
	assert_text(&v->many.v[1], "\xC3\xBC"); /* windows-1252 where no page is told */
	v = pf_mapi_tag(&r.item->props, 0x6606);
	assert_int_equal(v->many.n, 3);
	assert_number(&v->many.v[2], 3);
	assert_true(pf_mapi_true(pf_mapi_lid(&r.item->props, &pf_set_appointment, 0x8215)));
	assert_number(pf_mapi_named(&r.item->props, &pf_set_strings,
			      "\xC3\xA4"
			      "b"),
		INT64_MIN + 1);
	pf_arena_deinit(&r.arena);
	pf_buf_deinit(&b);
}

static void recipients_are_rows(void **state)
{
	struct pf_buf b, rows;
	struct read r;

	(void)state;
	begin(&b);
	list(&rows, 3); /* one more than there are */
	for (unsigned i = 1; i <= 2; i++) {
		put_le(&rows, 1, 4);
		tag(&rows, PF_MAPI_I32, PF_TAG_RECIPIENT_TYPE);
		put_le(&rows, i, 4);
	}
	attribute_of(&b, 1, 0x00069004, &rows);
	read_all(&r, pf_buf_span(&b));
	assert_int_equal(r.rc, PF_OK);
	assert_int_equal(r.notes.n, 1);
	assert_int_equal(r.item->recipients_n, 3);
	assert_number(pf_mapi_tag(&r.item->recipients[1], PF_TAG_RECIPIENT_TYPE), 2);
	pf_arena_deinit(&r.arena);
	pf_buf_deinit(&b);
}

static void put_file(struct pf_buf *b, struct pf_span title, struct pf_span data)
{
	attribute(b, 2, 0x00069002, BYTES("\1\0\x07\0\0\0\0\0\0\0\0\0\0\0"));
	attribute(b, 2, 0x0006800F, data);
	attribute(b, 2, 0x00018010, title);
}

/* An attachment that holds `content` behind an interface's id, in its property list. */
static void put_object(struct pf_buf *b, unsigned method, const char *iid, struct pf_span content)
{
	struct pf_buf props, object;

	list(&props, 2);
	tag(&props, PF_MAPI_I32, PF_TAG_ATTACH_METHOD);
	put_le(&props, method, 4);
	tag(&props, PF_MAPI_OBJECT, PF_TAG_ATTACH_DATA);
	put_le(&props, 1, 4);
	pf_buf_init(&object, 1 << 20);
	put(&object, pf_span(iid, 16));
	put(&object, content);
	put_padded(&props, pf_buf_span(&object));
	pf_buf_deinit(&object);
	attribute(b, 2, 0x00069002, BYTES("\1\0\0\0\0\0\0\0\0\0\0\0\0\0"));
	attribute_of(b, 2, 0x00069005, &props);
}

static const char MESSAGE[] = "\x07\3\2\0\0\0\0\0\xC0\0\0\0\0\0\0\x46";
static const char STORAGE[] = "\x0B\0\0\0\0\0\0\0\xC0\0\0\0\0\0\0\x46";

static void attachments_are_files_items_and_objects(void **state)
{
	const struct pf_mapi_attachment *a;
	struct pf_buf b, within;
	struct read r;

	(void)state;
	begin(&within);
	attribute(&within, 1, 0x00018004, BYTES("inner\0"));
	put_file(&within, BYTES("in.txt\0"), BYTES("deep"));
	begin(&b);
	put_file(&b, BYTES("a.txt\0"), BYTES("content"));
	put_file(&b, BYTES("empty\0"), pf_span("", 0));
	put_object(&b, 5, MESSAGE, pf_buf_span(&within));
	put_object(&b, 6, STORAGE, BYTES("\xD0\xCF object"));
	attribute(&b, 2, 0x00069002, BYTES("\1\0\0\0\0\0\0\0\0\0\0\0\0\0"));
	read_all(&r, pf_buf_span(&b));
	assert_int_equal(r.rc, PF_OK);
	assert_int_equal(r.notes.n, 0);
	assert_int_equal(r.item->attachments_n, 5);
	a = r.item->attachments;
	assert_int_equal(a[0].kind, PF_MAPI_ATTACH_DATA);
	assert_true(pf_span_eq(a[0].data, BYTES("content")));
	assert_text(pf_mapi_tag(&a[0].props, PF_TAG_ATTACH_FILENAME), "a.txt");
	assert_number(pf_mapi_tag(&a[0].props, PF_TAG_RENDERING_POSITION), 7);
	assert_int_equal(a[1].kind, PF_MAPI_ATTACH_DATA);
	assert_int_equal(a[1].data.n, 0);
	assert_int_equal(a[2].kind, PF_MAPI_ATTACH_ITEM);
	assert_null(a[2].data.p);
	assert_null(pf_mapi_tag(&a[2].props, PF_TAG_ATTACH_DATA));
	assert_text(pf_mapi_tag(&a[2].item->props, PF_TAG_SUBJECT), "inner");
	assert_int_equal(a[2].item->attachments_n, 1);
	assert_true(pf_span_eq(a[2].item->attachments[0].data, BYTES("deep")));
	assert_int_equal(a[3].kind, PF_MAPI_ATTACH_OLE);
	assert_true(pf_span_eq(a[3].data, BYTES("\xD0\xCF object")));
	assert_int_equal(a[4].kind, PF_MAPI_ATTACH_NONE);
	pf_arena_deinit(&r.arena);
	pf_buf_deinit(&within);
	pf_buf_deinit(&b);
}

static void a_file_that_is_a_stream_stays_a_file(void **state)
{
	struct pf_buf b, within;
	struct read r;

	(void)state;
	begin(&within);
	attribute(&within, 1, 0x00018004, BYTES("inner\0"));
	begin(&b);
	put_file(&b, BYTES("winmail.dat\0"), pf_buf_span(&within));
	read_all(&r, pf_buf_span(&b));
	assert_int_equal(r.item->attachments[0].kind, PF_MAPI_ATTACH_DATA);
	assert_true(pf_span_eq(r.item->attachments[0].data, pf_buf_span(&within)));
	pf_arena_deinit(&r.arena);
	pf_buf_deinit(&within);
	pf_buf_deinit(&b);
}

static void a_file_elsewhere_is_a_reference(void **state)
{
	struct pf_buf b, props;
	struct read r;

	(void)state;
	begin(&b);
	list(&props, 1);
	tag(&props, PF_MAPI_I32, PF_TAG_ATTACH_METHOD);
	put_le(&props, 4, 4);
	attribute(&b, 2, 0x00069002, BYTES("\1\0\0\0\0\0\0\0\0\0\0\0\0\0"));
	attribute_of(&b, 2, 0x00069005, &props);
	read_all(&r, pf_buf_span(&b));
	assert_int_equal(r.item->attachments[0].kind, PF_MAPI_ATTACH_REFERENCE);
	pf_arena_deinit(&r.arena);
	pf_buf_deinit(&b);
}

static void items_nest_so_deep_and_no_deeper(void **state)
{
	const struct pf_mapi_item *item;
	struct pf_buf b, around;
	struct read r;
	int depth = 1;

	(void)state;
	begin(&b);
	attribute(&b, 1, 0x00018004, BYTES("innermost\0"));
	for (int i = 0; i < PF_TNEF_DEPTH_MAX + 3; i++) {
		begin(&around);
		put_object(&around, 5, MESSAGE, pf_buf_span(&b));
		pf_buf_deinit(&b);
		b = around;
	}
	read_all(&r, pf_buf_span(&b));
	assert_int_equal(r.rc, PF_OK);
	for (item = r.item; item->attachments[0].item; item = item->attachments[0].item) {
		depth++;
	}
	assert_int_equal(depth, PF_TNEF_DEPTH_MAX);
	assert_int_equal(item->attachments[0].kind, PF_MAPI_ATTACH_DATA);
	assert_true(pf_tnef_is(item->attachments[0].data)); /* what is deeper is not lost */
	assert_int_equal(r.notes.n, 1);
	pf_arena_deinit(&r.arena);
	pf_buf_deinit(&b);
}

static void what_is_broken_is_a_note(void **state)
{
	struct pf_buf b;
	struct read r;
	size_t sum_at, unknown_at, garbage_at;

	(void)state;
	begin(&b);
	attribute(&b, 1, 0x00018004, BYTES("A\0"));
	sum_at = b.n;
	attribute(&b, 1, 0x0002800C, BYTES("B\0"));
	b.p[b.n - 1] ^= 1;
	unknown_at = b.n + 9;
	attribute(&b, 1, 0x00061234, BYTES("???"));
	garbage_at = b.n;
	put(&b, BYTES("garbage at the end"));
	read_all(&r, pf_buf_span(&b));
	assert_int_equal(r.rc, PF_OK);
	assert_int_equal(r.notes.n, 3);
	assert_note(&r, sum_at, "wrong checksum");
	assert_note(&r, unknown_at, "0x00061234");
	assert_note(&r, garbage_at, "no attribute");
	assert_text(pf_mapi_tag(&r.item->props, PF_TAG_SUBJECT), "A");
	assert_text(pf_mapi_tag(&r.item->props, PF_TAG_BODY), "B");
	pf_arena_deinit(&r.arena);
	pf_buf_deinit(&b);
}

/* Lengths and counts that claim more than there is, and data that are shorter than they must be. */
static void lengths_may_lie(void **state)
{
	static const struct {
		const char *name;
		uint32_t id;
		struct pf_span data;
	} CASES[] = {
		{"count of properties", 0x00069003, {(const uint8_t *)"\xFF\xFF\xFF\xFF", 4}},
		{"count of values", 0x00069003,
			{(const uint8_t *)"\1\0\0\0\x1F\x10\1\x66\xFF\xFF\xFF\xFF\0\0\0\0", 16}},
		{"count of one value", 0x00069003,
			{(const uint8_t *)"\1\0\0\0\x1F\0\1\x66\xFF\xFF\xFF\xFF\0\0\0\0", 16}},
		{"length of a value", 0x00069003,
			{(const uint8_t *)"\1\0\0\0\2\1\1\x66\1\0\0\0\xFF\xFF\xFF\xFF!", 17}},
		{"length of a name", 0x00069003,
			{(const uint8_t *)"\1\0\0\0\2\1\1\x80"
					  "0123456789abcdef\1\0\0\0\xFD\xFF\xFF\xFF!",
				33}},
		{"kind of a name", 0x00069003,
			{(const uint8_t *)"\1\0\0\0\2\1\1\x80"
					  "0123456789abcdef\2\0\0\0\1\0\0\0",
				32}},
		{"type", 0x00069003, {(const uint8_t *)"\1\0\0\0\x99\0\1\x66\1\0\0\0", 12}},
		{"count of rows", 0x00069004, {(const uint8_t *)"\xFF\xFF\xFF\xFF\0\0\0\0", 8}},
		{"date", 0x00038005, {(const uint8_t *)"\xD8\7\3\0", 4}},
		{"month", 0x00038005, {(const uint8_t *)"\xD8\7\x0D\0\1\0\1\0\1\0\1\0\1\0", 14}},
		{"priority", 0x0004800D, {(const uint8_t *)"\1", 1}},
		{"status", 0x00068007, {(const uint8_t *)"", 0}},
		{"sender", 0x00008000, {(const uint8_t *)"\4\0\xFF\xFF\xFF\xFF\xFF\xFF!", 9}},
		{"owner", 0x00060000, {(const uint8_t *)"\xFF\xFF!", 3}},
		{"key", 0x00018009, {(const uint8_t *)"0x", 2}},
	};

	(void)state;
	for (size_t i = 0; i < PF_COUNT(CASES); i++) {
		struct pf_buf b;
		struct read r;

		begin(&b);
		attribute(&b, 1, CASES[i].id, CASES[i].data);
		attribute(&b, 1, 0x00018004, BYTES("after\0"));
		read_all(&r, pf_buf_span(&b));
		assert_int_equal(r.rc, PF_OK);
		if (r.notes.n == 0) {
			fail_msg("%s: no note", CASES[i].name);
		}
		assert_text(pf_mapi_tag(&r.item->props, PF_TAG_SUBJECT), "after");
		assert_true(r.arena.total < 10000);
		pf_arena_deinit(&r.arena);
		pf_buf_deinit(&b);
	}
}

static void a_stream_may_end_anywhere(void **state)
{
	struct pf_buf b;
	struct read whole;

	(void)state;
	begin(&b);
	attribute(&b, 1, 0x00018004, BYTES("A\0"));
	put_file(&b, BYTES("a.txt\0"), BYTES("content"));
	read_all(&whole, pf_buf_span(&b));
	assert_int_equal(whole.notes.n, 0);
	for (size_t n = 0; n < b.n; n++) {
		uint8_t *part = malloc(n + 1); /* so that the sanitizer sees its end */
		struct read r;

		assert_non_null(part);
		memcpy(part, b.p, n);
		read_all(&r, pf_span(part, n));
		assert_int_equal(r.rc, n < 6 ? PF_FAIL : PF_OK);
		if (n == b.n - 10) { /* the title is cut off, the file is there */
			assert_true(r.notes.n > 0);
			assert_true(pf_span_eq(r.item->attachments[0].data, BYTES("content")));
		}
		pf_arena_deinit(&r.arena);
		free(part);
	}
	pf_arena_deinit(&whole.arena);
	pf_buf_deinit(&b);
}

static void only_without_signature_it_fails(void **state)
{
	struct read r;

	(void)state;
	read_all(&r, BYTES("\x78\x9F\x3E\x23\0\0"));
	assert_int_equal(r.rc, PF_FAIL);
	assert_int_equal(r.err.scope, PF_SCOPE_ITEM);
	pf_arena_deinit(&r.arena);
	read_all(&r, pf_span(NULL, 0));
	assert_int_equal(r.rc, PF_FAIL);
	pf_arena_deinit(&r.arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(attributes_of_old_stand_for_properties),
		cmocka_unit_test(classes_have_names_of_today),
		cmocka_unit_test(keys_and_people_of_old_are_taken_apart),
		cmocka_unit_test(of_a_response_the_owner_is_who_got_it),
		cmocka_unit_test(the_property_list_wins),
		cmocka_unit_test(all_types_of_values_are_read),
		cmocka_unit_test(recipients_are_rows),
		cmocka_unit_test(attachments_are_files_items_and_objects),
		cmocka_unit_test(a_file_that_is_a_stream_stays_a_file),
		cmocka_unit_test(a_file_elsewhere_is_a_reference),
		cmocka_unit_test(items_nest_so_deep_and_no_deeper),
		cmocka_unit_test(what_is_broken_is_a_note),
		cmocka_unit_test(lengths_may_lie),
		cmocka_unit_test(a_stream_may_end_anywhere),
		cmocka_unit_test(only_without_signature_it_fails),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
