#include "net/http_private.h"

#include "base/utf8.h"
#include "net/fast_clock.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum {
	CONNECTIONS_LEAST = 2,
	CONNECTIONS_MOST = 16,
	CONNECTIONS_PACED = 4, /* that share a rate */
	IDLE_S = 120,
	IDLE_LEAST_S = 15,
	CONNECT_MS = 30000,
	PATIENCE_MAX_S = 24 * 3600,
	STREAMS = 16, /* requests on a connection that carries several at once */
};

/* What may be done with a password, whichever the server asks for. */
#define BY_PASSWORD (CURLAUTH_BASIC | CURLAUTH_DIGEST | CURLAUTH_NTLM)

static const char *const FIELDS[HTTP_FIELDS] = {
	"etag", "location", "dav", "content-type", "server"};

/* ---- what libcurl hands over ---- */

static size_t on_body(char *p, size_t one, size_t n, void *arg)
{
	struct http_flight *f = arg;
	struct pf_err ignored; /* told as too large */

	(void)one;
	if (pf_buf_add(&f->body, pf_span(p, n), &ignored) != PF_OK) {
		f->too_large = true;
		return 0;
	}
	return n;
}

static struct pf_span trimmed(struct pf_span s)
{
	while (s.n > 0 && isspace(s.p[0])) {
		s = pf_span_from(s, 1);
	}
	while (s.n > 0 && isspace(s.p[s.n - 1])) {
		s.n--;
	}
	return s;
}

/* Seconds, or a date (RFC 9110 section 10.2.3). */
static int retry_after(struct pf_span value)
{
	char text[64];
	long long s;
	char *end;

	(void)snprintf(text, sizeof(text), "%.*s", (int)(value.n < 63 ? value.n : 63),
		(const char *)value.p);
	s = strtoll(text, &end, 10);
	if (end == text || *end != '\0') {
		time_t at = curl_getdate(text, NULL);

		s = at == (time_t)-1 ? 0 : (long long)at - (long long)time(NULL);
	}
	return s <= 0 ? 0 : s > PATIENCE_MAX_S ? PATIENCE_MAX_S : (int)s;
}

static void forget_fields(struct http_flight *f)
{
	for (size_t i = 0; i < HTTP_FIELDS; i++) {
		pf_buf_deinit(&f->field[i]);
		pf_buf_init(&f->field[i], HTTP_FIELD_MAX);
	}
	f->retry_after_s = 0;
}

static size_t on_field(char *p, size_t one, size_t n, void *arg)
{
	struct http_flight *f = arg;
	const char *colon = memchr(p, ':', n);
	struct pf_span name, value;
	struct pf_err ignored; /* a field that is too long is as good as none */

	(void)one;
	if (n > 5 && strncasecmp(p, "HTTP/", 5) == 0) { /* of another answer: 401 before, or 100 */
		f->heard++;
		forget_fields(f);
		return n;
	}
	if (!colon) {
		return n;
	}
	name = pf_span(p, (size_t)(colon - p));
	value = trimmed(pf_span(colon + 1, n - name.n - 1));
	if (pf_span_is(name, "retry-after")) {
		f->retry_after_s = retry_after(value);
	}
	if (pf_span_is(name, "www-authenticate")) {
		f->http->wants_ticket = f->http->wants_ticket || pf_span_starts(value, "Negotiate");
		f->offered |= pf_span_starts(value, "Digest")  ? (long)CURLAUTH_DIGEST
			      : pf_span_starts(value, "NTLM")  ? (long)CURLAUTH_NTLM
			      : pf_span_starts(value, "Basic") ? (long)CURLAUTH_BASIC
							       : 0;
		f->challenged = f->challenged || (pf_span_starts(value, "NTLM ") && value.n > 5);
	}
	for (size_t i = 0; i < HTTP_FIELDS; i++) {
		if (pf_span_is(name, FIELDS[i]) &&
			(f->field[i].n == 0 ||
				pf_buf_add_str(&f->field[i], ", ", &ignored) == PF_OK) &&
			pf_buf_add(&f->field[i], value, &ignored) != PF_OK) {
			pf_buf_clear(&f->field[i]);
		}
	}
	return n;
}

