#ifndef PF_PROTO_MBOX_MBOX_PRIVATE_H
#define PF_PROTO_MBOX_MBOX_PRIVATE_H

#include "proto/mbox/mbox.h"

enum { MBOX_PREFIX = 4096 };

/* ---- line.c ---- */

struct mbox_lines {
	struct pf_mbox_src *src;
	uint64_t at; /* of window[0] */
	size_t n;
	bool all; /* the source ends with the window */
	uint8_t window[PF_MBOX_CHUNK], head[MBOX_PREFIX];
};

struct mbox_line {
	uint64_t at, end;    /* end: behind its line end */
	struct pf_span text; /* its first MBOX_PREFIX octets at the most; until the next call */
	unsigned int eol;    /* octets of the line end: 0 (the source ends), 1 or 2 */
};

/* The line at `at`. PF_END: the source has no more. */
int mbox_line(struct mbox_lines *l, uint64_t at, struct mbox_line *out, struct pf_err *err);

/* ---- from.c ---- */

/* "From SENDER DATE": the date; false when there is none in it. */
bool mbox_from_date(struct pf_span line, int64_t *utc_s);
bool mbox_is_from(struct pf_span line);
bool mbox_is_ours(struct pf_span line); /* as mbox_from_write has it */
/* The beginning of a "From " line of ours, that was not written to its end. */
bool mbox_is_torn_from(const struct mbox_line *line);
int mbox_from_write(int64_t utc_s, struct pf_buf *out, struct pf_err *err);

/* ---- scan.c ---- */

enum { MBOX_NOTES = 4 };
extern const char *const mbox_notes[MBOX_NOTES]; /* "Status: ", ... in their order */

#endif
