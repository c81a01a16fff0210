/*
 * What the files that write a MAPI item as mail share. GMime's types stay in them.
 */
#ifndef PF_CONVERT_MAIL_PRIVATE_H
#define PF_CONVERT_MAIL_PRIVATE_H

#include "base/buf.h"
#include "convert/mapi_ways.h"

#include <gmime/gmime.h>

struct mail {
	const struct pf_mapi_item *item;
	const struct pf_mapi_ways *ways;
	struct pf_mapi_losses *losses;
	struct pf_arena *arena; /* that of the losses */
	GMimeFormatOptions *format;
	size_t parts; /* made so far: each has a boundary or an id of its own */
	struct pf_err *err;
};

/* A value of the item, noted as kept; NULL where it is not. */
const struct pf_mapi_value *mail_use(struct mail *m, uint16_t tag);
/* A text for a header: one line of valid UTF-8, in the arena; NULL: no memory (the error is
 * filled). */
const char *mail_line(struct mail *m, struct pf_span text);
/* 40 hexadecimal digits that are the same in every run: of the key, `what` and the part's number.
 */
int mail_mark(struct mail *m, const char *what, char out[41]);

/*
 * Append the header: that which is `kept` without its fields about MIME, what is missing in it, or
 * all of it.
 */
PF_MUST_CHECK int mail_header(struct mail *m, struct pf_span kept, struct pf_buf *out);
/* Copy the fields of `kept` but those about MIME; *names gets each name in lower case with a LF
 * around it. */
PF_MUST_CHECK int mail_kept_fields(
	struct pf_span kept, struct pf_buf *out, struct pf_buf *names, struct pf_err *err);

/* Body and attachments as one entity, to be unref'd; NULL: the error is filled. */
GMimeObject *mail_entity(struct mail *m);
/* An attachment as a part of its own. `is_inline`: the HTML shows it. */
GMimeObject *mail_attachment(struct mail *m, const struct pf_mapi_attachment *a, bool is_inline);

#endif
