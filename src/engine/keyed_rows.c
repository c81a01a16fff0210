#include "engine/keyed_private.h"

#include <stdlib.h>

static int no_memory(struct pf_err *err)
{
	return pf_fail_memory(err, "the items of a folder");
}

int keyed_keep(struct pf_keyed *k, struct pf_span from, struct pf_span *to, struct pf_err *err)
{
	*to = pf_arena_span(&k->arena, from);
	return from.p && !to->p ? no_memory(err) : PF_OK;
}

int keyed_add_row(struct pf_keyed *k, struct pf_span key, size_t *out, struct pf_err *err)
{
	struct keyed_row *r;

	if (k->row_n == k->row_cap) {
		size_t cap = k->row_cap ? k->row_cap * 2 : 64;
		struct keyed_row *grown = realloc(k->row, cap * sizeof(*grown));

		if (!grown) {
			return no_memory(err);
		}
		k->row = grown;
		k->row_cap = cap;
	}
	r = &k->row[k->row_n];
	*r = (struct keyed_row){.seq = ++k->max_seq, .date_utc_s = PF_DATE_NONE};
	*out = k->row_n++;
	return keyed_keep(k, key, &r->key, err);
}

static int cmp_key(const void *a, const void *b, void *arg)
{
	const struct keyed_row *rows = arg;

	return pf_span_cmp(rows[*(const size_t *)a].key, rows[*(const size_t *)b].key);
}

int keyed_index_rows(struct pf_keyed *k, struct pf_err *err)
{
	size_t *grown = realloc(k->by_key, (k->row_n + 1) * sizeof(*grown));

	if (!grown) {
		return no_memory(err);
	}
	k->by_key = grown;
	k->indexed = k->row_n;
	for (size_t i = 0; i < k->row_n; i++) {
		k->by_key[i] = i;
	}
	qsort_r(k->by_key, k->row_n, sizeof(*k->by_key), cmp_key, k->row);
	return PF_OK;
}

size_t keyed_find_row(const struct pf_keyed *k, struct pf_span key)
{
	size_t lo = 0, hi = k->indexed;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;
		int d = pf_span_cmp(k->row[k->by_key[mid]].key, key);

		if (d == 0) {
			return k->by_key[mid];
		}
		*(d < 0 ? &lo : &hi) = d < 0 ? mid + 1 : mid;
	}
	return SIZE_MAX;
}

/* ---- the ledger ---- */

/*
 * What was put at a target that does not keep bytes, and is not read back yet, has a NUL before its
 * version in the ledger: versions have none.
 */
static bool is_unread(const struct pf_fold *f, const struct keyed_row *r)
{
	return (r->bits & KEYED_WRITTEN) && !job_has_cap(f->job, DST, PF_CAP_EXACT_BYTES);
}

/* A run ended between the PUT and the reading back: the row is in doubt, and the target's item is
 * compared as anybody's would be. */
static void doubt_again(struct keyed_row *r)
{
	r->state = PF_ROW_SENT;
	r->verdict = PF_VERDICT_NONE;
	r->dst_id = pf_span(NULL, 0);
}

static int load_items(struct pf_fold *f, struct pf_err *err)
{
	struct pf_keyed *k = f->keyed;
	struct pf_ledger_cursor *c = NULL;
	struct pf_ledger_item item;
	int rc = pf_ledger_items(
		f->job->cfg->ledger, f->job->cfg->account, f->row_id, PF_ITEMS_ALL, &c, err);

	while (rc == PF_OK && (rc = pf_ledger_items_next(c, &item, err)) == PF_OK) {
		struct keyed_row *r;
		size_t at = 0;

		rc = keyed_add_row(k, item.src_id, &at, err);
		if (rc != PF_OK) {
			break;
		}
		r = &k->row[at];
		r->seq = item.seq;
		r->state = (uint8_t)item.state;
		r->verdict = (uint8_t)item.verdict;
		r->size = item.size;
		r->attempts = (uint8_t)(item.attempts < 255 ? item.attempts : 255);
		r->date_utc_s = item.date_utc_s;
		r->has_whole = item.has_digest;
		r->whole = item.digest;
		r->bits = KEYED_SAVED;
		k->max_seq = item.seq > k->max_seq ? item.seq : k->max_seq;
		rc = keyed_keep(k, item.dst_id, &r->dst_id, err);
	}
	pf_ledger_cursor_close(&c);
	return rc == PF_END ? PF_OK : rc;
}

