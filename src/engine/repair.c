#include "engine/repair.h"

#include "base/buf.h"
#include "engine/fingerprint.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

/* What was changed, for the report. */
struct changes {
	size_t ends, nuls, names, folds;
	bool from_line, no_header;
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
		if (pf_buf_add(out, pf_span(NAME, sizeof(NAME) - 1), err) != PF_OK) {
			return PF_FAIL;
		}
	}
	return add_line(out, c, l, err);
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

static void tell(const struct changes *c, char *what, size_t size)
{
	const struct {
		size_t n;
		const char *text;
	} told[] = {
		{c->from_line, "mbox \"From \" line cut"},
		{c->no_header, "header put before it"},
		{c->ends, "line ends made CRLF"},
		{c->nuls, "NULs made blanks"},
		{c->names, "header lines without a name given one"},
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
}

int pf_repair(
	struct pf_span message, struct pf_blob **out, char *what, size_t size, struct pf_err *err)
{
	struct changes c = {0};
	struct pf_buf made;
	int rc;

	*out = NULL;
	pf_buf_init(&made, 2 * message.n + 4096 + 20 * (message.n / 2));
	rc = rewrite(message, &made, &c, err);
	tell(&c, what, size);
	if (rc == PF_OK && what[0]) {
		*out = pf_blob_new(made.n);
		rc = *out ? PF_OK : pf_fail_memory(err, "a repaired message");
	}
	if (rc == PF_OK && *out && made.n > 0) {
		memcpy((*out)->bytes, made.p, made.n);
	}
	pf_buf_deinit(&made);
	return rc;
}

int pf_repair_print(
	struct pf_span message, struct pf_digest *print, uint64_t *size, struct pf_err *err)
{
	struct pf_fingerprinter *printer;
	struct pf_fingerprint taken;
	struct pf_blob *made = NULL;
	char what[200];

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
