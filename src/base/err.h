/*
 * What failed, how much is lost by it, and whether trying again may help.
 *
 * The caller owns a struct pf_err on its stack and hands it down; the function that fails fills it,
 * each function on the way up puts its context in front. Nothing is allocated, nothing is global.
 */
#ifndef PF_BASE_ERR_H
#define PF_BASE_ERR_H

#include "base/defs.h"

#include <stdarg.h>

/* Result of a function that can fail. Only PF_FAIL fills the error. */
enum pf_rc {
	PF_FAIL = -1,
	PF_OK = 0,
	PF_AGAIN = 1, /* nothing to give or no room just now: come back later */
	PF_END = 2,   /* there will never be more */
};

/* How much must be given up. */
enum pf_scope {
	PF_SCOPE_ITEM,    /* this item (or this response, this command) */
	PF_SCOPE_FOLDER,  /* this folder */
	PF_SCOPE_SESSION, /* this connection; another one may do */
	PF_SCOPE_STORE,   /* this side of the account: address, certificate, sign-in */
	PF_SCOPE_RUN,     /* the process: memory, ledger, wrong usage */
};

/* Whether the same may work when tried again. */
enum pf_retry {
	PF_RETRY_NO,
	PF_RETRY_NOW,   /* on a fresh connection, or alone instead of in a group */
	PF_RETRY_LATER, /* after a pause: throttled, busy, cut off */
};

struct pf_err {
	enum pf_scope scope;
	enum pf_retry retry;
	int retry_after_s; /* what the server asked for; 0 = nothing */
	int sys;           /* errno at the failing call; 0 = none */
	int number;        /* event number (model/events.h); 0 = none of its own */
	const char *file;
	int line;
	char text[512]; /* UTF-8, one line: "folder Sent/2019: APPEND: NO [OVERQUOTA] full" */
};

/*
 * Fill `err` and return PF_FAIL. Bytes that came from outside must have passed pf_print_safe. `err`
 * may be NULL. A text that is too long is cut at a character. The value is a part of the macro, so
 * that compiler and analyser see it.
 */
#define pf_fail(err, scope, retry, ...)                                                            \
	(pf_fail_at(err, scope, retry, __FILE__, __LINE__, __VA_ARGS__), PF_FAIL)
void pf_fail_at(struct pf_err *err, enum pf_scope scope, enum pf_retry retry, const char *file,
	int line, const char *fmt, ...) PF_PRINTF(6, 7);

/* The same for a failed call into the system: errno is kept and its meaning put behind the text. */
#define pf_fail_sys(err, scope, retry, ...)                                                        \
	(pf_fail_sys_at(err, scope, retry, __FILE__, __LINE__, __VA_ARGS__), PF_FAIL)
void pf_fail_sys_at(struct pf_err *err, enum pf_scope scope, enum pf_retry retry, const char *file,
	int line, const char *fmt, ...) PF_PRINTF(6, 7);

/* Out of memory while doing `what`: scope RUN, `sys` is ENOMEM. */
#define pf_fail_memory(err, what) (pf_fail_memory_at(err, what, __FILE__, __LINE__), PF_FAIL)
void pf_fail_memory_at(struct pf_err *err, const char *what, const char *file, int line);

/* Put "context: " in front of the text; scope and retry stay. Returns PF_FAIL. */
int pf_wrap(struct pf_err *err, const char *fmt, ...) PF_PRINTF(2, 3);

/* A zeroed error, for callers that look at it only after PF_FAIL. */
void pf_err_clear(struct pf_err *err);

#endif
