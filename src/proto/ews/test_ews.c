/* Requests in the schema's order, and answers as servers give them. */
#include "base/base64.h"
#include "proto/ews/answer.h"
#include "proto/ews/request.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#define ENVELOPE(inside)                                                                           \
	"<?xml version=\"1.0\" encoding=\"utf-8\"?><s:Envelope "                                   \
	"xmlns:s=\"http://schemas.xmlsoap.org/soap/envelope/\"><s:Header>"                         \
	"<h:ServerVersionInfo MajorVersion=\"15\" MinorVersion=\"0\" MajorBuildNumber=\"847\" "    \
	"xmlns:h=\"u:t\"/></s:Header><s:Body xmlns:m=\"u:m\" xmlns:t=\"u:t\">" inside              \
	"</s:Body></s:Envelope>"
#define MESSAGES(inside)                                                                           \
	ENVELOPE("<m:XResponse><m:ResponseMessages>" inside "</m:ResponseMessages></m:XResponse>")
#define GOOD(inside)                                                                               \
	"<m:XResponseMessage "                                                                     \
	"ResponseClass=\"Success\"><m:ResponseCode>NoError</m:ResponseCode>" inside                \
	"</m:XResponseMessage>"

static struct pf_ews_answer *read_answer(const char *text)
{
	struct pf_ews_answer *a = NULL;
	struct pf_err err;

	if (pf_ews_answer_new(pf_span_str(text), &a, &err) != PF_OK) {
		fail_msg("%s", err.text);
	}
	return a;
}

static bool is(struct pf_span s, const char *text)
{
	return pf_span_eq(s, pf_span_str(text));
}

/* ---- base64 ---- */

static void base64(void **state)
{
	static const struct {
		const char *plain, *text;
	} CASES[] = {{"", ""}, {"f", "Zg=="}, {"fo", "Zm8="}, {"foo", "Zm9v"}, {"foob", "Zm9vYg=="},
		{"fooba", "Zm9vYmE="}, {"foobar", "Zm9vYmFy"}, {"\xff\xfe?", "//4/"}};
	static const char *const BAD[] = {"Z", "Zg=", "Zg==Zg==", "Z!==", "Zm9vY", "==", "Zm9v="};
	struct pf_err err;
	struct pf_buf out;

	(void)state;
	pf_buf_init(&out, 100);
	for (size_t i = 0; i < PF_COUNT(CASES); i++) {
		pf_buf_clear(&out);
		assert_int_equal(pf_base64_encode(pf_span_str(CASES[i].plain), &out, &err), PF_OK);
		assert_true(is(pf_buf_span(&out), CASES[i].text));
		pf_buf_clear(&out);
		assert_int_equal(pf_base64_decode(pf_span_str(CASES[i].text), &out, &err), PF_OK);
		assert_true(is(pf_buf_span(&out), CASES[i].plain));
	}
	pf_buf_clear(&out);
	assert_int_equal(pf_base64_decode(pf_span_str(" Zm9v\r\nYg\t==\n"), &out, &err), PF_OK);
	assert_true(is(pf_buf_span(&out), "foob"));
	for (size_t i = 0; i < PF_COUNT(BAD); i++) {
		pf_buf_clear(&out);
		assert_int_equal(pf_base64_decode(pf_span_str(BAD[i]), &out, &err), PF_FAIL);
	}
	pf_buf_deinit(&out);
}

/* ---- requests ---- */

/* Each of the words occurs, in this order. */
static void in_order(const struct pf_buf *text, const char *const *words)
{
	const char *at = (const char *)text->p;

	for (; at && *words; words++) {
		at = strstr(at, *words);
		if (!at) {
			fail_msg("%s is not (there) in %s", *words, (const char *)text->p);
		}
	}
	assert_non_null(at);
}

static void nul(struct pf_buf *b)
{
	const char *text = NULL;
	struct pf_err err;

	assert_int_equal(pf_buf_cstr(b, &text, &err), PF_OK);
}

