/*
 * The blob of a recurrence, [MS-OXOCAL] 2.2.1.44.1 to 2.2.1.44.5, numbers least significant byte
 * first:
 *
 *   RecurrencePattern     versions 2+2, frequency 2, pattern 2, calendar 2, first 4, period 4,
 *                         sliding 4, by pattern 0, 4 (days) or 8 (days, nth), end type 4, count 4,
 *                         first weekday 4, deleted 4 + 4n, modified 4 + 4n, start 4, end 4
 *   of an event also      versions 4+4, times 4+4, exceptions 2 + n ExceptionInfo, block (4 + n),
 *                         n ExtendedException, block
 *   ExceptionInfo         start 4, end 4, original 4, flags 2, what the flags say, in their order
 *   ExtendedException     from version 0x3009 block; block; texts, if any: start, end, original,
 *                         those in UTF-16, block
 */
#include "convert/mapi_recur.h"

#include "base/utf8.h"
#include "model/mapi.h"

enum {
	HAS_TEXT = PF_RECUR_HAS_SUBJECT | PF_RECUR_HAS_LOCATION,
	HIGHLIGHTS_SINCE = 0x3009,
	LEAST_EXCEPTION = 14,
};

/* ---- reading ---- */

struct in {
	struct pf_span blob;
	size_t at;
	bool bad;
};

static uint32_t number(struct in *in, size_t bytes)
{
	uint32_t v = 0;

	if (in->bad || in->blob.n - in->at < bytes) {
		in->bad = true;
		return 0;
	}
	for (size_t i = 0; i < bytes; i++) {
		v |= (uint32_t)in->blob.p[in->at++] << (8 * i);
	}
	return v;
}

static uint16_t word(struct in *in)
{
	return (uint16_t)number(in, 2);
}

static uint32_t u32(struct in *in)
{
	return number(in, 4);
}

/* Borrows from the blob. */
static struct pf_span take(struct in *in, size_t n)
{
	struct pf_span s = pf_span("", 0);

	if (in->bad || in->blob.n - in->at < n) {
		in->bad = true;
	} else if (n > 0) {
		s = pf_span(in->blob.p + in->at, n);
		in->at += n;
	}
	return s;
}

static struct pf_span block(struct in *in)
{
	return take(in, u32(in));
}

static int kept(struct pf_arena *arena, struct pf_span *s, struct pf_err *err)
{
	struct pf_span copy = pf_arena_span(arena, *s);

	if (s->p && !copy.p) {
		return pf_fail_memory(err, "a recurrence");
	}
	*s = copy;
	return PF_OK;
}

static int dates(struct in *in, struct pf_arena *arena, uint32_t **v, size_t *n, struct pf_err *err)
{
	size_t count = u32(in);

	if (in->bad || count > (in->blob.n - in->at) / 4) {
		in->bad = true;
		return PF_OK;
	}
	*v = pf_arena_alloc(arena, (count + 1) * sizeof(**v));
	if (!*v) {
		return pf_fail_memory(err, "a recurrence");
	}
	for (*n = 0; *n < count; (*n)++) {
		(*v)[*n] = u32(in);
	}
	return PF_OK;
}

static int read_pattern(
	struct in *in, struct pf_arena *arena, struct pf_recur *r, struct pf_err *err)
{
	r->reader = word(in);
	r->writer = word(in);
	r->frequency = word(in);
	r->pattern = word(in);
	r->calendar = word(in);
	r->first = u32(in);
	r->period = u32(in);
	r->sliding = u32(in);
	if (r->pattern > PF_RECUR_HIJRI_END ||
		(r->pattern > PF_RECUR_MONTH_END && r->pattern < PF_RECUR_HIJRI_MONTH)) {
		return pf_fail(err, PF_SCOPE_ITEM, PF_RETRY_NO, "a recurrence of pattern 0x%X",
			r->pattern);
	}
	r->days = r->pattern != PF_RECUR_DAY ? u32(in) : 0;
	r->nth = r->pattern == PF_RECUR_MONTH_NTH || r->pattern == PF_RECUR_HIJRI_NTH ? u32(in) : 0;
	r->end_type = (int32_t)u32(in);
	r->count = u32(in);
	r->first_weekday = u32(in);
	if (dates(in, arena, &r->deleted, &r->deleted_n, err) != PF_OK ||
		dates(in, arena, &r->modified, &r->modified_n, err) != PF_OK) {
		return PF_FAIL;
	}
	r->start = u32(in);
	r->end = u32(in);
	return PF_OK;
}

