/*
 * One number for all that a parser gave out, to compare two runs by.
 */
#ifndef PF_FUZZ_SUM_H
#define PF_FUZZ_SUM_H

#include "base/defs.h"
#include "base/span.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static inline void sum_byte(uint64_t *sum, uint8_t b)
{
	*sum = (*sum ^ b) * 1099511628211u;
}

static inline void sum_number(uint64_t *sum, uint64_t n)
{
	for (int i = 0; i < 64; i += 8) {
		sum_byte(sum, (uint8_t)(n >> i));
	}
}

/* Reads all of `s`, so that a sanitizer sees a span that is too long. Absent is not empty. */
static inline void sum_span(uint64_t *sum, struct pf_span s)
{
	sum_number(sum, s.p ? s.n : UINT64_MAX);
	for (size_t i = 0; s.p && i < s.n; i++) {
		sum_byte(sum, s.p[i]);
	}
}

#endif
