/*
 * A folder whose kind the target does not take: its items stay where they are, and are listed with
 * size and title, so that the report can name each. Of mail the header is asked for; what a codec
 * reads is small, and comes whole.
 */
#include "engine/fold_private.h"
#include "model/codec.h"
#include "model/describe.h"

#include <stdio.h>
#include <stdlib.h>

enum { ASKED_MAX = 32, SMALL_MAX = 64 << 20 };

/* What is not known of it yet is asked for when all are listed. */
struct away_item {
	struct pf_span id;
	uint64_t size;
	int64_t date_utc_s;
	int zone_min;
};

struct fold_away {
	struct away_item *v;
	size_t n, cap, next, open;
	struct pf_arena arena;
};

void fold_nowhere_free(struct pf_fold *f)
{
	if (f->away) {
		free(f->away->v);
		pf_arena_deinit(&f->away->arena);
		free(f->away);
		f->away = NULL;
	}
}

const char *fold_nowhere_why(const struct pf_fold *f, char *out, size_t size)
{
	(void)snprintf(out, size, "in no place: no target takes %s", pf_kind_name(f->kind));
	return out;
}

static int ask_list(struct pf_fold *f, struct pf_err *err)
{
	const struct pf_op op = {
		.kind = PF_OP_LIST,
		.id = op_id(USE_LIST_SRC, f->index, 0),
		.folder = pf_buf_span(&f->src_id),
	};
	int rc = job_submit(f->job, SRC, &op, err);

	f->src_asked = rc == PF_OK;
	return rc;
}

int fold_nowhere_begin(struct pf_fold *f, struct pf_err *err)
{
	char why[100];

	f->state = FOLD_NOWHERE;
	f->src_done = false;
	f->src_asked = false;
	fold_nowhere_free(f);
	f->away = calloc(1, sizeof(*f->away));
	if (!f->away) {
		return pf_fail_memory(err, "a folder");
	}
	pf_arena_init(&f->away->arena);
	job_event(
		f->job, PF_EV_FOLDER_NOWHERE, f, NULL, "%s", fold_nowhere_why(f, why, sizeof(why)));
	return fold_nowhere_step(f, err) == PF_FAIL ? PF_FAIL : PF_OK;
}

static int ask_item(struct pf_fold *f, size_t i, struct pf_err *err)
{
	bool mail = f->kind == PF_KIND_MAIL;
	const struct pf_op op = {
		.kind = PF_OP_GET,
		.id = op_id(USE_NAME, f->index, i),
		.folder = pf_buf_span(&f->src_id),
		.item = f->away->v[i].id,
		.get = {.part = mail ? PF_PART_HEADER : PF_PART_WHOLE, .whole_max = SMALL_MAX},
	};
	int rc = job_submit(f->job, SRC, &op, err);

	f->away->open += rc == PF_OK;
	return rc;
}

/* PF_OK: all have a name, as far as the source tells. */
static int ask_items(struct pf_fold *f, struct pf_err *err)
{
	struct fold_away *w = f->away;

	for (; job_keeps(f->job) && w->next < w->n && w->open < ASKED_MAX && !f->job->stopping;
		w->next++) {
		int rc = ask_item(f, w->next, err);

		if (rc != PF_OK) {
			return rc;
		}
	}
	return w->open == 0 ? PF_OK : PF_AGAIN;
}

int fold_nowhere_step(struct pf_fold *f, struct pf_err *err)
{
	if (!f->src_done && !f->src_asked && f->not_before_ms <= f->job->now.ms) {
		f->away->n = 0;
		/* What was noted in an earlier pass is listed again, or is gone. */
		if (job_keeps(f->job) &&
			pf_ledger_items_drop(f->job->cfg->ledger, f->row_id, err) != PF_OK) {
			return PF_FAIL;
		}
		return ask_list(f, err) == PF_FAIL ? PF_FAIL : PF_AGAIN;
	}
	return f->src_done ? ask_items(f, err) : PF_AGAIN;
}

static int put_row(struct pf_fold *f, size_t i, const struct pf_flags *flags, struct pf_err *err)
{
	const struct away_item *item = &f->away->v[i];
	struct pf_ledger_item row = {
		.folder = f->row_id,
		.seq = (uint32_t)i + 1,
		.src_id = item->id,
		.state = PF_ROW_REFUSED,
		.verdict = PF_VERDICT_QUARANTINED,
		.size = item->size,
		.date_utc_s = item->date_utc_s,
		.zone_min = item->zone_min,
	};
	char why[100];

	row.flags = flags ? *flags : row.flags;
	row.note = pf_span_str(fold_nowhere_why(f, why, sizeof(why)));
	return job_keeps(f->job) ? pf_ledger_item_put(f->job->cfg->ledger, &row, err) : PF_OK;
}

