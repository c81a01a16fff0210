/*
 * From the items that identity makes of the parts to what is to be done: nothing, to note that the
 * target has it, or a task. Every part ends in an item; if the sums don't add up the folder fails.
 */
#include "engine/keyed_private.h"

#include <stdio.h>
#include <stdlib.h>

static int no_memory(struct pf_err *err)
{
	return pf_fail_memory(err, "the items of a folder");
}

/* ---- what identity is told ---- */

/* Rows that say which UID an item has at the target. */
static int tell_rows(struct pf_keyed *k, struct pf_err *err)
{
	k->id_rows = calloc(k->row_n + 1, sizeof(*k->id_rows));
	k->id_row_of = calloc(k->row_n + 1, sizeof(*k->id_row_of));
	if (!k->id_rows || !k->id_row_of) {
		return no_memory(err);
	}
	for (size_t i = 0; i < k->row_n; i++) {
		const struct keyed_row *r = &k->row[i];

		if (r->dst_uid.p && (r->bits & KEYED_LISTED) && r->verdict != PF_VERDICT_VANISHED) {
			k->id_rows[k->in.row_count] =
				(struct pf_id_row){r->key, r->dst_uid, r->dst_id.p != NULL};
			k->id_row_of[k->in.row_count++] = i;
		}
	}
	k->in.rows = k->id_rows;
	return PF_OK;
}

/* What the target holds beside that, also what was written for items that left the source. */
static int tell_foreign(struct pf_keyed *k, struct pf_err *err)
{
	k->foreign = calloc(k->target_n + 1, sizeof(*k->foreign));
	k->foreign_of = calloc(k->target_n + 1, sizeof(*k->foreign_of));
	if (!k->foreign || !k->foreign_of) {
		return no_memory(err);
	}
	for (size_t i = 0; i < k->target_n; i++) {
		const struct keyed_target *t = &k->target[i];
		const struct keyed_row *r = t->row != SIZE_MAX ? &k->row[t->row] : NULL;
		struct pf_id_foreign *n = &k->foreign[k->in.foreign_count];

		if (r && (r->bits & KEYED_LISTED)) {
			continue;
		}
		*n = r ? (struct pf_id_foreign){r->dst_uid, r->whole, NULL}
		       : (struct pf_id_foreign){t->uid, t->whole, t->has_meant ? &t->meant : NULL};
		if (t->bits & KEYED_UID_MADE) {
			n->uid = pf_span(NULL, 0);
		}
		if (n->uid.p || (t->bits & KEYED_UID_MADE)) {
			k->foreign_of[k->in.foreign_count++] = i;
		}
	}
	k->in.foreign = k->foreign;
	return PF_OK;
}

int keyed_identify(struct pf_fold *f, struct pf_err *err)
{
	struct pf_keyed *k = f->keyed;
	const struct pf_job *job = f->job;

	k->in = (struct pf_identity_in){
		.parts = k->part,
		.part_count = k->part_n,
		.store = pf_span_str(job->cfg->account_name),
		.folder = pf_buf_span(&f->src_id),
		.stable_keys = job_has_cap(job, SRC, PF_CAP_LASTING_IDS),
		.unique = job_facts(job, DST)->uid_scope != PF_UID_ANYWHERE,
		.merge = job->cfg->rules->merge,
	};
	return tell_rows(k, err) == PF_OK && tell_foreign(k, err) == PF_OK
		       ? pf_identity_new(&k->in, &k->identity, err)
		       : PF_FAIL;
}

/* ---- rows of items ---- */

static int row_of(struct pf_keyed *k, const struct pf_id_item *x, size_t *row, struct pf_err *err)
{
	*row = x->row != SIZE_MAX ? k->id_row_of[x->row] : keyed_find_row(k, x->key);
	return *row == SIZE_MAX ? keyed_add_row(k, x->key, row, err) : PF_OK;
}

static void describe(struct pf_keyed *k, const struct pf_id_item *x, struct keyed_row *r)
{
	const struct pf_id_part *p = &k->part[x->parts[0]];

	r->bits |= KEYED_LISTED | KEYED_SEEN;
	r->src_uid = p->uid;
	r->src_version = k->doc[k->part_doc[x->parts[0]]].version;
	if (x->whole_known && !(r->state == PF_ROW_DONE && r->has_whole)) {
		r->whole = x->whole;
		r->has_whole = true;
	}
}

static int end_row(struct pf_fold *f, size_t row, enum pf_verdict verdict, const char *note,
	struct pf_err *err)
{
	struct keyed_row *r = &f->keyed->row[row];

