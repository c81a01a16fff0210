/*
 * One folder of a job, from its listing to its end, and items in flight.
 *
 *   fold.c         the states below
 *   fold_list.c    listings of both sides
 *   fold_foreign.c  items of the target that no row accounts for
 *   fold_judge.c   ... compared with the ledger
 *   fold_pair.c    which items are at the target already, by fingerprint
 *   slot.c         items in flight
 *   fold_copy.c    from the source to the target: asking and putting
 *   fold_answer.c  ... and what both sides answer
 *   fold_receipt.c  no receipts because of a migration
 *   fold_refuse.c  what is done about an item that a side will not give or take
 *   fold_confirm.c the target read back
 *   fold_fleeting.c  folders whose ids don't hold
 *   fold_nameless.c  items whose ids the target did not tell
 *   fold_patience.c  a source that gives nothing of a folder
 *   fold_late.c    what the target stores when the link has ended
 *   fold_deep.c    items read on both sides and compared
 *   fold_flags.c   flags carried over
 *   fold_name.c    how items that did not arrive are named
 *   fold_nowhere.c items that no target takes
 *   fates.c        items that the source converts
 *   labels.c       sources whose folders are labels
 *   links.c        what is in several folders is asked for once
 *   mirror.c       what left the source
 *
 * Calendars and contacts have keyed_private.h besides.
 */
#ifndef PF_ENGINE_FOLD_PRIVATE_H
#define PF_ENGINE_FOLD_PRIVATE_H

#include "engine/job_private.h"

enum {
	SENT_BATCH = 256,      /* rows that become SENT together */
	TRIES_MAX = 6,         /* of an item that may pass, in one pass */
	RESTARTS_MAX = 3,      /* of a folder whose ids lost their meaning */
	DOUBTS_MAX = 3,        /* times that an item may be in doubt in one pass */
	LIST_TRIES_MAX = 4,    /* of a listing */
	SETTLE_ROUNDS_MAX = 5, /* of a folder whose items are in doubt, with nothing put between */
	PAIR_WINDOW = 256,     /* fingerprints being taken on each side */
};

/* Of an item that the target has not as the source has it; why. */
#define NATIVE_REFUSED "the target does not take it as the source has it: %.180s"

enum fold_state {
	FOLD_WAITING,
	FOLD_MAKING,  /* its folder at the target is being made */
	FOLD_LISTING, /* one or both sides */
	FOLD_PAIRING, /* fingerprints are being taken */
	FOLD_COPYING,
	FOLD_SETTLING,   /* the target is listed again: what became of those in doubt? */
	FOLD_CHECKING,   /* the source is listed again: are those that did not come still there? */
	FOLD_CONFIRMING, /* the target is read back */
	FOLD_CARRYING,   /* flags */
	FOLD_KEYED,      /* keyed.c has its states */
	FOLD_NOWHERE,    /* its items are only listed */
	FOLD_NAMING,     /* what are the items that did not arrive? */
	FOLD_OVER,
};

enum slot_state {
	SLOT_FREE,
	SLOT_GETTING,
	SLOT_READY,     /* whole, waits for its turn, a commit or the end of a pause */
	SLOT_STREAMING, /* a large one: chunks go from side to side */
	SLOT_PUTTING,
	SLOT_SWALLOWED, /* came as chunks when it could not be taken: asked for again */
};

/* How an item is offered to the target; each refusal goes on to the next that changes something. */
enum slot_try {
	TRY_GROUPED,
	TRY_ALONE,
	TRY_NO_KEYWORDS,
	TRY_NO_FLAGS,
	TRY_HEADER_DATE, /* these two: when its date is one that not every server can hold */
	TRY_NEAREST_DATE,
	TRY_REPAIRED,
	TRY_REPAIRED_DATED,
	TRY_NONE_LEFT,
};

struct pf_keyed;

