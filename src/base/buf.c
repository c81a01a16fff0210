#include "base/buf.h"

#include <stdio.h>
#include <stdlib.h>

void pf_buf_init(struct pf_buf *b, size_t max)
{
	*b = (struct pf_buf){.max = max};
}

void pf_buf_deinit(struct pf_buf *b)
{
	free(b->p);
	*b = (struct pf_buf){.max = b->max};
}

enum { FIRST = 64 }; /* bytes that are taken at the least, where the ceiling is not lower */

int pf_buf_reserve(struct pf_buf *b, size_t n, struct pf_err *err)
{
	size_t cap = b->cap ? b->cap : b->max < FIRST ? b->max : FIRST;
	uint8_t *p;

	if (n <= b->cap - b->n) {
		return PF_OK;
	}
	if (n > b->max - b->n) {
		return pf_fail(err, PF_SCOPE_RUN, PF_RETRY_NO,
			"more than the %zu bytes set aside for this", b->max);
	}
	while (cap - b->n < n) {
		cap = cap > b->max / 2 ? b->max : cap * 2;
	}
	p = realloc(b->p, cap);
	if (!p) {
		return pf_fail_memory(err, "a buffer");
	}
	b->p = p;
	b->cap = cap;
	return PF_OK;
}

int pf_buf_add(struct pf_buf *b, struct pf_span bytes, struct pf_err *err)
{
	if (bytes.n == 0) {
		return PF_OK;
	}
	if (pf_buf_reserve(b, bytes.n, err) != PF_OK) {
		return PF_FAIL;
	}
	memcpy(b->p + b->n, bytes.p, bytes.n);
	b->n += bytes.n;
	return PF_OK;
}

int pf_buf_add_str(struct pf_buf *b, const char *s, struct pf_err *err)
{
	return pf_buf_add(b, pf_span_str(s), err);
}

int pf_buf_addf(struct pf_buf *b, struct pf_err *err, const char *fmt, ...)
{
	va_list ap, again;
	int n;
	int rc = PF_FAIL;

	va_start(ap, fmt);
	va_copy(again, ap);
	n = vsnprintf(NULL, 0, fmt, ap);
	if (n < 0) {
		(void)pf_fail_sys(err, PF_SCOPE_RUN, PF_RETRY_NO, "formatting a text");
	} else if (pf_buf_reserve(b, (size_t)n + 1, err) == PF_OK) {
		(void)vsnprintf((char *)b->p + b->n, (size_t)n + 1, fmt, again);
		b->n += (size_t)n;
		rc = PF_OK;
	}
	va_end(again);
	va_end(ap);
	return rc;
}

void pf_buf_consume(struct pf_buf *b, size_t n)
{
	pf_assert(n <= b->n);
	b->n -= n;
	if (n > 0 && b->n > 0) {
		memmove(b->p, b->p + n, b->n);
	}
}

void pf_buf_clear(struct pf_buf *b)
{
	b->n = 0;
}

int pf_buf_cstr(struct pf_buf *b, const char **out, struct pf_err *err)
{
	if (pf_buf_reserve(b, 1, err) != PF_OK) {
		return PF_FAIL;
	}
	b->p[b->n] = '\0';
	*out = (const char *)b->p;
	return PF_OK;
}
