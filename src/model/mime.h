/*
 * The parts of a message (RFC 2045, 2046), told apart without touching an octet.
 *
 * A library that parses MIME writes a message anew, and with it all that nobody asked to be
 * changed: boundaries, folds, the order of parameters. Here only spans of the given message come
 * out, so that whoever has to encode one part anew can copy all others as they are.
 */
#ifndef PF_MODEL_MIME_H
#define PF_MODEL_MIME_H

#include "base/buf.h"
#include "base/digest.h"

enum pf_mime_encoding {
	PF_MIME_PLAIN, /* 7bit, 8bit, none: lines of text */
	PF_MIME_BINARY,
	PF_MIME_QP,
	PF_MIME_BASE64,
	PF_MIME_OTHER, /* unknown: can't be decoded */
};

/* A part that holds no others. */
struct pf_mime_part {
	struct pf_span header; /* with the empty line behind it, if it has one */
	struct pf_span body;   /* without the line end that belongs to the boundary behind it */
	enum pf_mime_encoding encoding;
	bool text;   /* its type is text/, or not told */
	bool sealed; /* within multipart/signed or multipart/encrypted */
	bool fixed;  /* of a type that may not be encoded (message/) */
	bool top;    /* the message has no other part */
};

enum { PF_MIME_DEPTH = 32, PF_MIME_BOUNDARY = 256 };

/* A walk over the parts; no allocation, all borrowed from the message. */
struct pf_mime {
	struct pf_span rest; /* the next entity begins here */
	size_t depth;
	struct pf_mime_level {
		char boundary[PF_MIME_BOUNDARY];
		size_t n;
		bool sealed;
	} level[PF_MIME_DEPTH];
	bool ended;
};

/* `message` from its header on. */
void pf_mime_begin(struct pf_mime *m, struct pf_span message);
/* The next part in the order of the message; false: there is no other. Takes any bytes. */
bool pf_mime_next(struct pf_mime *m, struct pf_mime_part *out);

/* The value of the first field `name` in `header`, unfolded, cut at `size`; false: there is none.
 */
bool pf_mime_field(struct pf_span header, const char *name, char *out, size_t size);

/*
 * What the part says, behind `out`: line ends of text become CRLF, other content stays as it is.
 * What can't be decoded is taken literally. PF_FAIL: no memory, or past the ceiling.
 */
PF_MUST_CHECK int pf_mime_decode(
	const struct pf_mime_part *part, struct pf_buf *out, struct pf_err *err);
/* Encode behind `out`, in lines of at most 76 characters. */
PF_MUST_CHECK int pf_mime_base64(struct pf_span content, struct pf_buf *out, struct pf_err *err);
/* CRLF is a line end, any other CR or LF is content. */
PF_MUST_CHECK int pf_mime_qp(struct pf_span content, struct pf_buf *out, struct pf_err *err);

/*
 * Digest of what all parts say, decoded, in their order: equal for messages whose parts were only
 * encoded, or bounded, otherwise. Blank lines at the end of a text do not count.
 */
PF_MUST_CHECK int pf_mime_digest(struct pf_span message, struct pf_digest *out, struct pf_err *err);

#endif
