#include "base/json.h"

#include "base/utf8.h"

#include <inttypes.h>

static int add_char(struct pf_buf *out, uint32_t c, struct pf_err *err)
{
	uint8_t utf8[4];

	switch (c) {
	case '"':
	case '\\':
		return pf_buf_addf(out, err, "\\%c", (int)c);
	case '\n':
		return pf_buf_add_str(out, "\\n", err);
	case '\r':
		return pf_buf_add_str(out, "\\r", err);
	case '\t':
		return pf_buf_add_str(out, "\\t", err);
	case UINT32_MAX:
		c = 0xfffd;
		break;
	default:
		break;
	}
	if (c < 0x20 || c == 0x7f) {
		return pf_buf_addf(out, err, "\\u%04x", (unsigned)c);
	}
	return pf_buf_add(out, pf_span(utf8, pf_utf8_put(c, utf8)), err);
}

int pf_json_string(struct pf_buf *out, struct pf_span s, struct pf_err *err)
{
	int rc;

	if (!s.p) {
		return pf_buf_add_str(out, "null", err);
	}
	rc = pf_buf_add_str(out, "\"", err);
	while (s.n > 0 && rc == PF_OK) {
		rc = add_char(out, pf_utf8_next(&s), err);
	}
	return rc == PF_OK ? pf_buf_add_str(out, "\"", err) : rc;
}

int pf_json_key(struct pf_buf *out, const char *key, struct pf_err *err)
{
	bool first = out->n == 0 || out->p[out->n - 1] == '{';

	return pf_buf_addf(out, err, "%s\"%s\":", first ? "" : ",", key);
}

int pf_json_put(struct pf_buf *out, const char *key, struct pf_span s, struct pf_err *err)
{
	int rc = pf_json_key(out, key, err);

	return rc == PF_OK ? pf_json_string(out, s, err) : rc;
}

int pf_json_put_int(struct pf_buf *out, const char *key, int64_t n, struct pf_err *err)
{
	int rc = pf_json_key(out, key, err);

	return rc == PF_OK ? pf_buf_addf(out, err, "%" PRId64, n) : rc;
}
