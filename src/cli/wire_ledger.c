/*
 * Where the ledger is, and who stands in it.
 */
#include "cli/wire_private.h"

#include <glob.h>
#include <stdlib.h>
#include <sys/stat.h>

#define usage(err, ...) pf_fail(err, PF_SCOPE_RUN, PF_RETRY_NO, __VA_ARGS__)

static int copy(const char *s, char **out, struct pf_err *err)
{
	*out = strdup(s);
	return *out ? PF_OK : pf_fail_memory(err, "a path");
}

static int only_ledger(char **path, struct pf_err *err)
{
	char pattern[4096], names[300] = "";
	const char *state = getenv("XDG_STATE_HOME"), *home = getenv("HOME");
	glob_t found = {0};
	int rc = PF_FAIL;

	(void)snprintf(pattern, sizeof(pattern), "%s%s/postferry/*.ledger",
		state && *state ? state
		: home          ? home
				: "",
		state && *state ? "" : "/.local/state");
	(void)glob(pattern, 0, NULL, &found); /* nothing found is said below */
	if (found.gl_pathc == 1) {
		rc = copy(found.gl_pathv[0], path, err);
	} else if (found.gl_pathc == 0) {
		(void)usage(err,
			"there is no ledger (%s): name one by --ledger FILE, or by --from and --to",
			pattern);
	} else {
		for (size_t i = 0; i < found.gl_pathc; i++) {
			size_t n = strlen(names);

			(void)snprintf(names + n, sizeof(names) - n, "%s%s", n ? ", " : "",
				found.gl_pathv[i]);
		}
		(void)usage(err,
			"there are %zu ledgers: name one by --ledger, or by --from and --to (%s)",
			(size_t)found.gl_pathc, names);
	}
	globfree(&found);
	return rc;
}

/* Named by the pair of accounts. */
static int ledger_of_pair(const struct pf_plan *plan, char **path, struct pf_err *err)
{
	char text[1024];

	if (plan->errors > 0) {
		return usage(
			err, "%s", pf_plan_problem_show(&plan->problems[0], text, sizeof(text)));
	}
	return pf_ledger_default_path(plan->rows[0].whole[0], plan->rows[0].whole[1], path, err);
}

/* Named by the plan itself, or by where the plan lies: what is in it may change from day to day. */
static int ledger_of_plan(const struct pf_plan *plan, char **path, struct pf_err *err)
{
	char *real;
	int rc;

	for (size_t i = 0; i < plan->option_n; i++) {
		if (strcmp(plan->options[i].name, "ledger") == 0) {
			return copy(plan->options[i].value, path, err);
		}
	}
	real = realpath(plan->path, NULL);
	if (!real) {
		return pf_fail_sys(err, PF_SCOPE_RUN, PF_RETRY_NO, "%s", plan->path);
	}
	rc = pf_ledger_default_path(real, "batch", path, err);
	free(real);
	return rc;
}

int pf_wire_find_ledger(const struct pf_settings *set, char **path, struct pf_err *err)
{
	struct pf_scheme schemes[PF_SCHEMES_MAX];
	struct pf_plan_cfg cfg = {
		.path = set->plan,
		.template = {set->from[0], set->to[0]},
		.urls = {set->from, set->to},
		.schemes = schemes,
		.source_has_secret = true,
		.target_has_secret = true,
	};
	struct pf_plan *plan = NULL;
	int rc;

	pf_wire_schemes(schemes);
	if (set->ledger) {
		return copy(set->ledger, path, err);
	}
	if (set->plan) {
		rc = pf_plan_read(&cfg, &plan, err);
		rc = rc == PF_OK ? ledger_of_plan(plan, path, err) : rc;
	} else if (set->from[0] || set->to[0]) {
		rc = pf_plan_of_one(&cfg, &plan, err);
		rc = rc == PF_OK ? ledger_of_pair(plan, path, err) : rc;
	} else {
		return only_ledger(path, err);
	}
	pf_plan_free(&plan);
	return rc;
}

static int beside(const char *path, const char *suffix, char **out, struct pf_err *err)
{
	if (asprintf(out, "%s%s", path, suffix) < 0) {
		*out = NULL;
		return pf_fail_memory(err, "a path");
	}
	return PF_OK;
}

static int find_files(struct pf_wire *w, struct pf_err *err)
{
	const struct pf_settings *set = w->set;
	int rc;

	if (set->ledger) {
		rc = copy(set->ledger, &w->ledger_path, err);
	} else if (w->plan->path) {
		rc = ledger_of_plan(w->plan, &w->ledger_path, err);
	} else {
		rc = ledger_of_pair(w->plan, &w->ledger_path, err);
	}
	if (rc != PF_OK || beside(w->ledger_path, ".events.jsonl", &w->jsonl, err) != PF_OK) {
		return PF_FAIL;
	}
	return set->quarantine ? copy(set->quarantine, &w->quarantine, err)
			       : beside(w->ledger_path, ".quarantine", &w->quarantine, err);
}

/* Every account of the plan stands in the ledger before the first begins, so that `status` shows
 * those that wait as well. */
static int note_accounts(struct pf_wire *w, struct pf_err *err)
{
	for (size_t i = 0; i < w->plan->row_n; i++) {
		if (pf_ledger_account(w->ledger, w->rows[i].from, w->rows[i].to,
			    &w->rows[i].account, err) != PF_OK) {
			return PF_FAIL;
		}
	}
	return pf_ledger_commit(w->ledger, err);
}

/* CHECK changes nothing, so it makes no ledger either. */
int wire_ledger_open(struct pf_wire *w, struct pf_err *err)
{
	bool keeps = w->mode == PF_JOB_COPY || w->mode == PF_JOB_RETRY || w->mode == PF_JOB_VERIFY;
	struct stat st;

	if (find_files(w, err) != PF_OK) {
		return PF_FAIL;
	}
	if (!keeps || w->set->dry_run) {
		return PF_OK;
	}
	if (w->mode != PF_JOB_COPY && stat(w->ledger_path, &st) != 0) {
		return pf_fail_sys(err, PF_SCOPE_RUN, PF_RETRY_NO,
			"%s: there is no ledger of this migration (was it copied with other URLs "
			"or --ledger?)",
			w->ledger_path);
	}
	if (pf_ledger_open(w->ledger_path, PF_LEDGER_WRITE, &w->ledger, err) != PF_OK) {
		return PF_FAIL;
	}
	return note_accounts(w, err);
}
