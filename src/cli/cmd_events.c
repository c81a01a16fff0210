#include "base/json.h"
#include "base/utf8.h"
#include "cli/screen.h"
#include "cli/settings.h"
#include "cli/wire.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static const struct pf_option OPTIONS[] = {
	{"follow", NULL, "go on as new events come", false},
	{"number", "N", "only events of this number", false},
	{"json", NULL, "one JSON object a line on standard output", false},
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

/* PF_FAIL: no memory. */
static int print_json(const struct pf_ledger_event *ev, struct pf_err *err)
{
	const struct pf_event_doc *doc = pf_event_doc(ev->number);
	struct pf_buf b;
	char when[32];
	int rc = PF_FAIL;

	pf_date_iso(ev->at_utc_s, when);
	pf_buf_init(&b, 1 << 20);
	if (pf_buf_addf(&b, err, "{\"type\":\"event\",\"number\":%d", ev->number) == PF_OK &&
		pf_json_put(&b, "name", pf_span_str(doc ? doc->name : ""), err) == PF_OK &&
		pf_json_put(&b, "at", pf_span_str(when), err) == PF_OK &&
		pf_json_put(&b, "folder", ev->folder, err) == PF_OK &&
		pf_json_put(&b, "item", ev->item, err) == PF_OK &&
		pf_json_put(&b, "text", ev->text, err) == PF_OK &&
		pf_buf_add_str(&b, "}", err) == PF_OK) {
		pf_screen_json_line(&b);
		rc = PF_OK;
	}
	pf_buf_deinit(&b);
	return rc;
}

struct wanted {
	const char *path;
	int number; /* 0: all */
	bool json;
	int64_t after; /* the last one shown */
};

static int once(struct wanted *want, struct pf_err *err)
{
	struct pf_ledger *led = NULL;
	struct pf_ledger_cursor *c = NULL;
	struct pf_ledger_event ev;
	int rc = pf_ledger_open(want->path, PF_LEDGER_READ, &led, err);

	rc = rc == PF_OK ? pf_ledger_events(led, 0, want->after, &c, err) : rc;
	while (rc == PF_OK && (rc = pf_ledger_events_next(c, &ev, err)) == PF_OK) {
		want->after = ev.id;
		if (want->number != 0 && ev.number != want->number) {
			continue;
		}
		if (want->json) {
			rc = print_json(&ev, err);
		} else {
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
	struct wanted want = {.json = pf_args_has(args, "json")};
	struct pf_settings set;
	char *path = NULL;
	int rc = pf_settings_read(args, &set, err);

	rc = rc == PF_OK && only ? pf_parse_number("--number", only, &want.number, err) : rc;
	rc = rc == PF_OK ? pf_wire_find_ledger(&set, &path, err) : rc;
	want.path = path;
	do {
		rc = rc == PF_OK ? once(&want, err) : rc;
	} while (
		rc == PF_OK && fflush(stdout) == 0 && pf_args_has(args, "follow") && sleep(1) == 0);
	free(path);
	pf_settings_free(&set);
	return rc == PF_OK ? PF_EXIT_COMPLETE : -1;
}

const struct pf_command pf_cmd_events = {
	.name = "events",
	.summary = "the event log",
	.usage = "[--follow] [--number N] [--json] [PLAN.yaml | --ledger FILE | --from URL --to "
		 "URL]",
	.details = "What happened, in order: time, number, folder, item and text. postferry "
		   "explain N says what a number means and what to do.",
	.words = 1,
	.options = TABLES,
	.run = run,
};
