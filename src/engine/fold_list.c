/*
 * Listings of both sides, compared with the ledger.
 */
#include "base/utf8.h"
#include "engine/job_private.h"

#include <stdlib.h>

/* ---- asking ---- */

int fold_list_src(struct pf_fold *f, bool delta, struct pf_err *err)
{
	f->src_done = false;
	f->src_asked = false;
	f->want_delta = delta;
	for (size_t i = 0; i < f->rows.n; i++) {
		f->rows.v[i].bits &= (uint16_t)~PF_ENTRY_LISTED;
	}
	return fold_list_step(f, err);
}

int fold_list_dst(struct pf_fold *f, uint64_t from, struct pf_err *err)
{
	f->dst_done = false;
	f->dst_asked = false;
	f->dst_from = from;
	return fold_list_step(f, err);
}

static int ask_src(struct pf_fold *f, struct pf_err *err)
{
	struct pf_op op = {
		.kind = PF_OP_LIST,
		.id = op_id(USE_LIST_SRC, f->index, 0),
		.folder = pf_buf_span(&f->src_id),
	};
	int rc;

	if (f->want_delta) {
		op.list.cursor = pf_buf_span(&f->old_cursor);
	}
	rc = job_submit(f->job, SRC, &op, err);
	if (rc != PF_OK) {
		return rc;
	}
	f->src_asked = true;
	f->delta = false;
	return pf_rows_begin_listing(&f->rows, err);
}

static int ask_dst(struct pf_fold *f, struct pf_err *err)
{
	struct pf_op op = {
		.kind = PF_OP_LIST,
		.id = op_id(USE_LIST_DST, f->index, 0),
		.folder = pf_buf_span(&f->dst_id),
		.list = {.from = f->dst_from},
	};
	int rc = job_submit(f->job, DST, &op, err);

	if (rc != PF_OK) {
		return rc;
	}
	f->dst_asked = true;
	f->dst_listed = 0;
	f->dst_listed_ms = f->job->now.ms;
	f->foreign_n = 0;
	return pf_rows_index_dst(&f->rows, err);
}

int fold_list_step(struct pf_fold *f, struct pf_err *err)
{
	int rc = PF_OK;

	if (f->not_before_ms > f->job->now.ms) {
		return PF_AGAIN;
	}
	if (!f->src_done && !f->src_asked) {
		rc = ask_src(f, err);
	}
	if (rc == PF_OK && !f->dst_done && !f->dst_asked) {
		rc = ask_dst(f, err);
	}
	return rc == PF_FAIL ? PF_FAIL : PF_AGAIN;
}

/* Ids at the target that rows of other folders with the same place account for. */
static int read_claims(struct pf_fold *f, struct pf_fold *other, struct pf_err *err)
{
	struct pf_ledger_cursor *c = NULL;
	struct pf_ledger_item row;
	int rc = pf_ledger_items(
		f->job->cfg->ledger, f->job->cfg->account, other->row_id, PF_ITEMS_ALL, &c, err);

	while (rc == PF_OK && (rc = pf_ledger_items_next(c, &row, err)) == PF_OK) {
		struct pf_span *grown;

		if (!row.dst_id.p) {
			continue;
		}
		if ((f->claimed_n & (f->claimed_n - 1)) == 0) { /* full at powers of two */
			size_t cap = f->claimed_n ? f->claimed_n * 2 : 1;

			grown = realloc(f->claimed, cap * sizeof(*grown));
			if (!grown) {
				rc = pf_fail_memory(err, "the items of a folder");
				break;
			}
			f->claimed = grown;
		}
		f->claimed[f->claimed_n++] = pf_arena_span(&f->rows.arena, row.dst_id);
	}
	pf_ledger_cursor_close(&c);
	return rc == PF_END ? PF_OK : rc;
}

static int cmp_span(const void *a, const void *b)
{
	return pf_span_cmp(*(const struct pf_span *)a, *(const struct pf_span *)b);
}

