/*
 * Flags carried over: what changed at the source since the last pass, and what the target would not
 * take together with the item. Only differences are sent, so that marks the user set at the target
 * meanwhile stay.
 */
#include "engine/fold_private.h"

#include <stdio.h>

enum { DENIED_MAX = 4096 };

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

/* " WORD" behind the others, as far as there is room. */
static void add_name(char *names, size_t size, size_t *n, struct pf_span word)
{
	int made = snprintf(names + *n, size - *n, " %.*s", (int)word.n, (const char *)word.p);

	*n = made > 0 && (size_t)made < size - *n ? *n + (size_t)made : size - 1;
}

uint64_t flags_key(const struct pf_fold *f, const struct pf_entry *e)
{
	struct pf_flags kept = {0}, wish = {e->sys, e->kw};
	struct pf_err ignored; /* no memory: it only tells apart what else is the same */
	struct pf_buf kw;
	uint64_t key;

	pf_buf_init(&kw, 65536);
	key = flags_permitted(f, wish, &kw, &kept, &ignored) == PF_OK ? pf_flags_key(&kept) : 0;
	pf_buf_deinit(&kw);
	return key;
}

/* Those of `a` that `b` has not, each behind a blank. */
static void flag_names(const struct pf_flags *a, const struct pf_flags *b, char *names, size_t size)
{
	struct pf_span rest = a->kw, word;
	size_t n = 0;

	names[0] = '\0';
	for (uint32_t bit = 1; bit <= PF_FLAGS_ALL; bit <<= 1) {
		if (a->sys & ~b->sys & bit) {
			add_name(names, size, &n, pf_span_str(pf_flag_name(bit)));
		}
	}
	while (pf_keywords_next(&rest, &word)) {
		if (!pf_keywords_has(b->kw, word)) {
			add_name(names, size, &n, word);
		}
	}
}

bool flags_lack(const struct pf_fold *f, const struct pf_entry *e, const struct pf_flags *has,
	char *names, size_t size)
{
	struct pf_flags want, wish = {e->sys, e->kw};
	struct pf_err ignored; /* no memory: the flags are compared again by the next verify */
	struct pf_buf kw;

	names[0] = '\0';
	pf_buf_init(&kw, 65536);
	if (flags_permitted(f, wish, &kw, &want, &ignored) == PF_OK) {
		flag_names(&want, has, names, size);
	}
	pf_buf_deinit(&kw);
	return names[0] != '\0';
}

static int tell_denied(
	struct pf_fold *f, const struct pf_entry *e, struct pf_span word, struct pf_err *err)
{
	if (f->denied.max == 0) {
		pf_buf_init(&f->denied, DENIED_MAX);
	}
	if (pf_keywords_has(pf_buf_span(&f->denied), word) ||
		f->denied.n + word.n + 1 > DENIED_MAX) {
		return PF_OK;
	}
	job_event(f->job, PF_EV_FLAG_DROPPED, f, e,
		"the target does not permit %.*s in this folder: this item and others go without "
		"it",
		(int)word.n, (const char *)word.p);
	return pf_keywords_add(&f->denied, word, err);
}

int flags_tell_denied(struct pf_fold *f, const struct pf_entry *e, struct pf_flags want,
	struct pf_flags got, struct pf_err *err)
{
	struct pf_span word;

	for (uint32_t bit = 1; bit <= PF_FLAGS_ALL; bit <<= 1) {
		if ((want.sys & ~got.sys & bit) &&
			tell_denied(f, e, pf_span_str(pf_flag_name(bit)), err) != PF_OK) {
			return PF_FAIL;
		}
	}
	if (got.kw.n == want.kw.n) {
		return PF_OK;
	}
	while (pf_keywords_next(&want.kw, &word)) {
		if (!pf_keywords_has(got.kw, word) && tell_denied(f, e, word, err) != PF_OK) {
			return PF_FAIL;
		}
	}
	return PF_OK;
}

uint32_t flags_apart(const struct pf_slot *s)
{
	return job_has_cap(s->fold->job, DST, PF_CAP_FLAGGED_APART) ? PF_FLAG_FLAGGED : 0;
}

