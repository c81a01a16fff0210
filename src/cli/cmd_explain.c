#include "cli/command.h"
#include "cli/explain_item.h"
#include "cli/settings.h"
#include "model/event.h"

#include <stdio.h>

static const struct pf_option OPTIONS[] = {{.name = NULL}};
static const struct pf_option *const TABLES[] = {OPTIONS, pf_account_options, NULL};

static void list(void)
{
	size_t count = 0;
	const struct pf_event_doc *all = pf_event_docs(&count);

	for (size_t i = 0; i < count; i++) {
		(void)printf("%5d  %s\n", all[i].number, all[i].name);
	}
}

static int run(const struct pf_args *args, struct pf_err *err)
{
	const struct pf_event_doc *doc;
	int number = 0;

	if (args->word_count == 0) {
		list();
		return PF_EXIT_COMPLETE;
	}
	if (args->given_count > 0) {
		return pf_explain_item(args, args->words[0], err);
	}
	if (pf_parse_number("explain", args->words[0], &number, err) != PF_OK) {
		return -1;
	}
	doc = pf_event_doc(number);
	if (!doc) {
		(void)pf_fail(err, PF_SCOPE_RUN, PF_RETRY_NO,
			"there is no event %d; postferry explain lists them all", number);
		return -1;
	}
	(void)printf("%d: %s\n\nCause: %s\n\nEffect: %s\n\nRemedy: %s\n", doc->number, doc->name,
		doc->cause, doc->effect, doc->remedy);
	return PF_EXIT_COMPLETE;
}

const struct pf_command pf_cmd_explain = {
	.name = "explain",
	.summary = "what an event means and what to do, what became of an item",
	.usage = "[N | ITEM --ledger FILE | ITEM --from URL --to URL]",
	.words = 1,
	.details = "Cause, effect and remedy of the event with number N; without N the list of "
		   "all. With "
		   "an account or its ledger: what became of the item that the source has under "
		   "this id, "
		   "and of each of its properties where the source has it in another form "
		   "(Outlook's).",
	.options = TABLES,
	.run = run,
};
