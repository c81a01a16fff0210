/*
 * Tasks: documents are opened, the item is composed with the least change, its row is SENT and on
 * disk, then it is put; what stands in its way is looked at, never overwritten.
 *
 *   WAITING -> OPENING -> READY -> PUTTING -> DONE
 *                           ^         |
 *                           +- MEETING+   (a conflict: the item in the way is read and compared)
 */
#include "engine/keyed_private.h"

#include "base/uuid.h"

#include <stdio.h>
#include <stdlib.h>

void keyed_task_end(struct pf_fold *f, struct keyed_task *t)
{
	struct pf_keyed *k = f->keyed;
	const struct pf_id_item *x = keyed_item_of(f, t);

	if (t->state != TASK_WAITING && t->state != TASK_DONE) {
		k->tasks_open--;
	}
	t->state = TASK_DONE;
	keyed_drop_body(f, t);
	for (size_t i = 0; i < x->part_count; i++) {
		struct keyed_doc *d = &k->doc[keyed_doc_of(f, x, i)];

		if (--d->tasks == 0) {
			keyed_close_doc(f, d);
		}
	}
}

int keyed_task_leave(struct pf_fold *f, struct keyed_task *t, const char *why, struct pf_err *err)
{
	struct keyed_row *r = &f->keyed->row[t->row];

	r->state = PF_ROW_REFUSED;
	r->verdict = PF_VERDICT_NONE;
	keyed_event_log(f, PF_EV_ITEM_REFUSED, r, "left to the next run: %s", why);
	keyed_task_end(f, t);
	return keyed_save(f, t->row, why, err);
}

int keyed_give_up(struct pf_fold *f, struct keyed_task *t, const char *why, struct pf_err *err)
{
	struct pf_blob *body = t->body ? pf_blob_ref(t->body) : NULL;
	char text[sizeof(t->why)];

	(void)snprintf(text, sizeof(text), "%s", why);
	keyed_task_end(f, t);
	return keyed_quarantine(f, t->row, body, text, err);
}

/* ---- composing ---- */

bool keyed_task_cure(
	struct pf_fold *f, size_t row, const char *why, const struct keyed_said *said, bool in_vain)
{
	struct pf_keyed *k = f->keyed;
	size_t i = 0;
	const struct pf_id_item *x;
	struct keyed_task *t;

	while (i < k->task_n && k->task[i].row != row) {
		i++;
	}
	t = i < k->task_n ? &k->task[i] : NULL;
	if (!t || t->state != TASK_DONE || f->job->stopping || f->job->target_full) {
		return false;
	}
	t->lost = in_vain || (t->form.repaired && (f->kind != PF_KIND_CONTACTS || t->form.older));
	if (!t->lost) {
		t->form.older = t->form.repaired;
		t->form.repaired = true;
		t->cure = true;
		keyed_event_log(f, PF_EV_ITEM_TRIED_AGAIN, &k->row[row], "%s", why);
	}
	(void)snprintf(t->why, sizeof(t->why), "%s", why);
	t->said = *said;
	t->note[0] = '\0';
	t->over = true;
	t->state = TASK_OPENING;
	k->tasks_open++;
	k->task_first = i < k->task_first ? i : k->task_first;
	x = keyed_item_of(f, t);
	for (size_t d = 0; d < x->part_count; d++) {
		k->doc[keyed_doc_of(f, x, d)].tasks++;
	}
	/* It is counted again when it is put again. */
	f->job->outcome.copied_now -= f->job->outcome.copied_now > 0;
	f->job->progress.items_done -= f->job->progress.items_done > 0;
	return true;
}

/* As it is when the run ends before the answer comes: an edit that is not at the target is one that
 * the next run reads again, so it is not as the row's version says. */
static int save_sent(struct pf_fold *f, struct keyed_task *t, struct pf_err *err)
{
	struct keyed_row *r = &f->keyed->row[t->row];
	struct pf_span version = r->src_version;
	int rc;

	r->state = t->over ? PF_ROW_DONE : PF_ROW_SENT;
	r->src_version = t->over && !t->mark ? pf_span(NULL, 0) : version;
	rc = keyed_save(f, t->row, NULL, err);
	r->src_version = version;
	return rc;
}

