#include "stores/dav/dav_private.h"

#include <stdlib.h>

struct pf_hs_op *dop_new(const struct pf_op *op)
{
	struct dop *o = calloc(1, sizeof(*o));

	(void)op;
	if (!o) {
		return NULL;
	}
	pf_buf_init(&o->token, DAV_TEXT_MAX);
	pf_buf_init(&o->sent_on, DAV_PATH_MAX);
	pf_buf_init(&o->said, DAV_TEXT_MAX);
	return &o->h;
}

void dop_free(struct pf_hs_op *h)
{
	struct dop *o = dop_of(h);

	pf_buf_deinit(&o->token);
	pf_buf_deinit(&o->sent_on);
	pf_buf_deinit(&o->said);
	pf_blob_unref(&o->answer);
	pf_blob_unref(&o->bare);
	pf_blob_unref(&o->body);
	pf_dav_multi_free(&o->multi);
	free(o);
}

static bool reads(enum pf_op_kind kind)
{
	return kind == PF_OP_LIST || kind == PF_OP_GET;
}

static bool is_folder_op(enum pf_op_kind kind)
{
	return kind == PF_OP_MKFOLDER || kind == PF_OP_FOLDERS;
}

/* What must not overtake one another. */
static bool clash(const struct pf_op *a, const struct pf_op *b)
{
	if (is_folder_op(a->kind)) {
		return is_folder_op(b->kind);
	}
	if ((!pf_op_writes(a->kind) && !pf_op_writes(b->kind)) ||
		!pf_span_eq(a->folder, b->folder)) {
		return false;
	}
	return a->kind == PF_OP_LIST || b->kind == PF_OP_LIST ||
	       (a->item.n > 0 && pf_span_eq(a->item, b->item));
}

bool dop_may_start(const struct pf_hs *h, const struct pf_hs_op *o)
{
	const struct pf_op *op = pf_hs_op_of(o);

	if (reads(op->kind) && pf_hs_writers(h) == 0) {
		return true;
	}
	/* A new item has a name that nothing else has. */
	if (op->kind == PF_OP_PUT && h->of[PF_OP_LIST] + h->of[PF_OP_GET] == 0 &&
		op->put.guard == PF_GUARD_NEW) {
		return true;
	}
	for (const struct pf_hs_op *p = h->first; p != o; p = p->next) {
		if (clash(pf_hs_op_of(p), op)) {
			return false;
		}
	}
	return true;
}

void dop_said(struct dstore *s, struct dop *o, const struct pf_dav_said *said, enum pf_scope scope,
	const char *what)
{
	bool later = said->answer == PF_DAV_BUSY || said->answer == PF_DAV_PATIENCE;
	struct pf_err why;

	(void)pf_fail(
		&why, scope, later ? PF_RETRY_LATER : PF_RETRY_NO, "%s: %s", what, said->text);
	if (said->answer == PF_DAV_FULL) {
		why.number = PF_EV_TARGET_FULL;
	}
	o->h.end.refused = !later && scope == PF_SCOPE_ITEM;
	dop_failed(s, o, &why);
}
