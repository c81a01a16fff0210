/* Items as streams: what is written is read again, property by property. */
#include "proto/tnef/tnef.h"

#include "model/mapi_tags.h"

#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

/* ---- comparing ---- */

static void same_item(const struct pf_mapi_item *a, const struct pf_mapi_item *b);

static void same_value(const struct pf_mapi_value *a, const struct pf_mapi_value *b)
{
	assert_int_equal(a->type, b->type);
	if (a->type & PF_MAPI_MANY) {
		assert_int_equal(a->many.n, b->many.n);
		for (size_t i = 0; i < a->many.n; i++) {
			same_value(&a->many.v[i], &b->many.v[i]);
		}
		return;
	}
	switch ((unsigned)a->type) {
	case PF_MAPI_STRING:
		assert_true(pf_span_eq(pf_mapi_text(a), pf_mapi_text(b)));
		return;
	case PF_MAPI_BINARY:
	case PF_MAPI_OBJECT:
	case PF_MAPI_GUID:
		assert_int_equal(a->bytes.n, b->bytes.n);
		assert_true(a->bytes.n == 0 || memcmp(a->bytes.p, b->bytes.p, a->bytes.n) == 0);
		return;
	case PF_MAPI_FLOAT:
	case PF_MAPI_DOUBLE:
	case PF_MAPI_APPTIME:
		assert_memory_equal(&a->real, &b->real, sizeof(a->real));
		return;
	case PF_MAPI_TIME:
		assert_true(a->filetime == b->filetime);
		return;
	default:
		assert_true(a->number == b->number);
		return;
	}
}

static void same_name(const struct pf_mapi_name *a, const struct pf_mapi_name *b)
{
	assert_int_equal(a != NULL, b != NULL);
	if (a && b) {
		assert_true(pf_guid_eq(&a->set, &b->set));
		assert_int_equal(a->text.p != NULL, b->text.p != NULL);
		assert_true(a->text.p ? pf_span_eq(a->text, b->text) : a->number == b->number);
	}
}

static void same_props(const struct pf_mapi_props *a, const struct pf_mapi_props *b)
{
	assert_int_equal(a->n, b->n);
	for (size_t i = 0; i < a->n; i++) {
		assert_int_equal(a->v[i].id, b->v[i].id);
		same_name(a->v[i].name, b->v[i].name);
		same_value(&a->v[i].value, &b->v[i].value);
	}
}

static void same_item(const struct pf_mapi_item *a, const struct pf_mapi_item *b)
{
	same_props(&a->props, &b->props);
	assert_int_equal(a->recipients_n, b->recipients_n);
	for (size_t i = 0; i < a->recipients_n; i++) {
		same_props(&a->recipients[i], &b->recipients[i]);
	}
	assert_int_equal(a->attachments_n, b->attachments_n);
	for (size_t i = 0; i < a->attachments_n; i++) {
		const struct pf_mapi_attachment *x = &a->attachments[i], *y = &b->attachments[i];

		assert_int_equal(x->item != NULL, y->item != NULL);
		assert_true(pf_span_eq(x->data, y->data) || (x->data.n == 0 && y->data.n == 0));
		if (x->item && y->item) {
			same_item(x->item, y->item);
		}
	}
}

/* ---- reading and writing ---- */

struct world {
	struct pf_arena arena;
	struct pf_buf out;
	struct pf_err err;
};

static int setup(void **state)
{
	struct world *w = calloc(1, sizeof(*w));

	if (!w) {
		return -1;
	}
	pf_arena_init(&w->arena);
	pf_buf_init(&w->out, 1 << 28);
	*state = w;
	return 0;
}

static int teardown(void **state)
{
	struct world *w = *state;

	pf_arena_deinit(&w->arena);
	pf_buf_deinit(&w->out);
	free(w);
	return 0;
}

static struct pf_mapi_item *again(struct world *w, const struct pf_mapi_item *item)
{
	struct pf_mapi_item *read = pf_mapi_new(&w->arena);
	struct pf_mapi_notes notes = {0};

