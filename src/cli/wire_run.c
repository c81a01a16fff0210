/*
 * The batch: accounts of the plan as rows of the scheduler, the run to the end of all of them, and
 * the sums.
 */
#include "cli/wire_private.h"

#include <stdlib.h>

enum {
	STOP_GRACE_MS = 6000, /* with the signing out, less than DESIGN's ten seconds */
	LOOK_EVERY_MS = 200,  /* for the screen */
	BEGIN_A_ROUND = 16,   /* accounts */
};

/* ---- servers and logins ---- */

/* A side of a row and the text by which it is grouped with others. */
struct member {
	struct pf_span key;
	const char *admin;
	size_t row, side;
};

/* "mail.example:143" of "imap://ann@mail.example:143/"; absent for files. */
static struct pf_span host_of(const char *identity)
{
	const char *s = strstr(identity, "://"), *at;
	size_t n;

	if (!s) {
		return pf_span(NULL, 0);
	}
	s += 3;
	n = strcspn(s, "/");
	at = memchr(s, '@', n);
	return at ? pf_span(at + 1, n - (size_t)(at + 1 - s)) : pf_span(s, n);
}

static int by_server(const void *a, const void *b)
{
	const struct member *x = a, *y = b;
	int c = pf_span_cmp(x->key, y->key);

	if (c == 0 && x->admin && y->admin) {
		c = strcmp(x->admin, y->admin);
	}
	return c != 0 ? c : (x->admin != NULL) - (y->admin != NULL);
}

static struct member *list_members(const struct pf_wire *w, size_t *n)
{
	struct member *m = calloc(2 * w->plan->row_n, sizeof(*m));

	*n = 0;
	for (size_t row = 0; m && row < w->plan->row_n; row++) {
		for (size_t side = 0; side < 2; side++) {
			const struct pf_plan_side *s = &w->plan->rows[row].side[side];
			const char *all = side == 0 ? w->set->from_admin : w->set->to_admin;
			struct pf_span key = host_of(s->identity);

			if (key.p) {
				m[(*n)++] =
					(struct member){key, s->admin ? s->admin : all, row, side};
			}
		}
	}
	if (m) {
		qsort(m, *n, sizeof(*m), by_server);
	}
	return m;
}

static size_t limit_of(const struct pf_wire *w, const struct member *m)
{
	size_t server = w->plan->rows[m->row].side[m->side].server;
	const struct pf_plan_server *s =
		server == PF_PLAN_NO_SERVER ? NULL : &w->plan->servers[server];

	return s && s->connections ? s->connections : SERVER_CONNECTIONS;
}

/* Number the servers and the administrators, in the batch and for each row. */
static int group(
	struct pf_wire *w, const struct member *m, size_t n, size_t (*login)[2], struct pf_err *err)
{
	size_t servers = 0, logins = 0;

	for (size_t i = 0; i < n; i++) {
		bool new_server = i == 0 || pf_span_cmp(m[i].key, m[i - 1].key) != 0;

		if (new_server) {
			w->server_limit[servers] = limit_of(w, &m[i]);
			if (pf_batch_add_server(w->batch, w->server_limit[servers], err) != PF_OK) {
				return PF_FAIL;
			}
			servers++;
		}
		if (m[i].admin && (new_server || by_server(&m[i], &m[i - 1]) != 0)) {
			if (pf_batch_add_login(w->batch, err) != PF_OK) {
				return PF_FAIL;
			}
			logins++;
		}
		w->batch_server[m[i].row][m[i].side] = servers - 1;
		w->server_accounts[servers - 1]++;
		login[m[i].row][m[i].side] = m[i].admin ? logins - 1 : PF_BATCH_NONE;
	}
	return PF_OK;
}

/* ---- accounts ---- */

/* Of itself an account has two connections while there is room for all of them, else one. */
static size_t planned_connections(const struct pf_wire *w, size_t row, size_t side)
{
	size_t given = wire_connections(w, row, side), server = w->batch_server[row][side];

	if (given > 0 || server == PF_BATCH_NONE) {
		return given > 0 ? given : STORE_CONNECTIONS;
	}
	return w->server_accounts[server] * STORE_CONNECTIONS <= w->server_limit[server]
		       ? STORE_CONNECTIONS
		       : 1;
}

