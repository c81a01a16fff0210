/*
 * One self-contained page: the answer first, then the sums, a chart of what became of the items per
 * folder, every item that did not arrive, and those that did in another form. No scripts; prints
 * well; follows the reader's light or dark.
 */
#include "cli/report_data.h"
#include "cli/screen.h"

static const char HEAD[] =
	"<!doctype html>\n<html lang=\"en\"><meta charset=\"utf-8\">"
	"<meta name=\"viewport\" content=\"width=device-width\"><title>postferry "
	"report</title>\n<style>\n"
	":root{color-scheme:light "
	"dark;--ok:#1a7f4b;--bad:#b3261e;--dim:#8886;--copied:#2a9d63;--present:#6aa9d8;"
	"--skipped:#a9a9b8;--quarantined:#c8452f;--vanished:#d8b04a;--open:#8b5cc7}\n"
	"body{font:15px/1.5 system-ui,sans-serif;max-width:70rem;margin:2rem auto;padding:0 1rem}\n"
	"h1{font-size:1.9rem;margin:.2rem "
	"0}h2{margin-top:2.2rem;font-size:1.2rem}.ok{color:var(--ok)}"
	".bad{color:var(--bad)}\n.who{opacity:.75;word-break:break-all}table{border-collapse:"
	"collapse;width:100%}"
	"td,th{padding:.3rem .6rem;text-align:left;border-bottom:1px solid "
	"var(--dim);vertical-align:top;"
	"overflow-wrap:anywhere}\nth{white-space:nowrap}.d{white-space:nowrap}.n{text-align:right;"
	"font-variant-numeric:tabular-nums;white-"
	"space:nowrap}"
	"code{font-size:.85em;overflow-wrap:anywhere}svg{display:block;width:100%;height:14px}\n"
	".key span{display:inline-block;width:.9em;height:.9em;margin:0 .3em 0 "
	"1.2em;vertical-align:-.1em}\n"
	".copied{fill:var(--copied);background:var(--copied)}.present{fill:var(--present);"
	"background:var(--present)}"
	".skipped{fill:var(--skipped);background:var(--skipped)}.quarantined{fill:var(--"
	"quarantined);"
	"background:var(--quarantined)}.vanished{fill:var(--vanished);background:var(--vanished)}"
	".open{fill:var(--open);background:var(--open)}\n@media print{body{margin:0}}\n</style>\n";

static int text(struct pf_buf *out, const char *s, struct pf_err *err)
{
	for (; *s; s++) {
		const char *as = *s == '<'    ? "&lt;"
				 : *s == '>'  ? "&gt;"
				 : *s == '&'  ? "&amp;"
				 : *s == '"'  ? "&quot;"
				 : *s == '\'' ? "&#39;"
					      : NULL;

		if ((as ? pf_buf_add_str(out, as, err) : pf_buf_add(out, pf_span(s, 1), err)) !=
			PF_OK) {
			return PF_FAIL;
		}
	}
	return PF_OK;
}

static int cell(struct pf_buf *out, const char *s, struct pf_err *err)
{
	if (pf_buf_add_str(out, "<td>", err) != PF_OK || text(out, s, err) != PF_OK) {
		return PF_FAIL;
	}
	return pf_buf_add_str(out, "</td>", err);
}

static int not_ended(const struct pf_report *r, struct pf_buf *out, struct pf_err *err)
{
	if (!r->not_ended) {
		return PF_OK;
	}
	if (pf_buf_add_str(out, "<p>Why: ", err) != PF_OK ||
		text(out, r->not_ended, err) != PF_OK) {
		return PF_FAIL;
	}
	return pf_buf_add_str(out, "</p>", err);
}

static int answer(const struct pf_report *r, struct pf_buf *out, struct pf_err *err)
{
	bool ok = pf_report_is_complete(r);
	unsigned long long there = r->items[PF_VERDICT_COPIED] + r->items[PF_VERDICT_PRESENT];
	unsigned long long missed = r->items[PF_VERDICT_QUARANTINED] + r->items[PF_VERDICT_NONE];
	char begun[32], ended[32], newest[2][32];

	pf_date_iso(r->newest_utc_s[0], newest[0]);
	pf_date_iso(r->newest_utc_s[1], newest[1]);
	pf_date_iso(r->begun_utc_s, begun);
	pf_date_iso(r->ended_utc_s ? r->ended_utc_s : PF_DATE_NONE, ended);
	if (pf_buf_addf(out, err,
		    "<h1 class=\"%s\">%s</h1><p>%llu items are at the target, %llu did not "
		    "arrive.</p>",
		    ok ? "ok" : "bad", ok ? "Complete: everything arrived" : "Not complete", there,
		    missed) != PF_OK ||
		not_ended(r, out, err) != PF_OK ||
		pf_buf_add_str(out, "<p class=\"who\">", err) != PF_OK ||
		text(out, r->from, err) != PF_OK || pf_buf_add_str(out, " &rarr; ", err) != PF_OK ||
		text(out, r->to, err) != PF_OK) {
		return PF_FAIL;
	}
	return pf_buf_addf(out, err,
		"<br>last pass %s to %s; %zu in all"
		"<br>the newest item: %s at the source, %s at the target</p>%s",
		begun, ended, r->passes, newest[0], newest[1],
		r->rights_left ? "<p>Not carried over: rights that others have on folders.</p>"
			       : "");
}

