#include "base/buf.h"
#include "net/conn_private.h"

#include "base/utf8.h"

#include <ctype.h>
#include <openssl/err.h>
#include <stdio.h>
#include <stdlib.h>

enum { PIN_BYTES = 32 };

struct pf_tls {
	SSL_CTX *ctx;
	bool system_read; /* the system's certificates are in ctx */
	bool pinned;
	uint8_t pin[PIN_BYTES];
};

SSL_CTX *pf_tls_ctx(struct pf_tls *tls)
{
	/* They are many, and take longer to read than a small account to copy: not for links
	 * without TLS. */
	if (!tls->system_read) {
		tls->system_read = SSL_CTX_set_default_verify_paths(tls->ctx) == 1;
	}
	return tls->system_read ? tls->ctx : NULL;
}

const uint8_t *pf_tls_pin(const struct pf_tls *tls)
{
	return tls->pinned ? tls->pin : NULL;
}

static int bad(struct pf_err *err, const char *what, const char *which)
{
	char why[128];

	ERR_error_string_n(ERR_get_error(), why, sizeof(why));
	return pf_fail(err, PF_SCOPE_RUN, PF_RETRY_NO, "%s %s: %s", what, which, why);
}

/* 64 hexadecimal digits; colons and blanks between them, and "sha256:" before, are fine. */
static int parse_pin(struct pf_tls *tls, const char *text, struct pf_err *err)
{
	size_t n = 0;
	const char *s = strncasecmp(text, "sha256:", 7) == 0 ? text + 7 : text;

	for (; *s && n <= 2 * (size_t)PIN_BYTES; s++) {
		int digit = pf_ascii_hex((uint8_t)*s);

		if (*s == ':' || *s == ' ') {
			continue;
		}
		if (digit < 0) {
			break;
		}
		if (n < 2 * (size_t)PIN_BYTES) {
			tls->pin[n / 2] = (uint8_t)(tls->pin[n / 2] << 4 | digit);
		}
		n++;
	}
	if (*s || n != 2 * (size_t)PIN_BYTES) {
		return pf_fail(err, PF_SCOPE_RUN, PF_RETRY_NO,
			"--tls-fingerprint: it must be the SHA-256 of the certificate, 64 "
			"hexadecimal digits");
	}
	tls->pinned = true;
	return PF_OK;
}

static int set_up(struct pf_tls *tls, const struct pf_tls_cfg *cfg, struct pf_err *err)
{
	tls->ctx = SSL_CTX_new(TLS_client_method());
	if (!tls->ctx || SSL_CTX_set_min_proto_version(tls->ctx, TLS1_2_VERSION) != 1) {
		return bad(err, "setting up", "TLS");
	}
	(void)SSL_CTX_set_mode(
		tls->ctx, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
	if (cfg->fingerprint && parse_pin(tls, cfg->fingerprint, err) != PF_OK) {
		return PF_FAIL;
	}
	/*
	 * The handshake goes through in any case, and conn_tls.c looks at its result before a byte
	 * of ours is sent: only then the certificate that is refused can be shown, with the
	 * fingerprint to pin.
	 */
	SSL_CTX_set_verify(tls->ctx, SSL_VERIFY_NONE, NULL);
	if (cfg->ca_file && SSL_CTX_load_verify_locations(tls->ctx, cfg->ca_file, NULL) != 1) {
		return bad(err, "--ca-file: no certificate can be read from", cfg->ca_file);
	}
	if (cfg->client_cert &&
		(SSL_CTX_use_certificate_chain_file(tls->ctx, cfg->client_cert) != 1 ||
			SSL_CTX_use_PrivateKey_file(tls->ctx,
				cfg->client_key ? cfg->client_key : cfg->client_cert,
				SSL_FILETYPE_PEM) != 1)) {
		return bad(err, "no client certificate and key can be read from", cfg->client_cert);
	}
	return PF_OK;
}

int pf_tls_new(const struct pf_tls_cfg *cfg, struct pf_tls **out, struct pf_err *err)
{
	struct pf_tls *tls = calloc(1, sizeof(*tls));

	if (!tls) {
		return pf_fail_memory(err, "TLS");
	}
	if (set_up(tls, cfg, err) != PF_OK) {
		pf_tls_free(&tls);
		return PF_FAIL;
	}
	*out = tls;
	return PF_OK;
}

void pf_tls_free(struct pf_tls **tls)
{
	if (*tls) {
		SSL_CTX_free((*tls)->ctx);
		free(*tls);
		*tls = NULL;
	}
}

/* ---- who is it? ---- */

bool pf_tls_is_pinned(const struct pf_tls *tls, const X509 *cert)
{
	uint8_t raw[EVP_MAX_MD_SIZE];
	unsigned int n = 0;

	return tls->pinned && X509_digest(cert, EVP_sha256(), raw, &n) == 1 && n == PIN_BYTES &&
	       memcmp(tls->pin, raw, PIN_BYTES) == 0;
}

static void fingerprint(const X509 *cert, char hex_out[2 * PIN_BYTES + 1])
{
	uint8_t raw[EVP_MAX_MD_SIZE];
	unsigned int n = 0;

	if (X509_digest(cert, EVP_sha256(), raw, &n) != 1 || n != PIN_BYTES) {
		return;
	}
	for (size_t i = 0; i < PIN_BYTES; i++) {
		(void)snprintf(hex_out + 2 * i, 3, "%02x", raw[i]);
	}
}

static void name_of(X509_NAME *name, char *out, size_t size)
{
	char raw[256] = "";

	if (name) {
		(void)X509_NAME_oneline(name, raw, sizeof(raw));
	}
	(void)pf_print_safe(out, size, pf_span_str(raw));
}

int pf_tls_not_accepted(
	const char *host, int port, const X509 *cert, const char *why, struct pf_err *err)
{
	char digits[2 * PIN_BYTES + 1] = "";
	char subject[100] = "none", issuer[100] = "none";

	if (cert) {
		fingerprint(cert, digits);
		name_of(X509_get_subject_name(cert), subject, sizeof(subject));
		name_of(X509_get_issuer_name(cert), issuer, sizeof(issuer));
	}
	return pf_fail(err, PF_SCOPE_STORE, PF_RETRY_NO,
		"%s port %d: its certificate is not accepted (%s); subject %s, issuer %s. If it is "
		"the right "
		"one: --ca-file FILE with its authority, or --tls-fingerprint %s",
		host, port, why, subject, issuer, digits);
}
