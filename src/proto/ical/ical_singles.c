/*
 * A series as single events, for a place that has no words for it: each instance of the series is
 * written with what the series says of it, and each override as it is. Their UIDs follow from that
 * of the series and from the day that the instance was to be on, so that the same are made in every
 * run, and an edit of the hour, or of other days, leaves them what they are.
 */
#include "proto/ical/ical_writer.h"

#include "base/civil.h"
#include "base/uuid.h"

#include <stdio.h>

enum { SINGLES_MAX = 5000, UID_MAX = PF_UUID_TEXT + 20, DAY_S = 86400 };

static const char SUFFIX[] = "@series.postferry";

bool pf_ical_is_single(struct pf_span uid)
{
	size_t n = sizeof(SUFFIX) - 1;

	return uid.n == PF_UUID_TEXT - 1 + n && memcmp(uid.p + uid.n - n, SUFFIX, n) == 0;
}

static int unknown(struct pf_err *err, const char *what)
{
	return pf_fail(err, PF_SCOPE_ITEM, PF_RETRY_NO, "it can't be made single events: %s", what);
}

static bool has_word(struct pf_span s, const char *word)
{
	size_t n = strlen(word);

	for (size_t i = 0; i + n <= s.n; i++) {
		if (pf_span_is(pf_span(s.p + i, n), word)) {
			return true;
		}
	}
	return false;
}

/* What can't be followed instance by instance is no guess of ours. */
static int check(const struct pf_ical_piece *pieces, size_t n, bool *endless, struct pf_err *err)
{
	struct pf_ical *c = pieces[0].c;

	*endless = false;
	for (size_t i = pf_ical_next_line(c, pieces[0].comp, c->comp[pieces[0].comp].begin);
		i != SIZE_MAX; i = pf_ical_next_line(c, pieces[0].comp, i)) {
		const struct pf_line *l = &c->line[i];

		if (pf_span_is(l->name, "EXRULE")) {
			return unknown(err, "it has an EXRULE");
		}
		if (pf_span_is(l->name, "RDATE") && memchr(l->value.p, '/', l->value.n)) {
			return unknown(err, "it has periods");
		}
		if (pf_span_is(l->name, "RRULE")) {
			if (!ical_is_rule(c, l)) {
				return unknown(err, "it has a rule that can't be read");
			}
			if (has_word(l->value, "SECONDLY") || has_word(l->value, "MINUTELY") ||
				has_word(l->value, "HOURLY")) {
				return unknown(err, "it recurs within a day");
			}
			*endless = *endless ||
				   !(has_word(l->value, "COUNT=") || has_word(l->value, "UNTIL="));
		}
	}
	for (size_t i = 1; i < n; i++) {
		const struct pf_line *l =
			pf_ical_find(pieces[i].c, pieces[i].comp, "RECURRENCE-ID");

		if (!l || pf_params_find(l->params, "RANGE").p) {
			return unknown(err, "an instance of it stands for those behind it as well");
		}
	}
	return PF_OK;
}

/* ---- lines ---- */

/* A time of the series as it is for the instance, in the line's own form. */
static void put_moved(
	struct ical_writer *w, struct pf_ical *c, const struct pf_line *l, int64_t by_s)
{
	struct pf_ical_time t;
	struct pf_civil d;
	char text[40];
	int n;

	if (!pf_ical_line_time(c, l, &t)) {
		ical_put_changed(w, l, l->params, l->value);
		return;
	}
	pf_civil_from_unix(t.utc_s + by_s + pf_ical_offset_at(&t, t.utc_s + by_s), &d);
	n = snprintf(text, sizeof(text), "%04d%02d%02d", d.year, d.month, d.day);
	if (t.form != PF_ICAL_DATE) {
		(void)snprintf(text + n, sizeof(text) - (size_t)n, "T%02d%02d%02d%s", d.hour,
			d.minute, d.second, t.form == PF_ICAL_UTC ? "Z" : "");
	}
	ical_put_changed(w, l, l->params, pf_span_str(text));
}

bool ical_put_single(struct ical_writer *w, struct pf_ical *c, int comp, const struct pf_line *l)
{
	static const char *const SERIES[] = {"RRULE", "RDATE", "EXDATE", "EXRULE"};
	struct pf_ical_time begin;

	if (ical_is_one_of(l->name, SERIES, PF_COUNT(SERIES))) {
		return true;
	}
	if ((!pf_span_is(l->name, "DTSTART") && !pf_span_is(l->name, "DTEND")) ||
		!pf_ical_begin(c, comp, &begin)) {
		return false;
	}
	put_moved(w, c, l, *w->edit->single_utc_s - begin.utc_s);
	return true;
}

/* ---- the series ---- */

struct singles {
	const struct pf_ical_piece *pieces;
	size_t n;
	struct pf_ical_time begin;
	struct pf_span uid;
	struct pf_buf *out, *changes;
	struct pf_err *err;
	int64_t day;      /* of the instance before, on the wall */
	unsigned int nth; /* of that day */
};

/* The piece that overrides this instance; 0: none does. */
static size_t override_of(const struct singles *s, int64_t at)
{
	for (size_t i = 1; i < s->n; i++) {
		struct pf_ical *c = s->pieces[i].c;
		const struct pf_line *l = pf_ical_find(c, s->pieces[i].comp, "RECURRENCE-ID");
		struct pf_ical_time t;

		if (pf_ical_line_time(c, l, &t) && t.utc_s == at) {
			return i;
		}
	}
	return 0;
}

