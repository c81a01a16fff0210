/*
 * What the pattern of a recurrence means: its days, and its rule in iCalendar. 1601-01-01, from
 * which all is counted, was a Monday.
 */
#include "convert/mapi_recur.h"

#include "base/civil.h"

enum {
	DAY = 1440,
	WEEK = 7 * DAY,
	PROBED = 20000, /* days looked at for the first of the rule */
	DAYS_MASK = 0x7F,
	LAST = 5,
	PERIOD_MAX = 12 * 999,
};

static const int64_t EPOCH = -11644473600; /* 1601-01-01, in seconds since 1970 */

int64_t pf_recur_to_unix(uint32_t minutes)
{
	return EPOCH + (int64_t)minutes * 60;
}

uint32_t pf_recur_from_unix(int64_t local_s)
{
	int64_t minutes = local_s < EPOCH ? 0 : (local_s - EPOCH) / 60;

	return minutes < UINT32_MAX ? (uint32_t)minutes : UINT32_MAX;
}

static struct pf_civil civil_of(uint32_t day)
{
	struct pf_civil c;

	pf_civil_from_unix(EPOCH + (int64_t)day * 86400, &c);
	return c;
}

static uint32_t weekday_of(uint32_t day)
{
	return (day + 1) % 7;
}

/* ---- days ---- */

/* Months since January 1601. */
static uint32_t month_of(uint32_t day)
{
	struct pf_civil c = civil_of(day);

	return (uint32_t)(c.year - 1601) * 12 + (uint32_t)c.month - 1;
}

static uint32_t month_begin(uint32_t month)
{
	const struct pf_civil c = {
		.year = 1601 + (int)(month / 12), .month = (int)(month % 12) + 1, .day = 1};

	return (uint32_t)((pf_civil_to_unix(&c) - EPOCH) / 86400);
}

/* The rule's day in a month; UINT32_MAX: it has none. */
static uint32_t day_in(const struct pf_recur *r, uint32_t month)
{
	uint32_t begin = month_begin(month), end = month_begin(month + 1);
	uint32_t found = UINT32_MAX, n = 0;

	if (r->pattern != PF_RECUR_MONTH_NTH) {
		uint32_t of_month = r->pattern == PF_RECUR_MONTH_END ? 31 : r->days;

		return of_month <= end - begin ? begin + of_month - 1 : end - 1;
	}
	for (uint32_t d = begin; d < end && (n < r->nth || r->nth == LAST); d++) {
		if (r->days & 1u << weekday_of(d)) {
			found = d;
			n++;
		}
	}
	return n >= r->nth || r->nth == LAST ? found : UINT32_MAX;
}

static uint32_t week_of(const struct pf_recur *r, uint32_t day)
{
	uint32_t back = (weekday_of(day) + 7 - r->first_weekday) % 7;

	return day >= back ? day - back : 0;
}

/* In a week, month or year that the rule does not leave out. */
static bool in_phase(const struct pf_recur *r, uint32_t day)
{
	int64_t step, at;

	switch (r->pattern) {
	case PF_RECUR_DAY:
		step = r->period;
		at = (int64_t)day * DAY - r->first;
		break;
	case PF_RECUR_WEEK:
		step = (int64_t)r->period * WEEK;
		at = (int64_t)week_of(r, day) * DAY - r->first;
		break;
	default:
		step = r->period;
		at = (int64_t)month_of(day) - month_of(r->first / DAY);
		break;
	}
	return at % step == 0;
}

/* Without regard to the phase. */
static bool is_day(const struct pf_recur *r, uint32_t day)
{
	return r->pattern == PF_RECUR_DAY ||
	       (r->pattern == PF_RECUR_WEEK ? (r->days & 1u << weekday_of(day)) != 0
					    : day_in(r, month_of(day)) == day);
}

static uint32_t probe(const struct pf_recur *r, bool phased)
{
	uint32_t from = r->start / DAY;

	for (uint32_t d = from; d < from + PROBED && d < PF_RECUR_NO_END / DAY; d++) {
		if (is_day(r, d) && (!phased || in_phase(r, d))) {
			return d * DAY;
		}
	}
	return 0;
}

