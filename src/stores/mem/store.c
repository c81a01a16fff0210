/*
 * Operations and events of the store in memory. It is as free as a server with many connections: of
 * several folders any may move on, and a group of PUTs waits for more.
 */
#include "stores/mem/mem_private.h"

#include <stdlib.h>

extern const struct pf_store_ops pf_mem_store_ops;

/* ---- operations ---- */

static void op_free(struct mem_op *op)
{
	pf_op_let_go(&op->kept);
	pf_blob_unref(&op->body);
	pf_buf_deinit(&op->new_id);
	free(op);
}

static struct mem_queue *queue_for(struct mem_store *s, struct pf_span id, struct pf_err *err)
{
	struct mem_queue **at = &s->queues;
	struct mem_queue *q;

	for (; *at; at = &(*at)->next) {
		if (pf_span_eq(pf_buf_span(&(*at)->id), id)) {
			return *at;
		}
	}
	q = calloc(1, sizeof(*q));
	if (!q) {
		(void)pf_fail_memory(err, "a folder");
		return NULL;
	}
	pf_buf_init(&q->id, MEM_TEXT_MAX);
	if (pf_buf_add(&q->id, id, err) != PF_OK) {
		free(q);
		return NULL;
	}
	*at = q;
	return q;
}

/* What is in a group counts as sent. */
static void recall(struct mem_store *s)
{
	struct mem_end end = {.failed = true, .recalled = true};

	(void)pf_fail(&end.why, PF_SCOPE_ITEM, PF_RETRY_NOW, "recalled before it was sent");
	for (struct mem_queue *q = s->queues; q; q = q->next) {
		struct mem_op *next;

		for (struct mem_op *op = q->first; op; op = next) {
			next = op->next;
			if (op->kept.op.kind == PF_OP_PUT && !op->begun) {
				mem_op_end(s, op, &end);
			}
		}
	}
}

static int submit(struct pf_store *base, const struct pf_op *op, struct pf_err *err)
{
	struct mem_store *s = pf_container_of(base, struct mem_store, base);
	struct mem_op *n;

	if (s->cfg->source && pf_op_writes(op->kind)) {
		return pf_fail(err, PF_SCOPE_RUN, PF_RETRY_NO, "a source is never changed");
	}
	if (op->kind == PF_OP_RECALL) {
		recall(s);
		return PF_OK;
	}
	if (s->ops >= MEM_OPS_MAX && op->kind != PF_OP_FLUSH && op->kind != PF_OP_CLOSE) {
		return PF_AGAIN;
	}
	n = calloc(1, sizeof(*n));
	if (!n) {
		return pf_fail_memory(err, "an operation");
	}
	pf_buf_init(&n->new_id, MEM_TEXT_MAX);
	if (pf_op_keep(&n->kept, op, err) != PF_OK || !(n->queue = queue_for(s, op->folder, err))) {
		op_free(n);
		return PF_FAIL;
	}
	*(n->queue->last ? &n->queue->last->next : &n->queue->first) = n;
	n->queue->last = n;
	s->ops++;
	s->closing = s->closing || op->kind == PF_OP_CLOSE;
	return PF_OK;
}

static int feed(struct pf_store *base, uint64_t id, struct pf_span part, struct pf_err *err)
{
	struct mem_store *s = pf_container_of(base, struct mem_store, base);
	struct mem_op *op = NULL;

	for (struct mem_queue *q = s->queues; q && !op; q = q->next) {
		op = q->first && q->first->kept.op.id == id && q->first->body ? q->first : NULL;
	}
	if (!op || op->kept.op.kind != PF_OP_PUT) {
		return PF_AGAIN; /* not begun yet, or just ended: its event is on the way */
	}
	if (!part.p) {
		op->abandoned = true;
		return PF_OK;
	}
	if (op->taken || op->hung) {
		op->turned_away = true;
		return PF_AGAIN;
	}
	if (part.n > op->body->n - op->offset) {
		return pf_fail(err, PF_SCOPE_RUN, PF_RETRY_NO, "more bytes than were announced");
	}
	if (part.n > 0) {
		memcpy(op->body->bytes + op->offset, part.p, part.n);
	}
	op->offset += part.n;
	op->taken = true;
	return PF_OK;
}

