/* Items that a store of files gives out: whole and in parts, as long as was said or not. */
#include "stores/serial.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

enum { SAID = 10, PART = 4 };

struct files {
	struct pf_serial base;
	size_t has, at; /* octets that there are; given */
};

static const char TEXT[] = "0123456789abcdef";

static int begin(struct pf_serial *s, struct pf_err *err)
{
	(void)s;
	(void)err;
	return PF_OK;
}

static int step(
	struct pf_serial *s, const struct pf_op *op, struct pf_store_event *out, struct pf_err *err)
{
	return pf_serial_give(s, op, SAID, out, err);
}

static int read_on(struct pf_serial *s, struct pf_span *part, struct pf_err *err)
{
	struct files *f = pf_container_of(s, struct files, base);
	size_t n = f->has - f->at < PART ? f->has - f->at : PART;

	(void)err;
	*part = pf_span(TEXT + f->at, n);
	f->at += n;
	return PF_OK;
}

static void reset(struct pf_serial *s)
{
	pf_container_of(s, struct files, base)->at = 0;
}

static const struct pf_serial_does DOES = {begin, step, NULL, read_on, reset};

static const struct {
	const char *name;
	size_t has;
	uint64_t whole_max;
	size_t chunks; /* given before the end */
	bool body, fails;
} CASES[] = {
	{"whole", SAID, SAID, 0, true, false},
	{"in parts", SAID, SAID - 1, 3, false, false},
	{"whole, and too short", SAID - 1, SAID, 0, false, true},
	{"whole, and too long", SAID + 1, SAID, 0, false, true},
	{"in parts, and too short", SAID - 1, 0, 3, false, true},
	{"in parts, and too long", SAID + 6, 0, 2, false, true},
	{"nothing at all", 0, 0, 0, false, true},
};

static void one(size_t i)
{
	static const struct pf_store_cfg CFG = {.source = true};
	struct files f = {.has = CASES[i].has};
	struct pf_op op = {.kind = PF_OP_GET, .id = 7, .get.whole_max = CASES[i].whole_max};
	struct pf_store_event ev;
	struct pf_err err;
	int64_t wake_ms = INT64_MAX;
	size_t chunks = 0, n = 0;
	bool body = false;

	pf_serial_init(&f.base, NULL, &CFG, &DOES);
	assert_int_equal(pf_serial_submit(&f.base.base, &op, &err), PF_OK);
	assert_int_equal(pf_serial_next(&f.base.base, &ev, &wake_ms, &err), PF_OK);
	for (;;) {
		assert_int_equal(pf_serial_next(&f.base.base, &ev, &wake_ms, &err), PF_OK);
		if (ev.kind == PF_STORE_BODY) {
			body = true;
			assert_true(pf_span_eq(pf_blob_span(ev.body), pf_span(TEXT, SAID)));
			pf_blob_unref(&ev.body);
		} else if (ev.kind == PF_STORE_CHUNK) {
			assert_int_equal(ev.chunk.offset, n);
			assert_int_equal(ev.chunk.total, SAID);
			assert_memory_equal(ev.chunk.bytes.p, TEXT + n, ev.chunk.bytes.n);
			n += ev.chunk.bytes.n;
			chunks++;
		} else {
			break;
		}
	}
	if (body != CASES[i].body || chunks != CASES[i].chunks ||
		(ev.kind == PF_STORE_FAILED) != CASES[i].fails) {
		fail_msg("%s: %zu chunks, event %d", CASES[i].name, chunks, (int)ev.kind);
	}
	if (CASES[i].fails) {
		assert_int_equal(ev.failed.why.retry, PF_RETRY_LATER);
		assert_false(ev.failed.refused);
	}
	pf_serial_deinit(&f.base);
}

static void items_are_as_long_as_was_said_or_fail(void **state)
{
	(void)state;
	for (size_t i = 0; i < PF_COUNT(CASES); i++) {
		one(i);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(items_are_as_long_as_was_said_or_fail)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
