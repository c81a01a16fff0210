#include "convert/mapi_zone.h"

#include "base/civil.h"
#include "model/mapi.h"
#include "proto/ical/ical.h"
#include "proto/line/line.h"

#include <stdio.h>

enum {
	STRUCT_BYTES = 48,
	RULE_BYTES = 66,
	NAME_MAX = 260,
	BIAS_MAX = 24 * 60,
	LAST = 5,
	FIRST_YEAR = 1970,
	TEXT_MAX = 4096,
};

static const int64_t YEAR_S = (int64_t)365 * 86400;

/* ---- blobs ---- */

static uint16_t u16(const uint8_t *p)
{
	return (uint16_t)(p[0] | p[1] << 8);
}

static int32_t i32(const uint8_t *p)
{
	return (int32_t)((uint32_t)u16(p) | (uint32_t)u16(p + 2) << 16);
}

static struct pf_zone_change read_change(const uint8_t *p)
{
	return (struct pf_zone_change){u16(p), u16(p + 2), u16(p + 4), u16(p + 6), u16(p + 8),
		u16(p + 10), u16(p + 12), u16(p + 14)};
}

static bool change_can_be(const struct pf_zone_change *c)
{
	const struct pf_civil day = {c->year, c->month, c->day, c->hour, c->minute, c->second};

	if (c->month == 0) {
		return true;
	}
	return c->hour < 24 && c->minute < 60 && c->second < 60 && c->month <= 12 &&
	       (c->year ? c->year <= 9999 && pf_civil_valid(&day)
			: c->weekday < 7 && c->day >= 1 && c->day <= LAST);
}

static bool bias_can_be(int32_t minutes)
{
	return minutes > -BIAS_MAX && minutes < BIAS_MAX;
}

static bool rule_can_be(const struct pf_zone_rule *r)
{
	return bias_can_be(r->bias) && bias_can_be(r->standard_bias) &&
	       bias_can_be(r->daylight_bias) && change_can_be(&r->standard) &&
	       change_can_be(&r->daylight);
}

static int impossible(struct pf_err *err, size_t n)
{
	return pf_fail(
		err, PF_SCOPE_ITEM, PF_RETRY_NO, "a time zone that can't be, of %zu bytes", n);
}

int pf_zone_read_struct(struct pf_span blob, struct pf_zone *out, struct pf_err *err)
{
	struct pf_zone_rule *r = &out->rule[0];

	*out = (struct pf_zone){.n = 1};
	if (blob.n < STRUCT_BYTES) {
		return impossible(err, blob.n);
	}
	r->bias = i32(blob.p);
	r->standard_bias = i32(blob.p + 4);
	r->daylight_bias = i32(blob.p + 8);
	r->standard = read_change(blob.p + 14); /* behind its year, which the change has, too */
	r->daylight = read_change(blob.p + 32);
	return rule_can_be(r) ? PF_OK : impossible(err, blob.n);
}

static bool read_rule(const uint8_t *p, struct pf_zone_rule *r)
{
	r->flags = u16(p + 4);
	r->year = u16(p + 6);
	r->bias = i32(p + 22);
	r->standard_bias = i32(p + 26);
	r->daylight_bias = i32(p + 30);
	r->standard = read_change(p + 34);
	r->daylight = read_change(p + 50);
	return rule_can_be(r);
}

static void sort_by_year(struct pf_zone *z)
{
	for (size_t i = 1; i < z->n; i++) {
		struct pf_zone_rule r = z->rule[i];
		size_t k = i;

		for (; k > 0 && z->rule[k - 1].year > r.year; k--) {
			z->rule[k] = z->rule[k - 1];
		}
		z->rule[k] = r;
	}
}

int pf_zone_read_definition(
	struct pf_arena *arena, struct pf_span blob, struct pf_zone *out, struct pf_err *err)
{
	size_t units, rules, at;

	*out = (struct pf_zone){0};
	units = blob.n >= 8 ? u16(blob.p + 6) : SIZE_MAX / 4;
	at = 8 + 2 * units;
	if (blob.n < 10 || units > NAME_MAX || blob.n < at + 2) {
		return impossible(err, blob.n);
	}
	rules = u16(blob.p + at);
	at += 2;
	if (rules == 0 || rules > PF_ZONE_RULES || (blob.n - at) / RULE_BYTES < rules) {
		return impossible(err, blob.n);
	}
	for (; out->n < rules; out->n++, at += RULE_BYTES) {
		if (!read_rule(blob.p + at, &out->rule[out->n])) {
			return impossible(err, blob.n);
		}
	}
	sort_by_year(out);
	return units ? pf_mapi_utf16(arena, pf_span(blob.p + 8, 2 * units), &out->name, err)
		     : PF_OK;
}

