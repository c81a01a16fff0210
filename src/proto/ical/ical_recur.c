/*
 * Recurrence sets: DTSTART, RRULE, RDATE, EXDATE (RFC 5545 sections 3.8.5.1 to 3.8.5.3). Rules are
 * expanded by libical, in the zone of DTSTART; their number is always bounded.
 */
#include "proto/ical/ical_private.h"

#include "base/civil.h"

#include <stdlib.h>

enum {
	RULE_TEXT_MAX = 8192,
	RULES_MAX = 16,
	STEPS_MAX =
		1 << 20, /* that a rule of hours or less goes in search: twelve days of seconds */
	DAY_S = 86400,
};

/* The end of the year 9999, the last that a date may have. */
#define LAST_S 253402300799

void pf_ical_set_deinit(struct pf_ical_set *s)
{
	free(s->at);
	*s = (struct pf_ical_set){0};
}

static int add(struct pf_ical_set *s, int64_t at, struct pf_err *err)
{
	if (s->n == s->cap) {
		size_t cap = s->cap ? s->cap * 2 : 16;
		int64_t *grown = realloc(s->at, cap * sizeof(*grown));

		if (!grown) {
			return pf_fail_memory(err, "a recurrence");
		}
		s->at = grown;
		s->cap = cap;
	}
	s->at[s->n++] = at;
	return PF_OK;
}

static int by_time(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return x < y ? -1 : x > y;
}

/* In order, each once. */
static void tidy(struct pf_ical_set *s)
{
	size_t n = 0;

	if (s->n > 1) {
		qsort(s->at, s->n, sizeof(*s->at), by_time);
	}
	for (size_t i = 0; i < s->n; i++) {
		if (n == 0 || s->at[n - 1] != s->at[i]) {
			s->at[n++] = s->at[i];
		}
	}
	s->n = n;
}

bool pf_ical_set_has(const struct pf_ical_set *s, int64_t at)
{
	return s->n > 0 && bsearch(&at, s->at, s->n, sizeof(*s->at), by_time) != NULL;
}

bool pf_ical_recurs(const struct pf_ical *c, int comp)
{
	return pf_ical_find(c, comp, "RRULE") || pf_ical_find(c, comp, "RDATE");
}

/* ---- rules ---- */

/*
 * The rule without UNTIL, for libical; *until is the last instant it allows (INT64_MAX: none).
 * UNTIL is compared here, as servers and clients write it in UTC, on the wall and as a date,
 * whatever form DTSTART has.
 */
static bool take_rule(struct pf_ical *c, const struct pf_line *l, const struct pf_ical_time *begin,
	char *text, int64_t *until)
{
	struct pf_span rest = l->value, part;
	size_t n = 0;

	*until = INT64_MAX;
	if (l->value.n >= RULE_TEXT_MAX || memchr(l->value.p, 0, l->value.n)) {
		return false;
	}
	while (pf_value_next(&rest, ';', &part)) {
		struct pf_line bare = {.params = pf_span("", 0)};
		struct pf_ical_time t;

		if (!pf_span_starts(part, "UNTIL=")) {
			text[n] = ';';
			n += n > 0;
			memcpy(text + n, part.p, part.n);
			n += part.n;
			continue;
		}
		if (!pf_ical_time_of(c, &bare, pf_span_from(part, 6), &t)) {
			return false;
		}
		*until = t.form == PF_ICAL_DATE && begin->form != PF_ICAL_DATE
				 ? ical_local_to_utc(begin, t.local_s + 86399)
			 : t.form == PF_ICAL_UTC ? t.utc_s
						 : ical_local_to_utc(begin, t.local_s);
	}
	text[n] = '\0';
	return n > 0;
}

bool ical_is_rule(struct pf_ical *c, const struct pf_line *l)
{
	const struct pf_ical_time begin = {.form = PF_ICAL_UTC};
	char text[RULE_TEXT_MAX];
	struct icalrecurrencetype rule;
	int64_t until;
	bool is;

	if (!take_rule(c, l, &begin, text, &until)) {
		return false;
	}
	icalerror_set_errors_are_fatal(false);
	rule = icalrecurrencetype_from_string(text);
	is = rule.freq != ICAL_NO_RECURRENCE;
	free(rule.rscale);
	return is;
}

struct limits {
	int64_t until_utc_s;
	size_t max;
};

/*
 * Where libical gives up. It looks at each second of a rule by seconds until the year 2582, also of
 * one that never comes ("BYMONTH=2;BYMONTHDAY=30"): hours. *early: sooner than anybody asked.
 */
