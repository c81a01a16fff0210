/* References, refusals and multistatus bodies as servers send them. */
#include "proto/dav/href.h"
#include "proto/dav/multi.h"
#include "proto/dav/request.h"
#include "proto/dav/said.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

/* ---- references ---- */

static void references(void **state)
{
	static const struct {
		const char *href, *base;
		bool folder;
		const char *want; /* NULL: elsewhere; "": nowhere */
	} CASES[] = {
		{"/a/b.ics", "/a/", false, "/a/b.ics"},
		{"/a/b.ics/", "/a/", false, "/a/b.ics"},
		{"/a/b", "/a/", true, "/a/b/"},
		{"/", "/", true, "/"},
		{"/", "/", false, "/"},
		{"b.ics", "/a/", false, "/a/b.ics"},
		{"b.ics", "/a/x", false, "/a/b.ics"},
		{"../c/d", "/a/b/", false, "/a/c/d"},
		{"/a/./b/../c", "/", false, "/a/c"},
		{"/a/%2e%2E/b", "/", false, "/b"},
		{"/../../a", "/", false, "/a"},
		{"//x/y", "/", false, NULL},
		{"/u%40h/%c3%b6.ics", "/", false, "/u%40h/%C3%B6.ics"},
		{"/u@h/\xc3\xb6.ics", "/", false, "/u%40h/%C3%B6.ics"},
		{"/a%2Fb/c", "/", false, "/a%2Fb/c"},
		{"/a+b c", "/", false, "/a%2Bb%20c"},
		{"/100%", "/", false, "/100%25"},
		{"/a?query#fragment", "/", false, "/a"},
		{" \n/a/b \n", "/", false, "/a/b"},
		{"http://host.example/a", "/", false, "/a"},
		{"https://host.example/a", "/", false, "/a"},
		{"https://HOST.example:443/a", "/", false, "/a"},
		{"https://host.example:8443/a", "/", false, NULL},
		{"https://host.example", "/", true, "/"},
		{"https://host.example.org/a", "/", false, NULL},
		{"https://u:p@host.example/a", "/", false, "/a"},
		{"https://host.example@evil.example/a", "/", false, NULL},
		{"//host.example/a", "/", false, "/a"},
		{"ftp://host.example/a", "/", false, ""},
		{"", "/", false, ""},
		/* a name with a colon is no scheme (RFC 3986 section 4.2 notwithstanding) */
		{"a:b.ics", "/x/", false, "/x/a%3Ab.ics"},
	};
	const struct pf_origin origin = {"host.example", 443, true};
	struct pf_buf out;
	struct pf_err err;

	(void)state;
	for (size_t i = 0; i < PF_COUNT(CASES); i++) {
		enum pf_dav_where where;
		const char *got = NULL;

		pf_buf_init(&out, 1000);
		assert_int_equal(pf_dav_href(pf_span_str(CASES[i].href), pf_span_str(CASES[i].base),
					 &origin, CASES[i].folder, &out, &where, &err),
			PF_OK);
		assert_int_equal(pf_buf_cstr(&out, &got, &err), PF_OK);
		if (!CASES[i].want || !CASES[i].want[0]) {
			print_message("# %s\n", CASES[i].href);
			assert_int_equal(where, CASES[i].want ? PF_DAV_NOWHERE : PF_DAV_ELSEWHERE);
			assert_string_equal(got, "");
		} else {
			assert_int_equal(where, PF_DAV_HERE);
			assert_string_equal(got, CASES[i].want);
		}
		pf_buf_deinit(&out);
	}
}

static void tls_is_never_left(void **state)
{
	const struct pf_origin plain = {"host.example", 80, false};
	enum pf_dav_where where;
	struct pf_buf out;
	struct pf_err err;

	(void)state;
	pf_buf_init(&out, 1000);
	assert_int_equal(pf_dav_href(pf_span_str("https://host.example/a"), pf_span_str("/"),
				 &plain, false, &out, &where, &err),
		PF_OK);
	assert_int_equal(where, PF_DAV_ELSEWHERE);
	pf_buf_deinit(&out);
}