int keyed_task_found(struct pf_fold *f, struct keyed_task *t, struct pf_err *err)
{
	struct keyed_row *r = &f->keyed->row[t->row];
	char note[sizeof(t->note)];

	r->dst_id = t->meets;
	r->dst_version = pf_span(NULL, 0);
	r->state = PF_ROW_DONE;
	r->verdict = t->sent_before || t->over ? PF_VERDICT_COPIED : PF_VERDICT_PRESENT;
	r->whole = t->whole;
	r->has_whole = true;
	r->bits |= KEYED_WRITTEN;
	f->job->progress.items_done++;
	if (t->sent_before) {
		f->job->outcome.copied_now++;
		keyed_event_log(
			f, PF_EV_DOUBT_SETTLED, r, "it had arrived before the interruption");
	} else if (!t->over) {
		f->job->outcome.present_now++;
	}
	(void)snprintf(note, sizeof(note), "%s", t->note);
	keyed_task_end(f, t);
	return keyed_save(f, t->row, note, err);
}

/* What lies in several documents, or loses its RECURRENCE-ID, means what it will only now that it
 * is composed: whether the target has just that under its UID. */
static bool take_there(struct pf_fold *f, struct keyed_task *t)
{
	struct pf_keyed *k = f->keyed;
	const struct pf_id_item *x = keyed_item_of(f, t);

	for (size_t i = 0; i < k->in.foreign_count && !t->over && x->holder != SIZE_MAX; i++) {
		const struct pf_id_foreign *n = &k->foreign[i];
		struct keyed_target *at = &k->target[k->foreign_of[i]];
		bool taken = at->row != SIZE_MAX && (k->row[at->row].bits & KEYED_LISTED);

		if (!taken && pf_digest_eq(&n->whole, &t->whole) && pf_span_eq(n->uid, t->uid)) {
			at->row = t->row;
			t->meets = at->id;
			return true;
		}
	}
	return false;
}

int keyed_make_ready(struct pf_fold *f, struct keyed_task *t, struct pf_err *err)
{
	struct pf_job *job = f->job;
	struct keyed_row *r = &f->keyed->row[t->row];
	uint64_t max = job_facts(job, DST)->max_item_bytes;
	int rc = keyed_compose(f, t, err);

	if (rc == PF_OK && !t->has_first) { /* of the first form that it is composed in */
		t->first = t->whole;
		t->has_first = true;
	}
	if (rc != PF_OK) {
		char why[sizeof(t->why)];

		if (err->scope > PF_SCOPE_ITEM) {
			return PF_FAIL;
		}
		(void)snprintf(why, sizeof(why), "%.390s", err->text);
		return err->retry == PF_RETRY_NO ? keyed_give_up(f, t, why, err)
						 : keyed_task_leave(f, t, why, err);
	}
	if (t->cure && !t->note[0]) { /* nothing to repair: the same would come of it */
		if (f->kind == PF_KIND_CONTACTS && !t->form.older) {
			t->form.older = true;
			return keyed_make_ready(f, t, err);
		}
		return keyed_altered(f, t, err);
	}
	if (t->lost) {
		return keyed_altered(f, t, err);
	}
	if (take_there(f, t)) {
		return keyed_task_found(f, t, err);
	}
	if (max > 0 && t->body->n > max) {
		(void)snprintf(t->why, sizeof(t->why),
			"%zu bytes are more than the %llu that the target takes", t->body->n,
			(unsigned long long)max);
		return keyed_give_up(f, t, t->why, err);
	}
	t->state = TASK_READY;
	r->dst_uid = t->uid;
	job->wants_commit = true;
	t->need_commit = pf_ledger_commits(job->cfg->ledger) + 1;
	return save_sent(f, t, err);
}

/* ---- opening ---- */

