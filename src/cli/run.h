/*
 * What copy, run, check, verify and retry have in common: everything but the mode.
 */
#ifndef PF_CLI_RUN_H
#define PF_CLI_RUN_H

#include "cli/command.h"
#include "engine/engine.h"

/* What a command is about. */
enum pf_run_what {
	PF_RUN_ONE,    /* --from and --to */
	PF_RUN_PLAN,   /* a plan or a file of accounts */
	PF_RUN_EITHER, /* what the command line names */
};

int pf_run_job(const struct pf_args *args, enum pf_job_mode mode, enum pf_run_what what,
	struct pf_err *err);

#endif
