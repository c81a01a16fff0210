/*
 * Tables of comma-separated values as administrators have them (RFC 4180 and what programs make of
 * it): UTF-8 with or without a mark, UTF-16 with one; separated by commas, semicolons or tabs;
 * lines ended by CRLF, CR or LF; cells in quotes or not. A quote in the midst of a cell that does
 * not begin with one is a character as any other. No I/O.
 */
#ifndef PF_PLAN_CSV_H
#define PF_PLAN_CSV_H

#include "base/buf.h"

enum { PF_CSV_COLUMNS_MAX = 64 };

/*
 * The text as UTF-8 without its mark, into `out`. PF_FAIL (scope RUN): it is no text of these
 * encodings; says where, and how to save it.
 */
PF_MUST_CHECK int pf_csv_decode(struct pf_span raw, struct pf_buf *out, struct pf_err *err);

struct pf_csv {
	char *text;
	size_t n, at;
	size_t row; /* of the last record, as a spreadsheet counts: the header is 1 */
	char separator;
};

/*
 * `text` is decoded, is written to (cells are unquoted where they lie), and has a NUL behind its
 * `n` bytes. The separator is found by the first record, or by a line "sep=;" before it.
 */
void pf_csv_begin(struct pf_csv *c, char *text, size_t n);

struct pf_csv_row {
	size_t row, n;
	char *cell[PF_CSV_COLUMNS_MAX]; /* each ended by a NUL; they lie in the text */
};

/*
 * PF_OK: the next record that is not blank. PF_END. PF_FAIL (scope RUN): a quote without its
 * partner, or more columns than PF_CSV_COLUMNS_MAX; the text names row and column. The reading
 * can't go on after that.
 */
PF_MUST_CHECK int pf_csv_next(struct pf_csv *c, struct pf_csv_row *out, struct pf_err *err);

#endif
