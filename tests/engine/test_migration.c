/*
 * Random sequences of what users and servers do between and during passes, and
 * after each pass the promises P2 and P3: every item accounted for, none lost,
 * no second copy, nothing of the user's touched at the target.
 * TEST_ENGINE_SEEDS says how many seeds; TEST_ENGINE_SEED only this one.
 */
#include "world.h"

#include <string.h>

enum { SEEDS = 60 };

/* How often a message must be at the target, by folder. */
struct bounds {
	unsigned int exactly[FOLDERS][NUMBERS];
};

/* What the source has now, and what the target has: what left the source stays
 * there, and is not copied again when it comes back, if it is known that it did
 * leave. */
static void note(struct world *w, struct bounds *b)
{
	for (size_t f = 0; f < FOLDERS; f++) {
		unsigned int source[NUMBERS], target[NUMBERS];

		count(w, 0, f, source);
		count(w, 1, f, target);
		for (size_t n = 0; n < NUMBERS; n++) {
			b->exactly[f][n] = source[n] > target[n] ? source[n] : target[n];
		}
	}
}

static void check_one(
	struct world *w, unsigned int there, const struct bounds *b, size_t f, size_t n)
{
	unsigned int most = w->forgot ? w->arrived[f][n] : b->exactly[f][n];

	if (there < b->exactly[f][n] || there > most) {
		tell(w);
		fail_msg("pass %zu: message %zu is %u times in folder %zu, not %u to %u", w->passes,
			n, there, f, b->exactly[f][n], most);
	}
}

static void check(struct world *w, const struct bounds *b, uint64_t seed)
{
	print_message("# seed %llu, pass %zu\n", (unsigned long long)seed, w->passes);
	for (size_t f = 0; f < FOLDERS; f++) {
		unsigned int target[NUMBERS];

		count(w, 1, f, target);
		for (size_t n = 0; n < NUMBERS; n++) {
			check_one(w, target[n], b, f, n);
		}
	}
}

static const struct pf_mem_item *any_item(struct world *w, struct pf_mem_folder *f)
{
	size_t n = pf_mem_items(f);

	return n > 0 ? pf_mem_item_at(f, (size_t)chance(w, n)) : NULL;
}

static void change_flags(struct world *w, int side, size_t folder)
{
	struct pf_mem_folder *f = folder_of(w, side, folder);
	const struct pf_mem_item *i = any_item(w, f);
	struct pf_flags flags = {(uint32_t)chance(w, PF_FLAGS_ALL + 1), {NULL, 0}};
	struct pf_err err;

	if (i) {
		w->marked[number_of(i)] = w->marked[number_of(i)] || side == 1;
		assert_int_equal(pf_mem_set_flags(f, i->uid, flags, &err), PF_OK);
	}
}

/* One thing that users or servers do between two passes. */
static void happen(struct world *w)
{
	size_t folder = (size_t)chance(w, FOLDERS);
	struct pf_mem_folder *source = folder_of(w, 0, folder);
	const struct pf_mem_item *i;
	struct pf_err err;

	switch (chance(w, 10)) {
	case 0: /* a copy of what is there */
		i = any_item(w, source);
		if (i) {
			add(w, 0, folder, number_of(i));
		}
		break;
	case 1:
		i = any_item(w, source);
		if (i) {
			assert_int_equal(pf_mem_remove(source, i->uid, &err), PF_OK);
		}
		break;
	case 2: /* moved to another folder */
		i = any_item(w, source);
		if (i) {
			add(w, 0, (folder + 1) % FOLDERS, number_of(i));
			assert_int_equal(pf_mem_remove(source, i->uid, &err), PF_OK);
		}
		break;
	case 3:
		change_flags(w, 0, folder);
		break;
	case 4:
		if (w->passes > 0) {
			change_flags(w, 1, folder);
		}
		break;
	case 5: /* the user's own at the target */
		if (w->passes > 0) {
			add(w, 1, folder, w->numbers++);
		}
		break;
	default:
		add(w, 0, folder, w->numbers++);
		break;
	}
}

static void upset(struct world *w)
{
	size_t folder = (size_t)chance(w, FOLDERS);

	switch (chance(w, 8)) {
	case 0:
		pf_mem_renumber(folder_of(w, 0, folder));
		w->forgot = true;
		break;
	case 1:
		if (w->passes > 0) {
			pf_mem_renumber(folder_of(w, 1, folder));
			w->forgot = true;
		}
		break;
	case 2:
		lose_ledger(w);
		break;
	default:
		break;
	}
}

