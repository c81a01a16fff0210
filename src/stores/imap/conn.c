/*
 * One connection: its commands in flight, and bytes between socket and session.
 */
#include "stores/imap/imap_private.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { EVENTS_A_STEP = 4096 };

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

void conn_leave_folder(struct iconn *c)
{
	if (c->folder) {
		c->folder->conn = NULL;
		folder_ready(c->store, c->folder);
		c->folder = NULL;
	}
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

/* ---- steps ---- */

/* Events until one is for the engine, or there are no more bytes. */
static int take_events(
	struct iconn *c, struct pf_store_event *out, bool *given, bool *moved, struct pf_err *err)
{
	for (int n = 0; n < EVENTS_A_STEP && !*given && !c->store->notes.first; n++) {
		struct pf_imap_session_event ev;
		int rc = pf_imap_session_next(c->session, &ev, err);

		if (rc == PF_AGAIN) {
			return PF_OK;
		}
		*moved = true;
		if (rc != PF_OK || conn_event(c, &ev, out, given, err) != PF_OK) {
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
		if (*given || c->store->notes.first) {
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
