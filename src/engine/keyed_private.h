/*
 * A folder whose items carry identifiers of their own (docs/internals/calendars.md), for the files
 * that share it.
 *
 *   keyed.c          states, events in, the end
 *   keyed_rows.c     what the ledger knows, and what is written to it
 *   keyed_list.c     both listings, compared with the rows: what must be read?
 *   keyed_messages.c  items that are messages at the target
 *   keyed_read.c     documents and the target's items: parts, meanings, answers to probes
 *   keyed_missing.c  what the source lists and does not give
 *   keyed_probe.c    overrides that look for their master
 *   keyed_plan.c     from identity's items to tasks
 *   keyed_compose.c  an item composed, and what it means in every form that it may get
 *   keyed_write.c    tasks: put, and what the target answers
 *   keyed_verify.c   both sides compared again
 *   keyed_confirm.c  the target listed again, what it altered read back
 *   keyed_altered.c  what it goes on to alter: quarantine, and a mark at the target
 */
#ifndef PF_ENGINE_KEYED_PRIVATE_H
#define PF_ENGINE_KEYED_PRIVATE_H

#include "engine/fold_private.h"
#include "engine/identity.h"
#include "model/codec.h"

enum {
	KEYED_WINDOW = 128,        /* GETs under way on a side */
	KEYED_TASKS = 32,          /* items being written */
	KEYED_TRIES = 6,           /* of a task, for what may pass */
	KEYED_BODY_MAX = 64 << 20, /* a larger one is no calendar item */
	KEYED_VERIFY_YEARS = 5,    /* that deep comparison expands, before and behind today */
	KEYED_INSTANCES = 20000,
	KEYED_MARK_MAX = 2 * PF_DIGEST_BYTES + 16,
};

enum keyed_state {
	KEYED_LISTING,
	KEYED_READING,  /* and again, while it shows that more must be read */
	KEYED_CHECKING, /* the source is listed again, as it did not give all that it listed */
	KEYED_PROBING,
	KEYED_WRITING,
	KEYED_CONFIRMING, /* the target is listed again */
	KEYED_LOOKING,    /* what it altered is read */
	KEYED_VERIFYING,
	KEYED_OVER,
};

enum keyed_bit {
	KEYED_LISTED = 1u << 0,
	KEYED_WANTED = 1u << 1, /* to be read */
	KEYED_ASKED = 1u << 2,
	KEYED_READ = 1u << 3,
	KEYED_UNREADABLE = 1u << 4,
	KEYED_SEEN = 1u << 5,      /* rows: their item is in this pass's plan */
	KEYED_SAVED = 1u << 6,     /* rows: as the ledger has them */
	KEYED_WRITTEN = 1u << 7,   /* rows: put in this pass */
	KEYED_LOOK = 1u << 8,      /* rows: to be read back */
	KEYED_FOUND = 1u << 9,     /* rows: the target lists it */
	KEYED_MESSAGE = 1u << 10,  /* documents: copied as a message, and stays one */
	KEYED_UID_MADE = 1u << 11, /* documents, targets: they have no UID but what is made of
				      their place */
	KEYED_MISSING = 1u << 12,  /* documents: the source did not give it, ... */
	KEYED_AGAIN = 1u << 13,    /* ... lists it again, ... */
	KEYED_GONE = 1u << 14,     /* ... or has it no more */
};

/* A row: an item, or a document that has none of its own (its overrides joined another). */
struct keyed_row {
	struct pf_span key; /* as pf_id_item.key; ids, UIDs and versions are in the arena */
	struct pf_span dst_id, src_uid, dst_uid, src_version, dst_version;
	struct pf_digest whole;
	int64_t date_utc_s;
	uint64_t size;
	uint32_t seq, codec_version;
	uint16_t bits;
	uint8_t state, verdict, attempts;
	bool has_whole;
	size_t leader; /* of a document without an item of its own: the row that its parts went
			  with, from 1 */
};

/* A document of the source. */
struct keyed_doc {
	struct pf_span id, version;
	struct pf_span message; /* pf_item.message */
	uint16_t bits;
	size_t tasks;           /* that need it open */
	struct pf_doc *open;    /* its parts are at hand, and ... */
	struct pf_blob *native; /* ... the source's own form of it, where the target has it too */
	struct pf_span left; /* what of it the source could not give, in words; absent: nothing */
	int left_number;     /* pf_store_event.left_number */
	bool left_told;
	bool converted; /* ... as the form that it is given in has no place for that */
};

/* An item of the target. */
struct keyed_target {
	struct pf_span id, version, uid;
	struct pf_digest whole, meant; /* meant: what it is marked with */
	size_t row;                    /* SIZE_MAX: no row accounts for it */
	uint16_t bits;
	bool has_meant;
};

