#include "cli/run.h"
#include "cli/settings.h"

static const struct pf_option *const TABLES[] = {pf_account_options, pf_link_options,
	pf_rule_options, pf_batch_options, pf_screen_options, NULL};

static int run(const struct pf_args *args, struct pf_err *err)
{
	return pf_run_job(args, PF_JOB_CHECK, PF_RUN_EITHER, err);
}

const struct pf_command pf_cmd_check = {
	.name = "check",
	.summary = "connect, list, find limits, estimate; change nothing",
	.usage = "--from URL --to URL | PLAN.yaml | ACCOUNTS.csv [options]",
	.details = "Signs in at both sides, lists the source and says for each folder where it "
		   "would go and how much there is to copy. Nothing is changed at either side, and "
		   "no ledger is made.",
	.words = 1,
	.options = TABLES,
	.run = run,
};