struct pf_slot {
	enum slot_state state;
	enum slot_try form;
	struct pf_fold *fold;
	size_t entry; /* index of its row */
	struct pf_slot
		*next; /* in the order of the folder, until it is put; of those that are free */
	unsigned int generation; /* so that a late answer is not taken for that of the next item */
	struct pf_blob *body;
	struct pf_blob *original; /* what `body` was made of, when it was repaired */
	struct pf_blob *native;   /* the item in the source's own form, which the target has too */
	bool native_refused;      /* `why` tells */
	struct pf_digest digest;  /* of the source's bytes */
	struct pf_fingerprinter *printer; /* of a large one */
	uint64_t budget;                  /* bytes counted against the window */
	uint64_t need_commit;             /* may be put when this many commits are done */
	uint64_t fed, total;              /* of a large one */
	int64_t not_before_ms;            /* after a pause */
	bool large, got, aborted, put, weighed;
	bool link, link_first;  /* the target makes it of another; the first of the pass */
	uint64_t room;          /* bytes that it takes at the target, while it is put */
	unsigned int room_turn; /* see job_room.c */
	bool redated;           /* it goes with this date, and not with that of its row */
	int64_t date_utc_s;
	int zone_min;
	bool mdn_sent;       /* to be put with $MDNSent */
	bool converted;      /* the source has it in another form, and that was noted */
	const char *receipt; /* what was done about one, for the ledger; NULL: nothing */
	bool to_quarantine;  /* its bytes are wanted for the quarantine only */
	struct pf_quarantine_entry *entry_file;
	char why[400]; /* what the target said */
};

/* An item of the target that no row of the ledger accounts for. */
struct pf_foreign {
	struct pf_span id; /* in the folder's arena */
	uint64_t size;
	int64_t date_utc_s;
	struct pf_flags flags;
	const struct pf_digest *digest; /* known from before; else NULL */
	bool left; /* it is the copy of an item that left the source, which is row `left_row` */
	size_t left_row;
};

/* An item that left the source. Spans lie in the folder's gone_arena. */
struct pf_gone {
	struct pf_span dst_id, kw;
	struct pf_span version; /* removed only while the target has this one; absent: whatever */
	uint32_t seq;
	uint64_t size;
	int64_t date_utc_s;
	uint8_t sys;
	bool kept, ended; /* its bytes are in the list of removals; asked for and over */
	bool has_digest;
	struct pf_digest digest;
	struct pf_quarantine_entry *file; /* of a large one, while it comes */
};

struct pf_fold {
	struct pf_job *job;
	size_t index;
	enum fold_state state;
	struct pf_path src, dst;
	struct pf_path refused; /* the place that was meant for it, when the target refused it */
	bool settled;           /* an earlier pass gave it its place */
	struct pf_buf src_id, dst_id, old_cursor, new_cursor;
	enum pf_kind kind;
	enum pf_role role;
	char shown[256], shown_dst[256]; /* both paths */
	char note[200];                  /* why it has another name, or is left out */
	bool needs_making, needs_subscribing;
	bool shares_place; /* another folder of the source goes to the same one */
	bool selectable, subscribe, dst_exists, skipped, failed, unchanged, renamed;
	bool nowhere;           /* the target takes nothing of its kind */
	struct fold_away *away; /* its items then */
	size_t src_folder;      /* index in the source's list; SIZE_MAX: gone */
	unsigned int name_tries, names_refused, list_tries, settle_rounds, confirm_rounds;
	unsigned int flag_tries, pair_tries; /* refusals that may pass, in a row */
	unsigned int restarts;
	int64_t not_before_ms;

	/* the ledger's row */
	int64_t row_id;
	uint64_t src_validity, dst_validity, dst_mark;
	uint64_t open_before; /* rows without verdict, and in quarantine, when the pass began */
	uint64_t refused_before;
	uint64_t sums_items[PF_VERDICT_COUNT]; /* when the pass began */