/* A request is about to go out: for the first time, or when the last one was answered (with what
 * signs in, this time); else it may be done already. */
static int on_request(void *arg, char *from, char *to, int from_port, int to_port)
{
	struct http_flight *f = arg;

	(void)from;
	(void)to;
	(void)from_port;
	(void)to_port;
	f->twice = f->once && f->out > f->heard;
	f->out++;
	return f->twice ? CURL_PREREQFUNC_ABORT : CURL_PREREQFUNC_OK;
}

/* A header section without what signs in, or goes on for it. */
static void trace_head(struct http_flight *f, char direction, struct pf_span head)
{
	static const char *const SECRET[] = {
		"authorization:", "proxy-authorization:", "cookie:", "set-cookie:"};
	const struct pf_http_cfg *cfg = &f->http->cfg;

	while (head.n > 0) {
		const uint8_t *lf = memchr(head.p, '\n', head.n);
		struct pf_span line = pf_span(head.p, lf ? (size_t)(lf - head.p) + 1 : head.n);
		struct pf_span shown = line;

		for (size_t i = 0; i < PF_COUNT(SECRET); i++) {
			if (pf_span_starts(line, SECRET[i])) {
				shown = pf_span_str(direction == '>' ? "Authorization: ***\r\n"
								     : "Set-Cookie: ***\r\n");
			}
		}
		cfg->trace(cfg->trace_arg, f->number, direction, shown);
		head = pf_span_from(head, line.n);
	}
}

static int on_trace(CURL *easy, curl_infotype what, char *p, size_t n, void *arg)
{
	struct http_flight *f = arg;
	const struct pf_http_cfg *cfg = &f->http->cfg;

	(void)easy;
	if (what == CURLINFO_HEADER_OUT) {
		trace_head(f, '>', pf_span(p, n));
	} else if (what == CURLINFO_HEADER_IN) {
		trace_head(f, '<', pf_span(p, n));
	} else if (what == CURLINFO_DATA_OUT) {
		cfg->trace(cfg->trace_arg, f->number, '>', pf_span(p, n));
	} else if (what == CURLINFO_DATA_IN) {
		cfg->trace(cfg->trace_arg, f->number, '<', pf_span(p, n));
	}
	return 0;
}

/* ---- life ---- */

static long idle_s(const struct pf_http *h)
{
	long s = h->cfg.idle_timeout_s ? h->cfg.idle_timeout_s : IDLE_S;
	long rate = (long)pf_fast_clock_rate();

	s = s < IDLE_LEAST_S ? IDLE_LEAST_S : s;
	return s / rate > 0 ? s / rate : 1;
}

