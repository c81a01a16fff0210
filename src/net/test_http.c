/* An HTTP client against a server in the same process, which says what a test makes it say. */
#include "net/http_private.h"

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

enum { LOOK_MS = 100, EXCHANGES = 200 };

struct world {
	struct pf_loop *loop;
	struct pf_http *http;
	int listener, server;
	int64_t wake_ms;
	struct pf_err err;
};

static bool is_readable(int fd, int wait_ms)
{
	struct pollfd p = {.fd = fd, .events = POLLIN};

	return poll(&p, 1, wait_ms) == 1;
}

static void must(struct world *w, int rc)
{
	if (rc != PF_OK) {
		fail_msg("%s", w->err.text);
	}
}

static int setup(void **state)
{
	struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t n = sizeof(at);
	struct world *w = calloc(1, sizeof(*w));
	struct pf_http_cfg cfg = {.host = "127.0.0.1", .connections = 16};

	w->server = -1;
	w->listener = socket(AF_INET, SOCK_STREAM, 0);
	assert_int_equal(bind(w->listener, (struct sockaddr *)&at, n), 0);
	assert_int_equal(listen(w->listener, 1), 0);
	assert_int_equal(getsockname(w->listener, (struct sockaddr *)&at, &n), 0);
	cfg.port = ntohs(at.sin_port);
	must(w, pf_loop_new(&w->loop, &w->err));
	must(w, pf_http_new(w->loop, &cfg, &w->http, &w->err));
	*state = w;
	return 0;
}

static int teardown(void **state)
{
	struct world *w = *state;

	pf_http_free(&w->http);
	pf_loop_free(&w->loop);
	close(w->server);
	close(w->listener);
	free(w);
	return 0;
}

/* What has come is taken; then nothing waits for anything. */
static int step(struct world *w, struct pf_http_answer *a)
{
	int64_t wake_ms = w->wake_ms;

	must(w, pf_loop_wait(w->loop, wake_ms, &w->err));
	w->wake_ms = pf_loop_now_ms(w->loop) + LOOK_MS;
	return pf_http_next(w->http, a, &w->wake_ms, &w->err);
}

static void ask(struct world *w)
{
	struct pf_http_req req = {
		.id = 1, .method = "GET", .target = pf_span_str("/"), .answer_max = 1000};

	must(w, pf_http_submit(w->http, &req, &w->err));
	w->wake_ms = 0;
}

/* The server has the whole request. */
static void hear(struct world *w)
{
	char text[4096] = "";
	size_t n = 0;
	struct pf_http_answer a;

	while (!strstr(text, "\r\n\r\n")) {
		assert_int_equal(step(w, &a), PF_AGAIN);
		if (w->server < 0 && is_readable(w->listener, 0)) {
			w->server = accept(w->listener, NULL, NULL);
		}
		if (w->server >= 0 && is_readable(w->server, 0)) {
			ssize_t got = read(w->server, text + n, sizeof(text) - 1 - n);

			assert_true(got > 0);
			n += (size_t)got;
		}
	}
}

static void say(struct world *w, const char *text)
{
	assert_int_equal(write(w->server, text, strlen(text)), strlen(text));
}

static void take(struct world *w, const char *body)
{
	struct pf_http_answer a;

	while (step(w, &a) == PF_AGAIN) {
	}
	assert_false(a.failed);
	assert_int_equal(a.status, 200);
	assert_true(pf_span_is(a.body, body));
}

static bool acknowledges_at_once(const struct world *w)
{
	int on = 0;
	socklen_t n = sizeof(on);

	assert_non_null(w->http->sockets);
	assert_int_equal(getsockopt(w->http->sockets->fd, IPPROTO_TCP, TCP_QUICKACK, &on, &n), 0);
	return on != 0;
}

/* Else a server that has not set TCP_NODELAY keeps the rest for 40 ms. */
static void answer_in_pieces_is_acknowledged_at_once(void **state)
{
	struct world *w = *state;
	struct pf_http_answer a;
	bool late = false;

	/* After some exchanges the kernel waits for a request that carries the acknowledgement. */
	for (int i = 0; i < EXCHANGES && !late; i++) {
		ask(w);
		hear(w);
		late = !acknowledges_at_once(w);
		say(w, "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nyes");
		take(w, "yes");
	}
	if (!late) {
		skip(); /* it never does: nothing is to be shown */
	}
	ask(w);
	hear(w);
	say(w, "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nyes");
	while (w->http->flight[0].body.n < 3) {
		assert_int_equal(step(w, &a), PF_AGAIN);
	}
	assert_true(acknowledges_at_once(w));
	say(w, "yes");
	take(w, "yesyes");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			answer_in_pieces_is_acknowledged_at_once, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
