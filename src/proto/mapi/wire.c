#include "proto/mapi/wire.h"

size_t pf_mapi_fixed_size(unsigned type)
{
	switch (type) {
	case PF_MAPI_I16:
	case PF_MAPI_BOOL:
		return 2;
	case PF_MAPI_I32:
	case PF_MAPI_FLOAT:
	case PF_MAPI_ERROR:
		return 4;
	case PF_MAPI_DOUBLE:
	case PF_MAPI_CURRENCY:
	case PF_MAPI_APPTIME:
	case PF_MAPI_I64:
	case PF_MAPI_TIME:
		return 8;
	case PF_MAPI_GUID:
		return 16;
	default:
		return 0;
	}
}

bool pf_mapi_type_known(unsigned type)
{
	return pf_mapi_fixed_size(type) > 0 || type == PF_MAPI_STRING8 || type == PF_MAPI_STRING ||
	       type == PF_MAPI_BINARY || type == PF_MAPI_OBJECT;
}

static double real_of(unsigned type, const uint8_t *p)
{
	double real;
	float single;
	uint32_t bits = pf_le32(p);
	uint64_t wide;

	if (type == PF_MAPI_FLOAT) {
		memcpy(&single, &bits, sizeof(single));
		return (double)single;
	}
	wide = pf_le64(p);
	memcpy(&real, &wide, sizeof(real));
	return real;
}

void pf_mapi_fixed(unsigned type, const uint8_t *p, struct pf_mapi_value *out)
{
	out->type = (enum pf_mapi_type)type;
	switch (type) {
	case PF_MAPI_I16:
		out->number = (int16_t)pf_le16(p);
		break;
	case PF_MAPI_BOOL:
		out->number = pf_le16(p) != 0;
		break;
	case PF_MAPI_I32:
		out->number = (int32_t)pf_le32(p);
		break;
	case PF_MAPI_ERROR:
		out->number = pf_le32(p);
		break;
	case PF_MAPI_FLOAT:
	case PF_MAPI_DOUBLE:
	case PF_MAPI_APPTIME:
		out->real = real_of(type, p);
		break;
	case PF_MAPI_CURRENCY:
	case PF_MAPI_I64:
		out->number = (int64_t)pf_le64(p);
		break;
	case PF_MAPI_TIME:
		out->filetime = pf_le64(p);
		break;
	default:
		out->bytes = pf_span(p, pf_mapi_fixed_size(type));
		break;
	}
}

int pf_mapi_variable(struct pf_arena *arena, unsigned type, struct pf_span bytes,
	struct pf_mapi_value *out, struct pf_err *err)
{
	out->type = (enum pf_mapi_type)type;
	if (type == PF_MAPI_STRING) {
		return pf_mapi_utf16(arena, bytes, &out->bytes, err);
	}
	out->bytes = bytes.p ? bytes : pf_span("", 0);
	return PF_OK;
}
