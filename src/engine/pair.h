/*
 * Which item of the source is which item of the target: pure pairing of two lists, one to one, so
 * that identical copies stay as many as they were.
 */
#ifndef PF_ENGINE_PAIR_H
#define PF_ENGINE_PAIR_H

#include "engine/fingerprint.h"

#include <stdint.h>

/* An item of either side that has no counterpart yet. */
struct pf_pair_item {
	uint64_t size;
	int64_t date_utc_s;
	struct pf_fingerprint print;
	struct pf_digest repaired; /* of the source: of what was sent if the target had refused it
				      (repair.h) */
	uint64_t repaired_size;
	struct pf_digest key; /* that it is paired by just now, when `keyed` */
	size_t index;         /* the caller's */
	size_t mate;          /* index in the other list's `index` terms; SIZE_MAX = none */
	uint64_t flags_key; /* of its flags, as far as the target can have them: of identical items
			       those with equal ones are paired if they can be */
	unsigned int rank;  /* of equal ones those of lower rank are paired first */
	bool candidate;     /* some item of the other side could be it */
	bool known;         /* `print` is filled: exact always, canonical where has_canonical */
	bool has_canonical;
	bool has_repaired;
	bool keyed;
	bool rival;        /* of the source: not looked for itself, but it may be what is found */
	bool asked;        /* its bytes are on the way, or can't be had */
	uint8_t refusals;  /* times that it was asked for and refused: the caller's */
	bool odd_date;     /* of the source: the target may have been given another one */
	bool counted;      /* no date tells it from others of its form: set by pf_pair_match */
	bool by_canonical; /* paired by that one: the target holds it in a rewritten form */
	bool by_repair;    /* paired by that one: the target holds it repaired */
};

struct pf_pairing {
	struct pf_pair_item *source, *target; /* owned by the caller; order is changed */
	size_t sources, targets;
	bool sizes_are_exact; /* on both sides */
	bool dates_are_kept;  /* by the target */
	bool bytes_are_kept;  /* by the target */
	/* The target's list has only what came since a moment known before the items of a rank
	 * below this one were put, in the order in which they were: 0 = no such moment. */
	unsigned int ordered_below;
};

/*
 * Mark the candidates: those that have one of equal size or equal date on the other side; all, when
 * neither sizes nor dates of what the target holds can be relied on. What is no candidate need not
 * be read. A rival makes no candidates, and is one itself if one of equal date is looked for.
 */
void pf_pair_candidates(struct pf_pairing *p);
/*
 * Pair known items: first by exact fingerprint (equal dates preferred among identical ones, and
 * equal flags among those of one date), then
 * by that of what a refused item became by repair, then by the canonical one. Sets mate on both
 * sides, and by what it was found.
 *
 * Distinct items may have one canonical form, so it does not suffice alone: the dates must be equal
 * as well. Where the target keeps no dates, or an item has none, the items of one form are paired
 * in their order, as many as there are, if that can't take one for another: they are identical at
 * the source, or all of them are at the target, or they came in the order in which they were put.
 */
void pf_pair_match(struct pf_pairing *p);

#endif