	/* the target as it is listed */
	uint64_t dst_count, dst_next;
	uint32_t permitted_sys;
	bool permitted_known, permitted_any;
	struct pf_buf permitted_kw;
	struct pf_buf denied; /* flags and keywords that were told to be lost in this folder */

	struct pf_rows rows;
	struct pf_rows
		void_rows; /* of ids that lost their meaning: their fingerprints still serve */
	bool loaded;       /* rows has what the ledger knows */
	bool confirmed;    /* the listing that reads the target back was judged */
	bool src_done, dst_done, src_asked, dst_asked, dst_validity_new;
	bool relist_dst; /* the listing under way turned out to be too short */
	bool dst_lost;   /* its folder at the target is gone: it is made again */
	bool src_lost;   /* its folder at the source is gone */
	bool restart;    /* ids lost their meaning under way: back to the listings */
	bool src_unsure; /* no UIDVALIDITY: known ids must prove to be what they were ... */
	bool dst_unsure;
	bool src_moved; /* ... and did not */
	bool dst_moved;
	bool fleeting;          /* ids hold for one look at the folder only: see fold_fleeting.c */
	bool incomplete;        /* the source lists fewer items than it says there are */
	bool unfinished;        /* the next pass must look at all of it, whatever the cursor says */
	bool copied_through;    /* all of its items had their turn */
	bool link_waits;        /* its next item is another folder's to ask for */
	bool want_delta, delta; /* of the source's listing: asked for, got */
	uint64_t dst_from;      /* ids from here on are listed at the target */
	uint64_t dst_listed;    /* items that the target's listing gave */
	struct pf_foreign *foreign;
	size_t foreign_n, foreign_cap;
	size_t link_turn; /* its place in the order in which listings ended, from 1 on */
	size_t linking;   /* COPYs without answer, part of `putting`, ... */
	const struct pf_fold *link_owner; /* of items of this folder */
	struct pf_span *claimed; /* target ids that rows of other folders account for, sorted */
	size_t claimed_n;

	struct pf_gone *gone; /* to be removed from the target by --mirror */
	size_t gone_n, gone_cap, gone_next, keep_next;
	size_t gone_of; /* items that the ledger held for copied */
	struct pf_arena gone_arena;
	struct pf_pairing pairing;
	unsigned int pair_round;
	bool pair_anew;    /* behind the first listings; else it is about what came in this pass */
	bool pair_names;   /* only those are looked for whose ids the target did not tell */
	bool names_sought; /* that was done for the items that were put last */
	struct pf_fingerprinter **pair_printers[2];
	size_t pair_next[2], pair_open[2];

	struct pf_slot *first, *last;  /* got or being got, in order */
	size_t next_entry;             /* to be asked for */
	size_t slots;                  /* in use by this folder */
	size_t putting;                /* PUTs without answer */
	bool may_ask;                  /* it is one of those that share the window */
	bool asking;                   /* its share was half empty, and was not full since */
	bool probing;                  /* one item was asked for behind the last of its pauses */
	bool ids_wrong, ids_forgotten; /* those that the target told: see fold_confirm.c */
	size_t puts_open;              /* put since the last FLUSH and not answered */
	uint64_t bytes_open;           /* budget of its slots */
	size_t doubts, missing;        /* items whose end must be found out */
	bool put_some;                 /* since the last look at what became of those */
	bool solo;                     /* one of the PUTs must be alone */
	bool late_anew;                /* ... of an earlier pass */
	bool late;                     /* some may yet arrive: see fold_late.c */
	unsigned int strangers;        /* found under the id of another item */
	unsigned int late_looks;       /* at the target, for what came late */
	int64_t doubt_ms;              /* when the last item came to be in doubt */
	int64_t dst_listed_ms;         /* when the target was last asked for a listing */
	size_t again; /* entries behind next_entry that are to be asked for once more */
	int64_t again_ms;
	unsigned int breaks;     /* items in a row that the source put off */
	unsigned int ask_pauses; /* since it gave one: see fold_patience.c */
	size_t flag_ops, flag_next;
	struct pf_keyed *keyed; /* items with identifiers of their own; NULL: mail */
	size_t single_next,
		single_word; /* of the entries whose flags go one by one: the next, its word */
	struct pf_buf single_lost; /* what was refused of them so far */
	size_t deep_open, deep_next;
	size_t name_open, name_next;
	struct pf_deep *deep; /* items that are being read on both sides */
	uint64_t to_copy_items, to_copy_bytes, too_large;
};

