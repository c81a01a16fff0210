#include "base/utf8.h"
#include "cli/screen.h"
#include "cli/settings.h"
#include "cli/wire.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static const struct pf_option OPTIONS[] = {
	{"watch", NULL, "show it again every two seconds", false},
	{.name = NULL},
};
static const struct pf_option *const TABLES[] = {OPTIONS, pf_account_options, NULL};

static int print_account(
	struct pf_ledger *led, const struct pf_ledger_account *a, struct pf_err *err)
{
	struct pf_ledger_cursor *c = NULL;
	struct pf_ledger_pass pass = {.id = 0};
	struct pf_ledger_sums sums, all = {.folder = 0};
	char from[200], to[200], when[32];
	int rc = pf_ledger_passes(led, a->id, &c, err);

	rc = rc == PF_OK ? pf_ledger_passes_next(c, &pass, err) : rc;
	pf_ledger_cursor_close(&c);
	if (rc == PF_FAIL) {
		return rc;
	}
	pf_date_iso(pass.ended_utc_s ? pass.ended_utc_s : pass.begun_utc_s, when);
	rc = pf_ledger_sums(led, a->id, &c, err);
	while (rc == PF_OK && (rc = pf_ledger_sums_next(c, &sums, err)) == PF_OK) {
		for (size_t v = 0; v < PF_VERDICT_COUNT; v++) {
			all.items[v] += sums.items[v];
		}
	}
	pf_ledger_cursor_close(&c);
	(void)printf("%s -> %s\n  %s %s:", pf_print_safe(from, sizeof(from), a->from),
		pf_print_safe(to, sizeof(to), a->to),
		pass.id == 0       ? "no pass yet"
		: pass.ended_utc_s ? "last pass ended"
				   : "pass under way or cut off, begun",
		pass.id ? when : "");
	for (size_t v = 1; v <= PF_VERDICT_COUNT; v++) {
		size_t k = v % PF_VERDICT_COUNT;

		(void)printf(" %s %llu%s", pf_verdict_name((enum pf_verdict)k),
			(unsigned long long)all.items[k], v < PF_VERDICT_COUNT ? "," : "\n");
	}
	return rc == PF_END ? PF_OK : rc;
}

static int once(const char *path, struct pf_err *err)
{
	struct pf_ledger *led = NULL;
	struct pf_ledger_cursor *c = NULL;
	struct pf_ledger_account a;
	int rc = pf_ledger_open(path, PF_LEDGER_READ, &led, err);

	rc = rc == PF_OK ? pf_ledger_accounts(led, &c, err) : rc;
	while (rc == PF_OK && (rc = pf_ledger_accounts_next(c, &a, err)) == PF_OK) {
		rc = print_account(led, &a, err);
	}
	pf_ledger_cursor_close(&c);
	pf_ledger_close(&led);
	return rc == PF_END ? PF_OK : rc;
}

static int run(const struct pf_args *args, struct pf_err *err)
{
	enum { EVERY_S = 2 };
	struct pf_settings set;
	char *path = NULL;
	int rc = pf_settings_read(args, &set, err);

	rc = rc == PF_OK ? pf_wire_find_ledger(&set, &path, err) : rc;
	do {
		rc = rc == PF_OK ? once(path, err) : rc;
		(void)fflush(stdout);
	} while (rc == PF_OK && pf_args_has(args, "watch") && sleep(EVERY_S) == 0);
	free(path);
	pf_settings_free(&set);
	return rc == PF_OK ? PF_EXIT_COMPLETE : -1;
}

const struct pf_command pf_cmd_status = {
	.name = "status",
	.summary = "where each account stands",
	.usage = "[--watch] [--ledger FILE | --from URL --to URL]",
	.options = TABLES,
	.run = run,
};
