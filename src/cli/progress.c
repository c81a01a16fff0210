/*
 * Progress: on a terminal a bar for each account at work and, of many, one for all; elsewhere a
 * line now and then.
 */
#include "base/json.h"
#include "base/utf8.h"
#include "cli/screen.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

enum {
	BAR_EVERY_MS = 200,
	LINE_EVERY_MS = 10000,
	JSON_MAX = 1 << 20,
	PERCENT = 100,
	NAME_COLUMNS = 30,
};

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

void pf_progress_wipe(struct pf_screen *s)
{
	for (size_t i = 0; i < s->bar_lines; i++) {
		(void)fputs(i == 0 ? "\r\033[K" : "\033[A\033[K", stderr);
	}
	s->bar_lines = 0;
}

/* ---- how fast ---- */

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
static void measure(struct pf_meter *m, uint64_t n, int64_t now_ms)
{
	const double newest = 0.3;
	int64_t passed_ms = now_ms - m->measured_ms;
	double rate;

	if (passed_ms < (m->rate > 0 ? 1000 : 200) || n < m->measured_bytes) {
		return;
	}
	rate = (double)(n - m->measured_bytes) * 1000 / (double)passed_ms;
	m->rate = m->rate > 0 ? m->rate + (rate - m->rate) * newest : rate;
	m->measured_ms = now_ms;
	m->measured_bytes = n;
}

/* The meter of an account at work, new when it has none; NULL: no memory, then it is not measured.
 */
static struct pf_meter *meter_of(struct pf_screen *s, const struct pf_wire_row *row, int64_t now_ms)
{
	for (size_t i = 0; i < s->meter_n; i++) {
		if (s->meters[i].row == row) {
			return &s->meters[i];
		}
	}
	if (s->meter_n == s->meter_cap) {
		size_t cap = s->meter_cap ? s->meter_cap * 2 : 16;
		struct pf_meter *grown = realloc(s->meters, cap * sizeof(*grown));

		if (!grown) {
			return NULL;
		}
		s->meters = grown;
		s->meter_cap = cap;
	}
	s->meters[s->meter_n] = (struct pf_meter){.row = row, .measured_ms = now_ms};
	return &s->meters[s->meter_n++];
}

static void measure_all(struct pf_screen *s, int64_t now_ms)
{
	uint64_t sum = pf_wire_sums(s->wire)->bytes_now;

	for (size_t i = 0; i < s->meter_n;) { /* those that are no longer at work go */
		if (s->meters[i].row->state == PF_ROW_ALIVE) {
			i++;
		} else {
			s->meters[i] = s->meters[--s->meter_n];
		}
	}
	for (size_t i = 0; i < pf_wire_alive(s->wire); i++) {
		const struct pf_wire_row *row = pf_wire_alive_row(s->wire, i);
		struct pf_meter *m = meter_of(s, row, now_ms);
		uint64_t n = moved(pf_job_progress(row->job));

		sum += n;
		if (m) {
			measure(m, n, now_ms);
		}
	}
	measure(&s->all, sum, now_ms);
}

/* ---- lines ---- */

/* What a line of progress is made of, from left to right. */
enum piece { BAR, SHARE, NAME, FOLDERS, ITEMS, BYTES, RATE, LEFT, WAITING, PIECES };

enum { PIECE_MAX = 100 };

static void put_bar(char piece[PIECES][PIECE_MAX], uint64_t share)
{
	enum { CELLS = 20 };
	int full = (int)((share > PERCENT ? PERCENT : share) * CELLS / PERCENT);

	memset(piece, 0, PIECES * sizeof(*piece));
	(void)snprintf(piece[BAR], PIECE_MAX, "[%.*s%.*s]", full, "####################",
		CELLS - full, "....................");
	(void)snprintf(piece[SHARE], PIECE_MAX, "%3llu%%", (unsigned long long)share);
}

static void put_left(char *out, double seconds)
{
	uint64_t rest = seconds > 0 && seconds < 1e9 ? (uint64_t)seconds : 0;

	if (rest < 3600) {
		(void)snprintf(out, PIECE_MAX, "%llu:%02llu left", (unsigned long long)(rest / 60),
			(unsigned long long)(rest % 60));
	} else {
		(void)snprintf(out, PIECE_MAX, "%llu:%02llu:%02llu left",
			(unsigned long long)(rest / 3600), (unsigned long long)(rest / 60 % 60),
			(unsigned long long)(rest % 60));
	}
}

