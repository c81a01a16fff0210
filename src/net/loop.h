/*
 * The event loop (libuv): waits until a socket stirs, a name is resolved, a signal came or a moment
 * is reached. It never calls into the code above: who waits on it looks again at everything it
 * owns.
 */
#ifndef PF_NET_LOOP_H
#define PF_NET_LOOP_H

#include "base/err.h"

#include <stdbool.h>
#include <stdint.h>

struct pf_loop;

PF_MUST_CHECK int pf_loop_new(struct pf_loop **out, struct pf_err *err);
/* All connections must be closed before. NULL is fine. */
void pf_loop_free(struct pf_loop **loop);

/* Milliseconds of a clock that only goes forward; cheap, as of the last wake-up. */
int64_t pf_loop_now_ms(const struct pf_loop *loop);
/* Seconds since 1970, for records. */
int64_t pf_loop_utc_s(const struct pf_loop *loop);

/*
 * Sleep until something happened or until `wake_ms` (of pf_loop_now_ms; INT64_MAX: no limit).
 * Returns at once when something happened since the last call. The clock is fresh afterwards.
 */
PF_MUST_CHECK int pf_loop_wait(struct pf_loop *loop, int64_t wake_ms, struct pf_err *err);

/* From now on SIGINT and SIGTERM do not end the process but wake the loop. SIGPIPE is ignored. */
PF_MUST_CHECK int pf_loop_catch_signals(struct pf_loop *loop, struct pf_err *err);
/* The signal that asked us to stop; 0 = none yet. */
int pf_loop_stop_signal(const struct pf_loop *loop);

#endif
