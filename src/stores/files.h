/*
 * New files, on disk together: a file has a name for the time being until its octets are on disk,
 * then it gets its own, and at last each directory is waited for. A kill or a power cut at any
 * moment leaves a file whole, or one that is nobody's. To wait once for many is many times as fast
 * as for each by itself.
 */
#ifndef PF_STORES_FILES_H
#define PF_STORES_FILES_H

#include "base/err.h"
#include "base/span.h"

enum { PF_FILES_MOST = 64 };

/* A zeroed one is none. */
struct pf_file {
	char *tmp;  /* the name for the time being; NULL: there is nothing under it */
	char *to;   /* its own, once it is in a group */
	int fd;     /* while there is tmp */
	bool fresh; /* never in the place of another one */
	/* What became of it, once its group is settled. PF_END: it was not to get its name, as
	 * there is such a file or `may` said so. PF_FAIL: `why`. */
	int rc;
	bool in_doubt; /* PF_FAIL: it has its name, and may keep it */
	struct pf_err why;
};

struct pf_files {
	struct pf_file v[PF_FILES_MOST];
	size_t n;
	uint64_t steps; /* counted for the tests that kill */
};

/* Unique by time, process and `serial`, as Maildir wants names to be. */
void pf_file_name(unsigned int serial, char out[128]);

/* A new file, `tmp`. PF_FAIL: it can't be made; scope FOLDER where there is no such directory. */
PF_MUST_CHECK int pf_file_begin(struct pf_file *f, const char *tmp, struct pf_err *err);
PF_MUST_CHECK int pf_file_add(struct pf_file *f, struct pf_span bytes, struct pf_err *err);
/* When it was last changed, as it is to say. */
PF_MUST_CHECK int pf_file_date(struct pf_file *f, int64_t date_utc_s, struct pf_err *err);
/* Nothing is left of it, unless it has its name. */
void pf_file_drop(struct pf_file *f);

/* It is whole, and waits with others to become `to`; `f` is none from then on. There must be room
 * in the group. */
PF_MUST_CHECK int pf_files_take(
	struct pf_files *g, struct pf_file *f, const char *to, bool fresh, struct pf_err *err);
/* All of them get their names, on disk; `may` (or NULL) is asked of each right before. */
void pf_files_settle(struct pf_files *g, bool (*may)(void *of, size_t i), void *of);
/* The group is empty again. */
void pf_files_clear(struct pf_files *g);

/* One file at once. PF_END: `fresh`, and there is one. */
PF_MUST_CHECK int pf_file_write(
	const char *tmp, const char *to, struct pf_span bytes, bool fresh, struct pf_err *err);
/* What was changed in a directory is on disk. */
PF_MUST_CHECK int pf_dir_sync(const char *dir, struct pf_err *err);
/* ... in the one that `path` is in. */
PF_MUST_CHECK int pf_dir_sync_above(const char *path, struct pf_err *err);
/* A failed call, about a file or directory that was to be written: a full disk is
 * PF_EV_TARGET_FULL, a missing directory is its folder's, and with too many files open it may do
 * later. */
int pf_file_fail(const char *path, struct pf_err *err);

#endif
