/*
 * What is marked on a message: IMAP's system flags (RFC 9051 section 2.3.2) and keywords.
 */
#ifndef PF_MODEL_FLAGS_H
#define PF_MODEL_FLAGS_H

#include "base/buf.h"

enum pf_flag {
	PF_FLAG_SEEN = 1u << 0,
	PF_FLAG_ANSWERED = 1u << 1,
	PF_FLAG_FLAGGED = 1u << 2,
	PF_FLAG_DELETED = 1u << 3,
	PF_FLAG_DRAFT = 1u << 4,
	PF_FLAGS_ALL = (1u << 5) - 1,
};

/*
 * `kw` is the canonical list of keywords: separated by one blank, sorted and unique without regard
 * to ASCII case, each in the case it was first seen in. Never \Recent, nor any other word with a
 * backslash.
 */
struct pf_flags {
	uint32_t sys;
	struct pf_span kw; /* borrowed */
};

bool pf_flags_eq(const struct pf_flags *a, const struct pf_flags *b);

/* The bit of a system flag ("\Seen", any case); 0 for any other word. */
uint32_t pf_flag_bit(struct pf_span word);
/* Its name with the backslash, for one bit. */
const char *pf_flag_name(uint32_t bit);

/* Put `word` at its place in the canonical list in `kw`; a word that is there already is no error.
 */
PF_MUST_CHECK int pf_keywords_add(struct pf_buf *kw, struct pf_span word, struct pf_err *err);
/* Take the next keyword off the front of `*list`; false at the end. */
bool pf_keywords_next(struct pf_span *list, struct pf_span *word);
bool pf_keywords_has(struct pf_span list, struct pf_span word);
/* A number that equal flags have in common, in whatever case the keywords come. */
uint64_t pf_flags_key(const struct pf_flags *flags);

#endif
