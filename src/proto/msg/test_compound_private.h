/*
 * Compound files made by hand, for tests: with one sector for the FAT up to 64 KiB, or larger where
 * the maker is told to.
 * Entries of a storage are linked as a list, which is a tree as well.
 */
#ifndef PF_PROTO_MSG_TEST_COMPOUND_PRIVATE_H
#define PF_PROTO_MSG_TEST_COMPOUND_PRIVATE_H

#include "base/buf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#define BYTES(s) pf_span((s), sizeof(s) - 1)

enum {
	SECTOR = 512,
	MINI_SECTOR = 64,
	MINI_LIMIT = 4096,
	MADE_MAX = 64,
	END_OF_CHAIN = -2,
	NOTHING = -1,
};

struct made {
	const char *name;
	int parent; /* 0: the root, which is entry 0 itself */
	bool storage;
	struct pf_span bytes;
	int start, child, next;
};

struct maker {
	struct made v[MADE_MAX];
	int n;
	size_t sector, fat_sectors;
	struct pf_buf mini, mini_fat, fat, out;
};

static void maker_init(struct maker *m)
{
	*m = (struct maker){.n = 1, .sector = SECTOR, .fat_sectors = 1};
	m->v[0] = (struct made){
		.name = "Root Entry", .storage = true, .child = NOTHING, .next = NOTHING};
	pf_buf_init(&m->mini, 1 << 16);
	pf_buf_init(&m->mini_fat, 1 << 16);
	pf_buf_init(&m->fat, 1 << 16);
	pf_buf_init(&m->out, 1 << 24);
}

static void maker_deinit(struct maker *m)
{
	pf_buf_deinit(&m->mini);
	pf_buf_deinit(&m->mini_fat);
	pf_buf_deinit(&m->fat);
	pf_buf_deinit(&m->out);
}

static int entry(struct maker *m, int parent, const char *name, bool storage, struct pf_span bytes)
{
	struct made *e = &m->v[m->n];

	assert_true(m->n < MADE_MAX);
	*e = (struct made){.name = name,
		.parent = parent,
		.storage = storage,
		.bytes = bytes,
		.start = END_OF_CHAIN,
		.child = NOTHING,
		.next = m->v[parent].child};
	m->v[parent].child = m->n;
	return m->n++;
}

static int storage(struct maker *m, int parent, const char *name)
{
	return entry(m, parent, name, true, pf_span("", 0));
}

static int stream(struct maker *m, int parent, const char *name, struct pf_span bytes)
{
	return entry(m, parent, name, false, bytes);
}

static void put(struct pf_buf *b, struct pf_span bytes)
{
	struct pf_err err;

	assert_int_equal(pf_buf_add(b, bytes, &err), PF_OK);
}

static void put_le(struct pf_buf *b, int64_t number, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		uint8_t byte = (uint8_t)((uint64_t)number >> 8 * i);

		put(b, pf_span(&byte, 1));
	}
}

static void pad(struct pf_buf *b, size_t to, uint8_t with)
{
	while (b->n % to != 0) {
		put(b, pf_span(&with, 1));
	}
}

/* `bytes` behind `to` in units of `unit`, chained in `fat`; where they start. */
static int chain(
	struct pf_buf *to, struct pf_buf *fat, struct pf_span bytes, size_t unit, size_t base)
{
	int start = (int)((to->n - base) / unit), n = (int)((bytes.n + unit - 1) / unit);

	put(to, bytes);
	pad(to, unit, 0);
	for (int i = 1; i <= n; i++) {
		put_le(fat, i < n ? start + i : END_OF_CHAIN, 4);
	}
	return n > 0 ? start : END_OF_CHAIN;
}

static void put_entry(struct pf_buf *dir, const struct made *e, bool root)
{
	size_t begin = dir->n, length = strlen(e->name);

	for (size_t i = 0; i < 32; i++) {
		put_le(dir, i < length ? e->name[i] : 0, 2);
	}
	put_le(dir, (int64_t)(length + 1) * 2, 2);
	put_le(dir, root ? 5 : e->storage ? 1 : 2, 1);
	put_le(dir, 1, 1);
	put_le(dir, NOTHING, 4);
	put_le(dir, e->next, 4);
	put_le(dir, e->child, 4);
	for (size_t i = 0; i < 36; i++) {
		put_le(dir, 0, 1);
	}
	put_le(dir, e->start, 4);
	put_le(dir, (int64_t)e->bytes.n, 8);
	assert_int_equal(dir->n - begin, 128);
}

static void put_header(struct maker *m, int dir, int mini_fat)
{
	struct pf_buf h;

	pf_buf_init(&h, SECTOR);
	put(&h, BYTES("\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1"));
	pad(&h, 24, 0);
	put_le(&h, 0x3E, 2);
	put_le(&h, m->sector == SECTOR ? 3 : 4, 2);
	put_le(&h, 0xFFFE, 2);
	put_le(&h, m->sector == SECTOR ? 9 : 12, 2);
	put_le(&h, 6, 2);
	pad(&h, 44, 0);
	put_le(&h, (int64_t)m->fat_sectors, 4);
	put_le(&h, dir, 4);
	put_le(&h, 0, 4);
	put_le(&h, MINI_LIMIT, 4);
	put_le(&h, mini_fat, 4);
	put_le(&h, 1, 4);
	put_le(&h, END_OF_CHAIN, 4);
	put_le(&h, 0, 4);
	for (size_t i = 0; i < m->fat_sectors; i++) {
		put_le(&h, (int64_t)i, 4); /* the FAT comes first */
	}
	pad(&h, SECTOR, 0xFF);
	memcpy(m->out.p, h.p, SECTOR);
	pf_buf_deinit(&h);
}

/* The file. It is good until the maker is gone. */
static struct pf_span make(struct maker *m)
{
	struct pf_buf dir;
	int dir_at, mini_fat_at;

	pf_buf_init(&dir, 1 << 16);
	put(&m->out, BYTES("-"));
	pad(&m->out, (1 + m->fat_sectors) * m->sector, 0xFF);
	for (size_t i = 0; i < m->fat_sectors; i++) {
		put_le(&m->fat, -3, 4);
	}
	for (int i = 1; i < m->n; i++) {
		struct made *e = &m->v[i];
		bool small = e->bytes.n < MINI_LIMIT;

		if (!e->storage) {
			e->start = small ? chain(&m->mini, &m->mini_fat, e->bytes, MINI_SECTOR, 0)
					 : chain(&m->out, &m->fat, e->bytes, m->sector, m->sector);
		}
	}
	m->v[0].bytes = pf_buf_span(&m->mini);
	m->v[0].start = chain(&m->out, &m->fat, m->v[0].bytes, m->sector, m->sector);
	mini_fat_at = chain(&m->out, &m->fat, pf_buf_span(&m->mini_fat), m->sector, m->sector);
	for (int i = 0; i < m->n; i++) {
		put_entry(&dir, &m->v[i], i == 0);
	}
	dir_at = chain(&m->out, &m->fat, pf_buf_span(&dir), m->sector, m->sector);
	put_header(m, dir_at, mini_fat_at);
	pad(&m->fat, m->fat_sectors * m->sector, 0xFF);
	assert_int_equal(m->fat.n, m->fat_sectors * m->sector);
	memcpy(m->out.p + m->sector, m->fat.p, m->fat.n);
	pf_buf_deinit(&dir);
	return pf_buf_span(&m->out);
}

#endif
