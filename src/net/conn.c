/*
 * Names, addresses and sockets. Addresses are tried in turn; when one does not answer within a
 * moment the next is tried beside it, and the first that gets through is kept (RFC 8305, kept
 * simple).
 */
#include "net/conn_private.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

enum { NEXT_ADDRESS_MS = 300, CONNECT_TIMEOUT_MS = 30000, SPANS_MAX = 64 };

/* A name being looked up; libuv's thread may end after the connection that asked. */
struct resolving {
	uv_getaddrinfo_t request;
	struct pf_conn *conn;
};

static void stir(struct pf_conn *c)
{
	pf_loop_stir(c->loop);
	if (c->stirred) {
		*c->stirred = true;
	}
}

static void on_resolved(uv_getaddrinfo_t *request, int status, struct addrinfo *found)
{
	struct resolving *r = pf_container_of(request, struct resolving, request);
	struct pf_conn *c = r->conn;

	free(r);
	if (!c) {
		uv_freeaddrinfo(found);
		return;
	}
	c->resolving = NULL;
	stir(c);
	if (status != 0) {
		bool passing = status == UV_EAI_AGAIN;

		c->state = CONN_FAILED;
		(void)pf_fail(&c->why, passing ? PF_SCOPE_SESSION : PF_SCOPE_STORE,
			passing ? PF_RETRY_LATER : PF_RETRY_NO,
			"host %s can't be found (%s): check the name, or the name service", c->host,
			uv_strerror(status));
		return;
	}
	c->addresses = found;
	c->next_address = found;
	c->state = CONN_CONNECTING;
}

static int resolve(struct pf_conn *c, struct pf_err *err)
{
	struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICSERV};
	char port[16];
	int rc;

	c->resolving = calloc(1, sizeof(*c->resolving));
	if (!c->resolving) {
		return pf_fail_memory(err, "a connection");
	}
	c->resolving->conn = c;
	(void)snprintf(port, sizeof(port), "%d", c->port);
	rc = uv_getaddrinfo(
		pf_loop_uv(c->loop), &c->resolving->request, on_resolved, c->host, port, &hints);
	if (rc != 0) {
		free(c->resolving);
		c->resolving = NULL;
		return pf_fail(err, PF_SCOPE_STORE, PF_RETRY_NO, "host %s can't be looked up: %s",
			c->host, uv_strerror(rc));
	}
	return PF_OK;
}

int pf_conn_open(struct pf_loop *loop, const struct pf_conn_cfg *cfg, struct pf_conn **out,
	struct pf_err *err)
{
	struct pf_conn *c = calloc(1, sizeof(*c));

	if (!c) {
		return pf_fail_memory(err, "a connection");
	}
	c->loop = loop;
	c->host = strdup(cfg->host);
	c->port = cfg->port;
	c->tls = cfg->tls;
	c->tls_at_once = cfg->tls_at_once;
	c->stirred = cfg->stirred;
	c->deadline_ms = pf_loop_now_ms(loop) +
			 (cfg->connect_timeout_ms ? cfg->connect_timeout_ms : CONNECT_TIMEOUT_MS);
	if (!c->host || resolve(c, err) != PF_OK) {
		if (!c->host) {
			(void)pf_fail_memory(err, "a connection");
		}
		pf_conn_close(&c);
		return PF_FAIL;
	}
	*out = c;
	return PF_OK;
}

static void on_closed(uv_handle_t *handle)
{
	free(pf_container_of((uv_poll_t *)handle, struct attempt, poll));
}

static void attempt_close(struct attempt **a)
{
	if (!*a) {
		return;
	}
	(*a)->conn = NULL;
	if ((*a)->polling) {
		(void)uv_poll_stop(&(*a)->poll); /* never fails */
		(void)close((*a)->fd);
		uv_close((uv_handle_t *)&(*a)->poll, on_closed);
	} else {
		(void)close((*a)->fd);
		free(*a);
	}
	*a = NULL;
}

void pf_conn_close(struct pf_conn **conn)
{
	struct pf_conn *c = *conn;

	if (!c) {
		return;
	}
	conn_deflate_free(c);
	conn_tls_end(c);
	if (c->resolving) {
		c->resolving->conn = NULL;
	}
	for (size_t i = 0; i < ATTEMPTS_MAX; i++) {
		attempt_close(&c->attempt[i]);
	}
	attempt_close(&c->io);
	uv_freeaddrinfo(c->addresses);
	free(c->host);
	free(c);
	*conn = NULL;
}

/* ---- connecting ---- */

