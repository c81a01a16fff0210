/*
 * The insides of the store in memory.
 *
 *   account.c  folders and items
 *   store.c    queues, events, life
 *   perform.c  what each operation does
 *   group.c    PUTs that are stored together
 */
#ifndef PF_STORES_MEM_MEM_PRIVATE_H
#define PF_STORES_MEM_MEM_PRIVATE_H

#include "stores/mem/mem.h"
#include "stores/op.h"

enum {
	MEM_OPS_MAX = 1024,
	MEM_CHUNK = 64 * 1024,
	MEM_GROUP_MAX = 8,
	MEM_TEXT_MAX = 1 << 20,
};

struct mem_gone {
	uint64_t uid, change;
};

struct pf_mem_folder {
	struct pf_mem *account;
	char id[24];
	struct pf_path path;
	enum pf_role role;
	bool subscribed;
	uint64_t validity, next;
	uint64_t change; /* the latest of its items */
	struct pf_mem_item **items;
	size_t n, cap;
	struct mem_gone *gone;
	size_t gone_n, gone_cap;
};

struct pf_mem {
	struct pf_mem_traits traits;
	struct pf_mem_whims *whims;
	struct pf_mem_folder **folders;
	size_t n, cap;
	uint64_t last_id, change, last_validity;
	unsigned int timeouts;
};

/* ---- account.c ---- */
bool mem_has(const struct pf_mem *m, uint32_t cap);
struct pf_mem_folder *mem_folder_by_id(const struct pf_mem *m, struct pf_span id);
struct pf_mem_folder *mem_folder_by_path(const struct pf_mem *m, const struct pf_path *path);
/* NULL: there is none of this id. */
struct pf_mem_item *mem_item(const struct pf_mem_folder *f, struct pf_span id);
uint64_t mem_listed_size(const struct pf_mem_folder *f, const struct pf_mem_item *item);
/* As pf_mem_add, for a body that is there already. */
int mem_add_blob(struct pf_mem_folder *f, struct pf_blob *body, const struct pf_item *like,
	uint64_t *uid, struct pf_err *err);
int mem_cursor(const struct pf_mem_folder *f, struct pf_buf *out, struct pf_err *err);

/* ---- operations ---- */

struct mem_end {
	struct pf_err why;
	bool failed, in_doubt, missing, refused, grouped, recalled, has_id;
};

struct mem_op {
	struct mem_op *next;
	struct pf_op_kept kept;
	struct mem_queue *queue;
	struct pf_buf new_id; /* DONE of PUT and MKFOLDER */
	enum pf_mem_fault fault;
	bool begun, hung;
	unsigned int hung_at;
	size_t at;        /* of what is given out, item by item */
	uint64_t offset;  /* of a body that is given out or taken in parts */
	uint64_t since;   /* LIST: the change that the cursor names */
	bool delta, told; /* LIST: by changes; STATE, BODY or HUNGRY was told */
	bool taken;       /* PUT: a part was fed and not digested */
	bool turned_away, abandoned;
	struct pf_blob *body; /* GET: what is given out; PUT: what was fed */
	struct mem_end end;
};

/* The operations of one folder, in order; those of no folder are in a queue of their own. */
struct mem_queue {
	struct mem_queue *next;
	struct pf_buf id;
	struct mem_op *first, *last;
	struct mem_op *group, *group_last; /* PUTs that wait for more, in order */
	size_t group_n;
	uint64_t validity; /* as of the last LIST: what ids mean here; 0 = none yet */
};

struct mem_store {
	struct pf_store base;
	struct pf_mem *account;
	bool owned; /* the account goes with the store */
	const struct pf_store_cfg *cfg;
	struct mem_queue *queues;
	struct mem_op *ended_first, *ended_last;
	struct mem_op *told; /* the last event borrows from it */
	size_t ops;
	bool ready_told, closing, closed;
	struct pf_err lost; /* text set: the store is lost */
	struct pf_folder folder_out;
	struct pf_buf cursor_out, id_out;
};

/* ---- store.c ---- */
/* Off its queue, with its end to be told. */
void mem_op_end(struct mem_store *s, struct mem_op *op, const struct mem_end *end);
void mem_op_done(struct mem_store *s, struct mem_op *op, struct pf_span id);
void mem_store_lose(struct mem_store *s, const struct pf_err *why);

/* ---- perform.c ---- */
/* One step of the operation at the front of its queue. *moved: it got on; *given: `out` is filled.
 */
int mem_perform(struct mem_store *s, struct mem_op *op, struct pf_store_event *out, bool *given,
	bool *moved, struct pf_err *err);
/* What a fault makes of an operation's end. */
void mem_fault_end(enum pf_mem_fault fault, const struct mem_op *op, struct mem_end *end);
bool mem_is_lost(enum pf_mem_fault fault);

/* ---- group.c ---- */
bool mem_group_takes(const struct mem_store *s, const struct mem_op *op);
void mem_group_add(struct mem_store *s, struct mem_op *op);
int mem_group_close(struct mem_store *s, struct mem_queue *q, struct pf_err *err);
/* Whether the account takes no such item. */
bool mem_is_refused(const struct pf_mem *m, const struct mem_op *op);
/* Store one whole item; the operation ends. */
int mem_put(struct mem_store *s, struct mem_op *op, struct pf_err *err);

#endif