/* ---- fold_patience.c ---- */
/* An item of the folder came. */
void fold_source_gives(struct pf_fold *f);
bool fold_source_may_be_asked(const struct pf_fold *f);
/* An item was put off. Whether that says nothing of the item, as it is so with all of the folder.
 */
bool fold_source_gives_nothing(struct pf_fold *f, const struct pf_err *why);
/* Whether what is left of the folder is for the next run. */
bool fold_source_gave_up(const struct pf_fold *f);

/* ---- fold.c ---- */
int fold_step(struct pf_fold *f, struct pf_err *err);
int fold_event(struct pf_fold *f, enum pf_side_no side, const struct pf_store_event *ev,
	struct pf_err *err);
void fold_fail(struct pf_fold *f, const struct pf_err *why);
/* Whether `why` says that ids of a side lost their meaning; then the folder begins anew. */
bool fold_is_stale(struct pf_fold *f, const struct pf_err *why);
/* Whether `why` says that the folder of a side is gone under way; then it is dealt with. */
bool fold_is_lost(struct pf_fold *f, enum pf_side_no side, const struct pf_err *why);
/* Its place is there: list it. */
int fold_begin_listing(struct pf_fold *f, struct pf_err *err);
void fold_free_work(struct pf_fold *f);       /* all that is only needed while it is worked on */
bool fold_has_place(const struct pf_fold *f); /* its target folder is there */
bool fold_is_active(const struct pf_fold *f);
unsigned int fold_stage(const struct pf_fold *f); /* another one: there is something to do */

/* ---- fold_nowhere.c ---- */
void fold_nowhere_free(struct pf_fold *f);
const char *fold_nowhere_why(const struct pf_fold *f, char *out, size_t size);
int fold_nowhere_begin(struct pf_fold *f, struct pf_err *err);
int fold_nowhere_step(struct pf_fold *f, struct pf_err *err); /* PF_OK: all are named */
int fold_nowhere_event(struct pf_fold *f, const struct pf_store_event *ev, struct pf_err *err);

/* ---- fold_list.c ---- */
int fold_list_begin(struct pf_fold *f, struct pf_err *err);
int fold_list_event(struct pf_fold *f, enum pf_side_no side, const struct pf_store_event *ev,
	struct pf_err *err);
int fold_list_step(struct pf_fold *f, struct pf_err *err); /* begins what had to wait */
int fold_list_dst(struct pf_fold *f, uint64_t from, struct pf_err *err);
int fold_list_src(struct pf_fold *f, bool delta, struct pf_err *err);
/*
 * A server that tells no UIDVALIDITY (or 0) promises nothing about its ids: those that are known
 * must prove to be what they were, by date and size as far as these are reliable.
 */
bool fold_is_another(const struct pf_fold *f, enum pf_side_no side, const struct pf_entry *e,
	const struct pf_item *item);

/* ---- fold_foreign.c ---- */
/* Ids at the target that rows of other folders with the same place account for. */
int fold_read_claims(struct pf_fold *f, struct pf_err *err);
/* An item of the target that may be one that no row accounts for. */
int fold_add_foreign(struct pf_fold *f, const struct pf_item *item, struct pf_err *err);
/* The same for the target's copies of items that left the source. */
int fold_add_left(struct pf_fold *f, struct pf_err *err);
/* By id: of those that only order tells apart, the first that was put is the first. Servers list in
 * any order. */
