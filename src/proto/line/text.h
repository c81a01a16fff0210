/*
 * Texts within content lines: their characters, and what they say whatever their form.
 */
#ifndef PF_PROTO_LINE_TEXT_H
#define PF_PROTO_LINE_TEXT_H

#include "proto/line/said.h"

/* Windows-1252 (and with it Latin-1) to UTF-8; appended. */
PF_MUST_CHECK int pf_text_from_latin(struct pf_span in, struct pf_buf *out, struct pf_err *err);
/*
 * Add a TEXT to the line that was begun: unescaped, composed (NFC), without white space at the ends
 * of lines and empty lines at both ends. Whether it says anything at all.
 */
bool said_plain(struct said *k, struct pf_span raw);
/* Base64 by its digest: white space and padding say nothing. */
void said_base64(struct said *k, struct pf_span text);

#endif