static int open_docs(struct pf_fold *f, struct keyed_task *t, bool *all, struct pf_err *err)
{
	struct pf_keyed *k = f->keyed;
	const struct pf_id_item *x = keyed_item_of(f, t);

	*all = true;
	for (size_t i = 0; i < x->part_count; i++) {
		size_t at = keyed_doc_of(f, x, i);
		struct keyed_doc *d = &k->doc[at];
		int rc;

		if (d->open) {
			continue;
		}
		if (d->bits & KEYED_UNREADABLE) {
			return t->lost ? keyed_give_up(f, t, t->why, err)
				       : keyed_task_leave(
						 f, t, "the source did not give it again", err);
		}
		*all = false;
		if (d->bits & KEYED_LOOK) {
			continue; /* asked for */
		}
		rc = keyed_get(f, SRC, USE_KEYED_SRC, at, d->id, err);
		if (rc != PF_OK) {
			return rc;
		}
		d->bits |= KEYED_LOOK;
	}
	return PF_OK;
}

static int start_tasks(struct pf_fold *f, struct pf_err *err)
{
	struct pf_keyed *k = f->keyed;
	struct pf_job *job = f->job;

	(void)err;
	while (k->task_next < k->task_n && k->tasks_open < KEYED_TASKS && !job->stopping &&
		!job->target_full && (k->tasks_open == 0 || job->bytes_in_flight < job->window)) {
		k->task[k->task_next++].state = TASK_OPENING;
		k->tasks_open++;
	}
	return PF_OK;
}

/* ---- putting ---- */

/* The name follows from the UID, so that a repeat hits the same one; where items may share UIDs,
 * from what is the item's own. */
static void name_of(const struct pf_fold *f, const struct keyed_task *t, char out[PF_UUID_TEXT])
{
	const struct pf_span names[] = {
		f->keyed->in.unique ? t->uid : keyed_item_of(f, t)->spare_uid,
		pf_span_str(t->renamed ? "1" : "0")};

	pf_uuid5(names, PF_COUNT(names), out);
}

/* What was written before is replaced only while the target still has it as it was written. */
static int check_old(struct pf_fold *f, struct keyed_task *t, bool *go, struct pf_err *err)
{
	struct pf_keyed *k = f->keyed;
	struct keyed_row *r = &k->row[t->row];
	size_t at = keyed_find_target(k, r->dst_id);

	*go = true;
	if (t->mark && (at == SIZE_MAX || !pf_span_eq(r->dst_version, k->target[at].version))) {
		*go = false; /* somebody else is at it: it stays without a mark */
		keyed_task_end(f, t);
		return PF_OK;
	}
	if (at == SIZE_MAX) {
		*go = false;
		keyed_event_log(f, PF_EV_NOT_AT_TARGET, r,
			"changed at the source; it was removed at the target, and stays so");
		keyed_task_end(f, t);
		return keyed_save(f, t->row, "removed at the target", err);
	}
	if (!r->dst_version.p || !pf_span_eq(r->dst_version, k->target[at].version)) {
		*go = false;
		t->conflict = PF_CONFLICT_CHANGED;
		t->meets = r->dst_id;
		t->state = TASK_MEETING;
		return keyed_get(f, DST, USE_KEYED_MEET, (size_t)(t - k->task), t->meets, err);
	}
	return PF_OK;
}

static int put(struct pf_fold *f, struct keyed_task *t, struct pf_err *err)
{
	struct pf_keyed *k = f->keyed;
	struct keyed_row *r = &k->row[t->row];
	char name[PF_UUID_TEXT];
	struct pf_op op = {
		.kind = PF_OP_PUT,
		.id = op_id(USE_KEYED_PUT, f->index, (size_t)(t - k->task)),
		.folder = pf_buf_span(&f->dst_id),
		.put = {.body = t->body,
			.size = t->body->n,
			.date_utc_s = PF_DATE_NONE,
			.guard = t->over ? PF_GUARD_SAME : PF_GUARD_NEW,
			.kind = k->part[keyed_item_of(f, t)->parts[0]].kind},
	};
	bool go = true;
	int rc;

	if (t->over) {
		if (check_old(f, t, &go, err) != PF_OK || !go) {
			return go ? PF_FAIL : PF_OK;
		}
		op.item = r->dst_id;
		op.version = r->dst_version;
	} else {
		name_of(f, t, name);
		op.put.name = pf_span_str(name);
	}
	op.put.native = keyed_native(f, t);
	t->native = op.put.native != NULL;
	rc = job_submit(f->job, DST, &op, err);
	if (rc == PF_OK) {
		t->state = TASK_PUTTING;
		f->slots++; /* in flight: a stop waits for it */
	}
	return rc;
}

