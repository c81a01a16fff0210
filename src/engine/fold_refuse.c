/*
 * What is done about an item that a side will not give or take: tried again after a pause what may
 * pass; then alone, without keywords, without flags, with another date, repaired; then quarantined
 * with the server's words.
 */
#include "engine/fold_private.h"
#include "engine/repair.h"
#include "model/describe.h"

#include <stdio.h>
#include <unistd.h>

/* ---- quarantine ---- */

static int open_quarantine(struct pf_job *job, struct pf_err *err)
{
	if (job->quarantine) {
		return PF_OK;
	}
	return pf_quarantine_open(
		job->cfg->quarantine, job->cfg->account_name, &job->quarantine, err);
}

static struct pf_quarantine_about about(
	const struct pf_fold *f, const struct pf_entry *e, const char *why)
{
	return (struct pf_quarantine_about){
		.folder = &f->src,
		.item = e->src_id,
		.size = e->size,
		.date_utc_s = e->date_utc_s,
		.flags = {.sys = e->sys, .kw = e->kw},
		.reason = why,
		.attempts = e->attempts,
		.at_utc_s = f->job->now.utc_s,
	};
}

static int end_in_quarantine(
	struct pf_fold *f, struct pf_entry *e, const char *why, struct pf_err *err)
{
	e->state = PF_ROW_REFUSED;
	e->verdict = PF_VERDICT_QUARANTINED;
	e->bits &= (uint16_t) ~(PF_ENTRY_BUSY | PF_ENTRY_CONFIRM);
	f->job->progress.items_done++;
	job_event(f->job, PF_EV_ITEM_QUARANTINED, f, e, "%s", why);
	return pf_rows_save(e, f->job->cfg->ledger, f->row_id, why, err);
}

int quarantine_keep(struct pf_fold *f, const struct pf_entry *e, struct pf_span bytes,
	const char *why, struct pf_err *err)
{
	struct pf_quarantine_about a = about(f, e, why);

	return open_quarantine(f->job, err) == PF_OK
		       ? pf_quarantine_put(f->job->quarantine, &a, bytes, err)
		       : PF_FAIL;
}

int quarantine_entry(struct pf_fold *f, struct pf_entry *e, struct pf_blob *body, const char *why,
	struct pf_err *err)
{
	int rc = quarantine_keep(f, e, pf_blob_span(body), why, err);

	e->bits |= body ? 0 : PF_ENTRY_NAMELESS;
	if (rc == PF_OK && body) {
		rc = name_entry(f, e, pf_blob_span(body), err);
	}
	pf_blob_unref(&body);
	return rc == PF_OK ? end_in_quarantine(f, e, why, err) : rc;
}

int quarantine_begin(struct pf_fold *f, const struct pf_entry *e, struct pf_quarantine_entry **file,
	struct pf_err *err)
{
	struct pf_quarantine_about a = about(f, e, "");

	if (open_quarantine(f->job, err) != PF_OK) {
		return PF_FAIL;
	}
	return pf_quarantine_begin(f->job->quarantine, &a, file, err);
}

int quarantine_commit(struct pf_fold *f, struct pf_entry *e, struct pf_quarantine_entry *file,
	const char *why, struct pf_err *err)
{
	struct pf_quarantine_about a = about(f, e, why);

	if (pf_quarantine_commit(&file, &a, err) != PF_OK) {
		return PF_FAIL;
	}
	e->bits |= PF_ENTRY_NAMELESS; /* it went by in parts */
	return end_in_quarantine(f, e, why, err);
}

void divert_to_quarantine(struct pf_slot *s, const char *why)
{
	s->to_quarantine = true;
	(void)snprintf(s->why, sizeof(s->why), "%s", why);
}

int leave_open(struct pf_fold *f, struct pf_entry *e, const char *why, struct pf_err *err)
{
	e->state = PF_ROW_REFUSED;
	e->bits &= (uint16_t)~PF_ENTRY_BUSY;
	job_event(f->job, PF_EV_ITEM_REFUSED, f, e, "left to the next run: %s", why);
	return pf_rows_save(e, f->job->cfg->ledger, f->row_id, why, err);
}