/* RETRY is for those whose last pass left something. */
static int has_nothing_to_do(const struct pf_wire *w, size_t row, bool *nothing, struct pf_err *err)
{
	struct pf_ledger_cursor *c = NULL;
	struct pf_ledger_pass pass;
	int rc;

	/* Of several stores, one that --kinds leaves nothing of. */
	*nothing = w->plan->rows[row].kinds && !wire_kinds(w, row);
	if (*nothing || w->mode != PF_JOB_RETRY || w->plan->row_n == 1) {
		return PF_OK;
	}
	rc = pf_ledger_passes(w->ledger, w->rows[row].account, &c, err);
	rc = rc == PF_OK ? pf_ledger_passes_next(c, &pass, err) : rc;
	*nothing = rc == PF_OK && pass.ended_utc_s != 0 && pass.exit_status == PF_EXIT_COMPLETE;
	pf_ledger_cursor_close(&c);
	return rc == PF_FAIL ? PF_FAIL : PF_OK;
}

static int add_rows(struct pf_wire *w, size_t (*login)[2], struct pf_err *err)
{
	size_t n = 0;

	for (size_t row = 0; row < w->plan->row_n; row++) {
		struct pf_batch_account a;
		bool nothing;

		if (has_nothing_to_do(w, row, &nothing, err) != PF_OK) {
			return PF_FAIL;
		}
		if (nothing) {
			w->rows[row].state = PF_ROW_OVER;
			w->rows[row].skipped = true;
			continue;
		}
		for (size_t side = 0; side < 2; side++) {
			a.server[side] = w->batch_server[row][side];
			a.login[side] = login[row][side];
			a.connections[side] = planned_connections(w, row, side);
		}
		if (pf_batch_add(w->batch, &a, err) != PF_OK) {
			return PF_FAIL;
		}
		w->row_of[n++] = row;
	}
	return PF_OK;
}

static int fill_batch(struct pf_wire *w, struct pf_err *err)
{
	size_t(*login)[2] = calloc(w->plan->row_n, sizeof(*login));
	struct member *m = NULL;
	size_t n = 0;
	int rc = PF_FAIL;

	if (login) {
		m = list_members(w, &n);
	}
	if (!m) {
		(void)pf_fail_memory(err, "a batch");
		free(login);
		return PF_FAIL;
	}
	for (size_t row = 0; row < w->plan->row_n; row++) {
		for (size_t side = 0; side < 2; side++) {
			w->batch_server[row][side] = PF_BATCH_NONE;
			login[row][side] = PF_BATCH_NONE;
		}
	}
	if (group(w, m, n, login, err) == PF_OK) {
		rc = add_rows(w, login, err);
	}
	free(m);
	free(login);
	return rc;
}

int wire_batch_new(struct pf_wire *w, struct pf_err *err)
{
	size_t n = w->plan->row_n;
	struct pf_crew_cfg crew = {.ledger = w->ledger};
	struct pf_batch_cfg cfg = {.tries = 1, .no_wait = w->set->no_wait};

	w->memory = w->set->memory ? (size_t)w->set->memory : MEMORY_DEFAULT;
	w->alive_max = w->memory / MEMORY_AN_ACCOUNT;
	w->alive_max = w->alive_max < 1 ? 1 : w->alive_max > ALIVE_MAX ? ALIVE_MAX : w->alive_max;
	crew.window_bytes = n > 1 || w->set->memory ? w->memory : 0;
	cfg.alive_max = w->alive_max;
	if (w->plan->path) { /* a command of one account has its own patience, and ends with it */
		cfg.tries = w->set->tries ? (unsigned int)w->set->tries : TRIES_DEFAULT;
	}
	w->row_of = calloc(n, sizeof(*w->row_of));
	w->batch_server = calloc(n, sizeof(*w->batch_server));
	w->server_accounts = calloc(2 * n, sizeof(*w->server_accounts));
	w->server_limit = calloc(2 * n, sizeof(*w->server_limit));
	w->alive = calloc(w->alive_max, sizeof(struct wire_account *));
	if (!w->row_of || !w->batch_server || !w->server_accounts || !w->server_limit ||
		!w->alive) {
		return pf_fail_memory(err, "a batch");
	}
	if (pf_crew_new(&crew, &w->crew, err) != PF_OK ||
		pf_batch_new(&cfg, &w->batch, err) != PF_OK) {
		return PF_FAIL;
	}
	return fill_batch(w, err);
}

