/*
 * Items composed of their parts, with the least change. What a target does not take as it is gets
 * another form; repairs are the same in every run, so that the forms of an item tell it again when
 * the ledger is lost.
 */
#include "engine/keyed_private.h"

#include <stdio.h>
#include <stdlib.h>

enum { CARD_OLDER = 30 }; /* vCard 3.0: what servers know best */

const struct pf_id_item *keyed_item_of(const struct pf_fold *f, const struct keyed_task *t)
{
	size_t n = 0;

	return &pf_identity_items(f->keyed->identity, &n)[t->item];
}

size_t keyed_doc_of(const struct pf_fold *f, const struct pf_id_item *x, size_t i)
{
	return f->keyed->part_doc[x->parts[i]];
}

void keyed_drop_body(struct pf_fold *f, struct keyed_task *t)
{
	if (t->body) {
		f->job->bytes_in_flight -= t->body->n;
	}
	pf_blob_unref(&t->body);
}

/* ---- forms ---- */

/* All that keyed_write.c may come to, in its order; `contacts`: only of contacts, or never. */
static const struct {
	struct keyed_form form;
	bool contacts, others, no_master;
} FORMS[] = {
	{{.repaired = true}, true, true, false},
	{{.repaired = true, .older = true}, true, false, false},
	{{.repaired = true, .apart = true}, false, true, true},
};

static bool has_form(size_t form, const struct pf_component *first)
{
	return (first->kind == PF_KIND_CONTACTS ? FORMS[form].contacts : FORMS[form].others) &&
	       (!FORMS[form].no_master || first->is_override);
}

static void set_form(struct pf_compose *how, struct keyed_form form)
{
	how->repair = form.repaired;
	how->card_version = form.older ? CARD_OLDER : 0;
	how->alone = how->alone || form.apart;
}

static int meaning_of_bytes(const struct pf_codec *codec, struct pf_span bytes,
	struct pf_digest *out, struct pf_err *err)
{
	struct pf_doc *doc = NULL;
	int rc = codec->read(bytes, &doc, err);

	rc = rc == PF_OK ? keyed_meaning(codec, doc, out, err) : rc;
	codec->free(&doc);
	return rc;
}

struct meant {
	struct pf_digest whole;
	bool changed; /* it does not say what it said; else `whole` is not set */
};

/* What it means in this form. An item that can't be had in it is not changed by it. */
static int meaning_of_form(const struct pf_codec *codec, const struct pf_piece *pieces, size_t n,
	const struct pf_compose *how, struct meant *out, struct pf_err *err)
{
	struct pf_composed made = {.body = NULL};
	int rc = codec->compose(pieces, n, how, &made, err);

	out->changed = rc == PF_OK && (made.changes[0] || how->alone);
	if (out->changed) {
		rc = meaning_of_bytes(codec, pf_blob_span(made.body), &out->whole, err);
	}
	pf_blob_unref(&made.body);
	if (rc != PF_OK && err->scope <= PF_SCOPE_ITEM) {
		out->changed = false;
		return PF_OK;
	}
	return rc;
}

int keyed_forms(struct pf_fold *f, const struct pf_piece *pieces, size_t n,
	const struct pf_digest *whole, struct pf_id_forms *out, struct pf_err *err)
{
	struct pf_keyed *k = f->keyed;
	const struct pf_component *first = k->codec->part(pieces[0].doc, pieces[0].part);
	struct pf_digest found[PF_COUNT(FORMS)], *kept;
	size_t found_n = 0;

	*out = (struct pf_id_forms){NULL, 0};
	for (size_t i = 0; (k->target_n > 0 || k->row_n > 0) && i < PF_COUNT(FORMS); i++) {
		struct pf_compose how = {.repair = false};
		struct meant meant = {.changed = false};

		if (!has_form(i, first)) {
			continue;
		}
		set_form(&how, FORMS[i].form);
		if (meaning_of_form(k->codec, pieces, n, &how, &meant, err) != PF_OK) {
			return PF_FAIL;
		}
		if (meant.changed && !pf_digest_eq(&meant.whole, whole)) {
			found[found_n++] = meant.whole;
		}
	}
	if (found_n == 0) {
		return PF_OK;
	}
	kept = pf_arena_alloc(&k->arena, found_n * sizeof(*kept));
	if (!kept) {
		return pf_fail_memory(err, "the items of a folder");
	}
	memcpy(kept, found, found_n * sizeof(*kept));
	*out = (struct pf_id_forms){kept, found_n};
	return PF_OK;
}

