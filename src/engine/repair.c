#include "engine/repair.h"

#include "engine/fingerprint.h"
#include "engine/header_words.h"
#include "model/mime.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LINE_OCTETS = 998 }; /* RFC 5322 section 2.1.1 */

/* What was changed, for the report. */
struct changes {
	size_t ends, nuls, names, folds, parts, words, wraps;
	bool from_line, no_header, sealed, dkim;
	enum pf_field_form form; /* of the header field under way */
};

/* One line of the message: without its end in `text`. */
struct line {
	struct pf_span text;
	bool bare; /* its end is not CRLF */
};

/* LF, CRLF, CR, and CRs before a LF (as gateways that add one for each LF make them) end a line. */
static bool next_line(struct pf_span *rest, struct line *out)
{
	size_t n = 0, end;

	if (rest->n == 0) {
		return false;
	}
	while (n < rest->n && rest->p[n] != '\r' && rest->p[n] != '\n') {
		n++;
	}
	end = n;
	while (end < rest->n && rest->p[end] == '\r') {
		end++;
	}
	if (end < rest->n && rest->p[end] == '\n') {
		end++;
	} else if (end > n) { /* CRs that no LF follows: each is an end */
		end = n + 1;
	}
	out->text = pf_span(rest->p, n);
	out->bare = end - n != 2 || rest->p[end - 1] != '\n';
	*rest = pf_span_from(*rest, end);
	return true;
}

static bool is_field(struct pf_span l)
{
	size_t n = 0;

	while (n < l.n && l.p[n] > ' ' && l.p[n] < 127 && l.p[n] != ':') {
		n++;
	}
	while (n < l.n && n > 0 && (l.p[n] == ' ' || l.p[n] == '\t')) {
		n++;
	}
	return n > 0 && n < l.n && l.p[n] == ':';
}

static bool is_blank(struct pf_span l)
{
	for (size_t i = 0; i < l.n; i++) {
		if (l.p[i] != ' ' && l.p[i] != '\t') {
			return false;
		}
	}
	return true;
}

static int add_line(struct pf_buf *out, struct changes *c, const struct line *l, struct pf_err *err)
{
	struct pf_span rest = l->text;

	c->ends += l->bare;
	while (rest.n > 0) {
		const uint8_t *nul = memchr(rest.p, '\0', rest.n);
		size_t n = nul ? (size_t)(nul - rest.p) : rest.n;

		if (pf_buf_add(out, pf_span(rest.p, n), err) != PF_OK ||
			(nul && pf_buf_add(out, pf_span(" ", 1), err) != PF_OK)) {
			return PF_FAIL;
		}
		c->nuls += nul != NULL;
		rest = pf_span_from(rest, nul ? n + 1 : n);
	}
	return pf_buf_add(out, pf_span("\r\n", 2), err);
}

/* A line that is too long goes on in the next one where it has a blank. */
static int add_wrapped(
	struct pf_buf *out, struct changes *c, const struct line *l, struct pf_err *err)
{
	struct line part = *l;
	struct pf_span rest = l->text;

	while (rest.n > LINE_OCTETS) {
		size_t at = LINE_OCTETS;

		while (at > 1 && rest.p[at] != ' ' && rest.p[at] != '\t') {
			at--;
		}
		part.text = pf_span(rest.p, at);
		part.bare = false;
		if (at == 1 || is_blank(part.text)) {
			break; /* no blank to fold at */
		}
		c->wraps++;
		if (add_line(out, c, &part, err) != PF_OK) {
			return PF_FAIL;
		}
		rest = pf_span_from(rest, at);
	}
	part = (struct line){.text = rest, .bare = l->bare};
	return add_line(out, c, &part, err);
}

static int header_text(
	struct pf_buf *out, struct changes *c, const struct line *l, struct pf_err *err)
{
	struct line made = *l, folded;
	struct pf_buf words;
	bool changed = false;
	int rc;

	pf_buf_init(&words, 8 * l->text.n + 1024);
	rc = pf_header_words(l->text, c->form, &words, &changed, err);
	if (rc == PF_OK && changed) {
		struct pf_span rest = pf_buf_span(&words);

		c->words++;
		c->ends += l->bare;
		while (rc == PF_OK && next_line(&rest, &folded)) {
			folded.bare = false;
			rc = add_wrapped(out, c, &folded, err);
		}
	} else if (rc == PF_OK) {
		rc = add_wrapped(out, c, &made, err);
	}
	pf_buf_deinit(&words);
	return rc;
}

/*
 * One line of the header. What is no field and continues none gets a name, since it may be all that
 * is left of one; a continuation of blanks alone, at which some servers end the header, goes.
 */
