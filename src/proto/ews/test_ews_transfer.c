/* ExportItems and UploadItems: requests in the schema's order, and answers as servers give them. */
#include "proto/ews/transfer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#define ANSWER(name, inside)                                                                       \
	"<s:Envelope xmlns:s=\"http://schemas.xmlsoap.org/soap/envelope/\"><s:Body><m:" name       \
	"Response xmlns:m=\"u:m\" xmlns:t=\"u:t\"><m:ResponseMessages>" inside                     \
	"</m:ResponseMessages></m:" name "Response></s:Body></s:Envelope>"
#define GOOD(name, inside)                                                                         \
	"<m:" name "ResponseMessage ResponseClass=\"Success\">"                                    \
	"<m:ResponseCode>NoError</m:ResponseCode>" inside "</m:" name "ResponseMessage>"
#define BAD(name, code)                                                                            \
	"<m:" name "ResponseMessage ResponseClass=\"Error\"><m:MessageText>no</m:MessageText>"     \
	"<m:ResponseCode>" code "</m:ResponseCode></m:" name "ResponseMessage>"

static void has(struct pf_buf *text, const char *words)
{
	const char *all = NULL;
	struct pf_err err;

	assert_int_equal(pf_buf_cstr(text, &all, &err), PF_OK);
	if (!strstr(all, words)) {
		fail_msg("%s is not in %s", words, all);
	}
}

static void exporting(void **state)
{
	const struct pf_ews_as as = {PF_EWS_2010_SP1, NULL};
	const struct pf_span ids[] = {pf_span_str("A+/="), pf_span_str("a&b")};
	struct pf_err err;
	struct pf_buf out;

	(void)state;
	pf_buf_init(&out, 100000);
	assert_int_equal(pf_ews_export(&as, ids, 2, &out, &err), PF_OK);
	has(&out, "Version=\"Exchange2010_SP1\"");
	has(&out, "<m:ExportItems><m:ItemIds><t:ItemId Id=\"A+/=\"/><t:ItemId Id=\"a&#38;b\"/>"
		  "</m:ItemIds></m:ExportItems></s:Body>");
	pf_buf_deinit(&out);
}

static void uploading(void **state)
{
	const struct pf_ews_as as = {PF_EWS_2013, NULL};
	const struct pf_ews_upload anew = {
		.folder = pf_span_str("F"), .stream = pf_span_str("foo")};
	const struct pf_ews_upload over = {.folder = pf_span_str("F"),
		.item = pf_span_str("I"),
		.version = pf_span_str("V"),
		.stream = pf_span_str("fo")};
	struct pf_err err;
	struct pf_buf out;

	(void)state;
	pf_buf_init(&out, 100000);
	assert_int_equal(pf_ews_upload_begin(&as, &out, &err), PF_OK);
	assert_int_equal(pf_ews_upload_item(&anew, &out, &err), PF_OK);
	assert_int_equal(pf_ews_upload_item(&over, &out, &err), PF_OK);
	assert_int_equal(pf_ews_upload_end(&out, &err), PF_OK);
	has(&out, "<m:UploadItems><m:Items><t:Item CreateAction=\"CreateNew\" "
		  "IsAssociated=\"false\"><t:ParentFolderId Id=\"F\"/><t:Data>Zm9v</t:Data>"
		  "</t:Item>");
	has(&out, "<t:Item CreateAction=\"Update\" IsAssociated=\"false\"><t:ParentFolderId "
		  "Id=\"F\"/><t:ItemId Id=\"I\" ChangeKey=\"V\"/><t:Data>Zm8=</t:Data></t:Item>"
		  "</m:Items></m:UploadItems>");
	pf_buf_deinit(&out);
}

/* One end for each item, and a stream only where there is one. */
static void answers(void **state)
{
	static const char TEXT[] = ANSWER("ExportItems",
		GOOD("ExportItems", "<m:ItemId Id=\"A\" ChangeKey=\"B\"/><m:Data>Zm9v</m:Data>")
			BAD("ExportItems", "ErrorItemNotFound") GOOD(
				"ExportItems", "<m:ItemId Id=\"C\"/>") GOOD("ExportItems", ""));
	struct pf_ews_answer *a = NULL;
	struct pf_ews_message m;
	struct pf_ews_moved moved;
	struct pf_err err;

	(void)state;
	assert_int_equal(pf_ews_answer_new(pf_span_str(TEXT), &a, &err), PF_OK);
	assert_true(pf_ews_answer_next(a, &m));
	assert_int_equal(m.said.does, PF_EWS_DONE);
	pf_ews_moved(a, &m, &moved);
	assert_true(pf_span_is(moved.id, "A") && pf_span_is(moved.version, "B"));
	assert_true(pf_span_is(moved.stream, "Zm9v"));
	assert_true(pf_ews_answer_next(a, &m));
	assert_int_equal(m.said.does, PF_EWS_GONE);
	pf_ews_moved(a, &m, &moved);
	assert_null(moved.stream.p);
	assert_true(pf_ews_answer_next(a, &m));
	pf_ews_moved(a, &m, &moved);
	assert_true(pf_span_is(moved.id, "C"));
	assert_null(moved.stream.p);
	assert_true(pf_ews_answer_next(a, &m));
	pf_ews_moved(a, &m, &moved);
	assert_null(moved.id.p);
	assert_false(pf_ews_answer_next(a, &m));
	pf_ews_answer_free(&a);
}

int main(void)
{
	static const struct CMUnitTest TESTS[] = {cmocka_unit_test(exporting),
		cmocka_unit_test(uploading), cmocka_unit_test(answers)};

	return cmocka_run_group_tests(TESTS, NULL, NULL);
}
