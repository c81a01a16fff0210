/*
 * All folders of the mailbox, page by page. What a folder is for is told by its class, and by its
 * id for those that each mailbox has; never by its name, which is in the owner's language.
 */
#include "stores/ews/ews_private.h"

#include "base/utf8.h"
#include "model/role.h"

#include <stdlib.h>

/* ---- what is known of them ---- */

static void free_folder(struct efolder *f)
{
	pf_buf_deinit(&f->id);
	pf_buf_deinit(&f->parent);
	pf_buf_deinit(&f->name);
	pf_buf_deinit(&f->folder_class);
	pf_path_deinit(&f->path);
}

void ews_folders_forget(struct estore *s)
{
	for (size_t i = 0; i < s->folder_n; i++) {
		free_folder(&s->folder[i]);
	}
	s->folder_n = 0;
	s->folder_offset = 0;
	s->probe = (struct eprobe){.kind = 0};
	s->folders_known = false;
}

void ews_folders_free(struct estore *s)
{
	ews_folders_forget(s);
	free(s->folder);
	s->folder = NULL;
	s->folder_cap = 0;
}

struct efolder *ews_folder_find(const struct estore *s, struct pf_span id)
{
	for (size_t i = 0; i < s->folder_n; i++) {
		if (pf_span_eq(pf_buf_span(&s->folder[i].id), id)) {
			return &s->folder[i];
		}
	}
	return NULL;
}

/* Folders that programs keep things in, of no use to people and nowhere shown to them. */
static bool is_inner(struct pf_span folder_class)
{
	static const char *const CLASSES[] = {"IPF.Configuration", "IPF.Files", "Outlook.Reminder",
		"IPF.StoreItem.", "IPF.SkypeTeams.Message", "IPF.Contact.RecipientCache",
		"IPF.Contact.GalContacts", "IPF.Contact.OrganizationalContacts",
		"IPF.Contact.PeopleCentricConversationBuddies", "IPF.Contact.MOC.",
		"IPF.Appointment.Birthday"};

	for (size_t i = 0; i < PF_COUNT(CLASSES); i++) {
		if (pf_span_starts(folder_class, CLASSES[i])) {
			return true;
		}
	}
	return false;
}

int ews_folder_add(struct estore *s, const struct pf_ews_folder *f, struct pf_err *err)
{
	struct efolder *to = f->id.n > 0 ? ews_folder_find(s, f->id) : NULL;

	if (to) { /* pages may overlap when folders come and go; it may have another name now */
		pf_buf_clear(&to->parent);
		pf_buf_clear(&to->name);
		return pf_buf_add(&to->parent, f->parent, err) == PF_OK
			       ? pf_buf_add(&to->name, f->name, err)
			       : PF_FAIL;
	}
	if (f->id.n == 0) {
		return PF_OK;
	}
	if (s->folder_n == s->folder_cap) {
		size_t cap = s->folder_cap ? s->folder_cap * 2 : 32;
		struct efolder *grown = realloc(s->folder, cap * sizeof(*grown));

		if (!grown) {
			return pf_fail_memory(err, "a list of folders");
		}
		s->folder = grown;
		s->folder_cap = cap;
	}
	to = &s->folder[s->folder_n++];
	*to = (struct efolder){.count = f->count, .kinds = (uint32_t)ews_kind_of(f->folder_class)};
	pf_buf_init(&to->id, EWS_ID_MAX);
	pf_buf_init(&to->parent, EWS_ID_MAX);
	pf_buf_init(&to->name, EWS_TEXT_MAX);
	pf_buf_init(&to->folder_class, EWS_TEXT_MAX);
	to->hidden = f->hidden || f->kind == PF_EWS_IS_SEARCH || is_inner(f->folder_class);
	pf_buf_clear(&s->id_out);
	if (pf_buf_reserve(&s->id_out, f->id.n + EWS_KIND_NAME, err) != PF_OK ||
		pf_buf_add(&to->id, f->id, err) != PF_OK ||
		pf_buf_add(&to->parent, f->parent, err) != PF_OK ||
		pf_buf_add(&to->name, f->name, err) != PF_OK) {
		return PF_FAIL;
	}
	return pf_buf_add(&to->folder_class, f->folder_class, err);
}

static bool is_known(const struct estore *s, enum pf_ews_known which, struct pf_span id)
{
	return s->known[which].n > 0 && pf_span_eq(pf_buf_span(&s->known[which]), id);
}

