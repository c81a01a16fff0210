#include "base/json.h"
#include "cli/report_data.h"

static int sums(
	struct pf_buf *out, const uint64_t *items, const uint64_t *bytes, struct pf_err *err)
{
	int rc = PF_OK;

	for (size_t v = 0; v < PF_VERDICT_COUNT && rc == PF_OK; v++) {
		rc = pf_json_put_int(
			out, pf_verdict_name((enum pf_verdict)v), (int64_t)items[v], err);
	}
	if (rc == PF_OK) {
		rc = pf_json_put_int(out, "bytes_copied", (int64_t)bytes[PF_VERDICT_COPIED], err);
	}
	return rc;
}

static int folder(
	struct pf_buf *out, const struct pf_report_folder *f, bool first, struct pf_err *err)
{
	if (pf_buf_add_str(out, first ? "{" : ",{", err) != PF_OK ||
		pf_json_put(out, "from", pf_span_str(f->from), err) != PF_OK ||
		pf_json_put(out, "to", pf_span_str(f->to), err) != PF_OK ||
		pf_json_put(out, "verdict", pf_span_str(f->verdict), err) != PF_OK ||
		pf_json_put(out, "note", pf_span_str(f->note), err) != PF_OK ||
		sums(out, f->items, f->bytes, err) != PF_OK) {
		return PF_FAIL;
	}
	return pf_buf_add_str(out, "}", err);
}

static int item(struct pf_buf *out, const struct pf_missed *m, bool noted, struct pf_err *err)
{
	if (pf_buf_add_str(out, "{", err) != PF_OK ||
		pf_json_put(out, "folder", pf_span_str(m->folder), err) != PF_OK ||
		pf_json_put(out, "item", pf_span_str(m->id), err) != PF_OK ||
		pf_json_put(out, "verdict", pf_span_str(m->verdict), err) != PF_OK ||
		pf_json_put(out, "date", pf_span_str(m->date), err) != PF_OK ||
		pf_json_put(out, "message_id", pf_span_str(m->message_id), err) != PF_OK ||
		pf_json_put(out, "sender", pf_span_str(m->sender), err) != PF_OK ||
		pf_json_put(out, "subject", pf_span_str(m->subject), err) != PF_OK ||
		pf_json_put(out, noted ? "note" : "reason", pf_span_str(m->reason), err) != PF_OK ||
		(!noted && pf_json_put(out, "hint", pf_span_str(m->hint), err) != PF_OK) ||
		pf_json_put_int(out, "size", (int64_t)m->size, err) != PF_OK) {
		return PF_FAIL;
	}
	return pf_buf_add_str(out, "}", err);
}

/* An array of them. */
static int items(struct pf_buf *out, const char *key, const struct pf_missed *v, size_t n,
	bool noted, struct pf_err *err)
{
	int rc = pf_json_key(out, key, err);

	rc = rc == PF_OK ? pf_buf_add_str(out, "[", err) : rc;
	for (size_t i = 0; i < n && rc == PF_OK; i++) {
		rc = i > 0 ? pf_buf_add_str(out, ",", err) : PF_OK;
		rc = rc == PF_OK ? item(out, &v[i], noted, err) : rc;
	}
	return rc == PF_OK ? pf_buf_add_str(out, "]", err) : rc;
}

/* Of the items that the source has in another form: what became of each property, each address. */
static int fates(struct pf_buf *out, const struct pf_report *r, struct pf_err *err)
{
	static const char *const NAMES[PF_FATE_COUNT] = {"kept", "mapped", "lost", "unresolved"};
	int rc = pf_json_put_int(out, "converted", (int64_t)r->fates.items, err);

	rc = rc == PF_OK ? pf_json_key(out, "properties", err) : rc;
	rc = rc == PF_OK ? pf_buf_add_str(out, "[", err) : rc;
	for (size_t i = 0; i < r->fates.n && rc == PF_OK; i++) {
		const struct pf_ledger_fate_sum *s = &r->fates.v[i];

		rc = pf_buf_add_str(out, i > 0 ? ",{" : "{", err);
		rc = rc == PF_OK ? pf_json_put(out, i < r->unresolved ? "address" : "property",
					   s->what, err)
				 : rc;
		for (size_t k = 0; k < PF_FATE_COUNT && rc == PF_OK; k++) {
			rc = pf_json_put_int(out, NAMES[k], (int64_t)s->items[k], err);
		}
		rc = rc == PF_OK ? pf_buf_add_str(out, "}", err) : rc;
	}
	return rc == PF_OK ? pf_buf_add_str(out, "]", err) : rc;
}

static int newest(struct pf_buf *out, const int64_t *utc_s, struct pf_err *err)
{
	char source[32], target[32];

	pf_date_iso(utc_s[0], source);
	pf_date_iso(utc_s[1], target);
	if (pf_json_key(out, "newest", err) != PF_OK || pf_buf_add_str(out, "{", err) != PF_OK ||
		pf_json_put(out, "source", pf_span_str(source), err) != PF_OK ||
		pf_json_put(out, "target", pf_span_str(target), err) != PF_OK) {
		return PF_FAIL;
	}
	return pf_buf_add_str(out, "}", err);
}

int pf_report_json(const struct pf_report *r, struct pf_buf *out, struct pf_err *err)
{
	int rc;

	if (pf_buf_add_str(out, "{", err) != PF_OK ||
		pf_json_put(out, "from", pf_span_str(r->from), err) != PF_OK ||
		pf_json_put(out, "to", pf_span_str(r->to), err) != PF_OK ||
		pf_json_key(out, "complete", err) != PF_OK ||
		pf_buf_add_str(out, pf_report_is_complete(r) ? "true" : "false", err) != PF_OK ||
		pf_json_put(out, "not_ended",
			r->not_ended ? pf_span_str(r->not_ended) : pf_span(NULL, 0),
			err) != PF_OK ||
		pf_json_put_int(out, "begun", r->begun_utc_s, err) != PF_OK ||
		pf_json_put_int(out, "ended", r->ended_utc_s, err) != PF_OK ||
		pf_json_put_int(out, "passes", (int64_t)r->passes, err) != PF_OK ||
		pf_json_put(out, "merkle_root", pf_span_str(r->merkle), err) != PF_OK ||
		pf_json_key(out, "rights_left", err) != PF_OK ||
		pf_buf_add_str(out, r->rights_left ? "true" : "false", err) != PF_OK ||
		sums(out, r->items, r->bytes, err) != PF_OK ||
		newest(out, r->newest_utc_s, err) != PF_OK ||
		pf_json_key(out, "folders", err) != PF_OK) {
		return PF_FAIL;
	}
	rc = pf_buf_add_str(out, "[", err);
	for (size_t i = 0; i < r->folder_count && rc == PF_OK; i++) {
		rc = folder(out, &r->folders[i], i == 0, err);
	}
	if (rc != PF_OK || pf_buf_add_str(out, "]", err) != PF_OK ||
		items(out, "missed", r->missed, r->missed_count, false, err) != PF_OK ||
		pf_json_put_int(out, "arrived_with_note", (int64_t)r->noted_all, err) != PF_OK ||
		items(out, "noted", r->noted, r->noted_count, true, err) != PF_OK ||
		fates(out, r, err) != PF_OK) {
		return PF_FAIL;
	}
	return pf_buf_add_str(out, "}\n", err);
}
