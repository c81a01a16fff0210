/*
 * Calendars and address books in files: a folder of the account is a directory with one .ics or
 * .vcf file an item (a vdir, as vdirsyncer and khal use them: files "displayname", "color",
 * "description" and "order" beside the items say how it looks), or one file that holds all of them.
 *
 * ics:PATH, vcf:PATH is such a directory, a directory of them, or a file. A file can only be read:
 * what is written goes into a directory.
 *
 *   store.c  operations and events
 *   scan.c   collections and items on disk
 *   write.c  items are stored, many together, and removed
 *   file.c   reading whole files, versions
 */
#ifndef PF_STORES_VDIR_VDIR_PRIVATE_H
#define PF_STORES_VDIR_VDIR_PRIVATE_H

#include "stores/files.h"
#include "stores/serial.h"

enum { VD_PATH_MAX = 4096, VD_FILE_MAX = 64 << 20, VD_VERSION = 80 };

/* A collection, or an item in one; names are below the directory above. */
struct vd_name {
	char *name;
};

struct vd_names {
	struct vd_name *v;
	size_t n, cap;
};

/* scan.c */
/* Collections below `root`; "" is the root itself. PF_FAIL (scope STORE): it can't be read. */
int vd_collections(const char *root, const char *suffix, struct vd_names *out, struct pf_err *err);
/* Items of a directory, in order. PF_FAIL (scope FOLDER). */
int vd_items(const char *dir, const char *suffix, struct vd_names *out, struct pf_err *err);
void vd_free(struct vd_names *n);
bool vd_is_item(const char *name, const char *suffix);

/* file.c */
/* One line of text of a small file beside the items, or absent; lives in `into`. */
int vd_word(const char *dir, const char *name, struct pf_buf *into, struct pf_span *out,
	struct pf_err *err);
int vd_read(const char *path, struct pf_blob **out, struct pf_err *err);
/* Of the file as it is now: inode, size and time. false: it is not there. */
bool vd_version(const char *path, char out[VD_VERSION]);

/* ---- the store ---- */

struct vd_store {
	struct pf_serial base;
	const char *suffix;    /* ".ics" */
	bool contacts, single; /* single: PATH is a file */
	char dir[VD_PATH_MAX]; /* that the collections are in */
	char file[300];        /* single: its name there */
	struct vd_names names; /* being given out */
	size_t at;
	bool body_given;
	unsigned int serial;
	struct pf_files written;                /* PUTs that are held */
	const struct pf_op *put[PF_FILES_MOST]; /* theirs */
	struct pf_buf word[4];
	struct pf_path path_out;
	struct pf_folder folder_out;
	char version_out[VD_VERSION], id_out[400];
};

/* store.c */
/* The directory of a folder's id; "" is the account's own. */
void vd_dir_of(const struct vd_store *s, struct pf_span id, char out[VD_PATH_MAX]);
void vd_file_of(
	const struct vd_store *s, struct pf_span folder, struct pf_span id, char out[VD_PATH_MAX]);

/* write.c */
/* A name in that directory for a file that is being written. */
void vd_tmp_of(struct vd_store *s, const char *dir, char out[VD_PATH_MAX]);
int vd_step_put(
	struct vd_store *s, const struct pf_op *op, struct pf_store_event *out, struct pf_err *err);
int vd_step_remove(
	struct vd_store *s, const struct pf_op *op, struct pf_store_event *out, struct pf_err *err);
void vd_settle(struct pf_serial *base);
void vd_settled(
	struct pf_serial *base, size_t i, const struct pf_op *op, struct pf_store_event *out);

#endif
