/*
 * Operations that own what they point to, for stores that queue them.
 */
#ifndef PF_STORES_OP_H
#define PF_STORES_OP_H

#include "stores/store.h"

/* Whether it would change the account: a source is given no such operation. */
bool pf_op_writes(enum pf_op_kind kind);

struct pf_op_kept {
	struct pf_op op; /* points into the rest of this, which therefore must stay where it is */
	struct pf_path path;
	struct pf_folder_looks looks;
	uint8_t *bytes; /* of all spans, a NUL behind each */
};

/* All that `op` points to is copied, and the body of a PUT, in both forms, gets a reference more.
 * PF_FAIL: no memory; pf_op_let_go is due then as well. */
PF_MUST_CHECK int pf_op_keep(struct pf_op_kept *k, const struct pf_op *op, struct pf_err *err);
void pf_op_let_go(struct pf_op_kept *k);

/*
 * The next event of a GET whose item is in memory: BODY, with which the reference in `*body` goes
 * to the caller, or a CHUNK of it; *given is how much was given out. PF_END: nothing is left.
 */
int pf_op_give(
	const struct pf_op *op, struct pf_blob **body, uint64_t *given, struct pf_store_event *out);

#endif
