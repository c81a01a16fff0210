/*
 * Promise P6: no read receipt is sent because of a migration. A message that asks for one is said
 * to have had it (RFC 3503), where the target might send one of its own accord.
 */
#include "base/utf8.h"
#include "engine/fold_private.h"
#include "model/mime.h"

#define MDN_SENT "$MDNSent"

void receipt_stop(struct pf_slot *s, struct pf_span header)
{
	struct pf_fold *f = s->fold;
	bool permitted = !f->permitted_known || f->permitted_any ||
			 pf_keywords_has(pf_buf_span(&f->permitted_kw), pf_span_str(MDN_SENT));
	char to[200], shown[200];

	if ((!f->job->cfg->no_receipts && !job_has_cap(f->job, DST, PF_CAP_SENDS_RECEIPTS)) ||
		!pf_mime_field(header, "Disposition-Notification-To", to, sizeof(to)) ||
		pf_keywords_has(slot_entry(s)->kw, pf_span_str(MDN_SENT)) || s->receipt) {
		return;
	}
	s->mdn_sent = permitted;
	s->receipt = permitted ? "$MDNSent set, so that no receipt is sent"
			       : "the target does not permit $MDNSent, and may send a receipt";
	(void)pf_print_safe(shown, sizeof(shown), pf_span_str(to));
	job_event(f->job, PF_EV_RECEIPT_STOPPED, f, slot_entry(s), "%s (to%s)", s->receipt, shown);
}

int receipt_mark(struct pf_slot *s, struct pf_buf *kw, struct pf_err *err)
{
	if (!s->mdn_sent) {
		return PF_OK;
	}
	if (s->form < TRY_NO_KEYWORDS) {
		return pf_keywords_add(kw, pf_span_str(MDN_SENT), err);
	}
	s->mdn_sent = false;
	s->receipt = "the target refused $MDNSent, and may send a receipt";
	job_event(s->fold->job, PF_EV_RECEIPT_STOPPED, s->fold, slot_entry(s), "%s", s->receipt);
	return PF_OK;
}
