/*
 * Bodies: consecutive GETs of a folder in one UID FETCH, large ones alone. Short bodies come in the
 * row itself, longer ones as pieces that go straight into the blob, or by as chunks.
 */
#include "stores/imap/imap_private.h"

#include <stdlib.h>

enum {
	ALONE_BYTES = 1 << 20,
	DIRECT_LEAST = 64 << 10, /* of less the copy costs no more than a read of its own */
};

static bool is_uid(struct pf_span id, uint32_t *uid)
{
	uint64_t n = 0, last = 0;
	struct pf_span rest = id;

	if (!pf_imap_set_next(&rest, &n, &last) || rest.n > 0 || n != last || n == 0 ||
		n > UINT32_MAX) {
		return false;
	}
	*uid = (uint32_t)n;
	return true;
}

static const char *section_of(enum pf_part part)
{
	switch (part) {
	case PF_PART_HEADER:
		return "HEADER";
	case PF_PART_FIRST:
		return "1";
	case PF_PART_SECOND:
		return "2";
	default:
		return "";
	}
}

/* Of a part, which a message need not have: no body is an empty one. */
static bool is_beginning(const struct iop *op)
{
	return op->op.get.part == PF_PART_FIRST || op->op.get.part == PF_PART_SECOND;
}

static struct iop *take_get(struct ifolder *f)
{
	struct iop *op = f->first;

	f->first = op->next;
	f->last = f->first ? f->last : NULL;
	op->next = NULL;
	return op;
}

/* Those that can go together: same part, not alone, within the bounds. Runs of UIDs become ranges.
 */
static int gather(
	struct iconn *c, struct ifolder *f, struct icmd *i, struct pf_buf *set, struct pf_err *err)
{
	enum pf_part part = f->first->op.get.part;
	uint32_t first = 0, last = 0;

	while (f->first && f->first->op.kind == PF_OP_GET && f->first->op.get.part == part &&
		i->n < FETCH_ITEMS && set->n < COMMAND_BYTES) {
		struct iop *op = f->first;
		bool alone = op->alone || op->sole || op->op.get.size > ALONE_BYTES;
		uint32_t uid = 0;

		if (i->n > 0 && (alone || i->bytes + op->op.get.size > FETCH_BYTES)) {
			break;
		}
		if (!is_uid(pf_buf_span(&op->item), &uid)) {
			return pf_fail(err, PF_SCOPE_RUN, PF_RETRY_NO, "an id that is no UID");
		}
		op->uid = uid;
		if (icmd_add_op(i, take_get(f), err) != PF_OK) {
			return PF_FAIL;
		}
		icmd_weigh(c, i, op->op.get.size);
		if (uid == last + 1 && i->n > 1) {
			last = uid;
		} else {
			if (i->n > 1 && pf_buf_addf(set, err, first == last ? "%u," : "%u:%u,",
						first, last) != PF_OK) {
				return PF_FAIL;
			}
			first = uid;
			last = uid;
		}
		if (alone) {
			break;
		}
	}
	return pf_buf_addf(set, err, first == last ? "%u" : "%u:%u", first, last);
}

/* Whether a body that must be the only one on its connection is, or would be, beside another. */
static bool must_wait(const struct iconn *c, struct iop *op)
{
	op->sole = op->sole || (c->store->uid_behind && op->op.get.size > ALONE_BYTES);
	for (const struct icmd *i = c->cmds; i; i = i->next) {
		if (i->kind == ICMD_GET &&
			(op->sole || (i->n > 0 && i->ops[0] && i->ops[0]->sole))) {
			return true;
		}
	}
	return false;
}

