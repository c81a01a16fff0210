/*
 * Items as Exchange itself moves them: ExportItems, several in one request, in front of the GetItem
 * of each that is wanted so as well. What can't be had so comes without its stream, and says why.
 */
#include "stores/ews/ews_private.h"

#include "base/base64.h"

#include <stdio.h>

bool ews_stream_wanted(const struct estore *s, const struct eop *o)
{
	const struct pf_op *op = eop_op(o);

	return op->kind == PF_OP_GET && op->get.part == PF_PART_WHOLE && !o->stream_over &&
	       s->as.version >= PF_EWS_2010_SP1 && (op->get.native || s->h.cfg->keep_raw);
}

int ews_stream_ask(struct estore *s, struct ecall *c, const struct pf_span *ids, struct pf_err *err)
{
	struct pf_buf text;

	pf_buf_init(&text, EWS_TEXT_MAX);
	if (pf_ews_export(&s->as, ids, c->n, &text, err) != PF_OK) {
		pf_buf_deinit(&text);
		return PF_FAIL;
	}
	return ecall_send(s, c, "ExportItems", &text, err);
}

void ews_stream_give_up(struct eop *o, const char *text)
{
	o->stream_over = true;
	o->h.tries = 0;
	o->h.state = PF_HS_WAITING;
	(void)snprintf(o->no_stream, sizeof(o->no_stream), "ExportItems: %.180s", text);
}

bool ews_stream_is_refused(const struct ecall *c, const struct pf_ews_said *said)
{
	switch (said->does) {
	case PF_EWS_DONE:
	case PF_EWS_BUSY:
	case PF_EWS_UNTRIED:
	case PF_EWS_PASSING:
	case PF_EWS_RACE:
	case PF_EWS_FULL:
	case PF_EWS_VERSION:
		return false;
	case PF_EWS_UNCLEAR:
	case PF_EWS_TOO_LARGE:
		return c->n == 1;
	default:
		return true;
	}
}

bool ews_stream_said(const struct ecall *c, struct eop *o, const struct pf_ews_said *said)
{
	bool over = c->kind == ECALL_EXPORT && ews_stream_is_refused(c, said);

	if (over) {
		ews_stream_give_up(o, said->text);
	}
	return over;
}

int ews_stream_answer(
	struct eop *o, struct pf_ews_answer *a, const struct pf_ews_message *m, struct pf_err *err)
{
	struct pf_ews_moved moved;
	struct pf_err why;
	struct pf_buf out;
	int rc = PF_OK;

	pf_ews_moved(a, m, &moved);
	pf_buf_init(&out, moved.stream.n + 3);
	if (moved.stream.n == 0) {
		ews_stream_give_up(o, "the server says that it is done, and gives nothing");
	} else if (pf_base64_decode(moved.stream, &out, &why) != PF_OK) {
		if (why.scope > PF_SCOPE_ITEM) {
			*err = why;
			rc = PF_FAIL;
		} else {
			ews_stream_give_up(o, why.text);
		}
	} else {
		o->stream_over = true;
		o->h.tries = 0;
		o->h.state = PF_HS_WAITING;
		o->stream_ending = ".fts";
		o->stream = pf_blob_of(pf_buf_span(&out));
		rc = o->stream ? PF_OK : pf_fail_memory(err, "an item");
	}
	pf_buf_deinit(&out);
	return rc;
}
