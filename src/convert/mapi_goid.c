#include "convert/mapi_goid.h"

#include "base/civil.h"
#include "base/utf8.h"

enum { HEAD = 40, MAGIC = 16, DAY_AT = 16, SIZE_AT = 36, MARK = 12, BLOB_MAX = 1 << 16 };

static const uint8_t ID[MAGIC] = {0x04, 0x00, 0x00, 0x00, 0x82, 0x00, 0xE0, 0x00, 0x74, 0xC5, 0xB7,
	0x10, 0x1A, 0x82, 0xE0, 0x08};
#define ID_HEX "040000008200E00074C5B7101A82E008"
static const uint8_t FOREIGN[MARK] = {'v', 'C', 'a', 'l', '-', 'U', 'i', 'd', 1, 0, 0, 0};

static int hex_digit(uint8_t c)
{
	c = pf_ascii_lower(c);
	return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Whether the UID is the hex of an id. */
static bool is_id(struct pf_span uid)
{
	if (uid.n % 2 != 0 || uid.n < 2 * (size_t)HEAD || !pf_span_starts(uid, ID_HEX)) {
		return false;
	}
	for (size_t i = 0; i < uid.n; i++) {
		if (hex_digit(uid.p[i]) < 0) {
			return false;
		}
	}
	return true;
}

/* The UID within, up to its NUL; absent: there is none that could be one in iCalendar. */
static struct pf_span foreign_uid(struct pf_span blob)
{
	struct pf_span data = pf_span_from(blob, HEAD), uid;
	const uint8_t *nul;
	size_t size = 0;

	for (size_t i = 0; i < 4; i++) {
		size |= (size_t)blob.p[SIZE_AT + i] << (8 * i);
	}
	data.n = size < data.n ? size : data.n;
	if (data.n <= MARK || memcmp(data.p, FOREIGN, MARK) != 0) {
		return pf_span(NULL, 0);
	}
	uid = pf_span_from(data, MARK);
	nul = memchr(uid.p, 0, uid.n);
	uid.n = nul ? (size_t)(nul - uid.p) : uid.n;
	for (size_t i = 0; i < uid.n; i++) {
		if (uid.p[i] < ' ' || uid.p[i] == 0x7F) {
			return pf_span(NULL, 0);
		}
	}
	/* One that looks like Outlook's own could not be told from it on the way back. */
	return uid.n > 0 && pf_utf8_valid(uid) && !is_id(uid) ? uid : pf_span(NULL, 0);
}

static void read_day(const uint8_t *p, struct pf_goid_day *day)
{
	const struct pf_civil c = {.year = p[0] << 8 | p[1], .month = p[2], .day = p[3]};

	if (c.year > 0 && pf_civil_valid(&c)) {
		*day = (struct pf_goid_day){c.year, c.month, c.day};
	}
}

int pf_goid_to_uid(
	struct pf_span blob, struct pf_buf *uid, struct pf_goid_day *day, struct pf_err *err)
{
	bool ours = blob.n >= HEAD && memcmp(blob.p, ID, MAGIC) == 0;
	struct pf_span foreign = ours ? foreign_uid(blob) : pf_span(NULL, 0);
	int rc = PF_OK;

	*day = (struct pf_goid_day){0};
	if (blob.n == 0 || blob.n > BLOB_MAX) {
		return pf_fail(
			err, PF_SCOPE_ITEM, PF_RETRY_NO, "a global object id of %zu bytes", blob.n);
	}
	if (ours) {
		read_day(blob.p + DAY_AT, day);
	}
	if (foreign.p) {
		return pf_buf_add(uid, foreign, err);
	}
	for (size_t i = 0; i < blob.n && rc == PF_OK; i++) {
		bool of_day = ours && i >= DAY_AT && i < DAY_AT + 4;

		rc = pf_buf_addf(uid, err, "%02X", of_day ? 0u : blob.p[i]);
	}
	return rc;
}

static int unhex(struct pf_span uid, struct pf_buf *blob, struct pf_err *err)
{
	if (pf_buf_reserve(blob, uid.n / 2, err) != PF_OK) {
		return PF_FAIL;
	}
	for (size_t i = 0; i < uid.n; i += 2) {
		blob->p[blob->n++] = (uint8_t)((unsigned)hex_digit(uid.p[i]) << 4 |
					       (unsigned)hex_digit(uid.p[i + 1]));
	}
	return PF_OK;
}

static int wrap(struct pf_span uid, struct pf_buf *blob, struct pf_err *err)
{
	uint8_t head[HEAD + MARK] = {0};
	size_t size = MARK + uid.n;

	memcpy(head, ID, MAGIC);
	for (size_t i = 0; i < 4; i++) {
		head[SIZE_AT + i] = (uint8_t)(size >> (8 * i));
	}
	memcpy(head + HEAD, FOREIGN, MARK);
	return pf_buf_add(blob, pf_span(head, sizeof(head)), err) == PF_OK
		       ? pf_buf_add(blob, uid, err)
		       : PF_FAIL;
}

int pf_goid_from_uid(
	struct pf_span uid, const struct pf_goid_day *day, struct pf_buf *blob, struct pf_err *err)
{
	size_t begin = blob->n;

	if (uid.n == 0 || uid.n > 2 * (size_t)BLOB_MAX) {
		return pf_fail(err, PF_SCOPE_ITEM, PF_RETRY_NO, "a UID of %zu bytes", uid.n);
	}
	if ((is_id(uid) ? unhex(uid, blob, err) : wrap(uid, blob, err)) != PF_OK) {
		return PF_FAIL;
	}
	memset(blob->p + begin + DAY_AT, 0, 4);
	if (day && day->year > 0) {
		blob->p[begin + DAY_AT] = (uint8_t)(day->year >> 8);
		blob->p[begin + DAY_AT + 1] = (uint8_t)day->year;
		blob->p[begin + DAY_AT + 2] = (uint8_t)day->month;
		blob->p[begin + DAY_AT + 3] = (uint8_t)day->day;
	}
	return PF_OK;
}
