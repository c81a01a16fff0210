#include "suite.h"

#include <string.h>

enum { PART = 50000, WHOLE_MAX = 1 << 20 };

/* Long enough to come in many parts, on any store; STORE_SUITE_HUGE_MB makes it longer. */
static uint64_t huge_bytes(void)
{
	const char *mb = getenv("STORE_SUITE_HUGE_MB");

	return (mb ? strtoull(mb, NULL, 10) : 12) << 20;
}

/* A message of any length whose octets follow from their offset. */
static uint8_t octet_at(uint64_t at, uint64_t size)
{
	static const char HEAD[] = "From: ann@example.org\r\nSubject: large\r\n\r\n";
	uint64_t column = at % 78;

	if (at < sizeof(HEAD) - 1) {
		return (uint8_t)HEAD[at];
	}
	if (at + 2 >= size || column >= 76) {
		return (at + 2 >= size ? at + 2 - size : column - 76) == 0 ? '\r' : '\n';
	}
	return (uint8_t)('a' + at / 78 * 31 % 7 + column % 19);
}

static struct pf_span part_at(uint64_t at, uint64_t size, uint8_t *out, size_t room)
{
	size_t n = size - at < room ? (size_t)(size - at) : room;

	for (size_t i = 0; i < n; i++) {
		out[i] = octet_at(at + i, size);
	}
	return pf_span(out, n);
}

static bool is_part(struct pf_span bytes, uint64_t at, uint64_t size)
{
	for (size_t i = 0; i < bytes.n; i++) {
		if (bytes.p[i] != octet_at(at + i, size)) {
			return false;
		}
	}
	return true;
}

static struct pf_op op_fed(const struct suite *s, uint64_t size)
{
	return (struct pf_op){.kind = PF_OP_PUT,
		.folder = pf_span_str(s->folder),
		.put = {.size = size, .date_utc_s = 1000000000}};
}

/* PF_AGAIN means that it was not taken, and that HUNGRY or the end comes. */
static void feed(struct suite *s, const struct task *t, struct pf_span part)
{
	struct pf_err err;
	int rc;

	while ((rc = pf_store_feed(s->store, t->id, part, &err)) == PF_AGAIN && !t->ended) {
		assert_true(take_one(s));
	}
	if (rc == PF_FAIL) {
		fail_msg("feed: %s", err.text);
	}
}

static void feed_all(struct suite *s, const struct task *t, uint64_t size)
{
	static uint8_t room[PART];

	for (uint64_t at = 0; at < size && !t->ended; at += PART) {
		feed(s, t, part_at(at, size, room, sizeof(room)));
		if (at / PART % 3 == 0) {
			take_some(s);
		}
	}
}

static void put_huge(struct suite *s, uint64_t size, char id[300])
{
	struct pf_op op = op_fed(s, size);
	struct task *t = begin(s, &op), *l;

	feed_all(s, t, size);
	settle(s, t);
	if (t->failed) {
		fail_msg("a large item: %s", t->why.text);
	}
	assert_true(t->hungry > 0);
	l = list(s);
	if (has_cap(s, PF_CAP_EXACT_SIZE) && has_cap(s, PF_CAP_EXACT_BYTES)) {
		assert_int_equal(l->rows[l->n - 1].size, size);
	}
	(void)snprintf(id, 300, "%s", l->rows[l->n - 1].id);
}

/* The next event of a GET; false: it has ended well. */
static bool next_chunk(struct suite *s, struct pf_store_event *ev)
{
	for (;;) {
		int64_t wake_ms = INT64_MAX;
		struct pf_err err;
		int rc = pf_store_next(s->store, ev, &wake_ms, &err);

		if (rc == PF_AGAIN) {
			assert_true(s->account->wait(s->account, wake_ms));
			continue;
		}
		if (rc != PF_OK || ev->kind == PF_STORE_FAILED) {
			fail_msg(
				"a large item: %s", rc == PF_FAIL ? err.text : ev->failed.why.text);
		}
		if (ev->kind == PF_STORE_CHUNK || ev->kind == PF_STORE_DONE) {
			return ev->kind == PF_STORE_CHUNK;
		}
	}
}

static struct pf_op op_chunks(const struct suite *s, const char *id, uint64_t size)
{
	struct pf_op op = op_get(s, id, size);

	op.get.whole_max = WHOLE_MAX;
	op.id = 1000000;
	return op;
}

