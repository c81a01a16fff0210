#include "suite.h"

#include <string.h>

static void inbox_is_listed(void **state)
{
	struct suite *s = *state;
	struct task *t = folders(s);
	struct pf_path inbox = {0};
	struct pf_err err;
	const struct seen_folder *f;

	if (lacks_mail(s)) {
		return;
	}
	assert_int_equal(pf_path_add(&inbox, pf_span("INBOX", 5), &err), PF_OK);
	f = find_folder(t, &inbox);
	pf_path_deinit(&inbox);
	assert_non_null(f);
	assert_true(f->selectable);
	assert_int_equal(f->role, PF_ROLE_INBOX);
}

static void folder_that_exists_is_made_again(void **state)
{
	struct suite *s = *state;
	struct pf_op op = op_mkfolder(&s->path);
	struct task *again;

	put(s, message(1), NULL);
	again = run(s, &op);
	assert_true(again->has_new_id);
	assert_string_equal(again->new_id, s->folder);
	assert_int_equal(list(s)->n, 1);
}

static void id_of_making_is_that_of_the_listing(void **state)
{
	struct suite *s = *state;
	const struct seen_folder *f = find_folder(folders(s), &s->path);

	assert_non_null(f);
	assert_true(f->selectable);
	assert_string_equal(f->id, s->folder);
}

/* Made under this very name, or refused: never under another one. */
static void name_is_kept_or_refused(struct suite *s, const char *name)
{
	const char *const segments[] = {name, NULL};
	struct pf_path path = {0};
	struct task *made = make_below(s, segments, &path);
	const struct seen_folder *f;
	size_t before = folders(s)->folders_n;

	if (made->failed) {
		print_message("# \"%s\" is refused: %s\n", name, made->why.text);
		assert_int_equal(made->why.retry, PF_RETRY_NO);
		assert_null(find_folder(folders(s), &path));
		pf_path_deinit(&path);
		return;
	}
	f = find_folder(folders(s), &path);
	if (!f) {
		fail_msg("\"%s\" is listed under another name", name);
	} else {
		struct pf_op op;

		assert_string_equal(f->id, made->new_id);
		(void)snprintf(s->folder, sizeof(s->folder), "%s", f->id);
		op = op_put(s, message(1));
		(void)run(s, &op);
		drop(&op);
		assert_int_equal(list(s)->n, 1);
		assert_int_equal(folders(s)->folders_n, before);
	}
	pf_path_deinit(&path);
}

static void odd_names(void **state)
{
	static const char *const NAMES[] = {"/", "a/b", ".", "a.b", "\\", "a\\b", "|", "a|b", "^",
		"a^b",                                                   /* each delimiter */
		"\"", "say \"no\"", "'", "it's", "%", "50%", "*", "a*b", /* LIST's own */
		"&", "Tom & Jerry", "&-", "&AAA", "~", "~root", "#shared", "(a)", "{5}", "[x]", "]",
		"NIL", "2023", "inbox", "two  blanks", "a,b;c", "+", "-", "$", "!", "`", "<b>",
		"Entwürfe", "Größe", "日本語", "é as two: e\xcc\x81", "😀", "Ω&日", "עברית"};
	struct suite *s = *state;
	const char *forbidden = pf_store_facts(s->store)->forbidden;

	for (size_t i = 0; i < PF_COUNT(NAMES); i++) {
		if (!strpbrk(NAMES[i], forbidden)) {
			name_is_kept_or_refused(s, NAMES[i]);
		}
	}
}

/* What the engine may rely on: names that any mail user has. */
static void usual_names_are_taken(void **state)
{
	static const char *const NAMES[] = {
		"Sent Items", "2023", "Entwürfe", "日本語", "Tom & Jerry", "a-b_c", "NIL", "😀"};
	struct suite *s = *state;

	for (size_t i = 0; i < PF_COUNT(NAMES); i++) {
		const char *const segments[] = {NAMES[i], NULL};
		struct pf_path path = {0};
		struct task *t = make_below(s, segments, &path);

		if (t->failed) {
			fail_msg("\"%s\" is refused: %s", NAMES[i], t->why.text);
		}
		pf_path_deinit(&path);
	}
}

static void forbidden_characters_make_no_other_folder(void **state)
{
	struct suite *s = *state;
	const char *forbidden = pf_store_facts(s->store)->forbidden;
	size_t before = folders(s)->folders_n;

	for (const char *c = forbidden; *c; c++) {
		const char name[] = {'x', *c, 'y', '\0'};
		const char *const segments[] = {name, NULL};
		struct pf_path path = {0};
		struct task *t = make_below(s, segments, &path);

		pf_path_deinit(&path);
		if (!t->failed) {
			fail_msg("'%c' is forbidden, but was taken", *c);
		}
	}
	assert_int_equal(folders(s)->folders_n, before);
}

static void thirty_levels(void **state)
{
	struct suite *s = *state;
	size_t max = pf_store_facts(s->store)->max_depth;
	size_t depth = max == 0 || max > 30 ? 30 : max;
	struct pf_path path = {0};
	struct pf_err err;
	const struct seen_folder *f;

	assert_int_equal(pf_path_copy(&path, &s->path, &err), PF_OK);
	for (size_t d = 2; d <= depth; d++) {
		struct pf_op op;
		char name[16];

		(void)snprintf(name, sizeof(name), "l%zu", d);
		assert_int_equal(pf_path_add(&path, pf_span_str(name), &err), PF_OK);
		op = op_mkfolder(&path);
		(void)run(s, &op);
	}
	f = find_folder(folders(s), &path);
	assert_non_null(f);
	(void)snprintf(s->folder, sizeof(s->folder), "%s", f->id);
	put(s, message(1), NULL);
	assert_int_equal(list(s)->n, 1);
	pf_path_deinit(&path);
}

