/*
 * An owned, growing run of bytes with a ceiling that its maker chose.
 */
#ifndef PF_BASE_BUF_H
#define PF_BASE_BUF_H

#include "base/err.h"
#include "base/span.h"

struct pf_buf {
	uint8_t *p;
	size_t n, cap;
	size_t max; /* never grows past this; 0 = no room at all */
};

/* An empty buffer that may grow to `max` bytes. No allocation yet. */
void pf_buf_init(struct pf_buf *b, size_t max);
void pf_buf_deinit(struct pf_buf *b);

/* Room for `n` more bytes behind the content. PF_FAIL (scope RUN): past the ceiling, or no memory.
 */
PF_MUST_CHECK int pf_buf_reserve(struct pf_buf *b, size_t n, struct pf_err *err);

PF_MUST_CHECK int pf_buf_add(struct pf_buf *b, struct pf_span bytes, struct pf_err *err);
PF_MUST_CHECK int pf_buf_add_str(struct pf_buf *b, const char *s, struct pf_err *err);
PF_MUST_CHECK int pf_buf_addf(struct pf_buf *b, struct pf_err *err, const char *fmt, ...)
	PF_PRINTF(3, 4);

/* Drop the first `n` bytes; what is behind moves to the front. */
void pf_buf_consume(struct pf_buf *b, size_t n);
/* Forget the content, keep the memory. */
void pf_buf_clear(struct pf_buf *b);

/* NUL behind the content (not counted), for the few C interfaces that need one. */
PF_MUST_CHECK int pf_buf_cstr(struct pf_buf *b, const char **out, struct pf_err *err);

static inline struct pf_span pf_buf_span(const struct pf_buf *b)
{
	return pf_span(b->p, b->n);
}

#endif