static void leaves_and_parents(void **state)
{
	struct pf_buf out;
	struct pf_err err;
	const char *got = NULL;

	(void)state;
	pf_buf_init(&out, 1000);
	assert_int_equal(pf_dav_leaf(pf_span_str("/a/b%2Fc/"), &out, &err), PF_OK);
	assert_int_equal(pf_buf_cstr(&out, &got, &err), PF_OK);
	assert_string_equal(got, "b/c");
	pf_buf_deinit(&out);
	assert_true(pf_span_is(pf_dav_parent(pf_span_str("/a/b/")), "/a/"));
	assert_true(pf_span_is(pf_dav_parent(pf_span_str("/a/b.ics")), "/a/"));
	assert_true(pf_span_is(pf_dav_parent(pf_span_str("/a")), "/"));
	assert_true(pf_span_is(pf_dav_parent(pf_span_str("/")), "/"));
}

/* ---- refusals ---- */

#define ERROR(x)                                                                                   \
	"<?xml version='1.0'?><D:error xmlns:D='DAV:' xmlns:C='urn:ietf:params:xml:ns:caldav' "    \
	"xmlns:R='urn:ietf:params:xml:ns:carddav' xmlns:s='http://sabredav.org/ns'>" x             \
	"</D:error>"
#define MULTI(x)                                                                                   \
	"<D:multistatus xmlns:D='DAV:' xmlns:C='urn:ietf:params:xml:ns:caldav'><D:response>"       \
	"<D:href>/x</D:href>" x "</D:response></D:multistatus>"

