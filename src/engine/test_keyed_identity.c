/* KB886948 can't happen: every distinct item of a calendar stays, whatever its identifier. */
#include "engine/identity.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

enum { MOST = 64 };

/* One part: document, UID (NULL: none), content, instance ("" = a master). */
struct given {
	const char *doc, *uid, *content;
	int64_t rid; /* 0: a master */
	bool recurs;
	uint32_t sequence;
};

static struct pf_digest digest_of(const char *text)
{
	struct pf_hash *h = pf_hash_new();
	struct pf_digest d;

	assert_non_null(h);
	pf_hash_add(h, pf_span_str(text));
	pf_hash_take(h, &d);
	pf_hash_free(&h);
	return d;
}

struct world {
	struct pf_id_part parts[MOST];
	struct pf_id_row rows[MOST];
	struct pf_id_foreign foreign[MOST];
	struct pf_identity_in in;
	struct pf_identity *id;
	const struct pf_id_item *items;
	size_t n;
};

/* A document's content is that of all its parts, one after the other. */
static void give(struct world *w, const struct given *g, size_t n)
{
	*w = (struct world){.in = {.stable_keys = true,
				    .unique = true,
				    .store = pf_span_str("caldav://ann@x/"),
				    .folder = pf_span_str("work")}};
	for (size_t i = 0; i < n; i++) {
		char all[400] = "";

		for (size_t k = 0; k < n; k++) {
			if (strcmp(g[k].doc, g[i].doc) == 0 &&
				pf_span_eq(pf_span_str(g[k].uid), pf_span_str(g[i].uid))) {
				size_t at = strlen(all);

				(void)snprintf(all + at, sizeof(all) - at, "%s", g[k].content);
			}
		}
		w->parts[i] = (struct pf_id_part){
			.skey = pf_span_str(g[i].doc),
			.uid = pf_span_str(g[i].uid),
			.meaning = digest_of(g[i].content),
			.whole = digest_of(all),
			.is_override = g[i].rid != 0,
			.rid_utc_s = g[i].rid,
			.recurs = g[i].recurs,
			.sequence = g[i].sequence,
			.ordinal = (uint32_t)i,
			.kind = PF_KIND_CALENDAR,
			.created_utc_s = PF_DATE_NONE,
		};
	}
	w->in.parts = w->parts;
	w->in.part_count = n;
	w->in.rows = w->rows;
	w->in.foreign = w->foreign;
}

/* A master that recurs has every tenth instant. */
static void plan(struct world *w)
{
	struct pf_err err;
	struct pf_id_probe *probes;
	size_t n = 0;

	assert_int_equal(pf_identity_new(&w->in, &w->id, &err), PF_OK);
	probes = pf_identity_probes(w->id, &n);
	for (size_t i = 0; i < n; i++) {
		probes[i].fits = w->parts[probes[i].master].recurs &&
				 w->parts[probes[i].override].rid_utc_s % 10 == 0;
	}
	assert_int_equal(pf_identity_plan(w->id, &err), PF_OK);
	w->items = pf_identity_items(w->id, &w->n);
}

/* The accounting equation: parts read are parts in items and parts merged. */
static void accounted(const struct world *w)
{
	size_t sum = 0;

	for (size_t i = 0; i < w->n; i++) {
		sum += w->items[i].part_count + w->items[i].merged_parts;
		for (size_t k = 0; k < i && w->in.unique; k++) {
			if (w->items[i].same_as == SIZE_MAX && w->items[k].same_as == SIZE_MAX) {
				assert_false(pf_span_eq(w->items[i].uid, w->items[k].uid));
			}
			assert_false(pf_span_eq(w->items[i].key, w->items[k].key));
		}
	}
	assert_int_equal(sum, w->in.part_count);
}