static void put16(uint8_t *p, uint32_t v)
{
	p[0] = (uint8_t)v;
	p[1] = (uint8_t)(v >> 8);
}

static void put32(uint8_t *p, int32_t v)
{
	put16(p, (uint32_t)v);
	put16(p + 2, (uint32_t)v >> 16);
}

static void put_change(uint8_t *p, const struct pf_zone_change *c)
{
	const uint16_t v[] = {
		c->year, c->month, c->weekday, c->day, c->hour, c->minute, c->second, c->ms};

	for (size_t i = 0; i < PF_COUNT(v); i++) {
		put16(p + 2 * i, v[i]);
	}
}

int pf_zone_write_struct(const struct pf_zone *z, struct pf_buf *out, struct pf_err *err)
{
	const struct pf_zone_rule *r = pf_zone_effective(z);
	uint8_t b[STRUCT_BYTES] = {0};

	put32(b, r->bias);
	put32(b + 4, r->standard_bias);
	put32(b + 8, r->daylight_bias);
	put16(b + 12, r->standard.year);
	put_change(b + 14, &r->standard);
	put16(b + 30, r->daylight.year);
	put_change(b + 32, &r->daylight);
	return pf_buf_add(out, pf_span(b, sizeof(b)), err);
}

static int write_rule(const struct pf_zone_rule *r, struct pf_buf *out, struct pf_err *err)
{
	uint8_t b[RULE_BYTES] = {2, 1, RULE_BYTES - 4, 0};

	put16(b + 4, r->flags);
	put16(b + 6, r->year);
	put32(b + 22, r->bias);
	put32(b + 26, r->standard_bias);
	put32(b + 30, r->daylight_bias);
	put_change(b + 34, &r->standard);
	put_change(b + 50, &r->daylight);
	return pf_buf_add(out, pf_span(b, sizeof(b)), err);
}

int pf_zone_write_definition(const struct pf_zone *z, struct pf_buf *out, struct pf_err *err)
{
	struct pf_span name = z->name.n <= NAME_MAX ? z->name : pf_span(z->name.p, NAME_MAX);
	uint8_t head[8] = {2, 1, 0, 0, 2, 0, 0, 0};
	uint8_t count[2];
	int rc;

	put16(head + 2, 6 + 2 * (uint32_t)name.n);
	put16(head + 6, (uint32_t)name.n);
	rc = pf_buf_add(out, pf_span(head, sizeof(head)), err);
	for (size_t i = 0; i < name.n && rc == PF_OK; i++) { /* names of Windows are ASCII */
		const uint8_t unit[2] = {name.p[i] < 0x80 ? name.p[i] : '?', 0};

		rc = pf_buf_add(out, pf_span(unit, 2), err);
	}
	put16(count, (uint32_t)z->n);
	rc = rc == PF_OK ? pf_buf_add(out, pf_span(count, 2), err) : rc;
	for (size_t i = 0; i < z->n && rc == PF_OK; i++) {
		rc = write_rule(&z->rule[i], out, err);
	}
	return rc;
}

/* ---- rules ---- */

const struct pf_zone_rule *pf_zone_effective(const struct pf_zone *z)
{
	const struct pf_zone_rule *found = &z->rule[z->n - 1];

	for (size_t i = 0; i < z->n; i++) {
		found = z->rule[i].flags & PF_ZONE_EFFECTIVE ? &z->rule[i] : found;
	}
	return found;
}

const struct pf_zone_rule *pf_zone_of_year(const struct pf_zone *z, int year)
{
	const struct pf_zone_rule *found = &z->rule[0];

	for (size_t i = 0; i < z->n; i++) {
		found = z->rule[i].year <= year ? &z->rule[i] : found;
	}
	return found;
}

static bool change_eq(const struct pf_zone_change *a, const struct pf_zone_change *b)
{
	return (a->month == 0 && b->month == 0) ||
	       (a->year == b->year && a->month == b->month && a->day == b->day &&
		       a->hour == b->hour && a->minute == b->minute &&
		       (a->year != 0 || a->weekday == b->weekday));
}

static bool has_summer(const struct pf_zone_rule *r)
{
	return r->standard.month != 0 && r->daylight.month != 0;
}

bool pf_zone_rule_eq(const struct pf_zone_rule *a, const struct pf_zone_rule *b)
{
	if (a->bias + a->standard_bias != b->bias + b->standard_bias ||
		has_summer(a) != has_summer(b)) {
		return false;
	}
	return !has_summer(a) ||
	       (a->daylight_bias == b->daylight_bias && change_eq(&a->standard, &b->standard) &&
		       change_eq(&a->daylight, &b->daylight));
}

