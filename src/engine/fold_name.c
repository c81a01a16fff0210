/*
 * How the items that did not arrive are named: a report that says only "UID 4711" helps nobody. Of
 * those whose bytes were not seen, or are not kept, the source is asked for the header alone; what
 * it can't give is left unnamed.
 */
#include "engine/fold_private.h"
#include "model/describe.h"

static bool is_nameless(const struct pf_entry *e)
{
	return !(e->bits & (PF_ENTRY_GONE | PF_ENTRY_BUSY)) &&
	       (e->verdict == PF_VERDICT_NONE ||
		       (e->verdict == PF_VERDICT_QUARANTINED && (e->bits & PF_ENTRY_NAMELESS)));
}

static int ask(struct pf_fold *f, size_t i, struct pf_err *err)
{
	struct pf_entry *e = &f->rows.v[i];
	struct pf_op op = {
		.kind = PF_OP_GET,
		.id = op_id(USE_NAME, f->index, i),
		.folder = pf_buf_span(&f->src_id),
		.item = e->src_id,
		.get = {.part = PF_PART_HEADER, .whole_max = WHOLE_MAX},
	};
	int rc = job_submit(f->job, SRC, &op, err);

	if (rc == PF_OK) {
		f->name_open++;
		f->job->named++;
		e->bits |= PF_ENTRY_BUSY;
	}
	return rc;
}

int fold_name_step(struct pf_fold *f, struct pf_err *err)
{
	struct pf_job *job = f->job;

	if (!job_keeps(job) || !job_writes(job)) {
		return PF_OK;
	}
	for (; f->name_next < f->rows.n && job->named < NAMED_MAX && !job->stopping;
		f->name_next++) {
		int rc;

		if (fold_source_gave_up(f) && f->name_open > 0) {
			break; /* one by one, as long as they come */
		}
		rc = is_nameless(&f->rows.v[f->name_next]) ? ask(f, f->name_next, err) : PF_OK;

		if (rc != PF_OK) {
			return rc;
		}
	}
	return f->name_open == 0 ? PF_OK : PF_AGAIN;
}

static struct pf_span or_absent(const char *text)
{
	return pf_span_str(text[0] ? text : NULL);
}

int name_entry(
	struct pf_fold *f, const struct pf_entry *e, struct pf_span message, struct pf_err *err)
{
	struct pf_description d;
	struct pf_ledger_about about;

	pf_describe(message, &d);
	about = (struct pf_ledger_about){
		or_absent(d.message_id), or_absent(d.from), or_absent(d.subject)};
	return pf_ledger_item_about(f->job->cfg->ledger, f->row_id, e->seq, &about, err);
}

int fold_name_event(struct pf_fold *f, const struct pf_store_event *ev, struct pf_err *err)
{
	struct pf_blob *body = ev->kind == PF_STORE_BODY ? ev->body : NULL;
	struct pf_entry *e;
	int rc = PF_OK;

	if (f->state != FOLD_NAMING || op_index(ev->op) >= f->rows.n) {
		pf_blob_unref(&body);
		return PF_OK;
	}
	e = &f->rows.v[op_index(ev->op)];
	if (body) {
		rc = name_entry(f, e, pf_blob_span(body), err);
		pf_blob_unref(&body);
	} else if (ev->kind == PF_STORE_DONE || ev->kind == PF_STORE_FAILED) {
		e->bits &= (uint16_t)~PF_ENTRY_BUSY;
		f->name_open--;
		if (ev->kind == PF_STORE_FAILED && fold_source_gave_up(f)) {
			f->name_next = f->rows.n;
		}
	}
	return rc;
}
