/*
 * Numbers as text, for what happens with each message: printf costs more there than all else that
 * is said of it.
 */
#ifndef PF_BASE_DECIMAL_H
#define PF_BASE_DECIMAL_H

#include <stddef.h>
#include <stdint.h>

enum { PF_DECIMAL_MAX = 20 };

/* The digits of `n`, without a NUL; how many. */
size_t pf_decimal(uint64_t n, char out[PF_DECIMAL_MAX]);

#endif
