/*
 * Operations and events: what the engine sees of the IMAP store.
 */
#include "stores/imap/imap_private.h"

#include <stdio.h>
#include <stdlib.h>

enum { ID_MAX = 65536, KW_MAX = 1 << 20, LABELS_MAX = 1 << 20 };

/* ---- operations ---- */

void op_free(struct iop *op)
{
	if (op->op.kind == PF_OP_PUT) {
		pf_blob_unref(&op->op.put.body);
	}
	pf_buf_deinit(&op->item);
	pf_buf_deinit(&op->text);
	pf_buf_deinit(&op->kw[0]);
	pf_buf_deinit(&op->kw[1]);
	pf_path_deinit(&op->path);
	rows_free(&op->seen);
	second_free(&op->second);
	free(op);
}

static void queue_end(struct istore *s, struct iop *op)
{
	op->next = NULL;
	*(s->ended_last ? &s->ended_last->next : &s->ended_first) = op;
	s->ended_last = op;
}

void op_done(struct istore *s, struct iop *op, struct pf_span id)
{
	struct pf_err ignored;

	pf_buf_clear(&op->text);
	if (id.p && pf_buf_add(&op->text, id, &ignored) != PF_OK) {
		id = pf_span(
			NULL, 0); /* no memory: then it is not told, and found by its fingerprint */
	}
	op->end = (struct iend){.failed = false};
	op->has_id = id.p != NULL;
	queue_end(s, op);
}

void op_failed(struct istore *s, struct iop *op, const struct iend *end)
{
	op->end = *end;
	op->end.failed = true;
	queue_end(s, op);
}

void folder_ready(struct istore *s, struct ifolder *f)
{
	if (f->ready || f->conn || !f->first) {
		return;
	}
	f->ready = true;
	f->next_ready = NULL;
	*(s->ready_last ? &s->ready_last->next_ready : &s->ready_first) = f;
	s->ready_last = f;
}

void op_back(struct istore *s, struct iop *op)
{
	struct ifolder *f = op->folder;
	struct iop **at = &f->first;

	while (*at && (*at)->seq < op->seq) {
		at = &(*at)->next;
	}
	op->next = *at;
	*at = op;
	f->last = op->next ? f->last : op;
	folder_ready(s, f);
}

void op_behind(struct istore *s, struct iop *op)
{
	struct ifolder *f = op->folder;

	op->next = NULL;
	*(f->last ? &f->last->next : &f->first) = op;
	f->last = op;
	folder_ready(s, f);
}

void op_again(struct istore *s, struct iop *op, const struct pf_err *why)
{
	if (++op->tries >= TRIES || s->closing) {
		struct iend end = {.why = *why};

		end.why.scope = PF_SCOPE_ITEM;
		op_failed(s, op, &end);
		return;
	}
	op_back(s, op);
}

static size_t bucket_of(struct pf_span id)
{
	uint32_t h = 2166136261u;

	for (size_t i = 0; i < id.n; i++) {
		h = (h ^ id.p[i]) * 16777619u;
	}
	return h % PF_COUNT(((struct istore *)NULL)->buckets);
}

static struct ifolder *folder_for(struct istore *s, struct pf_span id, struct pf_err *err)
{
	struct ifolder **at = &s->buckets[bucket_of(id)];
	struct ifolder *f;

	for (f = *at; f; f = f->next) {
		if (pf_span_eq(pf_buf_span(&f->id), id)) {
			return f;
		}
	}
	f = calloc(1, sizeof(*f));
	if (!f) {
		(void)pf_fail_memory(err, "a folder");
		return NULL;
	}
	pf_buf_init(&f->id, ID_MAX);
	if (pf_buf_add(&f->id, id, err) != PF_OK) {
		free(f);
		return NULL;
	}
	f->next = *at;
	*at = f;
	return f;
}

int folder_seen(struct istore *s, struct pf_span id, uint64_t validity, struct pf_err *err)
{
	struct ifolder *f = folder_for(s, id, err);

	if (!f) {
		return PF_FAIL;
	}
	f->validity = f->validity ? f->validity : validity;
	return PF_OK;
}

