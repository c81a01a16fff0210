/*
 * LDIF, the text in which directories are exported (RFC 2849), as ldifde, ldapsearch and the
 * Exchange administrator write it. No I/O.
 *
 * Lines that begin with a blank go on with the one before, comments are passed over, a value behind
 * "::" is base64. An empty line ends a record.
 */
#ifndef PF_PLAN_LDIF_H
#define PF_PLAN_LDIF_H

#include "base/buf.h"

struct pf_ldif {
	struct pf_span rest;
	size_t line;        /* of the last one that was read, from 1 */
	struct pf_buf text; /* the line, unfolded; then its value, decoded */
	bool in_record;
};

struct pf_ldif_line {
	size_t line;         /* where it begins */
	bool ends_record;    /* then nothing else is filled */
	struct pf_span name; /* "legacyExchangeDN"; without options ("mail;lang-de") */
	struct pf_span value;
};

/* `text` is borrowed. */
void pf_ldif_init(struct pf_ldif *l, struct pf_span text);
void pf_ldif_deinit(struct pf_ldif *l);
/*
 * PF_OK: the next attribute, or the end of a record; spans are good until the next call. PF_END.
 * PF_FAIL (scope ITEM): a line that is none; says what is wrong with it and what to do, without the
 * number, which is in `out->line`; the next call goes on behind it. Scope RUN: no memory.
 */
PF_MUST_CHECK int pf_ldif_next(struct pf_ldif *l, struct pf_ldif_line *out, struct pf_err *err);

#endif
