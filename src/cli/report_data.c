#include "cli/report_data.h"

#include "base/utf8.h"
#include "cli/command.h"
#include "engine/merkle.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *shown(struct pf_report *r, struct pf_span bytes)
{
	struct pf_path path = {0};
	struct pf_err ignored; /* shown as empty then */
	char text[512] = "";

	if (bytes.p && pf_path_from_bytes(&path, bytes, &ignored) == PF_OK) {
		pf_path_show(&path, text, sizeof(text));
	}
	pf_path_deinit(&path);
	return pf_arena_str(&r->arena, text);
}

static int add_folder(
	struct pf_report *r, size_t *cap, const struct pf_ledger_folder *row, struct pf_err *err)
{
	struct pf_report_folder *f;
	char note[300];

	if (r->folder_count == *cap) {
		size_t more = *cap ? *cap * 2 : 64;
		struct pf_report_folder *grown = realloc(r->folders, more * sizeof(*grown));

		if (!grown) {
			return pf_fail_memory(err, "a report");
		}
		r->folders = grown;
		*cap = more;
	}
	f = &r->folders[r->folder_count++];
	*f = (struct pf_report_folder){
		.id = row->id, .from = shown(r, row->src_path), .to = shown(r, row->dst_path)};
	f->note = pf_arena_str(&r->arena, pf_print_safe(note, sizeof(note), row->note));
	f->verdict =
		row->verdict == PF_VERDICT_QUARANTINED ? "failed" : pf_verdict_name(row->verdict);
	r->folders_failed += row->verdict == PF_VERDICT_QUARANTINED;
	return f->from && f->to && f->note ? PF_OK : pf_fail_memory(err, "a report");
}

static int read_folders(
	struct pf_ledger *led, int64_t account, struct pf_report *r, struct pf_err *err)
{
	struct pf_ledger_cursor *c = NULL;
	struct pf_ledger_folder row;
	size_t cap = 0;
	int rc = pf_ledger_folders(led, account, &c, err);

	while (rc == PF_OK && (rc = pf_ledger_folders_next(c, &row, err)) == PF_OK) {
		rc = add_folder(r, &cap, &row, err);
	}
	pf_ledger_cursor_close(&c);
	return rc == PF_END ? PF_OK : rc;
}

/* Folders and sums come in the same order; a folder may have no sums. */
static int read_sums(
	struct pf_ledger *led, int64_t account, struct pf_report *r, struct pf_err *err)
{
	struct pf_ledger_cursor *c = NULL;
	struct pf_ledger_sums sums;
	size_t i = 0;
	int rc = pf_ledger_sums(led, account, &c, err);

	while (rc == PF_OK && (rc = pf_ledger_sums_next(c, &sums, err)) == PF_OK) {
		while (i < r->folder_count && r->folders[i].id < sums.folder) {
			i++;
		}
		if (i < r->folder_count && r->folders[i].id == sums.folder) {
			memcpy(r->folders[i].items, sums.items, sizeof(sums.items));
			memcpy(r->folders[i].bytes, sums.bytes, sizeof(sums.bytes));
		}
		for (size_t v = 0; v < PF_VERDICT_COUNT; v++) {
			r->items[v] += sums.items[v];
			r->bytes[v] += sums.bytes[v];
		}
	}
	pf_ledger_cursor_close(&c);
	return rc == PF_END ? PF_OK : rc;
}

/* What a pass that could not be opened says of itself (engine/job_end.c). */
static void say_unopened(const struct pf_ledger_pass *pass, char *out, size_t size)
{
	json_t *said = json_loadb(
		(const char *)pass->summary.p, pass->summary.p ? pass->summary.n : 0, 0, NULL);
	const char *why = json_string_value(json_object_get(said, "why"));
	char words[600];

	(void)snprintf(out, size, "the account could not be opened%s%s", why ? ": " : "",
		why ? pf_print_safe(words, sizeof(words), pf_span_str(why)) : "");
	json_decref(said);
}

