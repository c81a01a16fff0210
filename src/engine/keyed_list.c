/*
 * Both listings, compared with the rows. What has the version of the last pass is not read again,
 * unless something of its UID changed: then all of that UID is, as identity is decided over all.
 */
#include "engine/keyed_private.h"

#include <stdlib.h>

static int no_memory(struct pf_err *err)
{
	return pf_fail_memory(err, "the items of a folder");
}

static int add_doc(struct pf_keyed *k, const struct pf_item *item, struct pf_err *err)
{
	struct keyed_doc *d;

	if (k->doc_n == k->doc_cap) {
		size_t cap = k->doc_cap ? k->doc_cap * 2 : 64;
		struct keyed_doc *grown = realloc(k->doc, cap * sizeof(*grown));

		if (!grown) {
			return no_memory(err);
		}
		k->doc = grown;
		k->doc_cap = cap;
	}
	d = &k->doc[k->doc_n++];
	*d = (struct keyed_doc){.bits = KEYED_LISTED};
	return keyed_keep(k, item->id, &d->id, err) == PF_OK &&
			       keyed_keep(k, item->message, &d->message, err) == PF_OK
		       ? keyed_keep(k, item->version, &d->version, err)
		       : PF_FAIL;
}

static int add_target(struct pf_keyed *k, const struct pf_item *item, struct pf_err *err)
{
	struct keyed_target *t;

	if (k->target_n == k->target_cap) {
		size_t cap = k->target_cap ? k->target_cap * 2 : 64;
		struct keyed_target *grown = realloc(k->target, cap * sizeof(*grown));

		if (!grown) {
			return no_memory(err);
		}
		k->target = grown;
		k->target_cap = cap;
	}
	t = &k->target[k->target_n++];
	*t = (struct keyed_target){.row = SIZE_MAX, .bits = KEYED_LISTED};
	return keyed_keep(k, item->id, &t->id, err) == PF_OK
		       ? keyed_keep(k, item->version, &t->version, err)
		       : PF_FAIL;
}

int keyed_listed(
	struct pf_fold *f, enum pf_side_no side, const struct pf_item *item, struct pf_err *err)
{
	return side == SRC ? add_doc(f->keyed, item, err) : add_target(f->keyed, item, err);
}

/* ---- finding ---- */

static int cmp_doc(const void *a, const void *b)
{
	return pf_span_cmp(((const struct keyed_doc *)a)->id, ((const struct keyed_doc *)b)->id);
}

static int cmp_target(const void *a, const void *b)
{
	return pf_span_cmp(
		((const struct keyed_target *)a)->id, ((const struct keyed_target *)b)->id);
}

size_t keyed_find_doc(const struct pf_keyed *k, struct pf_span id)
{
	const struct keyed_doc key = {.id = id};
	const struct keyed_doc *d =
		k->doc_n > 0 ? bsearch(&key, k->doc, k->doc_n, sizeof(key), cmp_doc) : NULL;

	return d ? (size_t)(d - k->doc) : SIZE_MAX;
}

size_t keyed_find_target(const struct pf_keyed *k, struct pf_span id)
{
	const struct keyed_target key = {.id = id};
	const struct keyed_target *t =
		k->target_n > 0 ? bsearch(&key, k->target, k->target_n, sizeof(key), cmp_target)
				: NULL;

	return t ? (size_t)(t - k->target) : SIZE_MAX;
}

void keyed_sort(struct pf_keyed *k)
{
	size_t n = 0;

	if (k->doc_n > 1) {
		qsort(k->doc, k->doc_n, sizeof(*k->doc), cmp_doc);
	}
	for (size_t i = 0; i < k->doc_n; i++) {
		if (n == 0 || cmp_doc(&k->doc[n - 1], &k->doc[i]) != 0) {
			k->doc[n++] = k->doc[i];
		}
	}
	k->doc_n = n;
	if (k->target_n > 1) {
		qsort(k->target, k->target_n, sizeof(*k->target), cmp_target);
	}
	n = 0;
	for (size_t i = 0; i < k->target_n; i++) {
		if (n == 0 || cmp_target(&k->target[n - 1], &k->target[i]) != 0) {
			k->target[n++] = k->target[i];
		}
	}
	k->target_n = n;
}

/* ---- matching ---- */

void keyed_want_target(struct pf_keyed *k, size_t target)
{
	k->target[target].bits |= KEYED_WANTED;
}

/* Settled in an earlier pass, and both the document and the rules of meaning are the same. */
static bool is_settled(
	const struct pf_fold *f, const struct keyed_row *r, const struct keyed_doc *d)
{
	enum pf_job_mode mode = f->job->cfg->mode;

	if ((mode == PF_JOB_RETRY || f->job->cfg->rules->singles) &&
		r->verdict == PF_VERDICT_QUARANTINED) {
		return false; /* it may be given in another form now */
	}
	return r->verdict != PF_VERDICT_NONE && r->verdict != PF_VERDICT_VANISHED && d->version.p &&
	       pf_span_eq(r->src_version, d->version) &&
	       r->codec_version == f->keyed->codec->version;
}