static void creating(void **state)
{
	static const char *const ORDER[] = {"Version=\"Exchange2013_SP1\"",
		"<t:ExchangeImpersonation>", "<t:SmtpAddress>a&#38;b@x.example</t:SmtpAddress>",
		"<t:TimeZoneContext>", "MessageDisposition=\"SaveOnly\"", "Id=\"AA+/=\"",
		"<t:MimeContent CharacterSet=\"UTF-8\">Zm9v</t:MimeContent>",
		"<t:Categories><t:String>Work</t:String><t:String>a b</t:String></t:Categories>",
		"0x0E07", "<t:Value>1</t:Value>", "0x0039",
		"<t:Value>2004-05-06T07:08:09Z</t:Value>", "0x0E06", "0x1090",
		"<t:Value>2</t:Value>", "0x1095", "0x1080", "<t:Value>261</t:Value>", "0x1081",
		"<t:Value>102</t:Value>",
		"<t:IsRead>true</t:IsRead></t:Message></m:Items></m:CreateItem>", NULL};
	const struct pf_ews_as as = {PF_EWS_2013_SP1, "a&b@x.example"};
	const struct pf_ews_mail mail = {
		.mime = pf_span_str("foo"),
		.marks = {.read = true,
			.flagged = true,
			.verb = 102,
			.words = pf_span("Work\0a b\0", 9)},
		.sent = "2004-05-06T07:08:09Z",
		.received = "2004-05-07T07:08:09Z",
	};
	struct pf_err err;
	struct pf_buf out;

	(void)state;
	pf_buf_init(&out, 100000);
	assert_int_equal(pf_ews_create_begin(&as, pf_span_str("AA+/="), &out, &err), PF_OK);
	assert_int_equal(pf_ews_create_mail(&mail, &out, &err), PF_OK);
	assert_int_equal(pf_ews_create_end(&out, &err), PF_OK);
	nul(&out);
	in_order(&out, ORDER);
	pf_buf_deinit(&out);
}

/* What only newer servers know is not said to older ones, and no receipt goes out by any. */
static void versions(void **state)
{
	static const char *const NEW[] = {
		"SuppressReadReceipts=\"true\"", "message:IsRead\"", NULL};
	static const char *const OLD[] = {"<t:PrimarySmtpAddress>",
		"message:IsReadReceiptRequested", "message:IsRead\"", NULL};
	const struct pf_ews_change_marks change = {.set_read = true, .to = {.read = true}};
	const struct pf_ews_as new = {PF_EWS_2013, "a@x"}, old = {PF_EWS_2007_SP1, "a@x"};
	struct pf_err err;
	struct pf_buf out;

	(void)state;
	pf_buf_init(&out, 100000);
	assert_int_equal(pf_ews_update(&new, pf_span_str("i"), &change, &out, &err), PF_OK);
	nul(&out);
	in_order(&out, NEW);
	assert_null(strstr((const char *)out.p, "IsReadReceiptRequested"));
	pf_buf_clear(&out);
	assert_int_equal(pf_ews_update(&old, pf_span_str("i"), &change, &out, &err), PF_OK);
	nul(&out);
	in_order(&out, OLD);
	assert_null(strstr((const char *)out.p, "SuppressReadReceipts"));
	assert_null(strstr((const char *)out.p, "TimeZoneContext"));
	pf_buf_deinit(&out);
	assert_int_equal(pf_ews_version_of(8, 3, 0), PF_EWS_2007_SP1);
	assert_int_equal(pf_ews_version_of(14, 1, 218), PF_EWS_2010_SP1);
	assert_int_equal(pf_ews_version_of(14, 3, 123), PF_EWS_2010_SP2);
	assert_int_equal(pf_ews_version_of(15, 0, 516), PF_EWS_2013);
	assert_int_equal(pf_ews_version_of(15, 2, 100), PF_EWS_2013_SP1);
}

/* ---- answers ---- */

