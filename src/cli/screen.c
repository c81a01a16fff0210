#include "cli/screen.h"

#include "base/json.h"
#include "base/utf8.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

enum { BAR_EVERY_MS = 200, LINE_EVERY_MS = 10000, JSON_MAX = 1 << 20, PERCENT = 100 };

const char *pf_show_bytes(uint64_t n, char *out, size_t size)
{
	static const char *const UNITS[] = {"bytes", "kB", "MB", "GB", "TB"};
	double value = (double)n;
	size_t unit = 0;

	while (value >= 1000 && unit + 1 < PF_COUNT(UNITS)) {
		value /= 1000;
		unit++;
	}
	(void)snprintf(out, size, unit == 0 ? "%.0f %s" : "%.1f %s", value, UNITS[unit]);
	return out;
}

void pf_screen_wipe_bar(struct pf_screen *s)
{
	if (s->bar_shown) {
		(void)fputs("\r\033[K", stderr);
		s->bar_shown = false;
	}
}

/* ---- events ---- */

void pf_screen_json_line(struct pf_buf *line)
{
	(void)fwrite(line->p, 1, line->n, stdout);
	(void)fputc('\n', stdout);
	(void)fflush(stdout);
}

static void event_json(const struct pf_evlog_event *ev)
{
	const struct pf_event_doc *doc = pf_event_doc(ev->number);
	struct pf_buf b;
	struct pf_err ignored; /* no memory for a line on the screen: the ledger has it */

	pf_buf_init(&b, JSON_MAX);
	if (pf_buf_add_str(&b, "{", &ignored) == PF_OK &&
		pf_json_put(&b, "type", pf_span_str("event"), &ignored) == PF_OK &&
		pf_json_put_int(&b, "number", ev->number, &ignored) == PF_OK &&
		pf_json_put(&b, "name", pf_span_str(doc ? doc->name : ""), &ignored) == PF_OK &&
		pf_json_put(&b, "severity", pf_span_str(doc ? pf_severity_name(doc->severity) : ""),
			&ignored) == PF_OK &&
		pf_json_put(&b, "folder", pf_span_str(ev->folder), &ignored) == PF_OK &&
		pf_json_put(&b, "item", ev->item, &ignored) == PF_OK &&
		pf_json_put(&b, "text", pf_span_str(ev->text), &ignored) == PF_OK &&
		pf_buf_add_str(&b, "}", &ignored) == PF_OK) {
		pf_screen_json_line(&b);
	}
	pf_buf_deinit(&b);
}

static void on_event(struct pf_evlog_listener *l, const struct pf_evlog_event *ev)
{
	struct pf_screen *s = pf_container_of(l, struct pf_screen, listener);
	const struct pf_event_doc *doc = pf_event_doc(ev->number);
	bool alert = ev->number == PF_EV_ALERT || ev->number == 0;
	bool shown = s->settings->verbose || alert || (doc && doc->severity >= PF_SEV_WARNING);
	char item[200];

	if (s->settings->json) {
		event_json(ev);
	}
	/* That an account could not be opened is what the end says. */
	if (!shown || ev->number == PF_EV_NOT_OPENED ||
		(s->settings->quiet && !alert && !(doc && doc->severity == PF_SEV_ERROR))) {
		return;
	}
	pf_screen_wipe_bar(s);
	(void)fprintf(stderr, "%d %s%s%s%s%s%s\n", ev->number, ev->folder ? ev->folder : "",
		ev->folder && ev->item.p ? " " : "", ev->item.p ? "item " : "",
		pf_print_safe(item, sizeof(item), ev->item), ev->folder || ev->item.p ? ": " : "",
		ev->text);
}

/* ---- progress ---- */

static uint64_t paused_s(const struct pf_progress *p, int64_t now_ms)
{
	return p->paused_until_ms > now_ms ? (uint64_t)(p->paused_until_ms - now_ms + 999) / 1000
					   : 0;
}

