/*
 * What a message is made of, as the server tells it: BODYSTRUCTURE (RFC 9051 section 7.5.2) down to
 * the parts that BODY[n] gives, and ENVELOPE as far as a person knows a message by it.
 */
#ifndef PF_PROTO_IMAP_STRUCTURE_H
#define PF_PROTO_IMAP_STRUCTURE_H

#include "base/arena.h"
#include "base/buf.h"

enum { PF_IMAP_PARTS_MAX = 64, PF_IMAP_PART_PATH = 40 };

struct pf_imap_part {
	char path[PF_IMAP_PART_PATH]; /* "1.2"; "" is the whole of a multipart message */
	size_t depth;                 /* 0 for the message itself */
	bool multipart;
	struct pf_span boundary; /* of a multipart; absent: not told */
	uint64_t octets;         /* of any other: of its body as it is encoded */
};

/* A part comes before those within it. An attached message is one part. */
struct pf_imap_structure {
	struct pf_imap_part part[PF_IMAP_PARTS_MAX];
	size_t n;
};

/*
 * `inside`: what lies between the parentheses. Boundaries are copied into `arena`. false: it can't
 * be understood, or has more parts or depth than can be dealt with.
 */
bool pf_imap_structure_parse(
	struct pf_span inside, struct pf_arena *arena, struct pf_imap_structure *out);

/* Date, Subject, From and Message-ID of an envelope as lines of a header, with the empty line
 * behind them. PF_FAIL: it can't be understood, or no memory. */
PF_MUST_CHECK int pf_imap_envelope_header(
	struct pf_span inside, struct pf_buf *out, struct pf_err *err);

#endif