static int copy_op(struct iop *to, const struct pf_op *op, struct pf_err *err)
{
	to->op = *op;
	pf_buf_init(&to->item, ID_MAX);
	pf_buf_init(&to->text, ID_MAX);
	pf_buf_init(&to->kw[0], KW_MAX);
	pf_buf_init(&to->kw[1], KW_MAX);
	switch (op->kind) {
	case PF_OP_PUT:
		to->op.put.body = op->put.body ? pf_blob_ref(op->put.body) : NULL;
		to->alone = op->put.alone;
		return pf_buf_add(&to->kw[0], op->put.flags.kw, err);
	case PF_OP_FLAGS:
		if (pf_buf_add(&to->kw[0], op->flags.add.kw, err) != PF_OK ||
			pf_buf_add(&to->kw[1], op->flags.del.kw, err) != PF_OK) {
			return PF_FAIL;
		}
		break;
	case PF_OP_MKFOLDER:
		return pf_path_copy(&to->path, op->mkfolder.path, err);
	case PF_OP_LIST:
		return pf_buf_add(&to->text, op->list.cursor, err);
	default:
		break;
	}
	return pf_buf_add(&to->item, op->item, err);
}

static int submit(struct pf_store *base, const struct pf_op *op, struct pf_err *err)
{
	struct istore *s = pf_container_of(base, struct istore, base);
	struct iop *n;

	if (s->cfg->source && pf_op_writes(op->kind)) {
		return pf_fail(err, PF_SCOPE_RUN, PF_RETRY_NO, "a source is never changed");
	}
	if (op->kind == PF_OP_RECALL) {
		put_recall(s);
		return PF_OK;
	}
	if (s->ops >= OPS_MAX && op->kind != PF_OP_FLUSH && op->kind != PF_OP_CLOSE) {
		return PF_AGAIN;
	}
	if (op->kind == PF_OP_CLOSE) {
		s->closing = true;
	}
	n = calloc(1, sizeof(*n));
	if (!n) {
		return pf_fail_memory(err, "an operation");
	}
	if (copy_op(n, op, err) != PF_OK) {
		op_free(n);
		return PF_FAIL;
	}
	/* What is of no folder goes through a queue of its own, the one of the empty name. */
	n->folder = folder_for(s, op->folder.p ? op->folder : pf_span("", 0), err);
	if (!n->folder) {
		op_free(n);
		return PF_FAIL;
	}
	if (op->kind == PF_OP_COPY) {
		n->to = folder_for(s, op->copy.to, err);
		if (!n->to) {
			op_free(n);
			return PF_FAIL;
		}
	}
	n->seq = ++s->last_seq;
	*(n->folder->last ? &n->folder->last->next : &n->folder->first) = n;
	n->folder->last = n;
	s->ops++;
	folder_ready(s, n->folder);
	return PF_OK;
}

/* The APPEND whose bytes come by feed(); NULL: it is not begun yet, or has just ended. */
static struct icmd *cmd_fed(const struct iconn *c)
{
	struct icmd *k = c->cmds;

	while (k && !(k->kind == ICMD_PUT && k->n == 1 && k->ops[0] == c->fed)) {
		k = k->next;
	}
	return k;
}

static int feed(struct pf_store *base, uint64_t id, struct pf_span part, struct pf_err *err)
{
	struct istore *s = pf_container_of(base, struct istore, base);

	for (size_t i = 0; i < CONNECTIONS_MAX; i++) {
		struct iconn *c = s->conn[i];
		struct icmd *k;
		int rc;

		if (!c || c->lost || !c->fed || c->fed->op.id != id) {
			continue;
		}
		if (!part.p) { /* a literal can't be taken back: the connection goes, and with it
				  all of it */
			struct pf_err why;

			(void)pf_fail(&why, PF_SCOPE_ITEM, PF_RETRY_LATER, "the item broke off");
			conn_lose(c, &why);
			return PF_OK;
		}
		k = cmd_fed(c);
		if (k) {
			rc = pf_imap_cmd_feed(k->cmd, part, err);
			c->fed_hungry = rc == PF_AGAIN;
			return rc;
		}
	}
	return PF_AGAIN; /* not begun yet, or just ended: its event is on the way */
}

