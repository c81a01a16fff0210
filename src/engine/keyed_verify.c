/*
 * Both sides compared again, item by item: the target's must mean what was written; what did not
 * change at the source since must mean that as well; deeply, occurrences are compared one by one.
 */
#include "engine/keyed_private.h"

#include <stdlib.h>

enum { YEAR_S = 31556952 };

struct keyed_check {
	bool wanted, asked, there[2]; /* read, on that side */
	bool plain;    /* its source says just this item: both sides can be compared */
	bool leads;    /* of those whose source is read, the first of its document */
	uint8_t waits; /* sides that have not answered */
	struct pf_digest whole[2], series[2];
};

static bool reads_source(const struct keyed_check *c)
{
	return c->wanted && c->plain;
}

/* The end of the rows of one document: they are one behind the other in the order of keys. */
static size_t end_of_doc(const struct pf_keyed *k, size_t at)
{
	struct pf_span doc = keyed_skey(k->row[k->by_key[at]].key);

	while (at < k->row_n && pf_span_eq(keyed_skey(k->row[k->by_key[at]].key), doc)) {
		at++;
	}
	return at;
}

/* A document of thousands of items is read once, for all of them. */
static void find_leaders(struct pf_keyed *k, bool deep)
{
	for (size_t at = 0, end; at < k->row_n; at = end) {
		bool found = !deep;

		end = end_of_doc(k, at);
		for (size_t i = at; i < end; i++) {
			struct keyed_check *c = &k->check[k->by_key[i]];

			c->waits = deep && reads_source(c) ? 2 : 1;
			c->leads = !found && reads_source(c);
			found = found || c->leads;
		}
	}
}

/* Documents whose parts went with another item: their leader is not plain. */
static void find_plain(struct pf_keyed *k)
{
	for (size_t i = 0; i < k->row_n; i++) {
		const struct keyed_row *r = &k->row[i];
		struct pf_span rest = pf_span_from(r->key, keyed_skey(r->key).n + 1);

		k->check[i].plain = r->dst_uid.p && !(rest.n > 0 && memchr(rest.p, 0, rest.n));
	}
	for (size_t i = 0; i < k->row_n; i++) {
		size_t t = k->row[i].dst_uid.p || !k->row[i].dst_id.p
				   ? SIZE_MAX
				   : keyed_find_target(k, k->row[i].dst_id);

		if (t != SIZE_MAX && k->target[t].row != SIZE_MAX) {
			k->check[k->target[t].row].plain = false;
		}
	}
}

static void differs(struct pf_fold *f, const struct keyed_row *r, const char *why)
{
	f->job->outcome.differing++;
	keyed_event_log(f, PF_EV_ITEM_ALTERED, r, "%s", why);
}

int keyed_verify_begin(struct pf_fold *f, struct pf_err *err)
{
	struct pf_keyed *k = f->keyed;

	keyed_sort(k);
	k->check = calloc(k->row_n + 1, sizeof(*k->check));
	if (!k->check) {
		return pf_fail_memory(err, "comparing a folder");
	}
	for (size_t i = 0; i < k->row_n; i++) {
		const struct keyed_row *r = &k->row[i];
		size_t t = r->dst_id.p ? keyed_find_target(k, r->dst_id) : SIZE_MAX;

		if (t != SIZE_MAX && r->dst_uid.p) {
			k->target[t].row = i;
		}
	}
	find_plain(k);
	for (size_t i = 0; i < k->row_n; i++) {
		const struct keyed_row *r = &k->row[i];
		size_t d = keyed_find_doc(k, keyed_skey(r->key));
		size_t t = r->dst_id.p ? keyed_find_target(k, r->dst_id) : SIZE_MAX;
		bool settled = r->verdict == PF_VERDICT_COPIED || r->verdict == PF_VERDICT_PRESENT;

		if (!settled || !r->dst_uid.p) {
			continue;
		}
		f->job->progress.items++;
		if (t == SIZE_MAX) {
			f->job->outcome.not_at_target++;
			keyed_event_log(
				f, PF_EV_NOT_AT_TARGET, r, "the target does not have it any more");
			continue;
		}
		f->job->outcome.compared++;
		k->check[i].plain = k->check[i].plain && d != SIZE_MAX && r->src_version.p &&
				    pf_span_eq(r->src_version, k->doc[d].version);
		k->check[i].wanted = f->job->cfg->deep || !r->dst_version.p ||
				     !pf_span_eq(r->dst_version, k->target[t].version);
	}
	find_leaders(k, f->job->cfg->deep);
	k->look_next = 0;
	return PF_OK;
}

/* What was found on both sides, judged. */
static void judge(struct pf_fold *f, size_t row)
{
	struct pf_keyed *k = f->keyed;
	const struct keyed_check *c = &k->check[row];
	const struct keyed_row *r = &k->row[row];

	f->job->progress.items_done++;
	if (!c->there[DST]) {
		differs(f, r, "what the target has in its place can't be read");
	} else if (r->has_whole && !pf_digest_eq(&c->whole[DST], &r->whole)) {
		differs(f, r, "it means something else at the target than what was written");
	} else if (c->there[SRC] && pf_digest_eq(&c->whole[SRC], &c->whole[DST]) &&
		   !pf_digest_eq(&c->series[SRC], &c->series[DST])) {
		differs(f, r, "it takes place at other times at the target");
	}
}

