/*
 * Where passwords and tokens come from: --from-secret and --to-secret SPEC.
 */
#ifndef PF_CLI_SECRET_H
#define PF_CLI_SECRET_H

#include "stores/store.h"

/* No core dumps, no debugger of other users: memory with secrets leaves the process nowhere. */
void pf_cli_harden(void);

struct pf_cli_secret {
	struct pf_secret_source base;
	const char *spec;         /* NULL: by default */
	const char *default_env;  /* POSTFERRY_FROM_PASSWORD */
	const char *option;       /* "--from-secret", for messages */
	const char *who;          /* the account, for the prompt */
	struct pf_span password;  /* known already, as from a file of accounts; else absent */
	struct pf_secret entered; /* at the prompt */
};

/* PF_FAIL (scope RUN): the SPEC has no known form. Nothing is read yet. What is pointed to must
 * outlive `s`. */
PF_MUST_CHECK int pf_cli_secret_init(struct pf_cli_secret *s, struct pf_err *err);
/* Where a person is to be asked: do it now, before anything is under way. PF_FAIL (scope STORE):
 * nobody is there, or nothing was entered. */
PF_MUST_CHECK int pf_cli_secret_ask(struct pf_cli_secret *s, struct pf_err *err);
void pf_cli_secret_deinit(struct pf_cli_secret *s);

#endif
