#ifndef PF_PROTO_MSG_MSG_PRIVATE_H
#define PF_PROTO_MSG_MSG_PRIVATE_H

#include "proto/mapi/wire.h"
#include "proto/msg/cfb.h"
#include "proto/msg/msg.h"

/* Names by the number of their property above 0x8000; NULL where there is none. */
struct msg_names {
	struct pf_mapi_name **v;
	size_t n;
};

/* The storage of names of a file. PF_FAIL: no memory. */
int msg_names_read(struct pf_cfb *c, struct pf_arena *arena, struct pf_mapi_notes *notes,
	struct msg_names *out, struct pf_err *err);

#endif