#define KEYED_AS_REPAIRED "the target has it as it was repaired for it"
#define KEYED_ALTERED "the target altered it: it means something else there"
#define KEYED_OTHER "the target has something else than what was put there before the interruption"

enum task_state {
	TASK_WAITING,
	TASK_OPENING, /* its documents are being read */
	TASK_READY,   /* composed; the row is SENT, and must be on disk first */
	TASK_PUTTING,
	TASK_MEETING, /* the item that stands in its way is being read */
	TASK_DONE,
};

/* What a target made of an item. */
struct keyed_said {
	struct pf_span lines; /* in short, see keyed_differ.c; absent: unknown */
	struct pf_digest whole;
};

/* What is done to an item that a target does not take, or does not keep, as it is. */
struct keyed_form {
	bool repaired;
	bool older; /* a contact as vCard 3.0 */
	bool apart; /* instances without their series */
};

/* One item to be written. */
struct keyed_task {
	size_t item; /* of the plan */
	size_t row;
	enum task_state state;
	struct pf_blob *body;
	struct pf_digest whole; /* what the body means */
	struct pf_span uid;
	uint64_t need_commit;
	int64_t not_before_ms;
	struct pf_span meets; /* id of the item in its way */
	enum pf_conflict conflict;
	uint8_t tries;
	bool over;           /* in the place of what was written before */
	bool spare, renamed; /* ways that were tried */
	struct keyed_form form;
	bool sent_before; /* a row that was in doubt */
	bool cure;        /* the target altered it: it is put once more, repaired, or not at all */
	bool lost;        /* it did so again: it is composed for the quarantine */
	bool mark;        /* it is in quarantine, and put once more with what it meant */
	bool native;      /* put in the source's own form, in which it has no name to find it by */
	bool has_first;
	struct pf_digest first; /* what it means in no form but its own */
	struct keyed_said said;
	char why[400], note[300];
};

struct keyed_check; /* keyed_verify.c */

struct pf_keyed {
	enum keyed_state state;
	const struct pf_codec *codec;
	struct pf_arena arena;
	struct keyed_row *row;
	size_t row_n, row_cap;
	size_t *by_key; /* rows in the order of their keys; those added since are not in it */
	size_t indexed;
	uint32_t max_seq;
	struct keyed_doc *doc;
	size_t doc_n, doc_cap;
	struct keyed_target *target;
	size_t target_n, target_cap;
	struct pf_id_part *part;
	bool *in_range; /* of each part: --since and --before take it */
	size_t *part_doc;
	size_t part_n, part_cap;
	struct pf_identity_in in;
	struct pf_id_row *id_rows;
	size_t *id_row_of; /* rows that they stand for */
	struct pf_id_foreign *foreign;
	size_t *foreign_of; /* targets that they stand for */
	struct pf_identity *identity;
	struct pf_id_probe *probe;
	size_t probe_n, probe_at;
	struct keyed_task *task;
	size_t task_n, task_first, task_next, tasks_open;
	size_t next[2], open[2]; /* reading */
	size_t look_next, looks_open;
	size_t parts_read, parts_placed;
	size_t missing;            /* documents that the source did not give */
	struct keyed_check *check; /* of each row, while both sides are compared */
	bool unsure;               /* some were put, and nothing tells whether they arrived */
	bool wrote;                /* one was put, and the target said so */
	unsigned int rounds;       /* that were begun anew for that, in a row with none put */
	uint64_t gone_told;        /* items that left the source, counted in this round */
};

/* ---- keyed.c ---- */
int keyed_begin(struct pf_fold *f, struct pf_err *err);
int keyed_step(struct pf_fold *f, struct pf_err *err); /* PF_OK: it is over */
int keyed_event(struct pf_fold *f, enum pf_side_no side, const struct pf_store_event *ev,
	struct pf_err *err);
void keyed_free(struct pf_fold *f);
int keyed_get(struct pf_fold *f, enum pf_side_no side, enum op_use use, size_t index,
	struct pf_span id, struct pf_err *err);
/* A document that no task needs any more. */
void keyed_close_doc(struct pf_fold *f, struct keyed_doc *d);
/* The document's id that a row's key begins with. */
struct pf_span keyed_skey(struct pf_span key);
/* An event with the item's own words (id, title) in it. */
void keyed_event_log(struct pf_fold *f, int number, const struct keyed_row *r, const char *fmt, ...)
	PF_PRINTF(4, 5);