	r->state = PF_ROW_DONE;
	r->verdict = (uint8_t)verdict;
	f->job->progress.items_done++;
	return keyed_save(f, row, note, err);
}

/* What the rules leave out; *why is set when they do. */
static const char *left_out(const struct pf_fold *f, const struct pf_id_item *x)
{
	const struct pf_rules *r = f->job->cfg->rules;
	const struct pf_keyed *k = f->keyed;

	if (r->kinds && !(r->kinds & k->part[x->parts[0]].kind)) {
		return "--kinds";
	}
	for (size_t i = 0; i < x->part_count; i++) {
		if (k->in_range[x->parts[i]]) {
			return NULL;
		}
	}
	return "--since, --before: none of its instances is between";
}

static int adopt(struct pf_fold *f, const struct pf_id_item *x, size_t row, struct pf_err *err)
{
	struct pf_keyed *k = f->keyed;
	struct keyed_row *r = &k->row[row];
	size_t target = k->foreign_of[x->foreign];
	bool sent = r->state == PF_ROW_SENT;
	bool repaired = !pf_digest_eq(&x->whole, &k->foreign[x->foreign].whole);
	char note[200];

	r->dst_id = k->target[target].id;
	r->dst_version = k->target[target].version;
	r->dst_uid = x->uid;
	r->whole = k->foreign[x->foreign].whole;
	r->has_whole = true;
	k->target[target].row = row;
	if (sent) {
		f->job->outcome.copied_now++;
		keyed_event_log(
			f, PF_EV_DOUBT_SETTLED, r, "it had arrived before the interruption");
	} else {
		f->job->outcome.present_now++;
	}
	(void)snprintf(note, sizeof(note), "%s%s%s",
		x->notes & PF_ID_REKEYED ? "another item has its UID: it got one of its own" : "",
		x->notes & PF_ID_REKEYED && repaired ? "; " : "",
		repaired ? KEYED_AS_REPAIRED : "");
	return end_row(f, row, sent ? PF_VERDICT_COPIED : PF_VERDICT_PRESENT, note, err);
}

/* What a row stood for is not there, but another one that is what the item is now: an edit that was
 * put before an interruption, where a target gives what is put in an item's place a new id. */
static size_t find_put(
	const struct pf_keyed *k, const struct pf_id_item *x, const struct keyed_row *r)
{
	if (keyed_find_target(k, r->dst_id) != SIZE_MAX) {
		return SIZE_MAX;
	}
	for (size_t i = 0; i < k->target_n; i++) {
		const struct keyed_target *t = &k->target[i];

		if (t->row == SIZE_MAX && t->uid.p && pf_span_eq(t->uid, x->uid) &&
			pf_id_means(x, &t->whole)) {
			return i;
		}
	}
	return SIZE_MAX;
}

static int take_put(struct pf_fold *f, size_t row, size_t target, struct pf_err *err)
{
	struct pf_keyed *k = f->keyed;
	struct keyed_row *r = &k->row[row];

	r->dst_id = k->target[target].id;
	r->dst_version = k->target[target].version;
	r->whole = k->target[target].whole;
	r->has_whole = true;
	k->target[target].row = row;
	keyed_event_log(f, PF_EV_DOUBT_SETTLED, r, "its edit had arrived before the interruption");
	return end_row(f, row, (enum pf_verdict)r->verdict, NULL, err);
}

/* ---- tasks ---- */

static void note_of(const struct pf_id_item *x, char *out, size_t size)
{
	static const struct {
		uint32_t bit;
		const char *says;
	} NOTES[] = {
		{PF_ID_REKEYED, "another item has its UID: it got one of its own"},
		{PF_ID_MADE, "it had no UID: one was made"},
		{PF_ID_JOINED, "instances that were kept elsewhere were joined to it"},
		{PF_ID_AMBIGUOUS, "one of them would have fitted another series as well"},
		{PF_ID_ALONE, "an instance of no series: made an item of its own"},
		{PF_ID_MERGED_PART, "an instance that was there twice is there once"},
		{PF_ID_YIELDS, "instances that were items of their own are in their series"},
	};
	size_t n = 0;

	out[0] = '\0';
	for (size_t i = 0; i < PF_COUNT(NOTES) && n < size; i++) {
		if ((x->notes & NOTES[i].bit) && !(NOTES[i].bit == PF_ID_REKEYED &&
							 (x->notes & (PF_ID_MADE | PF_ID_ALONE)))) {
			n += (size_t)snprintf(
				out + n, size - n, "%s%s", n > 0 ? "; " : "", NOTES[i].says);
		}
	}
}

