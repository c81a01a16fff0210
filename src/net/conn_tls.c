/*
 * TLS on a connection: handshake, verification, bytes, channel bindings.
 */
#include "net/conn_private.h"

#include <arpa/inet.h>
#include <errno.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <sys/socket.h>

enum { RECORD = 16384 };

static bool is_address(const char *host)
{
	uint8_t any[16];

	return inet_pton(AF_INET, host, any) == 1 || inet_pton(AF_INET6, host, any) == 1;
}

/* Whom we expect: a host name goes into SNI and is matched, an address is matched only. */
static bool expect_host(struct pf_conn *c)
{
	if (is_address(c->host)) {
		return X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(c->ssl), c->host) == 1;
	}
	SSL_set_hostflags(c->ssl, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
	return SSL_set1_host(c->ssl, c->host) == 1 &&
	       SSL_set_tlsext_host_name(c->ssl, c->host) == 1;
}

int conn_tls_begin(struct pf_conn *c, struct pf_err *err)
{
	pf_assert(c->tls && !c->ssl);
	ERR_clear_error();
	c->ssl = SSL_new(pf_tls_ctx(c->tls));
	if (!c->ssl || SSL_set_fd(c->ssl, c->io->fd) != 1 || !expect_host(c)) {
		return pf_fail(err, PF_SCOPE_SESSION, PF_RETRY_NO,
			"%s port %d: TLS can't be set up", c->host, c->port);
	}
	SSL_set_connect_state(c->ssl);
	c->state = CONN_HANDSHAKE;
	return PF_OK;
}

int pf_conn_start_tls(struct pf_conn *c, struct pf_err *err)
{
	uint8_t early[4096];

	if (c->state != CONN_OPEN || c->ssl || !c->tls) {
		return pf_fail(err, PF_SCOPE_SESSION, PF_RETRY_NO, "TLS can't begin here");
	}
	/* Whatever came in the clear behind the answer to STARTTLS is not the server's word. */
	while (recv(c->io->fd, early, sizeof(early), MSG_DONTWAIT) > 0) {
	}
	c->deadline_ms = pf_loop_now_ms(c->loop) + 30000;
	return conn_tls_begin(c, err);
}

void conn_tls_end(struct pf_conn *c)
{
	if (!c->ssl) {
		return;
	}
	if (c->state == CONN_OPEN) {
		(void)SSL_shutdown(c->ssl); /* close_notify, as far as it goes out at once */
	}
	SSL_free(c->ssl);
	c->ssl = NULL;
}

/* ---- who is it? ---- */

static int not_accepted(struct pf_conn *c, const char *why, struct pf_err *err)
{
	return pf_tls_not_accepted(c->host, c->port, SSL_get0_peer_certificate(c->ssl), why, err);
}

static int check_peer(struct pf_conn *c, struct pf_err *err)
{
	const uint8_t *pin = pf_tls_pin(c->tls);
	X509 *cert = SSL_get0_peer_certificate(c->ssl);

	if (!cert) {
		return not_accepted(c, "it showed none", err);
	}
	if (!pin && SSL_get_verify_result(c->ssl) != X509_V_OK) {
		return not_accepted(
			c, X509_verify_cert_error_string(SSL_get_verify_result(c->ssl)), err);
	}
	if (pin && !pf_tls_is_pinned(c->tls, cert)) {
		return not_accepted(c, "it is not the one of --tls-fingerprint", err);
	}
	return PF_OK;
}

/* ---- handshake ---- */

/* What libssl wants of the socket; PF_FAIL: it is not about waiting. */
static int wait_for(struct pf_conn *c, int result)
{
	switch (SSL_get_error(c->ssl, result)) {
	case SSL_ERROR_WANT_READ:
		conn_arm(c, UV_READABLE);
		return PF_AGAIN;
	case SSL_ERROR_WANT_WRITE:
		conn_arm(c, UV_WRITABLE);
		return PF_AGAIN;
	default:
		return PF_FAIL;
	}
}

static int shake_failed(struct pf_conn *c, int sys, struct pf_err *err)
{
	unsigned long code = ERR_get_error();
	const char *reason = code ? ERR_reason_error_string(code) : NULL;

	if (!reason) {
		errno = sys;
		return sys ? pf_fail_sys(err, PF_SCOPE_SESSION, PF_RETRY_LATER,
				     "%s port %d: TLS handshake", c->host, c->port)
			   : pf_fail(err, PF_SCOPE_SESSION, PF_RETRY_LATER,
				     "%s port %d: it hung up during the TLS handshake", c->host,
				     c->port);
	}
	return pf_fail(err, PF_SCOPE_STORE, PF_RETRY_NO,
		"%s port %d: TLS handshake: %s. Is it a TLS port (imaps:// is port 993, imap:// "
		"port 143), "
		"and does it speak TLS 1.2 or later?",
		c->host, c->port, reason);
}