static const struct {
	const char *who;
	int status;
	enum pf_dav_guard guard;
	const char *body;
	enum pf_dav_answer want;
	const char *holder, *words;
} REFUSALS[] = {
	{"stored", 201, PF_DAV_IF_NONE, "", PF_DAV_DONE, NULL, "201"},
	{"replaced", 204, PF_DAV_IF_MATCH, "", PF_DAV_DONE, NULL, "204"},
	{"Radicale", 409, PF_DAV_IF_NONE, ERROR("<C:no-uid-conflict/>"), PF_DAV_UID, NULL,
		"no-uid-conflict"},
	{"Radicale, card", 409, PF_DAV_IF_NONE, ERROR("<R:no-uid-conflict/>"), PF_DAV_UID, NULL,
		"no-uid-conflict"},
	{"with its holder", 403, PF_DAV_IF_NONE,
		ERROR("<C:no-uid-conflict><D:href> "
		      "/c/h.ics\n</D:href></C:no-uid-conflict>"),
		PF_DAV_UID, "/c/h.ics", "no-uid-conflict"},
	{"Cyrus", 403, PF_DAV_IF_NONE,
		ERROR("<C:unique-scheduling-object-resource><D:href>/c/h.ics</D:href>"
		      "</C:unique-scheduling-object-resource>"),
		PF_DAV_UID, "/c/h.ics", "unique-scheduling-object-resource"},
	{"Cyrus, another UID over it", 403, PF_DAV_IF_MATCH,
		ERROR("<C:no-uid-conflict><D:href>/c/h.ics</D:href></C:no-uid-conflict>"),
		PF_DAV_UID, "/c/h.ics", "403 no-uid-conflict"},
	{"Cyrus, two masters", 403, PF_DAV_IF_NONE, ERROR("<C:valid-calendar-object-resource/>"),
		PF_DAV_CONTENT, NULL, "valid-calendar-object-resource"},
	{"Xandikos", 412, PF_DAV_IF_NONE, ERROR("<C:no-uid-conflict/>"), PF_DAV_UID, NULL,
		"412 no-uid-conflict"},
	{"Radicale, two masters", 400, PF_DAV_IF_NONE, "Bad Request", PF_DAV_CONTENT, NULL, "400"},
	{"Nextcloud, two masters", 415, PF_DAV_IF_NONE,
		ERROR("<s:message>More than one master object was found for uid: x</s:message>"),
		PF_DAV_CONTENT, NULL, "More than one master"},
	{"gromox", 400, PF_DAV_IF_NONE, "E-2712: more than one main event", PF_DAV_CONTENT, NULL,
		"main event"},
	{"Xandikos 0.2.8", 207, PF_DAV_IF_NONE,
		MULTI("<D:status>HTTP/1.1 412 Precondition Failed</D:status><D:error>"
		      "<C:no-uid-conflict/></D:error>"),
		PF_DAV_UID, NULL, "412 no-uid-conflict"},
	{"Xandikos 0.2.8, a name", 207, PF_DAV_IF_NONE,
		MULTI("<D:status>HTTP/1.1 412 Precondition Failed</D:status>"), PF_DAV_NAME, NULL,
		"412"},
	{"a 207 that is none", 207, PF_DAV_IF_NONE,
		MULTI("<D:status>HTTP/1.1 201 Created</D:status>"), PF_DAV_DONE, NULL, "201"},
	{"a property refused", 207, PF_DAV_NO_GUARD,
		MULTI("<D:propstat><D:prop/><D:status>HTTP/1.1 403 Forbidden</D:status>"
		      "</D:propstat>"),
		PF_DAV_REFUSED, NULL, "403"},
	{"SOGo", 409, PF_DAV_IF_NONE, "Event UID already in use. (55)", PF_DAV_UID, NULL,
		"Event UID"},
	{"SOGo, booked", 409, PF_DAV_IF_NONE, "Maximum number of simultaneous bookings",
		PF_DAV_REFUSED, NULL, "bookings"},
	{"Nextcloud", 400, PF_DAV_IF_NONE,
		ERROR("<s:message>Calendar object with uid already exists in this calendar "
		      "collection.</s:message>"),
		PF_DAV_UID, NULL, "already exists"},
	{"Nextcloud's trash", 400, PF_DAV_IF_NONE,
		ERROR("<s:message>Deleted calendar object with uid already exists in this "
		      "calendar collection.</s:message>"),
		PF_DAV_UID, NULL, "Deleted calendar object"},
	{"sabre/dav", 415, PF_DAV_IF_NONE,
		ERROR("<s:message>Every VEVENT in this object must have identical UIDs"
		      "</s:message>"),
		PF_DAV_CONTENT, NULL, "identical UIDs"},
	{"Cyrus, zero length", 403, PF_DAV_IF_NONE,
		ERROR("<C:valid-calendar-data/><D:responsedescription>DTEND must occur"
		      "</D:responsedescription>"),
		PF_DAV_CONTENT, NULL, "valid-calendar-data: DTEND must occur"},
	{"DAViCal can't parse", 412, PF_DAV_NO_GUARD, "", PF_DAV_CONTENT, NULL, "412"},
	{"a name", 412, PF_DAV_IF_NONE, "", PF_DAV_NAME, NULL, "412"},
	{"a version", 412, PF_DAV_IF_MATCH, "", PF_DAV_CHANGED, NULL, "412"},
	{"too large", 413, PF_DAV_IF_NONE, "", PF_DAV_TOO_LARGE, NULL, "413"},
	{"too large, by name", 403, PF_DAV_IF_NONE, ERROR("<C:max-resource-size/>"),
		PF_DAV_TOO_LARGE, NULL, "max-resource-size"},
	{"full", 507, PF_DAV_IF_NONE, "", PF_DAV_FULL, NULL, "507"},
	{"quota", 403, PF_DAV_IF_NONE, ERROR("<D:quota-not-exceeded/>"), PF_DAV_FULL, NULL,
		"quota"},
	{"throttled", 429, PF_DAV_IF_NONE, "", PF_DAV_PATIENCE, NULL, "429"},
	{"down", 503, PF_DAV_IF_NONE, "<html><title>Down</title>back at 5</html>", PF_DAV_PATIENCE,
		NULL, "back at 5"},
	{"locked", 423, PF_DAV_IF_MATCH, "", PF_DAV_BUSY, NULL, "423"},
	{"a gateway", 504, PF_DAV_IF_NONE, "", PF_DAV_BUSY, NULL, "504"},
	{"broken", 500, PF_DAV_IF_NONE, "<h1>DAViCal Fatal Error</h1>", PF_DAV_BROKEN, NULL,
		"DAViCal Fatal Error"},
	{"sign in", 401, PF_DAV_NO_GUARD, "", PF_DAV_SIGN_IN, NULL, "401"},
	{"a token", 403, PF_DAV_NO_GUARD, ERROR("<D:valid-sync-token/>"), PF_DAV_TOKEN, NULL,
		"valid-sync-token"},
	{"moved", 302, PF_DAV_NO_GUARD, "", PF_DAV_REDIRECT, NULL, "302"},
	{"not here", 404, PF_DAV_NO_GUARD, "", PF_DAV_GONE, NULL, "404"},
	{"no such method", 405, PF_DAV_NO_GUARD, "", PF_DAV_UNKNOWN, NULL, "405"},
	{"no rights", 403, PF_DAV_IF_NONE, ERROR("<D:need-privileges/>"), PF_DAV_REFUSED, NULL,
		"need-privileges"},
	{"broken XML", 409, PF_DAV_IF_NONE, "<?xml version='1.0'?><D:error", PF_DAV_REFUSED, NULL,
		"409"},
	{"a document type", 409, PF_DAV_IF_NONE,
		"<?xml version='1.0'?><!DOCTYPE e [<!ENTITY a "
		"'b'>]><e><no-uid-conflict/></e>",
		PF_DAV_REFUSED, NULL, "409"},
};

