/*
 * The target listed again (promise P10): what was written is read back and compared by its meaning.
 * Servers that alter it tell a version for it all the same, against RFC 4791 section 5.3.4, so only
 * of a target that keeps bytes the version that the PUT gave will do. What was altered is put once
 * more, repaired.
 */
#include "engine/keyed_private.h"

#include <stdio.h>

int keyed_confirm_begin(struct pf_fold *f, struct pf_err *err)
{
	struct pf_keyed *k = f->keyed;
	bool any = false;

	(void)err;
	for (size_t i = 0; i < k->row_n && !any; i++) {
		any = (k->row[i].bits & KEYED_WRITTEN) != 0;
	}
	if (!any || f->job->stopping || f->job->target_full) {
		return PF_END;
	}
	k->target_n = 0; /* what was listed before is not needed any more */
	k->look_next = 0;
	f->dst_done = false;
	f->dst_asked = false;
	return PF_OK;
}

/* It is put once more in the next run, and is in quarantine when it is not shown then either. */
static int not_shown(struct pf_fold *f, size_t row, struct pf_err *err)
{
	static const char WHY[] = "the target took it, but does not show it";
	const struct keyed_said unknown = {0};
	struct keyed_row *r = &f->keyed->row[row];

	keyed_event_log(f, PF_EV_NOT_AT_TARGET, r, "%s", WHY);
	r->bits &= (uint16_t)~KEYED_WRITTEN;
	r->state = PF_ROW_REFUSED;
	r->verdict = PF_VERDICT_NONE;
	r->dst_id = pf_span(NULL, 0);
	if (r->attempts++ > 0 && keyed_task_cure(f, row, WHY, &unknown, true)) {
		return PF_OK;
	}
	f->job->outcome.copied_now -= f->job->outcome.copied_now > 0;
	return keyed_save(f, row, WHY, err);
}

int keyed_confirm_end(struct pf_fold *f, struct pf_err *err)
{
	struct pf_keyed *k = f->keyed;

	keyed_sort(k);
	for (size_t i = 0; i < k->row_n; i++) {
		struct keyed_row *r = &k->row[i];
		size_t t = r->dst_id.p ? keyed_find_target(k, r->dst_id) : SIZE_MAX;

		if (!(r->bits & KEYED_WRITTEN)) {
			continue;
		}
		if (t == SIZE_MAX) {
			if (not_shown(f, i, err) != PF_OK) {
				return PF_FAIL;
			}
		} else if (!job_has_cap(f->job, DST, PF_CAP_EXACT_BYTES) || !r->dst_version.p ||
			   !pf_span_eq(r->dst_version, k->target[t].version)) {
			r->bits |= KEYED_LOOK;
		}
	}
	return PF_OK;
}

int keyed_look_step(struct pf_fold *f, struct pf_err *err)
{
	struct pf_keyed *k = f->keyed;

	for (; k->look_next < k->row_n && k->looks_open < KEYED_WINDOW; k->look_next++) {
		const struct keyed_row *r = &k->row[k->look_next];
		int rc;

		if (!(r->bits & KEYED_LOOK)) {
			continue;
		}
		rc = keyed_get(f, DST, USE_KEYED_LOOK, k->look_next, r->dst_id, err);
		if (rc != PF_OK) {
			return rc;
		}
		k->looks_open++;
	}
	return k->look_next == k->row_n && k->looks_open == 0 ? PF_OK : PF_AGAIN;
}

/* The version that the target shows is taken, so that the next pass has nothing to read. */
static int looks_right(struct pf_fold *f, size_t row, struct pf_err *err)
{
	struct pf_keyed *k = f->keyed;
	struct keyed_row *r = &k->row[row];
	size_t t = keyed_find_target(k, r->dst_id);

	r->bits &= (uint16_t) ~(KEYED_LOOK | KEYED_WRITTEN);
	r->attempts = 0;
	if (t != SIZE_MAX) {
		r->dst_version = k->target[t].version;
	}
	return keyed_save_versions(f, row, err);
}

static int looks_wrong(struct pf_fold *f, size_t row, const char *why,
	const struct keyed_said *said, struct pf_err *err)
{
	struct pf_keyed *k = f->keyed;
	struct keyed_row *r = &k->row[row];
	size_t t = keyed_find_target(k, r->dst_id);

	r->bits &= (uint16_t) ~(KEYED_LOOK | KEYED_WRITTEN);
	if (t != SIZE_MAX) {
		r->dst_version = k->target[t].version;
	}
	if (keyed_task_cure(f, row, why, said, false)) {
		return PF_OK;
	}
	keyed_event_log(f, PF_EV_ITEM_ALTERED, r, "%s", why);
	return keyed_quarantine(f, row, NULL, why, err);
}

static int looked(struct pf_fold *f, size_t row, const struct pf_doc *doc, struct pf_err *err)
{
	const struct pf_codec *codec = f->keyed->codec;
	struct keyed_said said = {0};
	struct pf_digest whole;

	if (!doc) {
		return looks_wrong(f, row, "what the target gives back can't be read", &said, err);
	}
	if (keyed_meaning(codec, doc, &whole, err) != PF_OK) {
		return PF_FAIL;
	}
	if (pf_digest_eq(&whole, &f->keyed->row[row].whole)) {
		return looks_right(f, row, err);
	}
	return keyed_tell(f, doc, &said, err) == PF_OK
		       ? looks_wrong(f, row, KEYED_ALTERED, &said, err)
		       : PF_FAIL;
}

int keyed_look_event(struct pf_fold *f, const struct pf_store_event *ev, struct pf_err *err)
{
	struct pf_keyed *k = f->keyed;
	size_t row = op_index(ev->op);
	struct pf_blob *body = ev->body;
	struct pf_doc *doc = NULL;
	int rc = PF_OK;

	if (ev->kind == PF_STORE_BODY) {
		struct pf_err ignored; /* then it is not what was sent */

		(void)k->codec->read(pf_blob_span(body), &doc, &ignored);
		pf_blob_unref(&body);
		rc = looked(f, row, doc, err);
		k->codec->free(&doc);
	} else if (ev->kind == PF_STORE_DONE || ev->kind == PF_STORE_FAILED) {
		k->looks_open--;
		if (k->row[row].bits & KEYED_LOOK) {
			rc = looked(f, row, NULL, err);
		}
	}
	return rc;
}
