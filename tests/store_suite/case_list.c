#include "suite.h"

#include <string.h>

static void empty_folder(void **state)
{
	struct suite *s = *state;
	struct task *t = list(s);

	assert_int_equal(t->states, 1);
	assert_int_equal(t->n, 0);
	assert_int_equal(t->count, 0);
	assert_int_equal(t->gone, 0);
}

static void state_is_told_once_and_counts(void **state)
{
	struct suite *s = *state;
	struct task *t;

	for (unsigned int i = 0; i < 5; i++) {
		put(s, message(i), NULL);
	}
	t = list(s);
	assert_int_equal(t->states, 1);
	assert_int_equal(t->n, 5);
	assert_true(t->count == 5 || suite_kind != PF_KIND_MAIL); /* or it is not told */
	assert_false(t->delta);
}

static void ids_stay_over_sessions(void **state)
{
	struct suite *s = *state;
	char first[300], second[300];
	struct task *t;

	put(s, message(1), first);
	put(s, message(2), second);
	reopen(s, false);
	t = list(s);
	assert_int_equal(t->n, 2);
	assert_string_equal(t->rows[0].id, first);
	assert_string_equal(t->rows[1].id, second);
}

static void next_id_bounds_what_comes(void **state)
{
	struct suite *s = *state;
	struct task *t;
	struct pf_op op;
	uint64_t next;

	put(s, message(1), NULL);
	put(s, message(2), NULL);
	t = list(s);
	next = t->next_id;
	if (next == 0) {
		print_message("# not for this store\n");
		return; /* ids are no numbers here */
	}
	op = op_list(s);
	op.list.from = next;
	assert_int_equal(run(s, &op)->n, 0);
	put(s, message(3), NULL);
	t = run(s, &op);
	assert_int_equal(t->n, 1);
	assert_true(strtoull(t->rows[0].id, NULL, 10) >= next);
	op.list.from = 2;
	assert_int_equal(run(s, &op)->n, 2);
}

/* The folder's cursor as the listing of folders and as its own listing have it. */
static void cursors(struct suite *s, char of_folders[120], char of_list[120])
{
	const struct seen_folder *f = find_folder(folders(s), &s->path);

	assert_non_null(f);
	(void)snprintf(of_folders, 120, "%s", f->cursor);
	(void)snprintf(of_list, 120, "%s", list(s)->cursor);
}

static void equal_cursors_mean_unchanged(void **state)
{
	struct suite *s = *state;
	char a[120], b[120], c[120], d[120];

	if (lacks(s, PF_CAP_CURSOR)) {
		return;
	}
	put(s, message(1), NULL);
	cursors(s, a, b);
	assert_true(a[0] != '\0');
	assert_string_equal(a, b);
	reopen(s, false);
	cursors(s, c, d); /* nothing changed: also in another session */
	assert_string_equal(a, c);
	assert_string_equal(a, d);
	put(s, message(2), NULL);
	assert_string_not_equal(a, cursor_now(s));
}

static void removing_moves_the_cursor(void **state)
{
	struct suite *s = *state;
	char before[120], id[300];
	struct pf_op op;

	if (lacks(s, PF_CAP_CURSOR)) {
		return;
	}
	if (lacks(s, PF_CAP_REMOVE_ONE)) {
		return;
	}
	put(s, message(1), id);
	put(s, message(2), NULL);
	(void)snprintf(before, sizeof(before), "%s", cursor_now(s));
	op = (struct pf_op){
		.kind = PF_OP_REMOVE, .folder = pf_span_str(s->folder), .item = pf_span_str(id)};
	(void)run(s, &op);
	assert_string_not_equal(cursor_now(s), before);
}

static void flags_move_the_cursor_if_claimed(void **state)
{
	struct suite *s = *state;
	char before[120], id[300];
	struct pf_op op;

	if (lacks_mail(s)) {
		return;
	}
	if (lacks(s, PF_CAP_CURSOR_FLAGS)) {
		return;
	}
	put(s, message(1), id);
	(void)snprintf(before, sizeof(before), "%s", cursor_now(s));
	op = (struct pf_op){
		.kind = PF_OP_FLAGS, .folder = pf_span_str(s->folder), .item = pf_span_str(id)};
	op.flags.add.sys = PF_FLAG_FLAGGED;
	(void)run(s, &op);
	assert_string_not_equal(cursor_now(s), before);
}

