#include "proto/mbox/mbox_private.h"

#include <stdio.h>
#include <stdlib.h>

const char *const mbox_notes[MBOX_NOTES] = {
	"Status: ", "X-Status: ", "X-Keywords: ", "X-Postferry-Octets: "};

/* Fields that other programs keep about a message in its header. */
enum field {
	FIELD_NONE,
	FIELD_LENGTH,
	FIELD_STATUS,
	FIELD_X_STATUS,
	FIELD_KEYWORDS,
	FIELD_MOZILLA,
	FIELD_OTHER,
};

static const struct {
	const char *name;
	enum field field;
} FIELDS[] = {
	{"Content-Length:", FIELD_LENGTH},
	{"Status:", FIELD_STATUS},
	{"X-Status:", FIELD_X_STATUS},
	{"X-Keywords:", FIELD_KEYWORDS},
	{"X-Mozilla-Keys:", FIELD_KEYWORDS},
	{"X-Mozilla-Status:", FIELD_MOZILLA},
	{"X-Mozilla-Status2:", FIELD_OTHER},
	{"X-UID:", FIELD_OTHER},
	{"X-UIDL:", FIELD_OTHER},
	{"X-IMAP:", FIELD_OTHER},
	{"X-IMAPbase:", FIELD_OTHER},
	{"X-Postferry-Octets:", FIELD_OTHER},
};

struct pf_mbox {
	struct mbox_lines lines;
	uint64_t next;  /* where the next message begins */
	bool begun;     /* the first "From " line was seen */
	bool dated;     /* and had a date: so must the others */
	uint64_t whole; /* octets that are whole messages */
};

struct pf_mbox *pf_mbox_new(struct pf_mbox_src *src)
{
	struct pf_mbox *m = calloc(1, sizeof(*m));

	if (m) {
		m->lines.src = src;
	}
	return m;
}

void pf_mbox_free(struct pf_mbox **m)
{
	free(*m);
	*m = NULL;
}

void pf_mbox_seek(struct pf_mbox *m, uint64_t from)
{
	m->next = from;
	m->whole = from;
	m->lines.n = 0; /* it may have changed since */
}

uint64_t pf_mbox_whole(const struct pf_mbox *m)
{
	return m->whole;
}

bool pf_mbox_is(struct pf_span start)
{
	size_t i = 0;

	while (i < start.n && (start.p[i] == '\n' || start.p[i] == '\r')) {
		i++;
	}
	return i == start.n || mbox_is_from(pf_span_from(start, i));
}

/* ---- limits ---- */

static bool begins(const struct pf_mbox *m, const struct mbox_line *line)
{
	int64_t date;

	return mbox_is_from(line->text) && (!m->dated || mbox_from_date(line->text, &date));
}

/* Whether a message may end at `at`: the source does, or a "From " line follows, behind two blank
 * lines at most. *next: that line. */
static int may_end(struct pf_mbox *m, uint64_t at, bool *may, uint64_t *next, struct pf_err *err)
{
	struct mbox_line line;
	int rc = PF_OK;

	*may = false;
	for (int blank = 0; blank < 3; blank++) {
		*next = at;
		rc = mbox_line(&m->lines, at, &line, err);
		if (rc != PF_OK) {
			*may = rc == PF_END;
			return rc == PF_END ? PF_OK : rc;
		}
		if (line.text.n > 0) {
			*may = begins(m, &line);
			return PF_OK;
		}
		at = line.end;
	}
	return PF_OK;
}

/* The message ends at the next "From " line from `at` on. */
static int find_end(
	struct pf_mbox *m, uint64_t at, struct pf_mbox_msg *msg, uint64_t *next, struct pf_err *err)
{
	uint64_t blank = UINT64_MAX; /* the line before is one, and begins there */
	struct mbox_line line;
	int rc;

	while ((rc = mbox_line(&m->lines, at, &line, err)) == PF_OK && !begins(m, &line)) {
		blank = line.text.n == 0 && line.eol > 0 ? line.at : UINT64_MAX;
		at = line.end;
	}
	msg->end = blank != UINT64_MAX && blank >= msg->body ? blank : at;
	*next = at;
	return rc == PF_FAIL ? PF_FAIL : PF_OK;
}