static int header_line(
	struct pf_buf *out, struct changes *c, const struct line *l, bool first, struct pf_err *err)
{
	static const char NAME[] = "X-Unnamed-Header: ";
	bool folds = l->text.p[0] == ' ' || l->text.p[0] == '\t';

	if (folds && is_blank(l->text)) {
		c->folds++;
		return PF_OK;
	}
	if ((!folds && !is_field(l->text)) || (folds && first)) {
		c->names++;
		c->form = PF_FIELD_TEXT;
		if (pf_buf_add(out, pf_span(NAME, sizeof(NAME) - 1), err) != PF_OK) {
			return PF_FAIL;
		}
	} else if (!folds) {
		c->form = pf_field_form(l->text);
	}
	return header_text(out, c, l, err);
}

/* Whether any line before the first empty one is a field. */
static bool has_header(struct pf_span message)
{
	struct line l;

	while (next_line(&message, &l) && l.text.n > 0) {
		if (is_field(l.text)) {
			return true;
		}
	}
	return false;
}

static int rewrite(struct pf_span m, struct pf_buf *out, struct changes *c, struct pf_err *err)
{
	static const char HEADER[] = "Subject: (message without header)\r\n\r\n";
	struct pf_span rest = m;
	bool in_header, first = true;
	struct line l;

	if (m.n >= 5 && memcmp(m.p, "From ", 5) == 0 && next_line(&rest, &l)) {
		c->from_line = !is_field(l.text);
		rest = c->from_line ? rest : m;
	}
	in_header = has_header(rest);
	c->no_header = !in_header;
	if (c->no_header && pf_buf_add(out, pf_span(HEADER, sizeof(HEADER) - 1), err) != PF_OK) {
		return PF_FAIL;
	}
	while (next_line(&rest, &l)) {
		int rc;

		in_header = in_header && l.text.n > 0;
		rc = in_header ? header_line(out, c, &l, first, err) : add_line(out, c, &l, err);
		first = false;
		if (rc != PF_OK) {
			return PF_FAIL;
		}
	}
	return PF_OK;
}

/* ---- parts ---- */

/* Whether a line is too long, or it has a NUL, or is of lines that are none. */
static bool needs_encoding(const struct pf_mime_part *p)
{
	struct pf_span rest = p->body;
	struct line l;

	if (p->fixed || p->encoding == PF_MIME_OTHER) {
		return false;
	}
	while (next_line(&rest, &l)) {
		if (l.text.n > LINE_OCTETS ||
			(p->encoding != PF_MIME_BASE64 && memchr(l.text.p, '\0', l.text.n)) ||
			(p->encoding == PF_MIME_BINARY && rest.n > 0 && l.bare)) {
			return true;
		}
	}
	return false;
}

/* The part's header, but for its encoding, which is told anew. */
static int add_header(
	struct pf_buf *out, const struct pf_mime_part *p, const char *encoding, struct pf_err *err)
{
	static const char FIELD[] = "Content-Transfer-Encoding";
	struct pf_span rest = p->header, before = rest;
	char version[20];
	bool skips = false;
	struct line l;
	int rc = PF_OK;

	while (rc == PF_OK && next_line(&rest, &l) && l.text.n > 0) {
		bool folds = l.text.p[0] == ' ' || l.text.p[0] == '\t';

		skips = folds ? skips : pf_span_starts(l.text, FIELD) && is_field(l.text);
		if (!skips) {
			rc = pf_buf_add(out, pf_span(before.p, before.n - rest.n), err);
		}
		before = rest;
	}
	if (rc == PF_OK && p->top &&
		!pf_mime_field(p->header, "MIME-Version", version, sizeof(version))) {
		rc = pf_buf_add_str(out, "MIME-Version: 1.0\r\n", err);
	}
	return rc == PF_OK ? pf_buf_addf(out, err, "%s: %s\r\n\r\n", FIELD, encoding) : rc;
}

static int encode_part(struct pf_buf *out, const struct pf_mime_part *p, struct pf_err *err)
{
	struct pf_buf content;
	bool qp;
	int rc;

	pf_buf_init(&content, 2 * p->body.n + 4096);
	rc = pf_mime_decode(p, &content, err);
	qp = p->text && (content.n == 0 || !memchr(content.p, '\0', content.n));
	if (rc == PF_OK) {
		rc = add_header(out, p, qp ? "quoted-printable" : "base64", err);
	}
	if (rc == PF_OK) {
		rc = (qp ? pf_mime_qp : pf_mime_base64)(pf_buf_span(&content), out, err);
	}
	if (rc == PF_OK && p->top && !qp) {
		rc = pf_buf_add_str(out, "\r\n", err);
	}
	pf_buf_deinit(&content);
	return rc;
}