static void refusals(void **state)
{
	(void)state;
	for (size_t i = 0; i < PF_COUNT(REFUSALS); i++) {
		struct pf_dav_said said;
		struct pf_arena arena;
		bool xml = REFUSALS[i].body[0] == '<' && !strstr(REFUSALS[i].body, "html") &&
			   !strstr(REFUSALS[i].body, "<h1>");

		pf_arena_init(&arena);
		pf_dav_said(REFUSALS[i].status, REFUSALS[i].guard,
			pf_span_str(xml ? "application/xml; charset=utf-8" : "text/html"),
			pf_span_str(REFUSALS[i].body), &arena, &said);
		print_message("# %s: %s\n", REFUSALS[i].who, said.text);
		assert_int_equal(said.answer, REFUSALS[i].want);
		assert_non_null(strstr(said.text, REFUSALS[i].words));
		assert_int_equal(said.holder.p != NULL, REFUSALS[i].holder != NULL);
		assert_true(!REFUSALS[i].holder ||
			    pf_span_eq(said.holder, pf_span_str(REFUSALS[i].holder)));
		pf_arena_deinit(&arena);
	}
}

/* ---- multistatus ---- */

static const char LISTING[] =
	"<?xml version=\"1.0\"?>\n<multistatus xmlns=\"DAV:\" "
	"xmlns:c=\"urn:ietf:params:xml:ns:caldav\" "
	"xmlns:x=\"http://apple.com/ns/ical/\"><response><href>/cal/</href><propstat><prop>"
	"<resourcetype><collection/><c:calendar/></resourcetype><displayname>A &amp; "
	"B</displayname>"
	"<x:calendar-color>#FF0000FF</x:calendar-color><sync-token>t1</sync-token>"
	"<c:supported-calendar-component-set><c:comp name=\"VEVENT\"/><c:comp name=\"vtodo\"/>"
	"</c:supported-calendar-component-set><c:max-resource-size>1000</c:max-resource-size>"
	"<supported-report-set><supported-report><report><sync-collection/></report>"
	"</supported-report></supported-report-set></prop><status>HTTP/1.1 200 "
	"OK</status></propstat>"
	"<propstat><prop><getetag>\"not this one\"</getetag></prop>"
	"<status>HTTP/1.1 404 Not Found</status></propstat></response>"
	"<unknown><response/></unknown>"
	"<response><href>/cal/a.ics</href><propstat><prop><getetag>\"1\"</getetag>"
	"<c:calendar-data><![CDATA[BEGIN:X\n<&>]]>\nEND:X</c:calendar-data></prop>"
	"<status>HTTP/1.1 200 OK</status></propstat></response>"
	"<response><href>/cal/</href><status>HTTP/1.1 507 Insufficient Storage</status><error>"
	"<number-of-matches-within-limits/></error></response>"
	"<sync-token> t2 </sync-token></multistatus>";

