/*
 * The last lines: the sums of P2, then what did not arrive, by name, then where things are.
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
		(void)printf("this run: %llu compared, %llu differing, %llu not at the target\n",
			(ull)o->compared, (ull)o->differing, (ull)o->not_at_target);
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

static void plan_text(const struct pf_wire *w)
{
	const struct pf_job *job = pf_wire_job(w);
	const struct pf_outcome *o = pf_job_outcome(job);
	struct pf_plan_line l;
	uint64_t items = 0;
	char size[32];

	for (size_t i = 0; pf_job_plan_line(job, i, &l); i++) {
		(void)printf("%s -> %s%s: %llu items, %s%s%s%s\n", l.from,
			l.to[0] ? l.to : "(nowhere)", l.exists || !l.to[0] ? "" : " (new)",
			(ull)l.items, pf_show_bytes(l.bytes, size, sizeof(size)),
			l.note[0] ? " (" : "", l.note, l.note[0] ? ")" : "");
		items += l.items;
	}
	limits_text(pf_wire_facts(w, false), pf_wire_facts(w, true));
	(void)printf("to be copied: %llu items (%s) in %zu folders; %llu items are larger than the "
		     "target takes\n",
		(ull)items, pf_show_bytes(o->estimate_bytes, size, sizeof(size)), o->folders,
		(ull)o->too_large);
}

static int plan_json(const struct pf_job *job, struct pf_err *err)
{
	struct pf_plan_line l;
	struct pf_buf b;
	int rc = PF_OK;

	pf_buf_init(&b, JSON_MAX);
	for (size_t i = 0; rc == PF_OK && pf_job_plan_line(job, i, &l); i++) {
		pf_buf_clear(&b);
		if (pf_buf_add_str(&b, "{\"type\":\"plan\"", err) != PF_OK ||
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
		pf_screen_json_line(&b);
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

/* The answer, in a line. `plan`: it was only looked what would be done. */
static void answer(const struct pf_outcome *o, enum pf_job_mode mode, bool plan, int status)
{
	switch (status) {
	case PF_EXIT_COMPLETE:
		(void)printf("%s\n", plan ? "nothing was changed"
				     : mode == PF_JOB_VERIFY
					     ? "verified: all that was copied is at the target"
					     : "complete");
		break;
	case PF_EXIT_MISSED:
		(void)printf("%s%s\n",
			mode == PF_JOB_VERIFY
				? "verified, but not all is at the target as it is at the source"
				: "complete, but not everything arrived",
			o->mirror_stopped
				? "; --mirror removed nothing, as more than a tenth would "
				  "have gone: look at the source first, then use "
				  "--mirror-all"
				: "");
		break;
	default:
		(void)printf(
			"not complete (%s): run the same command again to go on\n", o->why.text);
	}
}

static int list_missed(struct pf_wire *w, struct missed_list *list, struct pf_err *err)
{
	if (pf_missed_read(pf_wire_ledger(w), pf_wire_account(w), pf_job_name(pf_wire_job(w)),
		    pf_wire_quarantine(w), &list->sink, err) != PF_OK) {
		return PF_FAIL;
	}
	if (list->more) {
		(void)printf("  ... more are in the report\n");
	}
	return PF_OK;
}

static int end_json(struct pf_wire *w, bool plan, int status, struct pf_err *err)
{
	const struct pf_outcome *o = pf_job_outcome(pf_wire_job(w));
	struct missed_list list = {.sink = {take_missed}, .json = true};
	int rc = plan && !o->not_opened ? plan_json(pf_wire_job(w), err) : PF_OK;

	if (rc == PF_OK && pf_wire_ledger(w) && !o->not_opened) {
		rc = list_missed(w, &list, err);
	}
	return rc == PF_OK ? sums_json(o, status, w, err) : rc;
}

static int end_text(
	struct pf_wire *w, enum pf_job_mode mode, bool plan, int status, struct pf_err *err)
{
	const struct pf_outcome *o = pf_job_outcome(pf_wire_job(w));
	struct missed_list list = {.sink = {take_missed}};

	if (plan) {
		plan_text(w);
	} else {
		this_run(o, mode);
	}
	answer(o, mode, plan, status);
	if (plan) {
		return PF_OK;
	}
	in_all(o);
	if (pf_wire_ledger(w) && list_missed(w, &list, err) != PF_OK) {
		return PF_FAIL;
	}
	if (pf_wire_ledger(w)) {
		(void)printf("report: postferry report --ledger %s\nledger: %s\nquarantine: %s\n",
			pf_wire_ledger_path(w), pf_wire_ledger_path(w), pf_wire_quarantine(w));
	}
	return PF_OK;
}

int pf_screen_end(struct pf_screen *s, struct pf_wire *w, enum pf_job_mode mode, int status,
	struct pf_err *err)
{
	const struct pf_outcome *o = pf_job_outcome(pf_wire_job(w));
	bool plan = mode == PF_JOB_CHECK || s->settings->dry_run;

	pf_screen_wipe_bar(s);
	if (o->not_opened) {
		(void)fprintf(stderr, "postferry: %s (postferry explain %d tells what to do)\n",
			o->why.text, PF_EV_NOT_OPENED);
	} else if (s->settings->quiet && status == PF_EXIT_INTERRUPTED) {
		(void)fprintf(stderr, "postferry: %s\n", o->why.text);
	}
	if (s->settings->json) {
		return end_json(w, plan, status, err);
	}
	return s->settings->quiet || o->not_opened ? PF_OK : end_text(w, mode, plan, status, err);
}
