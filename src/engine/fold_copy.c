/*
 * From the source to the target: slots in flight on both links.
 *
 *   FREE -> GETTING -> READY -> PUTTING -> FREE       an item that is held whole
 *             |  +-> STREAMING -> PUTTING -> FREE     a large one: one at a time for the account
 *             +-> SWALLOWED -> FREE                   came as chunks when it could not be taken
 *
 * A row is SENT, and that is on disk, before the first byte of its PUT leaves: rows become SENT in
 * batches when their bodies are asked for, so that the disk works while the source does. Items are
 * put in the folder's order; those that are tried again come when they can.
 */
#include "engine/fold_private.h"

/* ---- asking the source ---- */

void fold_copy_begin(struct pf_fold *f)
{
	f->next_entry = 0;
	f->again = 0;
}

/* Rows from `from` on become SENT, so that a commit covers many. */
static int mark_sent(struct pf_fold *f, size_t from, struct pf_err *err)
{
	uint32_t first = f->rows.v[from].seq, last = first;
	size_t n = 0;

	for (size_t i = from; i < f->rows.n && n < SENT_BATCH; i++) {
		struct pf_entry *e = &f->rows.v[i];

		if (e->state == PF_ROW_PLANNED && e->verdict == PF_VERDICT_NONE &&
			e->seq >= first) {
			e->state = PF_ROW_SENT;
			last = e->seq > last ? e->seq : last;
			n++;
		}
	}
	/* The statement takes all PLANNED rows between: those are the ones marked above, as entries
	 * are in the order of seq. */
	f->job->wants_commit = true;
	return pf_ledger_items_sent(f->job->cfg->ledger, f->row_id, first, last, err);
}

static bool wanted(const struct pf_fold *f, const struct pf_entry *e)
{
	return e->verdict == PF_VERDICT_NONE && !(e->bits & (PF_ENTRY_BUSY | PF_ENTRY_GONE)) &&
	       (e->state == PF_ROW_PLANNED || e->state == PF_ROW_SENT) &&
	       !job_room_beyond(f->job, e->size);
}

/*
 * The first folders that have more to ask for share the window, as many as connections can serve:
 * one alone would leave all connections but one with nothing to do. Asked for is by halves of a
 * share, as a server has work to do for every command, not only for items.
 */
static bool window_is_full(struct pf_fold *f, uint64_t size)
{
	const struct pf_job *job = f->job;
	uint64_t need = size > job->whole_max ? 0 : size;
	uint64_t bytes = job->window / job->sharers, bytes_left = 0;
	size_t slots = SLOTS / job->sharers, slots_left = SLOTS - job->slots_used;

	if (job->bytes_in_flight < job->window) {
		bytes_left = job->window - job->bytes_in_flight;
	}
	if (f->slots <= slots / 2 && f->bytes_open <= bytes / 2 && slots_left >= slots / 2 &&
		bytes_left >= bytes / 2) {
		f->asking = true;
	}
	if (f->slots > 0 && (f->slots >= slots || f->bytes_open + need > bytes)) {
		f->asking = false;
	}
	if (job->slots_used > 0 && (slots_left == 0 || need > bytes_left)) {
		f->asking = false; /* one item is always allowed */
	}
	return !f->asking || !f->may_ask;
}

int ask_source(struct pf_slot *s, struct pf_err *err)
{
	struct pf_fold *f = s->fold;
	const struct pf_entry *e = slot_entry(s);
	struct pf_op op = {
		.kind = PF_OP_GET,
		.id = op_id(USE_GET, f->index, slot_index(s)),
		.folder = pf_buf_span(&f->src_id),
		.item = e->src_id,
		.get = {.size = e->size,
			.whole_max = f->job->whole_max,
			.native = e->attempts == 0 && job_moves_native(f->job)},
	};

	return job_submit(f->job, SRC, &op, err);
}

static int request(struct pf_fold *f, size_t i, bool link, struct pf_err *err)
{
	struct pf_entry *e = &f->rows.v[i];
	struct pf_slot *s;
	int rc;

	if (e->state == PF_ROW_PLANNED && mark_sent(f, i, err) != PF_OK) {
		return PF_FAIL;
	}
	s = slot_take(f, i);
	if (!s) {
		return PF_AGAIN;
	}
	s->need_commit = pf_ledger_commits(f->job->cfg->ledger) + (f->job->wants_commit ? 1 : 0);
	if (link) {
		links_begin(s);
	}
	rc = link ? PF_OK : ask_source(s, err);
	if (rc != PF_OK) {
		slot_release(s);
		return rc;
	}
	e->bits |= PF_ENTRY_BUSY;
	f->probing = !link && f->ask_pauses > 0;
	s->large = !link && e->size > f->job->whole_max;
	f->job->large_busy = f->job->large_busy || s->large;
	slot_set_budget(s, s->large || link ? 0 : e->size);
	*(f->last ? &f->last->next : &f->first) = s;
	f->last = s;
	return PF_OK;
}

