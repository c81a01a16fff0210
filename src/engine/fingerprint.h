/*
 * Identity of a message: digests of its bytes.
 *
 * `exact` is over all octets: what a faithful target gives back. `canonical` is what is left equal
 * by a target that rewrites mail (adds or drops headers, folds them anew, changes line ends): From,
 * To, Cc, Date and Subject with white space collapsed, and the body with LF line ends and without
 * blank lines at its end. Canonical equality alone never makes two items one; the engine also wants
 * equal delivery dates.
 */
#ifndef PF_ENGINE_FINGERPRINT_H
#define PF_ENGINE_FINGERPRINT_H

#include "base/digest.h"

struct pf_fingerprint {
	struct pf_digest exact, canonical;
	struct pf_digest header; /* of canonical, without the body */
};

struct pf_fingerprinter;

/* `canonical`: compute that one as well. NULL when there is no memory. */
struct pf_fingerprinter *pf_fingerprinter_new(bool canonical);
void pf_fingerprinter_free(struct pf_fingerprinter **f);
/* The message in order, cut anywhere. */
void pf_fingerprinter_add(struct pf_fingerprinter *f, struct pf_span bytes);
/* The fingerprint of all that was added (canonical is zero when not asked for); ready for the next
 * one. */
void pf_fingerprinter_take(struct pf_fingerprinter *f, struct pf_fingerprint *out);

#endif
