#include "engine/identity_private.h"

#include <stdlib.h>

/* More questions than this are not asked: an override without an answer stands alone, and nothing
 * is lost. */
enum { PROBES_MAX = 1 << 20 };

static int no_memory(struct pf_err *err)
{
	return pf_fail_memory(err, "the items of a folder");
}

/* ---- parts without UID ---- */

static int by_place(const struct pf_id_part *x, const struct pf_id_part *y)
{
	int d = pf_span_cmp(x->skey, y->skey);

	return d != 0 ? d : x->ordinal < y->ordinal ? -1 : x->ordinal > y->ordinal;
}

static int cmp_meaning(const void *a, const void *b, void *arg)
{
	const struct pf_identity *id = arg;
	const struct pf_id_part *x = &id->in->parts[*(const size_t *)a];
	const struct pf_id_part *y = &id->in->parts[*(const size_t *)b];
	int d = id->in->stable_keys ? pf_span_cmp(x->skey, y->skey) : 0;

	d = d != 0 ? d : memcmp(&x->meaning, &y->meaning, sizeof(x->meaning));
	return d != 0 ? d : by_place(x, y);
}

/* The UID follows from the document and from the rank among its like; where documents have no
 * lasting ids, from the meaning and the rank among its equals. */
static int make_uids(struct pf_identity *id, size_t *without, size_t n, struct pf_err *err)
{
	uint32_t rank = 0;

	qsort_r(without, n, sizeof(*without), cmp_meaning, id);
	for (size_t i = 0; i < n; i++) {
		const struct pf_id_part *p = &id->in->parts[without[i]];
		const struct pf_id_part *before = i > 0 ? &id->in->parts[without[i - 1]] : NULL;
		bool stable = id->in->stable_keys;
		bool again = before && (stable ? pf_span_eq(before->skey, p->skey)
					       : pf_digest_eq(&before->meaning, &p->meaning));
		struct pf_span names[] = {pf_span_str("nouid"),
			stable ? p->skey : pf_span(p->meaning.b, sizeof(p->meaning.b)),
			pf_span(&rank, sizeof(rank))};
		uint8_t number[4];

		rank = again ? rank + 1 : 0;
		for (size_t k = 0; k < sizeof(number); k++) { /* the same on every machine */
			number[k] = (uint8_t)(rank >> (8 * k));
		}
		names[2] = pf_span(number, sizeof(number));
		id->uid[without[i]] = identity_make_uid(id, names, PF_COUNT(names));
		if (!id->uid[without[i]].p) {
			return no_memory(err);
		}
	}
	return PF_OK;
}

static int fill_uids(struct pf_identity *id, struct pf_err *err)
{
	size_t n = 0;
	size_t *without = calloc(id->in->part_count + 1, sizeof(*without));
	int rc;

	if (!without) {
		return no_memory(err);
	}
	for (size_t i = 0; i < id->in->part_count; i++) {
		id->uid[i] = id->in->parts[i].uid;
		if (!id->uid[i].p || id->uid[i].n == 0) {
			without[n++] = i;
		}
	}
	rc = make_uids(id, without, n, err);
	free(without);
	return rc;
}

/* ---- groups ---- */

static int cmp_uid(const void *a, const void *b, void *arg)
{
	const struct pf_identity *id = arg;
	size_t x = *(const size_t *)a, y = *(const size_t *)b;
	int d = pf_span_cmp(id->uid[x], id->uid[y]);

	return d != 0 ? d : by_place(&id->in->parts[x], &id->in->parts[y]);
}

static int make_groups(struct pf_identity *id, struct pf_err *err)
{
	size_t n = id->in->part_count;

	id->order = calloc(n + 1, sizeof(*id->order));
	id->groups = calloc(n + 1, sizeof(*id->groups));
	if (!id->order || !id->groups) {
		return no_memory(err);
	}
	for (size_t i = 0; i < n; i++) {
		id->order[i] = i;
	}
	qsort_r(id->order, n, sizeof(*id->order), cmp_uid, id);
	for (size_t i = 0; i < n;) {
		struct group *g = &id->groups[id->group_count++];
		struct pf_span uid = id->uid[id->order[i]];

		g->first = i;
		while (i < n && pf_span_eq(id->uid[id->order[i]], uid)) {
			i++;
		}
		g->end = i;
	}
	return PF_OK;
}

static const struct pf_id_part *part_at(const struct pf_identity *id, size_t place)
{
	return &id->in->parts[id->order[place]];
}

static bool is_master(const struct pf_id_part *p)
{
	return !p->is_override && !p->expanded;
}

/*
 * The one master of an override's own document; SIZE_MAX: there is none, or more than one. Parts of
 * a document lie together.
 */
