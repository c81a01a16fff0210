/*
 * A store in memory, without sockets, disk or clock: tests of the engine run whole migrations on
 * it, and it passes the same suite as every other store.
 *
 * The URL mem:NAME opens a fresh, empty account that goes with its store. Who needs more than one
 * store on an account, or wants to look into it, makes the account and opens the stores on it. What
 * an account can do is its facts: each capability bit that is taken away makes it behave like a
 * server that lacks it.
 */
#ifndef PF_STORES_MEM_MEM_H
#define PF_STORES_MEM_MEM_H

#include "stores/store.h"

struct pf_mem; /* an account */
struct pf_mem_folder;

struct pf_mem_item {
	uint64_t uid;
	struct pf_blob *body;
	struct pf_flags flags; /* kw borrows from kw_buf */
	struct pf_buf kw_buf;
	int64_t date_utc_s;
	int zone_min;
	uint64_t change; /* of the account's counter, when it came or its flags changed */
};

/* What may happen to an operation instead of its usual end. */
enum pf_mem_fault {
	PF_MEM_FINE,
	PF_MEM_REFUSED,        /* a final no to this very item */
	PF_MEM_REFUSED_FOLDER, /* a final no to all that is done in this folder */
	PF_MEM_LATER,          /* a no that may pass */
	PF_MEM_THROTTLED,      /* the same, with the wish to wait for some seconds */
	PF_MEM_FULL,           /* PUT: no room */
	PF_MEM_LOST_UNSENT,    /* the connection is lost before it left */
	PF_MEM_LOST_BEFORE, /* it left, was not done, and the connection is lost: it is in doubt */
	PF_MEM_LOST_AFTER,  /* it was done, and the connection is lost: it is in doubt as well */
	PF_MEM_LOST_WITHIN, /* GET, LIST, FOLDERS: a part came. PUT by feed(): a part went */
	PF_MEM_HANGS,       /* no answer until pf_mem_time_out, then as LOST_BEFORE */
	PF_MEM_OMITTED,     /* GET: OK without the item. LIST: OK with too few rows */
	PF_MEM_VANISHES,    /* GET: another client removed it just now */
	PF_MEM_RENUMBERED,  /* the folder's items got new ids just now (UIDVALIDITY) */
	PF_MEM_STORE_LOST,  /* the whole store, as after too many lost connections */
};

/* What a test decides; both may be NULL. */
struct pf_mem_whims {
	/* Asked once for each operation, as it begins. */
	enum pf_mem_fault (*fault)(struct pf_mem_whims *w, const struct pf_op *op);
	/* Which of `n` folders' queues moves on, from 0; n: none now, and next() says AGAIN. */
	size_t (*turn)(struct pf_mem_whims *w, size_t n);
};

struct pf_mem_traits {
	struct pf_store_facts facts;
	uint32_t permitted_sys;
	bool permitted_any;
	const char *permitted_kw;  /* canonical list, when not any */
	int64_t oldest_date_utc_s; /* a PUT with one before it is refused; PF_DATE_NONE = none is */
};

/* An account with an empty INBOX and all capabilities but FOLD_CASE. */
PF_MUST_CHECK int pf_mem_new(struct pf_mem **out, struct pf_err *err);
/* All stores on it must be closed. NULL is fine. */
void pf_mem_free(struct pf_mem **account);
/* To be changed while no operation is under way. */
struct pf_mem_traits *pf_mem_traits(struct pf_mem *m);
void pf_mem_set_whims(struct pf_mem *m, struct pf_mem_whims *whims);
/* The idle timeout of all that hangs. */
void pf_mem_time_out(struct pf_mem *m);
/* Another store on the account; `cfg` as for open. */
PF_MUST_CHECK int pf_mem_open(struct pf_mem *m, const struct pf_store_cfg *cfg,
	struct pf_store **out, struct pf_err *err);

/* ---- what another client does, and what there is ---- */

/* The folder of this path; made with its parents when it is not there. */
PF_MUST_CHECK int pf_mem_folder(struct pf_mem *m, const struct pf_path *path, enum pf_role role,
	struct pf_mem_folder **out, struct pf_err *err);
size_t pf_mem_folders(const struct pf_mem *m);
struct pf_mem_folder *pf_mem_folder_at(const struct pf_mem *m, size_t i);
const struct pf_path *pf_mem_folder_path(const struct pf_mem_folder *f);
bool pf_mem_folder_subscribed(const struct pf_mem_folder *f);
uint64_t pf_mem_folder_validity(const struct pf_mem_folder *f);

/* Flags and date are those of `like`. */
PF_MUST_CHECK int pf_mem_add(struct pf_mem_folder *f, struct pf_span body,
	const struct pf_item *like, uint64_t *uid, struct pf_err *err);
/* Items in order of their uids; index from 0. */
size_t pf_mem_items(const struct pf_mem_folder *f);
const struct pf_mem_item *pf_mem_item_at(const struct pf_mem_folder *f, size_t i);
PF_MUST_CHECK int pf_mem_set_flags(
	struct pf_mem_folder *f, uint64_t uid, struct pf_flags flags, struct pf_err *err);
/* One that is not there is no error. */
PF_MUST_CHECK int pf_mem_remove(struct pf_mem_folder *f, uint64_t uid, struct pf_err *err);
/* All items get new ids: another UIDVALIDITY. */
void pf_mem_renumber(struct pf_mem_folder *f);

#endif
