/*
 * Items that the source has in another form than it gives them in: what became of their properties
 * goes into the ledger, what of their content was left out is noted with the item.
 */
#include "engine/keyed_private.h"

#include <stdio.h>

/* The source's id of the item that an answer is about; absent: it is none that is copied. */
static struct pf_span item_of(struct pf_fold *f, uint64_t op)
{
	const struct pf_slot *s;
	size_t i = op_index(op);

	switch (op_use(op)) {
	case USE_GET:
		s = slot_of(f, op);
		return s ? slot_entry(s)->src_id : pf_span(NULL, 0);
	case USE_PAIR:
		return f->pairing.source && i < f->pairing.sources
			       ? f->rows.v[f->pairing.source[i].index].src_id
			       : pf_span(NULL, 0);
	case USE_KEYED_SRC:
		return f->keyed && i < f->keyed->doc_n ? f->keyed->doc[i].id : pf_span(NULL, 0);
	default:
		return pf_span(NULL, 0);
	}
}

/* A message: with the others' note; it comes to the ledger when the message has arrived. */
static int note_slot(
	struct pf_fold *f, struct pf_slot *s, const struct pf_store_event *ev, struct pf_err *err)
{
	const char *odd = ev->fates && ev->fates->odd.p ? (const char *)ev->fates->odd.p : NULL;
	struct pf_entry *e = slot_entry(s);
	char note[400];

	if (odd) {
		job_event(f->job, PF_EV_ITEM_CONVERTED, f, e, "%s", odd);
	}
	if (ev->left) {
		job_event(f->job, PF_EV_ITEM_DISGUISED, f, e, "%s", ev->left);
	}
	(void)snprintf(note, sizeof(note), "%.180s%s%s%.180s", ev->left ? ev->left : "",
		ev->left && odd ? "; " : "", odd ? "converted: " : "", odd ? odd : "");
	return note[0] ? pf_rows_set_note(&f->rows, e, note, err) : PF_OK;
}

static int note_doc(
	struct pf_fold *f, struct keyed_doc *d, const struct pf_fates *fates, struct pf_err *err)
{
	char note[300];

	if (d->left.p) {
		return PF_OK;
	}
	d->converted = true;
	(void)snprintf(note, sizeof(note), "converted: %.280s", (const char *)fates->odd.p);
	return keyed_keep(f->keyed, pf_span_str(note), &d->left, err);
}

/* The item as the source has it. */
static int keep_raw(
	struct pf_fold *f, struct pf_span id, const struct pf_store_event *ev, struct pf_err *err)
{
	struct pf_job *job = f->job;

	if (!job->cfg->keep_raw || !ev->raw.p) {
		return PF_OK;
	}
	if (!job->raw && pf_quarantine_open(job->cfg->keep_raw, job->cfg->account_name, &job->raw,
				 err) != PF_OK) {
		return PF_FAIL;
	}
	return pf_quarantine_file(job->raw, &f->src, id, ev->raw_ending, ev->raw, err);
}

int fates_note(struct pf_fold *f, const struct pf_store_event *ev, struct pf_err *err)
{
	struct pf_slot *s = op_use(ev->op) == USE_GET ? slot_of(f, ev->op) : NULL;
	struct pf_span id = item_of(f, ev->op);
	int rc = PF_OK;

	if (!id.p || !job_keeps(f->job) || (s && s->converted)) {
		return PF_OK; /* or it was noted: a chunk that was not taken comes again */
	}
	rc = ev->fates ? pf_ledger_fates_put(f->job->cfg->ledger, f->row_id, id, ev->fates, err)
		       : PF_OK;
	rc = rc == PF_OK ? keep_raw(f, id, ev, err) : rc;
	if (rc == PF_OK && s) {
		s->converted = true;
		return note_slot(f, s, ev, err);
	}
	if (rc == PF_OK && op_use(ev->op) == USE_KEYED_SRC && ev->fates && ev->fates->odd.p) {
		return note_doc(f, &f->keyed->doc[op_index(ev->op)], ev->fates, err);
	}
	return rc;
}
