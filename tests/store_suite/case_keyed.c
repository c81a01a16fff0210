#include "suite.h"

#include <string.h>

/* Items with identifiers are changed in their place, and only when nobody else has changed them. */
static bool lacks_keys(const struct suite *s)
{
	return lacks(s, PF_CAP_GUARDS) || lacks(s, PF_CAP_VERSIONS);
}

/* The first item with another title, in the place of `id` while that has the version. */
static struct task *change(struct suite *s, const char *id, const char *version)
{
	struct pf_op op = op_put(s, message(1));
	struct task *t;

	op.put.guard = PF_GUARD_SAME;
	op.put.name = pf_span(NULL, 0);
	op.item = pf_span_str(id);
	op.version = pf_span_str(version);
	memcpy(memmem(op.put.body->bytes, op.put.body->n, "number 1", 8), "number 7", 8);
	t = begin(s, &op);
	settle(s, t);
	drop(&op);
	return t;
}

static const struct row *only_row(struct suite *s)
{
	struct task *l = list(s);

	assert_int_equal(l->n, 1);
	return &l->rows[0];
}

static bool has_title(struct suite *s, const char *id, const char *title)
{
	struct pf_span back = get(s, id, 1000);

	return memmem(back.p, back.n, title, strlen(title)) != NULL;
}

static void version_of_a_put_is_that_of_the_listing(void **state)
{
	struct suite *s = *state;
	char version[120];
	const struct row *r;
	struct pf_op op;
	struct task *t;

	if (lacks_keys(s)) {
		return;
	}
	op = op_put(s, message(1));
	t = run(s, &op);
	drop(&op);
	assert_true(t->has_new_id);
	r = only_row(s);
	assert_string_equal(r->id, t->new_id);
	assert_true(r->version[0] != '\0');
	if (t->new_version[0]) { /* else the store does not tell: it is to be read back */
		assert_string_equal(r->version, t->new_version);
	}
	(void)snprintf(version, sizeof(version), "%s", r->version);
	reopen(s, false);
	assert_string_equal(only_row(s)->version, version);
}

static void name_that_is_taken_is_left(void **state)
{
	struct suite *s = *state;
	struct pf_op op[2];
	struct task *t;

	if (lacks_keys(s)) {
		return;
	}
	for (unsigned int i = 0; i < 2; i++) {
		op[i] = op_put(s, message(i + 1));
		op[i].put.name = pf_span_str("taken");
	}
	(void)run(s, &op[0]);
	t = begin(s, &op[1]);
	settle(s, t);
	drop(&op[0]);
	drop(&op[1]);
	assert_true(t->failed && !t->in_doubt);
	assert_int_equal(t->conflict, PF_CONFLICT_NAME);
	assert_true(has_title(s, only_row(s)->id, "number 1"));
}

static void item_is_changed_in_its_place(void **state)
{
	char id[300], version[120];
	struct suite *s = *state;
	struct task *t;

	if (lacks_keys(s)) {
		return;
	}
	put(s, message(1), id);
	(void)snprintf(version, sizeof(version), "%s", only_row(s)->version);
	t = change(s, id, version);
	assert_false(t->failed);
	assert_string_equal(t->new_id, id);
	assert_string_equal(only_row(s)->id, id);
	assert_string_not_equal(only_row(s)->version, version);
	assert_true(has_title(s, id, "number 7"));
	t = change(s, id, version); /* of before: what somebody else did is not undone */
	assert_true(t->failed && !t->in_doubt);
	assert_int_equal(t->conflict, PF_CONFLICT_CHANGED);
}

static void what_was_changed_is_not_removed(void **state)
{
	struct suite *s = *state;
	char id[300], version[120];
	struct pf_op op;
	struct task *t;

	if (lacks_keys(s)) {
		return;
	}
	put(s, message(1), id);
	(void)snprintf(version, sizeof(version), "%s", only_row(s)->version);
	(void)change(s, id, version);
	op = (struct pf_op){.kind = PF_OP_REMOVE,
		.folder = pf_span_str(s->folder),
		.item = pf_span_str(id),
		.version = pf_span_str(version)};
	t = begin(s, &op);
	settle(s, t);
	assert_true(t->failed);
	assert_int_equal(t->conflict, PF_CONFLICT_CHANGED);
	(void)snprintf(version, sizeof(version), "%s", only_row(s)->version);
	op.version = pf_span_str(version);
	(void)run(s, &op);
	assert_int_equal(list(s)->n, 0);
}

static void identifier_stands_once_where_it_must(void **state)
{
	struct suite *s = *state;
	struct pf_op op;
	struct task *t;

	if (lacks_keys(s)) {
		return;
	}
	put(s, message(1), NULL);
	op = op_put(s, message(1));
	t = begin(s, &op);
	settle(s, t);
	drop(&op);
	if (pf_store_facts(s->store)->uid_scope == PF_UID_ANYWHERE) {
		assert_false(t->failed);
		assert_int_equal(list(s)->n, 2);
		return;
	}
	assert_true(t->failed && !t->in_doubt);
	assert_int_equal(t->conflict, PF_CONFLICT_UID);
	assert_int_equal(list(s)->n, 1);
}

size_t keyed_cases(const struct CMUnitTest **out)
{
	static const struct CMUnitTest CASES[] = {
		CASE(version_of_a_put_is_that_of_the_listing),
		CASE(name_that_is_taken_is_left),
		CASE(item_is_changed_in_its_place),
		CASE(what_was_changed_is_not_removed),
		CASE(identifier_stands_once_where_it_must),
	};

	*out = CASES;
	return PF_COUNT(CASES);
}
