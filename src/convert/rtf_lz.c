/*
 * LZFu ([MS-OXRTFCP] 3.1): a control byte says for each of the eight tokens behind it, lowest bit
 * first, whether it is a byte or a reference: 12 bits of place in a ring of 4,096 bytes, 4 bits of
 * length less two, big-endian. A reference to the place that is written next is the end.
 */
#include "convert/rtf_lz.h"

#include "base/buf.h"

enum {
	HEADER = 16,
	RING = 4096,
	MOST_OF_ONE = 9, /* 17 bytes come of 2 and an eighth at the most */
	LZFU = 0x75465A4C,
	MELA = 0x414C454D,
};

/* What the ring holds at first ([MS-OXRTFCP] 2.1.2.1). */
static const char PRIMED[] = "{\\rtf1\\ansi\\mac\\deff0\\deftab720{\\fonttbl;}{\\f0\\fnil \\froman "
			     "\\fswiss \\fmodern \\fscript \\fdecor MS Sans SerifSymbolArialTimes "
			     "New RomanCourier{\\colortbl\\red0\\green0\\blue0\r\n\\par "
			     "\\pard\\plain\\f0\\fs20\\b\\i\\u\\tab\\tx";

static uint32_t u32(const uint8_t *p)
{
	return p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

/* CRC-32 without its first and last inversion ([MS-OXRTFCP] 3.1.3.2). */
static uint32_t checksum(struct pf_span s)
{
	uint32_t crc = 0;

	for (size_t i = 0; i < s.n; i++) {
		crc ^= s.p[i];
		for (int bit = 0; bit < 8; bit++) {
			crc = crc >> 1 ^ ((crc & 1) ? 0xEDB88320u : 0);
		}
	}
	return crc;
}

struct ring {
	uint8_t b[RING];
	size_t at;
	struct pf_buf *out; /* has room for all that may come */
};

static void put(struct ring *r, uint8_t c)
{
	r->b[r->at] = c;
	r->at = (r->at + 1) % RING;
	r->out->p[r->out->n++] = c;
}

/* Whether the end was told. */
static bool unpack(struct ring *r, struct pf_span in)
{
	size_t i = 0;

	while (i < in.n) {
		uint8_t control = in.p[i++];

		for (int bit = 0; bit < 8 && i < in.n; bit++, control >>= 1) {
			size_t from, n;

			if (!(control & 1)) {
				put(r, in.p[i++]);
				continue;
			}
			if (in.n - i < 2) {
				return false;
			}
			from = (size_t)in.p[i] << 4 | in.p[i + 1] >> 4;
			n = (in.p[i + 1] & 15u) + 2;
			i += 2;
			if (from == r->at) {
				return true;
			}
			while (n-- > 0) {
				put(r, r->b[from]);
				from = (from + 1) % RING;
			}
		}
	}
	return false;
}

static int unpack_lz(struct pf_span in, struct pf_arena *arena, struct pf_span *out, bool *whole,
	struct pf_err *err)
{
	struct pf_buf text;
	struct ring r = {.at = sizeof(PRIMED) - 1, .out = &text};
	int rc;

	if (in.n > SIZE_MAX / 2 / MOST_OF_ONE) {
		return pf_fail_memory(err, "the RTF of an item");
	}
	pf_buf_init(&text, in.n * MOST_OF_ONE + 1);
	rc = pf_buf_reserve(&text, in.n * MOST_OF_ONE + 1, err);
	if (rc == PF_OK) {
		memcpy(r.b, PRIMED, sizeof(PRIMED) - 1);
		*whole = unpack(&r, in) && *whole;
		*out = pf_arena_span(arena, pf_buf_span(&text));
		rc = out->p ? PF_OK : pf_fail_memory(err, "the RTF of an item");
	}
	pf_buf_deinit(&text);
	return rc;
}

int pf_rtf_unpack(struct pf_span in, struct pf_arena *arena, struct pf_span *out, bool *whole,
	struct pf_err *err)
{
	uint32_t packed, raw, way;

	if (in.n < HEADER) {
		return pf_fail(err, PF_SCOPE_ITEM, PF_RETRY_NO,
			"compressed RTF of %zu bytes, its header alone has %d", in.n, HEADER);
	}
	packed = u32(in.p);
	raw = u32(in.p + 4);
	way = u32(in.p + 8);
	if (way == MELA) {
		*out = pf_span_from(in, HEADER);
		/* Some writers count the header's fields in both sizes. */
		*whole = out->n >= raw || (packed == raw && packed == out->n + HEADER - 4);
		out->n = out->n >= raw ? raw : out->n;
		return PF_OK;
	}
	if (way != LZFU) {
		return pf_fail(err, PF_SCOPE_ITEM, PF_RETRY_NO,
			"RTF that is packed in an unknown way (0x%08X)", (unsigned)way);
	}
	/* The size counts the header's fields behind it; some writers pad the property. */
	*whole = packed >= HEADER - 4 && packed - (HEADER - 4) <= in.n - HEADER;
	in = pf_span(in.p + HEADER, *whole ? packed - (HEADER - 4) : in.n - HEADER);
	if (*whole) {
		*whole = checksum(in) == u32(in.p - 4);
	}
	return unpack_lz(in, arena, out, whole, err);
}
