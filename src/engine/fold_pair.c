/*
 * Which items are at the target already: by fingerprint, for items of an earlier run that was cut
 * off, of another tool, or of a ledger that was lost. Only those are read that could be it.
 */
#include "engine/fold_private.h"
#include "engine/repair.h"

#include <stdlib.h>

enum { REFUSALS_MAX = 3 }; /* of one item: then it can't be read */

void fold_pair_free(struct pf_fold *f)
{
	for (int s = 0; s < 2; s++) {
		size_t n = s == SRC ? f->pairing.sources : f->pairing.targets;

		for (size_t i = 0; f->pair_printers[s] && i < n; i++) {
			pf_fingerprinter_free(&f->pair_printers[s][i]);
		}
		free(f->pair_printers[s]);
		f->pair_printers[s] = NULL;
		f->pair_next[s] = 0;
		f->pair_open[s] = 0;
	}
	free(f->pairing.source);
	free(f->pairing.target);
	f->pairing = (struct pf_pairing){0};
}

/* What an item of the source is to the target, in the order in which they are paired: of equal ones
 * those that are there for certain come first. */
enum rank {
	RANK_STORED, /* it was put, and its id is not known */
	RANK_SENT,   /* its end is in doubt */
	RANK_PLANNED,
	RANK_NONE, /* it is not looked for */
};

static enum rank rank_of(const struct pf_fold *f, const struct pf_entry *e)
{
	bool stored = e->verdict == PF_VERDICT_COPIED || e->verdict == PF_VERDICT_PRESENT;

	if (stored && !e->dst_id.p && !(e->bits & PF_ENTRY_GONE)) {
		return RANK_STORED;
	}
	if (e->verdict != PF_VERDICT_NONE || f->pair_names) {
		return RANK_NONE;
	}
	if (f->pair_anew) {
		return e->state == PF_ROW_SENT      ? RANK_SENT
		       : e->state == PF_ROW_PLANNED ? RANK_PLANNED
						    : RANK_NONE;
	}
	/* What the source did not return is busy, too, and was not put. */
	return e->state == PF_ROW_SENT && ((e->bits & PF_ENTRY_BUSY) || f->late_anew) &&
			       !(e->bits & PF_ENTRY_MISSING)
		       ? RANK_SENT
		       : RANK_NONE;
}

static void fill_sources(struct pf_fold *f)
{
	struct pf_pairing *p = &f->pairing;
	bool looks = !f->fleeting || fold_must_look(f);

	for (size_t i = 0; looks && i < f->rows.n; i++) {
		const struct pf_entry *e = &f->rows.v[i];
		enum rank rank = rank_of(f, e);
		struct pf_pair_item *n;

		if (rank == RANK_NONE) {
			continue;
		}
		n = &p->source[p->sources++];
		*n = (struct pf_pair_item){.size = e->size,
			.date_utc_s = e->date_utc_s,
			.flags_key = flags_key(f, e),
			.index = i,
			.rank = rank};
		n->odd_date = pf_date_is_odd(e->date_utc_s);
		n->rival = rank == RANK_STORED && !f->pair_anew && !f->pair_names;
		n->known = e->digest != NULL;
		if (e->digest) {
			n->print.exact = *e->digest;
		}
	}
}

static int fill(struct pf_fold *f, struct pf_err *err)
{
	struct pf_pairing *p = &f->pairing;

	if (f->pair_anew && f->job->cfg->mode != PF_JOB_VERIFY && fold_add_left(f, err) != PF_OK) {
		return PF_FAIL;
	}
	p->source = calloc(f->rows.n + 1, sizeof(*p->source));
	p->target = calloc(f->foreign_n + 1, sizeof(*p->target));
	if (!p->source || !p->target) {
		return pf_fail_memory(err, "pairing the items of a folder");
	}
	fold_order_foreign(f);
	fill_sources(f);
	for (size_t i = 0; i < f->foreign_n; i++) {
		const struct pf_foreign *o = &f->foreign[i];
		struct pf_pair_item *n;

		if (!o->id.p) {
			continue;
		}
		n = &p->target[p->targets++];
		*n = (struct pf_pair_item){.size = o->size,
			.date_utc_s = o->date_utc_s,
			.flags_key = pf_flags_key(&o->flags),
			.index = i,
			.rank = o->left};
		n->known = o->digest != NULL;
		if (o->digest) {
			n->print.exact = *o->digest;
		}
	}
	p->sizes_are_exact = job_has_cap(f->job, SRC, PF_CAP_EXACT_SIZE) &&
			     job_has_cap(f->job, DST, PF_CAP_EXACT_SIZE);
	p->dates_are_kept = job_has_cap(f->job, DST, PF_CAP_KEEPS_DATE);
	p->bytes_are_kept = job_has_cap(f->job, DST, PF_CAP_EXACT_BYTES);
	p->ordered_below = f->pair_anew && f->dst_from == 0 ? RANK_STORED : RANK_PLANNED;
	return PF_OK;
}

