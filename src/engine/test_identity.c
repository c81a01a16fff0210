/* Identity is content: distinct items are never one, identical copies stay as many as they were. */
#include "engine/fingerprint.h"
#include "engine/inspect.h"
#include "engine/pair.h"
#include "engine/repair.h"
#include "engine/rules.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static struct pf_fingerprint print_of(const char *text, size_t step)
{
	struct pf_fingerprinter *f = pf_fingerprinter_new(true);
	struct pf_span rest = pf_span_str(text);
	struct pf_fingerprint out;

	assert_non_null(f);
	while (rest.n > 0) {
		size_t n = rest.n < step ? rest.n : step;

		pf_fingerprinter_add(f, pf_span(rest.p, n));
		rest = pf_span_from(rest, n);
	}
	pf_fingerprinter_take(f, &out);
	pf_fingerprinter_free(&f);
	return out;
}

static void any_cut_gives_the_same_print(void **state)
{
	static const char MESSAGE[] =
		"From: a@x\r\nSubject: one\r\n  two\r\nTo: b@y\r\n\r\nBody\r\n\r\nend\r\n\r\n";
	struct pf_fingerprint whole = print_of(MESSAGE, sizeof(MESSAGE));

	(void)state;
	for (size_t step = 1; step < sizeof(MESSAGE); step++) {
		struct pf_fingerprint cut = print_of(MESSAGE, step);

		assert_memory_equal(&cut, &whole, sizeof(cut));
	}
}

static void canonical_sees_what_a_rewrite_leaves(void **state)
{
	static const struct {
		const char *name, *a, *b;
		bool equal;
	} CASES[] = {
		{"refolded, headers added and reordered",
			"Subject: a long subject\r\nFrom: x@y\r\n\r\nHi\r\n",
			"X-Added: 1\nFrom:  x@y\nSubject: a long\n subject\nMessage-ID: "
			"<new>\n\nHi",
			true},
		{"other body", "From: x@y\r\n\r\nHi\r\n", "From: x@y\r\n\r\nHo\r\n", false},
		{"other subject", "Subject: a\r\n\r\nHi", "Subject: b\r\n\r\nHi", false},
		{"truncated", "From: x@y\r\n\r\nHi there\r\n", "From: x@y\r\n\r\nHi\r\n", false},
		{"header lost", "From: x@y\r\nSubject: s\r\n\r\nHi", "From: x@y\r\n\r\nHi", false},
		{"empty line within the body counts", "From: x\r\n\r\na\r\n\r\nb",
			"From: x\r\n\r\na\r\nb", false},
	};

	(void)state;
	for (size_t i = 0; i < PF_COUNT(CASES); i++) {
		struct pf_fingerprint a = print_of(CASES[i].a, 7), b = print_of(CASES[i].b, 3);

		if (pf_digest_eq(&a.canonical, &b.canonical) != CASES[i].equal) {
			fail_msg("%s", CASES[i].name);
		}
		assert_false(pf_digest_eq(&a.exact, &b.exact));
	}
}

enum { MOST = 16 };

static struct pf_pair_item item(size_t index, const char *text, int64_t date)
{
	struct pf_pair_item i = {.index = index, .size = strlen(text), .date_utc_s = date};

	i.print = print_of(text, 64);
	i.known = true;
	i.has_canonical = true;
	return i;
}

/* Mates by index, whatever the order is after sorting. */
static size_t mate(const struct pf_pair_item *items, size_t n, size_t index)
{
	for (size_t i = 0; i < n; i++) {
		if (items[i].index == index) {
			return items[i].mate;
		}
	}
	return SIZE_MAX;
}

/* A date that the target may not keep still tells which one it is when the target did keep it. */
static void an_odd_date_that_was_kept_counts(void **state)
{
	struct pf_pair_item s[] = {item(0, "same", 5), item(1, "same", 1LL << 31)};
	struct pf_pair_item t[] = {item(0, "same", 1LL << 31)};
	struct pf_pairing p = {s, t, 2, 1, true, true};

	(void)state;
	s[1].odd_date = true;
	pf_pair_candidates(&p);
	pf_pair_match(&p);
	assert_int_equal(mate(s, 2, 1), 0);
	assert_int_equal(mate(s, 2, 0), SIZE_MAX);
	t[0] = item(0, "same", 7); /* and when it did not, it is one all the same */
	s[0] = item(0, "same", 1LL << 31);
	s[0].odd_date = true;
	p = (struct pf_pairing){s, t, 1, 1, true, true};
	pf_pair_candidates(&p);
	pf_pair_match(&p);
	assert_int_equal(mate(s, 1, 0), 0);
}

