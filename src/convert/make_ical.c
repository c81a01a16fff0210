/*
 * What events, tasks and notes have in common: texts, categories, importance, files. The same
 * tables as in mapi_event.c and form.c, read from the other side.
 */
#include "convert/make_private.h"

#include <stdlib.h>

/* ---- asking ---- */

const struct pf_line *make_next_line(const struct make_ical *i, size_t *at)
{
	*at = pf_ical_next_line(i->c, i->comp, *at);
	return *at == SIZE_MAX ? NULL : &i->c->line[*at];
}

struct pf_span make_line_text(struct make_ical *i, const char *name)
{
	const struct pf_line *l = pf_ical_find(i->c, i->comp, name);

	return l ? make_unescaped(&i->m, l->value) : pf_span(NULL, 0);
}

bool make_line_time(struct make_ical *i, const char *name, int64_t *utc_s)
{
	const struct pf_line *l = pf_ical_find(i->c, i->comp, name);
	struct pf_ical_time t;

	if (!l || !pf_ical_line_time(i->c, l, &t)) {
		return false;
	}
	*utc_s = t.utc_s;
	return true;
}

int64_t make_line_number(const struct pf_line *l, int64_t none)
{
	bool minus = l && l->value.n > 0 && l->value.p[0] == '-';
	int64_t n = 0;
	size_t i = minus ? 1 : 0, from = i;

	for (; l && i < l->value.n && l->value.p[i] >= '0' && l->value.p[i] <= '9' && i < 16; i++) {
		n = n * 10 + (l->value.p[i] - '0');
	}
	return !l || i == from ? none : minus ? -n : n;
}

int make_importance(int64_t priority)
{
	return priority < 1 || priority > 9 ? -1 : priority < 5 ? 2 : priority == 5 ? 1 : 0;
}

void make_class(struct make *m, struct pf_span value)
{
	static const char *const CLASSES[] = {"PUBLIC", "X-PERSONAL", "PRIVATE", "CONFIDENTIAL"};
	int n = 2; /* one that is not known is to be taken for PRIVATE (RFC 5545 section 3.8.1.3) */

	for (size_t i = 0; i < PF_COUNT(CLASSES); i++) {
		n = pf_span_is(value, CLASSES[i]) ? (int)i : n;
	}
	if (n > 0) {
		make_tag(m, PF_TAG_SENSITIVITY, make_number(n));
		make_lid(m, &pf_set_common, 0x8506, make_truth(n >= 2));
	}
}

void make_stamps(struct make_ical *i)
{
	int64_t utc_s;

	if (make_line_time(i, "CREATED", &utc_s)) {
		make_tag(&i->m, PF_TAG_CREATION_TIME, make_time(utc_s));
	}
	if (make_line_time(i, "LAST-MODIFIED", &utc_s)) {
		make_tag(&i->m, PF_TAG_LAST_MODIFICATION_TIME, make_time(utc_s));
	}
}

/* ---- lines ---- */

static void take_summary(struct make_ical *i, const struct pf_line *l)
{
	make_tag(&i->m, PF_TAG_SUBJECT, make_text(make_unescaped(&i->m, l->value)));
}

/* Exchange keeps one body: what is formatted, where there is such a one. */
static void take_text(struct make_ical *i, const struct pf_line *l)
{
	const struct pf_line *html = pf_ical_find(i->c, i->comp, "X-ALT-DESC");

	if (html && html->value.n > 0) {
		return;
	}
	make_tag(&i->m, PF_TAG_BODY, make_text(make_unescaped(&i->m, l->value)));
}

static void take_html(struct make_ical *i, const struct pf_line *l)
{
	struct pf_span type = pf_params_find(l->params, "FMTTYPE");

	if (type.p && !pf_span_is(type, "text/html")) {
		make_lost(
			&i->m, "X-ALT-DESC;FMTTYPE=%.40s", (const char *)make_keep(&i->m, type).p);
		return;
	}
	if (l->value.n > 0) {
		make_tag(&i->m, PF_TAG_HTML, make_text(make_unescaped(&i->m, l->value)));
	}
}

static void take_categories(struct make_ical *i, const struct pf_line *l)
{
	make_categories(&i->m, l->value);
}

static void take_class(struct make_ical *i, const struct pf_line *l)
{
	make_class(&i->m, l->value);
}

static void take_priority(struct make_ical *i, const struct pf_line *l)
{
	int64_t priority = make_line_number(l, 0);
	int n = make_importance(priority);

	if (n >= 0) {
		make_tag(&i->m, PF_TAG_IMPORTANCE, make_number(n));
	}
	if (priority > 0 && priority != 1 && priority != 5 && priority != 9) {
		make_lost(&i->m, "PRIORITY:%d", (int)priority); /* there are three of them only */
	}
}

static void take_attachment(struct make_ical *i, const struct pf_line *l)
{
	struct pf_span encoding = pf_params_find(l->params, "ENCODING"), bytes;
	struct pf_span name = make_param(&i->m, l, "X-FILENAME");
	struct pf_mapi_attachment *a;

	name = name.p ? name : make_param(&i->m, l, "FILENAME");
	if (!encoding.p || !pf_span_starts(encoding, "B") ||
		!make_decoded(&i->m, l->value, &bytes)) {
		make_lost(&i->m, "ATTACH of a URI");
		return;
	}
	a = make_file(&i->m, name, pf_params_find(l->params, "FMTTYPE"));
	if (a) {
		a->data = bytes;
	}
}

bool make_common_line(struct make_ical *i, const struct pf_line *l)
{
	static const struct {
		const char *name;
		void (*take)(struct make_ical *i, const struct pf_line *l);
		bool once;
	} LINES[] = {
		{"SUMMARY", take_summary, true},
		{"DESCRIPTION", take_text, true},
		{"X-ALT-DESC", take_html, true},
		{"CLASS", take_class, true},
		{"PRIORITY", take_priority, true},
		{"CATEGORIES", take_categories, false},
		{"ATTACH", take_attachment, false},
	};

	for (size_t k = 0; k < PF_COUNT(LINES); k++) {
		if (!pf_span_is(l->name, LINES[k].name)) {
			continue;
		}
		if (LINES[k].once && l != pf_ical_find(i->c, i->comp, LINES[k].name)) {
			make_lost(&i->m, "a second %s", LINES[k].name);
		} else {
			LINES[k].take(i, l);
		}
		return true;
	}
	return false;
}
