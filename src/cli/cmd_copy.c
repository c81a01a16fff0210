#include "cli/run.h"
#include "cli/settings.h"

static const struct pf_option *const TABLES[] = {
	pf_account_options, pf_link_options, pf_rule_options, pf_screen_options, NULL};

static int run(const struct pf_args *args, struct pf_err *err)
{
	return pf_run_job(args, PF_JOB_COPY, PF_RUN_ONE, err);
}

const struct pf_command pf_cmd_copy = {
	.name = "copy",
	.summary = "move one account: all of it the first time, what changed after that",
	.usage = "--from URL --to URL [options]",
	.details = "The first run copies all of the account; later ones copy what is new, carry "
		   "changed flags over and report what is gone. It may be killed at any moment and "
		   "run again: nothing is lost and nothing is copied twice. The last lines are the "
		   "sums, then every folder and item that did not arrive, then where report, "
		   "ledger and quarantine are.",
	.options = TABLES,
	.run = run,
};
