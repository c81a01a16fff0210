#include "cli/missed.h"

#include "base/utf8.h"
#include "engine/quarantine.h"
#include "model/describe.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct folders {
	struct one {
		int64_t id;
		struct pf_path path;
		char shown[256];
	} * one;
	size_t n;
};

static void free_folders(struct folders *f)
{
	for (size_t i = 0; i < f->n; i++) {
		pf_path_deinit(&f->one[i].path);
	}
	free(f->one);
}

/* `sink`: it is told of whole folders that failed; or NULL. */
static int read_folders(struct pf_ledger *led, int64_t account, struct folders *f,
	struct pf_missed_sink *sink, struct pf_err *err)
{
	struct pf_ledger_cursor *c = NULL;
	struct pf_ledger_folder row;
	int rc = pf_ledger_folders(led, account, &c, err);

	while (rc == PF_OK && (rc = pf_ledger_folders_next(c, &row, err)) == PF_OK) {
		struct one *grown = realloc(f->one, (f->n + 1) * sizeof(*grown));
		struct one *o;

		if (!grown) {
			rc = pf_fail_memory(err, "a report");
			break;
		}
		f->one = grown;
		o = &f->one[f->n++];
		memset(o, 0, sizeof(*o));
		o->id = row.id;
		rc = pf_path_from_bytes(&o->path, row.src_path, err);
		pf_path_show(&o->path, o->shown, sizeof(o->shown));
		if (sink && rc == PF_OK && row.verdict == PF_VERDICT_QUARANTINED) {
			struct pf_missed m = {.is_folder = true, .verdict = "failed"};

			memcpy(m.folder, o->shown, sizeof(m.folder));
			(void)pf_print_safe(m.reason, sizeof(m.reason), row.note);
			if (!sink->take(sink, &m)) {
				break;
			}
		}
	}
	pf_ledger_cursor_close(&c);
	return rc == PF_END ? PF_OK : rc;
}

/* Message-ID and subject from the bytes that the quarantine keeps. */
static void describe(struct pf_quarantine *q, const struct pf_path *folder, struct pf_span id,
	struct pf_missed *m)
{
	struct pf_err ignored; /* then it has no description */
	struct pf_description d;
	char head[16384];
	int fd = -1;
	ssize_t n;

	if (!q || pf_quarantine_read(q, folder, id, &fd, &ignored) != PF_OK) {
		return;
	}
	n = read(fd, head, sizeof(head));
	(void)close(fd);
	if (n <= 0) {
		return;
	}
	pf_describe(pf_span(head, (size_t)n), &d);
	memcpy(m->message_id, d.message_id, sizeof(m->message_id));
	memcpy(m->subject, d.subject, sizeof(m->subject));
}

static const struct one *folder_of(const struct folders *f, int64_t id)
{
	for (size_t i = 0; i < f->n; i++) {
		if (f->one[i].id == id) {
			return &f->one[i];
		}
	}
	return NULL;
}

static bool is_there(const struct pf_ledger_item *row)
{
	return row->verdict == PF_VERDICT_COPIED || row->verdict == PF_VERDICT_PRESENT;
}

struct reading {
	struct pf_ledger *led;
	int64_t account;
	bool noted; /* what arrived with a note, not what did not arrive */
	struct folders folders;
	struct pf_quarantine *quarantine;
	struct pf_missed_sink *sink;
};

/* false: the sink wants no more. */
static bool give(struct reading *r, const struct pf_ledger_item *row)
{
	const struct one *o = folder_of(&r->folders, row->folder);
	struct pf_missed m = {.size = row->size};

	(void)pf_print_safe(m.id, sizeof(m.id), pf_ledger_item_id(row));
	(void)pf_print_safe(
		m.verdict, sizeof(m.verdict), pf_span_str(pf_verdict_name(row->verdict)));
	(void)pf_print_safe(m.reason, sizeof(m.reason),
		row->note.p ? row->note
			    : pf_span_str("not copied yet: run the same command again"));
	pf_date_iso(row->date_utc_s, m.date);
	if (o) {
		memcpy(m.folder, o->shown, sizeof(m.folder));
		describe(r->quarantine, &o->path, pf_ledger_item_id(row), &m);
	}
	return r->sink->take(r->sink, &m);
}

static int read_items(struct reading *r, struct pf_err *err)
{
	struct pf_ledger_cursor *c = NULL;
	struct pf_ledger_item row;
	int rc = pf_ledger_items(
		r->led, r->account, 0, r->noted ? PF_ITEMS_WITH_NOTE : PF_ITEMS_MISSED, &c, err);

	while (rc == PF_OK && (rc = pf_ledger_items_next(c, &row, err)) == PF_OK) {
		if ((!r->noted || is_there(&row)) && !give(r, &row)) {
			break;
		}
	}
	pf_ledger_cursor_close(&c);
	return rc == PF_END ? PF_OK : rc;
}

static int read_all(
	struct reading *r, const char *account_name, const char *quarantine, struct pf_err *err)
{
	int rc = quarantine ? pf_quarantine_open(quarantine, account_name, &r->quarantine, err)
			    : PF_OK;

	if (rc == PF_OK) {
		rc = read_folders(r->led, r->account, &r->folders, r->noted ? NULL : r->sink, err);
	}
	if (rc == PF_OK) {
		rc = read_items(r, err);
	}
	free_folders(&r->folders);
	pf_quarantine_free(&r->quarantine);
	return rc;
}

int pf_missed_read(struct pf_ledger *led, int64_t account, const char *account_name,
	const char *quarantine, struct pf_missed_sink *sink, struct pf_err *err)
{
	struct reading r = {.led = led, .account = account, .sink = sink};

	return read_all(&r, account_name, quarantine, err);
}

int pf_noted_read(struct pf_ledger *led, int64_t account, const char *account_name,
	const char *quarantine, struct pf_missed_sink *sink, struct pf_err *err)
{
	struct reading r = {.led = led, .account = account, .sink = sink, .noted = true};

	return read_all(&r, account_name, quarantine, err);
}
