/*
 * One folder whose items carry identifiers of their own, from its listing to its end.
 *
 *   LISTING -> READING -> PROBING -> WRITING -> CONFIRMING -> LOOKING -> OVER
 *              -> CHECKING -> READING
 *           +-> VERIFYING -> OVER
 */
#include "engine/keyed_private.h"

#include "base/utf8.h"

#include <stdio.h>
#include <stdlib.h>

enum { ROUNDS_MAX = 3 }; /* of a folder that is looked at anew, as items are in doubt */

void keyed_close_doc(struct pf_fold *f, struct keyed_doc *d)
{
	if (d->native) {
		f->job->bytes_in_flight -= d->native->n;
	}
	pf_blob_unref(&d->native);
	f->keyed->codec->free(&d->open);
}

void keyed_free(struct pf_fold *f)
{
	struct pf_keyed *k = f->keyed;

	if (!k) {
		return;
	}
	for (size_t i = 0; i < k->doc_n; i++) {
		keyed_close_doc(f, &k->doc[i]);
	}
	for (size_t i = 0; i < k->task_n; i++) {
		if (k->task[i].body) {
			f->job->bytes_in_flight -= k->task[i].body->n;
		}
		pf_blob_unref(&k->task[i].body);
	}
	pf_identity_free(&k->identity);
	free(k->row);
	free(k->by_key);
	free(k->doc);
	free(k->target);
	free(k->part);
	free(k->in_range);
	free(k->part_doc);
	free(k->id_rows);
	free(k->id_row_of);
	free(k->foreign);
	free(k->foreign_of);
	free(k->task);
	free(k->check);
	pf_arena_deinit(&k->arena);
	free(k);
	f->keyed = NULL;
}

struct pf_span keyed_skey(struct pf_span key)
{
	const uint8_t *nul = key.n > 0 ? memchr(key.p, 0, key.n) : NULL;

	return nul ? pf_span(key.p, (size_t)(nul - key.p)) : key;
}

void keyed_event_log(struct pf_fold *f, int number, const struct keyed_row *r, const char *fmt, ...)
{
	struct pf_entry e = {.src_id = keyed_skey(r->key)};
	char text[500];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	job_event(f->job, number, f, &e, "%s", text);
}

int keyed_get(struct pf_fold *f, enum pf_side_no side, enum op_use use, size_t index,
	struct pf_span id, struct pf_err *err)
{
	struct pf_op op = {
		.kind = PF_OP_GET,
		.id = op_id(use, f->index, index),
		.folder = pf_buf_span(side == SRC ? &f->src_id : &f->dst_id),
		.item = id,
		.get = {.whole_max = KEYED_BODY_MAX,
			.native = use == USE_KEYED_SRC && f->keyed->state == KEYED_WRITING &&
				  job_moves_native(f->job)},
	};

	return job_submit(f->job, side, &op, err);
}

int keyed_begin(struct pf_fold *f, struct pf_err *err)
{
	struct pf_keyed *k = calloc(1, sizeof(*k));

	if (!k) {
		return pf_fail_memory(err, "a folder");
	}
	f->keyed = k;
	pf_arena_init(&k->arena);
	for (const struct pf_codec *const *c = f->job->cfg->codecs; c && *c; c++) {
		k->codec = (*c)->kinds & f->kind ? *c : k->codec;
	}
	if (!k->codec) {
		return pf_fail(err, PF_SCOPE_FOLDER, PF_RETRY_NO, "this version can't read %s",
			pf_kind_name(f->kind));
	}
	f->src_done = false;
	f->src_asked = false;
	f->dst_asked = false;
	f->dst_done = !f->dst_exists;
	return keyed_load(f, err);
}

/* ---- listings ---- */

static int ask_list(struct pf_fold *f, enum pf_side_no side, struct pf_err *err)
{
	struct pf_op op = {
		.kind = PF_OP_LIST,
		.id = op_id(side == SRC ? USE_LIST_SRC : USE_LIST_DST, f->index, 0),
		.folder = pf_buf_span(side == SRC ? &f->src_id : &f->dst_id),
	};
	int rc = job_submit(f->job, side, &op, err);

	if (rc == PF_OK) {
		*(side == SRC ? &f->src_asked : &f->dst_asked) = true;
	}
	return rc;
}

/* PF_OK: both are there. */
static int list_step(struct pf_fold *f, struct pf_err *err)
{
	int rc = PF_OK;

	if (f->not_before_ms > f->job->now.ms) {
		return PF_AGAIN;
	}
	if (!f->src_done && !f->src_asked) {
		rc = ask_list(f, SRC, err);
	}
	if (rc == PF_OK && !f->dst_done && !f->dst_asked) {
		rc = ask_list(f, DST, err);
	}
	return rc == PF_OK && !(f->src_done && f->dst_done) ? PF_AGAIN : rc;
}

