/*
 * Documents of the source become parts, items of the target become meanings; bodies do not stay.
 */
#include "engine/keyed_private.h"

#include <stdlib.h>

static int no_memory(struct pf_err *err)
{
	return pf_fail_memory(err, "the items of a folder");
}

/* ---- parts ---- */

static int room_for_parts(struct pf_keyed *k, size_t n, struct pf_err *err)
{
	size_t cap = k->part_cap ? k->part_cap : 64;
	struct pf_id_part *part;
	size_t *doc;
	bool *in_range;

	if (k->part_n + n <= k->part_cap) {
		return PF_OK;
	}
	while (cap < k->part_n + n) {
		cap *= 2;
	}
	part = realloc(k->part, cap * sizeof(*part));
	k->part = part ? part : k->part;
	doc = realloc(k->part_doc, cap * sizeof(*doc));
	k->part_doc = doc ? doc : k->part_doc;
	in_range = realloc(k->in_range, cap * sizeof(*in_range));
	k->in_range = in_range ? in_range : k->in_range;
	if (!part || !doc || !in_range) {
		return no_memory(err);
	}
	k->part_cap = cap;
	return PF_OK;
}

static uint64_t hash_of(struct pf_span s)
{
	uint64_t h = 14695981039346656037u;

	for (size_t i = 0; i < s.n; i++) {
		h = (h ^ s.p[i]) * 1099511628211u;
	}
	return h;
}

static int add_part(struct pf_keyed *k, size_t doc, const struct pf_component *p, size_t ordinal,
	struct pf_err *err)
{
	struct pf_id_part *n = &k->part[k->part_n];

	*n = (struct pf_id_part){
		.skey = k->doc[doc].id,
		.meaning = p->meaning,
		.whole = p->meaning,
		.rid_utc_s = p->rid_utc_s,
		.created_utc_s = p->created_utc_s,
		.modified_utc_s = p->modified_utc_s,
		.stamp_utc_s = p->stamp_utc_s,
		.summary = hash_of(p->summary),
		.ordinal = (uint32_t)ordinal,
		.attendees = p->attendees,
		.sequence = p->sequence,
		.day_s = p->day_s,
		.kind = p->kind,
		.is_override = p->is_override,
		.and_future = p->and_future,
		.rid_is_date = p->rid_is_date,
		.expanded = p->expanded,
		.says = p->says,
		.recurs = p->recurs,
		.has_organizer = p->has_organizer,
		.rekeyed = p->rekeyed,
		.uid_made = (k->doc[doc].bits & KEYED_UID_MADE) != 0,
	};
	k->part_doc[k->part_n] = doc;
	k->in_range[k->part_n] = true;
	k->part_n++;
	return keyed_keep(k, p->uid, &n->uid, err) == PF_OK
		       ? keyed_keep(k, p->organizer, &n->organizer, err)
		       : PF_FAIL;
}

size_t keyed_pieces_of(const struct pf_codec *codec, const struct pf_doc *doc, struct pf_span uid,
	struct pf_piece *out)
{
	size_t n = 0;

	for (int overrides = 0; overrides < 2; overrides++) {
		for (size_t i = 0; i < codec->parts(doc); i++) {
			const struct pf_component *p = codec->part(doc, i);

			if (p->is_override == (overrides == 1) &&
				(!uid.p || pf_span_eq(p->uid, uid))) {
				out[n++] = (struct pf_piece){doc, i};
			}
		}
	}
	return n;
}

int keyed_meaning(const struct pf_codec *codec, const struct pf_doc *doc, struct pf_digest *out,
	struct pf_err *err)
{
	struct pf_piece *pieces = calloc(codec->parts(doc), sizeof(*pieces));
	int rc;

	if (!pieces) {
		return no_memory(err);
	}
	rc = codec->fingerprint(
		pieces, keyed_pieces_of(codec, doc, pf_span(NULL, 0), pieces), out, err);
	free(pieces);
	return rc;
}

