/*
 * What a reader of MAPI items met that was not as it should be. It is told and gone on from: what
 * could be read is given.
 */
#ifndef PF_PROTO_MAPI_NOTES_H
#define PF_PROTO_MAPI_NOTES_H

#include "base/defs.h"

enum { PF_MAPI_NOTES_KEPT = 32 };

struct pf_mapi_note {
	size_t at;      /* offset in what was read */
	char text[120]; /* UTF-8, one line */
};

/* Zeroed at first. The first PF_MAPI_NOTES_KEPT are kept, the others counted. */
struct pf_mapi_notes {
	size_t n;      /* in all */
	size_t broken; /* ... that say that a part of the item is there and can't be read */
	size_t first;  /* the first of those, where it is kept */
	struct pf_mapi_note v[PF_MAPI_NOTES_KEPT];
};

void pf_mapi_note(struct pf_mapi_notes *notes, size_t at, const char *fmt, ...) PF_PRINTF(3, 4);
/* The same of what leaves the item without a part of it. */
void pf_mapi_broken(struct pf_mapi_notes *notes, size_t at, const char *fmt, ...) PF_PRINTF(3, 4);
/* The first of those, in words; NULL: the item is whole. */
const char *pf_mapi_broken_text(const struct pf_mapi_notes *notes);

#endif
