/* What a contact means, and how little is changed when something must be. */
#include "convert/vcard_codec.h"

#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#define CARD(version, lines) "BEGIN:VCARD\r\nVERSION:" version "\r\n" lines "END:VCARD\r\n"

static struct pf_doc *open_doc(const char *text)
{
	struct pf_doc *d = NULL;
	struct pf_err err;

	if (pf_vcard_codec.read(pf_span_str(text), &d, &err) != PF_OK) {
		fail_msg("%s in %s", err.text, text);
	}
	return d;
}

static void same_and_not_the_same(void **state)
{
	static const struct {
		const char *name, *a, *b;
		bool same;
	} CASES[] = {
		{"stamps and order", CARD("3.0", "FN:Jo\r\nN:Doe;Jo;;;\r\nUID:1\r\nREV:2\r\n"),
			CARD("3.0", "N:Doe;Jo\r\nPRODID:x\r\nFN:Jo\r\n"), true},
		{"another name", CARD("3.0", "FN:Jo\r\n"), CARD("3.0", "FN:Joe\r\n"), false},
		{"phones by their digits", CARD("3.0", "TEL;TYPE=HOME,VOICE:+49 (30) 12-3\r\n"),
			CARD("2.1", "TEL;HOME:+4930123\r\n"), true},
		{"home is not work", CARD("3.0", "TEL;TYPE=HOME:1\r\n"),
			CARD("3.0", "TEL;TYPE=WORK:1\r\n"), false},
		{"the preferred one", CARD("4.0", "TEL;PREF=1:1\r\n"),
			CARD("3.0", "TEL;TYPE=PREF:1\r\n"), true},
		{"domains have no case", CARD("3.0", "EMAIL:Jo@X.Org\r\n"),
			CARD("3.0", "EMAIL:Jo@x.org\r\n"), true},
		{"the part before them has", CARD("3.0", "EMAIL:Jo@x.org\r\n"),
			CARD("3.0", "EMAIL:jo@x.org\r\n"), false},
		{"quoted-printable and a character set",
			CARD("2.1", "FN;CHARSET=ISO-8859-1;ENCODING=QUOTED-PRINTABLE:J=FCrgen\r\n"),
			CARD("3.0", "FN:J\xC3\xBCrgen\r\n"), true},
		{"pictures by their bytes",
			CARD("3.0", "PHOTO;ENCODING=b;TYPE=JPEG:AAEC\r\n AwQ=\r\n"),
			CARD("4.0", "PHOTO:data:image/jpeg;base64,AAECAwQ=\r\n"), true},
		{"another picture", CARD("3.0", "PHOTO;ENCODING=b:AAEC\r\n"),
			CARD("3.0", "PHOTO;ENCODING=b:AAED\r\n"), false},
		{"groups by their labels", CARD("3.0", "item1.TEL:1\r\nitem1.X-ABLabel:Boat\r\n"),
			CARD("3.0", "a.TEL:1\r\na.X-ABLabel:Boat\r\n"), true},
		{"another label", CARD("3.0", "item1.TEL:1\r\nitem1.X-ABLabel:Boat\r\n"),
			CARD("3.0", "item1.TEL:1\r\nitem1.X-ABLabel:Car\r\n"), false},
		{"a birthday", CARD("3.0", "BDAY:1985-04-12\r\n"), CARD("3.0", "BDAY:19850412\r\n"),
			true},
		{"groups of contacts",
			CARD("3.0", "X-ADDRESSBOOKSERVER-KIND:group\r\nX-ADDRESSBOOKSERVER-MEMBER:"
				    "urn:uuid:1\r\n"),
			CARD("4.0", "KIND:group\r\nMEMBER:urn:uuid:1\r\n"), true},
		{"an empty property", CARD("3.0", "NOTE:\r\nADR:;;;;;;\r\n"), CARD("3.0", ""),
			true},
		{"an address", CARD("3.0", "ADR:;;Main St;Town;;1;DE\r\n"),
			CARD("3.0", "ADR:;;Main St;Town;1;;DE\r\n"), false},
	};

	(void)state;
	for (size_t i = 0; i < PF_COUNT(CASES); i++) {
		struct pf_doc *a = open_doc(CASES[i].a), *b = open_doc(CASES[i].b);

		if (pf_digest_eq(&pf_vcard_codec.part(a, 0)->meaning,
			    &pf_vcard_codec.part(b, 0)->meaning) != CASES[i].same) {
			fail_msg("%s", CASES[i].name);
		}
		pf_vcard_codec.free(&a);
		pf_vcard_codec.free(&b);
	}
}

