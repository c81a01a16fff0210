/*
 * Answers to the PUTs of tasks: stored, refused, or in doubt; and the items that stand in their
 * way.
 */
#include "engine/keyed_private.h"

#include <stdio.h>
#include <string.h>

static void note_refused(struct pf_fold *f, struct keyed_task *t, const char *words)
{
	size_t n = strlen(t->note);

	(void)snprintf(
		t->note + n, sizeof(t->note) - n, "%s" NATIVE_REFUSED, n > 0 ? "; " : "", words);
	keyed_event_log(f, PF_EV_ITEM_CONVERTED, &f->keyed->row[t->row], NATIVE_REFUSED, words);
}

static int written(struct pf_fold *f, struct keyed_task *t, struct pf_span id,
	struct pf_span version, struct pf_err *err)
{
	struct pf_keyed *k = f->keyed;
	struct keyed_row *r = &k->row[t->row];
	char note[sizeof(t->note)];

	if (id.p && keyed_keep(k, id, &r->dst_id, err) != PF_OK) {
		return PF_FAIL;
	}
	r->dst_version = pf_span(NULL, 0);
	if (keyed_keep(k, version, &r->dst_version, err) != PF_OK) {
		return PF_FAIL;
	}
	r->state = PF_ROW_DONE;
	r->verdict = PF_VERDICT_COPIED;
	r->whole = t->whole;
	r->has_whole = true;
	r->bits |= KEYED_WRITTEN;
	k->wrote = true;
	f->job->outcome.copied_now++;
	f->job->outcome.bytes_now += r->size;
	f->job->progress.items_done++;
	f->job->progress.bytes_done += r->size;
	(void)snprintf(note, sizeof(note), "%s", t->note);
	keyed_task_end(f, t);
	return keyed_save(f, t->row, note, err);
}

static bool is_ours(const struct pf_fold *f, const struct keyed_task *t, const struct pf_doc *doc)
{
	return pf_span_eq(f->keyed->codec->part(doc, 0)->uid, t->uid);
}

int keyed_met(struct pf_fold *f, struct keyed_task *t, const struct pf_doc *doc, struct pf_err *err)
{
	struct pf_digest whole, meant;
	bool same = false;

	if (doc && keyed_meaning(f->keyed->codec, doc, &whole, err) != PF_OK) {
		return PF_FAIL;
	}
	if (doc && pf_digest_eq(&whole, &t->whole)) {
		return keyed_task_found(f, t, err);
	}
	if (doc && !t->over && keyed_mark_read(f->keyed->codec, doc, &meant) &&
		pf_digest_eq(&meant, &t->first)) {
		return keyed_met_altered(f, t, doc, KEYED_ALTERED, err);
	}
	if (doc && keyed_other_form(f, t, &whole, &same, err) != PF_OK) {
		return PF_FAIL;
	}
	if (same) { /* it was repaired on its way, and the ledger was lost */
		return keyed_task_found(f, t, err);
	}
	if (t->conflict == PF_CONFLICT_NAME && doc && is_ours(f, t, doc) && t->sent_before) {
		return keyed_met_altered(f, t, doc, KEYED_OTHER, err);
	}
	if (t->conflict == PF_CONFLICT_CHANGED ||
		(t->conflict == PF_CONFLICT_NAME && doc && is_ours(f, t, doc))) {
		return keyed_give_up(f, t,
			"changed at the source and at the target since it was copied: the target's "
			"was "
			"left as it is",
			err);
	}
	if (t->conflict == PF_CONFLICT_NAME && !t->renamed) {
		t->renamed = true;
		t->state = TASK_READY;
		return PF_OK;
	}
	if (t->conflict == PF_CONFLICT_UID && !t->spare) {
		t->spare = true;
		t->uid = keyed_item_of(f, t)->spare_uid;
		(void)snprintf(t->note, sizeof(t->note),
			"the target has another item with its UID: it got one of its own");
		return keyed_make_ready(f, t, err);
	}
	return keyed_give_up(f, t, t->why, err);
}

/*
 * In its own form it has no name to be found by: the folder is looked at anew when all else is
 * written, and then it is there or it is not. Once more it goes as a text, which has a name, unless
 * it was only put off.
 */
static int look_anew(struct pf_fold *f, struct keyed_task *t, bool put_off, struct pf_err *err)
{
	struct keyed_row *r = &f->keyed->row[t->row];

	r->attempts += !put_off;
	f->keyed->unsure = true;
	keyed_event_log(f, PF_EV_ITEM_TRIED_AGAIN, r, "%s", t->why);
	keyed_task_end(f, t);
	return keyed_save(f, t->row, NULL, err);
}

/* What breaks the link whenever it is put is left once, and is in quarantine in the next run. */
static int retry(struct pf_fold *f, struct keyed_task *t, const struct pf_store_event *ev,
	struct pf_err *err)
{
	const struct pf_err *why = &ev->failed.why;
	struct pf_job *job = f->job;

	if (ev->failed.in_doubt && t->native && !t->over) {
		return look_anew(f, t, ev->failed.put_off, err);
	}
	t->tries += !ev->failed.put_off; /* the store ends it when that is all that it hears */
	if (t->tries > KEYED_TRIES) {
		bool again = ev->failed.in_doubt && f->keyed->row[t->row].attempts++ > 0;

		return again ? keyed_give_up(f, t, t->why, err)
			     : keyed_task_leave(f, t, t->why, err);
	}
	t->state = TASK_READY;
	t->not_before_ms = job->now.ms + job_pause_ms(job, t->tries, why);
	if (why->retry_after_s > 0) {
		job->side[DST].pause_until_ms = t->not_before_ms;
		job->progress.paused_until_ms = t->not_before_ms;
		job_event(job, PF_EV_THROTTLED, f, NULL, "target asks for patience: %s", why->text);
	}
	keyed_event_log(f, PF_EV_ITEM_TRIED_AGAIN, &f->keyed->row[t->row], "%s", why->text);
	return PF_OK;
}

