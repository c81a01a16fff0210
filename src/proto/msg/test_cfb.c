/* Compound files: streams come back, and tables that lie are noted. */
#include "proto/msg/cfb.h"
#include "proto/msg/test_compound_private.h"

struct opened {
	struct pf_arena arena;
	struct pf_mapi_notes notes;
	struct pf_err err;
	struct pf_cfb *c;
	int rc;
};

static void open_it(struct opened *o, struct pf_span in)
{
	*o = (struct opened){0};
	pf_arena_init(&o->arena);
	o->rc = pf_cfb_open(in, &o->arena, &o->notes, &o->c, &o->err);
}

static struct pf_span read_it(struct opened *o, const char *name)
{
	const struct pf_cfb_entry *e = pf_cfb_find(pf_cfb_root(o->c), name);
	struct pf_span out;

	assert_non_null(e);
	assert_int_equal(pf_cfb_read(o->c, e, &out, &o->err), PF_OK);
	return out;
}

/* Bytes that tell where they are. */
static struct pf_span pattern(uint8_t *into, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		into[i] = (uint8_t)(i * 7 + i / 251);
	}
	return pf_span(into, n);
}

static void streams_come_back(void **state)
{
	static uint8_t bytes[5000];
	static const size_t SIZES[] = {0, 1, 63, 64, 65, 4095, 4096, 4097, 5000};
	static const char *const NAMES[] = {"a", "b", "c", "d", "e", "f", "g", "h", "i"};
	struct maker m;
	struct opened o;

	(void)state;
	(void)pattern(bytes, sizeof(bytes));
	maker_init(&m);
	for (size_t i = 0; i < PF_COUNT(SIZES); i++) {
		(void)stream(&m, 0, NAMES[i], pf_span(bytes, SIZES[i]));
	}
	open_it(&o, make(&m));
	assert_int_equal(o.rc, PF_OK);
	for (size_t i = PF_COUNT(SIZES); i-- > 0;) {
		assert_true(pf_span_eq(read_it(&o, NAMES[i]), pf_span(bytes, SIZES[i])));
	}
	assert_int_equal(o.notes.n, 0);
	pf_arena_deinit(&o.arena);
	maker_deinit(&m);
}

static void storages_have_their_own_entries_sorted(void **state)
{
	const struct pf_cfb_entry *e;
	struct maker m;
	struct opened o;
	int at;

	(void)state;
	maker_init(&m);
	at = storage(&m, 0, "folder");
	(void)stream(&m, 0, "z", BYTES("1"));
	(void)stream(&m, at, "b-0", BYTES("2"));
	(void)stream(&m, at, "a", BYTES("3"));
	(void)stream(&m, at, "b", BYTES("4"));
	(void)storage(&m, at, "empty");
	open_it(&o, make(&m));
	assert_int_equal(pf_cfb_root(o.c)->n, 2);
	e = pf_cfb_find(pf_cfb_root(o.c), "FOLDER");
	assert_non_null(e);
	assert_int_equal(e->n, 4);
	assert_string_equal(e->first[0].name, "a");
	assert_string_equal(e->first[1].name, "b");
	assert_string_equal(e->first[2].name, "b-0");
	assert_true(e->first[3].storage);
	assert_int_equal(e->first[3].n, 0);
	assert_null(pf_cfb_find(pf_cfb_root(o.c), "a"));
	assert_null(pf_cfb_find(pf_cfb_root(o.c), "Root Entry"));
	pf_arena_deinit(&o.arena);
	maker_deinit(&m);
}

/* A file with one stream "big" in sectors 1 to 10; the FAT says `next` follows sector `at`. */
static void open_altered(struct opened *o, struct maker *m, unsigned at, int next)
{
	static uint8_t bytes[5000];
	struct pf_span in;

	maker_init(m);
	(void)stream(m, 0, "big", pattern(bytes, sizeof(bytes)));
	(void)stream(m, 0, "small", BYTES("small"));
	in = make(m);
	for (unsigned i = 0; i < 4; i++) {
		m->out.p[SECTOR + 4 * at + i] = (uint8_t)((unsigned)next >> 8 * i);
	}
	open_it(o, in);
}