/* Of a body whose length was told: no line in it is quoted, if one is not that would have to be. */
static int find_quoting(struct pf_mbox *m, struct pf_mbox_msg *msg, struct pf_err *err)
{
	struct mbox_line line;
	int rc = PF_OK;

	for (uint64_t at = msg->body; at < msg->end; at = line.end) {
		rc = mbox_line(&m->lines, at, &line, err);
		if (rc != PF_OK) {
			break;
		}
		if (mbox_is_from(line.text)) {
			msg->unquote = PF_MBOX_UNQUOTE_NONE;
			break;
		}
	}
	return rc == PF_FAIL ? PF_FAIL : PF_OK;
}

/* ---- fields ---- */

static enum field field_of(struct pf_span line)
{
	for (size_t i = 0; i < PF_COUNT(FIELDS); i++) {
		if (pf_span_starts(line, FIELDS[i].name)) {
			return FIELDS[i].field;
		}
	}
	return FIELD_NONE;
}

/* What is behind the name, without blanks around it. */
static struct pf_span value_of(struct pf_span line)
{
	const uint8_t *colon = memchr(line.p, ':', line.n);
	struct pf_span v = colon ? pf_span_from(line, (size_t)(colon - line.p) + 1) : line;

	while (v.n > 0 && (v.p[0] == ' ' || v.p[0] == '\t')) {
		v = pf_span_from(v, 1);
	}
	while (v.n > 0 && (v.p[v.n - 1] == ' ' || v.p[v.n - 1] == '\t')) {
		v.n--;
	}
	return v;
}

static bool read_number(struct pf_span v, unsigned int base, uint64_t *out)
{
	static const char DIGITS[] = "0123456789abcdef";
	bool ok = v.n > 0 && v.n <= 18;

	*out = 0;
	for (size_t i = 0; ok && i < v.n; i++) {
		uint8_t c = v.p[i] >= 'A' && v.p[i] <= 'F' ? (uint8_t)(v.p[i] + 32) : v.p[i];
		const char *d = memchr(DIGITS, c, base);

		ok = d != NULL;
		*out = ok ? *out * base + (uint64_t)(d - DIGITS) : 0;
	}
	return ok;
}

static void read_letters(struct pf_span v, enum field field, uint32_t *marks)
{
	static const struct {
		char letter;
		enum field field;
		uint32_t mark;
	} LETTERS[] = {
		{'R', FIELD_STATUS, PF_MBOX_SEEN},
		{'A', FIELD_X_STATUS, PF_MBOX_ANSWERED},
		{'F', FIELD_X_STATUS, PF_MBOX_FLAGGED},
		{'D', FIELD_X_STATUS, PF_MBOX_DELETED},
		{'T', FIELD_X_STATUS, PF_MBOX_DRAFT},
	};

	for (size_t i = 0; i < PF_COUNT(LETTERS); i++) {
		if (LETTERS[i].field == field && v.n > 0 && memchr(v.p, LETTERS[i].letter, v.n)) {
			*marks |= LETTERS[i].mark;
		}
	}
}

static void read_mozilla(struct pf_span v, uint32_t *marks)
{
	uint64_t bits = 0;

	if (read_number(v, 16, &bits)) {
		*marks |= (bits & 1 ? PF_MBOX_SEEN : 0u) | (bits & 2 ? PF_MBOX_ANSWERED : 0u) |
			  (bits & 4 ? PF_MBOX_FLAGGED : 0u) | (bits & 8 ? PF_MBOX_DELETED : 0u);
	}
}

static void read_field(
	enum field field, struct pf_span v, struct pf_mbox_msg *msg, uint64_t *length)
{
	switch (field) {
	case FIELD_LENGTH:
		if (!read_number(v, 10, length)) {
			*length = UINT64_MAX;
		}
		break;
	case FIELD_STATUS:
	case FIELD_X_STATUS:
		read_letters(v, field, &msg->marks);
		break;
	case FIELD_KEYWORDS:
		(void)snprintf(msg->keywords, sizeof(msg->keywords), "%.*s", (int)v.n,
			v.n > 0 ? (const char *)v.p : "");
		break;
	case FIELD_MOZILLA:
		read_mozilla(v, &msg->marks);
		break;
	case FIELD_NONE:
	case FIELD_OTHER:
		break;
	}
}