/* No counterpart: what was in doubt did not arrive, and is to be sent again. */
static int settle_alone(struct pf_fold *f, struct pf_entry *e, struct pf_err *err)
{
	if (e->state != PF_ROW_SENT) {
		return PF_OK;
	}
	if (fold_late_is_early(f)) {
		f->late = true;
		return PF_OK;
	}
	if ((e->bits & PF_ENTRY_BUSY) && !(e->bits & PF_ENTRY_PUT_OFF) &&
		++e->attempts >= DOUBTS_MAX) {
		return quarantine_entry(f, e, NULL,
			"the connection to the target broke each time it was put; the source still "
			"has it",
			err);
	}
	e->state = PF_ROW_PLANNED;
	e->note = pf_span(NULL, 0);
	e->bits &= (uint16_t) ~(PF_ENTRY_BUSY | PF_ENTRY_PUT_OFF);
	if (e->bits & PF_ENTRY_GONE) { /* and the source does not have it any more */
		e->state = PF_ROW_DONE;
		e->verdict = PF_VERDICT_VANISHED;
		job_event(f->job, PF_EV_ITEM_VANISHED, f, e,
			"the source removed it before it was copied");
	}
	return job_keeps(f->job) ? pf_rows_save(e, f->job->cfg->ledger, f->row_id, NULL, err)
				 : PF_OK;
}

/* The item left the folder and came back, as another one: its copy of before is the new one's. */
static int take_over(
	struct pf_fold *f, struct pf_entry *e, struct pf_entry *left, struct pf_err *err)
{
	e->verdict = left->verdict; /* what was written by us stays known as such */
	pf_rows_stored_with(e, left->sys, left->kw);
	left->verdict = PF_VERDICT_VANISHED;
	left->dst_id = pf_span(NULL, 0);
	fold_keep_left(f, left);
	if (fold_list_all_next(f, err) != PF_OK) {
		return PF_FAIL;
	}
	return job_keeps(f->job) ? pf_rows_save(left, f->job->cfg->ledger, f->row_id,
					   "the source removed it, and has it again", err)
				 : PF_OK;
}

/* In what form the target holds it, if that is not the source's. */
static const char *form_of(const struct pf_pair_item *s)
{
	return s->by_repair      ? "the target holds it repaired"
	       : s->by_canonical ? "the target holds it in a form that it rewrote"
				 : NULL;
}

static int settle_pair(
	struct pf_fold *f, struct pf_entry *e, const struct pf_pair_item *s, struct pf_err *err)
{
	char names[200];
	struct pf_foreign *o = &f->foreign[s->mate];
	bool sent = e->state == PF_ROW_SENT;

	e->state = PF_ROW_DONE;
	e->verdict = sent ? PF_VERDICT_COPIED : PF_VERDICT_PRESENT;
	e->bits &= (uint16_t)~PF_ENTRY_BUSY;
	e->bits |= PF_ENTRY_CONFIRMED; /* it was read just now */
	e->dst_id = o->id;
	if (o->left && take_over(f, e, &f->rows.v[o->left_row], err) != PF_OK) {
		return PF_FAIL;
	}
	e->size = s->by_repair ? s->repaired_size : e->size;
	if (pf_rows_set_digest(&f->rows, e, &s->print.exact, err) != PF_OK ||
		pf_rows_set_note(&f->rows, e, form_of(s), err) != PF_OK) {
		return PF_FAIL;
	}
	f->job->progress.items_done++;
	if (sent) {
		fold_late_arrived(f);
		/* It may have been put without its flags, and cut off before they followed. */
		e->bits |= flags_lack(f, e, &o->flags, names, sizeof(names)) ? PF_ENTRY_FLAGS_LATER
									     : 0;
		f->job->outcome.copied_now++;
		f->job->outcome.bytes_now += e->size;
		job_event(f->job, PF_EV_DOUBT_SETTLED, f, e,
			"it had arrived before the interruption");
	} else {
		f->job->outcome.present_now++;
	}
	if (!job_keeps(f->job)) {
		return PF_OK;
	}
	return pf_rows_save(e, f->job->cfg->ledger, f->row_id, NULL, err);
}