/* ---- how a row ended ---- */

static void add_up(struct pf_outcome *sum, const struct pf_outcome *o, bool over)
{
	/* What was done in each try counts; where the account stands counts once. */
	sum->copied_now += o->copied_now;
	sum->bytes_now += o->bytes_now;
	sum->present_now += o->present_now;
	sum->flags_carried += o->flags_carried;
	sum->gone_from_source += o->gone_from_source;
	sum->removed += o->removed;
	if (!over) {
		return;
	}
	for (size_t v = 0; v < PF_VERDICT_COUNT; v++) {
		sum->items[v] += o->items[v];
		sum->bytes[v] += o->bytes[v];
	}
	sum->not_at_target += o->not_at_target;
	sum->differing += o->differing;
	sum->equivalent += o->equivalent;
	sum->compared += o->compared;
	sum->estimate_items += o->estimate_items;
	sum->estimate_bytes += o->estimate_bytes;
	sum->too_large += o->too_large;
	sum->folders += o->folders;
	sum->folders_failed += o->folders_failed;
	sum->folders_skipped += o->folders_skipped;
	sum->renamed += o->renamed;
	sum->mirror_stopped = sum->mirror_stopped || o->mirror_stopped;
	sum->interrupted = sum->interrupted || o->interrupted;
	sum->not_opened = sum->not_opened || o->not_opened;
	if (o->why.text[0]) {
		sum->why = o->why;
	}
}

static void row_over(struct pf_wire *w, size_t row, int status, const char *why)
{
	struct pf_wire_row *r = &w->rows[row];

	r->state = PF_ROW_OVER;
	r->job = NULL;
	r->status = status;
	free(r->why);
	r->why = why && why[0] ? strdup(why) : NULL; /* no memory: then without the reason */
	if (why && why[0] && !w->sums.why.text[0]) {
		(void)snprintf(w->sums.why.text, sizeof(w->sums.why.text), "%s", why);
	}
}

/* One that could not even be begun, or was given up without another try. */
static void end_unbegun(
	struct pf_wire *w, size_t row, int status, const char *why, struct pf_watch *watch)
{
	row_over(w, row, status, why);
	w->sums.not_opened = w->sums.not_opened || status == PF_EXIT_NOT_OPENED;
	watch->ended(watch, &w->rows[row], NULL, 0);
}

static int status_of(const struct pf_err *err)
{
	return err->scope == PF_SCOPE_STORE     ? PF_EXIT_NOT_OPENED
	       : err->scope == PF_SCOPE_SESSION ? PF_EXIT_INTERRUPTED
						: PF_EXIT_USAGE;
}

static void end_account(
	struct pf_wire *w, size_t at, int rc, int64_t now_ms, struct pf_watch *watch)
{
	struct wire_account *a = w->alive[at];
	const struct pf_outcome *o = pf_job_outcome(a->job);
	struct pf_wire_row *r = &w->rows[a->row];
	struct pf_batch_end end = {
		.opened = {o->opened[0], o->opened[1]},
		.complete = rc == PF_END && !o->interrupted && !o->not_opened,
		.progressed = o->copied_now + o->present_now > 0,
		.at_target = o->at_target,
		.connections = {o->connections[0], o->connections[1]},
		.why = &o->why,
	};
	int64_t pause_ms = 0;
	bool over = pf_batch_ended(w->batch, a->account, &end, now_ms, &pause_ms);

	add_up(&w->sums, o, over);
	if (over) {
		row_over(w, a->row, rc == PF_END ? pf_outcome_exit_status(o) : PF_EXIT_INTERRUPTED,
			o->why.text);
	} else {
		r->state = PF_ROW_WAITING;
	}
	r->job = a->job;
	watch->ended(watch, r, o, pause_ms);
	r->job = NULL;
	w->alive[at] = w->alive[--w->alive_n];
	wire_account_free(&a);
}

/* ---- the run ---- */

static void begin_account(
	struct pf_wire *w, const struct pf_batch_turn *turn, int64_t now_ms, struct pf_watch *watch)
{
	size_t row = w->row_of[turn->account], connections[2];
	struct wire_account *a = NULL;
	struct pf_err why;
	struct pf_batch_end failed = {.why = &why};
	int64_t pause_ms;

