#include "cli/screen.h"

#include "base/json.h"
#include "base/utf8.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { JSON_MAX = 1 << 20 };

/* ---- events ---- */

void pf_screen_json_line(struct pf_buf *line)
{
	(void)fwrite(line->p, 1, line->n, stdout);
	(void)fputc('\n', stdout);
	(void)fflush(stdout);
}

static void event_json(const struct pf_evlog_event *ev, const char *account)
{
	const struct pf_event_doc *doc = pf_event_doc(ev->number);
	struct pf_buf b;
	struct pf_err ignored; /* no memory for a line on the screen: the ledger has it */

	pf_buf_init(&b, JSON_MAX);
	if (pf_buf_add_str(&b, "{", &ignored) == PF_OK &&
		pf_json_put(&b, "type", pf_span_str("event"), &ignored) == PF_OK &&
		pf_json_put(&b, "account", pf_span_str(account), &ignored) == PF_OK &&
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

static const char *account_of(const struct pf_screen *s, int64_t account)
{
	const struct pf_wire_row *r = s->wire ? pf_wire_find(s->wire, account) : NULL;

	return r ? r->from : NULL;
}

static void on_event(struct pf_evlog_listener *l, const struct pf_evlog_event *ev)
{
	struct pf_screen *s = pf_container_of(l, struct pf_screen, listener);
	const struct pf_event_doc *doc = pf_event_doc(ev->number);
	bool alert = ev->number == PF_EV_ALERT || ev->number == 0;
	bool shown = s->settings->verbose || alert || (doc && doc->severity >= PF_SEV_WARNING);
	const char *account = account_of(s, ev->account);
	char item[200];

	if (s->settings->json) {
		event_json(ev, account);
	}
	/* That an account could not be opened is what the end says. */
	if (!shown || ev->number == PF_EV_NOT_OPENED ||
		(s->settings->quiet && !alert && !(doc && doc->severity == PF_SEV_ERROR))) {
		return;
	}
	pf_progress_wipe(s);
	(void)fprintf(stderr, "%d %s%s%s%s%s%s%s%s\n", ev->number,
		s->batch && account ? account : "", s->batch && account ? " " : "",
		ev->folder ? ev->folder : "", ev->folder && ev->item.p ? " " : "",
		ev->item.p ? "item " : "", pf_print_safe(item, sizeof(item), ev->item),
		ev->folder || ev->item.p ? ": " : "", ev->text);
}

/* ---- between and behind the rounds ---- */

static void look(struct pf_watch *w, const struct pf_wire *wire, int64_t now_ms)
{
	(void)wire;
	pf_progress_look(pf_container_of(w, struct pf_screen, watch), now_ms);
}

static void ended(struct pf_watch *w, const struct pf_wire_row *row, const struct pf_outcome *o,
	int64_t pause_ms)
{
	struct pf_screen *s = pf_container_of(w, struct pf_screen, watch);

	pf_progress_wipe(s);
	if (row->state != PF_ROW_OVER) {
		if (!s->settings->quiet && o) {
			(void)fprintf(stderr, "%s: tried again in %lld s: %s\n", row->from,
				(long long)(pause_ms + 999) / 1000, o->why.text);
		}
		return;
	}
	if (!s->failed.text[0] && pf_screen_end_account(s, row, o, &s->failed) != PF_OK) {
		(void)fprintf(stderr, "postferry: %s\n", s->failed.text);
	}
}

void pf_screen_init(
	struct pf_screen *s, const struct pf_settings *settings, bool batch, enum pf_job_mode mode)
{
	const char *term = getenv("TERM");

	*s = (struct pf_screen){.listener = {on_event},
		.watch = {look, ended},
		.settings = settings,
		.mode = mode,
		.batch = batch,
		.plan = mode == PF_JOB_CHECK || settings->dry_run};
	s->tty = isatty(STDERR_FILENO) == 1 && !(term && strcmp(term, "dumb") == 0);
}

void pf_screen_deinit(struct pf_screen *s)
{
	free(s->meters);
}
