/*
 * The last lines: the sums of P2, then what did not arrive, by name, then where things are. Of a
 * batch each account has its line when it is over, and those that are not complete once more at the
 * end.
 */
#include "base/json.h"
#include "cli/missed.h"
#include "cli/screen.h"
#include "stores/store.h"

#include <stdio.h>

enum { MISSED_SHOWN = 100, JSON_MAX = 1 << 20 };

typedef unsigned long long ull;

static void this_run(const struct pf_outcome *o, enum pf_job_mode mode)
{
	char size[32];

	if (mode == PF_JOB_VERIFY) {
		(void)printf(
			"this run: %llu compared, %llu of them in other bytes that say the same, "
			"%llu differing, %llu not at the target\n",
			(ull)o->compared, (ull)o->equivalent, (ull)o->differing,
			(ull)o->not_at_target);
		return;
	}
	(void)printf("this run: %llu copied (%s), %llu found at the target, %llu with changed "
		     "flags, %llu gone from the source, %llu removed\n",
		(ull)o->copied_now, pf_show_bytes(o->bytes_now, size, sizeof(size)),
		(ull)o->present_now, (ull)o->flags_carried, (ull)o->gone_from_source,
		(ull)o->removed);
}

static void in_all(const struct pf_outcome *o)
{
	uint64_t listed = 0;

	for (size_t v = 0; v < PF_VERDICT_COUNT; v++) {
		listed += o->items[v];
	}
	(void)printf("in all: %llu listed:", (ull)listed);
	for (size_t v = 1; v < PF_VERDICT_COUNT; v++) {
		(void)printf(" %s %llu,", pf_verdict_name((enum pf_verdict)v), (ull)o->items[v]);
	}
	(void)printf(" open %llu; folders %zu, failed %zu, left out by a rule %zu\n",
		(ull)o->items[PF_VERDICT_NONE], o->folders, o->folders_failed, o->folders_skipped);
}

/* ---- plan ---- */

static void limits_text(const struct pf_store_facts *from, const struct pf_store_facts *to)
{
	char size[32];

	(void)printf("source: %s\ntarget: %s\n",
		from->server && from->server[0] ? from->server : "-",
		to->server && to->server[0] ? to->server : "-");
	if (to->max_item_bytes > 0) {
		(void)printf("largest item that the target takes: %s\n",
			pf_show_bytes(to->max_item_bytes, size, sizeof(size)));
	}
	if (to->quota_free_bytes != UINT64_MAX) {
		(void)printf("free at the target: %s\n",
			pf_show_bytes(to->quota_free_bytes, size, sizeof(size)));
	}
}

static void plan_text(const struct pf_wire_row *row)
{
	const struct pf_job *job = row->job;
	const struct pf_outcome *o = pf_job_outcome(job);
	struct pf_plan_line l;
	uint64_t items = 0;
	char size[32];

	(void)printf("%s\n-> %s\n", row->from, row->to);
	for (size_t i = 0; pf_job_plan_line(job, i, &l); i++) {
		(void)printf("%s -> %s%s: %llu items, %s%s%s%s\n", l.from,
			l.to[0] ? l.to : "(nowhere)", l.exists || !l.to[0] ? "" : " (new)",
			(ull)l.items, pf_show_bytes(l.bytes, size, sizeof(size)),
			l.note[0] ? " (" : "", l.note, l.note[0] ? ")" : "");
		items += l.items;
	}
	limits_text(row->facts[0], row->facts[1]);
	(void)printf("to be copied: %llu items (%s) in %zu folders; %llu items are larger than the "
		     "target takes\n",
		(ull)items, pf_show_bytes(o->estimate_bytes, size, sizeof(size)), o->folders,
		(ull)o->too_large);
}

static int plan_json(const struct pf_job *job, const char *account, struct pf_err *err)
{
	struct pf_plan_line l;
	struct pf_buf b;
	int rc = PF_OK;

	pf_buf_init(&b, JSON_MAX);
	for (size_t i = 0; rc == PF_OK && pf_job_plan_line(job, i, &l); i++) {
		pf_buf_clear(&b);
		if (pf_buf_add_str(&b, "{\"type\":\"plan\"", err) != PF_OK ||
			pf_json_put(&b, "account", pf_span_str(account), err) != PF_OK ||
			pf_json_put(&b, "from", pf_span_str(l.from), err) != PF_OK ||
			pf_json_put(&b, "to", pf_span_str(l.to), err) != PF_OK ||
			pf_json_put(&b, "note", pf_span_str(l.note), err) != PF_OK ||
			pf_buf_addf(&b, err,
				",\"exists\":%s,\"items\":%llu,\"bytes\":%llu,\"too_large\":%llu}",
				l.exists ? "true" : "false", (ull)l.items, (ull)l.bytes,
				(ull)l.too_large) != PF_OK) {
			rc = PF_FAIL;
		} else {
			pf_screen_json_line(&b);
		}
	}
	pf_buf_deinit(&b);
	return rc;
}