static void account_pieces(
	const struct pf_progress *p, double rate, int64_t now_ms, char piece[PIECES][PIECE_MAX])
{
	char size[32];

	put_bar(piece, p->bytes   ? moved(p) * PERCENT / p->bytes
		       : p->items ? p->items_done * PERCENT / p->items
				  : 0);
	(void)snprintf(piece[FOLDERS], PIECE_MAX, "%zu/%zu folders", p->folders_done, p->folders);
	(void)snprintf(piece[ITEMS], PIECE_MAX, "%llu/%llu items",
		(unsigned long long)p->items_done, (unsigned long long)p->items);
	(void)snprintf(piece[BYTES], PIECE_MAX, "%s", pf_show_bytes(moved(p), size, sizeof(size)));
	(void)snprintf(
		piece[RATE], PIECE_MAX, "%s/s", pf_show_bytes((uint64_t)rate, size, sizeof(size)));
	if (rate >= 1 && p->bytes > p->bytes_done) {
		put_left(piece[LEFT],
			(double)(p->bytes - moved(p)) / rate + (double)paused_s(p, now_ms));
	}
	if (p->paused_until_ms > now_ms) {
		(void)snprintf(piece[WAITING], PIECE_MAX, "waiting %llu s as a server asked",
			(unsigned long long)paused_s(p, now_ms));
	}
}

struct totals {
	size_t rows, over, failed;
	double part; /* of all accounts, from 0 to 1 */
	uint64_t items, bytes;
};

static void count(const struct pf_wire *w, struct totals *t)
{
	const struct pf_outcome *sums = pf_wire_sums(w);
	const struct pf_wire_row *rows = pf_wire_rows(w, &t->rows);

	t->over = 0;
	t->failed = 0;
	for (size_t i = 0; i < t->rows; i++) {
		t->over += rows[i].state == PF_ROW_OVER;
		t->failed += rows[i].state == PF_ROW_OVER && rows[i].status != PF_EXIT_COMPLETE;
	}
	t->part = (double)t->over;
	t->bytes = sums->bytes_now;
	t->items = sums->copied_now + sums->present_now;
	for (size_t i = 0; i < pf_wire_alive(w); i++) {
		const struct pf_progress *p = pf_job_progress(pf_wire_alive_row(w, i)->job);

		t->part += p->items > 0 ? (double)p->items_done / (double)p->items : 0;
		t->bytes += p->bytes_done;
		t->items += p->items_done;
	}
	t->part = t->rows > 0 && t->part < (double)t->rows ? t->part / (double)t->rows : 1;
}

static void total_pieces(const struct pf_screen *s, int64_t now_ms, char piece[PIECES][PIECE_MAX])
{
	double seconds = (double)(now_ms - s->begun_ms) / 1000;
	struct totals t;
	char size[32];

	count(s->wire, &t);
	put_bar(piece, (uint64_t)(t.part * PERCENT));
	(void)snprintf(piece[NAME], PIECE_MAX, "%zu/%zu accounts", t.over, t.rows);
	(void)snprintf(piece[FOLDERS], PIECE_MAX, "%zu at work, %zu not complete",
		pf_wire_alive(s->wire), t.failed);
	(void)snprintf(piece[ITEMS], PIECE_MAX, "%llu items", (unsigned long long)t.items);
	(void)snprintf(piece[BYTES], PIECE_MAX, "%s", pf_show_bytes(t.bytes, size, sizeof(size)));
	(void)snprintf(piece[RATE], PIECE_MAX, "%s/s",
		pf_show_bytes((uint64_t)s->all.rate, size, sizeof(size)));
	if (t.part > 0 && t.part < 1) {
		put_left(piece[LEFT], seconds * (1 - t.part) / t.part);
	}
}

