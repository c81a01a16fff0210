#include "base/json.h"
#include "base/utf8.h"
#include "cli/screen.h"
#include "cli/settings.h"
#include "cli/wire.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static const struct pf_option OPTIONS[] = {
	{"watch", NULL, "show it again every two seconds", false},
	{"json", NULL, "one JSON object an account on standard output", false},
	{.name = NULL},
};
static const struct pf_option *const TABLES[] = {OPTIONS, pf_account_options, NULL};

struct standing {
	const struct pf_ledger_account *account;
	struct pf_ledger_pass pass; /* the last one; id 0: none yet */
	uint64_t items[PF_VERDICT_COUNT];
};

static int read_standing(struct pf_ledger *led, const struct pf_ledger_account *a,
	struct standing *st, struct pf_err *err)
{
	struct pf_ledger_cursor *c = NULL;
	struct pf_ledger_sums sums;
	int rc = pf_ledger_passes(led, a->id, &c, err);

	*st = (struct standing){.account = a};
	rc = rc == PF_OK ? pf_ledger_passes_next(c, &st->pass, err) : rc;
	pf_ledger_cursor_close(&c);
	if (rc == PF_FAIL) {
		return rc;
	}
	rc = pf_ledger_sums(led, a->id, &c, err);
	while (rc == PF_OK && (rc = pf_ledger_sums_next(c, &sums, err)) == PF_OK) {
		for (size_t v = 0; v < PF_VERDICT_COUNT; v++) {
			st->items[v] += sums.items[v];
		}
	}
	pf_ledger_cursor_close(&c);
	return rc == PF_END ? PF_OK : rc;
}

static const char *state_of(const struct standing *st)
{
	return st->pass.id == 0 ? "no pass yet"
	       : st->pass.ended_utc_s && st->pass.exit_status == PF_EXIT_NOT_OPENED
		       ? "could not be opened, tried last"
	       : st->pass.ended_utc_s ? "last pass ended"
				      : "pass under way or cut off, begun";
}

static void print_text(const struct standing *st)
{
	char from[200], to[200], when[32] = "";

	if (st->pass.id != 0) {
		pf_date_iso(
			st->pass.ended_utc_s ? st->pass.ended_utc_s : st->pass.begun_utc_s, when);
	}
	(void)printf("%s -> %s\n  %s%s%s:", pf_print_safe(from, sizeof(from), st->account->from),
		pf_print_safe(to, sizeof(to), st->account->to), state_of(st), when[0] ? " " : "",
		when);
	for (size_t v = 1; v <= PF_VERDICT_COUNT; v++) {
		size_t k = v % PF_VERDICT_COUNT; /* open comes last */

		(void)printf(" %s %llu%s", pf_verdict_name((enum pf_verdict)k),
			(unsigned long long)st->items[k], v < PF_VERDICT_COUNT ? "," : "\n");
	}
}

static int print_json(const struct standing *st, struct pf_err *err)
{
	struct pf_buf b;
	int rc;

	pf_buf_init(&b, 1 << 20);
	rc = pf_buf_add_str(&b, "{\"type\":\"status\"", err);
	if (rc == PF_OK &&
		(pf_json_put(&b, "from", st->account->from, err) != PF_OK ||
			pf_json_put(&b, "to", st->account->to, err) != PF_OK ||
			pf_json_put(&b, "state", pf_span_str(state_of(st)), err) != PF_OK ||
			pf_json_put_int(&b, "begun", st->pass.begun_utc_s, err) != PF_OK ||
			pf_json_put_int(&b, "ended", st->pass.ended_utc_s, err) != PF_OK)) {
		rc = PF_FAIL;
	}
	for (size_t v = 0; v < PF_VERDICT_COUNT && rc == PF_OK; v++) {
		rc = pf_json_put_int(
			&b, pf_verdict_name((enum pf_verdict)v), (int64_t)st->items[v], err);
	}
	if (rc == PF_OK && (rc = pf_buf_add_str(&b, "}", err)) == PF_OK) {
		pf_screen_json_line(&b);
	}
	pf_buf_deinit(&b);
	return rc;
}

static int print_account(
	struct pf_ledger *led, const struct pf_ledger_account *a, bool json, struct pf_err *err)
{
	struct standing st;
	int rc = read_standing(led, a, &st, err);

	if (rc == PF_OK && json) {
		rc = print_json(&st, err);
	} else if (rc == PF_OK) {
		print_text(&st);
	}
	return rc;
}

static int once(const char *path, bool json, struct pf_err *err)
{
	struct pf_ledger *led = NULL;
	struct pf_ledger_cursor *c = NULL;
	struct pf_ledger_account a;
	int rc = pf_ledger_open(path, PF_LEDGER_READ, &led, err);

	rc = rc == PF_OK ? pf_ledger_accounts(led, &c, err) : rc;
	while (rc == PF_OK && (rc = pf_ledger_accounts_next(c, &a, err)) == PF_OK) {
		rc = print_account(led, &a, json, err);
	}
	pf_ledger_cursor_close(&c);
	pf_ledger_close(&led);
	return rc == PF_END ? PF_OK : rc;
}

static int run(const struct pf_args *args, struct pf_err *err)
{
	enum { EVERY_S = 2 };
	bool watch = pf_args_has(args, "watch");
	struct pf_settings set;
	char *path = NULL;
	int rc = pf_settings_read(args, &set, err);

	rc = rc == PF_OK ? pf_wire_find_ledger(&set, &path, err) : rc;
	do {
		if (watch && !set.json && isatty(STDOUT_FILENO) == 1) {
			(void)printf("\033[H\033[J"); /* in the place of the last one */
		}
		rc = rc == PF_OK ? once(path, set.json, err) : rc;
	} while (rc == PF_OK && fflush(stdout) == 0 && watch && sleep(EVERY_S) == 0);
	free(path);
	pf_settings_free(&set);
	return rc == PF_OK ? PF_EXIT_COMPLETE : -1;
}

const struct pf_command pf_cmd_status = {
	.name = "status",
	.summary = "where each account stands",
	.usage = "[--watch] [--json] [PLAN.yaml | --ledger FILE | --from URL --to URL]",
	.details =
		"Two lines an account, from the ledger. It may be asked while a copy is running.",
	.words = 1,
	.options = TABLES,
	.run = run,
};