/* ---- events ---- */

void store_lost(struct istore *s, const struct pf_err *why)
{
	if (!s->lost.text[0]) {
		s->lost = *why;
		if (s->lost.scope < PF_SCOPE_STORE) {
			s->lost.scope = PF_SCOPE_SESSION;
		}
	}
}

static bool take_end(struct istore *s, struct pf_store_event *out)
{
	struct iop *op = s->ended_first;

	if (s->told) {
		op_free(s->told); /* what the last event borrowed from */
		s->told = NULL;
	}
	if (!op) {
		s->look_again = s->look_again || s->put_refused;
		s->put_refused = false;
		return false;
	}
	if (second_give(op, out)) {
		return true;
	}
	s->ended_first = op->next;
	s->ended_last = s->ended_first ? s->ended_last : NULL;
	s->ops--;
	s->told = op;
	*out = (struct pf_store_event){.kind = PF_STORE_DONE, .op = op->op.id};
	if (op->end.failed) {
		out->kind = PF_STORE_FAILED;
		out->failed.why = op->end.why;
		out->failed.in_doubt = op->end.in_doubt;
		out->failed.missing = op->end.missing;
		out->failed.refused = op->end.refused;
		out->failed.grouped = op->end.grouped;
		out->failed.recalled = op->end.recalled;
		out->failed.rest = second_rest(op);
	} else if (op->has_id) {
		out->id = pf_buf_span(&op->text);
		out->existed = op->existed;
	}
	if (op->op.kind == PF_OP_FLUSH) {
		return take_end(s, out);
	}
	return true;
}

/* What needs no connection: events at hand. */
static bool at_hand(struct istore *s, struct pf_store_event *out)
{
	if (s->ready && !s->ready_told) {
		s->ready_told = true;
		*out = (struct pf_store_event){.kind = PF_STORE_READY};
		return true;
	}
	if (s->has_early) {
		s->has_early = false;
		*out = s->early;
		return true;
	}
	return notes_give(&s->notes, out) || take_end(s, out);
}

/* Everything that is queued or in flight ends now. */
static void fail_all(struct istore *s)
{
	struct iend end = {.why = s->lost};
	struct iop *half =
		s->listing_ready ? s->listing_op : NULL; /* folders are being given out */

	if (half) {
		folders_free(s);
		op_failed(s, half, &end);
	}
	while (s->left) {
		struct iop *op = s->left;

		s->left = op->next;
		op_failed(s, op, &end);
	}
	for (size_t i = 0; i < CONNECTIONS_MAX; i++) {
		if (s->conn[i]) {
			conn_lose(s->conn[i], &s->lost);
			conn_free(&s->conn[i]);
		}
	}
	for (size_t b = 0; b < PF_COUNT(s->buckets); b++) {
		for (struct ifolder *f = s->buckets[b]; f; f = f->next) {
			while (f->first) {
				struct iop *op = f->first;

				f->first = op->next;
				op_failed(s, op, &end);
			}
			f->last = NULL;
		}
	}
}

/* Signing in costs a server more than a little work does: where nobody named a number, another
 * connection is made only when all have much to do. */
static bool pays(const struct istore *s)
{
	for (size_t i = 0; i < CONNECTIONS_MAX && !s->cfg->connections; i++) {
		if (s->conn[i] && !s->conn[i]->retire && s->conn[i]->load < BUSY_BYTES) {
			return false;
		}
	}
	return true;
}

static int open_more(struct istore *s, int64_t *wake_ms, struct pf_err *err)
{
	size_t alive = 0, at = CONNECTIONS_MAX, unready = 0;

	if (patience_lasts(s, wake_ms)) {
		return PF_OK;
	}
	for (size_t i = 0; i < CONNECTIONS_MAX; i++) {
		alive += s->conn[i] != NULL;
		unready += s->conn[i] && s->conn[i]->state != ICONN_READY;
		at = s->conn[i] ? at : (at == CONNECTIONS_MAX ? i : at);
	}
	if (alive >= s->conn_max || s->closing || !s->ready_first ||
		(alive > 0 && (unready > 0 || !pays(s)))) {
		return PF_OK;
	}
	if (pf_loop_now_ms(s->loop) < s->reconnect_ms) {
		*wake_ms = s->reconnect_ms < *wake_ms ? s->reconnect_ms : *wake_ms;
		return PF_OK;
	}
	return conn_new(s, at, err);
}

