/*
 * Which items a calendar or address book is made of, when identifiers lie (KB886948): a pure
 * function of all parts of one folder, of what the ledger knows and of what the target holds.
 *
 * Parts of one UID become items: each master with the overrides of its own document; an override
 * from elsewhere joins the master whose recurrence has its instance; overrides without any master
 * are one item; one that fits nowhere stands alone. Instances that a server made objects of are in
 * their series, when they say no more than it does. Every item stays, copies as well. One of those
 * that share a UID keeps it, the holder; the others get UIDs that follow from their place, so that
 * later passes and runs without a ledger find the same ones.
 *
 *     new(in) -> probes: does this override fit that master? -> plan() -> items
 */
#ifndef PF_ENGINE_IDENTITY_H
#define PF_ENGINE_IDENTITY_H

#include "base/arena.h"
#include "base/digest.h"
#include "model/item.h"

/* What an item comes to mean when a target takes it repaired only: repairs are the same in every
 * run, so that an item is known again by them. Borrowed. */
struct pf_id_forms {
	const struct pf_digest *at;
	size_t n;
};

/* What stays of a part when its document is closed. */
struct pf_id_part {
	struct pf_span skey; /* id of its document at the source; parts of one have equal ones */
	struct pf_span uid;  /* absent: none */
	struct pf_span organizer;
	struct pf_digest meaning; /* of this part alone */
	struct pf_digest whole;   /* of all parts of its UID in its document together */
	struct pf_digest says;    /* as pf_component has it */
	struct pf_id_forms meaning_forms, whole_forms; /* of both */
	int64_t rid_utc_s;
	int64_t created_utc_s, modified_utc_s, stamp_utc_s; /* PF_DATE_NONE: not said */
	uint64_t summary;                                   /* a hash of it */
	uint32_t ordinal;                                   /* its place in the document */
	uint32_t attendees, sequence;
	int32_t day_s; /* seconds of the day on the wall at which it begins; -1: all day, or none */
	enum pf_kind kind;
	bool is_override, and_future, rid_is_date, expanded, recurs, has_organizer, rekeyed;
	bool uid_made; /* its UID follows from its place at the source, and is nowhere else */
};

/* A row of the ledger: an item of an earlier pass. */
struct pf_id_row {
	struct pf_span key;     /* as pf_id_item.key */
	struct pf_span dst_uid; /* what it has at the target */
	bool placed;            /* it is known which of the target's items it is */
};

/* An item of the target that no row accounts for. */
struct pf_id_foreign {
	struct pf_span uid; /* absent: it has none of its own */
	struct pf_digest whole;
	const struct pf_digest *meant; /* before the target altered it; NULL: nobody says so */
};

struct pf_identity_in {
	const struct pf_id_part *parts;
	size_t part_count;
	const struct pf_id_row *rows;
	size_t row_count;
	const struct pf_id_foreign *foreign;
	size_t foreign_count;
	struct pf_span store, folder; /* identities of the source's, for new UIDs */
	bool stable_keys; /* skeys mean the same document in every pass; else meaning and rank do */
	bool unique;      /* the target wants UIDs to be unique */
	bool merge;       /* --duplicates merge: equal items of one UID become one */
};

/* An override that has no master in its own document, or what is expanded, and a master that could
 * be its. */
struct pf_id_probe {
	size_t override, master; /* indexes into the parts */
	bool fits; /* to be set: the master's recurrence set has the instance; of what is expanded:
		      it yields just this */
};

enum pf_id_note {
	PF_ID_REKEYED = 1u << 0,     /* another item keeps the UID that it had */
	PF_ID_MADE = 1u << 1,        /* it had no UID */
	PF_ID_JOINED = 1u << 2,      /* overrides of other documents were joined to it */
	PF_ID_AMBIGUOUS = 1u << 3,   /* one of them would have fitted another master as well */
	PF_ID_ALONE = 1u << 4,       /* an override that fits no master, made an item of its own */
	PF_ID_NO_MASTER = 1u << 5,   /* overrides only: its owner was invited to single instances */
	PF_ID_MERGED_PART = 1u << 6, /* an equal override of one instance was there twice */
	PF_ID_YIELDS = 1u << 7,      /* what was expanded of it says no more than it does */
};

struct pf_id_item {
	size_t *parts; /* indexes; the master first */
	size_t part_count;
	size_t merged_parts;      /* equal overrides that are in it once, and what was expanded
				     of it: not among `parts` */
	struct pf_span key;       /* of its row: skey NUL uid, NUL more where that is not enough */
	struct pf_span uid;       /* at the target */
	struct pf_span spare_uid; /* to be taken when `uid` turns out to be held by another item */
	size_t row;               /* SIZE_MAX: new */
	size_t foreign; /* the target's item that holds `uid` and means the same; SIZE_MAX */
	size_t holder;  /* the target's item that holds `uid`, to be compared when this one is
			   composed; SIZE_MAX */
	size_t same_as; /* the item that it was merged into; SIZE_MAX */
	bool whole_known;
	struct pf_digest whole; /* of all its parts, when they are all of one document */
	struct pf_id_forms forms;
	uint32_t notes;
};

struct pf_identity;

/* Whether the item is known to mean this, as it is or in one of its forms. */
bool pf_id_means(const struct pf_id_item *x, const struct pf_digest *whole);
/* `in` is borrowed until free. PF_FAIL: no memory. */
PF_MUST_CHECK int pf_identity_new(
	const struct pf_identity_in *in, struct pf_identity **out, struct pf_err *err);
void pf_identity_free(struct pf_identity **id);
/* To be answered before plan(); they lie together by master. */
struct pf_id_probe *pf_identity_probes(struct pf_identity *id, size_t *count);
PF_MUST_CHECK int pf_identity_plan(struct pf_identity *id, struct pf_err *err);
/* In the order of UIDs; the holder before the others. */
const struct pf_id_item *pf_identity_items(const struct pf_identity *id, size_t *count);

#endif
