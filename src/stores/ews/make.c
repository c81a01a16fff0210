/*
 * Making folders: what there is of the path is gone down, the rest is made, level by level.
 */
#include "stores/ews/ews_private.h"

/* XML can't carry them. */
const char ews_controls[] = "\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b\x0c\x0d\x0e\x0f\x10"
			    "\x11\x12\x13\x14\x15\x16\x17\x18\x19\x1a\x1b\x1c\x1d\x1e\x1f";

/* As far as the folders are there: the last one's id; *depth: how many segments lead to it. */
static struct pf_span walk(const struct estore *s, const struct pf_path *path, size_t *depth)
{
	struct pf_span at = pf_buf_span(&s->known[PF_EWS_ROOT]), next;
	const char *name;

	*depth = 0;
	while ((name = pf_path_segment(path, *depth)) != NULL) {
		if (*depth == 0 && strcmp(name, "INBOX") == 0) {
			next = pf_buf_span(&s->known[PF_EWS_INBOX]);
		} else {
			next = ews_folder_in(s, at, name);
		}
		if (!next.p) {
			break;
		}
		at = next;
		*depth += 1;
	}
	return at;
}

const char *ews_class_of(uint32_t kinds)
{
	static const struct {
		enum pf_kind kind;
		const char *folder_class;
	} CLASSES[] = {{PF_KIND_MAIL, "IPF.Note"}, {PF_KIND_CALENDAR, "IPF.Appointment"},
		{PF_KIND_CONTACTS, "IPF.Contact"}, {PF_KIND_TASKS, "IPF.Task"},
		{PF_KIND_NOTES, "IPF.StickyNote"}};
	for (size_t i = 0; i < PF_COUNT(CLASSES); i++) {
		if (kinds & (uint32_t)CLASSES[i].kind) {
			return CLASSES[i].folder_class;
		}
	}
	return CLASSES[0].folder_class;
}

/* A folder that is there already is for one of these kinds (0: mail). */
static bool holds_any(const struct estore *s, struct pf_span id, uint32_t kinds)
{
	enum pf_kind kind;

	(void)ews_folder_meant(s, id, &kind);
	return ((kinds ? kinds : (uint32_t)PF_KIND_MAIL) & (uint32_t)kind) != 0;
}

static bool has_controls(const struct pf_path *path)
{
	const char *name;

	for (size_t i = 0; (name = pf_path_segment(path, i)) != NULL; i++) {
		if (strpbrk(name, ews_controls)) {
			return true;
		}
	}
	return false;
}

int ews_make_start(struct estore *s, struct eop *o, struct pf_err *err)
{
	const struct pf_path *path = eop_op(o)->mkfolder.path;
	struct pf_span parent;
	struct pf_buf text;
	size_t depth;

	if (!s->folders_known) {
		return ews_folders_start(s, o, err);
	}
	if (has_controls(path)) {
		return pf_fail(err, PF_SCOPE_ITEM, PF_RETRY_NO,
			"the name has a control character, which Exchange can't have in one");
	}
	parent = walk(s, path, &depth);
	if (depth == pf_path_depth(path) && !holds_any(s, parent, eop_op(o)->mkfolder.kinds)) {
		return pf_fail(err, PF_SCOPE_ITEM, PF_RETRY_NO,
			"there is a folder of that name, which holds something else");
	}
	if (depth == pf_path_depth(path)) {
		o->h.end.existed = o->depth < depth; /* else it is the one that we made */
		if (pf_buf_add(&o->h.end.id, parent, err) != PF_OK) {
			return PF_FAIL;
		}
		eop_give(s, o);
		return PF_OK;
	}
	o->depth = depth;
	pf_buf_init(&text, EWS_TEXT_MAX);
	if (pf_ews_create_folder(&s->as, parent, ews_class_of(eop_op(o)->mkfolder.kinds),
		    pf_span_str(pf_path_segment(path, depth)), &text, err) != PF_OK) {
		pf_buf_deinit(&text);
		return PF_FAIL;
	}
	return ecall_send(s, ecall_new(s, ECALL_MAKE, o), "CreateFolder", &text, err);
}

int ews_make_answer(struct estore *s, struct eop *o, struct pf_ews_answer *a,
	const struct pf_ews_message *m, struct pf_err *err)
{
	const struct pf_path *path = eop_op(o)->mkfolder.path;
	const struct pf_ews_node *at = NULL;
	struct pf_ews_folder made;
	size_t depth;

	o->h.state = PF_HS_WAITING;
	if (m->said.does == PF_EWS_DONE && pf_ews_folder_next(a, m, &at, &made) && made.id.n > 0) {
		made.parent = walk(s, path, &depth);
		made.name = pf_span_str(pf_path_segment(path, depth));
		made.folder_class = pf_span_str(ews_class_of(eop_op(o)->mkfolder.kinds));
		o->depth = depth + 1;
		return ews_folder_add(s, &made, err);
	}
	s->folders_known = false; /* somebody else made it: which one is it? */
	if (o->looks++ > 0) {
		struct pf_err why;

		(void)pf_fail(&why, PF_SCOPE_ITEM, PF_RETRY_NO,
			"CreateFolder: %s, but there is none of this name to be seen",
			m->said.text);
		eop_refused(s, o, &why);
	}
	return PF_OK;
}
