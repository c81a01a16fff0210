/* Mail items as messages. */
#include "convert/mapi_mail.h"
#include "convert/test_item_private.h"
#include "model/mime.h"

#include <stdlib.h>

static struct pf_mapi_value keywords[] = {TEXT("Red"), TEXT("Blue")};

static const struct given MAIL[] = {
	{PF_TAG_MESSAGE_CLASS, NULL, TEXT("IPM.Note")},
	{PF_TAG_SUBJECT, NULL, TEXT("\001\005Re: Caf\xC3\xA9\r\nBcc: all@example.com")},
	{PF_TAG_CLIENT_SUBMIT_TIME, NULL, WHEN(1700000000)},
	{PF_TAG_SENT_REPRESENTING_NAME, NULL, TEXT("Ann \"A\" Lee")},
	{PF_TAG_SENT_REPRESENTING_ADDRESS_TYPE, NULL, TEXT("EX")},
	{PF_TAG_SENT_REPRESENTING_EMAIL, NULL, TEXT("/O=ORG/cn=Recipients/cn=ANN")},
	{PF_TAG_SENDER_NAME, NULL, TEXT("Bob")},
	{PF_TAG_SENDER_ADDRESS_TYPE, NULL, TEXT("SMTP")},
	{PF_TAG_SENDER_EMAIL, NULL, TEXT("bob@example.com")},
	{PF_TAG_INTERNET_MESSAGE_ID, NULL, TEXT("<1@example.com>")},
	{PF_TAG_IN_REPLY_TO_ID, NULL, TEXT("<0@example.com>")},
	{PF_TAG_INTERNET_REFERENCES, NULL, TEXT("<0@example.com>")},
	{PF_TAG_CONVERSATION_TOPIC, NULL, TEXT("Topic")},
	{PF_TAG_CONVERSATION_INDEX, NULL, BYTES("\1\2\3")},
	{PF_TAG_IMPORTANCE, NULL, NUMBER(2)},
	{PF_TAG_BODY, NULL, TEXT("Hi\nthere")},
};

static void add_recipient(struct pf_mapi_item *item, const struct given *given, size_t n)
{
	give_to(item, pf_mapi_add_recipient(item), given, n);
}

static struct pf_mapi_item *letter(struct pf_arena *arena)
{
	static const struct given TO[] = {{PF_TAG_RECIPIENT_TYPE, NULL, NUMBER(1)},
		{PF_TAG_DISPLAY_NAME, NULL,
			TEXT("Z\xC3\xB6"
			     "e")},
		{PF_TAG_SMTP_ADDRESS, NULL, TEXT("zoe@example.org")}};
	static const struct given CC[] = {{PF_TAG_RECIPIENT_TYPE, NULL, NUMBER(0x10000002)},
		{PF_TAG_DISPLAY_NAME, NULL, TEXT("Nobody")},
		{PF_TAG_ADDRESS_TYPE, NULL, TEXT("EX")},
		{PF_TAG_EMAIL_ADDRESS, NULL, TEXT("/o=Org/cn=no")}};
	static const struct given BCC[] = {{PF_TAG_RECIPIENT_TYPE, NULL, NUMBER(3)},
		{PF_TAG_DISPLAY_NAME, NULL, TEXT("Only a name")}};
	struct pf_mapi_item *item = make_item(arena, MAIL, PF_COUNT(MAIL));

	add_recipient(item, TO, PF_COUNT(TO));
	add_recipient(item, CC, PF_COUNT(CC));
	add_recipient(item, BCC, PF_COUNT(BCC));
	give_named(item, &pf_set_strings, "Keywords",
		(struct pf_mapi_value)MANY(PF_MAPI_STRING, keywords));
	give_named(item, &pf_set_headers, "X-Loop", (struct pf_mapi_value)TEXT("yes"));
	return item;
}

/* Converted twice, to the same bytes; the caller deinits `out`. */
static void convert(const struct pf_mapi_item *item, struct pf_span header,
	struct pf_mapi_losses *losses, struct pf_buf *out)
{
	struct pf_buf again;
	struct pf_err err;

