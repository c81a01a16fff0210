/*
 * Appointments made by hand, converted and looked at, for the tests of convert/mapi_event.
 */
#ifndef PF_CONVERT_TEST_EVENT_PRIVATE_H
#define PF_CONVERT_TEST_EVENT_PRIVATE_H

#include "base/civil.h"
#include "convert/ical_codec.h"
#include "convert/mapi_event.h"
#include "convert/mapi_zone.h"
#include "model/mapi_tags.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>
#include <libical/ical.h>

struct world {
	struct pf_arena arena;
	struct pf_mapi_item *item;
	struct pf_mapi_ways ways;
	struct pf_mapi_losses losses;
	struct pf_buf out;  /* as it is */
	struct pf_buf flat; /* unfolded, with a NUL */
};

static inline void begin(struct world *w)
{
	*w = (struct world){.ways = {.owner = pf_span_str("owner@x.example"),
				    .owner_name = pf_span_str("Olga"),
				    .key = pf_span_str("store/calendar/1")}};
	pf_arena_init(&w->arena);
	w->item = pf_mapi_new(&w->arena);
	pf_buf_init(&w->out, 4 << 20);
	pf_buf_init(&w->flat, 4 << 20);
}

static inline void end(struct world *w)
{
	pf_arena_deinit(&w->arena);
	pf_buf_deinit(&w->out);
	pf_buf_deinit(&w->flat);
}

static inline void put(struct pf_mapi_item *item, struct pf_mapi_props *to,
	const struct pf_guid *set, uint32_t number, struct pf_mapi_value v)
{
	struct pf_mapi_prop *p = pf_mapi_add(item, to);

	assert_non_null(p);
	p->value = v;
	if (!set) {
		p->id = (uint16_t)number;
		return;
	}
	p->name = pf_arena_alloc(item->arena, sizeof(*p->name));
	*p->name = (struct pf_mapi_name){.set = *set, .number = number};
}

static inline struct pf_mapi_value text(const char *s)
{
	return (struct pf_mapi_value){.type = PF_MAPI_STRING, .bytes = pf_span_str(s)};
}

static inline struct pf_mapi_value number(int64_t n)
{
	return (struct pf_mapi_value){.type = PF_MAPI_I32, .number = n};
}

static inline struct pf_mapi_value truth(bool b)
{
	return (struct pf_mapi_value){.type = PF_MAPI_BOOL, .number = b};
}

static inline struct pf_mapi_value bytes(struct pf_mapi_item *item, struct pf_span s)
{
	return (struct pf_mapi_value){
		.type = PF_MAPI_BINARY, .bytes = pf_arena_span(item->arena, s)};
}

static inline int digits(const char *s, size_t n)
{
	int v = 0;

	for (size_t i = 0; i < n; i++) {
		assert_true(s[i] >= '0' && s[i] <= '9');
		v = v * 10 + (s[i] - '0');
	}
	return v;
}

static inline int64_t unix_of(const char *stamp)
{
	const struct pf_civil c = {digits(stamp, 4), digits(stamp + 4, 2), digits(stamp + 6, 2),
		digits(stamp + 9, 2), digits(stamp + 11, 2), 0};

	return pf_civil_to_unix(&c);
}

static inline struct pf_mapi_value moment(const char *stamp)
{
	return (struct pf_mapi_value){.type = PF_MAPI_TIME,
		.filetime = (uint64_t)(unix_of(stamp) + 11644473600) * 10000000};
}

#define APPT(w, lid, v) put((w)->item, &(w)->item->props, &pf_set_appointment, lid, v)
#define COMMON(w, lid, v) put((w)->item, &(w)->item->props, &pf_set_common, lid, v)
#define TAG(w, id, v) put((w)->item, &(w)->item->props, NULL, id, v)

static inline struct pf_zone zone_of(const char *name, int bias, uint16_t from, uint16_t to)
{
	struct pf_zone z = {.name = pf_span_str(name), .n = 1};

	z.rule[0] = (struct pf_zone_rule){.flags = PF_ZONE_EFFECTIVE | PF_ZONE_RECURRING,
		.year = 1601,
		.bias = bias,
		.daylight_bias = -60,
		.standard = {0, to, 0, (uint16_t)(bias > 0 ? 1 : 5), (uint16_t)(bias > 0 ? 2 : 3),
			0, 0, 0},
		.daylight = {0, from, 0, (uint16_t)(bias > 0 ? 2 : 5), 2, 0, 0, 0}};
	return z;
}

static inline void put_zone(struct world *w, uint32_t lid, const struct pf_zone *z)
{
	struct pf_buf b;
	struct pf_err err;

	pf_buf_init(&b, 4096);
	assert_int_equal(lid == 0x8233 ? pf_zone_write_struct(z, &b, &err)
				       : pf_zone_write_definition(z, &b, &err),
		PF_OK);
	APPT(w, lid, bytes(w->item, pf_buf_span(&b)));
	pf_buf_deinit(&b);
}

/* By another's reader: nothing in it is wrong. */
static inline void assert_strict(struct pf_buf *b)
{
	icalcomponent *c;
	const char *s;
	struct pf_err err;

	assert_int_equal(pf_buf_cstr(b, &s, &err), PF_OK);
	icalerror_set_errors_are_fatal(false);
	c = icalparser_parse_string(s);
	assert_non_null(c);
	assert_int_equal(icalcomponent_isa(c), ICAL_VCALENDAR_COMPONENT);
	if (icalcomponent_count_errors(c) != 0) {
		char *text = icalcomponent_as_ical_string_r(c);

		fail_msg("%s", text);
		free(text);
	}
	icalcomponent_free(c);
}

static inline void convert(struct world *w)
{
	struct pf_doc *doc = NULL;
	struct pf_err err;

	pf_buf_clear(&w->out);
	pf_buf_clear(&w->flat);
	pf_mapi_losses_init(&w->losses, &w->arena);
	if (pf_mapi_event_to_ical(w->item, &w->ways, &w->out, &w->losses, &err) != PF_OK) {
		fail_msg("%s", err.text);
	}
	assert_int_equal(pf_buf_reserve(&w->flat, w->out.n + 1, &err), PF_OK);
	for (size_t i = 0; i < w->out.n; i++) {
		if (i + 2 < w->out.n && memcmp(w->out.p + i, "\r\n ", 3) == 0) {
			i += 2;
		} else {
			w->flat.p[w->flat.n++] = w->out.p[i];
		}
	}
	w->flat.p[w->flat.n] = '\0';
	assert_strict(&w->out);
	/* and it is what the engine can read */
	assert_int_equal(pf_ical_codec.read(pf_buf_span(&w->out), &doc, &err), PF_OK);
	pf_ical_codec.free(&doc);
}

static inline size_t count(const struct world *w, const char *line)
{
	char whole[512];
	size_t n = 0, len = (size_t)snprintf(whole, sizeof(whole), "\r\n%s\r\n", line);

	for (const char *at = (const char *)w->flat.p; (at = strstr(at, whole)) != NULL;
		at += len - 2) {
		n++;
	}
	return n;
}

static inline void assert_lines(const struct world *w, const char *const *lines, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (count(w, lines[i]) != 1) {
			fail_msg("%zu of %s in\n%s", count(w, lines[i]), lines[i],
				(const char *)w->flat.p);
		}
	}
}

#endif
