/*
 * Every byte that an item has or borrows, once: a sanitizer sees what lies outside, and the sum
 * compares two readings.
 */
#ifndef PF_FUZZ_MAPI_SUM_H
#define PF_FUZZ_MAPI_SUM_H

#include "base/utf8.h"
#include "model/mapi.h"
#include "sum.h"

static inline void sum_value(uint64_t *sum, const struct pf_mapi_value *v)
{
	sum_number(sum, v->type);
	if (v->type & PF_MAPI_MANY) {
		for (size_t i = 0; i < v->many.n; i++) {
			sum_value(sum, &v->many.v[i]);
		}
		return;
	}
	switch (v->type) {
	case PF_MAPI_STRING:
		pf_assert(pf_utf8_valid(v->bytes));
		sum_span(sum, v->bytes);
		break;
	case PF_MAPI_BINARY:
	case PF_MAPI_OBJECT:
	case PF_MAPI_GUID:
		sum_span(sum, v->bytes);
		break;
	default:
		pf_assert(v->type != PF_MAPI_STRING8);
		sum_number(sum, v->filetime);
		break;
	}
}

static inline void sum_props(uint64_t *sum, const struct pf_mapi_props *props)
{
	for (size_t i = 0; i < props->n; i++) {
		sum_number(sum, props->v[i].id);
		if (props->v[i].name) {
			sum_span(sum, pf_span(props->v[i].name->set.b, 16));
			sum_number(sum, props->v[i].name->number);
			sum_span(sum, props->v[i].name->text);
		}
		sum_value(sum, &props->v[i].value);
	}
}

/* Returns how deep items nest. */
static inline unsigned sum_item(uint64_t *sum, const struct pf_mapi_item *item)
{
	unsigned deepest = 0;

	sum_props(sum, &item->props);
	for (size_t i = 0; i < item->recipients_n; i++) {
		sum_props(sum, &item->recipients[i]);
	}
	for (size_t i = 0; i < item->attachments_n; i++) {
		const struct pf_mapi_attachment *a = &item->attachments[i];
		unsigned depth;

		sum_props(sum, &a->props);
		sum_span(sum, a->data);
		sum_number(sum, a->kind);
		pf_assert((a->kind == PF_MAPI_ATTACH_ITEM) == (a->item != NULL));
		depth = a->item ? sum_item(sum, a->item) : 0;
		deepest = depth > deepest ? depth : deepest;
	}
	return deepest + 1;
}

#endif
