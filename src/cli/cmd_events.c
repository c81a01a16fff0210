#include "base/utf8.h"
#include "cli/settings.h"
#include "cli/wire.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static const struct pf_option OPTIONS[] = {
	{"follow", NULL, "go on as new events come", false},
	{"number", "N", "only events of this number", false},
	{.name = NULL},
};
static const struct pf_option *const TABLES[] = {OPTIONS, pf_account_options, NULL};

static void print_event(const struct pf_ledger_event *ev)
{
	char when[32], folder[300], item[100], text[700];
	const struct pf_event_doc *doc = pf_event_doc(ev->number);

	pf_date_iso(ev->at_utc_s, when);
	(void)printf("%s %d %s%s%s%s%s: %s\n", when, ev->number, doc ? doc->name : "",
		ev->folder.p ? ", " : "", pf_print_safe(folder, sizeof(folder), ev->folder),
		ev->item.p ? ", item " : "", pf_print_safe(item, sizeof(item), ev->item),
		pf_print_safe(text, sizeof(text), ev->text));
}

static int once(const char *path, int number, int64_t *after, struct pf_err *err)
{
	struct pf_ledger *led = NULL;
	struct pf_ledger_cursor *c = NULL;
	struct pf_ledger_event ev;
	int rc = pf_ledger_open(path, PF_LEDGER_READ, &led, err);

	rc = rc == PF_OK ? pf_ledger_events(led, 0, *after, &c, err) : rc;
	while (rc == PF_OK && (rc = pf_ledger_events_next(c, &ev, err)) == PF_OK) {
		*after = ev.id;
		if (number == 0 || ev.number == number) {
			print_event(&ev);
		}
	}
	pf_ledger_cursor_close(&c);
	pf_ledger_close(&led);
	return rc == PF_END ? PF_OK : rc;
}

static int run(const struct pf_args *args, struct pf_err *err)
{
	const char *only = pf_args_get(args, "number");
	int number = only ? (int)strtol(only, NULL, 10) : 0;
	struct pf_settings set;
	char *path = NULL;
	int64_t after = 0;
	int rc = pf_settings_read(args, &set, err);

	rc = rc == PF_OK ? pf_wire_find_ledger(&set, &path, err) : rc;
	do {
		rc = rc == PF_OK ? once(path, number, &after, err) : rc;
		(void)fflush(stdout);
	} while (rc == PF_OK && pf_args_has(args, "follow") && sleep(1) == 0);
	free(path);
	pf_settings_free(&set);
	return rc == PF_OK ? PF_EXIT_COMPLETE : -1;
}

const struct pf_command pf_cmd_events = {
	.name = "events",
	.summary = "the event log",
	.usage = "[--follow] [--number N] [--ledger FILE | --from URL --to URL]",
	.options = TABLES,
	.run = run,
};