/* Whether it has to wait; what the target makes of another item does not come over the links. */
static bool must_hold(struct pf_fold *f, const struct pf_entry *e, bool link)
{
	const struct pf_job *job = f->job;

	return job->stopping || job->target_full || job->holding ||
	       (!link && (job->side[SRC].pause_until_ms > job->now.ms ||
				 window_is_full(f, e->size) || !fold_source_may_be_asked(f) ||
				 (e->size > job->whole_max && job->large_busy)));
}

/* PF_OK: every item was asked for. */
static int request_more(struct pf_fold *f, struct pf_err *err)
{
	struct pf_job *job = f->job;

	if (f->next_entry >= f->rows.n && f->again > 0 && f->again_ms <= job->now.ms) {
		f->again = 0; /* once more from the start, for those that must be tried again */
		f->next_entry = 0;
	}
	f->link_waits = false;
	while (f->next_entry < f->rows.n && !f->restart) {
		struct pf_entry *e = &f->rows.v[f->next_entry];
		enum links_way way;
		int rc;

		if (!wanted(f, e)) {
			f->next_entry++;
			continue;
		}
		way = links_way(f, e);
		if (way == LINKS_FETCH && fold_source_gave_up(f)) {
			if (leave_open(f, e, "the source breaks off at each item of its folder",
				    err) != PF_OK) {
				return PF_FAIL;
			}
			continue;
		}
		f->link_waits = way == LINKS_WAIT;
		if (f->link_waits || must_hold(f, e, way == LINKS_COPY)) {
			return PF_AGAIN;
		}
		rc = way == LINKS_COPY ? PF_OK : job_day_permits(job, e->size, err);
		rc = rc == PF_OK ? request(f, f->next_entry, way == LINKS_COPY, err) : rc;
		if (rc != PF_OK) {
			return rc;
		}
		f->next_entry++;
	}
	return f->again > 0 && !f->restart ? PF_AGAIN : PF_OK;
}

/* ---- giving to the target ---- */

/* What was in doubt or refused before is put with nothing else in flight: if it breaks the link, it
 * breaks its own. */
bool slot_may_put(const struct pf_slot *s)
{
	const struct pf_job *job = s->fold->job;

	return pf_ledger_commits(job->cfg->ledger) >= s->need_commit &&
	       s->not_before_ms <= job->now.ms && job_target_may_be_asked(job) &&
	       job_room_permits(job, s->total) && !links_block(s) && !job->stopping &&
	       !job->target_full && !s->fold->solo && !s->fold->restart &&
	       (slot_entry(s)->attempts == 0 || s->fold->putting == 0);
}

static void put_begun(struct pf_slot *s, uint64_t size)
{
	s->put = true;
	s->fold->putting++;
	s->fold->job->putting++;
	job_room_put(s->fold->job, s, size);
}

/* Nothing about it is to be other than the source has it. */
static bool may_be_native(const struct pf_slot *s)
{
	return s->form <= TRY_ALONE && !s->original && !s->redated && !s->mdn_sent;
}

int slot_put(struct pf_slot *s, struct pf_err *err)
{
	struct pf_fold *f = s->fold;
	struct pf_entry *e = slot_entry(s);
	struct pf_flags want = {e->sys, e->kw};
	struct pf_buf kw;
	struct pf_op op = {
		.kind = PF_OP_PUT,
		.id = op_id(USE_PUT, f->index, slot_index(s)),
		.folder = pf_buf_span(&f->dst_id),
		.put =
			{
				.body = s->body,
				.size = s->body ? s->body->n : s->total,
				.date_utc_s = s->redated ? s->date_utc_s : e->date_utc_s,
				.zone_min = s->redated ? s->zone_min : e->zone_min,
				.more = s->body != NULL,
				.alone = s->form != TRY_GROUPED || !s->body || e->attempts > 0,
				.native = may_be_native(s) ? s->native : NULL,
			},
	};
	int rc;

	if (s->link) {
		rc = links_copy(s, err);
		if (rc == PF_OK) {
			put_begun(s, s->total);
		}
		return rc;
	}
	pf_buf_init(&kw, 65536);
	rc = flags_permitted(f, want, &kw, &op.put.flags, err);
	if (rc == PF_OK) {
		rc = flags_tell_denied(f, e, want, op.put.flags, err);
	}
	if (rc == PF_OK && s->mdn_sent) {
		rc = receipt_mark(s, &kw, err);
		op.put.flags.kw = pf_buf_span(&kw);
	}
	if (s->form >= TRY_NO_KEYWORDS) {
		op.put.flags.kw = pf_span(NULL, 0);
	}
	op.put.flags.sys &= ~flags_apart(s);
	if (s->form >= TRY_NO_FLAGS) {
		op.put.flags.sys = 0;
	}
	if (rc == PF_OK) {
		rc = job_submit(f->job, DST, &op, err);
	}
	if (rc == PF_OK) {
		put_begun(s, op.put.size);
		f->solo = e->attempts > 0;
	}
	pf_buf_deinit(&kw);
	return rc;
}