static void on_io(uv_poll_t *poll, int status, int events)
{
	struct attempt *a = pf_container_of(poll, struct attempt, poll);
	struct pf_conn *c = a->conn;
	int left = 0;

	/* What did not come is still waited for. What came stays polled as long as somebody reads
	 * it up in between, which saves two system calls a wait; an error shows at the next read or
	 * write, with its reason. */
	if (c && status == 0) {
		left = (c->polled & ~events) | (events & c->armed & UV_READABLE);
	}
	if (left == 0) {
		(void)uv_poll_stop(poll);
	} else if (left != c->polled) {
		(void)uv_poll_start(poll, left, on_io); /* fails for a closed handle only */
	}
	if (c) {
		c->armed = status == 0 ? c->armed & ~events : 0;
		c->polled = left;
		stir(c);
	}
}

void conn_arm(struct pf_conn *c, int events)
{
	if (!c->io) {
		return;
	}
	c->armed |= events;
	if ((c->polled | events) != c->polled) {
		c->polled |= events;
		(void)uv_poll_start(
			&c->io->poll, c->polled, on_io); /* fails for a closed handle only */
	}
}

static void note_failure(struct pf_conn *c, int sys)
{
	errno = sys;
	(void)pf_fail_sys(
		&c->why, PF_SCOPE_SESSION, PF_RETRY_LATER, "%s port %d", c->host, c->port);
}