static size_t own_master(const struct pf_identity *id, const struct group *g, size_t place)
{
	const struct pf_id_part *o = part_at(id, place);
	size_t from = place, found = SIZE_MAX;

	while (from > g->first && pf_span_eq(part_at(id, from - 1)->skey, o->skey)) {
		from--;
	}
	for (; from < g->end && pf_span_eq(part_at(id, from)->skey, o->skey); from++) {
		const struct pf_id_part *p = part_at(id, from);

		if (is_master(p) && p->kind == o->kind) {
			if (found != SIZE_MAX) {
				return SIZE_MAX;
			}
			found = from;
		}
	}
	return found;
}

/* ---- questions ---- */

static int add_probe(struct pf_identity *id, size_t override, size_t master, struct pf_err *err)
{
	if (id->probe_count == PROBES_MAX) {
		return PF_OK;
	}
	if (id->probe_count == id->probe_cap) {
		size_t cap = id->probe_cap ? id->probe_cap * 2 : 16;
		struct pf_id_probe *grown = realloc(id->probes, cap * sizeof(*grown));

		if (!grown) {
			return no_memory(err);
		}
		id->probes = grown;
		id->probe_cap = cap;
	}
	id->probes[id->probe_count++] = (struct pf_id_probe){override, master, false};
	return PF_OK;
}

/* Whether this master is to be asked about that part, which may belong to it. */
static bool is_candidate(const struct pf_id_part *master, const struct pf_id_part *p)
{
	return is_master(master) && master->kind == p->kind && (p->is_override || master->recurs);
}

static int ask(struct pf_identity *id, const struct group *g, struct pf_err *err)
{
	for (size_t o = g->first; o < g->end; o++) {
		const struct pf_id_part *over = part_at(id, o);

		if (is_master(over) || (over->is_override && own_master(id, g, o) != SIZE_MAX)) {
			continue;
		}
		for (size_t m = g->first; m < g->end; m++) {
			if (is_candidate(part_at(id, m), over) &&
				add_probe(id, id->order[o], id->order[m], err) != PF_OK) {
				return PF_FAIL;
			}
		}
	}
	return PF_OK;
}

static int by_master(const void *a, const void *b)
{
	const struct pf_id_probe *x = a, *y = b;

	if (x->master != y->master) {
		return x->master < y->master ? -1 : 1;
	}
	return x->override < y->override ? -1 : x->override > y->override;
}

static int by_override(const void *a, const void *b)
{
	const struct pf_id_probe *x = a, *y = b;

	if (x->override != y->override) {
		return x->override < y->override ? -1 : 1;
	}
	return x->master < y->master ? -1 : x->master > y->master;
}

int pf_identity_new(const struct pf_identity_in *in, struct pf_identity **out, struct pf_err *err)
{
	struct pf_identity *id = calloc(1, sizeof(*id));
	int rc;

	if (!id) {
		return no_memory(err);
	}
	id->in = in;
	pf_arena_init(&id->arena);
	id->uid = calloc(in->part_count + 1, sizeof(*id->uid));
	rc = id->uid ? fill_uids(id, err) : no_memory(err);
	if (rc == PF_OK) {
		rc = make_groups(id, err);
	}
	for (size_t i = 0; i < id->group_count && rc == PF_OK; i++) {
		rc = ask(id, &id->groups[i], err);
	}
	if (rc != PF_OK) {
		pf_identity_free(&id);
		return PF_FAIL;
	}
	if (id->probe_count > 1) {
		qsort(id->probes, id->probe_count, sizeof(*id->probes), by_master);
	}
	*out = id;
	return PF_OK;
}

void pf_identity_free(struct pf_identity **identity)
{
	struct pf_identity *id = *identity;

	if (!id) {
		return;
	}
	pf_arena_deinit(&id->arena);
	free(id->uid);
	free(id->order);
	free(id->groups);
	free(id->probes);
	free(id->items);
	free(id->rows);
	free(id->foreign);
	free(id->taken);
	free(id);
	*identity = NULL;
}

struct pf_id_probe *pf_identity_probes(struct pf_identity *id, size_t *count)
{
	*count = id->probe_count;
	return id->probes;
}

/* ---- items ---- */

static struct pf_id_item *new_item(struct pf_identity *id, size_t part, struct pf_err *err)
{
	struct pf_id_item *item;

	if (id->item_count == id->item_cap) {
		size_t cap = id->item_cap ? id->item_cap * 2 : 64;
		struct pf_id_item *grown = realloc(id->items, cap * sizeof(*grown));

		if (!grown) {
			(void)no_memory(err);
			return NULL;
		}
		id->items = grown;
		id->item_cap = cap;
	}
	item = &id->items[id->item_count];
	*item = (struct pf_id_item){
		.row = SIZE_MAX, .foreign = SIZE_MAX, .holder = SIZE_MAX, .same_as = SIZE_MAX};
	item->parts = pf_arena_alloc(&id->arena, sizeof(*item->parts));
	if (!item->parts) {
		(void)no_memory(err);
		return NULL;
	}
	item->parts[item->part_count++] = part;
	id->item_count++;
	return item;
}

