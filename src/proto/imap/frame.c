/*
 * State: bytes lie in `in` from `done` on. The response that is being framed begins at `begin`;
 * text up to `scan` is looked through for its line ends. A short literal is skipped over within
 * `in`; a long one is cut out: the text before it moves to `head`, its bytes go by as pieces, and
 * what follows is framed on.
 *
 *   LINE     looking for the end of a line
 *   SHORT    within a literal that stays in the text
 *   LONG     within a literal that goes by as pieces
 *   LOST     a response broke a limit: there is no knowing where the next one begins
 */
#include "proto/imap/frame.h"

#include <stdlib.h>

enum { READ_SIZE = 128 * 1024, READ_MOST = 2 * READ_SIZE, IN_MAX = 1 << 30 };

enum state { LINE, SHORT, LONG, LOST };

struct pf_imap_frame {
	struct pf_imap_frame_cfg cfg;
	enum state state;
	struct pf_buf in;   /* bytes as they came */
	size_t begin;       /* of the current line or what is left of the response, in `in` */
	size_t scan;        /* looked through up to here */
	size_t line;        /* where the line that is being looked for began (for its literal) */
	struct pf_buf head; /* text of a response that had long literals, so far */
	struct pf_imap_cut cuts[PF_IMAP_CUTS_MAX];
	size_t cut_count;
	uint64_t literal_left, literal_size;
	uint64_t stream_at; /* offset in the session of in.p[0] */
	uint64_t response_at;
	struct pf_err why; /* LOST */
	bool clear_head;   /* the response was given out: forget it at the next call */
	bool free_text;    /* of the response: status or continuation, no literals in it */
	bool known_text;   /* free_text is settled */
};

struct pf_imap_frame *pf_imap_frame_new(const struct pf_imap_frame_cfg *cfg)
{
	struct pf_imap_frame *f = calloc(1, sizeof(*f));

	if (f) {
		f->cfg = *cfg;
		pf_buf_init(&f->in, IN_MAX);
		pf_buf_init(&f->head, cfg->text_max);
	}
	return f;
}

void pf_imap_frame_free(struct pf_imap_frame **f)
{
	if (*f) {
		pf_buf_deinit(&(*f)->in);
		pf_buf_deinit(&(*f)->head);
		free(*f);
		*f = NULL;
	}
}

/* What was given out is dropped, and the rest moves to the front. */
static void compact(struct pf_imap_frame *f)
{
	if (f->begin == 0) {
		return;
	}
	pf_buf_consume(&f->in, f->begin);
	f->stream_at += f->begin;
	f->scan -= f->begin;
	f->line -= f->begin;
	f->begin = 0;
}

int pf_imap_frame_space(struct pf_imap_frame *f, uint8_t **p, size_t *n, struct pf_err *err)
{
	size_t free_bytes = f->in.cap - f->in.n;

	/* Never more bytes are moved than were given out since the last time: so the sum of all
	 * moves is less than all that ever came, however little of it is taken between two reads.
	 */
	if (f->begin >= f->in.n - f->begin) {
		compact(f);
		free_bytes = f->in.cap - f->in.n;
	}
	if (free_bytes < READ_SIZE / 4) {
		if (pf_buf_reserve(&f->in, READ_SIZE, err) != PF_OK) {
			return PF_FAIL;
		}
		free_bytes = f->in.cap - f->in.n;
	}
	*p = f->in.p + f->in.n;
	*n = free_bytes < READ_MOST ? free_bytes : READ_MOST;
	return PF_OK;
}

void pf_imap_frame_filled(struct pf_imap_frame *f, size_t n)
{
	f->in.n += n;
}

int pf_imap_frame_push(struct pf_imap_frame *f, struct pf_span in, struct pf_err *err)
{
	while (in.n > 0) {
		uint8_t *p;
		size_t n;

		if (pf_imap_frame_space(f, &p, &n, err) != PF_OK) {
			return PF_FAIL;
		}
		n = n < in.n ? n : in.n;
		memcpy(p, in.p, n);
		pf_imap_frame_filled(f, n);
		in = pf_span_from(in, n);
	}
	return PF_OK;
}

static bool is_blank(uint8_t c)
{
	return c == ' ' || c == '\t';
}

/* Take the first word off `*s`. A bracket ends it, too, and a "*" is one by itself: some servers
 * forget the blank. */
static struct pf_span first_word(struct pf_span *s)
{
	struct pf_span word;
	size_t n = 0;

	while (s->n > 0 && is_blank(s->p[0])) {
		*s = pf_span_from(*s, 1);
	}
	while (n < s->n && !is_blank(s->p[n]) && s->p[n] != '[' && (n == 0 || s->p[0] != '*')) {
		n++;
	}
	word = pf_span(s->p, n);
	*s = pf_span_from(*s, n);
	return word;
}

/*
 * Status responses and continuations end in free text, where "{5}" means nothing. Their codes could
 * hold a literal by the grammar (BADCHARSET, REFERRAL), but no server sends one there.
 */
