#include "plan/plan_private.h"

#include "model/item.h"
#include "model/url.h"

#include <stdlib.h>
#include <unistd.h>

const struct pf_scheme *plan_scheme(const struct reader *r, const char *name)
{
	for (const struct pf_scheme *s = r->cfg->schemes; s->name; s++) {
		if (strcmp(s->name, name) == 0) {
			return s;
		}
	}
	return NULL;
}

/* ---- stores ---- */

static int add(struct reader *r, const struct plan_store *in, struct plan_stores *stores)
{
	size_t side = in->side, n = stores->n[side];

	if (n == STORES_MAX) {
		plan_problem_at(r->plan, in->at->row, in->at->column, in->at->name,
			"an account has no more than %d stores on a side", STORES_MAX);
		return PF_END;
	}
	stores->v[side][n] = *in->s;
	stores->scheme[side][n] = in->scheme;
	stores->n[side]++;
	return PF_OK;
}

/* URL and identity of the store that a part is. *there: its directory is. */
static int fill_part(struct reader *r, const struct pf_scheme_part *part, const char *path,
	struct pf_plan_side *out, bool *there, struct pf_err *err)
{
	char *identity = NULL;
	struct pf_url url;
	struct pf_buf text;
	const char *c;
	int rc = PF_FAIL;

	pf_buf_init(&text, 65536);
	if (pf_buf_addf(&text, err, "%s:%s/%s", part->scheme, path, part->dir) == PF_OK &&
		pf_buf_cstr(&text, &c, err) == PF_OK && pf_url_parse(&url, c, err) == PF_OK) {
		*there = access(url.path, F_OK) == 0;
		rc = pf_url_identity(&url, &identity, err);
		pf_url_deinit(&url);
	}
	if (rc == PF_OK) {
		out->url = plan_str(r->plan, pf_buf_span(&text), err);
		out->identity = plan_str(r->plan, pf_span_str(identity), err);
		rc = out->url && out->identity ? PF_OK : PF_FAIL;
	}
	free(identity);
	pf_buf_deinit(&text);
	return rc;
}

/* Of a source only those parts that are there; it must have one. */
static int add_parts(struct reader *r, const struct plan_store *in, struct plan_stores *stores,
	struct pf_err *err)
{
	bool any = false, there = false;

	for (const struct pf_scheme_part *p = in->scheme->parts; p->scheme; p++) {
		struct pf_plan_side own = *in->s;
		const struct plan_store part = {
			&own, plan_scheme(r, p->scheme), NULL, in->side, in->at};
		int rc = fill_part(r, p, in->path, &own, &there, err);

		any = any || there;
		if (rc == PF_OK && (there || in->side == 1)) {
			rc = add(r, &part, stores);
		}
		if (rc != PF_OK) {
			return rc;
		}
	}
	if (!any && in->side == 0) {
		plan_problem_at(r->plan, in->at->row, in->at->column, in->at->name,
			"%s: there is no such %s", in->path, in->scheme->name);
	}
	return PF_OK;
}

int plan_add_store(struct reader *r, const struct plan_store *in, struct plan_stores *stores,
	struct pf_err *err)
{
	const char **whole = &stores->whole[in->side];
	struct pf_buf all;
	int rc;

	pf_buf_init(&all, 1 << 20);
	rc = *whole ? pf_buf_addf(&all, err, "%s %s", *whole, in->s->identity)
		    : pf_buf_add_str(&all, in->s->identity, err);
	*whole = rc == PF_OK ? plan_str(r->plan, pf_buf_span(&all), err) : NULL;
	pf_buf_deinit(&all);
	if (!*whole) {
		return PF_FAIL;
	}
	return in->scheme->parts ? add_parts(r, in, stores, err) : add(r, in, stores);
}

/* ---- routes ---- */

/* What of the source's store `from` goes to the target's store `to`: each kind to the first that
 * takes it. */
static uint32_t goes(const struct plan_stores *s, size_t from, size_t to)
{
	uint32_t kinds = s->scheme[0][from]->kinds & s->scheme[1][to]->kinds;

	for (size_t i = 0; i < to; i++) {
		kinds &= ~s->scheme[1][i]->kinds;
	}
	return kinds;
}

struct way {
	size_t from, to;
	uint32_t kinds;
	uint32_t disguised, apart; /* as in a row of the plan */
	bool nowhere;
};

/* What of mail's items in disguise goes to `to`: each kind to the first target that takes it, if no
 * source of the account has it as what it is. */
