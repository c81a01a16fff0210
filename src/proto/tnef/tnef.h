/*
 * Items in mail's disguise: application/ms-tnef, winmail.dat ([MS-OXTNEF]). No I/O: a stream lies
 * in memory.
 *
 * A stream is a signature and attributes to the end, first those of the message, then those of each
 * attachment. Most of them are older than properties and stand for one each; property lists are
 * attributes themselves. An attachment that is an item holds a whole stream.
 *
 *   tnef.c       the stream, and which attribute goes where
 *   attribute.c  attributes that stand for properties
 *   list.c       property lists
 *   attach.c     what an attachment is
 *   write.c      an item as a stream
 */
#ifndef PF_PROTO_TNEF_TNEF_H
#define PF_PROTO_TNEF_TNEF_H

#include "base/buf.h"
#include "model/mapi.h"
#include "proto/mapi/notes.h"

enum { PF_TNEF_DEPTH_MAX = 16 };

/* Whether the bytes begin as a stream does. */
bool pf_tnef_is(struct pf_span start);

/* The class that a stream tells, of which only the beginning need be there; false: it does not. */
bool pf_tnef_class(struct pf_span start, struct pf_span *out);

/*
 * Fill the empty `item` from the stream `in`, from which it borrows. Strings are decoded.
 *
 * A property list wins over an attribute that stands for the same; dates without a zone are used
 * where no other is, as if they were UTC. A wrong checksum, an unknown attribute and a stream that
 * is cut off are notes, with the offset in `in`; so is an item deeper than PF_TNEF_DEPTH_MAX, which
 * stays the bytes of a stream. The arena takes a bounded number of bytes for each of `in`.
 *
 * PF_FAIL: no signature (item scope), or no memory.
 */
PF_MUST_CHECK int pf_tnef_read(struct pf_span in, struct pf_mapi_item *item,
	struct pf_mapi_notes *notes, struct pf_err *err);

/*
 * Append the item and all within as a stream, from which pf_tnef_read gets the same properties; its
 * strings must have been decoded. PF_FAIL: no memory, past the ceiling of `out`, or (item scope)
 * deeper than PF_TNEF_DEPTH_MAX; `out` is then as long as it was.
 */
PF_MUST_CHECK int pf_tnef_write(
	const struct pf_mapi_item *item, struct pf_buf *out, struct pf_err *err);

#endif
