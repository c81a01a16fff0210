/*
 * What the source listed and did not give when it was asked. It is listed once more: what that does
 * not have has gone meanwhile, the rest is in quarantine by its name.
 */
#include "engine/keyed_private.h"

/* Rows of what has gone: as if the first listing had not had it. */
static int end_rows(struct pf_fold *f, struct pf_err *err)
{
	struct pf_keyed *k = f->keyed;

	for (size_t i = 0; i < k->row_n; i++) {
		size_t d = keyed_find_doc(k, keyed_skey(k->row[i].key));

		if (d == SIZE_MAX || !(k->doc[d].bits & KEYED_GONE) ||
			!(k->row[i].bits & KEYED_LISTED)) {
			continue;
		}
		k->doc[d].bits |= KEYED_FOUND;
		k->row[i].bits &= (uint16_t)~KEYED_LISTED;
		if (keyed_note_gone(f, i, err) != PF_OK) {
			return PF_FAIL;
		}
	}
	return PF_OK;
}

/* An item that had no row has one from now on, which says what became of it. */
static int begin_row(struct pf_fold *f, size_t doc, struct pf_err *err)
{
	size_t row = 0;

	if (keyed_row_of_doc(f, doc, &row, err) != PF_OK) {
		return PF_FAIL;
	}
	f->keyed->row[row].verdict = PF_VERDICT_NONE;
	return keyed_note_gone(f, row, err);
}

void keyed_missing_begin(struct pf_fold *f)
{
	f->src_done = false;
	f->src_asked = false;
	f->keyed->state = KEYED_CHECKING;
}

void keyed_missing_listed(struct pf_keyed *k, struct pf_span id)
{
	size_t doc = keyed_find_doc(k, id);

	if (doc != SIZE_MAX) {
		k->doc[doc].bits |= KEYED_AGAIN;
	}
}

/* What is still there; the rest has gone. */
static int keep_listed(struct pf_fold *f, struct pf_err *err)
{
	struct pf_keyed *k = f->keyed;

	for (size_t i = 0; i < k->doc_n; i++) {
		uint16_t bits = k->doc[i].bits;

		k->doc[i].bits &= (uint16_t) ~(KEYED_AGAIN | KEYED_MISSING);
		if (!(bits & KEYED_MISSING)) {
			continue;
		}
		if (!(bits & KEYED_AGAIN)) {
			k->doc[i].bits &= (uint16_t)~KEYED_FOUND;
			k->doc[i].bits |= KEYED_GONE;
			f->job->progress.items_done++;
		} else if (keyed_unreadable(f, i, NULL,
				   "the source lists it, but did not return it when asked",
				   err) != PF_OK) {
			return PF_FAIL;
		}
	}
	return PF_OK;
}

int keyed_missing_settle(struct pf_fold *f, struct pf_err *err)
{
	struct pf_keyed *k = f->keyed;

	if (keep_listed(f, err) != PF_OK || end_rows(f, err) != PF_OK) {
		return PF_FAIL;
	}
	for (size_t i = 0; i < k->doc_n; i++) {
		if ((k->doc[i].bits & (KEYED_GONE | KEYED_FOUND)) == KEYED_GONE &&
			begin_row(f, i, err) != PF_OK) {
			return PF_FAIL;
		}
		k->doc[i].bits |= k->doc[i].bits & KEYED_GONE ? KEYED_FOUND : 0;
	}
	k->missing = 0;
	k->next[SRC] = 0;
	k->state = KEYED_READING; /* what else has to do with what went */
	return keyed_index_rows(k, err);
}
