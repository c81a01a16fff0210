/*
 * One connection: bytes between socket and session, the session's events to those whom they
 * concern, and its end.
 */
#include "base/utf8.h"
#include "stores/imap/imap_private.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { EVENTS_A_STEP = 4096, BACKOFF_FIRST_MS = 250, BACKOFF_MAX_MS = 30000, LOSSES_AT_FIRST = 2 };

/* ---- commands in flight ---- */

struct icmd *icmd_new(struct iconn *c, enum icmd_kind kind, struct ifolder *f, struct pf_err *err)
{
	struct icmd *i = calloc(1, sizeof(*i));
	struct icmd **at = &c->cmds;

	if (!i) {
		(void)pf_fail_memory(err, "a command");
		return NULL;
	}
	i->kind = kind;
	i->folder = f;
	if (f) {
		f->home = c;
		f->cmds++;
	}
	pf_buf_init(&i->permanent, 1 << 20);
	while (*at) {
		at = &(*at)->next;
	}
	*at = i;
	c->cmd_count++;
	return i;
}

int icmd_add_op(struct icmd *i, struct iop *op, struct pf_err *err)
{
	if (i->n == i->cap) {
		size_t cap = i->cap ? i->cap * 2 : 4;
		struct iop **grown = realloc(i->ops, cap * sizeof(struct iop *));

		if (!grown) {
			return pf_fail_memory(err, "a command");
		}
		i->ops = grown;
		i->cap = cap;
	}
	i->ops[i->n++] = op;
	return PF_OK;
}

void icmd_weigh(struct iconn *c, struct icmd *i, uint64_t bytes)
{
	i->bytes += bytes;
	c->load += bytes;
}

void icmd_free(struct iconn *c, struct icmd *i)
{
	struct icmd **at = &c->cmds;
	struct ifolder *f = i->folder;

	while (*at && *at != i) {
		at = &(*at)->next;
	}
	if (*at) {
		*at = i->next;
		c->cmd_count--;
		c->load -= i->bytes;
		c->pace.block = c->cmd_count > 0 ? c->pace.block : 0;
		if (f && --f->cmds == 0 && f->ready) {
			c->store->look_again = true;
		}
	}
	if (c->append == i) {
		c->append = NULL;
	}
	if (c->reading == i) {
		c->reading = NULL;
	}
	free(i->ops);
	pf_buf_deinit(&i->permanent);
	free(i);
}

/* ---- beginning and end ---- */

int conn_new(struct istore *s, size_t number, struct pf_err *err)
{
	const struct pf_url *url = s->cfg->url;
	struct pf_imap_session_cfg session = {.idle_ms = (int64_t)s->cfg->idle_timeout_s * 1000};
	bool tls = strcmp(url->scheme, "imaps") == 0;
	struct pf_conn_cfg cfg = {
		.host = url->host,
		.port = url->port ? url->port
			: tls     ? 993
				  : 143,
		.tls = s->cfg->tls,
		.tls_at_once = tls,
		.stirred = s->cfg->stirred,
	};
	struct iconn *c = calloc(1, sizeof(*c));

	if (!c) {
		return pf_fail_memory(err, "a connection");
	}
	c->store = s;
	c->number = number;
	pf_buf_init(&c->binding, 4096);
	s->conn[number] = c;
	c->session = pf_imap_session_new(&session, pf_loop_now_ms(s->loop));
	if (!c->session) {
		return pf_fail_memory(err, "a connection");
	}
	if (pf_conn_open(s->loop, &cfg, &c->net, err) != PF_OK) {
		conn_lose(c, err);
	}
	return PF_OK;
}

void conn_free(struct iconn **conn)
{
	struct iconn *c = *conn;

	if (!c) {
		return;
	}
	pf_imap_session_free(&c->session);
	pf_conn_close(&c->net);
	pf_sasl_free(&c->sasl);
	pf_secret_clear(&c->secret);
	pf_blob_unref(&c->blob);
	pf_buf_deinit(&c->binding);
	while (c->cmds) {
		icmd_free(c, c->cmds);
	}
	free(c);
	*conn = NULL;
}

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

