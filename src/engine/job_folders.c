/*
 * Both folder lists, and the mapping between them.
 */
#include "engine/fold_private.h"
#include "engine/names.h"
#include "model/role.h"

#include <stdio.h>
#include <stdlib.h>

enum { ID_MAX = 65536, LOOKS_MAX = 1 << 20 };

/* ---- lists ---- */

static void free_known(struct pf_known_folder *k)
{
	pf_path_deinit(&k->path);
	pf_buf_deinit(&k->words);
	pf_buf_deinit(&k->id);
	pf_buf_deinit(&k->cursor);
}

/* A list that broke off says nothing: the next one is taken from its start. */
static void forget_known(struct pf_side *side)
{
	for (size_t i = 0; i < side->n; i++) {
		free_known(&side->folders[i]);
	}
	side->n = 0;
}

static int ask_folders(struct pf_job *job, enum pf_side_no side, struct pf_err *err)
{
	struct pf_op op = {
		.kind = PF_OP_FOLDERS,
		.id = op_id(USE_FOLDERS, 0, 0),
		.folders = {.states = true, .shared = side == SRC && job->cfg->rules->shared},
	};

	job->side[side].ask_at_ms = 0;
	forget_known(&job->side[side]);
	if (job_submit(job, side, &op, err) != PF_OK) {
		return pf_wrap(
			err, "listing the folders of the %s", side == SRC ? "source" : "target");
	}
	return PF_OK;
}

int job_folders_begin(struct pf_job *job, struct pf_err *err)
{
	return ask_folders(job, SRC, err) == PF_OK ? ask_folders(job, DST, err) : PF_FAIL;
}

static int copy_looks(
	struct pf_known_folder *k, const struct pf_folder_looks *looks, struct pf_err *err)
{
	const struct pf_span from[] = {looks->colour, looks->description, looks->timezone};
	struct pf_span *const to[] = {&k->looks.colour, &k->looks.description, &k->looks.timezone};
	size_t n = 0;

	k->looks = *looks;
	pf_buf_init(&k->words, LOOKS_MAX);
	for (size_t i = 0; i < PF_COUNT(from); i++) {
		if (pf_buf_add(&k->words, from[i], err) != PF_OK) {
			return PF_FAIL;
		}
	}
	for (size_t i = 0; i < PF_COUNT(from); i++) { /* now that the buffer stays where it is */
		*to[i] = from[i].p ? pf_span(k->words.p + n, from[i].n) : from[i];
		n += from[i].n;
	}
	return PF_OK;
}

static int add_known(struct pf_side *side, const struct pf_folder *f, struct pf_err *err)
{
	struct pf_known_folder *k;

	if (side->n == side->cap) {
		size_t cap = side->cap ? side->cap * 2 : 64;
		struct pf_known_folder *grown = realloc(side->folders, cap * sizeof(*grown));

		if (!grown) {
			return pf_fail_memory(err, "a list of folders");
		}
		side->folders = grown;
		side->cap = cap;
	}
	k = &side->folders[side->n];
	*k = (struct pf_known_folder){
		.kind = f->kind,
		.kinds = f->kinds ? f->kinds : (uint32_t)f->kind,
		.role = f->role,
		.role_by_name = f->role_by_name,
		.selectable = f->selectable,
		.subscribed = f->subscribed,
		.doubtful = f->doubtful,
		.others_only = f->others_only,
		.has_state = f->has_state,
		.validity = f->state.validity,
		.next = f->state.next,
		.count = f->state.count,
	};
	pf_buf_init(&k->id, ID_MAX);
	pf_buf_init(&k->cursor, ID_MAX);
	side->n++;
	if (copy_looks(k, &f->looks, err) != PF_OK ||
		pf_path_copy(&k->path, &f->path, err) != PF_OK ||
		pf_buf_add(&k->id, f->id, err) != PF_OK ||
		(f->has_state && pf_buf_add(&k->cursor, f->state.cursor, err) != PF_OK)) {
		return PF_FAIL;
	}
	return PF_OK;
}

/* Where several have one path they are in the same order each time. */
static int by_path(const void *a, const void *b)
{
	const struct pf_known_folder *x = a, *y = b;
	int d = pf_path_cmp(&x->path, &y->path);

	return d != 0 ? d : pf_span_cmp(pf_buf_span(&x->id), pf_buf_span(&y->id));
}

