/* Whose the addresses of a directory are: CSV and LDIF as administrators have them. */
#include "plan/address_map.h"

#include "base/buf.h"
#include "plan/ldif.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static struct pf_address_map *must_read(const char *text)
{
	struct pf_address_map *map = NULL;
	struct pf_err err;

	if (pf_address_map_of_text("map", pf_span_str(text), &map, &err) != PF_OK) {
		fail_msg("%s", err.text);
	}
	return map;
}

static void finds(const struct pf_address_map *map, const char *address, const char *want)
{
	const struct pf_addresses *a = pf_address_map_addresses(map);
	struct pf_span smtp = pf_span(NULL, 0);
	bool found = a->find(a, pf_span_str("EX"), pf_span_str(address), &smtp);

	if (found != (want != NULL) || (want && !pf_span_is(smtp, want))) {
		fail_msg("%s: %.*s", address, (int)smtp.n, found ? (const char *)smtp.p : "");
	}
}

static void refused(const char *text, const char *says)
{
	struct pf_address_map *map = NULL;
	struct pf_err err;

	assert_int_equal(pf_address_map_of_text("a.map", pf_span_str(text), &map, &err), PF_FAIL);
	assert_null(map);
	if (!strstr(err.text, says)) {
		fail_msg("%s, not %s", err.text, says);
	}
}

static void tables(void **state)
{
	static const char *const TEXTS[] = {
		"/o=Org/cn=ann,ann@x.org\n/o=Org/cn=bob,bob@x.org\n",
		"LegacyExchangeDN;PrimarySmtpAddress\r\n/O=ORG/CN=Ann;ann@x.org\r\n"
		"/o=Org/cn=bob;bob@x.org\r\n\r\n/o=Org/cn=nobody;\r\n",
		"#TYPE Selected.User\n\"DN\",\"mail\",\"legacyExchangeDN\"\n"
		"\"CN=Ann,DC=x\",\"ann@x.org\",\"/o=Org/cn=ann\"\n"
		"\"CN=Bob,DC=x\",\"bob@x.org\",\"/o=Org/cn=bob\"\n",
		"DN,legacyExchangeDN,proxyAddresses\n"
		"\"CN=a\",/o=Org/cn=ann,smtp:old@x.org;SMTP:ann@x.org;X500:/o=Old/cn=ann\n"
		"\"CN=b\",/o=Org/cn=bob,SMTP:bob@x.org smtp:b@x.org\n",
	};

	(void)state;
	for (size_t i = 0; i < PF_COUNT(TEXTS); i++) {
		struct pf_address_map *map = must_read(TEXTS[i]);

		finds(map, "/o=Org/cn=ann", "ann@x.org");
		finds(map, "/o=ORG/CN=BOB", "bob@x.org");
		finds(map, "/o=Org/cn=nobody", NULL);
		finds(map, "/o=Org/cn=an", NULL);
		finds(map, "/o=Old/cn=ann", i == 3 ? "ann@x.org" : NULL);
		assert_int_equal(pf_address_map_count(map), i == 3 ? 3 : 2);
		pf_address_map_free(&map);
	}
}

static void ldif(void **state)
{
	struct pf_address_map *map;

	(void)state;
	map = must_read("# from ldifde\r\nversion: 1\r\n\r\n"
			"dn: CN=Ann,CN=Users,DC=x,DC=org\r\nchangetype: add\r\n"
			"legacyExchangeDN: /o=Org/ou=First Administrative Group/cn=Recipi\r\n"
			" ents/cn=ann\r\nmail:: YW5uQHgub3Jn\r\n"
			"proxyAddresses: X500:/o=Old/cn=ann\r\n\r\n\r\n"
			"dn:: Q049QsO2YixEQz14\r\nmail;lang-de: bob@x.org\r\n"
			"legacyExchangeDN: /o=Org/cn=B\xC3\xB6"
			"b\r\n\r\n"
			"dn: CN=system,DC=x\r\nlegacyExchangeDN: /o=Org/cn=system");
	finds(map, "/o=Org/ou=First Administrative Group/cn=Recipients/cn=ANN", "ann@x.org");
	finds(map, "/o=Old/cn=ann", "ann@x.org");
	finds(map,
		"/o=Org/cn=B\xC3\xB6"
		"b",
		"bob@x.org");
	finds(map, "/o=Org/cn=system", NULL);
	pf_address_map_free(&map);

	/* Exchange 5.5: the name itself is the address, backwards. */
	map = must_read("dn: cn=ann, cn=Recipients,ou=Site,o=Org\nmail: ann@x.org\n\n"
			"dn: cn=Bob,dc=x\nmail: bob@x.org\n\n"
			"dn: cn=eve,cn=Recipients,ou=Site,o=Org\nrfc822Mailbox: eve@x.org\n");
	finds(map, "/o=Org/ou=Site/cn=Recipients/cn=ann", "ann@x.org");
	finds(map, "/o=Org/ou=Site/cn=Recipients/cn=eve", "eve@x.org");
	assert_int_equal(pf_address_map_count(map), 2);
	pf_address_map_free(&map);
}