int keyed_verify_step(struct pf_fold *f, struct pf_err *err)
{
	struct pf_keyed *k = f->keyed;

	for (; k->look_next < k->row_n && k->looks_open < KEYED_WINDOW; k->look_next++) {
		size_t row = k->by_key[k->look_next];
		const struct keyed_row *r = &k->row[row];
		struct keyed_check *c = &k->check[row];
		int rc;

		if (!c->wanted) {
			continue;
		}
		if (!c->asked) {
			rc = keyed_get(f, DST, USE_KEYED_LOOK, row, r->dst_id, err);
			if (rc != PF_OK) {
				return rc;
			}
			c->asked = true;
			k->looks_open++;
		}
		if (c->leads) {
			rc = keyed_get(
				f, SRC, USE_KEYED_LOOK, k->look_next, keyed_skey(r->key), err);
			if (rc != PF_OK) {
				return rc;
			}
			k->looks_open++;
		}
	}
	return k->look_next == k->row_n && k->looks_open == 0 ? PF_OK : PF_AGAIN;
}

/* The occurrences of some years, in one digest. */
static int sum_series(struct pf_fold *f, const struct pf_piece *pieces, size_t n,
	struct pf_digest *out, struct pf_err *err)
{
	int64_t now = f->job->now.utc_s, reach = (int64_t)KEYED_VERIFY_YEARS * YEAR_S;
	struct pf_instance *some = calloc(KEYED_INSTANCES, sizeof(*some));
	struct pf_window w = {now - reach, now + reach, some, KEYED_INSTANCES, 0};
	struct pf_hash *h = pf_hash_new();
	int rc = some && h ? PF_OK : pf_fail_memory(err, "the occurrences of an item");

	if (rc == PF_OK) {
		rc = f->keyed->codec->expand(pieces, n, &w, err);
	}
	for (size_t i = 0; rc == PF_OK && i < w.n && i < w.max; i++) {
		pf_hash_add(h, pf_span(&some[i].begin_utc_s, sizeof(some[i].begin_utc_s)));
		pf_hash_add(h, pf_span(&some[i].end_utc_s, sizeof(some[i].end_utc_s)));
		pf_hash_add(h, pf_span(some[i].what.b, sizeof(some[i].what.b)));
	}
	if (rc == PF_OK) {
		pf_hash_take(h, out);
	}
	pf_hash_free(&h);
	free(some);
	return rc;
}

static int take(struct pf_fold *f, size_t row, enum pf_side_no side, const struct pf_doc *doc,
	struct pf_err *err)
{
	struct pf_keyed *k = f->keyed;
	struct keyed_check *c = &k->check[row];
	struct pf_piece *pieces = calloc(k->codec->parts(doc) + 1, sizeof(*pieces));
	struct pf_span uid = side == SRC ? k->row[row].src_uid : pf_span(NULL, 0);
	size_t n;
	int rc;

	if (!pieces) {
		return pf_fail_memory(err, "comparing an item");
	}
	n = keyed_pieces_of(k->codec, doc, uid, pieces);
	rc = n > 0 ? k->codec->fingerprint(pieces, n, &c->whole[side], err) : PF_OK;
	if (rc == PF_OK && n > 0 && f->job->cfg->deep) {
		rc = sum_series(f, pieces, n, &c->series[side], err);
	}
	c->there[side] = n > 0;
	free(pieces);
	return rc;
}

/* A side has answered for this row, or for all that its document has; `doc`: NULL at the end of it.
 */
static int answered(struct pf_fold *f, size_t row, enum pf_side_no side, const struct pf_doc *doc,
	struct pf_err *err)
{
	if (doc) {
		return take(f, row, side, doc, err);
	}
	if (--f->keyed->check[row].waits == 0) {
		judge(f, row);
	}
	return PF_OK;
}

static int answer(struct pf_fold *f, size_t at, enum pf_side_no side, const struct pf_doc *doc,
	struct pf_err *err)
{
	const struct pf_keyed *k = f->keyed;
	int rc = PF_OK;

	if (side == DST) {
		return answered(f, at, side, doc, err);
	}
	for (size_t end = end_of_doc(k, at); rc == PF_OK && at < end; at++) {
		if (reads_source(&k->check[k->by_key[at]])) {
			rc = answered(f, k->by_key[at], side, doc, err);
		}
	}
	return rc;
}

int keyed_verify_event(struct pf_fold *f, enum pf_side_no side, const struct pf_store_event *ev,
	struct pf_err *err)
{
	struct pf_keyed *k = f->keyed;
	size_t at =
		op_index(ev->op); /* the target's row; the source's place in the order of keys */
	struct pf_blob *body = ev->body;
	struct pf_doc *doc = NULL;
	int rc = PF_OK;

	if (ev->kind == PF_STORE_BODY) {
		struct pf_err ignored; /* what can't be read is not what was written */

		if (k->codec->read(pf_blob_span(body), &doc, &ignored) == PF_OK) {
			rc = answer(f, at, side, doc, err);
		}
		k->codec->free(&doc);
		pf_blob_unref(&body);
	} else if (ev->kind == PF_STORE_DONE || ev->kind == PF_STORE_FAILED) {
		k->looks_open--;
		rc = answer(f, at, side, NULL, err);
	}
	return rc;
}