/* ---- what the ledger is told ---- */

int fold_save(struct pf_fold *f, struct pf_err *err)
{
	struct pf_ledger_folder row = {
		.id = f->row_id,
		.src_path = pf_path_bytes(&f->src),
		.src_id = pf_buf_span(&f->src_id),
		.kind = f->kind,
		.role = f->role,
		.src_validity = f->src_validity,
		.dst_validity = f->dst_validity,
		.dst_mark = f->dst_mark,
		.note = f->note[0] ? pf_span_str(f->note) : pf_span(NULL, 0),
	};
	int rc;

	if (f->dst.n > 0) {
		row.dst_path = pf_path_bytes(&f->dst);
	}
	if (f->dst_exists) {
		row.dst_id = pf_buf_span(&f->dst_id);
	}
	if (f->old_cursor.n > 0) {
		row.src_cursor = pf_buf_span(&f->old_cursor);
	}
	if (f->failed || f->incomplete) {
		row.verdict = PF_VERDICT_QUARANTINED;
	} else if (f->skipped) {
		row.verdict = PF_VERDICT_SKIPPED;
	} else if (f->dst_exists) {
		row.verdict = PF_VERDICT_COPIED;
	}
	rc = pf_ledger_folder_put(f->job->cfg->ledger, f->job->cfg->account, &row, err);
	f->row_id = row.id;
	return rc;
}

int fold_list_all_next(struct pf_fold *f, struct pf_err *err)
{
	if (f->old_cursor.n == 0 || !job_keeps(f->job)) {
		return PF_OK;
	}
	pf_buf_clear(&f->old_cursor);
	return fold_save(f, err);
}

/* A folder without mail of its own gets none at the target, unless an earlier pass gave it one. */
static void leave_out_others(struct pf_job *job)
{
	for (size_t i = 0; i < job->fold_count; i++) {
		struct pf_fold *f = &job->folds[i];

		if (job->side[SRC].folders[i].others_only && !f->skipped && !f->nowhere &&
			!f->settled) {
			(void)snprintf(f->note, sizeof(f->note),
				"all that it holds are items of Exchange in mail's form, which go "
				"as what they are");
			f->skipped = true;
		}
	}
}

/* ---- the mapping ---- */

static void init_fold(struct pf_job *job, size_t i)
{
	struct pf_fold *f = &job->folds[i];

	f->job = job;
	f->index = i;
	f->src_folder = i;
	pf_buf_init(&f->src_id, ID_MAX);
	pf_buf_init(&f->dst_id, ID_MAX);
	pf_buf_init(&f->old_cursor, ID_MAX);
	pf_buf_init(&f->new_cursor, ID_MAX);
	pf_buf_init(&f->permitted_kw, ID_MAX);
	pf_rows_init(&f->rows);
	pf_rows_init(&f->void_rows);
	pf_arena_init(&f->gone_arena);
}

/* Folders of kinds that go elsewhere. */
static void drop_others(const struct pf_job *job, struct pf_side *src)
{
	size_t n = 0;

	for (size_t i = 0; i < src->n; i++) {
		if (job->cfg->kinds && !(job->cfg->kinds & src->folders[i].kinds)) {
			free_known(&src->folders[i]);
		} else {
			src->folders[n++] = src->folders[i];
		}
	}
	src->n = n;
}

/* Where the target has a calendar that people see first, the source's goes there that is called as
 * such ones are. Of mail each store has its own way to tell. */
static void guess_role(struct pf_known_folder *k)
{
	if (k->role == PF_ROLE_NONE && pf_path_depth(&k->path) == 1) {
		k->role = pf_role_of_kind(k->kind, pf_path_leaf(&k->path));
		k->role_by_name = k->role != PF_ROLE_NONE;
	}
}

