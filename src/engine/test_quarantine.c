/* What could not be placed is on disk, whole, under a name that says what it is. */
#include "engine/quarantine.h"

#include "base/utf8.h"
#include "engine/safe_name.h"

#include <dirent.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>
#include <jansson.h>

static const char MESSAGE[] =
	"Message-ID: <1@x>\r\nFrom: a@x\r\nSubject: =?utf-8?q?=C3=BC?=\r\n\r\nbody\r\n";

struct world {
	char dir[48];
	struct pf_quarantine *q;
	struct pf_path folder;
	struct pf_quarantine_about about;
	struct pf_err err;
};

static void must(struct world *w, int rc)
{
	if (rc != PF_OK) {
		print_error("%s\n", w->err.text);
	}
	assert_int_equal(rc, PF_OK);
}

static int setup(void **state)
{
	struct world *w = calloc(1, sizeof(*w));
	char dir[80];

	if (!w) {
		return -1;
	}
	(void)snprintf(w->dir, sizeof(w->dir), "/tmp/test_quarantine.XXXXXX");
	if (!mkdtemp(w->dir)) {
		free(w);
		return -1;
	}
	(void)snprintf(dir, sizeof(dir), "%s/made/q", w->dir);
	must(w, pf_quarantine_open(dir, "ann@x.org", &w->q, &w->err));
	must(w, pf_path_parse(&w->folder, "Archive/Dr. Jones\\/Smith", &w->err));
	w->about = (struct pf_quarantine_about){
		.folder = &w->folder,
		.item = pf_span_str("4711"),
		.size = 12345,
		.date_utc_s = 839399400,
		.flags = {PF_FLAG_SEEN | PF_FLAG_FLAGGED, pf_span_str("$Forwarded work")},
		.reason = "APPEND: NO [LIMIT] \"too large\"",
		.attempts = 3,
		.at_utc_s = 1764000000,
	};
	*state = w;
	return 0;
}

static int teardown(void **state)
{
	struct world *w = *state;
	char command[80];

	pf_quarantine_free(&w->q);
	pf_path_deinit(&w->folder);
	(void)snprintf(command, sizeof(command), "rm -rf '%s'", w->dir);
	(void)!system(command); /* NOLINT(cert-env33-c): our own directory */
	free(w);
	return 0;
}

static const char *path_of(struct world *w, const char *name)
{
	static char path[600];
	char leaf[PF_SAFE_NAME_MAX + 1];

	pf_safe_name(pf_span_str("Dr. Jones/Smith"), leaf);
	(void)snprintf(path, sizeof(path), "%s/made/q/ann@x.org/Archive/%s/%s", w->dir, leaf, name);
	return path;
}

static bool has_content(struct world *w, const char *name, struct pf_span want)
{
	FILE *f = fopen(path_of(w, name), "rb");
	char *got = calloc(1, want.n + 2);
	size_t n = f && got ? fread(got, 1, want.n + 1, f) : 0;
	bool same = f && got && n == want.n && memcmp(got, want.p, n) == 0;

	if (f) {
		(void)fclose(f);
	}
	free(got);
	return same;
}

static json_t *reason_of(struct world *w)
{
	json_error_t e;
	json_t *got = json_load_file(path_of(w, "4711.json"), 0, &e);

	if (!got) {
		fail_msg("%s", e.text);
	}
	return got;
}

static void assert_text(json_t *reason, const char *key, const char *want)
{
	assert_string_equal(json_string_value(json_object_get(reason, key)), want);
}