/* Bytes moved in this pass: reading is one half of moving, writing the other. */
static uint64_t moved(const struct pf_progress *p)
{
	uint64_t read = p->bytes_read > p->bytes_done ? p->bytes_read : p->bytes_done;
	uint64_t n = p->bytes_done + (read - p->bytes_done) / 2;

	return n < p->bytes ? n : p->bytes;
}

/* Bytes a second of late: a mean in which a second counts for the less the longer ago it is. */
static void measure(struct pf_screen *s, const struct pf_progress *p, int64_t now_ms)
{
	const double newest = 0.3;
	int64_t passed_ms = now_ms - s->measured_ms;
	uint64_t n = moved(p);
	double rate;

	if (passed_ms < (s->rate > 0 ? 1000 : 200) || n < s->measured_bytes) {
		return;
	}
	rate = (double)(n - s->measured_bytes) * 1000 / (double)passed_ms;
	s->rate = s->rate > 0 ? s->rate + (rate - s->rate) * newest : rate;
	s->measured_ms = now_ms;
	s->measured_bytes = n;
}

/* What a line of progress is made of, from left to right. */
enum piece { BAR, SHARE, FOLDERS, ITEMS, BYTES, RATE, LEFT, WAITING, PIECES };

enum { PIECE_MAX = 48 };

static void time_left(
	const struct pf_screen *s, const struct pf_progress *p, int64_t now_ms, char *out)
{
	uint64_t rest;

	if (s->rate < 1 || p->bytes <= p->bytes_done) {
		return;
	}
	rest = (uint64_t)((double)(p->bytes - moved(p)) / s->rate) + paused_s(p, now_ms);
	if (rest < 3600) {
		(void)snprintf(out, PIECE_MAX, "%llu:%02llu left", (unsigned long long)(rest / 60),
			(unsigned long long)(rest % 60));
	} else {
		(void)snprintf(out, PIECE_MAX, "%llu:%02llu:%02llu left",
			(unsigned long long)(rest / 3600), (unsigned long long)(rest / 60 % 60),
			(unsigned long long)(rest % 60));
	}
}

static void write_pieces(const struct pf_screen *s, const struct pf_progress *p, int64_t now_ms,
	char piece[PIECES][PIECE_MAX])
{
	enum { CELLS = 20 };
	uint64_t share = p->bytes   ? moved(p) * PERCENT / p->bytes
			 : p->items ? p->items_done * PERCENT / p->items
				    : 0;
	int full = (int)((share > PERCENT ? PERCENT : share) * CELLS / PERCENT);
	char size[32];

	memset(piece, 0, PIECES * sizeof(*piece));
	(void)snprintf(piece[BAR], PIECE_MAX, "[%.*s%.*s]", full, "####################",
		CELLS - full, "....................");
	(void)snprintf(piece[SHARE], PIECE_MAX, "%3llu%%", (unsigned long long)share);
	(void)snprintf(piece[FOLDERS], PIECE_MAX, "%zu/%zu folders", p->folders_done, p->folders);
	(void)snprintf(piece[ITEMS], PIECE_MAX, "%llu/%llu items",
		(unsigned long long)p->items_done, (unsigned long long)p->items);
	(void)snprintf(piece[BYTES], PIECE_MAX, "%s", pf_show_bytes(moved(p), size, sizeof(size)));
	(void)snprintf(piece[RATE], PIECE_MAX, "%s/s",
		pf_show_bytes((uint64_t)s->rate, size, sizeof(size)));
	time_left(s, p, now_ms, piece[LEFT]);
	if (p->paused_until_ms > now_ms) {
		(void)snprintf(piece[WAITING], PIECE_MAX, "waiting %llu s as a server asked",
			(unsigned long long)paused_s(p, now_ms));
	}
}