static void changes(struct world *w)
{
	for (uint64_t i = chance(w, 12); i > 0; i--) {
		happen(w);
	}
	upset(w);
}

/* Nothing is new: nothing is written. */
static void check_nothing_to_do(struct world *w, uint64_t seed)
{
	size_t before = w->whims[1].writes;

	assert_true(pass(w, PF_JOB_COPY));
	if (w->whims[1].writes != before) {
		fail_msg("seed %llu, pass %zu wrote %zu times", (unsigned long long)seed, w->passes,
			w->whims[1].writes - before);
	}
}

static void one_without_trouble(uint64_t seed)
{
	struct bounds *b = calloc(1, sizeof(*b));
	struct world w;

	assert_non_null(b);
	world_begin(&w, seed);
	for (int round = 0; round < 4; round++) {
		changes(&w);
		note(&w, b);
		if (!pass(&w, PF_JOB_COPY) || pf_outcome_exit_status(&w.outcome) != 0) {
			fail_msg("seed %llu, pass %zu: status %d: %s", (unsigned long long)seed,
				w.passes, pf_outcome_exit_status(&w.outcome), w.outcome.why.text);
		}
		check(&w, b, seed);
		check_accounts(&w);
		check_nothing_to_do(&w, seed);
	}
	world_end(&w);
	free(b);
}

/* Trouble for some passes; once it is over, a retry and a pass bring all in
 * order. */
static void one_with_trouble(uint64_t seed)
{
	struct bounds *b = calloc(1, sizeof(*b));
	struct world w;

	assert_non_null(b);
	world_begin(&w, seed);
	for (unsigned int i = 0; i < 20; i++) {
		add(&w, 0, i % FOLDERS, w.numbers++);
	}
	for (int round = 0; round < 3; round++) {
		for (uint64_t i = chance(&w, 8); i > 0; i--) {
			happen(&w);
		}
		note(&w, b);
		w.whims[0].trouble = w.whims[1].trouble = 1 + (unsigned int)chance(&w, 250);
		(void)pass(&w, PF_JOB_COPY);
	}
	w.whims[0].trouble = w.whims[1].trouble = 0;
	note(&w, b);
	(void)pass(&w, PF_JOB_RETRY); /* what ended in quarantine for the trouble */
	for (int i = 0; i < 3 && pf_outcome_exit_status(&w.outcome) != 0; i++) {
		(void)pass(&w, i == 1 ? PF_JOB_RETRY : PF_JOB_COPY);
	}
	if (!pass(&w, PF_JOB_COPY) || pf_outcome_exit_status(&w.outcome) != 0) {
		tell(&w);
		fail_msg("seed %llu: status %d when all trouble is over: %s",
			(unsigned long long)seed, pf_outcome_exit_status(&w.outcome),
			w.outcome.why.text);
	}
	check(&w, b, seed);
	check_accounts(&w);
	check_nothing_to_do(&w, seed);
	world_end(&w);
	free(b);
}

static void run_seeds(void (*one)(uint64_t seed))
{
	const char *many = getenv("TEST_ENGINE_SEEDS"), *only = getenv("TEST_ENGINE_SEED");
	uint64_t n = many ? strtoull(many, NULL, 10) : SEEDS;

	if (only) {
		one(strtoull(only, NULL, 10));
		return;
	}
	for (uint64_t seed = 1; seed <= n; seed++) {
		one(seed);
	}
}

static void passes_keep_the_promises(void **state)
{
	(void)state;
	run_seeds(one_without_trouble);
}

/* A list of folders that broke off and came again does not list them twice. */
static void a_list_of_folders_may_break_off(void **state)
{
	static const enum pf_mem_fault FAULTS[] = {
		PF_MEM_LATER, PF_MEM_LOST_AFTER, PF_MEM_LOST_WITHIN, PF_MEM_HANGS};

	(void)state;
	for (size_t i = 0; i < 2 * PF_COUNT(FAULTS); i++) {
		struct world w;

		world_begin(&w, i);
		add(&w, 0, 0, 0);
		w.whims[i % 2].once.fault = FAULTS[i / 2];
		w.whims[i % 2].once.kind = PF_OP_FOLDERS;
		assert_true(pass(&w, PF_JOB_COPY));
		assert_int_equal(pf_outcome_exit_status(&w.outcome), 0);
		assert_int_equal(w.outcome.folders, pf_mem_folders(w.account[0]));
		assert_int_equal(pf_mem_folders(w.account[1]), pf_mem_folders(w.account[0]));
		world_end(&w);
	}
}