static void chains_may_lie(void **state)
{
	static const struct {
		const char *name;
		int next;
		size_t got; /* sectors */
	} CASES[] = {
		{"itself", 4, 4},
		{"back", 1, 4},
		{"the FAT", 0, 4},
		{"past the end", 1000, 4},
		{"ends early", END_OF_CHAIN, 4},
		{"leaves one out", 6, 9},
	};

	(void)state;
	for (size_t i = 0; i < PF_COUNT(CASES); i++) {
		struct maker m;
		struct opened o;

		open_altered(&o, &m, 4, CASES[i].next);
		assert_int_equal(o.rc, PF_OK);
		if (read_it(&o, "big").n != CASES[i].got * SECTOR) {
			fail_msg("%s", CASES[i].name);
		}
		assert_int_equal(o.notes.n, 1);
		assert_non_null(strstr(o.notes.v[0].text, "big"));
		assert_true(pf_span_eq(read_it(&o, "small"), BYTES("small")));
		assert_true(o.arena.total < 4 * m.out.n + 20000);
		pf_arena_deinit(&o.arena);
		maker_deinit(&m);
	}
}

static void a_stream_is_read_once(void **state)
{
	struct maker m;
	struct opened o;

	(void)state;
	open_altered(&o, &m, 4, 5);
	assert_int_equal(read_it(&o, "big").n, 5000);
	assert_int_equal(o.notes.n, 0);
	assert_int_equal(read_it(&o, "big").n, 0);
	assert_int_equal(o.notes.n, 1);
	pf_arena_deinit(&o.arena);
	maker_deinit(&m);
}

/* Where entry `id` of the directory lies in a file of the maker. */
static size_t entry_at(const struct maker *m, unsigned id)
{
	const uint8_t *p = m->out.p + 48;

	return ((size_t)p[0] + 256 * (size_t)p[1] + 1) * m->sector + (size_t)id * 128;
}

static void a_directory_may_lead_in_circles(void **state)
{
	static const struct {
		size_t field; /* 68 left, 72 right, 76 child */
		uint8_t to;
	} CASES[] = {{68, 1}, {72, 1}, {72, 0}, {76, 1}, {76, 0}, {68, 200}};

	(void)state;
	for (size_t i = 0; i < PF_COUNT(CASES); i++) {
		struct maker m;
		struct opened o;
		struct pf_span in;
		int at;

		maker_init(&m);
		at = storage(&m, 0, "folder"); /* entry 1 */
		(void)stream(&m, at, "in", BYTES("x"));
		in = make(&m);
		memset(m.out.p + entry_at(&m, 1) + CASES[i].field, 0, 4);
		m.out.p[entry_at(&m, 1) + CASES[i].field] = CASES[i].to;
		open_it(&o, in);
		assert_int_equal(o.rc, PF_OK);
		assert_int_equal(o.notes.n, 1);
		assert_int_equal(pf_cfb_root(o.c)->n, 1);
		pf_arena_deinit(&o.arena);
		maker_deinit(&m);
	}
}

static void a_file_may_end_anywhere(void **state)
{
	struct maker m;
	struct opened o;

	(void)state;
	open_altered(&o, &m, 4, 5);
	pf_arena_deinit(&o.arena);
	for (size_t n = 0; n <= m.out.n; n += 61) {
		uint8_t *part = malloc(n + 1);

		assert_non_null(part);
		memcpy(part, m.out.p, n);
		open_it(&o, pf_span(part, n));
		for (size_t i = 0; o.rc == PF_OK && i < pf_cfb_root(o.c)->n; i++) {
			struct pf_span out;

			assert_int_equal(
				pf_cfb_read(o.c, &pf_cfb_root(o.c)->first[i], &out, &o.err), PF_OK);
			assert_true(out.n <= 5000);
		}
		assert_true(o.rc == PF_OK || o.err.scope == PF_SCOPE_ITEM);
		pf_arena_deinit(&o.arena);
		free(part);
	}
	maker_deinit(&m);
}

