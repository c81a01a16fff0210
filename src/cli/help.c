/*
 * --help, the manual pages and the completions, all from the tables of the commands.
 */
#include "cli/command.h"
#include "stores/registry.h"

#include <stdio.h>
#include <string.h>

enum { COLUMN = 30 };

static const char *const STATUSES[] = {
	"0   complete: every item copied, present or skipped by a rule",
	"1   complete, but some items are in quarantine or in no place; the report names each",
	"2   wrong usage or plan",
	"3   an account could not be opened: address, certificate, sign-in",
	"4   interrupted or cut off: run the same command again to go on",
	"70  an internal error",
};

static void print_option(const struct pf_option *o)
{
	char left[64];

	(void)snprintf(left, sizeof(left), "--%s%s%s", o->name, o->value ? " " : "",
		o->value ? o->value : "");
	(void)printf("  %-*s %s\n", COLUMN, left, o->help);
}

void pf_help_program(void)
{
	(void)printf("postferry " PF_VERSION " moves whole mail accounts and proves that nothing "
		     "was lost.\n\nUsage: postferry COMMAND "
		     "[options]\n\nCommands:\n");
	for (const struct pf_command *const *c = pf_commands; *c; c++) {
		(void)printf("  %-10s %s\n", (*c)->name, (*c)->summary);
	}
	(void)printf("\nURLs:\n");
	for (const struct pf_store_ops *const *s = pf_stores(); *s; s++) {
		(void)printf("  %-10s %s\n", (*s)->schemes[0], (*s)->summary);
	}
	(void)printf("\nExit status:\n");
	for (size_t i = 0; i < PF_COUNT(STATUSES); i++) {
		(void)printf("  %s\n", STATUSES[i]);
	}
	(void)printf("\npostferry COMMAND --help tells more.\n");
}

void pf_help_command(const struct pf_command *c)
{
	(void)printf("postferry %s: %s\n\nUsage: postferry %s %s\n\nOptions:\n", c->name,
		c->summary, c->name, c->usage);
	for (const struct pf_option *const *table = c->options; *table; table++) {
		for (const struct pf_option *o = *table; o->name; o++) {
			print_option(o);
		}
	}
}

/* ---- for the build ---- */

/* Text for roff: a backslash and a leading dot or quote have a meaning there. */
static void roff(const char *text)
{
	if (*text == '.' || *text == '\'') {
		(void)fputs("\\&", stdout);
	}
	for (; *text; text++) {
		if (*text == '\\') {
			(void)fputs("\\e", stdout);
		} else if (*text == '-') {
			(void)fputs("\\-", stdout);
		} else {
			(void)fputc(*text, stdout);
		}
	}
	(void)fputc('\n', stdout);
}

static void man_command(const struct pf_command *c)
{
	(void)printf(".TH POSTFERRY-%s 1 \"\" \"postferry " PF_VERSION "\"\n.SH NAME\n", c->name);
	(void)printf("postferry\\-%s \\- ", c->name);
	roff(c->summary);
	(void)printf(".SH SYNOPSIS\n.B postferry %s\n", c->name);
	roff(c->usage);
	(void)printf(".SH OPTIONS\n");
	for (const struct pf_option *const *table = c->options; *table; table++) {
		for (const struct pf_option *o = *table; o->name; o++) {
			(void)printf(
				".TP\n.BI \\-\\-%s \" %s\"\n", o->name, o->value ? o->value : "");
			roff(o->help);
		}
	}
	(void)printf(".SH EXIT STATUS\n.nf\n");
	for (size_t i = 0; i < PF_COUNT(STATUSES); i++) {
		roff(STATUSES[i]);
	}
	(void)printf(".fi\n.SH SEE ALSO\n.BR postferry (1)\n");
}