static int make_folds(struct pf_job *job, struct pf_err *err)
{
	struct pf_side *src = &job->side[SRC];
	char why[200];

	drop_others(job, src);
	if (src->n > 1) {
		qsort(src->folders, src->n, sizeof(*src->folders), by_path);
	}
	job->folds = calloc(src->n + 1, sizeof(*job->folds));
	if (!job->folds) {
		return pf_fail_memory(err, "the folders of an account");
	}
	for (size_t i = 0; i < src->n; i++) {
		struct pf_known_folder *k = &src->folders[i];
		struct pf_fold *f = &job->folds[i];

		init_fold(job, i);
		job->fold_count++;
		guess_role(k);
		f->kind = k->kind;
		f->role = k->role;
		f->selectable = k->selectable;
		f->subscribe = k->subscribed;
		pf_path_show(&k->path, f->shown, sizeof(f->shown));
		if (pf_path_copy(&f->src, &k->path, err) != PF_OK ||
			pf_buf_add(&f->src_id, pf_buf_span(&k->id), err) != PF_OK) {
			return PF_FAIL;
		}
		if (job->cfg->rules->kinds && !(job->cfg->rules->kinds & k->kinds)) {
			(void)snprintf(f->note, sizeof(f->note), "--kinds");
			f->skipped = true;
		} else if (pf_rules_skip_folder(job->cfg->rules, &f->src, why, sizeof(why))) {
			(void)snprintf(f->note, sizeof(f->note), "%s", why);
			f->skipped = true;
		} else if (labels_skip_folder(job, f->role)) {
			(void)snprintf(
				f->note, sizeof(f->note), "%s", labels_skip_folder(job, f->role));
			f->skipped = true;
		} else if (!(job_facts(job, DST)->kinds & k->kinds)) {
			f->nowhere = true;
			(void)fold_nowhere_why(f, f->note, sizeof(f->note));
		}
	}
	return labels_begin(job, err);
}

/* A mere container comes to be with its children; only an empty one is made for its own sake. */
static bool has_children(const struct pf_fold *f)
{
	for (size_t i = f->index + 1; i < f->job->fold_count; i++) {
		const struct pf_fold *o = &f->job->folds[i];

		if (!pf_path_is_under(&o->src, &f->src)) {
			return false; /* folds are in the order of their paths */
		}
		if (!o->skipped && !o->nowhere) {
			return true;
		}
	}
	return false;
}

/* What the source shows as mail and is none is never passed on in silence. */
static void tell_of_others(struct pf_fold *f)
{
	if (f->row_id == 0 && f->selectable && job_has_cap(f->job, SRC, PF_CAP_SHOWS_OTHERS) &&
		pf_path_depth(&f->src) == 1 && pf_is_name_of_others(pf_path_leaf(&f->src))) {
		job_event(f->job, PF_EV_FOLDER_OF_OTHERS, f, NULL,
			"by its name it holds no mail: what comes of its items are texts");
	}
}

/* The plan's answer for one folder. */
static int settle_name(struct pf_fold *f, struct pf_name_out *out, struct pf_err *err)
{
	struct pf_side *dst = &f->job->side[DST];
	struct pf_known_folder *k = NULL;

	if (pf_path_copy(&f->dst, &out->to, err) != PF_OK) {
		return PF_FAIL;
	}
	pf_path_show(&f->dst, f->shown_dst, sizeof(f->shown_dst));
	f->renamed = !pf_path_eq(&f->src, &f->dst);
	if (out->note[0]) {
		(void)snprintf(f->note, sizeof(f->note), "%s", out->note);
	}
	if (f->renamed && f->row_id == 0) {
		job_event(f->job, PF_EV_FOLDER_MAPPED, f, NULL, "goes to %s (%s)", f->shown_dst,
			f->note[0] ? f->note : "its parent goes there");
	}
	tell_of_others(f);
	if (out->existing == SIZE_MAX) {
		f->needs_making = f->selectable || !has_children(f);
		f->dst_validity = 0;
		f->dst_mark = 0;
		f->needs_subscribing = f->subscribe && job_has_cap(f->job, DST, PF_CAP_SUBSCRIBE);
		return PF_OK;
	}
	k = &dst->folders[out->existing];
	f->needs_subscribing =
		f->subscribe && !k->subscribed && job_has_cap(f->job, DST, PF_CAP_SUBSCRIBE);
	f->needs_making = f->selectable && !k->selectable;
	if (f->needs_making) {
		return PF_OK;
	}
	f->dst_exists = true;
	f->dst_count = k->count;
	if (k->has_state) {
		f->dst_next = k->next;
		f->dst_validity_new = f->dst_validity != 0 && k->validity != f->dst_validity;
	}
	return pf_buf_add(&f->dst_id, pf_buf_span(&k->id), err);
}

