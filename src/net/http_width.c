#include "net/http_width.h"

#include <stdio.h>
#include <string.h>

enum {
	WINDOW_MS = 300,
	WINDOW_ANSWERS = 16,
	WINDOW_EACH = 4, /* answers a request in flight, at least */
	REST = 20,
};

static const double PAYS = 1.2; /* for twice as many in flight */

void http_width_init(struct http_width *w, size_t least, size_t most)
{
	*w = (struct http_width){.now = least < most ? least : most, .most = most};
}

static void restart(struct http_width *w, const char *method, int64_t now_ms)
{
	(void)snprintf(w->method, sizeof(w->method), "%s", method);
	w->answers = 0;
	w->since_ms = now_ms;
}

static void widen(struct http_width *w, double rate)
{
	w->before = w->now;
	w->before_rate = rate;
	w->now = 2 * w->now < w->most ? 2 * w->now : w->most;
}

static void measured(struct http_width *w, double rate)
{
	if (w->before > 0 && rate < w->before_rate * PAYS) {
		w->now = w->before;
		w->before = 0;
		w->rest = REST;
		return;
	}
	w->before = 0;
	if (w->rest > 0) {
		w->rest--;
	} else if (w->now < w->most) {
		widen(w, rate);
	}
}

void http_width_answer(struct http_width *w, const char *method, size_t busy, int64_t now_ms)
{
	int64_t ms = now_ms - w->since_ms;

	if (busy < w->now || strcmp(method, w->method) != 0) {
		restart(w, method, now_ms);
		return;
	}
	w->answers++;
	if (ms < WINDOW_MS || w->answers < WINDOW_ANSWERS || w->answers < WINDOW_EACH * w->now) {
		return;
	}
	measured(w, (double)w->answers / (double)ms);
	restart(w, method, now_ms);
}

void http_width_narrow(struct http_width *w)
{
	w->most = w->now > 1 ? w->now / 2 : 1;
	w->now = w->most;
	w->before = 0;
	w->answers = 0;
}