	pf_buf_init(out, 1 << 20);
	pf_buf_init(&again, 1 << 20);
	pf_mapi_losses_init(losses, item->arena);
	assert_int_equal(pf_mapi_mail(item, header, &TEST_WAYS, losses, &again, &err), PF_OK);
	pf_mapi_losses_init(losses, item->arena);
	assert_int_equal(pf_mapi_mail(item, header, &TEST_WAYS, losses, out, &err), PF_OK);
	assert_true(pf_span_eq(pf_buf_span(out), pf_buf_span(&again)));
	for (size_t i = 0; i < out->n; i++) {
		assert_true(out->p[i] != '\n' || (i > 0 && out->p[i - 1] == '\r'));
	}
	pf_buf_deinit(&again);
}

static void a_header_is_made(void **state)
{
	struct pf_mapi_losses losses;
	struct pf_arena arena;
	struct pf_buf out;

	(void)state;
	pf_arena_init(&arena);
	convert(letter(&arena), pf_span(NULL, 0), &losses, &out);
	assert_lines(&out, "Date: Tue, 14 Nov 2023 22:13:20 +0000\n"
			   "From: \"Ann \\\"A\\\" Lee\" <ann@example.com>\n"
			   "Sender: Bob <bob@example.com>\n"
			   "To: =?UTF-8?b?WsO2ZQ==?= <zoe@example.org>\n"
			   "Cc: Nobody <IMCEAEX-_o=Org_cn=no@example.com>\n"
			   "Bcc: Only a name: ;\n"
			   "Subject: Re: =?UTF-8?B?Q2Fmw6k=?=  Bcc: all@example.com\n"
			   "Message-ID: <1@example.com>\n"
			   "In-Reply-To: <0@example.com>\n"
			   "References: <0@example.com>\n"
			   "Thread-Topic: Topic\n"
			   "Thread-Index: AQID\n"
			   "Importance: high\n"
			   "Keywords: Red\n"
			   "Keywords: Blue\n"
			   "X-Loop: yes\n"
			   "MIME-Version: 1.0\n"
			   "Content-Type: text/plain; charset=utf-8\n"
			   "Content-Transfer-Encoding: 7bit\n"
			   "\n"
			   "Hi\nthere\n");
	assert_int_equal(losses.unresolved, 1);
	assert_int_equal(pf_mapi_losses_count(&losses, PF_MAPI_LOST), 0);
	pf_buf_deinit(&out);
	pf_arena_deinit(&arena);
}

static void a_header_is_kept(void **state)
{
	static const char KEPT[] =
		"Microsoft Mail Internet Headers Version 2.0\r\n"
		"Received: from a\r\n\tby b\r\nMIME-Version: 1.0\r\n"
		"Content-Type: multipart/mixed;\r\n\tboundary=x\r\n"
		"From: a@example.com\nMessage-id: <k@example.com>\r\n"
		"X-MS-TNEF-Correlator: <k@example.com>\r\nX-Odd:  as it is \r\n\r\nnot of it";
	struct pf_mapi_losses losses;
	struct pf_arena arena;
	struct pf_mapi_item *item;
	struct pf_buf out;

	(void)state;
	pf_arena_init(&arena);
	item = letter(&arena);
	convert(item, pf_span_str(KEPT), &losses, &out);
	assert_lines(&out,
		"Received: from a\n\tby b\nFrom: a@example.com\nMessage-id: <k@example.com>\n"
		"X-Odd:  as it is \n"
		"Date: Tue, 14 Nov 2023 22:13:20 +0000\n"
		"Subject: Re: =?UTF-8?B?Q2Fmw6k=?=  Bcc: all@example.com\n"
		"MIME-Version: 1.0\nContent-Type: text/plain; charset=utf-8\n"
		"Content-Transfer-Encoding: 7bit\n\nHi\nthere\n");
	pf_buf_deinit(&out);
	pf_arena_deinit(&arena);
}