static struct pf_span ansi(struct in *in)
{
	(void)word(in); /* one more than the next, for a NUL that is not there */
	return take(in, word(in));
}

static void read_exception(struct in *in, struct pf_recur_exception *e)
{
	struct {
		uint16_t flag;
		uint32_t *value;
	} fields[] = {
		{PF_RECUR_HAS_MEETING, &e->meeting},
		{PF_RECUR_HAS_REMINDER_DELTA, &e->reminder_delta},
		{PF_RECUR_HAS_REMINDER, &e->reminder},
		{PF_RECUR_HAS_LOCATION, NULL},
		{PF_RECUR_HAS_BUSY, &e->busy},
		{PF_RECUR_HAS_ATTACHMENT, &e->attachment},
		{PF_RECUR_HAS_ALL_DAY, &e->all_day},
		{PF_RECUR_HAS_COLOUR, &e->colour},
	};

	e->start = u32(in);
	e->end = u32(in);
	e->original = u32(in);
	e->flags = word(in);
	if (e->flags & PF_RECUR_HAS_SUBJECT) {
		e->subject_ansi = ansi(in);
	}
	for (size_t i = 0; i < PF_COUNT(fields); i++) {
		if (!(e->flags & fields[i].flag)) {
			continue;
		}
		if (fields[i].value) {
			*fields[i].value = u32(in);
		} else {
			e->location_ansi = ansi(in);
		}
	}
}

static int wide(struct in *in, struct pf_arena *arena, struct pf_span *text, struct pf_err *err)
{
	return pf_mapi_utf16(arena, take(in, 2 * (size_t)word(in)), text, err);
}

static int read_extended(struct in *in, struct pf_arena *arena, const struct pf_recur *r,
	struct pf_recur_exception *e, struct pf_err *err)
{
	if (r->writer2 >= HIGHLIGHTS_SINCE) {
		e->highlight = block(in);
	}
	e->reserved1 = block(in);
	if (!(e->flags & HAS_TEXT)) {
		return PF_OK;
	}
	(void)take(in, 12); /* start, end, original once more */
	if ((e->flags & PF_RECUR_HAS_SUBJECT) && wide(in, arena, &e->subject, err) != PF_OK) {
		return PF_FAIL;
	}
	if ((e->flags & PF_RECUR_HAS_LOCATION) && wide(in, arena, &e->location, err) != PF_OK) {
		return PF_FAIL;
	}
	e->reserved2 = block(in);
	if (in->bad) { /* then those in the code page count */
		e->subject = e->location = pf_span(NULL, 0);
	}
	return PF_OK;
}

/* What is behind the exceptions; some writers end there. */
static int read_tail(struct in *in, struct pf_arena *arena, struct pf_recur *r, struct pf_err *err)
{
	r->reserved1 = block(in);
	for (size_t i = 0; i < r->exception_n && !in->bad; i++) {
		if (read_extended(in, arena, r, &r->exception[i], err) != PF_OK) {
			return PF_FAIL;
		}
	}
	r->reserved2 = block(in);
	r->cut = in->bad;
	in->bad = false;
	return PF_OK;
}

static int from_ansi(struct pf_arena *arena, uint32_t code_page, struct pf_span ansi,
	struct pf_span *text, struct pf_err *err)
{
	const uint8_t *nul = ansi.n > 0 ? memchr(ansi.p, 0, ansi.n) : NULL;

	if (!ansi.p || text->p) {
		return PF_OK;
	}
	return pf_mapi_decode(
		arena, code_page, nul ? pf_span(ansi.p, (size_t)(nul - ansi.p)) : ansi, text, err);
}

/* Texts that are there in the code page only; and all that borrows from the blob becomes ours. */
static int settle(struct pf_arena *arena, uint32_t code_page, struct pf_recur_exception *e,
	struct pf_err *err)
{
	struct pf_span *const borrowed[] = {
		&e->subject_ansi, &e->location_ansi, &e->highlight, &e->reserved1, &e->reserved2};