static bool may_put(const struct pf_fold *f, const struct keyed_task *t)
{
	const struct pf_job *job = f->job;

	return pf_ledger_commits(job->cfg->ledger) >= t->need_commit &&
	       t->not_before_ms <= job->now.ms && job->side[DST].pause_until_ms <= job->now.ms &&
	       !job->stopping && !job->target_full;
}

static int push(struct pf_fold *f, struct keyed_task *t, struct pf_err *err)
{
	bool all = false;
	int rc;

	if (t->state == TASK_OPENING) {
		rc = open_docs(f, t, &all, err);
		if (rc != PF_OK || !all || t->state != TASK_OPENING) {
			return rc;
		}
		return keyed_make_ready(f, t, err);
	}
	return t->state == TASK_READY && may_put(f, t) ? put(f, t, err) : PF_OK;
}

static bool is_stopped(const struct pf_fold *f)
{
	return (f->job->stopping || f->job->target_full) && f->slots == 0;
}

int keyed_write_step(struct pf_fold *f, struct pf_err *err)
{
	struct pf_keyed *k = f->keyed;

	if (start_tasks(f, err) != PF_OK) {
		return PF_FAIL;
	}
	while (k->task_first < k->task_next && k->task[k->task_first].state == TASK_DONE) {
		k->task_first++;
	}
	for (size_t i = k->task_first; i < k->task_next; i++) {
		int rc = push(f, &k->task[i], err);

		if (rc == PF_FAIL) {
			return PF_FAIL;
		}
		if (rc == PF_AGAIN) {
			break;
		}
	}
	return (k->task_next == k->task_n && k->tasks_open == 0) || is_stopped(f) ? PF_OK
										  : PF_AGAIN;
}

int64_t keyed_wake_ms(const struct pf_fold *f)
{
	const struct pf_keyed *k = f->keyed;
	int64_t wake = INT64_MAX;

	for (size_t i = k->task_first; i < k->task_next; i++) {
		int64_t at = k->task[i].state == TASK_READY ? k->task[i].not_before_ms : 0;

		wake = at > f->job->now.ms && at < wake ? at : wake;
	}
	return wake;
}

/* A document that tasks wait for. */
int keyed_open_event(struct pf_fold *f, const struct pf_store_event *ev, struct pf_err *err)
{
	struct pf_keyed *k = f->keyed;
	struct keyed_doc *d = &k->doc[op_index(ev->op)];
	struct pf_blob *body = ev->body;

	if (ev->kind == PF_STORE_BODY) {
		struct pf_err why; /* it was understood a moment ago: changed meanwhile */

		if (ev->native && !d->open && !d->native && d->tasks > 0) {
			d->native = pf_blob_ref(ev->native);
			f->job->bytes_in_flight += d->native->n;
		}
		if (d->open || d->tasks == 0 ||
			k->codec->read(pf_blob_span(body), &d->open, &why) != PF_OK) {
			d->bits |= d->open ? 0u : KEYED_UNREADABLE;
		}
		pf_blob_unref(&body);
		if (ev->left) {
			d->left_number = ev->left_number;
			return keyed_keep(k, pf_span_str(ev->left), &d->left, err);
		}
	} else if (ev->kind == PF_STORE_FAILED || ev->kind == PF_STORE_DONE) {
		if (ev->kind == PF_STORE_FAILED && ev->failed.why.scope >= PF_SCOPE_SESSION) {
			*err = ev->failed.why;
			return PF_FAIL;
		}
		d->bits |= d->open ? 0u : KEYED_UNREADABLE;
		d->bits &= (uint16_t)~KEYED_LOOK;
	}
	return PF_OK;
}
