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
	if (pf_ews_create_folder(&s->as, parent, pf_span_str(pf_path_segment(path, depth)), &text,
		    err) != PF_OK) {
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
		made.folder_class = pf_span_str("IPF.Note");
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
