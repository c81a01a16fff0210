#include "engine/evlog.h"

#include "base/civil.h"
#include "base/json.h"
#include "base/utf8.h"
#include "engine/journal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
	LINE_MAX_BYTES = 64 << 10,
	RAW_SHOWN = 4096,
	SEEN_SLOTS = 2048,
};

/* How often a number came for a folder. Two that share a slot push each other out: a line too many.
 */
struct seen {
	uint32_t key, count;
};

struct pf_evlog {
	struct pf_evlog_cfg cfg;
	const struct pf_event_doc *docs;
	size_t doc_count;
	uint64_t *counts; /* by doc, and one for numbers that have none */
	struct seen seen[SEEN_SLOTS];
	int journal_fd;
	int file_fd; /* -1: not open (yet) */
	uint64_t file_bytes;
	bool told; /* that events can't be written */
	struct pf_buf line;
};

int pf_evlog_new(const struct pf_evlog_cfg *cfg, struct pf_evlog **out, struct pf_err *err)
{
	struct pf_evlog *log = calloc(1, sizeof(*log));

	*out = NULL;
	if (!log) {
		return pf_fail_memory(err, "the event log");
	}
	log->cfg = *cfg;
	log->docs = pf_event_docs(&log->doc_count);
	log->counts = calloc(log->doc_count + 1, sizeof(*log->counts));
	log->journal_fd = -1;
	log->file_fd = -1;
	pf_buf_init(&log->line, LINE_MAX_BYTES);
	if (!log->counts) {
		pf_evlog_free(&log);
		return pf_fail_memory(err, "the event log");
	}
	if (cfg->journal) {
		log->journal_fd = pf_journal_open(
			cfg->journal_socket ? cfg->journal_socket : PF_JOURNAL_SOCKET);
	}
	*out = log;
	return PF_OK;
}

void pf_evlog_free(struct pf_evlog **log)
{
	struct pf_evlog *l = *log;

	if (!l) {
		return;
	}
	if (l->journal_fd >= 0) {
		(void)close(l->journal_fd);
	}
	if (l->file_fd >= 0) {
		(void)close(l->file_fd);
	}
	pf_buf_deinit(&l->line);
	free(l->counts);
	free(l);
	*log = NULL;
}

static struct pf_span raw_shown(const struct pf_evlog_event *ev)
{
	return pf_span(ev->raw.p, ev->raw.n < RAW_SHOWN ? ev->raw.n : RAW_SHOWN);
}

/* ---- the ledger ---- */

static bool to_ledger(struct pf_evlog *log, const struct pf_evlog_event *ev, struct pf_err *err)
{
	struct pf_ledger_event row = {
		.account = ev->account,
		.at_utc_s = ev->at_utc_s,
		.number = ev->number,
		.folder = pf_span_str(ev->folder),
		.item = ev->item,
		.text = pf_span_str(ev->text),
		.raw = ev->raw,
	};

	return log->cfg.ledger && pf_ledger_event_add(log->cfg.ledger, &row, err) == PF_OK;
}

/* ---- the journal ---- */

static int fill_journal(struct pf_buf *line, const struct pf_evlog_event *ev,
	const struct pf_event_doc *doc, struct pf_err *err)
{
	static const char *const PRIORITIES[] = {
		[PF_SEV_INFO] = "6", [PF_SEV_WARNING] = "4", [PF_SEV_ERROR] = "3"};
	char number[16], account[24], id[33], message[1024];

	(void)snprintf(number, sizeof(number), "%d", ev->number);
	(void)snprintf(account, sizeof(account), "%lld", (long long)ev->account);
	(void)snprintf(message, sizeof(message), "%s%s%s", ev->folder ? ev->folder : "",
		ev->folder ? ": " : "", ev->text);
	pf_event_message_id(ev->number, id);
	if (pf_journal_field(line, "MESSAGE", pf_span_str(message), err) != PF_OK ||
		pf_journal_field(line, "PRIORITY", pf_span_str(PRIORITIES[doc->severity]), err) !=
			PF_OK ||
		pf_journal_field(line, "MESSAGE_ID", pf_span_str(id), err) != PF_OK ||
		pf_journal_field(line, "SYSLOG_IDENTIFIER", pf_span_str("postferry"), err) !=
			PF_OK ||
		pf_journal_field(line, "POSTFERRY_EVENT", pf_span_str(number), err) != PF_OK ||
		pf_journal_field(line, "POSTFERRY_ACCOUNT", pf_span_str(account), err) != PF_OK) {
		return PF_FAIL;
	}
	if ((ev->folder && pf_journal_field(line, "POSTFERRY_FOLDER", pf_span_str(ev->folder),
				   err) != PF_OK) ||
		(ev->item.p && pf_journal_field(line, "POSTFERRY_ITEM", ev->item, err) != PF_OK) ||
		(ev->raw.p &&
			pf_journal_field(line, "POSTFERRY_RAW", raw_shown(ev), err) != PF_OK)) {
		return PF_FAIL;
	}
	return PF_OK;
}

