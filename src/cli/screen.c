#include "cli/screen.h"

#include "base/json.h"
#include "cli/missed.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum {
	BAR_EVERY_MS = 200,
	LINE_EVERY_MS = 10000,
	MISSED_SHOWN = 100,
	JSON_MAX = 1 << 20,
	PERCENT = 100
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

static void wipe_bar(struct pf_screen *s)
{
	if (s->bar_shown) {
		(void)fputs("\r\033[K", stderr);
		s->bar_shown = false;
	}
}

/* ---- events ---- */

static void print_json_line(struct pf_buf *line)
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
		pf_json_put(&b, "folder", pf_span_str(ev->folder), &ignored) == PF_OK &&
		pf_json_put(&b, "item", ev->item, &ignored) == PF_OK &&
		pf_json_put(&b, "text", pf_span_str(ev->text), &ignored) == PF_OK &&
		pf_buf_add_str(&b, "}", &ignored) == PF_OK) {
		print_json_line(&b);
	}
	pf_buf_deinit(&b);
}

static void on_event(struct pf_evlog_listener *l, const struct pf_evlog_event *ev)
{
	struct pf_screen *s = pf_container_of(l, struct pf_screen, listener);
	const struct pf_event_doc *doc = pf_event_doc(ev->number);
	bool alert = ev->number == PF_EV_ALERT || ev->number == 0;
	bool shown = s->settings->verbose || alert || (doc && doc->severity >= PF_SEV_WARNING);

	if (s->settings->json) {
		event_json(ev);
	}
	if (!shown || (s->settings->quiet && !alert && !(doc && doc->severity == PF_SEV_ERROR))) {
		return;
	}
	wipe_bar(s);
	(void)fprintf(stderr, "%d %s%s%s%.*s%s%s\n", ev->number, ev->folder ? ev->folder : "",
		ev->folder && ev->item.p ? " " : "", ev->item.p ? "item " : "", (int)ev->item.n,
		ev->item.p ? (const char *)ev->item.p : "", ev->folder || ev->item.p ? ": " : "",
		ev->text);
}

/* ---- progress ---- */

static void progress_text(const struct pf_screen *s, const struct pf_progress *p, int64_t now_ms,
	char *out, size_t size)
{
	double seconds = (double)(now_ms - s->begun_ms) / 1000;
	double rate = seconds > 0 ? (double)p->bytes_done / seconds : 0;
	char done[32], speed[32], left[40] = "";

	if (rate > 0 && p->bytes > p->bytes_done) {
		uint64_t rest = (uint64_t)((double)(p->bytes - p->bytes_done) / rate);

		(void)snprintf(left, sizeof(left), ", %llu:%02llu left",
			(unsigned long long)(rest / 60), (unsigned long long)(rest % 60));
	}
	(void)snprintf(out, size, "%zu of %zu folders, %llu of %llu items, %s, %s/s%s%s",
		p->folders_done, p->folders, (unsigned long long)p->items_done,
		(unsigned long long)p->items, pf_show_bytes(p->bytes_done, done, sizeof(done)),
		pf_show_bytes((uint64_t)rate, speed, sizeof(speed)), left,
		p->paused_until_ms > now_ms ? ", waiting as a server asked" : "");
}

static void show_bar(struct pf_screen *s, const struct pf_progress *p, int64_t now_ms)
{
	enum { CELLS = 20 };
	char text[300];
	size_t full = p->items ? (size_t)(p->items_done * CELLS / p->items) : 0;

	full = full > CELLS ? CELLS : full;
	progress_text(s, p, now_ms, text, sizeof(text));
	(void)fprintf(stderr, "\r\033[K[%.*s%.*s] %.110s", (int)full, "####################",
		(int)(CELLS - full), "....................", text);
	(void)fflush(stderr);
	s->bar_shown = true;
}

static void progress_json(const struct pf_progress *p)
{
	struct pf_buf b;
	struct pf_err ignored; /* a line more or less */

	pf_buf_init(&b, JSON_MAX);
	if (pf_buf_addf(&b, &ignored,
		    "{\"type\":\"progress\",\"folders\":%zu,\"folders_done\":%zu,\"items\":%llu,"
		    "\"items_done\":%llu,\"bytes\":%llu,\"bytes_done\":%llu}",
		    p->folders, p->folders_done, (unsigned long long)p->items,
		    (unsigned long long)p->items_done, (unsigned long long)p->bytes,
		    (unsigned long long)p->bytes_done) == PF_OK) {
		print_json_line(&b);
	}
	pf_buf_deinit(&b);
}

