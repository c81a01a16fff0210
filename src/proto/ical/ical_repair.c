/*
 * What the standards demand and is missing or wrong is put right, with the least change: nothing is
 * dropped that says something, what can't stand where it is stays under another name.
 */
#include "proto/ical/ical_writer.h"

#include "base/utf8.h"

#include <stdio.h>

static const char *const TEXTS[] = {"SUMMARY", "LOCATION", "DESCRIPTION", "COMMENT", "CONTACT"};

static void put_tight(struct ical_writer *w, const struct pf_line *l)
{
	struct pf_buf v;

	pf_buf_init(&v, 1 << 28);
	if (w->rc == PF_OK) {
		w->rc = pf_text_tighten(l->value, &v, w->err);
	}
	ical_put_changed(w, l, l->params, pf_buf_span(&v));
	pf_buf_deinit(&v);
	ical_changed(w, "text escaped");
}

/* What may be there once (RFC 5545 sections 3.6.1 to 3.6.3). */
static const char *const ONCE[] = {"SUMMARY", "DESCRIPTION", "LOCATION", "DTSTART", "DTEND", "DUE",
	"DURATION", "DTSTAMP", "CLASS", "CREATED", "GEO", "LAST-MODIFIED", "ORGANIZER", "PRIORITY",
	"SEQUENCE", "STATUS", "TRANSP", "URL", "RECURRENCE-ID", "COMPLETED", "PERCENT-COMPLETE"};

/* A second one, or a DURATION beside an end, is kept under another name. */
static bool is_too_many(struct pf_ical *c, int comp, const struct pf_line *l)
{
	if (pf_span_is(l->name, "DURATION") &&
		(pf_ical_find(c, comp, "DTEND") || pf_ical_find(c, comp, "DUE"))) {
		return true;
	}
	for (size_t i = 0; i < PF_COUNT(ONCE); i++) {
		if (pf_span_is(l->name, ONCE[i])) {
			return l != pf_ical_find(c, comp, ONCE[i]);
		}
	}
	return false;
}

bool ical_is_blank(const struct pf_line *l)
{
	size_t i = 0;

	while (i < l->value.n && pf_ascii_space(l->value.p[i])) {
		i++;
	}
	return i == l->value.n;
}

bool ical_is_one_of(struct pf_span name, const char *const *names, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (pf_span_is(name, names[i])) {
			return true;
		}
	}
	return false;
}

void ical_put_aside(struct ical_writer *w, const struct pf_line *l, const char *why)
{
	struct pf_line renamed = *l;
	char name[64];

	(void)snprintf(name, sizeof(name), "X-POSTFERRY-OTHER-%.*s", (int)l->name.n,
		(const char *)l->name.p);
	renamed.name = pf_span_str(name);
	ical_put_changed(w, &renamed, l->params, l->value);
	ical_changed(w, why);
}

/* Everything but the parameter VALUE. */
static void put_without_value(struct ical_writer *w, const struct pf_line *l)
{
	struct pf_span rest = l->params, name, value;
	struct pf_buf params, tight;
	const uint8_t *at = rest.p;

	pf_buf_init(&params, 1 << 24);
	pf_buf_init(&tight, 1 << 28);
	while (w->rc == PF_OK && pf_params_next(&rest, &name, &value)) {
		if (!pf_span_is(name, "VALUE")) {
			w->rc = pf_buf_add(&params, pf_span(at, (size_t)(rest.p - at)), w->err);
		}
		at = rest.p;
	}
	if (w->rc == PF_OK) {
		w->rc = pf_text_tighten(l->value, &tight, w->err);
	}
	ical_put_changed(w, l, pf_buf_span(&params), pf_buf_span(&tight));
	pf_buf_deinit(&params);
	pf_buf_deinit(&tight);
	ical_changed(w, "VALUE of a text dropped");
}

static void put_point(struct ical_writer *w, const struct pf_line *l)
{
	struct pf_buf v;

	pf_buf_init(&v, 1 << 20);
	if (w->rc == PF_OK) {
		w->rc = pf_text_unescape(l->value, &v, w->err);
	}
	ical_put_changed(w, l, l->params, pf_buf_span(&v));
	pf_buf_deinit(&v);
	ical_changed(w, "GEO without a backslash");
}

bool ical_has_periods(const struct pf_line *l)
{
	struct pf_span value = pf_params_find(l->params, "VALUE");

	return pf_span_is(l->name, "RDATE") && value.p && pf_span_is(value, "PERIOD");
}

/* Whether this is one of the names in a list with blanks between. */
static bool is_in_list(const char *list, struct pf_span name)
{
	struct pf_span rest = pf_span_str(list), word;

	while (pf_value_next(&rest, ' ', &word)) {
		if (word.n == name.n &&
			strncasecmp((const char *)word.p, (const char *)name.p, name.n) == 0) {
			return true;
		}
	}
	return false;
}

