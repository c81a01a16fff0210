/*
 * A Maildir++ account on disk: INBOX is the directory itself, a folder A/B the directory ".A.B" in
 * it, names in modified UTF-7 as IMAP servers write them.
 *
 * Line ends: files of mail servers mostly have LF, mail on the wire CRLF. A file whose first line
 * ends in a bare LF is given out with CRLF, as any IMAP server would; one that has CRLF is given
 * out as it is. What is stored is stored octet for octet.
 *
 *   store.c    operations and events: the table that the engine sees
 *   folders.c  listing, making and subscribing folders
 *   items.c    listing, reading, storing and changing messages
 *   scan.c     messages on disk, names of files
 *   read.c     a message's bytes
 *   write.c    delivery, of many messages together
 *   keywords.c the letters a to z of dovecot-keywords
 */
#ifndef PF_STORES_MAILDIR_MAILDIR_PRIVATE_H
#define PF_STORES_MAILDIR_MAILDIR_PRIVATE_H

#include "stores/files.h"
#include "stores/serial.h"

enum { MD_PATH_MAX = 4096, MD_KEYWORDS = 26, MD_CHUNK = 128 * 1024, MD_TEXT_MAX = 1 << 20 };

struct md_keywords {
	char *name[MD_KEYWORDS]; /* NULL: the letter is free */
};

/* One message of a listing. Its id is the name without the info part: it stays when flags change.
 */
struct md_message {
	char *file; /* "cur/NAME" or "new/NAME", below the folder */
	size_t id_n;
	uint64_t size;
	int64_t mtime_s;
};

struct md_list {
	struct md_message *v; /* in the order of delivery */
	size_t n, cap;
};

/* scan.c */
/* PF_FAIL (scope FOLDER): it can't be read, or is not there. */
int md_scan(const char *folder, struct md_list *out, struct pf_err *err);
void md_list_free(struct md_list *l);
struct pf_span md_id(const struct md_message *m);
/*
 * The file of `id`. `l` is what is known of the folder: looked at first, and brought up to date by
 * what the directory shows. *found false: there is none.
 */
int md_find(const char *folder, struct md_list *l, struct pf_span id, char path[MD_PATH_MAX],
	bool *found, struct pf_err *err);
/* A message that we stored or renamed ourselves: "cur/NAME". */
int md_list_note(struct md_list *l, const char *file, struct pf_err *err);
/* The id of such a file. */
struct pf_span md_id_of(const char *file);
/* Flags in the info part of a file name. */
int md_flags(const char *file, const struct md_keywords *kw, struct pf_buf *words, uint32_t *sys,
	struct pf_err *err);
/* ":2,FS" for these flags; keywords without a letter are left out. */
void md_info(const struct pf_flags *flags, const struct md_keywords *kw, char out[64]);

/* keywords.c */
int md_keywords_read(const char *folder, struct md_keywords *kw, struct pf_err *err);
/* Whether the word has a letter. */
bool md_keywords_know(const struct md_keywords *kw, struct pf_span word);
/* Letters for words that have none yet, as long as there are some. *added: the file must be
 * written. */
int md_keywords_assign(
	struct md_keywords *kw, struct pf_span words, bool *added, struct pf_err *err);
int md_keywords_write(const char *folder, const struct md_keywords *kw, struct pf_err *err);
void md_keywords_free(struct md_keywords *kw);

/* read.c */
struct md_reader {
	int fd;
	bool to_crlf;
	bool last_cr;
	uint64_t total; /* octets as given out */
};
int md_open(const char *path, struct md_reader *r, struct pf_err *err);
/* The next octets, at most 2 * MD_CHUNK; n 0: the end. */
int md_read(struct md_reader *r, uint8_t *out, size_t *n, struct pf_err *err);
void md_close(struct md_reader *r);

/* ---- the store ---- */

struct md_store {
	struct pf_serial base;
	unsigned int serial;
	/* the folder that was used last: a directory is not read for every message */
	char dir[MD_PATH_MAX];
	struct md_list list;
	/* of the operation at the front, while it gives out events */
	char **names; /* FOLDERS: directory names */
	size_t name_count, at;
	struct pf_buf subscriptions; /* FOLDERS: the file */
	struct md_keywords kw;
	struct md_reader reader;
	uint64_t limit; /* GET: where the part that was asked for ends */
	struct pf_file writing;
	struct pf_files written; /* PUTs that are held */
	struct pf_buf words, id_out;
	struct pf_path path_out;
	struct pf_folder folder_out;
	uint8_t chunk[2 * MD_CHUNK];
};

/* store.c */
/* The directory of a folder's id: "" is INBOX. */
void md_dir_of(const struct md_store *s, struct pf_span id, char path[MD_PATH_MAX]);

/* folders.c, items.c, write.c: steps of pf_serial_does */
int md_step_folders(
	struct md_store *s, const struct pf_op *op, struct pf_store_event *out, struct pf_err *err);
int md_step_mkfolder(
	struct md_store *s, const struct pf_op *op, struct pf_store_event *out, struct pf_err *err);
int md_step_subscribe(
	struct md_store *s, const struct pf_op *op, struct pf_store_event *out, struct pf_err *err);
void md_names_free(struct md_store *s);
/* Octets that a segment of a path takes in a directory's name. */
size_t md_segment_bytes(struct pf_span segment);

int md_step_list(
	struct md_store *s, const struct pf_op *op, struct pf_store_event *out, struct pf_err *err);
/* The next octets of what a GET asked for. */
int md_give(struct md_store *s, struct pf_span *part, struct pf_err *err);
int md_step_get(
	struct md_store *s, const struct pf_op *op, struct pf_store_event *out, struct pf_err *err);
int md_step_flags(
	struct md_store *s, const struct pf_op *op, struct pf_store_event *out, struct pf_err *err);
int md_step_remove(
	struct md_store *s, const struct pf_op *op, struct pf_store_event *out, struct pf_err *err);

/* Letters for these keywords; new ones are in the file before a name has them. */
int md_info_for(struct md_store *s, const char *dir, const struct pf_flags *flags, char info[64],
	struct pf_err *err);

/* The directory with cur, new and tmp. */
int md_make(const char *folder, struct pf_err *err);
int md_step_put(
	struct md_store *s, const struct pf_op *op, struct pf_store_event *out, struct pf_err *err);
void md_settle(struct pf_serial *base);
void md_settled(
	struct pf_serial *base, size_t i, const struct pf_op *op, struct pf_store_event *out);

#endif
