/*
 * What a message's own header tells about it: is it to be skipped, is it to be read back whole?
 */
#ifndef PF_ENGINE_INSPECT_H
#define PF_ENGINE_INSPECT_H

#include "engine/rules.h"

/* Whether --skip-subjects names its (decoded) subject; then `why` says so. */
bool pf_skip_subject(const struct pf_rules *r, struct pf_span message, char *why, size_t size);

/*
 * Whether it is of a kind that some servers alter without a word and without another size: 8-bit
 * octets in the header (Cyrus puts an X for each by default), NULs (Dovecot puts 0x80 for each).
 */
bool pf_is_fragile(struct pf_span message);

#endif
