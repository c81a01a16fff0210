/*
 * Answers to what fold_copy.c asked of both sides: bodies and chunks of the source, and what became
 * of them at the target.
 */
#include "engine/fold_private.h"
#include "engine/inspect.h"

#include <stdio.h>
#include <stdlib.h>

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
	slot_set_budget(s, body->n + (s->native ? s->native->n : 0));
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

	if (!slot_may_put(s)) {
		return PF_AGAIN;
	}
	s->printer = pf_fingerprinter_new(false);
	if (!s->printer) {
		return pf_fail_memory(err, "a fingerprint");
	}
	s->total = ev->chunk.total;
	date_by_header(s, ev->chunk.bytes);
	receipt_stop(s, ev->chunk.bytes);
	rc = slot_put(s, err);
	if (rc != PF_OK) {
		pf_fingerprinter_free(&s->printer);
		return rc;
	}
	slot_unlink(s);
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
	if (ev->kind == PF_STORE_BODY || ev->kind == PF_STORE_CHUNK) {
		fold_source_gives(s->fold);
	}
	if (ev->native && !s->native) { /* a chunk that was not taken comes again */
		s->native = pf_blob_ref(ev->native);
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
	if (s->original || s->redated || s->native_refused) {
		return s->why;
	}
	return slot_entry(s)->bits & PF_ENTRY_PIECED ? "put together from its parts" : s->receipt;
}

/* It is there, without what only the source's own form of it had. */
static void note_refused(struct pf_slot *s, const char *words)
{
	if (!s->original && !s->redated) {
		(void)snprintf(s->why, sizeof(s->why), NATIVE_REFUSED, words);
		s->native_refused = true;
	}
	job_event(
		s->fold->job, PF_EV_ITEM_CONVERTED, s->fold, slot_entry(s), NATIVE_REFUSED, words);
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
	char both[700];
	bool noted;
	int rc;

	e->state = PF_ROW_DONE;
	e->verdict = PF_VERDICT_COPIED;
	e->size = s->total;
	e->bits &= (uint16_t)~PF_ENTRY_BUSY;
	e->bits |= PF_ENTRY_CONFIRM;
	f->put_some = true;
	job_target_takes(job);
	job_room_taken(job);
	job->outcome.copied_now++;
	job->outcome.bytes_now += s->total;
	job->progress.items_done++;
	job->progress.bytes_done += s->total;
	if (pf_rows_set_dst(&f->rows, e, id, err) != PF_OK ||
		pf_rows_set_digest(&f->rows, e, &s->digest, err) != PF_OK) {
		return PF_FAIL;
	}
	links_arrived(f, e);
	if (links_first_done(s, id, err) != PF_OK) {
		return PF_FAIL;
	}
	if (s->original) {
		e->bits &= (uint16_t)~PF_ENTRY_FRAGILE; /* it is not to be as the source has it */
	}
	why = how_put(s);
	if (why && s->converted && e->note.p) {
		(void)snprintf(both, sizeof(both), "%.290s; %s", (const char *)e->note.p, why);
		why = both;
	}
	noted = why != NULL || (s->converted && e->note.p);
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

static int dst_event(struct pf_slot *s, const struct pf_store_event *ev, struct pf_err *err)
{
	if (ev->kind == PF_STORE_DONE || ev->kind == PF_STORE_FAILED) {
		slot_put_ended(s);
	}
	switch (ev->kind) {
	case PF_STORE_DONE:
		if (ev->refused) {
			note_refused(s, ev->refused);
		}
		return put_done(s, ev->id, err);
	case PF_STORE_FAILED:
		if (!ev->failed.recalled) {
			pf_blob_unref(&s->native);
		}
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
