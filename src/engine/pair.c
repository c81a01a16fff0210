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

/* The order among those that are equal else. */
static int by_rank(const struct pf_pair_item *x, const struct pf_pair_item *y)
{
	if (x->rank != y->rank) {
		return x->rank < y->rank ? -1 : 1;
	}
	return x->index < y->index ? -1 : x->index > y->index;
}

static int key_cmp(const struct pf_pair_item *x, const struct pf_pair_item *y)
{
	int d = (int)y->keyed - (int)x->keyed; /* those that have one first */

	return d != 0 ? d : memcmp(&x->key, &y->key, sizeof(x->key));
}

static int by_key_date(const void *a, const void *b)
{
	int d = key_cmp(a, b);

	if (d == 0) {
		d = by_date(a, b);
	}
	return d != 0 ? d : by_rank(a, b);
}

static int by_key(const void *a, const void *b)
{
	int d = key_cmp(a, b);

	return d != 0 ? d : by_rank(a, b);
}

static int form_cmp(const struct pf_pair_item *x, const struct pf_pair_item *y)
{
	return memcmp(&x->print.canonical, &y->print.canonical, sizeof(x->print.canonical));
}

static int canonical_cmp(const struct pf_pair_item *x, const struct pf_pair_item *y)
{
	int d = form_cmp(x, y);

	return d != 0 ? d : by_date(x, y);
}

static bool has_date(const struct pf_pair_item *i)
{
	return i->date_utc_s != PF_DATE_NONE && !i->odd_date;
}

static bool left_over(const struct pf_pair_item *i)
{
	return i->known && i->has_canonical && i->mate == SIZE_MAX;
}

static int by_canonical(const void *a, const void *b)
{
	int d = (int)left_over(b) - (int)left_over(a);

	if (d == 0) {
		d = canonical_cmp(a, b);
	}
	return d != 0 ? d : by_rank(a, b);
}

static bool to_count(const struct pf_pair_item *i)
{
	return left_over(i) && i->counted;
}

static int by_form(const void *a, const void *b)
{
	int d = (int)to_count(b) - (int)to_count(a);

	if (d == 0) {
		d = form_cmp(a, b);
	}
	return d != 0 ? d : by_rank(a, b);
}

static void sort(struct pf_pair_item *items, size_t n, int (*cmp)(const void *, const void *))
{
	if (n > 1) {
		qsort(items, n, sizeof(*items), cmp);
	}
}

/* Mark every item that has an equal in the other list. */
static void mark_equal(struct pf_pair_item *a, size_t n, struct pf_pair_item *b, size_t m,
	int (*cmp)(const void *, const void *), bool (*counts)(const struct pf_pair_item *))
{
	size_t s = 0, t = 0;

	sort(a, n, cmp);
	sort(b, m, cmp);
	while (s < n && t < m) {
		int d = cmp(&a[s], &b[t]);
		struct pf_pair_item key = a[s];

		if (d != 0) {
			s += d < 0;
			t += d > 0;
			continue;
		}
		for (; s < n && cmp(&a[s], &key) == 0; s++) {
			a[s].candidate = a[s].candidate || counts(&key);
		}
		for (; t < m && cmp(&b[t], &key) == 0; t++) {
			b[t].candidate = b[t].candidate || counts(&key);
		}
	}
}

static bool always(const struct pf_pair_item *i)
{
	(void)i;
	return true;
}

static int by_rival(const void *a, const void *b)
{
	const struct pf_pair_item *x = a, *y = b;

	return (int)x->rival - (int)y->rival;
}

/* Whether no date tells this item of the source from others of its form. */
static bool by_count(const struct pf_pairing *p, const struct pf_pair_item *i)
{
	return !p->dates_are_kept || !has_date(i);
}

static bool is_dated_candidate(const struct pf_pair_item *i)
{
	return i->candidate && has_date(i);
}

/* Those of the source that are looked for come first, rivals last; returns how many are not. */
static size_t part_rivals(struct pf_pairing *p)
{
	size_t n = 0;

	sort(p->source, p->sources, by_rival);
	while (n < p->sources && !p->source[n].rival) {
		n++;
	}
	return n;
}

