/*
 * Zones of iCalendar as rules of Exchange: found by looking when the offset changes in a year.
 */
#include "convert/make_private.h"

#include "base/civil.h"

#include <stdio.h>

enum {
	DAY_S = 86400,
	STEP_S = 7 * DAY_S, /* there are no two changes so near to one another */
	MONTH_S = 30 * DAY_S,
	CHANGES = 4, /* in a year; more are told as a rule that can't be */
	YEARS = 5,   /* that a rule must hold for */
	LAST = 5,
	NAME_MAX = 128,
};

struct change {
	int64_t utc_s;
	int32_t before, after; /* offsets */
};

static int64_t year_begin(int year)
{
	const struct pf_civil c = {.year = year, .month = 1, .day = 1};

	return pf_civil_to_unix(&c);
}

static int year_of(int64_t utc_s)
{
	struct pf_civil c;

	pf_civil_from_unix(utc_s, &c);
	return c.year;
}

/* The first moment between two at which the later offset holds. */
static int64_t moment_of(const struct pf_ical_time *t, int64_t from, int64_t to)
{
	int32_t after = pf_ical_offset_at(t, to);

	while (to - from > 1) {
		int64_t mid = from + (to - from) / 2;

		*(pf_ical_offset_at(t, mid) == after ? &to : &from) = mid;
	}
	return to;
}

static size_t find_changes(const struct pf_ical_time *t, int year, struct change out[CHANGES])
{
	int64_t end = year_begin(year + 1), at = year_begin(year), next;
	int32_t before = pf_ical_offset_at(t, at);
	size_t n = 0;

	for (; at < end; at = next) {
		int32_t after;

		next = at + STEP_S < end ? at + STEP_S : end;
		after = pf_ical_offset_at(t, next);
		if (before != after && n < CHANGES) {
			out[n++] = (struct change){moment_of(t, at, next), before, after};
		}
		before = after;
	}
	return n;
}

static int days_in(int year, int month)
{
	const struct pf_civil next = {
		.year = month == 12 ? year + 1 : year, .month = month % 12 + 1, .day = 1};
	struct pf_civil c;

	pf_civil_from_unix(pf_civil_to_unix(&next) - DAY_S, &c);
	return c.day;
}

/* As SYSTEMTIME has it: the n-th such weekday of the month, on the wall before the change. */
static struct pf_zone_change rule_of(const struct change *x)
{
	int64_t local_s = x->utc_s + x->before;
	struct pf_civil c;
	int64_t days;

	pf_civil_from_unix(local_s, &c);
	days = (local_s - (local_s % DAY_S + DAY_S) % DAY_S) / DAY_S;
	return (struct pf_zone_change){
		.month = (uint16_t)c.month,
		.weekday = (uint16_t)(((days + 4) % 7 + 7) % 7), /* 1970-01-01: a Thursday */
		.day = (uint16_t)((c.day - 1) / 7 + 1),
		.hour = (uint16_t)c.hour,
		.minute = (uint16_t)c.minute,
		.second = (uint16_t)c.second,
	};
}

/* Whether the change of another year is the last such weekday of the month as well, if it is in
 * that month. */
static bool is_last(const struct change *x, const struct pf_zone_change *rule)
{
	struct pf_civil c;

	pf_civil_from_unix(x->utc_s + x->before, &c);
	return c.month != rule->month || c.day + 7 > days_in(c.year, c.month);
}

/* One of up and one of down, `*up` first. */
static bool pair(
	const struct change *x, size_t n, const struct change **up, const struct change **down)
{
	if (n != 2 || (x[0].after > x[0].before) == (x[1].after > x[1].before)) {
		return false;
	}
	*up = x[0].after > x[0].before ? &x[0] : &x[1];
	*down = *up == &x[0] ? &x[1] : &x[0];
	return true;
}

/* "The fourth" and "the last" are the same in most years: what all of the next ones are counts. */
static void settle_last(const struct pf_ical_time *t, int year, struct pf_zone_rule *r)
{
	bool up_last = true, down_last = true;

	for (int y = year; y < year + YEARS; y++) {
		struct change x[CHANGES];
		const struct change *up, *down;

		if (pair(x, find_changes(t, y, x), &up, &down)) {
			up_last = up_last && is_last(up, &r->daylight);
			down_last = down_last && is_last(down, &r->standard);
		}
	}
	r->daylight.day = up_last ? LAST : r->daylight.day;
	r->standard.day = down_last ? LAST : r->standard.day;
}

static bool find_rule(const struct pf_ical_time *t, struct pf_zone_rule *r)
{
	int year = year_of(t->utc_s);
	struct change x[CHANGES];
	const struct change *up, *down;
	size_t n = find_changes(t, year, x);

	*r = (struct pf_zone_rule){.flags = PF_ZONE_RECURRING | PF_ZONE_EFFECTIVE,
		.year = (uint16_t)(year > 1601 ? year : 1601),
		.bias = -pf_ical_offset_at(t, t->utc_s) / 60};
	if (!pair(x, n, &up, &down)) {
		return n == 0;
	}
	r->bias = -up->before / 60;
	r->daylight_bias = -(up->after - up->before) / 60;
	r->daylight = rule_of(up);
	r->standard = rule_of(down);
	settle_last(t, year, r);
	return true;
}

static bool is_same(const struct pf_ical_time *t, const struct pf_zone *z)
{
	for (int64_t at = t->utc_s; at < t->utc_s + (int64_t)YEARS * 12 * MONTH_S; at += MONTH_S) {
		if (pf_zone_offset(z, at) != pf_ical_offset_at(t, at)) {
			return false;
		}
	}
	return true;
}

static bool knows_as(const struct pf_ical_time *t, const char *iana)
{
	for (int64_t at = t->utc_s; at < t->utc_s + (int64_t)YEARS * 12 * MONTH_S; at += MONTH_S) {
		int32_t offset;

		if (!pf_ical_zone_offset(iana, at, &offset) || offset != pf_ical_offset_at(t, at)) {
			return false;
		}
	}
	return true;
}

/* "/citadel.org/20250101_1/Europe/Berlin" names one as well. The name is in `windows`. */
static bool find_name(const struct pf_ical_time *t, struct pf_span tzid, char windows[NAME_MAX])
{
	char text[NAME_MAX], iana[NAME_MAX];

	if (tzid.n == 0 || tzid.n >= sizeof(text) || memchr(tzid.p, 0, tzid.n)) {
		return false;
	}
	memcpy(text, tzid.p, tzid.n);
	text[tzid.n] = '\0';
	if (pf_ical_zone_of_windows(text, iana, sizeof(iana))) {
		(void)snprintf(windows, NAME_MAX, "%s", text);
		return knows_as(t, iana);
	}
	for (const char *at = text; at; at = strchr(at, '/')) {
		at += *at == '/';
		if (pf_ical_windows_of_zone(at, windows, NAME_MAX)) {
			return knows_as(t, at);
		}
	}
	return false;
}

bool make_zone(
	struct make *m, const struct pf_ical_time *t, struct pf_span tzid, struct pf_zone *out)
{
	char name[NAME_MAX];
	bool follows;

	*out = (struct pf_zone){.n = 1};
	if (t->form != PF_ICAL_ZONED) {
		out->rule[0].flags = PF_ZONE_RECURRING | PF_ZONE_EFFECTIVE;
		out->rule[0].year = 1601;
		out->name = pf_span_str("UTC");
		return true;
	}
	follows = find_rule(t, &out->rule[0]);
	if (find_name(t, tzid, name)) {
		out->name = make_keep(m, pf_span_str(name));
	}
	return follows && is_same(t, out);
}
