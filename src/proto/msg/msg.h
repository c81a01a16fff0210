/*
 * Outlook's items in a file of their own, .msg ([MS-OXMSG]). No I/O: the file lies in memory.
 *
 * A message is a storage of a compound file; so is each recipient, attachment, and message within.
 * Values of a fixed length are in one stream of it, each other value is a stream whose name tells
 * id and type. What properties have instead of ids is in a storage at the top (names.c).
 */
#ifndef PF_PROTO_MSG_MSG_H
#define PF_PROTO_MSG_MSG_H

#include "model/mapi.h"
#include "proto/mapi/notes.h"

enum { PF_MSG_DEPTH_MAX = 16 };

/* Whether the bytes begin as a compound file does. */
bool pf_msg_is(struct pf_span start);

/*
 * Fill the empty `item` from the file `in`, from which it borrows. Strings are decoded.
 *
 * Streams that are missing, too short or not known are notes; so is an item deeper than
 * PF_MSG_DEPTH_MAX. An object in a storage of its own is given as a compound file. The arena
 * takes a bounded number of bytes for each of `in`.
 *
 * PF_FAIL: no compound file, or none that holds a message (item scope); no memory.
 */
PF_MUST_CHECK int pf_msg_read(struct pf_span in, struct pf_mapi_item *item,
	struct pf_mapi_notes *notes, struct pf_err *err);

#endif
