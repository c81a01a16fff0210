/*
 * Listings of both sides: asked for, and taken item by item. fold_judge.c says what follows of
 * them.
 */
#include "base/utf8.h"
#include "engine/fold_private.h"

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

static int load(struct pf_fold *f, struct pf_err *err)
{
	struct pf_job *job = f->job;

	if (!job->cfg->ledger || f->row_id == 0) {
		return PF_OK;
	}
	if (fold_read_claims(f, err) != PF_OK) {
		return PF_FAIL;
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

bool fold_is_another(const struct pf_fold *f, enum pf_side_no side, const struct pf_entry *e,
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

static int skip_apart(struct pf_fold *f, struct pf_entry *e, enum pf_kind kind, struct pf_err *err)
{
	char why[200];

	(void)snprintf(why, sizeof(why),
		"an item of Exchange in mail's form: it goes with the %s of the account",
		pf_kind_name(kind));
	return skip(f, e, why, err);
}

/*
 * What goes another way now, and was listed as mail in an earlier pass. What that one copied stays
 * mail, so that it is not there twice (keyed_messages.c leaves it out), until --mirror takes it
 * away; what it did not copy goes as what it is.
 */
static int was_mail(struct pf_fold *f, struct pf_entry *e, enum pf_kind kind, struct pf_err *err)
{
	if (e->verdict == PF_VERDICT_SKIPPED || e->state == PF_ROW_SENT) {
		return PF_OK;
	}
	if (e->verdict != PF_VERDICT_COPIED && e->verdict != PF_VERDICT_PRESENT) {
		return skip_apart(f, e, kind, err);
	}
	if (f->job->cfg->mirror) {
		e->bits &= (uint16_t)~PF_ENTRY_LISTED; /* as mail it has left the source */
	}
	return PF_OK;
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
	e->same = labels_are_several(f, item) ? item->same : 0;
	if (f->rows.max_seq == before) {
		f->src_moved = f->src_moved || (f->src_unsure && fold_is_another(f, SRC, e, item));
		look_at_labels(e, elsewhere != NULL);
		return item->apart != 0 ? was_mail(f, e, item->apart, err) : PF_OK;
	}
	f->job->rows_in_memory++;
	if (pf_rules_skip_item(f->job->cfg->rules, item, why, sizeof(why))) {
		return skip(f, e, why, err);
	}
	if (item->apart != 0) {
		return skip_apart(f, e, item->apart, err);
	}
	return elsewhere ? skip(f, e, elsewhere, err) : PF_OK;
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
