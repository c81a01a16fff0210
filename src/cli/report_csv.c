/*
 * RFC 4180: one row an item that did not arrive, then one an item that arrived with a note (its
 * verdict is "copied" or "present"); one header for all accounts. A cell that a spreadsheet would
 * take for a formula gets an apostrophe.
 */
#include "cli/report_data.h"

#include <string.h>

static int cell(struct pf_buf *out, const char *text, const char *end, struct pf_err *err)
{
	if (pf_buf_add_str(out, text[0] && strchr("=+-@", text[0]) ? "\"'" : "\"", err) != PF_OK) {
		return PF_FAIL;
	}
	for (; *text; text++) {
		if (pf_buf_add(out, pf_span(*text == '"' ? "\"\"" : text, *text == '"' ? 2 : 1),
			    err) != PF_OK) {
			return PF_FAIL;
		}
	}
	return pf_buf_addf(out, err, "\"%s", end);
}

static int rows(const struct pf_report *r, const struct pf_missed *items, size_t n,
	struct pf_buf *out, struct pf_err *err)
{
	int rc = PF_OK;

	for (size_t i = 0; i < n && rc == PF_OK; i++) {
		const struct pf_missed *m = &items[i];

		if (cell(out, m->folder, ",", err) != PF_OK ||
			cell(out, m->id, ",", err) != PF_OK ||
			cell(out, m->verdict, ",", err) != PF_OK ||
			cell(out, m->date, ",", err) != PF_OK ||
			pf_buf_addf(out, err, "%llu,", (unsigned long long)m->size) != PF_OK ||
			cell(out, m->message_id, ",", err) != PF_OK ||
			cell(out, m->sender, ",", err) != PF_OK ||
			cell(out, m->subject, ",", err) != PF_OK ||
			cell(out, m->reason, ",", err) != PF_OK ||
			cell(out, m->hint, ",", err) != PF_OK ||
			cell(out, r->from, ",", err) != PF_OK ||
			cell(out, r->to, "\r\n", err) != PF_OK) {
			rc = PF_FAIL;
		}
	}
	return rc;
}

int pf_report_csv(const struct pf_report *r, struct pf_buf *out, struct pf_err *err)
{
	int rc = r->number > 0
			 ? PF_OK
			 : pf_buf_add_str(out,
				   "folder,item,verdict,date,size,message_id,sender,subject,reason,"
				   "hint,from,to\r\n",
				   err);

	rc = rc == PF_OK ? rows(r, r->missed, r->missed_count, out, err) : rc;
	return rc == PF_OK ? rows(r, r->noted, r->noted_count, out, err) : rc;
}