/* ---- what may pass ---- */

/* Wait with the whole side when the server asked for patience. */
static int64_t when_again(
	struct pf_fold *f, struct pf_entry *e, enum pf_side_no side, const struct pf_err *why)
{
	struct pf_job *job = f->job;
	int64_t at = job->now.ms;

	if (why->retry == PF_RETRY_LATER) {
		at += job_pause_ms(job, e->attempts, why);
	}
	if (why->retry_after_s > 0 && at > job->side[side].pause_until_ms) {
		job->side[side].pause_until_ms = at;
		job->progress.paused_until_ms = at;
		job_event(job, PF_EV_THROTTLED, f, NULL, "%s asks for patience: %s",
			side == SRC ? "source" : "target", why->text);
	}
	return at;
}

/* Back into the row of those that are to be put; first, as it is older than the rest. */
static void ready_again(struct pf_slot *s, int64_t at_ms)
{
	struct pf_fold *f = s->fold;

	s->state = SLOT_READY;
	s->fold->job->slots_paused += s->not_before_ms == 0;
	s->not_before_ms = at_ms;
	s->next = f->first;
	f->first = s;
	f->last = f->last ? f->last : s;
}

/* ---- dates ---- */

static void redate(struct pf_slot *s, int64_t utc_s, int zone_min, const char *why)
{
	char iso[32];
	char said[sizeof(s->why)];

	s->redated = true;
	s->date_utc_s = utc_s;
	s->zone_min = zone_min;
	pf_date_iso(utc_s, iso);
	(void)snprintf(said, sizeof(said), "stored with the date %s; %.300s", iso, why);
	(void)snprintf(s->why, sizeof(s->why), "%s", said);
	job_event(s->fold->job, PF_EV_DATE_REPLACED, s->fold, slot_entry(s), "%s", said);
}

void date_by_header(struct pf_slot *s, struct pf_span message)
{
	int64_t utc_s;
	int zone_min;

	if (slot_entry(s)->date_utc_s != PF_DATE_NONE || s->redated) {
		return;
	}
	if (pf_arrival(message, &utc_s, &zone_min) && !pf_date_is_odd(utc_s)) {
		redate(s, utc_s, zone_min, "the source gave none, its header tells it");
	} else {
		redate(s, s->fold->job->now.utc_s, 0,
			"neither the source nor its header tells one, so it is that of the copy");
	}
}

/* Another date than its own, which the target may not be able to hold. */
static bool other_date(struct pf_slot *s)
{
	int64_t own = slot_entry(s)->date_utc_s, utc_s;
	int zone_min;
	char why[200];

	if (!pf_date_is_odd(own)) {
		return false;
	}
	(void)snprintf(why, sizeof(why), "the target had said: %.150s", s->why);
	if (s->form != TRY_NEAREST_DATE && pf_arrival(pf_blob_span(s->body), &utc_s, &zone_min) &&
		!pf_date_is_odd(utc_s)) {
		redate(s, utc_s, zone_min, why);
		return true;
	}
	if (s->form == TRY_HEADER_DATE) {
		return false;
	}
	redate(s, pf_date_nearest(own), 0, why);
	return true;
}

/* ---- the target's no ---- */

