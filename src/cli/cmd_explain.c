#include "cli/command.h"
#include "model/event.h"

#include <stdio.h>
#include <stdlib.h>

static const struct pf_option OPTIONS[] = {{.name = NULL}};
static const struct pf_option *const TABLES[] = {OPTIONS, NULL};

static int run(const struct pf_args *args, struct pf_err *err)
{
	const struct pf_event_doc *doc;
	size_t count = 0;

	if (args->word_count != 1) {
		const struct pf_event_doc *all = pf_event_docs(&count);

		for (size_t i = 0; i < count; i++) {
			(void)printf("%d  %s\n", all[i].number, all[i].name);
		}
		return PF_EXIT_COMPLETE;
	}
	doc = pf_event_doc((int)strtol(args->words[0], NULL, 10));
	if (!doc) {
		(void)pf_fail(err, PF_SCOPE_RUN, PF_RETRY_NO,
			"there is no event %s; postferry explain lists them all", args->words[0]);
		return -1;
	}
	(void)printf("%d: %s\n\nCause: %s\n\nEffect: %s\n\nRemedy: %s\n", doc->number, doc->name,
		doc->cause, doc->effect, doc->remedy);
	return PF_EXIT_COMPLETE;
}

const struct pf_command pf_cmd_explain = {
	.name = "explain",
	.summary = "what an event means and what to do",
	.usage = "[N]",
	.options = TABLES,
	.run = run,
};