static int list_ended(struct pf_fold *f, enum pf_side_no side, const struct pf_store_event *ev,
	struct pf_err *err)
{
	*(side == SRC ? &f->src_asked : &f->dst_asked) = false;
	if (ev->kind == PF_STORE_DONE) {
		*(side == SRC ? &f->src_done : &f->dst_done) = true;
		return PF_OK;
	}
	*err = ev->failed.why;
	if (err->retry == PF_RETRY_NO || f->list_tries++ >= LIST_TRIES_MAX) {
		err->scope = err->scope < PF_SCOPE_FOLDER ? PF_SCOPE_FOLDER : err->scope;
		return pf_wrap(err, "listing it at the %s", side == SRC ? "source" : "target");
	}
	if (f->keyed->state != KEYED_CHECKING) {
		*(side == SRC ? &f->keyed->doc_n : &f->keyed->target_n) = 0;
	}
	f->not_before_ms = f->job->now.ms + job_pause_ms(f->job, f->list_tries, err);
	return PF_OK;
}

static int list_event(struct pf_fold *f, enum pf_side_no side, const struct pf_store_event *ev,
	struct pf_err *err)
{
	switch (ev->kind) {
	case PF_STORE_STATE:
		if (side == DST || f->keyed->state == KEYED_CHECKING) {
			return PF_OK; /* what came since is for the next run */
		}
		pf_buf_clear(&f->new_cursor);
		return pf_buf_add(&f->new_cursor, ev->folder->state.cursor, err);
	case PF_STORE_ITEM:
		if (f->keyed->state == KEYED_CHECKING) {
			keyed_missing_listed(f->keyed, ev->item.id);
			return PF_OK;
		}
		return keyed_listed(f, side, &ev->item, err);
	case PF_STORE_DONE:
	case PF_STORE_FAILED:
		return list_ended(f, side, ev, err);
	default:
		return PF_OK;
	}
}

/* ---- states ---- */

/* Documents whose parts went with another item end as that one did. */
static int end_followers(struct pf_fold *f, struct pf_err *err)
{
	struct pf_keyed *k = f->keyed;

	for (size_t i = 0; i < k->row_n; i++) {
		struct keyed_row *r = &k->row[i];
		const struct keyed_row *leader = r->leader > 0 ? &k->row[r->leader - 1] : NULL;

		if (!leader || leader->verdict == PF_VERDICT_NONE) {
			continue;
		}
		r->verdict = leader->verdict;
		r->state = leader->verdict == PF_VERDICT_QUARANTINED ? PF_ROW_REFUSED : PF_ROW_DONE;
		r->dst_id = leader->dst_id;
		if (keyed_save(f, i, "an instance of a series that is kept elsewhere: joined to it",
			    err) != PF_OK) {
			return PF_FAIL;
		}
	}
	return PF_OK;
}

static bool has_open_rows(const struct pf_keyed *k)
{
	for (size_t i = 0; i < k->row_n; i++) {
		if (k->row[i].verdict == PF_VERDICT_NONE) {
			return true;
		}
	}
	return false;
}

static int finish(struct pf_fold *f, struct pf_err *err)
{
	struct pf_keyed *k = f->keyed;

	k->state = KEYED_OVER;
	if (!job_keeps(f->job)) {
		return PF_OK;
	}
	if (end_followers(f, err) != PF_OK) {
		return PF_FAIL;
	}
	pf_buf_clear(&f->old_cursor);
	return has_open_rows(k) ? PF_OK
				: pf_buf_add(&f->old_cursor, pf_buf_span(&f->new_cursor), err);
}

static int begin_writing(struct pf_fold *f, struct pf_err *err)
{
	struct pf_keyed *k = f->keyed;

	if (keyed_plan(f, err) != PF_OK) {
		return PF_FAIL;
	}
	for (size_t i = 0; i < k->doc_n; i++) {
		k->doc[i].bits &= (uint16_t)~KEYED_LOOK;
	}
	k->state = KEYED_WRITING;
	return PF_OK;
}

static int begin_probing(struct pf_fold *f, struct pf_err *err)
{
	struct pf_keyed *k = f->keyed;

	if (k->missing > 0 && job_keeps(f->job)) {
		keyed_missing_begin(f);
		return PF_AGAIN;
	}
	if (!job_writes(f->job)) { /* only what there is to do is asked for */
		return finish(f, err);
	}
	if (keyed_identify(f, err) != PF_OK || keyed_probe_begin(f, err) != PF_OK) {
		return PF_FAIL;
	}
	k->state = KEYED_PROBING;
	return PF_OK;
}

/* Documents of tasks that have ended since are still on their way. */
static bool is_opening(const struct pf_keyed *k)
{
	for (size_t i = 0; i < k->doc_n; i++) {
		if (k->doc[i].bits & KEYED_LOOK) {
			return true;
		}
	}
	return false;
}

/*
 * Both sides are listed anew: what was put and is in doubt is found by what it means, or is put
 * once more. What was counted of this round is taken back, as the next one counts all of it.
 */