/* What stays the same for all requests of a handle. */
static int set_up_handle(struct http_flight *f, struct pf_err *err)
{
	struct pf_http *h = f->http;
	CURL *e = f->easy = curl_easy_init();

	if (!e) {
		return pf_fail_memory(err, "an HTTP request");
	}
	(void)curl_easy_setopt(e, CURLOPT_PRIVATE, f);
	(void)curl_easy_setopt(e, CURLOPT_NOSIGNAL, 1L);
	(void)curl_easy_setopt(e, CURLOPT_PROTOCOLS_STR, h->cfg.https ? "https" : "http");
	(void)curl_easy_setopt(e, CURLOPT_FOLLOWLOCATION, 0L);
	(void)curl_easy_setopt(e, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_2TLS);
	(void)curl_easy_setopt(e, CURLOPT_PIPEWAIT, 1L);
	(void)curl_easy_setopt(e, CURLOPT_CONNECTTIMEOUT_MS, (long)CONNECT_MS);
	(void)curl_easy_setopt(e, CURLOPT_LOW_SPEED_LIMIT, 1L);
	(void)curl_easy_setopt(e, CURLOPT_LOW_SPEED_TIME, idle_s(h));
	(void)curl_easy_setopt(e, CURLOPT_TCP_KEEPALIVE, 1L);
	(void)curl_easy_setopt(e, CURLOPT_PATH_AS_IS, 1L);
	(void)curl_easy_setopt(e, CURLOPT_USERAGENT, "postferry/" PF_VERSION);
	(void)curl_easy_setopt(e, CURLOPT_WRITEFUNCTION, on_body);
	(void)curl_easy_setopt(e, CURLOPT_WRITEDATA, f);
	(void)curl_easy_setopt(e, CURLOPT_HEADERFUNCTION, on_field);
	(void)curl_easy_setopt(e, CURLOPT_HEADERDATA, f);
	(void)curl_easy_setopt(e, CURLOPT_PREREQFUNCTION, on_request);
	(void)curl_easy_setopt(e, CURLOPT_PREREQDATA, f);
	(void)curl_easy_setopt(e, CURLOPT_ERRORBUFFER, f->why);
	if (h->cfg.https) {
		http_tls_set_up(h, e);
	}
	if (h->shared) {
		(void)curl_easy_setopt(e, CURLOPT_SHARE, h->shared);
		(void)curl_easy_setopt(e, CURLOPT_COOKIEFILE, ""); /* none but theirs */
	}
	if (h->cfg.rate_bytes_s > 0) {
		curl_off_t each = (curl_off_t)(h->cfg.rate_bytes_s / h->width.most);

		(void)curl_easy_setopt(e, CURLOPT_MAX_RECV_SPEED_LARGE, each > 0 ? each : 1);
		(void)curl_easy_setopt(e, CURLOPT_MAX_SEND_SPEED_LARGE, each > 0 ? each : 1);
	}
	if (h->cfg.trace) {
		(void)curl_easy_setopt(e, CURLOPT_VERBOSE, 1L);
		(void)curl_easy_setopt(e, CURLOPT_DEBUGFUNCTION, on_trace);
		(void)curl_easy_setopt(e, CURLOPT_DEBUGDATA, f);
	}
	return PF_OK;
}

static int set_up(struct pf_http *h, struct pf_err *err)
{
	bool v6 = strchr(h->cfg.host, ':') != NULL;
	struct pf_buf base;
	const char *text = NULL;
	int rc;

	h->host = strdup(h->cfg.host);
	h->multi = curl_multi_init();
	h->shared = h->cfg.cookies ? curl_share_init() : NULL;
	if (!h->host || !h->multi || (h->cfg.cookies && !h->shared)) {
		return pf_fail_memory(err, "HTTP");
	}
	if (h->shared && curl_share_setopt(h->shared, CURLSHOPT_SHARE, CURL_LOCK_DATA_COOKIE) !=
				 CURLSHE_OK) {
		return pf_fail(err, PF_SCOPE_RUN, PF_RETRY_NO, "libcurl can't be set up");
	}
	pf_buf_init(&base, 4096);
	rc = pf_buf_addf(&base, err, v6 ? "%s://[%s]:%d" : "%s://%s:%d",
		h->cfg.https ? "https" : "http", h->host, h->cfg.port);
	rc = rc == PF_OK ? pf_buf_cstr(&base, &text, err) : rc;
	h->base = rc == PF_OK ? strdup(text) : NULL;
	pf_buf_deinit(&base);
	if (!h->base) {
		return rc == PF_OK ? pf_fail_memory(err, "HTTP") : rc;
	}
	if (curl_multi_setopt(h->multi, CURLMOPT_MAX_HOST_CONNECTIONS, (long)h->width.most) !=
		CURLM_OK) {
		return pf_fail(err, PF_SCOPE_RUN, PF_RETRY_NO, "libcurl can't be set up");
	}
	return http_wait_init(h, err);
}