static int begin_attempt(struct pf_conn *c, struct attempt **slot)
{
	const struct addrinfo *to = c->next_address;
	struct attempt *a = calloc(1, sizeof(*a));
	int on = 1;

	c->next_address = to->ai_next;
	if (!a) {
		note_failure(c, ENOMEM);
		return PF_FAIL;
	}
	a->conn = c;
	a->fd = socket(to->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (a->fd < 0) {
		note_failure(c, errno);
		free(a);
		return PF_FAIL;
	}
	/* Both are comforts: without them it only is slower, or a dead peer is noticed later. */
	(void)setsockopt(a->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	(void)setsockopt(a->fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
	if (connect(a->fd, to->ai_addr, to->ai_addrlen) != 0 && errno != EINPROGRESS) {
		note_failure(c, errno);
		(void)close(a->fd);
		free(a);
		return PF_FAIL;
	}
	if (uv_poll_init(pf_loop_uv(c->loop), &a->poll, a->fd) != 0) {
		note_failure(c, EMFILE);
		(void)close(a->fd);
		free(a);
		return PF_FAIL;
	}
	a->polling = true;
	(void)uv_poll_start(&a->poll, UV_WRITABLE, on_io);
	*slot = a;
	return PF_OK;
}

static void describe(struct pf_conn *c)
{
	struct sockaddr_storage peer;
	socklen_t n = sizeof(peer);
	char host[64] = "?";

	if (getpeername(c->io->fd, (struct sockaddr *)&peer, &n) == 0) {
		(void)getnameinfo(
			(struct sockaddr *)&peer, n, host, sizeof(host), NULL, 0, NI_NUMERICHOST);
	}
	(void)snprintf(c->about, sizeof(c->about), "%s port %d", host, c->port);
}

/* Whether an attempt got through. A failed one is closed. */
static bool got_through(struct pf_conn *c, struct attempt **slot)
{
	struct sockaddr_storage peer;
	socklen_t n = sizeof(peer);
	int sys = 0;
	socklen_t sys_n = sizeof(sys);

	if (getpeername((*slot)->fd, (struct sockaddr *)&peer, &n) == 0) {
		return true;
	}
	if (getsockopt((*slot)->fd, SOL_SOCKET, SO_ERROR, &sys, &sys_n) == 0 && sys != 0) {
		note_failure(c, sys);
		attempt_close(slot);
	}
	return false;
}

static int keep(struct pf_conn *c, struct attempt **slot, struct pf_err *err)
{
	c->io = *slot;
	*slot = NULL;
	(void)uv_poll_stop(&c->io->poll); /* never fails */
	c->armed = c->polled = 0;
	for (size_t i = 0; i < ATTEMPTS_MAX; i++) {
		attempt_close(&c->attempt[i]);
	}
	uv_freeaddrinfo(c->addresses);
	c->addresses = NULL;
	describe(c);
	c->state = CONN_OPEN;
	return c->tls_at_once ? conn_tls_begin(c, err) : PF_OK;
}

static int step_connecting(struct pf_conn *c, int64_t *wake_ms, struct pf_err *err)
{
	int64_t now = pf_loop_now_ms(c->loop);
	bool any = false;

	for (size_t i = 0; i < ATTEMPTS_MAX; i++) {
		if (c->attempt[i] && got_through(c, &c->attempt[i])) {
			return keep(c, &c->attempt[i], err);
		}
		any = any || c->attempt[i];
	}
	for (size_t i = 0; i < ATTEMPTS_MAX && c->next_address; i++) {
		if (c->attempt[i] || (any && now < c->next_attempt_ms)) {
			continue;
		}
		while (c->next_address && begin_attempt(c, &c->attempt[i]) != PF_OK) {
		}
		any = any || c->attempt[i];
		c->next_attempt_ms = now + NEXT_ADDRESS_MS;
	}
	if (!any) {
		c->state = CONN_FAILED;
		return PF_OK;
	}
	if (c->next_address && c->next_attempt_ms < *wake_ms) {
		*wake_ms = c->next_attempt_ms;
	}
	return PF_AGAIN;
}

int pf_conn_poll(struct pf_conn *c, int64_t *wake_ms, struct pf_err *err)
{
	int rc = PF_OK;

	if (c->state == CONN_CONNECTING) {
		rc = step_connecting(c, wake_ms, err);
	}
	if (rc != PF_FAIL && c->state == CONN_HANDSHAKE) {
		rc = conn_tls_shake(c, err);
	}
	if (rc == PF_FAIL) {
		c->state = CONN_FAILED;
		c->why = *err;
	}
	if (c->state == CONN_FAILED) {
		*err = c->why;
		return PF_FAIL;
	}
	if (c->state == CONN_OPEN) {
		return PF_OK;
	}
	if (pf_loop_now_ms(c->loop) >= c->deadline_ms) {
		c->state = CONN_FAILED;
		(void)pf_fail(&c->why, PF_SCOPE_SESSION, PF_RETRY_LATER,
			"%s port %d: no answer in time", c->host, c->port);
		*err = c->why;
		return PF_FAIL;
	}
	if (c->deadline_ms < *wake_ms) {
		*wake_ms = c->deadline_ms;
	}
	return PF_AGAIN;
}

/* ---- bytes ---- */

static int lost(struct pf_conn *c, struct pf_err *err)
{
	return pf_fail_sys(err, PF_SCOPE_SESSION, PF_RETRY_LATER, "connection to %s port %d lost",
		c->host, c->port);
}

int conn_plain_read(struct pf_conn *c, uint8_t *p, size_t n, size_t *got, struct pf_err *err)
{
	ssize_t r;

	if (c->ssl) {
		return conn_tls_read(c, p, n, got, err);
	}
	if (c->armed & UV_READABLE) {
		return PF_AGAIN; /* there was nothing, and the loop has not said otherwise since */
	}
	do {
		r = read(c->io->fd, p, n);
	} while (r < 0 && errno == EINTR);
	if (r > 0) {
		*got = (size_t)r;
		return PF_OK;
	}
	if (r == 0) {
		return PF_END;
	}
	if (errno == EAGAIN || errno == EWOULDBLOCK) {
		conn_arm(c, UV_READABLE);
		return PF_AGAIN;
	}
	return lost(c, err);
}

int conn_plain_write(struct pf_conn *c, const struct pf_span *spans, size_t count, size_t *sent,
	struct pf_err *err)
{
	struct iovec v[SPANS_MAX];
	size_t n = 0;
	ssize_t r;

	if (c->ssl) {
		return conn_tls_write(c, spans, count, sent, err);
	}
	if (c->armed & UV_WRITABLE) {
		return PF_AGAIN;
	}
	for (size_t i = 0; i < count && n < SPANS_MAX; i++) {
		if (spans[i].n > 0) {
			v[n++] = (struct iovec){(void *)(uintptr_t)spans[i].p, spans[i].n};
		}
	}
	do {
		r = writev(c->io->fd, v, (int)n);
	} while (r < 0 && errno == EINTR);
	if (r >= 0) {
		*sent = (size_t)r;
		return PF_OK;
	}
	if (errno == EAGAIN || errno == EWOULDBLOCK) {
		conn_arm(c, UV_WRITABLE);
		return PF_AGAIN;
	}
	return lost(c, err);
}

int pf_conn_read(struct pf_conn *c, uint8_t *p, size_t n, size_t *got, struct pf_err *err)
{
	return c->deflate ? conn_deflate_read(c, p, n, got, err)
			  : conn_plain_read(c, p, n, got, err);
}

int pf_conn_write(struct pf_conn *c, const struct pf_span *spans, size_t count, size_t *sent,
	struct pf_err *err)
{
	return c->deflate ? conn_deflate_write(c, spans, count, sent, err)
			  : conn_plain_write(c, spans, count, sent, err);
}

const char *pf_conn_about(const struct pf_conn *c)
{
	return c->about;
}
