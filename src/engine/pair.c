#include "engine/pair.h"

#include "base/civil.h"

#include <stdlib.h>

static int by_size(const void *a, const void *b)
{
	const struct pf_pair_item *x = a, *y = b;

	return x->size < y->size ? -1 : x->size > y->size;
}

static int by_date(const void *a, const void *b)
{
	const struct pf_pair_item *x = a, *y = b;

	return x->date_utc_s < y->date_utc_s ? -1 : x->date_utc_s > y->date_utc_s;
}

static int by_exact(const void *a, const void *b)
{
	const struct pf_pair_item *x = a, *y = b;
	int d = (int)y->known - (int)x->known; /* known ones first */

	if (d == 0) {
		d = memcmp(&x->print.exact, &y->print.exact, sizeof(x->print.exact));
	}
	if (d == 0) {
		d = by_date(a, b);
	}
	return d != 0 ? d : (x->index < y->index ? -1 : x->index > y->index);
}

static int canonical_cmp(const struct pf_pair_item *x, const struct pf_pair_item *y)
{
	int d = memcmp(&x->print.canonical, &y->print.canonical, sizeof(x->print.canonical));

	return d != 0 ? d : by_date(x, y);
}

static bool left_over(const struct pf_pair_item *i)
{
	return i->known && i->has_canonical && i->mate == SIZE_MAX;
}

static int by_canonical(const void *a, const void *b)
{
	const struct pf_pair_item *x = a, *y = b;
	int d = (int)left_over(y) - (int)left_over(x);

	if (d == 0) {
		d = canonical_cmp(x, y);
	}
	return d != 0 ? d : (x->index < y->index ? -1 : x->index > y->index);
}

static void sort(struct pf_pair_item *items, size_t n, int (*cmp)(const void *, const void *))
{
	if (n > 1) {
		qsort(items, n, sizeof(*items), cmp);
	}
}

/* Both lists are sorted by `cmp`: mark every item that has an equal on the other side. */
static void mark_equal(struct pf_pairing *p, int (*cmp)(const void *, const void *),
	bool (*counts)(const struct pf_pair_item *))
{
	size_t s = 0, t = 0;

	sort(p->source, p->sources, cmp);
	sort(p->target, p->targets, cmp);
	while (s < p->sources && t < p->targets) {
		int d = cmp(&p->source[s], &p->target[t]);
		struct pf_pair_item key = p->source[s];

		if (d != 0) {
			s += d < 0;
			t += d > 0;
			continue;
		}
		for (; s < p->sources && cmp(&p->source[s], &key) == 0; s++) {
			p->source[s].candidate = p->source[s].candidate || counts(&key);
		}
		for (; t < p->targets && cmp(&p->target[t], &key) == 0; t++) {
			p->target[t].candidate = p->target[t].candidate || counts(&key);
		}
	}
}

static bool always(const struct pf_pair_item *i)
{
	(void)i;
	return true;
}

static bool has_date(const struct pf_pair_item *i)
{
	return i->date_utc_s != PF_DATE_NONE;
}

void pf_pair_candidates(struct pf_pairing *p)
{
	if (!p->sizes_are_exact && !p->dates_are_kept && p->sources > 0 && p->targets > 0) {
		for (size_t i = 0; i < p->sources; i++) {
			p->source[i].candidate = true;
		}
		for (size_t i = 0; i < p->targets; i++) {
			p->target[i].candidate = true;
		}
		return;
	}
	mark_equal(p, by_size, always);
	mark_equal(p, by_date, has_date);
}

/* Two items with one exact fingerprint; `dates` tells whether the dates must be equal as well. */
static void match_exact(struct pf_pairing *p, bool dates)
{
	size_t s = 0, t = 0;

	while (s < p->sources && t < p->targets && p->source[s].known && p->target[t].known) {
		struct pf_pair_item *x = &p->source[s], *y = &p->target[t];
		int d;

		if (x->mate != SIZE_MAX || y->mate != SIZE_MAX) {
			s += x->mate != SIZE_MAX;
			t += y->mate != SIZE_MAX;
			continue;
		}
		d = memcmp(&x->print.exact, &y->print.exact, sizeof(x->print.exact));
		if (d == 0 && dates) {
			d = by_date(x, y);
		}
		if (d == 0) {
			x->mate = y->index;
			y->mate = x->index;
		}
		s += d <= 0;
		t += d >= 0;
	}
}

static void match_canonical(struct pf_pairing *p)
{
	size_t s = 0, t = 0;

	sort(p->source, p->sources, by_canonical);
	sort(p->target, p->targets, by_canonical);
	while (s < p->sources && t < p->targets && left_over(&p->source[s]) &&
		left_over(&p->target[t])) {
		struct pf_pair_item *x = &p->source[s], *y = &p->target[t];
		int d = canonical_cmp(x, y);

		if (d == 0 && has_date(x)) {
			x->mate = y->index;
			y->mate = x->index;
			x->by_canonical = true;
			y->by_canonical = true;
		}
		s += d <= 0;
		t += d >= 0;
	}
}

void pf_pair_match(struct pf_pairing *p)
{
	for (size_t i = 0; i < p->sources; i++) {
		p->source[i].mate = SIZE_MAX;
	}
	for (size_t i = 0; i < p->targets; i++) {
		p->target[i].mate = SIZE_MAX;
	}
	sort(p->source, p->sources, by_exact);
	sort(p->target, p->targets, by_exact);
	match_exact(p, true);
	match_exact(p, false);
	match_canonical(p);
}
