#include "net/fast_clock.h"
#include "net/loop_private.h"

#include <signal.h>
#include <stdlib.h>
#include <time.h>

struct pf_loop {
	uv_loop_t uv;
	uv_timer_t timer;
	uv_signal_t signals[2];
	bool catching, stirred;
	int stop_signal;
	uint64_t rate; /* of the clock, in tests; else 1 */
	uint64_t began_ms;
};

uv_loop_t *pf_loop_uv(struct pf_loop *loop)
{
	return &loop->uv;
}

void pf_loop_stir(struct pf_loop *loop)
{
	loop->stirred = true;
}

static int fail_uv(struct pf_err *err, const char *what, int rc)
{
	return pf_fail(err, PF_SCOPE_RUN, PF_RETRY_NO, "%s: %s", what, uv_strerror(rc));
}

int pf_loop_new(struct pf_loop **out, struct pf_err *err)
{
	struct pf_loop *loop = calloc(1, sizeof(*loop));
	int rc;

	if (!loop) {
		return pf_fail_memory(err, "the event loop");
	}
	loop->rate = pf_fast_clock_rate();
	rc = uv_loop_init(&loop->uv);
	if (rc != 0) {
		free(loop);
		return fail_uv(err, "starting the event loop", rc);
	}
	loop->began_ms = uv_now(&loop->uv);
	rc = uv_timer_init(&loop->uv, &loop->timer);
	if (rc != 0) {
		(void)uv_loop_close(&loop->uv);
		free(loop);
		return fail_uv(err, "starting the event loop", rc);
	}
	*out = loop;
	return PF_OK;
}

void pf_loop_free(struct pf_loop **out)
{
	struct pf_loop *loop = *out;

	if (!loop) {
		return;
	}
	uv_close((uv_handle_t *)&loop->timer, NULL);
	for (size_t i = 0; loop->catching && i < PF_COUNT(loop->signals); i++) {
		uv_close((uv_handle_t *)&loop->signals[i], NULL);
	}
	(void)uv_run(&loop->uv, UV_RUN_DEFAULT); /* lets closing handles and resolvers end */
	pf_assert(uv_loop_close(&loop->uv) == 0);
	free(loop);
	*out = NULL;
}

int64_t pf_loop_now_ms(const struct pf_loop *loop)
{
	return (int64_t)(uv_now(&loop->uv) * loop->rate);
}

int64_t pf_loop_utc_s(const struct pf_loop *loop)
{
	uint64_t ahead_ms = (uv_now(&loop->uv) - loop->began_ms) * (loop->rate - 1);

	return (int64_t)time(NULL) + pf_fast_clock_ahead_s() + (int64_t)(ahead_ms / 1000);
}

static void on_timer(uv_timer_t *timer)
{
	pf_loop_stir(timer->data);
	/* libuv before 1.45 runs timers before it polls, and would then wait for a socket. */
	uv_stop(timer->loop);
}

int pf_loop_wait(struct pf_loop *loop, int64_t wake_ms, struct pf_err *err)
{
	int64_t now = pf_loop_now_ms(loop);
	int rc;

	if (wake_ms != INT64_MAX && !loop->stirred) {
		uint64_t pause = wake_ms > now ? (uint64_t)(wake_ms - now) : 0;

		loop->timer.data = loop;
		rc = uv_timer_start(
			&loop->timer, on_timer, (pause + loop->rate - 1) / loop->rate, 0);
		if (rc != 0) {
			return fail_uv(err, "setting a timer", rc);
		}
	}
	/* One round without waiting when something happened already, so that sockets get their
	 * turn. */
	(void)uv_run(&loop->uv, loop->stirred ? UV_RUN_NOWAIT : UV_RUN_ONCE);
	while (!loop->stirred && uv_loop_alive(&loop->uv)) {
		(void)uv_run(&loop->uv, UV_RUN_ONCE);
	}
	loop->stirred = false;
	(void)uv_timer_stop(&loop->timer); /* fails for no running timer only */
	uv_update_time(&loop->uv);
	return PF_OK;
}

static void on_signal(uv_signal_t *handle, int number)
{
	struct pf_loop *loop = handle->data;

	loop->stop_signal = number;
	pf_loop_stir(loop);
}

int pf_loop_catch_signals(struct pf_loop *loop, struct pf_err *err)
{
	static const int STOP[] = {SIGINT, SIGTERM};

	if (signal(SIGPIPE, SIG_IGN) == SIG_ERR) {
		return pf_fail_sys(err, PF_SCOPE_RUN, PF_RETRY_NO, "ignoring SIGPIPE");
	}
	for (size_t i = 0; i < PF_COUNT(STOP); i++) {
		int rc = uv_signal_init(&loop->uv, &loop->signals[i]);

		if (rc == 0) {
			loop->signals[i].data = loop;
			rc = uv_signal_start(&loop->signals[i], on_signal, STOP[i]);
		}
		if (rc != 0) {
			return fail_uv(err, "catching signals", rc);
		}
		uv_unref((uv_handle_t *)&loop->signals[i]); /* they alone keep nobody waiting */
	}
	loop->catching = true;
	return PF_OK;
}

int pf_loop_stop_signal(const struct pf_loop *loop)
{
	return loop->stop_signal;
}
