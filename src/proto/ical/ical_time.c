/*
 * Times: DATE, DATE-TIME (RFC 5545 sections 3.3.4, 3.3.5), DURATION (3.3.6), and zones: a VTIMEZONE
 * of the calendar itself, else one that the system knows by the TZID. Zones are libical's.
 */
#include "proto/ical/ical_private.h"

#include "base/civil.h"

#include <stdlib.h>

enum { ZONES_MAX = 256, ZONE_TEXT_MAX = 1 << 20 };

#define ERA_S ((int64_t)146097 * 86400) /* 400 years */
#define FAR_S INT64_C(16725225600)      /* 1 January 2500 */

struct zone {
	struct zone *next;
	struct pf_span tzid;
	icaltimezone *own;   /* made of a VTIMEZONE; freed with the calendar */
	icaltimezone *known; /* the system's; borrowed */
};

/* ---- zones ---- */

/* A VTIMEZONE as text that libical reads: its lines as they are. */
static icaltimezone *make_zone(struct pf_ical *c, int comp)
{
	struct pf_buf text;
	struct pf_err ignored; /* no memory, or too long: the zone counts as unknown */
	icalcomponent *made = NULL;
	icaltimezone *zone = NULL;
	const char *s = NULL;
	int rc = PF_OK;

	pf_buf_init(&text, ZONE_TEXT_MAX);
	for (size_t i = c->comp[comp].begin;
		i <= c->comp[comp].end && i < c->line_count && rc == PF_OK; i++) {
		rc = pf_buf_add(&text, c->line[i].raw, &ignored);
	}
	if (rc == PF_OK && pf_buf_cstr(&text, &s, &ignored) == PF_OK && !memchr(s, 0, text.n)) {
		made = icalparser_parse_string(s);
	}
	pf_buf_deinit(&text);
	if (!made || icalcomponent_isa(made) != ICAL_VTIMEZONE_COMPONENT) {
		icalcomponent_free(made);
		return NULL;
	}
	zone = icaltimezone_new();
	if (!zone || !icaltimezone_set_component(zone, made)) {
		icalcomponent_free(made);
		icaltimezone_free(zone, 1);
		return NULL;
	}
	return zone;
}

bool ical_zone_is(struct pf_span text, struct pf_span tzid)
{
	size_t k = 0;

	for (size_t i = 0; i < text.n; i++, k++) {
		if (text.p[i] == '\\' && i + 1 < text.n && k < tzid.n && tzid.p[k] != '\\') {
			i++; /* of an escape in the text only */
		}
		if (k >= tzid.n || text.p[i] != tzid.p[k]) {
			return false;
		}
	}
	return k == tzid.n;
}

static int find_vtimezone(const struct pf_ical *c, struct pf_span tzid)
{
	for (size_t i = 0; i < c->comp_count; i++) {
		const struct pf_line *id = pf_ical_comp_is(c, (int)i, "VTIMEZONE")
						   ? pf_ical_find(c, (int)i, "TZID")
						   : NULL;

		if (id && ical_zone_is(id->value, tzid)) {
			return (int)i;
		}
	}
	return PF_ICAL_NONE;
}

/* "/freeassociation.sourceforge.net/Europe/Berlin": the part that names the zone. */
static icaltimezone *known_zone(struct pf_span tzid)
{
	char name[128], olson[128];
	const char *at = name;
	icaltimezone *zone = NULL;

	if (tzid.n == 0 || tzid.n >= sizeof(name) || memchr(tzid.p, 0, tzid.n)) {
		return NULL;
	}
	memcpy(name, tzid.p, tzid.n);
	name[tzid.n] = '\0';
	zone = icaltimezone_get_builtin_timezone(at);
	while (!zone && (at = strchr(at, '/')) != NULL) {
		at++;
		zone = *at ? icaltimezone_get_builtin_timezone(at) : NULL;
	}
	if (!zone && pf_ical_zone_of_windows(name, olson, sizeof(olson))) {
		zone = icaltimezone_get_builtin_timezone(olson);
	}
	return zone;
}

char *ical_known_vtimezone(struct pf_span tzid)
{
	icaltimezone *zone;
	icalcomponent *made;
	char *text, *copy;

	icalerror_set_errors_are_fatal(false);
	zone = known_zone(tzid);
	made = zone ? icaltimezone_get_component(zone) : NULL;
	text = made ? icalcomponent_as_ical_string_r(made) : NULL;
	copy = text ? strdup(text) : NULL;
	icalmemory_free_buffer(text);
	return copy;
}

