/*
 * Overrides that have no master in their own document: which master elsewhere recurs at their
 * instance? What a server expanded: which series says the same of that day? The masters' documents
 * are read once more for that.
 */
#include "engine/keyed_private.h"

int keyed_probe_begin(struct pf_fold *f, struct pf_err *err)
{
	struct pf_keyed *k = f->keyed;

	(void)err;
	k->probe = pf_identity_probes(k->identity, &k->probe_n);
	k->probe_at = 0;
	for (size_t i = 0; i < k->doc_n; i++) {
		k->doc[i].bits &= (uint16_t)~KEYED_LOOK;
	}
	return PF_OK;
}

int keyed_probe_step(struct pf_fold *f, struct pf_err *err)
{
	struct pf_keyed *k = f->keyed;

	for (; k->probe_at < k->probe_n && k->open[SRC] < KEYED_WINDOW; k->probe_at++) {
		size_t doc = k->part_doc[k->probe[k->probe_at].master];
		int rc;

		if (k->doc[doc].bits & KEYED_LOOK) {
			continue;
		}
		rc = keyed_get(f, SRC, USE_KEYED_SRC, doc, k->doc[doc].id, err);
		if (rc != PF_OK) {
			return rc;
		}
		k->doc[doc].bits |= KEYED_LOOK;
		k->open[SRC]++;
	}
	return k->probe_at == k->probe_n && k->open[SRC] == 0 ? PF_OK : PF_AGAIN;
}

/* Answer all that is asked of this document's masters. */
static void answer(struct pf_keyed *k, size_t doc, const struct pf_doc *open)
{
	for (size_t i = 0; i < k->probe_n; i++) {
		struct pf_id_probe *p = &k->probe[i];
		const struct pf_id_part *over = &k->part[p->override];
		const struct pf_piece master = {open, k->part[p->master].ordinal};

		if (k->part_doc[p->master] == doc && master.part < k->codec->parts(open)) {
			p->fits = over->expanded
					  ? k->codec->yields(&master, over->rid_utc_s, &over->says)
					  : k->codec->recurs_at(
						    &master, over->rid_utc_s, over->rid_is_date);
		}
	}
}

int keyed_probe_event(struct pf_fold *f, const struct pf_store_event *ev, struct pf_err *err)
{
	struct pf_keyed *k = f->keyed;
	struct pf_blob *body = ev->body;
	struct pf_doc *doc = NULL;

	if (ev->kind == PF_STORE_BODY) {
		struct pf_err ignored; /* changed meanwhile: the override stands alone */

		if (k->codec->read(pf_blob_span(body), &doc, &ignored) == PF_OK) {
			answer(k, op_index(ev->op), doc);
		}
		k->codec->free(&doc);
		pf_blob_unref(&body);
	} else if (ev->kind == PF_STORE_DONE || ev->kind == PF_STORE_FAILED) {
		k->open[SRC]--;
		if (ev->kind == PF_STORE_FAILED && ev->failed.why.scope >= PF_SCOPE_SESSION) {
			*err = ev->failed.why;
			return PF_FAIL;
		}
	}
	return PF_OK;
}
