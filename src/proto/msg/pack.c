/*
 * A storage as a compound file of its own: what an object of some program is when it leaves the
 * file it was stored in ([MS-CFB] 2.2 to 2.6).
 *
 * Sectors in their order: FAT, streams, mini stream, mini FAT, directory. Where the FAT would be
 * told by more than the header, sectors are larger.
 */
#include "base/utf8.h"
#include "proto/mapi/wire.h"
#include "proto/msg/cfb.h"

#include <stdlib.h>

enum {
	HEADER = 512,
	ENTRY = 128,
	MINI = 64,
	MINI_CUTOFF = 4096,
	FAT_SECTORS_MAX = 109,
};
#define NONE UINT32_C(0xFFFFFFFF)
#define END_OF_CHAIN UINT32_C(0xFFFFFFFE)
#define FAT_SECTOR UINT32_C(0xFFFFFFFD)

struct packed {
	const struct pf_cfb_entry *from;
	struct pf_span bytes;
	uint32_t left, right, child, start;
};

struct pack {
	struct pf_arena *arena;
	struct packed *v;
	uint32_t n;
	size_t cap, sector;
	uint8_t *out;
	size_t out_n;
	uint8_t *fat, *mini_fat, *mini;
	size_t mini_n;
	size_t fat_sectors, stream_sectors, mini_sectors, mini_fat_sectors, dir_sectors;
};

static void put16(uint8_t *p, unsigned number)
{
	p[0] = (uint8_t)number;
	p[1] = (uint8_t)(number >> 8);
}

static void put32(uint8_t *p, uint32_t number)
{
	put16(p, number & 0xFFFF);
	put16(p + 2, number >> 16);
}

static size_t units(size_t bytes, size_t unit)
{
	return bytes / unit + (bytes % unit != 0);
}

/* Shorter names first, then by upper-case letters ([MS-CFB] 2.6.4). */
static int by_name(const void *a, const void *b)
{
	const struct packed *x = a, *y = b;
	size_t nx = strlen(x->from->name), ny = strlen(y->from->name);

	if (nx != ny) {
		return nx < ny ? -1 : 1;
	}
	for (size_t i = 0; i < nx; i++) {
		uint8_t cx = pf_ascii_upper((uint8_t)x->from->name[i]);
		uint8_t cy = pf_ascii_upper((uint8_t)y->from->name[i]);

		if (cx != cy) {
			return cx < cy ? -1 : 1;
		}
	}
	return 0;
}

/* A tree of the sorted entries from `first` on; returns its root. As deep as log n. */
static uint32_t tree(struct pack *k, uint32_t first, uint32_t n)
{
	uint32_t middle = first + n / 2;

	if (n == 0) {
		return NONE;
	}
	k->v[middle].left = tree(k, first, n / 2);
	k->v[middle].right = tree(k, middle + 1, n - n / 2 - 1);
	return middle;
}

/* Room for `n` more entries. */
static bool room(struct pack *k, size_t n)
{
	size_t cap = k->cap;
	struct packed *grown;

	while (cap < k->n + n) {
		cap = cap ? 2 * cap : 8;
	}
	if (cap > k->cap) {
		grown = pf_arena_alloc(k->arena, cap * sizeof(*grown));
		if (!grown) {
			return false;
		}
		if (k->n > 0) {
			memcpy(grown, k->v, k->n * sizeof(*grown));
		}
		k->v = grown;
		k->cap = cap;
	}
	return true;
}

static bool add_children(struct pack *k, uint32_t parent)
{
	const struct pf_cfb_entry *from = k->v[parent].from;
	uint32_t n = (uint32_t)from->n;

	if (!room(k, n)) {
		return false;
	}
	for (uint32_t i = 0; i < n; i++) {
		k->v[k->n + i] = (struct packed){
			.from = &from->first[i], .child = NONE, .start = END_OF_CHAIN};
	}
	qsort(&k->v[k->n], n, sizeof(*k->v), by_name);
	k->v[parent].child = tree(k, k->n, n);
	k->n += n;
	return true;
}

/* All entries below `storage`, level by level. */
static int collect(
	struct pack *k, struct pf_cfb *c, const struct pf_cfb_entry *storage, struct pf_err *err)
{
	if (!room(k, 1)) {
		return pf_fail_memory(err, "an object");
	}
	k->v[0] = (struct packed){
		.from = storage, .left = NONE, .right = NONE, .child = NONE, .start = END_OF_CHAIN};
	k->n = 1;
	for (uint32_t i = 0; i < k->n; i++) {
		if (!k->v[i].from->storage) {
			if (pf_cfb_read(c, k->v[i].from, &k->v[i].bytes, err) != PF_OK) {
				return PF_FAIL;
			}
		} else if (!add_children(k, i)) {
			return pf_fail_memory(err, "an object");
		}
	}
	return PF_OK;
}

static bool is_mini(const struct packed *p)
{
	return p->bytes.n < MINI_CUTOFF; /* a storage has none */
}

/* How many sectors each part has; false when they are too many. */
static bool measure(struct pack *k, size_t sector)
{
	size_t mini = 0, all;

	k->sector = sector;
	k->stream_sectors = 0;
	for (uint32_t i = 0; i < k->n; i++) {
		if (is_mini(&k->v[i])) {
			mini += units(k->v[i].bytes.n, MINI);
		} else {
			k->stream_sectors += units(k->v[i].bytes.n, sector);
		}
	}
	k->mini_n = mini;
	k->mini_sectors = units(mini * MINI, sector);
	k->mini_fat_sectors = units(mini * 4, sector);
	k->dir_sectors = units((size_t)k->n * ENTRY, sector);
	all = k->stream_sectors + k->mini_sectors + k->mini_fat_sectors + k->dir_sectors;
	k->fat_sectors = units(all * 4, sector - 4); /* they stand in it themselves */
	k->out_n = (1 + all + k->fat_sectors) * sector;
	return k->fat_sectors <= FAT_SECTORS_MAX;
}