/* Whether this way of offering it differs from the one before; the repaired body is made here. */
static int changes_something(struct pf_slot *s, bool *yes, struct pf_err *err)
{
	struct pf_fold *f = s->fold;
	const struct pf_entry *e = slot_entry(s);
	struct pf_quarantine_about a = about(f, e, s->why);
	struct pf_blob *repaired = NULL;
	char what[300] = "";
	char said[sizeof(s->why)];

	*yes = false;
	switch (s->form) {
	case TRY_ALONE:
		*yes = true;
		return PF_OK;
	case TRY_NO_KEYWORDS:
		*yes = e->kw.n > 0;
		return PF_OK;
	case TRY_NO_FLAGS:
		*yes = e->sys != 0;
		return PF_OK;
	case TRY_HEADER_DATE:
	case TRY_NEAREST_DATE:
		*yes = other_date(s);
		return PF_OK;
	case TRY_REPAIRED_DATED:
		*yes = s->original && other_date(s);
		return PF_OK;
	case TRY_REPAIRED:
		if (pf_repair(pf_blob_span(s->body), &repaired, what, sizeof(what), err) != PF_OK) {
			return PF_FAIL;
		}
		break;
	default:
		return PF_OK;
	}
	if (!repaired) {
		return PF_OK;
	}
	*yes = true;
	s->redated = s->redated && e->date_utc_s == PF_DATE_NONE;
	(void)snprintf(
		said, sizeof(said), "repaired: %s; the target had said: %.150s", what, s->why);
	(void)snprintf(s->why, sizeof(s->why), "%s", said);
	job_event(f->job, PF_EV_ITEM_REPAIRED, f, e, "%s", s->why);
	if (open_quarantine(f->job, err) != PF_OK ||
		pf_quarantine_put(f->job->quarantine, &a, pf_blob_span(s->body), err) != PF_OK) {
		pf_blob_unref(&repaired);
		return PF_FAIL;
	}
	s->original = s->body;
	s->body = repaired;
	s->total = repaired->n;
	return PF_OK;
}

static int refuse_for_good(struct pf_slot *s, struct pf_err *err)
{
	struct pf_fold *f = s->fold;
	struct pf_entry *e = slot_entry(s);
	struct pf_blob *kept = s->original ? s->original : s->body;
	struct pf_blob *body = kept ? pf_blob_ref(kept) : NULL;
	char why[sizeof(s->why)];

	(void)snprintf(why, sizeof(why), "%s", s->why);
	slot_release(s);
	return quarantine_entry(f, e, body, why, err);
}

/* A final no: the next way that changes something, or quarantine. */
static int try_otherwise(struct pf_slot *s, const struct pf_err *why, struct pf_err *err)
{
	bool yes = false;

	job_event(s->fold->job, PF_EV_ITEM_REFUSED, s->fold, slot_entry(s), "%s", why->text);
	(void)snprintf(s->why, sizeof(s->why), "%.350s%s", why->text,
		s->original ? " (as it was, and repaired)" : "");
	if (!s->body) { /* it went by as a stream: its bytes are asked for once more */
		s->to_quarantine = true;
		s->state = SLOT_GETTING;
		s->got = false;
		s->large = false;
		return ask_source(s, err) == PF_OK ? PF_OK : refuse_for_good(s, err);
	}
	while (!yes && ++s->form < TRY_NONE_LEFT) {
		if (changes_something(s, &yes, err) != PF_OK) {
			return PF_FAIL;
		}
	}
	if (!yes) {
		return refuse_for_good(s, err);
	}
	ready_again(s, 0);
	return PF_OK;
}

/* `put_off`: that it is in doubt is no sign that it breaks the link. */
static int doubtful(struct pf_slot *s, bool put_off, struct pf_err *err)
{
	struct pf_fold *f = s->fold;
	struct pf_entry *e = slot_entry(s);
	bool noted = false;
	int rc = PF_OK;

	if (s->body || s->link) {
		rc = pf_rows_set_digest(&f->rows, e, &s->digest, err);
		e->size = s->total;
	}
	e->bits |= put_off ? (uint16_t)PF_ENTRY_PUT_OFF : 0;
	f->doubt_ms = f->job->now.ms;
	f->doubts++; /* it stays SENT: what came of it is found out at the target */
	rc = rc == PF_OK ? note_put_flags(s, &noted, err) : rc;
	if (rc == PF_OK && noted) {
		rc = pf_rows_save(e, f->job->cfg->ledger, f->row_id, NULL, err);
	}
	slot_release(s);
	return rc;
}