static void folders(void **state)
{
	static const char TEXT[] = MESSAGES(GOOD(
		"<m:RootFolder IndexedPagingOffset=\"2\" "
		"IncludesLastItemInRange=\"false\"><t:Folders>"
		"<t:Folder><t:FolderId Id=\"Ab=\" ChangeKey=\"k\"/><t:ParentFolderId Id=\"R\"/>"
		"<t:FolderClass>IPF.Note</t:FolderClass><t:DisplayName> M&#252;ll &amp; "
		"</t:DisplayName>"
		"<t:TotalCount>7</t:TotalCount><t:ExtendedProperty><t:ExtendedFieldURI "
		"PropertyTag=\"0x10f4\" PropertyType=\"Boolean\"/><t:Value>true</t:Value>"
		"</t:ExtendedProperty></t:Folder>"
		"<t:SearchFolder><t:FolderId Id=\"aB=\"/></t:SearchFolder>"
		"</t:Folders></m:RootFolder>"));
	struct pf_ews_answer *a = read_answer(TEXT);
	const struct pf_ews_node *at = NULL;
	struct pf_ews_message m = {.last = false};
	struct pf_ews_folder f = {.count = 0};

	(void)state;
	assert_int_equal(pf_ews_answer_head(a)->build, 847);
	assert_true(pf_ews_answer_next(a, &m));
	assert_int_equal(m.said.does, PF_EWS_DONE);
	assert_false(m.last);
	assert_int_equal(m.next_offset, 2);
	assert_true(pf_ews_folder_next(a, &m, &at, &f));
	assert_true(is(f.id, "Ab=") && is(f.parent, "R") && is(f.name, " M\xc3\xbcll & "));
	assert_true(f.hidden && f.count == 7 && is(f.folder_class, "IPF.Note"));
	assert_true(pf_ews_folder_next(a, &m, &at, &f));
	assert_int_equal(f.kind, PF_EWS_IS_SEARCH);
	assert_false(pf_ews_folder_next(a, &m, &at, &f));
	assert_false(pf_ews_answer_next(a, &m));
	pf_ews_answer_free(&a);
}

static void changes(void **state)
{
	static const char TEXT[] = MESSAGES(GOOD(
		"<m:SyncState>H4s=</m:SyncState><m:IncludesLastItemInRange>true"
		"</m:IncludesLastItemInRange><m:Changes><t:Create><t:Message>"
		"<t:ItemId Id=\"A\" ChangeKey=\"C\"/><t:ItemClass>IPM.Note</t:ItemClass>"
		"<t:DateTimeReceived>2004-05-06T07:08:09Z</t:DateTimeReceived><t:Size>12</t:Size>"
		"<t:Categories><t:String>x</t:String><t:String>y z</t:String></t:Categories>"
		"<t:ExtendedProperty><t:ExtendedFieldURI PropertyTag=\"0xe07\" "
		"PropertyType=\"Integer\"/>"
		"<t:Value>9</t:Value></t:ExtendedProperty><t:ExtendedProperty><t:ExtendedFieldURI "
		"PropertyTag=\"0x1090\" PropertyType=\"Integer\"/><t:Value>2</t:Value>"
		"</t:ExtendedProperty><t:IsRead>true</t:IsRead></t:Message></t:Create>"
		"<t:Delete><t:ItemId Id=\"B\"/></t:Delete><t:ReadFlagChange><t:ItemId Id=\"a\"/>"
		"<t:IsRead>false</t:IsRead></t:ReadFlagChange></m:Changes>"));
	struct pf_ews_answer *a = read_answer(TEXT);
	const struct pf_ews_node *at = NULL;
	struct pf_ews_message m = {.last = false};
	struct pf_ews_item i = {.size = 0};

	(void)state;
	assert_true(pf_ews_answer_next(a, &m));
	assert_true(m.last && is(m.state, "H4s="));
	assert_true(pf_ews_item_next(a, &m, &at, &i));
	assert_int_equal(i.change, PF_EWS_IS_THERE);
	assert_true(is(i.id, "A") && is(i.change_key, "C") && i.size == 12 && i.read);
	assert_true(i.flags == 9 && i.flag == 2 && i.verb == 0 && i.words.n == 6);
	assert_true(is(i.received, "2004-05-06T07:08:09Z"));
	assert_true(pf_ews_item_next(a, &m, &at, &i));
	assert_true(i.change == PF_EWS_IS_GONE && is(i.id, "B"));
	assert_true(pf_ews_item_next(a, &m, &at, &i));
	assert_true(i.change == PF_EWS_WAS_READ && is(i.id, "a"));
	assert_false(pf_ews_item_next(a, &m, &at, &i));
	pf_ews_answer_free(&a);
}

