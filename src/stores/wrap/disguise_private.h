/*
 * Shared by the files of stores/wrap/disguise.
 *
 *   disguise.c       what the engine sees: operations handed on, mail's events changed
 *   disguise_folders.c  folders, once it is known what they hold
 *   disguise_items.c    items of other kinds than mail: listed, and given in their form
 *   disguise_look.c  which messages of a folder are items in disguise
 *   disguise_body.c  a message's TNEF part, and what it holds
 */
#ifndef PF_STORES_DISGUISE_PRIVATE_H
#define PF_STORES_DISGUISE_PRIVATE_H

#include "base/arena.h"
#include "base/buf.h"
#include "stores/mapi_form.h"
#include "stores/op.h"
#include "stores/wrap/disguise.h"
#include "stores/wrap/wrapper.h"

enum {
	DG_PEEKS_MAX = 256, /* beginnings of parts that are asked for at the same time */
	DG_ID_MAX = 64,
	DG_KEPT_BYTES = 16 << 20, /* forms in memory, so that no body is asked for twice */
};

enum dg_look { DG_NOT_LOOKED, DG_FINDING, DG_PEEKING, DG_LOOKED, DG_UNKNOWN };

/* A message that may be an item in disguise. */
struct dg_item {
	struct pf_span id;    /* the inner store's; in the arena */
	enum pf_kind kind;    /* 0: not known yet; mail: it is none */
	struct pf_blob *form; /* that it was given in before; NULL: it is not kept */
};

/* What was found in a folder. */
struct dg_found {
	struct dg_item *v; /* in the order of their ids, once looked at */
	size_t n, cap;
	uint64_t validity;
	struct pf_arena arena;
};

struct dg_folder {
	struct pf_buf id; /* the inner store's */
	struct pf_path path;
	struct pf_folder listed; /* as the inner store has it; path and spans are those above */
	struct pf_buf cursor;
	bool is_listed; /* in the last FOLDERS */
	bool selectable;
	bool first_parts; /* the second part of some is no TNEF: now the first is asked for */
	enum dg_look look;
	struct pf_err why;           /* DG_UNKNOWN */
	bool wanted;                 /* of another kind than mail: it is listed */
	struct dg_found now, before; /* before: while it is looked at anew */
	uint64_t count;              /* of its messages, when it was looked at */
	size_t next, open;
	/* of mail: the LIST that waits for the look, or was handed on */
	struct pf_op_kept list;
	bool has_list;
	uint64_t list_op;
};

/* LIST and GET of items of another kind than mail, until they end. */
struct dg_request {
	uint64_t op;
	size_t folder, at; /* LIST: in what was found */
	enum pf_kind kind;
	bool get, begun;
	struct pf_blob *form; /* GET: that is in memory */
	char id[DG_ID_MAX];   /* GET: the message's */
};

struct dg_store {
	struct pf_wrapper base;
	const struct pf_store_cfg *cfg;
	struct pf_store_facts facts;
	struct dg_folder *folders;
	size_t folder_n, folder_cap;
	uint64_t folders_op; /* FOLDERS under way that wait for what they hold; 0: none */
	bool folders_listed;
	size_t give_at;
	uint32_t give_kinds; /* as which the folder before `give_at` is still to be given out */
	struct pf_err
		cant_find; /* the server does not search; text "": it does, as far as is known */
	bool cant_find_told, finds; /* finds: it did once; until then one folder is asked about */
	size_t finding;
	uint64_t kept_bytes;
	struct dg_request *requests;
	size_t request_n, request_cap;
	struct pf_mapi_form form; /* of the last body */
	/* what events borrow */
	char id_out[DG_ID_MAX + 24], left_out[300];
	struct pf_buf folder_id;
	struct pf_folder folder_out;
};

/* Mail is given out, alone or beside other kinds. */
static inline bool dg_gives_mail(const struct dg_store *s)
{
	return s->cfg->disguised.here == 0 || s->cfg->disguised.mail;
}