static bool to_journal(struct pf_evlog *log, const struct pf_evlog_event *ev,
	const struct pf_event_doc *doc, struct pf_err *err)
{
	pf_buf_clear(&log->line);
	if (fill_journal(&log->line, ev, doc, err) != PF_OK) {
		return false;
	}
	if (!pf_journal_send(log->journal_fd, &log->line)) {
		(void)pf_fail_sys(err, PF_SCOPE_ITEM, PF_RETRY_NO, "the systemd journal");
		return false;
	}
	return true;
}

/* ---- the file ---- */

static int fill_json(struct pf_buf *line, const struct pf_evlog_event *ev,
	const struct pf_event_doc *doc, struct pf_err *err)
{
	char at[32];
	char raw[RAW_SHOWN * 4 + 1]; /* each byte may become \xNN */

	pf_date_iso(ev->at_utc_s, at);
	if (pf_buf_add_str(line, "{", err) != PF_OK ||
		pf_json_put(line, "at", pf_span_str(at), err) != PF_OK ||
		pf_json_put_int(line, "number", ev->number, err) != PF_OK ||
		pf_json_put(line, "severity", pf_span_str(pf_severity_name(doc->severity)), err) !=
			PF_OK ||
		pf_json_put(line, "name", pf_span_str(doc->name), err) != PF_OK ||
		pf_json_put_int(line, "account", ev->account, err) != PF_OK ||
		pf_json_put(line, "folder", pf_span_str(ev->folder), err) != PF_OK ||
		pf_json_put(line, "item", ev->item, err) != PF_OK ||
		pf_json_put(line, "text", pf_span_str(ev->text), err) != PF_OK) {
		return PF_FAIL;
	}
	if (ev->raw.p && pf_json_put(line, "raw",
				 pf_span_str(pf_print_safe(raw, sizeof(raw), raw_shown(ev))),
				 err) != PF_OK) {
		return PF_FAIL;
	}
	return pf_buf_add_str(line, "}\n", err);
}

