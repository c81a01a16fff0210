/*
 * The one interface that every source and target implements, and all that the engine knows of them.
 *
 * A store takes operations and yields events. It never blocks, never calls back, and reads from its
 * sockets only within next(): an engine that stops asking stops the reading. Operations on one
 * folder are carried out in the order they were submitted, MKFOLDERs among themselves as well;
 * operations on different folders may overtake one another. Every operation ends in exactly one
 * DONE or FAILED, whatever happens to the connection.
 *
 * What a store lacks is said by its capabilities, as data; the engine has a slower road for each.
 */
#ifndef PF_STORES_STORE_H
#define PF_STORES_STORE_H

#include "base/blob.h"
#include "base/digest.h"
#include "model/event.h"
#include "model/fates.h"
#include "model/item.h"
#include "model/scheme.h"
#include "stores/facts.h"
#include "stores/store_cfg.h"

struct pf_loop;
struct pf_store;

enum pf_op_kind {
	PF_OP_FOLDERS,   /* FOLDER events, then DONE */
	PF_OP_LIST,      /* STATE, ITEM (and GONE) events, then DONE. FAILED: it is not complete */
	PF_OP_GET,       /* BODY, or CHUNKs in order, then DONE */
	PF_OP_PUT,       /* DONE with the new id */
	PF_OP_FLUSH,     /* no more PUTs to this folder soon: settle those under way. No event */
	PF_OP_RECALL,    /* no event: PUTs of which nothing was sent end as FAILED, `recalled` */
	PF_OP_FLAGS,     /* DONE */
	PF_OP_MKFOLDER,  /* DONE with the folder's id; a folder that was there already is fine */
	PF_OP_SUBSCRIBE, /* DONE */
	PF_OP_REMOVE,    /* DONE */
	PF_OP_COPY,      /* DONE with the new id; in doubt where that is not told (PF_CAP_COPY) */
	PF_OP_CLOSE,     /* sign out in good order; DONE, then next() gives PF_END */
};

enum pf_guard {        /* on what condition a PUT is carried out */
	PF_GUARD_NONE, /* mail: always another item */
	PF_GUARD_NEW,  /* only when there is no item of this name yet */
	PF_GUARD_SAME, /* in the place of `item`, while that one has the version given */
};

enum pf_part {
	PF_PART_WHOLE,
	PF_PART_HEADER, /* only the header section, for describing or pairing an item */
	/* The beginning of a message's first or second part, as it is encoded; empty where it has
	 * none. Of stores whose scheme has `disguised`. */
	PF_PART_FIRST,
	PF_PART_SECOND,
};

/* What the engine wants. All that it points to is copied by submit(), but for `body`, which is
 * shared. */
struct pf_op {
	enum pf_op_kind kind;
	uint64_t id; /* the caller's; comes back in every event of this operation; not 0 */
	struct pf_span folder;  /* the folder's id at this store */
	struct pf_span item;    /* GET, FLAGS, REMOVE, COPY, PUT in its place: the item's id */
	struct pf_span version; /* REMOVE, PUT with PF_GUARD_SAME: only while the item has it */
	union {
		struct {
			bool states; /* bring each folder's state where that is cheap */
			bool shared; /* other users' and public folders, too */
		} folders;
		struct {
			struct pf_span cursor; /* give what changed since; or absent */
			uint64_t from; /* only ids from this one on, with no cursor; 0 = all */
			bool find;     /* scheme with `disguised`: only what by its header may be an
					  item of Exchange, of which no more than the id is told */
		} list;
		struct {
			enum pf_part part;
			uint64_t size; /* as listed, so that large ones can be asked for alone */
			uint64_t whole_max; /* larger ones come as CHUNKs, not as BODY */
			bool native;        /* as well in the store's own form (facts.gives) */
		} get;
		struct {
			struct pf_blob *body; /* the whole item, shared until DONE or FAILED; or
						 NULL: `size` bytes follow by feed() */
			uint64_t size;
			struct pf_flags flags;
			int64_t date_utc_s; /* PF_DATE_NONE: the store's own idea */
			int zone_min;
			bool more;  /* another PUT to this folder follows soon, or a FLUSH */
			bool alone; /* not in a group: an earlier group was refused */
			enum pf_guard guard;
			struct pf_span name; /* PF_GUARD_NEW: wish for the id, of [A-Za-z0-9-] */
			enum pf_kind kind;   /* of the item; 0 = mail */
			/* The same item in a form of facts.takes, shared as well; NULL: there is
			 * none. It is stored in that form; in that of the body only where that is
			 * refused. */
			struct pf_blob *native;
		} put;
		struct {
			struct pf_span to; /* the folder that gets another one */
		} copy;
		struct {
			struct pf_flags add, del;
		} flags;
		struct {
			const struct pf_path *path; /* copied */
			enum pf_role
				role;   /* told to the server where it can take it; NONE: nothing */
			uint32_t kinds; /* that it is to hold; 0 = mail */
			const struct pf_folder_looks *looks; /* copied; NULL: nothing is said */
		} mkfolder;
	};
};

