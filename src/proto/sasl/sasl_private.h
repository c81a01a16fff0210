/*
 * XOAUTH2 (Google's and Microsoft's form) and OAUTHBEARER (RFC 7628): one message with the token; a
 * refusal comes as a challenge that must be answered before the server says NO.
 */
#ifndef PF_PROTO_SASL_SASL_PRIVATE_H
#define PF_PROTO_SASL_SASL_PRIVATE_H

#include "proto/sasl/sasl.h"

struct pf_oauth;

struct pf_oauth *pf_oauth_new(bool xoauth2, const struct pf_sasl_cfg *cfg);
void pf_oauth_free(struct pf_oauth **o);
int pf_oauth_step(
	struct pf_oauth *o, struct pf_span challenge, struct pf_buf *out, struct pf_err *err);
const char *pf_oauth_error(const struct pf_oauth *o);

#endif
