#include "proto/imap/date.h"

#include "base/defs.h"

#include <ctype.h>
#include <stdio.h>

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
			*s = pf_span_from(*s, 3);
			*out = (int)i + 1;
			return true;
		}
	}
	return false;
}

static bool zone(struct pf_span s, int *minutes)
{
	int hhmm = 0;
	bool west;

	*minutes = 0;
	skip(&s, " ");
	if (s.n == 0) {
		return true; /* no zone: taken for UTC */
	}
	if (s.p[0] != '+' && s.p[0] != '-') {
		for (size_t i = 0; i < PF_COUNT(ZONES); i++) {
			if (pf_span_is(s, ZONES[i].name)) {
				*minutes = ZONES[i].minutes;
				return true;
			}
		}
		return false;
	}
	west = s.p[0] == '-';
	s = pf_span_from(s, 1);
	if (!number(&s, 1, 4, &hhmm)) {
		return false;
	}
	skip(&s, " ");
	if (hhmm < 100) { /* "+05": hours only */
		hhmm *= 100;
	}
	if (s.n > 0 || hhmm % 100 > 59 || hhmm > 2400) {
		return false;
	}
	*minutes = hhmm / 100 * 60 + hhmm % 100;
	*minutes = west ? -*minutes : *minutes;
	return true;
}

bool pf_imap_date_parse(struct pf_span text, int64_t *utc_s, int *zone_min)
{
	struct pf_civil c = {0};
	size_t before;

	skip(&text, " ");
	if (!number(&text, 1, 2, &c.day)) {
		return false;
	}
	skip(&text, "- ");
	if (!month(&text, &c.month)) {
		return false;
	}
	skip(&text, "- ");
	before = text.n;
	if (!number(&text, 2, 4, &c.year)) {
		return false;
	}
	if (before - text.n == 2) { /* RFC 5322 section 4.3 */
		c.year += c.year < 50 ? 2000 : 1900;
	}
	skip(&text, " ");
	if (!number(&text, 1, 2, &c.hour)) {
		return false;
	}
	skip(&text, ":");
	if (!number(&text, 1, 2, &c.minute)) {
		return false;
	}
	skip(&text, ":");
	if (!number(&text, 1, 2, &c.second) || !pf_civil_valid(&c) || !zone(text, zone_min)) {
		return false;
	}
	*utc_s = pf_civil_to_unix(&c) - (int64_t)*zone_min * 60;
	return true;
}

void pf_imap_date_format(int64_t utc_s, int zone_min, char out[32])
{
	static const int64_t FIRST = -62167219200, LAST = 253402300799; /* years 0 to 9999 */
	int64_t local;
	struct pf_civil c;
	int zone = zone_min < 0 ? -zone_min : zone_min;

	if (zone > 24 * 60) {
		zone = 0;
		zone_min = 0;
	}
	local = utc_s < FIRST ? FIRST : utc_s > LAST ? LAST : utc_s;
	local += (int64_t)zone_min * 60;
	local = local < FIRST ? FIRST : local > LAST ? LAST : local;
	pf_civil_from_unix(local, &c);
	(void)snprintf(out, 32, "%2d-%s-%04d %02d:%02d:%02d %c%02d%02d", c.day, MONTHS[c.month - 1],
		c.year, c.hour, c.minute, c.second, zone_min < 0 ? '-' : '+', zone / 60, zone % 60);
}
