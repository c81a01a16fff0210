/*
 * Mailboxes in one file: mboxo, mboxrd, mboxcl and mboxcl2 are read, mboxrd is written. No I/O: the
 * bytes come from a source that reads anywhere.
 *
 * A message begins with a line "From SENDER DATE" and ends before the next of them, less the blank
 * line between. Where a Content-Length leads to such a place exactly, it is believed. What other
 * programs note in the header of a message (Status, X-Status, X-Keywords, X-UID, X-Mozilla-Status,
 * ...) is about it and no part of it.
 *
 * What we write begins with four lines of our own, in this order, that tell the flags and the
 *number of octets; they alone are not the message's:
 *
 *	From MAILER-DAEMON Sat Nov 14 10:00:00 2026
 *	Status: RO
 *	X-Status: AF
 *	X-Keywords: $Forwarded
 *	X-Postferry-Octets: 1234
 *
 * So a message comes back octet for octet, whatever headers it has, and one that was not written to
 * its end is known as such. Lines end in LF, and are given out with CRLF; a message that has other
 * line ends as well is written as it is, which is told by the CRLF of its "From " line.
 *
 *   scan.c    where messages begin and end, flags and dates
 *   line.c    lines of a source
 *   from.c    the "From " line
 *   decode.c  the bytes of a message
 *   encode.c  and the way back
 */
#ifndef PF_PROTO_MBOX_MBOX_H
#define PF_PROTO_MBOX_MBOX_H

#include "base/buf.h"

enum { PF_MBOX_CHUNK = 64 * 1024, PF_MBOX_CUTS_MAX = 24, PF_MBOX_KEYWORDS_MAX = 1000 };

/* Octets that can be read anywhere. */
struct pf_mbox_src {
	/* *got is less than `n` only where the octets end. */
	int (*read_at)(struct pf_mbox_src *src, uint64_t at, uint8_t *into, size_t n, size_t *got,
		struct pf_err *err);
};

enum pf_mbox_mark {
	PF_MBOX_SEEN = 1u << 0,
	PF_MBOX_ANSWERED = 1u << 1,
	PF_MBOX_FLAGGED = 1u << 2,
	PF_MBOX_DELETED = 1u << 3,
	PF_MBOX_DRAFT = 1u << 4,
};

/* Where a message is, as offsets in the source, and what the mailbox says of it. */
struct pf_mbox_msg {
	uint64_t from;  /* its "From " line */
	uint64_t notes; /* behind that line */
	uint64_t begin; /* behind our lines as well */
	uint64_t body;  /* behind the blank line that ends its header */
	uint64_t end;
	bool ours;
	bool as_it_is; /* given out with the line ends that it has; else with CRLF */
	enum { PF_MBOX_UNQUOTE_NONE, PF_MBOX_UNQUOTE_BODY, PF_MBOX_UNQUOTE_ALL } unquote;
	bool has_date;
	int64_t date_utc_s;
	uint32_t marks;
	char keywords[PF_MBOX_KEYWORDS_MAX]; /* as they stand there */
	struct {
		uint64_t from, to;
	} cut[PF_MBOX_CUTS_MAX]; /* no part of the message */
	size_t cuts;
};

struct pf_mbox;

/* `src` must outlive it. NULL: no memory. */
struct pf_mbox *pf_mbox_new(struct pf_mbox_src *src);
void pf_mbox_free(struct pf_mbox **m);
/*
 * The next message. PF_END: there are no more. PF_FAIL: the source can't be read, or (scope FOLDER)
 * it does not begin with a "From " line.
 */
PF_MUST_CHECK int pf_mbox_next(struct pf_mbox *m, struct pf_mbox_msg *out, struct pf_err *err);
/* Go on with what lies at `from`, a message that an earlier pf_mbox_next told, say. */
void pf_mbox_seek(struct pf_mbox *m, uint64_t from);
/*
 * After PF_END: the octets that are whole messages. What lies behind them is a message of ours that
 * was not written to its end.
 */
uint64_t pf_mbox_whole(const struct pf_mbox *m);

/* ---- the bytes of a message ---- */

struct pf_mbox_body {
	struct pf_mbox_src *src;
	const struct pf_mbox_msg *msg;
	uint64_t at, end;
	size_t cut;
	bool line_start, quoted, last_cr;
	size_t matched; /* of "From " */
	uint8_t in[PF_MBOX_CHUNK];
};

/* `header`: only the header section. Both must outlive it. */
void pf_mbox_open(struct pf_mbox_body *b, struct pf_mbox_src *src, const struct pf_mbox_msg *msg,
	bool header);
enum { PF_MBOX_OUT = 2 * PF_MBOX_CHUNK + 16 };
/* The next octets, at most PF_MBOX_OUT; *n 0: the end. */
PF_MUST_CHECK int pf_mbox_read(struct pf_mbox_body *b, uint8_t *out, size_t *n, struct pf_err *err);

/* ---- writing ---- */

struct pf_mbox_sink {
	int (*write)(struct pf_mbox_sink *s, struct pf_span bytes, struct pf_err *err);
};

/* What is to stand in front of a message. */
struct pf_mbox_note {
	int64_t date_utc_s; /* of the years 0 to 9999 */
	uint32_t marks;
	struct pf_span keywords;
};

/* Write the message that `src` has, with its "From " line and the blank line behind it. */
PF_MUST_CHECK int pf_mbox_write(struct pf_mbox_src *src, const struct pf_mbox_note *note,
	struct pf_mbox_sink *to, struct pf_err *err);
/*
 * The lines from "Status" on that stand in front of a message of ours at `msg`, with other marks.
 * They have as many octets as before, unless the keywords are many more.
 */
PF_MUST_CHECK int pf_mbox_notes(const struct pf_mbox_msg *msg, uint32_t marks,
	struct pf_span keywords, struct pf_buf *out, struct pf_err *err);

/* Whether a file that begins with these bytes is a mailbox; an empty one is. */
bool pf_mbox_is(struct pf_span start);

#endif