static void look(struct pf_watch *w, struct pf_job *job, int64_t now_ms)
{
	struct pf_screen *s = pf_container_of(w, struct pf_screen, watch);
	const struct pf_progress *p = pf_job_progress(job);
	bool bar = s->tty && !s->settings->no_progress && !s->settings->quiet && !s->settings->json;
	char text[300];

	if (s->begun_ms == 0) {
		s->begun_ms = now_ms;
		s->last_ms = now_ms;
	}
	if (now_ms - s->last_ms < (bar ? BAR_EVERY_MS : LINE_EVERY_MS) ||
		p->phase >= PF_PHASE_CLOSING) {
		return;
	}
	s->last_ms = now_ms;
	if (bar) {
		show_bar(s, p, now_ms);
	} else if (s->settings->json) {
		progress_json(p);
	} else if (!s->settings->quiet && !s->settings->no_progress) {
		progress_text(s, p, now_ms, text, sizeof(text));
		(void)fprintf(stderr, "%s\n", text);
	}
}

void pf_screen_init(struct pf_screen *s, const struct pf_settings *settings)
{
	*s = (struct pf_screen){.listener = {on_event}, .watch = {look}, .settings = settings};
	s->tty = isatty(STDERR_FILENO) == 1;
}

/* ---- the end ---- */

static void sums_text(const struct pf_outcome *o, enum pf_job_mode mode)
{
	char size[32];

	if (mode == PF_JOB_VERIFY) {
		(void)printf("compared %llu, differing %llu, not at the target %llu\n",
			(unsigned long long)o->compared, (unsigned long long)o->differing,
			(unsigned long long)o->not_at_target);
	} else {
		(void)printf("this run: %llu copied (%s), %llu found at the target, %llu with "
			     "changed flags, "
			     "%llu gone from the source, %llu removed\n",
			(unsigned long long)o->copied_now,
			pf_show_bytes(o->bytes_now, size, sizeof(size)),
			(unsigned long long)o->present_now, (unsigned long long)o->flags_carried,
			(unsigned long long)o->gone_from_source, (unsigned long long)o->removed);
	}
	(void)printf("in all:");
	for (size_t v = 1; v < PF_VERDICT_COUNT; v++) {
		(void)printf(" %s %llu,", pf_verdict_name((enum pf_verdict)v),
			(unsigned long long)o->items[v]);
	}
	(void)printf(" open %llu; folders %zu, failed %zu, left out by a rule %zu\n",
		(unsigned long long)o->items[PF_VERDICT_NONE], o->folders, o->folders_failed,
		o->folders_skipped);
}

static void plan_text(const struct pf_job *job)
{
	struct pf_plan_line l;
	const struct pf_outcome *o = pf_job_outcome(job);
	char size[32];

	for (size_t i = 0; pf_job_plan_line(job, i, &l); i++) {
		(void)printf("%s -> %s%s: %llu items, %s%s%s%s\n", l.from,
			l.to[0] ? l.to : "(nowhere)", l.exists ? "" : " (new)",
			(unsigned long long)l.items, pf_show_bytes(l.bytes, size, sizeof(size)),
			l.note[0] ? " (" : "", l.note, l.note[0] ? ")" : "");
	}
	(void)printf(
		"to be copied: %s in %zu folders; %llu items are larger than the target takes\n",
		pf_show_bytes(o->estimate_bytes, size, sizeof(size)), o->folders,
		(unsigned long long)o->too_large);
}

static int sums_json(const struct pf_outcome *o, int status, struct pf_wire *w, struct pf_err *err)
{
	const struct {
		const char *key;
		uint64_t n;
	} numbers[] = {
		{"copied_now", o->copied_now},
		{"bytes_now", o->bytes_now},
		{"present_now", o->present_now},
		{"flags_carried", o->flags_carried},
		{"gone_from_source", o->gone_from_source},
		{"removed", o->removed},
		{"not_at_target", o->not_at_target},
		{"differing", o->differing},
		{"compared", o->compared},
		{"estimate_bytes", o->estimate_bytes},
		{"too_large", o->too_large},
		{"folders", o->folders},
		{"folders_failed", o->folders_failed},
		{"folders_skipped", o->folders_skipped},
		{"renamed", o->renamed},
	};
	struct pf_buf b;
	int rc;

	pf_buf_init(&b, JSON_MAX);
	rc = pf_buf_addf(&b, err, "{\"type\":\"outcome\",\"exit_status\":%d", status);
	for (size_t v = 0; v < PF_VERDICT_COUNT && rc == PF_OK; v++) {
		rc = pf_json_put_int(
			&b, pf_verdict_name((enum pf_verdict)v), (int64_t)o->items[v], err);
	}
	for (size_t i = 0; i < PF_COUNT(numbers) && rc == PF_OK; i++) {
		rc = pf_json_put_int(&b, numbers[i].key, (int64_t)numbers[i].n, err);
	}
	if (rc == PF_OK && pf_json_put(&b, "why", pf_span_str(o->why.text), err) == PF_OK &&
		pf_json_put(&b, "ledger", pf_span_str(pf_wire_ledger_path(w)), err) == PF_OK &&
		pf_json_put(&b, "quarantine", pf_span_str(pf_wire_quarantine(w)), err) == PF_OK &&
		pf_buf_add_str(&b, "}", err) == PF_OK) {
		print_json_line(&b);
	} else {
		rc = PF_FAIL;
	}
	pf_buf_deinit(&b);
	return rc;
}

