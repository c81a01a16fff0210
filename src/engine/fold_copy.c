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
#include "engine/inspect.h"
#include "engine/job_private.h"

#include <stdlib.h>

enum { SLOT_BITS = 12 };

static size_t slot_index(const struct pf_slot *s)
{
	size_t number = (size_t)(s - s->fold->job->slots);

	return number | (size_t)(s->generation & 0xfffff) << SLOT_BITS;
}

static struct pf_slot *slot_of(struct pf_fold *f, uint64_t op)
{
	size_t index = op_index(op);
	struct pf_slot *s = &f->job->slots[index & ((1u << SLOT_BITS) - 1)];

	return s->state != SLOT_FREE && s->fold == f && slot_index(s) == index ? s : NULL;
}

struct pf_entry *slot_entry(const struct pf_slot *s)
{
	return &s->fold->rows.v[s->entry];
}

static void unlink_slot(struct pf_slot *s)
{
	struct pf_fold *f = s->fold;
	struct pf_slot *before = NULL;

	for (struct pf_slot *i = f->first; i; before = i, i = i->next) {
		if (i != s) {
			continue;
		}
		*(before ? &before->next : &f->first) = i->next;
		f->last = f->last == s ? before : f->last;
		break;
	}
	s->next = NULL;
}

void slot_release(struct pf_slot *s)
{
	struct pf_fold *f = s->fold;
	struct pf_job *job = f->job;
	unsigned int generation = s->generation;

	unlink_slot(s);
	if (s->put) { /* given up without an answer */
		f->putting--;
		f->job->putting--;
		f->solo = false;
	}
	pf_blob_unref(&s->body);
	pf_blob_unref(&s->original);
	pf_fingerprinter_free(&s->printer);
	pf_quarantine_abort(&s->entry_file);
	job->bytes_in_flight -= s->budget;
	f->bytes_open -= s->budget;
	f->slots--;
	job->slots_used--;
	if (s->large) {
		job->large_busy = false;
	}
	job->slots_paused -= s->not_before_ms > 0;
	*s = (struct pf_slot){.generation = generation + 1, .next = job->slots_free};
	job->slots_free = s;
}

static struct pf_slot *slot_take(struct pf_fold *f, size_t entry)
{
	struct pf_job *job = f->job;
	struct pf_slot *s = job->slots_free;

	if (s) {
		job->slots_free = s->next;
	} else if (job->slots_touched < SLOTS) {
		s = &job->slots[job->slots_touched++];
	} else {
		return NULL;
	}
	s->next = NULL;
	s->state = SLOT_GETTING;
	s->fold = f;
	s->entry = entry;
	f->slots++;
	job->slots_used++;
	return s;
}

static void set_budget(struct pf_slot *s, uint64_t bytes)
{
	s->fold->job->bytes_in_flight += bytes - s->budget;
	s->fold->bytes_open += bytes - s->budget;
	s->budget = bytes;
}

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

static bool wanted(const struct pf_entry *e)
{
	return e->verdict == PF_VERDICT_NONE && !(e->bits & (PF_ENTRY_BUSY | PF_ENTRY_GONE)) &&
	       (e->state == PF_ROW_PLANNED || e->state == PF_ROW_SENT);
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
		.get = {.size = e->size, .whole_max = f->job->whole_max},
	};

	return job_submit(f->job, SRC, &op, err);
}

static int request(struct pf_fold *f, size_t i, struct pf_err *err)
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
	rc = ask_source(s, err);
	if (rc != PF_OK) {
		slot_release(s);
		return rc;
	}
	e->bits |= PF_ENTRY_BUSY;
	s->large = e->size > f->job->whole_max;
	f->job->large_busy = f->job->large_busy || s->large;
	set_budget(s, s->large ? 0 : e->size);
	*(f->last ? &f->last->next : &f->first) = s;
	f->last = s;
	return PF_OK;
}