/* The same entries, and the same bytes in them. */
static void assert_same(struct opened *a, const struct pf_cfb_entry *x, struct opened *b,
	const struct pf_cfb_entry *y)
{
	struct pf_span in_x, in_y;

	assert_int_equal(x->storage, y->storage);
	assert_int_equal(x->n, y->n);
	assert_int_equal(pf_cfb_read(a->c, x, &in_x, &a->err), PF_OK);
	assert_int_equal(pf_cfb_read(b->c, y, &in_y, &b->err), PF_OK);
	assert_true(pf_span_eq(in_x, in_y));
	for (size_t i = 0; i < x->n; i++) {
		assert_string_equal(x->first[i].name, y->first[i].name);
		assert_same(a, &x->first[i], b, &y->first[i]);
	}
}

static void fill_object(struct maker *m, struct pf_span contents)
{
	static const char *const NAMES[] = {"b", "a", "bb", "aa", "c", "d", "ccc", "e", "f"};
	int at = storage(m, 0, "object"), deeper;

	(void)stream(m, at, "CONTENTS", contents);
	(void)stream(m, at, "\1Ole", BYTES("ole"));
	(void)stream(m, at, "empty", pf_span("", 0));
	(void)storage(m, at, "hollow");
	deeper = storage(m, at, "deeper");
	for (size_t i = 0; i < PF_COUNT(NAMES); i++) {
		(void)stream(m, deeper, NAMES[i], pf_span(contents.p + i, 60 + i));
	}
}

static void a_storage_becomes_a_file(void **state)
{
	static const struct {
		size_t contents;
		uint8_t shift;
	} CASES[] = {{5000, 9}, {100, 9}, {9000000, 12}};
	uint8_t *bytes = malloc(9000000);

	(void)state;
	assert_non_null(bytes);
	(void)pattern(bytes, 9000000);
	for (size_t i = 0; i < PF_COUNT(CASES); i++) {
		const struct pf_cfb_entry *object;
		struct maker m;
		struct opened from, packed, again;
		struct pf_span in, out;

		maker_init(&m);
		m.sector = CASES[i].shift == 9 ? SECTOR : 4096;
		m.fat_sectors = CASES[i].shift == 9 ? 1 : 3;
		fill_object(&m, pf_span(bytes, CASES[i].contents));
		in = make(&m);
		memset(m.out.p + entry_at(&m, 1) + 80, 0x5A, 16);
		open_it(&from, in);
		object = pf_cfb_find(pf_cfb_root(from.c), "object");
		assert_int_equal(pf_cfb_pack(from.c, object, &from.arena, &out, &from.err), PF_OK);
		assert_int_equal(out.p[30], CASES[i].shift);
		open_it(&packed, out);
		assert_int_equal(packed.rc, PF_OK);
		assert_int_equal(pf_cfb_root(packed.c)->class_id[15], 0x5A);
		open_it(&again, in); /* what was packed has been read in `from` */
		assert_same(&again, pf_cfb_find(pf_cfb_root(again.c), "object"), &packed,
			pf_cfb_root(packed.c));
		assert_int_equal(packed.notes.n + again.notes.n, 0);
		pf_arena_deinit(&again.arena);
		pf_arena_deinit(&packed.arena);
		pf_arena_deinit(&from.arena);
		maker_deinit(&m);
	}
	free(bytes);
}

static void what_is_none_is_refused(void **state)
{
	static const struct {
		size_t at;
		uint8_t to;
	} CASES[] = {{0, 0}, {30, 10}, {32, 7}};

	(void)state;
	for (size_t i = 0; i < PF_COUNT(CASES); i++) {
		struct maker m;
		struct opened o;

		maker_init(&m);
		(void)make(&m);
		m.out.p[CASES[i].at] = CASES[i].to;
		open_it(&o, pf_buf_span(&m.out));
		assert_int_equal(o.rc, PF_FAIL);
		assert_int_equal(o.err.scope, PF_SCOPE_ITEM);
		pf_arena_deinit(&o.arena);
		maker_deinit(&m);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(streams_come_back),
		cmocka_unit_test(storages_have_their_own_entries_sorted),
		cmocka_unit_test(chains_may_lie),
		cmocka_unit_test(a_stream_is_read_once),
		cmocka_unit_test(a_directory_may_lead_in_circles),
		cmocka_unit_test(a_file_may_end_anywhere),
		cmocka_unit_test(a_storage_becomes_a_file),
		cmocka_unit_test(what_is_none_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
