#include "proto/ical/ical.h"

#include "base/utf8.h"
#include "proto/line/text.h"

#include <stdio.h>
#include <stdlib.h>

enum { INPUT_MAX = 64 << 20, DEPTH_MAX = 32 };

/* ---- lines and components ---- */

static int add_line(struct pf_ical *c, const struct pf_line *l, size_t *cap, struct pf_err *err)
{
	if (c->line_count == *cap) {
		size_t more = *cap ? *cap * 2 : 64;
		struct pf_line *grown = realloc(c->line, more * sizeof(*grown));

		if (!grown) {
			return pf_fail_memory(err, "a calendar");
		}
		c->line = grown;
		*cap = more;
	}
	c->line[c->line_count++] = *l;
	return PF_OK;
}

static int read_lines(struct pf_ical *c, struct pf_err *err)
{
	struct pf_lines lines;
	struct pf_line l;
	size_t cap = 0;
	int rc;

	pf_lines_init(&lines, pf_buf_span(&c->text), &c->arena);
	while ((rc = pf_lines_next(&lines, &l, err)) == PF_OK) {
		c->untidy = c->untidy || l.bad;
		if (add_line(c, &l, &cap, err) != PF_OK) {
			return PF_FAIL;
		}
	}
	return rc == PF_END ? PF_OK : rc;
}

static struct pf_span trimmed(struct pf_span s)
{
	while (s.n > 0 && (s.p[s.n - 1] == ' ' || s.p[s.n - 1] == '\t')) {
		s.n--;
	}
	while (s.n > 0 && (s.p[0] == ' ' || s.p[0] == '\t')) {
		s = pf_span_from(s, 1);
	}
	return s;
}

static int open_comp(struct pf_ical *c, size_t at, int parent, int *last_child, struct pf_err *err)
{
	int index = (int)c->comp_count;
	struct pf_ical_comp *grown =
		realloc(c->comp, (c->comp_count + 1) * sizeof(*grown)); /* they are few */

	if (!grown) {
		return pf_fail_memory(err, "a calendar");
	}
	c->comp = grown;
	c->comp[c->comp_count++] = (struct pf_ical_comp){.name = trimmed(c->line[at].value),
		.begin = at,
		.end = c->line_count,
		.parent = parent,
		.next = PF_ICAL_NONE,
		.child = PF_ICAL_NONE};
	if (*last_child != PF_ICAL_NONE) {
		c->comp[*last_child].next = index;
	} else if (parent != PF_ICAL_NONE) {
		c->comp[parent].child = index;
	}
	*last_child = index;
	return PF_OK;
}

/* An END closes the nearest open component of its name, and with it what is open within. */
static int close_comp(struct pf_ical *c, size_t at, int open)
{
	struct pf_span name = trimmed(c->line[at].value);
	int k = open;

	while (k != PF_ICAL_NONE) {
		char text[32];

		(void)snprintf(text, sizeof(text), "%.*s", (int)(name.n > 31 ? 31 : name.n),
			(const char *)name.p);
		if (pf_span_is(c->comp[k].name, text)) {
			break;
		}
		k = c->comp[k].parent;
	}
	if (k == PF_ICAL_NONE) {
		c->untidy = true; /* an END of nothing */
		return open;
	}
	for (int i = open; i != k; i = c->comp[i].parent) {
		c->comp[i].end = at;
		c->untidy = true;
	}
	c->comp[k].end = at;
	return c->comp[k].parent;
}