void fold_order_foreign(struct pf_fold *f);
/* A row of an item that left the source gave its copy to another: it is not to be removed. */
void fold_keep_left(struct pf_fold *f, const struct pf_entry *e);

/* ---- fold_judge.c ---- */
int fold_vanished(struct pf_fold *f, struct pf_entry *e, struct pf_err *err);
/* The source's listing is complete: entries that it does not show are marked as gone. */
void fold_mark_gone(struct pf_fold *f);
int fold_save_new(struct pf_fold *f, struct pf_err *err);
/* Both listings are there: compare with the ledger, write what is new. */
int fold_list_end(struct pf_fold *f, struct pf_err *err);

/* ---- fold_fleeting.c ---- */
/* Whether an earlier pass left it without ids, as they did not hold. */
bool fold_is_nameless(const struct pf_fold *f);
/* The ids of the target that were known mean nothing now. */
void fold_forget_ids(struct pf_fold *f);
/* Whether anything must be found at the target: new items, some to be read back, or flags. */
bool fold_must_look(const struct pf_fold *f);
/* Some were put: they are to be found by another look. */
bool fold_awaits_some(const struct pf_fold *f);
/* It was put and is not found: once more, or, for what came with an earlier pass, nothing. */
int fold_not_found(struct pf_fold *f, struct pf_entry *e, struct pf_err *err);
/* The pass is complete: no id is kept. */
int fold_fleeting_end(struct pf_fold *f, struct pf_err *err);

/* ---- fold_late.c ---- */
/* Whether what the last listing of the target does not show may yet come. */
bool fold_late_is_early(const struct pf_fold *f);
/* An item in doubt was found: by another look than the first, more may come. */
void fold_late_arrived(struct pf_fold *f);
/* After a while list the target again, from where nothing was unknown. */
int fold_late_begin(struct pf_fold *f, struct pf_err *err);

/* ---- fold_pair.c ---- */
/* PF_END: nothing needs to be paired. */
int fold_pair_begin(struct pf_fold *f, struct pf_err *err);
int fold_pair_step(struct pf_fold *f, struct pf_err *err); /* PF_OK: paired; PF_AGAIN */
int fold_pair_event(struct pf_fold *f, enum pf_side_no side, const struct pf_store_event *ev,
	struct pf_err *err);
void fold_pair_free(struct pf_fold *f);

/* ---- slot.c ---- */
/* What an operation's id has of it. */
size_t slot_index(const struct pf_slot *s);
/* NULL: it was released meanwhile. */
struct pf_slot *slot_of(struct pf_fold *f, uint64_t op);
struct pf_entry *slot_entry(const struct pf_slot *s);
struct pf_slot *slot_take(struct pf_fold *f, size_t entry); /* NULL: all are in use */
void slot_release(struct pf_slot *s);
/* Its PUT or COPY has an answer, or none is waited for. */
void slot_put_ended(struct pf_slot *s);
void slot_unlink(struct pf_slot *s); /* from the folder's row of those that wait */
void slot_set_budget(struct pf_slot *s, uint64_t bytes);

/* ---- fold_copy.c ---- */
bool slot_may_put(const struct pf_slot *s);
int slot_put(struct pf_slot *s, struct pf_err *err); /* PF_AGAIN: the target takes none now */
void fold_copy_begin(struct pf_fold *f);
int fold_copy_step(struct pf_fold *f, struct pf_err *err); /* PF_OK: all that can be done is done */
/* PF_AGAIN: a chunk was not taken and must be given again. */
int fold_copy_event(struct pf_fold *f, enum pf_side_no side, const struct pf_store_event *ev,
	struct pf_err *err);
/* Rows that were marked SENT and not sent are PLANNED again. */
int fold_copy_unsend(struct pf_fold *f, struct pf_err *err);
/* Not this time: give the slot back, the row is asked for again from `at_ms` on. */
void ask_again(struct pf_slot *s, int64_t at_ms);
/* Ask the source for the slot's item. */
int ask_source(struct pf_slot *s, struct pf_err *err);