static int load_keyed(struct pf_fold *f, struct pf_err *err)
{
	struct pf_keyed *k = f->keyed;
	struct pf_ledger_cursor *c = NULL;
	struct pf_ledger_keyed row;
	size_t at = 0; /* both come in the order of seq */
	int rc = pf_ledger_keyed(f->job->cfg->ledger, f->row_id, &c, err);

	while (rc == PF_OK && (rc = pf_ledger_keyed_next(c, &row, err)) == PF_OK) {
		struct keyed_row *r;

		while (at < k->row_n && k->row[at].seq < row.seq) {
			at++;
		}
		if (at == k->row_n || k->row[at].seq != row.seq) {
			continue;
		}
		r = &k->row[at];
		r->codec_version = row.codec_version;
		if (row.dst_version.n > 0 && row.dst_version.p[0] == '\0') {
			row.dst_version = pf_span(NULL, 0);
			if (job_writes(f->job)) {
				doubt_again(r);
			}
		}
		if (keyed_keep(k, row.src_version, &r->src_version, err) != PF_OK ||
			keyed_keep(k, row.dst_version, &r->dst_version, err) != PF_OK ||
			keyed_keep(k, row.src_uid, &r->src_uid, err) != PF_OK ||
			keyed_keep(k, row.dst_uid, &r->dst_uid, err) != PF_OK) {
			rc = PF_FAIL;
		}
	}
	pf_ledger_cursor_close(&c);
	return rc == PF_END ? PF_OK : rc;
}

int keyed_load(struct pf_fold *f, struct pf_err *err)
{
	if (f->job->cfg->ledger && f->row_id != 0 &&
		(load_items(f, err) != PF_OK || load_keyed(f, err) != PF_OK)) {
		return PF_FAIL;
	}
	return keyed_index_rows(f->keyed, err);
}

int keyed_save_versions(struct pf_fold *f, size_t row, struct pf_err *err)
{
	const struct keyed_row *r = &f->keyed->row[row];
	const struct pf_ledger_keyed keyed = {
		.folder = f->row_id,
		.seq = r->seq,
		.src_version = r->src_version,
		.dst_version = is_unread(f, r) ? pf_span("", 1) : r->dst_version,
		.src_uid = r->src_uid,
		.dst_uid = r->dst_uid,
		.codec_version = f->keyed->codec->version,
	};

	return job_keeps(f->job) ? pf_ledger_keyed_put(f->job->cfg->ledger, &keyed, err) : PF_OK;
}

int keyed_save(struct pf_fold *f, size_t row, const char *note, struct pf_err *err)
{
	struct keyed_row *r = &f->keyed->row[row];
	const struct pf_ledger_item item = {
		.folder = f->row_id,
		.seq = r->seq,
		.src_id = r->key,
		.dst_id = r->dst_id,
		.state = (enum pf_row_state)r->state,
		.verdict = (enum pf_verdict)r->verdict,
		.size = r->size,
		.date_utc_s = r->date_utc_s,
		.has_digest = r->has_whole,
		.digest = r->whole,
		.attempts = r->attempts,
		.note = note && note[0] ? pf_span_str(note) : pf_span(NULL, 0),
	};

	r->bits |= KEYED_SAVED;
	if (job_keeps(f->job) && pf_ledger_item_put(f->job->cfg->ledger, &item, err) != PF_OK) {
		return PF_FAIL;
	}
	return keyed_save_versions(f, row, err);
}

/* ---- quarantine ---- */

/* Several items of one document are told apart by their UIDs. */
static int quarantine_id(
	struct pf_keyed *k, struct pf_span key, struct pf_span *out, struct pf_err *err)
{
	struct pf_span skey = keyed_skey(key);
	struct pf_buf id;
	int rc;

	*out = skey;
	if (skey.n == key.n) {
		return PF_OK;
	}
	pf_buf_init(&id, key.n);
	rc = pf_buf_add(&id, skey, err);
	rc = rc == PF_OK ? pf_buf_add(&id, pf_span(" ", 1), err) : rc;
	rc = rc == PF_OK ? pf_buf_add(&id, pf_span_from(key, skey.n + 1), err) : rc;
	rc = rc == PF_OK ? keyed_keep(k, pf_buf_span(&id), out, err) : rc;
	pf_buf_deinit(&id);
	return rc;
}

int keyed_quarantine(
	struct pf_fold *f, size_t row, struct pf_blob *body, const char *why, struct pf_err *err)
{
	struct keyed_row *r = &f->keyed->row[row];
	struct pf_entry e = {.size = body ? body->n : r->size, .date_utc_s = r->date_utc_s};
	int rc = quarantine_id(f->keyed, r->key, &e.src_id, err);

	r->state = PF_ROW_REFUSED;
	r->verdict = PF_VERDICT_QUARANTINED;
	rc = rc == PF_OK ? quarantine_keep(
				   f, &e, body ? pf_blob_span(body) : pf_span(NULL, 0), why, err)
			 : rc;
	pf_blob_unref(&body);
	if (rc != PF_OK) {
		return rc;
	}
	f->job->progress.items_done++;
	keyed_event_log(f, PF_EV_ITEM_QUARANTINED, r, "%s", why);
	return keyed_save(f, row, why, err);
}