static int read_comps(struct pf_ical *c, struct pf_err *err)
{
	int last[DEPTH_MAX + 1];
	int open = PF_ICAL_NONE, depth = 0;

	last[0] = PF_ICAL_NONE;
	for (size_t i = 0; i < c->line_count; i++) {
		if (pf_span_is(c->line[i].name, "BEGIN")) {
			if (depth == DEPTH_MAX) {
				return pf_fail(err, PF_SCOPE_ITEM, PF_RETRY_NO,
					"line %u: components nested more than %d deep",
					c->line[i].number, DEPTH_MAX);
			}
			if (open_comp(c, i, open, &last[depth], err) != PF_OK) {
				return PF_FAIL;
			}
			open = last[depth];
			last[++depth] = PF_ICAL_NONE;
		} else if (pf_span_is(c->line[i].name, "END")) {
			open = close_comp(c, i, open);
			depth = 0;
			for (int k = open; k != PF_ICAL_NONE; k = c->comp[k].parent) {
				depth++;
			}
		}
	}
	c->untidy = c->untidy || open != PF_ICAL_NONE;
	return PF_OK;
}

/* What people have in calendars, outside of any. */
static bool is_bare(const struct pf_ical *c, int comp)
{
	return c->comp[comp].parent == PF_ICAL_NONE &&
	       (pf_ical_comp_is(c, comp, "VEVENT") || pf_ical_comp_is(c, comp, "VTODO") ||
		       pf_ical_comp_is(c, comp, "VJOURNAL"));
}

int pf_ical_read(struct pf_span bytes, struct pf_ical **out, struct pf_err *err)
{
	struct pf_ical *c = calloc(1, sizeof(*c));
	int rc;

	*out = c;
	if (!c) {
		return pf_fail_memory(err, "a calendar");
	}
	pf_arena_init(&c->arena);
	pf_buf_init(&c->text, 3 * (size_t)INPUT_MAX);
	if (bytes.n > INPUT_MAX) {
		return pf_fail(err, PF_SCOPE_ITEM, PF_RETRY_NO,
			"%zu bytes are more than a calendar item may have", bytes.n);
	}
	c->bom = pf_span_starts(bytes, "\xEF\xBB\xBF");
	c->latin = !pf_utf8_valid(bytes);
	rc = c->latin ? pf_text_from_latin(bytes, &c->text, err) : pf_buf_add(&c->text, bytes, err);
	if (rc != PF_OK || read_lines(c, err) != PF_OK || read_comps(c, err) != PF_OK) {
		return PF_FAIL;
	}
	for (size_t i = 0; i < c->comp_count; i++) {
		if (pf_ical_comp_is(c, (int)i, "VCALENDAR") || is_bare(c, (int)i)) {
			return PF_OK;
		}
	}
	return pf_fail(err, PF_SCOPE_ITEM, PF_RETRY_NO,
		"it is no calendar: no BEGIN:VCALENDAR in %zu lines", c->line_count);
}

void pf_ical_free(struct pf_ical **calendar)
{
	struct pf_ical *c = *calendar;

	if (!c) {
		return;
	}
	pf_ical_zones_free(c);
	free(c->line);
	free(c->comp);
	pf_buf_deinit(&c->text);
	pf_arena_deinit(&c->arena);
	free(c);
	*calendar = NULL;
}

/* ---- looking ---- */

bool pf_ical_comp_is(const struct pf_ical *c, int comp, const char *name)
{
	return pf_span_is(c->comp[comp].name, name);
}

size_t pf_ical_next_line(const struct pf_ical *c, int comp, size_t after)
{
	size_t i = after + 1;
	int child = c->comp[comp].child;

	while (i < c->comp[comp].end && i < c->line_count) {
		while (child != PF_ICAL_NONE && c->comp[child].end < i) {
			child = c->comp[child].next;
		}
		if (child == PF_ICAL_NONE || i < c->comp[child].begin) {
			return i;
		}
		i = c->comp[child].end + 1; /* one without END takes all that its parent has left */
		child = c->comp[child].next;
	}
	return SIZE_MAX;
}

const struct pf_line *pf_ical_find(const struct pf_ical *c, int comp, const char *name)
{
	for (size_t i = pf_ical_next_line(c, comp, c->comp[comp].begin); i != SIZE_MAX;
		i = pf_ical_next_line(c, comp, i)) {
		if (pf_span_is(c->line[i].name, name)) {
			return &c->line[i];
		}
	}
	return NULL;
}