/* "type/subtype" of each leaf, and what it says. */
static void assert_parts(const struct pf_buf *mail, const char *const (*want)[2], size_t n)
{
	struct pf_mime *m = malloc(sizeof(*m));
	struct pf_mime_part p;
	struct pf_buf said;
	struct pf_err err;
	char type[200] = "";
	size_t i = 0;

	assert_non_null(m);
	pf_buf_init(&said, 1 << 20);
	pf_mime_begin(m, pf_buf_span(mail));
	for (; pf_mime_next(m, &p); i++) {
		if (i >= n) {
			fail_msg("more than %zu parts", n);
			break;
		}
		assert_true(pf_mime_field(p.header, "Content-Type", type, sizeof(type)));
		type[strcspn(type, ";")] = '\0';
		assert_string_equal(type + strspn(type, " "), want[i][0]);
		pf_buf_clear(&said);
		assert_int_equal(pf_mime_decode(&p, &said, &err), PF_OK);
		if (want[i][1] && !pf_span_eq(pf_buf_span(&said), pf_span_str(want[i][1]))) {
			fail_msg("part %zu: %.*s", i, (int)said.n, (const char *)said.p);
		}
	}
	assert_int_equal(i, n);
	pf_buf_deinit(&said);
	free(m);
}

static struct pf_mapi_attachment *attach(
	struct pf_mapi_item *item, const char *data, const struct given *given, size_t n)
{
	struct pf_mapi_attachment *a = pf_mapi_add_attachment(item);

	assert_non_null(a);
	a->kind = PF_MAPI_ATTACH_DATA;
	a->data = pf_span_str(data);
	give_to(item, &a->props, given, n);
	return a;
}

static bool holds(const struct pf_buf *b, const char *text)
{
	return memmem(b->p, b->n, text, strlen(text)) != NULL;
}

static void bodies_images_and_files(void **state)
{
	static const struct given BODIES[] = {{PF_TAG_BODY, NULL, TEXT("caf\xC3\xA9 \n")},
		{PF_TAG_HTML, NULL, TEXT("<p>caf\xC3\xA9<img src=\"CID:i1@x\"></p>\n")}};
	static const struct given IMAGE[] = {{PF_TAG_ATTACH_MIME, NULL, TEXT("image/png")},
		{PF_TAG_ATTACH_CONTENT_ID, NULL, TEXT("<i1@x>")}};
	static const struct given FILE_[] = {
		{PF_TAG_ATTACH_LONG_FILENAME, NULL, TEXT("R\xC3\xA9sum\xC3\xA9.pdf")},
		{PF_TAG_ATTACH_CONTENT_ID, NULL, TEXT("other")}};
	static const struct given CARD[] = {{PF_TAG_MESSAGE_CLASS, NULL, TEXT("IPM.StickyNote")},
		{PF_TAG_BODY, NULL, TEXT("Milk")}};
	static const struct given DATE[] = {{PF_TAG_MESSAGE_CLASS, NULL, TEXT("IPM.Appointment")},
		{PF_TAG_BODY, NULL, TEXT("words")}};
	static const struct given INNER[] = {{PF_TAG_SUBJECT, NULL, TEXT("Inner")}};
	static const struct given PATH[] = {{PF_TAG_ATTACH_PATHNAME, NULL, TEXT("\\\\srv\\x.doc")}};
	static const char *const WANT[][2] = {
		{"text/plain", "caf\xC3\xA9 \r\n"},
		{"text/html", "<p>caf\xC3\xA9<img src=\"CID:i1@x\"></p>\r\n"}, {"image/png", "png"},
		{"application/pdf", "pdf\r\n\n"}, {"text/plain", ""}, /* of the message within */
		{"text/calendar", NULL}, {"text/plain", "\\\\srv\\x.doc\r\n"},
		{"text/plain", "words\r\n"}, /* an appointment without any times */
	};
	struct pf_mapi_losses losses;
	struct pf_arena arena;
	struct pf_mapi_item *item;
	struct pf_mapi_attachment *a;
	struct pf_buf out;

	(void)state;
	pf_arena_init(&arena);
	item = make_item(&arena, BODIES, PF_COUNT(BODIES));
	(void)attach(item, "pdf\r\n\n", FILE_, PF_COUNT(FILE_));
	(void)attach(item, "png", IMAGE, PF_COUNT(IMAGE));
	a = attach(item, "", NULL, 0);
	a->kind = PF_MAPI_ATTACH_ITEM;
	a->item = make_item(&arena, INNER, PF_COUNT(INNER));
	a = attach(item, "", NULL, 0);
	a->kind = PF_MAPI_ATTACH_ITEM;
	a->item = make_item(&arena, CARD, PF_COUNT(CARD));
	attach(item, "", PATH, PF_COUNT(PATH))->kind = PF_MAPI_ATTACH_REFERENCE;
	a = attach(item, "", NULL, 0);
	a->kind = PF_MAPI_ATTACH_ITEM;
	a->item = make_item(&arena, DATE, PF_COUNT(DATE));
	convert(item, pf_span(NULL, 0), &losses, &out);
	assert_parts(&out, WANT, PF_COUNT(WANT));
	assert_true(holds(&out, "Content-Id: <i1@x>\r\n"));
	assert_true(holds(&out, "''R%E9sum%E9.pdf"));
	assert_true(holds(&out, "Content-Type: message/rfc822"));
	assert_true(holds(&out, "\r\nSubject: Inner\r\n"));
	assert_true(holds(&out, "Content-Disposition: inline"));
	assert_int_equal(losses.odd_n, 2);
	pf_buf_deinit(&out);
	pf_arena_deinit(&arena);
}

