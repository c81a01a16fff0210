/*
 * HTTP to one origin (libcurl's multi interface, driven by the loop): requests are submitted,
 * answers are pulled, several are in flight on a few connections, HTTP/2 where it is offered.
 * Nobody is called back, and who pulls no answers reads no bytes.
 *
 * Redirects are not followed: the Location is in the answer, and whoever asked decides. A client
 * knows one origin only, so that credentials can go to no other one. Proxies are taken from the
 * environment as curl does (http_proxy, https_proxy, no_proxy). Sign-in is Basic, Digest or
 * NTLM with a password, Bearer with a token, Negotiate (SPNEGO) without any secret.
 */
#ifndef PF_NET_HTTP_H
#define PF_NET_HTTP_H

#include "base/blob.h"
#include "base/buf.h"
#include "base/secret.h"
#include "net/loop.h"
#include "net/tls.h"

struct pf_http;

/* Where the bytes of a session go, credentials masked; direction '>' or '<'. */
typedef void pf_http_trace(void *arg, size_t connection, char direction, struct pf_span bytes);

struct pf_http_cfg {
	const char *host; /* name, IPv4 or IPv6 address without brackets; copied */
	int port;
	bool https;
	bool cookies; /* those that the server sends are given back: balancers tell sessions by them
		       */
	struct pf_tls *tls;      /* for https; must outlive the client */
	size_t connections;      /* as many; 0 = as many as are seen to pay, from two on */
	size_t connections_most; /* of those; 0 = 16 */
	int idle_timeout_s; /* an answer that stands still for so long is lost; 0 = 120; at least 15
			     */
	uint64_t rate_bytes_s; /* over all connections; 0 = no limit */
	bool *stirred; /* set whenever something happened to a connection; NULL: nobody looks */
	pf_http_trace *trace; /* NULL = none */
	void *trace_arg;
};

PF_MUST_CHECK int pf_http_new(struct pf_loop *loop, const struct pf_http_cfg *cfg,
	struct pf_http **out, struct pf_err *err);
/* Drops what is in flight. NULL is fine. */
void pf_http_free(struct pf_http **h);

/*
 * Who asks, from the next request on. `secret` is copied, kept out of core dumps and wiped in the
 * end; absent: Negotiate with the system's tickets. `bearer`: it is a token. libcurl keeps copies
 * of its own for as long as its handles live.
 */
PF_MUST_CHECK int pf_http_sign_in(struct pf_http *h, const char *user,
	const struct pf_secret *secret, bool bearer, struct pf_err *err);

/* Show the password with every request, unasked (Basic): for servers that ask nobody. */
void pf_http_insist(struct pf_http *h);
/* Whether the server ever asked for a password. */
bool pf_http_was_asked(const struct pf_http *h);
/* The same of a Kerberos ticket (Negotiate). */
bool pf_http_wants_ticket(const struct pf_http *h);

struct pf_http_req {
	uint64_t id;               /* the caller's; comes back with the answer */
	const char *method;        /* "PROPFIND"; copied */
	struct pf_span target;     /* path and query as they go over the wire, "/..."; copied */
	const char *const *fields; /* "Depth: 1", ended by NULL; copied. NULL = none */
	struct pf_blob *body;      /* shared until the answer; NULL = none */
	size_t answer_max;         /* a larger body is refused (item scope) */
	/* Doing it twice is not doing it once: libcurl, which asks again by itself when a link
	 * that was used before ends without a word, does not. */
	bool once;
};

/* PF_AGAIN: as many are in flight as are allowed; take answers first. */
PF_MUST_CHECK int pf_http_submit(
	struct pf_http *h, const struct pf_http_req *req, struct pf_err *err);

struct pf_http_answer {
	uint64_t id;
	bool failed;   /* no whole answer: why; all below but `in_doubt` is unset */
	bool in_doubt; /* failed, and the request was wholly sent: it may have been carried out */
	bool not_tls;  /* failed: the other side answered, and what it said was no TLS */
	bool outdated; /* pf_http_sign_in was called since it went out */
	struct pf_err why;
	int status;
	int retry_after_s;                                /* 0 = not said */
	struct pf_span etag, location, dav, type, server; /* absent: not said */
	struct pf_span body;
};

/*
 * PF_OK: `out` is an answer or a failure, good until the next call on this client. PF_AGAIN: none
 * now; *wake_ms is lowered. PF_FAIL (scope RUN): no memory.
 */
PF_MUST_CHECK int pf_http_next(
	struct pf_http *h, struct pf_http_answer *out, int64_t *wake_ms, struct pf_err *err);

/* The server has too much of it: half as many requests at once from now on. */
void pf_http_narrow(struct pf_http *h);

/* Requests that are in flight; how many more submit would take. */
size_t pf_http_busy(const struct pf_http *h);
size_t pf_http_room(const struct pf_http *h);

#endif