/* Room is taken at powers of two. */
static int add_part(
	struct pf_identity *id, struct pf_id_item *item, size_t part, struct pf_err *err)
{
	size_t n = item->part_count;

	if ((n & (n - 1)) == 0) {
		size_t *grown = pf_arena_alloc(&id->arena, 2 * n * sizeof(*grown));

		if (!grown) {
			return no_memory(err);
		}
		memcpy(grown, item->parts, n * sizeof(*grown));
		item->parts = grown;
	}
	item->parts[item->part_count++] = part;
	return PF_OK;
}

static int alone(struct pf_identity *id, size_t part, struct pf_err *err)
{
	struct pf_id_item *item = new_item(id, part, err);

	if (!item) {
		return PF_FAIL;
	}
	item->notes |= PF_ID_ALONE;
	return PF_OK;
}

/* Of two overrides of one instance: the later revision. */
static bool is_later(const struct pf_id_part *x, const struct pf_id_part *y)
{
	const int64_t a[] = {x->sequence, x->modified_utc_s, x->stamp_utc_s};
	const int64_t b[] = {y->sequence, y->modified_utc_s, y->stamp_utc_s};

	for (size_t i = 0; i < PF_COUNT(a); i++) {
		if (a[i] != b[i]) {
			return a[i] > b[i];
		}
	}
	return by_place(x, y) < 0;
}

/* Add an override. Another one of the same instance: equal ones are one, of different ones the
 * later revision is the override and the other stands alone. */
static int join(struct pf_identity *id, size_t item, size_t part, struct pf_err *err)
{
	struct pf_id_item *i = &id->items[item];
	const struct pf_id_part *p = &id->in->parts[part];
	bool bare = id->in->parts[i->parts[0]].is_override;

	for (size_t k = bare ? 0 : 1; k < i->part_count; k++) {
		const struct pf_id_part *o = &id->in->parts[i->parts[k]];
		size_t loser = part;

		if (o->rid_utc_s != p->rid_utc_s || o->rid_is_date != p->rid_is_date) {
			continue;
		}
		if (pf_digest_eq(&o->meaning, &p->meaning)) {
			i->merged_parts++;
			i->notes |= PF_ID_MERGED_PART;
			return PF_OK;
		}
		if (is_later(p, o)) {
			loser = i->parts[k];
			i->parts[k] = part;
		}
		return alone(id, loser, err);
	}
	return add_part(id, i, part, err);
}

/* Which of the masters that it fits an override belongs to, better ones first. */
static int closeness(const struct pf_id_part *o, const struct pf_id_part *m)
{
	return 4 * (o->organizer.n > 0 && pf_span_eq(o->organizer, m->organizer)) +
	       2 * (o->day_s == m->day_s) + (o->summary == m->summary);
}

static size_t find_probe(const struct pf_identity *id, size_t override)
{
	size_t lo = 0, hi = id->probe_count;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (id->probes[mid].override < override) {
			lo = mid + 1;
		} else {
			hi = mid;
		}
	}
	return lo;
}

/* The master that an override from elsewhere joins; SIZE_MAX: none. */
static size_t choose_master(const struct pf_identity *id, size_t override, bool *ambiguous)
{
	const struct pf_id_part *o = &id->in->parts[override];
	size_t best = SIZE_MAX, fitting = 0;

	for (size_t k = find_probe(id, override);
		k < id->probe_count && id->probes[k].override == override; k++) {
		size_t m = id->probes[k].master;
		int d;

		if (!id->probes[k].fits) {
			continue;
		}
		fitting++;
		d = best == SIZE_MAX
			    ? 1
			    : closeness(o, &id->in->parts[m]) - closeness(o, &id->in->parts[best]);
		if (d > 0 || (d == 0 && by_place(&id->in->parts[m], &id->in->parts[best]) < 0)) {
			best = m;
		}
	}
	*ambiguous = fitting > 1;
	return best;
}

static size_t item_of_master(const struct pf_identity *id, const struct group *g, size_t master)
{
	for (size_t i = g->items_first; i < id->item_count; i++) {
		if (id->items[i].parts[0] == master) {
			return i;
		}
	}
	return SIZE_MAX;
}

/* An override whose document has no master for it. */
static int place_orphan(
	struct pf_identity *id, struct group *g, size_t place, size_t *bare, struct pf_err *err)
{
	size_t part = id->order[place], item;
	bool ambiguous = false, masters = false;
	size_t master = choose_master(id, part, &ambiguous);