/* ---- sums ---- */

static int put_numbers(struct pf_buf *b, const struct pf_outcome *o, struct pf_err *err)
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
		{"equivalent", o->equivalent},
		{"differing", o->differing},
		{"compared", o->compared},
		{"estimate_items", o->estimate_items},
		{"estimate_bytes", o->estimate_bytes},
		{"too_large", o->too_large},
		{"folders", o->folders},
		{"folders_failed", o->folders_failed},
		{"folders_skipped", o->folders_skipped},
		{"renamed", o->renamed},
	};
	int rc = PF_OK;

	for (size_t v = 0; v < PF_VERDICT_COUNT && rc == PF_OK; v++) {
		rc = pf_json_put_int(
			b, pf_verdict_name((enum pf_verdict)v), (int64_t)o->items[v], err);
	}
	for (size_t i = 0; i < PF_COUNT(numbers) && rc == PF_OK; i++) {
		rc = pf_json_put_int(b, numbers[i].key, (int64_t)numbers[i].n, err);
	}
	return rc;
}

/* Accounts by how they stand; those that are over by their exit status. */
struct standing {
	size_t all, waiting, alive, skipped, by[PF_EXIT_INTERRUPTED + 1];
};

static void take_stock(const struct pf_wire *w, struct standing *st)
{
	const struct pf_wire_row *rows = pf_wire_rows(w, &st->all);

	*st = (struct standing){.all = st->all};
	for (size_t i = 0; i < st->all; i++) {
		st->waiting += rows[i].state == PF_ROW_WAITING;
		st->alive += rows[i].state == PF_ROW_ALIVE;
		st->skipped += rows[i].skipped;
		st->by[rows[i].status] += rows[i].state == PF_ROW_OVER;
	}
}

int pf_screen_put_accounts(struct pf_buf *b, const struct pf_wire *w, struct pf_err *err)
{
	struct standing st;

	take_stock(w, &st);
	return pf_buf_addf(b, err,
		",\"accounts\":{\"all\":%zu,\"waiting\":%zu,\"at_work\":%zu,\"complete\":%zu,"
		"\"missed\":%zu,\"usage\":%zu,\"not_opened\":%zu,\"interrupted\":%zu}",
		st.all, st.waiting, st.alive, st.by[PF_EXIT_COMPLETE], st.by[PF_EXIT_MISSED],
		st.by[PF_EXIT_USAGE], st.by[PF_EXIT_NOT_OPENED], st.by[PF_EXIT_INTERRUPTED]);
}

/* Of one account, or (`row` NULL) of all. */
static int sums_json(const struct pf_screen *s, const struct pf_wire_row *row,
	const struct pf_outcome *o, int status, struct pf_err *err)
{
	const struct pf_wire *w = s->wire;
	const char *why = row && row->why ? row->why : o->why.text;
	struct pf_buf b;
	int rc = PF_FAIL;

	pf_buf_init(&b, JSON_MAX);
	if (pf_buf_addf(&b, err, "{\"type\":\"%s\"", row ? "account" : "outcome") == PF_OK &&
		(!row || (pf_json_put(&b, "account", pf_span_str(row->from), err) == PF_OK &&
				 pf_json_put(&b, "to", pf_span_str(row->to), err) == PF_OK)) &&
		pf_json_put_int(&b, "exit_status", status, err) == PF_OK &&
		put_numbers(&b, o, err) == PF_OK &&
		(row || pf_screen_put_accounts(&b, w, err) == PF_OK) &&
		pf_json_put(&b, "why", pf_span_str(why), err) == PF_OK &&
		pf_json_put(&b, "ledger", pf_span_str(pf_wire_ledger_path(w)), err) == PF_OK &&
		pf_json_put(&b, "quarantine", pf_span_str(pf_wire_quarantine(w)), err) == PF_OK &&
		pf_buf_add_str(&b, "}", err) == PF_OK) {
		pf_screen_json_line(&b);
		rc = PF_OK;
	}
	pf_buf_deinit(&b);
	return rc;
}

/* ---- what did not arrive ---- */

