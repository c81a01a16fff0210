#include "proto/mbox/mbox_private.h"

static int fill(struct mbox_lines *l, uint64_t at, struct pf_err *err)
{
	l->at = at;
	l->n = 0;
	if (l->src->read_at(l->src, at, l->window, sizeof(l->window), &l->n, err) != PF_OK) {
		l->n = 0;
		return PF_FAIL;
	}
	l->all = l->n < sizeof(l->window);
	return PF_OK;
}

/* A line longer than the window: its end is looked for piece by piece. */
static int find_end(struct mbox_lines *l, struct mbox_line *out, struct pf_err *err)
{
	const uint8_t *lf = NULL;
	uint8_t before = l->window[l->n - 1];

	memcpy(l->head, l->window, sizeof(l->head));
	out->text = pf_span(l->head, sizeof(l->head));
	while (!lf && !l->all) {
		before = l->window[l->n - 1];
		if (fill(l, l->at + l->n, err) != PF_OK) {
			return PF_FAIL;
		}
		lf = l->n > 0 ? memchr(l->window, '\n', l->n) : NULL;
	}
	out->end = l->at + (lf ? (size_t)(lf - l->window) + 1 : l->n);
	before = lf && lf > l->window ? lf[-1] : before;
	out->eol = !lf ? 0 : before == '\r' ? 2 : 1;
	return PF_OK;
}

int mbox_line(struct mbox_lines *l, uint64_t at, struct mbox_line *out, struct pf_err *err)
{
	bool inside = at >= l->at && at < l->at + l->n;
	const uint8_t *p = NULL, *lf = NULL;
	size_t n = 0;

	if (inside) {
		p = l->window + (at - l->at);
		n = l->n - (size_t)(at - l->at);
		lf = memchr(p, '\n', n);
	}
	if (!lf && !(inside && l->all)) {
		if (fill(l, at, err) != PF_OK) {
			return PF_FAIL;
		}
		p = l->window;
		n = l->n;
		lf = n > 0 ? memchr(p, '\n', n) : NULL;
	}
	if (n == 0) {
		return PF_END;
	}
	out->at = at;
	if (!lf && !l->all) {
		return find_end(l, out, err);
	}
	n = lf ? (size_t)(lf - p) : n;
	out->end = at + n + (lf ? 1 : 0);
	out->eol = !lf ? 0 : n > 0 && lf[-1] == '\r' ? 2 : 1;
	n -= out->eol == 2;
	out->text = pf_span(p, n < MBOX_PREFIX ? n : MBOX_PREFIX);
	return PF_OK;
}
