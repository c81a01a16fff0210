#include "convert/mapi_entry.h"

enum {
	HEAD = 20,            /* flags and the provider's id */
	UNICODE_TEXT = 0x8000 /* of a one-off's flags */
};

static const uint8_t ONE_OFF[16] = {0x81, 0x2B, 0x1F, 0xA4, 0xBE, 0xA3, 0x10, 0x19, 0x9D, 0x6E,
	0x00, 0xDD, 0x01, 0x0F, 0x54, 0x02};
static const uint8_t WRAPPED[16] = {0xC0, 0x91, 0xAD, 0xD3, 0x51, 0x9D, 0xCF, 0x11, 0xA4, 0xA9,
	0x00, 0xAA, 0x00, 0x47, 0xFA, 0xA4};
static const uint8_t DIRECTORY[16] = {0xDC, 0xA7, 0x40, 0xC8, 0xC0, 0x42, 0x10, 0x1A, 0xB4, 0xB9,
	0x08, 0x00, 0x2B, 0x2F, 0xE1, 0x82};

static uint32_t u32(const uint8_t *p)
{
	return p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

bool pf_mapi_entry_next(struct pf_span *list, struct pf_span *one)
{
	size_t n, whole;

	if (list->n < 4) {
		return false;
	}
	n = u32(list->p);
	if (n == 0 || n > list->n - 4) {
		return false;
	}
	*one = pf_span(list->p + 4, n);
	whole = 4 + ((n + 3) & ~(size_t)3);
	*list = pf_span_from(*list, whole);
	return true;
}

/* The next text of a one-off, up to its NUL, as UTF-8. */
static int take_text(struct pf_span *rest, bool wide, struct pf_arena *arena, struct pf_span *out,
	struct pf_err *err)
{
	size_t step = wide ? 2 : 1, n = 0;
	struct pf_span text;

	while (n + step <= rest->n && (rest->p[n] || (wide && rest->p[n + 1]))) {
		n += step;
	}
	text = pf_span(rest->p, n);
	*rest = pf_span_from(*rest, n + step);
	return wide ? pf_mapi_utf16(arena, text, out, err)
		    : pf_mapi_decode(arena, 0, text, out, err);
}

static int read_one_off(
	struct pf_span rest, struct pf_arena *arena, struct pf_mapi_entry *out, struct pf_err *err)
{
	bool wide;

	if (rest.n < 4) {
		return PF_OK;
	}
	wide = ((rest.p[2] | (unsigned)rest.p[3] << 8) & UNICODE_TEXT) != 0;
	rest = pf_span_from(rest, 4);
	out->kind = PF_MAPI_ENTRY_PERSON;
	if (take_text(&rest, wide, arena, &out->who.name, err) != PF_OK ||
		take_text(&rest, wide, arena, &out->who.type, err) != PF_OK ||
		take_text(&rest, wide, arena, &out->who.address, err) != PF_OK) {
		return PF_FAIL;
	}
	return PF_OK;
}

int pf_mapi_entry(
	struct pf_span id, struct pf_arena *arena, struct pf_mapi_entry *out, struct pf_err *err)
{
	uint8_t wrapping = 0;
	bool wrapped;

	*out = (struct pf_mapi_entry){.id = id};
	if (id.n <= HEAD) {
		return PF_OK;
	}
	wrapped = memcmp(id.p + 4, WRAPPED, sizeof(WRAPPED)) == 0;
	if (wrapped) {
		wrapping = id.p[HEAD] & 0x0F;
		out->id = id = pf_span_from(id, HEAD + 1);
		out->is_list = wrapping == 4 || wrapping == 6;
		if (wrapping == 3 || wrapping == 4) {
			out->kind = PF_MAPI_ENTRY_OF_STORE;
			return PF_OK;
		}
	}
	if (id.n <= HEAD) {
		return PF_OK;
	}
	if (memcmp(id.p + 4, ONE_OFF, sizeof(ONE_OFF)) == 0) {
		return read_one_off(pf_span_from(id, HEAD), arena, out, err);
	}
	if (memcmp(id.p + 4, DIRECTORY, sizeof(DIRECTORY)) == 0 && id.n > HEAD + 8) {
		struct pf_span rest = pf_span_from(id, HEAD + 8);

		out->kind = PF_MAPI_ENTRY_PERSON;
		out->who.type = pf_span("EX", 2);
		return take_text(&rest, false, arena, &out->who.address, err);
	}
	return PF_OK;
}
