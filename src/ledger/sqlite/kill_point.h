/*
 * Death at a chosen moment, for the crash tests. Only in builds with -Dtest_hooks=true.
 */
#ifndef PF_LEDGER_SQLITE_KILL_POINT_H
#define PF_LEDGER_SQLITE_KILL_POINT_H

#include <stdint.h>

enum pf_kill_moment { PF_KILL_BEFORE, PF_KILL_AFTER };

/*
 * Called around commit `number` (from 1) of a ledger. With POSTFERRY_TEST_KILL_AT_WRITE=N the
 * process kills itself (SIGKILL) right before commit (N + 1) / 2 when N is odd, right after it when
 * N is even.
 */
#ifdef PF_TEST_HOOKS
void pf_kill_point(uint64_t number, enum pf_kill_moment moment);
#else
static inline void pf_kill_point(uint64_t number, enum pf_kill_moment moment)
{
	(void)number;
	(void)moment;
}
#endif

#endif
