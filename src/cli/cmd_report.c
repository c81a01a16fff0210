#include "cli/report_data.h"
#include "cli/settings.h"
#include "cli/wire.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct pf_option OPTIONS[] = {
	{"format", "FORMAT", "text, html, json or csv; default: text", false},
	{"output", "FILE", "write there instead of standard output", false},
	{"quarantine", "DIR", "where the items without a place are; default: beside the ledger",
		false},
	{.name = NULL},
};
static const struct pf_option *const TABLES[] = {OPTIONS, pf_account_options, NULL};

typedef int (*report_fn)(const struct pf_report *r, struct pf_buf *out, struct pf_err *err);

static report_fn format_of(const char *name)
{
	static const struct {
		const char *name;
		report_fn fn;
	} FORMATS[] = {{"text", pf_report_text}, {"html", pf_report_html}, {"json", pf_report_json},
		{"csv", pf_report_csv}};

	for (size_t i = 0; i < PF_COUNT(FORMATS); i++) {
		if (strcmp(FORMATS[i].name, name) == 0) {
			return FORMATS[i].fn;
		}
	}
	return NULL;
}

static int write_out(const struct pf_buf *b, const char *path, struct pf_err *err)
{
	FILE *f = path ? fopen(path, "we") : stdout;
	bool ok = f && fwrite(b->p, 1, b->n, f) == b->n;

	if (path && f) {
		ok = fclose(f) == 0 && ok;
	}
	return ok ? PF_OK
		  : pf_fail_sys(err, PF_SCOPE_RUN, PF_RETRY_NO, "writing the report to %s",
			    path ? path : "standard output");
}

struct making {
	report_fn form;
	const char *quarantine; /* NULL: beside the ledger */
	struct pf_buf out;
	bool complete;
	size_t accounts;
};

static int one_account(struct making *m, struct pf_ledger *led, const char *quarantine,
	const struct pf_ledger_account *account, struct pf_err *err)
{
	struct pf_report r;
	int rc = pf_report_read(led, account, quarantine, &r, err);

	r.number = m->accounts++;
	if (rc == PF_OK) {
		rc = m->form(&r, &m->out, err);
		m->complete = m->complete && pf_report_is_complete(&r);
	}
	pf_report_free(&r);
	return rc;
}

static int make(struct making *m, const char *path, struct pf_err *err)
{
	struct pf_ledger *led = NULL;
	struct pf_ledger_cursor *c = NULL;
	struct pf_ledger_account account;
	char beside[4096];
	int rc = pf_ledger_open(path, PF_LEDGER_READ, &led, err);

	(void)snprintf(beside, sizeof(beside), "%s.quarantine", path);
	if (rc == PF_OK) {
		rc = pf_ledger_accounts(led, &c, err);
	}
	while (rc == PF_OK && (rc = pf_ledger_accounts_next(c, &account, err)) == PF_OK) {
		rc = one_account(m, led, m->quarantine ? m->quarantine : beside, &account, err);
	}
	pf_ledger_cursor_close(&c);
	pf_ledger_close(&led);
	return rc == PF_END ? PF_OK : rc;
}

static int run(const struct pf_args *args, struct pf_err *err)
{
	const char *format = pf_args_get(args, "format");
	struct making m = {.form = format_of(format ? format : "text"), .complete = true};
	struct pf_settings set;
	char *path = NULL;
	int rc;

	if (!m.form) {
		(void)pf_fail(err, PF_SCOPE_RUN, PF_RETRY_NO,
			"--format %s: it is text, html, json or csv", format);
		return -1;
	}
	pf_buf_init(&m.out, SIZE_MAX / 4);
	rc = pf_settings_read(args, &set, err);
	m.quarantine = set.quarantine;
	if (rc == PF_OK) {
		rc = pf_wire_find_ledger(&set, &path, err);
	}
	if (rc == PF_OK) {
		rc = make(&m, path, err);
	}
	if (rc == PF_OK) {
		rc = write_out(&m.out, pf_args_get(args, "output"), err);
	}
	pf_buf_deinit(&m.out);
	free(path);
	pf_settings_free(&set);
	return rc != PF_OK ? -1 : m.complete ? PF_EXIT_COMPLETE : PF_EXIT_MISSED;
}

const struct pf_command pf_cmd_report = {
	.name = "report",
	.summary = "what became of every item",
	.usage = "[--format text|html|json|csv] [--output FILE] [PLAN.yaml | --ledger FILE | "
		 "--from URL --to "
		 "URL]",
	.details = "Made from the ledger alone, at any time. html is one self-contained page; json "
		   "one object an account; csv one row an item that did not arrive. Its exit "
		   "status is 0 when everything arrived, else 1.",
	.words = 1,
	.options = TABLES,
	.run = run,
};