static void the_html_alone_stays_alone(void **state)
{
	static const struct given HTML[] = {{PF_TAG_HTML, NULL, TEXT("<b>x</b>")}};
	static const char *const WANT[][2] = {{"text/html", "<b>x</b>\r\n"}};
	struct pf_mapi_losses losses;
	struct pf_arena arena;
	struct pf_buf out;

	(void)state;
	pf_arena_init(&arena);
	convert(make_item(&arena, HTML, 1), pf_span(NULL, 0), &losses, &out);
	assert_parts(&out, WANT, 1);
	assert_true(holds(&out, "Message-ID: <2b2baaad-e650-5e2c-8843-50016cfa6ddb@postferry."
				"invalid>\r\n"));
	pf_buf_deinit(&out);
	pf_arena_deinit(&arena);
}

static void a_request_for_a_meeting(void **state)
{
	static const struct given REQUEST[] = {
		{PF_TAG_MESSAGE_CLASS, NULL, TEXT("IPM.Schedule.Meeting.Request")},
		{PF_TAG_SUBJECT, NULL, TEXT("Lunch")}, {PF_TAG_BODY, NULL, TEXT("Come")},
		{0x820D, &pf_set_appointment, WHEN(1700000000)},
		{0x820E, &pf_set_appointment, WHEN(1700003600)}};
	static const struct given FILE_[] = {{PF_TAG_ATTACH_FILENAME, NULL, TEXT("a.txt")}};
	static const char *const WANT[][2] = {
		{"text/plain", "Come\r\n"}, {"text/calendar", NULL}, {"text/plain", "file"}};
	struct pf_mapi_losses losses;
	struct pf_arena arena;
	struct pf_mapi_item *item;
	struct pf_buf out;

	(void)state;
	pf_arena_init(&arena);
	item = make_item(&arena, REQUEST, PF_COUNT(REQUEST));
	(void)attach(item, "file", FILE_, 1);
	convert(item, pf_span(NULL, 0), &losses, &out);
	assert_parts(&out, WANT, PF_COUNT(WANT));
	assert_true(holds(&out, "method=REQUEST"));
	assert_true(holds(&out, "BEGIN:VCALENDAR\r\nMETHOD:REQUEST\r\n"));
	assert_true(holds(&out, "\r\nDTSTART:20231114T221320Z\r\n"));
	assert_false(holds(&out, "\r\nATTACH"));
	assert_int_equal(losses.odd_n, 0);
	pf_buf_deinit(&out);
	/* without a begin it is a letter like others, and that is said */
	item->props.n -= 2;
	convert(item, pf_span(NULL, 0), &losses, &out);
	assert_false(holds(&out, "text/calendar"));
	assert_int_equal(losses.odd_n, 1);
	pf_buf_deinit(&out);
	pf_arena_deinit(&arena);
}