/* FAILED of PUT and REMOVE: what stood against it. */
enum pf_conflict {
	PF_CONFLICT_NONE,
	PF_CONFLICT_UID,     /* another item has this identifier */
	PF_CONFLICT_NAME,    /* PF_GUARD_NEW: there is an item of this name */
	PF_CONFLICT_CHANGED, /* PF_GUARD_SAME, REMOVE: it has another version by now, or is gone */
	PF_CONFLICT_CONTENT, /* the item's content is not legal there: a repair may help */
};
enum pf_store_event_kind {
	PF_STORE_READY, /* signed in, as an operation was there to sign in for; before any of its
			 * events. Comes once, op 0. From now on facts() are true, those about names
			 * from the first DONE of FOLDERS on */
	PF_STORE_NOTE,  /* something for the log; op may be 0 */
	PF_STORE_FOLDER,
	PF_STORE_STATE, /* of LIST, once, before its items */
	PF_STORE_ITEM,
	PF_STORE_GONE, /* of LIST with a cursor: this id is no longer there */
	PF_STORE_BODY, /* of GET: the whole item in one blob, whose reference is the caller's now */
	PF_STORE_CHUNK,  /* of GET: the next bytes of a large item */
	PF_STORE_HUNGRY, /* of PUT without body: feed() takes bytes (again) */
	PF_STORE_DONE,
	PF_STORE_FAILED,
};

struct pf_store_event {
	enum pf_store_event_kind kind;
	uint64_t op;
	union {
		const struct pf_folder *folder; /* FOLDER, STATE (only id and state are meant) */
		struct pf_item item;            /* ITEM, GONE */
		struct pf_blob *body;           /* BODY */
		struct {
			struct pf_span bytes;
			uint64_t offset, total; /* total: as the server announced it */
		} chunk;
		struct {
			struct pf_span id;      /* DONE of PUT and MKFOLDER; absent: not told */
			struct pf_span version; /* DONE of PUT; absent: the store altered the item,
						   or does not tell: read it back */
			const char *refused;    /* DONE of PUT with `native`: in what words that was
						   refused, and the body was stored; NULL: it was not
						 */
		};
		struct {
			int number;             /* of enum pf_event_number */
			struct pf_span folder;  /* the folder's id, or absent */
			struct pf_span item;    /* the item's id, or absent */
			const char *text;       /* safe to print */
			struct pf_span raw;     /* the bytes it is about, or absent */
			uint64_t offset;        /* within the session's input, for 14001 */
			int64_t pause_until_ms; /* the server asked for patience: the store does
						   nothing before this moment; 0 = no pause */
		} note;
		struct {
			struct pf_err why;
			bool in_doubt; /* FAILED of PUT, COPY, FLAGS, REMOVE, MKFOLDER: it may have
					  been done all the same */
			bool put_off;  /* with in_doubt: as the server wants to be left alone for
					  a while, which says nothing of this item */
			bool missing;  /* FAILED of GET: the answer was read well, without it */
			bool refused;  /* the server's final no to this very item (PUT, GET) */
			bool grouped;  /* FAILED of PUT: a group was, nothing stored: try alone */
			bool recalled; /* FAILED of PUT: it was not tried */
			enum pf_conflict conflict;
			struct pf_span holder; /* PF_CONFLICT_UID: the item that has it; absent: not
						  told, or outside this folder */
			struct pf_span rest;   /* FAILED of GET: what there is of it; or absent */
		} failed;
	};
	/* BODY, first CHUNK: the store has the item in another form, and this became of it; NULL:
	 * it is given as it is. */
	const struct pf_fates *fates;
	/* The same: the item as the store has it, and how such a file's name ends (".msg"); absent
	 * unless that is wanted (keep_raw). */
	struct pf_span raw;
	const char *raw_ending;
	/* The same: the item in the store's own form; NULL: it can't be had, or was not asked for.
	 * Borrowed: who keeps it takes a reference. */
	struct pf_blob *native;
	bool uid_made;    /* BODY: the item has no identifier, the store made that of its text */
	bool existed;     /* DONE of MKFOLDER: made by somebody else before this operation */
	const char *left; /* BODY: what of the item could not be had, in words; NULL: nothing */
	int left_number;  /* the event that tells it; 0: one that the engine chooses */
	bool pieced;      /* BODY, first CHUNK: put together from parts; sizes prove it whole */
	/* STATE only */
	bool delta;                  /* the ITEMs to come are only what changed since the cursor */
	uint32_t permitted_sys;      /* STATE: system flags that can be kept */
	bool permitted_any;          /* STATE: any new keyword can be kept */
	struct pf_span permitted_kw; /* STATE: else these, as in struct pf_flags */
};

