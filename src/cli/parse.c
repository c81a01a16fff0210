#include "cli/command.h"

#include "base/nearest.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { WORD_MAX = 64 };

const struct pf_command *pf_command_find(const char *name)
{
	for (const struct pf_command *const *c = pf_commands; *c; c++) {
		if (strcmp((*c)->name, name) == 0) {
			return *c;
		}
	}
	return NULL;
}

static const struct pf_option *find_option(const struct pf_command *c, const char *name, size_t n)
{
	for (const struct pf_option *const *table = c->options; *table; table++) {
		for (const struct pf_option *o = *table; o->name; o++) {
			if (strlen(o->name) == n && strncmp(o->name, name, n) == 0) {
				return o;
			}
		}
	}
	return NULL;
}

static int unknown(const struct pf_command *c, const char *name, struct pf_err *err)
{
	const char *known[128];
	size_t n = 0;
	const char *near;

	for (const struct pf_option *const *table = c->options; *table; table++) {
		for (const struct pf_option *o = *table; o->name && n < PF_COUNT(known); o++) {
			known[n++] = o->name;
		}
	}
	near = pf_nearest(name, known, n);
	return pf_fail(err, PF_SCOPE_RUN, PF_RETRY_NO,
		"postferry %s has no option --%s%s%s%s; see postferry %s --help", c->name, name,
		near ? "; did you mean --" : "", near ? near : "", near ? "?" : "", c->name);
}

static int take_option(const struct pf_command *c, int argc, char **argv, int *at,
	struct pf_args *out, struct pf_err *err)
{
	const char *name = argv[*at] + 2;
	size_t n = strcspn(name, "=");
	const struct pf_option *o = find_option(c, name, n);
	const char *value = name[n] == '=' ? name + n + 1 : NULL;
	char shown[WORD_MAX];

	(void)snprintf(shown, sizeof(shown), "%.*s", (int)(n < WORD_MAX ? n : WORD_MAX - 1), name);
	if (!o) {
		return unknown(c, shown, err);
	}
	if (!o->value && value) {
		return pf_fail(err, PF_SCOPE_RUN, PF_RETRY_NO, "option --%s takes no value", shown);
	}
	if (o->value && !value) {
		if (*at + 1 >= argc) {
			return pf_fail(err, PF_SCOPE_RUN, PF_RETRY_NO,
				"option --%s needs a value: --%s %s", shown, shown, o->value);
		}
		value = argv[++*at];
	}
	for (size_t i = 0; i < out->given_count && !o->repeats; i++) {
		if (out->given[i].option == o && o->value) {
			return pf_fail(err, PF_SCOPE_RUN, PF_RETRY_NO, "option --%s is given twice",
				shown);
		}
	}
	out->given[out->given_count++] =
		(struct pf_given){.option = o, .value = value ? value : ""};
	return PF_OK;
}

int pf_args_parse(
	const struct pf_command *c, int argc, char **argv, struct pf_args *out, struct pf_err *err)
{
	bool only_words = false;

	*out = (struct pf_args){.program = "postferry"};
	out->given = calloc((size_t)argc + 1, sizeof(*out->given));
	out->words = calloc((size_t)argc + 1, sizeof(*out->words));
	if (!out->given || !out->words) {
		return pf_fail_memory(err, "the command line");
	}
	for (int i = 0; i < argc; i++) {
		if (only_words || strncmp(argv[i], "--", 2) != 0) {
			if (!only_words && argv[i][0] == '-' && argv[i][1]) {
				return pf_fail(err, PF_SCOPE_RUN, PF_RETRY_NO,
					"\"%s\": options have two dashes; see postferry %s --help",
					argv[i], c->name);
			}
			out->words[out->word_count++] = argv[i];
		} else if (argv[i][2] == '\0') {
			only_words = true;
		} else if (take_option(c, argc, argv, &i, out, err) != PF_OK) {
			return PF_FAIL;
		}
	}
	return PF_OK;
}

void pf_args_free(struct pf_args *args)
{
	free(args->given);
	free((void *)args->words);
	*args = (struct pf_args){0};
}

const char *pf_args_get(const struct pf_args *args, const char *name)
{
	const char *value = NULL;

	for (size_t i = 0; i < args->given_count; i++) {
		if (strcmp(args->given[i].option->name, name) == 0) {
			value = args->given[i].value;
		}
	}
	return value;
}

const char **pf_args_list(const struct pf_args *args, const char *name)
{
	const char **out = (const char **)calloc(args->given_count + 1, sizeof(*out));
	size_t n = 0;

	for (size_t i = 0; out && i < args->given_count; i++) {
		if (strcmp(args->given[i].option->name, name) == 0) {
			out[n++] = args->given[i].value;
		}
	}
	return out;
}
