/*
 * MAPI items of any class with any properties: each becomes its open form, the same twice, with
 * CRLF at the ends of lines, and with a fate for every property. One property is six bytes (set or
 * kind, type, id or number, length) and its value.
 */
#include "base/defs.h"
#include "convert/mapi_open.h"
#include "model/mapi_tags.h"
#include "sum.h"

enum { DEPTH = 3, ROOM = 1 << 24 };

/* Where the next property goes to: the item, a recipient or an attachment of it. */
struct builder {
	struct pf_mapi_item *item;
	struct pf_span rest;
	int depth;
};

static struct pf_mapi_item *build(struct pf_arena *arena, struct pf_span *rest, int depth);

static void fill(struct builder *b, struct pf_mapi_props *to, const uint8_t *head)
{
	static const struct pf_guid *const SETS[] = {NULL, &pf_set_address, &pf_set_task,
		&pf_set_common, &pf_set_note, &pf_set_log, &pf_set_strings, &pf_set_headers,
		&pf_set_appointment, &pf_set_meeting};
	static const enum pf_mapi_type TYPES[] = {PF_MAPI_STRING8, PF_MAPI_BINARY, PF_MAPI_I32,
		PF_MAPI_TIME, PF_MAPI_BOOL, PF_MAPI_DOUBLE, PF_MAPI_STRING8 | PF_MAPI_MANY,
		PF_MAPI_BINARY | PF_MAPI_MANY};
	const struct pf_guid *set = SETS[head[0] % PF_COUNT(SETS)];
	struct pf_mapi_prop *p = pf_mapi_add(b->item, to);
	struct pf_span bytes = pf_span(b->rest.p, head[4] < b->rest.n ? head[4] : b->rest.n);
	uint64_t number = 0;

	pf_assert(p);
	b->rest = pf_span_from(b->rest, bytes.n);
	p->id = (uint16_t)(head[2] | head[3] << 8);
	if (set) {
		p->name = pf_arena_alloc(b->item->arena, sizeof(*p->name));
		pf_assert(p->name);
		*p->name = (struct pf_mapi_name){.set = *set, .number = p->id};
		if (set == &pf_set_strings || set == &pf_set_headers) {
			p->name->text = pf_span_str(set == &pf_set_strings ? "Keywords" : "X-A");
		}
		p->id = 0;
	}
	for (size_t i = 0; i < bytes.n && i < 8; i++) {
		number |= (uint64_t)bytes.p[i] << (8 * i);
	}
	p->value.type = TYPES[head[1] % PF_COUNT(TYPES)];
	switch ((unsigned)p->value.type) {
	case PF_MAPI_I32:
	case PF_MAPI_BOOL:
		p->value.number = (int32_t)number;
		break;
	case PF_MAPI_TIME:
		p->value.filetime = number;
		break;
	case PF_MAPI_DOUBLE:
		p->value.real = (double)number / 255;
		break;
	case PF_MAPI_STRING8 | PF_MAPI_MANY:
	case PF_MAPI_BINARY | PF_MAPI_MANY:
		p->value.many.v = pf_arena_alloc(b->item->arena, 2 * sizeof(*p->value.many.v));
		pf_assert(p->value.many.v);
		p->value.many.n = 2;
		for (size_t i = 0; i < 2; i++) {
			p->value.many.v[i].type = p->value.type & ~(unsigned)PF_MAPI_MANY;
			p->value.many.v[i].bytes = pf_span_from(bytes, i * (bytes.n / 2));
		}
		break;
	default:
		p->value.bytes = bytes;
		break;
	}
}

static void attach(struct builder *b, uint8_t how)
{
	struct pf_mapi_attachment *a = pf_mapi_add_attachment(b->item);
	size_t n = b->rest.n < how ? b->rest.n : how;

	pf_assert(a);
	if ((how & 1) && b->depth < DEPTH) {
		struct pf_mapi_item *inner = build(b->item->arena, &b->rest, b->depth + 1);

		a->kind = PF_MAPI_ATTACH_ITEM;
		a->item = inner;
		return;
	}
	a->kind = how & 2 ? PF_MAPI_ATTACH_DATA : PF_MAPI_ATTACH_REFERENCE;
	a->data = pf_span(b->rest.p, n);
	b->rest = pf_span_from(b->rest, n);
}

static struct pf_mapi_item *build(struct pf_arena *arena, struct pf_span *rest, int depth)
{
	struct builder b = {.item = pf_mapi_new(arena), .rest = *rest, .depth = depth};
	struct pf_mapi_props *to;

	pf_assert(b.item);
	to = &b.item->props;
	while (b.rest.n >= 6) {
		const uint8_t *head = b.rest.p;

		b.rest = pf_span_from(b.rest, 6);
		if (head[5] == 1) {
			attach(&b, head[4]);
			to = &b.item->attachments[b.item->attachments_n - 1].props;
		} else if (head[5] == 2) {
			to = pf_mapi_add_recipient(b.item);
			pf_assert(to);
		} else if (head[5] == 3) {
			break;
		} else {
			fill(&b, to, head);
		}
	}
	*rest = b.rest;
	return b.item;
}

static void convert(const struct pf_mapi_item *item, struct pf_arena *arena, struct pf_buf *out)
{
	const struct pf_mapi_ways ways = {
		.owner = pf_span_str("me@example.com"), .key = pf_span_str("key")};
	struct pf_mapi_losses losses;
	struct pf_mapi_opened opened;
	struct pf_err err;
	int rc;

	pf_mapi_losses_init(&losses, arena);
	rc = pf_mapi_open(item, &ways, &losses, &opened, out, &err);
	pf_assert(rc == PF_OK || (out->n == 0 && err.scope == PF_SCOPE_ITEM));
	pf_assert(rc != PF_OK || losses.n >= item->props.n);
	for (size_t i = 0; i < out->n && opened.kind != PF_KIND_MAIL; i++) {
		pf_assert(out->p[i] != '\n' || (i > 0 && out->p[i - 1] == '\r'));
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct pf_span rest = pf_span(data, size);
	struct pf_arena arena;
	struct pf_mapi_item *item;
	struct pf_buf out, again;
	struct pf_err err;

	pf_arena_init(&arena);
	pf_buf_init(&out, ROOM);
	pf_buf_init(&again, ROOM);
	item = build(&arena, &rest, 0);
	pf_assert(pf_mapi_decode_all(item, 0, &err) == PF_OK);
	convert(item, &arena, &out);
	convert(item, &arena, &again);
	pf_assert(pf_span_eq(pf_buf_span(&out), pf_buf_span(&again)));
	pf_buf_deinit(&out);
	pf_buf_deinit(&again);
	pf_arena_deinit(&arena);
	return 0;
}