int get_issue(struct iconn *c, struct ifolder *f, struct pf_err *err)
{
	struct icmd *i;
	struct pf_imap_cmd *cmd;
	struct pf_buf set;
	int rc;

	if (must_wait(c, f->first)) {
		return PF_AGAIN;
	}
	if (f->first->second) {
		return second_issue(c, f, take_get(f), err);
	}
	i = icmd_new(c, ICMD_GET, f, err);
	if (!i) {
		return PF_FAIL;
	}
	pf_buf_init(&set, (size_t)2 * COMMAND_BYTES);
	rc = gather(c, f, i, &set, err);
	if (rc == PF_OK) {
		rc = conn_begin(c, PF_IMAP_CMD_FETCH, i, &cmd, err);
	}
	if (rc == PF_OK) {
		pf_imap_cmd_text(cmd, " ");
		pf_imap_cmd_bytes(cmd, pf_buf_span(&set));
		pf_imap_cmd_text(cmd, " (UID BODY.PEEK[");
		pf_imap_cmd_text(cmd, section_of(i->ops[0]->op.get.part));
		pf_imap_cmd_text(cmd, is_beginning(i->ops[0]) ? "]<0.1536>)" : "])");
		rc = pf_imap_cmd_send(cmd, false, err);
	}
	pf_buf_deinit(&set);
	return rc;
}

static struct iop *op_in(struct icmd *i, uint32_t uid)
{
	for (size_t k = 0; i->kind == ICMD_GET && !i->unselected && k < i->n; k++) {
		size_t at = (i->hint + k) % i->n;

		if (i->ops[at] && i->ops[at]->uid == uid && !i->ops[at]->got) {
			i->hint = at;
			return i->ops[at];
		}
	}
	return NULL;
}

/*
 * Servers may work on several FETCHes at once, so that rows of the second come before the first is
 * done (Dovecot does): a row is told by its UID among all that are in flight, most likely beside
 * the last one. What stands behind a SELECT is of another folder, and may have the same UIDs.
 */
static struct iop *op_of(struct iconn *c, uint32_t uid)
{
	struct iop *op = c->reading ? op_in(c->reading, uid) : NULL;

	for (struct icmd *i = c->cmds; i && !op && i->kind != ICMD_SELECT; i = i->next) {
		op = op_in(i, uid);
		c->reading = op ? i : c->reading;
	}
	return op;
}

/* The only one that is not there yet: then a row without UID must be it. */
static struct iop *last_open(struct iconn *c)
{
	struct iop *found = NULL;

	for (struct icmd *i = c->cmds; i && i->kind != ICMD_SELECT; i = i->next) {
		for (size_t k = 0; i->kind == ICMD_GET && !i->unselected && k < i->n; k++) {
			bool open = i->ops[k] && !i->ops[k]->got;

			if (open && found) {
				return NULL;
			}
			found = open ? i->ops[k] : found;
		}
	}
	return found;
}

/* Whether the section is what was asked for, if it is known for which message. */
static bool is_part(struct pf_span section, const struct iop *op)
{
	char wanted[64];

	if (op && op->second) {
		return second_section(op, wanted, sizeof(wanted)) && pf_span_is(section, wanted);
	}
	return !op || pf_span_eq(section, pf_span_str(section_of(op->op.get.part))) ||
	       (section.n == 0 && op->op.get.part == PF_PART_WHOLE);
}

/* The body among all that the row says. */
static const struct pf_imap_body *body_of(const struct pf_imap_fetch *f, const struct iop *op)
{
	for (size_t i = 0; i < f->bodies; i++) {
		if (is_part(f->body[i].section, op)) {
			return &f->body[i];
		}
	}
	return NULL;
}

/* The most that is held of a body in one piece. */
static uint64_t room_for(const struct iop *op)
{
	if (!op) {
		return FETCH_BYTES;
	}
	return op->second ? second_room(op) : op->op.get.whole_max;
}

int get_head(struct iconn *c, const struct pf_imap_piece *p, struct pf_err *err)
{
	uint32_t seq = 0, uid = 0;
	struct pf_span section;
	struct iop *op;

	c->swallow = true;
	if (!pf_imap_fetch_peek(p, &seq, &uid, &section)) {
		return PF_OK;
	}
	op = uid ? op_of(c, uid) : last_open(c);
	if (!is_part(section, op)) {
		return PF_OK;
	}
	pf_blob_unref(&c->blob);
	c->stream = NULL;
	c->nameless = uid == 0;
	if (op && !op->second && p->size > op->op.get.whole_max) {
		c->stream = op;
		c->swallow = false;
		return PF_OK;
	}
	if (p->size > room_for(op)) {
		return PF_OK; /* it is asked for again, alone */
	}
	c->blob = pf_blob_new((size_t)p->size);
	if (!c->blob) {
		return pf_fail_memory(err, "a message");
	}
	c->blob_n = 0;
	c->swallow = false;
	return PF_OK;
}