static void copies_stay_as_many(void **state)
{
	struct pf_pair_item s[] = {item(0, "same", 1), item(1, "same", 1), item(2, "same", 2)};
	struct pf_pair_item t[] = {item(0, "same", 2), item(1, "same", 1)};
	struct pf_pairing p = {s, t, 3, 2, true, true};
	size_t paired = 0;

	(void)state;
	pf_pair_candidates(&p);
	pf_pair_match(&p);
	for (size_t i = 0; i < 3; i++) {
		paired += s[i].mate != SIZE_MAX;
	}
	assert_int_equal(paired, 2);
	assert_int_equal(mate(s, 3, 2), 0); /* equal dates belong together */
}

struct flags_case {
	const char *name;
	uint32_t source[3];
	unsigned int rank[3];
	uint32_t target[2];
	size_t targets, mate[3]; /* 9: none */
};

static void check_flags(const struct flags_case *c)
{
	struct pf_pair_item s[3], t[2];
	struct pf_pairing p = {s, t, 3, c->targets, true, true};

	for (size_t i = 0; i < 3; i++) {
		s[i] = item(i, "same", 1);
		s[i].flags_key = c->source[i];
		s[i].rank = c->rank[i];
	}
	for (size_t i = 0; i < c->targets; i++) {
		t[i] = item(i, "same", 1);
		t[i].flags_key = c->target[i];
	}
	pf_pair_candidates(&p);
	pf_pair_match(&p);
	for (size_t i = 0; i < 3; i++) {
		if (mate(s, 3, i) != (c->mate[i] == 9 ? SIZE_MAX : c->mate[i])) {
			fail_msg("%s: item %zu has %zu", c->name, i, mate(s, 3, i));
		}
	}
}

/* Of two that are in doubt one arrived: the one with these flags. And no flags let one be taken
 * that is not there for certain before one that is. */
static void identical_items_are_told_by_flags(void **state)
{
	static const struct flags_case CASES[] = {
		{"the one that arrived", {0, 2, 4}, {1, 1, 1}, {4}, 1, {9, 9, 0}},
		{"crosswise", {2, 4, 8}, {1, 1, 1}, {4, 2}, 2, {1, 0, 9}},
		{"rank comes first", {2, 4, 8}, {0, 1, 1}, {4}, 1, {0, 9, 9}},
		{"both of rank are paired", {2, 8, 4}, {0, 1, 2}, {4, 2}, 2, {1, 0, 9}},
		{"other flags are no reason", {1, 2, 3}, {1, 1, 1}, {8, 16}, 2, {0, 1, 9}},
	};

	(void)state;
	for (size_t c = 0; c < PF_COUNT(CASES); c++) {
		check_flags(&CASES[c]);
	}
}

static void equal_headers_do_not_make_one(void **state)
{
	struct pf_pair_item s[] = {
		item(0, "Subject: x\r\n\r\nbody A", 1), item(1, "Subject: x\r\n\r\nbody B", 1)};
	struct pf_pair_item t[] = {item(0, "Subject: x\r\n\r\nbody B", 1)};
	struct pf_pairing p = {s, t, 2, 1, true, true};

	(void)state;
	pf_pair_candidates(&p);
	pf_pair_match(&p);
	assert_true(mate(s, 2, 0) == SIZE_MAX);
	assert_int_equal(mate(s, 2, 1), 0);
}

static void rewritten_items_need_an_equal_date(void **state)
{
	const char *mine = "Subject: x\r\nReceived: a\r\n\r\nbody";
	const char *theirs = "Subject: x\r\nReceived: b\r\n\r\nbody";
	struct pf_pair_item s[] = {item(0, mine, 5), item(1, mine, 6)};
	struct pf_pair_item t[] = {item(0, theirs, 5), item(1, theirs, 7)};
	struct pf_pairing p = {s, t, 2, 2, true, true};

	(void)state;
	pf_pair_candidates(&p);
	pf_pair_match(&p);
	assert_int_equal(mate(s, 2, 0), 0);
	assert_true(mate(s, 2, 1) == SIZE_MAX);
}

/* One letter an item: lower case and upper case are two items of one canonical form. */
static size_t make_forms(struct pf_pair_item *items, const char *letters, unsigned int rank)
{
	size_t n = strlen(letters);
	char text[64];

	for (size_t i = 0; i < n; i++) {
		(void)snprintf(text, sizeof(text), "Subject: %c\r\nReceived: %c\r\n\r\nbody",
			letters[i] | 0x20, letters[i]);
		items[i] = item(i, text, (int64_t)i);
		items[i].rank = rank;
	}
	return n;
}

