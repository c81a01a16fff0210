/* Stores of files. Items that are given out, whole and in parts, as long as was said or not; PUTs
 * that are held, so that one wait serves many. */
#include "stores/serial.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

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

static const struct pf_serial_does DOES = {begin, step, NULL, read_on, reset, NULL, NULL};

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

/* ---- PUTs that are held ---- */

enum { LOG_MAX = 512 };

/* Logs what it does: w, a PUT is written; x, one can't be; s, all are settled; d, the end of one is
 * told; f, it failed; l, another operation. */
struct holder {
	struct pf_serial base;
	char log[LOG_MAX];
	size_t n;
	uint64_t last; /* operation that was told */
};

static void note(struct holder *h, char what)
{
	assert_true(h->n + 1 < sizeof(h->log));
	h->log[h->n++] = what;
}

static struct holder *holder_of(struct pf_serial *s)
{
	return pf_container_of(s, struct holder, base);
}

static int step_put(
	struct pf_serial *s, const struct pf_op *op, struct pf_store_event *out, struct pf_err *err)
{
	if (op->kind != PF_OP_PUT) {
		note(holder_of(s), 'l');
		pf_serial_end(s, out, NULL);
		return PF_OK;
	}
	if (op->put.zone_min) { /* as a mark */
		note(holder_of(s), 'x');
		return pf_fail(err, PF_SCOPE_ITEM, PF_RETRY_NO, "it can't be written");
	}
	note(holder_of(s), 'w');
	return PF_END;
}

static void no_reset(struct pf_serial *s)
{
	(void)s;
}

static void settle(struct pf_serial *s)
{
	note(holder_of(s), 's');
}

static void settled(
	struct pf_serial *s, size_t i, const struct pf_op *op, struct pf_store_event *out)
{
	(void)i;
	(void)op;
	pf_serial_end(s, out, NULL);
}

static const struct pf_serial_does HOLDS = {begin, step_put, NULL, NULL, no_reset, settle, settled};

/* The operation that a letter stands for: m, a PUT that has more to follow; p, the last one; a, one
 * that is to be alone; h, one that has half as many bytes as are held at the most; x, one that
 * can't be written; L, F. */
static struct pf_op op_of(char letter, uint64_t id, struct pf_blob *body)
{
	struct pf_op op = {.kind = letter == 'L'   ? PF_OP_LIST
				   : letter == 'F' ? PF_OP_FLUSH
						   : PF_OP_PUT,
		.id = id};

	if (op.kind == PF_OP_PUT) {
		op.put.body = body;
		op.put.more = letter != 'p';
		op.put.alone = letter == 'a';
		op.put.size = letter == 'h' ? PF_SERIAL_HELD_BYTES / 2 : 1;
		op.put.zone_min = letter == 'x';
	}
	return op;
}

/* All events that there are. */
static void run(struct holder *h)
{
	struct pf_store_event ev;
	int64_t wake_ms = INT64_MAX;
	struct pf_err err;
	int rc;

	while ((rc = pf_serial_next(&h->base.base, &ev, &wake_ms, &err)) == PF_OK) {
		if (ev.kind == PF_STORE_READY) {
			continue;
		}
		assert_true(ev.op > h->last); /* in the order in which they came */
		h->last = ev.op;
		if (h->log[h->n - 1] != 'l') {
			note(h, ev.kind == PF_STORE_DONE ? 'd' : 'f');
		}
	}
	assert_int_equal(rc, PF_AGAIN);
}

/* "." is run(). */
static void play(const char *ops, const char *log)
{
	static const struct pf_store_cfg CFG = {.source = false};
	struct holder h = {.n = 0};
	struct pf_blob *body = pf_blob_new(1);
	struct pf_err err;
	uint64_t id = 0;

	pf_serial_init(&h.base, NULL, &CFG, &HOLDS);
	for (; *ops; ops++) {
		struct pf_op op = op_of(*ops, ++id, body);

		if (*ops == '.') {
			run(&h);
		} else {
			assert_int_equal(pf_serial_submit(&h.base.base, &op, &err), PF_OK);
		}
	}
	assert_string_equal(h.log, log);
	pf_serial_deinit(&h.base);
	pf_blob_unref(&body);
}

static void puts_are_held_until_they_need_not_wait(void **state)
{
	static const char *const PLAYS[][2] = {
		{"mmm.", "www"},            /* more is to come */
		{"mmmF.", "wwwsddd"},       /* it is not */
		{"mm.F.", "wwsdd"},         /* that is said later */
		{"mmp.", "wwwsddd"},        /* or with the last one */
		{"pp.", "wwsdd"},           /* which waits for what is there already */
		{"mmL.", "wwsddl"},         /* what comes next may need them */
		{"mm.L.", "wwsddl"},        /* ... */
		{"mxmF.", "wxsdfwsd"},      /* one that fails lets none wait */
		{"x.", "xf"},               /* ... */
		{"mamF.", "wsdwsdwsd"},     /* one that is to be alone */
		{"F.m.", "w"},              /* FLUSH is about what came before it */
		{"mFmm.", "wsdww"},         /* ... */
		{"mmF.mmF.", "wwsddwwsdd"}, /* group after group */
		{"mLmL.F.", "wsdlwsdl"},    /* nothing is held */
		{"mhm.h.", "wwwwsdddd"}, {"hh.m.", "wwsddw"},
		{"mm.pF.", "wwwsddd"}, /* said twice */
	};

	(void)state;
	for (size_t i = 0; i < PF_COUNT(PLAYS); i++) {
		play(PLAYS[i][0], PLAYS[i][1]);
	}
}

static void so_many_are_held_and_no_more(void **state)
{
	char ops[LOG_MAX], w[LOG_MAX], d[LOG_MAX], log[LOG_MAX];

	(void)state;
	memset(ops, 'm', sizeof(ops));
	memset(w, 'w', sizeof(w));
	memset(d, 'd', sizeof(d));
	(void)snprintf(log, sizeof(log), "%.*ss%.*sw", PF_SERIAL_HELD, w, PF_SERIAL_HELD, d);
	memcpy(ops + PF_SERIAL_HELD + 1, ".", 2);
	play(ops, log);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(items_are_as_long_as_was_said_or_fail),
		cmocka_unit_test(puts_are_held_until_they_need_not_wait),
		cmocka_unit_test(so_many_are_held_and_no_more),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
