/*
 * Framer and grammar together: no response, however odd, is more than an error of one item with its
 * number and place; what is read of it is the same however it was cut, and lies within it.
 */
#include "proto/imap/resp.h"
#include "proto/imap/structure.h"
#include "sum.h"

/* A span that points into the response's text or, without escapes, into the arena: never longer. */
static void sum_within(uint64_t *sum, const struct pf_imap_piece *piece, struct pf_span s)
{
	pf_assert(s.n <= piece->text.n);
	sum_span(sum, s);
}

static void sum_words(uint64_t *sum, const struct pf_imap_piece *piece, struct pf_span words)
{
	struct pf_span word;

	sum_within(sum, piece, words);
	while (pf_imap_words_next(&words, &word)) {
		sum_within(sum, piece, word);
	}
}

/* Sets that are given out can be read to their ends. */
static void sum_set(uint64_t *sum, const struct pf_imap_piece *piece, struct pf_span set)
{
	uint64_t first, last;

	sum_within(sum, piece, set);
	while (pf_imap_set_next(&set, &first, &last)) {
		pf_assert(first <= last);
	}
	pf_assert(set.n == 0);
}

/* What a message is made of, and its envelope: any bytes in the list are taken apart or refused. */
static void sum_described(uint64_t *sum, const struct pf_imap_fetch *f)
{
	struct pf_imap_structure tree;
	struct pf_arena arena;
	struct pf_buf header;
	struct pf_err err;

	pf_arena_init(&arena);
	pf_buf_init(&header, 1 << 20);
	pf_err_clear(&err);
	if (f->structure.p && pf_imap_structure_parse(f->structure, &arena, &tree)) {
		pf_assert(tree.n > 0 && tree.n <= PF_IMAP_PARTS_MAX);
		for (size_t i = 0; i < tree.n; i++) {
			sum_span(sum, pf_span_str(tree.part[i].path));
			sum_span(sum, tree.part[i].boundary);
			sum_number(sum, tree.part[i].octets);
		}
	}
	if (f->envelope.p && pf_imap_envelope_header(f->envelope, &header, &err) == PF_OK) {
		sum_span(sum, pf_buf_span(&header));
	}
	pf_buf_deinit(&header);
	pf_arena_deinit(&arena);
}

static void sum_fetch(uint64_t *sum, const struct pf_imap_piece *p, const struct pf_imap_fetch *f)
{
	sum_number(sum, (uint64_t)f->seq << 32 | f->uid);
	sum_number(sum, f->has);
	sum_number(sum, f->size + f->modseq + f->gm_msgid + f->gm_thrid);
	sum_number(sum, (uint64_t)f->date_utc_s);
	sum_words(sum, p, f->flags);
	sum_words(sum, p, f->gm_labels);
	sum_within(sum, p, f->date_raw);
	sum_described(sum, f);
	pf_assert(f->bodies <= PF_IMAP_BODIES_MAX);
	pf_assert(!(f->has & PF_IMAP_HAS_UID) == (f->uid == 0));
	for (size_t i = 0; i < f->bodies; i++) {
		const struct pf_imap_body *b = &f->body[i];

		sum_within(sum, p, b->section);
		sum_within(sum, p, b->bytes);
		sum_number(sum, b->size + b->origin);
		pf_assert(b->streamed || b->size == b->bytes.n);
		pf_assert((b->nil || b->streamed) == !b->bytes.p);
	}
}

static void sum_class(
	uint64_t *sum, const struct pf_imap_piece *piece, const struct pf_imap_ns *ns, size_t n)
{
	pf_assert(n <= PF_IMAP_NS_MAX);
	for (size_t i = 0; i < n; i++) {
		sum_within(sum, piece, ns[i].prefix);
		sum_byte(sum, (uint8_t)ns[i].delimiter);
	}
}

