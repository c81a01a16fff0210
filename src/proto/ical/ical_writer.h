/*
 * An item being written: shared by ical_write.c (what is written), ical_repair.c (lines that
 * standards or servers do not take as they are) and ical_repair_time.c (the same of times).
 */
#ifndef PF_PROTO_ICAL_ICAL_WRITER_H
#define PF_PROTO_ICAL_ICAL_WRITER_H

#include "proto/ical/ical_private.h"

struct ical_writer {
	const struct pf_ical_edit *edit;
	const struct pf_ical_piece *pieces;
	size_t n;
	struct pf_buf *out, *changes;
	struct pf_err *err;
	int rc;                   /* the first failure is kept */
	struct pf_span added[16]; /* TZIDs whose zones were missing */
	size_t added_n;
};

/* ---- ical_write.c ---- */
void ical_put_line(struct ical_writer *w, const char *head, struct pf_span value);
/* The line with other parameters or another value. */
void ical_put_changed(struct ical_writer *w, const struct pf_line *l, struct pf_span params,
	struct pf_span value);
/* A repair, told once however often it was made. */
void ical_changed(struct ical_writer *w, const char *what);

/* ---- ical_singles.c ---- */
/* A line of a series that is written as a single event. true: it was dealt with. */
bool ical_put_single(struct ical_writer *w, struct pf_ical *c, int comp, const struct pf_line *l);

/* ---- ical_repair.c ---- */
/* true: the line was dealt with. */
bool ical_repair_line(struct ical_writer *w, struct pf_ical *c, int comp, const struct pf_line *l);
/* A line under another name; what was done, in words. */
void ical_put_aside(struct ical_writer *w, const struct pf_line *l, const char *why);
bool ical_is_blank(const struct pf_line *l);
bool ical_is_one_of(struct pf_span name, const char *const *names, size_t n);

/* ---- ical_repair_time.c ---- */
/* Times, lengths and rules. true: the line was dealt with. */
bool ical_repair_time(struct ical_writer *w, struct pf_ical *c, int comp, const struct pf_line *l);
/* An alarm at a time, not so long before: it must be said (RFC 5545 section 3.8.6.3). */
bool ical_put_trigger(struct ical_writer *w, struct pf_ical *c, const struct pf_line *l);
/* What lasts no time at all gets a second, or the day: some servers take nothing shorter. */
bool ical_is_empty_span(struct pf_ical *c, int comp);
/* The end of such a one: before the beginning, or not to be read, it stays under another name. */
void ical_put_short(struct ical_writer *w, struct pf_ical *c, int comp, const struct pf_line *l);
void ical_put_least(struct ical_writer *w, struct pf_ical *c, int comp);
bool ical_has_stamp(struct pf_ical *c, int comp);
void ical_put_stamp(struct ical_writer *w, struct pf_ical *c, int comp);

/* ---- ical_repair.c ---- */
/* RDATE;VALUE=PERIOD, and "begin/end" or "begin/duration" in it (RFC 5545 section 3.3.9). */
bool ical_has_periods(const struct pf_line *l);
bool ical_split_period(struct pf_span period, struct pf_span *begin, struct pf_span *end);
/* A value with the parameters of another line, but for those named (blanks between), and these
 * behind `name`. */
void ical_put_as(struct ical_writer *w, const struct pf_line *l, const char *name,
	const char *without, struct pf_span value);

#endif
