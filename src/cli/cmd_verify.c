#include "cli/run.h"
#include "cli/settings.h"

static const struct pf_option OPTIONS[] = {
	{"deep", NULL, "read every item on both sides and compare each byte", false},
	{.name = NULL},
};

static const struct pf_option *const TABLES[] = {OPTIONS, pf_account_options, pf_link_options,
	pf_rule_options, pf_batch_options, pf_screen_options, NULL};

static int run(const struct pf_args *args, struct pf_err *err)
{
	return pf_run_job(args, PF_JOB_VERIFY, PF_RUN_EITHER, err);
}

const struct pf_command pf_cmd_verify = {
	.name = "verify",
	.summary = "compare both sides again, now",
	.usage = "[--deep] --from URL --to URL | PLAN.yaml | ACCOUNTS.csv [options]",
	.details = "Lists both sides again and compares them with the ledger: what was copied must "
		   "be there, with its size, date and flags. With --deep every item is read on "
		   "both sides and each byte compared.",
	.words = 1,
	.options = TABLES,
	.run = run,
};
