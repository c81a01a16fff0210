/*
 * Checksums of rows. SQLite notices a broken page structure, not a flipped bit within a value; a
 * flipped id or digest would make a message be missed or doubled, so a row carries what its values
 * summed up to when it was written.
 *
 * An item's row has two sums: `a` over what its put says of the source, `b` over how it ended,
 * which item_done replaces without reading the row. The state is in neither, since a whole range of
 * rows becomes SENT in one statement: its numbers on disk differ in two bits from one another
 * instead.
 */
#include "ledger/sqlite/sq_private.h"

/* For one value changed the sum always changes: each step is a bijection of `h`. */
static void add_word(uint64_t *h, uint64_t word)
{
	*h = (*h ^ word) * UINT64_C(0x9e3779b97f4a7c15);
	*h ^= *h >> 32;
}

static void add_span(uint64_t *h, struct pf_span s)
{
	uint64_t word;

	add_word(h, s.p ? s.n : UINT64_MAX);
	for (size_t i = 0; s.p && i < s.n; i += sizeof(word)) {
		size_t left = s.n - i;

		word = 0;
		memcpy(&word, s.p + i, left < sizeof(word) ? left : sizeof(word));
		add_word(h, word);
	}
}

/* 32 bits: they take four or five bytes of a row. */
static int64_t fold(uint64_t h)
{
	return (int64_t)(h & UINT32_MAX);
}

int64_t pf_sq_sum_source(const struct pf_ledger_item *row)
{
	uint64_t h = (uint64_t)pf_sq_key(row->folder, row->seq);

	add_word(&h, (uint64_t)row->date_utc_s);
	add_word(&h, (uint64_t)row->zone_min);
	add_word(&h, (uint64_t)row->flags.sys << 32 | row->attempts);
	add_span(&h, row->src_id);
	add_span(&h, row->flags.kw);
	add_span(&h, row->note);
	return fold(h);
}

int64_t pf_sq_sum_end(const struct pf_ledger_done *done)
{
	uint64_t h = (uint64_t)pf_sq_key(done->folder, done->seq);

	add_word(&h, done->verdict);
	add_word(&h, done->size);
	add_span(&h, done->dst_id);
	add_span(&h, pf_span(done->digest ? done->digest->b : NULL,
			     done->digest ? sizeof(done->digest->b) : 0));
	return fold(h);
}

int64_t pf_sq_sum_folder(int64_t account, const struct pf_ledger_folder *row)
{
	const uint64_t words[] = {(uint64_t)account, row->kind, row->role, row->src_validity,
		row->dst_validity, row->dst_mark, row->verdict};
	const struct pf_span spans[] = {
		row->src_path, row->dst_path, row->src_id, row->dst_id, row->src_cursor, row->note};
	uint64_t h = 1;

	for (size_t i = 0; i < PF_COUNT(words); i++) {
		add_word(&h, words[i]);
	}
	for (size_t i = 0; i < PF_COUNT(spans); i++) {
		add_span(&h, spans[i]);
	}
	return fold(h);
}

int64_t pf_sq_sum_keyed(const struct pf_ledger_keyed *row)
{
	const struct pf_span spans[] = {row->src_version, row->dst_version, row->src_uid,
		row->dst_uid,
		pf_span(row->has_raw ? row->raw.b : NULL, row->has_raw ? sizeof(row->raw.b) : 0)};
	uint64_t h = (uint64_t)pf_sq_key(row->folder, row->seq);

	add_word(&h, row->codec_version);
	for (size_t i = 0; i < PF_COUNT(spans); i++) {
		add_span(&h, spans[i]);
	}
	return fold(h);
}
