/*
 * Shared by the files that put items other than mail: keyed.c (which says what the steps are),
 * keyed_find.c and keyed_ask.c.
 */
#ifndef PF_STORES_EWS_KEYED_PRIVATE_H
#define PF_STORES_EWS_KEYED_PRIVATE_H

#include "stores/ews/ews_private.h"

static inline const struct pf_op *eput_op_of(const struct eop *o)
{
	return eop_op(o);
}

static inline struct pf_span eput_place_of(const struct eop *o)
{
	return pf_buf_span(&o->place);
}

/* That it replaces, by the server's id. */
static inline struct pf_span eput_old_of(const struct eop *o)
{
	enum pf_kind ignored;

	return ews_item_meant(eput_op_of(o)->item, &ignored);
}

static inline bool eput_removes(const struct eop *o)
{
	return eput_op_of(o)->kind == PF_OP_REMOVE;
}

static inline bool eput_in_place(const struct eop *o)
{
	return eput_op_of(o)->put.guard == PF_GUARD_SAME;
}

/* It takes several requests. */
static inline bool eput_has_more(const struct eop *o)
{
	return eput_in_place(o) || o->made->files > 0 || o->made->change_n > 0 ||
	       o->made->gone_n > 0;
}

/* ---- keyed_find.c ---- */
/* Of the item that is put or removed. */
enum pf_kind eput_kind_of(const struct estore *s, const struct eop *o);
/* Its name behind a mark. */
int eput_add_key(struct eop *o, struct pf_buf *to, const char *mark, struct pf_err *err);
/* Something of it may be there: the folder is looked at again before the next try. */
void eput_doubtful(struct estore *s, struct eop *o, const char *text);
/* Where it goes to. PF_AGAIN: that has to be made first. */
int eput_find_place(struct estore *s, struct eop *o, struct pf_err *err);
/* Up to what is to be sent first. The names are known. */
int eput_prepare(struct estore *s, struct eop *o, struct pf_err *err);

/* ---- keyed_ask.c: a request each ---- */
/* Exchange 2007 does not tell. */
bool eput_needs_zone(const struct estore *s, const struct eop *o);
int eput_ask_zone(struct estore *s, struct eop *o, struct pf_err *err);
int eput_make_place(struct estore *s, struct eop *o, struct pf_err *err);
/* The answer to that. */
int eput_take_place(struct estore *s, struct eop *o, struct pf_ews_answer *a,
	const struct pf_ews_message *m, struct pf_err *err);
/* With the others that wait for the same: CreateItem, UploadItems. */
int eput_create(struct estore *s, struct eop *o, struct pf_err *err);
/* The next files of an item, as long as they are small together. */
int eput_attach(struct estore *s, struct eop *o, struct pf_span id, const struct pf_mapi_item *item,
	struct pf_err *err);
int eput_change(struct estore *s, struct eop *o, struct pf_err *err);
int eput_take_out(struct estore *s, struct eop *o, struct pf_err *err);
/* Its name, or (`lock`) the mark of the one that it replaces. */
int eput_set_key(struct estore *s, struct eop *o, bool lock, struct pf_err *err);
/* The item in whose place it goes: as it is, and then as it is to be. */
int eput_read_old(struct estore *s, struct eop *o, struct pf_err *err);
int eput_renew(struct estore *s, struct eop *o, struct pf_err *err);
/* The answer to the first: whether one request can make it so. */
int eput_take_old(
	struct estore *s, struct eop *o, const struct pf_ews_message *m, struct pf_err *err);
int eput_remove_one(struct estore *s, struct eop *o, struct pf_span id, struct pf_err *err);

#endif
