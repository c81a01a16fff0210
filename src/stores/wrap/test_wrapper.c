/* A store around a store: what it hands on, what it changes, holds back and adds. */
#include "stores/wrap/wrapper.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

/* Gives out events of these kinds, one after the other. */
struct inside {
	struct pf_store base;
	struct pf_store_facts facts;
	const enum pf_store_event_kind *events;
	size_t n, at, submitted, fed;
	bool closed;
};

/* Holds back NOTEs, gives other bodies, and has one event of its own before the first. */
struct around {
	struct pf_wrapper base;
	bool given;
	struct pf_store_facts facts;
	size_t *deinits;
};

enum { OWN_OP = 99 };

static struct inside *inside_of(struct pf_store *s)
{
	return pf_container_of(s, struct inside, base);
}

static int inside_submit(struct pf_store *s, const struct pf_op *op, struct pf_err *err)
{
	(void)op;
	(void)err;
	inside_of(s)->submitted++;
	return PF_OK;
}

static int inside_feed(struct pf_store *s, uint64_t op, struct pf_span part, struct pf_err *err)
{
	(void)op;
	(void)err;
	inside_of(s)->fed += part.n;
	return PF_OK;
}

static int inside_next(
	struct pf_store *s, struct pf_store_event *out, int64_t *wake_ms, struct pf_err *err)
{
	struct inside *i = inside_of(s);

	(void)err;
	*wake_ms = 1234;
	if (i->at == i->n) {
		return PF_END;
	}
	*out = (struct pf_store_event){.kind = i->events[i->at++], .op = 1};
	out->body = out->kind == PF_STORE_BODY ? pf_blob_new(3) : NULL;
	return PF_OK;
}

static const struct pf_store_facts *inside_facts(const struct pf_store *s)
{
	return &((const struct inside *)(const void *)s)->facts;
}

static void inside_close(struct pf_store *s)
{
	inside_of(s)->closed = true;
}

static const struct pf_store_ops INSIDE = {.submit = inside_submit,
	.feed = inside_feed,
	.next = inside_next,
	.facts = inside_facts,
	.close = inside_close};

static struct around *around_of(struct pf_wrapper *w)
{
	return pf_container_of(w, struct around, base);
}

static int submit(struct pf_wrapper *w, const struct pf_op *op, struct pf_err *err)
{
	return op->kind == PF_OP_RECALL ? PF_OK : pf_store_submit(w->inner, op, err);
}

static int give(struct pf_wrapper *w, struct pf_store_event *out, struct pf_err *err)
{
	struct around *a = around_of(w);

	(void)err;
	if (a->given) {
		return PF_AGAIN;
	}
	a->given = true;
	*out = (struct pf_store_event){.kind = PF_STORE_DONE, .op = OWN_OP};
	return PF_OK;
}

static int take(struct pf_wrapper *w, struct pf_store_event *ev, struct pf_err *err)
{
	(void)w;
	if (ev->kind == PF_STORE_NOTE) {
		return PF_AGAIN;
	}
	return ev->kind == PF_STORE_BODY ? pf_wrapper_replace(ev, pf_span_str("another"), err)
					 : PF_OK;
}

static const struct pf_store_facts *facts(struct pf_wrapper *w)
{
	return &around_of(w)->facts;
}

static void deinit(struct pf_wrapper *w)
{
	++*around_of(w)->deinits;
}

static const struct pf_wrapper_does DOES = {submit, give, take, facts, deinit},
				    LITTLE = {submit, NULL, take, NULL, deinit};

static struct around *wrapped(
	struct inside *in, const struct pf_wrapper_does *does, size_t *deinits)
{
	struct pf_err err;
	struct around *a;

	in->base.ops = &INSIDE;
	a = pf_wrapper_new(sizeof(*a), &in->base, does, &err);
	assert_non_null(a);
	a->deinits = deinits;
	return a;
}

static void expect(struct pf_store *s, enum pf_store_event_kind kind, uint64_t op)
{
	struct pf_store_event ev;
	int64_t wake_ms = INT64_MAX;
	struct pf_err err;

	assert_int_equal(pf_store_next(s, &ev, &wake_ms, &err), PF_OK);
	assert_int_equal(ev.kind, kind);
	assert_int_equal(ev.op, op);
	if (kind == PF_STORE_BODY) {
		assert_true(pf_span_is(pf_blob_span(ev.body), "another"));
		pf_blob_unref(&ev.body);
	}
}

static void events_are_changed_held_back_and_added(void **state)
{
	static const enum pf_store_event_kind EVENTS[] = {
		PF_STORE_NOTE, PF_STORE_BODY, PF_STORE_NOTE, PF_STORE_DONE};
	struct inside in = {.events = EVENTS, .n = PF_COUNT(EVENTS)};
	size_t deinits = 0;
	struct around *a = wrapped(&in, &DOES, &deinits);
	struct pf_store *s = &a->base.base;
	struct pf_store_event ev;
	int64_t wake_ms = INT64_MAX;
	struct pf_err err;

	(void)state;
	expect(s, PF_STORE_DONE, OWN_OP);
	assert_int_equal(in.at, 0);
	expect(s, PF_STORE_BODY, 1);
	expect(s, PF_STORE_DONE, 1);
	assert_int_equal(pf_store_next(s, &ev, &wake_ms, &err), PF_END);
	assert_int_equal(wake_ms, 1234);
	pf_store_close(&s);
	assert_true(in.closed);
	assert_int_equal(deinits, 1);
}

static void the_rest_goes_to_the_store_inside(void **state)
{
	static const struct pf_op OPS[] = {{.kind = PF_OP_RECALL}, {.kind = PF_OP_LIST}};
	struct inside in = {.facts = {.kinds = PF_KIND_MAIL}};
	size_t deinits = 0;
	struct around *a = wrapped(&in, &LITTLE, &deinits), *b;
	struct pf_store *s = &a->base.base;
	struct pf_err err;

	(void)state;
	assert_int_equal(pf_store_submit(s, &OPS[0], &err), PF_OK);
	assert_int_equal(in.submitted, 0);
	assert_int_equal(pf_store_submit(s, &OPS[1], &err), PF_OK);
	assert_int_equal(in.submitted, 1);
	assert_int_equal(pf_store_feed(s, 1, pf_span_str("abc"), &err), PF_OK);
	assert_int_equal(in.fed, 3);
	assert_ptr_equal(pf_store_facts(s), &in.facts);
	pf_store_close(&s);
	b = wrapped(&in, &DOES, &deinits);
	s = &b->base.base;
	assert_ptr_equal(pf_store_facts(s), &b->facts);
	pf_store_close(&s);
	assert_int_equal(deinits, 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(events_are_changed_held_back_and_added),
		cmocka_unit_test(the_rest_goes_to_the_store_inside),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