/* ---- composing ---- */

static enum pf_schedule schedule_of(
	const struct pf_fold *f, const struct pf_id_item *x, const struct pf_component *p)
{
	if (!job_has_cap(f->job, DST, PF_CAP_SCHEDULES) ||
		(!p->has_organizer && p->attendees == 0)) {
		return PF_SCHEDULE_KEEP;
	}
	if ((x->notes & PF_ID_REKEYED) || (!p->recurs && p->begin_utc_s < f->job->now.utc_s)) {
		return PF_SCHEDULE_NONE;
	}
	return PF_SCHEDULE_CLIENT;
}

struct making {
	struct pf_piece *pieces;
	int64_t *wanted;
	struct pf_compose how;
};

static void free_making(struct making *m)
{
	free(m->pieces);
	free(m->wanted);
}

static int make_how(struct pf_fold *f, struct keyed_task *t, struct making *m, struct pf_err *err)
{
	struct pf_keyed *k = f->keyed;
	const struct pf_id_item *x = keyed_item_of(f, t);
	const struct pf_id_part *first = &k->part[x->parts[0]];

	m->pieces = calloc(x->part_count, sizeof(*m->pieces));
	m->wanted = calloc(x->part_count, sizeof(*m->wanted));
	if (!m->pieces || !m->wanted) {
		return pf_fail_memory(err, "an item");
	}
	for (size_t i = 0; i < x->part_count; i++) {
		const struct pf_id_part *p = &k->part[x->parts[i]];

		m->pieces[i] = (struct pf_piece){k->doc[keyed_doc_of(f, x, i)].open, p->ordinal};
		if (m->pieces[i].part >= k->codec->parts(m->pieces[i].doc)) {
			return pf_fail(err, PF_SCOPE_ITEM, PF_RETRY_LATER,
				"the source changed it while it was being copied");
		}
		if (p->is_override && !pf_span_eq(p->skey, first->skey)) {
			m->wanted[m->how.wanted_n++] = p->rid_utc_s;
		}
	}
	m->how.wanted = m->wanted;
	if (!pf_span_eq(t->uid, first->uid)) {
		m->how.uid = t->uid;
	}
	m->how.alone = (x->notes & PF_ID_ALONE) != 0;
	m->how.schedule = schedule_of(f, x, k->codec->part(m->pieces[0].doc, m->pieces[0].part));
	return PF_OK;
}

/* What was made means what its pieces mean: no item is altered by its way. */
static int check_made(
	struct pf_fold *f, struct keyed_task *t, const struct making *m, struct pf_err *err)
{
	const struct pf_codec *codec = f->keyed->codec;
	struct pf_digest meant;
	int rc = meaning_of_bytes(codec, pf_blob_span(t->body), &t->whole, err);

	if (rc != PF_OK || m->how.alone || t->form.repaired || t->form.older) {
		return rc;
	}
	rc = codec->fingerprint(m->pieces, keyed_item_of(f, t)->part_count, &meant, err);
	if (rc == PF_OK && !pf_digest_eq(&meant, &t->whole)) {
		return pf_fail(err, PF_SCOPE_ITEM, PF_RETRY_NO,
			"it can't be written anew without a change of its meaning");
	}
	return rc;
}

/* What the source could not give of it: told once. */
static int note_left(struct pf_fold *f, struct keyed_task *t)
{
	const struct pf_id_item *x = keyed_item_of(f, t);

	for (size_t i = 0; i < x->part_count; i++) {
		struct keyed_doc *d = &f->keyed->doc[keyed_doc_of(f, x, i)];
		int number = d->converted ? PF_EV_ITEM_CONVERTED : PF_EV_ATTACHMENT_LEFT;
		struct pf_span left = d->left;
		size_t n = strlen(t->note);

		if (!left.p || strstr(t->note, (const char *)left.p)) {
			continue;
		}
		(void)snprintf(t->note + n, sizeof(t->note) - n, "%s%s", n > 0 ? "; " : "",
			(const char *)left.p);
		if (d->left_number == 0 || !d->left_told) { /* of the document: once */
			keyed_event_log(f, d->left_number ? d->left_number : number,
				&f->keyed->row[t->row], "%s", (const char *)left.p);
		}
		d->left_told = true;
	}
	return PF_OK;
}