static int open_file(struct pf_evlog *log, struct pf_err *err)
{
	struct stat st;

	log->file_fd = open(log->cfg.jsonl_path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
	if (log->file_fd < 0 || fstat(log->file_fd, &st) != 0) {
		return pf_fail_sys(err, PF_SCOPE_ITEM, PF_RETRY_NO, "%s", log->cfg.jsonl_path);
	}
	log->file_bytes = (uint64_t)st.st_size;
	return PF_OK;
}

/* Make room: what is there becomes PATH.1, and what that was goes. */
static int rotate(struct pf_evlog *log, struct pf_err *err)
{
	char *old;
	int rc = PF_OK;

	if (asprintf(&old, "%s.1", log->cfg.jsonl_path) < 0) {
		return pf_fail_memory(err, "a path");
	}
	if (rename(log->cfg.jsonl_path, old) != 0) {
		rc = pf_fail_sys(err, PF_SCOPE_ITEM, PF_RETRY_NO, "%s", old);
	}
	free(old);
	(void)close(log->file_fd);
	log->file_fd = -1;
	return rc == PF_OK ? open_file(log, err) : rc;
}

static bool to_file(struct pf_evlog *log, const struct pf_evlog_event *ev,
	const struct pf_event_doc *doc, struct pf_err *err)
{
	pf_buf_clear(&log->line);
	if (fill_json(&log->line, ev, doc, err) != PF_OK ||
		(log->file_fd < 0 && open_file(log, err) != PF_OK) ||
		(log->file_bytes + log->line.n > PF_EVLOG_FILE_MAX && log->file_bytes > 0 &&
			rotate(log, err) != PF_OK)) {
		return false;
	}
	if (write(log->file_fd, log->line.p, log->line.n) != (ssize_t)log->line.n) {
		(void)pf_fail_sys(err, PF_SCOPE_ITEM, PF_RETRY_NO, "%s", log->cfg.jsonl_path);
		return false;
	}
	log->file_bytes += log->line.n;
	return true;
}

/* ---- the screen ---- */

static uint32_t key_of(const struct pf_evlog_event *ev)
{
	uint32_t h = 2166136261u ^ (uint32_t)ev->number;

	h = (h ^ (uint32_t)ev->account) * 16777619u;
	for (const char *p = ev->folder ? ev->folder : ""; *p; p++) {
		h = (h ^ (uint8_t)*p) * 16777619u;
	}
	return h;
}

static void tell(struct pf_evlog *log, const struct pf_evlog_event *ev)
{
	if (log->cfg.listener) {
		log->cfg.listener->event(log->cfg.listener, ev);
	}
}

static void to_screen(struct pf_evlog *log, const struct pf_evlog_event *ev)
{
	struct pf_evlog_event more = *ev;
	uint32_t key = key_of(ev);
	struct seen *s = &log->seen[key % SEEN_SLOTS];

	if (s->key != key) {
		*s = (struct seen){.key = key};
	}
	if (ev->number == PF_EV_ALERT || s->count < PF_EVLOG_SCREEN_MAX) {
		s->count++;
		tell(log, ev);
	} else if (s->count == PF_EVLOG_SCREEN_MAX) {
		s->count++;
		more.item = more.raw = pf_span(NULL, 0);
		more.text = "more of these in this folder; 'postferry events' shows them";
		tell(log, &more);
	}
}

/* ---- all of them ---- */

static void keep(
	struct pf_evlog *log, const struct pf_evlog_event *ev, const struct pf_event_doc *doc)
{
	struct pf_evlog_event none = {.account = ev->account, .at_utc_s = ev->at_utc_s};
	struct pf_err err;
	char text[sizeof(err.text) + 64];
	bool kept;

	if (!log->cfg.ledger && !log->cfg.jsonl_path && log->journal_fd < 0) {
		return; /* nobody wants a record */
	}
	pf_err_clear(&err);
	kept = to_ledger(log, ev, &err);
	if (log->journal_fd >= 0) {
		kept |= to_journal(log, ev, doc, &err);
	} else if (log->cfg.jsonl_path) {
		kept |= to_file(log, ev, doc, &err);
	}
	if (!kept && !log->told) {
		log->told = true;
		(void)snprintf(text, sizeof(text), "events can't be recorded: %s", err.text);
		none.text = text;
		tell(log, &none);
	}
}

/* A number without a text is a mistake of ours, and no reason to end a migration. */
static const struct pf_event_doc UNKNOWN = {0, PF_SEV_WARNING, "event", "", "", ""};

void pf_evlog_add(struct pf_evlog *log, const struct pf_evlog_event *ev)
{
	const struct pf_event_doc *doc = pf_event_doc(ev->number);
	struct pf_evlog_event last = *ev;
	uint64_t *count = &log->counts[doc ? (size_t)(doc - log->docs) : log->doc_count];

	doc = doc ? doc : &UNKNOWN;
	++*count;
	if (*count <= PF_EVLOG_KEPT_MAX) {
		keep(log, ev, doc);
	} else if (*count == PF_EVLOG_KEPT_MAX + 1) {
		last.item = last.raw = pf_span(NULL, 0);
		last.text = "so many of these came that no more are kept";
		keep(log, &last, doc);
	}
	to_screen(log, ev);
}

uint64_t pf_evlog_count(const struct pf_evlog *log, int number)
{
	const struct pf_event_doc *doc = pf_event_doc(number);

	return log->counts[doc ? (size_t)(doc - log->docs) : log->doc_count];
}