/* One line of at most `columns`: what matters least is left out until it fits. */
static void join(char piece[PIECES][PIECE_MAX], size_t columns, char *out, size_t size)
{
	static const enum piece DISPENSABLE[] = {
		FOLDERS, BYTES, BAR, ITEMS, WAITING, RATE, LEFT, NAME};
	size_t width = 0, n = 0;

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

/* ---- showing ---- */

static void terminal_size(size_t *columns, size_t *lines)
{
	enum { USUAL = 80, LEAST = 8, USUAL_LINES = 24, LEAST_LINES = 3 };
	struct winsize w = {.ws_col = 0};

	(void)ioctl(STDERR_FILENO, TIOCGWINSZ, &w); /* fails: the usual size is taken */
	*columns = w.ws_col == 0 ? USUAL : w.ws_col < LEAST ? LEAST : w.ws_col;
	*lines = w.ws_row == 0 ? USUAL_LINES : w.ws_row < LEAST_LINES ? LEAST_LINES : w.ws_row;
}

/* The last column stays empty: some terminals wrap when it is written. */
static void show_bar(struct pf_screen *s, char piece[PIECES][PIECE_MAX], size_t columns)
{
	char text[PIECES * PIECE_MAX];

	join(piece, columns - 1, text, sizeof(text));
	(void)fprintf(stderr, "%s\r\033[K%s", s->bar_lines > 0 ? "\n" : "", text);
	s->bar_lines++;
}

static double rate_of(struct pf_screen *s, const struct pf_wire_row *row, int64_t now_ms)
{
	const struct pf_meter *m = meter_of(s, row, now_ms);

	return m ? m->rate : 0;
}

/* "ann@old.example" of "imap://ann@old.example/", as far as there is room. */
static void put_name(char *out, const char *identity)
{
	const char *s = strstr(identity, "://");

	s = s ? s + 3 : identity;
	(void)pf_print_safe(out, NAME_COLUMNS, pf_span(s, strcspn(s, "/")));
}

static void show_bars(struct pf_screen *s, int64_t now_ms)
{
	char piece[PIECES][PIECE_MAX];
	size_t columns, lines, n = pf_wire_alive(s->wire);

	terminal_size(&columns, &lines);
	pf_progress_wipe(s);
	n = n > lines - 2 ? lines - 2 : n; /* the last line stays free, and one is for all */
	for (size_t i = 0; i < n; i++) {
		const struct pf_wire_row *r = pf_wire_alive_row(s->wire, i);

		account_pieces(pf_job_progress(r->job), rate_of(s, r, now_ms), now_ms, piece);
		if (s->batch) {
			put_name(piece[NAME], r->from);
		}
		show_bar(s, piece, columns);
	}
	if (s->batch) {
		total_pieces(s, now_ms, piece);
		show_bar(s, piece, columns);
	}
	(void)fflush(stderr);
}

static void account_json(const struct pf_wire_row *row, int64_t now_ms)
{
	const struct pf_progress *p = pf_job_progress(row->job);
	struct pf_buf b;
	struct pf_err ignored; /* a line more or less */

	pf_buf_init(&b, JSON_MAX);
	if (pf_buf_add_str(&b, "{\"type\":\"progress\"", &ignored) == PF_OK &&
		pf_json_put(&b, "account", pf_span_str(row->from), &ignored) == PF_OK &&
		pf_buf_addf(&b, &ignored,
			",\"folders\":%zu,\"folders_done\":%zu,\"items\":%llu,"
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

static void totals_json(const struct pf_wire *w)
{
	struct totals t;
	struct pf_buf b;
	struct pf_err ignored; /* a line more or less */

	count(w, &t);
	pf_buf_init(&b, JSON_MAX);
	if (pf_buf_add_str(&b, "{\"type\":\"progress_of_all\"", &ignored) == PF_OK &&
		pf_screen_put_accounts(&b, w, &ignored) == PF_OK &&
		pf_buf_addf(&b, &ignored, ",\"items_done\":%llu,\"bytes_done\":%llu}",
			(unsigned long long)t.items, (unsigned long long)t.bytes) == PF_OK) {
		pf_screen_json_line(&b);
	}
	pf_buf_deinit(&b);
}

static void show_json(const struct pf_screen *s, int64_t now_ms)
{
	for (size_t i = 0; i < pf_wire_alive(s->wire); i++) {
		account_json(pf_wire_alive_row(s->wire, i), now_ms);
	}
	if (s->batch) {
		totals_json(s->wire);
	}
}

/* A log needs no bar, and of many accounts it has the sums. */
static void show_line(struct pf_screen *s, int64_t now_ms)
{
	char piece[PIECES][PIECE_MAX], text[PIECES * PIECE_MAX];

	if (s->batch) {
		total_pieces(s, now_ms, piece);
	} else {
		const struct pf_wire_row *r = pf_wire_alive_row(s->wire, 0);

		account_pieces(pf_job_progress(r->job), rate_of(s, r, now_ms), now_ms, piece);
	}
	piece[BAR][0] = '\0';
	join(piece, SIZE_MAX - 2, text, sizeof(text));
	(void)fprintf(stderr, "%s\n", text + strspn(text, " "));
}

/* A lone account that signs out is as good as over. */
static bool nothing_to_show(const struct pf_screen *s)
{
	return !s->batch && (pf_wire_alive(s->wire) == 0 ||
				    pf_job_progress(pf_wire_alive_row(s->wire, 0)->job)->phase >=
					    PF_PHASE_CLOSING);
}

void pf_progress_look(struct pf_screen *s, int64_t now_ms)
{
	bool silent = s->settings->no_progress || s->settings->quiet;
	bool bars = s->tty && !silent && !s->settings->json;

	if (s->begun_ms == 0) {
		s->begun_ms = now_ms;
		s->last_ms = now_ms;
		s->all.measured_ms = now_ms;
	}
	if (now_ms - s->looked_ms < BAR_EVERY_MS) {
		return;
	}
	s->looked_ms = now_ms;
	measure_all(s, now_ms);
	if (now_ms - s->last_ms < (bars ? BAR_EVERY_MS : LINE_EVERY_MS) || nothing_to_show(s)) {
		return;
	}
	s->last_ms = now_ms;
	if (bars) {
		show_bars(s, now_ms);
	} else if (s->settings->json) {
		show_json(s, now_ms);
	} else if (!silent) {
		show_line(s, now_ms);
	}
}
