#include "stores/imap/found.h"

#include <stdlib.h>

enum { NAME_MAX_BYTES = 65536, SLOTS_FIRST = 256 };

static uint64_t hash(struct pf_span name)
{
	uint64_t h = 0xcbf29ce484222325u;

	name = pf_span_is(name, "INBOX") ? pf_span_str("INBOX") : name;
	for (size_t i = 0; i < name.n; i++) {
		h = (h ^ name.p[i]) * 0x100000001b3u;
	}
	return h ^ h >> 32;
}

static bool same_name(struct pf_span a, struct pf_span b)
{
	return pf_span_eq(a, b) || (pf_span_is(a, "INBOX") && pf_span_is(b, "INBOX"));
}

/* Where a name is, or would be. */
static size_t *slot_of(const struct founds *l, struct pf_span name)
{
	size_t at = (size_t)hash(name) & (l->slot_count - 1);

	while (l->slots[at] != 0 && !same_name(pf_buf_span(&l->v[l->slots[at] - 1].name), name)) {
		at = (at + 1) & (l->slot_count - 1);
	}
	return &l->slots[at];
}

/* Half of the slots stay free. */
static int make_slots(struct founds *l, struct pf_err *err)
{
	size_t count = l->slot_count ? l->slot_count : SLOTS_FIRST;

	while (count < 2 * (l->n + 1)) {
		count *= 2;
	}
	if (count == l->slot_count) {
		return PF_OK;
	}
	free(l->slots);
	l->slot_count = 0;
	l->slots = calloc(count, sizeof(*l->slots));
	if (!l->slots) {
		return pf_fail_memory(err, "a list of folders");
	}
	l->slot_count = count;
	for (size_t i = 0; i < l->n; i++) {
		*slot_of(l, pf_buf_span(&l->v[i].name)) = i + 1;
	}
	return PF_OK;
}

static int make_room(struct founds *l, struct pf_err *err)
{
	size_t cap = l->cap ? l->cap * 2 : 64;
	struct found *grown;

	if (l->n < l->cap) {
		return PF_OK;
	}
	grown = realloc(l->v, cap * sizeof(*grown));
	if (!grown) {
		return pf_fail_memory(err, "a list of folders");
	}
	l->v = grown;
	l->cap = cap;
	return PF_OK;
}

struct found *founds_get(struct founds *l, struct pf_span name, struct pf_err *err)
{
	struct found *f;
	size_t *slot;

	if (make_slots(l, err) != PF_OK || make_room(l, err) != PF_OK) {
		return NULL;
	}
	slot = slot_of(l, name);
	if (*slot != 0) {
		return &l->v[*slot - 1];
	}
	f = &l->v[l->n];
	*f = (struct found){.listed = false};
	pf_buf_init(&f->name, NAME_MAX_BYTES);
	if (pf_buf_add(&f->name, name, err) != PF_OK) {
		return NULL;
	}
	*slot = ++l->n;
	return f;
}

void founds_free(struct founds *l)
{
	for (size_t i = 0; i < l->n; i++) {
		pf_buf_deinit(&l->v[i].name);
	}
	free(l->v);
	free(l->slots);
	*l = (struct founds){0};
}
