/*
 * Shared by the files of stores/wrap/disguise.
 *
 *   disguise.c       what the engine sees: operations handed on, events changed
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

struct dg_folder {
	struct pf_buf id; /* the inner store's */
	struct pf_path path;
	bool selectable, doubtful;
	bool first_parts; /* the second part of some is no TNEF: now the first is asked for */
	enum dg_look look;
	struct pf_err why; /* DG_UNKNOWN */
	bool wanted;       /* of another kind than mail: it is listed */
	uint64_t validity;
	struct dg_item *v; /* in the order of their ids, once looked at */
	size_t n, cap, next, open;
	struct pf_arena arena;
	/* of mail: the LIST that waits for the look, or was handed on */
	struct pf_op_kept list;
	bool has_list;
	uint64_t list_op;
};

/* LIST and GET of a store for another kind than mail, until they end. */
struct dg_request {
	uint64_t op;
	size_t folder, at; /* in its list */
	enum pf_kind kind;
	bool get, begun;
	struct pf_blob *form; /* GET: that is in memory; `at` is the item's place, from 1 */
};

struct dg_store {
	struct pf_store base;
	struct pf_store *inner;
	const struct pf_store_cfg *cfg;
	struct pf_store_facts facts;
	struct dg_folder *folders;
	size_t folder_n, folder_cap;
	uint64_t folders_op; /* FOLDERS under way, of another kind than mail; 0: none */
	bool folders_listed;
	size_t give_at;
	uint32_t give_kinds; /* of the folder before `give_at`, still to be given out */
	struct pf_err
		cant_find; /* the server does not search; text "": it does, as far as is known */
	bool cant_find_told, finds; /* finds: it did once; until then one folder is asked about */
	size_t finding;
	uint64_t kept_bytes;
	struct dg_request *requests;
	size_t request_n, request_cap;
	struct pf_mapi_form form; /* of the last body */
	/* what events borrow */
	char id_out[DG_ID_MAX], left_out[300];
	struct pf_buf folder_id;
	struct pf_folder folder_out;
};

/* ---- disguise_look.c ---- */
/* A folder by the inner store's id; SIZE_MAX: it is not known. */
size_t dg_find_folder(const struct dg_store *s, struct pf_span id);
int dg_add_folder(struct dg_store *s, struct pf_span id, size_t *out, struct pf_err *err);
void dg_folder_free(struct dg_store *s, struct dg_folder *f);
/* What was found in it is forgotten: it is looked at anew. */
void dg_look_again(struct dg_store *s, struct dg_folder *f);
/* Ask for what is to be looked at next, as far as the inner store takes requests. */
int dg_look_step(struct dg_store *s, struct pf_err *err);
/* Whether an event is an answer to that. */
bool dg_look_owns(uint64_t op);
int dg_look_event(struct dg_store *s, const struct pf_store_event *ev, struct pf_err *err);
bool dg_looked(const struct dg_folder *f);
/* A message that may be an item in disguise; NULL: it is none. */
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
