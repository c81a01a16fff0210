/*
 * Making what is missing at the target, and subscribing to it; other names for folders whose own
 * the target refuses, or takes for that of another.
 */
#include "engine/fold_private.h"

#include <stdio.h>

enum { NAMES_MAX = 2 }; /* other names that are offered for a refused one */

/* ---- asking ---- */

static int subscribe(struct pf_fold *f, struct pf_err *err)
{
	struct pf_op op = {
		.kind = PF_OP_SUBSCRIBE,
		.id = op_id(USE_SUBSCRIBE, f->index, 0),
		.folder = pf_buf_span(&f->dst_id),
	};
	int rc = job_submit(f->job, DST, &op, err);

	if (rc == PF_OK) {
		f->needs_subscribing = false;
		f->job->making++;
	}
	return rc;
}

static int make_one(struct pf_fold *f, struct pf_err *err)
{
	const struct pf_known_folder *k = &f->job->side[SRC].folders[f->src_folder];
	struct pf_op op = {
		.kind = PF_OP_MKFOLDER,
		.id = op_id(USE_MKFOLDER, f->index, 0),
		.mkfolder =
			{
				.path = &f->dst,
				.role = f->role,
				.kinds = k->kinds,
				.looks = &k->looks,
			},
	};
	int rc = job_submit(f->job, DST, &op, err);

	if (rc == PF_OK) {
		f->needs_making = false;
		f->job->making++;
	}
	return rc;
}

static int step_one(struct pf_fold *f, struct pf_err *err)
{
	if (f->skipped || f->failed) {
		return PF_OK;
	}
	if (f->not_before_ms > f->job->now.ms) {
		f->job->make_again = f->job->make_again || f->needs_making;
		return PF_OK;
	}
	if (f->needs_making) {
		return make_one(f, err);
	}
	return f->needs_subscribing && f->dst_exists ? subscribe(f, err) : PF_OK;
}

int job_make_step(struct pf_job *job, struct pf_err *err)
{
	if (job->stopping) {
		return PF_OK;
	}
	while (job->make_next < job->fold_count) { /* by path: parents come before their children */
		int rc = step_one(&job->folds[job->make_next], err);

		if (rc == PF_FAIL && err->scope <= PF_SCOPE_FOLDER) {
			fold_fail(&job->folds[job->make_next], err);
			rc = PF_OK;
		}
		if (rc != PF_OK) {
			return rc;
		}
		job->make_next++;
	}
	if (job->make_again) {
		job->make_again = false;
		job->make_next = 0;
	}
	return PF_OK;
}

/* ---- other names ---- */

/* This one has got another place: does another folder go there? */
static void mark_shared_with(struct pf_fold *f)
{
	for (size_t i = 0; i < f->job->fold_count; i++) {
		struct pf_fold *o = &f->job->folds[i];

		if (o != f && pf_path_eq(&o->dst, &f->dst)) {
			o->shares_place = true;
			f->shares_place = true;
		}
	}
}

/* All names that are in use at the target, or are going to be. */
static int read_taken(struct pf_job *job, struct pf_err *err)
{
	struct pf_side *dst = &job->side[DST];
	bool was;

	for (size_t i = 0; i < job->fold_count; i++) {
		if (!job->folds[i].skipped &&
			pf_names_take(&job->taken, &job->folds[i].dst, &was, err) != PF_OK) {
			return PF_FAIL;
		}
	}
	for (size_t i = 0; i < dst->n; i++) {
		if (pf_names_take(&job->taken, &dst->folders[i].path, &was, err) != PF_OK) {
			return PF_FAIL;
		}
	}
	return PF_OK;
}

/* `next` gives one name after the other: the first that is free. *found false: there is none. */
static int free_name(struct pf_fold *f, bool (*next)(struct pf_path *, const char *, unsigned int),
	bool *found, struct pf_err *err)
{
	struct pf_job *job = f->job;
	bool taken = true;

	if (job->taken.count == 0 && read_taken(job, err) != PF_OK) {
		return PF_FAIL;
	}
	while (taken && next(&f->dst, pf_path_leaf(&f->refused), ++f->name_tries)) {
		if (pf_names_take(&job->taken, &f->dst, &taken, err) != PF_OK) {
			return PF_FAIL;
		}
	}
	*found = !taken;
	return PF_OK;
}

static void goes_elsewhere(struct pf_fold *f, const char *note)
{
	mark_shared_with(f);
	pf_path_show(&f->dst, f->shown_dst, sizeof(f->shown_dst));
	f->renamed = true;
	f->needs_making = true;
	f->job->make_again = true;
	(void)snprintf(f->note, sizeof(f->note), "%s", note);
	job_event(f->job, PF_EV_FOLDER_MAPPED, f, NULL, "goes to %s (%s)", f->shown_dst, f->note);
}

/* A folder that this one lies in was refused, and got another name: this one belongs below that. */
static int follow_parent(struct pf_fold *f, bool *moved, struct pf_err *err)
{
	const struct pf_fold *above = NULL;
	struct pf_path to = {0};
	int rc;

	*moved = false;
	for (size_t i = f->index; i-- > 0 && !above;) {
		const struct pf_fold *o = &f->job->folds[i];

		above = o->refused.n > 0 && o->refused.n < f->dst.n &&
					pf_path_is_under(&f->dst, &o->refused)
				? o
				: NULL;
	}
	if (!above || f->refused.n > 0) {
		return PF_OK;
	}
	rc = pf_path_copy(&to, &above->dst, err);
	for (size_t i = pf_path_depth(&above->refused); rc == PF_OK && pf_path_segment(&f->dst, i);
		i++) {
		rc = pf_path_add(&to, pf_span_str(pf_path_segment(&f->dst, i)), err);
	}
	rc = rc == PF_OK ? pf_path_copy(&f->dst, &to, err) : rc;
	pf_path_deinit(&to);
	*moved = rc == PF_OK;
	return rc;
}