/* Each item has its own end, whatever became of the others. */
static void items(void **state)
{
	static const char TEXT[] = MESSAGES(GOOD(
		"<m:Items><t:Message><t:MimeContent CharacterSet=\"UTF-8\">Zm9v</t:MimeContent>"
		"<t:ItemId Id=\"A\"/></t:Message></m:Items>") "<m:XResponseMessage "
							      "ResponseClass=\"Error\"><m:"
							      "MessageText>no "
							      "&#x1;such</m:MessageText>"
							      "<m:ResponseCode>ErrorItemNotFound</"
							      "m:ResponseCode><m:Items/></"
							      "m:XResponseMessage>"
							      "<m:XResponseMessage "
							      "ResponseClass=\"Error\"><m:"
							      "ResponseCode>ErrorServerBusy"
							      "</"
							      "m:ResponseCode><m:MessageXml><t:"
							      "Value "
							      "Name=\"BackOffMilliseconds\">1500</"
							      "t:Value>"
							      "</m:MessageXml></"
							      "m:XResponseMessage>");
	struct pf_ews_answer *a = read_answer(TEXT);
	const struct pf_ews_node *at = NULL;
	struct pf_ews_message m = {.last = false};
	struct pf_ews_item i = {.size = 0};

	(void)state;
	assert_int_equal(pf_ews_answer_head(a)->mended, 1);
	assert_true(pf_ews_answer_next(a, &m) && pf_ews_item_next(a, &m, &at, &i));
	assert_true(is(i.mime, "Zm9v"));
	at = NULL;
	assert_true(pf_ews_answer_next(a, &m));
	assert_false(pf_ews_item_next(a, &m, &at, &i));
	assert_int_equal(m.said.does, PF_EWS_GONE);
	assert_string_equal(m.said.text, "ErrorItemNotFound: no \xef\xbf\xbdsuch");
	assert_true(pf_ews_answer_next(a, &m));
	assert_int_equal(m.said.does, PF_EWS_BUSY);
	assert_int_equal(m.said.back_off_ms, 1500);
	pf_ews_answer_free(&a);
}

static void faults(void **state)
{
	static const char BUSY[] = ENVELOPE(
		"<s:Fault><faultcode xmlns:a=\"u:t\">a:ErrorServerBusy</faultcode><faultstring "
		"xml:lang=\"en-US\">The server cannot service this request right now.</faultstring>"
		"<detail><e:ResponseCode xmlns:e=\"u:e\">ErrorServerBusy</e:ResponseCode>"
		"<t:MessageXml><t:Value "
		"Name=\"BackOffMilliseconds\">297749</t:Value></t:MessageXml>"
		"</detail></s:Fault>");
	static const char SCHEMA[] = ENVELOPE(
		"<s:Fault><faultcode>s:Client</faultcode><faultstring>no</faultstring></s:Fault>");
	struct pf_ews_answer *a = read_answer(BUSY);

	(void)state;
	assert_true(pf_ews_answer_head(a)->fault);
	assert_int_equal(pf_ews_answer_head(a)->said.does, PF_EWS_BUSY);
	assert_int_equal(pf_ews_answer_head(a)->said.back_off_ms, 297749);
	pf_ews_answer_free(&a);
	a = read_answer(SCHEMA);
	assert_int_equal(pf_ews_answer_head(a)->said.does, PF_EWS_REFUSED);
	assert_string_equal(pf_ews_answer_head(a)->said.text, "Client: no");
	pf_ews_answer_free(&a);
}