static uint8_t *sector_at(const struct pack *k, size_t n)
{
	return k->out + (n + 1) * k->sector;
}

static void chain(uint8_t *fat, size_t start, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		put32(fat + 4 * (start + i), i + 1 < n ? (uint32_t)(start + i + 1) : END_OF_CHAIN);
	}
}

/* The streams, and their beginnings; returns the sector behind them. */
static size_t put_streams(struct pack *k, size_t at)
{
	size_t mini = 0;

	k->mini = sector_at(k, at + k->stream_sectors);
	k->mini_fat = sector_at(k, at + k->stream_sectors + k->mini_sectors);
	memset(k->mini_fat, 0xFF, k->mini_fat_sectors * k->sector);
	for (uint32_t i = 0; i < k->n; i++) {
		struct packed *p = &k->v[i];
		size_t n;

		if (p->bytes.n == 0 || p->from->storage) {
			continue;
		}
		n = units(p->bytes.n, is_mini(p) ? MINI : k->sector);
		p->start = (uint32_t)(is_mini(p) ? mini : at);
		memcpy(is_mini(p) ? k->mini + mini * MINI : sector_at(k, at), p->bytes.p,
			p->bytes.n);
		chain(is_mini(p) ? k->mini_fat : k->fat, p->start, n);
		*(is_mini(p) ? &mini : &at) += n;
	}
	return at;
}

static void put_entry(struct pack *k, uint32_t i, uint8_t *out)
{
	const struct packed *p = &k->v[i];
	const char *name = i == 0 ? "Root Entry" : p->from->name;
	size_t n = strlen(name);

	for (size_t c = 0; c < n; c++) {
		put16(out + 2 * c, (uint8_t)name[c]);
	}
	put16(out + 64, (unsigned)(2 * n + 2));
	out[66] = i == 0 ? 5 : p->from->storage ? 1 : 2;
	out[67] = 1; /* black */
	put32(out + 68, p->left);
	put32(out + 72, p->right);
	put32(out + 76, p->child);
	memcpy(out + 80, p->from->class_id, sizeof(p->from->class_id));
	put32(out + 116, p->start);
	put32(out + 120, (uint32_t)p->bytes.n);
}

static void put_header(struct pack *k, size_t mini_fat_at, size_t dir_at)
{
	static const uint8_t SIGNATURE[] = {0xD0, 0xCF, 0x11, 0xE0, 0xA1, 0xB1, 0x1A, 0xE1};
	bool wide = k->sector != HEADER;
	uint8_t *h = k->out;

	memcpy(h, SIGNATURE, sizeof(SIGNATURE));
	put16(h + 24, 0x3E);
	put16(h + 26, wide ? 4 : 3);
	put16(h + 28, 0xFFFE);
	put16(h + 30, wide ? 12 : 9);
	put16(h + 32, 6);
	put32(h + 40, wide ? (uint32_t)k->dir_sectors : 0);
	put32(h + 44, (uint32_t)k->fat_sectors);
	put32(h + 48, (uint32_t)dir_at);
	put32(h + 56, MINI_CUTOFF);
	put32(h + 60, k->mini_fat_sectors > 0 ? (uint32_t)mini_fat_at : END_OF_CHAIN);
	put32(h + 64, (uint32_t)k->mini_fat_sectors);
	put32(h + 68, END_OF_CHAIN);
	for (size_t i = 0; i < FAT_SECTORS_MAX; i++) {
		put32(h + 76 + 4 * i, i < k->fat_sectors ? (uint32_t)i : NONE);
	}
}

static void write_out(struct pack *k)
{
	size_t at, mini_fat_at, dir_at;

	k->fat = sector_at(k, 0);
	memset(k->fat, 0xFF, k->fat_sectors * k->sector);
	for (size_t i = 0; i < k->fat_sectors; i++) {
		put32(k->fat + 4 * i, FAT_SECTOR);
	}
	at = put_streams(k, k->fat_sectors);
	if (k->mini_n > 0) {
		k->v[0].start = (uint32_t)at;
		k->v[0].bytes = pf_span(k->mini, k->mini_n * MINI);
	}
	chain(k->fat, at, k->mini_sectors);
	mini_fat_at = at + k->mini_sectors;
	chain(k->fat, mini_fat_at, k->mini_fat_sectors);
	dir_at = mini_fat_at + k->mini_fat_sectors;
	chain(k->fat, dir_at, k->dir_sectors);
	for (size_t i = 0; i < k->dir_sectors * k->sector / ENTRY; i++) {
		uint8_t *entry = sector_at(k, dir_at) + i * ENTRY;

		if (i < k->n) {
			put_entry(k, (uint32_t)i, entry);
		} else {
			memset(entry + 68, 0xFF, 12);
		}
	}
	put_header(k, mini_fat_at, dir_at);
}

int pf_cfb_pack(struct pf_cfb *c, const struct pf_cfb_entry *storage, struct pf_arena *arena,
	struct pf_span *out, struct pf_err *err)
{
	struct pack k = {.arena = arena};

	if (collect(&k, c, storage, err) != PF_OK) {
		return PF_FAIL;
	}
	if (!measure(&k, HEADER) && !measure(&k, MINI_CUTOFF)) {
		return PF_END;
	}
	k.out = pf_arena_alloc(arena, k.out_n);
	if (!k.out) {
		return pf_fail_memory(err, "an object");
	}
	write_out(&k);
	*out = pf_span(k.out, k.out_n);
	return PF_OK;
}