void get_body(
	struct iconn *c, const struct pf_imap_piece *p, struct pf_store_event *out, bool *given)
{
	if (c->blob && p->bytes.n <= c->blob->n - c->blob_n) {
		memcpy(c->blob->bytes + c->blob_n, p->bytes.p, p->bytes.n);
		c->blob_n += p->bytes.n;
		return;
	}
	if (!c->stream || c->swallow) {
		return;
	}
	*out = (struct pf_store_event){.kind = PF_STORE_CHUNK, .op = c->stream->op.id};
	out->chunk.bytes = p->bytes;
	out->chunk.offset = p->offset;
	out->chunk.total = p->size;
	c->stream->given += p->bytes.n;
	*given = true;
}

bool get_room(struct iconn *c, uint8_t **p, size_t *n)
{
	uint64_t awaits = pf_imap_session_awaits(c->session);

	if (!c->blob || c->swallow || awaits < DIRECT_LEAST || awaits > c->blob->n - c->blob_n) {
		return false;
	}
	*p = c->blob->bytes + c->blob_n;
	*n = (size_t)awaits;
	return true;
}

/* The body that the row carries, in a blob of its own. */
static struct pf_blob *blob_of(struct iconn *c, const struct pf_imap_body *b, struct pf_err *err)
{
	struct pf_blob *blob;

	if (b->streamed) {
		blob = c->blob;
		c->blob = NULL;
		return blob;
	}
	blob = pf_blob_new(b->bytes.n);
	if (!blob) {
		(void)pf_fail_memory(err, "a message");
		return NULL;
	}
	if (b->bytes.n > 0) {
		memcpy(blob->bytes, b->bytes.p, b->bytes.n);
	}
	return blob;
}

/* What came on the second road. */
static int second_data(
	struct iconn *c, struct iop *op, const struct pf_imap_fetch *f, struct pf_err *err)
{
	const struct pf_imap_body *body = body_of(f, op);
	int rc;

	if (!body || body->nil || (body->streamed && !c->blob)) {
		second_row(op, f);
		return PF_OK;
	}
	rc = second_body(op, body->streamed ? pf_blob_span(c->blob) : body->bytes, err);
	pf_blob_unref(&c->blob);
	return rc;
}

void get_described(struct iconn *c, const struct pf_imap_fetch *f)
{
	struct iop *op = f->has & PF_IMAP_HAS_UID ? op_of(c, f->uid) : NULL;

	if (op && op->second && (f->structure.p || f->envelope.p)) {
		second_row(op, f);
	}
}

int get_data(struct iconn *c, const struct pf_imap_resp *r, struct pf_store_event *out, bool *given,
	struct pf_err *err)
{
	const struct pf_imap_fetch *f = &r->fetch;
	const struct pf_imap_body *body;
	struct iop *op;
	struct pf_blob *blob;