/* Of a target that keeps neither dates nor bytes: nothing is taken for another. */
static void without_dates_rewritten_items_are_counted(void **state)
{
	static const struct {
		const char *mine, *theirs;
		bool ordered;
		const char *mates; /* one a source: its target's number, or - */
	} CASES[] = {
		{"aab", "xx", false, "---"},
		{"aab", "1", false, "---"},
		{"aab", "!a", false, "1--"},
		{"aab", "!b!a!a", false, "351"},
		{"aA", "!a!a", false, "13"},
		{"aA", "!a", false, "--"}, /* which of the two is it? */
		{"aA", "!a", true, "1-"},
		{"aAb", "!a!b", true, "1-3"},
	};

	(void)state;
	for (size_t i = 0; i < PF_COUNT(CASES); i++) {
		struct pf_pair_item s[MOST], t[MOST];
		struct pf_pairing p = {.source = s, .target = t};

		p.sources = make_forms(s, CASES[i].mine, 1);
		p.targets = make_forms(t, CASES[i].theirs, 0);
		for (size_t k = 0; k < p.targets; k++) { /* nothing is there byte for byte */
			memset(&t[k].print.exact, (int)k + 1, sizeof(t[k].print.exact));
		}
		p.ordered_below = CASES[i].ordered ? 2 : 0;
		pf_pair_candidates(&p);
		pf_pair_match(&p);
		for (size_t k = 0; k < p.sources; k++) {
			size_t is = mate(s, p.sources, k);
			char want = CASES[i].mates[k];

			assert_int_equal(want == '-' ? SIZE_MAX : (size_t)(want - '0'), is);
		}
	}
}

/* What was refused and sent repaired: after those that are there as they were. */
static void what_was_sent_repaired_is_found(void **state)
{
	static const char BARE[] = "A: b\n\nc\n", WHOLE[] = "A: b\r\n\r\nc\r\n";
	struct pf_pair_item s[] = {item(0, BARE, 5), item(1, WHOLE, 5), item(2, BARE, 5)};
	struct pf_pair_item t[] = {item(0, WHOLE, 5), item(1, WHOLE, 6)};
	struct pf_pairing p = {s, t, 3, 2, true, true};
	struct pf_err err;

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		const char *text = i == 1 ? WHOLE : BARE;
		int rc = pf_repair_print(
			pf_span_str(text), &s[i].repaired, &s[i].repaired_size, &err);

		assert_int_equal(rc, i == 1 ? PF_END : PF_OK);
		s[i].has_repaired = rc == PF_OK;
		s[i].has_canonical = false; /* which would find it as well, by its date */
	}
	assert_int_equal(s[0].repaired_size, strlen(WHOLE));
	pf_pair_candidates(&p);
	pf_pair_match(&p);
	assert_int_equal(mate(s, 3, 1), 0);
	assert_int_equal(mate(s, 3, 0), 1);
	assert_true(mate(s, 3, 2) == SIZE_MAX);
	for (size_t i = 0; i < 3; i++) {
		assert_int_equal(s[i].by_repair, s[i].index == 0);
	}
}

/* What is there for certain comes first, and is not read for its own sake. */
static void a_rival_takes_what_is_its_own(void **state)
{
	struct pf_pair_item s[] = {item(0, "same", 1), item(1, "same", 1), item(2, "other one", 7)};
	struct pf_pair_item t[] = {item(0, "same", 1), item(1, "other one", 7)};
	struct pf_pairing p = {s, t, 3, 2, true, true};

	(void)state;
	s[0].rank = 1;
	s[1].rival = true;
	s[2].rival = true;
	pf_pair_candidates(&p);
	for (size_t i = 0; i < 2; i++) {
		assert_int_equal(t[i].candidate, t[i].index == 0);
	}
	pf_pair_match(&p);
	assert_true(mate(s, 3, 0) == SIZE_MAX);
	assert_int_equal(mate(s, 3, 1), 0);
}

static void only_candidates_are_read(void **state)
{
	struct pf_pair_item s[] = {item(0, "12345", 10), item(1, "1234567", 11), item(2, "12", 12)};
	struct pf_pair_item t[] = {item(0, "abcde", 99), item(1, "a", 12)};
	struct pf_pairing p = {s, t, 3, 2, true, true};

	(void)state;
	pf_pair_candidates(&p);
	for (size_t i = 0; i < 3; i++) {
		assert_int_equal(s[i].candidate, s[i].index != 1);
	}
	p.sizes_are_exact = false;
	p.dates_are_kept = false;
	pf_pair_candidates(&p);
	for (size_t i = 0; i < 3; i++) {
		assert_true(s[i].candidate);
	}
}

