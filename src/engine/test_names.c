/* Where folders go: no two become one, none is lost, and a second pass finds what the first one
 * made. */
#include "engine/names.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

enum { MOST = 12 };

struct scene {
	struct pf_rules rules;
	struct pf_store_facts facts;
	struct pf_path in_path[MOST], target_path[MOST];
	struct pf_name_in in[MOST];
	struct pf_name_target target[MOST];
	struct pf_name_out out[MOST];
	size_t ins, targets;
};

static void begin(struct scene *s)
{
	memset(s, 0, sizeof(*s));
	s->rules.since_utc_s = PF_DATE_NONE;
	s->rules.before_utc_s = PF_DATE_NONE;
	s->facts.caps = PF_CAP_INBOX_CHILDREN | PF_CAP_MIXED;
	s->facts.forbidden = "/";
}

static void source(struct scene *s, const char *path, enum pf_role role, bool guessed)
{
	struct pf_err err;
	size_t i = s->ins++;

	assert_int_equal(pf_path_parse(&s->in_path[i], path, &err), PF_OK);
	s->in[i] = (struct pf_name_in){&s->in_path[i], role, guessed, NULL};
}

static void target(struct scene *s, const char *path, enum pf_role role)
{
	struct pf_err err;
	size_t i = s->targets++;

	assert_int_equal(pf_path_parse(&s->target_path[i], path, &err), PF_OK);
	s->target[i] = (struct pf_name_target){&s->target_path[i], role, false, true};
}

static void plan(struct scene *s)
{
	struct pf_names_cfg cfg = {&s->rules, &s->facts, s->target, s->targets};
	struct pf_err err;

	assert_int_equal(pf_names_plan(&cfg, s->in, s->ins, s->out, &err), PF_OK);
}

static void expect(struct scene *s, size_t i, const char *path)
{
	char shown[256];

	assert_string_equal(pf_path_show(&s->out[i].to, shown, sizeof(shown)), path);
}

static void end(struct scene *s)
{
	pf_names_free(s->out, s->ins);
	for (size_t i = 0; i < MOST; i++) {
		pf_path_deinit(&s->in_path[i]);
		pf_path_deinit(&s->target_path[i]);
	}
}

static void plain_names_stay(void **state)
{
	struct scene s;

	(void)state;
	begin(&s);
	source(&s, "INBOX", PF_ROLE_INBOX, false);
	source(&s, "Projects", PF_ROLE_NONE, false);
	source(&s, "Projects/2024", PF_ROLE_NONE, false);
	target(&s, "INBOX", PF_ROLE_INBOX);
	plan(&s);
	expect(&s, 0, "INBOX");
	assert_int_equal(s.out[0].existing, 0);
	expect(&s, 2, "Projects/2024");
	assert_true(s.out[2].existing == SIZE_MAX);
	assert_string_equal(s.out[2].note, "");
	end(&s);
}

static void roles_find_their_folder(void **state)
{
	struct scene s;

	(void)state;
	begin(&s);
	source(&s, "Gesendet", PF_ROLE_SENT, true);
	source(&s, "Sent Items", PF_ROLE_SENT, false);
	source(&s, "Sent Items/2019", PF_ROLE_NONE, false);
	target(&s, "Sent", PF_ROLE_SENT);
	plan(&s);
	expect(&s, 1, "Sent"); /* the server's word goes before a guess */
	expect(&s, 0, "Gesendet");
	expect(&s, 2, "Sent/2019"); /* children move with their parent */
	end(&s);
}

static void delimiters_and_controls_are_replaced(void **state)
{
	struct scene s;

	(void)state;
	begin(&s);
	s.facts.forbidden = "./";
	source(&s, "Dr. Jones\\/Smith", PF_ROLE_NONE, false);
	source(&s, "Dr_ Jones_Smith", PF_ROLE_NONE, false);
	source(&s, " padded ", PF_ROLE_NONE, false);
	plan(&s);
	expect(&s, 0, "Dr_ Jones_Smith (2)");
	expect(&s, 1, "Dr_ Jones_Smith"); /* its own name */
	expect(&s, 2, "padded");
	assert_true(s.out[0].note[0] != '\0');
	assert_true(s.out[1].note[0] == '\0');
	end(&s);
}

