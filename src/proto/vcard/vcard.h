/*
 * vCards 2.1, 3.0 (RFC 2426) and 4.0 (RFC 6350) as they stand: lines with their places in the
 * input, so that what is not to be changed can be written as it was. No I/O; any bytes.
 */
#ifndef PF_PROTO_VCARD_VCARD_H
#define PF_PROTO_VCARD_VCARD_H

#include "proto/line/line.h"

enum { PF_VCARD_MEANING_VERSION = 2 };

struct pf_vcard {
	size_t begin, end; /* its BEGIN and END lines; end: behind the last when END is missing */
	int version;       /* 21, 30, 40; 0: not said */
};

struct pf_vcards {
	struct pf_arena arena;
	struct pf_buf text; /* the input in UTF-8 */
	struct pf_line *line;
	size_t line_count;
	struct pf_vcard *card;
	size_t card_count;
	bool latin;  /* not UTF-8 as a whole, and no charset is named: taken for Windows-1252 */
	bool wide;   /* it was UTF-16 */
	bool untidy; /* lines that are none, or ends that are missing */
};

/* `bytes` is copied. PF_FAIL (item scope): no vCard in it, or past 64 MiB. Freed with free in any
 * case. */
PF_MUST_CHECK int pf_vcards_read(struct pf_span bytes, struct pf_vcards **out, struct pf_err *err);
void pf_vcards_free(struct pf_vcards **v);

/* The first line of this name in a card; NULL: none. */
const struct pf_line *pf_vcard_find(const struct pf_vcards *v, size_t card, const char *name);

/*
 * A value as UTF-8 with the escapes of 3.0 and 4.0, whatever encoding and character set the line
 * has; what can't be converted stays as it is. Lives in the arena; absent: no memory.
 */
struct pf_span pf_vcard_value(struct pf_vcards *v, const struct pf_line *l);

/* What a card means, as text: equal for cards that mean the same, in whatever version. */
PF_MUST_CHECK int pf_vcard_canonical(
	struct pf_vcards *v, size_t card, struct pf_buf *out, struct pf_err *err);

struct pf_vcard_edit {
	struct pf_span uid;   /* new UID; absent: as it is */
	bool repair;          /* what is missing (FN, N, VERSION) or wrong */
	struct pf_span meant; /* X-POSTFERRY-MEANT; absent: as it is */
	int version;          /* 30 or 40: that version is needed; 0: as it is */
};
/* `changes` gets repairs in words. */
PF_MUST_CHECK int pf_vcard_write(struct pf_vcards *v, size_t card, const struct pf_vcard_edit *edit,
	struct pf_buf *out, struct pf_buf *changes, struct pf_err *err);

#endif
