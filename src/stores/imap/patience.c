/*
 * Servers that want to be left alone for a while, and connections that are let go.
 *
 * A server that is throttling says so to any command, mostly to all that are in flight, and may
 * hang up behind it. That is one event: the store is quiet until the time that the server named (or
 * for growing pauses where it named none), what was not done goes back to its queue, and is asked
 * for again in its old order. Nothing of it counts as an error. Pauses in a row, with no command
 * done between them, are limited: then the account is left to the next run.
 */
#include "stores/imap/imap_private.h"

#include <stdio.h>

enum {
	PAUSE_FIRST_MS = 2000,
	PAUSE_MAX_MS = 60 * 1000,
	WISH_MAX_S = 3600, /* a longer wish is taken for a mistake */
	PAUSES_MAX = 10,
};

static int64_t pause_ms(const struct istore *s, const struct pf_err *why, int64_t now)
{
	int64_t pause = PAUSE_FIRST_MS;

	if (why->retry_after_s > 0) {
		pause = why->retry_after_s > WISH_MAX_S ? WISH_MAX_S : why->retry_after_s;
		pause *= 1000;
	} else {
		for (unsigned int i = 1; i < s->pauses && pause < PAUSE_MAX_MS; i++) {
			pause *= 2;
		}
		pause = pause > PAUSE_MAX_MS ? PAUSE_MAX_MS : pause;
	}
	return pause + now * 7919 % (pause / 8 + 1); /* never sooner, and not all at one moment */
}

static void fewer_connections(struct istore *s)
{
	s->conn_max = s->conn_max > 1 ? s->conn_max / 2 : 1;
	s->facts.connections = s->conn_max;
}

void patience_begin(struct istore *s, const struct pf_err *why)
{
	int64_t now = pf_loop_now_ms(s->loop), until;
	struct pf_err enough = *why;

	if (s->quiet_until_ms > now && why->retry_after_s == 0) {
		return; /* the same event, told by another command */
	}
	if (s->quiet_until_ms <= now && ++s->pauses > PAUSES_MAX) {
		enough.scope = PF_SCOPE_SESSION;
		(void)pf_wrap(&enough,
			"it asked for patience %d times in a row and did nothing in between",
			PAUSES_MAX);
		store_lost(s, &enough);
		return;
	}
	until = now + pause_ms(s, why, now);
	if (until <= s->quiet_until_ms) {
		return;
	}
	if (s->quiet_until_ms <= now) {
		struct pf_store_event *note;

		fewer_connections(s);
		note = store_note(s, PF_EV_THROTTLED, pf_span(NULL, 0), pf_span(NULL, 0), 0,
			"asks for patience, waiting %lld s: %s", (long long)(until - now) / 1000,
			why->text);
		if (note) {
			note->note.pause_until_ms = until;
		}
	}
	s->quiet_until_ms = until;
}

bool patience_lasts(const struct istore *s, int64_t *wake_ms)
{
	if (pf_loop_now_ms(s->loop) >= s->quiet_until_ms) {
		return false;
	}
	if (wake_ms && s->quiet_until_ms < *wake_ms) {
		*wake_ms = s->quiet_until_ms;
	}
	return true;
}

/* Done, but slowly on purpose (Gmail). */
void patience_slowed(struct istore *s, const struct pf_imap_resp *r)
{
	if (r->code != PF_IMAP_CODE_THROTTLED || s->slowed) {
		return;
	}
	s->slowed = true;
	fewer_connections(s);
	store_note(s, PF_EV_THROTTLED, pf_span(NULL, 0), pf_span(NULL, 0), 0,
		"works slowly on purpose; no more than %zu connections from now on: %.*s",
		s->conn_max, (int)(r->text.n > 200 ? 200 : r->text.n), (const char *)r->text.p);
}

/* ---- not done, to be asked again ---- */

static void put_again(struct iconn *c, struct icmd *i, const struct pf_err *why)
{
	struct iend end = {.why = *why};

	for (size_t k = 0; k < i->n; k++) {
		struct iop *op = i->ops[k];

		if (op->op.put.body) {
			/* The FLUSH that was to end this group is gone: its last one ends it. */
			op->op.put.more = op->op.put.more && k + 1 < i->n;
			op_back(c->store, op);
		} else { /* its bytes went by */
			op_failed(c->store, op, &end);
		}
	}
	put_end_fed(c, i);
}

static void gets_again(struct iconn *c, struct icmd *i, const struct pf_err *why)
{
	struct iend end = {.why = *why};

	for (size_t k = 0; k < i->n; k++) {
		struct iop *op = i->ops[k];

		if (op->got) {
			op_done(c->store, op, pf_span(NULL, 0));
		} else if (op->given > 0) {
			op_failed(c->store, op, &end);
		} else {
			op_back(c->store, op);
		}
	}
}

static void list_again(struct iconn *c, struct icmd *i, const struct pf_err *why)
{
	struct iop *op = i->ops[0];
	struct iend end = {.why = *why};

	if (!i->last) { /* the command behind it answers for both */
		op->refused = true;
		op->end.why = *why;
	} else if (op->got) {
		op_failed(c->store, op, &end);
	} else {
		op_back(c->store, op);
	}
}