/* However long a header is, and whatever stands in it: it costs itself. */
static void long_fields(void **state)
{
	static char kept[200000], subject[40000];
	const struct given LONG[] = {{PF_TAG_SUBJECT, NULL,
		{.type = PF_MAPI_STRING, .bytes = {(const uint8_t *)subject, sizeof(subject)}}}};
	struct pf_mapi_losses losses;
	struct pf_arena arena;
	struct pf_mapi_item *item;
	struct pf_buf out;

	(void)state;
	pf_arena_init(&arena);
	memset(subject, 'x', sizeof(subject));
	for (size_t i = 0; i < sizeof(kept); i++) {
		kept[i] = "a:\n"[i % 3];
	}
	item = make_item(&arena, LONG, 1);
	convert(item, pf_span(kept, sizeof(kept)), &losses, &out);
	assert_true(holds(&out, "\r\na:\r\n"));
	assert_int_equal(losses.odd_n, 1); /* of the subject */
	pf_buf_deinit(&out);
	pf_arena_deinit(&arena);
}

static void what_was_signed_stays_as_it_was(void **state)
{
	static const struct given SIGNED[] = {
		{PF_TAG_MESSAGE_CLASS, NULL, TEXT("IPM.Note.SMIME.MultipartSigned")},
		{PF_TAG_SUBJECT, NULL, TEXT("s")}};
	static const struct given TYPE[] = {{PF_TAG_ATTACH_MIME, NULL, TEXT("multipart/signed")}};
	static const char ENTITY[] = "Content-Type: multipart/signed; boundary=b\r\n\r\n--b\r\n\r\n"
				     " odd  \r\n--b\r\n\r\nsig\r\n--b--\r\n";
	struct pf_mapi_losses losses;
	struct pf_arena arena;
	struct pf_mapi_item *item;
	struct pf_buf out;

	(void)state;
	pf_arena_init(&arena);
	item = make_item(&arena, SIGNED, PF_COUNT(SIGNED));
	(void)attach(item, ENTITY, TYPE, 1);
	convert(item, pf_span(NULL, 0), &losses, &out);
	assert_true(out.n > strlen(ENTITY) &&
		    memcmp(out.p + out.n - strlen(ENTITY), ENTITY, strlen(ENTITY)) == 0);
	pf_buf_deinit(&out);
	pf_arena_deinit(&arena);
}

static void no_room(void **state)
{
	struct pf_mapi_losses losses;
	struct pf_arena arena;
	struct pf_mapi_item *item;
	struct pf_buf out;
	struct pf_err err;

	(void)state;
	pf_arena_init(&arena);
	item = letter(&arena);
	for (size_t max = 0; max < 600; max += 50) {
		pf_buf_init(&out, max);
		pf_mapi_losses_init(&losses, &arena);
		assert_int_equal(
			pf_mapi_mail(item, pf_span(NULL, 0), &TEST_WAYS, &losses, &out, &err),
			PF_FAIL);
		assert_int_equal(out.n, 0);
		pf_buf_deinit(&out);
	}
	pf_arena_deinit(&arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_header_is_made),
		cmocka_unit_test(a_header_is_kept),
		cmocka_unit_test(bodies_images_and_files),
		cmocka_unit_test(the_html_alone_stays_alone),
		cmocka_unit_test(what_was_signed_stays_as_it_was),
		cmocka_unit_test(a_request_for_a_meeting),
		cmocka_unit_test(long_fields),
		cmocka_unit_test(no_room),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
