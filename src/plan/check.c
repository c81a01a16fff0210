/*
 * Rows held against each other: what stands twice, what would mix accounts up, what looks shifted.
 */
#include "plan/plan_private.h"

#include "model/url.h"

#include <stdlib.h>

enum { SHOWN_MAX = 10 };

struct order {
	const struct pf_plan_row *rows;
	size_t side;
};

static int by_identity(const void *a, const void *b, void *arg)
{
	const struct order *o = arg;
	const struct pf_plan_row *x = &o->rows[*(const size_t *)a],
				 *y = &o->rows[*(const size_t *)b];
	int c = strcmp(x->side[o->side].identity, y->side[o->side].identity);

	return c != 0 ? c : (x->row > y->row) - (x->row < y->row);
}

static void check_targets(struct pf_plan *p, const size_t *sorted)
{
	for (size_t i = 1; i < p->row_n; i++) {
		const struct pf_plan_row *a = &p->rows[sorted[i - 1]], *b = &p->rows[sorted[i]];

		if (strcmp(a->side[1].identity, b->side[1].identity) != 0 || a->nowhere ||
			b->nowhere) {
			continue;
		}
		if (strcmp(a->side[0].identity, b->side[0].identity) == 0) {
			pf_plan_problem(p, b->row, "",
				"the same accounts as in row %zu: remove one", a->row);
		} else if (a->row != b->row ||
			   (a->kinds & b->kinds)) { /* of one account: its kinds */
			pf_plan_problem(p, b->row, "",
				"the target %s is that of row %zu, with another source: two "
				"accounts "
				"into one are copied one after the other, each by postferry copy",
				b->side[1].identity, a->row);
		}
	}
}

static void check_itself(struct pf_plan *p)
{
	for (size_t i = 0; i < p->row_n; i++) {
		const struct pf_plan_row *r = &p->rows[i];

		if (strcmp(r->side[0].identity, r->side[1].identity) == 0) {
			pf_plan_problem(p, r->row, "",
				"the target is the source (%s): nothing to do, and nothing was "
				"touched",
				r->side[0].identity);
		}
	}
}

/* ---- shifted rows ---- */

/* The local part of the user in an identity, as in "imap://ann%40x@host/": "ann". */
static struct pf_span local_of(const char *identity)
{
	const char *s = strstr(identity, "://");
	size_t n, local;

	if (!s) {
		return pf_span(NULL, 0);
	}
	s += 3;
	n = strcspn(s, "@/");
	if (s[n] != '@') {
		return pf_span(NULL, 0);
	}
	for (local = 0; local < n && strncasecmp(s + local, "%40", 3) != 0; local++) {
		if (strncasecmp(s + local, "%5C", 3) == 0) { /* DOMAIN\user */
			s += local + 3;
			n -= local + 3;
			local = SIZE_MAX;
		}
	}
	return pf_span(s, local);
}

static int compare(struct pf_span a, struct pf_span b)
{
	size_t n = a.n < b.n ? a.n : b.n;
	int c = n > 0 ? strncasecmp((const char *)a.p, (const char *)b.p, n) : 0;

	return c != 0 ? c : (a.n > b.n) - (a.n < b.n);
}

static int by_local(const void *a, const void *b, void *arg)
{
	const struct pf_plan_row *rows = arg;

	return compare(local_of(rows[*(const size_t *)a].side[1].identity),
		local_of(rows[*(const size_t *)b].side[1].identity));
}

/* The row whose target bears this name; NULL: none. */
static const struct pf_plan_row *target_named(
	const struct pf_plan *p, const size_t *sorted, struct pf_span name)
{
	size_t low = 0, high = p->row_n;

	while (low < high) {
		size_t mid = low + (high - low) / 2;
		const struct pf_plan_row *r = &p->rows[sorted[mid]];
		int c = compare(local_of(r->side[1].identity), name);

		if (c == 0) {
			return r;
		}
		if (c < 0) {
			low = mid + 1;
		} else {
			high = mid;
		}
	}
	return NULL;
}

static void check_names(struct pf_plan *p, const size_t *sorted)
{
	size_t shown = 0, more = 0;

	for (size_t i = 0; i < p->row_n; i++) {
		const struct pf_plan_row *r = &p->rows[i], *other;
		struct pf_span from = local_of(r->side[0].identity),
			       to = local_of(r->side[1].identity);

		if (!from.p || !to.p || compare(from, to) == 0) {
			continue;
		}
		if (shown++ >= SHOWN_MAX) {
			more++;
			continue;
		}
		other = target_named(p, sorted, from);
		if (other) {
			plan_warning(p, r->row,
				"the mail of \"%.*s\" goes to \"%.*s\", while \"%.*s\" is the "
				"target of "
				"row %zu: is a line shifted?",
				(int)from.n, (const char *)from.p, (int)to.n, (const char *)to.p,
				(int)from.n, (const char *)from.p, other->row);
		} else {
			plan_warning(p, r->row,
				"the mail of \"%.*s\" goes to \"%.*s\": is that meant?",
				(int)from.n, (const char *)from.p, (int)to.n, (const char *)to.p);
		}
	}
	if (more > 0) {
		plan_warning(p, 0, "%zu more accounts have another name at the target", more);
	}
}

int plan_check(struct pf_plan *p, struct pf_err *err)
{
	size_t *sorted = calloc(p->row_n + 1, sizeof(*sorted));
	struct order o = {p->rows, 1};

	if (!sorted) {
		return pf_fail_memory(err, "a plan");
	}
	for (size_t i = 0; i < p->row_n; i++) {
		sorted[i] = i;
	}
	check_itself(p);
	qsort_r(sorted, p->row_n, sizeof(*sorted), by_identity, &o);
	check_targets(p, sorted);
	if (p->path) { /* who writes both URLs by hand has seen them */
		qsort_r(sorted, p->row_n, sizeof(*sorted), by_local, p->rows);
		check_names(p, sorted);
	}
	free(sorted);
	return PF_OK;
}
