/*
 * One TCP connection, with or without TLS: moves bytes, understands none, never blocks, never calls
 * back. Interest in the socket follows from use: a read or write that gave PF_AGAIN wakes the loop
 * when it may work; nobody reading means nothing is read.
 */
#ifndef PF_NET_CONN_H
#define PF_NET_CONN_H

#include "base/buf.h"

#include "net/loop.h"
#include "net/tls.h"
#include <stdbool.h>

struct pf_conn;

struct pf_conn_cfg {
	const char *host; /* name, IPv4 or IPv6 address */
	int port;
	struct pf_tls *
		tls; /* needed for tls_at_once and pf_conn_start_tls; must outlive the connection */
	bool tls_at_once; /* handshake before the first byte (imaps) */
	bool *stirred; /* set whenever something happened to this connection; NULL: nobody looks */
	int64_t connect_timeout_ms; /* for name, connection and handshake together; 0 = 30 s */
};

/* Begin: resolve, then try the addresses in turn (IPv6 and IPv4). `cfg`'s strings are copied. */
PF_MUST_CHECK int pf_conn_open(struct pf_loop *loop, const struct pf_conn_cfg *cfg,
	struct pf_conn **out, struct pf_err *err);
/* Close the socket; with TLS a close_notify is tried. NULL is fine. */
void pf_conn_close(struct pf_conn **c);

/*
 * PF_OK: connected (and the handshake is done, when one was asked for). PF_AGAIN: under way;
 * *wake_ms is lowered to the deadline. PF_FAIL (scope SESSION for what may pass: refused, reset,
 * timed out; scope STORE for a name that does not exist or a certificate that is not accepted):
 * host, port and reason are in the text, for a certificate also its subject, issuer, SHA-256
 * fingerprint and how to accept it.
 */
PF_MUST_CHECK int pf_conn_poll(struct pf_conn *c, int64_t *wake_ms, struct pf_err *err);

/*
 * STARTTLS: begin the handshake on a connection in use. Bytes that came before it and were not read
 * are thrown away (RFC 9051 section 11.1). Then pf_conn_poll until PF_OK.
 */
PF_MUST_CHECK int pf_conn_start_tls(struct pf_conn *c, struct pf_err *err);

/* PF_OK: *got bytes (at least 1). PF_AGAIN: none now. PF_END: the peer closed. PF_FAIL: connection
 * lost; with TLS also an end without close_notify is PF_END, see pf_conn_was_cut. */
PF_MUST_CHECK int pf_conn_read(
	struct pf_conn *c, uint8_t *p, size_t n, size_t *got, struct pf_err *err);
/* The peer ended a TLS stream without close_notify: what came last may be cut short. */
bool pf_conn_was_cut(const struct pf_conn *c);

/* Write from `count` spans in order. PF_OK: *sent bytes (at least 1, perhaps not all). PF_AGAIN:
 * none. */
PF_MUST_CHECK int pf_conn_write(struct pf_conn *c, const struct pf_span *spans, size_t count,
	size_t *sent, struct pf_err *err);

/*
 * From here on bytes go as raw DEFLATE in both directions (RFC 4978). `early`: what was read
 * already and is compressed. Then what was written has left only when pf_conn_flush says so.
 */
PF_MUST_CHECK int pf_conn_start_deflate(
	struct pf_conn *c, struct pf_span early, struct pf_err *err);
bool pf_conn_is_deflated(const struct pf_conn *c);
/* PF_OK: nothing of what was written is kept back here. PF_AGAIN: the socket takes no more now. */
PF_MUST_CHECK int pf_conn_flush(struct pf_conn *c, struct pf_err *err);

/* Whether bytes are encrypted by now. */
bool pf_conn_is_tls(const struct pf_conn *c);
/* "127.0.0.1 port 993, TLSv1.3 TLS_AES_256_GCM_SHA384", for the log; borrowed. */
const char *pf_conn_about(const struct pf_conn *c);

/*
 * Data that ties a sign-in to this TLS connection: `type` "tls-exporter" (RFC 9266) or
 * "tls-server-end-point" (RFC 5929). PF_FAIL: no TLS, or not to be had for it.
 */
PF_MUST_CHECK int pf_conn_channel_binding(
	struct pf_conn *c, const char *type, struct pf_buf *out, struct pf_err *err);

#endif
