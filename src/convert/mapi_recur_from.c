/*
 * A rule of iCalendar as the pattern of a recurrence. Exchange knows one day, one list of weekdays
 * or one "n-th of these weekdays" a period, in days, weeks or months; what says more is told, not
 * bent.
 */
#include "convert/mapi_recur.h"

#include "base/civil.h"
#include "proto/line/line.h"

enum {
	DAY = 1440,
	WEEK = 7 * DAY,
	LAST = 5,
	COUNT_MAX = 10000,
	NEVER_COUNT = 10, /* what Outlook has there */
	EVERY_MONTH = 0,
};

struct rule {
	char freq; /* 'D', 'W', 'M', 'Y' */
	uint32_t interval, count;
	uint32_t mask;    /* BYDAY */
	int ordinal;      /* of BYDAY, all alike; 0: none */
	int month;        /* BYMONTH */
	uint32_t of_days; /* BYMONTHDAY: bit n for day n */
	bool last_day;    /* BYMONTHDAY=-1 */
	int position;     /* BYSETPOS */
	uint32_t first_weekday;
};

static int unsaid(struct pf_err *err, struct pf_span part)
{
	return pf_fail(err, PF_SCOPE_ITEM, PF_RETRY_NO, "Exchange has no words for %.*s in a rule",
		(int)(part.n < 60 ? part.n : 60), (const char *)part.p);
}

/* A signed number that is all of `s`. */
static bool number_of(struct pf_span s, int *out)
{
	bool minus = s.n > 0 && s.p[0] == '-';

	s = pf_span_from(s, minus || (s.n > 0 && s.p[0] == '+') ? 1 : 0);
	*out = 0;
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] < '0' || s.p[i] > '9' || i > 6) {
			return false;
		}
		*out = *out * 10 + (s.p[i] - '0');
	}
	*out = minus ? -*out : *out;
	return s.n > 0;
}

static bool weekday_of(struct pf_span s, uint32_t *out)
{
	static const char *const NAMES[] = {"SU", "MO", "TU", "WE", "TH", "FR", "SA"};

	for (*out = 0; *out < PF_COUNT(NAMES); (*out)++) {
		if (pf_span_is(s, NAMES[*out])) {
			return true;
		}
	}
	return false;
}

static bool take_weekdays(struct rule *u, struct pf_span list)
{
	struct pf_span one;

	while (pf_value_next(&list, ',', &one)) {
		struct pf_span name = one.n >= 2 ? pf_span_from(one, one.n - 2) : one;
		int ordinal = 0;
		uint32_t day;

		if (!weekday_of(name, &day) ||
			(one.n > 2 && !number_of(pf_span(one.p, one.n - 2), &ordinal)) ||
			(u->mask && ordinal != u->ordinal)) {
			return false;
		}
		u->ordinal = ordinal;
		u->mask |= 1u << day;
	}
	return true;
}

static bool take_days(struct rule *u, struct pf_span list)
{
	struct pf_span one;
	int day;

	while (pf_value_next(&list, ',', &one)) {
		if (!number_of(one, &day) || day < -1 || day == 0 || day > 31) {
			return false;
		}
		u->last_day = u->last_day || day == -1;
		u->of_days |= day > 0 ? 1u << day : 0;
	}
	return true;
}

static bool take_freq(struct rule *u, struct pf_span value)
{
	static const char *const NAMES[] = {"DAILY", "WEEKLY", "MONTHLY", "YEARLY"};

	for (size_t i = 0; i < PF_COUNT(NAMES); i++) {
		u->freq = pf_span_is(value, NAMES[i]) ? NAMES[i][0] : u->freq;
	}
	return u->freq != 0;
}

static bool take_number(struct pf_span value, int min, int max, int *out)
{
	return number_of(value, out) && *out >= min && *out <= max;
}

