/*
 * Items read on both sides and compared: all of them under verify --deep, else those whose size at
 * the target is not what was sent.
 */
#include "engine/fold_private.h"
#include "engine/repair.h"
#include "model/mime.h"

#include <stdlib.h>

enum { DEEP_WINDOW = 16, STRANGERS_MAX = 16 };

struct pf_deep {
	bool used;
	size_t entry;
	struct pf_fingerprinter *printer[2];
	struct pf_fingerprint print[2];
	bool ended[2], read[2];
	struct pf_blob *body; /* the source's, for the quarantine; NULL for a large one */
	struct pf_digest
		content; /* what the target's parts say, decoded; of a large one not known */
	bool has_content;
};

static void clear(struct pf_deep *d)
{
	pf_fingerprinter_free(&d->printer[SRC]);
	pf_fingerprinter_free(&d->printer[DST]);
	pf_blob_unref(&d->body);
	*d = (struct pf_deep){0};
}

void fold_deep_free(struct pf_fold *f)
{
	for (size_t i = 0; f->deep && i < DEEP_WINDOW; i++) {
		clear(&f->deep[i]);
	}
	free(f->deep);
	f->deep = NULL;
	f->deep_open = 0;
}

static int ask(struct pf_fold *f, enum pf_side_no side, size_t i, struct pf_err *err)
{
	const struct pf_entry *e = &f->rows.v[f->deep[i].entry];
	struct pf_op op = {
		.kind = PF_OP_GET,
		.id = op_id(USE_DEEP, f->index, i),
		.folder = pf_buf_span(side == SRC ? &f->src_id : &f->dst_id),
		.item = side == SRC ? e->src_id : e->dst_id,
		.get = {.size = e->size, .whole_max = f->job->whole_max},
	};

	return job_submit(f->job, side, &op, err);
}

/* Begin with one entry; a side that has no room yet is asked by a later step. */
static int begin(struct pf_fold *f, size_t i, size_t entry, struct pf_err *err)
{
	struct pf_deep *d = &f->deep[i];
	int rc;

	d->used = true;
	d->entry = entry;
	rc = ask(f, DST, i, err);
	if (rc != PF_OK) {
		clear(d);
		return rc;
	}
	f->deep_open++;
	rc = ask(f, SRC, i, err);
	if (rc == PF_AGAIN) { /* rare: its window is full. The item is taken for unread at the
				 source */
		d->ended[SRC] = true;
		return PF_OK;
	}
	return rc;
}

int fold_deep_step(struct pf_fold *f, struct pf_err *err)
{
	if (f->restart) {
		return PF_AGAIN;
	}
	if (!f->deep) {
		f->deep = calloc(DEEP_WINDOW, sizeof(*f->deep));
		if (!f->deep) {
			return pf_fail_memory(err, "comparing items");
		}
	}
	for (size_t i = 0; i < DEEP_WINDOW; i++) {
		while (f->deep_next < f->rows.n &&
			(!(f->rows.v[f->deep_next].bits & PF_ENTRY_DEEP) ||
				!f->rows.v[f->deep_next].dst_id.p ||
				(f->rows.v[f->deep_next].bits & PF_ENTRY_GONE))) {
			f->deep_next++;
		}
		if (f->deep_next == f->rows.n) {
			break;
		}
		if (!f->deep[i].used) {
			int rc = begin(f, i, f->deep_next, err);

			if (rc != PF_OK) {
				return rc;
			}
			f->deep_next++;
		}
	}
	return f->deep_open == 0 && f->deep_next == f->rows.n ? PF_OK : PF_AGAIN;
}

/* Whether the target holds what it was given after it had refused the source's form. */
static int is_repaired(const struct pf_deep *d, bool *yes, struct pf_err *err)
{
	struct pf_digest repaired;
	uint64_t size;
	int rc = d->body ? pf_repair_print(pf_blob_span(d->body), &repaired, &size, err) : PF_END;

	*yes = rc == PF_OK && pf_digest_eq(&repaired, &d->print[DST].exact);
	return rc == PF_FAIL ? PF_FAIL : PF_OK;
}

/* Whether the row says already that the target has it in another form. */
static bool is_noted(const struct pf_entry *e)
{
	return e->note.n > 0 && (memmem(e->note.p, e->note.n, "repaired", 8) != NULL ||
					pf_span_starts(e->note, "the target holds"));
}

/* Whether what the target holds says the same in other encodings. */
static int says_the_same(const struct pf_deep *d, bool *same, struct pf_err *err)
{
	struct pf_digest content;

	*same = false;
	if (!d->body || !d->has_content ||
		!pf_digest_eq(&d->print[SRC].header, &d->print[DST].header)) {
		return PF_OK;
	}
	if (pf_mime_digest(pf_blob_span(d->body), &content, err) != PF_OK) {
		return PF_FAIL;
	}
	*same = pf_digest_eq(&content, &d->content);
	return PF_OK;
}

/* Whether what is under its id is another one of those that were put in this pass. Asked for a few:
 * a target that alters all it stores is not one that mixes them up. */