static int read_last(const struct pf_ledger_pass *pass, struct pf_report *r, struct pf_err *err)
{
	char words[700] = "";

	r->begun_utc_s = pass->begun_utc_s;
	r->ended_utc_s = pass->ended_utc_s;
	if (pass->ended_utc_s == 0) {
		(void)snprintf(words, sizeof(words), "the last pass was cut off, or is under way");
	} else if (pass->exit_status == PF_EXIT_NOT_OPENED) {
		say_unopened(pass, words, sizeof(words));
	} else if (pass->exit_status == PF_EXIT_INTERRUPTED) {
		(void)snprintf(words, sizeof(words), "the last pass was stopped before its end");
	}
	if (words[0]) {
		r->not_ended = pf_arena_str(&r->arena, words);
		return r->not_ended ? PF_OK : pf_fail_memory(err, "a report");
	}
	return PF_OK;
}

static int read_passes(
	struct pf_ledger *led, int64_t account, struct pf_report *r, struct pf_err *err)
{
	struct pf_ledger_cursor *c = NULL;
	struct pf_ledger_pass pass;
	int rc = pf_ledger_passes(led, account, &c, err);

	while (rc == PF_OK && (rc = pf_ledger_passes_next(c, &pass, err)) == PF_OK) {
		rc = r->passes++ == 0 ? read_last(&pass, r, err) : PF_OK;
	}
	pf_ledger_cursor_close(&c);
	return rc == PF_END ? PF_OK : rc;
}

static int read_events(
	struct pf_ledger *led, int64_t account, struct pf_report *r, struct pf_err *err)
{
	struct pf_ledger_cursor *c = NULL;
	struct pf_ledger_event ev;
	int rc = pf_ledger_events(led, account, 0, &c, err);

	while (rc == PF_OK && (rc = pf_ledger_events_next(c, &ev, err)) == PF_OK) {
		r->rights_left = r->rights_left || ev.number == PF_EV_RIGHTS_LEFT;
	}
	pf_ledger_cursor_close(&c);
	return rc == PF_END ? PF_OK : rc;
}

static int by_loss(const void *a, const void *b)
{
	static const enum pf_fate ORDER[] = {
		PF_FATE_UNRESOLVED, PF_FATE_LOST, PF_FATE_MAPPED, PF_FATE_KEPT};
	const struct pf_ledger_fate_sum *x = a, *y = b;

	for (size_t i = 0; i < PF_COUNT(ORDER); i++) {
		uint64_t m = x->items[ORDER[i]], n = y->items[ORDER[i]];

		if (m != n) {
			return m > n ? -1 : 1;
		}
	}
	return pf_span_cmp(x->what, y->what);
}

static int read_fates(
	struct pf_ledger *led, int64_t account, struct pf_report *r, struct pf_err *err)
{
	if (pf_ledger_fate_sums(led, account, &r->arena, &r->fates, err) != PF_OK) {
		return PF_FAIL;
	}
	if (r->fates.n > 1) {
		qsort(r->fates.v, r->fates.n, sizeof(*r->fates.v), by_loss);
	}
	while (r->unresolved < r->fates.n &&
		r->fates.v[r->unresolved].items[PF_FATE_UNRESOLVED] > 0) {
		r->unresolved++;
	}
	return PF_OK;
}

static void note_date(struct pf_report *r, const struct pf_ledger_item *row)
{
	bool there = row->verdict == PF_VERDICT_COPIED || row->verdict == PF_VERDICT_PRESENT;

	for (size_t side = 0; side < (there ? 2 : 1) && row->date_utc_s != PF_DATE_NONE; side++) {
		if (r->newest_utc_s[side] == PF_DATE_NONE ||
			r->newest_utc_s[side] < row->date_utc_s) {
			r->newest_utc_s[side] = row->date_utc_s;
		}
	}
}

static int read_prints(
	struct pf_ledger *led, int64_t account, struct pf_report *r, struct pf_err *err)
{
	struct pf_ledger_cursor *c = NULL;
	struct pf_ledger_item row;
	struct pf_digest *v = NULL, root;
	size_t n = 0, cap = 0;
	int rc = pf_ledger_items(led, account, 0, PF_ITEMS_ALL, &c, err);