static void as_long_as_facts_say(void **state)
{
	struct suite *s = *state;
	size_t max = pf_store_facts(s->store)->max_segment_bytes;
	char name[256] = "";
	const char *const segments[] = {name, NULL};
	struct pf_path path = {0};

	if (max == 0 || max >= sizeof(name)) {
		print_message("# not for this store\n");
		return;
	}
	/* Of three bytes each: the worst for what names are encoded to. */
	for (size_t n = 0; n + 3 <= max; n += 3) {
		(void)snprintf(name + n, sizeof(name) - n, "語");
	}
	assert_false(make_below(s, segments, &path)->failed);
	assert_non_null(find_folder(folders(s), &path));
	pf_path_deinit(&path);
}

static void case_is_told_apart_unless_fold_case(void **state)
{
	struct suite *s = *state;
	const char *const lower[] = {"projects", NULL}, *const upper[] = {"PROJECTS", NULL};
	struct pf_path a = {0}, b = {0};
	struct task *first = make_below(s, lower, &a);
	struct task *second = make_below(s, upper, &b);
	struct task *t = folders(s);

	assert_false(first->failed);
	if (has_cap(s, PF_CAP_FOLD_CASE)) {
		assert_false(find_folder(t, &a) && find_folder(t, &b));
	} else {
		assert_false(second->failed);
		assert_non_null(find_folder(t, &a));
		assert_non_null(find_folder(t, &b));
	}
	pf_path_deinit(&a);
	pf_path_deinit(&b);
}

static void inbox_holds_folders_if_claimed(void **state)
{
	struct suite *s = *state;
	struct pf_path path = {0};
	struct pf_err err;
	struct pf_op op;
	struct task *t;

	if (lacks_mail(s)) {
		return;
	}
	assert_int_equal(pf_path_add(&path, pf_span("INBOX", 5), &err), PF_OK);
	assert_int_equal(pf_path_add(&path, pf_span("below", 5), &err), PF_OK);
	op = op_mkfolder(&path);
	t = begin(s, &op);
	settle(s, t);
	if (has_cap(s, PF_CAP_INBOX_CHILDREN)) {
		assert_false(t->failed);
		assert_non_null(find_folder(folders(s), &path));
	} else { /* or it is another folder's name */
		assert_true(t->failed || !find_folder(folders(s), &path));
	}
	pf_path_deinit(&path);
}

static void folders_and_items_mix_if_claimed(void **state)
{
	struct suite *s = *state;
	const char *const child[] = {"child", NULL};
	struct pf_path path = {0};
	struct task *t;

	if (lacks(s, PF_CAP_MIXED)) {
		return;
	}
	put(s, message(1), NULL);
	t = make_below(s, child, &path);
	assert_false(t->failed);
	put(s, message(2), NULL);
	assert_int_equal(list(s)->n, 2);
	assert_non_null(find_folder(folders(s), &path));
	pf_path_deinit(&path);
}

static void subscribing_shows(void **state)
{
	struct suite *s = *state;
	struct pf_op op = {.kind = PF_OP_SUBSCRIBE, .folder = pf_span_str(s->folder)};

	if (lacks(s, PF_CAP_SUBSCRIBE)) {
		return;
	}
	assert_false(find_folder(folders(s), &s->path)->subscribed);
	(void)run(s, &op);
	(void)run(s, &op); /* and again does no harm */
	assert_true(find_folder(folders(s), &s->path)->subscribed);
}

static void inbox_can_be_subscribed(void **state)
{
	struct suite *s = *state;
	struct pf_path inbox = {0};
	struct pf_err err;
	struct task *t = folders(s);
	struct pf_op op = {.kind = PF_OP_SUBSCRIBE};

	if (lacks_mail(s)) {
		return;
	}
	if (lacks(s, PF_CAP_SUBSCRIBE)) {
		return;
	}
	assert_int_equal(pf_path_add(&inbox, pf_span("INBOX", 5), &err), PF_OK);
	op.folder = pf_span_str(find_folder(t, &inbox)->id);
	(void)run(s, &op);
	assert_true(find_folder(folders(s), &inbox)->subscribed);
	pf_path_deinit(&inbox);
}

size_t folder_cases(const struct CMUnitTest **out)
{
	static const struct CMUnitTest CASES[] = {
		CASE(inbox_is_listed),
		CASE(folder_that_exists_is_made_again),
		CASE(id_of_making_is_that_of_the_listing),
		CASE(odd_names),
		CASE(usual_names_are_taken),
		CASE(forbidden_characters_make_no_other_folder),
		CASE(thirty_levels),
		CASE(as_long_as_facts_say),
		CASE(case_is_told_apart_unless_fold_case),
		CASE(inbox_holds_folders_if_claimed),
		CASE(folders_and_items_mix_if_claimed),
		CASE(subscribing_shows),
		CASE(inbox_can_be_subscribed),
	};

	*out = CASES;
	return PF_COUNT(CASES);
}
