/*
 * Flags carried over: what changed at the source since the last pass, and what the target would not
 * take together with the item. Only differences are sent, so that marks the user set at the target
 * meanwhile stay.
 */
#include "engine/job_private.h"

int flags_permitted(const struct pf_fold *f, struct pf_flags want, struct pf_buf *kw,
	struct pf_flags *out, struct pf_err *err)
{
	struct pf_span rest = want.kw, word;

	out->sys = f->permitted_known ? want.sys & f->permitted_sys : want.sys;
	while (pf_keywords_next(&rest, &word)) {
		bool ok = !f->permitted_known || f->permitted_any ||
			  pf_keywords_has(pf_buf_span(&f->permitted_kw), word);

		if (ok && pf_keywords_add(kw, word, err) != PF_OK) {
			return PF_FAIL;
		}
	}
	out->kw = pf_buf_span(kw);
	return PF_OK;
}

bool flags_lack(const struct pf_fold *f, const struct pf_entry *e, const struct pf_flags *has)
{
	struct pf_flags want, wish = {e->sys, e->kw};
	struct pf_err ignored; /* no memory: the flags are compared again by the next verify */
	struct pf_span rest, word;
	bool lacks = false;
	struct pf_buf kw;

	pf_buf_init(&kw, 65536);
	if (flags_permitted(f, wish, &kw, &want, &ignored) == PF_OK) {
		rest = want.kw;
		lacks = (want.sys & ~has->sys) != 0;
		while (!lacks && pf_keywords_next(&rest, &word)) {
			lacks = !pf_keywords_has(has->kw, word);
		}
	}
	pf_buf_deinit(&kw);
	return lacks;
}

/* Keywords of `a` that are not in `b`. */
static int kw_minus(struct pf_span a, struct pf_span b, struct pf_buf *out, struct pf_err *err)
{
	struct pf_span word;

	while (pf_keywords_next(&a, &word)) {
		if (!pf_keywords_has(b, word) && pf_keywords_add(out, word, err) != PF_OK) {
			return PF_FAIL;
		}
	}
	return PF_OK;
}

struct change {
	struct pf_buf add, del, permitted;
};

static int make_op(struct pf_fold *f, const struct pf_entry *e, struct change *c, struct pf_op *op,
	struct pf_err *err)
{
	bool later = (e->bits & PF_ENTRY_FLAGS_LATER) != 0;
	struct pf_flags now = {e->sys, e->kw};
	struct pf_flags permitted;
	struct pf_flags before = {e->sys, e->kw};

	if (e->bits & PF_ENTRY_CARRY) {
		now = (struct pf_flags){e->new_sys, e->new_kw};
	}
	if (later) {
		before = (struct pf_flags){0, pf_span(NULL, 0)};
	}
	if (flags_permitted(f, now, &c->permitted, &permitted, err) != PF_OK ||
		kw_minus(permitted.kw, before.kw, &c->add, err) != PF_OK ||
		kw_minus(before.kw, now.kw, &c->del, err) != PF_OK) {
		return PF_FAIL;
	}
	op->flags.add = (struct pf_flags){permitted.sys & ~before.sys, pf_buf_span(&c->add)};
	op->flags.del = (struct pf_flags){before.sys & ~now.sys, pf_buf_span(&c->del)};
	return PF_OK;
}

static bool is_empty(const struct pf_flags *flags)
{
	return flags->sys == 0 && flags->kw.n == 0;
}

static int note_carried(struct pf_fold *f, struct pf_entry *e, struct pf_err *err)
{
	if (e->bits & PF_ENTRY_CARRY) {
		e->sys = e->new_sys;
		e->kw = e->new_kw;
	}
	e->bits &= (uint16_t) ~(PF_ENTRY_CARRY | PF_ENTRY_FLAGS_LATER);
	return job_keeps(f->job) ? pf_rows_save(e, f->job->cfg->ledger, f->row_id, NULL, err)
				 : PF_OK;
}