static void case_counts_only_where_the_target_sees_it(void **state)
{
	struct scene s;

	(void)state;
	begin(&s);
	source(&s, "Trash", PF_ROLE_NONE, false);
	source(&s, "trash", PF_ROLE_NONE, false);
	plan(&s);
	expect(&s, 1, "trash");
	pf_names_free(s.out, s.ins);
	s.facts.caps |= PF_CAP_FOLD_CASE;
	plan(&s);
	expect(&s, 0, "Trash");
	expect(&s, 1, "trash (2)");
	end(&s);
}

static void long_and_deep_names_fit(void **state)
{
	struct scene s;
	char name[400];

	(void)state;
	begin(&s);
	memset(name, 'x', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	s.facts.max_segment_bytes = 40;
	s.facts.max_depth = 3;
	source(&s, name, PF_ROLE_NONE, false);
	name[398] = 'y';
	source(&s, name, PF_ROLE_NONE, false);
	source(&s, "a/b/c/d/e", PF_ROLE_NONE, false);
	plan(&s);
	assert_int_equal(strlen(pf_path_leaf(&s.out[0].to)), 40);
	assert_true(strlen(pf_path_leaf(&s.out[1].to)) <= 40);
	assert_false(pf_path_eq(&s.out[0].to, &s.out[1].to));
	expect(&s, 2, "a/b/e");
	end(&s);
}

static size_t thrice(struct pf_span segment)
{
	return 3 * segment.n;
}

/* Of a target that has a limit for the whole of a path. */
static void long_paths_fit(void **state)
{
	struct scene s;
	char shown[256];

	(void)state;
	begin(&s);
	s.facts.max_path_bytes = 100;
	source(&s, "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa/b", PF_ROLE_NONE, false);
	source(&s,
		"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa/bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
		"bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb",
		PF_ROLE_NONE, false);
	source(&s,
		"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa/bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
		"bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbc",
		PF_ROLE_NONE, false);
	source(&s,
		"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa/bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
		"bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb/no room for it",
		PF_ROLE_NONE, false);
	plan(&s);
	for (size_t i = 0; i < s.ins; i++) {
		assert_true(strlen(pf_path_show(&s.out[i].to, shown, sizeof(shown))) + 1 <= 100);
		assert_true((i == 0) == (s.out[i].note[0] == '\0'));
	}
	assert_false(pf_path_eq(&s.out[1].to, &s.out[2].to));
	expect(&s, 3, "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa/no room for it");
	end(&s);
}

static void a_target_counts_a_path_in_its_own_way(void **state)
{
	struct scene s;

	(void)state;
	begin(&s);
	s.facts.max_path_bytes = 31;
	s.facts.segment_bytes = thrice;
	source(&s, "0123456789", PF_ROLE_NONE, false);
	source(&s, "0123456789a", PF_ROLE_NONE, false);
	plan(&s);
	expect(&s, 0, "0123456789");
	expect(&s, 1, "012345 (2)");
	end(&s);
}

static void flat_targets_get_the_path_as_one_name(void **state)
{
	struct scene s;

	(void)state;
	begin(&s);
	s.facts.max_depth = 1;
	s.facts.forbidden = "";
	source(&s, "a", PF_ROLE_NONE, false);
	source(&s, "a/b", PF_ROLE_NONE, false);
	source(&s, "a/c/d", PF_ROLE_NONE, false);
	plan(&s);
	for (size_t i = 0; i < 3; i++) {
		assert_int_equal(pf_path_depth(&s.out[i].to), 1);
	}
	assert_string_equal(pf_path_leaf(&s.out[0].to), "a");
	assert_string_equal(pf_path_leaf(&s.out[1].to), "a/b");
	assert_string_equal(pf_path_leaf(&s.out[2].to), "a/c/d");
	end(&s);
}

static void inbox_without_children(void **state)
{
	struct scene s;

	(void)state;
	begin(&s);
	s.facts.caps = 0;
	source(&s, "INBOX", PF_ROLE_INBOX, false);
	source(&s, "INBOX/sub", PF_ROLE_NONE, false);
	source(&s, "sub", PF_ROLE_NONE, false);
	target(&s, "INBOX", PF_ROLE_INBOX);
	plan(&s);
	expect(&s, 1, "sub (2)");
	expect(&s, 2, "sub"); /* it has its own name: it goes before one that lost its own */
	end(&s);
}

static void map_rules_and_earlier_passes_go_first(void **state)
{
	struct pf_map_rule map = {{0}, {0}};
	struct pf_path before = {0};
	struct scene s;
	struct pf_err err;

	(void)state;
	begin(&s);
	assert_int_equal(pf_path_parse(&map.from, "Old", &err), PF_OK);
	assert_int_equal(pf_path_parse(&map.to, "Archive/Old", &err), PF_OK);
	assert_int_equal(pf_path_parse(&before, "Kept (2)", &err), PF_OK);
	s.rules.map = &map;
	s.rules.maps = 1;
	source(&s, "Old/a", PF_ROLE_NONE, false);
	source(&s, "Kept", PF_ROLE_NONE, false);
	source(&s, "Kept (2)", PF_ROLE_NONE, false);
	s.in[1].before = &before;
	plan(&s);
	expect(&s, 0, "Archive/Old/a");
	expect(&s, 1, "Kept (2)");
	expect(&s, 2, "Kept (2) (2)");
	pf_path_deinit(&map.from);
	pf_path_deinit(&map.to);
	pf_path_deinit(&before);
	end(&s);
}

/* A folder there that holds none of the kinds is another one, whatever it is called. */
static void kinds_tell_folders_apart(void **state)
{
	struct scene s;

	(void)state;
	begin(&s);
	source(&s, "Work", PF_ROLE_NONE, false);
	source(&s, "Home", PF_ROLE_NONE, false);
	source(&s, "Mixed", PF_ROLE_NONE, false);
	s.in[0].kinds = s.in[1].kinds = PF_KIND_CALENDAR;
	s.in[2].kinds = PF_KIND_CALENDAR | PF_KIND_TASKS;
	target(&s, "Work", PF_ROLE_NONE);
	target(&s, "Home", PF_ROLE_NONE);
	target(&s, "Mixed", PF_ROLE_NONE);
	s.target[0].kinds = PF_KIND_MAIL;
	s.target[1].kinds = PF_KIND_CALENDAR | PF_KIND_NOTES;
	s.target[2].kinds = PF_KIND_TASKS;
	plan(&s);
	expect(&s, 0, "Work (2)");
	assert_true(s.out[0].existing == SIZE_MAX);
	assert_non_null(strstr(s.out[0].note, "holds something else"));
	expect(&s, 1, "Home");
	assert_int_equal(s.out[1].existing, 1);
	expect(&s, 2, "Mixed");
	assert_int_equal(s.out[2].existing, 2);
	end(&s);
}

static void a_refused_name_gets_plainer(void **state)
{
	struct pf_path p = {0};
	struct pf_err err;
	char shown[128];

	(void)state;
	assert_int_equal(pf_path_parse(&p, "a/F\xc3\xbcr^ Elise!", &err), PF_OK);
	assert_true(pf_names_next(&p, "F\xc3\xbcr^ Elise!", 1));
	assert_string_equal(pf_path_show(&p, shown, sizeof(shown)), "a/Fr Elise");
	assert_true(pf_names_next(&p, "F\xc3\xbcr^ Elise!", 2));
	assert_string_equal(pf_path_show(&p, shown, sizeof(shown)), "a/Fr Elise folder");
	assert_true(pf_names_next(&p, "F\xc3\xbcr^ Elise!", 3));
	assert_string_equal(pf_path_show(&p, shown, sizeof(shown)), "a/Fr Elise folder 2");
	pf_path_deinit(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(plain_names_stay),
		cmocka_unit_test(roles_find_their_folder),
		cmocka_unit_test(delimiters_and_controls_are_replaced),
		cmocka_unit_test(case_counts_only_where_the_target_sees_it),
		cmocka_unit_test(long_and_deep_names_fit),
		cmocka_unit_test(long_paths_fit),
		cmocka_unit_test(a_target_counts_a_path_in_its_own_way),
		cmocka_unit_test(flat_targets_get_the_path_as_one_name),
		cmocka_unit_test(inbox_without_children),
		cmocka_unit_test(map_rules_and_earlier_passes_go_first),
		cmocka_unit_test(kinds_tell_folders_apart),
		cmocka_unit_test(a_refused_name_gets_plainer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
