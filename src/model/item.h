/*
 * What is known of an item and of a folder without their content; the kinds, roles and verdicts.
 */
#ifndef PF_MODEL_ITEM_H
#define PF_MODEL_ITEM_H

#include "base/civil.h"
#include "model/flags.h"
#include "model/path.h"

/* What a folder holds. A bit each, so that a store can say which it takes. */
enum pf_kind {
	PF_KIND_MAIL = 1u << 0,
	PF_KIND_CALENDAR = 1u << 1,
	PF_KIND_CONTACTS = 1u << 2,
	PF_KIND_TASKS = 1u << 3,
	PF_KIND_NOTES = 1u << 4,
};

/* What a folder is for, whatever it is called. The numbers are in the ledger and never change. */
enum pf_role {
	PF_ROLE_NONE,
	PF_ROLE_INBOX,
	PF_ROLE_SENT,
	PF_ROLE_DRAFTS,
	PF_ROLE_TRASH,
	PF_ROLE_JUNK,
	PF_ROLE_ARCHIVE,
	PF_ROLE_ALL,      /* a view of all mail (Gmail), never a target */
	PF_ROLE_FLAGGED,  /* a view as well */
	PF_ROLE_CALENDAR, /* of several of its kind, these: the one that people see first */
	PF_ROLE_CONTACTS,
	PF_ROLE_TASKS,
	PF_ROLE_NOTES,
	PF_ROLE_JOURNAL,
	PF_ROLE_COUNT,
};

/* How an item ended (promise P2). The numbers are in the ledger and never change. */
enum pf_verdict {
	PF_VERDICT_NONE = 0, /* not yet: this run or the next one goes on with it */
	PF_VERDICT_COPIED = 1,
	PF_VERDICT_PRESENT = 2,
	PF_VERDICT_SKIPPED = 3,
	PF_VERDICT_QUARANTINED = 4,
	PF_VERDICT_VANISHED = 5,
};
enum { PF_VERDICT_COUNT = 6 };

/* "copied", ...; "open" for NONE. */
const char *pf_verdict_name(enum pf_verdict v);
/* "inbox", ...; "" for NONE. */
const char *pf_role_name(enum pf_role r);
/* "mail", ...; the name of one bit. */
const char *pf_kind_name(enum pf_kind k);
/* The kind of that name, case aside; 0: there is none. */
enum pf_kind pf_kind_by_name(struct pf_span name);

/* One row of a listing. Spans are borrowed from whoever gave it. */
struct pf_item {
	struct pf_span id;  /* the store's: an IMAP UID in decimal, a file name, an href */
	uint64_t size;      /* bytes as the store says; may be an estimate, see PF_CAP_EXACT_SIZE */
	int64_t date_utc_s; /* when it was delivered (INTERNALDATE), or PF_DATE_NONE */
	int zone_min;       /* minutes east of UTC that the date was written with */
	struct pf_flags flags;
	struct pf_span version; /* another one after every change of the item (an ETag); absent: the
				   store has none */
	uint64_t same;      /* of the account's items with this number any is the others' like, in
			       another folder (PF_CAP_LABELS); 0 = not told */
	enum pf_kind apart; /* it goes another way, as an item of this kind; 0 = it does not */
	struct pf_span message; /* the id of the message that the same store shows this item as, in
				   its folder of mail of the same path; absent: there is none */
	struct pf_span elsewhere; /* ids of the other folders that hold this very item, a NUL behind
				     each (PF_CAP_LABELS); absent: none, or not known */
};

/* What a calendar or an address book looks like, beside its name. Spans are absent where nothing is
 * said. */
struct pf_folder_looks {
	struct pf_span colour;      /* as the store has it: "#RRGGBB" or "#RRGGBBAA" */
	struct pf_span description; /* UTF-8 */
	struct pf_span timezone;    /* a VCALENDAR with one VTIMEZONE */
	bool has_order;
	int order; /* among its siblings, lowest first */
};

struct pf_folder {
	struct pf_span id;   /* the store's own name of it, raw bytes; what operations take */
	struct pf_path path; /* segments; INBOX is "INBOX" */
	enum pf_kind kind;   /* what it is mainly for */
	uint32_t kinds;      /* all that it may hold, of enum pf_kind; 0 = only `kind` */
	struct pf_folder_looks looks;
	enum pf_role role;
	bool role_by_name;      /* the role is a guess from its name, not the server's word */
	bool selectable;        /* false: only a container (\Noselect) */
	bool may_have_children; /* false: \Noinferiors */
	bool subscribed;
	bool shared;      /* another user's or a public folder */
	bool doubtful;    /* the name could not be decoded, or only LSUB has it: event says why */
	bool others_only; /* it holds something, and all of that goes another way (pf_item.apart) */
	bool has_state;   /* the listing brought `state` with it */
	struct {
		uint64_t validity; /* ids mean nothing under another one; 0 = the store has none */
		uint64_t next;     /* an item stored from now on gets an id of at least this; 0 =
				      unknown */
		uint64_t count;
		struct pf_span cursor; /* opaque: equal cursors, nothing changed (see
					  PF_CAP_CURSOR_FLAGS) */
	} state;
};

#endif
