#include "proto/ews/discover.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#define OUTER "http://schemas.microsoft.com/exchange/autodiscover/"
#define ANSWER(inner)                                                                              \
	"<?xml version=\"1.0\"?><Autodiscover xmlns=\"" OUTER "responseschema/2006\">"             \
	"<Response xmlns=\"" OUTER "outlook/responseschema/2006a\">" inner                         \
	"</Response></Autodiscover>"
#define ACCOUNT(inner) ANSWER("<Account><AccountType>email</AccountType>" inner "</Account>")
#define PROTOCOL(type, url) "<Protocol><Type>" type "</Type>" url "</Protocol>"

static const struct {
	const char *name, *answer;
	enum pf_ews_found found;
	const char *value; /* or a part of the text */
} CASES[] = {
	{"one for the outside goes first",
		ACCOUNT("<Action>settings</Action>" PROTOCOL(
			"EXCH", "<EwsUrl>https://in.example/e</EwsUrl>") PROTOCOL("EXPR",
			"<EwsUrl> https://out.example/e </EwsUrl>") PROTOCOL("WEB", "")),
		PF_EWS_FOUND_SERVICE, "https://out.example/e"},
	{"one for the inside only",
		ACCOUNT("<Action>settings</Action>" PROTOCOL(
			"WEB", "<EwsUrl>https://web.example/e</EwsUrl>") PROTOCOL("EXCH",
			"<EwsUrl>https://in.example/e</EwsUrl>") PROTOCOL("EXPR", "")),
		PF_EWS_FOUND_SERVICE, "https://in.example/e"},
	{"named by what it is used for",
		ACCOUNT("<Action>settings</Action>" PROTOCOL(
			"EXCH", "<ASUrl>https://in.example/a&amp;b</ASUrl>")),
		PF_EWS_FOUND_SERVICE, "https://in.example/a&b"},
	{"another address",
		ACCOUNT("<Action>redirectAddr</Action><RedirectAddr>ann@two.example</"
			"RedirectAddr>"),
		PF_EWS_FOUND_ADDRESS, "ann@two.example"},
	{"another place",
		ACCOUNT("<Action>redirectUrl</Action><RedirectUrl>https://two.example/d</"
			"RedirectUrl>"),
		PF_EWS_FOUND_PLACE, "https://two.example/d"},
	{"no service", ACCOUNT("<Action>settings</Action>" PROTOCOL("EXPR", "")),
		PF_EWS_FOUND_NOTHING, "names no Exchange Web Services"},
	{"an error",
		ANSWER("<Error Time=\"1\" Id=\"2\"><ErrorCode>500</ErrorCode><Message>Who is "
		       "that?</Message>"
		       "<DebugData/></Error>"),
		PF_EWS_FOUND_NOTHING, "error 500: Who is that?"},
	{"a page", "<html><body>Welcome</body></html>", PF_EWS_FOUND_NOTHING,
		"none of Autodiscover"},
	{"no XML", "Welcome & good day", PF_EWS_FOUND_NOTHING, "none of Autodiscover"},
	{"nothing", "", PF_EWS_FOUND_NOTHING, "none of Autodiscover"},
	{"entities that would grow",
		"<!DOCTYPE a [<!ENTITY b "
		"\"c\">]><Autodiscover><Response>&b;</Response></Autodiscover>",
		PF_EWS_FOUND_NOTHING, "none of Autodiscover"},
};

static void answers(void **state)
{
	(void)state;
	for (size_t i = 0; i < PF_COUNT(CASES); i++) {
		struct pf_ews_place place;
		struct pf_arena arena;
		struct pf_err err;

		pf_arena_init(&arena);
		assert_int_equal(
			pf_ews_discover_read(pf_span_str(CASES[i].answer), &arena, &place, &err),
			PF_OK);
		if (place.found != CASES[i].found) {
			fail_msg("%s: found %d", CASES[i].name, (int)place.found);
		}
		if (place.found == PF_EWS_FOUND_NOTHING) {
			assert_non_null(strstr(place.text, CASES[i].value));
		} else {
			assert_true(pf_span_eq(place.value, pf_span_str(CASES[i].value)));
		}
		pf_arena_deinit(&arena);
	}
}

static void a_request_is_escaped(void **state)
{
	const char *text = "";
	struct pf_buf out;
	struct pf_err err;

	(void)state;
	pf_buf_init(&out, 4096);
	assert_int_equal(
		pf_ews_discover_request(pf_span_str("a&b@example.org"), &out, &err), PF_OK);
	assert_int_equal(pf_buf_cstr(&out, &text, &err), PF_OK);
	assert_non_null(strstr(text, "<EMailAddress>a&#38;b@example.org</EMailAddress>"
				     "<AcceptableResponseSchema>"));
	pf_buf_deinit(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(answers),
		cmocka_unit_test(a_request_is_escaped),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