static int load(struct pf_fold *f, struct pf_err *err)
{
	struct pf_job *job = f->job;

	if (!job->cfg->ledger || f->row_id == 0) {
		return PF_OK;
	}
	for (size_t i = 0; f->shares_place && i < job->fold_count; i++) {
		struct pf_fold *o = &job->folds[i];

		if (o != f && o->row_id != 0 && pf_path_eq(&o->dst, &f->dst) &&
			read_claims(f, o, err) != PF_OK) {
			return PF_FAIL;
		}
	}
	if (f->claimed_n > 1) {
		qsort(f->claimed, f->claimed_n, sizeof(*f->claimed), cmp_span);
	}
	return pf_rows_load(&f->rows, job->cfg->ledger, job->cfg->account, f->row_id, err);
}

static bool has_dst_ids(const struct pf_fold *f)
{
	for (size_t i = 0; i < f->rows.n; i++) {
		if (f->rows.v[i].dst_id.p) {
			return true;
		}
	}
	return false;
}

int fold_list_begin(struct pf_fold *f, struct pf_err *err)
{
	const struct pf_job *job = f->job;
	bool delta, known;

	if (!f->loaded && load(f, err) != PF_OK) {
		return PF_FAIL;
	}
	f->loaded = true;
	if (!f->fleeting && job_writes(job) && fold_is_nameless(f)) { /* then it is done alone */
		f->fleeting = true;
		f->state = FOLD_WAITING;
		return PF_OK;
	}
	if (f->fleeting) {
		fold_forget_ids(f);
	}
	f->doubt_ms = job->begun_ms; /* of what an earlier pass left in doubt */
	known = has_dst_ids(f) && !f->dst_validity_new;
	delta = job->cfg->mode == PF_JOB_COPY && !job->cfg->mirror && f->old_cursor.n > 0 &&
		f->rows.n > 0 && job_has_cap(job, SRC, PF_CAP_LIST_DELTA);
	f->src_done = false;
	f->dst_done = !f->dst_exists || job->cfg->mode == PF_JOB_CHECK;
	f->dst_from = known ? f->dst_mark : 0;
	return fold_list_src(f, delta, err) == PF_FAIL ? PF_FAIL : PF_OK;
}

/* ---- answers ---- */

/* The source's ids mean nothing any more: the old rows only serve to know what the target holds. */
static int void_source(struct pf_fold *f, struct pf_err *err)
{
	job_event(f->job, PF_EV_VALIDITY_CHANGED, f, NULL,
		"the source gave its items new ids: %zu known items are paired again by their "
		"content",
		f->rows.n);
	pf_rows_deinit(&f->void_rows);
	f->void_rows = f->rows;
	pf_rows_init(&f->rows);
	pf_buf_clear(&f->old_cursor);
	if (pf_rows_index_dst(&f->void_rows, err) != PF_OK ||
		pf_rows_begin_listing(&f->rows, err) != PF_OK ||
		pf_rows_index_dst(&f->rows, err) != PF_OK ||
		(job_keeps(f->job) &&
			pf_ledger_items_drop(f->job->cfg->ledger, f->row_id, err) != PF_OK)) {
		return PF_FAIL;
	}
	f->restart = f->restart || f->state != FOLD_LISTING;
	/* What the target listed so far was told from what the old rows held. */
	if (f->dst_exists && f->job->cfg->mode != PF_JOB_CHECK) {
		f->dst_from = 0;
		f->relist_dst = f->dst_asked;
		f->dst_done = false;
	}
	return PF_OK;
}