uint32_t pf_recur_first(const struct pf_recur *r)
{
	uint32_t found = 0;

	/* [MS-OXOCAL] has the first occurrence there; not all writers do. */
	if (!pf_recur_can_say(r) || is_day(r, r->start / DAY)) {
		return r->start / DAY * DAY;
	}
	found = probe(r, true);
	found = found ? found : probe(r, false);
	return found ? found : r->start / DAY * DAY;
}

static uint32_t next_in_weeks(const struct pf_recur *r, uint32_t day)
{
	uint32_t week = week_of(r, day), then = week + 7 * r->period;

	for (uint32_t d = day + 1; d < week + 7; d++) {
		if (is_day(r, d)) {
			return d;
		}
	}
	for (uint32_t d = then; d < then + 7; d++) {
		if (is_day(r, d)) {
			return d;
		}
	}
	return UINT32_MAX;
}

uint32_t pf_recur_next(const struct pf_recur *r, uint32_t after)
{
	uint32_t limit = r->end_type == PF_RECUR_UNTIL && r->end < PF_RECUR_NO_END
				 ? r->end
				 : PF_RECUR_NO_END - DAY;
	uint32_t day = after / DAY, next;

	if (!pf_recur_can_say(r) || after > limit) {
		return 0;
	}
	next = r->pattern == PF_RECUR_DAY    ? day + r->period / DAY
	       : r->pattern == PF_RECUR_WEEK ? next_in_weeks(r, day)
					     : day_in(r, month_of(day) + r->period);
	return next <= limit / DAY && next > day ? next * DAY : 0;
}

bool pf_recur_moved(const struct pf_recur *r, uint32_t midnight)
{
	for (size_t i = 0; i < r->exception_n; i++) {
		if (r->exception[i].original / DAY == midnight / DAY) {
			return true;
		}
	}
	return false;
}

/* ---- iCalendar ---- */

/* CalendarType ([MS-OXOCAL] 2.2.1.44.1): those that count months as the Gregorian does. */
static bool is_gregorian(const struct pf_recur *r)
{
	static const uint8_t TYPES[] = {0, 1, 2, 3, 4, 5, 7, 9, 10, 11, 12};

	for (size_t i = 0; i < sizeof(TYPES); i++) {
		if (r->calendar == TYPES[i]) {
			return true;
		}
	}
	return r->pattern <= PF_RECUR_WEEK; /* days and weeks are the same in all */
}

bool pf_recur_can_say(const struct pf_recur *r)
{
	bool fine = r->period > 0 && is_gregorian(r) && r->start < PF_RECUR_NO_END &&
		    (r->end_type != PF_RECUR_COUNT || r->count > 0) &&
		    (r->end_type == PF_RECUR_COUNT || r->end_type == PF_RECUR_UNTIL ||
			    r->end_type == PF_RECUR_NEVER || r->end_type == PF_RECUR_NEVER_TOO);

	switch (r->pattern) {
	case PF_RECUR_DAY:
		return fine && r->period % DAY == 0;
	case PF_RECUR_WEEK:
		return fine && r->period <= PERIOD_MAX && (r->days & DAYS_MASK) != 0 &&
		       r->first_weekday < 7;
	case PF_RECUR_MONTH:
		return fine && r->period <= PERIOD_MAX && r->days >= 1 && r->days <= 31;
	case PF_RECUR_MONTH_END:
		return fine && r->period <= PERIOD_MAX;
	case PF_RECUR_MONTH_NTH:
		return fine && r->period <= PERIOD_MAX && (r->days & DAYS_MASK) != 0 &&
		       r->nth >= 1 && r->nth <= LAST;
	default:
		return false;
	}
}

static const char *const WEEKDAYS[] = {"SU", "MO", "TU", "WE", "TH", "FR", "SA"};

static int put_weekdays(uint32_t mask, const char *ordinal, struct pf_buf *out, struct pf_err *err)
{
	const char *comma = "";
	int rc = pf_buf_add_str(out, ";BYDAY=", err);

	for (size_t i = 0; i < PF_COUNT(WEEKDAYS) && rc == PF_OK; i++) {
		if (mask & 1u << i) {
			rc = pf_buf_addf(out, err, "%s%s%s", comma, ordinal, WEEKDAYS[i]);
			comma = ",";
		}
	}
	return rc;
}

