/*
 * Header, FAT (which sector follows), directory, mini FAT and mini stream ([MS-CFB] 2.2 to 2.6).
 * Small streams are in mini sectors, which lie in one stream of the root.
 */
#include "proto/msg/cfb.h"

#include "proto/mapi/wire.h"

#include <stdlib.h>

enum {
	HEADER = 512,
	ENTRY = 128,
	MINI_SHIFT = 6,
	DIFAT_IN_HEADER = 109,
};
#define NO_STREAM UINT32_C(0xFFFFFFFF)

/* Sectors of one size, and what follows which. */
struct space {
	struct pf_span bytes; /* of all sectors */
	unsigned shift;
	uint32_t n;
	uint8_t *used;   /* a bit each */
	uint32_t *chain; /* the sectors of the stream that is read */
	const uint32_t *next;
	uint32_t next_n;
};

struct pf_cfb {
	struct pf_span in;
	struct pf_arena *arena;
	struct pf_mapi_notes *notes;
	bool wide; /* version 4: sizes have 64 bits */
	uint32_t mini_cutoff;
	struct space big, mini;
	struct pf_cfb_entry *entries; /* sorted by parent and name */
	size_t entries_n;
	struct pf_cfb_entry root;
};

static int no_memory(struct pf_err *err)
{
	return pf_fail_memory(err, "a compound file");
}

static bool space_init(
	struct space *s, struct pf_arena *arena, struct pf_span bytes, unsigned shift)
{
	s->bytes = bytes;
	s->shift = shift;
	/* The last sector may be short. */
	s->n = (uint32_t)((bytes.n >> shift) + ((bytes.n & ((1u << shift) - 1)) != 0));
	s->used = pf_arena_alloc(arena, s->n / 8 + 1);
	s->chain = pf_arena_alloc(arena, ((size_t)s->n + 1) * sizeof(*s->chain));
	return s->used && s->chain;
}

/* False for a sector past the end, and one that is used already. */
static bool use(struct space *s, uint32_t sector)
{
	if (sector >= s->n || (s->used[sector / 8] >> sector % 8 & 1)) {
		return false;
	}
	s->used[sector / 8] |= (uint8_t)(1u << sector % 8);
	return true;
}

/* At most a sector, fewer bytes at the end of the file. */
static struct pf_span bytes_of(const struct space *s, uint32_t sector)
{
	struct pf_span rest = pf_span_from(s->bytes, (size_t)sector << s->shift);
	size_t whole = (size_t)1 << s->shift;

	return pf_span(rest.p, rest.n < whole ? rest.n : whole);
}

/* Use the sectors of a chain, so many at the most; returns how many there are. */
static uint32_t take_chain(struct space *s, uint32_t start, uint64_t most)
{
	uint32_t n = 0;

	while (n < most && use(s, start)) {
		s->chain[n++] = start;
		start = start < s->next_n ? s->next[start] : NO_STREAM;
	}
	return n;
}

static bool in_one_piece(const uint32_t *chain, uint32_t n)
{
	for (uint32_t i = 1; i < n; i++) {
		if (chain[i] != chain[0] + i) {
			return false;
		}
	}
	return true;
}

/*
 * The bytes of a chain: `size` of them, or for UINT64_MAX all; fewer where it is shorter. They are
 * in the arena unless they lie in one piece.
 */
static int read_chain(struct pf_cfb *c, struct space *s, uint32_t start, uint64_t size,
	struct pf_span *out, struct pf_err *err)
{
	uint64_t sector = UINT64_C(1) << s->shift;
	uint32_t n = take_chain(s, start, size / sector + (size % sector != 0));
	size_t got = 0;
	uint8_t *p;

	*out = pf_span("", 0);
	if (n > 0 && in_one_piece(s->chain, n)) {
		*out = pf_span_from(s->bytes, (size_t)s->chain[0] << s->shift);
		out->n = out->n < (size_t)n << s->shift ? out->n : (size_t)n << s->shift;
	} else if (n > 0) {
		p = pf_arena_alloc(c->arena, (size_t)n << s->shift);
		if (!p) {
			return no_memory(err);
		}
		for (uint32_t i = 0; i < n; i++) {
			struct pf_span part = bytes_of(s, s->chain[i]);

			if (part.p) {
				memcpy(p + got, part.p, part.n);
				got += part.n;
			}
		}
		*out = pf_span(p, got);
	}
	out->n = size < out->n ? (size_t)size : out->n;
	return PF_OK;
}

/* ---- the FAT ---- */

struct fat {
	uint32_t *v;
	uint32_t n, cap;
};

static void fat_add(struct pf_cfb *c, struct fat *fat, uint32_t sector)
{
	struct pf_span part = {0};

	if (use(&c->big, sector)) {
		part = bytes_of(&c->big, sector);
	} else {
		pf_mapi_broken(
			c->notes, 0, "a sector 0x%X of the FAT is not there", (unsigned)sector);
	}
	for (size_t i = 0; i + 4 <= (size_t)1 << c->big.shift && fat->n < fat->cap; i += 4) {
		fat->v[fat->n++] = i + 4 <= part.n ? pf_le32(part.p + i) : NO_STREAM;
	}
}

