/*
 * The root of a Merkle tree over an account's fingerprints: a statement that someone who trusts
 * neither side can check later with the messages in hand.
 *
 * Leaves are SHA-256(0x00 || fingerprint), sorted; a node is SHA-256(0x01 || left || right); the
 * last of an odd row goes up as it is (RFC 6962 section 2.1 in form). No leaf: 32 zero bytes.
 */
#ifndef PF_ENGINE_MERKLE_H
#define PF_ENGINE_MERKLE_H

#include "base/digest.h"

/* `prints` is changed: it is sorted and used as room. PF_FAIL: no memory. */
PF_MUST_CHECK int pf_merkle_root(
	struct pf_digest *prints, size_t n, struct pf_digest *out, struct pf_err *err);

#endif