int note_put_flags(struct pf_slot *s, bool *noted, struct pf_err *err)
{
	struct pf_entry *e = slot_entry(s);
	uint32_t apart = flags_apart(s);

	if (s->form < TRY_NO_KEYWORDS && !(e->sys & apart)) {
		return PF_OK;
	}
	*noted = true;
	pf_rows_stored_with(e, s->form < TRY_NO_FLAGS ? (uint8_t)(e->sys & ~apart) : 0,
		s->form < TRY_NO_KEYWORDS ? e->kw : pf_span(NULL, 0));
	return fold_list_all_next(s->fold, err);
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

static void change_init(struct change *c)
{
	pf_buf_init(&c->add, 65536);
	pf_buf_init(&c->del, 65536);
	pf_buf_init(&c->permitted, 65536);
}

static void change_deinit(struct change *c)
{
	pf_buf_deinit(&c->add);
	pf_buf_deinit(&c->del);
	pf_buf_deinit(&c->permitted);
}

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

/* What changed at the source, for those who compare it with what they did at the target. */
static void tell_carried(struct pf_fold *f, const struct pf_entry *e)
{
	struct pf_flags before = {e->sys, e->kw}, now = {e->new_sys, e->new_kw};
	char added[200], gone[200];

	flag_names(&now, &before, added, sizeof(added));
	flag_names(&before, &now, gone, sizeof(gone));
	job_event(f->job, PF_EV_FLAGS_CARRIED, f, e, "%s%s%s%s%s", added[0] ? "set:" : "", added,
		added[0] && gone[0] ? "; " : "", gone[0] ? "taken away:" : "", gone);
}

static int note_carried(struct pf_fold *f, struct pf_entry *e, struct pf_err *err)
{
	if (e->bits & PF_ENTRY_CARRY) {
		tell_carried(f, e);
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

	change_init(&c);
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
	change_deinit(&c);
	return rc;
}

static bool is_due(const struct pf_entry *e)
{
	return (e->bits & (PF_ENTRY_CARRY | PF_ENTRY_FLAGS_LATER)) && e->dst_id.p &&
	       !(e->bits & (PF_ENTRY_GONE | PF_ENTRY_BUSY | PF_ENTRY_SINGLY)) &&
	       (e->verdict == PF_VERDICT_COPIED || e->verdict == PF_VERDICT_PRESENT);
}

/* ---- one by one ---- */

/* The flag or keyword number `n` of those that are to be added. */
static bool nth_word(const struct pf_flags *add, size_t n, struct pf_flags *out)
{
	struct pf_span rest = add->kw, word;

	for (uint32_t bit = 1; bit <= PF_FLAGS_ALL; bit <<= 1) {
		if ((add->sys & bit) && n-- == 0) {
			*out = (struct pf_flags){.sys = bit};
			return true;
		}
	}
	while (pf_keywords_next(&rest, &word)) {
		if (n-- == 0) {
			*out = (struct pf_flags){.kw = word};
			return true;
		}
	}
	return false;
}

/* What the target refused for good, behind what the entry's note says already. */
static int note_lost(struct pf_fold *f, struct pf_entry *e, struct pf_span lost, struct pf_err *err)
{
	char note[600];

	(void)snprintf(note, sizeof(note), "%.*s%swithout flags that the target refuses: %.*s",
		(int)e->note.n, (const char *)e->note.p, e->note.n > 0 ? "; " : "", (int)lost.n,
		(const char *)lost.p);
	job_event(f->job, PF_EV_FLAG_DROPPED, f, e, "without flags that the target refuses: %.*s",
		(int)lost.n, (const char *)lost.p);
	return pf_rows_set_note(&f->rows, e, note, err);
}

/* All of an entry's words have been tried: what was refused is told, and the rest is kept. */
static int end_singly(struct pf_fold *f, struct pf_entry *e, struct pf_err *err)
{
	struct pf_buf *lost = &f->single_lost;

	if (lost->n > 0 && note_lost(f, e, pf_buf_span(lost), err) != PF_OK) {
		return PF_FAIL;
	}
	e->bits &= (uint16_t)~PF_ENTRY_SINGLY;
	f->single_word = 0;
	pf_buf_clear(lost);
	return note_carried(f, e, err);
}

/* The next word of entry `i`; those taken away go with the first, as no server minds that. */
static int singly(struct pf_fold *f, size_t i, struct pf_err *err)
{
	struct pf_entry *e = &f->rows.v[i];
	struct pf_op op = {
		.kind = PF_OP_FLAGS,
		.id = op_id(USE_FLAGS, f->index, i),
		.folder = pf_buf_span(&f->dst_id),
		.item = e->dst_id,
	};
	struct pf_flags one;
	struct change c;
	int rc;

	change_init(&c);
	rc = make_op(f, e, &c, &op, err);
	if (rc == PF_OK && !nth_word(&op.flags.add, f->single_word, &one)) {
		rc = end_singly(f, e, err);
	} else if (rc == PF_OK) {
		op.flags.add = one;
		if (f->single_word > 0) {
			op.flags.del = (struct pf_flags){.sys = 0};
		}
		rc = job_submit(f->job, DST, &op, err);
		if (rc == PF_OK) {
			f->flag_ops++;
			e->bits |= PF_ENTRY_BUSY;
		}
	}
	change_deinit(&c);
	return rc;
}

/* One entry after the other, one word after the other: it is rare. */
static int singly_step(struct pf_fold *f, struct pf_err *err)
{
	while (f->single_next < f->rows.n && f->flag_ops == 0 && !f->job->stopping && !f->restart) {
		int rc = PF_OK;

		if (f->rows.v[f->single_next].bits & PF_ENTRY_SINGLY) {
			rc = singly(f, f->single_next, err);
		} else {
			f->single_next++;
		}
		if (rc != PF_OK) {
			return rc;
		}
	}
	return f->flag_ops == 0 ? PF_OK : PF_AGAIN;
}

static int singly_refused(
	struct pf_fold *f, const struct pf_entry *e, const struct pf_err *why, struct pf_err *err)
{
	struct pf_buf *lost = &f->single_lost;
	struct pf_flags one;
	struct pf_op op;
	struct change c;
	int rc;

	change_init(&c);
	rc = make_op(f, e, &c, &op, err);
	if (rc == PF_OK && nth_word(&op.flags.add, f->single_word, &one)) {
		struct pf_span word = one.sys ? pf_span_str(pf_flag_name(one.sys)) : one.kw;

		if (lost->max == 0) {
			pf_buf_init(lost, DENIED_MAX);
		}
		job_event(f->job, PF_EV_ITEM_REFUSED, f, e, "flag %.*s: %s", (int)word.n,
			(const char *)word.p, why->text);
		if (lost->n + word.n + 1 <= DENIED_MAX) {
			rc = pf_keywords_add(lost, word, err);
		}
	}
	change_deinit(&c);
	return rc;
}

/* The words of an op that was refused for good. */
static size_t words_of(struct pf_fold *f, const struct pf_entry *e)
{
	struct pf_err ignored; /* no memory: then they are not tried one by one */
	struct pf_flags one;
	struct pf_op op = {.kind = PF_OP_FLAGS};
	struct change c;
	size_t n = 0;

	change_init(&c);
	if (make_op(f, e, &c, &op, &ignored) == PF_OK) {
		while (nth_word(&op.flags.add, n, &one)) {
			n++;
		}
	}
	change_deinit(&c);
	return n;
}

/* A final no: of several words it perhaps minds only one, and that one is lost. */
static int refused(struct pf_fold *f, size_t i, const struct pf_err *why, struct pf_err *err)
{
	struct pf_entry *e = &f->rows.v[i];
	bool first = !(e->bits & PF_ENTRY_SINGLY);
	size_t n = first ? words_of(f, e) : 0;

	if (n > 1) {
		e->bits |= PF_ENTRY_SINGLY;
		f->single_next = i < f->single_next ? i : f->single_next;
		return PF_OK;
	}
	if (singly_refused(f, e, why, err) != PF_OK) {
		return PF_FAIL;
	}
	if (first) {
		return end_singly(f, e, err);
	}
	f->single_word++;
	return PF_OK;
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
	return f->flag_ops == 0 ? singly_step(f, err) : PF_AGAIN;
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
	if (!later) {
		return refused(f, i, why, err);
	}
	job_event(f->job, PF_EV_FLAG_DROPPED, f, e, "left to the next run: %s", why->text);
	f->unfinished = true;
	if (e->bits & PF_ENTRY_FLAGS_LATER) { /* then the next run sees that they differ */
		e->sys = 0;
		e->kw = pf_span(NULL, 0);
		e->bits |= PF_ENTRY_UNSAVED;
	}
	e->bits &= (uint16_t) ~(PF_ENTRY_CARRY | PF_ENTRY_FLAGS_LATER | PF_ENTRY_SINGLY);
	f->single_word = 0;
	pf_buf_clear(&f->single_lost);
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
	if (e->bits & PF_ENTRY_SINGLY) {
		f->single_word++;
		return PF_OK;
	}
	f->job->outcome.flags_carried += (e->bits & PF_ENTRY_CARRY) != 0;
	return note_carried(f, e, err);
}
