#include "stores/serial.h"

#include <stdlib.h>

enum { OPS_MAX = 1024 };

struct pf_serial_op {
	struct pf_serial_op *next;
	struct pf_op_kept kept;
	bool flushed; /* none follows that it should wait for */
	bool failed;  /* held, so that what came before it is told first */
	struct pf_err why;
};

static struct pf_serial *serial_of(struct pf_store *base)
{
	return pf_container_of(base, struct pf_serial, base);
}

static void free_op(struct pf_serial_op *o)
{
	if (o) {
		pf_op_let_go(&o->kept);
		free(o);
	}
}

void pf_serial_init(struct pf_serial *s, const struct pf_store_ops *ops,
	const struct pf_store_cfg *cfg, const struct pf_serial_does *does)
{
	*s = (struct pf_serial){.base = {ops}, .cfg = cfg, .does = does};
}

static void reset(struct pf_serial *s)
{
	s->does->reset(s);
	s->begun = false;
	s->feeding = false;
	s->hungry_told = false;
	s->abandoned = false;
	s->fed = 0;
	s->given = 0;
	s->body_given = false;
}

void pf_serial_deinit(struct pf_serial *s)
{
	reset(s);
	while (s->first) {
		struct pf_serial_op *o = s->first;

		s->first = o->next;
		free_op(o);
	}
	free_op(s->told);
	s->told = NULL;
}

/* Whatever folder it is of: to wait once for all is no slower. */
static void flush(struct pf_serial *s)
{
	if (s->at) {
		s->last->flushed = true;
	} else {
		s->over = s->held > 0;
	}
}

int pf_serial_submit(struct pf_store *base, const struct pf_op *op, struct pf_err *err)
{
	struct pf_serial *s = serial_of(base);
	struct pf_serial_op *n;

	if (s->cfg->source && pf_op_writes(op->kind)) {
		return pf_fail(err, PF_SCOPE_RUN, PF_RETRY_NO, "a source is never changed");
	}
	if (op->kind == PF_OP_FLUSH) {
		flush(s);
		return PF_OK;
	}
	if (op->kind == PF_OP_RECALL) {
		return PF_OK; /* trying one costs no more than giving it back */
	}
	if (s->n >= OPS_MAX && op->kind != PF_OP_CLOSE) {
		return PF_AGAIN;
	}
	n = calloc(1, sizeof(*n));
	if (!n) {
		return pf_fail_memory(err, "an operation");
	}
	if (pf_op_keep(&n->kept, op, err) != PF_OK) {
		free_op(n);
		return PF_FAIL;
	}
	*(s->last ? &s->last->next : &s->first) = n;
	s->last = n;
	s->at = s->at ? s->at : n;
	s->n++;
	return PF_OK;
}

int pf_serial_feed(struct pf_store *base, uint64_t id, struct pf_span part, struct pf_err *err)
{
	struct pf_serial *s = serial_of(base);

	if (!s->does->take) {
		return pf_fail(err, PF_SCOPE_ITEM, PF_RETRY_NO, "items of this store come whole");
	}
	if (!s->feeding || !s->at || s->at->kept.op.id != id) {
		return PF_AGAIN;
	}
	if (!part.p) {
		s->abandoned = true;
		return PF_OK;
	}
	if (part.n > s->at->kept.op.put.size - s->fed) {
		return pf_fail(err, PF_SCOPE_RUN, PF_RETRY_NO, "more bytes than were announced");
	}
	s->fed += part.n;
	return s->does->take(s, part, err);
}

int pf_serial_fed(
	struct pf_serial *s, const struct pf_op *op, struct pf_store_event *out, struct pf_err *err)
{
	s->feeding = true;
	if (s->abandoned) {
		return pf_fail(err, PF_SCOPE_ITEM, PF_RETRY_LATER, "the item broke off");
	}
	if (s->fed == op->put.size) {
		return PF_END;
	}
	if (s->hungry_told) {
		return PF_AGAIN; /* all that comes is taken */
	}
	s->hungry_told = true;
	*out = (struct pf_store_event){.kind = PF_STORE_HUNGRY, .op = op->id};
	return PF_OK;
}

void pf_serial_end(struct pf_serial *s, struct pf_store_event *out, const struct pf_err *why)
{
	struct pf_serial_op *o = s->first;

	pf_assert(s->held == 0); /* or their ends come out of order */
	s->first = o->next;
	s->at = s->at == o ? o->next : s->at;
	s->last = s->first ? s->last : NULL;
	s->n--;
	s->told = o;
	*out = (struct pf_store_event){
		.kind = why ? PF_STORE_FAILED : PF_STORE_DONE, .op = o->kept.op.id};
	if (why) {
		out->failed.why = *why;
		out->failed.refused = why->retry == PF_RETRY_NO && why->scope == PF_SCOPE_ITEM;
	}
	reset(s);
}

void pf_serial_end_in_doubt(
	struct pf_serial *s, struct pf_store_event *out, const struct pf_err *why)
{
	pf_serial_end(s, out, why);
	out->failed.in_doubt = true;
	out->failed.refused = false;
}

static int next_part(struct pf_serial *s, uint64_t total, struct pf_span *part, struct pf_err *err)
{
	if (s->does->read(s, part, err) != PF_OK) {
		return PF_FAIL;
	}
	if (part->n > total - s->given || (part->n == 0 && s->given != total)) {
		return pf_fail(
			err, PF_SCOPE_ITEM, PF_RETRY_LATER, "the file changes while it is read");
	}
	s->given += part->n;
	return PF_OK;
}

