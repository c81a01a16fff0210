/*
 * What the tests of readers of MAPI items share.
 */
#ifndef PF_PROTO_MAPI_TEST_READING_PRIVATE_H
#define PF_PROTO_MAPI_TEST_READING_PRIVATE_H

#include "model/mapi.h"
#include "proto/mapi/notes.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

/* An item, and where its memory is. */
struct read {
	struct pf_arena arena;
	struct pf_mapi_item *item;
	struct pf_mapi_notes notes;
	struct pf_err err;
	int rc;
};

static void read_with(struct read *r,
	int (*reader)(
		struct pf_span, struct pf_mapi_item *, struct pf_mapi_notes *, struct pf_err *),
	struct pf_span in)
{
	*r = (struct read){0};
	pf_arena_init(&r->arena);
	r->item = pf_mapi_new(&r->arena);
	assert_non_null(r->item);
	r->rc = reader(in, r->item, &r->notes, &r->err);
}

static void assert_text(const struct pf_mapi_value *v, const char *want)
{
	struct pf_span got = pf_mapi_text(v);

	assert_non_null(v);
	assert_int_equal(got.n, strlen(want));
	assert_memory_equal(got.p ? got.p : (const uint8_t *)"", want, got.n);
}

static void assert_number(const struct pf_mapi_value *v, int64_t want)
{
	int64_t got = 0;

	assert_true(pf_mapi_number(v, &got));
	assert_int_equal(got, want);
}

#endif
