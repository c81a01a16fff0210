/*
 * Shared by identity.c (which parts make an item) and identity_uid.c (which identifier it gets).
 */
#ifndef PF_ENGINE_IDENTITY_PRIVATE_H
#define PF_ENGINE_IDENTITY_PRIVATE_H

#include "base/buf.h"
#include "base/uuid.h"
#include "engine/identity.h"

/* A run of `order`: the parts of one UID. */
struct group {
	size_t first, end;
	size_t items_first, items_end;
};

struct pf_identity {
	const struct pf_identity_in *in;
	struct pf_arena arena;
	struct pf_span *uid; /* of each part: its own, or the one that was made for it */
	size_t *order;       /* parts by UID, document, place */
	struct group *groups;
	size_t group_count;
	struct pf_id_probe *probes;
	size_t probe_count, probe_cap;
	struct pf_id_item *items;
	size_t item_count, item_cap;
	size_t *rows, *foreign; /* by key and by UID */
	bool *taken;            /* foreign items that were adopted */
};

/* Names of a UID in their order, NULs between; the result lives in the arena; absent: no memory. */
struct pf_span identity_make_uid(struct pf_identity *id, const struct pf_span *names, size_t n);
/* Give every item of the group its key, its row and its UID. */
int identity_name_group(struct pf_identity *id, struct group *g, struct pf_err *err);
int identity_index(struct pf_identity *id, struct pf_err *err);

#endif