static bool same_name(struct pf_span a, const char *b)
{
	char *x = NULL, *y = NULL;
	struct pf_buf text;
	struct pf_err ignored; /* longer than any name, or no memory: then it is another one */
	const char *words = NULL;
	bool same = false;

	pf_buf_init(&text, EWS_TEXT_MAX);
	if (pf_utf8_valid(a) && pf_buf_add(&text, a, &ignored) == PF_OK &&
		pf_buf_cstr(&text, &words, &ignored) == PF_OK) {
		x = pf_utf8_fold(words);
		y = pf_utf8_fold(b);
		same = x && y && strcmp(x, y) == 0;
	}
	free(x);
	free(y);
	pf_buf_deinit(&text);
	return same;
}

struct pf_span ews_folder_in(const struct estore *s, struct pf_span parent, const char *name)
{
	for (size_t i = 0; i < s->folder_n; i++) {
		const struct efolder *f = &s->folder[i];

		if (pf_span_eq(pf_buf_span(&f->parent), parent) &&
			same_name(pf_buf_span(&f->name), name)) {
			return pf_buf_span(&f->id);
		}
	}
	return pf_span(NULL, 0);
}

/* ---- paths ---- */

/* A name that a path can have: what it can't is shown as '?'. */
static int add_segment(struct pf_path *p, struct pf_span name, struct pf_err *err)
{
	struct pf_buf text;
	int rc = PF_OK;

	pf_buf_init(&text, EWS_TEXT_MAX);
	while (rc == PF_OK && name.n > 0) {
		struct pf_span at = name;
		uint32_t c = pf_utf8_next(&name);

		at.n -= name.n;
		rc = pf_buf_add(&text, c == 0 || c == UINT32_MAX ? pf_span("?", 1) : at, err);
	}
	rc = rc == PF_OK && text.n == 0 ? pf_buf_add_str(&text, "?", err) : rc;
	rc = rc == PF_OK ? pf_path_add(p, pf_buf_span(&text), err) : rc;
	pf_buf_deinit(&text);
	return rc;
}

/* PF_AGAIN: its parent's is not known yet. */
static int place(struct estore *s, struct efolder *f, struct pf_err *err)
{
	struct pf_span parent = pf_buf_span(&f->parent);
	const struct efolder *above = ews_folder_find(s, parent);

	if (is_known(s, PF_EWS_INBOX, pf_buf_span(&f->id))) {
		f->placed = true;
		return pf_path_add(&f->path, pf_span("INBOX", 5), err);
	}
	if (above && !above->placed) {
		return PF_AGAIN;
	}
	if (above && pf_path_copy(&f->path, &above->path, err) != PF_OK) {
		return PF_FAIL;
	}
	f->placed = true;
	f->hidden = f->hidden || (above && above->hidden);
	return add_segment(&f->path, pf_buf_span(&f->name), err);
}

static int place_all(struct estore *s, struct pf_err *err)
{
	bool moved = true;

	while (moved) {
		moved = false;
		for (size_t i = 0; i < s->folder_n; i++) {
			struct efolder *f = &s->folder[i];
			int rc = f->placed ? PF_AGAIN : place(s, f, err);

			if (rc == PF_FAIL) {
				return PF_FAIL;
			}
			moved = moved || rc == PF_OK;
		}
	}
	return PF_OK;
}

/* ---- the operation ---- */

int ews_folders_start(struct estore *s, struct eop *o, struct pf_err *err)
{
	struct pf_buf text;

	if (o->synced) {
		return ews_kinds_start(s, o, err);
	}
	/* Where one is made, the others stay known: items may be on their way into them. */
	if (s->folder_offset == 0 && eop_op(o)->kind == PF_OP_FOLDERS) {
		ews_folders_forget(s);
	}
	pf_buf_init(&text, EWS_TEXT_MAX);
	if (pf_ews_find_folders(&s->as, s->folder_offset, &text, err) != PF_OK) {
		pf_buf_deinit(&text);
		return PF_FAIL;
	}
	return ecall_send(s, ecall_new(s, ECALL_FOLDERS, o), "FindFolder", &text, err);
}

