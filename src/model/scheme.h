/*
 * Forms of URLs: what can be behind them, as far as that is known before anything is opened.
 */
#ifndef PF_MODEL_SCHEME_H
#define PF_MODEL_SCHEME_H

#include <stdint.h>

/* A store below the path of one that is made of several. */
struct pf_scheme_part {
	const char *scheme, *dir; /* "maildir", "mail" */
};

struct pf_scheme {
	const char *name; /* "imaps"; NULL ends a list */
	uint32_t kinds;   /* of enum pf_kind: what such a store may hold */
	/* Kinds of items of Exchange that may be among its mail, in mail's disguise. */
	uint32_t disguised;
	/* NULL: it is one store. Else those that it is made of, ended by a NULL scheme; `kinds` are
	 * theirs. */
	const struct pf_scheme_part *parts;
};

#endif