static icaltimezone *zone_of(struct pf_ical *c, struct pf_span tzid)
{
	struct zone *z;
	size_t n = 0;
	int comp;

	for (z = c->zones; z; z = z->next, n++) {
		if (pf_span_eq(z->tzid, tzid)) {
			return z->own ? z->own : z->known;
		}
	}
	z = n < ZONES_MAX ? calloc(1, sizeof(*z)) : NULL;
	if (!z) {
		return NULL;
	}
	icalerror_set_errors_are_fatal(false); /* libical aborts otherwise, on what it was given */
	comp = find_vtimezone(c, tzid);
	z->tzid = tzid;
	z->own = comp != PF_ICAL_NONE ? make_zone(c, comp) : NULL;
	z->known = z->own ? NULL : known_zone(tzid);
	z->next = c->zones;
	c->zones = z;
	return z->own ? z->own : z->known;
}

void pf_ical_zones_free(struct pf_ical *c)
{
	while (c->zones) {
		struct zone *z = c->zones;

		c->zones = z->next;
		if (z->own) {
			icaltimezone_free(z->own, 1);
		}
		free(z);
	}
}

/* ---- civil times ---- */

struct icaltimetype ical_to_libical(int64_t local_s, bool is_date)
{
	struct icaltimetype t = icaltime_null_time();
	struct pf_civil c;

	pf_civil_from_unix(local_s, &c);
	t.year = c.year;
	t.month = c.month;
	t.day = c.day;
	t.hour = c.hour;
	t.minute = c.minute;
	t.second = c.second;
	t.is_date = is_date;
	return t;
}

int64_t ical_from_libical(const struct icaltimetype *t)
{
	struct pf_civil c = {t->year, t->month, t->day, t->hour, t->minute, t->second};

	return pf_civil_valid(&c) ? pf_civil_to_unix(&c) : PF_DATE_NONE;
}

/*
 * libical works out a zone's changes anew for each question about a year past the last that it
 * keeps (2582). The calendar repeats after 400 years, weekdays too, and so do a zone's rules by
 * then.
 */
static int64_t fold(int64_t s)
{
	return s < FAR_S ? s : FAR_S - ERA_S + (s - FAR_S) % ERA_S;
}

int32_t pf_ical_offset_at(const struct pf_ical_time *t, int64_t utc_s)
{
	struct icaltimetype at;
	int is_dst = 0;

	if (t->form != PF_ICAL_ZONED || !t->zone) {
		return 0;
	}
	at = ical_to_libical(fold(utc_s), false);
	return icaltimezone_get_utc_offset_of_utc_time(t->zone, &at, &is_dst);
}

bool pf_ical_zone_offset(const char *tzid, int64_t utc_s, int32_t *offset_s)
{
	struct pf_ical_time t = {.form = PF_ICAL_ZONED};

	icalerror_set_errors_are_fatal(false);
	t.zone = known_zone(pf_span_str(tzid));
	*offset_s = t.zone ? pf_ical_offset_at(&t, utc_s) : 0;
	return t.zone != NULL;
}

int64_t ical_local_to_utc(const struct pf_ical_time *t, int64_t local_s)
{
	struct icaltimetype at;
	int is_dst = 0;

	if (t->form != PF_ICAL_ZONED || !t->zone) {
		return local_s;
	}
	at = ical_to_libical(fold(local_s), false);
	return local_s - icaltimezone_get_utc_offset(t->zone, &at, &is_dst);
}

static bool digits(struct pf_span s, size_t at, size_t n, int *out)
{
	*out = 0;
	for (size_t i = at; i < at + n; i++) {
		if (i >= s.n || s.p[i] < '0' || s.p[i] > '9') {
			return false;
		}
		*out = *out * 10 + (s.p[i] - '0');
	}
	return true;
}

