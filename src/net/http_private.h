/*
 * The insides of the HTTP client.
 *
 *   http.c         requests and answers
 *   http_wait.c    libcurl's sockets and timer on the loop
 *   http_width.c   how many requests go out at once
 *   http_tls.c     whom we talk to
 */
#ifndef PF_NET_HTTP_PRIVATE_H
#define PF_NET_HTTP_PRIVATE_H

#include "net/conn_private.h"
#include "net/http.h"
#include "net/http_width.h"

#include <curl/curl.h>

enum { HTTP_FLIGHTS_MAX = 64, HTTP_FIELD_MAX = 8192, HTTP_FIELDS = 5 };

/* A socket of libcurl's; freed when libuv has closed it. */
struct http_socket {
	uv_poll_t poll;
	struct http_socket *next;
	struct pf_http *http; /* NULL: it is being closed */
	curl_socket_t fd;
	int want, armed, stirred; /* of UV_READABLE, UV_WRITABLE */
	bool failed;
};

/* A request; the handles of ended ones are used again, as a handle remembers how to sign in. */
struct http_flight {
	struct pf_http *http;
	CURL *easy;
	bool busy, too_large;
	bool once, twice;        /* of the request; libcurl would have sent it again */
	unsigned int out, heard; /* requests that went out for it, answers that began */
	uint64_t id;
	char method[12];
	size_t number;
	struct curl_slist *fields;
	struct pf_blob *sent;
	struct pf_buf body, field[HTTP_FIELDS];
	int retry_after_s;
	long offered;           /* CURLAUTH_*, by a 401 on the way to the answer */
	bool challenged;        /* NTLM was not only offered, but begun */
	unsigned int signed_in; /* how many times we had, when it went out */
	char why[CURL_ERROR_SIZE];
};

struct pf_http {
	struct pf_loop *loop;
	struct pf_http_cfg cfg;
	char *host, *base; /* "https://host:port" */
	CURLM *multi;
	CURLSH *shared; /* cookies, by all handles; NULL: none are kept */
	struct http_socket *sockets;
	int64_t due_ms; /* libcurl's timer; INT64_MAX: not set */
	struct http_flight flight[HTTP_FLIGHTS_MAX];
	size_t busy;
	struct http_width width;
	struct http_flight *told; /* what the answer given out last borrows from */
	char *user;
	struct pf_secret secret;
	long auth;              /* CURLAUTH_*: those that may be used, or the one that is */
	unsigned int signed_in; /* times */
	bool auth_known, was_asked, multiplexed, wants_ticket;
	char refused[400]; /* the certificate that was not accepted last, in words */
};

/* http_wait.c */
int http_wait_init(struct pf_http *h, struct pf_err *err);
void http_wait_deinit(struct pf_http *h);
/* Let libcurl do what can be done without waiting; *wake_ms is lowered. */
void http_wait_step(struct pf_http *h, int64_t *wake_ms);

/* http_tls.c */
/* Certificates as the client's pf_tls says. */
void http_tls_set_up(struct pf_http *h, CURL *easy);

#endif