static void sum_resp(uint64_t *sum, const struct pf_imap_piece *p, const struct pf_imap_resp *r)
{
	sum_number(sum, r->kind);
	switch (r->kind) {
	case PF_IMAP_COND:
	case PF_IMAP_CONTINUE:
		sum_number(sum, r->code);
		sum_number(sum, r->code_num[0]);
		sum_within(sum, p, r->tag);
		sum_within(sum, p, r->code_name);
		sum_within(sum, p, r->code_args);
		sum_within(sum, p, r->text);
		if (r->code == PF_IMAP_CODE_APPENDUID) {
			sum_set(sum, p, r->code_args);
		}
		break;
	case PF_IMAP_CAPABILITY:
	case PF_IMAP_ENABLED:
	case PF_IMAP_FLAGS:
		sum_words(sum, p, r->words);
		break;
	case PF_IMAP_LIST:
		sum_number(sum, r->list.attrs);
		sum_byte(sum, (uint8_t)r->list.delimiter);
		pf_assert(r->list.name.p);
		sum_within(sum, p, r->list.name);
		sum_within(sum, p, r->list.old_name);
		break;
	case PF_IMAP_NAMESPACE:
		sum_class(sum, p, r->ns.personal, r->ns.personals);
		sum_class(sum, p, r->ns.other, r->ns.others);
		sum_class(sum, p, r->ns.shared, r->ns.shareds);
		break;
	case PF_IMAP_STATUS:
		pf_assert(r->status.name.p);
		sum_within(sum, p, r->status.name);
		sum_number(sum, r->status.has);
		sum_number(sum, r->status.messages + r->status.uidnext + r->status.uidvalidity);
		break;
	case PF_IMAP_SEARCH:
	case PF_IMAP_ESEARCH:
	case PF_IMAP_VANISHED:
		sum_set(sum, p, r->search.numbers);
		sum_within(sum, p, r->search.tag);
		sum_number(sum, r->search.min + r->search.max + r->search.count + r->search.modseq);
		break;
	case PF_IMAP_FETCH:
		sum_fetch(sum, p, &r->fetch);
		break;
	case PF_IMAP_QUOTA:
		sum_within(sum, p, r->quota.root);
		sum_number(sum, r->quota.usage_kib + r->quota.limit_kib);
		break;
	case PF_IMAP_EXISTS:
	case PF_IMAP_RECENT:
	case PF_IMAP_EXPUNGE:
		sum_number(sum, r->number);
		break;
	case PF_IMAP_ID:
	case PF_IMAP_QUOTAROOT:
	case PF_IMAP_UNKNOWN:
		sum_within(sum, p, r->raw);
		break;
	}
}

static void one(uint64_t *sum, const struct pf_imap_piece *piece)
{
	struct pf_arena arena;
	struct pf_imap_resp r;
	struct pf_err err;
	struct pf_span section;
	uint32_t seq, uid;

	if (piece->kind == PF_IMAP_PIECE_HEAD) {
		if (pf_imap_fetch_peek(piece, &seq, &uid, &section)) {
			sum_number(sum, (uint64_t)seq << 32 | uid);
			sum_within(sum, piece, section);
		}
		return;
	}
	if (piece->kind != PF_IMAP_PIECE_RESPONSE) {
		return;
	}
	pf_arena_init(&arena);
	if (pf_imap_resp_parse(piece, &arena, &r, &err) == PF_OK) {
		sum_resp(sum, piece, &r);
	} else {
		pf_assert(err.number == 14001 && err.scope == PF_SCOPE_ITEM);
		pf_assert(strstr(err.text, "at octet "));
		sum_span(sum, pf_span_str(err.text));
	}
	pf_arena_deinit(&arena);
}

static uint64_t run(struct pf_span in, size_t step)
{
	static const struct pf_imap_frame_cfg cfg = {.inline_max = 12, .text_max = 65536};
	struct pf_imap_frame *f = pf_imap_frame_new(&cfg);
	struct pf_imap_piece piece;
	struct pf_err err;
	uint64_t sum = 0;
	int rc = PF_AGAIN;

	while (in.n > 0 && rc == PF_AGAIN) {
		size_t n = in.n < step ? in.n : step;

		pf_assert(pf_imap_frame_push(f, pf_span(in.p, n), &err) == PF_OK);
		while ((rc = pf_imap_frame_next(f, &piece, &err)) == PF_OK) {
			one(&sum, &piece);
		}
		in = pf_span_from(in, n);
	}
	pf_imap_frame_free(&f);
	return sum;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct pf_span in = pf_span(data, size);

	pf_assert(run(in, size) == run(in, 1 + size % 5));
	return 0;
}
