/* The queue of stores over HTTP, with a store that asks nobody: what is begun when, told when. */
#include "net/loop.h"
#include "stores/http_store.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

struct peer {
	struct pf_hs h;
	struct pf_hs_op *asked[8]; /* in the order in which they were started */
	size_t asked_n;
	unsigned int sign_ins;
	bool answers; /* the last that was asked ends, not the first */
};

static struct peer *peer_of(struct pf_hs *h)
{
	return pf_container_of(h, struct peer, h);
}

static struct pf_hs_op *op_new(const struct pf_op *op)
{
	(void)op;
	return calloc(1, sizeof(struct pf_hs_op));
}

static void op_free(struct pf_hs_op *o)
{
	free(o);
}

static bool may_start(const struct pf_hs *h, const struct pf_hs_op *o)
{
	(void)h;
	(void)o;
	return true;
}

static bool room(const struct pf_hs *h)
{
	return ((const struct peer *)(const void *)h)->asked_n < 8;
}

static int sign_in(struct pf_hs *h, struct pf_err *err)
{
	(void)err;
	peer_of(h)->sign_ins++;
	h->ready = true;
	return PF_OK;
}

static int start(struct pf_hs *h, struct pf_hs_op *o, struct pf_err *err)
{
	struct peer *p = peer_of(h);
	int rc;

	if (pf_hs_op_of(o)->kind == PF_OP_CLOSE) {
		pf_hs_give(h, o);
		return PF_OK;
	}
	rc = pf_hs_op_of(o)->kind == PF_OP_PUT ? pf_hs_whole(h, o, err) : PF_OK;
	if (rc == PF_OK) {
		pf_hs_op_runs(o);
		p->asked[p->asked_n++] = o;
	}
	return rc;
}

static int take(struct pf_hs *h, int64_t *wake_ms, struct pf_err *err)
{
	struct peer *p = peer_of(h);

	(void)wake_ms;
	(void)err;
	if (!p->answers || p->asked_n == 0) {
		return PF_AGAIN;
	}
	pf_hs_give(h, p->asked[--p->asked_n]);
	return PF_OK;
}

static int give(struct pf_hs *h, struct pf_hs_op *o, struct pf_store_event *out, struct pf_err *err)
{
	(void)h;
	(void)o;
	(void)out;
	(void)err;
	return PF_END;
}

static const struct pf_hs_does DOES = {
	.losses = 2,
	.losses_first = 1,
	.pauses = 2,
	.pause_max_ms = 4000,
	.id_max = 100,
	.version_max = 100,
	.fed = true,
	.op_new = op_new,
	.op_free = op_free,
	.may_start = may_start,
	.room = room,
	.sign_in = sign_in,
	.start = start,
	.take = take,
	.give = give,
};

static struct peer *open_peer(const struct pf_store_cfg *cfg)
{
	struct peer *p = calloc(1, sizeof(*p));
	struct pf_loop *loop = NULL;
	struct pf_err err;

	assert_non_null(p);
	assert_int_equal(pf_loop_new(&loop, &err), PF_OK);
	pf_hs_init(&p->h, NULL, loop, cfg, &DOES);
	return p;
}

static void close_peer(struct peer *p)
{
	struct pf_loop *loop = p->h.loop;

	pf_hs_deinit(&p->h);
	pf_loop_free(&loop);
	free(p);
}

static void submit(struct peer *p, enum pf_op_kind kind, uint64_t id, uint64_t put_size)
{
	struct pf_op op = {.kind = kind, .id = id};
	struct pf_err err;

	if (kind == PF_OP_PUT) {
		op.put.size = put_size;
	}
	assert_int_equal(pf_hs_submit(&p->h.base, &op, &err), PF_OK);
}

static struct pf_store_event told(struct peer *p, enum pf_store_event_kind kind, uint64_t op)
{
	struct pf_store_event ev;
	struct pf_err err;
	int64_t wake_ms = INT64_MAX;