	for (size_t i = 0; i < PF_COUNT(borrowed); i++) {
		if (kept(arena, borrowed[i], err) != PF_OK) {
			return PF_FAIL;
		}
	}
	return from_ansi(arena, code_page, e->subject_ansi, &e->subject, err) == PF_OK
		       ? from_ansi(arena, code_page, e->location_ansi, &e->location, err)
		       : PF_FAIL;
}

static int read_times(struct in *in, struct pf_arena *arena, uint32_t code_page, struct pf_recur *r,
	struct pf_err *err)
{
	size_t count;

	r->has_times = true;
	r->reader2 = u32(in);
	r->writer2 = u32(in);
	r->start_offset = u32(in);
	r->end_offset = u32(in);
	count = word(in);
	if (in->bad || count > (in->blob.n - in->at) / LEAST_EXCEPTION) {
		in->bad = true;
		return PF_OK;
	}
	r->exception = pf_arena_alloc(arena, (count + 1) * sizeof(*r->exception));
	if (!r->exception) {
		return pf_fail_memory(err, "a recurrence");
	}
	for (; r->exception_n < count && !in->bad; r->exception_n++) {
		read_exception(in, &r->exception[r->exception_n]);
	}
	if (!in->bad && read_tail(in, arena, r, err) != PF_OK) {
		return PF_FAIL;
	}
	for (size_t i = 0; i < r->exception_n && !in->bad; i++) {
		if (settle(arena, code_page, &r->exception[i], err) != PF_OK) {
			return PF_FAIL;
		}
	}
	return kept(arena, &r->reserved1, err) == PF_OK ? kept(arena, &r->reserved2, err) : PF_FAIL;
}

int pf_recur_read(struct pf_arena *arena, struct pf_span blob, uint32_t code_page,
	struct pf_recur *out, struct pf_err *err)
{
	struct in in = {.blob = blob};

	*out = (struct pf_recur){0};
	if (read_pattern(&in, arena, out, err) != PF_OK) {
		return PF_FAIL;
	}
	if (!in.bad && in.at < blob.n && read_times(&in, arena, code_page, out, err) != PF_OK) {
		return PF_FAIL;
	}
	return in.bad ? pf_fail(err, PF_SCOPE_ITEM, PF_RETRY_NO,
				"a recurrence that ends too early, at %zu of %zu bytes", in.at,
				blob.n)
		      : PF_OK;
}

/* ---- writing ---- */

struct out {
	struct pf_buf *b;
	struct pf_err *err;
	int rc;
};

static void put_bytes(struct out *o, struct pf_span s)
{
	if (o->rc == PF_OK && s.n > 0) {
		o->rc = pf_buf_add(o->b, s, o->err);
	}
}

static void put_number(struct out *o, uint32_t v, size_t bytes)
{
	uint8_t le[4] = {(uint8_t)v, (uint8_t)(v >> 8), (uint8_t)(v >> 16), (uint8_t)(v >> 24)};

	put_bytes(o, pf_span(le, bytes));
}

static void put_block(struct out *o, struct pf_span s)
{
	put_number(o, (uint32_t)s.n, 4);
	put_bytes(o, s);
}

static void put_dates(struct out *o, const uint32_t *v, size_t n)
{
	put_number(o, (uint32_t)n, 4);
	for (size_t i = 0; i < n; i++) {
		put_number(o, v[i], 4);
	}
}

static void put_pattern(struct out *o, const struct pf_recur *r)
{
	put_number(o, r->reader, 2);
	put_number(o, r->writer, 2);
	put_number(o, r->frequency, 2);
	put_number(o, r->pattern, 2);
	put_number(o, r->calendar, 2);
	put_number(o, r->first, 4);
	put_number(o, r->period, 4);
	put_number(o, r->sliding, 4);
	if (r->pattern != PF_RECUR_DAY) {
		put_number(o, r->days, 4);
	}
	if (r->pattern == PF_RECUR_MONTH_NTH || r->pattern == PF_RECUR_HIJRI_NTH) {
		put_number(o, r->nth, 4);
	}
	put_number(o, (uint32_t)r->end_type, 4);
	put_number(o, r->count, 4);
	put_number(o, r->first_weekday, 4);
	put_dates(o, r->deleted, r->deleted_n);
	put_dates(o, r->modified, r->modified_n);
	put_number(o, r->start, 4);
	put_number(o, r->end, 4);
}