static int give_body(struct pf_serial *s, const struct pf_op *op, uint64_t total,
	struct pf_store_event *out, struct pf_err *err)
{
	struct pf_blob *blob = pf_blob_new((size_t)total);
	struct pf_span part;

	if (!blob) {
		return pf_fail_memory(err, "an item");
	}
	do {
		uint64_t at = s->given;

		if (next_part(s, total, &part, err) != PF_OK) {
			pf_blob_unref(&blob);
			return PF_FAIL;
		}
		if (part.n > 0) {
			memcpy(blob->bytes + at, part.p, part.n);
		}
	} while (part.n > 0);
	s->body_given = true;
	*out = (struct pf_store_event){.kind = PF_STORE_BODY, .op = op->id, .body = blob};
	return PF_OK;
}

static int give_chunk(struct pf_serial *s, const struct pf_op *op, uint64_t total,
	struct pf_store_event *out, struct pf_err *err)
{
	uint64_t offset = s->given;
	struct pf_span part;

	if (next_part(s, total, &part, err) != PF_OK) {
		return PF_FAIL;
	}
	if (part.n == 0) {
		pf_serial_end(s, out, NULL);
		return PF_OK;
	}
	*out = (struct pf_store_event){.kind = PF_STORE_CHUNK, .op = op->id};
	out->chunk.bytes = part;
	out->chunk.offset = offset;
	out->chunk.total = total;
	return PF_OK;
}

int pf_serial_give(struct pf_serial *s, const struct pf_op *op, uint64_t total,
	struct pf_store_event *out, struct pf_err *err)
{
	if (s->body_given) {
		pf_serial_end(s, out, NULL);
		return PF_OK;
	}
	return total <= op->get.whole_max ? give_body(s, op, total, out, err)
					  : give_chunk(s, op, total, out, err);
}

void pf_serial_missing(struct pf_serial *s, struct pf_store_event *out)
{
	struct pf_err why;

	(void)pf_fail(&why, PF_SCOPE_ITEM, PF_RETRY_NO, "the item is not there any more");
	pf_serial_end(s, out, &why);
	out->failed.missing = true;
	out->failed.refused = false;
}

/* ---- PUTs that are held ---- */

static bool may_be_held(const struct pf_serial *s, const struct pf_op *op)
{
	return s->does->settle && op->kind == PF_OP_PUT && op->put.body && !op->put.alone;
}

/* The operation `at`, with others or alone; `why` NULL: it is done but for its end. */
static void hold(struct pf_serial *s, const struct pf_err *why)
{
	struct pf_serial_op *o = s->at;

	o->failed = why != NULL;
	if (why) {
		o->why = *why;
	}
	s->held++;
	s->held_bytes += o->kept.op.put.size;
	s->over = why || o->flushed || s->held == PF_SERIAL_HELD ||
		  s->held_bytes >= PF_SERIAL_HELD_BYTES || !may_be_held(s, &o->kept.op) ||
		  (!o->next && !o->kept.op.put.more);
	s->at = o->next;
	reset(s);
}

/* Before the operation that comes next, or because none does. */
static bool is_to_settle(const struct pf_serial *s)
{
	return s->held > 0 && (s->over || (s->at && !may_be_held(s, &s->at->kept.op)));
}

static void settle(struct pf_serial *s)
{
	s->does->settle(s);
	s->settled = s->held;
	s->told_n = 0;
	s->held = 0;
	s->held_bytes = 0;
	s->over = false;
}

static void tell_settled(struct pf_serial *s, struct pf_store_event *out)
{
	const struct pf_serial_op *o = s->first;

	if (o->failed) {
		pf_serial_end(s, out, &o->why);
	} else {
		s->does->settled(s, s->told_n, &o->kept.op, out);
	}
	s->told_n++;
	s->settled--;
}

/* ---- events ---- */

/* The next one of the operation `at`. PF_END: it is held, and something else comes next. */
static int step(struct pf_serial *s, struct pf_store_event *out)
{
	struct pf_err why;
	int rc;

	if (s->at->kept.op.kind == PF_OP_CLOSE) {
		s->closed = true;
		pf_serial_end(s, out, NULL);
		return PF_OK;
	}
	pf_err_clear(&why);
	rc = s->does->step(s, &s->at->kept.op, out, &why);
	if (rc == PF_END || (rc == PF_FAIL && s->held > 0)) {
		hold(s, rc == PF_END ? NULL : &why);
		return PF_END;
	}
	if (rc == PF_FAIL) {
		pf_serial_end(s, out, &why);
		rc = PF_OK;
	}
	return rc;
}

int pf_serial_next(
	struct pf_store *base, struct pf_store_event *out, int64_t *wake_ms, struct pf_err *err)
{
	struct pf_serial *s = serial_of(base);
	int rc = PF_END;

	(void)wake_ms;
	free_op(s->told);
	s->told = NULL;
	if (!s->ready_told) {
		if (s->does->begin(s, err) != PF_OK) {
			return PF_FAIL;
		}
		s->ready_told = true;
		*out = (struct pf_store_event){.kind = PF_STORE_READY};
		return PF_OK;
	}
	if (s->closed) {
		return PF_END;
	}
	while (rc == PF_END) {
		if (is_to_settle(s)) {
			settle(s);
		}
		if (s->settled > 0) {
			tell_settled(s, out);
			return PF_OK;
		}
		rc = s->at ? step(s, out) : PF_AGAIN;
	}
	return rc;
}

const struct pf_store_facts *pf_serial_facts(const struct pf_store *base)
{
	return &((const struct pf_serial *)(const void *)base)->facts;
}