	while (rc == PF_OK && (rc = pf_ledger_items_next(c, &row, err)) == PF_OK) {
		note_date(r, &row);
		if (!row.has_digest ||
			(row.verdict != PF_VERDICT_COPIED && row.verdict != PF_VERDICT_PRESENT)) {
			continue;
		}
		if (n == cap) {
			struct pf_digest *grown =
				realloc(v, (cap ? cap * 2 : 1024) * sizeof(*grown));

			if (!grown) {
				rc = pf_fail_memory(err, "a report");
				break;
			}
			v = grown;
			cap = cap ? cap * 2 : 1024;
		}
		v[n++] = row.digest;
	}
	pf_ledger_cursor_close(&c);
	if (rc == PF_END) {
		rc = pf_merkle_root(v, n, &root, err);
	}
	if (rc == PF_OK) {
		pf_digest_hex(&root, r->merkle);
	}
	free(v);
	return rc;
}

/* A target may rewrite each of a million messages. What did not arrive is always told whole. */
enum { NOTED_MAX = 10000 };

struct collect {
	struct pf_missed_sink sink;
	struct pf_missed **list;
	size_t *count, *all; /* kept; seen, or NULL: all are kept */
	size_t cap;
	bool failed;
};

static bool take(struct pf_missed_sink *sink, const struct pf_missed *m)
{
	struct collect *c = pf_container_of(sink, struct collect, sink);

	if (c->all && ++*c->all > NOTED_MAX) {
		return true;
	}
	if (*c->count == c->cap) {
		size_t cap = c->cap ? c->cap * 2 : 16;
		struct pf_missed *grown = realloc(*c->list, cap * sizeof(*grown));

		if (!grown) {
			c->failed = true;
			return false;
		}
		*c->list = grown;
		c->cap = cap;
	}
	(*c->list)[(*c->count)++] = *m;
	return true;
}

int pf_report_read(struct pf_ledger *led, const struct pf_ledger_account *account,
	const char *quarantine, struct pf_report *r, struct pf_err *err)
{
	struct collect missed = {{take}, &r->missed, &r->missed_count, NULL, 0, false};
	struct collect noted = {{take}, &r->noted, &r->noted_count, &r->noted_all, 0, false};
	int rc;

	*r = (struct pf_report){.newest_utc_s = {PF_DATE_NONE, PF_DATE_NONE}};
	pf_arena_init(&r->arena);
	r->from = (const char *)pf_arena_span(&r->arena, account->from).p;
	r->to = (const char *)pf_arena_span(&r->arena, account->to).p;
	rc = r->from && r->to ? read_folders(led, account->id, r, err)
			      : pf_fail_memory(err, "a report");
	if (rc == PF_OK) {
		rc = read_sums(led, account->id, r, err);
	}
	if (rc == PF_OK) {
		rc = read_passes(led, account->id, r, err);
	}
	if (rc == PF_OK) {
		rc = read_events(led, account->id, r, err);
	}
	if (rc == PF_OK) {
		rc = read_fates(led, account->id, r, err);
	}
	if (rc == PF_OK) {
		rc = read_prints(led, account->id, r, err);
	}
	if (rc == PF_OK) {
		rc = pf_missed_read(led, account->id, r->from, quarantine, &missed.sink, err);
	}
	if (rc == PF_OK) {
		rc = pf_noted_read(led, account->id, r->from, quarantine, &noted.sink, err);
	}
	return missed.failed || noted.failed ? pf_fail_memory(err, "a report") : rc;
}

void pf_report_free(struct pf_report *r)
{
	free(r->folders);
	free(r->missed);
	free(r->noted);
	pf_arena_deinit(&r->arena);
	*r = (struct pf_report){.folder_count = 0};
}

bool pf_report_is_complete(const struct pf_report *r)
{
	return r->items[PF_VERDICT_NONE] == 0 && r->items[PF_VERDICT_QUARANTINED] == 0 &&
	       r->folders_failed == 0 && r->passes > 0 && !r->not_ended;
}
