#include "base/utf8.h"
#include "engine/evlog.h"
#include "engine/fold_private.h"

#include <stdio.h>

void job_event(struct pf_job *job, int number, const struct pf_fold *f, const struct pf_entry *e,
	const char *fmt, ...)
{
	struct pf_evlog_event ev = {
		.account = job->cfg->account,
		.number = number,
		.at_utc_s = job->now.utc_s,
		.folder = f ? f->shown : NULL,
	};
	char text[600];
	va_list ap;

	if (!job->cfg->log) {
		return;
	}
	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	ev.text = text;
	if (e) {
		ev.item = e->src_id;
	}
	pf_evlog_add(job->cfg->log, &ev);
}

/* The folder of ours that a store's id belongs to; NULL: none. */
static const struct pf_fold *fold_of(
	const struct pf_job *job, enum pf_side_no side, struct pf_span id)
{
	for (size_t i = 0; id.p && i < job->fold_count; i++) {
		const struct pf_fold *f = &job->folds[i];

		if (pf_span_eq(id, pf_buf_span(side == SRC ? &f->src_id : &f->dst_id))) {
			return f;
		}
	}
	return NULL;
}

void job_note(struct pf_job *job, enum pf_side_no side, const struct pf_store_event *ev)
{
	const struct pf_fold *f = fold_of(job, side, ev->note.folder);
	int64_t until = ev->note.pause_until_ms;
	char text[600], native[256] = "";
	struct pf_evlog_event out = {
		.account = job->cfg->account,
		.number = ev->note.number,
		.at_utc_s = job->now.utc_s,
		.folder = f ? f->shown : NULL,
		.item = ev->note.item,
		.raw = ev->note.raw,
		.text = text,
	};

	if (until > job->side[side].pause_until_ms) { /* what it can't do yet is not asked for */
		job->side[side].pause_until_ms = until;
		job->progress.paused_until_ms = until;
	}
	if (!job->cfg->log) {
		return;
	}
	if (!f && ev->note.folder.n > 0) { /* not listed yet: the store's own name must do */
		(void)pf_print_safe(native, sizeof(native), ev->note.folder);
		out.folder = native;
	}
	(void)snprintf(
		text, sizeof(text), "%s: %s", side == SRC ? "source" : "target", ev->note.text);
	pf_evlog_add(job->cfg->log, &out);
}
