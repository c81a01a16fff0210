#ifndef PF_PROTO_TNEF_TNEF_PRIVATE_H
#define PF_PROTO_TNEF_TNEF_PRIVATE_H

#include "proto/mapi/wire.h"
#include "proto/tnef/tnef.h"

/* One stream on its way into an item. */
struct tnef {
	const uint8_t *origin; /* of the outermost stream */
	struct pf_mapi_notes *notes;
	struct pf_mapi_item *item;
	unsigned depth;
	/* What attributes stand for, used where no property list tells it. */
	struct pf_mapi_props legacy, attach_legacy;
	/* The attachment that attributes belong to is the last one of the item. */
	bool in_attachment, ole;
	struct pf_span data; /* of attAttachData */
};

static inline size_t tnef_at(const struct tnef *t, const uint8_t *p)
{
	return p ? (size_t)(p - t->origin) : 0;
}

static inline int tnef_no_memory(struct pf_err *err)
{
	return pf_fail_memory(err, "a TNEF stream");
}

/* ---- tnef.c ---- */

/* The stream `in` into `t->item`; what is within is decoded later. */
int tnef_stream(struct tnef *t, struct pf_span in, struct pf_err *err);

/* ---- attribute.c ---- */

struct tnef_attribute {
	uint8_t level; /* 1: of the message, 2: of an attachment */
	uint32_t id;
	struct pf_span data;
};

/* Keep what `a` stands for. PF_END: it is not known. */
int tnef_legacy(struct tnef *t, const struct tnef_attribute *a, struct pf_err *err);
/* Add to `to` what `legacy` has and `to` has not. */
int tnef_settle(struct tnef *t, struct pf_mapi_props *to, const struct pf_mapi_props *legacy,
	struct pf_err *err);

/* ---- list.c ---- */

/*
 * Take a property list off the front of `*in`. PF_END: it is cut off or broken, which is noted, and
 * where it ends is not known.
 */
int tnef_list(struct tnef *t, struct pf_span *in, struct pf_mapi_props *to, struct pf_err *err);
int tnef_recipients(struct tnef *t, struct pf_span in, struct pf_err *err);

/* ---- attach.c ---- */

int tnef_attach_begin(struct tnef *t, struct pf_err *err);
/* All attributes of the attachment were there; nothing where none began. */
int tnef_attach_end(struct tnef *t, struct pf_err *err);

#endif