	assert_int_equal(pf_hs_next(&p->h.base, &ev, &wake_ms, &err), PF_OK);
	assert_int_equal(ev.kind, kind);
	assert_int_equal(ev.op, op);
	return ev;
}

static int next_rc(struct peer *p, int64_t *wake_ms)
{
	struct pf_store_event ev;
	struct pf_err err;

	*wake_ms = INT64_MAX;
	return pf_hs_next(&p->h.base, &ev, wake_ms, &err);
}

static void ends_are_told_in_their_own_order(void **state)
{
	static const struct pf_store_cfg CFG = {.source = true};
	struct peer *p = open_peer(&CFG);
	int64_t wake_ms;

	(void)state;
	submit(p, PF_OP_GET, 1, 0);
	submit(p, PF_OP_GET, 2, 0);
	told(p, PF_STORE_READY, 0);
	assert_int_equal(next_rc(p, &wake_ms), PF_AGAIN);
	assert_int_equal(p->asked_n, 2);
	p->answers = true;
	told(p, PF_STORE_DONE, 2);
	told(p, PF_STORE_DONE, 1);
	submit(p, PF_OP_CLOSE, 3, 0);
	told(p, PF_STORE_DONE, 3);
	assert_int_equal(next_rc(p, &wake_ms), PF_END);
	close_peer(p);
}

static void nobody_signs_in_to_sign_out_again(void **state)
{
	static const struct pf_store_cfg CFG = {.source = true};
	struct peer *p = open_peer(&CFG);

	(void)state;
	submit(p, PF_OP_CLOSE, 1, 0);
	told(p, PF_STORE_DONE, 1);
	assert_int_equal(p->sign_ins, 0);
	close_peer(p);
}

static void a_source_takes_no_write(void **state)
{
	static const struct pf_store_cfg CFG = {.source = true};
	static const enum pf_op_kind WRITES[] = {
		PF_OP_PUT, PF_OP_FLAGS, PF_OP_MKFOLDER, PF_OP_SUBSCRIBE, PF_OP_REMOVE, PF_OP_COPY};
	struct peer *p = open_peer(&CFG);
	struct pf_err err;

	(void)state;
	for (size_t i = 0; i < PF_COUNT(WRITES); i++) {
		const struct pf_op op = {.kind = WRITES[i], .id = 1};

		assert_int_equal(pf_hs_submit(&p->h.base, &op, &err), PF_FAIL);
		assert_int_equal(err.scope, PF_SCOPE_RUN);
	}
	close_peer(p);
}

static void what_was_sent_is_not_recalled(void **state)
{
	static const struct pf_store_cfg CFG = {.source = false};
	struct peer *p = open_peer(&CFG);
	int64_t wake_ms;

	(void)state;
	submit(p, PF_OP_PUT, 1, 0);
	told(p, PF_STORE_READY, 0);
	assert_int_equal(next_rc(p, &wake_ms), PF_AGAIN);
	submit(p, PF_OP_PUT, 2, 0);
	submit(p, PF_OP_RECALL, 3, 0);
	assert_true(told(p, PF_STORE_FAILED, 2).failed.recalled);
	p->answers = true;
	told(p, PF_STORE_DONE, 1);
	close_peer(p);
}

static void an_item_that_is_fed_is_asked_for_and_sent_when_whole(void **state)
{
	static const struct pf_store_cfg CFG = {.source = false};
	struct peer *p = open_peer(&CFG);
	struct pf_err err;
	int64_t wake_ms;

	(void)state;
	submit(p, PF_OP_PUT, 1, 4);
	submit(p, PF_OP_PUT, 2, 2);
	told(p, PF_STORE_READY, 0);
	told(p, PF_STORE_HUNGRY, 1);
	assert_int_equal(next_rc(p, &wake_ms), PF_AGAIN);
	assert_int_equal(pf_hs_feed(&p->h.base, 2, pf_span_str("xx"), &err), PF_AGAIN);
	assert_int_equal(pf_hs_feed(&p->h.base, 1, pf_span_str("ab"), &err), PF_OK);
	assert_int_equal(p->asked_n, 0);
	assert_int_equal(pf_hs_feed(&p->h.base, 1, pf_span_str("cde"), &err), PF_FAIL);
	assert_int_equal(pf_hs_feed(&p->h.base, 1, pf_span_str("cd"), &err), PF_OK);
	told(p, PF_STORE_HUNGRY, 2);
	assert_int_equal(p->asked_n, 1);
	assert_true(
		pf_span_eq(pf_blob_span(pf_hs_op_of(p->asked[0])->put.body), pf_span_str("abcd")));
	/* It breaks off. */
	assert_int_equal(pf_hs_feed(&p->h.base, 2, pf_span(NULL, 0), &err), PF_OK);
	told(p, PF_STORE_FAILED, 2);
	close_peer(p);
}