static void multistatus(void **state)
{
	struct pf_dav_multi *m = NULL;
	struct pf_dav_response r;
	struct pf_err err;

	(void)state;
	assert_int_equal(pf_dav_multi_new(pf_span_str(LISTING), &m, &err), PF_OK);
	assert_int_equal(pf_dav_multi_next(m, &r, &err), PF_OK);
	assert_true(pf_span_is(r.href, "/cal/"));
	assert_true(pf_span_is(r.name, "A & B"));
	assert_true(pf_span_is(r.colour, "#FF0000FF"));
	assert_int_equal(r.type, PF_DAV_COLLECTION | PF_DAV_CALENDAR);
	assert_int_equal(r.components, PF_DAV_VEVENT | PF_DAV_VTODO);
	assert_true(r.can_sync && r.has_components && !r.etag.p);
	assert_int_equal(r.max_bytes, 1000);
	assert_true(pf_span_is(r.sync_token, "t1"));
	assert_int_equal(pf_dav_multi_next(m, &r, &err), PF_OK);
	assert_true(pf_span_is(r.etag, "\"1\""));
	assert_true(pf_span_is(r.data, "BEGIN:X\n<&>\nEND:X"));
	assert_int_equal(r.type, 0);
	assert_int_equal(pf_dav_multi_next(m, &r, &err), PF_OK);
	assert_int_equal(r.status, 507);
	assert_string_equal(r.error, "number-of-matches-within-limits");
	assert_int_equal(pf_dav_multi_next(m, &r, &err), PF_END);
	assert_true(pf_span_is(pf_dav_multi_token(m), "t2"));
	pf_dav_multi_free(&m);
}

/* Cut anywhere: what came before the cut is good, and then it fails. */
static void multistatus_cut(void **state)
{
	struct pf_err err;

	(void)state;
	for (size_t n = 0; n + 1 < sizeof(LISTING) - 1; n++) {
		struct pf_dav_multi *m = NULL;
		struct pf_dav_response r;
		int rc = pf_dav_multi_new(pf_span(LISTING, n), &m, &err);

		while (rc == PF_OK && (rc = pf_dav_multi_next(m, &r, &err)) == PF_OK) {
			assert_true(pf_span_starts(r.href, "/cal/"));
		}
		assert_int_equal(rc, PF_FAIL);
		assert_int_equal(err.scope, PF_SCOPE_ITEM);
		pf_dav_multi_free(&m);
	}
}

static void no_multistatus(void **state)
{
	static const char *const BODIES[] = {"", "x", "<html/>", "<error xmlns='DAV:'/>",
		"<!DOCTYPE multistatus SYSTEM 'http://127.0.0.1:1/x'><multistatus xmlns='DAV:'/>"};
	struct pf_dav_multi *m = NULL;
	struct pf_err err;

	(void)state;
	for (size_t i = 0; i < PF_COUNT(BODIES); i++) {
		assert_int_equal(pf_dav_multi_new(pf_span_str(BODIES[i]), &m, &err), PF_FAIL);
		assert_null(m);
	}
}

/* ---- requests ---- */

static void requests(void **state)
{
	static const char NAME[] = "<&\"> \x01\xc3\xb6\xff";
	const struct pf_dav_looks looks = {
		.name = pf_span_str(NAME), .has_order = true, .order = 3, .components = {"VEVENT"}};
	const struct pf_span hrefs[] = {pf_span_str("/a&b"), pf_span_str("/c")};
	struct pf_buf out;
	struct pf_err err;
	const char *text = NULL;

	(void)state;
	pf_buf_init(&out, 100000);
	assert_int_equal(pf_dav_make(PF_DAV_MKCALENDAR, &looks, &out, &err), PF_OK);
	assert_int_equal(pf_buf_cstr(&out, &text, &err), PF_OK);
	assert_non_null(
		strstr(text, "<D:displayname>&#60;&#38;&#34;&#62; \xc3\xb6</D:displayname>"));
	assert_non_null(strstr(text, "<C:comp name=\"VEVENT\"/>"));
	assert_non_null(strstr(text, "<A:calendar-order>3</A:calendar-order>"));
	assert_null(strstr(text, "calendar-color"));
	pf_buf_clear(&out);
	assert_int_equal(pf_dav_multiget(true, hrefs, 2, &out, &err), PF_OK);
	assert_int_equal(pf_buf_cstr(&out, &text, &err), PF_OK);
	assert_non_null(strstr(text, "<D:href>/a&#38;b</D:href><D:href>/c</D:href>"));
	/* Cyrus: prefixes are declared at the root, and nowhere else. */
	assert_null(strstr(strstr(text, "xmlns:D=") + 1, "xmlns:D="));
	pf_buf_deinit(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(references),
		cmocka_unit_test(tls_is_never_left),
		cmocka_unit_test(leaves_and_parents),
		cmocka_unit_test(refusals),
		cmocka_unit_test(multistatus),
		cmocka_unit_test(multistatus_cut),
		cmocka_unit_test(no_multistatus),
		cmocka_unit_test(requests),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
