/*
 * What a batch is made of: accounts (rows of a CSV file), servers, options. Read and checked whole
 * before anything is done; every problem names file, place and remedy.
 *
 * A plan is a YAML file, or a CSV file of accounts alone. docs/plan.md describes both.
 */
#ifndef PF_PLAN_PLAN_H
#define PF_PLAN_PLAN_H

#include "base/arena.h"
#include "base/err.h"
#include "base/secret.h"
#include "model/scheme.h"

#define PF_PLAN_NO_SERVER SIZE_MAX

/* What a plan says of a server, once for all accounts on it. All but `name` may be absent. */
struct pf_plan_server {
	const char *name; /* URLs say it in place of the host */
	const char *host;
	const char *admin, *admin_form, *secret, *ca_file, *fingerprint, *cert, *rate;
	const char *daily_down, *daily_up;
	enum pf_plan_tls { PF_PLAN_TLS_BY_URL, PF_PLAN_TLS_IMPLICIT, PF_PLAN_TLS_STARTTLS } tls;
	enum pf_plan_leave { PF_PLAN_AS_ALL, PF_PLAN_FORBIDDEN, PF_PLAN_ALLOWED } plaintext;
	size_t port, connections, connections_per_account;
	size_t line;
};

struct pf_plan_side {
	const char *url;         /* as it is opened */
	const char *identity;    /* pf_url_identity */
	const char *secret;      /* a SPEC as on the command line; NULL: none of its own */
	struct pf_span password; /* from the file; absent: none */
	const char *admin;       /* NULL: none of its own */
	size_t server;           /* of the plan's; or PF_PLAN_NO_SERVER */
};

/*
 * An account, or a part of one that has several stores: what goes from one of its stores to one of
 * its target's. The parts of an account lie one behind the other.
 */
struct pf_plan_row {
	size_t row; /* of the file, the header is 1; 0: from no file */
	struct pf_plan_side side[2];
	const char *whole[2]; /* the identity of the whole account on each side */
	uint32_t kinds;       /* of enum pf_kind, that go this way; 0 = all */
	/* No target takes them: they are listed, and reported. The target is any of the account's,
	 * and gets nothing. */
	bool nowhere;
	/* Items of these kinds that are in mail's disguise (model/scheme.h): given out this way,
	 * as what they are, and nothing else is unless mail is among `kinds`; and, of mail, those
	 * that go another way. */
	uint32_t disguised, apart;
};

/* An option of the command line that the plan gives. */
struct pf_plan_option {
	const char *name, *value;
	size_t line;
};

struct pf_plan_problem {
	const char *file;
	size_t row;      /* of a CSV file, or line of a YAML file; 0: of the whole */
	size_t column;   /* from 1; 0: of the whole row */
	char name[64];   /* of the column or key; "" = none */
	bool is_warning; /* it may be meant */
	bool is_line;    /* `row` is a line of a YAML file */
	char text[512];
};

struct pf_plan {
	struct pf_arena arena;
	const char *path, *accounts; /* both files; one and the same for a CSV file alone */
	const char *template[2];     /* of the URLs; NULL: the rows have them whole */
	struct pf_plan_server *servers;
	size_t server_n;
	struct pf_plan_row *rows;
	size_t row_n;
	struct pf_plan_option *options;
	size_t option_n;
	struct pf_plan_problem *problems; /* the first of them; in the order of the file */
	size_t problem_n, errors, warnings;
	struct pf_secret text; /* the CSV file; cells lie in it, passwords are nowhere else */
};

struct pf_plan_cfg {
	const char *path;
	const char *template[2]; /* --from, --to: before those of the plan; or NULL */
	/* Of one account: all that --from, --to, --from-secret and --to-secret gave, ended by NULL;
	 * secrets, none, one for all URLs, or one for each. */
	const char *const *urls[2], *const *secrets[2];
	const struct pf_scheme *schemes;           /* that can be opened; ended by a NULL name */
	bool source_has_secret, target_has_secret; /* the command line or environment gives one for
						      all */
};

/*
 * PF_FAIL (scope RUN): a file can't be read at all, or there is no memory. PF_OK: look at `errors`;
 * unless they are 0 the plan must not be carried out. Free it with pf_plan_free in any case.
 */
PF_MUST_CHECK int pf_plan_read(
	const struct pf_plan_cfg *cfg, struct pf_plan **out, struct pf_err *err);
/* A plan of one account, for commands that take URLs. */
PF_MUST_CHECK int pf_plan_of_one(
	const struct pf_plan_cfg *cfg, struct pf_plan **out, struct pf_err *err);
void pf_plan_free(struct pf_plan **plan);

/* For those who find further problems of a row. */
void pf_plan_problem(struct pf_plan *p, size_t row, const char *column, const char *fmt, ...)
	PF_PRINTF(4, 5);
/* "accounts.csv row 7, column 2 (from): ..."; returns `out`. */
const char *pf_plan_problem_show(const struct pf_plan_problem *q, char *out, size_t size);

#endif