static void uid_of(struct singles *s, int64_t at, char out[UID_MAX])
{
	int64_t local = at + pf_ical_offset_at(&s->begin, at), day = local / DAY_S;
	struct pf_span names[3] = {s->uid, pf_span("", 1)};
	char key[40], uuid[PF_UUID_TEXT];

	s->nth = day == s->day ? s->nth + 1 : 0;
	s->day = day;
	(void)snprintf(key, sizeof(key), "single %lld %u", (long long)day, s->nth);
	names[2] = pf_span_str(key);
	pf_uuid5(names, PF_COUNT(names), uuid);
	(void)snprintf(out, UID_MAX, "%s%s", uuid, SUFFIX);
}

static int write_one(struct singles *s, int64_t at)
{
	size_t override = override_of(s, at);
	char uid[UID_MAX];
	struct pf_ical_edit edit = {.alone = override > 0};

	uid_of(s, at, uid);
	edit.uid = pf_span_str(uid);
	edit.single_utc_s = override == 0 ? &at : NULL;
	return pf_ical_write(&s->pieces[override], 1, &edit, s->out, s->changes, s->err);
}

static int write_all(struct singles *s, const struct pf_ical_set *set, const struct pf_ical_set *ex,
	int64_t until_utc_s, struct pf_ical_singles *told)
{
	int rc = PF_OK;

	for (size_t i = 0; i < set->n && rc == PF_OK; i++) {
		if (set->at[i] >= until_utc_s) {
			break;
		}
		if (pf_ical_set_has(ex, set->at[i]) && override_of(s, set->at[i]) == 0) {
			continue;
		}
		rc = write_one(s, set->at[i]);
		told->first_utc_s = told->n == 0 ? set->at[i] : told->first_utc_s;
		told->first_bytes = told->n == 0 ? s->out->n : told->first_bytes;
		told->n++;
	}
	return rc;
}

/* Each override is of one of the instances, or of one past them. */
static int check_overrides(struct singles *s, const struct pf_ical_set *set, int64_t until_utc_s)
{
	for (size_t i = 1; i < s->n; i++) {
		struct pf_ical *c = s->pieces[i].c;
		const struct pf_line *l = pf_ical_find(c, s->pieces[i].comp, "RECURRENCE-ID");
		struct pf_ical_time t;

		if (!pf_ical_line_time(c, l, &t) ||
			(t.utc_s < until_utc_s && !pf_ical_set_has(set, t.utc_s))) {
			return unknown(s->err, "an instance that the series does not have");
		}
	}
	return PF_OK;
}

/* Whether any comes at the end of the window or later. */
static int look_beyond(struct singles *s, const struct pf_ical_set *set, int64_t until_utc_s,
	struct pf_ical_singles *told)
{
	struct pf_ical_set all = {0};
	int rc = pf_ical_instants(
		s->pieces[0].c, s->pieces[0].comp, INT64_MAX, set->n + 1, &all, s->err);

	told->more = told->endless || (all.n > 0 && all.at[all.n - 1] >= until_utc_s);
	pf_ical_set_deinit(&all);
	return rc;
}

int pf_ical_singles(const struct pf_ical_piece *pieces, size_t n, int64_t until_utc_s,
	struct pf_buf *out, struct pf_ical_singles *told, struct pf_err *err)
{
	struct pf_ical *c = pieces[0].c;
	const struct pf_line *uid = pf_ical_find(c, pieces[0].comp, "UID");
	struct singles s = {.pieces = pieces, .n = n, .out = out, .err = err, .day = INT64_MIN};
	struct pf_ical_set set = {0}, ex = {0};
	struct pf_buf changes;
	int rc = check(pieces, n, &told->endless, err);

	*told = (struct pf_ical_singles){.endless = told->endless};
	if (rc == PF_OK &&
		(!uid || uid->value.n == 0 || !pf_ical_begin(c, pieces[0].comp, &s.begin))) {
		rc = unknown(err, "it has no UID, or no begin");
	}
	if (rc != PF_OK) {
		return rc;
	}
	s.uid = uid->value;
	pf_buf_init(&changes, 1 << 20);
	s.changes = &changes;
	rc = pf_ical_instants(c, pieces[0].comp, until_utc_s, SINGLES_MAX + 1, &set, err);
	rc = rc == PF_OK ? pf_ical_exdates(c, pieces[0].comp, &ex, err) : rc;
	if (rc == PF_OK && set.n > SINGLES_MAX) {
		rc = unknown(err, "there are too many in so many years");
	}
	rc = rc == PF_OK ? check_overrides(&s, &set, until_utc_s) : rc;
	rc = rc == PF_OK ? look_beyond(&s, &set, until_utc_s, told) : rc;
	rc = rc == PF_OK ? write_all(&s, &set, &ex, until_utc_s, told) : rc;
	if (rc == PF_OK && told->n == 0) {
		rc = unknown(err, "none of its instances is in these years");
	}
	pf_ical_set_deinit(&set);
	pf_ical_set_deinit(&ex);
	pf_buf_deinit(&changes);
	return rc;
}