/*
 * The message with those parts encoded anew that no strict target takes as they are; all other
 * octets stay. Signed parts as well: what they are refused for breaks them in any case, and it is
 * said.
 */
static int encode_parts(struct pf_span m, struct pf_buf *out, struct changes *c, struct pf_err *err)
{
	struct pf_mime *walk = malloc(sizeof(*walk));
	struct pf_span rest = m, from = m;
	struct pf_mime_part p;
	struct line l;
	int rc = walk ? PF_OK : pf_fail_memory(err, "repairing a message");

	if (rc == PF_OK) {
		if (m.n >= 5 && memcmp(m.p, "From ", 5) == 0 && next_line(&from, &l) &&
			is_field(l.text)) {
			from = m;
		}
		pf_mime_begin(walk, has_header(from) ? from : pf_span(NULL, 0));
	}
	while (rc == PF_OK && pf_mime_next(walk, &p)) {
		const uint8_t *end = p.body.p + p.body.n;

		if (!needs_encoding(&p)) {
			continue;
		}
		c->parts++;
		c->sealed = c->sealed || p.sealed;
		rc = pf_buf_add(out, pf_span(rest.p, (size_t)(p.header.p - rest.p)), err);
		rc = rc == PF_OK ? encode_part(out, &p, err) : rc;
		rest = pf_span_from(rest, (size_t)(end - rest.p));
	}
	free(walk);
	return rc == PF_OK ? pf_buf_add(out, rest, err) : rc;
}

static bool is_dkim_signed(struct pf_span m)
{
	struct line l;

	while (next_line(&m, &l) && l.text.n > 0) {
		if (pf_span_starts(l.text, "DKIM-Signature") && is_field(l.text)) {
			return true;
		}
	}
	return false;
}

static void tell(const struct changes *c, char *what, size_t size)
{
	const struct {
		size_t n;
		const char *text;
	} told[] = {
		{c->from_line, "mbox \"From \" line cut"},
		{c->no_header, "header put before it"},
		{c->parts, "parts encoded anew"},
		{c->ends, "line ends made CRLF"},
		{c->nuls, "NULs made blanks"},
		{c->names, "header lines without a name given one"},
		{c->words, "header lines made encoded words"},
		{c->wraps, "long header lines folded"},
		{c->folds, "blank continuation lines cut"},
	};
	size_t n = 0;

	what[0] = '\0';
	for (size_t i = 0; i < PF_COUNT(told) && n < size; i++) {
		if (told[i].n > 0) {
			n += (size_t)snprintf(what + n, size - n, "%s%s (%zu)", n > 0 ? ", " : "",
				told[i].text, told[i].n);
		}
	}
	if (n > 0 && n < size && (c->sealed || c->dkim)) {
		(void)snprintf(what + n, size - n, "; signed%s, changed: the signature may fail",
			c->sealed ? "" : " (DKIM)");
	}
}

int pf_repair(
	struct pf_span message, struct pf_blob **out, char *what, size_t size, struct pf_err *err)
{
	struct changes c = {.dkim = is_dkim_signed(message)};
	struct pf_buf made, encoded;
	int rc;

	*out = NULL;
	pf_buf_init(&encoded, 6 * message.n + 4096);
	pf_buf_init(&made, 24 * message.n + 8192);
	rc = encode_parts(message, &encoded, &c, err);
	rc = rc == PF_OK ? rewrite(pf_buf_span(&encoded), &made, &c, err) : rc;
	tell(&c, what, size);
	if (rc == PF_OK && what[0]) {
		*out = pf_blob_new(made.n);
		rc = *out ? PF_OK : pf_fail_memory(err, "a repaired message");
	}
	if (rc == PF_OK && *out && made.n > 0) {
		memcpy((*out)->bytes, made.p, made.n);
	}
	pf_buf_deinit(&made);
	pf_buf_deinit(&encoded);
	return rc;
}

int pf_repair_print(
	struct pf_span message, struct pf_digest *print, uint64_t *size, struct pf_err *err)
{
	struct pf_fingerprinter *printer;
	struct pf_fingerprint taken;
	struct pf_blob *made = NULL;
	char what[300];

	if (pf_repair(message, &made, what, sizeof(what), err) != PF_OK) {
		return PF_FAIL;
	}
	if (!made) {
		return PF_END;
	}
	printer = pf_fingerprinter_new(false);
	if (printer) {
		pf_fingerprinter_add(printer, pf_blob_span(made));
		pf_fingerprinter_take(printer, &taken);
		*print = taken.exact;
		*size = made->n;
	}
	pf_blob_unref(&made);
	if (!printer) {
		return pf_fail_memory(err, "a fingerprint");
	}
	pf_fingerprinter_free(&printer);
	return PF_OK;
}