void icmd_again(struct iconn *c, struct icmd *i, const struct pf_err *why)
{
	switch (i->kind) {
	case ICMD_PUT:
		put_again(c, i, why);
		break;
	case ICMD_GET:
		gets_again(c, i, why);
		break;
	case ICMD_LIST:
		list_again(c, i, why);
		break;
	case ICMD_SMALL:
		if (i->last) {
			op_back(c->store, i->ops[0]);
		} else {
			i->ops[0]->again = true;
		}
		break;
	default:
		break;
	}
}

void icmd_fail(struct iconn *c, struct icmd *i, const struct pf_err *why)
{
	struct iend end = {.why = *why, .refused = why->retry == PF_RETRY_NO};
	bool answers = i->kind == ICMD_GET || i->last;

	for (size_t k = 0; answers && k < i->n; k++) {
		if (i->ops[k]) {
			op_failed(c->store, i->ops[k], &end);
		}
	}
}

/* ---- connections that are let go ---- */

static size_t alive(const struct istore *s)
{
	size_t n = 0;

	for (size_t i = 0; i < CONNECTIONS_MAX; i++) {
		n += s->conn[i] && !s->conn[i]->lost;
	}
	return n;
}

static bool is_last(const struct iconn *c)
{
	for (size_t i = c->number + 1; i < CONNECTIONS_MAX; i++) {
		if (c->store->conn[i] && !c->store->conn[i]->lost) {
			return false;
		}
	}
	return true;
}

bool conn_retires(struct iconn *c)
{
	c->retire = c->retire || c->errors >= ERRORS_MAX ||
		    (alive(c->store) > c->store->conn_max && is_last(c));
	if (!c->retire) {
		return false;
	}
	conn_close_append(c);
	if (c->cmd_count == 0 && !c->fed && pf_imap_session_busy(c->session) == 0) {
		c->lost = true; /* on purpose: no pause, no note */
		conn_leave_folder(c);
	}
	return true;
}

/* One more connection than the server allows: it says so, or does not let it in beside others. */
bool conn_over_cap(struct iconn *c, const struct pf_err *why)
{
	struct istore *s = c->store;
	size_t ready = 0;

	for (size_t i = 0; i < CONNECTIONS_MAX; i++) {
		ready += s->conn[i] && !s->conn[i]->lost && s->conn[i]->state == ICONN_READY;
	}
	if (s->conn_max <= 1 ||
		(why->number != PF_EV_CONNECTION_CAP && (c->state == ICONN_READY || ready == 0))) {
		return false;
	}
	s->conn_max = ready > 0 ? ready : 1;
	s->facts.connections = s->conn_max;
	store_note(s, PF_EV_CONNECTION_CAP, pf_span(NULL, 0), pf_span(NULL, 0), 0,
		"no more than %zu connections from now on: %s", s->conn_max, why->text);
	return true;
}

enum { COMPRESS_AT = 0 }; /* in OPTIONAL */

static const struct {
	enum pf_imap_cmd_kind kind;
	uint32_t cap;
} OPTIONAL[] = {
	[COMPRESS_AT] = {PF_IMAP_CMD_COMPRESS, PF_IMAP_CAP_COMPRESS},
	{PF_IMAP_CMD_ID, PF_IMAP_CAP_ID},
	{PF_IMAP_CMD_ENABLE, PF_IMAP_CAP_ENABLE},
	{PF_IMAP_CMD_NAMESPACE, PF_IMAP_CAP_NAMESPACE},
	{PF_IMAP_CMD_QUOTA, PF_IMAP_CAP_QUOTA},
	{PF_IMAP_CMD_XLIST, PF_IMAP_CAP_XLIST},
};

static void feature_off(struct istore *s, size_t i, const char *why)
{
	s->caps_off |= OPTIONAL[i].cap;
	if (OPTIONAL[i].cap == PF_IMAP_CAP_ENABLE) {
		s->caps_off |= PF_IMAP_CAP_QRESYNC; /* it must be enabled */
		s->facts.caps &= ~(uint32_t)PF_CAP_LIST_DELTA;
	}
	s->caps &= ~s->caps_off;
	store_note(s, PF_EV_FEATURE_OFF, pf_span(NULL, 0), pf_span(NULL, 0), 0,
		"%s is not used with this server: %s", pf_imap_cmd_name(OPTIONAL[i].kind), why);
}

void feature_refused(struct istore *s, enum pf_imap_cmd_kind kind, const struct pf_imap_resp *r)
{
	struct pf_err why;

	(void)pf_imap_refusal(&why, PF_SCOPE_ITEM, kind, r);
	for (size_t i = 0; i < PF_COUNT(OPTIONAL); i++) {
		if (OPTIONAL[i].kind == kind && !(s->caps_off & OPTIONAL[i].cap)) {
			feature_off(s, i, why.text);
		}
	}
}

/* A server that drops the link at a command which we can do without (Exchange 2003 at NAMESPACE).
 * Once may be chance. */
bool feature_drops(struct iconn *c, const struct pf_err *why)
{
	struct istore *s = c->store;
	enum pf_imap_cmd_kind kind;

	if (squeeze_failed(c)) {
		feature_off(s, COMPRESS_AT, why->text);
		return true;
	}
	if (c->state != ICONN_READY || !pf_imap_session_oldest(c->session, &kind)) {
		return false;
	}
	for (size_t i = 0; i < PF_COUNT(OPTIONAL); i++) {
		if (OPTIONAL[i].kind == kind && ++s->drops[i] == DROPS_MAX) {
			feature_off(s, i, why->text);
			return true;
		}
	}
	return false;
}