static void set_width(struct pf_http *h)
{
	const struct pf_http_cfg *cfg = &h->cfg;
	size_t most = cfg->rate_bytes_s > 0 ? CONNECTIONS_PACED : CONNECTIONS_MOST;

	most = cfg->connections_most > 0 && cfg->connections_most < most ? cfg->connections_most
									 : most;
	if (cfg->connections > 0) {
		http_width_init(&h->width, cfg->connections, cfg->connections);
	} else {
		http_width_init(
			&h->width, cfg->rate_bytes_s > 0 ? most : (size_t)CONNECTIONS_LEAST, most);
	}
}

int pf_http_new(struct pf_loop *loop, const struct pf_http_cfg *cfg, struct pf_http **out,
	struct pf_err *err)
{
	struct pf_http *h = calloc(1, sizeof(*h));

	if (!h) {
		return pf_fail_memory(err, "HTTP");
	}
	if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) { /* it counts for itself */
		free(h);
		return pf_fail(err, PF_SCOPE_RUN, PF_RETRY_NO, "libcurl can't be set up");
	}
	h->loop = loop;
	h->cfg = *cfg;
	set_width(h);
	h->auth = (long)CURLAUTH_NONE;
	for (size_t i = 0; i < HTTP_FLIGHTS_MAX; i++) {
		h->flight[i].http = h;
		h->flight[i].number = i;
	}
	if (set_up(h, err) != PF_OK) {
		pf_http_free(&h);
		return PF_FAIL;
	}
	*out = h;
	return PF_OK;
}

/* Ready for another request; the handle stays. */
static void clear_flight(struct http_flight *f)
{
	curl_slist_free_all(f->fields);
	f->fields = NULL;
	pf_blob_unref(&f->sent);
	pf_buf_deinit(&f->body);
	for (size_t i = 0; i < HTTP_FIELDS; i++) {
		pf_buf_deinit(&f->field[i]);
	}
	f->busy = false;
	f->too_large = false;
}

void pf_http_free(struct pf_http **out)
{
	struct pf_http *h = *out;

	if (!h) {
		return;
	}
	for (size_t i = 0; i < HTTP_FLIGHTS_MAX; i++) {
		struct http_flight *f = &h->flight[i];

		if (f->busy && f->easy) {
			(void)curl_multi_remove_handle(h->multi, f->easy);
		}
		clear_flight(f);
		curl_easy_cleanup(f->easy);
	}
	(void)curl_multi_cleanup(h->multi);
	(void)curl_share_cleanup(h->shared); /* no handle is left that has it; NULL is fine */
	http_wait_deinit(h);
	pf_secret_clear(&h->secret);
	free(h->user);
	free(h->host);
	free(h->base);
	free(h);
	curl_global_cleanup();
	*out = NULL;
}

int pf_http_sign_in(struct pf_http *h, const char *user, const struct pf_secret *secret,
	bool bearer, struct pf_err *err)
{
	free(h->user);
	h->user = strdup(user ? user : "");
	pf_secret_clear(&h->secret);
	if (!h->user || (secret && pf_secret_is_set(secret) &&
				!pf_secret_set(&h->secret, pf_span(secret->p, secret->n)))) {
		return pf_fail_memory(err, "HTTP");
	}
	h->auth_known = false;
	h->signed_in++;
	if (!pf_secret_is_set(&h->secret)) {
		h->auth = (long)CURLAUTH_NEGOTIATE;
	} else if (bearer) {
		h->auth = (long)CURLAUTH_BEARER;
	} else {
		h->auth = (long)BY_PASSWORD;
	}
	return PF_OK;
}

void pf_http_insist(struct pf_http *h)
{
	h->auth = (long)CURLAUTH_BASIC;
	h->auth_known = true;
}

void pf_http_narrow(struct pf_http *h)
{
	http_width_narrow(&h->width);
}