/* The target's ids mean nothing any more: where our items are is found out by their content. */
static int void_target(struct pf_fold *f, struct pf_err *err)
{
	job_event(f->job, PF_EV_VALIDITY_CHANGED, f, NULL,
		"the target gave its items new ids: %zu known items are paired again by their "
		"content",
		f->rows.n);
	for (size_t i = 0; i < f->rows.n; i++) {
		struct pf_entry *e = &f->rows.v[i];

		if (e->dst_id.p) { /* it is still one that was stored */
			e->dst_id = pf_span(NULL, 0);
			e->bits |= PF_ENTRY_UNSAVED;
		}
	}
	f->dst_mark = 0;
	f->restart = f->restart || f->state != FOLD_LISTING;
	return pf_rows_index_dst(&f->rows, err);
}

/*
 * A server that tells no UIDVALIDITY (or 0) promises nothing about its ids: those that are known
 * must prove to be what they were, by date and size as far as these are reliable.
 */
static bool is_another(const struct pf_fold *f, enum pf_side_no side, const struct pf_entry *e,
	const struct pf_item *item)
{
	bool dates = side == SRC || job_has_cap(f->job, DST, PF_CAP_KEEPS_DATE);
	bool sizes = job_has_cap(f->job, side, PF_CAP_EXACT_SIZE);

	return (dates && item->date_utc_s != e->date_utc_s) || (sizes && item->size != e->size);
}

static int state_of_src(struct pf_fold *f, const struct pf_store_event *ev, struct pf_err *err)
{
	const struct pf_folder *now = ev->folder;
	int rc = PF_OK;

	f->src_moved = false;
	f->src_unsure = f->rows.n > 0 && (f->src_validity == 0 || now->state.validity == 0);
	if (!f->src_unsure && f->src_validity != 0 && now->state.validity != f->src_validity) {
		rc = void_source(f, err);
	}
	f->src_validity = now->state.validity;
	f->delta = ev->delta;
	pf_buf_clear(&f->new_cursor);
	return rc == PF_OK ? pf_buf_add(&f->new_cursor, now->state.cursor, err) : rc;
}

static int state_of_dst(struct pf_fold *f, const struct pf_store_event *ev, struct pf_err *err)
{
	const struct pf_folder *now = ev->folder;
	bool known = f->dst_validity != 0 && now->state.validity != 0;
	bool changed = known && now->state.validity != f->dst_validity;

	f->dst_moved = false;
	if (f->fleeting) {
		fold_forget_ids(f);
		changed = false;
	}
	f->dst_unsure = !known && f->state == FOLD_LISTING && has_dst_ids(f);
	f->dst_validity = now->state.validity;
	f->dst_count = now->state.count;
	f->dst_next = now->state.next;
	f->permitted_known = true;
	f->permitted_sys = ev->permitted_sys;
	f->permitted_any = ev->permitted_any;
	f->dst_validity_new = false;
	pf_buf_clear(&f->permitted_kw);
	if (pf_buf_add(&f->permitted_kw, ev->permitted_kw, err) != PF_OK) {
		return PF_FAIL;
	}
	return changed ? void_target(f, err) : PF_OK;
}

static int skip(struct pf_fold *f, struct pf_entry *e, const char *why, struct pf_err *err)
{
	e->state = PF_ROW_DONE;
	e->verdict = PF_VERDICT_SKIPPED;
	return job_keeps(f->job) ? pf_rows_save(e, f->job->cfg->ledger, f->row_id, why, err)
				 : PF_OK;
}

/* A label more or less since the last pass. */
static void look_at_labels(struct pf_entry *e, bool skipped)
{
	if (!skipped && labels_had_skipped(e)) {
		e->state = PF_ROW_PLANNED;
		e->verdict = PF_VERDICT_NONE;
		e->note = pf_span(NULL, 0);
		e->bits |= PF_ENTRY_UNSAVED;
	}
}

