/*
 * How many requests go to a server at once, by what it is seen to do with them: twice as many are
 * tried while that pays, and given up again where it does not. No clock, no I/O.
 *
 *     MEASURING -- the rate at `now` is known --> TRYING with 2 * now -- 20 % more --> MEASURING
 *         ^                                          |
 *         +----------- no gain: back, and rest ------+
 *
 * A rate counts only while as many were in flight as may be: else it is ours and not the server's.
 */
#ifndef PF_NET_HTTP_WIDTH_H
#define PF_NET_HTTP_WIDTH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct http_width {
	size_t now, most;
	size_t before;      /* TRYING: what it was; else 0 */
	double before_rate; /* answers a millisecond at `before` */
	unsigned int rest;  /* rates to be seen until more is tried again */
	/* what is being measured */
	char method[12];
	size_t answers;
	int64_t since_ms;
};

/* `least` to begin with, `most` in the end; where they are the same it stays so. */
void http_width_init(struct http_width *w, size_t least, size_t most);
/* A request of this method was answered at `now_ms`, when `busy` were in flight, itself included.
 */
void http_width_answer(struct http_width *w, const char *method, size_t busy, int64_t now_ms);
/* The server has too much of it: half as many from now on, at least one, and never more again. */
void http_width_narrow(struct http_width *w);

#endif