/* ---- keyed_rows.c ---- */
int keyed_load(struct pf_fold *f, struct pf_err *err);
size_t keyed_find_row(const struct pf_keyed *k, struct pf_span key); /* SIZE_MAX: none */
/* A new row at the end; it is not in `by_key` until keyed_index_rows. */
int keyed_add_row(struct pf_keyed *k, struct pf_span key, size_t *out, struct pf_err *err);
int keyed_index_rows(struct pf_keyed *k, struct pf_err *err);
int keyed_save(struct pf_fold *f, size_t row, const char *note, struct pf_err *err);
/* The same, and the note stays as it is in the ledger. */
int keyed_save_versions(struct pf_fold *f, size_t row, struct pf_err *err);
int keyed_keep(struct pf_keyed *k, struct pf_span from, struct pf_span *to, struct pf_err *err);
/* Takes the body, which may be NULL. */
int keyed_quarantine(
	struct pf_fold *f, size_t row, struct pf_blob *body, const char *why, struct pf_err *err);

/* ---- keyed_list.c ---- */
int keyed_listed(
	struct pf_fold *f, enum pf_side_no side, const struct pf_item *item, struct pf_err *err);
/* Both listings are there: match with the rows. */
int keyed_match(struct pf_fold *f, struct pf_err *err);
/* In the order of ids, each once. */
void keyed_sort(struct pf_keyed *k);
size_t keyed_find_doc(const struct pf_keyed *k, struct pf_span id);
size_t keyed_find_target(const struct pf_keyed *k, struct pf_span id);
void keyed_want_target(struct pf_keyed *k, size_t target);
/* Whether what a row stands for may be taken from the target: only what this ledger wrote. */
bool keyed_is_removable(const struct keyed_row *r);
/* A row's document is not at the source any more: it vanished, or that is reported and mirrored. */
int keyed_note_gone(struct pf_fold *f, size_t row, struct pf_err *err);
/* It is removed at the end of the pass, while it is as it was written (mirror.c). */
int keyed_note_removal(struct pf_fold *f, const struct keyed_row *r, struct pf_err *err);

/* ---- keyed_messages.c ---- */
/* Documents that the target has as messages are listed no more. */
int keyed_leave_messages(struct pf_fold *f, struct pf_err *err);

/* ---- keyed_read.c ---- */
int keyed_read_step(struct pf_fold *f, struct pf_err *err); /* PF_OK: all that is wanted is read */
int keyed_read_event(struct pf_fold *f, enum pf_side_no side, const struct pf_store_event *ev,
	struct pf_err *err);
/* A document that can't be had or understood: it has a row of its own, and its bytes (taken; NULL:
 * none) are kept. */
int keyed_unreadable(
	struct pf_fold *f, size_t doc, struct pf_blob *body, const char *why, struct pf_err *err);
/* The row that a document has where nothing is known of what is in it; made, if need be, as
 * keyed_add_row does. */
int keyed_row_of_doc(struct pf_fold *f, size_t doc, size_t *row, struct pf_err *err);
/* The meaning of what a document has, and the UID of its first part. */
int keyed_meaning(const struct pf_codec *codec, const struct pf_doc *doc, struct pf_digest *out,
	struct pf_err *err);

/* The parts of this UID (absent: all), masters first as codecs want it; how many they are. */
size_t keyed_pieces_of(const struct pf_codec *codec, const struct pf_doc *doc, struct pf_span uid,
	struct pf_piece *out);

/* ---- keyed_missing.c ---- */
void keyed_missing_begin(struct pf_fold *f); /* the source is to be listed once more */
void keyed_missing_listed(struct pf_keyed *k, struct pf_span id);
/* It was: what is still there is in quarantine, and reading goes on. */
int keyed_missing_settle(struct pf_fold *f, struct pf_err *err);

/* ---- keyed_verify.c ---- */
int keyed_verify_begin(struct pf_fold *f, struct pf_err *err);
int keyed_verify_step(struct pf_fold *f, struct pf_err *err); /* PF_OK: all was compared */
int keyed_verify_event(struct pf_fold *f, enum pf_side_no side, const struct pf_store_event *ev,
	struct pf_err *err);

/* ---- keyed_probe.c ---- */
int keyed_probe_begin(struct pf_fold *f, struct pf_err *err);
int keyed_probe_step(struct pf_fold *f, struct pf_err *err); /* PF_OK: all are answered */
int keyed_probe_event(struct pf_fold *f, const struct pf_store_event *ev, struct pf_err *err);

/* ---- keyed_plan.c ---- */
/* All is read: tell identity. */
int keyed_identify(struct pf_fold *f, struct pf_err *err);
int keyed_plan(struct pf_fold *f, struct pf_err *err);

/* ---- keyed_compose.c ---- */
const struct pf_id_item *keyed_item_of(const struct pf_fold *f, const struct keyed_task *t);
/* The document of the i-th part. */
size_t keyed_doc_of(const struct pf_fold *f, const struct pf_id_item *x, size_t i);
void keyed_drop_body(struct pf_fold *f, struct keyed_task *t);
/* The item in the source's own form, when it is to be there just as the source has it; NULL: it is
 * not, or it was tried. */