static void is_composed(const char *text, size_t card, const struct pf_compose *how,
	const char *want, const char *changes)
{
	struct pf_doc *d = open_doc(text);
	const struct pf_piece piece = {d, card};
	struct pf_composed out = {0};
	struct pf_err err;

	assert_int_equal(pf_vcard_codec.compose(&piece, 1, how, &out, &err), PF_OK);
	if (!pf_span_eq(pf_blob_span(out.body), pf_span_str(want))) {
		fail_msg("%.*s", (int)out.body->n, (const char *)out.body->bytes);
	}
	assert_string_equal(out.changes, changes);
	pf_blob_unref(&out.body);
	pf_vcard_codec.free(&d);
}

static void only_what_is_asked_for_changes(void **state)
{
	(void)state;
	is_composed("BEGIN:VCARD\nversion:3.0\nFN:a\nX:  y\nEND:VCARD", 0, &(struct pf_compose){0},
		"BEGIN:VCARD\nversion:3.0\nFN:a\nX:  y\nEND:VCARD", "");
	is_composed(CARD("3.0", "FN:a\r\n") CARD("3.0", "FN:b\r\nNOTE:l\r\n ong\r\n"), 1,
		&(struct pf_compose){0}, CARD("3.0", "FN:b\r\nNOTE:l\r\n ong\r\n"), "");
	is_composed(CARD("3.0", "FN:a\r\nUID:old\r\n"), 0,
		&(struct pf_compose){.uid = pf_span_str("new")},
		CARD("3.0", "FN:a\r\nUID:new\r\nX-POSTFERRY-ORIGINAL-UID:old\r\n"), "");
	is_composed(CARD("3.0", "N:Doe;Jo;;;\r\n"), 0,
		&(struct pf_compose){.uid = pf_span_str("new"), .repair = true},
		CARD("3.0", "UID:new\r\nFN:Jo Doe\r\nN:Doe;Jo;;;\r\n"), "FN added");
}

static void old_cards_become_new_ones(void **state)
{
	static const char OLD[] = CARD("2.1",
		"N;CHARSET=ISO-8859-1;ENCODING=QUOTED-PRINTABLE:M=FCller;J\r\nFN:M, J\r\n"
		"TEL;HOME;VOICE:1\r\nPHOTO;JPEG;ENCODING=BASE64:\r\n AAEC\r\n\r\n"
		"NOTE;ENCODING=QUOTED-PRINTABLE:a=0D=0A=\r\nb\r\n");

	(void)state;
	is_composed(OLD, 0, &(struct pf_compose){.card_version = 30},
		CARD("3.0", "N:M\xC3\xBCller;J\r\nFN:M\\, J\r\nTEL;TYPE=HOME;TYPE=VOICE:1\r\n"
			    "PHOTO;ENCODING=b;TYPE=JPEG:AAEC\r\nNOTE:a\\nb\r\n"),
		"made version 3.0");
	is_composed(OLD, 0, &(struct pf_compose){.card_version = 40},
		CARD("4.0", "N:M\xC3\xBCller;J\r\nFN:M\\, J\r\nTEL;TYPE=HOME;TYPE=VOICE:1\r\n"
			    "PHOTO:data:image/jpeg;base64,AAEC\r\nNOTE:a\\nb\r\n"),
		"made version 4.0");
}