static bool take_part(struct rule *u, struct pf_span name, struct pf_span value)
{
	int n = 0;
	bool fine;

	if (pf_span_is(name, "FREQ")) {
		return take_freq(u, value);
	}
	if (pf_span_is(name, "BYDAY")) {
		return take_weekdays(u, value);
	}
	if (pf_span_is(name, "BYMONTHDAY")) {
		return take_days(u, value);
	}
	if (pf_span_is(name, "WKST")) {
		return weekday_of(value, &u->first_weekday);
	}
	if (pf_span_is(name, "BYMONTH")) {
		return take_number(value, 1, 12, &u->month);
	}
	if (pf_span_is(name, "BYSETPOS")) {
		return take_number(value, -1, 4, &u->position);
	}
	if (pf_span_is(name, "INTERVAL")) {
		fine = take_number(value, 1, 999, &n);
		u->interval = (uint32_t)n;
		return fine;
	}
	if (pf_span_is(name, "COUNT")) {
		fine = take_number(value, 1, COUNT_MAX, &n);
		u->count = (uint32_t)n;
		return fine;
	}
	return pf_span_is(name, "UNTIL"); /* the caller has read it */
}

static int read_rule(struct pf_span text, struct rule *u, struct pf_err *err)
{
	struct pf_span part;

	*u = (struct rule){.interval = 1, .first_weekday = 1};
	while (pf_value_next(&text, ';', &part)) {
		const uint8_t *eq = part.n > 0 ? memchr(part.p, '=', part.n) : NULL;
		size_t n = eq ? (size_t)(eq - part.p) : part.n;

		if (part.n > 0 &&
			(!eq || !take_part(u, pf_span(part.p, n), pf_span_from(part, n + 1)))) {
			return unsaid(err, part);
		}
	}
	return u->freq ? PF_OK : unsaid(err, pf_span_str("no FREQ"));
}

/* ---- the pattern ---- */

static int set_nth(const struct rule *u, struct pf_recur *r, struct pf_err *err)
{
	int nth = u->ordinal ? u->ordinal : u->position;
	bool one = (u->mask & (u->mask - 1)) == 0;

	if (nth < -1 || nth == 0 || nth > 4 || u->of_days || u->last_day ||
		(u->ordinal && (u->position || !one))) {
		return unsaid(err, pf_span_str("these weekdays"));
	}
	r->pattern = PF_RECUR_MONTH_NTH;
	r->days = u->mask;
	r->nth = nth == -1 ? LAST : (uint32_t)nth;
	return PF_OK;
}

/* "28,29,30" of which the last counts: the 30th, or the last day of a shorter month. */
static uint32_t last_of(uint32_t of_days)
{
	uint32_t day = 28;

	while (day < 30 && (of_days >> (day + 1) & 1u)) {
		day++;
	}
	return of_days == (2u << day) - (1u << 28) ? day : 0;
}