	pf_buf_clear(&w->out);
	assert_int_equal(pf_tnef_write(item, &w->out, &w->err), PF_OK);
	assert_int_equal(
		pf_tnef_read(pf_arena_span(&w->arena, pf_buf_span(&w->out)), read, &notes, &w->err),
		PF_OK);
	if (notes.n > 0) {
		fail_msg("%s", notes.v[0].text);
	}
	return read;
}

static void add(struct pf_mapi_item *item, struct pf_mapi_props *to, uint16_t id,
	struct pf_mapi_value value)
{
	*pf_mapi_add(item, to) = (struct pf_mapi_prop){.id = id, .value = value};
}

static struct pf_mapi_item *one_of_each(struct pf_arena *arena)
{
	static struct pf_mapi_value many[] = {
		{.type = PF_MAPI_STRING, .bytes = {(const uint8_t *)"a", 1}},
		{.type = PF_MAPI_STRING, .bytes = {(const uint8_t *)"\xF0\x9F\x98\x80 b", 6}}};
	static struct pf_mapi_value shorts[] = {{.type = PF_MAPI_I16, .number = -1},
		{.type = PF_MAPI_I16, .number = 2}, {.type = PF_MAPI_I16, .number = 3}};
	static struct pf_mapi_name number = {.number = 0x8216},
				   text = {.text = {(const uint8_t *)"Key", 3}};
	struct pf_mapi_item *item = pf_mapi_new(arena);

	number.set = pf_set_appointment;
	text.set = pf_set_strings;
	add(item, &item->props, PF_TAG_MESSAGE_CLASS,
		(struct pf_mapi_value){.type = PF_MAPI_STRING, .bytes = pf_span_str("IPM.Task")});
	add(item, &item->props, PF_TAG_SUBJECT,
		(struct pf_mapi_value){.type = PF_MAPI_STRING, .bytes = pf_span_str("")});
	add(item, &item->props, 0x6001, (struct pf_mapi_value){.type = PF_MAPI_BOOL, .number = 1});
	add(item, &item->props, 0x6002, (struct pf_mapi_value){.type = PF_MAPI_I32, .number = -5});
	add(item, &item->props, 0x6003,
		(struct pf_mapi_value){.type = PF_MAPI_DOUBLE, .real = 1.25});
	add(item, &item->props, 0x6004,
		(struct pf_mapi_value){.type = PF_MAPI_FLOAT, .real = -0.5});
	add(item, &item->props, 0x6005,
		(struct pf_mapi_value){.type = PF_MAPI_TIME, .filetime = UINT64_MAX - 1});
	add(item, &item->props, 0x6006,
		(struct pf_mapi_value){.type = PF_MAPI_GUID,
			.bytes = pf_span(pf_set_note.b, sizeof(pf_set_note.b))});
	add(item, &item->props, 0x6007,
		(struct pf_mapi_value){.type = PF_MAPI_BINARY, .bytes = pf_span("\0\1\2\3\4", 5)});
	add(item, &item->props, 0x6008,
		(struct pf_mapi_value){.type = (enum pf_mapi_type)(PF_MAPI_STRING | PF_MAPI_MANY),
			.many = {many, 2}});
	add(item, &item->props, 0x6009,
		(struct pf_mapi_value){.type = (enum pf_mapi_type)(PF_MAPI_I16 | PF_MAPI_MANY),
			.many = {shorts, 3}});
	add(item, &item->props, 0,
		(struct pf_mapi_value){.type = PF_MAPI_BINARY, .bytes = pf_span("blob", 4)});
	item->props.v[item->props.n - 1].name = &number;
	add(item, &item->props, 0,
		(struct pf_mapi_value){.type = PF_MAPI_I64, .number = 1ll << 40});
	item->props.v[item->props.n - 1].name = &text;
	return item;
}

