/*
 * What a store is told when it is opened: where it is, who signs in, what is wanted of it. Part of
 * store.h.
 */
#ifndef PF_STORES_STORE_CFG_H
#define PF_STORES_STORE_CFG_H

#include "base/secret.h"
#include "model/addresses.h"
#include "model/url.h"

struct pf_tls;

/* Where secrets come from: asked at each sign-in, so that a token can be renewed. */
struct pf_secret_source {
	int (*get)(struct pf_secret_source *src, struct pf_secret *out, struct pf_err *err);
	bool oauth; /* it is an access token, not a password */
};

/* Where a trace of the session goes, secrets masked by the store; NULL = nowhere. */
struct pf_trace {
	void (*bytes)(struct pf_trace *t, size_t connection, char direction, struct pf_span bytes);
};

struct pf_store_cfg {
	const struct pf_url *url;
	struct pf_secret_source *secret; /* NULL for stores without sign-in */
	const char *admin;               /* sign in as this one on behalf of url->user; or NULL */
	/* How the two are told: NULL, by a SASL authorization identity; "proxyauth", by that
	 * command; else the name to sign in with, "{admin}" and "{user}" in it replaced. */
	const char *admin_form;
	struct pf_tls *tls; /* shared; certificates, pins */
	bool allow_plaintext;
	/* HOST[:PORT] to which the password may go as well, ended by NULL; or NULL */
	const char *const *trusted;
	const char *dns_server;  /* ADDRESS[:PORT]; NULL: the system's */
	bool source;             /* read only: nothing may be changed (promise P1) */
	size_t connections;      /* at most; 0 = the store's choice */
	size_t connections_most; /* which then is no more than this; 0 = no limit */
	uint64_t rate_bytes_s;   /* 0 = no limit */
	/* Kinds of items in mail's disguise (stores/wrap/disguise.h): those that are given out here
	 * as what they are, and those that go another way. `mail`: mail is given out as well; as
	 * it is where `here` is none. */
	struct {
		uint32_t here, elsewhere;
		bool mail;
	} disguised;
	struct pf_memo *memo; /* what stores of the same run found out; NULL: each for itself */
	const struct pf_addresses *addresses; /* of a directory, and whose they are; or NULL */
	bool keep_raw;      /* items that are given in another form are wanted as they are, too */
	bool recovered;     /* deleted items that are still to be had are wanted, too */
	bool unwrap_tnef;   /* give the message that a TNEF part holds */
	int idle_timeout_s; /* no answer for so long is a lost connection; 0 = the store's choice */
	struct pf_trace *trace;
	bool *stirred; /* set when a socket of this store stirs, so that a process with many looks
			  only at those that may have something to say; NULL: nobody looks */
};

#endif
