/*
 * Stores around a store: they hand on what is not theirs to do, and change, add to or hold back
 * what comes. Here is their table of operations; such a store gives three functions.
 */
#ifndef PF_STORES_WRAPPER_H
#define PF_STORES_WRAPPER_H

#include "stores/store.h"

struct pf_wrapper;

struct pf_wrapper_does {
	/* As of a store; what it does not do itself goes on to w->inner. */
	int (*submit)(struct pf_wrapper *w, const struct pf_op *op, struct pf_err *err);
	/* The next event of its own. PF_AGAIN: it has none now, and has asked the inner store for
	 * what it needs. NULL: it never has any. */
	int (*give)(struct pf_wrapper *w, struct pf_store_event *out, struct pf_err *err);
	/* An event of the inner store, to be told as it is left. PF_AGAIN: it is not the engine's
	 * to hear. */
	int (*take)(struct pf_wrapper *w, struct pf_store_event *ev, struct pf_err *err);
	/* NULL: the inner store's are true of it as well. */
	const struct pf_store_facts *(*facts)(struct pf_wrapper *w);
	/* What it has besides is freed; the inner store is closed by then. */
	void (*deinit)(struct pf_wrapper *w);
};

/* Such a store embeds this first. */
struct pf_wrapper {
	struct pf_store base;
	struct pf_store *inner;
	const struct pf_wrapper_does *does;
};

/*
 * `size` octets of zero that begin with a pf_wrapper around `inner`, whose place it takes (both are
 * closed by closing it). NULL: no memory; `inner` is closed, and `err` says so.
 */
void *pf_wrapper_new(size_t size, struct pf_store *inner, const struct pf_wrapper_does *does,
	struct pf_err *err);

/* Another body in the place of the one that came. PF_FAIL: no memory, and it is as it was. */
PF_MUST_CHECK int pf_wrapper_replace(
	struct pf_store_event *ev, struct pf_span body, struct pf_err *err);

#endif
