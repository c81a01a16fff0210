/*
 * --help and the manual pages, from the tables of the commands.
 */
#include "cli/command.h"
#include "stores/registry.h"

#include <stdio.h>
#include <string.h>

enum { COLUMN = 26 };

static const char URL_RULES[] = "A user name with \"@\" or \"/\" in it is percent-encoded: "
				"imaps://ann%40old.example@mail.example/. "
				"imap:// asks for encryption by STARTTLS and goes on without it "
				"only with --allow-plaintext. An "
				"IPv6 address stands in brackets. An account with several "
				"stores is several --from and --to: each kind of item goes "
				"to the first target that takes it. caldavs:// and "
				"carddavs:// take a domain, too: its SRV and TXT records "
				"tell the server; so does Autodiscover for ews://. --trust-host "
				"permits to go there.";

static const char SECRET_RULES[] =
	"--from-secret and --to-secret take env:NAME (a variable of the environment), file:PATH "
	"(its first "
	"line; nobody else may read the file), command:CMD (the first line of what the shell "
	"command "
	"prints), oauth:NAME (an access token in the variable NAME, or oauth:file:PATH and "
	"oauth:command:CMD), prompt, or none, where a certificate or a Kerberos ticket says who it "
	"is. "
	"Without them it is POSTFERRY_FROM_PASSWORD and POSTFERRY_TO_PASSWORD, else a prompt on "
	"the "
	"terminal, else an error.";

static const char *const EXAMPLES[] = {
	"export POSTFERRY_FROM_PASSWORD=... POSTFERRY_TO_PASSWORD=...",
	"postferry check --from imaps://ann%40old.example@mail.old.example/ --to "
	"imaps://ann@mail.new.example/",
	"postferry copy --from imaps://ann%40old.example@mail.old.example/ --to "
	"imaps://ann@mail.new.example/",
	"postferry report --format html --output report.html",
};

static const char *const STATUSES[] = {
	"0   complete: every item copied, present or skipped by a rule",
	"1   complete, but some items are in quarantine or in no place; the report names each",
	"2   wrong usage or plan",
	"3   an account could not be opened: address, certificate, sign-in",
	"4   interrupted or cut off: run the same command again to go on",
	"70  an internal error",
};

/* `text` from column `column` on, in lines of at most 80, broken at blanks. */
static void print_wrapped(const char *text, int column)
{
	const int width = 80 - column;

	while (*text) {
		int n = (int)strlen(text);

		if (n > width) {
			for (n = width; n > 0 && text[n] != ' '; n--) {
			}
			n = n > 0 ? n : (int)strcspn(text, " ");
		}
		(void)printf("%.*s\n", n, text);
		text += n;
		text += strspn(text, " ");
		if (*text) {
			(void)printf("%*s", column, "");
		}
	}
}

static void print_option(const struct pf_option *o)
{
	char left[64];

	(void)snprintf(left, sizeof(left), "--%s%s%s", o->name, o->value ? " " : "",
		o->value ? o->value : "");
	(void)printf("  %-*s ", COLUMN, left);
	print_wrapped(o->help, COLUMN + 3);
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
		(void)printf("  %-10s %s\n", (*s)->schemes[0].name, (*s)->summary);
	}
	(void)printf("\n  ");
	print_wrapped(URL_RULES, 2);
	(void)printf("\nPasswords:\n  ");
	print_wrapped(SECRET_RULES, 2);
	(void)printf("\nExit status:\n");
	for (size_t i = 0; i < PF_COUNT(STATUSES); i++) {
		(void)printf("  %s\n", STATUSES[i]);
	}
	(void)printf("\npostferry COMMAND --help tells more.\n");
}

void pf_help_command(const struct pf_command *c)
{
	(void)printf("postferry %s: %s\n\nUsage: postferry %s ", c->name, c->summary, c->name);
	print_wrapped(c->usage, (int)strlen(c->name) + 18);
	(void)printf("\n");
	if (c->details) {
		print_wrapped(c->details, 0);
		(void)printf("\n");
	}
	(void)printf("Options:\n");
	for (const struct pf_option *const *table = c->options; *table; table++) {
		for (const struct pf_option *o = *table; o->name; o++) {
			print_option(o);
		}
	}
}

/* ---- for the build ---- */

/* Text for roff: a backslash and a leading dot or quote have a meaning there. */
static void roff_part(const char *text)
{
	for (; *text; text++) {
		if (*text == '\\') {
			(void)fputs("\\e", stdout);
		} else if (*text == '-') {
			(void)fputs("\\-", stdout);
		} else {
			(void)fputc(*text, stdout);
		}
	}
}

static void roff(const char *text)
{
	(void)fputs("\\&", stdout);
	roff_part(text);
	(void)fputc('\n', stdout);
}

static void roff_lines(const char *const *lines, size_t count)
{
	(void)printf(".nf\n");
	for (size_t i = 0; i < count; i++) {
		roff(lines[i]);
	}
	(void)printf(".fi\n");
}

static void man_options(const struct pf_command *c)
{
	(void)printf(".SH OPTIONS\n");
	for (const struct pf_option *const *table = c->options; *table; table++) {
		for (const struct pf_option *o = *table; o->name; o++) {
			(void)printf(".TP\n.BI ");
			roff_part("--");
			roff_part(o->name);
			(void)printf(" \" %s\"\n", o->value ? o->value : "");
			roff(o->help);
		}
	}
	(void)printf(".TP\n.B \\-\\-help\nthe options, in short\n");
}

static void man_statuses(void)
{
	(void)printf(".SH EXIT STATUS\n");
	roff_lines(STATUSES, PF_COUNT(STATUSES));
}

static void man_command(const struct pf_command *c)
{
	(void)printf(".TH POSTFERRY\\-%s 1 \"\" \"postferry " PF_VERSION "\"\n.SH NAME\n", c->name);
	(void)printf("postferry\\-%s \\- ", c->name);
	roff(c->summary);
	(void)printf(".SH SYNOPSIS\n.B postferry %s\n", c->name);
	roff(c->usage);
	if (c->details) {
		(void)printf(".SH DESCRIPTION\n");
		roff(c->details);
	}
	man_options(c);
	man_statuses();
	(void)printf(".SH SEE ALSO\n.BR postferry (1)\n");
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
		(void)printf(".TP\n.B %s\n", (*s)->schemes[0].name);
		roff((*s)->summary);
	}
	(void)printf(".PP\n");
	roff(URL_RULES);
	(void)printf(".SH PASSWORDS\n");
	roff(SECRET_RULES);
	man_statuses();
	(void)printf(".SH ENVIRONMENT\n.TP\n.B POSTFERRY_FROM_PASSWORD, POSTFERRY_TO_PASSWORD\n"
		     "the passwords of source and target\n.TP\n.B XDG_STATE_HOME\n"
		     "where ledgers are kept; default: ~/.local/state\n.SH EXAMPLES\n");
	roff_lines(EXAMPLES, PF_COUNT(EXAMPLES));
	(void)printf(".SH SEE ALSO\n");
	for (const struct pf_command *const *c = pf_commands; *c; c++) {
		(void)printf(".BR postferry\\-%s (1)%s\n", (*c)->name, c[1] ? "," : "");
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
	} else if (!pf_complete(what)) {
		return PF_EXIT_USAGE;
	}
	return PF_EXIT_COMPLETE;
}
