/*
 * The rule of a series, and which attached item is that of which exception ([MS-OXOCAL] 2.2.10,
 * 3.1.4.6.2).
 */
#include "convert/mapi_event_private.h"

#include "base/civil.h"

#include <stdio.h>

enum { DAY = 1440, DAY_S = 86400, HIDDEN_EXCEPTION = 2 };

/* PidTagMessageClass of the item of an exception. */
static const char EXCEPTION_CLASS[] = "IPM.OLE.CLASS.{00061055-0000-0000-C000-000000000046}";

int64_t ev_original_local(const struct ev *e, uint32_t midnight)
{
	return pf_recur_to_unix(midnight / DAY * DAY) + (int64_t)e->recur.start_offset * 60;
}

void ev_put_rule(struct ev *e)
{
	const struct pf_recur *r = &e->recur;
	int64_t last = ev_original_local(e, r->end);
	struct pf_civil c;
	char until[40];

	pf_civil_from_unix(e->all_day ? last : pf_zone_to_utc(&e->start.zone, last), &c);
	if (e->all_day) {
		(void)snprintf(until, sizeof(until), "%04d%02d%02d", c.year, c.month, c.day);
	} else {
		(void)snprintf(until, sizeof(until), "%04d%02d%02dT%02d%02d%02dZ", c.year, c.month,
			c.day, c.hour, c.minute, c.second);
	}
	pf_mapi_line_begin(&e->o, "RRULE");
	if (e->o.rc == PF_OK) {
		e->o.rc = pf_recur_to_rule(r, until, &e->o.value, e->err);
	}
	pf_mapi_line_end(&e->o);
	for (size_t i = 0; i < r->deleted_n; i++) {
		if (!pf_recur_moved(r, r->deleted[i])) {
			ev_put_moment(e, "EXDATE", &e->start, e->all_day,
				ev_original_local(e, r->deleted[i]));
		}
	}
}

/* ---- exceptions and their items ---- */

bool ev_is_exception(const struct pf_mapi_attachment *a)
{
	int64_t flags = ev_number(pf_mapi_tag(&a->props, PF_TAG_ATTACHMENT_FLAGS), 0);

	return a->item && ((flags & HIDDEN_EXCEPTION) ||
				  pf_mapi_is_a(pf_mapi_class(a->item), EXCEPTION_CLASS));
}

/* What an attached item says of itself. */
struct stray {
	const struct pf_mapi_item *item;
	bool has_day, has_start, taken;
	int64_t day;   /* the day of its occurrence by the rule, since 1970 */
	int64_t start; /* when it is now, on the wall */
	int64_t changed;
};

static int64_t floor_day(int64_t s)
{
	return (s - (s % DAY_S + DAY_S) % DAY_S) / DAY_S;
}

static void look_at(const struct ev *e, const struct pf_mapi_attachment *a, struct stray *s)
{
	const struct pf_mapi_value *v =
		pf_mapi_lid(&a->item->props, &pf_set_appointment, LID_REPLACE_TIME);
	int64_t utc_s;

	s->item = a->item;
	s->has_start = pf_mapi_unix(pf_mapi_tag(&a->props, PF_TAG_EXCEPTION_START), &s->start);
	s->has_day = pf_mapi_unix(v, &utc_s);
	if (s->has_day) {
		s->day = floor_day(
			pf_zone_to_local(&e->start.zone, utc_s) + (e->all_day ? DAY_S / 2 : 0));
	}
	if (!pf_mapi_unix(
		    pf_mapi_tag(&a->item->props, PF_TAG_LAST_MODIFICATION_TIME), &s->changed)) {
		s->changed = INT64_MIN;
	}
}

static bool fits(const struct stray *s, const struct pf_recur_exception *x)
{
	return s->has_day ? s->day == floor_day(pf_recur_to_unix(x->original))
			  : s->has_start && s->start == pf_recur_to_unix(x->start);
}

/* The newest of those that fit; else that of the same place, when it does not say which it is of.
 */
static struct stray *choose(struct ev *e, struct stray *v, size_t n, size_t i)
{
	struct stray *best = NULL;

	for (size_t k = 0; k < n; k++) {
		if (!v[k].taken && fits(&v[k], &e->recur.exception[i]) &&
			(!best || v[k].changed >= best->changed)) {
			best = &v[k];
		}
	}
	if (!best && n == e->recur.exception_n && !v[i].taken && !v[i].has_day && !v[i].has_start) {
		best = &v[i];
	}
	return best;
}

int ev_find_exceptions(struct ev *e)
{
	const struct pf_mapi_item *item = e->item;
	size_t n = 0, left = 0, count = e->recurs ? e->recur.exception_n : 0;
	struct stray *v = pf_arena_alloc(e->l->arena, (item->attachments_n + 1) * sizeof(*v));

	e->of_exception = pf_arena_alloc(e->l->arena, (count + 1) * sizeof(*e->of_exception));
	if (!v || !e->of_exception) {
		return pf_fail_memory(e->err, "the exceptions of a series");
	}
	for (size_t i = 0; i < item->attachments_n; i++) {
		if (ev_is_exception(&item->attachments[i])) {
			look_at(e, &item->attachments[i], &v[n++]);
		}
	}
	for (size_t i = 0; i < count && n > 0; i++) {
		struct stray *s = choose(e, v, n, i);

		if (s) {
			s->taken = true;
			e->of_exception[i].item = s->item;
		}
	}
	for (size_t k = 0; k < n; k++) {
		left += !v[k].taken;
	}
	if (left > 0) {
		pf_mapi_odd(
			e->l, "%zu attached exceptions of which the series does not know", left);
	}
	return PF_OK;
}