static int put_ready(struct pf_slot *s, struct pf_err *err)
{
	int rc = slot_put(s, err);

	if (rc == PF_OK) {
		slot_unlink(s);
		s->state = SLOT_PUTTING;
		s->fold->puts_open++;
	}
	return rc;
}

/* In order, as far as whole items are there; those that wait for a pause are passed by. */
static int push(struct pf_fold *f, struct pf_err *err)
{
	struct pf_slot *next;

	for (struct pf_slot *s = f->first; s; s = next) {
		int rc;

		next = s->next;
		if (s->state == SLOT_GETTING && s->not_before_ms == 0) {
			break;
		}
		if (s->state == SLOT_READY && s->not_before_ms == 0 && links_block(s)) {
			break;
		}
		if (s->state != SLOT_READY || !slot_may_put(s)) {
			continue;
		}
		rc = put_ready(s, err);
		if (rc != PF_OK) {
			return rc == PF_FAIL ? PF_FAIL : PF_OK;
		}
	}
	return PF_OK;
}

/* The target may hold a group open for more items: tell it when none can come. */
static int flush(struct pf_fold *f, bool blocked, struct pf_err *err)
{
	struct pf_op op = {
		.kind = PF_OP_FLUSH,
		.id = op_id(USE_PUT, f->index, 0xffffffff),
		.folder = pf_buf_span(&f->dst_id),
	};
	int rc;

	if (f->puts_open == 0 || (f->first && !blocked)) {
		return PF_OK;
	}
	rc = job_submit(f->job, DST, &op, err);
	if (rc == PF_OK) {
		f->puts_open = 0;
	}
	return rc == PF_FAIL ? PF_FAIL : PF_OK;
}

/* No more is put (or none so large): what did not leave yet is given back, what left is waited for.
 */
static void give_up_unsent(struct pf_fold *f)
{
	bool all = f->job->stopping || f->job->target_full || f->restart;

	for (size_t i = 0; i < f->job->slots_touched && f->slots > 0; i++) {
		struct pf_slot *s = &f->job->slots[i];

		if (s->fold == f &&
			(s->state == SLOT_GETTING || s->state == SLOT_READY ||
				s->state == SLOT_SWALLOWED) &&
			(all || job_room_beyond(f->job, slot_entry(s)->size) ||
				job_room_beyond(f->job, s->total))) {
			slot_entry(s)->bits &= (uint16_t)~PF_ENTRY_BUSY;
			slot_release(s);
		}
	}
}

int fold_copy_step(struct pf_fold *f, struct pf_err *err)
{
	int asked = request_more(f, err);
	bool blocked;

	if (f->job->stopping || f->job->target_full || f->restart || f->job->room.below > 0) {
		give_up_unsent(f);
	}
	if (asked == PF_FAIL || push(f, err) != PF_OK) {
		return PF_FAIL;
	}
	/* What comes next can't be put now: better a small group than one that waits for it. */
	blocked = f->job->stopping || f->job->target_full || f->restart ||
		  (f->first && f->first->state != SLOT_GETTING);
	if (flush(f, blocked, err) != PF_OK) {
		return PF_FAIL;
	}
	return asked == PF_OK && f->slots == 0 ? PF_OK : PF_AGAIN;
}

int fold_copy_unsend(struct pf_fold *f, struct pf_err *err)
{
	for (size_t i = 0; i < f->job->slots_touched && f->slots > 0; i++) {
		struct pf_slot *s = &f->job->slots[i];

		if (s->state != SLOT_FREE && s->fold == f &&
			(s->state == SLOT_GETTING || s->state == SLOT_READY ||
				s->state == SLOT_SWALLOWED)) {
			slot_entry(s)->bits &= (uint16_t)~PF_ENTRY_BUSY;
		}
	}
	/* What an earlier pass sent may yet arrive, as long as that is not settled. */
	for (size_t i = 0; i < f->rows.n && !f->late_anew; i++) {
		struct pf_entry *e = &f->rows.v[i];

		if (e->state == PF_ROW_SENT && e->verdict == PF_VERDICT_NONE &&
			!(e->bits & PF_ENTRY_BUSY) && f->state >= FOLD_COPYING) {
			e->state = PF_ROW_PLANNED;
			if (pf_rows_save(e, f->job->cfg->ledger, f->row_id, NULL, err) != PF_OK) {
				return PF_FAIL;
			}
		}
	}
	return PF_OK;
}
