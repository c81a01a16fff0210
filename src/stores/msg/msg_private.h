/*
 * Items that Outlook saved one by one as .msg files: a file, or a tree of directories with some. A
 * directory is a folder; what a file is, is told by its item's class, so a directory that holds
 * several kinds is given out once for each. One that can't be read is listed as mail by its name,
 * and fails by itself.
 *
 * Of a file only what a listing says of it is kept, in the memo of the run, by its path and state:
 * so it is read when its directory is looked over, by whichever store of the run comes first, and
 * when it is asked for.
 *
 *   store.c    what the engine sees
 *   folders.c  directories
 *   items.c    files
 */
#ifndef PF_STORES_MSG_MSG_PRIVATE_H
#define PF_STORES_MSG_MSG_PRIVATE_H

#include "stores/mapi_form.h"

#include <sys/stat.h>

enum { MS_PATH_MAX = 4096, MS_NAME_MAX = 256 };

/* Names in a directory, or of directories. */
struct ms_names {
	char **v;
	size_t n, cap;
};

/* A file in memory, and the item in it. */
struct ms_read {
	struct pf_buf bytes;
	struct pf_arena arena;
	struct pf_mapi_item *item;
};

/* What a listing says of a file. */
struct ms_look {
	int64_t date_utc_s;
	uint32_t kind;     /* mail where it can't be read */
	uint32_t flags;    /* of mail, enum pf_flag */
	char keywords[16]; /* likewise, as they are in struct pf_flags */
	uint8_t keywords_n;
};

struct ms_store {
	struct pf_serial base;
	char root[MS_PATH_MAX];   /* the directory, with no slash at its end */
	char single[MS_NAME_MAX]; /* the only file of it that is meant; "": all */
	/* FOLDERS */
	struct ms_names dirs; /* below the root; "": that itself */
	size_t at;
	uint32_t kinds_left; /* of the directory before `at`, still to be given out */
	/* LIST */
	struct ms_names files;
	/* GET */
	struct pf_mapi_form form;
	/* what events borrow */
	char id_out[MS_PATH_MAX], version_out[80];
	struct ms_look look_out;
	struct pf_path path_out;
	struct pf_folder folder_out;
	struct pf_buf words;
};

/* ---- folders.c ---- */
int ms_step_folders(
	struct ms_store *s, const struct pf_op *op, struct pf_store_event *out, struct pf_err *err);
/* Kind and directory from a folder's id; false: it is none. */
bool ms_folder_of(struct pf_span id, enum pf_kind *kind, const char **dir);
/* The path of a file in a directory below the root, or, with `file` empty, of that. PF_FAIL (scope
 * ITEM): it is too long. */
int ms_path_of(const struct ms_store *s, const char *dir, struct pf_span file,
	char out[MS_PATH_MAX], struct pf_err *err);
/* The .msg files of a directory, in the order of their names. */
int ms_list(const struct ms_store *s, const char *dir, struct ms_names *out, struct pf_err *err);
int ms_names_add(struct ms_names *names, const char *name, struct pf_err *err);
void ms_names_free(struct ms_names *names);

/* ---- items.c ---- */
int ms_step_list(
	struct ms_store *s, const struct pf_op *op, struct pf_store_event *out, struct pf_err *err);
int ms_step_get(
	struct ms_store *s, const struct pf_op *op, struct pf_store_event *out, struct pf_err *err);
/*
 * Read a file. PF_END: it is not there any more. PF_FAIL (scope ITEM): it can't be read, is no
 * item, or a part of it can't be had. ms_read_deinit in any case.
 */
int ms_read_file(const char *path, struct ms_read *out, struct pf_err *err);
void ms_read_deinit(struct ms_read *r);
/* What a file is, read if that is not known; *st is its state. PF_END: it is not there any more. */
int ms_look_at(struct ms_store *s, const char *path, struct stat *st, struct ms_look *out);

#endif