static void lost_links_are_told_and_end_somewhere(void **state)
{
	static const struct pf_store_cfg CFG = {.source = true};
	struct peer *p = open_peer(&CFG);
	struct pf_store_event ev;
	struct pf_err why, err;
	int64_t wake_ms;

	(void)state;
	(void)pf_fail(&why, PF_SCOPE_SESSION, PF_RETRY_NOW, "cut");
	/* Before it ever answered: one more try. */
	assert_true(pf_hs_link_lost(&p->h, &why));
	assert_false(pf_hs_link_lost(&p->h, &why));
	ev = told(p, PF_STORE_NOTE, 0);
	assert_int_equal(ev.note.number, PF_EV_CONNECTION_LOST);
	assert_non_null(strstr(ev.note.text, "cut"));
	submit(p, PF_OP_GET, 1, 0);
	assert_int_equal(next_rc(p, &wake_ms), PF_AGAIN);
	assert_int_equal(p->sign_ins, 0); /* it is left alone meanwhile */
	assert_int_equal(wake_ms, p->h.quiet_until_ms);
	/* And later: as many as are allowed. */
	p->h.ready = true;
	p->h.losses = 0;
	assert_true(pf_hs_link_lost(&p->h, &why));
	assert_true(pf_hs_link_lost(&p->h, &why));
	assert_false(pf_hs_link_lost(&p->h, &why));
	pf_hs_lost(&p->h, &why);
	assert_int_equal(pf_hs_next(&p->h.base, &ev, &wake_ms, &err), PF_FAIL);
	assert_string_equal(err.text, "cut");
	close_peer(p);
}

static void what_may_be_done_is_in_doubt_and_the_rest_waits_again(void **state)
{
	static const struct pf_store_cfg CFG = {.source = false};
	const struct pf_http_answer cut = {.failed = true, .in_doubt = true};
	struct peer *p = open_peer(&CFG);
	int64_t wake_ms;

	(void)state;
	submit(p, PF_OP_PUT, 1, 0);
	submit(p, PF_OP_GET, 2, 0);
	told(p, PF_STORE_READY, 0);
	assert_int_equal(next_rc(p, &wake_ms), PF_AGAIN);
	pf_hs_op_lost(&p->h, p->asked[0], true, 3, &cut);
	pf_hs_op_lost(&p->h, p->asked[1], false, 3, &cut);
	p->asked_n = 0;
	assert_true(told(p, PF_STORE_FAILED, 1).failed.in_doubt);
	assert_int_equal(next_rc(p, &wake_ms), PF_AGAIN);
	assert_int_equal(p->asked_n, 1); /* asked again */
	assert_int_equal(pf_hs_op_of(p->asked[0])->id, 2);
	close_peer(p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ends_are_told_in_their_own_order),
		cmocka_unit_test(nobody_signs_in_to_sign_out_again),
		cmocka_unit_test(a_source_takes_no_write),
		cmocka_unit_test(what_was_sent_is_not_recalled),
		cmocka_unit_test(an_item_that_is_fed_is_asked_for_and_sent_when_whole),
		cmocka_unit_test(lost_links_are_told_and_end_somewhere),
		cmocka_unit_test(what_may_be_done_is_in_doubt_and_the_rest_waits_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
