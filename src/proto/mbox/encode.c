#include "proto/mbox/mbox_private.h"

static const char FROM[] = "From ";

enum { KEYWORDS_WIDTH = 32, HELD_MAX = 8 };

/* What a message comes to in the file. */
struct writer {
	struct pf_mbox_sink *to; /* NULL: it is only measured */
	bool as_it_is;
	bool line_start, cr; /* cr: a CR is held back, as an LF may follow */
	size_t matched;      /* of "From " at the start of a line, held back */
	uint64_t octets;     /* written */
	/* seen while measuring */
	uint64_t crlf;
	bool odd; /* a bare LF, or CR CR LF */
	uint8_t before[2];
	uint8_t out[2 * PF_MBOX_CHUNK];
	size_t n;
};

static int flush(struct writer *w, struct pf_err *err)
{
	size_t n = w->n;

	w->octets += n;
	w->n = 0;
	return w->to && n > 0 ? w->to->write(w->to, pf_span(w->out, n), err) : PF_OK;
}

/* There is room: a chunk gives twice its octets at the most, and what was held back before. */
static void put(struct writer *w, uint8_t c)
{
	w->out[w->n++] = c;
}

static void release(struct writer *w)
{
	for (size_t i = 0; i < w->matched; i++) {
		put(w, (uint8_t)FROM[i]);
	}
	w->matched = 0;
	w->line_start = false;
}

/* An octet of the message: a line of any number of '>' and "From " gets one more. */
static void quote(struct writer *w, uint8_t c)
{
	if (w->line_start && c == '>' && w->matched == 0) {
		put(w, c);
		return;
	}
	if (w->line_start && c == (uint8_t)FROM[w->matched]) {
		if (++w->matched == sizeof(FROM) - 1) {
			put(w, '>');
			release(w);
		}
		return;
	}
	release(w);
	put(w, c);
	w->line_start = c == '\n';
}

static void take(struct writer *w, uint8_t c)
{
	if (c == '\n') {
		w->crlf += w->before[1] == '\r';
		w->odd = w->odd || w->before[1] != '\r' || w->before[0] == '\r';
	}
	w->before[0] = w->before[1];
	w->before[1] = c;
	if (w->cr && c != '\n') {
		quote(w, '\r');
	}
	w->cr = c == '\r' && !w->as_it_is;
	if (!w->cr) {
		quote(w, c);
	}
}

static int write_all(struct writer *w, struct pf_mbox_src *src, struct pf_err *err)
{
	uint8_t part[PF_MBOX_CHUNK - HELD_MAX];
	uint64_t at = 0;
	size_t got = 0;

	w->line_start = true;
	do {
		if (src->read_at(src, at, part, sizeof(part), &got, err) != PF_OK) {
			return PF_FAIL;
		}
		for (size_t i = 0; i < got; i++) {
			take(w, part[i]);
		}
		at += got;
		if (flush(w, err) != PF_OK) {
			return PF_FAIL;
		}
	} while (got == sizeof(part));
	if (w->cr) {
		quote(w, '\r');
	}
	release(w);
	return flush(w, err);
}

static int add_notes(uint32_t marks, struct pf_span keywords, uint64_t octets, const char *eol,
	struct pf_buf *out, struct pf_err *err)
{
	static const struct {
		char letter;
		uint32_t mark;
	} LETTERS[] = {{'A', PF_MBOX_ANSWERED}, {'F', PF_MBOX_FLAGGED}, {'D', PF_MBOX_DELETED},
		{'T', PF_MBOX_DRAFT}};
	char letters[PF_COUNT(LETTERS) + 1] = "";
	size_t n = 0;

	for (size_t i = 0; i < PF_COUNT(LETTERS); i++) {
		if (marks & LETTERS[i].mark) {
			letters[n++] = LETTERS[i].letter;
		}
	}
	/* Wide enough for what may come, so that it can be changed where it is. */
	return pf_buf_addf(out, err, "%s%s%s%s%-4s%s%s%-*.*s%s%s%llu%s", mbox_notes[0],
		marks & PF_MBOX_SEEN ? "RO" : "O ", eol, mbox_notes[1], letters, eol, mbox_notes[2],
		KEYWORDS_WIDTH, (int)keywords.n, keywords.n > 0 ? (const char *)keywords.p : "",
		eol, mbox_notes[3], (unsigned long long)octets, eol);
}

int pf_mbox_notes(const struct pf_mbox_msg *msg, uint32_t marks, struct pf_span keywords,
	struct pf_buf *out, struct pf_err *err)
{
	return add_notes(
		marks, keywords, msg->end - msg->begin, msg->as_it_is ? "\r\n" : "\n", out, err);
}

static int write_head(const struct pf_mbox_note *note, uint64_t octets, const char *eol,
	struct pf_mbox_sink *to, struct pf_err *err)
{
	struct pf_buf head;
	int rc;

	pf_buf_init(&head, 4096 + note->keywords.n);
	rc = mbox_from_write(note->date_utc_s, &head, err);
	rc = rc == PF_OK ? pf_buf_add_str(&head, eol, err) : rc;
	rc = rc == PF_OK ? add_notes(note->marks, note->keywords, octets, eol, &head, err) : rc;
	rc = rc == PF_OK ? to->write(to, pf_buf_span(&head), err) : rc;
	pf_buf_deinit(&head);
	return rc;
}

int pf_mbox_write(struct pf_mbox_src *src, const struct pf_mbox_note *note, struct pf_mbox_sink *to,
	struct pf_err *err)
{
	struct writer w = {.as_it_is = true};
	const char *eol;
	uint64_t octets;
	bool ended;

	if (write_all(&w, src, err) != PF_OK) {
		return PF_FAIL;
	}
	octets = w.odd ? w.octets : w.octets - w.crlf;
	ended = w.octets == 0 || w.before[1] == '\n';
	eol = w.odd ? "\r\n" : "\n";
	if (write_head(note, octets, eol, to, err) != PF_OK) {
		return PF_FAIL;
	}
	w = (struct writer){.to = to, .as_it_is = w.odd};
	if (write_all(&w, src, err) != PF_OK) {
		return PF_FAIL;
	}
	if (!ended && to->write(to, pf_span_str(eol), err) != PF_OK) {
		return PF_FAIL;
	}
	return to->write(to, pf_span_str(eol), err);
}