static void add_task(
	struct pf_fold *f, const struct pf_id_item *x, size_t item, size_t row, bool over)
{
	struct pf_keyed *k = f->keyed;
	struct keyed_row *r = &k->row[row];
	struct keyed_task *t = &k->task[k->task_n++];

	*t = (struct keyed_task){
		.item = item,
		.row = row,
		.uid = x->uid,
		.over = over,
		.sent_before = r->state == PF_ROW_SENT,
	};
	note_of(x, t->note, sizeof(t->note));
	r->dst_uid = x->uid;
	for (size_t i = 0; i < x->part_count; i++) {
		k->doc[k->part_doc[x->parts[i]]].tasks++;
	}
}

static int plan_item(struct pf_fold *f, const struct pf_id_item *x, size_t item, struct pf_err *err)
{
	struct pf_keyed *k = f->keyed;
	const char *why = left_out(f, x);
	struct keyed_row *r;
	size_t row = 0, put;
	bool known;

	k->parts_placed += x->part_count + x->merged_parts;
	if (row_of(k, x, &row, err) != PF_OK) {
		return PF_FAIL;
	}
	r = &k->row[row];
	known = r->dst_id.p &&
		(r->verdict == PF_VERDICT_COPIED || r->verdict == PF_VERDICT_PRESENT);
	if (known && r->has_whole && pf_id_means(x, &r->whole) &&
		r->codec_version == k->codec->version) {
		describe(k, x, r);
		return keyed_save(f, row, NULL, err);
	}
	describe(k, x, r);
	if (!known && why) {
		return end_row(f, row, PF_VERDICT_SKIPPED, why, err);
	}
	if (x->same_as != SIZE_MAX) {
		return end_row(f, row, PF_VERDICT_PRESENT,
			"equal to another item with its UID (--duplicates merge)", err);
	}
	if (!known && x->foreign != SIZE_MAX) {
		return adopt(f, x, row, err);
	}
	put = known ? find_put(k, x, r) : SIZE_MAX;
	if (put != SIZE_MAX) {
		return take_put(f, row, put, err);
	}
	f->to_copy_items++;
	if (!known) {
		r->verdict = PF_VERDICT_NONE;
	}
	add_task(f, x, item, row, known);
	return PF_OK;
}

/* ---- documents without an item of their own ---- */

/* The row that has this key among those that were added behind `indexed`: of one document they lie
 * together at the end. */
static size_t find_new(const struct pf_keyed *k, size_t indexed, struct pf_span key)
{
	for (size_t i = k->row_n; i > indexed; i--) {
		if (pf_span_eq(k->row[i - 1].key, key)) {
			return i - 1;
		}
		if (!pf_span_eq(keyed_skey(k->row[i - 1].key), keyed_skey(key))) {
			break;
		}
	}
	return SIZE_MAX;
}

/* Its part is in another document's item, or equal to a part of it. */
static int plan_follower(
	struct pf_fold *f, size_t part, size_t leader, size_t indexed, struct pf_err *err)
{
	struct pf_keyed *k = f->keyed;
	struct keyed_row *r;
	struct pf_buf key;
	size_t row = SIZE_MAX;
	int rc;

	pf_buf_init(&key, 1 << 20);
	rc = pf_buf_add(&key, k->part[part].skey, err);
	rc = rc == PF_OK ? pf_buf_add(&key, pf_span("", 1), err) : rc;
	rc = rc == PF_OK ? pf_buf_add(&key, k->part[part].uid, err) : rc;
	if (rc == PF_OK) {
		row = keyed_find_row(k, pf_buf_span(&key));
		row = row == SIZE_MAX ? find_new(k, indexed, pf_buf_span(&key)) : row;
		rc = row == SIZE_MAX ? keyed_add_row(k, pf_buf_span(&key), &row, err) : PF_OK;
	}
	pf_buf_deinit(&key);
	if (rc != PF_OK || (k->row[row].bits & KEYED_SEEN)) {
		return rc;
	}
	r = &k->row[row];
	r->bits |= KEYED_LISTED | KEYED_SEEN;
	r->src_uid = k->part[part].uid;
	r->dst_uid = pf_span(NULL, 0);
	r->src_version = k->doc[k->part_doc[part]].version;
	r->leader = leader + 1;
	r->state = PF_ROW_PLANNED;
	r->verdict = PF_VERDICT_NONE;
	return PF_OK;
}

