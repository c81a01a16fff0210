/*
 * Whom we talk to: libcurl makes the TLS connection, our settings say which certificates are right.
 */
#include "net/http_private.h"

#include <stdio.h>

/* Called in place of OpenSSL's check of the chain; libcurl looks at the host name behind it. */
static int check_chain(X509_STORE_CTX *ctx, void *arg)
{
	struct pf_http *h = arg;
	const uint8_t *pin = pf_tls_pin(h->cfg.tls);
	X509 *cert = X509_STORE_CTX_get0_cert(ctx);
	bool right = pin ? cert && pf_tls_is_pinned(h->cfg.tls, cert) : X509_verify_cert(ctx) == 1;
	struct pf_err why;

	/* In any case: when it is the host name that does not fit, only libcurl knows. */
	(void)pf_tls_not_accepted(h->host, h->cfg.port, cert,
		right ? "it is not for this host"
		: pin ? "it is not the one of --tls-fingerprint"
		      : X509_verify_cert_error_string(X509_STORE_CTX_get_error(ctx)),
		&why);
	(void)snprintf(h->refused, sizeof(h->refused), "%.399s", why.text);
	if (right) {
		X509_STORE_CTX_set_error(ctx, X509_V_OK);
	} else if (pin) {
		X509_STORE_CTX_set_error(ctx, X509_V_ERR_CERT_REJECTED);
	}
	return right;
}

static CURLcode on_ctx(CURL *easy, void *ssl_ctx, void *arg)
{
	struct pf_http *h = arg;
	SSL_CTX *ctx = ssl_ctx, *ours = pf_tls_ctx(h->cfg.tls);
	X509 *cert = SSL_CTX_get0_certificate(ours);
	EVP_PKEY *key = SSL_CTX_get0_privatekey(ours);
	STACK_OF(X509) *chain = NULL;

	(void)easy;
	SSL_CTX_set1_cert_store(ctx, SSL_CTX_get_cert_store(ours));
	SSL_CTX_set_cert_verify_callback(ctx, check_chain, h);
	if (SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION) != 1) {
		return CURLE_SSL_CONNECT_ERROR;
	}
	(void)SSL_CTX_get0_chain_certs(ours, &chain);
	if (cert && key && SSL_CTX_use_cert_and_key(ctx, cert, key, chain, 1) != 1) {
		return CURLE_SSL_CERTPROBLEM;
	}
	return CURLE_OK;
}

void http_tls_set_up(struct pf_http *h, CURL *easy)
{
	bool pinned = pf_tls_pin(h->cfg.tls) != NULL;

	(void)curl_easy_setopt(easy, CURLOPT_SSL_CTX_FUNCTION, on_ctx);
	(void)curl_easy_setopt(easy, CURLOPT_SSL_CTX_DATA, h);
	(void)curl_easy_setopt(easy, CURLOPT_CAINFO, NULL);
	(void)curl_easy_setopt(easy, CURLOPT_CAPATH, NULL);
	(void)curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, 1L);
	(void)curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, pinned ? 0L : 2L);
}