static int target_full(
	struct pf_fold *f, struct keyed_task *t, const struct pf_err *why, struct pf_err *err)
{
	if (job_room_over(f->job, f, NULL, why, err) != PF_OK) {
		return PF_FAIL;
	}
	f->keyed->row[t->row].state = PF_ROW_PLANNED;
	keyed_task_end(f, t);
	return keyed_save(f, t->row, NULL, err);
}

static const char APART[] = "an instance of no series: made an item of its own";

static bool has_no_master(const struct pf_fold *f, const struct keyed_task *t)
{
	return f->keyed->part[keyed_item_of(f, t)->parts[0]].is_override;
}

static int refused(struct pf_fold *f, struct keyed_task *t, const struct pf_store_event *ev,
	struct pf_err *err)
{
	const struct pf_err *why = &ev->failed.why;
	struct pf_keyed *k = f->keyed;

	(void)snprintf(t->why, sizeof(t->why), "%.390s", why->text);
	if (why->scope >= PF_SCOPE_RUN ||
		(why->scope >= PF_SCOPE_FOLDER && why->retry == PF_RETRY_NO &&
			ev->failed.conflict == PF_CONFLICT_NONE)) {
		*err = *why;
		return PF_FAIL;
	}
	if (why->number == PF_EV_TARGET_FULL) {
		return target_full(f, t, why, err);
	}
	if (ev->failed.recalled) { /* as the target is full, or will be asked later */
		t->state = TASK_READY;
		return PF_OK;
	}
	if (ev->failed.in_doubt || why->retry != PF_RETRY_NO) {
		t->sent_before = t->sent_before || ev->failed.in_doubt;
		return retry(f, t, ev, err);
	}
	t->conflict = ev->failed.conflict;
	if (t->conflict == PF_CONFLICT_CHANGED || t->conflict == PF_CONFLICT_NAME ||
		t->conflict == PF_CONFLICT_UID) {
		struct pf_span who = ev->failed.holder;

		if (!who.p && t->over) {
			who = k->row[t->row].dst_id;
		}
		if (!who.p) {
			return keyed_met(f, t, NULL, err);
		}
		t->state = TASK_MEETING;
		return keyed_keep(k, who, &t->meets, err) == PF_OK
			       ? keyed_get(f, DST, USE_KEYED_MEET, (size_t)(t - k->task), t->meets,
					 err)
			       : PF_FAIL;
	}
	if (!t->form.repaired) {
		t->form.repaired = true;
		keyed_event_log(f, PF_EV_ITEM_REFUSED, &k->row[t->row], "%s", why->text);
		return keyed_make_ready(f, t, err);
	}
	if (!t->form.older && f->kind == PF_KIND_CONTACTS) {
		t->form.older = true;
		return keyed_make_ready(f, t, err);
	}
	if (!t->form.apart && has_no_master(f, t)) { /* some take no instance without its series */
		t->form.apart = true;
		t->note[0] = '\0';
		if (keyed_item_of(f, t)->part_count == 1) {
			(void)snprintf(t->note, sizeof(t->note), "%s", APART);
			keyed_event_log(f, PF_EV_ITEM_REPAIRED, &k->row[t->row], "%s", APART);
		}
		return keyed_make_ready(f, t, err);
	}
	return keyed_give_up(f, t, t->why, err);
}

/* The target's answer to a PUT, or the item that stood in its way. */
int keyed_write_event(struct pf_fold *f, const struct pf_store_event *ev, struct pf_err *err)
{
	struct pf_keyed *k = f->keyed;
	struct keyed_task *t = op_index(ev->op) < k->task_n ? &k->task[op_index(ev->op)] : NULL;
	struct pf_blob *body = ev->kind == PF_STORE_BODY ? ev->body : NULL;

	if (!t) {
		pf_blob_unref(&body);
		return PF_OK;
	}
	if (op_use(ev->op) == USE_KEYED_PUT) {
		if (ev->kind != PF_STORE_DONE && ev->kind != PF_STORE_FAILED) {
			return PF_OK;
		}
		f->slots--;
		if (t->mark) {
			return keyed_marked(f, t,
				ev->kind == PF_STORE_DONE ? ev->version : pf_span(NULL, 0), err);
		}
		if (ev->kind == PF_STORE_FAILED) {
			return refused(f, t, ev, err);
		}
		if (ev->refused) {
			note_refused(f, t, ev->refused);
		}
		return written(f, t, ev->id, ev->version, err);
	}
	if (body) {
		struct pf_doc *doc = NULL;
		struct pf_err ignored; /* what is not understood is not the same */
		int rc;

		(void)k->codec->read(pf_blob_span(body), &doc, &ignored);
		pf_blob_unref(&body);
		rc = t->state == TASK_MEETING ? keyed_met(f, t, doc, err) : PF_OK;
		k->codec->free(&doc);
		return rc;
	}
	if (ev->kind == PF_STORE_FAILED && t->state == TASK_MEETING) {
		return keyed_met(f, t, NULL, err); /* it is gone, or can't be seen */
	}
	return PF_OK;
}