void pf_pair_candidates(struct pf_pairing *p)
{
	bool sizes = p->sizes_are_exact && p->bytes_are_kept, any = false;
	size_t sought;

	for (size_t i = 0; i < p->sources && !sizes; i++) {
		p->source[i].candidate = by_count(p, &p->source[i]);
		any = any || p->source[i].candidate;
	}
	for (size_t i = 0; i < p->targets && any; i++) {
		p->target[i].candidate = true;
	}
	sought = part_rivals(p);
	mark_equal(p->source, sought, p->target, p->targets, by_size, always);
	mark_equal(p->source, sought, p->target, p->targets, by_date, has_date);
	mark_equal(p->source, sought, p->source + sought, p->sources - sought, by_date,
		is_dated_candidate);
}

/* Two items with one key; `dates` tells whether the dates must be equal as well. */
static void match_keyed(struct pf_pairing *p, bool dates)
{
	int (*cmp)(const void *, const void *) = dates ? by_key_date : by_key;
	size_t s = 0, t = 0;

	sort(p->source, p->sources, cmp);
	sort(p->target, p->targets, cmp);
	while (s < p->sources && t < p->targets && p->source[s].keyed && p->target[t].keyed) {
		struct pf_pair_item *x = &p->source[s], *y = &p->target[t];
		int d;

		if (x->mate != SIZE_MAX || y->mate != SIZE_MAX) {
			s += x->mate != SIZE_MAX;
			t += y->mate != SIZE_MAX;
			continue;
		}
		d = memcmp(&x->key, &y->key, sizeof(x->key));
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

/* Items of one key and date, of both sides. */
struct run {
	struct pf_pair_item *source, *target;
	size_t sources, targets;
};

enum { RUN_MOST = 64 }; /* of so many the flags are compared: more copies are as good as one */

static struct pf_pair_item *of_index(struct pf_pair_item *items, size_t n, size_t index)
{
	for (size_t i = 0; i < n && index != SIZE_MAX; i++) {
		if (items[i].index == index) {
			return &items[i];
		}
	}
	return NULL;
}

/* Whether `x`, which has `y` or nothing, may have `want` in place of its mate `rival` or of nobody.
 */
static bool may_take(const struct pf_pair_item *x, const struct pf_pair_item *y,
	const struct pf_pair_item *want, const struct pf_pair_item *rival)
{
	if (x->flags_key != want->flags_key || (y && y->rank != want->rank)) {
		return false;
	}
	if (!rival) {
		return want->mate == SIZE_MAX;
	}
	return rival->flags_key != want->flags_key && (y || rival->rank == x->rank);
}

static void prefer_flags_of(const struct run *r, struct pf_pair_item *x)
{
	struct pf_pair_item *y = of_index(r->target, r->targets, x->mate);

	if (y ? x->flags_key == y->flags_key : x->mate != SIZE_MAX) {
		return;
	}
	for (size_t i = 0; i < r->targets; i++) {
		struct pf_pair_item *want = &r->target[i];
		struct pf_pair_item *rival = of_index(r->source, r->sources, want->mate);

		if (!may_take(x, y, want, rival)) {
			continue;
		}
		x->mate = want->index;
		want->mate = x->index;
		if (rival) {
			rival->mate = y ? y->index : SIZE_MAX;
		}
		if (y) {
			y->mate = rival ? rival->index : SIZE_MAX;
		}
		return;
	}
}

/* Items from `from` on that have the key and date of the first, as far as they are looked at. */
static size_t run_of(const struct pf_pair_item *items, size_t n, size_t from)
{
	size_t i = from + 1;

	while (i < n && i - from < RUN_MOST && items[i].keyed &&
		key_cmp(&items[i], &items[from]) == 0 && by_date(&items[i], &items[from]) == 0) {
		i++;
	}
	return i - from;
}

/*
 * Of identical items with one date any could be any other's copy; but a mate with other flags would
 * be given those of the item, and then there were two like it. How many of a rank are paired does
 * not change.
 */
static void prefer_flags(struct pf_pairing *p)
{
	size_t s = 0, t = 0;

	sort(p->source, p->sources, by_key_date);
	sort(p->target, p->targets, by_key_date);
	while (s < p->sources && t < p->targets && p->source[s].keyed && p->target[t].keyed) {
		struct run r = {&p->source[s], &p->target[t], run_of(p->source, p->sources, s),
			run_of(p->target, p->targets, t)};
		int d = key_cmp(r.source, r.target);

		d = d == 0 ? by_date(r.source, r.target) : d;
		for (size_t i = 0; d == 0 && r.sources + r.targets > 2 && i < r.sources; i++) {
			prefer_flags_of(&r, &r.source[i]);
		}
		s += d <= 0 ? r.sources : 0;
		t += d >= 0 ? r.targets : 0;
	}
}

static void match_exact(struct pf_pairing *p)
{
	for (size_t i = 0; i < p->sources; i++) {
		p->source[i].key = p->source[i].print.exact;
		p->source[i].keyed = p->source[i].known;
	}
	for (size_t i = 0; i < p->targets; i++) {
		p->target[i].key = p->target[i].print.exact;
		p->target[i].keyed = p->target[i].known;
	}
	match_keyed(p, true);
	prefer_flags(p);
	match_keyed(p, false);
}

/* By what was sent in an item's place. Keys are those of match_exact. */
static void match_repaired(struct pf_pairing *p)
{
	for (size_t i = 0; i < p->sources; i++) {
		struct pf_pair_item *s = &p->source[i];

		s->keyed = s->has_repaired && s->mate == SIZE_MAX;
		s->by_repair = s->keyed;
		s->key = s->keyed ? s->repaired : s->key;
	}
	match_keyed(p, true);
	match_keyed(p, false);
	for (size_t i = 0; i < p->sources; i++) {
		p->source[i].by_repair = p->source[i].by_repair && p->source[i].mate != SIZE_MAX;
	}
}

static void mates_by_form(struct pf_pair_item *x, struct pf_pair_item *y)
{
	x->mate = y->index;
	y->mate = x->index;
	x->by_canonical = true;
	y->by_canonical = true;
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
			mates_by_form(x, y);
		}
		s += d <= 0;
		t += d >= 0;
	}
}

