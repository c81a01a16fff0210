/*
 * Mailboxes in files: a file, or a tree of them. The children of the folder NAME lie in the
 * directory NAME.sbd, as Thunderbird has them, or in NAME; a file may be called NAME.mbox as well.
 * What can't stand in a file's name stands there as %2F.
 *
 * A message's id is the beginning of its digest, so that it stays when other programs rewrite the
 * file, and a number behind it for further copies of the same octets.
 *
 * A target is a directory. Before octets are added to a file, its length is in ".NAME.postferry"
 * beside it, until they are on disk: after a crash what is not whole is taken off again. Flags are
 * changed where they are; what changes a file's length writes it anew, and renames.
 *
 *   store.c    what the engine sees
 *   folders.c  files and names of folders
 *   box.c      one file: what is in it
 *   items.c    listing, reading, storing messages
 *   rewrite.c  changing and removing them
 */
#ifndef PF_STORES_MBOX_MBOX_PRIVATE_H
#define PF_STORES_MBOX_MBOX_PRIVATE_H

#include "proto/mbox/mbox.h"
#include "stores/serial.h"

#include <sys/stat.h>

enum { MB_PATH_MAX = 4096, MB_BOXES = 4, MB_ID_MAX = 64, MB_TEXT_MAX = 1 << 20 };

struct mb_file {
	struct pf_mbox_src src;
	int fd; /* -1: none */
};

struct mb_message {
	uint64_t from; /* where its "From " line is */
	uint64_t size; /* as given out */
	int64_t date_utc_s;
	uint32_t marks, copy; /* copy: how many of the same octets are before it */
	char *keywords;       /* NULL: none */
	uint8_t digest[16];
};

/* A file that was looked at. */
struct mb_box {
	char path[MB_PATH_MAX]; /* "" = none */
	struct mb_file file;
	struct pf_mbox *scan;
	struct stat as_of; /* another file or another time: it is looked at again */
	struct mb_message *v;
	uint32_t *by_id; /* indices, in the order of digest and copy */
	size_t n, cap;
	uint64_t used; /* when, in the store's count */
};

struct mb_name {
	char *name;   /* of a file, below the root */
	bool skipped; /* it is no mailbox */
};

struct mb_store {
	struct pf_serial base;
	char root[MB_PATH_MAX]; /* the directory, or the file */
	bool single;            /* it is a file */
	struct mb_box box[MB_BOXES];
	uint64_t count; /* of uses */
	/* FOLDERS */
	struct mb_name *names;
	size_t name_n, name_cap, at;
	/* GET */
	struct pf_mbox_msg msg;
	struct pf_mbox_body body;
	struct pf_hash *hash;
	struct mb_message want; /* digest and size of what is given out */
	uint64_t total;
	/* PUT */
	struct mb_file spool;
	uint64_t spooled;
	char id_out[MB_PATH_MAX], note_out[400];
	struct pf_buf words;
	struct pf_path path_out;
	struct pf_folder folder_out;
	uint8_t chunk[PF_MBOX_OUT];
};

/* ---- folders.c ---- */
int mb_step_folders(
	struct mb_store *s, const struct pf_op *op, struct pf_store_event *out, struct pf_err *err);
int mb_step_mkfolder(
	struct mb_store *s, const struct pf_op *op, struct pf_store_event *out, struct pf_err *err);
void mb_names_free(struct mb_store *s);
/* The file of a folder's id. */
void mb_path_of(const struct mb_store *s, struct pf_span id, char out[MB_PATH_MAX]);
/* "DIR/" of a path, for files beside it; and the name behind it. */
struct pf_span mb_dir_of(const char *path);
/* Octets that a segment takes in a path. */
size_t mb_segment_bytes(struct pf_span segment);
/* An empty mailbox, and the directories above it. */
int mb_make(const char *path, struct pf_err *err);

/* ---- box.c ---- */
void mb_file_init(struct mb_file *f);
void mb_file_close(struct mb_file *f);
/*
 * What is in the folder's file: as it was known, or looked at again where it has changed or `anew`
 * is set. PF_FAIL (scope FOLDER): it is not there, is no mailbox, or another program writes to it.
 */
int mb_enter(struct mb_store *s, struct pf_span folder, bool anew, struct mb_box **out,
	struct pf_err *err);
void mb_box_close(struct mb_box *b);
/* Its index; b->n: there is none. */
size_t mb_find(const struct mb_box *b, struct pf_span id);
void mb_id(const struct mb_message *m, char out[MB_ID_MAX]);
/* The message at `from`, put behind those that are known. */
int mb_add_known(struct mb_box *b, uint64_t from, struct pf_err *err);
void mb_forget(struct mb_box *b, size_t i);
/* What the file is like now is how it is known. */
int mb_seen(struct mb_box *b, struct pf_err *err);
int mb_sync_dir(const char *path, struct pf_err *err);
/* ".NAME.postferrySUFFIX" beside the file. */
void mb_beside(const char *path, const char *suffix, char out[MB_PATH_MAX]);
int mb_lock(const struct mb_box *b, bool write, struct pf_err *err);
void mb_unlock(const struct mb_box *b);

/* ---- items.c ---- */
int mb_step_list(
	struct mb_store *s, const struct pf_op *op, struct pf_store_event *out, struct pf_err *err);
/* The next octets of what a GET asked for; at their end they must be what was listed. */
int mb_give(struct mb_store *s, struct pf_span *part, struct pf_err *err);
int mb_step_get(
	struct mb_store *s, const struct pf_op *op, struct pf_store_event *out, struct pf_err *err);
int mb_step_put(
	struct mb_store *s, const struct pf_op *op, struct pf_store_event *out, struct pf_err *err);
int mb_take(struct mb_store *s, struct pf_span part, struct pf_err *err);
uint32_t mb_marks(uint32_t sys);
/* All octets at that place. */
int mb_write_at(int fd, uint64_t at, struct pf_span bytes, struct pf_err *err);
int mb_fail_write(const char *path, struct pf_err *err);
/* A file of no name in that directory, for what can't be in memory. */
int mb_spool(const char *path, struct mb_file *out, struct pf_err *err);

/* ---- rewrite.c ---- */
int mb_step_flags(
	struct mb_store *s, const struct pf_op *op, struct pf_store_event *out, struct pf_err *err);
int mb_step_remove(
	struct mb_store *s, const struct pf_op *op, struct pf_store_event *out, struct pf_err *err);

#endif
