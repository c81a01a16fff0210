/*
 * What became of properties, read again: for one item, and summed up over an account. A row has the
 * numbers of its terms, seven bits a byte, the last with the top bit clear; the two lowest bits of
 * a number are the fate.
 */
#include "ledger/sqlite/sq_private.h"

#include "base/arena.h"

#include <errno.h>
#include <stdlib.h>

size_t pf_sq_term_put(uint64_t id, enum pf_fate fate, uint8_t out[PF_SQ_TERM_BYTES])
{
	uint64_t v = id << 2 | (uint64_t)fate;
	size_t n = 0;

	for (; v > 0x7F; v >>= 7) {
		out[n++] = (uint8_t)(v | 0x80);
	}
	out[n++] = (uint8_t)v;
	return n;
}

/* The next one of a list; false: there is none, or it is no list. */
static bool next_term(struct pf_span *list, uint64_t *id, enum pf_fate *fate)
{
	uint64_t v = 0;

	for (size_t i = 0; i < list->n && i < PF_SQ_TERM_BYTES; i++) {
		v |= (uint64_t)(list->p[i] & 0x7F) << (7 * i);
		if (!(list->p[i] & 0x80)) {
			*list = pf_span_from(*list, i + 1);
			*id = v >> 2;
			*fate = (enum pf_fate)(v & 3);
			return true;
		}
	}
	return false;
}

static int fail_read(const struct pf_ledger *led, struct pf_err *err)
{
	return pf_sq_fail(err, led->path, led->db, 0, "reading what became of properties");
}

static int no_memory(struct pf_err *err)
{
	return pf_fail_memory(err, "what became of properties");
}

/* A column's bytes, good until the next step. */
static struct pf_span column(sqlite3_stmt *st, int i)
{
	const void *p = sqlite3_column_blob(st, i);

	return pf_span(p, p ? (size_t)sqlite3_column_bytes(st, i) : 0);
}

/* ---- of one item ---- */

static int read_terms(struct pf_ledger *led, sqlite3_stmt *term, struct pf_span list,
	struct pf_arena *arena, struct pf_fates *out, struct pf_err *err)
{
	struct pf_fate_of *v = pf_arena_alloc(arena, (list.n + 1) * sizeof(*v));
	enum pf_fate fate = PF_FATE_KEPT;
	uint64_t id = 0;

	if (!v) {
		return no_memory(err);
	}
	out->v = v;
	while (next_term(&list, &id, &fate)) {
		struct pf_fate_of *one = &v[out->n];
		int code;

		if (sqlite3_bind_int64(term, 1, (int64_t)id) != SQLITE_OK) {
			return fail_read(led, err);
		}
		errno = 0;
		code = sqlite3_step(term);
		one->fate = fate;
		one->what = code == SQLITE_ROW ? pf_arena_span(arena, column(term, 0))
					       : pf_span("?", 1);
		(void)sqlite3_reset(term);
		if (code != SQLITE_ROW && code != SQLITE_DONE) {
			return fail_read(led, err);
		}
		if (!one->what.p) {
			return no_memory(err);
		}
		out->n++;
	}
	return PF_OK;
}

int pf_ledger_fates(struct pf_ledger *led, int64_t folder, struct pf_span src_id,
	struct pf_arena *arena, struct pf_fates *out, struct pf_err *err)
{
	sqlite3_stmt *st = NULL, *term = NULL;
	struct pf_span list;
	int rc = PF_END, code;

	*out = (struct pf_fates){.n = 0};
	errno = 0;
	if (sqlite3_prepare_v2(led->db, "SELECT terms, odd FROM fate WHERE folder = ? AND item = ?",
		    -1, &st, NULL) != SQLITE_OK ||
		sqlite3_prepare_v2(led->db, "SELECT text FROM term WHERE id = ?", -1, &term,
			NULL) != SQLITE_OK ||
		sqlite3_bind_int64(st, 1, folder) != SQLITE_OK ||
		sqlite3_bind_blob64(st, 2, src_id.p, src_id.n, SQLITE_STATIC) != SQLITE_OK) {
		rc = fail_read(led, err);
	}
	code = rc == PF_FAIL ? SQLITE_DONE : sqlite3_step(st);
	if (code == SQLITE_ROW) {
		list = pf_arena_span(arena, column(st, 0));
		out->odd = pf_arena_span(arena, column(st, 1));
		rc = read_terms(led, term, list, arena, out, err);
	} else if (code != SQLITE_DONE) {
		rc = fail_read(led, err);
	}
	(void)sqlite3_finalize(st);
	(void)sqlite3_finalize(term);
	return rc;
}

