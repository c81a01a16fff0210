/*
 * Death at a chosen moment, for the crash tests. Only in builds with -Dtest_hooks=true.
 */
#ifndef PF_BASE_KILL_POINT_H
#define PF_BASE_KILL_POINT_H

#include <stdint.h>

/* The process kills itself (SIGKILL) when this variable of the environment has this number. */
#ifdef PF_TEST_HOOKS
void pf_kill_point(const char *variable, uint64_t number);
#else
static inline void pf_kill_point(const char *variable, uint64_t number)
{
	(void)variable;
	(void)number;
}
#endif

#endif
