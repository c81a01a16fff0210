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

/*
 * When a message arrived, as its own header tells: the moment of the topmost Received (RFC 5321
 * section 4.4), or else that of Date. false: it has neither, or none that can be read.
 */
bool pf_arrival(struct pf_span message, int64_t *utc_s, int *zone_min);

#endif