static uint32_t goes_disguised(
	const struct plan_stores *s, size_t from, size_t to, const uint32_t *taken)
{
	uint32_t kinds = s->scheme[0][from]->disguised & s->scheme[1][to]->kinds;

	for (size_t i = 0; i < s->n[0]; i++) {
		kinds &= ~s->scheme[0][i]->kinds;
	}
	for (size_t i = 0; i < to; i++) {
		kinds &= ~s->scheme[1][i]->kinds;
	}
	return kinds & ~taken[to];
}

static bool any_disguised(const struct plan_stores *s)
{
	static const uint32_t NONE[STORES_MAX];
	bool any = false;

	for (size_t from = 0; from < s->n[0]; from++) {
		for (size_t to = 0; to < s->n[1]; to++) {
			any = any || goes_disguised(s, from, to, NONE) != 0;
		}
	}
	return any;
}

static int add_way(
	struct reader *r, const struct plan_stores *s, const struct way *way, struct pf_err *err)
{
	const struct pf_plan_row new = {.row = s->row,
		.side = {s->v[0][way->from], s->v[1][way->to]},
		.whole = {s->whole[0], s->whole[1]},
		.kinds = way->kinds,
		.nowhere = way->nowhere,
		.disguised = way->disguised,
		.apart = way->apart};

	return plan_add_row(r, &new, err);
}

/* What of a source's mail is an item in disguise, by the target that it goes to, and all of it. */
struct disguised {
	uint32_t to[STORES_MAX], all;
};

/* What no target takes goes with the store's first way, if it has one. Of one pair of stores there
 * is one way: where the mail goes, items that were in its disguise go along. */
static int add_ways(struct reader *r, const struct plan_stores *s, size_t from,
	const struct disguised *d, uint32_t taken[STORES_MAX], struct pf_err *err)
{
	struct way way = {.from = from, .apart = d->all};
	uint32_t left = s->scheme[0][from]->kinds;
	bool begun = false;

	for (size_t to = 0; to < s->n[1]; to++) {
		left &= ~s->scheme[1][to]->kinds;
	}
	for (way.to = 0; way.to < s->n[1]; way.to++) {
		way.kinds = goes(s, from, way.to);
		if (!way.kinds) {
			continue;
		}
		if (taken[way.to] & way.kinds) {
			plan_problem_at(r->plan, s->row, 0, "",
				"two sources would go into the target %s at the same time: copy "
				"them one after the other",
				s->v[1][way.to].identity);
			return PF_OK;
		}
		way.disguised = d->to[way.to];
		way.kinds |= way.disguised;
		taken[way.to] |= way.kinds;
		way.kinds |= begun ? 0 : left;
		if (add_way(r, s, &way, err) != PF_OK) {
			return PF_FAIL;
		}
		begun = true;
	}
	way = (struct way){.from = from, .kinds = left, .nowhere = true, .apart = d->all};
	return begun ? PF_OK : add_way(r, s, &way, err);
}

/* Ways of their own for items in mail's disguise that go where the mail does not. */
static int add_disguised(struct reader *r, const struct plan_stores *s, size_t from,
	struct disguised *d, uint32_t taken[STORES_MAX], struct pf_err *err)
{
	int rc = PF_OK;

	*d = (struct disguised){.all = 0};
	for (size_t to = 0; to < s->n[1] && rc == PF_OK; to++) {
		struct way way = {.from = from, .to = to};

		d->to[to] = goes_disguised(s, from, to, taken);
		d->all |= d->to[to];
		if (d->to[to] == 0 || goes(s, from, to) != 0) {
			continue;
		}
		way.disguised = d->to[to];
		way.kinds = way.disguised;
		taken[to] |= way.kinds;
		rc = add_way(r, s, &way, err);
	}
	return rc;
}

int plan_add_account(struct reader *r, const struct plan_stores *s, struct pf_err *err)
{
	const struct way all = {.kinds = 0};
	uint32_t taken[STORES_MAX] = {0};
	int rc = PF_OK;

	if (s->n[0] == 1 && s->n[1] == 1 && !any_disguised(s)) {
		return add_way(r, s, &all, err);
	}
	for (size_t from = 0; rc == PF_OK && s->n[1] > 0 && from < s->n[0]; from++) {
		struct disguised d;

		rc = add_disguised(r, s, from, &d, taken, err);
		rc = rc == PF_OK ? add_ways(r, s, from, &d, taken, err) : rc;
	}
	return rc;
}