/* What the plan did becomes what the ledger knows. */
static void remember(struct world *w)
{
	for (size_t i = 0; i < w->n; i++) {
		struct pf_span key = w->items[i].key, uid = w->items[i].uid;
		uint8_t *k = malloc(key.n), *u = malloc(uid.n + 1);

		assert_true(k && u);
		memcpy(k, key.p, key.n);
		memcpy(u, uid.p, uid.n);
		w->rows[i] = (struct pf_id_row){pf_span(k, key.n), pf_span(u, uid.n), true};
	}
	w->in.row_count = w->n;
	pf_identity_free(&w->id);
}

static void forget(struct world *w)
{
	pf_identity_free(&w->id);
	for (size_t i = 0; i < w->in.row_count; i++) {
		free((void *)(uintptr_t)w->rows[i].key.p);
		free((void *)(uintptr_t)w->rows[i].dst_uid.p);
	}
}

static const struct pf_id_item *item_of(const struct world *w, const char *doc)
{
	for (size_t i = 0; i < w->n; i++) {
		if (pf_span_eq(w->parts[w->items[i].parts[0]].skey, pf_span_str(doc))) {
			return &w->items[i];
		}
	}
	fail_msg("no item of %s", doc);
	return NULL;
}

static void a_pasted_copy_stays(void **state)
{
	const struct given g[] = {{"1.ics", "u", "dentist at nine", 0, false, 0},
		{"2.ics", "u", "dentist at ten", 0, false, 0}};
	struct world w;

	(void)state;
	give(&w, g, 2);
	plan(&w);
	accounted(&w);
	assert_int_equal(w.n, 2);
	assert_true(pf_span_eq(item_of(&w, "1.ics")->uid, pf_span_str("u")));
	assert_int_equal(item_of(&w, "2.ics")->notes, PF_ID_REKEYED);
	forget(&w);
}

static void uids_are_the_same_in_every_run(void **state)
{
	struct given g[] = {{"1.ics", "u", "a", 0, false, 0}, {"2.ics", "u", "b", 0, false, 0},
		{"3.ics", "u", "c", 0, false, 0}, {"0.ics", "u", "new", 0, true, 0}};
	struct world w, later;
	char uid[3][40];

	(void)state;
	give(&w, g, 3);
	plan(&w);
	for (size_t i = 0; i < 3; i++) {
		const struct pf_id_item *x = item_of(&w, g[i].doc);

		(void)snprintf(
			uid[i], sizeof(uid[i]), "%.*s", (int)x->uid.n, (const char *)x->uid.p);
	}
	remember(&w);
	g[0].content = "a, edited"; /* and a newcomer with a better claim to the UID */
	give(&later, g, 4);
	memcpy(later.rows, w.rows, sizeof(w.rows));
	later.in.row_count = 3;
	plan(&later);
	accounted(&later);
	for (size_t i = 0; i < 3; i++) {
		assert_true(pf_span_eq(item_of(&later, g[i].doc)->uid, pf_span_str(uid[i])));
		assert_int_not_equal(item_of(&later, g[i].doc)->row, SIZE_MAX);
	}
	assert_true(item_of(&later, "0.ics")->notes & PF_ID_REKEYED);
	forget(&later);
}

static void equal_copies_stay_two_unless_told(void **state)
{
	const struct given g[] = {
		{"1.ics", "u", "same", 0, false, 0}, {"2.ics", "u", "same", 0, false, 0}};
	struct world w;

	(void)state;
	give(&w, g, 2);
	plan(&w);
	accounted(&w);
	assert_int_equal(w.n, 2);
	forget(&w);
	give(&w, g, 2);
	w.in.merge = true;
	plan(&w);
	accounted(&w);
	assert_int_equal(w.items[1].same_as, 0);
	forget(&w);
}

