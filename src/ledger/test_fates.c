/* What became of properties: kept for each item, and summed up. */
#include "base/arena.h"
#include "ledger/test_world.h"

static uint64_t items_of(
	const struct pf_ledger_fate_sums *sums, const char *what, enum pf_fate fate)
{
	for (size_t i = 0; i < sums->n; i++) {
		if (pf_span_is(sums->v[i].what, what)) {
			return sums->v[i].items[fate];
		}
	}
	return 0;
}

static void fates_are_kept_for_an_item_and_summed_up(void **state)
{
	static const struct pf_fate_of SUBJECT = {{(const uint8_t *)"Subject", 7}, PF_FATE_KEPT};
	struct world *w = *state;
	struct pf_fate_of v[300];
	char name[300][8];
	struct pf_fates fates = {&SUBJECT, 1, pf_span(NULL, 0)}, got;
	struct pf_ledger_fate_sums sums;
	struct pf_arena arena;
	int64_t folder, other;

	pf_arena_init(&arena);
	folder = new_folder(w, "A");
	other = new_folder(w, "B");
	for (size_t i = 0; i < PF_COUNT(v); i++) {
		(void)snprintf(name[i], sizeof(name[i]), "p%zu", i);
		v[i] = (struct pf_fate_of){pf_span_str(name[i]), (enum pf_fate)(i % PF_FATE_COUNT)};
	}
	must(w, pf_ledger_fates_put(w->led, folder, pf_span_str("7"), &fates, &w->err));
	must(w, pf_ledger_fates_put(w->led, other, pf_span_str("7"), &fates, &w->err));
	fates = (struct pf_fates){v, PF_COUNT(v), pf_span_str("a file was left out")};
	must(w, pf_ledger_fates_put(w->led, folder, pf_span_str("8"), &fates, &w->err));
	must(w, pf_ledger_fates_put(w->led, folder, pf_span_str("8"), &fates, &w->err));
	must(w, pf_ledger_commit(w->led, &w->err));
	reopen(w);
	assert_int_equal(
		pf_ledger_fates(w->led, folder, pf_span_str("9"), &arena, &got, &w->err), PF_END);
	must(w, pf_ledger_fates(w->led, folder, pf_span_str("8"), &arena, &got, &w->err));
	assert_int_equal(got.n, PF_COUNT(v));
	for (size_t i = 0; i < got.n; i++) {
		assert_true(pf_span_is(got.v[i].what, name[i]));
		assert_int_equal(got.v[i].fate, v[i].fate);
	}
	assert_true(pf_span_is(got.odd, "a file was left out"));
	must(w, pf_ledger_fate_sums(w->led, w->account, &arena, &sums, &w->err));
	assert_int_equal(sums.items, 3);
	assert_int_equal(sums.n, PF_COUNT(v) + 1);
	assert_int_equal(items_of(&sums, "Subject", PF_FATE_KEPT), 2);
	assert_int_equal(items_of(&sums, "p299", PF_FATE_UNRESOLVED), 1);
	assert_int_equal(items_of(&sums, "p298", PF_FATE_LOST), 1);
	must(w, pf_ledger_items_drop(w->led, folder, &w->err));
	must(w, pf_ledger_fate_sums(w->led, w->account, &arena, &sums, &w->err));
	assert_int_equal(sums.items, 1);
	assert_int_equal(sums.n, 1);
	pf_arena_deinit(&arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		OPEN_CASE(fates_are_kept_for_an_item_and_summed_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