/* false: there is no room for it, and the line stays. */
static bool cut(struct pf_mbox_msg *msg, const struct mbox_line *line)
{
	if (msg->cuts > 0 && msg->cut[msg->cuts - 1].to == line->at) {
		msg->cut[msg->cuts - 1].to = line->end;
		return true;
	}
	if (msg->cuts == PF_MBOX_CUTS_MAX) {
		return false;
	}
	msg->cut[msg->cuts].from = line->at;
	msg->cut[msg->cuts++].to = line->end;
	return true;
}

/* ---- a message ---- */

/* The header of a message that others wrote, up to its body. */
static int read_header(
	struct pf_mbox *m, struct pf_mbox_msg *msg, uint64_t *length, struct pf_err *err)
{
	uint64_t at = msg->begin;
	struct mbox_line line;
	bool cutting = false;
	int rc;

	*length = UINT64_MAX;
	while ((rc = mbox_line(&m->lines, at, &line, err)) == PF_OK && line.text.n > 0 &&
		!begins(m, &line)) {
		bool folded = line.text.p[0] == ' ' || line.text.p[0] == '\t';
		enum field field = folded ? FIELD_NONE : field_of(line.text);

		cutting = folded ? cutting : field != FIELD_NONE;
		read_field(field, value_of(line.text), msg, length);
		cutting = cutting && cut(msg, &line);
		at = line.end;
	}
	msg->body = rc == PF_OK && line.text.n == 0 ? line.end : at;
	return rc == PF_FAIL ? PF_FAIL : PF_OK;
}

enum ours { OURS_NOT, OURS_WHOLE, OURS_TORN };

/* Whether there is no "From " line behind `at`: else a message is damaged, not torn. */
static int is_last(struct pf_mbox *m, uint64_t at, enum ours *what, struct pf_err *err)
{
	struct mbox_line line;
	int rc;

	while ((rc = mbox_line(&m->lines, at, &line, err)) == PF_OK && !begins(m, &line)) {
		at = line.end;
	}
	*what = rc == PF_END ? OURS_TORN : OURS_NOT;
	return rc == PF_FAIL ? PF_FAIL : PF_OK;
}

/* The line of a note, or what there is of it. */
static bool is_note(size_t i, const struct mbox_line *line)
{
	size_t n = strlen(mbox_notes[i]);

	n = line->eol == 0 && line->text.n < n ? line->text.n : n;
	return line->text.n >= n && memcmp(line->text.p, mbox_notes[i], n) == 0;
}

/* Our four lines. *at: behind them. *octets: as the last of them says. */
static int read_notes(struct pf_mbox *m, struct pf_mbox_msg *msg, uint64_t *at, uint64_t *octets,
	enum ours *what, struct pf_err *err)
{
	struct mbox_line line;
	uint64_t none;
	bool is_number;

	*what = OURS_NOT;
	for (size_t i = 0; i < MBOX_NOTES; i++) {
		int rc = mbox_line(&m->lines, *at, &line, err);

		if (rc == PF_FAIL) {
			return PF_FAIL;
		}
		if (rc == PF_OK && !is_note(i, &line)) {
			return PF_OK;
		}
		if (rc == PF_END || line.eol == 0) {
			*what = OURS_TORN;
			return PF_OK;
		}
		if (i < MBOX_NOTES - 1) {
			read_field(field_of(line.text), value_of(line.text), msg, &none);
		}
		*at = line.end;
	}
	is_number = read_number(value_of(line.text), 10, octets);
	*what = is_number && *octets < UINT64_MAX / 2 ? OURS_WHOLE : OURS_NOT;
	return PF_OK;
}

/* Our four lines behind the "From " line. A source that ends within them, or before the octets that
 * they tell, has a message that was not written to its end. */
static int read_ours(struct pf_mbox *m, struct pf_mbox_msg *msg, enum ours *what, uint64_t *next,
	struct pf_err *err)
{
	uint64_t at = msg->begin, octets = 0;
	struct mbox_line line;
	bool may = false;
	int rc;