bool keyed_is_removable(const struct keyed_row *r)
{
	return r->verdict == PF_VERDICT_COPIED && r->dst_id.p && r->dst_uid.p;
}

int keyed_note_removal(struct pf_fold *f, const struct keyed_row *r, struct pf_err *err)
{
	struct pf_gone *g;

	if (f->gone_n == f->gone_cap) {
		size_t cap = f->gone_cap ? f->gone_cap * 2 : 16;
		struct pf_gone *grown = realloc(f->gone, cap * sizeof(*grown));

		if (!grown) {
			return no_memory(err);
		}
		f->gone = grown;
		f->gone_cap = cap;
	}
	g = &f->gone[f->gone_n++];
	*g = (struct pf_gone){
		.dst_id = pf_arena_span(&f->gone_arena, r->dst_id),
		.version = pf_arena_span(&f->gone_arena, r->dst_version),
		.seq = r->seq,
		.size = r->size,
		.date_utc_s = r->date_utc_s,
		.has_digest = r->has_whole,
		.digest = r->whole,
	};
	return g->dst_id.p ? PF_OK : no_memory(err);
}

int keyed_note_gone(struct pf_fold *f, size_t row, struct pf_err *err)
{
	struct keyed_row *r = &f->keyed->row[row];

	if (r->verdict == PF_VERDICT_COPIED || r->verdict == PF_VERDICT_PRESENT) {
		f->job->outcome.gone_from_source += r->dst_uid.p != NULL;
		f->keyed->gone_told += r->dst_uid.p != NULL;
		return f->job->cfg->mirror && keyed_is_removable(r) ? keyed_note_removal(f, r, err)
								    : PF_OK;
	}
	if (r->verdict == PF_VERDICT_NONE) {
		r->state = PF_ROW_DONE;
		r->verdict = PF_VERDICT_VANISHED;
		keyed_event_log(
			f, PF_EV_ITEM_VANISHED, r, "the source removed it before it was copied");
		return keyed_save(f, row, "removed at the source meanwhile", err);
	}
	return PF_OK;
}

/* Documents without any row, or with one that is not settled, are to be read. */
static int match_rows(struct pf_fold *f, struct pf_err *err)
{
	struct pf_keyed *k = f->keyed;

	for (size_t i = 0; i < k->row_n; i++) {
		struct keyed_row *r = &k->row[i];
		size_t d = keyed_find_doc(k, keyed_skey(r->key));
		size_t t = r->dst_id.p ? keyed_find_target(k, r->dst_id) : SIZE_MAX;

		if (t != SIZE_MAX && k->target[t].row == SIZE_MAX) {
			k->target[t].row = i;
		}
		if (d == SIZE_MAX) {
			if (keyed_note_gone(f, i, err) != PF_OK) {
				return PF_FAIL;
			}
			continue;
		}
		r->bits |= KEYED_LISTED;
		k->doc[d].bits |= KEYED_FOUND; /* it has rows */
		if (!is_settled(f, r, &k->doc[d])) {
			k->doc[d].bits |= KEYED_WANTED;
		}
	}
	if (keyed_leave_messages(f, err) != PF_OK) {
		return PF_FAIL;
	}
	for (size_t i = 0; i < k->doc_n; i++) {
		if (!(k->doc[i].bits & KEYED_FOUND)) {
			k->doc[i].bits |= KEYED_WANTED;
		}
	}
	return PF_OK;
}

static bool any_wanted(const struct pf_keyed *k)
{
	for (size_t i = 0; i < k->doc_n; i++) {
		if (k->doc[i].bits & KEYED_WANTED) {
			return true;
		}
	}
	return false;
}

int keyed_match(struct pf_fold *f, struct pf_err *err)
{
	struct pf_keyed *k = f->keyed;

	keyed_sort(k);
	if (match_rows(f, err) != PF_OK) {
		return PF_FAIL;
	}
	/* What is not ours at the target matters only when something is to be written. */
	for (size_t i = 0; any_wanted(k) && i < k->target_n; i++) {
		if (k->target[i].row == SIZE_MAX) {
			keyed_want_target(k, i);
		}
	}
	for (size_t i = 0; i < k->row_n; i++) {
		f->gone_of += k->row[i].verdict == PF_VERDICT_COPIED ||
			      k->row[i].verdict == PF_VERDICT_PRESENT;
	}
	f->job->progress.items += k->doc_n;
	for (size_t i = 0; i < k->doc_n; i++) {
		f->job->progress.items_done += !(k->doc[i].bits & KEYED_WANTED);
		f->to_copy_items += (k->doc[i].bits & KEYED_WANTED) != 0;
	}
	return PF_OK;
}