struct missed_list {
	struct pf_missed_sink sink;
	size_t shown;
	bool json, more;
};

static void missed_json(const struct pf_missed *m)
{
	struct pf_buf b;
	struct pf_err ignored; /* the ledger has it */

	pf_buf_init(&b, JSON_MAX);
	if (pf_buf_add_str(&b, "{", &ignored) == PF_OK &&
		pf_json_put(&b, "type", pf_span_str(m->is_folder ? "missed_folder" : "missed"),
			&ignored) == PF_OK &&
		pf_json_put(&b, "folder", pf_span_str(m->folder), &ignored) == PF_OK &&
		pf_json_put(&b, "item", pf_span_str(m->id), &ignored) == PF_OK &&
		pf_json_put(&b, "verdict", pf_span_str(m->verdict), &ignored) == PF_OK &&
		pf_json_put(&b, "date", pf_span_str(m->date), &ignored) == PF_OK &&
		pf_json_put(&b, "message_id", pf_span_str(m->message_id), &ignored) == PF_OK &&
		pf_json_put(&b, "subject", pf_span_str(m->subject), &ignored) == PF_OK &&
		pf_json_put(&b, "reason", pf_span_str(m->reason), &ignored) == PF_OK &&
		pf_buf_add_str(&b, "}", &ignored) == PF_OK) {
		print_json_line(&b);
	}
	pf_buf_deinit(&b);
}

static bool take_missed(struct pf_missed_sink *sink, const struct pf_missed *m)
{
	struct missed_list *l = pf_container_of(sink, struct missed_list, sink);

	if (l->json) {
		missed_json(m);
		return true;
	}
	if (l->shown++ == MISSED_SHOWN) {
		l->more = true;
		return false;
	}
	if (l->shown == 1) {
		(void)printf("did not arrive:\n");
	}
	if (m->is_folder) {
		(void)printf("  folder %s: %s\n", m->folder, m->reason);
	} else {
		(void)printf("  %s UID %s, %s, %s, %s, \"%s\": %s\n", m->folder, m->id, m->verdict,
			m->date, m->message_id[0] ? m->message_id : "no Message-ID known",
			m->subject, m->reason);
	}
	return true;
}

static void verdict_text(const struct pf_outcome *o, int status)
{
	switch (status) {
	case PF_EXIT_COMPLETE:
		(void)printf("complete\n");
		break;
	case PF_EXIT_MISSED:
		(void)printf("complete, but not everything arrived%s\n",
			o->mirror_stopped
				? "; --mirror removed nothing, as too much would have gone"
				: "");
		break;
	case PF_EXIT_NOT_OPENED:
		(void)fprintf(stderr, "postferry: %s\n", o->why.text);
		break;
	default:
		(void)printf(
			"not complete (%s): run the same command again to go on\n", o->why.text);
	}
}

int pf_screen_end(struct pf_screen *s, struct pf_wire *w, enum pf_job_mode mode, int status,
	struct pf_err *err)
{
	const struct pf_outcome *o = pf_job_outcome(pf_wire_job(w));
	struct missed_list list = {.sink = {take_missed}, .json = s->settings->json};
	bool plan = mode == PF_JOB_CHECK || s->settings->dry_run;

	wipe_bar(s);
	if (pf_wire_ledger(w) && !o->not_opened && !(s->settings->quiet && !s->settings->json) &&
		pf_missed_read(pf_wire_ledger(w), pf_wire_account(w), pf_job_name(pf_wire_job(w)),
			pf_wire_quarantine(w), &list.sink, err) != PF_OK) {
		return PF_FAIL;
	}
	if (s->settings->json) {
		return sums_json(o, status, w, err);
	}
	if (s->settings->quiet) {
		if (status == PF_EXIT_NOT_OPENED || status == PF_EXIT_INTERRUPTED) {
			(void)fprintf(stderr, "postferry: %s\n", o->why.text);
		}
		return PF_OK;
	}
	if (list.more) {
		(void)printf("  ... more are in the report\n");
	}
	if (!o->not_opened && plan) {
		plan_text(pf_wire_job(w));
	} else if (!o->not_opened) {
		sums_text(o, mode);
	}
	verdict_text(o, status);
	if (pf_wire_ledger(w) && !o->not_opened) {
		(void)printf("ledger: %s\nquarantine: %s\nreport: postferry report --ledger %s\n",
			pf_wire_ledger_path(w), pf_wire_quarantine(w), pf_wire_ledger_path(w));
	}
	return PF_OK;
}