static int listed(struct pf_fold *f, const struct pf_item *item, struct pf_err *err)
{
	struct pf_entry *e = NULL;
	uint32_t before = f->rows.max_seq;
	const char *elsewhere = labels_skip_item(f, item);
	char why[200];

	if (pf_rows_listed(&f->rows, item, &e, err) != PF_OK) {
		return PF_FAIL;
	}
	if (f->rows.max_seq == before) {
		f->src_moved = f->src_moved || (f->src_unsure && is_another(f, SRC, e, item));
		look_at_labels(e, elsewhere != NULL);
		return PF_OK;
	}
	f->job->rows_in_memory++;
	if (pf_rules_skip_item(f->job->cfg->rules, item, why, sizeof(why))) {
		return skip(f, e, why, err);
	}
	return elsewhere ? skip(f, e, elsewhere, err) : PF_OK;
}

static bool is_claimed(const struct pf_fold *f, struct pf_span id)
{
	return f->claimed_n > 0 &&
	       bsearch(&id, f->claimed, f->claimed_n, sizeof(*f->claimed), cmp_span) != NULL;
}

/* Room for one more; NULL: no memory. */
static struct pf_foreign *new_foreign(struct pf_fold *f, struct pf_err *err)
{
	if (f->foreign_n == f->foreign_cap) {
		size_t cap = f->foreign_cap ? f->foreign_cap * 2 : 64;
		struct pf_foreign *grown = realloc(f->foreign, cap * sizeof(*grown));

		if (!grown) {
			(void)pf_fail_memory(err, "the items of a folder");
			return NULL;
		}
		f->foreign = grown;
		f->foreign_cap = cap;
	}
	return &f->foreign[f->foreign_n++];
}

int fold_add_foreign(struct pf_fold *f, const struct pf_item *item, struct pf_err *err)
{
	struct pf_entry *old = pf_rows_find_dst(&f->rows, item->id);
	struct pf_foreign *n;

	if (old) {
		f->dst_moved = f->dst_moved || (f->dst_unsure && is_another(f, DST, old, item));
		return PF_OK;
	}
	if (is_claimed(f, item->id)) {
		return PF_OK;
	}
	n = new_foreign(f, err);
	if (!n) {
		return PF_FAIL;
	}
	old = f->void_rows.n > 0 ? pf_rows_find_dst(&f->void_rows, item->id) : NULL;
	*n = (struct pf_foreign){
		.id = pf_arena_span(&f->rows.arena, item->id),
		.size = item->size,
		.date_utc_s = item->date_utc_s,
		.flags.sys = item->flags.sys,
		.digest = old ? old->digest : NULL,
	};
	if (!n->id.p) {
		return pf_fail_memory(err, "the items of a folder");
	}
	return pf_rows_keywords(&f->rows, item->flags.kw, &n->flags.kw, err);
}

static bool is_new(const struct pf_entry *e)
{
	return e->verdict == PF_VERDICT_NONE && e->state == PF_ROW_PLANNED;
}

static int by_id(const void *a, const void *b)
{
	const struct pf_foreign *x = a, *y = b;

	return pf_span_cmp(x->id, y->id);
}

void fold_order_foreign(struct pf_fold *f)
{
	if (f->foreign_n > 1) {
		qsort(f->foreign, f->foreign_n, sizeof(*f->foreign), by_id);
	}
}

int fold_add_left(struct pf_fold *f, struct pf_err *err)
{
	bool any = false;

	for (size_t i = 0; i < f->rows.n && !any; i++) {
		any = is_new(&f->rows.v[i]);
	}
	for (size_t i = 0; i < f->rows.n && any; i++) {
		const struct pf_entry *e = &f->rows.v[i];
		struct pf_foreign *n;

		if (!(e->bits & PF_ENTRY_GONE) || !e->dst_id.p ||
			(e->verdict != PF_VERDICT_COPIED && e->verdict != PF_VERDICT_PRESENT)) {
			continue;
		}
		n = new_foreign(f, err);
		if (!n) {
			return PF_FAIL;
		}
		/* Whether it is still there, and what it is, is known when it was read. */
		*n = (struct pf_foreign){
			.id = e->dst_id,
			.size = e->size,
			.date_utc_s = e->date_utc_s,
			.left = true,
			.left_row = i,
		};
	}
	return PF_OK;
}