static void item_is_kept_with_its_reason(void **state)
{
	struct world *w = *state;
	struct stat st;
	json_t *r;

	must(w, pf_quarantine_put(w->q, &w->about, pf_span_str(MESSAGE), &w->err));
	assert_true(has_content(w, "4711.eml", pf_span_str(MESSAGE)));
	assert_int_equal(stat(path_of(w, "4711.eml"), &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	assert_int_equal(stat(path_of(w, ""), &st), 0);
	assert_int_equal(st.st_mode & 0777, 0700);
	r = reason_of(w);
	assert_text(r, "account", "ann@x.org");
	assert_text(r, "folder", "Archive/Dr. Jones\\/Smith");
	assert_string_equal(json_string_value(json_array_get(json_object_get(r, "folder_path"), 1)),
		"Dr. Jones/Smith");
	assert_text(r, "id", "4711");
	assert_int_equal(json_integer_value(json_object_get(r, "size")), 12345);
	assert_text(r, "date", "1996-08-07T06:30:00Z");
	assert_int_equal(json_array_size(json_object_get(r, "flags")), 4);
	assert_string_equal(
		json_string_value(json_array_get(json_object_get(r, "flags"), 0)), "\\Seen");
	assert_string_equal(
		json_string_value(json_array_get(json_object_get(r, "flags"), 3)), "work");
	assert_text(r, "reason", "APPEND: NO [LIMIT] \"too large\"");
	assert_int_equal(json_integer_value(json_object_get(r, "attempts")), 3);
	assert_text(r, "file", "4711.eml");
	assert_int_equal(json_integer_value(json_object_get(r, "bytes")), sizeof(MESSAGE) - 1);
	assert_int_equal(strlen(json_string_value(json_object_get(r, "sha256"))), 64);
	assert_text(r, "message_id", "<1@x>");
	assert_text(r, "subject", "\xc3\xbc");
	json_decref(r);
}

static void item_in_parts_is_the_same(void **state)
{
	struct world *w = *state;
	struct pf_quarantine_entry *e;
	json_t *whole, *parts;

	must(w, pf_quarantine_put(w->q, &w->about, pf_span_str(MESSAGE), &w->err));
	whole = reason_of(w);
	must(w, pf_quarantine_begin(w->q, &w->about, &e, &w->err));
	for (size_t i = 0; i < sizeof(MESSAGE) - 1; i++) {
		must(w, pf_quarantine_add(e, pf_span(MESSAGE + i, 1), &w->err));
	}
	assert_int_equal(access(path_of(w, "4711.eml.part"), F_OK), 0);
	must(w, pf_quarantine_commit(&e, &w->about, &w->err));
	assert_null(e);
	parts = reason_of(w);
	assert_true(json_equal(whole, parts));
	assert_true(has_content(w, "4711.eml", pf_span_str(MESSAGE)));
	json_decref(whole);
	json_decref(parts);
}

static void given_up_entry_leaves_nothing(void **state)
{
	struct world *w = *state;
	struct pf_quarantine_entry *e;

	must(w, pf_quarantine_begin(w->q, &w->about, &e, &w->err));
	must(w, pf_quarantine_add(e, pf_span_str("half"), &w->err));
	pf_quarantine_abort(&e);
	pf_quarantine_abort(&e);
	assert_int_equal(rmdir(path_of(w, "")), 0);
}

static void bytes_of_an_earlier_run_are_not_lost(void **state)
{
	struct world *w = *state;
	json_t *r;

	must(w, pf_quarantine_put(w->q, &w->about, pf_span(NULL, 0), &w->err));
	r = reason_of(w);
	assert_null(json_object_get(r, "file"));
	json_decref(r);
	must(w, pf_quarantine_put(w->q, &w->about, pf_span_str(MESSAGE), &w->err));
	w->about.reason = "not returned this time";
	must(w, pf_quarantine_put(w->q, &w->about, pf_span(NULL, 0), &w->err));
	r = reason_of(w);
	assert_text(r, "reason", "not returned this time");
	assert_text(r, "file", "4711.eml");
	assert_text(r, "subject", "\xc3\xbc");
	json_decref(r);
	assert_true(has_content(w, "4711.eml", pf_span_str(MESSAGE)));
	must(w, pf_quarantine_put(w->q, &w->about, pf_span_str(""), &w->err));
	assert_true(has_content(w, "4711.eml", pf_span_str("")));
}

static void settled_item_is_read_back_and_removed(void **state)
{
	struct world *w = *state;
	struct pf_span id = pf_span_str("4711");
	char got[sizeof(MESSAGE)] = "";
	struct stat st;
	int fd;

	assert_int_equal(pf_quarantine_read(w->q, &w->folder, id, &fd, &w->err), PF_END);
	must(w, pf_quarantine_remove(w->q, &w->folder, id, &w->err));
	must(w, pf_quarantine_put(w->q, &w->about, pf_span_str(MESSAGE), &w->err));
	w->about.item = pf_span_str("4712");
	must(w, pf_quarantine_put(w->q, &w->about, pf_span(NULL, 0), &w->err));
	must(w, pf_quarantine_read(w->q, &w->folder, id, &fd, &w->err));
	assert_int_equal(read(fd, got, sizeof(got)), sizeof(MESSAGE) - 1);
	assert_memory_equal(got, MESSAGE, sizeof(MESSAGE) - 1);
	assert_int_equal(close(fd), 0);
	assert_int_equal(pf_quarantine_read(w->q, &w->folder, w->about.item, &fd, &w->err), PF_END);
	must(w, pf_quarantine_remove(w->q, &w->folder, id, &w->err));
	assert_int_equal(access(path_of(w, "4711.eml"), F_OK), -1);
	assert_int_equal(access(path_of(w, "4711.json"), F_OK), -1);
	assert_int_equal(access(path_of(w, "4712.json"), F_OK), 0);
	must(w, pf_quarantine_remove(w->q, &w->folder, w->about.item, &w->err));
	assert_int_equal(stat(path_of(w, ""), &st), -1); /* no empty folders stay */
	must(w, pf_quarantine_put(w->q, &w->about, pf_span_str(MESSAGE), &w->err));
	assert_true(has_content(w, "4712.eml", pf_span_str(MESSAGE)));
}

static void thirty_levels_of_long_names_are_taken(void **state)
{
	struct world *w = *state;
	struct pf_path deep = {0};
	char name[201];
	int fd;

	memset(name, 'n', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	for (int i = 0; i < 30; i++) {
		must(w, pf_path_add(&deep, pf_span_str(name), &w->err));
	}
	w->about.folder = &deep;
	must(w, pf_quarantine_put(w->q, &w->about, pf_span_str(MESSAGE), &w->err));
	must(w, pf_quarantine_read(w->q, &deep, w->about.item, &fd, &w->err));
	assert_int_equal(close(fd), 0);
	must(w, pf_quarantine_remove(w->q, &deep, w->about.item, &w->err));
	pf_path_deinit(&deep);
}

static void what_stands_in_the_way_is_told(void **state)
{
	struct world *w = *state;
	char dir[80];
	FILE *f;

	pf_quarantine_free(&w->q);
	assert_int_equal(pf_quarantine_open("", "a", &w->q, &w->err), PF_FAIL);
	assert_non_null(strstr(w->err.text, "--quarantine"));
	(void)snprintf(dir, sizeof(dir), "%s/file", w->dir);
	f = fopen(dir, "w");
	assert_non_null(f);
	assert_int_equal(fclose(f), 0);
	must(w, pf_quarantine_open(dir, "a", &w->q, &w->err));
	assert_int_equal(
		pf_quarantine_put(w->q, &w->about, pf_span_str(MESSAGE), &w->err), PF_FAIL);
	assert_int_equal(w->err.scope, PF_SCOPE_RUN);
	assert_non_null(strstr(w->err.text, dir));
	assert_non_null(strstr(w->err.text, "Not a directory"));
}

static void names_are_safe_and_unique(void **state)
{
	static const char *const AS_THEY_ARE[] = {
		"INBOX", "4711", "Entw\xc3\xbcrfe", "a b", "x.y", "1234-abc@host", "#news"};
	static const char *const CHANGED[] = {"a/b", "a:b/", "a/b:", "a_b/", "..", ".", ".hidden",
		"end.", "end ", " x", "", "a\nb", "a\\b", "c:d", "CON", "con.txt", "LPT1", "12.eml",
		"12.json", "12.JSON", "x.part", "a~b", "\xff", "\xfe", "\xe2\x80\xae!",
		"_~00000000"};
	char names[PF_COUNT(CHANGED)][PF_SAFE_NAME_MAX + 1];
	char name[PF_SAFE_NAME_MAX + 1];
	uint8_t longest[600];

	(void)state;
	for (size_t i = 0; i < PF_COUNT(AS_THEY_ARE); i++) {
		pf_safe_name(pf_span_str(AS_THEY_ARE[i]), name);
		assert_string_equal(name, AS_THEY_ARE[i]);
	}
	for (size_t i = 0; i < PF_COUNT(CHANGED); i++) {
		pf_safe_name(pf_span_str(CHANGED[i]), names[i]);
		assert_string_not_equal(names[i], CHANGED[i]);
		assert_null(strpbrk(names[i], "/\\:*?\"<>|\n"));
		assert_int_not_equal(names[i][0], '.');
		assert_non_null(strchr(names[i], '~'));
		for (size_t k = 0; k < i; k++) {
			assert_string_not_equal(names[i], names[k]);
		}
	}
	for (size_t i = 0; i + 1 < sizeof(longest); i += 2) {
		longest[i] = 0xc3;
		longest[i + 1] = 0xbc;
	}
	pf_safe_name(pf_span(longest, sizeof(longest)), name);
	assert_in_range(strlen(name), 190, PF_SAFE_NAME_MAX);
	assert_true(pf_utf8_valid(pf_span_str(name)));
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(item_is_kept_with_its_reason),
		CASE(item_in_parts_is_the_same),
		CASE(given_up_entry_leaves_nothing),
		CASE(bytes_of_an_earlier_run_are_not_lost),
		CASE(settled_item_is_read_back_and_removed),
		CASE(thirty_levels_of_long_names_are_taken),
		CASE(what_stands_in_the_way_is_told),
		cmocka_unit_test(names_are_safe_and_unique),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
