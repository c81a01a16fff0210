/*
 * APPEND. With MULTIAPPEND (RFC 3502) a command stays open for more messages of its folder, up to a
 * bound, until FLUSH: one commit of the server then stores them all, or none.
 */
#include "base/decimal.h"
#include "proto/imap/date.h"
#include "stores/imap/imap_private.h"

#include <string.h>

void conn_close_append(struct iconn *c)
{
	if (c->append) {
		if (c->append->cmd) {
			pf_imap_cmd_close(c->append->cmd);
		}
		c->append = NULL;
	}
}

/* " (flags) "date"": both always, as some servers take neither form for granted. */
static void add_meta(struct pf_imap_cmd *cmd, const struct iop *op)
{
	struct pf_span rest = pf_buf_span(&op->kw[0]), word;
	const char *blank = "";
	char date[32];

	pf_imap_cmd_text(cmd, " (");
	for (uint32_t bit = 1; bit <= PF_FLAG_DRAFT; bit <<= 1) {
		if (op->op.put.flags.sys & bit) {
			pf_imap_cmd_text(cmd, blank);
			pf_imap_cmd_text(cmd, pf_flag_name(bit));
			blank = " ";
		}
	}
	while (pf_keywords_next(&rest, &word)) {
		pf_imap_cmd_text(cmd, blank);
		pf_imap_cmd_bytes(cmd, word);
		blank = " ";
	}
	pf_imap_cmd_text(cmd, ")");
	if (op->op.put.date_utc_s != PF_DATE_NONE) {
		pf_imap_date_format(op->op.put.date_utc_s, op->op.put.zone_min, date);
		pf_imap_cmd_text(cmd, " \"");
		pf_imap_cmd_text(cmd, date);
		pf_imap_cmd_text(cmd, "\"");
	}
}

static int begin_append(struct iconn *c, struct ifolder *f, struct icmd **out, struct pf_err *err)
{
	struct icmd *i = icmd_new(c, ICMD_PUT, f, err);

	if (!i || conn_begin(c, PF_IMAP_CMD_APPEND, i, &i->cmd, err) != PF_OK) {
		return PF_FAIL;
	}
	pf_imap_cmd_astring(i->cmd, pf_buf_span(&f->id));
	*out = i;
	return PF_OK;
}

static bool has_8_bits_in_header(const struct pf_blob *body)
{
	for (size_t i = 0; i < body->n; i++) {
		if (body->bytes[i] > 126) {
			return true;
		}
		if (i + 3 < body->n && memcmp(body->bytes + i, "\r\n\r\n", 4) == 0) {
			break;
		}
	}
	return false;
}

/* NULs may go only in a literal8 (RFC 3516 section 4.3); servers without BINARY are asked all the
 * same: some take them. */
static void add_body(struct iconn *c, struct pf_imap_cmd *cmd, struct pf_blob *body)
{
	bool binary = (c->store->caps & PF_IMAP_CAP_BINARY) && body->n > 0 &&
		      memchr(body->bytes, '\0', body->n) != NULL;

	if ((c->store->caps & PF_IMAP_CAP_UTF8_ONLY) && has_8_bits_in_header(body)) {
		pf_imap_cmd_utf8_blob(cmd, body);
		return;
	}
	pf_imap_cmd_blob(cmd, body, binary);
}

static int put_alone(struct iconn *c, struct ifolder *f, struct iop *op, struct pf_err *err)
{
	struct icmd *i;

	conn_close_append(c);
	if (begin_append(c, f, &i, err) != PF_OK || icmd_add_op(i, op, err) != PF_OK) {
		return PF_FAIL;
	}
	icmd_weigh(c, i, op->op.put.size);
	add_meta(i->cmd, op);
	if (op->op.put.body) {
		add_body(c, i->cmd, op->op.put.body);
	} else {
		pf_imap_cmd_fed(i->cmd, op->op.put.size);
		c->fed = op;
		c->fed_hungry = true; /* its first bytes were most likely turned away */
	}
	return pf_imap_cmd_send(i->cmd, false, err);
}

static int put_grouped(struct iconn *c, struct ifolder *f, struct iop *op, struct pf_err *err)
{
	struct icmd *i = c->append;
	bool first = !i;

	if (first && begin_append(c, f, &i, err) != PF_OK) {
		return PF_FAIL;
	}
	if (icmd_add_op(i, op, err) != PF_OK) {
		return PF_FAIL;
	}
	icmd_weigh(c, i, op->op.put.body->n);
	add_meta(i->cmd, op);
	add_body(c, i->cmd, op->op.put.body);
	if (first) {
		if (pf_imap_cmd_send(i->cmd, true, err) != PF_OK) {
			return PF_FAIL;
		}
		c->append = i;
	} else if (pf_imap_cmd_extended(i->cmd, err) != PF_OK) {
		return PF_FAIL;
	}
	if (i->n >= GROUP_ITEMS || i->bytes >= GROUP_BYTES || !op->op.put.more) {
		conn_close_append(c);
	}
	return PF_OK;
}

int put_issue(struct iconn *c, struct ifolder *f, struct iop *op, struct pf_err *err)
{
	bool group = (c->store->caps & PF_IMAP_CAP_MULTIAPPEND) && op->op.put.body && !op->alone;

	if (c->fed) {
		return PF_AGAIN;
	}
	if (c->append && c->append->folder != f) {
		conn_close_append(c);
	}
	return group ? put_grouped(c, f, op, err) : put_alone(c, f, op, err);
}

/* Ids of another UIDVALIDITY than the folder has are of another folder, or of what it was before.
 */