/* The ledger is lost: the holder is chosen as it was, and what was repaired is known again. */
static void all_are_known_again_by_their_forms(void **state)
{
	const struct given g[] = {{"1.ics", "u", "lunch", 0, false, 0},
		{"2.ics", "u", "lunch, two titles", 0, true, 0},
		{"3.ics", "u", "lunch, two titles", 0, false, 0}};
	const struct pf_digest form = digest_of("lunch");
	const struct pf_id_forms forms = {&form, 1};
	struct world w, later;

	(void)state;
	give(&w, g, 3);
	plan(&w);
	give(&later, g, 3);
	for (size_t i = 0; i < 3; i++) {
		later.foreign[i] = (struct pf_id_foreign){
			item_of(&w, g[i].doc)->uid, digest_of("lunch"), NULL};
		later.parts[i].meaning_forms = i > 0 ? forms : (struct pf_id_forms){NULL, 0};
	}
	later.in.foreign_count = 3;
	plan(&later);
	accounted(&later);
	for (size_t i = 0; i < 3; i++) {
		assert_int_equal(item_of(&later, g[i].doc)->foreign, i);
	}
	forget(&w);
	forget(&later);
}

static void an_override_from_elsewhere_joins_its_series(void **state)
{
	static const char *const NAMES[][2] = {{"1.ics", "2.ics"}, {"2.ics", "1.ics"}};
	struct world w;

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		const struct given g[] = {{NAMES[i][0], "u", "series", 0, true, 0},
			{NAMES[i][1], "u", "moved", 20, false, 0}};

		give(&w, g, 2);
		plan(&w);
		accounted(&w);
		assert_int_equal(w.n, 1);
		assert_int_equal(w.items[0].part_count, 2);
		assert_int_equal(w.items[0].notes, PF_ID_JOINED);
		assert_false(w.parts[w.items[0].parts[0]].is_override);
		forget(&w);
	}
}

static void overrides_find_the_one_master_that_fits(void **state)
{
	const struct given g[] = {{"1.ics", "u", "no series", 0, false, 0},
		{"2.ics", "u", "series", 0, true, 0}, {"3.ics", "u", "moved", 20, false, 0},
		{"4.ics", "u", "fits none", 7, false, 0}};
	struct world w;

	(void)state;
	give(&w, g, 4);
	plan(&w);
	accounted(&w);
	assert_int_equal(w.n, 3);
	assert_int_equal(item_of(&w, "2.ics")->part_count, 2);
	assert_true(item_of(&w, "4.ics")->notes & PF_ID_ALONE);
	assert_true(item_of(&w, "4.ics")->notes & PF_ID_REKEYED);
	forget(&w);
}

static void of_two_overrides_of_one_instance_none_is_lost(void **state)
{
	const struct given g[] = {{"1.ics", "u", "series", 0, true, 0},
		{"2.ics", "u", "old", 20, false, 1}, {"3.ics", "u", "new", 20, false, 2},
		{"4.ics", "u", "new", 20, false, 2}};
	struct world w;

	(void)state;
	give(&w, g, 4);
	plan(&w);
	accounted(&w);
	assert_int_equal(w.n, 2);
	assert_int_equal(item_of(&w, "1.ics")->part_count, 2);
	assert_int_equal(item_of(&w, "1.ics")->merged_parts, 1);
	assert_true(pf_span_eq(w.parts[item_of(&w, "1.ics")->parts[1]].skey, pf_span_str("3.ics")));
	assert_true(item_of(&w, "2.ics")->notes & PF_ID_ALONE);
	forget(&w);
}

static void overrides_without_master_are_one_item(void **state)
{
	const struct given g[] = {
		{"1.ics", "u", "one", 10, false, 0}, {"2.ics", "u", "two", 20, false, 0}};
	struct world w;

	(void)state;
	give(&w, g, 2);
	plan(&w);
	accounted(&w);
	assert_int_equal(w.n, 1);
	assert_true(w.items[0].notes & PF_ID_NO_MASTER);
	assert_true(pf_span_eq(w.items[0].uid, pf_span_str("u")));
	forget(&w);
}

