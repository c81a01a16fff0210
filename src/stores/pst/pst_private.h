/*
 * A PST, OST or PAB file as a source, read by libpff. What its folders hold is by class of each
 * item, so a folder that holds several kinds is given out once for each.
 *
 * An item's id is the number of its node, which is the same for as long as the file lives
 * ([MS-PST] 2.2.2.1); one that can't be opened is known by its place in its folder, so that it is
 * counted, and fails by itself. Deleted items that were found are in a folder of their own; as a
 * file may hold several states of one, the id of each has node and state in it.
 *
 *   store.c    what the engine sees
 *   folders.c  the tree
 *   found.c    deleted items that the file still holds
 *   items.c    listing, and items in their open form
 *   read.c     libpff's items as MAPI items
 */
#ifndef PF_STORES_PST_PST_PRIVATE_H
#define PF_STORES_PST_PST_PRIVATE_H

#include "model/mapi.h"
#include "stores/mapi_form.h"

#include <libpff.h>

enum { PS_DEPTH = 16, PS_ID_MAX = 56, PS_CLASS_MAX = 256, PS_KEY_MAX = 120 };
/* In place of a node: the folder of what was deleted. No folder is of such a type ([MS-PST]
 * 2.2.2.1). */
#define PS_FOUND_NODE UINT32_MAX

/* A folder of the file, before it is known what it holds. */
struct ps_folder {
	uint32_t node;
	struct pf_path path;
	enum pf_kind kind; /* by its class */
	enum pf_role role;
};

/* A deleted item that the file still holds. */
struct ps_found {
	uint32_t node;
	uint32_t state; /* of those of one node, which one: follows from its properties */
	uint32_t nth;   /* of several of one node and state, from 0 */
	int place;      /* in libpff's list */
	uint8_t list;   /* which one: of found.c */
};

struct ps_store {
	struct pf_serial base;
	char path[4096];
	libpff_file_t *file;
	uint32_t code_page;     /* of strings, where an item does not tell */
	uint8_t record_key[16]; /* of the message store: what the file is, whatever its name */
	/* FOLDERS */
	struct ps_folder *folders;
	size_t folder_n, folder_cap, at;
	uint32_t kinds_left; /* of the folder before `at`, still to be given out */
	/* what was deleted, by its ids; looked for when it is needed, and once */
	struct ps_found *found;
	size_t found_n, found_cap;
	bool sought, found_broken;
	struct pf_err found_why; /* of found_broken */
	/* LIST */
	libpff_item_t *listed;
	int list_n, list_i;
	/* what events borrow */
	char id_out[PS_ID_MAX], version_out[24], note_out[400];
	struct pf_folder folder_out;
	struct pf_buf words;
	struct pf_mapi_form form; /* GET */
};

/* What libpff says of it goes behind the text; `why` is freed. PF_FAIL. */
int ps_fail(struct pf_err *err, enum pf_scope scope, libpff_error_t **why, const char *text);

/* ---- folders.c ---- */
int ps_step_folders(
	struct ps_store *s, const struct pf_op *op, struct pf_store_event *out, struct pf_err *err);
void ps_folders_free(struct ps_store *s);
/* A folder's id: its node, and the kind that is meant. */
void ps_folder_id(uint32_t node, enum pf_kind kind, char out[PS_ID_MAX]);
/* Both of them from an id that was given out; false: it is none. */
bool ps_folder_of(struct pf_span id, uint32_t *node, enum pf_kind *kind);

/* ---- found.c ---- */
/*
 * Fills `found`, unless that was done. PF_FAIL: no memory. A file in which they can't be looked for
 * is one with found_broken, and with those that were found all the same.
 */
PF_MUST_CHECK int ps_find(struct ps_store *s, struct pf_err *err);
void ps_found_free(struct ps_store *s);
void ps_found_id(const struct ps_found *f, char out[PS_ID_MAX]);
/* Whether an id is of such an item; which one, NULL: there is none of this id. */
bool ps_is_found(struct pf_span id);
const struct ps_found *ps_found_of(const struct ps_store *s, struct pf_span id);
/* What libpff says, which opens it: 1 is good. */
int ps_found_open(
	struct ps_store *s, const struct ps_found *f, libpff_item_t **out, libpff_error_t **why);

/* ---- items.c ---- */
int ps_step_list(
	struct ps_store *s, const struct pf_op *op, struct pf_store_event *out, struct pf_err *err);
int ps_step_get(
	struct ps_store *s, const struct pf_op *op, struct pf_store_event *out, struct pf_err *err);
/* What kind of item it is, by its class. */
enum pf_kind ps_kind_of(libpff_item_t *item);
/*
 * The octets of an item's value under `tag`, into `out` of `size`; *n is how many there are,
 * *text16 (if wanted) whether they are UTF-16. False: it has none, or they don't fit.
 */
bool ps_value(
	libpff_item_t *item, uint32_t tag, uint8_t *out, size_t size, size_t *n, bool *text16);
/* A class, which is ASCII in whatever form; "" where there is none. */
void ps_class(libpff_item_t *item, uint32_t tag, char out[PS_CLASS_MAX]);
/* A number that an item has under `tag`; false: it has none. */
bool ps_number(libpff_item_t *item, uint32_t tag, uint64_t *out);

/* ---- read.c ---- */
/*
 * The whole item, those within it as well, in `arena`; its strings are decoded. PF_FAIL (item
 * scope): a part of it can't be read. With `partly` it comes without that, and says so itself, as
 * long as anything of it is there.
 */
int ps_read(struct ps_store *s, libpff_item_t *from, bool partly, struct pf_arena *arena,
	struct pf_mapi_item **out, struct pf_err *err);

#endif
