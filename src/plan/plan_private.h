/*
 * The parts of reading a plan:
 *
 *   plan.c      files, problems, life
 *   yaml.c      the YAML file: its schema
 *   csv.c       cells of a CSV file
 *   accounts.c  the forms of account files, from cells to rows
 *   fill.c      templates, and what a side of a row comes to with its server
 *   check.c     rows held against each other
 */
#ifndef PF_PLAN_PLAN_PRIVATE_H
#define PF_PLAN_PLAN_PRIVATE_H

#include "plan/csv.h"
#include "plan/plan.h"

enum { SIDES = 2, FIELDS_MAX = PF_CSV_COLUMNS_MAX + 4 };

/* Values that a template may name. */
struct fields {
	const char *name[FIELDS_MAX];
	const char *value[FIELDS_MAX];
	size_t n;
};

struct reader {
	const struct pf_plan_cfg *cfg;
	struct pf_plan *plan;
	const char *secret[SIDES]; /* for all accounts; a template */
	struct fields fields;
	size_t row_cap;
};

/* ---- plan.c ---- */
/* The whole file into memory of its own (freed by the caller, after wiping); `n` without the NUL
 * that lies behind it. */
int plan_slurp(const char *path, bool *is_private, char **out, size_t *n, struct pf_err *err);
void plan_problem_line(struct pf_plan *p, size_t line, const char *key, const char *fmt, ...)
	PF_PRINTF(4, 5);
void plan_problem_at(struct pf_plan *p, size_t row, size_t column, const char *name,
	const char *fmt, ...) PF_PRINTF(5, 6);
void plan_warning(struct pf_plan *p, size_t row, const char *fmt, ...) PF_PRINTF(3, 4);
int plan_add_row(struct reader *r, const struct pf_plan_row *row, struct pf_err *err);
char *plan_str(struct pf_plan *p, struct pf_span s, struct pf_err *err);

/* ---- yaml.c ---- */
int plan_yaml(struct reader *r, char *text, size_t n, struct pf_err *err);

/* ---- accounts.c ---- */
/* plan->text is there. */
int plan_accounts(struct reader *r, bool is_private, struct pf_err *err);

/* ---- fill.c ---- */
/* Whether all that the template names is among the fields; says what is not. `what`: "from". */
bool plan_template_ok(struct reader *r, const char *template, const char *what);
/* The values put in; `encode`: as in a URL. NULL with *err, when there is no memory. */
char *plan_fill(struct reader *r, const char *template, bool encode, struct pf_err *err);
/*
 * A side whose url, secret, password and admin are as the row has them: its server is found, what
 * it says is put in, and all is checked. Problems are told for the column `name` of `row`.
 */
int plan_finish_side(struct reader *r, struct pf_plan_row *row, size_t side, size_t column,
	const char *name, struct pf_err *err);

/* ---- check.c ---- */
int plan_check(struct pf_plan *p, struct pf_err *err);

#endif