static int put_nth(const struct pf_recur *r, struct pf_buf *out, struct pf_err *err)
{
	static const char *const NTH[] = {"", "1", "2", "3", "4", "-1"};
	uint32_t mask = r->days & DAYS_MASK;

	if ((mask & (mask - 1)) == 0) { /* of one weekday alone it is the same, and better known */
		return put_weekdays(mask, NTH[r->nth], out, err);
	}
	return put_weekdays(mask, "", out, err) == PF_OK
		       ? pf_buf_addf(out, err, ";BYSETPOS=%s", NTH[r->nth])
		       : PF_FAIL;
}

/*
 * Exchange takes the last day of a month that is too short, where RFC 5545 leaves the month out; so
 * the days are told of which the last one is meant.
 */
static int put_month_day(
	const struct pf_recur *r, int month, struct pf_buf *out, struct pf_err *err)
{
	static const uint8_t LEAST[] = {28, 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	uint32_t of_month = r->pattern == PF_RECUR_MONTH_END ? 31 : r->days;

	if (of_month <= LEAST[month]) {
		return pf_buf_addf(out, err, ";BYMONTHDAY=%u", (unsigned)of_month);
	}
	if (of_month == 31 || LEAST[month] > 28) {
		return pf_buf_add_str(out, ";BYMONTHDAY=-1", err);
	}
	return pf_buf_addf(out, err, ";BYMONTHDAY=28,29%s;BYSETPOS=-1", of_month > 29 ? ",30" : "");
}

static int put_days(const struct pf_recur *r, bool yearly, struct pf_buf *out, struct pf_err *err)
{
	int month = yearly ? civil_of(pf_recur_first(r) / DAY).month : 0;

	if (yearly && pf_buf_addf(out, err, ";BYMONTH=%d", month) != PF_OK) {
		return PF_FAIL;
	}
	switch (r->pattern) {
	case PF_RECUR_DAY:
		return PF_OK;
	case PF_RECUR_WEEK:
		return put_weekdays(r->days & DAYS_MASK, "", out, err);
	case PF_RECUR_MONTH_NTH:
		return put_nth(r, out, err);
	default:
		return put_month_day(r, month, out, err);
	}
}

static int put_end(
	const struct pf_recur *r, const char *until, struct pf_buf *out, struct pf_err *err)
{
	if (r->end_type == PF_RECUR_COUNT) {
		return pf_buf_addf(out, err, ";COUNT=%u", (unsigned)r->count);
	}
	return r->end_type == PF_RECUR_UNTIL && r->end < PF_RECUR_NO_END && until
		       ? pf_buf_addf(out, err, ";UNTIL=%s", until)
		       : PF_OK;
}

int pf_recur_to_rule(
	const struct pf_recur *r, const char *until, struct pf_buf *out, struct pf_err *err)
{
	bool by_month = r->pattern != PF_RECUR_DAY && r->pattern != PF_RECUR_WEEK;
	bool yearly = by_month && r->period % 12 == 0;
	uint32_t interval = r->pattern == PF_RECUR_DAY ? r->period / DAY
			    : yearly                   ? r->period / 12
						       : r->period;
	const char *freq = r->pattern == PF_RECUR_DAY    ? "DAILY"
			   : r->pattern == PF_RECUR_WEEK ? "WEEKLY"
			   : yearly                      ? "YEARLY"
							 : "MONTHLY";

	if (!pf_recur_can_say(r)) {
		return pf_fail(err, PF_SCOPE_ITEM, PF_RETRY_NO,
			"a recurrence that iCalendar has no words for");
	}
	if (pf_buf_addf(out, err, "FREQ=%s", freq) != PF_OK ||
		(interval > 1 &&
			pf_buf_addf(out, err, ";INTERVAL=%u", (unsigned)interval) != PF_OK) ||
		put_days(r, yearly, out, err) != PF_OK || put_end(r, until, out, err) != PF_OK) {
		return PF_FAIL;
	}
	return r->pattern == PF_RECUR_WEEK
		       ? pf_buf_addf(out, err, ";WKST=%s", WEEKDAYS[r->first_weekday])
		       : PF_OK;
}