void pf_zone_only(struct pf_zone *z, const struct pf_zone_rule *keep)
{
	struct pf_zone_rule r = *keep;

	r.year = 0;
	r.flags = PF_ZONE_EFFECTIVE | PF_ZONE_RECURRING;
	z->rule[0] = r;
	z->n = 1;
}

/* ---- moments ---- */

/* When a half of the year begins, on the wall as it is before. */
static int64_t begin_of(const struct pf_zone_change *c, int year)
{
	struct pf_civil at = {year, c->month, 1, c->hour, c->minute, c->second};
	int64_t first, days;
	int weekday;

	if (c->year) {
		at.year = c->year;
		at.day = c->day;
		return pf_civil_to_unix(&at);
	}
	first = pf_civil_to_unix(&at);
	weekday = (int)(((first / 86400 - (first % 86400 < 0)) % 7 + 11) % 7);
	days = (c->weekday + 7 - weekday) % 7 + 7 * (c->day - 1);
	if (c->day == LAST) { /* may be past the end of the month */
		struct pf_civil there;

		pf_civil_from_unix(first + days * 86400, &there);
		days -= there.month != c->month ? 7 : 0;
	}
	return first + days * 86400;
}

static int32_t standard_offset(const struct pf_zone_rule *r)
{
	return -(r->bias + r->standard_bias) * 60;
}

static int32_t daylight_offset(const struct pf_zone_rule *r)
{
	return -(r->bias + r->daylight_bias) * 60;
}

static int year_of(int64_t local_s)
{
	struct pf_civil c;

	pf_civil_from_unix(local_s, &c);
	return c.year;
}

int32_t pf_zone_offset(const struct pf_zone *z, int64_t utc_s)
{
	int year = year_of(utc_s + standard_offset(pf_zone_of_year(z, year_of(utc_s))));
	const struct pf_zone_rule *r = pf_zone_of_year(z, year);
	int64_t summer, winter;
	bool is_summer;

	if (!has_summer(r) || year < 1 || year > 9998) {
		return standard_offset(r);
	}
	summer = begin_of(&r->daylight, year) - standard_offset(r);
	winter = begin_of(&r->standard, year) - daylight_offset(r);
	is_summer = summer < winter ? utc_s >= summer && utc_s < winter
				    : utc_s >= summer || utc_s < winter;
	return is_summer ? daylight_offset(r) : standard_offset(r);
}

int64_t pf_zone_to_local(const struct pf_zone *z, int64_t utc_s)
{
	return utc_s + pf_zone_offset(z, utc_s);
}

int64_t pf_zone_day(int64_t moment_s, bool on_wall)
{
	enum { DAY_S = 86400, ELEVEN_S = 11 * 3600 };
	int64_t of_day = (moment_s % DAY_S + DAY_S) % DAY_S;

	return of_day >= DAY_S / 2 || (of_day == ELEVEN_S && !on_wall) ? moment_s - of_day + DAY_S
								       : moment_s - of_day;
}

int64_t pf_zone_to_utc(const struct pf_zone *z, int64_t local_s)
{
	const struct pf_zone_rule *r = pf_zone_of_year(z, year_of(local_s));
	int32_t a = standard_offset(r), b = daylight_offset(r);
	int32_t more = a > b ? a : b, less = a > b ? b : a;

	if (has_summer(r) && pf_zone_offset(z, local_s - more) == more) {
		return local_s - more;
	}
	return !has_summer(r) ? local_s - a : local_s - less;
}

/* ---- iCalendar ---- */

/* Whether the zone of that TZID has the same offsets in the middle of each month around. */
static bool agrees(const struct pf_zone *z, const char *tzid, int64_t utc_s)
{
	int32_t offset;

	for (int64_t at = utc_s; at < utc_s + 2 * YEAR_S; at += YEAR_S / 36) {
		if (!pf_ical_zone_offset(tzid, at, &offset) || offset != pf_zone_offset(z, at)) {
			return false;
		}
	}
	return true;
}

static void name_of_offset(const struct pf_zone *z, char *out, size_t size)
{
	const struct pf_zone_rule *r = pf_zone_effective(z);
	int minutes = standard_offset(r) / 60;
	int abs = minutes < 0 ? -minutes : minutes;

	(void)snprintf(out, size, "UTC%c%02d%02d%s", minutes < 0 ? '-' : '+', abs / 60, abs % 60,
		has_summer(r) ? " with daylight saving" : "");
}

int pf_zone_id(struct pf_arena *arena, const struct pf_zone *z, int64_t utc_s, struct pf_span *out,
	struct pf_err *err)
{
	char name[NAME_MAX + 1], iana[64] = "";
	size_t n = 0;

