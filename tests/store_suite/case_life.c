#include "suite.h"

#include <string.h>

static void ready_comes_before_all_else(void **state)
{
	struct suite *s = *state;
	const struct pf_store_facts *f;

	reopen(s, false);
	(void)folders(s); /* an event before READY would have failed the case */
	assert_true(s->ready);
	f = pf_store_facts(s->store);
	assert_true(f->kinds & suite_kind);
	assert_non_null(f->server);
	assert_non_null(f->forbidden);
	assert_true(f->connections > 0);
	/* The one is of no use without the other. (Changes alone are: listings bring cursors, too.) */
	assert_true(!(f->caps & PF_CAP_CURSOR_FLAGS) || (f->caps & PF_CAP_CURSOR));
}

static void full_window_says_again(void **state)
{
	enum { FAR_TOO_MANY = 200000 };
	struct suite *s = *state;
	char id[300];
	size_t n = 0;
	struct pf_op op;

	put(s, message(1), id);
	op = op_get(s, id, 300);
	while (n < FAR_TOO_MANY && try_begin(s, &op)) {
		n++;
	}
	assert_in_range(n, 1, FAR_TOO_MANY - 1);
	assert_null(try_begin(s, &op)); /* and stays full until events are taken */
	for (struct task *t = s->tasks; t; t = t->next) {
		settle(s, t);
		assert_false(t->failed);
	}
	assert_non_null(try_begin(s, &op));
	settle_all(s);
}

static void begin_many(struct suite *s)
{
	for (unsigned int i = 0; i < 40; i++) {
		struct pf_op op = op_put(s, message(i));

		op.put.more = i % 7 != 6;
		(void)begin(s, &op);
		drop(&op);
		if (i % 10 == 9) {
			op = op_list(s);
			(void)begin(s, &op);
		}
		if (i % 10 == 5) {
			take_some(s);
		}
	}
}

/* Each PUT is carried out, or has not been sent; which of them, is the store's to know. */
static void recalled_ones_are_not_there(void **state)
{
	struct suite *s = *state;
	struct pf_op op = {.kind = PF_OP_RECALL};
	size_t stored = 0;

	(void)folders(s);
	begin_many(s);
	(void)begin(s, &op);
	settle_all(s);
	for (struct task *t = s->tasks; t; t = t->next) {
		if (t->kind == PF_OP_PUT) {
			assert_int_equal(t->failed, t->recalled);
			assert_false(t->in_doubt || t->refused);
			stored += !t->failed;
		}
	}
	assert_int_equal(list(s)->n, stored);
	put(s, message(50), NULL); /* and the store goes on */
	assert_int_equal(list(s)->n, stored + 1);
}

/* What is there is whole, whenever the end came. */
static void all_there_is_whole(struct suite *s)
{
	struct task *l = list(s);

	assert_true(l->n <= 40);
	for (size_t i = 0; i < l->n; i++) {
		struct pf_span back = get(s, l->rows[i].id, l->rows[i].size);
		unsigned int n = 0;
		bool found = false;

		for (n = 0; n < 40 && !found; n++) {
			found = came_back(s, back, message(n));
		}
		assert_true(found);
	}
}

static void closed_in_mid_flight(void **state)
{
	struct suite *s = *state;

	begin_many(s);
	reopen(s, false);
	all_there_is_whole(s);
}

static void closed_at_once(void **state)
{
	struct suite *s = *state;
	struct pf_op op = {.kind = PF_OP_FOLDERS};

	reopen(s, false);
	reopen(s, false);
	(void)begin(s, &op);
	reopen(s, false);
	assert_int_equal(list(s)->n, 0);
}

static void closed_within_a_large_item(void **state)
{
	struct suite *s = *state;
	struct pf_op op = {.kind = PF_OP_PUT,
		.folder = pf_span_str(s->folder),
		.put = {.size = 1 << 20, .date_utc_s = 1}};
	struct task *t = begin(s, &op);
	struct pf_err err;

	if (lacks_mail(s)) {
		return;
	}
	while (pf_store_feed(s->store, t->id, message(1), &err) == PF_AGAIN) {
		assert_true(take_one(s));
	}
	reopen(s, false);
	assert_int_equal(list(s)->n, 0);
}

/* Signing out: whatever was under way has one end, and then there is nothing more. */
static void signing_out_ends_all(void **state)
{
	struct suite *s = *state;
	struct pf_op op = {.kind = PF_OP_CLOSE};
	struct task *t;

	begin_many(s);
	t = begin(s, &op);
	while (take_one(s)) {
	}
	assert_true(s->over);
	assert_true(t->ended && !t->failed);
	for (t = s->tasks; t; t = t->next) {
		assert_true(t->ended);
	}
	assert_false(take_one(s));
	reopen(s, false);
	all_there_is_whole(s);
}