int conn_tls_shake(struct pf_conn *c, struct pf_err *err)
{
	int result, sys;
	size_t n = strlen(c->about);

	ERR_clear_error();
	errno = 0;
	result = SSL_do_handshake(c->ssl);
	sys = errno;
	if (result != 1) {
		return wait_for(c, result) == PF_AGAIN ? PF_AGAIN : shake_failed(c, sys, err);
	}
	if (check_peer(c, err) != PF_OK) {
		return PF_FAIL;
	}
	(void)snprintf(c->about + n, sizeof(c->about) - n, ", %s %s", SSL_get_version(c->ssl),
		SSL_get_cipher_name(c->ssl));
	c->state = CONN_OPEN;
	return PF_OK;
}

/* ---- bytes ---- */

static int lost(struct pf_conn *c, struct pf_err *err)
{
	unsigned long code = ERR_get_error();
	const char *reason = code ? ERR_reason_error_string(code) : NULL;

	return pf_fail(err, PF_SCOPE_SESSION, PF_RETRY_LATER, "connection to %s port %d lost: %s",
		c->host, c->port, reason ? reason : "cut off");
}

int conn_tls_read(struct pf_conn *c, uint8_t *p, size_t n, size_t *got, struct pf_err *err)
{
	int result;
	unsigned long code;

	ERR_clear_error();
	result = SSL_read_ex(c->ssl, p, n, got);
	if (result == 1) {
		return PF_OK;
	}
	if (wait_for(c, result) == PF_AGAIN) {
		return PF_AGAIN;
	}
	if (SSL_get_error(c->ssl, result) == SSL_ERROR_ZERO_RETURN) {
		return PF_END;
	}
	code = ERR_peek_error();
	if (code == 0 || ERR_GET_REASON(code) == SSL_R_UNEXPECTED_EOF_WHILE_READING) {
		c->cut = true;
		return PF_END;
	}
	return lost(c, err);
}

/* One record: small spans are put together, so that a command is not a record a word. */
static struct pf_span one_record(const struct pf_span *spans, size_t count, uint8_t *room)
{
	size_t n = 0, i = 0;

	while (i < count && spans[i].n == 0) {
		i++;
	}
	if (i == count || spans[i].n >= RECORD || i + 1 == count) {
		return i == count ? pf_span(room, 0) : spans[i];
	}
	for (; i < count && n < RECORD; i++) {
		size_t take = spans[i].n < RECORD - n ? spans[i].n : RECORD - n;

		if (take > 0) {
			memcpy(room + n, spans[i].p, take);
		}
		n += take;
	}
	return pf_span(room, n);
}

int conn_tls_write(struct pf_conn *c, const struct pf_span *spans, size_t count, size_t *sent,
	struct pf_err *err)
{
	uint8_t room[RECORD];
	struct pf_span bytes = one_record(spans, count, room);
	int result;

	*sent = 0;
	if (bytes.n == 0) {
		return PF_OK;
	}
	ERR_clear_error();
	result = SSL_write_ex(c->ssl, bytes.p, bytes.n, sent);
	if (result == 1) {
		return PF_OK;
	}
	return wait_for(c, result) == PF_AGAIN ? PF_AGAIN : lost(c, err);
}

bool pf_conn_is_tls(const struct pf_conn *c)
{
	return c->ssl && c->state == CONN_OPEN;
}

bool pf_conn_was_cut(const struct pf_conn *c)
{
	return c->cut;
}

/* ---- channel bindings ---- */

static int binding_exporter(struct pf_conn *c, struct pf_buf *out, struct pf_err *err)
{
	static const char LABEL[] = "EXPORTER-Channel-Binding"; /* RFC 9266 section 2 */
	uint8_t key[32];

	if (SSL_export_keying_material(c->ssl, key, sizeof(key), LABEL, sizeof(LABEL) - 1,
		    (const uint8_t *)"", 0, 1) != 1) {
		return pf_fail(
			err, PF_SCOPE_ITEM, PF_RETRY_NO, "no tls-exporter on this connection");
	}
	return pf_buf_add(out, pf_span(key, sizeof(key)), err);
}

/* RFC 5929 section 4.1: the certificate by its own signature's hash; MD5 and SHA-1 give way to
 * SHA-256. */
static int binding_end_point(struct pf_conn *c, struct pf_buf *out, struct pf_err *err)
{
	X509 *cert = SSL_get0_peer_certificate(c->ssl);
	uint8_t digest[EVP_MAX_MD_SIZE];
	const EVP_MD *md = NULL;
	unsigned int n = 0;
	int hash = NID_undef, key = NID_undef;

	if (cert && OBJ_find_sigid_algs(X509_get_signature_nid(cert), &hash, &key)) {
		md = hash == NID_md5 || hash == NID_sha1 ? EVP_sha256() : EVP_get_digestbynid(hash);
	}
	if (!md || X509_digest(cert, md, digest, &n) != 1) {
		return pf_fail(err, PF_SCOPE_ITEM, PF_RETRY_NO,
			"no tls-server-end-point for this certificate");
	}
	return pf_buf_add(out, pf_span(digest, n), err);
}

int pf_conn_channel_binding(
	struct pf_conn *c, const char *type, struct pf_buf *out, struct pf_err *err)
{
	if (!pf_conn_is_tls(c)) {
		return pf_fail(err, PF_SCOPE_ITEM, PF_RETRY_NO, "no TLS to bind to");
	}
	if (strcmp(type, "tls-exporter") == 0) {
		return binding_exporter(c, out, err);
	}
	return binding_end_point(c, out, err);
}
