/*
 * A Maildir++ account on disk: INBOX is the directory itself, a folder A/B the directory ".A.B" in
 * it, names in modified UTF-7 as IMAP servers write them.
 *
 * Line ends: files of mail servers mostly have LF, mail on the wire CRLF. A file whose first line
 * ends in a bare LF is given out with CRLF, as any IMAP server would; one that has CRLF is given
 * out as it is. What is stored is stored octet for octet.
 *
 *   store.c    operations and events
 *   folders.c  directories and subscriptions
 *   scan.c     messages on disk, names of files
 *   index.c    where each message is
 *   read.c     a message's bytes
 *   write.c    delivery: tmp, fsync, rename
 *   keywords.c the letters a to z of dovecot-keywords
 */
#ifndef PF_STORES_MAILDIR_MAILDIR_PRIVATE_H
#define PF_STORES_MAILDIR_MAILDIR_PRIVATE_H

#include "base/buf.h"
#include "stores/store.h"

#include <time.h>

enum { MD_PATH_MAX = 4096, MD_KEYWORDS = 26, MD_CHUNK = 128 * 1024, MD_SUBS = 2 };

struct md_keywords {
	char *name[MD_KEYWORDS]; /* NULL: the letter is free */
};

/* One message of a listing. */
struct md_message {
	char *file; /* "cur/NAME" or "new/NAME", below the folder */
	char *id;   /* NAME without its info part: stays when flags change */
	uint64_t size;
	int64_t mtime_s;
};

struct md_list {
	struct md_message *v;
	size_t n, cap;
};

/* scan.c */
int md_scan(const char *folder, struct md_list *out, struct pf_err *err);
void md_list_free(struct md_list *l);
/* Of a file's name, how much of it is the id. */
size_t md_id_length(const char *name);
/* Flags in the info part of a file name. */
int md_flags(const char *file, const struct md_keywords *kw, struct pf_buf *words, uint32_t *sys,
	struct pf_err *err);
/* ":2,FS" for these flags; keywords without a letter are left out. */
void md_info(const struct pf_flags *flags, const struct md_keywords *kw, char out[64]);

/* folders.c */
struct md_names { /* sorted */
	char **v;
	size_t n, cap;
};
/* Directories of folders, added to `out`: "" is the account's own, INBOX; else ".A.B". */
int md_folders_read(const char *account, struct md_names *out, struct pf_err *err);
/* "A.B" for each folder that is subscribed to. */
int md_subscriptions_read(const char *account, struct md_names *out, struct pf_err *err);
int md_subscribe(const char *account, struct pf_span name, struct pf_err *err);
bool md_names_have(const struct md_names *names, const char *name);
void md_names_free(struct md_names *names);

/* index.c */
struct md_place {
	size_t at, id_n; /* "cur/NAME" begins there; so much of NAME is the id */
};
struct md_index {
	char *folder;        /* that it is of; NULL: of none yet */
	struct pf_buf names; /* one behind the other, NUL-ended each */
	struct md_place *v;  /* sorted by id */
	size_t n, cap;
	struct timespec changed[MD_SUBS]; /* the directories' times when they were read */
	int64_t read_s;
};
/*
 * The whole path of a message's file. One folder is held in memory at a time, some 60 bytes a
 * message. PF_END: it is not there. PF_FAIL: the folder can't be read.
 */
int md_index_find(struct md_index *x, const char *folder, struct pf_span id, char path[MD_PATH_MAX],
	struct pf_err *err);
/* It was found and has another name in cur since. */
int md_index_moved(struct md_index *x, struct pf_span id, const char *name, struct pf_err *err);
void md_index_free(struct md_index *x);

/* keywords.c */
int md_keywords_read(const char *folder, struct md_keywords *kw, struct pf_err *err);
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

/* write.c */
struct md_writer {
	int fd;
	char tmp[MD_PATH_MAX];
	char name[128];
};
int md_begin(const char *folder, unsigned int serial, struct md_writer *w, struct pf_err *err);
int md_add(struct md_writer *w, struct pf_span bytes, struct pf_err *err);
/* Durable under its final name when this returns. */
int md_commit(struct md_writer *w, const char *folder, const char *info, int64_t date_utc_s,
	struct pf_err *err);
void md_abort(struct md_writer *w);
int md_make(const char *folder, struct pf_err *err); /* the directory with cur, new and tmp */

#endif
