/*
 * Who may begin: the order and the limits of a batch of accounts. Pure: no I/O, time is an
 * argument, it knows neither stores nor jobs. Tens of thousands of accounts are rows here.
 *
 *     while ((rc = pf_batch_next(batch, now_ms, &turn, &wake_ms, err)) == PF_OK) {
 *         begin the account, and say pf_batch_ended when it is over
 *     }
 *
 * A server has a limit of connections over all accounts. A cap that it shows lowers the limit,
 * quiet time raises it again. While a server can't be reached one account at a time asks for it,
 * with growing pauses; after some of them those that wait for it are given up. An administrator
 * whose sign-in is refused for several accounts in a row is not tried again, or he would be locked
 * out.
 *
 * An account that was cut off or could not be opened for what may pass comes back later, a bounded
 * number of times; a refused sign-in never does.
 */
#ifndef PF_ENGINE_BATCH_H
#define PF_ENGINE_BATCH_H

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct pf_batch;

/* No server: the store lies in files. No login: every account signs in with a name of its own. */
#define PF_BATCH_NONE SIZE_MAX

struct pf_batch_cfg {
	size_t alive_max;   /* accounts at work at the same time; at least 1 */
	unsigned int tries; /* of an account that gets nowhere; at least 1 */
	bool no_wait;       /* for the next day, when a day's bytes are used up */
};

struct pf_batch_account {
	size_t server[2];      /* source, target; or PF_BATCH_NONE */
	size_t login[2];       /* the administrator who signs in; or PF_BATCH_NONE */
	size_t connections[2]; /* that it may open; at least 1 */
};

PF_MUST_CHECK int pf_batch_new(
	const struct pf_batch_cfg *cfg, struct pf_batch **out, struct pf_err *err);
void pf_batch_free(struct pf_batch **b);

/* All are numbered from 0 in the order they were added. A limit is at least 1. */
PF_MUST_CHECK int pf_batch_add_server(struct pf_batch *b, size_t limit, struct pf_err *err);
PF_MUST_CHECK int pf_batch_add_login(struct pf_batch *b, struct pf_err *err);
PF_MUST_CHECK int pf_batch_add(
	struct pf_batch *b, const struct pf_batch_account *a, struct pf_err *err);

struct pf_batch_turn {
	size_t account;
	size_t connections[2]; /* that it may open by what was learned meanwhile */
	unsigned int tries;    /* before this one */
	const char *give_up;   /* NULL: begin it. Else: it is over without another try, and why;
				  borrowed until the next call */
};

/*
 * PF_OK: `out` is the next one. PF_AGAIN: none may begin now; *wake_ms is lowered to the moment at
 * which one may even if none ends. PF_END: all are over, or the batch was stopped and none is at
 * work.
 */
PF_MUST_CHECK int pf_batch_next(
	struct pf_batch *b, int64_t now_ms, struct pf_batch_turn *out, int64_t *wake_ms);

/* This one has signed in at that side (0: source, 1: target): so others can. Again is no matter. */
void pf_batch_opened(struct pf_batch *b, size_t account, size_t side);

/* How an account came to its end. */
struct pf_batch_end {
	bool opened[2];           /* source, target: signed in */
	bool complete;            /* the pass went to its end, whatever became of single items */
	bool progressed;          /* something was done */
	bool at_target;           /* `why` is of the target */
	size_t connections[2];    /* that the servers turned out to permit; 0 = not known */
	const struct pf_err *why; /* unless complete */
};

/* true: it is over. false: it will come again, in *pause_ms. */
bool pf_batch_ended(struct pf_batch *b, size_t account, const struct pf_batch_end *end,
	int64_t now_ms, int64_t *pause_ms);

/* Nothing begins any more. */
void pf_batch_stop(struct pf_batch *b);

/* Accounts that were never begun or wait for another try. */
size_t pf_batch_waiting(const struct pf_batch *b);
/* The connections that a server is given now. */
size_t pf_batch_limit(const struct pf_batch *b, size_t server);

#endif