/* One line of at most `columns`: what matters least is left out until it fits. */
static void progress_text(const struct pf_screen *s, const struct pf_progress *p, int64_t now_ms,
	size_t columns, char *out, size_t size)
{
	static const enum piece DISPENSABLE[] = {FOLDERS, BYTES, BAR, ITEMS, WAITING, RATE, LEFT};
	char piece[PIECES][PIECE_MAX];
	size_t width = 0, n = 0;

	write_pieces(s, p, now_ms, piece);
	for (size_t i = 0; i < PIECES; i++) {
		width += piece[i][0] ? strlen(piece[i]) + 2 : 0;
	}
	for (size_t i = 0; i < PF_COUNT(DISPENSABLE) && width > columns + 2; i++) {
		char *text = piece[DISPENSABLE[i]];

		width -= text[0] ? strlen(text) + 2 : 0;
		text[0] = '\0';
	}
	out[0] = '\0';
	for (size_t i = 0; i < PIECES && n < size; i++) {
		if (piece[i][0]) {
			n += (size_t)snprintf(
				out + n, size - n, "%s%s", n > 0 ? "  " : "", piece[i]);
		}
	}
}

static size_t terminal_columns(void)
{
	enum { USUAL = 80, LEAST = 8 };
	struct winsize w = {.ws_col = 0};

	(void)ioctl(STDERR_FILENO, TIOCGWINSZ, &w); /* fails: the usual width is taken */
	return w.ws_col == 0 ? USUAL : w.ws_col < LEAST ? LEAST : w.ws_col;
}

/* The last column stays empty: some terminals wrap when it is written. */
static void show_bar(struct pf_screen *s, const struct pf_progress *p, int64_t now_ms)
{
	char text[PIECES * PIECE_MAX];

	progress_text(s, p, now_ms, terminal_columns() - 1, text, sizeof(text));
	(void)fprintf(stderr, "\r\033[K%s", text);
	(void)fflush(stderr);
	s->bar_shown = true;
}

static void progress_json(const struct pf_progress *p, int64_t now_ms)
{
	struct pf_buf b;
	struct pf_err ignored; /* a line more or less */

	pf_buf_init(&b, JSON_MAX);
	if (pf_buf_addf(&b, &ignored,
		    "{\"type\":\"progress\",\"folders\":%zu,\"folders_done\":%zu,\"items\":%llu,"
		    "\"items_done\":%llu,\"bytes\":%llu,\"bytes_done\":%llu,"
		    "\"paused_s\":%llu}",
		    p->folders, p->folders_done, (unsigned long long)p->items,
		    (unsigned long long)p->items_done, (unsigned long long)p->bytes,
		    (unsigned long long)p->bytes_done,
		    (unsigned long long)paused_s(p, now_ms)) == PF_OK) {
		pf_screen_json_line(&b);
	}
	pf_buf_deinit(&b);
}

static void look(struct pf_watch *w, struct pf_job *job, int64_t now_ms)
{
	struct pf_screen *s = pf_container_of(w, struct pf_screen, watch);
	const struct pf_progress *p = pf_job_progress(job);
	bool bar = s->tty && !s->settings->no_progress && !s->settings->quiet && !s->settings->json;
	char text[PIECES * PIECE_MAX];

	if (s->last_ms == 0) {
		s->last_ms = now_ms;
		s->measured_ms = now_ms;
	}
	measure(s, p, now_ms);
	if (now_ms - s->last_ms < (bar ? BAR_EVERY_MS : LINE_EVERY_MS) ||
		p->phase >= PF_PHASE_CLOSING) {
		return;
	}
	s->last_ms = now_ms;
	if (bar) {
		show_bar(s, p, now_ms);
	} else if (s->settings->json) {
		progress_json(p, now_ms);
	} else if (!s->settings->quiet && !s->settings->no_progress) {
		progress_text(s, p, now_ms, SIZE_MAX - 2, text, sizeof(text));
		(void)fprintf(stderr, "%s\n", strchr(text, ']') + 3); /* a log needs no bar */
	}
}

void pf_screen_init(struct pf_screen *s, const struct pf_settings *settings)
{
	const char *term = getenv("TERM");

	*s = (struct pf_screen){.listener = {on_event}, .watch = {look}, .settings = settings};
	s->tty = isatty(STDERR_FILENO) == 1 && !(term && strcmp(term, "dumb") == 0);
}