/* The target's listing fails while the source tells only what changed: the rest
 * is not gone. */
static void a_listing_of_changes_is_not_taken_for_all(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= 12; seed++) {
		struct world w;

		world_begin(&w, seed);
		pf_mem_traits(w.account[0])->facts.caps |= PF_CAP_LIST_DELTA;
		for (unsigned int i = 0; i < 5; i++) {
			add(&w, 0, 0, i);
		}
		assert_true(pass(&w, PF_JOB_COPY));
		add(&w, 0, 0, 5);
		w.whims[1].once.fault = PF_MEM_LATER;
		w.whims[1].once.kind = PF_OP_LIST;
		assert_true(pass(&w, PF_JOB_COPY));
		assert_int_equal(w.outcome.gone_from_source, 0);
		assert_int_equal(pf_outcome_exit_status(&w.outcome), 0);
		world_end(&w);
	}
}

/* What was moved away and comes back has its copy already, however the source
 * tells of it: all items, or only what changed. */
static void what_comes_back_has_its_copy(void **state)
{
	(void)state;
	for (int deltas = 0; deltas < 2; deltas++) {
		struct pf_mem_folder *inbox;
		struct pf_err err;
		struct world w;

		world_begin(&w, 1);
		inbox = folder_of(&w, 0, 0);
		pf_mem_traits(w.account[0])->facts.caps &= ~(uint32_t)PF_CAP_LIST_DELTA;
		pf_mem_traits(w.account[0])->facts.caps |= deltas ? PF_CAP_LIST_DELTA : 0;
		add(&w, 0, 0, 0);
		add(&w, 0, 0, 1);
		assert_true(pass(&w, PF_JOB_COPY));
		assert_int_equal(pf_mem_remove(inbox, pf_mem_item_at(inbox, 0)->uid, &err), PF_OK);
		for (unsigned int i = 0; i < 2; i++) {
			assert_true(pass(&w, PF_JOB_COPY));
			add(&w, 0, 0, 2 + i);
		}
		add(&w, 0, 0, 0);
		assert_true(pass(&w, PF_JOB_COPY));
		assert_int_equal(w.outcome.present_now, 1);
		assert_int_equal(pf_mem_items(folder_of(&w, 1, 0)), 4);
		world_end(&w);
	}
}

/* The source gives its items new ids while they are copied: what was put so far
 * is known by its content, also where the target was listed first. */
static void ids_that_change_under_way_make_no_copies(void **state)
{
	enum { ITEMS = 8, SEEDS_OF_THIS = 24 };

	(void)state;
	for (uint64_t seed = 0; seed < SEEDS_OF_THIS; seed++) {
		struct world w;

		world_begin(&w, seed);
		for (unsigned int i = 0; i < ITEMS; i++) {
			add(&w, 0, 0, i);
		}
		w.whims[0].once.fault = PF_MEM_RENUMBERED;
		w.whims[0].once.kind = PF_OP_GET;
		w.whims[0].once.after = (unsigned int)seed % ITEMS;
		assert_true(pass(&w, PF_JOB_COPY));
		assert_int_equal(pf_outcome_exit_status(&w.outcome), 0);
		assert_int_equal(pf_mem_items(folder_of(&w, 1, 0)), ITEMS);
		world_end(&w);
	}
}

/* A target that can't hold its date gets the item with another one, flags and
 * all, and does not get it again. */