static bool is_of_another(struct pf_fold *f, const struct pf_entry *e, const struct pf_deep *d)
{
	bool found = f->ids_wrong;

	for (size_t i = f->strangers++ < STRANGERS_MAX ? 0 : f->rows.n; i < f->rows.n && !found;
		i++) {
		const struct pf_entry *o = &f->rows.v[i];

		found = o != e && (o->bits & PF_ENTRY_CONFIRM) && o->digest &&
			pf_digest_eq(o->digest, &d->print[DST].exact);
	}
	return found;
}

static int judge(struct pf_fold *f, struct pf_deep *d, struct pf_err *err)
{
	struct pf_entry *e = &f->rows.v[d->entry];
	struct pf_job *job = f->job;
	bool verify = job->cfg->mode == PF_JOB_VERIFY;
	struct pf_blob *body = NULL;
	bool same;

	e->bits &= (uint16_t)~PF_ENTRY_DEEP;
	if (!d->read[SRC] || !d->read[DST]) {
		job_event(job, PF_EV_SIZE_DIFFERS, f, e,
			"it can't be read at the %s to be compared",
			d->read[SRC] ? "target" : "source");
		job->outcome.differing += verify;
		return PF_OK;
	}
	if (pf_digest_eq(&d->print[SRC].exact, &d->print[DST].exact)) {
		return PF_OK;
	}
	if (is_repaired(d, &same, err) != PF_OK) {
		return PF_FAIL;
	}
	if (same && is_noted(e)) {
		job->outcome.equivalent++;
		return PF_OK;
	}
	same = same || pf_digest_eq(&d->print[SRC].canonical, &d->print[DST].canonical);
	if (!same && says_the_same(d, &same, err) != PF_OK) {
		return PF_FAIL;
	}
	if (same) {
		job->outcome.equivalent++;
		job_event(job, PF_EV_SIZE_DIFFERS, f, e,
			"the target holds it in a form that it rewrote; what it says is the same");
		if (e->note.n == 0 &&
			pf_rows_set_note(&f->rows, e,
				"the target holds it in a form that it rewrote", err) != PF_OK) {
			return PF_FAIL;
		}
		return job_keeps(job) ? pf_rows_save(e, job->cfg->ledger, f->row_id, NULL, err)
				      : PF_OK;
	}
	if (job_writes(job) && !f->ids_forgotten && is_of_another(f, e, d)) {
		f->ids_wrong = true;
		return PF_OK;
	}
	job_event(job, PF_EV_ITEM_ALTERED, f, e, "what the target holds is not what was sent");
	if (verify) {
		job->outcome.differing++;
		return PF_OK;
	}
	body = d->body;
	d->body = NULL;
	return quarantine_entry(f, e, body, "what the target stored is not what was sent", err);
}

static int take(struct pf_deep *d, enum pf_side_no side, const struct pf_store_event *ev,
	struct pf_err *err)
{
	struct pf_blob *body = ev->kind == PF_STORE_BODY ? ev->body : NULL;

	if (!d->printer[side]) {
		d->printer[side] = pf_fingerprinter_new(true);
		if (!d->printer[side]) {
			pf_blob_unref(&body);
			return pf_fail_memory(err, "a fingerprint");
		}
	}
	pf_fingerprinter_add(d->printer[side], body ? pf_blob_span(body) : ev->chunk.bytes);
	if (side == DST && body) {
		d->has_content = true;
		if (pf_mime_digest(pf_blob_span(body), &d->content, err) != PF_OK) {
			pf_blob_unref(&body);
			return PF_FAIL;
		}
	}
	if (side == SRC && body) {
		d->body = body;
		return PF_OK;
	}
	pf_blob_unref(&body);
	return PF_OK;
}

int fold_deep_event(struct pf_fold *f, enum pf_side_no side, const struct pf_store_event *ev,
	struct pf_err *err)
{
	struct pf_blob *body = ev->kind == PF_STORE_BODY ? ev->body : NULL;
	struct pf_deep *d;
	int rc;

	if (!f->deep || op_index(ev->op) >= DEEP_WINDOW || !f->deep[op_index(ev->op)].used) {
		pf_blob_unref(&body);
		return PF_OK;
	}
	d = &f->deep[op_index(ev->op)];
	if (ev->kind == PF_STORE_BODY || ev->kind == PF_STORE_CHUNK) {
		return take(d, side, ev, err);
	}
	if (ev->kind == PF_STORE_DONE && d->printer[side]) {
		pf_fingerprinter_take(d->printer[side], &d->print[side]);
		d->read[side] = true;
	}
	if (ev->kind == PF_STORE_FAILED) {
		(void)fold_is_stale(f, &ev->failed.why);
	}
	d->ended[side] = true;
	if (!d->ended[SRC] || !d->ended[DST]) {
		return PF_OK;
	}
	rc = f->restart ? PF_OK : judge(f, d, err);
	clear(d);
	f->deep_open--;
	return rc;
}
