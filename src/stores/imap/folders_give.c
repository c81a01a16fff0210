/*
 * The folders that were listed, given out one by one: path, role, state, and what is odd about it.
 */
#include "model/role.h"
#include "stores/imap/listing.h"

#include <string.h>

static const struct {
	uint32_t attr;
	enum pf_role role;
} ROLES[] = {
	{PF_IMAP_ATTR_INBOX, PF_ROLE_INBOX}, {PF_IMAP_ATTR_SENT, PF_ROLE_SENT},
	{PF_IMAP_ATTR_DRAFTS, PF_ROLE_DRAFTS}, {PF_IMAP_ATTR_TRASH, PF_ROLE_TRASH},
	{PF_IMAP_ATTR_JUNK, PF_ROLE_JUNK}, {PF_IMAP_ATTR_ARCHIVE, PF_ROLE_ARCHIVE},
	{PF_IMAP_ATTR_ALL, PF_ROLE_ALL}, {PF_IMAP_ATTR_FLAGGED, PF_ROLE_FLAGGED},
	{PF_IMAP_ATTR_IMPORTANT, PF_ROLE_FLAGGED}, /* a view of what is marked, too */
};

static void find_role(const struct found *f, struct pf_folder *out)
{
	for (size_t i = 0; i < PF_COUNT(ROLES); i++) {
		if (f->attrs & ROLES[i].attr) {
			out->role = ROLES[i].role;
			return;
		}
	}
	if (pf_path_depth(&out->path) == 1 && strcmp(pf_path_leaf(&out->path), "INBOX") == 0) {
		out->role = PF_ROLE_INBOX;
		return;
	}
	out->role = pf_path_depth(&out->path) <= 2 ? pf_role_by_name(pf_path_leaf(&out->path))
						   : PF_ROLE_NONE;
	out->role_by_name = out->role != PF_ROLE_NONE;
}

static int give_state(
	struct istore *s, const struct found *f, struct pf_folder *out, struct pf_err *err)
{
	pf_buf_clear(&s->cursor_out);
	out->has_state = f->has_status;
	if (!f->has_status) {
		return PF_OK;
	}
	if (pf_buf_addf(&s->cursor_out, err, "%llu %llu %llu %llu",
		    (unsigned long long)f->uidvalidity, (unsigned long long)f->uidnext,
		    (unsigned long long)f->messages, (unsigned long long)f->modseq) != PF_OK) {
		return PF_FAIL;
	}
	if (folder_seen(s, pf_buf_span(&f->name), f->uidvalidity, err) != PF_OK) {
		return PF_FAIL;
	}
	out->state.validity = f->uidvalidity;
	out->state.next = f->uidnext;
	out->state.count = f->messages;
	out->state.cursor = pf_buf_span(&s->cursor_out);
	return PF_OK;
}

/* Not in the list of folders: said by name where it is there, or somebody believes that it is. */
static void note_unlisted(struct istore *s, const struct found *f, const struct pf_folder *out)
{
	if (f->subscribed) {
		store_note(s, PF_EV_FOLDER_ONLY_SUBSCRIBED, out->id, out->id, 0,
			"the server has it among the subscriptions, but does not list it");
	} else if (f->there || out->role == PF_ROLE_INBOX) {
		store_note(s, PF_EV_FOLDER_NOT_LISTED, out->id, out->id, 0,
			f->there ? "the server does not list it, but has it"
				 : "the server does not list it");
	}
}

static int fill(struct istore *s, const struct found *f, struct pf_folder *out, bool *good,
	struct pf_err *err)
{
	struct pf_imap_list list = {
		.name = pf_buf_span(&f->name), .attrs = f->attrs, .delimiter = f->delimiter};
	bool doubtful = false;

	*out = (struct pf_folder){.id = pf_buf_span(&f->name), .kind = PF_KIND_MAIL};
	out->shared = names_is_others(s, out->id);
	*good = !out->shared || s->listing->shared;
	if (!*good) {
		return PF_OK;
	}
	if (names_path(s, &list, &s->path_out, &doubtful, err) != PF_OK) {
		return err->scope == PF_SCOPE_ITEM ? PF_OK : PF_FAIL;
	}
	out->path = s->path_out;
	*good = out->path.n > 0;
	if (!*good) {
		return PF_OK;
	}
	out->selectable = !(f->attrs & PF_IMAP_ATTR_NOSELECT);
	out->may_have_children = !(f->attrs & PF_IMAP_ATTR_NOINFERIORS);
	out->subscribed = f->subscribed;
	out->doubtful = doubtful;
	find_role(f, out);
	if (doubtful) {
		store_note(s, PF_EV_FOLDER_NAME_ODD, out->id, out->id, 0,
			"its name is not valid modified UTF-7; it is read as well as it can be");
	} else if (!f->listed && s->listing->states) {
		note_unlisted(s, f, out);
		*good = f->there || out->role == PF_ROLE_INBOX;
	}
	return give_state(s, f, out, err);
}

int folders_give(struct istore *s, struct pf_store_event *out, bool *given, struct pf_err *err)
{
	struct ilisting *l = s->listing;
	struct iop *op = s->listing_op;

	if (!s->listing_ready) {
		return PF_OK;
	}
	while (l->given < l->found.n) {
		bool good = false;

		if (fill(s, &l->found.v[l->given++], &s->folder_out, &good, err) != PF_OK) {
			return PF_FAIL;
		}
		if (good) {
			if (labels_note(s, l->found.v[l->given - 1].attrs, s->folder_out.id, err) !=
				PF_OK) {
				return PF_FAIL;
			}
			*out = (struct pf_store_event){
				.kind = PF_STORE_FOLDER, .op = op->op.id, .folder = &s->folder_out};
			*given = true;
			return PF_OK;
		}
		if (s->notes.first) { /* a note about it goes first */
			return PF_OK;
		}
	}
	folders_free(s);
	op_done(s, op, pf_span(NULL, 0));
	return PF_OK;
}