int keyed_compose(struct pf_fold *f, struct keyed_task *t, struct pf_err *err)
{
	struct pf_keyed *k = f->keyed;
	struct making m = {.pieces = NULL};
	struct pf_composed made = {.body = NULL};
	char mark[KEYED_MARK_MAX];
	int rc = make_how(f, t, &m, err);

	keyed_drop_body(f, t);
	if (rc == PF_OK) {
		set_form(&m.how, t->form);
		if (t->mark) {
			keyed_mark_of(k->codec, &t->first, mark);
			m.how.meant = pf_span_str(mark);
		}
		rc = k->codec->compose(
			m.pieces, keyed_item_of(f, t)->part_count, &m.how, &made, err);
		t->body = made.body;
	}
	if (rc == PF_OK) {
		f->job->bytes_in_flight += t->body->n;
		k->row[t->row].size = t->body->n;
		k->row[t->row].date_utc_s =
			k->codec->part(m.pieces[0].doc, m.pieces[0].part)->begin_utc_s;
		rc = check_made(f, t, &m, err);
	}
	if (rc == PF_OK && made.changes[0] && !t->lost && !t->mark) {
		size_t n = strlen(t->note);

		(void)snprintf(t->note + n, sizeof(t->note) - n, "%srepaired: %s",
			n > 0 ? "; " : "", made.changes);
		keyed_event_log(f, PF_EV_ITEM_REPAIRED, &k->row[t->row], "%s", made.changes);
	}
	free_making(&m);
	return rc == PF_OK ? note_left(f, t) : rc;
}

struct pf_blob *keyed_native(const struct pf_fold *f, const struct keyed_task *t)
{
	const struct pf_keyed *k = f->keyed;
	const struct pf_id_item *x = keyed_item_of(f, t);
	const struct pf_id_part *first = &k->part[x->parts[0]];
	const struct keyed_doc *d = &k->doc[keyed_doc_of(f, x, 0)];
	bool changed = t->form.repaired || t->form.older || t->form.apart || t->cure || t->mark ||
		       t->lost || (x->notes & PF_ID_ALONE) || !pf_span_eq(t->uid, first->uid);

	if (changed || !d->native || !d->open || x->part_count != k->codec->parts(d->open) ||
		t->tries > 0 || k->row[t->row].attempts > 0) {
		return NULL;
	}
	for (size_t i = 1; i < x->part_count; i++) {
		if (keyed_doc_of(f, x, i) != keyed_doc_of(f, x, 0)) {
			return NULL;
		}
	}
	return d->native;
}

int keyed_other_form(struct pf_fold *f, struct keyed_task *t, const struct pf_digest *whole,
	bool *yes, struct pf_err *err)
{
	struct pf_keyed *k = f->keyed;
	struct making m = {.pieces = NULL};
	size_t n = keyed_item_of(f, t)->part_count;
	int rc = make_how(f, t, &m, err);

	*yes = false;
	for (size_t i = 0; i < PF_COUNT(FORMS) && rc == PF_OK && !*yes; i++) {
		struct pf_compose how = m.how;
		struct meant meant = {.changed = false};

		if (!has_form(i, k->codec->part(m.pieces[0].doc, m.pieces[0].part))) {
			continue;
		}
		set_form(&how, FORMS[i].form);
		rc = meaning_of_form(k->codec, m.pieces, n, &how, &meant, err);
		*yes = rc == PF_OK && meant.changed && pf_digest_eq(&meant.whole, whole);
	}
	if (*yes) {
		t->whole = *whole;
		(void)snprintf(t->note, sizeof(t->note), "%s", KEYED_AS_REPAIRED);
	}
	free_making(&m);
	return rc;
}