	if (master != SIZE_MAX) {
		item = item_of_master(id, g, master);
		id->items[item].notes |= PF_ID_JOINED | (ambiguous ? PF_ID_AMBIGUOUS : 0u);
		return join(id, item, part, err);
	}
	for (size_t i = g->first; i < g->end && !masters; i++) {
		masters = !part_at(id, i)->is_override;
	}
	if (masters) {
		return alone(id, part, err);
	}
	if (*bare == SIZE_MAX) {
		struct pf_id_item *made = new_item(id, part, err);

		if (!made) {
			return PF_FAIL;
		}
		made->notes |= PF_ID_NO_MASTER;
		*bare = id->item_count - 1;
		return PF_OK;
	}
	if (!pf_span_eq(id->in->parts[id->items[*bare].parts[0]].skey, part_at(id, place)->skey)) {
		id->items[*bare].notes |= PF_ID_JOINED;
	}
	return join(id, *bare, part, err);
}

/* The meaning is known when the item is one part, or all that its document has of its UID. One that
 * stands alone will mean something else without its RECURRENCE-ID. */
static void find_meaning(
	const struct pf_identity *id, const struct group *g, struct pf_id_item *item)
{
	const struct pf_id_part *first = &id->in->parts[item->parts[0]];
	size_t there = 0;

	if (item->part_count == 1 && item->merged_parts == 0) {
		item->whole = first->meaning;
		item->forms = first->meaning_forms;
		item->whole_known = !(item->notes & PF_ID_ALONE);
		return;
	}
	for (size_t i = g->first; i < g->end; i++) {
		there += pf_span_eq(part_at(id, i)->skey, first->skey);
	}
	item->whole = first->whole;
	item->forms = first->whole_forms;
	item->whole_known = item->merged_parts == 0 && there == item->part_count &&
			    !(item->notes & (PF_ID_JOINED | PF_ID_ALONE));
}

bool pf_id_means(const struct pf_id_item *x, const struct pf_digest *whole)
{
	bool means = pf_digest_eq(&x->whole, whole);

	for (size_t i = 0; i < x->forms.n && !means; i++) {
		means = pf_digest_eq(&x->forms.at[i], whole);
	}
	return x->whole_known && means;
}

/* The series that yields what was expanded of it; SIZE_MAX: none, or it is no such thing. */
static size_t series_of(const struct pf_identity *id, size_t place)
{
	bool ambiguous = false; /* two series that say the same: either will do */

	return part_at(id, place)->expanded ? choose_master(id, id->order[place], &ambiguous)
					    : SIZE_MAX;
}

static void take_expanded(struct pf_identity *id, const struct group *g)
{
	for (size_t i = g->first; i < g->end; i++) {
		size_t master = series_of(id, i);

		if (master != SIZE_MAX) {
			struct pf_id_item *x = &id->items[item_of_master(id, g, master)];

			x->merged_parts++;
			x->notes |= PF_ID_YIELDS;
		}
	}
}

static int make_items(struct pf_identity *id, struct group *g, struct pf_err *err)
{
	size_t bare = SIZE_MAX;

	g->items_first = id->item_count;
	for (size_t i = g->first; i < g->end; i++) {
		if (!part_at(id, i)->is_override && series_of(id, i) == SIZE_MAX &&
			!new_item(id, id->order[i], err)) {
			return PF_FAIL;
		}
	}
	take_expanded(id, g);
	for (size_t i = g->first; i < g->end; i++) {
		size_t own;
		int rc;

		if (!part_at(id, i)->is_override) {
			continue;
		}
		own = own_master(id, g, i);
		rc = own == SIZE_MAX
			     ? place_orphan(id, g, i, &bare, err)
			     : join(id, item_of_master(id, g, id->order[own]), id->order[i], err);
		if (rc != PF_OK) {
			return rc;
		}
	}
	g->items_end = id->item_count;
	for (size_t i = g->items_first; i < g->items_end; i++) {
		find_meaning(id, g, &id->items[i]);
	}
	return PF_OK;
}

int pf_identity_plan(struct pf_identity *id, struct pf_err *err)
{
	if (id->probe_count > 1) {
		qsort(id->probes, id->probe_count, sizeof(*id->probes), by_override);
	}
	if (identity_index(id, err) != PF_OK) {
		return PF_FAIL;
	}
	for (size_t i = 0; i < id->group_count; i++) {
		if (make_items(id, &id->groups[i], err) != PF_OK ||
			identity_name_group(id, &id->groups[i], err) != PF_OK) {
			return PF_FAIL;
		}
	}
	return PF_OK;
}

const struct pf_id_item *pf_identity_items(const struct pf_identity *id, size_t *count)
{
	*count = id->item_count;
	return id->items;
}
