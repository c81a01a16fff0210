/*
 * Folders of a target that are to hold several kinds. A folder of Exchange is of one: what else
 * there is goes to one beside it, "NAME (tasks)", which comes to be with its first item. To the
 * engine they are one folder: it is listed with what is in those, whose items' ids have the kind
 * behind them.
 */
#include "stores/ews/ews_private.h"

static const enum pf_kind KINDS[] = {
	PF_KIND_CALENDAR, PF_KIND_TASKS, PF_KIND_NOTES, PF_KIND_CONTACTS};

int ews_beside_name(struct estore *s, struct pf_span folder, enum pf_kind kind, struct pf_buf *out,
	struct pf_err *err)
{
	const struct efolder *f = ews_folder_find(s, folder);
	struct pf_span name = f ? pf_buf_span(&f->name) : pf_span_str("?");

	pf_buf_clear(out);
	return pf_buf_addf(
		out, err, "%.*s (%s)", (int)name.n, (const char *)name.p, pf_kind_name(kind));
}

struct pf_span ews_beside_parent(const struct estore *s, struct pf_span folder)
{
	const struct efolder *f = ews_folder_find(s, folder);

	return f ? pf_buf_span(&f->parent) : pf_buf_span(&s->known[PF_EWS_ROOT]);
}

struct pf_span ews_beside(struct estore *s, struct pf_span folder, enum pf_kind kind)
{
	struct pf_span id = pf_span(NULL, 0);
	struct pf_buf name;
	struct pf_err ignored; /* no memory: then one is asked for, and found to be there */
	enum pf_kind holds;
	const char *words;

	if (pf_span_eq(ews_folder_meant(s, folder, &holds), folder) && holds == kind) {
		return folder;
	}
	pf_buf_init(&name, EWS_TEXT_MAX);
	if (ews_beside_name(s, folder, kind, &name, &ignored) == PF_OK &&
		pf_buf_cstr(&name, &words, &ignored) == PF_OK) {
		id = ews_folder_in(s, ews_beside_parent(s, folder), words);
	}
	pf_buf_deinit(&name);
	if (id.p) {
		(void)ews_folder_meant(s, id, &holds);
	}
	return id.p && holds == kind ? id : pf_span(NULL, 0);
}

bool ews_beside_next(struct estore *s, struct eop *o)
{
	struct pf_span folder = eop_op(o)->folder;
	enum pf_kind holds;

	(void)ews_folder_meant(s, folder, &holds);
	if (s->h.cfg->source || holds == PF_KIND_MAIL) {
		return false;
	}
	while (o->beside < PF_COUNT(KINDS)) {
		enum pf_kind kind = KINDS[o->beside++];

		if (kind != holds && ews_beside(s, folder, kind).p) {
			o->kind = kind;
			return true;
		}
	}
	return false;
}

struct pf_span ews_item_meant(struct pf_span id, enum pf_kind *kind)
{
	const uint8_t *blank = id.n > 0 ? memchr(id.p, ' ', id.n) : NULL;
	struct pf_span own = blank ? pf_span(id.p, (size_t)(blank - id.p)) : id;

	enum pf_kind said = blank ? pf_kind_by_name(pf_span_from(id, own.n + 1)) : 0;

	*kind = said ? said : *kind;
	return own;
}

int ews_item_id(const struct estore *s, const struct eop *o, struct pf_span id, enum pf_kind kind,
	struct pf_buf *out, struct pf_err *err)
{
	enum pf_kind holds;

	(void)ews_folder_meant(s, eop_op(o)->folder, &holds);
	pf_buf_clear(out);
	if (pf_buf_add(out, id, err) != PF_OK) {
		return PF_FAIL;
	}
	return kind == holds || s->h.cfg->source ? PF_OK
						 : pf_buf_addf(out, err, " %s", pf_kind_name(kind));
}