static void each_type_and_attachment(void **state)
{
	struct world *w = *state;
	struct pf_mapi_item *item = one_of_each(&w->arena), *got;
	struct pf_mapi_attachment *a;

	add(item, pf_mapi_add_recipient(item), PF_TAG_DISPLAY_NAME,
		(struct pf_mapi_value){.type = PF_MAPI_STRING, .bytes = pf_span_str("Ann")});
	(void)pf_mapi_add_recipient(item);
	for (int i = 0; i < 4; i++) {
		static const enum pf_mapi_attach KINDS[] = {PF_MAPI_ATTACH_DATA,
			PF_MAPI_ATTACH_ITEM, PF_MAPI_ATTACH_OLE, PF_MAPI_ATTACH_REFERENCE};
		static const int METHODS[] = {1, 5, 6, 2};

		a = pf_mapi_add_attachment(item);
		a->kind = KINDS[i];
		add(item, &a->props, PF_TAG_ATTACH_METHOD,
			(struct pf_mapi_value){.type = PF_MAPI_I32, .number = METHODS[i]});
	}
	item->attachments[0].data = pf_span("file", 4);
	item->attachments[1].item = one_of_each(&w->arena);
	item->attachments[2].data = pf_span("\xD0\xCF\x11\xE0", 4);
	got = again(w, item);
	same_item(item, got);
	for (size_t i = 0; i < 4; i++) {
		assert_int_equal(got->attachments[i].kind, item->attachments[i].kind);
	}
}

static void the_class_is_at_the_front(void **state)
{
	struct world *w = *state;
	struct pf_span class = pf_span(NULL, 0);

	(void)again(w, one_of_each(&w->arena));
	assert_true(pf_tnef_class(pf_span(w->out.p, 100), &class));
	assert_true(pf_span_is(class, "IPM.Task"));
	assert_false(pf_tnef_class(pf_span(w->out.p, 30), &class));
	assert_false(pf_tnef_class(pf_span("no", 2), &class));
}

static void too_deep_is_refused(void **state)
{
	struct world *w = *state;
	struct pf_mapi_item *top = pf_mapi_new(&w->arena), *item = top;

	for (int i = 0; i < PF_TNEF_DEPTH_MAX + 1; i++) {
		struct pf_mapi_attachment *a = pf_mapi_add_attachment(item);

		a->kind = PF_MAPI_ATTACH_ITEM;
		a->item = pf_mapi_new(&w->arena);
		item = a->item;
	}
	assert_int_equal(pf_tnef_write(top, &w->out, &w->err), PF_FAIL);
	assert_int_equal(w->err.scope, PF_SCOPE_ITEM);
	assert_int_equal(w->out.n, 0);
	pf_buf_deinit(&w->out);
	pf_buf_init(&w->out, 40);
	assert_int_equal(pf_tnef_write(one_of_each(&w->arena), &w->out, &w->err), PF_FAIL);
	assert_int_equal(w->out.n, 0);
}

/* All that real streams have is the same when it was written anew. */
static void the_corpus(void **state)
{
	struct world *w = *state;
	const char *corpus = getenv("PF_CORPUS");
	char path[1024];
	const struct dirent *e;
	DIR *d;

	(void)snprintf(path, sizeof(path), "%.900s/tnef/mimekit", corpus ? corpus : ".");
	d = opendir(path);
	if (!d) {
		skip();
		return; /* which skip() does already */
	}
	while ((e = readdir(d)) != NULL) {
		struct pf_mapi_item *item = pf_mapi_new(&w->arena);
		struct pf_mapi_notes notes = {0};
		uint8_t *bytes;
		size_t n;
		FILE *f;

		(void)snprintf(path, sizeof(path), "%.900s/tnef/mimekit/%.100s", corpus, e->d_name);
		f = e->d_name[0] == '.' ? NULL : fopen(path, "re");
		if (!f) {
			continue;
		}
		bytes = pf_arena_alloc(&w->arena, 1 << 20);
		assert_non_null(bytes);
		n = fread(bytes, 1, 1 << 20, f);
		(void)fclose(f);
		assert_int_equal(pf_tnef_read(pf_span(bytes, n), item, &notes, &w->err), PF_OK);
		same_item(item, again(w, item));
	}
	(void)closedir(d);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(each_type_and_attachment, setup, teardown),
		cmocka_unit_test_setup_teardown(the_class_is_at_the_front, setup, teardown),
		cmocka_unit_test_setup_teardown(too_deep_is_refused, setup, teardown),
		cmocka_unit_test_setup_teardown(the_corpus, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