/* ---- ends ---- */

static void unlink_op(struct mem_op *op)
{
	struct mem_queue *q = op->queue;
	struct mem_op *before = NULL;
	struct mem_op *at;

	for (at = q->first; at && at != op; at = at->next) {
		before = at;
	}
	if (!at) {
		return; /* of a group: its maker has unlinked it */
	}
	*(before ? &before->next : &q->first) = op->next;
	q->last = q->last == op ? before : q->last;
}

void mem_op_end(struct mem_store *s, struct mem_op *op, const struct mem_end *end)
{
	unlink_op(op);
	op->end = *end;
	op->next = NULL;
	*(s->ended_last ? &s->ended_last->next : &s->ended_first) = op;
	s->ended_last = op;
}

void mem_op_done(struct mem_store *s, struct mem_op *op, struct pf_span id)
{
	struct mem_end end = {.has_id = id.p != NULL};
	struct pf_err ignored;

	pf_buf_clear(&op->new_id);
	if (id.p && pf_buf_add(&op->new_id, id, &ignored) != PF_OK) {
		end.has_id = false; /* no memory: then it is not told */
	}
	mem_op_end(s, op, &end);
}

void mem_store_lose(struct mem_store *s, const struct pf_err *why)
{
	struct mem_end end = {.failed = true, .why = *why};

	if (s->lost.text[0]) {
		return;
	}
	s->lost = *why;
	for (struct mem_queue *q = s->queues; q; q = q->next) {
		while (q->group) {
			struct mem_op *op = q->group;

			q->group = op->next;
			mem_op_end(s, op, &end);
		}
		while (q->first) {
			mem_op_end(s, q->first, &end);
		}
	}
}

static bool take_end(struct mem_store *s, struct pf_store_event *out)
{
	struct mem_op *op;

	do {
		if (s->told) {
			op_free(s->told);
			s->told = NULL;
		}
		op = s->ended_first;
		if (!op) {
			return false;
		}
		s->ended_first = op->next;
		s->ended_last = s->ended_first ? s->ended_last : NULL;
		s->ops--;
		s->told = op;
	} while (op->kept.op.kind == PF_OP_FLUSH); /* no event at all */
	*out = (struct pf_store_event){.kind = PF_STORE_DONE, .op = op->kept.op.id};
	if (op->end.failed) {
		out->kind = PF_STORE_FAILED;
		out->failed.why = op->end.why;
		out->failed.in_doubt = op->end.in_doubt;
		out->failed.missing = op->end.missing;
		out->failed.refused = op->end.refused;
		out->failed.grouped = op->end.grouped;
		out->failed.recalled = op->end.recalled;
	} else if (op->end.has_id) {
		out->id = pf_span(op->new_id.p ? (const char *)op->new_id.p : "", op->new_id.n);
	}
	return true;
}

/* ---- events ---- */

static bool waits(const struct mem_store *s, const struct mem_op *op)
{
	return op->hung && op->hung_at == s->account->timeouts;
}

static struct mem_op *front_of(struct mem_store *s, size_t turn)
{
	for (struct mem_queue *q = s->queues; q; q = q->next) {
		if (q->first && !waits(s, q->first) && turn-- == 0) {
			return q->first;
		}
	}
	return NULL;
}

/* The operations at the front of their queues, in turn, until one gives an event or none gets on.
 */
static int perform(struct mem_store *s, struct pf_store_event *out, bool *given, bool *moved,
	struct pf_err *err)
{
	struct pf_mem_whims *w = s->account->whims;
	size_t n = 0, first = 0;

