/*
 * SASL sign-in (RFC 4422) without I/O: a mechanism is chosen among those that the server offers,
 * then challenges go in and responses come out, both raw (the caller does base64). GNU SASL does
 * the mechanisms; XOAUTH2 and OAUTHBEARER (RFC 7628) are done here.
 */
#ifndef PF_PROTO_SASL_SASL_H
#define PF_PROTO_SASL_SASL_H

#include "base/buf.h"
#include "base/secret.h"

struct pf_sasl;

struct pf_sasl_cfg {
	const char *service; /* "imap" */
	const char *host;
	const char *user;  /* the account */
	const char *admin; /* sign in as this one, authorized as `user`; NULL = as `user` */
	const struct pf_secret *secret; /* password or token; NULL for EXTERNAL and GSSAPI */
	bool oauth;                     /* the secret is an access token */
	bool encrypted; /* the link is: else only mechanisms that do not show the password, unless
			   ... */
	bool allow_plaintext; /* ... the administrator said so */
	struct pf_span binding_exporter,
		binding_end_point; /* channel bindings, absent when not to be had */
};

/*
 * The best mechanism of `offered` (blank-separated names without "AUTH=") that `cfg` can serve, in
 * order of strength: EXTERNAL (only without a secret), OAUTHBEARER/XOAUTH2 (only with a token),
 * SCRAM-SHA-256-PLUS, SCRAM-SHA-256, SCRAM-SHA-1-PLUS, SCRAM-SHA-1, GSSAPI (only without a secret),
 * CRAM-MD5, PLAIN,
 * LOGIN. With an admin only those that carry an authorization identity. `tried`: names
 * not to choose again. NULL: none is left. The name is static.
 */
const char *pf_sasl_choose(
	struct pf_span offered, struct pf_span tried, const struct pf_sasl_cfg *cfg);

/* `cfg` must outlive the exchange. PF_FAIL (scope STORE): the mechanism can't be had; says why. */
PF_MUST_CHECK int pf_sasl_begin(const char *mechanism, const struct pf_sasl_cfg *cfg,
	struct pf_sasl **out, struct pf_err *err);
/* Wipes what it held. NULL is fine. */
void pf_sasl_free(struct pf_sasl **s);

/* Whether the client speaks first: the response to an absent challenge may go with the command
 * (SASL-IR). */
bool pf_sasl_client_first(const struct pf_sasl *s);
/*
 * Next response to `challenge` (raw; absent: none was sent yet) into `out`, which should be wiped
 * after use. PF_OK: send it. PF_END: send it, the mechanism is done (a server that goes on is
 * wrong). PF_FAIL (scope STORE): the server could not prove itself or sent nonsense: cancel with
 * "*". For OAuth an error challenge is answered as RFC 7628 asks, and its status text is kept for
 * pf_sasl_server_error.
 */
PF_MUST_CHECK int pf_sasl_step(
	struct pf_sasl *s, struct pf_span challenge, struct pf_buf *out, struct pf_err *err);
/* What an OAuth server said in its error challenge, safe to print; NULL = nothing. */
const char *pf_sasl_server_error(const struct pf_sasl *s);
/* Whether the tagged OK may be believed: SCRAM's server signature must have been seen by then. */
bool pf_sasl_complete(const struct pf_sasl *s);

#endif