static int carry(struct pf_fold *f, size_t i, struct pf_err *err)
{
	struct pf_entry *e = &f->rows.v[i];
	struct pf_op op = {
		.kind = PF_OP_FLAGS,
		.id = op_id(USE_FLAGS, f->index, i),
		.folder = pf_buf_span(&f->dst_id),
		.item = e->dst_id,
	};
	struct change c;
	int rc;

	pf_buf_init(&c.add, 65536);
	pf_buf_init(&c.del, 65536);
	pf_buf_init(&c.permitted, 65536);
	rc = make_op(f, e, &c, &op, err);
	if (rc == PF_OK && is_empty(&op.flags.add) && is_empty(&op.flags.del)) {
		rc = note_carried(f, e, err);
	} else if (rc == PF_OK) {
		rc = job_submit(f->job, DST, &op, err);
		if (rc == PF_OK) {
			f->flag_ops++;
			e->bits |= PF_ENTRY_BUSY;
		}
	}
	pf_buf_deinit(&c.add);
	pf_buf_deinit(&c.del);
	pf_buf_deinit(&c.permitted);
	return rc;
}

static bool is_due(const struct pf_entry *e)
{
	return (e->bits & (PF_ENTRY_CARRY | PF_ENTRY_FLAGS_LATER)) && e->dst_id.p &&
	       !(e->bits & (PF_ENTRY_GONE | PF_ENTRY_BUSY)) &&
	       (e->verdict == PF_VERDICT_COPIED || e->verdict == PF_VERDICT_PRESENT);
}

int fold_flags_step(struct pf_fold *f, struct pf_err *err)
{
	if (!job_writes(f->job)) {
		return PF_OK;
	}
	if (f->not_before_ms > f->job->now.ms && !f->job->stopping) {
		return PF_AGAIN;
	}
	for (; f->flag_next < f->rows.n && !f->job->stopping && !f->restart; f->flag_next++) {
		if (is_due(&f->rows.v[f->flag_next])) {
			int rc = carry(f, f->flag_next, err);

			if (rc != PF_OK) {
				return rc;
			}
		}
	}
	return f->flag_ops == 0 ? PF_OK : PF_AGAIN;
}

/* What may pass is tried again after a pause; a final no costs the flag and not the item. */
static int not_carried(struct pf_fold *f, size_t i, const struct pf_err *why, struct pf_err *err)
{
	struct pf_entry *e = &f->rows.v[i];
	bool later = why->retry != PF_RETRY_NO || why->scope >= PF_SCOPE_FOLDER;

	if (fold_is_stale(f, why) || fold_is_lost(f, DST, why)) {
		return PF_OK;
	}
	if (why->scope >= PF_SCOPE_RUN) {
		*err = *why;
		return PF_FAIL;
	}
	if (why->retry != PF_RETRY_NO && f->flag_tries < TRIES_MAX) {
		if (f->not_before_ms <= f->job->now.ms) { /* the first of those in flight */
			f->flag_tries++;
			f->not_before_ms =
				f->job->now.ms + job_pause_ms(f->job, f->flag_tries, why);
		}
		f->flag_next = i < f->flag_next ? i : f->flag_next;
		return PF_OK;
	}
	job_event(f->job, PF_EV_FLAG_DROPPED, f, e, "%s%s", later ? "left to the next run: " : "",
		why->text);
	if (later) {
		f->unfinished = true;
		if (e->bits & PF_ENTRY_FLAGS_LATER) { /* then the next run sees that they differ */
			e->sys = 0;
			e->kw = pf_span(NULL, 0);
			e->bits |= PF_ENTRY_UNSAVED;
		}
	}
	e->bits &= (uint16_t) ~(PF_ENTRY_CARRY | PF_ENTRY_FLAGS_LATER);
	return job_keeps(f->job) && (e->bits & PF_ENTRY_UNSAVED)
		       ? pf_rows_save(e, f->job->cfg->ledger, f->row_id, NULL, err)
		       : PF_OK;
}

int fold_flags_event(struct pf_fold *f, const struct pf_store_event *ev, struct pf_err *err)
{
	struct pf_entry *e;

	if (f->state != FOLD_CARRYING || op_index(ev->op) >= f->rows.n ||
		(ev->kind != PF_STORE_DONE && ev->kind != PF_STORE_FAILED)) {
		return PF_OK;
	}
	e = &f->rows.v[op_index(ev->op)];
	e->bits &= (uint16_t)~PF_ENTRY_BUSY;
	f->flag_ops--;
	if (ev->kind == PF_STORE_FAILED) {
		return not_carried(f, op_index(ev->op), &ev->failed.why, err);
	}
	f->flag_tries = 0;
	f->job->outcome.flags_carried += (e->bits & PF_ENTRY_CARRY) != 0;
	return note_carried(f, e, err);
}