/* Where the sectors of the FAT are is told by the header, and by a chain of sectors (DIFAT). */
static int read_fat(struct pf_cfb *c, struct pf_err *err)
{
	struct fat fat = {.cap = c->big.n};
	uint32_t difat = pf_le32(c->in.p + 68), left = pf_le32(c->in.p + 44);
	size_t in_sector = ((size_t)1 << c->big.shift) / 4 - 1;

	fat.v = pf_arena_alloc(c->arena, ((size_t)fat.cap + 1) * sizeof(*fat.v));
	if (!fat.v) {
		return no_memory(err);
	}
	for (size_t i = 0; i < DIFAT_IN_HEADER && left > 0 && fat.n < fat.cap; i++, left--) {
		fat_add(c, &fat, pf_le32(c->in.p + 76 + 4 * i));
	}
	while (left > 0 && fat.n < fat.cap) {
		struct pf_span part = {0};

		if (use(&c->big, difat)) {
			part = bytes_of(&c->big, difat);
		}
		if (part.n < 4 * (in_sector + 1)) {
			pf_mapi_broken(c->notes, 0, "the FAT lacks %u sectors", (unsigned)left);
			break;
		}
		for (size_t i = 0; i < in_sector && left > 0 && fat.n < fat.cap; i++, left--) {
			fat_add(c, &fat, pf_le32(part.p + 4 * i));
		}
		difat = pf_le32(part.p + 4 * in_sector);
	}
	c->big.next = fat.v;
	c->big.next_n = fat.n;
	return PF_OK;
}

static int read_mini_fat(struct pf_cfb *c, struct pf_err *err)
{
	struct pf_span bytes, fat;
	uint32_t *next;

	if (read_chain(c, &c->big, c->root.start, c->root.size, &bytes, err) != PF_OK ||
		read_chain(c, &c->big, pf_le32(c->in.p + 60), UINT64_MAX, &fat, err) != PF_OK) {
		return PF_FAIL;
	}
	if (!space_init(&c->mini, c->arena, bytes, MINI_SHIFT)) {
		return no_memory(err);
	}
	next = pf_arena_alloc(c->arena, fat.n + 1);
	if (!next) {
		return no_memory(err);
	}
	for (size_t i = 0; i < fat.n / 4; i++) {
		next[i] = pf_le32(fat.p + 4 * i);
	}
	c->mini.next = next;
	c->mini.next_n = (uint32_t)(fat.n / 4);
	return PF_OK;
}

/* ---- the directory ---- */

static void name_of(const uint8_t *entry, char out[PF_CFB_NAME])
{
	size_t n = 0;

	while (n + 1 < PF_CFB_NAME && pf_le16(entry + 2 * n) != 0) {
		unsigned unit = pf_le16(entry + 2 * n);

		out[n++] = unit < 0x80 ? (char)unit : '?';
	}
	out[n] = '\0';
}

/* Entries of no storage come last. */
static int by_place(const void *a, const void *b)
{
	const struct pf_cfb_entry *x = a, *y = b;

	if (x->parent != y->parent) {
		return x->parent < y->parent ? -1 : 1;
	}
	return strcmp(x->name, y->name);
}

/*
 * Give each entry that can be reached from the root its parent. The entries of a storage are a
 * binary tree; each entry is visited once, whatever the tree says.
 */
static int find_parents(struct pf_cfb *c, struct pf_span dir, struct pf_err *err)
{
	struct step {
		uint32_t id, parent;
	} *stack = pf_arena_alloc(c->arena, (3 * c->entries_n + 3) * sizeof(*stack));
	uint8_t *seen = pf_arena_alloc(c->arena, c->entries_n);
	size_t n = 0;

	if (!stack || !seen) {
		return no_memory(err);
	}
	seen[0] = 1;
	stack[n++] = (struct step){pf_le32(dir.p + 76), 0};
	while (n > 0) {
		struct step at = stack[--n];
		const uint8_t *entry;

		if (at.id >= c->entries_n || seen[at.id]) {
			if (at.id != NO_STREAM) {
				pf_mapi_broken(c->notes, 0, "the directory leads to an entry %u %s",
					(unsigned)at.id,
					at.id < c->entries_n ? "twice" : "that is not there");
			}
			continue;
		}
		seen[at.id] = 1;
		c->entries[at.id].parent = at.parent;
		entry = dir.p + (size_t)at.id * ENTRY;
		stack[n++] = (struct step){pf_le32(entry + 68), at.parent};
		stack[n++] = (struct step){pf_le32(entry + 72), at.parent};
		if (c->entries[at.id].storage) {
			stack[n++] = (struct step){pf_le32(entry + 76), at.id};
		}
	}
	return PF_OK;
}

