/*
 * A connection is gone: what becomes of each thing that was asked for over it, and when another one
 * is made.
 */
#include "stores/imap/imap_private.h"

enum { BACKOFF_FIRST_MS = 250, BACKOFF_MAX_MS = 30000, LOSSES_AT_FIRST = 2 };

/*
 * The message that was being read when the connection broke may be the cause: it goes to the end of
 * the queue, alone, and after some times it is given up. The others begin anew as if nothing had
 * been.
 */
static void suspect(struct iconn *c, struct iop *op, const struct pf_err *why)
{
	struct istore *s = c->store;
	struct ifolder *f = op->folder;
	bool within = !pf_imap_session_at_rest(c->session);
	bool all = ++f->breaks >= BREAKS_MAX && !within;
	struct iend end = {.refused = within};

	if (++op->tries < TRIES && !all) {
		op->alone = true;
		op_behind(s, op);
		return;
	}
	/* Between two rows it may have been chance all the same: then later once more. */
	(void)pf_fail(&end.why, PF_SCOPE_ITEM, within ? PF_RETRY_NO : PF_RETRY_LATER,
		"the connection broke each of %u times it was read: %s", op->tries, why->text);
	if (all) {
		(void)pf_fail(&end.why, PF_SCOPE_ITEM, PF_RETRY_LATER,
			"the connection broke each of %u times that its folder was read: %s",
			f->breaks, why->text);
		get_put_off(s, f, &end);
	}
	if (within && second_begin(s, op, &end)) {
		return;
	}
	op_failed(s, op, &end);
}

/*
 * The first message that did not come of the oldest command that asks for some: the one that a row
 * had begun for, or that was to come next when nothing else was to be answered before it.
 */
static struct iop *being_read(const struct iconn *c)
{
	if (pf_imap_session_at_rest(c->session) && c->cmds && c->cmds->kind != ICMD_GET) {
		return NULL;
	}
	for (const struct icmd *i = c->cmds; i; i = i->next) {
		for (size_t k = 0; i->kind == ICMD_GET && k < i->n; k++) {
			if (i->ops[k] && !i->ops[k]->got) {
				return i->ops[k];
			}
		}
	}
	return NULL;
}

/* What becomes of one operation of a command whose connection is gone. */
static void lose_op(struct iconn *c, const struct icmd *i, struct iop *op, const struct pf_err *why)
{
	struct istore *s = c->store;
	struct iend end = {.why = *why};
	bool is_get = op->op.kind == PF_OP_GET;

	end.why.scope = PF_SCOPE_ITEM;
	end.why.retry = end.why.retry == PF_RETRY_NO ? PF_RETRY_NOW : end.why.retry;
	if (op->second) {
		second_lost(s, op);
	} else if (i->kind == ICMD_CLOSE || (is_get && op->got)) {
		op_done(s, op, pf_span(NULL, 0));
	} else if ((op->op.kind == PF_OP_LIST && op->got) || (is_get && op->given > 0)) {
		op_failed(s, op, &end); /* a part was given out: it can't begin anew */
	} else if (op == c->suspected) {
		suspect(c, op, why);
	} else if (i->kind == ICMD_GET) {
		op->next = op->folder->first;
		op->folder->first = op;
		op->folder->last = op->folder->last ? op->folder->last : op;
		folder_ready(s, op->folder);
	} else {
		if (i->kind == ICMD_FOLDERS) {
			folders_free(s);
		}
		op_again(s, op, &end.why);
	}
}

/* What becomes of the operations of a command whose connection is gone. */
static void lose_cmd(struct iconn *c, struct icmd *i, const struct pf_err *why)
{
	struct istore *s = c->store;

	if (i->kind == ICMD_PUT) {
		put_lost(c, i, why);
		return;
	}
	/* Several commands may serve one operation: the last of them answers for it. */
	if (i->kind == ICMD_SELECT || (i->kind == ICMD_LIST && !i->last) ||
		(i->kind == ICMD_SMALL && !i->last) ||
		(i->kind == ICMD_FOLDERS && !s->listing_op)) {
		return;
	}
	if (i->kind == ICMD_SMALL && small_lost(c, i, why)) {
		return;
	}
	/* Backwards, as each goes to the front of its folder's queue. */
	for (size_t k = i->n; k > 0; k--) {
		if (i->ops[k - 1]) {
			lose_op(c, i, i->ops[k - 1], why);
		}
	}
}

/* When to try anew: after the patience that was asked for, or after growing pauses. */
static void reconnect_later(struct iconn *c, const struct pf_err *why)
{
	struct istore *s = c->store;
	int64_t pause = BACKOFF_FIRST_MS;

	if (why->number == PF_EV_THROTTLED) {
		patience_begin(s, why);
	}
	if (patience_lasts(s, NULL) || s->lost.text[0] || conn_over_cap(c, why) ||
		feature_drops(c, why)) {
		return;
	}
	if (++s->losses > (s->ready ? LOSSES_MAX : LOSSES_AT_FIRST)) {
		store_lost(s, why);
		return;
	}
	for (unsigned int i = 1; i < s->losses && pause < BACKOFF_MAX_MS; i++) {
		pause *= 2;
	}
	pause = why->retry_after_s > 0 ? (int64_t)why->retry_after_s * 1000 : pause;
	s->reconnect_ms = pf_loop_now_ms(s->loop) + pause;
	store_note(s, PF_EV_CONNECTION_LOST, pf_span(NULL, 0), pf_span(NULL, 0), 0,
		"connected anew in %lld ms: %s", (long long)pause, why->text);
}

void conn_lose(struct iconn *c, const struct pf_err *why)
{
	struct istore *s = c->store;
	struct ifolder *opening;

	if (c->lost) {
		return;
	}
	c->lost = true;
	c->why = *why;
	c->suspected = being_read(c);
	opening = c->cmds && c->cmds->kind == ICMD_SELECT ? c->cmds->folder : NULL;
	while (c->cmds) {
		struct icmd *last = c->cmds;

		while (last->next) {
			last = last->next;
		}
		lose_cmd(c, last, why);
		icmd_free(c, last);
	}
	conn_leave_folder(c);
	if (s->closing || s->lost.text[0]) {
		return;
	}
	if (why->scope >= PF_SCOPE_STORE) {
		store_lost(s, why);
		return;
	}
	if (opening) {
		select_broke(s, opening, why);
	}
	reconnect_later(c, why);
}