static int begin_anew(struct pf_fold *f, struct pf_err *err)
{
	struct pf_job *job = f->job;
	const struct pf_err no_wish = {.retry = PF_RETRY_LATER};
	uint64_t docs = f->keyed->doc_n;
	unsigned int rounds = f->keyed->wrote ? 1 : f->keyed->rounds + 1;

	job->progress.items -= docs < job->progress.items ? docs : job->progress.items;
	job->progress.items_done -=
		docs < job->progress.items_done ? docs : job->progress.items_done;
	job->outcome.gone_from_source -= f->keyed->gone_told;
	f->gone_n = 0;
	f->gone_of = 0;
	keyed_free(f);
	f->not_before_ms = job->now.ms + job_pause_ms(job, rounds, &no_wish);
	if (keyed_begin(f, err) != PF_OK) {
		return PF_FAIL;
	}
	f->keyed->rounds = rounds;
	return PF_AGAIN;
}

static int begin_confirming(struct pf_fold *f, struct pf_err *err)
{
	if (f->keyed->unsure && f->keyed->rounds < ROUNDS_MAX && !f->job->stopping &&
		!f->job->target_full) {
		return is_opening(f->keyed) ? PF_AGAIN : begin_anew(f, err);
	}
	int rc = keyed_confirm_begin(f, err);

	f->keyed->state = KEYED_CONFIRMING;
	return rc == PF_END ? finish(f, err) : rc;
}

/* Some may have to be put once more. */
static int after_looking(struct pf_fold *f, struct pf_err *err)
{
	if (f->keyed->tasks_open == 0) {
		return finish(f, err);
	}
	f->keyed->state = KEYED_WRITING;
	return PF_AGAIN;
}

static int check_step(struct pf_fold *f, struct pf_err *err)
{
	int rc = list_step(f, err);

	return rc == PF_OK ? keyed_missing_settle(f, err) : rc;
}

int keyed_step(struct pf_fold *f, struct pf_err *err)
{
	struct pf_keyed *k = f->keyed;
	int rc = PF_OK;

	switch (k->state) {
	case KEYED_LISTING:
		rc = list_step(f, err);
		if (rc == PF_OK) {
			bool verify = f->job->cfg->mode == PF_JOB_VERIFY;

			k->state = verify ? KEYED_VERIFYING : KEYED_READING;
			rc = verify ? keyed_verify_begin(f, err) : keyed_match(f, err);
		}
		break;
	case KEYED_VERIFYING:
		rc = keyed_verify_step(f, err);
		k->state = rc == PF_OK ? KEYED_OVER : k->state;
		break;
	case KEYED_READING:
		rc = keyed_read_step(f, err);
		rc = rc == PF_OK ? begin_probing(f, err) : rc;
		break;
	case KEYED_CHECKING:
		rc = check_step(f, err);
		break;
	case KEYED_PROBING:
		rc = keyed_probe_step(f, err);
		rc = rc == PF_OK ? begin_writing(f, err) : rc;
		break;
	case KEYED_WRITING:
		rc = keyed_write_step(f, err);
		rc = rc == PF_OK ? begin_confirming(f, err) : rc;
		break;
	case KEYED_CONFIRMING:
		rc = list_step(f, err);
		if (rc == PF_OK) {
			rc = keyed_confirm_end(f, err);
			k->state = KEYED_LOOKING;
		}
		break;
	case KEYED_LOOKING:
		rc = keyed_look_step(f, err);
		rc = rc == PF_OK ? after_looking(f, err) : rc;
		break;
	case KEYED_OVER:
		return PF_OK;
	}
	return rc == PF_FAIL ? PF_FAIL : f->keyed->state == KEYED_OVER ? PF_OK : PF_AGAIN;
}

int keyed_event(struct pf_fold *f, enum pf_side_no side, const struct pf_store_event *ev,
	struct pf_err *err)
{
	struct pf_keyed *k = f->keyed;

	if (!k || k->state == KEYED_OVER) { /* of a folder that was given up */
		struct pf_blob *body = ev->kind == PF_STORE_BODY ? ev->body : NULL;

		pf_blob_unref(&body);
		return PF_OK;
	}
	switch (op_use(ev->op)) {
	case USE_LIST_SRC:
	case USE_LIST_DST:
		return list_event(f, side, ev, err);
	case USE_KEYED_SRC:
		return k->state == KEYED_WRITING   ? keyed_open_event(f, ev, err)
		       : k->state == KEYED_PROBING ? keyed_probe_event(f, ev, err)
						   : keyed_read_event(f, side, ev, err);
	case USE_KEYED_DST:
		return keyed_read_event(f, side, ev, err);
	case USE_KEYED_PUT:
	case USE_KEYED_MEET:
		return keyed_write_event(f, ev, err);
	case USE_KEYED_LOOK:
		return k->state == KEYED_VERIFYING ? keyed_verify_event(f, side, ev, err)
						   : keyed_look_event(f, ev, err);
	default:
		return PF_OK;
	}
}