/* All set; but what is only made of other stores (its schemes have parts) is never opened. */
struct pf_store_ops {
	const struct pf_scheme *schemes; /* "imap", "imaps"; ended by a NULL name */
	const char *summary;             /* for --help and the manual: "IMAP4 server" */
	/* No I/O yet; `cfg` and what it points to must outlive the store. PF_FAIL: wrong usage. */
	int (*open)(struct pf_loop *loop, const struct pf_store_cfg *cfg, struct pf_store **out,
		struct pf_err *err);
	/* PF_AGAIN: the window is full; take events first. */
	int (*submit)(struct pf_store *s, const struct pf_op *op, struct pf_err *err);
	/*
	 * Bytes of a PUT without body. All or none: PF_AGAIN means not taken, wait for HUNGRY. An
	 * absent span: the rest will never come; the PUT ends as FAILED, not in doubt when the
	 * store can see to it that nothing of it is kept.
	 */
	int (*feed)(struct pf_store *s, uint64_t op, struct pf_span part, struct pf_err *err);
	/*
	 * PF_OK: `out` is filled; what it borrows is good until the next call on this store.
	 * PF_AGAIN: nothing now; *wake_ms is lowered to the moment (pf_loop_now_ms) at which to ask
	 * again even if no socket stirs. PF_END: closed. PF_FAIL: the whole store is lost (scope
	 * STORE or RUN); open operations have ended.
	 */
	int (*next)(struct pf_store *s, struct pf_store_event *out, int64_t *wake_ms,
		struct pf_err *err);
	const struct pf_store_facts *(*facts)(const struct pf_store *s);
	void (*close)(struct pf_store *s); /* accepts NULL; drops what is queued */
};

/* Every store embeds this first. */
struct pf_store {
	const struct pf_store_ops *ops;
};

static inline int pf_store_submit(struct pf_store *s, const struct pf_op *op, struct pf_err *err)
{
	return s->ops->submit(s, op, err);
}

static inline int pf_store_feed(
	struct pf_store *s, uint64_t op, struct pf_span part, struct pf_err *err)
{
	return s->ops->feed(s, op, part, err);
}

static inline int pf_store_next(
	struct pf_store *s, struct pf_store_event *out, int64_t *wake_ms, struct pf_err *err)
{
	return s->ops->next(s, out, wake_ms, err);
}

static inline const struct pf_store_facts *pf_store_facts(const struct pf_store *s)
{
	return s->ops->facts(s);
}

static inline void pf_store_close(struct pf_store **s)
{
	if (*s) {
		(*s)->ops->close(*s);
		*s = NULL;
	}
}

#endif