static int sums(const struct pf_report *r, struct pf_buf *out, struct pf_err *err)
{
	char size[32];
	int rc = pf_buf_add_str(out,
		"<h2>Sums</h2><table><tr><th>what became of them<th class=\"n\">items<th "
		"class=\"n\">size</tr>",
		err);

	for (size_t v = 1; v <= PF_VERDICT_COUNT && rc == PF_OK; v++) {
		size_t k = v % PF_VERDICT_COUNT;

		rc = pf_buf_addf(out, err, "<tr><td>%s<td class=\"n\">%llu<td class=\"n\">%s</tr>",
			pf_verdict_name((enum pf_verdict)k), (unsigned long long)r->items[k],
			pf_show_bytes(r->bytes[k], size, sizeof(size)));
	}
	return rc == PF_OK ? pf_buf_add_str(out, "</table>", err) : rc;
}

/* A bar of the folder's items by verdict; its length is the folder's share of the largest one. */
static int bar(
	struct pf_buf *out, const struct pf_report_folder *f, uint64_t most, struct pf_err *err)
{
	enum { WIDTH = 1000 };
	double x = 0;
	int rc = pf_buf_addf(out, err,
		"<td style=\"width:40%%\"><svg viewBox=\"0 0 %d 14\" "
		"preserveAspectRatio=\"none\">",
		WIDTH);

	for (size_t v = 1; v <= PF_VERDICT_COUNT && rc == PF_OK; v++) {
		size_t k = v % PF_VERDICT_COUNT;
		double w = most ? (double)f->items[k] * WIDTH / (double)most : 0;

		if (f->items[k] > 0) {
			rc = pf_buf_addf(out, err,
				"<rect class=\"%s\" x=\"%.1f\" width=\"%.1f\" "
				"height=\"14\"><title>%s %llu</title></rect>",
				pf_verdict_name((enum pf_verdict)k), x, w < 2 ? 2 : w,
				pf_verdict_name((enum pf_verdict)k),
				(unsigned long long)f->items[k]);
			x += w;
		}
	}
	return rc == PF_OK ? pf_buf_add_str(out, "</svg></td>", err) : rc;
}

static uint64_t all_of(const struct pf_report_folder *f)
{
	uint64_t n = 0;

	for (size_t v = 0; v < PF_VERDICT_COUNT; v++) {
		n += f->items[v];
	}
	return n;
}

static int folders(const struct pf_report *r, struct pf_buf *out, struct pf_err *err)
{
	uint64_t most = 0;
	int rc = pf_buf_add_str(out, "<h2>Folders</h2><p class=\"key\">", err);

	for (size_t v = 1; v <= PF_VERDICT_COUNT && rc == PF_OK; v++) {
		const char *name = pf_verdict_name((enum pf_verdict)(v % PF_VERDICT_COUNT));

		rc = pf_buf_addf(out, err, "<span class=\"%s\"></span>%s", name, name);
	}
	for (size_t i = 0; i < r->folder_count; i++) {
		most = all_of(&r->folders[i]) > most ? all_of(&r->folders[i]) : most;
	}
	rc = rc == PF_OK
		     ? pf_buf_add_str(out,
			       "</p><table><tr><th>from<th>to<th>items<th class=\"n\">in all</tr>",
			       err)
		     : rc;
	for (size_t i = 0; i < r->folder_count && rc == PF_OK; i++) {
		const struct pf_report_folder *f = &r->folders[i];

		if (pf_buf_add_str(out, "<tr>", err) != PF_OK || cell(out, f->from, err) != PF_OK ||
			pf_buf_add_str(out, "<td>", err) != PF_OK ||
			text(out, f->to, err) != PF_OK ||
			(f->note[0] && (pf_buf_add_str(out, "<br><small>", err) != PF_OK ||
					       text(out, f->note, err) != PF_OK ||
					       pf_buf_add_str(out, "</small>", err) != PF_OK)) ||
			pf_buf_add_str(out, "</td>", err) != PF_OK ||
			bar(out, f, most, err) != PF_OK) {
			return PF_FAIL;
		}
		rc = pf_buf_addf(
			out, err, "<td class=\"n\">%llu</tr>", (unsigned long long)all_of(f));
	}
	return rc == PF_OK ? pf_buf_add_str(out, "</table>", err) : rc;
}

static int items(struct pf_buf *out, const char *title, const struct pf_missed *v, size_t n,
	struct pf_err *err)
{
	int rc;

