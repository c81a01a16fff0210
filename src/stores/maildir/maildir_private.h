/*
 * A Maildir++ account on disk: INBOX is the directory itself, a folder A/B the directory ".A.B" in
 * it, names in modified UTF-7 as IMAP servers write them.
 *
 * Line ends: files of mail servers mostly have LF, mail on the wire CRLF. A file whose first line
 * ends in a bare LF is given out with CRLF, as any IMAP server would; one that has CRLF is given
 * out as it is. What is stored is stored octet for octet.
 *
 *   store.c    operations and events
 *   scan.c     folders and messages on disk, names of files
 *   read.c     a message's bytes
 *   write.c    delivery: tmp, fsync, rename
 *   keywords.c the letters a to z of dovecot-keywords
 */
#ifndef PF_STORES_MAILDIR_MAILDIR_PRIVATE_H
#define PF_STORES_MAILDIR_MAILDIR_PRIVATE_H

#include "stores/store.h"

enum { MD_PATH_MAX = 4096, MD_KEYWORDS = 26, MD_CHUNK = 128 * 1024 };

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
/* The file of `id`, below the folder; NULL: there is none. `path` gets the whole path. */
bool md_find(const char *folder, struct pf_span id, char path[MD_PATH_MAX], struct pf_err *err);
/* Flags in the info part of a file name. */
int md_flags(const char *file, const struct md_keywords *kw, struct pf_buf *words, uint32_t *sys,
	struct pf_err *err);
/* ":2,FS" for these flags; keywords without a letter are left out. */
void md_info(const struct pf_flags *flags, const struct md_keywords *kw, char out[64]);

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