void conn_leave_folder(struct iconn *c)
{
	if (c->folder) {
		c->folder->conn = NULL;
		folder_ready(c->store, c->folder);
		c->folder = NULL;
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

/* A lost connection: what can be begun anew is; how soon depends on how often that happens. */
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

/* ---- bytes ---- */

static void trace(
	struct iconn *c, char direction, const struct pf_span *spans, size_t n, size_t bytes)
{
	struct pf_trace *t = c->store->cfg->trace;

	for (size_t i = 0; t && i < n && bytes > 0; i++) {
		size_t part = spans[i].n < bytes ? spans[i].n : bytes;

		t->bytes(t, c->number, direction, pf_span(spans[i].p, part));
		bytes -= part;
	}
}

/* Bytes are paid for after they moved: --rate holds over a second, not over each call. */
static bool within_rate(struct istore *s, int64_t *wake_ms)
{
	uint64_t rate = s->cfg->rate_bytes_s;
	int64_t now = pf_loop_now_ms(s->loop);
	uint64_t paid;

	if (rate == 0) {
		return true;
	}
	paid = (uint64_t)(now - s->rate_at_ms) * rate / 1000;
	s->rate_debt = s->rate_debt > paid ? s->rate_debt - paid : 0;
	s->rate_at_ms = now;
	if (s->rate_debt < rate / 10) {
		return true;
	}
	now += (int64_t)(s->rate_debt * 1000 / rate) + 1;
	*wake_ms = now < *wake_ms ? now : *wake_ms;
	return false;
}

static int write_out(struct iconn *c, int64_t *wake_ms, struct pf_err *err)
{
	for (;;) {
		struct pf_span spans[SPANS];
		bool secret = false;
		size_t n, sent = 0;
		int rc;

		if (!within_rate(c->store, wake_ms)) {
			return PF_OK;
		}
		n = pf_imap_session_pending(c->session, spans, SPANS, &secret);
		if (n == 0) {
			return pf_conn_flush(c->net, err) == PF_FAIL ? PF_FAIL : PF_OK;
		}
		rc = pf_conn_write(c->net, spans, n, &sent, err);
		if (rc == PF_AGAIN) {
			squeeze_judge(c, 0);
			return PF_OK;
		}
		if (rc != PF_OK) {
			return rc;
		}
		if (secret) {
			static const char MASK[] = "***\r\n";
			struct pf_span mask = pf_span(MASK, sizeof(MASK) - 1);

			trace(c, '>', &mask, 1, mask.n);
		} else {
			trace(c, '>', spans, n, sent);
		}
		c->store->rate_debt += sent;
		c->store->facts.moved[1] += sent;
		squeeze_judge(c, sent);
		pf_imap_session_sent(c->session, sent);
	}
}

/* PF_OK: something came; PF_AGAIN: nothing now. */
static int read_in(struct iconn *c, int64_t *wake_ms, struct pf_err *err)
{
	uint8_t *p;
	size_t room, got = 0;
	struct pf_span came;
	bool direct;
	int rc;

	if (c->input_ended || !within_rate(c->store, wake_ms)) {
		return PF_AGAIN;
	}
	direct = get_room(c, &p, &room);
	if (!direct && pf_imap_session_space(c->session, &p, &room, err) != PF_OK) {
		return PF_FAIL;
	}
	rc = pf_conn_read(c->net, p, room, &got, err);
	if (rc == PF_END) {
		c->input_ended = true;
		return PF_AGAIN;
	}
	squeeze_judge(c, rc == PF_OK ? got : 0);
	if (rc == PF_OK) {
		came = pf_span(p, got);
		trace(c, '<', &came, 1, got);
		c->store->rate_debt += got;
		c->store->facts.moved[0] += got;
		if (direct) {
			c->blob_n += got;
			pf_imap_session_took(c->session, got);
		} else {
			pf_imap_session_filled(c->session, got);
		}
	}
	return rc;
}

/* ---- events of the session ---- */

static int on_data(struct iconn *c, const struct pf_imap_session_event *ev,
	struct pf_store_event *out, bool *given, struct pf_err *err)
{
	struct icmd *i = ev->owner;

	if (ev->resp->kind == PF_IMAP_FETCH && ev->resp->fetch.bodies > 0) {
		return get_data(c, ev->resp, out, given, err);
	}
	if (ev->resp->kind == PF_IMAP_FETCH) { /* of a listing, too, if there is one */
		get_described(c, &ev->resp->fetch);
	}
	if (ev->resp->kind ==
		PF_IMAP_FETCH) { /* a row without body is for a listing, if there is one */
		for (i = c->cmds; i && i->kind != ICMD_LIST; i = i->next) {
		}
	}
	if (!i || i->unselected) {
		return PF_OK;
	}
	switch (i->kind) {
	case ICMD_SETUP:
	case ICMD_FOLDERS:
		return folders_data(c, ev, err);
	case ICMD_SELECT:
		return select_data(i, ev->resp, err);
	case ICMD_LIST:
		return list_data(c, i, ev->resp, out, given, err);
	default:
		return PF_OK;
	}
}

/*
 * A refusal that is not about what was asked: *taken, the command is settled. PF_FAIL: the whole
 * store is refused.
 */
static int refused_as_such(struct iconn *c, struct icmd *i, const struct pf_imap_session_event *ev,
	bool *taken, struct pf_err *err)
{
	struct pf_err why;

	*taken = i->unselected;
	if (i->unselected) {
		why = i->why;
	} else if (ev->resp->cond == PF_IMAP_OK) {
		return PF_OK;
	} else {
		(void)pf_imap_refusal(&why, PF_SCOPE_ITEM, ev->cmd, ev->resp);
		c->errors += ev->resp->cond == PF_IMAP_BAD;
		c->store->bads = c->store->bads || c->errors > 0;
	}
	if (why.scope >= PF_SCOPE_STORE) {
		*taken = false; /* it is lost with the connection */
		*err = why;
		return PF_FAIL;
	}
	if (why.number == PF_EV_THROTTLED && i->kind != ICMD_CLOSE && !c->store->closing) {
		*taken = true;
		if (!i->unselected) { /* else the SELECT has said it */
			c->store->put_off = i->kind;
			patience_begin(c->store, &why);
		}
		if (i->kind == ICMD_SELECT) {
			select_failed(c, i, &why);
		} else if (i->kind == ICMD_FOLDERS) {
			return folders_again(c, i, err);
		} else {
			icmd_again(c, i, &why);
		}
	} else if (*taken) {
		icmd_fail(c, i, &why);
	}
	return PF_OK;
}

/* What nobody of ours waits for. */
static void nobodys(struct iconn *c, const struct pf_imap_session_event *ev)
{
	if (ev->cmd == PF_IMAP_CMD_ENABLE && ev->resp->cond != PF_IMAP_OK) {
		feature_refused(c->store, ev->cmd, ev->resp);
	}
}

static int settle(struct iconn *c, struct icmd *i, const struct pf_imap_session_event *ev,
	struct pf_store_event *out, bool *given, struct pf_err *err)
{
	int rc = PF_OK;

	switch (i->kind) {
	case ICMD_SETUP:
		break;
	case ICMD_FOLDERS:
		rc = folders_done(c, i, ev, err);
		break;
	case ICMD_SELECT:
		rc = select_done(c, i, ev, out, given, err);
		break;
	case ICMD_LIST:
		rc = list_done(c, i, ev, err);
		break;
	case ICMD_GET:
		rc = get_done(c, i, ev);
		break;
	case ICMD_PUT:
		rc = put_done(c, i, ev);
		break;
	case ICMD_SMALL:
		rc = small_done(c, i, ev, err);
		break;
	case ICMD_COMPRESS:
		rc = squeeze_done(c, ev, err);
		break;
	case ICMD_CLOSE:
		for (size_t k = 0; k < i->n; k++) {
			op_done(c->store, i->ops[k], pf_span(NULL, 0));
		}
		c->store->closed = true;
		break;
	}
	return rc;
}

/* It works: what went wrong before does not count any more. */
static void works(struct istore *s, const struct icmd *i, const struct pf_imap_resp *r)
{
	s->losses = 0;
	s->broken_folders = 0;
	if (i && r->cond == PF_IMAP_OK) {
		patience_slowed(s, r);
		if (i->kind == s->put_off || s->put_off == ICMD_SETUP) {
			s->pauses = 0;
			s->put_off = ICMD_SETUP;
		}
	}
}

static int on_done(struct iconn *c, const struct pf_imap_session_event *ev,
	struct pf_store_event *out, bool *given, struct pf_err *err)
{
	struct icmd *i = ev->owner;
	bool taken = false;
	int rc;

	works(c->store, i, ev->resp);
	c->squeeze_works = pf_conn_is_deflated(c->net);
	if (!i) {
		nobodys(c, ev);
		return PF_OK;
	}
	rc = refused_as_such(c, i, ev, &taken, err);
	if (rc != PF_OK && !taken) {
		return PF_FAIL;
	}
	if (!taken) {
		rc = settle(c, i, ev, out, given, err);
	}
	icmd_free(c, i);
	return rc;
}

static int on_event(struct iconn *c, const struct pf_imap_session_event *ev,
	struct pf_store_event *out, bool *given, struct pf_err *err)
{
	if (ev->kind == PF_IMAP_EV_BYE) {
		c->bye = true;
		return pf_imap_refusal(err, PF_SCOPE_SESSION, PF_IMAP_CMD_LOGOUT, ev->resp);
	}
	if (ev->kind == PF_IMAP_EV_ODD) {
		const struct icmd *i = ev->owner;
		const struct ifolder *f = i && i->folder ? i->folder : c->folder;

		store_note(c->store, PF_EV_UNREADABLE_RESPONSE,
			f ? pf_buf_span(&f->id) : pf_span(NULL, 0), ev->piece->text,
			ev->piece->stream_at, "%s", ev->why->text);
		if (ev->resp->kind == PF_IMAP_FETCH) {
			list_odd(c);
		}
		return PF_OK;
	}
	if (c->state != ICONN_READY) {
		return auth_event(c, ev, err);
	}
	switch (ev->kind) {
	case PF_IMAP_EV_DATA:
		return on_data(c, ev, out, given, err);
	case PF_IMAP_EV_HEAD:
		return get_head(c, ev->piece, err);
	case PF_IMAP_EV_BODY:
		get_body(c, ev->piece, out, given);
		return PF_OK;
	case PF_IMAP_EV_DONE:
		return on_done(c, ev, out, given, err);
	default:
		return PF_OK;
	}
}

/* In whatever response it comes, the greeting and a BYE too: the user must see it (RFC 9051 7.1).
 */
static void note_alert(struct iconn *c, const struct pf_imap_session_event *ev)
{
	const struct pf_imap_resp *r = ev->resp;
	bool status = ev->kind == PF_IMAP_EV_GREETING || ev->kind == PF_IMAP_EV_DONE ||
		      ev->kind == PF_IMAP_EV_BYE ||
		      (ev->kind == PF_IMAP_EV_DATA && r->kind == PF_IMAP_COND);

	if (status && r->code == PF_IMAP_CODE_ALERT) {
		store_note(c->store, PF_EV_ALERT, pf_span(NULL, 0), pf_span(NULL, 0), 0, "%.*s",
			(int)(r->text.n > 400 ? 400 : r->text.n), (const char *)r->text.p);
	}
}

/* Events until one is for the engine, or there are no more bytes. */
static int take_events(
	struct iconn *c, struct pf_store_event *out, bool *given, bool *moved, struct pf_err *err)
{
	for (int n = 0; n < EVENTS_A_STEP && !*given && !c->store->has_held; n++) {
		struct pf_imap_session_event ev;
		int rc = pf_imap_session_next(c->session, &ev, err);

		if (rc == PF_AGAIN) {
			return PF_OK;
		}
		*moved = true;
		if (rc == PF_OK) {
			note_alert(c, &ev);
		}
		if (rc != PF_OK || on_event(c, &ev, out, given, err) != PF_OK) {
			return PF_FAIL;
		}
		if (c->store->ended_first && c->state == ICONN_READY && n > 64) {
			return PF_OK; /* let the ends be told before more comes */
		}
	}
	return PF_OK;
}

/* Tell the feeder of a large item that there is room. */
static void tell_hungry(struct iconn *c, struct pf_store_event *out, bool *given)
{
	if (!c->fed || !c->fed_hungry || *given) {
		return;
	}
	for (struct icmd *i = c->cmds; i; i = i->next) {
		if (i->kind == ICMD_PUT && i->n == 1 && i->ops[0] == c->fed &&
			pf_imap_cmd_hungry(i->cmd)) {
			c->fed_hungry = false;
			*out = (struct pf_store_event){
				.kind = PF_STORE_HUNGRY, .op = c->fed->op.id};
			*given = true;
		}
	}
}

static int move(struct iconn *c, struct pf_store_event *out, bool *given, int64_t *wake_ms,
	struct pf_err *err)
{
	bool moved;

	do {
		int rc;

		moved = false;
		if (take_events(c, out, given, &moved, err) != PF_OK) {
			return PF_FAIL;
		}
		if (c->state == ICONN_TLS) {
			return PF_OK; /* the handshake goes first */
		}
		if (c->state == ICONN_READY && conn_issue(c, err) != PF_OK) {
			return PF_FAIL;
		}
		if (write_out(c, wake_ms, err) != PF_OK) {
			return PF_FAIL;
		}
		tell_hungry(c, out, given);
		if (*given || c->store->has_held) {
			return PF_OK;
		}
		rc = read_in(c, wake_ms, err);
		if (rc == PF_FAIL) {
			return PF_FAIL;
		}
		moved = moved || rc == PF_OK;
	} while (moved && !c->store->ended_first);
	if (c->input_ended && !moved) {
		return pf_fail(err, PF_SCOPE_SESSION, PF_RETRY_LATER, "the server hung up%s",
			pf_imap_session_at_rest(c->session) ? "" : " within a response");
	}
	return pf_imap_session_tick(c->session, pf_loop_now_ms(c->store->loop), wake_ms, err);
}

static int step(struct iconn *c, struct pf_store_event *out, bool *given, int64_t *wake_ms,
	struct pf_err *err)
{
	if (c->state == ICONN_CONNECTING || c->state == ICONN_TLS) {
		int rc = pf_conn_poll(c->net, wake_ms, err);

		if (rc != PF_OK) {
			return rc == PF_AGAIN ? PF_OK : PF_FAIL;
		}
		if (c->state == ICONN_TLS) {
			if (auth_after_tls(c, err) != PF_OK) {
				return PF_FAIL;
			}
		} else {
			c->state = ICONN_GREETING;
		}
	}
	return move(c, out, given, wake_ms, err);
}

int conn_step(struct iconn *c, struct pf_store_event *out, bool *given, int64_t *wake_ms,
	struct pf_err *err)
{
	struct pf_err why;

	pf_err_clear(&why);
	if (c->lost) {
		return PF_OK;
	}
	if (step(c, out, given, wake_ms, &why) == PF_OK) {
		return PF_OK;
	}
	if (why.scope == PF_SCOPE_RUN) {
		*err = why;
		return PF_FAIL;
	}
	if (*given) { /* what it gave is still good; the loss shows at the next step */
		c->input_ended = true;
		return PF_OK;
	}
	if (c->store->closing) {
		c->store->closed = true;
	}
	conn_lose(c, &why);
	return PF_OK;
}
