/*
 * What the forms of a MAPI item have in common: little-endian numbers and the bytes of values
 * ([MS-OXCDATA] 2.11.1).
 */
#ifndef PF_PROTO_MAPI_WIRE_H
#define PF_PROTO_MAPI_WIRE_H

#include "model/mapi.h"

static inline uint16_t pf_le16(const uint8_t *p)
{
	return (uint16_t)(p[0] | p[1] << 8);
}

static inline uint32_t pf_le32(const uint8_t *p)
{
	return pf_le16(p) | (uint32_t)pf_le16(p + 2) << 16;
}

static inline uint64_t pf_le64(const uint8_t *p)
{
	return pf_le32(p) | (uint64_t)pf_le32(p + 4) << 32;
}

/* Take `n` bytes off the front of `*in`; false, and nothing taken, where there are fewer. */
static inline bool pf_take(struct pf_span *in, size_t n, struct pf_span *out)
{
	if (in->n < n) {
		return false;
	}
	*out = pf_span(in->p, n);
	*in = pf_span_from(*in, n);
	return true;
}

static inline bool pf_take_le32(struct pf_span *in, uint32_t *out)
{
	struct pf_span bytes;

	if (!pf_take(in, 4, &bytes)) {
		return false;
	}
	*out = pf_le32(bytes.p);
	return true;
}

/* Whether values of that type, MANY aside, are known. */
bool pf_mapi_type_known(unsigned type);
/* Bytes of a value whose type has a fixed length; 0 for the others. */
size_t pf_mapi_fixed_size(unsigned type);
/* The value of a type with a fixed length from its bytes, which a GUID borrows. */
void pf_mapi_fixed(unsigned type, const uint8_t *p, struct pf_mapi_value *out);
/*
 * The value of a type with a variable length. UTF-16 becomes UTF-8 in `arena`, all else borrows
 * from `bytes`. PF_FAIL: no memory.
 */
PF_MUST_CHECK int pf_mapi_variable(struct pf_arena *arena, unsigned type, struct pf_span bytes,
	struct pf_mapi_value *out, struct pf_err *err);

#endif