void fold_keep_left(struct pf_fold *f, const struct pf_entry *e)
{
	for (size_t i = 0; i < f->gone_n; i++) {
		if (f->gone[i].seq == e->seq) {
			f->gone[i] = f->gone[--f->gone_n];
			return;
		}
	}
}

/* Fewer items than the source says there are, again and again: what it lists is copied. */
static void settle_for_less(struct pf_fold *f, const struct pf_err *why)
{
	f->unfinished = true;
	f->incomplete = true;
	(void)pf_print_safe(f->note, sizeof(f->note), pf_span_str(why->text));
	job_event(f->job, PF_EV_LISTING_INCOMPLETE, f, NULL, "%s", why->text);
}

static int not_ended(
	struct pf_fold *f, enum pf_side_no side, const struct pf_err *why, struct pf_err *err)
{
	bool src = side == SRC;

	if (fold_is_lost(f, side, why)) {
		*(src ? &f->src_asked : &f->dst_asked) = false;
		*(src ? &f->src_done : &f->dst_done) = true;
		return PF_OK;
	}
	if (why->retry == PF_RETRY_NO || f->list_tries++ >= LIST_TRIES_MAX) {
		if (src && why->number == PF_EV_LISTING_INCOMPLETE) {
			settle_for_less(f, why);
			f->src_asked = false;
			f->src_done = true;
			return PF_OK;
		}
		*err = *why;
		err->scope = PF_SCOPE_FOLDER;
		return pf_wrap(err, "listing it at the %s", src ? "source" : "target");
	}
	if (src) {
		f->want_delta = false; /* what changed is not enough: all of it */
	}
	f->not_before_ms = f->job->now.ms;
	if (why->retry == PF_RETRY_LATER) {
		f->not_before_ms += job_pause_ms(f->job, f->list_tries, why);
	}
	*(src ? &f->src_asked : &f->dst_asked) = false;
	return PF_OK;
}

/* Ids that did not prove to be what they were: as if the UIDVALIDITY had changed. */
static int moved(struct pf_fold *f, enum pf_side_no side, struct pf_err *err)
{
	if (side == SRC && f->src_moved) {
		f->src_moved = false;
		f->src_asked = false;
		return void_source(f, err);
	}
	if (side == DST && f->dst_moved) {
		f->dst_moved = false;
		f->relist_dst = true;
		f->dst_from = 0;
		return void_target(f, err);
	}
	return PF_OK;
}

static int ended(struct pf_fold *f, enum pf_side_no side, const struct pf_store_event *ev,
	struct pf_err *err)
{
	bool src = side == SRC, again = src && f->src_moved;

	if (ev->kind == PF_STORE_FAILED) {
		return not_ended(f, side, &ev->failed.why, err);
	}
	if (moved(f, side, err) != PF_OK) {
		return PF_FAIL;
	}
	*(src ? &f->src_asked : &f->dst_asked) = false;
	*(src ? &f->src_done : &f->dst_done) = src ? !again : !f->relist_dst;
	f->relist_dst = f->relist_dst && src;
	return PF_OK;
}

int fold_list_event(struct pf_fold *f, enum pf_side_no side, const struct pf_store_event *ev,
	struct pf_err *err)
{
	struct pf_entry *e;

	switch (ev->kind) {
	case PF_STORE_STATE:
		if (side == SRC) {
			return state_of_src(f, ev, err);
		}
		if (f->state == FOLD_LISTING && f->dst_from > 0 &&
			(ev->folder->state.validity == 0 ||
				f->dst_validity !=
					ev->folder->state.validity)) { /* only a part is listed: the
									  whole is needed now */
			f->dst_from = 0;
			f->relist_dst = true;
		}
		return state_of_dst(f, ev, err);
	case PF_STORE_ITEM:
		if (side == SRC) {
			return listed(f, &ev->item, err);
		}
		f->dst_listed++;
		return f->state == FOLD_CONFIRMING ? fold_confirm_item(f, &ev->item, err)
						   : fold_add_foreign(f, &ev->item, err);
	case PF_STORE_GONE:
		e = pf_rows_find(&f->rows, ev->item.id);
		if (e) {
			e->bits |= PF_ENTRY_GONE;
		}
		return PF_OK;
	case PF_STORE_DONE:
	case PF_STORE_FAILED:
		return ended(f, side, ev, err);
	default:
		return PF_OK;
	}
}