/* The target will not have the name: below a renamed parent, or a plainer one. */
static int other_name(struct pf_fold *f, const struct pf_err *why, bool *found, struct pf_err *err)
{
	char note[200];

	if (follow_parent(f, found, err) != PF_OK) {
		return PF_FAIL;
	}
	if (*found) {
		goes_elsewhere(f, "its parent goes there");
		return PF_OK;
	}
	if (f->names_refused++ >= NAMES_MAX) {
		return PF_OK;
	}
	if (f->refused.n == 0 && pf_path_copy(&f->refused, &f->dst, err) != PF_OK) {
		return PF_FAIL;
	}
	if (free_name(f, pf_names_next, found, err) != PF_OK) {
		return PF_FAIL;
	}
	if (*found) {
		(void)snprintf(
			note, sizeof(note), "the target refused its name: %.120s", why->text);
		goes_elsewhere(f, note);
	}
	return PF_OK;
}

/*
 * The target says that the folder is there, and did not list it: is there one of nearly this name?
 * Then it takes the two names for one, as a server does that folds case or normalises.
 */
static int is_another(struct pf_fold *f, bool *moved, struct pf_err *err)
{
	struct pf_job *job = f->job;
	struct pf_side *dst = &job->side[DST];

	*moved = false;
	for (size_t i = 0; !f->settled && i < job->fold_count; i++) {
		const struct pf_fold *o = &job->folds[i];

		if (o == f || o->skipped || o->failed || pf_path_eq(&o->dst, &f->dst) ||
			!pf_names_alike(&o->dst, &f->dst)) {
			continue;
		}
		f->name_tries = 1;
		if (pf_path_copy(&f->refused, &f->dst, err) != PF_OK ||
			free_name(f, pf_names_number, moved, err) != PF_OK) {
			return PF_FAIL;
		}
		if (*moved) {
			goes_elsewhere(f, "to the target its name is that of another folder");
		}
		return PF_OK;
	}
	for (size_t i = 0; i < dst->n; i++) {
		if (pf_names_alike(&dst->folders[i].path, &f->dst)) { /* it is this one */
			pf_buf_clear(&f->dst_id);
			pf_path_show(&dst->folders[i].path, f->shown_dst, sizeof(f->shown_dst));
			if (pf_path_copy(&f->dst, &dst->folders[i].path, err) != PF_OK) {
				return PF_FAIL;
			}
			return pf_buf_add(&f->dst_id, pf_buf_span(&dst->folders[i].id), err);
		}
	}
	return PF_OK;
}

/* ---- answers ---- */

static int made(struct pf_fold *f, const struct pf_store_event *ev, struct pf_err *err)
{
	bool moved = false;

	pf_buf_clear(&f->dst_id);
	if (pf_buf_add(&f->dst_id, ev->id, err) != PF_OK ||
		(ev->existed && is_another(f, &moved, err) != PF_OK)) {
		return PF_FAIL;
	}
	if (moved) {
		return PF_OK;
	}
	f->dst_exists = true;
	if ((job_keeps(f->job) && fold_save(f, err) != PF_OK)) {
		return PF_FAIL;
	}
	if (f->needs_subscribing && !f->job->stopping) {
		int rc = subscribe(f, err);

		if (rc == PF_FAIL) {
			return rc;
		}
		f->job->make_again = f->job->make_again || rc == PF_AGAIN;
	}
	return f->state == FOLD_MAKING ? fold_begin_listing(f, err) : PF_OK;
}

/* A refused name gets another one; what may pass is tried again; else the folder has no place. */
static int not_made(struct pf_fold *f, const struct pf_store_event *ev, struct pf_err *err)
{
	const struct pf_err *why = &ev->failed.why;
	bool again = ev->failed.in_doubt || why->retry != PF_RETRY_NO, found = false;

	if (again && f->list_tries++ < LIST_TRIES_MAX) {
		f->not_before_ms = f->job->now.ms + job_pause_ms(f->job, f->list_tries, why);
		f->needs_making = true;
		f->job->make_again = true;
		return PF_OK;
	}
	if (!again && other_name(f, why, &found, err) != PF_OK) {
		return PF_FAIL;
	}
	if (found) {
		return PF_OK;
	}
	job_event(f->job, PF_EV_FOLDER_NOT_CREATED, f, NULL, "%s", why->text);
	*err = *why;
	err->scope = PF_SCOPE_FOLDER;
	return pf_wrap(err, "the folder could not be made at the target");
}

int job_make_event(struct pf_fold *f, const struct pf_store_event *ev, struct pf_err *err)
{
	f->job->making--;
	if (op_use(ev->op) != USE_SUBSCRIBE) {
		return ev->kind == PF_STORE_DONE ? made(f, ev, err) : not_made(f, ev, err);
	}
	if (ev->kind == PF_STORE_FAILED) {
		job_event(f->job, PF_EV_FEATURE_OFF, f, NULL, "not subscribed at the target: %s",
			ev->failed.why.text);
	}
	return PF_OK;
}
