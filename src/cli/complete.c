/*
 * Completions for bash, zsh and fish, from the tables of the commands.
 */
#include "cli/command.h"

#include <stdio.h>
#include <string.h>

/* Calls `fn` for each option of a command. */
static void each_option(const struct pf_command *c,
	void (*fn)(const struct pf_command *c, const struct pf_option *o))
{
	for (const struct pf_option *const *table = c->options; *table; table++) {
		for (const struct pf_option *o = *table; o->name; o++) {
			fn(c, o);
		}
	}
}

static bool takes_file(const struct pf_option *o)
{
	return o->value && (strcmp(o->value, "FILE") == 0 || strcmp(o->value, "DIR") == 0);
}

/* Within single quotes of a shell; `special` is escaped by a backslash as well. */
static void quoted(const char *text, const char *special)
{
	for (; *text; text++) {
		if (*text == '\'') {
			(void)fputs("'\\''", stdout);
		} else {
			(void)printf(strchr(special, *text) ? "\\%c" : "%c", *text);
		}
	}
}

/* ---- bash ---- */

static void bash_option(const struct pf_command *c, const struct pf_option *o)
{
	(void)c;
	(void)printf(" --%s", o->name);
}

static void bash_file(const struct pf_command *c, const struct pf_option *o)
{
	(void)c;
	if (takes_file(o)) {
		(void)printf(" --%s", o->name);
	}
}

static void complete_bash(void)
{
	(void)printf("# bash completion for postferry\n_postferry() {\n"
		     "\tlocal cur=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD-1]}\n"
		     "\tlocal words=\"\" files=\"\"\n\tcase ${COMP_WORDS[1]} in\n");
	for (const struct pf_command *const *c = pf_commands; *c; c++) {
		(void)printf("\t%s)\n\t\twords=\"--help", (*c)->name);
		each_option(*c, bash_option);
		(void)printf("\"\n\t\tfiles=\"");
		each_option(*c, bash_file);
		(void)printf(" \"\n\t\t;;\n");
	}
	(void)printf("\tesac\n\tif [ \"$COMP_CWORD\" -eq 1 ]; then\n\t\twords=\"");
	for (const struct pf_command *const *c = pf_commands; *c; c++) {
		(void)printf("%s ", (*c)->name);
	}
	(void)printf("--help --version\"\n\tfi\n"
		     "\t[[ $files == *\" $before \"* ]] && return # a file: bash completes it\n"
		     "\tmapfile -t COMPREPLY < <(compgen -W \"$words\" -- \"$cur\")\n}\n"
		     "complete -o default -F _postferry postferry\n");
}

/* ---- zsh ---- */

static void zsh_option(const struct pf_command *c, const struct pf_option *o)
{
	(void)c;
	(void)printf("\t\t'%s--%s[", o->repeats ? "*" : "", o->name);
	quoted(o->help, "[]:\\");
	(void)printf("]");
	if (o->value) {
		(void)printf(":");
		quoted(o->value, ":\\");
		(void)printf(":%s", takes_file(o) ? "_files" : " ");
	}
	(void)printf("' \\\n");
}

static void complete_zsh(void)
{
	(void)printf("#compdef postferry\nlocal -a commands\ncommands=(\n");
	for (const struct pf_command *const *c = pf_commands; *c; c++) {
		(void)printf("\t'%s:", (*c)->name);
		quoted((*c)->summary, ":\\");
		(void)printf("'\n");
	}
	(void)printf(")\nif (( CURRENT == 2 )); then\n\t_describe command commands\n\treturn\nfi\n"
		     "shift words\n(( CURRENT-- ))\ncase $words[1] in\n");
	for (const struct pf_command *const *c = pf_commands; *c; c++) {
		(void)printf("%s)\n\t_arguments \\\n", (*c)->name);
		each_option(*c, zsh_option);
		(void)printf("\t\t'--help[the options, in short]'\n\t;;\n");
	}
	(void)printf("esac\n");
}

/* ---- fish ---- */

static void fish_option(const struct pf_command *c, const struct pf_option *o)
{
	(void)printf("complete -c postferry -n '__fish_seen_subcommand_from %s' -l %s%s -d '",
		c->name, o->name,
		!o->value       ? ""
		: takes_file(o) ? " -r -F"
				: " -x");
	for (const char *t = o->help; *t; t++) {
		(void)printf(*t == '\'' || *t == '\\' ? "\\%c" : "%c", *t);
	}
	(void)printf("'\n");
}

static void complete_fish(void)
{
	(void)printf("complete -c postferry -f\n");
	for (const struct pf_command *const *c = pf_commands; *c; c++) {
		(void)printf("complete -c postferry -n __fish_use_subcommand -a %s -d '%s'\n",
			(*c)->name, (*c)->summary);
		each_option(*c, fish_option);
	}
}

bool pf_complete(const char *shell)
{
	static const struct {
		const char *name;
		void (*fn)(void);
	} SHELLS[] = {{"bash", complete_bash}, {"zsh", complete_zsh}, {"fish", complete_fish}};

	for (size_t i = 0; i < PF_COUNT(SHELLS); i++) {
		if (strcmp(SHELLS[i].name, shell) == 0) {
			SHELLS[i].fn();
			return true;
		}
	}
	return false;
}
