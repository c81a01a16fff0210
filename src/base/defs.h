/*
 * The few attributes and macros that every file may use.
 */
#ifndef PF_BASE_DEFS_H
#define PF_BASE_DEFS_H

#include <stddef.h>

/* The result tells whether it worked: a caller that ignores it is a bug. */
#define PF_MUST_CHECK __attribute__((warn_unused_result))
/* Arguments F and on are those of printf, and checked as such. */
#define PF_PRINTF(f, a) __attribute__((format(printf, f, a)))
#define PF_COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* The struct that embeds `member` at `ptr`. */
#define pf_container_of(ptr, type, member) ((type *)((char *)(ptr)-offsetof(type, member)))

/* Our own invariants only, never what a peer, a file or a user can cause. On in every build. */
#define pf_assert(cond) ((cond) ? (void)0 : pf_assert_failed(#cond, __FILE__, __LINE__))
_Noreturn void pf_assert_failed(const char *cond, const char *file, int line);

#endif
