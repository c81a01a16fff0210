#include "cli/run.h"
#include "cli/settings.h"

static const struct pf_option OPTIONS[] = {
	{"from", "TEMPLATE",
		"the accounts to read, where their file does not say: imaps://{user}@HOST/", false},
	{"to", "TEMPLATE",
		"the accounts to write, where their file does not say: imaps://{address}@HOST/",
		false},
	{"ledger", "FILE", "the durable record of all accounts; default: by the place of the plan",
		false},
	{.name = NULL},
};

static const struct pf_option *const TABLES[] = {
	OPTIONS, pf_batch_options, pf_link_options, pf_rule_options, pf_screen_options, NULL};

static int run(const struct pf_args *args, struct pf_err *err)
{
	return pf_run_job(args, PF_JOB_COPY, PF_RUN_PLAN, err);
}

const struct pf_command pf_cmd_run = {
	.name = "run",
	.summary = "move a batch of accounts: all of them the first time, what changed after that",
	.usage = "PLAN.yaml | ACCOUNTS.csv [options]",
	.details =
		"A plan names servers, options and the file of accounts (postferry-plan(5)); a CSV "
		"file of accounts alone will do where the defaults serve. The whole file is "
		"checked before the first sign-in. Accounts are at work side by side, as many "
		"as the servers permit; one that fails stops no other. It may be killed at any "
		"moment and run again. The exit status is the highest that an account earned.",
	.words = 1,
	.options = TABLES,
	.run = run,
};