static int set_day(
	const struct rule *u, const struct pf_civil *first, struct pf_recur *r, struct pf_err *err)
{
	static const uint8_t LEAST[] = {28, 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	uint32_t days = u->of_days || u->last_day ? u->of_days : 1u << first->day;
	int month = u->freq == 'Y' ? first->month : EVERY_MONTH;
	uint32_t day = 0;

	r->pattern = PF_RECUR_MONTH;
	if (u->last_day && !days && u->position >= -1 && u->position <= 1) {
		r->pattern = PF_RECUR_MONTH_END;
		r->days = 31;
		return PF_OK;
	}
	if (u->position == -1) {
		r->days = last_of(days);
	} else if (u->position == 0 && !u->last_day && (days & (days - 1)) == 0) {
		while (day < 31 && days >> (day + 1)) {
			day++;
		}
		/* Exchange would take the last day where the month is too short. */
		r->days = day <= LEAST[month] ? day : 0;
	}
	return r->days ? PF_OK : unsaid(err, pf_span_str("these days of the month"));
}

static int set_pattern(const struct rule *u, const struct pf_civil *first, uint32_t weekday,
	struct pf_recur *r, struct pf_err *err)
{
	bool plain = !u->ordinal && !u->position && !u->of_days && !u->last_day && !u->month;

	r->first_weekday = u->first_weekday;
	switch (u->freq) {
	case 'D':
		r->frequency = PF_RECUR_DAILY;
		r->period = u->interval * DAY;
		if (u->mask && u->interval == 1) { /* every weekday, as Exchange has it */
			r->pattern = PF_RECUR_WEEK;
			r->period = 1;
			r->days = u->mask;
		}
		return plain && (!u->mask || u->interval == 1)
			       ? PF_OK
			       : unsaid(err, pf_span_str("parts of FREQ=DAILY"));
	case 'W':
		r->frequency = PF_RECUR_WEEKLY;
		r->pattern = PF_RECUR_WEEK;
		r->period = u->interval;
		r->days = u->mask ? u->mask : 1u << weekday;
		return plain ? PF_OK : unsaid(err, pf_span_str("parts of FREQ=WEEKLY"));
	default:
		break;
	}
	r->frequency = u->freq == 'Y' ? PF_RECUR_YEARLY : PF_RECUR_MONTHLY;
	r->period = u->freq == 'Y' ? u->interval * 12 : u->interval;
	if (u->month && (u->freq == 'M' || u->month != first->month)) {
		return unsaid(err, pf_span_str("this BYMONTH"));
	}
	if (u->freq == 'Y' && !u->month && (u->mask || u->of_days || u->last_day)) {
		return unsaid(err, pf_span_str("FREQ=YEARLY without BYMONTH"));
	}
	return u->mask ? set_nth(u, r, err) : set_day(u, first, r, err);
}

/* ---- phase and end ---- */

static void set_phase(struct pf_recur *r, const struct pf_civil *first, uint32_t weekday)
{
	uint32_t week = r->start - (weekday + 7 - r->first_weekday) % 7 * DAY;
	uint32_t month;
	struct pf_civil c = {.year = 1601, .month = 1, .day = 1};

	if (r->pattern == PF_RECUR_DAY) {
		r->first = r->start % r->period;
	} else if (r->pattern == PF_RECUR_WEEK) {
		r->first = week % (r->period * WEEK);
	} else {
		month = ((uint32_t)(first->year - 1601) * 12 + (uint32_t)first->month - 1) %
			r->period;
		c.year += (int)(month / 12);
		c.month += (int)(month % 12);
		r->first = pf_recur_from_unix(pf_civil_to_unix(&c));
	}
}

/* Walks the rule, for Exchange has both the number of occurrences and the day of the last. */
static void set_end(struct pf_recur *r, const struct rule *u, const struct pf_recur_begin *begin)
{
	uint32_t day = r->start, next;
	uint32_t limit = u->count ? u->count : COUNT_MAX;

	r->end_type = PF_RECUR_NEVER;
	r->end = PF_RECUR_NO_END;
	r->count = NEVER_COUNT;
	if (!u->count && !begin->until) {
		return;
	}
	r->count = 1;
	while (r->count < limit && (next = pf_recur_next(r, day)) != 0 &&
		(!begin->until || next + r->start_offset <= begin->until)) {
		day = next;
		r->count++;
	}
	r->end_type = u->count ? PF_RECUR_COUNT : PF_RECUR_UNTIL;
	r->end = day;
}

int pf_recur_from_rule(struct pf_span rule, const struct pf_recur_begin *begin,
	struct pf_recur *out, struct pf_err *err)
{
	uint32_t weekday = (begin->start / DAY + 1) % 7;
	struct pf_civil first;
	struct rule u;

	*out = (struct pf_recur){.reader = 0x3004,
		.writer = 0x3004,
		.start = begin->start / DAY * DAY,
		.has_times = true,
		.reader2 = 0x3006,
		.writer2 = 0x3009,
		.start_offset = begin->start % DAY,
		.end_offset = begin->start % DAY +
			      (begin->end > begin->start ? begin->end - begin->start : 0),
		.end_type = PF_RECUR_NEVER};
	pf_civil_from_unix(pf_recur_to_unix(begin->start), &first);
	if (begin->start < WEEK || begin->start >= PF_RECUR_NO_END) {
		return unsaid(err, pf_span_str("such a begin"));
	}
	if (read_rule(rule, &u, err) != PF_OK ||
		set_pattern(&u, &first, weekday, out, err) != PF_OK) {
		return PF_FAIL;
	}
	if (!pf_recur_can_say(out) || pf_recur_first(out) != out->start) {
		return unsaid(err, pf_span_str("a begin that is no day of it"));
	}
	set_phase(out, &first, weekday);
	set_end(out, &u, begin);
	return PF_OK;
}