static size_t seen, unread, altered;

static int each(const char *path, const struct stat *st, int kind, struct FTW *at)
{
	struct pf_doc *d = NULL, *e = NULL;
	struct pf_composed out = {0};
	struct pf_blob *raw;
	struct pf_err err;
	FILE *f;

	(void)at;
	if (kind != FTW_F) {
		return 0;
	}
	seen++;
	raw = pf_blob_new((size_t)st->st_size);
	f = fopen(path, "rb");
	assert_true(raw && f && fread(raw->bytes, 1, raw->n, f) == raw->n);
	(void)fclose(f);
	if (strstr(path, "Cropped")) { /* cut within a character: what it means nobody knows */
		pf_blob_unref(&raw);
		return 0;
	}
	if (pf_vcard_codec.read(pf_blob_span(raw), &d, &err) != PF_OK) {
		unread++;
		pf_blob_unref(&raw);
		return 0;
	}
	for (size_t i = 0; i < 3 * pf_vcard_codec.parts(d); i++) {
		static const int VERSIONS[] = {0, 30, 40};
		const struct pf_piece piece = {d, i / 3};
		const struct pf_compose how = {
			.uid = pf_span_str("new"), .card_version = VERSIONS[i % 3]};

		assert_int_equal(pf_vcard_codec.compose(&piece, 1, &how, &out, &err), PF_OK);
		assert_int_equal(pf_vcard_codec.read(pf_blob_span(out.body), &e, &err), PF_OK);
		if (!pf_digest_eq(&pf_vcard_codec.part(d, i / 3)->meaning,
			    &pf_vcard_codec.part(e, 0)->meaning)) {
			print_message("# %s: card %zu means something else as version %d\n", path,
				i / 3, VERSIONS[i % 3]);
			altered++;
		}
		pf_blob_unref(&out.body);
		pf_vcard_codec.free(&e);
	}
	pf_blob_unref(&raw);
	pf_vcard_codec.free(&d);
	return 0;
}

static void the_corpus_survives(void **state)
{
	const char *corpus = getenv("PF_CORPUS");
	char path[4096];

	(void)state;
	(void)snprintf(path, sizeof(path), "%s/vcf", corpus ? corpus : "");
	if (!corpus || nftw(path, each, 16, FTW_PHYS) != 0) {
		skip();
	}
	print_message("# %zu files, %zu of them without any card\n", seen, unread);
	assert_true(unread * 4 < seen);
	assert_int_equal(altered, 0);
}

/* However many lines had to be mended: the words about it are cut, the card is not. */
static void many_repairs(void **state)
{
	enum { LINES = 2000 };
	static char text[100 + LINES * 40];
	const struct pf_compose how = {.repair = true, .card_version = 30};
	struct pf_composed out = {0};
	struct pf_doc *d;
	struct pf_err err;
	size_t n = (size_t)snprintf(text, sizeof(text), "BEGIN:VCARD\r\nVERSION:2.1\r\nFN:Jo\r\n");

	(void)state;
	for (int i = 0; i < LINES; i++) {
		n += (size_t)snprintf(text + n, sizeof(text) - n, "TEL;HOME;VOICE:%d\r\n", i);
	}
	(void)snprintf(text + n, sizeof(text) - n, "END:VCARD\r\n");
	d = open_doc(text);
	assert_int_equal(
		pf_vcard_codec.compose(&(struct pf_piece){d, 0}, 1, &how, &out, &err), PF_OK);
	assert_true(out.body->n > n);
	assert_true(out.changes[0]);
	pf_blob_unref(&out.body);
	pf_vcard_codec.free(&d);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(same_and_not_the_same),
		cmocka_unit_test(only_what_is_asked_for_changes),
		cmocka_unit_test(old_cards_become_new_ones),
		cmocka_unit_test(many_repairs),
		cmocka_unit_test(the_corpus_survives),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