static void put_ansi(struct out *o, struct pf_span s)
{
	s.n = s.n < UINT16_MAX ? s.n : UINT16_MAX - 1;
	put_number(o, (uint32_t)s.n + 1, 2);
	put_number(o, (uint32_t)s.n, 2);
	put_bytes(o, s);
}

static void put_exception(struct out *o, const struct pf_recur_exception *e)
{
	const struct {
		uint16_t flag;
		uint32_t value;
	} fields[] = {
		{PF_RECUR_HAS_MEETING, e->meeting},
		{PF_RECUR_HAS_REMINDER_DELTA, e->reminder_delta},
		{PF_RECUR_HAS_REMINDER, e->reminder},
		{PF_RECUR_HAS_LOCATION, 0},
		{PF_RECUR_HAS_BUSY, e->busy},
		{PF_RECUR_HAS_ATTACHMENT, e->attachment},
		{PF_RECUR_HAS_ALL_DAY, e->all_day},
		{PF_RECUR_HAS_COLOUR, e->colour},
	};

	put_number(o, e->start, 4);
	put_number(o, e->end, 4);
	put_number(o, e->original, 4);
	put_number(o, e->flags, 2);
	if (e->flags & PF_RECUR_HAS_SUBJECT) {
		put_ansi(o, e->subject_ansi);
	}
	for (size_t i = 0; i < PF_COUNT(fields); i++) {
		if (!(e->flags & fields[i].flag)) {
			continue;
		}
		if (fields[i].flag == PF_RECUR_HAS_LOCATION) {
			put_ansi(o, e->location_ansi);
		} else {
			put_number(o, fields[i].value, 4);
		}
	}
}

/* UTF-16, at most as much as its length can tell. */
static void put_wide(struct out *o, struct pf_span utf8)
{
	size_t units = 0;

	for (struct pf_span s = utf8; s.n > 0;) {
		units += pf_utf8_next(&s) >= 0x10000 ? 2 : 1;
	}
	put_number(o, units < UINT16_MAX ? (uint32_t)units : UINT16_MAX - 1, 2);
	units = units < UINT16_MAX ? units : UINT16_MAX - 1;
	for (struct pf_span s = utf8; s.n > 0 && units > 0;) {
		uint32_t cp = pf_utf8_next(&s);

		cp = cp > 0x10FFFF ? 0xFFFD : cp;
		if (cp >= 0x10000 && units > 1) {
			put_number(o, 0xD800 + ((cp - 0x10000) >> 10), 2);
			put_number(o, 0xDC00 + ((cp - 0x10000) & 0x3FF), 2);
			units -= 2;
		} else {
			put_number(o, cp >= 0x10000 ? 0xFFFD : cp, 2);
			units--;
		}
	}
}

static void put_extended(
	struct out *o, const struct pf_recur *r, const struct pf_recur_exception *e)
{
	if (r->writer2 >= HIGHLIGHTS_SINCE) {
		put_block(o, e->highlight);
	}
	put_block(o, e->reserved1);
	if (!(e->flags & HAS_TEXT)) {
		return;
	}
	put_number(o, e->start, 4);
	put_number(o, e->end, 4);
	put_number(o, e->original, 4);
	if (e->flags & PF_RECUR_HAS_SUBJECT) {
		put_wide(o, e->subject);
	}
	if (e->flags & PF_RECUR_HAS_LOCATION) {
		put_wide(o, e->location);
	}
	put_block(o, e->reserved2);
}

int pf_recur_write(const struct pf_recur *r, struct pf_buf *out, struct pf_err *err)
{
	struct out o = {.b = out, .err = err, .rc = PF_OK};

	put_pattern(&o, r);
	if (!r->has_times) {
		return o.rc;
	}
	put_number(&o, r->reader2, 4);
	put_number(&o, r->writer2, 4);
	put_number(&o, r->start_offset, 4);
	put_number(&o, r->end_offset, 4);
	put_number(&o, (uint32_t)r->exception_n, 2);
	for (size_t i = 0; i < r->exception_n; i++) {
		put_exception(&o, &r->exception[i]);
	}
	put_block(&o, r->reserved1);
	for (size_t i = 0; i < r->exception_n; i++) {
		put_extended(&o, r, &r->exception[i]);
	}
	put_block(&o, r->reserved2);
	return o.rc;
}