static int step_conns(struct istore *s, struct pf_store_event *out, bool *given, int64_t *wake_ms,
	struct pf_err *err)
{
	size_t first = s->turn++;

	for (size_t k = 0; k < CONNECTIONS_MAX && !*given; k++) {
		size_t i = (first + k) % CONNECTIONS_MAX;

		if (!s->conn[i]) {
			continue;
		}
		if (conn_step(s->conn[i], out, given, wake_ms, err) != PF_OK) {
			return PF_FAIL;
		}
		if (s->conn[i]->lost) {
			conn_free(&s->conn[i]);
			s->look_again = true; /* its place may be another one's */
		}
		if (*given) {
			s->turn = i; /* stay with the one that has more to say */
		}
	}
	return PF_OK;
}

static bool all_closed(const struct istore *s)
{
	for (size_t i = 0; i < CONNECTIONS_MAX; i++) {
		if (s->conn[i]) {
			return false;
		}
	}
	return true;
}

/* Nothing is connected: CLOSE has nothing to wait for. */
static void close_idle(struct istore *s)
{
	if (!s->closing || !all_closed(s)) {
		return;
	}
	s->closed = true;
	(void)pf_fail(&s->lost, PF_SCOPE_SESSION, PF_RETRY_NO, "closed");
	fail_all(s);
	s->lost.text[0] = '\0';
}

/* Folders and messages that were collected until all answers were there. */
static int give_collected(
	struct istore *s, struct pf_store_event *out, bool *given, struct pf_err *err)
{
	if (s->listing && s->listing_op && folders_give(s, out, given, err) != PF_OK) {
		return PF_FAIL;
	}
	return *given || !s->left ? PF_OK : list_give_left(s, out, given, err);
}

/* Whether there is more to do or to tell without any socket. `*asked`: the connections had their
 * turn for what others left to them. */
static bool goes_on(struct istore *s, bool *asked)
{
	bool again = s->look_again || (s->declined && !*asked);

	*asked = *asked || s->declined;
	s->look_again = false;
	s->declined = false;
	return again || s->ended_first || s->left || s->notes.first || s->lost.text[0] ||
	       s->closed || (s->ready && !s->ready_told) ||
	       (s->listing && s->listing_op && s->listing_ready);
}

static int next(
	struct pf_store *base, struct pf_store_event *out, int64_t *wake_ms, struct pf_err *err)
{
	struct istore *s = pf_container_of(base, struct istore, base);
	bool given = false, asked = false;

	for (;;) {
		if (at_hand(s, out)) {
			return PF_OK;
		}
		if (s->lost.text[0]) {
			if (!s->lost_told) {
				s->lost_told = true;
				fail_all(s);
				continue;
			}
			*err = s->lost;
			return PF_FAIL;
		}
		if (s->closed) {
			return PF_END;
		}
		if (give_collected(s, out, &given, err) != PF_OK) {
			return PF_FAIL;
		}
		if (given) {
			return PF_OK;
		}
		(void)patience_lasts(s, wake_ms);
		if (open_more(s, wake_ms, err) != PF_OK ||
			step_conns(s, out, &given, wake_ms, err) != PF_OK) {
			return PF_FAIL;
		}
		close_idle(s);
		if (given && s->ready && !s->ready_told) { /* it came in one go with the sign-in */
			s->early = *out;
			s->has_early = true;
			continue;
		}
		if (given) {
			return PF_OK;
		}
		if (!goes_on(s, &asked)) {
			return PF_AGAIN;
		}
	}
}

static const struct pf_store_facts *facts(const struct pf_store *base)
{
	return &((const struct istore *)(const void *)base)->facts;
}

