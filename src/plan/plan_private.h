/*
 * The parts of reading a plan:
 *
 *   plan.c      files, problems, life
 *   yaml.c      the YAML file: its schema
 *   csv.c       cells of a CSV file
 *   accounts.c  the forms of account files, from cells to rows
 *   fill.c      templates, and what a side of a row comes to with its server
 *   route.c     accounts with several stores: which part goes where
 *   check.c     rows held against each other
 */
#ifndef PF_PLAN_PLAN_PRIVATE_H
#define PF_PLAN_PLAN_PRIVATE_H

#include "plan/csv.h"
#include "plan/plan.h"

enum { SIDES = 2, FIELDS_MAX = PF_CSV_COLUMNS_MAX + 4, STORES_MAX = 24 };

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
/* The stores of an account, before it is known which goes where. */
struct plan_stores {
	struct pf_plan_side v[SIDES][STORES_MAX];
	const struct pf_scheme *scheme[SIDES][STORES_MAX];
	size_t n[SIDES];
	const char *whole[SIDES]; /* identities; NULL: none yet */
	size_t row;
};

/* The column that a problem is told for. */
struct plan_place {
	size_t row, column;
	const char *name;
};

/*
 * A side whose url, secret, password and admin are as the row has them: its server is found, what
 * it says is put in, and all is checked; then it is one of the account's `stores`, or several.
 */
int plan_finish_side(struct reader *r, const struct pf_plan_side *s, size_t side,
	const struct plan_place *at, struct plan_stores *stores, struct pf_err *err);
/* Where the next of several URLs in a text begins; NULL: it is the last. A blank belongs to a path,
 * unless another URL follows it. */
const char *plan_next_url(const char *text);

/* ---- route.c ---- */
struct plan_store {
	const struct pf_plan_side *s;
	const struct pf_scheme *scheme;
	const char *path; /* of the URL */
	size_t side;
	const struct plan_place *at;
};

/* A store of the account, or those that it is made of. PF_END: a problem was told. */
int plan_add_store(struct reader *r, const struct plan_store *in, struct plan_stores *stores,
	struct pf_err *err);
/* The rows that an account comes to. */
int plan_add_account(struct reader *r, const struct plan_stores *stores, struct pf_err *err);
const struct pf_scheme *plan_scheme(const struct reader *r, const char *name);

/* ---- check.c ---- */
int plan_check(struct pf_plan *p, struct pf_err *err);

#endif
