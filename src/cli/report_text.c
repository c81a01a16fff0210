#include "cli/report_data.h"
#include "cli/screen.h"

static int item(struct pf_buf *out, const struct pf_missed *m, struct pf_err *err)
{
	const char *before = m->hint[0] ? " (" : "", *behind = m->hint[0] ? ")" : "";
	char size[32];

	if (m->is_folder) {
		return pf_buf_addf(out, err, "  %s, %s: %s%s%s%s\n", m->folder, m->verdict,
			m->reason, before, m->hint, behind);
	}
	return pf_buf_addf(out, err, "  %s UID %s, %s, %s, %s, %s, from %s, \"%s\": %s%s%s%s\n",
		m->folder, m->id, m->verdict, m->date, pf_show_bytes(m->size, size, sizeof(size)),
		m->message_id[0] ? m->message_id : "no Message-ID known",
		m->sender[0] ? m->sender : "-", m->subject, m->reason, before, m->hint, behind);
}

static int items(struct pf_buf *out, const char *title, const struct pf_missed *v, size_t n,
	struct pf_err *err)
{
	int rc = n > 0 ? pf_buf_addf(out, err, "\n%s:\n", title) : PF_OK;

	for (size_t i = 0; i < n && rc == PF_OK; i++) {
		rc = item(out, &v[i], err);
	}
	return rc;
}

enum { FATES_SHOWN = 200 };

/* What became of the properties of items that the source has in another form; addresses first. */
static int fates(const struct pf_report *r, struct pf_buf *out, struct pf_err *err)
{
	size_t n = r->fates.n < FATES_SHOWN ? r->fates.n : FATES_SHOWN;
	int rc = PF_OK;

	if (r->fates.items == 0) {
		return PF_OK;
	}
	rc = pf_buf_addf(out, err,
		"\nconverted: %llu items; of how many each property was kept/said in other "
		"words/lost\n",
		(unsigned long long)r->fates.items);
	for (size_t i = r->unresolved; i < n && rc == PF_OK; i++) {
		const struct pf_ledger_fate_sum *s = &r->fates.v[i];

		rc = pf_buf_addf(out, err, "  %.*s  %llu/%llu/%llu\n", (int)s->what.n,
			(const char *)s->what.p, (unsigned long long)s->items[PF_FATE_KEPT],
			(unsigned long long)s->items[PF_FATE_MAPPED],
			(unsigned long long)s->items[PF_FATE_LOST]);
	}
	if (rc == PF_OK && n < r->fates.n) {
		rc = pf_buf_addf(out, err, "  and %zu more\n", r->fates.n - n);
	}
	if (rc == PF_OK && r->unresolved > 0) {
		rc = pf_buf_addf(out, err,
			"\naddresses of a directory that nobody resolved (--address-map): %zu\n",
			r->unresolved);
	}
	for (size_t i = 0; i < n && i < r->unresolved && rc == PF_OK; i++) {
		const struct pf_ledger_fate_sum *s = &r->fates.v[i];

		rc = pf_buf_addf(out, err, "  %.*s  in %llu items\n", (int)s->what.n,
			(const char *)s->what.p, (unsigned long long)s->items[PF_FATE_UNRESOLVED]);
	}
	return rc;
}

int pf_report_text(const struct pf_report *r, struct pf_buf *out, struct pf_err *err)
{
	char begun[32], ended[32], newest[2][32], size[32];
	int rc;

	pf_date_iso(r->begun_utc_s, begun);
	pf_date_iso(r->ended_utc_s ? r->ended_utc_s : PF_DATE_NONE, ended);
	pf_date_iso(r->newest_utc_s[0], newest[0]);
	pf_date_iso(r->newest_utc_s[1], newest[1]);
	rc = pf_buf_addf(out, err,
		"%s%s%s\n%s\n-> %s\nlast pass %s to %s, %zu in all\n"
		"the newest item: %s at the source, %s at the target\n\n",
		pf_report_is_complete(r) ? "COMPLETE: everything arrived" : "NOT COMPLETE",
		r->not_ended ? ": " : "", r->not_ended ? r->not_ended : "", r->from, r->to, begun,
		ended, r->passes, newest[0], newest[1]);
	for (size_t v = 1; v <= PF_VERDICT_COUNT && rc == PF_OK; v++) {
		size_t k = v % PF_VERDICT_COUNT; /* open comes last */

		rc = pf_buf_addf(out, err, "%-12s %10llu items %12s\n",
			pf_verdict_name((enum pf_verdict)k), (unsigned long long)r->items[k],
			pf_show_bytes(r->bytes[k], size, sizeof(size)));
	}
	rc = rc == PF_OK ? pf_buf_addf(out, err, "\nfolders: copied+present/quarantined/open\n")
			 : rc;
	for (size_t i = 0; i < r->folder_count && rc == PF_OK; i++) {
		const struct pf_report_folder *f = &r->folders[i];
		unsigned long long there =
			f->items[PF_VERDICT_COPIED] + f->items[PF_VERDICT_PRESENT];

		rc = pf_buf_addf(out, err, "  %s -> %s  %llu/%llu/%llu%s%s%s\n", f->from,
			f->to[0] ? f->to : "(nowhere)", there,
			(unsigned long long)f->items[PF_VERDICT_QUARANTINED],
			(unsigned long long)f->items[PF_VERDICT_NONE], f->note[0] ? " (" : "",
			f->note, f->note[0] ? ")" : "");
	}
	rc = rc == PF_OK ? items(out, "did not arrive", r->missed, r->missed_count, err) : rc;
	rc = rc == PF_OK ? items(out, "arrived with a note", r->noted, r->noted_count, err) : rc;
	if (rc == PF_OK && r->noted_all > r->noted_count) {
		rc = pf_buf_addf(out, err, "  and %zu more\n", r->noted_all - r->noted_count);
	}
	rc = rc == PF_OK ? fates(r, out, err) : rc;
	if (rc == PF_OK && r->rights_left) {
		rc = pf_buf_add_str(
			out, "\nnot carried over: rights that others have on folders\n", err);
	}
	return rc == PF_OK
		       ? pf_buf_addf(out, err, "\nMerkle root of the fingerprints: %s\n", r->merkle)
		       : rc;
}