	if (n == 0) {
		return PF_OK;
	}
	rc = pf_buf_addf(out, err,
		"<h2>%s</h2><table><tr><th>folder<th>item<th>date<th "
		"class=\"n\">size<th>message<th>why</tr>",
		title);
	for (size_t i = 0; i < n && rc == PF_OK; i++) {
		const struct pf_missed *m = &v[i];
		char size[32];

		if (pf_buf_add_str(out, "<tr>", err) != PF_OK ||
			cell(out, m->folder, err) != PF_OK || cell(out, m->id, err) != PF_OK ||
			pf_buf_addf(out, err,
				"<td class=\"d\">%.10s</td><td class=\"n\">%s</td><td>", m->date,
				pf_show_bytes(m->size, size, sizeof(size))) != PF_OK ||
			text(out, m->subject, err) != PF_OK ||
			pf_buf_add_str(out, "<br>", err) != PF_OK ||
			text(out, m->sender, err) != PF_OK ||
			pf_buf_add_str(out, "<br><code>", err) != PF_OK ||
			text(out, m->message_id, err) != PF_OK ||
			pf_buf_add_str(out, "</code></td>", err) != PF_OK ||
			pf_buf_add_str(out, "<td>", err) != PF_OK ||
			text(out, m->reason, err) != PF_OK ||
			pf_buf_add_str(out, "<br><small>", err) != PF_OK ||
			text(out, m->hint, err) != PF_OK) {
			return PF_FAIL;
		}
		rc = pf_buf_add_str(out, "</small></td></tr>", err);
	}
	return rc == PF_OK ? pf_buf_add_str(out, "</table>", err) : rc;
}

static int noted(const struct pf_report *r, struct pf_buf *out, struct pf_err *err)
{
	int rc = items(out, "Arrived with a note", r->noted, r->noted_count, err);

	return rc == PF_OK && r->noted_all > r->noted_count
		       ? pf_buf_addf(out, err, "<p>and %zu more</p>", r->noted_all - r->noted_count)
		       : rc;
}

enum { FATES_SHOWN = 1000 };

/* A table of what became of each property, or of the addresses that nobody resolved. */
static int fate_table(const struct pf_report *r, size_t from, size_t to, const char *head,
	struct pf_buf *out, struct pf_err *err)
{
	bool addresses = from < r->unresolved;
	int rc = pf_buf_add_str(out, head, err);

	for (size_t i = from; i < to && rc == PF_OK; i++) {
		const struct pf_ledger_fate_sum *s = &r->fates.v[i];

		rc = pf_buf_add_str(out, "<tr>", err);
		rc = rc == PF_OK ? cell(out, (const char *)s->what.p, err) : rc;
		for (size_t k = addresses ? PF_FATE_UNRESOLVED : PF_FATE_KEPT;
			k < (addresses ? PF_FATE_COUNT : PF_FATE_UNRESOLVED) && rc == PF_OK; k++) {
			rc = pf_buf_addf(out, err, "<td class=\"n\">%llu</td>",
				(unsigned long long)s->items[k]);
		}
		rc = rc == PF_OK ? pf_buf_add_str(out, "</tr>", err) : rc;
	}
	return rc == PF_OK ? pf_buf_add_str(out, "</table>", err) : rc;
}

static int fates(const struct pf_report *r, struct pf_buf *out, struct pf_err *err)
{
	size_t n =
		r->fates.n < r->unresolved + FATES_SHOWN ? r->fates.n : r->unresolved + FATES_SHOWN;
	size_t addresses = r->unresolved < FATES_SHOWN ? r->unresolved : FATES_SHOWN;
	int rc = PF_OK;

	if (r->fates.items > 0) {
		rc = pf_buf_addf(out, err,
			"<h2>Converted</h2><p>%llu items were in another form at the source.</p>",
			(unsigned long long)r->fates.items);
		rc = rc == PF_OK ? fate_table(r, r->unresolved, n,
					   "<table><tr><th>property<th class=\"n\">kept<th "
					   "class=\"n\">in other words<th class=\"n\">lost</tr>",
					   out, err)
				 : rc;
	}
	if (rc == PF_OK && n < r->fates.n) {
		rc = pf_buf_addf(out, err, "<p>and %zu more</p>", r->fates.n - n);
	}
	return rc == PF_OK && r->unresolved > 0
		       ? fate_table(r, 0, addresses,
				 "<p>Addresses of a directory that nobody resolved "
				 "(--address-map):</p><table><tr><th>address<th "
				 "class=\"n\">items</tr>",
				 out, err)
		       : rc;
}

int pf_report_html(const struct pf_report *r, struct pf_buf *out, struct pf_err *err)
{
	if ((r->number == 0 && pf_buf_add_str(out, HEAD, err) != PF_OK) ||
		answer(r, out, err) != PF_OK || sums(r, out, err) != PF_OK ||
		items(out, "Did not arrive", r->missed, r->missed_count, err) != PF_OK ||
		noted(r, out, err) != PF_OK || folders(r, out, err) != PF_OK ||
		fates(r, out, err) != PF_OK) {
		return PF_FAIL;
	}
	return pf_buf_addf(out, err,
		"<p>Merkle root of the fingerprints: <code>%s</code><br>postferry " PF_VERSION
		"</p>\n",
		r->merkle);
}