static void large_item_streams(void **state)
{
	struct suite *s = *state;
	uint64_t size = huge_bytes(), at = 0;
	struct pf_store_event ev;
	struct pf_op op;
	struct pf_err err;
	char id[300];
	size_t largest = 0;

	if (lacks_mail(s)) {
		return;
	}
	put_huge(s, size, id);
	if (!has_cap(s, PF_CAP_EXACT_BYTES)) {
		print_message("# not for this store\n");
		return;
	}
	op = op_chunks(s, id, size);
	assert_int_equal(pf_store_submit(s->store, &op, &err), PF_OK);
	while (next_chunk(s, &ev)) {
		assert_int_equal(ev.chunk.offset, at);
		assert_int_equal(ev.chunk.total, size);
		assert_true(is_part(ev.chunk.bytes, at, size));
		largest = ev.chunk.bytes.n > largest ? ev.chunk.bytes.n : largest;
		at += ev.chunk.bytes.n;
	}
	assert_int_equal(at, size);
	assert_true(largest <= WHOLE_MAX); /* it never lies in memory */
}

/* As the engine does it: what one side gives is fed to the other, and the giver waits. */
static void large_item_goes_back_to_back(void **state)
{
	struct suite *to = *state, from = {.account = to->account};
	uint64_t size = huge_bytes();
	struct pf_store_event ev;
	struct pf_op get_op, put_op;
	struct task *t;
	struct pf_err err;
	char id[300];

	if (lacks_mail(to)) {
		return;
	}
	put_huge(to, size, id);
	(void)snprintf(from.folder, sizeof(from.folder), "%s", to->folder);
	reopen(&from, true);
	assert_int_equal(list(&from)->n, 1);
	size = has_cap(to, PF_CAP_EXACT_SIZE) ? size : list(&from)->rows[0].size;
	get_op = op_chunks(&from, id, size);
	assert_int_equal(pf_store_submit(from.store, &get_op, &err), PF_OK);
	assert_true(next_chunk(&from, &ev));
	put_op = op_fed(to, ev.chunk.total);
	t = begin(to, &put_op);
	do {
		feed(to, t, ev.chunk.bytes);
	} while (next_chunk(&from, &ev));
	settle(to, t);
	if (t->failed) {
		fail_msg("back to back: %s", t->why.text);
	}
	assert_int_equal(list(to)->n, 2);
	suite_end(&from);
}

static void size_decides_how_it_comes(void **state)
{
	static const size_t SIZES[] = {1000, 65536, 200000};
	static char text[200000];
	struct suite *s = *state;

	if (lacks_mail(s)) {
		return;
	}
	(void)part_at(0, sizeof(text), (uint8_t *)text, sizeof(text));
	for (size_t i = 0; i < PF_COUNT(SIZES); i++) {
		char id[300];
		struct pf_op op;
		struct task *t;

		put(s, pf_span(text, SIZES[i]), id);
		for (int whole = 0; whole < 2; whole++) {
			op = op_get(s, id, SIZES[i]);
			op.get.whole_max = whole ? SIZES[i] + 100 : SIZES[i] - 100;
			t = run(s, &op);
			assert_int_equal(t->bodies, whole);
			assert_int_equal(t->chunks > 0, !whole);
			assert_true(came_back(s, pf_buf_span(&t->body), pf_span(text, SIZES[i])));
		}
	}
}

static void item_that_breaks_off(void **state)
{
	static uint8_t room[PART];
	struct suite *s = *state;
	const uint64_t size = 3 * (uint64_t)PART;
	struct pf_op op = op_fed(s, size);
	struct task *t, *l;
	struct pf_err err;

	if (lacks_mail(s)) {
		return;
	}
	t = begin(s, &op);
	feed(s, t, part_at(0, size, room, sizeof(room)));
	assert_int_equal(pf_store_feed(s->store, t->id, pf_span(NULL, 0), &err), PF_OK);
	settle(s, t);
	assert_true(t->failed);
	l = list(s);
	assert_true(l->n == 0 || t->in_doubt);
	put(s, message(1), NULL); /* and the store goes on */
	assert_int_equal(list(s)->n, l->n + 1);
}

/* ---- together ---- */

static struct task *begin_grouped(struct suite *s, struct pf_span bytes, bool more)
{
	struct pf_op op = op_put(s, bytes);
	struct task *t;

	op.put.more = more;
	t = begin(s, &op);
	drop(&op);
	return t;
}