/* Whether --since and --before take it: any of its instances lies between. */
static int is_in_range(
	struct pf_fold *f, const struct pf_piece *pieces, size_t n, bool *yes, struct pf_err *err)
{
	const struct pf_rules *r = f->job->cfg->rules;
	const struct pf_component *first = f->keyed->codec->part(pieces[0].doc, pieces[0].part);
	int64_t from = r->since_utc_s == PF_DATE_NONE ? INT64_MIN / 2 : r->since_utc_s;
	int64_t to = r->before_utc_s == PF_DATE_NONE ? INT64_MAX / 2 : r->before_utc_s;
	struct pf_instance any;
	struct pf_window w = {from, to, &any, 1, 0};

	*yes = true;
	if ((r->since_utc_s == PF_DATE_NONE && r->before_utc_s == PF_DATE_NONE) ||
		first->begin_utc_s == PF_DATE_NONE) {
		return PF_OK;
	}
	if (f->keyed->codec->expand(pieces, n, &w, err) != PF_OK) {
		return PF_FAIL;
	}
	*yes = w.n > 0;
	return PF_OK;
}

/* What the parts of one UID of the document mean together. */
static int add_wholes(struct pf_fold *f, const struct pf_doc *doc, size_t first, struct pf_err *err)
{
	struct pf_keyed *k = f->keyed;
	size_t n = k->part_n - first;
	struct pf_piece *pieces = calloc(n + 1, sizeof(*pieces));
	int rc = PF_OK;

	if (!pieces) {
		return no_memory(err);
	}
	for (size_t i = 0; i < n && rc == PF_OK; i++) {
		struct pf_id_part *p = &k->part[first + i];
		size_t earlier = 0, count;

		while (earlier < i && !(p->uid.p && k->part[first + earlier].uid.p &&
					      pf_span_eq(k->part[first + earlier].uid, p->uid))) {
			earlier++;
		}
		if (p->uid.p && earlier < i) { /* was summed up with the first of its UID */
			p->whole = k->part[first + earlier].whole;
			p->whole_forms = k->part[first + earlier].whole_forms;
			k->in_range[first + i] = k->in_range[first + earlier];
			continue;
		}
		pieces[0] = (struct pf_piece){doc, i};
		count = p->uid.p ? keyed_pieces_of(k->codec, doc, p->uid, pieces) : 1;
		rc = count > 1 ? k->codec->fingerprint(pieces, count, &p->whole, err) : PF_OK;
		rc = rc == PF_OK ? keyed_forms(f, pieces, count, &p->whole, &p->whole_forms, err)
				 : rc;
		rc = rc == PF_OK ? is_in_range(f, pieces, count, &k->in_range[first + i], err) : rc;
	}
	for (size_t i = 0; i < n && rc == PF_OK; i++) { /* it may become an item by itself */
		struct pf_id_part *p = &k->part[first + i];

		pieces[0] = (struct pf_piece){doc, i};
		if (pf_digest_eq(&p->meaning, &p->whole)) {
			p->meaning_forms = p->whole_forms;
		} else {
			rc = keyed_forms(f, pieces, 1, &p->meaning, &p->meaning_forms, err);
		}
	}
	free(pieces);
	return rc;
}

static int take_parts(struct pf_fold *f, size_t doc, const struct pf_doc *open, struct pf_err *err)
{
	struct pf_keyed *k = f->keyed;
	size_t n = k->codec->parts(open), first = k->part_n;

	if (room_for_parts(k, n, err) != PF_OK) {
		return PF_FAIL;
	}
	for (size_t i = 0; i < n; i++) {
		if (add_part(k, doc, k->codec->part(open, i), i, err) != PF_OK) {
			return PF_FAIL;
		}
	}
	k->parts_read += n;
	return add_wholes(f, open, first, err);
}

int keyed_row_of_doc(struct pf_fold *f, size_t doc, size_t *row, struct pf_err *err)
{
	struct pf_keyed *k = f->keyed;
	struct keyed_doc *d = &k->doc[doc];
	struct pf_buf key;
	int rc;

	pf_buf_init(&key, 1 << 20);
	rc = pf_buf_add(&key, d->id, err);
	rc = rc == PF_OK ? pf_buf_add(&key, pf_span("", 1), err) : rc;
	if (rc == PF_OK) {
		*row = keyed_find_row(k, pf_buf_span(&key));
		rc = *row == SIZE_MAX ? keyed_add_row(k, pf_buf_span(&key), row, err) : PF_OK;
	}
	pf_buf_deinit(&key);
	if (rc == PF_OK) {
		k->row[*row].src_version = d->version;
	}
	return rc;
}