/* To its place among those that are to be put. */
static void put_back(struct pf_slot *s)
{
	struct pf_fold *f = s->fold;
	struct pf_slot **at = &f->first;

	while (*at && (*at)->entry < s->entry) {
		at = &(*at)->next;
	}
	s->state = SLOT_READY;
	s->next = *at;
	*at = s;
	f->last = s->next ? f->last : s;
}

/* The target did not get it, and that says nothing of the item. */
static void not_tried(struct pf_slot *s)
{
	if (s->body) {
		put_back(s);
	} else {
		ask_again(s, s->fold->job->now.ms);
	}
}

static int try_later(struct pf_slot *s, const struct pf_err *why, struct pf_err *err)
{
	struct pf_fold *f = s->fold;
	struct pf_entry *e = slot_entry(s);
	int64_t at;

	if (job_target_takes_nothing(f->job, why)) {
		not_tried(s);
		return job_recall(f->job, err);
	}
	if (++e->attempts > TRIES_MAX) {
		slot_release(s);
		return leave_open(f, e, why->text, err);
	}
	at = when_again(f, e, DST, why);
	job_event(f->job, PF_EV_ITEM_TRIED_AGAIN, f, e, "%s", why->text);
	if (s->body) {
		ready_again(s, at);
	} else {
		ask_again(s, at);
	}
	return PF_OK;
}

/* A single item stays open; those of a group come into question again. */
static int target_is_full(
	struct pf_slot *s, bool grouped, const struct pf_err *why, struct pf_err *err)
{
	struct pf_entry *e = slot_entry(s);
	int rc = job_room_refused(s, grouped, why, err);

	if (grouped && s->body) {
		s->form = s->form > TRY_ALONE ? s->form : TRY_ALONE;
		put_back(s);
		return rc;
	}
	if (rc == PF_OK && s->body) {
		rc = name_entry(s->fold, e, pf_blob_span(s->body), err);
	}
	e->bits &= (uint16_t)~PF_ENTRY_BUSY;
	slot_release(s);
	return rc;
}

int refuse_put(struct pf_slot *s, const struct pf_store_event *ev, struct pf_err *err)
{
	const struct pf_err *why = &ev->failed.why;

	if (why->scope >= PF_SCOPE_RUN) {
		*err = *why;
		return PF_FAIL;
	}
	if (ev->failed.recalled) {
		not_tried(s);
		return PF_OK;
	}
	if (s->link && (ev->failed.in_doubt || why->retry == PF_RETRY_NO)) {
		links_failed(s);
	}
	if (ev->failed.in_doubt) {
		return doubtful(s, ev->failed.put_off, err);
	}
	if (s->link && why->retry == PF_RETRY_NO) {
		not_tried(s);
		return PF_OK;
	}
	if (fold_is_lost(s->fold, DST, why)) {
		slot_entry(s)->bits &= (uint16_t)~PF_ENTRY_BUSY;
		slot_release(s);
		return PF_OK;
	}
	if (why->number == PF_EV_TARGET_FULL) {
		return target_is_full(s, ev->failed.grouped, why, err);
	}
	if (ev->failed.grouped && s->body) {
		s->form = s->form > TRY_ALONE ? s->form : TRY_ALONE;
		ready_again(s, 0);
		return PF_OK;
	}
	if (why->scope >= PF_SCOPE_FOLDER && why->retry == PF_RETRY_NO) {
		*err = *why;
		err->scope = PF_SCOPE_FOLDER;
		return PF_FAIL;
	}
	if (why->retry != PF_RETRY_NO) {
		return try_later(s, why, err);
	}
	return try_otherwise(s, why, err);
}

/* ---- the source's no ---- */

/* What could be had of an item that can't be had whole; never in place of bytes that an earlier run
 * kept. */
