/*
 * A command of the program: one file, one constant. From the tables come the parser, --help, the
 * manual and the completions.
 */
#ifndef PF_CLI_COMMAND_H
#define PF_CLI_COMMAND_H

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>

/* DESIGN's exit statuses. */
enum pf_exit {
	PF_EXIT_COMPLETE = 0,
	PF_EXIT_MISSED = 1,
	PF_EXIT_USAGE = 2,
	PF_EXIT_NOT_OPENED = 3,
	PF_EXIT_INTERRUPTED = 4,
	PF_EXIT_INTERNAL = 70,
};

struct pf_option {
	const char *name;  /* without the dashes */
	const char *value; /* "URL"; NULL: it takes none */
	const char *help;
	bool repeats;
};

/* One option as given; in the order of the command line. */
struct pf_given {
	const struct pf_option *option;
	const char *value;
	size_t line; /* of the plan that it comes from; 0: from the command line */
};

struct pf_args {
	const char *program;
	struct pf_given *given;
	size_t given_count;
	const char **words; /* what is no option */
	size_t word_count;
};

struct pf_command {
	const char *name;
	const char *summary;
	const char *usage;   /* behind "postferry NAME" */
	const char *details; /* a paragraph for --help and manual; NULL = none */
	size_t words;        /* that it takes at the most, beside options */
	const struct pf_option *const
		*options; /* tables, each ended by a NULL name; ended by NULL */
	/* Returns the exit status; or -1 with `err` filled, whose scope tells the status. */
	int (*run)(const struct pf_args *args, struct pf_err *err);
};

/* Generated from src/cli/meson.build; NULL at the end. */
extern const struct pf_command *const pf_commands[];

/* PF_FAIL: wrong usage; says what, and what was perhaps meant. Freed with pf_args_free in any case.
 */
PF_MUST_CHECK int pf_args_parse(
	const struct pf_command *c, int argc, char **argv, struct pf_args *out, struct pf_err *err);
void pf_args_free(struct pf_args *args);
/* The last value given; NULL: not given. For an option without value: "" when given. */
const char *pf_args_get(const struct pf_args *args, const char *name);
static inline bool pf_args_has(const struct pf_args *args, const char *name)
{
	return pf_args_get(args, name) != NULL;
}
/* All values given, ended by NULL; borrowed strings in a list of the caller's (free). NULL: no
 * memory. */
const char **pf_args_list(const struct pf_args *args, const char *name);
const struct pf_command *pf_command_find(const char *name);

/* help.c */
void pf_help_program(void);
void pf_help_command(const struct pf_command *c);
int pf_dump(const char *what); /* manual pages and completions, for the build */

/* complete.c: the completions for "bash", "zsh" or "fish". false: another shell. */
bool pf_complete(const char *shell);

#endif