	if (r->kind != PF_IMAP_FETCH) {
		return PF_OK;
	}
	op = f->has & PF_IMAP_HAS_UID ? op_of(c, f->uid) : last_open(c);
	if (op && op->second) {
		return second_data(c, op, f, err);
	}
	body = op ? body_of(f, op) : NULL;
	if (!body || (body->nil && !is_beginning(op))) {
		return PF_OK;
	}
	op->folder->breaks = 0;
	if (body->streamed && c->nameless && (f->has & PF_IMAP_HAS_UID)) {
		c->store->uid_behind = true;
	}
	if (body->streamed && c->stream == op) {
		c->stream = NULL;
		op->got = true;
		return PF_OK;
	}
	if (body->streamed && !c->blob) {
		return PF_OK; /* swallowed */
	}
	if (body->size == 0 && op->op.get.size > 0 && !op->alone) {
		return PF_OK; /* empty, though it is listed with a size: asked for again, alone */
	}
	if (body->size == 0 && op->op.get.size > 0) { /* even an estimate is not that wrong */
		op->empty = true;
		return PF_OK;
	}
	if (!body->streamed && body->size > op->op.get.whole_max) {
		op->got = true;
		*out = (struct pf_store_event){.kind = PF_STORE_CHUNK, .op = op->op.id};
		out->chunk.bytes = body->bytes;
		out->chunk.total = body->bytes.n;
		*given = true;
		return PF_OK;
	}
	blob = blob_of(c, body, err);
	if (!blob) {
		return PF_FAIL;
	}
	if (op->op.get.part == PF_PART_WHOLE &&
		quirks_is_stand_in(pf_blob_span(blob), op->op.get.size)) {
		pf_blob_unref(&blob);
		op->stub = true;
		return PF_OK;
	}
	op->got = true;
	*out = (struct pf_store_event){.kind = PF_STORE_BODY, .op = op->op.id, .body = blob};
	*given = true;
	return PF_OK;
}

void get_put_off(struct istore *s, struct ifolder *f, const struct iend *end)
{
	struct iop **at = &f->first;

	f->last = NULL;
	while (*at) {
		struct iop *op = *at;

		if (op->op.kind == PF_OP_GET && !op->second) {
			*at = op->next;
			op->next = NULL;
			op_failed(s, op, end);
		} else {
			f->last = op;
			at = &op->next;
		}
	}
}

static void not_got(struct iconn *c, struct iop *op, const struct pf_imap_session_event *ev)
{
	struct iend end = {.failed = true};

	if (op->given > 0) {
		(void)pf_fail(&end.why, PF_SCOPE_ITEM, PF_RETRY_LATER, "it broke off");
	} else if (op->stub) {
		(void)pf_fail(&end.why, PF_SCOPE_ITEM, PF_RETRY_NO,
			"the server could not convert it and gave a stand-in text in its place");
		end.why.number = PF_EV_ITEM_STUB;
		end.refused = true;
	} else if (!op->alone) { /* once more, alone: then it costs nobody else anything */
		op->alone = true;
		op->sole = true;
		op->next = op->folder->first;
		op->folder->first = op;
		op->folder->last = op->folder->last ? op->folder->last : op;
		folder_ready(c->store, op->folder);
		return;
	} else if (ev->resp->cond != PF_IMAP_OK) {
		(void)pf_imap_refusal(&end.why, PF_SCOPE_ITEM, ev->cmd, ev->resp);
		end.refused = end.why.retry == PF_RETRY_NO;
		end.why.scope = PF_SCOPE_ITEM;
	} else if (op->empty) {
		(void)pf_fail(&end.why, PF_SCOPE_ITEM, PF_RETRY_NO,
			"the server gives an empty body for a message of %llu bytes",
			(unsigned long long)op->op.get.size);
		end.refused = true;
	} else {
		(void)pf_fail(&end.why, PF_SCOPE_ITEM, PF_RETRY_NO,
			"UID FETCH says OK, and does not return the message");
		end.missing = true;
	}
	if (end.why.retry == PF_RETRY_NO && second_begin(c->store, op, &end)) {
		return;
	}
	op_failed(c->store, op, &end);
}

int get_done(struct iconn *c, struct icmd *i, const struct pf_imap_session_event *ev)
{
	for (size_t k = i->n; k > 0; k--) { /* backwards: those that go again keep their order */
		struct iop *op = i->ops[k - 1];

		if (op && op->second) {
			second_done(c->store, op, ev->resp);
			i->ops[k - 1] = NULL;
		} else if (op && !op->got) {
			not_got(c, op, ev);
			i->ops[k - 1] = NULL;
		}
	}
	for (size_t k = 0; k < i->n; k++) {
		if (i->ops[k]) {
			op_done(c->store, i->ops[k], pf_span(NULL, 0));
		}
	}
	return PF_OK;
}
