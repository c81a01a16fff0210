/*
 * Items that the source shows as messages, too (pf_item.message), and that an earlier pass copied
 * as such, as it did not know them for what they are. They stay messages, so that none is at the
 * target twice; under --mirror the message goes (fold_list.c), and the item is one like any other.
 */
#include "engine/keyed_private.h"

#include <stdio.h>
#include <stdlib.h>

/* The folder of mail that shows the same items; NULL: there is none. */
static const struct pf_fold *folder_of_mail(const struct pf_fold *f)
{
	const struct pf_job *job = f->job;

	for (size_t i = 0; i < job->fold_count; i++) {
		if (job->folds[i].kind == PF_KIND_MAIL && pf_path_eq(&job->folds[i].src, &f->src)) {
			return &job->folds[i];
		}
	}
	return NULL;
}

static int cmp_message(const void *a, const void *b)
{
	const struct keyed_doc *const *x = a, *const *y = b;

	return pf_span_cmp((*x)->message, (*y)->message);
}

/* Documents without a row that are shown as messages, in the order of these. */
static int new_messages(struct pf_keyed *k, struct keyed_doc ***out, size_t *n, struct pf_err *err)
{
	struct keyed_doc **v = calloc(k->doc_n + 1, sizeof(struct keyed_doc *));

	if (!v) {
		return pf_fail_memory(err, "the items of a folder");
	}
	*n = 0;
	for (size_t i = 0; i < k->doc_n; i++) {
		if (k->doc[i].message.p && !(k->doc[i].bits & KEYED_FOUND)) {
			v[(*n)++] = &k->doc[i];
		}
	}
	qsort(v, *n, sizeof(struct keyed_doc *), cmp_message);
	*out = v;
	return PF_OK;
}

/* What is in doubt is a message as long as it is. */
static bool is_message(const struct pf_fold *f, const struct pf_ledger_item *row)
{
	bool copied = (row->verdict == PF_VERDICT_COPIED || row->verdict == PF_VERDICT_PRESENT) &&
		      row->state == PF_ROW_DONE;

	return row->state == PF_ROW_SENT || (copied && !f->job->cfg->mirror);
}

static int mark_messages(const struct pf_fold *f, const struct pf_fold *mail,
	struct keyed_doc **docs, size_t n, struct pf_err *err)
{
	struct pf_ledger_cursor *c = NULL;
	struct pf_ledger_item row;
	int rc = pf_ledger_items(
		f->job->cfg->ledger, f->job->cfg->account, mail->row_id, PF_ITEMS_ALL, &c, err);

	while (rc == PF_OK && (rc = pf_ledger_items_next(c, &row, err)) == PF_OK) {
		const struct keyed_doc key = {.message = row.src_id}, *at = &key;
		struct keyed_doc **doc = bsearch(
			(const void *)&at, docs, n, sizeof(struct keyed_doc *), cmp_message);

		if (doc && is_message(f, &row)) {
			(*doc)->bits |= KEYED_MESSAGE;
		}
	}
	pf_ledger_cursor_close(&c);
	return rc == PF_END ? PF_OK : rc;
}

int keyed_leave_messages(struct pf_fold *f, struct pf_err *err)
{
	const struct pf_fold *mail = folder_of_mail(f);
	struct pf_keyed *k = f->keyed;
	struct keyed_doc **docs = NULL;
	size_t n = 0;
	int rc;

	if (!f->job->cfg->ledger || !mail || mail->row_id == 0) {
		return PF_OK;
	}
	rc = new_messages(k, &docs, &n, err);
	if (rc == PF_OK && n > 0) {
		rc = mark_messages(f, mail, docs, n, err);
	}
	free(docs);
	n = 0;
	for (size_t i = 0; i < k->doc_n; i++) {
		if (!(k->doc[i].bits & KEYED_MESSAGE)) {
			k->doc[n++] = k->doc[i];
		}
	}
	if (n < k->doc_n) {
		(void)snprintf(f->note, sizeof(f->note),
			"%zu of its items stay the messages that an earlier run copied; --mirror "
			"makes them what they are",
			k->doc_n - n);
	}
	k->doc_n = n;
	return rc;
}