static bool is_free_text(struct pf_span line)
{
	static const char *const CONDITIONS[] = {"OK", "NO", "BAD", "BYE", "PREAUTH"};
	struct pf_span tag = first_word(&line);
	struct pf_span word = first_word(&line);

	if (tag.n > 0 && tag.p[0] == '+') {
		return true;
	}
	for (size_t i = 0; i < PF_COUNT(CONDITIONS); i++) {
		if (pf_span_is(word, CONDITIONS[i])) {
			return true;
		}
	}
	return false;
}

/* Whether a string may begin behind `c`: a quote within an atom (a keyword like 5"disk) opens none.
 */
static bool before_string(uint8_t c)
{
	return c != '\0' && strchr(" \t([])<>\"", c) != NULL;
}

/* Whether a quoted string is open at the end of `line`: then a "{5}" there is part of it. */
static bool ends_quoted(struct pf_span line)
{
	bool quoted = false;

	for (size_t i = 0; i < line.n; i++) {
		if (quoted && line.p[i] == '\\') {
			i++;
		} else if (line.p[i] == '"') {
			quoted = !quoted && (i == 0 || before_string(line.p[i - 1]));
		}
	}
	return quoted;
}

/* The size in "{123}" or "~{123+}" at the end of `line` (without its line end). A number that is
 * past 2^63 announces nothing: it is left to the grammar, which will not take it. */
static bool literal_at_end(struct pf_span line, uint64_t *size)
{
	size_t i = line.n, end;
	uint64_t n = 0;

	if (i < 3 || line.p[--i] != '}') {
		return false;
	}
	i -= line.p[i - 1] == '+';
	for (end = i; i > 0 && line.p[i - 1] >= '0' && line.p[i - 1] <= '9'; i--) {
	}
	if (i == end || i == 0 || line.p[i - 1] != '{') {
		return false;
	}
	for (size_t k = i; k < end; k++) {
		uint64_t digit = (uint64_t)(line.p[k] - '0');

		if (n > (INT64_MAX - digit) / 10) {
			return false;
		}
		n = n * 10 + digit;
	}
	*size = n;
	return !ends_quoted(pf_span(line.p, i - 1));
}

/* Nothing on this stream can be trusted any more. */
static int lost(struct pf_imap_frame *f, struct pf_err *err)
{
	f->state = LOST;
	if (err) {
		*err = f->why;
	}
	return PF_FAIL;
}

static int too_long(struct pf_imap_frame *f, struct pf_err *err)
{
	(void)pf_fail(&f->why, PF_SCOPE_SESSION, PF_RETRY_NOW,
		"a response of the server is longer than %zu bytes", f->cfg.text_max);
	return lost(f, err);
}

/* Whether the response's text would be past the limit if it went on to `end`. Line by line the same
 * is asked, whatever came of the next one by now: a stream ends at one place, however it is cut. */
static bool past_limit(const struct pf_imap_frame *f, size_t end)
{
	return end - f->begin > f->cfg.text_max - f->head.n;
}

/* A long literal begins behind the line that ends at `end`: give out what the response said so far.
 */
static int begin_long(struct pf_imap_frame *f, size_t end, uint64_t size, struct pf_imap_piece *out,
	struct pf_err *err)
{
	struct pf_span text = pf_span(f->in.p + f->begin, end - f->begin);

	if (f->cut_count == PF_IMAP_CUTS_MAX) {
		(void)pf_fail(&f->why, PF_SCOPE_SESSION, PF_RETRY_NOW,
			"a response of the server has more than %d long literals",
			PF_IMAP_CUTS_MAX);
		return lost(f, err);
	}
	if (past_limit(f, end)) {
		return too_long(f, err);
	}
	if (pf_buf_add(&f->head, text, err) != PF_OK) {
		return PF_FAIL;
	}
	f->cuts[f->cut_count++] = (struct pf_imap_cut){f->head.n, size};
	f->begin = end;
	f->scan = end;
	f->line = end;
	f->literal_left = size;
	f->literal_size = size;
	f->state = LONG;
	*out = (struct pf_imap_piece){.kind = PF_IMAP_PIECE_HEAD,
		.text = pf_buf_span(&f->head),
		.size = size,
		.cuts = f->cuts,
		.cut_count = f->cut_count - 1,
		.stream_at = f->response_at};
	return PF_OK;
}

/* The response ends at `end`, its text without the line end at `text_end`. */
static int end_response(struct pf_imap_frame *f, size_t text_end, size_t end,
	struct pf_imap_piece *out, struct pf_err *err)
{
	struct pf_span text = pf_span(f->in.p + f->begin, text_end - f->begin);

	if (f->cut_count > 0) { /* the parts lie apart: put them together */
		if (pf_buf_add(&f->head, text, err) != PF_OK) {
			return PF_FAIL;
		}
		text = pf_buf_span(&f->head);
	}
	*out = (struct pf_imap_piece){.kind = PF_IMAP_PIECE_RESPONSE,
		.text = text,
		.cuts = f->cuts,
		.cut_count = f->cut_count,
		.stream_at = f->response_at};
	f->begin = end;
	f->scan = end;
	f->line = end;
	f->known_text = false;
	f->clear_head = true;
	f->response_at = f->stream_at + end;
	return PF_OK;
}

