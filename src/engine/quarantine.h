/*
 * The folder on disk with what could not be placed or understood: DIR/ACCOUNT/FOLDER/.../ID.eml
 * with the raw bytes, ID.json beside it with the reason. Names are safe for any file system; files
 * appear whole or not at all.
 */
#ifndef PF_ENGINE_QUARANTINE_H
#define PF_ENGINE_QUARANTINE_H

#include "base/err.h"
#include "model/item.h"

struct pf_quarantine;
struct pf_quarantine_entry; /* one that is being written */

struct pf_quarantine_about {
	const struct pf_path *folder;
	struct pf_span item; /* the source's id */
	uint64_t size;       /* as listed */
	int64_t date_utc_s;
	struct pf_flags flags;
	const char *reason; /* with the server's words */
	unsigned int attempts;
	int64_t at_utc_s; /* now */
};

/* Directories (mode 0700) are made when the first item comes. PF_FAIL: no memory, `dir` is empty.
 */
PF_MUST_CHECK int pf_quarantine_open(
	const char *dir, const char *account, struct pf_quarantine **out, struct pf_err *err);
void pf_quarantine_free(struct pf_quarantine **q);

/*
 * Keep an item: `bytes` absent means that there are none, then only the reason is kept, and the
 * bytes that an earlier run had, if any. An earlier entry of the same item is replaced. PF_FAIL
 * (scope RUN): can't be written (path and reason in the text).
 */
PF_MUST_CHECK int pf_quarantine_put(struct pf_quarantine *q,
	const struct pf_quarantine_about *about, struct pf_span bytes, struct pf_err *err);

/* The same in parts, for what does not lie in memory. */
PF_MUST_CHECK int pf_quarantine_begin(struct pf_quarantine *q,
	const struct pf_quarantine_about *about, struct pf_quarantine_entry **out,
	struct pf_err *err);
PF_MUST_CHECK int pf_quarantine_add(
	struct pf_quarantine_entry *e, struct pf_span bytes, struct pf_err *err);
/* Either of these ends the entry and clears *e. `about` with the reason as it is known now. */
PF_MUST_CHECK int pf_quarantine_commit(struct pf_quarantine_entry **e,
	const struct pf_quarantine_about *about, struct pf_err *err);
void pf_quarantine_abort(struct pf_quarantine_entry **e); /* *e NULL is fine */

/*
 * The bytes of an item that an earlier run kept, as a descriptor to read from and close. PF_END:
 * there are none.
 */
PF_MUST_CHECK int pf_quarantine_read(struct pf_quarantine *q, const struct pf_path *folder,
	struct pf_span item, int *fd, struct pf_err *err);

/*
 * A file beside nothing else: DIR/ACCOUNT/FOLDER/.../ID and this ending, in the place of an earlier
 * one of another length; one of the same stays. PF_FAIL as above.
 */
PF_MUST_CHECK int pf_quarantine_file(struct pf_quarantine *q, const struct pf_path *folder,
	struct pf_span item, const char *ending, struct pf_span bytes, struct pf_err *err);

/* An item was settled after all: remove its entry, if there is one. */
PF_MUST_CHECK int pf_quarantine_remove(struct pf_quarantine *q, const struct pf_path *folder,
	struct pf_span item, struct pf_err *err);

#endif
