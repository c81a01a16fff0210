/*
 * Folders as the answers of a server add up: LIST, LSUB and STATUS each tell a part, by raw name.
 */
#ifndef PF_STORES_IMAP_FOUND_H
#define PF_STORES_IMAP_FOUND_H

#include "base/buf.h"

struct found {
	struct pf_buf name; /* raw */
	uint32_t attrs;
	char delimiter;
	bool listed, subscribed, has_status;
	bool there; /* STATUS was answered, or may be another time */
	uint64_t messages, uidnext, uidvalidity, modseq;
	uint32_t status_has;
};

/* In the order of their first mention. */
struct founds {
	struct found *v;
	size_t n, cap;
	size_t *slots; /* of a hash table: index into v + 1; 0 = free */
	size_t slot_count;
};

/* The folder of this name, INBOX in any case being one (RFC 9051 section 5.1); a fresh one when it
 * was not mentioned before. Valid until the next call. NULL: no memory, or a name that is too long.
 */
struct found *founds_get(struct founds *l, struct pf_span name, struct pf_err *err);
void founds_free(struct founds *l);

#endif