/* Sorted entries: each storage gets its run of them. */
static int find_children(struct pf_cfb *c, struct pf_err *err)
{
	struct pf_cfb_entry **by_id =
		pf_arena_alloc(c->arena, (c->entries_n + 1) * sizeof(struct pf_cfb_entry *));

	if (!by_id) {
		return no_memory(err);
	}
	qsort(c->entries, c->entries_n, sizeof(*c->entries), by_place);
	for (size_t i = 0; i < c->entries_n; i++) {
		by_id[c->entries[i].id] = &c->entries[i];
	}
	by_id[0] = &c->root;
	for (size_t i = 0; i < c->entries_n && c->entries[i].parent != NO_STREAM; i++) {
		struct pf_cfb_entry *parent = by_id[c->entries[i].parent];

		parent->first = parent->n == 0 ? &c->entries[i] : parent->first;
		parent->n++;
	}
	return PF_OK;
}

static int read_directory(struct pf_cfb *c, struct pf_err *err)
{
	struct pf_span dir;

	if (read_chain(c, &c->big, pf_le32(c->in.p + 48), UINT64_MAX, &dir, err) != PF_OK) {
		return PF_FAIL;
	}
	c->entries_n = dir.n / ENTRY;
	if (c->entries_n == 0 || dir.p[66] != 5) {
		return pf_fail(
			err, PF_SCOPE_ITEM, PF_RETRY_NO, "a compound file without directory");
	}
	c->entries = pf_arena_alloc(c->arena, c->entries_n * sizeof(*c->entries));
	if (!c->entries) {
		return no_memory(err);
	}
	for (size_t i = 0; i < c->entries_n; i++) {
		const uint8_t *p = dir.p + i * ENTRY;
		struct pf_cfb_entry *e = &c->entries[i];

		name_of(p, e->name);
		e->storage = p[66] == 1 || p[66] == 5;
		e->id = (uint32_t)i;
		memcpy(e->class_id, p + 80, sizeof(e->class_id));
		e->parent = NO_STREAM;
		e->start = pf_le32(p + 116);
		e->size = c->wide ? pf_le64(p + 120) : pf_le32(p + 120);
	}
	c->root = c->entries[0];
	return find_parents(c, dir, err) == PF_OK ? find_children(c, err) : PF_FAIL;
}

/* ---- the file ---- */

bool pf_cfb_is(struct pf_span start)
{
	static const uint8_t SIGNATURE[] = {0xD0, 0xCF, 0x11, 0xE0, 0xA1, 0xB1, 0x1A, 0xE1};

	return start.n >= HEADER && memcmp(start.p, SIGNATURE, sizeof(SIGNATURE)) == 0;
}

int pf_cfb_open(struct pf_span in, struct pf_arena *arena, struct pf_mapi_notes *notes,
	struct pf_cfb **out, struct pf_err *err)
{
	struct pf_cfb *c = pf_arena_alloc(arena, sizeof(*c));
	unsigned shift;

	if (!c) {
		return no_memory(err);
	}
	if (!pf_cfb_is(in) || in.n > UINT32_MAX) {
		return pf_fail(err, PF_SCOPE_ITEM, PF_RETRY_NO, "no compound file: %s",
			pf_cfb_is(in) ? "too large" : "no signature");
	}
	shift = pf_le16(in.p + 30);
	if ((shift != 9 && shift != 12) || pf_le16(in.p + 32) != MINI_SHIFT) {
		return pf_fail(err, PF_SCOPE_ITEM, PF_RETRY_NO,
			"a compound file with sectors of 2^%u bytes", shift);
	}
	*c = (struct pf_cfb){.in = in,
		.arena = arena,
		.notes = notes,
		.wide = shift == 12,
		.mini_cutoff = pf_le32(in.p + 56)};
	/* The header takes the place of a first sector, which has no number. */
	if (!space_init(&c->big, arena, pf_span_from(in, (size_t)1 << shift), shift)) {
		return no_memory(err);
	}
	if (read_fat(c, err) != PF_OK || read_directory(c, err) != PF_OK ||
		read_mini_fat(c, err) != PF_OK) {
		return PF_FAIL;
	}
	*out = c;
	return PF_OK;
}

const struct pf_cfb_entry *pf_cfb_root(const struct pf_cfb *c)
{
	return &c->root;
}

const struct pf_cfb_entry *pf_cfb_find(const struct pf_cfb_entry *storage, const char *name)
{
	for (size_t i = 0; i < storage->n; i++) {
		if (strcasecmp(storage->first[i].name, name) == 0) {
			return &storage->first[i];
		}
	}
	return NULL;
}

int pf_cfb_read(struct pf_cfb *c, const struct pf_cfb_entry *stream, struct pf_span *out,
	struct pf_err *err)
{
	bool mini = stream->size < c->mini_cutoff;

	*out = pf_span("", 0);
	if (stream->storage || stream->size == 0) {
		return PF_OK;
	}
	if (read_chain(c, mini ? &c->mini : &c->big, stream->start, stream->size, out, err) !=
		PF_OK) {
		return PF_FAIL;
	}
	if (out->n < stream->size) {
		pf_mapi_broken(c->notes, 0, "stream %s of %llu bytes has only %zu", stream->name,
			(unsigned long long)stream->size, out->n);
	}
	return PF_OK;
}
