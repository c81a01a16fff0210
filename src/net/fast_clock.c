#include "net/fast_clock.h"

#include <stdlib.h>

uint64_t pf_fast_clock_rate(void)
{
	const char *rate = getenv("POSTFERRY_TEST_CLOCK");
	uint64_t n = rate ? strtoull(rate, NULL, 10) : 1;

	return n > 0 && n <= 1000 ? n : 1;
}

int64_t pf_fast_clock_ahead_s(void)
{
	const char *ahead = getenv("POSTFERRY_TEST_AHEAD");

	return ahead ? strtoll(ahead, NULL, 10) : 0;
}