bool pf_http_wants_ticket(const struct pf_http *h)
{
	return h->wants_ticket;
}

bool pf_http_was_asked(const struct pf_http *h)
{
	return h->was_asked;
}

/* ---- requests ---- */

static void set_auth(struct pf_http *h, CURL *e)
{
	(void)curl_easy_setopt(e, CURLOPT_HTTPAUTH, h->auth);
	if (h->auth == (long)CURLAUTH_BEARER) {
		(void)curl_easy_setopt(e, CURLOPT_XOAUTH2_BEARER, h->secret.p);
		return;
	}
	if (h->user) {
		(void)curl_easy_setopt(e, CURLOPT_USERNAME, h->user);
		(void)curl_easy_setopt(
			e, CURLOPT_PASSWORD, pf_secret_is_set(&h->secret) ? h->secret.p : "");
	}
}

static int add_field(struct http_flight *f, const char *line, struct pf_err *err)
{
	struct curl_slist *grown = curl_slist_append(f->fields, line);

	if (!grown) {
		return pf_fail_memory(err, "an HTTP request");
	}
	f->fields = grown;
	return PF_OK;
}

static int set_fields(struct http_flight *f, const struct pf_http_req *req, struct pf_err *err)
{
	/* No waiting for "100 Continue", and no type that nobody named. */
	int rc = add_field(f, "Expect:", err);

	rc = rc == PF_OK ? add_field(f, "Accept:", err) : rc;
	for (const char *const *line = req->fields; line && *line && rc == PF_OK; line++) {
		rc = add_field(f, *line, err);
	}
	return rc;
}

static int set_url(struct http_flight *f, struct pf_span target, struct pf_err *err)
{
	struct pf_buf url;
	const char *text = NULL;
	int rc;

	pf_buf_init(&url, 65536);
	rc = pf_buf_add_str(&url, f->http->base, err);
	rc = rc == PF_OK ? pf_buf_add(&url, target, err) : rc;
	rc = rc == PF_OK ? pf_buf_cstr(&url, &text, err) : rc;
	if (rc == PF_OK && curl_easy_setopt(f->easy, CURLOPT_URL, text) != CURLE_OK) {
		rc = pf_fail_memory(err, "an HTTP request");
	}
	pf_buf_deinit(&url);
	return rc;
}

static int set_request(struct http_flight *f, const struct pf_http_req *req, struct pf_err *err)
{
	CURL *e = f->easy;

	if (set_url(f, req->target, err) != PF_OK || set_fields(f, req, err) != PF_OK) {
		return PF_FAIL;
	}
	(void)curl_easy_setopt(e, CURLOPT_POSTFIELDS, NULL); /* which makes it a POST: first */
	(void)curl_easy_setopt(e, CURLOPT_HTTPGET, 1L);
	if (req->body) {
		f->sent = pf_blob_ref(req->body);
		(void)curl_easy_setopt(e, CURLOPT_POST, 1L);
		(void)curl_easy_setopt(e, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)req->body->n);
		(void)curl_easy_setopt(e, CURLOPT_POSTFIELDS, (const char *)req->body->bytes);
	}
	if (curl_easy_setopt(e, CURLOPT_CUSTOMREQUEST, req->method) != CURLE_OK) {
		return pf_fail_memory(err, "an HTTP request");
	}
	(void)curl_easy_setopt(e, CURLOPT_HTTPHEADER, f->fields);
	set_auth(f->http, e);
	f->why[0] = '\0';
	return PF_OK;
}

size_t pf_http_busy(const struct pf_http *h)
{
	return h->busy;
}

size_t pf_http_room(const struct pf_http *h)
{
	/* Not more than go out at once: what waits in libcurl can't be held back any more. */
	size_t most = h->multiplexed ? h->width.most * STREAMS : h->width.now;

	/* Alone until it is known how to sign in: not all of them are to be refused first. */
	most = !h->auth_known && h->auth != (long)CURLAUTH_NONE ? 1 : most;
	most = most > HTTP_FLIGHTS_MAX ? HTTP_FLIGHTS_MAX : most;
	return h->busy < most ? most - h->busy : 0;
}

