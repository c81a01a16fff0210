/*
 * Lines being gathered for a canonical text: begun, filled piece by piece, dropped again when they
 * turn out to say nothing, and written in one order.
 */
#ifndef PF_PROTO_LINE_SAID_H
#define PF_PROTO_LINE_SAID_H

#include "base/buf.h"

enum { SAID_MAX = 256 << 20 };

struct said {
	struct pf_buf text; /* they lie one behind the other */
	size_t *at;         /* where each begins; one more for the end */
	size_t n, cap;
	struct pf_err *err;
	int rc; /* the first failure is kept: nothing is added after it */
};

void said_init(struct said *k, struct pf_err *err);
void said_deinit(struct said *k);
void said_begin(struct said *k);
void said_end(struct said *k);
void said_drop(struct said *k); /* the line that was begun last */
void said_put(struct said *k, struct pf_span s);
void said_text(struct said *k, const char *s);
void said_number(struct said *k, int64_t n);
void said_upper(struct said *k, struct pf_span s); /* ASCII */
/* By octets, the shorter first. */
int said_cmp(struct pf_span x, struct pf_span y);
/* Append the lines in order, each once, each ended by LF. */
PF_MUST_CHECK int said_write(struct said *k, struct pf_buf *out);

#endif
