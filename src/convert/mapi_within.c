#include "convert/mapi_within.h"

#include "base/utf8.h"
#include "convert/mapi_open.h"
#include "model/mapi_tags.h"

#include <stdio.h>

enum { WITHIN_MAX = 256 << 20, NAME_MAX_BYTES = 200, KEY_ROOM = 32 };

/* The key of the item around it, and which of its attachments. */
static bool inner_key(
	const struct pf_mapi_ways *ways, size_t i, struct pf_arena *arena, struct pf_span *out)
{
	char *key = pf_arena_alloc(arena, ways->key.n + KEY_ROOM);
	int n = 0;

	if (key) {
		n = snprintf(key, ways->key.n + KEY_ROOM, "%.*s/%zu", (int)ways->key.n,
			ways->key.n > 0 ? (const char *)ways->key.p : "", i);
	}
	*out = pf_span(key, (size_t)n);
	return key != NULL;
}

static struct pf_span name_of(
	const struct pf_mapi_item *item, enum pf_kind kind, struct pf_arena *arena)
{
	struct pf_span title = pf_mapi_text(pf_mapi_tag(&item->props, PF_TAG_SUBJECT));
	const char *ending = kind == PF_KIND_MAIL       ? "eml"
			     : kind == PF_KIND_CONTACTS ? "vcf"
							: "ics";
	char name[NAME_MAX_BYTES + 16];

	title = pf_utf8_prefix(title, NAME_MAX_BYTES);
	(void)snprintf(name, sizeof(name), "%.*s.%s", title.n > 0 ? (int)title.n : 4,
		title.n > 0 ? (const char *)title.p : "item", ending);
	return pf_arena_span(arena, pf_span_str(name));
}

int pf_mapi_within(const struct pf_mapi_attachment *a, size_t i, const struct pf_mapi_ways *ways,
	struct pf_mapi_losses *l, struct pf_mapi_within *out, struct pf_err *err)
{
	struct pf_mapi_ways inner = *ways;
	struct pf_mapi_opened opened;
	struct pf_buf bytes;
	struct pf_err why;
	int rc;

	inner.header = pf_span(NULL, 0);
	if (!inner_key(ways, i, l->arena, &inner.key)) {
		return pf_fail_memory(err, "an item within");
	}
	pf_buf_init(&bytes, WITHIN_MAX);
	rc = pf_mapi_open(a->item, &inner, l, &opened, &bytes, &why);
	if (rc == PF_OK) {
		out->bytes = pf_arena_span(l->arena, pf_buf_span(&bytes));
		out->name = name_of(a->item, opened.kind, l->arena);
		out->type = opened.kind == PF_KIND_MAIL       ? "message/rfc822"
			    : opened.kind == PF_KIND_CONTACTS ? "text/vcard"
							      : "text/calendar";
		rc = out->bytes.p && out->name.p ? PF_OK : pf_fail_memory(err, "an item within");
	} else if (why.scope == PF_SCOPE_ITEM) {
		pf_mapi_odd(l, "an attached item was left out: %s", why.text);
		rc = PF_END;
	} else {
		*err = why;
	}
	pf_buf_deinit(&bytes);
	return rc;
}