static int64_t give_up_s(const struct icalrecurrencetype *rule, const struct pf_ical_time *begin,
	int64_t until_utc_s, bool *early)
{
	int64_t step = rule->freq == ICAL_SECONDLY_RECURRENCE   ? 1
		       : rule->freq == ICAL_MINUTELY_RECURRENCE ? 60
		       : rule->freq == ICAL_HOURLY_RECURRENCE   ? 3600
								: 0;
	int64_t every = rule->interval > 0 ? rule->interval : 1;
	int64_t far = step == 0 ? INT64_MAX : begin->local_s + (int64_t)STEPS_MAX * step * every;
	/* a wall is within a day of UTC */
	int64_t asked = until_utc_s < LAST_S ? until_utc_s + (int64_t)2 * DAY_S : INT64_MAX;

	*early = far < asked;
	return *early ? far : asked;
}

static int run_rule(struct pf_ical *c, const struct pf_line *l, const struct pf_ical_time *begin,
	const struct limits *limits, struct pf_ical_set *out, struct pf_err *err)
{
	char text[RULE_TEXT_MAX];
	struct icalrecurrencetype rule;
	icalrecur_iterator *it;
	int64_t until = INT64_MAX, end_s;
	bool early;
	int rc = PF_OK;

	if (!take_rule(c, l, begin, text, &until)) {
		return PF_OK;
	}
	icalerror_set_errors_are_fatal(false);
	rule = icalrecurrencetype_from_string(text);
	end_s = give_up_s(
		&rule, begin, until < limits->until_utc_s ? until : limits->until_utc_s, &early);
	if (end_s < LAST_S) {
		rule.until = ical_to_libical(end_s, begin->form == PF_ICAL_DATE);
	}
	it = rule.freq == ICAL_NO_RECURRENCE
		     ? NULL
		     : icalrecur_iterator_new(
			       rule, ical_to_libical(begin->local_s, begin->form == PF_ICAL_DATE));
	for (size_t n = 0; it && rc == PF_OK; n++) {
		struct icaltimetype t = icalrecur_iterator_next(it);
		int64_t local = icaltime_is_null_time(t) ? PF_DATE_NONE : ical_from_libical(&t), at;

		if (local == PF_DATE_NONE) {
			out->whole = out->whole && (!early || (n > 0 && n == (size_t)rule.count));
			break;
		}
		at = ical_local_to_utc(begin, local);
		if (at > until) {
			break;
		}
		if (at > limits->until_utc_s || n >= limits->max) {
			out->whole = false;
			break;
		}
		rc = add(out, at, err);
	}
	if (it) {
		icalrecur_iterator_free(it);
	}
	free(rule.rscale);
	return rc;
}

/* RDATE, also of periods: they begin when they begin. */
static int add_dates(
	struct pf_ical *c, const struct pf_line *l, struct pf_ical_set *out, struct pf_err *err)
{
	struct pf_span rest = l->value, part;

	while (pf_value_next(&rest, ',', &part)) {
		const uint8_t *slash = part.n > 0 ? memchr(part.p, '/', part.n) : NULL;
		struct pf_ical_time t;

		if (slash) {
			part.n = (size_t)(slash - part.p);
		}
		if (pf_ical_time_of(c, l, part, &t) && add(out, t.utc_s, err) != PF_OK) {
			return PF_FAIL;
		}
	}
	return PF_OK;
}

int pf_ical_instants(struct pf_ical *c, int comp, int64_t until_utc_s, size_t max,
	struct pf_ical_set *out, struct pf_err *err)
{
	const struct limits limits = {until_utc_s, max};
	struct pf_ical_time begin;
	size_t rules = 0;

	*out = (struct pf_ical_set){.whole = true};
	if (!pf_ical_begin(c, comp, &begin)) {
		return PF_OK;
	}
	if (add(out, begin.utc_s, err) != PF_OK) {
		return PF_FAIL;
	}
	for (size_t i = pf_ical_next_line(c, comp, c->comp[comp].begin); i != SIZE_MAX;
		i = pf_ical_next_line(c, comp, i)) {
		const struct pf_line *l = &c->line[i];

		if (pf_span_is(l->name, "RRULE") && rules++ < RULES_MAX &&
			run_rule(c, l, &begin, &limits, out, err) != PF_OK) {
			return PF_FAIL;
		}
		if (pf_span_is(l->name, "RDATE") && add_dates(c, l, out, err) != PF_OK) {
			return PF_FAIL;
		}
	}
	tidy(out);
	if (out->n > max) {
		out->n = max;
		out->whole = false;
	}
	return PF_OK;
}

int pf_ical_exdates(struct pf_ical *c, int comp, struct pf_ical_set *out, struct pf_err *err)
{
	*out = (struct pf_ical_set){.whole = true};
	for (size_t i = pf_ical_next_line(c, comp, c->comp[comp].begin); i != SIZE_MAX;
		i = pf_ical_next_line(c, comp, i)) {
		if (pf_span_is(c->line[i].name, "EXDATE") &&
			add_dates(c, &c->line[i], out, err) != PF_OK) {
			return PF_FAIL;
		}
	}
	tidy(out);
	return PF_OK;
}
