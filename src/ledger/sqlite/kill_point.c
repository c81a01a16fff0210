#include "ledger/sqlite/kill_point.h"

#include <signal.h>
#include <stdlib.h>

void pf_kill_point(uint64_t number, enum pf_kill_moment moment)
{
	const char *at = getenv("POSTFERRY_TEST_KILL_AT_WRITE");

	if (at && strtoull(at, NULL, 10) == number * 2 - (moment == PF_KILL_BEFORE)) {
		(void)raise(SIGKILL);
	}
}