static int quarantine_rest(struct pf_fold *f, struct pf_entry *e, struct pf_span rest,
	const char *why, struct pf_err *err)
{
	struct pf_blob *body = NULL;
	int fd = -1, rc = PF_END;

	if (rest.n > 0) {
		if (open_quarantine(f->job, err) != PF_OK) {
			return PF_FAIL;
		}
		rc = pf_quarantine_read(f->job->quarantine, &f->src, e->src_id, &fd, err);
	}
	if (rc == PF_OK) {
		(void)close(fd);
	} else if (rc != PF_END) {
		return rc;
	} else if (rest.n > 0) {
		body = pf_blob_new(rest.n);
		if (!body) {
			return pf_fail_memory(err, "an item");
		}
		memcpy(body->bytes, rest.p, rest.n);
	}
	return quarantine_entry(f, e, body, why, err);
}

int refuse_get(struct pf_slot *s, const struct pf_store_event *ev, struct pf_err *err)
{
	const struct pf_err *why = &ev->failed.why;
	struct pf_fold *f = s->fold;
	struct pf_entry *e = slot_entry(s);
	char text[400];

	if (why->scope >= PF_SCOPE_RUN) {
		*err = *why;
		return PF_FAIL;
	}
	if (s->state == SLOT_PUTTING || s->state == SLOT_READY) {
		return PF_OK; /* the body is here: what comes after it does not matter */
	}
	if (fold_is_stale(f, why) ||
		fold_is_lost(f, SRC, why)) { /* all that is not put is given up by the next step */
		e->bits &= (uint16_t)~PF_ENTRY_BUSY;
		slot_release(s);
		return PF_OK;
	}
	if (why->scope >= PF_SCOPE_FOLDER && why->retry == PF_RETRY_NO) {
		*err = *why;
		err->scope = PF_SCOPE_FOLDER;
		return PF_FAIL;
	}
	if (ev->failed.missing) {
		e->bits |= PF_ENTRY_MISSING; /* and busy: not asked for again */
		f->missing++;
		slot_release(s);
		return PF_OK;
	}
	if (fold_source_gives_nothing(f, why)) {
		ask_again(s, f->not_before_ms);
		return PF_OK;
	}
	if (why->retry != PF_RETRY_NO && ++e->attempts <= TRIES_MAX) {
		ask_again(s, when_again(f, e, SRC, why));
		return PF_OK;
	}
	slot_release(s);
	if (why->retry != PF_RETRY_NO) {
		return leave_open(f, e, why->text, err);
	}
	job_event(
		f->job, why->number ? why->number : PF_EV_ITEM_NOT_RETURNED, f, e, "%s", why->text);
	(void)snprintf(text, sizeof(text), "the source can't give it: %.350s", why->text);
	return quarantine_rest(f, e, ev->failed.rest, text, err);
}

int missing_settle(struct pf_fold *f, struct pf_err *err)
{
	fold_mark_gone(f);
	f->missing = 0;
	for (size_t i = 0; i < f->rows.n; i++) {
		struct pf_entry *e = &f->rows.v[i];
		int rc;

		if (!(e->bits & PF_ENTRY_MISSING)) {
			continue;
		}
		e->bits &= (uint16_t) ~(PF_ENTRY_MISSING | PF_ENTRY_BUSY);
		if (e->bits & PF_ENTRY_GONE) {
			e->state = PF_ROW_DONE;
			e->verdict = PF_VERDICT_VANISHED;
			job_event(f->job, PF_EV_ITEM_VANISHED, f, e,
				"the source removed it meanwhile");
			rc = pf_rows_save(e, f->job->cfg->ledger, f->row_id,
				"removed at the source meanwhile", err);
		} else {
			job_event(f->job, PF_EV_ITEM_NOT_RETURNED, f, e,
				"the source lists it, but does not return it");
			rc = quarantine_entry(f, e, NULL,
				"the source lists it, but did not return it when asked, also alone",
				err);
		}
		if (rc != PF_OK) {
			return rc;
		}
	}
	return fold_save_new(f, err);
}