int pf_http_submit(struct pf_http *h, const struct pf_http_req *req, struct pf_err *err)
{
	struct http_flight *f = h->flight;

	if (pf_http_room(h) == 0) {
		return PF_AGAIN;
	}
	while (f->busy || f == h->told) {
		if (++f == h->flight + HTTP_FLIGHTS_MAX) {
			return PF_AGAIN;
		}
	}
	pf_buf_init(&f->body, req->answer_max);
	forget_fields(f);
	f->offered = 0;
	f->challenged = false;
	f->signed_in = h->signed_in;
	f->once = req->once;
	f->twice = false;
	f->out = f->heard = 0;
	f->id = req->id;
	(void)snprintf(f->method, sizeof(f->method), "%s", req->method);
	if ((!f->easy && set_up_handle(f, err) != PF_OK) || set_request(f, req, err) != PF_OK) {
		clear_flight(f);
		return PF_FAIL;
	}
	if (curl_multi_add_handle(h->multi, f->easy) != CURLM_OK) {
		clear_flight(f);
		return pf_fail_memory(err, "an HTTP request");
	}
	f->busy = true;
	h->busy++;
	return PF_OK;
}

/* ---- answers ---- */

/* What the server asked for on the way to an answer is said unasked from then on. */
static void learn_auth(struct pf_http *h, const struct http_flight *f, long status)
{
	h->auth_known = h->auth_known || status != 401;
	h->was_asked = h->was_asked || f->offered;
	if (status != 401 && h->auth == (long)BY_PASSWORD && f->offered) {
		h->auth = (long)(f->offered & (long)CURLAUTH_DIGEST ? CURLAUTH_DIGEST
				 : f->offered & (long)CURLAUTH_NTLM ? CURLAUTH_NTLM
								    : CURLAUTH_BASIC);
	}
}

/*
 * NTLM is offered and leads nowhere where something before the server can't pass it on: the first
 * step is refused like no sign-in at all, and the password was not shown. libcurl knows no other
 * way then; Basic, which is offered beside it, is one.
 */
static bool asks_otherwise(struct pf_http *h, struct http_flight *f)
{
	const long ways = (long)(CURLAUTH_DIGEST | CURLAUTH_NTLM | CURLAUTH_BASIC);
	long status = 0;

	(void)curl_easy_getinfo(f->easy, CURLINFO_RESPONSE_CODE, &status);
	if (status != 401 || h->auth != (long)BY_PASSWORD || f->challenged ||
		(f->offered & ways) != (long)(CURLAUTH_NTLM | CURLAUTH_BASIC)) {
		return false;
	}
	h->auth = (long)CURLAUTH_BASIC;
	set_auth(h, f->easy);
	pf_buf_clear(&f->body);
	(void)curl_multi_remove_handle(h->multi, f->easy);
	return curl_multi_add_handle(h->multi, f->easy) == CURLM_OK;
}

static struct pf_span field(const struct http_flight *f, size_t i)
{
	return f->field[i].n > 0 ? pf_buf_span(&f->field[i]) : pf_span(NULL, 0);
}

static void fill_answer(struct pf_http *h, struct http_flight *f, struct pf_http_answer *out)
{
	long status = 0, version = 0;

	(void)curl_easy_getinfo(f->easy, CURLINFO_RESPONSE_CODE, &status);
	(void)curl_easy_getinfo(f->easy, CURLINFO_HTTP_VERSION, &version);
	h->multiplexed = version >= (long)CURL_HTTP_VERSION_2_0;
	learn_auth(h, f, status);
	*out = (struct pf_http_answer){
		.id = f->id,
		.outdated = f->signed_in != h->signed_in,
		.status = (int)status,
		.retry_after_s = f->retry_after_s,
		.etag = field(f, 0),
		.location = field(f, 1),
		.dav = field(f, 2),
		.type = field(f, 3),
		.server = field(f, 4),
		.body = pf_buf_span(&f->body),
	};
}