/* One item has changed, one has come, one has gone: what a listing with the old cursor says. */
static void listing_by_changes(void **state)
{
	struct suite *s = *state;
	char cursor[120], ids[4][300];
	struct pf_op op;
	struct task *t;

	for (unsigned int i = 0; i < 4; i++) {
		put(s, message(i), ids[i]);
	}
	(void)snprintf(cursor, sizeof(cursor), "%s", list(s)->cursor);
	op = (struct pf_op){
		.kind = PF_OP_FLAGS, .folder = pf_span_str(s->folder), .item = pf_span_str(ids[1])};
	op.flags.add.sys = PF_FLAG_FLAGGED;
	(void)run(s, &op);
	put(s, message(9), NULL);
	reopen(s, true);
	(void)folders(s); /* as every pass begins */
	op = op_list(s);
	op.list.cursor = pf_span_str(cursor);
	t = run(s, &op);
	if (!t->delta) { /* free to give all of it at any time */
		assert_int_equal(t->n, 5);
		assert_false(has_cap(s, PF_CAP_LIST_DELTA));
		return;
	}
	assert_int_equal(t->n, 2);
	assert_string_equal(t->rows[0].id, ids[1]);
	assert_int_equal(t->rows[0].sys, PF_FLAG_FLAGGED);
	assert_int_equal(t->gone, 0);
	/* Nothing since: nothing new comes; IMAP's "n:*" says the last one again. */
	(void)snprintf(cursor, sizeof(cursor), "%s", t->cursor);
	op.list.cursor = pf_span_str(cursor);
	t = run(s, &op);
	assert_true(t->delta && t->n <= 1);
}

/* With one gone, either it is told by its id, or the listing fails and all must be listed: it must
 * not look complete. */
static void what_is_gone_is_not_overlooked(void **state)
{
	struct suite *s = *state;
	char cursor[120], id[300];
	struct pf_op op;
	struct task *t;

	if (lacks(s, PF_CAP_REMOVE_ONE)) {
		return;
	}
	put(s, message(1), id);
	put(s, message(2), NULL);
	(void)snprintf(cursor, sizeof(cursor), "%s", list(s)->cursor);
	op = (struct pf_op){
		.kind = PF_OP_REMOVE, .folder = pf_span_str(s->folder), .item = pf_span_str(id)};
	(void)run(s, &op);
	reopen(s, true);
	(void)folders(s);
	op = op_list(s);
	op.list.cursor = pf_span_str(cursor);
	t = begin(s, &op);
	settle(s, t);
	if (t->failed) {
		assert_int_equal(t->why.retry, PF_RETRY_NOW);
	} else if (t->delta) {
		assert_int_equal(t->gone, 1);
	} else {
		assert_int_equal(t->n, 1);
	}
	assert_int_equal(list(s)->n, 1);
}

static void cursor_of_no_sense_lists_all(void **state)
{
	static const char *const CURSORS[] = {"1 1 1 1", "x", "", "99999999999999999999999 1 1 1",
		"4294967295 3 2 18446744073709551615"};
	struct suite *s = *state;

	put(s, message(1), NULL);
	put(s, message(2), NULL);
	for (size_t i = 0; i < PF_COUNT(CURSORS); i++) {
		struct pf_op op = op_list(s);
		struct task *t;

		op.list.cursor = pf_span_str(CURSORS[i]);
		t = run(s, &op);
		assert_false(t->delta);
		assert_int_equal(t->n, 2);
	}
}

static void another_session_sees_what_came(void **state)
{
	struct suite *s = *state;
	struct suite other = {.account = s->account};

	(void)snprintf(other.folder, sizeof(other.folder), "%s", s->folder);
	reopen(&other, true);
	put(s, message(1), NULL);
	assert_int_equal(list(&other)->n, 1);
	put(s, message(2), NULL);
	assert_int_equal(list(&other)->n, 2);
	suite_end(&other);
}

size_t list_cases(const struct CMUnitTest **out)
{
	static const struct CMUnitTest CASES[] = {
		CASE(empty_folder),
		CASE(state_is_told_once_and_counts),
		CASE(ids_stay_over_sessions),
		CASE(next_id_bounds_what_comes),
		CASE(equal_cursors_mean_unchanged),
		CASE(removing_moves_the_cursor),
		CASE(flags_move_the_cursor_if_claimed),
		CASE(listing_by_changes),
		CASE(what_is_gone_is_not_overlooked),
		CASE(cursor_of_no_sense_lists_all),
		CASE(another_session_sees_what_came),
	};

	*out = CASES;
	return PF_COUNT(CASES);
}
