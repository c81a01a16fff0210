#include "base/date_text.h"

#include "base/civil.h"
#include "base/defs.h"

#include <ctype.h>
#include <string.h>

#define BLANKS " \t"
enum { ZONE_MOST = 24 * 60 };

static const char MONTHS[12][4] = {
	"Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

/* Zones that mail of old uses by name (RFC 5322 section 4.3). */
static const struct {
	const char *name;
	int minutes;
} ZONES[] = {
	{"UT", 0},
	{"UTC", 0},
	{"GMT", 0},
	{"Z", 0},
	{"EST", -300},
	{"EDT", -240},
	{"CST", -360},
	{"CDT", -300},
	{"MST", -420},
	{"MDT", -360},
	{"PST", -480},
	{"PDT", -420},
	{"CET", 60},
	{"CEST", 120},
	{"BST", 60},
	{"JST", 540},
};

static void skip(struct pf_span *s, const char *any)
{
	while (s->n > 0 && strchr(any, s->p[0]) && s->p[0] != '\0') {
		*s = pf_span_from(*s, 1);
	}
}

static void skip_letters(struct pf_span *s)
{
	while (s->n > 0 && isalpha(s->p[0])) {
		*s = pf_span_from(*s, 1);
	}
}

/* A number of `min` to `max` digits. */
static bool number(struct pf_span *s, size_t min, size_t max, int *out)
{
	size_t n = 0;

	*out = 0;
	while (n < s->n && n < max && isdigit(s->p[n])) {
		*out = *out * 10 + (s->p[n] - '0');
		n++;
	}
	*s = pf_span_from(*s, n);
	return n >= min && (s->n == 0 || !isdigit(s->p[0]));
}

static bool month(struct pf_span *s, int *out)
{
	for (size_t i = 0; i < 12; i++) {
		if (pf_span_starts(*s, MONTHS[i])) {
			skip_letters(s);
			*out = (int)i + 1;
			return true;
		}
	}
	return false;
}

/* Of two or three digits: as RFC 5322 section 4.3 has it. */
static bool year(struct pf_span *s, int *out)
{
	size_t before = s->n;

	if (!number(s, 2, 4, out)) {
		return false;
	}
	if (before - s->n == 3 || (before - s->n == 2 && *out >= 50)) {
		*out += 1900;
	} else if (before - s->n == 2) {
		*out += 2000;
	}
	return true;
}

/* The zone's name; one that is unknown says as much as "-0000" (RFC 5322 section 4.3). */
static int named_zone(struct pf_span *s)
{
	struct pf_span name = *s;

	skip_letters(s);
	name.n -= s->n;
	for (size_t i = 0; i < PF_COUNT(ZONES); i++) {
		if (pf_span_is(name, ZONES[i].name)) {
			return ZONES[i].minutes;
		}
	}
	return 0;
}

/* "+0530", "-7", "+05:30", and perhaps a comment behind it. */
static bool zone(struct pf_span s, int *minutes)
{
	int hours = 0, part = 0;
	bool west;
	size_t before;

	*minutes = 0;
	skip(&s, BLANKS);
	if (s.n == 0 || s.p[0] == '(') {
		return true; /* no zone: taken for UTC */
	}
	if (isalpha(s.p[0])) {
		*minutes = named_zone(&s);
	} else if (s.p[0] == '+' || s.p[0] == '-') {
		west = s.p[0] == '-';
		s = pf_span_from(s, 1);
		before = s.n;
		if (!number(&s, 1, 4, &hours)) {
			return false;
		}
		if (before - s.n > 2) {
			part = hours % 100;
			hours /= 100;
		} else if (s.n > 0 && s.p[0] == ':') {
			s = pf_span_from(s, 1);
			if (!number(&s, 2, 2, &part)) {
				return false;
			}
		}
		*minutes = (hours * 60 + part) * (west ? -1 : 1);
	} else {
		return false;
	}
	skip(&s, BLANKS);
	return part < 60 && *minutes <= ZONE_MOST && *minutes >= -ZONE_MOST &&
	       (s.n == 0 || s.p[0] == '(');
}

/* "02:44:25", also without seconds or with parts of one. */
static bool time_of_day(struct pf_span *s, struct pf_civil *c)
{
	int part;

	if (!number(s, 1, 2, &c->hour)) {
		return false;
	}
	skip(s, ":");
	if (!number(s, 1, 2, &c->minute)) {
		return false;
	}
	if (s->n > 0 && s->p[0] == ':') {
		*s = pf_span_from(*s, 1);
		if (!number(s, 1, 2, &c->second)) {
			return false;
		}
	}
	if (s->n > 0 && s->p[0] == '.') {
		*s = pf_span_from(*s, 1);
		return number(s, 1, 9, &part);
	}
	return true;
}

bool pf_date_parse(struct pf_span text, int64_t *utc_s, int *zone_min)
{
	struct pf_civil c = {0};
	int minutes;

	skip(&text, BLANKS);
	skip_letters(&text); /* the day of the week */
	skip(&text, BLANKS ",");
	if (!number(&text, 1, 2, &c.day)) {
		return false;
	}
	skip(&text, BLANKS "-");
	if (!month(&text, &c.month)) {
		return false;
	}
	skip(&text, BLANKS "-");
	if (!year(&text, &c.year)) {
		return false;
	}
	skip(&text, BLANKS);
	if (!time_of_day(&text, &c) || !pf_civil_valid(&c) || !zone(text, &minutes)) {
		return false;
	}
	*zone_min = minutes;
	*utc_s = pf_civil_to_unix(&c) - (int64_t)minutes * 60;
	return true;
}