/* It was put, in this pass or in one that did not come to read it back: now its id is known, or the
 * target does not have it after all. In this pass that is left to the reading back. */
static int settle_stored(
	struct pf_fold *f, struct pf_entry *e, const struct pf_pair_item *s, struct pf_err *err)
{
	bool found = s->mate != SIZE_MAX;

	if (!found && (!f->pair_anew || !job_writes(f->job))) {
		return PF_OK;
	}
	if (found) {
		e->dst_id = f->foreign[s->mate].id;
		e->bits |= f->pair_anew ? PF_ENTRY_CONFIRMED : 0;
	} else if (f->fleeting || (e->bits & PF_ENTRY_CONFIRM)) {
		return fold_not_found(f, e, err);
	} else {
		job_event(f->job, PF_EV_NOT_AT_TARGET, f, e,
			"the target took it, but does not show it");
		e->state = PF_ROW_PLANNED;
		e->verdict = PF_VERDICT_NONE;
		e->note = pf_span(NULL, 0);
		f->job->progress.items_done--;
	}
	return job_keeps(f->job) ? pf_rows_save(e, f->job->cfg->ledger, f->row_id, NULL, err)
				 : PF_OK;
}

static int settle(struct pf_fold *f, const struct pf_pair_item *s, struct pf_err *err)
{
	struct pf_entry *e = &f->rows.v[s->index];

	if (s->rank == RANK_STORED) {
		return settle_stored(f, e, s, err);
	}
	return s->mate != SIZE_MAX ? settle_pair(f, e, s, err) : settle_alone(f, e, err);
}

static int finish(struct pf_fold *f, struct pf_err *err)
{
	bool first = f->pair_anew;
	int rc = PF_OK;

	f->late = false;
	for (size_t i = 0; i < f->pairing.sources && rc == PF_OK; i++) {
		rc = settle(f, &f->pairing.source[i], err);
	}
	f->late_anew = f->late && (first || f->late_anew);
	fold_pair_free(f);
	f->doubts = 0;
	f->foreign_n = 0;
	if (rc != PF_OK || !first) {
		return rc;
	}
	f->dst_mark = f->dst_next; /* nothing before it is unknown */
	return job_keeps(f->job) ? fold_save(f, err) : PF_OK;
}

static void no_mates(struct pf_pairing *p)
{
	for (size_t i = 0; i < p->sources; i++) {
		p->source[i].mate = SIZE_MAX;
	}
}

int fold_pair_begin(struct pf_fold *f, struct pf_err *err)
{
	struct pf_pairing *p = &f->pairing;

	if (fill(f, err) != PF_OK) {
		return PF_FAIL;
	}
	f->pair_round = 0;
	no_mates(p);
	if (p->sources == 0 || p->targets == 0 || f->job->cfg->mode == PF_JOB_CHECK) {
		return finish(f, err) == PF_OK ? PF_END : PF_FAIL;
	}
	pf_pair_candidates(p);
	f->pair_printers[SRC] = calloc(p->sources, sizeof(struct pf_fingerprinter *));
	f->pair_printers[DST] = calloc(p->targets, sizeof(struct pf_fingerprinter *));
	if (!f->pair_printers[SRC] || !f->pair_printers[DST]) {
		return pf_fail_memory(err, "pairing the items of a folder");
	}
	return PF_OK;
}