/* PF_OK: every item was asked for. */
static int request_more(struct pf_fold *f, struct pf_err *err)
{
	struct pf_job *job = f->job;

	if (f->next_entry >= f->rows.n && f->again > 0 && f->again_ms <= job->now.ms) {
		f->again = 0; /* once more from the start, for those that must be tried again */
		f->next_entry = 0;
	}
	while (f->next_entry < f->rows.n && !f->restart) {
		struct pf_entry *e = &f->rows.v[f->next_entry];
		int rc;

		if (!wanted(e)) {
			f->next_entry++;
			continue;
		}
		if (job->stopping || job->target_full || job->holding ||
			job->side[SRC].pause_until_ms > job->now.ms || window_is_full(f, e->size) ||
			(e->size > job->whole_max && job->large_busy)) {
			return PF_AGAIN;
		}
		rc = request(f, f->next_entry, err);
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
static bool may_put(const struct pf_slot *s)
{
	const struct pf_job *job = s->fold->job;

	return pf_ledger_commits(job->cfg->ledger) >= s->need_commit &&
	       s->not_before_ms <= job->now.ms && job_target_may_be_asked(job) && !job->stopping &&
	       !job->target_full && !s->fold->solo && !s->fold->restart &&
	       (slot_entry(s)->attempts == 0 || s->fold->putting == 0);
}

static int put(struct pf_slot *s, struct pf_err *err)
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
				.alone = s->try != TRY_GROUPED || !s->body || e->attempts > 0,
			},
	};
	int rc;

	pf_buf_init(&kw, 65536);
	rc = flags_permitted(f, want, &kw, &op.put.flags, err);
	if (rc == PF_OK) {
		rc = flags_tell_denied(f, e, want, op.put.flags, err);
	}
	if (rc == PF_OK && s->mdn_sent) {
		rc = receipt_mark(s, &kw, err);
		op.put.flags.kw = pf_buf_span(&kw);
	}
	if (s->try >= TRY_NO_KEYWORDS) {
		op.put.flags.kw = pf_span(NULL, 0);
	}
	op.put.flags.sys &= ~flags_apart(s);
	if (s->try >= TRY_NO_FLAGS) {
		op.put.flags.sys = 0;
	}
	if (rc == PF_OK) {
		rc = job_submit(f->job, DST, &op, err);
	}
	if (rc == PF_OK) {
		s->put = true;
		f->putting++;
		f->job->putting++;
		f->solo = e->attempts > 0;
	}
	pf_buf_deinit(&kw);
	return rc;
}