int keyed_unreadable(
	struct pf_fold *f, size_t doc, struct pf_blob *body, const char *why, struct pf_err *err)
{
	size_t row = 0;

	f->keyed->doc[doc].bits |= KEYED_UNREADABLE;
	if (!job_keeps(f->job)) {
		return PF_OK;
	}
	if (keyed_row_of_doc(f, doc, &row, err) != PF_OK ||
		keyed_index_rows(f->keyed, err) != PF_OK) {
		return PF_FAIL;
	}
	f->keyed->row[row].bits |= KEYED_LISTED | KEYED_SEEN;
	return keyed_quarantine(f, row, body, why, err);
}

/* ---- asking ---- */

static int ask_docs(struct pf_fold *f, struct pf_err *err)
{
	struct pf_keyed *k = f->keyed;

	for (; k->next[SRC] < k->doc_n && k->open[SRC] < KEYED_WINDOW; k->next[SRC]++) {
		struct keyed_doc *d = &k->doc[k->next[SRC]];
		int rc;

		if (!(d->bits & KEYED_WANTED) || (d->bits & (KEYED_ASKED | KEYED_READ))) {
			continue;
		}
		rc = keyed_get(f, SRC, USE_KEYED_SRC, k->next[SRC], d->id, err);
		if (rc != PF_OK) {
			return rc;
		}
		d->bits |= KEYED_ASKED;
		k->open[SRC]++;
	}
	return PF_OK;
}

static int ask_targets(struct pf_fold *f, struct pf_err *err)
{
	struct pf_keyed *k = f->keyed;

	for (; k->next[DST] < k->target_n && k->open[DST] < KEYED_WINDOW; k->next[DST]++) {
		struct keyed_target *t = &k->target[k->next[DST]];
		int rc;

		if (!(t->bits & KEYED_WANTED) || (t->bits & (KEYED_ASKED | KEYED_READ))) {
			continue;
		}
		rc = keyed_get(f, DST, USE_KEYED_DST, k->next[DST], t->id, err);
		if (rc != PF_OK) {
			return rc;
		}
		t->bits |= KEYED_ASKED;
		k->open[DST]++;
	}
	return PF_OK;
}

static int cmp_uid(const void *a, const void *b, void *arg)
{
	const struct keyed_row *rows = arg;

	return pf_span_cmp(rows[*(const size_t *)a].src_uid, rows[*(const size_t *)b].src_uid);
}

/* Documents of the rows that have this UID are to be read as well. */
static bool want_uid(struct pf_keyed *k, const size_t *by_uid, struct pf_span uid)
{
	size_t lo = 0, hi = k->row_n;
	bool any = false;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;
		bool before = pf_span_cmp(k->row[by_uid[mid]].src_uid, uid) < 0;

		*(before ? &lo : &hi) = before ? mid + 1 : mid;
	}
	for (; lo < k->row_n && pf_span_eq(k->row[by_uid[lo]].src_uid, uid); lo++) {
		size_t d = keyed_find_doc(k, keyed_skey(k->row[by_uid[lo]].key));

		if (d != SIZE_MAX && !(k->doc[d].bits & KEYED_WANTED)) {
			k->doc[d].bits |= KEYED_WANTED;
			any = true;
		}
	}
	return any;
}

/* All of a UID is decided over together: *any: more is to be read now. */
static int widen(struct pf_keyed *k, bool *any, struct pf_err *err)
{
	size_t *by_uid = calloc(k->row_n + 1, sizeof(*by_uid));

	*any = false;
	if (!by_uid) {
		return no_memory(err);
	}
	for (size_t i = 0; i < k->row_n; i++) {
		by_uid[i] = i;
	}
	qsort_r(by_uid, k->row_n, sizeof(*by_uid), cmp_uid, k->row);
	for (size_t i = 0; i < k->part_n; i++) {
		if (k->part[i].uid.p) {
			*any = want_uid(k, by_uid, k->part[i].uid) || *any;
		}
	}
	for (size_t i = 0; i < k->row_n; i++) { /* something left the source */
		if (!(k->row[i].bits & KEYED_LISTED) && k->row[i].src_uid.p) {
			*any = want_uid(k, by_uid, k->row[i].src_uid) || *any;
		}
	}
	free(by_uid);
	return PF_OK;
}

