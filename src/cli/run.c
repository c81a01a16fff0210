#include "cli/run.h"

#include "base/json.h"
#include "cli/screen.h"
#include "cli/secret.h"
#include "cli/settings.h"
#include "cli/wire.h"

#include <stdio.h>
#include <stdlib.h>

enum { PROBLEM_MAX = 1024, JSON_MAX = 1 << 16 };

#define usage(err, ...) pf_fail(err, PF_SCOPE_RUN, PF_RETRY_NO, __VA_ARGS__)

/* ---- the plan ---- */

static void problem_json(const struct pf_plan_problem *q)
{
	struct pf_buf b;
	struct pf_err ignored; /* it was said in words */

	pf_buf_init(&b, JSON_MAX);
	if (pf_buf_add_str(&b, "{", &ignored) == PF_OK &&
		pf_json_put(&b, "type", pf_span_str(q->is_warning ? "warning" : "problem"),
			&ignored) == PF_OK &&
		pf_json_put(&b, "file", pf_span_str(q->file), &ignored) == PF_OK &&
		pf_json_put_int(&b, q->is_line ? "line" : "row", (int64_t)q->row, &ignored) ==
			PF_OK &&
		pf_json_put_int(&b, "column", (int64_t)q->column, &ignored) == PF_OK &&
		pf_json_put(&b, "name", pf_span_str(q->name), &ignored) == PF_OK &&
		pf_json_put(&b, "text", pf_span_str(q->text), &ignored) == PF_OK &&
		pf_buf_add_str(&b, "}", &ignored) == PF_OK) {
		(void)printf("%.*s\n", (int)b.n, (const char *)b.p);
	}
	pf_buf_deinit(&b);
}

/* All that was found, not only the first: who mends a file wants to do it once. */
static void print_problems(const struct pf_plan *plan, bool json)
{
	char text[PROBLEM_MAX];

	for (size_t i = 0; i < plan->problem_n; i++) {
		const struct pf_plan_problem *q = &plan->problems[i];

		(void)fprintf(stderr, "postferry: %s%s\n", q->is_warning ? "note: " : "",
			pf_plan_problem_show(q, text, sizeof(text)));
		if (json) {
			problem_json(q);
		}
	}
	if (plan->errors + plan->warnings > plan->problem_n) {
		(void)fprintf(stderr, "postferry: and %zu more\n",
			plan->errors + plan->warnings - plan->problem_n);
	}
	if (plan->errors > 0 && plan->path) {
		(void)fprintf(stderr, "postferry: nothing was begun; %zu problem%s to mend in %s\n",
			plan->errors, plan->errors == 1 ? "" : "s", plan->path);
	}
}

static bool in_environment(const char *name)
{
	const char *value = getenv(name);

	return value && *value;
}

static int read_plan(const struct pf_args *args, struct pf_plan **plan, struct pf_err *err)
{
	const char **urls[] = {pf_args_list(args, "from"), pf_args_list(args, "to")};
	const char **secrets[] = {
		pf_args_list(args, "from-secret"), pf_args_list(args, "to-secret")};
	struct pf_scheme schemes[PF_SCHEMES_MAX];
	struct pf_plan_cfg cfg = {
		.path = args->word_count > 0 ? args->words[0] : NULL,
		.template = {pf_args_get(args, "from"), pf_args_get(args, "to")},
		.urls = {urls[0], urls[1]},
		.secrets = {secrets[0], secrets[1]},
		.schemes = schemes,
		.source_has_secret = pf_args_has(args, "from-secret") ||
				     in_environment("POSTFERRY_FROM_PASSWORD"),
		.target_has_secret =
			pf_args_has(args, "to-secret") || in_environment("POSTFERRY_TO_PASSWORD"),
	};

	int rc;

	pf_wire_schemes(schemes);
	rc = cfg.path ? pf_plan_read(&cfg, plan, err) : pf_plan_of_one(&cfg, plan, err);
	for (size_t side = 0; side < 2; side++) {
		free((void *)urls[side]);
		free((void *)secrets[side]);
	}
	return rc;
}

/* The form of every SPEC, before any of them is used. */
static void check_secrets(const struct pf_settings *set, struct pf_plan *plan)
{
	static const char *const NAMES[] = {"from_secret", "to_secret"};
	const char *all[] = {set->from_secret, set->to_secret};

	for (size_t i = 0; i < plan->row_n; i++) {
		for (size_t side = 0; side < 2; side++) {
			const struct pf_plan_side *p = &plan->rows[i].side[side];
			struct pf_cli_secret s = {
				.spec = p->secret ? p->secret : all[side], .option = NAMES[side]};
			struct pf_err why;

			if (p->password.p) {
				continue;
			}
			if (pf_cli_secret_init(&s, &why) != PF_OK) {
				pf_plan_problem(plan, plan->rows[i].row, "", "%s", why.text);
			} else if (s.spec && plan->path && strcmp(s.spec, "prompt") == 0) {
				pf_plan_problem(plan, plan->rows[i].row, NAMES[side],
					"nobody is asked for the passwords of a batch: env:NAME, "
					"file:PATH and command:CMD are possible");
			}
		}
	}
}

/* ---- the run ---- */

static int run(const struct pf_settings *set, const struct pf_plan *plan, enum pf_job_mode mode,
	struct pf_err *err)
{
	struct pf_screen screen;
	struct pf_wire *w = NULL;
	struct pf_err why;
	int status;

	pf_screen_init(&screen, set, plan->path != NULL || plan->row_n > 1, mode);
	if (pf_wire_new(set, plan, mode, &screen.listener, &w, err) != PF_OK) {
		return -1;
	}
	screen.wire = w;
	pf_err_clear(&why);
	if (pf_wire_run(w, &screen.watch, &why) != PF_OK) {
		/* A full disk, say: the ledger has what was done. */
		(void)fprintf(stderr, "postferry: %s\n", why.text);
	}
	status = pf_wire_status(w);
	if (pf_screen_end(&screen, status, err) != PF_OK) {
		(void)fprintf(stderr, "postferry: %s\n", err->text);
	}
	pf_wire_free(&w);
	pf_screen_deinit(&screen);
	return status;
}

static int with_plan(
	const struct pf_args *args, struct pf_plan *plan, enum pf_job_mode mode, struct pf_err *err)
{
	struct pf_settings set = {.plan = NULL};
	struct pf_args both;
	int status = -1;

	if (plan->errors > 0) {
		print_problems(plan, pf_args_has(args, "json"));
		return PF_EXIT_USAGE;
	}
	if (pf_settings_with_plan(args, plan, &both, err) == PF_OK &&
		pf_settings_read(&both, &set, err) == PF_OK) {
		check_secrets(&set, plan);
		if (plan->errors > 0 || !set.quiet) {
			print_problems(plan, set.json);
		}
		status = plan->errors > 0 ? PF_EXIT_USAGE : run(&set, plan, mode, err);
	}
	pf_settings_free(&set);
	free(both.given);
	return status;
}

int pf_run_job(const struct pf_args *args, enum pf_job_mode mode, enum pf_run_what what,
	struct pf_err *err)
{
	struct pf_plan *plan = NULL;
	int status = -1;

	if (what == PF_RUN_PLAN && args->word_count == 0) {
		(void)usage(err, "name a plan or a file of accounts: postferry run PLAN.yaml, or "
				 "postferry run ACCOUNTS.csv; see --help");
		return -1;
	}
	if (read_plan(args, &plan, err) == PF_OK) {
		status = with_plan(args, plan, mode, err);
	}
	pf_plan_free(&plan);
	return status;
}