/* The parameters of a line without some of them, behind `name`. */
static void put_name(struct ical_writer *w, const struct pf_line *l, const char *name,
	const char *without, struct pf_buf *out)
{
	struct pf_span rest = l->params, param, value;
	const uint8_t *at = rest.p;

	w->rc = w->rc == PF_OK ? pf_buf_add_str(out, name, w->err) : w->rc;
	while (w->rc == PF_OK && pf_params_next(&rest, &param, &value)) {
		if (!is_in_list(without, param)) {
			w->rc = pf_buf_add(out, pf_span(at, (size_t)(rest.p - at)), w->err);
		}
		at = rest.p;
	}
}

/* A value with the parameters of another line, but for some of them. */
void ical_put_as(struct ical_writer *w, const struct pf_line *l, const char *name,
	const char *without, struct pf_span value)
{
	struct pf_buf head;

	pf_buf_init(&head, 1 << 24);
	put_name(w, l, name, without, &head);
	if (w->rc == PF_OK) {
		w->rc = pf_line_write(w->out, pf_buf_span(&head), value, w->err);
	}
	pf_buf_deinit(&head);
}

/* "begin/end" or "begin/duration" (RFC 5545 section 3.3.9). */
bool ical_split_period(struct pf_span period, struct pf_span *begin, struct pf_span *end)
{
	const uint8_t *slash = period.n > 0 ? memchr(period.p, '/', period.n) : NULL;

	if (!slash) {
		return false;
	}
	*begin = pf_span(period.p, (size_t)(slash - period.p));
	*end = pf_span_from(period, begin->n + 1);
	return begin->n > 0 && end->n > 0;
}

/* RDATE of periods as one of their begins: how long each lasts is said by put_period. */
static void put_begins(struct ical_writer *w, const struct pf_line *l)
{
	struct pf_span rest = l->value, part, begin, end;
	struct pf_buf v;

	pf_buf_init(&v, 1 << 24);
	while (w->rc == PF_OK && pf_value_next(&rest, ',', &part)) {
		w->rc = v.n > 0 ? pf_buf_add(&v, pf_span(",", 1), w->err) : PF_OK;
		if (w->rc == PF_OK) {
			w->rc = pf_buf_add(
				&v, ical_split_period(part, &begin, &end) ? begin : part, w->err);
		}
	}
	ical_put_as(w, l, "RDATE", "VALUE", pf_buf_span(&v));
	pf_buf_deinit(&v);
	ical_changed(w, "periods made instances");
}

/* FREEBUSY with several periods: some can't read more than one a line. */
static void put_apart(struct ical_writer *w, const struct pf_line *l)
{
	struct pf_span rest = l->value, part;

	while (pf_value_next(&rest, ',', &part)) {
		ical_put_changed(w, l, l->params, part);
	}
	ical_changed(w, "periods one a line");
}

/* These are texts whatever they claim to be. */
static bool repair_text(struct ical_writer *w, const struct pf_line *l)
{
	struct pf_span value = pf_params_find(l->params, "VALUE");

	if (value.p && !pf_span_is(value, "TEXT")) {
		put_without_value(w, l);
		return true;
	}
	if (!pf_span_is(l->name, "RELATED-TO") && pf_text_is_loose(l->value)) {
		put_tight(w, l);
		return true;
	}
	return false;
}

/* true: the line was dealt with. */
bool ical_repair_line(struct ical_writer *w, struct pf_ical *c, int comp, const struct pf_line *l)
{
	if (l->bad) {
		ical_changed(w, "a line without a name dropped");
		return true;
	}
	if (ical_is_blank(l)) {
		ical_changed(w, "empty properties dropped");
		return true;
	}
	if (is_too_many(c, comp, l)) {
		ical_put_aside(
			w, l, "what may be there once kept once, the rest under another name");
		return true;
	}
	if (ical_has_periods(l)) {
		put_begins(w, l);
		return true;
	}
	if (pf_span_is(l->name, "FREEBUSY") && memchr(l->value.p, ',', l->value.n)) {
		put_apart(w, l);
		return true;
	}
	if (ical_repair_time(w, c, comp, l)) {
		return true;
	}
	if (pf_span_is(l->name, "GEO") && memchr(l->value.p, '\\', l->value.n)) {
		put_point(w, l);
		return true;
	}
	if (ical_is_one_of(l->name, TEXTS, PF_COUNT(TEXTS)) || pf_span_is(l->name, "RELATED-TO")) {
		return repair_text(w, l);
	}
	return false;
}
