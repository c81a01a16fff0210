/*
 * A file name for bytes from outside, which any file system takes and a person can read.
 */
#ifndef PF_ENGINE_SAFE_NAME_H
#define PF_ENGINE_SAFE_NAME_H

#include "base/span.h"

enum { PF_SAFE_NAME_MAX = 200 };

/*
 * Valid UTF-8 of 1 to PF_SAFE_NAME_MAX bytes and a NUL: no character that some file system
 * reserves, no dot or blank at either end, no name of a device (CON, NUL, ...), nothing that ends
 * in .eml, .json or .part. Names without any of these stay as they are; others get '~' and eight
 * digits of their digest behind them, so that two different ones never become one.
 */
void pf_safe_name(struct pf_span raw, char out[PF_SAFE_NAME_MAX + 1]);

#endif
