/*
 * "From ann@example.org Sat Nov 14 10:00:00 2026", with a zone before or behind the year, with "-"
 * for the sender, or the date as RFC 5322 writes it. Without a zone it is UTC.
 */
#include "base/civil.h"
#include "base/date_text.h"
#include "proto/mbox/mbox_private.h"

static const char FROM[] = "From ", OURS[] = "From MAILER-DAEMON ";
static const char *const MONTHS[] = {
	"Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
static const char *const DAYS[] = {"Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"};

enum { WORDS_MAX = 24 };

bool mbox_is_from(struct pf_span line)
{
	return line.n > 5 && memcmp(line.p, FROM, 5) == 0;
}

bool mbox_is_ours(struct pf_span line)
{
	return line.n >= sizeof(OURS) - 1 && memcmp(line.p, OURS, sizeof(OURS) - 1) == 0;
}

bool mbox_is_torn_from(const struct mbox_line *line)
{
	size_t n = line->text.n < sizeof(OURS) - 1 ? line->text.n : sizeof(OURS) - 1;

	return line->eol == 0 && line->text.n < 64 && n > 0 && memcmp(line->text.p, OURS, n) == 0;
}

static size_t split(struct pf_span line, struct pf_span words[WORDS_MAX])
{
	size_t n = 0, i = 0;

	while (i < line.n && n < WORDS_MAX) {
		size_t from;

		while (i < line.n && (line.p[i] == ' ' || line.p[i] == '\t')) {
			i++;
		}
		from = i;
		while (i < line.n && line.p[i] != ' ' && line.p[i] != '\t') {
			i++;
		}
		if (i > from) {
			words[n++] = pf_span(line.p + from, i - from);
		}
	}
	return n;
}

static bool is_month(struct pf_span w)
{
	for (size_t i = 0; i < PF_COUNT(MONTHS); i++) {
		if (pf_span_is(w, MONTHS[i])) {
			return true;
		}
	}
	return false;
}

static bool is_year(struct pf_span w)
{
	bool digits = w.n == 4;

	for (size_t i = 0; digits && i < 4; i++) {
		digits = w.p[i] >= '0' && w.p[i] <= '9';
	}
	return digits;
}

static bool is_time(struct pf_span w)
{
	return w.n >= 4 && w.n <= 8 && memchr(w.p, ':', w.n) != NULL;
}

/* The words of a date in the order that pf_date_parse knows. */
static bool read_date(struct pf_span day, struct pf_span month, struct pf_span year,
	struct pf_span time, struct pf_span zone, int64_t *utc_s)
{
	struct pf_err ignored; /* too long is no date */
	struct pf_buf text;
	int zone_min;
	bool ok;

	pf_buf_init(&text, 200);
	ok = pf_buf_addf(&text, &ignored, "%.*s-%.*s-%.*s %.*s %.*s", (int)day.n,
		     (const char *)day.p, (int)month.n, (const char *)month.p, (int)year.n,
		     (const char *)year.p, (int)time.n, (const char *)time.p,
		     zone.n > 0 ? (int)zone.n : 5,
		     zone.n > 0 ? (const char *)zone.p : "+0000") == PF_OK &&
	     pf_date_parse(pf_buf_span(&text), utc_s, &zone_min);
	pf_buf_deinit(&text);
	return ok;
}

/* "Nov 14 10:00:00 2026", "Nov 14 10:00:00 +0100 2026", "Nov 14 10:00 UTC 2026", "... 2026 +0100".
 */
static bool is_asctime(const struct pf_span *w, size_t n, int64_t *utc_s)
{
	const struct pf_span none = pf_span(NULL, 0);

	if (n < 4 || !is_month(w[0]) || w[1].n > 2 || !is_time(w[2])) {
		return false;
	}
	if (is_year(w[3])) {
		bool zone = n > 4 && (w[4].p[0] == '+' || w[4].p[0] == '-');

		return read_date(w[1], w[0], w[3], w[2], zone ? w[4] : none, utc_s);
	}
	return n > 4 && is_year(w[4]) && w[3].n <= 5 &&
	       read_date(w[1], w[0], w[4], w[2], w[3], utc_s);
}

/* "14 Nov 2026 10:00:00 +0100" */
static bool is_rfc5322(const struct pf_span *w, size_t n, int64_t *utc_s)
{
	return n >= 4 && w[0].n <= 2 && is_month(w[1]) && is_year(w[2]) && is_time(w[3]) &&
	       read_date(w[0], w[1], w[2], w[3], n > 4 ? w[4] : pf_span(NULL, 0), utc_s);
}

bool mbox_from_date(struct pf_span line, int64_t *utc_s)
{
	struct pf_span words[WORDS_MAX];
	size_t n = split(pf_span_from(line, 5), words);

	for (size_t i = 0; i < n; i++) {
		if (is_asctime(words + i, n - i, utc_s) || is_rfc5322(words + i, n - i, utc_s)) {
			return true;
		}
	}
	return false;
}

int mbox_from_write(int64_t utc_s, struct pf_buf *out, struct pf_err *err)
{
	int64_t days = utc_s / 86400 - (utc_s % 86400 < 0);
	struct pf_civil c;

	pf_civil_from_unix(utc_s, &c);
	return pf_buf_addf(out, err, "%s%s %s %2d %02d:%02d:%02d %04d", OURS,
		DAYS[(days % 7 + 7) % 7], MONTHS[c.month - 1], c.day, c.hour, c.minute, c.second,
		c.year);
}