/* An event that was made of an instance of a series, and that the target has. */
static bool is_single(const struct pf_keyed *k, const struct keyed_row *r)
{
	return k->codec->single && k->codec->single(r->src_uid) && keyed_is_removable(r) &&
	       keyed_find_target(k, r->dst_id) != SIZE_MAX;
}

/* What a row said of a document that was read now, and says no more. */
static int end_stale(struct pf_fold *f, struct pf_err *err)
{
	struct pf_keyed *k = f->keyed;

	for (size_t i = 0; i < k->row_n; i++) {
		struct keyed_row *r = &k->row[i];
		size_t d = r->bits & KEYED_SEEN ? SIZE_MAX : keyed_find_doc(k, keyed_skey(r->key));

		if (d == SIZE_MAX || !(k->doc[d].bits & KEYED_READ) ||
			(k->doc[d].bits & KEYED_GONE) || r->verdict == PF_VERDICT_VANISHED) {
			continue;
		}
		if (is_single(k, r)) { /* an edit of its series took it away */
			if (keyed_note_removal(f, r, err) != PF_OK) {
				return PF_FAIL;
			}
			continue; /* its row ends when it is gone */
		}
		r->state = PF_ROW_DONE;
		r->verdict = PF_VERDICT_VANISHED;
		if (keyed_save(f, i, "it is another item by now, or a part of one", err) != PF_OK) {
			return PF_FAIL;
		}
	}
	return PF_OK;
}

static int plan_followers(
	struct pf_fold *f, const struct pf_id_item *items, size_t n, struct pf_err *err)
{
	struct pf_keyed *k = f->keyed;
	size_t *leader = calloc(k->part_n + 1, sizeof(*leader)); /* rows, from 1 */
	size_t indexed = k->row_n;
	int rc = PF_OK;

	if (!leader) {
		return no_memory(err);
	}
	for (size_t i = 0; i < n; i++) {
		size_t row = keyed_find_row(k, items[i].key);

		for (size_t p = 0; p < items[i].part_count; p++) {
			leader[items[i].parts[p]] = row + 1;
		}
	}
	for (size_t i = 0; i < k->part_n && rc == PF_OK; i++) {
		const struct pf_id_part *p = &k->part[i];
		size_t own = leader[i];

		for (size_t q = 0; own == 0 && q < k->part_n; q++) { /* merged: that of its UID */
			own = pf_span_eq(k->part[q].uid, p->uid) ? leader[q] : 0;
		}
		if ((p->is_override || p->expanded) && own > 0 && p->uid.p &&
			!pf_span_eq(keyed_skey(k->row[own - 1].key), p->skey)) {
			rc = plan_follower(f, i, own - 1, indexed, err);
		}
	}
	free(leader);
	return rc;
}

/* ---- all of it ---- */

static int by_doc(const void *a, const void *b, void *arg)
{
	const struct pf_keyed *k = arg;
	const struct keyed_task *x = a, *y = b;
	size_t n = 0;
	const struct pf_id_item *items = pf_identity_items(k->identity, &n);
	size_t p = k->part_doc[items[x->item].parts[0]], q = k->part_doc[items[y->item].parts[0]];

	return p != q ? (p < q ? -1 : 1) : (x->item < y->item ? -1 : x->item > y->item);
}

int keyed_plan(struct pf_fold *f, struct pf_err *err)
{
	struct pf_keyed *k = f->keyed;
	const struct pf_id_item *items;
	size_t n = 0;

	f->to_copy_items = 0;
	if (pf_identity_plan(k->identity, err) != PF_OK) {
		return PF_FAIL;
	}
	items = pf_identity_items(k->identity, &n);
	k->task = calloc(n + 1, sizeof(*k->task));
	if (!k->task) {
		return no_memory(err);
	}
	for (size_t i = 0; i < n; i++) {
		if (plan_item(f, &items[i], i, err) != PF_OK) {
			return PF_FAIL;
		}
	}
	if (keyed_index_rows(k, err) != PF_OK || plan_followers(f, items, n, err) != PF_OK ||
		keyed_index_rows(k, err) != PF_OK || end_stale(f, err) != PF_OK) {
		return PF_FAIL;
	}
	if (k->parts_read != k->parts_placed) {
		return pf_fail(err, PF_SCOPE_FOLDER, PF_RETRY_NO,
			"%zu parts were read and %zu are in items: the sums don't add up",
			k->parts_read, k->parts_placed);
	}
	qsort_r(k->task, k->task_n, sizeof(*k->task), by_doc, k);
	return PF_OK;
}
