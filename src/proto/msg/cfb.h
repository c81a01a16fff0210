/*
 * Compound files ([MS-CFB]): storages and streams in one file, as a file system has folders and
 * files. No I/O: the file lies in memory.
 *
 * All tables of a file may lie. A sector belongs to one stream: where a second chain reaches it, or
 * the same one again, that chain ends, and it is noted. So no file, however it is made, gives more
 * bytes than it has, or has a reader go in circles.
 */
#ifndef PF_PROTO_MSG_CFB_H
#define PF_PROTO_MSG_CFB_H

#include "base/arena.h"
#include "base/err.h"
#include "proto/mapi/notes.h"

enum { PF_CFB_NAME = 32 };

struct pf_cfb_entry {
	char name[PF_CFB_NAME]; /* what is not ASCII is '?' */
	bool storage;           /* else a stream */
	uint32_t id, parent;
	uint32_t start; /* sector */
	uint64_t size;
	uint8_t class_id[16]; /* of a storage: whose object it is */
	/* Of a storage: its entries, sorted by name as bytes. */
	const struct pf_cfb_entry *first;
	size_t n;
};

struct pf_cfb;

bool pf_cfb_is(struct pf_span start);

/*
 * Open the file `in`, from which it borrows; its memory is in `arena`. PF_FAIL: no compound file,
 * or one without a directory (item scope); no memory.
 */
PF_MUST_CHECK int pf_cfb_open(struct pf_span in, struct pf_arena *arena,
	struct pf_mapi_notes *notes, struct pf_cfb **out, struct pf_err *err);

const struct pf_cfb_entry *pf_cfb_root(const struct pf_cfb *c);
/* The entry of that name in `storage`, ASCII case aside; NULL where there is none. */
const struct pf_cfb_entry *pf_cfb_find(const struct pf_cfb_entry *storage, const char *name);

/*
 * The bytes of a stream; empty for a storage. Each can be read once: its sectors are used then.
 * What is missing at its end is noted. PF_FAIL: no memory.
 */
PF_MUST_CHECK int pf_cfb_read(struct pf_cfb *c, const struct pf_cfb_entry *stream,
	struct pf_span *out, struct pf_err *err);

/*
 * All of `storage` as a compound file of its own, in `arena`; its streams are read by that. PF_END:
 * it would be larger than such a file is written here, some 450 MB. PF_FAIL: no memory.
 */
PF_MUST_CHECK int pf_cfb_pack(struct pf_cfb *c, const struct pf_cfb_entry *storage,
	struct pf_arena *arena, struct pf_span *out, struct pf_err *err);

#endif