static void man_program(void)
{
	(void)printf(
		".TH POSTFERRY 1 \"\" \"postferry " PF_VERSION
		"\"\n.SH NAME\npostferry \\- move whole mail "
		"accounts and prove that nothing was lost\n.SH SYNOPSIS\n.B postferry\nCOMMAND "
		"[options]\n.SH COMMANDS\n");
	for (const struct pf_command *const *c = pf_commands; *c; c++) {
		(void)printf(".TP\n.BR postferry\\-%s (1)\n", (*c)->name);
		roff((*c)->summary);
	}
	(void)printf(".SH URLS\n");
	for (const struct pf_store_ops *const *s = pf_stores(); *s; s++) {
		(void)printf(".TP\n.B %s\n", (*s)->schemes[0]);
		roff((*s)->summary);
	}
}

static void complete_bash(void)
{
	(void)printf("# bash completion for postferry\n_postferry() {\n\tlocal "
		     "cur=${COMP_WORDS[COMP_CWORD]}\n"
		     "\tif [ \"$COMP_CWORD\" -eq 1 ]; then\n\t\tCOMPREPLY=($(compgen -W \"");
	for (const struct pf_command *const *c = pf_commands; *c; c++) {
		(void)printf("%s ", (*c)->name);
	}
	(void)printf(
		"--help --version\" -- \"$cur\"))\n\t\treturn\n\tfi\n\tcase ${COMP_WORDS[1]} in\n");
	for (const struct pf_command *const *c = pf_commands; *c; c++) {
		(void)printf("\t%s) COMPREPLY=($(compgen -W \"--help", (*c)->name);
		for (const struct pf_option *const *table = (*c)->options; *table; table++) {
			for (const struct pf_option *o = *table; o->name; o++) {
				(void)printf(" --%s", o->name);
			}
		}
		(void)printf("\" -- \"$cur\")) ;;\n");
	}
	(void)printf("\tesac\n}\ncomplete -o default -F _postferry postferry\n");
}

static void complete_zsh(void)
{
	(void)printf("#compdef postferry\nlocal -a commands options\ncommands=(\n");
	for (const struct pf_command *const *c = pf_commands; *c; c++) {
		(void)printf("\t'%s:%s'\n", (*c)->name, (*c)->summary);
	}
	(void)printf(")\nif (( CURRENT == 2 )); then\n\t_describe command "
		     "commands\n\treturn\nfi\ncase $words[2] in\n");
	for (const struct pf_command *const *c = pf_commands; *c; c++) {
		(void)printf("%s) options=(--help", (*c)->name);
		for (const struct pf_option *const *table = (*c)->options; *table; table++) {
			for (const struct pf_option *o = *table; o->name; o++) {
				(void)printf(" --%s", o->name);
			}
		}
		(void)printf(") ;;\n");
	}
	(void)printf("esac\ncompadd -a options\n_files\n");
}

static void complete_fish(void)
{
	for (const struct pf_command *const *c = pf_commands; *c; c++) {
		(void)printf("complete -c postferry -n __fish_use_subcommand -a %s -d '%s'\n",
			(*c)->name, (*c)->summary);
		for (const struct pf_option *const *table = (*c)->options; *table; table++) {
			for (const struct pf_option *o = *table; o->name; o++) {
				(void)printf("complete -c postferry -n "
					     "'__fish_seen_subcommand_from %s' -l %s%s\n",
					(*c)->name, o->name, o->value ? " -r" : "");
			}
		}
	}
}

int pf_dump(const char *what)
{
	const struct pf_command *c =
		strncmp(what, "man-", 4) == 0 ? pf_command_find(what + 4) : NULL;

	if (c) {
		man_command(c);
	} else if (strcmp(what, "man") == 0) {
		man_program();
	} else if (strcmp(what, "bash") == 0) {
		complete_bash();
	} else if (strcmp(what, "zsh") == 0) {
		complete_zsh();
	} else if (strcmp(what, "fish") == 0) {
		complete_fish();
	} else {
		return PF_EXIT_USAGE;
	}
	return PF_EXIT_COMPLETE;
}