static int ask(struct pf_fold *f, enum pf_side_no side, size_t i, struct pf_err *err)
{
	const struct pf_pair_item *item =
		side == SRC ? &f->pairing.source[i] : &f->pairing.target[i];
	struct pf_op op = {
		.kind = PF_OP_GET,
		.id = op_id(USE_PAIR, f->index, i),
		.folder = pf_buf_span(side == SRC ? &f->src_id : &f->dst_id),
		.item = side == SRC ? f->rows.v[item->index].src_id : f->foreign[item->index].id,
		.get = {.size = item->size, .whole_max = f->job->whole_max},
	};

	return job_submit(f->job, side, &op, err);
}

/* Ask for fingerprints as far as the window goes. PF_OK: all are there. */
static int ask_more(struct pf_fold *f, enum pf_side_no side, struct pf_err *err)
{
	size_t n = side == SRC ? f->pairing.sources : f->pairing.targets;
	struct pf_pair_item *items = side == SRC ? f->pairing.source : f->pairing.target;

	if (f->restart) {
		return f->pair_open[side] == 0 ? PF_OK : PF_AGAIN;
	}
	if (f->not_before_ms > f->job->now.ms) {
		return PF_AGAIN;
	}
	while (f->pair_next[side] < n && f->pair_open[side] < PAIR_WINDOW) {
		size_t i = f->pair_next[side];
		bool gone = side == SRC && (f->rows.v[items[i].index].bits & PF_ENTRY_GONE);

		if (items[i].candidate && !items[i].known && !items[i].asked && !gone) {
			int rc = ask(f, side, i, err);

			if (rc != PF_OK) {
				return rc;
			}
			items[i].asked = true;
			f->pair_open[side]++;
		}
		f->pair_next[side]++;
	}
	return f->pair_next[side] == n && f->pair_open[side] == 0 ? PF_OK : PF_AGAIN;
}

/*
 * Exact fingerprints known from the ledger don't find what a target rewrote: those that are left
 * over, with one of equal date on the other side, are read after all. Returns whether there are
 * such.
 */
static bool second_round(struct pf_pairing *p)
{
	bool any[2] = {false, false};

	for (size_t i = 0; i < p->sources; i++) {
		struct pf_pair_item *s = &p->source[i];

		if (s->mate == SIZE_MAX && s->candidate && !s->has_canonical) {
			s->known = false;
			s->asked = false;
			any[SRC] = true;
		}
		any[SRC] = any[SRC] || (s->mate == SIZE_MAX && s->candidate);
	}
	for (size_t i = 0; i < p->targets; i++) {
		struct pf_pair_item *t = &p->target[i];

		if (t->mate == SIZE_MAX && t->candidate && !t->has_canonical) {
			t->known = false;
			t->asked = false;
			any[DST] = true;
		}
		any[DST] = any[DST] || (t->mate == SIZE_MAX && t->candidate);
	}
	return any[SRC] && any[DST];
}

static bool some_lack_canonical(const struct pf_pairing *p)
{
	for (size_t i = 0; i < p->sources; i++) {
		if (p->source[i].candidate && p->source[i].known && !p->source[i].has_canonical) {
			return true;
		}
	}
	for (size_t i = 0; i < p->targets; i++) {
		if (p->target[i].candidate && p->target[i].known && !p->target[i].has_canonical) {
			return true;
		}
	}
	return false;
}

int fold_pair_step(struct pf_fold *f, struct pf_err *err)
{
	int src = ask_more(f, SRC, err);
	int dst = src == PF_FAIL ? PF_FAIL : ask_more(f, DST, err);
	bool again;

	if (src == PF_FAIL || dst == PF_FAIL) {
		return PF_FAIL;
	}
	if (src != PF_OK || dst != PF_OK) {
		return PF_AGAIN;
	}
	if (f->restart) {
		return PF_OK;
	}
	again = f->pair_round++ == 0 && some_lack_canonical(&f->pairing);
	pf_pair_match(&f->pairing);
	if (again && second_round(&f->pairing)) {
		f->pair_next[SRC] = 0;
		f->pair_next[DST] = 0;
		return PF_AGAIN;
	}
	return finish(f, err);
}

static void known(struct pf_pair_item *item, struct pf_fingerprinter *printer)
{
	pf_fingerprinter_take(printer, &item->print);
	item->known = true;
	item->has_canonical = true;
}