static void repair_changes_only_what_is_wrong(void **state)
{
	static const struct {
		const char *in;
		size_t n;
		const char *out; /* NULL: nothing to repair */
	} CASES[] = {
		{"A: b\r\n\r\nc\r\n", 11, NULL},
		{"A: b\n\nc", 7, "A: b\r\n\r\nc\r\n"},
		{"A: b\r\n\r\nc", 9, "A: b\r\n\r\nc\r\n"},
		{"A: b\r\nodd\r\n \r\nC: d\r\n\r\n\n", 23,
			"A: b\r\nX-Unnamed-Header: odd\r\nC: d\r\n\r\n\r\n"},
		{"A: b\n\r\r\nc", 9, "A: b\r\n\r\nc\r\n"},
		{"A: b\r\n\r\nx\0y\r\n", 13,
			"A: b\r\nMIME-Version: 1.0\r\nContent-Transfer-Encoding: base64\r\n\r\n"
			"eAB5DQo=\r\n"},
		{"From x Mon\nA: b\r\n\r\n", 19, "A: b\r\n\r\n"},
		{"From  : ann\r\n\r\n", 15, NULL},
		{"From \t: ann\n\n", 13, "From \t: ann\r\n\r\n"},
		{"From x: y\nA: b\r\n\r\n", 18, "A: b\r\n\r\n"},
		{"From", 4, "Subject: (message without header)\r\n\r\nFrom\r\n"},
		{"From x", 6, "Subject: (message without header)\r\n\r\n"},
		{"", 0, "Subject: (message without header)\r\n\r\n"},
		{"a\rb\r\r\n", 6, "Subject: (message without header)\r\n\r\na\r\nb\r\n"},
	};
	struct pf_err err;
	char what[300];

	(void)state;
	for (size_t i = 0; i < PF_COUNT(CASES); i++) {
		struct pf_blob *out = NULL;

		assert_int_equal(
			pf_repair(pf_span(CASES[i].in, CASES[i].n), &out, what, sizeof(what), &err),
			PF_OK);
		if (!CASES[i].out) {
			assert_null(out);
			continue;
		}
		assert_non_null(out);
		assert_int_equal(out->n, strlen(CASES[i].out));
		assert_memory_equal(out->bytes, CASES[i].out, out->n);
		pf_blob_unref(&out);
	}
}

static void rules_name_the_reason(void **state)
{
	const char *exclude[] = {"Junk*"};
	struct pf_rules r = {.exclude = exclude,
		.excludes = 1,
		.since_utc_s = 1000,
		.before_utc_s = PF_DATE_NONE,
		.max_size = 50};
	struct pf_path p = {0};
	struct pf_err err;
	char why[100];

	(void)state;
	assert_int_equal(pf_path_parse(&p, "junk/old", &err), PF_OK);
	assert_string_equal(pf_rules_skip_folder(&r, &p, why, sizeof(why)), "--exclude Junk*");
	assert_int_equal(pf_path_parse(&p, "INBOX", &err), PF_OK);
	assert_null(pf_rules_skip_folder(&r, &p, why, sizeof(why)));
	pf_path_deinit(&p);
	assert_non_null(pf_rules_skip_item(
		&r, &(struct pf_item){.size = 51, .date_utc_s = 2000}, why, sizeof(why)));
	assert_non_null(pf_rules_skip_item(
		&r, &(struct pf_item){.size = 5, .date_utc_s = 999}, why, sizeof(why)));
	assert_null(pf_rules_skip_item(
		&r, &(struct pf_item){.size = 5, .date_utc_s = PF_DATE_NONE}, why, sizeof(why)));
}

static void what_targets_alter_unasked_is_fragile(void **state)
{
	static const char nul[] = "Subject: a\r\n\r\nbo\0dy\r\n";

	(void)state;
	assert_true(pf_is_fragile(pf_span(nul, sizeof(nul) - 1)));
	assert_true(pf_is_fragile(pf_span_str("Subject: caf\xe9\r\n\r\nbody\r\n")));
	assert_false(pf_is_fragile(pf_span_str("Subject: a\r\n\r\ncaf\xe9\r\n")));
	assert_false(pf_is_fragile(pf_span(NULL, 0)));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_targets_alter_unasked_is_fragile),
		cmocka_unit_test(any_cut_gives_the_same_print),
		cmocka_unit_test(canonical_sees_what_a_rewrite_leaves),
		cmocka_unit_test(an_odd_date_that_was_kept_counts),
		cmocka_unit_test(copies_stay_as_many),
		cmocka_unit_test(identical_items_are_told_by_flags),
		cmocka_unit_test(equal_headers_do_not_make_one),
		cmocka_unit_test(rewritten_items_need_an_equal_date),
		cmocka_unit_test(without_dates_rewritten_items_are_counted),
		cmocka_unit_test(what_was_sent_repaired_is_found),
		cmocka_unit_test(a_rival_takes_what_is_its_own),
		cmocka_unit_test(only_candidates_are_read),
		cmocka_unit_test(repair_changes_only_what_is_wrong),
		cmocka_unit_test(rules_name_the_reason),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
