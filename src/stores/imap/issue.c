/*
 * From queued operations to commands. A connection serves one folder until its queue is empty, then
 * takes the next one that waits; its SELECT goes out together with the commands behind it, so that
 * many folders cost few round trips.
 */
#include "stores/imap/imap_private.h"

int conn_begin(struct iconn *c, enum pf_imap_cmd_kind kind, struct icmd *owner,
	struct pf_imap_cmd **out, struct pf_err *err)
{
	pf_assert(!c->store->cfg->source || !pf_imap_cmd_writes(kind)); /* promise P1 */
	if (!owner || owner->kind != ICMD_PUT) {
		conn_close_append(c);
	}
	return pf_imap_cmd_new(c->session, kind, owner, out, err);
}

static struct iop *take_op(struct ifolder *f)
{
	struct iop *op = f->first;

	f->first = op->next;
	f->last = f->first ? f->last : NULL;
	op->next = NULL;
	return op;
}

static void give_back(struct ifolder *f, struct iop *op)
{
	op->next = f->first;
	f->first = op;
	f->last = f->last ? f->last : op;
}

static int close_issue(struct iconn *c, struct iop *op, struct pf_err *err)
{
	struct icmd *i = icmd_new(c, ICMD_CLOSE, NULL, err);
	struct pf_imap_cmd *cmd;

	if (!i || icmd_add_op(i, op, err) != PF_OK ||
		conn_begin(c, PF_IMAP_CMD_LOGOUT, i, &cmd, err) != PF_OK) {
		return PF_FAIL;
	}
	for (size_t k = 0; k < CONNECTIONS_MAX; k++) { /* the others just hang up, in good order */
		struct iconn *o = c->store->conn[k];

		if (o && o != c && o->cmd_count == 0) {
			conn_free(&c->store->conn[k]);
		}
	}
	return pf_imap_cmd_send(cmd, false, err);
}

static bool needs_selection(enum pf_op_kind kind)
{
	return kind == PF_OP_GET || kind == PF_OP_FLAGS || kind == PF_OP_REMOVE ||
	       kind == PF_OP_COPY;
}

/* Flags and removals wait for the answer: in another UIDVALIDITY they would hit other messages. */
static bool is_being_selected(const struct iconn *c, const struct ifolder *f)
{
	for (const struct icmd *i = c->cmds; i; i = i->next) {
		if (i->kind == ICMD_SELECT && i->folder == f) {
			return true;
		}
	}
	return false;
}

/* One operation, or as many as one command can serve. PF_AGAIN: it must wait. */
static int issue_one(struct iconn *c, struct ifolder *f, struct pf_err *err)
{
	enum pf_op_kind kind = f->first->op.kind;
	struct iop *op;
	int rc;

	if (f->stale && needs_selection(kind)) {
		struct iend end = {.failed = true};

		select_stale(&end.why);
		op_failed(c->store, take_op(f), &end);
		return PF_OK;
	}
	if (needs_selection(kind) && !c->selected && select_issue(c, f, NULL, err) != PF_OK) {
		return PF_FAIL;
	}
	if (kind == PF_OP_GET) {
		return get_issue(c, f, err);
	}
	if (needs_selection(kind) && is_being_selected(c, f)) {
		return PF_AGAIN;
	}
	if (kind == PF_OP_PUT && c->store->put_refused) {
		return PF_AGAIN;
	}
	op = take_op(f);
	switch (kind) {
	case PF_OP_FOLDERS:
		return folders_issue(c, op, err);
	case PF_OP_LIST:
		return list_issue(c, f, op, err);
	case PF_OP_PUT:
		rc = put_issue(c, f, op, err);
		if (rc == PF_AGAIN) {
			give_back(f, op);
		}
		return rc;
	case PF_OP_FLUSH:
		conn_close_append(c);
		op_done(c->store, op, pf_span(NULL, 0));
		return PF_OK;
	case PF_OP_CLOSE:
		return close_issue(c, op, err);
	default:
		return small_issue(c, f, op, err);
	}
}

static void unlist(struct istore *s, struct ifolder *f, struct ifolder *before)
{
	*(before ? &before->next_ready : &s->ready_first) = f->next_ready;
	s->ready_last = s->ready_last == f ? before : s->ready_last;
	f->next_ready = NULL;
	f->ready = false;
}

/* Whether another connection that could take a folder has less to do. */
static bool another_is_freer(const struct iconn *c)
{
	for (size_t i = 0; i < CONNECTIONS_MAX; i++) {
		const struct iconn *o = c->store->conn[i];

		if (o && o != c && o->state == ICONN_READY && o->load < c->load && !o->lost &&
			!o->bye && !o->retire && !o->append && !o->fed &&
			!(o->folder && o->folder->first)) {
			return true;
		}
	}
	return false;
}

/*
 * The first of those that wait that this connection should serve. What is asked for in a folder is
 * carried out in order, so all that is in flight for one is on one connection.
 */
static struct ifolder *next_ready(struct iconn *c)
{
	struct istore *s = c->store;
	struct ifolder *before = NULL, *f = s->ready_first;

	while (f && f->first && f->cmds > 0 && f->home != c) {
		before = f;
		f = f->next_ready;
	}
	if (f && f->first && f->cmds == 0 && another_is_freer(c)) {
		s->declined = true;
		return NULL;
	}
	if (f) {
		unlist(s, f, before);
	}
	return f;
}

/*
 * The next folder to serve. An open APPEND waits for more of its folder: another folder goes to
 * another connection, or has to wait until this one is flushed.
 */
static bool take_folder(struct iconn *c)
{
	struct ifolder *f;

	if (c->folder && c->folder->first) {
		return true;
	}
	if (c->append || c->fed) {
		return false;
	}
	do {
		f = next_ready(c);
	} while (f && !f->first);
	if (!f) {
		return false;
	}
	if (c->folder) {
		c->folder->conn = NULL;
	}
	c->selected = c->selected && c->folder == f;
	c->folder = f;
	f->conn = c;
	return true;
}

int conn_issue(struct iconn *c, struct pf_err *err)
{
	size_t most;

	if (c->store->lost.text[0] || conn_retires(c) ||
		(patience_lasts(c->store, NULL) && !c->store->closing)) {
		return PF_OK;
	}
	if (squeeze_comes(c)) {
		conn_close_append(c);
		return c->cmd_count > 0 ? PF_OK : squeeze_issue(c, err);
	}
	/* After a pause one command has to go through before others follow. Where a command was
	 * BAD, no more are under way than may be BAD as well. */
	most = c->store->pauses > 0 ? 1 : c->store->bads ? ERRORS_MAX - c->errors : COMMANDS_MAX;
	while (!c->bye && c->cmd_count < most && take_folder(c)) {
		int rc = issue_one(c, c->folder, err);

		if (most == 1) {
			conn_close_append(c);
		}

		if (rc != PF_OK) {
			return rc == PF_AGAIN ? PF_OK : PF_FAIL;
		}
	}
	return PF_OK;
}
