/*
 * For stores whose items are MAPI items: one of them in the open form of its kind, as GET gives it
 * out, with what became of its properties.
 */
#ifndef PF_STORES_MAPI_FORM_H
#define PF_STORES_MAPI_FORM_H

#include "base/arena.h"
#include "convert/mapi_ways.h"
#include "model/mapi.h"
#include "stores/serial.h"

struct pf_mapi_form {
	struct pf_arena arena; /* of the fates */
	struct pf_fates fates;
	struct pf_buf bytes;
	struct pf_buf raw; /* the item as the store has it, where that is wanted */
	const char *raw_ending;
	struct pf_span left; /* what of them is given out */
	enum pf_kind kind;
};

/* Empty. A zeroed one may be reset. */
void pf_mapi_form_init(struct pf_mapi_form *f);
void pf_mapi_form_deinit(struct pf_mapi_form *f);
/* Empty again; no memory is kept. */
void pf_mapi_form_reset(struct pf_mapi_form *f);

/* What a conversion is told by the administrator: whose addresses of a directory are. */
void pf_mapi_form_ways(const struct pf_store_cfg *cfg, struct pf_mapi_ways *ways);
/* A key of an item that has no name which stays: made of the bytes that it was read from. */
enum { PF_MAPI_KEY_MAX = 80 };
PF_MUST_CHECK int pf_mapi_form_key(
	const char *form, struct pf_span bytes, char out[PF_MAPI_KEY_MAX], struct pf_err *err);
/*
 * Put `item` into its form. `key` names store and item, and is the same in every run; `header` is
 * that of the message that a TNEF was in, or absent. PF_FAIL: no memory, or (item scope) an item
 * that its form can't hold.
 */
PF_MUST_CHECK int pf_mapi_form_make(struct pf_mapi_form *f, const struct pf_store_cfg *cfg,
	const struct pf_mapi_item *item, struct pf_span key, struct pf_span header,
	struct pf_err *err);

/*
 * Where the item is wanted as it is: the bytes of its file, or, with absent `file`, a TNEF stream
 * of it. After pf_mapi_form_make, which is told of it as it is of the form. PF_FAIL: no memory, or
 * (item scope) an item that is too deep for one.
 */
PF_MUST_CHECK int pf_mapi_form_keep(struct pf_mapi_form *f, const struct pf_store_cfg *cfg,
	const struct pf_mapi_item *item, struct pf_span file, const char *ending,
	struct pf_err *err);

/* For `step` of a store on serial.h, of a GET whose form was made: the next event of giving it out,
 * whole or its header section. */
PF_MUST_CHECK int pf_mapi_form_give(struct pf_mapi_form *f, struct pf_serial *s,
	const struct pf_op *op, struct pf_store_event *out, struct pf_err *err);
/* What goes with the item's first bytes. */
void pf_mapi_form_tell(const struct pf_mapi_form *f, struct pf_store_event *out);
/* For its `read`. */
void pf_mapi_form_read(
	const struct pf_mapi_form *f, const struct pf_serial *s, struct pf_span *part);

/* What stores of such items that are files, and are only read, can do. */
struct pf_store_facts pf_mapi_form_facts(const char *server);
/* Of such a store: the kinds that it may hold. */
enum {
	PF_MAPI_KINDS =
		PF_KIND_MAIL | PF_KIND_CALENDAR | PF_KIND_CONTACTS | PF_KIND_TASKS | PF_KIND_NOTES
};

/* ---- of all items, as they are listed ---- */

/* When it came, else was sent, else was made; PF_DATE_NONE: it does not say. */
int64_t pf_mapi_date(const struct pf_mapi_props *props);
/* A message's flags; keywords go into `words`. */
PF_MUST_CHECK int pf_mapi_flags(const struct pf_mapi_props *props, struct pf_buf *words,
	struct pf_flags *out, struct pf_err *err);

#endif