/* References and bytes that XML forbids; all others stay. */
static void forbidden(void **state)
{
	static const struct {
		const char *in, *out;
		size_t mended;
	} CASES[] = {
		{"a&#x1;b",
			"a\xef\xbf\xbd"
			"b",
			1},
		{"&#0;&#xFFFF;&#xD800;", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd", 3},
		{"&#99999999999999999999;", "\xef\xbf\xbd", 1},
		{"&#x41;&#66;&amp;&#x1F600;", "AB&\xf0\x9f\x98\x80", 0},
		{"a\x01"
		 "b\xff"
		 "c\xc3\xbc",
			"a?b?c\xc3\xbc", 2},
	};

	(void)state;
	for (size_t i = 0; i < PF_COUNT(CASES); i++) {
		const struct pf_ews_node *at = NULL;
		struct pf_ews_answer *a;
		struct pf_ews_message m = {.last = false};
		struct pf_ews_folder f = {.count = 0};
		char text[2000];

		(void)snprintf(text, sizeof(text),
			MESSAGES(GOOD("<m:Folders><t:Folder><t:DisplayName>%s</t:DisplayName>"
				      "</t:Folder></m:Folders>")),
			CASES[i].in);
		a = read_answer(text);
		assert_int_equal(pf_ews_answer_head(a)->mended, CASES[i].mended);
		assert_true(pf_ews_answer_next(a, &m) && pf_ews_folder_next(a, &m, &at, &f));
		assert_true(is(f.name, CASES[i].out));
		pf_ews_answer_free(&a);
	}
}

static void no_answers(void **state)
{
	static const char *const BAD[] = {"", "x", "<html><body>Sign in</body></html>",
		"<?xml version=\"1.0\"?><!DOCTYPE x [<!ENTITY a \"b\">]>" ENVELOPE("<a/>"),
		ENVELOPE(""), ENVELOPE("<m:Other/>"), "<s:Envelope xmlns:s=\"u\"><s:Body>", "&#",
		"<a>&#x", "<a>&#;</a>"};
	struct pf_ews_answer *a = NULL;
	struct pf_err err;

	(void)state;
	for (size_t i = 0; i < PF_COUNT(BAD); i++) {
		assert_int_equal(pf_ews_answer_new(pf_span_str(BAD[i]), &a, &err), PF_FAIL);
		assert_int_equal(err.scope, PF_SCOPE_ITEM);
		assert_null(a);
	}
}

/* A message of 12 MB: more than libxml2 takes for a text by itself. */
static void large(void **state)
{
	static const char BEFORE[] = "<s:Envelope xmlns:s=\"u\"><s:Body><m><ResponseMessages><x>"
				     "<Items><Message><MimeContent>";
	static const char BEHIND[] = "</MimeContent></Message></Items></x></ResponseMessages></m>"
				     "</s:Body></s:Envelope>";
	const size_t size = 12 << 20;
	const struct pf_ews_node *at = NULL;
	struct pf_ews_answer *a = NULL;
	struct pf_ews_message m = {.last = false};
	struct pf_ews_item i = {.size = 0};
	struct pf_buf text;
	struct pf_err err;

	(void)state;
	pf_buf_init(&text, size + 1000);
	assert_int_equal(pf_buf_add_str(&text, BEFORE, &err), PF_OK);
	assert_int_equal(pf_buf_reserve(&text, size, &err), PF_OK);
	memset(text.p + text.n, 'A', size);
	text.n += size;
	assert_int_equal(pf_buf_add_str(&text, BEHIND, &err), PF_OK);
	assert_int_equal(pf_ews_answer_new(pf_buf_span(&text), &a, &err), PF_OK);
	assert_true(pf_ews_answer_next(a, &m) && pf_ews_item_next(a, &m, &at, &i));
	assert_int_equal(i.mime.n, size);
	pf_ews_answer_free(&a);
	pf_buf_deinit(&text);
}

static void codes(void **state)
{
	static const struct {
		const char *code;
		enum pf_ews_does does;
	} CASES[] = {{"NoError", PF_EWS_DONE}, {"ErrorServerBusy", PF_EWS_BUSY},
		{"ErrorCalendarDurationIsTooLong", PF_EWS_CONTENT},
		{"ErrorMimeContentInvalidBase64String", PF_EWS_CONTENT},
		{"ErrorServerBusyX", PF_EWS_REFUSED}, {"errorserverbusy", PF_EWS_REFUSED},
		{"", PF_EWS_UNCLEAR}};

	(void)state;
	for (size_t i = 0; i < PF_COUNT(CASES); i++) {
		assert_int_equal(pf_ews_does(pf_span_str(CASES[i].code)), CASES[i].does);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(base64),
		cmocka_unit_test(creating),
		cmocka_unit_test(versions),
		cmocka_unit_test(folders),
		cmocka_unit_test(changes),
		cmocka_unit_test(items),
		cmocka_unit_test(faults),
		cmocka_unit_test(forbidden),
		cmocka_unit_test(no_answers),
		cmocka_unit_test(large),
		cmocka_unit_test(codes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