/* 19970714, 19970714T133000[Z]; *form without regard to zones. */
static bool read_time(struct pf_span v, int64_t *local_s, enum pf_ical_form *form)
{
	struct pf_civil c = {0};

	if (!digits(v, 0, 4, &c.year) || !digits(v, 4, 2, &c.month) || !digits(v, 6, 2, &c.day)) {
		return false;
	}
	*form = PF_ICAL_DATE;
	if (v.n > 8) {
		if ((v.p[8] != 'T' && v.p[8] != 't') || !digits(v, 9, 2, &c.hour) ||
			!digits(v, 11, 2, &c.minute)) {
			return false;
		}
		if (!digits(v, 13, 2, &c.second)) {
			c.second = 0; /* left out by some */
		}
		*form = v.p[v.n - 1] == 'Z' || v.p[v.n - 1] == 'z' ? PF_ICAL_UTC : PF_ICAL_FLOATING;
	}
	if (!pf_civil_valid(&c)) {
		return false;
	}
	*local_s = pf_civil_to_unix(&c);
	return true;
}

bool pf_ical_time_of(
	struct pf_ical *c, const struct pf_line *l, struct pf_span value, struct pf_ical_time *out)
{
	struct pf_span tzid = pf_params_find(l->params, "TZID");

	*out = (struct pf_ical_time){.form = PF_ICAL_DATE};
	if (!read_time(value, &out->local_s, &out->form)) {
		return false;
	}
	if (out->form == PF_ICAL_FLOATING && tzid.p && tzid.n > 0) {
		out->zone = zone_of(c, tzid);
		out->form = out->zone ? PF_ICAL_ZONED : PF_ICAL_FLOATING;
	}
	out->utc_s = ical_local_to_utc(out, out->local_s);
	return true;
}

bool pf_ical_line_time(struct pf_ical *c, const struct pf_line *l, struct pf_ical_time *out)
{
	struct pf_span rest = l->value, first;

	return pf_value_next(&rest, ',', &first) && pf_ical_time_of(c, l, first, out);
}

bool pf_ical_duration(struct pf_span v, int64_t *seconds)
{
	static const struct {
		char unit;
		int64_t s;
	} UNITS[] = {{'W', 604800}, {'D', 86400}, {'H', 3600}, {'M', 60}, {'S', 1}};
	bool minus = v.n > 0 && v.p[0] == '-', any = false;
	int64_t number = 0;
	size_t i = minus || (v.n > 0 && v.p[0] == '+') ? 1 : 0;

	*seconds = 0;
	if (i >= v.n || (v.p[i] != 'P' && v.p[i] != 'p')) {
		return false;
	}
	for (i++; i < v.n; i++) {
		uint8_t u = v.p[i] >= 'a' ? (uint8_t)(v.p[i] - 32) : v.p[i];
		bool known = u == 'T';

		if (u >= '0' && u <= '9') {
			number = number > 100000000 ? number : number * 10 + (u - '0');
			continue;
		}
		for (size_t k = 0; k < PF_COUNT(UNITS); k++) {
			if (u == (uint8_t)UNITS[k].unit) {
				*seconds += number * UNITS[k].s;
				known = true;
				any = true;
			}
		}
		if (!known) {
			return false;
		}
		number = 0;
	}
	*seconds = minus ? -*seconds : *seconds;
	return any;
}

/* ---- of a component ---- */

bool pf_ical_begin(struct pf_ical *c, int comp, struct pf_ical_time *out)
{
	const struct pf_line *l = pf_ical_find(c, comp, "DTSTART");

	if (!l || !pf_ical_line_time(c, l, out)) {
		l = pf_ical_find(c, comp, "DUE");
		return l && pf_ical_line_time(c, l, out);
	}
	return true;
}

int64_t pf_ical_end(struct pf_ical *c, int comp, const struct pf_ical_time *begin)
{
	static const char *const ENDS[] = {"DTEND", "DUE"};
	const struct pf_line *l;
	struct pf_ical_time end;
	int64_t seconds;

	for (size_t i = 0; i < PF_COUNT(ENDS); i++) {
		l = pf_ical_find(c, comp, ENDS[i]);
		if (l && pf_ical_line_time(c, l, &end)) {
			return end.utc_s;
		}
	}
	l = pf_ical_find(c, comp, "DURATION");
	if (l && pf_ical_duration(l->value, &seconds)) {
		return seconds % 86400 == 0 /* days are days on the wall */
			       ? ical_local_to_utc(begin, begin->local_s + seconds)
			       : begin->utc_s + seconds;
	}
	return begin->form == PF_ICAL_DATE ? begin->utc_s + 86400 : begin->utc_s;
}