int keyed_read_step(struct pf_fold *f, struct pf_err *err)
{
	struct pf_keyed *k = f->keyed;
	int src = ask_docs(f, err), dst = src == PF_FAIL ? PF_FAIL : ask_targets(f, err);
	bool any = false;

	if (src == PF_FAIL || dst == PF_FAIL) {
		return PF_FAIL;
	}
	if (src == PF_AGAIN || dst == PF_AGAIN || k->open[SRC] > 0 || k->open[DST] > 0) {
		return PF_AGAIN;
	}
	if (widen(k, &any, err) != PF_OK) {
		return PF_FAIL;
	}
	if (any) {
		k->next[SRC] = 0;
		return keyed_read_step(f, err);
	}
	return PF_OK;
}

/* ---- answers ---- */

static int take_doc(struct pf_fold *f, size_t i, struct pf_blob *body, struct pf_err *err)
{
	struct pf_keyed *k = f->keyed;
	struct pf_doc *doc = NULL;
	struct pf_err why;
	int rc;

	k->doc[i].bits |= KEYED_READ;
	if (k->codec->read(pf_blob_span(body), &doc, &why) != PF_OK) {
		if (why.scope > PF_SCOPE_ITEM) {
			*err = why;
			pf_blob_unref(&body);
			return PF_FAIL;
		}
		return keyed_unreadable(f, i, body, why.text, err);
	}
	rc = take_parts(f, i, doc, err);
	k->codec->free(&doc);
	pf_blob_unref(&body);
	return rc;
}

static int take_target(struct pf_fold *f, size_t i, struct pf_blob *body, struct pf_err *err)
{
	struct pf_keyed *k = f->keyed;
	struct keyed_target *t = &k->target[i];
	struct pf_doc *doc = NULL;
	struct pf_err why; /* what is not understood can't be one of ours */
	int rc = PF_OK;

	t->bits |= KEYED_READ;
	if (k->codec->read(pf_blob_span(body), &doc, &why) == PF_OK) {
		rc = keyed_keep(k, k->codec->part(doc, 0)->uid, &t->uid, err);
		rc = rc == PF_OK ? keyed_meaning(k->codec, doc, &t->whole, err) : rc;
		t->has_meant = keyed_mark_read(k->codec, doc, &t->meant);
	}
	k->codec->free(&doc);
	pf_blob_unref(&body);
	return rc;
}

/* The source can't give it: gone meanwhile, refused, or for the next run. */
static int not_given(
	struct pf_fold *f, size_t i, const struct pf_store_event *ev, struct pf_err *err)
{
	struct keyed_doc *d = &f->keyed->doc[i];
	char why[400];

	if (ev->kind == PF_STORE_FAILED && ev->failed.why.scope >= PF_SCOPE_SESSION) {
		*err = ev->failed.why;
		return PF_FAIL;
	}
	if (ev->kind == PF_STORE_FAILED && ev->failed.missing) {
		d->bits |= KEYED_READ | KEYED_UNREADABLE | KEYED_MISSING;
		f->keyed->missing++;
		return PF_OK;
	}
	d->bits |= KEYED_READ;
	(void)snprintf(why, sizeof(why), "the source can't give it: %.350s",
		ev->kind == PF_STORE_FAILED ? ev->failed.why.text : "it is too large for an item");
	return keyed_unreadable(f, i, NULL, why, err);
}

int keyed_read_event(struct pf_fold *f, enum pf_side_no side, const struct pf_store_event *ev,
	struct pf_err *err)
{
	struct pf_keyed *k = f->keyed;
	size_t i = op_index(ev->op);

	switch (ev->kind) {
	case PF_STORE_BODY:
		if (ev->uid_made) {
			*(side == SRC ? &k->doc[i].bits : &k->target[i].bits) |= KEYED_UID_MADE;
		}
		return side == SRC ? take_doc(f, i, ev->body, err)
				   : take_target(f, i, ev->body, err);
	case PF_STORE_DONE:
	case PF_STORE_FAILED:
		k->open[side]--;
		if (side == SRC && !(k->doc[i].bits & KEYED_READ)) {
			return not_given(f, i, ev, err);
		}
		if (side == DST) {
			k->target[i].bits |= KEYED_READ;
		}
		return PF_OK;
	default:
		return PF_OK;
	}
}