static bool was_sent(struct http_flight *f)
{
	curl_off_t up = 0;
	long head = 0;

	(void)curl_easy_getinfo(f->easy, CURLINFO_SIZE_UPLOAD_T, &up);
	(void)curl_easy_getinfo(f->easy, CURLINFO_REQUEST_SIZE, &head);
	return f->twice || (head > 0 && (!f->sent || (size_t)up >= f->sent->n));
}

static void fill_failure(
	struct pf_http *h, struct http_flight *f, CURLcode code, struct pf_http_answer *out)
{
	char text[300];
	const char *words = f->twice    ? "the link ended without an answer"
			    : f->why[0] ? f->why
					: curl_easy_strerror(code);

	*out = (struct pf_http_answer){.id = f->id, .failed = true, .in_doubt = was_sent(f)};
	pf_print_safe(text, sizeof(text), trimmed(pf_span_str(words)));
	switch (code) {
	case CURLE_PEER_FAILED_VERIFICATION:
		(void)pf_fail(&out->why, PF_SCOPE_STORE, PF_RETRY_NO, "%s",
			h->refused[0] ? h->refused : text);
		break;
	case CURLE_WRITE_ERROR:
		(void)pf_fail(&out->why, f->too_large ? PF_SCOPE_ITEM : PF_SCOPE_SESSION,
			f->too_large ? PF_RETRY_NO : PF_RETRY_LATER, "%s:%d: %s", h->host,
			h->cfg.port, f->too_large ? "an answer is larger than it may be" : text);
		break;
	case CURLE_SSL_CONNECT_ERROR:
		out->not_tls = strstr(text, "wrong version number") != NULL; /* OpenSSL's words */
		(void)pf_fail(&out->why, PF_SCOPE_STORE, PF_RETRY_NO,
			"%s:%d: %s. Is it a TLS port, and does it speak TLS 1.2 or later?", h->host,
			h->cfg.port, text);
		break;
	case CURLE_URL_MALFORMAT:
		(void)pf_fail(&out->why, PF_SCOPE_ITEM, PF_RETRY_NO, "%s:%d: %s", h->host,
			h->cfg.port, text);
		break;
	default:
		(void)pf_fail(&out->why, PF_SCOPE_SESSION, PF_RETRY_LATER, "%s:%d: %s", h->host,
			h->cfg.port, text);
		break;
	}
}

int pf_http_next(
	struct pf_http *h, struct pf_http_answer *out, int64_t *wake_ms, struct pf_err *err)
{
	CURLMsg *m;
	int left;

	(void)err;
	if (h->told) {
		clear_flight(h->told);
		h->told = NULL;
	}
	http_wait_step(h, wake_ms);
	while ((m = curl_multi_info_read(h->multi, &left)) != NULL) {
		struct http_flight *f = NULL;
		CURLcode code = m->data.result;

		if (m->msg != CURLMSG_DONE ||
			curl_easy_getinfo(m->easy_handle, CURLINFO_PRIVATE, &f) != CURLE_OK) {
			continue;
		}
		if (code == CURLE_OK && asks_otherwise(h, f)) {
			http_wait_step(h, wake_ms); /* so that it goes out */
			continue;
		}
		if (code == CURLE_OK) {
			fill_answer(h, f, out);
		} else {
			fill_failure(h, f, code, out);
		}
		(void)curl_multi_remove_handle(h->multi, f->easy);
		if (!out->failed) {
			http_width_answer(&h->width, f->method, h->busy, pf_loop_now_ms(h->loop));
		}
		h->busy--;
		h->told = f;
		return PF_OK;
	}
	return PF_AGAIN;
}