static void flush(struct suite *s)
{
	struct pf_op op = {.kind = PF_OP_FLUSH, .folder = pf_span_str(s->folder)};

	(void)begin(s, &op);
}

static void flush_ends_a_group(void **state)
{
	struct suite *s = *state;

	if (lacks_mail(s)) {
		return;
	}
	for (unsigned int i = 0; i < 5; i++) {
		(void)begin_grouped(s, message(i), true);
	}
	flush(s);
	settle_all(s);
	assert_int_equal(list(s)->n, 5);
	flush(s); /* of nothing */
	assert_int_equal(list(s)->n, 5);
}

static void listing_ends_a_group(void **state)
{
	struct suite *s = *state;
	struct task *a = begin_grouped(s, message(1), true),
		    *b = begin_grouped(s, message(2), true);

	if (lacks_mail(s)) {
		return;
	}
	assert_int_equal(list(s)->n, 2); /* in the order in which they were submitted */
	settle(s, a);
	settle(s, b);
	assert_false(a->failed || b->failed);
}

static void groups_of_two_folders(void **state)
{
	static const char *const OTHER[] = {"other", NULL};
	struct suite *s = *state;
	char first[400];
	struct pf_path path = {0};
	struct task *made = make_below(s, OTHER, &path);

	pf_path_deinit(&path);
	(void)snprintf(first, sizeof(first), "%s", s->folder);
	for (unsigned int i = 0; i < 6; i++) {
		(void)snprintf(s->folder, sizeof(s->folder), "%s", i % 2 ? made->new_id : first);
		(void)begin_grouped(s, message(i), true);
	}
	flush(s);
	(void)snprintf(s->folder, sizeof(s->folder), "%s", first);
	flush(s);
	settle_all(s);
	assert_int_equal(list(s)->n, 3);
	(void)snprintf(s->folder, sizeof(s->folder), "%s", made->new_id);
	assert_int_equal(list(s)->n, 3);
}

/* One that is refused costs the others at most another try. */
static void refused_one_of_a_group(void **state)
{
	static const char NUL[] = "From: a@x\r\n\r\na\0b\r\n";
	struct suite *s = *state;
	struct pf_span bytes[3] = {message(1), {(const uint8_t *)NUL, sizeof(NUL) - 1}, message(3)};
	struct task *t[3];
	size_t stored = 0;

	if (lacks_mail(s)) {
		return;
	}
	for (size_t i = 0; i < PF_COUNT(t); i++) {
		bytes[0] = message(1);
		bytes[2] = message(3);
		t[i] = begin_grouped(s, i == 0 ? message(1) : bytes[i], true);
	}
	flush(s);
	settle_all(s);
	for (size_t i = 0; i < PF_COUNT(t); i++) {
		assert_false(t[i]->in_doubt);
		if (t[i]->grouped) {
			struct pf_op op =
				op_put(s, i == 1 ? bytes[1] : message((unsigned int)i + 1));

			op.put.alone = true;
			t[i] = begin(s, &op);
			settle(s, t[i]);
			drop(&op);
		}
		assert_true(!t[i]->failed || (i == 1 && t[i]->refused));
		stored += !t[i]->failed;
	}
	assert_int_equal(list(s)->n, stored);
}

static void larger_than_facts_allow(void **state)
{
	static uint8_t room[PART];
	struct suite *s = *state;
	uint64_t max = pf_store_facts(s->store)->max_item_bytes;
	struct pf_op op;
	struct task *t;

	if (lacks_mail(s)) {
		return;
	}
	if (max == 0 || max > 64 << 20) {
		print_message("# not for this store\n");
		return;
	}
	op = op_fed(s, max + 1);
	t = begin(s, &op);
	for (uint64_t at = 0; at <= max && !t->ended; at += PART) {
		feed(s, t, part_at(at, max + 1, room, sizeof(room)));
	}
	settle(s, t);
	assert_true(t->failed && t->refused);
	assert_int_equal(list(s)->n, 0);
}

size_t stream_cases(const struct CMUnitTest **out)
{
	static const struct CMUnitTest CASES[] = {
		CASE(large_item_streams),
		CASE(large_item_goes_back_to_back),
		CASE(size_decides_how_it_comes),
		CASE(item_that_breaks_off),
		CASE(flush_ends_a_group),
		CASE(listing_ends_a_group),
		CASE(groups_of_two_folders),
		CASE(refused_one_of_a_group),
		CASE(larger_than_facts_allow),
	};

	*out = CASES;
	return PF_COUNT(CASES);
}
