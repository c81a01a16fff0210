/*
 * What a store can do and what it can't, as data: the engine plans with these and never asks what
 * kind of store it is. Part of store.h.
 */
#ifndef PF_STORES_FACTS_H
#define PF_STORES_FACTS_H

#include "base/err.h"
#include "base/span.h"
#include "model/item.h"

/* Facts to plan with. */
enum pf_cap {
	PF_CAP_PUT_RETURNS_ID = 1u << 0, /* DONE of PUT has the id; else found by fingerprint */
	PF_CAP_EXACT_SIZE = 1u << 1,     /* a listed size is the true number of bytes */
	PF_CAP_EXACT_BYTES = 1u << 2,    /* what was put is given back octet for octet */
	PF_CAP_CURSOR = 1u << 3, /* folder listings bring cursors: unchanged ones cost nothing */
	PF_CAP_CURSOR_FLAGS = 1u << 4, /* an equal cursor means equal flags, too (CONDSTORE) */
	PF_CAP_LIST_DELTA = 1u << 5,   /* LIST takes a cursor and gives only what changed since */
	PF_CAP_REMOVE_ONE = 1u << 6,   /* REMOVE can't touch anything but the item (UIDPLUS) */
	PF_CAP_SUBSCRIBE = 1u << 7,
	PF_CAP_PUT_GROUPS =
		1u << 8,            /* PUTs of one folder go faster together (MULTIAPPEND, files) */
	PF_CAP_FOLD_CASE = 1u << 9, /* folder names that differ in case only are one */
	PF_CAP_INBOX_CHILDREN = 1u << 10, /* INBOX can hold folders */
	PF_CAP_MIXED = 1u << 11,          /* a folder can hold items and folders */
	PF_CAP_KEEPS_DATE = 1u << 12,     /* the date of a PUT is kept */
	PF_CAP_VERSIONS = 1u << 13,       /* listed items have versions, and PUT gives one */
	PF_CAP_GUARDS = 1u << 14,         /* PUT and REMOVE honour their guards */
	PF_CAP_LASTING_IDS = 1u << 16, /* an id means the same item in every pass, edited or not */
	PF_CAP_STORES_LATE =
		1u << 17, /* a PUT without answer may come to its end later (fold_late.c) */
	PF_CAP_SCHEDULES = 1u << 15, /* sends invitations of its own accord when meetings are put */
	PF_CAP_SENDS_RECEIPTS = 1u << 18, /* answers requests for receipts of its own accord */
	PF_CAP_RIGHTS = 1u << 19,         /* others may have been given rights on its folders */
	PF_CAP_FLAGGED_APART = 1u << 21,  /* "flagged" counts only when FLAGS sets it, behind PUT */
	PF_CAP_SHOWS_OTHERS = 1u << 22,   /* as mail: items of calendars and the like, as texts */
	PF_CAP_COPY = 1u << 23,   /* COPY: of an item of one folder it makes one in another */
	PF_CAP_LABELS = 1u << 20, /* an item may be in several folders at once, listed items
				     say so, and the roles ALL and FLAGGED are views */
};

/* Within what the UID of a calendar item or contact must be unique, as far as is known. */
enum pf_uid_scope {
	PF_UID_ANYWHERE, /* two items may share one */
	PF_UID_FOLDER,
	PF_UID_STORE, /* all folders of the account */
};

/*
 * A form that a store has its items in, and that says more of them than the open one. What one
 * store gives, another takes as it is when it has the form by the same name and is not older.
 */
struct pf_native {
	const char *name; /* NULL: there is none such */
	unsigned int version;
};

struct pf_store_facts {
	uint32_t caps;
	struct pf_native gives, takes; /* GET and PUT with `native` */
	uint32_t kinds;                /* of enum pf_kind */
	uint64_t max_item_bytes;       /* larger ones are refused; 0 = unknown or none */
	uint64_t quota_free_bytes;     /* UINT64_MAX = unknown or none */
	/* Bytes that came, and that went, over all links so far; 0 = they are not counted. */
	uint64_t moved[2];
	/* That the server lets an account move in a day, the same way, as far as is known; 0. */
	uint64_t daily_bytes[2];
	size_t max_segment_bytes; /* of one segment of a path, in UTF-8; 0 = unknown */
	size_t max_depth;         /* 0 = unknown */
	/* Of a whole path: what each segment takes, and one more for each; 0 = unknown. */
	size_t max_path_bytes;
	size_t (*segment_bytes)(struct pf_span segment); /* what it takes; NULL: its UTF-8 */
	const char *forbidden; /* characters that no segment may have, e.g. the delimiter */
	/* Whether there are words for an item, as text: PF_FAIL (item scope), or no memory. Pure;
	 * NULL: there are for each, as far as is known. */
	int (*says)(enum pf_kind kind, struct pf_span item, struct pf_err *why);
	enum pf_uid_scope uid_scope;
	const char *server; /* what it calls itself, safe to print; "" = nothing */
	size_t connections; /* that pay at the most, as far as is known by now */
};

#endif