static int note_item(struct pf_fold *f, const struct pf_item *item, struct pf_err *err)
{
	struct fold_away *w = f->away;

	if (w->n == w->cap) {
		size_t cap = w->cap ? w->cap * 2 : 64;
		struct away_item *grown = realloc(w->v, cap * sizeof(*grown));

		if (!grown) {
			return pf_fail_memory(err, "a folder");
		}
		w->v = grown;
		w->cap = cap;
	}
	w->v[w->n] = (struct away_item){
		pf_arena_span(&w->arena, item->id), item->size, item->date_utc_s, item->zone_min};
	if (!w->v[w->n].id.p) {
		return pf_fail_memory(err, "a folder");
	}
	f->job->progress.items++;
	f->job->progress.items_done++;
	return put_row(f, w->n++, &item->flags, err);
}

/* ---- names ---- */

static struct pf_span or_absent(const char *text)
{
	return pf_span_str(text[0] ? text : NULL);
}

static int name_mail(struct pf_fold *f, size_t i, struct pf_span header, struct pf_err *err)
{
	struct pf_ledger_about about;
	struct pf_description d;

	pf_describe(header, &d);
	about = (struct pf_ledger_about){
		or_absent(d.message_id), or_absent(d.from), or_absent(d.subject)};
	return pf_ledger_item_about(f->job->cfg->ledger, f->row_id, (uint32_t)i + 1, &about, err);
}

/* By its first part; the row gets the size of what came, and the date on which it begins. */
static int name_small(struct pf_fold *f, size_t i, struct pf_span bytes, struct pf_err *err)
{
	const struct pf_codec *codec = NULL;
	struct pf_ledger_about about = {.message_id = {NULL, 0}};
	struct pf_doc *doc = NULL;
	struct pf_err ignored; /* what can't be read has no title */
	int rc;

	for (const struct pf_codec *const *c = f->job->cfg->codecs; c && *c; c++) {
		codec = (*c)->kinds & f->kind ? *c : codec;
	}
	f->away->v[i].size = bytes.n;
	if (codec && codec->read(bytes, &doc, &ignored) == PF_OK) {
		const struct pf_component *first = codec->part(doc, 0);

		about.subject = first->summary;
		if (first->begin_utc_s != PF_DATE_NONE) {
			f->away->v[i].date_utc_s = first->begin_utc_s;
		}
	}
	rc = put_row(f, i, NULL, err);
	if (rc == PF_OK) {
		rc = pf_ledger_item_about(
			f->job->cfg->ledger, f->row_id, (uint32_t)i + 1, &about, err);
	}
	if (codec) {
		codec->free(&doc);
	}
	return rc;
}

static int name_event(struct pf_fold *f, const struct pf_store_event *ev, struct pf_err *err)
{
	struct pf_blob *body = ev->kind == PF_STORE_BODY ? ev->body : NULL;
	size_t i = op_index(ev->op);
	int rc = PF_OK;

	if (body && i < f->away->n) {
		rc = f->kind == PF_KIND_MAIL ? name_mail(f, i, pf_blob_span(body), err)
					     : name_small(f, i, pf_blob_span(body), err);
	} else if (ev->kind == PF_STORE_DONE || ev->kind == PF_STORE_FAILED) {
		f->away->open--; /* what is not given is named by its id */
	}
	pf_blob_unref(&body);
	return rc;
}

int fold_nowhere_event(struct pf_fold *f, const struct pf_store_event *ev, struct pf_err *err)
{
	if (op_use(ev->op) == USE_NAME) {
		return name_event(f, ev, err);
	}
	if (op_use(ev->op) != USE_LIST_SRC) {
		return PF_OK;
	}
	switch (ev->kind) {
	case PF_STORE_ITEM:
		return note_item(f, &ev->item, err);
	case PF_STORE_DONE:
		f->src_done = true;
		return PF_OK;
	case PF_STORE_FAILED:
		f->src_asked = false;
		if (ev->failed.why.retry == PF_RETRY_NO || f->list_tries++ >= LIST_TRIES_MAX) {
			*err = ev->failed.why;
			err->scope = err->scope < PF_SCOPE_FOLDER ? PF_SCOPE_FOLDER : err->scope;
			return pf_wrap(err, "listing it at the source");
		}
		f->not_before_ms =
			f->job->now.ms + job_pause_ms(f->job, f->list_tries, &ev->failed.why);
		return PF_OK;
	default:
		return PF_OK;
	}
}