	pf_err_clear(&why);
	for (size_t side = 0; side < 2; side++) {
		/* What the store would choose anyhow need not be said: it may learn better. */
		connections[side] = wire_connections(w, row, side) == 0 &&
						    turn->connections[side] == STORE_CONNECTIONS
					    ? 0
					    : turn->connections[side];
	}
	if (wire_account_new(w, row, connections, &a, &why) == PF_OK &&
		pf_crew_add(w->crew, a->job, &a->stirred, &why) == PF_OK) {
		a->account = turn->account;
		w->alive[w->alive_n++] = a;
		w->rows[row].state = PF_ROW_ALIVE;
		w->rows[row].job = a->job;
		w->rows[row].facts[0] = pf_store_facts(a->side[0].store);
		w->rows[row].facts[1] = pf_store_facts(a->side[1].store);
		return;
	}
	wire_account_free(&a);
	why.retry = PF_RETRY_NO;
	(void)pf_batch_ended(w->batch, turn->account, &failed, now_ms, &pause_ms);
	end_unbegun(w, row, status_of(&why), why.text, watch);
}

/* PF_END: all are over. */
static int begin_accounts(
	struct pf_wire *w, int64_t now_ms, int64_t *wake_ms, struct pf_watch *watch)
{
	struct pf_batch_turn turn;
	int rc = PF_OK;

	for (int n = 0; n < BEGIN_A_ROUND && rc == PF_OK; n++) {
		rc = pf_batch_next(w->batch, now_ms, &turn, wake_ms);
		if (rc == PF_OK && turn.give_up) {
			end_unbegun(w, w->row_of[turn.account], PF_EXIT_NOT_OPENED, turn.give_up,
				watch);
		} else if (rc == PF_OK) {
			begin_account(w, &turn, now_ms, watch);
		}
	}
	if (rc == PF_OK) {
		*wake_ms = now_ms; /* more may begin in the next round */
	}
	return rc;
}

static void note_opened(struct pf_wire *w)
{
	for (size_t i = 0; i < w->alive_n; i++) {
		struct wire_account *a = w->alive[i];
		const struct pf_outcome *o = pf_job_outcome(a->job);

		for (size_t side = 0; side < 2; side++) {
			if (o->opened[side] && !a->opened[side]) {
				a->opened[side] = true;
				pf_batch_opened(w->batch, a->account, side);
			}
		}
	}
}

static void end_accounts(struct pf_wire *w, int64_t now_ms, struct pf_watch *watch)
{
	struct pf_job *job;
	int rc;

	while ((job = pf_crew_take_ended(w->crew, &rc)) != NULL) {
		for (size_t i = 0; i < w->alive_n; i++) {
			if (w->alive[i]->job == job) {
				end_account(w, i, rc, now_ms, watch);
				break;
			}
		}
	}
}

static void stop(struct pf_wire *w, struct pf_now now)
{
	w->stopping = true;
	pf_batch_stop(w->batch);
	pf_crew_stop(w->crew, now, STOP_GRACE_MS);
}

/* Rows that never came to their end. */
static void close_rows(struct pf_wire *w, const char *why)
{
	for (size_t i = 0; i < w->plan->row_n; i++) {
		if (w->rows[i].state != PF_ROW_OVER) {
			row_over(w, i, PF_EXIT_INTERRUPTED, why);
			w->sums.interrupted = true;
		}
	}
}

static int run(struct pf_wire *w, struct pf_watch *watch, struct pf_err *err)
{
	for (;;) {
		struct pf_now now = {pf_loop_now_ms(w->loop), pf_loop_utc_s(w->loop)};
		int64_t wake = now.ms + LOOK_EVERY_MS;

		if (pf_loop_stop_signal(w->loop) != 0 && !w->stopping) {
			stop(w, now);
		}
		if (begin_accounts(w, now.ms, &wake, watch) == PF_END) {
			return PF_OK;
		}
		if (pf_crew_step(w->crew, now, &wake, err) != PF_OK) {
			return PF_FAIL;
		}
		note_opened(w);
		end_accounts(w, now.ms, watch);
		watch->look(watch, w, now.ms);
		if (pf_loop_wait(w->loop, wake, err) != PF_OK) {
			return PF_FAIL;
		}
	}
}

int pf_wire_run(struct pf_wire *w, struct pf_watch *watch, struct pf_err *err)
{
	int rc = run(w, watch, err);

	close_rows(w, rc == PF_OK ? "stopped by request" : err->text);
	return rc;
}
