/*
 * The names that items were put under: a property of ours, by which a PUT that was repeated, after
 * a kill or a lost answer, finds what it did before. All of a folder are read once, before the
 * first PUT, and again when something is in doubt.
 *
 *   n:NAME          it is whole
 *   u:NAME          it is not yet: files or exceptions are missing. Nobody is shown it
 *   r:NAME VERSION  another one takes its place; it was as VERSION says until then
 */
#include "stores/ews/ews_private.h"

#include <stdlib.h>

struct ekey {
	struct pf_span key, id;
};

struct ekeys {
	struct ekeys *next;
	struct pf_buf folder;
	struct pf_arena arena;
	struct ekey *v;
	size_t n, cap;
	size_t offset; /* of the next page */
	bool known;    /* all of them were read */
};

static struct ekeys *keys_of(const struct estore *s, struct pf_span folder)
{
	struct ekeys *k = s->keys;

	while (k && !pf_span_eq(pf_buf_span(&k->folder), folder)) {
		k = k->next;
	}
	return k;
}

static void forget(struct ekeys *k)
{
	pf_arena_deinit(&k->arena);
	pf_arena_init(&k->arena);
	free(k->v);
	k->v = NULL;
	k->n = k->cap = k->offset = 0;
	k->known = false;
}

void ews_keys_free(struct estore *s)
{
	while (s->keys) {
		struct ekeys *k = s->keys;

		s->keys = k->next;
		pf_arena_deinit(&k->arena);
		pf_buf_deinit(&k->folder);
		free(k->v);
		free(k);
	}
}

void ews_keys_doubt(struct estore *s, struct pf_span folder)
{
	struct ekeys *k = keys_of(s, folder);

	if (k) {
		forget(k);
	}
}

bool ews_keys_known(const struct estore *s, struct pf_span folder)
{
	const struct ekeys *k = keys_of(s, folder);

	return k && k->known;
}

static struct ekeys *begin(struct estore *s, struct pf_span folder, struct pf_err *err)
{
	struct ekeys *k = keys_of(s, folder);

	if (k) {
		return k;
	}
	k = calloc(1, sizeof(*k));
	if (!k) {
		(void)pf_fail_memory(err, "the names of a folder's items");
		return NULL;
	}
	pf_arena_init(&k->arena);
	pf_buf_init(&k->folder, EWS_ID_MAX);
	k->next = s->keys;
	s->keys = k;
	return pf_buf_add(&k->folder, folder, err) == PF_OK ? k : NULL;
}

int ews_keys_ask(struct estore *s, struct eop *o, struct pf_err *err)
{
	struct ekeys *k = begin(s, pf_buf_span(&o->place), err);
	struct pf_buf text;

	if (!k) {
		return PF_FAIL;
	}
	pf_buf_init(&text, EWS_TEXT_MAX);
	if (pf_ews_find_keys(&s->as, pf_buf_span(&o->place), k->offset, &text, err) != PF_OK) {
		pf_buf_deinit(&text);
		return PF_FAIL;
	}
	return ecall_send(s, ecall_new(s, ECALL_KEYED, o), "FindItem", &text, err);
}

static int add(struct ekeys *k, struct pf_span key, struct pf_span id, struct pf_err *err)
{
	struct ekey *e;

	if (k->n == k->cap) {
		size_t cap = k->cap ? k->cap * 2 : 64;
		struct ekey *grown = realloc(k->v, cap * sizeof(*grown));

		if (!grown) {
			return pf_fail_memory(err, "the names of a folder's items");
		}
		k->v = grown;
		k->cap = cap;
	}
	e = &k->v[k->n++];
	*e = (struct ekey){pf_arena_span(&k->arena, key), pf_arena_span(&k->arena, id)};
	return e->key.p && e->id.p ? PF_OK : pf_fail_memory(err, "the names of a folder's items");
}

static int by_key(const void *a, const void *b)
{
	return pf_span_cmp(((const struct ekey *)a)->key, ((const struct ekey *)b)->key);
}

int ews_keys_take(struct estore *s, struct eop *o, struct pf_ews_answer *a,
	const struct pf_ews_message *m, struct pf_err *err)
{
	struct ekeys *k = keys_of(s, pf_buf_span(&o->place));
	const struct pf_ews_node *at = NULL;
	struct pf_ews_item i;
	size_t got = 0;

	while (pf_ews_item_next(a, m, &at, &i)) {
		got++;
		if (i.key.n > 0 && i.id.n > 0 && add(k, i.key, i.id, err) != PF_OK) {
			return PF_FAIL;
		}
	}
	k->offset = m->next_offset > k->offset ? m->next_offset : k->offset + got;
	k->known = m->last || got == 0;
	if (k->known && k->n > 1) {
		qsort(k->v, k->n, sizeof(*k->v), by_key);
	}
	return PF_OK;
}

struct pf_span ews_keys_find(const struct estore *s, struct pf_span folder, struct pf_span key)
{
	const struct ekeys *k = keys_of(s, folder);
	const struct ekey want = {.key = key};
	const struct ekey *e =
		k && k->n > 0 ? bsearch(&want, k->v, k->n, sizeof(want), by_key) : NULL;

	return e ? e->id : pf_span(NULL, 0);
}

struct pf_span ews_keys_of_item(const struct estore *s, struct pf_span folder, struct pf_span id)
{
	const struct ekeys *k = keys_of(s, folder);

	for (size_t i = 0; k && i < k->n; i++) {
		if (pf_span_eq(k->v[i].id, id)) {
			return k->v[i].key;
		}
	}
	return pf_span(NULL, 0);
}

bool ews_key_is(struct pf_span key, char what)
{
	return key.n > 2 && key.p[0] == (uint8_t)what && key.p[1] == ':';
}

struct pf_span ews_key_version(struct pf_span key)
{
	const uint8_t *blank = key.n > 0 ? memchr(key.p, ' ', key.n) : NULL;

	return ews_key_is(key, 'r') && blank ? pf_span_from(key, (size_t)(blank - key.p) + 1)
					     : pf_span(NULL, 0);
}

struct pf_span ews_key_name(struct pf_span key)
{
	const uint8_t *blank = key.n > 0 ? memchr(key.p, ' ', key.n) : NULL;

	key = key.n > 2 ? pf_span_from(key, 2) : pf_span("", 0);
	return blank ? pf_span(key.p, (size_t)(blank - key.p)) : key;
}
