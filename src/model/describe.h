/*
 * How a message is named to a person: from its own header, decoded (RFC 2047) and safe to print.
 */
#ifndef PF_MODEL_DESCRIBE_H
#define PF_MODEL_DESCRIBE_H

#include "base/span.h"

/* Each "" when the header does not have it; cut at a character when it is too long. */
struct pf_description {
	char message_id[200], date[64], from[200], subject[256];
};

/* `message`: its beginning, with as much of the header as there is. Takes any bytes. */
void pf_describe(struct pf_span message, struct pf_description *out);

#endif