/* Where the text of a line that ends at `end` ends: without CR LF, LF, or CR CR LF (of a server
 * that writes to a stream in text mode). */
static size_t without_line_end(const struct pf_imap_frame *f, size_t end)
{
	for (int i = 0; i < 2 && end > f->line && f->in.p[end - 1] == '\r'; i++) {
		end--;
	}
	return end;
}

static int next_line(struct pf_imap_frame *f, struct pf_imap_piece *out, struct pf_err *err)
{
	const uint8_t *lf =
		f->scan < f->in.n ? memchr(f->in.p + f->scan, '\n', f->in.n - f->scan) : NULL;
	size_t end = lf ? (size_t)(lf - f->in.p) : f->in.n;
	size_t text_end = without_line_end(f, end);
	uint64_t size = 0;

	f->scan = end;
	if (past_limit(f, text_end)) {
		return too_long(f, err);
	}
	if (!lf) {
		return PF_AGAIN;
	}
	f->scan = ++end;
	if (!f->known_text) {
		f->free_text = f->cut_count == 0 &&
			       is_free_text(pf_span(f->in.p + f->begin, text_end - f->begin));
		f->known_text = true;
	}
	if (f->free_text ||
		!literal_at_end(pf_span(f->in.p + f->line, text_end - f->line), &size)) {
		return end_response(f, text_end, end, out, err);
	}
	if (size > f->cfg.inline_max) {
		return begin_long(f, end, size, out, err);
	}
	if (past_limit(f, end + (size_t)size)) {
		return too_long(f, err);
	}
	f->literal_left = size;
	f->line = end;
	f->state = SHORT;
	return PF_OK; /* and SHORT: nothing to give out yet */
}

static bool skip_short(struct pf_imap_frame *f)
{
	size_t have = f->in.n - f->scan;
	size_t n = have < f->literal_left ? have : (size_t)f->literal_left;

	f->scan += n;
	f->literal_left -= n;
	f->line = f->scan;
	if (f->literal_left > 0) {
		return false;
	}
	f->state = LINE;
	return true;
}

static int give_long(struct pf_imap_frame *f, struct pf_imap_piece *out)
{
	size_t have = f->in.n - f->begin;
	size_t n = have < f->literal_left ? have : (size_t)f->literal_left;

	if (n == 0 && f->literal_left > 0) {
		return PF_AGAIN;
	}
	*out = (struct pf_imap_piece){.kind = PF_IMAP_PIECE_BODY,
		.bytes = pf_span(f->in.p + f->begin, n),
		.offset = f->literal_size - f->literal_left,
		.size = f->literal_size,
		.stream_at = f->response_at};
	f->begin += n;
	f->scan = f->begin;
	f->line = f->begin;
	f->literal_left -= n;
	f->state = f->literal_left == 0 ? LINE : LONG;
	return PF_OK;
}

int pf_imap_frame_next(struct pf_imap_frame *f, struct pf_imap_piece *out, struct pf_err *err)
{
	if (f->state == LOST) {
		return lost(f, err);
	}
	if (f->clear_head) {
		pf_buf_clear(&f->head);
		f->cut_count = 0;
		f->clear_head = false;
	}
	for (;;) {
		int rc;

		if (f->state == LONG) {
			return give_long(f, out);
		}
		if (f->state == SHORT && !skip_short(f)) {
			return PF_AGAIN;
		}
		rc = next_line(f, out, err);
		if (rc != PF_OK || f->state != SHORT) {
			return rc;
		}
	}
}

uint64_t pf_imap_frame_awaits(const struct pf_imap_frame *f)
{
	return f->state == LONG && f->begin == f->in.n ? f->literal_left : 0;
}

void pf_imap_frame_took(struct pf_imap_frame *f, size_t n)
{
	pf_assert(n <= pf_imap_frame_awaits(f));
	compact(f); /* nothing is left in it */
	f->scan = 0;
	f->line = 0;
	f->stream_at += n;
	f->literal_left -= n;
	f->state = f->literal_left == 0 ? LINE : LONG;
}

struct pf_span pf_imap_frame_rest(const struct pf_imap_frame *f)
{
	return pf_span(f->in.p ? f->in.p + f->begin : NULL, f->in.n - f->begin);
}

void pf_imap_frame_forget(struct pf_imap_frame *f)
{
	f->begin = f->in.n;
	f->scan = f->in.n;
	f->line = f->in.n;
	f->known_text = false;
	f->clear_head = false;
	f->cut_count = 0;
	pf_buf_clear(&f->head);
	f->state = f->state == LOST ? LOST : LINE;
	compact(f);
	f->response_at = f->stream_at;
}

bool pf_imap_frame_at_rest(const struct pf_imap_frame *f)
{
	return f->state == LINE && f->begin == f->in.n && (f->cut_count == 0 || f->clear_head);
}