	if (read_notes(m, msg, &at, &octets, what, err) != PF_OK) {
		return PF_FAIL;
	}
	if (*what != OURS_WHOLE) {
		return PF_OK;
	}
	rc = mbox_line(&m->lines, at + octets, &line, err); /* a blank one, at the least */
	if (rc == PF_END) {
		return is_last(m, at, what, err);
	}
	if (rc == PF_FAIL || (line.text.n == 0 && may_end(m, line.end, &may, next, err) != PF_OK)) {
		return PF_FAIL;
	}
	*what = may ? OURS_WHOLE : OURS_NOT;
	msg->end = at + octets;
	msg->begin = may ? at : msg->begin;
	return PF_OK;
}

/* Where its header ends, of one that is ours. */
static int find_body(struct pf_mbox *m, struct pf_mbox_msg *msg, struct pf_err *err)
{
	struct mbox_line line;
	int rc = PF_OK;

	msg->body = msg->end;
	for (uint64_t at = msg->begin; at < msg->end && rc == PF_OK; at = line.end) {
		rc = mbox_line(&m->lines, at, &line, err);
		if (rc == PF_OK && line.text.n == 0) {
			msg->body = line.end < msg->end ? line.end : msg->end;
			break;
		}
	}
	return rc == PF_FAIL ? PF_FAIL : PF_OK;
}

/* One that others wrote. */
static int read_foreign(
	struct pf_mbox *m, struct pf_mbox_msg *msg, uint64_t *next, struct pf_err *err)
{
	uint64_t length = UINT64_MAX;
	struct mbox_line last;
	bool may = false;
	int rc;

	msg->marks = 0;
	msg->keywords[0] = '\0';
	msg->unquote = PF_MBOX_UNQUOTE_BODY;
	if (read_header(m, msg, &length, err) != PF_OK) {
		return PF_FAIL;
	}
	if (length < UINT64_MAX / 2) {
		rc = length > 0 ? mbox_line(&m->lines, msg->body + length - 1, &last, err) : PF_OK;
		if (rc == PF_FAIL ||
			(rc == PF_OK && may_end(m, msg->body + length, &may, next, err) != PF_OK)) {
			return PF_FAIL;
		}
	}
	if (!may) { /* none was told, or it leads nowhere */
		return find_end(m, msg->body, msg, next, err);
	}
	msg->end = msg->body + length;
	return find_quoting(m, msg, err);
}

static int first_line(struct pf_mbox *m, struct mbox_line *line, struct pf_err *err)
{
	int64_t date;
	int rc;

	while ((rc = mbox_line(&m->lines, m->next, line, err)) == PF_OK && line->text.n == 0) {
		m->next = line->end;
	}
	if (rc == PF_OK && !m->begun) {
		if (!mbox_is_from(line->text)) {
			return mbox_is_torn_from(line)
				       ? PF_OK
				       : pf_fail(err, PF_SCOPE_FOLDER, PF_RETRY_NO,
						 "it is no mailbox: it does not begin with a line "
						 "\"From \"");
		}
		m->dated = mbox_from_date(line->text, &date);
		m->begun = true;
	}
	return rc;
}

int pf_mbox_next(struct pf_mbox *m, struct pf_mbox_msg *out, struct pf_err *err)
{
	struct mbox_line line;
	enum ours ours = OURS_NOT;
	uint64_t next = 0;
	int rc = first_line(m, &line, err);

	if (rc == PF_OK && line.eol == 0 && mbox_is_torn_from(&line)) {
		return PF_END;
	}
	if (rc != PF_OK) {
		m->whole = rc == PF_END ? m->next : m->whole;
		return rc;
	}
	*out = (struct pf_mbox_msg){
		.from = line.at, .notes = line.end, .begin = line.end, .as_it_is = line.eol == 2};
	out->has_date = mbox_from_date(line.text, &out->date_utc_s);
	if (mbox_is_ours(line.text) && read_ours(m, out, &ours, &next, err) != PF_OK) {
		return PF_FAIL;
	}
	if (ours == OURS_TORN) {
		return PF_END;
	}
	out->ours = ours == OURS_WHOLE;
	out->unquote = PF_MBOX_UNQUOTE_ALL;
	rc = out->ours ? find_body(m, out, err) : read_foreign(m, out, &next, err);
	m->next = next;
	m->whole = next;
	return rc;
}