static void what_has_no_uid_gets_the_same_in_every_run(void **state)
{
	const struct given g[] = {{"1.ics", NULL, "a", 0, false, 0},
		{"1.ics", NULL, "b", 0, false, 0}, {"2.ics", NULL, "a", 0, false, 0}};
	const struct given turned[] = {g[1], g[2], g[0]};
	struct world w, x;

	(void)state;
	give(&w, g, 3);
	plan(&w);
	accounted(&w);
	assert_int_equal(w.n, 3);
	give(&x, turned, 3);
	plan(&x);
	for (size_t i = 0; i < 3; i++) {
		assert_true(pf_span_eq(w.items[i].uid, x.items[i].uid));
		assert_true(w.items[i].notes & PF_ID_MADE);
	}
	forget(&w);
	forget(&x);
}

static void a_foreign_holder_keeps_what_it_has(void **state)
{
	const struct given g[] = {
		{"1.ics", "u", "mine", 0, false, 0}, {"2.ics", "v", "equal", 0, false, 0}};
	struct world w;

	(void)state;
	give(&w, g, 2);
	w.foreign[0] = (struct pf_id_foreign){pf_span_str("u"), digest_of("theirs"), NULL};
	w.foreign[1] = (struct pf_id_foreign){pf_span_str("v"), digest_of("equal"), NULL};
	w.in.foreign_count = 2;
	plan(&w);
	accounted(&w);
	assert_true(item_of(&w, "1.ics")->notes & PF_ID_REKEYED);
	assert_int_equal(item_of(&w, "1.ics")->foreign, SIZE_MAX);
	assert_int_equal(item_of(&w, "2.ics")->foreign, 1);
	forget(&w);
}

/* The target altered it: a mark tells what it was, and nobody gets a new UID for it. */
static void what_was_altered_is_known_by_its_mark(void **state)
{
	const struct given g[] = {{"1.ics", "u", "first", 0, true, 0},
		{"2.ics", "u", "lunch", 0, false, 0}, {"3.ics", "v", "dinner", 0, false, 0}};
	const struct pf_digest lunch = digest_of("lunch"), other = digest_of("other");
	struct world w;

	(void)state;
	give(&w, g, 3);
	w.foreign[0] = (struct pf_id_foreign){pf_span_str("u"), digest_of("launch"), &lunch};
	w.foreign[1] = (struct pf_id_foreign){pf_span_str("v"), digest_of("diner"), &other};
	w.in.foreign_count = 2;
	plan(&w);
	accounted(&w);
	assert_true(pf_span_eq(item_of(&w, "2.ics")->uid, pf_span_str("u")));
	assert_int_equal(item_of(&w, "2.ics")->foreign, SIZE_MAX); /* it is no such thing now */
	assert_true(item_of(&w, "1.ics")->notes & PF_ID_REKEYED);
	assert_true(item_of(&w, "3.ics")->notes & PF_ID_REKEYED);
	forget(&w);
}

static void a_lost_ledger_adopts_what_was_written(void **state)
{
	const struct given g[] = {{"1.ics", "u", "same", 0, false, 0},
		{"2.ics", "u", "same", 0, false, 0}, {"3.ics", "u", "other", 0, false, 0}};
	struct world w, again;

	(void)state;
	give(&w, g, 3);
	plan(&w);
	give(&again, g, 3);
	for (size_t i = 0; i < 3; i++) {
		const struct pf_id_item *x = &w.items[i];

		again.foreign[i] = (struct pf_id_foreign){x->uid, x->whole, NULL};
	}
	again.in.foreign_count = 3;
	plan(&again);
	accounted(&again);
	for (size_t i = 0; i < 3; i++) {
		assert_int_not_equal(again.items[i].foreign, SIZE_MAX);
	}
	forget(&again);
	forget(&w);
}

/* Items whose UIDs are made of their places have none at the target: they are known by what they
 * mean, each once. Those with UIDs of their own are not. */
