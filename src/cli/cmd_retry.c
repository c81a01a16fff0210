#include "cli/run.h"
#include "cli/settings.h"

static const struct pf_option *const TABLES[] = {pf_account_options, pf_link_options,
	pf_rule_options, pf_batch_options, pf_screen_options, NULL};

static int run(const struct pf_args *args, struct pf_err *err)
{
	return pf_run_job(args, PF_JOB_RETRY, PF_RUN_EITHER, err);
}

const struct pf_command pf_cmd_retry = {
	.name = "retry",
	.summary = "only what is in quarantine or failed",
	.usage = "--from URL --to URL | PLAN.yaml | ACCOUNTS.csv [options]",
	.details = "Tries again what is in quarantine or was left open, and nothing else. Run it "
		   "after the cause was removed: a limit raised, a quota, a filter.",
	.words = 1,
	.options = TABLES,
	.run = run,
};