/* ---- of an account ---- */

/* By the number of a term, as far as terms are there. */
struct counts {
	uint64_t (*v)[PF_FATE_COUNT];
	uint64_t n;
};

static int count_items(struct pf_ledger *led, int64_t account, struct counts *c, uint64_t *items,
	struct pf_err *err)
{
	sqlite3_stmt *st = NULL;
	int code;

	errno = 0;
	if (sqlite3_prepare_v2(led->db,
		    "SELECT terms FROM folder f JOIN fate t ON t.folder = f.id WHERE f.account = ?",
		    -1, &st, NULL) != SQLITE_OK ||
		sqlite3_bind_int64(st, 1, account) != SQLITE_OK) {
		(void)sqlite3_finalize(st);
		return fail_read(led, err);
	}
	while ((code = sqlite3_step(st)) == SQLITE_ROW) {
		struct pf_span list = column(st, 0);
		enum pf_fate fate = PF_FATE_KEPT;
		uint64_t id = 0;

		++*items;
		while (next_term(&list, &id, &fate)) {
			if (id < c->n) {
				c->v[id][fate]++;
			}
		}
	}
	(void)sqlite3_finalize(st);
	return code == SQLITE_DONE ? PF_OK : fail_read(led, err);
}

static bool is_counted(const struct counts *c, uint64_t id)
{
	uint64_t all = 0;

	for (size_t i = 0; id < c->n && i < PF_FATE_COUNT; i++) {
		all |= c->v[id][i];
	}
	return all != 0;
}

/* Terms are numbered without gaps, so the highest number is as many as there are. */
static int read_names(struct pf_ledger *led, const struct counts *c, struct pf_arena *arena,
	struct pf_ledger_fate_sums *out, struct pf_err *err)
{
	sqlite3_stmt *st = NULL;
	int code;

	out->v = pf_arena_alloc(arena, (size_t)c->n * sizeof(*out->v));
	if (!out->v) {
		return no_memory(err);
	}
	errno = 0;
	if (sqlite3_prepare_v2(led->db, "SELECT id, text FROM term ORDER BY id", -1, &st, NULL) !=
		SQLITE_OK) {
		return fail_read(led, err);
	}
	while ((code = sqlite3_step(st)) == SQLITE_ROW) {
		uint64_t id = (uint64_t)sqlite3_column_int64(st, 0);
		struct pf_ledger_fate_sum *s = &out->v[out->n];

		if (!is_counted(c, id)) {
			continue;
		}
		s->what = pf_arena_span(arena, column(st, 1));
		memcpy(s->items, c->v[id], sizeof(s->items));
		if (!s->what.p) {
			break;
		}
		out->n++;
	}
	(void)sqlite3_finalize(st);
	return code == SQLITE_DONE  ? PF_OK
	       : code == SQLITE_ROW ? no_memory(err)
				    : fail_read(led, err);
}

static int highest_term(struct pf_ledger *led, uint64_t *out, struct pf_err *err)
{
	sqlite3_stmt *st = NULL;
	int code = SQLITE_ERROR;

	errno = 0;
	if (sqlite3_prepare_v2(led->db, "SELECT coalesce(max(id), 0) FROM term", -1, &st, NULL) ==
		SQLITE_OK) {
		code = sqlite3_step(st);
	}
	*out = code == SQLITE_ROW ? (uint64_t)sqlite3_column_int64(st, 0) : 0;
	(void)sqlite3_finalize(st);
	return code == SQLITE_ROW ? PF_OK : fail_read(led, err);
}

int pf_ledger_fate_sums(struct pf_ledger *led, int64_t account, struct pf_arena *arena,
	struct pf_ledger_fate_sums *out, struct pf_err *err)
{
	struct counts c = {.n = 0};
	uint64_t highest = 0;
	int rc;

	*out = (struct pf_ledger_fate_sums){.n = 0};
	if (highest_term(led, &highest, err) != PF_OK) {
		return PF_FAIL;
	}
	c.n = highest + 1;
	c.v = calloc((size_t)c.n, sizeof(*c.v));
	if (!c.v) {
		return no_memory(err);
	}
	rc = count_items(led, account, &c, &out->items, err);
	rc = rc == PF_OK ? read_names(led, &c, arena, out, err) : rc;
	free(c.v);
	return rc;
}