/* ---- fold_receipt.c ---- */
/* `header` is the beginning of the item, which is about to be put. */
void receipt_stop(struct pf_slot *s, struct pf_span header);
/* The keywords that it is put with. */
int receipt_mark(struct pf_slot *s, struct pf_buf *kw, struct pf_err *err);

/* ---- fold_refuse.c ---- */
/* The source gave no date: then it is the one that the item's own header tells, or else now. */
void date_by_header(struct pf_slot *s, struct pf_span message);
int refuse_put(struct pf_slot *s, const struct pf_store_event *ev, struct pf_err *err);
int refuse_get(struct pf_slot *s, const struct pf_store_event *ev, struct pf_err *err);
/* End an item in quarantine, with its bytes when there are any. */
/* Keep the bytes (or that there are none) and the reason; the row is the caller's. */
int quarantine_keep(struct pf_fold *f, const struct pf_entry *e, struct pf_span bytes,
	const char *why, struct pf_err *err);
int quarantine_entry(struct pf_fold *f, struct pf_entry *e, struct pf_blob *body, const char *why,
	struct pf_err *err);
/* What comes for this slot goes into quarantine and not to the target. */
void divert_to_quarantine(struct pf_slot *s, const char *why);
/* The same for an item that does not lie in memory. */
int quarantine_begin(struct pf_fold *f, const struct pf_entry *e, struct pf_quarantine_entry **file,
	struct pf_err *err);
int quarantine_commit(struct pf_fold *f, struct pf_entry *e, struct pf_quarantine_entry *file,
	const char *why, struct pf_err *err);
/* Leave an item to the next run. */
int leave_open(struct pf_fold *f, struct pf_entry *e, const char *why, struct pf_err *err);
/* The source was listed again: items that did not come are gone, or it can't give them. */
int missing_settle(struct pf_fold *f, struct pf_err *err);

/* ---- fold_confirm.c ---- */
int fold_confirm_begin(struct pf_fold *f, struct pf_err *err); /* PF_END: nothing to read back */
int fold_confirm_item(struct pf_fold *f, const struct pf_item *item, struct pf_err *err);
/* The listing is complete: whether the ids that the target told in this pass can't be right. They
 * are forgotten then, and it is to be read back once more, as that of a target that tells none. */
bool fold_confirm_forgets(struct pf_fold *f);
int fold_not_there(struct pf_fold *f, struct pf_entry *e, struct pf_err *err);
bool fold_is_awaited(const struct pf_fold *f, const struct pf_entry *e);
/* The item as the target lists it: what differs is noted, or marked to be looked at. */
int fold_compare(
	struct pf_fold *f, struct pf_entry *e, const struct pf_item *item, struct pf_err *err);
/* The listing is complete: what was not in it is planned once more, or goes into quarantine. */
int fold_confirm_end(struct pf_fold *f, struct pf_err *err);

/* ---- fold_nameless.c ---- */
/* The listing is complete: ids that the target did not tell are looked for by date and size.
 * *more: some were not found so, and are to be looked for by their content. */
int fold_confirm_names(struct pf_fold *f, bool *more, struct pf_err *err);

/* ---- fold_deep.c ---- */
int fold_deep_step(struct pf_fold *f, struct pf_err *err); /* PF_OK: all compared */
void fold_deep_free(struct pf_fold *f);
int fold_deep_event(struct pf_fold *f, enum pf_side_no side, const struct pf_store_event *ev,
	struct pf_err *err);

/* ---- fold_flags.c ---- */
/* Whether `has`, of the target, lacks any flag of the entry that the target could keep; `names` are
 * those, each behind a blank. */
bool flags_lack(const struct pf_fold *f, const struct pf_entry *e, const struct pf_flags *has,
	char *names, size_t size);
