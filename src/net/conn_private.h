/*
 * A connection's insides, shared by conn.c (sockets) and conn_tls.c.
 */
#ifndef PF_NET_CONN_PRIVATE_H
#define PF_NET_CONN_PRIVATE_H

#include "net/conn.h"
#include "net/loop_private.h"

#include <openssl/ssl.h>

enum conn_state {
	CONN_RESOLVING,
	CONN_CONNECTING,
	CONN_HANDSHAKE,
	CONN_OPEN,
	CONN_FAILED,
};

enum { ATTEMPTS_MAX = 2, ABOUT_MAX = 160 };

/* One address being tried. */
struct attempt {
	uv_poll_t poll; /* its memory is freed when libuv has closed it */
	struct pf_conn *conn;
	int fd;
	bool polling;
};

struct pf_conn {
	struct pf_loop *loop;
	bool *stirred;
	char *host;
	int port;
	struct pf_tls *tls;
	bool tls_at_once;
	enum conn_state state;
	struct pf_err why; /* with CONN_FAILED, and of the last address that failed */
	int64_t deadline_ms;
	struct resolving *resolving; /* outlives us when we close before it has ended */
	struct addrinfo *addresses, *next_address;
	int64_t next_attempt_ms;
	struct attempt *attempt[ATTEMPTS_MAX];
	struct attempt *io; /* the one that got through */
	int armed;          /* of uv_poll's events: what was not there when it was wanted */
	int polled;         /* what the loop looks for: all of armed, and what may come again */
	SSL *ssl;
	struct deflate *deflate; /* NULL: bytes go as they are */
	bool cut;
	char about[ABOUT_MAX];
};

/* Wait for `events` (UV_READABLE, UV_WRITABLE) beside those that are waited for. */
void conn_arm(struct pf_conn *c, int events);

/* conn_tls.c. All answer as conn.h says. */
int conn_tls_begin(struct pf_conn *c, struct pf_err *err);
int conn_tls_shake(struct pf_conn *c, struct pf_err *err);
int conn_tls_read(struct pf_conn *c, uint8_t *p, size_t n, size_t *got, struct pf_err *err);
int conn_tls_write(struct pf_conn *c, const struct pf_span *spans, size_t count, size_t *sent,
	struct pf_err *err);
void conn_tls_end(struct pf_conn *c);

/* conn.c: bytes beneath DEFLATE; they answer as pf_conn_read and pf_conn_write do. */
int conn_plain_read(struct pf_conn *c, uint8_t *p, size_t n, size_t *got, struct pf_err *err);
int conn_plain_write(struct pf_conn *c, const struct pf_span *spans, size_t count, size_t *sent,
	struct pf_err *err);

/* conn_deflate.c. Both answer as conn.h says. */
int conn_deflate_read(struct pf_conn *c, uint8_t *p, size_t n, size_t *got, struct pf_err *err);
int conn_deflate_write(struct pf_conn *c, const struct pf_span *spans, size_t count, size_t *sent,
	struct pf_err *err);
void conn_deflate_free(struct pf_conn *c);

/* tls.c. For a handshake: with all certificates that are trusted; NULL: they can't be read. */
SSL_CTX *pf_tls_ctx(struct pf_tls *tls);
/* The pinned SHA-256, 32 bytes; NULL = none. */
const uint8_t *pf_tls_pin(const struct pf_tls *tls);
bool pf_tls_is_pinned(const struct pf_tls *tls, const X509 *cert);
/* PF_FAIL, with what the certificate says of itself and how to accept it. `cert` may be NULL. */
int pf_tls_not_accepted(
	const char *host, int port, const X509 *cert, const char *why, struct pf_err *err);

#endif