static bool has_ids(const struct icmd *i, const struct pf_imap_resp *r)
{
	uint64_t validity = i->folder->validity;

	return r->code == PF_IMAP_CODE_APPENDUID && (validity == 0 || r->code_num[0] == validity);
}

/* APPENDUID's set has the new ids in the order of the messages (RFC 4315 section 3). */
static void stored(struct iconn *c, struct icmd *i, const struct pf_imap_resp *r)
{
	struct pf_span set = has_ids(i, r) ? r->code_args : pf_span(NULL, 0);
	uint64_t first = 1, last = 0;
	char id[PF_DECIMAL_MAX];

	for (size_t k = 0; k < i->n; k++) {
		if (first > last && set.n > 0 && !pf_imap_set_next(&set, &first, &last)) {
			set = pf_span(NULL, 0);
			first = 1;
			last = 0;
		}
		if (first <= last) {
			op_done(c->store, i->ops[k], pf_span(id, pf_decimal(first++, id)));
		} else {
			op_done(c->store, i->ops[k], pf_span(NULL, 0));
		}
	}
}

void put_end_fed(struct iconn *c, const struct icmd *i)
{
	if (c->fed && i->n == 1 && i->ops[0] == c->fed) {
		c->fed = NULL;
		c->fed_hungry = false;
	}
}

/* Whether literals go out before the server asks for them. */
static bool unasked(const struct iconn *c)
{
	return (c->store->caps & (PF_IMAP_CAP_LITERAL_PLUS | PF_IMAP_CAP_LITERAL_MINUS)) != 0;
}

int put_done(struct iconn *c, struct icmd *i, const struct pf_imap_session_event *ev)
{
	struct iend end = {.failed = true};

	put_end_fed(c, i);
	if (ev->resp->cond == PF_IMAP_OK) {
		stored(c, i, ev->resp);
		return PF_OK;
	}
	(void)pf_imap_refusal(&end.why, PF_SCOPE_ITEM, ev->cmd, ev->resp);
	c->store->put_refused = true;
	/* Where it stopped reading is not known: a message must not be taken for commands. */
	c->retire = c->retire || (ev->resp->cond == PF_IMAP_BAD && unasked(c));
	if (ev->resp->code == PF_IMAP_CODE_TRYCREATE ||
		ev->resp->code == PF_IMAP_CODE_NONEXISTENT) {
		end.why.scope = PF_SCOPE_FOLDER;
		end.why.number = PF_EV_FOLDER_LOST;
	}
	end.grouped = i->n > 1 && end.why.scope == PF_SCOPE_ITEM &&
		      (end.why.retry == PF_RETRY_NO || end.why.number == PF_EV_TARGET_FULL);
	end.refused = i->n == 1 && end.why.retry == PF_RETRY_NO;
	for (size_t k = 0; k < i->n; k++) {
		op_failed(c->store, i->ops[k], &end);
	}
	return PF_OK;
}

/*
 * The connection is gone. What was not wholly written can't have been stored and is put anew; what
 * was, may or may not have been: that is found out at the target.
 */
void put_lost(struct iconn *c, struct icmd *i, const struct pf_err *why)
{
	/* One that was refused, and the connection with it, was not carried out. */
	bool whole = i->cmd && c->append != i &&
		     pf_imap_cmd_written(i->cmd) == pf_imap_cmd_length(i->cmd);
	struct iend end = {.failed = true, .why = *why};
	bool fed = c->fed && i->n == 1 && i->ops[0] == c->fed;

	put_end_fed(c, i);
	end.why.scope = PF_SCOPE_ITEM;
	end.why.retry = PF_RETRY_LATER;
	end.in_doubt = whole;
	for (size_t k = i->n; k > 0; k--) {
		if (whole || fed) {
			op_failed(c->store, i->ops[k - 1], &end);
		} else {
			/* The FLUSH that was to end this group may be gone already: the last of
			 * them ends it now. */
			i->ops[k - 1]->op.put.more = i->ops[k - 1]->op.put.more && k < i->n;
			op_again(c->store, i->ops[k - 1], &end.why);
		}
	}
}

/* ---- recalled ---- */

static void recalled(struct istore *s, struct iop *op)
{
	struct iend end = {.failed = true, .recalled = true};

	(void)pf_fail(&end.why, PF_SCOPE_ITEM, PF_RETRY_NOW, "recalled before it was sent");
	op_failed(s, op, &end);
}

/* Commands that wait behind others for their first byte to be written. */
static void recall_commands(struct iconn *c)
{
	struct icmd *i, *next;

	conn_close_append(c);
	for (i = c->cmds; i; i = next) {
		next = i->next;
		if (i->kind != ICMD_PUT || !pf_imap_cmd_withdraw(i->cmd)) {
			continue;
		}
		put_end_fed(c, i);
		for (size_t k = 0; k < i->n; k++) {
			recalled(c->store, i->ops[k]);
		}
		icmd_free(c, i);
	}
}

static void recall_queued(struct istore *s, struct ifolder *f)
{
	struct iop **at = &f->first;

	f->last = NULL;
	while (*at) {
		struct iop *op = *at;

		if (op->op.kind == PF_OP_PUT || op->op.kind == PF_OP_COPY) {
			*at = op->next;
			recalled(s, op);
		} else {
			f->last = op;
			at = &op->next;
		}
	}
}

void put_recall(struct istore *s)
{
	for (size_t i = 0; i < CONNECTIONS_MAX; i++) {
		if (s->conn[i] && !s->conn[i]->lost) {
			recall_commands(s->conn[i]);
		}
	}
	for (size_t b = 0; b < PF_COUNT(s->buckets); b++) {
		for (struct ifolder *f = s->buckets[b]; f; f = f->next) {
			recall_queued(s, f);
		}
	}
	s->look_again = true;
}