/* pf_flags_key of what of the entry's flags the target can keep. */
uint64_t flags_key(const struct pf_fold *f, const struct pf_entry *e);
/* What of `want` the target can keep; keywords go into `kw`. */
int flags_permitted(const struct pf_fold *f, struct pf_flags want, struct pf_buf *kw,
	struct pf_flags *out, struct pf_err *err);
/* Flags that are set behind the PUT. */
uint32_t flags_apart(const struct pf_slot *s);
/* It was put without its flags, perhaps: then the row says so, and they are carried over. */
int note_put_flags(struct pf_slot *s, bool *noted, struct pf_err *err);
/* Tell, once a folder, each flag of `want` that `got` does not have. */
int flags_tell_denied(struct pf_fold *f, const struct pf_entry *e, struct pf_flags want,
	struct pf_flags got, struct pf_err *err);
int fold_flags_step(struct pf_fold *f, struct pf_err *err); /* PF_OK: all carried */
int fold_flags_event(struct pf_fold *f, const struct pf_store_event *ev, struct pf_err *err);

/* ---- fold_name.c ---- */
/* Note how an item that does not arrive is named; `message` is its beginning. */
int name_entry(
	struct pf_fold *f, const struct pf_entry *e, struct pf_span message, struct pf_err *err);
int fold_name_step(struct pf_fold *f, struct pf_err *err); /* PF_OK: all are named that can be */
int fold_name_event(struct pf_fold *f, const struct pf_store_event *ev, struct pf_err *err);

/* ---- fates.c ---- */
/* The source gives an item in another form than it has it: what became of its properties. */
int fates_note(struct pf_fold *f, const struct pf_store_event *ev, struct pf_err *err);

/* ---- labels.c ---- */
int labels_begin(struct pf_job *job, struct pf_err *err);
/* Why a folder with that role, or a listed item, is left out; NULL: it is taken. */
const char *labels_skip_folder(const struct pf_job *job, enum pf_role role);
const char *labels_skip_item(const struct pf_fold *f, const struct pf_item *item);
/* Whether it may be in another folder that is taken: of a view of all nobody says that it is. */
bool labels_are_several(const struct pf_fold *f, const struct pf_item *item);
/* Whether an item was left out for that, in an earlier pass perhaps. */
bool labels_had_skipped(const struct pf_entry *e);
/* Whether what is taken of the folder depends on labels: no cursor tells of them. */
bool labels_may_change(const struct pf_fold *f);

/* ---- links.c ---- */
void links_free(struct pf_job *job);
/* Its listing is complete: note what is in other folders as well. */
int links_note(struct pf_fold *f, struct pf_err *err);
/* An item was put. */
void links_arrived(struct pf_fold *f, const struct pf_entry *e);
/* What is to be done about one that is wanted. */
enum links_way {
	LINKS_FETCH,
	LINKS_COPY,
	LINKS_WAIT, /* another folder is about to put it */
};
enum links_way links_way(const struct pf_fold *f, const struct pf_entry *e);
/* LINKS_COPY: what is known of it goes into the slot. */
void links_begin(struct pf_slot *s);
/* Whether it must wait, so that the folder's order is kept. */
bool links_block(const struct pf_slot *s);
int links_copy(struct pf_slot *s, struct pf_err *err);
/* The target did not do it, or did not say so. */
void links_failed(struct pf_slot *s);
/* The slot's COPY has ended, somehow. */
void links_ended(struct pf_slot *s);
/* If this was the first one, it is read back. */
int links_first_done(struct pf_slot *s, struct pf_span id, struct pf_err *err);
void links_event(struct pf_fold *f, const struct pf_store_event *ev);

/* ---- mirror.c ---- */
int job_mirror_step(struct pf_job *job, struct pf_err *err); /* PF_OK: done */
int job_mirror_event(struct pf_job *job, const struct pf_store_event *ev, struct pf_err *err);

#endif
