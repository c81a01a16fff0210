/*
 * A clock that goes faster, so that tests of pauses and deadlines need not wait for them. Only in
 * builds with -Dtest_hooks=true.
 */
#ifndef PF_NET_FAST_CLOCK_H
#define PF_NET_FAST_CLOCK_H

#include <stdint.h>

/* With POSTFERRY_TEST_CLOCK=N every pause and every deadline is over N times as soon. */
#ifdef PF_TEST_HOOKS
uint64_t pf_fast_clock_rate(void);
/* POSTFERRY_TEST_AHEAD=S: what it is told of the day and the hour is so many seconds later. */
int64_t pf_fast_clock_ahead_s(void);
#else
static inline uint64_t pf_fast_clock_rate(void)
{
	return 1;
}

static inline int64_t pf_fast_clock_ahead_s(void)
{
	return 0;
}
#endif

#endif