static void a_date_does_not_cost_an_item(void **state)
{
	enum { BEFORE_1970 = 7, OF_THE_HEADER = 1794650400 };
	struct pf_mem_folder *f;
	struct world w;

	(void)state;
	world_begin(&w, 1);
	pf_mem_traits(w.account[1])->oldest_date_utc_s = 0;
	pf_mem_traits(w.account[1])->facts.caps |= PF_CAP_KEEPS_DATE;
	add(&w, 0, 0, 0);
	add(&w, 0, 0, BEFORE_1970);
	add(&w, 0, 0, 1);
	for (int i = 0; i < 2; i++) {
		assert_true(pass(&w, PF_JOB_COPY));
		assert_int_equal(pf_outcome_exit_status(&w.outcome), 0);
		assert_int_equal(
			w.outcome.items[i == 0 ? PF_VERDICT_COPIED : PF_VERDICT_PRESENT], 3);
		lose_ledger(&w);
		f = folder_of(&w, 1, 0);
		assert_int_equal(pf_mem_items(f), 3);
		for (size_t k = 0; k < 3; k++) {
			const struct pf_mem_item *m = pf_mem_item_at(f, k);

			if (number_of(m) == BEFORE_1970) {
				assert_int_equal(m->date_utc_s, OF_THE_HEADER);
			}
		}
	}
	world_end(&w);
}

/* Who removes what is in quarantine has decided about it: it is accounted for. */
static void what_left_the_source_is_in_quarantine_no_more(void **state)
{
	struct pf_mem_folder *inbox;
	struct pf_err err;
	struct world w;

	(void)state;
	world_begin(&w, 1);
	add(&w, 0, 0, 0);
	add(&w, 0, 0, 1);
	pf_mem_traits(w.account[1])->facts.max_item_bytes = 1;
	assert_true(pass(&w, PF_JOB_COPY));
	assert_int_equal(pf_outcome_exit_status(&w.outcome), 1);
	assert_int_equal(w.outcome.items[PF_VERDICT_QUARANTINED], 2);
	inbox = folder_of(&w, 0, 0);
	assert_int_equal(pf_mem_remove(inbox, pf_mem_item_at(inbox, 0)->uid, &err), PF_OK);
	assert_true(pass(&w, PF_JOB_COPY));
	assert_int_equal(w.outcome.items[PF_VERDICT_VANISHED], 1);
	assert_int_equal(w.outcome.items[PF_VERDICT_QUARANTINED], 1);
	world_end(&w);
}

/* Whenever a step says that it has to be woken, there is something that will:
 * else the job stands still until somebody calls it for another reason. */
static void no_step_waits_for_nothing(void **state)
{
	enum { MANY = 200 };

	(void)state;
	for (uint64_t seed = 1; seed <= 8; seed++) {
		struct world w;

		world_begin(&w, seed);
		w.prompt = true;
		for (int side = 0; side < 2; side++) {
			w.whims[side].base.turn = NULL;
		}
		for (unsigned int i = 0; i < MANY; i++) {
			struct pf_mem_folder *f = NULL;
			struct pf_path path = {0};
			struct pf_err err;
			char name[16];
			uint64_t uid;

			(void)snprintf(name, sizeof(name), "f%u", i);
			assert_int_equal(pf_path_parse(&path, name, &err), PF_OK);
			assert_int_equal(
				pf_mem_folder(w.account[0], &path, PF_ROLE_NONE, &f, &err), PF_OK);
			assert_int_equal(pf_mem_add(f, pf_span_str("Subject: n1\r\n\r\n"),
						 &(struct pf_item){0}, &uid, &err),
				PF_OK);
			pf_path_deinit(&path);
		}
		for (int i = 0; i < 2; i++) {
			assert_true(pass(&w, PF_JOB_COPY));
			assert_int_equal(pf_outcome_exit_status(&w.outcome), 0);
			assert_int_equal(w.outcome.copied_now, i == 0 ? MANY : 0);
		}
		world_end(&w);
	}
}

static void passes_in_trouble_come_to_the_same(void **state)
{
	(void)state;
	run_seeds(one_with_trouble);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(passes_keep_the_promises),
		cmocka_unit_test(a_list_of_folders_may_break_off),
		cmocka_unit_test(a_listing_of_changes_is_not_taken_for_all),
		cmocka_unit_test(what_comes_back_has_its_copy),
		cmocka_unit_test(ids_that_change_under_way_make_no_copies),
		cmocka_unit_test(a_date_does_not_cost_an_item),
		cmocka_unit_test(no_step_waits_for_nothing),
		cmocka_unit_test(what_left_the_source_is_in_quarantine_no_more),
		cmocka_unit_test(passes_in_trouble_come_to_the_same),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