struct missed_list {
	struct pf_missed_sink sink;
	const char *account; /* said in each line; NULL: there is only one */
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
		pf_json_put(&b, "account", pf_span_str(m->account), &ignored) == PF_OK &&
		pf_json_put(&b, "folder", pf_span_str(m->folder), &ignored) == PF_OK &&
		pf_json_put(&b, "item", pf_span_str(m->id), &ignored) == PF_OK &&
		pf_json_put(&b, "verdict", pf_span_str(m->verdict), &ignored) == PF_OK &&
		pf_json_put(&b, "date", pf_span_str(m->date), &ignored) == PF_OK &&
		pf_json_put_int(&b, "size", (int64_t)m->size, &ignored) == PF_OK &&
		pf_json_put(&b, "message_id", pf_span_str(m->message_id), &ignored) == PF_OK &&
		pf_json_put(&b, "sender", pf_span_str(m->sender), &ignored) == PF_OK &&
		pf_json_put(&b, "subject", pf_span_str(m->subject), &ignored) == PF_OK &&
		pf_json_put(&b, "reason", pf_span_str(m->reason), &ignored) == PF_OK &&
		pf_json_put(&b, "hint", pf_span_str(m->hint), &ignored) == PF_OK &&
		pf_buf_add_str(&b, "}", &ignored) == PF_OK) {
		pf_screen_json_line(&b);
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
	if (l->shown == MISSED_SHOWN) {
		l->more = true;
		return false;
	}
	if (l->shown++ == 0) {
		(void)printf("did not arrive%s%s:\n", l->account ? "" : " of ",
			l->account ? "" : m->account);
	}
	(void)printf("  %s%s", l->account ? l->account : "", l->account ? ": " : "");
	if (m->is_folder) {
		(void)printf("folder %s: %s (%s)\n", m->folder, m->reason, m->hint);
	} else {
		char size[32];

		(void)printf("%s UID %s, %s, %s, %s, %s, from %s, \"%s\": %s (%s)\n", m->folder,
			m->id, m->verdict, m->date, pf_show_bytes(m->size, size, sizeof(size)),
			m->message_id[0] ? m->message_id : "no Message-ID known",
			m->sender[0] ? m->sender : "-", m->subject, m->reason, m->hint);
	}
	return true;
}

/* Of every account that was opened, and may have left something. */
static int list_missed(const struct pf_screen *s, struct pf_err *err)
{
	struct missed_list l = {.sink = {take_missed}, .json = s->settings->json};
	size_t n;
	const struct pf_wire_row *rows = pf_wire_rows(s->wire, &n);
	struct pf_ledger *led = pf_wire_ledger(s->wire);

	for (size_t i = 0; led && i < n && !l.more; i++) {
		if (rows[i].status == PF_EXIT_NOT_OPENED || rows[i].status == PF_EXIT_USAGE ||
			(s->batch && rows[i].status == PF_EXIT_COMPLETE)) {
			continue;
		}
		l.account = s->batch ? rows[i].from : NULL;
		if (pf_missed_read(led, rows[i].account, rows[i].from, pf_wire_quarantine(s->wire),
			    &l.sink, err) != PF_OK) {
			return PF_FAIL;
		}
	}
	if (l.more) {
		(void)printf("  ... more are in the report\n");
	}
	return PF_OK;
}

/* ---- an account is over ---- */

static const char *status_name(int status, bool plan)
{
	switch (status) {
	case PF_EXIT_COMPLETE:
		return plan ? "looked at" : "complete";
	case PF_EXIT_MISSED:
		return "complete, but not everything arrived";
	case PF_EXIT_USAGE:
		return "not possible as it was asked for";
	case PF_EXIT_NOT_OPENED:
		return "could not be opened";
	default:
		return "not complete";
	}
}

static void account_text(
	const struct pf_screen *s, const struct pf_wire_row *row, const struct pf_outcome *o)
{
	char size[32];

	(void)printf("%s -> %s: %s", row->from, row->to, status_name(row->status, s->plan));
	if (row->why) {
		(void)printf(" (%s)", row->why);
	} else if (o && s->plan) {
		(void)printf("; to be copied: %llu items (%s) in %zu folders",
			(ull)o->estimate_items,
			pf_show_bytes(o->estimate_bytes, size, sizeof(size)), o->folders);
	} else if (o && s->mode == PF_JOB_VERIFY) {
		(void)printf("; %llu compared, %llu differing, %llu not at the target",
			(ull)o->compared, (ull)o->differing, (ull)o->not_at_target);
	} else if (o) {
		(void)printf("; %llu copied (%s), %llu found at the target", (ull)o->copied_now,
			pf_show_bytes(o->bytes_now, size, sizeof(size)), (ull)o->present_now);
	}
	(void)printf("\n");
	(void)fflush(stdout);
}

