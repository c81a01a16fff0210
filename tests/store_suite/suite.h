/*
 * What every store must do, written against stores/store.h only. main.c opens the account that a
 * URL names; each case works in a folder of its own, so the account may be any that may be written
 * to.
 *
 *   drive.c         operations and their events; that each ends exactly once is checked here
 *   case_folders.c  names, depth, making, subscribing
 *   case_items.c    bytes, flags, dates, order
 *   case_list.c     listings, cursors, changes
 *   case_stream.c   large items, feed, chunks, groups
 *   case_life.c     full windows, ends, source mode
 *   case_keyed.c    items with identifiers: versions, guards
 *
 * What an ordinary item is depends on the store: a message, a calendar item or a contact.
 */
#ifndef PF_TESTS_STORE_SUITE_H
#define PF_TESTS_STORE_SUITE_H

#include "stores/store.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

/* How to get at the account; made by main.c. */
struct account {
	int (*open)(struct account *a, bool source, struct pf_store **out, struct pf_err *err);
	/* Sleep until something may have happened; false: in vain, for very long. */
	bool (*wait)(struct account *a, int64_t wake_ms);
};

struct row { /* of a listing */
	char id[300], kw[300], version[120];
	uint64_t size;
	int64_t date_utc_s;
	uint32_t sys;
};

struct seen_folder {
	struct pf_path path;
	char id[400], cursor[120];
	bool selectable, subscribed;
	enum pf_role role;
};

/* An operation and all that came of it. */
struct task {
	struct task *next;
	uint64_t id;
	enum pf_op_kind kind;
	bool ended, failed, in_doubt, missing, refused, grouped, recalled;
	enum pf_conflict conflict;
	struct pf_err why;
	bool has_new_id;
	char new_id[400], new_version[120];
	/* LIST */
	size_t states;
	bool delta, permitted_any;
	uint32_t permitted_sys;
	uint64_t validity, next_id, count;
	char cursor[120];
	struct row *rows;
	size_t n, gone;
	/* FOLDERS */
	struct seen_folder *folders;
	size_t folders_n;
	/* GET */
	struct pf_buf body;
	size_t bodies, chunks;
	/* PUT by feed() */
	size_t hungry;
};

struct suite {
	struct account *account;
	struct pf_store *store;
	struct task *tasks;
	uint64_t last_id;
	bool ready, over;
	char folder[400]; /* id of the case's own folder */
	struct pf_path path;
};

extern struct account *suite_account; /* set once by main, before the first case */
extern enum pf_kind suite_kind;       /* of the items that the cases put; the same */

int suite_setup(void **state);
int suite_teardown(void **state);
#define CASE(f) cmocka_unit_test_setup_teardown(f, suite_setup, suite_teardown)

/* Another store on the account instead of the one that is open. */
void reopen(struct suite *s, bool source);
/* Close and free all that a suite has. */
void suite_end(struct suite *s);
bool has_cap(const struct suite *s, uint32_t cap);
/* Says so: the case is not for this store. */
bool lacks(const struct suite *s, uint32_t cap);
/* The same, for cases about what only messages have: flags, dates, any bytes. */
bool lacks_mail(const struct suite *s);

/* Begin an operation: op->id is set here. Waits while the window is full. */
struct task *begin(struct suite *s, struct pf_op *op);
/* The same, once: NULL when the window is full. */
struct task *try_begin(struct suite *s, struct pf_op *op);
/* Take one event; false: the store has ended. */
bool take_one(struct suite *s);
/* Take what there is now, without waiting. */
void take_some(struct suite *s);
void settle(struct suite *s, struct task *t);
void settle_all(struct suite *s);
/* Begin and settle; it must have worked. */
struct task *run(struct suite *s, struct pf_op *op);

/* In the case's folder, or in the one with this id. */
struct pf_op op_list(const struct suite *s);
struct pf_op op_get(const struct suite *s, const char *id, uint64_t size);
/* The body is the operation's until it is begun: drop() afterwards. */
struct pf_op op_put(const struct suite *s, struct pf_span bytes);
void drop(struct pf_op *op);
struct pf_op op_mkfolder(const struct pf_path *path);

struct task *list(struct suite *s);
struct task *folders(struct suite *s);
/* The folder's cursor: some stores know it only from their last listing of folders. */
const char *cursor_now(struct suite *s);
const struct seen_folder *find_folder(const struct task *folders, const struct pf_path *path);
/* Put plain bytes; the id as listed goes to `id` when it is not NULL. */
void put(struct suite *s, struct pf_span bytes, char id[300]);
struct pf_span get(struct suite *s, const char *id, uint64_t size);
/*
 * Whether what came back is what was given: octet for octet where that is claimed; else headers may
 * have been put before it, and line ends may be others.
 */
bool same_but_line_ends(struct pf_span back, struct pf_span given);
bool came_back(const struct suite *s, struct pf_span back, struct pf_span given);
/* Make a folder below the case's own. */
struct task *make_below(struct suite *s, const char *const *segments, struct pf_path *path);
/* An ordinary item, told from others by `n`; in a static buffer. */
struct pf_span message(unsigned int n);

size_t folder_cases(const struct CMUnitTest **out);
size_t item_cases(const struct CMUnitTest **out);
size_t list_cases(const struct CMUnitTest **out);
size_t stream_cases(const struct CMUnitTest **out);
size_t life_cases(const struct CMUnitTest **out);
size_t keyed_cases(const struct CMUnitTest **out);

#endif
