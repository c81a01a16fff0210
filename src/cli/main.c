/*
 * Finds the command, runs it, and maps what became of it to the exit status. The only place that
 * exits.
 */
#include "base/nearest.h"
#include "cli/command.h"
#include "cli/secret.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int status_of(const struct pf_err *err)
{
	switch (err->sys) {
	case ENOSPC:
	case EDQUOT:
	case EFBIG:
		return PF_EXIT_INTERRUPTED; /* make room and run again */
	case ENOMEM:
		return PF_EXIT_INTERNAL;
	default:
		break;
	}
	switch (err->scope) {
	case PF_SCOPE_STORE:
		return PF_EXIT_NOT_OPENED;
	case PF_SCOPE_SESSION:
		return PF_EXIT_INTERRUPTED;
	default:
		return PF_EXIT_USAGE;
	}
}

static int no_command(const char *name)
{
	const char *known[32];
	size_t n = 0;
	const char *near;

	for (const struct pf_command *const *c = pf_commands; *c && n < PF_COUNT(known); c++) {
		known[n++] = (*c)->name;
	}
	near = pf_nearest(name, known, n);
	(void)fprintf(stderr, "postferry: there is no command \"%s\"%s%s%s; see postferry --help\n",
		name, near ? "; did you mean \"" : "", near ? near : "", near ? "\"?" : "");
	return PF_EXIT_USAGE;
}

static int check_words(const struct pf_command *c, const struct pf_args *args, struct pf_err *err)
{
	const char *word = args->word_count > c->words ? args->words[c->words] : NULL;

	return word ? pf_fail(err, PF_SCOPE_RUN, PF_RETRY_NO,
			      "\"%s\" is no option of postferry %s; see postferry %s --help", word,
			      c->name, c->name)
		    : PF_OK;
}

static int run(const struct pf_command *c, int argc, char **argv)
{
	struct pf_args args;
	struct pf_err err;
	int status;

	for (int i = 0; i < argc && strcmp(argv[i], "--") != 0; i++) {
		if (strcmp(argv[i], "--help") == 0) {
			pf_help_command(c);
			return PF_EXIT_COMPLETE;
		}
	}
	pf_err_clear(&err);
	if (pf_args_parse(c, argc, argv, &args, &err) != PF_OK ||
		check_words(c, &args, &err) != PF_OK) {
		(void)fprintf(stderr, "postferry: %s\n", err.text);
		status = PF_EXIT_USAGE;
	} else {
		status = c->run(&args, &err);
		if (status < 0) {
			(void)fprintf(stderr, "postferry: %s\n", err.text);
			status = status_of(&err);
		}
	}
	pf_args_free(&args);
	return status;
}

static int do_all(int argc, char **argv)
{
	const struct pf_command *c;

	if (argc < 2) {
		pf_help_program();
		return PF_EXIT_USAGE;
	}
	if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "help") == 0) {
		pf_help_program();
		return PF_EXIT_COMPLETE;
	}
	if (strcmp(argv[1], "--version") == 0) {
		(void)printf("postferry " PF_VERSION "\n");
		return PF_EXIT_COMPLETE;
	}
	if (strncmp(argv[1], "--dump=", 7) == 0) {
		return pf_dump(argv[1] + 7);
	}
	c = pf_command_find(argv[1]);
	return c ? run(c, argc - 2, argv + 2) : no_command(argv[1]);
}

int main(int argc, char **argv)
{
	int status;

	pf_cli_harden();
	(void)signal(
		SIGXFSZ, SIG_IGN); /* a limit on file sizes is a full disk: an error of write */
	status = do_all(argc, argv);
	if (fflush(stdout) != 0 || ferror(stdout)) {
		(void)fprintf(stderr, "postferry: the output could not be written\n");
		status = status == PF_EXIT_COMPLETE ? PF_EXIT_INTERNAL : status;
	}
	return status;
}