static void close_store(struct pf_store *base)
{
	struct istore *s;

	if (!base) {
		return;
	}
	s = pf_container_of(base, struct istore, base);
	(void)pf_fail(&s->lost, PF_SCOPE_SESSION, PF_RETRY_NO, "closed");
	fail_all(s);
	while (s->ended_first) {
		struct iop *op = s->ended_first;

		s->ended_first = op->next;
		op_free(op);
	}
	if (s->told) {
		op_free(s->told);
	}
	for (size_t b = 0; b < PF_COUNT(s->buckets); b++) {
		while (s->buckets[b]) {
			struct ifolder *f = s->buckets[b];

			s->buckets[b] = f->next;
			pf_buf_deinit(&f->id);
			free(f);
		}
	}
	folders_free(s);
	notes_deinit(&s->notes);
	pf_buf_deinit(&s->sign_in_name);
	pf_buf_deinit(&s->prefix);
	pf_buf_deinit(&s->other_prefixes);
	pf_buf_deinit(&s->cursor_out);
	pf_buf_deinit(&s->kw_out);
	pf_buf_deinit(&s->id_out);
	pf_buf_deinit(&s->labels_out);
	pf_buf_deinit(&s->label_folders);
	pf_path_deinit(&s->path_out);
	free(s);
}

static int open_store(struct pf_loop *loop, const struct pf_store_cfg *cfg, struct pf_store **out,
	struct pf_err *err)
{
	struct istore *s;

	if (!cfg->url->user) {
		return pf_fail(err, PF_SCOPE_RUN, PF_RETRY_NO,
			"the URL names no user: the form is %s://USER@HOST/", cfg->url->scheme);
	}
	if (cfg->url->path[0] && strcmp(cfg->url->path, "/") != 0) {
		return pf_fail(err, PF_SCOPE_RUN, PF_RETRY_NO,
			"the URL names an account, so nothing follows the host but \"/\"; choose "
			"folders by --include");
	}
	s = calloc(1, sizeof(*s));
	if (!s) {
		return pf_fail_memory(err, "a store");
	}
	s->base.ops = &pf_imap_store_ops;
	s->loop = loop;
	s->cfg = cfg;
	s->conn_max = cfg->connections ? cfg->connections : CONNECTIONS_DEFAULT;
	s->conn_max = s->conn_max > CONNECTIONS_MAX ? CONNECTIONS_MAX : s->conn_max;
	s->delimiter = '/';
	s->facts.server = s->server;
	s->facts.forbidden = s->forbidden;
	s->facts.quota_free_bytes = UINT64_MAX;
	s->facts.kinds = PF_KIND_MAIL;
	s->facts.connections = s->conn_max;
	notes_init(&s->notes);
	pf_buf_init(&s->sign_in_name, ID_MAX);
	pf_buf_init(&s->prefix, ID_MAX);
	pf_buf_init(&s->other_prefixes, ID_MAX);
	pf_buf_init(&s->cursor_out, ID_MAX);
	pf_buf_init(&s->kw_out, KW_MAX);
	pf_buf_init(&s->id_out, ID_MAX);
	pf_buf_init(&s->labels_out, LABELS_MAX);
	pf_buf_init(&s->label_folders, LABELS_MAX);
	if (auth_name(s, err) != PF_OK) {
		close_store(&s->base);
		return PF_FAIL;
	}
	*out = &s->base;
	return PF_OK;
}

enum { DISGUISED = PF_KIND_CALENDAR | PF_KIND_CONTACTS | PF_KIND_TASKS | PF_KIND_NOTES };

static const struct pf_scheme SCHEMES[] = {{"imap", PF_KIND_MAIL, DISGUISED, NULL},
	{"imaps", PF_KIND_MAIL, DISGUISED, NULL}, {.name = NULL}};

const struct pf_store_ops pf_imap_store_ops = {
	.schemes = SCHEMES,
	.summary = "IMAP4 server (imap:// with STARTTLS, imaps:// with TLS)",
	.open = open_store,
	.submit = submit,
	.feed = feed,
	.next = next,
	.facts = facts,
	.close = close_store,
};