int pf_screen_end_account(const struct pf_screen *s, const struct pf_wire_row *row,
	const struct pf_outcome *o, struct pf_err *err)
{
	static const struct pf_outcome NOTHING = {.copied_now = 0};
	bool lines = s->plan && row->job && o && !o->not_opened;

	if (s->settings->json) {
		if (lines && plan_json(row->job, row->from, err) != PF_OK) {
			return PF_FAIL;
		}
		return s->batch ? sums_json(s, row, o ? o : &NOTHING, row->status, err) : PF_OK;
	}
	if (s->settings->quiet) {
		return PF_OK;
	}
	if (s->batch) {
		account_text(s, row, o);
	}
	if (lines && (!s->batch || s->settings->verbose)) {
		plan_text(row);
	}
	return PF_OK;
}

/* ---- all are over ---- */

/* The answer, in a line. */
static void answer(const struct pf_screen *s, int status, const char *why)
{
	switch (status) {
	case PF_EXIT_COMPLETE:
		(void)printf("%s\n", s->plan ? "nothing was changed"
				     : s->mode == PF_JOB_VERIFY
					     ? "verified: all that was copied is at the target"
					     : "complete");
		break;
	case PF_EXIT_MISSED:
		(void)printf("%s%s\n",
			s->mode == PF_JOB_VERIFY
				? "verified, but not all is at the target as it is at the source"
				: "complete, but not everything arrived",
			pf_wire_sums(s->wire)->mirror_stopped
				? "; --mirror removed nothing, as more than a tenth would "
				  "have gone: look at the source first, then use "
				  "--mirror-all"
				: "");
		break;
	default:
		(void)printf("not complete (%s): run the same command again to go on\n", why);
	}
}

/* Accounts by what they earned, then each that is not complete, by name. */
static void accounts_text(const struct pf_screen *s)
{
	size_t n;
	const struct pf_wire_row *rows = pf_wire_rows(s->wire, &n);
	struct standing st;

	take_stock(s->wire, &st);
	(void)printf("accounts: %zu; %s %zu", n, s->plan ? "looked at" : "complete",
		st.by[PF_EXIT_COMPLETE]);
	if (st.skipped > 0) {
		(void)printf(" (%zu had nothing to try again)", st.skipped);
	}
	(void)printf(", with something missing %zu, not opened %zu, not complete %zu\n",
		st.by[PF_EXIT_MISSED], st.by[PF_EXIT_NOT_OPENED],
		st.by[PF_EXIT_INTERRUPTED] + st.by[PF_EXIT_USAGE]);
	for (size_t i = 0; i < n; i++) {
		if (rows[i].status != PF_EXIT_COMPLETE) {
			(void)printf("  %s -> %s: %s%s%s%s\n", rows[i].from, rows[i].to,
				status_name(rows[i].status, s->plan), rows[i].why ? " (" : "",
				rows[i].why ? rows[i].why : "", rows[i].why ? ")" : "");
		}
	}
}

static void places_text(const struct pf_wire *w)
{
	(void)printf("report: postferry report --ledger %s\nledger: %s\nquarantine: %s\n",
		pf_wire_ledger_path(w), pf_wire_ledger_path(w), pf_wire_quarantine(w));
}

/* Why a lone account is not complete; those of a batch say so each. */
static const char *why_of(const struct pf_screen *s)
{
	size_t n;
	const struct pf_wire_row *rows = pf_wire_rows(s->wire, &n);

	return rows[0].why ? rows[0].why : "";
}

static int end_text(const struct pf_screen *s, int status, struct pf_err *err)
{
	if (!s->plan) {
		this_run(pf_wire_sums(s->wire), s->mode);
	}
	if (s->batch) {
		accounts_text(s);
	} else {
		answer(s, status, why_of(s));
	}
	if (s->plan) {
		return PF_OK;
	}
	in_all(pf_wire_sums(s->wire));
	if (list_missed(s, err) != PF_OK) {
		return PF_FAIL;
	}
	if (pf_wire_ledger(s->wire)) {
		places_text(s->wire);
	}
	return PF_OK;
}

int pf_screen_end(struct pf_screen *s, int status, struct pf_err *err)
{
	bool opened = s->batch || status == PF_EXIT_COMPLETE || status == PF_EXIT_MISSED ||
		      status == PF_EXIT_INTERRUPTED;

	pf_progress_wipe(s);
	if (!opened) {
		(void)fprintf(stderr, "postferry: %s (postferry explain %d tells what to do)\n",
			why_of(s), PF_EV_NOT_OPENED);
	} else if (!s->batch && s->settings->quiet && status == PF_EXIT_INTERRUPTED) {
		(void)fprintf(stderr, "postferry: %s\n", why_of(s));
	}
	if (s->settings->json) {
		if (list_missed(s, err) != PF_OK) {
			return PF_FAIL;
		}
		return sums_json(s, NULL, pf_wire_sums(s->wire), status, err);
	}
	return s->settings->quiet || !opened ? PF_OK : end_text(s, status, err);
}
