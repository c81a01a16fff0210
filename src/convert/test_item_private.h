/*
 * Items made by hand, for the tests of conversions.
 */
#ifndef PF_CONVERT_TEST_ITEM_PRIVATE_H
#define PF_CONVERT_TEST_ITEM_PRIVATE_H

#include "base/buf.h"
#include "convert/mapi_ways.h"
#include "model/mapi_tags.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

/* One property of a table: with a set it is a named one. */
struct given {
	uint16_t id;
	const struct pf_guid *set;
	struct pf_mapi_value value;
};

/* clang-format off */
#define TEXT(s) {.type = PF_MAPI_STRING, .bytes = {(const uint8_t *)(s), sizeof(s) - 1}}
#define BYTES(s) {.type = PF_MAPI_BINARY, .bytes = {(const uint8_t *)(s), sizeof(s) - 1}}
#define NUMBER(i) {.type = PF_MAPI_I32, .number = (i)}
#define FLAG(i) {.type = PF_MAPI_BOOL, .number = (i)}
#define REAL(r) {.type = PF_MAPI_DOUBLE, .real = (r)}
/* Seconds since 1970. */
#define WHEN(s) {.type = PF_MAPI_TIME, .filetime = ((uint64_t)(s) + 11644473600u) * 10000000u}
#define MANY(t, values) {.type = (enum pf_mapi_type)((t) | PF_MAPI_MANY), \
	.many = {(values), sizeof(values) / sizeof((values)[0])}}
/* clang-format on */

static inline void give_to(
	struct pf_mapi_item *item, struct pf_mapi_props *to, const struct given *given, size_t n)
{
	for (size_t i = 0; i < n && (given[i].id || given[i].set); i++) {
		struct pf_mapi_prop *p = pf_mapi_add(item, to);

		assert_non_null(p);
		*p = (struct pf_mapi_prop){.id = given[i].id, .value = given[i].value};
		if (given[i].set) {
			p->name = pf_arena_alloc(item->arena, sizeof(*p->name));
			assert_non_null(p->name);
			*p->name = (struct pf_mapi_name){*given[i].set, given[i].id, {0}};
			p->id = 0;
		}
	}
}

static inline struct pf_mapi_item *make_item(
	struct pf_arena *arena, const struct given *given, size_t n)
{
	struct pf_mapi_item *item = pf_mapi_new(arena);

	assert_non_null(item);
	give_to(item, &item->props, given, n);
	return item;
}

static inline void give_named(struct pf_mapi_item *item, const struct pf_guid *set,
	const char *name, struct pf_mapi_value value)
{
	struct pf_mapi_prop *p = pf_mapi_add(item, &item->props);

	assert_non_null(p);
	p->name = pf_arena_alloc(item->arena, sizeof(*p->name));
	assert_non_null(p->name);
	*p->name = (struct pf_mapi_name){*set, 0, pf_span_str(name)};
	p->value = value;
}

/* A directory that knows Ann. */
static inline bool knows_ann(
	void *ctx, struct pf_span type, struct pf_span address, struct pf_span *smtp)
{
	(void)ctx;
	if (!pf_span_is(type, "EX") || !pf_span_is(address, "/o=Org/cn=Recipients/cn=ann")) {
		return false;
	}
	*smtp = pf_span_str("ann@example.com");
	return true;
}

static const struct pf_mapi_ways TEST_WAYS = {.owner = {(const uint8_t *)"me@example.com", 14},
	.key = {(const uint8_t *)"pst:Inbox:42", 12},
	.resolve = knows_ann};

/* What `out` says, unfolded; compared as a whole. */
static inline void assert_lines(const struct pf_buf *out, const char *want)
{
	char *got = malloc(out->n + 1);
	size_t n = 0;
	bool same;

	assert_non_null(got);
	for (size_t i = 0; i < out->n; i++) {
		if (i + 2 < out->n && memcmp(out->p + i, "\r\n ", 3) == 0) {
			i += 2;
		} else if (out->p[i] != '\r') {
			got[n++] = (char)out->p[i];
		}
	}
	got[n] = '\0';
	same = strcmp(got, want) == 0;
	if (!same) {
		print_message("%s", got);
	}
	free(got);
	assert_true(same);
}

#endif