static void what_is_wrong_is_named(void **state)
{
	(void)state;
	refused("/o=Org/cn=ann,ann@x.org\n/o=Org/cn=bob,bob at x.org\n",
		"a.map line 2: its address is none of the Internet's");
	refused("ex,mail\ncn=ann,ann@x.org\n/o=A/cn=b,b@x\n,x y\n", "a.map line 2: its directory");
	refused("ex,mail\ncn=ann,ann@x.org\n/o=A/cn=b,b@x\n,x y\n", "(and 1 more lines)");
	refused("who,what\n1,2\n", "a.map line 1: it must be a directory address");
	refused("/o=Org/cn=ann,ann@x.org\n\n/O=org/cn=Ann,eve@x.org\n",
		"a.map line 3: line 1 has the same directory address for somebody else");
	refused("dn: cn=a,o=O\nmail: a@x\n\ndn: cn=b,o=O\nno value\nmail: b@x\n",
		"a.map line 5: it is no \"name: value\"");
	refused("dn: cn=a,o=O\n;x: y\nmail: a@x\n", "a.map line 2: it is no \"name: value\"");
	refused("dn: cn=a,o=O\nmail:: ?\n", "a.map line 2: its value is no base64");
	refused("dn: cn=a,o=O\nmail:< file:///x\n", "a.map line 2: its value is in a file");
	refused("ex,mail\n", "it has nobody");
	refused("", "it has nobody");
	refused("ex,\"mail\n", "a.map");
}

static void lines_of_ldif(void **state)
{
	static const char TEXT[] = "\n\n# one\n two\ndn: a\nb:  c \nd:: eA==\ne:\n\n-\nf: g";
	static const char *const WANT[] = {
		"5 dn a", "6 b c", "7 d x", "8 e ", "9 .", "11 f g", "11 ."};
	struct pf_ldif_line line;
	struct pf_ldif l;
	struct pf_err err;
	char got[100];

	(void)state;
	pf_ldif_init(&l, pf_span_str(TEXT));
	for (size_t i = 0; i < PF_COUNT(WANT); i++) {
		assert_int_equal(pf_ldif_next(&l, &line, &err), PF_OK);
		if (line.ends_record) {
			(void)snprintf(got, sizeof(got), "%zu .", line.line);
		} else {
			(void)snprintf(got, sizeof(got), "%zu %.*s %.*s", line.line,
				(int)line.name.n, (const char *)line.name.p, (int)line.value.n,
				line.value.n > 0 ? (const char *)line.value.p : "");
		}
		assert_string_equal(got, WANT[i]);
	}
	assert_int_equal(pf_ldif_next(&l, &line, &err), PF_END);
	pf_ldif_deinit(&l);
}

/* What is decoded makes the buffer grow in which the name lies. */
static void a_long_value_leaves_its_name(void **state)
{
	char text[3000] = "legacyExchangeDN:: ";
	struct pf_ldif_line line;
	struct pf_ldif l;
	struct pf_err err;

	(void)state;
	for (size_t n = strlen(text); n + 4 < sizeof(text); n += 4) {
		memcpy(text + n, "eHh4", 5);
		pf_ldif_init(&l, pf_span_str(text));
		assert_int_equal(pf_ldif_next(&l, &line, &err), PF_OK);
		assert_true(pf_span_eq(line.name, pf_span_str("legacyExchangeDN")));
		assert_int_equal(line.value.n, (n - strlen("legacyExchangeDN:: ") + 4) / 4 * 3);
		pf_ldif_deinit(&l);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tables),
		cmocka_unit_test(ldif),
		cmocka_unit_test(what_is_wrong_is_named),
		cmocka_unit_test(lines_of_ldif),
		cmocka_unit_test(a_long_value_leaves_its_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
