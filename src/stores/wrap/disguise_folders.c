#include "stores/wrap/disguise_private.h"

#include <stdio.h>

/* What a folder is given out as, in this order. */
static const enum pf_kind KINDS[] = {
	PF_KIND_MAIL, PF_KIND_CALENDAR, PF_KIND_CONTACTS, PF_KIND_TASKS, PF_KIND_NOTES};
/* Before the id of a folder that is not mail's, where mail's are given out as well: no name of a
 * mailbox begins with it. */
static const char BESIDE = '\x01';

int dg_submit_folders(struct dg_store *s, const struct pf_op *op, struct pf_err *err)
{
	int rc = pf_store_submit(s->base.inner, op, err);

	if (rc != PF_OK) {
		return rc;
	}
	s->folders_op = op->id;
	s->folders_listed = false;
	s->give_at = 0;
	s->give_kinds = 0;
	for (size_t i = 0; i < s->folder_n; i++) {
		s->folders[i].is_listed = false;
		dg_look_again(s, &s->folders[i]);
	}
	return PF_OK;
}

static int note_folder(struct dg_store *s, const struct pf_folder *from, struct pf_err *err)
{
	size_t i = dg_find_folder(s, from->id);
	struct dg_folder *f;

	if (i == SIZE_MAX && dg_add_folder(s, from->id, &i, err) != PF_OK) {
		return PF_FAIL;
	}
	f = &s->folders[i];
	f->selectable = from->selectable;
	f->is_listed = true;
	f->listed = *from;
	f->listed.looks = (struct pf_folder_looks){.has_order = false}; /* of mail there are none */
	pf_buf_clear(&f->cursor);
	if (pf_path_copy(&f->path, &from->path, err) != PF_OK ||
		pf_buf_add(&f->cursor, from->state.cursor, err) != PF_OK) {
		return PF_FAIL;
	}
	return PF_OK;
}

int dg_folders_event(struct dg_store *s, const struct pf_store_event *ev, struct pf_err *err)
{
	if (ev->kind == PF_STORE_FOLDER) {
		return note_folder(s, ev->folder, err) == PF_OK ? PF_AGAIN : PF_FAIL;
	}
	if (ev->kind == PF_STORE_DONE) {
		s->folders_listed = true;
		return PF_AGAIN;
	}
	s->folders_op = ev->kind == PF_STORE_FAILED ? 0 : s->folders_op;
	return PF_OK;
}

static bool all_looked(const struct dg_store *s)
{
	for (size_t i = 0; i < s->folder_n; i++) {
		const struct dg_folder *f = &s->folders[i];

		if (f->is_listed && f->selectable && !dg_looked(f)) {
			return false;
		}
	}
	return true;
}

/* The kinds of a folder's items that go this way; of one that can be looked at another time the
 * first, so that its LIST fails and comes again. Where a server never tells, all stay mail. */
static uint32_t kinds_of(const struct dg_store *s, const struct dg_folder *f)
{
	uint32_t here = s->cfg->disguised.here, kinds = 0;

	for (size_t i = 0; f->look == DG_LOOKED && i < f->now.n; i++) {
		kinds |= (uint32_t)f->now.v[i].kind;
	}
	kinds &= here;
	for (size_t i = 0; dg_is_put_off(f) && i < PF_COUNT(KINDS) && kinds == 0; i++) {
		kinds = here & (uint32_t)KINDS[i];
	}
	return kinds | (dg_gives_mail(s) ? PF_KIND_MAIL : 0);
}

/* Whether all that is in it is no mail. */
static bool holds_others_only(const struct dg_store *s, const struct dg_folder *f)
{
	uint64_t apart = 0;

	for (size_t i = 0; f->look == DG_LOOKED && i < f->now.n; i++) {
		apart += (dg_apart(s) & (uint32_t)f->now.v[i].kind) != 0;
	}
	return apart > 0 && apart == f->count;
}

