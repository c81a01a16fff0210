#include "proto/mbox/mbox_private.h"

static const char FROM[] = "From ";

void pf_mbox_open(
	struct pf_mbox_body *b, struct pf_mbox_src *src, const struct pf_mbox_msg *msg, bool header)
{
	b->src = src;
	b->msg = msg;
	b->at = msg->begin;
	b->end = header && msg->body < msg->end ? msg->body : msg->end;
	b->cut = 0;
	b->line_start = true;
	b->quoted = false;
	b->last_cr = false;
	b->matched = 0;
}

static void give(struct pf_mbox_body *b, uint8_t c, uint8_t *out, size_t *n)
{
	if (c == '\n' && !b->last_cr && !b->msg->as_it_is) {
		out[(*n)++] = '\r';
	}
	out[(*n)++] = c;
	b->last_cr = c == '\r';
}

/* What was held back, as it may have been ">From ". `keep`: it was not. */
static void release(struct pf_mbox_body *b, bool keep, uint8_t *out, size_t *n)
{
	if (b->quoted && keep) {
		give(b, '>', out, n);
	}
	for (size_t i = 0; i < b->matched; i++) {
		give(b, (uint8_t)FROM[i], out, n);
	}
	b->quoted = false;
	b->matched = 0;
	b->line_start = false;
}

static void take(struct pf_mbox_body *b, uint8_t c, uint8_t *out, size_t *n)
{
	if (b->line_start) {
		if (c == '>' && b->matched == 0) {
			if (b->quoted) {
				give(b, c, out, n); /* one of them is held: which does not matter */
			}
			b->quoted = true;
			return;
		}
		if (b->quoted && c == (uint8_t)FROM[b->matched]) {
			if (++b->matched == sizeof(FROM) - 1) {
				release(b, false, out, n);
			}
			return;
		}
		release(b, true, out, n);
	}
	give(b, c, out, n);
	b->line_start = c == '\n';
}

/* Whether lines at `at` are unquoted. Asked only at the beginning of a chunk, and chunks end where
 * the body begins. */
static bool unquotes(const struct pf_mbox_body *b)
{
	return b->msg->unquote == PF_MBOX_UNQUOTE_ALL ||
	       (b->msg->unquote == PF_MBOX_UNQUOTE_BODY && b->at >= b->msg->body);
}

/* The next octets to read: no cut, and no beginning of the body, lies within. */
static size_t next_part(struct pf_mbox_body *b)
{
	const struct pf_mbox_msg *m = b->msg;
	uint64_t to = b->end;

	while (b->cut < m->cuts && b->at >= m->cut[b->cut].from) {
		b->at = b->at < m->cut[b->cut].to ? m->cut[b->cut].to : b->at;
		b->cut++;
	}
	if (b->cut < m->cuts && m->cut[b->cut].from < to) {
		to = m->cut[b->cut].from;
	}
	to = b->at < m->body && m->body < to ? m->body : to;
	to = to < b->at ? b->at : to;
	return to - b->at < sizeof(b->in) ? (size_t)(to - b->at) : sizeof(b->in);
}

int pf_mbox_read(struct pf_mbox_body *b, uint8_t *out, size_t *n, struct pf_err *err)
{
	size_t part, got = 0;
	bool unquote;

	*n = 0;
	while (*n == 0 && b->at < b->end && (part = next_part(b)) > 0) {
		unquote = unquotes(b);
		if (b->src->read_at(b->src, b->at, b->in, part, &got, err) != PF_OK) {
			return PF_FAIL;
		}
		if (got < part) {
			return pf_fail(err, PF_SCOPE_ITEM, PF_RETRY_LATER,
				"the file became shorter while it was read");
		}
		for (size_t i = 0; i < got; i++) {
			if (unquote) {
				take(b, b->in[i], out, n);
			} else {
				give(b, b->in[i], out, n);
			}
		}
		b->at += got;
	}
	if (*n == 0) {
		release(b, true, out, n);
	}
	return PF_OK;
}
