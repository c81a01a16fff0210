/*
 * libcurl's sockets and its timer on the loop. A socket that stirs is noted and not looked at again
 * until http_wait_step has handed it to libcurl: nobody pulling means nothing is read.
 *
 * A server that writes an answer in pieces without TCP_NODELAY keeps every piece until the one
 * before is acknowledged (RFC 9293 section 3.7.4), which the kernel puts off by 40 ms when nothing
 * is to be sent (RFC 1122 section 4.2.3.2). So it is told to acknowledge at once what of an answer
 * has come; an answer that came whole is acknowledged with the next request. Cyrus 3.6.1 sent
 * multigets three times as fast.
 */
#include "net/fast_clock.h"
#include "net/http_private.h"

#include <netinet/tcp.h>
#include <stdlib.h>

static void on_stir(uv_poll_t *poll, int status, int events)
{
	struct http_socket *s = pf_container_of(poll, struct http_socket, poll);

	(void)uv_poll_stop(poll); /* never fails */
	s->armed = 0;
	s->stirred |= events;
	s->failed = s->failed || status < 0;
	if (s->http && s->http->cfg.stirred) {
		*s->http->cfg.stirred = true;
	}
	if (s->http) {
		pf_loop_stir(s->http->loop);
	}
}

static void on_closed(uv_handle_t *handle)
{
	free(pf_container_of((uv_poll_t *)handle, struct http_socket, poll));
}

static void drop_socket(struct pf_http *h, struct http_socket *s)
{
	struct http_socket **at = &h->sockets;

	while (*at != s) {
		at = &(*at)->next;
	}
	*at = s->next;
	s->http = NULL;
	(void)uv_poll_stop(&s->poll);
	uv_close((uv_handle_t *)&s->poll, on_closed);
}

static struct http_socket *add_socket(struct pf_http *h, curl_socket_t fd)
{
	struct http_socket *s = calloc(1, sizeof(*s));

	if (!s) {
		return NULL;
	}
	if (uv_poll_init_socket(pf_loop_uv(h->loop), &s->poll, fd) != 0) {
		free(s);
		return NULL;
	}
	s->http = h;
	s->fd = fd;
	s->next = h->sockets;
	h->sockets = s;
	return s;
}

/* libcurl tells what it waits for; it does so only within our own calls. */
static int on_socket(CURL *easy, curl_socket_t fd, int what, void *arg, void *ours)
{
	struct pf_http *h = arg;
	struct http_socket *s = ours;

	(void)easy;
	if (what == CURL_POLL_REMOVE) {
		if (s) {
			drop_socket(h, s);
		}
		return 0;
	}
	if (!s) {
		s = add_socket(h, fd);
		if (!s) {
			return -1;
		}
		(void)curl_multi_assign(h->multi, fd, s); /* fails for an unknown socket only */
	}
	s->want =
		(what & CURL_POLL_IN ? UV_READABLE : 0) | (what & CURL_POLL_OUT ? UV_WRITABLE : 0);
	return 0;
}

static int on_timer(CURLM *multi, long ms, void *arg)
{
	struct pf_http *h = arg;

	(void)multi;
	/* Its clock is the true one: where ours goes faster, it is asked that much later. */
	h->due_ms =
		ms < 0 ? INT64_MAX : pf_loop_now_ms(h->loop) + ms * (int64_t)pf_fast_clock_rate();
	return 0;
}

int http_wait_init(struct pf_http *h, struct pf_err *err)
{
	h->due_ms = INT64_MAX;
	if (curl_multi_setopt(h->multi, CURLMOPT_SOCKETFUNCTION, on_socket) != CURLM_OK ||
		curl_multi_setopt(h->multi, CURLMOPT_SOCKETDATA, h) != CURLM_OK ||
		curl_multi_setopt(h->multi, CURLMOPT_TIMERFUNCTION, on_timer) != CURLM_OK ||
		curl_multi_setopt(h->multi, CURLMOPT_TIMERDATA, h) != CURLM_OK) {
		return pf_fail(err, PF_SCOPE_RUN, PF_RETRY_NO, "libcurl can't be set up");
	}
	return PF_OK;
}

void http_wait_deinit(struct pf_http *h)
{
	while (h->sockets) {
		drop_socket(h, h->sockets);
	}
}

static struct http_socket *stirred_one(struct pf_http *h)
{
	struct http_socket *s = h->sockets;

	while (s && !s->stirred && !s->failed) {
		s = s->next;
	}
	return s;
}

/* The socket is still waited for: there is more to come. */
static void acknowledge(const struct pf_http *h, curl_socket_t fd)
{
	const struct http_socket *s = h->sockets;
	int on = 1;

	while (s && s->fd != fd) {
		s = s->next;
	}
	if (s && s->want == UV_READABLE) { /* where it can't be had, it is slower, that is all */
		(void)setsockopt(fd, IPPROTO_TCP, TCP_QUICKACK, &on, sizeof(on));
	}
}

static void hand_over(struct pf_http *h)
{
	struct http_socket *s;
	int running;

	/* What is the matter with a socket is found out by reading: of an error alone libcurl tells
	 * no more than that, and it asks again by itself where a server had closed what it kept
	 * alive. */
	while ((s = stirred_one(h)) != NULL) {
		int what = (s->stirred & UV_READABLE ? CURL_CSELECT_IN : 0) |
			   (s->stirred & UV_WRITABLE ? CURL_CSELECT_OUT : 0) |
			   (s->failed ? CURL_CSELECT_IN | CURL_CSELECT_ERR : 0);
		curl_socket_t fd = s->fd;

		s->stirred = 0;
		s->failed = false;
		(void)curl_multi_socket_action(h->multi, fd, what, &running);
		if (what & CURL_CSELECT_IN) {
			acknowledge(h, fd); /* by its number: it may be gone */
		}
	}
}

static void arm(struct pf_http *h)
{
	for (struct http_socket *s = h->sockets; s; s = s->next) {
		if (s->want && (s->armed != s->want) &&
			uv_poll_start(&s->poll, s->want, on_stir) == 0) {
			s->armed = s->want;
		} else if (!s->want && s->armed) {
			(void)uv_poll_stop(&s->poll);
			s->armed = 0;
		}
	}
}

void http_wait_step(struct pf_http *h, int64_t *wake_ms)
{
	int running;

	hand_over(h);
	if (h->due_ms <= pf_loop_now_ms(h->loop)) {
		h->due_ms = INT64_MAX;
		(void)curl_multi_socket_action(h->multi, CURL_SOCKET_TIMEOUT, 0, &running);
	}
	arm(h);
	if (h->due_ms < *wake_ms) {
		*wake_ms = h->due_ms;
	}
}
