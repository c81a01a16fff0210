#include "base/buf.h"
#include "convert/mapi_names.h"
#include "convert/mapi_ways.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { NAME_MAX_BYTES = 300, ODD_MAX = 600 };

static int no_memory(struct pf_err *err)
{
	return pf_fail_memory(err, "what became of an item's properties");
}

static int by_name(const void *a, const void *b)
{
	const struct pf_fate_of *x = a, *y = b;
	int d = pf_span_cmp(x->what, y->what);

	return d != 0 ? d : (int)x->fate - (int)y->fate;
}

/* Of several items (exceptions of a series) each may have it: said once for each fate. */
static size_t once(struct pf_fate_of *v, size_t n)
{
	size_t kept = 0;

	if (n > 1) {
		qsort(v, n, sizeof(*v), by_name);
	}
	for (size_t i = 0; i < n; i++) {
		if (kept == 0 || by_name(&v[kept - 1], &v[i]) != 0) {
			v[kept++] = v[i];
		}
	}
	return kept;
}

static bool add(struct pf_arena *arena, struct pf_fate_of *v, size_t *n, const char *what,
	enum pf_fate fate)
{
	struct pf_span s = pf_arena_span(arena, pf_span_str(what));

	v[*n] = (struct pf_fate_of){s, fate};
	++*n;
	return s.p != NULL;
}

/* By its number, and what it is called. */
static const char *shown(const struct pf_mapi_prop *p, char out[NAME_MAX_BYTES])
{
	const char *known = pf_mapi_known_name(p);
	size_t n;

	(void)pf_mapi_prop_name(p, out, NAME_MAX_BYTES);
	n = strlen(out);
	(void)snprintf(out + n, NAME_MAX_BYTES - n, "%s%s", known ? " " : "", known ? known : "");
	return out;
}

static bool add_props(
	const struct pf_mapi_losses *l, struct pf_arena *arena, struct pf_fate_of *v, size_t *n)
{
	static const enum pf_fate FATES[PF_MAPI_FATES] = {
		[PF_MAPI_LOST] = PF_FATE_LOST,
		[PF_MAPI_MAPPED] = PF_FATE_MAPPED,
		[PF_MAPI_KEPT] = PF_FATE_KEPT,
	};
	char name[NAME_MAX_BYTES];

	for (size_t i = 0; i < l->n; i++) {
		if (l->v[i].fate != PF_MAPI_IDLE &&
			!add(arena, v, n, shown(l->v[i].prop, name), FATES[l->v[i].fate])) {
			return false;
		}
	}
	for (size_t i = 0; i < l->unknown_n && l->unknown[i].p; i++) {
		if (!add(arena, v, n, (const char *)l->unknown[i].p, PF_FATE_UNRESOLVED)) {
			return false;
		}
	}
	return true;
}

/* All in one line, as long as it may be; each once. */
static struct pf_span odd_of(const struct pf_mapi_losses *l, struct pf_arena *arena)
{
	char text[ODD_MAX] = "";
	size_t n = 0;

	for (size_t i = 0; i < l->odd_n && n < sizeof(text); i++) {
		const char *one = (const char *)l->odd[i].p;

		if (one && !strstr(text, one)) {
			n += (size_t)snprintf(
				text + n, sizeof(text) - n, "%s%s", n > 0 ? "; " : "", one);
		}
	}
	return n > 0 ? pf_arena_span(arena, pf_span_str(text)) : pf_span(NULL, 0);
}

int pf_mapi_fates(const struct pf_mapi_losses *l, struct pf_arena *arena, struct pf_fates *out,
	struct pf_err *err)
{
	struct pf_fate_of *v = pf_arena_alloc(arena, (l->n + l->unknown_n + 2) * sizeof(*v));
	size_t n = 0;

	*out = (struct pf_fates){.n = 0};
	if (!v || !add_props(l, arena, v, &n)) {
		return no_memory(err);
	}
	n = once(v, n);
	if (n > PF_MAPI_FATES_MAX) {
		n = PF_MAPI_FATES_MAX;
		if (!add(arena, v, &n, "(further properties)", PF_FATE_LOST)) {
			return no_memory(err);
		}
	}
	if (l->unresolved > l->unknown_n &&
		!add(arena, v, &n, "(further addresses)", PF_FATE_UNRESOLVED)) {
		return no_memory(err);
	}
	out->v = v;
	out->n = n;
	out->odd = odd_of(l, arena);
	return l->odd_n > 0 && !out->odd.p ? no_memory(err) : PF_OK;
}