/* ---- both are there ---- */

void fold_mark_gone(struct pf_fold *f)
{
	for (size_t i = 0; !f->delta && !f->incomplete && i < f->rows.n; i++) {
		if (!(f->rows.v[i].bits & PF_ENTRY_LISTED)) {
			f->rows.v[i].bits |= PF_ENTRY_GONE;
		}
	}
}

static int note_gone(struct pf_fold *f, struct pf_entry *e, struct pf_err *err)
{
	struct pf_gone *grown;

	if (!f->job->cfg->mirror || f->incomplete || f->src_lost || !e->dst_id.p ||
		e->verdict != PF_VERDICT_COPIED) {
		return PF_OK; /* what this ledger did not write is never removed */
	}
	if (f->gone_n == f->gone_cap) {
		f->gone_cap = f->gone_cap ? f->gone_cap * 2 : 16;
		grown = realloc(f->gone, f->gone_cap * sizeof(*grown));
		if (!grown) {
			return pf_fail_memory(err, "the items of a folder");
		}
		f->gone = grown;
	}
	f->gone[f->gone_n++] = (struct pf_gone){
		.dst_id = pf_arena_span(&f->gone_arena, e->dst_id),
		.kw = pf_arena_span(&f->gone_arena, e->kw),
		.seq = e->seq,
		.size = e->size,
		.date_utc_s = e->date_utc_s,
		.sys = e->sys,
		.has_digest = e->digest != NULL,
		.digest = e->digest ? *e->digest : (struct pf_digest){{0}},
	};
	return PF_OK;
}

/* It left the source before it was copied. What was in quarantine for it stays there. */
int fold_vanished(struct pf_fold *f, struct pf_entry *e, struct pf_err *err)
{
	const char *why = e->verdict == PF_VERDICT_QUARANTINED
				  ? "the source removed it while it was in quarantine"
				  : "the source removed it before it was copied";

	e->state = PF_ROW_DONE;
	e->verdict = PF_VERDICT_VANISHED;
	job_event(f->job, PF_EV_ITEM_VANISHED, f, e, "%s", why);
	return job_keeps(f->job) ? pf_rows_save(e, f->job->cfg->ledger, f->row_id, why, err)
				 : PF_OK;
}

/* What the state of a row from an earlier pass means for this one. */
static int review(struct pf_fold *f, struct pf_entry *e, struct pf_err *err)
{
	bool again = f->job->cfg->mode == PF_JOB_RETRY && e->verdict == PF_VERDICT_QUARANTINED;
	bool back; /* a listing before this one did not show it */

	if (e->bits & PF_ENTRY_GONE) {
		if ((e->verdict == PF_VERDICT_NONE && e->state != PF_ROW_SENT) ||
			e->verdict == PF_VERDICT_QUARANTINED) {
			return fold_vanished(f, e, err);
		}
		if (e->verdict == PF_VERDICT_COPIED || e->verdict == PF_VERDICT_PRESENT) {
			f->job->outcome.gone_from_source++;
			if (e->state != PF_ROW_LEFT) { /* a list of changes tells it only once */
				e->state = PF_ROW_LEFT;
				e->bits |= PF_ENTRY_UNSAVED;
			}
			return note_gone(f, e, err);
		}
		return PF_OK;
	}
	back = e->verdict == PF_VERDICT_VANISHED && (e->bits & PF_ENTRY_LISTED);
	if (again || back || (e->state == PF_ROW_REFUSED && e->verdict == PF_VERDICT_NONE)) {
		e->state = PF_ROW_PLANNED;
		e->verdict = PF_VERDICT_NONE;
		e->note = pf_span(NULL, 0);
		e->attempts = 0;
		e->bits |= PF_ENTRY_UNSAVED;
	}
	return PF_OK;
}

