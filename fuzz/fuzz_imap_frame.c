/*
 * The framer: any bytes under any limits, cut anywhere, give the same pieces and end at the same
 * place, also when literals are read past it where it lets them; long literals come whole and in
 * order; and no more comes out than went in.
 *
 * The first octet chooses the limits, the second how the rest is cut.
 */
#include "proto/imap/frame.h"
#include "sum.h"

struct run {
	uint64_t sum;
	size_t given;            /* octets of bodies and responses */
	uint64_t size, expected; /* of the literal that is going by; the offset that comes next */
};

static void take(struct run *r, const struct pf_imap_piece *p)
{
	switch (p->kind) {
	case PF_IMAP_PIECE_HEAD:
		pf_assert(r->expected == r->size);
		r->size = p->size;
		r->expected = 0;
		sum_number(&r->sum, p->size);
		sum_span(&r->sum, p->text);
		break;
	case PF_IMAP_PIECE_BODY:
		pf_assert(p->offset == r->expected && p->size == r->size && p->bytes.n > 0);
		r->expected += p->bytes.n;
		pf_assert(r->expected <= r->size);
		r->given += p->bytes.n;
		for (size_t i = 0; i < p->bytes.n; i++) { /* however they were cut */
			sum_byte(&r->sum, p->bytes.p[i]);
		}
		break;
	case PF_IMAP_PIECE_RESPONSE:
		pf_assert(r->expected == r->size);
		r->given += p->text.n;
		sum_number(&r->sum, p->stream_at);
		sum_span(&r->sum, p->text);
		break;
	}
	for (size_t i = 0; i < p->cut_count; i++) {
		pf_assert(p->cuts[i].at <= p->text.n && p->cuts[i].at >= 4);
		sum_number(&r->sum, p->cuts[i].at);
		sum_number(&r->sum, p->cuts[i].size);
	}
}

/* The caller reads what it may of `in` to where it belongs; how much. */
static size_t read_past(struct pf_imap_frame *f, struct run *r, struct pf_span in)
{
	uint64_t awaits = pf_imap_frame_awaits(f);
	size_t n = awaits < in.n ? (size_t)awaits : in.n;

	if (n == 0) {
		return 0;
	}
	pf_assert(awaits == r->size - r->expected);
	for (size_t i = 0; i < n; i++) {
		sum_byte(&r->sum, in.p[i]);
	}
	r->expected += n;
	r->given += n;
	pf_imap_frame_took(f, n);
	return n;
}

static uint64_t run(const struct pf_imap_frame_cfg *cfg, struct pf_span in, uint8_t first,
	uint8_t then, bool past)
{
	struct pf_imap_frame *f = pf_imap_frame_new(cfg);
	struct run r = {.sum = 0};
	struct pf_imap_piece p;
	struct pf_err err;
	size_t size = in.n, step = first ? first : size;
	int rc = PF_AGAIN;

	while (in.n > 0 && rc == PF_AGAIN) {
		size_t n = in.n < step ? in.n : step;

		pf_assert(pf_imap_frame_push(f, pf_span(in.p, n), &err) == PF_OK);
		while ((rc = pf_imap_frame_next(f, &p, &err)) == PF_OK) {
			take(&r, &p);
		}
		in = pf_span_from(in, n);
		if (past && rc == PF_AGAIN) {
			n = in.n < step ? in.n : step;
			in = pf_span_from(in, read_past(f, &r, pf_span(in.p, n)));
		}
		step = then ? 1 + (step * 31 + then) % 40 : step;
	}
	pf_assert(r.given <= size);
	if (rc == PF_FAIL) { /* for good */
		pf_assert(pf_imap_frame_next(f, &p, &err) == PF_FAIL);
		pf_assert(err.scope == PF_SCOPE_SESSION);
	} else {
		sum_byte(&r.sum, pf_imap_frame_at_rest(f));
	}
	sum_byte(&r.sum, rc == PF_FAIL);
	pf_imap_frame_free(&f);
	return r.sum;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct pf_imap_frame_cfg cfg;
	uint64_t whole;

	if (size < 2) {
		return 0;
	}
	cfg.inline_max = data[0] & 15;
	cfg.text_max = 20 + (size_t)(data[0] >> 4) * 40;
	whole = run(&cfg, pf_span(data + 2, size - 2), 0, 0, false);
	pf_assert(run(&cfg, pf_span(data + 2, size - 2), 1, 0, false) == whole);
	pf_assert(run(&cfg, pf_span(data + 2, size - 2), 2, data[1], false) == whole);
	pf_assert(run(&cfg, pf_span(data + 2, size - 2), 2, data[1], true) == whole);
	return 0;
}
