#include "stores/op.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static struct pf_op_kept kept(const struct pf_op *op)
{
	struct pf_op_kept k;
	struct pf_err err;

	assert_int_equal(pf_op_keep(&k, op, &err), PF_OK);
	return k;
}

static void is(struct pf_span s, const char *want)
{
	assert_non_null(s.p);
	assert_true(pf_span_eq(s, pf_span_str(want)));
}

static void spans_are_copies_and_absent_ones_stay_absent(void **state)
{
	char folder[] = "folder", kw[] = "Work";
	struct pf_op op = {.kind = PF_OP_FLAGS, .id = 7, .folder = pf_span_str(folder)};
	struct pf_op_kept k;

	(void)state;
	op.flags.add.kw = pf_span_str(kw);
	op.item = pf_span("", 0);
	k = kept(&op);
	memset(folder, 'x', sizeof(folder));
	memset(kw, 'x', sizeof(kw));
	assert_int_equal(k.op.id, 7);
	is(k.op.folder, "folder");
	is(k.op.flags.add.kw, "Work");
	is(k.op.item, "");
	assert_null(k.op.version.p);
	assert_null(k.op.flags.del.kw.p);
	pf_op_let_go(&k);
}

static void body_is_shared(void **state)
{
	struct pf_blob *body = pf_blob_new(3);
	struct pf_op op = {.kind = PF_OP_PUT, .put = {.body = body, .name = pf_span_str("name")}};
	struct pf_op_kept k;

	(void)state;
	assert_non_null(body);
	k = kept(&op);
	assert_int_equal(body->refs, 2);
	is(k.op.put.name, "name");
	pf_op_let_go(&k);
	assert_int_equal(body->refs, 1);
	pf_blob_unref(&body);
}

static void path_and_looks_are_copies(void **state)
{
	char colour[] = "#ff0000";
	struct pf_folder_looks looks = {
		.colour = pf_span_str(colour), .has_order = true, .order = 3};
	struct pf_path path = {0};
	struct pf_err err;
	struct pf_op op = {.kind = PF_OP_MKFOLDER, .mkfolder = {.path = &path, .looks = &looks}};
	struct pf_op_kept *k = test_malloc(sizeof(*k));

	(void)state;
	assert_int_equal(pf_path_add(&path, pf_span_str("A"), &err), PF_OK);
	assert_int_equal(pf_op_keep(k, &op, &err), PF_OK);
	pf_path_deinit(&path);
	memset(colour, 'x', sizeof(colour));
	looks.order = 4;
	assert_string_equal(pf_path_leaf(k->op.mkfolder.path), "A");
	is(k->op.mkfolder.looks->colour, "#ff0000");
	assert_int_equal(k->op.mkfolder.looks->order, 3);
	assert_null(k->op.mkfolder.looks->description.p);
	pf_op_let_go(k);
	test_free(k);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(spans_are_copies_and_absent_ones_stay_absent),
		cmocka_unit_test(body_is_shared),
		cmocka_unit_test(path_and_looks_are_copies),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
