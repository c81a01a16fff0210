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
	const char *account;
};

static void free_folders(struct folders *f)
{
	for (size_t i = 0; i < f->n; i++) {
		pf_path_deinit(&f->one[i].path);
	}
	free(f->one);
}

/*
 * What can be done, by what the reason says: of our own words and of servers' codes. The first that
 * fits.
 */
static const char *hint_of(const struct pf_missed *m, enum pf_verdict verdict)
{
	static const struct {
		const char *words, *hint;
	} HINTS[] = {
		{"stand-in text", "open and save it in Outlook, or move it there, then run "
				  "postferry retry"},
		{"did not return it",
			"open it in the user's mail program; if it can be read there, "
			"move it to another folder and run again"},
		{"the source can't give it",
			"open it in the user's mail program; if it can be read "
			"there, move it to another folder and run again"},
		{"than the",
			"raise the target's limit on the size of a message, then run postferry "
			"retry"},
		{"TOOBIG", "raise the target's limit on the size of a message, then run postferry "
			   "retry"},
		{"aximum size", "raise the target's limit on the size of a message, then run "
				"postferry retry"},
		{"is not what was sent", "compare it at the target with the original in the "
					 "quarantine, and place that by hand"},
		{"does not show it",
			"look for a filter or a retention rule at the target, then run "
			"postferry retry"},
	};

	if (m->is_folder) {
		return "remove the cause and run again; or send it elsewhere with --map OLD=NEW";
	}
	if (verdict == PF_VERDICT_NONE) {
		return "run the same command again";
	}
	for (size_t i = 0; i < PF_COUNT(HINTS); i++) {
		if (strstr(m->reason, HINTS[i].words)) {
			return HINTS[i].hint;
		}
	}
	return "remove the cause that the server names, then run postferry retry; or place the "
	       "file from the quarantine by hand";
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
			m.account = f->account;
			m.hint = hint_of(&m, row.verdict);
			if (!sink->take(sink, &m)) {
				break;
			}
		}
	}
	pf_ledger_cursor_close(&c);
	return rc == PF_END ? PF_OK : rc;
}

/* From the bytes that the quarantine keeps, where the ledger does not know. */
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
	memcpy(m->sender, d.from, sizeof(m->sender));
	memcpy(m->subject, d.subject, sizeof(m->subject));
}

static void name(struct pf_quarantine *q, const struct pf_path *folder,
	const struct pf_ledger_item *row, struct pf_missed *m)
{
	const struct pf_ledger_about *a = &row->about;

	(void)pf_print_safe(m->message_id, sizeof(m->message_id), a->message_id);
	(void)pf_print_safe(m->sender, sizeof(m->sender), a->from);
	(void)pf_print_safe(m->subject, sizeof(m->subject), a->subject);
	if (!a->message_id.p && !a->from.p && !a->subject.p) {
		describe(q, folder, pf_ledger_item_id(row), m);
	}
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
	struct pf_missed m = {.size = row->size, .account = r->folders.account, .hint = ""};

	(void)pf_print_safe(m.id, sizeof(m.id), pf_ledger_item_id(row));
	(void)pf_print_safe(
		m.verdict, sizeof(m.verdict), pf_span_str(pf_verdict_name(row->verdict)));
	(void)pf_print_safe(m.reason, sizeof(m.reason),
		row->note.p ? row->note
			    : pf_span_str("not copied yet: run the same command again"));
	pf_date_iso(row->date_utc_s, m.date);
	if (o) {
		memcpy(m.folder, o->shown, sizeof(m.folder));
		name(r->quarantine, &o->path, row, &m);
	}
	m.hint = r->noted ? "" : hint_of(&m, row->verdict);
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
	struct reading r = {
		.led = led, .account = account, .folders = {.account = account_name}, .sink = sink};

	return read_all(&r, account_name, quarantine, err);
}

int pf_noted_read(struct pf_ledger *led, int64_t account, const char *account_name,
	const char *quarantine, struct pf_missed_sink *sink, struct pf_err *err)
{
	struct reading r = {.led = led,
		.account = account,
		.noted = true,
		.folders = {.account = account_name},
		.sink = sink};

	return read_all(&r, account_name, quarantine, err);
}