/* The kinds of messages that are none. */
static inline uint32_t dg_apart(const struct dg_store *s)
{
	return s->cfg->disguised.here | s->cfg->disguised.elsewhere;
}

/* It may be looked at another time: then its LIST fails, and comes again. */
static inline bool dg_is_put_off(const struct dg_folder *f)
{
	return f->look == DG_UNKNOWN && f->why.retry != PF_RETRY_NO;
}

/* ---- disguise.c ---- */
/* What was converted in the place of what came. PF_END: it stays as it is. */
int dg_replace(struct dg_store *s, struct pf_store_event *ev, uint32_t kinds, struct pf_err *err);

/* ---- disguise_folders.c ---- */
int dg_submit_folders(struct dg_store *s, const struct pf_op *op, struct pf_err *err);
/* An event of that operation. PF_AGAIN: it is not the engine's to hear. */
int dg_folders_event(struct dg_store *s, const struct pf_store_event *ev, struct pf_err *err);
/* The next event of what is listed. PF_AGAIN: nothing to give. */
int dg_give_folders(struct dg_store *s, struct pf_store_event *out, struct pf_err *err);
/* Of an id that was given out for another kind than mail. */
bool dg_folder_of(const struct dg_store *s, struct pf_span id, size_t *folder, enum pf_kind *kind);

/* ---- disguise_items.c ---- */
/* LIST and GET of a folder that was given out for another kind than mail. */
int dg_submit_items(struct dg_store *s, const struct pf_op *op, struct pf_err *err);
bool dg_items_own(const struct dg_store *s, uint64_t op);
/* An answer to one of them. PF_AGAIN: it is not the engine's to hear. */
int dg_items_event(struct dg_store *s, struct pf_store_event *ev);
/* The next event of the first LIST, or of what is in memory. PF_AGAIN: there is none. */
int dg_give_items(struct dg_store *s, struct pf_store_event *out);
/* Whether some of a folder's items were listed, and others are still to be. */
bool dg_is_listing(const struct dg_store *s, size_t folder);
void dg_items_free(struct dg_store *s);

/* ---- disguise_look.c ---- */
/* A folder by the inner store's id; SIZE_MAX: it is not known. */
size_t dg_find_folder(const struct dg_store *s, struct pf_span id);
int dg_add_folder(struct dg_store *s, struct pf_span id, size_t *out, struct pf_err *err);
void dg_folder_free(struct dg_store *s, struct dg_folder *f);
/* It is looked at anew: only of messages that were not there before anything is asked for. */
void dg_look_again(struct dg_store *s, struct dg_folder *f);
/* Ask for what is to be looked at next, as far as the inner store takes requests. */
int dg_look_step(struct dg_store *s, struct pf_err *err);
/* Whether an event is an answer to that. */
bool dg_look_owns(uint64_t op);
int dg_look_event(struct dg_store *s, const struct pf_store_event *ev, struct pf_err *err);
bool dg_looked(const struct dg_folder *f);
/* A message that may be an item in disguise; NULL: it is none, or it is not known yet. */
struct dg_item *dg_find_item(const struct dg_folder *f, struct pf_span id);

/* ---- disguise_body.c ---- */
/* The kind of the item whose TNEF begins with this text of a part in base64; 0: it is no TNEF. */
enum pf_kind dg_kind_of_start(struct pf_span base64);
/*
 * The item that a message's TNEF part holds, in its form. PF_END: it has no such part, or none of a
 * kind in `kinds`. PF_FAIL: no memory, or (item scope) it can't be read, or not wholly.
 */
int dg_convert(struct dg_store *s, struct pf_span message, uint32_t kinds, struct pf_err *err);
/* A message about its TNEF part: what stays mail though it is none, in words; NULL: nothing. */
const char *dg_stays(struct dg_store *s, struct pf_span message);

#endif
