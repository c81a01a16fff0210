/*
 * What copy, check, verify and retry have in common: everything but the mode.
 */
#ifndef PF_CLI_RUN_H
#define PF_CLI_RUN_H

#include "cli/command.h"
#include "engine/engine.h"

int pf_run_job(const struct pf_args *args, enum pf_job_mode mode, struct pf_err *err);

#endif