/* The end of the run of one form that begins at `from`. */
static size_t run_end(const struct pf_pair_item *items, size_t n, size_t from)
{
	size_t i = from + 1;

	while (i < n && to_count(&items[i]) && form_cmp(&items[i], &items[from]) == 0) {
		i++;
	}
	return i;
}

static bool are_identical(const struct pf_pair_item *items, size_t from, size_t to)
{
	for (size_t i = from + 1; i < to; i++) {
		if (memcmp(&items[i].print.exact, &items[from].print.exact,
			    sizeof(items[i].print.exact)) != 0) {
			return false;
		}
	}
	return true;
}

/* Items of one form, without dates: sources from `s` to `s_end`, targets from `t` to `t_end`. */
static void pair_run(struct pf_pairing *p, size_t s, size_t s_end, size_t t, size_t t_end)
{
	bool clear = t_end - t >= s_end - s || are_identical(p->source, s, s_end);

	for (; s < s_end && t < t_end; s++, t++) {
		if (!clear && p->source[s].rank >= p->ordered_below) {
			return; /* those that follow are of no lower rank */
		}
		mates_by_form(&p->source[s], &p->target[t]);
	}
}

static void match_by_count(struct pf_pairing *p)
{
	size_t s = 0, t = 0;

	sort(p->source, p->sources, by_form);
	sort(p->target, p->targets, by_form);
	while (s < p->sources && t < p->targets && to_count(&p->source[s]) &&
		to_count(&p->target[t])) {
		int d = form_cmp(&p->source[s], &p->target[t]);
		size_t s_end = d <= 0 ? run_end(p->source, p->sources, s) : s;
		size_t t_end = d >= 0 ? run_end(p->target, p->targets, t) : t;

		pair_run(p, s, s_end, t, t_end);
		s = s_end;
		t = t_end;
	}
}

void pf_pair_match(struct pf_pairing *p)
{
	for (size_t i = 0; i < p->sources; i++) {
		p->source[i].mate = SIZE_MAX;
		p->source[i].counted = by_count(p, &p->source[i]);
	}
	for (size_t i = 0; i < p->targets; i++) {
		p->target[i].mate = SIZE_MAX;
		p->target[i].counted = true;
	}
	match_exact(p);
	match_repaired(p);
	if (p->dates_are_kept) {
		match_canonical(p);
	}
	match_by_count(p);
}