static int put_ready(struct pf_slot *s, struct pf_err *err)
{
	int rc = put(s, err);

	if (rc == PF_OK) {
		unlink_slot(s);
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
		if (s->state != SLOT_READY || !may_put(s)) {
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

/* No more is put: what did not leave yet is given back, what left is waited for. */
static void give_up_unsent(struct pf_fold *f)
{
	for (size_t i = 0; i < f->job->slots_touched && f->slots > 0; i++) {
		struct pf_slot *s = &f->job->slots[i];

		if (s->fold == f && (s->state == SLOT_GETTING || s->state == SLOT_READY ||
					    s->state == SLOT_SWALLOWED)) {
			slot_entry(s)->bits &= (uint16_t)~PF_ENTRY_BUSY;
			slot_release(s);
		}
	}
}

int fold_copy_step(struct pf_fold *f, struct pf_err *err)
{
	int asked = request_more(f, err);
	bool blocked;

	if (f->job->stopping || f->job->target_full || f->restart) {
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

/* ---- answers of the source ---- */

/*
 * Its true size is known: is it more than the target takes? What the listing said counts for
 * nothing, many servers only estimate it.
 */
static void weigh(struct pf_slot *s, uint64_t size)
{
	struct pf_fold *f = s->fold;
	uint64_t max = job_facts(f->job, DST)->max_item_bytes;
	const struct pf_entry *e = slot_entry(s);
	char why[160];

	if (e->size != size && job_has_cap(f->job, SRC, PF_CAP_EXACT_SIZE)) {
		job_event(f->job, PF_EV_SIZE_DIFFERS, f, e,
			"listed with %llu bytes, came with %llu", (unsigned long long)e->size,
			(unsigned long long)size);
	}
	/* Who says retry may know better than what the target announces. */
	if (max > 0 && size > max && !s->to_quarantine && f->job->cfg->mode != PF_JOB_RETRY) {
		(void)snprintf(why, sizeof(why),
			"%llu bytes are more than the %llu that the target takes",
			(unsigned long long)size, (unsigned long long)max);
		divert_to_quarantine(s, why);
	}
}

/* A whole body: it is skipped, kept for the quarantine, or ready for the target. */
static int got_body(struct pf_slot *s, struct pf_blob *body, struct pf_err *err)
{
	struct pf_fold *f = s->fold;
	struct pf_entry *e = slot_entry(s);
	struct pf_fingerprint print;
	char why[sizeof(s->why)];

	s->body = body;
	s->got = true;
	s->total = body->n;
	f->job->progress.bytes_read += body->n;
	pf_fingerprinter_add(f->job->printer, pf_blob_span(body));
	pf_fingerprinter_take(f->job->printer, &print);
	s->digest = print.exact;
	set_budget(s, body->n);
	weigh(s, body->n);
	if (pf_is_fragile(pf_blob_span(body))) {
		e->bits |= PF_ENTRY_FRAGILE;
	}
	if (pf_skip_subject(f->job->cfg->rules, pf_blob_span(body), why, sizeof(why))) {
		e->state = PF_ROW_DONE;
		e->verdict = PF_VERDICT_SKIPPED;
		e->bits &= (uint16_t)~PF_ENTRY_BUSY;
		f->job->progress.items_done++;
		slot_release(s);
		return pf_rows_save(e, f->job->cfg->ledger, f->row_id, why, err);
	}
	if (s->to_quarantine) {
		body = pf_blob_ref(body);
		(void)snprintf(why, sizeof(why), "%s", s->why);
		slot_release(s);
		return quarantine_entry(f, e, body, why, err);
	}
	date_by_header(s, pf_blob_span(body));
	receipt_stop(s, pf_blob_span(body));
	s->state = SLOT_READY;
	return PF_OK;
}

static int begin_stream(struct pf_slot *s, const struct pf_store_event *ev, struct pf_err *err)
{
	int rc;

	if (!may_put(s)) {
		return PF_AGAIN;
	}
	s->printer = pf_fingerprinter_new(false);
	if (!s->printer) {
		return pf_fail_memory(err, "a fingerprint");
	}
	s->total = ev->chunk.total;
	date_by_header(s, ev->chunk.bytes);
	receipt_stop(s, ev->chunk.bytes);
	rc = put(s, err);
	if (rc != PF_OK) {
		pf_fingerprinter_free(&s->printer);
		return rc;
	}
	unlink_slot(s);
	s->state = SLOT_STREAMING;
	return PF_OK;
}

static int to_quarantine_file(struct pf_slot *s, struct pf_span bytes, struct pf_err *err)
{
	if (!s->entry_file &&
		quarantine_begin(s->fold, slot_entry(s), &s->entry_file, err) != PF_OK) {
		return PF_FAIL;
	}
	return pf_quarantine_add(s->entry_file, bytes, err);
}

/* A part of a large item. PF_AGAIN: the target has no room, or may not be given it yet. */
static int got_chunk(struct pf_slot *s, const struct pf_store_event *ev, struct pf_err *err)
{
	struct pf_job *job = s->fold->job;
	int rc;

	if (ev->chunk.offset == 0 && s->state == SLOT_GETTING && !s->weighed) {
		s->weighed = true; /* a chunk that was not taken comes again */
		weigh(s, ev->chunk.total);
	}
	if (s->to_quarantine) {
		return to_quarantine_file(s, ev->chunk.bytes, err);
	}
	if (s->state == SLOT_SWALLOWED || s->aborted) {
		return PF_OK;
	}
	if (!s->large &&
		job->large_busy) { /* larger than it was listed, while another one streams */
		s->state = SLOT_SWALLOWED;
		slot_entry(s)->size = ev->chunk.total;
		return PF_OK;
	}
	s->large = true;
	job->large_busy = true;
	if (s->state == SLOT_GETTING) {
		if (job->stopping) {
			s->state = SLOT_SWALLOWED;
			return PF_OK;
		}
		rc = begin_stream(s, ev, err);
		if (rc != PF_OK) {
			return rc;
		}
	}
	if (ev->chunk.bytes.n == 0) {
		return PF_OK;
	}
	rc = pf_store_feed(job->side[DST].store, op_id(USE_PUT, s->fold->index, slot_index(s)),
		ev->chunk.bytes, err);
	if (rc != PF_OK) {
		return rc;
	}
	pf_fingerprinter_add(s->printer, ev->chunk.bytes);
	s->fed += ev->chunk.bytes.n;
	job->progress.bytes_read += ev->chunk.bytes.n;
	return PF_OK;
}

void ask_again(struct pf_slot *s, int64_t at_ms)
{
	struct pf_fold *f = s->fold;

	slot_entry(s)->bits &= (uint16_t)~PF_ENTRY_BUSY;
	f->again_ms = f->again == 0 || at_ms < f->again_ms ? at_ms : f->again_ms;
	f->again++;
	slot_release(s);
}

static int got_all(struct pf_slot *s, struct pf_err *err)
{
	struct pf_fold *f = s->fold;

	s->got = true;
	if (s->to_quarantine && s->entry_file) {
		struct pf_entry *e = slot_entry(s);
		struct pf_quarantine_entry *file = s->entry_file;
		char why[sizeof(s->why)];

		(void)snprintf(why, sizeof(why), "%s", s->why);
		s->entry_file = NULL;
		slot_release(s);
		return quarantine_commit(f, e, file, why, err);
	}
	if (s->state == SLOT_SWALLOWED) {
		ask_again(s, f->job->now.ms);
		return PF_OK;
	}
	if (s->state == SLOT_STREAMING) {
		struct pf_fingerprint print;

		pf_fingerprinter_take(s->printer, &print);
		pf_fingerprinter_free(&s->printer);
		s->digest = print.exact;
		s->state = SLOT_PUTTING;
		s->large =
			false; /* the next large one may come while the target digests this one */
		f->job->large_busy = false;
		if (s->fed != s->total) {
			s->aborted = true;
			return pf_store_feed(f->job->side[DST].store,
				       op_id(USE_PUT, f->index, slot_index(s)), pf_span(NULL, 0),
				       err) == PF_FAIL
				       ? PF_FAIL
				       : PF_OK;
		}
	}
	return PF_OK;
}

/* It did not come whole, and is put together: noted, and read back from the target. */
static void note_pieced(struct pf_slot *s)
{
	struct pf_entry *e = slot_entry(s);

	if (!(e->bits & PF_ENTRY_PIECED)) {
		e->bits |= PF_ENTRY_PIECED | PF_ENTRY_FRAGILE;
		job_event(s->fold->job, PF_EV_ITEM_PIECED, s->fold, e,
			"the source did not give it whole: put together from its parts");
	}
}

static int src_event(struct pf_slot *s, const struct pf_store_event *ev, struct pf_err *err)
{
	if (ev->pieced) {
		note_pieced(s);
	}
	switch (ev->kind) {
	case PF_STORE_BODY:
		return got_body(s, ev->body, err);
	case PF_STORE_CHUNK:
		return got_chunk(s, ev, err);
	case PF_STORE_DONE:
		return got_all(s, err);
	case PF_STORE_FAILED:
		if (s->state ==
			SLOT_STREAMING) { /* the target waits for bytes that will not come */
			s->aborted = true;
			s->large = false;
			s->fold->job->large_busy = false;
			s->state = SLOT_PUTTING;
			return pf_store_feed(s->fold->job->side[DST].store,
				       op_id(USE_PUT, s->fold->index, slot_index(s)),
				       pf_span(NULL, 0), err) == PF_FAIL
				       ? PF_FAIL
				       : PF_OK;
		}
		return refuse_get(s, ev, err);
	default:
		return PF_OK;
	}
}

/* ---- answers of the target ---- */

/* What is to be noted about an item that arrived; NULL: nothing. */
static const char *how_put(const struct pf_slot *s)
{
	if (s->original || s->redated) {
		return s->why;
	}
	return slot_entry(s)->bits & PF_ENTRY_PIECED ? "put together from its parts" : s->receipt;
}

static int put_done(struct pf_slot *s, struct pf_span id, struct pf_err *err)
{
	struct pf_fold *f = s->fold;
	struct pf_job *job = f->job;
	struct pf_entry *e = slot_entry(s);
	struct pf_ledger_done done = {
		.folder = f->row_id,
		.seq = e->seq,
		.verdict = PF_VERDICT_COPIED,
		.dst_id = id,
		.size = s->total,
		.digest = &s->digest,
	};
	const char *why;
	bool noted;
	int rc;

	e->state = PF_ROW_DONE;
	e->verdict = PF_VERDICT_COPIED;
	e->size = s->total;
	e->bits &= (uint16_t)~PF_ENTRY_BUSY;
	e->bits |= PF_ENTRY_CONFIRM;
	job_target_takes(job);
	job->outcome.copied_now++;
	job->outcome.bytes_now += s->total;
	job->progress.items_done++;
	job->progress.bytes_done += s->total;
	if (pf_rows_set_dst(&f->rows, e, id, err) != PF_OK ||
		pf_rows_set_digest(&f->rows, e, &s->digest, err) != PF_OK) {
		return PF_FAIL;
	}
	if (s->original) {
		e->bits &= (uint16_t)~PF_ENTRY_FRAGILE; /* it is not to be as the source has it */
	}
	why = how_put(s);
	noted = why != NULL;
	if (note_put_flags(s, &noted, err) != PF_OK) {
		return PF_FAIL;
	}
	if (why && pf_rows_set_note(&f->rows, e, why, err) != PF_OK) {
		return PF_FAIL;
	}
	if (noted) {
		rc = pf_rows_save(e, job->cfg->ledger, f->row_id, NULL, err);
	} else {
		rc = pf_ledger_item_done(job->cfg->ledger, &done, err);
	}
	slot_release(s);
	return rc;
}

static void put_ended(struct pf_slot *s)
{
	if (s->put) {
		s->put = false;
		s->fold->putting--;
		s->fold->job->putting--;
		s->fold->solo = false;
	}
}

static int dst_event(struct pf_slot *s, const struct pf_store_event *ev, struct pf_err *err)
{
	if (ev->kind == PF_STORE_DONE || ev->kind == PF_STORE_FAILED) {
		put_ended(s);
	}
	switch (ev->kind) {
	case PF_STORE_DONE:
		return put_done(s, ev->id, err);
	case PF_STORE_FAILED:
		if (s->aborted && !ev->failed.in_doubt) {
			if (slot_entry(s)->attempts++ < TRIES_MAX) {
				ask_again(s, s->fold->job->now.ms + job_pause_ms(s->fold->job,
									    slot_entry(s)->attempts,
									    &ev->failed.why));
				return PF_OK;
			}
			struct pf_fold *f = s->fold;
			struct pf_entry *e = slot_entry(s);

			slot_release(s);
			return leave_open(f, e, "the source broke off within it", err);
		}
		return refuse_put(s, ev, err);
	default: /* HUNGRY: the chunk that is held is given again by the job */
		return PF_OK;
	}
}

int fold_copy_event(struct pf_fold *f, enum pf_side_no side, const struct pf_store_event *ev,
	struct pf_err *err)
{
	struct pf_slot *s = slot_of(f, ev->op);

	if (!s) { /* of a folder that was given up */
		struct pf_blob *body = ev->kind == PF_STORE_BODY ? ev->body : NULL;

		pf_blob_unref(&body);
		return PF_OK;
	}
	return side == SRC ? src_event(s, ev, err) : dst_event(s, ev, err);
}