static int run_plan(struct pf_job *job, struct pf_name_in *in, struct pf_name_out *out,
	struct pf_name_target *targets, struct pf_err *err)
{
	struct pf_side *dst = &job->side[DST];
	const struct pf_names_cfg cfg = {job->cfg->rules, job_facts(job, DST), targets, dst->n};
	size_t n = 0;
	int rc;

	for (size_t t = 0; t < dst->n; t++) {
		targets[t] = (struct pf_name_target){&dst->folders[t].path, dst->folders[t].role,
			dst->folders[t].role_by_name, dst->folders[t].selectable,
			dst->folders[t].kinds};
	}
	for (size_t i = 0; i < job->fold_count; i++) {
		const struct pf_known_folder *k = &job->side[SRC].folders[i];
		struct pf_fold *f = &job->folds[i];

		if (!f->skipped && !f->nowhere) {
			in[n++] = (struct pf_name_in){&f->src, k->role, k->role_by_name,
				f->dst.n > 0 ? &f->dst : NULL, k->kinds};
		}
	}
	rc = pf_names_plan(&cfg, in, n, out, err);
	n = 0;
	for (size_t i = 0; i < job->fold_count && rc == PF_OK; i++) {
		if (!job->folds[i].skipped && !job->folds[i].nowhere) {
			rc = settle_name(&job->folds[i], &out[n++], err);
		}
	}
	pf_names_free(out, n);
	return rc;
}

static int map_folders(struct pf_job *job, struct pf_err *err)
{
	size_t n = job->fold_count + 1;
	struct pf_name_in *in = calloc(n, sizeof(*in));
	struct pf_name_out *out = calloc(n, sizeof(*out));
	struct pf_name_target *targets = calloc(job->side[DST].n + 1, sizeof(*targets));
	int rc = PF_FAIL;

	if (in && out && targets) {
		rc = run_plan(job, in, out, targets, err);
	} else {
		(void)pf_fail_memory(err, "the mapping of folders");
	}
	free(in);
	free(out);
	free(targets);
	return rc;
}

/* ---- folders that go to the same place ---- */

static int by_place(const void *a, const void *b)
{
	const struct pf_fold *const *x = a, *const *y = b;

	return pf_path_cmp(&(*x)->dst, &(*y)->dst);
}

/* Most folders share their place with no other; so these few are marked, and not looked for. */
static int mark_shared(struct pf_job *job, struct pf_err *err)
{
	struct pf_fold **v = calloc(job->fold_count + 1, sizeof(struct pf_fold *));

	if (!v) {
		return pf_fail_memory(err, "the mapping of folders");
	}
	for (size_t i = 0; i < job->fold_count; i++) {
		v[i] = &job->folds[i];
	}
	qsort(v, job->fold_count, sizeof(struct pf_fold *), by_place);
	for (size_t i = 1; i < job->fold_count; i++) {
		if (by_place(&v[i - 1], &v[i]) == 0) {
			v[i - 1]->shares_place = true;
			v[i]->shares_place = true;
		}
	}
	free(v);
	return PF_OK;
}

/*
 * Nothing to do in a folder when the source shows the state that the last complete pass left, the
 * target's folder is still the same one, and no item is open.
 */
static bool nothing_to_do(const struct pf_fold *f)
{
	const struct pf_job *job = f->job;
	const struct pf_known_folder *k = &job->side[SRC].folders[f->src_folder];

	if (job->cfg->mode == PF_JOB_RETRY) {
		return f->open_before == 0 && f->refused_before == 0;
	}
	/* What left the source in an earlier pass shows only in a whole listing. */
	return job->cfg->mode == PF_JOB_COPY && !job->cfg->mirror && f->dst_exists &&
	       !labels_may_change(f) && !f->dst_validity_new && f->open_before == 0 &&
	       k->has_state && f->old_cursor.n > 0 && job_has_cap(job, SRC, PF_CAP_CURSOR_FLAGS) &&
	       pf_span_eq(pf_buf_span(&f->old_cursor), pf_buf_span(&k->cursor));
}

