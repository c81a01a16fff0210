/*
 * TLS settings shared by the connections of a run (OpenSSL). The host name and the chain are
 * verified unless a fingerprint is pinned; TLS 1.2 is the least.
 */
#ifndef PF_NET_TLS_H
#define PF_NET_TLS_H

#include "base/err.h"

struct pf_tls;

struct pf_tls_cfg {
	const char *ca_file;     /* PEM, beside the system's; NULL = the system's alone */
	const char *fingerprint; /* SHA-256 of the certificate in hexadecimal, colons allowed: that
				    one and no other is right, whoever signed it; NULL = verify */
	const char *client_cert; /* PEM with certificate chain, for EXTERNAL; NULL = none */
	const char *client_key;  /* PEM; NULL: it is in client_cert */
};

/* PF_FAIL (scope RUN): the file can't be read, the fingerprint is none; says what and the remedy.
 */
PF_MUST_CHECK int pf_tls_new(const struct pf_tls_cfg *cfg, struct pf_tls **out, struct pf_err *err);
void pf_tls_free(struct pf_tls **tls);

#endif
