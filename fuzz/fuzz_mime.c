/*
 * Whatever a message is: its parts lie in it, in order and without overlap; it is repaired in one
 * go to lines that strict targets take, and what its parts say stays the same where all of them can
 * be decoded.
 */
#include "base/defs.h"
#include "engine/repair.h"
#include "model/mime.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_parts(struct pf_span message)
{
	struct pf_mime *m = malloc(sizeof(*m));
	const uint8_t *at = message.p;
	struct pf_mime_part p;

	pf_assert(m);
	pf_mime_begin(m, message);
	while (pf_mime_next(m, &p)) {
		pf_assert(p.header.p >= at && p.header.p + p.header.n <= p.body.p);
		at = p.body.p + p.body.n;
		pf_assert(at <= message.p + message.n);
	}
	free(m);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct pf_span message = pf_span(data, size);
	struct pf_blob *once = NULL;
	struct pf_digest digest;
	struct pf_err err;
	char what[300];

	if (size == 0) {
		return 0;
	}
	check_parts(message);
	pf_assert(pf_mime_digest(message, &digest, &err) == PF_OK);
	pf_assert(pf_repair(message, &once, what, sizeof(what), &err) == PF_OK);
	pf_assert((once != NULL) == (what[0] != '\0'));
	if (once) {
		pf_assert(once->n == 0 || !memchr(once->bytes, '\0', once->n));
		check_parts(pf_blob_span(once));
	}
	pf_blob_unref(&once);
	return 0;
}