int fold_save_new(struct pf_fold *f, struct pf_err *err)
{
	for (size_t i = 0; i < f->rows.n; i++) {
		struct pf_entry *e = &f->rows.v[i];

		if ((e->bits & PF_ENTRY_UNSAVED) &&
			pf_rows_save(e, f->job->cfg->ledger, f->row_id, NULL, err) != PF_OK) {
			return PF_FAIL;
		}
	}
	return PF_OK;
}

/* Before the first write of a folder, and so mostly of the account. */
static void compare_room(struct pf_job *job)
{
	uint64_t room = job_facts(job, DST)->quota_free_bytes;

	if (job->room_told || room == UINT64_MAX || job->cfg->mode == PF_JOB_VERIFY ||
		job->outcome.estimate_bytes <= room) {
		return;
	}
	job->room_told = true;
	job_event(job, PF_EV_ROOM_SHORT, NULL, NULL,
		"the quota of the target leaves %llu bytes free, and %llu or more are to be copied",
		(unsigned long long)room, (unsigned long long)job->outcome.estimate_bytes);
}

static void count(struct pf_fold *f)
{
	struct pf_progress *p = &f->job->progress;
	uint64_t max = job_facts(f->job, DST)->max_item_bytes;

	f->to_copy_items = 0;
	f->to_copy_bytes = 0;
	f->too_large = 0;
	for (size_t i = 0; i < f->rows.n; i++) {
		const struct pf_entry *e = &f->rows.v[i];

		p->items++;
		if (e->verdict != PF_VERDICT_NONE) {
			p->items_done++;
			continue;
		}
		f->to_copy_items++;
		f->to_copy_bytes += e->size;
		f->too_large += max > 0 && e->size > max;
	}
	p->bytes += f->to_copy_bytes;
	f->job->outcome.estimate_bytes += f->to_copy_bytes;
	f->job->outcome.too_large += f->too_large;
	compare_room(f->job);
}

/* As many items as servers with a limit on what they show give at most. */
static bool is_round(uint64_t n)
{
	static const uint64_t LIMITS[] = {1000, 5000, 10000, 50000, 100000, 500000};

	for (size_t i = 0; i < PF_COUNT(LIMITS); i++) {
		if (n == LIMITS[i]) {
			return true;
		}
	}
	return false;
}

int fold_list_end(struct pf_fold *f, struct pf_err *err)
{
	size_t gone = 0;

	if (f->state == FOLD_SETTLING) {
		return PF_OK;
	}
	fold_mark_gone(f);
	f->gone_n = 0; /* of a listing before this one */
	f->gone_of = 0;
	for (size_t i = 0; i < f->rows.n; i++) {
		f->gone_of += f->rows.v[i].verdict == PF_VERDICT_COPIED ||
			      f->rows.v[i].verdict == PF_VERDICT_PRESENT;
		gone += (f->rows.v[i].bits & PF_ENTRY_GONE) != 0;
		if (review(f, &f->rows.v[i], err) != PF_OK) {
			return PF_FAIL;
		}
	}
	if (gone > 0) {
		job_event(f->job, PF_EV_GONE_FROM_SOURCE, f, NULL,
			"%zu known items are no longer at the source", gone);
	}
	if (is_round(f->rows.n - gone)) {
		job_event(f->job, PF_EV_LISTING_ROUND, f, NULL, "the source lists %zu items",
			f->rows.n - gone);
	}
	count(f);
	return job_keeps(f->job) ? fold_save_new(f, err) : PF_OK;
}