	for (struct mem_queue *q = s->queues; q; q = q->next) {
		n += q->first && !waits(s, q->first);
	}
	if (w && w->turn && n > 0) {
		first = w->turn(w, n);
		if (first >= n) {
			return PF_OK;
		}
	}
	for (size_t i = 0; i < n && !*moved && !s->lost.text[0]; i++) {
		struct mem_op *op = front_of(s, (first + i) % n);

		if (mem_perform(s, op, out, given, moved, err) != PF_OK) {
			return PF_FAIL;
		}
	}
	return PF_OK;
}

static int next(
	struct pf_store *base, struct pf_store_event *out, int64_t *wake_ms, struct pf_err *err)
{
	struct mem_store *s = pf_container_of(base, struct mem_store, base);
	bool moved = true, given = false;

	(void)wake_ms;
	if (s->told) {
		op_free(s->told);
		s->told = NULL;
	}
	if (!s->ready_told) {
		s->ready_told = true;
		*out = (struct pf_store_event){.kind = PF_STORE_READY};
		return PF_OK;
	}
	while (moved) {
		if (take_end(s, out)) {
			return PF_OK;
		}
		if (s->lost.text[0]) {
			*err = s->lost;
			return PF_FAIL;
		}
		if (s->closed) {
			return PF_END;
		}
		moved = false;
		if (perform(s, out, &given, &moved, err) != PF_OK) {
			return PF_FAIL;
		}
		if (given) {
			return PF_OK;
		}
	}
	return PF_AGAIN;
}

static const struct pf_store_facts *facts(const struct pf_store *base)
{
	const struct mem_store *s = (const struct mem_store *)(const void *)base;

	return &s->account->traits.facts;
}

/* ---- life ---- */

static void close_store(struct pf_store *base)
{
	struct mem_store *s;
	struct pf_err why;

	if (!base) {
		return;
	}
	s = pf_container_of(base, struct mem_store, base);
	(void)pf_fail(&why, PF_SCOPE_SESSION, PF_RETRY_NO, "closed");
	mem_store_lose(s, &why);
	while (s->ended_first) {
		struct mem_op *op = s->ended_first;

		s->ended_first = op->next;
		op_free(op);
	}
	if (s->told) {
		op_free(s->told);
	}
	while (s->queues) {
		struct mem_queue *q = s->queues;

		s->queues = q->next;
		pf_buf_deinit(&q->id);
		free(q);
	}
	pf_buf_deinit(&s->cursor_out);
	pf_buf_deinit(&s->id_out);
	if (s->owned) {
		pf_mem_free(&s->account);
	}
	free(s);
}

int pf_mem_open(
	struct pf_mem *m, const struct pf_store_cfg *cfg, struct pf_store **out, struct pf_err *err)
{
	struct mem_store *s = calloc(1, sizeof(*s));

	if (!s) {
		return pf_fail_memory(err, "a store");
	}
	s->base.ops = &pf_mem_store_ops;
	s->account = m;
	s->cfg = cfg;
	pf_buf_init(&s->cursor_out, MEM_TEXT_MAX);
	pf_buf_init(&s->id_out, MEM_TEXT_MAX);
	*out = &s->base;
	return PF_OK;
}

static int open_store(struct pf_loop *loop, const struct pf_store_cfg *cfg, struct pf_store **out,
	struct pf_err *err)
{
	struct pf_mem *m = NULL;

	(void)loop;
	if (pf_mem_new(&m, err) != PF_OK || pf_mem_open(m, cfg, out, err) != PF_OK) {
		pf_mem_free(&m);
		return PF_FAIL;
	}
	pf_container_of(*out, struct mem_store, base)->owned = true;
	return PF_OK;
}

static const struct pf_scheme SCHEMES[] = {{"mem", PF_KIND_MAIL, 0, NULL}, {.name = NULL}};

const struct pf_store_ops pf_mem_store_ops = {
	.schemes = SCHEMES,
	.summary = "an empty account in memory, gone at the end, to try out rules (mem:NAME)",
	.open = open_store,
	.submit = submit,
	.feed = feed,
	.next = next,
	.facts = facts,
	.close = close_store,
};