/* Once more, where it may pass: without its folders nothing can be said of an account. */
static int not_listed(
	struct pf_job *job, enum pf_side_no side, const struct pf_err *why, struct pf_err *err)
{
	struct pf_side *s = &job->side[side];

	if (why->retry != PF_RETRY_NO && s->asked++ < LIST_TRIES_MAX) {
		s->ask_at_ms = job->now.ms + job_pause_ms(job, s->asked, why);
		return PF_OK;
	}
	*err = *why;
	if (s->ready) {
		(void)pf_wrap(err, "listing the folders");
	}
	return job_lose(job, side, err, err);
}

int job_folders_step(struct pf_job *job, struct pf_err *err)
{
	for (int s = 0; s < 2; s++) {
		int64_t at = job->side[s].ask_at_ms;

		if (at > 0 && at <= job->now.ms &&
			ask_folders(job, (enum pf_side_no)s, err) != PF_OK) {
			return PF_FAIL;
		}
	}
	if (!job->side[SRC].listed || !job->side[DST].listed) {
		return PF_AGAIN;
	}
	if (job_keeps(job) && pf_ledger_pass_begin(job->cfg->ledger, job->cfg->account,
				      job->now.utc_s, &job->pass, err) != PF_OK) {
		return PF_FAIL;
	}
	if (make_folds(job, err) != PF_OK ||
		(job->cfg->ledger && job_known_read(job, err) != PF_OK)) {
		return PF_FAIL;
	}
	leave_out_others(job);
	if (map_folders(job, err) != PF_OK || mark_shared(job, err) != PF_OK) {
		return PF_FAIL;
	}
	for (size_t i = 0; i < job->fold_count; i++) {
		struct pf_fold *f = &job->folds[i];

		f->unchanged = !f->skipped && nothing_to_do(f);
		for (size_t v = 0; f->unchanged && v < PF_VERDICT_COUNT; v++) {
			job->progress.items += f->sums_items[v];
			job->progress.items_done += f->sums_items[v];
		}
		if (job_keeps(job) && !f->unchanged && fold_save(f, err) != PF_OK) {
			return PF_FAIL;
		}
	}
	job->progress.folders = job->fold_count;
	return PF_OK;
}

int job_folders_event(struct pf_job *job, enum pf_side_no side, const struct pf_store_event *ev,
	struct pf_err *err)
{
	struct pf_side *s = &job->side[side];
	struct pf_fold *f = op_fold(ev->op) < job->fold_count ? &job->folds[op_fold(ev->op)] : NULL;
	int rc = PF_OK;

	if (op_use(ev->op) == USE_FOLDERS) {
		if (ev->kind == PF_STORE_FOLDER) {
			return add_known(s, ev->folder, err);
		}
		s->listed = ev->kind == PF_STORE_DONE;
		return ev->kind == PF_STORE_FAILED ? not_listed(job, side, &ev->failed.why, err)
						   : PF_OK;
	}
	if (!f || (ev->kind != PF_STORE_DONE && ev->kind != PF_STORE_FAILED)) {
		return PF_OK;
	}
	rc = job_make_event(f, ev, err);
	if (rc == PF_FAIL && err->scope <= PF_SCOPE_FOLDER) {
		fold_fail(f, err);
		return PF_OK;
	}
	return rc;
}

void job_folders_free(struct pf_job *job)
{
	free(job->by_id);
	job->by_id = NULL;
	for (size_t i = 0; i < job->fold_count; i++) {
		struct pf_fold *f = &job->folds[i];

		fold_free_work(f);
		for (size_t g = 0; g < f->gone_n; g++) {
			pf_quarantine_abort(&f->gone[g].file);
		}
		free(f->gone);
		pf_arena_deinit(&f->gone_arena);
		pf_path_deinit(&f->src);
		pf_path_deinit(&f->dst);
		pf_path_deinit(&f->refused);
		pf_buf_deinit(&f->src_id);
		pf_buf_deinit(&f->dst_id);
		pf_buf_deinit(&f->old_cursor);
		pf_buf_deinit(&f->new_cursor);
	}
	free(job->folds);
	job->folds = NULL;
	job->fold_count = 0;
	pf_names_taken_free(&job->taken);
	for (int s = 0; s < 2; s++) {
		forget_known(&job->side[s]);
		free(job->side[s].folders);
	}
}