static void ask_once_more(struct pf_fold *f, enum pf_side_no side, size_t i)
{
	(side == SRC ? &f->pairing.source[i] : &f->pairing.target[i])->asked = false;
	f->pair_next[side] = i < f->pair_next[side] ? i : f->pair_next[side];
}

/* Of a folder that can't be compared nothing is sent: it could be there already. */
static int not_compared(const struct pf_err *why, struct pf_err *err)
{
	*err = *why;
	err->scope = err->scope > PF_SCOPE_FOLDER ? err->scope : PF_SCOPE_FOLDER;
	return pf_wrap(err, "comparing it with what the target has");
}

/*
 * What can't be read can't be told from others. A source's item is then sent, as far as it comes; a
 * target's that may be one of ours must not be passed over for a busy moment, or for a no that is
 * none (servers leave rows out), or it comes twice.
 */
static int not_read(struct pf_fold *f, enum pf_side_no side, size_t i, const struct pf_err *why,
	struct pf_err *err)
{
	struct pf_pair_item *item = side == SRC ? &f->pairing.source[i] : &f->pairing.target[i];

	if (fold_is_stale(f, why) || fold_is_lost(f, side, why)) {
		return PF_OK;
	}
	if (why->retry == PF_RETRY_NO && why->scope >= PF_SCOPE_FOLDER) {
		return not_compared(why, err);
	}
	if (why->retry == PF_RETRY_NO) {
		if (++item->refusals < REFUSALS_MAX) {
			ask_once_more(f, side, i);
		}
		return PF_OK;
	}
	if (f->pair_tries >= TRIES_MAX) {
		if (side == SRC) {
			return PF_OK;
		}
		return not_compared(why, err);
	}
	if (f->not_before_ms <= f->job->now.ms) { /* the first of those in flight */
		f->pair_tries++;
		f->not_before_ms = f->job->now.ms + job_pause_ms(f->job, f->pair_tries, why);
	}
	ask_once_more(f, side, i);
	return PF_OK;
}

/* A whole body; of the source's items it also counts what they became if the target refused them.
 */
static int take_body(
	struct pf_fold *f, enum pf_side_no side, size_t i, struct pf_blob *body, struct pf_err *err)
{
	struct pf_pair_item *item = &f->pairing.source[i];
	int rc = PF_END;

	pf_fingerprinter_add(f->pair_printers[side][i], pf_blob_span(body));
	if (side == SRC) {
		rc = pf_repair_print(
			pf_blob_span(body), &item->repaired, &item->repaired_size, err);
		item->has_repaired = rc == PF_OK;
	}
	pf_blob_unref(&body);
	return rc == PF_FAIL ? PF_FAIL : PF_OK;
}

int fold_pair_event(struct pf_fold *f, enum pf_side_no side, const struct pf_store_event *ev,
	struct pf_err *err)
{
	size_t n = side == SRC ? f->pairing.sources : f->pairing.targets;
	size_t i = op_index(ev->op);
	struct pf_blob *body = ev->kind == PF_STORE_BODY ? ev->body : NULL;
	struct pf_fingerprinter **printer;

	if (f->state != FOLD_PAIRING || i >= n) { /* of a folder that was given up */
		pf_blob_unref(&body);
		return PF_OK;
	}
	printer = &f->pair_printers[side][i];
	if (!*printer && (body || ev->kind == PF_STORE_CHUNK)) {
		*printer = pf_fingerprinter_new(true);
		if (!*printer) {
			pf_blob_unref(&body);
			return pf_fail_memory(err, "a fingerprint");
		}
	}
	switch (ev->kind) {
	case PF_STORE_BODY:
		return take_body(f, side, i, body, err);
	case PF_STORE_CHUNK:
		pf_fingerprinter_add(*printer, ev->chunk.bytes);
		break;
	case PF_STORE_DONE:
		f->pair_tries = 0;
		if (*printer) {
			known(side == SRC ? &f->pairing.source[i] : &f->pairing.target[i],
				*printer);
		}
		pf_fingerprinter_free(printer);
		f->pair_open[side]--;
		break;
	case PF_STORE_FAILED:
		pf_fingerprinter_free(printer);
		f->pair_open[side]--;
		return not_read(f, side, i, &ev->failed.why, err);
	default:
		break;
	}
	return PF_OK;
}