static void what_has_no_uid_is_known_by_what_it_means(void **state)
{
	const struct given g[] = {{"1.vcf", "made-1", "ann", 0, false, 0},
		{"2.vcf", "made-2", "ann", 0, false, 0}, {"3.vcf", "made-3", "ann", 0, false, 0},
		{"4.vcf", "own", "bob", 0, false, 0}};
	size_t adopted = 0;
	struct world w;

	(void)state;
	give(&w, g, 4);
	for (size_t i = 0; i < 3; i++) {
		w.parts[i].uid_made = true;
	}
	w.in.unique = false;
	w.foreign[0] = (struct pf_id_foreign){pf_span(NULL, 0), digest_of("ann"), NULL};
	w.foreign[1] = (struct pf_id_foreign){pf_span(NULL, 0), digest_of("ann"), NULL};
	w.foreign[2] = (struct pf_id_foreign){pf_span(NULL, 0), digest_of("bob"), NULL};
	w.in.foreign_count = 3;
	plan(&w);
	accounted(&w);
	for (size_t i = 0; i < 4; i++) {
		adopted += w.items[i].foreign != SIZE_MAX;
	}
	assert_int_equal(adopted, 2);
	assert_int_equal(item_of(&w, "4.vcf")->foreign, SIZE_MAX);
	forget(&w);
}

/* It was put, and nothing was heard of it: it may be one of those that no row accounts for. */
static void what_is_in_doubt_is_looked_for(void **state)
{
	const struct given g[] = {
		{"1.ics", "u", "lunch", 0, false, 0}, {"2.ics", "v", "dinner", 0, false, 0}};
	struct world w;

	(void)state;
	give(&w, g, 2);
	plan(&w);
	remember(&w);
	for (size_t i = 0; i < 2; i++) {
		w.rows[i].placed = pf_span_eq(w.rows[i].dst_uid, pf_span_str("v"));
	}
	w.foreign[0] = (struct pf_id_foreign){pf_span_str("u"), digest_of("lunch"), NULL};
	w.foreign[1] = (struct pf_id_foreign){pf_span_str("v"), digest_of("dinner"), NULL};
	w.in.foreign_count = 2;
	plan(&w);
	accounted(&w);
	assert_int_equal(item_of(&w, "1.ics")->foreign, 0);
	assert_int_equal(item_of(&w, "2.ics")->foreign, SIZE_MAX);
	forget(&w);
}

static void random_collisions_are_accounted_for(void **state)
{
	static const char *const DOCS[] = {"a", "b", "c", "d", "e"};
	static const char *const UIDS[] = {"u", "v", "w", NULL};
	static const char *const CONTENTS[] = {"x", "y", "z"};

	(void)state;
	srand(886948);
	for (int round = 0; round < 2000; round++) {
		struct given g[MOST];
		size_t n = (size_t)(rand() % MOST);
		struct world w;

		for (size_t i = 0; i < n; i++) {
			g[i] = (struct given){DOCS[rand() % 5], UIDS[rand() % 4],
				CONTENTS[rand() % 3], rand() % 3 == 0 ? rand() % 4 * 5 + 5 : 0,
				rand() % 2 == 0, (uint32_t)(rand() % 3)};
		}
		give(&w, g, n);
		w.in.stable_keys = rand() % 4 > 0;
		plan(&w);
		accounted(&w);
		forget(&w);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_pasted_copy_stays),
		cmocka_unit_test(uids_are_the_same_in_every_run),
		cmocka_unit_test(equal_copies_stay_two_unless_told),
		cmocka_unit_test(all_are_known_again_by_their_forms),
		cmocka_unit_test(an_override_from_elsewhere_joins_its_series),
		cmocka_unit_test(overrides_find_the_one_master_that_fits),
		cmocka_unit_test(of_two_overrides_of_one_instance_none_is_lost),
		cmocka_unit_test(overrides_without_master_are_one_item),
		cmocka_unit_test(what_has_no_uid_gets_the_same_in_every_run),
		cmocka_unit_test(a_foreign_holder_keeps_what_it_has),
		cmocka_unit_test(what_was_altered_is_known_by_its_mark),
		cmocka_unit_test(a_lost_ledger_adopts_what_was_written),
		cmocka_unit_test(what_has_no_uid_is_known_by_what_it_means),
		cmocka_unit_test(what_is_in_doubt_is_looked_for),
		cmocka_unit_test(random_collisions_are_accounted_for),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