static void writing_ops(const struct suite *s, const char *id, struct pf_op ops[5])
{
	ops[0] = op_put(s, message(2));
	ops[1] = (struct pf_op){.kind = PF_OP_FLAGS,
		.folder = pf_span_str(s->folder),
		.item = pf_span_str(id),
		.flags = {.add = {.sys = PF_FLAG_SEEN}}};
	ops[2] = op_mkfolder(&s->path);
	ops[3] = (struct pf_op){.kind = PF_OP_SUBSCRIBE, .folder = pf_span_str(s->folder)};
	ops[4] = (struct pf_op){
		.kind = PF_OP_REMOVE, .folder = pf_span_str(s->folder), .item = pf_span_str(id)};
}

static void source_takes_nothing_that_writes(void **state)
{
	struct suite *s = *state;
	struct pf_op ops[5];
	struct pf_err err;
	char id[300];

	put(s, message(1), id);
	reopen(s, true);
	writing_ops(s, id, ops);
	for (size_t i = 0; i < PF_COUNT(ops); i++) {
		ops[i].id = i + 1;
		assert_int_equal(pf_store_submit(s->store, &ops[i], &err), PF_FAIL);
		assert_int_equal(err.scope, PF_SCOPE_RUN);
	}
	drop(&ops[0]);
	assert_int_equal(list(s)->n, 1);
	assert_int_equal(list(s)->rows[0].sys, 0);
}

/* Reading everything in every way leaves no trace: no \Seen, no other cursor, no other id. */
static void reading_changes_nothing(void **state)
{
	struct suite *s = *state;
	char id[2][300], cursor[120];
	struct task *before, *after;

	put(s, message(1), id[0]);
	put(s, message(2), id[1]);
	(void)snprintf(cursor, sizeof(cursor), "%s", cursor_now(s));
	reopen(s, true);
	before = list(s);
	for (size_t i = 0; i < 2; i++) {
		struct pf_op op = op_get(s, id[i], 300);

		(void)run(s, &op);
		op.get.part = PF_PART_HEADER;
		(void)run(s, &op);
		op.get.part = PF_PART_WHOLE;
		op.get.whole_max = 10;
		(void)run(s, &op);
	}
	(void)folders(s);
	after = list(s);
	assert_int_equal(after->n, before->n);
	assert_string_equal(after->cursor, cursor);
	for (size_t i = 0; i < after->n; i++) {
		assert_string_equal(after->rows[i].id, before->rows[i].id);
		assert_int_equal(after->rows[i].sys, 0);
		assert_int_equal(after->rows[i].date_utc_s, before->rows[i].date_utc_s);
	}
}

/* What is submitted later sees what was submitted before. */
static void ends_are_in_order_within_a_folder(void **state)
{
	struct suite *s = *state;
	struct pf_op op, flags;
	struct task *l;
	char id[300];

	if (lacks_mail(s)) {
		return;
	}
	put(s, message(1), id);
	flags = (struct pf_op){
		.kind = PF_OP_FLAGS, .folder = pf_span_str(s->folder), .item = pf_span_str(id)};
	flags.flags.add.sys = PF_FLAG_FLAGGED;
	(void)begin(s, &flags);
	flags.flags.add.sys = 0;
	flags.flags.del.sys = PF_FLAG_FLAGGED;
	(void)begin(s, &flags);
	flags.flags.add.sys = PF_FLAG_SEEN;
	flags.flags.del.sys = 0;
	(void)begin(s, &flags);
	op = op_list(s);
	l = run(s, &op);
	settle_all(s);
	assert_int_equal(l->rows[0].sys, PF_FLAG_SEEN);
}

size_t life_cases(const struct CMUnitTest **out)
{
	static const struct CMUnitTest CASES[] = {
		CASE(ready_comes_before_all_else),
		CASE(full_window_says_again),
		CASE(recalled_ones_are_not_there), CASE(closed_in_mid_flight),
		CASE(closed_at_once),
		CASE(closed_within_a_large_item),
		CASE(signing_out_ends_all),
		CASE(source_takes_nothing_that_writes),
		CASE(reading_changes_nothing),
		CASE(ends_are_in_order_within_a_folder),
	};

	*out = CASES;
	return PF_COUNT(CASES);
}