struct pf_blob *keyed_native(const struct pf_fold *f, const struct keyed_task *t);
/* The task's documents are open: body, meaning and note of it in its form. */
int keyed_compose(struct pf_fold *f, struct keyed_task *t, struct pf_err *err);
/*
 * Whether it means this in another of the forms that it may have got in an earlier run whose ledger
 * is lost. *yes: the task has that meaning then, and a note of it.
 */
int keyed_other_form(struct pf_fold *f, struct keyed_task *t, const struct pf_digest *whole,
	bool *yes, struct pf_err *err);
/* What an item of these pieces means in its other forms, apart from `whole`; in the arena. */
int keyed_forms(struct pf_fold *f, const struct pf_piece *pieces, size_t n,
	const struct pf_digest *whole, struct pf_id_forms *out, struct pf_err *err);

/* ---- keyed_write.c ---- */
int keyed_write_step(struct pf_fold *f, struct pf_err *err); /* PF_OK: all tasks are done */
/* A document that tasks wait for. */
int keyed_open_event(struct pf_fold *f, const struct pf_store_event *ev, struct pf_err *err);
/* When a task that pauses is due; INT64_MAX: none. */
int64_t keyed_wake_ms(const struct pf_fold *f);
void keyed_task_end(struct pf_fold *f, struct keyed_task *t);
/* For the next run; the row says why. */
int keyed_task_leave(struct pf_fold *f, struct keyed_task *t, const char *why, struct pf_err *err);
/* The target has an item that means the same, t->meets: ours from before, or somebody else's. */
int keyed_task_found(struct pf_fold *f, struct keyed_task *t, struct pf_err *err);
/* Compose it; SENT, and to be put when that is on disk. */
int keyed_make_ready(struct pf_fold *f, struct keyed_task *t, struct pf_err *err);
/* Into quarantine, and the end of the task. */
int keyed_give_up(struct pf_fold *f, struct keyed_task *t, const char *why, struct pf_err *err);
/*
 * The target altered what a row stands for, in these words and into what was told: it is put once
 * more, repaired, or ends in quarantine, at once where that is `in_vain`. false: nothing of it is
 * known any more.
 */
bool keyed_task_cure(struct pf_fold *f, size_t row, const char *why, const struct keyed_said *said,
	bool in_vain);

/* ---- keyed_answer.c ---- */
/* The target's answer to a PUT, or the item that stood in its way. */
int keyed_write_event(struct pf_fold *f, const struct pf_store_event *ev, struct pf_err *err);
/* The item in a task's way, read: `doc` NULL when it can't be. */
int keyed_met(
	struct pf_fold *f, struct keyed_task *t, const struct pf_doc *doc, struct pf_err *err);

/* ---- keyed_differ.c ---- */
/* What a document says, in short; kept in the arena. */
int keyed_tell(
	struct pf_fold *f, const struct pf_doc *doc, struct keyed_said *out, struct pf_err *err);
/*
 * The names of what the task's body says otherwise than `t->said`; "" where that is unknown.
 * *grown: it says all that the body does, and besides only properties that no standard has (X-).
 */
int keyed_differ(struct pf_fold *f, const struct keyed_task *t, char *out, size_t max, bool *grown,
	struct pf_err *err);

/* ---- keyed_altered.c ---- */
/* The target does not keep it as it is, for the reason in t->why: quarantine. */
int keyed_altered(struct pf_fold *f, struct keyed_task *t, struct pf_err *err);
/* The item in a task's way is itself, as the target altered it in a run whose ledger is lost, or as
 * somebody did since the run that was interrupted: quarantine, and it is left as it is. */
int keyed_met_altered(struct pf_fold *f, struct keyed_task *t, const struct pf_doc *doc,
	const char *why, struct pf_err *err);
/* The mark is there, or could not be put (`version` absent then). */
int keyed_marked(
	struct pf_fold *f, struct keyed_task *t, struct pf_span version, struct pf_err *err);
/* The mark for this meaning, as text of less than KEYED_MARK_MAX bytes. */
void keyed_mark_of(const struct pf_codec *codec, const struct pf_digest *first, char *out);
/* What a document is marked with; false: nothing that this version understands. */
bool keyed_mark_read(const struct pf_codec *codec, const struct pf_doc *doc, struct pf_digest *out);

/* ---- keyed_confirm.c ---- */
int keyed_confirm_begin(struct pf_fold *f, struct pf_err *err); /* PF_END: nothing to read back */
int keyed_confirm_end(struct pf_fold *f, struct pf_err *err);   /* the listing is complete */
int keyed_look_step(struct pf_fold *f, struct pf_err *err);     /* PF_OK: all was looked at */
int keyed_look_event(struct pf_fold *f, const struct pf_store_event *ev, struct pf_err *err);

#endif