int ews_folders_answer(struct estore *s, struct eop *o, struct pf_ews_answer *a,
	const struct pf_ews_message *m, struct pf_err *err)
{
	const struct pf_ews_node *at = NULL;
	struct pf_ews_folder f;
	size_t next = s->folder_offset; /* where the server does not tell it, as it need not */

	while (pf_ews_folder_next(a, m, &at, &f)) {
		next++;
		if (ews_folder_add(s, &f, err) != PF_OK) {
			return PF_FAIL;
		}
	}
	next = m->next_offset > s->folder_offset ? m->next_offset : next;
	if (!m->last && next > s->folder_offset) {
		s->folder_offset = next;
		o->h.state = PF_HS_WAITING;
		return PF_OK;
	}
	s->folder_offset = 0;
	if (!m->last) {
		struct pf_err why;

		(void)pf_fail(&why, PF_SCOPE_STORE, PF_RETRY_LATER,
			"the server cut its list of folders and does not tell how to go on");
		eop_failed(s, o, &why);
		return PF_OK;
	}
	s->folders_known = true;
	if (place_all(s, err) != PF_OK) {
		return PF_FAIL;
	}
	if (eop_op(o)->kind == PF_OP_MKFOLDER) {
		o->h.state = PF_HS_WAITING; /* it goes on */
	} else if (s->h.cfg->source) {
		o->synced = true; /* what else they hold comes next */
		o->h.state = PF_HS_WAITING;
	} else {
		eop_give(s, o);
	}
	return PF_OK;
}

static enum pf_role role_of(const struct estore *s, struct pf_span id)
{
	static const struct {
		enum pf_ews_known known;
		enum pf_role role;
	} ROLES[] = {{PF_EWS_INBOX, PF_ROLE_INBOX}, {PF_EWS_SENT, PF_ROLE_SENT},
		{PF_EWS_DRAFTS, PF_ROLE_DRAFTS}, {PF_EWS_TRASH, PF_ROLE_TRASH},
		{PF_EWS_JUNK, PF_ROLE_JUNK}, {PF_EWS_CALENDAR, PF_ROLE_CALENDAR},
		{PF_EWS_CONTACTS, PF_ROLE_CONTACTS}, {PF_EWS_TASKS, PF_ROLE_TASKS},
		{PF_EWS_NOTES, PF_ROLE_NOTES}, {PF_EWS_JOURNAL, PF_ROLE_JOURNAL}};

	for (size_t i = 0; i < PF_COUNT(ROLES); i++) {
		if (is_known(s, ROLES[i].known, id)) {
			return ROLES[i].role;
		}
	}
	return PF_ROLE_NONE;
}

/* There is room for any, ews_folder_add saw to it. */
static void put_id(struct estore *s, const struct efolder *f, enum pf_kind kind)
{
	struct pf_err ignored;
	int rc;

	pf_buf_clear(&s->id_out);
	rc = pf_buf_add(&s->id_out, pf_buf_span(&f->id), &ignored);
	if (rc == PF_OK && kind != ews_kind_of(pf_buf_span(&f->folder_class))) {
		rc = pf_buf_addf(&s->id_out, &ignored, " %s", pf_kind_name(kind));
	}
	pf_assert(rc == PF_OK);
}

int ews_folders_give(struct estore *s, struct eop *o, struct pf_store_event *out)
{
	struct pf_folder *to = &s->folder_out;
	const struct efolder *f;
	enum pf_kind kind;

	if (o->h.end.failed || !ews_kinds_next(s, &o->at, &kind)) {
		return PF_END;
	}
	f = &s->folder[ews_kinds_folder(o->at++)];
	put_id(s, f, kind);
	*to = (struct pf_folder){
		.id = pf_buf_span(&s->id_out),
		.path = f->path,
		.kind = kind,
		.role = kind == ews_kind_of(pf_buf_span(&f->folder_class))
				? role_of(s, pf_buf_span(&f->id))
				: PF_ROLE_NONE,
		.selectable = true,
		.may_have_children = true,
		.subscribed = true,
	};
	if (to->role == PF_ROLE_NONE && to->kind == PF_KIND_MAIL &&
		pf_role_by_name(pf_path_leaf(&f->path)) == PF_ROLE_ARCHIVE) {
		to->role = PF_ROLE_ARCHIVE; /* Exchange has no id for it */
		to->role_by_name = true;
	}
	*out = (struct pf_store_event){.kind = PF_STORE_FOLDER, .op = eop_op(o)->id, .folder = to};
	return PF_OK;
}