	for (size_t i = 0; i < z->name.n && n < sizeof(name) - 1;
		i++) { /* TZID is no TEXT for all */
		if (z->name.p[i] >= ' ' && !strchr("\",;:\\\x7F", z->name.p[i])) {
			name[n++] = (char)z->name.p[i];
		}
	}
	name[n] = '\0';
	if (n == 0) {
		name_of_offset(z, name, sizeof(name));
	} else if (!pf_ical_zone_of_windows(name, iana, sizeof(iana)) || !agrees(z, iana, utc_s)) {
		iana[0] = '\0';
	}
	*out = pf_arena_span(arena, pf_span_str(iana[0] ? iana : name));
	return out->p ? PF_OK : pf_fail_memory(err, "a time zone");
}

static void offset_text(int32_t s, char out[8])
{
	int32_t abs = s < 0 ? -s : s;

	(void)snprintf(out, 8, "%c%02d%02d", s < 0 ? '-' : '+', (int)(abs / 3600 % 100),
		(int)(abs / 60 % 60));
}

struct half {
	const char *name;
	const struct pf_zone_change *change;
	int32_t from, to;
	int year, until; /* years; until 0: for ever */
};

static int put_half(const struct half *h, struct pf_buf *out, struct pf_err *err)
{
	static const char *const DAYS[] = {"SU", "MO", "TU", "WE", "TH", "FR", "SA"};
	static const char *const NTH[] = {"", "1", "2", "3", "4", "-1"};
	struct pf_civil c = {.year = h->year, .month = 1, .day = 1};
	char from[8], to[8];
	int rc;

	if (h->change->month) {
		pf_civil_from_unix(begin_of(h->change, h->year), &c);
	}
	offset_text(h->from, from);
	offset_text(h->to, to);
	rc = pf_buf_addf(out, err,
		"BEGIN:%s\r\nDTSTART:%04d%02d%02dT%02d%02d%02d\r\nTZOFFSETFROM:%s\r\nTZOFFSETTO:%"
		"s\r\n",
		h->name, c.year, c.month, c.day, c.hour, c.minute, c.second, from, to);
	if (rc == PF_OK && h->change->month && !h->change->year) {
		rc = pf_buf_addf(out, err, "RRULE:FREQ=YEARLY;BYMONTH=%u;BYDAY=%s%s",
			(unsigned)h->change->month, NTH[h->change->day], DAYS[h->change->weekday]);
		if (rc == PF_OK && h->until) {
			rc = pf_buf_addf(out, err, ";UNTIL=%04d1231T235959Z", h->until - 1);
		}
		rc = rc == PF_OK ? pf_buf_add_str(out, "\r\n", err) : rc;
	}
	return rc == PF_OK ? pf_buf_addf(out, err, "END:%s\r\n", h->name) : rc;
}

static int put_rule(
	const struct pf_zone *z, size_t i, int from_year, struct pf_buf *out, struct pf_err *err)
{
	static const struct pf_zone_change NEVER = {0};
	const struct pf_zone_rule *r = &z->rule[i];
	int year = i > 0 && r->year > from_year ? r->year : from_year;
	int until = i + 1 < z->n ? z->rule[i + 1].year : 0;
	bool summer = has_summer(r);
	int32_t was = i > 0 ? standard_offset(&z->rule[i - 1]) : standard_offset(r);
	struct half h = {"STANDARD", summer ? &r->standard : &NEVER,
		summer ? daylight_offset(r) : was, standard_offset(r), year, until};

	if (i + 1 < z->n && until <= from_year) {
		return PF_OK; /* over before */
	}
	if (put_half(&h, out, err) != PF_OK) {
		return PF_FAIL;
	}
	h = (struct half){
		"DAYLIGHT", &r->daylight, standard_offset(r), daylight_offset(r), year, until};
	return summer ? put_half(&h, out, err) : PF_OK;
}

int pf_zone_to_ical(const struct pf_zone *z, struct pf_span tzid, int from_year, struct pf_buf *out,
	struct pf_err *err)
{
	int rc = pf_buf_add_str(out, "BEGIN:VTIMEZONE\r\n", err);

	from_year = from_year < FIRST_YEAR ? (from_year > 1 ? from_year : 1) : FIRST_YEAR;
	rc = rc == PF_OK ? pf_line_write(out, pf_span("TZID", 4), tzid, err) : rc;
	for (size_t i = 0; i < z->n && rc == PF_OK; i++) {
		rc = put_rule(z, i, from_year, out, err);
	}
	return rc == PF_OK ? pf_buf_add_str(out, "END:VTIMEZONE\r\n", err) : rc;
}