static void give_mail(struct dg_store *s, const struct dg_folder *f)
{
	s->folder_out = f->listed;
	s->folder_out.id = pf_buf_span(&f->id);
	s->folder_out.path = f->path;
	s->folder_out.state.cursor = pf_buf_span(&f->cursor);
	s->folder_out.others_only = holds_others_only(s, f);
}

static int give_other(
	struct dg_store *s, const struct dg_folder *f, enum pf_kind kind, struct pf_err *err)
{
	pf_buf_clear(&s->folder_id);
	if ((s->cfg->disguised.mail &&
		    pf_buf_add(&s->folder_id, pf_span(&BESIDE, 1), err) != PF_OK) ||
		pf_buf_addf(&s->folder_id, err, "%s/", pf_kind_name(kind)) != PF_OK ||
		pf_buf_add(&s->folder_id, pf_buf_span(&f->id), err) != PF_OK) {
		return PF_FAIL;
	}
	s->folder_out = (struct pf_folder){.id = pf_buf_span(&s->folder_id),
		.path = f->path,
		.kind = kind,
		.selectable = true,
		.may_have_children = true,
		.doubtful = f->listed.doubtful};
	return PF_OK;
}

/* Once: what a server without SEARCH means for this way. */
static bool tell_cant_find(struct dg_store *s, struct pf_store_event *out)
{
	if (!s->cant_find.text[0] || s->cant_find_told || s->cfg->disguised.here == 0) {
		return false;
	}
	s->cant_find_told = true;
	(void)snprintf(s->left_out, sizeof(s->left_out),
		"items of Exchange among its mail are not told apart: %.200s", s->cant_find.text);
	*out = (struct pf_store_event){.kind = PF_STORE_NOTE, .op = s->folders_op};
	out->note.number = PF_EV_FEATURE_OFF;
	out->note.text = s->left_out;
	return true;
}

int dg_give_folders(struct dg_store *s, struct pf_store_event *out, struct pf_err *err)
{
	if (s->folders_op == 0 || !s->folders_listed || !all_looked(s)) {
		return PF_AGAIN;
	}
	if (tell_cant_find(s, out)) {
		return PF_OK;
	}
	while (s->give_kinds == 0 && s->give_at < s->folder_n) {
		const struct dg_folder *f = &s->folders[s->give_at++];

		s->give_kinds = f->is_listed ? kinds_of(s, f) : 0;
	}
	*out = (struct pf_store_event){
		.kind = PF_STORE_FOLDER, .op = s->folders_op, .folder = &s->folder_out};
	for (size_t i = 0; i < PF_COUNT(KINDS); i++) {
		const struct dg_folder *f = &s->folders[s->give_at > 0 ? s->give_at - 1 : 0];

		if (!(s->give_kinds & (uint32_t)KINDS[i])) {
			continue;
		}
		s->give_kinds &= ~(uint32_t)KINDS[i];
		if (KINDS[i] != PF_KIND_MAIL) {
			return give_other(s, f, KINDS[i], err);
		}
		give_mail(s, f);
		return PF_OK;
	}
	*out = (struct pf_store_event){.kind = PF_STORE_DONE, .op = s->folders_op};
	s->folders_op = 0;
	return PF_OK;
}

bool dg_folder_of(const struct dg_store *s, struct pf_span id, size_t *folder, enum pf_kind *kind)
{
	bool beside = id.n > 0 && id.p[0] == (uint8_t)BESIDE;
	const uint8_t *slash;
	size_t n;

	if (s->cfg->disguised.here == 0 || beside != s->cfg->disguised.mail) {
		return false;
	}
	id = pf_span_from(id, beside);
	slash = id.n > 0 ? memchr(id.p, '/', id.n) : NULL;
	n = slash ? (size_t)(slash - id.p) : id.n;
	*kind = pf_kind_by_name(pf_span(id.p, n));
	*folder = slash ? dg_find_folder(s, pf_span_from(id, n + 1)) : SIZE_MAX;
	return *kind != 0 && *folder != SIZE_MAX;
}
