/*
 * The items of one folder in memory while the engine works on it: what the ledger knows, brought up
 * to date by a listing. Compact: 200,000 rows are some 25 MB.
 */
#ifndef PF_ENGINE_ROWS_H
#define PF_ENGINE_ROWS_H

#include "base/arena.h"
#include "ledger/ledger.h"

enum pf_entry_bit {
	PF_ENTRY_LISTED = 1u << 0,  /* in the listing of this pass */
	PF_ENTRY_UNSAVED = 1u << 1, /* not in the ledger yet, or changed */
	PF_ENTRY_CONFIRM = 1u << 2, /* written in this pass: to be read back */
	PF_ENTRY_CONFIRMED = 1u << 3,
	PF_ENTRY_CARRY = 1u << 4,       /* its flags changed at the source */
	PF_ENTRY_BUSY = 1u << 5,        /* in a slot, or waiting to be tried again */
	PF_ENTRY_GONE = 1u << 6,        /* the source no longer has it */
	PF_ENTRY_FLAGS_LATER = 1u << 7, /* stored without its flags: to be set by FLAGS */
	PF_ENTRY_MISSING = 1u << 8,     /* asked for and not returned */
	PF_ENTRY_FRAGILE =
		1u << 10,           /* targets are known to alter its kind: it is read back whole */
	PF_ENTRY_DEEP = 1u << 9,    /* to be read on both sides and compared */
	PF_ENTRY_PIECED = 1u << 11, /* the source gave it in parts only */
	PF_ENTRY_SINGLY = 1u << 12, /* its flags were refused together: they go one by one */
	PF_ENTRY_NAMELESS = 1u << 13, /* ended badly, and what it is was not seen */
	PF_ENTRY_PUT_OFF = 1u << 14,  /* in doubt, and the target only wanted patience */
};

/* Flags of an entry as they are to be and as they were carried before. */
struct pf_entry {
	struct pf_span src_id, dst_id;  /* in the arena */
	struct pf_span kw, new_kw;      /* carried; listed now (with CARRY) */
	struct pf_span note;            /* how it arrived, if not as it was */
	const struct pf_digest *digest; /* of the source's bytes; NULL = not known */
	uint64_t size;
	uint64_t same; /* of what is in other folders as well, as listed; 0 = none */
	int64_t date_utc_s;
	uint32_t seq;
	uint16_t bits;
	int16_t zone_min;
	uint8_t sys, new_sys;
	uint8_t state, verdict;
	uint8_t attempts;
	uint8_t remade; /* times it was planned again after the target lost it */
};

struct pf_rows {
	struct pf_entry *v;
	size_t n, cap;
	size_t *by_src, *by_dst; /* sorted indexes into v */
	size_t by_src_n, by_dst_n;
	size_t scan; /* where the last lookup ended: listings mostly come in the order of the rows
		      */
	struct pf_arena arena;
	struct pf_span last_kw; /* keyword lists repeat: the last one is shared */
	uint32_t max_seq;
};

void pf_rows_init(struct pf_rows *r);
void pf_rows_deinit(struct pf_rows *r);

/* Read the folder's rows from the ledger. */
PF_MUST_CHECK int pf_rows_load(struct pf_rows *r, struct pf_ledger *led, int64_t account,
	int64_t folder, struct pf_err *err);
/* A new row for a listed item, at the end; *out stays valid until the next add. */
PF_MUST_CHECK int pf_rows_add(
	struct pf_rows *r, const struct pf_item *item, struct pf_entry **out, struct pf_err *err);
/* By the source's id, among those that were there at pf_rows_begin_listing; NULL: none. */
struct pf_entry *pf_rows_find(struct pf_rows *r, struct pf_span src_id);
/* By the target's id, among those that had one at pf_rows_index_dst. */
PF_MUST_CHECK int pf_rows_index_dst(struct pf_rows *r, struct pf_err *err);
struct pf_entry *pf_rows_find_dst(struct pf_rows *r, struct pf_span dst_id);

/* Copies into the folder's arena. PF_FAIL: no memory. */
PF_MUST_CHECK int pf_rows_set_dst(
	struct pf_rows *r, struct pf_entry *e, struct pf_span dst_id, struct pf_err *err);
PF_MUST_CHECK int pf_rows_set_digest(
	struct pf_rows *r, struct pf_entry *e, const struct pf_digest *digest, struct pf_err *err);
PF_MUST_CHECK int pf_rows_keywords(
	struct pf_rows *r, struct pf_span kw, struct pf_span *out, struct pf_err *err);

/* The target holds the item with these flags: what it should have is to be carried over. */
void pf_rows_stored_with(struct pf_entry *e, uint8_t sys, struct pf_span kw);

/* NULL: none. */
PF_MUST_CHECK int pf_rows_set_note(
	struct pf_rows *r, struct pf_entry *e, const char *note, struct pf_err *err);

/*
 * Write the whole row; `note` NULL: with the entry's own. While its flags are still to be set at
 * the target the row says that it has none there, so that a pass that is cut off leaves no doubt.
 */
PF_MUST_CHECK int pf_rows_save(struct pf_entry *e, struct pf_ledger *led, int64_t folder,
	const char *note, struct pf_err *err);

/* Before each listing: what is there now can be found by pf_rows_listed. */
PF_MUST_CHECK int pf_rows_begin_listing(struct pf_rows *r, struct pf_err *err);
/*
 * Take one row of a listing into account: a new item becomes a PLANNED entry, a known one is marked
 * as listed, and its flags are compared. *out is the entry.
 */
PF_MUST_CHECK int pf_rows_listed(
	struct pf_rows *r, const struct pf_item *item, struct pf_entry **out, struct pf_err *err);

#endif
